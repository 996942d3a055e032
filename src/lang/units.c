/* The table of units and the scanner that reads "kg*m/s²" by it. */
#include "lang/units_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRE_K     0x01u /* kilo */
#define PRE_M     0x02u /* mega, giga */
#define PRE_MILLI 0x04u /* milli, micro, nano */
#define PRE_C     0x08u /* centi, deci */
#define PRE_H     0x10u /* hecto */
#define PRE_ALL   (PRE_K | PRE_M | PRE_MILLI)

#define RATIO  0x100u
#define AFFINE 0x200u

struct unit_row {
    const char *name;
    const char *symbol; /* how it is shown; NULL: as named */
    double scale, offset;
    uint32_t flags;
    int8_t dim[LANG_DIMS]; /* m kg s A K mol cd rad B dB pH */
    const char *quantity;  /* on the first row of a dimension */
};

/* clang-format off */
static const struct unit_row rows[] = {
    /* ratio */
    {"%",    NULL, 0.01, 0, RATIO, {0}, "ratio"},
    {"‰",    NULL, 1e-3, 0, RATIO, {0}, NULL},
    {"ppm",  NULL, 1e-6, 0, RATIO, {0}, NULL},
    {"ppb",  NULL, 1e-9, 0, RATIO, {0}, NULL},
    /* length, area, volume */
    {"m",    NULL, 1, 0, PRE_ALL | PRE_C, {1}, "length"},
    {"in",   NULL, 0.0254, 0, 0, {1}, NULL},
    {"ft",   NULL, 0.3048, 0, 0, {1}, NULL},
    {"yd",   NULL, 0.9144, 0, 0, {1}, NULL},
    {"mi",   NULL, 1609.344, 0, 0, {1}, NULL},
    {"ha",   NULL, 1e4, 0, 0, {2}, "area"},
    {"l",    NULL, 1e-3, 0, PRE_MILLI | PRE_C | PRE_H, {3}, "volume"},
    {"L",    NULL, 1e-3, 0, PRE_MILLI, {3}, NULL},
    {"gal",  NULL, 3.785411784e-3, 0, 0, {3}, NULL},
    /* mass */
    {"kg",   NULL, 1, 0, 0, {0, 1}, "mass"},
    {"g",    NULL, 1e-3, 0, PRE_MILLI, {0, 1}, NULL},
    {"t",    NULL, 1e3, 0, PRE_K, {0, 1}, NULL},
    {"lb",   NULL, 0.45359237, 0, 0, {0, 1}, NULL},
    {"oz",   NULL, 0.028349523125, 0, 0, {0, 1}, NULL},
    /* time */
    {"s",    NULL, 1, 0, PRE_MILLI, {0, 0, 1}, "time"},
    {"min",  NULL, 60, 0, 0, {0, 0, 1}, NULL},
    {"h",    NULL, 3600, 0, 0, {0, 0, 1}, NULL},
    {"d",    NULL, 86400, 0, 0, {0, 0, 1}, NULL},
    {"Hz",   NULL, 1, 0, PRE_ALL, {0, 0, -1}, "frequency"},
    /* speed */
    {"kn",   NULL, 1852.0 / 3600.0, 0, 0, {1, 0, -1}, "speed"},
    {"mph",  NULL, 0.44704, 0, 0, {1, 0, -1}, NULL},
    /* electricity */
    {"A",    NULL, 1, 0, PRE_ALL, {0, 0, 0, 1}, "current"},
    {"Ah",   NULL, 3600, 0, PRE_ALL, {0, 0, 1, 1}, "charge"},
    {"V",    NULL, 1, 0, PRE_ALL, {2, 1, -3, -1}, "voltage"},
    {"Ω",    NULL, 1, 0, PRE_ALL, {2, 1, -3, -2}, "resistance"},
    {"ohm",  "Ω",  1, 0, 0, {2, 1, -3, -2}, NULL},
    {"S",    NULL, 1, 0, PRE_MILLI, {-2, -1, 3, 2}, "conductance"},
    {"T",    NULL, 1, 0, PRE_MILLI, {0, 1, -2, -1}, "magnetic flux density"},
    /* temperature */
    {"K",    NULL, 1, 0, PRE_MILLI, {0, 0, 0, 0, 1}, "temperature difference"},
    {"°C",   NULL, 1, 273.15, AFFINE, {0, 0, 0, 0, 1}, NULL},
    {"degC", "°C", 1, 273.15, AFFINE, {0, 0, 0, 0, 1}, NULL},
    {"°F",   NULL, 5.0 / 9.0, 459.67 * 5.0 / 9.0, AFFINE, {0, 0, 0, 0, 1}, NULL},
    {"degF", "°F", 5.0 / 9.0, 459.67 * 5.0 / 9.0, AFFINE, {0, 0, 0, 0, 1}, NULL},
    /* amount, light */
    {"mol",  NULL, 1, 0, PRE_ALL, {0, 0, 0, 0, 0, 1}, "amount of substance"},
    {"cd",   NULL, 1, 0, 0, {0, 0, 0, 0, 0, 0, 1}, "luminous flux"},
    {"lm",   NULL, 1, 0, PRE_K, {0, 0, 0, 0, 0, 0, 1}, NULL},
    {"lx",   NULL, 1, 0, PRE_K, {-2, 0, 0, 0, 0, 0, 1}, "illuminance"},
    {"lux",  "lx", 1, 0, 0, {-2, 0, 0, 0, 0, 0, 1}, NULL},
    /* angle */
    {"rad",  NULL, 1, 0, PRE_MILLI, {0, 0, 0, 0, 0, 0, 0, 1}, "angle"},
    {"°",    NULL, 3.14159265358979323846 / 180.0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"deg",  "°",  3.14159265358979323846 / 180.0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"rev",  NULL, 2.0 * 3.14159265358979323846, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"rpm",  NULL, 3.14159265358979323846 / 30.0, 0, 0, {0, 0, -1, 0, 0, 0, 0, 1}, "rotation"},
    /* force, pressure, energy, power */
    {"N",    NULL, 1, 0, PRE_ALL, {1, 1, -2}, "force"},
    {"Pa",   NULL, 1, 0, PRE_ALL | PRE_H, {-1, 1, -2}, "pressure"},
    {"bar",  NULL, 1e5, 0, PRE_MILLI, {-1, 1, -2}, NULL},
    {"psi",  NULL, 6894.757293168, 0, 0, {-1, 1, -2}, NULL},
    {"atm",  NULL, 101325, 0, 0, {-1, 1, -2}, NULL},
    {"J",    NULL, 1, 0, PRE_ALL, {2, 1, -2}, "energy"},
    {"Wh",   NULL, 3600, 0, PRE_ALL, {2, 1, -2}, NULL},
    {"cal",  NULL, 4.184, 0, PRE_K, {2, 1, -2}, NULL},
    {"W",    NULL, 1, 0, PRE_ALL, {2, 1, -3}, "power"},
    {"VA",   NULL, 1, 0, PRE_ALL, {2, 1, -3}, NULL},
    {"var",  NULL, 1, 0, PRE_ALL, {2, 1, -3}, NULL},
    {"hp",   NULL, 745.69987158227022, 0, 0, {2, 1, -3}, NULL},
    /* data, level, acidity */
    {"B",    NULL, 1, 0, PRE_K | PRE_M, {0, 0, 0, 0, 0, 0, 0, 0, 1}, "data"},
    {"KiB",  NULL, 1024, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"MiB",  NULL, 1048576, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"GiB",  NULL, 1073741824, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"bit",  NULL, 0.125, 0, PRE_K | PRE_M, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"dB",   NULL, 1, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "level"},
    {"dBA",  "dB(A)", 1, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"dBm",  NULL, 1, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"pH",   NULL, 1, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "acidity"},
};
/* Dimensions that have a name but no unit of one word. */
static const struct {
    int8_t dim[LANG_DIMS];
    const char *quantity, *example;
} compounds[] = {
    {{1, 0, -1}, "speed", "m/s"},        {{1, 0, -2}, "acceleration", "m/s²"},
    {{3, 0, -1}, "volume flow", "m³/h"}, {{0, 1, -1}, "mass flow", "kg/h"},
    {{-3, 1}, "density", "kg/m³"},       {{0, 0, -1, 0, 1}, "change of temperature", "K/min"},
    {{2}, "area", "m²"},                 {{3}, "volume", "m³"},
};
static const struct {
    const char *p;
    double scale;
    uint32_t flag;
} prefixes[] = {
    {"k", 1e3, PRE_K},      {"M", 1e6, PRE_M},      {"G", 1e9, PRE_M},      {"m", 1e-3, PRE_MILLI},
    {"µ", 1e-6, PRE_MILLI}, {"μ", 1e-6, PRE_MILLI}, {"u", 1e-6, PRE_MILLI}, {"n", 1e-9, PRE_MILLI},
    {"c", 1e-2, PRE_C},     {"d", 1e-1, PRE_C},     {"h", 1e2, PRE_H},
};
/* clang-format on */

