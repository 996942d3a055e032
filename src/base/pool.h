/* pool: fixed-size blocks from slabs, for objects whose number is bounded.
 *
 * Why: a session must not fail half-way for want of memory, and a hot path must not call
 * malloc. For variable sizes see arena.h.
 * Ownership: the pool owns its slabs; a block is the taker's until pool_give(). Slabs are taken
 * from the allocator as needed (`reserve` blocks at once) and kept.
 * Threads: none; a pool belongs to one worker.
 * Errors: a full pool is an answer, not an error: pool_take() returns NULL and counts it; the
 * caller turns it into back-pressure. */
#pragma once

#include "base/alloc.h"

struct pool_slab;
struct pool {
    struct alloc *alloc;
    struct pool_slab *slabs;
    void *free;
    size_t block_size, blocks_max, blocks_made;
    size_t in_use, peak;
    uint64_t refused;
};
MUST_USE enum err pool_init(struct pool *p, struct alloc *a, size_t block_size, size_t blocks_max,
                            size_t reserve);
void pool_fini(struct pool *p);  /* ASSERTs that nothing is in use */
void *pool_take(struct pool *p); /* not zeroed */
void pool_give(struct pool *p, void *block);
