/* tls_internal: the contexts of OpenSSL behind a struct tls, and what its layers use of it.
 *
 * Threads: what is in struct tls is guarded by its lock, or atomic, or never changes. */
#pragma once

#include "async/offload.h"
#include "base/atomic.h"
#include "net/tls.h"
#include <openssl/ssl.h>
#include <pthread.h>

/* What the files held at one time; one context for each identity. */
struct tls_set {
    _Atomic unsigned refs;
    size_t n;
    SSL_CTX *contexts[TLS_IDENTITIES_MAX];
    X509 *pinned; /* NULL: the contexts believe by issuers */
};

struct tls {
    struct alloc *alloc;
    struct tls_config cfg; /* with paths of its own */
    struct offload_queue *queue;
    _Atomic unsigned refs; /* the owner's and each layer's */
    _Atomic bool closed;
    pthread_mutex_t lock;
    struct tls_set *set;
    SSL_SESSION *session; /* the client's last ticket */
    _Atomic uint64_t handshakes, resumed, failed, refused;
};

struct tls_set *tls_set_take(struct tls *t);
void tls_set_give(struct tls_set *set);       /* NULL is fine */
SSL_SESSION *tls_session_take(struct tls *t); /* NULL: none */
void tls_release(struct tls *t);
