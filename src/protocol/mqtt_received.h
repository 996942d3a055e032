/* mqtt_received: packet ids of QoS 2 publications that came in and were not released.
 *
 * Why: a PUBLISH whose id is in the set was published already, however often it comes again
 * (checklist 17). The set is a session's, outlives its connections, and comes back after a restart:
 * from its row in the database and the records of messages that name it.
 * At most 65,535 ids, of two bytes each; sorted, since clients count upwards.
 * Ownership: embedded in its owner; the allocator is the one of every call. Threads: none.
 * Errors: only received_add() fails, without memory.
 * Source: MQTT 5.0 section 4.3.3, method A: the receiver stores the id before it delivers. */
#pragma once

#include "base/cursor.h"
#include "base/vec.h"

struct received {
    VEC(uint16_t) ids; /* ascending */
};
bool received_has(const struct received *r, uint16_t id);
/* False: no memory. True also if it was there. */
MUST_USE bool received_add(struct alloc *a, struct received *r, uint16_t id);
bool received_remove(struct received *r, uint16_t id); /* false: it was not there */
void received_fini(struct alloc *a, struct received *r);

/* As bytes for the database: big-endian ids, ascending. The writer has room for 2 * ids.n. */
void received_write(const struct received *r, struct writer *w);
/* Adds what is written there. False: no memory. */
MUST_USE bool received_read(struct alloc *a, struct received *r, struct bytes from);
