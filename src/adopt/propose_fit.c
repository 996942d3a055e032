/* propose_fit: what a draft and what is declared already have in common. */
#include "adopt/adopt_internal.h"

#include <string.h>

struct str point_type(const struct point *p)
{
    switch (p->kind) {
    case POINT_BOOL: return STR("bool");
    case POINT_INT: return STR("int");
    case POINT_STR: return STR("str");
    case POINT_FLOAT: break;
    }
    return p->unit.n ? p->unit : STR("float");
}

/* --- what stands in the source --- */

static struct str source_of(const struct lang_site *site, const struct lang_decl *d)
{
    return str_sub(site->sources[d->span.source].text, d->span.from, d->span.to - d->span.from);
}

/* Whether what stands before `at` is the word `id`: an identity is no topic. */
static bool behind_id(struct str s, size_t at)
{
    while (at > 0 && (s.p[at - 1] == ' ' || s.p[at - 1] == '\t'))
        at--;
    return at >= 2 && s.p[at - 1] == 'd' && s.p[at - 2] == 'i' &&
           (at == 2 || strchr(" \t\n;{", s.p[at - 3]));
}

/* The next text in quotes, as written, and what is behind it. Comments are passed over, and so are
 * identities. */
static bool next_text(struct str *rest, struct str *text)
{
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '/' && i + 1 < rest->n && rest->p[i + 1] == '/') {
            while (i < rest->n && rest->p[i] != '\n')
                i++;
            continue;
        }
        if (rest->p[i] != '"')
            continue;
        size_t end = i + 1;
        while (end < rest->n && rest->p[end] != '"' && rest->p[end] != '\n')
            end += rest->p[end] == '\\' ? 2 : 1;
        if (end > rest->n)
            end = rest->n;
        bool identity = behind_id(*rest, i);
        *text = str_sub(*rest, i + 1, end - i - 1);
        if (!identity) {
            *rest = str_sub(*rest, end + 1, rest->n);
            return true;
        }
        i = end;
    }
    return false;
}

bool source_names(const struct lang_site *site, const struct lang_decl *decl, struct str text)
{
    struct str rest = source_of(site, decl), s;
    while (next_text(&rest, &s))
        if (str_eq(s, text))
            return true;
    return false;
}

/* --- devices --- */

static bool nothing_else(void *ctx, struct str topic)
{
    (void)ctx;
    (void)topic;
    return false;
}

/* A topic in its body is of the thing; of plain ones the convention's own, or a value beside. */
static bool is_of_thing(struct str text, const struct adopt_thing *of)
{
    const struct adopt_topics none = {nothing_else, NULL};
    bool plain = of->shape == SHAPE_JSON || of->shape == SHAPE_VALUE;
    if (plain)
        return str_eq(text, of->base);
    struct adopt_thing t = adopt_thing_of(text, PAYLOAD_JSON, &none);
    return adopt_same_thing(&t, of) || (str_eq(text, of->base) && of->shape != SHAPE_TASMOTA);
}

const struct lang_decl *declared_thing(const struct lang_site *site, const struct adopt_thing *of)
{
    for (size_t i = 0; i < site->resources_n; i++) {
        struct str rest = source_of(site, site->resources[i]), text;
        while (next_text(&rest, &text))
            if (is_of_thing(text, of))
                return site->resources[i];
    }
    return NULL;
}

size_t devices_of_model(const struct lang_site *site, const struct lang_decl *model)
{
    size_t n = 0;
    for (size_t i = 0; i < site->resources_n; i++)
        n += site->resources[i]->type == model;
    return n;
}

/* --- models --- */

static bool type_fits(const struct lang_type *t, const struct point *p)
{
    switch (p->kind) {
    case POINT_BOOL: return t->kind == LANG_TYPE_BOOL;
    case POINT_STR: return t->kind == LANG_TYPE_STR;
    case POINT_INT: return t->kind == LANG_TYPE_INT;
    case POINT_FLOAT: break;
    }
    return t->kind == LANG_TYPE_FLOAT && str_eq(t->unit.symbol, p->unit);
}

static bool range_fits(const struct lang_member *m, const struct point *p)
{
    const struct lang_value *range = lang_clause_value(m->clause, "range");
    return range->kind != LANG_ARG_RANGE || !p->seen ||
           (p->seen_min >= range->lo && p->seen_max <= range->hi);
}

