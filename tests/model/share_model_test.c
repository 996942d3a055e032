/* Free work over two workers: forks, free tasks and free coroutines that one makes and the other
 * may take. Results are plain memory: who joins must have them. */
#include "async/fork.h"
#include "async/scope.h"
#include "async/worker_internal.h"
#include "tests/model/site.h"

/* --- forks --- */

struct sum {
    struct fork fork;
    unsigned depth, result;
};

static unsigned sum(unsigned depth, struct fork_lane *lane);

static void sum_run(struct fork *f, struct fork_lane *lane)
{
    struct sum *s = CONTAINER_OF(f, struct sum, fork);
    HOLD(lane == fork_lane());
    s->result = sum(s->depth, lane);
}

/* In watched memory: of what lies on its stack a compiler may believe to know who reads it. */
static unsigned sum(unsigned depth, struct fork_lane *lane)
{
    if (depth == 0)
        return 1;
    struct sum *right = mem_zero(model_alloc(), sizeof(*right));
    right->depth = depth - 1;
    fork_begin(lane, &right->fork, sum_run);
    unsigned left = sum(depth - 1, lane);
    fork_join(lane, &right->fork);
    unsigned both = left + right->result;
    mem_free(model_alloc(), right, sizeof(*right));
    return both;
}

struct fork_stage {
    struct site site;
    struct task task;
    unsigned depth;
};

static enum poll fork_poll(struct task *t)
{
    struct fork_stage *g = CONTAINER_OF(t, struct fork_stage, task);
    model_focus(true);
    HOLD(sum(g->depth, fork_lane()) == 1u << g->depth);
    model_focus(false);
    executor_stop(g->site.ex);
    return POLL_READY;
}

static void forks(void *arg)
{
    struct fork_stage g = {.depth = (unsigned)(uintptr_t)arg};
    site_begin(&g.site, 2, false);
    task_init(&g.task, "forks", fork_poll, NULL);
    task_spawn(executor_worker(g.site.ex, 0), &g.task);
    executor_run(g.site.ex);
    site_end(&g.site);
}

/* --- free tasks: enough of them that the other worker is woken --- */

enum { TASKS = SHARE_AT + 2 };

struct crowd {
    struct site site;
    struct task first;
    _Atomic unsigned left;
    struct roamer {
        struct task task;
        struct crowd *crowd;
        unsigned polls; /* plain: one poll comes after the other */
    } roamers[TASKS];
};

static enum poll roamer_poll(struct task *t)
{
    struct roamer *r = CONTAINER_OF(t, struct roamer, task);
    if (++r->polls == 2)
        return POLL_READY;
    task_wake(t); /* once more, on whichever worker */
    return POLL_PENDING;
}

static void roamer_finished(struct task *t)
{
    struct crowd *g = CONTAINER_OF(t, struct roamer, task)->crowd;
    if (atomic_fetch_sub_explicit(&g->left, 1, memory_order_acq_rel) > 1)
        return;
    model_focus(false);
    executor_stop(g->site.ex);
}

/* From within a poll, so that they go to the worker's own deque. */
static enum poll spawn_all(struct task *t)
{
    struct crowd *g = CONTAINER_OF(t, struct crowd, first);
    model_focus(true);
    for (size_t i = 0; i < TASKS; i++)
        task_spawn_free(g->site.ex, &g->roamers[i].task);
    return POLL_READY;
}

/* While the others sleep, and without letting them go on. */
static enum poll spawn_counting(struct task *t)
{
    struct crowd *g = CONTAINER_OF(t, struct crowd, first);
    site_await_sleep(&g->site, 1);
    site_await_sleep(&g->site, 2);
    task_spawn_free(g->site.ex, &g->roamers[0].task);
    HOLD(site_wakes(&g->site) == 0);
    for (size_t i = 1; i < TASKS; i++)
        task_spawn_free(g->site.ex, &g->roamers[i].task);
    HOLD(site_wakes(&g->site) == 1);
    return POLL_READY;
}

static void crowd(void *arg)
{
    struct crowd g = {0};
    (void)arg;
    site_begin(&g.site, 2, false);
    atomic_init(&g.left, TASKS);
    for (size_t i = 0; i < TASKS; i++) {
        g.roamers[i].crowd = &g;
        task_init(&g.roamers[i].task, "roamer", roamer_poll, roamer_finished);
    }
    task_init(&g.first, "first", spawn_all, NULL);
    task_spawn(executor_worker(g.site.ex, 0), &g.first);
    executor_run(g.site.ex);
    for (size_t i = 0; i < TASKS; i++)
        HOLD(g.roamers[i].polls == 2);
    site_end(&g.site);
}

/* One task pushed wakes nobody, many wake one: the others are called by who finds something. */
static void over_waking(void *arg)
{
    struct crowd g = {0};
    (void)arg;
    site_begin(&g.site, 3, false);
    atomic_init(&g.left, TASKS);
    for (size_t i = 0; i < TASKS; i++) {
        g.roamers[i].crowd = &g;
        task_init(&g.roamers[i].task, "roamer", roamer_poll, roamer_finished);
    }
    task_init(&g.first, "first", spawn_counting, NULL);
    task_spawn(executor_worker(g.site.ex, 0), &g.first);
    executor_run(g.site.ex);
    site_end(&g.site);
}

