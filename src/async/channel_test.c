#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"
#include "async/select.h"
#include "base/clock.h"
#include <string.h>

static void init(struct chan *c, size_t size, size_t capacity, enum reach reach)
{
    REQUIRE(chan_init(c, alloc_system(), size, capacity, reach) == ERR_OK);
}

TEST(try_fills_drains_and_closes)
{
    static const struct {
        size_t capacity;
        enum reach reach;
    } cases[] = {{1, REACH_WORKER}, {3, REACH_WORKER}, {3, REACH_ANY}, {100, REACH_ANY}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("capacity %zu, reach %d", cases[i].capacity, cases[i].reach);
        struct chan c;
        uint32_t x = 0;
        init(&c, sizeof(x), cases[i].capacity, cases[i].reach);
        CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_AGAIN);
        for (uint32_t turn = 0; turn < 5; turn++) {
            for (uint32_t k = 0; k < cases[i].capacity; k++)
                CHECK_EQ_INT(chan_try_send(&c, &(uint32_t){turn * 1000 + k}), ERR_OK);
            CHECK_EQ_UINT(chan_len(&c), cases[i].capacity);
            CHECK_EQ_INT(chan_try_send(&c, &x), ERR_AGAIN);
            CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_OK); /* one out, one in: the ring turns */
            CHECK_EQ_UINT(x, turn * 1000);
            CHECK_EQ_INT(chan_try_send(&c, &(uint32_t){7}), ERR_OK);
            for (uint32_t k = 1; k < cases[i].capacity; k++) {
                CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_OK);
                CHECK_EQ_UINT(x, turn * 1000 + k);
            }
            CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_OK);
            CHECK_EQ_UINT(x, 7);
        }
        CHECK_EQ_INT(chan_try_send(&c, &(uint32_t){8}), ERR_OK);
        chan_close(&c);
        chan_close(&c);
        CHECK_EQ_INT(chan_try_send(&c, &x), ERR_CLOSED);
        CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_OK); /* what lay in it */
        CHECK_EQ_UINT(x, 8);
        x = 9;
        CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_CLOSED);
        CHECK_EQ_UINT(x, 9);
        chan_fini(&c);
        chan_fini(&c);
    }
}

/* --- ping-pong, sizes of elements --- */

struct pair {
    struct chan there, back;
    size_t size;
};

static intptr_t echo(void *arg)
{
    struct pair *p = arg;
    uint8_t x[100];
    while (chan_recv(&p->there, x) == ERR_OK)
        CHECK_EQ_INT(chan_send(&p->back, x), ERR_OK);
    return 0;
}

static intptr_t ping(void *arg)
{
    static const size_t sizes[] = {1, 4, 8, 16, 100};
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        LABEL("size %zu", sizes[i]);
        struct pair p;
        struct co *c;
        init(&p.there, sizes[i], i % 3, REACH_WORKER);
        init(&p.back, sizes[i], 0, REACH_WORKER);
        REQUIRE(co_spawn(&c, worker_current(), echo, &p, "echo") == ERR_OK);
        for (int k = 0; k < 100; k++) {
            uint8_t out[100], in[100] = {0};
            memset(out, k + 1, sizeof(out));
            CHECK_EQ_INT(chan_send(&p.there, out), ERR_OK);
            CHECK_EQ_INT(chan_recv(&p.back, in), ERR_OK);
            CHECK_EQ_MEM(in, out, sizes[i]);
            if (sizes[i] < sizeof(in))
                CHECK_EQ_INT(in[sizes[i]], 0);
        }
        chan_close(&p.there);
        CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
        chan_fini(&p.there);
        chan_fini(&p.back);
    }
    return 0;
}

TEST(ping_pong_with_elements_of_all_sizes)
{
    co_fixture_run(1, ping, NULL);
}

/* --- many producers, many consumers: every element once, each producer's in order --- */

enum { PRODUCERS = 4, CONSUMERS = 3 };
struct crowd {
    struct chan chan;
    uint32_t per_producer;
    uint64_t seed;
    _Atomic uint32_t next_producer, producing;
    _Atomic uint32_t got;
    _Atomic uint64_t sum;
};