static void row_take(const struct unit_row *r, double prefix, struct lang_unit *out)
{
    *out = (struct lang_unit){.scale = r->scale * prefix, .offset = r->offset};
    memcpy(out->dim, r->dim, sizeof(out->dim));
    out->affine = (r->flags & AFFINE) != 0;
    out->ratio = (r->flags & RATIO) != 0;
}

/* One name without an exponent: "kW". */
static bool atom_find(struct str name, struct lang_unit *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(name, str_from(rows[i].name))) {
            row_take(&rows[i], 1, out);
            out->symbol = rows[i].symbol ? str_from(rows[i].symbol) : name;
            return true;
        }
    for (size_t k = 0; k < ARRAY_LEN(prefixes); k++) {
        struct str p = str_from(prefixes[k].p);
        if (name.n <= p.n || !str_starts(name, p))
            continue;
        struct str base = str_sub(name, p.n, name.n);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if ((rows[i].flags & prefixes[k].flag) && str_eq(base, str_from(rows[i].name))) {
                row_take(&rows[i], prefixes[k].scale, out);
                out->symbol = name;
                return true;
            }
    }
    return false;
}

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
    if (name.n == 0 || !atom_find(name, out))
        return false;
    size_t e_at = p;
    int e = exponent_scan(t, &p);
    /* "m_x" and "m1" are names, not metres */
    if (p < t.n && (t.p[p] == '_' || (t.p[p] >= '0' && t.p[p] <= '9') || unit_char(t.p[p])) &&
        !at_mark(t, p, 0xB7))
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
    bool found = atom_find(STR("s"), &u);
    ASSERT(found);
    return u;
}

