/* mapping_rig: a plug that was not made for us, and all that is heard of it, for the tests of
 * mappings. */
#pragma once

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

static inline void on_sample(struct sample_listener *l, const struct sample *s)
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

static inline void on_quality(struct sample_listener *l, struct series *s)
{
    struct plug_rig *p = CONTAINER_OF(l, struct plug_rig, samples);
    strbuf_addf(&p->heard, "%.*s %s;", (int)(s->name.n - 10), s->name.p + 10,
                quality_name(s->quality));
}

static inline void on_signal(struct event_listener *l, const struct signal_event *e)
{
    struct plug_rig *p = CONTAINER_OF(l, struct plug_rig, signals);
    strbuf_addf(&p->heard, "%.*s!;", STR_FMT(e->event));
}

static inline void on_command(struct subscriber *s, struct message *m,
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

static inline struct registry_device_def plug_def(const struct model_def *m)
{
    return (struct registry_device_def){
        .name = STR("home.plug"), .id = STR("p"), .model = m, .mapping = plug_mapping};
}

static inline void listen_to_all(struct plug_rig *p)
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

static inline void plug_init(struct plug_rig *p)
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

static inline void plug_fini(struct plug_rig *p)
{
    bus_sample_unlisten(&p->samples);
    bus_event_unlisten(&p->signals);
    bus_unsubscribe_all(p->g.base.bus, &p->commands);
    strbuf_fini(&p->heard);
    rig_fini(&p->g);
}

static inline void hears(struct plug_rig *p, const char *topic, const char *payload,
                         const char *want)
{
    strbuf_reset(&p->heard);
    publish(&p->g, topic, payload);
    CHECK_EQ_STR(p->heard.p ? p->heard.p : "", want);
}

static inline const struct discovered *listed(struct plug_rig *p, const char *topic)
{
    LIST_EACH(registry_discovered(p->g.r), it)
    {
        const struct discovered *d = CONTAINER_OF(it, struct discovered, link);
        if (str_eq(d->topic, str_from(topic)))
            return d;
    }
    return NULL;
}

static inline void plug_command_at(void *rig, uint32_t action, double level)
{
    struct plug_rig *p = CONTAINER_OF(rig, struct plug_rig, g);
    struct error e = {0};
    struct value args[] = {{.kind = VALUE_FLOAT, .f = level},
                           {.kind = VALUE_STR, .s = STR("a \"b\"")}};
    struct action_request q = {.device = p->plug,
                               .action = action,
                               .args = args,
                               .arg_count = action == 2 ? 2 : 0,
                               .cause = {.operator_name = STR("Ada")}};
    CHECK_EQ_INT(registry_command(p->g.r, &q, NULL, &e), ERR_OK);
}

static inline void plug_command(void *rig, uint32_t action)
{
    plug_command_at(rig, action, 50);
}

static inline void switch_on(void *rig)
{
    plug_command(rig, 0);
}

static inline void switch_off(void *rig)
{
    plug_command(rig, 1);
}

static inline void dim(void *rig)
{
    plug_command(rig, 2);
}

/* Scaled, it is larger than any number. */
static inline void dim_without_end(void *rig)
{
    plug_command_at(rig, 2, 1e308);
}
