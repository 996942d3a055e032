/* replace: another site's devices in the place of those that run.
 *
 * The next catalog is built whole beside the present one, so that a mistake in it costs nothing.
 * A device is recognised by how it is reached or by its id, whatever it is called. */
#include "registry/registry_internal.h"

#include <string.h>

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
           str_eq(a->link_text, b->link_text) && same_model(a->model, b->model);
}

static bool same_mapping(const struct device *a, const struct device *b)
{
    return a->mapping && b->mapping ? str_eq(a->mapping->text, b->mapping->text)
                                    : a->mapping == b->mapping;
}

/* Nothing at all is different, also what no program sees. */
static bool same_declaration(const struct device *a, const struct device *b)
{
    return same_device(a, b) && a->carried == b->carried && same_mapping(a, b);
}

bool registry_next_is_same(struct registry *r, struct str name)
{
    const struct device *now = registry_find(r, name), *next = registry_next(r, name);
    return now && next && same_device(now, next);
}

/* --- what stays and what leaves --- */

/* What tells that two are one physical thing: the first of these that an old one has decides, and a
 * new one is taken once. The last one is for things that never were where they were declared. */
enum sameness { BY_TOPIC, BY_LINK, BY_ID, BY_NAME, BY_CORRECTION, SAMENESSES };

/* Nothing that the site has ever done took effect there, so there is nothing to be made safe. */
static bool never_was_there(const struct device *d)
{
    return (d->topic.n || d->link_text.n) && !d->obeyed && (!d->heard || d->disobeyed);
}

static struct str trait(const struct device *d, enum sameness how)
{
    switch (how) {
    case BY_TOPIC: return d->topic;
    case BY_LINK: return d->link_text;
    case BY_ID: return d->id;
    case BY_NAME: return d->topic.n || d->link_text.n || d->id.n ? STR("") : d->name;
    case BY_CORRECTION: return never_was_there(d) ? d->name : STR("");
    case SAMENESSES: break;
    }
    return STR("");
}

/* Those of `to` that have no predecessor yet, by this trait; the first of equal ones. */
static enum err index_by(struct map *m, struct catalog *to, enum sameness how)
{
    enum err err = ERR_OK;
    LIST_EACH(&to->devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        struct str key = how >= BY_NAME ? d->name : trait(d, how);
        if (key.n && !d->taken && !err)
            err = map_put(m, key, d);
        if (err == ERR_EXISTS)
            err = ERR_OK;
    }
    return err;
}

static void match_by(const struct map *m, struct list *olds, enum sameness how)
{
    LIST_EACH(olds, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        struct str key = trait(old, how);
        struct device *d = key.n && !old->heir ? map_get(m, key) : NULL;
        if (!d || d->taken)
            continue;
        old->heir = d;
        d->taken = true;
        d->corrected = how == BY_CORRECTION;
    }
}

static void clear_heirs(struct list *olds)
{
    LIST_EACH(olds, it)
    CONTAINER_OF(it, struct device, link)->heir = NULL;
}

/* Sets `heir` of each device of now. */
static enum err find_heirs(struct registry *r, struct error *e)
{
    enum err err = ERR_OK;
    clear_heirs(&r->now->devices);
    clear_heirs(&r->now->leaving);
    for (int how = BY_TOPIC; !err && how < SAMENESSES; how++) {
        struct map m;
        map_init(&m, r->cfg.alloc, executor_env(r->cfg.ex)->seed, (size_t)1 << 20);
        err = index_by(&m, r->building, (enum sameness)how);
        match_by(&m, &r->now->devices, (enum sameness)how);
        match_by(&m, &r->now->leaving, (enum sameness)how);
        map_fini(&m);
    }
    return err ? error_set(e, err, "no memory for the devices of the next site") : ERR_OK;
}

struct device *registry_successor(struct registry *r, const struct device *old)
{
    (void)r;
    return old->heir;
}

/* A thing is made safe once, whatever declarations of it there are. */
static struct str owner_of_thing(struct registry *r, const struct device *d)
{
    return d->thing ? STR("") : arena_str(&r->building->arena, d->owner);
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
                         .link_text = arena_str(&c->arena, from->link_text),
                         .port = from->port,
                         .owner_before = owner_of_thing(r, from),
                         .props = props,
                         .leaving = true};
    list_init(&d->actions);
    list_init(&d->twins);
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

/* Its topics, as far as no device of the next site has them. */
static enum err bind_leaving(struct registry *r, struct device *d, const struct device *old,
                             struct error *e)
{
    enum err err = ingest_bind(r, d, e);
    if (!err && old->mapping)
        err = mapping_build(r, d, &old->mapping->def, e);
    return err;
}

