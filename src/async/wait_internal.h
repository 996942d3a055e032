/* wait_internal: firing and waiting, for channel.c, select.c and sync.c.
 *
 * A waiter is claimed and fired with the lock of its queue held, and woken when the lock is given.
 */
#pragma once

#include "async/coroutine_internal.h"
#include "async/wait.h"

/* Several arms may fire at the same time, under different locks: the first to claim wins. */
struct select {
    _Atomic uint32_t winner; /* the arm, or SELECT_NONE */
    bool any;                /* an arm can be reached by other threads */
};
#define SELECT_NONE UINT32_MAX

void wait_lock_give_after(void *lock);

/* The right to fire it. False: another arm was faster, or it has left; nothing may be given to it.
 */
static inline bool waiter_claim(struct waiter *w, bool any)
{
    struct select *s = w->select;
    uint32_t none = SELECT_NONE;
    uint8_t waits = WAITER_WAITS;
    if (!any && !s) {
        atomic_store_explicit(&w->state, WAITER_FIRED, memory_order_relaxed);
        return true;
    }
    if (!s)
        return atomic_compare_exchange_strong(&w->state, &waits, WAITER_FIRED);
    if (s->any)
        return atomic_compare_exchange_strong(&s->winner, &none, w->n);
    if (atomic_load_explicit(&s->winner, memory_order_relaxed) != SELECT_NONE)
        return false;
    atomic_store_explicit(&s->winner, w->n, memory_order_relaxed);
    return true;
}

/* Puts a channel's waiter into the queue. Field by field: a compiler clears the whole with a slow
 * string instruction. */
static inline void waiter_begin(struct waiter *w, struct list *queue, void *item, struct co *self)
{
    w->task = &self->task;
    w->item = item;
    w->select = NULL;
    w->closed = false;
    atomic_init(&w->state, WAITER_WAITS);
    atomic_init(&w->released, false);
    list_add_tail(queue, &w->link);
}

/* Takes the first that can still be given something out of the queue; NULL: nobody waits. */
static inline struct waiter *waiter_next(struct list *queue, bool any)
{
    struct list *it;
    while ((it = list_pop_head(queue))) {
        struct waiter *w = CONTAINER_OF(it, struct waiter, link);
        if (waiter_claim(w, any))
            return w;
    }
    return NULL;
}

/* It was claimed, is in no queue, and what it waited for is in place; its item is not used any
 * more. `any` is l->any. */
static inline void waiter_fire(struct waiter *w, struct wait_lock *l, bool any)
{
    if (any) {
        w->next_fired = l->fired;
        l->fired = w;
    } else {
        atomic_store_explicit(&w->released, true, memory_order_relaxed);
        co_wake_local(w->task);
    }
}

/* Waits with the lock held until it is fired; the waiter is in its queue. The lock is given, and
 * the waiter is in no queue, afterwards. The caller is w->task's coroutine.
 * ERR_CLOSED, ERR_CANCELED, ERR_TIMEOUT (timeout_ms < 0: none). What was fired is never lost. */
enum err waiter_park_slow(struct waiter *w, struct wait_lock *l, int64_t timeout_ms);
/* The same without a lock and without a limit. */
static inline enum err waiter_park_local(struct waiter *w, struct co *c)
{
    while (!co_is_canceled(c)) {
        co_park(c, NULL, NULL);
        if (atomic_load_explicit(&w->state, memory_order_relaxed) != WAITER_WAITS)
            return w->closed ? ERR_CLOSED : ERR_OK;
    }
    list_del(&w->link);
    return ERR_CANCELED;
}
static inline enum err waiter_park(struct waiter *w, struct wait_lock *l, int64_t timeout_ms)
{
    if (l->any || timeout_ms >= 0)
        return waiter_park_slow(w, l, timeout_ms);
    return waiter_park_local(w, CONTAINER_OF(w->task, struct co, task));
}
/* Without the lock. Was it fired? Then its waker is done with it. */
bool waiter_fired(struct waiter *w);
/* Without the lock. Takes it out of its queue; false: it was fired first. */
bool waiter_leave(struct waiter *w, struct wait_lock *l);
void waiter_await_release(struct waiter *w);
