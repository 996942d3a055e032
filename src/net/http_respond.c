#include "net/http_server_internal.h"

#include <stdio.h>
#include <zlib.h>

const struct http_head *http_request_head(const struct http_request *q)
{
    return &q->head;
}

struct bytes http_request_body(const struct http_request *q)
{
    return (struct bytes){(const uint8_t *)q->body.p, q->body.n};
}

struct str http_request_param(const struct http_request *q, size_t i)
{
    ASSERT(i < q->param_count);
    return q->params[i];
}

const struct addr *http_request_peer(const struct http_request *q)
{
    return stream_peer(q->conn->stream);
}

void http_request_on_gone(struct http_request *q, void (*gone)(void *arg, struct http_request *q),
                          void *arg)
{
    q->gone = gone;
    q->gone_arg = arg;
}

void http_response_field(struct http_request *q, const char *name, struct str value)
{
    http_write_field(&q->fields, name, value);
}

/* What every answer has; the caller adds what it has beside that, and the end. `q` is NULL when
 * the request could not be read. */
void http_write_answer_head(struct strbuf *b, struct http_conn *c, struct http_request *q,
                            unsigned status, const char *type)
{
    char date[30];
    http_date(worker_now_ms(c->server->worker), date);
    http_write_status(b, status);
    http_write_field(b, "Date", str_from(date));
    http_write_field(b, "X-Content-Type-Options", STR("nosniff"));
    http_write_field(b, "Referrer-Policy", STR("no-referrer"));
    http_write_field(b, "Cross-Origin-Resource-Policy", STR("same-origin"));
    if (c->server->cfg.mark_name && status != 421)
        http_write_field(b, c->server->cfg.mark_name, str_from(c->server->cfg.mark));
    if (type) {
        http_write_field(b, "Content-Type", str_from(type));
        if (c->server->cfg.csp && http_media_type_is(str_from(type), "text/html"))
            http_write_field(b, "Content-Security-Policy", str_from(c->server->cfg.csp));
    }
    if (!c->keep_alive)
        http_write_field(b, "Connection", STR("close"));
    else if (q && q->head.minor == 0)
        http_write_field(b, "Connection", STR("keep-alive"));
    if (q)
        strbuf_addstr(b, strbuf_str(&q->fields));
}

/* No memory for an answer: half of one would be a wrong one. */
static void give_up(struct http_conn *c, struct http_request *q)
{
    if (q)
        q->gone = NULL; /* whoever is answering knows */
    http_conn_end(c, false);
}

/* `more`: fields that the kind of answer brings, complete with their line ends. */
static void answer(struct http_conn *c, struct http_request *q, unsigned status, const char *type,
                   const char *more, struct str body)
{
    struct strbuf head;
    bool bodyless = status == 204 || status == 304;
    strbuf_init(&head, c->server->buffers, 65536);
    http_write_answer_head(&head, c, q, status, bodyless ? NULL : type);
    strbuf_adds(&head, more);
    if (!bodyless)
        strbuf_addf(&head, "Content-Length: %zu\r\n", body.n);
    http_write_end(&head);
    if (bodyless || (q && q->head.method == HTTP_HEAD))
        body.n = 0;
    if (status >= 400)
        c->server->stats.errors++;
    if (head.failed || (q && q->fields.failed))
        give_up(c, q);
    else
        http_conn_send(c, strbuf_str(&head), body);
    strbuf_fini(&head);
}

#define NO_STORE "Cache-Control: no-store\r\n"
#define VARY     "Vary: Accept-Encoding\r\n"

static bool takes_gzip(const struct http_request *q)
{
    struct str accepted;
    return http_field(&q->head, "accept-encoding", &accepted) && http_accepts_gzip(accepted);
}

void http_answer_body(struct http_request *q, unsigned status, const char *type, struct str body,
                      bool packed)
{
    answer(q->conn, q, status, type,
           packed ? NO_STORE VARY "Content-Encoding: gzip\r\n" : NO_STORE VARY, body);
}

void http_respond(struct http_request *q, unsigned status, const char *type, struct str body)
{
    if (body.n > HTTP_ANSWER_MAX)
        http_respond_problem(q, 500, "the answer is too large");
    else if (!http_gzip_suits(type, body.n))
        answer(q->conn, q, status, type, NO_STORE, body);
    else if (!takes_gzip(q) || !http_gzip_start(q, status, type, body))
        http_answer_body(q, status, type, body, false);
}

