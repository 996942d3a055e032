/* mqtt: MQTT 3.1, 3.1.1 and 5.0 packets, bytes to structs and back, for brokers and clients.
 *
 * Why: every rule of the standards that one packet can break alone is checked here, so that
 * sessions deal with states only. What mqtt_decode() accepts is well-formed: reserved bits,
 * minimal lengths, UTF-8, topics and filters, ids that are not 0, reason codes that the packet
 * may carry, properties that it may carry (once, in range). What needs memory of earlier packets
 * (aliases in use, quotas, take-over) is the session's.
 * Ownership: a decoded packet borrows from the input: its slices live as long as those bytes.
 * Nothing is allocated. Threads: none; the functions are pure.
 * Errors: mqtt_decode() fills out->fault; encoders give enum err and leave the writer unchanged.
 * Version 3.1 differs from 3.1.1 in little: its name is MQIsdp and its level 3; flags that it does
 * not use are ignored (SUBSCRIBE may be marked DUP); a user name or password that is announced may
 * be missing at CONNECT's end; CONNACK tells nothing of the session, SUBACK of no failure. What is
 * said of 3.1.1 below holds for 3.1 too. Source: OASIS MQTT 3.1.1 (2014) and 5.0 (2019);
 * [MQTT-x.y.z-n] in comments names a rule there. MQTT V3.1 Protocol Specification (IBM and
 * Eurotech, 2010). */
#pragma once

#include "base/cursor.h"

enum mqtt_version {
    MQTT_NEW = 0, /* a server's connection before its CONNECT */
    MQTT_V31 = 3, /* the protocol level */
    MQTT_V311 = 4,
    MQTT_V5 = 5,
};

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
    MQTT_AUTH,
};
const char *mqtt_type_name(unsigned type); /* "PUBLISH"; "?" if there is none */

/* 5.0 reason codes. */
enum mqtt_reason {
    MQTT_RC_SUCCESS = 0x00, /* normal disconnection, granted QoS 0 */
    MQTT_RC_GRANTED_QOS1 = 0x01,
    MQTT_RC_GRANTED_QOS2 = 0x02,
    MQTT_RC_DISCONNECT_WITH_WILL = 0x04,
    MQTT_RC_NO_MATCHING_SUBSCRIBERS = 0x10,
    MQTT_RC_NO_SUBSCRIPTION_EXISTED = 0x11,
    MQTT_RC_CONTINUE_AUTHENTICATION = 0x18,
    MQTT_RC_REAUTHENTICATE = 0x19,
    MQTT_RC_UNSPECIFIED = 0x80,
    MQTT_RC_MALFORMED_PACKET = 0x81,
    MQTT_RC_PROTOCOL_ERROR = 0x82,
    MQTT_RC_IMPLEMENTATION_SPECIFIC = 0x83,
    MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION = 0x84,
    MQTT_RC_CLIENT_ID_NOT_VALID = 0x85,
    MQTT_RC_BAD_USER_OR_PASSWORD = 0x86,
    MQTT_RC_NOT_AUTHORIZED = 0x87,
    MQTT_RC_SERVER_UNAVAILABLE = 0x88,
    MQTT_RC_SERVER_BUSY = 0x89,
    MQTT_RC_BANNED = 0x8A,
    MQTT_RC_SERVER_SHUTTING_DOWN = 0x8B,
    MQTT_RC_BAD_AUTHENTICATION_METHOD = 0x8C,
    MQTT_RC_KEEP_ALIVE_TIMEOUT = 0x8D,
    MQTT_RC_SESSION_TAKEN_OVER = 0x8E,
    MQTT_RC_TOPIC_FILTER_INVALID = 0x8F,
    MQTT_RC_TOPIC_NAME_INVALID = 0x90,
    MQTT_RC_PACKET_ID_IN_USE = 0x91,
    MQTT_RC_PACKET_ID_NOT_FOUND = 0x92,
    MQTT_RC_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    MQTT_RC_TOPIC_ALIAS_INVALID = 0x94,
    MQTT_RC_PACKET_TOO_LARGE = 0x95,
    MQTT_RC_MESSAGE_RATE_TOO_HIGH = 0x96,
    MQTT_RC_QUOTA_EXCEEDED = 0x97,
    MQTT_RC_ADMINISTRATIVE_ACTION = 0x98,
    MQTT_RC_PAYLOAD_FORMAT_INVALID = 0x99,
    MQTT_RC_RETAIN_NOT_SUPPORTED = 0x9A,
    MQTT_RC_QOS_NOT_SUPPORTED = 0x9B,
    MQTT_RC_USE_ANOTHER_SERVER = 0x9C,
    MQTT_RC_SERVER_MOVED = 0x9D,
    MQTT_RC_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E,
    MQTT_RC_CONNECTION_RATE_EXCEEDED = 0x9F,
    MQTT_RC_MAXIMUM_CONNECT_TIME = 0xA0,
    MQTT_RC_SUBSCRIPTION_IDS_NOT_SUPPORTED = 0xA1,
    MQTT_RC_WILDCARDS_NOT_SUPPORTED = 0xA2,
};
const char *mqtt_reason_name(unsigned reason); /* "not authorized"; "?" if there is none */
/* The 3.1.1 CONNACK return code that says the same as a 5.0 reason: 1 … 5, 0 for success. */
uint8_t mqtt_connack_code_311(uint8_t reason);

