#include "history/history_internal.h"
#include "tests/support/test.h"
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1764000000000)

/* A history on a real database, without an executor: seals and queries happen when told. */
struct rig {
    struct db *db;
    struct history *h;
    struct history_config cfg;
    struct error e;
};

static const char *file(void)
{
    static char path[300];
    (void)snprintf(path, sizeof(path), "%s/site.db", test_tmpdir());
    return path;
}

static void rig_open(struct rig *g)
{
    struct db_config dc = {.alloc = alloc_system(), .path = file()};
    REQUIRE(db_open(&g->db, &dc, &g->e) == ERR_OK);
    g->cfg.db = g->db;
    g->cfg.alloc = alloc_system();
    REQUIRE(history_new(&g->h, &g->cfg, &g->e) == ERR_OK);
}

static void rig_close(struct rig *g)
{
    history_free(g->h);
    db_close(g->db);
    g->h = NULL;
    g->db = NULL;
}

static struct series make_series(uint32_t index, const char *name, enum value_kind kind)
{
    return (struct series){
        .index = index, .name = str_from(name), .unit = STR("mm"), .kind = kind, .kept = true};
}

static struct value flt(double f)
{
    return (struct value){.kind = VALUE_FLOAT, .f = f};
}

static void give(struct rig *g, struct series *s, int64_t ts, struct value v, uint64_t seq)
{
    history_add(g->h,
                &(struct sample){
                    .series = s, .ts_ms = ts, .value = v, .quality = QUALITY_GOOD, .seq = seq});
}

static struct history_query ask(struct rig *g, const char *name, int64_t from, int64_t to,
                                int64_t window, uint32_t limit, bool edges)
{
    struct history_query q = {.series = str_from(name),
                              .from_ms = from,
                              .to_ms = to,
                              .window_ms = window,
                              .limit = limit,
                              .edges = edges};
    CHECK_EQ_INT(history_query_now(g->h, &q), ERR_OK);
    return q;
}

static int64_t sql_int(struct rig *g, const char *sql);

struct sql_job {
    struct db_job job;
    const char *sql;
    int64_t got;
};
static enum err sql_run(struct db_job *j, struct sqlite3 *sql)
{
    struct sql_job *s = CONTAINER_OF(j, struct sql_job, job);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, s->sql, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, &j->error, "test");
    int rc = sqlite3_step(st);
    s->got = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_error(sql, &j->error, "test");
}
static int64_t sql_int(struct rig *g, const char *sql)
{
    struct sql_job s = {.job = {.run = sql_run, .write = true}, .sql = sql};
    CHECK_EQ_INT(db_run_now(g->db, &s.job), ERR_OK);
    return s.got;
}

TEST(history_points_of_heads_and_chunks)
{
    struct rig g = {0};
    rig_open(&g);
    struct series s = make_series(0, "press.temperature", VALUE_FLOAT);
    for (int i = 0; i < 100; i++) {
        give(&g, &s, T0 + i * 1000, flt(20 + i / 10.0), (uint64_t)i + 1);
        if (i == 30 || i == 60)
            REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    }
    struct history_query q = ask(&g, "press.temperature", T0 + 10000, T0 + 90000, 0, 0, false);
    CHECK_EQ_UINT(q.point_count, 80);
    CHECK_EQ_STR(q.unit, "mm");
    CHECK_EQ_INT(q.kind, VALUE_FLOAT);
    CHECK(!q.truncated);
    for (size_t i = 0; i < q.point_count; i++) {
        CHECK_EQ_INT(q.points[i].ts_ms, T0 + ((int64_t)i + 10) * 1000);
        CHECK_EQ_DBL(q.points[i].value.f, 20 + ((double)i + 10) / 10.0, 0);
    }
    history_query_fini(&q);
    struct history_stats st = history_stats(g.h);
    CHECK_EQ_UINT(st.points, 100);
    CHECK_EQ_UINT(st.head_points, 39);
    CHECK_EQ_UINT(st.chunks, 1); /* the small one took in the next */
    CHECK_EQ_UINT(st.series, 1);
    CHECK_EQ_INT(sql_int(&g, "SELECT seq FROM cursor WHERE name='history'"), 61);
    rig_close(&g);
}

