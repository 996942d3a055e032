/* Units: which go together, and what is said when they do not. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

bool units_match(const struct lang_unit *a, const struct lang_unit *b)
{
    if (!lang_unit_same_dim(a, b) || a->affine != b->affine)
        return false;
    return a->ratio == b->ratio || a->either || b->either;
}

/* "a temperature (°C)", "a plain number" */
struct str unit_side(struct checker *k, const struct lang_unit *u)
{
    const char *q = unit_quantity(u);
    if (unit_is_plain(u))
        return STR("a number without a unit");
    if (q[0] == '\0' || u->symbol.n == 0)
        return ctx_strf(k->c, "in %.*s", STR_FMT(u->symbol));
    const char *article = strchr("aeiou", q[0]) ? "an" : "a";
    return ctx_strf(k->c, "%s %s (%.*s)", article, q, STR_FMT(u->symbol));
}

static struct str shown_unit(const struct lang_unit *u)
{
    return u->symbol.n > 0 ? u->symbol : STR("a plain number");
}

/* 0.8 of something in % means 80 %. */
void unit_help_number(struct checker *k, struct lang_diag *d, const struct expr *number,
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
                       const struct expr *b, const char *sign)
{
    const struct lang_unit *x = &a->type.unit, *y = &b->type.unit;
    const struct expr *plain = unit_is_plain(y) ? b : unit_is_plain(x) ? a : NULL;
    const struct lang_unit *other = plain == b ? x : y;
    if (plain && (plain->kind == E_INT || plain->kind == E_NUMBER)) {
        unit_help_number(k, d, plain, other);
    } else if (lang_unit_same_dim(x, y) && x->affine != y->affine) {
        const struct lang_unit *deg = x->affine ? x : y;
        diag_help(k->c, d, "K is a difference of temperatures; a temperature is given in %.*s",
                  STR_FMT(deg->symbol));
    } else if (x->symbol.n > 0 && !unit_is_plain(y)) {
        diag_help(k->c, d, "both sides must be the same quantity, as in  %.*s %s 10 %.*s",
                  STR_FMT(ctx_text(k->c, a->span)), sign, STR_FMT(x->symbol));
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
    diag_mark(k->c, d, a->span, "%.*s", STR_FMT(unit_side(k, &a->type.unit)));
    diag_mark(k->c, d, b->span, "%.*s", STR_FMT(unit_side(k, &b->type.unit)));
    help_units(k, d, a, b, strlen(verb) == 1 ? verb : "<");
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
