/* Who may command a mapped device, and what another site makes of it. */
#include "registry/mapping_rig_test.h"

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

static enum err say(struct plug_rig *p, const char *payload)
{
    const struct bus_publication m = {.topic = STR("c/POWER"),
                                      .payload = {(const uint8_t *)payload, strlen(payload)},
                                      .qos = 0,
                                      .expiry_s = UINT32_MAX,
                                      .from = &p->g.base.client};
    return bus_publish(p->g.base.bus, &m, &p->g.base.receipt);
}

static void say_nothing(void *rig)
{
    CHECK_EQ_INT(say(CONTAINER_OF(rig, struct plug_rig, g), ""), ERR_DENIED);
}

static void say_on(void *rig)
{
    CHECK_EQ_INT(say(CONTAINER_OF(rig, struct plug_rig, g), "ON"), ERR_DENIED);
}

TEST(what_is_empty_is_refused_and_is_nobodys_attempt)
{
    struct plug_rig p;
    plug_init(&p);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    const struct step tasmota = {.after_ms = 1, .run = say_nothing};
    rig_play(&p.g, &tasmota, 1, 30);
    CHECK_EQ_STR(p.g.log.p, "");
    const struct step somebody = {.after_ms = 1, .run = say_on};
    rig_play(&p.g, &somebody, 1, 30);
    CHECK_HAS_STR(p.g.log.p, "set denied: home.plug is owned by guard");
    plug_fini(&p);
}

/* A switch that takes any message, so an empty one is a command. */
TEST(what_is_empty_is_an_attempt_where_the_site_commands_so)
{
    static const struct command_def ring[] = {{.action = 0, .topic = S("c/POWER"), .qos = 1}};
    static const struct {
        const char *name, *id, *told;
    } rows[] = {{"home.bell", "bell", "set denied: home.bell is owned by guard"},
                {"home.chime", "p", "set denied: home.plug is owned by guard"}}; /* one thing */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plug_rig p;
        struct error e = {0};
        struct device *bell;
        LABEL("%s", rows[i].name);
        plug_init(&p);
        struct registry_device_def def = plug_def(p.plug->model);
        def.name = str_from(rows[i].name);
        def.id = str_from(rows[i].id);
        def.mapping.commands = ring;
        def.mapping.command_count = 1;
        REQUIRE(CHECK_EQ_INT(registry_device(p.g.r, &def, &bell, &e), ERR_OK));
        CHECK_EQ_INT(registry_set_owner(bell, STR("guard")), ERR_OK);
        const struct step press = {.after_ms = 1, .run = say_nothing};
        rig_play(&p.g, &press, 1, 30);
        CHECK_HAS_STR(p.g.log.p, rows[i].told);
        plug_fini(&p);
    }
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

static enum err try_topic(struct plug_rig *p, const char *topic)
{
    return bus_rig_publish(&p->g.base, topic, "ON");
}

/* The next site commands it elsewhere, and is taken or not. */
static void move_commands(struct plug_rig *p, bool taken)
{
    static const struct command_def moved[] = {
        {.action = 0, .topic = S("c2/POWER"), .pieces = on_pieces, .piece_count = 1},
        {.action = 1, .topic = S("c2/POWER"), .pieces = off_pieces, .piece_count = 1},
        {.action = 2, .topic = S("c/dim"), .answer = S("t/dimmed")}};
    struct error e = {0};
    struct registry_change n;
    const struct model_def *m;
    struct device *d;
    REQUIRE(registry_replace_begin(p->g.r, &e) == ERR_OK);
    REQUIRE(registry_model(p->g.r, &plug_model, &m, &e) == ERR_OK);
    struct registry_device_def def = plug_def(m);
    def.mapping.commands = moved;
    REQUIRE(CHECK_EQ_INT(registry_device(p->g.r, &def, &d, &e), ERR_OK));
    REQUIRE(registry_set_owner(d, STR("other")) == ERR_OK);
    CHECK_EQ_INT(try_topic(p, "c/POWER"), ERR_DENIED); /* while it is not decided, both are */
    CHECK_EQ_INT(try_topic(p, "c2/POWER"), ERR_DENIED);
    REQUIRE(registry_replace_ready(p->g.r, &n, &e) == ERR_OK);
    if (!taken) {
        registry_replace_cancel(p->g.r);
        return;
    }
    registry_replace_commit(p->g.r);
    registry_replace_settle(p->g.r);
}

