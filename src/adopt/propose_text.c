/* propose_text: the draft as declarations. */
#include "adopt/adopt_internal.h"
#include "adopt/declare.h"

#include <string.h>

enum { CLAUSES_MAX = DRAFT_POINTS_MAX * DRAFT_SOURCES_MAX + DRAFT_COMMANDS_MAX + 8 };

/* --- the model --- */

struct model_parts {
    struct declare_property properties[DRAFT_POINTS_MAX];
    struct declare_action actions[DRAFT_COMMANDS_MAX];
    struct declare_param params[DRAFT_COMMANDS_MAX];
    struct declare_model model;
};

static void add_property(struct model_parts *m, const struct point *p)
{
    m->properties[m->model.property_count++] = (struct declare_property){.name = p->name,
                                                                         .type = point_type(p),
                                                                         .has_range = p->has_range,
                                                                         .min = p->min,
                                                                         .max = p->max,
                                                                         .comment = p->comment};
}

static void add_action(struct model_parts *m, const struct command *c)
{
    size_t i = m->model.action_count++;
    m->params[i] = (struct declare_param){c->param, c->param_type};
    m->actions[i] = (struct declare_action){.name = c->name,
                                            .params = &m->params[i],
                                            .param_count = c->param.n > 0,
                                            .confirms = c->confirms};
    if (c->safe && !m->model.safe.n)
        m->model.safe = c->name;
}

static struct str kept(struct draft *d, struct strbuf *b)
{
    struct str s = arena_str(d->arena, strbuf_str(b));
    d->arena->failed |= b->failed;
    strbuf_fini(b);
    return s;
}

struct str model_text(struct draft *d, struct str name, const struct lang_decl *there)
{
    struct strbuf b;
    struct model_parts *m = arena_new(d->arena, sizeof(*m));
    if (!m)
        return STR("");
    m->model =
        (struct declare_model){.name = name, .properties = m->properties, .actions = m->actions};
    for (size_t i = 0; i < d->point_n; i++)
        if (!there || !lang_decl_member(there, LANG_CLAUSE_READABLE, d->points[i].name))
            add_property(m, &d->points[i]);
    for (size_t i = 0; i < d->command_n; i++)
        if (!there || !lang_decl_member(there, LANG_CLAUSE_COMMAND, d->commands[i].name))
            add_action(m, &d->commands[i]);
    strbuf_init(&b, d->arena->alloc, 0);
    if (!there)
        declare_model(&b, &m->model);
    else
        declare_members(&b, &m->model);
    return kept(d, &b);
}

/* --- the device --- */

static struct str quoted(struct draft *d, struct str text)
{
    struct strbuf b;
    strbuf_init(&b, d->arena->alloc, 0);
    declare_text(&b, text);
    return kept(d, &b);
}

static struct str options_of(struct draft *d, const struct point *p)
{
    struct strbuf b;
    strbuf_init(&b, d->arena->alloc, 0);
    if (p->scale != 0) {
        strbuf_addf(&b, " scale %.10g", p->scale);
    }
    if (p->yes.n || p->no.n) {
        strbuf_adds(&b, " true ");
        declare_text(&b, p->yes);
        strbuf_adds(&b, " false ");
        declare_text(&b, p->no);
    }
    return kept(d, &b);
}

static void map_point(struct draft *d, struct declare_clause *out, size_t *n, const struct point *p)
{
    struct str options = options_of(d, p);
    for (size_t i = 0; !p->by_convention && i < p->source_n && *n < CLAUSES_MAX; i++) {
        struct str path = p->sources[i].path, topic = quoted(d, p->sources[i].topic);
        struct str from = path.n ? quoted(d, path) : STR("");
        out[(*n)++] = (struct declare_clause){
            .head = arena_strf(d->arena, "property %.*s", STR_FMT(p->name)),
            .tail = arena_strf(d->arena, "= %.*s%son %.*s%.*s", STR_FMT(from), path.n ? " " : "",
                               STR_FMT(topic), STR_FMT(options)),
            .column = 1};
    }
}

static void map_command(struct draft *d, struct declare_clause *out, size_t *n,
                        const struct command *c)
{
    struct str answer = c->answer.n ? quoted(d, c->answer) : STR("");
    if (*n == CLAUSES_MAX)
        return;
    out[(*n)++] = (struct declare_clause){
        .head = arena_strf(d->arena, "action %.*s(%.*s)", STR_FMT(c->name), STR_FMT(c->param)),
        .tail = arena_strf(d->arena, "publish %.*s %.*s%s%.*s", STR_FMT(quoted(d, c->topic)),
                           STR_FMT(c->payload), answer.n ? " answer " : "", STR_FMT(answer)),
        .column = 2};
}

static size_t clauses_of(struct draft *d, struct declare_clause *out)
{
    size_t n = 0;
    if (d->id.n)
        out[n++] = (struct declare_clause){.head = STR("id"), .tail = quoted(d, d->id)};
    if (d->via.n)
        out[n++] = (struct declare_clause){
            .head = STR("via mqtt"),
            .tail = arena_strf(d->arena, "%.*s json", STR_FMT(quoted(d, d->via)))};
    for (size_t i = 0; i < d->point_n; i++)
        map_point(d, out, &n, &d->points[i]);
    for (size_t i = 0; i < d->command_n; i++)
        map_command(d, out, &n, &d->commands[i]);
    if (d->online_topic.n && n < CLAUSES_MAX)
        out[n++] =
            (struct declare_clause){.head = STR("online on"), .tail = quoted(d, d->online_topic)};
    return n;
}

struct str device_text(struct draft *d, struct str name, struct str model,
                       const struct lang_decl *there)
{
    struct strbuf b;
    struct declare_clause *clauses = arena_array(d->arena, CLAUSES_MAX, sizeof(*clauses));
    if (!clauses)
        return STR("");
    size_t n = clauses_of(d, clauses);
    const struct declare_device device = {
        .name = name, .model = model, .comment = d->comment, .clauses = clauses, .clause_count = n};
    strbuf_init(&b, d->arena->alloc, 0);
    if (there)
        declare_clauses(&b, clauses, n, 2);
    else
        declare_device(&b, &device);
    return kept(d, &b);
}
