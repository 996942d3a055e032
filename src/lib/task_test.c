/* Tasks, forks, free coroutines and panics through the public headers; see rt_test.c. */
#include "tests/support/test.h"
#include <sedge/sedge.h>
#include <string.h>

static enum sedge_err run(unsigned workers, intptr_t (*fn)(void *arg), void *arg, intptr_t *result)
{
    struct sedge_rt_config cfg = {.workers = workers, .driver = "epoll", .coroutines_max = 4096};
    struct sedge_rt *rt = NULL;
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    enum sedge_err r = sedge_rt_run(rt, fn, arg, result);
    sedge_rt_free(rt);
    return r;
}

/* --- tasks --- */

struct counting {
    struct sedge_task task;
    struct sedge_waker waker;
    int polls, ends_at, finished;
    bool was_canceled, panics, panicked;
};

static enum sedge_poll count_poll(struct sedge_task *task)
{
    struct counting *c = (struct counting *)task;
    c->polls++;
    if (c->panics)
        sedge_panic("poll %d", c->polls);
    c->was_canceled = sedge_task_canceled(task);
    if (c->was_canceled || c->polls == c->ends_at)
        return SEDGE_READY;
    sedge_waker_wake(c->waker);
    return SEDGE_PENDING;
}

static void count_finished(struct sedge_task *task)
{
    struct counting *c = (struct counting *)task;
    c->panicked = sedge_task_panicked(task);
    c->finished++;
    sedge_waker_wake(c->waker);
}

static void count_until(struct counting *c, int polls, int finished)
{
    while (c->polls < polls || c->finished < finished)
        CHECK_EQ_INT(sedge_co_wait_woken(), SEDGE_OK);
}

static intptr_t tasks(void *arg)
{
    struct sedge_rt *rt = sedge_rt_current();
    (void)arg;
    for (int i = 0; i < 4; i++) {
        static const char *const labels[] = {"woken", "canceled", "free", "panics"};
        struct counting c = {.waker = sedge_co_waker(sedge_co_current()), .panics = i == 3};
        LABEL("%s", labels[i]);
        c.ends_at = i == 1 ? 100 : 3;
        sedge_task_init(&c.task, "counting", count_poll, count_finished);
        sedge_task_contain(&c.task);
        if (i == 2)
            sedge_task_spawn_free(rt, &c.task);
        else
            CHECK_EQ_INT(sedge_task_spawn(rt, 0, &c.task), SEDGE_OK);
        for (int polls = 1; polls < 3 && i != 3; polls++) {
            count_until(&c, polls, 0);
            if (i == 1)
                sedge_task_cancel(&c.task);
            else
                sedge_task_wake(&c.task);
        }
        count_until(&c, 0, 1);
        CHECK_EQ_INT(c.finished, 1);
        CHECK_EQ_INT(c.was_canceled, i == 1);
        CHECK_EQ_INT(c.panicked, i == 3);
        CHECK_EQ_INT(c.polls, i == 3 ? 1 : i == 1 ? 2 : 3);
        CHECK_EQ_INT(sedge_task_spawn(rt, 1, &c.task), SEDGE_ERR_RANGE);
    }
    return 0;
}

TEST(tasks_are_polled_until_they_are_ready)
{
    CHECK_EQ_INT(run(1, tasks, NULL, NULL), SEDGE_OK);
}

/* --- forks --- */

struct part {
    struct sedge_fork fork;
    int n, result;
};

static int fib(int n, struct sedge_lane *lane);

static void fib_part(struct sedge_fork *fork, struct sedge_lane *lane)
{
    struct part *p = (struct part *)fork;
    p->result = fib(p->n, lane);
}

static int fib(int n, struct sedge_lane *lane)
{
    struct part right = {.n = n - 1};
    if (n < 2)
        return n;
    sedge_fork_begin(lane, &right.fork, fib_part);
    int left = fib(n - 2, lane);
    sedge_fork_join(lane, &right.fork);
    return left + right.result;
}

static intptr_t fib_main(void *arg)
{
    return fib(*(int *)arg, sedge_fork_lane());
}

TEST(forks_are_joined)
{
    int n = 20;
    intptr_t result = 0;
    CHECK_EQ_INT(run(2, fib_main, &n, &result), SEDGE_OK);
    CHECK_EQ_INT(result, 6765);
}

/* --- free coroutines --- */

