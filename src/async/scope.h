/* scope: coroutines that end before their opener goes on.
 *
 *     struct scope s;
 *     scope_begin(&s);
 *     scope_deadline_ms(&s, 5000);
 *     for (…)
 *         r = scope_spawn(&s, fetch, &part[i], "fetch");
 *     r = scope_end(&s); // all have ended, whatever happened
 *
 * Why: children may use what lies on their opener's stack, and none is left behind. Cancellation
 * and the deadline reach all children, their scopes, and the opener's own waits within the scope.
 * A child that panics cancels the others.
 * Ownership: on the stack of the coroutine that begins it, which also ends it; scopes nest.
 * Threads: its worker's; free children may be anywhere.
 * Errors: scope_spawn() as co_spawn(); scope_end() tells why it ended early: ERR_PANIC (of a
 * child), ERR_TIMEOUT or ERR_CANCELED (of the scope, or of its opener from outside). */
#pragma once

#include "async/coroutine.h"
#include "async/timer.h"
#include "async/wait.h"

struct scope {
    struct co *opener;
    struct scope *outer;
    struct list children;
    size_t live;
    struct timer deadline;
    bool canceled, timed_out, panicked, has_free;
    struct wait_lock lock; /* of what follows, which the ends of free children change */
    struct list free_children;
    size_t free_live;
    bool free_panicked;
};
void scope_begin(struct scope *s);
/* Counted from now; a later call moves it. */
void scope_deadline_ms(struct scope *s, int64_t ms);
MUST_USE enum err scope_spawn(struct scope *s, intptr_t (*fn)(void *arg), void *arg,
                              const char *name);
/* The child is free (co_spawn_free()). */
MUST_USE enum err scope_spawn_free(struct scope *s, intptr_t (*fn)(void *arg), void *arg,
                                   const char *name);
void scope_cancel(struct scope *s);
/* Waits for all children; is not cut short. */
enum err scope_end(struct scope *s);
