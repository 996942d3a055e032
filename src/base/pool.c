#include "base/pool.h"
#include "base/base_internal.h"

#define ALIGN      ((size_t)16)
#define SLAB_BYTES ((size_t)16 * 1024) /* of a slab that is taken because it is needed */

/* 16 bytes on machines of 64 bit, so that the blocks behind it are aligned. */
struct pool_slab {
    struct pool_slab *next;
    size_t size;
};

struct free_block {
    struct free_block *next;
};

#define SLAB_HEAD ((sizeof(struct pool_slab) + ALIGN - 1) & ~(ALIGN - 1))

static enum err slab_add(struct pool *p, size_t blocks)
{
    size_t size;
    if (__builtin_mul_overflow(blocks, p->block_size, &size) ||
        __builtin_add_overflow(size, SLAB_HEAD, &size))
        return ERR_NOMEM;
    struct pool_slab *slab = mem_new(p->alloc, size);
    if (!slab)
        return ERR_NOMEM;
    *slab = (struct pool_slab){p->slabs, size};
    p->slabs = slab;
    p->blocks_made += blocks;
    /* From the last to the first, so that the first is taken first. */
    for (size_t i = blocks; i-- > 0;) {
        struct free_block *f = (void *)((char *)slab + SLAB_HEAD + i * p->block_size);
        f->next = p->free;
        p->free = f;
    }
    memory_poison((char *)slab + SLAB_HEAD, size - SLAB_HEAD);
    return ERR_OK;
}

enum err pool_init(struct pool *p, struct alloc *a, size_t block_size, size_t blocks_max,
                   size_t reserve)
{
    *p = (struct pool){.alloc = a, .blocks_max = blocks_max};
    if (block_size == 0 || block_size > SIZE_MAX - ALIGN)
        return ERR_INVALID;
    p->block_size = (block_size + ALIGN - 1) & ~(ALIGN - 1);
    if (reserve > blocks_max)
        return ERR_INVALID;
    return reserve ? slab_add(p, reserve) : ERR_OK;
}

void pool_fini(struct pool *p)
{
    ASSERT(p->in_use == 0);
    while (p->slabs) {
        struct pool_slab *slab = p->slabs;
        p->slabs = slab->next;
        memory_unpoison(slab, slab->size);
        mem_free(p->alloc, slab, slab->size);
    }
    p->free = NULL;
    p->blocks_made = 0;
}

static bool grow(struct pool *p)
{
    size_t left = p->blocks_max - p->blocks_made;
    size_t blocks = SLAB_BYTES / p->block_size;
    if (blocks == 0)
        blocks = 1;
    if (blocks > left)
        blocks = left;
    return blocks > 0 && slab_add(p, blocks) == ERR_OK;
}

void *pool_take(struct pool *p)
{
    if (!p->free && !grow(p)) {
        p->refused++;
        return NULL;
    }
    struct free_block *f = p->free;
    memory_unpoison(f, p->block_size);
    p->free = f->next;
    p->in_use++;
    if (p->in_use > p->peak)
        p->peak = p->in_use;
    return f;
}

void pool_give(struct pool *p, void *block)
{
    if (!block)
        return;
    ASSERT(p->in_use > 0);
    p->in_use--;
    struct free_block *f = block;
    f->next = p->free;
    p->free = f;
    memory_poison(f, p->block_size);
}
