#include "codec/mqtt_internal.h"

/* What a property's value is, and where it may stand. */
enum kind { NONE, BIT, U16, U16_NOT_0, U32, U32_NOT_0, VARINT, TEXT, TOPIC, BINARY, PAIR };

#define T(name) (1u << MQTT_##name)
#define WILL    1u
#define ACKS    (T(PUBACK) | T(PUBREC) | T(PUBREL) | T(PUBCOMP))

struct rule {
    enum kind kind;
    uint16_t offset;                   /* in struct mqtt_props */
    uint16_t from_client, from_server; /* bits by packet type; bit 0 is the will */
};
#define AT(field) (uint16_t) offsetof(struct mqtt_props, field)

/* Table 2-4 of the standard. The order of writing is that of the ids. */
static const struct rule rules[43] = {
    [MQTT_PROP_PAYLOAD_FORMAT] = {BIT, AT(payload_format), T(PUBLISH) | WILL, T(PUBLISH)},
    [MQTT_PROP_MESSAGE_EXPIRY] = {U32, AT(message_expiry_s), T(PUBLISH) | WILL, T(PUBLISH)},
    [MQTT_PROP_CONTENT_TYPE] = {TEXT, AT(content_type), T(PUBLISH) | WILL, T(PUBLISH)},
    [MQTT_PROP_RESPONSE_TOPIC] = {TOPIC, AT(response_topic), T(PUBLISH) | WILL, T(PUBLISH)},
    [MQTT_PROP_CORRELATION_DATA] = {BINARY, AT(correlation_data), T(PUBLISH) | WILL, T(PUBLISH)},
    [MQTT_PROP_SUBSCRIPTION_ID] = {VARINT, AT(subscription_id), T(SUBSCRIBE), T(PUBLISH)},
    [MQTT_PROP_SESSION_EXPIRY] = {U32, AT(session_expiry_s), T(CONNECT) | T(DISCONNECT),
                                  T(CONNACK)},
    [MQTT_PROP_ASSIGNED_CLIENT_ID] = {TEXT, AT(assigned_client_id), 0, T(CONNACK)},
    [MQTT_PROP_SERVER_KEEP_ALIVE] = {U16, AT(server_keep_alive_s), 0, T(CONNACK)},
    [MQTT_PROP_AUTH_METHOD] = {TEXT, AT(auth_method), T(CONNECT) | T(AUTH), T(CONNACK) | T(AUTH)},
    [MQTT_PROP_AUTH_DATA] = {BINARY, AT(auth_data), T(CONNECT) | T(AUTH), T(CONNACK) | T(AUTH)},
    [MQTT_PROP_REQUEST_PROBLEM_INFO] = {BIT, AT(request_problem_info), T(CONNECT), 0},
    [MQTT_PROP_WILL_DELAY] = {U32, AT(will_delay_s), WILL, 0},
    [MQTT_PROP_REQUEST_RESPONSE_INFO] = {BIT, AT(request_response_info), T(CONNECT), 0},
    [MQTT_PROP_RESPONSE_INFO] = {TEXT, AT(response_info), 0, T(CONNACK)},
    [MQTT_PROP_SERVER_REFERENCE] = {TEXT, AT(server_reference), 0, T(CONNACK) | T(DISCONNECT)},
    [MQTT_PROP_REASON_STRING] = {TEXT, AT(reason_string), ACKS | T(DISCONNECT) | T(AUTH),
                                 ACKS | T(CONNACK) | T(SUBACK) | T(UNSUBACK) | T(DISCONNECT) |
                                     T(AUTH)},
    [MQTT_PROP_RECEIVE_MAX] = {U16_NOT_0, AT(receive_max), T(CONNECT), T(CONNACK)},
    [MQTT_PROP_TOPIC_ALIAS_MAX] = {U16, AT(topic_alias_max), T(CONNECT), T(CONNACK)},
    [MQTT_PROP_TOPIC_ALIAS] = {U16_NOT_0, AT(topic_alias), T(PUBLISH), T(PUBLISH)},
    [MQTT_PROP_MAXIMUM_QOS] = {BIT, AT(maximum_qos), 0, T(CONNACK)},
    [MQTT_PROP_RETAIN_AVAILABLE] = {BIT, AT(retain_available), 0, T(CONNACK)},
    [MQTT_PROP_USER_PROPERTY] = {PAIR, 0, 0xFFFF, 0xFFFF},
    [MQTT_PROP_MAXIMUM_PACKET_SIZE] = {U32_NOT_0, AT(maximum_packet_size), T(CONNECT), T(CONNACK)},
    [MQTT_PROP_WILDCARD_AVAILABLE] = {BIT, AT(wildcard_available), 0, T(CONNACK)},
    [MQTT_PROP_SUBSCRIPTION_IDS_AVAILABLE] = {BIT, AT(subscription_ids_available), 0, T(CONNACK)},
    [MQTT_PROP_SHARED_AVAILABLE] = {BIT, AT(shared_available), 0, T(CONNACK)},
};

