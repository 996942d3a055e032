/* env_sim: a simulated world: machines with disks on a network, under one seed, in virtual time.
 *
 * Why: what must hold after a power cut at any instant is shown by a thousand power cuts, each of
 * which can be repeated from its seed. The program under test is the real one, from the socket to
 * the database; only clock, disk, network and threads are simulated.
 *
 * A struct sim is the world. env_sim_new() puts a machine into it: a struct env with a disk
 * (disk_sim.h) and an address (10.0.0.1, 10.0.0.2 …; loopback is the machine itself). An executor
 * made on such an env gets the driver io_sim_driver (net_sim.h), one worker, and no thread: jobs of
 * the offload pool and the journal's writer are events (struct env_event) that take the time the
 * seed says.
 * Time stands while code runs and jumps to the next event when nobody has anything to do; a tick of
 * a worker that stays busy takes a microsecond. It starts at a fixed wall time.
 *
 * One machine alone may call executor_run(): while its worker sleeps, the world goes on. Several
 * machines are each given to env_sim_boot(), and sim_run() runs them all as events, one tick at a
 * time. What is done to a booted machine's worker from outside, between its ticks, wants a
 * worker_wake(), unless it wakes a task.
 *
 * Power: env_sim_off() stops a machine at once: its disk loses what was not synced (and answers EIO
 * from then on, so that taking the program down changes nothing), its connections fall silent. The
 * executor is then stopped, run out (executor_turn()) and freed as ever, with all that was built on
 * it, and after env_sim_on() the program is built anew on what the disk has kept.
 *
 * The same seed and the same program give the same run; sim_trace() is a hash of all that happened,
 * to hold two runs against each other. What could differ between runs: addresses of memory, real
 * time, threads. A program that lets these decide is found by that.
 * Ownership: the world's machines go before it, executors before their machine.
 * Threads: one for all. Errors: ERR_NOMEM at building; later, without memory, ASSERT. */
#pragma once

#include "async/executor.h"
#include "async/sim/disk_sim.h"
#include "async/sim/net_sim.h"

struct sim;
struct sim_span {
    int64_t min_ns, max_ns;
};
struct sim_config {
    struct alloc *alloc; /* default alloc_system() */
    uint64_t seed;
    int64_t wall_ms;                 /* at the start; default 2026-01-01 */
    struct sim_span work[ENV_WORKS]; /* default: a job 20 µs … 2 ms, a sync 50 µs … 5 ms */
    uint32_t slow_per_million;       /* of these works take slow_ns, as on a busy disk */
    int64_t slow_ns;                 /* default 1 s */
    struct net_sim_config net;
};
MUST_USE enum err sim_new(struct sim **out, const struct sim_config *cfg);
void sim_free(struct sim *s);

/* Runs the next event and sets the clock to its time; false if there is none. */
bool sim_step(struct sim *s);
/* Runs what happens up to `until_ns`, or until sim_halt(), or until nothing can happen any more.
 * True if the time was reached; then the clock says so. */
bool sim_run(struct sim *s, int64_t until_ns);
void sim_halt(struct sim *s); /* from an event, or from what it runs */
int64_t sim_now_ns(const struct sim *s);
/* An event of the test's own: something to happen to the world. */
void sim_after(struct sim *s, struct env_event *ev, int64_t ns);
void sim_cancel(struct sim *s, struct env_event *ev);

uint64_t sim_trace(const struct sim *s);
void sim_trace_add(struct sim *s, const void *p, size_t n); /* what the test saw */
uint64_t sim_events(const struct sim *s);                   /* that have run */

/* --- machines --- */
MUST_USE enum err env_sim_new(struct env **out, struct sim *s);
void env_sim_free(struct env *env);
struct disk_sim *env_sim_disk(struct env *env);
/* The machine's address, as dotted text. */
const char *env_sim_host(const struct env *env);

/* The executor's ticks are events from now on, the first one at once, until env_sim_off() or
 * env_sim_halt(). */
void env_sim_boot(struct env *env, struct executor *ex);
/* No more ticks; everything else stays. For an orderly end. */
void env_sim_halt(struct env *env);

enum env_sim_off {
    ENV_SIM_POWER, /* the power goes: the disk loses what was not synced, peers hear nothing */
    ENV_SIM_KILL,  /* the program is killed: the disk loses nothing, peers hear the end */
};
/* Not from inside the machine's own tick. */
void env_sim_off(struct env *env, enum env_sim_off how);
/* The power goes in place of the disk's call number n from now (from 0): between any two calls of
 * the journal or the database. `told` runs when the machine has stopped. */
void env_sim_off_at_call(struct env *env, uint64_t n, struct env_event *told);
void env_sim_on(struct env *env);
bool env_sim_is_on(const struct env *env);

/* Work of this kind that begins from now on does not end before it is released. */
void env_sim_hold(struct env *env, enum env_work kind, bool held);
size_t env_sim_held(const struct env *env, enum env_work kind); /* so many hang now */
