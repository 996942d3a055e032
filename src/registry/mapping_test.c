/* Devices that were not made for us: values out of their documents, commands on their topics. */
#include "registry/registry_internal.h"
#include "registry/registry_rig_test.h"

static const struct property_def plug_properties[] = {
    {S("power"), S("W"), VALUE_FLOAT, true, 0, 4000},
    {S("lit"), S(""), VALUE_BOOL, false, 0, 0},
    {S("note"), S(""), VALUE_STR, false, 0, 0}};
static const struct param_def plug_params[] = {{S("level"), S("%"), VALUE_FLOAT},
                                               {S("text"), S(""), VALUE_STR}};
static const struct action_def plug_actions[] = {
    {S("on"), NULL, 0, 1, COMPARE_EQ, 1, S("lit"), false},
    {S("off"), NULL, 0, 1, COMPARE_EQ, 0, S("not lit"), true},
    {S("dim"), plug_params, 2, -1, COMPARE_EQ, 0, S(""), false}};
static const struct str plug_events[] = {S("single"), S("any")};
static const struct model_def plug_model = {.name = S("Plug"),
                                            .properties = plug_properties,
                                            .property_count = 3,
                                            .actions = plug_actions,
                                            .action_count = 3,
                                            .events = plug_events,
                                            .event_count = 2};
static const struct source_def plug_sources[] = {
    {.member = 0, .topic = S("t/SENSOR"), .path = S("ENERGY.Power")},
    {.member = 1, .topic = S("t/RESULT"), .path = S("POWER")},
    {.member = 1, .topic = S("t/POWER")},
    {.member = 2, .topic = S("t/SENSOR"), .path = S("list[1].n")},
    {.member = 0, .topic = S("t/mw"), .path = S("p"), .time = S("at"), .scale = 0.001},
    {.member = 1, .topic = S("t/door"), .path = S("contact"), .yes = S("false"), .no = S("true")},
    {.member = 0, .topic = S("t/two"), .path = S("a.x")},
    {.member = 2, .topic = S("t/two"), .path = S("b.x")},
    {.member = 0, .event = true, .topic = S("t/btn"), .path = S("action"), .yes = S("single")},
    {.member = 1, .event = true, .topic = S("t/btn"), .path = S("action")}};
static const struct piece_def on_pieces[] = {{.text = S("ON"), .param = -1}};
static const struct piece_def off_pieces[] = {{.text = S("OFF"), .param = -1}};
static const struct piece_def dim_pieces[] = {{.text = S("{\"b\":"), .param = -1},
                                              {.param = 0, .scale = 2.55, .whole = true},
                                              {.text = S(",\"t\":"), .param = -1},
                                              {.param = 1, .json = true},
                                              {.text = S("}"), .param = -1}};
static const struct command_def plug_commands[] = {
    {.action = 0, .topic = S("c/POWER"), .pieces = on_pieces, .piece_count = 1, .qos = 1},
    {.action = 1, .topic = S("c/POWER"), .pieces = off_pieces, .piece_count = 1, .qos = 1},
    {.action = 2,
     .topic = S("c/dim"),
     .pieces = dim_pieces,
     .piece_count = 5,
     .answer = S("t/dimmed"),
     .retain = true}};
static const struct online_def plug_online[] = {{.topic = S("t/LWT")},
                                                {.topic = S("t/bridge"), .path = S("state")}};
static const struct mapping_def plug_mapping = {plug_sources, 10, plug_commands, 3, plug_online, 2};

struct plug_rig {
    struct rig g;
    struct device *plug;
    struct sample_listener samples;
    struct event_listener signals;
    struct strbuf heard;
    struct subscriber commands;
};

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    struct plug_rig *p = CONTAINER_OF(l, struct plug_rig, samples);
    struct str name = s->series->name;
    strbuf_addf(&p->heard, "%.*s=", (int)(name.n - 10), name.p + 10); /* behind "home.plug." */
    if (s->value.kind == VALUE_STR)
        strbuf_addstr(&p->heard, s->value.s);
    else
        strbuf_add_double(&p->heard, value_number(&s->value));
    if (s->quality != QUALITY_GOOD)
        strbuf_addf(&p->heard, " %s", quality_name(s->quality));
    if (s->replayed)
        strbuf_adds(&p->heard, " replayed");
    strbuf_addc(&p->heard, ';');
}

