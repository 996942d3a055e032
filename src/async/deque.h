/* deque: a worker's own stack of work, from whose other end other threads steal.
 *
 * Why: the owner puts and takes at the bottom, last in first out, while what it touches is still in
 * its cache and without a lock; who has nothing to do steals the oldest at the top.
 * After Chase and Lev as proved for weak memory by Lê, Pop, Cohen and Zappa Nardelli (Correct and
 * Efficient Work-Stealing for Weak Memory Models, PPoPP 2013), with two changes. The indices
 * are ordered by sequentially consistent accesses instead of fences: deque_take() announces what
 * it takes by an exchange, which costs less than a store and a fence (3.8 against 5.2 ns), and
 * the thread sanitizer understands it. And the buffer never grows: full is an answer, the caller
 * puts the work elsewhere, and no buffer is freed while a thief reads in it.
 * What was written before a push is seen by whoever takes or steals the element.
 * Ownership: the elements are the caller's; deque_fini() drops what is left of them.
 * Threads: deque_steal(), deque_len() and deque_is_empty() any; all else the owner's.
 * Errors: deque_init() ERR_INVALID, ERR_NOMEM. */
#pragma once

#include "base/alloc.h"
#include "base/atomic.h"

enum { DEQUE_LINE = 64, DEQUE_CAPACITY_MAX = 1 << 24 };

/* The indices only ever count on; an element lies in slots[index & mask]. They wrap like the
 * unsigned numbers they are, so they are compared by their difference. What the thieves write is
 * kept a cache line away from what the owner writes, by distance, since blocks of an allocator
 * are aligned to 16 bytes only. */
struct deque {
    char before[DEQUE_LINE];
    _Atomic uint64_t top; /* the oldest; who counts it on has taken that element */
    char between[DEQUE_LINE - sizeof(uint64_t)];
    _Atomic uint64_t bottom; /* behind the newest; written by the owner alone */
    uint64_t top_seen;       /* the owner's: `top` is there or beyond */
    uint64_t mask;
    _Atomic(void *) *slots;
    struct alloc *alloc;
    char after[DEQUE_LINE];
};

enum deque_steal { DEQUE_STOLEN, DEQUE_EMPTY, DEQUE_LOST_RACE };

/* capacity: a power of two, at most DEQUE_CAPACITY_MAX. */
MUST_USE enum err deque_init(struct deque *d, struct alloc *a, size_t capacity);
void deque_fini(struct deque *d); /* no thief may be at it */

/* False: full. */
MUST_USE static inline bool deque_push(struct deque *d, void *element)
{
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed);
    if (b - d->top_seen > d->mask) {
        /* Acquire: who took the element that lies in this slot has read it. */
        d->top_seen = atomic_load_explicit(&d->top, memory_order_acquire);
        if (b - d->top_seen > d->mask)
            return false;
    }
    atomic_store_explicit(&d->slots[b & d->mask], element, memory_order_relaxed);
    atomic_store_explicit(&d->bottom, b + 1, memory_order_release);
    return true;
}

/* What deque_take() does when `bottom` says that it takes the element b. */
static inline void *deque_take_announced(struct deque *d, uint64_t b)
{
    uint64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
    if ((int64_t)(b - t) < 0) {
        atomic_store_explicit(&d->bottom, b + 1, memory_order_relaxed);
        return NULL;
    }
    void *element = atomic_load_explicit(&d->slots[b & d->mask], memory_order_relaxed);
    if (b != t)
        return element;
    /* It is the last one: race the thieves for it, as one of them. */
    if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1, memory_order_seq_cst,
                                                 memory_order_relaxed))
        element = NULL;
    atomic_store_explicit(&d->bottom, b + 1, memory_order_relaxed);
    return element;
}

/* The newest; NULL: there is none. */
static inline void *deque_take(struct deque *d)
{
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;
    /* Thieves look at top, then at bottom; we write bottom, then look at top. So either a thief
     * sees that this element is taken, or we see that it is being stolen. */
    atomic_exchange_explicit(&d->bottom, b, memory_order_seq_cst);
    return deque_take_announced(d, b);
}

/* The same where all who steal make the barrier for both sides, see deque_steal_after_barrier(). */
static inline void *deque_take_unfenced(struct deque *d)
{
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;
    /* Release: a thief that reads this value must see what the pushes before it published. */
    atomic_store_explicit(&d->bottom, b, memory_order_release);
    atomic_signal_fence(
        memory_order_seq_cst); /* the compiler keeps the order; the thief does the rest */
    return deque_take_announced(d, b);
}

/* There is an element t, or somebody takes it just now. */
MUST_USE static inline enum deque_steal deque_steal_at(struct deque *d, uint64_t t, void **out)
{
    /* Read before it is ours: afterwards the owner may put another into its slot. */
    void *element = atomic_load_explicit(&d->slots[t & d->mask], memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1, memory_order_seq_cst,
                                                 memory_order_relaxed))
        return DEQUE_LOST_RACE;
    *out = element;
    return DEQUE_STOLEN;
}

/* The oldest, in *out. DEQUE_LOST_RACE: somebody else took it, there may be more. */
MUST_USE static inline enum deque_steal deque_steal(struct deque *d, void **out)
{
    uint64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_seq_cst);
    if ((int64_t)(b - t) <= 0)
        return DEQUE_EMPTY;
    return deque_steal_at(d, t, out);
}

/* From an owner that uses deque_take_unfenced(): `barrier` is barrier_all(). It comes after the
 * look at top: if the owner has seen an older top than this one and so takes an element without a
 * race, it had written bottom before, and now we see it. */
MUST_USE static inline enum deque_steal deque_steal_after_barrier(struct deque *d, void **out,
                                                                  void (*barrier)(void))
{
    uint64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
    if ((int64_t)(atomic_load_explicit(&d->bottom, memory_order_relaxed) - t) <= 0)
        return DEQUE_EMPTY; /* most of the time; looking costs less */
    barrier();
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_seq_cst);
    if ((int64_t)(b - t) <= 0)
        return DEQUE_EMPTY;
    return deque_steal_at(d, t, out);
}

/* Exact for the owner while nobody steals; from elsewhere it was so a moment ago. Sequentially
 * consistent, for who looks once more before it sleeps. */
static inline size_t deque_len(const struct deque *d)
{
    uint64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
    uint64_t b = atomic_load_explicit(&d->bottom, memory_order_seq_cst);
    return (int64_t)(b - t) > 0 ? (size_t)(b - t) : 0;
}
static inline bool deque_is_empty(const struct deque *d)
{
    return deque_len(d) == 0;
}
