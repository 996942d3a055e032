/* tasmota: SENSOR and STATE as JSON, LWT, and commands on cmnd/….
 *
 * Source: tasmota.github.io/docs/MQTT and /Commands; units of SENSOR are fixed, but for TempUnit,
 * PressureUnit and SpeedUnit, which are told in it. */
#include "adopt/adopt_internal.h"

#include <string.h>

/* "plug1" said by "stat", on "POWER". */
static struct str topic_of(struct draft *d, const struct adopt_thing *of, const char *prefix,
                           struct str rest)
{
    return of->prefix_last
               ? arena_strf(d->arena, "%.*s/%s/%.*s", STR_FMT(of->base), prefix, STR_FMT(rest))
               : arena_strf(d->arena, "%s/%.*s/%.*s", prefix, STR_FMT(of->base), STR_FMT(rest));
}

/* --- SENSOR --- */

static const struct {
    const char *key, *name, *unit;
} energies[] = {
    {"Total", "energy", "kWh"},
    {"Today", "energy_today", "kWh"},
    {"Yesterday", "energy_yesterday", "kWh"},
    {"ExportActive", "energy_out", "kWh"},
    {"Period", NULL, NULL},
    {"TotalStartTime", NULL, NULL},
    {"Power", "power", "W"},
    {"ApparentPower", "apparent_power", "VA"},
    {"ReactivePower", "reactive_power", "var"},
    {"Factor", "power_factor", ""},
    {"Voltage", "voltage", "V"},
    {"Current", "current", "A"},
    {"Frequency", "frequency", "Hz"},
};

static void energy(struct draft *d, const struct adopt_topic *t, const struct adopt_field *f,
                   const struct value_place *at)
{
    for (size_t i = 0; i < ARRAY_LEN(energies); i++) {
        if (!str_eq(at->key, str_from(energies[i].key)))
            continue;
        if (!energies[i].name) {
            draft_leave(d, t->topic, f->path, "it tells nothing new");
            return;
        }
        struct str name = str_from(energies[i].name);
        if (at->index >= 0)
            name = arena_strf(d->arena, "%s_%d", energies[i].name, at->index + 1);
        struct point *p = draft_field(d, t, f, name, at->group, energies[i].unit);
        if (p && str_starts(name, STR("energy")))
            p->has_range = false;
        return;
    }
    (void)draft_field(d, t, f, at->key, at->group, NULL);
}

/* What the document says of its units; NULL: nothing. */
static const char *told_unit(struct str document, struct str key, struct arena *a)
{
    static const char *const pressures[] = {"hPa", "mmHg", "inHg", "mbar", "kPa"};
    bool temperature = str_eq(key, STR("Temperature")) || str_eq(key, STR("DewPoint"));
    if (temperature && json_text_of(document, "TempUnit", a).n)
        return str_eq(json_text_of(document, "TempUnit", a), STR("F")) ? "°F" : "°C";
    struct str pressure = json_text_of(document, "PressureUnit", a);
    if (str_eq(key, STR("Pressure")) || str_eq(key, STR("SeaPressure")))
        for (size_t i = 0; i < ARRAY_LEN(pressures); i++)
            if (str_eq(pressure, str_from(pressures[i])))
                return pressures[i];
    if (str_eq(key, STR("Humidity")))
        return "%";
    return NULL;
}

static bool is_of_document(struct str key)
{
    return str_eq(key, STR("Time")) || str_ends(key, STR("Unit"));
}

static void sensor(struct draft *d, const struct adopt_topic *t)
{
    for (size_t i = 0; i < t->field_n; i++) {
        const struct adopt_field *f = &t->fields[i];
        struct value_place at = value_place(f->path, d->arena);
        if (is_of_document(at.key))
            continue;
        if (str_eq(at.group, STR("ENERGY")))
            energy(d, t, f, &at);
        else
            (void)draft_field(d, t, f, at.key, at.group, told_unit(t->payload, at.key, d->arena));
    }
}

/* --- STATE, and what stat/… adds --- */

