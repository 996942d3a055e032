#include "base/map.h"
#include "dashboard/dashboard_internal.h"
#include "dashboard/export.h"
#include "dashboard/web_assets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void api_description(void *ctx, struct http_request *q);

const struct http_route dashboard_routes[] = {
    {HTTP_GET, "/api/site", api_site},
    {HTTP_GET, "/api/live", api_live},
    {HTTP_GET, "/api/history", api_history},
    {HTTP_GET, "/api/export", api_export},
    {HTTP_GET, "/api/alerts", api_alerts},
    {HTTP_POST, "/api/alerts/{id}/acknowledge", api_acknowledge},
    {HTTP_POST, "/api/alerts/{id}/shelve", api_shelve},
    {HTTP_DELETE, "/api/alerts/{id}/shelve", api_unshelve},
    {HTTP_GET, "/api/actions", api_actions},
    {HTTP_GET, "/api/events", api_events},
    {HTTP_POST, "/api/devices/{device}/actions/{action}", api_command},
    {HTTP_DELETE, "/api/devices/{device}/lease", api_give_back},
    {HTTP_GET, "/api/programs/{program}/source", api_source},
    {HTTP_GET, "/api/tests", api_tests},
    {HTTP_POST, "/api/tests", api_run_tests},
    {HTTP_GET, "/api/settings", api_settings},
    {HTTP_GET, "/api/links", api_links},
    {HTTP_GET, "/api/reload", api_reload_state},
    {HTTP_POST, "/api/reload", api_reload},
    {HTTP_GET, "/api/discovered", api_discovered},
    {HTTP_POST, "/api/adopt", api_adopt},
    {HTTP_GET, "/api/connections", api_connections},
    {HTTP_GET, "/api/stats", api_stats},
    {HTTP_GET, "/health", api_health},
    {HTTP_GET, "/problems/{name}", api_problem},
    {HTTP_GET, "/api/openapi.json", api_description},
};
const size_t dashboard_routes_count = ARRAY_LEN(dashboard_routes);

static const char csp[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                          "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                          "form-action 'none'; frame-ancestors 'none'";

static const struct web_asset *asset(struct str name)
{
    for (size_t i = 0; i < web_assets_count; i++)
        if (str_eq(name, str_from(web_assets[i].path)))
            return &web_assets[i];
    return NULL;
}

static void respond_asset(struct http_request *q, const struct web_asset *a)
{
    http_respond_gzip(q, a->type, a->etag, (struct bytes){a->gzip, a->gzip_size});
}

static const struct str description = {"openapi.json", 12};

static void api_description(void *ctx, struct http_request *q)
{
    (void)ctx;
    const struct web_asset *a = asset(description);
    ASSERT(a); /* every build embeds it */
    respond_asset(q, a);
}

/* The page's files; its own routes are behind '#', so "/" is the only folder. */
static void page(void *ctx, struct http_request *q)
{
    (void)ctx;
    struct str path = http_request_head(q)->path;
    struct str name = str_eq(path, STR("/")) ? STR("index.html") : str_sub(path, 1, path.n);
    const struct web_asset *a = str_eq(name, description) ? NULL : asset(name);
    if (a)
        respond_asset(q, a);
    else
        http_respond_problem(
            q, 404, "there is no %.*s here%s", STR_FMT(path),
            asset(STR("index.html")) ? "" : ": this program was built without its page");
}

enum err dashboard_new(struct dashboard **out, const struct dashboard_config *cfg, struct error *e)
{
    *out = NULL;
    struct dashboard *d = mem_zero(cfg->alloc, sizeof(*d));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the dashboard");
    d->cfg = *cfg;
    d->worker = executor_worker(cfg->ex, 0);
    d->started_ms = clock_wall_ms(executor_env(cfg->ex)->clock);
    d->started_ns = clock_mono_ns(executor_env(cfg->ex)->clock);
    /* Not the environment's seed: who knows that can make the maps slow. */
    int64_t times[2] = {d->started_ms, d->started_ns};
    (void)snprintf(d->run, sizeof(d->run), "%016" PRIx64, hash_bytes(times, sizeof(times), 1));
    dashboard_mark(d->mark, d->run, cfg->name);
    list_init(&d->words);
    list_init(&d->reloads);
    list_init(&d->adopts);
    list_init(&d->exports);
    strbuf_init(&d->out, cfg->alloc, BODY_MAX);
    enum err err = live_init(d, e);
    if (err) {
        dashboard_free(d);
        return err;
    }
    *out = d;
    return ERR_OK;
}

enum err dashboard_listen(struct dashboard *d, const struct addr *addr,
                          const struct stream_via *via, const char *name, struct error *e)
{
    if (d->server_count == SERVERS_MAX)
        return error_set(e, ERR_FULL, "more than %d http listeners", SERVERS_MAX);
    struct http_server_config cfg = {.routes = dashboard_routes,
                                     .route_count = dashboard_routes_count,
                                     .fallback = page,
                                     .ctx = d,
                                     .csp = csp,
                                     .mark_name = DASHBOARD_MARK,
                                     .mark = d->mark,
                                     .hosts = &d->names[d->server_count],
                                     .host_count = name != NULL,
                                     .via = via};
    d->names[d->server_count] = name;
    enum err err = http_server_open(&d->servers[d->server_count], d->worker, addr, &cfg, e);
    if (!err)
        d->server_count++;
    return err;
}

void dashboard_free(struct dashboard *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->server_count; i++)
        http_server_close(d->servers[i]);
    words_fini(d);
    reloads_fini(d);
    adopts_fini(d);
    exports_fini(d);
    live_fini(d);
    strbuf_fini(&d->out);
    mem_free(d->cfg.alloc, d, sizeof(*d));
}

void dashboard_site_changed(struct dashboard *d, const struct lang_site *site, struct str name)
{
    d->cfg.site = site;
    d->cfg.name = name;
    dashboard_mark(d->mark, d->run, name);
    live_site_changed(d);
}

void dashboard_mark(char out[DASHBOARD_MARK_MAX], const char *run, struct str name)
{
    (void)snprintf(out, DASHBOARD_MARK_MAX, "%s-%08" PRIx32, run, crc32c(0, name.p, name.n));
}

const char *dashboard_run(const struct dashboard *d)
{
    return d->run;
}
