/* Who answers a request, and whether it may come at all. */
#include "net/http_server_internal.h"

#include <arpa/inet.h>
#include <string.h>

/* "[::1]:8080" and "localhost:8080" without their port. */
static struct str host_name(struct str host)
{
    size_t at;
    if (str_starts(host, STR("[")))
        return str_find(host, ']', &at) ? str_sub(host, 0, at + 1) : host;
    return str_find(host, ':', &at) ? str_sub(host, 0, at) : host;
}

/* A numeric address as a Host has it; false for a name. */
static bool host_address(struct str name, struct addr *a)
{
    char text[64];
    bool v6 = str_starts(name, STR("[")) && str_ends(name, STR("]"));
    if (v6)
        name = str_sub(name, 1, name.n - 2);
    if (name.n == 0 || name.n >= sizeof(text))
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    memset(a, 0, sizeof(*a));
    a->sa.sa_family = v6 ? AF_INET6 : AF_INET;
    return inet_pton(a->sa.sa_family, text,
                     v6 ? (void *)&a->in6.sin6_addr : (void *)&a->in.sin_addr) == 1;
}

static bool same_address(const struct addr *a, const struct addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(b->in6.sin6_addr)) == 0;
}

/* A page of another site may send a browser here under a name of its own (DNS rebinding); under a
 * numeric address it can't. */
static bool host_allowed(const struct http_server *s, struct str host)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    struct str name = host_name(host);
    const struct addr *own = listener_addr(s->listener);
    bool any = addr_is_any(own);
    if (any || addr_is_loopback(own))
        for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
            if (http_same(name, str_from(loopback[i])))
                return true;
    for (size_t i = 0; i < s->cfg.host_count; i++)
        if (http_same(name, str_from(s->cfg.hosts[i])))
            return true;
    struct addr a;
    return host_address(name, &a) && (any || same_address(&a, own));
}

static bool origin_allowed(const struct http_head *h)
{
    struct str origin;
    if (!http_field(h, "origin", &origin))
        return true;
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts(origin, schemes[i]) &&
            http_same(str_sub(origin, schemes[i].n, origin.n), h->host))
            return true;
    return false;
}

static bool is_change(enum http_method m)
{
    return m != HTTP_GET && m != HTTP_HEAD;
}

/* Takes the next decoded segment off *path into the request's room. */
static bool next_segment(struct http_request *q, struct str *path, size_t *used, struct str *out)
{
    struct str raw;
    if (!str_split(path, '/', &raw))
        return false;
    size_t from = q->head.size + *used;
    if (http_decode(raw, false, q->text + from, q->text_size - from, out))
        return false; /* the parser lets none through */
    *used += out->n;
    return true;
}

static bool matches(struct http_request *q, const char *pattern)
{
    struct str path = str_sub(q->head.path, 1, q->head.path.n);
    struct str rest = str_sub(str_from(pattern), 1, strlen(pattern)), want, got;
    size_t used = 0;
    q->param_count = 0;
    while (str_split(&rest, '/', &want)) {
        if (!next_segment(q, &path, &used, &got))
            return false;
        if (!str_starts(want, STR("{"))) {
            if (!str_eq(want, got))
                return false;
        } else {
            if (got.n == 0 || q->param_count == HTTP_PARAMS_MAX)
                return false;
            q->params[q->param_count++] = got;
        }
    }
    return path.p == NULL;
}

static const char *method_name(enum http_method m)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    return m < ARRAY_LEN(names) ? names[m] : "?";
}

static void add_allowed(struct strbuf *allow, enum http_method m)
{
    if (allow->n)
        strbuf_adds(allow, ", ");
    strbuf_adds(allow, method_name(m));
    if (m == HTTP_GET)
        strbuf_adds(allow, ", HEAD");
}

static http_handler *find_route(struct http_request *q)
{
    const struct http_server *s = q->conn->server;
    enum http_method m = q->head.method == HTTP_HEAD ? HTTP_GET : q->head.method;
    struct strbuf allow;
    strbuf_init(&allow, s->buffers, 256);
    http_handler *found = NULL;
    bool known = false;
    for (size_t i = 0; i < s->cfg.route_count && !found; i++) {
        const struct http_route *r = &s->cfg.routes[i];
        if (!matches(q, r->pattern))
            continue;
        if (r->method == m)
            found = r->handle;
        else
            add_allowed(&allow, r->method);
        known = true;
    }
    if (!known && s->cfg.fallback && m == HTTP_GET)
        found = s->cfg.fallback;
    if (!found && known && allow.failed) {
        http_respond_problem(q, 503, "out of memory");
    } else if (!found && known) {
        http_response_field(q, "Allow", strbuf_str(&allow));
        http_respond_problem(q, 405, "%.*s has no %.*s", STR_FMT(q->head.path),
                             STR_FMT(q->head.method_text));
    } else if (!found) {
        http_respond_problem(q, 404, "there is no %.*s here", STR_FMT(q->head.path));
    }
    strbuf_fini(&allow);
    return found;
}

http_handler *http_route_request(struct http_request *q)
{
    const struct http_head *h = &q->head;
    struct str type;
    if (!host_allowed(q->conn->server, h->host)) {
        http_respond_problem(q, 421, "this server is not \"%.*s\"", STR_FMT(h->host));
        return NULL;
    }
    http_handler *found = find_route(q);
    if (!found || !is_change(h->method))
        return found;
    if (!origin_allowed(h)) {
        http_respond_problem(q, 403, "a page of another origin may not do this");
        return NULL;
    }
    /* A form of another site can send a POST of its own type without asking, but no DELETE. */
    bool asked = h->method == HTTP_DELETE;
    if (!asked &&
        (!http_field(h, "content-type", &type) || !http_media_type_is(type, "application/json"))) {
        http_response_field(q, "Accept", STR("application/json"));
        http_respond_problem(q, 415, "Content-Type must be application/json");
        return NULL;
    }
    return found;
}
