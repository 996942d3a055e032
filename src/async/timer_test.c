#include "async/timer_internal.h"
#include "base/clock.h"
#include "tests/support/test.h"
#include <string.h>

#define MS ((int64_t)1000000)

/* The wheel against a plain array: what is due, and when, must agree after every turn. */
enum { TIMERS = 300 };

struct model;
struct entry {
    struct timer timer;
    struct model *model;
    int64_t want_ns; /* 0: not armed */
};

struct model {
    struct wheel wheel;
    struct entry t[TIMERS];
    int64_t now_ns, last_ms; /* last_ms: of this turn */
    unsigned fired;
};

static int64_t due_ms(int64_t at_ns)
{
    return at_ns / MS + (at_ns % MS != 0);
}

static void model_fire(struct timer *t)
{
    struct entry *x = CONTAINER_OF(t, struct entry, timer);
    struct model *m = x->model;
    CHECK(x->want_ns != 0);
    CHECK(x->want_ns <= m->now_ns); /* never early */
    CHECK(due_ms(x->want_ns) >= m->last_ms);
    m->last_ms = due_ms(x->want_ns);
    x->want_ns = 0;
    m->fired++;
}

static void model_set(struct model *m, size_t i, int64_t at_ns)
{
    struct timer *t = &m->t[i].timer;
    if (t->at_ns)
        list_del(&t->link);
    t->at_ns = m->t[i].want_ns = at_ns;
    wheel_add(&m->wheel, t);
}

static int64_t random_delay(struct random *r)
{
    static const int64_t scale[] = {1, 64, 4096, 300000, 20000000, 1500000000, 30000000000};
    return (int64_t)random_below(r, (uint64_t)(scale[random_below(r, ARRAY_LEN(scale))] * MS)) + 1;
}

static void check_turn(struct model *m)
{
    int64_t first_ns = INT64_MAX;
    for (size_t i = 0; i < TIMERS; i++) {
        if (!m->t[i].want_ns)
            continue;
        CHECK(due_ms(m->t[i].want_ns) > m->now_ns / MS); /* never late */
        if (m->t[i].want_ns < first_ns)
            first_ns = m->t[i].want_ns;
    }
    int64_t next_ns = wheel_next_ns(&m->wheel);
    CHECK_EQ_INT(next_ns == -1, first_ns == INT64_MAX);
    CHECK(first_ns == INT64_MAX || next_ns <= due_ms(first_ns) * MS);
    CHECK(next_ns > m->now_ns || next_ns == -1);
}

static void run_model(uint64_t seed)
{
    static struct model m;
    struct random r;
    memset(&m, 0, sizeof(m));
    random_seed(&r, seed);
    m.now_ns = (int64_t)random_below(&r, 1ull << 50);
    wheel_init(&m.wheel, m.now_ns);
    for (size_t i = 0; i < TIMERS; i++) {
        timer_init(&m.t[i].timer, NULL, model_fire);
        m.t[i].model = &m;
    }
    for (int step = 0; step < 2000; step++) {
        size_t i = (size_t)random_below(&r, TIMERS);
        switch (random_below(&r, 4)) {
        case 0:
        case 1: model_set(&m, i, m.now_ns + random_delay(&r)); break;
        case 2:
            timer_cancel(&m.t[i].timer);
            m.t[i].want_ns = 0;
            break;
        default:
            /* Half of the time as a worker would: to the moment that the wheel names. */
            m.last_ms = 0;
            if (random_below(&r, 2) && wheel_next_ns(&m.wheel) > 0)
                m.now_ns = wheel_next_ns(&m.wheel);
            else
                m.now_ns += random_delay(&r);
            wheel_advance(&m.wheel, m.now_ns);
            check_turn(&m);
        }
    }
    CHECK(m.fired > 100);
}

TEST(the_wheel_agrees_with_a_sorted_model)
{
    uint64_t seed = test_seed();
    for (uint64_t i = 0; i < 20; i++) {
        LABEL("seed %llu", (unsigned long long)(seed + i));
        run_model(seed + i);
    }
}

struct order {
    struct timer timer;
    int *next, at;
    struct wheel *wheel;
    struct timer *set_again, *cancel;
};

static void note_order(struct timer *t)
{
    struct order *o = CONTAINER_OF(t, struct order, timer);
    CHECK(!timer_armed(t));
    o->at = ++*o->next;
    if (o->cancel)
        timer_cancel(o->cancel);
    if (o->set_again) {
        o->set_again->at_ns = 1; /* long past: fires at the next turn, not in this one for ever */
        wheel_add(o->wheel, o->set_again);
    }
}

