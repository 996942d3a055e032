#include "site/mapping.h"

#include "base/map.h"

#include <string.h>

#define OPT LANG_ARG_OPTIONAL

/* ---- the clauses --------------------------------------------------------------------------- */

#define TEXT(n, l, f)                                                                              \
    {                                                                                              \
        .kind = LANG_ARG_STRING, .name = (n), .lead = (l), .flags = (f)                            \
    }
#define PATH  TEXT("path", "=", OPT | LANG_ARG_BLANK)
#define TOPIC TEXT("topic", "on", 0)
#define NUMBER(n)                                                                                  \
    {                                                                                              \
        .kind = LANG_ARG_NUMBER, .name = (n), .lead = (n), .flags = OPT, .unit = ""                \
    }

const struct lang_arg site_mapping_property_args[SITE_MAPPING_PROPERTY_ARGS] = {
    {.kind = LANG_ARG_OF, .name = "the property's name", .of = LANG_CLAUSE_READABLE},
    PATH,
    TOPIC,
    {.kind = LANG_ARG_TYPE, .name = "unit", .lead = "as", .flags = OPT},
    NUMBER("scale"),
    NUMBER("offset"),
    TEXT("true", "true", OPT),
    TEXT("false", "false", OPT),
    TEXT("time", "time", OPT),
};
const struct lang_arg site_mapping_event_args[SITE_MAPPING_EVENT_ARGS] = {
    {.kind = LANG_ARG_OF, .name = "the event's name", .of = LANG_CLAUSE_SIGNAL},
    PATH,
    TOPIC,
    TEXT("word", "is", OPT),
};
const struct lang_arg site_mapping_action_args[SITE_MAPPING_ACTION_ARGS] = {
    {.kind = LANG_ARG_OF, .name = "the action's name", .of = LANG_CLAUSE_COMMAND},
    TEXT("topic", "publish", LANG_ARG_IN_ORDER | LANG_ARG_IDENTITY),
    {.kind = LANG_ARG_TEMPLATE, .name = "payload", .flags = OPT | LANG_ARG_IDENTITY},
    {.kind = LANG_ARG_NUMBER,
     .name = "qos",
     .lead = "qos",
     .flags = OPT | LANG_ARG_WHOLE,
     .unit = "",
     .min = 0,
     .max = 2},
    {.kind = LANG_ARG_FLAG, .name = "retain", .lead = "retain", .flags = OPT},
    TEXT("answer", "answer", OPT | LANG_ARG_ANSWERS),
    TEXT("true", "true", OPT),
    TEXT("false", "false", OPT),
};
const struct lang_arg site_mapping_online_args[SITE_MAPPING_ONLINE_ARGS] = {
    PATH,
    TOPIC,
    TEXT("true", "true", OPT),
    TEXT("false", "false", OPT),
};

/* ---- looking at them ----------------------------------------------------------------------- */

static bool has_arg(const struct lang_clause *c, const char *arg)
{
    for (size_t i = 0; i < c->args_n; i++)
        if (strcmp(c->args[i].name, arg) == 0)
            return true;
    return false;
}

/* NULL if the clause does not take it, or it was left out. */
static const struct lang_value *given(const struct lang_clause_decl *c, const char *arg)
{
    const struct lang_value *v = has_arg(c->clause, arg) ? lang_clause_value(c, arg) : NULL;
    return v && v->kind != LANG_ARG_NONE ? v : NULL;
}

static struct str text_of(const struct lang_clause_decl *c, const char *arg)
{
    const struct lang_value *v = given(c, arg);
    return v ? v->text : STR("");
}

static bool is_word(const struct lang_clause_decl *c, const char *word)
{
    return strcmp(c->clause->word, word) == 0;
}

/* Of a clause that maps a member. */
static const struct lang_member *member_of(const struct lang_decl *d,
                                           const struct lang_clause_decl *c)
{
    for (size_t i = 0; i < c->clause->args_n; i++)
        if (c->clause->args[i].kind == LANG_ARG_OF)
            return lang_decl_member(d->type, c->clause->args[i].of, c->values[i].text);
    return NULL;
}

static bool is_mapping(const struct lang_clause_decl *c)
{
    return c->clause->role == LANG_CLAUSE_MAPS || is_word(c, "online");
}

/* `via mqtt "B" json`: all of the model, on topics that are made of B. */
static bool is_convention(const struct lang_clause_decl *c)
{
    return is_word(c, "via") && c->clause->second && strcmp(c->clause->second, "mqtt") == 0;
}

