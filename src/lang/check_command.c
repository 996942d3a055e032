/* Commands, and handles as arguments. */
#include "lang/check_internal.h"

#include <stdio.h>

/* "on(), off(), set()", the first few. */
static struct str commands_of(struct lang_ctx *c, const struct lang_decl *type)
{
    enum { FEW = 8 };
    struct str list = STR("");
    size_t n = 0;
    for (size_t i = 0; i < type->members_n && n <= FEW; i++) {
        if (type->members[i].role != LANG_CLAUSE_COMMAND)
            continue;
        struct str name = n < FEW ? type->members[i].name : STR("…");
        list = ctx_strf(c, "%.*s%s%.*s%s", STR_FMT(list), n ? ", " : "", STR_FMT(name),
                        n < FEW ? "()" : "");
        n++;
    }
    return list;
}

static void unknown_command(struct checker *k, const struct lang_decl *type, struct name n)
{
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < type->members_n; i++)
        if (type->members[i].role == LANG_CLAUSE_COMMAND)
            suggest_offer(&s, type->members[i].name);
    const struct lang_member *m = lang_decl_any_member(type, n.text);
    struct lang_diag *d = diag_error(k->c, "N1", n.span, m ? not_a(k->c, NOUN_COMMAND) : "unknown",
                                     "%.*s has no %s `%.*s`", STR_FMT(type->name),
                                     noun(k->c, NOUN_COMMAND), STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else if (type->commands_n == 0)
        diag_help(k->c, d, "%.*s has no %s at all", STR_FMT(type->name),
                  noun_many(k->c, NOUN_COMMAND));
    else
        diag_help(k->c, d, "it has %.*s", STR_FMT(commands_of(k->c, type)));
}

/* e is a command of `type`, through whatever e->index or e->handle names. */
static bool command_fits(struct checker *k, struct expr *e, const struct lang_decl *type,
                         struct name name)
{
    const struct lang_member *m = lang_decl_member(type, LANG_CLAUSE_COMMAND, name.text);
    if (!m) {
        look_at_list(k, e);
        if (!type->damaged)
            unknown_command(k, type, name);
        return false;
    }
    e->ref = REF_COMMAND;
    e->member = m;
    if (!may_act(k, e->span, "a command")) {
        look_at_list(k, e);
        return false;
    }
    struct str called =
        ctx_text(k->c, e->kind == E_CALL ? span_join(e->path[0].span, name.span) : name.span);
    return args_fit(k, e, called, m->params, NULL, m->params_n, m->span);
}

/* ---- commands through names --------------------------------------------------------------- */

/* A command on something that is no device: a reading of one, a value. */
static bool not_a_device(struct checker *k, struct expr *e, const struct sym *s)
{
    struct name last = e->path[e->path_n - 1];
    const struct lang_decl *read =
        s->kind == SYM_READ ? k->prog->bindings.v[s->index].resource : NULL;
    if (read && read->type && lang_decl_member(read->type, LANG_CLAUSE_COMMAND, last.text)) {
        own_refuse(k, read, e->span, "only read here: nobody commands through a `read`");
        return false;
    }
    (void)diag_error(k->c, "T1", e->path[0].span,
                     ctx_strf(k->c, "no %s", noun(k->c, NOUN_RESOURCE)).p,
                     "`%.*s` is %.*s and has no %s", STR_FMT(s->name),
                     STR_FMT(type_phrase(k, &s->type)), noun_many(k->c, NOUN_COMMAND));
    return false;
}

static bool one_device(struct checker *k, struct expr *e, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    if (t->used < e->path_n - 1) {
        (void)diag_error(k->c, "N1", e->path[t->used].span, "unknown", "%.*s has no `%.*s`",
                         STR_FMT(r->name), STR_FMT(e->path[t->used].text));
        return false;
    }
    if (r->kind->role != LANG_ROLE_RESOURCE) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->span, "not one thing", "%.*s is a %s and has no %s",
                       STR_FMT(r->name), r->kind->word, noun_many(k->c, NOUN_COMMAND));
        diag_help(k->c, d, "walk through it:  for x in %.*s { … }", STR_FMT(r->name));
        return false;
    }
    return r->type && !r->type->damaged;
}

bool check_command(struct checker *k, struct expr *e, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    if (!r || !one_device(k, e, t)) {
        look_at_list(k, e);
        return r ? false : not_a_device(k, e, t->sym);
    }
    struct name last = e->path[e->path_n - 1];
    const struct lang_member *m = lang_decl_member(r->type, LANG_CLAUSE_COMMAND, last.text);
    const struct lang_member *event = lang_decl_member(r->type, LANG_CLAUSE_SIGNAL, last.text);
    bool owned = t->sym && t->direct && t->sym->kind == SYM_OWN;
    if (!m && event) {
        struct lang_diag *d = diag_error(k->c, "T1", last.span, noun_a(k->c, NOUN_SIGNAL),
                                         "`%.*s` happens: it is not called", STR_FMT(event->name));
        diag_help(k->c, d, "wait for it:  on %.*s.%.*s { … }   or in an arm of `select`",
                  STR_FMT(r->name), STR_FMT(event->name));
        look_at_list(k, e);
        return false;
    }
    if (m && !owned) {
        bool reading = t->sym && t->direct && t->sym->kind == SYM_READ_ALL;
        own_refuse(k, r, e->span, reading ? "only read here" : "not owned here");
        look_at_list(k, e);
        return false;
    }
    if (owned && k->frame->kind == FRAME_LAMBDA) {
        own_captured(k, e, t->sym->span);
        look_at_list(k, e);
        return false;
    }
    e->index = owned ? t->sym->index : 0;
    e->resource = r;
    return command_fits(k, e, r->type, last);
}

bool check_command_through(struct checker *k, struct expr *e, struct name command)
{
    return command_fits(k, e, e->handle->type.model, command);
}

/* ---- handles as arguments ----------------------------------------------------------------- */

bool check_handle(struct checker *k, struct expr *e, const struct lang_type *want, const char *what,
                  struct lang_span declared)
{
    check_expr(k, e);
    if (e->bad)
        return false;
    struct lang_diag *d;
    if (!is_device(e)) {
        d = diag_error(k->c, "T1", e->span, ctx_strf(k->c, "no %s", noun(k->c, NOUN_RESOURCE)).p,
                       "%s is a %.*s that is held here, this is %.*s", what,
                       STR_FMT(want->model->name),
                       STR_FMT(e->ref == REF_GROUP ? STR("several") : type_phrase(k, &e->type)));
        if (declared.to > 0)
            diag_mark(k->c, d, declared, "declared here");
        return false;
    }
    if (e->type.model == want->model)
        return true;
    d = diag_error(k->c, "T1", e->span, "another model", "%s is %.*s, this is %.*s", what,
                   STR_FMT(type_phrase(k, want)), STR_FMT(type_phrase(k, &e->type)));
    if (declared.to > 0)
        diag_mark(k->c, d, declared, "declared here");
    return false;
}
