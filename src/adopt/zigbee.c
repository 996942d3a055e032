/* zigbee: devices behind Zigbee2MQTT. What they have is told by <base>/bridge/devices: names,
 * units, bounds, words, and what can be set; without it, it is guessed from their messages.
 *
 * Source: www.zigbee2mqtt.io/guide/usage/exposes.html and mqtt_topics_and_messages.html. */
#include "adopt/adopt_internal.h"
#include "adopt/declare.h"
#include "codec/json.h"
#include "lang/types.h"

#include <string.h>

enum { ACCESS_SAID = 1, ACCESS_SET = 2 };

struct zigbee {
    struct draft *d;
    const struct adopt_thing *of;
    const struct adopt_topic *t; /* its messages; NULL: none has come */
    struct str topic, set;       /* <base>/<name>, and /set behind it */
    struct str kind;             /* of the exposes that are read: "light", "cover"; "" */
};

/* --- JSON --- */

static struct bytes doc(struct str s)
{
    return (struct bytes){(const uint8_t *)s.p, s.n};
}

static struct str raw_of(struct str object, const char *key)
{
    struct str raw = {0};
    return json_find(doc(object), str_from(key), NULL, &raw) ? (struct str){0} : raw;
}

static bool number_of(struct str object, const char *key, double *out)
{
    struct str raw = raw_of(object, key);
    return raw.n && json_number(raw, out) == ERR_OK;
}

/* --- as the language writes it ---
 *
 * All of it is said by whoever publishes the announcement, so nothing stands in a declaration as it
 * came. */

static struct str quoted(struct zigbee *z, struct str text)
{
    struct strbuf b;
    strbuf_init(&b, z->d->arena->alloc, 0);
    declare_text(&b, text);
    struct str s = arena_str(z->d->arena, strbuf_str(&b));
    z->d->arena->failed |= b.failed;
    strbuf_fini(&b);
    return s;
}

/* Of a document that is sent: brightness, "a key that is no name". */
static struct str key_text(struct zigbee *z, struct str property)
{
    return name_is_property(property) ? property : quoted(z, property);
}

/* The value as JSON has it: ON without its quotes, true. */
static struct str word_of(struct zigbee *z, struct str raw)
{
    struct str text;
    char *buf = raw.n >= 2 && raw.p[0] == '"' ? arena_new(z->d->arena, raw.n) : NULL;
    return buf && json_unescape(str_sub(raw, 1, raw.n - 2), buf, raw.n, &text) == ERR_OK ? text
                                                                                         : raw;
}

/* { state = "ON" }; "" if the value is none that can be sent. */
static struct str says(struct zigbee *z, struct str property, struct str raw)
{
    double number;
    bool text = raw.n > 0 && raw.p[0] == '"';
    bool plain = str_eq(raw, STR("true")) || str_eq(raw, STR("false")) ||
                 json_number(raw, &number) == ERR_OK;
    if (!text && !plain)
        return STR("");
    struct str value = text ? quoted(z, word_of(z, raw)) : raw;
    return arena_strf(z->d->arena, "{ %.*s = %.*s }", STR_FMT(key_text(z, property)),
                      STR_FMT(value));
}

/* --- one exposed value --- */

static struct point *point_for(struct zigbee *z, struct str property, struct str name)
{
    struct draft *d = z->d;
    struct point *p = draft_find(d, name);
    if (p) /* exposed twice: in `features`, and alone */
        return NULL;
    p = draft_point(d, name, STR(""));
    if (p)
        draft_source(d, p, z->topic, property);
    return p;
}

static const struct adopt_field *seen(const struct zigbee *z, struct str property)
{
    return z->t ? adopt_topic_field(z->t, property) : NULL;
}

