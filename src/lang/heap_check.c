/* heap_check(): the invariant, looked for with as little of the collector's own code as possible.
 */
#include "lang/heap_trace_internal.h"

struct check {
    struct obj **todo;
    size_t n, cap;
    heap_child_fn *fn; /* for roots */
};

static struct check *check_of(struct heap *h)
{
    return h->visit_ctx;
}

static void todo_push(struct check *k, struct obj *o)
{
    if (k->n == k->cap) {
        size_t cap = k->cap ? 2 * k->cap : 1024;
        k->todo = mem_resize(alloc_system(), k->todo, k->cap * sizeof(o), cap * sizeof(o));
        ASSERT(k->todo);
        k->cap = cap;
    }
    k->todo[k->n++] = o;
}

static void trace_all(struct heap *h, struct obj *o, size_t from, heap_child_fn *fn)
{
    if (!trace_any(h, o))
        return;
    do {
        from = trace_slice(h, o, from, fn);
    } while (from);
}

static void trace_todo(struct heap *h, heap_child_fn *fn)
{
    struct check *k = check_of(h);
    while (k->n)
        trace_all(h, k->todo[--k->n], 0, fn);
}

/* ---- what is white and will be found ---- */

static void make_safe(struct heap *h, struct obj *o)
{
    if (!o || heap_is_marked(h, o) || (o->flags & OBJ_SAFE))
        return;
    o->flags |= OBJ_SAFE;
    todo_push(check_of(h), o);
}

static void grey_objects(struct heap *h, struct heap_block *b)
{
    for (; b; b = b->next) {
        for (size_t i = 0; i < b->made; i++) {
            struct obj *o = heap_block_cell(b, i);
            if (o->flags & OBJ_GREY)
                trace_all(h, o, 0, make_safe);
        }
    }
}

static void make_all_safe(struct heap *h)
{
    size_t n = h->grey_n;
    for (struct heap_grey *part = h->grey; part; part = part->below, n = HEAP_GREY_N) {
        for (size_t i = 0; i < n; i++)
            trace_all(h, part->obj[i], 0, make_safe);
    }
    if (h->scan)
        trace_all(h, h->scan, h->scan_at, make_safe);
    for (unsigned i = 0; i < HEAP_AHEAD; i++)
        make_safe(h, h->ahead[i]);
    for (unsigned c = 0; c < HEAP_CLASSES; c++)
        grey_objects(h, h->classes[c].done);
    for (struct heap_large *l = h->large; l; l = l->next) {
        if (l->obj.flags & OBJ_GREY)
            trace_all(h, &l->obj, 0, make_safe);
    }
    check_of(h)->fn = make_safe;
    if (!h->stacks_done && h->roots.unscanned)
        h->roots.unscanned(h->roots.ctx, h);
    else if (!h->stacks_done && h->roots.all)
        h->roots.all(h->roots.ctx, h);
    trace_todo(h, make_safe);
}

/* ---- what can be reached ---- */

static void reach(struct heap *h, struct obj *o)
{
    if (!o || (o->flags & OBJ_COLOURS) == OBJ_IMMORTAL || (o->flags & OBJ_REACHED))
        return;
    ASSERT(o->kind > OBJ_FREE && o->kind <= OBJ_CHAN);
    ASSERT(heap_is_marked(h, o) || (h->marking && (o->flags & OBJ_SAFE)));
    o->flags |= OBJ_REACHED;
    todo_push(check_of(h), o);
}

static void reach_all(struct heap *h)
{
    check_of(h)->fn = reach;
    for (unsigned i = 0; i < h->pushed_n; i++)
        reach(h, h->pushed[i]);
    if (h->roots.all)
        h->roots.all(h->roots.ctx, h);
    else if (h->roots.roots)
        h->roots.roots(h->roots.ctx, h);
    trace_todo(h, reach);
}

static void visit(struct heap *h, struct obj *o, void *ctx)
{
    ((struct check *)ctx)->fn(h, o);
}

/* ---- blocks ---- */

static void check_obj(struct heap *h, struct obj *o, bool swept)
{
    unsigned colour = o->flags & OBJ_COLOURS;
    ASSERT(o->kind <= OBJ_CHAN && (colour == 1 || colour == 2));
    ASSERT(h->marking || !swept || colour == h->colour);
    ASSERT(!(o->flags & OBJ_GREY) || (colour == h->colour && (h->overflow || h->rescan)));
    o->flags &= (uint8_t) ~(OBJ_SAFE | OBJ_REACHED);
}

static size_t check_blocks(struct heap *h, unsigned c, struct heap_block *b, bool swept)
{
    size_t bytes = 0;
    for (; b; b = b->next) {
        bytes += b->bytes;
        ASSERT(b->class == c && b->cell == heap_cell_bytes[c] && b->made <= b->cells);
        for (size_t i = 0; i < b->made; i++) {
            struct obj *o = heap_block_cell(b, i);
            if (o->kind == OBJ_FREE)
                continue;
            check_obj(h, o, swept);
            ASSERT(!(o->flags & OBJ_LARGE));
            ASSERT(heap_class_of[(heap_obj_bytes(h, o) + 7) / 8] == c);
        }
    }
    return bytes;
}

static void check_free(const struct heap_cell *cell)
{
    for (; cell; cell = cell->next)
        ASSERT(cell->hdr.kind == OBJ_FREE);
}

static size_t check_large(struct heap *h, struct heap_large *l, bool swept)
{
    size_t bytes = 0;
    for (; l; l = l->next) {
        bytes += l->bytes;
        check_obj(h, &l->obj, swept);
        ASSERT(l->obj.flags & OBJ_LARGE);
        ASSERT(heap_obj_bytes(h, &l->obj) + offsetof(struct heap_large, obj) <= l->bytes);
    }
    return bytes;
}

static void check_memory(struct heap *h)
{
    size_t bytes = check_large(h, h->large, true) + check_large(h, h->large_unswept, false);
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        struct heap_class *class = &h->classes[c];
        size_t of_class =
            check_blocks(h, c, class->done, true) + check_blocks(h, c, class->unswept, false);
        ASSERT(of_class == class->bytes);
        ASSERT(!class->unswept || h->phase == HEAP_SWEEP);
        bytes += of_class;
        check_free(h->free[c]);
        for (struct heap_block *b = class->partial; b; b = b->next_partial)
            check_free(b->free);
    }
    ASSERT(bytes == h->stats.bytes && bytes <= h->stats.bytes_peak);
    ASSERT(h->marking == (h->phase == HEAP_MARK));
    ASSERT(h->marking || (!h->grey && !h->scan && !h->overflow));
}

void heap_check(struct heap *h)
{
    struct check k = {0};
    check_memory(h);
    h->visit = visit;
    h->visit_ctx = &k;
    if (h->marking)
        make_all_safe(h);
    reach_all(h);
    h->visit = NULL;
    check_memory(h); /* takes its flags back */
    mem_free(alloc_system(), k.todo, k.cap * sizeof(*k.todo));
}