void http_respond_json(struct http_request *q, unsigned status, struct str json)
{
    http_respond(q, status, "application/json", json);
}

/* RFC 9457. `q` NULL: the request could not be read. */
static void write_problem(struct strbuf *b, const struct http_request *q, unsigned status,
                          struct str detail)
{
    bool own = q && q->problem_type;
    strbuf_adds(b, "{\"type\":");
    strbuf_add_json(b, str_from(own ? q->problem_type : "about:blank"));
    strbuf_adds(b, ",\"title\":");
    strbuf_add_json(b, str_from(own ? q->problem_title : http_reason(status)));
    strbuf_addf(b, ",\"status\":%u,\"detail\":", status);
    strbuf_add_json(b, detail);
    if (q && !q->head.status && str_starts(q->head.path, STR("/"))) {
        strbuf_adds(b, ",\"instance\":");
        strbuf_add_json(b, q->head.path);
    }
    if (q)
        strbuf_addstr(b, strbuf_str(&q->members));
    strbuf_addc(b, '}');
}

static void answer_problem(struct http_conn *c, struct http_request *q, unsigned status,
                           struct str detail)
{
    struct strbuf b;
    strbuf_init(&b, c->server->buffers, 65536);
    write_problem(&b, q, status, detail);
    if (b.failed || (q && q->members.failed))
        give_up(c, q);
    else
        answer(c, q, status, "application/problem+json", NO_STORE, strbuf_str(&b));
    strbuf_fini(&b);
}

void http_problem_type(struct http_request *q, const char *type, const char *title)
{
    q->problem_type = type;
    q->problem_title = title;
}

void http_problem_str(struct http_request *q, const char *member, struct str value)
{
    strbuf_addc(&q->members, ',');
    strbuf_add_json(&q->members, str_from(member));
    strbuf_addc(&q->members, ':');
    strbuf_add_json(&q->members, value);
}

void http_problem_json(struct http_request *q, const char *member, struct str json)
{
    strbuf_addc(&q->members, ',');
    strbuf_add_json(&q->members, str_from(member));
    strbuf_addc(&q->members, ':');
    strbuf_addstr(&q->members, json);
}

void http_respond_problem(struct http_request *q, unsigned status, const char *detail_fmt, ...)
{
    va_list ap;
    va_start(ap, detail_fmt);
    http_respond_problem_va(q, status, detail_fmt, ap);
    va_end(ap);
}

void http_respond_problem_va(struct http_request *q, unsigned status, const char *detail_fmt,
                             va_list ap)
{
    char detail[1024];
    (void)vsnprintf(detail, sizeof(detail), detail_fmt, ap);
    answer_problem(q->conn, q, status, str_from(detail));
}

void http_refuse(struct http_conn *c, unsigned status, const char *why)
{
    c->keep_alive = false;
    answer_problem(c, c->request, status, str_from(why));
}

/* The whole file, to `out`. */
static enum err inflate_gzip(struct bytes gzip, struct strbuf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)gzip.p, .avail_in = (uInt)gzip.n};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return ERR_NOMEM;
    int r = Z_OK;
    while (r == Z_OK && !out->failed) {
        Bytef piece[16384];
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        r = inflate(&z, Z_NO_FLUSH);
        strbuf_add(out, piece, sizeof(piece) - z.avail_out);
    }
    inflateEnd(&z);
    return r == Z_STREAM_END && !out->failed ? ERR_OK : ERR_CORRUPT;
}

void http_respond_gzip(struct http_request *q, const char *type, const char *etag,
                       struct bytes gzip)
{
    char more[256];
    struct str known;
    bool zipped = takes_gzip(q);
    (void)snprintf(more, sizeof(more), "Cache-Control: no-cache\r\nETag: %.100s\r\n%s%s", etag,
                   VARY, zipped ? "Content-Encoding: gzip\r\n" : "");
    if (http_field(&q->head, "if-none-match", &known) && http_etag_matches(known, str_from(etag))) {
        answer(q->conn, q, 304, NULL, more, STR(""));
        return;
    }
    if (zipped) {
        answer(q->conn, q, 200, type, more, (struct str){(const char *)gzip.p, gzip.n});
        return;
    }
    struct strbuf plain;
    strbuf_init(&plain, q->conn->server->buffers, HTTP_ANSWER_MAX);
    if (inflate_gzip(gzip, &plain))
        http_respond_problem(q, 500, "the file can't be unpacked");
    else
        answer(q->conn, q, 200, type, more, strbuf_str(&plain));
    strbuf_fini(&plain);
}
