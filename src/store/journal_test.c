#include "base/map.h"
#include "store/journal_rig_test.h"
#include <errno.h>
#include <stdio.h>

TEST(journal_append_and_replay_over_many_segments)
{
    struct rig g;
    rig_init(&g, 1);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK_EQ_UINT(journal_last(g.j), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        REQUIRE(rig_append(&g, i, i % 5 == 0) == ERR_OK);
        if (rig_mix(i) % 3 == 0)
            (void)journal_test_step(g.j);
    }
    CHECK_EQ_UINT(journal_last(g.j), 1000);
    CHECK(journal_committed(g.j) < 1000);
    (void)journal_test_step(g.j);
    CHECK_EQ_UINT(journal_committed(g.j), 1000);
    struct journal_stats s = journal_stats(g.j);
    CHECK(s.segments > 3);
    CHECK_EQ_UINT(s.appended, 1000);
    CHECK_EQ_UINT(s.syncs, s.frames);
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, 1000));
    CHECK_EQ_UINT(journal_last(g.j), 1000);
    CHECK_EQ_UINT(journal_stats(g.j).damaged, 0);
    rig_close(&g);
    g.consumer.cursor = 400; /* a consumer that has applied the first ones */
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 401, 1000));
    rig_fini(&g);
}

TEST(journal_closing_commits_what_was_appended)
{
    struct rig g;
    rig_init(&g, 2);
    REQUIRE(rig_open(&g) == ERR_OK);
    for (uint64_t i = 0; i < 10; i++)
        REQUIRE(rig_append(&g, i, true) == ERR_OK);
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, 10));
    rig_fini(&g);
}

TEST(journal_failed_sync_is_final)
{
    struct rig g;
    rig_init(&g, 3);
    REQUIRE(rig_open(&g) == ERR_OK);
    rig_fill(&g, 0, 20);
    CHECK_EQ_UINT(journal_committed(g.j), 20);
    disk_sim_fail(g.sim, DISK_SIM_SYNC, 0, 5);
    REQUIRE(rig_append(&g, 20, false) == ERR_OK);
    (void)journal_test_step(g.j);
    CHECK_EQ_UINT(journal_committed(g.j), 20);
    struct error why;
    CHECK(journal_failed(g.j, &why));
    CHECK_EQ_INT(why.code, ERR_IO);
    CHECK_EQ_INT(rig_append(&g, 21, false), ERR_IO);
    disk_sim_fail(g.sim, DISK_SIM_SYNC, DISK_SIM_NEVER, 0); /* the disk is well again: too late */
    CHECK_EQ_INT(rig_append(&g, 21, false), ERR_IO);
    (void)journal_test_step(g.j);
    CHECK_EQ_UINT(journal_committed(g.j), 20);
    disk_sim_crash(g.sim);
    rig_abandon(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(!g.wrong);
    CHECK(g.seen.n == 20 || g.seen.n == 21);
    CHECK(!journal_failed(g.j, NULL));
    rig_fini(&g);
}

/* The process is killed after a sync failed: the page cache shows the record, the disk may not have
 * it. What the next run was told at its start must stay. */
TEST(journal_what_was_replayed_lasts)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        LABEL("seed %llu", (unsigned long long)seed);
        struct rig g;
        rig_init(&g, seed);
        REQUIRE(rig_open(&g) == ERR_OK);
        rig_fill(&g, 0, 5);
        disk_sim_fail(g.sim, DISK_SIM_SYNC, 0, 5);
        REQUIRE(rig_append(&g, 8, false) == ERR_OK); /* a long one */
        (void)journal_test_step(g.j);
        disk_sim_kill(g.sim);
        rig_abandon(&g);
        REQUIRE(rig_open(&g) == ERR_OK);
        size_t n = g.seen.n;
        disk_sim_crash(g.sim);
        rig_abandon(&g);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(rig_saw(&g, 1, n));
        rig_fini(&g);
    }
}

static void read_all(struct rig *g, const char *path, uint8_t *p, size_t n)
{
    struct disk *d = g->cfg.disk;
    struct disk_file *f;
    size_t got;
    REQUIRE(d->ops->open(d, path, DISK_READ, &f, &g->e) == ERR_OK);
    REQUIRE(d->ops->read_at(d, f, 0, p, n, &got, &g->e) == ERR_OK);
    REQUIRE(got == n);
    d->ops->close(d, f);
}

