#include "base/log.h"
#include "store/db_internal.h"
#include <stdio.h>
#include <string.h>

/* ---- connections ---- */

static enum err code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return ERR_OK;
    case SQLITE_NOMEM: return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_AGAIN;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    case SQLITE_CONSTRAINT: return ERR_EXISTS;
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: return ERR_RANGE;
    case SQLITE_INTERRUPT: return ERR_CANCELED;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return ERR_IO;
    default: return ERR_INVALID;
    }
}

enum err db_error(struct sqlite3 *sql, struct error *e, const char *what)
{
    enum err r = code_of(sqlite3_errcode(sql));
    if (r == ERR_OK)
        r = ERR_INVALID;
    return error_set(e, r, "%s: %s", what, sqlite3_errmsg(sql));
}

enum err db_exec(sqlite3 *sql, const char *script, struct error *e)
{
    if (sqlite3_exec(sql, script, NULL, NULL, NULL) == SQLITE_OK)
        return ERR_OK;
    return db_error(sql, e, "database");
}

enum err db_connect(const char *path, const struct vfs *vfs, bool write, sqlite3 **out,
                    struct error *e)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_READWRITE;
    if (write)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(path, out, flags, vfs ? vfs_name(vfs) : NULL);
    if (rc != SQLITE_OK) {
        enum err r = error_set(e, code_of(rc), "could not open %s: %s", path, sqlite3_errstr(rc));
        (void)sqlite3_close(*out);
        *out = NULL;
        return r;
    }
    (void)sqlite3_busy_timeout(*out, 5000);
    (void)sqlite3_extended_result_codes(*out, 1);
    enum err r = db_exec(*out,
                         write ? "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;"
                                 "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                                 "PRAGMA foreign_keys=ON; PRAGMA cache_size=-2048;"
                               : "PRAGMA foreign_keys=ON; PRAGMA cache_size=-1024;"
                                 "PRAGMA query_only=ON;",
                         e);
    if (r != ERR_OK) {
        (void)sqlite3_close(*out);
        *out = NULL;
    }
    return r;
}

static enum err pragma_int(sqlite3 *sql, const char *query, int64_t *out, struct error *e)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, query, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, e, "database");
    int rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_error(sql, e, "database");
}

/* Is it ours and readable? A full check takes too long on a large file; it is made when damage has
 * been met before. */
static enum err examine(sqlite3 *sql, const char *path, bool suspect, struct error *e)
{
    int64_t id = 0;
    int64_t tables = 0;
    enum err r = pragma_int(sql, "PRAGMA application_id", &id, e);
    if (r == ERR_OK)
        r = pragma_int(sql, "SELECT count(*) FROM sqlite_schema", &tables, e);
    if (r != ERR_OK)
        return r;
    if (id != DB_APPLICATION_ID && (id != 0 || tables > 0))
        return error_set(e, ERR_INVALID, "%s is a database, but not one of sedge", path);
    if (!suspect)
        return ERR_OK;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, e, "database");
    int rc = sqlite3_step(st);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    r = text && strcmp(text, "ok") == 0
            ? ERR_OK
            : error_set(e, ERR_CORRUPT, "%s is damaged: %s", path, text ? text : "check failed");
    (void)sqlite3_finalize(st);
    if (r == ERR_OK)
        db_suspect_clear(path);
    return r;
}

static enum err open_writer(struct db *d, struct error *e)
{
    enum err r = db_connect(d->path, d->vfs, true, &d->writer, e);
    if (r == ERR_OK)
        r = examine(d->writer, d->path, !d->vfs && db_suspect(d->path), e);
    if (r == ERR_CORRUPT && !d->vfs) {
        LOG_E("db", "%s", e->text);
        (void)sqlite3_close(d->writer);
        d->writer = NULL;
        *e = (struct error){0};
        r = db_salvage(d->path, e);
        if (r == ERR_OK)
            r = db_connect(d->path, NULL, true, &d->writer, e);
    }
    if (r != ERR_OK)
        return r;
    char script[256];
    (void)snprintf(script, sizeof(script),
                   "PRAGMA application_id=%d;"
                   "CREATE TABLE IF NOT EXISTS migration(part TEXT PRIMARY KEY, version INTEGER "
                   "NOT NULL) WITHOUT ROWID;"
                   "CREATE TABLE IF NOT EXISTS cursor(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) "
                   "WITHOUT ROWID;",
                   DB_APPLICATION_ID);
    return db_exec(d->writer, script, e);
}

