/* mqtt_snapshot: what of the sessions and wills goes to the database, taken on their worker and
 * written on the database's thread; private to mqtt_snapshot.c, which takes it, and mqtt_store.c,
 * which writes it.
 *
 * Ownership: all of it is the snapshot's own, but messages, which are counted. */
#pragma once

#include "protocol/mqtt_broker.h"

struct saved_sub {
    struct str filter; /* owned */
    uint8_t options;
    uint32_t id;
};
struct saved_message {
    struct flight flight; /* its message is referenced, its ids are a copy; id 0: it has none */
    int64_t position;
    uint64_t share; /* see bus_share_key() */
};
struct saved_session {
    uint64_t number;
    struct str client_id; /* owned */
    uint32_t expiry_s;
    int64_t offline_ms;
    uint16_t next_id;
    bool subs_too;
    bool requeue;          /* all of its queue is here, but what is spilled */
    int64_t head;          /* positions below have left the queue */
    int64_t spilled, tail; /* from the first up to the second the rows are all there is */
    uint8_t *received;
    size_t received_n;
    VEC(struct saved_sub) subs;
    VEC(struct saved_message) messages;
};
struct saved_will {
    uint64_t number;
    int64_t lost_ms;
    uint8_t *body; /* owned */
    size_t body_n;
};
struct snapshot {
    struct snapshot *next; /* of another worker */
    struct alloc *alloc;
    VEC(struct saved_session) sessions;
    VEC(uint64_t) ended;
    VEC(struct saved_will) wills;
    VEC(uint64_t) wills_ended;
    bool rewrite, nomem;
};
void snapshot_free(void *snapshot); /* with those of the other workers; NULL is fine */
