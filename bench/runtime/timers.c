/* Timers: 100,000 of them, as a server has that times out its connections. */
#include "async/timer.h"
#include "bench/runtime/bench.h"

enum { TIMERS = 100000, SPREAD = 7919, FIRE_WITHIN_MS = 50 };

struct ticker {
    struct timer timer;
    size_t *left;
    struct co *waits;
};

static void fired(struct timer *t)
{
    struct ticker *k = CONTAINER_OF(t, struct ticker, timer);
    if (--*k->left == 0)
        waker_wake(co_waker(k->waits));
}

static void init_all(struct bench *b, struct ticker *all, size_t *left)
{
    for (size_t i = 0; i < TIMERS; i++) {
        timer_init(&all[i].timer, executor_worker(b->executor, 0), fired);
        all[i].left = left;
        all[i].waits = co_current();
    }
}

struct took {
    double set, cancel;
};

/* Due in 1 … 60 s, so none fires meanwhile. */
static struct took set_and_cancel(struct bench *b)
{
    static struct ticker all[TIMERS];
    size_t left = TIMERS;
    struct took took;
    init_all(b, all, &left);
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < TIMERS; i++)
        timer_set_after_ms(&all[i].timer, (int64_t)(1000 + i * SPREAD % 59000));
    took.set = bench_per(begin_ns, TIMERS);
    begin_ns = bench_now_ns();
    for (size_t i = 0; i < TIMERS; i++)
        timer_cancel(&all[i].timer);
    took.cancel = bench_per(begin_ns, TIMERS);
    CHECK(left == TIMERS);
    return took;
}

double bench_timer_set(struct bench *b)
{
    return set_and_cancel(b).set;
}

double bench_timer_cancel(struct bench *b)
{
    return set_and_cancel(b).cancel;
}

/* Set all, due within 50 ms, and wait until they have fired; the processor's time for each. */
double bench_timer_fire(struct bench *b)
{
    static struct ticker all[TIMERS];
    size_t left = TIMERS;
    init_all(b, all, &left);
    int64_t begin_ns = bench_cpu_ns();
    for (size_t i = 0; i < TIMERS; i++)
        timer_set_after_ms(&all[i].timer, (int64_t)(1 + i * SPREAD % FIRE_WITHIN_MS));
    while (left > 0)
        MUST(co_wait_woken());
    return (double)(bench_cpu_ns() - begin_ns) / TIMERS;
}
