#include "async/coroutine_internal.h"
#include "async/switch_internal.h"
#include "async/worker_pools.h"
#include <errno.h>

_Static_assert(sizeof(struct co) == 128, "two cache lines");

/* --- the ready queue --- */

static __attribute__((noinline)) struct co *pick_explored(struct co_sched *s)
{
    size_t n = 0;
    for (struct co *c = s->head; c; c = c->next)
        n++;
    struct co **at = &s->head;
    for (size_t k = n > 0 ? s->explorer->choose(s->explorer, n) : 0; k > 0; k--) {
        ASSERT(*at);
        at = &(*at)->next;
    }
    struct co *c = *at;
    if (c && !(*at = c->next))
        s->tail = at;
    return c;
}

static inline struct co *pick(struct co_sched *s)
{
    if (__builtin_expect(s->explorer != NULL, 0))
        return pick_explored(s);
    struct co *c = s->head;
    if (c && !(s->head = c->next))
        s->tail = &s->head;
    return c;
}

void co_kick(struct co_sched *s)
{
    task_wake(&s->pump);
}

void co_wake_any(struct task *t)
{
    if (t->poll == co_poll && t->worker == worker_current())
        co_ready(CONTAINER_OF(t, struct co, task));
    else
        task_wake(t);
}

/* --- switching --- */

/* The first that is done on a stack that was switched to. */
static inline void landed(struct co_sched *s)
{
    if (s->after) {
        void (*after)(void *) = s->after;
        s->after = NULL;
        after(s->after_arg);
    }
}

static inline void running(struct co_sched *s, struct co *c)
{
    c->phase = CO_RUNNING;
    s->current = c;
    s->worker->polling = &c->task;
    s->worker->stats.polls++;
}

/* From a coroutine or (from_sp = &s->main_sp) the pump to a coroutine or (to = NULL) the pump.
 * errno is the thread's, so it is kept on the stack that is left. */
static inline void switch_to(struct co_sched *s, void **from_sp, struct co *to, bool ends)
{
    void *fake = NULL, *to_sp = s->main_sp, *fiber = s->main.fiber;
    const void *bottom = s->main.bottom;
    size_t size = s->main.size;
    int saved = *s->errno_at;
    if (to) {
        to_sp = to->sp;
        fiber = fiber_of(s->stacks.fibers, stack_slot(&s->stacks, to->top));
        bottom = stack_lowest(&s->stacks, to->top);
        size = (size_t)((const char *)to->top - (const char *)bottom);
        running(s, to);
    }
    if (FIBERS)
        s->main.left = from_sp == &s->main_sp;
    fiber_leave(ends ? NULL : &fake, bottom, size);
    fiber_change(fiber);
    switch_stack(from_sp, to_sp);
    fiber_arrive(fake, &s->main);
    *s->errno_at = saved;
    landed(s);
}

/* Gives a new coroutine its stack. False: there is none, it starts when another has ended. */
static bool bind_stack(struct co_sched *s, struct co *c)
{
    void *top = s->spare ? s->spare : stack_take(&s->stacks);
    s->spare = NULL;
    if (!top) {
        c->next = s->starved;
        s->starved = c;
        return false;
    }
    void *sp = switch_frame(top, c, c->fn, c->arg);
    c->top = top;
    c->sp = sp;
    return true;
}

/* The next to run, able to run: NULL if there is none or the pump's turn is over. */
static inline struct co *next_bound(struct co_sched *s)
{
    struct co *c;
    do {
        if (s->budget == 0)
            return NULL;
        s->budget--;
        c = pick(s);
    } while (c && c->phase == CO_NEW && !bind_stack(s, c));
    return c;
}

void co_park(struct co *c, void (*after)(void *arg), void *arg)
{
    struct co_sched *s = co_sched_of(c->task.worker);
    ASSERT(s->current == c && !s->after);
    c->phase = CO_PARKED;
    s->after = after;
    s->after_arg = arg;
    switch_to(s, &c->sp, next_bound(s), false);
}

void co_yield (void)
{
    struct co *c = co_self();
    struct co_sched *s = co_sched_of(c->task.worker);
    c->phase = CO_READY;
    co_push(s, c);
    struct co *next = next_bound(s);
    if (next == c)
        running(s, c);
    else
        switch_to(s, &c->sp, next, false);
}

/* --- its life --- */

