/* One connection: input, the state machine of its requests, output, time-outs. */
#include "net/http_server_internal.h"

#include <string.h>

#define LINGER_MS 5000
#define PIECE     ((size_t)65536) /* of an answer, written at once */

static void timer_fired(struct timer *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, timer);
    c->timed_out = true;
    task_wake(&c->task);
}

void http_conn_wait(struct http_conn *c, int64_t ms)
{
    c->timed_out = false;
    timer_set_after_ms(&c->timer, ms);
}

static void wait_for_nothing(struct http_conn *c)
{
    c->timed_out = false;
    timer_cancel(&c->timer);
}

static void become_idle(struct http_conn *c)
{
    c->state = CONN_HEAD;
    c->head_begun = false;
    http_scan_init(&c->scan);
    list_del(&c->idle);
    list_add_tail(&c->server->idle, &c->idle);
    http_conn_wait(c, c->server->cfg.idle_ms);
}

/* ---- the request's memory ---- */

/* `head` is whole and was found by http_scan(). NULL without memory. */
struct http_request *http_request_new(struct http_conn *c, struct bytes head)
{
    struct alloc *a = c->server->buffers;
    struct http_request *q = mem_zero(a, sizeof(*q));
    if (!q)
        return NULL;
    q->conn = c;
    q->text_size = head.n * 2; /* decoded parameters are no longer than the path */
    q->text = mem_new(a, q->text_size);
    if (!q->text) {
        mem_free(a, q, sizeof(*q));
        return NULL;
    }
    memcpy(q->text, head.p, head.n);
    strbuf_init(&q->body, a, c->server->cfg.body_max);
    strbuf_init(&q->fields, a, 16384);
    strbuf_init(&q->members, a, 1 << 20);
    return q;
}

void http_request_free(struct http_request *q)
{
    struct alloc *a = q->conn->server->buffers;
    strbuf_fini(&q->body);
    strbuf_fini(&q->fields);
    strbuf_fini(&q->members);
    mem_free(a, q->text, q->text_size);
    mem_free(a, q, sizeof(*q));
}

/* ---- input ---- */

/* At the start of a round: all that came and was not used yet. */
static void fetch(struct http_conn *c)
{
    struct bytes b;
    enum err err = stream_read(c->stream, &b);
    c->got = err == ERR_OK;
    if (c->got) {
        c->in = b;
        c->lent = b.n;
    } else if (err == ERR_CLOSED) {
        c->eof = true; /* what it asked for before is still answered */
    } else if (err != ERR_AGAIN) {
        http_conn_end(c, false);
    }
}

/* At its end: what was not used stays with the stream. */
static void settle(struct http_conn *c)
{
    if (!c->ended && c->lent > 0)
        stream_consume(c->stream, c->lent - c->in.n);
    c->in = (struct bytes){0};
    c->lent = 0;
}

static void use(struct http_conn *c, size_t n)
{
    c->in.p += n;
    c->in.n -= n;
}

/* ---- the state machine; each step says whether it got on ---- */

static bool run_handler(struct http_conn *c)
{
    struct http_request *q = c->request;
    c->state = CONN_HANDLING;
    wait_for_nothing(c);
    http_handler *handle = http_route_request(q);
    if (handle)
        handle(c->server->cfg.ctx, q);
    /* Whoever answers later must want to know if that is in vain. */
    ASSERT(c->ended || c->request != q || q->gone);
    return true;
}

static bool start_body(struct http_conn *c)
{
    struct http_request *q = c->request;
    const struct http_head *h = &q->head;
    c->keep_alive = h->keep_alive;
    if (h->length > c->server->cfg.body_max) {
        http_refuse(c, 413, "the body is too large");
        return true;
    }
    if (!h->chunked && h->length == 0)
        return run_handler(c);
    if (h->expect_continue) {
        c->keep_alive = false; /* if it is refused: does the body come all the same? */
        if (!http_route_request(q))
            return true;
        c->keep_alive = h->keep_alive;
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (stream_write(c->stream, go_on, sizeof(go_on) - 1)) {
            http_conn_end(c, false);
            return true;
        }
    }
    c->state = CONN_BODY;
    c->chunked = (struct http_chunked){0};
    c->body_over = false;
    http_conn_wait(c, c->server->cfg.idle_ms);
    return true;
}

