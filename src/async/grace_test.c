#include "async/grace.h"
#include "async/timer.h"
#include "async/worker_internal.h"
#include "tests/support/test.h"

#include <stdlib.h>

static const char *const drivers[] = {"epoll", "io_uring"};

static struct executor *make(const char *driver, unsigned workers)
{
    struct executor_config cfg = {
        .alloc = alloc_system(), .workers = workers, .driver = driver, .offload_threads = 1};
    struct executor *ex;
    struct error e = {0};
    if (executor_new(&ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    grace_enable(ex);
    return ex;
}

struct thing {
    struct retired retired;
    _Atomic bool freed;
    struct worker *again; /* retires itself once more */
};

static void thing_free(struct retired *r)
{
    struct thing *x = CONTAINER_OF(r, struct thing, retired);
    struct worker *again = x->again;
    x->again = NULL;
    if (again)
        worker_retire(again, r, thing_free);
    else
        atomic_store(&x->freed, true);
}

TEST(grace_without_a_run_waits_for_idle)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        LABEL("%u workers", workers);
        struct executor *ex = make("epoll", workers);
        struct thing a = {0}, b = {.again = executor_worker(ex, workers - 1)}, c = {0};
        worker_retire(executor_worker(ex, 0), &a.retired, thing_free);
        worker_retire(executor_worker(ex, 0), &b.retired, thing_free);
        CHECK(!a.freed && !b.freed);
        grace_idle(ex);
        CHECK(a.freed && b.freed);
        worker_retire(executor_worker(ex, 0), &c.retired, thing_free);
        executor_free(ex);
        CHECK(c.freed);
    }
}

/* Worker 0 retires a thing in a poll, and goes on turning until it is freed. Another worker is in
 * a poll all the while, until it is told that worker 0 has turned often enough. */
struct scene {
    struct executor *ex;
    struct task writer, reader;
    struct thing thing;
    int turns;
    _Atomic bool holds, turned, let_go;
};
enum { TURNS = 50 };

static enum poll writes(struct task *t)
{
    struct scene *s = CONTAINER_OF(t, struct scene, writer);
    bool alone = executor_workers(s->ex) == 1;
    task_wake(t);
    if (!alone && !atomic_load(&s->holds))
        return POLL_PENDING;
    if (s->turns++ == 0) {
        worker_retire(worker_current(), &s->thing.retired, thing_free);
        CHECK(!s->thing.freed); /* this poll itself may still look at it */
        return POLL_PENDING;
    }
    if (!alone && !atomic_load(&s->let_go)) {
        CHECK(!atomic_load(&s->thing.freed));
        if (s->turns == TURNS)
            atomic_store(&s->turned, true);
        return POLL_PENDING;
    }
    if (!atomic_load(&s->thing.freed))
        return POLL_PENDING;
    executor_stop(s->ex);
    return POLL_READY;
}

static enum poll holds(struct task *t)
{
    struct scene *s = CONTAINER_OF(t, struct scene, reader);
    atomic_store(&s->holds, true);
    while (!atomic_load(&s->turned))
        cpu_relax();
    CHECK(!atomic_load(&s->thing.freed));
    atomic_store(&s->let_go, true);
    return POLL_READY;
}

TEST(grace_waits_for_who_is_in_a_poll_and_not_for_who_sleeps)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        for (unsigned workers = 1; workers <= 3; workers++) { /* the third one sleeps */
            LABEL("%s, %u workers", drivers[i], workers);
            struct scene s = {.ex = make(drivers[i], workers)};
            task_init(&s.writer, "writer", writes, NULL);
            task_init(&s.reader, "reader", holds, NULL);
            task_spawn(executor_worker(s.ex, 0), &s.writer);
            if (workers > 1)
                task_spawn(executor_worker(s.ex, 1), &s.reader);
            executor_run(s.ex);
            CHECK(s.thing.freed);
            executor_free(s.ex);
        }
}

/* Who retires may sleep at once: it wakes up by itself to see whether it can free. */
struct sleeper {
    struct executor *ex;
    struct task writer, reader;
    struct thing thing;
    _Atomic bool retired;
};