static void release(struct co_sched *s, struct co *c)
{
    if (c->late) {
        c->phase = CO_ZOMBIE;
    } else if (c->foreign) {
        list_del(&c->sibling);
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
    if (c->phase == CO_ZOMBIE)
        release(co_sched_of(t->worker), c);
}

enum poll co_poll(struct task *t)
{
    struct co *c = CONTAINER_OF(t, struct co, task);
    struct co_sched *s = co_sched_of(t->worker);
    if (c->phase == CO_DONE || c->phase == CO_ZOMBIE)
        return POLL_READY;
    c->woken = true;
    if (c->phase == CO_NEW && c->foreign && list_empty(&c->sibling)) {
        list_add_tail(&s->foreign, &c->sibling);
        co_make_ready(s, c);
    }
    co_ready(c);
    return POLL_PENDING;
}

/* The struct may be gone afterwards; the stack is still the caller's. */
static void ended(struct co_sched *s, struct co *c, intptr_t result)
{
    ASSERT(!c->scopes && c->shields == 0);
    c->phase = CO_DONE;
    c->result = result;
    c->late = !task_retire(&c->task);
    if (c->scoped)
        scope_child_ended(c);
    if (!c->joinable)
        release(s, c);
    else if (c->joiner)
        co_ready(c->joiner);
}

static void give_dead(void *arg)
{
    struct co_sched *s = arg;
    if (!s->spare && !s->starved) {
        s->spare = s->dead;
        return;
    }
    stack_give(&s->stacks, s->dead);
    if (s->starved) {
        struct co *c = s->starved;
        s->starved = c->next;
        co_make_ready(s, c);
    }
}

void co_begin(struct co *c)
{
    struct co_sched *s = co_sched_of(c->task.worker);
    void *low = stack_lowest(&s->stacks, c->top);
    fiber_arrive(NULL, &s->main);
    /* The one before on this stack left it from within co_end(). */
    fiber_forget(low, (size_t)((char *)c->top - (char *)low));
    landed(s);
    *s->errno_at = 0;
}

/* The next to run. One that is new gets this stack, whose frames are all done with. */
static struct co *next_or_successor(struct co_sched *s, void *top)
{
    if (s->budget == 0)
        return NULL;
    s->budget--;
    struct co *c = pick(s);
    if (c && c->phase == CO_NEW) {
        void *sp = switch_frame(top, c, c->fn, c->arg);
        c->top = top;
        c->sp = sp;
    } else {
        s->dead = top;
        s->after = give_dead;
        s->after_arg = s;
    }
    return c;
}

void *co_end(struct co *c, intptr_t result)
{
    struct co_sched *s = co_sched_of(c->task.worker);
    void *top = c->top, *never;
    ended(s, c, result);
    c = next_or_successor(s, top);
    if (FIBERS) /* who is told before the switch does not return from here */
        switch_to(s, &never, c, true);
    *s->errno_at = c ? 0 : *s->errno_at;
    if (!c)
        return s->main_sp;
    running(s, c);
    return c->sp;
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
    /* Field by field: a compiler clears the whole with a slow string instruction. */
    task_init(&c->task, name, co_poll, task_finished);
    c->fn = fn;
    c->arg = arg;
    c->scopes = NULL;
    c->joiner = NULL;
    c->phase = CO_NEW;
    c->shields = c->scopes_canceled = 0;
    c->joinable = c->scoped = c->foreign = c->late = c->woken = c->cascaded = false;
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
    list_init(&c->sibling);
    task_init(&c->task, name, co_poll, task_finished);
    task_spawn(w, &c->task);
    return ERR_OK;
}

enum err co_join(struct co *c, intptr_t *result)
{
    struct co *self = co_self();
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
    if (result)
        *result = c->result;
    release(co_sched_of(self->task.worker), c);
    return ERR_OK;
}

void co_detach(struct co *c)
{
    ASSERT(c->joinable && !c->joiner);
    c->joinable = false;
    if (c->phase == CO_DONE)
        release(co_sched_of(c->task.worker), c);
}

/* --- the pump --- */

/* Out of line and called from the thread's own stack: a compiler may keep errno's address. */
static __attribute__((noinline)) int *errno_of_thread(void)
{
    return &errno;
}

static enum poll pump_poll(struct task *t)
{
    struct co_sched *s = CONTAINER_OF(t, struct co_sched, pump);
    struct co *c;
    if (s->errno_at != errno_of_thread()) { /* a thread that is new to it */
        s->errno_at = errno_of_thread();
        overflow_watch(s);
    }
    s->main.fiber = fiber_current();
    s->budget = CO_BUDGET;
    s->active = true;
    for (;;) {
        while ((c = next_bound(s)))
            switch_to(s, &s->main_sp, c, false);
        if (!s->explorer || s->head || s->worker->run.head || atomic_load(&s->worker->inbox))
            break;
        s->explorer->idle(s->explorer);
        if (!s->head)
            break;
    }
    s->active = false;
    s->current = NULL;
    if (s->head)
        task_wake(t);
    return POLL_PENDING;
}

static void sched_free(struct worker_local *l)
{
    struct co_sched *s = CONTAINER_OF(l, struct co_sched, local);
    struct alloc *a = s->pool.alloc;
    struct list *it;
    overflow_unwatch(s);
    stack_pool_fini(&s->stacks);
    while ((it = list_pop_head(&s->foreign)))
        mem_free(alloc_system(), CONTAINER_OF(it, struct co, sibling), sizeof(struct co));
    s->pool.in_use = 0; /* what still waited is dropped */
    pool_fini(&s->pool);
    mem_free(a, s, sizeof(*s));
}

enum err co_enable(struct worker *w, size_t coroutines_max)
{
    if (w->locals[WORKER_LOCAL_CO])
        return ERR_EXISTS;
    struct co_sched *s = mem_zero(w->alloc, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->worker = w;
    s->tail = &s->head;
    s->local.free = sched_free;
    /* Never 0; the environment's seed makes a run repeatable. */
    s->chance = ((w->executor ? executor_env(w->executor)->seed : 0) + w->index) * 2 + 1;
    s->pool.alloc = w->alloc;
    list_init(&s->foreign);
    enum err r = stack_pool_init(&s->stacks, coroutines_max, STACK_GUARD_BEST);
    void *top = r ? NULL : stack_take(&s->stacks); /* one is always there */
    if (!r && !top)
        r = ERR_NOMEM;
    if (!r) {
        stack_give(&s->stacks, top);
        r = pool_init(&s->pool, w->alloc, sizeof(struct co), coroutines_max, 0);
    }
    if (!r) {
        r = overflow_prepare(s);
    }
    if (r) {
        sched_free(&s->local);
        return r;
    }
    worker_pool_show(w, &s->pool, "coroutines");
    task_init(&s->pump, "coroutines", pump_poll, NULL);
    task_adopt(w, &s->pump);
    worker_local_set(w, WORKER_LOCAL_CO, &s->local);
    return ERR_OK;
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
    ASSERT(!c->task.worker->running || c->task.worker == worker_current());
    c->task.canceled = true;
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