static void on_quality(struct sample_listener *l, struct series *s)
{
    struct plug_rig *p = CONTAINER_OF(l, struct plug_rig, samples);
    strbuf_addf(&p->heard, "%.*s %s;", (int)(s->name.n - 10), s->name.p + 10,
                quality_name(s->quality));
}

static void on_signal(struct event_listener *l, const struct signal_event *e)
{
    struct plug_rig *p = CONTAINER_OF(l, struct plug_rig, signals);
    strbuf_addf(&p->heard, "%.*s!;", STR_FMT(e->event));
}

static void on_command(struct subscriber *s, struct message *m,
                       const struct sub_options *const *subs, size_t n, bool retained)
{
    struct plug_rig *p = CONTAINER_OF(s, struct plug_rig, commands);
    struct bytes b = message_payload(m);
    (void)subs;
    (void)n;
    (void)retained;
    strbuf_addf(&p->g.log, "%.*s %.*s%s\n", STR_FMT(message_topic(m)), (int)b.n, (const char *)b.p,
                m->retain ? " retained" : "");
}

static struct registry_device_def plug_def(const struct model_def *m)
{
    return (struct registry_device_def){
        .name = STR("home.plug"), .id = STR("p"), .model = m, .mapping = plug_mapping};
}

static void listen_to_all(struct plug_rig *p)
{
    strbuf_init(&p->heard, alloc_system(), 0);
    p->samples = (struct sample_listener){.sample = on_sample, .quality = on_quality};
    bus_sample_listen(p->g.base.bus, &p->samples);
    p->signals = (struct event_listener){.signal = on_signal};
    bus_event_listen(p->g.base.bus, &p->signals);
    p->commands = (struct subscriber){.deliver = on_command};
    const struct subscription sub = {
        .filter = STR("c/#"), .subscriber = &p->commands, .qos = 1, .retain_as_published = true};
    REQUIRE(bus_subscribe(p->g.base.bus, &sub, NULL) == ERR_OK);
}

static void plug_init(struct plug_rig *p)
{
    struct error e = {0};
    const struct model_def *m;
    *p = (struct plug_rig){0};
    rig_init(&p->g, test_tmpdir());
    REQUIRE(registry_model(p->g.r, &plug_model, &m, &e) == ERR_OK);
    const struct registry_device_def def = plug_def(m);
    REQUIRE(CHECK_EQ_INT(registry_device(p->g.r, &def, &p->plug, &e), ERR_OK));
    listen_to_all(p);
}

static void plug_fini(struct plug_rig *p)
{
    bus_sample_unlisten(&p->samples);
    bus_event_unlisten(&p->signals);
    bus_unsubscribe_all(p->g.base.bus, &p->commands);
    strbuf_fini(&p->heard);
    rig_fini(&p->g);
}

static void hears(struct plug_rig *p, const char *topic, const char *payload, const char *want)
{
    strbuf_reset(&p->heard);
    publish(&p->g, topic, payload);
    CHECK_EQ_STR(p->heard.p ? p->heard.p : "", want);
}

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

