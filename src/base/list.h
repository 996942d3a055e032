/* list: an intrusive doubly linked ring.
 *
 * Why: an element can leave a queue in O(1) without memory of its own.
 * Ownership: none; the element owns its link. A link that is in no list points to itself.
 * Threads: none. */
#pragma once

#include "base/err.h"

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_add_tail(struct list *head, struct list *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}
static inline void list_add_head(struct list *head, struct list *item)
{
    list_add_tail(head->next, item);
}
/* Safe on an initialised link that is in no list. */
static inline void list_del(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}
static inline struct list *list_pop_head(struct list *head)
{
    struct list *item = head->next;
    if (item == head)
        return NULL;
    list_del(item);
    return item;
}
#define LIST_EACH(head, it) for (struct list *it = (head)->next; it != (head); it = it->next)
/* The current element may be deleted in the body. */
#define LIST_EACH_SAFE(head, it)                                                                   \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                      \
         it = it##_next, it##_next = it->next)
