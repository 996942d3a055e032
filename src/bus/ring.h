/* ring: what one worker hands to another, in order and without a lock.
 *
 * Why: a message for another worker's subscribers is one entry here; both sides touch a line of
 * the other only when they have used up what they knew of it, so a burst costs a store each.
 * Shape: head and tail count for ever and are taken modulo the size. The last place is kept free
 * for a fence, so that one can always follow. Bytes are counted by each side for itself; what lies
 * in the ring is the difference.
 * Back-pressure: who finds the ring full says so (ring_want()); the other side sees it when the
 * ring is half empty (ring_wanted()), and wakes him.
 * Ownership: the memory is its user's; the entries own what they point to.
 * Threads: ring_room(), ring_push(), ring_want() of the producer, ring_peek(), ring_peek_behind(),
 * ring_drop(), ring_wanted() of the consumer. What was written before a push is seen after a peek.
 *
 * Source: Lamport, Proving the Correctness of Multiprocess Programs (1977); the remembered indices
 * as in FastForward (Giacomoni et al., PPoPP 2008). */
#pragma once

#include "base/atomic.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;
struct sub;
enum ring_kind {
    RING_TOPIC, /* to all subscribers of the topic */
    RING_LOOK,  /* to its observers, too */
    RING_SHARE, /* to one member of a share */
    RING_FENCE,
};
struct ring_entry {
    struct message *message;
    struct sub *sub; /* RING_SHARE: referred to */
    uint64_t hash;   /* of the topic */
    uint8_t kind;
    uint8_t hops; /* members that did not take it */
};

struct ring {
    /* The producer's. */
    _Atomic uint64_t tail;
    _Atomic uint64_t bytes_in;
    uint64_t head_seen, bytes_seen;
    uint8_t apart1[32];
    /* The consumer's. */
    _Atomic uint64_t head;
    _Atomic uint64_t bytes_out;
    uint64_t tail_seen;
    uint8_t apart2[40];
    /* Seldom. */
    _Atomic bool wanted;
    uint32_t size; /* a power of two */
    uint64_t bytes_max;
    struct ring_entry *v;
    uint8_t apart3[40];
};

/* `v` has room for `size` entries, a power of two of at least two. */
static inline void ring_init(struct ring *r, struct ring_entry *v, uint32_t size,
                             uint64_t bytes_max)
{
    *r = (struct ring){.v = v, .size = size, .bytes_max = bytes_max};
}

static inline bool ring_fits(const struct ring *r, uint64_t tail, uint32_t n)
{
    uint64_t bytes = atomic_load_explicit(&r->bytes_in, memory_order_relaxed) - r->bytes_seen;
    return tail + n - r->head_seen < r->size && (bytes < r->bytes_max || tail == r->head_seen);
}

/* Whether n more may be pushed. */
static inline bool ring_room(struct ring *r, uint32_t n)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (__builtin_expect(ring_fits(r, tail, n), 1))
        return true;
    r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    r->bytes_seen = atomic_load_explicit(&r->bytes_out, memory_order_relaxed);
    return ring_fits(r, tail, n);
}

/* There is room, or it is a fence. */
static inline void ring_push(struct ring *r, const struct ring_entry *e, size_t bytes)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    r->v[tail & (r->size - 1)] = *e;
    atomic_store_explicit(&r->bytes_in,
                          atomic_load_explicit(&r->bytes_in, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
}

/* There was no room. True: there is by now. */
static inline bool ring_want(struct ring *r, uint32_t n)
{
    /* Either this load sees what the consumer has taken, or the consumer sees that it is wanted. */
    atomic_store(&r->wanted, true);
    r->head_seen = atomic_load(&r->head);
    r->bytes_seen = atomic_load_explicit(&r->bytes_out, memory_order_relaxed);
    return ring_fits(r, atomic_load_explicit(&r->tail, memory_order_relaxed), n);
}

/* The oldest, or NULL. */
static inline struct ring_entry *ring_peek(struct ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == r->tail_seen) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head == r->tail_seen)
            return NULL;
    }
    return &r->v[head & (r->size - 1)];
}

/* The one `n` behind the oldest, or NULL: as far as ring_peek() has looked. */
static inline const struct ring_entry *ring_peek_behind(const struct ring *r, uint32_t n)
{
    uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed) + n;
    return at < r->tail_seen ? &r->v[at & (r->size - 1)] : NULL;
}

/* The oldest has been taken. */
static inline void ring_drop(struct ring *r, size_t bytes)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    atomic_store_explicit(&r->bytes_out,
                          atomic_load_explicit(&r->bytes_out, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

/* After a number of drops: does the producer wait for the room that there is now? Once each. */
static inline bool ring_wanted(struct ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    atomic_store(&r->head, head); /* again, but in one order with what ring_want() does */
    if (!atomic_load(&r->wanted))
        return false;
    uint64_t used = atomic_load_explicit(&r->tail, memory_order_relaxed) - head;
    uint64_t bytes = atomic_load_explicit(&r->bytes_in, memory_order_relaxed) -
                     atomic_load_explicit(&r->bytes_out, memory_order_relaxed);
    return used <= r->size / 2 && bytes <= r->bytes_max / 2 && atomic_exchange(&r->wanted, false);
}

static inline bool ring_is_wanted(const struct ring *r) /* any of the two */
{
    return atomic_load_explicit(&r->wanted, memory_order_relaxed);
}
