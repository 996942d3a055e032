/* A stream's layer of TLS: handshakes in jobs, records on the worker. */
#include "base/log.h"
#include "net/layer.h"
#include "net/tls_internal.h"
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { HANDSHAKE_MAX = 64 * 1024 }; /* what may wait while a step is under way */

/* Bytes that grow, on any thread. */
struct buffer {
    uint8_t *p;
    size_t n, cap;
};

/* What is needed until the connection is open. While the job is under way, all but `more` is its,
 * and so is the layer's SSL. */
struct handshake {
    struct offload_job job;
    struct tls_layer *layer;
    struct tls_set *set;
    struct buffer in, out; /* of this step */
    struct buffer more;    /* came meanwhile */
    int result;            /* of SSL_get_error() */
    bool on;
    const char *why; /* it failed */
    char host[256];  /* the client: whom it expects */
    char person[256];
};

struct tls_layer {
    struct stream_layer layer;
    struct tls *tls;
    SSL *ssl;
    struct handshake *handshake; /* NULL: it is over, or has not begun */
    struct bytes now;            /* what SSL reads from */
    bool server;
};

static void step(struct tls_layer *l);
static void done(struct offload_job *j);

static struct tls_layer *of(struct stream_layer *l)
{
    return CONTAINER_OF(l, struct tls_layer, layer);
}

static bool buffer_add(struct buffer *b, const void *p, size_t n)
{
    if (b->cap - b->n < n) {
        size_t cap = b->n + n + 1024;
        uint8_t *more = OPENSSL_realloc(b->p, cap);
        if (!more)
            return false;
        b->p = more;
        b->cap = cap;
    }
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return true;
}

static void buffer_fini(struct buffer *b)
{
    OPENSSL_free(b->p);
    *b = (struct buffer){0};
}

/* --- what SSL reads from and writes to --- */

static int bio_read(BIO *bio, char *to, size_t n, size_t *got)
{
    struct tls_layer *l = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got = n < l->now.n ? n : l->now.n;
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, l->now.p, *got);
    l->now.p += *got;
    l->now.n -= *got;
    return 1;
}

static int bio_write(BIO *bio, const char *from, size_t n, size_t *put)
{
    struct tls_layer *l = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *put = n;
    if (l->handshake)
        return buffer_add(&l->handshake->out, from, n);
    layer_down(&l->layer, (struct bytes){(const uint8_t *)from, n});
    return 1;
}

static long bio_ctrl(BIO *bio, int what, long n, void *p)
{
    (void)bio;
    (void)n;
    (void)p;
    return what == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static void method_make(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (!method)
        return;
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    BIO_meth_set_create(method, bio_create);
}

/* --- the handshake, in its job --- */

/* A name is asked for and looked for in the certificate; of an address only the latter. */
static bool expect(struct tls_layer *l, const char *host)
{
    struct in6_addr any;
    bool numeric = inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
    if (numeric)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(l->ssl), host) == 1;
    return SSL_set1_host(l->ssl, host) == 1 && SSL_set_tlsext_host_name(l->ssl, host) == 1;
}

static bool make_client(struct tls_layer *l)
{
    SSL_SESSION *session = tls_session_take(l->tls);
    bool ok = expect(l, l->handshake->host);
    if (session)
        (void)SSL_set_session(l->ssl, session);
    SSL_SESSION_free(session);
    SSL_set_connect_state(l->ssl);
    return ok;
}

static bool make(struct tls_layer *l)
{
    struct handshake *h = l->handshake;
    pthread_once(&method_once, method_make);
    BIO *bio = method ? BIO_new(method) : NULL;
    h->set = tls_set_take(l->tls);
    l->ssl = bio ? SSL_new(h->set->contexts[0]) : NULL;
    if (!l->ssl) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, l);
    SSL_set_bio(l->ssl, bio, bio);
    SSL_set_app_data(l->ssl, h->set);
    if (!l->server)
        return make_client(l);
    SSL_set_accept_state(l->ssl);
    return true;
}

/* What most often is wrong with a certificate, in words for those who do not know OpenSSL's. */
static const char *verify_text(long result)
{
    switch (result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "the peer's certificate is of no authority that is believed here";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "the peer's certificate is for another name";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "the peer's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the peer's certificate is not valid yet: is this machine's clock right?";
    default: return X509_verify_cert_error_string(result);
    }
}

