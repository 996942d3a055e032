/* via: what lies between a stream's socket and who uses it: TLS, WebSocket, both, or nothing.
 *
 * Why: above it a stream is a stream, whatever carries it. A listener or a pool of connections is
 * given one of these, and each of its streams gets the layers: WebSocket within TLS within TCP (or
 * a unix socket).
 * Ownership: borrowed by listeners, pools and streams, and outlives them all. */
#pragma once

#include <stdbool.h>

struct tls;

/* RFC 6455 with the sub-protocol "mqtt" (the server also takes "mqttv3.1"), in binary frames. */
struct websocket {
    const char *path; /* the server: the only one, NULL: any; the client: NULL: "/mqtt" */
    /* The server: pages from elsewhere may connect. Without it a browser's Origin must be the
     * server's own host, by number or as localhost: a listener that lets anybody in must not be
     * open to every page that its people look at. */
    bool any_origin;
};

struct stream;
struct stream_layer;
struct stream_via {
    struct tls *tls;
    const struct websocket *websocket;
    const char *host;
    /* From the socket upwards; NULL: no more. */
    struct stream_layer *(*layers[2])(struct stream *s, const struct stream_via *via, bool server);
};

/* Either may be NULL. `host` is for clients: the server's name, for SNI, for its certificate and
 * for Host. NULL: its address, which then must be in the certificate. */
struct stream_via stream_via_make(struct tls *tls, const struct websocket *websocket,
                                  const char *host);
