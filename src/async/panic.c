#include "async/panic.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"
#include "async/switch_internal.h"
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 256 };

/* --- deferred --- */

void co_defer(struct co_defer *d, void (*fn)(void *arg), void *arg)
{
    struct co_extra *x = co_extra(co_self());
    *d = (struct co_defer){x->defers, fn, arg};
    x->defers = d;
}

void co_undefer(struct co_defer *d)
{
    struct co_extra *x = co_extra(co_self());
    ASSERT(x->defers == d);
    x->defers = d->next;
    d->fn(d->arg);
}

static void run_defers(struct co *c)
{
    struct co_extra *x = co_extra(c);
    struct co_defer *d;
    c->shields++;
    while ((d = x->defers)) {
        x->defers = d->next;
        d->fn(d->arg);
    }
    c->shields--;
}

/* --- the end of one --- */

/* Its scopes' children may use its stack, so they end before it. */
static void end_scopes(struct co *c)
{
    while (c->scopes) {
        struct scope *s = c->scopes;
        scope_cancel(s);
        (void)scope_end(s);
    }
}

static _Noreturn void end_coroutine(struct co *c)
{
    void *never;
    c->panicked = true;
    c->shields = 0;
    end_scopes(c);
    run_defers(c);
    /* Like the return of its function, from further down its stack. */
    switch_stack(&never, co_end(c, 0));
    abort();
}

/* Returns if nobody contains it. */
static void contain(const char *text, bool asserted)
{
    struct worker *w = worker_current();
    struct co *c = co_current();
    if (w && fork_lane_is_busy(&w->share.lane))
        return; /* they use this stack, or it is in the middle of somebody else's work */
    if (c && (!asserted || co_extra(c)->contained)) {
        LOG_E("async", "the coroutine '%s' panicked: %s", c->task.name, text);
        end_coroutine(c);
    }
    if (!c && w && w->contained) {
        LOG_E("async", "the task '%s' panicked: %s",
              atomic_load_explicit(&w->polling, memory_order_relaxed), text);
        longjmp(*w->contained, 1);
    }
}

void task_panic(const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    contain(text, false);
    struct worker *w = worker_current();
    const char *name = w ? atomic_load_explicit(&w->polling, memory_order_relaxed) : NULL;
    (void)fprintf(stderr, "panic in %s: %s\n", name ? name : "no task", text);
    abort();
}

void co_contain(void)
{
    co_extra(co_self())->contained = true;
}

/* --- tasks --- */

void task_contain(struct task *t)
{
    t->contained = true;
}

/* What setjmp() can return to must not keep its variables in registers: a function of its own. */
enum poll panic_poll(struct worker *w, struct task *t)
{
    jmp_buf back;
    w->contained = &back;
    enum poll result = POLL_READY;
    if (setjmp(back) == 0)
        result = t->poll(t);
    else
        t->panicked = true;
    w->contained = NULL;
    return result;
}

static void assert_trapped(struct assert_trap *trap, const char *cond, const char *file, int line)
{
    struct worker *w = CONTAINER_OF(trap, struct worker, trap);
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s:%d: assertion failed: %s", file, line, cond);
    (void)assert_trap_set(trap); /* for the tasks that follow, if it does not return from here */
    contain(text, true);
    const char *name = atomic_load_explicit(&w->polling, memory_order_relaxed);
    if (name)
        (void)fprintf(stderr, "worker %u was running '%s'\n", w->index, name);
}

void panic_watch(struct worker *w)
{
    w->contained = NULL;
    w->trap.failed = assert_trapped;
    w->trap_before = assert_trap_set(&w->trap);
}

void panic_unwatch(struct worker *w)
{
    (void)assert_trap_set(w->trap_before);
}
