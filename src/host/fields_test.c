#include "host/fields.h"
#include "tests/support/test.h"

TEST(fields_of_a_line)
{
    static const char line[] = "  12: FLOCK\tADVISORY  WRITE 4711 fd:01:1234567 0 EOF\n";
    struct str word, part;
    uint64_t n;
    CHECK(field_at(line, 1, &word) && str_eq(word, STR("FLOCK")));
    CHECK(field_at(line, 7, &word) && str_eq(word, STR("EOF")));
    CHECK(!field_at(line, 8, &word));
    CHECK(!field_at("", 0, &word));
    CHECK(field_decimal(line, 4, &n));
    CHECK_EQ_UINT(n, 4711);
    CHECK(!field_decimal(line, 1, &n));
    REQUIRE(field_at(line, 5, &word));
    CHECK(field_part(word, ':', 0, &part) && field_number(part, 16, &n));
    CHECK_EQ_UINT(n, 0xfd);
    CHECK(field_part(word, ':', 2, &part) && field_number(part, 10, &n));
    CHECK_EQ_UINT(n, 1234567);
    CHECK(!field_part(word, ':', 3, &part));
}

TEST(fields_numbers)
{
    static const struct {
        const char *text;
        unsigned base;
        bool ok;
        uint64_t n;
    } cases[] = {
        {"0", 10, true, 0},
        {"18446744073709551615", 10, true, UINT64_MAX},
        {"18446744073709551616", 10, false, 0},
        {"ffffffffffffffff", 16, true, UINT64_MAX},
        {"10000000000000000", 16, false, 0},
        {"a", 10, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"1 ", 10, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t n = 0;
        LABEL("%s", cases[i].text);
        CHECK_EQ_INT(field_number(str_from(cases[i].text), cases[i].base, &n), cases[i].ok);
        if (cases[i].ok)
            CHECK_EQ_UINT(n, cases[i].n);
    }
}
