#include "app/when.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <time.h>

TEST(when_durations)
{
    static const struct {
        const char *text;
        int64_t ms; /* 0: is none */
    } rows[] = {{"90s", 90000},    {"1.5h", 5400000}, {"15min", 900000}, {"15 min", 900000},
                {"7d", 604800000}, {"250ms", 250},    {"", 0},           {"s", 0},
                {"5", 0},          {"-5s", 0},        {"0s", 0},         {"5 weeks", 0},
                {"1e99d", 0},      {"nan s", 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 0;
        LABEL("%s", rows[i].text);
        CHECK_EQ_INT(when_duration(str_from(rows[i].text), &ms), rows[i].ms > 0);
        CHECK_EQ_INT(rows[i].ms ? ms : 0, rows[i].ms);
    }
}

TEST(when_times)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: is none */
    } rows[] = {{"2026-01-05", 1767567600000},
                {"2026-01-05 06:30", 1767591000000},
                {"2026-01-05T06:30:15", 1767591015000},
                {"2026-07-05 06:30", 1783225800000}, /* summer: an hour earlier by UTC */
                {"2026-01-05Z", 1767571200000},
                {"2026-01-05T06:30:00Z", 1767594600000},
                {"1h", 1767600000000 - 3600000},
                {"2026-13-05", -1},
                {"2026-01-05 06:30 x", -1},
                {"tomorrow", -1},
                {"1960-01-01", -1},
                {"", -1}};
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = -1;
        LABEL("%s", rows[i].text);
        CHECK_EQ_INT(when_time(str_from(rows[i].text), 1767600000000, &ms), rows[i].ms >= 0);
        CHECK_EQ_INT(rows[i].ms < 0 ? -1 : ms, rows[i].ms);
    }
    unsetenv("TZ");
    tzset();
}
