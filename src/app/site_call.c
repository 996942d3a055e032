#include "app/site_call_internal.h"

#include "async/coroutine.h"
#include "base/log.h"
#include "codec/json.h"
#include "net/stream_co.h"

#include "codec/http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BODY_MAX = 64 << 20, PROBLEM_MAX = 1 << 20, TIMEOUT_MS = 60000, PIECE = 16 << 10 };

const struct command_option site_call_options[] = {
    OPTIONS_OF("where the site is"),
    OPTION("url", 0, "URL",
           "the site that runs at http[s]://HOST[:PORT], in the place of SITE's own address", NULL,
           SITE_CALL_URL),
    OPTION("cafile", 0, "FILE",
           "who is believed; else it is the certificate that SITE declares, or with --url whom the "
           "system "
           "believes",
           VALUES_FILE, SITE_CALL_CAFILE),
    OPTION("cert", 0, "FILE", "our certificate", VALUES_FILE, SITE_CALL_CERT),
    OPTION("key", 0, "FILE", "and its key", VALUES_FILE, SITE_CALL_KEY),
    {.name = "insecure", .text = "believe whoever answers", .id = SITE_CALL_INSECURE},
    OPTIONS_END,
};

bool site_call_option(struct site_call_config *cfg, int id, const char *value)
{
    switch (id) {
    case SITE_CALL_URL: cfg->url = value; return true;
    case SITE_CALL_CAFILE: cfg->cafile = value; return true;
    case SITE_CALL_CERT: cfg->cert = value; return true;
    case SITE_CALL_KEY: cfg->key = value; return true;
    case SITE_CALL_INSECURE: cfg->insecure = true; return true;
    default: return false;
    }
}

static bool is_url(const char *site)
{
    return strncmp(site, "http://", 7) == 0 || strncmp(site, "https://", 8) == 0;
}

bool site_call_is_site(const char *word)
{
    return is_url(word) || access(word, F_OK) == 0;
}

/* --- opening --- */

static enum err open_tls(struct site_call *c, const struct site_call_config *cfg, struct error *e)
{
    const struct site_call_target *t = &c->target;
    bool pinned = t->pinned[0] && !cfg->cafile && !cfg->insecure;
    const struct tls_config tls = {.ex = c->ex,
                                   .identities = {{cfg->cert, cfg->key}},
                                   .identities_n = cfg->cert != NULL,
                                   .ca = cfg->cafile,
                                   .insecure = cfg->insecure,
                                   .pinned = pinned ? t->pinned : NULL,
                                   .tls_1_2 = t->tls_1_2};
    enum err err = tls_new(&c->tls, &tls, e);
    c->via = stream_via_make(c->tls, NULL, t->host[0] ? t->host : NULL);
    return err;
}

static enum err open_pool(struct site_call *c, const struct site_call_config *cfg, struct error *e)
{
    const struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    enum err err = executor_new(&c->ex, &ec, e);
    if (err)
        return err;
    if (c->target.tls)
        err = open_tls(c, cfg, e);
    if (err)
        return err;
    struct worker *w = executor_worker(c->ex, 0);
    const struct conn_pool_config pool = {.idle_ms = -1, .via = c->target.tls ? &c->via : NULL};
    err = co_enable(w, 4);
    if (!err)
        err = conn_pool_new(&c->pool, w, &pool);
    return err ? error_set(e, err, "no memory to call the site") : ERR_OK;
}

enum err site_call_open(struct site_call **out, const struct site_call_config *cfg, struct error *e)
{
    *out = NULL;
    const char *site = cfg->url ? cfg->url : cfg->site ? cfg->site : ".";
    if ((cfg->cert != NULL) != (cfg->key != NULL))
        return error_set(e, ERR_INVALID, "--cert and --key go together");
    struct site_call *c = mem_zero(alloc_system(), sizeof(*c));
    if (!c)
        return error_set(e, ERR_NOMEM, "no memory to call the site");
    c->body_max = cfg->body_max ? cfg->body_max : BODY_MAX;
    c->timeout_ms = cfg->timeout_ms ? cfg->timeout_ms : TIMEOUT_MS;
    enum err err = cfg->url || is_url(site) ? site_call_by_url(&c->target, site, e)
                                            : site_call_by_folder(&c->target, site, e);
    if (!err)
        err = open_pool(c, cfg, e);
    if (err) {
        site_call_close(c);
        return err;
    }
    *out = c;
    return ERR_OK;
}

void site_call_close(struct site_call *c)
{
    if (!c)
        return;
    conn_pool_close(c->pool);
    tls_free(c->tls);
    if (c->ex)
        executor_free(c->ex);
    mem_free(alloc_system(), c, sizeof(*c));
}

const char *site_call_where(const struct site_call *c)
{
    return c->target.where;
}

/* --- one exchange, as a coroutine --- */

