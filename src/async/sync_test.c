#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include "async/scope.h"
#include "async/sync.h"
#include <string.h>

static const enum reach reaches[] = {REACH_WORKER, REACH_ANY};

/* --- mutex --- */

struct guarded {
    struct mutex mutex;
    int inside, rounds;
    char order[64];
    size_t len;
};

static intptr_t go_inside(void *arg)
{
    struct guarded *g = arg;
    char me = (char)('a' + g->rounds++);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(mutex_lock(&g->mutex), ERR_OK);
        CHECK_EQ_INT(g->inside++, 0);
        g->order[g->len++] = me;
        co_yield (); /* the others try meanwhile */
        g->inside--;
        mutex_unlock(&g->mutex);
    }
    return 0;
}

static intptr_t mutual_exclusion(void *arg)
{
    (void)arg;
    for (size_t k = 0; k < ARRAY_LEN(reaches); k++) {
        struct guarded g = {0};
        struct scope s;
        mutex_init(&g.mutex, reaches[k]);
        scope_begin(&s);
        for (int i = 0; i < 3; i++)
            REQUIRE(scope_spawn(&s, go_inside, &g, "inside") == ERR_OK);
        CHECK_EQ_INT(scope_end(&s), ERR_OK);
        CHECK_EQ_STR(g.order, "abcabcabc"); /* handed over in the order of arrival */
        CHECK(mutex_try_lock(&g.mutex));
        CHECK(!mutex_try_lock(&g.mutex));
        mutex_unlock(&g.mutex);
    }
    return 0;
}

TEST(a_mutex_is_handed_over_in_order)
{
    co_fixture_run(1, mutual_exclusion, NULL);
}

static void unlock_unlocked(void *arg)
{
    struct mutex m;
    (void)arg;
    mutex_init(&m, REACH_WORKER);
    mutex_unlock(&m);
}

TEST(unlocking_what_is_not_locked_aborts)
{
    CHECK_ABORTS(unlock_unlocked, NULL);
}

/* Two workers count together: plain increments, so a hole in the lock loses some. */
enum { COUNT_EACH = 3000 };
struct counted {
    struct mutex mutex;
    struct wait_group group;
    int n;
};

static intptr_t count_up(void *arg)
{
    struct counted *c = arg;
    for (int i = 0; i < COUNT_EACH; i++) {
        CHECK_EQ_INT(mutex_lock(&c->mutex), ERR_OK);
        c->n++;
        mutex_unlock(&c->mutex);
    }
    wait_group_done(&c->group);
    return 0;
}

static intptr_t count_on_two(void *arg)
{
    struct counted *c = arg;
    wait_group_add(&c->group, 4);
    for (unsigned i = 0; i < 4; i++)
        REQUIRE(co_spawn_at(co_fixture_worker(i % 2), count_up, c, "counter") == ERR_OK);
    CHECK_EQ_INT(wait_group_wait(&c->group), ERR_OK);
    CHECK_EQ_INT(wait_group_wait(&c->group), ERR_OK); /* none is left: at once */
    return c->n;
}

TEST(a_mutex_across_workers)
{
    struct counted c = {0};
    mutex_init(&c.mutex, REACH_ANY);
    wait_group_init(&c.group, REACH_ANY);
    CHECK_EQ_INT(co_fixture_run(2, count_on_two, &c), 4 * COUNT_EACH);
}

/* --- semaphore --- */

struct request {
    struct semaphore *s;
    uint32_t n;
    enum err want;
    char **at, name;
};

static intptr_t request(void *arg)
{
    struct request *r = arg;
    CHECK_EQ_INT(semaphore_take(r->s, r->n), r->want);
    if (!r->want)
        *(*r->at)++ = r->name;
    return 0;
}

static intptr_t requests(void *arg)
{
    char got[8] = "", *at = got;
    struct semaphore s;
    struct co *c[4];
    (void)arg;
    semaphore_init(&s, 3, REACH_WORKER);
    struct request r[4] = {{&s, 2, ERR_OK, &at, 'a'},
                           {&s, 5, ERR_CANCELED, &at, 'b'}, /* more than there is */
                           {&s, 1, ERR_OK, &at, 'c'},
                           {&s, 2, ERR_OK, &at, 'd'}};
    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        REQUIRE(co_spawn(&c[i], worker_current(), request, &r[i], "request") == ERR_OK);
    co_yield ();
    CHECK_EQ_STR(got, "a"); /* c could be served, but does not overtake b */
    CHECK(!semaphore_try_take(&s, 1));
    co_cancel(c[1]);
    co_yield ();
    co_yield ();
    CHECK_EQ_STR(got, "ac"); /* b was in the way */
    semaphore_give(&s, 1);
    co_yield ();
    CHECK_EQ_STR(got, "ac");
    semaphore_give(&s, 1);
    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        CHECK_EQ_INT(co_join(c[i], NULL), ERR_OK);
    CHECK_EQ_STR(got, "acd");
    CHECK_EQ_UINT(s.count, 0);
    return 0;
}

