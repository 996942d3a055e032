#include "bus/bus_internal.h"

#include <stdio.h>
#include <string.h>

static size_t or_default(size_t v, size_t fallback)
{
    return v ? v : fallback;
}

enum err bus_new(struct bus **out, const struct bus_config *cfg, struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    uint64_t seed = executor_env(cfg->ex)->seed;
    struct bus *b = mem_zero(a, sizeof(*b));
    *out = NULL;
    if (!b)
        return error_set(e, ERR_NOMEM, "no memory for the bus");
    b->cfg = *cfg;
    b->cfg.alloc = a;
    b->cfg.messages = cfg->messages ? cfg->messages : a;
    b->worker = executor_worker(cfg->ex, 0);
    list_init(&b->guards);
    list_init(&b->sample_listeners);
    list_init(&b->event_listeners);
    series_init(b);
    enum err err = routes_init(&b->routes, a, seed, or_default(cfg->subscriptions_max, 1000000));
    if (!err)
        err = retained_init(&b->retained, a, seed, or_default(cfg->retained_max, 100000),
                            or_default(cfg->retained_bytes_max, 64u << 20));
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
    routes_fini(&b->routes);
    retained_fini(&b->retained);
    series_fini(b);
    vec_fini(b->cfg.alloc, &b->local);
    mem_free(b->cfg.alloc, b, sizeof(*b));
}

int64_t bus_now_ms(const struct bus *b)
{
    return worker_now_ms(b->worker);
}

uint32_t bus_publisher_id(struct bus *b)
{
    if (++b->publisher_last == 0)
        b->publisher_last = 1;
    return b->publisher_last;
}

/* ---- guards ---- */

void bus_guard_add(struct bus *b, struct bus_guard *g)
{
    list_add_tail(&b->guards, &g->link);
}

static bool allowed(struct bus *b, const struct bus_publication *p, char why[160])
{
    if (p->from && p->from->trusted)
        return true;
    LIST_EACH(&b->guards, it)
    {
        struct bus_guard *g = CONTAINER_OF(it, struct bus_guard, link);
        if (!g->allow(g, p->from, p->topic, why))
            return false;
    }
    return true;
}

/* ---- publish ---- */

/* The subscriptions of one subscriber that get this publication: all, or those that don't say No
 * Local to its own. Only while nothing is removed; see live_subs(). */
static const struct subscription *const *local_subs(struct bus *b, const struct route *route,
                                                    const struct route_entry *entry,
                                                    uint32_t publisher, size_t *n)
{
    const struct subscription *const *subs = route->subs + entry->first;
    *n = entry->n;
    if (!entry->no_local || !publisher || entry->subscriber->publisher_id != publisher)
        return subs;
    b->local.n = 0;
    for (uint32_t i = 0; i < entry->n; i++)
        if (!subs[i]->no_local && !vec_push(b->cfg.alloc, &b->local, subs[i]))
            break; /* without memory for a list of pointers some are not named */
    *n = b->local.n;
    return b->local.v;
}

/* A subscriber may unsubscribe, itself or others, while a message is being delivered: what was
 * removed then has no subscriber any more. */
static bool still_there(const struct route *route, const struct route_entry *entry)
{
    for (uint32_t i = 0; i < entry->n; i++)
        if (!route->subs[entry->first + i]->subscriber)
            return false;
    return true;
}

static bool needs_journal(struct bus *b, const struct route *route, const struct bus_publication *p)
{
    uint32_t publisher = p->from ? p->from->id : 0;
    if (p->retain || p->session)
        return true;
    for (uint32_t i = 0; i < route->entries_n; i++) {
        const struct route_entry *entry = &route->entries[i];
        size_t n;
        const struct subscription *const *subs = local_subs(b, route, entry, publisher, &n);
        if (n && entry->subscriber->durable &&
            entry->subscriber->durable(entry->subscriber, p, subs, n))
            return true;
    }
    return false;
}

static uint32_t deliver(struct bus *b, const struct route *route, struct message *m)
{
    uint64_t generation = b->routes.generation;
    uint32_t matched = 0;
    b->delivering = true;
    for (uint32_t i = 0; i < route->entries_n; i++) {
        const struct route_entry *entry = &route->entries[i];
        if (b->routes.generation != generation && !still_there(route, entry))
            continue;
        size_t n;
        const struct subscription *const *subs = local_subs(b, route, entry, m->publisher, &n);
        if (!n)
            continue;
        entry->subscriber->deliver(entry->subscriber, m, subs, n, false);
        matched++;
    }
    b->delivering = false;
    routes_bury(&b->routes);
    b->delivered += matched;
    return matched;
}

