#include "store/db_internal.h"
#include "tests/support/test.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const steps[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, b BLOB);"
    "CREATE INDEX t_x ON t(x);",
    "CREATE TABLE u(k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID; INSERT INTO u VALUES('a', 1);",
};
static const struct db_migration two = {.part = "thing", .steps = steps, .count = 2};
static const struct db_migration one = {.part = "thing", .steps = steps, .count = 1};

struct crowd;
struct query {
    struct db_job job;
    const char *sql;
    int64_t got;
    char text[64];
    enum err then; /* what run() returns */
    struct crowd *of;
};

static enum err query_run(struct db_job *j, sqlite3 *sql)
{
    struct query *q = CONTAINER_OF(j, struct query, job);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, q->sql, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, &j->error, "query");
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        q->got = sqlite3_column_int64(st, 0);
        const char *text = (const char *)sqlite3_column_text(st, 0);
        (void)snprintf(q->text, sizeof(q->text), "%s", text ? text : "");
    }
    enum err r =
        rc == SQLITE_ROW || rc == SQLITE_DONE ? q->then : db_error(sql, &j->error, "query");
    (void)sqlite3_finalize(st);
    return r;
}

static int64_t ask(struct db *d, const char *sql)
{
    struct query q = {.job = {.run = query_run}, .sql = sql, .got = -1};
    CHECK_EQ_INT(db_run_now(d, &q.job), ERR_OK);
    return q.got;
}

static enum err change(struct db *d, const char *sql, enum err then, struct error *e)
{
    struct query q = {.job = {.run = query_run, .write = true}, .sql = sql, .then = then};
    enum err r = db_run_now(d, &q.job);
    if (e)
        *e = q.job.error;
    return r;
}

static const char *file(void)
{
    static char path[300];
    (void)snprintf(path, sizeof(path), "%s/site.db", test_tmpdir());
    return path;
}

static struct db *open_at(const char *path)
{
    struct db_config cfg = {.alloc = alloc_system(), .path = path};
    struct db *d = NULL;
    struct error e = {0};
    if (!CHECK_EQ_INT(db_open(&d, &cfg, &e), ERR_OK))
        CHECK_EQ_STR(e.text, "");
    REQUIRE(d);
    return d;
}

TEST(db_settings_are_the_safe_ones)
{
    struct db *d = open_at(file());
    struct query q = {.job = {.run = query_run}, .sql = "PRAGMA journal_mode"};
    CHECK_EQ_INT(db_run_now(d, &q.job), ERR_OK);
    CHECK_EQ_STR(q.text, "wal");
    CHECK_EQ_INT(ask(d, "PRAGMA page_size"), 4096);
    CHECK_EQ_INT(ask(d, "PRAGMA application_id"), DB_APPLICATION_ID);
    struct query w = {.job = {.run = query_run, .write = true}, .sql = "PRAGMA synchronous"};
    CHECK_EQ_INT(db_run_now(d, &w.job), ERR_OK);
    CHECK_EQ_INT(w.got, 2);
    w.sql = "PRAGMA wal_autocheckpoint";
    CHECK_EQ_INT(db_run_now(d, &w.job), ERR_OK);
    CHECK_EQ_INT(w.got, 4000);
    w.sql = "PRAGMA foreign_keys";
    CHECK_EQ_INT(db_run_now(d, &w.job), ERR_OK);
    CHECK_EQ_INT(w.got, 1);
    db_close(d);
}

TEST(db_migrations)
{
    struct error e = {0};
    struct db *d = open_at(file());
    CHECK_EQ_INT(db_migrate(d, &one, &e), ERR_OK);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 0);
    CHECK_EQ_INT(change(d, "INSERT INTO t(x) VALUES('here')", ERR_OK, NULL), ERR_OK);
    db_close(d);
    for (int i = 0; i < 2; i++) { /* from 1 to 2, then nothing to do */
        d = open_at(file());
        CHECK_EQ_INT(db_migrate(d, &two, &e), ERR_OK);
        CHECK_EQ_INT(ask(d, "SELECT v FROM u"), 1);
        CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 1);
        CHECK_EQ_INT(ask(d, "SELECT version FROM migration WHERE part='thing'"), 2);
        db_close(d);
    }
    d = open_at(file());
    CHECK_EQ_INT(db_migrate(d, &one, &e), ERR_UNSUPPORTED);
    CHECK_HAS_STR(e.text, "newer sedge");
    db_close(d);
}

