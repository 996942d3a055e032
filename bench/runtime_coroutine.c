/* runtime_coroutine: coroutines, channels and select on one worker, beside Go's on one core
 * (bench/peers/go/runtime). Prints lines as README.md says: medians of seven runs after one to warm
 * up, the process pinned to one core. The peer is built and run when there is a Go compiler. An
 * argument names the only figure to take, without the peer.
 *
 *     spawn_batch    spawn 1 M, then join all; a coroutine
 *     spawn_turn     spawn one, join it; a coroutine
 *     ping_pong      an element there and one back, two unbuffered channels; a round trip
 *     yield          two coroutines in turn; a yield
 *     ring           one element around 1,000 coroutines; a hop
 *     producers      4 producers, 1 consumer, a channel of 128; a message
 *     select         one producer over 8 unbuffered channels in turn, one select over all; a
 * message parked         memory of a coroutine that waits in a channel; bytes, not of the peer's
 * kind: stack and struct */
#include "async/channel.h"
#include "async/coroutine.h"
#include "async/select.h"
#include "base/stats.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 7, COROUTINES = 1 << 20, PARKED = 20000, RING = 1000, ARMS = 8, PRODUCERS = 4 };

#define MUST(call)                                                                                 \
    do {                                                                                           \
        enum err must_r = (call);                                                                  \
        if (must_r) {                                                                              \
            fprintf(stderr, "%s: %s\n", #call, err_name(must_r));                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static intptr_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

static double spawn_batch(void)
{
    enum { N = 1000000 };
    static struct co *c[N];
    struct worker *w = worker_current();
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < N; i++)
        MUST(co_spawn(&c[i], w, nothing, NULL, "batch"));
    for (size_t i = 0; i < N; i++)
        MUST(co_join(c[i], NULL));
    return (double)(now_ns() - begin_ns) / N;
}

static double spawn_turn(void)
{
    enum { N = 1000000 };
    struct worker *w = worker_current();
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < N; i++) {
        struct co *c;
        MUST(co_spawn(&c, w, nothing, NULL, "turn"));
        MUST(co_join(c, NULL));
    }
    return (double)(now_ns() - begin_ns) / N;
}

struct channels {
    struct chan chan[ARMS];
    size_t n;
};

static void open_channels(struct channels *c, size_t capacity)
{
    for (size_t i = 0; i < ARMS; i++)
        MUST(chan_init(&c->chan[i], alloc_system(), sizeof(uint64_t), capacity, REACH_WORKER));
}

static void close_channels(struct channels *c)
{
    for (size_t i = 0; i < ARMS; i++)
        chan_fini(&c->chan[i]);
}

static intptr_t pong(void *arg)
{
    struct channels *c = arg;
    uint64_t x;
    while (chan_recv(&c->chan[0], &x) == ERR_OK)
        MUST(chan_send(&c->chan[1], &x));
    return 0;
}

static double ping_pong(void)
{
    enum { N = 1000000 };
    struct channels c;
    struct co *peer;
    open_channels(&c, 0);
    MUST(co_spawn(&peer, worker_current(), pong, &c, "pong"));
    int64_t begin_ns = now_ns();
    for (uint64_t i = 0, x; i < N; i++) {
        MUST(chan_send(&c.chan[0], &i));
        MUST(chan_recv(&c.chan[1], &x));
    }
    int64_t end_ns = now_ns();
    chan_close(&c.chan[0]);
    MUST(co_join(peer, NULL));
    close_channels(&c);
    return (double)(end_ns - begin_ns) / N;
}

static intptr_t yields(void *arg)
{
    for (size_t i = 0; i < (uintptr_t)arg; i++)
        co_yield ();
    return 0;
}

static double yield(void)
{
    enum { N = 2000000 };
    struct co *c[2];
    for (size_t i = 0; i < 2; i++)
        MUST(co_spawn(&c[i], worker_current(), yields, (void *)(uintptr_t)(N / 2), "yields"));
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < 2; i++)
        MUST(co_join(c[i], NULL));
    return (double)(now_ns() - begin_ns) / N;
}

struct hop {
    struct chan *from, *to;
};

