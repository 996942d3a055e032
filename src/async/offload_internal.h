/* offload_internal: the pool of threads behind all queues of an executor.
 *
 * In a simulated env a thread is an event: it takes a job, and runs it when the time has passed
 * that such work takes. Everything else, the order and the limits, is the same code. */
#pragma once

#include "async/offload.h"
#include <pthread.h>

struct offload_pool;
/* threads: 1 … 16, 0 counts as 1. Each starts when there is work for it. */
MUST_USE enum err offload_pool_new(struct offload_pool **out, struct executor *ex, struct alloc *a,
                                   unsigned threads, struct error *e);
bool offload_pool_busy(struct offload_pool *p); /* a job waits or runs */
void offload_pool_end(struct offload_pool *p);  /* runs what is queued, joins; NULL is allowed */
void offload_pool_free(struct offload_pool *p); /* behind that, when all queues have gone */

/* executor.c: a thread that takes no signals. */
MUST_USE enum err thread_start(pthread_t *out, void *(*main)(void *), void *arg);
