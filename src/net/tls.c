#include "net/tls_internal.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { PARALLEL = 2, WAITING_MAX = 16384 };

/* Of 1.2: no key that travels under the certificate's, so that who gets hold of that one later
 * can't read what was recorded. All of 1.3 are so. */
#define CIPHERS_1_2 "DEFAULT:!kRSA:!PSK:!SRP"

/* --- contexts --- */

void tls_set_give(struct tls_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    for (size_t i = 0; i < set->n; i++)
        SSL_CTX_free(set->contexts[i]);
    X509_free(set->pinned);
    tls_tickets_wipe(&set->tickets);
    OPENSSL_free(set);
}

struct tls_set *tls_set_take(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    struct tls_set *set = t->set;
    atomic_fetch_add(&set->refs, 1);
    pthread_mutex_unlock(&t->lock);
    return set;
}

/* The first error in the queue is the cause; what came of it stands behind. */
static const char *first_error(void)
{
    unsigned long code = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return NULL;
    return ERR_reason_error_string(code);
}

static enum err refused(struct error *e, const char *what, const char *file)
{
    const char *why = first_error();
    enum err r = error_set(e, ERR_INVALID, "%s %s can't be used: %s", what, file,
                           why ? why : "it is not PEM");
    ERR_clear_error();
    return r;
}

/* A program that runs by itself can't be asked. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}

static enum err load_identity(SSL_CTX *c, const struct tls_identity *id, struct error *e)
{
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(c, id->cert) != 1)
        return refused(e, "the certificate", id->cert);
    if (SSL_CTX_use_PrivateKey_file(c, id->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(c) != 1)
        return refused(e, "the key", id->key);
    return ERR_OK;
}

static enum err load_believed(SSL_CTX *c, const struct tls_config *cfg, struct error *e)
{
    if (cfg->ca && SSL_CTX_load_verify_file(c, cfg->ca) != 1)
        return refused(e, "the certificates in", cfg->ca);
    if (cfg->server && cfg->ca) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(cfg->ca);
        if (!names)
            return refused(e, "the certificates in", cfg->ca);
        SSL_CTX_set_client_CA_list(c, names); /* it is the context's now */
    }
    if (!cfg->server && !cfg->ca && SSL_CTX_set_default_verify_paths(c) != 1)
        return refused(e, "the system's certificates in", X509_get_default_cert_file());
    return ERR_OK;
}

static enum err load_pinned(struct tls_set *set, const char *file, struct error *e)
{
    ERR_clear_error();
    BIO *in = BIO_new_file(file, "r");
    set->pinned = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    return set->pinned ? ERR_OK : refused(e, "the certificate", file);
}

