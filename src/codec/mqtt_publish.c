#include "codec/mqtt_internal.h"

#include <string.h>

bool mqtt_read_publish(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_publish *m = &p->publish;
    m->dup = in->flags & 8;
    m->retain = in->flags & 1;
    m->qos = (in->flags >> 1) & 3u;
    m->id = 0;
    m->subscription_ids = NULL;
    m->subscription_ids_n = 0;
    m->payload_apart = false;
    m->topic = cursor_str16(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    if (m->topic.n > 0 && !mqtt_topic_valid(m->topic)) {
        if (!mqtt_text_valid(m->topic)) /* [MQTT-3.3.2-1] */
            return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "the topic is not UTF-8");
        return mqtt_fail(in, MQTT_RC_TOPIC_NAME_INVALID, "the topic holds a wildcard");
    }
    if (m->qos > 0 && !mqtt_in_id(in, &m->id))
        return false;
    if (!mqtt_in_props(in, MQTT_PUBLISH, &m->props))
        return false;
    if (m->topic.n == 0 && !m->props.topic_alias)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "no topic and no alias");
    m->payload = cursor_take(&in->c, cursor_left(&in->c));
    return true;
}

size_t mqtt_glance(struct bytes in, struct str *topic)
{
    struct cursor c = cursor_from(in.p, in.n);
    unsigned type = cursor_u8(&c) >> 4;
    size_t body = mqtt_varint(&c);
    const uint8_t *from = c.p;
    *topic = (struct str){NULL, 0};
    (void)cursor_take(&c, body);
    if (c.failed)
        return 0;
    if (type == MQTT_PUBLISH) {
        struct cursor inside = cursor_from(from, body);
        *topic = cursor_str16(&inside);
    }
    return (size_t)(c.p - in.p);
}

static void write_publish(struct mqtt_out *o, const struct mqtt_publish *m)
{
    bool aliased = o->version == MQTT_V5 && (m->props.has & MQTT_HAS(MQTT_PROP_TOPIC_ALIAS));
    if (m->qos > 2 || (m->qos == 0 && m->dup) || (m->topic.n == 0 && !aliased))
        o->err = ERR_INVALID;
    mqtt_out_field(o, m->topic.p, m->topic.n);
    if (m->qos > 0)
        mqtt_out_id(o, m->id);
    mqtt_out_props(o, MQTT_PUBLISH, &m->props, m->subscription_ids, m->subscription_ids_n);
    if (!m->payload_apart)
        mqtt_out_bytes(o, m->payload.p, m->payload.n);
}

/* PUBACK, PUBREC, PUBREL, PUBCOMP. In 5.0 properties, then the reason, may be left out. */
bool mqtt_read_ack(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_ack *a = &p->ack;
    a->reason = 0;
    if (!mqtt_in_id(in, &a->id))
        return false;
    if (in->version == MQTT_V5 && cursor_left(&in->c) > 0) {
        a->reason = cursor_u8(&in->c);
        if (!mqtt_in_reason(in, p->type, a->reason))
            return false;
        if (cursor_left(&in->c) > 0)
            return mqtt_in_props(in, p->type, &a->props);
    }
    mqtt_zero(&a->props, sizeof(a->props));
    return true;
}

void mqtt_write_ack(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_ack *a = &p->ack;
    mqtt_out_id(o, a->id);
    bool any = mqtt_props_any(&a->props);
    if (o->version != MQTT_V5 || (a->reason == 0 && !any))
        return;
    mqtt_out_reason(o, p->type, a->reason);
    if (any)
        mqtt_out_props(o, p->type, &a->props, NULL, 0);
}

void mqtt_put_ack(struct writer *w, enum mqtt_type type, uint16_t id)
{
    ASSERT(type >= MQTT_PUBACK && type <= MQTT_PUBCOMP && id != 0);
    uint8_t b[4] = {(uint8_t)(type << 4 | (type == MQTT_PUBREL ? 2 : 0)), 2, (uint8_t)(id >> 8),
                    (uint8_t)id};
    writer_bytes(w, b, sizeof(b));
}

