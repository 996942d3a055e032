#include "app/when.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LONGEST_MS (100.0 * 365 * 86400000)

bool when_duration(struct str text, int64_t *ms)
{
    static const struct {
        struct str unit;
        double ms;
    } units[] = {{{"ms", 2}, 1},
                 {{"min", 3}, 60000},
                 {{"s", 1}, 1000},
                 {{"h", 1}, 3600000},
                 {{"d", 1}, 86400000}};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        double n = 0;
        if (!str_ends(text, units[i].unit))
            continue;
        struct str number = str_trim(str_sub(text, 0, text.n - units[i].unit.n));
        if (str_to_double(number, &n) || !(n > 0) || n * units[i].ms > LONGEST_MS)
            return false;
        *ms = (int64_t)llround(n * units[i].ms);
        return *ms > 0;
    }
    return false;
}

/* All of the text, by one of these forms. */
static bool read_calendar(const char *text, struct tm *out)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        *out = (struct tm){.tm_isdst = -1};
        const char *end = strptime(text, forms[i], out);
        if (end && !*end)
            return true;
    }
    return false;
}

bool when_time(struct str text, int64_t now_ms, int64_t *ms)
{
    char copy[64];
    struct tm at;
    int64_t ago;
    if (when_duration(text, &ago)) {
        *ms = now_ms - ago;
        return *ms >= 0;
    }
    bool utc = str_ends(text, STR("Z"));
    int n = snprintf(copy, sizeof(copy), "%.*s", (int)(text.n - utc), text.p);
    if (n < 0 || (size_t)n >= sizeof(copy) || !read_calendar(copy, &at))
        return false;
    time_t s = utc ? timegm(&at) : mktime(&at);
    *ms = (int64_t)s * 1000;
    return s >= 0;
}
