/* arena: many small allocations that end together.
 *
 * Why: a parse or a turn makes hundreds of little things with one life.
 * Ownership: all memory is the arena's until arena_reset() or arena_fini(). arena_reset() keeps one
 * block of at most ARENA_BLOCK_MAX bytes, so that the next round needs no allocator, and an
 * unusually large thing is not kept for ever.
 * Threads: none. Errors: NULL above `max` bytes or without memory; sets `failed`, which stays until
 * the next reset, so that a caller may look once at the end.
 * Under AddressSanitizer what was not handed out is poisoned: what a reset took back, and the bytes
 * from the end of an allocation to the next multiple of 16. */
#pragma once

#include "base/str.h"

enum { ARENA_BLOCK_MAX = 256 * 1024 }; /* larger ones are for one allocation each */

struct arena_block;
struct arena {
    struct alloc *alloc;
    struct arena_block *blocks; /* the first is being filled; behind it what is full */
    size_t used, max;           /* bytes, each allocation rounded up to 16 */
    size_t used_before;         /* the most that any round before this one used */
    bool failed;
};
void arena_init(struct arena *a, struct alloc *alloc, size_t max);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);
void *arena_new(struct arena *a, size_t size); /* zeroed, aligned to 16 */
void *arena_array(struct arena *a, size_t count, size_t size);
struct str arena_str(struct arena *a, struct str s); /* a copy with a NUL behind it */
struct str arena_strf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The most bytes in use at once since arena_init(). */
static inline size_t arena_peak(const struct arena *a)
{
    return a->used > a->used_before ? a->used : a->used_before;
}
