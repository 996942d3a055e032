/* Devices that something else carries: samples without messages, commands through a port. */
#include "registry/registry_rig_test.h"

struct port_rig {
    struct rig g;
    struct device_port port;
    struct device *valve, *lamp;
    enum err result; /* of the next command */
    enum err done;   /* at once, unless ERR_AGAIN */
    char id[24];     /* of the last command */
    double level;
    struct sample_listener samples;
    struct strbuf heard;
    struct journal_consumer consumer;
};

static enum err take(void *ctx, const struct port_command *c, struct error *e)
{
    struct port_rig *p = ctx;
    (void)snprintf(p->id, sizeof(p->id), "%s", c->id);
    strbuf_addf(&p->g.log, "port %.*s(%zu)\n", STR_FMT(c->device->model->actions[c->action].name),
                c->arg_count);
    if (c->arg_count)
        p->level = c->args[0].f;
    if (p->result)
        return error_set(e, p->result, "the line is cut");
    if (p->done != ERR_AGAIN)
        registry_port_done(c->device->registry, c->id, p->done, "it said no");
    return ERR_OK;
}

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    struct port_rig *p = CONTAINER_OF(l, struct port_rig, samples);
    strbuf_addf(&p->heard, "%.*s=%g%s%s seq %d;", STR_FMT(s->series->name), value_number(&s->value),
                s->quality == QUALITY_GOOD ? "" : " ",
                s->quality == QUALITY_GOOD ? "" : quality_name(s->quality), s->seq > 0);
}

static void on_replayed(struct journal_consumer *c, const struct journal_record *r)
{
    registry_replay(CONTAINER_OF(c, struct port_rig, consumer)->g.r, r);
}

static void port_devices(struct port_rig *p)
{
    struct error e = {0};
    struct registry_device_def def = {.name = STR("line.valve"),
                                      .model = registry_model_find(p->g.r, STR("Valve")),
                                      .link = STR("modbus tcp://x unit 1")};
    REQUIRE(registry_device(p->g.r, &def, &p->valve, &e) == ERR_OK);
    def = (struct registry_device_def){.name = STR("line.lamp"),
                                       .model = registry_model_find(p->g.r, STR("Lamp")),
                                       .link = STR("modbus tcp://x unit 2")};
    REQUIRE(registry_device(p->g.r, &def, &p->lamp, &e) == ERR_OK);
    p->port = (struct device_port){.command = take, .ctx = p};
    registry_set_port(p->valve, &p->port);
    registry_set_port(p->lamp, &p->port);
    strbuf_init(&p->heard, alloc_system(), 0);
    p->samples = (struct sample_listener){.sample = on_sample};
    bus_sample_listen(p->g.base.bus, &p->samples);
}

static void port_init(struct port_rig *p)
{
    *p = (struct port_rig){0};
    rig_init(&p->g, test_tmpdir());
    port_devices(p);
}

static void port_fini(struct port_rig *p)
{
    bus_sample_unlisten(&p->samples);
    strbuf_fini(&p->heard);
    rig_fini(&p->g);
}

static void tell(void *rig, struct device *d)
{
    struct port_rig *p = CONTAINER_OF(rig, struct port_rig, g);
    struct error e = {0};
    struct value level = {.kind = VALUE_FLOAT, .f = 60};
    struct action_request q = {.device = d,
                               .arg_count = d == p->lamp,
                               .args = &level,
                               .cause = {.operator_name = STR("Ada")}};
    CHECK_EQ_INT(registry_command(p->g.r, &q, NULL, &e), ERR_OK);
}

static void tell_lamp(void *rig)
{
    tell(rig, CONTAINER_OF(rig, struct port_rig, g)->lamp);
}

static void tell_valve(void *rig)
{
    tell(rig, CONTAINER_OF(rig, struct port_rig, g)->valve);
}

static void play_lamp(struct port_rig *p, int64_t for_ms)
{
    const struct step step = {.after_ms = 1, .run = tell_lamp};
    strbuf_reset(&p->g.log);
    rig_play(&p->g, &step, 1, for_ms);
}

static void report(struct port_rig *p, double position)
{
    struct value v = {.kind = VALUE_FLOAT, .f = position};
    CHECK_EQ_INT(registry_sample(&p->valve->props[0], &v, 0, QUALITY_GOOD), ERR_OK);
}

