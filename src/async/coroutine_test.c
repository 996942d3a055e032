#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/sync.h"
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static intptr_t twice(void *arg)
{
    return 2 * (intptr_t)arg;
}

static intptr_t spawn_and_join(void *arg)
{
    struct co *c[100];
    (void)arg;
    for (intptr_t i = 0; i < 100; i++)
        REQUIRE(co_spawn(&c[i], worker_current(), twice, (void *)i, "twice") == ERR_OK);
    for (intptr_t i = 100; i-- > 0;) {
        intptr_t result = -1;
        CHECK_EQ_INT(co_join(c[i], &result), ERR_OK);
        CHECK_EQ_INT(result, 2 * i);
    }
    return 7;
}

TEST(a_join_brings_the_result)
{
    CHECK_EQ_INT(co_fixture_run(1, spawn_and_join, NULL), 7);
}

/* --- yield: in turns, registers and control words kept --- */

struct turns {
    char text[64];
    size_t len;
};

static intptr_t say_a(void *arg)
{
    struct turns *t = arg;
    for (int i = 0; i < 4; i++) {
        t->text[t->len++] = 'a';
        co_yield ();
    }
    return 0;
}

static intptr_t say_b(void *arg)
{
    struct turns *t = arg;
    for (int i = 0; i < 4; i++) {
        t->text[t->len++] = 'b';
        co_yield ();
    }
    return 0;
}

static intptr_t take_turns(void *arg)
{
    struct co *a, *b;
    REQUIRE(co_spawn(&a, worker_current(), say_a, arg, "a") == ERR_OK);
    REQUIRE(co_spawn(&b, worker_current(), say_b, arg, "b") == ERR_OK);
    CHECK_EQ_INT(co_join(a, NULL), ERR_OK);
    CHECK_EQ_INT(co_join(b, NULL), ERR_OK);
    return 0;
}

TEST(yield_takes_turns)
{
    struct turns t = {0};
    co_fixture_run(1, take_turns, &t);
    CHECK_EQ_STR(t.text, "abababab");
}

static intptr_t round_upwards(void *arg)
{
    volatile double one = 1, three = 3;
    (void)arg;
    fesetround(FE_UPWARD);
    double before = one / three;
    co_yield ();
    CHECK_EQ_INT(fegetround(), FE_UPWARD);
    CHECK(one / three == before);
    return 0;
}

static intptr_t rounding(void *arg)
{
    struct co *c;
    (void)arg;
    REQUIRE(co_spawn(&c, worker_current(), round_upwards, NULL, "up") == ERR_OK);
    co_yield ();
    CHECK_EQ_INT(fegetround(), FE_TONEAREST);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    CHECK_EQ_INT(fegetround(), FE_TONEAREST);
    return 0;
}

TEST(a_switch_keeps_the_rounding_of_each)
{
    co_fixture_run(1, rounding, NULL);
}

/* --- wakes --- */

/* The struct stays until the wake has come. */
static intptr_t end_woken(void *arg)
{
    (void)arg;
    task_wake(&co_current()->task);
    return 0;
}

static intptr_t late_wakes(void *arg)
{
    struct co *c;
    (void)arg;
    for (int i = 0; i < 10; i++) {
        REQUIRE(co_spawn(&c, worker_current(), end_woken, NULL, "late") == ERR_OK);
        if (i % 2)
            co_detach(c);
        else
            CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    }
    CHECK_EQ_INT(co_sleep_ms(2), ERR_OK);
    CHECK_EQ_UINT(co_sched_of(worker_current())->pool.in_use, 1);
    return 0;
}

TEST(a_wake_may_come_after_the_end)
{
    co_fixture_run(1, late_wakes, NULL);
}

/* --- overflow --- */

static int overflow_by(intptr_t depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return (depth > 0 ? overflow_by(depth - 1) : 0) + frame[0];
}

static intptr_t overflow(void *arg)
{
    return overflow_by((intptr_t)arg);
}

static void overflow_in_child(int to, unsigned worker, intptr_t depth)
{
    dup2(to, STDERR_FILENO);
    struct executor *ex = co_fixture_executor(worker + 1);
    if (co_spawn_at(executor_worker(ex, worker), overflow, (void *)depth, "digger") != ERR_OK)
        _exit(1);
    executor_run(ex);
    _exit(0);
}

