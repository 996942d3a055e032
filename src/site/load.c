#include "site/load.h"
#include "site/access.h"
#include "site/mapping.h"
#include "site/modbus.h"
#include "site/zone.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 256, STUCK_MS = 1000, SYS_MS = 10000 };

/* --- settings --- */

static bool has(const struct lang_clause_decl *c, const char *arg)
{
    return lang_clause_value(c, arg)->kind != LANG_ARG_NONE;
}

static struct str text_of(const struct lang_clause_decl *c, const char *arg)
{
    const struct lang_value *v = lang_clause_value(c, arg);
    return v->kind == LANG_ARG_NONE ? STR("") : v->text;
}

/* Rule of the design: loopback may be plain and anonymous, anything else says what protects it. */
static enum err check_listen(const struct site_listen *l, const char *what, bool can_ask,
                             struct error *e)
{
    char at[ADDR_TEXT_MAX];
    bool asks = l->tls && (l->passwords.n || l->ca.n) && !l->anonymous;
    if (addr_is_loopback(&l->addr) || l->insecure || asks)
        return ERR_OK;
    addr_format(&l->addr, at);
    return error_set(
        e, ERR_DENIED, "%s %s can be reached from other machines: give it %s%s, or say `insecure`",
        what, at, l->tls ? "" : "tls with a certificate (tls cert \"FILE\" key \"FILE\") and ",
        can_ask ? "a password file (passwords \"FILE\", see `sedge passwd`) or those "
                  "who vouch for its clients (ca \"FILE\")"
                : "those who vouch for its users (tls … ca \"FILE\")");
}

static enum err check_tls(const struct site_listen *l, const char *what, struct error *e)
{
    const char *why = NULL;
    if (l->tls && (!l->cert.n || !l->key.n))
        why = "tls needs a certificate and its key: tls cert \"FILE\" key \"FILE\"";
    else if (!l->tls && (l->cert.n || l->key.n || l->ca.n || l->tls_1_2))
        why = "cert, key, ca and tls12 go with tls";
    return why ? error_set(e, ERR_INVALID, "%s %.*s:%u: %s", what, STR_FMT(l->host), l->port, why)
               : ERR_OK;
}

/* Not every kind of listener takes every option. */
static bool takes(const struct lang_clause *c, const char *arg)
{
    for (size_t i = 0; i < c->args_n; i++)
        if (strcmp(c->args[i].name, arg) == 0)
            return true;
    return false;
}

static void read_options(struct site_listen *l, const struct lang_clause_decl *c)
{
    const struct {
        const char *arg;
        struct str *to;
    } texts[] = {{"passwords", &l->passwords}, {"cert", &l->cert}, {"key", &l->key}, {"ca", &l->ca},
                 {"path", &l->path},           {"name", &l->name}};
    const struct {
        const char *arg;
        bool *to;
    } flags[] = {{"insecure", &l->insecure},
                 {"anonymous", &l->anonymous},
                 {"tls", &l->tls},
                 {"tls12", &l->tls_1_2},
                 {"any_origin", &l->any_origin}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i].to = takes(c->clause, texts[i].arg) ? text_of(c, texts[i].arg) : STR("");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        *flags[i].to = takes(c->clause, flags[i].arg) && has(c, flags[i].arg);
}

/* `mqtt unix "path"`: who may open it is for the file's folder to say. */
static enum err read_unix(struct site_listen *l, const struct lang_clause_decl *c, struct error *e)
{
    struct str path = text_of(c, "path");
    read_options(l, c);
    l->path = STR("");
    l->host = path;
    memset(&l->addr, 0, sizeof(l->addr));
    if (!str_starts(path, STR("/")) || path.n >= sizeof(l->addr.un.sun_path))
        return error_set(e, ERR_INVALID,
                         "mqtt unix \"%.*s\": a path from the root on, of %zu bytes at most",
                         STR_FMT(path), sizeof(l->addr.un.sun_path) - 1);
    l->addr.un.sun_family = AF_UNIX;
    memcpy(l->addr.un.sun_path, path.p, path.n);
    l->addr.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return ERR_OK;
}

static enum err read_listen(struct site_listen *l, const struct lang_clause_decl *c,
                            struct error *e)
{
    const char *what = c->clause->word;
    *l = (struct site_listen){.websocket = strcmp(what, "websocket") == 0};
    if (c->clause->second)
        return read_unix(l, c, e);
    const struct lang_value *at = lang_clause_value(c, "address");
    l->host = at->text;
    l->port = at->port;
    read_options(l, c);
    if (addr_parse(&l->addr, l->host, l->port))
        return error_set(e, ERR_INVALID,
                         "%s %.*s: an address to listen on is numeric, 127.0.0.1 or [::1] or "
                         "0.0.0.0",
                         what, STR_FMT(l->host));
    if (l->path.n && l->path.p[0] != '/')
        return error_set(e, ERR_INVALID, "%s %.*s:%u: a path begins with a slash: path \"/%.*s\"",
                         what, STR_FMT(l->host), l->port, STR_FMT(l->path));
    enum err err = check_tls(l, what, e);
    return err ? err : check_listen(l, what, strcmp(what, "http") != 0, e);
}

