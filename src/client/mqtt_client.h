/* mqtt_client: an MQTT connection that stays up, as a task on a worker.
 *
 * Why: `sedge pub` and `sub`, the simulated plants, bridges and the installed library all need the
 * same: connect, subscribe, publish with an answer, and come back after a loss with nothing
 * acknowledged lost. It reconnects with exponential back-off and jitter, subscribes again, and
 * sends QoS 1 and 2 messages that were not acknowledged again, in order and with DUP. Ownership:
 * mqtt_client_new() copies what the configuration points to. The client frees itself behind its
 * last callback, `ended`; until then the pointer is good. Threads: its worker's only
 * (mqtt_client_new() before the worker runs is fine). Callbacks run on it and may call any function
 * here. Bounds: messages in flight by number and bytes, subscriptions, packet size. ERR_FULL is
 * back-pressure: try again after a `done`.
 * Errors: a lost connection is not an error but `lost`; see there.
 * Source: MQTT 3.1.1 and 5.0, sections 4.4 (delivery retry) and 4.6 (order). */
#pragma once

#include "codec/mqtt.h"
#include "net/conn_pool.h"

struct mqtt_client;

/* Called once when an operation has its answer. ERR_OK: reason below 0x80 (for a subscription the
 * granted QoS); ERR_DENIED: refused, for the reason; ERR_CANCELED: the client ended before.
 * A zeroed one is fine: nobody is told. */
struct mqtt_done {
    void (*fn)(void *ctx, enum err err, uint8_t reason);
    void *ctx;
};

struct mqtt_client_loss {
    enum err err;     /* ERR_IO, ERR_CLOSED, ERR_TIMEOUT, ERR_PROTOCOL, ERR_DENIED (CONNACK) */
    uint8_t reason;   /* of the server's CONNACK or DISCONNECT as on the wire, or of ours after
                         ERR_PROTOCOL; 0 if there was none */
    const char *text; /* a short sentence */
    bool was_online;
    int os_errno;      /* of ERR_IO */
    unsigned attempts; /* failed ones since the client was last online */
};

struct mqtt_client_config {
    struct alloc *alloc; /* default alloc_system() */
    struct addr addr;
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

    size_t inflight_max;        /* QoS 1 and 2 messages that are not acknowledged; default 64 */
    size_t inflight_bytes_max;  /* their bytes; default 1 MiB */
    size_t subscriptions_max;   /* default 64 */
    size_t packet_max;          /* either way; default 1 MiB */
    int64_t connect_timeout_ms; /* until CONNACK; default 10 s */
    int64_t backoff_min_ms, backoff_max_ms; /* default 250 ms, 30 s */

    void *ctx;
    void (*online)(void *ctx, bool session_present);          /* may be NULL */
    void (*message)(void *ctx, const struct mqtt_publish *m); /* borrowed for the call */
    /* The connection or an attempt failed; false ends the client. NULL: for ever again. */
    bool (*lost)(void *ctx, const struct mqtt_client_loss *loss);
    void (*ended)(void *ctx); /* the client is gone when this returns; may be NULL */
};

MUST_USE enum err mqtt_client_new(struct mqtt_client **out, struct worker *w,
                                  const struct mqtt_client_config *cfg);
/* Sends DISCONNECT behind what is queued, closes and ends. Unacknowledged messages are canceled. */
void mqtt_client_stop(struct mqtt_client *c);

/* `m`: topic, payload, qos, retain, props; the rest is the client's. QoS 0 goes out now or not at
 * all (ERR_CLOSED off-line, ERR_FULL) and `done` is not called; QoS 1 and 2 are kept until they are
 * acknowledged, off-line too. ERR_FULL; ERR_RANGE: above packet_max or the server's maximum;
 * ERR_UNSUPPORTED: above the server's maximum QoS; ERR_INVALID: what the codec refuses; ERR_NOMEM.
 * On an error `done` is not called. */
MUST_USE enum err mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *m,
                                      struct mqtt_done done);
/* Now or when on-line, and again after each loss of the session. The same filter again replaces
 * its options. ERR_FULL, ERR_INVALID, ERR_NOMEM. */
MUST_USE enum err mqtt_client_subscribe(struct mqtt_client *c, struct str filter, uint8_t options,
                                        struct mqtt_done done);
MUST_USE enum err mqtt_client_unsubscribe(struct mqtt_client *c, struct str filter,
                                          struct mqtt_done done); /* ERR_NOT_FOUND */

bool mqtt_client_online(const struct mqtt_client *c);
size_t mqtt_client_inflight(const struct mqtt_client *c);
/* The id in use; the server's once it has given one. */
struct str mqtt_client_id(const struct mqtt_client *c);
