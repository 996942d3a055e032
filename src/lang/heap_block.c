#include "lang/heap_internal.h"

#include <string.h>

/* ---- the worker's cache ---- */

void heap_blocks_init(struct heap_blocks *b, struct alloc *a, size_t bytes_max)
{
    *b = (struct heap_blocks){.alloc = a, .max = bytes_max};
}

static void cache_drop(struct heap_blocks *b, struct heap_block *list, size_t bytes)
{
    while (list) {
        struct heap_block *next = list->next;
        mem_free(b->alloc, list, bytes);
        list = next;
    }
}

void heap_blocks_fini(struct heap_blocks *b)
{
    cache_drop(b, b->small, HEAP_BLOCK_SMALL);
    cache_drop(b, b->big, HEAP_BLOCK_BIG);
    b->small = b->big = NULL;
    b->bytes = 0;
}

void *heap_blocks_take(struct heap_blocks *b, size_t bytes)
{
    struct heap_block **list = bytes == HEAP_BLOCK_BIG ? &b->big : &b->small;
    struct heap_block *block = *list;
    if (!block)
        return mem_new(b->alloc, bytes);
    *list = block->next;
    b->bytes -= bytes;
    return block;
}

void heap_blocks_give(struct heap_blocks *b, void *p, size_t bytes)
{
    memory_unpoison(p, bytes);
    if (b->bytes + bytes > b->max) {
        mem_free(b->alloc, p, bytes);
        return;
    }
    struct heap_block **list = bytes == HEAP_BLOCK_BIG ? &b->big : &b->small;
    struct heap_block *block = p;
    block->next = *list;
    *list = block;
    b->bytes += bytes;
}

/* ---- blocks of a heap ---- */

static bool may_hold(const struct heap *h, size_t bytes)
{
    return h->stats.bytes <= h->config.limit && bytes <= h->config.limit - h->stats.bytes;
}

static void hold(struct heap *h, size_t bytes)
{
    h->stats.bytes += bytes;
    if (h->stats.bytes > h->stats.bytes_peak)
        h->stats.bytes_peak = h->stats.bytes;
}

struct heap_block *heap_block_new(struct heap *h, unsigned c)
{
    struct heap_class *class = &h->classes[c];
    size_t bytes = class->bytes >= HEAP_CLASS_BIG ? HEAP_BLOCK_BIG : HEAP_BLOCK_SMALL;
    if (!may_hold(h, bytes))
        bytes = HEAP_BLOCK_SMALL;
    if (!may_hold(h, bytes))
        return NULL;
    struct heap_block *b = heap_blocks_take(h->config.blocks, bytes);
    if (!b)
        return NULL;
    uint32_t cell = heap_cell_bytes[c];
    *b = (struct heap_block){.next = class->done,
                             .next_partial = class->partial,
                             .bytes = (uint32_t)bytes,
                             .cell = cell,
                             .cells = (uint32_t)(bytes - HEAP_BLOCK_HEAD) / cell,
                             .class = c};
    class->done = class->partial = b;
    class->bytes += bytes;
    hold(h, bytes);
    return b;
}

void heap_block_free(struct heap *h, struct heap_block *b)
{
    h->classes[b->class].bytes -= b->bytes;
    h->stats.bytes -= b->bytes;
    heap_blocks_give(h->config.blocks, b, b->bytes);
}

void heap_cell_free(struct heap_cell *cell, size_t bytes)
{
    memory_unpoison(cell, bytes);
    if (HEAP_STRESS)
        memset(cell, 0xdb, bytes);
    cell->hdr = (struct obj){.kind = OBJ_FREE};
    cell->next = NULL;
    memory_poison(cell + 1, bytes - sizeof(*cell));
}

/* Up to n cells that were never used, as a list. */
static struct heap_cell *carve(struct heap_block *b, size_t n)
{
    struct heap_cell *first = NULL;
    size_t end = b->made + n < b->cells ? b->made + n : b->cells;
    for (size_t i = end; i-- > b->made;) {
        struct heap_cell *cell = (struct heap_cell *)(void *)heap_block_cell(b, i);
        heap_cell_free(cell, b->cell);
        cell->next = first;
        first = cell;
    }
    b->made = (uint32_t)end;
    return first;
}

void heap_block_cut(struct heap *h, unsigned c, size_t bytes)
{
    struct heap_class *class = &h->classes[c];
    struct heap_block *b = class->partial;
    size_t n = bytes / b->cell ? bytes / b->cell : 1, taken = 0;
    if (b->free) {
        struct heap_cell *last = b->free;
        for (taken = 1; taken < n && last->next; taken++)
            last = last->next;
        h->free[c] = b->free;
        b->free = last->next;
        last->next = NULL;
    } else {
        size_t made = b->made;
        h->free[c] = carve(b, n);
        taken = b->made - made;
    }
    h->used += taken * b->cell;
    h->made += taken * b->cell;
    if (!b->free && b->made == b->cells)
        class->partial = b->next_partial;
}

/* ---- large objects ---- */

struct heap_large *heap_large_new(struct heap *h, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = offsetof(struct heap_large, obj) + ((bytes + 7) & ~(size_t)7);
    if (!may_hold(h, bytes))
        return NULL;
    struct heap_large *l = mem_new(h->config.blocks->alloc, bytes);
    if (!l)
        return NULL;
    l->bytes = bytes;
    l->next = h->large;
    h->large = l;
    hold(h, bytes);
    h->used += bytes;
    h->made += bytes;
    return l;
}

void heap_large_free(struct heap *h, struct heap_large *l)
{
    h->stats.bytes -= l->bytes;
    mem_free(h->config.blocks->alloc, l, l->bytes);
}
