/* api_site: GET /api/site, the whole site at once. */
#include "dashboard/dashboard_internal.h"

static void write_number(struct json_writer *w, const char *key, bool there, double v)
{
    json_key(w, key);
    if (there)
        json_double(w, v);
    else
        json_null(w);
}

static void write_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    if (s.n)
        json_str(w, s);
    else
        json_null(w);
}

static const char *kind_name(enum value_kind k)
{
    static const char *const names[] = {"none", "bool", "int", "float", "str"};
    return names[k];
}

static void write_property(struct json_writer *w, const struct device_property *p)
{
    const struct series *s = p->series;
    json_object_begin(w);
    write_str(w, "name", p->def->name);
    json_key(w, "series");
    json_int(w, s->index);
    json_key(w, "type");
    json_cstr(w, kind_name(p->def->kind));
    write_str(w, "unit", p->def->unit);
    write_number(w, "min", p->def->has_range, p->def->min);
    write_number(w, "max", p->def->has_range, p->def->max);
    json_key(w, "value");
    json_write_value(w, &s->last);
    json_write_ms(w, "ts_ms", s->last_ms);
    json_key(w, "quality");
    json_cstr(w, quality_name(s->quality));
    json_write_ms(w, "stale_ms", s->stale_ms);
    write_str(w, "why", str_from(property_problem(p)));
    json_object_end(w);
}

static void write_action(struct json_writer *w, const struct action_def *a)
{
    json_object_begin(w);
    write_str(w, "name", a->name);
    json_key(w, "params");
    json_array_begin(w);
    for (size_t i = 0; i < a->param_count; i++) {
        json_object_begin(w);
        write_str(w, "name", a->params[i].name);
        json_key(w, "type");
        json_cstr(w, kind_name(a->params[i].kind));
        write_str(w, "unit", a->params[i].unit);
        json_object_end(w);
    }
    json_array_end(w);
    write_str(w, "confirms", a->confirm_text);
    json_key(w, "safe");
    json_bool(w, a->safe);
    json_object_end(w);
}

/* Who has it instead of its owner, and until when; null if it is at home. */
static void write_lease(struct json_writer *w, const struct automation *a, const struct device *d)
{
    struct lease_view v;
    json_key(w, "lease");
    if (!automation_lease(a, d->name, &v) || !v.out) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    write_str(w, "holder", v.holder.name);
    json_key(w, "person");
    json_bool(w, v.holder.who == NULL);
    json_key(w, "priority");
    json_int(w, v.priority);
    json_write_ms(w, "since_ms", v.since_ms);
    json_write_ms(w, "until_ms", v.until_ms == INT64_MAX ? 0 : v.until_ms);
    json_key(w, "waiting");
    json_int(w, (int64_t)v.waiting);
    json_object_end(w);
}

static void write_link(struct json_writer *w, const struct device *d)
{
    const struct device_reach *r = &d->reach;
    json_key(w, "link");
    json_object_begin(w);
    write_str(w, "kind", r->kind);
    write_str(w, "text", r->text);
    json_key(w, "online");
    if (r->state == REACH_UNKNOWN)
        json_null(w);
    else
        json_bool(w, r->state == REACH_ONLINE);
    write_str(w, "why", str_from(r->why));
    json_key(w, "unreadable");
    json_int(w, (int64_t)r->unreadable);
    json_object_end(w);
}

static void write_device(struct json_writer *w, const struct automation *a, const struct device *d)
{
    const struct model_def *m = d->model;
    json_object_begin(w);
    write_str(w, "name", d->name);
    write_str(w, "model", m->name);
    write_str(w, "id", d->id);
    write_str(w, "topic", d->topic);
    write_str(w, "owner", d->owner);
    write_lease(w, a, d);
    write_link(w, d);
    json_key(w, "properties");
    json_array_begin(w);
    for (size_t i = 0; i < m->property_count; i++)
        write_property(w, &d->props[i]);
    json_array_end(w);
    json_key(w, "actions");
    json_array_begin(w);
    for (size_t i = 0; i < m->action_count; i++)
        write_action(w, &m->actions[i]);
    json_array_end(w);
    json_key(w, "events");
    json_array_begin(w);
    for (size_t i = 0; i < m->event_count; i++)
        json_str(w, m->events[i]);
    json_array_end(w);
    json_object_end(w);
}

