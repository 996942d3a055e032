/* heartbeat: a sign of life, given only while every worker comes to its work.
 *
 * Why: a service manager starts a program anew whose signs stop. One that a timer gives tells that
 * a timer runs; here each worker is handed a small call in each round, and only when all of them
 * have made it the sign is given. A worker that does not come out of one poll (async/watchdog.h
 * names it in the log) ends the signs.
 * Ownership: free it when the executor does not run any more, before executor_free().
 * Threads: worker 0 (or before the executor runs); beat() is called on any worker.
 * Errors: ERR_NOMEM. */
#pragma once

#include "async/executor.h"

struct heartbeat;
struct heartbeat_config {
    struct executor *ex;
    struct alloc *alloc;
    int64_t every_ms; /* between two rounds; a round that lasts longer delays the next */
    void (*beat)(void *ctx);
    void *ctx;
};
MUST_USE enum err heartbeat_new(struct heartbeat **out, const struct heartbeat_config *cfg,
                                struct error *e);
void heartbeat_free(struct heartbeat *h); /* NULL is fine */
