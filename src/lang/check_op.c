/* Operators with two sides: their types, their units, and their values where both sides are
 * constant. */
#include "lang/check_internal.h"

#include <math.h>

static const char *const signs[] = {"==", "!=", "<", "<=", ">",   ">=", "and", "or",
                                    "+",  "-",  "*", "/",  "mod", "in", "??"};

static void wrong_types(struct checker *k, struct expr *e, const char *hint)
{
    struct str a = type_text(k, &e->a->type), b = type_text(k, &e->b->type);
    struct lang_diag *d =
        diag_error(k->c, "T1", e->op_span, "does not go with these",
                   "`%s` can't stand between %.*s and %.*s", signs[e->op], STR_FMT(a), STR_FMT(b));
    diag_mark(k->c, d, e->a->span, "%.*s", STR_FMT(a));
    diag_mark(k->c, d, e->b->span, "%.*s", STR_FMT(b));
    if (hint)
        diag_help(k->c, d, "%s", hint);
    expr_bad(e);
}

/* Both sides are there, or the one that may not be is told. */
static bool sides_present(struct checker *k, struct expr *e)
{
    const char *what = quoted(k, str_from(signs[e->op]));
    struct expr *sides[] = {e->a, e->b};
    bool fine = true;
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        if (sides[i]->type.optional) {
            may_be_none(k, sides[i], what);
            fine = false;
        }
    if (!fine)
        expr_bad(e);
    return fine;
}

static void check_logic(struct checker *k, struct expr *e)
{
    e->type = type_plain(LANG_TYPE_BOOL);
    if (e->a->type.kind == LANG_TYPE_BOOL && e->b->type.kind == LANG_TYPE_BOOL)
        return;
    wrong_types(k, e,
                is_number(&e->a->type) || is_number(&e->b->type)
                    ? "both sides are comparisons or bools, as in  a > 1 and b > 1"
                    : NULL);
}

/* ---- comparisons ------------------------------------------------------------------------- */

static bool equality(const struct expr *e)
{
    return e->op == OP_EQ || e->op == OP_NE;
}

/* x == none */
static void compare_none(struct checker *k, struct expr *e)
{
    struct expr *none = is_none(&e->b->type) ? e->b : e->a, *other = none == e->a ? e->b : e->a;
    if (!equality(e) || is_none(&other->type)) {
        wrong_types(k, e, "`none` is compared by == or != with something that may be none");
        return;
    }
    if (!other->type.optional) {
        struct lang_diag *d =
            diag_error(k->c, "T1", e->op_span, "always the same", "this is %.*s and never none",
                       STR_FMT(type_phrase(k, &other->type)));
        diag_mark(k->c, d, other->span, "%.*s", STR_FMT(type_text(k, &other->type)));
        if (other->ref == REF_READ)
            diag_help(k->c, d, "whether a reading is there is asked with `stale`");
        expr_bad(e);
        return;
    }
    none_settle(none, &other->type);
}

static void not_comparable(struct checker *k, struct expr *e)
{
    const struct lang_type *a = &e->a->type;
    const char *hint = NULL;
    if (a->kind == e->b->type.kind && !equality(e)) {
        if (a->kind == LANG_TYPE_BOOL)
            hint = "bools are compared with == or !=";
        else if (a->kind == LANG_TYPE_ENUM)
            hint = "the values of an enum have no order: compare them with == or !=";
    } else if (a->kind == LANG_TYPE_CHAN || a->kind == LANG_TYPE_FN) {
        hint = "channels and functions are not compared";
    }
    wrong_types(k, e, hint);
}

static void check_compare(struct checker *k, struct expr *e)
{
    const struct lang_type *a = &e->a->type, *b = &e->b->type;
    e->type = type_plain(LANG_TYPE_BOOL);
    if (is_none(a) || is_none(b)) {
        compare_none(k, e);
        return;
    }
    if (!sides_present(k, e))
        return;
    if (is_number(a) && is_number(b)) {
        if (units_match(&a->unit, &b->unit))
            return;
        units_differ(k, e->a, e->b, e->op_span, "compared with");
        expr_bad(e);
        return;
    }
    bool fine = equality(e) ? type_copyable(k, a) : a->kind == LANG_TYPE_TIME;
    if (!fine || !type_same(a, b))
        not_comparable(k, e);
}

