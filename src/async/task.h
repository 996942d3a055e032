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
 * is pinned to the worker that it was spawned on, unless TASK_FREE is set (work stealing).
 * Rules: a wake during a poll is remembered, and the task is polled again; a task is queued at
 * most once; wakes may be spurious. After RFC 2592 (Rust's Future), without its moves. */
#pragma once

#include "base/atomic.h"
#include "base/list.h"

enum poll { POLL_PENDING, POLL_READY };

struct worker;
struct task {
    enum poll (*poll)(struct task *t);
    void (*finished)(struct task *t); /* may be NULL */
    const char *name;                 /* for logs, the watchdog and the debugger */
    struct worker *worker;
    struct task *next;      /* run queue or injection list */
    struct list link;       /* all tasks of the worker */
    _Atomic uint32_t state; /* task.c */
    bool canceled;          /* set by task_cancel(); the poll should wind up */
};

void task_init(struct task *t, const char *name, enum poll (*poll)(struct task *),
               void (*finished)(struct task *));
/* Runs it for the first time at the worker's next tick. Any thread. */
void task_spawn(struct worker *w, struct task *t);
void task_wake(struct task *t);
/* Polls the task at once if it waits and no other poll is under way on this thread, else wakes
 * it: for drivers that lend bytes for the length of a call. True if it was polled; it may have
 * finished then. Its worker only. */
bool task_poll_now(struct task *t);
/* Sets `canceled` and wakes. Its worker only. */
void task_cancel(struct task *t);

/* What another thread or a registry holds in order to wake a task. A zeroed waker wakes nobody. */
struct waker {
    struct task *task;
};
static inline void waker_wake(struct waker w)
{
    if (w.task)
        task_wake(w.task);
}
