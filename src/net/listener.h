/* listener: a listening socket that hands over accepted streams.
 *
 * Ownership: listener_close() ends it; `accepted` gets a stream that it owns and must
 * stream_bind() before it returns, or stream_close().
 * Threads: its worker's. With several workers each has its own listener on the port (SO_REUSEPORT).
 * Errors: out of descriptors: the listener pauses for 100 ms, logs once, goes on. */
#pragma once

#include "net/stream.h"

struct listener;
struct listener_config {
    struct addr addr;
    void (*accepted)(void *ctx, struct stream *s);
    void *ctx;
    size_t connections_max; /* 0: no limit of its own; above it new ones are closed and counted */
};
MUST_USE enum err listener_open(struct listener **out, struct worker *w,
                                const struct listener_config *cfg, struct error *e);
const struct addr *listener_addr(const struct listener *l); /* with the port that the system chose */
void listener_close(struct listener *l);