static void arm(struct wheel *w, struct order *o, int *next, int64_t at_ns)
{
    *o = (struct order){.next = next, .wheel = w};
    timer_init(&o->timer, NULL, note_order);
    o->timer.at_ns = at_ns;
    wheel_add(w, &o->timer);
}

TEST(timers_fire_in_order)
{
    static struct wheel w;
    struct order a, b, c, d;
    int next = 0;
    wheel_init(&w, 1000 * MS);
    arm(&w, &a, &next, 1070 * MS);
    arm(&w, &b, &next, 1069 * MS + 1); /* rounds up: the same millisecond, set later */
    arm(&w, &c, &next, 1002 * MS);
    arm(&w, &d, &next, 900 * MS); /* past */
    CHECK_EQ_INT(wheel_next_ns(&w), 0);
    wheel_advance(&w, 1000 * MS);
    CHECK_EQ_INT(d.at, 1);
    CHECK_EQ_INT(wheel_next_ns(&w), 1002 * MS);
    wheel_advance(&w, 1069 * MS + 999999);
    CHECK_EQ_INT(c.at, 2);
    CHECK_EQ_INT(a.at, 0);
    CHECK_EQ_INT(wheel_next_ns(&w), 1070 * MS);
    wheel_advance(&w, 1070 * MS);
    CHECK_EQ_INT(a.at, 3);
    CHECK_EQ_INT(b.at, 4);
    CHECK_EQ_INT(wheel_next_ns(&w), -1);
}

TEST(firing_may_cancel_and_set)
{
    static struct wheel w;
    struct order a, b, c;
    int next = 0;
    wheel_init(&w, 0);
    arm(&w, &a, &next, 5 * MS);
    arm(&w, &b, &next, 5 * MS);
    arm(&w, &c, &next, 5 * MS);
    a.cancel = &b.timer; /* that would fire in the same turn */
    c.set_again = &c.timer;
    wheel_advance(&w, 7 * MS);
    CHECK_EQ_INT(a.at, 1);
    CHECK_EQ_INT(b.at, 0);
    CHECK_EQ_INT(c.at, 2);
    CHECK_EQ_INT(wheel_next_ns(&w), 0);
    wheel_advance(&w, 7 * MS);
    CHECK_EQ_INT(c.at, 3);
}

TEST(the_far_future_is_far)
{
    static struct wheel w;
    struct order never, year;
    int next = 0;
    wheel_init(&w, 12345 * MS);
    arm(&w, &never, &next, INT64_MAX);
    arm(&w, &year, &next, 31536000000 * MS);
    CHECK_EQ_INT(wheel_next_ns(&w), 31536000000 * MS);
    wheel_advance(&w, 31535999999 * MS);
    CHECK_EQ_INT(year.at, 0);
    wheel_advance(&w, 31536000000 * MS);
    CHECK_EQ_INT(year.at, 1);
    CHECK_EQ_INT(wheel_next_ns(&w), INT64_MAX);
    wheel_advance(&w, INT64_MAX);
    CHECK_EQ_INT(never.at, 0); /* it would be early by less than a millisecond */
}

/* --- on a worker --- */

struct ticking {
    struct timer timer;
    struct worker *worker;
    int left;
    int64_t set_ns;
};

static void tick_again(struct timer *t)
{
    struct ticking *k = CONTAINER_OF(t, struct ticking, timer);
    CHECK(worker_now_ns(k->worker) >= k->set_ns + 2 * MS);
    k->set_ns = worker_now_ns(k->worker);
    if (--k->left > 0)
        timer_set_after_ms(t, 2);
    else
        executor_stop(worker_executor(k->worker));
}

TEST(a_timer_may_set_itself_on_a_worker)
{
    const char *const drivers[] = {"epoll", "io_uring"};
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        struct executor_config cfg = {.alloc = alloc_system(), .workers = 1, .driver = drivers[i]};
        struct executor *ex;
        struct error e = {0};
        if (executor_new(&ex, &cfg, &e) != ERR_OK)
            SKIP("%s: %s", drivers[i], e.text);
        struct ticking k = {.worker = executor_worker(ex, 0), .left = 10};
        timer_init(&k.timer, k.worker, tick_again);
        k.set_ns = worker_now_ns(k.worker);
        timer_set_after_ms(&k.timer, 1000000);
        timer_set_after_ms(&k.timer, 2); /* moves it */
        executor_run(ex);
        CHECK_EQ_INT(k.left, 0);
        /* It slept in between: about three ticks for each, not one for each microsecond. */
        CHECK(worker_stats(k.worker).ticks < 100);
        executor_free(ex);
    }
}
