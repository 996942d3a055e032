/* when: a time as documents give it: milliseconds or seconds since 1970, or ISO 8601 text.
 *
 * A text without a zone is the clock of a wall (Tasmota's `Time`): it is read in the site's zone.
 * Such clocks are set by hand or not at all, and show whole seconds, so one that agrees with the
 * arrival within a minute says no more than the arrival does, and one that is ahead is in another
 * zone. Only one that is behind tells something: the message was held up on its way. */
#include "registry/registry_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AHEAD_MAX_MS = 24 * 3600 * 1000, SAME_MS = 60000 };
#define EARLIEST_MS 946684800000LL /* 2000-01-01: earlier is a device without a clock */
#define LATEST_S    4102444800LL   /* 2100-01-01; as milliseconds it would be in 1970 */

static enum when plausible(int64_t ms, int64_t arrived_ms, int64_t *out)
{
    *out = ms;
    return ms >= EARLIEST_MS && ms <= arrived_ms + AHEAD_MAX_MS ? WHEN_SAID : WHEN_NEVER;
}

static enum when number_said(struct str raw, int64_t arrived_ms, int64_t *out)
{
    double d;
    int64_t ms;
    if (json_integer(raw, &ms) == ERR_OK && ms >= LATEST_S)
        return plausible(ms, arrived_ms, out);
    if (json_number(raw, &d) || fabs(d) >= 1e15)
        return WHEN_NEVER;
    if (d >= (double)EARLIEST_MS / 1000 && d < (double)LATEST_S)
        return plausible((int64_t)llround(d * 1000), arrived_ms, out);
    return plausible((int64_t)d, arrived_ms, out);
}

/* Exactly `n` digits. */
static bool digits(struct cursor *c, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t b = cursor_u8(c);
        if (b < '0' || b > '9')
            return false;
        *out = *out * 10 + (b - '0');
    }
    return true;
}

static bool sign(struct cursor *c, const char *any)
{
    uint8_t b = cursor_u8(c);
    return b && strchr(any, b);
}

/* 2026-11-28T10:20:30[.5], by ISO 8601 in its usual form (RFC 3339, section 5.6). */
static bool read_fields(struct cursor *c, struct tm *tm, int *ms)
{
    int year, month;
    if (!digits(c, 4, &year) || !sign(c, "-") || !digits(c, 2, &month) || !sign(c, "-") ||
        !digits(c, 2, &tm->tm_mday) || !sign(c, "T t") || !digits(c, 2, &tm->tm_hour) ||
        !sign(c, ":") || !digits(c, 2, &tm->tm_min) || !sign(c, ":") || !digits(c, 2, &tm->tm_sec))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    *ms = 0;
    if (cursor_left(c) == 0 || *c->p != '.')
        return true;
    (void)cursor_u8(c);
    for (int unit = 100; cursor_left(c) && *c->p >= '0' && *c->p <= '9'; unit /= 10)
        *ms += (cursor_u8(c) - '0') * unit;
    return true;
}

/* Z, +01:00, -0530; *seconds east of Greenwich. */
static bool read_zone(struct cursor *c, int64_t *seconds)
{
    int hours, minutes;
    uint8_t b = cursor_u8(c);
    *seconds = 0;
    if (b == 'Z' || b == 'z')
        return cursor_left(c) == 0;
    if ((b != '+' && b != '-') || !digits(c, 2, &hours))
        return false;
    if (cursor_left(c) && *c->p == ':')
        (void)cursor_u8(c);
    if (!digits(c, 2, &minutes) || cursor_left(c))
        return false;
    *seconds = (int64_t)(hours * 60 + minutes) * 60 * (b == '-' ? -1 : 1);
    return true;
}

/* Of the hour that a clock shows twice a year, the one that is nearer to the arrival. */
static bool local_time(const struct tm *shown, int64_t arrived_ms, int64_t *ms)
{
    bool found = false;
    for (int dst = 0; dst <= 1; dst++) {
        struct tm tm = *shown;
        tm.tm_isdst = dst;
        int64_t at = (int64_t)mktime(&tm) * 1000;
        if (tm.tm_hour != shown->tm_hour || tm.tm_min != shown->tm_min)
            continue; /* the clock does not show it then */
        if (!found || llabs(at - arrived_ms) < llabs(*ms - arrived_ms))
            *ms = at;
        found = true;
    }
    return found;
}

static enum when text_said(struct str text, int64_t arrived_ms, int64_t *out)
{
    struct cursor c = cursor_from(text.p, text.n);
    struct tm tm = {0};
    int fraction;
    int64_t east;
    if (!read_fields(&c, &tm, &fraction))
        return WHEN_NEVER;
    if (cursor_left(&c)) {
        if (!read_zone(&c, &east))
            return WHEN_NEVER;
        int64_t s = (int64_t)timegm(&tm) - east;
        return plausible(s * 1000 + fraction, arrived_ms, out);
    }
    int64_t ms;
    if (!local_time(&tm, arrived_ms, &ms))
        return WHEN_NEVER;
    if (llabs(ms - arrived_ms) <= SAME_MS)
        return WHEN_NOW;
    *out = ms + fraction;
    return ms >= EARLIEST_MS && ms < arrived_ms ? WHEN_SAID : WHEN_NEVER;
}

enum when when_said(const struct json_token *t, int64_t arrived_ms, int64_t *ms)
{
    double d;
    if (t->kind == JSON_NUMBER)
        return number_said(t->raw, arrived_ms, ms);
    if (t->kind != JSON_STRING || t->escaped)
        return WHEN_NEVER;
    return json_number(t->raw, &d) == ERR_OK ? number_said(t->raw, arrived_ms, ms)
                                             : text_said(t->raw, arrived_ms, ms);
}