TEST(db_a_migration_that_fails_changes_nothing)
{
    static const char *const bad[] = {"CREATE TABLE a(x); CREATE TABLE a(x);"};
    struct db_migration m = {.part = "bad", .steps = bad, .count = 1};
    struct error e = {0};
    struct db *d = open_at(file());
    CHECK(db_migrate(d, &m, &e) != ERR_OK);
    CHECK_HAS_STR(e.text, "already exists");
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM sqlite_schema WHERE name='a'"), 0);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM migration"), 0);
    db_close(d);
}

TEST(db_a_write_that_fails_is_rolled_back)
{
    struct error e = {0};
    struct db *d = open_at(file());
    REQUIRE(db_migrate(d, &two, &e) == ERR_OK);
    CHECK_EQ_INT(change(d, "INSERT INTO t(x) VALUES('gone')", ERR_RANGE, &e), ERR_RANGE);
    CHECK(e.text[0] != '\0');
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 0);
    CHECK_EQ_INT(change(d, "INSERT INTO u VALUES('a', 2)", ERR_OK, &e), ERR_EXISTS);
    CHECK_EQ_INT(change(d, "INSERT INTO t(x) VALUES('stays')", ERR_OK, NULL), ERR_OK);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 1);
    /* A reader can't write. */
    struct query q = {.job = {.run = query_run}, .sql = "INSERT INTO t(x) VALUES('no')"};
    CHECK_EQ_INT(db_run_now(d, &q.job), ERR_IO);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 1);
    db_close(d);
}

struct cursor_job {
    struct db_job job;
    uint64_t set, got;
};
static enum err cursor_run(struct db_job *j, sqlite3 *sql)
{
    struct cursor_job *c = CONTAINER_OF(j, struct cursor_job, job);
    enum err r = ERR_OK;
    if (c->set)
        r = db_cursor_set(sql, "thing", c->set, &j->error);
    return r == ERR_OK ? db_cursor_get(sql, "thing", &c->got, &j->error) : r;
}

TEST(db_cursors)
{
    static const uint64_t values[] = {0, 1, 17, 1, INT64_MAX};
    struct db *d = open_at(file());
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct cursor_job c = {.job = {.run = cursor_run, .write = true}, .set = values[i]};
        CHECK_EQ_INT(db_run_now(d, &c.job), ERR_OK);
        CHECK_EQ_UINT(c.got, values[i]);
    }
    db_close(d);
}

/* ---- damage ---- */

static void fill(struct db *d, unsigned rows)
{
    char sql[200];
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%u) "
                   "INSERT INTO t SELECT i, 'row ' || i, zeroblob(1000) FROM n",
                   rows);
    REQUIRE(change(d, sql, ERR_OK, NULL) == ERR_OK);
}

static void damage(const char *path, off_t at, size_t n)
{
    uint8_t junk[4096];
    memset(junk, 0xa5, sizeof(junk));
    int fd = open(path, O_WRONLY);
    REQUIRE(fd >= 0);
    CHECK_EQ_INT(pwrite(fd, junk, n, at), n);
    (void)close(fd);
}

static unsigned files_with(const char *part)
{
    unsigned n = 0;
    DIR *dir = opendir(test_tmpdir());
    REQUIRE(dir);
    for (struct dirent *de; (de = readdir(dir));)
        n += strstr(de->d_name, part) != NULL;
    (void)closedir(dir);
    return n;
}

TEST(db_damaged_head_is_put_aside)
{
    struct error e = {0};
    struct db *d = open_at(file());
    REQUIRE(db_migrate(d, &two, &e) == ERR_OK);
    fill(d, 100);
    db_close(d);
    damage(file(), 0, 200);
    d = open_at(file());
    CHECK_EQ_UINT(files_with("site.db.damaged-"), 1);
    CHECK_EQ_INT(db_migrate(d, &two, &e), ERR_OK);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 0); /* and the log has said so */
    db_close(d);
}

