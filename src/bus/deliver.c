/* deliver: a message to the subscribers of one worker. */
#include "bus/bus_internal.h"

/* The subscriptions of one subscriber that get this publication: all, or those that don't say No
 * Local to its own. Only while nothing is removed; see still_there(). */
static const struct sub_options *const *local_subs(struct lane *l, const struct route *route,
                                                   const struct route_entry *entry,
                                                   uint32_t publisher, size_t *n)
{
    const struct sub_options *const *subs = route->subs + entry->first;
    *n = entry->n;
    if (!entry->no_local || !publisher || entry->subscriber->publisher_id != publisher)
        return subs;
    l->local.n = 0;
    for (uint32_t i = 0; i < entry->n; i++)
        if (!subs[i]->no_local && !vec_push(l->bus->cfg.alloc, &l->local, subs[i]))
            break; /* without memory for a list of pointers some are not named */
    *n = l->local.n;
    return l->local.v;
}

/* A subscriber may unsubscribe, itself or others, while a message is being delivered: what was
 * removed then is marked. */
static bool still_there(const struct route *route, const struct route_entry *entry)
{
    for (uint32_t i = 0; i < entry->n; i++)
        if (route->subs[entry->first + i]->gone)
            return false;
    return true;
}

bool route_needs_journal(struct lane *l, const struct route *route, unsigned qos,
                         uint32_t publisher)
{
    if (route->flags & SUB_KEPT || (qos && route->flags & SUB_STORED))
        return true;
    if (!qos || !(route->flags & SUB_NO_LOCAL))
        return false;
    for (uint32_t i = 0; i < route->entries_n; i++) {
        size_t n;
        const struct sub_options *const *subs =
            local_subs(l, route, &route->entries[i], publisher, &n);
        for (size_t j = 0; j < n; j++)
            if (sub_flags(CONTAINER_OF(subs[j], struct sub, o)) & SUB_STORED)
                return true;
    }
    return false;
}

static bool deliver_entry(struct lane *l, const struct route *route,
                          const struct route_entry *entry, struct message *m)
{
    size_t n;
    struct subscriber *s = entry->subscriber;
    const struct sub_options *const *subs = local_subs(l, route, entry, m->publisher, &n);
    if (!n || !access_of(l->bus, s, BUS_ACT_DELIVER, message_topic(m)))
        return false;
    s->deliver(s, m, subs, n, false);
    return true;
}

uint32_t deliver_slice(struct lane *l, const struct slice *x)
{
    uint32_t got = 0;
    const struct route *route = x->route;
    struct message *m = x->message;
    l->delivering = true;
    for (uint32_t i = x->from; i < x->to; i++) {
        const struct route_entry *entry = &route->entries[i];
        if (l->removed != x->removed && !still_there(route, entry))
            continue;
        got += deliver_entry(l, route, entry, m);
    }
    l->delivering = false;
    lane_count(&l->delivered, got);
    return got;
}

void deliver_observers(struct lane *l, const struct route *route, struct message *m)
{
    uint64_t removed = l->removed;
    l->delivering = true;
    for (uint32_t i = 0; i < route->observers_n; i++)
        if (l->removed == removed || still_there(route, &route->observers[i]))
            (void)deliver_entry(l, route, &route->observers[i], m);
    l->delivering = false;
}

bool deliver_retained(struct lane *l, struct sub *x, struct message *m)
{
    const struct sub_options *o = &x->o;
    struct subscriber *s = x->key.subscriber;
    if (message_expired(m, worker_now_ms(l->worker)) ||
        (o->no_local && s->publisher_id && s->publisher_id == m->publisher) ||
        !access_of(l->bus, s, BUS_ACT_DELIVER, message_topic(m)))
        return false;
    bool outer = l->delivering;
    l->delivering = true;
    s->deliver(s, m, &o, 1, true);
    l->delivering = outer;
    return true;
}

static bool may_take(const struct lane *l, const struct sub *x, const struct message *m)
{
    return !x->o.gone && access_of(l->bus, x->key.subscriber, BUS_ACT_DELIVER, message_topic(m));
}

enum outcome deliver_again(struct lane *l, struct sub *x, struct message *m)
{
    if (!may_take(l, x, m)) /* first of all: who has left may have been freed */
        return NOBODY;
    struct subscriber *s = x->key.subscriber;
    if (!s->again)
        return deliver_picked(l, x, m) ? TAKEN : NOBODY;
    l->delivering = true;
    bool taken = s->again(s, m, &x->o);
    l->delivering = false;
    lane_count(&l->delivered, taken);
    return taken ? TAKEN : NOT_NOW;
}

bool deliver_picked(struct lane *l, struct sub *x, struct message *m)
{
    struct subscriber *s = x->key.subscriber;
    const struct sub_options *o = &x->o;
    if (!may_take(l, x, m))
        return false;
    l->delivering = true;
    s->deliver(s, m, &o, 1, false);
    l->delivering = false;
    lane_count(&l->delivered, 1);
    return true;
}
