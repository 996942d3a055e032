/* Nobody who can go on waits for ever: for a turn, for the driver, for a stack. */
#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"

/* --- nobody waits for ever --- */

enum { LINKS = 100000 };
struct crowding {
    _Atomic bool begun, over;
    int links;
};

static intptr_t begins(void *arg)
{
    atomic_store(&((struct crowding *)arg)->begun, true);
    return 0;
}

static intptr_t chain_link(void *arg)
{
    struct crowding *x = arg;
    if (!atomic_load(&x->begun) && ++x->links < LINKS)
        REQUIRE(co_spawn_free(NULL, chain_link, x, "link") == ERR_OK);
    else
        atomic_store(&x->over, true);
    return 0;
}

static intptr_t keeps_ready(void *arg)
{
    while (!atomic_load(&((struct crowding *)arg)->over))
        co_yield ();
    return 0;
}

static intptr_t oldest_of_many(void *arg)
{
    struct crowding x = {0};
    (void)arg;
    REQUIRE(co_spawn(NULL, worker_current(), keeps_ready, &x, "busy") == ERR_OK);
    REQUIRE(co_spawn_free(NULL, begins, &x, "oldest") == ERR_OK);
    REQUIRE(co_spawn_free(NULL, chain_link, &x, "link") == ERR_OK);
    (void)keeps_ready(&x);
    CHECK(x.links < LINKS);
    return 0;
}

TEST(the_oldest_begins_though_newer_ones_keep_coming_and_others_are_ready)
{
    co_fixture_run(1, oldest_of_many, NULL);
}

/* A clock that goes on by two milliseconds each time it is read: a turn of the pump takes long. */
struct striding_clock {
    struct clock clock;
    _Atomic int64_t ms;
};
static int64_t striding_ns(struct clock *c)
{
    return atomic_fetch_add(&CONTAINER_OF(c, struct striding_clock, clock)->ms, 2) * 1000000;
}
static int64_t striding_ms(struct clock *c)
{
    return atomic_load(&CONTAINER_OF(c, struct striding_clock, clock)->ms);
}

struct hogs {
    struct executor *ex;
    struct task free;
    int free_polls;
    int running, turns;
    uint64_t ticks;
};

static intptr_t hogs_all(void *arg)
{
    struct hogs *h = arg;
    for (int i = 0; i < 50 * CO_BUDGET; i++)
        co_yield ();
    h->turns = h->free_polls;
    h->ticks = worker_stats(worker_current()).ticks;
    if (--h->running == 0)
        executor_stop(h->ex);
    return 0;
}

static enum poll looks(struct task *t)
{
    CONTAINER_OF(t, struct hogs, free)->free_polls++;
    task_wake(t);
    return POLL_PENDING;
}

TEST(coroutines_that_are_always_ready_leave_time_for_the_driver_and_for_tasks)
{
    struct striding_clock clock = {.clock = {striding_ns, striding_ms}, .ms = 1};
    struct env env = *env_linux();
    env.clock = &clock.clock;
    struct executor_config cfg = {
        .env = &env, .workers = 1, .driver = "epoll", .offload_threads = 1};
    struct hogs h = {.running = 2};
    struct error e = {0};
    REQUIRE(executor_new(&h.ex, &cfg, &e) == ERR_OK);
    struct worker *w = executor_worker(h.ex, 0);
    REQUIRE(co_enable(w, 4) == ERR_OK);
    task_init(&h.free, "free", looks, NULL);
    task_spawn_free(h.ex, &h.free);
    for (int i = 0; i < 2; i++)
        REQUIRE(co_spawn(NULL, w, hogs_all, &h, "hog") == ERR_OK);
    executor_run(h.ex);
    CHECK(h.ticks >= 80); /* 100 turns of the pump */
    CHECK(h.turns >= 40);
    executor_free(h.ex);
}

/* --- a full house --- */

static intptr_t waits_for_end(void *arg)
{
    CHECK_EQ_INT(chan_recv(arg, NULL), ERR_CLOSED);
    return 0;
}

static intptr_t passes(void *arg)
{
    (void)arg;
    return 0;
}

static intptr_t full_house(void *arg)
{
    enum { MOST = 4 };
    struct chan end;
    struct scope s;
    struct co *c;
    (void)arg;
    REQUIRE(chan_init(&end, alloc_system(), 0, 0, REACH_ANY) == ERR_OK);
    scope_begin(&s);
    scope_deadline_ms(&s, 10000); /* only if it fails */
    for (int i = 1; i < MOST; i++) {
        REQUIRE(scope_spawn(&s, waits_for_end, &end, "pinned") == ERR_OK);
        REQUIRE(co_spawn_at(worker_current(), waits_for_end, &end, "foreign") == ERR_OK);
    }
    CHECK_EQ_INT(scope_spawn(&s, waits_for_end, &end, "pinned"), ERR_FULL);
    for (int i = 1; i < MOST; i++)
        REQUIRE(scope_spawn_free(&s, waits_for_end, &end, "free") == ERR_OK);
    CHECK_EQ_INT(co_sleep_ms(1), ERR_OK); /* all of them wait */
    REQUIRE(co_spawn_free(&c, passes, NULL, "free") == ERR_OK);
    CHECK_EQ_INT(co_spawn_free(NULL, passes, NULL, "one too many"), ERR_FULL);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    chan_close(&end);
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    while (co_sched_of(worker_current())->foreigns > 0)
        co_yield ();
    chan_fini(&end);
    return 0;
}

TEST(all_coroutines_that_may_be_spawned_have_a_stack)
{
    struct executor_config cfg = {
        .env = env_linux(), .workers = 1, .driver = "epoll", .offload_threads = 1};
    struct executor *ex;
    struct error e = {0};
    struct co_fixture f = {.fn = full_house};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    f.ex = ex;
    REQUIRE(co_enable(executor_worker(ex, 0), 4) == ERR_OK);
    REQUIRE(co_spawn(NULL, executor_worker(ex, 0), co_fixture_main, &f, "test") == ERR_OK);
    executor_run(ex);
    executor_free(ex);
}

/* Where guards are mappings the kernel may refuse one, so that there are fewer stacks. */
static intptr_t pinned_link(void *arg)
{
    struct crowding *x = arg;
    co_yield ();
    if (!atomic_load(&x->begun) && ++x->links < LINKS)
        REQUIRE(co_spawn(NULL, worker_current(), pinned_link, x, "link") == ERR_OK);
    else
        atomic_store(&x->over, true);
    return 0;
}

static intptr_t short_of_stacks(void *arg)
{
    struct crowding x = {0};
    struct co_sched *s = co_sched_of(worker_current());
    size_t made = s->stacks.slots_made;
    (void)arg;
    size_t most = s->stacks.slots_max;
    s->stacks.slots_max = made > 2 ? made : 2;
    for (size_t i = 0; i < 2 * s->stacks.slots_max; i++) /* more than there are stacks for */
        REQUIRE(co_spawn(NULL, worker_current(), i == s->stacks.slots_max ? begins : pinned_link,
                         &x, "link") == ERR_OK);
    (void)keeps_ready(&x);
    CHECK(x.links < LINKS);
    co_yield ();
    s->stacks.slots_max = most;
    return 0;
}

TEST(who_waits_for_a_stack_is_not_overtaken_for_ever)
{
    co_fixture_run(1, short_of_stacks, NULL);
}