static void write_groups(struct json_writer *w, const struct lang_site *site)
{
    json_key(w, "groups");
    json_array_begin(w);
    for (size_t i = 0; i < site->decls_n; i++) {
        const struct lang_decl *g = site->decls[i];
        if (g->kind->role != LANG_ROLE_SET)
            continue;
        json_object_begin(w);
        write_str(w, "name", g->name);
        json_key(w, "members");
        json_array_begin(w);
        for (size_t k = 0; k < g->list_n; k++)
            json_str(w, g->list[k]->name);
        json_array_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_rule(struct json_writer *w, const struct rule_view *v)
{
    json_object_begin(w);
    write_str(w, "path", v->rule->path);
    json_key(w, "line");
    json_int(w, v->rule->line);
    write_str(w, "text", v->rule->text);
    json_key(w, "until");
    if (v->rule->until_text.n)
        json_str(w, v->rule->until_text);
    else
        json_null(w);
    json_key(w, "state");
    json_cstr(w, rule_state_name(v->state));
    json_key(w, "fired");
    json_int(w, (int64_t)v->fired);
    json_write_ms(w, "fired_ms", v->fired_ms);
    json_object_end(w);
}

static void write_reads(struct json_writer *w, const struct automation *a, size_t program,
                        size_t bindings)
{
    json_key(w, "reads");
    json_array_begin(w);
    for (size_t i = 0; i < bindings; i++) {
        const struct series *s = automation_series(a, program, i);
        if (s)
            json_int(w, s->index);
    }
    json_array_end(w);
}

static void write_stats(struct json_writer *w, const struct lang_vm_stats *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"traps", s->traps},
        {"turn_instructions_peak", s->turn_instructions_peak},
        {"tasks", s->tasks},
        {"heap_live", s->heap_live},
        {"heap_bytes", s->heap_bytes},
        {"heap_max", s->heap_max},
        {"gc_cycles", s->gc_cycles},
        {"gc_pause_max_ns", (uint64_t)s->gc_pause_max_ns},
        {"gc_total_ns", (uint64_t)s->gc_total_ns},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        json_key(w, all[i].name);
        json_int(w, (int64_t)all[i].value);
    }
}

static void write_program(struct json_writer *w, const struct automation *a, size_t i)
{
    struct program_view v = automation_program(a, i);
    const struct lang_program *p = v.program;
    json_object_begin(w);
    write_str(w, "name", p->name);
    write_str(w, "file", p->file);
    json_key(w, "line");
    json_int(w, p->line);
    json_key(w, "state");
    json_cstr(w, v.state == PROGRAM_RUNNING ? "running" : "failed");
    json_key(w, "owns");
    json_array_begin(w);
    for (size_t k = 0; k < p->owns_n; k++)
        json_str(w, p->owns[k]->name);
    json_array_end(w);
    write_reads(w, a, i, p->bindings_n);
    json_key(w, "turns");
    json_int(w, (int64_t)v.stats.turns);
    json_key(w, "instructions");
    json_int(w, (int64_t)v.stats.instructions);
    json_key(w, "overruns");
    json_int(w, (int64_t)v.stats.overruns);
    write_stats(w, &v.stats);
    write_str(w, "error", str_from(v.error));
    json_key(w, "rules");
    json_array_begin(w);
    for (size_t k = 0; k < v.rules; k++) {
        struct rule_view r = automation_rule(a, i, k);
        write_rule(w, &r);
    }
    json_array_end(w);
    json_object_end(w);
}

static void write_addresses(struct json_writer *w, const char *key, const struct str *list,
                            size_t n)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        json_str(w, list[i]);
    json_array_end(w);
}

static void write_head(struct json_writer *w, const struct dashboard *d)
{
    struct error room;
    const char *why = not_durable(d, &room);
    write_str(w, "name", d->cfg.name);
    json_key(w, "version");
    json_cstr(w, d->cfg.version);
    json_key(w, "run");
    json_cstr(w, d->run);
    json_write_ms(w, "now_ms", worker_now_ms(d->worker));
    json_write_ms(w, "started_ms", d->started_ms);
    json_key(w, "durable");
    json_bool(w, !why);
    if (why)
        write_str(w, "durable_why", str_from(why));
}

void api_site(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    write_head(&w, d);
    json_key(&w, "devices");
    json_array_begin(&w);
    LIST_EACH(registry_devices(d->cfg.registry), it)
    write_device(&w, d->cfg.automation, CONTAINER_OF(it, struct device, link));
    json_array_end(&w);
    write_groups(&w, d->cfg.site);
    json_key(&w, "programs");
    json_array_begin(&w);
    for (size_t i = 0; i < automation_programs(d->cfg.automation); i++)
        write_program(&w, d->cfg.automation, i);
    json_array_end(&w);
    json_key(&w, "server");
    json_object_begin(&w);
    write_addresses(&w, "mqtt", d->cfg.mqtt_addresses, d->cfg.mqtt_count);
    write_addresses(&w, "http", d->cfg.http_addresses, d->cfg.http_count);
    json_object_end(&w);
    json_object_end(&w);
    answer_end(d, q, 200);
}
