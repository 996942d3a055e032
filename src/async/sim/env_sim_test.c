/* Time, work and power of a simulated world. */
#include "async/offload.h"
#include "async/sim/sim_internal.h"
#include "async/timer.h"
#include "tests/support/test.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

/* --- events --- */

struct numbered {
    struct env_event ev;
    struct order *order;
    int64_t due_ns;
    uint64_t set_as;
    bool set;
};
struct order {
    struct sim *sim;
    int64_t last_ns;
    uint64_t last_set, sets;
    int ran;
};

static void in_order(struct env_event *ev)
{
    struct numbered *n = CONTAINER_OF(ev, struct numbered, ev);
    struct order *o = n->order;
    CHECK(n->set);
    CHECK_EQ_INT(sim_now_ns(o->sim), n->due_ns);
    CHECK(n->due_ns > o->last_ns || (n->due_ns == o->last_ns && n->set_as > o->last_set));
    o->last_ns = n->due_ns;
    o->last_set = n->set_as;
    o->ran++;
    n->set = false;
}

TEST(events_run_by_time_and_then_in_the_order_in_which_they_were_set)
{
    enum { EVENTS = 300 };
    static struct numbered all[EVENTS];
    struct random r;
    struct order o = {0};
    random_seed(&r, test_seed());
    REQUIRE(sim_new(&o.sim, &(struct sim_config){.seed = 1}) == ERR_OK);
    int expected = 0;
    for (size_t i = 0; i < EVENTS; i++)
        all[i] = (struct numbered){.ev.run = in_order, .order = &o};
    for (int step = 0; step < 5000; step++) {
        struct numbered *n = &all[random_below(&r, EVENTS)];
        uint64_t dice = random_below(&r, 4);
        if (dice == 0) {
            sim_cancel(o.sim, &n->ev);
            expected -= n->set;
            n->set = false;
        } else if (dice == 1) {
            expected -= sim_step(o.sim);
            o.ran = 0;
        } else {
            int64_t ns = (int64_t)random_below(&r, 50); /* so that many fall together */
            sim_after(o.sim, &n->ev, ns);
            expected += !n->set;
            *n = (struct numbered){n->ev, &o, sim_now_ns(o.sim) + ns, ++o.sets, true};
        }
    }
    o.ran = 0;
    CHECK(!sim_run(o.sim, INT64_MAX - 1)); /* until nothing can happen any more */
    CHECK_EQ_INT(o.ran, expected);
    sim_free(o.sim);
}

/* --- one machine, by executor_run() --- */

struct world {
    struct sim *sim;
    struct env *env;
    struct executor *ex;
};

static struct world world_open(const struct sim_config *cfg)
{
    struct world w = {0};
    REQUIRE(sim_new(&w.sim, cfg) == ERR_OK);
    REQUIRE(env_sim_new(&w.env, w.sim) == ERR_OK);
    const struct executor_config ec = {.env = w.env, .workers = 4, .offload_threads = 3};
    REQUIRE(executor_new(&w.ex, &ec, NULL) == ERR_OK);
    return w;
}

static void world_close(struct world *w)
{
    executor_free(w->ex);
    env_sim_free(w->env);
    sim_free(w->sim);
}

static void stop(struct timer *t)
{
    executor_stop(worker_executor(t->worker));
}

TEST(sim_time_jumps_to_what_comes_next)
{
    struct world w = world_open(&(struct sim_config){.wall_ms = 1000000});
    struct timer t;
    int64_t before_ns = clock_mono_ns(w.env->clock);
    CHECK_EQ_INT(clock_wall_ms(w.env->clock), 1000000);
    timer_init(&t, executor_worker(w.ex, 0), stop);
    timer_set_after_ms(&t, 365 * INT64_C(86400000)); /* and yet the test ends today */
    executor_run(w.ex);
    CHECK_EQ_INT(clock_mono_ns(w.env->clock) - before_ns, 365 * 86400 * SECOND);
    CHECK_EQ_INT(clock_wall_ms(w.env->clock), 1000000 + 365 * INT64_C(86400000));
    world_close(&w);
}

/* Goes round and round until a time has come, instead of setting a timer. */
struct impatient {
    struct task task;
    struct world *w;
    int64_t until_ns;
    bool over;
};

static enum poll look_at_the_clock(struct task *t)
{
    struct impatient *x = CONTAINER_OF(t, struct impatient, task);
    if (worker_now_ns(t->worker) < x->until_ns) {
        task_wake(t);
        return POLL_PENDING;
    }
    x->over = true;
    executor_stop(x->w->ex);
    return POLL_READY;
}

static void note(struct env_event *ev);
struct noted {
    struct env_event ev;
    bool ran;
};

