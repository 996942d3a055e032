#include <sedge/pool.h>

#include "base/arena.h"
#include "base/pool.h"
#include "lib/facade.h"

LIB_STORAGE(sedge_pool, pool)
LIB_STORAGE(sedge_arena, arena)

enum sedge_err sedge_pool_init(struct sedge_pool *pool, size_t block_size, size_t blocks_max,
                               size_t reserve)
{
    return err_public(pool_init(pool_of(pool), alloc_system(), block_size, blocks_max, reserve));
}

void sedge_pool_fini(struct sedge_pool *pool)
{
    pool_fini(pool_of(pool));
}

void *sedge_pool_take(struct sedge_pool *pool)
{
    return pool_take(pool_of(pool));
}

void sedge_pool_give(struct sedge_pool *pool, void *block)
{
    pool_give(pool_of(pool), block);
}

void sedge_pool_give_remote(struct sedge_pool *pool, void *block)
{
    pool_give_remote(pool_of(pool), block);
}

struct sedge_pool_stats sedge_pool_stats(const struct sedge_pool *pool)
{
    struct pool_stats s = pool_stats(pool_of(pool));
    return (struct sedge_pool_stats){s.in_use, s.peak, s.refused, s.given_remote};
}

void sedge_arena_init(struct sedge_arena *arena, size_t bytes_max)
{
    arena_init(arena_of(arena), alloc_system(), bytes_max);
}

void sedge_arena_fini(struct sedge_arena *arena)
{
    arena_fini(arena_of(arena));
}

void sedge_arena_reset(struct sedge_arena *arena)
{
    arena_reset(arena_of(arena));
}

void *sedge_arena_new(struct sedge_arena *arena, size_t size)
{
    return arena_new(arena_of(arena), size);
}

void *sedge_arena_array(struct sedge_arena *arena, size_t count, size_t size)
{
    return arena_array(arena_of(arena), count, size);
}

char *sedge_arena_text(struct sedge_arena *arena, const char *text, size_t n)
{
    return (char *)(uintptr_t)arena_str(arena_of(arena), (struct str){text, n}).p;
}

size_t sedge_arena_used(const struct sedge_arena *arena)
{
    return arena_of(arena)->used;
}
