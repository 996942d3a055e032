/* run_host: a site that runs, and the machine under it: log, service manager, limits, and its end.
 *
 * The end: the first SIGTERM or SIGINT stops what comes in; what was published is acknowledged once
 * it lasts, clients are told, and then the executor stops; that takes RUN_STOP_MS at most. A second
 * signal does not wait for clients any more. Behind executor_run() the rest is written down in
 * either case.
 * Ownership: embedded in who runs the site. Threads: worker 0, or before the executor runs. */
#pragma once

#include "async/timer.h"
#include "host/heartbeat.h"
#include "host/log_output.h"
#include "host/service.h"
#include "protocol/mqtt_server.h"

enum { RUN_STOP_MS = 5000 };

struct run_host {
    struct service service;
    struct log_output log;
    enum log_level level; /* as it was asked for */
    struct heartbeat *heartbeat;
    struct timer patience;
    struct executor *ex;
    bool stopping;
};

/* First of all: log, manager, descriptors. */
void run_host_open(struct run_host *h, enum log_form form, enum log_level level);
/* The executor is there, and does not run yet. */
MUST_USE enum err run_host_start(struct run_host *h, struct executor *ex, struct alloc *alloc,
                                 struct error *e);
/* For journal_config: a long replay is not a start that hangs. */
void run_host_progress(void *ctx, size_t segment, size_t segments);
/* All is open. */
void run_host_ready(struct run_host *h, const char *status);
void run_host_reloading(struct run_host *h);
void run_host_reloaded(struct run_host *h, enum err result);
/* It can't start: for the manager and the log, if that is not the terminal's. True: it was told. */
bool run_host_failed(struct run_host *h, const char *where, const char *text);
/* SIGUSR1: log everything; SIGUSR2: as much as at the start. */
void run_host_level(struct run_host *h, bool more);
/* SIGTERM, SIGINT. `mqtt` NULL: there are no clients. */
void run_host_stop(struct run_host *h, struct mqtt_server *mqtt);
/* The executor does not run any more; before executor_free(). */
void run_host_end(struct run_host *h);
void run_host_close(struct run_host *h);
