/* signals: SIGINT, SIGTERM and SIGHUP as calls on a worker instead of interruptions.
 *
 * signal_watch_new() blocks the signals in the calling thread and takes them by signalfd, so it
 * is called on the thread that will call executor_run(), before other threads are started by
 * hand. (The executor's own threads block all signals. SIGPIPE is ignored by executor_new().)
 * Ownership: free it before the executor; the memory goes when its last I/O operation has ended.
 * Signals stay blocked.
 * Threads: its worker's. Errors: ERR_IO, ERR_NOMEM. */
#pragma once

#include "async/executor.h"
#include <signal.h>

struct signal_watch;
MUST_USE enum err signal_watch_new(struct signal_watch **out, struct worker *w, const int *signals,
                                   size_t n, void (*caught)(void *ctx, int signal), void *ctx,
                                   struct error *e);
void signal_watch_free(struct signal_watch *s);
