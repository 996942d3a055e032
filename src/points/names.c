/* Names and units as the language has them, out of what people write. */
#include "lang/lang.h"
#include "points/points_internal.h"

#include <math.h>
#include <string.h>

enum { NAME_MAX_BYTES = 60 };

static bool lower_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool upper_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- units --- */

/* What is written instead of ours; compared as it stands, then without case. "": none. */
static const struct {
    const char *written, *ours;
    bool any_case;
} units[] = {
    {"-", "", false},           {"--", "", false},        {"–", "", false},
    {"none", "", true},         {"n/a", "", true},        {"[-]", "", false},
    {"1", "", false},           {"count", "", true},      {"counts", "", true},
    {"pcs", "", true},          {"stk", "", true},        {"bool", "", true},
    {"cos φ", "", true},        {"cosφ", "", true},       {"cos phi", "", true},
    {"cosphi", "", true},       {"pf", "", true},         {"pu", "", true},
    {"c", "°C", true},          {"deg c", "°C", true},    {"deg.c", "°C", true},
    {"deg. c", "°C", true},     {"degc", "°C", true},     {"celsius", "°C", true},
    {"º c", "°C", true},        {"ºc", "°C", true},       {"° c", "°C", true},
    {"*c", "°C", true},         {"grad c", "°C", true},   {"f", "°F", true},
    {"deg f", "°F", true},      {"degf", "°F", true},     {"° f", "°F", true},
    {"fahrenheit", "°F", true}, {"kelvin", "K", true},    {"percent", "%", true},
    {"pct", "%", true},         {"% rh", "%RH", true},    {"%r.h.", "%RH", true},
    {"rh%", "%RH", true},       {"volt", "V", true},      {"volts", "V", true},
    {"vac", "V", true},         {"vdc", "V", true},       {"amp", "A", true},
    {"amps", "A", true},        {"ampere", "A", true},    {"watt", "W", true},
    {"watts", "W", true},       {"kilowatt", "kW", true}, {"kw-h", "kWh", true},
    {"kw h", "kWh", true},      {"kw.h", "kWh", true},    {"kw*h", "kWh", true},
    {"kw/h", "kWh", true},      {"hertz", "Hz", true},    {"ohms", "ohm", true},
    {"sec", "s", true},         {"secs", "s", true},      {"second", "s", true},
    {"seconds", "s", true},     {"mins", "min", true},    {"minute", "min", true},
    {"minutes", "min", true},   {"hr", "h", true},        {"hrs", "h", true},
    {"hour", "h", true},        {"hours", "h", true},     {"std", "h", true},
    {"day", "d", true},         {"days", "d", true},      {"l/m", "l/min", true},
    {"lpm", "l/min", true},     {"l/hr", "l/h", true},    {"lph", "l/h", true},
    {"gpm", "gal/min", true},   {"cfm", "ft3/min", true}, {"m3/hr", "m3/h", true},
    {"cbm/h", "m3/h", true},    {"cbm", "m3", true},      {"m^3", "m3", true},
    {"liter", "l", true},       {"liters", "l", true},    {"litre", "l", true},
    {"litres", "l", true},      {"ltr", "l", true},       {"1/min", "rpm", false},
    {"u/min", "rpm", true},     {"min-1", "rpm", false},  {"min^-1", "rpm", false},
    {"r/min", "rpm", true},     {"barg", "bar", true},    {"bara", "bar", true},
    {"bar(g)", "bar", true},    {"psig", "psi", true},    {"psia", "psi", true},
    {"degree", "°", true},      {"degrees", "°", true},   {"lux", "lx", true},
    {"us/cm", "µS/cm", true},   {"ppm co2", "ppm", true}, {"kvar h", "kvarh", true},
    {"metre", "m", true},       {"meter", "m", true},
};
/* Those whose case people don't mind. */
static const char *const caseless[] = {"kWh", "MWh", "GWh", "Wh",  "kW",    "MW",    "Hz",   "kHz",
                                       "kVA", "VA",  "MVA", "var", "kvar",  "kvarh", "Mvar", "kVAh",
                                       "kV",  "V",   "A",   "bar", "mbar",  "kPa",   "rpm",  "kg",
                                       "mm",  "min", "ppm", "W",   "l/min", "m3/h",  "m3",   NULL};

static struct str as_ours(struct str s)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct str w = str_from(units[i].written);
        if (units[i].any_case ? str_same(s, w) : str_eq(s, w))
            return str_from(units[i].ours);
    }
    return s;
}

static bool known(struct arena *a, struct str s, struct str *out)
{
    struct lang_unit u;
    struct str ours = as_ours(s);
    if (ours.n == 0 || lang_unit_parse(ours, &u) == ERR_OK) {
        *out = ours.n ? arena_str(a, u.symbol) : STR("");
        return true;
    }
    for (size_t i = 0; caseless[i]; i++)
        if (str_same(s, str_from(caseless[i]))) {
            *out = str_from(caseless[i]);
            return true;
        }
    return false;
}

/* "0.1 V", "10 mA": makers say the resolution with the unit. */
static struct str take_factor(struct str s, double *factor)
{
    size_t n = 0;
    while (n < s.n && (digit(s.p[n]) || s.p[n] == '.' || s.p[n] == ','))
        n++;
    if (n == 0 || n == s.n || s.p[n] == '/' || !cell_number(str_sub(s, 0, n), factor) ||
        *factor <= 0) {
        *factor = 1;
        return s;
    }
    return str_trim(str_sub(s, n, s.n));
}

