/* The pitfalls that tasks and workers have, by number: docs/pitfalls.md. */
#include "async/executor.h"
#include "async/offload.h"
#include "tests/support/test.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct executor *make(unsigned workers)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = workers,
                                  .driver = "epoll",
                                  .offload_threads = 1};
    struct executor *ex = NULL;
    struct error e = {0};
    REQUIRE(CHECK_EQ_INT(executor_new(&ex, &cfg, &e), ERR_OK));
    return ex;
}

/* --- 2: woken while it runs, however often, a task is polled once more --- */

struct twice {
    struct task task;
    struct executor *ex;
    int polls;
};

static enum poll wake_twice(struct task *t)
{
    struct twice *w = CONTAINER_OF(t, struct twice, task);
    if (atomic_load(&t->canceled))
        return POLL_READY;
    if (++w->polls == 1) {
        task_wake(t);
        task_wake(t);
    } else {
        executor_stop(w->ex);
    }
    return POLL_PENDING;
}

TEST(pitfall_02_woken_while_it_runs_it_is_queued_once)
{
    struct twice w = {.ex = make(1)};
    task_init(&w.task, "twice", wake_twice, NULL);
    task_spawn(executor_worker(w.ex, 0), &w.task);
    executor_run(w.ex);
    CHECK_EQ_INT(w.polls, 2);
    /* And one for the end: no third is left in a queue. */
    CHECK_EQ_UINT(worker_stats(executor_worker(w.ex, 0)).polls, 3);
    executor_free(w.ex);
}

/* --- 7: a task that is always ready keeps nobody waiting who comes from outside --- */

enum { TURNS = 1000 };

struct hog {
    struct task task, other;
    struct executor *ex;
    int polls, polls_at_other;
};

static enum poll other_poll(struct task *t)
{
    struct hog *h = CONTAINER_OF(t, struct hog, other);
    h->polls_at_other = h->polls;
    return POLL_READY;
}

static void *inject(void *arg)
{
    struct hog *h = arg;
    task_spawn_free(h->ex, &h->other);
    return NULL;
}

static enum poll hog_poll(struct task *t)
{
    struct hog *h = CONTAINER_OF(t, struct hog, task);
    pthread_t thread;
    if (h->polls++ == 0) {
        REQUIRE(pthread_create(&thread, NULL, inject, h) == 0);
        pthread_join(thread, NULL);
    }
    if (h->polls == TURNS) {
        executor_stop(h->ex);
        return POLL_READY;
    }
    task_wake(t);
    return POLL_PENDING;
}

TEST(pitfall_07_who_is_always_ready_starves_nobody)
{
    struct hog h = {.ex = make(1), .polls_at_other = TURNS};
    task_init(&h.task, "hog", hog_poll, NULL);
    task_init(&h.other, "other", other_poll, NULL);
    task_spawn_free(h.ex, &h.task);
    executor_run(h.ex);
    CHECK(h.polls_at_other < TURNS / 2);
    executor_free(h.ex);
}

/* --- 12: a write to a peer that is gone is an error, not the end of the process --- */

TEST(pitfall_12_a_broken_pipe_is_an_error)
{
    int fds[2];
    signal(SIGPIPE, SIG_DFL); /* whatever tests before this one have done */
    struct executor *ex = make(1);
    REQUIRE(pipe(fds) == 0);
    close(fds[0]);
    CHECK_EQ_INT(write(fds[1], "x", 1), -1);
    CHECK_EQ_INT(errno, EPIPE);
    close(fds[1]);
    executor_free(ex);
}

/* --- 13: what blocks does so on a thread of its own, and the worker goes on --- */

struct blocking {
    struct offload_job job;
    struct task task;
    struct executor *ex;
    pthread_t worker_thread;
    pthread_mutex_t lock;
    pthread_cond_t polled;
    bool was_polled, ran_elsewhere, done;
};

static void block_until_polled(struct offload_job *j)
{
    struct blocking *b = CONTAINER_OF(j, struct blocking, job);
    b->ran_elsewhere = !pthread_equal(pthread_self(), b->worker_thread);
    pthread_mutex_lock(&b->lock);
    while (b->ran_elsewhere && !b->was_polled)
        pthread_cond_wait(&b->polled, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static void blocking_done(struct offload_job *j)
{
    struct blocking *b = CONTAINER_OF(j, struct blocking, job);
    b->done = true;
    executor_stop(b->ex);
}

static enum poll unblock(struct task *t)
{
    struct blocking *b = CONTAINER_OF(t, struct blocking, task);
    pthread_mutex_lock(&b->lock);
    b->was_polled = true;
    pthread_cond_signal(&b->polled);
    pthread_mutex_unlock(&b->lock);
    return POLL_READY;
}

TEST(pitfall_13_what_blocks_does_not_block_the_worker)
{
    struct blocking b = {.ex = make(1), .worker_thread = pthread_self()};
    struct offload_queue *q;
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.polled, NULL);
    b.job = (struct offload_job){.run = block_until_polled, .done = blocking_done};
    REQUIRE(offload_queue_new(&q, b.ex, 1, 1) == ERR_OK);
    REQUIRE(offload_submit(q, executor_worker(b.ex, 0), &b.job) == ERR_OK);
    task_init(&b.task, "unblock", unblock, NULL);
    task_spawn(executor_worker(b.ex, 0), &b.task);
    executor_run(b.ex);
    CHECK(b.ran_elsewhere);
    CHECK(b.done);
    offload_queue_free(q);
    executor_free(b.ex);
    pthread_cond_destroy(&b.polled);
    pthread_mutex_destroy(&b.lock);
}

/* --- 15: a stop cancels what waits, hands back what was offloaded, and a late wake does nothing
 * --- */

struct last {
    struct task task;
    struct offload_job job;
    int polls, finished, handed_back;
};

static enum poll until_canceled(struct task *t)
{
    CONTAINER_OF(t, struct last, task)->polls++;
    return atomic_load(&t->canceled) ? POLL_READY : POLL_PENDING;
}

static void last_finished(struct task *t)
{
    CONTAINER_OF(t, struct last, task)->finished++;
}

static void job_nothing(struct offload_job *j)
{
    (void)j;
}

static void job_back(struct offload_job *j)
{
    CONTAINER_OF(j, struct last, job)->handed_back++;
}

TEST(pitfall_15_a_stop_winds_up_in_order)
{
    struct last l = {.job = {.run = job_nothing, .done = job_back}};
    struct offload_queue *q;
    struct executor *ex = make(1);
    task_init(&l.task, "last", until_canceled, last_finished);
    task_spawn(executor_worker(ex, 0), &l.task);
    executor_stop(ex); /* the run winds up at once */
    executor_run(ex);
    CHECK_EQ_INT(l.finished, 1);
    int polls = l.polls;
    task_wake(&l.task); /* late */
    REQUIRE(offload_queue_new(&q, ex, 1, 1) == ERR_OK);
    REQUIRE(offload_submit(q, executor_worker(ex, 0), &l.job) == ERR_OK);
    offload_drain(q); /* no loop runs any more */
    CHECK_EQ_INT(l.handed_back, 1);
    executor_stop(ex);
    executor_run(ex);
    CHECK_EQ_INT(l.polls, polls);
    CHECK_EQ_INT(l.finished, 1);
    offload_queue_free(q);
    executor_free(ex);
}
