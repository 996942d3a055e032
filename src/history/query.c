#include "history/history_internal.h"
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A question on its way. `own` are the points that were in memory when it was asked; `skip` of
 * them turn out to be in the database by the time it is read. */
struct query_state {
    struct history *h;
    bool known; /* has a head */
    struct points own;
    uint64_t own_first; /* number of own's first point */
    uint32_t skip;

    sqlite3 *sql;
    sqlite3_stmt *list, *open;
    int64_t series; /* row; 0: none */
    int64_t span;
    struct points chunk, all;
    struct windows windows;
};

/* ---- asking ---- */

static enum err check(struct history_query *q)
{
    q->limit = q->limit ? q->limit : HISTORY_LIMIT;
    if (q->limit > HISTORY_LIMIT_MAX)
        return error_set(&q->error, ERR_RANGE, "limit is at most %u", HISTORY_LIMIT_MAX);
    if (q->from_ms < -TS_LIMIT_MS)
        q->from_ms = -TS_LIMIT_MS;
    if (q->to_ms > TS_LIMIT_MS)
        q->to_ms = TS_LIMIT_MS;
    if (q->window_ms < 0 || q->from_ms > q->to_ms)
        return error_set(&q->error, ERR_RANGE, "the time asked for makes no sense");
    if (q->window_ms > 0 && (q->to_ms - q->from_ms) / q->window_ms > HISTORY_WINDOWS_MAX)
        return error_set(&q->error, ERR_RANGE, "more than %d windows", HISTORY_WINDOWS_MAX);
    return ERR_OK;
}

static void state_free(struct query_state *s)
{
    if (!s)
        return;
    points_fini(&s->own);
    points_fini(&s->chunk);
    points_fini(&s->all);
    vec_fini(s->windows.alloc, &s->windows.all);
    mem_free(s->h->cfg.alloc, s, sizeof(*s));
}

static void copy_unit(struct history_query *q, const char *p, size_t n)
{
    n = n < sizeof(q->unit) ? n : sizeof(q->unit) - 1;
    if (n)
        memcpy(q->unit, p, n);
    q->unit[n] = '\0';
}

static enum err prepare(struct history *h, struct history_query *q)
{
    enum err r = check(q);
    if (r != ERR_OK)
        return r;
    struct query_state *s = mem_zero(h->cfg.alloc, sizeof(*s));
    if (!s)
        return error_set(&q->error, ERR_NOMEM, "no memory for a query");
    s->h = h;
    s->windows =
        (struct windows){.alloc = h->cfg.alloc, .window_ms = q->window_ms, .limit = q->limit};
    struct head *d = map_get(&h->by_name, q->series);
    enum value_kind kind = d ? d->kind : VALUE_FLOAT;
    points_init(&s->own, h->cfg.alloc, kind);
    points_init(&s->chunk, h->cfg.alloc, kind);
    points_init(&s->all, h->cfg.alloc, kind);
    if (d) {
        s->known = true;
        s->own_first = d->sealed;
        copy_unit(q, d->unit.p, d->unit.n);
        if (d->sealing.n)
            r = points_add_range(&s->own, &d->sealing, 0, INT64_MIN, INT64_MAX);
        if (r == ERR_OK)
            r = points_add_range(&s->own, &d->points, 0, INT64_MIN, INT64_MAX);
    }
    if (r != ERR_OK) {
        state_free(s);
        return error_set(&q->error, r, "no memory for a query");
    }
    q->kind = kind;
    q->of = h;
    q->state = s;
    return ERR_OK;
}

/* ---- reading, on the pool thread ---- */

static enum err find_series(struct query_state *s, struct history_query *q)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->sql, "SELECT id,points,span,unit,kind FROM series WHERE name=?", -1,
                           &st, NULL) != SQLITE_OK)
        return db_error(s->sql, &q->error, "history");
    (void)sqlite3_bind_text(st, 1, q->series.p, (int)q->series.n, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        s->series = sqlite3_column_int64(st, 0);
        uint64_t sealed = (uint64_t)sqlite3_column_int64(st, 1);
        q->series_points = sealed;
        s->span = sqlite3_column_int64(st, 2);
        if (sealed > s->own_first) {
            uint64_t more = sealed - s->own_first;
            s->skip = more < s->own.n ? (uint32_t)more : s->own.n;
        }
        if (!s->known) {
            copy_unit(q, (const char *)sqlite3_column_text(st, 3),
                      (size_t)sqlite3_column_bytes(st, 3));
            q->kind = (enum value_kind)sqlite3_column_int(st, 4);
            s->all.kind = q->kind;
        }
    }
    (void)sqlite3_finalize(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_error(s->sql, &q->error, "history");
    q->series_points += s->own.n - s->skip;
    if (!s->series && !s->known)
        return error_set(&q->error, ERR_NOT_FOUND, "history has no series %.*s",
                         STR_FMT(q->series));
    return ERR_OK;
}

