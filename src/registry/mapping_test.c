/* Devices that were not made for us: values out of their documents, commands on their topics. */
#include "registry/mapping_rig_test.h"

TEST(values_are_taken_out_of_documents)
{
    static const struct {
        const char *label, *topic, *payload, *heard;
    } rows[] = {
        {"by keys", "t/SENSOR", "{\"Time\":\"2025-01-01T00:00:00\",\"ENERGY\":{\"Power\":12.5}}",
         "power=12.5;"},
        {"by keys and places", "t/SENSOR",
         "{\"list\":[{\"n\":\"a\"},{\"n\":\"b\"},{\"n\":\"c\"}],\"ENERGY\":{\"Power\":\"1\"}}",
         "note=b;power=1;"},
        {"one of two keys", "t/two", "{\"a\":{\"x\":1,\"y\":2}}", "power=1;"},
        {"the other one", "t/two", "{\"b\":{\"x\":1},\"a\":{\"y\":2}}", "note=1;"},
        {"not there", "t/SENSOR", "{\"ENERGY\":{\"Today\":1},\"list\":[{\"n\":\"a\"}]}", ""},
        {"something else there", "t/SENSOR", "{\"ENERGY\":5,\"list\":{\"n\":1}}", ""},
        {"a word", "t/RESULT", "{\"POWER\":\"ON\"}", "lit=1;"},
        {"bare", "t/POWER", "OFF", "lit=0;"},
        {"scaled", "t/mw", "{\"p\":12345}", "power=12.345;"},
        {"other words", "t/door", "{\"contact\":false}", "lit=1;"},
        {"out of range", "t/SENSOR", "{\"ENERGY\":{\"Power\":5000}}", "power=5000 bad;"},
        {"null", "t/SENSOR", "{\"ENERGY\":{\"Power\":null}}", ""},
        {"an escaped key", "t/RESULT", "{\"POW\\u0045R\":true}", "lit=1;"},
        {"an event by its word", "t/btn", "{\"action\":\"single\"}", "single!;any!;"},
        {"another one", "t/btn", "{\"action\":\"double\"}", "any!;"},
        {"no event", "t/btn", "{\"action\":\"\"}", ""},
        {"no topic of it", "t/other", "{\"POWER\":\"ON\"}", ""},
    };
    struct plug_rig p;
    plug_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        hears(&p, rows[i].topic, rows[i].payload, rows[i].heard);
    }
    CHECK_EQ_UINT(p.plug->reach.unreadable, 0);
    plug_fini(&p);
}

TEST(one_message_feeds_two_devices)
{
    struct plug_rig p;
    struct error e = {0};
    struct device *other;
    plug_init(&p);
    struct registry_device_def def = plug_def(p.plug->model);
    def.name = STR("home.twin");
    def.mapping.commands = NULL;
    def.mapping.command_count = 0;
    REQUIRE(CHECK_EQ_INT(registry_device(p.g.r, &def, &other, &e), ERR_OK));
    hears(&p, "t/POWER", "ON", "lit=1;lit=1;");
    CHECK_EQ_INT(other->props[1].series->last.b, true);
    plug_fini(&p);
}

TEST(what_can_not_be_read_is_counted_with_its_place)
{
    static const struct {
        const char *topic, *payload, *path, *reason;
        uint32_t at;
    } rows[] = {
        {"t/SENSOR", "{\"ENERGY\":{\"Power\":\"much\"}}", "ENERGY.Power",
         "power: expected a number, got a string much", 20},
        {"t/SENSOR", "{\"ENERGY\":{\"Power\":[1]}}", "ENERGY.Power", "got a list", 19},
        {"t/SENSOR", "{\"ENERGY\":", "", "not JSON", 10},
        {"t/POWER", "perhaps", "", "lit: expected a boolean, got perhaps", 0},
        {"t/mw", "{\"p\":1,\"at\":7}", "time", "time: 7 is no plausible time", 12},
        {"t/LWT", "perhaps", "", "neither online nor offline: perhaps", 0},
    };
    struct plug_rig p;
    plug_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].payload);
        publish(&p.g, rows[i].topic, rows[i].payload);
        CHECK_EQ_UINT(p.plug->reach.unreadable, i + 1);
        const struct discovered *d = listed(&p, rows[i].topic);
        if (!CHECK(d != NULL))
            continue;
        CHECK_EQ_STR(d->error.path, rows[i].path);
        CHECK_HAS_STR(d->error.reason, rows[i].reason);
        CHECK_EQ_UINT(d->error.at, rows[i].at);
    }
    CHECK_EQ_UINT(listed(&p, "t/SENSOR")->unreadable, 3);
    plug_fini(&p);
}

TEST(a_mapping_of_nothing_is_told_after_a_while)
{
    struct plug_rig p;
    plug_init(&p);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_UINT(p.plug->reach.unreadable, 0);
        publish(&p.g, "t/RESULT", "{\"Power\":\"ON\"}");
    }
    CHECK_EQ_UINT(p.plug->reach.unreadable, 1);
    CHECK_HAS_STR(listed(&p, "t/RESULT")->error.reason, "of what is mapped: POWER");
    publish(&p.g, "t/RESULT", "{\"POWER\":\"ON\"}");
    publish(&p.g, "t/RESULT", "{\"Power\":\"ON\"}");
    CHECK_EQ_UINT(p.plug->reach.unreadable, 1);
    plug_fini(&p);
}

