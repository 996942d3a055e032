/* sedge_mqtt: an MQTT client that stays connected.
 *
 *     struct sedge_mqtt_config config = {.host = "127.0.0.1", .client_id = "meter-7"};
 *     struct sedge_mqtt_message m = {.topic = "meter/7", .payload = "21", .qos = 2};
 *     m.payload_n = 2;
 *     if (!sedge_mqtt_new(&client, &config, &error))
 *         r = sedge_mqtt_publish(client, &m, NULL, 5000); // has the server's answer
 *
 * Why: connecting, subscribing, acknowledging, and coming back after a loss with nothing
 * acknowledged lost are the same for everybody. The client reconnects with an exponential back-off,
 * subscribes again where the server has lost the session, and sends what was not acknowledged
 * again, in order. MQTT 3.1, 3.1.1 and 5.0; TCP, TLS 1.3, WebSocket, unix sockets; QoS 0, 1 and 2.
 *
 * Two ways of use, which mix. Coroutines call functions that wait: sedge_mqtt_publish(),
 * sedge_mqtt_subscribe(), sedge_mqtt_recv(). Tasks and timers, which may not wait, give callbacks:
 * sedge_mqtt_publish_then(), sedge_mqtt_subscribe_then(), `message` in the configuration.
 *
 * This page's functions are in libsedge-mqtt, which also holds all of libsedge-rt: link one of the
 * two (`pkg-config sedge-mqtt`).
 *
 * Ownership: sedge_mqtt_new() copies its configuration. A client is its maker's until
 * sedge_mqtt_free(), which comes before the end of the runtime. A message from sedge_mqtt_recv() is
 * its taker's until sedge_mqtt_message_free(). What a callback is shown is borrowed for the call.
 *
 * Threads: all calls on the worker that made the client; callbacks come there. They may call
 * anything here that does not wait.
 *
 * Bounds: messages under way by number and bytes, subscriptions, messages that wait to be received,
 * the size of a packet. SEDGE_ERR_FULL is back-pressure.
 *
 * Errors: SEDGE_ERR_DENIED: the server refused; its reason code says why (sedge_mqtt_reason()).
 * SEDGE_ERR_CLOSED: the client has ended, or, for QoS 0, is not connected. SEDGE_ERR_TIMEOUT: there
 * is no answer yet; it still may come, and a message still may be delivered. SEDGE_ERR_CANCELED: so
 * is the coroutine; the same. */
#ifndef SEDGE_MQTT_H
#define SEDGE_MQTT_H

#include <sedge/err.h>

SEDGE_BEGIN

struct sedge_mqtt;

enum sedge_mqtt_version { SEDGE_MQTT_3_1 = 3, SEDGE_MQTT_3_1_1 = 4, SEDGE_MQTT_5 = 5 };

/* A user property of 5.0. The same name may come several times. */
struct sedge_mqtt_pair {
    const char *name, *value;
};

/* Properties of a message, in 5.0. All zero: none. */
struct sedge_mqtt_properties {
    const char *content_type, *response_topic; /* NULL: none */
    const void *correlation;                   /* NULL: none */
    size_t correlation_n;
    uint32_t expiry_s; /* so long it is worth delivering; 0: for ever */
    bool is_text;      /* the payload is UTF-8 */
    const struct sedge_mqtt_pair *user;
    size_t user_n;
    uint32_t will_delay_s;            /* of a will: so long after the connection's end */
    const uint32_t *subscription_ids; /* received: of the subscriptions that it matches */
    size_t subscription_ids_n;
    void *reserved[2]; /* NULL */
};

struct sedge_mqtt_message {
    const char *topic;
    const void *payload;
    size_t payload_n;
    uint8_t qos;
    bool retain;                                    /* received: it is not new, but was kept */
    bool dup;                                       /* received: it may have come before */
    const struct sedge_mqtt_properties *properties; /* NULL: none. Received: never NULL */
    void *reserved[2];                              /* NULL */
};

/* Why a connection was lost, or could not be made. */
struct sedge_mqtt_loss {
    enum sedge_err err; /* SEDGE_ERR_IO, CLOSED, TIMEOUT, INVALID (of the protocol), DENIED, FULL,
                           NOT_FOUND (the host's name) */
    uint8_t reason;     /* of the server; 0: it gave none */
    const char *text;   /* a sentence, for people */
    bool was_online;
    unsigned attempts; /* that failed since it was last connected */
};

