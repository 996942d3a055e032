/* Another site's devices in the place of those that run: what goes on, leaves, and is new. */
#include "registry/registry_rig_test.h"

#include <string.h>
#include <sys/stat.h>

struct next {
    const char *name, *topic; /* of the valve; NULL: it is not there */
    const struct model_def *model;
};

static enum err replace(struct rig *g, const struct next *n, struct registry_change *change)
{
    struct error e = {0};
    const struct model_def *valve, *lamp;
    enum err err = registry_replace_begin(g->r, &e);
    if (!err)
        err = registry_model(g->r, n->model ? n->model : &valve_model, &valve, &e);
    if (!err)
        err = registry_model(g->r, &lamp_model, &lamp, &e);
    if (!err && n->name)
        err = rig_device(g->r, n->name, valve, n->topic, &g->valve, &e);
    if (!err)
        err = rig_device(g->r, "plant.lamp", lamp, "l", &g->lamp, &e);
    if (!err)
        err = registry_replace_ready(g->r, change, &e);
    if (err) {
        registry_replace_cancel(g->r);
        return err;
    }
    registry_replace_commit(g->r);
    registry_replace_settle(g->r);
    return ERR_OK;
}

static const struct property_def wide_properties[] = {
    {S("speed"), S("m/s"), VALUE_FLOAT, false, 0, 0},
    {S("position"), S("%"), VALUE_FLOAT, true, 0, 200}};
static const struct action_def wide_actions[] = {
    {S("close"), NULL, 0, 1, COMPARE_LT, 5, S("position < 5 %"), true},
    {S("open"), NULL, 0, 1, COMPARE_GT, 90, S("position > 90 %"), false},
};
static const struct model_def wide_valve = {.name = S("Valve"),
                                            .properties = wide_properties,
                                            .property_count = 2,
                                            .actions = wide_actions,
                                            .action_count = 2};
static const struct model_def closing_valve = {.name = S("Valve"),
                                               .properties = valve_properties,
                                               .property_count = 1,
                                               .actions = &valve_actions[1],
                                               .action_count = 1};

TEST(what_is_counted)
{
    static const struct {
        const char *label;
        struct next next;
        size_t same, changed, added, removed;
    } rows[] = {
        {"nothing", {"plant.valve", "v", NULL}, 2, 0, 0, 0},
        {"another model", {"plant.valve", "v", &wide_valve}, 1, 1, 0, 0},
        {"another name", {"plant.v", "v", NULL}, 1, 1, 0, 0},
        {"another thing by its name", {"plant.valve", "w", NULL}, 1, 1, 0, 0},
        {"another thing", {"plant.v", "w", NULL}, 1, 0, 1, 1},
        {"it is gone", {NULL, NULL, NULL}, 1, 0, 0, 1},
    };
    struct rig g;
    rig_init(&g, test_tmpdir());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct registry_change n;
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(replace(&g, &rows[i].next, &n), ERR_OK);
        CHECK_EQ_UINT(n.same, rows[i].same);
        CHECK_EQ_UINT(n.changed, rows[i].changed);
        CHECK_EQ_UINT(n.added, rows[i].added);
        CHECK_EQ_UINT(n.removed, rows[i].removed);
        CHECK_EQ_INT(replace(&g, &rows[0].next, &n), ERR_OK);
    }
    rig_fini(&g);
}

/* An action under way goes on with whatever its device is by then. */
static const struct next *const *change_now;

static void change(void *rig)
{
    struct registry_change n;
    CHECK_EQ_INT(replace(rig, *change_now, &n), ERR_OK);
}

