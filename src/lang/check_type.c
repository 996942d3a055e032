/* Types: what goes with what. Units are in check_unit.c, types as written in check_typeref.c. */
#include "lang/check_internal.h"

#include <string.h>

struct str type_text(struct checker *k, const struct lang_type *t)
{
    if (!t->optional && t->kind < LANG_TYPE_LIST)
        return lang_type_name(t);
    struct strbuf b;
    strbuf_init(&b, &k->c->tree_alloc, 0);
    lang_type_print(&b, t);
    if (b.failed)
        ctx_nomem(k->c);
    return strbuf_str(&b);
}

struct str type_phrase(struct checker *k, const struct lang_type *t)
{
    struct str name = type_text(k, t);
    if (t->kind == LANG_TYPE_NONE)
        return name;
    if (t->kind == LANG_TYPE_FLOAT && t->unit.symbol.n > 0 && !t->optional)
        return ctx_strf(k->c, "in %.*s", STR_FMT(name));
    bool vowel = name.n > 0 && memchr("aeiouAEIOU", name.p[0], 10) != NULL;
    return ctx_strf(k->c, "%s %.*s", vowel ? "an" : "a", STR_FMT(name));
}

bool is_number(const struct lang_type *t)
{
    return (t->kind == LANG_TYPE_INT || t->kind == LANG_TYPE_FLOAT) && !t->optional;
}

bool is_data(const struct lang_type *t)
{
    return t->kind != LANG_TYPE_NONE && t->kind != LANG_TYPE_HANDLE;
}

bool is_none(const struct lang_type *t)
{
    return t->kind == LANG_TYPE_NONE && t->optional;
}

bool is_reference(const struct lang_type *t)
{
    return t->kind == LANG_TYPE_STR || t->kind >= LANG_TYPE_RECORD;
}

struct lang_type type_plain(enum lang_type_kind kind)
{
    return (struct lang_type){.kind = kind, .unit = unit_plain()};
}

struct lang_type type_seconds(void)
{
    return (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = unit_seconds()};
}

struct lang_type type_optional(struct lang_type t)
{
    t.optional = true;
    return t;
}

struct lang_type type_base(struct lang_type t)
{
    t.optional = false;
    return t;
}

struct lang_type type_element(struct lang_type t)
{
    t.unit.either = false;
    return t;
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool type_same_base(const struct lang_type *a, const struct lang_type *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case LANG_TYPE_FLOAT: return units_match(&a->unit, &b->unit);
    case LANG_TYPE_HANDLE: return a->model == b->model;
    case LANG_TYPE_ENUM:
    case LANG_TYPE_RECORD: return a->def == b->def;
    case LANG_TYPE_LIST:
    case LANG_TYPE_MAP:
    case LANG_TYPE_CHAN:
    case LANG_TYPE_FN: break;
    default: return true;
    }
    if (a->own != b->own || a->args_n != b->args_n)
        return false;
    if (a->args == b->args)
        return true;
    for (size_t i = 0; i < a->args_n; i++)
        if (!type_same(&a->args[i], &b->args[i]))
            return false;
    return true;
}

bool type_same(const struct lang_type *a, const struct lang_type *b)
{
    return a->optional == b->optional && type_same_base(a, b);
}

/* A channel, a function or a handle is itself and nothing else: it has no copy and no equal. */
bool type_copyable(const struct checker *k, const struct lang_type *t)
{
    if (t->kind == LANG_TYPE_HANDLE || t->kind == LANG_TYPE_CHAN || t->kind == LANG_TYPE_FN)
        return false;
    if (t->kind == LANG_TYPE_RECORD)
        return !k->uncopyable[t->def->index];
    for (size_t i = 0; i < t->args_n; i++)
        if (!type_copyable(k, &t->args[i]))
            return false;
    return true;
}

/* ---- composite types --------------------------------------------------------------------- */

