/* History against a plain list, over many seeds: samples in and out of order, seals, crashes with
 * replay, queries by point and by window; and queries while a seal is under way. */
#include "base/clock.h"
#include "history/history_internal.h"
#include "tests/support/test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0     INT64_C(1764000000000)
#define SERIES 3u
#define MAX    6000u

struct event {
    uint32_t series;
    int64_t ts;
    double x;
};
struct model {
    struct event event[MAX]; /* event i has the journal's number i + 1 */
    uint32_t n;
    struct series series[SERIES];
    char name[SERIES][8];
    struct db *db;
    struct history *h;
    struct history_config cfg;
    struct random r;
    struct error e;
};

static void model_open(struct model *m, struct executor *ex)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/site.db", test_tmpdir());
    struct db_config dc = {.alloc = alloc_system(), .path = path, .ex = ex};
    REQUIRE(db_open(&m->db, &dc, &m->e) == ERR_OK);
    m->cfg.ex = ex;
    m->cfg.db = m->db;
    m->cfg.alloc = alloc_system();
    REQUIRE(history_new(&m->h, &m->cfg, &m->e) == ERR_OK);
}

static void model_close(struct model *m)
{
    history_free(m->h);
    db_close(m->db);
}

static void model_init(struct model *m, uint64_t seed, const char *tag)
{
    memset(m, 0, sizeof(*m));
    random_seed(&m->r, seed);
    m->cfg.seal_points = 20 + (uint32_t)random_below(&m->r, 200);
    for (uint32_t i = 0; i < SERIES; i++) {
        (void)snprintf(m->name[i], sizeof(m->name[i]), "%s%u", tag, i);
        m->series[i] = (struct series){
            .index = i, .name = str_from(m->name[i]), .kind = VALUE_FLOAT, .kept = true};
    }
}

static void tell(struct model *m, uint32_t i, bool replayed)
{
    const struct event *e = &m->event[i];
    history_add(m->h, &(struct sample){.series = &m->series[e->series],
                                       .ts_ms = e->ts,
                                       .value = {.kind = VALUE_FLOAT, .f = e->x},
                                       .quality = QUALITY_GOOD,
                                       .seq = i + 1,
                                       .replayed = replayed});
}

/* Times are unique, so that there is one right order. */
static void more(struct model *m, uint32_t count)
{
    for (; count > 0 && m->n < MAX; count--) {
        bool late = random_below(&m->r, 20) == 0;
        int64_t base = late ? (int64_t)random_below(&m->r, m->n + 1) : (int64_t)m->n;
        m->event[m->n] = (struct event){
            .series = (uint32_t)random_below(&m->r, 10) % SERIES,
            .ts = T0 + base * 60000 * (1 + base / 3000) + (int64_t)m->n % 50000,
            .x = random_below(&m->r, 100) ? (double)(int64_t)random_below(&m->r, 2000) / 10 - 100
                                          : random_normal(&m->r)};
        for (uint32_t k = 0; k < m->n; k++)
            if (m->event[k].ts == m->event[m->n].ts)
                m->event[m->n].ts++, k = UINT32_MAX;
        m->n++;
        tell(m, m->n - 1, false);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;
    return x->ts < y->ts ? -1 : x->ts > y->ts;
}

/* Of the first `count` events of a series, those in a span, by time. */
static size_t expected(struct model *m, uint32_t series, uint64_t count, int64_t from, int64_t to,
                       struct event *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < m->n && count > 0; i++) {
        if (m->event[i].series != series)
            continue;
        count--;
        if (m->event[i].ts >= from && m->event[i].ts < to)
            out[n++] = m->event[i];
    }
    qsort(out, n, sizeof(*out), by_time);
    return n;
}

static uint64_t count_of(const struct model *m, uint32_t series, uint32_t events)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < events; i++)
        n += m->event[i].series == series;
    return n;
}

static bool check_points(const struct history_query *q, const struct event *want, size_t n)
{
    size_t take = n < q->limit ? n : q->limit;
    if (!CHECK_EQ_UINT(q->point_count, take) || !CHECK_EQ_INT(q->truncated, n > q->limit))
        return false;
    for (size_t i = 0; i < take; i++)
        if (!CHECK_EQ_INT(q->points[i].ts_ms, want[i].ts) ||
            !CHECK_EQ_DBL(q->points[i].value.f, want[i].x, 0))
            return false;
    return true;
}