struct exchange {
    struct site_call *call;
    const char *method, *path;
    struct str body; /* p NULL: none */
    enum err (*piece)(void *ctx, struct str piece);
    void *ctx;
    struct strbuf problem; /* the body of an answer that is an error */
    struct http_head head;
    char head_bytes[HTTP_HEAD_MAX];
    char bytes[PIECE];
    enum err err;
    struct error *e;
};

static enum err failed(struct exchange *x, const struct stream *s, enum err err, const char *what)
{
    const char *where = x->call->target.where;
    if (s && stream_problem(s)[0])
        return error_set(x->e, err, "%s: %s: %s", where, what, stream_problem(s));
    if (s && err == ERR_IO)
        return error_set_os(x->e, stream_os_errno(s), "%s: %s", where, what);
    return error_set(x->e, err, "%s: %s: %s", where, what,
                     err == ERR_CLOSED ? "it closed the connection" : err_name(err));
}

static enum err connect_any(struct exchange *x, struct stream **out)
{
    const struct site_call_target *t = &x->call->target;
    struct error e = {0};
    enum err err = ERR_NOT_FOUND;
    for (size_t i = 0; err && i < t->addrs_n; i++)
        err = conn_pool_take(x->call->pool, &t->addrs[i], -1, out, &e);
    return err ? error_set(x->e, err, "%s does not answer: %s; does the site run?", t->where,
                           e.text[0] ? e.text : err_name(err))
               : ERR_OK;
}

static enum err send_request(struct exchange *x, struct stream *s)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_addf(&b, "%s %s HTTP/1.1\r\n", x->method, x->path);
    http_write_field(&b, "Host", str_from(x->call->target.authority));
    http_write_field(&b, "User-Agent", STR("sedge/" SEDGE_VERSION));
    http_write_field(&b, "Accept", STR("application/json, text/event-stream, */*"));
    http_write_field(&b, "Connection", STR("close"));
    if (x->body.p) {
        http_write_field(&b, "Content-Type", STR("application/json"));
        strbuf_addf(&b, "Content-Length: %zu\r\n", x->body.n);
    }
    http_write_end(&b);
    enum err err = b.failed ? ERR_NOMEM : stream_co_write(s, b.p, b.n, x->call->timeout_ms);
    if (!err && x->body.n)
        err = stream_co_write(s, x->body.p, x->body.n, x->call->timeout_ms);
    strbuf_fini(&b);
    return err ? failed(x, s, err, "it does not take the request") : ERR_OK;
}

/* A host that is not its own tells nobody who it is (421), but says so. */
static enum err check_who(struct exchange *x)
{
    const struct site_call_target *t = &x->call->target;
    struct str mark = STR("");
    (void)http_field(&x->head, DASHBOARD_MARK, &mark);
    if (x->head.status == 421 || site_call_is_meant(t, mark))
        return ERR_OK;
    x->head.status = 0; /* it is nobody's answer */
    return error_set(x->e, ERR_DENIED, "%s; --url %s asks that one", t->other, t->where);
}

/* Interim answers (1xx) are passed over. The listener of a site that was killed may take us for a
 * moment longer: a ring's descriptors are closed after the process is gone. */
static enum err read_head(struct exchange *x, struct stream *s)
{
    do {
        size_t n;
        enum err err = stream_co_read_until(s, STR("\r\n\r\n"), x->head_bytes,
                                            sizeof(x->head_bytes), &n, x->call->timeout_ms);
        if (err)
            return failed(x, s, err, "no answer (does the site run?)");
        struct http_scan scan;
        struct bytes in = {(const uint8_t *)x->head_bytes, n};
        http_scan_init(&scan);
        if (http_scan(&scan, in, &x->head) != HTTP_DONE || scan.at != n ||
            http_parse_response(in, false, &x->head) != HTTP_DONE)
            return error_set(x->e, ERR_PROTOCOL, "%s: what answers there is no site: %s",
                             x->call->target.where,
                             x->head.why ? x->head.why : "it is not HTTP/1.1");
    } while (x->head.status < 200);
    return check_who(x);
}

static enum err hand_over(struct exchange *x, struct bytes b)
{
    struct str piece = {(const char *)b.p, b.n};
    if (!b.n)
        return ERR_OK;
    if (x->head.status < 300)
        return x->piece(x->ctx, piece);
    strbuf_addstr(&x->problem, piece);
    return ERR_OK;
}

static enum err unchunk(struct exchange *x, struct http_chunked *c, struct bytes in, bool *done)
{
    enum err err = ERR_OK;
    for (size_t used = 1; !err && !*done && used;) {
        struct bytes piece;
        enum http_result r = http_chunked_next(c, in, &used, &piece);
        if (r == HTTP_BAD)
            return error_set(x->e, ERR_PROTOCOL, "%s: the answer is not well chunked",
                             x->call->target.where);
        err = hand_over(x, piece);
        in = (struct bytes){in.p + used, in.n - used};
        *done = r == HTTP_DONE;
    }
    return err;
}