static void set_to(struct zigbee *z, struct str name, struct str property, struct str param_type,
                   bool whole)
{
    struct command *c = draft_command(z->d, arena_strf(z->d->arena, "set_%.*s", STR_FMT(name)));
    if (!c)
        return;
    c->param = STR("to");
    c->param_type = param_type;
    c->topic = z->set;
    c->payload = arena_strf(z->d->arena, whole ? "{ %.*s = round(to) }" : "{ %.*s = to }",
                            STR_FMT(key_text(z, property)));
    c->answer = z->topic;
}

static void numeric(struct zigbee *z, struct str e, struct str property, bool settable)
{
    struct draft *d = z->d;
    struct str unit = json_text_of(e, "unit", d->arena);
    struct str name = name_of(property, d->arena);
    struct lang_unit parsed;
    const struct adopt_field *f = seen(z, property);
    struct point *p = point_for(z, property, name);
    double step = 0;
    if (!p)
        return;
    p->kind = POINT_FLOAT;
    if (unit.n && lang_unit_parse(unit, &parsed) == ERR_OK)
        p->unit = unit;
    else if (unit.n)
        draft_note(d, p, "in %.*s", STR_FMT(unit));
    p->has_range =
        number_of(e, "value_min", &p->min) && number_of(e, "value_max", &p->max) && p->min < p->max;
    if (p->has_range && f && f->of[OBSERVED_NUMBER] && (f->min < p->min || f->max > p->max))
        p->has_range = false; /* the maker does not keep to it */
    if (!p->has_range && f && f->count == f->of[OBSERVED_NUMBER])
        (void)draft_guess(d, p, f, z->topic, property, true);
    p->kind = POINT_FLOAT; /* whatever it has been so far */
    if (settable)
        set_to(z, name, property, p->unit.n ? p->unit : STR("float"),
               !number_of(e, "value_step", &step) || step == 1);
}

static bool is_truth(struct zigbee *z, struct str on, struct str off)
{
    bool json = str_eq(on, STR("true")) || str_eq(on, STR("false"));
    return json || (guess_is_usual(word_of(z, on)) && guess_is_usual(word_of(z, off)));
}

static void lock(struct zigbee *z, const struct point *p, struct str on, struct str off)
{
    struct command *c = draft_command(z->d, STR("lock"));
    if (c)
        *c = (struct command){
            .name = c->name, .topic = z->set, .payload = on, .confirms = p->name, .safe = true};
    c = draft_command(z->d, STR("unlock"));
    if (c)
        *c = (struct command){.name = c->name,
                              .topic = z->set,
                              .payload = off,
                              .confirms = arena_strf(z->d->arena, "not %.*s", STR_FMT(p->name))};
}

/* "state" is what everything has; what it means its kind says. "state_left": of one of several. */
static void binary(struct zigbee *z, struct str e, struct str property, bool settable)
{
    struct draft *d = z->d;
    struct str on = raw_of(e, "value_on"), off = raw_of(e, "value_off");
    bool is_state = str_eq(property, STR("state")) || str_starts(property, STR("state_"));
    bool is_lock = str_eq(z->kind, STR("lock"));
    struct str which = is_state ? name_of(str_sub(property, 5, property.n), d->arena) : STR("");
    struct str suffix = which.n ? arena_strf(d->arena, "_%.*s", STR_FMT(which)) : STR("");
    struct str name =
        is_state ? arena_strf(d->arena, "%s%.*s", is_lock ? "locked" : "on", STR_FMT(suffix))
                 : name_of(property, d->arena);
    struct point *p = point_for(z, property, name_of(name, d->arena));
    if (!p)
        return;
    p->kind = POINT_BOOL;
    if (!is_truth(z, on, off)) {
        p->yes = word_of(z, on);
        p->no = word_of(z, off);
    }
    struct str say_on = says(z, property, on), say_off = says(z, property, off);
    if (!settable || !say_on.n || !say_off.n)
        return;
    if (is_lock && is_state)
        lock(z, p, say_on, say_off);
    else if (is_state)
        draft_switch(d, p, suffix, z->set, say_on, say_off);
    else
        set_to(z, p->name, property, STR("bool"), false);
}

