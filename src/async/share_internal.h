/* share_internal: free work, that any worker may run, and how idle workers find it.
 *
 * Three kinds, each in a deque of the worker that made it, from which others steal the oldest:
 * `free` tasks that are runnable (taken in order), `spawned` coroutines that have not begun
 * (the owner takes the newest, so that a tree of them is walked depth first and few stacks are in
 * use), and forks (fork.h). Free tasks that a deque has no room for, and what comes from foreign
 * threads, lie in the executor's injection queue; of coroutines the older half makes room, in a
 * list of their worker.
 *
 * Idle workers. To wake a worker on another core costs more than most tasks do (33–44 µs measured),
 * so one is woken only when work waits behind other work, and one at a time: it searches, and who
 * finds something wakes the next if there is more. A worker that sleeps has its bit in `idle`; who
 * takes the bit away wakes it, and counts it as searching. A worker that finds nothing sets its
 * bit, then looks once more at everything (left by others before they saw the bit), then sleeps.
 * A worker that pushes work looks at `idle` without a fence: it is awake itself, so at worst the
 * work runs there. A long task (task.h) is not left to be found: it is put into the inbox of a
 * sleeper with fewer connections. What is injected by a foreign thread nobody else might see; there
 * every operation is sequentially consistent. After the scheduler of Tokio (idle.rs), and Go
 * (proc.go).
 *
 * Threads: as said at each function; share_push() and share_take() the worker's own. */
#pragma once

#include "async/deque.h"
#include "async/fork.h"
#include "async/task.h"
#include "base/alloc.h"
#include <pthread.h>

struct executor;

enum {
    SHARE_CAPACITY = 256, /* of a worker's deque of free tasks; a power of two */
    SHARE_SPAWNED = 1024, /* coroutines that have not begun */
    SHARE_FORKS = 1024,
    SHARE_BATCH = 256, /* at most so many come from elsewhere at once */
    SHARE_AT = 4,      /* so many wait: worth to wake somebody before the worker comes to them */
    SHARE_FAIR = 61,   /* each so many turns the injection queue and the oldest come first */
    SHARE_PASSES = 4,  /* of a search over all workers */
    SHARE_PAUSE = 64,  /* between two passes */
    SHARE_ROUNDS = 16, /* searches between two looks at the I/O */
};

struct task_queue {
    struct task *head, *tail;
};
void task_queue_push(struct task_queue *q, struct task *t);
struct task *task_queue_pop(struct task_queue *q);

/* An executor's. */
struct share {
    struct executor *executor;
    unsigned workers;
    unsigned co_workers;        /* that have coroutines */
    _Atomic uint64_t idle;      /* a bit for each worker that sleeps, or is about to */
    _Atomic uint32_t searching; /* awake only to look for work */
    pthread_mutex_t lock;       /* the injection queue */
    struct task_queue injected;
    _Atomic size_t injected_n;
};
void share_init(struct share *s, struct executor *ex, unsigned workers);
void share_fini(struct share *s);

/* A worker's. */
struct share_worker {
    struct share *share;
    struct deque free, spawned;
    /* Older than those in the deque; both ends. From a task to its older one by `next`. */
    struct task *spawned_rest, *spawned_oldest;
    struct fork_lane lane;
    bool announced; /* its bit in `idle` was set */
    bool searching; /* it is counted in `searching` */
    uint32_t turn, victim;
    _Atomic uint64_t steals, searches, handed;
};
MUST_USE enum err share_worker_init(struct worker *w, struct share *s, struct alloc *a);
void share_worker_fini(struct worker *w);

/* A free task became runnable. Its state says so already. */
void share_push(struct worker *w, struct task *t);
/* Any thread. */
void share_inject(struct share *s, struct task *t);
/* A coroutine that has not begun. */
void share_push_spawned(struct worker *w, struct task *t);
/* The newest of them, or (`oldest`) the oldest; NULL: none. */
struct task *share_take_spawned(struct worker *w, bool oldest);
/* The next free task of this worker, or of the injection queue; NULL: none. */
struct task *share_take(struct worker *w);
/* Nothing of its own is left: looks at the others. True if something was found; it runs, or has
 * run. */
bool share_search(struct worker *w);
/* It will sleep. True if there is something after all. */
bool share_announce(struct worker *w);
/* It is awake, whoever woke it. */
void share_awake(struct worker *w);
/* It has found something to do, and there is (or may be) more of it. */
void share_found_slow(struct worker *w, bool more);
/* fork.c */
enum deque_steal fork_steal(struct fork_lane *victim, struct fork **out);
/* A fork that was taken `from` another worker's lane. */
void fork_run_taken(struct fork_lane *lane, struct fork_lane *from, struct fork *f);
/* Work waits that another could do: wakes one that sleeps, unless one searches already. */
void share_notify_slow(struct share *s);
static inline void share_notify(struct share *s)
{
    if (__builtin_expect(atomic_load_explicit(&s->idle, memory_order_relaxed) != 0, 0) &&
        atomic_load_explicit(&s->searching, memory_order_relaxed) == 0)
        share_notify_slow(s);
}
