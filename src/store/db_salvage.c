#include "base/log.h"
#include "store/db_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_MAX_SQL   512u
#define SALVAGE_SUFFIX ".salvage"

/* ---- the mark ---- */

static void suspect_path(const char *path, char out[NAME_MAX_SQL])
{
    (void)snprintf(out, NAME_MAX_SQL, "%s.suspect", path);
}

void db_suspect_mark(const char *path)
{
    char mark[NAME_MAX_SQL];
    suspect_path(path, mark);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

bool db_suspect(const char *path)
{
    char mark[NAME_MAX_SQL];
    suspect_path(path, mark);
    return access(mark, F_OK) == 0;
}

void db_suspect_clear(const char *path)
{
    char mark[NAME_MAX_SQL];
    suspect_path(path, mark);
    (void)unlink(mark);
}

/* ---- table by table ---- */

struct salvage {
    sqlite3 *from, *to;
    uint64_t rows, tables, damaged;
    struct error *e;
};

/* Copies rows until the end or the damage. */
static bool copy_rows(struct salvage *s, const char *select, const char *insert, uint64_t *rows)
{
    sqlite3_stmt *in = NULL;
    sqlite3_stmt *out = NULL;
    bool whole = sqlite3_prepare_v2(s->from, select, -1, &in, NULL) == SQLITE_OK &&
                 sqlite3_prepare_v2(s->to, insert, -1, &out, NULL) == SQLITE_OK;
    while (whole) {
        int rc = sqlite3_step(in);
        if (rc != SQLITE_ROW) {
            whole = rc == SQLITE_DONE;
            break;
        }
        for (int i = 0; i < sqlite3_column_count(in); i++)
            (void)sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        if (sqlite3_step(out) == SQLITE_DONE)
            *rows += (uint64_t)sqlite3_changes(s->to);
        (void)sqlite3_reset(out);
    }
    (void)sqlite3_finalize(in);
    (void)sqlite3_finalize(out);
    return whole;
}

/* "?,?,?" for all columns of a table; false if it has none that can be named. */
static bool placeholders(struct salvage *s, const char *table, char *out, size_t max)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->to, "SELECT count(*) FROM pragma_table_info(?)", -1, &st, NULL) !=
        SQLITE_OK)
        return false;
    (void)sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    int n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    (void)sqlite3_finalize(st);
    if (n <= 0 || (size_t)n * 2 > max)
        return false;
    for (int i = 0; i < n; i++) {
        out[2 * i] = '?';
        out[2 * i + 1] = i + 1 < n ? ',' : '\0';
    }
    return true;
}

/* Rows with a rowid are read from both ends, so that only what lies between damage is lost. Every
 * table of ours has a key, so a row that is met twice is there once. */
static void copy_table(struct salvage *s, const char *name)
{
    char marks[256];
    if (!placeholders(s, name, marks, sizeof(marks)))
        return;
    char *insert = sqlite3_mprintf("INSERT OR IGNORE INTO \"%w\" VALUES(%s)", name, marks);
    char *up = sqlite3_mprintf("SELECT * FROM \"%w\" NOT INDEXED", name);
    char *down = sqlite3_mprintf("SELECT * FROM \"%w\" NOT INDEXED ORDER BY rowid DESC", name);
    uint64_t rows = 0;
    if (insert && up && down) {
        s->tables++;
        if (!copy_rows(s, up, insert, &rows)) {
            s->damaged++;
            (void)copy_rows(s, down, insert, &rows);
            LOG_E("db", "table %s is damaged: %llu rows could be read", name,
                  (unsigned long long)rows);
        }
    }
    s->rows += rows;
    sqlite3_free(insert);
    sqlite3_free(up);
    sqlite3_free(down);
}

/* Calls each() with name and SQL of all that has SQL, tables first. */
static void each_schema(struct salvage *s, const char *where,
                        void (*each)(struct salvage *s, const char *name, const char *sql))
{
    char query[256];
    (void)snprintf(query, sizeof(query),
                   "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND "
                   "name NOT LIKE 'sqlite_%%' AND %s",
                   where);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->from, query, -1, &st, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0);
        const char *sql = (const char *)sqlite3_column_text(st, 1);
        if (name && sql)
            each(s, name, sql);
    }
    (void)sqlite3_finalize(st);
}

