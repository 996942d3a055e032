/* clock, random: time and chance behind interfaces, so that a whole site runs in simulation.
 *
 * Threads: clock any; a struct random belongs to one thread. */
#pragma once

#include "base/err.h"

struct clock {
    int64_t (*mono_ns)(struct clock *c); /* never goes back; starts anywhere */
    int64_t (*wall_ms)(struct clock *c); /* since 1970 UTC; may jump */
};
static inline int64_t clock_mono_ns(struct clock *c)
{
    return c->mono_ns(c);
}
static inline int64_t clock_wall_ms(struct clock *c)
{
    return c->wall_ms(c);
}

/* A clock that stands until it is moved: tests and simulation. */
struct clock_manual {
    struct clock clock;
    int64_t now_ns; /* monotonic */
    int64_t wall_base_ms;
};
void clock_manual_init(struct clock_manual *c, int64_t wall_base_ms);
void clock_manual_advance(struct clock_manual *c, int64_t ns);

/* xoshiro256** (Blackman, Vigna 2018); not for secrets. */
struct random {
    uint64_t s[4];
};
void random_seed(struct random *r, uint64_t seed);
uint64_t random_u64(struct random *r);
uint64_t random_below(struct random *r, uint64_t n); /* 0 … n-1, unbiased */
double random_unit(struct random *r);                /* [0, 1) */
double random_normal(struct random *r);              /* mean 0, deviation 1 */

/* RFC 3339 in UTC with milliseconds, "2026-11-23T02:18:00.000Z". buf holds 25 bytes. */
void time_format(int64_t wall_ms, char buf[25]);
