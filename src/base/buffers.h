/* buffers: an allocator for bytes that come and go in many sizes, in front of another one.
 *
 * Why: messages, requests and answers live for a moment, by the million, in few sizes, and are
 * often freed by another thread than the one that made them. Here each size class is a pool: a few
 * nanoseconds, whatever the order, and no lock.
 * How: a region of bounded size is cut into slabs as they are needed, each for the pool of one
 * size class; there are four classes to a doubling, so that at most a fifth of a block is lost.
 * A class gets at most a quarter of the region, or a burst of one size would leave nothing for
 * the others. What is larger than the classes, what finds its class or the region used up, and
 * what another thread asks for, comes from the parent. A block's address tells where it is from,
 * and the caller knows its size, so that nothing stands in front of it.
 * Ownership: the region is one block of the parent, from buffers_init() to buffers_fini(); of a
 * large one the kernel backs only what has been touched. A slab stays with its class. The struct
 * must not move.
 * Threads: it belongs to the thread that initialised it, or adopted it since. Others may free
 * what it gave, and may allocate if the parent lets them: alloc_system() does.
 * Errors: as of any struct alloc. Under AddressSanitizer what is not in use is poisoned, to the
 * byte, and a free with another size than that of the allocation is found. */
#pragma once

#include "base/pool.h"

enum {
    BUFFERS_SIZE_MIN = 64,
    BUFFERS_SIZE_MAX = 32 * 1024,
    BUFFERS_CLASSES = 4 * 9 + 1, /* 64, 80, 96, 112, 128 … 32768 */
    BUFFERS_SHARE = 4,           /* of the region: the most that a class gets */
};

struct buffers {
    struct alloc alloc; /* to be handed down */
    struct alloc *parent;
    uintptr_t home; /* its thread */
    uint8_t *region;
    size_t region_size, region_used;
    struct alloc slabs; /* of the pools: cuts the region */
    struct pool pools[BUFFERS_CLASSES];
};
MUST_USE enum err buffers_init(struct buffers *b, struct alloc *parent, size_t region_size);
void buffers_fini(struct buffers *b);  /* ASSERTs that nothing of the region is in use */
void buffers_adopt(struct buffers *b); /* from now on it belongs to the calling thread */
