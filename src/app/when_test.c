#include "app/when.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <time.h>

#define NOW INT64_C(1764324000000) /* 2025-11-28T10:00:00Z */

TEST(times_as_people_type_them)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t ms;
    } rows[] = {
        {"now", ERR_OK, NOW},
        {" now ", ERR_OK, NOW},
        {"1764000000000", ERR_OK, 1764000000000},
        {"0", ERR_OK, 0},
        {"-1", ERR_RANGE, 0},
        {"2h", ERR_OK, NOW - 7200000},
        {"1.5 min", ERR_OK, NOW - 90000},
        {"7d", ERR_OK, NOW - 604800000},
        {"1w", ERR_OK, NOW - 604800000},
        {"250ms", ERR_OK, NOW - 250},
        {"90000d", ERR_OK, 0}, /* before 1970 there is nothing */
        {"9999999999999d", ERR_RANGE, 0},
        {"2025-11-28", ERR_OK, NOW - 11 * 3600000}, /* midnight in Berlin is 23:00 in UTC */
        {"2025-11-28Z", ERR_OK, NOW - 10 * 3600000},
        {"2025-11-28T10:00Z", ERR_OK, NOW},
        {"2025-11-28 11:00", ERR_OK, NOW},
        {"2025-11-28T11:00:01", ERR_OK, NOW + 1000},
        {"2025-06-28 12:00", ERR_OK, 1751104800000}, /* summer: 10:00 in UTC */
        {"2025-02-31", ERR_RANGE, 0},
        {"2025-13-01", ERR_SYNTAX, 0},
        {"2025-11-28 25:00", ERR_SYNTAX, 0},
        {"2025-11-28T10:00Zx", ERR_SYNTAX, 0},
        {"yesterday", ERR_SYNTAX, 0},
        {"", ERR_SYNTAX, 0},
        {"Z", ERR_SYNTAX, 0},
        {"h", ERR_SYNTAX, 0},
        {"1.2.3h", ERR_SYNTAX, 0},
        {"2 fortnights", ERR_SYNTAX, 0},
    };
    const char *before = getenv("TZ");
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("\"%s\"", rows[i].text);
        int64_t ms = -7;
        enum err err = when_parse(str_from(rows[i].text), NOW, &ms);
        CHECK_EQ_INT(err, rows[i].err);
        if (!rows[i].err)
            CHECK_EQ_INT(ms, rows[i].ms);
    }
    if (before)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
}

TEST(spans_as_people_type_them)
{
    int64_t ms = 0;
    CHECK_EQ_INT(span_parse(STR("1min"), &ms), ERR_OK);
    CHECK_EQ_INT(ms, 60000);
    CHECK_EQ_INT(span_parse(STR("0h"), &ms), ERR_RANGE);
    CHECK_EQ_INT(span_parse(STR("0.1ms"), &ms), ERR_RANGE);
    CHECK_EQ_INT(span_parse(STR("60"), &ms), ERR_SYNTAX);
    CHECK_EQ_INT(span_parse(STR("-1h"), &ms), ERR_SYNTAX);
}
