/* env: the outside world behind one struct: clock, seed, disk and network driver.
 *
 * Why: with env_linux() a site runs for real, with env_sim() (async/sim) the same code runs under
 * one seed, in virtual time, on a simulated disk and network.
 * Ownership: the creator's; it outlives everything built on it. */
#pragma once

#include "async/disk.h"
#include "base/alloc.h"
#include "base/clock.h"

struct env {
    struct clock *clock;
    struct disk *disk;
    uint64_t seed; /* of this run: hash keys, jitter; from the system's entropy in env_linux() */
    void (*entropy)(struct env *env, void *p, size_t n); /* for secrets; simulated under sim */
};

/* The real one; static, never freed. */
struct env *env_linux(void);
