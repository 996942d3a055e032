/* stream_move: a stream goes on on another worker.
 *
 * Why: a connection is accepted on any worker, but what it belongs to may live on another; whose
 * it is shows only when its first bytes have been read.
 * What goes along: the descriptor, what was received and not consumed, what comes meanwhile, the
 * end if it has been seen, limits, counts of bytes, the layers above the socket. What was written
 * before leaves first, for at most ten seconds. No byte is lost, and none is seen twice.
 * Ownership: as after stream_close(), the pointer is not used any more. moved() gets a new stream,
 * which is its own: stream_bind(), now or later; or NULL: no memory there, or what was written
 * did not leave, and the connection is closed. If the executor stops first, moved() may not be
 * called; the connection is closed by executor_free().
 * The listener that accepted the stream counts it no longer; who limits connections over workers
 * counts by himself.
 * Threads: stream_move() the stream's worker, moved() the worker `to`. net_prepare() before the
 * executor runs.
 * Errors: ERR_NOMEM: nothing has happened. */
#pragma once

#include "net/stream.h"

/* Makes every worker ready to take streams; again and again does no harm. */
MUST_USE enum err net_prepare(struct executor *ex);

MUST_USE enum err stream_move(struct stream *s, struct worker *to,
                              void (*moved)(void *ctx, struct stream *s), void *ctx);
