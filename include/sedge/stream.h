/* sedge_stream: TCP and unix sockets for coroutines: listen, accept, connect, read, write.
 *
 *     while (sedge_accept(listener, &s, -1) == SEDGE_OK)
 *         if (sedge_scope_spawn(&all, serve, s, "connection"))
 *             sedge_stream_close(s);
 *
 *     r = sedge_stream_read_until(s, "\r\n", line, sizeof(line), &n, 5000);
 *     if (!r)
 *         r = sedge_stream_write(s, answer, answer_n, 5000);
 *
 * Why: a protocol of questions and answers is one function, and all waiting is in these calls. A
 * connection that waits holds no buffer; what is written leaves with one system call when the
 * worker has run all that was ready.
 *
 * Ownership: a stream is its user's, who ends it with exactly one of sedge_stream_close() and
 * sedge_stream_finish(), or gives it back to the pool that it came from (sedge_conn_pool(3)). The
 * pointer must not be used after that.
 *
 * Threads: listeners and streams belong to the worker that made them. One coroutine at a time uses
 * a stream. What listens on several workers listens on each, on the same port.
 *
 * Errors: SEDGE_ERR_TIMEOUT: time-outs are in milliseconds, for the whole call; negative: none.
 * SEDGE_ERR_CANCELED: the coroutine is canceled and would have had to wait. SEDGE_ERR_CLOSED: the
 * peer has ended its side. SEDGE_ERR_IO: see sedge_stream_os_errno(). A read that fails has
 * consumed nothing and may be tried again. */
#ifndef SEDGE_STREAM_H
#define SEDGE_STREAM_H

#include <sedge/err.h>

SEDGE_BEGIN

/* An IPv4 or IPv6 address with a port, or the path of a unix socket. */
struct sedge_addr {
    uint64_t private_[16];
};
#define SEDGE_ADDR_TEXT_MAX 120
/* "127.0.0.1", "::1", "localhost" (which is 127.0.0.1), "unix:/path". Names are not looked up:
 * getaddrinfo(3) blocks, see sedge_blocking(). SEDGE_ERR_SYNTAX, SEDGE_ERR_RANGE. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_addr_parse(struct sedge_addr *addr, const char *host,
                                                         uint16_t port);
/* "127.0.0.1:1883", "[::1]:1883". */
SEDGE_API void sedge_addr_format(const struct sedge_addr *addr, char out[SEDGE_ADDR_TEXT_MAX]);
SEDGE_API uint16_t sedge_addr_port(const struct sedge_addr *addr);

struct sedge_stream;
struct sedge_listener;

/* On a worker. So many connections wait for sedge_accept() at most (0: 128); one more is closed and
 * counted. Port 0: the system chooses one. In a runtime of several workers each may listen on the
 * same port (SO_REUSEPORT), and so may another process of the same user. The file of a unix socket
 * is removed before, if nobody listens on it any more, and behind. SEDGE_ERR_IO, SEDGE_ERR_NOMEM.
 */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_listen(struct sedge_listener **out,
                                                     const struct sedge_addr *addr,
                                                     size_t waiting_max, struct sedge_error *error);
/* With the port that was chosen. */
SEDGE_API struct sedge_addr sedge_listener_addr(const struct sedge_listener *listener);
/* Connections that were closed because too many waited. */
SEDGE_API uint64_t sedge_listener_refused(const struct sedge_listener *listener);
/* The next connection, in the order of their arrival. SEDGE_ERR_CLOSED: so is the listener. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_accept(struct sedge_listener *listener,
                                                     struct sedge_stream **out, int64_t timeout_ms);
/* Who waits in sedge_accept() is told. Connections that nobody took are closed, others live on. */
SEDGE_API void sedge_listener_close(struct sedge_listener *listener);
/* Closes it. Nobody may be in sedge_accept() any more. NULL: nothing. */
SEDGE_API void sedge_listener_free(struct sedge_listener *listener);

/* A connection of its own. For more than a few to one place see sedge_conn_pool(3). */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_connect(struct sedge_stream **out,
                                                      const struct sedge_addr *to,
                                                      int64_t timeout_ms,
                                                      struct sedge_error *error);

/* Waits for bytes; *got is 1 … n of them. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_stream_read(struct sedge_stream *stream, void *p, size_t n, size_t *got, int64_t timeout_ms);
/* Waits for n bytes. SEDGE_ERR_RANGE: n is more than half of the stream's read_max. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_stream_read_exactly(struct sedge_stream *stream, void *p, size_t n, int64_t timeout_ms);
/* Up to and with the delimiter; *got is where it ends. SEDGE_ERR_RANGE: it is not among the first n
 * bytes, or n is more than half of read_max. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_stream_read_until(struct sedge_stream *stream,
                                                                const char *delimiter, void *p,
                                                                size_t n, size_t *got,
                                                                int64_t timeout_ms);
/* Queues all of it, and waits for room. After an error an unknown part was queued: the stream is of
 * no more use. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_stream_write(struct sedge_stream *stream, const void *p, size_t n, int64_t timeout_ms);
/* Sends what is queued, tells the peer that it was all, and closes at the peer's end or after
 * linger_ms. Returns at once; what still comes is dropped. */
SEDGE_API void sedge_stream_finish(struct sedge_stream *stream, int64_t linger_ms);
/* Closes at once. NULL: nothing. */
SEDGE_API void sedge_stream_close(struct sedge_stream *stream);

/* Bytes; 0: the value behind. */
struct sedge_stream_limits {
    size_t read_max;  /* that wait to be read, 1 MiB: then receiving pauses */
    size_t write_max; /* that wait to be sent, 1 MiB: then writing waits */
    size_t write_low; /* of those, when writing goes on, 64 KiB */
};
SEDGE_API void sedge_stream_set_limits(struct sedge_stream *stream,
                                       const struct sedge_stream_limits *limits);
/* False: it can't be told any more. */
SEDGE_API bool sedge_stream_peer(struct sedge_stream *stream, struct sedge_addr *out);
/* Of its last SEDGE_ERR_IO. */
SEDGE_API int sedge_stream_os_errno(const struct sedge_stream *stream);

SEDGE_END
#endif
