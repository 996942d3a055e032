/* Spawning, joining, yielding, and what it costs to wait. */
#include "bench/runtime/bench.h"
#include <string.h>

enum { SPAWNS = 1000000, YIELDS = 2000000, PARKED = 100000 };

static intptr_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Spawn all, then join all. */
double bench_spawn_batch(struct bench *b)
{
    static struct co *c[SPAWNS];
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < SPAWNS; i++)
        bench_spawn(b, &c[i], nothing, NULL);
    for (size_t i = 0; i < SPAWNS; i++)
        bench_join(c[i]);
    return bench_per(begin_ns, SPAWNS);
}

/* Spawn one, join it. */
double bench_spawn_turn(struct bench *b)
{
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < SPAWNS; i++) {
        struct co *c;
        bench_spawn(b, &c, nothing, NULL);
        bench_join(c);
    }
    return bench_per(begin_ns, SPAWNS);
}

static intptr_t yields(void *arg)
{
    for (size_t i = 0; i < (uintptr_t)arg; i++)
        co_yield ();
    return 0;
}

/* Two coroutines in turn; a yield. */
double bench_yield(struct bench *b)
{
    struct co *c[2];
    for (size_t i = 0; i < 2; i++)
        bench_spawn(b, &c[i], yields, (void *)(uintptr_t)(YIELDS / 2));
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < 2; i++)
        bench_join(c[i]);
    return bench_per(begin_ns, YIELDS);
}

static intptr_t park(void *arg)
{
    uint64_t x;
    CHECK(chan_recv(arg, &x) == ERR_CLOSED);
    return 0;
}

/* What becomes resident for a coroutine that waits in a channel: stack and struct, in bytes. */
double bench_parked(struct bench *b)
{
    static struct co *c[PARKED];
    struct chan chan;
    MUST(chan_init(&chan, alloc_system(), sizeof(uint64_t), 0, bench_reach(b)));
    memset(c, 1, sizeof(c));
    size_t before = bench_resident();
    for (size_t i = 0; i < PARKED; i++)
        bench_spawn(b, &c[i], park, &chan);
    for (size_t i = 0; i < 4; i++)
        co_yield ();
    size_t after = bench_resident();
    chan_close(&chan);
    for (size_t i = 0; i < PARKED; i++)
        bench_join(c[i]);
    chan_fini(&chan);
    return (double)(after - before) / PARKED;
}

struct parked {
    struct task task;
    size_t *left;
};

static enum poll wait_for_end(struct task *t)
{
    return t->canceled ? POLL_READY : POLL_PENDING;
}

static void parked_finished(struct task *t)
{
    struct parked *p = CONTAINER_OF(t, struct parked, task);
    --*p->left;
    free(p);
}

/* The same for a plain task: its struct, allocated by itself. */
double bench_parked_task(struct bench *b)
{
    static struct parked *all[PARKED];
    struct worker *w = executor_worker(b->executor, 0);
    size_t left = PARKED;
    memset(all, 1, sizeof(all));
    size_t before = bench_resident();
    for (size_t i = 0; i < PARKED; i++) {
        struct parked *p = malloc(sizeof(*p));
        CHECK(p);
        p->left = &left;
        task_init(&p->task, "parked", wait_for_end, parked_finished);
        task_spawn(w, &p->task);
        all[i] = p;
    }
    while (worker_stats(w).tasks < PARKED)
        MUST(co_sleep_ms(1));
    size_t after = bench_resident();
    for (size_t i = 0; i < PARKED; i++)
        task_cancel(&all[i]->task);
    while (left > 0)
        MUST(co_sleep_ms(1));
    return (double)(after - before) / PARKED;
}
