/* Every order in which the scheduler could run a few coroutines with a few steps each, tried one
 * after the other on one thread: choices are enumerated depth first, a run repeats the path that it
 * is given. What must hold in all of them: nothing is stuck, lost, doubled or out of order. */
#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"
#include "async/select.h"
#include "async/sync.h"
#include <string.h>

enum { PATH_MAX_ = 64, PARTS = 3, LOG = 16 };

struct explore {
    struct co_explorer x;
    struct scope scope;
    size_t path[PATH_MAX_], width[PATH_MAX_], depth, at;
    bool stuck, may_stick;
    uint64_t runs, sticks;
};

/* What the coroutines of a scenario share; fresh for each run. */
struct stage {
    struct chan a, b;
    struct mutex mutex;
    struct semaphore semaphore;
    struct wait_group group;
    struct co *victim;
    uint32_t role;
    uint64_t log[LOG];
    size_t len;
    int inside, ok, canceled, closed, woken;
};

static size_t choose(struct co_explorer *x, size_t n)
{
    struct explore *e = CONTAINER_OF(x, struct explore, x);
    if (n == 1)
        return 0;
    if (e->at == e->depth) {
        REQUIRE(e->depth < PATH_MAX_);
        e->path[e->depth] = 0;
        e->width[e->depth++] = n;
    }
    CHECK_EQ_UINT(e->width[e->at], n); /* the same choices bring the same run */
    return e->path[e->at++];
}

static void idle(struct co_explorer *x)
{
    struct explore *e = CONTAINER_OF(x, struct explore, x);
    if (e->stuck)
        return;
    e->stuck = true;
    scope_cancel(&e->scope);
}

static bool next_path(struct explore *e)
{
    while (e->depth > 0 && e->path[e->depth - 1] + 1 == e->width[e->depth - 1])
        e->depth--;
    if (e->depth == 0)
        return false;
    e->path[e->depth - 1]++;
    return true;
}

struct scenario {
    const char *name;
    intptr_t (*part[PARTS])(void *arg);
    void (*check)(const struct stage *g, const struct explore *e);
    size_t capacity;
    bool may_stick;
    uint64_t runs_least;
};

/* --- the parts --- */

static void note(struct stage *g, uint64_t x)
{
    REQUIRE(g->len < LOG);
    g->log[g->len++] = x;
}

static void count(struct stage *g, enum err r)
{
    g->ok += r == ERR_OK;
    g->canceled += r == ERR_CANCELED;
    g->closed += r == ERR_CLOSED;
}

static intptr_t send_two(void *arg)
{
    struct stage *g = arg;
    uint64_t who = ++g->role * 10;
    for (uint64_t x = who; x < who + 2; x++) {
        co_yield ();
        count(g, chan_send(&g->a, &x));
    }
    return 0;
}

static intptr_t recv_four(void *arg)
{
    struct stage *g = arg;
    uint64_t x;
    for (int i = 0; i < 4; i++) {
        enum err r = chan_recv(&g->a, &x);
        count(g, r);
        if (!r)
            note(g, x);
        if (i % 2)
            co_yield ();
    }
    return 0;
}

static intptr_t send_three_close(void *arg)
{
    struct stage *g = arg;
    for (uint64_t x = 1; x <= 3; x++) {
        count(g, chan_send(&g->a, &x));
        co_yield ();
    }
    chan_close(&g->a);
    return 0;
}

static intptr_t recv_until_closed(void *arg)
{
    struct stage *g = arg;
    uint64_t x, last = 0;
    enum err r;
    while ((r = chan_recv(&g->a, &x)) == ERR_OK) {
        CHECK(x > last);
        last = x;
        note(g, x);
        co_yield ();
    }
    count(g, r);
    return 0;
}

static intptr_t send_b(void *arg)
{
    struct stage *g = arg;
    for (uint64_t x = 100; x < 102; x++) {
        co_yield ();
        count(g, chan_send(&g->b, &x));
    }
    return 0;
}

static intptr_t select_four(void *arg)
{
    struct stage *g = arg;
    for (int i = 0; i < 4; i++) {
        uint64_t x = 0, y = 0;
        size_t arm;
        struct select_arm arms[] = {select_recv(&g->a, &x), select_recv(&g->b, &y)};
        enum err r = select_wait(arms, 2, &arm);
        count(g, r);
        if (!r) {
            note(g, arm ? y : x);
            CHECK_EQ_UINT(arm ? x : y, 0);
        }
    }
    return 0;
}

