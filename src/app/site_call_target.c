/* Who is called: an URL, or the site of a folder: where it says that it is, if it runs, else the
 * listener that its files declare. And whether it was that site that has answered. */
#include "app/site_call_internal.h"
#include "net/look_up.h"
#include "site/place.h"
#include "site/running.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>

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

/* --- by the site's folder --- */

/* Of a site that says where it is, whatever its files say by now. */
static enum err by_record(struct site_call_target *t, const char *path,
                          const struct site_running *r, struct error *e)
{
    if (!r->url[0])
        return error_set(e, ERR_NOT_FOUND, "%s has no http listener to talk to", path);
    enum err err = site_call_by_url(t, r->url, e);
    t->host[0] = '\0'; /* its certificate is known, so it need not be for that address */
    t->tls_1_2 = r->tls_1_2;
    t->who = SITE_CALL_THIS_RUN;
    (void)snprintf(t->mark, sizeof(t->mark), "%s", r->run);
    (void)snprintf(t->pinned, sizeof(t->pinned), "%s", r->cert);
    (void)snprintf(
        t->other, sizeof(t->other),
        "%.80s does not run any more: %.100s, where it was, is answered by another program", path,
        t->where);
    return err;
}

static enum err pin(struct site_call_target *t, const char *path, struct str cert, struct error *e)
{
    char folder[PATH_MAX];
    const char *only;
    enum err err = site_folder(folder, path, &only, e);
    return err ? err : site_store(t->pinned, folder, cert, e);
}

/* Nobody who could be it is at work here; but its files may have come from another machine. */
static void expect(struct site_call_target *t, const char *path, enum site_runs runs,
                   struct str name)
{
    bool here = addr_is_loopback(&t->addrs[0]);
    t->who = runs == SITE_RUNS_NOT && here ? SITE_CALL_NOBODY : SITE_CALL_THIS_NAME;
    dashboard_mark(t->mark, "", name);
    (void)snprintf(t->other, sizeof(t->other),
                   t->who == SITE_CALL_NOBODY
                       ? "%.80s does not run: its address, %.100s, is answered by another program"
                       : "%.80s is not what answers at its address, %.100s: that has another name",
                   path, t->where);
}

static enum err by_listener(struct site_call_target *t, const char *path, enum site_runs runs,
                            const struct site_settings *s, struct error *e)
{
    char at[ADDR_TEXT_MAX];
    if (!s->http_count)
        return error_set(e, ERR_NOT_FOUND, "%s declares no http listener to talk to", path);
    const struct site_listen *l = &s->http[0];
    *t = (struct site_call_target){
        .addrs = {addr_from_here(l->addr)}, .addrs_n = 1, .tls = l->tls, .tls_1_2 = l->tls_1_2};
    addr_format(&t->addrs[0], at);
    (void)snprintf(t->authority, sizeof(t->authority), "%s", at);
    (void)snprintf(t->where, sizeof(t->where), "http%s://%s", t->tls ? "s" : "", at);
    expect(t, path, runs, s->name);
    return t->tls ? pin(t, path, l->cert, e) : ERR_OK;
}

static enum err by_files(struct site_call_target *t, const char *path, enum site_runs runs,
                         struct error *e)
{
    struct site_sources sources;
    struct site_settings settings = {.http_count = 0};
    struct lang_site *site;
    enum err err = site_read_sources(alloc_system(), path, &sources, e);
    if (err)
        return err;
    err = lang_check(alloc_system(), site_schema(), sources.v, sources.n, &site);
    site_sources_fini(&sources);
    if (err)
        return error_set(e, err, "no memory to check the site");
    if (site->errors)
        err = error_set(e, ERR_INVALID,
                        "%s does not seem to run, and has errors (see `sedge check`), so its "
                        "address can't be told; say --url",
                        path);
    else
        err = site_settings_read(&settings, site, e);
    if (!err)
        err = by_listener(t, path, runs, &settings, e);
    lang_site_free(site);
    return err;
}

enum err site_call_by_folder(struct site_call_target *t, const char *path, struct error *e)
{
    char store[PATH_MAX];
    struct site_running running;
    enum err err = site_running_store(store, path, e);
    if (err)
        return err;
    enum site_runs runs = site_running_read(&running, store);
    return runs == SITE_RUNS_THERE ? by_record(t, path, &running, e) : by_files(t, path, runs, e);
}

/* --- who has answered --- */

bool site_call_is_meant(const struct site_call_target *t, struct str mark)
{
    size_t dash;
    struct str want = str_from(t->mark);
    if (t->who == SITE_CALL_ANYBODY)
        return true;
    if (t->who == SITE_CALL_NOBODY || !str_find(mark, '-', &dash))
        return false;
    return t->who == SITE_CALL_THIS_RUN ? str_eq(str_sub(mark, 0, dash), want)
                                        : str_eq(str_sub(mark, dash, mark.n), want);
}
