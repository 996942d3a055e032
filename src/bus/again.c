/* again: a message of a share whose member did not take it, or has gone, finds another one. */
#include "bus/bus_internal.h"

enum { HOPS_MAX = 8 }; /* then there is nobody who may have it */

bool again_push(struct lane *l, uint64_t share_id, struct message *m,
                const struct subscriber *except, unsigned hops)
{
    struct again *x = mem_new(l->bus->cfg.alloc, sizeof(*x));
    if (!x) {
        lane_count(&l->lost, 1);
        return false;
    }
    *x = (struct again){.message = message_ref(m),
                        .share_id = share_id,
                        .except = except,
                        .hops = (uint8_t)(hops < HOPS_MAX ? hops : HOPS_MAX)};
    list_init(&x->link);
    list_add_tail(&l->again, &x->link);
    lane_later(l);
    return true;
}

/* To the member, wherever it is. */
static enum outcome give(struct lane *l, struct sub *x, struct message *m, unsigned hops)
{
    bool here = x->o.worker == l->index || !worker_current();
    if (here && l->delivering)
        return NOT_NOW;
    if (here)
        return deliver_again(&l->bus->lanes[x->o.worker], x, m);
    const struct ring_entry e = {.message = m, .sub = x, .kind = RING_SHARE, .hops = (uint8_t)hops};
    if (!room_for(l, 1ull << x->o.worker, 1, 0))
        return NOT_NOW;
    if (m->seq)
        (void)atomic_fetch_add(&l->bus->moved, 1);
    (void)sub_ref(x);
    lane_hand(l, x->o.worker, &e);
    return TAKEN;
}

static enum outcome find(struct lane *l, uint64_t share_id, struct message *m,
                         const struct subscriber *except, unsigned *hops)
{
    for (; *hops < HOPS_MAX; ++*hops) {
        struct sub *x = routes_share_pick(l->bus->routes, share_id, m->qos, except);
        if (!x)
            return NOBODY;
        enum outcome o = give(l, x, m, *hops);
        except = x->key.subscriber;
        sub_unref(l->bus->routes, x);
        if (o != NOBODY)
            return o;
    }
    return NOBODY;
}

bool share_again(struct lane *l, uint64_t share_id, struct message *m,
                 const struct subscriber *except, unsigned hops)
{
    if (!list_empty(&l->again)) /* in their order */
        return again_push(l, share_id, m, except, hops);
    switch (find(l, share_id, m, except, &hops)) {
    case TAKEN: return true;
    case NOT_NOW: return again_push(l, share_id, m, except, hops);
    case NOBODY: break;
    }
    lane_count(&l->lost, 1);
    return false;
}

bool bus_share_again(struct bus *b, uint64_t share_id, struct message *m,
                     const struct subscriber *from)
{
    return share_again(lane_here(b), share_id, m, from, 1); /* 0 is who was chosen first */
}

bool bus_share_waits(struct bus *b)
{
    return !list_empty(&lane_here(b)->again);
}

uint64_t bus_share_key(struct bus *b, uint32_t share_id)
{
    return routes_share_key(b->routes, share_id);
}

uint32_t bus_share_find(struct bus *b, uint64_t key)
{
    return routes_share_find(b->routes, key);
}

bool bus_share_give(struct bus *b, struct subscriber *s, uint64_t key, struct message *m)
{
    struct sub *x = routes_share_member(b->routes, key, s);
    return x && deliver_picked(&b->lanes[x->o.worker], x, m);
}

bool bus_share_has(struct bus *b, uint64_t share_id, const struct subscriber *s)
{
    return routes_share_has(b->routes, share_id, s);
}

static void again_free(struct lane *l, struct again *x)
{
    list_del(&x->link);
    message_unref(x->message);
    mem_free(l->bus->cfg.alloc, x, sizeof(*x));
}

void again_run(struct lane *l)
{
    while (!list_empty(&l->again)) {
        struct again *x = CONTAINER_OF(l->again.next, struct again, link);
        unsigned hops = x->hops;
        enum outcome o = find(l, x->share_id, x->message, x->except, &hops);
        if (o == NOT_NOW)
            return;
        lane_count(&l->lost, o == NOBODY);
        l->progress++;
        again_free(l, x);
    }
}

void again_drop(struct lane *l)
{
    while (l->again.next && !list_empty(&l->again))
        again_free(l, CONTAINER_OF(l->again.next, struct again, link));
}
