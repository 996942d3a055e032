/* task: a unit of work that is polled until it is ready; the one abstraction of the runtime.
 *
 * Why: a connection, a timer's owner or a program waits most of its life. While it waits it is
 * this struct and nothing more. A poll runs until it can't go on, makes sure that somebody will
 * wake it, and returns POLL_PENDING; POLL_READY ends the task.
 * Ownership: the task is embedded in its owner's struct. After POLL_READY the executor calls
 * `finished` once, from its worker, and never touches the task again: `finished` may free the
 * owner. A canceled task is polled once more, so that it winds up by itself and returns
 * POLL_READY.
 * Threads: task_wake() any, as long as the task has not finished; all else its worker's. A task
 * is pinned to the worker that it was spawned on (its I/O is there), or free: spawned by
 * task_spawn_free(), each of its polls happens on whichever worker has time, never two at once.
 * Rules: a wake during a poll is remembered, and the task is polled again; a task is queued at
 * most once; wakes may be spurious. After RFC 2592 (Rust's Future), without its moves. */
#pragma once

#include "base/atomic.h"
#include "base/list.h"

enum poll { POLL_PENDING, POLL_READY };

struct executor;
struct worker;
enum task_freedom { TASK_PINNED, TASK_FREE, TASK_LONG };
struct task {
    enum poll (*poll)(struct task *t);
    void (*finished)(struct task *t); /* may be NULL */
    const char *name;                 /* for logs, the watchdog and the debugger; never NULL */
    struct worker *worker;            /* NULL: free */
    struct task *next;                /* run queue, inbox or injection queue */
    union {
        struct list link; /* all pinned tasks of the worker */
        struct {          /* of a free one */
            struct executor *executor;
            struct task *newer; /* share.c */
        };
    };
    _Atomic uint32_t state;   /* task.c */
    _Atomic bool canceled;    /* set by task_cancel(); the poll should wind up */
    uint8_t free;             /* was spawned as such: enum task_freedom */
    bool contained, panicked; /* see panic.h */
};

/* The name is kept, not copied; NULL becomes "?". */
void task_init(struct task *t, const char *name, enum poll (*poll)(struct task *),
               void (*finished)(struct task *));
/* Runs it for the first time at the worker's next tick. Any thread. */
void task_spawn(struct worker *w, struct task *t);
/* A free one: computing, not I/O. The stop of the executor does not cancel it if it waits; its
 * owner does. Any thread. */
void task_spawn_free(struct executor *ex, struct task *t);
/* A free one whose polls take longer than it takes to wake another worker (some 50 µs): whenever it
 * becomes runnable on a worker with connections while one with fewer sleeps, it goes there at once,
 * and is not left to be found. Polls should still be short, or they hold up others where all
 * workers are busy; between two of them a tick should pass (worker_at_tick_end()). Any thread. */
void task_spawn_long(struct executor *ex, struct task *t);
void task_wake(struct task *t);
/* Polls the task at once if it waits and no other poll is under way on this thread, else wakes
 * it: for drivers that lend bytes for the length of a call. True if it was polled; it may have
 * finished then. Its worker only. */
bool task_poll_now(struct task *t);
/* Sets `canceled` and wakes. Its worker only; of a free task any thread. */
void task_cancel(struct task *t);

/* While the executor does not run: takes back a pinned task that has not finished, whatever it
 * waits for; nobody may wake it any more. For owners that go before the executor does. */
void task_abandon(struct task *t);

/* What another thread or a registry holds in order to wake a task. A zeroed waker wakes nobody. */
struct waker {
    struct task *task;
};
static inline void waker_wake(struct waker w)
{
    if (w.task)
        task_wake(w.task);
}
