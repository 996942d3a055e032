#include "async/barrier.h"
#include "async/executor.h"
#include "async/worker_internal.h"

void share_init(struct share *s, struct executor *ex, unsigned workers)
{
    s->executor = ex;
    s->workers = workers;
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->idle, 0);
    atomic_init(&s->searching, 0);
    atomic_init(&s->injected_n, 0);
}

void share_fini(struct share *s)
{
    pthread_mutex_destroy(&s->lock);
}

enum err share_worker_init(struct worker *w, struct share *s, struct alloc *a)
{
    struct share_worker *sw = &w->share;
    sw->share = s;
    sw->victim = w->index;
    sw->lane.worker = w;
    sw->lane.idle = &s->idle;
    atomic_init(&sw->lane.away, 0);
    sw->lane.unfenced = s->workers == 1 || barrier_all_prepare();
    enum err r = deque_init(&sw->free, a, SHARE_CAPACITY);
    if (!r)
        r = deque_init(&sw->spawned, a, SHARE_SPAWNED);
    if (!r)
        r = deque_init(&sw->lane.deque, a, SHARE_FORKS);
    return r;
}

void share_worker_fini(struct worker *w)
{
    deque_fini(&w->share.free);
    deque_fini(&w->share.spawned);
    deque_fini(&w->share.lane.deque);
}

/* --- waking --- */

/* Takes the bit of one that sleeps and has fewer pinned tasks than `tasks_below`; it then counts as
 * searching, and the caller wakes it. NULL: none. */
static struct worker *take_idle(struct share *s, size_t tasks_below)
{
    uint64_t mask = atomic_load(&s->idle);
    while (mask) {
        unsigned i = (unsigned)__builtin_ctzll(mask);
        uint64_t bit = UINT64_C(1) << i;
        struct worker *w = executor_worker(s->executor, i);
        mask &= ~bit;
        if (atomic_load_explicit(&w->tasks_n, memory_order_relaxed) < tasks_below &&
            (atomic_fetch_and(&s->idle, ~bit) & bit))
            return w;
    }
    return NULL;
}

static bool wake_one(struct share *s)
{
    struct worker *w = take_idle(s, SIZE_MAX);
    if (w)
        worker_wake(w);
    return w != NULL;
}

void share_notify_slow(struct share *s)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&s->searching, &none, 1))
        return;
    if (!wake_one(s))
        atomic_fetch_sub(&s->searching, 1);
}

bool share_announce(struct worker *w)
{
    struct share_worker *sw = &w->share;
    struct share *s = sw->share;
    atomic_fetch_or(&s->idle, UINT64_C(1) << w->index);
    sw->announced = true;
    if (sw->searching) {
        sw->searching = false;
        atomic_fetch_sub(&s->searching, 1);
    }
    /* What came before its bit was seen. */
    if (atomic_load(&s->injected_n) > 0)
        return true;
    for (unsigned i = 0; i < s->workers; i++) {
        struct share_worker *other = &executor_worker(s->executor, i)->share;
        if (!deque_is_empty(&other->free) || !deque_is_empty(&other->spawned) ||
            !deque_is_empty(&other->lane.deque))
            return true;
    }
    return false;
}

void share_awake(struct worker *w)
{
    struct share_worker *sw = &w->share;
    if (!sw->announced)
        return;
    uint64_t bit = UINT64_C(1) << w->index;
    sw->announced = false;
    /* Who took the bit has counted this worker as searching. */
    if (!(atomic_fetch_and(&sw->share->idle, ~bit) & bit))
        sw->searching = true;
}

void share_found_slow(struct worker *w, bool more)
{
    struct share *s = w->share.share;
    w->share.searching = false;
    /* The last one that searched: if there is more, another may come. */
    if (atomic_fetch_sub(&s->searching, 1) == 1 && more)
        share_notify(s);
}

/* --- the worker's own --- */

/* The older half of a full deque and `t` go where everybody looks. */
static void overflow(struct share *s, struct deque *d, struct task *t)
{
    struct task_queue q = {0};
    void *old;
    size_t n = 1;
    for (size_t i = (d->mask + 1) / 2; i > 0 && deque_steal(d, &old) == DEQUE_STOLEN; i--, n++)
        task_queue_push(&q, old);
    task_queue_push(&q, t);
    pthread_mutex_lock(&s->lock);
    if (s->injected.head)
        s->injected.tail->next = q.head;
    else
        s->injected.head = q.head;
    s->injected.tail = q.tail;
    atomic_fetch_add(&s->injected_n, n);
    pthread_mutex_unlock(&s->lock);
}

