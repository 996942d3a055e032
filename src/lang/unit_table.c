/* The table of units, the look-up in it, and what is suggested for a unit that it does not have.
 *
 * Scales are exact where the unit is defined exactly (SI brochure, table 8; NIST SP 811, appendix B
 * for those of other systems). units_si_test.c derives every row a second time, by words. */
#include "lang/units_internal.h"

#include <string.h>

#define PRE_K     0x01u /* kilo */
#define PRE_M     0x02u /* mega, giga */
#define PRE_T     0x04u /* tera */
#define PRE_MILLI 0x08u /* milli, micro, nano */
#define PRE_C     0x10u /* centi, deci */
#define PRE_H     0x20u /* hecto */
#define PRE_ALL   (PRE_K | PRE_M | PRE_MILLI)
#define PRE_LARGE (PRE_K | PRE_M | PRE_T)

#define RATIO    0x100u
#define AFFINE   0x200u
#define NO_POWER 0x400u /* takes no exponent */

#define NAME_MAX_BYTES 7u
#define PI             3.14159265358979323846

struct unit_row {
    char name[NAME_MAX_BYTES + 1]; /* padded with zeros, so that eight bytes are compared at once */
    uint32_t flags;
    const char *symbol; /* how it is shown; NULL: as named */
    double scale, offset;
    int8_t dim[LANG_DIMS]; /* m kg s A K mol cd rad B dB pH NTU */
    const char *quantity;  /* on the first row of a dimension */
};