/* All the numbers so far become doubles: the kind of the series has changed in its life. */
static void promote(struct points *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        double x = points_number(p, i);
        memcpy(&p->v[i], &x, sizeof(x));
    }
    p->kind = VALUE_FLOAT;
}

static enum err add_as_float(struct points *all, const struct points *from, int64_t from_ms,
                             int64_t to_ms)
{
    enum err r = ERR_OK;
    for (uint32_t i = 0; r == ERR_OK && i < from->n; i++) {
        if (from->ts[i] < from_ms || from->ts[i] >= to_ms)
            continue;
        struct value v = {.kind = VALUE_FLOAT, .f = points_number(from, i)};
        r = points_add(all, from->ts[i], &v);
    }
    return r;
}

static enum err add_points(struct query_state *s, const struct points *from, uint32_t first,
                           int64_t from_ms, int64_t to_ms)
{
    if (from->n == first)
        return ERR_OK;
    if (s->all.n == 0)
        s->all.kind = from->kind;
    if (s->all.kind == from->kind)
        return points_add_range(&s->all, from, first, from_ms, to_ms);
    if (s->all.kind == VALUE_STR || from->kind == VALUE_STR)
        return ERR_OK; /* texts and numbers do not mix: what came first counts */
    promote(&s->all);
    return add_as_float(&s->all, from, from_ms, to_ms);
}

/* Only the earliest limit + 1 points are needed. */
static enum err trim(struct query_state *s, uint32_t limit)
{
    if (s->all.n <= limit)
        return ERR_OK;
    enum err r = points_sort(&s->all);
    s->all.n = limit + 1;
    return r;
}

/* ERR_OK with s->chunk empty if the chunk is damaged. */
static enum err open_chunk(struct query_state *s, struct history_query *q, int64_t id)
{
    points_clear(&s->chunk);
    (void)sqlite3_bind_int64(s->open, 1, id);
    int rc = sqlite3_step(s->open);
    enum err r = ERR_CORRUPT;
    if (rc == SQLITE_ROW) {
        struct bytes data = {sqlite3_column_blob(s->open, 1),
                             (size_t)sqlite3_column_bytes(s->open, 1)};
        if (data.p && crc32c(0, data.p, data.n) == sqlite3_column_int64(s->open, 0))
            r = chunk_decode(data, &s->chunk);
    } else {
        r = db_error(s->sql, &q->error, "history");
    }
    (void)sqlite3_reset(s->open);
    if (r == ERR_NOMEM)
        return error_set(&q->error, r, "no memory for a query");
    if (r == ERR_CORRUPT && rc == SQLITE_ROW) {
        points_clear(&s->chunk);
        atomic_fetch_add(&s->h->damaged, 1);
        r = ERR_OK;
    }
    return r;
}

static void windows_of(struct query_state *s, const struct points *p, uint32_t first,
                       int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = first; i < p->n; i++)
        if (p->ts[i] >= from_ms && p->ts[i] < to_ms)
            windows_add_point(&s->windows, p->ts[i], points_number(p, i));
}

/* The row that s->list stands on, if it says enough without being opened. */
static bool use_row(struct query_state *s, const struct history_query *q, int64_t from_ms,
                    int64_t to_ms)
{
    sqlite3_stmt *st = s->list;
    struct points_summary a = {.t0 = sqlite3_column_int64(st, 1),
                               .t1 = sqlite3_column_int64(st, 2),
                               .n = (uint32_t)sqlite3_column_int64(st, 3)};
    if (a.t0 < from_ms || a.t1 >= to_ms || sqlite3_column_type(st, 6) == SQLITE_NULL ||
        window_start(a.t0, q->window_ms) != window_start(a.t1, q->window_ms))
        return false;
    a.min = sqlite3_column_double(st, 4);
    a.max = sqlite3_column_double(st, 5);
    a.sum = sqlite3_column_double(st, 6);
    a.first = sqlite3_column_double(st, 7);
    a.last = sqlite3_column_double(st, 8);
    windows_add(&s->windows, &a);
    return true;
}