static void note_value(void *ctx, struct str raw)
{
    struct zigbee *z = ctx;
    struct point *p = &z->d->points[z->d->point_n - 1];
    struct str word = word_of(z, raw);
    if (p->comment.n + word.n < 70)
        p->comment = arena_strf(z->d->arena, "%.*s%s%.*s", STR_FMT(p->comment),
                                p->comment.n ? ", " : "", STR_FMT(word));
}

static void text(struct zigbee *z, struct str e, struct str property, bool settable)
{
    struct str name = name_of(property, z->d->arena);
    struct point *p = point_for(z, property, name);
    if (!p)
        return;
    p->kind = POINT_STR;
    (void)json_each(raw_of(e, "values"), note_value, z);
    if (settable)
        set_to(z, p->name, property, STR("str"), false);
}

/* OPEN, CLOSE and STOP are what it is told; where it is, is its position. */
static void cover(struct zigbee *z, struct str property)
{
    static const struct {
        const char *name, *word, *confirms;
    } orders[] = {{"open", "OPEN", "position > 95 %"},
                  {"close", "CLOSE", "position < 5 %"},
                  {"stop", "STOP", ""}};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct command *c = draft_command(z->d, str_from(orders[i].name));
        if (!c)
            continue;
        c->topic = z->set;
        c->payload = arena_strf(z->d->arena, "{ %.*s = \"%s\" }", STR_FMT(key_text(z, property)),
                                orders[i].word);
        c->confirms = str_from(orders[i].confirms);
        c->answer = orders[i].confirms[0] ? STR("") : z->topic;
        c->safe = !orders[i].confirms[0];
    }
}

/* Something that it is told and never says: an effect. */
static void only_set(struct zigbee *z, struct str type, struct str property)
{
    bool number = str_eq(type, STR("numeric")), truth = str_eq(type, STR("binary"));
    set_to(z, name_of(property, z->d->arena), property,
           number  ? STR("float")
           : truth ? STR("bool")
                   : STR("str"),
           false);
}

static const char *not_wanted(struct str property, struct str category)
{
    static const char *const radio[] = {"linkquality", "update", "update_available", "last_seen"};
    for (size_t i = 0; i < ARRAY_LEN(radio); i++)
        if (str_eq(property, str_from(radio[i])))
            return "it is about the radio, not the thing";
    return str_eq(category, STR("config")) ? "it is a setting" : NULL;
}

static void expose(void *ctx, struct str e)
{
    struct zigbee *z = ctx;
    struct arena *a = z->d->arena;
    struct str type = json_text_of(e, "type", a), property = json_text_of(e, "property", a);
    struct str features = raw_of(e, "features"), before = z->kind;
    double access = 0;
    const char *why = not_wanted(property, json_text_of(e, "category", a));
    bool settable = number_of(e, "access", &access) && ((int)access & ACCESS_SET);
    bool said = !number_of(e, "access", &access) || ((int)access & ACCESS_SAID);
    if (features.n && !str_eq(type, STR("composite"))) {
        z->kind = type;
        (void)json_each(features, expose, z);
        z->kind = before;
    } else if (why || (!said && !settable)) {
        draft_leave(z->d, z->topic, property, why ? why : "it is not told");
    } else if (!said) {
        only_set(z, type, property);
    } else if (str_eq(z->kind, STR("cover")) && str_eq(property, STR("state")) && settable) {
        cover(z, property);
    } else if (str_eq(type, STR("numeric"))) {
        numeric(z, e, property, settable);
    } else if (str_eq(type, STR("binary"))) {
        binary(z, e, property, settable);
    } else if (str_eq(type, STR("enum")) || str_eq(type, STR("text"))) {
        text(z, e, property, settable);
    } else {
        draft_leave(z->d, z->topic, property, "it is more than one value");
    }
}

