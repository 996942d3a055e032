/* A disk that is full, for a while. */
#include "base/log.h"
#include "base/map.h"
#include "store/journal_rig_test.h"
#include <errno.h>
#include <stdio.h>

#define SECOND INT64_C(1000000000)

/* Numbers of rig_append() by the kind that they are of. */
enum { A_MESSAGE = 7000, A_SAMPLE = 7001, A_SESSION = 7002, A_DECISION = 7004 };

/* What the log says, one line behind the other. */
static char said[2000];
static void hear(void *ctx, enum log_level level, const char *part, const char *text)
{
    size_t n = strlen(said);
    (void)ctx;
    (void)level;
    (void)snprintf(said + n, sizeof(said) - n, "%s: %s\n", part, text);
}

static void space_open(struct rig *g, uint64_t seed)
{
    rig_init(g, seed);
    said[0] = '\0';
    log_set_sink(hear, NULL);
    REQUIRE(rig_open(g) == ERR_OK);
}

static void space_close(struct rig *g)
{
    rig_fini(g);
    log_set_sink(NULL, NULL);
}

/* Room for so much more; 0: for nothing. */
static void leave(struct rig *g, uint64_t bytes)
{
    uint64_t free_bytes = 0;
    disk_sim_room(g->sim, UINT64_MAX >> 1);
    struct disk *d = g->cfg.disk;
    REQUIRE(d->ops->free_bytes(d, RIG_DIR, &free_bytes, NULL) == ERR_OK);
    disk_sim_room(g->sim, (UINT64_MAX >> 1) - free_bytes + bytes + 1);
}

static void plenty(struct rig *g)
{
    disk_sim_room(g->sim, 0);
    clock_manual_advance(&g->clock, SECOND);
}

static bool committed_all(const struct rig *g)
{
    return journal_committed(g->j) == journal_last(g->j);
}

/* Messages, until one more is refused. */
static uint64_t fill_up(struct rig *g, uint64_t nonce)
{
    uint64_t n = 0;
    for (; n < 1000 && rig_append(g, nonce + 7 * n, false) == ERR_OK; n++)
        REQUIRE(journal_test_step(g->j));
    REQUIRE(n < 1000);
    return n;
}

TEST(a_full_disk_refuses_the_bulk_and_takes_what_the_site_needs)
{
    static const struct {
        const char *label;
        uint64_t nonce;
        enum err err;
    } rows[] = {
        {"message", A_MESSAGE, ERR_IO},    {"sample", A_SAMPLE, ERR_IO},
        {"session", A_SESSION, ERR_OK},    {"decision", A_DECISION, ERR_OK},
        {"alert", A_DECISION + 1, ERR_OK}, {"program", A_DECISION + 2, ERR_OK},
    };
    struct rig g;
    space_open(&g, 21);
    rig_fill(&g, A_MESSAGE, 1); /* makes the first segment */
    leave(&g, 0);
    CHECK(fill_up(&g, A_MESSAGE) > 2);
    CHECK(journal_no_room(g.j) && !journal_failed(g.j, NULL));
    CHECK_HAS_STR(said, "/data/journal: no room for 32 KiB of journal");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(rig_append(&g, rows[i].nonce, false), rows[i].err);
        (void)journal_test_step(g.j);
        CHECK(committed_all(&g));
    }
    LABEL("once only");
    const char *first = strstr(said, "no room");
    CHECK(first && !strstr(first + 1, "no room"));
    LABEL("again");
    plenty(&g);
    (void)journal_test_step(g.j);
    CHECK(!journal_no_room(g.j));
    CHECK_HAS_STR(said, "room again");
    rig_fill(&g, A_MESSAGE, 200);
    uint64_t last = journal_last(g.j);
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, last));
    space_close(&g);
}

/* Whoever publishes while the log is told, which may take long. */
struct publisher {
    struct rig rig;
    unsigned asked;
    bool seems_failed;
};

static void publish_meanwhile(void *ctx, enum log_level level, const char *part, const char *text)
{
    struct publisher *p = ctx;
    hear(NULL, level, part, text);
    if (!strstr(text, "no room"))
        return;
    p->asked++;
    p->seems_failed = rig_append(&p->rig, A_MESSAGE, false) == ERR_IO && !journal_no_room(p->rig.j);
}

/* What is refused for want of room is never taken for a journal that has failed. */
TEST(a_disk_that_gets_full_never_looks_broken)
{
    static struct publisher p;
    p = (struct publisher){0};
    space_open(&p.rig, 23);
    log_set_sink(publish_meanwhile, &p);
    leave(&p.rig, 0);
    REQUIRE(rig_append(&p.rig, A_DECISION, false) == ERR_OK);
    (void)journal_test_step(p.rig.j);
    CHECK_EQ_UINT(p.asked, 1);
    CHECK(journal_no_room(p.rig.j) && !p.seems_failed);
    plenty(&p.rig);
    CHECK(journal_test_step(p.rig.j));
    space_close(&p.rig);
}

