#include "async/worker_pools.h"
#include "net/http_server_internal.h"

static void free_if_done(struct http_server *s)
{
    if (s->closed && list_empty(&s->conns) && list_empty(&s->gzips))
        mem_free(s->alloc, s, sizeof(*s));
}

void http_server_released(struct http_server *s)
{
    free_if_done(s);
}

static void accepted(void *ctx, struct stream *stream)
{
    struct http_server *s = ctx;
    if (s->live >= s->cfg.connections_max && !list_empty(&s->idle))
        http_conn_end(CONTAINER_OF(s->idle.next, struct http_conn, idle), false);
    bool over = s->live >= s->cfg.connections_max;
    if (s->live >= s->cfg.connections_max + HTTP_OVER_MAX || http_conn_new(s, stream, over)) {
        s->stats.refused++;
        stream_close(stream);
        return;
    }
    s->stats.accepted++;
}

static void set_defaults(struct http_server_config *cfg)
{
    cfg->body_max = cfg->body_max ? cfg->body_max : 64u << 10;
    cfg->connections_max = cfg->connections_max ? cfg->connections_max : 256;
    cfg->sse_waiting_max = cfg->sse_waiting_max ? cfg->sse_waiting_max : 256u << 10;
    cfg->header_ms = cfg->header_ms ? cfg->header_ms : 10000;
    cfg->idle_ms = cfg->idle_ms ? cfg->idle_ms : 60000;
}

enum err http_server_open(struct http_server **out, struct worker *w, const struct addr *addr,
                          const struct http_server_config *cfg, struct error *e)
{
    struct alloc *alloc = worker_alloc(w);
    struct http_server *s = mem_zero(alloc, sizeof(*s));
    if (!s)
        return error_set(e, ERR_NOMEM, "no memory for an HTTP server");
    s->worker = w;
    s->alloc = alloc;
    s->buffers = worker_buffers(w);
    s->cfg = *cfg;
    set_defaults(&s->cfg);
    list_init(&s->conns);
    list_init(&s->idle);
    list_init(&s->gzips);
    struct listener_config listening = {
        .addr = *addr, .accepted = accepted, .ctx = s, .via = cfg->via};
    enum err err = listener_open(&s->listener, w, &listening, e);
    if (err) {
        mem_free(alloc, s, sizeof(*s));
        return err;
    }
    *out = s;
    return ERR_OK;
}

const struct addr *http_server_addr(const struct http_server *s)
{
    return listener_addr(s->listener);
}

void http_server_close(struct http_server *s)
{
    if (!s)
        return;
    ASSERT(!s->closed);
    listener_close(s->listener);
    s->listener = NULL;
    LIST_EACH_SAFE(&s->conns, it)
    http_conn_end(CONTAINER_OF(it, struct http_conn, link), true);
    s->closed = true;
    if (!worker_current())
        http_gzip_forget(s);
    free_if_done(s);
}

struct http_server_stats http_server_stats(const struct http_server *s)
{
    struct http_server_stats stats = s->stats;
    stats.connections = s->live;
    return stats;
}
