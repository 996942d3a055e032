#include "base/log.h"
#include "history/history_internal.h"
#include <math.h>
#include <sqlite3.h>
#include <string.h>

/* ---- series ---- */

static void head_free(struct history *h, struct head *d)
{
    points_fini(&d->points);
    points_fini(&d->sealing);
    mem_free(h->cfg.alloc, d, d->size);
}

static struct head *head_new(struct history *h, struct str name, struct str unit,
                             enum value_kind kind)
{
    if (h->heads.n >= h->cfg.series_max)
        return NULL;
    unit.n = unit.n < 31 ? unit.n : 31;
    size_t size = sizeof(struct head) + name.n + unit.n;
    struct head *d = mem_zero(h->cfg.alloc, size);
    if (!d)
        return NULL;
    d->size = size;
    char *text = (char *)(d + 1);
    if (name.n)
        memcpy(text, name.p, name.n);
    if (unit.n)
        memcpy(text + name.n, unit.p, unit.n);
    d->name = (struct str){text, name.n};
    d->unit = (struct str){text + name.n, unit.n};
    d->kind = kind;
    points_init(&d->points, h->cfg.alloc, kind);
    if (map_put(&h->by_name, d->name, d) != ERR_OK) {
        head_free(h, d);
        return NULL;
    }
    if (!vec_push(h->cfg.alloc, &h->heads, d)) {
        (void)map_del(&h->by_name, d->name);
        head_free(h, d);
        return NULL;
    }
    return d;
}

/* The head was made from the database's row; the site may have another unit or kind by now. */
static struct head *head_adopt(struct history *h, struct head *d, const struct series *s)
{
    if (d->kind == s->kind && str_eq(d->unit, s->unit))
        return d;
    if (d->points.n || d->sealing.n || d->in_job)
        return d; /* not twice in a run */
    size_t size = sizeof(struct head) + s->name.n + s->unit.n;
    struct head *n = mem_zero(h->cfg.alloc, size);
    if (!n)
        return d;
    *n = *d;
    n->size = size;
    char *text = (char *)(n + 1);
    memcpy(text, s->name.p, s->name.n);
    if (s->unit.n)
        memcpy(text + s->name.n, s->unit.p, s->unit.n);
    n->name = (struct str){text, s->name.n};
    n->unit = (struct str){text + s->name.n, s->unit.n};
    n->kind = s->kind;
    points_fini(&d->points);
    points_fini(&d->sealing);
    points_init(&n->points, h->cfg.alloc, n->kind);
    n->sealing = (struct points){0};
    (void)map_del(&h->by_name, d->name);
    enum err r = map_put(&h->by_name, n->name, n);
    ASSERT(r == ERR_OK); /* its place has just become free */
    for (size_t i = 0; i < h->heads.n; i++)
        if (h->heads.v[i] == d)
            h->heads.v[i] = n;
    for (size_t i = 0; i < h->by_index.n; i++)
        if (h->by_index.v[i] == d) /* the series has been declared anew: an older number of it */
            h->by_index.v[i] = n;
    mem_free(h->cfg.alloc, d, d->size);
    return n;
}

static struct head *head_of(struct history *h, const struct series *s, enum value_kind kind)
{
    if (s->index < h->by_index.n && h->by_index.v[s->index])
        return h->by_index.v[s->index];
    while (h->by_index.n <= s->index)
        if (h->by_index.n >= h->cfg.series_max || !vec_push(h->cfg.alloc, &h->by_index, NULL))
            return NULL;
    struct head *d = map_get(&h->by_name, s->name);
    if (d)
        d = s->kind == VALUE_NONE ? d : head_adopt(h, d, s);
    else
        d = head_new(h, s->name, s->unit, s->kind == VALUE_NONE ? kind : s->kind);
    h->by_index.v[s->index] = d;
    return d;
}

bool history_knows(const struct history *h, struct str series)
{
    return map_get(&h->by_name, series) != NULL;
}

/* ---- samples ---- */