TEST(samples_that_came_by_no_message)
{
    struct port_rig p;
    port_init(&p);
    report(&p, 50);
    report(&p, 500);
    struct value v = {.kind = VALUE_FLOAT, .f = 7};
    CHECK_EQ_INT(registry_sample(&p.valve->props[0], &v, 1764000000000, QUALITY_UNCERTAIN), ERR_OK);
    CHECK_EQ_STR(p.heard.p, "line.valve.position=50 seq 1;line.valve.position=500 bad seq 1;"
                            "line.valve.position=7 uncertain seq 1;");
    CHECK_EQ_UINT(registry_samples(p.g.r), 3);
    port_fini(&p);
}

TEST(samples_that_came_by_no_message_come_back_after_a_restart)
{
    struct port_rig p;
    struct error e = {0};
    port_init(&p);
    report(&p, 50);
    report(&p, 51);
    bus_rig_run(&p.g.base, 1100); /* lazy: they ride with the next group, or a second later */
    bus_sample_unlisten(&p.samples);
    strbuf_fini(&p.heard);
    rig_fini(&p.g);

    p = (struct port_rig){0};
    rig_build_only(&p.g, test_tmpdir(), 60000);
    p.consumer = (struct journal_consumer){.name = "test", .apply = on_replayed};
    port_devices(&p);
    journal_consumer_add(p.g.base.journal, &p.consumer);
    REQUIRE(journal_replay(p.g.base.journal, &e) == ERR_OK);
    CHECK_EQ_STR(p.heard.p, "line.valve.position=50 seq 1;line.valve.position=51 seq 1;");
    rig_start(&p.g);
    CHECK_EQ_INT(p.valve->props[0].series->quality, QUALITY_STALE);
    CHECK_EQ_DBL(p.valve->props[0].series->last.f, 51, 0);
    journal_consumer_remove(p.g.base.journal, &p.consumer);
    port_fini(&p);
}

static void arrive(void *rig)
{
    report(CONTAINER_OF(rig, struct port_rig, g), 95);
}

TEST(a_command_goes_through_the_port)
{
    struct port_rig p;
    port_init(&p);
    const struct step steps[] = {
        {1, NULL, NULL, tell_lamp}, {20, NULL, NULL, tell_valve}, {20, NULL, NULL, arrive}};
    rig_play(&p.g, steps, ARRAY_LEN(steps), 60);
    CHECK_EQ_STR(p.g.log.p, "on waiting\nport on(1)\non confirmed\n"
                            "open waiting\nport open(0)\nopen sent\n" /* taken, not yet there */
                            "open confirmed\n");
    CHECK_EQ_DBL(p.level, 60, 0);
    port_fini(&p);
}

