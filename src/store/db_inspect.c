#include "store/db_internal.h"
#include "store/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { URI_MAX = 3 * DB_PATH_MAX + 64 };

static enum err failed(sqlite3 *sql, const char *path, struct error *e)
{
    int rc = sql ? sqlite3_errcode(sql) & 0xff : SQLITE_NOMEM;
    enum err err = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? ERR_CORRUPT : ERR_IO;
    return error_set(e, err, "%s: %s", path, sql ? sqlite3_errmsg(sql) : "no memory");
}

/* A path in a URI: what has a meaning there is escaped. */
static enum err uri_of(const char *path, const char *options, char out[URI_MAX], struct error *e)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), URI_MAX - 1);
    strbuf_adds(&b, "file:");
    for (const char *p = path; *p; p++)
        if (strchr("?#%", *p))
            strbuf_addf(&b, "%%%02x", (unsigned char)*p);
        else
            strbuf_addc(&b, *p);
    strbuf_adds(&b, options);
    bool fits = !b.failed;
    if (fits)
        memcpy(out, b.p, b.n + 1);
    strbuf_fini(&b);
    return fits ? ERR_OK : error_set(e, ERR_RANGE, "the path of the database is too long");
}

static enum err try_open(const char *path, const char *options, sqlite3 **out, struct error *e)
{
    char uri[URI_MAX];
    enum err err = uri_of(path, options, uri, e);
    if (err)
        return err;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    bool ok =
        sqlite3_open_v2(uri, out, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(*out, 5000) == SQLITE_OK &&
        sqlite3_exec(*out, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK;
    if (ok)
        return ERR_OK;
    err = failed(*out, path, e);
    (void)sqlite3_close(*out);
    *out = NULL;
    return err;
}

/* A reader shares a log with the writer by a file beside the database, which it makes if need be
 * and is not allowed to remove. Where there is no log, nobody writes, and it can do without: who
 * only looks leaves nothing behind then, who copies may meet a site that starts right now. */
static enum err open_to_read(const char *path, bool copy, sqlite3 **out, struct error *e)
{
    char wal[DB_PATH_MAX + 8];
    struct stat st;
    if (strlen(path) > DB_PATH_MAX)
        return error_set(e, ERR_RANGE, "the path of the database is too long");
    if (stat(path, &st) != 0)
        return error_set(e, ERR_NOT_FOUND, "there is no %s", path);
    (void)snprintf(wal, sizeof(wal), "%s-wal", path);
    bool logged = stat(wal, &st) == 0;
    enum err err = logged || copy ? try_open(path, "?mode=ro", out, e) : ERR_IO;
    return err == ERR_IO && !logged ? try_open(path, "?mode=ro&immutable=1", out, e) : err;
}

static enum err number(sqlite3 *sql, const char *path, const char *query, int64_t *out,
                       struct error *e)
{
    sqlite3_stmt *st = NULL;
    *out = 0;
    bool ok = sqlite3_prepare_v2(sql, query, -1, &st, NULL) == SQLITE_OK &&
              sqlite3_step(st) == SQLITE_ROW;
    if (ok)
        *out = sqlite3_column_int64(st, 0);
    enum err err = ok ? ERR_OK : failed(sql, path, e);
    (void)sqlite3_finalize(st);
    return err;
}

static enum err read_cursors(sqlite3 *sql, const char *path, struct db_seen *out, struct error *e)
{
    int64_t n, min, max;
    enum err err =
        number(sql, path, "SELECT count(*) FROM sqlite_schema WHERE name='cursor'", &n, e);
    if (err || n == 0)
        return err;
    err = number(sql, path, "SELECT count(*) FROM cursor", &n, e);
    if (!err)
        err = number(sql, path, "SELECT coalesce(min(seq),0) FROM cursor", &min, e);
    if (!err)
        err = number(sql, path, "SELECT coalesce(max(seq),0) FROM cursor", &max, e);
    if (err)
        return err;
    out->cursors = (unsigned)n;
    out->cursor_min = (uint64_t)min;
    out->cursor_max = (uint64_t)max;
    return ERR_OK;
}

static enum err check(sqlite3 *sql, const char *path, bool thorough, struct db_seen *out,
                      struct error *e)
{
    int64_t id;
    enum err err = number(sql, path, "PRAGMA application_id", &id, e);
    if (err)
        return err;
    if (id != DB_APPLICATION_ID) {
        (void)snprintf(out->damage, sizeof(out->damage), "it is a database, but not one of sedge");
        return ERR_OK;
    }
    err = read_cursors(sql, path, out, e);
    if (err || !thorough)
        return err;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK)
        return failed(sql, path, e);
    const char *text = sqlite3_step(st) == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0)
                                                      : sqlite3_errmsg(sql);
    if (!text || strcmp(text, "ok") != 0)
        (void)snprintf(out->damage, sizeof(out->damage), "%s", text ? text : "no memory");
    (void)sqlite3_finalize(st);
    return ERR_OK;
}

enum err db_inspect(const char *path, bool thorough, struct db_seen *out, struct error *e)
{
    struct error why = {0};
    struct stat st;
    sqlite3 *sql = NULL;
    *out = (struct db_seen){0};
    enum err err = open_to_read(path, false, &sql, &why);
    if (!err)
        err = check(sql, path, thorough, out, &why);
    (void)sqlite3_close(sql);
    if (stat(path, &st) == 0)
        out->bytes = (uint64_t)st.st_size;
    if (err == ERR_CORRUPT) { /* that is what was asked */
        (void)snprintf(out->damage, sizeof(out->damage), "%.*s", INSPECT_TEXT - 1, why.text);
        return ERR_OK;
    }
    if (err && e)
        *e = why;
    return err;
}

enum err db_copy(const char *path, const char *to, struct error *e)
{
    sqlite3 *from = NULL, *copy = NULL;
    enum err err = open_to_read(path, true, &from, e);
    if (err)
        return err;
    /* Before SQLite would make it, readable by all, and wherever a link leads to. */
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        err = errno == EEXIST ? error_set(e, ERR_EXISTS, "there is a %s already", to)
                              : error_set_os(e, errno, "%s can't be made", to);
        (void)sqlite3_close(from);
        return err;
    }
    (void)close(fd);
    if (sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        err = failed(copy, to, e);
    /* All in one step: of one read transaction, however much is written meanwhile. */
    sqlite3_backup *b = err ? NULL : sqlite3_backup_init(copy, "main", from, "main");
    if (!err && (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE)) {
        (void)sqlite3_backup_finish(b);
        b = NULL;
        err = failed(copy, path, e);
    }
    if (b && sqlite3_backup_finish(b) != SQLITE_OK)
        err = failed(copy, to, e);
    (void)sqlite3_close(from);
    if (sqlite3_close(copy) != SQLITE_OK && !err)
        err = error_set(e, ERR_IO, "%s can't be closed", to);
    if (err)
        (void)unlink(to);
    return err;
}
