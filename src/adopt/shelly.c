/* shelly: the first generation's topics of bare values, and the second's status documents.
 *
 * Source: shelly-api-docs.shelly.cloud, gen1 (MQTT) and gen2 (ComponentsAndServices: Mqtt, Switch,
 * Cover, Light, EM, PM1, Temperature, Humidity, DevicePower). */
#include "adopt/adopt_internal.h"

#include <string.h>

static struct str level(struct str *rest)
{
    struct str one;
    return str_split(rest, '/', &one) ? one : STR("");
}

/* "relay", "0": 0 is the first of several, or the only one; "" then. */
static struct str number_behind(struct draft *d, struct str index)
{
    int64_t n = 0;
    return str_to_i64(index, &n) || n <= 0 ? STR("") : arena_strf(d->arena, "%d", (int)n + 1);
}

/* --- the first generation: shellies/<id>/… --- */

static const struct {
    const char *rest; /* behind the channel or the sensor's word */
    const char *name, *unit;
    double scale;
} values1[] = {
    {"power", "power", "W", 0},
    {"energy", "energy", "kWh", 1.0 / 60000}, /* told in watt minutes */
    {"total", "energy", "kWh", 1.0 / 1000},   /* of an emeter, in watt hours */
    {"voltage", "voltage", "V", 0},
    {"current", "current", "A", 0},
    {"pf", "power_factor", "", 0},
    {"temperature", "temperature", "°C", 0},
    {"humidity", "humidity", "%", 0},
    {"battery", "battery", "%", 0},
    {"lux", "illuminance", "lx", 0},
};

static void relay1(struct draft *d, const struct adopt_topic *t, struct str number)
{
    struct point *p = draft_point(d, arena_strf(d->arena, "on%.*s", STR_FMT(number)), STR(""));
    if (!p)
        return;
    p->kind = POINT_BOOL;
    draft_source(d, p, t->topic, STR(""));
    draft_switch(d, p, number, arena_strf(d->arena, "%.*s/command", STR_FMT(t->topic)),
                 STR("\"on\""), STR("\"off\""));
}

static void input1(struct draft *d, const struct adopt_topic *t, struct str number)
{
    struct point *p = draft_point(d, arena_strf(d->arena, "input%.*s", STR_FMT(number)), STR(""));
    if (!p)
        return;
    p->kind = POINT_BOOL;
    draft_source(d, p, t->topic, STR(""));
}

static bool value1(struct draft *d, const struct adopt_topic *t, const struct adopt_field *f,
                   struct str word, struct str number)
{
    for (size_t i = 0; i < ARRAY_LEN(values1); i++) {
        if (!str_eq(word, str_from(values1[i].rest)))
            continue;
        struct str name = arena_strf(d->arena, "%s%.*s", values1[i].name, STR_FMT(number));
        struct point *p = draft_field(d, t, f, name, STR(""), values1[i].unit);
        if (p && p->kind == POINT_FLOAT && values1[i].scale != 0) {
            p->scale = values1[i].scale;
            p->has_range = false;
            p->comment = STR("counts up");
        }
        return true;
    }
    return false;
}

static void topic1(struct draft *d, const struct adopt_topic *t)
{
    struct str rest = t->thing.rest, kind = level(&rest), second = rest.n ? level(&rest) : STR("");
    const struct adopt_field *f = adopt_topic_field(t, STR(""));
    int64_t channel;
    bool has_channel = second.n && str_to_i64(second, &channel) == ERR_OK;
    struct str number = has_channel ? number_behind(d, second) : STR("");
    struct str word = has_channel ? rest : second.n ? second : kind;
    if (str_eq(kind, STR("online")) || !f) {
        if (!f && t->field_n)
            draft_leave(d, t->topic, STR(""), "it is about the device's own state");
    } else if (str_eq(kind, STR("relay")) && has_channel && !rest.n) {
        relay1(d, t, number);
    } else if (str_eq(kind, STR("input")) && has_channel && !rest.n) {
        input1(d, t, number);
    } else if (str_ends(t->topic, STR("_f"))) {
        draft_leave(d, t->topic, STR(""), "it says in °F what another topic says in °C");
    } else if (!value1(d, t, f, word, number)) {
        struct str name = word.n ? word : kind;
        (void)draft_field(d, t, f, arena_strf(d->arena, "%.*s%.*s", STR_FMT(name), STR_FMT(number)),
                          kind, NULL);
    }
}

