#include "base/buffers.h"
#include "base/thread_id.h"

#include <string.h>

/* The class of a size ≤ BUFFERS_SIZE_MAX: its doubling, and in which quarter of that it is. */
static unsigned class_of(size_t size)
{
    if (size <= BUFFERS_SIZE_MIN)
        return 0;
    unsigned top = 63 - (unsigned)__builtin_clzll(size - 1);
    return (top - 6) * 4 + (unsigned)((size - 1) >> (top - 2) & 3) + 1;
}

static size_t class_size(unsigned class)
{
    return (size_t)(4 + class % 4) << (4 + class / 4);
}

static bool is_pooled(const struct buffers *b, const void *p)
{
    return (uintptr_t)p - (uintptr_t)b->region < b->region_size;
}

static void *take(struct buffers *b, size_t size)
{
    if (size > BUFFERS_SIZE_MAX || b->home != thread_id())
        return mem_new(b->parent, size);
    struct pool *pool = &b->pools[class_of(size)];
    uint8_t *p = pool_take(pool);
    if (!p)
        return mem_new(b->parent, size);
    memory_poison(p + size, pool->block_size - size);
    return p;
}

static void give(struct buffers *b, void *p, size_t size)
{
    if (!is_pooled(b, p)) {
        mem_free(b->parent, p, size);
        return;
    }
    ASSERT(size <= BUFFERS_SIZE_MAX);
    struct pool *pool = &b->pools[class_of(size)];
    ASSERT(memory_is_exactly(p, size, pool->block_size));
    memory_unpoison(p, pool->block_size);
    if (b->home == thread_id())
        pool_give(pool, p);
    else
        pool_give_remote(pool, p);
}

static void *move(struct buffers *b, void *p, size_t old_size, size_t new_size)
{
    if (!is_pooled(b, p))
        return mem_resize(b->parent, p, old_size, new_size);
    if (new_size <= BUFFERS_SIZE_MAX && class_of(old_size) == class_of(new_size)) {
        size_t block_size = b->pools[class_of(new_size)].block_size;
        memory_unpoison(p, new_size);
        memory_poison((uint8_t *)p + new_size, block_size - new_size);
        return p;
    }
    void *q = take(b, new_size);
    if (q) {
        memcpy(q, p, old_size < new_size ? old_size : new_size);
        give(b, p, old_size);
    }
    return q;
}

static void *buffers_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct buffers *b = CONTAINER_OF(a, struct buffers, alloc);
    if (!p)
        return new_size ? take(b, new_size) : NULL;
    if (new_size)
        return move(b, p, old_size, new_size);
    give(b, p, old_size);
    return NULL;
}

/* A slab is given back at the end only, with the region. */
static void *slabs_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct buffers *b = CONTAINER_OF(a, struct buffers, slabs);
    (void)old_size;
    if (p || new_size > b->region_size - b->region_used)
        return NULL;
    uint8_t *slab = b->region + b->region_used;
    b->region_used += (new_size + 15) & ~(size_t)15;
    return slab;
}

enum err buffers_init(struct buffers *b, struct alloc *parent, size_t region_size)
{
    *b = (struct buffers){.alloc = {buffers_resize}, .parent = parent, .slabs = {slabs_resize}};
    region_size &= ~(size_t)15;
    b->region = mem_new(parent, region_size);
    if (!b->region)
        return ERR_NOMEM;
    b->region_size = region_size;
    buffers_adopt(b);
    for (unsigned i = 0; i < BUFFERS_CLASSES; i++) {
        size_t size = class_size(i);
        /* Without a reserve it can't fail. */
        enum err r =
            pool_init(&b->pools[i], &b->slabs, size, region_size / BUFFERS_SHARE / size, 0);
        ASSERT(r == ERR_OK);
    }
    return ERR_OK;
}

void buffers_fini(struct buffers *b)
{
    for (unsigned i = 0; i < BUFFERS_CLASSES; i++)
        pool_fini(&b->pools[i]);
    mem_free(b->parent, b->region, b->region_size);
    b->region = NULL;
    b->region_size = b->region_used = 0;
}

void buffers_adopt(struct buffers *b)
{
    b->home = thread_id();
}