static const struct discovered *listed(struct plug_rig *p, const char *topic)
{
    LIST_EACH(registry_discovered(p->g.r), it)
    {
        const struct discovered *d = CONTAINER_OF(it, struct discovered, link);
        if (str_eq(d->topic, str_from(topic)))
            return d;
    }
    return NULL;
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
        {"t/SENSOR", "{\"ENERGY\":", "", "not JSON at byte 10", 10},
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

/* ---- commands -------------------------------------------------------------------------------- */

static void plug_command(void *rig, uint32_t action)
{
    struct plug_rig *p = CONTAINER_OF(rig, struct plug_rig, g);
    struct error e = {0};
    struct value args[] = {{.kind = VALUE_FLOAT, .f = 50},
                           {.kind = VALUE_STR, .s = STR("a \"b\"")}};
    struct action_request q = {.device = p->plug,
                               .action = action,
                               .args = args,
                               .arg_count = action == 2 ? 2 : 0,
                               .cause = {.operator_name = STR("Ada")}};
    CHECK_EQ_INT(registry_command(p->g.r, &q, NULL, &e), ERR_OK);
}

static void switch_on(void *rig)
{
    plug_command(rig, 0);
}

static void switch_off(void *rig)
{
    plug_command(rig, 1);
}

static void dim(void *rig)
{
    plug_command(rig, 2);
}

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

static enum err retain(struct plug_rig *p, const char *topic)
{
    const struct bus_publication m = {.topic = str_from(topic),
                                      .payload = {(const uint8_t *)"ON", 2},
                                      .qos = 1,
                                      .retain = true,
                                      .expiry_s = UINT32_MAX,
                                      .from = &p->g.base.client};
    return bus_publish(p->g.base.bus, &m, &p->g.base.receipt);
}

static void note_topic_of(void *ctx, struct message *m)
{
    strbuf_addf(ctx, "%.*s;", STR_FMT(message_topic(m)));
}

TEST(nobody_commands_a_mapped_device_past_its_owner)
{
    struct plug_rig p;
    struct strbuf left;
    plug_init(&p);
    CHECK_EQ_INT(retain(&p, "c/POWER"), ERR_OK);
    CHECK_EQ_INT(retain(&p, "c/dim"), ERR_OK);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    CHECK_EQ_INT(retain(&p, "c/POWER"), ERR_DENIED);
    CHECK_EQ_STR(p.g.base.receipt.why, "home.plug is owned by guard: only it may command it");
    CHECK_EQ_INT(retain(&p, "c/dim"), ERR_DENIED);
    ingest_clear_retained(p.g.r);
    strbuf_init(&left, alloc_system(), 0);
    bus_retained_each(p.g.base.bus, note_topic_of, &left);
    CHECK_EQ_STR(left.p, "c/dim;"); /* whose commands are meant to stay */
    strbuf_fini(&left);
    const struct step owner = {.after_ms = 1, .run = switch_on};
    rig_play(&p.g, &owner, 1, 30);
    CHECK_HAS_STR(p.g.log.p, "set denied: home.plug is owned by guard");
    CHECK_HAS_STR(p.g.log.p, "c/POWER ON\n");
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

/* ---- whether it is there -----------------------------------------------------------------------
 */

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

/* ---- another site
 * -------------------------------------------------------------------------------- */

static enum err replace_plug(struct plug_rig *p, const struct registry_device_def *def,
                             struct registry_change *n)
{
    struct error e = {0};
    const struct model_def *m;
    struct registry_device_def with = def ? *def : (struct registry_device_def){0};
    REQUIRE(registry_replace_begin(p->g.r, &e) == ERR_OK);
    REQUIRE(registry_model(p->g.r, &plug_model, &m, &e) == ERR_OK);
    with.model = m;
    if (def)
        REQUIRE(CHECK_EQ_INT(registry_device(p->g.r, &with, &p->plug, &e), ERR_OK));
    enum err err = registry_replace_ready(p->g.r, n, &e);
    registry_replace_commit(p->g.r);
    registry_replace_settle(p->g.r);
    return err;
}

TEST(what_tells_that_a_thing_is_the_same)
{
    static const struct {
        const char *label, *name, *id, *link;
        bool mapped;
        size_t same, changed, added;
    } rows[] = {
        {"all of it", "home.plug", "p", "", true, 1, 0, 0},
        {"its id", "home.other", "p", "", true, 0, 1, 0},
        {"its id, with another mapping", "home.plug", "p", "", false, 0, 1, 0},
        {"its name is not enough where there was an id", "home.plug", "q", "", true, 0, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plug_rig p;
        struct registry_change n;
        LABEL("%s", rows[i].label);
        plug_init(&p);
        publish(&p.g, "t/LWT", "Online");
        struct registry_device_def def = plug_def(NULL);
        def.name = str_from(rows[i].name);
        def.id = str_from(rows[i].id);
        if (!rows[i].mapped)
            def.mapping.source_count = 3;
        CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
        CHECK_EQ_UINT(n.same, rows[i].same);
        CHECK_EQ_UINT(n.changed, rows[i].changed);
        CHECK_EQ_UINT(n.added, rows[i].added);
        CHECK_EQ_INT(p.plug->reach.state, rows[i].added ? REACH_UNKNOWN : REACH_ONLINE);
        hears(&p, "t/LWT", "Offline", "");
        plug_fini(&p);
    }
}

TEST(a_thing_without_an_id_is_known_by_its_link_or_name)
{
    static const struct {
        const char *label, *name, *link, *name2, *link2;
        size_t same, changed, added, removed;
    } rows[] = {
        {"by its link", "a", "modbus x unit 1", "b", "modbus x unit 1", 0, 1, 0, 0},
        {"another link", "a", "modbus x unit 1", "a", "modbus x unit 2", 0, 0, 1, 1},
        {"by its name", "a", "", "a", "", 1, 0, 0, 0},
        {"another name", "a", "", "b", "", 0, 0, 1, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plug_rig p;
        struct registry_change n;
        LABEL("%s", rows[i].label);
        plug_init(&p);
        struct registry_device_def def = {.name = str_from(rows[i].name),
                                          .link = str_from(rows[i].link)};
        CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
        CHECK_EQ_STR(p.plug->reach.kind.p, rows[i].link[0] ? "modbus x unit 1" : "none");
        def.name = str_from(rows[i].name2);
        def.link = str_from(rows[i].link2);
        CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
        CHECK_EQ_UINT(n.same, rows[i].same);
        CHECK_EQ_UINT(n.changed, rows[i].changed);
        CHECK_EQ_UINT(n.added, rows[i].added);
        CHECK_EQ_UINT(n.removed, rows[i].removed);
        plug_fini(&p);
    }
}

TEST(a_device_that_leaves_is_still_made_safe)
{
    struct plug_rig p;
    struct registry_change n;
    plug_init(&p);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    CHECK_EQ_INT(replace_plug(&p, NULL, &n), ERR_OK);
    LIST_EACH(registry_leaving(p.g.r), it)
    {
        p.plug = CONTAINER_OF(it, struct device, link);
        if (str_eq(p.plug->name, STR("home.plug")))
            break;
    }
    const struct step steps[] = {{1, NULL, NULL, switch_off}, {20, "t/POWER", "OFF", NULL}};
    rig_play(&p.g, steps, ARRAY_LEN(steps), 60);
    CHECK_EQ_STR(p.g.log.p, "off waiting\nc/POWER OFF\noff sent\noff confirmed\n");
    CHECK_EQ_STR(p.heard.p ? p.heard.p : "", ""); /* no news for anybody */
    plug_fini(&p);
}

/* What was seen of a topic before somebody knew what it means. */
TEST(what_was_discovered_is_the_first_value)
{
    struct plug_rig p;
    struct registry_change n;
    plug_init(&p);
    CHECK_EQ_INT(replace_plug(&p, NULL, &n), ERR_OK);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":7}}");
    publish(&p.g, "t/LWT", "Online");
    publish(&p.g, "t/btn", "{\"action\":\"single\"}");
    strbuf_reset(&p.heard);
    const struct registry_device_def def = plug_def(NULL);
    CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
    CHECK_EQ_STR(p.heard.p, "power=7;"); /* but no button is pressed again */
    CHECK_EQ_INT(p.plug->reach.state, REACH_ONLINE);
    CHECK(listed(&p, "t/SENSOR") == NULL);
    plug_fini(&p);
}

TEST(what_was_discovered_long_ago_is_shown_as_stale)
{
    struct plug_rig p;
    struct registry_change n;
    plug_init(&p);
    CHECK_EQ_INT(replace_plug(&p, NULL, &n), ERR_OK);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":7}}");
    bus_rig_run(&p.g.base, 200); /* above the rig's stale_default_ms */
    strbuf_reset(&p.heard);
    const struct registry_device_def def = plug_def(NULL);
    CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
    CHECK_EQ_STR(p.heard.p, "power=7 replayed;power stale;");
    plug_fini(&p);
}
