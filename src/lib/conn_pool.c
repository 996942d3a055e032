#include <sedge/conn_pool.h>

#include "lib/facade.h"
#include "net/conn_pool.h"

/* A public pool is a house's, seen through a type that nobody defines. */
static inline struct conn_pool *conns_of(const struct sedge_conn_pool *p)
{
    return (struct conn_pool *)(uintptr_t)p;
}

enum sedge_err sedge_conn_pool_new(struct sedge_conn_pool **out,
                                   const struct sedge_conn_pool_config *config)
{
    static const struct sedge_conn_pool_config all_zero;
    const struct sedge_conn_pool_config *c = config ? config : &all_zero;
    struct worker *w = worker_current();
    struct conn_pool *p = NULL;
    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(c->reserved); i++)
        if (c->reserved[i])
            return SEDGE_ERR_INVALID;
    if (!w)
        return SEDGE_ERR_INVALID;
    struct conn_pool_config house = {.per_addr_max = c->per_addr_max,
                                     .total_max = c->total_max,
                                     .waiting_max = c->waiting_max,
                                     .idle_ms = c->idle_ms,
                                     .connect_ms = c->connect_ms};
    enum err r = conn_pool_new(&p, w, &house);
    *out = (struct sedge_conn_pool *)p;
    return err_public(r);
}

void sedge_conn_pool_close(struct sedge_conn_pool *pool)
{
    conn_pool_close(conns_of(pool));
}

enum sedge_err sedge_conn_pool_take(struct sedge_conn_pool *pool, struct sedge_stream **out,
                                    const struct sedge_addr *to, int64_t timeout_ms,
                                    struct sedge_error *error)
{
    struct stream *s = NULL;
    struct error e = {0};
    enum err r = conn_pool_take(conns_of(pool), addr_of(to), timeout_ms, &s, &e);
    *out = r ? NULL : stream_public(s);
    if (r)
        error_public(error, &e);
    return err_public(r);
}

void sedge_conn_pool_give(struct sedge_conn_pool *pool, struct sedge_stream *stream)
{
    conn_pool_give(conns_of(pool), stream_of(stream));
}

void sedge_conn_pool_drop(struct sedge_conn_pool *pool, struct sedge_stream *stream)
{
    conn_pool_drop(conns_of(pool), stream_of(stream));
}

void sedge_conn_pool_finish(struct sedge_conn_pool *pool, struct sedge_stream *stream,
                            int64_t linger_ms)
{
    conn_pool_finish(conns_of(pool), stream_of(stream), linger_ms);
}

struct sedge_conn_pool_stats sedge_conn_pool_stats(const struct sedge_conn_pool *pool)
{
    struct conn_pool_stats s = conn_pool_stats(conns_of(pool));
    return (struct sedge_conn_pool_stats){
        .idle = s.idle,
        .in_use = s.in_use,
        .connecting = s.connecting,
        .waiting = s.waiting,
        .opened = s.opened,
        .reused = s.reused,
        .failed = s.failed,
        .refused = s.refused,
        .timed_out = s.timed_out,
        .unhealthy = s.unhealthy,
        .aged = s.aged,
    };
}
