/* Numbers from text: whole strings, no locale, correctly rounded. */
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err str_to_i64(struct str s, int64_t *out)
{
    size_t i = 0;
    bool negative = s.n && s.p[0] == '-';
    if (negative)
        i = 1;
    if (i == s.n)
        return ERR_SYNTAX;
    bool over = false;
    int64_t v = 0; /* built negative: its range is the larger one */
    for (; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return ERR_SYNTAX;
        over |= __builtin_mul_overflow(v, (int64_t)10, &v);
        over |= __builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v);
    }
    if (over || (!negative && v == INT64_MIN))
        return ERR_RANGE;
    *out = negative ? v : -v;
    return ERR_OK;
}

bool str_to_i64_within(struct str s, int64_t min, int64_t max, int64_t *out)
{
    int64_t v;
    if (str_to_i64(s, &v) || v < min || v > max)
        return false;
    *out = v;
    return true;
}

/* Decimal digits beyond this many can't change the rounding of a double, except by being
 * non-zero at all; the longest exact half-way point has 767. */
#define DIGITS_MAX    780
#define EXPONENT_CLIP 1000000000

struct decimal {
    bool negative;
    uint64_t mantissa; /* exact if digits <= 19 */
    size_t digits;     /* significant ones, without leading zeros */
    int64_t exp10;     /* value = all digits as an integer × 10^exp10 */
    struct str text;   /* integer and fraction digits with the point */
};

static void decimal_digit(struct decimal *d, char c)
{
    if (d->digits == 0 && c == '0')
        return;
    if (d->digits < 19)
        d->mantissa = d->mantissa * 10 + (uint64_t)(c - '0');
    d->digits++;
}

static size_t scan_exponent(struct str s, size_t i, struct decimal *d)
{
    bool negative = false;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
        negative = s.p[i++] == '-';
    if (i == s.n)
        return 0;
    int64_t e = 0;
    for (; i < s.n && is_digit(s.p[i]); i++)
        if (e < EXPONENT_CLIP)
            e = e * 10 + (s.p[i] - '0');
    d->exp10 += negative ? -e : e;
    return i;
}

/* digits [ "." digits ] [ ("e" | "E") [ "+" | "-" ] digits ], with an optional "-" before. */
static enum err decimal_scan(struct str s, struct decimal *d)
{
    size_t i = 0;
    if (s.n && s.p[0] == '-') {
        d->negative = true;
        i = 1;
    }
    size_t start = i;
    for (; i < s.n && is_digit(s.p[i]); i++)
        decimal_digit(d, s.p[i]);
    if (i == start)
        return ERR_SYNTAX;
    if (i < s.n && s.p[i] == '.') {
        size_t point = i++;
        for (; i < s.n && is_digit(s.p[i]); i++)
            decimal_digit(d, s.p[i]);
        if (i == point + 1)
            return ERR_SYNTAX;
        d->exp10 -= (int64_t)(i - point - 1);
    }
    d->text = str_sub(s, start, i - start);
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E'))
        i = scan_exponent(s, i + 1, d);
    return i == s.n ? ERR_OK : ERR_SYNTAX;
}

/* strtod() on a bounded copy without a point, which is where a locale would matter. */
static double decimal_slow(const struct decimal *d)
{
    char buf[DIGITS_MAX + 32];
    size_t n = 0, dropped = 0;
    bool sticky = false;
    for (size_t i = 0; i < d->text.n; i++) {
        char c = d->text.p[i];
        if (c == '.' || (n == 0 && c == '0'))
            continue;
        if (n < DIGITS_MAX) {
            buf[n++] = c;
        } else {
            dropped++;
            sticky |= c != '0';
        }
    }
    int64_t exp10 = d->exp10 + (int64_t)dropped;
    if (sticky) {
        buf[n++] = '1';
        exp10--;
    }
    (void)snprintf(buf + n, sizeof(buf) - n, "e%lld", (long long)exp10);
    return strtod(buf, NULL);
}

enum err str_to_double(struct str s, double *out)
{
    static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d = {0};
    enum err err = decimal_scan(s, &d);
    if (err)
        return err;
    double v;
    if (d.digits == 0) {
        v = 0;
    } else if (d.digits <= 19 && d.mantissa <= (1ULL << 53) && d.exp10 >= -22 && d.exp10 <= 22) {
        /* Both operands are exact, so one operation rounds once (Clinger 1990). */
        v = (double)d.mantissa;
        v = d.exp10 < 0 ? v / pow10[-d.exp10] : v * pow10[d.exp10];
    } else {
        v = decimal_slow(&d);
        if (isinf(v))
            return ERR_RANGE;
    }
    *out = d.negative ? -v : v;
    return ERR_OK;
}