TEST(history_of_all_kinds)
{
    struct rig g = {0};
    rig_open(&g);
    struct series b = make_series(0, "belt.on", VALUE_BOOL);
    struct series i = make_series(1, "belt.count", VALUE_INT);
    struct series t = make_series(2, "belt.state", VALUE_STR);
    for (int k = 0; k < 10; k++) {
        give(&g, &b, T0 + k, (struct value){.kind = VALUE_BOOL, .b = k % 2}, 0);
        give(&g, &i, T0 + k, (struct value){.kind = VALUE_INT, .i = INT64_MAX - k}, 0);
        give(&g, &t, T0 + k,
             (struct value){.kind = VALUE_STR, .s = str_from(k % 3 ? "runs" : "jammed")}, 0);
        if (k == 5)
            REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    }
    struct history_query q = ask(&g, "belt.on", T0, T0 + 10, 0, 0, false);
    REQUIRE(CHECK_EQ_UINT(q.point_count, 10));
    CHECK(q.points[3].value.b && !q.points[8].value.b);
    history_query_fini(&q);
    q = ask(&g, "belt.count", T0, T0 + 10, 0, 0, false);
    REQUIRE(CHECK_EQ_UINT(q.point_count, 10));
    CHECK_EQ_INT(q.points[7].value.i, INT64_MAX - 7);
    history_query_fini(&q);
    q = ask(&g, "belt.state", T0, T0 + 10, 0, 0, false);
    REQUIRE(CHECK_EQ_UINT(q.point_count, 10));
    CHECK(str_eq(q.points[6].value.s, STR("jammed")));
    CHECK(str_eq(q.points[7].value.s, STR("runs")));
    history_query_fini(&q);
    q = ask(&g, "belt.on", T0, T0 + 10, 100, 0, true); /* share of the time on */
    REQUIRE(CHECK_EQ_UINT(q.window_count, 1));
    CHECK_EQ_DBL(q.windows[0].mean, 0.5, 0);
    history_query_fini(&q);
    q = ask(&g, "belt.state", T0, T0 + 10, 100, 0, true);
    CHECK_EQ_UINT(q.window_count, 0);
    history_query_fini(&q);
    rig_close(&g);
}

