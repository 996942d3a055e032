/* Expressions: types of literals, names and texts. Operators are in check_op.c, calls in
 * check_call.c. */
#include "lang/check_internal.h"

#include <math.h>
#include <stdio.h>

static void list_add(struct checker *k, struct u32_list *l, uint32_t v)
{
    for (size_t i = 0; l && i < l->all.n; i++)
        if (l->all.v[i] == v)
            return;
    if (l)
        ctx_tree_push(k->c, &l->all, v);
}

static void bad(struct expr *e)
{
    e->bad = true;
    e->type = type_plain(LANG_TYPE_NONE);
}

/* ---- names ------------------------------------------------------------------------------ */

static void not_constant(struct checker *k, const struct expr *e)
{
    (void)diag_error(k->c, "T1", e->span, "not constant",
                     "`%.*s` is not known before the program runs", STR_FMT(e->text));
}

static void use_reading(struct checker *k, struct expr *e, uint32_t binding)
{
    if (binding >= k->prog->bindings.n) { /* too many of them: reported */
        bad(e);
        return;
    }
    e->ref = REF_READ;
    e->index = binding;
    e->type = k->prog->bindings.v[binding].type;
    list_add(k, k->reads, binding);
}

/* The rest of a path behind a resource: its name or a property. */
static void use_member(struct checker *k, struct expr *e, const struct target *t)
{
    const struct lang_decl *r = t->resource;
    struct name rest = t->used < e->path_n ? e->path[t->used] : (struct name){STR(""), e->span};
    if (r->kind->role != LANG_ROLE_RESOURCE || t->used == e->path_n) {
        bad(e);
        struct lang_diag *d = diag_error(
            k->c, "T1", e->span, "not a value", "%.*s is a %s, not a value", STR_FMT(r->name),
            r->kind->role == LANG_ROLE_RESOURCE && r->type ? ctx_str(k->c, r->type->name).p
                                                           : r->kind->word);
        if (r->type && r->type->readables_n > 0)
            diag_help(k->c, d, "name one of its properties:  %.*s.%.*s", STR_FMT(e->text),
                      STR_FMT(lang_decl_member_at(r->type, LANG_CLAUSE_READABLE, 0)->name));
        return;
    }
    if (t->used + 1 == e->path_n && str_eq(rest.text, STR("name"))) {
        e->ref = REF_CONST;
        e->constant = true;
        e->type = type_plain(LANG_TYPE_STR);
        e->text_value = r->name;
        return;
    }
    if (!r->type || r->type->damaged) {
        bad(e);
        return;
    }
    const struct lang_member *m = lang_decl_member(r->type, rest.text);
    if (m && m->role == LANG_CLAUSE_READABLE && t->used + 1 == e->path_n) {
        int64_t stale = t->sym && t->direct ? t->sym->stale_ms : 0;
        if (k->mode == MODE_CONST) {
            not_constant(k, e);
            bad(e);
        } else {
            use_reading(k, e, binding_implicit(k, r, m, stale, e->text, e->span));
        }
        return;
    }
    bad(e);
    struct suggest s = suggest_for(k->c, rest.text);
    for (size_t i = 0; i < r->type->members_n; i++)
        if (r->type->members[i].role == LANG_CLAUSE_READABLE)
            suggest_offer(&s, r->type->members[i].name);
    struct lang_diag *d;
    if (m && m->role != LANG_CLAUSE_READABLE)
        d = diag_error(k->c, "T1", rest.span, "no value", "`%.*s` of %.*s is no property",
                       STR_FMT(m->name), STR_FMT(r->type->name));
    else
        d = diag_error(k->c, "N1", rest.span, "unknown", "%.*s has no `%.*s`", STR_FMT(r->name),
                       STR_FMT(rest.text));
    if (m && m->role == LANG_CLAUSE_COMMAND)
        diag_help(k->c, d, "to command it, write `%.*s()`", STR_FMT(e->text));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
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
    case SYM_VAR:
        e->ref = REF_VAR;
        list_add(k, k->vars, s->index);
        if (k->mode != MODE_CONST)
            return;
        not_constant(k, e);
        bad(e);
        return;
    case SYM_READ:
        if (k->mode != MODE_CONST) {
            use_reading(k, e, s->index);
            return;
        }
        not_constant(k, e);
        bad(e);
        return;
    default: bad(e); return;
    }
}