static enum err read_body(struct exchange *x, struct stream *s)
{
    struct http_chunked chunked = {0};
    uint64_t left = x->head.length;
    bool done = !x->head.chunked && !x->head.until_close && left == 0;
    enum err err = ERR_OK;
    while (!err && !done) {
        size_t n,
            want = x->head.chunked || x->head.until_close || left > PIECE ? PIECE : (size_t)left;
        err = stream_co_read(s, x->bytes, want, &n, x->call->timeout_ms);
        if (err == ERR_CLOSED && x->head.until_close)
            return ERR_OK;
        if (err)
            return failed(x, s, err, "the answer ends early");
        struct bytes in = {(const uint8_t *)x->bytes, n};
        if (x->head.chunked) {
            err = unchunk(x, &chunked, in, &done);
            continue;
        }
        err = hand_over(x, in);
        left -= x->head.until_close ? 0 : n;
        done = !x->head.until_close && left == 0;
    }
    return err;
}

static intptr_t run_exchange(void *arg)
{
    struct exchange *x = arg;
    struct stream *s = NULL;
    x->err = connect_any(x, &s);
    if (x->err)
        return 0;
    x->err = send_request(x, s);
    if (!x->err)
        x->err = read_head(x, s);
    if (!x->err)
        x->err = read_body(x, s);
    conn_pool_drop(x->call->pool, s);
    return 0;
}

/* --- what the answer means --- */

static enum err err_of(unsigned status)
{
    switch (status) {
    case 400:
    case 422: return ERR_INVALID;
    case 401:
    case 403:
    case 421: return ERR_DENIED;
    case 404: return ERR_NOT_FOUND;
    case 409: return ERR_EXISTS;
    case 503: return ERR_BUSY;
    default: return ERR_PROTOCOL;
    }
}

static enum err explain(struct exchange *x)
{
    struct json_token t;
    char text[2048];
    struct str detail;
    struct bytes doc = {(const uint8_t *)x->problem.p, x->problem.n};
    enum err err = err_of(x->head.status);
    if (json_find(doc, STR("detail"), &t, NULL) == ERR_OK && t.kind == JSON_STRING &&
        json_unescape(t.raw, text, sizeof(text), &detail) == ERR_OK)
        return error_set(x->e, err, "%.*s", STR_FMT(detail));
    return error_set(x->e, err, "%s answers with %u %s", x->call->target.where, x->head.status,
                     http_reason(x->head.status));
}

static enum err perform(struct exchange *x, unsigned *status)
{
    strbuf_init(&x->problem, alloc_system(), PROBLEM_MAX);
    enum err err = co_run(x->call->ex, run_exchange, x, "site_call", NULL);
    if (err)
        x->err = error_set(x->e, err, "no memory to call the site");
    *status = x->err && x->head.status < 300 ? 0 : x->head.status;
    return x->err ? x->err : x->head.status >= 300 ? explain(x) : ERR_OK;
}

static struct exchange *exchange_new(struct site_call *c, const char *method, const char *path,
                                     struct str body, struct error *e)
{
    struct exchange *x = mem_zero(alloc_system(), sizeof(*x));
    if (!x) {
        (void)error_set(e, ERR_NOMEM, "no memory to call the site");
        return NULL;
    }
    x->call = c;
    x->method = method;
    x->path = path;
    x->body = body;
    x->e = e;
    return x;
}

static void exchange_free(struct exchange *x)
{
    strbuf_fini(&x->problem);
    mem_free(alloc_system(), x, sizeof(*x));
}

enum err site_call_stream(struct site_call *c, const char *method, const char *path,
                          struct str body, unsigned *status,
                          enum err (*piece)(void *ctx, struct str piece), void *ctx,
                          struct error *e)
{
    *status = 0;
    struct exchange *x = exchange_new(c, method, path, body, e);
    if (!x)
        return ERR_NOMEM;
    x->piece = piece;
    x->ctx = ctx;
    enum err err = perform(x, status);
    exchange_free(x);
    return err;
}

struct collected {
    const struct site_call *call;
    struct strbuf *text;
    struct error *e;
};

static enum err collect(void *ctx, struct str piece)
{
    struct collected *to = ctx;
    if (to->text->n + piece.n > to->call->body_max)
        return error_set(to->e, ERR_RANGE, "%s: the answer is larger than %zu bytes",
                         to->call->target.where, to->call->body_max);
    strbuf_addstr(to->text, piece);
    return to->text->failed ? error_set(to->e, ERR_NOMEM, "no memory for the answer") : ERR_OK;
}

enum err site_call(struct site_call *c, const char *method, const char *path, struct str body,
                   unsigned *status, struct strbuf *text, struct error *e)
{
    *status = 0;
    strbuf_reset(text);
    struct exchange *x = exchange_new(c, method, path, body, e);
    if (!x)
        return ERR_NOMEM;
    struct collected to = {c, text, e};
    x->piece = collect;
    x->ctx = &to;
    enum err err = perform(x, status);
    if (x->head.status >= 300)
        strbuf_addstr(text, strbuf_str(&x->problem));
    exchange_free(x);
    return err;
}
