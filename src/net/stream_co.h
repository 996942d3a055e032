/* stream_co: streams in straight lines, for coroutines.
 *
 *     while (acceptor_take(a, -1, &s) == ERR_OK)
 *         r = scope_spawn(&all, serve, s, "conn");
 *     …
 *     r = stream_co_read_until(s, STR("\r\n"), line, sizeof(line), &n, 5000);
 *     r = stream_co_write(s, answer, answer_n, 5000);
 *
 * Why: a protocol of questions and answers is one function here, and all waiting is in these calls.
 * A connection that mostly waits is better a plain task on a stream (stream.h): a coroutine holds a
 * page of stack. Connections to elsewhere come from conn_pool_take().
 * Ownership: as in stream.h: the stream is its user's, who ends it with stream_close() or
 * stream_finish(), or gives it back to its pool. The coroutine that calls is the one that is
 * woken: one at a time, and it hands over, or ends, the stream before it ends itself.
 * Threads: the worker's. Time-outs are in milliseconds for the whole call; negative: none.
 * Errors: ERR_TIMEOUT, ERR_CANCELED: the coroutine is canceled and would have had to wait.
 * ERR_CLOSED at the peer's end, ERR_IO. ERR_RANGE: more than may be waited for in one piece (half
 * of the stream's read_max). A read that fails has consumed nothing: it may be tried again. */
#pragma once

#include "async/coroutine.h"
#include "net/listener.h"

/* Waits for bytes; *got is 1 … n of them. */
MUST_USE enum err stream_co_read(struct stream *s, void *p, size_t n, size_t *got,
                                 int64_t timeout_ms);
/* Waits for n bytes. */
MUST_USE enum err stream_co_read_exactly(struct stream *s, void *p, size_t n, int64_t timeout_ms);
/* Up to and with the delimiter; *got is its end. ERR_RANGE also if it is not among the first n. */
MUST_USE enum err stream_co_read_until(struct stream *s, struct str delimiter, void *p, size_t n,
                                       size_t *got, int64_t timeout_ms);
/* Queues all of it, waiting for room. If it fails, an unknown part was queued: the stream is of no
 * more use. It leaves at the tick's end; stream_finish() sees to what is left. */
MUST_USE enum err stream_co_write(struct stream *s, const void *p, size_t n, int64_t timeout_ms);

/* A listener whose connections wait, at most `waiting_max` (1 or more), until a coroutine takes
 * them in the order of their arrival; one more is closed and counted. */
struct acceptor;
MUST_USE enum err acceptor_open(struct acceptor **out, struct worker *w, const struct addr *addr,
                                size_t waiting_max, struct error *e);
const struct addr *acceptor_addr(const struct acceptor *a); /* with the port chosen */
MUST_USE enum err acceptor_take(struct acceptor *a, int64_t timeout_ms, struct stream **out);
uint64_t acceptor_refused(const struct acceptor *a);
/* Who waits in acceptor_take() gets ERR_CLOSED, and must have returned from it before
 * acceptor_free(). Connections that nobody took are closed. */
void acceptor_close(struct acceptor *a);
void acceptor_free(struct acceptor *a);
