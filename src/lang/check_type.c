/* Types and units: what goes with what. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

struct str type_phrase(struct checker *k, const struct lang_type *t)
{
    struct str name = lang_type_name(t);
    if (t->kind == LANG_TYPE_NONE)
        return name;
    if (t->kind == LANG_TYPE_FLOAT && t->unit.symbol.n > 0)
        return ctx_strf(k->c, "in %.*s", STR_FMT(name));
    bool vowel = name.n > 0 && memchr("aeiouAEIOU", name.p[0], 10) != NULL;
    return ctx_strf(k->c, "%s %.*s", vowel ? "an" : "a", STR_FMT(name));
}

bool is_number(const struct lang_type *t)
{
    return t->kind == LANG_TYPE_INT || t->kind == LANG_TYPE_FLOAT;
}

struct lang_type type_plain(enum lang_type_kind kind)
{
    return (struct lang_type){.kind = kind, .unit = unit_plain()};
}

bool units_match(const struct lang_unit *a, const struct lang_unit *b)
{
    if (!lang_unit_same_dim(a, b) || a->affine != b->affine)
        return false;
    return a->ratio == b->ratio || a->either || b->either;
}

/* "a temperature (°C)", "a plain number" */
static struct str side(struct checker *k, const struct lang_unit *u)
{
    const char *q = unit_quantity(u);
    if (unit_is_plain(u))
        return STR("a number without a unit");
    if (q[0] == '\0' || u->symbol.n == 0)
        return ctx_strf(k->c, "in %.*s", STR_FMT(u->symbol));
    return ctx_strf(k->c, "a %s (%.*s)", q, STR_FMT(u->symbol));
}

static struct str shown_unit(const struct lang_unit *u)
{
    return u->symbol.n > 0 ? u->symbol : STR("a plain number");
}

/* 0.8 of something in % means 80 %. */
static void help_number(struct checker *k, struct lang_diag *d, const struct expr *number,
                        const struct lang_unit *u)
{
    if (u->ratio && number->kind == E_NUMBER && number->number <= 1)
        diag_help(k->c, d, "give the number its unit:  %g %.*s", number->number / u->scale,
                  STR_FMT(u->symbol));
    else
        diag_help(k->c, d, "give the number its unit:  %.*s %.*s",
                  STR_FMT(ctx_text(k->c, number->span)), STR_FMT(u->symbol));
}

static void help_units(struct checker *k, struct lang_diag *d, const struct expr *a,
                       const struct expr *b)
{
    const struct lang_unit *x = &a->type.unit, *y = &b->type.unit;
    const struct expr *plain = unit_is_plain(y) ? b : unit_is_plain(x) ? a : NULL;
    const struct lang_unit *other = plain == b ? x : y;
    if (plain && (plain->kind == E_INT || plain->kind == E_NUMBER)) {
        help_number(k, d, plain, other);
    } else if (lang_unit_same_dim(x, y) && x->affine != y->affine) {
        const struct lang_unit *deg = x->affine ? x : y;
        diag_help(k->c, d, "K is a difference of temperatures; a temperature is given in %.*s",
                  STR_FMT(deg->symbol));
    } else if (x->symbol.n > 0 && !unit_is_plain(y)) {
        diag_help(k->c, d, "both sides must be the same quantity, as in  %.*s %s 10 %.*s",
                  STR_FMT(ctx_text(k->c, a->span)), "<", STR_FMT(x->symbol));
    }
}

void units_differ(struct checker *k, const struct expr *a, const struct expr *b,
                  struct lang_span at, const char *verb)
{
    struct str x = shown_unit(&a->type.unit), y = shown_unit(&b->type.unit);
    char label[160];
    (void)snprintf(label, sizeof(label), "%.*s %s %.*s", STR_FMT(x), verb, STR_FMT(y));
    struct lang_diag *d =
        diag_error(k->c, "U1", at, "units differ", "%.*s %s %.*s", STR_FMT(x), verb, STR_FMT(y));
    diag_mark(k->c, d, a->span, "%.*s", STR_FMT(side(k, &a->type.unit)));
    diag_mark(k->c, d, b->span, "%.*s", STR_FMT(side(k, &b->type.unit)));
    help_units(k, d, a, b);
}