TEST(the_guard_goes_with_the_topics_of_the_commands)
{
    struct plug_rig p;
    plug_init(&p);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    move_commands(&p, false);
    CHECK_EQ_INT(try_topic(&p, "c2/POWER"), ERR_OK);
    CHECK_EQ_INT(try_topic(&p, "c/POWER"), ERR_DENIED);
    CHECK_HAS_STR(p.g.base.receipt.why, "owned by guard");
    move_commands(&p, true);
    CHECK_EQ_INT(try_topic(&p, "c/POWER"), ERR_OK);
    CHECK_EQ_INT(try_topic(&p, "c2/POWER"), ERR_DENIED);
    CHECK_EQ_INT(try_topic(&p, "c/dim"), ERR_DENIED);
    CHECK_HAS_STR(p.g.base.receipt.why, "owned by other");
    plug_fini(&p);
}

/* By the same topics as the first. */
static struct device *second_plug(struct plug_rig *p)
{
    struct error e = {0};
    struct device *second;
    struct registry_device_def def = plug_def(p->plug->model);
    def.name = STR("home.other");
    REQUIRE(CHECK_EQ_INT(registry_device(p->g.r, &def, &second, &e), ERR_OK));
    return second;
}

/* A gateway takes the commands of several things on one topic. */
TEST(a_topic_of_two_devices_is_guarded_if_one_is_owned)
{
    struct plug_rig p;
    plug_init(&p);
    struct device *second = second_plug(&p);
    CHECK_EQ_INT(try_topic(&p, "c/POWER"), ERR_OK);
    CHECK_EQ_INT(registry_set_owner(second, STR("guard")), ERR_OK);
    CHECK_EQ_INT(try_topic(&p, "c/POWER"), ERR_DENIED);
    CHECK_EQ_STR(p.g.base.receipt.why, "home.plug is owned by guard: only it may command it");
    plug_fini(&p);
}

/* ---- several declarations of one thing ---- */

static const struct piece_def level_pieces[] = {{.param = 0}};

