#include "async/channel.h"
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/fork.h"
#include "async/panic.h"
#include "async/scope.h"
#include "base/log.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What was logged as an error. */
static char logged[1024];

static void keep(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx;
    (void)part;
    if (level == LOG_ERROR)
        (void)snprintf(logged, sizeof(logged), "%s", text);
}

static void begin_log(void)
{
    logged[0] = '\0';
    log_set_sink(keep, NULL);
}

/* --- coroutines --- */

static void note(void *arg)
{
    (void)snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s ",
                   (const char *)arg);
}

static volatile int answer = 42;

static int deep(int n)
{
    volatile char pad[256];
    pad[0] = (char)n;
    if (n == 0 && answer == 42)
        task_panic("no way on with %d", answer);
    return n == 0 ? 0 : deep(n - 1) + pad[0];
}

static intptr_t panics(void *arg)
{
    (void)arg;
    co_yield ();
    return deep(20);
}

static intptr_t joins_panic(void *arg)
{
    intptr_t x = 5;
    struct co *c;
    enum err (*spawn)(struct co **, intptr_t(*)(void *), void *, const char *) = arg;
    for (int i = 0; i < 50; i++) { /* stacks and structs are used again */
        enum err r = spawn ? spawn(&c, panics, NULL, "unlucky")
                           : co_spawn(&c, worker_current(), panics, NULL, "unlucky");
        REQUIRE(r == ERR_OK);
        CHECK_EQ_INT(co_join(c, &x), ERR_PANIC);
    }
    CHECK_EQ_INT(x, 5);
    return 0;
}

TEST(a_panic_ends_one_coroutine_and_tells_its_joiner)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        LABEL("%u workers", workers);
        begin_log();
        co_fixture_run(workers, joins_panic, NULL);
        CHECK_EQ_STR(logged, "the coroutine 'unlucky' panicked: no way on with 42");
        co_fixture_run(workers, joins_panic, (void *)co_spawn_free);
        log_set_sink(NULL, NULL);
    }
}

static intptr_t sleeps(void *arg)
{
    *(enum err *)arg = co_sleep_ms(1000000);
    return 0;
}

/* Its child uses its stack, so the child's end comes first. */
static intptr_t opens_scope_and_panics(void *arg)
{
    enum err child = ERR_OK;
    struct scope s;
    struct co_defer d;
    co_defer(&d, note, "deferred");
    scope_begin(&s);
    REQUIRE(scope_spawn(&s, sleeps, &child, "child") == ERR_OK);
    REQUIRE(scope_spawn_free(&s, sleeps, &child, "child") == ERR_OK);
    co_yield ();
    (void)arg;
    task_panic("with a child");
}

static intptr_t scope_of_panic(void *arg)
{
    struct scope s;
    enum err sibling = ERR_OK;
    (void)arg;
    scope_begin(&s);
    REQUIRE(scope_spawn(&s, sleeps, &sibling, "sibling") == ERR_OK);
    REQUIRE(scope_spawn(&s, opens_scope_and_panics, NULL, "opener") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_PANIC);
    CHECK_EQ_INT(sibling, ERR_CANCELED);
    scope_begin(&s);
    REQUIRE(scope_spawn_free(&s, sleeps, &sibling, "sibling") == ERR_OK);
    REQUIRE(scope_spawn_free(&s, opens_scope_and_panics, NULL, "opener") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_PANIC);
    return 0;
}

TEST(a_panic_cancels_the_scope_and_waits_for_its_own_children)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        LABEL("%u workers", workers);
        begin_log();
        co_fixture_run(workers, scope_of_panic, NULL);
        CHECK(strstr(logged, "deferred") != NULL);
        log_set_sink(NULL, NULL);
    }
}

static intptr_t defers(void *arg)
{
    struct co_defer a, b, c;
    (void)arg;
    co_defer(&a, note, "a");
    co_defer(&b, note, "b");
    co_defer(&c, note, "c");
    co_undefer(&c);
    if (arg)
        task_panic("before the end");
    co_undefer(&b);
    note("end");
    co_undefer(&a);
    return 0;
}

static intptr_t join_defers(void *arg)
{
    struct co *c;
    (void)arg;
    REQUIRE(co_spawn(&c, worker_current(), defers, arg, "defers") == ERR_OK);
    CHECK_EQ_INT(co_join(c, NULL), arg ? ERR_PANIC : ERR_OK);
    return 0;
}

TEST(what_is_deferred_is_done_in_any_case_the_last_first)
{
    logged[0] = '\0';
    co_fixture_run(1, join_defers, NULL);
    CHECK_EQ_STR(logged, "c b end a ");
    begin_log();
    co_fixture_run(1, join_defers, logged);
    log_set_sink(NULL, NULL);
    CHECK_EQ_STR(logged, "the coroutine 'defers' panicked: before the endb a ");
}

static intptr_t contains(void *arg)
{
    co_contain();
    ASSERT(arg != NULL);
    return 0;
}

static intptr_t join_contained(void *arg)
{
    struct co *c;
    (void)arg;
    for (int i = 0; i < 3; i++) {
        REQUIRE(co_spawn(&c, worker_current(), contains, NULL, "contains") == ERR_OK);
        CHECK_EQ_INT(co_join(c, NULL), ERR_PANIC);
    }
    return 0;
}

