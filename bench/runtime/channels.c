/* Elements through channels: between two, around a ring, from many to one, and out of eight. */
#include "async/select.h"
#include "bench/runtime/bench.h"

enum {
    PINGS = 1000000,
    RING = 1000,
    ROUNDS = 500,
    PRODUCERS = 4,
    CAPACITY = 128,
    PRODUCED = 4000000,
    ARMS = 8,
    SELECTS = 1000000,
};

static void open_channel(const struct bench *b, struct chan *c, size_t capacity)
{
    MUST(chan_init(c, alloc_system(), sizeof(uint64_t), capacity, bench_reach(b)));
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

/* An element there and one back, two unbuffered channels; a round trip. */
double bench_ping_pong(struct bench *b)
{
    struct chan there, back;
    struct hop h = {&there, &back};
    struct co *c;
    uint64_t x;
    open_channel(b, &there, 0);
    open_channel(b, &back, 0);
    bench_spawn(b, &c, pass_on, &h);
    int64_t begin_ns = bench_now_ns();
    for (uint64_t i = 0; i < PINGS; i++) {
        MUST(chan_send(&there, &i));
        MUST(chan_recv(&back, &x));
    }
    double took = bench_per(begin_ns, PINGS);
    chan_close(&there);
    bench_join(c);
    chan_fini(&there);
    chan_fini(&back);
    return took;
}

/* One element around 1,000 coroutines, we are the last; a hop. */
double bench_ring(struct bench *b)
{
    static struct chan chans[RING];
    static struct hop hops[RING];
    struct co *c[RING];
    uint64_t x = 0;
    for (size_t i = 0; i < RING; i++)
        open_channel(b, &chans[i], 0);
    for (size_t i = 0; i + 1 < RING; i++) {
        hops[i] = (struct hop){&chans[i], &chans[i + 1]};
        bench_spawn(b, &c[i], pass_on, &hops[i]);
    }
    co_yield ();
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < ROUNDS; i++) {
        MUST(chan_send(&chans[0], &x));
        MUST(chan_recv(&chans[RING - 1], &x));
    }
    double took = bench_per(begin_ns, (size_t)ROUNDS * RING);
    chan_close(&chans[0]);
    for (size_t i = 0; i + 1 < RING; i++)
        bench_join(c[i]);
    for (size_t i = 0; i < RING; i++)
        chan_fini(&chans[i]);
    return took;
}

static intptr_t produce(void *arg)
{
    for (uint64_t i = 0; i < PRODUCED / PRODUCERS; i++)
        MUST(chan_send(arg, &i));
    return 0;
}

/* 4 producers, 1 consumer, a channel of 128; a message. */
double bench_producers(struct bench *b)
{
    const uint64_t each = PRODUCED / PRODUCERS;
    struct chan chan;
    struct co *c[PRODUCERS];
    uint64_t x, sum = 0;
    open_channel(b, &chan, CAPACITY);
    for (size_t i = 0; i < PRODUCERS; i++)
        bench_spawn(b, &c[i], produce, &chan);
    int64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < PRODUCED; i++) {
        MUST(chan_recv(&chan, &x));
        sum += x;
    }
    double took = bench_per(begin_ns, PRODUCED);
    CHECK(sum == each * (each - 1) / 2 * PRODUCERS);
    for (size_t i = 0; i < PRODUCERS; i++)
        bench_join(c[i]);
    chan_fini(&chan);
    return took;
}

static intptr_t feed(void *arg)
{
    struct chan *chans = arg;
    for (uint64_t i = 0; i < SELECTS; i++)
        MUST(chan_send(&chans[i % ARMS], &i));
    return 0;
}

/* One producer over 8 unbuffered channels in turn, one select over all; a message. */
double bench_select(struct bench *b)
{
    struct chan chans[ARMS];
    struct select_arm arms[ARMS];
    struct co *c;
    uint64_t x;
    size_t arm;
    for (size_t i = 0; i < ARMS; i++) {
        open_channel(b, &chans[i], 0);
        arms[i] = select_recv(&chans[i], &x);
    }
    bench_spawn(b, &c, feed, chans);
    int64_t begin_ns = bench_now_ns();
    for (uint64_t i = 0; i < SELECTS; i++) {
        MUST(select_wait(arms, ARMS, &arm));
        CHECK(x == i && arm == i % ARMS);
    }
    double took = bench_per(begin_ns, SELECTS);
    bench_join(c);
    for (size_t i = 0; i < ARMS; i++)
        chan_fini(&chans[i]);
    return took;
}
