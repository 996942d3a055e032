/* grace: memory that workers read without locks is freed when none of them can see it any more.
 *
 * Why: what is read with every message and changed rarely (the routing trie, retained messages) is
 * read by all workers at once. A change links a new piece and unlinks the old one; who found the
 * old one a moment before may still look at it. It is freed after a grace period: when each worker
 * has come to the end of a tick, or slept, since then.
 * Readers do nothing for it. What a worker has found it may use until the end of its tick, and no
 * longer, unless it takes a reference of its own; so only code on a worker may read. Writers unlink
 * first, by a sequentially consistent store, then retire; readers load pointers the same way.
 * Ownership: from worker_retire() on the thing is the runtime's, until its free(), which runs on
 * the worker that retired it, at the end of one of its ticks, in no order.
 * Threads: worker_retire() on the worker's own thread, or by whoever holds the executor while it
 * does not run. What is retired then waits for grace_idle(), or for the next run.
 * Errors: none. What waits is what was unlinked within some ticks of the slowest worker; one that
 * does not come out of a poll holds it up, and is reported by the watchdog.
 * Source: quiescent states, as in T. E. Hart et al., "Performance of memory reclamation for
 * lockless synchronization" (2007), and in liburcu's QSBR flavour. */
#pragma once

#include "async/executor.h"

struct retired {
    struct retired *next;
    void (*free)(struct retired *r); /* may retire other things */
};

/* Before the first run, by who will retire something: executors without pay nothing. */
void grace_enable(struct executor *ex);
void worker_retire(struct worker *w, struct retired *r, void (*free)(struct retired *r));

/* Says that the caller holds nothing that it has read. If the executor does not run, what was
 * retired so far is freed; else nothing happens, since the ends of ticks do it. For who changes a
 * lot before the run (a replay), and for who is about to free what the retired things belong to. */
void grace_idle(struct executor *ex);