static intptr_t pass_on(void *arg)
{
    struct hop *h = arg;
    uint64_t x;
    while (chan_recv(h->from, &x) == ERR_OK)
        MUST(chan_send(h->to, &x));
    chan_close(h->to);
    return 0;
}

static double ring(void)
{
    enum { ROUNDS = 500 };
    static struct chan chans[RING];
    static struct hop hops[RING];
    struct co *c[RING];
    uint64_t x = 0;
    for (size_t i = 0; i < RING; i++)
        MUST(chan_init(&chans[i], alloc_system(), sizeof(x), 0, REACH_WORKER));
    for (size_t i = 0; i + 1 < RING; i++) { /* we are the last */
        hops[i] = (struct hop){&chans[i], &chans[i + 1]};
        MUST(co_spawn(&c[i], worker_current(), pass_on, &hops[i], "hop"));
    }
    co_yield ();
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < ROUNDS; i++) {
        MUST(chan_send(&chans[0], &x));
        MUST(chan_recv(&chans[RING - 1], &x));
    }
    int64_t end_ns = now_ns();
    chan_close(&chans[0]);
    for (size_t i = 0; i + 1 < RING; i++)
        MUST(co_join(c[i], NULL));
    for (size_t i = 0; i < RING; i++)
        chan_fini(&chans[i]);
    return (double)(end_ns - begin_ns) / (ROUNDS * RING);
}

struct produced {
    struct chan *chan;
    uint64_t n;
};

static intptr_t produce(void *arg)
{
    struct produced *p = arg;
    for (uint64_t i = 0; i < p->n; i++)
        MUST(chan_send(p->chan, &i));
    return 0;
}

static double producers(void)
{
    enum { N = 4000000 };
    struct channels c;
    struct co *co[PRODUCERS];
    uint64_t x, sum = 0;
    open_channels(&c, 128);
    struct produced p = {&c.chan[0], N / PRODUCERS};
    for (size_t i = 0; i < PRODUCERS; i++)
        MUST(co_spawn(&co[i], worker_current(), produce, &p, "producer"));
    int64_t begin_ns = now_ns();
    for (size_t i = 0; i < N; i++) {
        MUST(chan_recv(&c.chan[0], &x));
        sum += x;
    }
    int64_t end_ns = now_ns();
    if (sum != p.n * (p.n - 1) / 2 * PRODUCERS)
        exit(1);
    for (size_t i = 0; i < PRODUCERS; i++)
        MUST(co_join(co[i], NULL));
    close_channels(&c);
    return (double)(end_ns - begin_ns) / N;
}

static intptr_t feed(void *arg)
{
    struct channels *c = arg;
    for (uint64_t i = 0; i < c->n; i++)
        MUST(chan_send(&c->chan[i % ARMS], &i));
    return 0;
}

static double select_over_8(void)
{
    enum { N = 1000000 };
    struct channels c = {.n = N};
    struct select_arm arms[ARMS];
    struct co *co;
    uint64_t x;
    size_t arm;
    open_channels(&c, 0);
    for (size_t i = 0; i < ARMS; i++)
        arms[i] = select_recv(&c.chan[i], &x);
    MUST(co_spawn(&co, worker_current(), feed, &c, "feeder"));
    int64_t begin_ns = now_ns();
    for (uint64_t i = 0; i < N; i++) {
        MUST(select_wait(arms, ARMS, &arm));
        if (x != i || arm != i % ARMS)
            exit(1);
    }
    int64_t end_ns = now_ns();
    MUST(co_join(co, NULL));
    close_channels(&c);
    return (double)(end_ns - begin_ns) / N;
}