static void note_failure(struct tls_layer *l)
{
    struct handshake *h = l->handshake;
    unsigned long code = ERR_peek_error();
    const char *why = ERR_reason_error_string(code);
    if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER ||
        ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
        why = "the peer does not speak TLS"; /* the name is of SSL 2's days */
    if (l->ssl && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        why = verify_text(SSL_get_verify_result(l->ssl));
    h->why = why ? why : "no memory for TLS";
}

/* Whom the certificate names; a name with a NUL in it means to deceive. */
static void note_person(struct tls_layer *l)
{
    X509 *cert = SSL_get0_peer_certificate(l->ssl);
    unsigned char *text = NULL;
    if (!cert || SSL_get_verify_result(l->ssl) != X509_V_OK)
        return;
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    int n = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;
    if (n > 0 && (size_t)n < sizeof(l->handshake->person) && !memchr(text, '\0', (size_t)n))
        memcpy(l->handshake->person, text, (size_t)n);
    OPENSSL_free(text);
}

static void run(struct offload_job *j)
{
    struct handshake *h = CONTAINER_OF(j, struct handshake, job);
    struct tls_layer *l = h->layer;
    ERR_clear_error();
    l->now = (struct bytes){h->in.p, h->in.n};
    h->result = SSL_ERROR_SSL;
    if (l->ssl || make(l)) {
        int r = SSL_do_handshake(l->ssl);
        h->result = r == 1 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, r);
    }
    if (h->result == SSL_ERROR_NONE)
        note_person(l);
    else if (h->result != SSL_ERROR_WANT_READ)
        note_failure(l);
    ERR_clear_error();
}

/* --- the handshake, on the worker --- */

static bool handshake_new(struct tls_layer *l)
{
    struct handshake *h = mem_zero(l->layer.stream->net->alloc, sizeof(*h));
    l->handshake = h;
    if (!h)
        return false;
    h->layer = l;
    h->job.run = run;
    h->job.done = done;
    return true;
}

static void handshake_free(struct tls_layer *l, struct alloc *a)
{
    struct handshake *h = l->handshake;
    if (!h)
        return;
    l->handshake = NULL;
    tls_set_give(h->set);
    buffer_fini(&h->in);
    buffer_fini(&h->out);
    buffer_fini(&h->more);
    mem_free(a, h, sizeof(*h));
}

static void fail(struct tls_layer *l, const char *why)
{
    atomic_fetch_add(&l->tls->failed, 1);
    layer_fail(&l->layer, why);
}

static void fail_to_decrypt(struct tls_layer *l)
{
    const char *why = ERR_reason_error_string(ERR_peek_error()); /* the peer's alert, mostly */
    fail(l, why ? why : "what was received is not TLS, or was changed on its way");
}

static void decrypt(struct tls_layer *l, struct bytes in)
{
    struct net_scratch *scratch = net_scratch(l->layer.stream->net);
    size_t have = 0, got = 0;
    int r = 1;
    if (!scratch) {
        fail(l, "no memory for what was received");
        return;
    }
    l->now = in;
    ERR_clear_error();
    while (!layer_over(&l->layer)) {
        r = SSL_read_ex(l->ssl, scratch->plain + have, SCRATCH_IN - have, &got);
        have += r == 1 ? got : 0;
        if (r == 1 && have < SCRATCH_IN)
            continue;
        int how = r == 1 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, r);
        layer_up(&l->layer, (struct bytes){scratch->plain, have});
        have = 0;
        if (how == SSL_ERROR_NONE)
            continue;
        if (how == SSL_ERROR_ZERO_RETURN)
            layer_end(&l->layer);
        else if (how != SSL_ERROR_WANT_READ)
            fail_to_decrypt(l);
        break;
    }
    l->now = (struct bytes){0};
    ERR_clear_error();
}

static void take_person(struct tls_layer *l)
{
    struct stream *s = l->layer.stream;
    const char *name = l->handshake->person;
    char *copy = name[0] ? str_dup(s->net->alloc, str_from(name)) : NULL;
    if (name[0] && !copy)
        fail(l, "no memory for the peer's name");
    s->stack->person = copy ? str_from(copy) : (struct str){NULL, 0};
}

/* Open: what came behind the handshake is the first of what is decrypted here. */
static void over(struct tls_layer *l)
{
    struct handshake *h = l->handshake;
    struct buffer in = h->in, more = h->more;
    struct bytes rest = l->now;
    take_person(l);
    h->in = h->more = (struct buffer){0};
    SSL_set_app_data(l->ssl, NULL);
    handshake_free(l, l->layer.stream->net->alloc);
    atomic_fetch_add(&l->tls->handshakes, 1);
    if (SSL_session_reused(l->ssl))
        atomic_fetch_add(&l->tls->resumed, 1);
    if (!layer_over(&l->layer))
        layer_opened(&l->layer);
    decrypt(l, rest);
    decrypt(l, (struct bytes){more.p, more.n});
    buffer_fini(&in);
    buffer_fini(&more);
}