/* ---- what is wrong with them ----------------------------------------------------------------- */

struct judge {
    struct lang_ctx *c;
    struct arena arena;
    struct map topics; /* of the site -> struct use */
    struct map places; /* of devices that follow the convention -> struct use */
};

/* The first that is done with a topic. */
struct use {
    bool commands;
    struct lang_span span;
    const struct lang_decl *device;
};

static void judge_path(struct judge *j, const struct lang_clause_decl *c, const char *arg)
{
    const struct lang_value *v = given(c, arg);
    struct path path;
    struct error e = {0};
    if (!v || path_parse(&path, v->text, &j->arena, &e) == ERR_OK)
        return;
    struct lang_diag *d = lang_report_error(j->c, "M2", v->span, "not a path", "%s", e.text);
    lang_report_help(j->c, d,
                     "keys apart by dots, places in lists in brackets:  \"ENERGY.Power\", "
                     "\"sensors[0].value\", \"'a key.with dots'\"");
}

static bool topic_fits(struct judge *j, const struct lang_value *v)
{
    const char *why = !v->text.n        ? "a topic is missing"
                      : v->text.n > 500 ? "a topic of more than 500 bytes"
                      : memchr(v->text.p, '+', v->text.n) || memchr(v->text.p, '#', v->text.n)
                          ? "one topic stands here, without wildcards"
                          : NULL;
    if (why)
        (void)lang_report_error(j->c, "M2", v->span, "not this", "%s", why);
    return why == NULL;
}

static struct use *note_use(struct judge *j, struct map *in, const struct lang_decl *d,
                            const struct lang_value *v, bool commands)
{
    struct use *u = arena_new(&j->arena, sizeof(*u));
    if (!u)
        return NULL;
    *u = (struct use){commands, v->span, d};
    return map_put(in, v->text, u) == ERR_OK ? u : NULL;
}

/* Whether the site listens to B/level for a device that is on B by the convention. */
static bool is_listened(const struct lang_decl *d, struct str level)
{
    return str_eq(level, STR("telemetry")) || str_eq(level, STR("ack")) ||
           lang_decl_member(d->type, LANG_CLAUSE_READABLE, level) ||
           lang_decl_member(d->type, LANG_CLAUSE_SIGNAL, level);
}

/* The device that has the topic by the convention, if it has. */
static const struct use *by_convention(const struct judge *j, struct str topic, bool *commands)
{
    const struct use *u = map_get(&j->places, topic);
    size_t n = topic.n;
    *commands = false;
    while (!u && n && topic.p[n - 1] != '/')
        n--;
    if (u || !n)
        return u;
    struct str level = str_sub(topic, n, topic.n - n);
    u = map_get(&j->places, str_sub(topic, 0, n - 1));
    *commands = str_eq(level, STR("set"));
    return u && (*commands || is_listened(u->device, level)) ? u : NULL;
}

/* False if it was told what is wrong. Things behind one gateway may be commanded on one topic, and
 * a device beside its own convention; but who takes commands by the convention is alone on its
 * topic: another device's commands there would go past its owner. So the registry has it
 * (ingest.c). */
static bool judge_convention(struct judge *j, const struct lang_decl *d, const struct lang_value *v,
                             bool commands)
{
    bool set;
    const struct use *u = by_convention(j, v->text, &set);
    if (!u || (commands == set && (!set || u->device == d)))
        return true;
    struct lang_diag *diag =
        commands == set
            ? lang_report_error(j->c, "M2", v->span, "commanded here",
                                "%.*s and %.*s are both commanded on the topic %.*s",
                                STR_FMT(d->name), STR_FMT(u->device->name), STR_FMT(v->text))
            : lang_report_error(
                  j->c, "M2", v->span, commands ? "commanded here" : "listened to here",
                  "commands go to a topic that is listened to: %.*s", STR_FMT(v->text));
    lang_report_mark(j->c, diag, u->span,
                     set ? "by convention %.*s is commanded below this, on /set"
                         : "by convention %.*s is listened to here and below",
                     STR_FMT(u->device->name));
    lang_report_help(
        j->c, diag,
        "what the convention makes of a device's topic is that device's: another topic "
        "here, or an action of that device");
    return false;
}