/* POWER, POWER1, POWER2: "" or its number; false: another key. */
static bool is_power(struct str key, struct str *number)
{
    *number = str_sub(key, 5, key.n);
    int64_t n;
    return str_starts(key, STR("POWER")) &&
           (!number->n || (number->n <= 2 && str_to_i64(*number, &n) == ERR_OK && n > 0));
}

static struct point *power(struct draft *d, const struct adopt_thing *of, struct str key,
                           struct str number)
{
    struct str name = arena_strf(d->arena, "on%.*s", STR_FMT(number));
    struct point *p = draft_find(d, name);
    if (p)
        return p;
    p = draft_point(d, name, STR(""));
    if (!p)
        return NULL;
    p->kind = POINT_BOOL;
    draft_source(d, p, topic_of(d, of, "stat", key), STR("")); /* at each change */
    draft_switch(d, p, number, topic_of(d, of, "cmnd", key), STR("\"ON\""), STR("\"OFF\""));
    return p;
}

static void dimmer(struct draft *d, const struct adopt_thing *of, const struct adopt_topic *t,
                   const struct adopt_field *f)
{
    struct point *p = draft_field(d, t, f, STR("Dimmer"), STR(""), "%");
    struct command *c = p && p->kind == POINT_FLOAT ? draft_command(d, STR("dim")) : NULL;
    if (!c)
        return;
    p->has_range = true;
    p->min = 0;
    p->max = 100;
    c->param = STR("level");
    c->param_type = STR("%");
    c->topic = topic_of(d, of, "cmnd", STR("Dimmer"));
    c->payload = STR("\"{round(level)}\"");
    c->answer = topic_of(d, of, "stat", STR("RESULT"));
}

static void state(struct draft *d, const struct adopt_thing *of, const struct adopt_topic *t)
{
    for (size_t i = 0; i < t->field_n; i++) {
        const struct adopt_field *f = &t->fields[i];
        struct str number;
        if (is_power(f->path, &number)) {
            struct point *p = power(d, of, f->path, number);
            if (p)
                draft_source(d, p, t->topic, f->path);
        } else if (str_eq(f->path, STR("Dimmer"))) {
            dimmer(d, of, t, f);
        } else if (!str_eq(f->path, STR("Time"))) {
            draft_leave(d, t->topic, f->path, "it is about the controller, not the thing");
        }
    }
}

static void identify(struct draft *d, const struct adopt_thing *of)
{
    d->id = arena_strf(d->arena, "tasmota:%.*s", STR_FMT(of->base));
    for (size_t i = 0; i < d->view->document_n; i++) {
        struct str text = d->view->documents[i].text;
        if (!str_starts(d->view->documents[i].topic, STR("tasmota/")) ||
            !str_eq(json_text_of(text, "t", d->arena), of->base))
            continue;
        struct str mac = json_text_of(text, "mac", d->arena);
        struct str made = json_text_of(text, "md", d->arena);
        if (mac.n)
            d->id = arena_strf(d->arena, "tasmota:%.*s", STR_FMT(mac));
        if (made.n)
            d->comment = arena_strf(d->arena, "%.*s with Tasmota", STR_FMT(made));
    }
}

void draft_tasmota(struct draft *d, const struct adopt_thing *of)
{
    draft_named(d, of->base);
    d->comment = STR("Tasmota");
    identify(d, of);
    d->online_topic = topic_of(d, of, "tele", STR("LWT"));
    for (size_t i = 0; i < d->view->n; i++) {
        const struct adopt_topic *t = &d->view->topics[i];
        struct str number;
        if (!adopt_same_thing(&t->thing, of))
            continue;
        if (str_eq(t->thing.rest, STR("SENSOR")))
            sensor(d, t);
        else if (str_eq(t->thing.rest, STR("STATE")))
            state(d, of, t);
        else if (is_power(t->thing.rest, &number))
            (void)power(d, of, t->thing.rest, number);
    }
    if (adopt_view_topic(d->view, d->online_topic))
        draft_topic(d, d->online_topic);
}
