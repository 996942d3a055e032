#include "registry/heard.h"
#include "registry/registry_internal.h"

#include <string.h>

enum { DEFINITIONS_BYTES_MAX = 64 << 20, DEVICES_MAX = 20000 };

bool compare_holds(enum compare c, double a, double b)
{
    switch (c) {
    case COMPARE_LT: return a < b;
    case COMPARE_LE: return a <= b;
    case COMPARE_GT: return a > b;
    case COMPARE_GE: return a >= b;
    case COMPARE_EQ: return a == b;
    case COMPARE_NE: return a != b;
    }
    return false;
}

static void config_defaults(struct registry_config *c)
{
    if (!c->stale_default_ms)
        c->stale_default_ms = 60000;
    if (!c->stale_learned_max_ms)
        c->stale_learned_max_ms = 2 * 3600 * 1000;
    if (!c->confirm_timeout_ms)
        c->confirm_timeout_ms = 5000;
    if (!c->attempts_max)
        c->attempts_max = 3;
    if (!c->discovered_max)
        c->discovered_max = 1000;
    if (!c->observed_bytes_max)
        c->observed_bytes_max = 8 << 20;
    if (!c->actions_max)
        c->actions_max = 1000;
    if (!c->heard_max)
        c->heard_max = 10000;
    if (!c->resume_max_ms)
        c->resume_max_ms = 60000;
}

struct catalog *catalog_new(struct registry *r)
{
    struct alloc *a = r->cfg.alloc;
    struct catalog *c = mem_zero(a, sizeof(*c));
    if (!c)
        return NULL;
    uint64_t seed = executor_env(r->cfg.ex)->seed;
    arena_init(&c->arena, a, DEFINITIONS_BYTES_MAX);
    map_init(&c->topics, a, seed, (size_t)DEVICES_MAX * 64);
    map_init(&c->names, a, seed, DEVICES_MAX);
    map_init(&c->models, a, seed, DEVICES_MAX);
    map_init(&c->things, a, seed, (size_t)DEVICES_MAX * 64);
    list_init(&c->devices);
    list_init(&c->leaving);
    return c;
}

static void let_go(struct registry *r, struct list *devices)
{
    LIST_EACH(devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        for (size_t i = 0; i < d->model->property_count; i++)
            timer_cancel(&d->props[i].stale_timer);
        links_free_why(r, d);
    }
}

void catalog_free(struct registry *r, struct catalog *c)
{
    if (!c)
        return;
    let_go(r, &c->devices);
    map_fini(&c->topics);
    map_fini(&c->names);
    map_fini(&c->models);
    map_fini(&c->things);
    mem_free(r->cfg.alloc, c->by_series, c->by_series_n * sizeof(*c->by_series));
    arena_fini(&c->arena);
    mem_free(r->cfg.alloc, c, sizeof(*c));
}

enum err registry_new(struct registry **out, const struct registry_config *cfg, struct error *e)
{
    *out = NULL;
    struct registry *r = mem_zero(cfg->alloc, sizeof(*r));
    if (!r)
        return error_set(e, ERR_NOMEM, "no memory for the registry");
    r->cfg = *cfg;
    config_defaults(&r->cfg);
    r->worker = executor_worker(cfg->ex, 0);
    discover_init(r);
    r->now = r->building = catalog_new(r);
    enum err err = r->now ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for the registry");
    if (!err)
        err = ingest_init(r, e);
    if (!err)
        err = actions_init(r, e);
    if (!err)
        err = heard_init(r, e);
    if (err) {
        registry_free(r);
        return err;
    }
    *out = r;
    return ERR_OK;
}

void registry_start(struct registry *r)
{
    LIST_EACH(&r->now->devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        for (size_t i = 0; i < d->model->property_count; i++)
            if (d->props[i].series->quality != QUALITY_NONE)
                bus_quality_publish(r->cfg.bus, d->props[i].series, QUALITY_STALE);
    }
    ingest_clear_retained(r);
    ingest_online_retained(r);
    discover_retained(r);
    actions_start(r);
}

void registry_heard_before(struct registry *r, bool (*knows)(void *ctx, struct str series),
                           void *ctx)
{
    LIST_EACH(&r->now->devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        for (size_t i = 0; i < d->model->property_count && !d->heard; i++)
            d->heard = knows(ctx, d->props[i].series->name);
    }
}

void registry_free(struct registry *r)
{
    if (!r)
        return;
    heard_fini(r);
    actions_fini(r);
    ingest_fini(r);
    discover_fini(r);
    catalog_free(r, r->now);
    mem_free(r->cfg.alloc, r, sizeof(*r));
}