static const struct rule *rule_of(unsigned id)
{
    return id < ARRAY_LEN(rules) && rules[id].kind != NONE ? &rules[id] : NULL;
}

/* Reads one property without judging it; false when the id is unknown or the cursor failed. */
static bool prop_read(struct cursor *c, struct mqtt_prop *out)
{
    *out = (struct mqtt_prop){0};
    uint32_t id = mqtt_varint(c);
    const struct rule *r = rule_of(id);
    if (c->failed || !r)
        return false;
    out->id = (enum mqtt_prop_id)id;
    switch (r->kind) {
    case BIT: out->number = cursor_u8(c); break;
    case U16:
    case U16_NOT_0: out->number = cursor_u16(c); break;
    case U32:
    case U32_NOT_0: out->number = cursor_u32(c); break;
    case VARINT: out->number = mqtt_varint(c); break;
    case PAIR:
        out->name = cursor_str16(c);
        out->value = cursor_str16(c);
        break;
    default: out->value = cursor_str16(c); break;
    }
    return !c->failed;
}

bool mqtt_prop_next(struct cursor *at, struct mqtt_prop *out)
{
    return cursor_left(at) > 0 && prop_read(at, out);
}

static void *field_of(struct mqtt_props *p, const struct rule *r)
{
    return (uint8_t *)p + r->offset;
}

static void keep(struct mqtt_props *out, const struct rule *r, const struct mqtt_prop *prop)
{
    void *field = field_of(out, r);
    switch (r->kind) {
    case BIT: *(uint8_t *)field = (uint8_t)prop->number; break;
    case U16:
    case U16_NOT_0: *(uint16_t *)field = (uint16_t)prop->number; break;
    case U32:
    case U32_NOT_0:
    case VARINT: *(uint32_t *)field = prop->number; break;
    case TEXT:
    case TOPIC: *(struct str *)field = prop->value; break;
    case BINARY:
        *(struct bytes *)field = (struct bytes){(const uint8_t *)prop->value.p, prop->value.n};
        break;
    default: break;
    }
}

static bool value_valid(struct mqtt_in *in, const struct rule *r, const struct mqtt_prop *prop)
{
    switch (r->kind) {
    case BIT:
        if (prop->number > 1)
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a property is neither 0 nor 1");
        return true;
    case U16_NOT_0:
        if (prop->number)
            return true;
        if (prop->id == MQTT_PROP_TOPIC_ALIAS) /* [MQTT-3.3.2-8] */
            return mqtt_fail(in, MQTT_RC_TOPIC_ALIAS_INVALID, "a topic alias of 0");
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a receive maximum of 0");
    case U32_NOT_0:
        if (!prop->number)
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a maximum packet size of 0");
        return true;
    case VARINT:
        if (!prop->number)
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a subscription identifier of 0");
        return true;
    case TOPIC:
        if (!mqtt_text_valid(prop->value))
            return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a property is not UTF-8");
        if (!mqtt_topic_valid(prop->value)) /* [MQTT-3.3.2-14] */
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "the response topic is no topic");
        return true;
    case TEXT:
    case PAIR:
        if (!mqtt_text_valid(prop->name) || !mqtt_text_valid(prop->value))
            return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a property is not UTF-8");
        return true;
    default: return true;
    }
}

static bool props_walk(struct mqtt_in *in, unsigned type, struct mqtt_props *out)
{
    bool many_ids = type == MQTT_PUBLISH;
    struct cursor c = cursor_from(out->raw.p, out->raw.n);
    while (cursor_left(&c) > 0) {
        struct mqtt_prop prop;
        if (!prop_read(&c, &prop)) {
            if (c.failed)
                return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a property passes the end");
            return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "an unknown property");
        }
        const struct rule *r = &rules[prop.id];
        if (!((in->is_server ? r->from_client : r->from_server) & (1u << type)))
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a property of another packet");
        bool again = out->has & MQTT_HAS(prop.id);
        bool repeatable = r->kind == PAIR || (r->kind == VARINT && many_ids);
        if (again && !repeatable)
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a property comes twice");
        if (!value_valid(in, r, &prop))
            return false;
        out->has |= MQTT_HAS(prop.id);
        if (!again)
            keep(out, r, &prop);
    }
    return true;
}

