#include "base/clock.h"
#include "base/str.h"
#include "tests/support/test.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(number_integers)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t v;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"-0", ERR_OK, 0},
        {"007", ERR_OK, 7},
        {"-42", ERR_OK, -42},
        {"9223372036854775807", ERR_OK, INT64_MAX},
        {"9223372036854775808", ERR_RANGE, 0},
        {"-9223372036854775808", ERR_OK, INT64_MIN},
        {"-9223372036854775809", ERR_RANGE, 0},
        {"99999999999999999999999", ERR_RANGE, 0},
        {"99999999999999999999999x", ERR_SYNTAX, 0},
        {"", ERR_SYNTAX, 0},
        {"-", ERR_SYNTAX, 0},
        {"+1", ERR_SYNTAX, 0},
        {" 1", ERR_SYNTAX, 0},
        {"1 ", ERR_SYNTAX, 0},
        {"1.0", ERR_SYNTAX, 0},
        {"0x10", ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("'%s'", rows[i].text);
        int64_t v = 0;
        CHECK_EQ_INT(str_to_i64(str_from(rows[i].text), &v), rows[i].err);
        CHECK_EQ_INT(v, rows[i].v);
    }
}

TEST(number_within)
{
    static const struct {
        const char *text;
        int64_t min, max, want; /* -99: it is none */
    } rows[] = {
        {"3", 3, 3, 3},
        {"2", 3, 5, -99},
        {"6", 3, 5, -99},
        {"-1", -1, 5, -1},
        {"x", -9, 9, -99},
        {"9223372036854775808", INT64_MIN, INT64_MAX, -99},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("'%s' from %lld to %lld", rows[i].text, (long long)rows[i].min,
              (long long)rows[i].max);
        int64_t v = -99;
        bool is = str_to_i64_within(str_from(rows[i].text), rows[i].min, rows[i].max, &v);
        CHECK_EQ_INT(is, rows[i].want != -99);
        CHECK_EQ_INT(v, rows[i].want);
    }
}

TEST(number_doubles)
{
    static const struct {
        const char *text;
        enum err err;
        double v;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"23.5", ERR_OK, 23.5},
        {"-1e3", ERR_OK, -1000},
        {"1E+2", ERR_OK, 100},
        {"0.1", ERR_OK, 0.1},
        {"0e999999999999", ERR_OK, 0},
        {"00012.50", ERR_OK, 12.5},
        {"1e22", ERR_OK, 1e22},
        {"1e23", ERR_OK, 1e23},
        {"9007199254740993", ERR_OK, 9007199254740992.0}, /* half-way, to even */
        {"9007199254740993.0000000000000000000000000000001", ERR_OK, 9007199254740994.0},
        {"2.2250738585072011e-308", ERR_OK, 2.2250738585072011e-308},
        {"5e-324", ERR_OK, 5e-324},
        {"1e-400", ERR_OK, 0},
        {"1.7976931348623157e308", ERR_OK, 1.7976931348623157e308},
        {"1e309", ERR_RANGE, 0},
        {"-1e99999999999999999999", ERR_RANGE, 0},
        {"1e-99999999999999999999", ERR_OK, 0},
        {"", ERR_SYNTAX, 0},
        {"-", ERR_SYNTAX, 0},
        {".5", ERR_SYNTAX, 0},
        {"5.", ERR_SYNTAX, 0},
        {"5.e1", ERR_SYNTAX, 0},
        {"1e", ERR_SYNTAX, 0},
        {"1e+", ERR_SYNTAX, 0},
        {"1e1.5", ERR_SYNTAX, 0},
        {"+1", ERR_SYNTAX, 0},
        {" 1", ERR_SYNTAX, 0},
        {"1,5", ERR_SYNTAX, 0},
        {"nan", ERR_SYNTAX, 0},
        {"inf", ERR_SYNTAX, 0},
        {"0x1p3", ERR_SYNTAX, 0},
        {"--1", ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("'%s'", rows[i].text);
        double v = 0;
        CHECK_EQ_INT(str_to_double(str_from(rows[i].text), &v), rows[i].err);
        CHECK(v == rows[i].v);
    }
    double v = 1;
    CHECK_EQ_INT(str_to_double(STR("-0"), &v), ERR_OK);
    CHECK(v == 0 && signbit(v));
}

/* Thousands of digits: the last one decides, and the buffer for strtod() is bounded. */
TEST(number_long_texts_round_correctly)
{
    static const int zeros[] = {0, 10, 700, 760, 780, 2000, 5000};
    char text[6000];
    for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
        LABEL("%d zeros", zeros[i]);
        double v;
        int n = snprintf(text, sizeof(text), "9007199254740993.%0*d", zeros[i] + 1, 1);
        CHECK_EQ_INT(str_to_double((struct str){text, (size_t)n}, &v), ERR_OK);
        CHECK(v == 9007199254740994.0);
        text[n - 1] = '0';
        CHECK_EQ_INT(str_to_double((struct str){text, (size_t)n}, &v), ERR_OK);
        CHECK(v == 9007199254740992.0);
        n = snprintf(text, sizeof(text), "0.%0*de%d", zeros[i] + 1, 7, zeros[i] + 1);
        CHECK_EQ_INT(str_to_double((struct str){text, (size_t)n}, &v), ERR_OK);
        CHECK(v == 7.0);
    }
}

static double random_double(struct random *r, int kind)
{
    double v;
    switch (kind) {
    case 0: { /* any bits */
        uint64_t bits = random_u64(r);
        memcpy(&v, &bits, sizeof(v));
        return v;
    }
    case 1: /* what sensors send */ return (double)(int64_t)random_below(r, 2000000) / 1000 - 1000;
    case 2: return (double)(int64_t)random_u64(r);
    default: return random_normal(r);
    }
}

TEST(number_text_of_a_double_reads_back)
{
    struct random r;
    random_seed(&r, test_seed());
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (int i = 0; i < 40000; i++) {
        double v = random_double(&r, i & 3), back = 0;
        strbuf_reset(&b);
        strbuf_add_double(&b, v);
        LABEL("%a as %s", v, b.p);
        if (!isfinite(v)) {
            CHECK_EQ_STR(b.p, "null");
            continue;
        }
        REQUIRE(str_to_double(strbuf_str(&b), &back) == ERR_OK);
        REQUIRE(back == v && signbit(back) == signbit(v));
        REQUIRE(strtod(b.p, NULL) == v);
        char longer[40];
        (void)snprintf(longer, sizeof(longer), "%.*e", (int)random_below(&r, 25), v);
        double want = strtod(longer, NULL); /* few digits may round above the largest double */
        REQUIRE(str_to_double(str_from(longer), &back) == (isinf(want) ? ERR_RANGE : ERR_OK));
        REQUIRE(isinf(want) || back == want);
    }
    strbuf_fini(&b);
}

TEST(number_text_is_short)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-17, "-17"},
        {23.5, "23.5"},
        {0.1, "0.1"},
        {-0.05, "-0.05"},
        {61.23, "61.23"},
        {1e15, "1000000000000000"},
        {0.000001, "0.000001"},
        {1e-7, "1e-07"},
        {1e300, "1e+300"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"},
        {NAN, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%a", rows[i].v);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_add_double(&b, rows[i].v);
        CHECK_EQ_STR(b.p, rows[i].text);
        strbuf_fini(&b);
    }
    static const int64_t ints[] = {0, 9, -10, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
        char want[32];
        (void)snprintf(want, sizeof(want), "%lld", (long long)ints[i]);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_add_i64(&b, ints[i]);
        CHECK_EQ_STR(b.p, want);
        strbuf_fini(&b);
    }
}
