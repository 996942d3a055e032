/* heap_trace: which references an object has, for the marker and for heap_check(). Private to
 * lang/. */
#pragma once

#include "lang/chan.h"
#include "lang/dict.h"
#include "lang/heap_internal.h"
#include "lang/list.h"

typedef void heap_child_fn(struct heap *h, struct obj *child);
#define HEAP_INLINE static inline __attribute__((always_inline))

HEAP_INLINE void trace_mask(struct heap *h, const union lang_slot *slot, uint64_t refs,
                            heap_child_fn *fn)
{
    for (; refs; refs &= refs - 1)
        fn(h, slot[__builtin_ctzll(refs)].o);
}

HEAP_INLINE void trace_node(struct heap *h, const struct node *node, heap_child_fn *fn)
{
    unsigned n = node->hdr.layout & NODE_N;
    unsigned step = (node->hdr.layout & NODE_ALL) == NODE_ALL ? 1 : 2;
    for (unsigned i = node->hdr.layout & NODE_EVEN ? 0 : 1; i < n; i += step)
        fn(h, node->slot[i].o);
}

HEAP_INLINE void trace_dict(struct heap *h, const struct dict *d, heap_child_fn *fn)
{
    fn(h, d->entry.root.o);
    fn(h, d->meta.root.o);
    fn(h, d->index.root.o);
    fn(h, d->old.root.o);
}

/* Has it any, by its header alone? */
HEAP_INLINE bool trace_any(const struct heap *h, const struct obj *o)
{
    switch ((enum obj_kind)o->kind) {
    case OBJ_RECORD: return h->config.layouts[o->layout].refs != 0;
    case OBJ_NODE: return (o->layout & NODE_ALL) != 0;
    case OBJ_CHAN: return (o->layout & CHAN_REFS) != 0;
    case OBJ_LIST:
    case OBJ_DICT: return true;
    case OBJ_FREE:
    case OBJ_TEXT: break;
    }
    return false;
}

/* Calls fn for the references among the slots from … from + HEAP_SLICE of an object that has some;
 * the number where the next slice begins, or 0: that was all. */
HEAP_INLINE size_t trace_slice(struct heap *h, struct obj *o, size_t from, heap_child_fn *fn)
{
    switch ((enum obj_kind)o->kind) {
    case OBJ_RECORD:
        trace_mask(h, ((struct record *)(void *)o)->slot, h->config.layouts[o->layout].refs, fn);
        return 0;
    case OBJ_NODE: trace_node(h, (struct node *)(void *)o, fn); return 0;
    case OBJ_LIST: fn(h, ((struct lang_list *)(void *)o)->s.root.o); return 0;
    case OBJ_DICT: trace_dict(h, (struct dict *)(void *)o, fn); return 0;
    case OBJ_CHAN: {
        struct chan *c = (struct chan *)(void *)o;
        size_t end = c->cap - from < HEAP_SLICE ? c->cap : from + HEAP_SLICE;
        for (size_t i = from; i < end; i++)
            fn(h, c->slot[i].o);
        return end < c->cap ? end : 0;
    }
    case OBJ_FREE:
    case OBJ_TEXT: break;
    }
    return 0;
}
