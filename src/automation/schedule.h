/* schedule: when a rule of wall-clock time (`at 05:00 on mon, wed`) comes next.
 *
 * Why: people think in the time of their clock, and twice a year that clock jumps. A time that does
 * not exist on a day (the clock went forward over it) comes at the first instant after the gap; one
 * that exists twice (it went back) comes once, the first time. The zone is the process's
 * (environment variable TZ, tzset()), known to the C library by the tz database; app/ sets it from
 * the site before there are threads. Threads: any. Errors: none; a schedule without a day never
 * comes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint32_t at_s; /* seconds since midnight */
    uint8_t days;  /* bit 0 is Monday */
};
#define SCHEDULE_NEVER INT64_MAX

/* The first instant behind `after_ms`, both in milliseconds since 1970. */
int64_t schedule_next_ms(const struct schedule *s, int64_t after_ms);
/* The last instant at or before `now_ms` and behind `since_ms`; SCHEDULE_NEVER if there is none.
 * For what was missed while nobody ran; it looks back over eight days. */
int64_t schedule_missed_ms(const struct schedule *s, int64_t since_ms, int64_t now_ms);
