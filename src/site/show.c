#include "site/show.h"

static void put_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    if (s.n)
        json_str(w, s);
    else
        json_null(w);
}

static void put_bool(struct json_writer *w, const char *key, bool b)
{
    json_key(w, key);
    json_bool(w, b);
}

static void put_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

/* Nought is null: it is not declared, or off. */
static void put_int_or_null(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    if (v)
        json_int(w, v);
    else
        json_null(w);
}

static void show_files(struct json_writer *w, const struct lang_site *site)
{
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < site->sources_n; i++) {
        struct str text = site->sources[i].text, rest = text, line;
        int64_t lines = 0;
        while (rest.n && str_split(&rest, '\n', &line))
            lines++;
        json_object_begin(w);
        put_str(w, "name", site->sources[i].name);
        put_int(w, "bytes", (int64_t)text.n);
        put_int(w, "lines", lines);
        json_object_end(w);
    }
    json_array_end(w);
}

static void show_listener(struct json_writer *w, const char *protocol, struct str address,
                          const struct site_listen *l)
{
    json_object_begin(w);
    json_key(w, "protocol");
    json_cstr(w, protocol);
    put_str(w, "address", address);
    put_bool(w, "tls", l->tls);
    put_bool(w, "websocket", l->websocket);
    put_bool(w, "passwords", l->passwords.n > 0);
    put_bool(w, "certificates", l->ca.n > 0);
    put_bool(w, "anonymous", l->anonymous || (!l->passwords.n && !l->ca.n));
    put_bool(w, "insecure", l->insecure);
    put_str(w, "name", l->name);
    json_object_end(w);
}

static void show_listeners(struct json_writer *w, const struct site_shown *s)
{
    json_key(w, "listeners");
    json_array_begin(w);
    for (size_t i = 0; i < s->settings->mqtt_count; i++)
        show_listener(w, "mqtt", s->mqtt_addresses[i], &s->settings->mqtt[i]);
    for (size_t i = 0; i < s->settings->http_count; i++)
        show_listener(w, "http", s->http_addresses[i], &s->settings->http[i]);
    json_array_end(w);
}

static void show_limit(void *ctx, const char *name, const char *text, uint64_t value)
{
    struct json_writer *w = ctx;
    json_object_begin(w);
    json_key(w, "name");
    json_cstr(w, name);
    if (text)
        put_str(w, "value", str_from(text));
    else
        put_int_or_null(w, "value", (int64_t)value);
    json_object_end(w);
}

/* The rules as they are written, in the order in which they hold. */
static void show_access(struct json_writer *w, const struct lang_site *site)
{
    const struct lang_decl *access = lang_site_decl(site, "access", 0);
    json_key(w, "access");
    json_array_begin(w);
    for (size_t i = 0; access && i < access->clauses_n; i++) {
        struct lang_span span = access->clauses[i].span;
        const struct lang_source *source = &site->sources[span.source];
        int64_t line = 1;
        for (size_t k = 0; k < span.from; k++)
            line += source->text.p[k] == '\n';
        json_object_begin(w);
        put_str(w, "file", source->name);
        put_int(w, "line", line);
        put_str(w, "text", str_trim(str_sub(source->text, span.from, span.to - span.from)));
        json_object_end(w);
    }
    json_array_end(w);
}

void site_show(void *shown, struct json_writer *w)
{
    const struct site_shown *s = shown;
    json_object_begin(w);
    put_str(w, "name", s->settings->name);
    put_str(w, "version", STR(SEDGE_VERSION));
    put_str(w, "folder", str_from(s->folder));
    show_files(w, *s->site);
    show_listeners(w, s);
    json_key(w, "store");
    json_object_begin(w);
    put_str(w, "folder", str_from(s->store));
    put_int(w, "commit_ms", s->settings->commit_ms);
    json_object_end(w);
    json_key(w, "workers");
    json_object_begin(w);
    put_int_or_null(w, "declared", s->settings->workers); /* `auto`: one for each core */
    put_int(w, "running", executor_workers(s->ex));
    json_object_end(w);
    put_str(w, "driver", str_from(executor_driver(s->ex)));
    put_str(w, "zone", s->settings->zone);
    put_int_or_null(w, "watchdog_ms", s->settings->stuck_ms);
    put_int_or_null(w, "sys_ms", s->settings->sys_ms);
    json_key(w, "limits");
    json_array_begin(w);
    site_limits_each(mqtt_server_limits(s->mqtt), show_limit, w);
    json_array_end(w);
    show_access(w, *s->site);
    json_object_end(w);
}