static bool read_head(struct http_conn *c)
{
    if (c->in.n == 0) {
        if (c->eof)
            http_conn_end(c, true);
        return false;
    }
    struct http_head h;
    enum http_result r = http_scan(&c->scan, c->in, &h);
    if (r == HTTP_MORE) {
        if (!c->head_begun) {
            c->head_begun = true;
            list_del(&c->idle);
            http_conn_wait(c, c->server->cfg.header_ms);
        }
        if (c->eof)
            http_conn_end(c, true);
        return false;
    }
    list_del(&c->idle);
    c->keep_alive = false;
    if (r == HTTP_BAD) {
        http_refuse(c, h.status, h.why);
        return true;
    }
    c->server->stats.requests++;
    struct bytes head = {c->in.p, c->scan.at};
    struct http_request *q = c->request = http_request_new(c, head);
    use(c, head.n);
    if (!q) {
        http_refuse(c, 503, "out of memory");
        return true;
    }
    r = http_parse_head((struct bytes){(uint8_t *)q->text, head.n}, &q->head);
    if (r == HTTP_BAD) {
        http_refuse(c, q->head.status, q->head.why);
        return true;
    }
    if (c->over && c->server->live > c->server->cfg.connections_max) { /* still */
        c->server->stats.refused++;
        http_response_field(q, "Retry-After", STR("2"));
        http_refuse(c, 503, "too many connections are busy");
        return true;
    }
    return start_body(c);
}

/* HTTP_DONE when the body is complete. */
static enum http_result take_body(struct http_conn *c)
{
    struct http_request *q = c->request;
    if (!q->head.chunked) {
        size_t left = (size_t)q->head.length - q->body.n;
        size_t n = c->in.n < left ? c->in.n : left;
        strbuf_add(&q->body, c->in.p, n);
        use(c, n);
        return n == left ? HTTP_DONE : HTTP_MORE;
    }
    enum http_result r = HTTP_MORE;
    while (r == HTTP_MORE && c->in.n > 0 && !c->body_over) {
        size_t used;
        struct bytes piece;
        r = http_chunked_next(&c->chunked, c->in, &used, &piece);
        c->body_over = piece.n > c->server->cfg.body_max - q->body.n;
        if (!c->body_over)
            strbuf_add(&q->body, piece.p, piece.n);
        use(c, used);
    }
    return r;
}

static bool read_body(struct http_conn *c)
{
    if (c->in.n == 0) {
        if (c->eof)
            http_conn_end(c, false);
        return false;
    }
    enum http_result r = take_body(c);
    if (c->body_over) {
        http_refuse(c, 413, "the body is too large");
    } else if (c->request->body.failed) {
        http_refuse(c, 503, "out of memory");
    } else if (r == HTTP_BAD) {
        http_refuse(c, 400, "the body's chunks are malformed");
    } else if (r == HTTP_DONE) {
        return run_handler(c);
    }
    return true;
}

void http_conn_answered(struct http_conn *c)
{
    if (c->keep_alive)
        become_idle(c);
    else
        http_conn_end(c, true);
}

/* Up to PIECE bytes of c->out; false if there is no room. */
static bool send_piece(struct http_conn *c)
{
    size_t left = c->out.n - c->out_sent, room = stream_write_room(c->stream);
    size_t n = left < room ? left : room;
    if (n > PIECE)
        n = PIECE;
    enum err err = n ? stream_write(c->stream, c->out.p + c->out_sent, n) : ERR_FULL;
    if (err == ERR_FULL)
        return false;
    if (err)
        http_conn_end(c, false);
    else
        c->out_sent += n;
    return err == ERR_OK;
}

static bool send_more(struct http_conn *c)
{
    size_t before = c->out_sent;
    while (c->out_sent < c->out.n && send_piece(c))
        ;
    if (c->ended)
        return false;
    if (c->out_sent < c->out.n) {
        if (c->out_sent > before)
            http_conn_wait(c, c->server->cfg.idle_ms); /* it gets on */
        return false;
    }
    strbuf_fini(&c->out);
    c->out_sent = 0;
    http_conn_answered(c);
    return true;
}

/* A reader of events has nothing to say; only its end matters. */
static bool watch_reader(struct http_conn *c)
{
    use(c, c->in.n);
    if (c->eof)
        http_conn_end(c, false);
    return false;
}

