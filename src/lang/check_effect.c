/* What declarations say for the graph checks: which readables around an action it changes, and
 * what a thing cuts off when it is switched. */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

/* Some type must have it: which thing is meant is looked up where the action is used. */
static bool known_readable(const struct checker *k, const struct lang_decl *d, struct str name)
{
    if (lang_decl_member(d, LANG_CLAUSE_READABLE, name))
        return true;
    for (size_t i = 0; i < k->syntax->decls.n; i++) {
        const struct lang_decl *type = k->syntax->decls.v[i].decl;
        if (type->kind->role == LANG_ROLE_TYPE &&
            lang_decl_member(type, LANG_CLAUSE_READABLE, name))
            return true;
    }
    return false;
}

static void unknown_effect(struct checker *k, struct lang_named n)
{
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < k->syntax->decls.n; i++) {
        const struct lang_decl *type = k->syntax->decls.v[i].decl;
        for (size_t m = 0; type->kind->role == LANG_ROLE_TYPE && m < type->members_n; m++)
            if (type->members[m].role == LANG_CLAUSE_READABLE)
                suggest_offer(&s, type->members[m].name);
    }
    struct lang_diag *d =
        diag_error(k->c, "N1", n.span, "unknown", "nothing has a `%.*s` to read", STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static void check_affects(struct checker *k, const struct lang_decl *d,
                          const struct lang_clause_decl *cl)
{
    for (size_t a = 0; a < cl->clause->args_n; a++) {
        const struct lang_value *v = &cl->values[a];
        if (!(cl->clause->args[a].flags & LANG_ARG_AFFECTS))
            continue;
        for (size_t i = 0; i < v->names_n; i++)
            if (!known_readable(k, d, v->names[i].text))
                unknown_effect(k, v->names[i]);
    }
}

static void check_powers(struct checker *k, const struct lang_decl *d,
                         const struct lang_clause_decl *cl)
{
    for (size_t a = 0; a < cl->clause->args_n; a++)
        for (size_t i = 0; i < cl->values[a].names_n; i++) {
            /* the tree is ours until the site is finished */
            struct lang_named *n = (struct lang_named *)(uintptr_t)&cl->values[a].names[i];
            const struct lang_decl *r = find_path(k, n->text);
            if (r && r->kind->role == LANG_ROLE_RESOURCE && r != d) {
                n->resource = r;
                continue;
            }
            if (r) {
                (void)diag_error(k->c, "T1", n->span, "not another thing",
                                 "%.*s can't power `%.*s`", STR_FMT(d->name), STR_FMT(n->text));
                continue;
            }
            struct suggest s = suggest_for(k->c, n->text);
            for (size_t q = 0; q < k->resources.n; q++)
                suggest_offer(&s, k->resources.v[q]->name);
            struct lang_diag *diag =
                diag_error(k->c, "N1", n->span, "unknown", "there is no `%.*s`", STR_FMT(n->text));
            if (suggest_found(&s))
                diag_help(k->c, diag, "did you mean `%.*s`?", STR_FMT(s.best));
        }
}

void check_effects(struct checker *k)
{
    for (size_t i = 0; i < k->syntax->decls.n; i++) {
        const struct lang_decl *d = k->syntax->decls.v[i].decl;
        for (size_t c = 0; c < d->clauses_n; c++) {
            const struct lang_clause_decl *cl = &d->clauses[c];
            if (cl->clause->role == LANG_CLAUSE_COMMAND)
                check_affects(k, d, cl);
            else if (cl->clause->role == LANG_CLAUSE_POWERS)
                check_powers(k, d, cl);
        }
    }
}
