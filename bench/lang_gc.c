/* bench: helper. lang_gc: the collector of lang/ by itself, for lang_gc.py and for people.
 *
 *     bench_lang_gc replace   64 MB live, and 100 times 32 MB are allocated that replace random
 * parts of it: pauses, the most memory over live, the collector's share bench_lang_gc trees     the
 * binary trees of the benchmarks game of depth 16, on the bare heap
 *
 * Prints "NAME VALUE" lines. Times are CPU time of the thread. The share is that of one CPU if the
 * program allocates 100 MB/s: the collector's time for each byte, times that rate.
 *
 * A machine takes up to milliseconds of a thread's CPU time for itself, at random, more so if it is
 * virtual. So there are two figures for a pause. The collector's steps are the same in every run:
 * `replace` runs RUNS times, and longest_us and p999_us take of each step its fastest time, which
 * is what the collector itself does. longest_run_us and p999_run_us are of the best run as it was
 * measured, which is what compares with others; noise_us is the longest of all runs. The share is
 * the mean. */
#include "base/clock.h"
#include "lang/list.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NODE, LEAF, TREE };
static const struct heap_layout layouts[] = {
    [NODE] = {4, 1}, /* a leaf, and three numbers */
    [LEAF] = {3, 0},
    [TREE] = {2, 3}, /* left and right */
};

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum { RUNS = 3, STEPS_MAX = 4 << 20 };

/* Of each step its shortest time. The heap asks for the time when a step begins and when it ends.
 */
static uint32_t step_ns[STEPS_MAX];
static size_t steps, steps_from;
static int64_t step_begin_ns;
static bool in_step;

static int64_t step_clock_ns(void *ctx)
{
    (void)ctx;
    int64_t now_ns = cpu_ns();
    if (in_step) {
        ASSERT(steps < STEPS_MAX);
        uint32_t took_ns = (uint32_t)(now_ns - step_begin_ns);
        if (step_ns[steps] == 0 || took_ns < step_ns[steps])
            step_ns[steps] = took_ns;
        steps++;
    }
    in_step = !in_step;
    step_begin_ns = now_ns;
    return now_ns;
}

static struct histogram run_pauses;
static struct obj *root;
static struct heap_blocks blocks;
static struct heap heap;

static void roots(void *ctx, struct heap *h)
{
    (void)ctx;
    heap_mark(h, root);
}

static void start(size_t limit, bool measured)
{
    heap_blocks_init(&blocks, alloc_system(), 1 << 20);
    heap_init(&heap, &(struct heap_config){.blocks = &blocks,
                                           .limit = limit,
                                           .layouts = layouts,
                                           .layouts_n = ARRAY_LEN(layouts),
                                           .clock_ns = measured ? step_clock_ns : NULL,
                                           .pauses = &run_pauses});
    heap_set_roots(&heap, &(struct heap_roots){.roots = roots});
}

static void end(void)
{
    heap_fini(&heap);
    heap_blocks_fini(&blocks);
}

/* ---- replace ---- */

enum { ELEMENTS = 800000, ROUNDS = 50, ROUND_BYTES = 32 << 20, ELEMENT_BYTES = 40 + 32 };

static struct record *element(void)
{
    struct record *node = heap_new_record(&heap, NODE);
    ASSERT(node);
    heap_push_root(&heap, &node->hdr);
    struct record *leaf = heap_new_record(&heap, LEAF);
    ASSERT(leaf);
    heap_store(&heap, &node->slot[0], &leaf->hdr);
    heap_pop_root(&heap, 1);
    return node;
}

/* Replaces elements, and swaps leaves between them: those are what a barrier is for. */
static void replace_round(struct lang_list *list, struct random *r)
{
    for (size_t i = 0; i < ROUND_BYTES / ELEMENT_BYTES; i++) {
        union lang_slot new = {.o = &element()->hdr};
        ASSERT(list_set(&heap, list, random_below(r, ELEMENTS), new));
        struct record *a = (struct record *)(void *)list_get(list, random_below(r, ELEMENTS)).o;
        struct record *b = (struct record *)(void *)list_get(list, random_below(r, ELEMENTS)).o;
        struct obj *leaf = a->slot[0].o;
        heap_store(&heap, &a->slot[0], b->slot[0].o);
        heap_store(&heap, &b->slot[0], leaf);
    }
}

struct figures {
    double live, heap_over_live, share_percent, longest_us, p999_us;
};

