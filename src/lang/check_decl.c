/* Declarations: names, members, types of resources, lists. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

const struct lang_decl *find_path(const struct checker *k, struct str name)
{
    return map_get(&k->paths, name);
}

const struct lang_decl *find_type(const struct checker *k, struct str name)
{
    return map_get(&k->types, name);
}

void declared_twice(struct checker *k, struct str name, struct lang_span again,
                    struct lang_span first)
{
    struct lang_diag *d =
        diag_error(k->c, "N2", again, "a second time", "`%.*s` is declared twice", STR_FMT(name));
    diag_mark(k->c, d, first, "the first one");
    diag_help(k->c, d, "give one of them another name");
}

/* ---- members of a type ------------------------------------------------------------------- */

static const struct lang_value *value_of_kind(const struct lang_clause_decl *c,
                                              enum lang_arg_kind kind)
{
    for (size_t i = 0; i < c->clause->args_n; i++)
        if (c->values[i].kind == kind)
            return &c->values[i];
    return NULL;
}

static bool is_member(enum lang_clause_role role)
{
    return role == LANG_CLAUSE_READABLE || role == LANG_CLAUSE_COMMAND ||
           role == LANG_CLAUSE_SIGNAL;
}

static const char *role_noun(struct checker *k, enum lang_clause_role role)
{
    return noun_a(k->c, role == LANG_CLAUSE_READABLE  ? NOUN_READABLE
                        : role == LANG_CLAUSE_COMMAND ? NOUN_COMMAND
                                                      : NOUN_SIGNAL);
}

/* What is read and what happens come from the resource under their names alone (for MQTT: B/name),
 * so these two share theirs. A command goes the other way. */
static void said_both(struct checker *k, const struct lang_member *m,
                      const struct lang_member *first)
{
    const char *one = role_noun(k, first->role), *other = role_noun(k, m->role);
    struct lang_diag *d =
        diag_error(k->c, "N2", m->span, other, "`%.*s` is %s and %s", STR_FMT(m->name), one, other);
    diag_mark(k->c, d, first->span, "%s", one);
    diag_help(k->c, d, "a %s sends both under this name: give one of them another name",
              noun(k->c, NOUN_RESOURCE));
}

/* Whether one of the `n` members before has the name of `m`; told. */
static bool member_taken(struct checker *k, const struct lang_member *list, size_t n,
                         const struct lang_member *m)
{
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(list[i].name, m->name))
            continue;
        if (list[i].role == m->role)
            declared_twice(k, m->name, m->span, list[i].span);
        else if (list[i].role != LANG_CLAUSE_COMMAND && m->role != LANG_CLAUSE_COMMAND)
            said_both(k, m, &list[i]);
        else
            continue;
        return true;
    }
    return false;
}

static void add_members(struct checker *k, struct lang_decl *d)
{
    struct lang_member *list = ctx_array(k->c, d->clauses_n, sizeof(*list));
    size_t n = 0;
    for (size_t i = 0; i < d->clauses_n; i++) {
        const struct lang_clause_decl *cl = &d->clauses[i];
        const struct lang_value *name = value_of_kind(cl, LANG_ARG_NAME);
        if (!is_member(cl->clause->role) || !name)
            continue;
        struct lang_member *m = &list[n];
        *m = (struct lang_member){
            .role = cl->clause->role, .name = name->text, .clause = cl, .span = name->span};
        bool again = member_taken(k, list, n, m);
        if (str_eq(m->name, STR("name"))) {
            (void)diag_error(k->c, "N2", m->span, "taken",
                             "`name` is what every %s has: its own name",
                             noun(k->c, NOUN_RESOURCE));
            again = true;
        }
        if (again)
            continue;
        const struct lang_value *type = value_of_kind(cl, LANG_ARG_TYPE);
        const struct lang_value *params = value_of_kind(cl, LANG_ARG_PARAMS);
        const struct lang_value *confirms = value_of_kind(cl, LANG_ARG_CONDITION);
        m->type = type ? type->type : type_plain(LANG_TYPE_NONE);
        m->params = params ? params->params : NULL;
        m->params_n = params ? params->params_n : 0;
        m->confirms = confirms ? &confirms->condition : NULL;
        m->index = m->role == LANG_CLAUSE_READABLE  ? (uint32_t)d->readables_n++
                   : m->role == LANG_CLAUSE_COMMAND ? (uint32_t)d->commands_n++
                                                    : (uint32_t)d->signals_n++;
        n++;
    }
    d->members = list;
    d->members_n = n;
}