static enum err prepare_leaving(struct registry *r, struct device *old, struct error *e)
{
    if ((old->owner.n == 0 || old->thing) && list_empty(&old->actions))
        return ERR_OK;
    struct device *d = copy_leaving(r, old);
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the end of %.*s", STR_FMT(old->name));
    old->heir = d;
    return bind_leaving(r, d, old, e);
}

/* The same physical thing in the next site; its copy that leaves is none. */
static struct device *next_of(const struct device *old)
{
    return old->heir && !old->heir->leaving ? old->heir : NULL;
}

/* The other thing that has its name from now on; NULL: none. */
static struct device *namesake(struct registry *r, const struct device *old)
{
    struct device *next = registry_next(r, old->name);
    return next && !next->taken && !next_of(old) ? next : NULL;
}

static enum device_fate fate_of(struct registry *r, const struct device *old)
{
    const struct device *next = next_of(old);
    if (next)
        return same_declaration(old, next) ? DEVICE_KEPT : DEVICE_CHANGED;
    return namesake(r, old) ? DEVICE_CHANGED : DEVICE_REMOVED;
}

static bool is_added(struct registry *r, const struct device *next)
{
    const struct device *old = map_get(&r->now->names, next->name);
    return !next->taken && !(old && namesake(r, old));
}

void registry_replace_each(struct registry *r,
                           void (*each)(void *ctx, struct str device, enum device_fate fate),
                           void *ctx)
{
    ASSERT(r->building != r->now);
    LIST_EACH(&r->now->devices, it)
    {
        const struct device *old = CONTAINER_OF(it, struct device, link), *next = next_of(old);
        each(ctx, next ? next->name : old->name, fate_of(r, old));
    }
    LIST_EACH(&r->now->leaving, it) /* it comes back */
    {
        const struct device *next = next_of(CONTAINER_OF(it, struct device, link));
        if (next)
            each(ctx, next->name, DEVICE_ADDED);
    }
    LIST_EACH(&r->building->devices, it)
    {
        const struct device *next = CONTAINER_OF(it, struct device, link);
        if (is_added(r, next))
            each(ctx, next->name, DEVICE_ADDED);
    }
}

static void count(void *ctx, struct str device, enum device_fate fate)
{
    struct registry_change *n = ctx;
    size_t *const of[] = {[DEVICE_KEPT] = &n->same,
                          [DEVICE_CHANGED] = &n->changed,
                          [DEVICE_ADDED] = &n->added,
                          [DEVICE_REMOVED] = &n->removed};
    (void)device;
    ++*of[fate];
}

enum err registry_replace_ready(struct registry *r, struct registry_change *out, struct error *e)
{
    struct catalog *next = r->building;
    ASSERT(next != r->now);
    *out = (struct registry_change){0};
    enum err err = find_heirs(r, e);
    LIST_EACH(&r->now->devices, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        if (old->heir)
            old->heir->owner_before = owner_of_thing(r, old);
        else if (!err)
            err = prepare_leaving(r, old, e);
    }
    LIST_EACH(&r->now->leaving, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        if (!err && !old->heir)
            err = prepare_leaving(r, old, e);
    }
    if (!err)
        registry_replace_each(r, count, out);
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
    clear_heirs(&r->now->devices);
    clear_heirs(&r->now->leaving);
    ingest_settle(r, next);
    catalog_free(r, next);
}

/* --- the change --- */

static void carry_reach(struct device *to, struct device *from)
{
    to->reach.state = from->reach.state;
    to->reach.unreadable = from->reach.unreadable;
    memcpy(to->reach.why, from->reach.why, sizeof(to->reach.why));
    online_carry(to, from);
}

/* What is known of the thing, if it is that thing. */
static void carry_known(struct device *to, struct device *from)
{
    to->events_seen = from->events_seen;
    if (to->corrected)
        return;
    to->heard = from->heard;
    to->obeyed = from->obeyed;
    to->disobeyed = from->disobeyed;
    carry_reach(to, from);
}

static void carry(struct registry *r, struct list *devices)
{
    LIST_EACH(devices, it)
    {
        struct device *old = CONTAINER_OF(it, struct device, link);
        struct device *d = old->heir; /* or its copy, which leaves */
        if (d)
            carry_known(d, old);
        bool stays = d && !d->leaving && !d->corrected && str_eq(d->name, old->name);
        if (!stays && !old->leaving) /* there may be one, though no action tells of it any more */
            actions_forget_alert(r, old->name);
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
            registry_reset_stale(r, &d->props[i]);
            ingest_stale_rearm(&d->props[i]);
        }
    }
}

void registry_replace_commit(struct registry *r)
{
    struct catalog *old = r->now;
    carry(r, &old->devices);
    carry(r, &old->leaving);
    r->heard_full = false;
    reset_stale(r);
    r->now = r->building;
    r->building =
        old; /* until registry_replace_settle(): who has its devices still looks at them */
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
    discover_forget_claimed(r);
    ingest_online_retained(r);
}