static void write_all(struct rig *g, const char *path, const uint8_t *p, size_t n)
{
    struct disk *d = g->cfg.disk;
    struct disk_file *f;
    REQUIRE(d->ops->open(d, path, DISK_READ | DISK_WRITE, &f, &g->e) == ERR_OK);
    REQUIRE(d->ops->write_at(d, f, 0, p, n, &g->e) == ERR_OK);
    REQUIRE(d->ops->sync(d, f, &g->e) == ERR_OK);
    d->ops->close(d, f);
}

TEST(journal_torn_at_every_byte_of_the_last_frame)
{
    struct rig g;
    rig_init(&g, 4);
    REQUIRE(rig_open(&g) == ERR_OK);
    rig_fill(&g, 0, 9);
    uint64_t from = g.j->at;
    for (uint64_t i = 9; i < 12; i++)
        REQUIRE(rig_append(&g, i, false) == ERR_OK);
    (void)journal_test_step(g.j);
    uint64_t to = g.j->at;
    size_t n = g.cfg.segment_bytes;
    rig_close(&g);
    char path[] = RIG_DIR "/journal-0000000000000001.sj";
    static uint8_t whole[32u << 10];
    static uint8_t cut[32u << 10];
    read_all(&g, path, whole, n);
    for (uint64_t at = from; at < to; at++) {
        LABEL("cut after byte %llu of %llu", (unsigned long long)(at - from),
              (unsigned long long)(to - from));
        memcpy(cut, whole, n);
        memset(cut + at, 0, n - at);
        if (memcmp(cut, whole, n) == 0)
            continue; /* it ended in zeros */
        write_all(&g, path, cut, n);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(rig_saw(&g, 1, 9));
        CHECK_EQ_UINT(journal_stats(g.j).damaged, 0);
        if (at - from >= 16) /* so much of the head says whose it is */
            CHECK(journal_stats(g.j).torn_bytes > 0);
        /* It goes on where the good part ended. */
        REQUIRE(rig_append(&g, 9, false) == ERR_OK);
        rig_close(&g);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(rig_saw(&g, 1, 10));
        rig_close(&g);
    }
    write_all(&g, path, whole, n);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, 12));
    rig_fini(&g);
}

TEST(journal_recycled_segments_tell_nothing_old)
{
    struct rig g;
    rig_init(&g, 5);
    REQUIRE(rig_open(&g) == ERR_OK);
    uint64_t nonce = 0;
    for (unsigned round = 0; round < 200; round++) {
        rig_fill(&g, nonce, 20);
        nonce += 20;
        journal_release(g.j, &g.consumer, journal_committed(g.j) - 10);
        (void)journal_test_step(g.j);
        if (round % 10 != 9)
            continue;
        LABEL("round %u", round);
        rig_close(&g);
        uint64_t cursor = g.consumer.cursor;
        g.consumer.cursor = 0; /* tell me all that is there */
        REQUIRE(rig_open(&g) == ERR_OK);
        REQUIRE(g.seen.n > 0);
        CHECK(rig_saw(&g, g.seen.v[0], nonce));
        CHECK(g.seen.v[0] <= cursor + 1);
        CHECK_EQ_UINT(journal_stats(g.j).damaged, 0);
        CHECK(journal_stats(g.j).segments < 6);
        g.consumer.cursor = cursor;
    }
    CHECK(g.consumer.cursor > 3900);
    rig_fini(&g);
}

TEST(journal_counts_recycled_segments)
{
    struct rig g;
    rig_init(&g, 6);
    REQUIRE(rig_open(&g) == ERR_OK);
    rig_fill(&g, 0, 600);
    uint64_t before = journal_stats(g.j).segments;
    CHECK(before > 3);
    CHECK_EQ_UINT(journal_stats(g.j).recycled, 0);
    journal_release(g.j, &g.consumer, 600);
    (void)journal_test_step(g.j);
    CHECK_EQ_UINT(journal_stats(g.j).segments, 1);
    CHECK_EQ_UINT(journal_stats(g.j).recycled, before - 1);
    rig_fini(&g);
}

