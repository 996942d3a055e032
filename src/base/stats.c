#include "base/stats.h"

#include <math.h>

double stats_slope(const double *x, const double *y, size_t n)
{
    if (n < 2)
        return 0;
    double mx = 0, my = 0;
    for (size_t i = 0; i < n; i++) {
        mx += (x[i] - x[0]) / (double)n; /* from the first: times since 1970 are large */
        my += (y[i] - y[0]) / (double)n;
    }
    mx += x[0];
    my += y[0];
    double sxx = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    bool differ = false;
    for (size_t i = 1; i < n && !differ; i++)
        differ = x[i] != x[0];
    return differ && sxx > 0 ? sxy / sxx : 0;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's selection: afterwards v[k] is the k-th smallest and all before it are not larger. */
static void select_kth(double *v, size_t n, size_t k)
{
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        double pivot = v[lo + (hi - lo) / 2];
        size_t i = lo, j = hi;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&v[i++], &v[j--]);
        }
        /* All up to j are not larger than all behind it, and lo <= j < hi. */
        if (k <= j)
            hi = j;
        else
            lo = j + 1;
    }
}

double stats_median(double *values, size_t n)
{
    /* NaN has no place in an order: it moves to the end and does not count. */
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            swap(&values[m++], &values[i]);
    if (m == 0)
        return 0;
    select_kth(values, m, m / 2);
    double upper = values[m / 2];
    if (m % 2)
        return upper;
    double lower = values[0];
    for (size_t i = 1; i < m / 2; i++)
        if (values[i] > lower)
            lower = values[i];
    return lower + (upper - lower) / 2;
}

#define STEPS 64 /* an octave; bucket i < 2 × STEPS holds exactly the value i */

static size_t bucket_of(uint64_t v)
{
    if (v < STEPS)
        return (size_t)v;
    unsigned octave = 63 - (unsigned)__builtin_clzll(v); /* 6 … 63 */
    size_t i = (octave - 5) * (size_t)STEPS + (size_t)(v >> (octave - 6)) - STEPS;
    const size_t last = sizeof(((struct histogram *)0)->bucket) / sizeof(uint64_t) - 1;
    return i < last ? i : last;
}

/* The largest value that falls into bucket i. */
static uint64_t bucket_top(size_t i)
{
    if (i < STEPS)
        return i;
    size_t shift = i / STEPS - 1;
    return ((uint64_t)(STEPS + i % STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
    h->bucket[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
    if (h->count == 0)
        return 0;
    double want = ceil(q * (double)h->count);
    uint64_t rank = want < 1 ? 1 : want >= (double)h->count ? h->count : (uint64_t)want;
    uint64_t seen = 0;
    for (size_t i = 0; i + 1 < ARRAY_LEN(h->bucket); i++) {
        seen += h->bucket[i];
        if (seen >= rank)
            return bucket_top(i) < h->max ? bucket_top(i) : h->max;
    }
    return h->max; /* the last bucket has no upper end */
}
