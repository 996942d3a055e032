/* What of a resource's type is mapped to what, and whether all of it is: M1.
 *
 * A member is mapped by a LINK clause, all by convention or one by one in its block, or by a MAPS
 * clause of its own. */
#include "lang/check_internal.h"

static const struct lang_clause_decl *clause_at(const struct lang_decl *d, size_t i,
                                                enum lang_clause_role role)
{
    return d->clauses[i].clause->role == role ? &d->clauses[i] : NULL;
}

/* The OF of a MAPS clause, and its place in the table. */
static struct lang_value *member_of(const struct lang_clause_decl *cl, const struct lang_arg **arg)
{
    for (size_t a = 0; a < cl->clause->args_n; a++)
        if (cl->clause->args[a].kind == LANG_ARG_OF) {
            *arg = &cl->clause->args[a];
            /* the tree is ours until the site is finished */
            return (struct lang_value *)(uintptr_t)&cl->values[a];
        }
    return NULL;
}

static struct lang_diag *no_such_member(struct checker *k, const struct lang_decl *d,
                                        struct str name, struct lang_span at)
{
    struct suggest s = suggest_for(k->c, name);
    for (size_t q = 0; q < d->type->members_n; q++)
        suggest_offer(&s, d->type->members[q].name);
    struct lang_diag *diag =
        diag_error(k->c, "M1", at, ctx_strf(k->c, "not in the %s", noun(k->c, NOUN_TYPE)).p,
                   "%.*s has no `%.*s` to map", STR_FMT(d->type->name), STR_FMT(name));
    if (suggest_found(&s))
        diag_help(k->c, diag, "did you mean `%.*s`?", STR_FMT(s.best));
    return diag;
}

/* ---- { member = … } ------------------------------------------------------------------------ */

static void check_block(struct checker *k, const struct lang_decl *d, const struct lang_value *v)
{
    for (size_t i = 0; i < v->mappings_n; i++) {
        const struct lang_mapping *m = &v->mappings[i];
        for (size_t q = 0; q < i; q++)
            if (str_eq(v->mappings[q].member, m->member))
                declared_twice(k, m->member, m->span, v->mappings[q].span);
        if (!lang_decl_any_member(d->type, m->member) && !d->type->damaged)
            (void)no_such_member(k, d, m->member, m->span);
    }
}

/* ---- clauses of their own -------------------------------------------------------------------- */

static bool params_fit(struct checker *k, const struct lang_member *m, const struct lang_value *v)
{
    if (v->params_n == m->params_n)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", v->span, "another number of parameters",
                                     "`%.*s` has %zu parameter%s, not %zu", STR_FMT(m->name),
                                     m->params_n, m->params_n == 1 ? "" : "s", v->params_n);
    diag_mark(k->c, d, m->span, "declared here");
    return false;
}

/* A parameter that is sent: which one of the command's. */
static void check_piece(struct checker *k, const struct lang_member *m, const struct lang_value *of,
                        struct lang_piece *piece)
{
    struct suggest s = suggest_for(k->c, piece->name);
    for (uint32_t i = 0; i < of->params_n; i++) {
        suggest_offer(&s, of->params[i].name);
        if (!str_eq(of->params[i].name, piece->name))
            continue;
        piece->index = i;
        enum lang_type_kind kind = m->params[i].type.kind;
        if ((piece->scale != 0 || piece->whole) && kind != LANG_TYPE_INT && kind != LANG_TYPE_FLOAT)
            (void)diag_error(k->c, "T1", piece->span, "no number", "`%.*s` is a %.*s",
                             STR_FMT(piece->name), STR_FMT(lang_type_name(&m->params[i].type)));
        return;
    }
    struct lang_diag *d =
        diag_error(k->c, "N1", piece->span, "unknown", "`%.*s` has no parameter `%.*s` here",
                   STR_FMT(m->name), STR_FMT(piece->name));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d, "braces of the text itself are written \\{ and \\}");
}

static void check_templates(struct checker *k, const struct lang_clause_decl *cl,
                            const struct lang_member *m, const struct lang_value *of)
{
    for (size_t a = 0; a < cl->clause->args_n; a++)
        for (size_t i = 0; i < cl->values[a].pieces_n; i++)
            if (cl->values[a].pieces[i].name.n)
                check_piece(k, m, of, (struct lang_piece *)(uintptr_t)&cl->values[a].pieces[i]);
}