/* ---- commands ---- */

TEST(commands_go_where_the_device_listens)
{
    struct plug_rig p;
    plug_init(&p);
    const struct step steps[] = {{1, NULL, NULL, switch_on},
                                 {20, "t/POWER", "ON", NULL},
                                 {1, NULL, NULL, dim},
                                 {20, "t/dimmed", "whatever", NULL},
                                 {1, NULL, NULL, switch_off}};
    rig_play(&p.g, steps, ARRAY_LEN(steps), 400);
    CHECK_EQ_STR(p.g.log.p,
                 "on waiting\nc/POWER ON\non sent\non confirmed\n"
                 "dim waiting\nc/dim {\"b\":128,\"t\":\"a \\\"b\\\"\"} retained\n"
                 "dim sent\ndim confirmed\n"
                 "off waiting\nc/POWER OFF\noff sent\nc/POWER OFF\noff sent\nc/POWER OFF\n"
                 "off sent\nalert critical home.plug does not obey: off() was sent 3 times in 0 s "
                 "without reaching not lit\noff failed: was sent 3 times in 0 s without reaching "
                 "not lit\n");
    plug_fini(&p);
}

TEST(a_command_that_is_no_number_is_not_sent)
{
    struct plug_rig p;
    plug_init(&p);
    const struct step steps[] = {{1, NULL, NULL, dim_without_end}};
    rig_play(&p.g, steps, ARRAY_LEN(steps), 100);
    CHECK_HAS_STR(p.g.log.p, "was not sent");
    CHECK(!strstr(p.g.log.p, "c/dim"));
    plug_fini(&p);
}

TEST(topics_that_can_not_be_shared)
{
    static const struct source_def on_command = {.member = 0, .topic = S("c/POWER")};
    static const struct source_def wild = {.member = 0, .topic = S("a/+")};
    static const struct source_def broken = {.member = 0, .topic = S("a"), .path = S("a..b")};
    static const struct source_def times[] = {
        {.member = 0, .topic = S("a"), .path = S("x"), .time = S("t1")},
        {.member = 0, .topic = S("a"), .path = S("y"), .time = S("t2")}};
    static const struct command_def on_source = {.action = 0, .topic = S("t/SENSOR")};
    static const struct command_def on_convention = {.action = 0, .topic = S("v/telemetry")};
    static const struct command_def on_set = {.action = 0, .topic = S("v/set")};
    static const struct {
        const char *label;
        struct mapping_def mapping;
        enum err err;
        const char *says;
    } rows[] = {
        {"a source where one is commanded",
         {&on_command, 1, NULL, 0, NULL, 0},
         ERR_EXISTS,
         "commands go to the topic c/POWER"},
        {"a command where one listens",
         {NULL, 0, &on_source, 1, NULL, 0},
         ERR_EXISTS,
         "commands go to the topic t/SENSOR"},
        {"a command where a device reports",
         {NULL, 0, &on_convention, 1, NULL, 0},
         ERR_EXISTS,
         "commands go to the topic v/telemetry"},
        {"a command where another device takes its own",
         {NULL, 0, &on_set, 1, NULL, 0},
         ERR_EXISTS,
         "are both commanded on the topic v/set"},
        {"a wildcard", {&wild, 1, NULL, 0, NULL, 0}, ERR_INVALID, "wildcard"},
        {"no path", {&broken, 1, NULL, 0, NULL, 0}, ERR_SYNTAX, "a key is missing"},
        {"two times", {times, 2, NULL, 0, NULL, 0}, ERR_INVALID, "have one time"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plug_rig p;
        struct error e = {0};
        struct device *d;
        LABEL("%s", rows[i].label);
        plug_init(&p);
        const struct registry_device_def def = {
            .name = STR("home.x"), .model = p.plug->model, .mapping = rows[i].mapping};
        CHECK_EQ_INT(registry_device(p.g.r, &def, &d, &e), rows[i].err);
        CHECK_HAS_STR(e.text, rows[i].says);
        plug_fini(&p);
    }
}

/* ---- whether it is there ---- */

TEST(a_will_says_that_it_is_gone)
{
    struct plug_rig p;
    plug_init(&p);
    CHECK_EQ_INT(p.plug->reach.state, REACH_UNKNOWN);
    hears(&p, "t/LWT", "Online", "");
    CHECK_EQ_INT(p.plug->reach.state, REACH_ONLINE);
    hears(&p, "t/POWER", "ON", "lit=1;");
    hears(&p, "t/LWT", "Offline", "lit stale;");
    CHECK_EQ_INT(p.plug->reach.state, REACH_OFFLINE);
    CHECK_HAS_STR(p.plug->reach.why, "offline");
    hears(&p, "t/bridge", "{\"state\":\"online\"}", "");
    CHECK_EQ_INT(p.plug->reach.state, REACH_OFFLINE); /* one says no */
    hears(&p, "t/LWT", "{\"state\":\"online\"}", "");
    CHECK_EQ_INT(p.plug->reach.state, REACH_ONLINE);
    CHECK_EQ_STR(p.plug->reach.why, "");
    hears(&p, "t/POWER", "ON", "lit=1;");
    hears(&p, "t/bridge", "{\"state\":\"offline\"}", "lit stale;");
    hears(&p, "t/bridge", "{\"other\":1}", "");
    CHECK_EQ_INT(p.plug->reach.state, REACH_OFFLINE);
    plug_fini(&p);
}
