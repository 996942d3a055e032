/* What a look finds, and that it changes nothing. */
#include "base/map.h"
#include "store/db_internal.h"
#include "store/inspect.h"
#include "store/journal_rig_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- journal ---- */

static void append_some(struct rig *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t body[RIG_BODY_MAX];
        uint64_t nonce = g->nonce.n + 1, seq;
        const struct iovec part = {body, rig_body(nonce, body)};
        REQUIRE(vec_push(alloc_system(), &g->nonce, nonce));
        REQUIRE(journal_append(g->j, (enum journal_kind)(1 + nonce % 7), false, &part, 1, &seq) ==
                ERR_OK);
        if (i % 5 == 4)
            while (journal_test_step(g->j))
                continue;
    }
    while (journal_test_step(g->j))
        continue;
}

struct taken {
    unsigned segments;
    uint64_t last, whole, first_whole;
};

static enum err take(void *ctx, const struct segment_seen *s, struct error *e)
{
    struct taken *t = ctx;
    (void)e;
    t->segments++;
    t->last = s->last_seq;
    t->whole += s->whole.n;
    if (t->segments == 1)
        t->first_whole = s->whole.n;
    return ERR_OK;
}

TEST(inspect_a_journal_that_is_written_on)
{
    struct rig g;
    struct journal_seen seen;
    struct taken t = {0};
    uint64_t oldest;
    rig_init(&g, 7);
    REQUIRE(rig_open(&g) == ERR_OK);
    append_some(&g, 600); /* several segments */
    CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, take, &t, &seen, &g.e),
                 ERR_OK);
    CHECK_EQ_UINT(seen.first_seq, 1);
    CHECK_EQ_UINT(seen.last_seq, 600);
    CHECK_EQ_UINT(seen.holes, 0);
    CHECK_EQ_UINT(seen.torn_bytes, 0);
    CHECK(seen.segments > 1);
    CHECK_EQ_UINT(t.segments, seen.segments);
    CHECK_EQ_UINT(t.last, 600);
    CHECK(t.whole < seen.file_bytes);
    CHECK_EQ_INT(journal_oldest(g.cfg.disk, RIG_DIR, &oldest, &g.e), ERR_OK);
    CHECK_EQ_UINT(oldest, 1);
    append_some(&g, 5); /* it goes on */
    CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, NULL, NULL, &seen, &g.e),
                 ERR_OK);
    CHECK_EQ_UINT(seen.last_seq, 605);
    rig_fini(&g);
}

/* Changes a byte of a file of the simulated disk. */
static void hurt(struct rig *g, uint64_t name, uint64_t at)
{
    char path[JOURNAL_PATH_MAX];
    struct disk *d = g->cfg.disk;
    struct disk_file *f;
    uint8_t byte;
    size_t got;
    (void)snprintf(path, sizeof(path), RIG_DIR "/journal-%016llx.sj", (unsigned long long)name);
    REQUIRE(d->ops->open(d, path, DISK_READ | DISK_WRITE, &f, &g->e) == ERR_OK);
    REQUIRE(d->ops->read_at(d, f, at, &byte, 1, &got, &g->e) == ERR_OK);
    byte ^= 0x40;
    REQUIRE(d->ops->write_at(d, f, at, &byte, 1, &g->e) == ERR_OK);
    d->ops->close(d, f);
}

TEST(inspect_finds_damage)
{
    static const struct {
        const char *label;
        uint64_t name, at;
        const char *says;
    } cases[] = {
        {"a frame", 1, SEGMENT_HEAD + FRAME_HEAD + 3, "unreadable bytes"},
        {"the head of a segment", 1, 20, "its head is unreadable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig g;
        struct journal_seen seen;
        struct taken t = {0};
        LABEL("%s", cases[i].label);
        rig_init(&g, 9);
        REQUIRE(rig_open(&g) == ERR_OK);
        append_some(&g, 300);
        hurt(&g, cases[i].name, cases[i].at);
        CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, take, &t, &seen, &g.e),
                     ERR_OK);
        CHECK_EQ_UINT(t.first_whole, SEGMENT_HEAD); /* nothing behind the damage */
        CHECK(seen.holes > 0);
        CHECK_HAS_STR(seen.damage, cases[i].says);
        CHECK_HAS_STR(seen.damage, "journal-0000000000000001.sj");
        CHECK_EQ_UINT(seen.last_seq, 300);
        rig_fini(&g);
    }
}

TEST(inspect_finds_a_segment_that_lost_its_end)
{
    struct rig g;
    struct journal_seen seen;
    struct taken t = {0};
    rig_init(&g, 11);
    REQUIRE(rig_open(&g) == ERR_OK);
    append_some(&g, 300);
    REQUIRE(g.j->segments.n > 1);
    CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, take, &t, &seen, &g.e),
                 ERR_OK);
    struct disk *d = g.cfg.disk;
    struct disk_file *f;
    REQUIRE(d->ops->open(d, RIG_DIR "/journal-0000000000000001.sj", DISK_READ | DISK_WRITE, &f,
                         &g.e) == ERR_OK);
    REQUIRE(d->ops->truncate(d, f, SEGMENT_HEAD + 2000, &g.e) == ERR_OK);
    d->ops->close(d, f);
    CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, NULL, NULL, &seen, &g.e),
                 ERR_OK);
    CHECK(seen.holes > 0);
    CHECK_HAS_STR(seen.damage, "the end of the segment before it is missing");
    rig_fini(&g);
}

