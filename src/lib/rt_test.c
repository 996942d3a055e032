/* The facade through its public headers only: that each call reaches what it names, and what the
 * facade adds. What lies behind is tested where it lies. */
#include "tests/support/test.h"
#include <limits.h>
#include <pthread.h>
#include <sedge/sedge.h>
#include <semaphore.h>
#include <string.h>

/* Runs fn(arg) on a runtime of its own. */
static intptr_t run(unsigned workers, intptr_t (*fn)(void *arg), void *arg)
{
    struct sedge_rt_config cfg = {.workers = workers, .driver = "epoll", .coroutines_max = 64};
    struct sedge_rt *rt = NULL;
    intptr_t result = -1;
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    CHECK_EQ_INT(sedge_rt_run(rt, fn, arg, &result), SEDGE_OK);
    sedge_rt_free(rt);
    return result;
}

TEST(rt_refuses_bad_configurations)
{
    static const struct {
        const char *label;
        struct sedge_rt_config cfg;
        enum sedge_err want;
        const char *text;
    } cases[] = {
        {"workers", {.workers = 65}, SEDGE_ERR_RANGE, "workers must be"},
        {"driver", {.driver = "none"}, SEDGE_ERR_INVALID, "no I/O driver 'none'"},
        {"reserved", {.reserved = {"x"}}, SEDGE_ERR_INVALID, "must be NULL"},
        {"threads", {.blocking_threads = 17}, SEDGE_ERR_RANGE, "must be 1"},
        {"coroutines", {.workers = 1, .coroutines_max = SIZE_MAX}, SEDGE_ERR_INVALID, "coroutines"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LABEL("%s", cases[i].label);
        struct sedge_rt *rt;
        struct sedge_error e = {0};
        CHECK_EQ_INT(sedge_rt_new(&rt, &cases[i].cfg, &e), cases[i].want);
        CHECK_EQ_PTR(rt, NULL);
        CHECK_EQ_INT(e.code, cases[i].want);
        CHECK_HAS_STR(e.text, cases[i].text);
    }
    sedge_rt_free(NULL);
}

static intptr_t look_around(void *arg)
{
    struct sedge_rt **rt = arg;
    CHECK_EQ_PTR(sedge_rt_current(), *rt);
    CHECK_EQ_UINT(sedge_rt_worker(), 0);
    CHECK_EQ_STR(sedge_co_name(sedge_co_current()), "main");
    return 7;
}

TEST(rt_runs_again_and_again)
{
    struct sedge_rt_config cfg = {.workers = 2, .driver = "epoll"};
    struct sedge_rt *rt;
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    CHECK_EQ_UINT(sedge_rt_workers(rt), 2);
    CHECK_EQ_STR(sedge_rt_driver(rt), "epoll");
    for (int i = 0; i < 3; i++) {
        intptr_t result = 0;
        CHECK_EQ_INT(sedge_rt_run(rt, look_around, &rt, &result), SEDGE_OK);
        CHECK_EQ_INT(result, 7);
    }
    CHECK_EQ_PTR(sedge_rt_current(), NULL);
    CHECK_EQ_UINT(sedge_rt_worker(), UINT_MAX);
    CHECK_EQ_INT(sedge_co_spawn(NULL, look_around, NULL, "nowhere"), SEDGE_ERR_INVALID);
    CHECK_EQ_INT(sedge_co_spawn_on(rt, 2, look_around, NULL, "nowhere"), SEDGE_ERR_RANGE);
    sedge_rt_free(rt);
}

static intptr_t stop_and_sleep(void *arg)
{
    bool *winds_up = arg;
    sedge_rt_stop(sedge_rt_current());
    enum sedge_err r = sedge_sleep_ms(1000000);
    if (*winds_up) {
        sedge_co_shield_begin();
        CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_OK);
        sedge_co_shield_end();
    }
    return r;
}

