/* Small durable state on a real journal and database. */
#include "async/timer.h"
#include "base/atomic.h"
#include "store/keep.h"
#include "tests/support/test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct rig {
    struct executor *ex;
    struct worker *w;
    struct journal *journal;
    struct db *db;
    struct keep *keep;
    struct timer end;
    char seen[8192]; /* what apply() was told */
    size_t seen_n;
};

static void apply(void *ctx, struct str key, struct bytes value)
{
    struct rig *g = ctx;
    int n = snprintf(g->seen + g->seen_n, sizeof(g->seen) - g->seen_n, "%.*s=%.*s;", STR_FMT(key),
                     (int)(value.n < 8 ? value.n : 8), (const char *)value.p);
    g->seen_n += (size_t)n;
    REQUIRE(g->seen_n < sizeof(g->seen));
}

/* The machine's disk, which may be full. */
static _Atomic bool disk_full;

static enum err write_if_there_is_room(struct disk *d, struct disk_file *f, uint64_t at,
                                       const void *p, size_t n, struct error *e)
{
    if (atomic_load(&disk_full))
        return disk_error(e, ENOSPC, NULL, "writing failed");
    return disk_linux()->ops->write_at(d, f, at, p, n, e);
}

static struct disk *disk_of_rig(void)
{
    static struct disk_ops ops;
    static struct disk disk = {&ops};
    ops = *disk_linux()->ops;
    ops.write_at = write_if_there_is_room;
    return &disk;
}

static void rig_init(struct rig *g, const char *dir, size_t group_bytes_max)
{
    struct error e = {0};
    char path[512];
    *g = (struct rig){0};
    struct executor_config ex = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    REQUIRE(executor_new(&g->ex, &ex, &e) == ERR_OK);
    g->w = executor_worker(g->ex, 0);
    (void)snprintf(path, sizeof(path), "%s/sedge.db", dir);
    struct db_config db = {.ex = g->ex, .alloc = alloc_system(), .path = path};
    REQUIRE(db_open(&g->db, &db, &e) == ERR_OK);
    struct journal_config journal = {.ex = g->ex,
                                     .disk = disk_of_rig(),
                                     .clock = ex.env->clock,
                                     .alloc = alloc_system(),
                                     .dir = dir,
                                     .segment_bytes = 64 << 10,
                                     .group_bytes_max = group_bytes_max,
                                     .journal_max_bytes = 128 << 10};
    REQUIRE(journal_open(&g->journal, &journal, &e) == ERR_OK);
    struct keep_config keep = {.ex = g->ex,
                               .journal = g->journal,
                               .db = g->db,
                               .alloc = alloc_system(),
                               .name = "things",
                               .kind = JOURNAL_ALERT,
                               .apply = apply,
                               .ctx = g};
    REQUIRE(keep_new(&g->keep, &keep, &e) == ERR_OK);
    REQUIRE(journal_replay(g->journal, &e) == ERR_OK);
}

static void rig_start(struct rig *g)
{
    struct error e = {0};
    REQUIRE(journal_start(g->journal, &e) == ERR_OK);
}

static void stop(struct timer *t)
{
    executor_stop(CONTAINER_OF(t, struct rig, end)->ex);
}

static void rig_run(struct rig *g, int64_t for_ms)
{
    timer_init(&g->end, g->w, stop);
    timer_set_after_ms(&g->end, for_ms);
    executor_run(g->ex);
}

static void rig_fini(struct rig *g)
{
    db_drain(g->db);
    keep_free(g->keep);
    db_close(g->db);
    journal_close(g->journal);
    executor_free(g->ex);
}

static enum err put(struct rig *g, const char *key, const char *value, uint64_t *seq)
{
    struct bytes v = {(const uint8_t *)value, strlen(value)};
    return keep_put(g->keep, str_from(key), v, false, seq);
}

struct rows_job {
    struct db_job job;
    char text[256];
};

static enum err read_rows(struct db_job *j, struct sqlite3 *sql)
{
    struct rows_job *r = CONTAINER_OF(j, struct rows_job, job);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, "SELECT key, value FROM keep_things ORDER BY key", -1, &st, NULL))
        return ERR_INVALID;
    while (sqlite3_step(st) == SQLITE_ROW) {
        size_t n = strlen(r->text);
        (void)snprintf(r->text + n, sizeof(r->text) - n, "%s=%.*s;", sqlite3_column_text(st, 0),
                       sqlite3_column_bytes(st, 1), (const char *)sqlite3_column_blob(st, 1));
    }
    (void)sqlite3_finalize(st);
    return ERR_OK;
}

TEST(values_come_back_from_the_journal)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 0);
    rig_start(&g);
    uint64_t seq = 0;
    CHECK_EQ_INT(put(&g, "b", "1", &seq), ERR_OK);
    CHECK_EQ_UINT(seq, 1);
    CHECK_EQ_INT(put(&g, "a", "2", NULL), ERR_OK);
    CHECK_EQ_INT(keep_del(g.keep, STR("b"), true), ERR_OK);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK_EQ_STR(g.seen, "b=1;a=2;b=;");
    rig_fini(&g);
}

struct feed {
    struct timer timer;
    struct rig *rig;
    uint64_t noise;
    int i;
};