TEST(history_windows_are_aligned)
{
    static const struct {
        const char *label;
        int64_t ts, window, t0;
    } cases[] = {
        {"inside", 1234567, 1000, 1234000}, {"at the start", 1234000, 1000, 1234000},
        {"before 1970", -1, 1000, -1000},   {"at its start", -1000, 1000, -1000},
        {"odd width", 100, 7, 98},          {"a day", T0, 86400000, T0 - T0 % 86400000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        CHECK_EQ_INT(window_start(cases[i].ts, cases[i].window), cases[i].t0);
    }
    struct rig g = {0};
    rig_open(&g);
    struct series s = make_series(0, "a", VALUE_FLOAT);
    for (int i = 0; i < 60; i++) /* a gap in the third minute */
        if (i < 24 || i >= 36)
            give(&g, &s, T0 + 500 + i * 5000, flt(i), 0);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    struct history_query q = ask(&g, "a", T0, T0 + 300000, 60000, 0, true);
    REQUIRE(CHECK_EQ_UINT(q.window_count, 4)); /* the empty one is left out */
    CHECK_EQ_INT(q.windows[0].t0_ms, T0);
    CHECK_EQ_UINT(q.windows[0].n, 12);
    CHECK_EQ_DBL(q.windows[0].mean, 5.5, 1e-12);
    CHECK_EQ_DBL(q.windows[0].first, 0, 0);
    CHECK_EQ_DBL(q.windows[0].last, 11, 0);
    CHECK_EQ_INT(q.windows[2].t0_ms, T0 + 180000);
    CHECK_EQ_DBL(q.windows[2].min, 36, 0);
    CHECK_EQ_DBL(q.windows[3].max, 59, 0);
    history_query_fini(&q);
    rig_close(&g);
}

TEST(history_limits)
{
    struct rig g = {0};
    rig_open(&g);
    struct series s = make_series(0, "a", VALUE_INT);
    for (int i = 0; i < 5000; i++) {
        int64_t at = T0 + (i * 7919) % 5000 * 1000; /* in no order at all */
        give(&g, &s, at, (struct value){.kind = VALUE_INT, .i = at}, 0);
        if (i % 1700 == 1000)
            REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    }
    static const uint32_t limits[] = {1, 2, 100, 4999, 5000, 5001};
    for (size_t k = 0; k < ARRAY_LEN(limits); k++) {
        LABEL("limit %u", limits[k]);
        struct history_query q = ask(&g, "a", T0, T0 + 5000000, 0, limits[k], false);
        size_t want = limits[k] < 5000 ? limits[k] : 5000;
        REQUIRE(CHECK_EQ_UINT(q.point_count, want));
        CHECK_EQ_INT(q.truncated, limits[k] < 5000);
        for (size_t i = 0; i < want; i++)
            CHECK_EQ_INT(q.points[i].ts_ms, T0 + (int64_t)i * 1000);
        history_query_fini(&q);
        q = ask(&g, "a", T0, T0 + 5000000, 1000, limits[k], false);
        REQUIRE(CHECK_EQ_UINT(q.window_count, want));
        CHECK_EQ_INT(q.truncated, limits[k] < 5000);
        for (size_t i = 0; i < want; i++)
            CHECK_EQ_INT(q.windows[i].t0_ms, T0 + (int64_t)i * 1000);
        history_query_fini(&q);
    }
    static const struct {
        const char *label;
        struct history_query q;
        enum err want;
    } cases[] = {
        {"unknown series", {.series = STR("b"), .to_ms = T0}, ERR_NOT_FOUND},
        {"limit too large", {.series = STR("a"), .to_ms = T0, .limit = 100001}, ERR_RANGE},
        {"ends before it starts", {.series = STR("a"), .from_ms = 2, .to_ms = 1}, ERR_RANGE},
        {"negative window", {.series = STR("a"), .to_ms = 1, .window_ms = -1}, ERR_RANGE},
        {"too many windows", {.series = STR("a"), .to_ms = T0, .window_ms = 1}, ERR_RANGE},
        {"all of time",
         {.series = STR("a"), .from_ms = INT64_MIN, .to_ms = INT64_MAX, .window_ms = INT64_MAX},
         ERR_OK},
        {"nothing", {.series = STR("a"), .from_ms = 5, .to_ms = 5}, ERR_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct history_query q = cases[i].q;
        CHECK_EQ_INT(history_query_now(g.h, &q), cases[i].want);
        CHECK_EQ_INT(q.error.code, cases[i].want);
        history_query_fini(&q);
    }
    rig_close(&g);
}

TEST(history_only_good_samples_are_points)
{
    struct rig g = {0};
    rig_open(&g);
    struct series s = make_series(0, "a", VALUE_FLOAT);
    static const enum quality qualities[] = {QUALITY_NONE, QUALITY_GOOD, QUALITY_UNCERTAIN,
                                             QUALITY_BAD, QUALITY_STALE};
    for (size_t i = 0; i < ARRAY_LEN(qualities); i++)
        history_add(g.h, &(struct sample){.series = &s,
                                          .ts_ms = T0 + (int64_t)i,
                                          .value = flt(1),
                                          .quality = qualities[i]});
    CHECK_EQ_UINT(history_stats(g.h).points, 2);
    CHECK_EQ_UINT(history_stats(g.h).bad, 3);
    give(&g, &s, T0, (struct value){.kind = VALUE_STR, .s = STR("hot")}, 0);
    CHECK_EQ_UINT(history_stats(g.h).dropped, 1);
    give(&g, &s, T0, (struct value){.kind = VALUE_INT, .i = 7}, 0); /* a float without a point */
    give(&g, &s, INT64_MAX, flt(1), 0);                             /* no time at all */
    CHECK_EQ_UINT(history_stats(g.h).points, 3);
    CHECK_EQ_UINT(history_stats(g.h).bad, 4);
    struct series not_kept = make_series(1, "b", VALUE_FLOAT);
    not_kept.kept = false;
    give(&g, &not_kept, T0, flt(1), 0);
    CHECK_EQ_UINT(history_stats(g.h).points, 3);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    CHECK_EQ_INT(sql_int(&g, "SELECT bad FROM series WHERE name='a'"), 4);
    rig_close(&g);
}

TEST(history_memory_is_bounded)
{
    struct rig g = {.cfg = {.points_max = 1000, .series_max = 3}};
    rig_open(&g);
    struct series s[4];
    static const char *const names[] = {"a", "b", "c", "d"};
    for (uint32_t i = 0; i < 4; i++)
        s[i] = make_series(i, names[i], VALUE_FLOAT);
    for (int i = 0; i < 2000; i++)
        give(&g, &s[i % 4], T0 + i, flt(i), 0);
    CHECK_EQ_UINT(history_stats(g.h).series, 3);
    CHECK_EQ_UINT(history_stats(g.h).head_points, 1000);
    CHECK_EQ_UINT(history_stats(g.h).dropped, 1000);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    give(&g, &s[0], T0, flt(1), 0);
    CHECK_EQ_UINT(history_stats(g.h).points, 1001);
    rig_close(&g);
}

/* What the journal tells again after a crash. */
TEST(history_restart_skips_what_is_sealed)
{
    struct rig g = {.cfg = {.seal_points = 64}};
    rig_open(&g);
    struct series fast = make_series(0, "fast", VALUE_INT);
    struct series slow = make_series(1, "slow", VALUE_INT);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        struct series *s = seq % 10 == 1 ? &slow : &fast;
        give(&g, s, T0 + (int64_t)seq, (struct value){.kind = VALUE_INT, .i = (int64_t)seq}, seq);
        if (seq == 150)
            REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    }
    CHECK_EQ_INT(sql_int(&g, "SELECT seq FROM cursor WHERE name='history'"), 150);
    /* Crash: heads are gone. */
    g.h->unsealed = 0;
    rig_close(&g);
    rig_open(&g);
    CHECK_EQ_UINT(g.h->consumer.cursor, 150);
    CHECK_EQ_UINT(history_stats(g.h).points, 150);
    for (uint64_t seq = 100; seq <= 500; seq++) /* more than needed */
        history_add(g.h, &(struct sample){.series = seq % 10 == 1 ? &slow : &fast,
                                          .ts_ms = T0 + (int64_t)seq,
                                          .value = {.kind = VALUE_INT, .i = (int64_t)seq},
                                          .quality = QUALITY_GOOD,
                                          .seq = seq,
                                          .replayed = true});
    struct history_query q = ask(&g, "fast", T0, T0 + 1000, 0, 0, false);
    CHECK_EQ_UINT(q.point_count, 450);
    for (size_t i = 1; i < q.point_count; i++)
        CHECK(q.points[i].ts_ms > q.points[i - 1].ts_ms);
    history_query_fini(&q);
    q = ask(&g, "slow", T0, T0 + 1000, 0, 0, false);
    CHECK_EQ_UINT(q.point_count, 50);
    history_query_fini(&q);
    CHECK(history_stats(g.h).skipped >= 46);
    rig_close(&g);
}

TEST(history_the_cursor_waits_for_the_slowest)
{
    struct rig g = {.cfg = {.seal_points = 64}};
    rig_open(&g);
    struct series fast = make_series(0, "fast", VALUE_INT);
    struct series slow = make_series(1, "slow", VALUE_INT);
    give(&g, &slow, T0, (struct value){.kind = VALUE_INT}, 10);
    for (uint64_t seq = 11; seq < 200; seq++)
        give(&g, &fast, T0 + (int64_t)seq, (struct value){.kind = VALUE_INT}, seq);
    /* As after a seal of full heads only. */
    g.h->heads.v[0]->in_job = false;
    struct head *held = g.h->heads.v[0];
    struct points points = held->points;
    held->points = (struct points){.alloc = alloc_system(), .kind = VALUE_INT};
    uint64_t first = held->first_seq;
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    CHECK_EQ_UINT(first, 10);
    CHECK_EQ_INT(sql_int(&g, "SELECT seq FROM cursor WHERE name='history'"), 9);
    held->points = points;
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    CHECK_EQ_INT(sql_int(&g, "SELECT seq FROM cursor WHERE name='history'"), 199);
    rig_close(&g);
}

TEST(history_damaged_chunk_is_left_out_and_counted)
{
    struct rig g = {.cfg = {.seal_points = 100}};
    rig_open(&g);
    struct series s = make_series(0, "a", VALUE_INT);
    for (int i = 0; i < 300; i++)
        give(&g, &s, T0 + i, (struct value){.kind = VALUE_INT, .i = i}, 0);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    CHECK_EQ_UINT(history_stats(g.h).chunks, 3);
    (void)sql_int(&g, "UPDATE chunk SET crc = crc + 1 WHERE id = 2");
    struct history_query q = ask(&g, "a", T0, T0 + 300, 0, 0, false);
    CHECK_EQ_UINT(q.point_count, 200);
    CHECK_EQ_UINT(history_stats(g.h).damaged, 1);
    history_query_fini(&q);
    rig_close(&g);
}

/* The kind of a property was changed in the site: old chunks keep theirs. */
TEST(history_kind_changes_between_runs)
{
    struct rig g = {0};
    rig_open(&g);
    struct series s = make_series(0, "a", VALUE_INT);
    for (int i = 0; i < 10; i++)
        give(&g, &s, T0 + i, (struct value){.kind = VALUE_INT, .i = i}, 0);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    rig_close(&g);
    rig_open(&g);
    s.kind = VALUE_FLOAT;
    for (int i = 10; i < 20; i++)
        give(&g, &s, T0 + i, flt(i + 0.5), 0);
    REQUIRE(history_seal_now(g.h, &g.e) == ERR_OK);
    give(&g, &s, T0 + 20, flt(20.5), 0);
    struct history_query q = ask(&g, "a", T0, T0 + 100, 0, 0, false);
    REQUIRE(CHECK_EQ_UINT(q.point_count, 21));
    CHECK_EQ_INT(q.kind, VALUE_FLOAT);
    CHECK_EQ_DBL(q.points[3].value.f, 3, 0);
    CHECK_EQ_DBL(q.points[13].value.f, 13.5, 0);
    history_query_fini(&q);
    rig_close(&g);
}