struct lang_unit unit_difference(const struct lang_unit *u)
{
    if (!u->affine)
        return *u;
    struct lang_unit k;
    bool found = atom_find(STR("K"), &k);
    ASSERT(found);
    return k;
}

struct lang_unit unit_per_minute(const struct lang_unit *u)
{
    struct lang_unit d = unit_difference(u), m;
    bool found = atom_find(STR("min"), &m);
    ASSERT(found);
    struct lang_unit r = unit_combine(&d, &m, -1);
    r.either = false;
    return r;
}

const char *unit_quantity(const struct lang_unit *u)
{
    if (u->affine)
        return "temperature";
    if (u->ratio)
        return "ratio";
    if (unit_is_plain(u))
        return "plain number";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].quantity && memcmp(rows[i].dim, u->dim, sizeof(u->dim)) == 0)
            return rows[i].quantity;
    for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
        if (memcmp(compounds[i].dim, u->dim, sizeof(u->dim)) == 0)
            return compounds[i].quantity;
    return "";
}

struct str unit_example(const struct lang_unit *u)
{
    for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
        if (memcmp(compounds[i].dim, u->dim, sizeof(u->dim)) == 0)
            return str_from(compounds[i].example);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].quantity && memcmp(rows[i].dim, u->dim, sizeof(u->dim)) == 0)
            return str_from(rows[i].name);
    return STR("");
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_letters(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

struct str unit_suggest(struct str unknown)
{
    static const struct {
        const char *wrong, *right;
    } usual[] = {
        {"C", "°C"},     {"c", "°C"},       {"Celsius", "°C"},  {"celsius", "°C"}, {"F", "°F"},
        {"f", "°F"},     {"sec", "s"},      {"secs", "s"},      {"second", "s"},   {"seconds", "s"},
        {"mins", "min"}, {"minute", "min"}, {"minutes", "min"}, {"hr", "h"},       {"hrs", "h"},
        {"hour", "h"},   {"hours", "h"},    {"day", "d"},       {"days", "d"},     {"percent", "%"},
        {"pct", "%"},    {"Volt", "V"},     {"Watt", "W"},      {"Amp", "A"},      {"liter", "l"},
        {"litre", "l"},  {"kmh", "km/h"},   {"kph", "km/h"},    {"ppmv", "ppm"},   {"Kelvin", "K"},
        {"kelvin", "K"}, {"msec", "ms"},    {"kelvins", "K"},   {"meter", "m"},    {"metre", "m"},
        {"meters", "m"}, {"metres", "m"},   {"lpm", "l/min"},   {"cbm", "m³"},     {"sqm", "m²"},
        {"tons", "t"},   {"tonne", "t"},    {"bars", "bar"},    {"mps", "m/s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (str_eq(unknown, str_from(usual[i].wrong)))
            return str_from(usual[i].right);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (same_letters(unknown, str_from(rows[i].name)))
            return str_from(rows[i].name);
    static const char *const prefixed[] = {"kW",   "MW", "kWh", "MWh", "mm", "km",  "kPa", "hPa",
                                           "mbar", "mA", "mV",  "kV",  "ms", "kHz", "MHz", "ml"};
    for (size_t i = 0; i < ARRAY_LEN(prefixed); i++)
        if (same_letters(unknown, str_from(prefixed[i])))
            return str_from(prefixed[i]);
    return STR("");
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
