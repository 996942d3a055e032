#include "lang/heap_internal.h"

enum { LARGE_AT_ONCE = 16 };

void heap_sweep_begin(struct heap *h)
{
    heap_mark_end(h);
    h->marking = false;
    h->phase = HEAP_SWEEP;
    h->stats.live = h->marked;
    h->used = h->marked + h->made;
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        struct heap_class *class = &h->classes[c];
        h->free[c] = NULL; /* these cells are found again in their blocks */
        class->unswept = class->done;
        class->done = class->partial = NULL;
    }
    h->large_unswept = h->large;
    h->large = NULL;
    heap_pace(h);
}

/* From the end, so that the list goes up. */
static size_t sweep_cells(struct heap *h, struct heap_block *b)
{
    struct heap_cell *free = NULL;
    size_t live = 0;
    for (size_t i = b->made; i-- > 0;) {
        struct obj *o = heap_block_cell(b, i);
        if (o->kind != OBJ_FREE && heap_is_marked(h, o)) {
            live++;
            continue;
        }
        struct heap_cell *cell = (struct heap_cell *)(void *)o;
        if (o->kind != OBJ_FREE)
            heap_cell_free(cell, b->cell);
        cell->next = free;
        free = cell;
    }
    b->free = free;
    return live;
}

static void sweep_block(struct heap *h, struct heap_class *class)
{
    struct heap_block *b = class->unswept;
    class->unswept = b->next;
    if (sweep_cells(h, b) == 0) {
        heap_block_free(h, b);
        return;
    }
    b->next = class->done;
    class->done = b;
    if (b->free || b->made < b->cells) {
        b->next_partial = class->partial;
        class->partial = b;
    }
}

static bool sweep_large(struct heap *h)
{
    for (int n = 0; h->large_unswept && n < LARGE_AT_ONCE; n++) {
        struct heap_large *l = h->large_unswept;
        h->large_unswept = l->next;
        if (heap_is_marked(h, &l->obj)) {
            l->next = h->large;
            h->large = l;
        } else {
            heap_large_free(h, l);
        }
    }
    return h->large_unswept != NULL;
}

bool heap_sweep_some(struct heap *h, unsigned c)
{
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        struct heap_class *class = &h->classes[(c + i) % HEAP_CLASSES];
        if (class->unswept) {
            sweep_block(h, class);
            return true;
        }
    }
    if (sweep_large(h))
        return true;
    h->phase = HEAP_IDLE;
    h->stats.cycles++;
    return false;
}
