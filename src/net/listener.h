/* listener: a listening socket that hands over accepted streams.
 *
 * A stream with layers (via.h) is handed over at once; what its user reads comes behind the
 * handshake, so the user's patience with one that says nothing covers that as well.
 * A unix socket's file is removed before, if nobody listens on it any more, and behind.
 * Ownership: listener_close() ends it (its streams live on); `accepted` gets a stream that it owns:
 * stream_bind(), now or later (until then nothing is received), or stream_close(). Threads: its
 * worker's. With several workers each has its own listener on the port (SO_REUSEPORT). Errors: out
 * of descriptors: the listener pauses for 100 ms, logs once, goes on. */
#pragma once

#include "net/stream.h"
#include "net/via.h"

struct listener;
struct listener_config {
    struct addr addr;
    void (*accepted)(void *ctx, struct stream *s);
    void *ctx;
    const struct stream_via *via; /* NULL: plain */
    size_t connections_max; /* 0: no limit of its own; above it new ones are closed and counted */
};
MUST_USE enum err listener_open(struct listener **out, struct worker *w,
                                const struct listener_config *cfg, struct error *e);
const struct addr *
listener_addr(const struct listener *l);               /* with the port that the system chose */
size_t listener_connections(const struct listener *l); /* that are open now */
uint64_t listener_refused(const struct listener *l);   /* closed because of connections_max */
void listener_close(struct listener *l);
