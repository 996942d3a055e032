/* offload: blocking calls (database, names, password hashes) on a bounded pool of threads.
 *
 * Jobs of one queue run one after the other in order (the database's writer is such a queue);
 * different queues run side by side. done() runs on the worker that submitted.
 * Ownership: the job is the caller's and must live until done(). A queue is freed when it is empty.
 * Errors: offload_submit() ERR_FULL above the queue's limit: back-pressure. */
#pragma once

#include "async/executor.h"

struct offload_queue;
struct offload_job {
    struct offload_job *next;
    void (*run)(struct offload_job *j);  /* pool thread */
    void (*done)(struct offload_job *j); /* its worker; may be NULL */
    struct worker *worker;
    struct offload_queue *queue;
};
MUST_USE enum err offload_queue_new(struct offload_queue **out, struct executor *ex,
                                    unsigned parallel, size_t jobs_max);
void offload_queue_free(struct offload_queue *q);
MUST_USE enum err offload_submit(struct offload_queue *q, struct worker *w, struct offload_job *j);
/* Blocks the caller until everything submitted so far has run; at shutdown only. */
void offload_drain(struct offload_queue *q);
