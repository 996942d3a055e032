/* mqtt_text: a decoded MQTT packet as one line of text, for tests and the fuzz target.
 *
 * Why: a table of cases reads best as bytes against text, and two packets are equal when their
 * texts are. Every field that decoding fills is shown, so nothing can get lost unseen.
 * Bytes that are not printable, and those with a meaning in the text, show as \xHH. */
#pragma once

#include "base/str.h"
#include "codec/mqtt.h"

static inline void mqtt_text_bytes(struct strbuf *b, const void *p, size_t n)
{
    const uint8_t *at = p;
    if (n == 0)
        strbuf_adds(b, "''");
    for (size_t i = 0; i < n; i++) {
        if (at[i] > ' ' && at[i] < 0x7F && at[i] != '\\' && at[i] != '\'' && at[i] != '=' &&
            at[i] != '{' && at[i] != '}')
            strbuf_addc(b, (char)at[i]);
        else
            strbuf_addf(b, "\\x%02x", at[i]);
    }
}

static inline void mqtt_text_str(struct strbuf *b, const char *name, struct str s)
{
    strbuf_addf(b, " %s=", name);
    mqtt_text_bytes(b, s.p, s.n);
}

static inline void mqtt_text_blob(struct strbuf *b, const char *name, struct bytes s)
{
    strbuf_addf(b, " %s=", name);
    mqtt_text_bytes(b, s.p, s.n);
}