/* ---- in, ?? ------------------------------------------------------------------------------ */

static void check_in(struct checker *k, struct expr *e)
{
    bool fine = check_value(k, e->b, NULL, OWN_STORED);
    const struct lang_type *t = &e->b->type;
    bool holds = fine && (t->kind == LANG_TYPE_LIST || t->kind == LANG_TYPE_MAP);
    fine = check_value(k, e->a, holds ? &t->args[0] : NULL, OWN_STORED) && fine;
    e->type = type_plain(LANG_TYPE_BOOL);
    if (!fine) {
        expr_bad(e);
        return;
    }
    if (t->optional) {
        may_be_none(k, e->b, "`in`");
        expr_bad(e);
    } else if (!holds) {
        wrong_types(k, e,
                    t->kind == LANG_TYPE_STR
                        ? "whether a text is in another one:  b.contains(a)"
                        : "`in` asks whether a list has a value, or a map a key");
    } else if (!type_copyable(k, &t->args[0])) {
        wrong_types(k, e, "channels and functions are not compared");
    } else if (!check_fits(k, &t->args[0], e->a, "what is looked for", (struct lang_span){0})) {
        expr_bad(e);
    }
}

static void never_needed(struct checker *k, struct expr *e)
{
    const struct lang_type *a = &e->a->type;
    struct lang_diag *d = diag_error(k->c, "T1", e->op_span, "never needed",
                                     "this is %.*s and never none", STR_FMT(type_phrase(k, a)));
    diag_mark(k->c, d, e->a->span, "%.*s", STR_FMT(type_text(k, a)));
    if (e->a->ref == REF_READ)
        diag_help(k->c, d, "whether a reading is there is asked with `stale`");
    else
        diag_help(k->c, d, "leave `??` and what follows it out");
    expr_bad(e);
}

static void check_coalesce(struct checker *k, struct expr *e, const struct lang_type *want)
{
    struct lang_type hint = want ? type_optional(*want) : type_plain(LANG_TYPE_NONE);
    bool fine = check_value(k, e->a, want ? &hint : NULL, OWN_STORED);
    struct lang_type a = e->a->type;
    fine = check_value(k, e->b, fine && !is_none(&a) ? &a : want, OWN_STORED) && fine;
    if (!fine) {
        expr_bad(e);
    } else if (!a.optional) {
        never_needed(k, e);
    } else if (is_none(&a)) { /* none ?? x */
        struct lang_type some = type_optional(e->b->type);
        e->type = e->b->type;
        if (!is_none(&some))
            none_settle(e->a, &some);
    } else {
        a.optional = e->b->type.optional;
        if (check_fits(k, &a, e->b, "what stands in for it", e->a->span))
            e->type = a;
        else
            expr_bad(e);
    }
}

/* ---- sums and products ------------------------------------------------------------------- */

/* time - time is a duration, time ± duration a time. */
static void check_time_sum(struct checker *k, struct expr *e)
{
    const struct lang_type *a = &e->a->type, *b = &e->b->type;
    struct lang_type seconds = type_seconds();
    bool ta = a->kind == LANG_TYPE_TIME, tb = b->kind == LANG_TYPE_TIME;
    bool da = is_number(a) && units_match(&a->unit, &seconds.unit);
    bool db = is_number(b) && units_match(&b->unit, &seconds.unit);
    bool sum = e->op == OP_ADD || e->op == OP_SUB;
    if (ta && tb && e->op == OP_SUB)
        e->type = seconds;
    else if ((ta && db && sum) || (da && tb && e->op == OP_ADD))
        e->type = type_plain(LANG_TYPE_TIME);
    else
        wrong_types(k, e, "time - time is a duration; a duration is added to or taken from a time");
}

