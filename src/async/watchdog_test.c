/* The watchdog is told apart from silence by what it reports, never by how long it took. */
#include "async/co_fixture.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

struct kennel {
    struct executor *ex;
    sem_t reported, ended;
    char name[32];
    unsigned worker;
    _Atomic int reports;
};

static void on_stuck(void *ctx, const struct stuck *s)
{
    struct kennel *k = ctx;
    if (s->ended) {
        CHECK(s->ns >= 5000000);
        sem_post(&k->ended);
        return;
    }
    (void)snprintf(k->name, sizeof(k->name), "%s", s->name);
    k->worker = s->worker;
    CHECK(s->ns >= 5000000);
    atomic_fetch_add(&k->reports, 1);
    sem_post(&k->reported);
}

static void open_kennel(struct kennel *k, unsigned workers)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = workers,
                                  .driver = "epoll",
                                  .offload_threads = 1,
                                  .stuck_ms = 5,
                                  .stuck = on_stuck,
                                  .stuck_ctx = k};
    struct error e = {0};
    *k = (struct kennel){0};
    sem_init(&k->reported, 0, 0);
    sem_init(&k->ended, 0, 0);
    REQUIRE(executor_new(&k->ex, &cfg, &e) == ERR_OK);
    for (unsigned i = 0; i < workers; i++)
        REQUIRE(co_enable(executor_worker(k->ex, i), 10) == ERR_OK);
}

static void close_kennel(struct kennel *k)
{
    executor_free(k->ex);
    sem_destroy(&k->reported);
    sem_destroy(&k->ended);
}

/* Blocks its worker until it has been reported. */
static intptr_t blocks(void *arg)
{
    struct kennel *k = arg;
    sem_wait(&k->reported);
    return 0;
}

TEST(a_coroutine_that_blocks_its_worker_is_reported_by_name)
{
    struct kennel k;
    open_kennel(&k, 2);
    CHECK_EQ_INT(co_run(k.ex, blocks, &k, "blocker", NULL), ERR_OK);
    close_kennel(&k);
    CHECK_EQ_STR(k.name, "blocker");
    CHECK_EQ_UINT(k.worker, 0);
    CHECK_EQ_INT(atomic_load(&k.reports), 1);
}

/* And again after it was idle: the watchdog had dozed. */
static intptr_t blocks_twice(void *arg)
{
    struct kennel *k = arg;
    for (int i = 0; i < 2; i++) {
        sem_wait(&k->reported);
        while (sem_trywait(&k->ended) != 0)
            REQUIRE(co_sleep_ms(1) == ERR_OK);
        REQUIRE(co_sleep_ms(20) == ERR_OK);
    }
    return 0;
}

TEST(each_stuck_poll_is_reported_once_and_its_end_too)
{
    struct kennel k;
    open_kennel(&k, 1);
    CHECK_EQ_INT(co_run(k.ex, blocks_twice, &k, "twice", NULL), ERR_OK);
    close_kennel(&k);
    CHECK_EQ_INT(atomic_load(&k.reports), 2);
}

struct stuck_task {
    struct task task;
    struct kennel *k;
};

static enum poll task_blocks(struct task *t)
{
    struct stuck_task *s = CONTAINER_OF(t, struct stuck_task, task);
    sem_wait(&s->k->reported);
    executor_stop(s->k->ex);
    return POLL_READY;
}

TEST(a_task_that_blocks_its_worker_is_reported_by_name)
{
    struct kennel k;
    open_kennel(&k, 1);
    struct stuck_task s = {.k = &k};
    task_init(&s.task, "heavy task", task_blocks, NULL);
    task_spawn(executor_worker(k.ex, 0), &s.task);
    executor_run(k.ex);
    close_kennel(&k);
    CHECK_EQ_STR(k.name, "heavy task");
}
