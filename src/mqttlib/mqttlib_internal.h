/* mqttlib_internal: the public MQTT client; private to this folder.
 *
 * mqtt_new.c makes one, mqtt.c is its life and its calls, mqtt_wait.c waits for answers,
 * mqtt_message.c carries messages from the public form to the house's and back. */
#pragma once

#include "client/mqtt_client.h"
#include "lib/facade.h"
#include "net/tls.h"
#include <sedge/mqtt.h>

struct sedge_mqtt {
    struct alloc *alloc;
    struct worker *worker;
    struct mqtt_client *client;     /* NULL once it has ended */
    struct sedge_mqtt_config calls; /* of it only ctx and the callbacks */
    struct tls *tls;
    struct stream_via via;
    struct websocket websocket;
    char *host, *ws_path; /* copies; via borrows */
    size_t host_size, ws_path_size;
    char *id; /* what sedge_mqtt_client_id() gave last */
    size_t id_size;
    struct chan inbox; /* struct lib_message *; only without `message` */
    bool has_inbox;
    bool orphan;     /* nobody's any more: it goes when it has ended */
    unsigned inside; /* and when so many coroutines have left its calls */
    size_t receive_max;
    uint64_t dropped;
    struct list awaiters; /* for on-line or the end */
};

/* A received message: one block with all its texts behind it. */
struct lib_message {
    struct sedge_mqtt_message m; /* first: what the user has */
    struct sedge_mqtt_properties props;
    struct sedge_mqtt *client;
    struct mqtt_receipt receipt;
    size_t size;
};

/* mqtt_new.c */
enum err mqtt_new(struct sedge_mqtt **out, struct alloc *a, const struct sedge_mqtt_config *config,
                  struct error *e);
void mqtt_dispose(struct sedge_mqtt *c); /* it has ended, or never began */
/* The same if it is an orphan's and nobody is inside. */
void mqtt_settle(struct sedge_mqtt *c);

/* mqtt.c: the house's callbacks */
void mqtt_on_online(void *ctx, bool session_present);
bool mqtt_on_lost(void *ctx, const struct mqtt_client_loss *loss);
void mqtt_on_message(void *ctx, const struct mqtt_publish *m);
void mqtt_on_ended(void *ctx);
enum err mqtt_on_auth(void *ctx, enum mqtt_auth_step step, struct bytes in, struct strbuf *out);

/* mqtt_wait.c */
/* Who waits until something about the client has changed. */
struct awaiter {
    struct list link;
    struct co *co;
};
void mqtt_wake_all(struct sedge_mqtt *c);
/* Until come(c), in a coroutine. */
enum err mqtt_wait(struct sedge_mqtt *c, bool (*come)(const struct sedge_mqtt *c),
                   int64_t timeout_ms);

/* An answer that a coroutine waits for. It outlives a wait that ended early. */
struct answer;
struct answer *answer_new(struct sedge_mqtt *c); /* NULL: no memory */
struct mqtt_done answer_done(struct answer *a);
/* Its result, or why there is none yet; *reason may be NULL. It is not the caller's any more. */
enum err answer_await(struct answer *a, uint8_t *reason, int64_t timeout_ms);
void answer_free(struct answer *a);

/* A user's function that is called with an answer. */
typedef void (*mqtt_then_fn)(void *ctx, enum sedge_err err, uint8_t reason);
/* A zeroed `out` if fn is NULL. ERR_NOMEM. */
enum err then_new(struct sedge_mqtt *c, mqtt_then_fn fn, void *ctx, struct mqtt_done *out);
void then_free(struct mqtt_done done); /* it will not be called */

/* mqtt_message.c */
/* `m` borrows from `from` and from `raw`, which holds the user properties. */
enum err message_out(const struct sedge_mqtt_message *from, struct strbuf *raw,
                     struct mqtt_publish *m);
enum err pairs_out(const struct sedge_mqtt_pair *pairs, size_t n, struct strbuf *raw);
struct lib_message *message_in(struct sedge_mqtt *c, const struct mqtt_publish *m);
void message_free(struct lib_message *l);
