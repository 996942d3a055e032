#include "lang/list.h"

#include "lang/text.h"

#include <math.h>

struct lang_list *list_new(struct heap *h, bool refs)
{
    struct lang_list *l = (struct lang_list *)(void *)heap_new(h, OBJ_LIST, 0, sizeof(*l));
    if (l)
        l->s.refs = refs ? NODE_ALL : 0;
    return l;
}

struct lang_list *list_fill(struct heap *h, bool refs, size_t n, union lang_slot v)
{
    heap_push_root(h, refs ? v.o : NULL);
    struct lang_list *l = n <= LIST_MAX ? list_new(h, refs) : NULL;
    heap_pop_root(h, 1);
    for (size_t i = 0; l && i < n; i++) {
        if (!list_push(h, l, v))
            l = NULL;
    }
    return l;
}

bool list_push(struct heap *h, struct lang_list *l, union lang_slot v)
{
    return l->s.n < LIST_MAX && slots_push(h, &l->hdr, &l->s, v);
}

bool list_pop(struct heap *h, struct lang_list *l, union lang_slot *out)
{
    size_t last = l->s.n;
    ASSERT(last > 0);
    last--;
    *out = list_get(l, last);
    if (!heap_touch(h, &l->hdr, &l->s.n, false))
        return false;
    if (l->s.refs && !list_set(h, l, last, (union lang_slot){.o = NULL}))
        return false;
    l->s.n--;
    /* One empty leaf stays, for lists that grow and shrink by one. */
    return last % NODE_SLOTS != 0 || slots_drop(h, &l->s, last + NODE_SLOTS);
}

bool list_insert(struct heap *h, struct lang_list *l, size_t i, union lang_slot v)
{
    ASSERT(i <= l->s.n);
    if (!list_push(h, l, v))
        return false;
    for (size_t at = l->s.n - 1; at > i; at--) {
        if (!list_set(h, l, at, list_get(l, at - 1)))
            return false;
    }
    return list_set(h, l, i, v);
}

bool list_remove(struct heap *h, struct lang_list *l, size_t i, union lang_slot *out)
{
    ASSERT(i < l->s.n);
    union lang_slot removed = list_get(l, i), last;
    for (size_t at = i; at + 1 < l->s.n; at++) {
        if (!list_set(h, l, at, list_get(l, at + 1)))
            return false;
    }
    *out = removed;
    return list_pop(h, l, &last);
}

bool list_clear(struct heap *h, struct lang_list *l)
{
    return slots_clear(h, &l->hdr, &l->s);
}

static bool swap(struct heap *h, struct lang_list *l, size_t a, size_t b)
{
    union lang_slot at_a = list_get(l, a);
    return list_set(h, l, a, list_get(l, b)) && list_set(h, l, b, at_a);
}

bool list_reverse(struct heap *h, struct lang_list *l)
{
    for (size_t i = 0, n = l->s.n; i < n / 2; i++) {
        if (!swap(h, l, i, n - 1 - i))
            return false;
    }
    return true;
}

/* ---- sort ---- */

static bool less(enum list_order order, union lang_slot a, union lang_slot b)
{
    switch (order) {
    case LIST_BY_INT: return a.i < b.i;
    case LIST_BY_FLOAT: return isnan(b.f) ? !isnan(a.f) : a.f < b.f;
    case LIST_BY_TEXT: break;
    }
    if (a.o == b.o)
        return false;
    if (!a.o || !b.o)
        return a.o && !b.o; /* none comes last */
    return str_cmp(text_str((const struct text *)(const void *)a.o),
                   text_str((const struct text *)(const void *)b.o)) < 0;
}

/* Element i of the heap of the first n sinks to its place. */
static bool sink(struct heap *h, struct lang_list *l, size_t i, size_t n, enum list_order order)
{
    union lang_slot v = list_get(l, i);
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        union lang_slot greater = list_get(l, child);
        if (child + 1 < n && less(order, greater, list_get(l, child + 1)))
            greater = list_get(l, ++child);
        if (!less(order, v, greater))
            break;
        if (!list_set(h, l, i, greater))
            return false;
    }
    return list_set(h, l, i, v);
}

bool list_sort(struct heap *h, struct lang_list *l, enum list_order order)
{
    size_t n = l->s.n;
    for (size_t i = n / 2; i-- > 0;) {
        if (!sink(h, l, i, n, order))
            return false;
    }
    for (size_t end = n; end-- > 1;) {
        if (!swap(h, l, 0, end) || !sink(h, l, 0, end, order))
            return false;
    }
    return true;
}
