/* Names as values: what a path stands for, fields of records, elements of lists and maps. */
#include "lang/check_internal.h"

#include <inttypes.h>
#include <stdio.h>

void expr_bad(struct expr *e)
{
    e->bad = true;
    e->constant = false;
    e->type = type_plain(LANG_TYPE_NONE);
}

bool is_device(const struct expr *e)
{
    return e->type.kind == LANG_TYPE_HANDLE;
}

void list_add(struct checker *k, struct u32_list *l, uint32_t v)
{
    for (size_t i = 0; l && i < l->all.n; i++)
        if (l->all.v[i] == v)
            return;
    if (l)
        ctx_tree_push(k->c, &l->all, v);
}

const char *quoted(struct checker *k, struct str name)
{
    return ctx_strf(k->c, "`%.*s`", STR_FMT(name)).p;
}

static struct expr *path_node(struct checker *k, const struct name *path, size_t n)
{
    struct expr *e = ctx_tree_new(k->c, sizeof(*e));
    e->kind = E_PATH;
    e->height = 1;
    e->path = ctx_tree_array(k->c, n, sizeof(*path));
    for (size_t i = 0; i < n; i++)
        e->path[i] = path[i];
    e->path_n = n;
    e->text = n == 1 ? path[0].text : path_join(k, STR(""), path, 0, n);
    e->span = span_join(path[0].span, path[n - 1].span);
    return e;
}

struct expr *path_as_value(struct checker *k, const struct expr *e, size_t base, size_t parts)
{
    struct expr *v = path_node(k, e->path, base);
    for (size_t i = base; i < parts; i++) {
        struct expr *f = ctx_tree_new(k->c, sizeof(*f));
        f->kind = E_FIELD;
        f->height = v->height + 1;
        f->a = v;
        f->name = e->path[i];
        f->span = span_join(v->span, e->path[i].span);
        v = f;
    }
    return v;
}

/* ---- readings ---------------------------------------------------------------------------- */

static bool outside_of_time(struct checker *k)
{
    return k->mode == MODE_CONST || k->mode == MODE_INIT;
}

static void not_constant(struct checker *k, struct expr *e)
{
    (void)diag_error(k->c, "T1", e->span, "not constant",
                     "`%.*s` is not known before the program runs", STR_FMT(e->text));
    expr_bad(e);
}

static bool in_lambda(const struct checker *k)
{
    return k->frame->kind == FRAME_LAMBDA;
}

static void use_reading(struct checker *k, struct expr *e, uint32_t binding)
{
    if (k->mode == MODE_CONDITION && in_lambda(k)) {
        struct lang_diag *d = diag_error(k->c, "T1", e->span, "a reading",
                                         "a lambda in a condition can't look at a reading");
        diag_help(k->c, d,
                  "it may be missing, and the lambda could not say so: keep what is needed "
                  "in a variable, or ask in the body of the rule");
        expr_bad(e);
        return;
    }
    if (binding >= k->prog->bindings.n) { /* too many of them: reported */
        expr_bad(e);
        return;
    }
    const struct lang_binding *b = &k->prog->bindings.v[binding];
    e->ref = REF_READ;
    e->index = binding;
    e->type = b->type;
    e->resource = b->resource;
    e->member = lang_decl_member_at(b->resource->type, LANG_CLAUSE_READABLE, b->member);
    list_add(k, k->reads, binding);
}

/* ---- members of resources ---------------------------------------------------------------- */

static void no_value(struct checker *k, struct expr *e, const struct lang_decl *r)
{
    bool one = r->kind->role == LANG_ROLE_RESOURCE && r->type;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "not a value", "%.*s is a %s, not a value",
                   STR_FMT(r->name), one ? ctx_str(k->c, r->type->name).p : r->kind->word);
    if (r->type && r->type->readables_n > 0)
        diag_help(k->c, d, "name one of its properties:  %.*s.%.*s", STR_FMT(e->text),
                  STR_FMT(lang_decl_member_at(r->type, LANG_CLAUSE_READABLE, 0)->name));
    expr_bad(e);
}