/* Nothing from t0 on can be part of the answer. */
static bool beyond(const struct query_state *s, const struct history_query *q, int64_t t0)
{
    if (q->window_ms == 0)
        return s->all.n > q->limit && t0 > s->all.ts[q->limit];
    return s->windows.all.n > q->limit &&
           window_start(t0, q->window_ms) > s->windows.all.v[q->limit].t0_ms;
}

static enum err read_chunks(struct query_state *s, struct history_query *q, int64_t from_ms,
                            int64_t to_ms)
{
    if (!s->series || from_ms >= to_ms)
        return ERR_OK;
    sqlite3_stmt *st = s->list;
    (void)sqlite3_bind_int64(st, 1, s->series);
    (void)sqlite3_bind_int64(st, 2,
                             s->span > from_ms + TS_LIMIT_MS * 2 ? INT64_MIN : from_ms - s->span);
    (void)sqlite3_bind_int64(st, 3, to_ms);
    enum err r = ERR_OK;
    int rc = SQLITE_DONE;
    while (r == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (sqlite3_column_int64(st, 2) < from_ms)
            continue;
        if (beyond(s, q, sqlite3_column_int64(st, 1))) {
            rc = SQLITE_DONE;
            break;
        }
        if (q->window_ms > 0 && use_row(s, q, from_ms, to_ms))
            continue;
        r = open_chunk(s, q, sqlite3_column_int64(st, 0));
        if (r == ERR_OK && q->window_ms > 0)
            windows_of(s, &s->chunk, 0, from_ms, to_ms);
        else if (r == ERR_OK)
            r = add_points(s, &s->chunk, 0, from_ms, to_ms);
        if (r == ERR_OK && q->window_ms == 0)
            r = trim(s, q->limit);
    }
    if (r == ERR_OK && rc != SQLITE_DONE)
        r = db_error(s->sql, &q->error, "history");
    (void)sqlite3_reset(st);
    return r;
}

/* Whole hours are in the table already. */
static enum err read_rollups(struct query_state *s, struct history_query *q, int64_t from_ms,
                             int64_t to_ms)
{
    sqlite3_stmt *st = NULL;
    if (!s->series)
        return ERR_OK;
    if (sqlite3_prepare_v2(s->sql,
                           "SELECT t0,n,min,max,sum FROM rollup WHERE series=? AND resolution=? "
                           "AND t0>=? AND t0<? ORDER BY t0",
                           -1, &st, NULL) != SQLITE_OK)
        return db_error(s->sql, &q->error, "history");
    (void)sqlite3_bind_int64(st, 1, s->series);
    (void)sqlite3_bind_int64(st, 2, ROLLUP_MS);
    (void)sqlite3_bind_int64(st, 3, from_ms);
    (void)sqlite3_bind_int64(st, 4, to_ms);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t t0 = sqlite3_column_int64(st, 0);
        if (beyond(s, q, t0)) {
            rc = SQLITE_DONE;
            break;
        }
        struct points_summary a = {.t0 = t0,
                                   .t1 = t0,
                                   .n = (uint32_t)sqlite3_column_int64(st, 1),
                                   .min = sqlite3_column_double(st, 2),
                                   .max = sqlite3_column_double(st, 3),
                                   .sum = sqlite3_column_double(st, 4)};
        windows_add(&s->windows, &a);
    }
    enum err r = rc == SQLITE_DONE ? ERR_OK : db_error(s->sql, &q->error, "history");
    (void)sqlite3_finalize(st);
    return r;
}

static enum err read_windows(struct query_state *s, struct history_query *q)
{
    /* Whole windows [a, b) from the roll-ups, the ends from chunks. */
    int64_t a = window_start(q->from_ms, q->window_ms);
    a = a < q->from_ms ? a + q->window_ms : a;
    int64_t b = window_start(q->to_ms, q->window_ms);
    if (q->edges || q->window_ms % ROLLUP_MS != 0 || a >= b)
        return read_chunks(s, q, q->from_ms, q->to_ms);
    enum err r = read_chunks(s, q, q->from_ms, a);
    if (r == ERR_OK)
        r = read_rollups(s, q, a, b);
    return r == ERR_OK ? read_chunks(s, q, b, q->to_ms) : r;
}

/* ---- the answer ---- */