static const struct lang_member *readable(const struct lang_decl *model, const struct point *p)
{
    const struct lang_member *m = lang_decl_member(model, LANG_CLAUSE_READABLE, p->name);
    return m && type_fits(&m->type, p) && range_fits(m, p) ? m : NULL;
}

static const struct lang_member *command_of(const struct lang_decl *model, const struct command *c)
{
    const struct lang_member *m = lang_decl_member(model, LANG_CLAUSE_COMMAND, c->name);
    return m && m->params_n == (c->param.n > 0) &&
                   (!m->params_n || str_eq(m->params[0].name, c->param)) &&
                   (m->confirms || c->answer.n)
               ? m
               : NULL;
}

static bool has_just_these(const struct draft *d, const struct lang_decl *model)
{
    if (model->readables_n != d->point_n || model->commands_n != d->command_n ||
        model->signals_n > 0)
        return false;
    for (size_t i = 0; i < d->point_n; i++)
        if (!readable(model, &d->points[i]))
            return false;
    for (size_t i = 0; i < d->command_n; i++)
        if (!command_of(model, &d->commands[i]))
            return false;
    return true;
}

const struct lang_decl *fitting_model(const struct draft *d, const struct lang_site *site)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (site->decls[i]->kind->role == LANG_ROLE_TYPE && has_just_these(d, site->decls[i]))
            return site->decls[i];
    return NULL;
}

static void drop_point(struct draft *d, size_t i)
{
    memmove(&d->points[i], &d->points[i + 1], (d->point_n - i - 1) * sizeof(d->points[0]));
    d->point_n--;
}

static void drop_command(struct draft *d, size_t i)
{
    memmove(&d->commands[i], &d->commands[i + 1], (d->command_n - i - 1) * sizeof(d->commands[0]));
    d->command_n--;
}

/* What the model has and nothing tells. The convention maps what is left unsaid. */
static enum err all_mapped(struct draft *d, const struct lang_decl *model, struct error *e)
{
    for (size_t i = 0; i < model->members_n; i++) {
        const struct lang_member *m = &model->members[i];
        bool there = m->role == LANG_CLAUSE_SIGNAL;
        for (size_t k = 0; m->role == LANG_CLAUSE_READABLE && k < d->point_n; k++)
            there |= str_eq(d->points[k].name, m->name);
        for (size_t k = 0; m->role == LANG_CLAUSE_COMMAND && k < d->command_n; k++)
            there |= str_eq(d->commands[k].name, m->name);
        if (!there && !d->via.n)
            return error_set(e, ERR_INVALID, "the model %.*s has %.*s%s, which nothing here %s",
                             STR_FMT(model->name), STR_FMT(m->name),
                             m->role == LANG_CLAUSE_COMMAND ? "()" : "",
                             m->role == LANG_CLAUSE_COMMAND ? "does" : "tells");
        if (!there)
            draft_warn(d, "%.*s of the model %.*s was not heard of", STR_FMT(m->name),
                       STR_FMT(model->name));
    }
    return ERR_OK;
}

enum err fit_to_model(struct draft *d, const struct lang_decl *model, struct error *e)
{
    for (size_t i = d->point_n; i-- > 0;) {
        struct point *p = &d->points[i];
        if (readable(model, p))
            continue;
        const struct lang_member *m = lang_decl_member(model, LANG_CLAUSE_READABLE, p->name);
        if (m)
            return error_set(e, ERR_INVALID,
                             "%.*s of the model %.*s is another quantity, or of another range, "
                             "than what is heard (%.*s)",
                             STR_FMT(p->name), STR_FMT(model->name), STR_FMT(point_type(p)));
        draft_leave(d, p->sources[0].topic, p->sources[0].path, "the model has no such property");
        drop_point(d, i);
    }
    for (size_t i = d->command_n; i-- > 0;)
        if (!command_of(model, &d->commands[i]))
            drop_command(d, i);
    return all_mapped(d, model, e);
}

/* --- more of a device that is there --- */

static bool has_clause(const struct lang_decl *device, const char *word)
{
    for (size_t i = 0; i < device->clauses_n; i++)
        if (strcmp(device->clauses[i].clause->word, word) == 0)
            return true;
    return false;
}

