/* arena: many small allocations that end together.
 *
 * Why: a parse or a turn makes hundreds of little things with one life.
 * Ownership: all memory is the arena's until arena_reset() or arena_fini().
 * Threads: none. Errors: NULL above `max` bytes or without memory; sets `failed`. */
#pragma once

#include "base/str.h"

struct arena_block;
struct arena {
    struct alloc *alloc;
    struct arena_block *blocks;
    size_t used, max;
    bool failed;
};
void arena_init(struct arena *a, struct alloc *alloc, size_t max);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);             /* keeps one block */
void *arena_new(struct arena *a, size_t size); /* zeroed, aligned to 16 */
void *arena_array(struct arena *a, size_t count, size_t size);
struct str arena_str(struct arena *a, struct str s); /* a copy with a NUL behind it */
struct str arena_strf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