TEST(what_a_port_answers)
{
    static const struct {
        const char *label;
        enum err result, done;
        const char *says, *log;
    } rows[] = {
        {"it refuses", ERR_OK, ERR_INVALID,
         "{\"code\":\"not-obeyed\",\"device\":\"line.lamp\",\"action\":\"on\",\"reason\":"
         "\"refused\","
         "\"attempts\":1,\"confirms\":\"\",\"detail\":\"it said no\",\"left\":\"\"}",
         "on waiting\nport on(1)\nalert critical line.lamp does not obey: on() is refused by the "
         "device: it said no\non failed: is refused by the device: it said no\n"},
        {"it does not answer", ERR_OK, ERR_TIMEOUT,
         "{\"code\":\"not-obeyed\",\"device\":\"line.lamp\",\"action\":\"on\",\"reason\":"
         "\"unconfirmed\","
         "\"attempts\":3,\"confirms\":\"\",\"detail\":\"it said no\",\"left\":\"\"}",
         "on waiting\nport on(1)\non sent: it said no\nport on(1)\non sent: it said no\nport "
         "on(1)\non sent: it said no\nalert "
         "critical "
         "line.lamp does not obey: on() was sent 3 times in 0 s without an answer: it said no\non "
         "failed: was sent 3 times in 0 s without an answer: it said no\n"},
        {"it can't be sent", ERR_IO, ERR_OK,
         "{\"code\":\"not-commanded\",\"device\":\"line.lamp\",\"action\":\"on\",\"reason\":\"not-"
         "sent\","
         "\"attempts\":1,\"confirms\":\"\",\"detail\":\"the line is cut\",\"left\":\"\"}",
         "on waiting\nport on(1)\nalert critical line.lamp is not commanded: on() was not sent: "
         "the "
         "line is cut\non failed: was not sent: the line is cut\n"},
        {"it is full for too long", ERR_FULL, ERR_OK,
         "{\"code\":\"not-commanded\",\"device\":\"line.lamp\",\"action\":\"on\",\"reason\":\"not-"
         "sent\","
         "\"attempts\":0,\"confirms\":\"\",\"detail\":\"the line is cut\",\"left\":\"\"}",
         "on waiting\nport on(1)\nport on(1)\nport on(1)\nalert critical line.lamp is not "
         "commanded: on() was not sent: the line is cut\non failed: was not sent: the line is "
         "cut\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct port_rig p;
        LABEL("%s", rows[i].label);
        port_init(&p);
        p.result = rows[i].result;
        p.done = rows[i].done;
        play_lamp(&p, 400);
        CHECK_EQ_STR(p.g.log.p, rows[i].log);
        CHECK_EQ_STR(p.g.says, rows[i].says);
        port_fini(&p);
    }
}

TEST(an_answer_that_comes_late_or_for_nobody)
{
    struct port_rig p;
    port_init(&p);
    p.done = ERR_AGAIN;
    play_lamp(&p, 20);
    registry_port_done(p.g.r, "nobody's", ERR_OK, "");
    CHECK_EQ_STR(p.g.log.p, "on waiting\nport on(1)\non sent\n");
    registry_port_done(p.g.r, p.id, ERR_OK, "");
    CHECK_HAS_STR(p.g.log.p, "on confirmed\n");
    strbuf_reset(&p.g.log);
    registry_port_done(p.g.r, p.id, ERR_INVALID, "too late");
    CHECK_EQ_STR(p.g.log.p, "");
    port_fini(&p);
}

TEST(a_port_that_is_gone)
{
    struct port_rig p;
    port_init(&p);
    registry_port_gone(p.g.r, &p.port);
    play_lamp(&p, 30);
    CHECK_HAS_STR(p.g.log.p, "on failed: was not sent: nothing carries it any more\n");
    port_fini(&p);
}

TEST(a_property_that_can_not_be_read)
{
    struct port_rig p;
    port_init(&p);
    struct device_property *prop = &p.valve->props[0];
    registry_unreadable(prop, "illegal address");
    CHECK_EQ_STR(prop->why, "illegal address");
    CHECK_EQ_INT(prop->series->quality, QUALITY_NONE); /* it has never said anything */
    report(&p, 50);
    CHECK_EQ_STR(prop->why, "");
    registry_unreadable(prop, "illegal address");
    CHECK_EQ_INT(prop->series->quality, QUALITY_STALE);
    report(&p, 51);
    CHECK_EQ_INT(prop->series->quality, QUALITY_GOOD);
    registry_link_state(p.valve, false, "no answer from unit 1");
    CHECK_EQ_STR(p.valve->reach.why, "no answer from unit 1");
    CHECK_EQ_INT(prop->series->quality, QUALITY_STALE);
    port_fini(&p);
}

static void count_news(void *ctx, const struct device *d)
{
    (void)d;
    ++*(size_t *)ctx;
}

TEST(a_property_that_can_hardly_be_right)
{
    struct port_rig p;
    size_t news = 0;
    port_init(&p);
    struct device_property *prop = &p.valve->props[0];
    registry_on_link(p.g.r, count_news, &news);
    CHECK(property_problem(prop) == NULL);
    registry_doubt(prop, "");
    CHECK_EQ_UINT(news, 0);
    registry_doubt(prop, "with another order it would be 57");
    report(&p, 50); /* more of them are no reason */
    registry_doubt(prop, "with another order it would be 57");
    CHECK_EQ_STR(property_problem(prop), "with another order it would be 57");
    CHECK_EQ_UINT(news, 1);
    registry_unreadable(prop, "illegal address"); /* that goes before */
    CHECK_EQ_STR(property_problem(prop), "illegal address");
    report(&p, 51);
    CHECK_EQ_STR(property_problem(prop), "with another order it would be 57");
    CHECK_EQ_UINT(news, 3);
    registry_doubt(prop, "");
    CHECK(property_problem(prop) == NULL);
    CHECK_EQ_UINT(news, 4);
    registry_on_link(p.g.r, NULL, NULL);
    port_fini(&p);
}
