/* subscribe: subscriptions that come and go, each on its subscriber's worker. */
#include "bus/bus_internal.h"

enum err bus_subscribe(struct bus *b, const struct subscription *sub, bool *existed)
{
    bool ignored;
    if (!access_of(b, sub->subscriber, BUS_ACT_SUBSCRIBE, sub->filter))
        return ERR_DENIED;
    enum err err = routes_add(b->routes, sub, existed ? existed : &ignored);
    lane_bury(lane_of(b, sub->subscriber));
    return err;
}

static void forget(struct lane *l, struct sub *x)
{
    l->removed++;
    if (l->held)
        lane_later(l);
    routes_remove(l->bus->routes, x, l->number_last);
}

bool bus_unsubscribe(struct bus *b, struct subscriber *s, struct str share, struct str filter)
{
    struct lane *l = lane_of(b, s);
    struct sub *x = routes_sub(b->routes, s, share, filter);
    if (x)
        forget(l, x);
    lane_bury(l);
    return x;
}

void bus_unsubscribe_all(struct bus *b, struct subscriber *s)
{
    struct lane *l = lane_of(b, s);
    while (s->subscriptions)
        forget(l, s->subscriptions);
    lane_bury(l);
}

void bus_subscriptions_each(const struct subscriber *s,
                            void (*each)(void *ctx, const struct subscription *sub), void *ctx)
{
    char filter[SUB_FILTER_MAX];
    for (const struct sub *x = s->subscriptions; x; x = x->next) {
        const struct subscription sub = sub_describe(x, filter);
        each(ctx, &sub);
    }
}

void bus_presence_set(struct bus *b, struct subscriber *s, enum bus_presence p)
{
    struct lane *l = lane_of(b, s);
    if (s->presence == p)
        return;
    s->presence = p & 3u;
    if (l->held && p != BUS_BUSY) /* some of its retained messages may have waited for that */
        lane_later(l);
    if (!s->shares)
        return;
    for (struct sub *x = s->subscriptions; x; x = x->next)
        if (x->more)
            atomic_store_explicit(&x->more->presence, (uint16_t)p, memory_order_relaxed);
}

void bus_send_retained(struct bus *b, const struct subscription *sub)
{
    struct lane *l = lane_of(b, sub->subscriber);
    struct sub *x = routes_sub(b->routes, sub->subscriber, sub->share, sub->filter);
    if (x)
        job_retained(l, x, sub->filter);
    lane_bury(l);
}
