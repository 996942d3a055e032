/* stream: a byte stream in both directions: TCP or a unix socket, plain or through TLS, WebSocket
 * or both (via.h): the same for who uses it.
 *
 * A stream serves one task: it wakes the task when there is something to read, when the send
 * queue has fallen below its low mark, and when the stream has ended. The task then reads
 * until ERR_AGAIN. A stream that waits owns no buffer: received bytes are handed over in
 * one contiguous piece, and only what the task leaves unread is kept, in a pooled buffer.
 * Writes gather in pooled blocks and leave with one system call at the end of the tick.
 * Ownership: stream_close() ends it; the memory goes when its last I/O operation has ended.
 * After stream_close() the pointer must not be used and the task is not woken by it any more.
 * Threads: its worker's only.
 * Errors: ERR_CLOSED at the peer's end, ERR_IO with stream_os_errno() and, where a layer has found
 * fault, stream_problem(). */
#pragma once

#include "async/executor.h"
#include "base/cursor.h"
#include "net/addr.h"

struct stream;

struct stream_limits {
    size_t read_max;  /* unread bytes kept at most; default 1 MiB: beyond it receiving pauses,
                         so what a task waits for in one piece must be smaller */
    size_t write_max; /* bytes waiting to be sent; default 1 MiB */
    size_t write_low; /* wake the task when it falls to this; default 64 KiB */
};

/* Binds (or rebinds) the stream to the task that is woken. */
void stream_bind(struct stream *s, struct task *task);
void stream_set_limits(struct stream *s, const struct stream_limits *l);

/* All bytes that were received and not yet consumed, contiguous; borrowed until stream_consume()
 * or the end of this poll. ERR_AGAIN when nothing new came since the last call in this poll; a
 * new poll is shown what an earlier one left. The end is told after the last byte. */
MUST_USE enum err stream_read(struct stream *s, struct bytes *out);
void stream_consume(struct stream *s, size_t n);

/* Copies and queues. ERR_FULL: nothing was queued, wait to be woken. ERR_RANGE: n is more than
 * write_max, it will never fit. ERR_CLOSED. */
MUST_USE enum err stream_write(struct stream *s, const void *p, size_t n);
/* Room for n contiguous bytes in the send queue, to encode in place; NULL as ERR_FULL. Then
 * stream_commit() with what was used, before anything else is called on the stream. */
uint8_t *stream_reserve(struct stream *s, size_t n);
void stream_commit(struct stream *s, size_t n);
/* Copies and queues `head`, and behind it `body` by reference, both or (as stream_write())
 * neither. The body's bytes stay as they are until release(ctx), which is called once, on the
 * stream's worker: when they have been sent or encrypted, or the stream has ended. Not before this
 * returns, and not at all if it failed. It must not use the stream. */
struct stream_shared {
    const void *p;
    size_t n;
    void (*release)(void *ctx); /* NULL: they last for ever */
    void *ctx;
};
MUST_USE enum err stream_write_shared(struct stream *s, const void *head, size_t head_n,
                                      const struct stream_shared *body);
size_t stream_write_pending(const struct stream *s); /* in layers too */
size_t stream_write_room(const struct stream *s);

/* Sends what is queued, tells the peer that it was all, and closes at the peer's end; at most
 * `linger_ms`. What still comes is dropped. As after stream_close(), the pointer is not used any
 * more. */
void stream_finish(struct stream *s, int64_t linger_ms);
/* Whether a stream of this worker still sends what it had to when it was finished, or waits for the
 * peer's end. On that worker. */
bool net_finishing(struct worker *w);
/* Closes at once. */
void stream_close(struct stream *s);

/* It stays on this worker until it ends: no stream_move() any more, nor into a pool. For a server's
 * streams that last: the driver may then hold more of them than there are descriptors. What is sent
 * to those takes a little longer. Before another thread may ask for its address. */
void stream_stay(struct stream *s);

const struct addr *stream_peer(struct stream *s); /* len 0 if it can't be told any more */
/* The same, asked of the system each time. Any thread, while the stream can't be closed. */
void stream_address(const struct stream *s, struct addr *out);
int stream_os_errno(const struct stream *s);
/* What a layer found wrong, "certificate has expired"; "" if none did. Its stream ends with ERR_IO
 * and EPROTO; but that of a server with the socket's own end, where a client broke a handshake off.
 * The text stays when the stream goes. */
const char *stream_problem(const struct stream *s);
/* The common name in the peer's certificate, if it was asked for one and that was believed; p NULL:
 * none. */
struct str stream_person(const struct stream *s);
bool stream_is_secret(const struct stream *s);    /* TLS */
uint64_t stream_bytes_in(const struct stream *s); /* of the socket, as stream_bytes_out() */
uint64_t stream_bytes_out(const struct stream *s);

/* Starts to connect; the task is woken when it is done, the handshakes of its layers too:
 * stream_connected() tells ERR_AGAIN, ERR_OK or the error. `via` NULL: plain. */
MUST_USE enum err stream_connect(struct stream **out, struct worker *w, const struct addr *to,
                                 struct task *task);
struct stream_via;
MUST_USE enum err stream_connect_via(struct stream **out, struct worker *w, const struct addr *to,
                                     const struct stream_via *via, struct task *task);
MUST_USE enum err stream_connected(const struct stream *s);