TEST(sim_time_passes_for_who_is_busy)
{
    for (int booted = 0; booted < 2; booted++) {
        LABEL("booted %d", booted);
        struct world w = world_open(&(struct sim_config){.seed = 2});
        struct impatient x = {.w = &w, .until_ns = sim_now_ns(w.sim) + 10 * MS};
        struct noted beside = {.ev.run = note};
        sim_after(w.sim, &beside.ev, 5 * MS);
        task_init(&x.task, "impatient", look_at_the_clock, NULL);
        task_spawn(executor_worker(w.ex, 0), &x.task);
        if (booted) {
            env_sim_boot(w.env, w.ex);
            (void)sim_run(w.sim, sim_now_ns(w.sim) + 20 * MS);
        } else {
            executor_run(w.ex);
        }
        CHECK(x.over && beside.ran);
        env_sim_halt(w.env);
        world_close(&w);
    }
}

TEST(sim_secrets_and_seeds_are_the_seed_s)
{
    uint8_t bytes[3][32];
    uint64_t seeds[3];
    for (int i = 0; i < 3; i++) {
        struct world w = world_open(&(struct sim_config){.seed = i == 2 ? 8 : 7});
        w.env->entropy(w.env, bytes[i], sizeof(bytes[i]));
        seeds[i] = w.env->seed;
        world_close(&w);
    }
    CHECK_EQ_MEM(bytes[0], bytes[1], sizeof(bytes[0]));
    CHECK(memcmp(bytes[0], bytes[2], sizeof(bytes[0])) != 0);
    CHECK_EQ_UINT(seeds[0], seeds[1]);
    CHECK(seeds[0] != seeds[2]);
}

/* --- offloaded jobs --- */

enum { JOBS = 200 };

struct job {
    struct offload_job job;
    struct jobs *of;
    int number;
    int64_t submitted_ns, ran_ns;
};
struct jobs {
    struct world w;
    struct job all[JOBS];
    int ran, handed_back;
    int64_t busy_until_ns[3]; /* of each thread that there may be */
};

static void run(struct offload_job *j)
{
    struct job *x = CONTAINER_OF(j, struct job, job);
    CHECK(worker_current() == NULL);     /* as on a thread of its own */
    CHECK_EQ_INT(x->number, x->of->ran); /* one queue, one at a time: its order */
    x->ran_ns = sim_now_ns(x->of->w.sim);
    x->of->ran++;
}

static void handed_back(struct offload_job *j)
{
    struct job *x = CONTAINER_OF(j, struct job, job);
    CHECK(worker_current() == j->worker);
    CHECK_EQ_INT(x->number, x->of->handed_back++);
    if (x->of->handed_back == JOBS)
        executor_stop(x->of->w.ex);
}

static int threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n;
}

TEST(sim_jobs_keep_their_order_take_time_and_need_no_thread)
{
    static struct jobs x;
    int before = threads();
    const struct sim_config cfg = {.seed = 3, .work[ENV_WORK_JOB] = {1 * MS, 2 * MS}};
    x = (struct jobs){.w = world_open(&cfg)};
    struct offload_queue *q;
    REQUIRE(offload_queue_new(&q, x.w.ex, 1, JOBS) == ERR_OK);
    for (int i = 0; i < JOBS; i++) {
        x.all[i] = (struct job){.job = {.run = run, .done = handed_back}, .of = &x, .number = i};
        CHECK_EQ_INT(offload_submit(q, executor_worker(x.w.ex, 0), &x.all[i].job), ERR_OK);
    }
    struct job more = x.all[0];
    CHECK_EQ_INT(offload_submit(q, executor_worker(x.w.ex, 0), &more.job), ERR_FULL);
    executor_run(x.w.ex);
    CHECK_EQ_INT(x.handed_back, JOBS);
    for (int i = 1; i < JOBS; i++)
        CHECK(x.all[i].ran_ns - x.all[i - 1].ran_ns >= 1 * MS &&
              x.all[i].ran_ns - x.all[i - 1].ran_ns <= 2 * MS);
    CHECK_EQ_INT(threads(), before);
    offload_queue_free(q);
    world_close(&x.w);
}

static void count_run(struct offload_job *j)
{
    CONTAINER_OF(j, struct job, job)->of->ran++;
}

TEST(sim_queues_run_side_by_side_up_to_the_limit)
{
    static struct jobs x;
    const struct sim_config cfg = {.seed = 3, .work[ENV_WORK_JOB] = {MS, MS}};
    x = (struct jobs){.w = world_open(&cfg)};
    struct offload_queue *q[2];
    REQUIRE(offload_queue_new(&q[0], x.w.ex, 1, JOBS) == ERR_OK);
    REQUIRE(offload_queue_new(&q[1], x.w.ex, 9, JOBS) == ERR_OK);
    for (int i = 0; i < 30; i++) {
        x.all[i] = (struct job){.job.run = count_run, .of = &x};
        CHECK_EQ_INT(offload_submit(q[i % 2], executor_worker(x.w.ex, 0), &x.all[i].job), ERR_OK);
    }
    int64_t start_ns = sim_now_ns(x.w.sim);
    (void)sim_run(x.w.sim, start_ns + MS);
    CHECK_EQ_INT(x.ran, 3); /* three threads, one of them for the narrow queue */
    (void)sim_run(x.w.sim, start_ns + 2 * MS);
    CHECK_EQ_INT(x.ran, 6);
    offload_drain(q[0]); /* now, whatever the time */
    CHECK_EQ_INT(x.ran, 30);
    CHECK_EQ_INT(sim_now_ns(x.w.sim), start_ns + 2 * MS);
    offload_drain(q[1]);
    offload_queue_free(q[0]);
    offload_queue_free(q[1]);
    world_close(&x.w);
}

