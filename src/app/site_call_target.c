/* Who is called: an URL, or the listener that a site's files declare. */
#include "app/site_call_internal.h"
#include "net/look_up.h"
#include "site/load.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

/* --- by URL --- */

/* "host", "host:port", "[::1]:port". */
static bool split_authority(struct str text, struct str *host, uint16_t *port)
{
    size_t end = 0;
    int64_t n;
    bool bracket = text.n && text.p[0] == '[';
    if (bracket ? !str_find(text, ']', &end) : !str_find(text, ':', &end))
        end = text.n;
    else
        end += bracket;
    *host = str_sub(text, 0, end);
    struct str rest = str_sub(text, end, text.n);
    if (!host->n || host->n > 250 || (bracket && end == text.n && text.p[end - 1] != ']'))
        return false;
    if (!rest.n)
        return true;
    if (rest.p[0] != ':' || str_to_i64(str_sub(rest, 1, rest.n), &n) || n < 1 || n > UINT16_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

enum err site_call_by_url(struct site_call_target *t, const char *url, struct error *e)
{
    struct str rest = str_from(url), host;
    *t = (struct site_call_target){.tls = str_starts(rest, STR("https://"))};
    uint16_t port = t->tls ? PORT_HTTPS : PORT_HTTP;
    if (!t->tls && !str_starts(rest, STR("http://")))
        return error_set(e, ERR_SYNTAX, "'%s' is no URL of a site: http[s]://host[:port]", url);
    rest = str_sub(rest, t->tls ? 8 : 7, rest.n);
    if (str_ends(rest, STR("/")))
        rest.n--;
    if (!split_authority(rest, &host, &port))
        return error_set(e, ERR_SYNTAX, "'%s' is no URL of a site: http[s]://host[:port]", url);
    (void)snprintf(t->authority, sizeof(t->authority), "%.*s", STR_FMT(rest));
    (void)snprintf(t->where, sizeof(t->where), "http%s://%s", t->tls ? "s" : "", t->authority);
    bool bracket = host.p[0] == '[';
    (void)snprintf(t->host, sizeof(t->host), "%.*s", (int)(bracket ? host.n - 2 : host.n),
                   bracket ? host.p + 1 : host.p);
    return addr_look_up(t->addrs, SITE_CALL_ADDRS_MAX, &t->addrs_n, host, port, e);
}

/* --- by the site's files --- */

/* What listens on all addresses is called on loopback. */
static struct addr reachable(struct addr a)
{
    struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    if (a.sa.sa_family == AF_INET && a.in.sin_addr.s_addr == htonl(INADDR_ANY))
        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (a.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr))
        a.in6.sin6_addr = loopback;
    return a;
}

static enum err pin(struct site_call_target *t, const char *path, struct str cert, struct error *e)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    size_t folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? strlen(path)
                    : slash                                     ? (size_t)(slash - path)
                                                                : 0;
    int n = cert.p[0] == '/' ? snprintf(t->pinned, sizeof(t->pinned), "%.*s", STR_FMT(cert))
            : folder ? snprintf(t->pinned, sizeof(t->pinned), "%.*s/%.*s", (int)folder, path,
                                STR_FMT(cert))
                     : snprintf(t->pinned, sizeof(t->pinned), "%.*s", STR_FMT(cert));
    return n > 0 && (size_t)n < sizeof(t->pinned)
               ? ERR_OK
               : error_set(e, ERR_RANGE, "the path of %.*s is too long", STR_FMT(cert));
}

static enum err take_listener(struct site_call_target *t, const char *path,
                              const struct lang_site *site, struct error *e)
{
    struct site_settings settings;
    if (site->errors)
        return error_set(e, ERR_INVALID,
                         "%s has errors (see `sedge check`), so it can't be said where it is; say "
                         "--url",
                         path);
    enum err err = site_settings_read(&settings, site, e);
    if (err)
        return err;
    if (!settings.http_count)
        return error_set(e, ERR_NOT_FOUND, "%s declares no http listener to talk to", path);
    const struct site_listen *l = &settings.http[0];
    t->addrs[0] = reachable(l->addr);
    t->addrs_n = 1;
    t->tls = l->tls;
    t->tls_1_2 = l->tls_1_2;
    char at[ADDR_TEXT_MAX];
    addr_format(&t->addrs[0], at);
    (void)snprintf(t->authority, sizeof(t->authority), "%s", at);
    (void)snprintf(t->where, sizeof(t->where), "http%s://%s", t->tls ? "s" : "", at);
    return t->tls ? pin(t, path, l->cert, e) : ERR_OK;
}

enum err site_call_by_files(struct site_call_target *t, const char *path, struct error *e)
{
    struct site_sources sources;
    struct lang_site *site;
    *t = (struct site_call_target){0};
    enum err err = site_read_sources(alloc_system(), path, &sources, e);
    if (err)
        return err;
    err = lang_check(alloc_system(), site_schema(), sources.v, sources.n, &site);
    site_sources_fini(&sources);
    if (err)
        return error_set(e, err, "no memory to check the site");
    err = take_listener(t, path, site, e);
    lang_site_free(site);
    return err;
}
