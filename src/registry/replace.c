/* replace: another site's devices in the place of those that run.
 *
 * The next catalog is built whole beside the present one, so that a mistake in it costs nothing.
 * A device is recognised by its topic: that is what is commanded, whatever it is called. */
#include "registry/registry_internal.h"

enum err registry_replace_begin(struct registry *r, struct error *e)
{
    ASSERT(r->building == r->now);
    struct catalog *c = catalog_new(r);
    if (!c)
        return error_set(e, ERR_NOMEM, "no memory for the devices of the next site");
    r->building = c;
    return ERR_OK;
}

struct device *registry_next(struct registry *r, struct str name)
{
    return map_get(&r->building->names, name);
}

struct list *registry_leaving(struct registry *r)
{
    return &r->now->leaving;
}

/* --- what is equal --- */

static bool same_properties(const struct model_def *a, const struct model_def *b)
{
    if (a->property_count != b->property_count)
        return false;
    for (size_t i = 0; i < a->property_count; i++) {
        const struct property_def *p = &a->properties[i], *q = &b->properties[i];
        if (!str_eq(p->name, q->name) || !str_eq(p->unit, q->unit) || p->kind != q->kind ||
            p->has_range != q->has_range || p->min != q->min || p->max != q->max)
            return false;
    }
    return true;
}

static bool same_params(const struct action_def *a, const struct action_def *b)
{
    if (a->param_count != b->param_count)
        return false;
    for (size_t i = 0; i < a->param_count; i++) {
        const struct param_def *p = &a->params[i], *q = &b->params[i];
        if (!str_eq(p->name, q->name) || !str_eq(p->unit, q->unit) || p->kind != q->kind)
            return false;
    }
    return true;
}

static bool same_actions(const struct model_def *a, const struct model_def *b)
{
    if (a->action_count != b->action_count)
        return false;
    for (size_t i = 0; i < a->action_count; i++) {
        const struct action_def *p = &a->actions[i], *q = &b->actions[i];
        if (!str_eq(p->name, q->name) || p->safe != q->safe || !same_params(p, q) ||
            p->confirm_property != q->confirm_property ||
            p->confirm_compare != q->confirm_compare || p->confirm_value != q->confirm_value)
            return false;
    }
    return true;
}

static bool same_events(const struct model_def *a, const struct model_def *b)
{
    if (a->event_count != b->event_count)
        return false;
    for (size_t i = 0; i < a->event_count; i++)
        if (!str_eq(a->events[i], b->events[i]))
            return false;
    return true;
}

static bool same_model(const struct model_def *a, const struct model_def *b)
{
    return str_eq(a->name, b->name) && same_properties(a, b) && same_actions(a, b) &&
           same_events(a, b);
}

static bool same_device(const struct device *a, const struct device *b)
{
    return str_eq(a->name, b->name) && str_eq(a->topic, b->topic) && str_eq(a->id, b->id) &&
           same_model(a->model, b->model);
}

bool registry_next_is_same(struct registry *r, struct str name)
{
    const struct device *now = registry_find(r, name), *next = registry_next(r, name);
    return now && next && same_device(now, next);
}

/* --- what stays and what leaves --- */

static struct device *device_at(const struct catalog *c, struct str topic)
{
    const struct topic_binding *b = map_get(&c->topics, topic);
    return b && b->role == TOPIC_OBJECT && str_eq(b->device->topic, topic) ? b->device : NULL;
}

struct device *registry_successor(struct registry *r, const struct device *old)
{
    return device_at(r->now, old->topic);
}