enum sedge_mqtt_auth_step {
    SEDGE_MQTT_AUTH_START,    /* of a connection: there is no data yet */
    SEDGE_MQTT_AUTH_CONTINUE, /* the server goes on */
    SEDGE_MQTT_AUTH_DONE      /* the server is content; no answer goes out */
};
#define SEDGE_MQTT_AUTH_MAX 4096

/* 0, NULL: the value behind. */
struct sedge_mqtt_config {
    const char *host;                /* a name, an address, or "unix:/path"; "127.0.0.1" */
    uint16_t port;                   /* 1883; 8883 with TLS, 80 and 443 with WebSocket */
    enum sedge_mqtt_version version; /* SEDGE_MQTT_5 */
    const char *client_id;           /* the server gives one (3.1.1: only if nothing is kept) */
    const char *user, *password;     /* none */

    bool tls;            /* TLS 1.3, as with any of the next five; the system's authorities are
                            believed, or */
    const char *ca;      /* those in this PEM file */
    const char *cert;    /* PEM: our certificate, with what leads to its issuer; none */
    const char *key;     /* PEM: its private key */
    bool insecure;       /* whoever answers is believed */
    bool tls_1_2;        /* also TLS 1.2, with forward secrecy */
    const char *ws_path; /* WebSocket at this path, "/mqtt" by custom; none */

    bool persistent;           /* keep the session over connections: no clean start */
    uint32_t session_expiry_s; /* 5.0: and so long without one; UINT32_MAX: for ever */
    uint16_t keep_alive_s;     /* 60 */
    bool no_keep_alive;
    const struct sedge_mqtt_message *will;         /* none */
    const struct sedge_mqtt_pair *user_properties; /* of CONNECT, 5.0 */
    size_t user_properties_n;

    size_t inflight_max;      /* messages of QoS 1 and 2 under way to the server; 64 */
    size_t inflight_bytes;    /* their bytes; 1 MiB, or packet_max if that is more */
    size_t subscriptions_max; /* 64 */
    size_t packet_max;        /* bytes, either way; 1 MiB */
    uint16_t receive_max; /* received and not yet freed, of QoS 1 and 2; as many of QoS 0; 256 */
    uint16_t aliases;     /* 5.0: so many topics go out as numbers; at most 64; 0: none */
    int64_t connect_ms;   /* for one attempt; 10000 */
    int64_t backoff_min_ms, backoff_max_ms; /* between attempts; 250, 30000 */

    void *ctx;
    void (*online)(void *ctx, bool session_present);
    /* False: give up, the client ends. NULL: for ever again. */
    bool (*lost)(void *ctx, const struct sedge_mqtt_loss *loss);
    /* Each message; it is acknowledged when this returns. NULL: they wait for sedge_mqtt_recv(). */
    void (*message)(void *ctx, const struct sedge_mqtt_message *m);
    void (*ended)(void *ctx); /* the last callback; sedge_mqtt_free() may be called in it */

    /* 5.0: enhanced authentication. `auth` gets what the server sent and writes at most
     * SEDGE_MQTT_AUTH_MAX bytes to `out`; an error gives the attempt up. */
    const char *auth_method;
    enum sedge_err (*auth)(void *ctx, enum sedge_mqtt_auth_step step, const void *in, size_t in_n,
                           void *out, size_t *out_n);
    void *reserved[4]; /* NULL */
};

/* On a worker; returns before it is connected. A host's name is looked up later, on a thread that
 * may block, and again after each loss: it need not be known yet. SEDGE_ERR_INVALID: what no server
 * would take, or no worker; SEDGE_ERR_IO, SEDGE_ERR_NOMEM. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_mqtt_new(struct sedge_mqtt **out,
                                                       const struct sedge_mqtt_config *config,
                                                       struct sedge_error *error);
/* Begins to end: what was published with QoS 0 leaves, then DISCONNECT; `ended` is called. What is
 * not acknowledged by then is canceled. */
SEDGE_API void sedge_mqtt_stop(struct sedge_mqtt *client);
/* The same, but the server sends our will, too. */
SEDGE_API void sedge_mqtt_stop_with_will(struct sedge_mqtt *client);
/* Stops it and frees it, with the messages that nobody received. A coroutine waits for the end;
 * else it frees itself later, before `ended`. Others that wait in its calls are told
 * SEDGE_ERR_CLOSED, or what the server has answered. NULL: nothing. */
