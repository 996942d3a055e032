/* mqtt_client: an MQTT connection that stays up, as a task on a worker.
 *
 * Why: `sedge pub` and `sub`, the simulated plants, bridges and the installed library all need the
 * same: connect, subscribe, publish with an answer, and come back after a loss with nothing
 * acknowledged lost. It reconnects with exponential back-off and jitter, subscribes again where the
 * session is gone, and sends what was not acknowledged again, in order: with its id and DUP into
 * the session that it was sent in, as new messages into another.
 * A host's name is looked up on a thread that may block, and again after each loss and whenever all
 * its addresses have been tried: a board that starts before its network is there connects when it
 * comes, and a server that moves is found. While there is no answer the last addresses are good.
 * Ownership: mqtt_client_new() copies what the configuration points to. The client frees itself
 * behind its last callback, `ended`; until then the pointer is good. Packets that callbacks are
 * shown are borrowed for the call.
 * Threads: its worker's only (mqtt_client_new() before the worker runs is fine). Callbacks run on
 * it and may call any function here.
 * Bounds: messages in flight by number and bytes, subscriptions, aliases, packet size. ERR_FULL is
 * back-pressure: try again after a `done`.
 * Errors: a lost connection is not an error but `lost`; see there.
 * Source: MQTT 3.1.1 and 5.0, sections 4.3 (QoS), 4.4 (delivery retry), 4.6 (order), 4.9 (flow
 * control), 4.12 (enhanced authentication). */
#pragma once

#include "codec/mqtt.h"
#include "net/conn_pool.h"
#include "net/look_up.h"

struct mqtt_client;

/* Called once when an operation has its answer. ERR_OK: reason below 0x80 (for a subscription the
 * granted QoS); ERR_DENIED: refused, for the reason; ERR_CANCELED: the client ended before.
 * A zeroed one is fine: nobody is told. */
struct mqtt_done {
    void (*fn)(void *ctx, enum err err, uint8_t reason);
    void *ctx;
};

struct mqtt_client_loss {
    enum err err;     /* ERR_IO, ERR_CLOSED, ERR_TIMEOUT, ERR_PROTOCOL, ERR_DENIED (CONNACK, or
                         our own `auth`), ERR_FULL, ERR_NOMEM, ERR_NOT_FOUND (the name) */
    uint8_t reason;   /* of the server's CONNACK or DISCONNECT as on the wire, or of ours after
                         ERR_PROTOCOL; 0 if there was none */
    const char *text; /* a short sentence */
    bool was_online;
    int os_errno;        /* of ERR_IO */
    const char *problem; /* of TLS, WebSocket or the name: "certificate has expired"; "": none */
    unsigned attempts;   /* failed ones since the client was last online */
};

/* One step of an enhanced authentication. */
enum mqtt_auth_step {
    MQTT_AUTH_START,    /* of a connection or of mqtt_client_reauth(); there is no data yet */
    MQTT_AUTH_CONTINUE, /* the server goes on */
    MQTT_AUTH_DONE,     /* the server is content; what is added to `out` goes nowhere */
};

struct mqtt_client_config {
    struct alloc *alloc; /* default alloc_system() */
    struct addr addr;
    const struct addr *others; /* of the same server or of others, tried in turn; at most 7 */
    size_t others_n;
    /* Not empty: what these addresses are of, as addr_parse() takes it, or a name. Then `addr` may
     * be zero; if it is not, they are tried before the name is looked up. */
    struct str host;
    uint16_t port;
    addr_resolver resolve;        /* on a thread; NULL: addr_look_up() */
    const struct stream_via *via; /* TLS, WebSocket; of the own pool. It must outlive the client */
    /* Where connections come from; it must outlive the client. NULL: a pool of its own. An MQTT
     * connection is never used again, so a shared one limits and counts. */
    struct conn_pool *pool;
    enum mqtt_version version; /* default MQTT_V5 */
    struct str client_id;      /* empty: the server gives one (3.1.1: clean sessions only) */
    bool has_user, has_password;
    struct str user;
    struct bytes password;
    const struct mqtt_publish *will; /* topic, payload, qos, retain, and the will's properties */
    bool persistent;                 /* keep the session: no clean start */
    uint32_t session_expiry_s;       /* 5.0 */
    uint16_t keep_alive_s;           /* 0: none */
    /* 5.0: what else CONNECT says: user properties, topic_alias_max (of the server's
     * messages; `message` is shown whole topics), request_problem_info, request_response_info. */
    const struct mqtt_props *props;
    /* 5.0: so many topics are sent as aliases where the server takes them; at most 64. */
    uint16_t topic_aliases;
    /* 5.0: enhanced authentication, if not empty. `auth` reads the server's data and adds ours to
     * `out`; an error gives the connection up as ERR_DENIED. */
    struct str auth_method;
    enum err (*auth)(void *ctx, enum mqtt_auth_step step, struct bytes in, struct strbuf *out);

    /* Messages of QoS 1 and 2 that the server may send before they are acknowledged (QoS 2: and
     * released). 5.0 tells it; in 3.1.1 a server that sends more loses the connection. Default
     * 65,535. */
    uint16_t receive_max;
    size_t inflight_max;        /* QoS 1 and 2 messages that are not acknowledged; default 64,
                                   at most 32,768 */
    size_t inflight_bytes_max;  /* their bytes; default 1 MiB, or packet_max if that is more */
    size_t subscriptions_max;   /* default 64, at most 32,767 */
    size_t packet_max;          /* either way; default 1 MiB */
    int64_t connect_timeout_ms; /* until CONNACK; default 10 s */
    int64_t backoff_min_ms, backoff_max_ms; /* default 250 ms, 30 s */