/* A unit that a reading comes in: of the same dimension as what it becomes. */
static void check_unit_of(struct checker *k, const struct lang_clause_decl *cl,
                          const struct lang_member *m)
{
    for (size_t a = 0; a < cl->clause->args_n; a++) {
        const struct lang_value *v = &cl->values[a];
        if (v->kind != LANG_ARG_TYPE)
            continue;
        if (m->type.kind == LANG_TYPE_FLOAT && v->type.kind == LANG_TYPE_FLOAT &&
            units_match(&m->type.unit, &v->type.unit))
            continue;
        struct lang_diag *d = diag_error(
            k->c, "U1", v->span, "another dimension", "`%.*s` is in %.*s, which %.*s can't become",
            STR_FMT(m->name), STR_FMT(lang_type_name(&m->type)), STR_FMT(lang_type_name(&v->type)));
        diag_mark(k->c, d, m->span, "declared here");
    }
}

/* Without it nobody could ever say that the command was obeyed. */
static void check_confirmed(struct checker *k, const struct lang_clause_decl *cl,
                            const struct lang_member *m, const struct lang_value *of)
{
    const struct lang_arg *answer = NULL;
    for (size_t a = 0; a < cl->clause->args_n; a++)
        if (cl->clause->args[a].flags & LANG_ARG_ANSWERS) {
            if (cl->values[a].kind != LANG_ARG_NONE)
                return;
            answer = &cl->clause->args[a];
        }
    if (!answer || m->confirms)
        return;
    struct lang_diag *d = diag_error(k->c, "M1", of->span, "nothing confirms it",
                                     "nothing would tell that %s `%.*s` was obeyed",
                                     m->clause->clause->word, STR_FMT(m->name));
    diag_mark(k->c, d, m->span, "declared here, without a condition that confirms it");
    diag_help(k->c, d, "let the %s say which %s confirms it:  %s;  or say here:  %s \"…\"",
              noun(k->c, NOUN_TYPE), noun(k->c, NOUN_READABLE), m->clause->clause->example,
              answer->lead);
}

static void mapped_twice(struct checker *k, const struct lang_decl *d, size_t clause,
                         const struct lang_value *of)
{
    for (size_t i = 0; i < clause; i++) {
        const struct lang_clause_decl *before = clause_at(d, i, LANG_CLAUSE_MAPS);
        const struct lang_arg *arg;
        const struct lang_value *v = before ? member_of(before, &arg) : NULL;
        if (v && arg->of == LANG_CLAUSE_COMMAND && str_eq(v->text, of->text)) {
            declared_twice(k, of->text, of->span, v->span);
            return;
        }
    }
}

static void check_clause(struct checker *k, const struct lang_decl *d, size_t i)
{
    const struct lang_clause_decl *cl = clause_at(d, i, LANG_CLAUSE_MAPS);
    const struct lang_arg *arg;
    struct lang_value *of = cl ? member_of(cl, &arg) : NULL;
    if (!of)
        return;
    const struct lang_member *m = lang_decl_member(d->type, arg->of, of->text);
    if (!m) {
        if (!d->type->damaged)
            (void)no_such_member(k, d, of->text, of->span);
        return;
    }
    of->index = m->index;
    check_unit_of(k, cl, m);
    if (arg->of != LANG_CLAUSE_COMMAND)
        return;
    mapped_twice(k, d, i, of);
    check_confirmed(k, cl, m, of);
    if (params_fit(k, m, of))
        check_templates(k, cl, m, of);
}

/* ---- whether all is mapped --------------------------------------------------------------------
 */

static bool in_block(const struct lang_value *v, struct str member)
{
    for (size_t i = 0; i < v->mappings_n; i++)
        if (str_eq(v->mappings[i].member, member))
            return true;
    return false;
}

