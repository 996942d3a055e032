/* worker_internal: what a worker is made of; for task.c, timer.c, offload.c and the drivers.
 *
 * Threads: `inbox`, `jobs_done`, `sleeping` and `wakes_remote` any; the watchdog reads `polling`
 * and `polls`; of `share` see share_internal.h. All else is the worker's, or, while the executor
 * does not run, whoever's that holds it. Parking: the worker sets `sleeping`, then looks at
 * everything another thread may have left, then sleeps in its driver. Another thread leaves its
 * thing, then takes `sleeping` away; who finds it set wakes the driver. All four are sequentially
 * consistent, so that one of the two sees the other, and one sleep costs at most one wake. Work
 * that any worker may do is looked for between the first two: share_announce(). */
#pragma once

#include "async/grace_internal.h"
#include "async/io.h"
#include "async/share_internal.h"
#include "async/timer_internal.h"
#include <setjmp.h>

enum {
    WORKER_BUDGET = 128,      /* polls a tick */
    WORKER_TICK_NS = 1000000, /* after so long no further poll begins, if there were many turns */
    WORKER_HOOK_PASSES = 4,   /* hooks that hooks added, in the same tick */
    WORKER_WIND_UP_TICKS = 1000,
};

struct offload_job;
struct offload_pool;

struct worker {
    struct executor *executor;
    struct alloc *alloc;
    struct clock *clock;
    struct io_driver *io;
    struct task_queue run;
    _Atomic(const char *) polling; /* the name of what is being polled, for the watchdog; or NULL */
    _Atomic uint64_t polls;
    _Atomic uint64_t ticks, sleeps, completions; /* counted by this thread, read by others */
    _Atomic size_t tasks_n;                      /* how many `tasks` are */
    struct share_worker share;
    struct grace_worker grace;
    struct list tasks; /* pinned ones that have been polled and not finished */
    struct list hooks;
    struct wheel wheel;
    int64_t now_ns, now_ms;
    bool now_valid, now_ms_valid; /* of this tick */
    bool running;                 /* a thread is in its loop */
    bool slept;                   /* or was about to */
    bool free_first;              /* at the next look for a task */
    unsigned index;
    struct worker_local *locals[WORKER_LOCAL_SLOTS];

    struct assert_trap trap, *trap_before;
    jmp_buf *contained; /* where to go on when the poll under way panics; NULL: it may not */

    _Atomic(struct task *) inbox; /* last in first; taken as a whole */
    _Atomic(struct offload_job *) jobs_done;
    _Atomic uint32_t sleeping;
    _Atomic uint64_t wakes_remote;
};

void worker_init(struct worker *w, struct executor *ex, unsigned index);
/* The worker's own counters: only its thread writes them, so that none needs a locked operation. */
static inline void worker_count(_Atomic uint64_t *n)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}
static inline void worker_tasks_add(struct worker *w, int n)
{
    size_t tasks = atomic_load_explicit(&w->tasks_n, memory_order_relaxed);
    atomic_store_explicit(&w->tasks_n, tasks + (size_t)n, memory_order_relaxed);
}
static inline void share_found(struct worker *w, bool more)
{
    if (__builtin_expect(w->share.searching, 0))
        share_found_slow(w, more);
}
/* A poll begins, or a coroutine goes on. */
static inline void worker_polls_now(struct worker *w, const char *name)
{
    worker_count(&w->polls);
    atomic_store_explicit(&w->polling, name, memory_order_release); /* who sees it sees `polls` */
}
static inline void worker_polls_nothing(struct worker *w)
{
    atomic_store_explicit(&w->polling, NULL, memory_order_relaxed);
}
static inline bool worker_is_polling(struct worker *w)
{
    return atomic_load_explicit(&w->polling, memory_order_relaxed) != NULL;
}
/* The loop, on the calling thread, until the executor stops. */
void worker_run(struct worker *w);
/* One tick on the calling thread, which may be between two of another worker's. The worker counts
 * as asleep behind it. How long it may: ns, -1 for ever. */
int64_t worker_turn(struct worker *w);
/* Makes it the one that worker_current() tells; the one before. */
struct worker *worker_enter(struct worker *w);
/* What other threads have made runnable goes into the run queue. */
void worker_take_inbox(struct worker *w);
/* Hands back jobs that were done when no loop runs any more. */
void worker_take_jobs(struct worker *w);

/* Polls a task that was taken from the run queue or was free. */
void task_run(struct worker *w, struct task *t);
/* A fork of another worker. */
void worker_run_fork(struct worker *w, struct fork_lane *from, struct fork *f);

/* A new task is free and scheduled; the caller queues it. */
void task_mark_free(struct executor *ex, struct task *t);
/* A free task that is being polled, or was taken, belongs to this worker from now on. */
void task_settle(struct worker *w, struct task *t);
/* It was taken, and runs by other means than a poll, until task_waits() or task_retire(). */
void task_runs(struct task *t);
/* And now waits for its next wake. False: it was woken or canceled while it ran, or before. */
bool task_waits(struct task *t);
/* For tasks that run by other means than the run queue: it waits for its first wake, unpolled. */
void task_adopt(struct worker *w, struct task *t);
/* A task that waits has ended, without a poll. False: a wake is on its way, the poll will come.
 * `exposed`: another thread may be about to wake it. */
bool task_retire(struct task *t, bool exposed);

/* Any thread. */
void worker_inject(struct worker *w, struct task *t);
void worker_job_done(struct worker *w, struct offload_job *j);

/* panic.c: on this thread, failed assertions are looked at from now on. */
void panic_watch(struct worker *w);
void panic_unwatch(struct worker *w);
/* Polls a task that contains its bugs. */
enum poll panic_poll(struct worker *w, struct task *t);

/* For drivers. How long the worker may sleep as things stand on its thread: 0 if there is work,
 * -1 for ever. Ask again after a done() that ran before the sleep. */
int64_t worker_idle_ns(struct worker *w);
/* To be called before the call that sleeps, when nothing more is done() before it. */
void worker_sleeps(struct worker *w);
/* To be called behind the call that sleeps: a new tick's time begins. */
void worker_awake(struct worker *w);

struct watchdog *executor_watchdog(const struct executor *ex); /* NULL: there is none */
struct share *executor_share(struct executor *ex);
_Atomic uint64_t *executor_grace_period(struct executor *ex);
struct offload_pool *executor_offload(struct executor *ex);
bool executor_stopping(const struct executor *ex);
bool executor_is_running(const struct executor *ex);