    void *ctx;
    void (*online)(void *ctx, bool session_present); /* may be NULL */
    void (*message)(void *ctx, const struct mqtt_publish *m);
    bool acks_by_hand; /* QoS 1 and 2 are acknowledged by mqtt_client_ack() only */
    /* The connection or an attempt failed; false ends the client. NULL: for ever again. */
    bool (*lost)(void *ctx, const struct mqtt_client_loss *loss);
    void (*ended)(void *ctx); /* the client is gone when this returns; may be NULL */
};

/* ERR_INVALID: what no server would take; ERR_RANGE: too many aliases or addresses; ERR_NOMEM. */
MUST_USE enum err mqtt_client_new(struct mqtt_client **out, struct worker *w,
                                  const struct mqtt_client_config *cfg);
/* Sends DISCONNECT behind what is queued (the acknowledgement of the message that is being shown,
 * too), closes when the server has, or after two seconds, and ends. Unacknowledged messages are
 * canceled then. */
void mqtt_client_stop(struct mqtt_client *c);
/* The same with a reason (MQTT_RC_DISCONNECT_WITH_WILL) and properties, in 5.0. ERR_INVALID: it
 * cannot be encoded, ERR_NOMEM: the client goes on. */
MUST_USE enum err mqtt_client_stop_with(struct mqtt_client *c, const struct mqtt_end *end);

/* `m`: topic, payload, qos, retain, props; the rest is the client's. QoS 0 goes out now or not at
 * all (ERR_CLOSED off-line, ERR_FULL) and `done` is not called; QoS 1 and 2 are kept until they are
 * acknowledged, off-line too. ERR_FULL; ERR_RANGE: above packet_max, inflight_bytes_max or the
 * server's maximum; ERR_UNSUPPORTED: above the server's maximum QoS, or it retains nothing;
 * ERR_INVALID: what the codec refuses; ERR_NOMEM. On an error `done` is not called. */
MUST_USE enum err mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *m,
                                      struct mqtt_done done);

struct mqtt_client_filter {
    struct str filter;
    uint8_t options;       /* as on the wire: MQTT_SUB_… */
    uint32_t id;           /* 5.0: subscription identifier; 0: none */
    struct bytes user_raw; /* 5.0: user properties, made by mqtt_put_user_property() */
};
/* Now or when on-line, and again after each loss of the session. The same filter again replaces
 * its options. ERR_FULL, ERR_INVALID, ERR_NOMEM; ERR_UNSUPPORTED: the server has no wildcards, no
 * shared subscriptions or no identifiers (told by `done` if it is known later; so is that the
 * packet is larger than it takes). */
MUST_USE enum err mqtt_client_subscribe(struct mqtt_client *c, struct str filter, uint8_t options,
                                        struct mqtt_done done);
MUST_USE enum err mqtt_client_subscribe_with(struct mqtt_client *c,
                                             const struct mqtt_client_filter *f,
                                             struct mqtt_done done);
/* Also of a filter that an earlier client of this session has subscribed to. ERR_FULL, ERR_INVALID,
 * ERR_NOMEM. */
MUST_USE enum err mqtt_client_unsubscribe(struct mqtt_client *c, struct str filter,
                                          struct mqtt_done done);
MUST_USE enum err mqtt_client_unsubscribe_with(struct mqtt_client *c,
                                               const struct mqtt_client_filter *f,
                                               struct mqtt_done done);

/* What acknowledges the message that `message` is being shown, later. With QoS 0 it does nothing.
 */
struct mqtt_receipt {
    uint32_t connection;
    uint16_t id;
    uint8_t qos;
};
struct mqtt_receipt mqtt_client_receipt(const struct mqtt_client *c, const struct mqtt_publish *m);
/* Only with acks_by_hand. In the order of the messages, as the standard wants it. A reason of 0x80
 * or more refuses the message, in 5.0. One of an earlier connection does nothing: the server sends
 * that message again (QoS 2: it is known then, and acknowledged without being shown). */
void mqtt_client_ack(struct mqtt_client *c, struct mqtt_receipt r, uint8_t reason);

/* As if the message had not come: it is forgotten, and the connection given up (`lost` with
 * ERR_FULL), so that the server sends it again to the next one. With QoS 0 it does nothing. */
void mqtt_client_refuse(struct mqtt_client *c, struct mqtt_receipt r);

/* Authenticates again on the same connection. ERR_CLOSED: off-line; ERR_INVALID: not with an
 * auth_method; ERR_FULL: it is being done. */
MUST_USE enum err mqtt_client_reauth(struct mqtt_client *c, struct mqtt_done done);

/* Where servers listen if nobody says otherwise (IANA: mqtt, secure-mqtt; http and https for
 * WebSocket). */
uint16_t mqtt_client_port(bool tls, bool websocket);

bool mqtt_client_online(const struct mqtt_client *c);
size_t mqtt_client_inflight(const struct mqtt_client *c);
/* Room in the send queue: how many bytes of QoS 0 go out now. */
size_t mqtt_client_room(const struct mqtt_client *c);
/* The id in use; the server's once it has given one. */
struct str mqtt_client_id(const struct mqtt_client *c);
/* During a callback: the properties of the server's packet that caused it (reason string, user
 * properties, limits in CONNACK). NULL: none did. */
const struct mqtt_props *mqtt_client_said(const struct mqtt_client *c);
