/* sedge_pool: memory without malloc: pools of equal blocks, and arenas.
 *
 * Why: what serves a request must not fail half-way for want of memory, and a hot path must not
 * search for it. A pool has blocks of one size, up to a limit, and takes or gives one in a few
 * nanoseconds. An arena has things of any size that all end together.
 *
 * Ownership: pools and arenas lie where their owner puts them and are not moved. A block is the
 * taker's until it is given back to the pool that it came from; what an arena gave is the arena's.
 *
 * Threads: each belongs to one worker or thread; other threads give blocks back by
 * sedge_pool_give_remote().
 *
 * Errors: NULL from a pool at its limit or without memory (counted in its statistics), and from an
 * arena above its limit or without memory. */
#ifndef SEDGE_POOL_H
#define SEDGE_POOL_H

#include <sedge/err.h>

SEDGE_BEGIN

struct sedge_pool {
    uint64_t private_[32];
};
/* Takes memory for `reserve` blocks at once, for the rest as needed. SEDGE_ERR_INVALID: a size of
 * 0, or more in reserve than at most. SEDGE_ERR_NOMEM. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_pool_init(struct sedge_pool *pool, size_t block_size,
                                                        size_t blocks_max, size_t reserve);
/* All blocks must have been given back. */
SEDGE_API void sedge_pool_fini(struct sedge_pool *pool);
/* Aligned to 16 bytes, not zeroed. */
SEDGE_API SEDGE_MUST_USE void *sedge_pool_take(struct sedge_pool *pool);
/* NULL: nothing. */
SEDGE_API void sedge_pool_give(struct sedge_pool *pool, void *block);
/* The same from another thread than the owner's; the block goes back when the owner needs one. */
SEDGE_API void sedge_pool_give_remote(struct sedge_pool *pool, void *block);

struct sedge_pool_stats {
    size_t in_use, peak; /* blocks */
    uint64_t refused;    /* takes that returned NULL */
    uint64_t remote;     /* blocks that other threads gave */
};
SEDGE_API struct sedge_pool_stats sedge_pool_stats(const struct sedge_pool *pool);

struct sedge_arena {
    uint64_t private_[12];
};
/* bytes_max: of all that is in it at a time, each rounded up to 16. Takes no memory yet. */
SEDGE_API void sedge_arena_init(struct sedge_arena *arena, size_t bytes_max);
SEDGE_API void sedge_arena_fini(struct sedge_arena *arena);
/* Everything in it ends; one block of memory stays for what comes next. */
SEDGE_API void sedge_arena_reset(struct sedge_arena *arena);
/* Zeroed, aligned to 16 bytes. */
SEDGE_API SEDGE_MUST_USE void *sedge_arena_new(struct sedge_arena *arena, size_t size);
/* NULL also when count times size does not fit into a size_t. */
SEDGE_API SEDGE_MUST_USE void *sedge_arena_array(struct sedge_arena *arena, size_t count,
                                                 size_t size);
/* A copy of n bytes with a NUL behind them. */
SEDGE_API SEDGE_MUST_USE char *sedge_arena_text(struct sedge_arena *arena, const char *text,
                                                size_t n);
/* Bytes that are in it, counted as for bytes_max. */
SEDGE_API size_t sedge_arena_used(const struct sedge_arena *arena);

SEDGE_END
#endif
