#include "bus/checkpoint.h"

#include "base/log.h"
#include "tests/support/bus_rig.h"

/* A consumer that is asked for a run every millisecond, and whose disk is full for a while. */
enum { FULL_MS = 5000 };
struct asked {
    struct checkpoint checkpoint;
    struct timer timer;
    int64_t ms;
    _Atomic bool broken;
    unsigned failed, told, over;
};

static void *gather(struct checkpoint *c)
{
    return CONTAINER_OF(c, struct asked, checkpoint);
}

static enum err write_rows(void *snapshot, struct sqlite3 *sql, struct error *e)
{
    struct asked *a = snapshot;
    (void)sql;
    return atomic_load(&a->broken) ? error_set(e, ERR_IO, "the disk is full") : ERR_OK;
}

static void forget(void *snapshot)
{
    (void)snapshot;
}

static void failed(struct checkpoint *c)
{
    CONTAINER_OF(c, struct asked, checkpoint)->failed++;
}

static void apply(struct journal_consumer *c, const struct journal_record *r)
{
    (void)c;
    (void)r;
}

static void ask(struct timer *t)
{
    struct asked *a = CONTAINER_OF(t, struct asked, timer);
    if (a->ms++ == FULL_MS) {
        CHECK(a->failed >= 3 && a->failed <= 6);
        CHECK_EQ_UINT(atomic_load(&a->checkpoint.stored), 0);
        atomic_store(&a->broken, false);
    }
    if (a->checkpoint.run)
        db_drain(a->checkpoint.db); /* virtual time runs ahead of its thread */
    checkpoint_now(&a->checkpoint);
    timer_set_after_ms(t, 1);
}

static void hear(void *ctx, enum log_level level, const char *part, const char *text)
{
    struct asked *a = ctx;
    (void)level;
    (void)part;
    a->told += strcmp(text, "asked: not stored: the disk is full") == 0;
    a->over += strcmp(text, "asked: stored again") == 0;
}

static void init(struct asked *a, struct bus_rig *g)
{
    static const struct checkpoint_ops ops = {
        .gather = gather, .write = write_rows, .free = forget, .failed = failed};
    const struct checkpoint_config cfg = {.name = "asked",
                                          .ops = &ops,
                                          .apply = apply,
                                          .ex = g->ex,
                                          .journal = g->journal,
                                          .db = g->db,
                                          .alloc = alloc_system()};
    struct error e = {0};
    *a = (struct asked){0};
    REQUIRE(CHECK_EQ_INT(checkpoint_init(&a->checkpoint, &cfg, &e), ERR_OK));
    timer_init(&a->timer, g->w, ask);
}

/* Runs write all that there is, so a disk that is full for long must not be asked each time that
 * somebody is pressed, nor fill the log. */
TEST(checkpoint_has_patience_with_a_full_disk)
{
    struct bus_rig g;
    struct asked a;
    bus_rig_init(&g, test_tmpdir());
    init(&a, &g);
    bus_rig_start(&g);
    log_set_sink(hear, &a);
    atomic_store(&a.broken, true);
    timer_set_after_ms(&a.timer, 1);
    bus_rig_run(&g, FULL_MS + 3000);
    CHECK(atomic_load(&a.checkpoint.stored) > 0);
    CHECK_EQ_UINT(a.told, 1);
    CHECK_EQ_UINT(a.over, 1);
    timer_cancel(&a.timer);
    log_set_sink(NULL, NULL);
    checkpoint_fini(&a.checkpoint);
    bus_rig_fini(&g);
}