/* The first segment of a new site, and the last of a full one. */
TEST(what_was_taken_waits_for_room_and_is_not_lost)
{
    for (int first = 0; first < 2; first++) {
        LABEL(first ? "no segment at all" : "the reserve is used up");
        struct rig g;
        uint64_t n = 0;
        space_open(&g, 22);
        if (!first)
            rig_fill(&g, A_MESSAGE, 1);
        leave(&g, 0);
        for (; n < 1000 && rig_append(&g, A_DECISION, false) == ERR_OK; n++)
            (void)journal_test_step(g.j);
        CHECK(n > 0 && n < 1000);
        CHECK(journal_no_room(g.j) && !journal_failed(g.j, NULL) && !committed_all(&g));
        LABEL("looks again each second, and not more");
        uint64_t opened = disk_sim_stats(g.sim).calls[DISK_SIM_OPEN];
        for (int i = 0; i < 100; i++) {
            clock_manual_advance(&g.clock, SECOND);
            CHECK(!journal_test_step(g.j));
        }
        CHECK_EQ_UINT(disk_sim_stats(g.sim).calls[DISK_SIM_OPEN], opened);
        LABEL("and goes on");
        plenty(&g);
        CHECK(journal_test_step(g.j));
        CHECK(committed_all(&g) && !journal_no_room(g.j));
        rig_fill(&g, A_MESSAGE, 20);
        uint64_t last = journal_last(g.j);
        rig_close(&g);
        REQUIRE(rig_open(&g) == ERR_OK);
        CHECK(rig_saw(&g, 1, last));
        space_close(&g);
    }
}

/* The power goes while a group waits: what was committed is there, what was not is not. */
TEST(a_power_cut_on_a_full_disk_loses_nothing_committed)
{
    struct rig g;
    space_open(&g, 23);
    rig_fill(&g, A_MESSAGE, 1);
    leave(&g, 0);
    for (unsigned n = 0; n < 1000 && rig_append(&g, A_DECISION, false) == ERR_OK; n++)
        (void)journal_test_step(g.j);
    uint64_t committed = journal_committed(g.j);
    CHECK(!committed_all(&g));
    disk_sim_crash(g.sim);
    rig_abandon(&g);
    disk_sim_room(g.sim, 0);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, committed));
    space_close(&g);
}

/* A quota is not seen beforehand: each try fills a file in vain. */
TEST(a_quota_is_tried_less_and_less_often)
{
    struct rig g;
    space_open(&g, 24);
    disk_sim_fail(g.sim, DISK_SIM_WRITE, 0, EDQUOT);
    REQUIRE(rig_append(&g, A_DECISION, false) == ERR_OK);
    CHECK(!journal_test_step(g.j));
    CHECK(journal_no_room(g.j) && !journal_failed(g.j, NULL));
    uint64_t tries = disk_sim_stats(g.sim).calls[DISK_SIM_WRITE];
    for (int i = 0; i < 640; i++) {
        clock_manual_advance(&g.clock, SECOND / 10);
        CHECK(!journal_test_step(g.j));
    }
    CHECK_EQ_UINT(disk_sim_stats(g.sim).calls[DISK_SIM_WRITE] - tries,
                  6); /* 1, 2, 4, 8, 16, 32 s */
    disk_sim_fail(g.sim, DISK_SIM_WRITE, DISK_SIM_NEVER, 0);
    clock_manual_advance(&g.clock, 32 * SECOND);
    CHECK(journal_test_step(g.j));
    CHECK(committed_all(&g) && !journal_no_room(g.j));
    space_close(&g);
}

/* A file system that copies on writing needs room for bytes that are there already. */
TEST(a_write_into_a_segment_that_lacks_room_is_tried_again)
{
    struct rig g;
    space_open(&g, 26);
    rig_fill(&g, A_MESSAGE, 3);
    disk_sim_fail(g.sim, DISK_SIM_WRITE, 0, ENOSPC);
    REQUIRE(rig_append(&g, A_DECISION, false) == ERR_OK);
    CHECK(!journal_test_step(g.j));
    CHECK(journal_no_room(g.j) && !journal_failed(g.j, NULL));
    uint64_t tries = disk_sim_stats(g.sim).calls[DISK_SIM_WRITE];
    for (int i = 0; i < 100; i++)
        CHECK(!journal_test_step(g.j));
    CHECK_EQ_UINT(disk_sim_stats(g.sim).calls[DISK_SIM_WRITE], tries); /* no time has passed */
    disk_sim_fail(g.sim, DISK_SIM_WRITE, DISK_SIM_NEVER, 0);
    clock_manual_advance(&g.clock, SECOND);
    CHECK(journal_test_step(g.j));
    CHECK(committed_all(&g) && !journal_no_room(g.j));
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, 4));
    space_close(&g);
}