/* Other consumers' records, which make one new segment after the other. */
static void feed(struct timer *t)
{
    struct feed *f = CONTAINER_OF(t, struct feed, timer);
    uint64_t bytes[400], seq;
    for (size_t k = 0; k < ARRAY_LEN(bytes); k++) { /* can't be compressed */
        f->noise ^= f->noise << 13, f->noise ^= f->noise >> 7, f->noise ^= f->noise << 17;
        bytes[k] = f->noise;
    }
    struct iovec part = {bytes, sizeof(bytes)};
    enum err err = journal_append(f->rig->journal, JOURNAL_ACK, false, &part, 1, &seq);
    if (err == ERR_FULL) { /* the checkpoints are behind, as on a busy machine: again */
        timer_set_after_ms(t, 2);
        return;
    }
    CHECK_EQ_INT(err, ERR_OK);
    if (f->i % 100 == 50)
        CHECK_EQ_INT(put(f->rig, "k", f->i < 300 ? "old" : "new", NULL), ERR_OK);
    if (++f->i < 400)
        timer_set_after_ms(t, 2);
    else
        timer_set_after_ms(&f->rig->end, 1000);
}

/* It comes with every new segment, whether something has changed here or not, and whether the last
 * batch is done or not. */
TEST(pressure_may_come_at_any_time)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 0);
    rig_start(&g);
    struct feed f = {.rig = &g, .noise = 88172645463325252u};
    timer_init(&f.timer, g.w, feed);
    timer_set_after_ms(&f.timer, 1);
    rig_run(&g, 100000); /* however busy the machine is */
    CHECK_EQ_INT(f.i, 400);
    CHECK(journal_stats(g.journal).recycled > 10); /* what nobody needs is let go of */
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK_HAS_STR(g.seen, "k=new;");
    rig_fini(&g);
}

/* What nobody waits for is not lost because there is no room just now. */
TEST(a_full_journal_is_waited_for)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 4096);
    char big[2000] = "";
    memset(big, 'x', sizeof(big) - 1);
    uint64_t seq;
    CHECK_EQ_INT(put(&g, "a", "early", &seq), ERR_OK);
    while (put(&g, "fill", big, &seq) == ERR_OK) /* the writer does not run yet */
        continue;
    CHECK_EQ_INT(put(&g, "decision", big, &seq), ERR_FULL);
    CHECK_EQ_INT(put(&g, "a", big, NULL), ERR_OK);
    CHECK_EQ_INT(put(&g, "a", "late", NULL), ERR_OK);
    CHECK_EQ_INT(put(&g, "later", big, NULL), ERR_OK);
    rig_start(&g);
    rig_run(&g, 600);
    uint64_t last = journal_last(g.journal);
    CHECK(last > 3);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK_EQ_UINT(journal_stats(g.journal).damaged, 0);
    CHECK_HAS_STR(g.seen, "a=late;");
    CHECK_HAS_STR(g.seen, "later=xxxxxxxx;");
    CHECK(strstr(g.seen, "decision") == NULL);
    rig_fini(&g);
}

struct full_disk {
    struct timer look;
    struct rig *rig;
    bool was_full;
};

static void look_at_full_disk(struct timer *t)
{
    struct full_disk *f = CONTAINER_OF(t, struct full_disk, look);
    struct journal *j = f->rig->journal;
    uint64_t seq;
    if (journal_no_room(j) && !f->was_full) {
        f->was_full = true;
        CHECK_EQ_INT(put(f->rig, "decision", "3", &seq), ERR_IO);
        CHECK_EQ_INT(put(f->rig, "a", "2", NULL), ERR_OK);
        CHECK_EQ_INT(keep_del(f->rig->keep, STR("b"), false), ERR_OK);
        atomic_store(&disk_full, false);
    }
    if (journal_committed(j) < 4) /* of a, b, and both again */
        timer_set_after_ms(t, 10);
    else
        timer_set_after_ms(&f->rig->end, 1);
}

/* Else an alert that has ended meanwhile would be there again after the next start. */
TEST(a_full_disk_is_waited_for)
{
    const char *dir = test_tmpdir();
    struct rig g;
    struct full_disk f = {.rig = &g};
    rig_init(&g, dir, 0);
    rig_start(&g);
    atomic_store(&disk_full, true);
    CHECK_EQ_INT(put(&g, "a", "1", NULL), ERR_OK);
    CHECK_EQ_INT(put(&g, "b", "1", NULL), ERR_OK);
    timer_init(&f.look, g.w, look_at_full_disk);
    timer_set_after_ms(&f.look, 1);
    rig_run(&g, 100000);
    CHECK(f.was_full);
    CHECK_EQ_UINT(journal_last(g.journal), 4);
    timer_cancel(&f.look);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK_HAS_STR(g.seen, "a=2;");
    const char *b = strstr(g.seen, "b=1;");
    CHECK(!b || strstr(b, "b=;"));
    CHECK(!strstr(g.seen, "decision"));
    rig_fini(&g);
}

TEST(what_waits_for_room_is_written_at_the_end)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 4096);
    char big[2000] = "";
    memset(big, 'x', sizeof(big) - 1);
    uint64_t seq;
    while (put(&g, "fill", big, &seq) == ERR_OK)
        continue;
    CHECK_EQ_INT(put(&g, "owed", big, NULL), ERR_OK);
    rig_start(&g);
    rig_run(&g, 20); /* the group is committed, but nobody looked again yet */
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK_HAS_STR(g.seen, "owed=xxxxxxxx;");
    rig_fini(&g);
}

TEST(the_table_follows_when_the_journal_has_committed)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    rig_start(&g);
    uint64_t seq = 0;
    CHECK_EQ_INT(put(&g, "a", "1", &seq), ERR_OK);
    CHECK_EQ_INT(put(&g, "b", "2", &seq), ERR_OK);
    rig_run(&g, 2300);
    db_drain(g.db);
    struct rows_job r = {.job.run = read_rows};
    CHECK_EQ_INT(db_run_now(g.db, &r.job), ERR_OK);
    CHECK_EQ_STR(r.text, "a=1;b=2;");
    rig_fini(&g);
}