static inline void notify_if_many(struct share *s, struct deque *d)
{
    if (s->workers > 1 && deque_len(d) >= SHARE_AT)
        share_notify(s);
}

/* A long task goes to a worker that sleeps and has fewer connections than this one. Not to one with
 * as many: each would hand it to the other, poll by poll. */
static bool hand_over(struct worker *w, struct task *t)
{
    struct share *s = w->share.share;
    if (atomic_load_explicit(&s->idle, memory_order_relaxed) == 0 || executor_stopping(s->executor))
        return false;
    atomic_fetch_add(&s->searching, 1); /* until it finds the task, as any that is woken */
    struct worker *to = take_idle(s, atomic_load_explicit(&w->tasks_n, memory_order_relaxed));
    if (!to) {
        atomic_fetch_sub(&s->searching, 1);
        return false;
    }
    atomic_fetch_add_explicit(&to->share.handed, 1, memory_order_relaxed);
    worker_inject(to, t);
    return true;
}

void share_push(struct worker *w, struct task *t)
{
    struct share_worker *sw = &w->share;
    if (__builtin_expect(t->free == TASK_LONG, 0) && hand_over(w, t))
        return;
    if (!deque_push(&sw->free, t))
        overflow(sw->share, &sw->free, t);
    notify_if_many(sw->share, &sw->free);
}

static struct task *take_oldest(struct deque *d)
{
    void *t = NULL;
    while (deque_steal(d, &t) == DEQUE_LOST_RACE)
        continue;
    return t;
}

/* The older half makes room. */
static void spill_spawned(struct share_worker *sw)
{
    for (int n = 0; n < SHARE_SPAWNED / 2; n++) {
        struct task *t = take_oldest(&sw->spawned);
        if (!t)
            return;
        t->next = sw->spawned_rest;
        t->newer = NULL;
        if (t->next)
            t->next->newer = t;
        else
            sw->spawned_oldest = t;
        sw->spawned_rest = t;
    }
}

static struct task *rest_newest(struct share_worker *sw)
{
    struct task *t = sw->spawned_rest;
    if (!t)
        return NULL;
    sw->spawned_rest = t->next;
    if (t->next)
        t->next->newer = NULL;
    else
        sw->spawned_oldest = NULL;
    return t;
}

static struct task *rest_oldest(struct share_worker *sw)
{
    struct task *t = sw->spawned_oldest;
    if (!t)
        return NULL;
    sw->spawned_oldest = t->newer;
    if (t->newer)
        t->newer->next = NULL;
    else
        sw->spawned_rest = NULL;
    return t;
}

/* The newest of the rest, which keep their order. */
static void refill_spawned(struct share_worker *sw)
{
    struct task *oldest_first = NULL, *t;
    for (int n = 0; n < SHARE_SPAWNED / 2 && (t = rest_newest(sw)); n++) {
        t->next = oldest_first;
        oldest_first = t;
    }
    while ((t = oldest_first)) {
        oldest_first = t->next; /* in the deque it may be a thief's at once */
        bool pushed = deque_push(&sw->spawned, t);
        ASSERT(pushed);
    }
}

void share_push_spawned(struct worker *w, struct task *t)
{
    struct share_worker *sw = &w->share;
    if (!deque_push(&sw->spawned, t)) {
        spill_spawned(sw);
        bool pushed = deque_push(&sw->spawned, t);
        ASSERT(pushed);
    }
    notify_if_many(sw->share, &sw->spawned);
}

/* From the queue to the deque, at most n; how many. A task that is in the deque may be a thief's
 * already, with its `next`, so it leaves the queue before. */
static size_t move_tasks(struct deque *d, struct task_queue *q, size_t n)
{
    size_t room = d->mask + 1 - deque_len(d), i;
    for (i = 0; i < n && i < room && q->head; i++) {
        bool pushed = deque_push(d, task_queue_pop(q));
        ASSERT(pushed);
    }
    return i;
}

void share_inject(struct share *s, struct task *t)
{
    pthread_mutex_lock(&s->lock);
    task_queue_push(&s->injected, t);
    atomic_fetch_add(&s->injected_n, 1);
    pthread_mutex_unlock(&s->lock);
    /* Not left to who searches already: it may just have looked here. */
    atomic_fetch_add(&s->searching, 1);
    if (!wake_one(s))
        atomic_fetch_sub(&s->searching, 1);
}

