#include "async/offload.h"
#include "async/watchdog.h"
#include "async/worker_internal.h"

/* Which worker this thread runs. The accessor is out of line, because a compiler may keep the
 * address of a thread-local variable across a switch of stacks. */
static _Thread_local struct worker *this_worker;

__attribute__((noinline)) struct worker *worker_current(void)
{
    return this_worker;
}

struct worker *worker_enter(struct worker *w)
{
    struct worker *before = this_worker;
    this_worker = w;
    return before;
}

void worker_init(struct worker *w, struct executor *ex, unsigned index)
{
    w->executor = ex;
    w->index = index;
    list_init(&w->tasks);
    list_init(&w->hooks);
    atomic_init(&w->inbox, NULL);
    atomic_init(&w->jobs_done, NULL);
    atomic_init(&w->sleeping, 0);
    atomic_init(&w->wakes_remote, 0);
    atomic_init(&w->polling, NULL);
    atomic_init(&w->polls, 0);
    atomic_init(&w->ticks, 0);
    atomic_init(&w->sleeps, 0);
    atomic_init(&w->completions, 0);
    atomic_init(&w->tasks_n, 0);
    grace_init(&w->grace);
    wheel_init(&w->wheel, clock_mono_ns(w->clock));
}

/* --- what other threads leave --- */

void worker_wake(struct worker *w)
{
    if (atomic_load(&w->sleeping) && atomic_exchange(&w->sleeping, 0)) {
        atomic_fetch_add_explicit(&w->wakes_remote, 1, memory_order_relaxed);
        w->io->ops->wake(w->io);
    }
}

void worker_inject(struct worker *w, struct task *t)
{
    struct task *head = atomic_load_explicit(&w->inbox, memory_order_relaxed);
    do
        t->next = head;
    while (!atomic_compare_exchange_weak(&w->inbox, &head, t));
    worker_wake(w);
}

void worker_job_done(struct worker *w, struct offload_job *j)
{
    struct offload_job *head = atomic_load_explicit(&w->jobs_done, memory_order_relaxed);
    do
        j->next = head;
    while (!atomic_compare_exchange_weak(&w->jobs_done, &head, j));
    worker_wake(w);
}

void worker_take_inbox(struct worker *w)
{
    if (!atomic_load_explicit(&w->inbox, memory_order_relaxed))
        return;
    struct task *t = atomic_exchange_explicit(&w->inbox, NULL, memory_order_acquire);
    struct task *first = NULL;
    while (t) { /* the first that came shall run first */
        struct task *next = t->next;
        t->next = first;
        first = t;
        t = next;
    }
    while (first) {
        struct task *next = first->next;
        task_queue_push(&w->run, first);
        first = next;
    }
}

void worker_take_jobs(struct worker *w)
{
    if (!atomic_load_explicit(&w->jobs_done, memory_order_relaxed))
        return;
    struct offload_job *j = atomic_exchange_explicit(&w->jobs_done, NULL, memory_order_acquire);
    struct offload_job *first = NULL;
    while (j) {
        struct offload_job *next = j->next;
        j->next = first;
        first = j;
        j = next;
    }
    while (first) {
        struct offload_job *next = first->next; /* done() may free the job */
        first->done(first);
        first = next;
    }
}

/* --- the tick --- */

void tick_hook_init(struct tick_hook *h, void (*run)(struct tick_hook *))
{
    list_init(&h->link);
    h->run = run;
}

void worker_at_tick_end(struct worker *w, struct tick_hook *h)
{
    if (list_empty(&h->link))
        list_add_tail(&w->hooks, &h->link);
}

void tick_hook_cancel(struct tick_hook *h)
{
    list_del(&h->link);
}

static void run_hooks(struct worker *w)
{
    /* The marker ends a pass: hooks that were added meanwhile lie behind it. */
    struct list marker, *it;
    list_init(&marker);
    for (int pass = 0; pass < WORKER_HOOK_PASSES && !list_empty(&w->hooks); pass++) {
        list_add_tail(&w->hooks, &marker);
        while ((it = list_pop_head(&w->hooks)) != &marker) {
            struct tick_hook *h = CONTAINER_OF(it, struct tick_hook, link);
            h->run(h);
        }
    }
}

static bool left_by_others(struct worker *w)
{
    return atomic_load(&w->inbox) || atomic_load(&w->jobs_done) || executor_stopping(w->executor);
}

int64_t worker_idle_ns(struct worker *w)
{
    if (w->run.head || !list_empty(&w->hooks) || !deque_is_empty(&w->share.free))
        return 0;
    int64_t next_ns = wheel_next_ns(&w->wheel),
            longest_ns = grace_waits(&w->grace) ? GRACE_POLL_NS : -1;
    if (next_ns < 0)
        return longest_ns;
    /* Not the tick's time: the tick may have taken long. */
    int64_t now_ns = clock_mono_ns(w->clock), idle_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    return longest_ns >= 0 && idle_ns > longest_ns ? longest_ns : idle_ns;
}

void worker_sleeps(struct worker *w)
{
    grace_go_away(w);
}

void worker_awake(struct worker *w)
{
    if (w->slept) { /* who woke it may have taken `sleeping` away */
        w->slept = false;
        atomic_store(&w->sleeping, 0);
        watchdog_worker_awake(executor_watchdog(w->executor));
    }
    share_awake(w);
    grace_come_back(w);
    w->now_valid = w->now_ms_valid = false;
}

void worker_run_fork(struct worker *w, struct fork_lane *from, struct fork *f)
{
    worker_polls_now(w, "fork");
    fork_run_taken(&w->share.lane, from, f);
    worker_polls_nothing(w);
}