static const struct property_def *copy_properties(struct arena *a, const struct model_def *def)
{
    struct property_def *to = arena_array(a, def->property_count, sizeof(*to));
    for (size_t i = 0; to && i < def->property_count; i++) {
        to[i] = def->properties[i];
        to[i].name = arena_str(a, to[i].name);
        to[i].unit = arena_str(a, to[i].unit);
    }
    return to;
}

static const struct action_def *copy_actions(struct arena *a, const struct model_def *def)
{
    struct action_def *to = arena_array(a, def->action_count, sizeof(*to));
    for (size_t i = 0; to && i < def->action_count; i++) {
        const struct action_def *from = &def->actions[i];
        to[i] = *from;
        to[i].name = arena_str(a, from->name);
        to[i].confirm_text = arena_str(a, from->confirm_text);
        struct param_def *params = arena_array(a, from->param_count, sizeof(*params));
        for (size_t k = 0; params && k < from->param_count; k++) {
            params[k] = from->params[k];
            params[k].name = arena_str(a, params[k].name);
            params[k].unit = arena_str(a, params[k].unit);
        }
        to[i].params = params;
    }
    return to;
}

static const struct str *copy_events(struct arena *a, const struct model_def *def)
{
    struct str *to = arena_array(a, def->event_count, sizeof(*to));
    for (size_t i = 0; to && i < def->event_count; i++)
        to[i] = arena_str(a, def->events[i]);
    return to;
}

/* NULL, or the arena has failed: no memory. */
struct model_def *catalog_model(struct registry *r, const struct model_def *def)
{
    struct arena *arena = &r->building->arena;
    struct model_def *m = arena_new(arena, sizeof(*m));
    if (!m)
        return NULL;
    *m = *def;
    m->name = arena_str(arena, def->name);
    m->properties = copy_properties(arena, def);
    m->actions = copy_actions(arena, def);
    m->events = copy_events(arena, def);
    return m;
}

enum err registry_model(struct registry *r, const struct model_def *def,
                        const struct model_def **out, struct error *e)
{
    struct catalog *c = r->building;
    if (map_get(&c->models, def->name))
        return error_set(e, ERR_EXISTS, "the model %.*s is there already", STR_FMT(def->name));
    struct model_def *m = catalog_model(r, def);
    if (!m || c->arena.failed)
        return error_set(e, ERR_NOMEM, "no memory for the model %.*s", STR_FMT(def->name));
    enum err err = map_put(&c->models, m->name, m);
    if (err)
        return error_set(e, err, "no room for the model %.*s", STR_FMT(def->name));
    *out = m;
    return ERR_OK;
}

const struct model_def *registry_model_find(struct registry *r, struct str name)
{
    return map_get(&r->building->models, name);
}

bool catalog_index(struct registry *r, struct device_property *p)
{
    struct catalog *c = r->building;
    size_t need = p->series->index + 1;
    if (need > c->by_series_n) {
        size_t n = need * 2;
        struct device_property **v =
            mem_resize(r->cfg.alloc, c->by_series, c->by_series_n * sizeof(*v), n * sizeof(*v));
        if (!v)
            return false;
        memset(v + c->by_series_n, 0, (n - c->by_series_n) * sizeof(*v));
        c->by_series = v;
        c->by_series_n = n;
    }
    c->by_series[p->series->index] = p;
    return true;
}

struct device_property *registry_property_of(const struct registry *r, const struct series *s)
{
    const struct catalog *c = r->now;
    return s->index < c->by_series_n ? c->by_series[s->index] : NULL;
}

struct device *registry_device_of(const struct registry *r, const struct series *s)
{
    const struct device_property *p = registry_property_of(r, s);
    return p ? p->device : NULL;
}

static enum err device_series(struct registry *r, struct device *d, struct error *e)
{
    for (size_t i = 0; i < d->model->property_count; i++) {
        struct device_property *p = &d->props[i];
        p->device = d;
        p->def = &d->model->properties[i];
        struct str name =
            arena_strf(&r->building->arena, "%.*s.%.*s", STR_FMT(d->name), STR_FMT(p->def->name));
        p->series = bus_series(r->cfg.bus, name, p->def->kind, p->def->unit);
        if (!p->series || !catalog_index(r, p))
            return error_set(e, ERR_FULL, "too many properties on this site, at %.*s",
                             STR_FMT(name));
        if (!p->series->kept) /* else it is in use, and registry_replace_commit()'s */
            registry_reset_stale(r, p);
        p->series->kept = true;
    }
    return ERR_OK;
}

