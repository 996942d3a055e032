/* sync: mutex, semaphore, wait group and once, for coroutines and for tasks.
 *
 * Why: a lock of the system would block the worker, and with it every task on it. Here the
 * coroutine waits and the worker goes on.
 * All serve in the order of arrival and hand over directly: nobody overtakes, nobody starves.
 * Within one worker nothing runs between two waits, so a mutex is needed only around waits.
 * Two ways to wait: the plain calls park the calling coroutine; x_poll() is for a task's poll:
 * POLL_PENDING means that the waiter is queued and its task will be woken; call it again then.
 * A task that gives up calls x_forget().
 * Ownership: the creator's; nobody may wait when it goes. A waiter is the waiting task's:
 * waiter_init() before each wait. Threads: with REACH_WORKER one worker's, with REACH_ANY any.
 * Errors: ERR_CANCELED: the coroutine is canceled and would have had to wait; it has nothing then.
 */
#pragma once

#include "async/coroutine.h"
#include "async/wait.h"

void waiter_init(struct waiter *w, struct task *t);

struct semaphore {
    struct wait_lock lock;
    uint32_t count;
    struct list waiters;
};
void semaphore_init(struct semaphore *s, uint32_t count, enum reach reach);
/* Takes n at once. A large request at the head of the queue is not passed by small ones. */
MUST_USE enum err semaphore_take(struct semaphore *s, uint32_t n);
bool semaphore_try_take(struct semaphore *s, uint32_t n);
void semaphore_give(struct semaphore *s, uint32_t n);
enum poll semaphore_poll(struct semaphore *s, struct waiter *w, uint32_t n);
/* Leaves the queue, or gives back what was taken meanwhile. */
void semaphore_forget(struct semaphore *s, struct waiter *w);

struct mutex {
    struct semaphore one;
};
void mutex_init(struct mutex *m, enum reach reach);
MUST_USE enum err mutex_lock(struct mutex *m);
bool mutex_try_lock(struct mutex *m);
void mutex_unlock(struct mutex *m); /* ASSERTs that it is locked */
enum poll mutex_poll(struct mutex *m, struct waiter *w);
void mutex_forget(struct mutex *m, struct waiter *w);

/* Waits until as much is done as was added. */
struct wait_group {
    struct wait_lock lock;
    uint32_t count;
    struct list waiters;
};
void wait_group_init(struct wait_group *g, enum reach reach);
void wait_group_add(struct wait_group *g, uint32_t n);
void wait_group_done(struct wait_group *g); /* the count reaches 0: all who wait go on */
MUST_USE enum err wait_group_wait(struct wait_group *g);
enum poll wait_group_poll(struct wait_group *g, struct waiter *w);
void wait_group_forget(struct wait_group *g, struct waiter *w);

/* The first who comes runs fn(arg), which may wait; others wait until it has returned. */
struct once {
    struct wait_lock lock;
    enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE } state;
    struct list waiters;
};
void once_init(struct once *o, enum reach reach);
MUST_USE enum err once_run(struct once *o, void (*fn)(void *arg), void *arg);
