/* The state word of a task, pinned and free: wakes before, during and after a poll, from other
 * threads; no wake is lost, nothing is queued twice, nobody touches a task that has ended. */
#include "async/offload.h"
#include "tests/model/site.h"

enum { WAKERS = 2 };

struct stage {
    struct site site;
    struct bell *bell;
    unsigned wakers;
    bool free;
    unsigned finished;
};

struct bell {
    struct task task;
    struct stage *stage;
    _Atomic unsigned rung[WAKERS]; /* relaxed: the wake brings it along */
    _Atomic bool inside;
    unsigned polls, until;
};

static enum poll hear(struct task *t)
{
    struct bell *b = CONTAINER_OF(t, struct bell, task);
    unsigned heard = 0;
    HOLD(!atomic_exchange_explicit(&b->inside, true, memory_order_relaxed)); /* never two at once */
    b->polls++;
    for (unsigned i = 0; i < b->stage->wakers; i++)
        heard += atomic_load_explicit(&b->rung[i], memory_order_relaxed);
    atomic_store_explicit(&b->inside, false, memory_order_relaxed);
    return heard == b->until || atomic_load(&t->canceled) ? POLL_READY : POLL_PENDING;
}

static void heard(struct task *t)
{
    struct stage *g = CONTAINER_OF(t, struct bell, task)->stage;
    g->finished++;
    executor_stop(g->site.ex);
}

static void bell_begin(struct stage *g, unsigned workers, bool free, unsigned until)
{
    *g = (struct stage){.free = free, .wakers = WAKERS};
    site_begin(&g->site, workers, false);
    g->bell = mem_zero(model_alloc(), sizeof(*g->bell));
    g->bell->stage = g;
    g->bell->until = until;
    task_init(&g->bell->task, "bell", hear, heard);
    if (free)
        task_spawn_free(g->site.ex, &g->bell->task);
    else
        task_spawn(executor_worker(g->site.ex, workers - 1), &g->bell->task);
}

static void bell_end(struct stage *g)
{
    HOLD(g->finished == 1);
    HOLD(g->bell->polls <= g->bell->until + 1); /* a wake is one poll at most */
    mem_free(model_alloc(), g->bell, sizeof(*g->bell));
    site_end(&g->site);
}

static void ring(struct stage *g, unsigned i)
{
    atomic_store_explicit(&g->bell->rung[i], 1, memory_order_relaxed);
    task_wake(&g->bell->task);
}

static void ring_0(void *arg)
{
    ring(arg, 0);
}

static void ring_1(void *arg)
{
    ring(arg, 1);
}

/* The executor runs on the first thread; the wakers come at any time, before, during and after its
 * sleeps. A lost wake leaves everybody blocked. */
static void two_wakers(void *arg)
{
    struct stage g;
    unsigned kind = (unsigned)(uintptr_t)arg;
    bell_begin(&g, kind < 2 ? 1 : 2, kind % 2, 2);
    unsigned a = model_thread(ring_0, &g), b = model_thread(ring_1, &g);
    model_focus(true);
    executor_run(g.site.ex);
    model_join(a);
    model_join(b);
    bell_end(&g);
}

/* Two tasks of one worker, each with a thread that wakes it: when both find the worker asleep, one
 * wakes its driver (site.c holds it to that). */
struct pair {
    struct site site;
    struct chime {
        struct task task;
        struct pair *pair;
        _Atomic bool rung;
    } chimes[2];
    unsigned left; /* the worker's */
};

static enum poll hear_chime(struct task *t)
{
    struct chime *c = CONTAINER_OF(t, struct chime, task);
    return atomic_load_explicit(&c->rung, memory_order_relaxed) ? POLL_READY : POLL_PENDING;
}

static void chime_heard(struct task *t)
{
    struct pair *p = CONTAINER_OF(t, struct chime, task)->pair;
    if (--p->left == 0)
        executor_stop(p->site.ex);
}

