#include "history/history_internal.h"
#include <math.h>
#include <sqlite3.h>

static const char *const steps[] = {
    "CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL,"
    " kind INTEGER NOT NULL, points INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0,"
    " bad INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 0,"
    " span INTEGER NOT NULL DEFAULT 0);" /* the longest t1 - t0 of its chunks */
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series(id),"
    " t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, min REAL, max REAL, sum REAL,"
    " first REAL, last REAL, seq INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE INDEX chunk_series_t0 ON chunk(series, t0);"
    "CREATE TABLE rollup(series INTEGER NOT NULL, resolution INTEGER NOT NULL,"
    " t0 INTEGER NOT NULL, n INTEGER NOT NULL, min REAL NOT NULL, max REAL NOT NULL,"
    " sum REAL NOT NULL, PRIMARY KEY(series, resolution, t0)) WITHOUT ROWID;",
};
const struct db_migration history_migration = {
    .part = "history", .steps = steps, .count = ARRAY_LEN(steps)};

enum {
    ST_MAKE,
    ST_FIND,
    ST_NEWEST,
    ST_BEFORE,
    ST_DELETE,
    ST_INSERT,
    ST_ROLLUP,
    ST_UPDATE,
    ST_COUNT,
};
static const char *const texts[ST_COUNT] = {
    [ST_MAKE] = "INSERT OR IGNORE INTO series(name,unit,kind) VALUES(?,?,?)",
    [ST_FIND] = "SELECT id FROM series WHERE name=?",
    [ST_NEWEST] = "SELECT max(t0) FROM chunk WHERE series=?",
    [ST_BEFORE] = "SELECT id,n,seq,crc,data FROM chunk WHERE series=? AND t0<=? "
                  "ORDER BY t0 DESC LIMIT 1",
    [ST_DELETE] = "DELETE FROM chunk WHERE id=?",
    [ST_INSERT] = "INSERT INTO chunk(series,t0,t1,n,min,max,sum,first,last,seq,crc,data) "
                  "VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
    [ST_ROLLUP] = "INSERT INTO rollup(series,resolution,t0,n,min,max,sum) VALUES(?,?,?,?,?,?,?) "
                  "ON CONFLICT DO UPDATE SET n=n+excluded.n, min=min(min,excluded.min), "
                  "max=max(max,excluded.max), sum=sum+excluded.sum",
    [ST_UPDATE] = "UPDATE series SET unit=?2, kind=?3, points=points+?4, chunks=chunks+?5, "
                  "bad=bad+?6, seq=max(seq,?7), span=max(span,?8) WHERE id=?1",
};

struct sealer {
    struct history *h;
    sqlite3 *sql;
    sqlite3_stmt *st[ST_COUNT];
    struct error *e;
    struct head *d;
    int64_t span;
    struct points sorted, piece; /* piece: what becomes one chunk */
    uint8_t *room;
    size_t room_n;
};

static enum err step(struct sealer *s, int which, bool *row)
{
    int rc = sqlite3_step(s->st[which]);
    if (row)
        *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return ERR_OK;
    return db_error(s->sql, s->e, "history");
}

static void bind_str(sqlite3_stmt *st, int i, struct str s)
{
    (void)sqlite3_bind_text(st, i, s.p, (int)s.n, SQLITE_STATIC);
}

static enum err series_row(struct sealer *s)
{
    struct head *d = s->d;
    if (d->id)
        return ERR_OK;
    sqlite3_stmt *st = s->st[ST_MAKE];
    bind_str(st, 1, d->name);
    bind_str(st, 2, d->unit);
    (void)sqlite3_bind_int(st, 3, (int)d->kind);
    enum err r = step(s, ST_MAKE, NULL);
    (void)sqlite3_reset(st);
    if (r != ERR_OK)
        return r;
    st = s->st[ST_FIND];
    bind_str(st, 1, d->name);
    bool row;
    r = step(s, ST_FIND, &row);
    if (r == ERR_OK && row)
        d->job_id = sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    return r == ERR_OK && !row ? error_set(s->e, ERR_CORRUPT, "history: no row for a series") : r;
}

/* ---- one chunk ---- */

static enum err encode(struct sealer *s, size_t *n)
{
    size_t need = chunk_bound(&s->piece);
    if (s->room_n < need) {
        mem_free(s->h->cfg.alloc, s->room, s->room_n);
        s->room = mem_new(s->h->cfg.alloc, need);
        s->room_n = s->room ? need : 0;
    }
    if (!s->room)
        return error_set(s->e, ERR_NOMEM, "no memory to seal");
    struct writer w = writer_from(s->room, s->room_n);
    enum err r = chunk_encode(&w, &s->piece, s->h->cfg.alloc);
    *n = writer_len(&w);
    return r == ERR_OK ? r : error_set(s->e, r, "could not encode a chunk");
}

