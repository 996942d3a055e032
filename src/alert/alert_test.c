#include "alert/alert.h"
#include "store/keep.h"
#include "tests/support/bus_rig.h"

#include <stdio.h>
#include <sys/stat.h>

struct rig {
    struct bus_rig base;
    struct alerts *alerts;
    struct strbuf seen;
};

static void on_change(void *ctx, const struct alert *al)
{
    struct strbuf *b = ctx;
    strbuf_addf(b, "%llu %s x%llu;", (unsigned long long)al->id, alert_state_name(al->state),
                (unsigned long long)al->count);
}

static void rig_init(struct rig *g, const char *dir, size_t alerts_max)
{
    struct error e = {0};
    *g = (struct rig){0};
    strbuf_init(&g->seen, alloc_system(), 0);
    bus_rig_init(&g->base, dir);
    struct alerts_config cfg = {.ex = g->base.ex,
                                .bus = g->base.bus,
                                .journal = g->base.journal,
                                .db = g->base.db,
                                .alloc = alloc_system(),
                                .alerts_max = alerts_max};
    REQUIRE(alerts_new(&g->alerts, &cfg, &e) == ERR_OK);
    bus_rig_start(&g->base);
    alerts_on_change(g->alerts, on_change, &g->seen);
}

static void rig_fini(struct rig *g)
{
    bus_rig_drain(&g->base);
    alerts_free(g->alerts);
    bus_rig_fini(&g->base);
    strbuf_fini(&g->seen);
}

static void event(struct rig *g, const char *key, const char *text, bool active, bool momentary)
{
    struct alert_event e = {.key = str_from(key),
                            .severity = SEVERITY_WARNING,
                            .text = str_from(text),
                            .device = STR("plant.press"),
                            .says = STR("{\"code\":\"rule-failed\"}"),
                            .cause = {.program = STR("guard"),
                                      .rule = STR("guard/when#1"),
                                      .line = 12,
                                      .series = STR("plant.press.temperature"),
                                      .value = {.kind = VALUE_FLOAT, .f = 85.2},
                                      .ts_ms = 1764000000000},
                            .active = active,
                            .momentary = momentary,
                            .wall_ms = 1764000001000};
    bus_alert_publish(g->base.bus, &e);
}

static enum err acknowledge(struct rig *g, uint64_t id)
{
    const struct alert *al;
    uint64_t seq;
    return alert_acknowledge(g->alerts, id, STR("Ada"), &al, &seq);
}

TEST(an_alert_is_over_when_it_is_normal_and_acknowledged)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    event(&g, "a", "hot", false, false);
    event(&g, "a", "hot", false, false); /* no news */
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(acknowledge(&g, 2), ERR_OK);
    CHECK_EQ_INT(acknowledge(&g, 2), ERR_EXISTS);
    event(&g, "b", "dry", false, false);
    CHECK_EQ_INT(acknowledge(&g, 3), ERR_NOT_FOUND);
    CHECK_EQ_STR(g.seen.p, "1 unacknowledged x1;1 returned x1;1 normal x1;"
                           "2 unacknowledged x1;2 acknowledged x1;2 normal x1;");
    CHECK_EQ_UINT(alerts_active(g.alerts), 0);
    rig_fini(&g);
}

TEST(one_condition_is_one_alert_until_it_is_over)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    event(&g, "a", "hotter", true, false); /* lasts: not another occurrence */
    event(&g, "a", "hot", false, false);
    event(&g, "a", "hot again", true, false);
    CHECK_EQ_STR(g.seen.p, "1 unacknowledged x1;1 unacknowledged x1;1 returned x1;"
                           "1 unacknowledged x2;");
    CHECK(str_eq(alert_find(g.alerts, 1)->text, STR("hot again")));
    strbuf_reset(&g.seen);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    event(&g, "a", "hot", false, false);
    event(&g, "a", "hot", true, false); /* over before, so it is a new one */
    CHECK_EQ_STR(g.seen.p, "1 acknowledged x2;1 normal x2;2 unacknowledged x1;");
    rig_fini(&g);
}

