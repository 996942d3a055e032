/* runtime_pool: pools, buffers and the arena beside the malloc of glibc, jemalloc and mimalloc.
 * Prints lines as README.md says: medians of seven rounds after one to warm up. In a round each
 * allocator runs in a process of its own, in turn: this program again, with the peer's library
 * preloaded. All are pinned to the same core; only the figure of two cores is not. An argument
 * names the only figure to take.
 *
 *     pair            take a block of 64 bytes, give it
 *     batch           take 1,000, then give them in random order; a block
 *     remote          a thread takes, writes and passes on through a ring of 4,096, another reads
 *                     and gives, ours in bundles; a block
 *     remote_single   the same, and ours does not bundle
 *     remote_2cores   as remote, each thread on a core of its own
 *     mixed           1,000 live things of 64 to 1,500 bytes, a random one replaced; ours are
 *                     base/buffers.h
 *     arena           1,000 × 48 zeroed bytes, then all of them gone; an allocation */
#include "base/arena.h"
#include "base/atomic.h"
#include "base/buffers.h"
#include "base/clock.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, BLOCK = 64, LIVE = 1000, RING = 4096 };

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "runtime_pool: %s\n", what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pin(int core)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)core, &one);
    check(sched_setaffinity(0, sizeof(one), &one) == 0, "can't pin");
}

/* Whose the memory is. Every figure is compiled twice, so that each calls its allocator as a user
 * would: ours inline, malloc() as a function of a library. */
#define SPECIALISED static inline __attribute__((always_inline))

static struct pool pool;

SPECIALISED void *take(bool ours)
{
    void *p = ours ? pool_take(&pool) : malloc(BLOCK);
    __asm__ volatile("" : : "r"(p) : "memory"); /* somebody uses it */
    return p;
}

SPECIALISED void give(bool ours, void *p)
{
    if (ours)
        pool_give(&pool, p);
    else
        free(p);
}

SPECIALISED double pair(bool ours)
{
    enum { N = 5000000 };
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < N; i++)
        give(ours, take(ours));
    return (double)(now_ns() - begin_ns) / N;
}

static uint16_t shuffled[LIVE];

static void shuffle(void)
{
    struct random r;
    random_seed(&r, 1);
    for (size_t i = 0; i < LIVE; i++) {
        size_t j = (size_t)random_below(&r, i + 1);
        shuffled[i] = shuffled[j];
        shuffled[j] = (uint16_t)i;
    }
}

SPECIALISED double batch(bool ours)
{
    enum { TIMES = 3000 };
    static void *block[LIVE];
    int64_t begin_ns = now_ns();
    for (size_t t = 0; t < TIMES; t++) {
        for (size_t i = 0; i < LIVE; i++)
            block[i] = take(ours);
        for (size_t i = 0; i < LIVE; i++)
            give(ours, block[shuffled[i]]);
    }
    return (double)(now_ns() - begin_ns) / (TIMES * (double)LIVE);
}

/* ---- given by another thread ---- */

enum { REMOTE_N = 3 << 20 };

/* One puts, one gets; each shows the other how far it is at every quarter of the ring. */
_Static_assert(REMOTE_N % (RING / 4) == 0, "whole quarters");
struct ring {
    _Atomic size_t put __attribute__((aligned(64)));
    _Atomic size_t got __attribute__((aligned(64)));
    void *slot[RING] __attribute__((aligned(64)));
    int consumer_core; /* -1: the producer's */
    bool single;       /* ours: each block by itself, not in bundles */
};
static struct ring ring;

static void await(_Atomic size_t *at, size_t least, bool same_core)
{
    while (atomic_load_explicit(at, memory_order_acquire) < least) {
        if (same_core)
            sched_yield();
        else
            cpu_relax();
    }
}

SPECIALISED void consume(bool ours)
{
    struct pool_returns returns = {.home = &pool};
    const bool same_core = ring.consumer_core < 0, single = ring.single;
    uint64_t sum = 0;
    if (!same_core)
        pin(ring.consumer_core);
    for (size_t i = 0; i < REMOTE_N; i++) {
        if (i % (RING / 4) == 0) {
            atomic_store_explicit(&ring.got, i, memory_order_release);
            await(&ring.put, i + RING / 4, same_core);
        }
        uint64_t *block = ring.slot[i % RING];
        sum += *block;
        if (!ours)
            free(block);
        else if (single)
            pool_give_remote(&pool, block);
        else
            pool_returns_give(&returns, block);
    }
    pool_returns_flush(&returns);
    check(sum == (uint64_t)REMOTE_N * (REMOTE_N - 1) / 2, "a block was changed on its way");
    atomic_store_explicit(&ring.got, REMOTE_N, memory_order_release);
}

static void *consume_ours(void *arg)
{
    consume(true);
    return arg;
}

static void *consume_theirs(void *arg)
{
    consume(false);
    return arg;
}

