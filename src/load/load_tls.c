#include "load/load_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static enum err fail(struct load_run *r, const char *what)
{
    char why[128] = "";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, why, sizeof(why));
    return load_fail(r, ERR_IO, "%s%s%s", what, code ? ": " : "", why);
}

enum err load_tls_open(struct load_run *r)
{
    const struct load_tls *t = &r->cfg->tls;
    r->tls = SSL_CTX_new(TLS_client_method());
    if (!r->tls)
        return fail(r, "TLS cannot begin");
    (void)SSL_CTX_set_mode(r->tls,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(r->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (t->insecure)
        return ERR_OK;
    SSL_CTX_set_verify(r->tls, SSL_VERIFY_PEER, NULL);
    int ok =
        t->ca ? SSL_CTX_load_verify_file(r->tls, t->ca) : SSL_CTX_set_default_verify_paths(r->tls);
    return ok == 1 ? ERR_OK : fail(r, "the trusted certificates cannot be read");
}

void load_tls_close(struct load_run *r)
{
    SSL_CTX_free(r->tls);
    r->tls = NULL;
}

/* SNI is for names (RFC 6066, 3). */
static bool is_address(const char *name)
{
    struct in6_addr any;
    return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

enum err load_tls_begin(struct load_run *r, struct load_conn *c)
{
    const char *name = r->cfg->tls.server_name;
    c->ssl = SSL_new(r->tls);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
        return fail(r, "TLS cannot begin");
    if (name && (SSL_set1_host(c->ssl, name) != 1 ||
                 (!is_address(name) && SSL_set_tlsext_host_name(c->ssl, name) != 1)))
        return fail(r, "the server's name is wrong");
    return ERR_OK;
}

enum err load_tls_handshake(struct load_run *r, struct load_conn *c)
{
    ERR_clear_error();
    int n = SSL_connect(c->ssl);
    if (n == 1)
        return ERR_OK;
    int why = SSL_get_error(c->ssl, n);
    c->tls_wants_out = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return ERR_AGAIN;
    return fail(r, "the TLS handshake failed");
}

void load_tls_end(struct load_conn *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
}

static ssize_t result(struct load_conn *c, int n)
{
    if (n > 0)
        return n;
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return -1;
    default: errno = EPROTO; return -1;
    }
}

ssize_t load_tls_read(struct load_conn *c, void *p, size_t n)
{
    ERR_clear_error();
    return result(c, SSL_read(c->ssl, p, (int)n));
}

ssize_t load_tls_write(struct load_conn *c, const void *p, size_t n)
{
    ERR_clear_error();
    return result(c, SSL_write(c->ssl, p, (int)n));
}