/* Pinned and free tasks take turns, also from one tick to the next. */
static struct task *next_task(struct worker *w)
{
    bool free_first = w->free_first;
    w->free_first = !free_first;
    struct task *t = free_first ? share_take(w) : task_queue_pop(&w->run);
    if (!t)
        t = free_first ? task_queue_pop(&w->run) : share_take(w);
    if (t)
        share_found(w, true);
    return t;
}

static void run_tasks(struct worker *w)
{
    struct task *t;
    uint64_t look_at = worker_polls(w) + WORKER_BUDGET;
    for (int polls = 0; polls < WORKER_BUDGET && (t = next_task(w)); polls++) {
        task_run(w, t);
        if (worker_polls(w) < look_at)
            continue;
        /* A poll of the pump is many turns of coroutines: I/O and timers don't wait for 128. */
        if (clock_mono_ns(w->clock) - worker_now_ns(w) > WORKER_TICK_NS)
            break;
        look_at = worker_polls(w) + WORKER_BUDGET;
    }
    run_hooks(w);
    grace_tick(w, &w->grace);
}

static void tick(struct worker *w, bool may_sleep)
{
    worker_count(&w->ticks);
    worker_take_inbox(w);
    worker_take_jobs(w);
    wheel_advance(&w->wheel, worker_now_ns(w));
    run_tasks(w);
    int64_t timeout_ns = may_sleep ? worker_idle_ns(w) : 0;
    for (int i = 0; timeout_ns != 0 && i < SHARE_ROUNDS && share_search(w); i++) {
        run_tasks(w);
        timeout_ns = i + 1 < SHARE_ROUNDS ? worker_idle_ns(w) : 0;
    }
    if (timeout_ns != 0) {
        w->slept = true;
        atomic_store(&w->sleeping, 1);
        if (share_announce(w) || left_by_others(w))
            timeout_ns = 0;
        else
            worker_count(&w->sleeps);
    }
    w->io->ops->wait(w->io, timeout_ns);
    worker_awake(w);
}

/* True if there was one that had not been told yet. */
static bool cancel_tasks(struct worker *w)
{
    bool any = false;
    LIST_EACH(&w->tasks, it)
    {
        struct task *t = CONTAINER_OF(it, struct task, link);
        if (!t->canceled) {
            task_cancel(t);
            any = true;
        }
    }
    return any;
}

int64_t worker_turn(struct worker *w)
{
    struct worker *before = worker_enter(w);
    w->running = true;
    worker_awake(w);
    tick(w, false);
    atomic_store(&w->sleeping, 1);
    int64_t idle_ns = left_by_others(w) ? 0 : worker_idle_ns(w);
    w->running = false;
    (void)worker_enter(before);
    return idle_ns;
}

void worker_run(struct worker *w)
{
    struct worker *before = worker_enter(w);
    w->running = true;
    grace_come_back(w);
    panic_watch(w);
    while (!executor_stopping(w->executor))
        tick(w, true);
    /* Each task is told; what becomes runnable by that runs, but nothing is waited for. */
    for (int i = 0; i < WORKER_WIND_UP_TICKS; i++) {
        tick(w, false); /* may bring tasks that were spawned and never polled */
        if (!cancel_tasks(w) && worker_idle_ns(w) != 0 && !atomic_load(&w->inbox) &&
            !atomic_load(&w->jobs_done))
            break;
    }
    panic_unwatch(w);
    grace_go_away(w);
    w->running = false;
    (void)worker_enter(before);
}

/* --- what a worker tells --- */

int64_t worker_now_ns(struct worker *w)
{
    if (!w->now_valid || !w->running) {
        w->now_ns = clock_mono_ns(w->clock);
        w->now_valid = true;
    }
    return w->now_ns;
}

int64_t worker_now_ms(struct worker *w)
{
    if (!w->now_ms_valid || !w->running) {
        w->now_ms = clock_wall_ms(w->clock);
        w->now_ms_valid = true;
    }
    return w->now_ms;
}

struct executor *worker_executor(struct worker *w)
{
    return w->executor;
}

unsigned worker_index(const struct worker *w)
{
    return w->index;
}

struct alloc *worker_alloc(struct worker *w)
{
    return w->alloc;
}

struct io_driver *worker_io(struct worker *w)
{
    return w->io;
}

struct worker_local *worker_local(struct worker *w, enum worker_local_slot slot)
{
    return w->locals[slot];
}

void worker_local_set(struct worker *w, enum worker_local_slot slot, struct worker_local *l)
{
    w->locals[slot] = l;
}

struct worker_stats worker_stats(const struct worker *w)
{
    return (struct worker_stats){
        .ticks = atomic_load_explicit(&w->ticks, memory_order_relaxed),
        .polls = worker_polls(w),
        .sleeps = atomic_load_explicit(&w->sleeps, memory_order_relaxed),
        .wakes_remote = atomic_load_explicit(&w->wakes_remote, memory_order_relaxed),
        .completions = atomic_load_explicit(&w->completions, memory_order_relaxed),
        .searches = atomic_load_explicit(&w->share.searches, memory_order_relaxed),
        .steals = atomic_load_explicit(&w->share.steals, memory_order_relaxed),
        .handed = atomic_load_explicit(&w->share.handed, memory_order_relaxed),
        .tasks = atomic_load_explicit(&w->tasks_n, memory_order_relaxed),
    };
}

uint64_t worker_polls(const struct worker *w)
{
    return atomic_load_explicit(&w->polls, memory_order_relaxed);
}