/* The value as the series' kind, if nothing is lost by it. */
static bool coerce(struct value *v, enum value_kind kind)
{
    if (v->kind == kind)
        return true;
    if (v->kind == VALUE_STR || v->kind == VALUE_NONE || kind == VALUE_STR)
        return false;
    double x = value_number(v);
    struct value n = {.kind = kind};
    if (kind == VALUE_FLOAT) {
        n.f = x;
        if (v->kind == VALUE_INT && (int64_t)(fabs(x) < 9.2e18 ? x : 0) != v->i)
            return false;
    } else if (kind == VALUE_INT) {
        if (!(fabs(x) < 9.2e18) || x != floor(x))
            return false;
        n.i = (int64_t)x;
    } else {
        if (x != 0 && x != 1)
            return false;
        n.b = x != 0;
    }
    *v = n;
    return true;
}

static void cut(struct history *h, struct value *v)
{
    if (v->kind != VALUE_STR || v->s.n <= HISTORY_STR_MAX)
        return;
    v->s.n = HISTORY_STR_MAX;
    while (v->s.n > 0 && ((uint8_t)v->s.p[v->s.n] & 0xc0) == 0x80) /* not inside a character */
        v->s.n--;
    h->stats.cut++;
}

void history_add(struct history *h, const struct sample *s)
{
    if (!s->series->kept)
        return;
    struct head *d = head_of(h, s->series, s->value.kind);
    if (d && s->replayed && s->seq > 0 && s->seq <= d->seq) {
        h->stats.skipped++;
        return;
    }
    h->seen = s->seq > h->seen ? s->seq : h->seen;
    bool good = s->quality == QUALITY_GOOD || s->quality == QUALITY_UNCERTAIN;
    good = good && s->ts_ms > -TS_LIMIT_MS && s->ts_ms < TS_LIMIT_MS;
    if (!good || s->value.kind == VALUE_NONE) {
        h->stats.bad++;
        if (d)
            d->bad++;
        return;
    }
    struct value v = s->value;
    cut(h, &v);
    if (!d || !coerce(&v, d->kind) || h->unsealed >= h->cfg.points_max ||
        points_add(&d->points, s->ts_ms, &v) != ERR_OK) {
        h->stats.dropped++;
        if (h->unsealed >= h->cfg.points_max)
            seal_in(h, 0);
        return;
    }
    h->unsealed++;
    if (s->seq > 0) {
        d->first_seq = d->first_seq ? d->first_seq : s->seq;
        d->last_seq = s->seq > d->last_seq ? s->seq : d->last_seq;
    }
    if (d->points.n >= h->cfg.seal_points)
        seal_soon(h);
    if (h->worker && !timer_armed(&h->timer))
        seal_in(h, h->cfg.seal_age_ms);
}

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    history_add(CONTAINER_OF(l, struct history, listener), s);
}

static void on_replay(struct journal_consumer *c, const struct journal_record *r)
{
    struct history *h = CONTAINER_OF(c, struct history, consumer);
    h->seen = r->seq > h->seen ? r->seq : h->seen;
    if (h->cfg.replay)
        h->cfg.replay(h->cfg.ctx, r);
}

/* ---- start and end ---- */

struct load_job {
    struct db_job job;
    struct history *h;
};

static struct str column_str(sqlite3_stmt *st, int i)
{
    const char *p = (const char *)sqlite3_column_text(st, i);
    return (struct str){p ? p : "", p ? (size_t)sqlite3_column_bytes(st, i) : 0};
}

static enum err load_run(struct db_job *j, struct sqlite3 *sql)
{
    struct history *h = CONTAINER_OF(j, struct load_job, job)->h;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "SELECT name,unit,kind,id,points,chunks,seq FROM series", -1, &st,
                           NULL) != SQLITE_OK)
        return db_error(sql, &j->error, "history");
    int rc;
    enum err r = ERR_OK;
    while (r == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct head *d = head_new(h, column_str(st, 0), column_str(st, 1),
                                  (enum value_kind)sqlite3_column_int(st, 2));
        if (!d) {
            r = h->heads.n >= h->cfg.series_max ? ERR_FULL : ERR_NOMEM;
            (void)error_set(&j->error, r, "history knows more series than fit");
            break;
        }
        d->id = sqlite3_column_int64(st, 3);
        d->sealed = (uint64_t)sqlite3_column_int64(st, 4);
        d->seq = (uint64_t)sqlite3_column_int64(st, 6);
        h->stats.points += d->sealed;
        h->stats.chunks += (uint64_t)sqlite3_column_int64(st, 5);
    }
    if (r == ERR_OK && rc != SQLITE_DONE)
        r = db_error(sql, &j->error, "history");
    (void)sqlite3_finalize(st);
    if (r == ERR_OK)
        r = db_cursor_get(sql, "history", &h->consumer.cursor, &j->error);
    return r;
}