TEST(a_semaphore_serves_in_order_and_forgets_the_canceled)
{
    co_fixture_run(1, requests, NULL);
}

/* --- tasks --- */

struct polite {
    struct task task;
    struct waiter waiter;
    struct semaphore *s;
    int polls;
    bool has;
};

static enum poll ask(struct task *t)
{
    struct polite *p = CONTAINER_OF(t, struct polite, task);
    p->polls++;
    if (t->canceled) {
        semaphore_forget(p->s, &p->waiter);
        return POLL_READY;
    }
    p->has = semaphore_poll(p->s, &p->waiter, 1) == POLL_READY;
    return p->has ? POLL_READY : POLL_PENDING;
}

static intptr_t tasks_wait_too(void *arg)
{
    (void)arg;
    for (size_t k = 0; k < ARRAY_LEN(reaches); k++) {
        struct semaphore s;
        struct polite p[3] = {0};
        semaphore_init(&s, 0, reaches[k]);
        for (size_t i = 0; i < ARRAY_LEN(p); i++) {
            p[i].s = &s;
            task_init(&p[i].task, "polite", ask, NULL);
            waiter_init(&p[i].waiter, &p[i].task);
            task_spawn(worker_current(), &p[i].task);
        }
        CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
        task_wake(&p[0].task); /* a spurious wake does not queue it twice */
        CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
        CHECK_EQ_INT(p[0].polls, 2);
        task_cancel(&p[1].task);
        CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
        semaphore_give(&s, 1);
        task_cancel(&p[0].task); /* it has been served, and gives it back */
        CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
        CHECK(!p[0].has);
        CHECK(!p[1].has);
        CHECK(p[2].has);
        CHECK_EQ_UINT(s.count, 0);
    }
    return 0;
}

TEST(tasks_wait_with_the_same_queue)
{
    co_fixture_run(1, tasks_wait_too, NULL);
}

/* --- once, wait group --- */

struct first {
    struct once once;
    int ran, seen;
};

static void be_first(void *arg)
{
    struct first *f = arg;
    co_yield ();
    f->ran++;
}

static intptr_t try_first(void *arg)
{
    struct first *f = arg;
    CHECK_EQ_INT(once_run(&f->once, be_first, f), ERR_OK);
    CHECK_EQ_INT(f->ran, 1);
    f->seen++;
    return 0;
}

static intptr_t once_only(void *arg)
{
    struct first f = {0};
    struct scope s;
    (void)arg;
    once_init(&f.once, REACH_WORKER);
    scope_begin(&s);
    for (int i = 0; i < 5; i++)
        REQUIRE(scope_spawn(&s, try_first, &f, "first") == ERR_OK);
    CHECK_EQ_INT(scope_end(&s), ERR_OK);
    CHECK_EQ_INT(f.seen, 5);
    return try_first(&f);
}

TEST(once_runs_once_and_all_wait_for_it)
{
    co_fixture_run(1, once_only, NULL);
}

static intptr_t wait_canceled(void *arg)
{
    CHECK_EQ_INT(wait_group_wait(arg), ERR_CANCELED);
    return 0;
}

static intptr_t groups(void *arg)
{
    struct wait_group g;
    struct co *c;
    struct waiter w;
    (void)arg;
    wait_group_init(&g, REACH_WORKER);
    waiter_init(&w, &co_current()->task);
    CHECK_EQ_INT(wait_group_poll(&g, &w), POLL_READY);
    wait_group_add(&g, 1);
    waiter_init(&w, &co_current()->task);
    CHECK_EQ_INT(wait_group_poll(&g, &w), POLL_PENDING);
    wait_group_forget(&g, &w);
    REQUIRE(co_spawn(&c, worker_current(), wait_canceled, &g, "waits") == ERR_OK);
    co_yield ();
    co_cancel(c);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    CHECK(list_empty(&g.waiters));
    wait_group_done(&g);
    return 0;
}

TEST(a_wait_group_can_be_left)
{
    co_fixture_run(1, groups, NULL);
}
