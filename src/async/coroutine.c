#include "async/coroutine_internal.h"

_Static_assert(sizeof(struct co) == 128, "two cache lines");

/* --- its life --- */

static void release(struct co_sched *s, struct co *c)
{
    if (c->late) {
        c->phase = CO_ZOMBIE;
    } else if (c->task.free) {
        co_free_release(c);
    } else if (c->foreign) {
        wait_lock_take(&s->foreign_lock);
        list_del(&c->sibling);
        wait_lock_give(&s->foreign_lock);
        mem_free(alloc_system(), c, sizeof(*c));
        atomic_fetch_sub_explicit(&s->foreigns, 1, memory_order_relaxed);
    } else {
        pool_give(&s->pool, c);
    }
}

/* The late wake has come. */
static void task_finished(struct task *t)
{
    struct co *c = CONTAINER_OF(t, struct co, task);
    c->late = false;
    if (c->task.free)
        co_free_ended(c);
    else if (c->phase == CO_ZOMBIE)
        release(co_sched_of(t->worker), c);
}

enum poll co_poll(struct task *t)
{
    struct co *c = CONTAINER_OF(t, struct co, task);
    if (!t->worker) { /* free, and it begins here */
        task_settle(worker_current(), t);
        co_sched_of(t->worker)->spawned = true; /* a thief mostly brings others along */
        co_make_ready(co_sched_of(t->worker), c);
        return POLL_PENDING;
    }
    struct co_sched *s = co_sched_of(t->worker);
    if (c->phase == CO_DONE || c->phase == CO_ZOMBIE)
        return POLL_READY;
    if (c->phase == CO_NEW && c->foreign && !c->woken) /* it came just now */
        co_make_ready(s, c);
    c->woken = true;
    if (c->scopes)
        scope_opener_woken(c);
    co_ready(c);
    return POLL_PENDING;
}

/* The struct may be gone afterwards; the stack is still the caller's. */
void co_ended(struct co_sched *s, struct co *c, intptr_t result)
{
    ASSERT(!c->scopes && c->shields == 0);
    c->phase = CO_DONE;
    c->result = result;
    c->late = !task_retire(&c->task, c->exposed | c->task.free);
    if (c->scoped)
        scope_child_ended(c);
    if (c->task.free) {
        if (!c->late)
            co_free_ended(c);
        return;
    }
    if (!c->joinable)
        release(s, c);
    else if (c->joiner)
        co_ready(c->joiner);
}

/* Field by field: a compiler clears the whole with a slow string instruction. */
void co_prepare(struct co *c, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    task_init(&c->task, name, co_poll, task_finished);
    c->fn = fn;
    c->arg = arg;
    c->scopes = NULL;
    c->joiner = NULL;
    c->phase = CO_NEW;
    c->shields = c->scopes_canceled = 0;
    c->joinable = c->scoped = c->foreign = c->late = c->woken = c->cascaded = c->panicked =
        c->exposed = c->fresh = false;
}

enum err co_new(struct co **out, struct worker *w, intptr_t (*fn)(void *arg), void *arg,
                const char *name)
{
    if (!w->locals[WORKER_LOCAL_CO])
        return ERR_INVALID;
    ASSERT(!w->running || worker_current() == w);
    struct co_sched *s = co_sched_of(w);
    struct co *c = pool_take(&s->pool);
    if (!c)
        return s->pool.in_use == s->pool.blocks_max ? ERR_FULL : ERR_NOMEM;
    co_prepare(c, fn, arg, name);
    *out = c;
    return ERR_OK;
}

void co_start(struct worker *w, struct co *c)
{
    task_adopt(w, &c->task);
    co_make_ready(co_sched_of(w), c);
}

enum err co_spawn(struct co **out, struct worker *w, intptr_t (*fn)(void *arg), void *arg,
                  const char *name)
{
    struct co *c;
    enum err r = co_new(&c, w, fn, arg, name);
    if (r)
        return r;
    c->joinable = out != NULL;
    if (out)
        *out = c;
    co_start(w, c);
    return ERR_OK;
}

enum err co_spawn_at(struct worker *w, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    if (!w->locals[WORKER_LOCAL_CO])
        return ERR_INVALID;
    struct co_sched *s = co_sched_of(w);
    enum err r = ERR_FULL;
    struct co *c = NULL;
    if (atomic_fetch_add_explicit(&s->foreigns, 1, memory_order_relaxed) < s->pool.blocks_max) {
        r = ERR_NOMEM;
        c = mem_zero(alloc_system(), sizeof(*c));
    }
    if (!c) {
        atomic_fetch_sub_explicit(&s->foreigns, 1, memory_order_relaxed);
        return r;
    }
    c->fn = fn;
    c->arg = arg;
    c->foreign = true;
    task_init(&c->task, name, co_poll, task_finished);
    wait_lock_take(&s->foreign_lock);
    list_add_tail(&s->foreign, &c->sibling);
    wait_lock_give(&s->foreign_lock);
    task_spawn(w, &c->task);
    return ERR_OK;
}

