#include "base/clock.h"
#include <math.h>

/* Marsaglia's polar method. In a file of its own, since it alone needs the mathematical library,
 * which libsedge-rt does without. */
double random_normal(struct random *r)
{
    double u, v, s;
    do {
        u = 2 * random_unit(r) - 1;
        v = 2 * random_unit(r) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}
