/* executor: workers, each one thread with its run queue, timers and I/O driver.
 *
 * A tick: run what is ready (at most a budget), run the tick hooks (streams flush what they
 * gathered, one write per connection), submit to the driver, wait for completions or the next
 * timer. A worker that has nothing to do sleeps in its driver.
 * Ownership: executor_new() … executor_run() … executor_free(), all on one thread (io_uring
 * belongs to the thread that used it). The environment outlives it.
 * Threads: executor_stop() and worker_wake() any (executor_stop() is safe in a signal handler);
 * executor_run() runs worker 0 on the calling thread. */
#pragma once

#include "async/env.h"
#include "async/task.h"
#include "base/list.h"

struct executor;
struct pool_list;
struct worker;

/* A worker does not come out of one poll, or has at last. */
struct stuck {
    unsigned worker;
    const char *name; /* of the task or coroutine; "it" of one that has ended */
    int64_t ns;       /* so far */
    bool ended;
};

enum { EXECUTOR_WORKERS_MAX = 64 };
struct executor_config {
    struct env *env; /* clock, disk, network: linux or sim */
    struct alloc *alloc;
    unsigned workers; /* 1 … EXECUTOR_WORKERS_MAX; a simulated env has one, whatever is asked for */
    const char *driver;       /* "io_uring", "epoll" or NULL: io_uring where it works, else epoll;
                                 not asked if the env has its own */
    unsigned offload_threads; /* 1 … 16, for blocking calls; see offload.h */
    int64_t stuck_ms; /* a poll may take so long, then it is reported; 0: none is; watchdog.h */
    void (*stuck)(void *ctx, const struct stuck *s); /* the watchdog's thread; NULL: it is logged */
    void *stuck_ctx;
};
MUST_USE enum err executor_new(struct executor **out, const struct executor_config *cfg,
                               struct error *e);
/* Until executor_stop(). Then every task is canceled and what became runnable by that is run, but
 * nothing is waited for any more: who needs time to wind up takes it before executor_stop(). */
void executor_run(struct executor *ex);
void executor_stop(struct executor *ex);
/* For who runs several executors of one worker on one thread (async/sim): one tick that does not
 * sleep, or, behind executor_stop(), the end of the run. How long it may rest: ns, -1 for ever. */
int64_t executor_turn(struct executor *ex);
/* Runs what offloaded jobs still have to hand back, ends all I/O (each op gets its last done()). */
void executor_free(struct executor *ex);
/* An offloaded job waits or runs, and executor_free() would wait for it. */
bool executor_has_jobs(const struct executor *ex);

struct worker *executor_worker(struct executor *ex, unsigned i);
unsigned executor_workers(const struct executor *ex);
const char *executor_driver(const struct executor *ex); /* which one was chosen */
struct env *executor_env(struct executor *ex);
/* Of all workers, for who shows them; worker_pool_show() adds to it. */
struct pool_list *executor_pools(struct executor *ex);
struct executor *worker_executor(struct worker *w);
unsigned worker_index(const struct worker *w); /* from 0 */
struct worker *worker_current(void);           /* NULL on a foreign thread */
struct alloc *worker_alloc(struct worker *w);
void worker_wake(struct worker *w); /* ends its sleep; task_wake() does so by itself */

/* What a layer keeps for each worker (net: its pools; coroutines; worker_pools.h). Made at first
 * use by the layer, freed by executor_free() after all I/O has ended. */
enum worker_local_slot {
    WORKER_LOCAL_NET,
    WORKER_LOCAL_CO,
    WORKER_LOCAL_BUFFERS,
    WORKER_LOCAL_SLOTS
};
struct worker_local {
    void (*free)(struct worker_local *l);
};
struct worker_local *worker_local(struct worker *w, enum worker_local_slot slot); /* or NULL */
void worker_local_set(struct worker *w, enum worker_local_slot slot, struct worker_local *l);

/* Time of this tick; reads the clock once a tick. */
int64_t worker_now_ns(struct worker *w);
/* Wall clock of this tick. */
int64_t worker_now_ms(struct worker *w);

/* Runs once at the end of the current tick, before the worker may sleep. Queued at most once;
 * its worker's thread only. For batching: flush one connection, send one group of events. */
struct tick_hook {
    struct list link; /* list_init() before first use: tick_hook_init() */
    void (*run)(struct tick_hook *h);
};
void tick_hook_init(struct tick_hook *h, void (*run)(struct tick_hook *));
void worker_at_tick_end(struct worker *w, struct tick_hook *h);
void tick_hook_cancel(struct tick_hook *h);

struct worker_stats {
    uint64_t ticks, polls, sleeps, wakes_remote, completions;
    uint64_t searches, steals; /* looks for free work of others, and those that found some */
    uint64_t handed;           /* long tasks that it was given while it slept */
    size_t tasks;              /* pinned ones that have not finished */
};
/* Any thread: each figure is of some moment just now. */
struct worker_stats worker_stats(const struct worker *w);
uint64_t worker_polls(const struct worker *w); /* so far: tells one poll from the next */
