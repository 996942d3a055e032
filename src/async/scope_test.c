#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/panic.h"
#include "async/scope.h"
#include "base/log.h"

static intptr_t add_one(void *arg)
{
    co_yield ();
    *(int *)arg += 1;
    return 0;
}

static intptr_t waits(void *arg)
{
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED); /* from now on */
    *(int *)arg += 1;
    return 0;
}

static intptr_t awaits_children(void *arg)
{
    struct scope s;
    int n = 0;
    (void)arg;
    scope_begin(&s);
    CHECK_EQ_INT(scope_end(&s), ERR_OK); /* an empty one */
    scope_begin(&s);
    for (int i = 0; i < 10; i++)
        REQUIRE(scope_spawn(&s, add_one, &n, "add") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    CHECK_EQ_INT(n, 10);
    CHECK_EQ_UINT(co_sched_of(worker_current())->pool.in_use, 1);
    return 0;
}

TEST(a_scope_ends_when_its_children_have_ended)
{
    co_fixture_run(1, awaits_children, NULL);
}

static intptr_t cancel_scope(void *arg)
{
    struct scope s;
    int n = 0;
    (void)arg;
    scope_begin(&s);
    for (int i = 0; i < 10; i++)
        REQUIRE(scope_spawn(&s, waits, &n, "waits") == ERR_OK);
    co_yield ();
    scope_cancel(&s);
    scope_cancel(&s);
    CHECK(co_canceled()); /* the opener's own waits within the scope */
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    REQUIRE(scope_spawn(&s, waits, &n, "born canceled") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_CANCELED);
    CHECK_EQ_INT(n, 11);
    CHECK(!co_canceled()); /* and no further */
    CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
    return 0;
}

TEST(cancel_reaches_children_and_the_opener)
{
    co_fixture_run(1, cancel_scope, NULL);
}

struct tree {
    int depth;
    int *ended;
};

static intptr_t grow_tree(void *arg)
{
    struct tree *t = arg, child = {t->depth - 1, t->ended};
    struct scope s;
    scope_begin(&s);
    if (t->depth == 0)
        CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    for (int i = 0; i < 2 && t->depth > 0; i++)
        REQUIRE(scope_spawn(&s, grow_tree, &child, "branch") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_CANCELED);
    ++*t->ended;
    return 0;
}

static intptr_t cascade(void *arg)
{
    int ended = 0;
    struct tree t = {6, &ended};
    struct co *c;
    (void)arg;
    REQUIRE(co_spawn(&c, worker_current(), grow_tree, &t, "root") == ERR_OK);
    for (int i = 0; i < 20; i++)
        co_yield ();
    CHECK_EQ_INT(ended, 0);
    co_cancel(c);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    CHECK_EQ_INT(ended, (1 << 7) - 1);
    return 0;
}

TEST(pitfall_14_cancel_cascades_and_children_are_awaited)
{
    co_fixture_run(1, cascade, NULL);
}

static intptr_t deadlines(void *arg)
{
    struct scope outer, inner;
    int n = 0;
    (void)arg;
    scope_begin(&outer);
    scope_deadline_ms(&outer, 2);
    scope_begin(&inner);
    REQUIRE(scope_spawn(&inner, waits, &n, "waits") == ERR_OK);
    REQUIRE(scope_spawn(&outer, waits, &n, "waits") == ERR_OK);
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    CHECK_EQ_INT(scope_end(&inner), ERR_CANCELED);
    CHECK_EQ_INT(scope_end(&outer), ERR_TIMEOUT);
    CHECK_EQ_INT(n, 2);
    scope_begin(&outer);
    scope_deadline_ms(&outer, 1000000); /* not reached: gone with the scope */
    REQUIRE(scope_spawn(&outer, add_one, &n, "add") == ERR_OK);
    CHECK_EQ_INT(scope_end(&outer), ERR_OK);
    CHECK_EQ_INT(n, 3);
    return 0;
}

TEST(a_deadline_ends_a_scope_and_those_within)
{
    co_fixture_run(1, deadlines, NULL);
}

static intptr_t join_canceled(void *arg)
{
    CHECK_EQ_INT(co_join(arg, NULL), ERR_CANCELED);
    return 1;
}

static intptr_t cancel_a_joiner(void *arg)
{
    struct co *sleeper, *joiner;
    intptr_t result = 0;
    int n = 0;
    (void)arg;
    REQUIRE(co_spawn(&sleeper, worker_current(), waits, &n, "sleeper") == ERR_OK);
    REQUIRE(co_spawn(&joiner, worker_current(), join_canceled, sleeper, "joiner") == ERR_OK);
    co_yield ();
    co_cancel(joiner);
    CHECK_EQ_INT(co_join(joiner, &result), ERR_OK);
    CHECK_EQ_INT(result, 1);
    CHECK_EQ_INT(n, 0);
    co_cancel(sleeper); /* still ours */
    CHECK_EQ_INT(co_join(sleeper, NULL), ERR_OK);
    CHECK_EQ_INT(n, 1);
    return 0;
}

TEST(a_canceled_join_leaves_the_coroutine)
{
    co_fixture_run(1, cancel_a_joiner, NULL);
}

/* --- free children --- */

static intptr_t panics_alone(void *arg)
{
    (void)arg;
    task_panic("for the test");
}

static intptr_t hears_of_panic(void *arg)
{
    bool opener_is_free = arg != NULL;
    struct scope s, inner;
    struct chan never;
    int n = 0;
    REQUIRE(chan_init(&never, alloc_system(), 0, 0, REACH_ANY) == ERR_OK);
    scope_begin(&s);
    scope_begin(&inner);
    REQUIRE(scope_spawn(&inner, waits, &n, "waits") == ERR_OK);
    REQUIRE(scope_spawn_free(&s, panics_alone, NULL, "panics") == ERR_OK);
    CHECK_EQ_INT(chan_recv_timed(&never, NULL, 10000), ERR_CANCELED); /* at once */
    CHECK_EQ_INT(scope_end(&inner), ERR_CANCELED);
    CHECK_EQ_INT(n, 1);
    CHECK_EQ_INT(scope_end(&s), ERR_PANIC);
    CHECK_EQ_INT(co_sleep_ms(opener_is_free ? 0 : 1), ERR_OK);
    chan_fini(&never);
    return 0;
}

static intptr_t free_opener(void *arg)
{
    struct co *c = NULL;
    (void)arg;
    for (int i = 0; i < 100; i++) {
        REQUIRE(co_spawn_free(&c, hears_of_panic, &c, "opener") == ERR_OK);
        CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
        (void)hears_of_panic(NULL);
    }
    return 0;
}

static void say_nothing(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

TEST(a_free_child_that_panics_cancels_what_its_opener_waits_for)
{
    log_set_sink(say_nothing, NULL);
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        co_fixture_run(workers, free_opener, NULL);
    }
    log_set_sink(NULL, NULL);
}
