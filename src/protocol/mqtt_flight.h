/* mqtt_flight: the states of a message between its packet id and the end of it.
 *
 * Why: QoS 1 and 2 towards a client are one table, state x packet (mqtt_flight.c), so that what a
 * packet means at any moment can be read in one place. An entry of a QoS 2 message of a stored
 * session is noted in the journal before its PUBLISH leaves, and before its PUBREL does: after a
 * crash the same id stands for the same message, and nothing is delivered twice.
 * Ids are consecutive from the ring's head on (1 follows 65,535); an entry that is done stays as a
 * hole until those before it are done too. So an id is an index, and none in use is given again.
 * Ownership: the ring is a session's; an entry has a reference to its message until PUBREC.
 * Threads: the session's worker. Source: MQTT 5.0 sections 4.3, 4.4 and 4.6. */
#pragma once

#include "base/alloc.h"
#include "bus/message.h"

/* A message for one client. */
struct outgoing {
    struct message *message; /* NULL: done with */
    union {
        uint32_t sub_id;   /* ids_n == 1 */
        uint32_t *sub_ids; /* ids_n > 1: owned */
    };
    uint32_t share_id; /* by which it came, see bus_share_again(); 0: none */
    uint16_t ids_n;
    uint8_t qos;
    bool retain;
};

enum flight_state {                      /* in the database: never renumber */
                    FLIGHT_DONE = 0,     /* a hole */
                    FLIGHT_SENT1 = 1,    /* QoS 1: waits for PUBACK */
                    FLIGHT_SENT2 = 2,    /* QoS 2: waits for PUBREC */
                    FLIGHT_RELEASED = 3, /* waits for PUBCOMP; the message has gone */
                    FLIGHT_STATES,
};
enum flight_event {
    FLIGHT_PUBACK,
    FLIGHT_PUBREC,
    FLIGHT_REFUSED, /* PUBREC with a reason of 0x80 or more */
    FLIGHT_PUBCOMP,
    FLIGHT_EVENTS,
};
enum flight_action {
    FLIGHT_ERROR,   /* a protocol error */
    FLIGHT_IGNORE,  /* such as an id of a session that has expired */
    FLIGHT_FINISH,  /* the client has it, or does not want it: its id is free */
    FLIGHT_RELEASE, /* PUBREL */
    FLIGHT_AGAIN,   /* PUBREL once more */
    FLIGHT_UNKNOWN, /* PUBREL with 0x92, so that the client forgets it (checklist 17) */
};
enum flight_action flight_action(enum flight_state state, enum flight_event event);

struct flight {
    struct outgoing out;
    uint64_t seq;   /* of the message */
    uint64_t noted; /* record that must be committed before the next packet leaves; 0: none */
    uint16_t id;
    uint8_t state;
    bool dup;     /* its PUBLISH has left once */
    bool counted; /* against the client's Receive Maximum, on this connection */
};
struct flight_ring {
    struct flight *v;
    uint32_t cap, head, n; /* cap is 0 or a power of two */
};
static inline struct flight *flight_at(const struct flight_ring *r, uint32_t i)
{
    return &r->v[(r->head + i) & (r->cap - 1)];
}
/* NULL: no entry has this id, or it is done. *index: where. */
struct flight *flight_find(const struct flight_ring *r, uint16_t id, uint32_t *index);
uint16_t flight_next_id(uint16_t id);
/* Room for one more; false without memory. */
MUST_USE bool flight_reserve(struct alloc *a, struct flight_ring *r);
/* A new last entry, with the next id; there is room. */
void flight_push(struct flight_ring *r, const struct flight *f);
/* At start: where its id belongs, which may be before, behind or between those that are there;
 * holes fill the rest, and *next_id goes on behind the last. The place is a hole or outside. False:
 * no memory, or more than `max` ids would lie between the first and the last. */
MUST_USE bool flight_place(struct alloc *a, struct flight_ring *r, const struct flight *f,
                           uint16_t *next_id, uint32_t max);
/* Removes the holes at the head; gives their number. */
uint32_t flight_shrink(struct flight_ring *r);
void flight_trim(struct alloc *a, struct flight_ring *r); /* memory of an empty one */