static bool link_maps(const struct lang_clause_decl *cl, struct str member)
{
    for (size_t a = 0; a < cl->clause->args_n; a++) {
        const struct lang_value *v = &cl->values[a];
        if (v->kind != LANG_ARG_NONE && (cl->clause->args[a].flags & LANG_ARG_MAPS_ALL))
            return true;
        if (in_block(v, member))
            return true;
    }
    return false;
}

static bool is_mapped(const struct lang_decl *d, const struct lang_member *m)
{
    for (size_t i = 0; i < d->clauses_n; i++) {
        const struct lang_clause_decl *link = clause_at(d, i, LANG_CLAUSE_LINK);
        const struct lang_clause_decl *own = clause_at(d, i, LANG_CLAUSE_MAPS);
        const struct lang_arg *arg;
        const struct lang_value *of = own ? member_of(own, &arg) : NULL;
        if (link && link_maps(link, m->name))
            return true;
        if (of && arg->of == m->role && str_eq(of->text, m->name))
            return true;
    }
    return false;
}

static bool has_role(const struct lang_decl *d, enum lang_clause_role role)
{
    for (size_t i = 0; i < d->clauses_n; i++)
        if (d->clauses[i].clause->role == role)
            return true;
    return false;
}

/* How a clause of this kind would map it. */
static const char *example_for(const struct lang_decl *d, const struct lang_member *m)
{
    for (size_t i = 0; i < d->kind->clauses_n; i++) {
        const struct lang_clause *c = &d->kind->clauses[i];
        for (size_t a = 0; c->role == LANG_CLAUSE_MAPS && a < c->args_n; a++)
            if (c->args[a].kind == LANG_ARG_OF && c->args[a].of == m->role)
                return c->example;
    }
    return NULL;
}

static void not_mapped(struct checker *k, const struct lang_decl *d, const struct lang_member *m)
{
    bool linked = has_role(d, LANG_CLAUSE_LINK), own = has_role(d, LANG_CLAUSE_MAPS);
    const char *example = example_for(d, m);
    struct lang_diag *diag = diag_error(
        k->c, "M1", d->name_span, linked || own ? "not mapped here" : "not linked to anything",
        "the %s `%.*s` of %.*s is not mapped", m->clause->clause->word, STR_FMT(m->name),
        STR_FMT(d->name));
    diag_mark(k->c, diag, m->span, d->type->safe == m ? "the safe %s" : "declared here",
              m->clause->clause->word);
    for (size_t i = 0; !linked && !own && i < d->kind->clauses_n; i++)
        if (d->kind->clauses[i].role == LANG_CLAUSE_LINK) {
            diag_help(k->c, diag, "say how it is reached:  %s%s%s", d->kind->clauses[i].example,
                      example ? ";  or map it:  " : "", example ? example : "");
            return;
        }
    if (linked && !own)
        diag_help(k->c, diag, "say what it %s:  { %.*s = … }",
                  m->role == LANG_CLAUSE_COMMAND ? "does" : "is", STR_FMT(m->name));
    else if (example)
        diag_help(k->c, diag, "as in:  %s", example);
}

/* Whether resources of this kind can say how they are reached. */
static bool can_map(const struct lang_kind *kind)
{
    for (size_t i = 0; i < kind->clauses_n; i++)
        if (kind->clauses[i].role == LANG_CLAUSE_LINK || kind->clauses[i].role == LANG_CLAUSE_MAPS)
            return true;
    return false;
}

void check_mappings(struct checker *k, const struct lang_decl *d)
{
    if (!d->type || d->damaged)
        return;
    for (size_t i = 0; i < d->clauses_n; i++) {
        for (size_t a = 0; a < d->clauses[i].clause->args_n; a++)
            check_block(k, d, &d->clauses[i].values[a]);
        check_clause(k, d, i);
    }
    bool reached = has_role(d, LANG_CLAUSE_LINK) || has_role(d, LANG_CLAUSE_MAPS);
    for (size_t i = 0; i < d->type->members_n; i++) {
        const struct lang_member *m = &d->type->members[i];
        bool wanted =
            m->role == LANG_CLAUSE_COMMAND || (m->role == LANG_CLAUSE_READABLE && can_map(d->kind));
        if (!wanted || is_mapped(d, m))
            continue;
        not_mapped(k, d, m);
        if (!reached)
            return; /* that says it all */
    }
}