void check_path(struct checker *k, struct expr *e)
{
    struct target t;
    if (!resolve(k, e->path, e->path_n, &t)) {
        bad(e);
        return;
    }
    if (t.resource) {
        use_member(k, e, &t);
        return;
    }
    if (e->path_n > 1) {
        struct lang_type type = t.sym->type;
        (void)diag_error(k->c, "T1", e->path[1].span, "has no parts",
                         "`%.*s` is %.*s and has no `%.*s`", STR_FMT(t.sym->name),
                         STR_FMT(type_phrase(k, &type)), STR_FMT(e->path[1].text));
        bad(e);
        return;
    }
    use_sym(k, e, t.sym);
}

void check_stale(struct checker *k, struct expr *e)
{
    enum check_mode mode = k->mode;
    check_expr(k, e->a);
    e->type = type_plain(LANG_TYPE_BOOL);
    if (e->a->bad) {
        bad(e);
        return;
    }
    if (e->a->ref != REF_READ || mode == MODE_CONST || mode == MODE_FN) {
        struct lang_diag *d = diag_error(k->c, "T1", e->a->span, "not a reading",
                                         "`stale` asks about a reading, and this is none");
        diag_help(k->c, d, "as in:  read temp: °C = plant.press1.temperature stale 5s");
        bad(e);
        return;
    }
    const struct lang_binding *b = &k->prog->bindings.v[e->a->index];
    if (b->stale_ms == 0) {
        struct lang_diag *d =
            diag_error(k->c, "S1", e->span, "never",
                       "`%.*s` is never stale: nothing says after how long", STR_FMT(e->a->text));
        diag_help(k->c, d, "add to its `read`:  stale 5s");
        bad(e);
        return;
    }
    e->index = e->a->index;
    k->uses_stale = true;
}

/* ---- texts ------------------------------------------------------------------------------ */

struct str fold_text(struct checker *k, const struct expr *e)
{
    switch (e->type.kind) {
    case LANG_TYPE_BOOL: return e->value.i ? STR("true") : STR("false");
    case LANG_TYPE_INT: return ctx_strf(k->c, "%lld", (long long)e->value.i);
    case LANG_TYPE_FLOAT: {
        struct strbuf b;
        strbuf_init(&b, &k->c->alloc, 0);
        lang_unit_print(&b, &e->type.unit, e->value.f);
        if (b.failed)
            ctx_nomem(k->c);
        return strbuf_str(&b);
    }
    default: return e->text_value;
    }
}

static void check_string(struct checker *k, struct expr *e)
{
    struct strbuf all;
    strbuf_init(&all, &k->c->alloc, 0);
    e->type = type_plain(LANG_TYPE_STR);
    e->constant = true;
    for (size_t i = 0; i < e->list.n; i++) {
        struct expr *part = e->list.v[i];
        check_expr(k, part);
        if (part->bad) {
            e->bad = true;
            continue;
        }
        if (part->type.kind == LANG_TYPE_NONE || part->type.kind == LANG_TYPE_HANDLE) {
            (void)diag_error(k->c, "T1", part->span, "no value", "this has no value to show");
            e->bad = true;
            continue;
        }
        e->constant = e->constant && part->constant;
        if (e->constant)
            strbuf_addstr(&all, fold_text(k, part));
    }
    if (all.failed)
        ctx_nomem(k->c);
    if (e->constant && !e->bad)
        e->text_value = strbuf_str(&all);
}

/* ---- operators with one side ------------------------------------------------------------- */

static void check_not(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    e->type = type_plain(LANG_TYPE_BOOL);
    if (e->a->bad) {
        bad(e);
        return;
    }
    if (e->a->type.kind != LANG_TYPE_BOOL) {
        (void)diag_error(k->c, "T1", e->a->span, "not a bool", "`not` wants a bool, this is %.*s",
                         STR_FMT(type_phrase(k, &e->a->type)));
        bad(e);
        return;
    }
    e->constant = e->a->constant;
    e->value.i = !e->a->value.i;
}