enum mqtt_prop_id {
    MQTT_PROP_PAYLOAD_FORMAT = 1,
    MQTT_PROP_MESSAGE_EXPIRY = 2,
    MQTT_PROP_CONTENT_TYPE = 3,
    MQTT_PROP_RESPONSE_TOPIC = 8,
    MQTT_PROP_CORRELATION_DATA = 9,
    MQTT_PROP_SUBSCRIPTION_ID = 11,
    MQTT_PROP_SESSION_EXPIRY = 17,
    MQTT_PROP_ASSIGNED_CLIENT_ID = 18,
    MQTT_PROP_SERVER_KEEP_ALIVE = 19,
    MQTT_PROP_AUTH_METHOD = 21,
    MQTT_PROP_AUTH_DATA = 22,
    MQTT_PROP_REQUEST_PROBLEM_INFO = 23,
    MQTT_PROP_WILL_DELAY = 24,
    MQTT_PROP_REQUEST_RESPONSE_INFO = 25,
    MQTT_PROP_RESPONSE_INFO = 26,
    MQTT_PROP_SERVER_REFERENCE = 28,
    MQTT_PROP_REASON_STRING = 31,
    MQTT_PROP_RECEIVE_MAX = 33,
    MQTT_PROP_TOPIC_ALIAS_MAX = 34,
    MQTT_PROP_TOPIC_ALIAS = 35,
    MQTT_PROP_MAXIMUM_QOS = 36,
    MQTT_PROP_RETAIN_AVAILABLE = 37,
    MQTT_PROP_USER_PROPERTY = 38,
    MQTT_PROP_MAXIMUM_PACKET_SIZE = 39,
    MQTT_PROP_WILDCARD_AVAILABLE = 40,
    MQTT_PROP_SUBSCRIPTION_IDS_AVAILABLE = 41,
    MQTT_PROP_SHARED_AVAILABLE = 42,
};
/* The bit of a property in mqtt_props.has. */
#define MQTT_HAS(id) (UINT64_C(1) << (id))

/* All properties of a packet. Decoding: a field holds 0 or an empty slice unless its bit is set in
 * `has`; the defaults of the standard (receive_max 65,535 …) are the caller's to apply; `raw` is
 * the wire form without its length, for mqtt_prop_next(). In 3.1.1 everything is zero. Encoding:
 * fields whose bit is set are written, by id; then the user properties that
 * `raw` holds, in order (and, in a PUBLISH, its subscription ids; the field subscription_id is
 * written in SUBSCRIBE only). Anything else in `raw` is left out. So a broker forwards with `raw`
 * as it came, and changes or clears fields. */
