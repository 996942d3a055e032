/* Times as documents give them, in a zone with summer time. */
#include "registry/registry_internal.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARRIVED_MS 1764000000000LL /* 2025-11-24 16:00:00 UTC, 17:00 in Berlin */

static struct json_token token_of(const char *text, bool number)
{
    return (struct json_token){.kind = number ? JSON_NUMBER : JSON_STRING,
                               .raw = {text, strlen(text)}};
}

static void berlin(void)
{
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
}

TEST(times_are_read)
{
    static const struct {
        const char *text;
        bool number;
        enum when when;
        int64_t ms; /* after the arrival */
    } rows[] = {
        {"1763999999000", true, WHEN_SAID, -1000},
        {"1763999999", true, WHEN_SAID, -1000},
        {"1763999999.25", true, WHEN_SAID, -750},
        {"1763999999000", false, WHEN_SAID, -1000},
        {"5", true, WHEN_NEVER, 0},
        {"-1", true, WHEN_NEVER, 0},
        {"1e300", true, WHEN_NEVER, 0},
        {"1764100000000", true, WHEN_NEVER, 0}, /* the day after tomorrow */
        {"2025-11-24T15:59:59Z", false, WHEN_SAID, -1000},
        {"2025-11-24T15:59:59.5Z", false, WHEN_SAID, -500},
        {"2025-11-24T16:59:59.123456+01:00", false, WHEN_SAID, -877},
        {"2025-11-24T10:29:59-0530", false, WHEN_SAID, -1000},
        {"2025-11-24 15:59:59Z", false, WHEN_SAID, -1000},
        {"2025-11-24T16:00:00", false, WHEN_SAID, -3600000}, /* local: it was held up an hour */
        {"2025-11-24T16:59:30", false, WHEN_NOW, 0},         /* local: as good as now */
        {"2025-11-24T17:00:59", false, WHEN_NOW, 0},
        {"2025-11-24T18:00:00", false, WHEN_NEVER, 0}, /* local, ahead: in another zone */
        {"1970-01-01T00:00:09", false, WHEN_NEVER, 0},
        {"2025-11-24T16:00", false, WHEN_NEVER, 0},
        {"2025-11-24T16:00:00x", false, WHEN_NEVER, 0},
        {"yesterday", false, WHEN_NEVER, 0},
        {"", false, WHEN_NEVER, 0},
    };
    berlin();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        const struct json_token t = token_of(rows[i].text, rows[i].number);
        int64_t ms = 0;
        REQUIRE(CHECK_EQ_INT(when_said(&t, ARRIVED_MS, &ms), rows[i].when));
        if (rows[i].when == WHEN_SAID)
            CHECK_EQ_INT(ms - ARRIVED_MS, rows[i].ms);
    }
}

/* 2025-10-26, 02:30 is there twice in Berlin: at 00:30 and 01:30 UTC. */
TEST(of_an_hour_that_is_there_twice_the_nearer_one)
{
    static const struct {
        int64_t arrived_ms, ms;
    } rows[] = {
        {1761438600000 + 7200000, 1761442200000}, /* an hour after the second */
        {1761438600000 + 1200000, 1761438600000}, /* 20 minutes after the first */
    };
    const struct json_token t = token_of("2025-10-26T02:30:00", false);
    berlin();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 0;
        REQUIRE(CHECK_EQ_INT(when_said(&t, rows[i].arrived_ms, &ms), WHEN_SAID));
        CHECK_EQ_INT(ms, rows[i].ms);
    }
}

TEST(an_hour_that_is_not_there)
{
    const struct json_token t = token_of("2025-03-30T02:30:00", false);
    int64_t ms;
    berlin();
    CHECK_EQ_INT(when_said(&t, 1743300000000, &ms), WHEN_NEVER);
}
