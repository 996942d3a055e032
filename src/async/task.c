#include "async/worker_internal.h"

/* The state word. New: not spawned. Idle: waits. Scheduled: in a run queue or an inbox. Running:
 * in its poll. Notified: running, and woken meanwhile, so it will be queued again by its runner.
 *
 *     new -> scheduled -> running -> idle -> scheduled …
 *                           |  \-> notified -> scheduled
 *                           \-> complete
 * Every wake is a read-modify-write, even one that changes nothing: what the waker wrote before
 * it must be seen by the poll that follows. */
enum { TASK_NEW, TASK_IDLE, TASK_SCHEDULED, TASK_RUNNING, TASK_NOTIFIED, TASK_COMPLETE };

/* Free tasks: `worker` is NULL and never written, so that any thread may wake one while it runs
 * elsewhere. A free coroutine's becomes the worker's on which it begins, before the state says that
 * it waits. */

void task_queue_push(struct task_queue *q, struct task *t)
{
    t->next = NULL;
    if (q->head)
        q->tail->next = t;
    else
        q->head = t;
    q->tail = t;
}

struct task *task_queue_pop(struct task_queue *q)
{
    struct task *t = q->head;
    if (t)
        q->head = t->next;
    return t;
}

void task_init(struct task *t, const char *name, enum poll (*poll)(struct task *),
               void (*finished)(struct task *))
{
    *t = (struct task){.poll = poll, .finished = finished, .name = name ? name : "?"};
    list_init(&t->link);
    atomic_init(&t->state, TASK_NEW);
    atomic_init(&t->canceled, false);
}

/* The state says scheduled, and who made it so calls. */
static void schedule(struct task *t)
{
    struct worker *here = worker_current(), *w = t->worker;
    if (w) {
        if (w == here)
            task_queue_push(&w->run, t);
        else
            worker_inject(w, t);
    } else if (here && here->executor == t->executor) {
        share_push(here, t);
    } else {
        share_inject(executor_share(t->executor), t);
    }
}

void task_spawn(struct worker *w, struct task *t)
{
    t->worker = w; /* first: who wakes a task that is scheduled looks at it */
    uint32_t s = atomic_exchange_explicit(&t->state, TASK_SCHEDULED, memory_order_release);
    ASSERT(s == TASK_NEW);
    schedule(t);
}

void task_mark_free(struct executor *ex, struct task *t)
{
    ASSERT(atomic_load_explicit(&t->state, memory_order_relaxed) == TASK_NEW);
    if (!t->free)
        t->free = TASK_FREE;
    t->executor = ex;
    atomic_store_explicit(&t->state, TASK_SCHEDULED, memory_order_release);
}

void task_spawn_free(struct executor *ex, struct task *t)
{
    task_mark_free(ex, t);
    schedule(t);
}

void task_spawn_long(struct executor *ex, struct task *t)
{
    t->free = TASK_LONG;
    task_spawn_free(ex, t);
}

void task_settle(struct worker *w, struct task *t)
{
    t->worker = w;
    list_init(&t->link);
    list_add_tail(&w->tasks, &t->link);
    worker_tasks_add(w, 1);
}

void task_runs(struct task *t)
{
    atomic_store_explicit(&t->state, TASK_RUNNING, memory_order_release);
}

bool task_waits(struct task *t)
{
    /* An exchange: who canceled it before saw that it was scheduled or ran, and is seen here. */
    uint32_t s = atomic_exchange(&t->state, TASK_IDLE);
    ASSERT(s == TASK_RUNNING || s == TASK_NOTIFIED);
    return s == TASK_RUNNING && !atomic_load(&t->canceled);
}

void task_adopt(struct worker *w, struct task *t)
{
    task_settle(w, t);
    atomic_store_explicit(&t->state, TASK_IDLE, memory_order_release);
}