/* clang-format off */
static const struct unit_row rows[] = {
    /* ratio */
    {"%",    RATIO, NULL, 0.01, 0, {0}, "ratio"},
    {"%RH",  RATIO, NULL, 0.01, 0, {0}, NULL}, /* relative humidity */
    {"‰",    RATIO, NULL, 1e-3, 0, {0}, NULL},
    {"ppm",  RATIO, NULL, 1e-6, 0, {0}, NULL},
    {"ppb",  RATIO, NULL, 1e-9, 0, {0}, NULL},
    /* length, area, volume */
    {"m",    PRE_ALL | PRE_C, NULL, 1, 0, {1}, "length"},
    {"in",   0, NULL, 0.0254, 0, {1}, NULL},
    {"ft",   0, NULL, 0.3048, 0, {1}, NULL},
    {"yd",   0, NULL, 0.9144, 0, {1}, NULL},
    {"mi",   0, NULL, 1609.344, 0, {1}, NULL},
    {"nmi",  0, NULL, 1852, 0, {1}, NULL}, /* nautical mile */
    {"ha",   0, NULL, 1e4, 0, {2}, "area"},
    {"ac",   0, NULL, 4046.8564224, 0, {2}, NULL},
    {"l",    PRE_MILLI | PRE_C | PRE_H, NULL, 1e-3, 0, {3}, "volume"},
    {"L",    PRE_MILLI | PRE_C | PRE_H, NULL, 1e-3, 0, {3}, NULL},
    {"gal",  0, NULL, 3.785411784e-3, 0, {3}, NULL},
    {"floz", 0, NULL, 29.5735295625e-6, 0, {3}, NULL},
    /* mass */
    {"kg",   0, NULL, 1, 0, {0, 1}, "mass"},
    {"g",    PRE_MILLI, NULL, 1e-3, 0, {0, 1}, NULL},
    {"t",    PRE_K, NULL, 1e3, 0, {0, 1}, NULL},
    {"lb",   0, NULL, 0.45359237, 0, {0, 1}, NULL},
    {"oz",   0, NULL, 0.028349523125, 0, {0, 1}, NULL},
    {"st",   0, NULL, 6.35029318, 0, {0, 1}, NULL},
    /* time and what is counted by it */
    {"s",    PRE_MILLI, NULL, 1, 0, {0, 0, 1}, "time"},
    {"min",  0, NULL, 60, 0, {0, 0, 1}, NULL},
    {"h",    0, NULL, 3600, 0, {0, 0, 1}, NULL},
    {"d",    0, NULL, 86400, 0, {0, 0, 1}, NULL},
    {"Hz",   PRE_ALL | PRE_T, NULL, 1, 0, {0, 0, -1}, "frequency"},
    {"bpm",  0, NULL, 1.0 / 60, 0, {0, 0, -1}, NULL}, /* beats per minute */
    {"cpm",  0, NULL, 1.0 / 60, 0, {0, 0, -1}, NULL}, /* counts per minute */
    {"Bq",   PRE_ALL, NULL, 1, 0, {0, 0, -1}, NULL},
    /* speed, acceleration */
    {"kn",   0, NULL, 1852.0 / 3600.0, 0, {1, 0, -1}, "speed"},
    {"mph",  0, NULL, 0.44704, 0, {1, 0, -1}, NULL},
    {"gn",   PRE_MILLI, NULL, 9.80665, 0, {1, 0, -2}, "acceleration"}, /* g is a gram */
    /* electricity */
    {"A",    PRE_ALL, NULL, 1, 0, {0, 0, 0, 1}, "current"},
    {"Ah",   PRE_ALL, NULL, 3600, 0, {0, 0, 1, 1}, "charge"},
    {"V",    PRE_ALL, NULL, 1, 0, {2, 1, -3, -1}, "voltage"},
    {"Ω",    PRE_ALL, NULL, 1, 0, {2, 1, -3, -2}, "resistance"},
    {"\u2126", PRE_ALL, "Ω", 1, 0, {2, 1, -3, -2}, NULL}, /* the ohm sign, which looks the same */
    {"ohm",  PRE_ALL, "Ω",  1, 0, {2, 1, -3, -2}, NULL},
    {"S",    PRE_MILLI, NULL, 1, 0, {-2, -1, 3, 2}, "conductance"},
    {"T",    PRE_MILLI, NULL, 1, 0, {0, 1, -2, -1}, "magnetic flux density"},
    /* temperature */
    {"K",    PRE_MILLI, NULL, 1, 0, {0, 0, 0, 0, 1}, "temperature difference"},
    {"°C",   AFFINE, NULL, 1, 273.15, {0, 0, 0, 0, 1}, NULL},
    {"℃",    AFFINE, "°C", 1, 273.15, {0, 0, 0, 0, 1}, NULL},
    {"degC", AFFINE, "°C", 1, 273.15, {0, 0, 0, 0, 1}, NULL},
    {"°F",   AFFINE, NULL, 5.0 / 9.0, 459.67 * 5.0 / 9.0, {0, 0, 0, 0, 1}, NULL},
    {"℉",    AFFINE, "°F", 5.0 / 9.0, 459.67 * 5.0 / 9.0, {0, 0, 0, 0, 1}, NULL},
    {"degF", AFFINE, "°F", 5.0 / 9.0, 459.67 * 5.0 / 9.0, {0, 0, 0, 0, 1}, NULL},
    /* amount, light */
    {"mol",  PRE_ALL, NULL, 1, 0, {0, 0, 0, 0, 0, 1}, "amount of substance"},
    {"cd",   PRE_K | PRE_MILLI, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 1}, "luminous flux"},
    {"lm",   PRE_K | PRE_MILLI, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 1}, NULL},
    {"lx",   PRE_K | PRE_MILLI, NULL, 1, 0, {-2, 0, 0, 0, 0, 0, 1}, "illuminance"},
    {"lux",  0, "lx", 1, 0, {-2, 0, 0, 0, 0, 0, 1}, NULL},
    /* angle */
    {"rad",  PRE_MILLI, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 1}, "angle"},
    {"°",    0, NULL, PI / 180.0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"deg",  0, "°",  PI / 180.0, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"rev",  0, NULL, 2.0 * PI, 0, {0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"rpm",  0, NULL, PI / 30.0, 0, {0, 0, -1, 0, 0, 0, 0, 1}, "rotation"},
    /* force, torque, pressure, viscosity */
    {"N",    PRE_ALL, NULL, 1, 0, {1, 1, -2}, "force"},
    /* J/rad, so that torque times rotation is power. No exponent: "Nm³" is a trade name of the cubic
     * metre at normal conditions. */
    {"Nm",   PRE_ALL | NO_POWER, NULL, 1, 0, {2, 1, -2, 0, 0, 0, 0, -1}, "torque"},
    {"Pa",   PRE_ALL | PRE_H, NULL, 1, 0, {-1, 1, -2}, "pressure"},
    {"bar",  PRE_MILLI | PRE_C, NULL, 1e5, 0, {-1, 1, -2}, NULL},
    {"psi",  0, NULL, 6894.757293168, 0, {-1, 1, -2}, NULL},
    {"atm",  0, NULL, 101325, 0, {-1, 1, -2}, NULL},
    {"Torr", 0, NULL, 101325.0 / 760, 0, {-1, 1, -2}, NULL},
    {"mmHg", 0, NULL, 133.322387415, 0, {-1, 1, -2}, NULL},
    {"inHg", 0, NULL, 133.322387415 * 25.4, 0, {-1, 1, -2}, NULL},
    {"cP",   0, NULL, 1e-3, 0, {-1, 1, -1}, "viscosity"},
    {"cSt",  0, NULL, 1e-6, 0, {2, 0, -1}, "kinematic viscosity"},
    /* energy, power */
    {"J",    PRE_ALL | PRE_T, NULL, 1, 0, {2, 1, -2}, "energy"},
    {"Wh",   PRE_ALL | PRE_T, NULL, 3600, 0, {2, 1, -2}, NULL},
    {"VAh",  PRE_ALL, NULL, 3600, 0, {2, 1, -2}, NULL},
    {"varh", PRE_ALL, NULL, 3600, 0, {2, 1, -2}, NULL},
    {"cal",  PRE_K | PRE_M, NULL, 4.184, 0, {2, 1, -2}, NULL},
    {"BTU",  0, NULL, 1055.05585262, 0, {2, 1, -2}, NULL},
    {"W",    PRE_ALL | PRE_T, NULL, 1, 0, {2, 1, -3}, "power"},
    {"VA",   PRE_ALL, NULL, 1, 0, {2, 1, -3}, NULL},
    {"var",  PRE_ALL, NULL, 1, 0, {2, 1, -3}, NULL},
    {"hp",   0, NULL, 745.69987158227022, 0, {2, 1, -3}, NULL},
    {"PS",   0, NULL, 735.49875, 0, {2, 1, -3}, NULL},
    /* radiation */
    {"Gy",   PRE_MILLI, NULL, 1, 0, {2, 0, -2}, "energy for each mass"},
    {"Sv",   PRE_MILLI, NULL, 1, 0, {2, 0, -2}, NULL},
    /* data */
    {"B",    PRE_LARGE, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, "data"},
    {"KiB",  0, NULL, 1024, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"MiB",  0, NULL, 1048576, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"GiB",  0, NULL, 1073741824, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"TiB",  0, NULL, 1099511627776, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"bit",  PRE_LARGE, NULL, 0.125, 0, {0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    /* level; water: acidity, turbidity, hardness */
    {"dB",   0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "level"},
    {"dBA",  0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"dBC",  0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"dBm",  0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"pH",   0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "acidity"},
    {"NTU",  0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "turbidity"},
    {"FNU",  0, NULL, 1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NULL},
    {"°dH",  0, NULL, 10 / 56.077, 0, {-3, 0, 0, 0, 0, 1}, "concentration"}, /* 10 mg/l of CaO */
};
/* Dimensions that have a name but no unit of one word, or none that one would give as an example. */
static const struct {
    int8_t dim[LANG_DIMS];
    const char *quantity, *example;
} compounds[] = {
    {{1, 0, -1}, "speed", "m/s"},
    {{1, 0, -2}, "acceleration", "m/s²"},
    {{2}, "area", "m²"},
    {{3}, "volume", "m³"},
    {{3, 0, -1}, "volume flow", "m³/h"},
    {{0, 1, -1}, "mass flow", "kg/h"},
    {{-3, 1}, "density", "kg/m³"},
    {{-3, 0, 0, 0, 0, 1}, "concentration", "mmol/l"},
    {{0, 0, -1, 0, 1}, "change of temperature", "K/min"},
    {{0, 1, -3}, "irradiance", "W/m²"},
    {{1, 1, -3, -1}, "electric field", "V/m"},
    {{-3, -1, 3, 2}, "conductivity", "µS/cm"},
    {{-1, 1, -1}, "viscosity", "mPa·s"},
    {{2, 0, -2}, "energy for each mass", "kJ/kg"},
    {{2, 0, -3}, "dose rate", "µSv/h"},
    {{-3, 0, -1}, "activity concentration", "Bq/m³"},
    {{-2, 0, -1, 0, 0, 1}, "photon flux", "µmol/m²/s"},
    {{0, 0, -1, 0, 0, 0, 0, 0, 1}, "data rate", "kB/s"},
};
static const struct {
    const char *p;
    double scale;
    uint32_t flag;
} prefixes[] = {
    {"k", 1e3, PRE_K},      {"M", 1e6, PRE_M},      {"G", 1e9, PRE_M},      {"T", 1e12, PRE_T},
    {"m", 1e-3, PRE_MILLI}, {"µ", 1e-6, PRE_MILLI}, {"μ", 1e-6, PRE_MILLI}, {"u", 1e-6, PRE_MILLI},
    {"n", 1e-9, PRE_MILLI}, {"c", 1e-2, PRE_C},     {"d", 1e-1, PRE_C},     {"h", 1e2, PRE_H},
};
/* clang-format on */

/* NULL if none: also a name that only a prefix of `flag` makes. */
static const struct unit_row *row_named(struct str name, uint32_t flag)
{
    char key[NAME_MAX_BYTES + 1] = {0};
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return NULL;
    memcpy(key, name.p, name.n);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (memcmp(rows[i].name, key, sizeof(key)) == 0 && (rows[i].flags & flag) == flag)
            return &rows[i];
    return NULL;
}

static void row_take(const struct unit_row *r, double prefix, struct lang_unit *out)
{
    *out = (struct lang_unit){.scale = r->scale * prefix, .offset = r->offset};
    memcpy(out->dim, r->dim, sizeof(out->dim));
    out->affine = (r->flags & AFFINE) != 0;
    out->ratio = (r->flags & RATIO) != 0;
}

bool unit_atom(struct str name, struct lang_unit *out, bool *no_power)
{
    const struct unit_row *r = row_named(name, 0);
    if (r)
        row_take(r, 1, out);
    for (size_t k = 0; !r && k < ARRAY_LEN(prefixes); k++) {
        struct str p = str_from(prefixes[k].p);
        if (!str_starts(name, p))
            continue;
        r = row_named(str_sub(name, p.n, name.n), prefixes[k].flag);
        if (r)
            row_take(r, prefixes[k].scale, out);
    }
    if (!r)
        return false;
    bool whole = name.n == strlen(r->name);
    out->symbol = whole && r->symbol ? str_from(r->symbol) : name;
    *no_power = (r->flags & NO_POWER) != 0;
    return true;
}

void unit_names(void (*each)(void *arg, const char *prefix, const char *name), void *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        each(arg, "", rows[i].name);
        for (size_t k = 0; k < ARRAY_LEN(prefixes); k++)
            if (rows[i].flags & prefixes[k].flag)
                each(arg, prefixes[k].p, rows[i].name);
    }
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

/* ---- suggestions ------------------------------------------------------------------------ */

/* A word may begin with a capital; C and c, or RH and rh, are not the same. */
static bool means(struct str unknown, struct str wrong)
{
    return wrong.n > 3 ? str_same(unknown, wrong) : str_eq(unknown, wrong);
}

struct str unit_suggest(struct str unknown)
{
    static const struct {
        const char *wrong, *right;
    } usual[] = {
        {"C", "°C"},        {"c", "°C"},        {"Celsius", "°C"},  {"celsius", "°C"},
        {"F", "°F"},        {"f", "°F"},        {"Kelvin", "K"},    {"kelvin", "K"},
        {"kelvins", "K"},   {"°K", "K"},        {"degK", "K"},      {"msec", "ms"},
        {"sec", "s"},       {"secs", "s"},      {"second", "s"},    {"seconds", "s"},
        {"mins", "min"},    {"minute", "min"},  {"minutes", "min"}, {"hr", "h"},
        {"hrs", "h"},       {"hour", "h"},      {"hours", "h"},     {"day", "d"},
        {"days", "d"},      {"w", "d"},         {"week", "d"},      {"weeks", "d"},
        {"percent", "%"},   {"pct", "%"},       {"RH", "%RH"},      {"rH", "%RH"},
        {"ppmv", "ppm"},    {"Volt", "V"},      {"Watt", "W"},      {"Amp", "A"},
        {"ohms", "Ω"},      {"liter", "l"},     {"litre", "l"},     {"lpm", "l/min"},
        {"gpm", "gal/min"}, {"cbm", "m³"},      {"Nm³", "m³"},      {"Nm3", "m³"},
        {"Nl", "l"},        {"cfm", "ft³/min"}, {"sqm", "m²"},      {"sqft", "ft²"},
        {"meter", "m"},     {"metre", "m"},     {"meters", "m"},    {"metres", "m"},
        {"kmh", "km/h"},    {"kph", "km/h"},    {"mps", "m/s"},     {"knots", "kn"},
        {"kts", "kn"},      {"tons", "t"},      {"tonne", "t"},     {"bars", "bar"},
        {"dH", "°dH"},      {"Sekunde", "s"},   {"Sekunden", "s"},  {"Minuten", "min"},
        {"Stunde", "h"},    {"Stunden", "h"},   {"Tag", "d"},       {"Tage", "d"},
        {"Grad", "°C"},     {"Prozent", "%"},
    };
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (means(unknown, str_from(usual[i].wrong)))
            return str_from(usual[i].right);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_same(unknown, str_from(rows[i].name)))
            return str_from(rows[i].name);
    static const char *const prefixed[] = {"kW", "MW", "kWh", "MWh", "kVA", "kvar", "mm",   "km",
                                           "cm", "µm", "ml",  "kPa", "hPa", "MPa",  "mbar", "kN",
                                           "mA", "mV", "kV",  "ms",  "kHz", "MHz"};
    for (size_t i = 0; i < ARRAY_LEN(prefixed); i++)
        if (str_same(unknown, str_from(prefixed[i])))
            return str_from(prefixed[i]);
    return STR("");
}