static struct figures replace_run(void)
{
    struct random r;
    random_seed(&r, 1);
    steps = 0;
    start((size_t)1 << 30, true);
    struct lang_list *list = list_new(&heap, true);
    ASSERT(list);
    root = &list->hdr;
    for (size_t i = 0; i < ELEMENTS; i++)
        ASSERT(list_push(&heap, list, (union lang_slot){.o = &element()->hdr}));
    heap_collect(&heap);
    steps_from = steps;
    double live = (double)heap.stats.live, bytes = (double)ROUNDS * ROUND_BYTES;
    heap.stats.bytes_peak = heap.stats.bytes;
    heap.stats.pause_max_ns = heap.stats.pause_ns = 0;
    memset(&run_pauses, 0, sizeof(run_pauses));
    for (int i = 0; i < ROUNDS; i++)
        replace_round(list, &r);
    struct figures f = {.live = live,
                        .heap_over_live = (double)heap.stats.bytes_peak / live,
                        .share_percent = (double)heap.stats.pause_ns / bytes * 100e6 / 1e9 * 100,
                        .longest_us = (double)heap.stats.pause_max_ns / 1e3,
                        .p999_us = (double)histogram_quantile(&run_pauses, 0.999) / 1e3};
    end();
    return f;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void replace(void)
{
    static struct histogram pauses;
    struct figures best = {.longest_us = 1e9, .p999_us = 1e9};
    double share_sum = 0, noise_us = 0;
    size_t steps_before = 0;
    for (int i = 0; i < RUNS; i++) {
        struct figures f = replace_run();
        ASSERT(i == 0 || steps == steps_before);
        steps_before = steps;
        share_sum += f.share_percent;
        noise_us = -least(-noise_us, -f.longest_us);
        f.longest_us = least(f.longest_us, best.longest_us);
        f.p999_us = least(f.p999_us, best.p999_us);
        best = f;
    }
    for (size_t i = steps_from; i < steps; i++)
        histogram_add(&pauses, step_ns[i]);
    printf("live_mb %.1f\n", best.live / (1 << 20));
    printf("longest_us %.1f\n", (double)pauses.max / 1e3);
    printf("p999_us %.1f\n", (double)histogram_quantile(&pauses, 0.999) / 1e3);
    printf("p50_us %.1f\n", (double)histogram_quantile(&pauses, 0.5) / 1e3);
    printf("longest_run_us %.1f\n", best.longest_us);
    printf("p999_run_us %.1f\n", best.p999_us);
    printf("noise_us %.1f\n", noise_us);
    printf("heap_over_live %.2f\n", best.heap_over_live);
    printf("share_percent %.1f\n", share_sum / RUNS);
}

/* ---- trees ---- */

enum { DEPTH = 16, DEPTH_MIN = 4 };

static struct obj *tree_make(int depth)
{
    if (depth == 0)
        return &heap_new_record(&heap, TREE)->hdr;
    struct obj *left = tree_make(depth - 1);
    heap_push_root(&heap, left);
    struct obj *right = tree_make(depth - 1);
    heap_push_root(&heap, right);
    struct record *t = heap_new_record(&heap, TREE);
    heap_pop_root(&heap, 2);
    t->slot[0].o = left;
    t->slot[1].o = right;
    return &t->hdr;
}

static uint64_t tree_count(const struct obj *o)
{
    const struct record *t = (const struct record *)(const void *)o;
    return t->slot[0].o ? 1 + tree_count(t->slot[0].o) + tree_count(t->slot[1].o) : 1;
}

static void trees(void)
{
    start((size_t)1 << 30, false);
    int64_t begin_ns = cpu_ns();
    uint64_t count = tree_count(tree_make(DEPTH + 1));
    root = tree_make(DEPTH);
    for (int depth = DEPTH_MIN; depth <= DEPTH; depth += 4) {
        for (int i = 0, n = 1 << (DEPTH - depth + DEPTH_MIN); i < n; i++)
            count += tree_count(tree_make(depth));
    }
    count += tree_count(root);
    printf("trees_s %.3f\n", (double)(cpu_ns() - begin_ns) / 1e9);
    printf("trees_nodes %llu\n", (unsigned long long)count);
    printf("trees_peak_mb %.1f\n", (double)heap.stats.bytes_peak / (1 << 20));
    end();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "replace") == 0) {
        replace();
    } else if (argc == 2 && strcmp(argv[1], "trees") == 0) {
        trees();
    } else {
        fprintf(stderr, "usage: bench_lang_gc replace|trees\n");
        return 2;
    }
    return 0;
}