static void defaults(struct history_config *c)
{
    c->series_max = c->series_max ? c->series_max : 65536;
    c->seal_points = c->seal_points ? c->seal_points : 2048;
    c->seal_points = c->seal_points < CHUNK_POINTS_MAX ? c->seal_points : CHUNK_POINTS_MAX;
    c->points_max = c->points_max ? c->points_max : 1048576;
    c->seal_age_ms = c->seal_age_ms > 0 ? c->seal_age_ms : 600000;
    c->clock = c->clock || !c->ex ? c->clock : executor_env(c->ex)->clock;
}

enum err history_new(struct history **out, const struct history_config *cfg, struct error *e)
{
    *out = NULL;
    struct history *h = mem_zero(cfg->alloc, sizeof(*h));
    if (!h)
        return error_set(e, ERR_NOMEM, "no memory for the history");
    h->cfg = *cfg;
    defaults(&h->cfg);
    map_init(&h->by_name, cfg->alloc, cfg->ex ? executor_env(cfg->ex)->seed : 1, h->cfg.series_max);
    h->consumer =
        (struct journal_consumer){.name = "history", .apply = on_replay, .pressure = seal_pressure};
    list_init(&h->consumer.link);
    seal_init(h);
    h->seal.heads = mem_array(cfg->alloc, SEAL_SERIES, sizeof(struct head *));
    struct load_job load = {.job = {.run = load_run}, .h = h};
    enum err r = h->seal.heads ? db_migrate(cfg->db, &history_migration, e)
                               : error_set(e, ERR_NOMEM, "no memory for the history");
    if (r == ERR_OK) {
        r = db_run_now(cfg->db, &load.job);
        if (r != ERR_OK && e)
            *e = load.job.error;
    }
    if (r != ERR_OK) {
        h->cfg.journal = NULL;
        history_free(h);
        return r;
    }
    h->seen = h->mark = h->consumer.cursor;
    if (cfg->journal)
        journal_consumer_add(cfg->journal, &h->consumer);
    if (cfg->bus) {
        h->listener.sample = on_sample;
        bus_sample_listen(cfg->bus, &h->listener);
        h->listening = true;
    }
    *out = h;
    return ERR_OK;
}

#define SEAL_AT_END 1000u /* points that make it worth while */

void history_free(struct history *h)
{
    if (!h)
        return;
    h->stopping = true;
    if (h->worker) {
        timer_cancel(&h->timer);
        tick_hook_cancel(&h->hook);
    }
    if (h->seal.running)
        db_drain(h->cfg.db);
    struct error e = {0};
    if (h->unsealed >= SEAL_AT_END && !h->failing && seal_all_now(h, &e) != ERR_OK)
        LOG_W("history", "could not seal at the end, the journal has it: %s", e.text);
    if (h->listening)
        bus_sample_unlisten(&h->listener);
    if (h->cfg.journal)
        journal_consumer_remove(h->cfg.journal, &h->consumer);
    for (size_t i = 0; i < h->heads.n; i++)
        head_free(h, h->heads.v[i]);
    vec_fini(h->cfg.alloc, &h->heads);
    vec_fini(h->cfg.alloc, &h->by_index);
    map_fini(&h->by_name);
    mem_free(h->cfg.alloc, h->seal.heads, SEAL_SERIES * sizeof(struct head *));
    mem_free(h->cfg.alloc, h, sizeof(*h));
}

struct history_stats history_stats(const struct history *h)
{
    struct history_stats s = h->stats;
    s.series = h->heads.n;
    s.head_points = h->unsealed;
    s.points += h->unsealed;
    s.damaged = atomic_load(&h->damaged);
    return s;
}