static enum err read_listens(const struct lang_decl *server, const char *word,
                             struct site_listen list[], size_t *count, struct error *e)
{
    const struct lang_clause_decl *c;
    for (size_t i = 0; (c = lang_decl_clause(server, word, NULL, i)); i++) {
        if (*count == SITE_LISTENERS_MAX)
            return error_set(e, ERR_FULL, "more than %d %s listeners", SITE_LISTENERS_MAX, word);
        enum err err = read_listen(&list[*count], c, e);
        if (err)
            return err;
        ++*count;
    }
    return ERR_OK;
}

static void read_store(struct site_settings *out, const struct lang_decl *server)
{
    const struct lang_clause_decl *store = lang_decl_clause(server, "store", NULL, 0);
    if (!store)
        return;
    out->store = text_of(store, "folder");
    const struct lang_value *block = lang_clause_value(store, "options");
    const struct lang_clause_decl *commit =
        block->kind == LANG_ARG_BLOCK ? lang_value_clause(block, "commit", 0) : NULL;
    if (commit)
        out->commit_ms = (int64_t)(lang_clause_value(commit, "time")->number * 1000);
}

/* A word in the place of a number (`auto`, `off`) leaves nought. */
static void read_runtime(struct site_settings *out, const struct lang_decl *server)
{
    const struct lang_clause_decl *workers = lang_decl_clause(server, "workers", NULL, 0);
    const struct lang_clause_decl *watchdog = lang_decl_clause(server, "watchdog", NULL, 0);
    const struct lang_clause_decl *sys = lang_decl_clause(server, "sys", NULL, 0);
    if (sys)
        out->sys_ms = (int64_t)(lang_clause_value(sys, "sys")->number * 1000);
    if (workers)
        out->workers = (unsigned)lang_clause_value(workers, "workers")->number;
    if (watchdog)
        out->stuck_ms = (int64_t)(lang_clause_value(watchdog, "watchdog")->number * 1000);
}

/* That the rules make sense; whoever enforces them reads them again. */
static enum err check_access(const struct lang_site *site, struct error *e)
{
    struct access_rules *rules;
    enum err err = site_access_read(&rules, site, alloc_system(), e);
    access_rules_unref(rules);
    return err;
}

enum err site_settings_read(struct site_settings *out, const struct lang_site *site,
                            struct error *e)
{
    *out = (struct site_settings){
        .store = STR("data"), .workers = 1, .stuck_ms = STUCK_MS, .sys_ms = SYS_MS};
    const struct lang_decl *name = lang_site_decl(site, "site", 0);
    const struct lang_decl *server = lang_site_decl(site, "server", 0);
    out->name = name ? name->name : STR("site");
    if (!server)
        return error_set(e, ERR_NOT_FOUND,
                         "the site declares no server:  server { mqtt 127.0.0.1:1883 }");
    enum err err = read_listens(server, "mqtt", out->mqtt, &out->mqtt_count, e);
    if (!err)
        err = read_listens(server, "websocket", out->mqtt, &out->mqtt_count, e);
    if (!err)
        err = read_listens(server, "http", out->http, &out->http_count, e);
    read_store(out, server);
    read_runtime(out, server);
    site_limits_read(&out->limits, server);
    out->zone = site_zone(site);
    if (!err)
        err = check_access(site, e);
    return err ? err : site_zone_check(out->zone, e);
}

/* --- a site in the place of another --- */

static bool same_listen(const struct site_listen *a, const struct site_listen *b)
{
    return str_eq(a->host, b->host) && a->port == b->port && a->insecure == b->insecure &&
           a->anonymous == b->anonymous && a->websocket == b->websocket &&
           a->any_origin == b->any_origin && a->tls == b->tls && a->tls_1_2 == b->tls_1_2 &&
           str_eq(a->passwords, b->passwords) && str_eq(a->cert, b->cert) &&
           str_eq(a->key, b->key) && str_eq(a->ca, b->ca) && str_eq(a->path, b->path) &&
           str_eq(a->name, b->name);
}

enum { LISTEN_TEXT_MAX = 512 };