TEST(a_contained_assertion_ends_one_coroutine)
{
    begin_log();
    co_fixture_run(1, join_contained, NULL);
    log_set_sink(NULL, NULL);
    CHECK(strstr(logged, "the coroutine 'contains' panicked: ") != NULL);
    CHECK(strstr(logged, "assertion failed: arg != NULL") != NULL);
}

/* --- tasks --- */

struct fragile {
    struct task task;
    struct executor *ex;
    bool finished;
    int polls;
};

static enum poll breaks(struct task *t)
{
    struct fragile *f = CONTAINER_OF(t, struct fragile, task);
    if (++f->polls == 2)
        ASSERT(f->polls != 2);
    task_wake(t);
    return POLL_PENDING;
}

static void broke(struct task *t)
{
    struct fragile *f = CONTAINER_OF(t, struct fragile, task);
    f->finished = true;
    executor_stop(f->ex);
}

TEST(a_contained_task_is_finished_by_its_bug)
{
    struct fragile f = {.ex = co_fixture_executor(1)};
    begin_log();
    task_init(&f.task, "fragile", breaks, broke);
    task_contain(&f.task);
    task_spawn(executor_worker(f.ex, 0), &f.task);
    executor_run(f.ex);
    log_set_sink(NULL, NULL);
    CHECK(f.finished && f.task.panicked);
    CHECK_EQ_INT(f.polls, 2);
    CHECK(strstr(logged, "the task 'fragile' panicked: ") != NULL);
    executor_free(f.ex);
}

/* What a process that runs fn as a coroutine or task wrote on its way to SIGABRT. */
static void dies(void (*run)(void), char *out, size_t size)
{
    int fds[2], status = 0;
    REQUIRE(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(fds[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        run();
        _exit(0);
    }
    (void)close(fds[1]);
    size_t n = 0;
    ssize_t got;
    while (n + 1 < size && (got = read(fds[0], out + n, size - 1 - n)) > 0)
        n += (size_t)got;
    out[n] = '\0';
    (void)close(fds[0]);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void run_uncontained(void)
{
    struct fragile f = {.ex = co_fixture_executor(1)};
    task_init(&f.task, "fragile", breaks, broke);
    task_spawn(executor_worker(f.ex, 0), &f.task);
    executor_run(f.ex);
}

static intptr_t asserts(void *arg)
{
    ASSERT(arg != NULL);
    return 0;
}

static void run_assertion(void)
{
    co_fixture_run(1, asserts, NULL);
}

TEST(an_assertion_that_nobody_contains_names_the_task_and_ends_the_process)
{
    char out[4096];
    dies(run_uncontained, out, sizeof(out));
    CHECK(strstr(out, "worker 0 was running 'fragile'") != NULL);
    CHECK(strstr(out, "assertion failed: f->polls != 2") != NULL);
    dies(run_assertion, out, sizeof(out));
    CHECK(strstr(out, "worker 0 was running 'test'") != NULL);
}

/* --- with forks --- */

struct chore {
    struct fork fork;
    struct chore *inner; /* NULL: it panics */
};

static void await_taken(const struct chore *c)
{
    while (atomic_load(&c->fork.state) == FORK_OPEN)
        continue;
}

static void do_chore(struct fork *f, struct fork_lane *lane)
{
    struct chore *c = CONTAINER_OF(f, struct chore, fork);
    if (!c->inner)
        task_panic("in a fork");
    fork_begin(lane, &c->inner->fork, do_chore);
    await_taken(c->inner); /* by the one who waits for this one */
    fork_join(lane, &c->inner->fork);
}

static intptr_t panics_with_a_fork_open(void *arg)
{
    struct chore c = {.inner = NULL};
    (void)arg;
    fork_begin(fork_lane(), &c.fork, do_chore);
    task_panic("with a fork open");
}

static intptr_t panics_while_another_runs_its_fork(void *arg)
{
    struct chore inner = {.inner = NULL}, c = {.inner = &inner};
    (void)arg;
    fork_begin(fork_lane(), &c.fork, do_chore);
    await_taken(&c); /* it waits in vain for somebody to take the inner one */
    task_panic("with a fork elsewhere");
}

static intptr_t panics_for_another(void *arg)
{
    struct chore inner = {.inner = NULL}, c = {.inner = &inner};
    (void)arg;
    fork_begin(fork_lane(), &c.fork, do_chore);
    await_taken(&c);
    fork_join(fork_lane(), &c.fork); /* takes the inner one back and panics in it */
    return 0;
}

static void run_fork_open(void)
{
    co_fixture_run(1, panics_with_a_fork_open, NULL);
}
static void run_fork_elsewhere(void)
{
    co_fixture_run(2, panics_while_another_runs_its_fork, NULL);
}
static void run_fork_of_another(void)
{
    co_fixture_run(2, panics_for_another, NULL);
}

TEST(a_panic_with_forks_open_ends_the_process)
{
    static const struct {
        const char *label;
        void (*run)(void);
        const char *says;
    } rows[] = {
        {"its own, not begun", run_fork_open, "panic in test: with a fork open"},
        {"its own, under way elsewhere", run_fork_elsewhere,
         "panic in test: with a fork elsewhere"},
        {"of another, in its coroutine", run_fork_of_another, "panic in test: in a fork"},
    };
    char out[4096];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        dies(rows[i].run, out, sizeof(out));
        CHECK_HAS_STR(out, rows[i].says);
    }
}