TEST(a_momentary_alert_is_normal_at_once)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "q", "peak 40 kW", true, true);
    event(&g, "q", "peak 50 kW", true, true);
    CHECK_EQ_STR(g.seen.p, "1 returned x1;1 returned x2;");
    CHECK(str_eq(alert_find(g.alerts, 1)->text, STR("peak 50 kW")));
    rig_fini(&g);
}

TEST(what_comes_again_has_not_been_seen)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "q", "low", true, false);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    event(&g, "q", "low again", true, true);
    const struct alert *al = alert_find(g.alerts, 1);
    REQUIRE(al != NULL);
    CHECK_EQ_INT(al->state, ALERT_RETURNED);
    CHECK_EQ_INT(al->acknowledged_ms, 0);
    CHECK_EQ_UINT(al->acknowledged_by.n, 0);
    rig_fini(&g);
}

TEST(an_acknowledgement_that_is_never_stored_is_undone)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, true);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    CHECK_EQ_INT(acknowledge(&g, 2), ERR_OK);
    alert_acknowledge_undo(g.alerts, 1);
    alert_acknowledge_undo(g.alerts, 2);
    alert_acknowledge_undo(g.alerts, 2); /* it is not any more */
    CHECK_EQ_STR(g.seen.p, "1 unacknowledged x1;2 returned x1;1 acknowledged x1;2 normal x1;"
                           "1 unacknowledged x1;2 returned x1;");
    CHECK_EQ_INT(alert_find(g.alerts, 1)->acknowledged_ms, 0);
    rig_fini(&g);
}

static void each_id(void *ctx, const struct alert *al)
{
    strbuf_addf(ctx, "%llu ", (unsigned long long)al->id);
}

TEST(the_newest_is_first_after_a_restart_too)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    alerts_each(g.alerts, ALERTS_ALL, 10, each_id, &g.seen);
    CHECK_EQ_STR(g.seen.p, "2 1 ");
    rig_fini(&g);
}

TEST(a_long_text_is_cut_and_kept)
{
    const char *dir = test_tmpdir();
    struct rig g;
    static char text[20001];
    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    text[0] = 'x'; /* so that the cut falls into a character */
    text[1] = 'x';
    memmove(text + 1, text + 2, sizeof(text) - 2);
    rig_init(&g, dir, 0);
    event(&g, "a", text, true, false);
    CHECK_EQ_UINT(alert_find(g.alerts, 1)->text.n, ALERT_TEXT_MAX - 1);
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    REQUIRE(alert_find(g.alerts, 1) != NULL);
    CHECK_EQ_UINT(alert_find(g.alerts, 1)->text.n, ALERT_TEXT_MAX - 1);
    rig_fini(&g);
}

TEST(alerts_outlive_a_restart_with_all_they_know)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(acknowledge(&g, 2), ERR_OK);
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    const struct alert *a = alert_find(g.alerts, 1), *b = alert_find(g.alerts, 2);
    REQUIRE(a && b);
    CHECK_EQ_INT(a->state, ALERT_UNACKNOWLEDGED);
    CHECK(str_eq(a->text, STR("hot")) && str_eq(a->device, STR("plant.press")));
    CHECK(str_eq(a->cause.rule, STR("guard/when#1")) && a->cause.line == 12);
    CHECK(str_eq(a->says, STR("{\"code\":\"rule-failed\"}")));
    CHECK_EQ_DBL(a->cause.value.f, 85.2, 0);
    CHECK_EQ_INT(b->state, ALERT_ACKNOWLEDGED);
    CHECK(str_eq(b->acknowledged_by, STR("Ada")));
    event(&g, "a", "hot", false, false); /* the condition is known by its key */
    event(&g, "c", "new", true, false);
    CHECK_EQ_STR(g.seen.p, "1 returned x1;3 unacknowledged x1;");
    rig_fini(&g);
}