/* The window that starts at want[*at]; *at moves behind it. */
static struct history_window model_window(const struct event *want, size_t n, size_t *at,
                                          int64_t width)
{
    int64_t t0 = window_start(want[*at].ts, width);
    struct history_window x = {.t0_ms = t0, .min = INFINITY, .max = -INFINITY};
    x.first = want[*at].x;
    for (; *at < n && window_start(want[*at].ts, width) == t0; (*at)++) {
        x.n++;
        x.min = fmin(x.min, want[*at].x);
        x.max = fmax(x.max, want[*at].x);
        x.sum += want[*at].x;
        x.last = want[*at].x;
    }
    return x;
}

static bool check_windows(const struct history_query *q, const struct event *want, size_t n)
{
    size_t at = 0;
    size_t w = 0;
    for (; at < n && w < q->limit; w++) {
        struct history_window x = model_window(want, n, &at, q->window_ms);
        if (w >= q->window_count)
            break;
        const struct history_window *g = &q->windows[w];
        if (!CHECK_EQ_INT(g->t0_ms, x.t0_ms) || !CHECK_EQ_UINT(g->n, x.n) ||
            !CHECK_EQ_DBL(g->min, x.min, 0) || !CHECK_EQ_DBL(g->max, x.max, 0) ||
            !CHECK_EQ_DBL(g->sum, x.sum, 1e-6) || !CHECK_EQ_DBL(g->mean, x.sum / (double)x.n, 1e-6))
            return false;
        if (q->edges && (!CHECK_EQ_DBL(g->first, x.first, 0) || !CHECK_EQ_DBL(g->last, x.last, 0)))
            return false;
    }
    return CHECK_EQ_UINT(q->window_count, w) && CHECK_EQ_INT(q->truncated, at < n);
}

static void random_question(struct model *m, struct history_query *q)
{
    static const int64_t widths[] = {0, 0, 1000, 60000, 3600000, 7200000, 86400000, 12345};
    uint32_t s = (uint32_t)random_below(&m->r, SERIES);
    int64_t span = (m->n + 10) * INT64_C(60000) * (1 + m->n / 3000);
    *q = (struct history_query){.series = m->series[s].name};
    q->from_ms = T0 + (int64_t)random_below(&m->r, (uint64_t)span);
    q->to_ms = q->from_ms + (int64_t)random_below(&m->r, (uint64_t)span);
    if (random_below(&m->r, 3) == 0) {
        q->from_ms = T0 - 5000;
        q->to_ms = T0 + span;
    }
    q->window_ms = widths[random_below(&m->r, ARRAY_LEN(widths))];
    q->limit = random_below(&m->r, 2) ? 10000 : 1 + (uint32_t)random_below(&m->r, 100);
    q->edges = random_below(&m->r, 2);
}

static uint32_t series_of(const struct model *m, const struct history_query *q)
{
    uint32_t s = 0;
    while (!str_eq(m->series[s].name, q->series))
        s++;
    return s;
}

static bool check_answer(struct model *m, const struct history_query *q)
{
    static struct event want[MAX];
    size_t n = expected(m, series_of(m, q), q->series_points, q->from_ms, q->to_ms, want);
    return q->window_ms ? check_windows(q, want, n) : check_points(q, want, n);
}

static bool question(struct model *m)
{
    struct history_query q;
    random_question(m, &q);
    if ((q.to_ms - q.from_ms) / (q.window_ms ? q.window_ms : 1) > HISTORY_WINDOWS_MAX &&
        q.window_ms)
        return true;
    enum err r = history_query_now(m->h, &q);
    bool ok;
    if (r == ERR_NOT_FOUND) { /* nothing of it came yet */
        ok = CHECK_EQ_UINT(count_of(m, series_of(m, &q), m->n), 0);
    } else {
        ok = CHECK_EQ_INT(r, ERR_OK) &&
             CHECK_EQ_UINT(q.series_points, count_of(m, series_of(m, &q), m->n)) &&
             check_answer(m, &q);
    }
    history_query_fini(&q);
    return ok;
}