struct mqtt_props {
    uint64_t has;
    struct bytes raw;
    uint32_t session_expiry_s, message_expiry_s, will_delay_s, maximum_packet_size;
    uint32_t subscription_id; /* the first one */
    uint16_t receive_max, topic_alias_max, topic_alias, server_keep_alive_s;
    uint8_t payload_format, request_problem_info, request_response_info, maximum_qos;
    uint8_t retain_available, wildcard_available, subscription_ids_available, shared_available;
    struct str content_type, response_topic;
    struct bytes correlation_data;
    struct str assigned_client_id, auth_method;
    struct bytes auth_data;
    struct str response_info, server_reference, reason_string;
};

/* One property out of `raw`: a number, or text or bytes in `value`, and for a user property its
 * `name`. */
struct mqtt_prop {
    enum mqtt_prop_id id;
    uint32_t number;
    struct str name, value;
};
/* `at` starts as cursor_from(props->raw.p, props->raw.n). False at the end. */
bool mqtt_prop_next(struct cursor *at, struct mqtt_prop *out);
/* For composing `raw`. */
void mqtt_put_user_property(struct writer *w, struct str name, struct str value);

struct mqtt_connect {
    enum mqtt_version version;
    bool clean_start; /* 3.1.1: clean session */
    bool has_will, will_retain, has_user, has_password;
    uint8_t will_qos;
    uint16_t keep_alive_s;
    struct str client_id, will_topic, user;
    struct bytes will_payload, password;
    struct mqtt_props props, will_props;
};
struct mqtt_connack {
    bool session_present;
    uint8_t reason; /* 5.0 reason code, or the 3.1.1 return code as it stands on the wire */
    struct mqtt_props props;
};
struct mqtt_publish {
    bool dup, retain;
    uint8_t qos;
    uint16_t id;      /* 0 with QoS 0 */
    struct str topic; /* may be empty with an alias */
    struct bytes payload;
    struct mqtt_props props;
    /* Encoding only: subscription ids to add (checklist 31); and whether the payload, which is
     * counted, is written by the caller, behind what mqtt_put_publish() writes. */
    const uint32_t *subscription_ids;
    size_t subscription_ids_n;
    bool payload_apart;
};
struct mqtt_ack { /* PUBACK, PUBREC, PUBREL, PUBCOMP */
    uint16_t id;
    uint8_t reason;
    struct mqtt_props props;
};
struct mqtt_subscribe { /* SUBSCRIBE, UNSUBSCRIBE */
    uint16_t id;
    size_t count; /* of filters, at least 1; decoding only */
    struct bytes
        filters; /* wire form; read with mqtt_filter_next(), composed with mqtt_put_filter() */
    struct mqtt_props props;
};
struct mqtt_suback { /* SUBACK, UNSUBACK */
    uint16_t id;
    struct bytes codes; /* one for each filter; empty in a 3.1.1 UNSUBACK */
    struct mqtt_props props;
};
struct mqtt_end { /* DISCONNECT, AUTH */
    uint8_t reason;
    struct mqtt_props props;
};

/* What is wrong with a packet. */
struct mqtt_fault {
    uint8_t reason;   /* for the DISCONNECT or CONNACK of 5.0 */
    uint8_t answer;   /* a bad CONNECT: the version whose CONNACK this client understands; 0: only
                         close */
    const char *text; /* a short constant sentence */
};

struct mqtt_packet {
    enum mqtt_type type;
    struct mqtt_fault fault;
    union {
        struct mqtt_connect connect;
        struct mqtt_connack connack;
        struct mqtt_publish publish;
        struct mqtt_ack ack;
        struct mqtt_subscribe subscribe;
        struct mqtt_suback suback;
        struct mqtt_end end;
    };
};

struct mqtt_decoder {
    enum mqtt_version version; /* set it from connect.version once CONNECT is accepted */
    bool is_server;            /* reads what clients send */
    uint32_t size_max;         /* of a whole packet; 0: the protocol's own limit */
};

enum mqtt_result { MQTT_OK, MQTT_MORE, MQTT_ERROR };

