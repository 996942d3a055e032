/* worker_internal: what a worker is made of; for task.c, timer.c, offload.c and the drivers.
 *
 * Threads: `inbox`, `jobs_done`, `sleeping` and `wakes_remote` any; all else the worker's, or
 * whoever holds the executor while it does not run.
 * Parking: the worker sets `sleeping`, then looks at everything another thread may have left,
 * then sleeps in its driver. Another thread leaves its thing, then takes `sleeping` away; who
 * finds it set wakes the driver. All four are sequentially consistent, so that one of the two
 * sees the other, and one sleep costs at most one wake. */
#pragma once

#include "async/io.h"
#include "async/timer_internal.h"

enum {
    WORKER_BUDGET = 128,    /* polls a tick */
    WORKER_HOOK_PASSES = 4, /* hooks that hooks added, in the same tick */
    WORKER_WIND_UP_TICKS = 1000,
    WORKERS_MAX = 64,
};

struct offload_job;
struct offload_pool;

struct task_queue {
    struct task *head, *tail;
};

struct worker {
    struct executor *executor;
    struct alloc *alloc;
    struct clock *clock;
    struct io_driver *io;
    struct task_queue run;
    struct task *polling; /* the task whose poll is under way */
    struct list tasks;    /* that have been polled and not finished */
    struct list hooks;
    struct wheel wheel;
    int64_t now_ns, now_ms;
    bool now_valid, now_ms_valid; /* of this tick */
    bool running;                 /* a thread is in its loop */
    unsigned index;
    struct worker_stats stats;
    struct worker_local *locals[WORKER_LOCAL_SLOTS];

    _Atomic(struct task *) inbox; /* last in first; taken as a whole */
    _Atomic(struct offload_job *) jobs_done;
    _Atomic uint32_t sleeping;
    _Atomic uint64_t wakes_remote;
};

void worker_init(struct worker *w, struct executor *ex, unsigned index);
/* The loop, on the calling thread, until the executor stops. */
void worker_run(struct worker *w);
/* One tick on the calling thread, which may be between two of another worker's. The worker counts
 * as asleep behind it. How long it may: ns, -1 for ever. */
int64_t worker_turn(struct worker *w);
/* Makes it the one that worker_current() tells; the one before. */
struct worker *worker_enter(struct worker *w);
/* Hands back jobs that were done when no loop runs any more. */
void worker_take_jobs(struct worker *w);

void task_queue_push(struct task_queue *q, struct task *t);
struct task *task_queue_pop(struct task_queue *q);
/* Polls a task of this worker that was taken from the run queue. */
void task_run(struct worker *w, struct task *t);

/* For tasks that run by other means than the run queue: it waits for its first wake, unpolled. */
void task_adopt(struct worker *w, struct task *t);
/* A task that waits has ended, without a poll. False: a wake is on its way, the poll will come. */
bool task_retire(struct task *t);

/* Any thread. */
void worker_inject(struct worker *w, struct task *t);
void worker_job_done(struct worker *w, struct offload_job *j);

/* For drivers. How long the worker may sleep as things stand on its thread: 0 if there is work,
 * -1 for ever. Ask again after a done() that ran before the sleep. */
int64_t worker_idle_ns(struct worker *w);
/* To be called behind the call that sleeps: a new tick's time begins. */
void worker_awake(struct worker *w);

struct offload_pool *executor_offload(struct executor *ex);
bool executor_stopping(const struct executor *ex);
bool executor_is_running(const struct executor *ex);
