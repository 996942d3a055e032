/* registry_rig_test: devices on a real bus, journal and database; the device is played by the test:
 * a valve that the program `guard` owns, and a lamp that nobody owns. */
#pragma once

#include "registry/registry.h"
#include "tests/support/bus_rig.h"

#include <time.h>

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct property_def valve_properties[] = {
    {S("position"), S("%"), VALUE_FLOAT, true, 0, 100}};
static const struct param_def lamp_params[] = {{S("level"), S("%"), VALUE_FLOAT}};
static const struct action_def valve_actions[] = {
    {S("open"), NULL, 0, 0, COMPARE_GT, 90, S("position > 90 %"), false},
    {S("close"), NULL, 0, 0, COMPARE_LT, 5, S("position < 5 %"), true},
};
static const struct action_def lamp_actions[] = {
    {S("on"), lamp_params, 1, -1, COMPARE_EQ, 0, S(""), false}};
static const struct model_def valve_model = {.name = S("Valve"),
                                             .properties = valve_properties,
                                             .property_count = 1,
                                             .actions = valve_actions,
                                             .action_count = 2};
static const struct model_def lamp_model = {
    .name = S("Lamp"), .actions = lamp_actions, .action_count = 1};

static inline void sleep_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&t, NULL);
}

/* A step of a script: what happens after so many milliseconds. */
struct step {
    int64_t after_ms;
    const char *topic, *payload; /* the device or a client says this */
    void (*run)(void *rig);
};

struct rig {
    struct bus_rig base;
    struct registry *r;
    struct device *valve, *lamp;
    struct subscriber sub;
    struct event_listener events;
    struct strbuf log; /* what was seen: commands, states of actions, alerts */
    char last_id[24];
    char says[512]; /* of the last alert */
    bool obey;
    struct tick_hook answer;
    const struct step *steps;
    size_t step, step_count;
    struct timer timer;
};

static inline void publish(struct rig *g, const char *topic, const char *payload)
{
    enum err err = bus_rig_publish(&g->base, topic, payload);
    if (err)
        strbuf_addf(&g->log, "%s %s: %s\n", topic, err_name(err), g->base.receipt.why);
}

/* The valve moves at the end of the tick in which it was told. */
static inline void valve_answers(struct tick_hook *h)
{
    publish(CONTAINER_OF(h, struct rig, answer), "v", "{\"position\": 95}");
}

static inline void on_message(struct subscriber *s, struct message *m,
                              const struct sub_options *const *subs, size_t n, bool retained)
{
    (void)subs;
    (void)n;
    (void)retained;
    struct rig *g = CONTAINER_OF(s, struct rig, sub);
    struct bytes p = message_payload(m);
    strbuf_addf(&g->log, "%.*s %.*s\n", STR_FMT(message_topic(m)), (int)p.n, (const char *)p.p);
    if (g->obey)
        worker_at_tick_end(g->base.w, &g->answer);
}

static inline void on_action(struct event_listener *l, const struct action_event *a)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    (void)snprintf(g->last_id, sizeof(g->last_id), "%.*s", STR_FMT(a->id));
    strbuf_addf(&g->log, "%.*s %s%s%.*s\n", STR_FMT(a->action), action_state_name(a->state),
                a->why.n ? ": " : "", STR_FMT(a->why));
}

static inline void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    (void)snprintf(g->says, sizeof(g->says), "%.*s", STR_FMT(e->says));
    if (e->active)
        strbuf_addf(&g->log, "alert %s %.*s\n", severity_name(e->severity), STR_FMT(e->text));
}

static inline void next_step(struct timer *t)
{
    struct rig *g = CONTAINER_OF(t, struct rig, timer);
    if (g->step == g->step_count)
        return;
    const struct step *s = &g->steps[g->step++];
    if (s->topic)
        publish(g, s->topic, s->payload);
    if (s->run)
        s->run(g);
    if (g->step < g->step_count)
        timer_set_after_ms(&g->timer, g->steps[g->step].after_ms);
}

/* By the convention; its id is its topic. */
static inline enum err rig_device(struct registry *r, const char *name, const struct model_def *m,
                                  const char *topic, struct device **out, struct error *e)
{
    const struct registry_device_def def = {
        .name = str_from(name), .id = str_from(topic), .model = m, .topic = str_from(topic)};
    return registry_device(r, &def, out, e);
}