TEST(an_action_under_way_goes_on)
{
    static const struct {
        const char *label;
        struct next next;
        const char *log;
    } rows[] = {
        {"nothing changes",
         {"plant.valve", "v", NULL},
         "open waiting\nv/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
         "open sent\nopen confirmed\n"},
        {"its action is another one in the order",
         {"plant.valve", "v", &wide_valve},
         "open waiting\nv/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
         "open sent\nopen confirmed\n"},
        {"another name",
         {"plant.v", "v", NULL},
         "open waiting\nv/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
         "open sent\nopen confirmed\n"},
        {"it is not declared any more",
         {NULL, NULL, NULL},
         "open waiting\nv/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
         "open sent\nopen confirmed\n"},
        {"there is no such action any more",
         {"plant.valve", "v", &closing_valve},
         "open waiting\nv/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
         "open sent\nopen failed: the site has changed: plant.valve has no open() any more\n"},
    };
    static const struct step steps[] = {
        {.after_ms = 1, .run = open_valve},
        {.after_ms = 5, .run = change},
        {.after_ms = 5, .topic = "v", .payload = "{\"position\": 95}"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        const struct next *next = &rows[i].next;
        char dir[512];
        LABEL("%s", rows[i].label);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        change_now = &next;
        rig_init(&g, dir);
        rig_play(&g, steps, ARRAY_LEN(steps), 30);
        CHECK_EQ_STR(g.log.p, rows[i].log);
        struct registry_change n;
        CHECK_EQ_INT(replace(&g, &rows[0].next, &n), ERR_OK); /* nothing of it is held */
        CHECK(list_empty(registry_leaving(g.r)));
        rig_fini(&g);
    }
}

static void note_sample(struct sample_listener *l, const struct sample *s)
{
    (void)l;
    test_note("a sample of %.*s", STR_FMT(s->series->name));
    CHECK(false);
}

TEST(a_device_that_leaves_is_no_news)
{
    struct rig g;
    struct registry_change n;
    const struct next gone = {NULL, NULL, NULL};
    rig_init(&g, test_tmpdir());
    publish(&g, "v", "{\"position\": 10}");
    CHECK_EQ_INT(replace(&g, &gone, &n), ERR_OK);
    LIST_EACH(registry_leaving(g.r), it)
    CHECK(str_eq(CONTAINER_OF(it, struct device, link)->owner_before, STR("guard")));
    CHECK(registry_find(g.r, STR("plant.valve")) == NULL);
    struct sample_listener l = {.sample = note_sample};
    bus_sample_listen(g.base.bus, &l);
    publish(&g, "v", "{\"position\": 20}");
    bus_sample_unlisten(&l);
    const struct list *topics = registry_discovered(g.r);
    REQUIRE(!list_empty(topics)); /* it is nobody's */
    CHECK(str_eq(CONTAINER_OF(topics->next, struct discovered, link)->topic, STR("v")));
    CHECK(bus_series_find(g.base.bus, STR("plant.valve.position")) != NULL);
    rig_fini(&g);
}

static enum err retain(struct rig *g, const char *topic, const char *payload)
{
    const struct bus_publication p = {.topic = str_from(topic),
                                      .payload = {(const uint8_t *)payload, strlen(payload)},
                                      .qos = 1,
                                      .retain = true,
                                      .expiry_s = UINT32_MAX,
                                      .from = &g->base.client};
    struct bus_receipt receipt;
    return bus_publish(g->base.bus, &p, &receipt);
}

TEST(what_a_device_that_left_has_said_is_there_to_be_adopted)
{
    struct rig g;
    struct registry_change n;
    const struct next gone = {NULL, NULL, NULL};
    rig_init(&g, test_tmpdir());
    CHECK_EQ_INT(retain(&g, "v", "{\"position\": 40}"), ERR_OK);
    publish(&g, "v/telemetry", "{\"position\": \"warm\"}");
    CHECK(registry_discovered_find(g.r, STR("v")) == NULL);
    const struct discovered *unread = registry_discovered_find(g.r, STR("v/telemetry"));
    REQUIRE(unread && unread->unreadable == 1 && unread->error.reason[0]);
    CHECK_EQ_INT(replace(&g, &gone, &n), ERR_OK);
    const struct discovered *d = registry_discovered_find(g.r, STR("v"));
    REQUIRE(d != NULL);
    CHECK_EQ_INT(d->count, 1);
    CHECK(d->seen.n == 1 && str_eq(observed_path(d->seen.fields[0]), STR("position")));
    unread = registry_discovered_find(g.r, STR("v/telemetry"));
    CHECK(unread && unread->unreadable == 0 && !unread->error.reason[0]);
    rig_fini(&g);
}

TEST(a_series_goes_on_by_its_name)
{
    struct rig g;
    struct registry_change n;
    const struct next same = {"plant.valve", "v", NULL}, wide = {"plant.valve", "v", &wide_valve};
    static const struct property_def other = {S("position"), S("bar"), VALUE_FLOAT, false, 0, 0};
    static const struct model_def in_bar = {
        .name = S("Valve"), .properties = &other, .property_count = 1};
    const struct next bar = {"plant.valve", "v", &in_bar};
    rig_init(&g, test_tmpdir());
    publish(&g, "v", "{\"position\": 10}");
    struct series *s = g.valve->props[0].series;
    registry_set_stale(&g.valve->props[0], 20);
    CHECK_EQ_INT(replace(&g, &same, &n), ERR_OK);
    CHECK(g.valve->props[0].series == s && s->last.f == 10);
    CHECK_EQ_INT(s->stale_ms, 150); /* nobody has said otherwise yet */
    CHECK_EQ_INT(replace(&g, &wide, &n), ERR_OK);
    CHECK(g.valve->props[1].series == s);
    CHECK_EQ_INT(replace(&g, &bar, &n), ERR_OK);
    CHECK(g.valve->props[0].series != s); /* what it was in % is not in bar */
    CHECK_EQ_INT(g.valve->props[0].series->quality, QUALITY_NONE);
    CHECK(bus_series_find(g.base.bus, s->name) == g.valve->props[0].series);
    publish(&g, "v", "{\"position\": 3}");
    CHECK(g.valve->props[0].series->last.f == 3 && s->last.f == 10);
    rig_fini(&g);
}

TEST(a_mistake_is_found_before_anything_changes)
{
    struct rig g;
    struct registry_change n;
    const struct next clash = {"plant.valve", "l", NULL};
    rig_init(&g, test_tmpdir());
    struct device *valve = g.valve;
    CHECK_EQ_INT(replace(&g, &clash, &n), ERR_EXISTS);
    CHECK(registry_find(g.r, STR("plant.valve")) == valve);
    publish(&g, "v", "{\"position\": 10}");
    CHECK(valve->props[0].series->last.f == 10);
    rig_fini(&g);
}

/* ---- O16: who may command it ---- */

static enum err try_to_command(struct rig *g)
{
    const struct bus_publication p = {.topic = STR("v/set"),
                                      .payload = {(const uint8_t *)"{}", 2},
                                      .qos = 1,
                                      .expiry_s = UINT32_MAX,
                                      .from = &g->base.client};
    return bus_publish(g->base.bus, &p, &g->base.receipt);
}

/* The next site has the valve for somebody else, and then is not taken. */
static void nearly_replace(struct rig *g, const char *owner)
{
    struct error e = {0};
    const struct model_def *valve;
    struct device *d;
    REQUIRE(registry_replace_begin(g->r, &e) == ERR_OK);
    REQUIRE(registry_model(g->r, &valve_model, &valve, &e) == ERR_OK);
    REQUIRE(rig_device(g->r, "plant.v", valve, "v", &d, &e) == ERR_OK);
    REQUIRE(registry_set_owner(d, str_from(owner)) == ERR_OK);
    CHECK_EQ_INT(try_to_command(g), ERR_DENIED); /* whatever comes of it */
    registry_replace_cancel(g->r);
}

TEST(an_owner_comes_and_goes_with_its_site)
{
    static const struct next same = {"plant.valve", "v", NULL}, gone = {NULL, NULL, NULL};
    struct rig g;
    struct registry_change n;
    rig_init(&g, test_tmpdir());
    CHECK_EQ_INT(try_to_command(&g), ERR_DENIED);
    CHECK_EQ_STR(g.base.receipt.why, "plant.valve is owned by guard: only it may command it");
    nearly_replace(&g, "other");
    CHECK_EQ_INT(try_to_command(&g), ERR_DENIED);
    CHECK_EQ_STR(g.base.receipt.why, "plant.valve is owned by guard: only it may command it");
    CHECK_EQ_INT(replace(&g, &same, &n), ERR_OK); /* nobody owns it there */
    CHECK_EQ_INT(try_to_command(&g), ERR_OK);
    nearly_replace(&g, "other");
    CHECK_EQ_INT(try_to_command(&g), ERR_OK);
    REQUIRE(registry_set_owner(g.valve, STR("another")) == ERR_OK);
    CHECK_EQ_INT(try_to_command(&g), ERR_DENIED);
    CHECK_EQ_STR(g.base.receipt.why, "plant.valve is owned by another: only it may command it");
    CHECK_EQ_INT(replace(&g, &gone, &n), ERR_OK);
    CHECK_EQ_INT(try_to_command(&g), ERR_OK);
    rig_fini(&g);
}

static uint64_t listens(const struct rig *g)
{
    return bus_stats(g->base.bus).subscriptions;
}

TEST(a_site_that_goes_leaves_no_subscriptions)
{
    static const struct next other = {"plant.valve", "w", &wide_valve},
                             same = {"plant.valve", "v", NULL}, clash = {"plant.valve", "l", NULL};
    struct rig g;
    struct registry_change n;
    rig_init(&g, test_tmpdir());
    CHECK_EQ_INT(replace(&g, &same, &n), ERR_OK);
    uint64_t before = listens(&g);
    CHECK_EQ_INT(replace(&g, &other, &n), ERR_OK);
    CHECK(listens(&g) > before); /* it has a property more */
    CHECK_EQ_INT(replace(&g, &same, &n), ERR_OK);
    CHECK_EQ_UINT(listens(&g), before);
    CHECK_EQ_INT(replace(&g, &clash, &n), ERR_EXISTS);
    CHECK_EQ_UINT(listens(&g), before);
    rig_fini(&g);
}