struct names {
    unsigned damaged, journals, other;
};
static void count_name(void *ctx, const char *name)
{
    struct names *n = ctx;
    if (strstr(name, ".damaged-"))
        n->damaged++;
    else if (strncmp(name, "journal-", 8) == 0)
        n->journals++;
    else
        n->other++;
}

TEST(journal_damage_in_the_middle)
{
    static const struct {
        const char *label;
        uint64_t at; /* in the first segment */
    } cases[] = {{"a frame in the middle", 9000},
                 {"the first frame", SEGMENT_HEAD + 50},
                 {"the segment's head", 20},
                 {"the last quarter", 25000},
                 {"a frame's magic", SEGMENT_HEAD + 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct rig g;
        rig_init(&g, 7);
        REQUIRE(rig_open(&g) == ERR_OK);
        rig_fill(&g, 0, 600);
        rig_close(&g);
        REQUIRE(disk_sim_flip(g.sim, RIG_DIR "/journal-0000000000000001.sj", cases[i].at, 0xff) ==
                ERR_OK);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(!g.wrong);
        size_t lost = cases[i].at == 20 ? 0 : 1;
        CHECK_EQ_UINT(g.seen.n, 600 - lost);
        CHECK_EQ_UINT(g.seen.v[g.seen.n - 1], 600);
        CHECK(journal_stats(g.j).damaged > 0);
        struct names n = {0};
        REQUIRE(g.cfg.disk->ops->list(g.cfg.disk, RIG_DIR, count_name, &n, &g.e) == ERR_OK);
        CHECK_EQ_UINT(n.damaged, 1);
        /* Repaired: the next start finds all that was saved, and nothing to complain of. */
        rig_fill(&g, 600, 3);
        rig_close(&g);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(!g.wrong);
        CHECK_EQ_UINT(g.seen.n, 603 - lost);
        CHECK_EQ_UINT(journal_stats(g.j).damaged, 0);
        rig_fini(&g);
    }
}

TEST(journal_damage_at_the_end_of_a_closed_segment)
{
    struct rig g;
    rig_init(&g, 8);
    REQUIRE(rig_open(&g) == ERR_OK);
    unsigned n = 0;
    uint64_t end = 0;
    while (g.j && journal_stats(g.j).segments < 2) {
        end = g.j->at;
        rig_fill(&g, n++, 1);
    }
    rig_fill(&g, n, 5);
    n += 5;
    rig_close(&g);
    /* The last byte of the last frame of segment 1. */
    REQUIRE(disk_sim_flip(g.sim, RIG_DIR "/journal-0000000000000001.sj", end - 1, 1) == ERR_OK);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(!g.wrong);
    CHECK_EQ_UINT(g.seen.n, n - 1);
    CHECK_EQ_UINT(journal_stats(g.j).damaged, 1);
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK_EQ_UINT(g.seen.n, n - 1);
    CHECK_EQ_UINT(journal_stats(g.j).damaged, 0);
    rig_fini(&g);
}

TEST(journal_numbers_are_not_given_twice)
{
    struct rig g;
    rig_init(&g, 9);
    REQUIRE(rig_open(&g) == ERR_OK);
    rig_fill(&g, 0, 5);
    /* A consumer was ahead of the disk when the power went. */
    rig_close(&g);
    g.consumer.cursor = 9;
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK_EQ_UINT(journal_last(g.j), 9);
    rig_fill(&g, 100, 2);
    CHECK_EQ_UINT(journal_last(g.j), 11);
    rig_close(&g);
    g.consumer.cursor = 0;
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(!g.wrong);
    CHECK_EQ_UINT(g.seen.n, 7);
    CHECK_EQ_UINT(g.seen.v[5], 10);
    CHECK_EQ_UINT(journal_stats(g.j).damaged, 0); /* a gap, but a known one */
    rig_fini(&g);
}

TEST(journal_full_group_is_an_answer)
{
    struct rig g;
    rig_init(&g, 10);
    REQUIRE(rig_open(&g) == ERR_OK);
    uint64_t n = 0;
    enum err r;
    while ((r = rig_append(&g, n, false)) == ERR_OK)
        n++;
    CHECK_EQ_INT(r, ERR_FULL);
    CHECK(n > 10);
    REQUIRE(journal_test_step(g.j));
    CHECK_EQ_INT(rig_append(&g, n, false), ERR_OK);
    static uint8_t big[32u << 10];
    struct iovec part = {big, sizeof(big)};
    uint64_t seq;
    CHECK_EQ_INT(journal_append(g.j, JOURNAL_MESSAGE, false, &part, 1, &seq), ERR_RANGE);
    rig_fini(&g);
}

TEST(journal_presses_and_then_refuses)
{
    struct rig g;
    rig_init(&g, 11);
    g.cfg.journal_max_bytes = 3 * g.cfg.segment_bytes;
    REQUIRE(rig_open(&g) == ERR_OK);
    uint64_t n = 0;
    enum err r;
    while ((r = rig_append(&g, n, false)) == ERR_OK) {
        n++;
        REQUIRE(journal_test_step(g.j));
        journal_press(g.j);
        if (journal_stats(g.j).segments <= 3)
            CHECK_EQ_UINT(g.pressed, 0);
    }
    CHECK_EQ_INT(r, ERR_FULL);
    CHECK_EQ_UINT(journal_stats(g.j).segments, 12);
    CHECK_EQ_UINT(g.pressed, 9); /* once with every segment above the third */
    journal_release(g.j, &g.consumer, journal_committed(g.j));
    (void)journal_test_step(g.j);
    CHECK_EQ_INT(rig_append(&g, n, false), ERR_OK);
    rig_fini(&g);
}

TEST(journal_relaxed_commit_acknowledges_at_once)
{
    struct rig g;
    rig_init(&g, 12);
    g.cfg.commit_ms = 10000;
    REQUIRE(rig_open(&g) == ERR_OK);
    for (uint64_t i = 0; i < 5; i++)
        REQUIRE(rig_append(&g, i, false) == ERR_OK);
    CHECK_EQ_UINT(journal_committed(g.j), 5);
    CHECK_EQ_UINT(journal_stats(g.j).syncs, 0);
    disk_sim_crash(g.sim);
    rig_abandon(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK_EQ_UINT(g.seen.n, 0); /* what this setting can lose */
    rig_fini(&g);
}

TEST(journal_every_allocation_at_the_start_fails)
{
    struct rig g;
    rig_init(&g, 13);
    REQUIRE(rig_open(&g) == ERR_OK);
    rig_fill(&g, 0, 300);
    rig_close(&g);
    REQUIRE(disk_sim_flip(g.sim, RIG_DIR "/journal-0000000000000001.sj", 9000, 0xff) == ERR_OK);
    struct alloc_faulty f;
    bool met = true;
    for (uint64_t at = 0; met && at < 500; at++) {
        LABEL("allocation %llu", (unsigned long long)at);
        alloc_faulty_init(&f, at);
        g.cfg.alloc = &f.alloc;
        enum err r = rig_open(&g);
        met = f.failed;
        if (met)
            CHECK_EQ_INT(r, ERR_NOMEM);
        if (r == ERR_OK)
            rig_close(&g);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
    CHECK(!met);
    g.cfg.alloc = alloc_system();
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK_EQ_UINT(g.seen.n, 299);
    rig_fini(&g);
}

TEST(journal_every_disk_call_at_the_start_fails)
{
    static const enum disk_sim_call calls[] = {DISK_SIM_OPEN, DISK_SIM_READ, DISK_SIM_WRITE,
                                               DISK_SIM_SYNC, DISK_SIM_NAME};
    for (size_t c = 0; c < ARRAY_LEN(calls); c++) {
        struct rig g;
        rig_init(&g, 14);
        REQUIRE(rig_open(&g) == ERR_OK);
        rig_fill(&g, 0, 300);
        rig_close(&g);
        bool met = true;
        for (uint64_t at = 0; met && at < 100; at++) {
            LABEL("call kind %d, number %llu", (int)calls[c], (unsigned long long)at);
            struct disk_sim_stats before = disk_sim_stats(g.sim);
            disk_sim_fail(g.sim, calls[c], at, 5);
            enum err r = rig_open(&g);
            met = disk_sim_stats(g.sim).calls[calls[c]] - before.calls[calls[c]] > at;
            CHECK_EQ_INT(r, met ? ERR_IO : ERR_OK);
            disk_sim_fail(g.sim, calls[c], DISK_SIM_NEVER, 0);
            if (r == ERR_OK)
                rig_close(&g);
        }
        CHECK(!met);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(rig_saw(&g, 1, 300));
        rig_fini(&g);
    }
}