static enum err insert(struct sealer *s, uint64_t seq)
{
    size_t n = 0;
    enum err r = encode(s, &n);
    if (r != ERR_OK)
        return r;
    struct points_summary a = points_summary(&s->piece);
    sqlite3_stmt *st = s->st[ST_INSERT];
    (void)sqlite3_bind_int64(st, 1, s->d->job_id);
    (void)sqlite3_bind_int64(st, 2, a.t0);
    (void)sqlite3_bind_int64(st, 3, a.t1);
    (void)sqlite3_bind_int64(st, 4, a.n);
    const double figures[] = {a.min, a.max, a.sum, a.first, a.last};
    for (int i = 0; i < 5; i++) {
        if (a.numeric && isfinite(a.sum))
            (void)sqlite3_bind_double(st, 5 + i, figures[i]);
        else
            (void)sqlite3_bind_null(st, 5 + i);
    }
    (void)sqlite3_bind_int64(st, 10, (sqlite3_int64)seq);
    (void)sqlite3_bind_int64(st, 11, crc32c(0, s->room, n));
    (void)sqlite3_bind_blob(st, 12, s->room, (int)n, SQLITE_STATIC);
    r = step(s, ST_INSERT, NULL);
    (void)sqlite3_reset(st);
    uint64_t span = (uint64_t)a.t1 - (uint64_t)a.t0;
    s->span = span > (uint64_t)s->span ? (span > INT64_MAX ? INT64_MAX : (int64_t)span) : s->span;
    s->d->job_chunks++;
    s->d->job_bytes += n;
    return r;
}

/* The chunk before the piece, if it is small enough to take it in; it moves into the piece. */
static enum err take_in(struct sealer *s, uint64_t *seq)
{
    sqlite3_stmt *st = s->st[ST_BEFORE];
    (void)sqlite3_bind_int64(st, 1, s->d->job_id);
    (void)sqlite3_bind_int64(st, 2, s->piece.ts[0]);
    bool row;
    enum err r = step(s, ST_BEFORE, &row);
    struct points old;
    points_init(&old, s->h->cfg.alloc, s->piece.kind);
    int64_t id = 0;
    if (r == ERR_OK && row &&
        sqlite3_column_int64(st, 1) + s->piece.n <= (int64_t)s->h->cfg.seal_points) {
        struct bytes data = {sqlite3_column_blob(st, 4), (size_t)sqlite3_column_bytes(st, 4)};
        bool whole = data.p && crc32c(0, data.p, data.n) == sqlite3_column_int64(st, 3);
        r = whole ? chunk_decode(data, &old) : ERR_CORRUPT;
        if (r == ERR_OK && old.kind == s->piece.kind)
            id = sqlite3_column_int64(st, 0);
        else if (r == ERR_CORRUPT)
            r = ERR_OK; /* it stays where it is; who reads it will say so */
        uint64_t old_seq = (uint64_t)sqlite3_column_int64(st, 2);
        *seq = id && old_seq > *seq ? old_seq : *seq;
    }
    (void)sqlite3_reset(st);
    if (r == ERR_OK && id) {
        r = points_add_range(&old, &s->piece, 0, INT64_MIN, INT64_MAX);
        struct points swap = s->piece;
        s->piece = old;
        old = swap;
        if (r == ERR_OK)
            r = points_sort(&s->piece);
        (void)sqlite3_bind_int64(s->st[ST_DELETE], 1, id);
        if (r == ERR_OK)
            r = step(s, ST_DELETE, NULL);
        (void)sqlite3_reset(s->st[ST_DELETE]);
        s->d->job_chunks--;
    }
    points_fini(&old);
    return r;
}

static enum err piece_of(struct sealer *s, uint32_t from, uint32_t to)
{
    points_clear(&s->piece);
    s->piece.kind = s->sorted.kind;
    enum err r = points_reserve(&s->piece, to - from);
    for (uint32_t i = from; r == ERR_OK && i < to; i++) {
        struct value v = points_value(&s->sorted, i);
        r = points_add(&s->piece, s->sorted.ts[i], &v);
    }
    uint64_t seq = s->d->sealing_last;
    if (r == ERR_OK)
        r = take_in(s, &seq);
    if (r != ERR_OK)
        return s->e->code ? r : error_set(s->e, r, "no memory to seal");
    return insert(s, seq);
}

/* ---- roll-ups ---- */

static enum err rollup_put(struct sealer *s, const struct history_window *x)
{
    sqlite3_stmt *st = s->st[ST_ROLLUP];
    (void)sqlite3_bind_int64(st, 1, s->d->job_id);
    (void)sqlite3_bind_int64(st, 2, ROLLUP_MS);
    (void)sqlite3_bind_int64(st, 3, x->t0_ms);
    (void)sqlite3_bind_int64(st, 4, (sqlite3_int64)x->n);
    (void)sqlite3_bind_double(st, 5, x->min);
    (void)sqlite3_bind_double(st, 6, x->max);
    (void)sqlite3_bind_double(st, 7, x->sum);
    enum err r = step(s, ST_ROLLUP, NULL);
    (void)sqlite3_reset(st);
    return r;
}

