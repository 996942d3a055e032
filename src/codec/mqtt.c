#include "codec/mqtt_internal.h"

#include <string.h>

/* --- reading ------------------------------------------------------------------------------- */

bool mqtt_fail(struct mqtt_in *in, uint8_t reason, const char *text)
{
    in->fault->reason = reason;
    in->fault->text = text;
    return false;
}

void mqtt_zero(void *p, size_t n)
{
    memset(p, 0, n);
}

bool mqtt_in_ok(struct mqtt_in *in)
{
    return !in->c.failed || mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a field passes the end");
}

uint32_t mqtt_varint(struct cursor *c)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t b = cursor_u8(c);
        v |= (uint32_t)(b & 0x7Fu) << (7 * i);
        if (b & 0x80u)
            continue;
        if (b == 0 && i > 0)
            break;
        return v;
    }
    c->failed = true;
    return 0;
}

bool mqtt_in_text(struct mqtt_in *in, struct str *out)
{
    *out = cursor_str16(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    return mqtt_text_valid(*out) ||
           mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a string is not UTF-8");
}

bool mqtt_in_binary(struct mqtt_in *in, struct bytes *out)
{
    uint16_t n = cursor_u16(&in->c);
    *out = cursor_take(&in->c, n);
    return mqtt_in_ok(in);
}

bool mqtt_in_id(struct mqtt_in *in, uint16_t *out)
{
    *out = cursor_u16(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    return *out != 0 || mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a packet id of 0");
}

/* Who may send a type, with which flags; PUBLISH's flags are its own. */
struct type_rule {
    bool by_client, by_server;
    uint8_t flags;
    bool (*read)(struct mqtt_in *in, struct mqtt_packet *p);
};

/* PINGREQ and PINGRESP have no body. */
static bool read_ping(struct mqtt_in *in, struct mqtt_packet *p)
{
    (void)p;
    return mqtt_in_ok(in);
}

static const struct type_rule type_rules[16] = {
    [MQTT_CONNECT] = {true, false, 0, mqtt_read_connect},
    [MQTT_CONNACK] = {false, true, 0, mqtt_read_connack},
    [MQTT_PUBLISH] = {true, true, 0, mqtt_read_publish},
    [MQTT_PUBACK] = {true, true, 0, mqtt_read_ack},
    [MQTT_PUBREC] = {true, true, 0, mqtt_read_ack},
    [MQTT_PUBREL] = {true, true, 2, mqtt_read_ack},
    [MQTT_PUBCOMP] = {true, true, 0, mqtt_read_ack},
    [MQTT_SUBSCRIBE] = {true, false, 2, mqtt_read_subscribe},
    [MQTT_SUBACK] = {false, true, 0, mqtt_read_suback},
    [MQTT_UNSUBSCRIBE] = {true, false, 2, mqtt_read_subscribe},
    [MQTT_UNSUBACK] = {false, true, 0, mqtt_read_suback},
    [MQTT_PINGREQ] = {true, false, 0, read_ping},
    [MQTT_PINGRESP] = {false, true, 0, read_ping},
    [MQTT_DISCONNECT] = {true, true, 0, mqtt_read_end},
    [MQTT_AUTH] = {true, true, 0, mqtt_read_end},
};

/* What the first byte alone tells. */
static bool check_first_byte(const struct mqtt_decoder *d, struct mqtt_in *in, unsigned type)
{
    const struct type_rule *r = &type_rules[type];
    bool old = d->version == MQTT_V31 || d->version == MQTT_V311;
    if (!r->read || (type == MQTT_AUTH && old))
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a reserved packet type");
    if (!(d->is_server ? r->by_client : r->by_server))
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a packet type of the other side");
    if (type == MQTT_DISCONNECT && !d->is_server && old)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a packet type of the other side");
    if (d->is_server && d->version == MQTT_NEW && type != MQTT_CONNECT) /* [MQTT-3.1.0-1] */
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "the first packet is not CONNECT");
    if (type == MQTT_CONNECT && d->version != MQTT_NEW) /* [MQTT-3.1.0-2] */
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a second CONNECT");
    if (type != MQTT_PUBLISH) {
        if (in->flags != r->flags && d->version != MQTT_V31) /* [MQTT-2.1.3-1] */
            return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "wrong flags in the fixed header");
        return true;
    }
    unsigned qos = (in->flags >> 1) & 3u;
    if (qos == 3) /* [MQTT-3.3.1-4] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a QoS of 3");
    if (qos == 0 && (in->flags & 8u)) /* [MQTT-3.3.1-2] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "DUP with QoS 0");
    return true;
}

/* The remaining length: OK, MORE or ERROR; *n is its size in bytes. */
static enum mqtt_result read_length(struct mqtt_in *in, struct bytes b, size_t *n, uint32_t *length)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        if (1 + i == b.n)
            return MQTT_MORE;
        uint8_t c = b.p[1 + i];
        v |= (uint32_t)(c & 0x7Fu) << (7 * i);
        if (c & 0x80u)
            continue;
        if (c == 0 && i > 0)
            break;
        *n = i + 1;
        *length = v;
        return MQTT_OK;
    }
    mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "the length is not minimal or above 4 bytes");
    return MQTT_ERROR;
}