static enum err answer_points(struct query_state *s, struct history_query *q)
{
    enum err r = points_sort(&s->all);
    if (r != ERR_OK)
        return r;
    q->truncated = s->all.n > q->limit;
    q->point_count = q->truncated ? q->limit : s->all.n;
    q->points =
        q->point_count ? mem_array(s->h->cfg.alloc, q->point_count, sizeof(*q->points)) : NULL;
    if (q->point_count && !q->points) {
        q->point_count = 0;
        return ERR_NOMEM;
    }
    q->points_cap = q->point_count;
    for (uint32_t i = 0; i < q->point_count; i++)
        q->points[i] = (struct history_point){s->all.ts[i], points_value(&s->all, i)};
    if (q->point_count)
        q->kind = s->all.kind;
    return ERR_OK;
}

static enum err answer_windows(struct query_state *s, struct history_query *q)
{
    if (s->windows.failed)
        return ERR_NOMEM;
    q->truncated = s->windows.all.n > q->limit;
    q->windows = s->windows.all.v; /* handed over */
    q->windows_cap = s->windows.all.cap;
    q->window_count = q->truncated ? q->limit : s->windows.all.n;
    s->windows.all.v = NULL;
    s->windows.all.n = s->windows.all.cap = 0;
    for (size_t i = 0; i < q->window_count; i++)
        q->windows[i].mean = q->windows[i].sum / (double)q->windows[i].n;
    return ERR_OK;
}

static enum err read_all(struct query_state *s, struct history_query *q)
{
    enum err r = find_series(s, q);
    if (r != ERR_OK)
        return r;
    if (sqlite3_prepare_v2(s->sql,
                           "SELECT id,t0,t1,n,min,max,sum,first,last FROM chunk "
                           "WHERE series=? AND t0>=? AND t0<? ORDER BY t0",
                           -1, &s->list, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s->sql, "SELECT crc,data FROM chunk WHERE id=?", -1, &s->open, NULL) !=
            SQLITE_OK)
        return db_error(s->sql, &q->error, "history");
    if (q->window_ms > 0) {
        r = read_windows(s, q);
        if (r == ERR_OK) {
            windows_of(s, &s->own, s->skip, q->from_ms, q->to_ms);
            r = answer_windows(s, q);
        }
        return r;
    }
    r = read_chunks(s, q, q->from_ms, q->to_ms);
    if (r == ERR_OK)
        r = add_points(s, &s->own, s->skip, q->from_ms, q->to_ms);
    if (r == ERR_OK)
        r = trim(s, q->limit);
    return r == ERR_OK ? answer_points(s, q) : r;
}

static enum err query_run(struct db_job *j, struct sqlite3 *sql)
{
    struct history_query *q = CONTAINER_OF(j, struct history_query, job);
    struct query_state *s = q->state;
    s->sql = sql;
    enum err r = read_all(s, q);
    (void)sqlite3_finalize(s->list);
    (void)sqlite3_finalize(s->open);
    if (r != ERR_OK && q->error.code == ERR_OK)
        (void)error_set(&q->error, r, "no memory for a query");
    j->error = q->error;
    return r;
}

static void query_done(struct db_job *j)
{
    struct history_query *q = CONTAINER_OF(j, struct history_query, job);
    q->result = j->result;
    q->error = j->error;
    q->done(q);
}

enum err history_query(struct history *h, struct worker *w, struct history_query *q)
{
    ASSERT(w == h->worker && q->done);
    enum err r = prepare(h, q);
    if (r != ERR_OK)
        return r;
    q->job.run = query_run;
    q->job.done = query_done;
    q->job.write = false;
    r = db_submit(h->cfg.db, w, &q->job);
    if (r != ERR_OK) {
        state_free(q->state);
        q->state = NULL;
        return error_set(&q->error, r, "too many questions wait for the database");
    }
    return ERR_OK;
}

enum err history_query_now(struct history *h, struct history_query *q)
{
    enum err r = prepare(h, q);
    if (r == ERR_OK) {
        q->job.run = query_run;
        q->job.write = false;
        r = db_run_now(h->cfg.db, &q->job);
        q->error = q->job.error;
    }
    q->result = r;
    return r;
}

void history_query_fini(struct history_query *q)
{
    if (!q->of)
        return;
    struct alloc *a = q->of->cfg.alloc;
    mem_free(a, q->points, q->points_cap * sizeof(*q->points));
    mem_free(a, q->windows, q->windows_cap * sizeof(*q->windows));
    state_free(q->state);
    q->points = NULL;
    q->windows = NULL;
    q->state = NULL;
    q->of = NULL;
}
