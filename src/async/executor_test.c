#include "async/executor.h"
#include "async/io.h"
#include "async/timer.h"
#include "tests/support/test.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const drivers[] = {"epoll", "io_uring"};

static struct executor *make(const char *driver, unsigned workers)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = workers,
                                  .driver = driver,
                                  .offload_threads = 2};
    struct executor *ex;
    struct error e = {0};
    if (executor_new(&ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    CHECK_EQ_STR(executor_driver(ex), driver);
    return ex;
}

/* A task that is polled until its count runs out, waking itself each time. */
struct counter {
    struct task task;
    int left, polls;
    bool finished;
    struct executor *stop; /* when it is ready */
};

static enum poll count_down(struct task *t)
{
    struct counter *c = CONTAINER_OF(t, struct counter, task);
    c->polls++;
    CHECK(worker_current() == t->worker);
    if (c->left-- <= 0)
        return POLL_READY;
    task_wake(t); /* while it runs, twice: it is queued once */
    task_wake(t);
    return POLL_PENDING;
}

static void counted(struct task *t)
{
    struct counter *c = CONTAINER_OF(t, struct counter, task);
    c->finished = true;
    if (c->stop)
        executor_stop(c->stop);
}

TEST(a_task_woken_while_it_runs_is_polled_again)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 1);
        struct counter c = {.left = 1000, .stop = ex};
        task_init(&c.task, "counter", count_down, counted);
        task_wake(&c.task); /* before the spawn: nothing */
        task_spawn(executor_worker(ex, 0), &c.task);
        executor_run(ex);
        CHECK(c.finished);
        CHECK_EQ_INT(c.polls, 1001);
        struct worker_stats s = worker_stats(executor_worker(ex, 0));
        CHECK_EQ_UINT(s.polls, 1001);
        CHECK_EQ_UINT(s.tasks, 0);
        executor_free(ex);
    }
}

/* Waits for ever, until it is canceled. */
static enum poll until_canceled(struct task *t)
{
    struct counter *c = CONTAINER_OF(t, struct counter, task);
    c->polls++;
    return t->canceled ? POLL_READY : POLL_PENDING;
}

struct canceler {
    struct counter waiting;
    struct timer timer;
    struct executor *ex;
};

static void cancel_now(struct timer *t)
{
    struct canceler *c = CONTAINER_OF(t, struct canceler, timer);
    task_cancel(&c->waiting.task);
}

TEST(a_canceled_task_is_polled_once_more)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 1);
        struct canceler c = {.ex = ex};
        c.waiting.stop = ex;
        task_init(&c.waiting.task, "waits", until_canceled, counted);
        task_spawn(executor_worker(ex, 0), &c.waiting.task);
        timer_init(&c.timer, executor_worker(ex, 0), cancel_now);
        timer_set_after_ms(&c.timer, 5);
        executor_run(ex);
        CHECK(c.waiting.finished);
        CHECK_EQ_INT(c.waiting.polls, 2);
        executor_free(ex);
    }
}

static void stop_at(struct timer *t)
{
    executor_stop(worker_executor(t->worker));
}

TEST(stop_cancels_what_is_left)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 2);
        struct counter c[20] = {0};
        struct timer t;
        for (unsigned k = 0; k < ARRAY_LEN(c); k++) {
            task_init(&c[k].task, "waits", until_canceled, counted);
            task_spawn(executor_worker(ex, k % 2), &c[k].task);
        }
        timer_init(&t, executor_worker(ex, 0), stop_at);
        timer_set_after_ms(&t, 5);
        executor_run(ex);
        for (unsigned k = 0; k < ARRAY_LEN(c); k++)
            CHECK(c[k].finished);
        executor_free(ex);
    }
}

TEST(an_idle_worker_sleeps)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 1);
        struct counter c = {0};
        struct timer t;
        task_init(&c.task, "waits", until_canceled, counted);
        task_spawn(executor_worker(ex, 0), &c.task);
        timer_init(&t, executor_worker(ex, 0), stop_at);
        timer_set_after_ms(&t, 300);
        executor_run(ex);
        struct worker_stats s = worker_stats(executor_worker(ex, 0));
        /* First poll, sleep, timer, wind-up. */
        CHECK_EQ_UINT(s.ticks <= 8 ? 0 : s.ticks, 0);
        CHECK_EQ_UINT(s.sleeps <= 5 ? 0 : s.sleeps, 0);
        CHECK_EQ_UINT(s.wakes_remote, 0);
        executor_free(ex);
    }
}

static void *stop_from_thread(void *arg)
{
    struct timespec ms = {.tv_nsec = 1000000};
    nanosleep(&ms, NULL);
    executor_stop(arg);
    return NULL;
}

TEST(stop_from_another_thread_ends_a_sleep)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 2);
        for (int round = 0; round < 20; round++) {
            pthread_t thread;
            REQUIRE(pthread_create(&thread, NULL, stop_from_thread, ex) == 0);
            executor_run(ex); /* it can run again after a stop */
            pthread_join(thread, NULL);
        }
        executor_free(ex);
    }
}

/* --- wakes from another thread --- */

enum { WAKERS = 3, WAKES = 20000 };

