#include "site/links.h"

#include <stdio.h>

/* The state of a visit: lines come with their units behind them. */
struct visit {
    const struct site_links *links;
    struct json_writer *w;
    int64_t now_ms;
    bool in_line;
};

static void put_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

/* Nought is null: it has not been. */
static void put_time(struct json_writer *w, const char *key, int64_t ms)
{
    json_key(w, key);
    if (ms)
        json_int(w, ms);
    else
        json_null(w);
}

static void put_counts(struct json_writer *w, const struct modbus_counts *c)
{
    put_int(w, "requests", (int64_t)c->requests);
    put_int(w, "answers", (int64_t)c->answers);
    put_int(w, "timeouts", (int64_t)c->timeouts);
    put_int(w, "errors", (int64_t)(c->exceptions + c->broken));
}

static void put_error(struct json_writer *w, const char *problem, int64_t ms)
{
    json_key(w, "last_error");
    json_cstr(w, problem[0] ? problem : NULL);
    put_time(w, "last_error_ms", problem[0] ? ms : 0);
}

static void end_line(struct visit *v)
{
    if (!v->in_line)
        return;
    json_array_end(v->w);
    json_object_end(v->w);
    v->in_line = false;
}

static void on_line(void *ctx, const struct modbus_line_state *l)
{
    static const char *const states[] = {
        [MODBUS_LINE_WAITS] = "waiting",
        [MODBUS_LINE_CONNECTS] = "connecting",
        [MODBUS_LINE_UP] = "connected",
    };
    struct visit *v = ctx;
    bool waits = l->phase == MODBUS_LINE_WAITS;
    end_line(v);
    json_object_begin(v->w);
    json_key(v->w, "kind");
    json_cstr(v->w, "modbus");
    json_key(v->w, "text");
    json_cstr(v->w, l->link);
    json_key(v->w, "state");
    json_cstr(v->w, states[l->phase]);
    put_time(v->w, "since_ms", l->since_ms);
    put_time(v->w, "retry_ms", waits ? v->now_ms + l->retry_in_ms : 0);
    put_counts(v->w, &l->counts);
    put_error(v->w, l->problem, l->problem_ms);
    json_key(v->w, "units");
    json_array_begin(v->w);
    v->in_line = true;
}

/* Devices whose link text begins with that of the unit. */
static void put_devices(struct visit *v, const char *place, unsigned unit)
{
    char text[MODBUS_LINK_TEXT_MAX + 64];
    int n = snprintf(text, sizeof(text), "modbus %s unit %u ", place, unit);
    struct str prefix = {text, n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0};
    json_key(v->w, "devices");
    json_array_begin(v->w);
    LIST_EACH(registry_devices(*v->links->registry), it)
    {
        const struct device *d = CONTAINER_OF(it, struct device, link);
        if (prefix.n && str_starts(d->link_text, prefix))
            json_str(v->w, d->name);
    }
    json_array_end(v->w);
}

static void on_unit(void *ctx, const struct modbus_line_state *l, const struct modbus_unit_state *u)
{
    struct visit *v = ctx;
    json_object_begin(v->w);
    put_int(v->w, "unit", u->unit);
    put_devices(v, l->place, u->unit);
    json_key(v->w, "online");
    if (l->phase == MODBUS_LINE_WAITS) /* its phase is what it was before the line was lost */
        json_bool(v->w, false);
    else if (u->phase == MODBUS_UNIT_NEW)
        json_null(v->w);
    else
        json_bool(v->w, u->phase == MODBUS_UNIT_ONLINE);
    put_counts(v->w, &u->counts);
    put_error(v->w, u->problem, u->problem_ms);
    json_object_end(v->w);
}

void site_links_write(void *links, struct json_writer *w)
{
    const struct site_links *l = links;
    struct visit v = {.links = l, .w = w, .now_ms = worker_now_ms(executor_worker(*l->ex, 0))};
    const struct modbus_visitor visitor = {.line = on_line, .unit = on_unit, .ctx = &v};
    json_object_begin(w);
    json_key(w, "links");
    json_array_begin(w);
    if (*l->modbus)
        modbus_visit(*l->modbus, &visitor);
    end_line(&v);
    json_array_end(w);
    json_object_end(w);
}
