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

void wait_lock_give_after(void *lock)
{
    wait_lock_give(lock);
}

enum err waiter_park(struct waiter *w, struct wait_lock *l, int64_t timeout_ms)
{
    struct co *c = CONTAINER_OF(w->task, struct co, task);
    struct co_timeout t;
    enum err r = ERR_OK;
    co_timeout_begin(&t, c, timeout_ms);
    while (!w->fired) {
        if (co_is_canceled(c))
            r = ERR_CANCELED;
        else if (t.passed)
            r = ERR_TIMEOUT;
        if (r) {
            list_del(&w->link);
            break;
        }
        co_park(c, l->any ? wait_lock_give_after : NULL, l);
        wait_lock_take(l);
    }
    co_timeout_end(&t);
    wait_lock_give(l);
    return r ? r : w->closed ? ERR_CLOSED : ERR_OK;
}