/* The scalar and text fields of props whose bits are set. */
static inline void mqtt_text_fields(struct strbuf *b, const struct mqtt_props *p)
{
    const struct {
        enum mqtt_prop_id id;
        const char *name;
        uint32_t v;
    } numbers[] = {
        {MQTT_PROP_PAYLOAD_FORMAT, "format", p->payload_format},
        {MQTT_PROP_MESSAGE_EXPIRY, "expiry", p->message_expiry_s},
        {MQTT_PROP_SUBSCRIPTION_ID, "sub-id", p->subscription_id},
        {MQTT_PROP_SESSION_EXPIRY, "session-expiry", p->session_expiry_s},
        {MQTT_PROP_SERVER_KEEP_ALIVE, "server-keep-alive", p->server_keep_alive_s},
        {MQTT_PROP_REQUEST_PROBLEM_INFO, "problem-info", p->request_problem_info},
        {MQTT_PROP_WILL_DELAY, "will-delay", p->will_delay_s},
        {MQTT_PROP_REQUEST_RESPONSE_INFO, "want-response-info", p->request_response_info},
        {MQTT_PROP_RECEIVE_MAX, "receive-max", p->receive_max},
        {MQTT_PROP_TOPIC_ALIAS_MAX, "alias-max", p->topic_alias_max},
        {MQTT_PROP_TOPIC_ALIAS, "alias", p->topic_alias},
        {MQTT_PROP_MAXIMUM_QOS, "max-qos", p->maximum_qos},
        {MQTT_PROP_RETAIN_AVAILABLE, "retain-ok", p->retain_available},
        {MQTT_PROP_MAXIMUM_PACKET_SIZE, "max-size", p->maximum_packet_size},
        {MQTT_PROP_WILDCARD_AVAILABLE, "wildcard-ok", p->wildcard_available},
        {MQTT_PROP_SUBSCRIPTION_IDS_AVAILABLE, "sub-ids-ok", p->subscription_ids_available},
        {MQTT_PROP_SHARED_AVAILABLE, "shared-ok", p->shared_available},
    };
    const struct {
        enum mqtt_prop_id id;
        const char *name;
        const void *p;
        size_t n;
    } texts[] = {
        {MQTT_PROP_CONTENT_TYPE, "content-type", p->content_type.p, p->content_type.n},
        {MQTT_PROP_RESPONSE_TOPIC, "response-topic", p->response_topic.p, p->response_topic.n},
        {MQTT_PROP_CORRELATION_DATA, "correlation", p->correlation_data.p, p->correlation_data.n},
        {MQTT_PROP_ASSIGNED_CLIENT_ID, "assigned-id", p->assigned_client_id.p,
         p->assigned_client_id.n},
        {MQTT_PROP_AUTH_METHOD, "auth-method", p->auth_method.p, p->auth_method.n},
        {MQTT_PROP_AUTH_DATA, "auth-data", p->auth_data.p, p->auth_data.n},
        {MQTT_PROP_RESPONSE_INFO, "response-info", p->response_info.p, p->response_info.n},
        {MQTT_PROP_SERVER_REFERENCE, "server-ref", p->server_reference.p, p->server_reference.n},
        {MQTT_PROP_REASON_STRING, "why", p->reason_string.p, p->reason_string.n},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (p->has & MQTT_HAS(numbers[i].id))
            strbuf_addf(b, " %s=%u", numbers[i].name, numbers[i].v);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (p->has & MQTT_HAS(texts[i].id))
            mqtt_text_str(b, texts[i].name, (struct str){texts[i].p, texts[i].n});
}

static inline void mqtt_text_props(struct strbuf *b, const struct mqtt_props *p)
{
    if (p->raw.n == 0)
        return;
    strbuf_adds(b, " {");
    mqtt_text_fields(b, p);
    struct cursor c = cursor_from(p->raw.p, p->raw.n);
    struct mqtt_prop prop;
    while (mqtt_prop_next(&c, &prop)) {
        if (prop.id == MQTT_PROP_SUBSCRIPTION_ID)
            strbuf_addf(b, " id:%u", prop.number);
        if (prop.id != MQTT_PROP_USER_PROPERTY)
            continue;
        strbuf_adds(b, " ");
        mqtt_text_bytes(b, prop.name.p, prop.name.n);
        strbuf_adds(b, ":");
        mqtt_text_bytes(b, prop.value.p, prop.value.n);
    }
    strbuf_adds(b, " }");
}

static inline void mqtt_text_connect(struct strbuf *b, const struct mqtt_connect *c)
{
    strbuf_addf(b, " v%d keep-alive=%u clean=%d", (int)c->version, c->keep_alive_s, c->clean_start);
    mqtt_text_str(b, "id", c->client_id);
    mqtt_text_props(b, &c->props);
    if (c->has_will) {
        strbuf_addf(b, " will-qos=%u will-retain=%d", c->will_qos, c->will_retain);
        mqtt_text_str(b, "will-topic", c->will_topic);
        mqtt_text_blob(b, "will", c->will_payload);
        mqtt_text_props(b, &c->will_props);
    }
    if (c->has_user)
        mqtt_text_str(b, "user", c->user);
    if (c->has_password)
        mqtt_text_blob(b, "password", c->password);
}

static inline void mqtt_text_publish(struct strbuf *b, const struct mqtt_publish *m)
{
    strbuf_addf(b, " qos=%u dup=%d retain=%d id=%u", m->qos, m->dup, m->retain, m->id);
    mqtt_text_str(b, "topic", m->topic);
    mqtt_text_blob(b, "payload", m->payload);
    mqtt_text_props(b, &m->props);
}

static inline void mqtt_text_subscribe(struct strbuf *b, enum mqtt_type type,
                                       const struct mqtt_subscribe *s)
{
    strbuf_addf(b, " id=%u count=%zu", s->id, s->count);
    struct cursor c = cursor_from(s->filters.p, s->filters.n);
    struct str filter;
    uint8_t options;
    while (mqtt_filter_next(&c, type, &filter, &options)) {
        mqtt_text_str(b, "filter", filter);
        if (type == MQTT_SUBSCRIBE)
            strbuf_addf(b, ":%02x", options);
    }
    mqtt_text_props(b, &s->props);
}

static inline void mqtt_text(struct strbuf *b, const struct mqtt_packet *p)
{
    strbuf_adds(b, mqtt_type_name(p->type));
    switch (p->type) {
    case MQTT_CONNECT: mqtt_text_connect(b, &p->connect); break;
    case MQTT_CONNACK:
        strbuf_addf(b, " reason=%02x session=%d", p->connack.reason, p->connack.session_present);
        mqtt_text_props(b, &p->connack.props);
        break;
    case MQTT_PUBLISH: mqtt_text_publish(b, &p->publish); break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        strbuf_addf(b, " id=%u reason=%02x", p->ack.id, p->ack.reason);
        mqtt_text_props(b, &p->ack.props);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: mqtt_text_subscribe(b, p->type, &p->subscribe); break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        strbuf_addf(b, " id=%u codes", p->suback.id);
        for (size_t i = 0; i < p->suback.codes.n; i++)
            strbuf_addf(b, " %02x", p->suback.codes.p[i]);
        mqtt_text_props(b, &p->suback.props);
        break;
    case MQTT_DISCONNECT:
    case MQTT_AUTH:
        strbuf_addf(b, " reason=%02x", p->end.reason);
        mqtt_text_props(b, &p->end.props);
        break;
    default: break;
    }
}

/* Hex to bytes; the number of bytes, which fit `max`. */
static inline size_t mqtt_unhex(const char *hex, uint8_t *out, size_t max)
{
    size_t n = 0;
    unsigned half = 0, digits = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        unsigned d = (unsigned)(*hex <= '9' ? *hex - '0' : (*hex | 32) - 'a' + 10);
        ASSERT(d < 16 && n < max);
        half = half << 4 | d;
        if (++digits % 2 == 0) {
            out[n++] = (uint8_t)half;
            half = 0;
        }
    }
    ASSERT(digits % 2 == 0);
    return n;
}
