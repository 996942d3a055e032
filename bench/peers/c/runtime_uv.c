/* The timers of bench/runtime on libuv; called as bench/runtime/bench.h says. It has one thread. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { RUNS = 7, TIMERS = 100000, SPREAD = 7919, FIRE_WITHIN_MS = 50 };

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "wrong: %s\n", #cond);                                                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static double clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uv_timer_t timers[TIMERS];
static size_t left;

static void fired(uv_timer_t *t)
{
    (void)t;
    left--;
}

struct took {
    double set, cancel;
};

/* Due in 1 … 60 s, so none fires meanwhile. */
static struct took set_and_cancel(void)
{
    struct took took;
    double begin = clock_ns(CLOCK_MONOTONIC);
    uv_update_time(uv_default_loop());
    for (size_t i = 0; i < TIMERS; i++)
        uv_timer_start(&timers[i], fired, 1000 + i * SPREAD % 59000, 0);
    took.set = (clock_ns(CLOCK_MONOTONIC) - begin) / TIMERS;
    begin = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < TIMERS; i++)
        uv_timer_stop(&timers[i]);
    took.cancel = (clock_ns(CLOCK_MONOTONIC) - begin) / TIMERS;
    return took;
}

static double set(void)
{
    return set_and_cancel().set;
}

static double cancel(void)
{
    return set_and_cancel().cancel;
}

/* The processor's time for each of many that fire within 50 ms. */
static double fire(void)
{
    left = TIMERS;
    double begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uv_update_time(uv_default_loop());
    for (size_t i = 0; i < TIMERS; i++)
        uv_timer_start(&timers[i], fired, 1 + i * SPREAD % FIRE_WITHIN_MS, 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    double took = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / TIMERS;
    CHECK(left == 0);
    return took;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void take(const char *only, const char *name, double (*run)(void))
{
    double all[RUNS];
    if (only && strcmp(only, name) != 0)
        return;
    (void)run(); /* to warm up */
    for (int i = 0; i < RUNS; i++)
        all[i] = run();
    qsort(all, RUNS, sizeof(all[0]), compare);
    printf("%s %.2f\n", name, all[RUNS / 2]);
}

int main(int argc, char **argv)
{
    const char *only = argc > 2 ? argv[2] : NULL;
    for (size_t i = 0; i < TIMERS; i++)
        CHECK(uv_timer_init(uv_default_loop(), &timers[i]) == 0);
    printf("peer libuv %s\n", uv_version_string());
    take(only, "timer_set", set);
    take(only, "timer_cancel", cancel);
    take(only, "timer_fire", fire);
    return 0;
}
