/* automation_rig_test: programs on a real bus, registry and journal, with a press and a valve that
 * the test plays. What they decide and raise is written down in `log`.
 *
 *     rig_init(&g, test_tmpdir(), "program p { … }");     it runs
 *     temp(&g, "85");                                     the press says so
 *     rig_replace(&g, "program p { … }", NULL);           another site takes its place
 *     rig_fini(&g); */
#pragma once

#include "automation/automation.h"
#include "tests/support/bus_rig.h"
#include "tests/support/lang_schema.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const char site_text[] = "model Press { property temp: °C; property note: str }\n"
                                "model Valve { property position: %\n"
                                "  action open() confirms position > 90 %\n"
                                "  action close() confirms position < 5 %\n"
                                "  safe close() }\n"
                                "device press: Press { id \"p\"; via mqtt \"p\" json }\n"
                                "device valve: Valve { id \"v\"; via mqtt \"v\" json }; "
                                "device drain: Valve { id \"d\"; via mqtt \"d\" json }; "
                                "device twin: Valve { id \"v\"; via mqtt \"twin\" json }; "
                                "model Button { event pressed }; "
                                "device button: Button { id \"b\"; via mqtt \"b\" json }\n";

static const struct property_def press_properties[] = {
    {S("temp"), S("°C"), VALUE_FLOAT, true, -50, 200}, {S("note"), S(""), VALUE_STR, false, 0, 0}};
static const struct property_def valve_properties[] = {
    {S("position"), S("%"), VALUE_FLOAT, false, 0, 0}};
static const struct action_def valve_actions[] = {
    {S("open"), NULL, 0, 0, COMPARE_GT, 90, S("position > 90 %"), false},
    {S("close"), NULL, 0, 0, COMPARE_LT, 5, S("position < 5 %"), true},
};
static const struct str button_events[] = {S("pressed")};
static const struct model_def models[] = {
    {.name = S("Press"), .properties = press_properties, .property_count = 2},
    {.name = S("Valve"),
     .properties = valve_properties,
     .property_count = 1,
     .actions = valve_actions,
     .action_count = 2},
    {.name = S("Button"), .events = button_events, .event_count = 1},
};

struct rig {
    struct bus_rig base;
    struct alloc_faulty faulty; /* of registry and automation; does not fail unless told */
    struct alloc *alloc;
    struct registry *registry;
    struct lang_site *site;
    struct automation *a;
    struct event_listener events;
    struct strbuf log; /* actions decided and alerts, in their order */
    const char *until; /* the run ends when the log ends so */
};

static inline void rig_look(struct rig *g)
{
    if (g->until && str_ends(strbuf_str(&g->log), str_from(g->until)))
        g->base.left_ms = 0;
}

static inline void on_action(struct event_listener *l, const struct action_event *a)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    if (a->state == ACTION_WAITING)
        strbuf_addf(&g->log, "%.*s by %.*s line %u because %.*s;", STR_FMT(a->action),
                    STR_FMT(a->cause.program), a->cause.line, STR_FMT(a->cause.series));
    rig_look(g);
}

static inline void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    if (e->active)
        strbuf_addf(&g->log, "%s%s: %.*s;", e->momentary ? "momentary " : "",
                    severity_name(e->severity), STR_FMT(e->text));
    else if (!str_ends(e->key, STR("!")) && !str_starts(e->key, STR("program/")))
        strbuf_addf(&g->log, "over;");
    rig_look(g);
}

/* The checked site of the rig's devices and this program. */
static inline struct lang_site *rig_site(const char *program)
{
    struct lang_site *site;
    struct strbuf text, messages;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_init(&messages, alloc_system(), 0);
    strbuf_adds(&text, site_text);
    strbuf_adds(&text, program);
    struct lang_source source = {STR("t.sedge"), strbuf_str(&text)};
    REQUIRE(lang_check(alloc_system(), &test_schema, &source, 1, &site) == ERR_OK);
    for (size_t i = 0; i < site->diags_n; i++)
        if (site->diags[i].severity == LANG_ERROR)
            lang_diag_render(&messages, site, &site->diags[i], false);
    CHECK_EQ_STR(messages.p, "");
    REQUIRE(site->errors == 0);
    strbuf_fini(&messages);
    strbuf_fini(&text);
    return site;
}

