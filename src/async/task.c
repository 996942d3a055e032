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
    *t = (struct task){.poll = poll, .finished = finished, .name = name};
    list_init(&t->link);
    atomic_init(&t->state, TASK_NEW);
}

static void schedule(struct worker *w, struct task *t)
{
    if (w == worker_current())
        task_queue_push(&w->run, t);
    else
        worker_inject(w, t);
}

void task_spawn(struct worker *w, struct task *t)
{
    uint32_t s = atomic_exchange_explicit(&t->state, TASK_SCHEDULED, memory_order_relaxed);
    ASSERT(s == TASK_NEW);
    t->worker = w;
    schedule(w, t);
}

void task_adopt(struct worker *w, struct task *t)
{
    t->worker = w;
    list_add_tail(&w->tasks, &t->link);
    w->stats.tasks++;
    atomic_store_explicit(&t->state, TASK_IDLE, memory_order_release);
}

bool task_retire(struct task *t)
{
    if (atomic_load_explicit(&t->state, memory_order_acquire) != TASK_IDLE)
        return false;
    atomic_store_explicit(&t->state, TASK_COMPLETE, memory_order_relaxed);
    list_del(&t->link);
    t->worker->stats.tasks--;
    return true;
}

void task_wake(struct task *t)
{
    uint32_t s = atomic_load_explicit(&t->state, memory_order_acquire);
    for (;;) {
        if (s == TASK_NEW || s == TASK_COMPLETE)
            return;
        /* Read now: once the state is changed, the task may run, finish and be gone. */
        struct worker *w = t->worker;
        uint32_t next = s == TASK_IDLE ? TASK_SCHEDULED : s == TASK_RUNNING ? TASK_NOTIFIED : s;
        if (next == s && w == worker_current())
            return;
        if (atomic_compare_exchange_weak_explicit(&t->state, &s, next, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            if (s == TASK_IDLE)
                schedule(w, t);
            return;
        }
    }
}

void task_cancel(struct task *t)
{
    t->canceled = true;
    task_wake(t);
}

/* The state is running and the right to run it is ours. */
static void poll_claimed(struct worker *w, struct task *t)
{
    if (list_empty(&t->link)) {
        list_add_tail(&w->tasks, &t->link);
        w->stats.tasks++;
    }
    w->stats.polls++;
    w->polling = t;
    enum poll result = t->poll(t);
    w->polling = NULL;
    if (result == POLL_READY) {
        list_del(&t->link);
        w->stats.tasks--;
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
        task_queue_push(&w->run, t);
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
    if (w && w == worker_current() && !w->polling &&
        atomic_compare_exchange_strong_explicit(&t->state, &s, TASK_RUNNING, memory_order_acq_rel,
                                                memory_order_relaxed)) {
        poll_claimed(w, t);
        return true;
    }
    task_wake(t);
    return false;
}
