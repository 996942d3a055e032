/* sedge_co: coroutines, and scopes that hold them together.
 *
 *     struct sedge_scope s;
 *     sedge_scope_begin(&s);
 *     sedge_scope_deadline_ms(&s, 5000);
 *     for (size_t i = 0; i < n && !r; i++)
 *         r = sedge_scope_spawn(&s, fetch, &part[i], "fetch");
 *     enum sedge_err end = sedge_scope_end(&s); // all have ended, whatever happened
 *
 * Why: a protocol with many steps is one function, and waiting in it costs a switch of stacks of a
 * few nanoseconds.
 *
 * A coroutine stays on its worker. It has the worker for itself until it waits, so between two
 * waits what belongs to the worker needs no lock, and a loop that never waits holds up all others:
 * sedge_co_yield(). Its stack has 48 KiB; overflowing it ends the process with the coroutine's
 * name.
 *
 * Cancellation: once canceled, every wait that would have to wait returns SEDGE_ERR_CANCELED, and
 * the coroutine should wind up. What can be done without waiting is still done.
 *
 * Ownership: a joinable coroutine is its spawner's until sedge_co_join() or sedge_co_detach(); a
 * detached one is nobody's. A scope lies on the stack of the coroutine that begins it, which also
 * ends it; children may use what lies on that stack. Scopes nest. Names are kept, not copied.
 *
 * Threads: a coroutine and its scopes belong to the worker that it runs on. All calls come from
 * there, but sedge_co_spawn_on() and sedge_waker_wake() from any thread.
 *
 * Errors: SEDGE_ERR_FULL at coroutines_max of the runtime, SEDGE_ERR_NOMEM. */
#ifndef SEDGE_CO_H
#define SEDGE_CO_H

#include <sedge/err.h>

SEDGE_BEGIN

struct sedge_co;
struct sedge_rt;

/* Runs fn(arg) soon, on the worker that calls. With `out` it is joinable, else detached. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_co_spawn(struct sedge_co **out, intptr_t (*fn)(void *arg), void *arg, const char *name);
/* The same on worker 0 … sedge_rt_workers() - 1, detached. Any thread, also before the runtime
 * runs. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_co_spawn_on(struct sedge_rt *rt, unsigned worker,
                                                          intptr_t (*fn)(void *arg), void *arg,
                                                          const char *name);
/* A free one: it begins on whichever worker has time first, and stays there. What it shares with
 * others must be SEDGE_SHARED. Called on a worker. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_co_spawn_free(struct sedge_co **out, intptr_t (*fn)(void *arg), void *arg, const char *name);
/* Waits for its end; *result (may be NULL) is what fn returned. It is freed. One joiner.
 * SEDGE_ERR_CANCELED: we are canceled; it still runs and is still ours. SEDGE_ERR_PANIC: it did not
 * return, but has ended (sedge_panic(3)). */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_co_join(struct sedge_co *co, intptr_t *result);
SEDGE_API void sedge_co_detach(struct sedge_co *co);
/* Its waits return SEDGE_ERR_CANCELED from now on; scopes that it has opened are canceled too. */
SEDGE_API void sedge_co_cancel(struct sedge_co *co);

/* The one that calls. NULL: it is none. */
SEDGE_API struct sedge_co *sedge_co_current(void);
SEDGE_API const char *sedge_co_name(const struct sedge_co *co);
/* Is the one that calls canceled? */
SEDGE_API bool sedge_co_canceled(void);
/* Waits in between are not cut short by a cancellation: for winding up. May nest. */
SEDGE_API void sedge_co_shield_begin(void);
SEDGE_API void sedge_co_shield_end(void);
/* Lets the others that are ready run first. */
SEDGE_API void sedge_co_yield(void);

/* What another thread holds in order to wake a coroutine. All zero: wakes nobody. */
struct sedge_waker {
    void *private_;
};
/* It is good until the coroutine ends. */
SEDGE_API struct sedge_waker sedge_co_waker(struct sedge_co *co);
/* Any thread. */
SEDGE_API void sedge_waker_wake(struct sedge_waker waker);
/* Waits for a wake; one that came before is not lost, and there may be more than you asked for. So:
 * hand out the waker, look whether the thing is there, wait, look again. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_co_wait_woken(void);

/* A scope ends when all its children have ended. */
struct sedge_scope {
    uint64_t private_[32];
};
SEDGE_API void sedge_scope_begin(struct sedge_scope *scope);
/* Counted from now; a later call moves it. When it has passed the scope is canceled. */
SEDGE_API void sedge_scope_deadline_ms(struct sedge_scope *scope, int64_t ms);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_scope_spawn(struct sedge_scope *scope,
                                                          intptr_t (*fn)(void *arg), void *arg,
                                                          const char *name);
/* The child is free, as of sedge_co_spawn_free(). */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_scope_spawn_free(struct sedge_scope *scope,
                                                               intptr_t (*fn)(void *arg), void *arg,
                                                               const char *name);
/* Cancels the children, and the opener's own waits until the scope's end. */
SEDGE_API void sedge_scope_cancel(struct sedge_scope *scope);
/* Waits for all children; is not cut short. Why it ended early: SEDGE_ERR_PANIC (of a child, which
 * cancels the others), SEDGE_ERR_TIMEOUT, or SEDGE_ERR_CANCELED by sedge_scope_cancel() or because
 * its opener is canceled. */
SEDGE_API enum sedge_err sedge_scope_end(struct sedge_scope *scope);

SEDGE_END
#endif
