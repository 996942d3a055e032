#include "app/mqtt_options_internal.h"

#include <string.h>

/* -D: which packet a property belongs to is in its row. */
enum { CONNECT = 1, PUBLISH = 2, SUBSCRIBE = 4, UNSUBSCRIBE = 8, DISCONNECT = 16, WILL = 32 };
enum kind {
    FLAG,
    NUMBER_16,
    NUMBER_16_NOT_0,
    NUMBER_32,
    NUMBER_32_NOT_0,
    IDENTIFIER,
    TEXT,
    DATA,
    PAIR
};

#define AT(field) offsetof(struct mqtt_props, field)
static const struct row {
    const char *name;
    enum mqtt_prop_id id;
    enum kind kind;
    size_t offset;
    unsigned packets;
} rows[] = {
    {"authentication-data", MQTT_PROP_AUTH_DATA, DATA, AT(auth_data), CONNECT},
    {"authentication-method", MQTT_PROP_AUTH_METHOD, TEXT, AT(auth_method), CONNECT},
    {"content-type", MQTT_PROP_CONTENT_TYPE, TEXT, AT(content_type), PUBLISH | WILL},
    {"correlation-data", MQTT_PROP_CORRELATION_DATA, DATA, AT(correlation_data), PUBLISH | WILL},
    {"maximum-packet-size", MQTT_PROP_MAXIMUM_PACKET_SIZE, NUMBER_32_NOT_0, AT(maximum_packet_size),
     CONNECT},
    {"message-expiry-interval", MQTT_PROP_MESSAGE_EXPIRY, NUMBER_32, AT(message_expiry_s),
     PUBLISH | WILL},
    {"payload-format-indicator", MQTT_PROP_PAYLOAD_FORMAT, FLAG, AT(payload_format),
     PUBLISH | WILL},
    {"reason-string", MQTT_PROP_REASON_STRING, TEXT, AT(reason_string), DISCONNECT},
    {"receive-maximum", MQTT_PROP_RECEIVE_MAX, NUMBER_16_NOT_0, AT(receive_max), CONNECT},
    {"request-problem-information", MQTT_PROP_REQUEST_PROBLEM_INFO, FLAG, AT(request_problem_info),
     CONNECT},
    {"request-response-information", MQTT_PROP_REQUEST_RESPONSE_INFO, FLAG,
     AT(request_response_info), CONNECT},
    {"response-topic", MQTT_PROP_RESPONSE_TOPIC, TEXT, AT(response_topic), PUBLISH | WILL},
    {"session-expiry-interval", MQTT_PROP_SESSION_EXPIRY, NUMBER_32, AT(session_expiry_s),
     CONNECT | DISCONNECT},
    {"subscription-identifier", MQTT_PROP_SUBSCRIPTION_ID, IDENTIFIER, AT(subscription_id),
     SUBSCRIBE},
    {"topic-alias", MQTT_PROP_TOPIC_ALIAS, NUMBER_16, AT(topic_alias), PUBLISH},
    {"topic-alias-maximum", MQTT_PROP_TOPIC_ALIAS_MAX, NUMBER_16, AT(topic_alias_max), CONNECT},
    {"user-property", MQTT_PROP_USER_PROPERTY, PAIR, 0,
     CONNECT | PUBLISH | SUBSCRIBE | UNSUBSCRIBE | DISCONNECT | WILL},
    {"will-delay-interval", MQTT_PROP_WILL_DELAY, NUMBER_32, AT(will_delay_s), WILL},
};