enum mqtt_result mqtt_decode(const struct mqtt_decoder *d, struct bytes in, struct mqtt_packet *out,
                             size_t *used)
{
    *used = 0;
    out->fault = (struct mqtt_fault){0};
    if (in.n == 0)
        return MQTT_MORE;
    unsigned type = in.p[0] >> 4;
    struct mqtt_in body = {
        .version = d->version,
        .is_server = d->is_server,
        .flags = in.p[0] & 15u,
        .fault = &out->fault,
    };
    out->type = (enum mqtt_type)type;
    if (!check_first_byte(d, &body, type))
        return MQTT_ERROR;
    size_t length_n = 0;
    uint32_t length = 0;
    enum mqtt_result r = read_length(&body, in, &length_n, &length);
    if (r != MQTT_OK)
        return r;
    size_t size = 1 + length_n + length;
    if (d->size_max && size > d->size_max) {
        mqtt_fail(&body, MQTT_RC_PACKET_TOO_LARGE, "the packet is above the maximum size");
        return MQTT_ERROR;
    }
    *used = size;
    if (in.n < size)
        return MQTT_MORE;
    body.c = cursor_from(in.p + 1 + length_n, length);
    bool ok = type_rules[type].read(&body, out);
    if (ok && cursor_left(&body.c) > 0)
        ok = mqtt_fail(&body, MQTT_RC_MALFORMED_PACKET, "bytes behind the packet's last field");
    return ok ? MQTT_OK : MQTT_ERROR;
}

/* --- writing ------------------------------------------------------------------------------- */

static void out_mistake(struct mqtt_out *o, enum err err)
{
    o->err = o->err ? o->err : err;
}

void mqtt_out_u8(struct mqtt_out *o, unsigned v)
{
    o->n += 1;
    if (o->w)
        writer_u8(o->w, (uint8_t)v);
}

void mqtt_out_u16(struct mqtt_out *o, unsigned v)
{
    o->n += 2;
    if (o->w)
        writer_u16(o->w, (uint16_t)v);
}

void mqtt_out_u32(struct mqtt_out *o, uint32_t v)
{
    o->n += 4;
    if (o->w)
        writer_u32(o->w, v);
}

void mqtt_out_varint(struct mqtt_out *o, size_t v)
{
    if (v > 268435455)
        out_mistake(o, ERR_RANGE);
    do {
        mqtt_out_u8(o, (v & 0x7Fu) | (v > 0x7F ? 0x80u : 0));
        v >>= 7;
    } while (v);
}

void mqtt_out_bytes(struct mqtt_out *o, const void *p, size_t n)
{
    o->n += n;
    if (o->w && n)
        writer_bytes(o->w, p, n);
}

void mqtt_out_field(struct mqtt_out *o, const void *p, size_t n)
{
    if (n > UINT16_MAX)
        out_mistake(o, ERR_RANGE);
    mqtt_out_u16(o, (unsigned)n);
    mqtt_out_bytes(o, p, n);
}

void mqtt_out_id(struct mqtt_out *o, uint16_t id)
{
    if (id == 0)
        out_mistake(o, ERR_INVALID);
    mqtt_out_u16(o, id);
}

static void write_body(struct mqtt_out *o, const struct mqtt_packet *p)
{
    switch (p->type) {
    case MQTT_CONNECT: mqtt_write_connect(o, p); break;
    case MQTT_CONNACK: mqtt_write_connack(o, p); break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP: mqtt_write_ack(o, p); break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: mqtt_write_subscribe(o, p); break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: mqtt_write_suback(o, p); break;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP: break;
    case MQTT_DISCONNECT:
    case MQTT_AUTH: mqtt_write_end(o, p); break;
    default: out_mistake(o, ERR_INVALID); break;
    }
}

static enum mqtt_version version_of(enum mqtt_version v, const struct mqtt_packet *p)
{
    return p->type == MQTT_CONNECT ? p->connect.version : v;
}

/* Counts a body; 0 or an error. */
static enum err count_body(enum mqtt_version v, const struct mqtt_packet *p, size_t *body)
{
    struct mqtt_out o = {.version = v};
    if (v != MQTT_V31 && v != MQTT_V311 && v != MQTT_V5)
        return ERR_INVALID;
    write_body(&o, p);
    *body = o.n;
    return o.err ? o.err : o.n > 268435455 ? ERR_RANGE : ERR_OK;
}

size_t mqtt_encoded_size(enum mqtt_version v, const struct mqtt_packet *p)
{
    size_t body;
    if (p->type == MQTT_PUBLISH)
        return mqtt_publish_size(v, &p->publish);
    if (count_body(version_of(v, p), p, &body))
        return 0;
    return 1 + mqtt_varint_size(body) + body;
}

enum err mqtt_encode(enum mqtt_version v, const struct mqtt_packet *p, struct writer *w)
{
    if (p->type == MQTT_PUBLISH)
        return mqtt_put_publish(v, &p->publish, w);
    size_t body;
    v = version_of(v, p);
    enum err err = count_body(v, p, &body);
    if (err)
        return err;
    size_t room = w->failed ? 0 : (size_t)(w->end - w->p);
    if (room < 1 + mqtt_varint_size(body) + body)
        return ERR_FULL;
    struct mqtt_out o = {.w = w, .version = v};
    mqtt_out_u8(&o, (unsigned)p->type << 4 | type_rules[p->type].flags);
    mqtt_out_varint(&o, body);
    write_body(&o, p);
    ASSERT(!o.err && !w->failed);
    return ERR_OK;
}