static bool on_timeout(struct http_conn *c)
{
    c->timed_out = false;
    if (c->state == CONN_EVENTS)
        http_sse_tick(c);
    else if (c->state == CONN_STREAMING)
        http_stream_tick(c);
    else if (c->state == CONN_BODY || (c->state == CONN_HEAD && c->head_begun))
        http_refuse(c, 408, "the request did not come in time");
    else if (c->state != CONN_HANDLING)
        http_conn_end(c, false);
    return !c->ended;
}

static bool step(struct http_conn *c)
{
    if (c->timed_out)
        return on_timeout(c);
    switch (c->state) {
    case CONN_HEAD: return read_head(c);
    case CONN_BODY: return read_body(c);
    case CONN_SENDING: return send_more(c);
    case CONN_EVENTS: return watch_reader(c);
    case CONN_STREAMING: return http_stream_pump(c);
    case CONN_HANDLING: return false;
    }
    return false;
}

static enum poll conn_poll(struct task *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, task);
    c->polling = true;
    if (t->canceled)
        http_conn_end(c, true);
    do { /* until the stream has nothing new */
        if (!c->ended)
            fetch(c);
        while (!c->ended && step(c))
            ;
        settle(c);
    } while (!c->ended && c->got);
    c->polling = false;
    return c->ended ? POLL_READY : POLL_PENDING;
}

/* ---- output ---- */

/* Straight to the stream as far as there is room, the rest to c->out. */
static void put(struct http_conn *c, struct str s)
{
    while (s.n > 0 && c->out.n == 0) {
        size_t room = stream_write_room(c->stream);
        size_t n = s.n < room ? s.n : room;
        if (n > PIECE)
            n = PIECE;
        enum err err = n ? stream_write(c->stream, s.p, n) : ERR_FULL;
        if (err == ERR_FULL)
            break;
        if (err) {
            http_conn_end(c, false);
            return;
        }
        s = str_sub(s, n, s.n);
    }
    strbuf_addstr(&c->out, s);
    if (c->out.failed)
        http_conn_end(c, false);
}

void http_conn_send(struct http_conn *c, struct str head, struct str body)
{
    if (c->request) {
        http_request_free(c->request);
        c->request = NULL;
    }
    put(c, head);
    if (!c->ended)
        put(c, body);
    if (c->ended)
        return;
    if (c->out.n > 0) {
        c->state = CONN_SENDING;
        http_conn_wait(c, c->server->cfg.idle_ms);
    } else {
        http_conn_answered(c);
    }
    if (!c->polling)
        task_wake(&c->task); /* the next request may be here already */
}

/* ---- life ---- */

static void conn_finished(struct task *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, task);
    struct http_server *s = c->server;
    list_del(&c->link);
    strbuf_fini(&c->out);
    mem_free(s->alloc, c, sizeof(*c));
    http_server_released(s);
}

enum err http_conn_new(struct http_server *s, struct stream *stream, bool over)
{
    struct http_conn *c = mem_zero(s->alloc, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->server = s;
    c->stream = stream;
    c->over = over;
    strbuf_init(&c->out, s->alloc, HTTP_ANSWER_MAX + 65536);
    list_init(&c->idle);
    list_add_tail(&s->conns, &c->link);
    timer_init(&c->timer, s->worker, timer_fired);
    task_init(&c->task, "http", conn_poll, conn_finished);
    s->live++;
    task_spawn(s->worker, &c->task);
    stream_bind(stream, &c->task);
    stream_set_limits(stream, &(struct stream_limits){.read_max = 128u << 10,
                                                      .write_max = 1u << 20,
                                                      .write_low = HTTP_STREAM_LOW});
    become_idle(c);
    return ERR_OK;
}

void http_conn_end(struct http_conn *c, bool flush)
{
    if (c->ended)
        return;
    c->ended = true;
    c->server->live--;
    timer_cancel(&c->timer);
    list_del(&c->idle);
    if (flush)
        stream_finish(c->stream, LINGER_MS);
    else
        stream_close(c->stream);
    c->stream = NULL;
    struct http_request *q = c->request;
    c->request = NULL;
    if (q) {
        if (q->gone)
            q->gone(q->gone_arg, q);
        http_request_free(q);
    }
    if (c->state == CONN_EVENTS) {
        c->server->stats.readers--;
        if (c->sse.closed)
            c->sse.closed(c->sse.arg, &c->sse);
    }
    if (c->state == CONN_STREAMING && c->streamed.owner.closed)
        c->streamed.owner.closed(c->streamed.owner.arg);
    if (!c->polling)
        task_wake(&c->task);
}