SPECIALISED double remote_on(bool ours, int consumer_core, bool single)
{
    pthread_t consumer;
    bool same_core = consumer_core < 0;
    atomic_store(&ring.put, 0);
    atomic_store(&ring.got, 0);
    ring.consumer_core = consumer_core;
    ring.single = single;
    int64_t begin_ns = now_ns();
    check(pthread_create(&consumer, NULL, ours ? consume_ours : consume_theirs, NULL) == 0,
          "no thread");
    for (size_t i = 0; i < REMOTE_N; i++) {
        if (i % (RING / 4) == 0) {
            atomic_store_explicit(&ring.put, i, memory_order_release);
            if (i >= RING)
                await(&ring.got, i - RING + RING / 4, same_core);
        }
        uint64_t *block = take(ours);
        *block = i;
        ring.slot[i % RING] = block;
    }
    atomic_store_explicit(&ring.put, REMOTE_N, memory_order_release);
    pthread_join(consumer, NULL);
    return (double)(now_ns() - begin_ns) / REMOTE_N;
}

/* ---- of many sizes ---- */

static struct buffers buffers;

enum { DRAWS = 1 << 14 };
static struct draw {
    uint16_t at, size;
} draws[DRAWS];

static void draw(void)
{
    struct random r;
    random_seed(&r, 2);
    for (size_t i = 0; i < DRAWS; i++)
        draws[i] = (struct draw){(uint16_t)random_below(&r, LIVE),
                                 (uint16_t)(64 + random_below(&r, 1437))};
}

SPECIALISED double mixed(bool ours)
{
    enum { N = 3 << 20 };
    static struct {
        void *p;
        size_t size;
    } live[LIVE];
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < N; i++) {
        const struct draw *d = &draws[i % DRAWS];
        if (ours) {
            mem_free(&buffers.alloc, live[d->at].p, live[d->at].size);
            live[d->at].p = mem_new(&buffers.alloc, d->size);
        } else {
            free(live[d->at].p);
            live[d->at].p = malloc(d->size);
        }
        *(size_t *)live[d->at].p = i;
        live[d->at].size = d->size;
    }
    int64_t end_ns = now_ns();
    for (size_t i = 0; i < LIVE; i++) {
        if (ours)
            mem_free(&buffers.alloc, live[i].p, live[i].size);
        else
            free(live[i].p);
        live[i].p = NULL;
    }
    return (double)(end_ns - begin_ns) / N;
}

/* ---- that end together ---- */

static struct arena arena;

SPECIALISED double together(bool ours)
{
    enum { TIMES = 3000, SIZE = 48 };
    static void *block[LIVE];
    int64_t begin_ns = now_ns();
    for (size_t t = 0; t < TIMES; t++) {
        for (size_t i = 0; i < LIVE; i++)
            block[i] = ours ? arena_new(&arena, SIZE) : calloc(1, SIZE);
        __asm__ volatile("" : : "r"(block) : "memory");
        if (ours)
            arena_reset(&arena);
        for (size_t i = 0; i < LIVE && !ours; i++)
            free(block[i]);
    }
    return (double)(now_ns() - begin_ns) / (TIMES * (double)LIVE);
}

/* ---- the figures ---- */

static int other_core = -1;

#define TWICE(name, call)                                                                          \
    static double name##_ours(void)                                                                \
    {                                                                                              \
        const bool ours = true;                                                                    \
        return call;                                                                               \
    }                                                                                              \
    static double name##_theirs(void)                                                              \
    {                                                                                              \
        const bool ours = false;                                                                   \
        return call;                                                                               \
    }
TWICE(pair, pair(ours))
TWICE(batch, batch(ours))
TWICE(remote, remote_on(ours, -1, false))
TWICE(remote_single, remote_on(ours, -1, true))
TWICE(remote_2cores, remote_on(ours, other_core, false))
TWICE(mixed, mixed(ours))
TWICE(arena, together(ours))

static const struct figure {
    const char *name;
    double (*ours)(void), (*theirs)(void);
    double goal; /* 0: none but to be faster than the best of them */
} figures[] = {
    {"pair", pair_ours, pair_theirs, 2.5},
    {"batch", batch_ours, batch_theirs, 0},
    {"remote", remote_ours, remote_theirs, 6},
    {"remote_single", remote_single_ours, remote_single_theirs, 0},
    {"remote_2cores", remote_2cores_ours, remote_2cores_theirs, 0},
    {"mixed", mixed_ours, mixed_theirs, 0},
    {"arena", arena_ours, arena_theirs, 0},
};
enum { FIGURES = ARRAY_LEN(figures) };

static const struct contestant {
    const char *library; /* NULL: ours; "": what is there anyway */
} contestants[] = {{NULL}, {""}, {"libjemalloc.so.2"}, {"libmimalloc.so.2.0"}};
enum { CONTESTANTS = ARRAY_LEN(contestants) };

/* ---- a round, in a process of its own ---- */

