/* trials: a running site's own tests, played in the background.
 *
 * Why: who looks at a program on the page wants to know whether its tests pass, and must not hold
 * up the line to find out. A test may compute for long, or for ever, and it plays with the zone and
 * the log, which belong to the process; so it runs in another one: `sedge test SITE --json` of this
 * very program, at low priority, with bounds of time, memory and output. What is tested are the
 * files as they are now, which is what a reload would take.
 * Ownership: `site` is borrowed. Free it when the executor has stopped and before executor_free();
 * a run that is under way is ended.
 * Threads: worker 0.
 * Errors: site_trials_start() ERR_EXISTS: one is under way; ERR_IO: no process. What goes wrong
 * later is part of the result. */
#pragma once

#include "async/executor.h"
#include "codec/json.h"

enum { SITE_TRIALS_MS = 60000, SITE_TRIALS_OUT_MAX = 4 << 20 };

struct site_trials;
struct site_trials_config {
    struct executor *ex;
    struct alloc *alloc;
    const char *program; /* of the child; NULL: this one */
    const char *site;
    int64_t patience_ms;        /* 0: SITE_TRIALS_MS */
    void (*changed)(void *ctx); /* a run has ended; may be NULL */
    void *ctx;
};
MUST_USE enum err site_trials_new(struct site_trials **out, const struct site_trials_config *cfg,
                                  struct error *e);
void site_trials_free(struct site_trials *t); /* NULL is fine */

/* As struct dashboard_tests has them, of a struct site_trials. */
MUST_USE enum err site_trials_start(void *trials, struct error *e);
/* One JSON object: whether a run is under way, and the result of the last (docs/http-api.md). */
void site_trials_write(void *trials, struct json_writer *w);
bool site_trials_running(const struct site_trials *t);
