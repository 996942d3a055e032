/* conn_pool: outgoing connections, kept open between their users and limited in number.
 *
 * Why: a connection to a database, an HTTP service or another node costs a round trip and more to
 * make, and the peer bears only so many. Here who needs one waits in line for it, with a deadline;
 * what is given back is used again. Every outgoing connection comes from a pool, also where
 * nothing can be used again: that is where limits, connect time-outs and counts are.
 * A taker is served from the idle connections, the one used last first; else by a new one where
 * the limits allow it (an idle one to another address gives way, the longest idle first); else it
 * waits. Those who wait for one address are served in the order of their arrival. An attempt that
 * fails is told to the first of them.
 * Health: an idle connection on which the peer ends or sends anything is closed at once and never
 * handed out. A peer that ends at the moment of the hand-over is seen by the taker, as ever.
 * Two ways to wait, as in sync.h: conn_pool_take() parks the calling coroutine; conn_pool_poll() is
 * for a task's poll: ERR_AGAIN means that the request is queued and its task will be woken; call it
 * again then. A task that gives up calls conn_pool_forget().
 * Ownership: a taken stream is bound to its taker, who uses it as any stream but, instead of
 * closing it, gives it back with exactly one of give, drop and finish. conn_pool_close() ends the
 * pool; its memory goes when the last connection is given back. A request is the taker's.
 * Threads: its worker's. Errors: ERR_FULL: too many wait (back-pressure). ERR_TIMEOUT: the deadline
 * passed, or the connect time-out. ERR_IO with os_errno, ERR_NOMEM. ERR_CLOSED: the pool is closed.
 * ERR_CANCELED: the coroutine is. */
#pragma once

#include "async/coroutine.h"
#include "async/timer.h"
#include "net/stream.h"
#include "net/via.h"

struct conn_pool;
struct conn_pool_config {
    size_t per_addr_max;          /* connections to one address, idle ones too; default 8 */
    size_t total_max;             /* to all; default 64 */
    size_t waiting_max;           /* takers; default 256 */
    int64_t idle_ms;              /* so long one is kept; default 60 s; negative: none is kept */
    int64_t connect_ms;           /* for one attempt, handshakes too; default 10 s */
    const struct stream_via *via; /* all its connections are of one kind; NULL: plain */
};
MUST_USE enum err conn_pool_new(struct conn_pool **out, struct worker *w,
                                const struct conn_pool_config *cfg);
/* Closes what is idle or connecting; who waits gets ERR_CLOSED. NULL is fine. */
void conn_pool_close(struct conn_pool *p);

/* What a task waits with. */
struct conn_request {
    struct list link;
    struct task *task;
    struct timer deadline;
    struct conn_pool *pool; /* that it waits in */
    struct pool_addr *addr;
    struct pooled *granted;
    enum { CONN_REQUEST_NEW, CONN_REQUEST_WAITS, CONN_REQUEST_GRANTED, CONN_REQUEST_FAILED } state;
    enum err failure;
    int os_errno;        /* of ERR_IO */
    const char *problem; /* stream_problem() */
};
void conn_request_init(struct conn_request *r, struct task *t); /* before each use */
/* timeout_ms counts from the first call; negative: without limit. */
MUST_USE enum err conn_pool_poll(struct conn_pool *p, struct conn_request *r, const struct addr *to,
                                 int64_t timeout_ms, struct stream **out);
/* Leaves the line, or gives back what was granted meanwhile. Safe on one that is new or done. */
void conn_pool_forget(struct conn_request *r);

MUST_USE enum err conn_pool_take(struct conn_pool *p, const struct addr *to, int64_t timeout_ms,
                                 struct stream **out, struct error *e);

/* For the next taker. One that has ended, or with bytes that were not consumed, is closed. */
void conn_pool_give(struct conn_pool *p, struct stream *s);
/* It can't be used again; its place is free. As stream_close(), stream_finish(). */
void conn_pool_drop(struct conn_pool *p, struct stream *s);
void conn_pool_finish(struct conn_pool *p, struct stream *s, int64_t linger_ms);

struct conn_pool_stats {
    size_t idle, in_use, connecting, waiting; /* now; open ones are the sum of the first three */
    uint64_t opened, reused;                  /* handed out: new, used before */
    uint64_t failed;                          /* attempts, the connect time-out among them */
    uint64_t refused, timed_out;              /* takers: ERR_FULL, deadline */
    uint64_t unhealthy, aged;                 /* idle ones that were closed: by the peer, by us */
};
struct conn_pool_stats conn_pool_stats(const struct conn_pool *p);
