/* watchdog: reports a worker that does not come out of one poll.
 *
 * Why: C can't preempt. A poll that computes for seconds, or blocks, keeps every connection and
 * timer of its worker waiting, and from outside nothing is to be seen but silence. A thread
 * looks twice in the time allowed whether each worker's count of polls has moved since the last
 * look. While all workers sleep it sleeps too, so an idle program has no wake-ups by it. A
 * report comes once for each poll that is stuck, and once when it has ended after all.
 * Ownership: the executor's (executor_config.stuck_ms).
 * Threads: its own; the report is called on it. Under simulation there is none: time stands
 * still in a poll there. */
#pragma once

#include "async/executor.h"

struct watchdog;
MUST_USE enum err watchdog_new(struct watchdog **out, struct executor *ex,
                               const struct executor_config *cfg, struct error *e);
void watchdog_free(struct watchdog *d); /* NULL is allowed */
/* A worker has been woken. Any thread; costs a load. */
void watchdog_worker_awake(struct watchdog *d);
