#include "lang/heap_internal.h"

#include <string.h>

enum { SWEEP_FOR_ROOM = 4 };

/* Chosen so that the objects of every list, map and record of up to 8 slots fit exactly, and blocks
 * of 4 KB have little rest. */
const uint16_t heap_cell_bytes[HEAP_CLASSES] = {
    16,  24,  32,  40,  48,  56,  64,  72,  80,  96,  112, 128,  144,  160,
    192, 224, 256, 288, 336, 384, 448, 520, 576, 672, 800, 1032, 1344, HEAP_SMALL_MAX};

void heap_init(struct heap *h, const struct heap_config *config)
{
    *h = (struct heap){.colour = 1, .epoch = 1, .config = *config};
    heap_pace(h);
}

void heap_set_roots(struct heap *h, const struct heap_roots *roots)
{
    h->roots = *roots;
}

void heap_set_log(struct heap *h, heap_log_fn *log, void *ctx)
{
    h->log = log;
    h->log_ctx = ctx;
}

void heap_attach(struct heap *h, struct heap_blocks *blocks)
{
    h->config.blocks = blocks;
}

static void blocks_drop(struct heap *h, struct heap_block *b)
{
    while (b) {
        struct heap_block *next = b->next;
        heap_block_free(h, b);
        b = next;
    }
}

static void large_drop(struct heap *h, struct heap_large *l)
{
    while (l) {
        struct heap_large *next = l->next;
        heap_large_free(h, l);
        l = next;
    }
}

void heap_reset(struct heap *h)
{
    ASSERT(h->pushed_n == 0);
    heap_mark_end(h);
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        blocks_drop(h, h->classes[c].done);
        blocks_drop(h, h->classes[c].unswept);
        h->classes[c] = (struct heap_class){0};
        h->free[c] = NULL;
    }
    large_drop(h, h->large);
    large_drop(h, h->large_unswept);
    h->large = h->large_unswept = NULL;
    h->marking = false;
    h->phase = HEAP_IDLE;
    h->used = h->marked = h->made = h->stats.live = 0;
    heap_pace(h);
}

void heap_fini(struct heap *h)
{
    h->pushed_n = 0;
    if (h->config.blocks)
        heap_reset(h);
}

/* ---- turns ---- */

static void blocks_epoch_zero(struct heap_block *b)
{
    for (; b; b = b->next) {
        for (size_t i = 0; i < b->made; i++)
            heap_block_cell(b, i)->epoch = 0;
    }
}

static void large_epoch_zero(struct heap_large *l)
{
    for (; l; l = l->next)
        l->obj.epoch = 0;
}

/* Once in four billion turns: no object may look as if it were of the turn that has its number
 * again. */
void heap_epoch_wrap(struct heap *h)
{
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        blocks_epoch_zero(h->classes[c].done);
        blocks_epoch_zero(h->classes[c].unswept);
    }
    large_epoch_zero(h->large);
    large_epoch_zero(h->large_unswept);
    h->epoch = 1;
}

/* ---- allocation ---- */

static void cycle_end(struct heap *h)
{
    if (h->phase == HEAP_MARK) {
        while (!heap_mark_some(h, SIZE_MAX, SIZE_MAX))
            ;
        heap_sweep_begin(h);
    }
    while (h->phase == HEAP_SWEEP && heap_sweep_some(h, 0))
        ;
}

static void collect(struct heap *h)
{
    cycle_end(h); /* what became garbage in it would stay */
    heap_mark_begin(h);
    cycle_end(h);
}

/* Free cells of class c; false: there are none, and no block for more. */
static bool refill(struct heap *h, unsigned c)
{
    /* A new block beside others that only wait to be swept would stay for long. */
    for (int n = 0; !h->classes[c].partial && h->classes[c].unswept && n < SWEEP_FOR_ROOM; n++)
        (void)heap_sweep_some(h, c);
    if (!h->classes[c].partial && !heap_block_new(h, c))
        return false;
    heap_block_cut(h, c, heap_piece(h));
    return true;
}

static struct obj *small_try(struct heap *h, unsigned c)
{
    if (!h->free[c] && !refill(h, c))
        return NULL;
    struct heap_cell *cell = h->free[c];
    h->free[c] = cell->next;
    memory_unpoison(cell, heap_cell_bytes[c]);
    return &cell->hdr;
}

static struct obj *large_try(struct heap *h, size_t bytes)
{
    struct heap_large *l = heap_large_new(h, bytes);
    return l ? &l->obj : NULL;
}

/* The limit may be in the way: first what is garbage already, then all that is. */
static struct obj *place(struct heap *h, size_t bytes)
{
    unsigned c = bytes <= HEAP_SMALL_MAX ? heap_class_of[(bytes + 7) / 8] : HEAP_CLASSES;
    struct obj *o = NULL;
    for (int attempt = 0; attempt < 3; attempt++) {
        if (attempt == 1 && h->phase != HEAP_IDLE) {
            h->stats.forced++;
            cycle_end(h);
        } else if (attempt == 2) {
            h->stats.forced++;
            collect(h);
        }
        o = c < HEAP_CLASSES ? small_try(h, c) : large_try(h, bytes);
        if (o)
            break;
    }
    return o;
}

static int64_t pause_begin(struct heap *h)
{
    return h->config.clock_ns ? h->config.clock_ns(h->config.clock_ctx) : 0;
}

static void pause_end(struct heap *h, int64_t begin_ns)
{
    if (!h->config.clock_ns)
        return;
    uint64_t ns = (uint64_t)(h->config.clock_ns(h->config.clock_ctx) - begin_ns);
    h->stats.pause_ns += ns;
    if (ns > h->stats.pause_max_ns)
        h->stats.pause_max_ns = ns;
    if (h->config.pauses)
        histogram_add(h->config.pauses, ns);
}

struct obj *heap_new_slow(struct heap *h, enum obj_kind kind, unsigned layout, size_t bytes)
{
    int64_t begin_ns = pause_begin(h);
    bool large = bytes > HEAP_SMALL_MAX;
    if (HEAP_STRESS)
        collect(h);
    else
        heap_advance(h, large ? bytes : heap_piece(h), large ? 0 : heap_class_of[(bytes + 7) / 8]);
    struct obj *o = place(h, bytes);
    if (o) {
        *o = obj_header(h, kind, layout, large ? OBJ_LARGE : 0);
        memset(o + 1, 0, ((bytes + 7) & ~(size_t)7) - sizeof(*o));
    } else {
        h->stats.refused++;
    }
    pause_end(h, begin_ns);
    return o;
}

void heap_collect(struct heap *h)
{
    int64_t begin_ns = pause_begin(h);
    collect(h);
    pause_end(h, begin_ns);
}

/* The class of (bytes + 7) / 8. */
const uint8_t heap_class_of[HEAP_SMALL_MAX / 8 + 1] = {
    0,  0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  9,  10, 10, 11, 11, 12, 12, 13, 13, 14, 14,
    14, 14, 15, 15, 15, 15, 16, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 19, 19, 19,
    19, 19, 19, 20, 20, 20, 20, 20, 20, 20, 20, 21, 21, 21, 21, 21, 21, 21, 21, 21, 22, 22, 22,
    22, 22, 22, 22, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 24, 24, 24, 24, 24, 24, 24,
    24, 24, 24, 24, 24, 24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25,
    25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 26, 26, 26, 26, 26, 26, 26, 26,
    26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26,
    26, 26, 26, 26, 26, 26, 26, 26, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
    27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
    27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
    27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27};
