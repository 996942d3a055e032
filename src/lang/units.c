/* The scanner that reads "kg*m/s²" by the table of units (unit_table.c), and how values are shown.
 */
#include "lang/units_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Superscripts are C2 B2, C2 B3 and C2 B9; the middle dot is C2 B7. */
static bool at_mark(struct str t, size_t at, unsigned char second)
{
    return at + 1 < t.n && (unsigned char)t.p[at] == 0xC2 && (unsigned char)t.p[at + 1] == second;
}

bool unit_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' || (unsigned char)c >= 0x80;
}

static bool name_ends(struct str t, size_t at)
{
    return at >= t.n || !unit_char(t.p[at]) || at_mark(t, at, 0xB2) || at_mark(t, at, 0xB3) ||
           at_mark(t, at, 0xB9) || at_mark(t, at, 0xB7);
}

/* ², ³, ^2, ^-1, or a digit 2 or 3 right behind; 1 if there is none. */
static int exponent_scan(struct str t, size_t *at)
{
    if (at_mark(t, *at, 0xB2) || at_mark(t, *at, 0xB3)) {
        int e = (unsigned char)t.p[*at + 1] == 0xB2 ? 2 : 3;
        *at += 2;
        return e;
    }
    size_t p = *at;
    int sign = 1;
    bool caret = p < t.n && t.p[p] == '^';
    if (caret) {
        p++;
        if (p < t.n && t.p[p] == '-') {
            sign = -1;
            p++;
        }
    }
    bool digit = p < t.n && t.p[p] >= (caret ? '1' : '2') && t.p[p] <= '3';
    bool alone = p + 1 >= t.n || !((t.p[p + 1] >= '0' && t.p[p + 1] <= '9') || t.p[p + 1] == '_');
    if (!digit || !alone)
        return 1;
    *at = p + 1;
    return sign * (t.p[p] - '0');
}

static bool factor_scan(struct str t, size_t *at, struct lang_unit *out)
{
    size_t p = *at;
    while (!name_ends(t, p))
        p++;
    struct str name = str_sub(t, *at, p - *at);
    bool no_power;
    if (name.n == 0 || !unit_atom(name, out, &no_power))
        return false;
    size_t e_at = p;
    int e = exponent_scan(t, &p);
    /* "m_x" and "m1" are names, not metres */
    if (p < t.n && (t.p[p] == '_' || (t.p[p] >= '0' && t.p[p] <= '9') || unit_char(t.p[p])) &&
        !at_mark(t, p, 0xB7))
        return false;
    if (p != e_at && no_power)
        return false;
    if (p != e_at) {
        for (int i = 0; i < LANG_DIMS; i++)
            out->dim[i] = (int8_t)(out->dim[i] * e);
        out->scale = pow(out->scale, e);
        out->offset = 0;
        out->affine = out->ratio = false;
        out->symbol = str_sub(t, *at, p - *at);
    }
    *at = p;
    return true;
}

struct lang_unit unit_combine(const struct lang_unit *a, const struct lang_unit *b, int sign)
{
    struct lang_unit u = {.scale = sign > 0 ? a->scale * b->scale : a->scale / b->scale};
    bool any = false;
    for (int i = 0; i < LANG_DIMS; i++) {
        int e = a->dim[i] + sign * b->dim[i];
        u.dim[i] = (int8_t)(e > 100 ? 100 : e < -100 ? -100 : e);
        any = any || u.dim[i] != 0;
    }
    u.either = !any;
    return u;
}

size_t unit_scan(struct str t, struct lang_unit *out)
{
    size_t at = 0;
    struct lang_unit u;
    if (!factor_scan(t, &at, &u))
        return 0;
    int factors = 1;
    while (at < t.n && factors < 8) {
        size_t p = at;
        int sign = t.p[p] == '/' ? -1 : 1;
        if (t.p[p] == '/' || t.p[p] == '*')
            p++;
        else if (at_mark(t, p, 0xB7))
            p += 2;
        else
            break;
        struct lang_unit next;
        if (!factor_scan(t, &p, &next))
            break;
        u = unit_combine(&u, &next, sign);
        at = p;
        factors++;
    }
    if (factors > 1) {
        u.symbol = str_sub(t, 0, at);
        u.ratio = u.either; /* kg/kg */
        u.either = false;
    }
    *out = u;
    return at;
}

enum err lang_unit_parse(struct str text, struct lang_unit *out)
{
    return text.n > 0 && unit_scan(text, out) == text.n ? ERR_OK : ERR_SYNTAX;
}

bool lang_unit_same_dim(const struct lang_unit *a, const struct lang_unit *b)
{
    return memcmp(a->dim, b->dim, sizeof(a->dim)) == 0;
}

bool unit_is_plain(const struct lang_unit *u)
{
    for (int i = 0; i < LANG_DIMS; i++)
        if (u->dim[i] != 0)
            return false;
    return !u->ratio;
}

struct lang_unit unit_plain(void)
{
    return (struct lang_unit){.symbol = STR(""), .scale = 1};
}

struct lang_unit unit_seconds(void)
{
    struct lang_unit u;
    bool no_power, found = unit_atom(STR("s"), &u, &no_power);
    ASSERT(found);
    return u;
}

struct lang_unit unit_difference(const struct lang_unit *u)
{
    if (!u->affine)
        return *u;
    struct lang_unit k;
    bool no_power, found = unit_atom(STR("K"), &k, &no_power);
    ASSERT(found);
    return k;
}

struct lang_unit unit_per_minute(const struct lang_unit *u)
{
    struct lang_unit d = unit_difference(u), m;
    bool no_power, found = unit_atom(STR("min"), &m, &no_power);
    ASSERT(found);
    struct lang_unit r = unit_combine(&d, &m, -1);
    r.either = false;
    return r;
}

/* Four significant digits, the whole part never cut, no trailing zeros. */
static void number_print(struct strbuf *out, double v)
{
    double a = fabs(v);
    if (a >= 1e15 || (a > 0 && a < 1e-6)) {
        strbuf_addf(out, "%.3e", v);
        return;
    }
    int decimals = 3;
    if (a > 0) {
        int magnitude = (int)floor(log10(a));
        decimals = magnitude >= 3 ? 0 : 3 - magnitude;
    }
    char text[64];
    int n = snprintf(text, sizeof(text), "%.*f", decimals, v);
    ASSERT(n > 0 && (size_t)n < sizeof(text));
    size_t len = (size_t)n;
    if (decimals > 0) {
        while (text[len - 1] == '0')
            len--;
        if (text[len - 1] == '.')
            len--;
    }
    bool zero = strspn(text, "-0.") >= len;
    strbuf_add(out, zero ? "0" : text, zero ? 1 : len);
}

void lang_unit_print(struct strbuf *out, const struct lang_unit *u, double base)
{
    if (isnan(base)) {
        strbuf_adds(out, "no value");
        return;
    }
    double v = lang_unit_from_base(u, base);
    if (isinf(v))
        strbuf_adds(out, v < 0 ? "-∞" : "∞");
    else
        number_print(out, v);
    if (u->symbol.n > 0) {
        strbuf_addc(out, ' ');
        strbuf_addstr(out, u->symbol);
    }
}
