/* Operators with two sides: their types, their units, and their values where both sides are
 * constant. */
#include "lang/check_internal.h"

#include <math.h>

static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">=", "and",
                                    "or", "+",  "-", "*",  "/", "mod"};

static void bad(struct expr *e)
{
    e->bad = true;
    e->type = type_plain(LANG_TYPE_NONE);
}

static void wrong_types(struct checker *k, struct expr *e, const char *hint)
{
    struct lang_diag *d = diag_error(
        k->c, "T1", e->op_span, "does not go with these", "`%s` can't stand between %.*s and %.*s",
        signs[e->op], STR_FMT(lang_type_name(&e->a->type)), STR_FMT(lang_type_name(&e->b->type)));
    diag_mark(k->c, d, e->a->span, "%.*s", STR_FMT(lang_type_name(&e->a->type)));
    diag_mark(k->c, d, e->b->span, "%.*s", STR_FMT(lang_type_name(&e->b->type)));
    if (hint)
        diag_help(k->c, d, "%s", hint);
    bad(e);
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

static void check_compare(struct checker *k, struct expr *e)
{
    const struct lang_type *a = &e->a->type, *b = &e->b->type;
    e->type = type_plain(LANG_TYPE_BOOL);
    if (is_number(a) && is_number(b)) {
        if (units_match(&a->unit, &b->unit))
            return;
        units_differ(k, e->a, e->b, e->op_span, "compared with");
        bad(e);
        return;
    }
    bool equality = e->op == OP_EQ || e->op == OP_NE;
    if (a->kind == b->kind && equality && (a->kind == LANG_TYPE_BOOL || a->kind == LANG_TYPE_STR))
        return;
    if (a->kind == b->kind && a->kind == LANG_TYPE_TIME)
        return;
    wrong_types(k, e,
                a->kind == b->kind && a->kind == LANG_TYPE_BOOL ? "bools are compared with == or !="
                                                                : NULL);
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
    bad(e);
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
        bad(e);
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
        bad(e);
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
    if (over)
        (void)diag_error(k->c, "T1", e->op_span, "too large", "this number is too large");
    e->value.i = r;
    return !over;
}

static int64_t compare(enum expr_op op, double a, double b)
{
    switch (op) {
    case OP_EQ: return a == b;
    case OP_NE: return a != b;
    case OP_LT: return a < b;
    case OP_LE: return a <= b;
    case OP_GT: return a > b;
    default: return a >= b;
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

void fold_binary(struct checker *k, struct expr *e)
{
    const struct expr *a = e->a, *b = e->b;
    if (e->bad || !a->constant || !b->constant)
        return;
    e->constant = true;
    if (e->op == OP_AND || e->op == OP_OR) {
        e->value.i = e->op == OP_AND ? a->value.i && b->value.i : a->value.i || b->value.i;
    } else if (e->op <= OP_GE) {
        if (a->type.kind == LANG_TYPE_STR)
            e->value.i = str_eq(a->text_value, b->text_value) == (e->op == OP_EQ);
        else if (a->type.kind == LANG_TYPE_FLOAT || b->type.kind == LANG_TYPE_FLOAT)
            e->value.i = compare(e->op, as_float(a), as_float(b));
        else
            e->value.i = e->op == OP_EQ   ? a->value.i == b->value.i
                         : e->op == OP_NE ? a->value.i != b->value.i
                         : e->op == OP_LT ? a->value.i < b->value.i
                         : e->op == OP_LE ? a->value.i <= b->value.i
                         : e->op == OP_GT ? a->value.i > b->value.i
                                          : a->value.i >= b->value.i;
    } else if (e->type.kind == LANG_TYPE_INT) {
        if (!fold_ints(k, e))
            bad(e);
    } else {
        fold_floats(e);
    }
}

void check_binary(struct checker *k, struct expr *e)
{
    check_expr(k, e->a);
    check_expr(k, e->b);
    if (e->a->bad || e->b->bad) {
        bad(e);
        return;
    }
    if (e->op == OP_AND || e->op == OP_OR) {
        check_logic(k, e);
    } else if (e->op <= OP_GE) {
        check_compare(k, e);
    } else if (!is_number(&e->a->type) || !is_number(&e->b->type)) {
        bool text = e->a->type.kind == LANG_TYPE_STR || e->b->type.kind == LANG_TYPE_STR;
        wrong_types(k, e, text ? "texts are put together as in \"{a} and {b}\"" : NULL);
    } else if (e->op == OP_ADD || e->op == OP_SUB) {
        check_sum(k, e);
    } else {
        check_product(k, e);
    }
    fold_binary(k, e);
}
