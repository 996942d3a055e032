/* Units, a second time: every one is derived here by words from the base units, by arithmetic that
 * shares nothing with the table; then products of random ones, their texts, and what may stand
 * together. */
#include "base/clock.h"
#include "lang/lang_fixture.h"
#include "lang/units_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a unit is: numbers and units with exponents, multiplied. */
static const struct {
    const char *name, *is;
} derivations[] = {
    {"N", "kg m s-2"},
    {"Nm", "N m rad-1"},
    {"J", "N m"},
    {"W", "J s-1"},
    {"VA", "W"},
    {"var", "W"},
    {"Wh", "W h"},
    {"VAh", "VA h"},
    {"varh", "var h"},
    {"cal", "4.184 J"},
    {"BTU", "1055.05585262 J"}, /* of the international table */
    {"hp", "550 ft lb gn s-1"},
    {"PS", "75 kg m gn m-1 m s-1"},
    {"Pa", "N m-2"},
    {"bar", "100000 Pa"},
    {"atm", "101325 Pa"},
    {"Torr", "101325 760-1 Pa"},
    {"mmHg", "13595.1 kg m-3 gn 0.001 m"},
    {"inHg", "13595.1 kg m-3 gn in"},
    {"psi", "lb gn in-2"},
    {"cP", "0.001 Pa s"},
    {"cSt", "0.01 cm2 s-1"},
    {"cm", "0.01 m"},
    {"in", "0.0254 m"},
    {"ft", "12 in"},
    {"yd", "3 ft"},
    {"mi", "1760 yd"},
    {"nmi", "1852 m"},
    {"ha", "10000 m2"},
    {"ac", "4840 yd2"},
    {"l", "0.001 m3"},
    {"L", "l"},
    {"gal", "231 in3"},
    {"floz", "128-1 gal"},
    {"g", "0.001 kg"},
    {"t", "1000 kg"},
    {"lb", "0.45359237 kg"},
    {"oz", "16-1 lb"},
    {"st", "14 lb"},
    {"min", "60 s"},
    {"h", "60 min"},
    {"d", "24 h"},
    {"Hz", "s-1"},
    {"Bq", "s-1"},
    {"bpm", "min-1"},
    {"cpm", "min-1"},
    {"kn", "nmi h-1"},
    {"mph", "mi h-1"},
    {"gn", "9.80665 m s-2"},
    {"Ah", "A h"},
    {"V", "W A-1"},
    {"Ω", "V A-1"},
    {"\u2126", "Ω"},
    {"ohm", "Ω"},
    {"S", "Ω-1"},
    {"T", "V s m-2"},
    {"°C", "K"},
    {"℃", "K"},
    {"degC", "K"},
    {"°F", "5 9-1 K"},
    {"℉", "°F"},
    {"degF", "°F"},
    {"lm", "cd"}, /* the solid angle is not counted */
    {"lx", "lm m-2"},
    {"lux", "lx"},
    {"°", "3.14159265358979323846 180-1 rad"},
    {"deg", "°"},
    {"rev", "360 °"},
    {"rpm", "rev min-1"},
    {"Gy", "J kg-1"},
    {"Sv", "J kg-1"},
    {"KiB", "1024 B"},
    {"MiB", "1024 KiB"},
    {"GiB", "1024 MiB"},
    {"TiB", "1024 GiB"},
    {"bit", "8-1 B"},
    {"dBA", "dB"},
    {"dBC", "dB"},
    {"dBm", "dB"},
    {"FNU", "NTU"},
    {"°dH", "0.01 kg m-3 0.056077-1 kg-1 mol"}, /* 10 mg/l of CaO, 56.077 g/mol */
    {"%", "0.01"},
    {"%RH", "%"},
    {"‰", "0.001"},
    {"ppm", "0.000001"},
    {"ppb", "0.000000001"},
};
static const char *const bases[LANG_DIMS] = {"m",  "kg",  "s", "A",  "K",  "mol",
                                             "cd", "rad", "B", "dB", "pH", "NTU"};

struct derived {
    double scale;
    int dim[LANG_DIMS];
};

static void derive(const char *text, int power, struct derived *d, int depth);