/* Reads one packet from the start of `in`.
 * MQTT_OK:    *out is filled, *used bytes belong to it.
 * MQTT_MORE:  not complete; *used is the whole packet's size if its header tells, else 0.
 * MQTT_ERROR: out->fault says why (out->type may be 0); the connection is to be closed. A packet
 *             above size_max, of a wrong type or with wrong flags is refused from its header alone.
 * A server in MQTT_NEW takes CONNECT only, later no CONNECT (checklist 1). */
enum mqtt_result mqtt_decode(const struct mqtt_decoder *d, struct bytes in, struct mqtt_packet *out,
                             size_t *used);

/* A glance at the packet at the start of `in`, for who wants to know what comes: its size, or 0 if
 * it is not all there; the topic, if it is a PUBLISH that has one. Nothing else is checked. */
size_t mqtt_glance(struct bytes in, struct str *topic);

/* Size on the wire; 0 if the packet cannot be encoded. */
size_t mqtt_encoded_size(enum mqtt_version v, const struct mqtt_packet *p);
/* ERR_FULL: does not fit (nothing is written). ERR_INVALID, ERR_RANGE: the caller's mistake: a
 * string or packet that is too long, an id of 0, a property that this packet cannot carry. In
 * 3.1.1 properties are left out, and reasons but those of CONNACK and SUBACK; in 3.1 also Session
 * Present, and a failure in SUBACK is written as QoS 0. CONNECT is encoded
 * in connect.version. Text is not validated again. */
MUST_USE enum err mqtt_encode(enum mqtt_version v, const struct mqtt_packet *p, struct writer *w);

/* Hot paths; the same bytes as mqtt_encode() gives. */
/* PUBACK, PUBREC, PUBREL or PUBCOMP with success: 4 bytes in both versions. */
void mqtt_put_ack(struct writer *w, enum mqtt_type type, uint16_t id);
/* A PUBLISH that has no properties, as nearly all have none: small enough to be made for each
 * delivery (struct mqtt_publish is some 300 bytes). Size and errors as of mqtt_put_publish(). */
struct mqtt_plain {
    bool dup, retain;
    uint8_t qos;
    uint16_t id;
    struct str topic; /* not empty */
    struct bytes payload;
};
size_t mqtt_plain_size(enum mqtt_version v, const struct mqtt_plain *m);
MUST_USE enum err mqtt_put_plain(enum mqtt_version v, const struct mqtt_plain *m, struct writer *w);
size_t mqtt_publish_size(enum mqtt_version v, const struct mqtt_publish *m);
MUST_USE enum err mqtt_put_publish(enum mqtt_version v, const struct mqtt_publish *m,
                                   struct writer *w);

/* Subscription options, as on the wire. */
#define MQTT_SUB_QOS(options)             ((options)&3u)
#define MQTT_SUB_NO_LOCAL                 0x04u
#define MQTT_SUB_RETAIN_AS_PUBLISHED      0x08u
#define MQTT_SUB_RETAIN_HANDLING(options) (((options) >> 4) & 3u)

/* Walks subscribe.filters: `at` starts as cursor_from(filters.p, filters.n). `options` may be NULL
 * for UNSUBSCRIBE, which has none. False at the end. */
bool mqtt_filter_next(struct cursor *at, enum mqtt_type type, struct str *filter, uint8_t *options);
/* Appends one filter; options are written for SUBSCRIBE only (in 3.1.1 they are the QoS). */
void mqtt_put_filter(struct writer *w, enum mqtt_type type, struct str filter, uint8_t options);

/* A topic to publish to: 1 … 65,535 bytes of UTF-8 without U+0000 and wildcards. */
bool mqtt_topic_valid(struct str topic);
/* A filter to subscribe to: the same, `#` only as the last level, `+` as a whole level, and for
 * `$share/…` a group name without wildcards and a valid filter behind it. */
bool mqtt_filter_valid(struct str filter);
/* Whether a valid filter (without a `$share/GROUP/` prefix) matches a valid topic. A leading
 * wildcard does not match a topic that starts with `$`. */
bool mqtt_filter_match(struct str filter, struct str topic);
/* Whether a valid filter is `$share/GROUP/FILTER`; gives the parts (each may be NULL). */
bool mqtt_share_parse(struct str filter, struct str *group, struct str *rest);
