#include "bus/bus_internal.h"

static size_t or_default(size_t v, size_t fallback)
{
    return v ? v : fallback;
}

static size_t bus_bytes(unsigned workers)
{
    return sizeof(struct bus) + workers * sizeof(struct lane);
}

static void config_defaults(struct bus_config *c)
{
    if (!c->alloc)
        c->alloc = alloc_system();
    c->retained_max = or_default(c->retained_max, 1000000);
    c->retained_bytes_max = or_default(c->retained_bytes_max, 256u << 20);
    c->subscriptions_max = or_default(c->subscriptions_max, 1000000);
    c->subscriptions_bytes_max = or_default(c->subscriptions_bytes_max, (size_t)512 << 20);
    c->ring_max = (uint32_t)or_default(c->ring_max, 4096);
    c->waiting_max = (uint32_t)or_default(c->waiting_max, 4096);
    c->ring_bytes_max = or_default(c->ring_bytes_max, 32u << 20);
    c->waiting_bytes_max = or_default(c->waiting_bytes_max, 64u << 20);
}

static enum err parts_init(struct bus *b)
{
    const struct bus_config *cfg = &b->cfg;
    enum err err = routes_new(&b->routes, cfg->ex, cfg->alloc, cfg->subscriptions_max);
    if (!err)
        b->routes->bytes_max = cfg->subscriptions_bytes_max;
    if (!err)
        err = retained_init(&b->retained, cfg->ex, cfg->alloc, executor_env(cfg->ex)->seed,
                            cfg->retained_max, cfg->retained_bytes_max);
    if (!err)
        err = rings_new(b);
    for (unsigned i = 0; !err && i < b->workers; i++)
        lane_init(&b->lanes[i], b, i);
    return err;
}

enum err bus_new(struct bus **out, const struct bus_config *cfg, struct error *e)
{
    struct bus_config full = *cfg;
    unsigned workers = executor_workers(cfg->ex);
    config_defaults(&full);
    struct bus *b = mem_zero(full.alloc, bus_bytes(workers));
    *out = NULL;
    if (!b)
        return error_set(e, ERR_NOMEM, "no memory for the bus");
    b->cfg = full;
    b->workers = workers;
    b->worker = executor_worker(cfg->ex, 0);
    list_init(&b->sample_listeners);
    list_init(&b->event_listeners);
    series_init(b);
    enum err err = parts_init(b);
    if (err)
        error_set(e, err, "no memory for the bus");
    else if (cfg->journal)
        err = retained_db_open(b, e);
    if (err) {
        bus_free(b);
        return err;
    }
    *out = b;
    return ERR_OK;
}

void bus_free(struct bus *b)
{
    if (!b)
        return;
    retained_db_close(b);
    for (unsigned i = 0; i < b->workers && b->lanes[i].bus; i++)
        lane_fini(&b->lanes[i]);
    rings_free(b);
    routes_free(b->routes);
    retained_fini(&b->retained);
    series_fini(b);
    mem_free(b->cfg.alloc, b, bus_bytes(b->workers));
}

int64_t bus_now_ms(const struct bus *b)
{
    return worker_now_ms(b->worker);
}

struct lane *lane_here(struct bus *b)
{
    struct worker *w = worker_current();
    return &b->lanes[w && worker_executor(w) == b->cfg.ex ? worker_index(w) : 0];
}

struct lane *lane_of(struct bus *b, const struct subscriber *s)
{
    return &b->lanes[s->worker ? worker_index(s->worker) : 0];
}

void lane_bury(struct lane *l)
{
    if (l->delivering)
        return;
    if (l->view->graveyard) {
        uint64_t oldest = l->jobs_n ? jobs_oldest_route(l) : UINT64_MAX;
        if (oldest == UINT64_MAX || oldest != l->buried_to) /* else they are still in use */
            routes_bury(l->bus->routes, l->index, oldest);
        l->buried_to = oldest;
    }
    if (!worker_current())
        grace_idle(l->bus->cfg.ex); /* else it would all wait for the run */
}

uint32_t bus_publisher_id(struct bus *b)
{
    uint32_t id;
    do
        id = atomic_fetch_add_explicit(&b->publisher_last, 1, memory_order_relaxed) + 1;
    while (id == 0);
    return id;
}

/* ---- replay, and looking in ---- */

struct message *bus_message_decode(struct bus *b, const struct journal_record *r)
{
    return message_decode(b->cfg.alloc, r->body, r->seq, r->wall_ms);
}

/* Who has the message by this share, as the record says. NULL: nobody that is stored. */
static const struct route_member *chosen_of(const struct route_group *g,
                                            const struct message_origin *from, uint64_t *chosen)
{
    *chosen = 0;
    if (!from->picked)
        return group_pick_stored(g);
    if (!message_pick(from, g->group->key, chosen) || !*chosen)
        return NULL;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->members[i].sub->more->stored_id == *chosen)
            return &g->members[i];
    return group_pick_stored(g);
}

void bus_match_each(struct bus *b, struct str topic, const struct message_origin *from,
                    void (*each)(void *ctx, struct subscriber *s,
                                 const struct sub_options *const *subs, size_t n, uint64_t chosen),
                    void *ctx)
{
    struct route_view *v = routes_view(b->routes, ROUTE_ALL);
    const struct route *route = route_find(v, topic, routes_hash(b->routes, topic));
    ASSERT(!worker_current());
    for (uint32_t i = 0; route && i < route->entries_n; i++) {
        const struct route_entry *entry = &route->entries[i];
        each(ctx, entry->subscriber, route->subs + entry->first, entry->n, 0);
    }
    for (uint32_t i = 0; route && i < route->groups_n; i++) {
        uint64_t chosen;
        const struct route_member *m = chosen_of(&route->groups[i], from, &chosen);
        const struct sub_options *o = m ? &m->sub->o : NULL;
        if (o)
            each(ctx, m->sub->key.subscriber, &o, 1, chosen);
    }
}

struct message *bus_retained_get(struct bus *b, struct str topic)
{
    return retained_get(&b->retained, topic);
}

void bus_retained_each(struct bus *b, void (*each)(void *ctx, struct message *m), void *ctx)
{
    retained_each(&b->retained, each, ctx);
}

void bus_checkpoint(struct bus *b)
{
    checkpoint_now(&b->retained_db.checkpoint);
}

struct bus_stats bus_stats(const struct bus *b)
{
    struct bus_stats s = {.retained = b->retained.count,
                          .retained_bytes = b->retained.bytes,
                          .subscriptions = routes_count(b->routes)};
    for (unsigned i = 0; i < b->workers; i++) {
        const struct lane *l = &b->lanes[i];
        s.published += atomic_load_explicit(&l->published, memory_order_relaxed);
        s.delivered += atomic_load_explicit(&l->delivered, memory_order_relaxed);
        s.denied += atomic_load_explicit(&l->denied, memory_order_relaxed);
        s.full += atomic_load_explicit(&l->full, memory_order_relaxed);
        s.lost += atomic_load_explicit(&l->lost, memory_order_relaxed);
        s.handed += atomic_load_explicit(&l->handed, memory_order_relaxed);
    }
    return s;
}