SEDGE_API void sedge_mqtt_free(struct sedge_mqtt *client);

SEDGE_API bool sedge_mqtt_online(const struct sedge_mqtt *client);
/* SEDGE_ERR_CLOSED: it has ended. timeout_ms negative, here and below: without limit. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_mqtt_await_online(struct sedge_mqtt *client,
                                                                int64_t timeout_ms);
/* The one in use; "" until the server has given one. */
SEDGE_API const char *sedge_mqtt_client_id(const struct sedge_mqtt *client);
/* "not authorized"; "?" if there is none. In 3.1.1 a connection's refusal has numbers of its own.
 */
SEDGE_API const char *sedge_mqtt_reason(uint8_t reason);

/* QoS 1 and 2: kept until they are acknowledged, without a connection too, and this waits for that.
 * QoS 0: goes out now or not at all. *reason (may be NULL): the server's. SEDGE_ERR_FULL: too much
 * is under way; SEDGE_ERR_RANGE: too large; SEDGE_ERR_UNSUPPORTED: the server has not what it
 * needs (this QoS, retained messages); SEDGE_ERR_INVALID: no topic to publish to. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_mqtt_publish(struct sedge_mqtt *client,
                                                           const struct sedge_mqtt_message *m,
                                                           uint8_t *reason, int64_t timeout_ms);
/* Does not wait: `done` (may be NULL) is called once, if and only if this returns SEDGE_OK and the
 * QoS is not 0. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_mqtt_publish_then(struct sedge_mqtt *client, const struct sedge_mqtt_message *m,
                        void (*done)(void *ctx, enum sedge_err err, uint8_t reason), void *ctx);

/* How to subscribe. All zero: QoS 0, with what is retained. */
struct sedge_mqtt_options {
    uint8_t qos;              /* at most this one */
    bool no_local;            /* 5.0: not what we publish ourselves */
    bool retain_as_published; /* 5.0: `retain` as the publisher gave it */
    uint8_t retained;         /* 5.0: 0 send what is retained, 1 if it is new, 2 never */
    uint32_t id;              /* 5.0: a number that its messages come with; 0: none */
    void *reserved[2];        /* NULL */
};
/* Waits for the server's answer; *reason (may be NULL) is the QoS that it grants. The subscription
 * lasts until it is taken back, over connections and lost sessions. The same filter again replaces
 * the options. `options` NULL: all zero. "$share/GROUP/FILTER": a message goes to one of the group.
 * SEDGE_ERR_FULL, SEDGE_ERR_INVALID: no filter; SEDGE_ERR_UNSUPPORTED. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_mqtt_subscribe(struct sedge_mqtt *client, const char *filter,
                     const struct sedge_mqtt_options *options, uint8_t *reason, int64_t timeout_ms);
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_mqtt_subscribe_then(struct sedge_mqtt *client, const char *filter,
                          const struct sedge_mqtt_options *options,
                          void (*done)(void *ctx, enum sedge_err err, uint8_t reason), void *ctx);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_mqtt_unsubscribe(struct sedge_mqtt *client,
                                                               const char *filter, uint8_t *reason,
                                                               int64_t timeout_ms);
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_mqtt_unsubscribe_then(struct sedge_mqtt *client, const char *filter,
                            void (*done)(void *ctx, enum sedge_err err, uint8_t reason), void *ctx);

/* The next message, in the order of their arrival. It is acknowledged when it is freed: a program
 * that ends before gets it again (QoS 1 and 2, in a session that is kept). What nobody takes stops
 * the server at receive_max; above it QoS 0 is dropped and counted. SEDGE_ERR_CLOSED: the client
 * has ended, and all was taken; SEDGE_ERR_INVALID: messages go to `message`. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_mqtt_recv(struct sedge_mqtt *client, struct sedge_mqtt_message **out, int64_t timeout_ms);
/* In the order of their arrival; before the client is freed. NULL: nothing. */
SEDGE_API void sedge_mqtt_message_free(struct sedge_mqtt_message *m);
SEDGE_API uint64_t sedge_mqtt_dropped(const struct sedge_mqtt *client);

SEDGE_END
#endif