/* `valve`: its topic. `twin` is the same valve once more, by another way. */
static inline enum err rig_devices(struct rig *g, const char *valve, struct error *e)
{
    static const char *const names[] = {"press", "valve", "button", "drain", "twin"};
    const char *const topics[] = {"p", valve, "b", "d", "twin"};
    const char *const ids[] = {"p", valve, "b", "d", valve};
    const struct model_def *made[ARRAY_LEN(names)];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct device *d;
        enum err err =
            i < ARRAY_LEN(models) ? registry_model(g->registry, &models[i], &made[i], e) : ERR_OK;
        if (i >= ARRAY_LEN(models))
            made[i] = made[1]; /* valves, too */
        if (!err)
            err = registry_device(g->registry,
                                  &(struct registry_device_def){.name = str_from(names[i]),
                                                                .id = str_from(ids[i]),
                                                                .model = made[i],
                                                                .topic = str_from(topics[i])},
                                  &d, e);
        if (err)
            return err;
    }
    return ERR_OK;
}

static inline void rig_registry(struct rig *g)
{
    struct error e = {0};
    struct registry_config rc = {.ex = g->base.ex,
                                 .bus = g->base.bus,
                                 .journal = g->base.journal,
                                 .db = g->base.db,
                                 .alloc = g->alloc};
    REQUIRE(registry_new(&g->registry, &rc, &e) == ERR_OK);
    REQUIRE(rig_devices(g, "v", &e) == ERR_OK);
}

/* `wall_ms`: what the clock on the wall shows at the start; 0: now. */
static inline void rig_init_as(struct rig *g, const char *dir, const char *program,
                               unsigned workers, int64_t wall_ms)
{
    struct error e = {0};
    *g = (struct rig){0};
    alloc_faulty_init(&g->faulty, UINT64_MAX);
    g->alloc = workers == 1 ? &g->faulty.alloc : alloc_system(); /* which any thread may use */
    strbuf_init(&g->log, alloc_system(), 0);
    g->site = rig_site(program);
    bus_rig_init_workers(&g->base, dir, workers);
    if (wall_ms)
        g->base.clock.wall_base_ms = wall_ms;
    rig_registry(g);
    struct automation_config ac = {.ex = g->base.ex,
                                   .bus = g->base.bus,
                                   .registry = g->registry,
                                   .journal = g->base.journal,
                                   .db = g->base.db,
                                   .alloc = g->alloc,
                                   .site = g->site};
    REQUIRE(automation_new(&g->a, &ac, &e) == ERR_OK);
    bus_rig_start(&g->base);
    g->events = (struct event_listener){.alert = on_alert, .action = on_action};
    bus_event_listen(g->base.bus, &g->events);
    automation_start(g->a);
}

static inline void rig_init(struct rig *g, const char *dir, const char *program)
{
    rig_init_as(g, dir, program, 1, 0);
}

static inline void rig_init_at(struct rig *g, const char *dir, const char *program, int64_t wall_ms)
{
    rig_init_as(g, dir, program, 1, wall_ms);
}

static inline int64_t rig_wall_ms(struct rig *g)
{
    return clock_wall_ms(&g->base.clock.clock);
}

static inline void rig_fini(struct rig *g)
{
    bus_rig_drain(&g->base);
    bus_event_unlisten(&g->events);
    automation_free(g->a);
    registry_free(g->registry);
    bus_rig_fini(&g->base);
    lang_site_free(g->site);
    strbuf_fini(&g->log);
    CHECK_EQ_UINT(g->faulty.live_bytes, 0);
}

/* Another site takes the place of the one that runs, or, after an error, does not. `valve`: its
 * topic, NULL: as it was. */
static inline enum err rig_replace(struct rig *g, const char *program, const char *valve)
{
    struct error e = {0};
    struct registry_change devices;
    struct automation_change *change = NULL;
    struct lang_site *next = rig_site(program);
    enum err err = registry_replace_begin(g->registry, &e);
    if (!err)
        err = rig_devices(g, valve ? valve : "v", &e);
    if (!err)
        err = automation_change_new(&change, g->a, next, &e);
    if (!err)
        err = registry_replace_ready(g->registry, &devices, &e);
    if (err) {
        automation_change_free(change);
        registry_replace_cancel(g->registry);
        lang_site_free(next);
        return err;
    }
    registry_replace_commit(g->registry);
    automation_change_apply(change);
    lang_site_free(g->site);
    g->site = next;
    registry_replace_settle(g->registry);
    return ERR_OK;
}

/* At most `max_ms` of virtual time. */
static inline void rig_run_until(struct rig *g, const char *end_of_log, int64_t max_ms)
{
    g->until = end_of_log;
    bus_rig_run(&g->base, max_ms);
    g->until = NULL;
}

static inline void temp(struct rig *g, const char *value)
{
    CHECK_EQ_INT(bus_rig_publish(&g->base, "p/temp", value), ERR_OK);
}

static inline void press_button(struct rig *g)
{
    CHECK_EQ_INT(bus_rig_publish(&g->base, "b/pressed", "1"), ERR_OK);
}
