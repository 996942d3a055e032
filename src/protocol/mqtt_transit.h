/* mqtt_transit: what is on its way between a session and its client.
 *
 * Why apart: most sessions only wait, and then have none of it (see transit_own() in
 * mqtt_broker.h). Ownership: the session's. Threads: its worker. */
#pragma once

#include "base/list.h"
#include "base/vec.h"
#include "protocol/mqtt_flight.h"
#include "protocol/mqtt_received.h"

struct mqtt_session;
struct spill_load;

struct outgoing_ring {
    struct outgoing *v;
    uint32_t cap, head, n; /* cap is 0 or a power of two */
};
static inline struct outgoing *ring_at(const struct outgoing_ring *r, uint32_t i)
{
    return &r->v[(r->head + i) & (r->cap - 1)];
}

/* The middle of a queue that is only in the database, and the end of it that is in memory again.
 * Positions: from queue_at on the ring `queue`, then what is spilled, then from tail_at on the
 * tail. */
struct spill {
    struct outgoing_ring tail;
    int64_t tail_at;
    uint32_t n;              /* messages that are only in the database */
    size_t bytes;            /* of them, as in memory */
    struct spill_load *load; /* some are on their way back */
};

/* The session is done with a message: acknowledged or dropped. */
struct done {
    uint64_t seq;
    uint16_t id; /* of an entry that was noted; else 0 */
};

/* What is on its way between a session and its client, in both directions; and of a stored session
 * what is on its way to the journal and the database. */
struct transit {
    struct mqtt_session *session;
    /* What has a packet id and is not finished. The first `sent` of them have left on this
     * connection; the first `old` got their id on an earlier one; `unacked` count for the client's
     * Receive Maximum. */
    struct flight_ring flight;
    uint32_t sent, old, unacked;
    uint32_t queued_qos0;       /* of those that wait */
    struct outgoing_ring queue; /* what waits for the window, the stream or the client */
    int64_t queue_at;           /* position of the queue's head, in the database */
    int64_t stored_to;          /* positions below are in the database, */
    uint64_t stored_run;        /* once this run of the checkpoint has ended well */
    struct spill *spill;        /* NULL: all of the queue is in memory */
    size_t queued_bytes;        /* in memory, of what has an id too, */
    size_t flight_bytes;        /* which are these */
    struct received received;   /* QoS 2 publications of the client that wait for PUBREL */
    uint32_t received_before;   /* so many of them when it connected */
    uint64_t received_seq;      /* the last record about them */
    VEC(struct done) done;      /* not yet in the journal */
    struct list done_link;      /* in shard->done */
    struct list dirty;          /* in shard->dirty: differs from the database */
    struct list crowded;        /* in shard->crowded */
    uint64_t given;             /* of one that is not stored: record of what it got by a share
                                   from another one, to be committed before QoS 2 leaves */
    bool shared;                /* some of it may have come by a share */
    bool subs_dirty;
    bool requeue;   /* the rows of its queue have holes: write them anew */
    bool new_in_db; /* the database knows nothing of it */
};
