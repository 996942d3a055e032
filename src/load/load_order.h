/* load_order: whether the messages of one publisher come to one place complete, once, and in order.
 *
 * Why: the numbers count up from 0, so the common case is one comparison. What is missing is kept
 * as a few ranges: a number out of one of them comes late (reordered), any other old one is a
 * duplicate. When there are more gaps than fit, the oldest is forgotten, and what still comes out
 * of it counts as duplicated: by then the run has failed anyway.
 *
 * load_share is the same for a group whose members get different messages: each member's numbers
 * must rise, and no two members may get the same.
 * How late one of them may come has no bound: a member's queue may hold it for as long as it likes.
 * Ownership: load_share owns its bits. Threads: none. */
#pragma once

#include "base/alloc.h"

enum { LOAD_GAPS = 16 };

struct load_order {
    uint64_t next; /* every number below was seen or is in a gap */
    uint64_t lost, duplicated, reordered;
    struct {
        uint64_t from, to;
    } gaps[LOAD_GAPS];
    unsigned gaps_n;
};

void load_order_odd(struct load_order *o, uint64_t number);
/* Returns by how much `next` has moved. */
static inline uint64_t load_order_take(struct load_order *o, uint64_t number)
{
    uint64_t before = o->next;
    if (__builtin_expect(number == before, 1))
        o->next++;
    else
        load_order_odd(o, number);
    return o->next - before;
}
/* Nothing comes any more: numbers up to `sent` that did not are lost. */
void load_order_end(struct load_order *o, uint64_t sent);

struct load_share {
    uint64_t *bits; /* by number: it was seen */
    size_t words;
    uint64_t seen;       /* different numbers; without memory for one it is not, so the run fails */
    uint64_t duplicated; /* by whichever member */
    struct alloc *alloc;
};
void load_share_init(struct load_share *s, struct alloc *a);
void load_share_fini(struct load_share *s);
/* Whether it is new. */
bool load_share_take(struct load_share *s, uint64_t number);