/* --- the device --- */

static void describe(struct zigbee *z, struct str device)
{
    struct draft *d = z->d;
    struct str definition = raw_of(device, "definition");
    struct str address = json_text_of(device, "ieee_address", d->arena);
    struct str made = json_text_of(definition, "model", d->arena);
    struct str vendor = json_text_of(definition, "vendor", d->arena);
    struct str what = json_text_of(definition, "description", d->arena);
    if (address.n)
        d->id = arena_strf(d->arena, "zigbee:%.*s", STR_FMT(address));
    if (made.n)
        d->comment = arena_strf(d->arena, "%.*s%s%.*s%s%.*s", STR_FMT(vendor), vendor.n ? " " : "",
                                STR_FMT(made), what.n ? ": " : "", STR_FMT(what));
    (void)json_each(raw_of(definition, "exposes"), expose, z);
}

struct search {
    struct zigbee *z;
    struct str name;
};

static void look_at(void *ctx, struct str device)
{
    struct search *s = ctx;
    if (str_eq(json_text_of(device, "friendly_name", s->z->d->arena), s->name))
        describe(s->z, device);
}

/* Without an announcement: as any document. */
static void guess_all(struct zigbee *z)
{
    for (size_t i = 0; z->t && i < z->t->field_n; i++) {
        const struct adopt_field *f = &z->t->fields[i];
        struct value_place at = value_place(f->path, z->d->arena);
        const char *why = not_wanted(at.key, STR(""));
        bool state = str_eq(f->path, STR("state")) && f->word_n;
        if (why || str_eq(at.group, STR("update"))) {
            draft_leave(z->d, z->topic, f->path,
                        why ? why : "it is about the radio, not the thing");
            continue;
        }
        struct point *p = draft_field(z->d, z->t, f, state ? STR("on") : at.key, at.group, NULL);
        if (p && state && p->kind == POINT_BOOL)
            draft_switch(z->d, p, STR(""), z->set, STR("{ state = \"ON\" }"),
                         STR("{ state = \"OFF\" }"));
    }
    if (z->t)
        draft_warn(z->d, "what it has is guessed from its messages: the bridge's list of devices "
                         "(bridge/devices), which tells it, was not heard");
}

/* The convention says as much in one line, where nothing is commanded. */
static void prefer_convention(struct draft *d, struct str topic)
{
    bool any = false;
    for (size_t i = 0; i < d->point_n; i++) {
        struct point *p = &d->points[i];
        p->by_convention = !d->command_n && !d->secondary && !p->yes.n && p->scale == 0 &&
                           str_eq(p->name, p->sources[0].path);
        any |= p->by_convention;
    }
    d->via = any ? topic : STR("");
}

void draft_zigbee(struct draft *d, const struct adopt_thing *of)
{
    size_t slash;
    struct str base = str_find(of->base, '/', &slash) ? str_sub(of->base, 0, slash) : of->base;
    struct str name = str_sub(of->base, base.n + 1, of->base.n);
    struct zigbee z = {.d = d,
                       .of = of,
                       .t = adopt_view_topic(d->view, of->base),
                       .topic = of->base,
                       .set = arena_strf(d->arena, "%.*s/set", STR_FMT(of->base))};
    struct search s = {&z, name};
    struct str announced = arena_strf(d->arena, "%.*s/bridge/devices", STR_FMT(base));
    draft_named(d, name);
    for (size_t i = 0; i < d->view->document_n; i++)
        if (str_eq(d->view->documents[i].topic, announced))
            (void)json_each(d->view->documents[i].text, look_at, &s);
    if (!d->point_n)
        guess_all(&z);
    struct str availability = arena_strf(d->arena, "%.*s/availability", STR_FMT(of->base));
    if (adopt_view_topic(d->view, availability)) {
        d->online_topic = availability;
        draft_topic(d, availability);
    }
    prefer_convention(d, of->base);
}
