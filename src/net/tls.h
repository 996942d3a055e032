/* tls: what a side of TLS connections knows: certificates, key, whom it believes.
 *
 * TLS 1.3, and where it is asked for 1.2, with forward secrecy; by OpenSSL, on memory. Steps of a
 * handshake are some hundred microseconds of arithmetic each and run on the offload pool, so that
 * no worker waits for one; records are encrypted and decrypted on the stream's worker. Nothing is
 * held for a connection that has not sent a byte.
 * Clients come back by session tickets, which are good for two hours; their key is another one each
 * hour. A reload ends them: who is no longer believed must not come back by one. There is no
 * renegotiation, no compression, no early data. Ownership: of the paths copies are kept. tls_free()
 * before executor_free(), and when the executor does not run, or on the one worker whose streams
 * use it: it waits for the steps under way. Streams that are left live on without it, until
 * executor_free(). Threads: tls_new(), tls_reload() and tls_free() one at a time, on any; streams
 * of all workers share one. Errors: ERR_IO, ERR_INVALID with a text that names the file. */
#pragma once

#include "async/executor.h"

struct tls;
enum { TLS_IDENTITIES_MAX = 8 };

/* PEM files: the certificate with what leads to its issuer behind it, and its private key. */
struct tls_identity {
    const char *cert, *key;
};

struct tls_config {
    struct executor *ex;
    struct alloc *alloc; /* NULL: alloc_system() */
    bool server;
    /* A server needs one; of several it shows the one that suits the name that the client asks
     * for (SNI), else the first. A client shows the first, if there is one. */
    struct tls_identity identities[TLS_IDENTITIES_MAX];
    size_t identities_n;
    /* PEM file of those who are believed. Server, NULL: clients are not asked for certificates;
     * client, NULL: the system's. */
    const char *ca;
    bool ca_optional; /* server: a client may come without a certificate, but not with a bad one */
    bool insecure;    /* client: whoever answers is believed */
    /* Client: PEM file; the server must show the first certificate in it. Who made that, its names
     * and its time don't matter then: for who knows the very server, as its own tools do. */
    const char *pinned;
    bool tls_1_2;       /* also TLS 1.2, for old devices */
    size_t waiting_max; /* handshakes under way; default 16,384; above it they are refused */
};
MUST_USE enum err tls_new(struct tls **out, const struct tls_config *cfg, struct error *e);
/* Reads the files again, for connections to come; those that are open stay as they are. On an
 * error all stays as it was. Reads a few files at once: blocks for as long as that takes. */
MUST_USE enum err tls_reload(struct tls *t, struct error *e);
void tls_free(struct tls *t); /* NULL is fine */

struct tls_stats {
    uint64_t handshakes, resumed, failed, refused; /* resumed: of the handshakes, by ticket */
};
struct tls_stats tls_stats(const struct tls *t); /* any thread */
