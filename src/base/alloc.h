/* alloc: the allocator that is handed down.
 *
 * Why: whoever builds a thing decides where its memory comes from and how much there may be;
 * tests let every allocation fail in turn. Sizes are given back on free, so that limits need
 * no headers. Blocks are aligned to 16 bytes.
 * Ownership: a block belongs to who allocated it; free it through the same allocator.
 * Threads: alloc_system() any; the others belong to one thread.
 * Errors: NULL; nothing is changed then. */
#pragma once

#include "base/err.h"

struct alloc {
    /* new_size 0 frees; p NULL allocates; else the block is moved or resized. */
    void *(*resize)(struct alloc *a, void *p, size_t old_size, size_t new_size);
};

/* malloc and friends. */
struct alloc *alloc_system(void);

static inline void *mem_new(struct alloc *a, size_t size)
{
    return a->resize(a, NULL, 0, size);
}
void *mem_zero(struct alloc *a, size_t size);                /* zeroed */
void *mem_array(struct alloc *a, size_t count, size_t size); /* zeroed; NULL on overflow */
static inline void *mem_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    return a->resize(a, p, old_size, new_size);
}
static inline void mem_free(struct alloc *a, void *p, size_t size)
{
    if (p)
        (void)a->resize(a, p, size, 0);
}

/* Passes on to a parent up to a limit in bytes. */
struct alloc_limited {
    struct alloc alloc;
    struct alloc *parent;
    size_t used, peak, max;
    uint64_t refused;
};
void alloc_limited_init(struct alloc_limited *l, struct alloc *parent, size_t max);

/* For tests: the allocation number `fail_at` (from 0) and all later ones fail; counts what is
 * not given back. */
struct alloc_faulty {
    struct alloc alloc;
    uint64_t count, fail_at;
    size_t live_bytes;
    bool failed;
};
void alloc_faulty_init(struct alloc_faulty *f, uint64_t fail_at);