/* A device's own messages on a topic that commands it would be refused (O16). */
static void judge_topic(struct judge *j, const struct lang_decl *d,
                        const struct lang_clause_decl *c, const char *arg, bool commands)
{
    const struct lang_value *v = given(c, arg);
    if (!v || !topic_fits(j, v) || !judge_convention(j, d, v, commands))
        return;
    const struct use *first = map_get(&j->topics, v->text);
    if (!first)
        first = note_use(j, &j->topics, d, v, commands);
    if (!first || first->commands == commands)
        return;
    struct lang_diag *diag =
        lang_report_error(j->c, "M2", v->span, commands ? "commanded here" : "listened to here",
                          "commands go to a topic that is listened to: %.*s", STR_FMT(v->text));
    lang_report_mark(j->c, diag, first->span,
                     first->commands ? "commanded here, by %.*s" : "listened to here, by %.*s",
                     STR_FMT(first->device->name));
    lang_report_help(j->c, diag,
                     "nobody but its owner may publish where a device is commanded: its reports "
                     "come on a topic of their own");
}

/* An option that means nothing for the member's type. */
static void judge_option(struct judge *j, const struct lang_clause_decl *c,
                         const struct lang_member *m, const char *arg, bool fits, const char *what)
{
    const struct lang_value *v = given(c, arg);
    if (!v || fits)
        return;
    struct lang_diag *d =
        lang_report_error(j->c, "T1", v->span, "not for this", "`%s` is for %s; `%.*s` is a %.*s",
                          arg, what, STR_FMT(m->name), STR_FMT(lang_type_name(&m->type)));
    lang_report_mark(j->c, d, m->span, "declared here");
}

static void judge_property(struct judge *j, const struct lang_clause_decl *c,
                           const struct lang_member *m)
{
    bool number = m->type.kind == LANG_TYPE_INT || m->type.kind == LANG_TYPE_FLOAT;
    bool yes_no = m->type.kind == LANG_TYPE_BOOL;
    const struct lang_value *scale = given(c, "scale");
    judge_option(j, c, m, "scale", number, "numbers");
    judge_option(j, c, m, "offset", number, "numbers");
    judge_option(j, c, m, "true", yes_no, "booleans");
    judge_option(j, c, m, "false", yes_no, "booleans");
    if (scale && scale->number == 0)
        (void)lang_report_error(j->c, "T1", scale->span, "zero", "everything times 0 is 0");
}

static void judge_clause(struct judge *j, const struct lang_decl *d,
                         const struct lang_clause_decl *c)
{
    const struct lang_member *m = member_of(d, c);
    bool commands = is_word(c, "action");
    judge_path(j, c, "path");
    judge_path(j, c, "time");
    judge_topic(j, d, c, "topic", commands);
    judge_topic(j, d, c, "answer", false);
    if (m && is_word(c, "property"))
        judge_property(j, c, m);
}

/* What comes by convention on a topic is one device's: the registry could not tell whose it is. */
static void judge_place(struct judge *j, const struct lang_decl *d,
                        const struct lang_clause_decl *c)
{
    const struct lang_value *v = given(c, "topic");
    if (!v || !v->text.n)
        return;
    const struct use *first = map_get(&j->places, v->text);
    if (!first) {
        (void)note_use(j, &j->places, d, v, false); /* without memory the registry will tell */
        return;
    }
    struct lang_diag *diag =
        lang_report_error(j->c, "M2", v->span, "also here", "%.*s and %.*s both use the topic %.*s",
                          STR_FMT(first->device->name), STR_FMT(d->name), STR_FMT(v->text));
    lang_report_mark(j->c, diag, first->span, "first used here");
    lang_report_help(j->c, diag,
                     "one device for each topic; the properties of both may stand in one model");
}

static bool is_sound_device(const struct lang_decl *d)
{
    return d->kind->role == LANG_ROLE_RESOURCE && !d->damaged && d->type && !d->type->damaged;
}

/* The clauses of all devices that map a member, or those that say where the convention is. */
static void judge_all(struct judge *j, const struct lang_decl *const *decls, size_t n,
                      bool (*which)(const struct lang_clause_decl *c),
                      void (*judge)(struct judge *j, const struct lang_decl *d,
                                    const struct lang_clause_decl *c))
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; is_sound_device(decls[i]) && k < decls[i]->clauses_n; k++)
            if (which(&decls[i]->clauses[k]))
                judge(j, decls[i], &decls[i]->clauses[k]);
}

