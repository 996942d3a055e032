/* mpsc: an intrusive stack that any thread may push on and its owner takes as a whole.
 *
 * Why: what other threads hand to one owner (a block that goes home to its pool). A push is one
 * exchange and never waits. Since nothing is ever popped by itself, a node that was taken and
 * pushed again meanwhile does no harm: a push only wants the newest node to be still the newest,
 * and who that is, is all that it knows of it (no ABA).
 * Ownership: a node is the stack's from push to take; it must stay in memory that long.
 * Threads: mpsc_push() and mpsc_is_empty() any; mpsc_take_all() too, but it is meant for one
 * owner. What a thread did before its push is seen by who took the node.
 * Source: Treiber, Systems Programming: Coping with Parallelism, IBM RJ 5118 (1986), without its
 * pop. Depends on base/atomic.h only, so that tests/model can explore it. */
#pragma once

#include "base/atomic.h"
#include <stdbool.h>
#include <stddef.h>

struct mpsc_node {
    struct mpsc_node *next;
};
struct mpsc_stack {
    _Atomic(struct mpsc_node *) head;
};

/* first … last are linked by `next` already; first is taken first. True: the stack was empty, so
 * that whoever wakes the owner needs to do so only then. */
static inline bool mpsc_push_chain(struct mpsc_stack *s, struct mpsc_node *first,
                                   struct mpsc_node *last)
{
    struct mpsc_node *head = atomic_load_explicit(&s->head, memory_order_relaxed);
    do
        last->next = head;
    while (!atomic_compare_exchange_weak_explicit(&s->head, &head, first, memory_order_release,
                                                  memory_order_relaxed));
    return head == NULL;
}

static inline bool mpsc_push(struct mpsc_stack *s, struct mpsc_node *n)
{
    return mpsc_push_chain(s, n, n);
}

/* All of them, the last that was pushed first; NULL: none. Every push is a read-modify-write, so
 * that this one acquire sees what each of the pushers released. */
static inline struct mpsc_node *mpsc_take_all(struct mpsc_stack *s)
{
    if (!atomic_load_explicit(&s->head, memory_order_relaxed))
        return NULL; /* looking costs less than taking */
    return atomic_exchange_explicit(&s->head, NULL, memory_order_acquire);
}

static inline bool mpsc_is_empty(struct mpsc_stack *s)
{
    return atomic_load_explicit(&s->head, memory_order_relaxed) == NULL;
}
