/* Free tasks and coroutines over several workers, and fork-join. */
#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/fork.h"
#include "async/scope.h"
#include "async/sync.h"

enum { TASKS = 2000, MANY = 20000 };

/* --- free tasks --- */

struct crowd {
    struct executor *ex;
    _Atomic int left;
};
struct roamer {
    struct task task;
    struct crowd *crowd;
    _Atomic bool inside; /* its poll */
    int polls;
};

static enum poll roam(struct task *t)
{
    struct roamer *r = CONTAINER_OF(t, struct roamer, task);
    CHECK(!atomic_exchange(&r->inside, true)); /* never two at once */
    bool ready = ++r->polls == 5;
    if (!ready)
        task_wake(t);
    atomic_store(&r->inside, false);
    return ready ? POLL_READY : POLL_PENDING;
}

static void roamed(struct task *t)
{
    struct roamer *r = CONTAINER_OF(t, struct roamer, task);
    if (atomic_fetch_sub(&r->crowd->left, 1) == 1)
        executor_stop(r->crowd->ex);
}

TEST(free_tasks_are_polled_each_to_its_end)
{
    for (unsigned workers = 1; workers <= 4; workers++) {
        LABEL("%u workers", workers);
        static struct roamer r[TASKS];
        struct crowd crowd = {co_fixture_executor(workers), TASKS};
        for (size_t i = 0; i < TASKS; i++) {
            r[i] = (struct roamer){.crowd = &crowd};
            task_init(&r[i].task, "roamer", roam, roamed);
            task_spawn_free(crowd.ex, &r[i].task);
        }
        executor_run(crowd.ex);
        uint64_t polls = 0;
        for (size_t i = 0; i < TASKS; i++)
            CHECK_EQ_INT(r[i].polls, 5);
        for (unsigned i = 0; i < workers; i++)
            polls += worker_stats(executor_worker(crowd.ex, i)).polls;
        CHECK(polls >= TASKS * 5);
        executor_free(crowd.ex);
    }
}

/* --- long tasks --- */

/* One that is polled POLLS times, a tick between two of them, and who spawns it from worker 0. */
enum { POLLS = 5 };
struct long_site {
    struct executor *ex;
    struct task task, spawner, residents[2];
    struct tick_hook hook;
    unsigned residents_n;
    int polls, elsewhere;
    bool hold; /* worker 0 stays in the spawner's poll meanwhile */
    _Atomic bool over;
};

static void next_tick(struct tick_hook *h)
{
    task_wake(&CONTAINER_OF(h, struct long_site, hook)->task);
}

static enum poll long_poll(struct task *t)
{
    struct long_site *x = CONTAINER_OF(t, struct long_site, task);
    x->elsewhere += worker_index(worker_current()) == 1;
    if (++x->polls == POLLS)
        return POLL_READY;
    worker_at_tick_end(worker_current(), &x->hook);
    return POLL_PENDING;
}

static void long_finished(struct task *t)
{
    struct long_site *x = CONTAINER_OF(t, struct long_site, task);
    atomic_store(&x->over, true);
    executor_stop(x->ex);
}

static bool patience(int64_t since_ns)
{
    return clock_mono_ns(env_linux()->clock) - since_ns < INT64_C(20000000000);
}

static enum poll spawner_poll(struct task *t)
{
    struct long_site *x = CONTAINER_OF(t, struct long_site, spawner);
    struct worker *other = executor_worker(x->ex, 1);
    int64_t since_ns = clock_mono_ns(env_linux()->clock);
    if (t->canceled)
        return POLL_READY;
    while ((worker_stats(other).tasks < x->residents_n ||
            !(atomic_load(&executor_share(x->ex)->idle) & 2)) &&
           patience(since_ns))
        cpu_relax();
    tick_hook_init(&x->hook, next_tick);
    task_init(&x->task, "long", long_poll, long_finished);
    task_spawn_long(x->ex, &x->task);
    while (x->hold && !atomic_load(&x->over) && patience(since_ns))
        cpu_relax();
    CHECK(atomic_load(&x->over) || !x->hold);
    return POLL_PENDING;
}

static enum poll resident_poll(struct task *t)
{
    return t->canceled ? POLL_READY : POLL_PENDING;
}

static void run_long(struct long_site *x)
{
    x->ex = co_fixture_executor(2);
    for (unsigned i = 0; i < x->residents_n; i++) {
        task_init(&x->residents[i], "resident", resident_poll, NULL);
        task_spawn(executor_worker(x->ex, 1), &x->residents[i]);
    }
    task_init(&x->spawner, "spawner", spawner_poll, NULL);
    task_spawn(executor_worker(x->ex, 0), &x->spawner);
    executor_run(x->ex);
    CHECK_EQ_INT(x->polls, POLLS);
}

TEST(a_long_task_goes_to_a_worker_that_sleeps)
{
    struct long_site x = {.hold = true};
    run_long(&x);
    CHECK_EQ_INT(x.elsewhere, POLLS);
    CHECK_EQ_UINT(worker_stats(executor_worker(x.ex, 1)).handed, 1);
    executor_free(x.ex);
}