/* A copy without a name in what is being built; its topics, as far as nobody else has them. */
static struct device *copy_leaving(struct registry *r, const struct device *from)
{
    struct catalog *c = r->building;
    size_t n = from->model->property_count;
    struct device *d = arena_new(&c->arena, sizeof(*d));
    struct device_property *props = arena_array(&c->arena, n ? n : 1, sizeof(*props));
    const struct model_def *model = catalog_model(r, from->model);
    if (!d || !props || !model)
        return NULL;
    *d = (struct device){.registry = r,
                         .model = model,
                         .name = arena_str(&c->arena, from->name),
                         .id = arena_str(&c->arena, from->id),
                         .topic = arena_str(&c->arena, from->topic),
                         .owner_before = arena_str(&c->arena, from->owner),
                         .props = props,
                         .leaving = true};
    list_init(&d->actions);
    for (size_t i = 0; i < n; i++) {
        struct series *s = from->props[i].series;
        props[i] = (struct device_property){.device = d, .def = &model->properties[i], .series = s};
        bool taken = s->index < c->by_series_n && c->by_series[s->index];
        if (!taken && !catalog_index(r, &props[i]))
            return NULL;
    }
    list_add_tail(&c->leaving, &d->link);
    return c->arena.failed ? NULL : d;
}

static enum err prepare_leaving(struct registry *r, const struct device *old, struct error *e)
{
    if (old->owner.n == 0 && list_empty(&old->actions))
        return ERR_OK;
    struct device *d = copy_leaving(r, old);
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the end of %.*s", STR_FMT(old->name));
    struct error taken = {0}; /* by one of the next site: then it is left to that one */
    enum err err = ingest_bind(r, d, &taken);
    return err == ERR_EXISTS ? ERR_OK : err ? error_set(e, err, "%s", taken.text) : ERR_OK;
}

static void count(struct registry_change *n, const struct device *old, const struct device *next)
{
    if (!next)
        n->removed++;
    else if (same_device(old, next))
        n->same++;
    else
        n->changed++;
}

enum err registry_replace_ready(struct registry *r, struct registry_change *out, struct error *e)
{
    struct catalog *next = r->building;
    ASSERT(next != r->now);
    *out = (struct registry_change){0};
    enum err err = ERR_OK;
    LIST_EACH(&r->now->devices, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        struct device *d = device_at(next, old->topic);
        count(out, old, d);
        if (d)
            d->owner_before = arena_str(&next->arena, old->owner);
        else if (!err)
            err = prepare_leaving(r, old, e);
    }
    LIST_EACH(&r->now->leaving, it)
    if (!err && !device_at(next, CONTAINER_OF(it, struct device, link)->topic))
        err = prepare_leaving(r, CONTAINER_OF(it, struct device, link), e);
    out->added = next->device_count - out->same - out->changed;
    if (!err && next->arena.failed)
        err = error_set(e, ERR_NOMEM, "no memory for the devices of the next site");
    return err;
}

void registry_replace_cancel(struct registry *r)
{
    struct catalog *next = r->building;
    r->building = r->now;
    if (next == r->now)
        return;
    ingest_settle(r, next);
    catalog_free(r, next);
}

/* --- the change --- */

static void carry(struct registry *r, struct list *devices)
{
    LIST_EACH(devices, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        struct device *d = device_at(r->building, old->topic); /* or its copy, which leaves */
        if (d)
            d->events_seen = old->events_seen;
        LIST_EACH_SAFE(&old->actions, action)
        action_carry(CONTAINER_OF(action, struct action, device_link), d);
    }
}

/* Who reads a property says anew how long it may be silent. */
static void reset_stale(struct registry *r)
{
    LIST_EACH(&r->building->devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        for (size_t i = 0; i < d->model->property_count; i++) {
            d->props[i].series->stale_ms = r->cfg.stale_default_ms;
            ingest_stale_rearm(&d->props[i]);
        }
    }
}

void registry_replace_commit(struct registry *r)
{
    struct catalog *old = r->now;
    carry(r, &old->devices);
    carry(r, &old->leaving);
    reset_stale(r);
    r->now = r->building;
    r->building =
        old; /* until registry_replace_settle(): who has its devices still looks at them */
    discover_forget_claimed(r);
}

void registry_replace_settle(struct registry *r)
{
    struct catalog *old = r->building;
    r->building = r->now;
    if (old != r->now) {
        ingest_settle(r, old);
        catalog_free(r, old);
    }
    ingest_clear_retained(r);
}