bool task_retire(struct task *t, bool exposed)
{
    uint32_t s = TASK_IDLE;
    if (exposed) {
        if (!atomic_compare_exchange_strong(&t->state, &s, TASK_COMPLETE)) {
            if (s == TASK_SCHEDULED)
                return false;
            /* It runs by task_runs(): who wakes it only says so. */
            atomic_store(&t->state, TASK_COMPLETE);
        }
    } else {
        if (atomic_load_explicit(&t->state, memory_order_acquire) != TASK_IDLE)
            return false;
        atomic_store_explicit(&t->state, TASK_COMPLETE, memory_order_relaxed);
    }
    list_del(&t->link);
    worker_tasks_add(t->worker, -1);
    return true;
}

void task_wake(struct task *t)
{
    uint32_t s = atomic_load_explicit(&t->state, memory_order_acquire);
    for (;;) {
        if (s == TASK_NEW || s == TASK_COMPLETE)
            return;
        uint32_t next = s == TASK_IDLE ? TASK_SCHEDULED : s == TASK_RUNNING ? TASK_NOTIFIED : s;
        if (next == s && !t->free && t->worker == worker_current())
            return;
        /* Sequentially consistent for task_cancel(): task_runs() is a plain store, so what keeps
         * task_waits() from missing `canceled` is the order of all four. */
        if (atomic_compare_exchange_weak(&t->state, &s, next)) {
            /* Else it is not ours to look at: it may run, finish and be gone. */
            if (s == TASK_IDLE)
                schedule(t);
            return;
        }
    }
}

void task_cancel(struct task *t)
{
    atomic_store(&t->canceled, true);
    task_wake(t);
}

static void queue_remove(struct task_queue *q, struct task *t)
{
    struct task_queue rest = {0};
    struct task *x;
    while ((x = task_queue_pop(q)))
        if (x != t)
            task_queue_push(&rest, x);
    *q = rest;
}

void task_abandon(struct task *t)
{
    uint32_t s = atomic_exchange(&t->state, TASK_COMPLETE);
    ASSERT(s != TASK_RUNNING && s != TASK_NOTIFIED && !t->free);
    if (s == TASK_NEW || s == TASK_COMPLETE)
        return;
    if (!list_empty(&t->link)) {
        list_del(&t->link);
        worker_tasks_add(t->worker, -1);
    }
    if (s != TASK_SCHEDULED)
        return;
    worker_take_inbox(t->worker);
    queue_remove(&t->worker->run, t);
}

/* The state is running and the right to run it is ours. */
static void poll_claimed(struct worker *w, struct task *t)
{
    if (t->worker && list_empty(&t->link)) {
        list_add_tail(&w->tasks, &t->link);
        worker_tasks_add(w, 1);
    }
    worker_polls_now(w, t->name);
    enum poll result = __builtin_expect(t->contained, 0) ? panic_poll(w, t) : t->poll(t);
    worker_polls_nothing(w);
    if (result == POLL_READY) {
        if (t->worker) {
            list_del(&t->link);
            worker_tasks_add(w, -1);
        }
        atomic_store_explicit(&t->state, TASK_COMPLETE, memory_order_release);
        if (t->finished)
            t->finished(t);
        return;
    }
    uint32_t s = TASK_RUNNING;
    if (!atomic_compare_exchange_strong_explicit(&t->state, &s, TASK_IDLE, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        s = atomic_exchange_explicit(&t->state, TASK_SCHEDULED, memory_order_acq_rel);
        ASSERT(s == TASK_NOTIFIED);
        schedule(t);
    }
}

void task_run(struct worker *w, struct task *t)
{
    uint32_t s = atomic_exchange_explicit(&t->state, TASK_RUNNING, memory_order_acq_rel);
    ASSERT(s == TASK_SCHEDULED);
    poll_claimed(w, t);
}

bool task_poll_now(struct task *t)
{
    struct worker *w = t->worker;
    uint32_t s = TASK_IDLE;
    if (w && w == worker_current() && !worker_is_polling(w) &&
        atomic_compare_exchange_strong_explicit(&t->state, &s, TASK_RUNNING, memory_order_acq_rel,
                                                memory_order_relaxed)) {
        poll_claimed(w, t);
        return true;
    }
    task_wake(t);
    return false;
}