/* --- a long task: given to who sleeps, a tick between its polls, then back to worker 0 --- */

struct long_stage {
    struct site site;
    struct task first;
    struct job {
        struct task task;
        struct tick_hook hook;
        struct long_stage *stage;
        unsigned polls; /* plain: it goes from worker to worker */
    } * job;
};

static void job_again(struct tick_hook *h)
{
    task_wake(&CONTAINER_OF(h, struct job, hook)->task);
}

static enum poll job_poll(struct task *t)
{
    struct job *j = CONTAINER_OF(t, struct job, task);
    if (++j->polls == 2)
        return POLL_READY;
    worker_at_tick_end(worker_current(), &j->hook);
    return POLL_PENDING;
}

static enum poll job_back(struct task *t)
{
    struct job *j = CONTAINER_OF(t, struct job, task);
    HOLD(worker_index(worker_current()) == 0 && j->polls == 2);
    return POLL_READY;
}

static void job_is_back(struct task *t)
{
    struct job *j = CONTAINER_OF(t, struct job, task);
    struct long_stage *g = j->stage;
    mem_free(model_alloc(), j, sizeof(*j));
    g->job = NULL;
    model_focus(false);
    executor_stop(g->site.ex);
}

static void job_finished(struct task *t)
{
    struct job *j = CONTAINER_OF(t, struct job, task);
    struct executor *ex = j->stage->site.ex;
    task_init(t, "back", job_back, job_is_back);
    task_spawn(executor_worker(ex, 0), t);
}

static enum poll spawn_long(struct task *t)
{
    struct long_stage *g = CONTAINER_OF(t, struct long_stage, first);
    if (t->canceled)
        return POLL_READY;
    model_focus(true);
    task_spawn_long(g->site.ex, &g->job->task);
    return POLL_PENDING; /* a connection, so to speak */
}

static void long_task(void *arg)
{
    struct long_stage g = {.job = mem_zero(model_alloc(), sizeof(*g.job))};
    (void)arg;
    site_begin(&g.site, 2, false);
    g.job->stage = &g;
    tick_hook_init(&g.job->hook, job_again);
    task_init(&g.job->task, "long", job_poll, job_finished);
    task_init(&g.first, "first", spawn_long, NULL);
    task_spawn(executor_worker(g.site.ex, 0), &g.first);
    executor_run(g.site.ex);
    HOLD(g.job == NULL);
    site_end(&g.site);
}

/* --- free coroutines, joined and in a scope --- */

struct part_stage {
    struct site site;
    unsigned results[2];
};

static intptr_t seven(void *arg)
{
    *(unsigned *)arg = 7;
    return 7;
}

static intptr_t join_two(void *arg)
{
    struct part_stage *g = arg;
    struct co *c[2];
    for (size_t i = 0; i < 2; i++)
        HOLD(co_spawn_free(&c[i], seven, &g->results[i], "seven") == ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        intptr_t result = 0;
        HOLD(co_join(c[i], &result) == ERR_OK);
        HOLD(result == 7 && g->results[i] == 7);
    }
    return 0;
}

static intptr_t scope_of_two(void *arg)
{
    struct part_stage *g = arg;
    struct scope s;
    unsigned results[2] = {0}; /* on this stack: the children end before it does */
    (void)g;
    scope_begin(&s);
    for (size_t i = 0; i < 2; i++)
        HOLD(scope_spawn_free(&s, seven, &results[i], "seven") == ERR_OK);
    HOLD(scope_end(&s) == ERR_OK);
    HOLD(results[0] == 7 && results[1] == 7);
    return 0;
}

/* The other worker has a coroutine that yields now and then, so that it is awake to take some. */
static intptr_t yields(void *arg)
{
    (void)arg;
    co_yield ();
    return 0;
}

static void joined(void *arg)
{
    struct part_stage g = {0};
    (void)arg;
    site_begin(&g.site, 2, true);
    site_play(&g.site, (intptr_t(*const[])(void *)){join_two, yields}, 2, &g);
    site_end(&g.site);
}

static void scoped(void *arg)
{
    struct part_stage g = {0};
    (void)arg;
    site_begin(&g.site, 2, true);
    site_play(&g.site, (intptr_t(*const[])(void *)){scope_of_two, yields}, 2, &g);
    site_end(&g.site);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    uintptr_t arg;
    unsigned preemptions, stale;
} rows[] = {
    {"forks", forks, 2, 2, 1},   {"crowd", crowd, 0, 1, 1},   {"long", long_task, 0, 2, 1},
    {"joined", joined, 0, 2, 0}, {"scoped", scoped, 0, 1, 1},
};

TEST(share_between_workers)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        model_check(&(struct model){.name = rows[i].name,
                                    .run = rows[i].run,
                                    .arg = (void *)rows[i].arg,
                                    .preemptions = rows[i].preemptions,
                                    .stale = rows[i].stale,
                                    .walks = 1000});
    }
}

TEST(pitfall_04_work_wakes_one_worker_at_a_time)
{
    model_check(&(struct model){.name = "over-waking", .run = over_waking});
}
