/* coroutine: a task whose poll resumes a stack, for code that reads best as a straight line.
 *
 * Why: a protocol with many steps is one function here, and waiting in it costs a switch of
 * stacks of a few nanoseconds. Idle connections are better plain tasks: a parked coroutine holds
 * a page of stack.
 * A coroutine runs on the worker that it was spawned on (a free one: where it began), and until it
 * waits: it has the worker for itself, so it may not block the thread. A wait returns ERR_CANCELED
 * once the coroutine is canceled; it should then wind up. What can be done without waiting is still
 * done. The stack has 48 KiB. Overflowing it ends the process with the coroutine's name. Ownership:
 * co_enable() once for each worker, before the executor runs; its memory goes with executor_free().
 * A coroutine that still waits then is dropped: what its stack owns is lost. A joinable coroutine
 * is its spawner's until co_join() or co_detach(); a detached one is nobody's. Threads: its
 * worker's, except co_spawn_at() and the waker (any), and for free coroutines co_join(),
 * co_detach() and co_cancel() (any worker's).
 * Errors: ERR_FULL at the limit of co_enable(), ERR_NOMEM.
 * See scope.h for coroutines that must end together, channel.h, select.h and sync.h for waiting
 * on each other, panic.h for ends that nobody has planned. */
#pragma once

#include "async/executor.h"

struct co;

/* Coroutines may be spawned on this worker, at most `coroutines_max` at a time, and so many free
 * ones. */
MUST_USE enum err co_enable(struct worker *w, size_t coroutines_max);

/* Run until complete: fn(arg) as a coroutine of worker 0, and the executor until it has returned,
 * which executor_stop() asks it to do early by canceling it. ERR_PANIC, or as co_spawn(). */
MUST_USE enum err co_run(struct executor *ex, intptr_t (*fn)(void *arg), void *arg,
                         const char *name, intptr_t *result);

/* Runs fn(arg) soon, on this worker. With `out` it is joinable, else detached. The name is kept,
 * not copied. On the worker's thread, or before the executor runs. */
MUST_USE enum err co_spawn(struct co **out, struct worker *w, intptr_t (*fn)(void *arg), void *arg,
                           const char *name);
/* The same from any thread, detached. */
MUST_USE enum err co_spawn_at(struct worker *w, intptr_t (*fn)(void *arg), void *arg,
                              const char *name);
/* A free one: it begins on whichever worker has time first, and stays there. On a worker's thread,
 * when every worker has coroutines (else ERR_INVALID). What it shares with others must be
 * REACH_ANY. */
MUST_USE enum err co_spawn_free(struct co **out, intptr_t (*fn)(void *arg), void *arg,
                                const char *name);
/* Waits for its end; *result (may be NULL) is what fn returned. The coroutine is freed. One
 * joiner. ERR_CANCELED: we are canceled, it still runs and is still ours. ERR_PANIC: it did not
 * return, but has ended. */
MUST_USE enum err co_join(struct co *c, intptr_t *result);
void co_detach(struct co *c);
/* Its waits return ERR_CANCELED from now on; scopes that it has opened are canceled with it. */
void co_cancel(struct co *c);

/* What follows is about the coroutine that calls. */
struct co *co_current(void); /* NULL: this is not a coroutine */
const char *co_name(const struct co *c);
bool co_canceled(void);
/* While shielded (it nests) waits are not cut short: for winding up. */
void co_shield_begin(void);
void co_shield_end(void);
/* Lets the others that are ready run first. */
void co_yield (void);
MUST_USE enum err co_sleep_ms(int64_t ms);
/* For interfaces of tasks: hand out the waker, look whether the thing is there, wait, look again.
 * A wake before the wait is not lost. It may be spurious. */
struct waker co_waker(struct co *c);
MUST_USE enum err co_wait_woken(void);