static void now_and_then(struct random *r)
{
    if (random_below(r, 8) == 0)
        co_yield ();
}

static intptr_t produce(void *arg)
{
    struct crowd *m = arg;
    uint32_t who = atomic_fetch_add(&m->next_producer, 1);
    struct random r;
    random_seed(&r, m->seed + who);
    for (uint32_t i = 0; i < m->per_producer; i++) {
        uint64_t x = (uint64_t)who << 32 | i;
        CHECK_EQ_INT(chan_send(&m->chan, &x), ERR_OK);
        now_and_then(&r);
    }
    if (atomic_fetch_sub(&m->producing, 1) == 1)
        chan_close(&m->chan);
    return 0;
}

static intptr_t consume(void *arg)
{
    struct crowd *m = arg;
    int64_t last[PRODUCERS] = {-1, -1, -1, -1};
    struct random r;
    uint64_t x;
    random_seed(&r, m->seed + 77);
    while (chan_recv(&m->chan, &x) == ERR_OK) {
        uint32_t who = (uint32_t)(x >> 32);
        CHECK((int64_t)(uint32_t)x > last[who]);
        last[who] = (uint32_t)x;
        atomic_fetch_add(&m->got, 1);
        atomic_fetch_add(&m->sum, (uint32_t)x);
        now_and_then(&r);
    }
    return 0;
}

static void check_crowd(const struct crowd *m)
{
    uint64_t n = m->per_producer;
    CHECK_EQ_UINT(atomic_load(&m->got), PRODUCERS * n);
    CHECK_EQ_UINT(atomic_load(&m->sum), PRODUCERS * (n * (n - 1) / 2));
}

static intptr_t crowd_on_one(void *arg)
{
    struct crowd *m = arg;
    struct scope s;
    scope_begin(&s);
    for (int i = 0; i < CONSUMERS; i++)
        REQUIRE(scope_spawn(&s, consume, m, "consumer") == ERR_OK);
    for (int i = 0; i < PRODUCERS; i++)
        REQUIRE(scope_spawn(&s, produce, m, "producer") == ERR_OK);
    return (intptr_t)scope_end(&s);
}

TEST(every_element_arrives_once_and_in_order)
{
    static const size_t capacities[] = {0, 1, 2, 64};
    uint64_t seed = test_seed();
    for (size_t i = 0; i < ARRAY_LEN(capacities); i++) {
        LABEL("capacity %zu", capacities[i]);
        struct crowd m = {.per_producer = 5000, .seed = seed, .producing = PRODUCERS};
        init(&m.chan, sizeof(uint64_t), capacities[i], REACH_WORKER);
        co_fixture_run(1, crowd_on_one, &m);
        check_crowd(&m);
        chan_fini(&m.chan);
    }
}

struct part {
    struct crowd *crowd;
    struct chan *done;
    bool producer;
};

static intptr_t take_part(void *arg)
{
    struct part *p = arg;
    intptr_t r = p->producer ? produce(p->crowd) : consume(p->crowd);
    CHECK_EQ_INT(chan_send(p->done, NULL), ERR_OK);
    return r;
}

static intptr_t crowd_on_two(void *arg)
{
    struct crowd *m = arg;
    struct part parts[PRODUCERS + CONSUMERS];
    struct chan done;
    init(&done, 0, 0, REACH_ANY); /* elements of no size: a signal */
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i] = (struct part){m, &done, i < PRODUCERS};
        REQUIRE(co_spawn_at(co_fixture_worker(i % 2), take_part, &parts[i], "part") == ERR_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        CHECK_EQ_INT(chan_recv(&done, NULL), ERR_OK);
    chan_fini(&done);
    return 0;
}

TEST(across_workers_too)
{
    static const size_t capacities[] = {0, 1, 64};
    uint64_t seed = test_seed();
    for (size_t i = 0; i < ARRAY_LEN(capacities); i++) {
        LABEL("capacity %zu", capacities[i]);
        struct crowd m = {.per_producer = 2000, .seed = seed, .producing = PRODUCERS};
        init(&m.chan, sizeof(uint64_t), capacities[i], REACH_ANY);
        co_fixture_run(2, crowd_on_two, &m);
        check_crowd(&m);
        chan_fini(&m.chan);
    }
}

