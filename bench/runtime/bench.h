/* bench: what the figures of the runtime share.
 *
 * Why: bench/runtime.py runs this program and its peers in turn, one figure at a time; each is
 * called `PROGRAM WORKERS [FIGURE]` and prints "peer NAME VERSION" and a line "FIGURE VALUE" for
 * each figure that it knows. A figure is a function that does its work once and returns what one
 * operation took. It runs in a coroutine on worker 0. With one worker, all that it spawns stays
 * there and its channels are the worker's; with more, both are for all workers. */
#pragma once

#include "async/channel.h"
#include "async/coroutine.h"
#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct executor *executor;
    unsigned workers;
};

#define MUST(call)                                                                                 \
    do {                                                                                           \
        enum err must_r = (call);                                                                  \
        if (must_r) {                                                                              \
            fprintf(stderr, "%s: %s\n", #call, err_name(must_r));                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "wrong: %s\n", #cond);                                                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

int64_t bench_now_ns(void);
int64_t bench_cpu_ns(void);  /* of all threads of the process */
size_t bench_resident(void); /* bytes */
static inline double bench_per(int64_t begin_ns, size_t n)
{
    return (double)(bench_now_ns() - begin_ns) / (double)n;
}
static inline enum reach bench_reach(const struct bench *b)
{
    return b->workers > 1 ? REACH_ANY : REACH_WORKER;
}
/* Wherever there is time for it. */
void bench_spawn(const struct bench *b, struct co **out, intptr_t (*fn)(void *arg), void *arg);
void bench_join(struct co *c);

/* spawn.c */
double bench_parked(struct bench *b);
double bench_parked_task(struct bench *b);
double bench_spawn_batch(struct bench *b);
double bench_spawn_turn(struct bench *b);
double bench_yield(struct bench *b);
/* channels.c */
double bench_ping_pong(struct bench *b);
double bench_ring(struct bench *b);
double bench_producers(struct bench *b);
double bench_select(struct bench *b);
/* forks.c */
double bench_skynet(struct bench *b);
double bench_fib(struct bench *b);
double bench_merge_sort(struct bench *b);
/* timers.c */
double bench_timer_set(struct bench *b);
double bench_timer_cancel(struct bench *b);
double bench_timer_fire(struct bench *b);
