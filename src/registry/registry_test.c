#include "registry/registry_rig_test.h"

TEST(what_a_program_says_about_staleness_holds_before_the_default)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    struct device_property *p = &g.valve->props[0];
    CHECK_EQ_INT(p->series->stale_ms, 150); /* known before the first sample */
    registry_set_stale(p, 3600000);         /* longer than the default */
    CHECK_EQ_INT(p->series->stale_ms, 3600000);
    registry_set_stale(p, 5000); /* another program is stricter */
    registry_set_stale(p, 60000);
    CHECK_EQ_INT(p->series->stale_ms, 5000);
    rig_fini(&g);
}

TEST(a_command_that_was_retained_before_there_was_an_owner_is_removed)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir);
    struct bus_publication p = {.topic = STR("l/set"),
                                .payload = {(const uint8_t *)"{}", 2},
                                .qos = 1,
                                .retain = true,
                                .expiry_s = UINT32_MAX,
                                .from = &g.base.client};
    struct bus_receipt receipt;
    CHECK_EQ_INT(bus_publish(g.base.bus, &p, &receipt), ERR_OK);
    CHECK_EQ_UINT(bus_stats(g.base.bus).retained, 1);
    rig_fini(&g);
    rig_build(&g, dir, 60000);
    CHECK_EQ_UINT(bus_stats(g.base.bus).retained, 1);
    REQUIRE(registry_set_owner(g.lamp, STR("guard")) == ERR_OK);
    rig_start(&g);
    CHECK_EQ_UINT(bus_stats(g.base.bus).retained, 0);
    rig_fini(&g);
}

TEST(names_of_topics_that_sedge_uses_are_refused)
{
    struct rig g;
    struct error e = {0};
    const struct property_def set = {S("set"), S(""), VALUE_BOOL, false, 0, 0};
    const struct model_def odd = {.name = S("Odd"), .properties = &set, .property_count = 1};
    const struct model_def *m;
    struct device *d;
    rig_init(&g, test_tmpdir());
    REQUIRE(registry_model(g.r, &odd, &m, &e) == ERR_OK);
    CHECK_EQ_INT(rig_device(g.r, "o", m, "o", &d, &e), ERR_EXISTS);
    CHECK_HAS_STR(e.text, "can't be called telemetry, set or ack");
    CHECK_EQ_INT(rig_device(g.r, "o2", g.lamp->model, "v", &d, &e), ERR_EXISTS);
    CHECK_EQ_STR(e.text, "o2 and plant.valve both use the topic v");
    rig_fini(&g);
}

TEST(silence_turns_a_property_stale)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, "v/position", "42", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 60);
    CHECK_EQ_INT(g.valve->props[0].series->quality, QUALITY_GOOD);
    const struct step none[] = {{1, NULL, NULL, NULL}};
    rig_play(&g, none, 1, 300);
    CHECK_EQ_INT(g.valve->props[0].series->quality, QUALITY_STALE);
    CHECK_EQ_DBL(g.valve->props[0].series->last.f, 42, 0);
    rig_fini(&g);
}

static void note_topic(void *ctx, const struct discovered *d)
{
    struct strbuf *b = ctx;
    strbuf_addf(b, "%.*s %d %s;", STR_FMT(d->topic), (int)d->kind, d->error.reason);
}

static void chatter(void *rig)
{
    struct rig *g = rig;
    char text[16];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        publish(g, "noise", text);
    }
}

TEST(strangers_and_unreadable_messages_are_listed)
{
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, test_tmpdir());
    registry_on_discovered(g.r, note_topic, &b);
    const struct step steps[] = {{1, "door", "{\"open\":true}", NULL},
                                 {1, "door", "{\"open\":true}", NULL},
                                 {1, "v", "{\"position\":\"ajar\"}", NULL},
                                 {1, NULL, NULL, chatter},
                                 {200, "noise", "last", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 400);
    /* told when it is new or says something new, but not for every message */
    CHECK_EQ_STR(b.p, "door 0 ;v 0 position: expected a number, got a string ajar;noise 1 ;"
                      "noise 2 ;");
    rig_fini(&g);
    strbuf_fini(&b);
}

TEST(a_stranger_can_not_fill_the_memory)
{
    struct rig g;
    char topic[3000];
    rig_init(&g, test_tmpdir());
    memset(topic, 'x', sizeof(topic));
    topic[sizeof(topic) - 1] = 0;
    publish(&g, topic, "1");
    CHECK(list_empty(registry_discovered(g.r)));
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(topic, sizeof(topic), "t/%d", i);
        publish(&g, topic, "1");
    }
    CHECK_EQ_UINT(registry_discovered_dropped(g.r), 101);
    rig_fini(&g);
}
