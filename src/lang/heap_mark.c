/* The marker. Of an object that is to be looked at, the memory is asked for first (`ahead`), and
 * HEAP_AHEAD others are looked at before it is: most of them are not in the processor's cache.
 * After Cher, Hosking and Vitek, "Software prefetching for mark-sweep garbage collection", 2004. */
#include "lang/heap_trace_internal.h"

#include "lang/text.h"

enum { /* rough nanoseconds */
       COST_OBJ = 24,
       COST_SLOT = 1,
       MORE_SLOTS = 256,
};

size_t heap_obj_bytes(const struct heap *h, const struct obj *o)
{
    switch ((enum obj_kind)o->kind) {
    case OBJ_TEXT: return sizeof(struct text) + ((const struct text *)(const void *)o)->len + 1;
    case OBJ_RECORD: return 8 + 8 * (size_t)h->config.layouts[o->layout].slots;
    case OBJ_NODE: return 8 + 8 * (size_t)(o->layout & NODE_N);
    case OBJ_LIST: return sizeof(struct lang_list);
    case OBJ_DICT: return sizeof(struct dict);
    case OBJ_CHAN:
        return sizeof(struct chan) + 8 * (size_t)((const struct chan *)(const void *)o)->cap;
    case OBJ_FREE: break;
    }
    return 0;
}

/* With what its cell has in addition. */
static size_t room_of(const struct heap *h, const struct obj *o)
{
    size_t bytes = heap_obj_bytes(h, o);
    if (bytes <= HEAP_SMALL_MAX)
        return heap_cell_bytes[heap_class_of[(bytes + 7) / 8]];
    return offsetof(struct heap_large, obj) + ((bytes + 7) & ~(size_t)7);
}

/* ---- the list of what is grey ---- */

static bool grey_grow(struct heap *h)
{
    size_t max = 1 + h->config.limit / 32 / HEAP_BLOCK_SMALL;
    struct heap_grey *part = NULL;
    if (h->grey_parts < max)
        part = heap_blocks_take(h->config.blocks, sizeof(*part));
    if (!part)
        return false;
    part->below = h->grey;
    h->grey = part;
    h->grey_parts++;
    h->grey_n = 0;
    return true;
}

static void grey_shrink(struct heap *h)
{
    struct heap_grey *part = h->grey;
    h->grey = part->below;
    h->grey_parts--;
    h->grey_n = h->grey ? HEAP_GREY_N : 0;
    heap_blocks_give(h->config.blocks, part, sizeof(*part));
}

static void grey_push(struct heap *h, struct obj *o)
{
    if ((!h->grey || h->grey_n == HEAP_GREY_N) && !grey_grow(h)) {
        o->flags |= OBJ_GREY;
        h->overflow = true;
        return;
    }
    h->grey->obj[h->grey_n++] = o;
}

static struct obj *grey_pop(struct heap *h)
{
    if (h->grey && h->grey_n == 0)
        grey_shrink(h);
    return h->grey ? h->grey->obj[--h->grey_n] : NULL;
}

void heap_mark_end(struct heap *h)
{
    while (h->grey)
        grey_shrink(h);
    for (unsigned i = 0; i < HEAP_AHEAD; i++)
        h->ahead[i] = NULL;
    h->scan = NULL;
    h->overflow = h->rescan = false;
}

/* ---- one object ---- */

static inline void look(struct heap *h, struct obj *o)
{
    if (heap_is_marked(h, o))
        return;
    o->flags ^= OBJ_COLOURS;
    h->marked += room_of(h, o);
    h->cost += COST_OBJ;
    if (trace_any(h, o))
        grey_push(h, o);
}

static inline void mark(struct heap *h, struct obj *o)
{
    if (!o)
        return;
    __builtin_prefetch(o, 1);
    struct obj *before = h->ahead[h->ahead_at];
    h->ahead[h->ahead_at] = o;
    h->ahead_at = (h->ahead_at + 1) % HEAP_AHEAD;
    h->cost += COST_SLOT;
    if (before)
        look(h, before);
}

