/* chan: the fixed ring of a channel inside a program. Who waits at it is the machine's business.
 *
 * Threads, errors: the heap's. false: full or empty, an answer; NULL: the heap is full. */
#pragma once

#include "lang/heap.h"

enum { CHAN_REFS = 1 }; /* layout: its slots are references */
enum { CHAN_CAP_MAX = 1 << 16 };

struct chan {
    struct obj hdr;
    uint32_t cap, n;
    uint32_t head; /* of the oldest */
    uint32_t closed;
    /* The machine's: numbers of tasks that wait, 0 for none. */
    uint32_t receivers, senders;
    union lang_slot slot[];
};

struct chan *chan_obj_new(struct heap *h, bool refs, size_t cap);
/* ERR_FULL: no room; ERR_CLOSED; ERR_NOMEM: the undo log is full. */
MUST_USE enum err chan_obj_put(struct heap *h, struct chan *c, union lang_slot v);
/* ERR_AGAIN: empty; ERR_CLOSED: empty and closed; ERR_NOMEM: the undo log is full. */
MUST_USE enum err chan_obj_take(struct heap *h, struct chan *c, union lang_slot *out);
MUST_USE bool chan_obj_close(struct heap *h, struct chan *c);
