/* Server-sent events: an answer without an end, one event after the other. */
#include "net/http_server_internal.h"

static struct http_conn *conn_of(const struct http_sse *sse)
{
    return CONTAINER_OF(sse, struct http_conn, sse);
}

struct http_sse *http_sse_start(struct http_request *q,
                                void (*closed)(void *arg, struct http_sse *), void *arg)
{
    struct http_conn *c = q->conn;
    if (q->head.method == HTTP_HEAD) {
        http_respond(q, 200, "text/event-stream", STR(""));
        return NULL;
    }
    struct strbuf head;
    strbuf_init(&head, c->server->buffers, 65536);
    c->keep_alive = false; /* its end is the connection's */
    http_write_answer_head(&head, c, q, 200, "text/event-stream");
    http_write_field(&head, "Cache-Control", STR("no-store"));
    http_write_field(&head, "X-Accel-Buffering", STR("no"));
    http_write_end(&head);
    strbuf_adds(&head, "retry: 2000\n\n");
    bool failed =
        head.failed || q->fields.failed || stream_write(c->stream, head.p, head.n) != ERR_OK;
    strbuf_fini(&head);
    if (failed) {
        q->gone = NULL;
        http_conn_end(c, false);
        return NULL;
    }
    c->request = NULL;
    http_request_free(q);
    c->state = CONN_EVENTS;
    c->sse = (struct http_sse){.closed = closed, .arg = arg};
    c->server->stats.readers++;
    http_conn_wait(c, HTTP_SSE_COMMENT_MS);
    return &c->sse;
}

/* A line break of any kind starts a new line of data, so that none can forge a field. */
static void add_data(struct strbuf *b, struct str data)
{
    struct str rest = {data.p ? data.p : "", data.n}, line, part;
    while (str_split(&rest, '\n', &line)) {
        if (str_ends(line, STR("\r")))
            line.n--;
        while (str_split(&line, '\r', &part))
            strbuf_addf(b, "data: %.*s\n", STR_FMT(part));
    }
}

enum err http_sse_send(struct http_sse *sse, const char *event, struct str data)
{
    struct http_conn *c = conn_of(sse);
    if (c->ended)
        return ERR_CLOSED;
    size_t waiting_max = c->server->cfg.sse_waiting_max;
    if (http_sse_waiting(sse) + data.n > waiting_max)
        return ERR_FULL;
    struct strbuf b;
    strbuf_init(&b, c->server->buffers, waiting_max + 4096);
    if (event)
        strbuf_addf(&b, "event: %s\n", event);
    add_data(&b, data);
    strbuf_addc(&b, '\n');
    enum err err = b.failed ? ERR_NOMEM : stream_write(c->stream, b.p, b.n);
    strbuf_fini(&b);
    return err;
}

size_t http_sse_waiting(const struct http_sse *sse)
{
    const struct http_conn *c = conn_of(sse);
    return c->ended ? 0 : stream_write_pending(c->stream);
}

void http_sse_close(struct http_sse *sse)
{
    sse->closed = NULL;
    http_conn_end(conn_of(sse), true);
}

void http_sse_tick(struct http_conn *c)
{
    struct http_sse *sse = &c->sse;
    uint64_t sent = stream_bytes_out(c->stream);
    bool stalled = http_sse_waiting(sse) > 0 && sent == sse->bytes_out;
    sse->bytes_out = sent;
    sse->stalled_ms = stalled ? sse->stalled_ms + HTTP_SSE_COMMENT_MS : 0;
    if (sse->stalled_ms >= c->server->cfg.idle_ms) {
        http_conn_end(c, false);
        return;
    }
    /* If there is no room, something is on its way anyhow. */
    enum err err = stream_write(c->stream, ":\n\n", 3);
    if (err && err != ERR_FULL)
        http_conn_end(c, false);
    else
        http_conn_wait(c, HTTP_SSE_COMMENT_MS);
}