static void affine_misused(struct checker *k, struct expr *e, const char *what)
{
    const struct expr *t = e->a->type.unit.affine ? e->a : e->b;
    struct lang_diag *d = diag_error(k->c, "U1", e->op_span, what, "%.*s %s %.*s",
                                     STR_FMT(lang_type_name(&e->a->type)), signs[e->op],
                                     STR_FMT(lang_type_name(&e->b->type)));
    diag_mark(k->c, d, t->span, "a temperature with a zero of its own");
    diag_help(k->c, d, "only differences in K can be added or multiplied; %.*s - %.*s is K",
              STR_FMT(t->type.unit.symbol), STR_FMT(t->type.unit.symbol));
    expr_bad(e);
}

/* °C - °C is K, °C ± K is °C, K + °C is °C; the rest is wrong. */
static void check_affine_sum(struct checker *k, struct expr *e)
{
    const struct lang_unit *a = &e->a->type.unit, *b = &e->b->type.unit;
    if (a->affine && b->affine && e->op == OP_ADD) {
        affine_misused(k, e, "temperatures can't be added");
        return;
    }
    if (a->affine && b->affine) {
        e->type.unit = unit_difference(a);
        return;
    }
    if (b->affine && e->op == OP_SUB) {
        affine_misused(k, e, "a temperature can't be taken from a difference");
        return;
    }
    e->type.unit = a->affine ? *a : *b;
}

static void check_sum(struct checker *k, struct expr *e)
{
    const struct lang_unit *a = &e->a->type.unit, *b = &e->b->type.unit;
    bool ints = e->a->type.kind == LANG_TYPE_INT && e->b->type.kind == LANG_TYPE_INT;
    e->type = ints ? type_plain(LANG_TYPE_INT) : e->a->type;
    e->type.kind = ints ? LANG_TYPE_INT : LANG_TYPE_FLOAT;
    if (!lang_unit_same_dim(a, b) || (a->affine == b->affine && !units_match(a, b))) {
        units_differ(k, e->a, e->b, e->op_span, signs[e->op]);
        expr_bad(e);
        return;
    }
    if (a->affine || b->affine) {
        check_affine_sum(k, e);
        return;
    }
    if (a->either && !b->either)
        e->type.unit = *b;
}

static void check_product(struct checker *k, struct expr *e)
{
    const struct lang_unit *a = &e->a->type.unit, *b = &e->b->type.unit;
    if (a->affine || b->affine) {
        affine_misused(k, e, "has a zero of its own");
        return;
    }
    bool ints = e->a->type.kind == LANG_TYPE_INT && e->b->type.kind == LANG_TYPE_INT;
    e->type = type_plain(ints ? LANG_TYPE_INT : LANG_TYPE_FLOAT);
    if (ints)
        return;
    if (e->op != OP_MOD) {
        e->type.unit = unit_product(k, a, b, e->op == OP_MUL ? 1 : -1);
        return;
    }
    if (!units_match(a, b)) {
        units_differ(k, e->a, e->b, e->op_span, "mod");
        expr_bad(e);
        return;
    }
    e->type.unit = *a;
}

static double as_float(const struct expr *e)
{
    return e->type.kind == LANG_TYPE_INT ? (double)e->value.i : e->value.f;
}

static bool fold_ints(struct checker *k, struct expr *e)
{
    int64_t a = e->a->value.i, b = e->b->value.i, r = 0;
    bool over = false;
    if ((e->op == OP_DIV || e->op == OP_MOD) && b == 0) {
        (void)diag_error(k->c, "T1", e->op_span, "by zero", "this divides by zero");
        return false;
    }
    switch (e->op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &r); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &r); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &r); break;
    case OP_DIV:
        over = a == INT64_MIN && b == -1;
        r = over ? 0 : a / b;
        break;
    default: r = b == -1 ? 0 : a % b; break;
    }
    over |= r == INT64_MIN; /* which stands for none */
    if (over)
        (void)diag_error(k->c, "T1", e->op_span, "too large", "this number is too large");
    e->value.i = r;
    return !over;
}