/* The same of the head of the next segment, which lies ready. */
TEST(a_segment_that_can_not_be_begun_is_tried_again)
{
    struct rig g;
    uint64_t n = 0;
    space_open(&g, 27);
    rig_fill(&g, A_MESSAGE, 1);
    while (n < 1000 && (g.j->spares == 0 || g.j->at + RIG_BODY_MAX + 200 < g.j->segment_bytes))
        rig_fill(&g, A_MESSAGE + ++n, 1);
    REQUIRE(g.j->spares > 0);
    size_t segments = g.j->segments.n;
    disk_sim_fail(g.sim, DISK_SIM_WRITE, 0, ENOSPC);
    for (n = 0; n < 1000 && committed_all(&g) && rig_append(&g, A_DECISION, false) == ERR_OK; n++) {
        g.j->at = g.j->segment_bytes; /* as if that were the end of the segment */
        (void)journal_test_step(g.j);
    }
    CHECK_EQ_UINT(n, 1);
    CHECK(journal_no_room(g.j) && !journal_failed(g.j, NULL));
    disk_sim_fail(g.sim, DISK_SIM_WRITE, DISK_SIM_NEVER, 0);
    clock_manual_advance(&g.clock, SECOND);
    CHECK(journal_test_step(g.j));
    CHECK(committed_all(&g) && !journal_no_room(g.j));
    CHECK_EQ_UINT(g.j->segments.n, segments + 1);
    uint64_t last = journal_last(g.j);
    rig_close(&g);
    REQUIRE(rig_open(&g) == ERR_OK);
    CHECK(rig_saw(&g, 1, last));
    space_close(&g);
}

/* A full disk that then becomes read-only, as by errors of its file system. */
TEST(a_full_disk_that_fails_otherwise_is_not_looked_at_all_the_time)
{
    struct rig g;
    space_open(&g, 28);
    rig_fill(&g, A_MESSAGE, 1);
    leave(&g, 0);
    (void)fill_up(&g, A_MESSAGE);
    disk_sim_fail(g.sim, DISK_SIM_OPEN, 0, EROFS);
    plenty(&g);
    (void)journal_test_step(g.j);
    CHECK(g.j->room_at_ns > clock_mono_ns(g.j->clock)); /* for the thread: not at once again */
    uint64_t tries = disk_sim_stats(g.sim).calls[DISK_SIM_OPEN];
    for (int i = 0; i < 100; i++)
        (void)journal_test_step(g.j);
    CHECK_EQ_UINT(disk_sim_stats(g.sim).calls[DISK_SIM_OPEN], tries);
    CHECK(!journal_failed(g.j, NULL)); /* there is room in this segment */
    disk_sim_fail(g.sim, DISK_SIM_OPEN, DISK_SIM_NEVER, 0);
    space_close(&g);
}

/* That there will be room again is no comfort then. */
TEST(a_full_disk_that_breaks_is_broken)
{
    struct rig g;
    space_open(&g, 29);
    rig_fill(&g, A_MESSAGE, 1);
    leave(&g, 0);
    (void)fill_up(&g, A_MESSAGE);
    CHECK(journal_no_room(g.j));
    disk_sim_fail(g.sim, DISK_SIM_WRITE, 0, EIO);
    REQUIRE(rig_append(&g, A_DECISION, false) == ERR_OK);
    (void)journal_test_step(g.j);
    CHECK(journal_failed(g.j, NULL) && !journal_no_room(g.j));
    CHECK_EQ_INT(rig_append(&g, A_MESSAGE, false), ERR_IO);
    space_close(&g);
}

/* The service manager tries it every few seconds, for ever: to fill the rest of a card each time
 * would wear it out. */
TEST(a_start_without_room_for_a_segment_writes_nothing)
{
    struct rig g;
    space_open(&g, 30);
    leave(&g, 31 << 10);
    CHECK_EQ_INT(journal_start(g.j, &g.e), ERR_IO);
    CHECK_EQ_INT(g.e.os_errno, ENOSPC);
    CHECK_EQ_STR(g.e.where, "/data/journal");
    CHECK_HAS_STR(g.e.text, "no room for 32 KiB of journal");
    CHECK_EQ_UINT(disk_sim_stats(g.sim).calls[DISK_SIM_WRITE], 0);
    plenty(&g);
    CHECK_EQ_INT(journal_start(g.j, &g.e), ERR_OK);
    space_close(&g);
}

/* Any other error is the end, as ever. */
TEST(a_broken_disk_is_not_a_full_one)
{
    struct rig g;
    space_open(&g, 25);
    disk_sim_fail(g.sim, DISK_SIM_WRITE, 0, EIO);
    REQUIRE(rig_append(&g, A_DECISION, false) == ERR_OK);
    (void)journal_test_step(g.j);
    CHECK(journal_failed(g.j, NULL) && !journal_no_room(g.j));
    space_close(&g);
}