/* ---- writing a PUBLISH ---- */

#define LENGTH_MAX 268435455

static enum err count_plain(enum mqtt_version v, const struct mqtt_plain *m, size_t *body)
{
    if (v != MQTT_V31 && v != MQTT_V311 && v != MQTT_V5)
        return ERR_INVALID;
    if (m->qos > 2 || m->topic.n == 0 || (m->qos == 0 ? m->dup : m->id == 0))
        return ERR_INVALID;
    if (m->topic.n > UINT16_MAX || m->payload.n > LENGTH_MAX)
        return ERR_RANGE;
    *body = 2 + m->topic.n + (m->qos ? 2 : 0) + (v == MQTT_V5) + m->payload.n;
    return *body > LENGTH_MAX ? ERR_RANGE : ERR_OK;
}

size_t mqtt_plain_size(enum mqtt_version v, const struct mqtt_plain *m)
{
    size_t body;
    return count_plain(v, m, &body) ? 0 : 1 + mqtt_varint_size(body) + body;
}

static uint8_t *put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
    return at + 2;
}

static uint8_t *put_varint(uint8_t *at, size_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (uint8_t)(v | 0x80);
    *at++ = (uint8_t)v;
    return at;
}

enum err mqtt_put_plain(enum mqtt_version v, const struct mqtt_plain *m, struct writer *w)
{
    size_t body;
    enum err err = count_plain(v, m, &body);
    if (err)
        return err;
    size_t size = 1 + mqtt_varint_size(body) + body;
    if (w->failed || size > (size_t)(w->end - w->p))
        return ERR_FULL;
    uint8_t *at = writer_take(w, size);
    *at++ = (uint8_t)(MQTT_PUBLISH << 4 | (m->dup ? 8u : 0) | (unsigned)m->qos << 1 |
                      (m->retain ? 1u : 0));
    at = put16(put_varint(at, body), m->topic.n);
    memcpy(at, m->topic.p, m->topic.n);
    at += m->topic.n;
    if (m->qos > 0)
        at = put16(at, m->id);
    if (v == MQTT_V5)
        *at++ = 0; /* no properties */
    if (m->payload.n)
        memcpy(at, m->payload.p, m->payload.n);
    return ERR_OK;
}

static enum err count(enum mqtt_version v, const struct mqtt_publish *m, size_t *body)
{
    struct mqtt_out o = {.version = v};
    if (v != MQTT_V31 && v != MQTT_V311 && v != MQTT_V5)
        return ERR_INVALID;
    write_publish(&o, m);
    *body = o.n + (m->payload_apart ? m->payload.n : 0);
    return o.err ? o.err : *body > LENGTH_MAX ? ERR_RANGE : ERR_OK;
}

size_t mqtt_publish_size(enum mqtt_version v, const struct mqtt_publish *m)
{
    size_t body;
    return count(v, m, &body) ? 0 : 1 + mqtt_varint_size(body) + body;
}

enum err mqtt_put_publish(enum mqtt_version v, const struct mqtt_publish *m, struct writer *w)
{
    size_t body;
    enum err err = count(v, m, &body);
    if (err)
        return err;
    size_t room = w->failed ? 0 : (size_t)(w->end - w->p);
    if (room < 1 + mqtt_varint_size(body) + body - (m->payload_apart ? m->payload.n : 0))
        return ERR_FULL;
    struct mqtt_out o = {.w = w, .version = v};
    unsigned flags = (m->dup ? 8u : 0) | (unsigned)m->qos << 1 | (m->retain ? 1u : 0);
    mqtt_out_u8(&o, MQTT_PUBLISH << 4 | flags);
    mqtt_out_varint(&o, body);
    write_publish(&o, m);
    return ERR_OK;
}