static enum err rollups(struct sealer *s)
{
    struct windows w = {.alloc = s->h->cfg.alloc, .window_ms = ROLLUP_MS, .limit = SIZE_MAX - 1};
    for (uint32_t i = 0; i < s->sorted.n; i++)
        windows_add_point(&w, s->sorted.ts[i], points_number(&s->sorted, i));
    enum err r = w.failed ? error_set(s->e, ERR_NOMEM, "no memory to seal") : ERR_OK;
    for (size_t i = 0; r == ERR_OK && i < w.all.n; i++)
        r = rollup_put(s, &w.all.v[i]);
    vec_fini(w.alloc, &w.all);
    return r;
}

/* ---- one series ---- */

/* Points older than the newest chunk are late: they do not go into one chunk with the others,
 * which would span all the time between. */
static enum err first_in_time(struct sealer *s, uint32_t *out)
{
    sqlite3_stmt *st = s->st[ST_NEWEST];
    (void)sqlite3_bind_int64(st, 1, s->d->job_id);
    bool row;
    enum err r = step(s, ST_NEWEST, &row);
    *out = 0;
    if (r == ERR_OK && row && sqlite3_column_type(st, 0) == SQLITE_INTEGER)
        while (*out < s->sorted.n && s->sorted.ts[*out] < sqlite3_column_int64(st, 0))
            (*out)++;
    (void)sqlite3_reset(st);
    return r;
}

static enum err pieces(struct sealer *s, uint32_t from, uint32_t to)
{
    enum err r = ERR_OK;
    while (r == ERR_OK && from < to) {
        uint32_t n = to - from < s->h->cfg.seal_points ? to - from : s->h->cfg.seal_points;
        r = piece_of(s, from, from + n);
        from += n;
    }
    return r;
}

static enum err series_update(struct sealer *s)
{
    struct head *d = s->d;
    sqlite3_stmt *st = s->st[ST_UPDATE];
    (void)sqlite3_bind_int64(st, 1, d->job_id);
    bind_str(st, 2, d->unit);
    (void)sqlite3_bind_int(st, 3, (int)d->kind);
    (void)sqlite3_bind_int64(st, 4, d->sealing.n);
    (void)sqlite3_bind_int64(st, 5, d->job_chunks);
    (void)sqlite3_bind_int64(st, 6, d->sealing_bad);
    (void)sqlite3_bind_int64(st, 7, (sqlite3_int64)d->sealing_last);
    (void)sqlite3_bind_int64(st, 8, s->span);
    enum err r = step(s, ST_UPDATE, NULL);
    (void)sqlite3_reset(st);
    return r;
}

static enum err seal_series(struct sealer *s)
{
    s->span = 0;
    s->d->job_chunks = 0;
    s->d->job_bytes = 0;
    points_clear(&s->sorted);
    s->sorted.kind = s->d->sealing.kind;
    enum err r = series_row(s);
    if (r != ERR_OK)
        return r;
    /* A copy: worker 0 reads the points, in the order in which they came, for its queries. */
    r = points_add_range(&s->sorted, &s->d->sealing, 0, INT64_MIN, INT64_MAX);
    if (r == ERR_OK)
        r = points_sort(&s->sorted);
    if (r != ERR_OK)
        return error_set(s->e, r, "no memory to seal");
    uint32_t late = 0;
    r = first_in_time(s, &late);
    if (r == ERR_OK)
        r = pieces(s, 0, late);
    if (r == ERR_OK)
        r = pieces(s, late, s->sorted.n);
    if (r == ERR_OK)
        r = rollups(s);
    return r == ERR_OK ? series_update(s) : r;
}

enum err seal_run(struct db_job *j, struct sqlite3 *sql)
{
    struct history *h = CONTAINER_OF(j, struct history, seal.job);
    struct sealer s = {.h = h, .sql = sql, .e = &j->error};
    points_init(&s.sorted, h->cfg.alloc, VALUE_FLOAT);
    points_init(&s.piece, h->cfg.alloc, VALUE_FLOAT);
    enum err r = ERR_OK;
    for (int i = 0; r == ERR_OK && i < ST_COUNT; i++)
        if (sqlite3_prepare_v2(sql, texts[i], -1, &s.st[i], NULL) != SQLITE_OK)
            r = db_error(sql, &j->error, "history");
    for (size_t i = 0; r == ERR_OK && i < h->seal.n; i++) {
        s.d = h->seal.heads[i];
        r = seal_series(&s);
    }
    if (r == ERR_OK)
        r = db_cursor_set(sql, "history", h->seal.cursor, &j->error);
    for (int i = 0; i < ST_COUNT; i++)
        (void)sqlite3_finalize(s.st[i]);
    points_fini(&s.sorted);
    points_fini(&s.piece);
    mem_free(h->cfg.alloc, s.room, s.room_n);
    return r;
}
