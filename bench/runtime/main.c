#include "base/stats.h"
#include "bench/runtime/bench.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 7, COROUTINES = 1 << 21 };

static const struct figure {
    const char *name;
    double (*run)(struct bench *b);
    int runs;
} figures[] = {
    /* What was touched before would not be counted: these are first, and once. */
    {"parked", bench_parked, 1},
    {"parked_task", bench_parked_task, 1},
    {"spawn_batch", bench_spawn_batch, RUNS},
    {"spawn_turn", bench_spawn_turn, RUNS},
    {"ping_pong", bench_ping_pong, RUNS},
    {"yield", bench_yield, RUNS},
    {"ring", bench_ring, RUNS},
    {"producers", bench_producers, RUNS},
    {"select", bench_select, RUNS},
    {"skynet", bench_skynet, RUNS},
    {"fib", bench_fib, RUNS},
    {"merge_sort", bench_merge_sort, RUNS},
    {"timer_set", bench_timer_set, RUNS},
    {"timer_cancel", bench_timer_cancel, RUNS},
    {"timer_fire", bench_timer_fire, RUNS},
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t bench_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t bench_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

size_t bench_resident(void)
{
    char line[64] = "";
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || !fgets(line, sizeof(line), f))
        exit(1);
    fclose(f);
    return strtoul(strchr(line, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

void bench_spawn(const struct bench *b, struct co **out, intptr_t (*fn)(void *arg), void *arg)
{
    if (b->workers > 1)
        MUST(co_spawn_free(out, fn, arg, "bench"));
    else
        MUST(co_spawn(out, executor_worker(b->executor, 0), fn, arg, "bench"));
}

void bench_join(struct co *c)
{
    MUST(co_join(c, NULL));
}

struct job {
    struct bench *bench;
    const char *only; /* NULL: all figures */
};

static void take(const struct figure *f, struct bench *b)
{
    double all[RUNS];
    if (f->runs > 1)
        (void)f->run(b); /* to warm up */
    for (int i = 0; i < f->runs; i++)
        all[i] = f->run(b);
    printf("%s %.2f\n", f->name, stats_median(all, (size_t)f->runs));
    fflush(stdout);
}

static intptr_t take_all(void *arg)
{
    struct job *job = arg;
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        if (!job->only || strcmp(job->only, figures[i].name) == 0)
            take(&figures[i], job->bench);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench b = {.workers = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1};
    struct job job = {.bench = &b, .only = argc > 2 ? argv[2] : NULL};
    struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = b.workers, .offload_threads = 1};
    struct error e = {0};
    if (executor_new(&b.executor, &cfg, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    for (unsigned i = 0; i < b.workers; i++)
        MUST(co_enable(executor_worker(b.executor, i), COROUTINES));
    printf("peer sedge %s\n", SEDGE_VERSION);
    MUST(co_run(b.executor, take_all, &job, "bench", NULL));
    executor_free(b.executor);
    return 0;
}