static enum poll retires(struct task *t)
{
    struct sleeper *s = CONTAINER_OF(t, struct sleeper, writer);
    worker_retire(worker_current(), &s->thing.retired, thing_free);
    atomic_store(&s->retired, true);
    return POLL_READY;
}

static enum poll looks_on(struct task *t)
{
    struct sleeper *s = CONTAINER_OF(t, struct sleeper, reader);
    if (atomic_load(&s->retired) && atomic_load(&s->thing.freed)) {
        executor_stop(s->ex);
        return POLL_READY;
    }
    task_wake(t);
    return POLL_PENDING;
}

TEST(grace_ends_though_the_retirer_has_nothing_else_to_do)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct sleeper s = {.ex = make(drivers[i], 2)};
        task_init(&s.writer, "writer", retires, NULL);
        task_init(&s.reader, "reader", looks_on, NULL);
        task_spawn(executor_worker(s.ex, 0), &s.writer);
        task_spawn(executor_worker(s.ex, 1), &s.reader);
        executor_run(s.ex);
        CHECK(s.thing.freed);
        executor_free(s.ex);
    }
}

/* Three workers read what each of them replaces all the time, and sleep now and then. The
 * sanitizers see who comes too late; without them, what is freed is spoilt first. */
enum { SLOTS = 8, REPLACED = 20000, LIVE = 0x11fe };
struct box {
    struct retired retired;
    int state;
};
struct shelf {
    struct executor *ex;
    _Atomic(struct box *) slots[SLOTS];
    struct reader {
        struct task task;
        struct timer timer;
        struct shelf *shelf;
        uint32_t n;
    } readers[3];
    _Atomic int left;
};

static void box_free(struct retired *r)
{
    struct box *x = CONTAINER_OF(r, struct box, retired);
    x->state = 0;
    free(x);
}

static enum poll reads_and_replaces(struct task *t)
{
    struct reader *r = CONTAINER_OF(t, struct reader, task);
    struct shelf *s = r->shelf;
    struct box *seen[SLOTS];
    for (size_t i = 0; i < SLOTS; i++)
        seen[i] = atomic_load(&s->slots[i]);
    struct box *fresh = malloc(sizeof(*fresh));
    REQUIRE(fresh != NULL);
    fresh->state = LIVE;
    struct box *old = atomic_exchange(&s->slots[r->n++ % SLOTS], fresh);
    worker_retire(worker_current(), &old->retired, box_free);
    for (size_t i = 0; i < SLOTS; i++)
        CHECK(seen[i]->state == LIVE);
    if (r->n == REPLACED) {
        if (atomic_fetch_sub(&s->left, 1) == 1)
            executor_stop(s->ex);
        return POLL_READY;
    }
    if (r->n % 256)
        task_wake(t);
    else
        timer_set_after_ms(&r->timer, 1);
    return POLL_PENDING;
}

static void go_on(struct timer *t)
{
    task_wake(&CONTAINER_OF(t, struct reader, timer)->task);
}

TEST(grace_under_stress)
{
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++) {
        LABEL("%s", drivers[d]);
        struct shelf s = {.ex = make(drivers[d], 3), .left = 3};
        for (size_t i = 0; i < SLOTS; i++) {
            struct box *x = malloc(sizeof(*x));
            REQUIRE(x != NULL);
            x->state = LIVE;
            s.slots[i] = x;
        }
        for (unsigned i = 0; i < 3; i++) {
            s.readers[i] = (struct reader){.shelf = &s, .n = i};
            timer_init(&s.readers[i].timer, executor_worker(s.ex, i), go_on);
            task_init(&s.readers[i].task, "reader", reads_and_replaces, NULL);
            task_spawn(executor_worker(s.ex, i), &s.readers[i].task);
        }
        executor_run(s.ex);
        executor_free(s.ex);
        for (size_t i = 0; i < SLOTS; i++)
            free(s.slots[i]);
    }
}
