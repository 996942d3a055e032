#include "bus/limbo.h"

void limbo_init(struct limbo *l, struct executor *ex, pthread_mutex_t *lock,
                void (*free)(struct limbo *l, struct limbo_item *i, unsigned kind))
{
    *l = (struct limbo){.ex = ex, .lock = lock, .free = free};
    grace_enable(ex);
}

void limbo_fini(struct limbo *l)
{
    if (l->ex)
        grace_idle(l->ex);
    ASSERT(!l->waits && !l->now);
    l->ex = NULL;
}

static void free_waiting(struct limbo *l)
{
    struct limbo_item *i = l->waiting;
    l->waiting = NULL;
    while (i) {
        uintptr_t next = i->next;
        l->free(l, i, next % LIMBO_KINDS);
        i = (struct limbo_item *)(next & ~(uintptr_t)(LIMBO_KINDS - 1));
    }
}

static void batch_over(struct retired *r);

static void begin_batch(struct limbo *l)
{
    struct worker *w = worker_current();
    if (!w || worker_executor(w) != l->ex)
        w = executor_worker(l->ex, 0); /* it does not run, or worker_retire() finds the bug */
    l->waits = true;
    l->waiting = l->now;
    l->now = NULL;
    worker_retire(w, &l->batch, batch_over);
}

static void batch_over(struct retired *r)
{
    struct limbo *l = CONTAINER_OF(r, struct limbo, batch);
    pthread_mutex_lock(l->lock);
    free_waiting(l);
    l->waits = false;
    if (l->now)
        begin_batch(l);
    pthread_mutex_unlock(l->lock);
}

void limbo_add(struct limbo *l, struct limbo_item *i, unsigned kind)
{
    ASSERT(kind < LIMBO_KINDS);
    i->next = (uintptr_t)l->now | kind;
    l->now = i;
    if (!l->waits)
        begin_batch(l);
}
