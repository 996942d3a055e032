#include "async/sim/sim_internal.h"

static bool earlier(const struct env_event *a, const struct env_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* Two heaps become one: the later root is the first child of the earlier one. `prev` of a first
 * child is its parent, of the others the sibling before. */
static struct env_event *meld(struct env_event *a, struct env_event *b)
{
    if (!a || !b)
        return a ? a : b;
    if (earlier(b, a)) {
        struct env_event *c = a;
        a = b;
        b = c;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Siblings become one heap: in pairs from the left, then all pairs from the right. */
static struct env_event *meld_all(struct env_event *first)
{
    struct env_event *pairs = NULL, *root = NULL;
    while (first) {
        struct env_event *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct env_event *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    return root;
}

bool event_set(const struct env_event *ev)
{
    return ev->at_ns != 0;
}

void event_push(struct event_queue *q, struct env_event *ev, int64_t at_ns)
{
    ASSERT(!event_set(ev) && at_ns > 0 && ev->run);
    ev->at_ns = at_ns;
    ev->order = ++q->order;
    ev->child = ev->next = ev->prev = NULL;
    q->root = meld(q->root, ev);
}

void event_remove(struct event_queue *q, struct env_event *ev)
{
    struct env_event *children = meld_all(ev->child);
    if (q->root == ev) {
        q->root = children;
    } else {
        if (ev->prev->child == ev)
            ev->prev->child = ev->next;
        else
            ev->prev->next = ev->next;
        if (ev->next)
            ev->next->prev = ev->prev;
        q->root = meld(q->root, children);
    }
    ev->child = ev->next = ev->prev = NULL;
    ev->at_ns = 0;
}
