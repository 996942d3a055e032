/* Free coroutines in every way of beginning, waiting and ending, by a seed, over several workers
 * and runs; what the workers count of each other must come out even. */
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"
#include "base/clock.h"

enum { RUNS = 6, STEPS = 30, WORKERS = 3, FOR_EVER = 5 };

static intptr_t lives(void *arg)
{
    intptr_t kind = (intptr_t)arg;
    if (kind % 3 == 1)
        co_yield ();
    if (kind == 2)
        CHECK_EQ_INT(co_sleep_ms(0), ERR_OK);
    if (kind == FOR_EVER)
        CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    return kind;
}

/* Each way in which a free coroutine can be let go, at any time of its life. */
static void let_go(struct co *c, uint64_t how, intptr_t kind)
{
    intptr_t got = 0;
    if (how % 4 == 3 && kind != FOR_EVER) {
        co_detach(c);
        return;
    }
    if (how % 4 == 2)
        co_yield ();
    if (how % 4 != 0 || kind == FOR_EVER)
        co_cancel(c);
    CHECK_EQ_INT(co_join(c, &got), ERR_OK);
    CHECK_EQ_INT(got, kind);
}

static intptr_t mixes(void *arg)
{
    struct random r;
    struct scope s;
    random_seed(&r, (uint64_t)(uintptr_t)arg);
    for (int i = 0; i < STEPS; i++) {
        struct co *c[8];
        intptr_t kind[8];
        bool scoped = random_below(&r, 2) == 0, canceled = random_below(&r, 2) == 0;
        scope_begin(&s);
        for (size_t k = 0; k < ARRAY_LEN(c); k++) {
            kind[k] = (intptr_t)random_below(&r, FOR_EVER + 1);
            REQUIRE(co_spawn_free(&c[k], lives, (void *)kind[k], "mixed") == ERR_OK);
            if (scoped && (canceled || kind[k] != FOR_EVER))
                REQUIRE(scope_spawn_free(&s, lives, (void *)kind[k], "child") == ERR_OK);
        }
        for (size_t k = 0; k < ARRAY_LEN(c); k++)
            let_go(c[k], random_u64(&r), kind[k]);
        if (canceled)
            scope_cancel(&s);
        CHECK_EQ_INT(scope_end(&s), canceled ? ERR_CANCELED : ERR_OK);
    }
    return 0;
}

static intptr_t mixes_on_many(void *arg)
{
    struct scope s;
    scope_begin(&s);
    for (uintptr_t i = 0; i < 6; i++)
        REQUIRE(scope_spawn_free(&s, mixes, (void *)((uintptr_t)arg + i), "mixes") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    return 0;
}

TEST(free_coroutines_end_join_and_go_in_any_order_and_no_searcher_is_lost)
{
    struct executor *ex = co_fixture_executor(WORKERS);
    struct share *share = executor_share(ex);
    uint64_t seed = test_seed();
    for (uint64_t run = 0; run < RUNS; run++) {
        LABEL("run %d", (int)run);
        CHECK_EQ_INT(co_run(ex, mixes_on_many, (void *)(uintptr_t)(seed + run * 100), "mix", NULL),
                     ERR_OK);
        uint32_t searching = 0;
        for (unsigned i = 0; i < WORKERS; i++) {
            struct worker *w = executor_worker(ex, i);
            searching += w->share.searching;
            CHECK(!w->share.announced);
            CHECK_EQ_UINT(w->share.lane.away, 0);
        }
        CHECK_EQ_UINT(atomic_load(&share->searching), searching);
        CHECK_EQ_UINT(atomic_load(&share->idle), 0);
    }
    executor_free(ex);
}
