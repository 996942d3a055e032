/* Answers of any length, piece by piece, at the pace of who reads them (RFC 9112, 7.1).
 *
 * What waits for the reader is at most one piece above the mark at which the connection's stream
 * wakes it again, so a reader that is slow costs 128 KiB and no time of anybody. */
#include "net/http_server_internal.h"

#include <stdio.h>

static struct http_conn *conn_of(const struct http_stream *s)
{
    return CONTAINER_OF(s, struct http_conn, streamed);
}

struct http_stream *http_stream_start(struct http_request *q, const char *type,
                                      const struct http_stream_owner *owner)
{
    struct http_conn *c = q->conn;
    struct strbuf head;
    bool chunked = q->head.minor > 0, bodyless = q->head.method == HTTP_HEAD;
    strbuf_init(&head, c->server->buffers, 65536);
    c->keep_alive = c->keep_alive && (chunked || bodyless); /* else its end is the connection's */
    http_write_answer_head(&head, c, q, 200, type);
    http_write_field(&head, "Cache-Control", STR("no-store"));
    if (chunked)
        http_write_field(&head, "Transfer-Encoding", STR("chunked"));
    http_write_end(&head);
    bool failed = head.failed || q->fields.failed;
    q->gone = NULL; /* it is answered, one way or the other */
    if (!failed && bodyless)
        http_conn_send(c, strbuf_str(&head), STR(""));
    else if (failed || stream_write(c->stream, head.p, head.n) != ERR_OK)
        http_conn_end(c, false);
    strbuf_fini(&head);
    if (bodyless || c->ended)
        return NULL;
    c->request = NULL;
    http_request_free(q);
    c->state = CONN_STREAMING;
    c->streamed = (struct http_stream){.owner = *owner, .chunked = chunked, .wanted = true};
    http_conn_wait(c, c->server->cfg.idle_ms);
    if (!c->polling)
        task_wake(&c->task);
    return &c->streamed;
}

enum err http_stream_write(struct http_stream *s, struct str piece)
{
    struct http_conn *c = conn_of(s);
    char size[24];
    ASSERT(piece.n <= HTTP_PIECE_MAX);
    if (c->ended)
        return ERR_CLOSED;
    if (piece.n == 0) /* a chunk of nothing would be the last one */
        return ERR_OK;
    int n = s->chunked ? snprintf(size, sizeof(size), "%zx\r\n", piece.n) : 0;
    enum err err = stream_write(c->stream, size, (size_t)n);
    if (!err)
        err = stream_write(c->stream, piece.p, piece.n);
    if (!err && s->chunked)
        err = stream_write(c->stream, "\r\n", 2);
    if (err) { /* half a chunk: what follows would be wrong */
        s->owner.closed = NULL;
        http_conn_end(c, false);
        return ERR_CLOSED;
    }
    http_stream_resume(s);
    return ERR_OK;
}

void http_stream_resume(struct http_stream *s)
{
    struct http_conn *c = conn_of(s);
    s->wanted = true;
    if (!c->ended && stream_write_pending(c->stream) <= HTTP_STREAM_LOW)
        task_wake(&c->task); /* above it the stream does */
}

void http_stream_end(struct http_stream *s)
{
    struct http_conn *c = conn_of(s);
    s->owner.closed = NULL;
    if (s->chunked && stream_write(c->stream, "0\r\n\r\n", 5) != ERR_OK) {
        http_conn_end(c, false);
        return;
    }
    http_conn_answered(c);
    if (!c->polling)
        task_wake(&c->task); /* the next request may be here already */
}

void http_stream_abort(struct http_stream *s)
{
    s->owner.closed = NULL;
    http_conn_end(conn_of(s), false);
}

bool http_stream_pump(struct http_conn *c)
{
    struct http_stream *s = &c->streamed;
    if (!s->wanted || stream_write_pending(c->stream) > HTTP_STREAM_LOW)
        return false;
    s->wanted = false;
    s->owner.ready(s->owner.arg);
    return !c->ended && c->state != CONN_STREAMING;
}

void http_stream_tick(struct http_conn *c)
{
    struct http_stream *s = &c->streamed;
    uint64_t sent = stream_bytes_out(c->stream);
    bool stalled = stream_write_pending(c->stream) > 0 && sent == s->bytes_out;
    s->bytes_out = sent;
    if (stalled)
        http_conn_end(c, false);
    else
        http_conn_wait(c, c->server->cfg.idle_ms);
}