enum err co_join(struct co *c, intptr_t *result)
{
    struct co *self = co_self();
    if (c->task.free)
        return co_free_join(c, self, result);
    ASSERT(c->joinable && !c->joiner && c->task.worker == self->task.worker);
    while (c->phase != CO_DONE) {
        if (co_is_canceled(self)) {
            c->joiner = NULL;
            return ERR_CANCELED;
        }
        c->joiner = self;
        co_park(self, NULL, NULL);
    }
    c->joiner = NULL;
    enum err r = co_result(c, result);
    release(co_sched_of(self->task.worker), c);
    return r;
}

enum err co_result(const struct co *c, intptr_t *result)
{
    if (c->panicked)
        return ERR_PANIC;
    if (result)
        *result = c->result;
    return ERR_OK;
}

void co_detach(struct co *c)
{
    if (c->task.free) {
        co_free_detach(c);
        return;
    }
    ASSERT(c->joinable && !c->joiner);
    c->joinable = false;
    if (c->phase == CO_DONE)
        release(co_sched_of(c->task.worker), c);
}

struct main_co {
    struct executor *ex;
    intptr_t (*fn)(void *arg);
    void *arg;
    const char *name;
    intptr_t *result;
    enum err r;
    bool ended;
};

/* A coroutine beside it, since the one itself may not come to its end. */
static intptr_t await_main(void *arg)
{
    struct main_co *m = arg;
    struct co *c;
    m->r = co_spawn(&c, worker_current(), m->fn, m->arg, m->name);
    if (!m->r) {
        while ((m->r = co_join(c, m->result)) == ERR_CANCELED) { /* the executor was stopped */
            co_cancel(c);
            co_shield_begin();
        }
        if (co_self()->shields)
            co_shield_end();
    }
    m->ended = true;
    executor_stop(m->ex);
    return 0;
}

enum err co_run(struct executor *ex, intptr_t (*fn)(void *arg), void *arg, const char *name,
                intptr_t *result)
{
    struct main_co m = {ex, fn, arg, name, result, ERR_OK, false};
    enum err r = co_spawn(NULL, executor_worker(ex, 0), await_main, &m, "main");
    if (r)
        return r;
    do /* who was canceled by a stop may need time to wind up, and it all lies on this stack */
        executor_run(ex);
    while (!m.ended);
    return m.r;
}

/* --- about oneself --- */

struct co *co_current(void)
{
    struct worker *w = worker_current();
    return w && w->locals[WORKER_LOCAL_CO] ? co_sched_of(w)->current : NULL;
}

const char *co_name(const struct co *c)
{
    return c->task.name;
}

bool co_canceled_slow(struct co *c)
{
    if (c->task.canceled && !c->cascaded) {
        c->cascaded = true;
        scope_cascade(c);
    }
    return c->shields == 0;
}

bool co_canceled(void)
{
    return co_is_canceled(co_self());
}

void co_cancel(struct co *c)
{
    if (c->task.free) {
        task_cancel(&c->task);
        return;
    }
    ASSERT(!c->task.worker->running || c->task.worker == worker_current());
    atomic_store_explicit(&c->task.canceled, true, memory_order_relaxed);
    co_ready(c);
}

void co_shield_begin(void)
{
    struct co *c = co_self();
    ASSERT(c->shields < UINT8_MAX);
    c->shields++;
}

void co_shield_end(void)
{
    struct co *c = co_self();
    ASSERT(c->shields > 0);
    c->shields--;
}

struct waker co_waker(struct co *c)
{
    c->exposed = true;
    return (struct waker){&c->task};
}

enum err co_wait_woken(void)
{
    struct co *c = co_self();
    while (!c->woken) {
        if (co_is_canceled(c))
            return ERR_CANCELED;
        co_park(c, NULL, NULL);
    }
    c->woken = false;
    return ERR_OK;
}

/* --- time --- */

static void timeout_fired(struct timer *timer)
{
    struct co_timeout *t = CONTAINER_OF(timer, struct co_timeout, timer);
    t->passed = true;
    co_ready(t->co);
}

void co_timeout_begin(struct co_timeout *t, struct co *c, int64_t timeout_ms)
{
    t->co = c;
    t->passed = timeout_ms == 0;
    timer_init(&t->timer, c->task.worker, timeout_fired);
    if (timeout_ms > 0)
        timer_set_after_ms(&t->timer, timeout_ms);
}

void co_timeout_end(struct co_timeout *t)
{
    timer_cancel(&t->timer);
}

enum err co_sleep_ms(int64_t ms)
{
    struct co *c = co_self();
    struct co_timeout t;
    enum err r = ERR_OK;
    co_timeout_begin(&t, c, ms > 0 ? ms : 0);
    while (!t.passed && !r) {
        if (co_is_canceled(c))
            r = ERR_CANCELED;
        else
            co_park(c, NULL, NULL);
    }
    co_timeout_end(&t);
    return t.passed ? ERR_OK : r;
}
