#include "site/gate.h"

#include "base/log.h"
#include "host/service.h"
#include <limits.h>
#include <stdio.h>

static enum err path_of(char out[PATH_MAX], const char *folder, struct str file, struct error *e)
{
    return service_path(out, PATH_MAX, folder, file, e);
}

static enum err copy(char out[SITE_GATE_TEXT_MAX], struct str text, struct error *e)
{
    int n = snprintf(out, SITE_GATE_TEXT_MAX, "%.*s", STR_FMT(text));
    if (n < 0 || n >= SITE_GATE_TEXT_MAX)
        return error_set(e, ERR_RANGE, "%.*s is too long", STR_FMT(text));
    return ERR_OK;
}

static enum err open_tls(struct site_gate *g, struct executor *ex, struct alloc *a,
                         const char *folder, const struct site_listen *l, struct error *e)
{
    char cert[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
    enum err err = path_of(cert, folder, l->cert, e);
    if (!err)
        err = path_of(key, folder, l->key, e);
    if (!err && l->ca.n)
        err = path_of(ca, folder, l->ca, e);
    if (err)
        return err;
    const struct tls_config cfg = {.ex = ex,
                                   .alloc = a,
                                   .server = true,
                                   .identities = {{cert, key}},
                                   .identities_n = 1,
                                   .ca = l->ca.n ? ca : NULL,
                                   .ca_optional = l->passwords.n > 0, /* either will do */
                                   .tls_1_2 = l->tls_1_2};
    g->certificates = l->ca.n > 0;
    return tls_new(&g->tls, &cfg, e);
}

static enum err open_passwords(struct site_gate *g, struct executor *ex, struct alloc *a,
                               const char *folder, struct str file, struct error *e)
{
    char path[PATH_MAX];
    enum err err = path_of(path, folder, file, e);
    const struct password_config cfg = {.ex = ex, .alloc = a, .path = path};
    return err ? err : password_file_open(&g->passwords, &cfg, e);
}

enum err site_gate_open(struct site_gate *g, struct executor *ex, struct alloc *a,
                        const char *folder, const char *word, const struct site_listen *l,
                        struct error *e)
{
    char at[ADDR_TEXT_MAX];
    enum err err = copy(g->path, l->path, e);
    if (!err)
        err = copy(g->name, l->name, e);
    if (!err && l->passwords.n && !g->passwords)
        err = open_passwords(g, ex, a, folder, l->passwords, e);
    if (!err && l->tls && !g->tls)
        err = open_tls(g, ex, a, folder, l, e);
    if (err)
        return err;
    addr_format(&l->addr, at);
    (void)snprintf(g->text, sizeof(g->text), "%s %s", l->websocket ? "websocket" : word, at);
    /* Whoever asks for a password is safe from pages: they would have to know one. */
    bool any = l->any_origin || (l->passwords.n && !l->ca.n && !l->anonymous);
    g->websocket = (struct websocket){.path = g->path[0] ? g->path : NULL, .any_origin = any};
    g->via = stream_via_make(g->tls, l->websocket ? &g->websocket : NULL, NULL);
    return ERR_OK;
}

static void tell(const struct site_gate *g, const char *what, enum err err, const struct error *e)
{
    if (err)
        LOG_E("app", "%s: the %s stay as they were: %s", g->text, what, e->text);
    else
        LOG_I("app", "%s: the %s are read again", g->text, what);
}

void site_gate_reload(struct site_gate *g)
{
    struct error e = {0};
    if (g->passwords)
        tell(g, "passwords", password_file_reload(g->passwords, &e), &e);
    if (g->tls)
        tell(g, "certificates", tls_reload(g->tls, &e), &e);
}

void site_gate_close(struct site_gate *g)
{
    password_file_close(g->passwords);
    tls_free(g->tls);
    *g = (struct site_gate){0};
}
