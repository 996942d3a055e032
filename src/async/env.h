/* env: the outside world behind one struct: clock, seed, disk, network driver, other threads.
 *
 * Why: with env_linux() a site runs for real, with env_sim_new() (async/sim/env_sim.h) the same
 * code runs under one seed, in virtual time, on a simulated disk and network, on one thread.
 * Who would start a thread asks `events` first: if it is there, the work is an event instead.
 * Ownership: the creator's; it outlives everything built on it. */
#pragma once

#include "async/disk.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"

/* A piece of work of another thread, as an event of the simulation. Embedded in its owner; zero it
 * and set `run`. It runs once and may be set again, also from its run(). */
struct env_event {
    void (*run)(struct env_event *ev);
    int64_t at_ns; /* virtual; 0: not set. This and the rest are the simulation's */
    uint64_t order;
    struct env_event *child, *next, *prev;
    struct list held;
};

/* What the work does: how long it takes is the simulation's choice. */
enum env_work {
    ENV_WORK_JOB,  /* a blocking call on the offload pool */
    ENV_WORK_SYNC, /* a write and its sync */
    ENV_WORKS,
};

struct env;
struct env_events {
    /* Runs the event after this long; an event that is set already is moved. */
    void (*after)(struct env *env, struct env_event *ev, int64_t ns);
    /* The same after the time that such work takes, by the seed. */
    void (*work)(struct env *env, struct env_event *ev, enum env_work kind);
    void (*cancel)(struct env *env, struct env_event *ev); /* safe on one that is not set */
};

struct io_driver_ops;
struct env {
    struct clock *clock;
    struct disk *disk;
    uint64_t seed; /* of this run: hash keys, jitter; from the system's entropy in env_linux() */
    void (*entropy)(struct env *env, void *p, size_t n); /* for secrets; simulated under sim */
    const struct io_driver_ops *driver; /* NULL: the executor chooses among the system's */
    const struct env_events *events;    /* NULL: threads do it */
};

/* The real one; static, never freed. */
struct env *env_linux(void);