TEST(a_long_task_is_not_handed_to_one_with_as_many_connections)
{
    struct long_site x = {.residents_n = 2};
    run_long(&x);
    CHECK_EQ_UINT(worker_stats(executor_worker(x.ex, 1)).handed, 0);
    executor_free(x.ex);
}

/* What another worker leaves on worker 0 while it winds up is still run: `finished` of a task that
 * ends there when worker 0 may be out of its loop. */
struct last_word {
    struct executor *ex;
    struct task slow, told;
    bool heard;
};

static enum poll told_poll(struct task *t)
{
    CONTAINER_OF(t, struct last_word, told)->heard = true;
    return POLL_READY;
}

static enum poll slow_poll(struct task *t)
{
    struct last_word *x = CONTAINER_OF(t, struct last_word, slow);
    struct worker *first = executor_worker(x->ex, 0);
    executor_stop(x->ex);
    /* Its loop has ended when its count of ticks stands still; that is only likely, and enough. */
    uint64_t ticks;
    do {
        ticks = worker_stats(first).ticks;
        for (int i = 0; i < 1000000; i++)
            cpu_relax();
    } while (worker_stats(first).ticks != ticks);
    return POLL_READY;
}

static void slow_finished(struct task *t)
{
    struct last_word *x = CONTAINER_OF(t, struct last_word, slow);
    task_init(&x->told, "told", told_poll, NULL);
    task_spawn(executor_worker(x->ex, 0), &x->told);
}

TEST(what_is_left_on_worker_0_at_the_end_is_run)
{
    struct last_word x = {.ex = co_fixture_executor(2)};
    task_init(&x.slow, "slow", slow_poll, slow_finished);
    task_spawn(executor_worker(x.ex, 1), &x.slow);
    executor_run(x.ex);
    CHECK(x.heard);
    executor_free(x.ex);
}

/* --- free coroutines --- */

static intptr_t square(void *arg)
{
    return (intptr_t)arg * (intptr_t)arg;
}

static intptr_t join_many(void *arg)
{
    static struct co *c[MANY];
    intptr_t sum = 0, x;
    (void)arg;
    for (int round = 0; round < 3; round++) {
        for (intptr_t i = 0; i < FIXTURE_COROUTINES - 1; i++)
            REQUIRE(co_spawn_free(&c[i], square, (void *)i, "square") == ERR_OK);
        for (intptr_t i = 0; i < FIXTURE_COROUTINES - 1; i++) {
            CHECK_EQ_INT(co_join(c[i], &x), ERR_OK);
            CHECK_EQ_INT(x, i * i);
            sum += x;
        }
    }
    return sum;
}

TEST(free_coroutines_are_joined_wherever_they_ran)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        intptr_t want = 0;
        for (intptr_t i = 0; i < FIXTURE_COROUTINES - 1; i++)
            want += 3 * i * i;
        CHECK_EQ_INT(co_fixture_run(workers, join_many, NULL), want);
    }
}

static intptr_t tree(void *arg)
{
    intptr_t depth = (intptr_t)arg, sum = 0, x;
    struct co *c[4];
    if (depth == 0)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        REQUIRE(co_spawn_free(&c[i], tree, (void *)(depth - 1), "node") == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        CHECK_EQ_INT(co_join(c[i], &x), ERR_OK);
        sum += x;
    }
    return sum;
}

TEST(a_tree_of_coroutines)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        CHECK_EQ_INT(co_fixture_run(workers, tree, (void *)(intptr_t)6), 4096);
    }
}

struct pipes {
    struct chan in, out;
};

static intptr_t doubles(void *arg)
{
    struct pipes *p = arg;
    uint64_t x;
    while (chan_recv(&p->in, &x) == ERR_OK) {
        x *= 2;
        CHECK_EQ_INT(chan_send(&p->out, &x), ERR_OK);
    }
    return 0;
}

static intptr_t feeds(void *arg)
{
    struct pipes *p = arg;
    for (uint64_t i = 0; i < MANY; i++)
        CHECK_EQ_INT(chan_send(&p->in, &i), ERR_OK);
    chan_close(&p->in);
    return 0;
}

static intptr_t fan_out(void *arg)
{
    struct pipes p;
    struct scope s;
    uint64_t x, sum = 0;
    (void)arg;
    REQUIRE(chan_init(&p.in, alloc_system(), sizeof(x), 16, REACH_ANY) == ERR_OK);
    REQUIRE(chan_init(&p.out, alloc_system(), sizeof(x), 16, REACH_ANY) == ERR_OK);
    scope_begin(&s);
    for (int i = 0; i < 8; i++)
        REQUIRE(scope_spawn_free(&s, doubles, &p, "doubles") == ERR_OK);
    REQUIRE(scope_spawn_free(&s, feeds, &p, "feeds") == ERR_OK);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_EQ_INT(chan_recv(&p.out, &x), ERR_OK);
        sum += x;
    }
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    CHECK_EQ_UINT(sum, (uint64_t)MANY * (MANY - 1));
    chan_fini(&p.in);
    chan_fini(&p.out);
    return 0;
}

