#include "store/journal_internal.h"

/* Who waits on one worker, oldest number first. `waits` is the worker's alone; `want` says what the
 * writer has to reach before it need wake anybody here. */
struct notifier {
    struct journal *j;
    struct worker *worker;
    struct list waits;
    struct task task;
    _Atomic uint64_t want; /* number of the first wait; UINT64_MAX: none */
    bool presses;          /* the one that also calls pressure() */
    bool live;             /* (lock) the task may be woken */
    bool ended;            /* the executor has stopped: nobody is answered any more */
};

static enum poll notifier_poll(struct task *t);

enum err notifiers_new(struct journal *j)
{
    if (!j->ex)
        return ERR_OK;
    unsigned n = executor_workers(j->ex);
    j->notifiers = mem_array(j->alloc, n, sizeof(*j->notifiers));
    if (!j->notifiers)
        return ERR_NOMEM;
    j->notifier_count = n;
    for (unsigned i = 0; i < n; i++) {
        struct notifier *o = &j->notifiers[i];
        o->j = j;
        o->worker = executor_worker(j->ex, i);
        o->presses = i == 0;
        list_init(&o->waits);
        atomic_init(&o->want, UINT64_MAX);
    }
    return ERR_OK;
}

void notifiers_free(struct journal *j)
{
    mem_free(j->alloc, j->notifiers, j->notifier_count * sizeof(*j->notifiers));
    j->notifiers = NULL;
    j->notifier_count = 0;
}

static void notifier_live(struct notifier *o)
{
    if (o->live || o->ended) /* written by this thread only */
        return;
    pthread_mutex_lock(&o->j->lock);
    o->live = true;
    pthread_mutex_unlock(&o->j->lock);
    task_init(&o->task, "journal notifier", notifier_poll, NULL);
    task_spawn(o->worker, &o->task);
}

void notifiers_start(struct journal *j)
{
    if (j->notifier_count > 0)
        notifier_live(&j->notifiers[0]);
}

/* The first wait may have changed; true if it can be answered already. */
static bool notifier_want(struct notifier *o)
{
    struct journal *j = o->j;
    uint64_t want = UINT64_MAX;
    if (!list_empty(&o->waits))
        want = CONTAINER_OF(o->waits.next, struct journal_wait, link)->seq;
    atomic_store(&o->want, want); /* then look again: the writer does it the other way round */
    return want != UINT64_MAX && (want <= atomic_load(&j->committed) || atomic_load(&j->failed));
}

static void notifier_answer(struct notifier *o)
{
    struct journal *j = o->j;
    do {
        while (!list_empty(&o->waits)) {
            struct journal_wait *w = CONTAINER_OF(o->waits.next, struct journal_wait, link);
            bool ok = w->seq <= atomic_load_explicit(&j->committed, memory_order_acquire);
            if (!ok && !atomic_load_explicit(&j->failed, memory_order_acquire))
                break;
            /* `failed` is set after the last `committed`: look once more. */
            ok = ok || w->seq <= atomic_load_explicit(&j->committed, memory_order_acquire);
            list_del(&w->link);
            w->done(w, ok ? ERR_OK : ERR_IO);
        }
    } while (notifier_want(o));
}

static enum poll notifier_poll(struct task *t)
{
    struct notifier *o = CONTAINER_OF(t, struct notifier, task);
    notifier_answer(o);
    if (o->presses) {
        journal_press(o->j);
        space_tell(o->j);
    }
    if (!t->canceled)
        return POLL_PENDING;
    pthread_mutex_lock(&o->j->lock);
    o->live = false;
    o->ended = true;
    pthread_mutex_unlock(&o->j->lock);
    return POLL_READY;
}

void notifiers_wake(struct journal *j)
{
    uint64_t committed = atomic_load(&j->committed);
    bool failed = atomic_load(&j->failed);
    bool pressed = atomic_load(&j->pressed) || atomic_load(&j->room_news);
    for (unsigned i = 0; i < j->notifier_count; i++) {
        struct notifier *o = &j->notifiers[i];
        uint64_t want = atomic_load(&o->want);
        if (!(o->presses && pressed) && (want == UINT64_MAX || (want > committed && !failed)))
            continue;
        pthread_mutex_lock(&j->lock); /* the task can't end meanwhile */
        if (o->live)
            task_wake(&o->task);
        pthread_mutex_unlock(&j->lock);
    }
}

static struct notifier *notifier_of(struct journal *j, const struct worker *w)
{
    for (unsigned i = 0; i < j->notifier_count; i++)
        if (j->notifiers[i].worker == w)
            return &j->notifiers[i];
    return NULL;
}

void journal_wait(struct journal *j, struct worker *w, struct journal_wait *wait, uint64_t seq)
{
    struct notifier *o = notifier_of(j, w);
    ASSERT(o);
    wait->seq = seq;
    struct list *before = o->waits.prev; /* usually the newest number comes last */
    while (before != &o->waits && CONTAINER_OF(before, struct journal_wait, link)->seq > seq)
        before = before->prev;
    list_add_head(before, &wait->link);
    notifier_live(o);
    if (notifier_want(o) && o->live)
        task_wake(&o->task);
}

void journal_wait_cancel(struct journal_wait *wait)
{
    if (wait->link.next)
        list_del(&wait->link); /* a `want` that is too low costs one wake in vain */
}
