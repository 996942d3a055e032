#include "async/offload.h"
#include "tests/support/test.h"
#include <pthread.h>

static struct executor *make(unsigned workers, unsigned threads)
{
    struct executor_config cfg = {
        .alloc = alloc_system(), .workers = workers, .driver = "epoll", .offload_threads = threads};
    struct executor *ex;
    REQUIRE(executor_new(&ex, &cfg, NULL) == ERR_OK);
    return ex;
}

struct job {
    struct offload_job job;
    struct track *track;
    int number;
    bool ran, handed_back;
};

/* What the jobs of one queue saw of each other. */
struct track {
    _Atomic int running, most, next_run;
    int next_done, left;
    struct executor *ex;
};

static void run_job(struct offload_job *j)
{
    struct job *x = CONTAINER_OF(j, struct job, job);
    int now = atomic_fetch_add(&x->track->running, 1) + 1;
    int most = atomic_load(&x->track->most);
    while (now > most && !atomic_compare_exchange_weak(&x->track->most, &most, now))
        ;
    CHECK(worker_current() == NULL);
    x->number = atomic_fetch_add(&x->track->next_run, 1);
    x->ran = true;
    atomic_fetch_sub(&x->track->running, 1);
}

static void job_done(struct offload_job *j)
{
    struct job *x = CONTAINER_OF(j, struct job, job);
    CHECK(x->ran);
    x->handed_back = true;
    x->track->next_done++;
    if (--x->track->left == 0)
        executor_stop(x->track->ex);
}

TEST(jobs_of_one_queue_run_in_order_one_at_a_time)
{
    enum { JOBS = 2000 };
    static struct job jobs[JOBS];
    struct executor *ex = make(1, 4);
    struct track track = {.left = JOBS, .ex = ex};
    struct offload_queue *q;
    REQUIRE(offload_queue_new(&q, ex, 1, JOBS) == ERR_OK);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.job = {.run = run_job, .done = job_done}, .track = &track};
        REQUIRE(offload_submit(q, executor_worker(ex, 0), &jobs[i].job) == ERR_OK);
    }
    executor_run(ex);
    CHECK_EQ_INT(track.most, 1);
    for (size_t i = 0; i < JOBS; i++) {
        CHECK_EQ_INT(jobs[i].number, (int)i);
        CHECK(jobs[i].handed_back);
    }
    offload_queue_free(q);
    executor_free(ex);
}

/* Both must be inside at the same time to get out. */
struct meeting {
    struct offload_job job;
    pthread_barrier_t *barrier;
};

static void meet(struct offload_job *j)
{
    (void)pthread_barrier_wait(CONTAINER_OF(j, struct meeting, job)->barrier);
}

TEST(queues_run_side_by_side)
{
    static const struct {
        const char *label;
        unsigned queues, parallel;
    } cases[] = {{"two queues", 2, 1}, {"one parallel queue", 1, 2}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct executor *ex = make(1, 2);
        struct offload_queue *q[2];
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 2);
        struct meeting m[2] = {{{.run = meet}, &barrier}, {{.run = meet}, &barrier}};
        for (unsigned k = 0; k < cases[i].queues; k++)
            REQUIRE(offload_queue_new(&q[k], ex, cases[i].parallel, 10) == ERR_OK);
        for (unsigned k = 0; k < 2; k++)
            REQUIRE(offload_submit(q[k % cases[i].queues], executor_worker(ex, 0), &m[k].job) ==
                    ERR_OK);
        for (unsigned k = 0; k < cases[i].queues; k++) {
            offload_drain(q[k]);
            offload_queue_free(q[k]);
        }
        pthread_barrier_destroy(&barrier);
        executor_free(ex);
    }
}

static void wait_for_it(struct offload_job *j)
{
    struct job *x = CONTAINER_OF(j, struct job, job);
    while (!atomic_load(&x->track->most))
        sched_yield();
}