static intptr_t add_one(void *arg)
{
    return *(int *)arg + 1;
}

static intptr_t free_ones(void *arg)
{
    enum { MANY = 100 };
    struct sedge_co *co[MANY];
    struct sedge_scope scope;
    int n[MANY];
    intptr_t sum = 0;
    (void)arg;
    for (int i = 0; i < MANY; i++) {
        n[i] = i;
        CHECK_EQ_INT(sedge_co_spawn_free(&co[i], add_one, &n[i], "free"), SEDGE_OK);
    }
    for (int i = 0; i < MANY; i++) {
        intptr_t result = 0;
        CHECK_EQ_INT(sedge_co_join(co[i], &result), SEDGE_OK);
        sum += result;
    }
    sedge_scope_begin(&scope);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ_INT(sedge_scope_spawn_free(&scope, add_one, &n[i], "child"), SEDGE_OK);
    CHECK_EQ_INT(sedge_scope_end(&scope), SEDGE_OK);
    CHECK_EQ_INT(sum, MANY * (MANY + 1) / 2);
    return 0;
}

TEST(free_coroutines_are_joined)
{
    CHECK_EQ_INT(run(2, free_ones, NULL, NULL), SEDGE_OK);
    CHECK_EQ_INT(sedge_co_spawn_free(NULL, add_one, NULL, "nowhere"), SEDGE_ERR_INVALID);
}

/* --- panics --- */

static void note(void *arg)
{
    char *text = arg;
    strncat(text, "d", 7 - strlen(text));
}

static intptr_t defer_and_panic(void *arg)
{
    struct sedge_defer d[2];
    sedge_defer(&d[0], note, arg);
    sedge_defer(&d[1], note, arg);
    sedge_undefer(&d[1]);
    sedge_panic("a bug, %d of %s", 1, "many");
}

static intptr_t misuse(void *arg)
{
    struct sedge_mutex m;
    (void)arg;
    sedge_co_contain();
    sedge_mutex_init(&m, SEDGE_LOCAL);
    sedge_mutex_unlock(&m);
    return 0;
}

static void keep_text(void *ctx, enum sedge_log_level level, const char *part, const char *text)
{
    char *kept = ctx;
    (void)level, (void)part;
    size_t n = strlen(text);
    n = n < 127 ? n : 127;
    memcpy(kept, text, n);
    kept[n] = 0;
}

static intptr_t panics(void *arg)
{
    char notes[8] = "", said[128] = "";
    struct sedge_co *co;
    struct sedge_scope scope;
    (void)arg;
    sedge_log_to(SEDGE_LOG_INFO, keep_text, said);
    CHECK_EQ_INT(sedge_co_spawn(&co, defer_and_panic, notes, "buggy"), SEDGE_OK);
    CHECK_EQ_INT(sedge_co_join(co, NULL), SEDGE_ERR_PANIC);
    CHECK_EQ_STR(notes, "dd");
    CHECK_HAS_STR(said, "'buggy' panicked: a bug, 1 of many");
    CHECK_EQ_INT(sedge_co_spawn(&co, misuse, NULL, "misuse"), SEDGE_OK);
    CHECK_EQ_INT(sedge_co_join(co, NULL), SEDGE_ERR_PANIC);
    CHECK_HAS_STR(said, "assertion failed");
    sedge_scope_begin(&scope);
    CHECK_EQ_INT(sedge_scope_spawn(&scope, defer_and_panic, notes, "child"), SEDGE_OK);
    CHECK_EQ_INT(sedge_scope_end(&scope), SEDGE_ERR_PANIC);
    sedge_log_to(SEDGE_LOG_INFO, NULL, NULL);
    return 0;
}

TEST(panics_end_one_coroutine)
{
    CHECK_EQ_INT(run(1, panics, NULL, NULL), SEDGE_OK);
}

static intptr_t panic_in_main(void *arg)
{
    (void)arg;
    sedge_panic("no more");
}

TEST(panic_of_the_main_coroutine_is_told)
{
    CHECK_EQ_INT(run(1, panic_in_main, NULL, NULL), SEDGE_ERR_PANIC);
    CHECK_EQ_INT(sedge_main(NULL, panic_in_main, NULL), 1);
}

static void panic_outside(void *arg)
{
    sedge_panic("%s", (const char *)arg);
}

TEST(panic_outside_ends_the_process)
{
    CHECK_ABORTS(panic_outside, "nowhere");
}