/* One word: a number or a unit, and its exponent. */
static void derive_word(const char *word, size_t n, int power, struct derived *d, int depth)
{
    char name[32];
    REQUIRE(n < sizeof(name) && depth < 12);
    memcpy(name, word, n);
    name[n] = '\0';
    size_t end = n;
    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9')
        end--;
    bool number = name[0] >= '0' && name[0] <= '9';
    int exponent = 1;
    if (end > 0 && end < n && name[end - 1] == '-') {
        exponent = -(name[end] - '0');
        name[end - 1] = '\0';
    } else if (end < n && !number) {
        exponent = name[end] - '0';
        name[end] = '\0';
    }
    if (number) {
        d->scale *= pow(strtod(name, NULL), exponent * power);
        return;
    }
    for (size_t i = 0; i < LANG_DIMS; i++)
        if (strcmp(bases[i], name) == 0) {
            d->dim[i] += exponent * power;
            return;
        }
    for (size_t i = 0; i < ARRAY_LEN(derivations); i++)
        if (strcmp(derivations[i].name, name) == 0) {
            derive(derivations[i].is, exponent * power, d, depth + 1);
            return;
        }
    LABEL("%s", name);
    REQUIRE(CHECK(!"every unit of the table has a derivation in this test"));
}

static void derive(const char *text, int power, struct derived *d, int depth)
{
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        derive_word(text, n, power, d, depth);
        text += n + strspn(text + n, " ");
    }
}

static double prefix_size(const char *prefix)
{
    static const struct {
        const char *p;
        int tens;
    } all[] = {{"", 0},   {"T", 12}, {"G", 9},  {"M", 6},  {"k", 3},  {"h", 2}, {"d", -1},
               {"c", -2}, {"m", -3}, {"µ", -6}, {"μ", -6}, {"u", -6}, {"n", -9}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i].p, prefix) == 0)
            return pow(10, all[i].tens);
    LABEL("%s", prefix);
    REQUIRE(CHECK(!"a prefix of the SI"));
    return 1;
}

/* ---- all names ------------------------------------------------------------------------- */

#define NAMES_MAX 1024u
#define NAME_SIZE 16u

struct names {
    char text[NAMES_MAX][NAME_SIZE];
    struct derived is[NAMES_MAX];
    bool plain[NAMES_MAX]; /* takes an exponent, and has no zero of its own */
    size_t n;
};

static void names_add(void *arg, const char *prefix, const char *name)
{
    struct names *all = arg;
    REQUIRE(all->n < NAMES_MAX && strlen(prefix) + strlen(name) < NAME_SIZE);
    char *text = all->text[all->n];
    memcpy(text, prefix, strlen(prefix));
    memcpy(text + strlen(prefix), name, strlen(name) + 1);
    struct derived d = {.scale = prefix_size(prefix)};
    derive(name, 1, &d, 0);
    all->is[all->n] = d;
    all->plain[all->n] = strcmp(name, "Nm") != 0;
    all->n++;
}

static void names_fill(struct names *all)
{
    *all = (struct names){0};
    unit_names(names_add, all);
    REQUIRE(all->n > 200);
}

static void check_derived(const struct lang_unit *u, const struct derived *d)
{
    CHECK_EQ_DBL(u->scale / d->scale, 1, 1e-9);
    for (size_t i = 0; i < LANG_DIMS; i++)
        if (u->dim[i] != d->dim[i]) {
            test_note("exponent of %s", bases[i]);
            CHECK_EQ_INT(u->dim[i], d->dim[i]);
        }
}

TEST(every_unit_is_worth_what_it_is_derived_from)
{
    struct names all;
    names_fill(&all);
    for (size_t i = 0; i < all.n; i++) {
        LABEL("%s", all.text[i]);
        struct lang_unit u;
        if (CHECK_EQ_INT(lang_unit_parse(str_from(all.text[i]), &u), ERR_OK))
            check_derived(&u, &all.is[i]);
    }
}

/* "min" is no milli-inch: where a name can be read in two ways, the whole word decides, and no two
 * words with prefixes may meet. A new unit that could be misread shows up here. */
TEST(no_name_has_two_readings_but_these)
{
    static const char *const decided[] = {"min"};
    struct names all;
    names_fill(&all);
    for (size_t i = 0; i < all.n; i++)
        for (size_t k = i + 1; k < all.n; k++) {
            if (strcmp(all.text[i], all.text[k]) != 0)
                continue;
            bool known = false;
            for (size_t d = 0; d < ARRAY_LEN(decided); d++)
                known = known || strcmp(decided[d], all.text[i]) == 0;
            LABEL("%s", all.text[i]);
            CHECK(known);
        }
}