static void make_and_copy(struct salvage *s, const char *name, const char *sql)
{
    struct error e = {0};
    if (db_exec(s->to, sql, &e) == ERR_OK)
        copy_table(s, name);
    else
        LOG_E("db", "table %s could not be made again: %s", name, e.text);
}

static void make_only(struct salvage *s, const char *name, const char *sql)
{
    struct error e = {0};
    if (db_exec(s->to, sql, &e) != ERR_OK)
        LOG_E("db", "index %s could not be made again: %s", name, e.text);
}

/* Without it nobody knows what shape the other tables have. */
static bool migrations_readable(struct salvage *s)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->from, "SELECT part, version FROM migration", -1, &st, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW)
        rc = sqlite3_step(st);
    (void)sqlite3_finalize(st);
    return rc == SQLITE_DONE;
}

static enum err salvage_into(struct salvage *s, const char *damaged, const char *fresh)
{
    (void)unlink(fresh);
    enum err r = db_connect(fresh, NULL, true, &s->to, s->e);
    if (r != ERR_OK)
        return r;
    if (sqlite3_open_v2(damaged, &s->from, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) ==
            SQLITE_OK &&
        migrations_readable(s)) {
        r = db_exec(s->to, "BEGIN", s->e);
        each_schema(s, "type='table'", make_and_copy);
        each_schema(s, "type<>'table'", make_only);
        if (r == ERR_OK)
            r = db_exec(s->to, "COMMIT", s->e);
    }
    (void)sqlite3_close(s->from);
    /* One file, so that it can be put in place by one rename. */
    if (r == ERR_OK)
        r = db_exec(s->to, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE", s->e);
    if (sqlite3_close(s->to) != SQLITE_OK && r == ERR_OK)
        r = error_set(s->e, ERR_IO, "could not close %s", fresh);
    return r;
}

static enum err move(const char *from, const char *to, bool must, struct error *e)
{
    if (rename(from, to) == 0 || (!must && errno == ENOENT))
        return ERR_OK;
    return error_set_os(e, errno, "could not rename %s to %s", from, to);
}

/* At every instant `path` is either the damaged file or the new one, never nothing. */
static enum err put_in_place(const char *path, const char *damaged, const char *fresh,
                             struct error *e)
{
    char a[NAME_MAX_SQL];
    char b[NAME_MAX_SQL];
    (void)snprintf(a, sizeof(a), "%s-wal", path);
    (void)snprintf(b, sizeof(b), "%.480s-wal", damaged);
    enum err r = move(a, b, false, e);
    if (r != ERR_OK)
        return r;
    (void)snprintf(a, sizeof(a), "%s-shm", path);
    (void)unlink(a);
    if (link(path, damaged) != 0)
        return error_set_os(e, errno, "could not keep the damaged database as %s", damaged);
    r = move(fresh, path, true, e);
    if (r == ERR_OK)
        LOG_E("db", "the damaged database is kept as %s", damaged);
    return r;
}

enum err db_salvage(const char *path, struct error *e)
{
    char damaged[NAME_MAX_SQL];
    char fresh[NAME_MAX_SQL];
    (void)snprintf(damaged, sizeof(damaged), "%s.damaged-%lld", path, (long long)time(NULL));
    (void)snprintf(fresh, sizeof(fresh), "%s" SALVAGE_SUFFIX, path);
    struct salvage s = {.e = e};
    enum err r = salvage_into(&s, path, fresh);
    if (r == ERR_OK)
        r = put_in_place(path, damaged, fresh, e);
    if (r != ERR_OK)
        return r;
    db_suspect_clear(path);
    if (s.tables == 0)
        LOG_E("db", "nothing of it could be read: the site starts with an empty database");
    else
        LOG_E("db", "%llu rows of %llu tables were salvaged; %llu tables have lost rows",
              (unsigned long long)s.rows, (unsigned long long)s.tables,
              (unsigned long long)s.damaged);
    return ERR_OK;
}