TEST(rt_stop_cancels_the_main_coroutine)
{
    struct sedge_rt_config cfg = {.workers = 1, .driver = "epoll"};
    for (int i = 0; i < 2; i++) {
        bool winds_up = i == 1;
        struct sedge_rt *rt;
        intptr_t result = 0;
        LABEL("%s", winds_up ? "it takes its time" : "at once");
        REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
        CHECK_EQ_INT(sedge_rt_run(rt, stop_and_sleep, &winds_up, &result), SEDGE_OK);
        CHECK_EQ_INT(result, SEDGE_ERR_CANCELED);
        CHECK_EQ_INT(sedge_rt_run(rt, look_around, &rt, &result), SEDGE_OK);
        sedge_rt_free(rt);
    }
}

static intptr_t chance(void *arg)
{
    uint64_t *picks = arg;
    struct sedge_chan *c[2];
    CHECK_EQ_INT(sedge_chan_new(&c[0], 0, 64, SEDGE_LOCAL), SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_new(&c[1], 0, 64, SEDGE_LOCAL), SEDGE_OK);
    struct sedge_arm arms[] = {sedge_arm_send(c[0], NULL), sedge_arm_send(c[1], NULL)};
    for (int i = 0; i < 64; i++) {
        size_t arm = 9;
        CHECK_EQ_INT(sedge_select_try(arms, 2, &arm), SEDGE_OK);
        *picks = *picks << 1 | arm;
    }
    sedge_chan_free(c[0]);
    sedge_chan_free(c[1]);
    return 0;
}

TEST(rt_seed_repeats_the_choices)
{
    uint64_t picks[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        struct sedge_rt_config cfg = {.workers = 1, .driver = "epoll", .seed = i < 2 ? 77 : 78};
        struct sedge_rt *rt;
        REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
        CHECK_EQ_INT(sedge_rt_run(rt, chance, &picks[i], NULL), SEDGE_OK);
        sedge_rt_free(rt);
    }
    CHECK_EQ_UINT(picks[0], picks[1]);
    CHECK(picks[0] != picks[2]);
}

static intptr_t answer(void *arg)
{
    return *(int *)arg;
}

TEST(main_is_a_program)
{
    struct sedge_rt_config bad = {.driver = "none"};
    int n = 42;
    CHECK_EQ_INT(sedge_main(NULL, answer, &n), 42);
    CHECK_EQ_INT(sedge_main(&bad, answer, &n), 1);
}

/* --- the watchdog --- */

static void keep_stuck(void *ctx, enum sedge_log_level level, const char *part, const char *text)
{
    (void)level, (void)part;
    if (strstr(text, "stubborn"))
        sem_post(ctx);
}

static intptr_t hold_the_worker(void *arg)
{
    CHECK_EQ_INT(sem_wait(arg), 0);
    return 0;
}

static intptr_t spawn_stubborn(void *arg)
{
    struct sedge_co *co;
    CHECK_EQ_INT(sedge_co_spawn(&co, hold_the_worker, arg, "stubborn"), SEDGE_OK);
    CHECK_EQ_INT(sedge_co_join(co, NULL), SEDGE_OK);
    return 0;
}

/* It holds the worker until it has been named. */
TEST(rt_names_who_holds_a_worker)
{
    struct sedge_rt_config cfg = {.workers = 1, .driver = "epoll", .stuck_ms = 1};
    struct sedge_rt *rt;
    sem_t named;
    REQUIRE(sem_init(&named, 0, 0) == 0);
    sedge_log_to(SEDGE_LOG_INFO, keep_stuck, &named);
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    CHECK_EQ_INT(sedge_rt_run(rt, spawn_stubborn, &named, NULL), SEDGE_OK);
    sedge_rt_free(rt);
    sedge_log_to(SEDGE_LOG_INFO, NULL, NULL);
}

/* --- blocking calls --- */

struct blocking {
    pthread_t thread;
    int calls;
};

static void note_thread(void *arg)
{
    struct blocking *b = arg;
    b->thread = pthread_self();
    b->calls++;
}