static size_t resident(void)
{
    char line[64] = "";
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || !fgets(line, sizeof(line), f))
        exit(1);
    fclose(f);
    return strtoul(strchr(line, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static intptr_t park(void *arg)
{
    uint64_t x;
    if (chan_recv(arg, &x) != ERR_CLOSED)
        exit(1);
    return 0;
}

/* Runs first: what was touched before would not be counted. */
static double parked(void)
{
    static struct co *c[PARKED];
    struct channels chans;
    open_channels(&chans, 0);
    memset(c, 1, sizeof(c));
    size_t before = resident();
    for (size_t i = 0; i < PARKED; i++)
        MUST(co_spawn(&c[i], worker_current(), park, &chans.chan[0], "parked"));
    for (int i = 0; i < 4; i++)
        co_yield ();
    size_t after = resident();
    chan_close(&chans.chan[0]);
    for (size_t i = 0; i < PARKED; i++)
        MUST(co_join(c[i], NULL));
    close_channels(&chans);
    return (double)(after - before) / PARKED;
}

static const struct figure {
    const char *name, *unit;
    double (*run)(void);
    double goal;
    int runs;
} figures[] = {
    {"parked", "B", parked, 4300, 1},
    {"spawn_batch", "ns", spawn_batch, 45, RUNS},
    {"spawn_turn", "ns", spawn_turn, 30, RUNS},
    {"ping_pong", "ns", ping_pong, 30, RUNS},
    {"yield", "ns", yield, 8, RUNS},
    {"ring", "ns", ring, 25, RUNS},
    {"producers", "ns", producers, 8, RUNS},
    {"select", "ns", select_over_8, 35, RUNS},
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct figure *f)
{
    double all[RUNS];
    if (f->runs == 1)
        return f->run();
    (void)f->run();
    for (int i = 0; i < f->runs; i++)
        all[i] = f->run();
    qsort(all, (size_t)f->runs, sizeof(all[0]), compare);
    return all[f->runs / 2];
}

struct run {
    const char *only;
    double ours[ARRAY_LEN(figures)];
};

static bool wanted(const struct run *r, const struct figure *f)
{
    return !r->only || strcmp(r->only, f->name) == 0;
}

struct peer {
    char name[32];
    double figure[ARRAY_LEN(figures)]; /* 0: none */
};

/* Lines of the peer: "peer go1.19", then "NAME FIGURE". */
static void run_peer(struct peer *p)
{
    char command[1024], line[128];
    const char *source = getenv("SEDGE_SOURCE"), *build = getenv("SEDGE_BUILD");
    snprintf(command, sizeof(command),
             "command -v go >/dev/null || exit 0; cd '%s/bench/peers/go/runtime' && "
             "GOCACHE='%s/go' GOFLAGS=-mod=mod go build -o '%s/bench/peer_go_runtime' . && "
             "GOMAXPROCS=1 '%s/bench/peer_go_runtime'",
             source ? source : ".", build ? build : "/tmp", build ? build : "/tmp",
             build ? build : "/tmp");
    FILE *f = popen(command, "re"); // NOLINT(cert-env33-c): to build and run is what a shell is for
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        char name[32];
        if (sscanf(line, "peer %31s", p->name) == 1 || sscanf(line, "%31s", name) != 1)
            continue;
        double figure = strtod(line + strlen(name), NULL);
        for (size_t i = 0; i < ARRAY_LEN(figures); i++)
            if (strcmp(figures[i].name, name) == 0)
                p->figure[i] = figure;
    }
    pclose(f);
}

static intptr_t run_all(void *arg)
{
    struct run *r = arg;
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        if (wanted(r, &figures[i]))
            r->ours[i] = median(&figures[i]);
    executor_stop(worker_executor(worker_current()));
    return 0;
}

int main(int argc, char **argv)
{
    struct run run = {.only = argc > 1 ? argv[1] : NULL};
    struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    struct executor *ex;
    struct error e = {0};
    struct peer peer = {0};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    MUST(executor_new(&ex, &cfg, &e));
    MUST(co_enable(executor_worker(ex, 0), COROUTINES));
    MUST(co_spawn(NULL, executor_worker(ex, 0), run_all, &run, "bench"));
    executor_run(ex);
    executor_free(ex);
    if (!run.only)
        run_peer(&peer);
    for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
        const struct figure *f = &figures[i];
        if (!wanted(&run, f))
            continue;
        printf("bench=runtime_%s unit=%s ours=%.1f", f->name, f->unit, run.ours[i]);
        if (peer.figure[i] > 0)
            printf(" peer=%s theirs=%.1f ratio=%.2f", peer.name, peer.figure[i],
                   run.ours[i] / peer.figure[i]);
        else
            printf(" peer=-");
        printf(" goal=%.0f met=%s\n", f->goal, run.ours[i] <= f->goal ? "yes" : "no");
    }
    return 0;
}