struct woken {
    struct task task;
    _Atomic int rung; /* how often it was rung in all, each time before the wake */
    int seen;         /* last value that a poll saw */
    struct executor *ex;
};

static enum poll see(struct task *t)
{
    struct woken *w = CONTAINER_OF(t, struct woken, task);
    w->seen = atomic_load_explicit(&w->rung, memory_order_relaxed);
    if (w->seen < WAKERS * WAKES)
        return POLL_PENDING;
    return POLL_READY;
}

static void all_seen(struct task *t)
{
    executor_stop(CONTAINER_OF(t, struct woken, task)->ex);
}

static void *ring(void *arg)
{
    struct woken *w = arg;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add_explicit(&w->rung, 1, memory_order_relaxed);
        task_wake(&w->task);
        if (i % 64 == 0) {
            struct timespec us = {.tv_nsec = 1000};
            nanosleep(&us, NULL);
        }
    }
    return NULL;
}

/* No wake is lost: if one were, the task would sleep for ever and the test would time out. */
TEST(no_wake_is_lost)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor *ex = make(drivers[i], 2);
        struct woken w = {.ex = ex};
        pthread_t threads[WAKERS];
        task_init(&w.task, "woken", see, all_seen);
        task_spawn(executor_worker(ex, 1), &w.task);
        for (int k = 0; k < WAKERS; k++)
            REQUIRE(pthread_create(&threads[k], NULL, ring, &w) == 0);
        executor_run(ex);
        for (int k = 0; k < WAKERS; k++)
            pthread_join(threads[k], NULL);
        CHECK_EQ_INT(w.seen, WAKERS * WAKES);
        executor_free(ex);
    }
}

/* --- the end --- */

struct last {
    struct executor *ex;
    struct task task;
    struct io_op op;
    struct worker_local local;
    int pipe[2];
    bool op_ended, freed;
};

static void last_op_ended(struct io_op *op, struct io_result r)
{
    CHECK_EQ_INT(r.res, -ECANCELED);
    CONTAINER_OF(op, struct last, op)->op_ended = true;
}

static enum poll last_begins(struct task *t)
{
    struct last *l = CONTAINER_OF(t, struct last, task);
    struct io_driver *io = worker_io(t->worker);
    l->op.done = last_op_ended;
    io->ops->poll(io, &l->op, l->pipe[0], POLLIN);
    executor_stop(l->ex);
    return POLL_READY;
}

static void last_freed(struct worker_local *local)
{
    struct last *l = CONTAINER_OF(local, struct last, local);
    CHECK(l->op_ended);
    l->freed = true;
}

TEST(what_a_layer_keeps_for_one_worker_outlives_the_operations_of_all)
{
    struct executor_config cfg = {
        .env = env_linux(), .workers = 2, .driver = "epoll", .offload_threads = 1};
    struct last l = {.local = {last_freed}};
    struct error e = {0};
    REQUIRE(pipe(l.pipe) == 0);
    REQUIRE(executor_new(&l.ex, &cfg, &e) == ERR_OK);
    worker_local_set(executor_worker(l.ex, 0), WORKER_LOCAL_NET, &l.local);
    task_init(&l.task, "last", last_begins, NULL);
    task_spawn(executor_worker(l.ex, 1), &l.task);
    executor_run(l.ex);
    CHECK(!l.op_ended);
    executor_free(l.ex);
    CHECK(l.freed);
    close(l.pipe[0]);
    close(l.pipe[1]);
}

/* ---- a task that is taken back ---- */

struct taken {
    struct task task;
    unsigned polls;
    struct executor *ex; /* to be stopped */
};

static enum poll count_and_stop(struct task *t)
{
    struct taken *x = CONTAINER_OF(t, struct taken, task);
    x->polls++;
    executor_stop(x->ex);
    return POLL_PENDING;
}

TEST(tasks_are_taken_back_between_two_runs)
{
    struct executor *ex;
    struct error e = {0};
    const struct executor_config cfg = {.workers = 2, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    for (unsigned w = 0; w < 2; w++) {
        struct taken waits = {.ex = ex}, scheduled = {.ex = ex}, other = {.ex = ex};
        LABEL("worker %u", w);
        task_init(&waits.task, "waits", count_and_stop, NULL);
        task_spawn(executor_worker(ex, w), &waits.task);
        executor_run(ex);
        size_t tasks = worker_stats(executor_worker(ex, w)).tasks;
        CHECK(waits.polls > 0);
        task_abandon(&waits.task);
        CHECK_EQ_UINT(worker_stats(executor_worker(ex, w)).tasks, tasks - 1);
        task_init(&scheduled.task, "scheduled", count_and_stop, NULL);
        task_init(&other.task, "other", count_and_stop, NULL);
        task_spawn(executor_worker(ex, w), &scheduled.task);
        task_spawn(executor_worker(ex, w), &other.task);
        task_abandon(&scheduled.task);
        task_abandon(&scheduled.task);       /* nothing is left to take back */
        memset(&waits, 0xee, sizeof(waits)); /* the next run does not look at it */
        executor_run(ex);
        CHECK_EQ_UINT(scheduled.polls, 0);
        CHECK(other.polls > 0);
        task_abandon(&other.task);
    }
    executor_free(ex);
}
