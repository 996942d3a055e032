/* wait_internal: firing and waiting, for channel.c, select.c and sync.c.
 *
 * A waiter is fired with the lock of its queue held, and its task is woken before the lock is
 * given: the waiter takes the lock once more before it goes, so the waker is done with it by then.
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

/* The right to fire it. False: another arm was faster, and nothing may be given to it. */
static inline bool waiter_claim(struct waiter *w)
{
    struct select *s = w->select;
    if (!s)
        return true;
    uint32_t none = SELECT_NONE;
    if (s->any)
        return atomic_compare_exchange_strong(&s->winner, &none, w->n);
    if (atomic_load_explicit(&s->winner, memory_order_relaxed) != SELECT_NONE)
        return false;
    atomic_store_explicit(&s->winner, w->n, memory_order_relaxed);
    return true;
}

/* Takes the first that can still be given something out of the queue; NULL: nobody waits. */
static inline struct waiter *waiter_next(struct list *queue)
{
    struct list *it;
    while ((it = list_pop_head(queue))) {
        struct waiter *w = CONTAINER_OF(it, struct waiter, link);
        if (waiter_claim(w))
            return w;
    }
    return NULL;
}

/* It was claimed, is in no queue, and what it waited for is in place. */
static inline void waiter_fire(struct waiter *w, const struct wait_lock *l)
{
    w->fired = true;
    if (l->any)
        co_wake_any(w->task);
    else
        co_wake_local(w->task);
}

/* Waits with the lock held until it is fired; the waiter is in its queue. The lock is given, and
 * the waiter is in no queue, afterwards. The caller is w->task's coroutine.
 * ERR_CLOSED, ERR_CANCELED, ERR_TIMEOUT (timeout_ms < 0: none). What was fired is never lost. */
enum err waiter_park(struct waiter *w, struct wait_lock *l, int64_t timeout_ms);