static inline void rig_devices(struct rig *g)
{
    struct error e = {0};
    const struct model_def *m;
    REQUIRE(registry_model(g->r, &valve_model, &m, &e) == ERR_OK);
    REQUIRE(rig_device(g->r, "plant.valve", m, "v", &g->valve, &e) == ERR_OK);
    REQUIRE(registry_set_owner(g->valve, STR("guard")) == ERR_OK);
    REQUIRE(registry_model(g->r, &lamp_model, &m, &e) == ERR_OK);
    REQUIRE(rig_device(g->r, "plant.lamp", m, "l", &g->lamp, &e) == ERR_OK);
}

/* Neither replayed nor started. */
static inline void rig_build_only(struct rig *g, const char *dir, int64_t resume_max_ms)
{
    struct error e = {0};
    *g = (struct rig){0};
    strbuf_init(&g->log, alloc_system(), 0);
    bus_rig_init(&g->base, dir);
    struct registry_config rc = {.ex = g->base.ex,
                                 .bus = g->base.bus,
                                 .journal = g->base.journal,
                                 .db = g->base.db,
                                 .alloc = alloc_system(),
                                 .confirm_timeout_ms = 60,
                                 .stale_default_ms = 150,
                                 .heard_max = 3,
                                 .resume_max_ms = resume_max_ms};
    REQUIRE(registry_new(&g->r, &rc, &e) == ERR_OK);
    rig_devices(g);
    g->sub.deliver = on_message;
    struct subscription sub = {.filter = STR("+/set"), .subscriber = &g->sub, .qos = 1};
    bool existed;
    REQUIRE(bus_subscribe(g->base.bus, &sub, &existed) == ERR_OK);
    g->events = (struct event_listener){.alert = on_alert, .action = on_action};
    bus_event_listen(g->base.bus, &g->events);
    tick_hook_init(&g->answer, valve_answers);
}

/* Without the start of the journal's writer. */
static inline void rig_build(struct rig *g, const char *dir, int64_t resume_max_ms)
{
    struct error e = {0};
    rig_build_only(g, dir, resume_max_ms);
    REQUIRE(journal_replay(g->base.journal, &e) == ERR_OK);
}

static inline void rig_start(struct rig *g)
{
    struct error e = {0};
    REQUIRE(journal_start(g->base.journal, &e) == ERR_OK);
    registry_start(g->r);
}

static inline void rig_init(struct rig *g, const char *dir)
{
    rig_build(g, dir, 60000);
    rig_start(g);
}

static inline void rig_play(struct rig *g, const struct step *steps, size_t n, int64_t for_ms)
{
    g->steps = steps;
    g->step_count = n;
    g->step = 0;
    timer_init(&g->timer, g->base.w, next_step);
    timer_set_after_ms(&g->timer, steps[0].after_ms);
    bus_rig_run(&g->base, for_ms);
}

static inline void rig_fini(struct rig *g)
{
    timer_cancel(&g->timer);
    bus_rig_drain(&g->base);
    bus_event_unlisten(&g->events);
    bus_unsubscribe_all(g->base.bus, &g->sub);
    registry_free(g->r);
    bus_rig_fini(&g->base);
    strbuf_fini(&g->log);
}

static inline void command(struct rig *g, struct device *d, uint32_t action, struct value *args,
                           size_t n)
{
    struct action_request q = {.device = d,
                               .action = action,
                               .args = args,
                               .arg_count = n,
                               .cause = {.program = STR("guard"), .rule = STR("guard/when#1")}};
    if (!d->owner.n)
        q.cause = (struct cause){.operator_name = STR("Ada")};
    struct error e = {0};
    if (registry_command(g->r, &q, NULL, &e))
        strbuf_addf(&g->log, "refused: %s\n", e.text);
}

static inline void open_valve(void *rig)
{
    struct rig *g = rig;
    command(g, g->valve, 0, NULL, 0);
}

static inline void close_valve(void *rig)
{
    struct rig *g = rig;
    command(g, g->valve, 1, NULL, 0);
}

static inline void lamp_on(void *rig)
{
    struct rig *g = rig;
    struct value level = {.kind = VALUE_FLOAT, .f = 60};
    command(g, g->lamp, 0, &level, 1);
}

static inline void ack_lamp(void *rig)
{
    struct rig *g = rig;
    char answer[64];
    publish(g, "l/ack", "{\"id\":\"ffff\"}"); /* somebody else's */
    (void)snprintf(answer, sizeof(answer), "{\"id\":\"%s\"}", g->last_id);
    publish(g, "l/ack", answer);
}