TEST(the_oldest_that_are_over_are_forgotten_first)
{
    struct rig g;
    char key[16];
    rig_init(&g, test_tmpdir(), 4);
    event(&g, "stays", "still hot", true, false);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        event(&g, key, "short", true, false);
        event(&g, key, "short", false, false);
        CHECK_EQ_INT(acknowledge(&g, (uint64_t)i + 2), ERR_OK);
    }
    CHECK(alert_find(g.alerts, 1) != NULL);
    CHECK(alert_find(g.alerts, 2) == NULL);
    CHECK(alert_find(g.alerts, 11) != NULL);
    rig_fini(&g);
}

/* --- shelving --- */

static enum err shelve(struct rig *g, uint64_t id, int64_t for_ms)
{
    const struct alert *al;
    uint64_t seq;
    struct alert_shelving s = {STR("Ada"), STR("the sensor is being changed"), for_ms};
    return alert_shelve(g->alerts, id, &s, &al, &seq);
}

static enum err unshelve(struct rig *g, uint64_t id)
{
    const struct alert *al;
    uint64_t seq;
    return alert_unshelve(g->alerts, id, STR("Ada"), &al, &seq);
}

static bool shelved(struct rig *g, uint64_t id)
{
    const struct alert *al = alert_find(g->alerts, id);
    REQUIRE(al != NULL);
    return alert_is_shelved(al);
}

TEST(a_shelved_alert_does_not_bother_but_is_shown)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_UINT(alerts_active(g.alerts), 2);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK);
    const struct alert *al = alert_find(g.alerts, 1);
    CHECK_EQ_INT(al->state, ALERT_UNACKNOWLEDGED);
    CHECK_EQ_INT(al->shelved_until_ms - al->shelved_ms, 60000);
    CHECK(str_eq(al->shelved_by, STR("Ada")));
    CHECK(str_eq(al->shelved_why, STR("the sensor is being changed")));
    CHECK(str_eq(al->text, STR("hot"))); /* its texts have moved with the new ones */
    CHECK_EQ_UINT(alerts_active(g.alerts), 1);
    strbuf_reset(&g.seen);
    alerts_each(g.alerts, ALERTS_SHELVED, 10, each_id, &g.seen);
    alerts_each(g.alerts, ALERTS_OPEN, 10, each_id, &g.seen);
    CHECK_EQ_STR(g.seen.p, "1 2 1 ");
    CHECK_EQ_INT(unshelve(&g, 1), ERR_OK);
    CHECK_EQ_INT(unshelve(&g, 1), ERR_EXISTS);
    CHECK_EQ_INT(unshelve(&g, 7), ERR_NOT_FOUND);
    CHECK_EQ_UINT(alerts_active(g.alerts), 2);
    rig_fini(&g);
}

TEST(shelving_has_its_bounds)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    CHECK_EQ_INT(shelve(&g, 2, 60000), ERR_NOT_FOUND);
    CHECK_EQ_INT(shelve(&g, 1, ALERT_SHELVE_MIN_MS - 1), ERR_RANGE);
    CHECK_EQ_INT(shelve(&g, 1, ALERT_SHELVE_MAX_MS + 1), ERR_RANGE);
    CHECK(!shelved(&g, 1));
    CHECK_EQ_INT(shelve(&g, 1, ALERT_SHELVE_MAX_MS), ERR_OK);
    int64_t until_ms = alert_find(g.alerts, 1)->shelved_until_ms;
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK); /* the newest word holds */
    CHECK(alert_find(g.alerts, 1)->shelved_until_ms < until_ms);
    CHECK_EQ_INT(unshelve(&g, 1), ERR_OK);
    event(&g, "a", "hot", false, false);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_EXISTS); /* it is over */
    rig_fini(&g);
}

