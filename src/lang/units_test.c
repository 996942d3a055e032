/* Units: what is read, what it is worth, and how values are shown. */
#include "lang/units_internal.h"
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

TEST(units_have_their_size)
{
    static const struct {
        const char *text;
        double scale, offset;
        const char *same_as; /* a unit of the same dimension */
    } cases[] = {
        {"m", 1, 0, "km"},
        {"mm", 1e-3, 0, "m"},
        {"µm", 1e-6, 0, "m"},
        {"um", 1e-6, 0, "m"},
        {"cm", 1e-2, 0, "m"},
        {"min", 60, 0, "s"},
        {"ms", 1e-3, 0, "h"},
        {"d", 86400, 0, "s"},
        {"°C", 1, 273.15, "K"},
        {"degC", 1, 273.15, "K"},
        {"°F", 5.0 / 9, 459.67 * 5 / 9, "K"},
        {"K", 1, 0, "K"},
        {"mK", 1e-3, 0, "K"},
        {"K/min", 1.0 / 60, 0, "K/s"},
        {"m/s", 1, 0, "km/h"},
        {"mm/s", 1e-3, 0, "m/s"},
        {"m/s²", 1, 0, "m/s^2"},
        {"m/s2", 1, 0, "m/s²"},
        {"kg*m/s^2", 1, 0, "N"},
        {"N*m", 1, 0, "J"},
        {"N·m", 1, 0, "J"},
        {"m³/h", 1.0 / 3600, 0, "l/min"},
        {"m3/h", 1.0 / 3600, 0, "l/min"},
        {"l/min", 1e-3 / 60, 0, "m³/s"},
        {"bar", 1e5, 0, "Pa"},
        {"mbar", 100, 0, "hPa"},
        {"hPa", 100, 0, "kPa"},
        {"kW", 1e3, 0, "W"},
        {"kWh", 3.6e6, 0, "J"},
        {"kW*h", 3.6e6, 0, "kWh"},
        {"Ah", 3600, 0, "mAh"},
        {"V*A", 1, 0, "VA"},
        {"V/A", 1, 0, "Ω"},
        {"ohm", 1, 0, "kΩ"},
        {"%", 0.01, 0, "%"},
        {"ppm", 1e-6, 0, "‰"},
        {"rpm", 0.10471975511965977, 0, "rad/s"},
        {"°", 0.017453292519943295, 0, "rad"},
        {"Hz", 1, 0, "kHz"},
        {"lx", 1, 0, "lm/m²"},
        {"KiB", 1024, 0, "kB"},
        {"Mbit/s", 125000, 0, "B/s"},
        {"kg/m³", 1, 0, "kg/m3"},
        {"W/m²", 1, 0, "W/m2"},
        {"s^-1", 1, 0, "Hz"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].text);
        struct lang_unit u = {0}, same = {0};
        REQUIRE(CHECK_EQ_INT(lang_unit_parse(str_from(cases[i].text), &u), ERR_OK));
        CHECK_EQ_DBL(u.scale / cases[i].scale, 1, 1e-12);
        CHECK_EQ_DBL(u.offset, cases[i].offset, 1e-9);
        CHECK(u.affine == (cases[i].offset > 0));
        REQUIRE(CHECK_EQ_INT(lang_unit_parse(str_from(cases[i].same_as), &same), ERR_OK));
        CHECK(lang_unit_same_dim(&u, &same));
    }
}

TEST(units_that_are_none)
{
    static const char *const cases[] = {"",     "foo",  "C",  "F",    "m/",   "/m",     "m//s",
                                        "m x",  "kkm",  "m_", "m1",   "kWhh", "°X",     "5",
                                        "m s",  "khPa", "dd", "mh",   "Nm³",  "Nm^2/h", "kNm2",
                                        "cmin", "m^4",  "m^", "m**s", "K/",   "² "};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i]);
        struct lang_unit u;
        CHECK_EQ_INT(lang_unit_parse(str_from(cases[i]), &u), ERR_SYNTAX);
    }
}

TEST(quantities_that_are_not_the_same)
{
    static const char *const pairs[][2] = {{"Hz", "rpm"}, {"Hz", "rad/s"}, {"m", "s"},
                                           {"dB", "%"},   {"lx", "lm"},    {"kW", "kWh"},
                                           {"B", "%"},    {"K", "K/min"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        LABEL("%s %s", pairs[i][0], pairs[i][1]);
        struct lang_unit a, b;
        REQUIRE(lang_unit_parse(str_from(pairs[i][0]), &a) == ERR_OK);
        REQUIRE(lang_unit_parse(str_from(pairs[i][1]), &b) == ERR_OK);
        CHECK(!lang_unit_same_dim(&a, &b));
    }
}

TEST(values_are_shown_with_sensible_digits)
{
    static const struct {
        double value;
        const char *unit, *want;
    } cases[] = {
        {85.2, "°C", "85.2 °C"},
        {85.2345, "°C", "85.23 °C"},
        {-0.00001, "°C", "-0.00001 °C"},
        {0, "°C", "0 °C"},
        {1234.56, "kW", "1235 kW"},
        {999.96, "kW", "1000 kW"},
        {99.996, "%", "100 %"},
        {7.1, "mm/s", "7.1 mm/s"},
        {0.4, "m/s", "0.4 m/s"},
        {123456789, "J", "123456789 J"},
        {-3.5, "bar", "-3.5 bar"},
        {1e20, "J", "1.000e+20 J"},
        {5, "", "5"},
        {(double)NAN, "°C", "no value"},
        {(double)INFINITY, "bar", "∞ bar"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].want);
        struct lang_unit u = unit_plain();
        if (cases[i].unit[0] != '\0')
            REQUIRE(lang_unit_parse(str_from(cases[i].unit), &u) == ERR_OK);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        lang_unit_print(&b, &u, lang_unit_to_base(&u, cases[i].value));
        CHECK_EQ_STR(b.p, cases[i].want);
        strbuf_fini(&b);
    }
}

TEST(what_crosses_the_boundary_comes_back)
{
    static const char *const units[] = {"°C", "°F", "%", "mm/s", "kWh", "K/min", "l/min"};
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        for (int step = 0; step < 24; step++) {
            double v = -50 + 12.7 * step;
            struct lang_unit u;
            REQUIRE(lang_unit_parse(str_from(units[i]), &u) == ERR_OK);
            CHECK_EQ_DBL(lang_unit_from_base(&u, lang_unit_to_base(&u, v)), v, 1e-9);
        }
}