static intptr_t meet(void *arg)
{
    struct stage *g = arg;
    uint64_t me = ++g->role, in = 0;
    size_t arm;
    struct select_arm arms[] = {select_send(me % 2 ? &g->a : &g->b, &me),
                                select_recv(me % 2 ? &g->b : &g->a, &in)};
    co_yield ();
    enum err r = select_wait(arms, 2, &arm);
    count(g, r);
    if (!r)
        note(g, arm ? 100 + in : me);
    return 0;
}

static intptr_t send_one(void *arg)
{
    struct stage *g = arg;
    uint64_t x = 7;
    co_yield ();
    enum err r = chan_send(&g->a, &x);
    if (!r)
        note(g, 7);
    return 0;
}

static intptr_t victim(void *arg)
{
    struct stage *g = arg;
    uint64_t x = 0;
    g->victim = co_current();
    co_yield ();
    enum err r = g->role ? chan_recv(&g->a, &x) : chan_recv_timed(&g->a, &x, 1000000);
    count(g, r);
    if (!r)
        note(g, 100 + x);
    g->victim = NULL;
    return 0;
}

static intptr_t cancel_victim(void *arg)
{
    struct stage *g = arg;
    co_yield ();
    if (g->victim)
        co_cancel(g->victim);
    return 0;
}

static intptr_t critical(void *arg)
{
    struct stage *g = arg;
    for (int i = 0; i < 2; i++) {
        enum err r = mutex_lock(&g->mutex);
        count(g, r);
        CHECK_EQ_INT(g->inside++, 0);
        co_yield ();
        g->inside--;
        mutex_unlock(&g->mutex);
    }
    return 0;
}

static intptr_t take_two(void *arg)
{
    struct stage *g = arg;
    co_yield ();
    count(g, semaphore_take(&g->semaphore, 2));
    wait_group_done(&g->group);
    return 0;
}

static intptr_t take_one(void *arg)
{
    struct stage *g = arg;
    co_yield ();
    count(g, semaphore_take(&g->semaphore, 1));
    wait_group_done(&g->group);
    return 0;
}

static intptr_t give_three(void *arg)
{
    struct stage *g = arg;
    for (int i = 0; i < 3; i++) {
        semaphore_give(&g->semaphore, 1);
        co_yield ();
    }
    count(g, wait_group_wait(&g->group));
    return 0;
}

static intptr_t wait_woken(void *arg)
{
    struct stage *g = arg;
    g->victim = co_current();
    while (!g->woken && !co_canceled()) /* register, then look, then wait */
        count(g, co_wait_woken());
    g->victim = NULL;
    return 0;
}

static intptr_t wake_twice(void *arg)
{
    struct stage *g = arg;
    for (int i = 0; i < 2; i++) {
        co_yield ();
        g->woken = 1;
        if (g->victim)
            waker_wake(co_waker(g->victim));
    }
    return 0;
}

/* --- what must hold --- */

/* Of one sender in order, each once. */
static void all_four(const struct stage *g, const struct explore *e)
{
    size_t at[256] = {0};
    (void)e;
    CHECK_EQ_UINT(g->len, 4);
    for (size_t i = 0; i < g->len; i++) {
        REQUIRE(g->log[i] < ARRAY_LEN(at));
        CHECK_EQ_UINT(at[g->log[i]], 0);
        at[g->log[i]] = i + 1;
    }
    CHECK_EQ_INT(g->ok, 8);
    CHECK(at[10] < at[11]);
    CHECK(at[20] <= at[21] && at[100] <= at[101]);
}

static void all_three(const struct stage *g, const struct explore *e)
{
    uint64_t sum = 0;
    (void)e;
    for (size_t i = 0; i < g->len; i++)
        sum += g->log[i];
    CHECK_EQ_UINT(g->len, 3);
    CHECK_EQ_UINT(sum, 6);
    CHECK_EQ_INT(g->ok, 3);
    CHECK_EQ_INT(g->closed, 2);
}

