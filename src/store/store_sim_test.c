/* Journal and database in a simulated world: when things happen, and what a power cut leaves. */
#include "async/sim/env_sim.h"
#include "async/timer.h"
#include "base/log.h"
#include "store/db_internal.h"
#include "store/journal_internal.h"
#include "tests/support/test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

struct world {
    struct sim *sim;
    struct env *env;
    struct executor *ex;
    struct worker *worker;
    struct journal *j;
};

static void world_boot(struct world *w)
{
    const struct executor_config cfg = {.env = w->env, .workers = 1, .offload_threads = 2};
    REQUIRE(executor_new(&w->ex, &cfg, NULL) == ERR_OK);
    w->worker = executor_worker(w->ex, 0);
}

static struct world world_open(uint64_t seed)
{
    struct world w = {0};
    const struct sim_config cfg = {.seed = seed, .work[ENV_WORK_SYNC] = {2 * MS, 2 * MS}};
    REQUIRE(sim_new(&w.sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&w.env, w.sim) == ERR_OK);
    world_boot(&w);
    REQUIRE(w.env->disk->ops->make_dir(w.env->disk, "/data", NULL) == ERR_OK);
    return w;
}

static void world_close(struct world *w)
{
    executor_free(w->ex);
    env_sim_free(w->env);
    sim_free(w->sim);
}

static void pass(struct world *w, int64_t ns)
{
    (void)sim_run(w->sim, sim_now_ns(w->sim) + ns);
}

/* --- the journal --- */

