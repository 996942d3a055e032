#include "async/fork.h"
#include "async/barrier.h"
#include "async/worker_internal.h"
#include <sched.h>

enum { FORK_SPINS = 1000 };

struct fork_lane *fork_lane(void)
{
    struct worker *w = worker_current();
    ASSERT(w);
    return &w->share.lane;
}

void fork_wake_other(struct fork_lane *lane)
{
    share_notify(lane->worker->share.share);
}

void fork_run_now(struct fork_lane *lane, struct fork *f)
{
    f->run(f, lane);
    atomic_store_explicit(&f->state, FORK_DONE, memory_order_relaxed);
}

void fork_run_taken(struct fork_lane *lane, struct fork *f)
{
    atomic_store_explicit(&f->taker, lane, memory_order_relaxed);
    atomic_store_explicit(&f->state, FORK_TAKEN, memory_order_release);
    f->run(f, lane);
    atomic_store_explicit(&f->state, FORK_DONE, memory_order_release); /* it is its forker's now */
}

enum deque_steal fork_steal(struct fork_lane *victim, void **out)
{
    return victim->unfenced ? deque_steal_after_barrier(&victim->deque, out, barrier_all)
                            : deque_steal(&victim->deque, out);
}

static bool help(struct fork_lane *lane, struct fork_lane *taker)
{
    void *f;
    if (fork_steal(taker, &f) != DEQUE_STOLEN)
        return false;
    fork_run_taken(lane, f);
    return true;
}

void fork_await(struct fork_lane *lane, struct fork *f)
{
    for (unsigned spins = 0;;) {
        uint32_t state = atomic_load_explicit(&f->state, memory_order_acquire);
        if (state == FORK_DONE)
            return;
        if (state == FORK_TAKEN &&
            help(lane, atomic_load_explicit(&f->taker, memory_order_relaxed))) {
            spins = 0;
            continue;
        }
        /* The taker may have been put off its core. */
        if (++spins % FORK_SPINS == 0)
            sched_yield();
        else
            cpu_relax();
    }
}
