/* fork: calls that may run elsewhere meanwhile, and their join.
 *
 *     struct fib { struct fork fork; int n; uint64_t result; };
 *     static void fib_run(struct fork *f, struct fork_lane *lane) { …->result = fib(…->n, lane); }
 *
 *     static uint64_t fib(int n, struct fork_lane *lane)
 *     {
 *         struct fib right = {.n = n - 1};
 *         if (n < 2)
 *             return (uint64_t)n;
 *         fork_begin(lane, &right.fork, fib_run);
 *         uint64_t left = fib(n - 2, lane);
 *         fork_join(lane, &right.fork);
 *         return left + right.result;
 *     }
 *
 * Why: a computation is spread over the workers at the price of a few nanoseconds for a fork that
 * nobody takes. Idle workers take the oldest forks, which are the largest parts; who joins one that
 * was taken helps the taker (only that one: what it steals there belongs to what it waits for, so
 * its stack stays as deep as the computation), else waits.
 * A fork runs on the forker's stack, or the taker's own, and may not wait: no channels, locks, I/O.
 * It is a poll like any other, and a long one keeps the worker from its connections. Ownership: a
 * fork lives on its forker's stack until fork_join(). Joins are in reverse order of the forks of a
 * function, and all of them are joined before it returns. Threads: a lane is its worker's. Bounds:
 * 1024 open forks a worker; a further one runs at once. After Cilk (Frigo, Leiserson, Randall
 * 1998), leapfrogging (Wagner, Calder 1993). */
#pragma once

#include "async/deque.h"

struct worker;
struct fork_lane {
    struct deque deque;
    const _Atomic uint64_t *idle; /* the workers that would have time */
    bool unfenced;                /* who steals makes the barrier (barrier.h), or nobody steals */
    unsigned helps;               /* forks of others that it is running, one in another */
    struct worker *worker;
    _Atomic uint32_t away; /* its forks that others are running: fork.c */
};

enum fork_state { FORK_OPEN, FORK_TAKEN, FORK_DONE };
struct fork {
    void (*run)(struct fork *f, struct fork_lane *lane);
    _Atomic(struct fork_lane *) taker; /* valid from FORK_TAKEN on */
    _Atomic uint32_t state;
};

/* Of the worker that this code runs on. */
struct fork_lane *fork_lane(void);

/* Are there forks of this lane that were not joined, or does it run one of another's? What they
 * would come back to must not go: see panic.h. */
bool fork_lane_is_busy(const struct fork_lane *lane);

/* What the two below do when it is not the usual case. */
void fork_wake_other(struct fork_lane *lane);
void fork_run_now(struct fork_lane *lane, struct fork *f);
void fork_await(struct fork_lane *lane, struct fork *f);

static inline void fork_begin(struct fork_lane *lane, struct fork *f,
                              void (*run)(struct fork *f, struct fork_lane *lane))
{
    f->run = run;
    atomic_init(&f->state, FORK_OPEN);
    if (__builtin_expect(!deque_push(&lane->deque, f), 0))
        fork_run_now(lane, f);
    else if (__builtin_expect(atomic_load_explicit(lane->idle, memory_order_relaxed) != 0, 0))
        fork_wake_other(lane);
}

static inline void fork_join(struct fork_lane *lane, struct fork *f)
{
    if (atomic_load_explicit(&f->state, memory_order_relaxed) == FORK_OPEN) {
        void *newest = __builtin_expect(lane->unfenced, 1) ? deque_take_unfenced(&lane->deque)
                                                           : deque_take(&lane->deque);
        if (__builtin_expect(newest == f, 1)) {
            f->run(f, lane);
            return;
        }
    }
    fork_await(lane, f);
}