/* In the place of OpenSSL's walk up the chain. */
static int is_pinned(X509_STORE_CTX *ctx, void *pinned)
{
    X509 *shown = X509_STORE_CTX_get0_cert(ctx);
    bool same = shown && X509_cmp(shown, pinned) == 0;
    X509_STORE_CTX_set_error(ctx, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return same;
}

static int verify_mode(const struct tls_config *cfg)
{
    if (!cfg->server)
        return cfg->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    if (!cfg->ca)
        return SSL_VERIFY_NONE;
    return SSL_VERIFY_PEER | (cfg->ca_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
}

/* Of several identities the one that the client asks for. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    const struct tls_set *set = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    (void)arg;
    for (size_t i = 0; name && set && i < set->n; i++) {
        X509 *cert = SSL_CTX_get0_certificate(set->contexts[i]);
        if (X509_check_host(cert, name, 0, 0, NULL) != 1)
            continue;
        return SSL_set_SSL_CTX(ssl, set->contexts[i]) ? SSL_TLSEXT_ERR_OK
                                                      : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* A ticket has come: the next connection is shorter. */
static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    pthread_mutex_lock(&t->lock);
    /* One of before a reload may be of a server that is no longer believed. */
    bool current = SSL_get_SSL_CTX(ssl) == t->set->contexts[0];
    SSL_SESSION *before = current ? t->session : NULL;
    if (current)
        t->session = session; /* ours now */
    pthread_mutex_unlock(&t->lock);
    SSL_SESSION_free(before);
    return current;
}

SSL_SESSION *tls_session_take(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    SSL_SESSION *session = t->session;
    t->session = NULL; /* a ticket is for one connection: RFC 8446, C.4 */
    pthread_mutex_unlock(&t->lock);
    return session;
}

static enum err set_up(struct tls *t, SSL_CTX *c, const struct tls_identity *id, struct error *e)
{
    static const unsigned char context[] = "sedge";
    const struct tls_config *cfg = &t->cfg;
    SSL_CTX_set_min_proto_version(c, cfg->tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    if (SSL_CTX_set_cipher_list(c, CIPHERS_1_2) != 1)
        return refused(e, "the ciphers", CIPHERS_1_2);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(c, verify_mode(cfg), NULL);
    SSL_CTX_set_app_data(c, t);
    if (cfg->server) {
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets hold all */
        SSL_CTX_set_session_id_context(c, context, sizeof(context) - 1);
        SSL_CTX_set_num_tickets(c, 1);
        SSL_CTX_set_timeout(c, TLS_TICKET_S);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(c, tls_on_ticket_key);
        SSL_CTX_set_tlsext_servername_callback(c, on_name);
    } else {
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(c, on_ticket);
    }
    enum err r = id ? load_identity(c, id, e) : ERR_OK;
    return r ? r : load_believed(c, cfg, e);
}

static enum err load(struct tls *t, struct tls_set **out, struct error *e)
{
    const SSL_METHOD *method = t->cfg.server ? TLS_server_method() : TLS_client_method();
    struct tls_set *set = OPENSSL_zalloc(sizeof(*set));
    size_t n = t->cfg.identities_n ? t->cfg.identities_n : 1;
    enum err r = set ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for TLS");
    if (set)
        atomic_store(&set->refs, 1);
    if (!r && t->cfg.pinned)
        r = load_pinned(set, t->cfg.pinned, e);
    for (size_t i = 0; !r && i < n; i++) {
        SSL_CTX *c = SSL_CTX_new(method);
        if (!c) {
            r = error_set(e, ERR_NOMEM, "no memory for TLS");
            break;
        }
        set->contexts[set->n++] = c;
        if (set->pinned)
            SSL_CTX_set_cert_verify_callback(c, is_pinned, set->pinned);
        r = set_up(t, c, t->cfg.identities_n ? &t->cfg.identities[i] : NULL, e);
    }
    if (r) {
        tls_set_give(set);
        set = NULL;
    }
    *out = set;
    return r;
}

/* --- the object --- */

static void drop_path(struct tls *t, const char **path)
{
    if (*path)
        mem_free(t->alloc, (void *)(uintptr_t)*path, strlen(*path) + 1);
    *path = NULL;
}

static bool own_path(struct tls *t, const char **to, const char *from)
{
    *to = from ? str_dup(t->alloc, str_from(from)) : NULL;
    return *to || !from;
}

void tls_release(struct tls *t)
{
    if (atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (size_t i = 0; i < TLS_IDENTITIES_MAX; i++) {
        drop_path(t, &t->cfg.identities[i].cert);
        drop_path(t, &t->cfg.identities[i].key);
    }
    drop_path(t, &t->cfg.ca);
    drop_path(t, &t->cfg.pinned);
    tls_set_give(t->set);
    SSL_SESSION_free(t->session);
    pthread_mutex_destroy(&t->lock);
    mem_free(t->alloc, t, sizeof(*t));
}

static enum err own_config(struct tls *t, const struct tls_config *cfg)
{
    bool ok = own_path(t, &t->cfg.ca, cfg->ca) && own_path(t, &t->cfg.pinned, cfg->pinned);
    for (size_t i = 0; ok && i < cfg->identities_n; i++)
        ok = own_path(t, &t->cfg.identities[i].cert, cfg->identities[i].cert) &&
             own_path(t, &t->cfg.identities[i].key, cfg->identities[i].key);
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err tls_new(struct tls **out, const struct tls_config *cfg, struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    struct tls *t = mem_zero(a, sizeof(*t));
    *out = NULL;
    ASSERT(cfg->identities_n <= TLS_IDENTITIES_MAX && (!cfg->server || cfg->identities_n > 0));
    if (!t)
        return error_set(e, ERR_NOMEM, "no memory for TLS");
    t->alloc = a;
    t->cfg = *cfg;
    t->cfg.ca = t->cfg.pinned = NULL;
    memset(t->cfg.identities, 0, sizeof(t->cfg.identities));
    pthread_mutex_init(&t->lock, NULL);
    atomic_store(&t->refs, 1);
    enum err r = own_config(t, cfg);
    if (!r)
        r = offload_queue_new(&t->queue, cfg->ex, PARALLEL,
                              cfg->waiting_max ? cfg->waiting_max : WAITING_MAX);
    if (r)
        (void)error_set(e, r, "no memory for TLS");
    else
        r = load(t, &t->set, e);
    if (r) {
        tls_free(t);
        return r;
    }
    *out = t;
    return ERR_OK;
}

enum err tls_reload(struct tls *t, struct error *e)
{
    struct tls_set *next, *before;
    enum err r = load(t, &next, e);
    if (r)
        return r;
    pthread_mutex_lock(&t->lock);
    before = t->set;
    t->set = next;
    SSL_SESSION *session = t->session;
    t->session = NULL;
    pthread_mutex_unlock(&t->lock);
    tls_set_give(before);
    SSL_SESSION_free(session);
    return ERR_OK;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    atomic_store(&t->closed, true);
    if (t->queue)
        offload_drain(t->queue);
    offload_queue_free(t->queue);
    t->queue = NULL;
    tls_release(t);
}

struct tls_stats tls_stats(const struct tls *t)
{
    return (struct tls_stats){.handshakes = atomic_load(&t->handshakes),
                              .resumed = atomic_load(&t->resumed),
                              .failed = atomic_load(&t->failed),
                              .refused = atomic_load(&t->refused)};
}
