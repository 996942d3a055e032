#include "app/when.h"

#include <string.h>
#include <time.h>

#define SPAN_MAX_MS (INT64_C(3000) * 365 * 24 * 3600 * 1000)

enum err span_parse(struct str text, int64_t *out_ms)
{
    static const struct {
        struct str unit;
        double ms;
    } units[] = {{{"ms", 2}, 1},    {{"s", 1}, 1e3},    {{"min", 3}, 6e4},
                 {{"h", 1}, 3.6e6}, {{"d", 1}, 8.64e7}, {{"w", 1}, 6.048e8}};
    size_t n = 0;
    double number;
    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;
    if (n == 0 || str_to_double(str_sub(text, 0, n), &number))
        return ERR_SYNTAX;
    struct str unit = str_trim(str_sub(text, n, text.n));
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_eq(unit, units[i].unit))
            continue;
        double ms = number * units[i].ms;
        if (ms < 1 || ms > (double)SPAN_MAX_MS)
            return ERR_RANGE;
        *out_ms = (int64_t)(ms + 0.5);
        return ERR_OK;
    }
    return ERR_SYNTAX;
}

/* The formats that a date may have; the whole text must be of one. */
static bool read_date(const char *text, struct tm *tm)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                          "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        *tm = (struct tm){.tm_isdst = -1};
        const char *end = strptime(text, formats[i], tm);
        if (end && *end == '\0')
            return true;
    }
    return false;
}

static enum err date_parse(struct str text, int64_t *out_ms)
{
    char buf[40];
    struct tm tm;
    bool utc = str_ends(text, STR("Z"));
    if (utc)
        text.n--;
    if (text.n == 0 || text.n >= sizeof(buf))
        return ERR_SYNTAX;
    memcpy(buf, text.p, text.n);
    buf[text.n] = '\0';
    if (!read_date(buf, &tm))
        return ERR_SYNTAX;
    struct tm asked = tm;
    time_t t = utc ? timegm(&tm) : mktime(&tm);
    if (asked.tm_mday != tm.tm_mday || asked.tm_mon != tm.tm_mon) /* the 31st of a short month */
        return ERR_RANGE;
    *out_ms = (int64_t)t * 1000;
    return ERR_OK;
}

enum err when_parse(struct str text, int64_t now_ms, int64_t *out_ms)
{
    int64_t span;
    text = str_trim(text);
    if (str_eq(text, STR("now"))) {
        *out_ms = now_ms;
        return ERR_OK;
    }
    if (str_to_i64(text, out_ms) == ERR_OK)
        return *out_ms < 0 ? ERR_RANGE : ERR_OK;
    enum err err = span_parse(text, &span);
    if (err == ERR_SYNTAX)
        return date_parse(text, out_ms);
    if (!err)
        *out_ms = now_ms > span ? now_ms - span : 0;
    return err;
}
