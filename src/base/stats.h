/* stats: slope of a line through points, quantiles of a stream of numbers.
 *
 * Threads: none. */
#pragma once

#include "base/err.h"

/* Least squares: change of y per unit of x; 0 with fewer than two different x. */
double stats_slope(const double *x, const double *y, size_t n);
double stats_median(double *values, size_t n); /* reorders; 0 if n is 0 */

/* Log-linear histogram of non-negative integers (as HdrHistogram, 64 steps an octave: error
 * below 1.6 %). Fixed memory. */
struct histogram {
    uint64_t count, max, sum;
    uint64_t bucket[64 * 40];
};
void histogram_add(struct histogram *h, uint64_t value);
uint64_t histogram_quantile(const struct histogram *h, double q); /* q in 0 … 1 */
