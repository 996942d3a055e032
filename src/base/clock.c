#include "base/clock.h"

#include <string.h>

static int64_t manual_mono_ns(struct clock *c)
{
    return CONTAINER_OF(c, struct clock_manual, clock)->now_ns;
}

static int64_t manual_wall_ms(struct clock *c)
{
    struct clock_manual *m = CONTAINER_OF(c, struct clock_manual, clock);
    return m->wall_base_ms + m->now_ns / 1000000;
}

void clock_manual_init(struct clock_manual *c, int64_t wall_base_ms)
{
    *c = (struct clock_manual){.clock = {manual_mono_ns, manual_wall_ms},
                               .wall_base_ms = wall_base_ms};
}

void clock_manual_advance(struct clock_manual *c, int64_t ns)
{
    ASSERT(ns >= 0);
    c->now_ns += ns;
}

/* splitmix64 spreads a seed over the state; never all zeros. */
void random_seed(struct random *r, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_LEN(r->s); i++) {
        seed += 0x9E3779B97F4A7C15ULL;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
        r->s[i] = z ^ z >> 31;
    }
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t random_u64(struct random *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t n)
{
    ASSERT(n > 0);
    /* Throws away the numbers below 2^64 mod n, which would make some results likelier. */
    uint64_t skip = (0 - n) % n;
    uint64_t v;
    do
        v = random_u64(r);
    while (v < skip);
    return v % n;
}

double random_unit(struct random *r)
{
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}

static char *put_digits(char *p, int64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

void time_format(int64_t wall_ms, char buf[25])
{
    /* The years 0000 to 9999; beyond, the nearest end. */
    const int64_t min_ms = -62167219200000, max_ms = 253402300799999;
    if (wall_ms < min_ms)
        wall_ms = min_ms;
    if (wall_ms > max_ms)
        wall_ms = max_ms;
    int64_t t = wall_ms - min_ms; /* since 0000-01-01, never negative */
    int64_t ms = t % 86400000;
    /* Civil date from days (Hinnant), counted from 0000-03-01; January and February of the
     * year 0 lie before it, hence one era of 400 years (146097 days) more. */
    int64_t z = t / 86400000 - 60 + 146097;
    int64_t era = z / 146097, doe = z % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + (era - 1) * 400 + (month <= 2);
    char *p = put_digits(buf, year, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day, 2);
    *p++ = 'T';
    p = put_digits(p, ms / 3600000, 2);
    *p++ = ':';
    p = put_digits(p, ms / 60000 % 60, 2);
    *p++ = ':';
    p = put_digits(p, ms / 1000 % 60, 2);
    *p++ = '.';
    p = put_digits(p, ms % 1000, 3);
    *p++ = 'Z';
    *p = '\0';
}