/* Asks the malloc() that this process really has. */
static void print_peer(void)
{
    typedef int jemalloc_ctl(const char *, void *, size_t *, void *, size_t);
    typedef int mimalloc_version(void);
    jemalloc_ctl *ctl = (jemalloc_ctl *)dlsym(RTLD_DEFAULT, "mallctl");
    mimalloc_version *version = (mimalloc_version *)dlsym(RTLD_DEFAULT, "mi_version");
    const char *text = "";
    size_t n = sizeof(text);
    if (ctl && ctl("version", &text, &n, NULL, 0) == 0)
        printf("peer jemalloc%.*s\n", (int)strcspn(text, "-"), text);
    else if (version)
        printf("peer mimalloc%d.%d.%d\n", version() / 100, version() / 10 % 10, version() % 10);
    else
        printf("peer glibc%s\n", gnu_get_libc_version());
}

static int round_main(bool ours, const char *only, int core)
{
    shuffle();
    draw();
    if (ours) {
        check(pool_init(&pool, alloc_system(), BLOCK, 1 << 20, 0) == ERR_OK &&
                  buffers_init(&buffers, alloc_system(), (size_t)16 << 20) == ERR_OK,
              "no memory");
        arena_init(&arena, alloc_system(), 1 << 20);
    }
    print_peer();
    for (size_t i = 0; i < FIGURES; i++) {
        double (*run)(void) = ours ? figures[i].ours : figures[i].theirs;
        if (*only && strcmp(only, figures[i].name) != 0)
            continue;
        if (figures[i].ours == remote_2cores_ours && other_core < 0)
            continue;
        pin(core);
        (void)run();
        printf("%s %.4f\n", figures[i].name, run());
    }
    return 0;
}

/* ---- all rounds ---- */

struct result {
    char peer[32];
    double figure[FIGURES][ROUNDS];
    int n[FIGURES];
};

static void read_round(FILE *f, struct result *to, bool keep)
{
    char line[128], name[32];
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "peer %31s", to->peer) == 1 || sscanf(line, "%31s", name) != 1)
            continue;
        for (size_t i = 0; i < FIGURES && keep; i++)
            if (strcmp(figures[i].name, name) == 0)
                to->figure[i][to->n[i]++] = strtod(line + strlen(name), NULL);
    }
}

static void run_round(const struct contestant *c, struct result *to, bool keep, const char *only,
                      int core)
{
    char self[512], command[1024];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    check(n > 0, "who am I?");
    self[n] = '\0';
    snprintf(
        command, sizeof(command), "LD_PRELOAD='%s' exec '%s' --round %s %d %d '%s' 2>/dev/null",
        c->library ? c->library : "", self, c->library ? "theirs" : "ours", core, other_core, only);
    FILE *f = popen(command, "re"); // NOLINT(cert-env33-c): a process of its own is the point
    check(f != NULL, "no process");
    read_round(f, to, keep);
    check(pclose(f) == 0, "a round has failed");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(struct result *r, size_t figure)
{
    qsort(r->figure[figure], (size_t)r->n[figure], sizeof(double), compare);
    return r->figure[figure][r->n[figure] / 2];
}

static void print_lines(struct result r[CONTESTANTS], size_t figure)
{
    double ours = median(&r[0], figure), best = 0;
    for (size_t c = 1; c < CONTESTANTS; c++) {
        double theirs = r[c].n[figure] ? median(&r[c], figure) : 0;
        best = theirs > 0 && (best == 0 || theirs < best) ? theirs : best;
    }
    double goal = figures[figure].goal > 0 ? figures[figure].goal : best;
    for (size_t c = 1; c < CONTESTANTS; c++) {
        if (!r[c].n[figure] || (c > 1 && strcmp(r[c].peer, r[1].peer) == 0))
            continue; /* its library is not there */
        double theirs = median(&r[c], figure);
        printf("bench=runtime_pool_%s unit=ns ours=%.2f peer=%s theirs=%.2f ratio=%.2f goal=%.1f "
               "met=%s\n",
               figures[figure].name, ours, r[c].peer, theirs, ours / theirs, goal,
               ours <= goal ? "yes" : "no");
    }
}

/* A core that is not `core`, of those that this process may use; -1: there is none. */
static int core_beside(int core)
{
    cpu_set_t mine;
    check(sched_getaffinity(0, sizeof(mine), &mine) == 0, "which cores?");
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (i != core && CPU_ISSET((size_t)i, &mine))
            return i;
    return -1;
}

int main(int argc, char **argv)
{
    static struct result results[CONTESTANTS];
    if (argc == 6 && strcmp(argv[1], "--round") == 0) {
        other_core = (int)strtol(argv[4], NULL, 10);
        return round_main(strcmp(argv[2], "ours") == 0, argv[5], (int)strtol(argv[3], NULL, 10));
    }
    const char *only = argc > 1 ? argv[1] : "";
    int core = sched_getcpu();
    other_core = core_beside(core);
    for (int round = -1; round < ROUNDS; round++)
        for (size_t c = 0; c < CONTESTANTS; c++)
            run_round(&contestants[c], &results[c], round >= 0, only, core);
    for (size_t i = 0; i < FIGURES; i++)
        if (results[0].n[i])
            print_lines(results, i);
    return 0;
}