/* --- work that is held, or slow --- */

static void note(struct env_event *ev)
{
    CONTAINER_OF(ev, struct noted, ev)->ran = true;
}

TEST(sim_work_is_held_until_it_is_released)
{
    struct world w = world_open(&(struct sim_config){.seed = 4});
    struct noted held = {.ev.run = note}, canceled = held, other = held;
    env_sim_hold(w.env, ENV_WORK_SYNC, true);
    w.env->events->work(w.env, &held.ev, ENV_WORK_SYNC);
    w.env->events->work(w.env, &canceled.ev, ENV_WORK_SYNC);
    w.env->events->work(w.env, &other.ev, ENV_WORK_JOB);
    CHECK_EQ_UINT(env_sim_held(w.env, ENV_WORK_SYNC), 2);
    w.env->events->cancel(w.env, &canceled.ev);
    CHECK_EQ_UINT(env_sim_held(w.env, ENV_WORK_SYNC), 1);
    (void)sim_run(w.sim, sim_now_ns(w.sim) + 3600 * SECOND);
    CHECK(other.ran && !held.ran);
    env_sim_hold(w.env, ENV_WORK_SYNC, false);
    (void)sim_run(w.sim, sim_now_ns(w.sim) + SECOND);
    CHECK(held.ran && !canceled.ran);
    CHECK_EQ_UINT(env_sim_held(w.env, ENV_WORK_SYNC), 0);
    world_close(&w);
}

TEST(sim_some_work_is_slow)
{
    struct world w = world_open(
        &(struct sim_config){.seed = 4, .slow_per_million = 500000, .slow_ns = 7 * SECOND});
    int slow = 0;
    for (int i = 0; i < 100; i++) {
        struct noted n = {.ev.run = note};
        int64_t before_ns = sim_now_ns(w.sim);
        w.env->events->work(w.env, &n.ev, ENV_WORK_SYNC);
        CHECK(sim_step(w.sim));
        CHECK(sim_now_ns(w.sim) - before_ns <= 7 * SECOND);
        slow += sim_now_ns(w.sim) - before_ns == 7 * SECOND;
    }
    CHECK(slow > 20 && slow < 80);
    world_close(&w);
}

/* --- power --- */

TEST(sim_the_power_goes_in_place_of_a_call_of_the_disk)
{
    struct world w = world_open(&(struct sim_config){.seed = 5});
    struct disk *d = w.env->disk;
    struct disk_file *f;
    struct noted gone = {.ev.run = note};
    struct error e;
    REQUIRE(d->ops->make_dir(d, "data", NULL) == ERR_OK);
    REQUIRE(d->ops->open(d, "data/x", DISK_WRITE | DISK_CREATE, &f, NULL) == ERR_OK);
    env_sim_boot(w.env, w.ex);
    env_sim_off_at_call(w.env, 2, &gone.ev);
    CHECK_EQ_INT(d->ops->write_at(d, f, 0, "a", 1, NULL), ERR_OK);
    CHECK_EQ_INT(d->ops->sync(d, f, NULL), ERR_OK);
    CHECK(!disk_sim_is_off(env_sim_disk(w.env)));
    CHECK_EQ_INT(d->ops->write_at(d, f, 1, "b", 1, &e), ERR_IO);
    CHECK_EQ_INT(e.os_errno, EIO);
    CHECK(disk_sim_is_off(env_sim_disk(w.env)));
    CHECK(!gone.ran && env_sim_is_on(w.env)); /* not from inside the call */
    (void)sim_run(w.sim, sim_now_ns(w.sim) + SECOND);
    CHECK(gone.ran && !env_sim_is_on(w.env));
    d->ops->close(d, f);
    executor_free(w.ex);
    CHECK_EQ_INT(d->ops->open(d, "data/x", DISK_READ, &f, NULL), ERR_IO);
    env_sim_on(w.env);
    CHECK_EQ_UINT(disk_sim_stats(env_sim_disk(w.env)).crashes, 1);
    w.ex = NULL;
    world_close(&w);
}

/* --- what would never end --- */

static void wait_for_ever(void *arg)
{
    executor_run(arg);
}

TEST(sim_a_worker_that_nothing_can_wake_is_a_bug)
{
    struct world w = world_open(&(struct sim_config){.seed = 6});
    CHECK_ABORTS(wait_for_ever, w.ex);
    world_close(&w);
}
