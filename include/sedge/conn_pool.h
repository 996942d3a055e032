/* sedge_conn_pool: outgoing connections, kept open between their users and limited in number.
 *
 * Why: a connection to a database or a service costs a round trip and more to make, and the peer
 * bears only so many. Who needs one waits in line for it, with a deadline; what is given back is
 * used again.
 *
 * A taker is served from the idle connections, the one used last first; else by a new one where the
 * limits allow it (an idle one to another address gives way); else it waits. Those who wait for one
 * address are served in the order of their arrival. An idle connection on which the peer ends or
 * sends anything is closed and never handed out.
 *
 * Ownership: a taken stream is the taker's until it is given back by exactly one of
 * sedge_conn_pool_give(), sedge_conn_pool_drop() and sedge_conn_pool_finish(), also after
 * sedge_conn_pool_close().
 *
 * Threads: the worker's that made it.
 *
 * Errors: SEDGE_ERR_FULL: too many wait. SEDGE_ERR_TIMEOUT: the deadline passed, or the connect
 * time-out. SEDGE_ERR_IO, SEDGE_ERR_NOMEM. SEDGE_ERR_CLOSED: so is the pool. SEDGE_ERR_CANCELED:
 * the coroutine is canceled and would have had to wait. */
#ifndef SEDGE_CONN_POOL_H
#define SEDGE_CONN_POOL_H

#include <sedge/stream.h>

SEDGE_BEGIN

struct sedge_conn_pool;

/* 0: the value behind. */
struct sedge_conn_pool_config {
    size_t per_addr_max; /* connections to one address, idle ones too; 8 */
    size_t total_max;    /* to all; 64 */
    size_t waiting_max;  /* takers; 256 */
    int64_t idle_ms;     /* so long one is kept; 60000; negative: none is kept */
    int64_t connect_ms;  /* for one attempt; 10000 */
    void *reserved[4];   /* NULL */
};
/* On a worker. `config` NULL: all zero. SEDGE_ERR_INVALID: something is in `reserved`. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_conn_pool_new(struct sedge_conn_pool **out, const struct sedge_conn_pool_config *config);
/* Closes what is idle or connecting; who waits is told. Its memory goes when the last connection is
 * given back. NULL: nothing. */
SEDGE_API void sedge_conn_pool_close(struct sedge_conn_pool *pool);

SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_conn_pool_take(struct sedge_conn_pool *pool, struct sedge_stream **out,
                     const struct sedge_addr *to, int64_t timeout_ms, struct sedge_error *error);
/* For the next taker. One that has ended, or with bytes that were not read, is closed. */
SEDGE_API void sedge_conn_pool_give(struct sedge_conn_pool *pool, struct sedge_stream *stream);
/* It can't be used again: closes it at once. */
SEDGE_API void sedge_conn_pool_drop(struct sedge_conn_pool *pool, struct sedge_stream *stream);
/* The same, but what was written still leaves: as sedge_stream_finish(). */
SEDGE_API void sedge_conn_pool_finish(struct sedge_conn_pool *pool, struct sedge_stream *stream,
                                      int64_t linger_ms);

struct sedge_conn_pool_stats {
    size_t idle, in_use, connecting, waiting; /* now */
    uint64_t opened, reused;                  /* handed out: new, used before */
    uint64_t failed;                          /* attempts, connect time-outs among them */
    uint64_t refused, timed_out;              /* takers: SEDGE_ERR_FULL, deadline */
    uint64_t unhealthy, aged;                 /* idle ones that were closed: by the peer, by us */
};
SEDGE_API struct sedge_conn_pool_stats sedge_conn_pool_stats(const struct sedge_conn_pool *pool);

SEDGE_END
#endif
