#include "async/wait_internal.h"
#include <sched.h>

enum { SPINS = 100 };

void wait_lock_spin(struct wait_lock *l)
{
    do {
        /* Who holds it may have been put off its core. */
        for (int i = 0; atomic_load_explicit(&l->held, memory_order_relaxed); i++)
            if (i >= SPINS)
                sched_yield();
    } while (atomic_exchange_explicit(&l->held, true, memory_order_acquire));
}

void wait_lock_wake(struct wait_lock *l)
{
    struct waiter *w = l->fired;
    l->fired = NULL;
    atomic_store_explicit(&l->held, false,
                          memory_order_release); /* the last touch of what it guards */
    while (w) {
        struct waiter *next = w->next_fired;
        co_wake_any(w->task);
        atomic_store_explicit(&w->released, true, memory_order_release); /* and of the waiter */
        w = next;
    }
}

void wait_lock_give_after(void *lock)
{
    wait_lock_give(lock);
}

void waiter_await_release(struct waiter *w)
{
    for (int i = 0; !atomic_load_explicit(&w->released, memory_order_acquire); i++)
        if (i >= SPINS)
            sched_yield();
}

/* Of what is REACH_ANY, nothing may be touched any more once it was fired. */
static enum err park_any(struct waiter *w, struct wait_lock *l, struct co_timeout *t)
{
    enum err r = ERR_OK;
    void (*give)(void *) = wait_lock_give_after;
    if (co_is_canceled(t->co))
        r = ERR_CANCELED;
    else if (t->passed)
        r = ERR_TIMEOUT;
    if (r) {
        list_del(&w->link);
        wait_lock_give(l);
        return r;
    }
    for (;;) {
        co_park(t->co, give, l);
        give = NULL;
        if (waiter_fired(w))
            return ERR_OK;
        if (co_is_canceled(t->co))
            r = ERR_CANCELED;
        else if (t->passed)
            r = ERR_TIMEOUT;
        if (r && waiter_leave(w, l))
            return r;
        if (r) {
            waiter_await_release(w);
            return ERR_OK;
        }
    }
}

static enum err park_local(struct waiter *w, struct co_timeout *t)
{
    while (atomic_load_explicit(&w->state, memory_order_relaxed) == WAITER_WAITS) {
        enum err r = co_is_canceled(t->co) ? ERR_CANCELED : t->passed ? ERR_TIMEOUT : ERR_OK;
        if (r) {
            list_del(&w->link);
            return r;
        }
        co_park(t->co, NULL, NULL);
    }
    return ERR_OK;
}

enum err waiter_park_slow(struct waiter *w, struct wait_lock *l, int64_t timeout_ms)
{
    struct co_timeout t;
    if (timeout_ms >= 0) {
        co_timeout_begin(&t, CONTAINER_OF(w->task, struct co, task), timeout_ms);
    } else {
        t.co = CONTAINER_OF(w->task, struct co, task);
        t.passed = false;
    }
    enum err r = l->any ? park_any(w, l, &t) : park_local(w, &t);
    if (timeout_ms >= 0)
        co_timeout_end(&t);
    return r ? r : w->closed ? ERR_CLOSED : ERR_OK;
}

bool waiter_fired(struct waiter *w)
{
    if (atomic_load_explicit(&w->state, memory_order_acquire) != WAITER_FIRED)
        return false;
    waiter_await_release(w);
    return true;
}

bool waiter_leave(struct waiter *w, struct wait_lock *l)
{
    uint8_t waits = WAITER_WAITS;
    if (!atomic_compare_exchange_strong(&w->state, &waits, WAITER_LEFT))
        return false;
    wait_lock_take(l);
    list_del(&w->link);
    wait_lock_give(l);
    return true;
}