static void journal_begin(struct world *w, int64_t commit_ms)
{
    struct error e = {0};
    const struct journal_config cfg = {.ex = w->ex,
                                       .disk = w->env->disk,
                                       .clock = w->env->clock,
                                       .alloc = alloc_system(),
                                       .dir = "/data",
                                       .segment_bytes = 32 * 1024,
                                       .commit_ms = commit_ms};
    REQUIRE(CHECK_EQ_INT(journal_open(&w->j, &cfg, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(journal_replay(w->j, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(journal_start(w->j, &e), ERR_OK));
    env_sim_boot(w->env, w->ex);
    pass(w, SECOND);
}

static void journal_end(struct world *w)
{
    env_sim_halt(w->env);
    executor_stop(w->ex);
    (void)executor_turn(w->ex);
    journal_close(w->j);
    world_close(w);
}

static uint64_t append(struct world *w, bool lazy)
{
    const struct iovec part = {"record", 6};
    uint64_t seq = 0;
    CHECK_EQ_INT(journal_append(w->j, JOURNAL_MESSAGE, lazy, &part, 1, &seq), ERR_OK);
    return seq;
}

struct answer {
    struct journal_wait wait;
    bool came;
    enum err how;
};

static void answered(struct journal_wait *wait, enum err how)
{
    struct answer *a = CONTAINER_OF(wait, struct answer, wait);
    a->came = true;
    a->how = how;
}

TEST(sim_journal_a_group_is_what_came_during_the_last_sync)
{
    struct world w = world_open(1);
    journal_begin(&w, 0);
    (void)append(&w, false);
    (void)append(&w, false);
    pass(&w, MS); /* half a sync */
    CHECK_EQ_UINT(journal_committed(w.j), 0);
    for (int i = 0; i < 10; i++)
        (void)append(&w, false);
    pass(&w, 2 * MS);
    CHECK_EQ_UINT(journal_committed(w.j), 2);
    pass(&w, 2 * MS);
    CHECK_EQ_UINT(journal_committed(w.j), 12);
    CHECK_EQ_UINT(journal_stats(w.j).frames, 2);
    journal_end(&w);
}

TEST(sim_journal_lazy_records_ride_along_or_wait_a_second)
{
    struct world w = world_open(2);
    journal_begin(&w, 0);
    (void)append(&w, true);
    pass(&w, SECOND - MS);
    CHECK_EQ_UINT(journal_committed(w.j), 0);
    pass(&w, 4 * MS);
    CHECK_EQ_UINT(journal_committed(w.j), 1);
    (void)append(&w, true);
    pass(&w, 100 * MS);
    (void)append(&w, false);
    pass(&w, 3 * MS);
    CHECK_EQ_UINT(journal_committed(w.j), 3);
    (void)append(&w, true);
    pass(&w, 100 * MS);
    journal_hurry(w.j);
    pass(&w, 3 * MS);
    CHECK_EQ_UINT(journal_committed(w.j), 4);
    (void)append(&w, true);
    pass(&w, SECOND + MS); /* its sync is under way, and ends no sooner for what comes now */
    (void)append(&w, false);
    pass(&w, MS / 2);
    CHECK_EQ_UINT(journal_committed(w.j), 4);
    pass(&w, MS / 2);
    CHECK_EQ_UINT(journal_committed(w.j), 5);
    journal_end(&w);
}

TEST(sim_journal_with_a_commit_time_syncs_so_often)
{
    struct world w = world_open(3);
    journal_begin(&w, 500);
    for (int i = 0; i < 5; i++) {
        uint64_t seq = append(&w, false);
        CHECK_EQ_UINT(journal_committed(w.j), seq);
        pass(&w, 50 * MS);
    }
    CHECK_EQ_UINT(journal_stats(w.j).syncs, 0);
    pass(&w, 300 * MS);
    CHECK_EQ_UINT(journal_stats(w.j).syncs, 1);
    journal_end(&w);
}

TEST(sim_journal_nobody_is_answered_while_the_sync_hangs)
{
    struct world w = world_open(4);
    struct answer first = {.wait.done = answered}, second = first;
    journal_begin(&w, 0);
    env_sim_hold(w.env, ENV_WORK_SYNC, true);
    journal_wait(w.j, w.worker, &first.wait, append(&w, false));
    pass(&w, 3600 * SECOND);
    journal_wait(w.j, w.worker, &second.wait, append(&w, false));
    pass(&w, 3600 * SECOND);
    CHECK(!first.came && !second.came);
    CHECK_EQ_UINT(env_sim_held(w.env, ENV_WORK_SYNC), 1);
    env_sim_hold(w.env, ENV_WORK_SYNC, false);
    pass(&w, SECOND);
    CHECK(first.came && second.came);
    CHECK_EQ_INT(first.how, ERR_OK);
    CHECK_EQ_UINT(journal_stats(w.j).frames, 2);
    journal_end(&w);
}

TEST(sim_journal_after_a_failed_sync_nothing_is_committed)
{
    struct world w = world_open(5);
    struct answer a = {.wait.done = answered};
    journal_begin(&w, 0);
    disk_sim_fail(env_sim_disk(w.env), DISK_SIM_SYNC, 0, 5);
    journal_wait(w.j, w.worker, &a.wait, append(&w, false));
    pass(&w, MS);
    CHECK(!a.came); /* the sync is under way */
    pass(&w, SECOND);
    CHECK(a.came);
    CHECK_EQ_INT(a.how, ERR_IO);
    disk_sim_fail(env_sim_disk(w.env), DISK_SIM_SYNC, DISK_SIM_NEVER, 0);
    const struct iovec part = {"x", 1};
    uint64_t seq;
    CHECK_EQ_INT(journal_append(w.j, JOURNAL_MESSAGE, false, &part, 1, &seq), ERR_IO);
    CHECK_EQ_INT(journal_await(w.j, 1, 1000), ERR_IO);
    journal_end(&w);
}

struct room_news {
    unsigned times;
    bool none;
};

static void hear_of_room(void *ctx, bool none)
{
    struct room_news *n = ctx;
    n->times++;
    n->none = none;
}

TEST(sim_journal_tells_when_the_disk_is_full_and_when_no_more)
{
    struct world w = world_open(12);
    struct room_news news = {0};
    struct answer a = {.wait.done = answered};
    journal_begin(&w, 0);
    journal_on_room(w.j, hear_of_room, &news);
    disk_sim_fail(env_sim_disk(w.env), DISK_SIM_WRITE, 0, ENOSPC);
    journal_wait(w.j, w.worker, &a.wait, append(&w, false));
    pass(&w, 10 * SECOND);
    CHECK(!a.came);
    CHECK(news.none && journal_no_room(w.j));
    CHECK_EQ_UINT(news.times, 1);
    CHECK_EQ_INT(journal_await(w.j, 1, 100), ERR_TIMEOUT);
    disk_sim_fail(env_sim_disk(w.env), DISK_SIM_WRITE, DISK_SIM_NEVER, 0);
    pass(&w, 60 * SECOND);
    CHECK(a.came);
    CHECK_EQ_INT(a.how, ERR_OK);
    CHECK(!news.none && !journal_no_room(w.j));
    CHECK_EQ_UINT(news.times, 2);
    journal_end(&w);
}

TEST(sim_journal_is_committed_at_once_when_nothing_runs_any_more)
{
    struct world w = world_open(6);
    journal_begin(&w, 0);
    (void)append(&w, false);
    pass(&w, MS); /* in the middle of a sync */
    uint64_t last = append(&w, true);
    int64_t now_ns = sim_now_ns(w.sim);
    env_sim_halt(w.env);
    CHECK_EQ_INT(journal_await(w.j, last, 1000), ERR_OK);
    CHECK_EQ_UINT(journal_committed(w.j), last);
    CHECK_EQ_INT(sim_now_ns(w.sim), now_ns);
    (void)append(&w, true);
    journal_end(&w); /* commits what is left */
}

struct counter {
    struct journal_consumer consumer;
    unsigned records;
};

static void count_record(struct journal_consumer *c, const struct journal_record *r)
{
    (void)r;
    CONTAINER_OF(c, struct counter, consumer)->records++;
}

TEST(sim_journal_that_is_closed_during_a_sync_finishes_it)
{
    for (uint64_t seed = 1; seed < 20; seed++) {
        LABEL("seed %llu", (unsigned long long)seed);
        struct world w = world_open(seed);
        struct counter c = {.consumer = {.name = "count", .apply = count_record}};
        journal_begin(&w, 0);
        (void)append(&w, false);
        pass(&w, MS);
        (void)append(&w, true);
        env_sim_halt(w.env);
        journal_close(w.j);
        disk_sim_crash(env_sim_disk(w.env));
        const struct journal_config cfg = {.disk = w.env->disk,
                                           .clock = w.env->clock,
                                           .alloc = alloc_system(),
                                           .dir = "/data",
                                           .segment_bytes = 32 * 1024};
        REQUIRE(CHECK_EQ_INT(journal_open(&w.j, &cfg, NULL), ERR_OK));
        journal_consumer_add(w.j, &c.consumer);
        CHECK_EQ_INT(journal_replay(w.j, NULL), ERR_OK);
        CHECK_EQ_UINT(c.records, 2);
        journal_close(w.j);
        world_close(&w);
    }
}

/* --- the database --- */

struct query {
    struct db_job job;
    const char *sql;
    int64_t got;
};

static enum err query_run(struct db_job *j, sqlite3 *sql)
{
    struct query *q = CONTAINER_OF(j, struct query, job);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, q->sql, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, &j->error, "query");
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        q->got = sqlite3_column_int64(st, 0);
    enum err r = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_error(sql, &j->error, "query");
    (void)sqlite3_finalize(st);
    return r;
}

static int64_t ask(struct db *d, const char *sql)
{
    struct query q = {.job.run = query_run, .sql = sql, .got = -1};
    CHECK_EQ_INT(db_run_now(d, &q.job), ERR_OK);
    return q.got;
}

static enum err change(struct db *d, const char *sql)
{
    struct query q = {.job = {.run = query_run, .write = true}, .sql = sql};
    return db_run_now(d, &q.job);
}

static const char *const steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, fill BLOB)"};
static const struct db_migration migration = {.part = "thing", .steps = steps, .count = 1};

static enum err open_db(struct world *w, struct db **d)
{
    struct error e = {0};
    const struct db_config cfg = {.ex = w->ex, .alloc = alloc_system(), .path = "/data/site.db"};
    enum err r = db_open(d, &cfg, &e);
    if (!r)
        r = db_migrate(*d, &migration, &e);
    return r;
}

/* Writes until the power goes; how many were told to be written. */
static int64_t write_rows(struct db *d)
{
    int64_t n = 0;
    while (n < 8 && change(d, "INSERT INTO t(fill) VALUES(zeroblob(3000))") == ERR_OK)
        n += 1;
    if (n == 8 && change(d, "PRAGMA wal_checkpoint(PASSIVE)") == ERR_OK)
        (void)change(d, "UPDATE t SET fill=zeroblob(10) WHERE id=1");
    return n;
}

static void went(struct env_event *ev)
{
    (void)ev;
}

static void log_nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

/* True if the power went at all. */
static bool cut_at_call(uint64_t seed, uint64_t call)
{
    struct world w = world_open(seed);
    struct env_event told = {.run = went};
    struct db *d = NULL;
    env_sim_off_at_call(w.env, call, &told);
    int64_t written = open_db(&w, &d) == ERR_OK ? write_rows(d) : 0;
    bool off = disk_sim_is_off(env_sim_disk(w.env));
    env_sim_off(w.env, ENV_SIM_KILL);
    db_close(d);
    executor_free(w.ex);
    env_sim_on(w.env);
    world_boot(&w);
    d = NULL;
    if (CHECK_EQ_INT(open_db(&w, &d), ERR_OK)) {
        int64_t there = ask(d, "SELECT count(*) FROM t");
        CHECK(there >= written && there <= written + 1);
        CHECK_EQ_INT(
            ask(d, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'"), 1);
        CHECK_EQ_INT(change(d, "INSERT INTO t(fill) VALUES('more')"), ERR_OK);
        CHECK_EQ_INT(ask(d, "SELECT count(*) FROM t"), there + 1);
    }
    db_close(d);
    world_close(&w);
    return off;
}

TEST(sim_db_keeps_what_was_committed_wherever_the_power_goes)
{
    uint64_t seed = test_seed(), calls = 0;
    log_set_sink(log_nowhere, NULL);
    for (bool off = true; off; calls++) {
        LABEL("call %llu", (unsigned long long)calls);
        off = cut_at_call(seed + calls, calls);
    }
    log_set_sink(NULL, NULL);
    CHECK(calls > 50);
}

/* Of SQLite's errors only the code matters here. */
static int run_sql(sqlite3 *sql, const char *text)
{
    return sqlite3_exec(sql, text, NULL, NULL, NULL);
}

static int64_t number(sqlite3 *sql, const char *text)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    if (sqlite3_prepare_v2(sql, text, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return n;
}

static int64_t count_rows(sqlite3 *sql)
{
    return number(sql, "SELECT count(*) FROM t");
}

TEST(sim_vfs_readers_keep_their_view_and_a_second_writer_is_refused_at_once)
{
    struct world w = world_open(7);
    struct vfs *v;
    sqlite3 *a, *b;
    REQUIRE(vfs_new(&v, alloc_system(), w.env) == ERR_OK);
    REQUIRE(db_connect("/data/x.db", v, true, &a, NULL) == ERR_OK);
    REQUIRE(db_connect("/data/x.db", v, true, &b, NULL) == ERR_OK);
    CHECK_EQ_INT(run_sql(a, "CREATE TABLE t(x); INSERT INTO t VALUES(1)"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "BEGIN"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(b), 1);
    CHECK_EQ_INT(run_sql(a, "INSERT INTO t VALUES(2)"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(a), 2);
    CHECK_EQ_INT(count_rows(b), 1);
    CHECK_EQ_INT(run_sql(a, "PRAGMA wal_checkpoint(PASSIVE); INSERT INTO t VALUES(3)"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(b), 1);
    CHECK_EQ_INT(number(a, "PRAGMA wal_checkpoint(TRUNCATE)"), 1); /* busy: somebody reads */
    CHECK_EQ_INT(run_sql(a, "DELETE FROM t WHERE x=2; INSERT INTO t VALUES(2)"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(b), 1);
    CHECK_EQ_INT(run_sql(b, "COMMIT"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(b), 3);
    CHECK_EQ_INT(run_sql(a, "BEGIN IMMEDIATE"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "BEGIN IMMEDIATE") & 0xff, SQLITE_BUSY);
    CHECK_EQ_INT(run_sql(a, "ROLLBACK"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "BEGIN IMMEDIATE; ROLLBACK"), SQLITE_OK);
    /* Without the WAL the locks of the file itself. */
    CHECK_EQ_INT(run_sql(b, "PRAGMA journal_mode=DELETE") & 0xff, SQLITE_BUSY);
    CHECK_EQ_INT(sqlite3_close(b), SQLITE_OK);
    CHECK_EQ_INT(run_sql(a, "PRAGMA journal_mode=DELETE"), SQLITE_OK);
    REQUIRE(sqlite3_open_v2("/data/x.db", &b, SQLITE_OPEN_READWRITE, vfs_name(v)) == SQLITE_OK);
    CHECK_EQ_INT(run_sql(a, "BEGIN; SELECT * FROM t"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "BEGIN; INSERT INTO t VALUES(4)"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "COMMIT") & 0xff, SQLITE_BUSY); /* somebody reads */
    CHECK_EQ_INT(run_sql(a, "COMMIT"), SQLITE_OK);
    CHECK_EQ_INT(run_sql(b, "COMMIT"), SQLITE_OK);
    CHECK_EQ_INT(count_rows(a), 4);
    CHECK_EQ_INT(sqlite3_close(b), SQLITE_OK);
    CHECK_EQ_INT(sqlite3_close(a), SQLITE_OK);
    vfs_free(v);
    world_close(&w);
}

TEST(sim_vfs_time_chance_and_temporary_files_are_the_world_s)
{
    struct world w = world_open(8);
    struct db *d;
    REQUIRE(open_db(&w, &d) == ERR_OK);
    pass(&w, 5 * SECOND);
    int64_t now_s = clock_wall_ms(w.env->clock) / 1000;
    CHECK_EQ_INT(ask(d, "SELECT CAST(strftime('%s','now') AS INTEGER)"), now_s);
    uint64_t before = disk_sim_stats(env_sim_disk(w.env)).calls[DISK_SIM_OPEN];
    /* More than a sorter holds in memory. */
    CHECK_EQ_INT(ask(d,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000) "
                     "SELECT count(*) FROM (SELECT hex(randomblob(200)) AS h FROM n ORDER BY h)"),
                 20000);
    CHECK(disk_sim_stats(env_sim_disk(w.env)).calls[DISK_SIM_OPEN] > before);
    db_close(d);
    world_close(&w);
}