static void ring_chime(void *arg)
{
    struct chime *c = arg;
    atomic_store_explicit(&c->rung, true, memory_order_relaxed);
    task_wake(&c->task);
}

static void two_tasks(void *arg)
{
    struct pair p = {0};
    unsigned threads[2] = {0};
    (void)arg;
    site_begin(&p.site, 1, false);
    p.left = 2;
    for (size_t i = 0; i < 2; i++) {
        p.chimes[i].pair = &p;
        task_init(&p.chimes[i].task, "chime", hear_chime, chime_heard);
        task_spawn(executor_worker(p.site.ex, 0), &p.chimes[i].task);
        threads[i] = model_thread(ring_chime, &p.chimes[i]);
    }
    model_focus(true);
    executor_run(p.site.ex);
    model_join(threads[0]);
    model_join(threads[1]);
    site_end(&p.site);
}

/* --- a cancel from another thread races with a wake: the task ends once --- */

static void cancel(void *arg)
{
    struct stage *g = arg;
    task_cancel(&g->bell->task);
}

static void cancel_free(void *arg)
{
    struct stage g;
    bell_begin(&g, (unsigned)(uintptr_t)arg, true, 2);
    unsigned a = model_thread(ring_0, &g), b = model_thread(cancel, &g);
    model_focus(true);
    executor_run(g.site.ex);
    model_join(a);
    model_join(b);
    bell_end(&g);
}

/* --- offload: the result of a job ends the sleep --- */

struct job_stage {
    struct site site;
    struct offload_job job;
    unsigned result; /* plain: written on the pool's thread, read on the worker's */
};

static void job_run(struct offload_job *j)
{
    CONTAINER_OF(j, struct job_stage, job)->result = 7;
}

static void job_done(struct offload_job *j)
{
    struct job_stage *g = CONTAINER_OF(j, struct job_stage, job);
    HOLD(g->result == 7);
    executor_stop(g->site.ex);
}

static void offloaded(void *arg)
{
    struct job_stage g = {.job = {.run = job_run, .done = job_done}};
    struct offload_queue *q;
    (void)arg;
    site_begin(&g.site, 1, false);
    HOLD(offload_queue_new(&q, g.site.ex, 1, 1) == ERR_OK);
    model_focus(true);
    HOLD(offload_submit(q, executor_worker(g.site.ex, 0), &g.job) == ERR_OK);
    executor_run(g.site.ex);
    offload_drain(q);
    offload_queue_free(q);
    site_end(&g.site);
}

/* --- a stop from another thread ends the sleeps of all --- */

static void stop(void *arg)
{
    executor_stop(((struct site *)arg)->ex);
}

static void stopped(void *arg)
{
    struct site s;
    site_begin(&s, (unsigned)(uintptr_t)arg, false);
    unsigned thread = model_thread(stop, &s);
    model_focus(true);
    executor_run(s.ex);
    model_join(thread);
    site_end(&s);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    uintptr_t arg;
    unsigned preemptions, stale;
} rows[] = {
    {"wakers, free, 1 worker", two_wakers, 1, 1, 1},
    {"wakers, pinned, 2 workers", two_wakers, 2, 1, 1},
    {"wakers, free, 2 workers", two_wakers, 3, 1, 0},
    {"two tasks", two_tasks, 0, 2, 0},
    {"cancel, 1 worker", cancel_free, 1, 1, 1},
    {"cancel, 2 workers", cancel_free, 2, 1, 0},
    {"offload", offloaded, 0, 2, 1},
    {"stop, 1 worker", stopped, 1, 3, 1},
    {"stop, 2 workers", stopped, 2, 2, 0},
};

TEST(task_wakes)
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

TEST(pitfall_03_who_parks_looks_again)
{
    model_check(&(struct model){
        .name = "wakers, pinned, 1 worker", .run = two_wakers, .preemptions = 2, .walks = 2000});
}
