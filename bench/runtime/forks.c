/* Work that divides itself over all workers: coroutines below coroutines, and forked calls. */
#include "async/fork.h"
#include "bench/runtime/bench.h"
#include <string.h>

enum { LEAVES = 1000000, CHILDREN = 10, NODES = 1111111 };

struct node {
    uint64_t number, size, sum;
};

/* The sum of the numbers of the leaves below. */
static intptr_t skynet(void *arg)
{
    struct node *n = arg;
    struct node below[CHILDREN];
    struct co *c[CHILDREN];
    if (n->size == 1) {
        n->sum = n->number;
        return 0;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        below[i].size = n->size / CHILDREN;
        below[i].number = n->number + i * below[i].size;
        MUST(co_spawn_free(&c[i], skynet, &below[i], "skynet"));
    }
    n->sum = 0;
    for (size_t i = 0; i < CHILDREN; i++) {
        MUST(co_join(c[i], NULL));
        n->sum += below[i].sum;
    }
    return 0;
}

/* 1 M leaves six levels down, ten below each node; a coroutine. */
double bench_skynet(struct bench *b)
{
    struct node root = {.size = LEAVES};
    (void)b;
    int64_t begin_ns = bench_now_ns();
    skynet(&root);
    double took = bench_per(begin_ns, NODES);
    CHECK(root.sum == (uint64_t)LEAVES * (LEAVES - 1) / 2);
    return took;
}

enum { FIB_OF = 30, FIB = 832040, FIB_FORKS = 1346268 };

struct fib {
    struct fork fork;
    unsigned of;
    uint64_t is;
};
static uint64_t fib(unsigned n, struct fork_lane *lane);

static void fib_run(struct fork *f, struct fork_lane *lane)
{
    struct fib *one = CONTAINER_OF(f, struct fib, fork);
    one->is = fib(one->of, lane);
}

static uint64_t fib(unsigned n, struct fork_lane *lane)
{
    struct fib one;
    if (n < 2)
        return n;
    one.of = n - 1;
    fork_begin(lane, &one.fork, fib_run);
    uint64_t two = fib(n - 2, lane);
    fork_join(lane, &one.fork);
    return one.is + two;
}

/* The cost of a fork that does nothing else. */
double bench_fib(struct bench *b)
{
    (void)b;
    int64_t begin_ns = bench_now_ns();
    uint64_t is = fib(FIB_OF, fork_lane());
    double took = bench_per(begin_ns, FIB_FORKS);
    CHECK(is == FIB);
    return took;
}

/* SEQUENTIAL: elements that are not worth a fork. */
enum { SORT_LEN = 10000000, SEQUENTIAL = 8192, INSERTION = 32 };

/* Sorts `a`; `other` holds the same elements and is overwritten. */
struct sort {
    struct fork fork;
    int32_t *a, *other;
    size_t n;
};

static void insertion_sort(int32_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int32_t x = a[i];
        size_t at = i;
        for (; at > 0 && x < a[at - 1]; at--)
            a[at] = a[at - 1];
        a[at] = x;
    }
}

/* Without a branch on what is less, which would be predicted wrong half the time. */
static void merge(int32_t *restrict out, const int32_t *a, size_t na, const int32_t *b, size_t nb)
{
    size_t i = 0, k = 0;
    while (i < na && k < nb) {
        bool second = b[k] < a[i];
        *out++ = second ? b[k] : a[i];
        i += !second;
        k += second;
    }
    memcpy(out, a + i, (na - i) * sizeof(*out));
    memcpy(out + (na - i), b + k, (nb - k) * sizeof(*out));
}

static void sort_run(struct fork *f, struct fork_lane *lane)
{
    struct sort *s = CONTAINER_OF(f, struct sort, fork);
    if (s->n <= INSERTION) {
        insertion_sort(s->a, s->n);
        return;
    }
    size_t half = s->n / 2;
    struct sort left = {.a = s->other, .other = s->a, .n = half};
    struct sort right = {.a = s->other + half, .other = s->a + half, .n = s->n - half};
    if (s->n <= SEQUENTIAL) {
        sort_run(&left.fork, lane);
        sort_run(&right.fork, lane);
    } else {
        fork_begin(lane, &left.fork, sort_run);
        sort_run(&right.fork, lane);
        fork_join(lane, &left.fork);
    }
    merge(s->a, left.a, left.n, right.a, right.n);
}

/* 10 M pseudo-random integers; an element. */
double bench_merge_sort(struct bench *b)
{
    static int32_t a[SORT_LEN], other[SORT_LEN];
    struct sort all = {.a = a, .other = other, .n = SORT_LEN};
    uint32_t x = 1;
    (void)b;
    for (size_t i = 0; i < SORT_LEN; i++) {
        x = x * 1664525 + 1013904223;
        a[i] = (int32_t)x;
    }
    memcpy(other, a, sizeof(a));
    int64_t begin_ns = bench_now_ns();
    sort_run(&all.fork, fork_lane());
    double took = bench_per(begin_ns, SORT_LEN);
    for (size_t i = 1; i < SORT_LEN; i++)
        CHECK(a[i - 1] <= a[i]);
    return took;
}
