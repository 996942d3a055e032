/* http_server: HTTP/1.1 for people's browsers and programs: routes, files, server-sent events.
 *
 * Why: the page and the API need little of HTTP, but that strictly: one request after the other on
 * a connection (pipelined ones in their order), every answer bounded or made at the pace of its
 * reader, no foreign page able to command. Before a handler runs, these are refused: a Host that is
 * not this server's (421), a change (anything but GET and HEAD) with a foreign Origin (403) or a
 * body that is not application/json (415), a body above body_max (413), a path without a route
 * (404) or with another method (405 with Allow). Errors are RFC 9457 problem details. HEAD is
 * served by GET's route. Answers above 1 KiB of text or JSON are compressed for clients that take
 * gzip, as free work, on another worker if there is one; at most 8 and 32 MiB at once, further ones
 * go plain. Ownership: the server owns its connections and requests. A request belongs to its
 * handler until it is answered with one http_respond…() or http_sse_start(); then its pointer must
 * not be used. A handler that does not answer before it returns must have called
 * http_request_on_gone(): when the connection ends first, that is called, and the request is gone
 * as well. Threads: its worker's. With several workers each has its own server on the port. Errors:
 * http_server_open(). Failures towards one client end that client's connection. After RFC 9110,
 * 9112, 9457 and the HTML standard's server-sent events. */
#pragma once

#include "codec/http.h"
#include "net/listener.h"

struct http_server;
struct http_request;
struct http_sse;

struct http_route {
    enum http_method method;
    const char *pattern; /* "/api/devices/{device}/actions/{action}"; at most 4 in braces */
    void (*handle)(void *ctx, struct http_request *q);
};

struct http_server_config {
    const struct http_route *routes; /* borrowed; looked through in order */
    size_t route_count;
    /* GET and HEAD where no route has the path; NULL: 404. */
    void (*fallback)(void *ctx, struct http_request *q);
    void *ctx;
    /* Names that a Host may carry (without port) beside the listener's own address: a loopback one
     * has localhost, 127.0.0.1 and [::1]; one for all addresses has every numeric one. */
    const char *const *hosts; /* borrowed */
    size_t host_count;
    const struct stream_via *via; /* TLS; NULL: plain */
    const char *csp;              /* Content-Security-Policy of text/html; borrowed; NULL: none */
    /* A field of every answer, but of one to who takes this for another host; borrowed, and read at
     * each answer; mark_name NULL: none. */
    const char *mark_name, *mark;
    size_t body_max;        /* 0: 64 KiB */
    size_t connections_max; /* 0: 256; one more closes the longest idle one; if none is idle
                               its request is answered 503, and a few more are just closed */
    size_t sse_waiting_max; /* 0: 256 KiB that wait for one reader of events */
    int64_t header_ms;      /* 0: 10 s, from a request's first byte to the end of its head */
    int64_t idle_ms;        /* 0: 60 s between requests, for a body, and for a reader that stalls */
};
MUST_USE enum err http_server_open(struct http_server **out, struct worker *w,
                                   const struct addr *addr, const struct http_server_config *cfg,
                                   struct error *e);
const struct addr *http_server_addr(const struct http_server *s); /* with the port chosen */
/* Ends all connections at once; the callbacks of open requests and readers are called before it
 * returns. Not from within a handler. If the executor does not run, it must not be run again. */
void http_server_close(struct http_server *s);

struct http_server_stats {
    uint64_t accepted, refused, requests, errors; /* errors: answers of 400 and above */
    uint64_t compressed;                          /* answers, by gzip */
    size_t connections, readers;                  /* now; readers of events */
    size_t compressing;                           /* now */
};
struct http_server_stats http_server_stats(const struct http_server *s);

/* What was asked. All of it lives as long as the request. */
const struct http_head *http_request_head(const struct http_request *q);
struct bytes http_request_body(const struct http_request *q);
struct str http_request_param(const struct http_request *q, size_t i); /* decoded; in order */
const struct addr *http_request_peer(const struct http_request *q);
void http_request_on_gone(struct http_request *q, void (*gone)(void *arg, struct http_request *q),
                          void *arg);

/* Answers. Everything is copied. A body above 32 MiB is answered as 500. */
void http_response_field(struct http_request *q, const char *name, struct str value);
void http_respond(struct http_request *q, unsigned status, const char *type, struct str body);
void http_respond_json(struct http_request *q, unsigned status, struct str json);
/* Problem details with `detail` for people, and the request's path as `instance`;
 * http_problem_str() adds members before. http_problem_type(): another type than "about:blank", and
 * its title (RFC 9457, 3.1.1 and 3.1.3); both are constants. */
void http_problem_type(struct http_request *q, const char *type, const char *title);
void http_problem_str(struct http_request *q, const char *member, struct str value);
void http_problem_json(struct http_request *q, const char *member, struct str json);
void http_respond_problem(struct http_request *q, unsigned status, const char *detail_fmt, ...)
    PRINTF_LIKE(3, 4);
void http_respond_problem_va(struct http_request *q, unsigned status, const char *detail_fmt,
                             va_list ap);
/* A file that is kept compressed (RFC 1952): 304 if the client has it, else as it is, or inflated
 * for a client that does not take gzip. `etag` with its quotes. */
void http_respond_gzip(struct http_request *q, const char *type, const char *etag,
                       struct bytes gzip);

/* Answers with a stream of events, which stays open: a comment every 15 s keeps it. NULL if the
 * connection failed meanwhile; the request is answered either way. `closed` is called once, when
 * the reader has gone or the server closes, not by http_sse_close(); then the pointer is gone. */
struct http_sse *http_sse_start(struct http_request *q,
                                void (*closed)(void *arg, struct http_sse *), void *arg);
/* `event` may be NULL. ERR_FULL: too much waits for this reader, nothing was queued; ERR_CLOSED. */
MUST_USE enum err http_sse_send(struct http_sse *sse, const char *event, struct str data);
size_t http_sse_waiting(const struct http_sse *sse); /* bytes */
void http_sse_close(struct http_sse *sse);

/* Answers 200 with a body that is made while it is read: chunked, or for HTTP/1.0 up to the end of
 * the connection. ready() is called, never from within a call here, whenever the reader has room:
 * it writes one piece, or, with nothing at hand, nothing, and calls http_stream_resume() when it
 * has. After the last one http_stream_end(). http_stream_abort() breaks the connection off, so that
 * the reader sees that something is missing. closed() is called once when the reader has gone, has
 * not taken anything for idle_ms, or the server closes; not after the owner's end or abort. After
 * any of the three, and after ERR_CLOSED, the pointer is gone.
 * NULL from start: the request is answered (HEAD), or its connection has failed. */
enum { HTTP_PIECE_MAX = 64 << 10 };
struct http_stream;
struct http_stream_owner {
    void (*ready)(void *arg);
    void (*closed)(void *arg);
    void *arg;
};
struct http_stream *http_stream_start(struct http_request *q, const char *type,
                                      const struct http_stream_owner *owner);
MUST_USE enum err http_stream_write(struct http_stream *s, struct str piece);
void http_stream_resume(struct http_stream *s);
void http_stream_end(struct http_stream *s);
void http_stream_abort(struct http_stream *s);