TEST(a_shelved_condition_that_chatters_stays_one_alert)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    event(&g, "a", "hot", false, false);
    CHECK_EQ_INT(alert_find(g.alerts, 1)->state, ALERT_NORMAL);
    event(&g, "a", "hot", false, false); /* no news */
    CHECK_EQ_INT(alert_find(g.alerts, 1)->state, ALERT_NORMAL);
    event(&g, "a", "hot", true, false);
    CHECK(alert_find(g.alerts, 2) == NULL);
    CHECK_EQ_UINT(alert_find(g.alerts, 1)->count, 2);
    CHECK_EQ_INT(alert_find(g.alerts, 1)->state, ALERT_UNACKNOWLEDGED);
    CHECK(shelved(&g, 1));
    CHECK_EQ_UINT(alerts_active(g.alerts), 0);
    rig_fini(&g);
}

TEST(what_comes_with_a_higher_severity_was_not_shelved)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "warm", true, false);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK);
    struct alert_event e = {.key = STR("a"),
                            .severity = SEVERITY_CRITICAL,
                            .text = STR("it burns"),
                            .active = true,
                            .wall_ms = 1764000002000};
    bus_alert_publish(g.base.bus, &e);
    CHECK(!shelved(&g, 1));
    CHECK_EQ_UINT(alerts_active(g.alerts), 1);
    rig_fini(&g);
}

TEST(shelving_ends_by_itself)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(shelve(&g, 1, 3000), ERR_OK);
    CHECK_EQ_INT(shelve(&g, 2, 1000), ERR_OK);
    bus_rig_run(&g.base, 900);
    CHECK(shelved(&g, 1) && shelved(&g, 2));
    bus_rig_run(&g.base, 200);
    CHECK(shelved(&g, 1) && !shelved(&g, 2));
    strbuf_reset(&g.seen);
    bus_rig_run(&g.base, 2000);
    CHECK(!shelved(&g, 1));
    CHECK_EQ_STR(g.seen.p, "1 unacknowledged x1;"); /* the page is told */
    CHECK_EQ_UINT(alert_find(g.alerts, 1)->shelved_by.n, 0);
    rig_fini(&g);
}

TEST(shelving_outlives_a_restart_and_ends_at_its_time)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, 0);
    event(&g, "a", "hot", true, false);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(shelve(&g, 1, ALERT_SHELVE_MAX_MS), ERR_OK);
    CHECK_EQ_INT(shelve(&g, 2, 1000), ERR_OK);
    bus_rig_run(&g.base, 20);
    int64_t until_ms = alert_find(g.alerts, 1)->shelved_until_ms;
    int64_t wall_ms = clock_wall_ms(g.base.env.clock);
    rig_fini(&g);
    rig_init(&g, dir, 0);
    CHECK(shelved(&g, 1) && shelved(&g, 2));
    CHECK_EQ_INT(alert_find(g.alerts, 1)->shelved_until_ms, until_ms);
    CHECK(str_eq(alert_find(g.alerts, 1)->shelved_why, STR("the sensor is being changed")));
    g.base.clock.wall_base_ms = wall_ms + 100000; /* it was off for so long */
    bus_rig_run(&g.base, 1000);
    CHECK(shelved(&g, 1) && !shelved(&g, 2));
    rig_fini(&g);
    rig_init(&g, dir, 0); /* the end is on disk, too */
    CHECK(shelved(&g, 1) && !shelved(&g, 2));
    rig_fini(&g);
}

TEST(a_clock_that_jumps_ends_a_shelving_within_a_minute)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    CHECK_EQ_INT(shelve(&g, 1, ALERT_SHELVE_MAX_MS), ERR_OK);
    g.base.clock.wall_base_ms += ALERT_SHELVE_MAX_MS;
    bus_rig_run(&g.base, 61000);
    CHECK(!shelved(&g, 1));
    rig_fini(&g);
}

TEST(a_shelving_that_is_never_stored_is_undone)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 0);
    event(&g, "a", "hot", true, false);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK);
    alert_shelve_undo(g.alerts, 1);
    alert_shelve_undo(g.alerts, 1);
    alert_shelve_undo(g.alerts, 9);
    CHECK(!shelved(&g, 1));
    CHECK_EQ_STR(g.seen.p, "1 unacknowledged x1;1 unacknowledged x1;1 unacknowledged x1;");
    rig_fini(&g);
}