static void overflow_on(unsigned worker)
{
    int fds[2], status = 0;
    char text[512] = "";
    size_t len = 0;
    ssize_t n;
    REQUIRE(pipe(fds) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        overflow_in_child(fds[1], worker, 1000000);
    close(fds[1]);
    while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    close(fds[0]);
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_HAS_STR(text, "coroutine 'digger' has overflowed its stack");
}
TEST(an_overflow_is_reported_with_the_name)
{
    for (unsigned worker = 0; worker < 2; worker++) {
        LABEL("worker %u", worker);
        overflow_on(worker);
    }
}

/* --- limits, other threads, the end --- */

static intptr_t sleeps_long(void *arg)
{
    CHECK_EQ_INT(co_sleep_ms(1000000), ERR_CANCELED);
    CHECK(co_canceled());
    co_shield_begin();
    CHECK(!co_canceled());
    CHECK_EQ_INT(co_sleep_ms(1), ERR_OK); /* to wind up */
    co_shield_end();
    *(int *)arg += 1;
    return 0;
}

static intptr_t fill_up(void *arg)
{
    static struct co *c[FIXTURE_COROUTINES];
    struct co *one_more;
    size_t n = 0;
    int ended = 0;
    enum err r;
    (void)arg;
    while ((r = co_spawn(&c[n], worker_current(), sleeps_long, &ended, "sleeps")) == ERR_OK)
        n++;
    CHECK_EQ_INT(r, ERR_FULL);
    CHECK_EQ_UINT(n, FIXTURE_COROUTINES - 1);
    CHECK_EQ_INT(co_spawn(&one_more, worker_current(), twice, NULL, "no"), ERR_FULL);
    co_yield ();
    for (size_t i = 0; i < n; i++)
        co_cancel(c[i]);
    for (size_t i = 0; i < n; i++)
        CHECK_EQ_INT(co_join(c[i], NULL), ERR_OK);
    CHECK_EQ_INT(ended, (intptr_t)n);
    CHECK_EQ_INT(co_spawn(&one_more, worker_current(), twice, NULL, "yes"), ERR_OK);
    CHECK_EQ_INT(co_join(one_more, NULL), ERR_OK);
    return 0;
}

TEST(coroutines_are_bounded_and_canceled_before_the_first_turn)
{
    co_fixture_run(1, fill_up, NULL);
}

struct remote {
    struct wait_group group;
    _Atomic int ran;
    struct worker *on;
};

static intptr_t run_remote(void *arg)
{
    struct remote *r = arg;
    CHECK(worker_current() == r->on);
    atomic_fetch_add(&r->ran, 1);
    wait_group_done(&r->group);
    return 0;
}

static intptr_t spawn_remote(void *arg)
{
    struct remote *r = arg;
    r->on = co_fixture_worker(1);
    for (int i = 0; i < 200; i++) {
        wait_group_add(&r->group, 1);
        REQUIRE(co_spawn_at(r->on, run_remote, r, "remote") == ERR_OK);
    }
    CHECK_EQ_INT(wait_group_wait(&r->group), ERR_OK);
    return 0;
}

TEST(a_coroutine_can_be_spawned_on_another_worker)
{
    struct remote r = {0};
    wait_group_init(&r.group, REACH_ANY);
    co_fixture_run(2, spawn_remote, &r);
    CHECK_EQ_INT(atomic_load(&r.ran), 200);
}

static intptr_t waits_for_ever(void *arg)
{
    (void)arg;
    co_shield_begin();
    while (co_wait_woken() == ERR_OK)
        ;
    return 0;
}

TEST(what_was_spawned_elsewhere_and_never_ran_is_dropped)
{
    struct executor *ex = co_fixture_executor(2);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ_INT(co_spawn_at(executor_worker(ex, i), overflow, NULL, "late"), ERR_OK);
    executor_free(ex); /* the leak sanitizer would tell */
}
TEST(what_still_waits_at_the_end_is_dropped)
{
    struct executor *ex = co_fixture_executor(1);
    struct worker *w = executor_worker(ex, 0);
    int ended = 0;
    struct co_fixture f = {.ex = ex, .fn = twice};
    REQUIRE(co_spawn(NULL, w, waits_for_ever, NULL, "for ever") == ERR_OK);
    REQUIRE(co_spawn_at(w, waits_for_ever, NULL, "for ever") == ERR_OK);
    REQUIRE(co_spawn_at(w, co_fixture_main, &f, "stop") == ERR_OK);
    executor_run(ex);
    CHECK_EQ_INT(ended, 0);
    CHECK_EQ_UINT(worker_stats(w).tasks, 3); /* two and the pump */
    executor_free(ex);
}

TEST(stop_cancels_coroutines)
{
    struct executor *ex = co_fixture_executor(1);
    struct worker *w = executor_worker(ex, 0);
    struct co_fixture f = {.ex = ex, .fn = twice};
    struct co *c;
    REQUIRE(co_spawn(&c, w, spawn_and_join, NULL, "x") == ERR_OK);
    REQUIRE(co_spawn(NULL, w, co_fixture_main, &f, "stop") == ERR_OK);
    executor_run(ex);
    CHECK_EQ_INT(c->phase, CO_DONE); /* what became runnable was run */
    executor_free(ex);
}

TEST(coroutines_without_memory_say_so)
{
    for (uint64_t n = 0;; n++) {
        LABEL("allocation %llu", (unsigned long long)n);
        struct alloc_faulty f;
        struct executor *ex;
        struct error e = {0};
        alloc_faulty_init(&f, UINT64_MAX);
        struct executor_config cfg = {
            .alloc = &f.alloc, .workers = 1, .driver = "epoll", .offload_threads = 1};
        REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
        f.fail_at = f.count + n;
        enum err r = co_enable(executor_worker(ex, 0), 10);
        struct co *c;
        if (!r)
            r = co_spawn(&c, executor_worker(ex, 0), twice, NULL, "x");
        bool failed = f.failed;
        f.fail_at = UINT64_MAX;
        executor_free(ex);
        CHECK_EQ_UINT(f.live_bytes, 0);
        CHECK_EQ_INT(r, failed ? ERR_NOMEM : ERR_OK);
        if (!failed)
            break;
    }
    LABEL("not enabled");
    struct executor_config cfg = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    struct executor *ex;
    struct error e = {0};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    CHECK_EQ_INT(co_spawn(NULL, executor_worker(ex, 0), twice, NULL, "x"), ERR_INVALID);
    CHECK_EQ_INT(co_spawn_at(executor_worker(ex, 0), twice, NULL, "x"), ERR_INVALID);
    executor_free(ex);
}