TEST(a_full_queue_says_so)
{
    struct executor *ex = make(1, 1);
    struct track track = {.ex = ex, .left = 100};
    struct offload_queue *q;
    struct job jobs[4];
    CHECK_EQ_INT(offload_queue_new(&q, ex, 0, 3), ERR_RANGE);
    REQUIRE(offload_queue_new(&q, ex, 1, 3) == ERR_OK);
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct job){.job = {.run = wait_for_it}, .track = &track};
        CHECK_EQ_INT(offload_submit(q, executor_worker(ex, 0), &jobs[i].job),
                     i < 3 ? ERR_OK : ERR_FULL);
    }
    atomic_store(&track.most, 1);
    offload_drain(q);
    /* Without a loop that runs, draining hands back as well. */
    jobs[3].job = (struct offload_job){.run = run_job, .done = job_done};
    CHECK_EQ_INT(offload_submit(q, executor_worker(ex, 0), &jobs[3].job), ERR_OK);
    offload_drain(q);
    CHECK(jobs[3].handed_back);
    offload_queue_free(q);
    executor_free(ex);
}

/* Many threads' results to two workers, while the workers submit more. */
struct chain {
    struct offload_job job;
    struct offload_queue *queue;
    _Atomic int *left;
    struct executor *ex;
    struct worker *worker;
    int rounds;
    uint64_t sum; /* plain: the hand-overs must order it */
};

static void chain_run(struct offload_job *j)
{
    CONTAINER_OF(j, struct chain, job)->sum++;
}

static void chain_done(struct offload_job *j)
{
    struct chain *c = CONTAINER_OF(j, struct chain, job);
    c->sum++;
    CHECK(worker_current() == c->worker);
    if (--c->rounds > 0)
        CHECK_EQ_INT(offload_submit(c->queue, c->worker, j), ERR_OK);
    else if (atomic_fetch_sub(c->left, 1) == 1)
        executor_stop(c->ex);
}

TEST(results_come_back_to_their_worker)
{
    enum { CHAINS = 8, ROUNDS = 1000 };
    struct executor *ex = make(2, 3);
    struct offload_queue *q;
    struct chain c[CHAINS];
    _Atomic int left = CHAINS;
    REQUIRE(offload_queue_new(&q, ex, 3, CHAINS) == ERR_OK);
    for (unsigned i = 0; i < CHAINS; i++) {
        c[i] = (struct chain){.job = {.run = chain_run, .done = chain_done},
                              .queue = q,
                              .left = &left,
                              .ex = ex,
                              .worker = executor_worker(ex, i % 2),
                              .rounds = ROUNDS};
        REQUIRE(offload_submit(q, c[i].worker, &c[i].job) == ERR_OK);
    }
    executor_run(ex);
    for (unsigned i = 0; i < CHAINS; i++)
        CHECK_EQ_UINT(c[i].sum, 2 * ROUNDS);
    offload_queue_free(q);
    executor_free(ex);
}

/* ---- whether the end would wait ---- */

struct gated {
    struct offload_job job;
    struct executor *ex;
    pthread_barrier_t *gate;
    bool busy_behind;
};

static void wait_at_gate(struct offload_job *j)
{
    pthread_barrier_wait(CONTAINER_OF(j, struct gated, job)->gate);
}

static void look_behind(struct offload_job *j)
{
    struct gated *g = CONTAINER_OF(j, struct gated, job);
    g->busy_behind = executor_has_jobs(g->ex);
    executor_stop(g->ex);
}

TEST(jobs_are_seen_until_they_have_run)
{
    struct executor *ex = make(1, 1);
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, 2);
    struct gated g = {.job = {.run = wait_at_gate, .done = look_behind}, .ex = ex, .gate = &gate};
    struct offload_queue *q;
    REQUIRE(offload_queue_new(&q, ex, 1, 1) == ERR_OK);
    CHECK(!executor_has_jobs(ex));
    REQUIRE(offload_submit(q, executor_worker(ex, 0), &g.job) == ERR_OK);
    CHECK(executor_has_jobs(ex));
    pthread_barrier_wait(&gate);
    executor_run(ex);
    CHECK(!g.busy_behind);
    offload_queue_free(q);
    executor_free(ex);
    pthread_barrier_destroy(&gate);
}
