/* Where a device is was said wrongly, and the next site says it rightly. */
#include "registry/registry_rig_test.h"

#include <sys/stat.h>

struct moved_rig {
    struct rig g;
    struct device_port port;
    struct device *valve;
    enum err answer; /* to a command; ERR_AGAIN: none */
    size_t commands;
    struct event_listener alerts;
    struct strbuf told;
};

static enum err take(void *ctx, const struct port_command *c, struct error *e)
{
    struct moved_rig *m = ctx;
    (void)e;
    m->commands++;
    if (m->answer != ERR_AGAIN)
        registry_port_done(c->device->registry, c->id, m->answer, "illegal data address");
    return ERR_OK;
}

static void on_told(struct event_listener *l, const struct alert_event *e)
{
    struct moved_rig *m = CONTAINER_OF(l, struct moved_rig, alerts);
    if (str_starts(e->device, STR("line.")))
        strbuf_addf(&m->told, "%s %.*s;",
                    e->momentary ? "once"
                    : e->active  ? "raised"
                                 : "over",
                    STR_FMT(e->key));
}

static void declare(struct moved_rig *m, const char *name, const char *link)
{
    struct error e = {0};
    const struct registry_device_def def = {.name = str_from(name),
                                            .model = registry_model_find(m->g.r, STR("Valve")),
                                            .link = str_from(link)};
    REQUIRE(CHECK_EQ_INT(registry_device(m->g.r, &def, &m->valve, &e), ERR_OK));
    REQUIRE(registry_set_owner(m->valve, STR("guard")) == ERR_OK);
    registry_set_port(m->valve, &m->port);
}

static void moved_build(struct moved_rig *m, const char *dir, const char *link)
{
    struct error e = {0};
    *m = (struct moved_rig){.answer = ERR_AGAIN};
    m->port = (struct device_port){.command = take, .ctx = m};
    rig_build_only(&m->g, dir, 60000);
    if (link)
        declare(m, "line.valve", link);
    strbuf_init(&m->told, alloc_system(), 0);
    m->alerts = (struct event_listener){.alert = on_told};
    bus_event_listen(m->g.base.bus, &m->alerts);
    REQUIRE(journal_replay(m->g.base.journal, &e) == ERR_OK);
    rig_start(&m->g);
}

static void moved_fini(struct moved_rig *m)
{
    bus_event_unlisten(&m->alerts);
    strbuf_fini(&m->told);
    rig_fini(&m->g);
}

/* A site with nothing but the valve, or without it. */
static struct registry_change move(struct moved_rig *m, const char *name, const char *link)
{
    struct error e = {0};
    struct registry_change n;
    const struct model_def *valve;
    REQUIRE(registry_replace_begin(m->g.r, &e) == ERR_OK);
    REQUIRE(registry_model(m->g.r, &valve_model, &valve, &e) == ERR_OK);
    if (name)
        declare(m, name, link);
    REQUIRE(registry_replace_ready(m->g.r, &n, &e) == ERR_OK);
    registry_replace_commit(m->g.r);
    registry_replace_settle(m->g.r);
    return n;
}

