/* stack: pooled stacks for coroutines, one slab of address space.
 *
 * Why: a stack must cost what is used of it. The slab is reserved without memory behind it; a
 * slot is 64 KiB, of which the kernel backs the pages that were touched: one for most coroutines.
 * Huge pages are refused, they would back 2 MiB at the first touch. The top of each stack is
 * moved down by another multiple of 64 bytes, or the hot ends of all stacks would share a few
 * sets of the first cache.
 * The lowest part of each slot is a guard. Kernels from 6.13 have MADV_GUARD_INSTALL, which
 * costs no mapping; older ones get mprotect(), which splits the slab into two mappings for each
 * stack, so that vm.max_map_count bounds their number (stack_pool_init() lowers it).
 * Ownership: a stack is the taker's until stack_give(), which must not be called on that stack.
 * What is given back is kept, the last one warm; beyond STACKS_WARM its memory goes back to the
 * kernel.
 * Threads: none; a pool belongs to one worker. stack_pool_guards() is safe in a signal handler.
 * Errors: ERR_NOMEM when the address space is refused. A full pool: NULL. */
#pragma once

#include "base/err.h"

enum {
    STACK_SLOT = 64 * 1024,
    STACK_GUARD = 16 * 1024, /* a frame that jumps over it is a bug of its own */
    STACK_COLOURS = 48,      /* times 64 bytes: leaves at least a quarter of the first page */
    STACKS_WARM = 4096,
    STACKS_MAX = 1 << 22,
};

enum stack_guard { STACK_GUARD_BEST, STACK_GUARD_MPROTECT };

struct stack_pool {
    uint8_t *slab;
    uint32_t *free;    /* slot numbers: the warm from the start, the last given on top; the cold
                          from the end */
    void **fibers;     /* of the thread sanitizer, one a slot */
    size_t slots_max;  /* as asked for, or fewer where guards are mappings */
    size_t slots_made; /* that have a guard */
    size_t warm, cold, in_use;
    bool guard_mprotect;
};
MUST_USE enum err stack_pool_init(struct stack_pool *p, size_t slots_max, enum stack_guard guard);
void stack_pool_fini(struct stack_pool *p); /* whatever is in use: the slab goes */
/* The top: aligned to 16, it grows downwards. NULL: all are in use, or the guard was refused. */
void *stack_take(struct stack_pool *p);
void stack_give(struct stack_pool *p, void *top);
/* True if `address` lies in the guard of one of the stacks. */
bool stack_pool_guards(const struct stack_pool *p, const void *address);

static inline size_t stack_slot(const struct stack_pool *p, const void *top)
{
    return (size_t)((const uint8_t *)top - 1 - p->slab) / STACK_SLOT;
}
static inline void *stack_lowest(const struct stack_pool *p, const void *top)
{
    return p->slab + stack_slot(p, top) * STACK_SLOT + STACK_GUARD;
}