static void crash(struct model *m)
{
    m->h->unsealed = 0; /* so that nothing is sealed on the way out */
    model_close(m);
    model_open(m, NULL);
    uint64_t cursor = m->h->consumer.cursor;
    for (uint32_t i = (uint32_t)cursor; i < m->n; i++)
        tell(m, i, true);
}

TEST(history_is_as_a_plain_list)
{
    static struct model m;
    uint64_t base = test_seed();
    for (uint64_t i = 0; i < 40; i++) {
        LABEL("seed %llu", (unsigned long long)(base + i));
        char tag[6];
        (void)snprintf(tag, sizeof(tag), "s%u.", (unsigned)i);
        model_init(&m, base + i, tag);
        model_open(&m, NULL);
        bool ok = true;
        for (unsigned round = 0; ok && round < 40; round++) {
            uint64_t what = random_below(&m.r, 10);
            if (what < 6)
                more(&m, (uint32_t)random_below(&m.r, 120));
            else if (what < 8)
                REQUIRE(history_seal_now(m.h, &m.e) == ERR_OK);
            else if (what < 9)
                crash(&m);
            for (unsigned k = 0; ok && k < 4; k++)
                ok = question(&m);
        }
        model_close(&m);
        char path[300];
        (void)snprintf(path, sizeof(path), "%s/site.db", test_tmpdir());
        (void)remove(path);
        if (!ok)
            break;
    }
}

/* ---- with workers: seals and questions overtake each other ---- */

#define ASKED 400u
#define SEALS 10u

struct asker {
    struct task task;
    struct model *m;
    struct executor *ex;
    struct history_query q[8];
    uint32_t n_at[8]; /* events that had been told when it was asked */
    unsigned sent, answered;
    bool wrong;
};
static struct asker *the_asker; /* queries carry no context of their own */

static void asked(struct history_query *q)
{
    struct asker *a = the_asker;
    uint64_t then = count_of(a->m, series_of(a->m, q), a->n_at[q - a->q]);
    if (q->result == ERR_NOT_FOUND)
        a->wrong = a->wrong || !CHECK_EQ_UINT(then, 0);
    else
        a->wrong = a->wrong || !CHECK_EQ_INT(q->result, ERR_OK) ||
                   !CHECK(q->series_points >= then) || !check_answer(a->m, q);
    history_query_fini(q);
    q->done = NULL;
    a->answered++;
    task_wake(&a->task);
}

static enum poll asker_poll(struct task *t)
{
    struct asker *a = CONTAINER_OF(t, struct asker, task);
    bool enough = a->answered >= ASKED && (history_stats(a->m->h).seals >= SEALS || a->m->n == MAX);
    if (enough || a->wrong) {
        if (a->answered == a->sent)
            executor_stop(a->ex);
        return a->answered == a->sent ? POLL_READY : POLL_PENDING;
    }
    for (unsigned i = 0; i < ARRAY_LEN(a->q); i++) {
        if (a->q[i].done)
            continue;
        more(a->m, a->m->n < MAX / 2 ? 20 : 1);
        random_question(a->m, &a->q[i]);
        a->q[i].window_ms = a->q[i].window_ms == 1000 ? 60000 : a->q[i].window_ms;
        a->q[i].window_ms = a->q[i].window_ms == 12345 ? 3600000 : a->q[i].window_ms;
        a->q[i].done = asked;
        a->n_at[i] = a->m->n;
        CHECK_EQ_INT(history_query(a->m->h, t->worker, &a->q[i]), ERR_OK);
        a->sent++;
        if (a->sent % 7 == 0)
            seal_in(a->m->h, 0);
    }
    return POLL_PENDING;
}

TEST(history_questions_during_a_seal_miss_nothing)
{
    static struct model m;
    struct asker a = {.m = &m};
    the_asker = &a;
    model_init(&m, test_seed(), "x");
    m.cfg.seal_points = 64;
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 3};
    REQUIRE(executor_new(&a.ex, &ec, &m.e) == ERR_OK);
    model_open(&m, a.ex);
    task_init(&a.task, "asker", asker_poll, NULL);
    task_spawn(executor_worker(a.ex, 0), &a.task);
    executor_run(a.ex);
    CHECK(!a.wrong && a.answered >= ASKED);
    CHECK_EQ_UINT(history_stats(m.h).points, m.n);
    model_close(&m);
    executor_free(a.ex);
}