static const char *row_dir(size_t i)
{
    static char dir[512];
    (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
    REQUIRE(mkdir(dir, 0700) == 0);
    return dir;
}

static struct device *leaving(const struct moved_rig *m)
{
    struct list *all = registry_leaving(m->g.r);
    LIST_EACH(all, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        if (str_eq(d->name, STR("line.valve")))
            return d;
    }
    return NULL;
}

static void report(struct moved_rig *m, struct device *d, double position)
{
    struct value v = {.kind = VALUE_FLOAT, .f = position};
    (void)m;
    CHECK_EQ_INT(registry_sample(&d->props[0], &v, 0, QUALITY_GOOD), ERR_OK);
}

static void tell_open(void *rig)
{
    struct moved_rig *m = CONTAINER_OF((struct rig *)rig, struct moved_rig, g);
    command(&m->g, m->valve, 0, NULL, 0);
}

static void tell_close(void *rig)
{
    struct moved_rig *m = CONTAINER_OF((struct rig *)rig, struct moved_rig, g);
    struct device *d = leaving(m);
    command(&m->g, d ? d : m->valve, 1, NULL, 0);
}

static void play(struct moved_rig *m, void (*what)(void *rig), int64_t for_ms)
{
    const struct step step = {.after_ms = 1, .run = what};
    rig_play(&m->g, &step, 1, for_ms);
}

#define OLD "modbus tcp://x unit 1 coil 7"
#define NEW "modbus tcp://x unit 1 coil 4"

TEST(what_tells_that_a_place_was_wrong)
{
    static const struct {
        const char *label, *name;
        bool heard, commanded;
        enum err answer;
        bool corrected;
    } rows[] = {
        {"nothing has ever come from there", "line.valve", false, false, ERR_OK, true},
        {"it has not answered", "line.valve", false, true, ERR_AGAIN, true},
        {"others answer, it does not", "line.valve", true, true, ERR_INVALID, true},
        {"it was heard", "line.valve", true, false, ERR_OK, false},
        {"it has taken a command", "line.valve", true, true, ERR_OK, false},
        {"it has, and said nothing", "line.valve", false, true, ERR_OK, false},
        {"another name", "line.other", false, false, ERR_OK, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct moved_rig m;
        LABEL("%s", rows[i].label);
        moved_build(&m, row_dir(i), OLD);
        m.answer = rows[i].answer;
        if (rows[i].heard)
            report(&m, m.valve, 50);
        if (rows[i].commanded)
            play(&m, tell_open, 250);
        struct registry_change n = move(&m, rows[i].name, NEW);
        CHECK_EQ_INT(m.valve->corrected, rows[i].corrected);
        CHECK_EQ_INT(leaving(&m) == NULL, rows[i].corrected);
        const struct device *safe = rows[i].corrected ? m.valve : leaving(&m);
        CHECK(safe && str_eq(safe->owner_before, STR("guard")));
        CHECK_EQ_UINT(n.changed, strcmp(rows[i].name, "line.valve") == 0); /* to people it has */
        CHECK(!m.valve->heard && !m.valve->obeyed); /* nothing is known of the new place */
        moved_fini(&m);
    }
}

TEST(what_was_under_way_to_a_wrong_place_ends)
{
    struct moved_rig m;
    moved_build(&m, test_tmpdir(), OLD);
    play(&m, tell_open, 20);
    CHECK_EQ_UINT(m.commands, 1);
    move(&m, "line.valve", NEW);
    CHECK_HAS_STR(m.g.log.p, "open failed: the site has changed: line.valve is at another place\n");
    CHECK(list_empty(&m.valve->actions));
    bus_rig_run(&m.g.base, 250); /* more than the time of all attempts */
    CHECK_EQ_UINT(m.commands, 1);
    moved_fini(&m);
}

/* A site with nothing but a lamp, which is spoken to by the convention. */
static void move_lamp(struct moved_rig *m, const char *topic)
{
    struct error e = {0};
    struct registry_change n;
    struct registry_device_def def = {.name = STR("line.lamp"), .topic = str_from(topic)};
    REQUIRE(registry_replace_begin(m->g.r, &e) == ERR_OK);
    REQUIRE(registry_model(m->g.r, &lamp_model, &def.model, &e) == ERR_OK);
    REQUIRE(CHECK_EQ_INT(registry_device(m->g.r, &def, &m->g.lamp, &e), ERR_OK));
    REQUIRE(registry_replace_ready(m->g.r, &n, &e) == ERR_OK);
    registry_replace_commit(m->g.r);
    registry_replace_settle(m->g.r);
}

/* It comes to the registry, too, which looks at all topics. */
TEST(a_command_on_its_way_is_nothing_that_the_device_has_said)
{
    struct moved_rig m;
    moved_build(&m, test_tmpdir(), NULL);
    move_lamp(&m, "x");
    play(&m, lamp_on, 20);
    CHECK_HAS_STR(m.g.log.p, "x/set {");
    move_lamp(&m, "y");
    CHECK(m.g.lamp->corrected);
    CHECK_HAS_STR(m.g.log.p, "on failed: the site has changed: line.lamp is at another place\n");
    moved_fini(&m);
}

TEST(the_alert_of_a_place_that_is_no_more_ends)
{
    static const struct {
        const char *label, *name, *link;
    } rows[] = {{"it is corrected", "line.valve", NEW},
                {"it goes", NULL, NULL},
                {"the same, under another name", "line.other", OLD}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct moved_rig m;
        LABEL("%s", rows[i].label);
        moved_build(&m, row_dir(i), OLD);
        play(&m, tell_open, 250);
        CHECK_EQ_STR(m.told.p, "raised action/line.valve;");
        move(&m, "line.valve", OLD); /* another site, which is no reason */
        CHECK_EQ_STR(m.told.p, "raised action/line.valve;");
        move(&m, rows[i].name, rows[i].link);
        CHECK_HAS_STR(m.told.p, "raised action/line.valve;over action/line.valve;");
        moved_fini(&m);
    }
}

/* Of an earlier run, whose action so many others have pushed off the list since. */
TEST(an_alert_that_no_action_tells_of_any_more_ends_with_the_place)
{
    struct moved_rig m;
    moved_build(&m, test_tmpdir(), OLD);
    move(&m, "line.valve", OLD);
    CHECK_EQ_UINT(m.told.n, 0);
    move(&m, NULL, NULL);
    CHECK_EQ_STR(m.told.p ? m.told.p : "", "over action/line.valve;");
    moved_fini(&m);
}

/* It has obeyed at the old place, so something may be open there; another valve has its name. */
static void leave(void *rig)
{
    struct moved_rig *m = CONTAINER_OF((struct rig *)rig, struct moved_rig, g);
    m->answer = ERR_AGAIN;
    move(m, "line.valve", NEW);
    strbuf_reset(&m->told);
    strbuf_reset(&m->g.log);
}

static void obey_and_leave(struct moved_rig *m, void (*then)(void *rig))
{
    const struct step steps[] = {{.after_ms = 1, .run = tell_open},
                                 {.after_ms = 10, .run = leave},
                                 {.after_ms = 1, .run = tell_close},
                                 {.after_ms = 30, .run = then}};
    moved_build(m, test_tmpdir(), OLD);
    m->answer = ERR_OK;
    report(m, m->valve, 95);
    rig_play(&m->g, steps, ARRAY_LEN(steps), 300);
}

TEST(what_a_device_that_leaves_does_not_do_is_told_once)
{
    struct moved_rig m;
    obey_and_leave(&m, NULL);
    CHECK_EQ_STR(m.told.p, "once left/line.valve;");
    CHECK_HAS_STR(m.g.log.p, "alert critical line.valve, which the site does not have any more "
                             "(" OLD "), does not obey: close() was sent 3 times");
    moved_fini(&m);
}

static void closes(void *rig)
{
    struct moved_rig *m = CONTAINER_OF((struct rig *)rig, struct moved_rig, g);
    REQUIRE(leaving(m) != NULL);
    report(m, leaving(m), 0);
}

TEST(what_a_device_that_leaves_does_is_no_news_of_its_namesake)
{
    struct moved_rig m;
    obey_and_leave(&m, closes);
    CHECK_HAS_STR(m.g.log.p, "close confirmed\n");
    CHECK_EQ_STR(m.told.p ? m.told.p : "", "");
    CHECK_EQ_DBL(m.valve->props[0].series->last.f, 95, 0); /* as the old one left it */
    moved_fini(&m);
}

static bool knows(void *ctx, struct str series)
{
    return ctx && str_eq(series, STR("line.valve.position"));
}

TEST(what_an_earlier_run_has_heard_was_there)
{
    struct moved_rig m;
    for (int known = 0; known < 2; known++) {
        LABEL("known: %d", known);
        moved_build(&m, row_dir((size_t)known), OLD);
        registry_heard_before(m.g.r, knows, known ? &m : NULL);
        move(&m, "line.valve", NEW);
        CHECK_EQ_INT(leaving(&m) != NULL, known);
        moved_fini(&m);
    }
}

TEST(what_a_restart_knows_of_a_place)
{
    struct moved_rig m;
    moved_build(&m, test_tmpdir(), OLD);
    m.answer = ERR_OK;
    play(&m, tell_open, 10);
    report(&m, m.valve, 95);
    CHECK_HAS_STR(m.g.log.p, "open confirmed\n");
    moved_fini(&m);

    moved_build(&m, test_tmpdir(), OLD);
    CHECK(m.valve->obeyed); /* so the next site makes it safe there */
    CHECK_EQ_STR(m.told.p ? m.told.p : "", "");
    m.answer = ERR_INVALID;
    play(&m, tell_close, 30);
    CHECK_EQ_STR(m.told.p, "raised action/line.valve;");
    moved_fini(&m);

    moved_build(&m, test_tmpdir(), OLD);
    move(&m, "line.valve", NEW); /* obeyed at the old place, and no more: what is wrong there */
    CHECK_EQ_STR(m.told.p, "over action/line.valve;");
    CHECK(leaving(&m) != NULL);
    moved_fini(&m);

    moved_build(&m, test_tmpdir(), NULL); /* it was taken out of the files meanwhile */
    CHECK_HAS_STR(m.told.p, "over action/line.valve;");
    moved_fini(&m);
}