TEST(what_is_shelved_is_not_forgotten_before_what_is_over)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), 2);
    event(&g, "a", "hot", true, true);
    CHECK_EQ_INT(acknowledge(&g, 1), ERR_OK);
    event(&g, "b", "dry", true, false);
    CHECK_EQ_INT(shelve(&g, 2, 60000), ERR_OK);
    CHECK_EQ_INT(acknowledge(&g, 2), ERR_OK);
    event(&g, "b", "dry", false, false); /* normal and seen, but shelved */
    event(&g, "c", "new", true, true);
    CHECK(alert_find(g.alerts, 1) == NULL);
    CHECK(alert_find(g.alerts, 2) != NULL);
    rig_fini(&g);
}

/* --- records of earlier versions --- */

static void apply_nothing(void *ctx, struct str key, struct bytes value)
{
    (void)ctx, (void)key, (void)value;
}

/* As version 1 wrote it, without shelving, and version 2, with nothing to say in another language.
 */
static size_t old_record(uint8_t *buf, size_t cap, uint8_t version)
{
    struct writer w = writer_from(buf, cap);
    writer_u8(&w, version);
    writer_u8(&w, SEVERITY_WARNING);
    writer_u8(&w, ALERT_UNACKNOWLEDGED);
    writer_varint(&w, 3);
    for (int i = 0; i < 3; i++)
        writer_svarint(&w, i == 0 ? 1764000001000 : 0);
    static const char *const texts[] = {"a", "hot", "plant.press", "", "guard", "guard/when#1"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        writer_str16(&w, str_from(texts[i]));
    writer_varint(&w, 12);
    writer_str16(&w, STR("plant.press.temperature"));
    writer_svarint(&w, 1764000000000);
    value_encode(&w, &(struct value){.kind = VALUE_FLOAT, .f = 85.2});
    for (int i = 0; i < 2 && version == 2; i++)
        writer_svarint(&w, 1764000002000 + 1000000000000 * i); /* shelved, and until when */
    for (int i = 0; i < 2 && version == 2; i++)
        writer_str16(&w, STR("Ada"));
    REQUIRE(!w.failed);
    return writer_len(&w);
}

static void read_old(const char *dir, uint8_t version)
{
    struct bus_rig base;
    struct keep *keep;
    struct error e = {0};
    uint8_t buf[512];
    bus_rig_init(&base, dir);
    struct keep_config cfg = {.ex = base.ex,
                              .journal = base.journal,
                              .db = base.db,
                              .alloc = alloc_system(),
                              .name = "alerts",
                              .kind = JOURNAL_ALERT,
                              .apply = apply_nothing};
    REQUIRE(keep_new(&keep, &cfg, &e) == ERR_OK);
    bus_rig_start(&base);
    struct bytes record = {buf, old_record(buf, sizeof(buf), version)};
    REQUIRE(keep_put(keep, STR("000000000001"), record, false, NULL) == ERR_OK);
    bus_rig_run(&base, 20);
    bus_rig_drain(&base);
    keep_free(keep);
    bus_rig_fini(&base);

    struct rig g;
    rig_init(&g, dir, 0);
    const struct alert *al = alert_find(g.alerts, 1);
    REQUIRE(al != NULL);
    CHECK(str_eq(al->text, STR("hot")) && al->count == 3 && al->says.n == 0);
    CHECK_EQ_INT(alert_is_shelved(al), version == 2);
    CHECK_EQ_INT(shelve(&g, 1, 60000), ERR_OK);
    rig_fini(&g);
}

TEST(an_alert_of_an_earlier_version_is_read)
{
    char dir[256];
    for (uint8_t version = 1; version <= 2; version++) {
        LABEL("version %d", version);
        (void)snprintf(dir, sizeof(dir), "%s/%d", test_tmpdir(), version);
        REQUIRE(mkdir(dir, 0700) == 0);
        read_old(dir, version);
    }
}
