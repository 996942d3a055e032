#include "automation/schedule.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MON = 1, TUE = 2, WED = 4, SAT = 32, SUN = 64, ALL = 127, WEEKDAYS = 31 };

static int64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d %H:%M", &tm);
    if (end && *end == ':')
        end = strptime(end, ":%S", &tm);
    REQUIRE(end && *end == '\0');
    return (int64_t)timegm(&tm) * 1000;
}

static void zone(const char *name)
{
    REQUIRE(setenv("TZ", name, 1) == 0);
    tzset();
}

static void zone_reset(void)
{
    (void)unsetenv("TZ");
    tzset();
}

static const struct next_case {
    const char *label, *zone;
    uint32_t h, m;
    uint8_t days;
    const char *after, *want;
} next_cases[] = {
    {"later today", "UTC", 5, 0, ALL, "2026-11-28 04:00", "2026-11-28 05:00"},
    {"exactly now is over", "UTC", 5, 0, ALL, "2026-11-28 05:00", "2026-11-29 05:00"},
    {"a second before", "UTC", 5, 0, ALL, "2026-11-28 04:59:59", "2026-11-28 05:00"},
    {"next Monday", "UTC", 5, 0, MON, "2026-11-28 04:00", "2026-11-30 05:00"},
    {"a week later", "UTC", 5, 0, SAT, "2026-11-28 05:00", "2026-12-05 05:00"},
    {"weekdays from Friday", "UTC", 6, 30, WEEKDAYS, "2026-11-27 07:00", "2026-11-30 06:30"},
    {"29 February", "UTC", 0, 0, ALL, "2028-02-28 12:00", "2028-02-29 00:00"},
    {"new year", "UTC", 0, 0, ALL, "2026-12-31 23:59:59", "2027-01-01 00:00"},
    {"winter in Berlin", "Europe/Berlin", 5, 0, ALL, "2026-11-28 03:00", "2026-11-28 04:00"},
    {"summer in Berlin", "Europe/Berlin", 5, 0, ALL, "2026-07-01 01:00", "2026-07-01 03:00"},
    {"in the gap", "Europe/Berlin", 2, 30, ALL, "2026-03-28 12:00", "2026-03-29 01:00"},
    {"after the gap", "Europe/Berlin", 3, 0, ALL, "2026-03-28 12:00", "2026-03-29 01:00"},
    {"the day after the gap", "Europe/Berlin", 2, 30, ALL, "2026-03-29 01:00", "2026-03-30 00:30"},
    {"twice: the first", "Europe/Berlin", 2, 30, ALL, "2026-10-24 12:00", "2026-10-25 00:30"},
    {"twice: not again", "Europe/Berlin", 2, 30, ALL, "2026-10-25 00:30", "2026-10-26 01:30"},
    {"half an hour's gap", "Australia/Lord_Howe", 2, 15, ALL, "2026-10-03 00:00",
     "2026-10-03 15:30"},
    {"ahead of UTC", "Asia/Shanghai", 0, 30, MON, "2026-11-28 00:00", "2026-11-29 16:30"},
    {"behind UTC", "America/Los_Angeles", 20, 0, SUN, "2026-11-28 00:00", "2026-11-30 04:00"},
    {"a day that does not exist", "Pacific/Apia", 8, 0, ALL, "2011-12-29 18:00",
     "2011-12-30 10:00"},
};

TEST(the_next_time_is_by_the_clock_of_the_zone)
{
    for (size_t i = 0; i < sizeof(next_cases) / sizeof(next_cases[0]); i++) {
        const struct next_case *c = &next_cases[i];
        LABEL("%s", c->label);
        zone(c->zone);
        struct schedule s = {c->h * 3600 + c->m * 60, c->days};
        CHECK_EQ_INT(schedule_next_ms(&s, utc(c->after)), utc(c->want));
    }
    zone_reset();
}

TEST(a_schedule_without_days_never_comes)
{
    struct schedule s = {3600, 0};
    CHECK_EQ_INT(schedule_next_ms(&s, 0), SCHEDULE_NEVER);
    CHECK_EQ_INT(schedule_missed_ms(&s, 0, utc("2026-11-28 00:00")), SCHEDULE_NEVER);
}

/* Whatever the zone: strictly later, at most eight days later, at that time of the clock or at a
 * jump, and what comes next is what was missed when looked at from there. */
TEST(times_go_on_and_none_is_left_out)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Asia/Kathmandu"};
    for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
        zone(zones[z]);
        struct schedule s = {2 * 3600 + 30 * 60, ALL};
        int64_t at = utc("2026-01-01 00:00"), days = 0;
        while (at < utc("2027-01-01 00:00")) {
            int64_t next = schedule_next_ms(&s, at);
            LABEL("%s, day %lld", zones[z], (long long)days);
            CHECK(next > at && next - at <= (int64_t)25 * 3600 * 1000);
            CHECK_EQ_INT(schedule_missed_ms(&s, at, next), next);
            CHECK_EQ_INT(schedule_missed_ms(&s, next, next + 1000), SCHEDULE_NEVER);
            at = next;
            days++;
        }
        CHECK_EQ_INT(days, 366);
    }
    zone_reset();
}

TEST(only_the_last_missed_time_counts)
{
    zone("UTC");
    struct schedule s = {5 * 3600, MON | WED};
    CHECK_EQ_INT(schedule_missed_ms(&s, utc("2026-11-01 00:00"), utc("2026-11-28 00:00")),
                 utc("2026-11-25 05:00"));
    CHECK_EQ_INT(schedule_missed_ms(&s, utc("2026-11-25 05:00"), utc("2026-11-28 00:00")),
                 SCHEDULE_NEVER);
    zone_reset();
}
