/* A worker's coroutines: who is next, the switch to it, and the pump, the task in which all of them
 * run. */
#include "async/coroutine_internal.h"
#include "async/switch_internal.h"
#include "async/worker_pools.h"
#include <errno.h>

/* --- the ready queue --- */

static __attribute__((noinline)) struct co *pick_explored(struct co_sched *s)
{
    size_t n = 0;
    s->budget = CO_BUDGET; /* the end of a turn in the middle of a run would be another run */
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
    /* Those that have not begun come when nothing else is ready, the newest first: so a tree of
     * them needs few stacks. But they may not wait long, or thieves would take them, and tear apart
     * what talks to each other; and now and then a turn of the pump begins with the oldest, which
     * so begins at last, whatever comes after it. */
    bool oldest = s->budget == CO_BUDGET - 1 && s->turns++ % SHARE_FAIR == 0;
    if (__builtin_expect(s->spawned, 0) && (!c || oldest || s->budget % CO_FRESH == 0)) {
        struct co *fresh = co_free_take(s, oldest);
        if (fresh)
            return fresh;
    }
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
    worker_polls_now(s->worker, c->task.name);
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

static inline void begin_on(struct co *c, void *top)
{
    void *sp = switch_frame(top, c, c->fn, c->arg);
    c->top = top;
    c->sp = sp;
    *co_extra(c) = (struct co_extra){0};
}

/* Gives a new coroutine its stack. False: there is none, it starts when others have ended. */
static bool bind_stack(struct co_sched *s, struct co *c)
{
    char *top = s->spare;
    if (!top && !s->starved && (top = stack_take(&s->stacks)))
        top -= CO_EXTRA;
    s->spare = NULL;
    if (!top) {
        c->next = NULL;
        *s->starved_tail = c;
        s->starved_tail = &c->next;
        return false;
    }
    begin_on(c, top);
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
    if (__builtin_expect(c->fresh, 0) && !co_free_parks(c, after, arg))
        return;
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

static void give_dead(void *arg)
{
    struct co_sched *s = arg;
    if (!FIBERS && !s->spare && !s->starved) {
        s->spare = s->dead;
        return;
    }
    stack_give(&s->stacks, s->dead);
    if (s->starved) { /* the first has this one: newer ones must not be faster */
        struct co *c = s->starved;
        if (!(s->starved = c->next))
            s->starved_tail = &s->starved;
        begin_on(c, (char *)stack_take(&s->stacks) - CO_EXTRA);
        c->phase = CO_READY;
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
    if (!FIBERS && c && c->phase == CO_NEW && !s->starved) {
        begin_on(c, top);
    } else {
        if (c && c->phase == CO_NEW && !bind_stack(s, c))
            c = NULL; /* it begins when this stack has been given back */
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
    ASSERT(!co_extra(c)->defers); /* they lay in frames that are gone */
    co_ended(s, c, result);
    c = next_or_successor(s, top);
    if (FIBERS) /* who is told before the switch does not return from here */
        switch_to(s, &never, c, true);
    *s->errno_at = c ? 0 : *s->errno_at;
    if (!c)
        return s->main_sp;
    running(s, c);
    return c->sp;
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
    if (s->head || s->spawned)
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
    while ((it = list_pop_head(&s->foreign))) /* also those that were never polled */
        mem_free(alloc_system(), CONTAINER_OF(it, struct co, sibling), sizeof(struct co));
    pool_abandon(&s->pool); /* what still waited is dropped */
    pool_abandon(&s->free_pool);
    pool_fini(&s->pool);
    pool_fini(&s->free_pool);
    mem_free(a, s, sizeof(*s));
}

/* For all that may be here at the same time, or who has a stack could wait for ever for one who
 * has none: the worker's own, those from elsewhere, and the free ones of every worker. What is not
 * used is address space only. */
static size_t stacks_for(const struct worker *w, size_t coroutines_max)
{
    size_t kinds = 2 + w->share.share->workers;
    if (coroutines_max > STACKS_MAX) /* it is refused */
        return coroutines_max;
    return coroutines_max > STACKS_MAX / kinds ? STACKS_MAX : coroutines_max * kinds;
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
    s->starved_tail = &s->starved;
    s->local.free = sched_free;
    /* Never 0; the environment's seed makes a run repeatable. */
    s->chance = ((w->executor ? executor_env(w->executor)->seed : 0) + w->index) * 2 + 1;
    s->pool.alloc = w->alloc;
    list_init(&s->foreign);
    wait_lock_init(&s->foreign_lock, REACH_ANY);
    enum err r = stack_pool_init(&s->stacks, stacks_for(w, coroutines_max), STACK_GUARD_BEST);
    void *top = r ? NULL : stack_take(&s->stacks); /* one is always there */
    if (!r && !top)
        r = ERR_NOMEM;
    if (!r) {
        stack_give(&s->stacks, top);
        r = pool_init(&s->pool, w->alloc, sizeof(struct co), coroutines_max, 0);
    }
    s->free_pool.alloc = w->alloc;
    if (!r)
        r = pool_init(&s->free_pool, w->alloc, sizeof(struct co_free), coroutines_max, 0);
    if (!r)
        r = overflow_prepare(s);
    if (r) {
        sched_free(&s->local);
        return r;
    }
    task_init(&s->pump, "coroutines", pump_poll, NULL);
    task_adopt(w, &s->pump);
    worker_local_set(w, WORKER_LOCAL_CO, &s->local);
    w->share.share->co_workers++;
    worker_pool_show(w, &s->pool, "coroutines");
    worker_pool_show(w, &s->free_pool, "free coroutines");
    return ERR_OK;
}