static void listen_text(char out[LISTEN_TEXT_MAX], const char *word, const struct site_listen *l)
{
    const struct {
        const char *word;
        struct str value;
    } texts[] = {{"cert", l->cert},           {"key", l->key},   {"ca", l->ca},
                 {"passwords", l->passwords}, {"path", l->path}, {"name", l->name}};
    char at[ADDR_TEXT_MAX];
    addr_format(&l->addr, at);
    int n =
        snprintf(out, LISTEN_TEXT_MAX, "%s %s%s%s%s%s%s", l->websocket ? "websocket" : word, at,
                 l->tls ? " tls" : "", l->tls_1_2 ? " tls12" : "", l->insecure ? " insecure" : "",
                 l->anonymous ? " anonymous" : "", l->any_origin ? " any_origin" : "");
    for (size_t i = 0; i < ARRAY_LEN(texts) && n > 0 && n < LISTEN_TEXT_MAX; i++)
        if (texts[i].value.n)
            n += snprintf(out + n, (size_t)(LISTEN_TEXT_MAX - n), " %s \"%.*s\"", texts[i].word,
                          STR_FMT(texts[i].value));
}

static enum err keep_listens(const char *word, const struct site_listen *now, size_t now_n,
                             const struct site_listen *next, size_t next_n, struct error *e)
{
    char was[LISTEN_TEXT_MAX] = "absent", is[LISTEN_TEXT_MAX] = "absent";
    size_t i = 0;
    while (i < now_n && i < next_n && same_listen(&now[i], &next[i]))
        i++;
    if (i == now_n && i == next_n)
        return ERR_OK;
    if (i < now_n)
        listen_text(was, word, &now[i]);
    if (i < next_n)
        listen_text(is, word, &next[i]);
    return error_set(e, ERR_UNSUPPORTED,
                     "server: `%s` was `%s`: what the site listens on can't change while it runs; "
                     "restart it",
                     is, was);
}

static enum err keep_store(const struct site_settings *now, const struct site_settings *next,
                           struct error *e)
{
    if (str_eq(now->store, next->store) && now->commit_ms == next->commit_ms)
        return ERR_OK;
    return error_set(e, ERR_UNSUPPORTED,
                     "server: `store \"%.*s\" { commit %.3gs }` was `store \"%.*s\" { commit "
                     "%.3gs }`: the store can't change while the site runs; restart it",
                     STR_FMT(next->store), (double)next->commit_ms / 1000, STR_FMT(now->store),
                     (double)now->commit_ms / 1000);
}

enum err site_settings_keep(const struct site_settings *now, const struct site_settings *next,
                            bool workers_fixed, struct error *e)
{
    enum err err =
        keep_listens("mqtt", now->mqtt, now->mqtt_count, next->mqtt, next->mqtt_count, e);
    if (!err)
        err = keep_listens("http", now->http, now->http_count, next->http, next->http_count, e);
    if (!err)
        err = keep_store(now, next, e);
    if (!err && !workers_fixed && now->workers != next->workers)
        err = error_set(e, ERR_UNSUPPORTED,
                        "server: `workers` was %u and is %u (0: auto): it can't change while the "
                        "site runs; restart it",
                        now->workers, next->workers);
    if (!err && now->stuck_ms != next->stuck_ms)
        err = error_set(e, ERR_UNSUPPORTED,
                        "server: `watchdog` was %lld ms and is %lld ms (0: off): it can't change "
                        "while the site runs; restart it",
                        (long long)now->stuck_ms, (long long)next->stuck_ms);
    if (!err && now->sys_ms != next->sys_ms)
        err = error_set(e, ERR_UNSUPPORTED,
                        "server: `sys` was %lld ms and is %lld ms (0: off): it can't change while "
                        "the site runs; restart it",
                        (long long)now->sys_ms, (long long)next->sys_ms);
    if (!err)
        err = site_limits_keep(&now->limits, &next->limits, e);
    if (!err && !str_eq(now->zone, next->zone))
        err = error_set(e, ERR_UNSUPPORTED,
                        "site: `zone` was \"%.*s\" and is \"%.*s\": it can't change while the "
                        "site runs; restart it",
                        STR_FMT(now->zone), STR_FMT(next->zone));
    return err;
}

/* --- models and devices --- */

static enum value_kind kind_of(const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_BOOL: return VALUE_BOOL;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return VALUE_INT;
    case LANG_TYPE_STR: return VALUE_STR;
    default: return VALUE_FLOAT;
    }
}

static enum compare compare_of(enum lang_cmp op)
{
    switch (op) {
    case LANG_EQ: return COMPARE_EQ;
    case LANG_NE: return COMPARE_NE;
    case LANG_LT: return COMPARE_LT;
    case LANG_LE: return COMPARE_LE;
    case LANG_GT: return COMPARE_GT;
    case LANG_GE: return COMPARE_GE;
    }
    return COMPARE_EQ;
}