static intptr_t call_blocking(void *arg)
{
    struct blocking b = {0};
    (void)arg;
    CHECK_EQ_INT(sedge_blocking(note_thread, &b), SEDGE_OK);
    CHECK_EQ_INT(b.calls, 1);
    CHECK(!pthread_equal(b.thread, pthread_self()));
    sedge_co_cancel(sedge_co_current()); /* does not cut it short */
    CHECK_EQ_INT(sedge_blocking(note_thread, &b), SEDGE_OK);
    CHECK_EQ_INT(b.calls, 2);
    return 0;
}

TEST(blocking_runs_on_another_thread)
{
    struct blocking b = {0};
    run(1, call_blocking, NULL);
    CHECK_EQ_INT(sedge_blocking(note_thread, &b), SEDGE_ERR_INVALID);
    CHECK_EQ_INT(b.calls, 0);
}

struct gate {
    sem_t open;
    enum sedge_err second;
};

static void pass(void *arg)
{
    struct gate *g = arg;
    CHECK_EQ_INT(sem_wait(&g->open), 0);
}

static intptr_t second_call(void *arg)
{
    struct gate *g = arg;
    g->second = sedge_blocking(pass, g);
    sem_post(&g->open);
    return 0;
}

static intptr_t fill_blocking(void *arg)
{
    struct gate *g = arg;
    CHECK_EQ_INT(sedge_co_spawn(NULL, second_call, g, "second"), SEDGE_OK);
    CHECK_EQ_INT(sedge_blocking(pass, g), SEDGE_OK);
    return 0;
}

TEST(blocking_is_bounded)
{
    struct gate g = {.second = SEDGE_OK};
    struct sedge_rt_config cfg = {.workers = 1, .driver = "epoll", .blocking_max = 1};
    struct sedge_rt *rt;
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    REQUIRE(sem_init(&g.open, 0, 0) == 0);
    CHECK_EQ_INT(sedge_rt_run(rt, fill_blocking, &g, NULL), SEDGE_OK);
    CHECK_EQ_INT(g.second, SEDGE_ERR_FULL);
    sedge_rt_free(rt);
}

/* --- coroutines and scopes --- */

static intptr_t twice(void *arg)
{
    return 2 * *(int *)arg;
}

static intptr_t sleep_long(void *arg)
{
    enum sedge_err r = sedge_sleep_ms(1000000);
    if (arg)
        *(enum sedge_err *)arg = r;
    return r;
}

static intptr_t lives(void *arg)
{
    int n = 21;
    intptr_t result = 0;
    struct sedge_co *co;
    (void)arg;
    CHECK_EQ_INT(sedge_co_spawn(&co, twice, &n, "twice"), SEDGE_OK);
    CHECK_EQ_STR(sedge_co_name(co), "twice");
    CHECK_EQ_INT(sedge_co_join(co, &result), SEDGE_OK);
    CHECK_EQ_INT(result, 42);

    CHECK_EQ_INT(sedge_co_spawn(&co, sleep_long, NULL, "sleeper"), SEDGE_OK);
    sedge_co_yield();
    sedge_co_cancel(co);
    CHECK_EQ_INT(sedge_co_join(co, &result), SEDGE_OK);
    CHECK_EQ_INT(result, SEDGE_ERR_CANCELED);

    CHECK_EQ_INT(sedge_co_spawn(&co, twice, &n, "detached"), SEDGE_OK);
    sedge_co_detach(co);
    CHECK(!sedge_co_canceled());
    sedge_co_cancel(sedge_co_current());
    CHECK(sedge_co_canceled());
    sedge_co_shield_begin();
    CHECK(!sedge_co_canceled());
    CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_OK);
    sedge_co_shield_end();
    CHECK_EQ_INT(sedge_sleep_ms(1), SEDGE_ERR_CANCELED);
    return 0;
}

TEST(co_is_joined_canceled_detached_shielded)
{
    run(1, lives, NULL);
}