/* ---- open, close ---- */

enum err db_open(struct db **out, const struct db_config *cfg, struct error *e)
{
    struct error none = {0};
    e = e ? e : &none;
    *out = NULL;
    size_t n = strlen(cfg->path);
    if (n == 0 || n > DB_PATH_MAX)
        return error_set(e, ERR_RANGE, "the database needs a path of at most %u bytes",
                         DB_PATH_MAX);
    struct db *d = mem_zero(cfg->alloc, sizeof(*d));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the database");
    d->ex = cfg->ex;
    d->alloc = cfg->alloc;
    memcpy(d->path, cfg->path, n + 1);
    (void)pthread_mutex_init(&d->write_lock, NULL);
    (void)pthread_mutex_init(&d->read_lock, NULL);
    (void)pthread_cond_init(&d->read_free, NULL);
    enum err r = ERR_OK;
    if (d->ex && executor_env(d->ex)->disk != disk_linux())
        r = vfs_new(&d->vfs, d->alloc, executor_env(d->ex));
    r = r == ERR_OK ? open_writer(d, e) : error_set(e, r, "no memory for the database's files");
    if (r == ERR_OK && d->ex) {
        r = offload_queue_new(&d->writes, d->ex, 1, DB_JOBS_MAX);
        if (r == ERR_OK)
            r = offload_queue_new(&d->reads, d->ex, DB_READERS, DB_JOBS_MAX);
        if (r != ERR_OK)
            r = error_set(e, r, "no memory for the database's queues");
    }
    if (r != ERR_OK) {
        db_close(d);
        return r;
    }
    *out = d;
    return ERR_OK;
}

void db_drain(struct db *d)
{
    if (d->writes)
        offload_drain(d->writes);
    if (d->reads)
        offload_drain(d->reads);
}

void db_close(struct db *d)
{
    if (!d)
        return;
    db_drain(d);
    if (d->writes)
        offload_queue_free(d->writes);
    if (d->reads)
        offload_queue_free(d->reads);
    for (unsigned i = 0; i < DB_READERS; i++) {
        ASSERT(!d->taken[i]);
        (void)sqlite3_close(d->reader[i]);
    }
    if (d->writer && sqlite3_close(d->writer) != SQLITE_OK)
        LOG_E("db", "a statement was left open");
    vfs_free(d->vfs);
    (void)pthread_cond_destroy(&d->read_free);
    (void)pthread_mutex_destroy(&d->read_lock);
    (void)pthread_mutex_destroy(&d->write_lock);
    mem_free(d->alloc, d, sizeof(*d));
}

/* ---- jobs ---- */