struct model_build {
    struct property_def properties[MEMBERS_MAX];
    struct action_def actions[MEMBERS_MAX];
    struct param_def params[MEMBERS_MAX][ACTION_PARAMS_MAX];
    struct str events[MEMBERS_MAX];
    struct model_def def;
};

static void build_property(struct model_build *b, const struct lang_member *m)
{
    const struct lang_value *range = lang_clause_value(m->clause, "range");
    b->properties[b->def.property_count++] =
        (struct property_def){.name = m->name,
                              .unit = m->type.unit.symbol,
                              .kind = kind_of(&m->type),
                              .has_range = range->kind == LANG_ARG_RANGE,
                              .min = range->lo,
                              .max = range->hi};
}

static void build_action(struct model_build *b, const struct lang_decl *type,
                         const struct lang_member *m)
{
    size_t at = b->def.action_count++;
    struct action_def *a = &b->actions[at];
    *a = (struct action_def){.name = m->name,
                             .params = b->params[at],
                             .param_count = m->params_n,
                             .confirm_property = -1,
                             .safe = type->safe == m};
    for (size_t i = 0; i < m->params_n; i++)
        b->params[at][i] = (struct param_def){.name = m->params[i].name,
                                              .unit = m->params[i].type.unit.symbol,
                                              .kind = kind_of(&m->params[i].type)};
    if (m->confirms) {
        a->confirm_property = (int)m->confirms->member;
        a->confirm_compare = compare_of(m->confirms->op);
        a->confirm_value = m->confirms->value;
        a->confirm_text = m->confirms->text;
    }
}

static enum err load_model(struct model_build *b, const struct lang_decl *type, struct registry *r,
                           struct error *e)
{
    memset(&b->def, 0, sizeof(b->def));
    for (size_t i = 0; i < type->members_n; i++) {
        const struct lang_member *m = &type->members[i];
        if (i == MEMBERS_MAX || m->params_n > ACTION_PARAMS_MAX)
            return error_set(e, ERR_FULL,
                             "model %.*s: more than %d members, or more than %d parameters of %.*s",
                             STR_FMT(type->name), MEMBERS_MAX, ACTION_PARAMS_MAX, STR_FMT(m->name));
        if (m->role == LANG_CLAUSE_READABLE)
            build_property(b, m);
        else if (m->role == LANG_CLAUSE_COMMAND)
            build_action(b, type, m);
        else
            b->events[b->def.event_count++] = m->name;
    }
    b->def.name = type->name;
    b->def.properties = b->properties;
    b->def.actions = b->actions;
    b->def.events = b->events;
    const struct model_def *made;
    return registry_model(r, &b->def, &made, e);
}

static enum err load_device(const struct lang_decl *d, struct registry *r, struct arena *a,
                            struct error *e)
{
    const struct lang_clause_decl *via = lang_decl_clause(d, "via", "mqtt", 0);
    const struct lang_clause_decl *id = lang_decl_clause(d, "id", NULL, 0);
    char link[SITE_MODBUS_TEXT_MAX] = "";
    size_t shown = site_modbus_clause(d) ? site_modbus_text(d, link) : 0;
    struct registry_device_def def = {.name = d->name,
                                      .id = id ? text_of(id, "identity") : STR(""),
                                      .model = registry_model_find(r, d->type->name),
                                      .topic = via ? text_of(via, "topic") : STR(""),
                                      .link = str_from(link),
                                      .carried = site_modbus_hash(d)};
    struct device *made;
    ASSERT(def.model);
    if (site_mapping_read(&def.mapping, d, a))
        return error_set(e, ERR_NOMEM, "no memory for the mapping of %.*s", STR_FMT(d->name));
    enum err err = registry_device(r, &def, &made, e);
    if (!err && shown && str_eq(made->reach.text, made->link_text))
        made->reach.text = str_sub(made->reach.text, 0, shown);
    return err;
}

static enum err load_devices(const struct lang_site *site, struct registry *r, struct error *e)
{
    struct arena a;
    enum err err = ERR_OK;
    arena_init(&a, alloc_system(), (size_t)64 << 20);
    for (size_t i = 0; !err && i < site->resources_n; i++) {
        err = load_device(site->resources[i], r, &a, e);
        arena_reset(&a);
    }
    arena_fini(&a);
    return err;
}

enum err site_load_registry(const struct lang_site *site, struct registry *r, struct error *e)
{
    struct alloc *alloc = alloc_system();
    struct model_build *b = mem_zero(alloc, sizeof(*b));
    if (!b)
        return error_set(e, ERR_NOMEM, "no memory for the models");
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < site->decls_n; i++)
        if (site->decls[i]->kind->role == LANG_ROLE_TYPE)
            err = load_model(b, site->decls[i], r, e);
    if (!err)
        err = load_devices(site, r, e);
    mem_free(alloc, b, sizeof(*b));
    return err;
}