/* --- fairness, close, cancel, time --- */

struct queue_at {
    struct chan *chan;
    int *order, *next, id;
    enum err want;
};

static intptr_t recv_in_order(void *arg)
{
    struct queue_at *q = arg;
    int x = -1;
    CHECK_EQ_INT(chan_recv(q->chan, &x), q->want);
    q->order[(*q->next)++] = q->want ? -1 : q->id * 100 + x;
    return 0;
}

static intptr_t fifo(void *arg)
{
    struct chan c;
    struct queue_at q[5];
    int order[5], next = 0;
    struct scope s;
    (void)arg;
    init(&c, sizeof(int), 0, REACH_WORKER);
    scope_begin(&s);
    for (int i = 0; i < 5; i++) {
        q[i] = (struct queue_at){&c, order, &next, i, i < 3 ? ERR_OK : ERR_CLOSED};
        REQUIRE(scope_spawn(&s, recv_in_order, &q[i], "receiver") == ERR_OK);
    }
    co_yield ();
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(chan_send(&c, &i), ERR_OK); /* none waits: three are there */
    CHECK_EQ_INT(next, 0);
    chan_close(&c);
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    for (int i = 0; i < 5; i++)
        CHECK_EQ_INT(order[i], i < 3 ? i * 101 : -1);
    chan_fini(&c);
    return 0;
}

TEST(who_waits_longest_is_served_first_and_close_tells_the_rest)
{
    co_fixture_run(1, fifo, NULL);
}

struct blocked {
    struct chan *chan;
    enum err want;
};

static intptr_t send_blocked(void *arg)
{
    struct blocked *b = arg;
    CHECK_EQ_INT(chan_send(b->chan, &(int){5}), b->want);
    return 0;
}

static intptr_t recv_blocked(void *arg)
{
    struct blocked *b = arg;
    int x = 77;
    CHECK_EQ_INT(chan_recv(b->chan, &x), b->want);
    if (b->want)
        CHECK_EQ_INT(x, 77);
    return 0;
}

/* Canceled before it runs, while it waits, and after it was handed what it waited for: in the
 * last case the element is not lost. */
static intptr_t cancel_everywhere(void *arg)
{
    static intptr_t (*const fns[])(void *) = {send_blocked, recv_blocked};
    (void)arg;
    for (size_t f = 0; f < ARRAY_LEN(fns); f++) {
        for (int when = 0; when < 3; when++) {
            LABEL("%s, canceled %s", f ? "receive" : "send",
                  when == 0   ? "before it runs"
                  : when == 1 ? "while it waits"
                              : "when it is served");
            struct chan c;
            struct blocked b = {&c, when == 2 ? ERR_OK : ERR_CANCELED};
            struct co *co;
            int x = 5;
            init(&c, sizeof(int), 0, REACH_WORKER);
            REQUIRE(co_spawn(&co, worker_current(), fns[f], &b, "blocked") == ERR_OK);
            if (when > 0)
                co_yield ();
            if (when == 2)
                CHECK_EQ_INT(f ? chan_try_send(&c, &x) : chan_try_recv(&c, &x), ERR_OK);
            co_cancel(co);
            CHECK_EQ_INT(co_join(co, NULL), ERR_OK);
            CHECK_EQ_INT(chan_try_send(&c, &x), ERR_AGAIN); /* nobody is left in the queue */
            CHECK_EQ_INT(chan_try_recv(&c, &x), ERR_AGAIN);
            chan_fini(&c);
        }
    }
    return 0;
}

TEST(pitfall_14_a_canceled_wait_passes_nothing_and_loses_nothing)
{
    co_fixture_run(1, cancel_everywhere, NULL);
}

