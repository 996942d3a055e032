#include "codec/mqtt_internal.h"

/* Table 2-6 of the standard, with the sides that its packets' own tables name. */
#define T(name) (1u << MQTT_##name)
#define PUB     (T(PUBACK) | T(PUBREC))
#define REL     (T(PUBREL) | T(PUBCOMP))
#define SUB     T(SUBACK)
#define UNSUB   T(UNSUBACK)
#define CON     T(CONNACK)
#define DIS     T(DISCONNECT)

struct rule {
    const char *name;
    uint16_t from_client, from_server; /* bits by packet type */
};
static const struct rule rules[0xA3] = {
    [0x00] = {"success", PUB | REL | DIS, CON | PUB | REL | SUB | UNSUB | DIS | T(AUTH)},
    [0x01] = {"granted QoS 1", 0, SUB},
    [0x02] = {"granted QoS 2", 0, SUB},
    [0x04] = {"disconnect with will", DIS, 0},
    [0x10] = {"no matching subscribers", 0, PUB},
    [0x11] = {"no subscription existed", 0, UNSUB},
    [0x18] = {"continue authentication", T(AUTH), T(AUTH)},
    [0x19] = {"re-authenticate", T(AUTH), 0},
    [0x80] = {"unspecified error", PUB | DIS, CON | PUB | SUB | UNSUB | DIS},
    [0x81] = {"malformed packet", DIS, CON | DIS},
    [0x82] = {"protocol error", DIS, CON | DIS},
    [0x83] = {"implementation specific error", PUB | DIS, CON | PUB | SUB | UNSUB | DIS},
    [0x84] = {"unsupported protocol version", 0, CON},
    [0x85] = {"client identifier not valid", 0, CON},
    [0x86] = {"bad user name or password", 0, CON},
    [0x87] = {"not authorized", PUB, CON | PUB | SUB | UNSUB | DIS},
    [0x88] = {"server unavailable", 0, CON},
    [0x89] = {"server busy", 0, CON | DIS},
    [0x8A] = {"banned", 0, CON},
    [0x8B] = {"server shutting down", 0, DIS},
    [0x8C] = {"bad authentication method", 0, CON | DIS},
    [0x8D] = {"keep alive timeout", 0, DIS},
    [0x8E] = {"session taken over", 0, DIS},
    [0x8F] = {"topic filter invalid", 0, SUB | UNSUB | DIS},
    [0x90] = {"topic name invalid", PUB | DIS, CON | PUB | DIS},
    [0x91] = {"packet identifier in use", PUB, PUB | SUB | UNSUB},
    [0x92] = {"packet identifier not found", REL, REL},
    [0x93] = {"receive maximum exceeded", DIS, DIS},
    [0x94] = {"topic alias invalid", DIS, DIS},
    [0x95] = {"packet too large", DIS, CON | DIS},
    [0x96] = {"message rate too high", DIS, DIS},
    [0x97] = {"quota exceeded", PUB | DIS, CON | PUB | SUB | DIS},
    [0x98] = {"administrative action", DIS, DIS},
    [0x99] = {"payload format invalid", PUB | DIS, CON | PUB | DIS},
    [0x9A] = {"retain not supported", 0, CON | DIS},
    [0x9B] = {"QoS not supported", 0, CON | DIS},
    [0x9C] = {"use another server", 0, CON | DIS},
    [0x9D] = {"server moved", 0, CON | DIS},
    [0x9E] = {"shared subscriptions not supported", 0, SUB | DIS},
    [0x9F] = {"connection rate exceeded", 0, CON | DIS},
    [0xA0] = {"maximum connect time", 0, DIS},
    [0xA1] = {"subscription identifiers not supported", 0, SUB | DIS},
    [0xA2] = {"wildcard subscriptions not supported", 0, SUB | DIS},
};

const char *mqtt_reason_name(unsigned reason)
{
    return reason < ARRAY_LEN(rules) && rules[reason].name ? rules[reason].name : "?";
}

bool mqtt_in_reason(struct mqtt_in *in, enum mqtt_type type, uint8_t reason)
{
    unsigned types = 0;
    if (reason < ARRAY_LEN(rules))
        types = in->is_server ? rules[reason].from_client : rules[reason].from_server;
    return (types >> type & 1u) ||
           mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a reason code that this packet cannot carry");
}

void mqtt_out_reason(struct mqtt_out *o, enum mqtt_type type, uint8_t reason)
{
    unsigned types = 0;
    if (reason < ARRAY_LEN(rules))
        types = rules[reason].from_client | rules[reason].from_server;
    if (!(types >> type & 1u))
        o->err = o->err ? o->err : ERR_INVALID;
    mqtt_out_u8(o, reason);
}

uint8_t mqtt_connack_code_311(uint8_t reason)
{
    switch (reason) {
    case MQTT_RC_SUCCESS: return 0;
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION: return 1;
    case MQTT_RC_CLIENT_ID_NOT_VALID: return 2;
    case MQTT_RC_BAD_USER_OR_PASSWORD: return 4;
    case MQTT_RC_NOT_AUTHORIZED:
    case MQTT_RC_BANNED:
    case MQTT_RC_BAD_AUTHENTICATION_METHOD: return 5;
    default: return 3; /* server unavailable */
    }
}

const char *mqtt_type_name(unsigned type)
{
    static const char *const names[16] = {
        "?",       "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
        "PUBREL",  "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
        "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
    };
    return type < ARRAY_LEN(names) ? names[type] : "?";
}