void draft_shelly1(struct draft *d, const struct adopt_thing *of)
{
    struct str id = str_sub(of->base, sizeof("shellies/") - 1, of->base.n);
    draft_named(d, id);
    d->id = arena_strf(d->arena, "shelly:%.*s", STR_FMT(id));
    d->comment = STR("Shelly, first generation");
    d->online_topic = arena_strf(d->arena, "%.*s/online", STR_FMT(of->base));
    if (adopt_view_topic(d->view, d->online_topic))
        draft_topic(d, d->online_topic);
    for (size_t i = 0; i < d->view->n; i++)
        if (adopt_same_thing(&d->view->topics[i].thing, of))
            topic1(d, &d->view->topics[i]);
}

/* --- the second: <prefix>/status/switch:0 --- */

static const struct {
    const char *component; /* NULL: any */
    const char *path, *name, *unit;
    double scale;
} values2[] = {
    {NULL, "apower", "power", "W", 0},
    {NULL, "act_power", "power", "W", 0},
    {NULL, "total_act_power", "power", "W", 0},
    {NULL, "voltage", "voltage", "V", 0},
    {NULL, "current", "current", "A", 0},
    {NULL, "freq", "frequency", "Hz", 0},
    {NULL, "pf", "power_factor", "", 0},
    {NULL, "aenergy.total", "energy", "kWh", 1.0 / 1000},
    {NULL, "ret_aenergy.total", "energy_out", "kWh", 1.0 / 1000},
    {"emdata", "total_act", "energy", "kWh", 1.0 / 1000},
    {"temperature", "tC", "temperature", "°C", 0},
    {"humidity", "rh", "humidity", "%", 0},
    {"devicepower", "battery.percent", "battery", "%", 0},
    {"devicepower", "battery.V", "battery_voltage", "V", 0},
    {NULL, "temperature.tC", "device_temperature", "°C", 0},
    {"cover", "current_pos", "position", "%", 0},
    {"light", "brightness", "brightness", "%", 0},
    {"illuminance", "lux", "illuminance", "lx", 0},
    {"voltmeter", "voltage", "voltage", "V", 0},
};

struct part {
    struct draft *d;
    const struct adopt_thing *of;
    const struct adopt_topic *t;
    struct str component, index; /* "switch", "0" */
    struct str number;           /* "" of the first */
};

static bool value2(struct part *x, const struct adopt_field *f, struct str path)
{
    for (size_t i = 0; i < ARRAY_LEN(values2); i++) {
        if (!str_eq(path, str_from(values2[i].path)) ||
            (values2[i].component && !str_eq(x->component, str_from(values2[i].component))))
            continue;
        struct str name = arena_strf(x->d->arena, "%s%.*s", values2[i].name, STR_FMT(x->number));
        struct point *p = draft_field(x->d, x->t, f, name, x->component, values2[i].unit);
        if (p && p->kind == POINT_FLOAT && values2[i].scale != 0) {
            p->scale = values2[i].scale;
            p->has_range = false;
            p->comment = STR("counts up");
        }
        return true;
    }
    return false;
}

/* <prefix>/command/switch:0 takes on and off; it is on unless somebody has turned it off. */
static void output2(struct part *x, const struct adopt_field *f)
{
    struct draft *d = x->d;
    struct point *p = draft_find(d, arena_strf(d->arena, "on%.*s", STR_FMT(x->number)));
    if (p) {
        draft_source(d, p, x->t->topic, f->path);
        return;
    }
    p = draft_point(d, arena_strf(d->arena, "on%.*s", STR_FMT(x->number)), STR(""));
    if (!p)
        return;
    p->kind = POINT_BOOL;
    draft_source(d, p, x->t->topic, f->path);
    draft_switch(d, p, x->number,
                 arena_strf(d->arena, "%.*s/command/%.*s:%.*s", STR_FMT(x->of->base),
                            STR_FMT(x->component), STR_FMT(x->index)),
                 STR("\"on\""), STR("\"off\""));
}