/* "every 5 in …" and "priority 8 max 2h" must stay what they look like. */
TEST(words_of_the_language_are_no_units)
{
    static const char *const words[] = {
        "for",   "until",  "and",      "or",      "mod",     "not",    "else",     "if",   "match",
        "while", "loop",   "max",      "wait",    "on",      "missed", "priority", "to",   "single",
        "as",    "queued", "restart",  "revoked", "denied",  "stale",  "skip",     "drop", "range",
        "scale", "tls",    "confirms", "json",    "affects", "at",     "every",    "when", "from"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        LABEL("%s", words[i]);
        struct lang_unit u;
        CHECK_EQ_INT(lang_unit_parse(str_from(words[i]), &u), ERR_SYNTAX);
    }
}

/* ---- texts that come back ---------------------------------------------------------------- */

/* The value is read back up to the digits that are shown. */
static void check_printed(const struct lang_unit *u, double value)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    lang_unit_print(&b, u, lang_unit_to_base(u, value));
    char *end;
    double back = strtod(b.p, &end);
    CHECK_EQ_DBL(back / value, 1, 6e-4);
    struct lang_unit again;
    REQUIRE(CHECK_EQ_INT(*end, ' '));
    if (CHECK_EQ_INT(lang_unit_parse(str_from(end + 1), &again), ERR_OK)) {
        CHECK(lang_unit_same_dim(u, &again));
        CHECK(u->affine == again.affine && u->ratio == again.ratio);
        CHECK_EQ_DBL(again.scale, u->scale, 0);
        CHECK_EQ_DBL(again.offset, u->offset, 0);
    }
    strbuf_fini(&b);
}

TEST(every_unit_is_shown_so_that_it_can_be_read)
{
    struct names all;
    names_fill(&all);
    for (size_t i = 0; i < all.n; i++) {
        struct lang_unit u;
        LABEL("%s", all.text[i]);
        REQUIRE(lang_unit_parse(str_from(all.text[i]), &u) == ERR_OK);
        check_printed(&u, 85.2);
        check_printed(&u, -1234);
    }
}

/* A random product: its text, and what it is worth. */
static struct derived random_product(struct random *r, const struct names *all, struct strbuf *text)
{
    static const char *const joins[] = {"/", "*", "·"};
    static const struct {
        const char *text;
        int power;
    } exponents[] = {{"", 1},   {"", 1},   {"²", 2},    {"³", 3},   {"2", 2},
                     {"^1", 1}, {"^2", 2}, {"^-1", -1}, {"^-3", -3}};
    struct derived d = {.scale = 1};
    size_t factors = 2 + random_below(r, 3);
    for (size_t f = 0; f < factors; f++) {
        size_t join = random_below(r, ARRAY_LEN(joins)), i = random_below(r, all->n);
        size_t e = all->plain[i] ? random_below(r, ARRAY_LEN(exponents)) : 0;
        if (f > 0)
            strbuf_adds(text, joins[join]);
        strbuf_adds(text, all->text[i]);
        strbuf_adds(text, exponents[e].text);
        int power = exponents[e].power * (f > 0 && join == 0 ? -1 : 1);
        d.scale *= pow(all->is[i].scale, power);
        for (size_t k = 0; k < LANG_DIMS; k++)
            d.dim[k] += all->is[i].dim[k] * power;
    }
    return d;
}

TEST(products_of_units_are_worth_what_their_factors_are)
{
    struct random r;
    random_seed(&r, test_seed());
    struct names all;
    names_fill(&all);
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    for (size_t round = 0; round < 20000; round++) {
        strbuf_reset(&text);
        struct derived d = random_product(&r, &all, &text);
        LABEL("%s", text.p);
        struct lang_unit u;
        REQUIRE(CHECK_EQ_INT(lang_unit_parse(strbuf_str(&text), &u), ERR_OK));
        check_derived(&u, &d);
        CHECK(!u.affine);
        CHECK_EQ_DBL(u.offset, 0, 0);
        check_printed(&u, 42.5);
    }
    strbuf_fini(&text);
}

/* ---- what may stand together -------------------------------------------------------------- */

#define PAIRS        80u
#define TEMPERATURES 5u

static const struct side {
    const char *unit, *is;
    bool affine, ratio;
} sides[] = {
    {"°C", "K", true, false},       {"°F", "K", true, false},        {"degC", "K", true, false},
    {"K", "K", false, false},       {"mK", "0.001 K", false, false}, {"bar", "Pa", false, false},
    {"kPa", "Pa", false, false},    {"m", "m", false, false},        {"ft", "m", false, false},
    {"s", "s", false, false},       {"h", "s", false, false},        {"%", "1", false, true},
    {"ppm", "1", false, true},      {"float", "1", false, false},    {"kW", "W", false, false},
    {"VA", "W", false, false},      {"J", "J", false, false},        {"Nm", "Nm", false, false},
    {"Hz", "Hz", false, false},     {"rpm", "rpm", false, false},    {"dB", "dB", false, false},
    {"pH", "pH", false, false},     {"NTU", "NTU", false, false},    {"lx", "lx", false, false},
    {"m/s", "m s-1", false, false}, {"kn", "kn", false, false},      {"l", "l", false, false},
    {"m³", "m3", false, false},
};

