#include "codec/mqtt_internal.h"

#include <string.h>

enum {
    FLAG_RESERVED = 0x01,
    FLAG_CLEAN = 0x02,
    FLAG_WILL = 0x04,
    FLAG_WILL_RETAIN = 0x20,
    FLAG_PASSWORD = 0x40,
    FLAG_USER = 0x80,
};

/* Name and level. What cannot be spoken is answered in a form that the client understands. */
static bool read_protocol(struct mqtt_in *in, struct mqtt_connect *c)
{
    struct str name = cursor_str16(&in->c);
    uint8_t level = cursor_u8(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    bool old_name = str_eq(name, STR("MQIsdp"));
    if (!old_name && !str_eq(name, STR("MQTT"))) /* [MQTT-3.1.2-1] */
        return mqtt_fail(in, MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION, "an unknown protocol name");
    bool known = old_name ? level == MQTT_V31 : level == MQTT_V311 || level == MQTT_V5;
    if (!known) { /* [MQTT-3.1.2-2]; bit 7 marks bridges */
        in->fault->answer = (level & 0x7F) > MQTT_V311 ? MQTT_V5 : MQTT_V311;
        return mqtt_fail(in, MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION, "an unknown protocol level");
    }
    c->version = (enum mqtt_version)level;
    in->version = c->version;
    in->fault->answer = level == MQTT_V5 ? MQTT_V5 : 0;
    return true;
}

static bool read_flags(struct mqtt_in *in, struct mqtt_connect *c)
{
    uint8_t flags = cursor_u8(&in->c);
    c->keep_alive_s = cursor_u16(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    c->clean_start = flags & FLAG_CLEAN;
    c->has_will = flags & FLAG_WILL;
    c->will_retain = flags & FLAG_WILL_RETAIN;
    c->will_qos = (flags >> 3) & 3u;
    c->has_user = flags & FLAG_USER;
    c->has_password = flags & FLAG_PASSWORD;
    if (c->version == MQTT_V31) { /* flags that it does not use are ignored */
        c->will_retain = c->has_will && c->will_retain;
        c->will_qos = c->has_will ? c->will_qos : 0;
        flags &= (uint8_t)~FLAG_RESERVED;
    }
    if (flags & FLAG_RESERVED) /* [MQTT-3.1.2-3] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "the reserved flag of CONNECT is set");
    if (c->will_qos == 3) /* [MQTT-3.1.2-12] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a will QoS of 3");
    if (!c->has_will && (c->will_qos || c->will_retain)) /* [MQTT-3.1.2-11, -13] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "will QoS or retain without a will");
    if (c->version != MQTT_V5 && c->has_password && !c->has_user) /* 3.1.1 [MQTT-3.1.2-22] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "a password without a user name");
    return true;
}

static bool read_will(struct mqtt_in *in, struct mqtt_connect *c)
{
    if (!mqtt_in_props(in, 0, &c->will_props) || !mqtt_in_text(in, &c->will_topic))
        return false;
    if (!mqtt_topic_valid(c->will_topic))
        return mqtt_fail(in, MQTT_RC_TOPIC_NAME_INVALID, "the will's topic is no topic");
    return mqtt_in_binary(in, &c->will_payload);
}

static bool read_credentials(struct mqtt_in *in, struct mqtt_connect *c)
{
    if (c->version == MQTT_V31 && cursor_left(&in->c) == 0) /* 3.1: the length wins over the flag */
        c->has_user = c->has_password = false;
    if (c->has_user && !mqtt_in_text(in, &c->user))
        return false;
    if (c->version == MQTT_V31 && cursor_left(&in->c) == 0)
        c->has_password = false;
    return !c->has_password || mqtt_in_binary(in, &c->password);
}

/* Who it is. 3.1 asks for 1 to 23 characters; longer ids are common and do no harm. */
static bool read_client_id(struct mqtt_in *in, struct mqtt_connect *c)
{
    if (!mqtt_in_text(in, &c->client_id))
        return false;
    if (c->client_id.n || c->version == MQTT_V5 || (c->version == MQTT_V311 && c->clean_start))
        return true;
    in->fault->answer = (uint8_t)c->version; /* 3.1.1 [MQTT-3.1.3-8] */
    return mqtt_fail(in, MQTT_RC_CLIENT_ID_NOT_VALID,
                     c->version == MQTT_V31 ? "no client id" : "no client id for a kept session");
}

bool mqtt_read_connect(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_connect *c = &p->connect;
    memset(c, 0, sizeof(*c));
    if (!read_protocol(in, c) || !read_flags(in, c) ||
        !mqtt_in_props(in, MQTT_CONNECT, &c->props) || !read_client_id(in, c))
        return false;
    if ((c->props.has & MQTT_HAS(MQTT_PROP_AUTH_DATA)) &&
        !(c->props.has & MQTT_HAS(MQTT_PROP_AUTH_METHOD)))
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "authentication data without a method");
    if (c->has_will && !read_will(in, c))
        return false;
    return read_credentials(in, c);
}

void mqtt_write_connect(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_connect *c = &p->connect;
    bool will_bits_bad = c->will_qos > 2 || (!c->has_will && (c->will_qos || c->will_retain));
    if (will_bits_bad || (c->version != MQTT_V5 && c->has_password && !c->has_user))
        o->err = ERR_INVALID;
    unsigned flags = (c->clean_start ? FLAG_CLEAN : 0u) | (c->has_will ? FLAG_WILL : 0u) |
                     (unsigned)(c->will_qos & 3u) << 3 | (c->will_retain ? FLAG_WILL_RETAIN : 0u) |
                     (c->has_password ? FLAG_PASSWORD : 0u) | (c->has_user ? FLAG_USER : 0u);
    if (c->version == MQTT_V31)
        mqtt_out_field(o, "MQIsdp", 6);
    else
        mqtt_out_field(o, "MQTT", 4);
    mqtt_out_u8(o, c->version);
    mqtt_out_u8(o, flags);
    mqtt_out_u16(o, c->keep_alive_s);
    mqtt_out_props(o, MQTT_CONNECT, &c->props, NULL, 0);
    mqtt_out_field(o, c->client_id.p, c->client_id.n);
    if (c->has_will) {
        mqtt_out_props(o, 0, &c->will_props, NULL, 0);
        mqtt_out_field(o, c->will_topic.p, c->will_topic.n);
        mqtt_out_field(o, c->will_payload.p, c->will_payload.n);
    }
    if (c->has_user)
        mqtt_out_field(o, c->user.p, c->user.n);
    if (c->has_password)
        mqtt_out_field(o, c->password.p, c->password.n);
}

bool mqtt_read_connack(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_connack *c = &p->connack;
    uint8_t flags = cursor_u8(&in->c);
    c->reason = cursor_u8(&in->c);
    if (!mqtt_in_ok(in))
        return false;
    if ((flags & 0xFE) && in->version != MQTT_V31) /* [MQTT-3.2.2-1] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "reserved flags of CONNACK are set");
    c->session_present = (flags & 1) && in->version != MQTT_V31;
    if (in->version == MQTT_V5) {
        if (!mqtt_in_reason(in, MQTT_CONNACK, c->reason))
            return false;
    } else if (c->reason > 5) {
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "an unknown return code");
    }
    if (c->session_present && c->reason != 0) /* [MQTT-3.2.2-6] */
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a session with a refused connection");
    return mqtt_in_props(in, MQTT_CONNACK, &c->props);
}

void mqtt_write_connack(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_connack *c = &p->connack;
    if ((c->session_present && c->reason) || (o->version != MQTT_V5 && c->reason > 5))
        o->err = ERR_INVALID;
    mqtt_out_u8(o, c->session_present && o->version != MQTT_V31);
    if (o->version == MQTT_V5)
        mqtt_out_reason(o, MQTT_CONNACK, c->reason);
    else
        mqtt_out_u8(o, c->reason);
    mqtt_out_props(o, MQTT_CONNACK, &c->props, NULL, 0);
}
