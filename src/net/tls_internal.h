/* tls_internal: the contexts of OpenSSL behind a struct tls, and what its layers use of it.
 *
 * Threads: what is in struct tls is guarded by its lock, or atomic, or never changes. */
#pragma once

#include "async/offload.h"
#include "base/atomic.h"
#include "net/tls.h"
#include <openssl/ssl.h>
#include <pthread.h>

/* tls_tickets.c: keys of session tickets; the newest, which makes them, is the first. */
#define TLS_TICKET_S      7200 /* for how long a ticket is good */
#define TLS_TICKET_NS     (TLS_TICKET_S * INT64_C(1000000000))
#define TLS_TICKET_KEY_NS (3600 * INT64_C(1000000000)) /* for how long a key makes them */
struct tls_ticket_key {
    uint8_t name[16], cipher[32], mac[32];
    int64_t made_ns;
};
struct tls_tickets {
    struct tls_ticket_key keys[TLS_TICKET_NS / TLS_TICKET_KEY_NS + 2];
    size_t n;
};

/* What the files held at one time; one context for each identity. */
struct tls_set {
    _Atomic unsigned refs;
    size_t n;
    SSL_CTX *contexts[TLS_IDENTITIES_MAX];
    X509 *pinned;               /* NULL: the contexts believe by issuers */
    struct tls_tickets tickets; /* under the lock of the struct tls */
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
/* OpenSSL asks for the key of a ticket that it makes (`sealing`) or opens. */
int tls_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int sealing);
void tls_tickets_wipe(struct tls_tickets *x);
