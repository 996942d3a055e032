/* list: list<T>, an array that grows at its end.
 *
 * A list is an object of 24 bytes and its nodes (slots.h). Its elements are of one kind: references
 * or not. Reading is inline; so is writing to an element that is no reference, after heap_touch().
 * Threads, errors: the heap's. false: the heap or the undo log is full. Indices must be in range:
 * ASSERT where it is not the machine's hot path, else nothing looks.
 * (struct list is base/list.h, hence the name.) */
#pragma once

#include "lang/slots.h"

enum { LIST_MAX = INT32_MAX };

struct lang_list {
    struct obj hdr;
    struct slots s;
};

struct lang_list *list_new(struct heap *h, bool refs);
/* With n times the same element. As long as it takes: the caller charges it. */
struct lang_list *list_fill(struct heap *h, bool refs, size_t n, union lang_slot v);
static inline size_t list_len(const struct lang_list *l)
{
    return l->s.n;
}
static inline union lang_slot list_get(const struct lang_list *l, size_t i)
{
    return *slots_at(&l->s, i);
}
MUST_USE static inline bool list_set(struct heap *h, struct lang_list *l, size_t i,
                                     union lang_slot v)
{
    struct node *leaf = slots_leaf(&l->s, i);
    union lang_slot *at = &leaf->slot[i % NODE_SLOTS];
    if (!heap_touch(h, &leaf->hdr, at, l->s.refs != 0))
        return false;
    if (l->s.refs)
        heap_store(h, at, v.o);
    else
        *at = v;
    return true;
}
MUST_USE bool list_push(struct heap *h, struct lang_list *l, union lang_slot v);
MUST_USE bool list_pop(struct heap *h, struct lang_list *l, union lang_slot *out);
/* Before element i ≤ len; those behind it move up: time in proportion to their number. */
MUST_USE bool list_insert(struct heap *h, struct lang_list *l, size_t i, union lang_slot v);
MUST_USE bool list_remove(struct heap *h, struct lang_list *l, size_t i, union lang_slot *out);
MUST_USE bool list_clear(struct heap *h, struct lang_list *l);
MUST_USE bool list_reverse(struct heap *h, struct lang_list *l);

/* Sorts in place by heap sort, which needs no memory and has no worst case: 2 n log n comparisons,
 * which the caller charges. NaN, and texts that are none, come last. */
enum list_order { LIST_BY_INT, LIST_BY_FLOAT, LIST_BY_TEXT };
MUST_USE bool list_sort(struct heap *h, struct lang_list *l, enum list_order order);