/* False: there was none. */
static bool look_ahead(struct heap *h)
{
    bool any = false;
    for (unsigned i = 0; i < HEAP_AHEAD; i++) {
        unsigned at = (h->ahead_at + i) % HEAP_AHEAD;
        struct obj *o = h->ahead[at];
        if (!o)
            continue;
        h->ahead[at] = NULL;
        look(h, o);
        any = true;
    }
    return any;
}

void heap_mark(struct heap *h, struct obj *o)
{
    if (h->visit)
        h->visit(h, o, h->visit_ctx);
    else if (h->marking)
        mark(h, o);
}

/* ---- when the list was full ---- */

static bool rescan_blocks(struct heap *h)
{
    for (; h->rescan_class < HEAP_CLASSES; h->rescan_class++) {
        struct heap_block *b = h->rescan_block;
        for (; b; b = b->next, h->rescan_cell = 0) {
            for (size_t i = h->rescan_cell; i < b->made; i++) {
                struct obj *o = heap_block_cell(b, i);
                if (!(o->flags & OBJ_GREY))
                    continue;
                o->flags &= (uint8_t)~OBJ_GREY;
                h->scan = o;
                h->rescan_block = b;
                h->rescan_cell = i + 1;
                return true;
            }
            h->cost += b->made;
        }
        h->rescan_cell = 0;
        h->rescan_block =
            h->rescan_class + 1 < HEAP_CLASSES ? h->classes[h->rescan_class + 1].done : NULL;
    }
    return false;
}

static bool rescan_large(struct heap *h)
{
    for (struct heap_large *l = h->large; l; l = l->next) {
        if (!(l->obj.flags & OBJ_GREY))
            continue;
        l->obj.flags &= (uint8_t)~OBJ_GREY;
        h->scan = &l->obj;
        return true;
    }
    return false;
}

/* Finds an object with OBJ_GREY; false: there is none. */
static bool rescan(struct heap *h)
{
    while (h->rescan || h->overflow) {
        if (!h->rescan) {
            h->rescan = true;
            h->overflow = false;
            h->rescan_class = 0;
            h->rescan_block = h->classes[0].done;
            h->rescan_cell = 0;
        }
        if (rescan_blocks(h) || rescan_large(h))
            return true;
        h->rescan = false;
    }
    return false;
}

/* ---- a step ---- */

static bool more_stacks(struct heap *h)
{
    if (h->stacks_done)
        return false;
    size_t budget = MORE_SLOTS;
    h->stacks_done = h->roots.more(h->roots.ctx, h, &budget);
    h->cost += MORE_SLOTS;
    return true;
}

/* False: nothing is grey, and no stack is left. */
static bool mark_one(struct heap *h)
{
    if (!h->scan) {
        h->scan = grey_pop(h);
        h->scan_at = 0;
    }
    if (!h->scan)
        return look_ahead(h) || more_stacks(h) || rescan(h);
    h->scan_at = trace_slice(h, h->scan, h->scan_at, mark);
    if (h->scan_at == 0)
        h->scan = NULL;
    return true;
}

bool heap_mark_some(struct heap *h, size_t bytes, size_t cost)
{
    size_t end = bytes > SIZE_MAX - h->marked ? SIZE_MAX : h->marked + bytes;
    h->cost = 0;
    while (h->cost < cost && h->marked < end) {
        if (!mark_one(h))
            return true;
    }
    return false;
}

void heap_mark_begin(struct heap *h)
{
    ASSERT(h->phase == HEAP_IDLE);
    h->phase = HEAP_MARK;
    h->marking = true;
    h->colour ^= OBJ_COLOURS; /* from here on all that there is is white */
    h->cycle++;
    h->marked = h->made = 0;
    h->from = h->used;
    h->stacks_done = !h->roots.more;
    for (unsigned i = 0; i < h->pushed_n; i++)
        heap_mark(h, h->pushed[i]);
    if (h->roots.roots)
        h->roots.roots(h->roots.ctx, h);
}