static intptr_t canceled_but_ready(void *arg)
{
    struct chan *c = arg;
    int x = 0;
    CHECK(co_canceled());
    CHECK_EQ_INT(chan_recv(c, &x), ERR_OK); /* what needs no wait is done */
    CHECK_EQ_INT(x, 3);
    CHECK_EQ_INT(chan_recv(c, &x), ERR_CANCELED);
    return 0;
}

static intptr_t timed(void *arg)
{
    struct chan c;
    struct co *co;
    int x = 3;
    (void)arg;
    init(&c, sizeof(int), 1, REACH_WORKER);
    CHECK_EQ_INT(chan_recv_timed(&c, &x, 0), ERR_TIMEOUT);
    CHECK_EQ_INT(chan_recv_timed(&c, &x, 1), ERR_TIMEOUT);
    CHECK_EQ_INT(x, 3);
    CHECK_EQ_INT(chan_send_timed(&c, &x, 0), ERR_OK);
    CHECK_EQ_INT(chan_send_timed(&c, &x, 0), ERR_TIMEOUT);
    CHECK_EQ_INT(chan_send_timed(&c, &x, 1), ERR_TIMEOUT);
    REQUIRE(co_spawn(&co, worker_current(), canceled_but_ready, &c, "canceled") == ERR_OK);
    co_cancel(co);
    CHECK_EQ_INT(co_join(co, NULL), ERR_OK);
    struct blocked b = {&c, ERR_OK};
    REQUIRE(co_spawn(&co, worker_current(), send_blocked, &b, "sender") == ERR_OK);
    CHECK_EQ_INT(chan_recv_timed(&c, &x, 1000000), ERR_OK);
    CHECK_EQ_INT(x, 5);
    CHECK_EQ_INT(co_join(co, NULL), ERR_OK);
    chan_fini(&c);
    return 0;
}

TEST(time_limits)
{
    co_fixture_run(1, timed, NULL);
}

TEST(a_channel_has_bounds)
{
    struct chan c;
    struct alloc_faulty f;
    CHECK_EQ_INT(chan_init(&c, alloc_system(), 1 << 20, 1, REACH_WORKER), ERR_RANGE);
    CHECK_EQ_INT(chan_init(&c, alloc_system(), 1, 1ull << 32, REACH_WORKER), ERR_RANGE);
    alloc_faulty_init(&f, 0);
    CHECK_EQ_INT(chan_init(&c, &f.alloc, 8, 8, REACH_WORKER), ERR_NOMEM);
    chan_fini(&c);
}

/* The channel is full from the start, so nobody needs to wait: the one beside must run all the
 * same. */
enum { PLENTY = 1000 };

struct plenty {
    struct chan c;
    size_t received, seen;
    bool by_select;
};

static intptr_t stands_by(void *arg)
{
    struct plenty *p = arg;
    p->seen = p->received;
    return 0;
}

static intptr_t receives_plenty(void *arg)
{
    struct plenty *p = arg;
    uint64_t x = 0;
    size_t arm;
    struct co *beside;
    struct select_arm arms[] = {select_recv(&p->c, &x), select_recv(NULL, NULL)};
    REQUIRE(chan_init(&p->c, alloc_system(), sizeof(x), PLENTY, REACH_ANY) == ERR_OK);
    for (size_t i = 0; i < PLENTY; i++)
        REQUIRE(chan_try_send(&p->c, &x) == ERR_OK);
    REQUIRE(co_spawn(&beside, worker_current(), stands_by, p, "beside") == ERR_OK);
    for (; p->received < PLENTY; p->received++) {
        enum err r = p->by_select ? select_wait(arms, 2, &arm) : chan_recv(&p->c, &x);
        REQUIRE(r == ERR_OK);
    }
    CHECK_EQ_INT(co_join(beside, NULL), ERR_OK);
    CHECK(p->seen < PLENTY);
    chan_fini(&p->c);
    return 0;
}

TEST(who_need_not_wait_lets_others_run_now_and_then)
{
    for (int by_select = 0; by_select < 2; by_select++) {
        struct plenty p = {.by_select = by_select};
        LABEL("%s", by_select ? "select" : "receive");
        co_fixture_run(1, receives_plenty, &p);
    }
}