static void cover2(struct part *x)
{
    static const struct {
        const char *name, *confirms;
    } orders[] = {{"open", "position > 95 %"}, {"close", "position < 5 %"}, {"stop", ""}};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct command *c = draft_command(x->d, str_from(orders[i].name));
        if (!c)
            return;
        c->topic = arena_strf(x->d->arena, "%.*s/command/cover:%.*s", STR_FMT(x->of->base),
                              STR_FMT(x->index));
        c->payload = arena_strf(x->d->arena, "\"%s\"", orders[i].name);
        c->confirms = str_from(orders[i].confirms);
        c->answer = orders[i].confirms[0] ? STR("") : x->t->topic;
        c->safe = !orders[i].confirms[0];
    }
}

static void value_of_part(struct part *x, const struct adopt_field *f, struct str path)
{
    struct value_place at = value_place(path, x->d->arena);
    bool is_switch = str_eq(x->component, STR("switch")) || str_eq(x->component, STR("light"));
    if (is_switch && str_eq(path, STR("output"))) {
        output2(x, f);
    } else if (str_eq(x->component, STR("input")) && str_eq(path, STR("state"))) {
        (void)draft_field(x->d, x->t, f, arena_strf(x->d->arena, "input%.*s", STR_FMT(x->number)),
                          STR(""), NULL);
    } else if (!value2(x, f, path)) {
        draft_leave(x->d, x->t->topic, f->path,
                    str_eq(at.key, STR("tF")) ? "it says in °F what another value says in °C"
                                              : "it is about the device's own state");
    } else if (str_eq(x->component, STR("cover")) && str_eq(path, STR("current_pos"))) {
        cover2(x);
    }
}

static bool set_component(struct part *x, struct str name)
{
    size_t colon;
    if (!str_find(name, ':', &colon))
        return false;
    x->component = str_sub(name, 0, colon);
    x->index = str_sub(name, colon + 1, name.n);
    x->number = number_behind(x->d, x->index);
    return true;
}

static void status2(struct part *x)
{
    struct str name = str_sub(x->t->thing.rest, sizeof("status/") - 1, x->t->thing.rest.n);
    if (!set_component(x, name)) {
        draft_leave(x->d, x->t->topic, STR(""), "it is about the device's own state");
        return;
    }
    for (size_t i = 0; i < x->t->field_n; i++)
        value_of_part(x, &x->t->fields[i], x->t->fields[i].path);
}

/* NotifyStatus has only what has changed, below params.<component>. */
static void notified2(struct part *x)
{
    for (size_t i = 0; i < x->t->field_n; i++) {
        const struct adopt_field *f = &x->t->fields[i];
        struct str rest = str_starts(f->path, STR("params."))
                              ? str_sub(f->path, sizeof("params.") - 1, f->path.n)
                              : STR("");
        size_t dot;
        if (!str_find(rest, '.', &dot) || !set_component(x, str_sub(rest, 0, dot)))
            continue;
        value_of_part(x, f, str_sub(rest, dot + 1, rest.n));
    }
}

static bool has_status(const struct draft *d, const struct adopt_thing *of)
{
    for (size_t i = 0; i < d->view->n; i++)
        if (adopt_same_thing(&d->view->topics[i].thing, of) &&
            str_starts(d->view->topics[i].thing.rest, STR("status/")))
            return true;
    return false;
}

void draft_shelly2(struct draft *d, const struct adopt_thing *of)
{
    bool status = has_status(d, of);
    draft_named(d, of->base);
    d->id = arena_strf(d->arena, "shelly:%.*s", STR_FMT(of->base));
    d->comment = STR("Shelly, second generation or later");
    d->online_topic = arena_strf(d->arena, "%.*s/online", STR_FMT(of->base));
    if (adopt_view_topic(d->view, d->online_topic))
        draft_topic(d, d->online_topic);
    for (size_t i = 0; i < d->view->n; i++) {
        struct part x = {.d = d, .of = of, .t = &d->view->topics[i]};
        if (!adopt_same_thing(&x.t->thing, of))
            continue;
        if (str_starts(x.t->thing.rest, STR("status/")))
            status2(&x);
        else if (str_eq(x.t->thing.rest, STR("events/rpc")) && !status)
            notified2(&x);
    }
}