static struct mqtt_packet_props *packet_of(struct mqtt_options *o, const char *name, unsigned *bit)
{
    bool pub = o->command == MQTT_COMMAND_PUB;
    const struct {
        const char *name;
        unsigned bit;
        struct mqtt_packet_props *props;
        bool has; /* the command sends such packets */
    } packets[] = {
        {"connect", CONNECT, &o->connect, true},
        {"publish", PUBLISH, &o->publish, pub},
        {"subscribe", SUBSCRIBE, &o->subscribe, !pub},
        {"unsubscribe", UNSUBSCRIBE, &o->unsubscribe, !pub},
        {"disconnect", DISCONNECT, &o->disconnect, true},
        {"will", WILL, &o->will, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
        if (packets[i].has && strcasecmp(name, packets[i].name) == 0) {
            *bit = packets[i].bit;
            return packets[i].props;
        }
    }
    return NULL;
}

static void add_pair(struct strbuf *raw, struct str name, struct str value)
{
    uint8_t head[3] = {MQTT_PROP_USER_PROPERTY, (uint8_t)(name.n >> 8), (uint8_t)name.n};
    uint8_t between[2] = {(uint8_t)(value.n >> 8), (uint8_t)value.n};
    if (!raw->alloc)
        strbuf_init(raw, alloc_system(), 1 << 20);
    strbuf_add(raw, head, sizeof(head));
    strbuf_addstr(raw, name);
    strbuf_add(raw, between, sizeof(between));
    strbuf_addstr(raw, value);
}

static mqtt_wrong set(struct mqtt_packet_props *p, const struct row *r, const char *value,
                      const char *second)
{
    static const struct {
        int64_t min, max;
    } ranges[] = {
        [FLAG] = {0, 1},
        [NUMBER_16] = {0, UINT16_MAX},
        [NUMBER_16_NOT_0] = {1, UINT16_MAX},
        [NUMBER_32] = {0, UINT32_MAX},
        [NUMBER_32_NOT_0] = {1, UINT32_MAX},
        [IDENTIFIER] = {1, 268435455},
    };
    void *field = (uint8_t *)&p->props + r->offset;
    struct str text = str_from(value);
    int64_t n = 0;
    if (r->kind <= IDENTIFIER &&
        !str_to_i64_within(text, ranges[r->kind].min, ranges[r->kind].max, &n))
        return "the value of this property is a number, and not that one";
    if (text.n > UINT16_MAX || (second && strlen(second) > UINT16_MAX))
        return "a property is at most 65,535 bytes long";
    switch (r->kind) {
    case FLAG: *(uint8_t *)field = (uint8_t)n; break;
    case NUMBER_16:
    case NUMBER_16_NOT_0: *(uint16_t *)field = (uint16_t)n; break;
    case NUMBER_32:
    case NUMBER_32_NOT_0:
    case IDENTIFIER: *(uint32_t *)field = (uint32_t)n; break;
    case TEXT: *(struct str *)field = text; break;
    case DATA: *(struct bytes *)field = (struct bytes){(const uint8_t *)value, text.n}; break;
    case PAIR: add_pair(&p->raw, text, str_from(second)); return NULL;
    }
    p->props.has |= MQTT_HAS(r->id);
    return NULL;
}

mqtt_wrong mqtt_options_property(struct mqtt_options *o, char *const *words, size_t *used)
{
    unsigned bit = 0;
    size_t n = 0;
    while (n < 4 && words[n])
        n++;
    *used = n;
    if (n < 3)
        return "give a packet, the name of a property, and its value";
    struct mqtt_packet_props *p = packet_of(o, words[0], &bit);
    if (!p)
        return "this command sends no such packet, or none that takes properties";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        if (strcasecmp(words[1], r->name) != 0)
            continue;
        if (!(r->packets & bit))
            return "this packet does not take that property";
        if (r->kind == PAIR && n < 4)
            return "a user property is a name and a value";
        *used = r->kind == PAIR ? 4 : 3;
        return set(p, r, words[2], words[3]);
    }
    return "there is no property of that name";
}

struct mqtt_props mqtt_packet_props(const struct mqtt_packet_props *p)
{
    struct mqtt_props out = p->props;
    out.raw = (struct bytes){(const uint8_t *)p->raw.p, p->raw.n};
    return out;
}