TEST(inspect_a_folder_without_a_journal)
{
    struct rig g;
    struct journal_seen seen;
    rig_init(&g, 13);
    CHECK_EQ_INT(g.cfg.disk->ops->make_dir(g.cfg.disk, RIG_DIR, &g.e), ERR_OK);
    CHECK_EQ_INT(journal_inspect(g.cfg.disk, alloc_system(), RIG_DIR, NULL, NULL, &seen, &g.e),
                 ERR_OK);
    CHECK_EQ_UINT(seen.segments, 0);
    CHECK_EQ_UINT(seen.first_seq, 0);
    rig_fini(&g);
}

/* ---- database ---- */

static enum err set_cursors(struct db_job *j, sqlite3 *sql)
{
    enum err err = db_cursor_set(sql, "a", 40, &j->error);
    return err ? err : db_cursor_set(sql, "b", 7, &j->error);
}

static void make_db(char path[300], struct db **db)
{
    struct error e = {0};
    struct db_job job = {.write = true, .run = set_cursors};
    (void)snprintf(path, 300, "%s/sedge.db", test_tmpdir());
    (void)unlink(path);
    const struct db_config cfg = {.alloc = alloc_system(), .path = path};
    REQUIRE(db_open(db, &cfg, &e) == ERR_OK);
    REQUIRE(db_run_now(*db, &job) == ERR_OK);
}

static bool there(const char *path, const char *suffix)
{
    char name[400];
    struct stat st;
    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0;
}

TEST(inspect_a_database_open_and_closed)
{
    char path[300];
    struct db *db;
    struct db_seen seen;
    struct error e = {0};
    make_db(path, &db);
    for (int closed = 0; closed < 2; closed++) {
        LABEL(closed ? "closed" : "open");
        CHECK_EQ_INT(db_inspect(path, true, &seen, &e), ERR_OK);
        CHECK_EQ_STR(seen.damage, "");
        CHECK_EQ_UINT(seen.cursors, 2);
        CHECK_EQ_UINT(seen.cursor_min, 7);
        CHECK_EQ_UINT(seen.cursor_max, 40);
        if (!closed)
            db_close(db);
    }
    CHECK(!there(path, "-wal") && !there(path, "-shm")); /* nothing is left behind */
    CHECK_EQ_INT(db_inspect("/nowhere/sedge.db", true, &seen, &e), ERR_NOT_FOUND);
}

TEST(inspect_a_copy_of_a_database_in_use)
{
    char path[300], copy[320];
    struct db *db;
    struct db_seen seen;
    struct error e = {0};
    make_db(path, &db);
    (void)snprintf(copy, sizeof(copy), "%s.copy", path);
    mode_t mask = umask(022);
    CHECK_EQ_INT(db_copy(path, copy, &e), ERR_OK);
    (void)umask(mask);
    struct stat st;
    REQUIRE(stat(copy, &st) == 0);
    CHECK_EQ_UINT(st.st_mode & 0777, 0600); /* it may lie in a folder of everybody */
    CHECK_EQ_INT(db_inspect(copy, true, &seen, &e), ERR_OK);
    CHECK_EQ_UINT(seen.cursor_min, 7);
    CHECK_EQ_STR(seen.damage, "");
    CHECK_EQ_INT(db_copy(path, copy, &e), ERR_EXISTS); /* never over another file */
    db_close(db);
}

TEST(inspect_a_database_that_is_damaged_or_anothers)
{
    char path[300];
    struct db *db;
    struct db_seen seen;
    struct error e = {0};
    make_db(path, &db);
    db_close(db);
    struct stat st;
    REQUIRE(stat(path, &st) == 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (off_t at = 4096 + 5; at < st.st_size; at += 4096) /* a head of each page but the first */
        CHECK_EQ_INT((int)pwrite(fd, "\xff\xff\xff", 3, at), 3);
    (void)close(fd);
    CHECK_EQ_INT(db_inspect(path, true, &seen, &e), ERR_OK);
    CHECK(seen.damage[0] != '\0');
    CHECK_EQ_INT(truncate(path, 0), 0);
    CHECK_EQ_INT(db_inspect(path, true, &seen, &e), ERR_OK);
    CHECK_HAS_STR(seen.damage, "not one of sedge");
    FILE *f = fopen(path, "we");
    REQUIRE(f);
    for (int i = 0; i < 2000; i++)
        (void)fputs("this is no database ", f);
    (void)fclose(f);
    CHECK_EQ_INT(db_inspect(path, true, &seen, &e), ERR_OK);
    CHECK(seen.damage[0] != '\0');
}
