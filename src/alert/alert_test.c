#include "alert/alert.h"
#include "tests/support/bus_rig.h"

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
    alerts_each(g.alerts, false, 10, each_id, &g.seen);
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