static void go_on(struct tls_layer *l)
{
    struct handshake *h = l->handshake;
    layer_down(&l->layer, (struct bytes){h->out.p, h->out.n});
    h->out.n = 0;
    if (h->result == SSL_ERROR_NONE) {
        over(l);
    } else if (h->result != SSL_ERROR_WANT_READ) {
        fail(l, h->why);
    } else if (h->more.n > 0) {
        struct buffer in = h->in;
        h->in = h->more;
        in.n = 0;
        h->more = in;
        step(l);
    } else {
        h->in.n = 0;
    }
}

static void done(struct offload_job *j)
{
    struct handshake *h = CONTAINER_OF(j, struct handshake, job);
    struct tls_layer *l = h->layer;
    h->on = false;
    if (!l->layer.stream->closed && !l->layer.stream->stack->failed)
        go_on(l);
    if (!l->handshake || !l->handshake->on) {
        layer_keep_end(&l->layer, false);
        layer_pause(&l->layer, false);
    }
    layer_release(&l->layer);
}

/* A step on what is in `in`. */
static void step(struct tls_layer *l)
{
    struct handshake *h = l->handshake;
    struct worker *w = l->layer.stream->net->worker;
    if (atomic_load(&l->tls->closed) || offload_submit(l->tls->queue, w, &h->job)) {
        atomic_fetch_add(&l->tls->refused, 1);
        layer_fail(&l->layer, "too many handshakes are under way");
        return;
    }
    h->on = true;
    layer_keep_end(&l->layer, true);
    layer_hold(&l->layer);
}

/* --- the layer --- */

static void tls_start(struct stream_layer *layer)
{
    struct tls_layer *l = of(layer);
    if (!l->server)
        step(l);
}

static void tls_input(struct stream_layer *layer, struct bytes in)
{
    struct tls_layer *l = of(layer);
    if (layer_over(layer))
        return;
    if (layer->open) {
        decrypt(l, in);
        return;
    }
    struct handshake *h = l->handshake || handshake_new(l) ? l->handshake : NULL;
    if (!h || !buffer_add(h->on ? &h->more : &h->in, in.p, in.n)) {
        fail(l, "no memory for a handshake");
    } else if (!h->on) {
        step(l);
    } else if (h->more.n > HANDSHAKE_MAX) {
        layer_pause(layer, true);
    }
}

static void tls_output(struct stream_layer *layer, struct bytes out)
{
    struct tls_layer *l = of(layer);
    size_t put;
    ERR_clear_error();
    if (SSL_write_ex(l->ssl, out.p, out.n, &put) != 1)
        fail(l, "what is to be sent can't be encrypted");
}

static void tls_finish(struct stream_layer *layer)
{
    ERR_clear_error();
    (void)SSL_shutdown(of(layer)->ssl);
}

static void tls_free_layer(struct stream_layer *layer, struct alloc *a)
{
    struct tls_layer *l = of(layer);
    handshake_free(l, a);
    if (l->ssl) /* else the ticket would count as spoilt */
        SSL_set_shutdown(l->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(l->ssl);
    tls_release(l->tls);
    mem_free(a, l, sizeof(*l));
}

static const struct stream_layer_ops tls_ops = {.name = "TLS",
                                                .start = tls_start,
                                                .input = tls_input,
                                                .output = tls_output,
                                                .finish = tls_finish,
                                                .free = tls_free_layer};

/* Whom a client expects if nobody has told it: the address without its port. */
static void name_of_peer(const struct addr *peer, char *out, size_t n)
{
    char text[ADDR_TEXT_MAX];
    addr_format(peer, text);
    char *port = peer->sa.sa_family == AF_UNIX ? NULL : strrchr(text, ':');
    size_t from = text[0] == '[', len = port ? (size_t)(port - text) - 2 * from : 0;
    if (port)
        (void)snprintf(out, n, "%.*s", (int)len, text + from);
    else
        (void)snprintf(out, n, "localhost");
}

struct stream_layer *tls_layer_new(struct stream *s, const struct stream_via *via, bool server)
{
    struct alloc *a = s->net->alloc;
    struct tls_layer *l = mem_zero(a, sizeof(*l));
    ASSERT(via->tls->cfg.server == server);
    if (!l)
        return NULL;
    l->layer.ops = &tls_ops;
    l->layer.stream = s;
    l->server = server;
    l->tls = via->tls;
    if (!server && !handshake_new(l)) {
        mem_free(a, l, sizeof(*l));
        return NULL;
    }
    struct handshake *h = l->handshake;
    if (!server && via->host)
        (void)snprintf(h->host, sizeof(h->host), "%s", via->host);
    else if (!server)
        name_of_peer(s->peer, h->host, sizeof(h->host));
    atomic_fetch_add(&via->tls->refs, 1);
    return &l->layer;
}
