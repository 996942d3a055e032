/* pool: fixed-size blocks from slabs, for objects whose number is bounded.
 *
 * Why: a session must not fail half-way for want of memory, and a hot path must not call
 * malloc. For variable sizes see arena.h (one end for all) and buffers.h (each its own).
 * Ownership: the pool owns its slabs; a block is the taker's until it is given back. Slabs are
 * taken from the allocator as needed (`reserve` blocks at once) and kept: what was in use at the
 * peak stays in the pool. A pool that is listed (pool_list.h) must not move.
 * Threads: a pool has an owner, one worker, to whom all belongs but pool_give_remote(),
 * pool_returns_flush() and pool_stats(). Blocks that other threads give gather in a list that the
 * owner takes as a whole when its own has run out: it pays for other threads then only, and no
 * block changes its home.
 * Errors: a full pool is an answer, not an error: pool_take() returns NULL and counts it; the
 * caller turns it into back-pressure.
 * Under AddressSanitizer a block that is not in use is poisoned. Of one that waits for its owner
 * the head is not: it is a link there. */
#pragma once

#include "base/alloc.h"
#include "base/list.h"
#include "base/mpsc.h"
#include "base/poison.h"

struct pool_list;
struct pool_slab;

/* The statistics are atomic so that other threads may read them; only the owner writes them. */
struct pool {
    /* At every take and give. */
    struct mpsc_node *free;
    _Atomic size_t in_use; /* with what waits in `given`; see pool_stats() */
    _Atomic size_t peak;
    /* Seldom. This is also what keeps the line above apart from the one that others write. */
    size_t block_size, blocks_max;
    _Atomic size_t blocks_made;
    _Atomic uint64_t refused;
    _Atomic size_t collected; /* of given_count: are in `free` again, or in use */
    struct alloc *alloc;
    struct pool_slab *slabs;
    /* Any thread. */
    struct mpsc_stack given;
    _Atomic size_t given_count; /* counted before it is in `given` */
    /* At start and end. */
    struct list link; /* in `list`; see pool_list.h */
    struct pool_list *list;
    const char *name;
    unsigned worker;
    uint8_t apart[8];
};
_Static_assert(offsetof(struct pool, given) - offsetof(struct pool, peak) >= 64 &&
                   sizeof(struct pool) - offsetof(struct pool, given) >= 64,
               "what others write shares no cache line with what the owner does, nor with what "
               "follows the pool");

MUST_USE enum err pool_init(struct pool *p, struct alloc *a, size_t block_size, size_t blocks_max,
                            size_t reserve);
/* ASSERTs that nothing is in use; no thread may be giving any more. */
void pool_fini(struct pool *p);
/* What is in use will not be given back: before pool_fini(), for owners whose users just end. */
void pool_abandon(struct pool *p);

/* Of pool_take(): what others gave, else a new slab, else NULL. */
struct mpsc_node *pool_refill(struct pool *p);

/* Not zeroed, aligned to 16. */
static inline void *pool_take(struct pool *p)
{
    struct mpsc_node *b = p->free;
    if (__builtin_expect(!b, 0) && !(b = pool_refill(p)))
        return NULL;
    memory_unpoison(b, p->block_size);
    p->free = b->next;
    __builtin_prefetch(p->free, 1); /* another core may have had it last */
    size_t n = atomic_load_explicit(&p->in_use, memory_order_relaxed) + 1;
    atomic_store_explicit(&p->in_use, n, memory_order_relaxed);
    if (n > atomic_load_explicit(&p->peak, memory_order_relaxed))
        atomic_store_explicit(&p->peak, n, memory_order_relaxed);
    return b;
}

/* NULL: nothing happens; also below. */
static inline void pool_give(struct pool *p, void *block)
{
    struct mpsc_node *b = block;
    if (!b)
        return;
    size_t n = atomic_load_explicit(&p->in_use, memory_order_relaxed);
    ASSERT(n > 0);
    atomic_store_explicit(&p->in_use, n - 1, memory_order_relaxed);
    b->next = p->free;
    p->free = b;
    memory_poison(b, p->block_size);
}

/* From any thread; the owner should prefer pool_give(). */
void pool_give_remote(struct pool *p, void *block);

/* For a thread that gives many: they go home in bundles of POOL_RETURNS, two atomic operations for
 * all of them. The blocks of a bundle that was not flushed are still in use. Zeroed but for `home`
 * it is ready; it belongs to one thread. */
enum { POOL_RETURNS = 32 };
struct pool_returns {
    struct pool *home;
    struct mpsc_node *first, *last;
    size_t n;
};
void pool_returns_flush(struct pool_returns *r);
static inline void pool_returns_give(struct pool_returns *r, void *block)
{
    struct mpsc_node *b = block;
    if (!b)
        return;
    b->next = r->first;
    if (!r->first)
        r->last = b;
    r->first = b;
    memory_poison(b + 1, r->home->block_size - sizeof(*b));
    if (++r->n == POOL_RETURNS)
        pool_returns_flush(r);
}

struct pool_stats {
    size_t block_size, blocks_max, blocks_made;
    size_t in_use;         /* taken and not given back by anybody */
    size_t peak;           /* that were out at once; with those that still waited for the owner */
    uint64_t refused;      /* takes: at the limit, or without memory */
    uint64_t given_remote; /* by other threads */
};
/* From any thread. Exact for the owner, and for all while nobody takes or gives; else the members
 * are not of one moment. */
struct pool_stats pool_stats(const struct pool *p);
