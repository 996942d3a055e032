#include "base/clock.h"
#include "base/stats.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TEST(clock_manual_stands_until_moved)
{
    struct clock_manual m;
    clock_manual_init(&m, 1764000000000);
    CHECK_EQ_INT(clock_mono_ns(&m.clock), 0);
    CHECK_EQ_INT(clock_wall_ms(&m.clock), 1764000000000);
    clock_manual_advance(&m, 2500000);
    CHECK_EQ_INT(clock_mono_ns(&m.clock), 2500000);
    CHECK_EQ_INT(clock_wall_ms(&m.clock), 1764000000002);
}

TEST(time_format_known)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951827696789, "2000-02-29T12:34:56.789Z"},
        {1795400280000, "2026-11-23T02:18:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[25];
        time_format(rows[i].ms, buf);
        CHECK_EQ_STR(buf, rows[i].text);
    }
}

TEST(time_format_agrees_with_gmtime)
{
    struct random r;
    random_seed(&r, test_seed());
    for (int i = 0; i < 20000; i++) {
        int64_t s = (int64_t)random_below(&r, 315569433600) - 62167219200;
        time_t t = (time_t)s;
        struct tm tm;
        gmtime_r(&t, &tm);
        char want[64], got[25];
        strftime(want, sizeof(want), "-%m-%dT%H:%M:%S.000Z", &tm);
        time_format(s * 1000, got);
        LABEL("%lld s", (long long)s);
        REQUIRE(strcmp(got + 4, want) == 0);
        REQUIRE(strtol(got, NULL, 10) == tm.tm_year + 1900);
    }
}

TEST(random_repeats_with_its_seed)
{
    struct random a, b, c;
    random_seed(&a, 42);
    random_seed(&b, 42);
    random_seed(&c, 43);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = random_u64(&a);
        CHECK_EQ_UINT(v, random_u64(&b));
        same += v == random_u64(&c);
    }
    CHECK_EQ_INT(same, 0);
}

TEST(random_has_the_right_shape)
{
    enum { N = 200000 };
    struct random r;
    random_seed(&r, test_seed());
    uint64_t bins[7] = {0};
    double sum = 0, normal = 0, square = 0;
    for (int i = 0; i < N; i++) {
        bins[random_below(&r, 7)]++;
        double u = random_unit(&r), z = random_normal(&r);
        REQUIRE(u >= 0 && u < 1);
        sum += u;
        normal += z;
        square += z * z;
    }
    /* Six deviations: a wrong alarm in five hundred million runs. */
    for (size_t i = 0; i < ARRAY_LEN(bins); i++)
        CHECK_EQ_DBL((double)bins[i], N / 7.0, 6 * sqrt(N / 7.0));
    CHECK_EQ_DBL(sum / N, 0.5, 6 / sqrt(12.0 * N));
    CHECK_EQ_DBL(normal / N, 0, 6 / sqrt(N));
    CHECK_EQ_DBL(square / N, 1, 6 * sqrt(2.0 / N));
    CHECK_EQ_UINT(random_below(&r, 1), 0);
}

TEST(stats_slope_of_lines)
{
    double x[10], y[10];
    for (int i = 0; i < 10; i++) {
        x[i] = 1764000000.0 + i; /* seconds since 1970: must not lose digits */
        y[i] = 20 - 0.25 * i;
    }
    CHECK_EQ_DBL(stats_slope(x, y, 10), -0.25, 1e-9);
    CHECK_EQ_DBL(stats_slope(x, y, 2), -0.25, 1e-9);
    CHECK_EQ_DBL(stats_slope(x, y, 1), 0, 0);
    CHECK_EQ_DBL(stats_slope(x, y, 0), 0, 0);
    double same[3] = {0.1, 0.1, 0.1}, up[3] = {1, 2, 3};
    CHECK_EQ_DBL(stats_slope(same, up, 3), 0, 0);
    double noisy[4] = {1, 3, 2, 4}, at[4] = {0, 1, 2, 3};
    CHECK_EQ_DBL(stats_slope(at, noisy, 4), 0.8, 1e-12);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

TEST(stats_median_agrees_with_sorting)
{
    struct random r;
    random_seed(&r, test_seed());
    for (int round = 0; round < 5000; round++) {
        double v[40], s[40];
        size_t n = (size_t)random_below(&r, 40);
        uint64_t spread = 1 + random_below(&r, 50); /* few values: many equal ones */
        for (size_t i = 0; i < n; i++)
            s[i] = v[i] = (double)random_below(&r, spread);
        qsort(s, n, sizeof(*s), by_value);
        double want = n == 0 ? 0 : n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
        REQUIRE(stats_median(v, n) == want);
        qsort(v, n, sizeof(*v), by_value);
        REQUIRE(memcmp(v, s, n * sizeof(*v)) == 0); /* reordered, nothing lost */
    }
    double with_nan[] = {NAN, 3, NAN, 1, 2};
    CHECK_EQ_DBL(stats_median(with_nan, 5), 2, 0);
    CHECK_EQ_DBL(stats_median(with_nan, 0), 0, 0);
    double only_nan[] = {NAN};
    CHECK_EQ_DBL(stats_median(only_nan, 1), 0, 0);
}

TEST(histogram_error_is_bounded)
{
    struct random r;
    static struct histogram h;
    random_seed(&r, test_seed());
    CHECK_EQ_UINT(histogram_quantile(&h, 0.5), 0);
    for (int i = 0; i < 3000; i++) {
        memset(&h, 0, sizeof(h));
        uint64_t v = random_u64(&r) >> (20 + random_below(&r, 44));
        histogram_add(&h, v);
        histogram_add(&h, UINT64_MAX);
        uint64_t got = histogram_quantile(&h, 0.5);
        LABEL("%llu", (unsigned long long)v);
        REQUIRE(got >= v && got - v <= v / 64);
        REQUIRE(histogram_quantile(&h, 1) == UINT64_MAX);
    }
}

TEST(histogram_quantiles)
{
    static struct histogram h;
    for (uint64_t v = 1; v <= 1000; v++)
        histogram_add(&h, v);
    CHECK_EQ_UINT(h.sum, 500500);
    CHECK_EQ_UINT(h.max, 1000);
    static const double q[] = {0, 0.1, 0.5, 0.9, 0.99, 1};
    for (size_t i = 0; i < ARRAY_LEN(q); i++) {
        double want = q[i] == 0 ? 1 : q[i] * 1000;
        CHECK_EQ_DBL((double)histogram_quantile(&h, q[i]), want, want / 64 + 1e-9);
    }
}