static void constant_text(struct expr *e, struct str text)
{
    e->ref = REF_CONST;
    e->constant = true;
    e->type = type_plain(LANG_TYPE_STR);
    e->text_value = text;
}

/* `type` has no property of this name. */
static void no_property(struct checker *k, struct expr *e, const struct lang_decl *type,
                        struct str owner, struct name n)
{
    const struct lang_member *m = lang_decl_any_member(type, n.text);
    struct suggest s = suggest_for(k->c, n.text);
    for (size_t i = 0; i < type->members_n; i++)
        if (type->members[i].role == LANG_CLAUSE_READABLE)
            suggest_offer(&s, type->members[i].name);
    struct lang_diag *d =
        m && m->role != LANG_CLAUSE_READABLE
            ? diag_error(k->c, "T1", n.span, "no value", "`%.*s` of %.*s is no %s",
                         STR_FMT(m->name), STR_FMT(type->name), noun(k->c, NOUN_READABLE))
            : diag_error(k->c, "N1", n.span, "unknown", "%.*s has no `%.*s`", STR_FMT(owner),
                         STR_FMT(n.text));
    if (m && m->role == LANG_CLAUSE_COMMAND)
        diag_help(k->c, d, "to command it, write `%.*s()`", STR_FMT(ctx_text(k->c, e->span)));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    expr_bad(e);
}

/* The rest of a path behind a resource: its name or a property. */
static void use_member(struct checker *k, struct expr *e, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    if (r->kind->role != LANG_ROLE_RESOURCE || t->used == e->path_n) {
        no_value(k, e, r);
        return;
    }
    struct name rest = e->path[t->used];
    bool last = t->used + 1 == e->path_n;
    if (last && str_eq(rest.text, STR("name"))) {
        constant_text(e, r->name);
        return;
    }
    if (!r->type || r->type->damaged) {
        expr_bad(e);
        return;
    }
    const struct lang_member *m = lang_decl_member(r->type, LANG_CLAUSE_READABLE, rest.text);
    if (!m || !last) {
        bool deeper = !last && lang_decl_any_member(r->type, rest.text);
        no_property(k, e, r->type, r->name, deeper ? e->path[t->used + 1] : rest);
        return;
    }
    if (outside_of_time(k)) {
        not_constant(k, e);
        return;
    }
    int64_t stale = t->sym && t->direct ? t->sym->stale_ms : 0;
    use_reading(k, e, binding_implicit(k, r, m, stale, e->text, e->span));
}

/* A condition on an element of a group is looked at again whenever any of them has news. */
static void group_read(struct checker *k, const struct expr *e, const struct lang_member *m)
{
    const struct expr *h = e->handle;
    if (!k->reads || h->kind != E_INDEX || h->a->ref != REF_GROUP)
        return;
    for (uint32_t i = 0; i < h->a->count; i++) {
        const struct lang_decl *r = k->prog->bindings.v[h->a->index + i].resource;
        struct str name = ctx_strf(k->c, "%.*s.%.*s", STR_FMT(r->name), STR_FMT(m->name));
        uint32_t binding = binding_implicit(k, r, m, 0, name, e->span);
        if (binding == UINT32_MAX) /* too many of them: reported */
            return;
        list_add(k, k->reads, binding);
    }
}

static void member_through(struct checker *k, struct expr *e, struct name member)
{
    const struct lang_decl *type = e->handle->type.model;
    const struct lang_member *m = lang_decl_member(type, LANG_CLAUSE_READABLE, member.text);
    struct str owner = ctx_text(k->c, e->handle->span);
    e->ref = REF_MEMBER;
    if (str_eq(member.text, STR("name"))) {
        e->type = type_plain(LANG_TYPE_STR);
        e->member = NULL;
        return;
    }
    if (type->damaged) {
        expr_bad(e);
        return;
    }
    if (!m) {
        no_property(k, e, type, type->name, member);
        return;
    }
    e->member = m;
    e->type = m->type;
    struct lang_diag *d = diag_warning(k->c, "S1", e->span, "may be old",
                                       "nothing says when %.*s.%.*s is too old to act on",
                                       STR_FMT(owner), STR_FMT(m->name));
    diag_help(k->c, d, "where it matters, hand over a reading beside the handle:  %.*s: %.*s",
              STR_FMT(m->name), STR_FMT(lang_type_name(&m->type)));
    group_read(k, e, m);
}