/* For people: the first of its ways. */
static void describe_reach(struct device *d)
{
    struct device_reach *to = &d->reach;
    const struct mapping *m = d->mapping;
    size_t word = 0;
    while (word < d->link_text.n && d->link_text.p[word] != ' ')
        word++;
    if (d->topic.n)
        *to = (struct device_reach){.kind = STR("mqtt"), .text = d->topic};
    else if (d->link_text.n)
        *to = (struct device_reach){.kind = str_sub(d->link_text, 0, word), .text = d->link_text};
    else if (m)
        *to = (struct device_reach){.kind = STR("mapped"),
                                    .text = m->topic_count         ? m->topics[0].topic
                                            : m->def.command_count ? m->def.commands[0].topic
                                                                   : m->def.online[0].topic};
    else
        *to = (struct device_reach){.kind = STR("none"), .text = STR("")};
}

static struct device *device_make(struct registry *r, const struct registry_device_def *def)
{
    struct arena *a = &r->building->arena;
    size_t n = def->model->property_count;
    struct device *d = arena_new(a, sizeof(*d));
    struct device_property *props = arena_array(a, n ? n : 1, sizeof(*props));
    if (!d || !props)
        return NULL;
    d->registry = r;
    d->model = def->model;
    d->name = arena_str(a, def->name);
    d->id = arena_str(a, def->id);
    d->topic = arena_str(a, def->topic);
    d->link_text = arena_str(a, def->link);
    d->carried = def->carried;
    d->props = props;
    list_init(&d->actions);
    list_init(&d->twins);
    return d;
}

enum err registry_device(struct registry *r, const struct registry_device_def *def,
                         struct device **out, struct error *e)
{
    struct catalog *c = r->building;
    struct str name = def->name;
    if (map_get(&c->names, name))
        return error_set(e, ERR_EXISTS, "the device %.*s is there already", STR_FMT(name));
    struct device *d = device_make(r, def);
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the device %.*s", STR_FMT(name));
    d->index = c->device_count;
    enum err err = device_series(r, d, e);
    if (!err)
        err = ingest_bind(r, d, e);
    if (!err)
        err = mapping_build(r, d, &def->mapping, e);
    if (err)
        return err;
    describe_reach(d);
    err = thing_join(r, d);
    if (!err)
        err = map_put(&c->names, d->name, d);
    if (err || c->arena.failed)
        return error_set(e, ERR_FULL, "more than %d devices, or no memory, at %.*s", DEVICES_MAX,
                         STR_FMT(name));
    c->device_count++;
    list_add_tail(&c->devices, &d->link);
    *out = d;
    return ERR_OK;
}

struct device *registry_find(struct registry *r, struct str name)
{
    return map_get(&r->now->names, name);
}

struct list *registry_devices(struct registry *r)
{
    return &r->now->devices;
}

void registry_reset_stale(const struct registry *r, struct device_property *p)
{
    struct series *s = p->series;
    bool slow = s->paced_ms > r->cfg.stale_default_ms;
    s->stale_ms = slow ? s->paced_ms : r->cfg.stale_default_ms;
}

void registry_set_stale(struct device_property *p, int64_t stale_ms)
{
    if (stale_ms <= 0 || (p->stale_declared && p->series->stale_ms <= stale_ms))
        return;
    p->stale_declared = true;
    p->series->stale_ms = stale_ms;
    ingest_stale_rearm(p);
}

static void share_stale(struct device *d)
{
    int64_t longest = 0;
    for (size_t i = 0; i < d->model->property_count; i++)
        if (d->props[i].stale_declared && d->props[i].series->stale_ms > longest)
            longest = d->props[i].series->stale_ms;
    for (size_t i = 0; i < d->model->property_count; i++) {
        struct device_property *p = &d->props[i];
        if (p->stale_declared || p->series->stale_ms >= longest)
            continue;
        p->series->stale_ms = longest;
        ingest_stale_rearm(p);
    }
}

void registry_share_stale(struct registry *r)
{
    LIST_EACH(&r->now->devices, it)
    share_stale(CONTAINER_OF(it, struct device, link));
}

int model_action(const struct model_def *m, struct str name)
{
    for (size_t i = 0; i < m->action_count; i++)
        if (str_eq(m->actions[i].name, name))
            return (int)i;
    return -1;
}

uint64_t registry_samples(const struct registry *r)
{
    return r->samples;
}