static void key_add(struct strbuf *b, const struct lang_type *t)
{
    const void *addresses[] = {t->model, t->def, t->args};
    uint8_t head[] = {(uint8_t)t->kind, t->optional, t->own, t->args_n};
    strbuf_add(b, (const char *)head, sizeof(head));
    strbuf_add(b, (const char *)addresses, sizeof(addresses));
    strbuf_add(b, (const char *)t->unit.dim, sizeof(t->unit.dim));
    uint8_t flags[] = {t->unit.affine, t->unit.ratio, (uint8_t)t->unit.symbol.n};
    strbuf_add(b, (const char *)flags, sizeof(flags));
    strbuf_addstr(b, t->unit.symbol);
}

const struct lang_type *types_intern(struct checker *k, const struct lang_type *v, size_t n)
{
    struct strbuf key;
    strbuf_init(&key, &k->c->tree_alloc, 0);
    for (size_t i = 0; i < n; i++)
        key_add(&key, &v[i]);
    if (key.failed)
        ctx_nomem(k->c);
    struct lang_type *known = map_get(&k->args, strbuf_str(&key));
    if (known)
        return known;
    struct lang_type *copy = ctx_array(k->c, n, sizeof(*copy));
    memcpy(copy, v, n * sizeof(*copy));
    map_set(k, &k->args, strbuf_str(&key), copy);
    return copy;
}

struct lang_type type_list(struct checker *k, const struct lang_type *element)
{
    struct lang_type e = type_element(*element), t = type_plain(LANG_TYPE_LIST);
    t.args = types_intern(k, &e, 1);
    t.args_n = 1;
    return t;
}

struct lang_type type_map(struct checker *k, const struct lang_type *key,
                          const struct lang_type *value)
{
    struct lang_type args[] = {type_element(*key), type_element(*value)};
    struct lang_type t = type_plain(LANG_TYPE_MAP);
    t.args = types_intern(k, args, 2);
    t.args_n = 2;
    return t;
}

union lang_slot type_none_slot(const struct lang_type *t)
{
    union lang_slot s = {.i = 0};
    switch (t->kind) {
    case LANG_TYPE_BOOL: s.i = CODE_UNKNOWN; break;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: s.i = INT64_MIN; break;
    case LANG_TYPE_FLOAT: s.f = __builtin_nan(""); break;
    case LANG_TYPE_ENUM: s.i = -1; break;
    default: break; /* references: NULL */
    }
    return s;
}

/* ---- what fits --------------------------------------------------------------------------- */

void may_be_none(struct checker *k, const struct expr *e, const char *what)
{
    struct str text = ctx_text(k->c, e->span);
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "may be none",
                                     "%s wants a value, this is %.*s and may be none", what,
                                     STR_FMT(type_phrase(k, &e->type)));
    const struct sym *s = e->kind == E_PATH && e->path_n == 1 ? sym_find(k, e->path[0].text) : NULL;
    if (s)
        diag_mark(k->c, d, s->span, "%.*s", STR_FMT(type_text(k, &e->type)));
    diag_help(k->c, d, "say what holds then:  %.*s ?? …   or ask first:  if let v = %.*s { … }",
              STR_FMT(text), STR_FMT(text));
}

static void never_none(struct checker *k, const struct lang_type *want, const struct expr *e,
                       const char *what, struct lang_span what_span)
{
    struct str name = type_text(k, want);
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "can't be none", "%s is %.*s, never none",
                                     what, STR_FMT(type_phrase(k, want)));
    if (what_span.to > 0) {
        diag_mark(k->c, d, what_span, "declared here");
        diag_help(k->c, d, "a value that may be missing is of type `%.*s?`", STR_FMT(name));
    }
}