/* ---- symbols ----------------------------------------------------------------------------- */

static void use_var(struct checker *k, struct expr *e, const struct sym *s)
{
    if (k->mode == MODE_CONST) {
        not_constant(k, e);
        return;
    }
    e->ref = REF_VAR;
    list_add(k, k->vars, s->index);
}

static void use_handle(struct checker *k, struct expr *e, const struct sym *s)
{
    if (in_lambda(k)) {
        own_captured(k, e, s->span);
        expr_bad(e);
        return;
    }
    e->ref = s->kind == SYM_OWN ? REF_OWN : s->kind == SYM_GROUP ? REF_GROUP : REF_HANDLE;
    e->index = s->index;
    e->count = s->count;
    e->resource = s->resource;
    e->type = s->kind == SYM_GROUP ? type_plain(LANG_TYPE_NONE) : s->type;
}

static void use_sym(struct checker *k, struct expr *e, const struct sym *s)
{
    e->type = s->type;
    e->index = s->index;
    switch (s->kind) {
    case SYM_LOCAL: e->ref = REF_LOCAL; return; /* never seen from a constant */
    case SYM_CONST:
        e->ref = REF_CONST;
        e->constant = true;
        e->value = s->value;
        e->text_value = s->text_value;
        return;
    case SYM_VAR: use_var(k, e, s); return;
    case SYM_READ:
        if (outside_of_time(k))
            not_constant(k, e);
        else
            use_reading(k, e, s->index);
        return;
    case SYM_OWN:
    case SYM_GROUP:
    case SYM_HANDLE: use_handle(k, e, s); return;
    default: expr_bad(e); return;
    }
}

/* belt.speed of a local handle */
static void use_handle_member(struct checker *k, struct expr *e, const struct sym *s)
{
    struct expr *h = path_node(k, e->path, 1);
    use_handle(k, h, s);
    e->handle = h;
    if (h->bad) {
        expr_bad(e);
    } else if (e->path_n > 2) {
        (void)diag_error(k->c, "N1", e->path[2].span, "unknown", "`%.*s.%.*s` has no `%.*s`",
                         STR_FMT(s->name), STR_FMT(e->path[1].text), STR_FMT(e->path[2].text));
        expr_bad(e);
    } else {
        member_through(k, e, e->path[1]);
    }
}

static void use_group_part(struct checker *k, struct expr *e, const struct sym *s)
{
    struct lang_diag *d =
        diag_error(k->c, "T1", e->path[1].span, "of which one?", "`%.*s` is several %s",
                   STR_FMT(s->name), noun_many(k->c, NOUN_RESOURCE));
    diag_help(k->c, d, "walk through them:  for x in %.*s { … }   or take one:  %.*s[0].%.*s",
              STR_FMT(s->name), STR_FMT(s->name), STR_FMT(e->path[1].text));
    expr_bad(e);
}

/* ---- enums, records and functions as names ------------------------------------------------ */

