/* metric: counters and gauges that any thread may bump, and the list that exporters read.
 *
 * Ownership: a metric is embedded in what it measures and must outlive its registration.
 * Threads: any for bumping and reading; registering belongs to the start-up thread. */
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
};
struct metrics {
    struct list list;
};
void metrics_init(struct metrics *m);
void metric_register(struct metrics *m, struct metric *x, enum metric_kind kind, const char *name,
                     const char *help);
static inline void metric_add(struct metric *x, int64_t d)
{
    atomic_fetch_add_explicit(&x->value, d, memory_order_relaxed);
}
static inline void metric_set(struct metric *x, int64_t v)
{
    atomic_store_explicit(&x->value, v, memory_order_relaxed);
}
static inline int64_t metric_get(const struct metric *x)
{
    return atomic_load_explicit(&x->value, memory_order_relaxed);
}
