#include "adopt/adopt_internal.h"
#include "adopt/quantity.h"
#include "codec/json.h"
#include "registry/path.h"

#include <stdio.h>
#include <string.h>

static struct str format(struct draft *d, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static struct str format(struct draft *d, const char *fmt, va_list ap)
{
    char text[512];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    return arena_str(d->arena, (struct str){text, len});
}

struct draft *draft_new(struct arena *a, const struct adopt_view *v)
{
    struct draft *d = arena_new(a, sizeof(*d));
    if (!d)
        return NULL;
    d->arena = a;
    d->view = v;
    d->point_max = DRAFT_POINTS_MAX;
    return d;
}

/* --- points --- */

struct point *draft_find(struct draft *d, struct str name)
{
    for (size_t i = 0; i < d->point_n; i++)
        if (str_eq(d->points[i].name, name))
            return &d->points[i];
    return NULL;
}

static struct str unique_name(struct draft *d, struct str name, struct str group)
{
    struct str own = name_of(group, d->arena);
    if (draft_find(d, name) && own.n)
        name = arena_strf(d->arena, "%.*s_%.*s", STR_FMT(own), STR_FMT(name));
    struct str first = name;
    for (unsigned i = 2; draft_find(d, name); i++)
        name = arena_strf(d->arena, "%.*s%u", STR_FMT(first), i);
    return name;
}

struct point *draft_point(struct draft *d, struct str name, struct str group)
{
    if (d->point_n == d->point_max || !name.n || d->arena->failed)
        return NULL;
    name = unique_name(d, name, group);
    struct point *p = &d->points[d->point_n++];
    *p = (struct point){.name = name};
    return p;
}

void draft_source(struct draft *d, struct point *p, struct str topic, struct str path)
{
    if (p->source_n == DRAFT_SOURCES_MAX)
        return;
    p->sources[p->source_n].topic = topic;
    p->sources[p->source_n++].path = path;
    draft_topic(d, topic);
}

void draft_note(struct draft *d, struct point *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str more = format(d, fmt, ap);
    va_end(ap);
    p->comment = p->comment.n
                     ? arena_strf(d->arena, "%.*s; %.*s", STR_FMT(p->comment), STR_FMT(more))
                     : more;
}

struct point *draft_field(struct draft *d, const struct adopt_topic *t, const struct adopt_field *f,
                          struct str name, struct str group, const char *unit)
{
    bool room = d->point_n < d->point_max;
    struct str known = room ? name_known(name, d->arena) : STR("");
    struct point *p =
        room ? draft_point(d, known.n ? known : name_of(name, d->arena), group) : NULL;
    if (!p) {
        draft_leave(d, t->topic, f->path, "there is no room for more");
        return NULL;
    }
    p->unit = str_from(unit);
    if (!draft_guess(d, p, f, t->topic, name, unit != NULL)) {
        d->point_n--;
        return NULL;
    }
    draft_source(d, p, t->topic, f->path);
    return p;
}

/* --- commands --- */

struct command *draft_command(struct draft *d, struct str name)
{
    for (size_t i = 0; i < d->command_n; i++)
        if (str_eq(d->commands[i].name, name))
            return NULL;
    if (d->command_n == DRAFT_COMMANDS_MAX || !name.n)
        return NULL;
    struct command *c = &d->commands[d->command_n++];
    *c = (struct command){.name = name};
    return c;
}

static void add_switch(struct draft *d, const struct point *p, const char *word, struct str suffix,
                       struct str topic, struct str payload, bool on)
{
    struct command *c = draft_command(d, arena_strf(d->arena, "%s%.*s", word, STR_FMT(suffix)));
    if (!c)
        return;
    c->topic = topic;
    c->payload = payload;
    c->safe = !on;
    c->confirms = arena_strf(d->arena, "%s%.*s", on ? "" : "not ", STR_FMT(p->name));
}

void draft_switch(struct draft *d, const struct point *p, struct str suffix, struct str topic,
                  struct str on, struct str off)
{
    add_switch(d, p, "on", suffix, topic, on, true);
    add_switch(d, p, "off", suffix, topic, off, false);
}

/* --- what is told beside --- */

void draft_leave(struct draft *d, struct str topic, struct str path, const char *why)
{
    if (d->left_n < DRAFT_LEFT_MAX)
        d->left[d->left_n++] = (struct adopt_left){topic, path, str_from(why)};
}

void draft_warn(struct draft *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = format(d, fmt, ap);
    va_end(ap);
    if (d->warning_n < DRAFT_WARNINGS_MAX)
        d->warnings[d->warning_n++] = text;
}

bool draft_asked(const struct draft *d, struct str topic)
{
    for (size_t i = 0; i < d->asked_n; i++)
        if (str_eq(d->asked[i], topic))
            return true;
    return false;
}

void draft_topic(struct draft *d, struct str topic)
{
    for (size_t i = 0; i < d->topic_n; i++)
        if (str_eq(d->topics[i], topic))
            return;
    if (d->topic_n < DRAFT_TOPICS_MAX)
        d->topics[d->topic_n++] = topic;
}

/* --- pieces of what is read --- */

struct value_place value_place(struct str path, struct arena *a)
{
    struct path p;
    struct value_place out = {.index = -1};
    size_t n = path_parse(&p, path, a, NULL) ? 0 : p.n;
    if (n && !p.steps[n - 1].key.p)
        out.index = (int)p.steps[--n].index;
    while (n && !p.steps[n - 1].key.p)
        n--;
    if (n)
        out.key = p.steps[--n].key;
    while (n && !p.steps[n - 1].key.p)
        n--;
    if (n)
        out.group = p.steps[n - 1].key;
    return out;
}

struct str json_text_of(struct str object, const char *key, struct arena *a)
{
    struct json_token t;
    struct str out = {0};
    struct bytes doc = {(const uint8_t *)object.p, object.n};
    if (json_find(doc, str_from(key), &t, NULL) || t.kind != JSON_STRING)
        return STR("");
    char *buf = arena_new(a, t.raw.n + 1);
    return buf && json_unescape(t.raw, buf, t.raw.n + 1, &out) == ERR_OK ? out : STR("");
}

void draft_named(struct draft *d, struct str base)
{
    struct str level;
    d->place = d->leaf = STR("");
    while (base.n && str_split(&base, '/', &level)) {
        struct str name = name_of_device(level, d->arena);
        if (!name.n)
            continue;
        if (d->leaf.n)
            d->place = d->place.n
                           ? arena_strf(d->arena, "%.*s.%.*s", STR_FMT(d->place), STR_FMT(d->leaf))
                           : d->leaf;
        d->leaf = name;
    }
}

void draft_thing(struct draft *d, const struct adopt_thing *of)
{
    switch (of->shape) {
    case SHAPE_TASMOTA: draft_tasmota(d, of); break;
    case SHAPE_ZIGBEE2MQTT: draft_zigbee(d, of); break;
    case SHAPE_SHELLY1: draft_shelly1(d, of); break;
    case SHAPE_SHELLY2: draft_shelly2(d, of); break;
    case SHAPE_ESPHOME: draft_esphome(d, of); break;
    case SHAPE_JSON:
    case SHAPE_VALUE: draft_plain(d, of); break;
    case SHAPE_NONE: break;
    }
}
