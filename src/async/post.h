/* post: a call that is made on another worker; for rare things.
 *
 * Why: what belongs to one worker is touched there only; who wants something of it leaves a note.
 * Each is a task of one poll, so it costs what a task costs: an exchange, and a wake if the worker
 * sleeps. What comes by the thousand has a ring of its own (bus/ring.h).
 * Ownership: embedded in its owner; run() may free it.
 * Threads: any thread may post. A post is in use until it runs.
 * Order: posts of one thread to one worker run in the order in which they were posted.
 * A worker that has stopped runs it when the executor runs again, or never. */
#pragma once

#include "async/executor.h"

struct post {
    struct task task;
    void (*run)(struct post *p);
};
static inline enum poll post_poll(struct task *t)
{
    (void)t;
    return POLL_READY;
}
static inline void post_finished(struct task *t)
{
    struct post *p = (struct post *)(void *)t; /* its first member */
    p->run(p);
}
/* The name is for logs and the watchdog; kept, not copied. */
static inline void worker_post(struct worker *w, struct post *p, const char *name,
                               void (*run)(struct post *p))
{
    p->run = run;
    task_init(&p->task, name, post_poll, post_finished);
    task_spawn(w, &p->task);
}