static enum err append(struct bus *b, const struct bus_publication *p, struct message *m)
{
    struct message_head head;
    struct iovec parts[3];
    if (!b->cfg.journal)
        return ERR_OK;
    const struct message_origin origin = {.publisher = p->from ? p->from->name : STR(""),
                                          .session = p->session,
                                          .packet_id = p->packet_id};
    unsigned n = message_record(m, &origin, &head, parts);
    return journal_append(b->cfg.journal, JOURNAL_MESSAGE, false, parts, n, &m->seq);
}

static struct message *make(struct bus *b, const struct bus_publication *p)
{
    struct message *m = message_new(b->cfg.messages, p->topic, p->properties, p->payload);
    if (!m)
        return NULL;
    m->qos = p->qos;
    m->retain = p->retain;
    m->expiry_s = p->expiry_s;
    m->publisher = p->from ? p->from->id : 0;
    m->wall_ms = bus_now_ms(b);
    return m;
}

enum err bus_publish(struct bus *b, const struct bus_publication *p, struct bus_receipt *r)
{
    enum err err = ERR_OK;
    ASSERT(!b->delivering); /* a subscriber that publishes does so at the end of its tick */
    *r = (struct bus_receipt){0};
    if (!allowed(b, p, r->why)) {
        b->denied++;
        return ERR_DENIED;
    }
    if (p->retain)
        err = retained_prepare(&b->retained, p->topic, p->payload.n, r->why);
    if (err)
        return err;
    const struct route *route = routes_find(&b->routes, p->topic);
    struct message *m = route ? make(b, p) : NULL;
    err = !m ? ERR_NOMEM : needs_journal(b, route, p) ? append(b, p, m) : ERR_OK;
    if (err)
        (void)snprintf(r->why, sizeof(r->why), "%s",
                       err == ERR_NOMEM  ? "no memory"
                       : err == ERR_FULL ? "the journal can take no more now"
                       : err == ERR_IO   ? "the journal has failed"
                                         : "it is larger than the journal takes");
    if (err && err != ERR_IO) {
        if (p->retain)
            retained_unprepare(&b->retained, p->topic);
        message_unref(m);
        return err;
    }
    b->published++;
    r->seq = m->seq;
    if (p->retain) {
        retained_set(&b->retained, m);
        if (b->retained.track)
            checkpoint_changed(&b->retained_db.checkpoint);
    }
    r->matched = deliver(b, route, m);
    message_unref(m);
    return err;
}

/* ---- subscriptions ---- */

enum err bus_subscribe(struct bus *b, const struct subscription *sub, bool *existed)
{
    bool ignored;
    return routes_add(&b->routes, sub, existed ? existed : &ignored);
}

bool bus_unsubscribe(struct bus *b, struct subscriber *s, struct str filter)
{
    return routes_remove(&b->routes, s, filter, b->delivering);
}

void bus_unsubscribe_all(struct bus *b, struct subscriber *s)
{
    routes_remove_all(&b->routes, s, b->delivering);
}

void bus_subscriptions_each(const struct subscriber *s,
                            void (*each)(void *ctx, const struct subscription *sub), void *ctx)
{
    for (const struct sub *x = s->subscriptions; x; x = x->next)
        each(ctx, &x->pub);
}

struct send {
    const struct subscription *sub;
    int64_t now_ms;
    uint32_t sent;
};

static void send_one(void *ctx, struct message *m)
{
    struct send *s = ctx;
    if (message_expired(m, s->now_ms))
        return;
    if (s->sub->no_local && s->sub->subscriber->publisher_id &&
        s->sub->subscriber->publisher_id == m->publisher)
        return;
    s->sub->subscriber->deliver(s->sub->subscriber, m, &s->sub, 1, true);
    s->sent++;
}

void bus_send_retained(struct bus *b, const struct subscription *sub)
{
    struct send s = {.sub = sub, .now_ms = bus_now_ms(b)};
    bool outer = b->delivering;
    b->delivering = true;
    retained_match(&b->retained, sub->filter, send_one, &s);
    b->delivering = outer;
    if (!outer)
        routes_bury(&b->routes);
    b->delivered += s.sent;
}

/* ---- replay, and looking in ---- */

struct message *bus_message_decode(struct bus *b, const struct journal_record *r)
{
    return message_decode(b->cfg.messages, r->body, r->seq, r->wall_ms);
}

void bus_match_each(struct bus *b, struct str topic,
                    void (*each)(void *ctx, struct subscriber *s,
                                 const struct subscription *const *subs, size_t n),
                    void *ctx)
{
    ASSERT(!b->delivering);
    const struct route *route = routes_find(&b->routes, topic);
    for (uint32_t i = 0; route && i < route->entries_n; i++) {
        const struct route_entry *entry = &route->entries[i];
        each(ctx, entry->subscriber, route->subs + entry->first, entry->n);
    }
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
    return (struct bus_stats){.published = b->published,
                              .delivered = b->delivered,
                              .denied = b->denied,
                              .retained = b->retained.count,
                              .retained_bytes = b->retained.bytes,
                              .subscriptions = b->routes.index.n};
}