struct pair {
    const struct side *a, *b, *result;
    char op;
};

/* By the rules of docs/language.md: one dimension; absolute temperatures are compared with such
 * alone, added to none, and their difference is K. */
static bool pair_allowed(const struct pair *p)
{
    struct derived a = {.scale = 1}, b = {.scale = 1};
    derive(p->a->is, 1, &a, 0);
    derive(p->b->is, 1, &b, 0);
    bool x = p->a->affine, y = p->b->affine, r = p->result->affine;
    if (p->op == '*')
        return !x && !y;
    if (memcmp(a.dim, b.dim, sizeof(a.dim)) != 0 || p->a->ratio != p->b->ratio)
        return false;
    if (p->op == '<')
        return x == y;
    if (p->op == '+')
        return !(x && y) && r == (x || y);
    return x ? r == !y : !y && !r;
}

static void pair_source(struct strbuf *out, size_t nth, const struct pair *p)
{
    const char *body = p->op == '<'   ? "a < b"
                       : p->op == '+' ? "a + b"
                       : p->op == '-' ? "a - b"
                                      : "a * b == a * b";
    bool truth = p->op == '<' || p->op == '*';
    strbuf_addf(out, "fn f%zu(a: %s, b: %s) -> %s { return %s }\n", nth, p->a->unit, p->b->unit,
                truth ? "bool" : p->result->unit, body);
}

static bool line_has_error(const struct lang_site *site, size_t line)
{
    for (size_t i = 0; i < site->diags_n; i++)
        if (site->diags[i].severity == LANG_ERROR && site->diags[i].marks[0].line == line)
            return true;
    return false;
}

/* Half of them are temperatures, whose result may be any of these; other results are in one of the
 * two units. */
static struct pair random_pair(struct random *r)
{
    bool near = random_below(r, 2) == 0;
    size_t n = near ? TEMPERATURES : ARRAY_LEN(sides);
    const struct side *a = &sides[random_below(r, n)], *b = &sides[random_below(r, n)];
    const struct side *result = near ? &sides[random_below(r, n)] : a->affine ? a : b;
    return (struct pair){a, b, result, "<+-*"[random_below(r, 4)]};
}

TEST(quantities_stand_together_as_their_dimensions_say)
{
    struct random r;
    random_seed(&r, test_seed());
    size_t allowed = 0, refused = 0;
    for (int round = 0; round < 40; round++) {
        struct pair pairs[PAIRS];
        struct strbuf text;
        strbuf_init(&text, alloc_system(), 0);
        for (size_t i = 0; i < PAIRS; i++) {
            pairs[i] = random_pair(&r);
            pair_source(&text, i, &pairs[i]);
        }
        struct lang_site *site = fixture_check(text.p, false);
        REQUIRE(site != NULL);
        for (size_t i = 0; i < PAIRS; i++) {
            const struct pair *p = &pairs[i];
            bool want = pair_allowed(p);
            LABEL("%s %c %s -> %s", p->a->unit, p->op, p->b->unit, p->result->unit);
            CHECK(line_has_error(site, i + 1) == !want);
            allowed += want;
            refused += !want;
        }
        lang_site_free(site);
        strbuf_fini(&text);
    }
    CHECK(allowed > 300 && refused > 300);
}

/* ---- suggestions --------------------------------------------------------------------------- */

TEST(a_mistaken_unit_is_answered_with_one_that_exists)
{
    static const char *const wrong[] = {"C",   "F",    "KW",  "kwh",    "PSI",     "Nm³", "Nm3",
                                        "cfm", "gpm",  "°K",  "week",   "hz",      "RH",  "kph",
                                        "dH",  "KVAR", "Mpa", "Minute", "Stunden", "WATT"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        LABEL("%s", wrong[i]);
        struct lang_unit u;
        CHECK_EQ_INT(lang_unit_parse(str_from(wrong[i]), &u), ERR_SYNTAX);
        CHECK_EQ_INT(lang_unit_parse(unit_suggest(str_from(wrong[i])), &u), ERR_OK);
    }
}