bool check_fits(struct checker *k, const struct lang_type *want, const struct expr *e,
                const char *what, struct lang_span what_span)
{
    if (e->bad)
        return false;
    const struct lang_type *t = &e->type;
    struct lang_diag *d;
    if (want->kind == LANG_TYPE_FLOAT && is_number(t)) {
        if (units_match(&want->unit, &t->unit))
            return true;
        d = diag_error(k->c, "U1", e->span, "another unit", "%s is in %.*s, this is %.*s", what,
                       STR_FMT(shown_unit(&want->unit)), STR_FMT(side(k, &t->unit)));
        if (what_span.to > 0)
            diag_mark(k->c, d, what_span, "declared here");
        if (unit_is_plain(&t->unit) && (e->kind == E_INT || e->kind == E_NUMBER))
            help_number(k, d, e, &want->unit);
        return false;
    }
    if (want->kind == t->kind)
        return true;
    d = diag_error(k->c, "T1", e->span, "wrong type", "%s is %.*s, this is %.*s", what,
                   STR_FMT(type_phrase(k, want)), STR_FMT(type_phrase(k, t)));
    if (what_span.to > 0)
        diag_mark(k->c, d, what_span, "declared here");
    if (want->kind == LANG_TYPE_INT && t->kind == LANG_TYPE_FLOAT)
        diag_help(k->c, d, "round(…) makes a whole number of one without a unit");
    if (want->kind == LANG_TYPE_STR)
        diag_help(k->c, d, "a text with a value in it is written \"{…}\"");
    return false;
}

static void unknown_type(struct checker *k, struct lang_span span, struct str name)
{
    struct suggest s = suggest_for(k->c, name);
    static const char *const words[] = {"bool", "int", "float", "str", "duration", "time"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        suggest_offer(&s, str_from(words[i]));
    for (size_t i = 0; i < k->syntax->decls.n; i++)
        if (k->syntax->decls.v[i].decl->kind->role == LANG_ROLE_TYPE)
            suggest_offer(&s, k->syntax->decls.v[i].decl->name);
    struct str unit = unit_suggest(name);
    bool compound = false;
    for (size_t i = 0; i < name.n; i++)
        compound =
            compound || name.p[i] == '/' || name.p[i] == '*' || (unsigned char)name.p[i] > 127;
    struct lang_diag *d;
    if (compound || unit.n > 0)
        d = diag_error(k->c, "U2", span, "unknown unit", "there is no unit `%.*s`", STR_FMT(name));
    else
        d = diag_error(k->c, "N1", span, "unknown", "there is no type, unit or model `%.*s`",
                       STR_FMT(name));
    if (unit.n > 0)
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(unit));
    else if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d, "types are bool, int, float, str, duration, a unit like °C, or a model");
}

bool type_resolve(struct checker *k, const struct type_ref *ref, struct lang_type *out)
{
    if (ref->syntax->shape != TYPE_SHAPE_NAME || ref->syntax->optional) {
        *out = type_plain(LANG_TYPE_NONE);
        (void)diag_error(k->c, "P1", ref->span, "not available yet",
                         "this type is not available in this version");
        return false;
    }
    if (type_of_text(k->c, ref->span, out))
        return true;
    struct str name = ctx_text(k->c, ref->span);
    *out = (struct lang_type){.kind = LANG_TYPE_HANDLE, .unit = unit_plain()};
    out->model = find_type(k, name);
    if (out->model)
        return true;
    unknown_type(k, ref->span, name);
    return false;
}

/* "kWh/(m³/h)": a compound on the right needs brackets. */
static struct str right_symbol(struct checker *k, struct str s, int sign)
{
    bool compound = false;
    for (size_t i = 0; i < s.n; i++)
        compound = compound || s.p[i] == '/' ||
                   (sign < 0 &&
                    (s.p[i] == '*' || (i + 1 < s.n && s.p[i] == '\xC2' && s.p[i + 1] == '\xB7')));
    return compound ? ctx_strf(k->c, "(%.*s)", STR_FMT(s)) : s;
}

struct lang_unit unit_product(struct checker *k, const struct lang_unit *a,
                              const struct lang_unit *b, int sign)
{
    struct lang_unit plain = unit_plain();
    bool a_number = lang_unit_same_dim(a, &plain), b_number = lang_unit_same_dim(b, &plain);
    if (a_number && b_number) {
        struct lang_unit u = plain;
        u.either = a->ratio || b->ratio || a->either || b->either;
        return u;
    }
    if (b_number)
        return *a;
    if (a_number && sign > 0)
        return *b;
    struct lang_unit u = unit_combine(a, b, sign);
    if (u.either) {
        plain.either = true;
        return plain;
    }
    struct str left = a_number ? STR("1") : a->symbol;
    if (a_number)
        u.scale = 1 / b->scale;
    u.symbol = ctx_strf(k->c, sign > 0 ? "%.*s·%.*s" : "%.*s/%.*s", STR_FMT(left),
                        STR_FMT(right_symbol(k, b->symbol, sign)));
    return u;
}