static struct str nearest_member(const struct checker *k, const struct lang_decl *d,
                                 struct str wanted, enum lang_clause_role role)
{
    struct suggest s = suggest_for(k->c, wanted);
    for (size_t i = 0; i < d->members_n; i++)
        if (d->members[i].role == role)
            suggest_offer(&s, d->members[i].name);
    return suggest_found(&s) ? s.best : STR("");
}

static void condition_units(struct checker *k, const struct lang_member *m, struct lang_value *v)
{
    struct lang_condition *c = &v->condition;
    struct str type = lang_type_name(&m->type);
    bool number = is_number(&m->type), literal_bool = v->type.kind == LANG_TYPE_BOOL;
    if (m->type.kind == LANG_TYPE_STR || m->type.kind == LANG_TYPE_TIME || number == literal_bool) {
        (void)diag_error(k->c, "T1", v->span, "not comparable", "`%.*s` is %s%.*s%s",
                         STR_FMT(m->name), number ? "in " : "a ", STR_FMT(type),
                         number ? ": compare it with a number" : "");
        return;
    }
    if (m->type.kind == LANG_TYPE_BOOL && c->op != LANG_EQ && c->op != LANG_NE) {
        (void)diag_error(k->c, "T1", v->span, "not ordered", "a bool is compared with == or !=");
        return;
    }
    if (literal_bool)
        return;
    if (!units_match(&m->type.unit, &v->type.unit)) {
        struct str unit = v->type.unit.symbol;
        struct lang_diag *d = diag_error(
            k->c, "U1", v->span, "units differ", "`%.*s` is in %.*s, compared with %s%.*s",
            STR_FMT(m->name), STR_FMT(type), unit.n ? "" : "a plain number", STR_FMT(unit));
        if (m->type.unit.symbol.n > 0)
            diag_help(k->c, d, "write the number in %.*s", STR_FMT(m->type.unit.symbol));
        return;
    }
    c->value = lang_unit_from_base(&m->type.unit, lang_unit_to_base(&v->type.unit, c->value));
}

static void check_confirms(struct checker *k, struct lang_decl *d)
{
    for (size_t i = 0; i < d->clauses_n; i++)
        for (size_t a = 0; a < d->clauses[i].clause->args_n; a++) {
            /* the tree is ours until the site is finished */
            struct lang_value *v = (struct lang_value *)(uintptr_t)&d->clauses[i].values[a];
            if (v->kind != LANG_ARG_CONDITION)
                continue;
            const struct lang_member *m =
                lang_decl_member(d, LANG_CLAUSE_READABLE, v->condition.name);
            if (m) {
                v->condition.member = m->index;
                condition_units(k, m, v);
                continue;
            }
            if (d->damaged)
                continue;
            struct str best = nearest_member(k, d, v->condition.name, LANG_CLAUSE_READABLE);
            struct lang_diag *diag = diag_error(
                k->c, "N1", v->span,
                ctx_strf(k->c, "not %s of this %s", noun_a(k->c, NOUN_READABLE), d->kind->word).p,
                "%.*s has no %s `%.*s`", STR_FMT(d->name), noun(k->c, NOUN_READABLE),
                STR_FMT(v->condition.name));
            if (best.n > 0)
                diag_help(k->c, diag, "did you mean `%.*s`?", STR_FMT(best));
        }
}

static void no_safe(struct checker *k, const struct lang_decl *d)
{
    const struct lang_member *first = lang_decl_member_at(d, LANG_CLAUSE_COMMAND, 0);
    struct lang_diag *diag =
        diag_error(k->c, "O5", d->name_span, "has no `safe`", "%.*s has %s, but no safe one",
                   STR_FMT(d->name), noun_many(k->c, NOUN_COMMAND));
    diag_mark(k->c, diag, first->span, "%s", noun_a(k->c, NOUN_COMMAND));
    for (size_t i = 0; i < d->kind->clauses_n; i++)
        if (d->kind->clauses[i].role == LANG_CLAUSE_SAFE)
            diag_help(k->c, diag,
                      "say which one to run when an owner ends without handing on, as in  %s",
                      d->kind->clauses[i].example);
}

static void safe_unknown(struct checker *k, const struct lang_decl *d, const struct lang_value *v)
{
    struct str best = nearest_member(k, d, v->text, LANG_CLAUSE_COMMAND);
    struct lang_diag *diag = diag_error(
        k->c, "O5", v->span,
        ctx_strf(k->c, "not %s of this %s", noun_a(k->c, NOUN_COMMAND), d->kind->word).p,
        "%.*s has no %s `%.*s`", STR_FMT(d->name), noun(k->c, NOUN_COMMAND), STR_FMT(v->text));
    if (best.n > 0)
        diag_help(k->c, diag, "did you mean `%.*s`?", STR_FMT(best));
}

