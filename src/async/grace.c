#include "async/grace.h"
#include "async/worker_internal.h"

void grace_init(struct grace_worker *g)
{
    g->away = true;
    atomic_init(&g->seen, GRACE_AWAY);
}

static bool is_running(struct executor *ex)
{
    return executor_is_running(ex) || executor_worker(ex, 0)->running;
}

void grace_enable(struct executor *ex)
{
    unsigned n = executor_workers(ex);
    ASSERT(!is_running(ex));
    for (unsigned i = 0; i < n; i++)
        executor_worker(ex, i)->grace.shared = n > 1;
}

void worker_retire(struct worker *w, struct retired *r, void (*free)(struct retired *r))
{
    struct grace_worker *g = &w->grace;
    ASSERT(worker_current() == w || !is_running(w->executor));
    ASSERT(g->shared || executor_workers(w->executor) == 1);
    r->free = free;
    r->next = g->now;
    g->now = r;
}

static void free_all(struct retired *r)
{
    while (r) {
        struct retired *next = r->next;
        r->free(r);
        r = next;
    }
}

static bool has_passed(struct executor *ex, uint64_t period)
{
    unsigned n = executor_workers(ex);
    for (unsigned i = 0; i < n; i++)
        if (atomic_load(&executor_worker(ex, i)->grace.seen) < period)
            return false;
    return true;
}

static void free_waiting(struct grace_worker *g)
{
    struct retired *r = g->waiting;
    g->waiting = NULL;
    free_all(r);
}

/* What free() retires is not looked at again before the next tick. */
static void begin_period(struct worker *w)
{
    struct grace_worker *g = &w->grace;
    g->waiting = g->now;
    g->now = NULL;
    if (!g->shared) { /* this worker is all there is */
        free_waiting(g);
        return;
    }
    g->waits_for = atomic_fetch_add(executor_grace_period(w->executor), 1) + 1;
    if (!g->away)
        atomic_store_explicit(&g->seen, g->waits_for, memory_order_release);
}

void grace_collect(struct worker *w)
{
    struct grace_worker *g = &w->grace;
    if (g->shared && !g->away) {
        uint64_t period = atomic_load(executor_grace_period(w->executor));
        if (period != atomic_load_explicit(&g->seen, memory_order_relaxed))
            atomic_store_explicit(&g->seen, period, memory_order_release);
    }
    if (!g->waiting && g->now)
        begin_period(w);
    if (g->waiting && has_passed(w->executor, g->waits_for))
        free_waiting(g);
}

void grace_go_away(struct worker *w)
{
    struct grace_worker *g = &w->grace;
    if (!g->shared || g->away)
        return;
    g->away = true;
    atomic_store_explicit(&g->seen, GRACE_AWAY, memory_order_release);
}

void grace_come_back(struct worker *w)
{
    struct grace_worker *g = &w->grace;
    if (!g->shared || !g->away)
        return;
    g->away = false;
    (void)atomic_exchange(&g->seen, atomic_load(executor_grace_period(w->executor)));
}

void grace_idle(struct executor *ex)
{
    bool any = !is_running(ex);
    while (any) {
        any = false;
        for (unsigned i = 0; i < executor_workers(ex); i++) {
            struct grace_worker *g = &executor_worker(ex, i)->grace;
            struct retired *now = g->now;
            any = any || now || g->waiting;
            free_waiting(g);
            g->now = NULL;
            free_all(now);
        }
    }
}
