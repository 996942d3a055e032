/* panic: a task that can't go on ends alone, and says so.
 *
 * Why: a bug in one task need not take all others with it, if what it was working on is its own.
 * A panicked coroutine waits for the coroutines of its scopes (which it cancels), runs what it
 * has deferred, and ends; its joiner and its scope get ERR_PANIC. A panicked task is finished as
 * if it had returned POLL_READY, with `panicked` set. Either is logged with its name. Nothing is
 * unwound: what was not deferred is lost, a lock that was held stays held. A failed ASSERT means
 * that somebody's memory is not what it should be, and ends the process, unless the task has
 * said that it contains its bugs. sedge itself never says so: docs/decisions/0010. A panic
 * outside of a coroutine or a task that contains ends the process. So does one with forks (fork.h)
 * that are not joined, or in a fork of another's: somebody would come back to a stack that is gone.
 * Threads: the worker's on which the task runs. */
#pragma once

#include "async/coroutine.h"

/* Printed as a sentence; ends the coroutine or the contained task that runs. */
_Noreturn void task_panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* From its next poll on, panics and failed ASSERTs in a poll of this task end it alone. */
void task_contain(struct task *t);
/* The same of the coroutine that calls, from now on, and for failed ASSERTs: a panic ends it alone
 * anyway. */
void co_contain(void);

/* What must be done even if a panic comes before co_undefer(), which does it at the usual end; the
 * last deferred first. It may wait, and its waits are not cut short. It lies on the coroutine's
 * stack, so co_undefer() comes before the function returns. As pthread_cleanup_push(). */
struct co_defer {
    struct co_defer *next;
    void (*fn)(void *arg);
    void *arg;
};
void co_defer(struct co_defer *d, void (*fn)(void *arg), void *arg);
/* Runs the newest now. */
void co_undefer(struct co_defer *d);