static void safe_with_params(struct checker *k, const struct lang_value *v,
                             const struct lang_member *m)
{
    struct lang_diag *diag =
        diag_error(k->c, "O5", v->span, "needs arguments", "the safe %s must not have parameters",
                   noun(k->c, NOUN_COMMAND));
    diag_mark(k->c, diag, m->span, "declared here");
    diag_help(k->c, diag, "nobody is there to give them: name %s without parameters",
              noun_a(k->c, NOUN_COMMAND));
}

static void check_safe(struct checker *k, struct lang_decl *d)
{
    const struct lang_clause_decl *safe = NULL;
    for (size_t i = 0; i < d->clauses_n; i++)
        if (d->clauses[i].clause->role == LANG_CLAUSE_SAFE)
            safe = &d->clauses[i];
    if (d->damaged || (!safe && d->commands_n == 0))
        return;
    const struct lang_value *v = safe ? value_of_kind(safe, LANG_ARG_MEMBER) : NULL;
    const struct lang_member *m = v ? lang_decl_member(d, LANG_CLAUSE_COMMAND, v->text) : NULL;
    if (!safe) {
        /* check: O5 no safe action */
        no_safe(k, d);
    } else if (v && !m) {
        /* check: O5 unknown safe action */
        safe_unknown(k, d, v);
    } else if (v && m->params_n > 0) {
        /* check: O5 safe action with parameters */
        safe_with_params(k, v, m);
    } else if (v) {
        d->safe = m;
    }
}

/* ---- resources --------------------------------------------------------------------------- */

static void resolve_type(struct checker *k, const struct decl_syntax *s)
{
    const struct lang_decl *type = find_type(k, s->type_name.text);
    if (type) {
        s->decl->type = type;
        return;
    }
    struct suggest sug = suggest_for(k->c, s->type_name.text);
    for (size_t i = 0; i < k->syntax->decls.n; i++)
        if (k->syntax->decls.v[i].decl->kind->role == LANG_ROLE_TYPE)
            suggest_offer(&sug, k->syntax->decls.v[i].decl->name);
    struct lang_diag *d =
        diag_error(k->c, "N1", s->type_name.span, "unknown", "there is no %s `%.*s`",
                   noun(k->c, NOUN_TYPE), STR_FMT(s->type_name.text));
    if (suggest_found(&sug))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(sug.best));
    else
        diag_help(k->c, d, "declare it:  %s %.*s { … }", noun(k->c, NOUN_TYPE),
                  STR_FMT(s->type_name.text));
}

/* ---- lists ------------------------------------------------------------------------------- */