/* One sends what the other receives, and the third finds nobody. */
static void one_meeting(const struct stage *g, const struct explore *e)
{
    CHECK(e->stuck);
    CHECK_EQ_INT(g->ok, 2);
    CHECK_EQ_INT(g->canceled, 1);
    CHECK_EQ_UINT(g->len, 2);
    CHECK(g->log[0] + 100 == g->log[1] || g->log[1] + 100 == g->log[0]);
}

/* It arrived and was sent, or neither. */
static void both_or_none(const struct stage *g, const struct explore *e)
{
    CHECK_EQ_INT(g->ok + g->canceled, 1);
    CHECK_EQ_UINT(g->len, g->ok ? 2 : 0);
    CHECK_EQ_INT(e->stuck, !g->ok);
}

static void six_times(const struct stage *g, const struct explore *e)
{
    (void)e;
    CHECK_EQ_INT(g->ok, 6);
}

static void all_taken(const struct stage *g, const struct explore *e)
{
    (void)e;
    CHECK_EQ_INT(g->ok, 3);
    CHECK_EQ_UINT(g->semaphore.count, 0);
}

static void woken(const struct stage *g, const struct explore *e)
{
    (void)e;
    CHECK_EQ_INT(g->canceled, 0);
}

static const struct scenario scenarios[] = {
    {"two senders, capacity 0", {send_two, send_two, recv_four}, all_four, 0, false, 100},
    {"two senders, capacity 1", {send_two, send_two, recv_four}, all_four, 1, false, 100},
    {"two senders, capacity 2", {send_two, send_two, recv_four}, all_four, 2, false, 100},
    {"close, capacity 0",
     {send_three_close, recv_until_closed, recv_until_closed},
     all_three,
     0,
     false,
     50},
    {"close, capacity 2",
     {send_three_close, recv_until_closed, recv_until_closed},
     all_three,
     2,
     false,
     50},
    {"select, capacity 0", {send_two, send_b, select_four}, all_four, 0, false, 100},
    {"select, capacity 1", {send_two, send_b, select_four}, all_four, 1, false, 100},
    {"select meets select", {meet, meet, meet}, one_meeting, 0, true, 50},
    {"cancel a receiver", {victim, send_one, cancel_victim}, both_or_none, 0, true, 50},
    {"mutex", {critical, critical, critical}, six_times, 0, false, 50},
    {"semaphore and group", {take_two, take_one, give_three}, all_taken, 0, false, 50},
    {"waker", {wait_woken, wake_twice, wake_twice}, woken, 0, false, 20},
};

/* --- the runs --- */

static void run_once(struct explore *e, const struct scenario *c)
{
    struct stage g = {0};
    struct co_sched *s = co_sched_of(worker_current());
    REQUIRE(chan_init(&g.a, alloc_system(), sizeof(uint64_t), c->capacity, REACH_WORKER) == ERR_OK);
    REQUIRE(chan_init(&g.b, alloc_system(), sizeof(uint64_t), c->capacity, REACH_WORKER) == ERR_OK);
    mutex_init(&g.mutex, REACH_WORKER);
    semaphore_init(&g.semaphore, 0, REACH_WORKER);
    wait_group_init(&g.group, REACH_WORKER);
    wait_group_add(&g.group, 2);
    e->at = 0;
    e->stuck = false;
    scope_begin(&e->scope);
    for (size_t i = 0; i < PARTS; i++)
        REQUIRE(scope_spawn(&e->scope, c->part[i], &g, "part") == ERR_OK);
    s->explorer = &e->x;
    (void)scope_end(&e->scope);
    s->explorer = NULL;
    CHECK(c->may_stick || !e->stuck);
    c->check(&g, e);
    e->runs++;
    e->sticks += e->stuck;
    chan_fini(&g.a);
    chan_fini(&g.b);
}

static intptr_t explore_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        const struct scenario *c = &scenarios[i];
        struct explore e = {.x = {choose, idle}};
        do {
            LABEL("%s, run %llu", c->name, (unsigned long long)e.runs);
            run_once(&e, c);
            e.at = 0;
        } while (next_path(&e));
        LABEL("%s", c->name);
        CHECK(e.runs >= c->runs_least);
        CHECK(e.runs > e.sticks || c->check == one_meeting);
    }
    return 0;
}

TEST(every_order_of_a_few_steps)
{
    co_fixture_run(1, explore_all, NULL);
}