TEST(channels_between_free_coroutines)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        co_fixture_run(workers, fan_out, NULL);
    }
}

static intptr_t waits_long(void *arg)
{
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    atomic_fetch_add((_Atomic int *)arg, 1);
    return 0;
}

static intptr_t cancel_free(void *arg)
{
    struct scope s;
    _Atomic int n = 0;
    struct co *c;
    (void)arg;
    scope_begin(&s);
    for (int i = 0; i < 100; i++)
        REQUIRE(scope_spawn_free(&s, waits_long, &n, "waits") == ERR_OK);
    REQUIRE(co_spawn_free(&c, waits_long, &n, "joined") == ERR_OK);
    CHECK_EQ_INT(co_sleep_ms(2), ERR_OK);
    for (int i = 0; i < 100; i++) /* some have not begun */
        REQUIRE(scope_spawn_free(&s, waits_long, &n, "waits") == ERR_OK);
    scope_cancel(&s);
    CHECK_EQ_INT(scope_end(&s), ERR_CANCELED);
    CHECK_EQ_INT(atomic_load(&n), 200);
    co_cancel(c);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    CHECK_EQ_INT(atomic_load(&n), 201);
    return 0;
}

TEST(a_scope_cancels_its_free_children)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        co_fixture_run(workers, cancel_free, NULL);
    }
}

static intptr_t in_vain(void *arg)
{
    struct co *c;
    (void)arg;
    CHECK_EQ_INT(co_spawn_free(&c, square, NULL, "square"), ERR_INVALID);
    return 0;
}

TEST(every_worker_needs_coroutines)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = 2,
                                  .driver = "epoll",
                                  .offload_threads = 1};
    struct executor *ex;
    struct error e = {0};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    REQUIRE(co_enable(executor_worker(ex, 0), 10) == ERR_OK);
    CHECK_EQ_INT(co_run(ex, in_vain, NULL, "main", NULL), ERR_OK);
    executor_free(ex);
}

static intptr_t seven(void *arg)
{
    (void)arg;
    return 7;
}

static intptr_t winds_up(void *arg)
{
    executor_stop(arg);
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    co_shield_begin();
    CHECK_EQ_INT(co_sleep_ms(5), ERR_OK); /* longer than the executor's own end */
    co_shield_end();
    return 8;
}

TEST(run_until_complete)
{
    struct executor *ex = co_fixture_executor(2);
    intptr_t result = 0;
    CHECK_EQ_INT(co_run(ex, seven, NULL, "seven", &result), ERR_OK);
    CHECK_EQ_INT(result, 7);
    CHECK_EQ_INT(co_run(ex, join_many, NULL, "again", &result), ERR_OK);
    CHECK_EQ_INT(co_run(ex, winds_up, ex, "stopped", &result), ERR_OK);
    CHECK_EQ_INT(result, 8);
    executor_free(ex);
}

/* --- forks --- */

struct fib {
    struct fork fork;
    int n;
    uint64_t result;
};

static uint64_t fib(int n, struct fork_lane *lane);

static void fib_run(struct fork *f, struct fork_lane *lane)
{
    struct fib *x = CONTAINER_OF(f, struct fib, fork);
    CHECK(lane == fork_lane());
    x->result = fib(x->n, lane);
}

static uint64_t fib(int n, struct fork_lane *lane)
{
    struct fib right = {.n = n - 1};
    if (n < 2)
        return (uint64_t)n;
    fork_begin(lane, &right.fork, fib_run);
    uint64_t left = fib(n - 2, lane);
    fork_join(lane, &right.fork);
    return left + right.result;
}

static intptr_t fib_main(void *arg)
{
    return (intptr_t)fib((int)(intptr_t)arg, fork_lane());
}

TEST(forks_are_joined_wherever_they_ran)
{
    for (unsigned workers = 1; workers <= 4; workers++) {
        LABEL("%u workers", workers);
        CHECK_EQ_INT(co_fixture_run(workers, fib_main, (void *)(intptr_t)24), 46368);
    }
}

/* More open ones than a lane holds: those run at once. */
static void one(struct fork *f, struct fork_lane *lane)
{
    (void)lane;
    CONTAINER_OF(f, struct fib, fork)->result = 1;
}

static intptr_t too_many(void *arg)
{
    static struct fib f[2 * SHARE_FORKS];
    struct fork_lane *lane = fork_lane();
    intptr_t sum = 0;
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        fork_begin(lane, &f[i].fork, one);
    for (size_t i = ARRAY_LEN(f); i-- > 0;) {
        fork_join(lane, &f[i].fork);
        sum += (intptr_t)f[i].result;
    }
    return sum;
}

TEST(a_full_lane_runs_forks_at_once)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        LABEL("%u workers", workers);
        CHECK_EQ_INT(co_fixture_run(workers, too_many, NULL), 2 * SHARE_FORKS);
    }
}