static void unknown_element(struct checker *k, struct name n)
{
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < k->resources.n; i++)
        suggest_offer(&s, k->resources.v[i]->name);
    struct lang_diag *d =
        diag_error(k->c, "N1", n.span, "unknown", "there is no `%.*s`", STR_FMT(n.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static void resolve_list(struct checker *k, const struct decl_syntax *s)
{
    const struct lang_decl **list = ctx_array(k->c, s->list_n, sizeof(*list));
    size_t n = 0;
    for (size_t i = 0; i < s->list_n; i++) {
        struct name name = s->list[i];
        const struct lang_decl *d = find_path(k, name.text);
        if (!d) {
            unknown_element(k, name);
            s->decl->damaged = true;
            continue;
        }
        if (d->kind->role != LANG_ROLE_RESOURCE) {
            (void)diag_error(k->c, "T1", name.span, "not one thing",
                             "`%.*s` is a %s; a %s lists others", STR_FMT(name.text), d->kind->word,
                             s->decl->kind->word);
            s->decl->damaged = true;
            continue;
        }
        if (k->seen[d->resource] == s) {
            (void)diag_error(k->c, "N2", name.span, "a second time", "`%.*s` is in this %s twice",
                             STR_FMT(name.text), s->decl->kind->word);
            continue;
        }
        k->seen[d->resource] = s;
        list[n++] = d;
    }
    s->decl->list = list;
    s->decl->list_n = n;
}

/* ---- all of them ------------------------------------------------------------------------- */

static void declare(struct checker *k, struct lang_decl *d)
{
    enum lang_role role = d->kind->role;
    struct lang_unit u;
    struct map *m = role == LANG_ROLE_TYPE ? &k->types : &k->paths;
    if (role == LANG_ROLE_RESOURCE) {
        d->resource = (uint32_t)k->resources.n;
        ctx_tree_push(k->c, &k->resources, d);
    }
    if (d->kind->head != LANG_HEAD_NAME && d->kind->head != LANG_HEAD_PATH)
        return;
    const struct lang_decl *first = map_get(m, d->name);
    if (first) {
        declared_twice(k, d->name, d->name_span, first->name_span);
        return;
    }
    if (role == LANG_ROLE_TYPE && lang_unit_parse(d->name, &u) == ERR_OK)
        (void)diag_error(k->c, "N2", d->name_span, "a unit", "`%.*s` is a unit", STR_FMT(d->name));
    map_set(k, m, d->name, d);
}

/* A resource may not take the place of a member: "press1.temperature" must mean one thing. */
static void check_hidden(struct checker *k, const struct lang_decl *d)
{
    for (size_t i = d->name.n; i > 0; i--) {
        if (d->name.p[i - 1] != '.')
            continue;
        const struct lang_decl *outer = find_path(k, str_sub(d->name, 0, i - 1));
        struct str last = str_sub(d->name, i, d->name.n);
        const struct lang_member *m =
            outer && outer->type ? lang_decl_any_member(outer->type, last) : NULL;
        bool name = outer && outer->type && str_eq(last, STR("name"));
        if (!m && !name)
            return;
        struct lang_diag *diag =
            diag_error(k->c, "N2", d->name_span, "taken", "`%.*s` of %.*s has this name already",
                       STR_FMT(last), STR_FMT(outer->name));
        if (m)
            diag_mark(k->c, diag, m->span, "declared here");
        return;
    }
}

static void check_counts(struct checker *k)
{
    const struct lang_schema *schema = k->c->schema;
    for (size_t i = 0; i < schema->kinds_n; i++) {
        const struct lang_kind *kind = &schema->kinds[i];
        const struct lang_decl *first = NULL;
        for (size_t q = 0; q < k->syntax->decls.n; q++) {
            const struct lang_decl *d = k->syntax->decls.v[q].decl;
            if (d->kind != kind)
                continue;
            if (first && (kind->flags & LANG_KIND_ONCE)) {
                struct lang_diag *diag = diag_error(k->c, "N2", d->span, "a second one",
                                                    "there is one `%s` on a site", kind->word);
                diag_mark(k->c, diag, first->span, "the first one");
            }
            first = first ? first : d;
        }
        if (!first && (kind->flags & LANG_KIND_REQUIRED) && k->c->errors == 0) {
            struct lang_diag *diag = diag_error(k->c, "P1", (struct lang_span){0}, "",
                                                "this site has no `%s`", kind->word);
            diag_help(k->c, diag, "add:  %s", kind->example);
        }
    }
}

static void check_by_host(struct checker *k)
{
    if (!k->c->schema->check)
        return;
    size_t n = k->syntax->decls.n;
    const struct lang_decl **decls = ctx_tree_array(k->c, n, sizeof(*decls));
    for (size_t i = 0; i < n; i++)
        decls[i] = k->syntax->decls.v[i].decl;
    k->c->schema->check(k->c, decls, n);
}

void check_decls(struct checker *k)
{
    map_init(&k->types, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    map_init(&k->paths, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
    size_t n = k->syntax->decls.n;
    struct decl_syntax *all = k->syntax->decls.v;
    for (size_t i = 0; i < n; i++)
        declare(k, all[i].decl);
    for (size_t i = 0; i < n; i++)
        if (all[i].decl->kind->role == LANG_ROLE_TYPE) {
            add_members(k, all[i].decl);
            check_confirms(k, all[i].decl);
            check_safe(k, all[i].decl);
        }
    for (size_t i = 0; i < n; i++)
        if (all[i].decl->kind->flags & LANG_KIND_TYPED) {
            resolve_type(k, &all[i]);
            check_mappings(k, all[i].decl);
        }
    k->seen = ctx_tree_array(k->c, k->resources.n, sizeof(*k->seen));
    for (size_t i = 0; i < n; i++) {
        if (all[i].decl->kind->role == LANG_ROLE_RESOURCE)
            check_hidden(k, all[i].decl);
        if (all[i].decl->kind->flags & LANG_KIND_LIST)
            resolve_list(k, &all[i]);
    }
    check_effects(k);
    check_counts(k);
    check_by_host(k);
}
