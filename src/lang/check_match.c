/* `match`: patterns, and that every value has an arm. */
#include "lang/check_internal.h"

#include <string.h>

/* What the arms so far take. */
struct cover {
    const struct lang_type *type;
    bool *values; /* of an enum or a bool */
    size_t values_n;
    bool none, some, all;
    struct map seen; /* constants as text, to their pattern */
};

static void cover_init(struct checker *k, struct cover *c, const struct lang_type *type)
{
    *c = (struct cover){.type = type};
    c->values_n = type->kind == LANG_TYPE_ENUM   ? type->def->fields_n
                  : type->kind == LANG_TYPE_BOOL ? 2
                                                 : 0;
    c->values = ctx_tree_array(k->c, c->values_n, sizeof(*c->values));
    map_init(&c->seen, &k->c->tree_alloc, 1, LANG_NAMES_MAX);
}

static bool values_complete(const struct cover *c)
{
    for (size_t i = 0; i < c->values_n; i++)
        if (!c->values[i])
            return false;
    return c->values_n > 0;
}

static bool complete(const struct cover *c)
{
    bool some = c->some || values_complete(c);
    return c->all || (some && (c->none || !c->type->optional));
}

/* ---- patterns ---------------------------------------------------------------------------- */

/* `eco` alone: a value of the enum that is matched. */
static void bare_value(struct checker *k, struct pattern *p, const struct lang_type *t)
{
    struct expr *e = p->a;
    if (e->kind != E_PATH || e->path_n != 1 || t->kind != LANG_TYPE_ENUM)
        return;
    struct name *path = ctx_tree_array(k->c, 2, sizeof(*path));
    path[0] = (struct name){t->def->name, e->span};
    path[1] = e->path[0];
    e->path = path;
    e->path_n = 2;
    e->text = path_join(k, STR(""), path, 0, 2);
}

static bool literal(struct checker *k, struct expr *e, const struct lang_type *t)
{
    struct lang_type want = type_base(*t);
    if (!check_constant(k, e, &want) ||
        !check_fits(k, &want, e, "what is matched", (struct lang_span){0}))
        return false;
    if (e->constant)
        return true;
    (void)diag_error(k->c, "T1", e->span, "not constant", "a pattern is a literal or a constant");
    return false;
}

static void second_time(struct checker *k, const struct pattern *p, struct lang_span first)
{
    struct lang_diag *d =
        diag_error(k->c, "T1", p->span, "never reached", "this value is taken by an arm before");
    diag_mark(k->c, d, first, "here");
}

static void value_pattern(struct checker *k, struct cover *c, struct pattern *p)
{
    bare_value(k, p, c->type);
    if (!literal(k, p->a, c->type))
        return;
    if (c->values_n > 0 && p->a->value.i >= 0 && (size_t)p->a->value.i < c->values_n)
        c->values[p->a->value.i] = true;
    struct str text = c->type->kind == LANG_TYPE_FLOAT && p->a->type.kind == LANG_TYPE_FLOAT
                          ? ctx_strf(k->c, "%.17g", p->a->value.f)
                          : fold_text(k, p->a);
    struct pattern *first = map_get(&c->seen, text);
    if (first)
        second_time(k, p, first->span);
    else
        map_set(k, &c->seen, text, p);
}

static void range_pattern(struct checker *k, struct cover *c, struct pattern *p)
{
    struct lang_type base = type_base(*c->type);
    if (!is_number(&base)) {
        (void)diag_error(k->c, "T1", p->span, "no range", "%.*s has no ranges",
                         STR_FMT(type_phrase(k, c->type)));
        return;
    }
    bool a = literal(k, p->a, c->type), b = literal(k, p->b, c->type);
    if (!a || !b)
        return;
    double lo = p->a->type.kind == LANG_TYPE_INT ? (double)p->a->value.i : p->a->value.f;
    double hi = p->b->type.kind == LANG_TYPE_INT ? (double)p->b->value.i : p->b->value.f;
    if (lo < hi)
        return;
    struct lang_diag *d = diag_error(k->c, "T1", p->span, "empty", "nothing lies in this range");
    diag_help(k->c, d, "a..b goes from a up to b, without b");
}

static void optional_pattern(struct checker *k, struct cover *c, struct pattern *p, bool alone)
{
    bool some = p->kind == PATTERN_SOME;
    struct lang_type inner = type_base(*c->type);
    if (!c->type->optional) {
        struct lang_diag *d =
            diag_error(k->c, "T1", p->span, "never none", "this is %.*s and always there",
                       STR_FMT(type_phrase(k, c->type)));
        diag_help(k->c, d, "`_` takes whatever is left");
    } else if (some && !alone) {
        (void)diag_error(k->c, "T1", p->span, "not beside others",
                         "`some` gives a name to the value: it stands alone");
    } else if (some ? c->some : c->none) {
        (void)diag_error(k->c, "T1", p->span, "never reached",
                         "this value is taken by an arm before");
    }
    if (some)
        p->local = local_add(k, p->name, &inner, false, c->type->optional && alone);
    if (c->type->optional) {
        c->some = c->some || some;
        c->none = c->none || !some;
    }
}

