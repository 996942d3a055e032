/* net_sim: the network of a simulated world, and the driver by which an executor uses it.
 *
 * TCP as a program sees it: listeners by address; a connection's bytes arrive complete and in
 * order, in pieces that have nothing to do with how they were sent, after a delay; lost packets are
 * sent again, which is more delay for all that comes behind. What was sent and not yet read is
 * bounded by the window: beyond it a send waits (back-pressure). Closing with unread bytes, or
 * sending to someone who has closed, is answered by a reset (ECONNRESET), connecting where nobody
 * listens by ECONNREFUSED; what a machine without power should have answered comes never, but once
 * it has power again, it resets what it does not know. Addresses: IPv4 (10.0.0.N for machine N,
 * 127.0.0.0/8 for the machine itself), ::1, and unix paths (names only, no files). Descriptors are
 * numbers that no system call knows. Delay, jitter, loss and the pieces come from the world's seed.
 * Threads and ownership: env_sim.h. */
#pragma once

#include "async/env.h"
#include "async/io.h"

struct sim;
struct net_sim_config {                 /* zero: the default */
    int64_t delay_min_ns, delay_max_ns; /* one way, drawn for each connection; 50 µs … 3 ms */
    int64_t jitter_ns;                  /* at most, added for each piece; 200 µs */
    int64_t retransmit_ns;              /* what a loss costs, doubled if it is lost again; 200 ms */
    uint32_t loss_per_million;          /* pieces; 0 */
    size_t window;                      /* bytes, a power of two; 64 KiB */
};

enum net_sim_cut {
    NET_SIM_RESET,  /* both sides get ECONNRESET */
    NET_SIM_SILENT, /* nothing arrives any more on either side, and nobody is told */
};
/* Cuts all connections that the machine has now. */
void net_sim_cut(struct env *env, enum net_sim_cut how);
/* For so long nothing reaches the machine or leaves it; then retransmission carries on. */
void net_sim_isolate(struct env *env, int64_t ns);

struct net_sim_stats {
    uint64_t connections, refused, resets, pieces, lost, bytes;
};
struct net_sim_stats net_sim_stats(const struct sim *s);
