#include "async/sync.h"
#include "async/wait_internal.h"

void waiter_init(struct waiter *w, struct task *t)
{
    *w = (struct waiter){.task = t};
    list_init(&w->link);
}

/* Fires all that wait. With the lock. */
static void fire_all(struct list *waiters, struct wait_lock *l)
{
    struct waiter *w;
    while ((w = waiter_next(waiters, l->any)))
        waiter_fire(w, l, l->any);
}

/* A task's poll has to wait: the waiter is queued. With the lock. */
static void enqueue(struct list *waiters, struct waiter *w)
{
    w->queued = true;
    list_add_tail(waiters, &w->link);
}

/* It has what it waited for without waiting. */
static void served(struct waiter *w)
{
    atomic_store_explicit(&w->state, WAITER_FIRED, memory_order_relaxed);
    atomic_store_explicit(&w->released, true, memory_order_relaxed);
}

/* --- semaphore --- */

void semaphore_init(struct semaphore *s, uint32_t count, enum reach reach)
{
    s->count = count;
    wait_lock_init(&s->lock, reach);
    list_init(&s->waiters);
}

static bool take(struct semaphore *s, uint32_t n)
{
    if (s->count < n || !list_empty(&s->waiters))
        return false;
    s->count -= n;
    return true;
}

/* Those at the head who can be served. */
static void serve(struct semaphore *s)
{
    while (!list_empty(&s->waiters)) {
        struct waiter *w = CONTAINER_OF(s->waiters.next, struct waiter, link);
        if (s->count < w->n)
            return;
        list_del(&w->link);
        if (!waiter_claim(w, s->lock.any))
            continue;
        s->count -= w->n;
        waiter_fire(w, &s->lock, s->lock.any);
    }
}

enum err semaphore_take(struct semaphore *s, uint32_t n)
{
    wait_lock_take(&s->lock);
    if (take(s, n)) {
        wait_lock_give(&s->lock);
        return ERR_OK;
    }
    struct waiter w = {.task = &co_self()->task, .n = n};
    list_add_tail(&s->waiters, &w.link);
    enum err r = waiter_park(&w, &s->lock, -1);
    if (r && n > 0) {
        /* We may have been what kept smaller ones behind us waiting. */
        wait_lock_take(&s->lock);
        serve(s);
        wait_lock_give(&s->lock);
    }
    return r;
}

bool semaphore_try_take(struct semaphore *s, uint32_t n)
{
    wait_lock_take(&s->lock);
    bool taken = take(s, n);
    wait_lock_give(&s->lock);
    return taken;
}

void semaphore_give(struct semaphore *s, uint32_t n)
{
    wait_lock_take(&s->lock);
    ASSERT(s->count <= UINT32_MAX - n);
    s->count += n;
    serve(s);
    wait_lock_give(&s->lock);
}

enum poll semaphore_poll(struct semaphore *s, struct waiter *w, uint32_t n)
{
    if (waiter_fired(w))
        return POLL_READY;
    if (w->queued)
        return POLL_PENDING;
    wait_lock_take(&s->lock);
    bool taken = take(s, n);
    w->n = n;
    if (taken)
        served(w);
    else
        enqueue(&s->waiters, w);
    wait_lock_give(&s->lock);
    return taken ? POLL_READY : POLL_PENDING;
}

void semaphore_forget(struct semaphore *s, struct waiter *w)
{
    bool taken = waiter_fired(w) || (w->queued && !waiter_leave(w, &s->lock));
    if (taken)
        waiter_await_release(w);
    wait_lock_take(&s->lock);
    if (taken)
        s->count += w->n;
    serve(s);
    wait_lock_give(&s->lock);
    waiter_init(w, w->task);
}

/* --- mutex --- */

void mutex_init(struct mutex *m, enum reach reach)
{
    semaphore_init(&m->one, 1, reach);
}

enum err mutex_lock(struct mutex *m)
{
    return semaphore_take(&m->one, 1);
}

bool mutex_try_lock(struct mutex *m)
{
    return semaphore_try_take(&m->one, 1);
}

void mutex_unlock(struct mutex *m)
{
    ASSERT(m->one.count == 0); /* ours, so nobody else changes it */
    semaphore_give(&m->one, 1);
}

enum poll mutex_poll(struct mutex *m, struct waiter *w)
{
    return semaphore_poll(&m->one, w, 1);
}

void mutex_forget(struct mutex *m, struct waiter *w)
{
    semaphore_forget(&m->one, w);
}

/* --- wait group --- */

void wait_group_init(struct wait_group *g, enum reach reach)
{
    g->count = 0;
    wait_lock_init(&g->lock, reach);
    list_init(&g->waiters);
}

void wait_group_add(struct wait_group *g, uint32_t n)
{
    wait_lock_take(&g->lock);
    ASSERT(g->count <= UINT32_MAX - n);
    g->count += n;
    wait_lock_give(&g->lock);
}

void wait_group_done(struct wait_group *g)
{
    wait_lock_take(&g->lock);
    ASSERT(g->count > 0);
    if (--g->count == 0)
        fire_all(&g->waiters, &g->lock);
    wait_lock_give(&g->lock);
}

enum err wait_group_wait(struct wait_group *g)
{
    wait_lock_take(&g->lock);
    if (g->count == 0) {
        wait_lock_give(&g->lock);
        return ERR_OK;
    }
    struct waiter w = {.task = &co_self()->task};
    list_add_tail(&g->waiters, &w.link);
    return waiter_park(&w, &g->lock, -1);
}

enum poll wait_group_poll(struct wait_group *g, struct waiter *w)
{
    if (waiter_fired(w))
        return POLL_READY;
    if (w->queued)
        return POLL_PENDING;
    wait_lock_take(&g->lock);
    bool done = g->count == 0;
    if (done)
        served(w);
    else
        enqueue(&g->waiters, w);
    wait_lock_give(&g->lock);
    return done ? POLL_READY : POLL_PENDING;
}

void wait_group_forget(struct wait_group *g, struct waiter *w)
{
    if (!waiter_fired(w) && w->queued && !waiter_leave(w, &g->lock))
        waiter_await_release(w);
    waiter_init(w, w->task);
}

/* --- once --- */

void once_init(struct once *o, enum reach reach)
{
    o->state = ONCE_NEW;
    wait_lock_init(&o->lock, reach);
    list_init(&o->waiters);
}

enum err once_run(struct once *o, void (*fn)(void *arg), void *arg)
{
    wait_lock_take(&o->lock);
    if (o->state == ONCE_RUNNING) {
        struct waiter w = {.task = &co_self()->task};
        list_add_tail(&o->waiters, &w.link);
        return waiter_park(&w, &o->lock, -1);
    }
    bool first = o->state == ONCE_NEW;
    if (first)
        o->state = ONCE_RUNNING;
    wait_lock_give(&o->lock);
    if (first) {
        fn(arg);
        wait_lock_take(&o->lock);
        o->state = ONCE_DONE;
        fire_all(&o->waiters, &o->lock);
        wait_lock_give(&o->lock);
    }
    return ERR_OK;
}
