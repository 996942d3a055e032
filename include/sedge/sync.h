/* sedge_sync: mutex, semaphore, wait group and once, for coroutines.
 *
 * Why: a lock of the system would block the worker, and with it every coroutine on it. Here the
 * coroutine waits and the worker goes on.
 *
 * All serve in the order of arrival and hand over directly: nobody overtakes, nobody starves.
 * Between two waits nothing else runs on a worker, so coroutines of one worker need a mutex only
 * around waits.
 *
 * Ownership: each lies where its owner puts it, and is not moved. Nothing is allocated and nothing
 * has to be freed; nobody may wait in it when it goes.
 *
 * Threads: SEDGE_LOCAL: one worker's; SEDGE_SHARED: any thread's (sedge_chan(3) has the two).
 * Calls that may wait are for coroutines, the others for everybody.
 *
 * Errors: SEDGE_ERR_CANCELED: the coroutine is canceled and would have had to wait. It has nothing
 * then. */
#ifndef SEDGE_SYNC_H
#define SEDGE_SYNC_H

#include <sedge/chan.h>

SEDGE_BEGIN

struct sedge_mutex {
    uint64_t private_[8];
};
SEDGE_API void sedge_mutex_init(struct sedge_mutex *mutex, enum sedge_reach reach);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_mutex_lock(struct sedge_mutex *mutex);
SEDGE_API SEDGE_MUST_USE bool sedge_mutex_try_lock(struct sedge_mutex *mutex);
SEDGE_API void sedge_mutex_unlock(struct sedge_mutex *mutex);

struct sedge_semaphore {
    uint64_t private_[8];
};
SEDGE_API void sedge_semaphore_init(struct sedge_semaphore *semaphore, uint32_t count,
                                    enum sedge_reach reach);
/* Takes n at once. A large request at the head of the queue is not passed by small ones. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_semaphore_take(struct sedge_semaphore *semaphore,
                                                             uint32_t n);
SEDGE_API SEDGE_MUST_USE bool sedge_semaphore_try_take(struct sedge_semaphore *semaphore,
                                                       uint32_t n);
SEDGE_API void sedge_semaphore_give(struct sedge_semaphore *semaphore, uint32_t n);

/* Waits until as much is done as was added. */
struct sedge_wait_group {
    uint64_t private_[8];
};
SEDGE_API void sedge_wait_group_init(struct sedge_wait_group *group, enum sedge_reach reach);
SEDGE_API void sedge_wait_group_add(struct sedge_wait_group *group, uint32_t n);
SEDGE_API void sedge_wait_group_done(struct sedge_wait_group *group);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_wait_group_wait(struct sedge_wait_group *group);

struct sedge_once {
    uint64_t private_[8];
};
SEDGE_API void sedge_once_init(struct sedge_once *once, enum sedge_reach reach);
/* The first who comes runs fn(arg), which may wait; others wait until it has returned. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_once_run(struct sedge_once *once,
                                                       void (*fn)(void *arg), void *arg);

SEDGE_END
#endif