bool mqtt_in_props(struct mqtt_in *in, unsigned type, struct mqtt_props *out)
{
    mqtt_zero(out, sizeof(*out));
    if (in->version != MQTT_V5)
        return true;
    uint32_t n = mqtt_varint(&in->c);
    out->raw = cursor_take(&in->c, n);
    if (!mqtt_in_ok(in))
        return false;
    return out->raw.n == 0 || props_walk(in, type, out);
}

/* --- writing ------------------------------------------------------------------------------- */

bool mqtt_props_any(const struct mqtt_props *p)
{
    return p->has != 0 || p->raw.n > 0;
}

static void field_write(struct mqtt_out *o, unsigned id, const struct rule *r,
                        const struct mqtt_props *p)
{
    const void *field = (const uint8_t *)p + r->offset;
    mqtt_out_u8(o, id);
    switch (r->kind) {
    case BIT: mqtt_out_u8(o, *(const uint8_t *)field); break;
    case U16:
    case U16_NOT_0: mqtt_out_u16(o, *(const uint16_t *)field); break;
    case VARINT: mqtt_out_varint(o, *(const uint32_t *)field); break;
    case TEXT:
    case TOPIC: {
        const struct str *s = field;
        mqtt_out_field(o, s->p, s->n);
        break;
    }
    case BINARY: {
        const struct bytes *b = field;
        mqtt_out_field(o, b->p, b->n);
        break;
    }
    default: mqtt_out_u32(o, *(const uint32_t *)field); break;
    }
}

/* User properties, and a PUBLISH's subscription ids, as they stand in `raw`. */
static void raw_write(struct mqtt_out *o, unsigned type, struct bytes raw)
{
    struct cursor c = cursor_from(raw.p, raw.n);
    struct mqtt_prop prop;
    for (;;) {
        const uint8_t *from = c.p;
        if (!mqtt_prop_next(&c, &prop))
            return;
        if (prop.id == MQTT_PROP_USER_PROPERTY ||
            (prop.id == MQTT_PROP_SUBSCRIPTION_ID && type == MQTT_PUBLISH))
            mqtt_out_bytes(o, from, (size_t)(c.p - from));
    }
}

static void props_write(struct mqtt_out *o, unsigned type, const struct mqtt_props *p,
                        const uint32_t *ids, size_t ids_n)
{
    uint64_t left = p->has & ~MQTT_HAS(MQTT_PROP_USER_PROPERTY);
    if (type == MQTT_PUBLISH)
        left &= ~MQTT_HAS(MQTT_PROP_SUBSCRIPTION_ID);
    while (left) {
        unsigned id = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        const struct rule *r = rule_of(id);
        if (!r || !((r->from_client | r->from_server) & (1u << type))) {
            o->err = o->err ? o->err : ERR_INVALID;
            return;
        }
        field_write(o, id, r, p);
    }
    raw_write(o, type, p->raw);
    for (size_t i = 0; i < ids_n; i++) {
        mqtt_out_u8(o, MQTT_PROP_SUBSCRIPTION_ID);
        mqtt_out_varint(o, ids[i]);
    }
}

void mqtt_out_props(struct mqtt_out *o, unsigned type, const struct mqtt_props *p,
                    const uint32_t *ids, size_t ids_n)
{
    if (o->version != MQTT_V5)
        return;
    if (!mqtt_props_any(p) && ids_n == 0) {
        mqtt_out_u8(o, 0);
        return;
    }
    struct mqtt_out count = {.version = o->version};
    props_write(&count, type, p, ids, ids_n);
    if (count.err)
        o->err = o->err ? o->err : count.err;
    mqtt_out_varint(o, count.n);
    props_write(o, type, p, ids, ids_n);
}

void mqtt_put_user_property(struct writer *w, struct str name, struct str value)
{
    writer_u8(w, MQTT_PROP_USER_PROPERTY);
    writer_str16(w, name);
    writer_str16(w, value);
}
