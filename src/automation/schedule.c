#include "automation/schedule.h"

#include <time.h>

enum { DAY_S = 86400, LOOK_DAYS = 9 };

static int64_t offset_at(int64_t utc_s)
{
    time_t t = (time_t)utc_s;
    struct tm local;
    return localtime_r(&t, &local) ? local.tm_gmtoff : 0;
}

/* The first instant in (from, to] whose offset is that of `to`: where the clock jumps. */
static int64_t jump_between(int64_t from, int64_t to)
{
    int64_t after = offset_at(to);
    while (to - from > 1) {
        int64_t mid = from + (to - from) / 2;
        if (offset_at(mid) == after)
            to = mid;
        else
            from = mid;
    }
    return to;
}

/* The instant at which the clock shows `wall_s`, seconds since 1970 as if the zone were UTC. */
static int64_t instant_of(int64_t wall_s)
{
    int64_t before = offset_at(wall_s - DAY_S), after = offset_at(wall_s + DAY_S);
    int64_t first = wall_s - before, second = wall_s - after;
    if (first > second) {
        int64_t swap = first;
        first = second;
        second = swap;
    }
    if (first + offset_at(first) == wall_s)
        return first;
    if (second + offset_at(second) == wall_s)
        return second;
    return jump_between(wall_s - before - DAY_S, wall_s - after + DAY_S);
}

/* Midnight of that instant's day, by the clock. */
static int64_t wall_day(int64_t utc_s)
{
    int64_t wall = utc_s + offset_at(utc_s), day = wall / DAY_S;
    return (day - (wall % DAY_S < 0)) * DAY_S;
}

/* Monday is 0; 1970 began on a Thursday. */
static int weekday(int64_t day_s)
{
    int64_t d = (day_s / DAY_S + 3) % 7;
    return (int)(d < 0 ? d + 7 : d);
}

static int64_t floor_s(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

int64_t schedule_next_ms(const struct schedule *s, int64_t after_ms)
{
    int64_t today = wall_day(floor_s(after_ms));
    for (int64_t d = -1; d < LOOK_DAYS; d++) {
        int64_t day = today + d * DAY_S;
        if (!(s->days >> weekday(day) & 1))
            continue;
        int64_t at_ms = instant_of(day + (int64_t)s->at_s) * 1000;
        if (at_ms > after_ms)
            return at_ms;
    }
    return SCHEDULE_NEVER;
}

int64_t schedule_missed_ms(const struct schedule *s, int64_t since_ms, int64_t now_ms)
{
    int64_t today = wall_day(floor_s(now_ms));
    for (int64_t d = 0; d < LOOK_DAYS; d++) {
        int64_t day = today - d * DAY_S;
        if (!(s->days >> weekday(day) & 1))
            continue;
        int64_t at_ms = instant_of(day + (int64_t)s->at_s) * 1000;
        if (at_ms <= since_ms)
            return SCHEDULE_NEVER;
        if (at_ms <= now_ms)
            return at_ms;
    }
    return SCHEDULE_NEVER;
}
