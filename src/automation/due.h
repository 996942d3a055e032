/* due: when each of a program's rules, readings and tasks wants to be looked at again.
 *
 * Why: a program has many times to wait for and one timer; so ten thousand programs of twenty rules
 * need ten thousand timers, and whoever runs the program needs none.
 * A binary heap of (time, slot); slots are numbers that the owner gives out, from 0.
 * Ownership: the struct owns its arrays. Threads: none. Errors: only due_init(), ERR_NOMEM. */
#pragma once

#include "base/alloc.h"

#define DUE_NEVER INT64_MAX

struct due_entry {
    int64_t at_ns;
    uint32_t slot;
};
struct due {
    struct alloc *alloc;
    struct due_entry *heap;
    uint32_t *place; /* of a slot in the heap, plus one; 0: not there */
    uint32_t n, slots;
};
MUST_USE enum err due_init(struct due *d, struct alloc *a, uint32_t slots);
void due_fini(struct due *d);
void due_set(struct due *d, uint32_t slot, int64_t at_ns); /* moves it if it is there */
void due_cancel(struct due *d, uint32_t slot);
int64_t due_at(const struct due *d, uint32_t slot); /* DUE_NEVER */
int64_t due_next_ns(const struct due *d);           /* DUE_NEVER */
/* Takes out the earliest that is due at `now_ns`; false if there is none. Of equal times the lower
 * slot comes first, so that runs are the same each time. */
bool due_take(struct due *d, int64_t now_ns, uint32_t *slot);