/* A fair part of it; the first is returned. */
static struct task *take_injected(struct worker *w)
{
    struct share *s = w->share.share;
    if (atomic_load_explicit(&s->injected_n, memory_order_relaxed) == 0)
        return NULL;
    pthread_mutex_lock(&s->lock);
    struct task *first = task_queue_pop(&s->injected);
    size_t n = atomic_load_explicit(&s->injected_n, memory_order_relaxed) / s->workers;
    size_t taken = first != NULL;
    taken += move_tasks(&w->share.free, &s->injected, n < SHARE_BATCH ? n : SHARE_BATCH);
    atomic_fetch_sub(&s->injected_n, taken);
    pthread_mutex_unlock(&s->lock);
    return first;
}

/* What is left could be done by another. */
static struct task *found(struct worker *w, struct deque *d, struct task *t)
{
    if (t && w->share.share->workers > 1 && !deque_is_empty(d))
        share_notify(w->share.share);
    return t;
}

struct task *share_take_spawned(struct worker *w, bool oldest)
{
    struct deque *d = &w->share.spawned;
    struct task *t = oldest ? rest_oldest(&w->share) : NULL;
    if (t)
        return t;
    if (deque_is_empty(d)) {
        if (!w->share.spawned_rest)
            return NULL;
        refill_spawned(&w->share);
    }
    return found(w, d, oldest ? take_oldest(d) : deque_take(d));
}

struct task *share_take(struct worker *w)
{
    struct share_worker *sw = &w->share;
    struct task *t = NULL;
    if (++sw->turn % SHARE_FAIR == 0)
        t = take_injected(w);
    if (!t)
        t = found(w, &sw->free, take_oldest(&sw->free));
    return t ? t : take_injected(w);
}

/* --- searching --- */

/* At most half of the workers search: more would only meet each other. */
static bool begin_search(struct worker *w)
{
    struct share *s = w->share.share;
    if (!w->share.searching) {
        if (2 * atomic_load(&s->searching) >= s->workers)
            return false;
        atomic_fetch_add(&s->searching, 1);
        w->share.searching = true;
    }
    worker_count(&w->share.searches);
    return true;
}

static struct task *steal_task(struct deque *d, bool *raced)
{
    void *t = NULL;
    enum deque_steal r = deque_steal(d, &t);
    *raced |= r == DEQUE_LOST_RACE;
    return t;
}

/* One to run, and up to half of the others, since who has many will have many for a while: each
 * visit costs the owner a cache line. Our own deque is empty, or we would not search. */
static struct task *steal_half(struct deque *from, struct deque *to, bool *raced)
{
    struct task *first = steal_task(from, raced), *t;
    size_t more = first ? deque_len(from) / 2 : 0;
    for (size_t i = 0; i < more && i < SHARE_BATCH && (t = steal_task(from, raced)); i++) {
        bool pushed = deque_push(to, t);
        ASSERT(pushed);
    }
    return first;
}

static bool steal_from(struct worker *w, struct worker *v, bool *raced)
{
    struct share_worker *from = &v->share;
    struct task *t = steal_half(&from->free, &w->share.free, raced);
    if (!t)
        t = steal_half(&from->spawned, &w->share.spawned, raced);
    if (t) {
        share_found(w, !deque_is_empty(&from->free) || !deque_is_empty(&from->spawned));
        task_queue_push(&w->run, t);
        return true;
    }
    struct fork *f = NULL;
    enum deque_steal r = fork_steal(&from->lane, &f);
    *raced |= r == DEQUE_LOST_RACE;
    if (f) {
        share_found(w, !deque_is_empty(&from->lane.deque));
        worker_run_fork(w, &from->lane, f);
    }
    return f != NULL;
}

/* A round over all others from where the last one ended. */
static bool search_round(struct worker *w, bool *raced)
{
    struct share_worker *sw = &w->share;
    for (unsigned i = 0; i < sw->share->workers; i++) {
        struct worker *v = executor_worker(sw->share->executor, sw->victim);
        if (v != w && steal_from(w, v, raced)) {
            worker_count(&sw->steals);
            return true;
        }
        sw->victim = sw->victim + 1 < sw->share->workers ? sw->victim + 1 : 0;
    }
    return false;
}

bool share_search(struct worker *w)
{
    if (w->share.share->workers == 1 || !begin_search(w))
        return false;
    for (int pass = 0; pass < SHARE_PASSES; pass++) {
        bool raced = false;
        if (search_round(w, &raced))
            return true;
        struct task *t = take_injected(w);
        if (t) {
            share_found(w, !deque_is_empty(&w->share.free));
            task_queue_push(&w->run, t);
            return true;
        }
        for (int i = 0; i < SHARE_PAUSE && !raced; i++)
            cpu_relax();
    }
    return false;
}
