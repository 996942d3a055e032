#include "async/fork.h"
#include "async/barrier.h"
#include "async/worker_internal.h"
#include <sched.h>

enum { FORK_SPINS = 1000 };

/* `away` counts who tries to take one below, and those that are running above. */
enum { AWAY_TRIES = 1, AWAY_RUNS = 1 << 16 };

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

enum deque_steal fork_steal(struct fork_lane *victim, struct fork **out)
{
    void *f;
    if (deque_is_empty(&victim->deque))
        return DEQUE_EMPTY;                      /* most of the time; looking costs less */
    atomic_fetch_add(&victim->away, AWAY_TRIES); /* before one leaves the deque */
    enum deque_steal r = victim->unfenced
                             ? deque_steal_after_barrier(&victim->deque, &f, barrier_all)
                             : deque_steal(&victim->deque, &f);
    if (r == DEQUE_STOLEN) {
        atomic_fetch_add(&victim->away, AWAY_RUNS - AWAY_TRIES);
        *out = f;
    } else {
        atomic_fetch_sub(&victim->away, AWAY_TRIES);
    }
    return r;
}

void fork_run_taken(struct fork_lane *lane, struct fork_lane *from, struct fork *f)
{
    atomic_store_explicit(&f->taker, lane, memory_order_relaxed);
    atomic_store_explicit(&f->state, FORK_TAKEN, memory_order_release);
    lane->helps++;
    f->run(f, lane);
    lane->helps--;
    atomic_store_explicit(&f->state, FORK_DONE, memory_order_release); /* it is its forker's now */
    atomic_fetch_sub(&from->away, AWAY_RUNS);
}

bool fork_lane_is_busy(const struct fork_lane *lane)
{
    uint32_t away;
    if (lane->helps > 0 || !deque_is_empty(&lane->deque))
        return true;
    /* It is empty, so who still tries will fail, or has taken the last one. */
    while ((away = atomic_load(&lane->away)) % AWAY_RUNS != 0)
        sched_yield();
    return away > 0;
}

static bool help(struct fork_lane *lane, struct fork_lane *taker)
{
    struct fork *f;
    if (fork_steal(taker, &f) != DEQUE_STOLEN)
        return false;
    fork_run_taken(lane, taker, f);
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