static enum err run_write(struct db_job *j, sqlite3 *sql)
{
    enum err r = db_exec(sql, "BEGIN IMMEDIATE", &j->error);
    if (r != ERR_OK)
        return r;
    r = j->run(j, sql);
    if (r == ERR_OK)
        r = db_exec(sql, "COMMIT", &j->error);
    if (r != ERR_OK && !sqlite3_get_autocommit(sql))
        (void)sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

/* A read sees one state of the database from its first statement to its last. */
static enum err run_read(struct db_job *j, sqlite3 *sql)
{
    enum err r = db_exec(sql, "BEGIN", &j->error);
    if (r != ERR_OK)
        return r;
    r = j->run(j, sql);
    if (!sqlite3_get_autocommit(sql))
        (void)sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static enum err reader_take(struct db *d, unsigned *at, struct error *e)
{
    pthread_mutex_lock(&d->read_lock);
    for (;;) {
        unsigned i = 0;
        while (i < DB_READERS && d->taken[i])
            i++;
        if (i < DB_READERS) {
            *at = i;
            d->taken[i] = true;
            break;
        }
        pthread_cond_wait(&d->read_free, &d->read_lock);
    }
    pthread_mutex_unlock(&d->read_lock);
    return d->reader[*at] ? ERR_OK : db_connect(d->path, d->vfs, false, &d->reader[*at], e);
}

static void reader_give(struct db *d, unsigned at)
{
    pthread_mutex_lock(&d->read_lock);
    d->taken[at] = false;
    pthread_cond_signal(&d->read_free);
    pthread_mutex_unlock(&d->read_lock);
}

static void run_job(struct db_job *j)
{
    struct db *d = j->db;
    j->error = (struct error){0};
    if (j->write) {
        pthread_mutex_lock(&d->write_lock);
        j->result = run_write(j, d->writer);
        pthread_mutex_unlock(&d->write_lock);
    } else {
        unsigned at = 0;
        j->result = reader_take(d, &at, &j->error);
        if (j->result == ERR_OK)
            j->result = run_read(j, d->reader[at]);
        reader_give(d, at);
    }
    if (j->result != ERR_OK && j->error.code == ERR_OK)
        (void)error_set(&j->error, j->result, "database: %s", err_name(j->result));
    if (j->result == ERR_CORRUPT) {
        LOG_E("db", "%s; it is checked and mended at the next start", j->error.text);
        if (!d->vfs)
            db_suspect_mark(d->path);
    }
}

static void offload_run(struct offload_job *o)
{
    run_job(CONTAINER_OF(o, struct db_job, job));
}

static void offload_done(struct offload_job *o)
{
    struct db_job *j = CONTAINER_OF(o, struct db_job, job);
    if (j->done)
        j->done(j);
}

enum err db_submit(struct db *d, struct worker *w, struct db_job *j)
{
    if (!d->ex)
        return ERR_INVALID;
    j->db = d;
    j->job.run = offload_run;
    j->job.done = offload_done;
    return offload_submit(j->write ? d->writes : d->reads, w, &j->job);
}

enum err db_run_now(struct db *d, struct db_job *j)
{
    j->db = d;
    run_job(j);
    return j->result;
}

/* ---- cursors ---- */

enum err db_cursor_get(struct sqlite3 *sql, const char *name, uint64_t *seq, struct error *e)
{
    *seq = 0;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "SELECT seq FROM cursor WHERE name=?", -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, e, "cursor");
    (void)sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *seq = (uint64_t)sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_error(sql, e, "cursor");
}

enum err db_cursor_set(struct sqlite3 *sql, const char *name, uint64_t seq, struct error *e)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "INSERT OR REPLACE INTO cursor(name,seq) VALUES(?,?)", -1, &st,
                           NULL) != SQLITE_OK)
        return db_error(sql, e, "cursor");
    (void)sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 2, (sqlite3_int64)seq);
    int rc = sqlite3_step(st);
    (void)sqlite3_finalize(st);
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, e, "cursor");
}

/* ---- migrations ---- */

struct migrate_job {
    struct db_job job;
    const struct db_migration *m;
    int64_t version;
    bool apply; /* the step from `version`; else only look */
};

static enum err set_version(sqlite3 *sql, const char *part, int64_t version, struct error *e)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "INSERT OR REPLACE INTO migration(part,version) VALUES(?,?)", -1,
                           &st, NULL) != SQLITE_OK)
        return db_error(sql, e, part);
    (void)sqlite3_bind_text(st, 1, part, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 2, version);
    int rc = sqlite3_step(st);
    (void)sqlite3_finalize(st);
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, e, part);
}

static enum err migrate_run(struct db_job *j, sqlite3 *sql)
{
    struct migrate_job *g = CONTAINER_OF(j, struct migrate_job, job);
    if (g->apply) {
        enum err r = db_exec(sql, g->m->steps[g->version], &j->error);
        return r == ERR_OK ? set_version(sql, g->m->part, g->version + 1, &j->error) : r;
    }
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "SELECT version FROM migration WHERE part=?", -1, &st, NULL) !=
        SQLITE_OK)
        return db_error(sql, &j->error, g->m->part);
    (void)sqlite3_bind_text(st, 1, g->m->part, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    g->version = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_error(sql, &j->error, g->m->part);
}

enum err db_migrate(struct db *d, const struct db_migration *m, struct error *e)
{
    struct migrate_job g = {.job = {.write = true, .run = migrate_run}, .m = m};
    enum err r = db_run_now(d, &g.job);
    if (r == ERR_OK && g.version > (int64_t)m->count)
        return error_set(e, ERR_UNSUPPORTED,
                         "%s was written by a newer sedge: its part %s has version %lld, this "
                         "program knows %u",
                         d->path, m->part, (long long)g.version, m->count);
    for (g.apply = true; r == ERR_OK && g.version < (int64_t)m->count; g.version++)
        r = db_run_now(d, &g.job);
    if (r != ERR_OK && e)
        *e = g.job.error;
    return r;
}