bool name_unit(struct arena *a, struct str s, struct str *out, double *factor)
{
    s = str_trim(s);
    *factor = 1;
    if (known(a, s, out))
        return true;
    if (s.n > 2 && (s.p[0] == '[' || s.p[0] == '(')) { /* "[kW]" */
        s = str_trim(str_sub(s, 1, s.n - 2));
        if (known(a, s, out))
            return true;
    }
    return known(a, take_factor(s, factor), out);
}

/* --- names --- */

/* What a letter outside of ASCII is written as. */
static const struct {
    const char *letter, *ascii;
} letters[] = {{"ä", "ae"},    {"ö", "oe"}, {"ü", "ue"},      {"Ä", "ae"},  {"Ö", "oe"},
               {"Ü", "ue"},    {"ß", "ss"}, {"é", "e"},       {"è", "e"},   {"ê", "e"},
               {"à", "a"},     {"á", "a"},  {"å", "a"},       {"ç", "c"},   {"ñ", "n"},
               {"ó", "o"},     {"ø", "o"},  {"í", "i"},       {"ú", "u"},   {"φ", "phi"},
               {"Δ", "delta"}, {"µ", "u"},  {"%", "percent"}, {"°", "deg"}, {"∆", "delta"},
               {"Σ", "sum"}};

struct maker {
    char text[NAME_MAX_BYTES + 8];
    size_t n;
};

static void put(struct maker *m, char c)
{
    bool blank = m->n == 0 || m->text[m->n - 1] == '_';
    if (m->n < NAME_MAX_BYTES && !(c == '_' && blank))
        m->text[m->n++] = c;
}

/* A new word begins: "activePower", "L1Power", but not in "kWh" or "THD". */
static bool word_begins(struct str s, size_t i)
{
    if (i == 0 || !upper_letter(s.p[i]))
        return false;
    bool next_lower = i + 1 < s.n && lower_letter(s.p[i + 1]);
    bool next2_lower = i + 2 < s.n && lower_letter(s.p[i + 2]);
    return (lower_letter(s.p[i - 1]) && next_lower && next2_lower) ||
           (lower_letter(s.p[i - 1]) && i >= 2 && lower_letter(s.p[i - 2]));
}

static size_t put_letter(struct maker *m, struct str s)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        struct str from = str_from(letters[i].letter);
        if (!str_starts(s, from))
            continue;
        for (const char *c = letters[i].ascii; *c; c++)
            put(m, *c);
        return from.n;
    }
    put(m, '_');
    return 1;
}

static struct str make_name(struct arena *a, struct str s)
{
    struct maker m = {.n = 0};
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (!lower_letter(c) && !upper_letter(c) && !digit(c)) {
            i += put_letter(&m, str_sub(s, i, s.n));
            continue;
        }
        if (m.n == 0 && digit(c)) {
            put(&m, 'p');
            put(&m, '_');
        }
        if (word_begins(s, i))
            put(&m, '_');
        put(&m, str_lower(c));
        i++;
    }
    while (m.n && m.text[m.n - 1] == '_')
        m.n--;
    struct str name = {m.text, m.n};
    if (name.n && lang_word_reserved(name))
        m.text[m.n++] = '_';
    return arena_str(a, (struct str){m.text, m.n});
}

struct str name_member(struct arena *a, struct str s)
{
    return make_name(a, s);
}

struct str name_path(struct arena *a, struct str s)
{
    struct str path = STR("");
    while (s.n) {
        size_t n = 0;
        while (n < s.n && !strchr("./\\", s.p[n]))
            n++;
        struct str part = make_name(a, str_sub(s, 0, n));
        if (part.n)
            path = path.n ? arena_strf(a, "%.*s.%.*s", STR_FMT(path), STR_FMT(part)) : part;
        s = str_sub(s, n + 1, s.n);
    }
    return path;
}

/* "meter_1" is one of several meters; "em340" is what it is. */
static struct str without_number(struct str s)
{
    size_t digits = 0;
    while (digits < s.n && digit(s.p[s.n - 1 - digits]))
        digits++;
    if (digits <= 2 && digits < s.n)
        s = str_sub(s, 0, s.n - digits);
    while (s.n && s.p[s.n - 1] == '_')
        s = str_sub(s, 0, s.n - 1);
    return s;
}

struct str name_model(struct arena *a, struct str s)
{
    struct maker m = {.n = 0};
    struct lang_unit u;
    size_t dot;
    while (str_find(s, '.', &dot))
        s = str_sub(s, dot + 1, s.n);
    s = without_number(s);
    bool begin = true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '_' || c == ' ' || c == '-') {
            begin = true;
            continue;
        }
        if (!lower_letter(c) && !upper_letter(c) && !(digit(c) && m.n))
            continue;
        put(&m, begin && lower_letter(c) ? (char)(c - 'a' + 'A') : c);
        begin = false;
    }
    struct str name = {m.text, m.n};
    if (name.n == 0)
        return STR("Points");
    if (lang_unit_parse(name, &u) == ERR_OK) /* a model may not be called like a unit */
        return arena_strf(a, "%.*sDevice", STR_FMT(name));
    return arena_str(a, name);
}

struct str points_name(struct arena *a, struct str written, bool model)
{
    struct str path = name_path(a, written);
    return model && path.n ? name_model(a, path) : path;
}
