/* grace_internal: a worker's share in grace periods.
 *
 * The executor counts periods in `grace_period`. A worker that has retired something begins a new
 * one at the end of its tick; the things may go when every worker has seen that period. A worker
 * sees at the end of each tick, when it holds nothing, and is away while it sleeps or no loop runs.
 * Why that is enough: who reads the new period has it from an increment that came after the
 * unlinking, so it can't find the old pieces from then on. Who comes back says so by an exchange
 * before it reads anything; either the retirer's look at `seen` finds that, or the unlinking came
 * before it in the one order of all such operations. */
#pragma once

#include "base/atomic.h"
#include <stdbool.h>
#include <stdint.h>

#define GRACE_AWAY UINT64_MAX
enum { GRACE_POLL_NS = 1000000 }; /* a worker that waits for others does not sleep longer */

struct retired;
struct worker;
struct grace_worker {
    bool shared; /* enabled, and there are other workers */
    bool away;   /* as in `seen`; this thread's */
    struct retired *now, *waiting;
    uint64_t waits_for;
    _Atomic uint64_t seen; /* the last period, or GRACE_AWAY */
};

void grace_init(struct grace_worker *g);
void grace_collect(struct worker *w);
void grace_go_away(struct worker *w);
void grace_come_back(struct worker *w);

/* At the end of a tick: this thread holds nothing that it has read. */
static inline void grace_tick(struct worker *w, struct grace_worker *g)
{
    if (g->shared || g->now)
        grace_collect(w);
}
static inline bool grace_waits(const struct grace_worker *g)
{
    return g->waiting || g->now;
}