static intptr_t spawn_until_full(void *arg)
{
    enum sedge_err r;
    int n = 0;
    (void)arg;
    while (!(r = sedge_co_spawn(NULL, sleep_long, NULL, "one more")))
        n++;
    CHECK_EQ_INT(r, SEDGE_ERR_FULL);
    return n;
}

TEST(co_are_bounded)
{
    CHECK_EQ_INT(run(1, spawn_until_full, NULL), 62); /* beside the main one and who joins it */
}

static void *wake_it(void *arg)
{
    sedge_waker_wake(*(struct sedge_waker *)arg);
    sedge_waker_wake((struct sedge_waker){NULL});
    return NULL;
}

static intptr_t wait_for_a_thread(void *arg)
{
    struct sedge_waker waker = sedge_co_waker(sedge_co_current());
    pthread_t thread;
    size_t arm = 9;
    (void)arg;
    for (int i = 0; i < 2; i++) {
        REQUIRE(pthread_create(&thread, NULL, wake_it, &waker) == 0);
        if (i == 0) {
            CHECK_EQ_INT(sedge_co_wait_woken(), SEDGE_OK);
        } else {
            struct sedge_arm arms[] = {sedge_arm_recv(NULL, NULL), sedge_arm_woken()};
            CHECK_EQ_INT(sedge_select(arms, 2, &arm), SEDGE_OK);
            CHECK_EQ_UINT(arm, 1);
        }
        pthread_join(thread, NULL);
    }
    return 0;
}

TEST(co_is_woken_by_a_thread)
{
    run(1, wait_for_a_thread, NULL);
}

static intptr_t scopes(void *arg)
{
    struct sedge_scope s;
    enum sedge_err how[3] = {SEDGE_OK, SEDGE_OK, SEDGE_OK};
    (void)arg;
    sedge_scope_begin(&s);
    CHECK_EQ_INT(sedge_scope_spawn(&s, sleep_long, &how[0], "child"), SEDGE_OK);
    sedge_scope_cancel(&s);
    CHECK_EQ_INT(sedge_scope_end(&s), SEDGE_ERR_CANCELED);

    sedge_scope_begin(&s);
    sedge_scope_deadline_ms(&s, 1);
    CHECK_EQ_INT(sedge_scope_spawn(&s, sleep_long, &how[1], "child"), SEDGE_OK);
    CHECK_EQ_INT(sedge_scope_end(&s), SEDGE_ERR_TIMEOUT);

    sedge_scope_begin(&s);
    CHECK_EQ_INT(sedge_scope_end(&s), SEDGE_OK);
    CHECK_EQ_INT(how[0], SEDGE_ERR_CANCELED);
    CHECK_EQ_INT(how[1], SEDGE_ERR_CANCELED);
    CHECK_EQ_INT(how[2], SEDGE_OK);
    return 0;
}

TEST(scope_ends_its_children)
{
    run(1, scopes, NULL);
}

struct spread {
    struct sedge_wait_group all;
    unsigned worker[4];
};
struct spread_part {
    struct spread *s;
    unsigned i;
};

static intptr_t note_worker(void *arg)
{
    struct spread_part *p = arg;
    p->s->worker[p->i] = sedge_rt_worker();
    sedge_wait_group_done(&p->s->all);
    return 0;
}

static intptr_t spread(void *arg)
{
    struct spread s;
    struct spread_part part[4];
    (void)arg;
    sedge_wait_group_init(&s.all, SEDGE_SHARED);
    sedge_wait_group_add(&s.all, 4);
    for (unsigned i = 0; i < 4; i++) {
        part[i] = (struct spread_part){&s, i};
        CHECK_EQ_INT(sedge_co_spawn_on(sedge_rt_current(), i % 2, note_worker, &part[i], "part"),
                     SEDGE_OK);
    }
    CHECK_EQ_INT(sedge_wait_group_wait(&s.all), SEDGE_OK);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ_UINT(s.worker[i], i % 2);
    return 0;
}

TEST(co_spawn_on_another_worker)
{
    run(2, spread, NULL);
}
