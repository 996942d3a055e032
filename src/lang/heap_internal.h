/* heap_internal: what the files of the heap share. Private to lang/. */
#pragma once

#include "lang/heap.h"

enum {
    HEAP_BLOCK_SMALL = 4096,
    HEAP_BLOCK_BIG = 65536,
    HEAP_BLOCK_HEAD = 64,
    HEAP_CLASS_BIG = 4 * HEAP_BLOCK_BIG, /* a class of this size takes big blocks */
    HEAP_PIECE = 2048,                   /* bytes of free cells that are taken at once, at most */
};

/* Cells of one size. What lies behind `made` cells was never used. */
struct heap_block {
    struct heap_block *next;         /* in heap_class.done or .unswept, or in the cache */
    struct heap_block *next_partial; /* in heap_class.partial */
    struct heap_cell *free;          /* while it is in there */
    uint32_t bytes, cell;
    uint32_t cells, made;
    uint32_t class;
};
_Static_assert(sizeof(struct heap_block) <= HEAP_BLOCK_HEAD, "cells begin behind it");

struct heap_large {
    struct heap_large *next;
    size_t bytes; /* with this head */
    struct obj obj;
};

/* A part of the marker's list; as large as a small block. */
enum { HEAP_GREY_N = HEAP_BLOCK_SMALL / sizeof(void *) - 1 };
struct heap_grey {
    struct heap_grey *below;
    struct obj *obj[HEAP_GREY_N];
};
_Static_assert(sizeof(struct heap_grey) == HEAP_BLOCK_SMALL, "from the same cache");

static inline struct obj *heap_block_cell(struct heap_block *b, size_t i)
{
    return (struct obj *)(void *)((char *)b + HEAP_BLOCK_HEAD + i * b->cell);
}
static inline bool heap_is_marked(const struct heap *h, const struct obj *o)
{
    return (o->flags & h->colour) != 0;
}

/* heap_block.c. The cache's memory: HEAP_BLOCK_SMALL or HEAP_BLOCK_BIG bytes; NULL without. */
void *heap_blocks_take(struct heap_blocks *b, size_t bytes);
void heap_blocks_give(struct heap_blocks *b, void *p, size_t bytes);
/* A new block for class c, which is in its lists then. NULL: limit or memory. */
struct heap_block *heap_block_new(struct heap *h, unsigned c);
void heap_block_free(struct heap *h, struct heap_block *b); /* it is in no list */
/* Moves free cells of some `bytes` from a partial block of class c, which there is, to the heap's
 * free list, which is empty. */
void heap_block_cut(struct heap *h, unsigned c, size_t bytes);
/* A cell or large object without content becomes that. */
void heap_cell_free(struct heap_cell *cell, size_t bytes);
struct heap_large *heap_large_new(struct heap *h, size_t bytes);
void heap_large_free(struct heap *h, struct heap_large *l);

/* heap_mark.c */
void heap_mark_begin(struct heap *h);
/* Until `bytes` are marked or `cost` is spent; true when the marking of this cycle has ended. */
bool heap_mark_some(struct heap *h, size_t bytes, size_t cost);
void heap_mark_end(struct heap *h); /* forgets the marker's list, at any time */

/* heap_sweep.c */
void heap_sweep_begin(struct heap *h);
/* One block, of class c if it has one, else some large objects. False: all is swept, and the cycle
 * has ended. */
bool heap_sweep_some(struct heap *h, unsigned c);

/* heap_pace.c */
void heap_pace(struct heap *h); /* after marking: when to begin again, and when to be done */
size_t heap_piece(const struct heap *h); /* bytes of free cells to be taken now */
/* The work that goes with the allocation of so many bytes, of class c. */
void heap_advance(struct heap *h, size_t bytes, unsigned c);