static void check_pattern(struct checker *k, struct cover *c, struct pattern *p, bool alone)
{
    if (complete(c) && !c->all) { /* the first arm too many is told, where it is no value */
        if (p->kind == PATTERN_ANY) {
            struct lang_diag *d = diag_warning(k->c, "T2", p->span, "never reached",
                                               "every value has an arm already");
            diag_help(k->c, d, "without it, a value that is added later is noticed here");
        }
    } else if (c->all) {
        (void)diag_error(k->c, "T1", p->span, "never reached", "`_` before takes everything");
    }
    switch (p->kind) {
    case PATTERN_VALUE: value_pattern(k, c, p); return;
    case PATTERN_RANGE: range_pattern(k, c, p); return;
    case PATTERN_NONE:
    case PATTERN_SOME: optional_pattern(k, c, p, alone); return;
    case PATTERN_ANY: c->all = true; return;
    }
}

/* ---- what is missing ---------------------------------------------------------------------- */

static struct str missing_values(struct checker *k, const struct cover *c)
{
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    size_t told = 0;
    for (size_t i = 0; i < c->values_n && !c->some; i++) {
        if (c->values[i])
            continue;
        if (told++ == 8) {
            strbuf_adds(&b, " …");
            break;
        }
        struct str name = c->type->kind == LANG_TYPE_ENUM ? c->type->def->fields[i].name
                                                          : (i ? STR("true") : STR("false"));
        strbuf_addf(&b, "%s%.*s", b.n ? ", " : "", STR_FMT(name));
    }
    if (c->values_n == 0 && c->type->optional && !c->some)
        strbuf_adds(&b, "some x");
    if (c->type->optional && !c->none)
        strbuf_addf(&b, "%snone", b.n ? ", " : "");
    if (b.failed)
        ctx_nomem(k->c);
    return strbuf_str(&b);
}

static void incomplete(struct checker *k, const struct stmt *s, const struct cover *c)
{
    struct str missing = missing_values(k, c);
    struct lang_span head =
        span_join((struct lang_span){s->span.source, s->span.from, s->span.from}, s->value->span);
    struct lang_diag *d =
        missing.n > 0 ? diag_error(k->c, "T1", head, "not complete",
                                   "this `match` has no arm for %.*s", STR_FMT(missing))
                      : diag_error(k->c, "T1", head, "not complete",
                                   "this `match` does not say what holds for every other value");
    if (c->type->kind == LANG_TYPE_ENUM)
        for (size_t i = 0; i < k->syntax->types.n; i++)
            if (k->syntax->types.v[i]->def == c->type->def)
                diag_mark(k->c, d, k->syntax->types.v[i]->name.span, "declared here");
    if (missing.n > 0 && !memchr(missing.p, ',', missing.n))
        diag_help(k->c, d, "add it:  %.*s => …", STR_FMT(missing));
    else
        diag_help(k->c, d, "add arms, or  _ => …  for all that is left");
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool can_match(struct checker *k, const struct expr *e)
{
    const struct lang_type *t = &e->type;
    if (t->kind == LANG_TYPE_BOOL || t->kind == LANG_TYPE_INT || t->kind == LANG_TYPE_FLOAT ||
        t->kind == LANG_TYPE_STR || t->kind == LANG_TYPE_ENUM)
        return true;
    if (t->optional && t->kind != LANG_TYPE_NONE)
        return true;
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "can't be matched",
                                     "`match` can't take %.*s apart", STR_FMT(type_phrase(k, t)));
    diag_help(k->c, d, "match one of its parts, or use `if`");
    return false;
}

static void arms_alone(struct checker *k, struct stmt *s)
{
    for (size_t i = 0; i < s->arms_n; i++) {
        size_t scope = k->frame->names.all.n;
        struct lang_type t = type_plain(LANG_TYPE_NONE);
        for (size_t p = 0; p < s->arms[i].patterns_n; p++)
            if (s->arms[i].patterns[p].kind == PATTERN_SOME)
                (void)local_add(k, s->arms[i].patterns[p].name, &t, false, false);
        check_stmts(k, &s->arms[i].body);
        names_end(k, scope);
    }
}

void check_match(struct checker *k, struct stmt *s)
{
    if (!check_value(k, s->value, NULL, OWN_STORED) || !can_match(k, s->value)) {
        arms_alone(k, s);
        return;
    }
    struct lang_type type = s->value->type;
    struct cover c;
    cover_init(k, &c, &type);
    bool bad = s->body.damaged;
    for (size_t i = 0; i < s->arms_n; i++) {
        struct arm *arm = &s->arms[i];
        size_t scope = k->frame->names.all.n;
        for (size_t p = 0; p < arm->patterns_n; p++) {
            check_pattern(k, &c, &arm->patterns[p], arm->patterns_n == 1);
            bad = bad || (arm->patterns[p].a && arm->patterns[p].a->bad);
        }
        check_stmts(k, &arm->body);
        names_end(k, scope);
    }
    if (!complete(&c) && !bad)
        incomplete(k, s, &c);
}
