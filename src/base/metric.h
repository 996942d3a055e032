/* metric: counters and gauges that any thread may bump, and the list that exporters read.
 *
 * One that several workers bump for every message has a part for each of them, so that they do not
 * pull a cache line back and forth; who reads it is told the sum.
 * Ownership: a metric is embedded in what it measures and must outlive its registration, a part
 * the metric that it belongs to.
 * Threads: any for bumping and reading; registering and adding parts belong to the start-up
 * thread. */
#pragma once

#include "base/atomic.h"
#include "base/list.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };
struct metric {
    struct list link;
    enum metric_kind kind;
    const char *name; /* Prometheus style: sedge_messages_received_total */
    const char *help;
    _Atomic int64_t value;
    struct metric *part; /* what another thread counts of it; NULL: none */
};
struct metrics {
    struct list list;
};
void metrics_init(struct metrics *m);
void metric_register(struct metrics *m, struct metric *x, enum metric_kind kind, const char *name,
                     const char *help);
/* `part` (zeroed) is counted in `whole` from now on. */
void metric_part(struct metric *whole, struct metric *part);
static inline void metric_add(struct metric *x, int64_t d)
{
    atomic_fetch_add_explicit(&x->value, d, memory_order_relaxed);
}
/* For one that no other thread bumps: without a locked instruction. */
static inline void metric_add_own(struct metric *x, int64_t d)
{
    atomic_add_own(&x->value, d);
}
static inline void metric_set(struct metric *x, int64_t v)
{
    atomic_store_explicit(&x->value, v, memory_order_relaxed);
}
static inline int64_t metric_get(const struct metric *x)
{
    int64_t sum = 0;
    for (; x; x = x->part)
        sum += atomic_load_explicit(&x->value, memory_order_relaxed);
    return sum;
}