/* A number where another one is wanted: units decide. */
static bool number_fits(struct checker *k, const struct lang_type *want, const struct expr *e,
                        const char *what, struct lang_span what_span)
{
    const struct lang_unit *u = &e->type.unit;
    if (units_match(&want->unit, u))
        return true;
    struct lang_diag *d =
        diag_error(k->c, "U1", e->span, "another unit", "%s is %s%.*s, this is %.*s", what,
                   unit_is_plain(&want->unit) ? "" : "in ",
                   STR_FMT(unit_is_plain(&want->unit) ? STR("a plain number") : want->unit.symbol),
                   STR_FMT(unit_side(k, u)));
    if (what_span.to > 0)
        diag_mark(k->c, d, what_span, "declared here");
    if (unit_is_plain(u) && (e->kind == E_INT || e->kind == E_NUMBER))
        unit_help_number(k, d, e, &want->unit);
    return false;
}

static void wrong_type(struct checker *k, const struct lang_type *want, const struct expr *e,
                       const char *what, struct lang_span what_span)
{
    const struct lang_type *t = &e->type;
    struct lang_diag *d =
        diag_error(k->c, "T1", e->span, "wrong type", "%s is %.*s, this is %.*s", what,
                   STR_FMT(type_phrase(k, want)), STR_FMT(type_phrase(k, t)));
    if (what_span.to > 0)
        diag_mark(k->c, d, what_span, "declared here");
    if (want->kind == LANG_TYPE_INT && t->kind == LANG_TYPE_FLOAT && unit_is_plain(&t->unit))
        diag_help(k->c, d, "round(…) makes a whole number of one without a unit");
    else if (want->kind == LANG_TYPE_STR)
        diag_help(k->c, d, "a text with a value in it is written \"{…}\"");
    else if (want->kind == t->kind && t->kind == LANG_TYPE_LIST)
        diag_help(k->c, d, "make a new list of its elements:  %.*s.map(v => %s)",
                  STR_FMT(ctx_text(k->c, e->span)),
                  is_number(&want->args[0]) && is_number(&t->args[0]) ? "float(v)" : "…");
}

bool check_fits(struct checker *k, const struct lang_type *want, struct expr *e, const char *what,
                struct lang_span what_span)
{
    if (e->bad)
        return false;
    const struct lang_type *t = &e->type;
    if (is_none(t)) {
        if (!want->optional) {
            never_none(k, want, e, what, what_span);
            return false;
        }
        none_settle(e, want);
        return true;
    }
    bool numbers = want->kind == LANG_TYPE_FLOAT &&
                   (t->kind == LANG_TYPE_FLOAT || (t->kind == LANG_TYPE_INT && !t->optional));
    if (numbers ? !number_fits(k, want, e, what, what_span) : !type_same_base(want, t)) {
        if (!numbers)
            wrong_type(k, want, e, what, what_span);
        return false;
    }
    if (t->optional && !want->optional) {
        may_be_none(k, e, what);
        return false;
    }
    return true;
}

bool unify(struct checker *k, struct lang_type *type, const struct lang_type *first_type,
           const struct expr *first, struct expr *e, const char *what)
{
    const struct lang_type *t = &e->type;
    if (is_none(t)) {
        type->optional = true;
        return true;
    }
    if (is_none(type)) {
        *type = type_optional(*t);
        return true;
    }
    bool optional = type->optional || t->optional;
    struct lang_type x = type_base(*type), y = type_base(*t);
    bool fine = type_same_base(&x, &y);
    if (!fine && is_number(&x) && is_number(&y) && units_match(&x.unit, &y.unit)) {
        fine = !optional; /* none of an int is no number of a float */
        x = y.kind == LANG_TYPE_FLOAT ? y : x;
    }
    if (fine) {
        if (x.unit.either && !y.unit.either)
            x.unit = y.unit;
        *type = x;
        type->optional = optional;
        return true;
    }
    bool numbers = is_number(&x) && is_number(&y) && !units_match(&x.unit, &y.unit);
    struct lang_diag *d =
        diag_error(k->c, numbers ? "U1" : "T1", e->span, "another type", "%s is %.*s, this is %.*s",
                   what, STR_FMT(type_phrase(k, first_type)), STR_FMT(type_phrase(k, t)));
    diag_mark(k->c, d, first->span, "%.*s", STR_FMT(type_text(k, first_type)));
    return false;
}