static void enum_value(struct checker *k, struct expr *e, const struct type_decl *t)
{
    struct str wanted = e->path[1].text;
    struct suggest s = suggest_for(k->c, wanted);
    for (size_t i = 0; i < t->def->fields_n; i++) {
        if (str_eq(t->def->fields[i].name, wanted) && e->path_n == 2) {
            e->ref = REF_ENUM;
            e->constant = true;
            e->type = type_plain(LANG_TYPE_ENUM);
            e->type.def = t->def;
            e->value.i = (int64_t)i;
            return;
        }
        suggest_offer(&s, t->def->fields[i].name);
    }
    struct lang_diag *d =
        diag_error(k->c, "N1", e->path[1].span, "unknown", "%.*s has no value `%.*s`",
                   STR_FMT(t->name.text), STR_FMT(wanted));
    diag_mark(k->c, d, t->name.span, "declared here");
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s.%.*s`?", STR_FMT(t->name.text), STR_FMT(s.best));
    expr_bad(e);
}

static void type_as_value(struct checker *k, struct expr *e, const struct type_decl *t)
{
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "a type", "`%.*s` is %s, not a value",
                                     STR_FMT(t->name.text), t->is_enum ? "an enum" : "a record");
    if (t->is_enum && t->n > 0)
        diag_help(k->c, d, "name one of its values:  %.*s.%.*s", STR_FMT(t->name.text),
                  STR_FMT(t->values[0].text));
    else
        diag_help(k->c, d, "make one:  %.*s{…}", STR_FMT(t->name.text));
    expr_bad(e);
}

/* True if the path is about a type or a function, which no symbol hides. */
static bool use_declared(struct checker *k, struct expr *e)
{
    const struct type_decl *t = map_get(&k->defs, e->path[0].text);
    if (t) {
        if (t->is_enum && e->path_n > 1)
            enum_value(k, e, t);
        else
            type_as_value(k, e, t);
        return true;
    }
    struct fn_decl *fn = e->path_n == 1 ? find_fn(k, e->path[0].text) : NULL;
    if (fn)
        lambda_of_fn(k, e, fn);
    return fn != NULL;
}

/* ---- paths ------------------------------------------------------------------------------- */

/* x.y.z of a value becomes fields around the name. */
static void as_field(struct checker *k, struct expr *e)
{
    size_t n = e->path_n;
    e->a = path_as_value(k, e, 1, n - 1);
    e->name = e->path[n - 1];
    e->kind = E_FIELD;
    e->height = e->a->height + 1;
    check_field(k, e);
}

void check_path(struct checker *k, struct expr *e)
{
    struct target t;
    if (!sym_find(k, e->path[0].text) && use_declared(k, e))
        return;
    if (!resolve(k, e->path, e->path_n, &t)) {
        expr_bad(e);
        return;
    }
    const struct sym *s = t.sym;
    bool handle = s && s->kind == SYM_HANDLE;
    bool owned = s && s->kind == SYM_OWN && t.direct && e->path_n == 1;
    if (handle && e->path_n > 1)
        use_handle_member(k, e, s);
    else if (s && s->kind == SYM_GROUP && e->path_n > 1)
        use_group_part(k, e, s);
    else if (!s || (t.resource && !handle && !owned))
        use_member(k, e, &t);
    else if (e->path_n > 1)
        as_field(k, e);
    else
        use_sym(k, e, s);
}

void check_stale(struct checker *k, struct expr *e)
{
    enum check_mode mode = k->mode;
    check_expr(k, e->a);
    e->type = type_plain(LANG_TYPE_BOOL);
    if (e->a->bad) {
        expr_bad(e);
        return;
    }
    if (e->a->ref != REF_READ || mode == MODE_CONST || mode == MODE_FN) {
        struct lang_diag *d = diag_error(k->c, "T1", e->a->span, "not a reading",
                                         "`stale` asks about a reading, and this is none");
        diag_help(k->c, d, "as in:  read temp: °C = plant.press1.temperature stale 5s");
        expr_bad(e);
        return;
    }
    const struct lang_binding *b = &k->prog->bindings.v[e->a->index];
    if (b->stale_ms == 0) {
        struct lang_diag *d =
            diag_error(k->c, "S1", e->span, "never",
                       "`%.*s` is never stale: nothing says after how long", STR_FMT(e->a->text));
        diag_help(k->c, d, "add to its `read`:  stale 5s");
        expr_bad(e);
        return;
    }
    e->index = e->a->index;
    k->uses_stale = true;
}

/* ---- fields and elements ------------------------------------------------------------------ */

static void no_field(struct checker *k, struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    struct lang_diag *d;
    if (t->kind != LANG_TYPE_RECORD) {
        d = diag_error(k->c, "T1", e->name.span, "has no parts", "`%.*s` is %.*s and has no `%.*s`",
                       STR_FMT(ctx_text(k->c, e->a->span)), STR_FMT(type_phrase(k, t)),
                       STR_FMT(e->name.text));
        if (str_eq(e->name.text, STR("len")) && (is_reference(t) && !t->optional))
            diag_help(k->c, d, "`len` is called:  %.*s.len()", STR_FMT(ctx_text(k->c, e->a->span)));
        return;
    }
    struct suggest s = suggest_for(k->c, e->name.text);
    for (size_t i = 0; i < t->def->fields_n; i++)
        suggest_offer(&s, t->def->fields[i].name);
    d = diag_error(k->c, "N1", e->name.span, "unknown", "%.*s has no field `%.*s`",
                   STR_FMT(t->def->name), STR_FMT(e->name.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

void check_field(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    const struct lang_type *t = &e->a->type;
    if (e->a->bad) {
        expr_bad(e);
        return;
    }
    if (is_device(e->a)) {
        e->handle = e->a;
        member_through(k, e, e->name);
        return;
    }
    if (t->optional) {
        may_be_none(k, e->a, ctx_strf(k->c, "`.%.*s`", STR_FMT(e->name.text)).p);
        expr_bad(e);
        return;
    }
    for (uint32_t i = 0; t->kind == LANG_TYPE_RECORD && i < t->def->fields_n; i++)
        if (str_eq(t->def->fields[i].name, e->name.text)) {
            e->field = i;
            e->type = t->def->fields[i].type;
            if (e->type.kind == LANG_TYPE_NONE) /* its type is wrong, which is reported */
                expr_bad(e);
            return;
        }
    no_field(k, e);
    expr_bad(e);
}

static bool index_of_list(struct checker *k, struct expr *e, const char *what)
{
    struct lang_type want = type_plain(LANG_TYPE_INT);
    if (!check_value_fits(k, e->b, &want, OWN_STORED, what, (struct lang_span){0}))
        return false;
    if (!e->b->constant || e->b->value.i >= 0)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->b->span, "before the first one", "places are counted from 0");
    diag_help(k->c, d, "the last one is `.last()`");
    return false;
}

static bool in_group(struct checker *k, const struct expr *e)
{
    if (!e->b->constant || e->b->value.i < e->a->count)
        return true;
    (void)diag_error(k->c, "T1", e->b->span, "behind the last one",
                     "`%.*s` has %" PRIu32 " elements, counted from 0", STR_FMT(e->a->text),
                     e->a->count);
    return false;
}

static bool index_typed(struct checker *k, struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    if (e->a->ref == REF_GROUP) {
        const struct lang_decl *r = k->prog->bindings.v[e->a->index].resource;
        e->type = type_plain(LANG_TYPE_HANDLE);
        e->type.model = r->type;
        return index_of_list(k, e, "the place in a group") && in_group(k, e);
    }
    if (t->optional) {
        may_be_none(k, e->a, "`[…]`");
        return false;
    }
    if (t->kind == LANG_TYPE_LIST) {
        e->type = t->args[0];
        return index_of_list(k, e, "the place in a list");
    }
    if (t->kind == LANG_TYPE_MAP) {
        e->type = type_optional(t->args[1]);
        return check_value_fits(k, e->b, &t->args[0], OWN_STORED, "the key", (struct lang_span){0});
    }
    check_expr(k, e->b);
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "has no elements",
                                     "this is %.*s: only lists and maps have "
                                     "elements",
                                     STR_FMT(type_phrase(k, t)));
    if (t->kind == LANG_TYPE_STR)
        diag_help(k->c, d, "a part of a text:  %.*s.slice(0, 1)",
                  STR_FMT(ctx_text(k->c, e->a->span)));
    return false;
}

void check_index(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    if (e->a->bad)
        check_expr(k, e->b);
    if (e->a->bad || !index_typed(k, e))
        expr_bad(e);
}
