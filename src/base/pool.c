#include "base/pool.h"
#include "base/pool_list.h"

#define ALIGN      ((size_t)16)
#define SLAB_BYTES ((size_t)16 * 1024) /* of a slab that is taken because it is needed */

/* 16 bytes on machines of 64 bit, so that the blocks behind it are aligned. */
struct pool_slab {
    struct pool_slab *next;
    size_t size;
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
    atomic_fetch_add_explicit(&p->blocks_made, blocks, memory_order_relaxed);
    /* From the last to the first, so that the first is taken first. */
    for (size_t i = blocks; i-- > 0;) {
        struct mpsc_node *f = (void *)((char *)slab + SLAB_HEAD + i * p->block_size);
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

/* What other threads gave becomes free. They counted it before they gave it, so the count may be
 * ahead of the list for a moment; it never lags behind. */
static bool collect(struct pool *p)
{
    struct mpsc_node *list = mpsc_take_all(&p->given);
    if (!list)
        return false;
    size_t count = atomic_load_explicit(&p->given_count, memory_order_relaxed);
    size_t n = count - atomic_load_explicit(&p->collected, memory_order_relaxed);
    size_t in_use = atomic_load_explicit(&p->in_use, memory_order_relaxed);
    ASSERT(n <= in_use);
    atomic_store_explicit(&p->in_use, in_use - n, memory_order_relaxed);
    atomic_store_explicit(&p->collected, count, memory_order_release);
    if (MEMORY_POISONS) {
        for (struct mpsc_node *b = list, *next; b; b = next) {
            next = b->next;
            memory_poison(b, p->block_size);
        }
    }
    p->free = list;
    return true;
}

void pool_abandon(struct pool *p)
{
    (void)collect(p);
    atomic_store_explicit(&p->in_use, 0, memory_order_relaxed);
}

void pool_fini(struct pool *p)
{
    if (p->list)
        pool_list_remove(p);
    if (!p->free)
        (void)collect(p);
    ASSERT(pool_stats(p).in_use == 0);
    while (p->slabs) {
        struct pool_slab *slab = p->slabs;
        p->slabs = slab->next;
        memory_unpoison(slab, slab->size);
        mem_free(p->alloc, slab, slab->size);
    }
    p->free = NULL;
    (void)mpsc_take_all(&p->given);
    atomic_store_explicit(&p->blocks_made, 0, memory_order_relaxed);
}

static bool grow(struct pool *p)
{
    size_t left = p->blocks_max - atomic_load_explicit(&p->blocks_made, memory_order_relaxed);
    size_t blocks = SLAB_BYTES / p->block_size;
    if (blocks == 0)
        blocks = 1;
    if (blocks > left)
        blocks = left;
    return blocks > 0 && slab_add(p, blocks) == ERR_OK;
}

struct mpsc_node *pool_refill(struct pool *p)
{
    if (!collect(p) && !grow(p))
        atomic_fetch_add_explicit(&p->refused, 1, memory_order_relaxed);
    return p->free;
}

static void give_chain(struct pool *p, struct mpsc_node *first, struct mpsc_node *last, size_t n)
{
    atomic_fetch_add_explicit(&p->given_count, n, memory_order_relaxed);
    (void)mpsc_push_chain(&p->given, first, last);
}

void pool_give_remote(struct pool *p, void *block)
{
    struct mpsc_node *b = block;
    if (!b)
        return;
    memory_poison(b + 1, p->block_size - sizeof(*b));
    give_chain(p, b, b, 1);
}

void pool_returns_flush(struct pool_returns *r)
{
    if (r->first)
        give_chain(r->home, r->first, r->last, r->n);
    *r = (struct pool_returns){.home = r->home};
}

struct pool_stats pool_stats(const struct pool *p)
{
    /* First, so that it is not ahead of what was given. */
    size_t collected = atomic_load_explicit(&p->collected, memory_order_acquire);
    size_t given = atomic_load_explicit(&p->given_count, memory_order_relaxed);
    size_t in_use = atomic_load_explicit(&p->in_use, memory_order_relaxed);
    size_t waiting = given - collected;
    return (struct pool_stats){
        .block_size = p->block_size,
        .blocks_max = p->blocks_max,
        .blocks_made = atomic_load_explicit(&p->blocks_made, memory_order_relaxed),
        .in_use = in_use > waiting ? in_use - waiting : 0, /* they are not of one moment */
        .peak = atomic_load_explicit(&p->peak, memory_order_relaxed),
        .refused = atomic_load_explicit(&p->refused, memory_order_relaxed),
        .given_remote = given,
    };
}