void site_mapping_check(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n)
{
    struct judge j = {.c = c};
    arena_init(&j.arena, alloc_system(), (size_t)64 << 20);
    map_init(&j.topics, alloc_system(), 1, (size_t)1 << 20);
    map_init(&j.places, alloc_system(), 1, (size_t)1 << 20);
    judge_all(&j, decls, n, is_convention, judge_place);
    judge_all(&j, decls, n, is_mapping, judge_clause);
    map_fini(&j.places);
    map_fini(&j.topics);
    arena_fini(&j.arena);
}

/* ---- from clauses to a mapping ----------------------------------------------------------------
 */

bool site_mapping_convert(struct str from, struct str to, double *scale, double *offset)
{
    struct lang_unit a, b;
    if (lang_unit_parse(from, &a) || lang_unit_parse(to, &b) || !lang_unit_same_dim(&a, &b))
        return false;
    *scale = a.scale / b.scale;
    *offset = (a.offset - b.offset) / b.scale;
    return true;
}

/* The raw number times scale, plus offset, is in the unit `as`; that becomes the property's. */
static void read_conversion(struct source_def *s, const struct lang_clause_decl *c,
                            const struct lang_member *m)
{
    const struct lang_value *scale = given(c, "scale"), *offset = given(c, "offset");
    const struct lang_value *as = given(c, "unit");
    if (!scale && !offset && !as)
        return;
    s->scale = scale ? scale->number : 1;
    s->offset = offset ? offset->number : 0;
    if (!as)
        return;
    const struct lang_unit *from = &as->type.unit, *to = &m->type.unit;
    s->offset = (s->offset * from->scale + from->offset - to->offset) / to->scale;
    s->scale = s->scale * from->scale / to->scale;
}

static struct source_def read_source(const struct lang_clause_decl *c, const struct lang_member *m)
{
    struct source_def s = {.member = m->index,
                           .event = m->role == LANG_CLAUSE_SIGNAL,
                           .topic = text_of(c, "topic"),
                           .path = text_of(c, "path"),
                           .time = text_of(c, "time"),
                           .no = text_of(c, "false")};
    s.yes = text_of(c, s.event ? "word" : "true");
    read_conversion(&s, c, m);
    return s;
}

static bool read_command(struct command_def *out, const struct lang_clause_decl *c,
                         const struct lang_member *m, struct arena *a)
{
    const struct lang_value *payload = given(c, "payload"), *qos = given(c, "qos");
    size_t n = payload ? payload->pieces_n : 0;
    struct piece_def *pieces = arena_array(a, n ? n : 1, sizeof(*pieces));
    for (size_t i = 0; pieces && i < n; i++) {
        const struct lang_piece *p = &payload->pieces[i];
        pieces[i] = (struct piece_def){.text = p->text,
                                       .param = p->name.n ? (int)p->index : -1,
                                       .scale = p->scale,
                                       .offset = p->offset,
                                       .whole = p->whole,
                                       .json = p->json};
    }
    *out = (struct command_def){.action = m->index,
                                .topic = text_of(c, "topic"),
                                .pieces = pieces,
                                .piece_count = n,
                                .yes = text_of(c, "true"),
                                .no = text_of(c, "false"),
                                .answer = text_of(c, "answer"),
                                .qos = (uint8_t)(qos ? qos->number : 1),
                                .retain = given(c, "retain") != NULL};
    return pieces != NULL;
}

enum err site_mapping_read(struct mapping_def *out, const struct lang_decl *d, struct arena *a)
{
    size_t n = d->clauses_n ? d->clauses_n : 1;
    struct source_def *sources = arena_array(a, n, sizeof(*sources));
    struct command_def *commands = arena_array(a, n, sizeof(*commands));
    struct online_def *online = arena_array(a, n, sizeof(*online));
    *out = (struct mapping_def){.sources = sources, .commands = commands, .online = online};
    if (!sources || !commands || !online)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->clauses_n; i++) {
        const struct lang_clause_decl *c = &d->clauses[i];
        const struct lang_member *m = is_mapping(c) ? member_of(d, c) : NULL;
        if (m && m->role == LANG_CLAUSE_COMMAND) {
            if (!read_command(&commands[out->command_count++], c, m, a))
                return ERR_NOMEM;
        } else if (m) {
            sources[out->source_count++] = read_source(c, m);
        } else if (is_word(c, "online")) {
            online[out->online_count++] = (struct online_def){
                text_of(c, "topic"), text_of(c, "path"), text_of(c, "true"), text_of(c, "false")};
        }
    }
    return ERR_OK;
}