static void check_neg(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    e->type = e->a->type;
    if (e->a->bad) {
        bad(e);
        return;
    }
    if (!is_number(&e->type)) {
        (void)diag_error(k->c, "T1", e->a->span, "not a number", "`-` wants a number, this is %.*s",
                         STR_FMT(type_phrase(k, &e->type)));
        bad(e);
        return;
    }
    if (e->type.unit.affine) {
        struct lang_diag *d =
            diag_error(k->c, "U1", e->span, "has a zero of its own",
                       "a temperature in %.*s has no negative", STR_FMT(e->type.unit.symbol));
        diag_help(k->c, d, "subtract it from another one: the difference is in K");
        bad(e);
        return;
    }
    e->constant = e->a->constant;
    if (e->type.kind == LANG_TYPE_FLOAT)
        e->value.f = -e->a->value.f;
    else
        e->value.i = e->a->value.i == INT64_MIN ? INT64_MIN : -e->a->value.i;
}

/* ---- all of them ------------------------------------------------------------------------- */

static void check_literal(struct expr *e)
{
    e->constant = true;
    switch (e->kind) {
    case E_BOOL:
        e->type = type_plain(LANG_TYPE_BOOL);
        e->value.i = e->integer;
        return;
    case E_INT:
        e->type = type_plain(LANG_TYPE_INT);
        e->value.i = e->integer;
        return;
    case E_NUMBER:
        e->type = (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = e->unit};
        e->value.f = lang_unit_to_base(&e->unit, e->number);
        return;
    default:
        e->type = type_plain(LANG_TYPE_STR);
        e->text_value = e->text;
        return;
    }
}

static void not_available(struct checker *k, struct expr *e)
{
    bad(e);
    (void)diag_error(k->c, "P1", e->span, "not available yet",
                     "this expression is not available in this version");
}

void check_expr(struct checker *k, struct expr *e)
{
    e->bad = false;
    e->constant = false;
    e->ref = REF_NONE;
    e->value.i = 0;
    e->type = type_plain(LANG_TYPE_NONE);
    if ((e->kind == E_CALL && e->path_n == 0) || (e->kind == E_BINARY && e->op > OP_MOD)) {
        not_available(k, e);
        return;
    }
    switch (e->kind) {
    case E_BAD: bad(e); return;
    case E_BOOL:
    case E_INT:
    case E_NUMBER:
    case E_TEXT: check_literal(e); return;
    case E_STRING: check_string(k, e); return;
    case E_PATH: check_path(k, e); return;
    case E_CALL: check_call(k, e); return;
    case E_NEG: check_neg(k, e); return;
    case E_NOT: check_not(k, e); return;
    case E_STALE: check_stale(k, e); return;
    case E_BINARY: check_binary(k, e); return;
    default: not_available(k, e); return;
    }
}

bool check_condition(struct checker *k, struct expr *e, const char *what)
{
    check_expr(k, e);
    if (e->bad)
        return false;
    if (e->type.kind == LANG_TYPE_BOOL)
        return true;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "not a bool", "%s is true or false, this is %.*s", what,
                   STR_FMT(type_phrase(k, &e->type)));
    if (is_number(&e->type))
        diag_help(k->c, d, "compare it with something:  %.*s > …",
                  STR_FMT(ctx_text(k->c, e->span)));
    return false;
}

bool check_duration(struct checker *k, struct expr *e, const char *what, int64_t *out)
{
    enum check_mode mode = k->mode;
    k->mode = MODE_CONST;
    check_expr(k, e);
    k->mode = mode;
    if (e->bad)
        return false;
    struct lang_type want = {.kind = LANG_TYPE_FLOAT, .unit = unit_seconds()};
    if (!is_number(&e->type) || !units_match(&e->type.unit, &want.unit)) {
        struct lang_diag *d =
            diag_error(k->c, "U1", e->span, "not a duration", "%s is a duration, this is %s%.*s",
                       what, e->type.kind == LANG_TYPE_INT ? "" : "in ",
                       STR_FMT(e->type.kind == LANG_TYPE_INT ? STR("a plain number")
                                                             : lang_type_name(&e->type)));
        diag_help(k->c, d, "as in:  500ms, 10s, 5min, 1h 30min");
        return false;
    }
    if (!e->constant) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "%s must be constant", what);
        return false;
    }
    double ms = e->value.f * 1000;
    if (!(ms >= 1) || ms > 1e14) {
        (void)diag_error(k->c, "T1", e->span, "out of range",
                         "%s is at least 1 ms and at most 3000 years", what);
        return false;
    }
    *out = (int64_t)llround(ms);
    return true;
}
