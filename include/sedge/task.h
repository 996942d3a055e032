/* sedge_task: poll tasks: what waits in a struct instead of on a stack.
 *
 * Why: a parked coroutine holds a page of stack, a task that waits only its own struct. It is for
 * what there is a great number of and whose steps are few. poll() runs until it can't go on, makes
 * sure that somebody will wake the task (a timer, another task, a thread), and returns
 * SEDGE_PENDING; SEDGE_READY ends it. A wake during a poll is not lost; there may be more polls
 * than wakes. After Rust's futures.
 *
 * Ownership: the task lies in its owner's struct and is not moved. After SEDGE_READY finished() is
 * called once, and may free the owner: the task is not touched any more. A canceled task is polled
 * once more, to wind up by itself and return SEDGE_READY.
 *
 * Threads: a task is pinned to one worker, or free: then each poll happens on whichever worker has
 * time, never two at once. sedge_task_spawn(), sedge_task_spawn_free() and sedge_task_wake() from
 * any thread, the latter until the task has ended; sedge_task_cancel() on its worker, of a free
 * task on any thread. */
#ifndef SEDGE_TASK_H
#define SEDGE_TASK_H

#include <sedge/err.h>

SEDGE_BEGIN

struct sedge_rt;
enum sedge_poll { SEDGE_PENDING, SEDGE_READY };

struct sedge_task {
    uint64_t private_[16];
};
/* finished may be NULL. The name is kept, not copied. */
SEDGE_API void sedge_task_init(struct sedge_task *task, const char *name,
                               enum sedge_poll (*poll)(struct sedge_task *task),
                               void (*finished)(struct sedge_task *task));
/* Polls it soon, on worker 0 … sedge_rt_workers() - 1; also before the runtime runs.
 * SEDGE_ERR_RANGE: there is no such worker. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_task_spawn(struct sedge_rt *rt, unsigned worker,
                                                         struct sedge_task *task);
/* Polls it soon, anywhere. When the runtime stops it is not canceled: its owner does that. */
SEDGE_API void sedge_task_spawn_free(struct sedge_rt *rt, struct sedge_task *task);
SEDGE_API void sedge_task_wake(struct sedge_task *task);
SEDGE_API void sedge_task_cancel(struct sedge_task *task);
SEDGE_API bool sedge_task_canceled(const struct sedge_task *task);
/* From its next poll on a panic in poll() ends this task alone: finished() is called, and
 * sedge_task_panicked() tells. Without it a panic in a task ends the process (sedge_panic(3)). */
SEDGE_API void sedge_task_contain(struct sedge_task *task);
SEDGE_API bool sedge_task_panicked(const struct sedge_task *task);

SEDGE_END
#endif