/* A page in the middle of a table is found by who reads it, and mended at the next start. */
TEST(db_damaged_page_is_salvaged)
{
    struct error e = {0};
    struct db *d = open_at(file());
    REQUIRE(db_migrate(d, &two, &e) == ERR_OK);
    fill(d, 1000);
    db_close(d);
    damage(file(), 100 * 4096, 4096);
    d = open_at(file());
    CHECK_EQ_UINT(files_with(".damaged-"), 0);
    struct query q = {.job = {.run = query_run}, .sql = "SELECT sum(length(b)) FROM t"};
    CHECK_EQ_INT(db_run_now(d, &q.job), ERR_CORRUPT);
    CHECK_EQ_UINT(files_with(".suspect"), 1);
    db_close(d);
    d = open_at(file());
    CHECK_EQ_UINT(files_with("site.db.damaged-"), 1);
    CHECK_EQ_UINT(files_with(".suspect"), 0);
    CHECK_EQ_INT(db_migrate(d, &two, &e), ERR_OK);
    int64_t rows = ask(d, "SELECT count(*) FROM t");
    CHECK(rows >= 990 && rows < 1000);
    CHECK_EQ_INT(ask(d, "SELECT min(id) FROM t"), 1);
    CHECK_EQ_INT(ask(d, "SELECT max(id) FROM t"), 1000);
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t WHERE x = 'row 1'"), 1);
    CHECK_EQ_INT(ask(d, "SELECT v FROM u WHERE k = 'a'"), 1);
    CHECK_EQ_INT(change(d, "INSERT INTO t(x) VALUES('new')", ERR_OK, NULL), ERR_OK);
    db_close(d);
}

TEST(db_suspicion_without_damage_changes_nothing)
{
    struct error e = {0};
    struct db *d = open_at(file());
    REQUIRE(db_migrate(d, &two, &e) == ERR_OK);
    fill(d, 10);
    db_close(d);
    db_suspect_mark(file());
    d = open_at(file());
    CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), 10);
    CHECK_EQ_UINT(files_with(".damaged-"), 0);
    CHECK_EQ_UINT(files_with(".suspect"), 0);
    db_close(d);
}

TEST(db_of_somebody_else_is_left_alone)
{
    struct error e = {0};
    struct db *d = open_at(file());
    db_close(d);
    sqlite3 *sql;
    REQUIRE(sqlite3_open(file(), &sql) == SQLITE_OK);
    CHECK_EQ_INT(sqlite3_exec(sql, "PRAGMA application_id=17", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(sql);
    struct db_config cfg = {.alloc = alloc_system(), .path = file()};
    CHECK_EQ_INT(db_open(&d, &cfg, &e), ERR_INVALID);
    CHECK_HAS_STR(e.text, "not one of sedge");
    CHECK(d == NULL);
}

/* ---- through the offload pool ---- */

#define JOBS 60
struct crowd {
    struct executor *ex;
    struct db *db;
    struct task task;
    struct query job[JOBS];
    unsigned done;
};

static void crowd_done(struct db_job *j)
{
    struct crowd *of = CONTAINER_OF(j, struct query, job)->of;
    CHECK_EQ_INT(j->result, ERR_OK);
    CHECK(worker_current() == executor_worker(of->ex, 0));
    if (++of->done == JOBS)
        executor_stop(of->ex);
}

static enum poll crowd_poll(struct task *t)
{
    struct crowd *c = CONTAINER_OF(t, struct crowd, task);
    for (unsigned i = 0; i < JOBS; i++) {
        struct query *q = &c->job[i];
        *q = (struct query){.job = {.run = query_run, .done = crowd_done, .write = i % 2 == 0},
                            .of = c,
                            .sql = i % 2 == 0 ? "INSERT INTO t(x) VALUES('job')"
                                              : "SELECT count(*) FROM t"};
        CHECK_EQ_INT(db_submit(c->db, t->worker, &q->job), ERR_OK);
    }
    return POLL_READY;
}

TEST(db_jobs_through_the_pool)
{
    struct error e = {0};
    struct crowd c = {0};
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 4};
    REQUIRE(executor_new(&c.ex, &ec, &e) == ERR_OK);
    struct db_config cfg = {.ex = c.ex, .alloc = alloc_system(), .path = file()};
    REQUIRE(db_open(&c.db, &cfg, &e) == ERR_OK);
    REQUIRE(db_migrate(c.db, &two, &e) == ERR_OK);
    task_init(&c.task, "crowd", crowd_poll, NULL);
    task_spawn(executor_worker(c.ex, 0), &c.task);
    executor_run(c.ex);
    CHECK_EQ_UINT(c.done, JOBS);
    CHECK_EQ_INT(ask(c.db, "SELECT count(*) FROM t"), JOBS / 2);
    db_close(c.db);
    executor_free(c.ex);
}
