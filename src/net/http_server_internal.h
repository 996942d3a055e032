/* http_server_internal: one connection and its request, between the files of the HTTP server.
 *
 * A connection is one task. Its request exists from the end of its head until it is answered; then
 * the connection reads the next one. Input that came while a request is being answered waits in
 * the stream, or in `kept` if it was lent together with the request's. */
#pragma once

#include "async/timer.h"
#include "net/http_server.h"

#define HTTP_PARAMS_MAX     4
#define HTTP_ANSWER_MAX     ((size_t)32 << 20)
#define HTTP_SSE_COMMENT_MS 15000
#define HTTP_STREAM_LOW     ((size_t)64 << 10) /* of what waits: then the next piece is asked for */
#define HTTP_OVER_MAX       8 /* connections above connections_max, which are told so */
#define HTTP_GZIP_MIN       ((size_t)1024) /* a smaller body is sent as it is */
#define HTTP_GZIP_TYPE_MAX  64
#define HTTP_GZIP_JOBS_MAX  8
#define HTTP_GZIP_BYTES_MAX HTTP_ANSWER_MAX /* of the bodies under way, all together */

enum http_conn_state {
    CONN_HEAD,      /* waits for a request, or its head has begun */
    CONN_BODY,      /* the request's body is coming */
    CONN_HANDLING,  /* a handler has the request */
    CONN_SENDING,   /* an answer waits for room */
    CONN_EVENTS,    /* a stream of events */
    CONN_STREAMING, /* an answer whose pieces are still being made */
};

struct http_stream {
    struct http_stream_owner owner;
    bool chunked;
    bool wanted;        /* the owner is asked for a piece when there is room */
    uint64_t bytes_out; /* at the last look for a reader that stalls */
};

struct http_sse {
    void (*closed)(void *arg, struct http_sse *sse);
    void *arg;
    uint64_t bytes_out; /* at the last comment, */
    int64_t stalled_ms; /* and for how long it has not grown although something waits */
};

struct http_conn {
    struct task task;
    struct timer timer;
    struct list link; /* of the server's connections */
    struct list idle; /* of those between two requests, the longest idle first */
    struct http_server *server;
    struct stream *stream; /* NULL once ended */
    enum http_conn_state state;
    bool ended, timed_out;
    bool eof;        /* nothing more will come */
    bool keep_alive; /* after the answer under way */
    bool polling;    /* its poll is on the stack */
    bool head_begun;
    bool over; /* above connections_max: its request is refused */

    struct bytes in; /* input at hand in this round of a poll, not yet used */
    size_t lent;     /* that much was at hand at its start */
    bool got;        /* the stream had something */

    struct http_scan scan;
    struct http_chunked chunked;
    bool body_over; /* the body is larger than it may be */
    struct http_request *request;
    struct strbuf out; /* what had no room, from out_sent */
    size_t out_sent;
    struct http_sse sse;
    struct http_stream streamed;
};

struct http_request {
    struct http_conn *conn;
    struct http_head head;
    char *text;       /* the head's bytes, and room for decoded parameters */
    size_t text_size; /* of the allocation */
    struct strbuf body;
    struct str params[HTTP_PARAMS_MAX];
    size_t param_count;
    struct strbuf fields;                     /* of the answer, beside the usual ones */
    struct strbuf members;                    /* of problem details */
    const char *problem_type, *problem_title; /* NULL: about:blank and the status's own */
    void (*gone)(void *arg, struct http_request *q);
    void *gone_arg;
};

struct http_server {
    struct worker *worker;
    struct alloc *alloc;
    struct alloc *buffers; /* for requests and answers */
    struct listener *listener;
    struct http_server_config cfg;
    struct list conns, idle;
    struct list gzips; /* answers that are being compressed */
    size_t gzip_bytes;
    size_t live; /* connections that have not ended */
    bool closed;
    struct http_server_stats stats;
};

/* http_conn.c */
enum err http_conn_new(struct http_server *s, struct stream *stream, bool over);
/* Ends it now; `flush`: what is queued is still sent. The memory goes with its task. */
void http_conn_end(struct http_conn *c, bool flush);
/* The request is answered and released: sends head and body, then goes on or closes. */
void http_conn_send(struct http_conn *c, struct str head, struct str body);
void http_conn_wait(struct http_conn *c, int64_t ms);
void http_conn_answered(
    struct http_conn *c); /* all of it is written: the next request, or the end */
struct http_request *http_request_new(struct http_conn *c, struct bytes head);
void http_request_free(struct http_request *q);
void http_server_released(struct http_server *s); /* a connection's memory is gone */

/* http_route.c: the handler for a request, or NULL after having answered. */
typedef void http_handler(void *ctx, struct http_request *q);
http_handler *http_route_request(struct http_request *q);

/* http_gzip.c. Whether such a body is compressed for a client that takes it. */
bool http_gzip_suits(const char *type, size_t size);
/* Copies the body and answers when it is compressed. False: too much is under way, or no memory. */
bool http_gzip_start(struct http_request *q, unsigned status, const char *type, struct str body);
/* The executor does not run, and will not again: gives back what is left. */
void http_gzip_forget(struct http_server *s);

/* http_respond.c. The body of an answer that suits, as it is or packed. */
void http_answer_body(struct http_request *q, unsigned status, const char *type, struct str body,
                      bool packed);
/* http_respond.c: an answer that ends the connection, with or without a request. */
void http_write_answer_head(struct strbuf *b, struct http_conn *c, struct http_request *q,
                            unsigned status, const char *type);
void http_refuse(struct http_conn *c, unsigned status, const char *why);

/* http_sse.c: the connection's timer. */
void http_sse_tick(struct http_conn *c);

/* http_stream.c. One step of its state; whether it is over. */
bool http_stream_pump(struct http_conn *c);
void http_stream_tick(struct http_conn *c);
