/* wait: how tasks and coroutines queue for something: the waiter and the lock around its queue.
 *
 * Why: channels and the things of sync.h wake in the order of arrival and hand over directly, so
 * that who was woken never finds the thing gone.
 * What is REACH_WORKER belongs to one worker and has no lock; what is REACH_ANY may be used from
 * any thread. The lock spins, since it is held for a few dozen instructions only, and never while a
 * coroutine is switched.
 * Who was served may destroy the thing at once, and so may who served: the waker has given the lock
 * before it lets the waiter go, and the waiter does not touch the thing any more.
 * Ownership: a waiter is its waiter's, mostly on the waiting stack; it must stay until it was
 * fired or taken back. */
#pragma once

#include "async/task.h"

enum reach { REACH_WORKER, REACH_ANY };

struct select;
enum waiter_state { WAITER_WAITS, WAITER_FIRED, WAITER_LEFT };
struct waiter {
    struct list link; /* links to itself when it is in no queue */
    struct task *task;
    union {
        void *item;                /* a channel's element: where to put or find it */
        struct waiter *next_fired; /* in its lock */
    };
    struct select *select; /* NULL: of one thing alone */
    uint32_t n;            /* of a select: which arm; of a semaphore: how many */
    bool queued;           /* by a task's poll; its own to look at */
    bool closed;           /* it was fired because what it waits for will never come */
    _Atomic uint8_t state; /* enum waiter_state; who changes it first has won */
    _Atomic bool released; /* the waker is done with it */
};

struct wait_lock {
    _Atomic bool held;
    bool any;             /* reach */
    struct waiter *fired; /* to be woken when the lock is given */
};
void wait_lock_spin(struct wait_lock *l);
void wait_lock_wake(struct wait_lock *l);
static inline void wait_lock_init(struct wait_lock *l, enum reach reach)
{
    atomic_init(&l->held, false);
    l->any = reach == REACH_ANY;
    l->fired = NULL;
}
static inline void wait_lock_take(struct wait_lock *l)
{
    if (l->any && atomic_exchange_explicit(&l->held, true, memory_order_acquire))
        wait_lock_spin(l);
}
static inline void wait_lock_give(struct wait_lock *l)
{
    if (!l->any)
        return;
    if (l->fired)
        wait_lock_wake(l);
    else
        atomic_store_explicit(&l->held, false, memory_order_release);
}