TEST(who_owns_a_thing_owns_all_that_is_declared_of_it)
{
    static const struct command_def sent_the_same[] = {
        {.action = 0, .topic = S("elsewhere"), .pieces = on_pieces, .piece_count = 1},
        {.action = 1, .topic = S("c/POWER"), .pieces = off_pieces, .piece_count = 1}};
    static const struct command_def sent_another[] = {
        {.action = 0, .topic = S("c/POWER"), .pieces = dim_pieces, .piece_count = 1},
        {.action = 2, .topic = S("c/dim"), .pieces = level_pieces, .piece_count = 1}};
    static const struct {
        const char *label, *id;
        struct mapping_def mapping;
        bool same;
    } rows[] = {
        {"the same id", "p", {0}, true},
        {"one command is the same", "q", {.commands = sent_the_same, .command_count = 2}, true},
        {"others on its topics", "q", {.commands = sent_another, .command_count = 2}, false},
        {"nothing", "", {0}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plug_rig p;
        struct error e = {0};
        struct device *second, *third;
        LABEL("%s", rows[i].label);
        plug_init(&p);
        struct registry_device_def def = {.name = STR("home.other"),
                                          .id = str_from(rows[i].id),
                                          .model = p.plug->model,
                                          .mapping = rows[i].mapping};
        REQUIRE(CHECK_EQ_INT(registry_device(p.g.r, &def, &second, &e), ERR_OK));
        def = (struct registry_device_def){.name = STR("home.third"), .model = p.plug->model};
        def.id = second->id;
        REQUIRE(CHECK_EQ_INT(registry_device(p.g.r, &def, &third, &e), ERR_OK));
        CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
        CHECK_EQ_INT(str_eq(second->owner, STR("guard")), rows[i].same);
        CHECK_EQ_INT(third->owner.n > 0, rows[i].same); /* by way of the second */
        CHECK(device_thing(second) == (rows[i].same ? p.plug : second));
        struct action_request q = {.device = second, .cause = {.operator_name = STR("Ada")}};
        CHECK_EQ_INT(registry_command_by_hand(p.g.r, &q, NULL, &e),
                     rows[i].same ? ERR_DENIED : ERR_OK);
        plug_fini(&p);
    }
}

/* Else what is tried again would undo what was decided after it. */
TEST(what_a_thing_is_told_last_counts_by_whichever_of_its_names)
{
    for (int owned = 0; owned < 2; owned++) {
        struct plug_rig p;
        struct error e = {0};
        struct device *second;
        LABEL("owned: %d", owned);
        plug_init(&p);
        struct registry_device_def def = plug_def(p.plug->model);
        def.name = STR("home.other");
        REQUIRE(CHECK_EQ_INT(registry_device(p.g.r, &def, &second, &e), ERR_OK));
        if (owned)
            CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
        command(&p.g, second, 0, NULL, 0);
        command(&p.g, p.plug, 1, NULL, 0);
        CHECK_EQ_INT(list_empty(&second->actions), owned); /* nobody's are no more than two names */
        CHECK(!list_empty(&p.plug->actions));
        if (owned)
            CHECK_HAS_STR(p.g.log.p, "on failed: superseded by off()\n");
        plug_fini(&p);
    }
}

TEST(who_is_owned_by_itself_stays_so)
{
    struct plug_rig p;
    plug_init(&p);
    struct device *second = second_plug(&p);
    CHECK_EQ_INT(registry_set_owner(second, STR("other")), ERR_OK);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    CHECK(str_eq(second->owner, STR("other")) && !second->thing);
    CHECK(str_eq(p.plug->owner, STR("guard")) && !p.plug->thing);
    plug_fini(&p);
}

/* ---- what was retained for it ---- */

TEST(what_others_have_retained_goes_with_the_first_owner)
{
    struct plug_rig p;
    struct strbuf left;
    plug_init(&p);
    CHECK_EQ_INT(retain(&p, "c/dim"), ERR_OK);
    CHECK_EQ_INT(retain(&p, "t/POWER"), ERR_OK); /* no command */
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    CHECK_EQ_INT(registry_taken_over(p.plug), ERR_OK);
    strbuf_init(&left, alloc_system(), 0);
    bus_retained_each(p.g.base.bus, note_topic_of, &left);
    CHECK_EQ_STR(left.p, "t/POWER;");
    strbuf_fini(&left);
    CHECK_EQ_INT(registry_taken_over(p.plug), ERR_OK); /* nothing is there */
    plug_fini(&p);
}

TEST(what_tells_that_a_thing_is_the_same)
{
    static const struct {
        const char *label, *name, *id, *link;
        bool mapped;
        size_t same, changed, added;
        bool other; /* thing */
    } rows[] = {
        {"all of it", "home.plug", "p", "", true, 1, 0, 0, false},
        {"its id", "home.other", "p", "", true, 0, 1, 0, false},
        {"its id, with another mapping", "home.plug", "p", "", false, 0, 1, 0, false},
        {"its name is not enough where there was an id", "home.plug", "q", "", true, 0, 1, 0, true},
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
        CHECK_EQ_INT(p.plug->reach.state, rows[i].other ? REACH_UNKNOWN : REACH_ONLINE);
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
        {"another link", "a", "modbus x unit 1", "a", "modbus x unit 2", 0, 1, 0, 0},
        {"another link and name", "a", "modbus x unit 1", "b", "modbus x unit 2", 0, 0, 1, 1},
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

static const struct command_def takes_result[] = {
    {.action = 2, .topic = S("t/RESULT"), .answer = S("t/taken")}};

/* One of the topics that it listened to is another device's for commands by now. */
TEST(a_device_that_leaves_hears_what_is_left_to_it)
{
    struct plug_rig p;
    struct registry_change n;
    plug_init(&p);
    CHECK_EQ_INT(registry_set_owner(p.plug, STR("guard")), ERR_OK);
    const struct registry_device_def other = {
        .name = STR("home.other"),
        .mapping = {.commands = takes_result, .command_count = ARRAY_LEN(takes_result)}};
    CHECK_EQ_INT(replace_plug(&p, &other, &n), ERR_OK);
    LIST_EACH(registry_leaving(p.g.r), it)
    {
        p.plug = CONTAINER_OF(it, struct device, link);
        if (str_eq(p.plug->name, STR("home.plug")))
            break;
    }
    const struct step steps[] = {{1, NULL, NULL, switch_off}, {20, "t/POWER", "OFF", NULL}};
    rig_play(&p.g, steps, ARRAY_LEN(steps), 60);
    CHECK_EQ_STR(p.g.log.p, "off waiting\nc/POWER OFF\noff sent\noff confirmed\n");
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

/* A topic is looked at now and then only, so what was seen of it may not be the last. */
TEST(what_is_retained_is_newer_than_what_was_seen)
{
    struct plug_rig p;
    struct registry_change n;
    plug_init(&p);
    CHECK_EQ_INT(replace_plug(&p, NULL, &n), ERR_OK);
    bus_rig_run(&p.g.base, 1); /* at 0 nothing counts as looked at */
    for (int i = 0; i < 3; i++)
        publish(&p.g, "t/POWER", "OFF");
    CHECK_EQ_INT(retain(&p, "t/POWER"), ERR_OK); /* "ON" */
    CHECK_EQ_INT(listed(&p, "t/POWER")->payload_len, 3);
    strbuf_reset(&p.heard);
    const struct registry_device_def def = plug_def(NULL);
    CHECK_EQ_INT(replace_plug(&p, &def, &n), ERR_OK);
    CHECK_EQ_STR(p.heard.p, "lit=1;");
    plug_fini(&p);
}

/* ---- what holds over a restart ---- */

TEST(availability_is_known_by_what_is_retained)
{
    struct plug_rig p;
    plug_init(&p);
    CHECK_EQ_INT(retain(&p, "t/LWT"), ERR_OK); /* "ON" */
    CHECK_EQ_INT(p.plug->reach.state, REACH_ONLINE);
    p.plug->reach.state = p.plug->mapping->online[0].state = REACH_UNKNOWN; /* as after a start */
    ingest_online_retained(p.g.r);
    CHECK_EQ_INT(p.plug->reach.state, REACH_ONLINE);
    publish(&p.g, "t/LWT", "Offline"); /* what is known is not said again */
    ingest_online_retained(p.g.r);
    CHECK_EQ_INT(p.plug->reach.state, REACH_OFFLINE);
    plug_fini(&p);
}

/* ---- how long it may be silent ---- */

static enum quality power_after(struct plug_rig *p, int ms)
{
    bus_rig_run(&p->g.base, ms);
    return p->plug->props[0].series->quality;
}

TEST(what_comes_seldom_is_given_its_own_pace)
{
    struct plug_rig p;
    plug_init(&p);
    bus_rig_run(&p.g.base, 1);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":7}}");
    CHECK_EQ_INT(power_after(&p, 200), QUALITY_STALE); /* the rig's default is 150 ms */
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":8}}");
    CHECK_EQ_INT(power_after(&p, 200), QUALITY_STALE); /* one gap may be an outage */
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":8}}");
    CHECK_EQ_INT(power_after(&p, 500), QUALITY_GOOD);
    CHECK_EQ_INT(power_after(&p, 4000), QUALITY_STALE); /* and this is one */
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":8}}");
    CHECK_EQ_INT(power_after(&p, 200), QUALITY_GOOD);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":8}}");
    CHECK(p.plug->props[0].series->stale_ms < 700);
    CHECK_EQ_INT(power_after(&p, 900), QUALITY_STALE);
    registry_reset_stale(p.g.r, &p.plug->props[0]);
    CHECK(p.plug->props[0].series->stale_ms >= 600); /* another site does not forget it */
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":9}}");
    CHECK_EQ_INT(power_after(&p, 200), QUALITY_GOOD);
    registry_set_stale(&p.plug->props[0], 50); /* a program knows better */
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":9}}");
    CHECK_EQ_INT(power_after(&p, 100), QUALITY_STALE);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":9}}");
    CHECK_EQ_INT(power_after(&p, 100), QUALITY_STALE);
    plug_fini(&p);
}

TEST(what_nobody_reads_is_as_patient_as_what_is_read_beside_it)
{
    struct plug_rig p;
    plug_init(&p);
    registry_set_stale(&p.plug->props[1], 900);
    registry_set_stale(&p.plug->props[2], 60);
    registry_share_stale(p.g.r);
    CHECK_EQ_INT(p.plug->props[0].series->stale_ms, 900);
    CHECK_EQ_INT(p.plug->props[2].series->stale_ms, 60);
    publish(&p.g, "t/SENSOR", "{\"ENERGY\":{\"Power\":7}}");
    CHECK_EQ_INT(power_after(&p, 300), QUALITY_GOOD); /* the rig's default is 150 ms */
    CHECK_EQ_INT(power_after(&p, 900), QUALITY_STALE);
    registry_reset_stale(p.g.r, &p.plug->props[0]); /* the next site says it anew */
    CHECK_EQ_INT(p.plug->props[0].series->stale_ms, 150);
    plug_fini(&p);
}