/* Of a pair in which NaN may be none of the three. */
static int64_t compare(enum expr_op op, bool less, bool same, bool more)
{
    switch (op) {
    case OP_EQ: return same;
    case OP_NE: return !same;
    case OP_LT: return less;
    case OP_LE: return less || same;
    case OP_GT: return more;
    default: return more || same;
    }
}

static void fold_floats(struct expr *e)
{
    double a = as_float(e->a), b = as_float(e->b);
    switch (e->op) {
    case OP_ADD: e->value.f = a + b; break;
    case OP_SUB: e->value.f = a - b; break;
    case OP_MUL: e->value.f = a * b; break;
    case OP_DIV: e->value.f = a / b; break;
    default: e->value.f = fmod(a, b); break;
    }
}

static bool none_value(const struct expr *e)
{
    union lang_slot none = type_none_slot(&e->type);
    if (!e->type.optional)
        return false;
    return e->type.kind == LANG_TYPE_FLOAT ? isnan(e->value.f) : e->value.i == none.i;
}

static int64_t fold_compare(const struct expr *e)
{
    const struct expr *a = e->a, *b = e->b;
    if (a->type.optional || b->type.optional)
        return (none_value(a) == none_value(b)) == (e->op == OP_EQ);
    if (a->type.kind == LANG_TYPE_STR)
        return str_eq(a->text_value, b->text_value) == (e->op == OP_EQ);
    if (a->type.kind == LANG_TYPE_FLOAT || b->type.kind == LANG_TYPE_FLOAT) {
        double x = as_float(a), y = as_float(b);
        return compare(e->op, x<y, x == y, x> y);
    }
    int64_t x = a->value.i, y = b->value.i;
    return compare(e->op, x<y, x == y, x> y);
}

static void fold_binary(struct checker *k, struct expr *e)
{
    const struct expr *a = e->a, *b = e->b;
    if (e->bad || !a->constant || !b->constant)
        return;
    e->constant = true;
    if (e->op == OP_AND || e->op == OP_OR) {
        e->value.i = e->op == OP_AND ? a->value.i && b->value.i : a->value.i || b->value.i;
    } else if (e->op <= OP_GE) {
        e->value.i = fold_compare(e);
    } else if (e->type.kind == LANG_TYPE_INT) {
        if (!fold_ints(k, e))
            expr_bad(e);
    } else {
        fold_floats(e);
    }
}

void check_operator(struct checker *k, struct expr *e)
{
    if (e->op <= OP_GE) {
        check_compare(k, e);
    } else if (!sides_present(k, e)) {
        return;
    } else if (e->op == OP_AND || e->op == OP_OR) {
        check_logic(k, e);
    } else if (e->a->type.kind == LANG_TYPE_TIME || e->b->type.kind == LANG_TYPE_TIME) {
        check_time_sum(k, e);
    } else if (!is_number(&e->a->type) || !is_number(&e->b->type)) {
        bool text = e->a->type.kind == LANG_TYPE_STR || e->b->type.kind == LANG_TYPE_STR;
        wrong_types(k, e, text ? "texts are put together as in \"{a} and {b}\"" : NULL);
    } else if (e->op == OP_ADD || e->op == OP_SUB) {
        check_sum(k, e);
    } else {
        check_product(k, e);
    }
}

void check_binary(struct checker *k, struct expr *e, const struct lang_type *want)
{
    if (e->op == OP_IN) {
        check_in(k, e);
        return;
    }
    if (e->op == OP_COALESCE) {
        check_coalesce(k, e, want);
        return;
    }
    bool fine = check_value(k, e->a, NULL, OWN_STORED);
    if (!check_value(k, e->b, NULL, OWN_STORED) || !fine) {
        expr_bad(e);
        return;
    }
    check_operator(k, e);
    fold_binary(k, e);
}