/* A source that its body names, with its path or as a bare value. */
static bool is_mapped(const struct lang_site *site, const struct lang_decl *device,
                      const struct point *p)
{
    for (size_t i = 0; i < p->source_n; i++) {
        bool path = !p->sources[i].path.n || source_names(site, device, p->sources[i].path);
        if (path && source_names(site, device, p->sources[i].topic))
            return true;
    }
    return false;
}

/* A command that the device sends by a clause of its own. */
static bool maps_command(const struct lang_decl *device, struct str name)
{
    for (size_t i = 0; i < device->clauses_n; i++) {
        const struct lang_clause_decl *c = &device->clauses[i];
        if (strcmp(c->clause->word, "action") == 0 && str_eq(c->values[0].text, name))
            return true;
    }
    return false;
}

/* Leaves what can be added to the model: its commands have been decided if it has any, and others
 * of the model would have to do them, too. */
static void subtract_commands(struct draft *d, const struct lang_site *site,
                              const struct lang_decl *model)
{
    if (model->commands_n || devices_of_model(site, model) > 1)
        d->command_n = 0;
    for (size_t i = d->command_n; i-- > 0;) {
        struct str confirms = d->commands[i].confirms, property = confirms;
        if (str_starts(confirms, STR("not ")))
            property = str_sub(confirms, 4, confirms.n);
        size_t blank;
        if (str_find(property, ' ', &blank))
            property.n = blank;
        if (confirms.n && !draft_find(d, property))
            drop_command(d, i);
    }
}

/* The device gets a thing that it has not been so far. What the model can do is done by that one
 * from now on, or the commands would go on to where nobody listens. */
static void redirect_commands(struct draft *d, const struct lang_site *site,
                              const struct lang_decl *device)
{
    if (!device->type->commands_n) {
        subtract_commands(d, site, device->type);
        return;
    }
    for (size_t i = d->command_n; i-- > 0;)
        if (!command_of(device->type, &d->commands[i]) || maps_command(device, d->commands[i].name))
            drop_command(d, i);
}

static bool all_told_anew(const struct draft *d, const struct lang_decl *model)
{
    for (size_t i = 0; i < model->members_n; i++) {
        const struct lang_member *m = &model->members[i];
        bool told = false;
        for (size_t k = 0; m->role == LANG_CLAUSE_READABLE && k < d->point_n; k++)
            told |= str_eq(d->points[k].name, m->name);
        for (size_t k = 0; m->role == LANG_CLAUSE_COMMAND && k < d->command_n; k++)
            told |= str_eq(d->commands[k].name, m->name);
        if (!told)
            return false;
    }
    return true;
}

/* A device of `sedge init` whose place a bought one takes: its own topic has become idle. */
static void warn_of_convention(struct draft *d, const struct lang_decl *device)
{
    for (size_t i = 0; i < device->clauses_n && all_told_anew(d, device->type); i++) {
        const struct lang_clause_decl *c = &device->clauses[i];
        if (strcmp(c->clause->word, "via") == 0 && c->clause->second &&
            strcmp(c->clause->second, "mqtt") == 0)
            draft_warn(d,
                       "%.*s is still heard on \"%.*s\", too: if nothing speaks there, take "
                       "`via mqtt` out of its declaration",
                       STR_FMT(device->name), STR_FMT(c->values[0].text));
    }
}

void subtract_device(struct draft *d, const struct lang_site *site, const struct lang_decl *device,
                     bool same_thing)
{
    const struct lang_decl *model = device->type;
    bool convention = d->via.n && source_names(site, device, d->via);
    for (size_t i = d->point_n; i-- > 0;) {
        struct point *p = &d->points[i];
        bool there = lang_decl_member(model, LANG_CLAUSE_READABLE, p->name) != NULL;
        p->by_convention = p->by_convention && convention;
        if (is_mapped(site, device, p) || (there && p->by_convention))
            drop_point(d, i);
    }
    d->via = STR("");
    d->id = STR("");
    if (same_thing) {
        subtract_commands(d, site, model);
    } else {
        redirect_commands(d, site, device);
        warn_of_convention(d, device);
    }
    if (has_clause(device, "online"))
        d->online_topic = STR("");
}
