/* share: the groups of shared subscriptions, and which member gets a message. */
#include "bus/bus_internal.h"

#include <string.h>

static struct str id_of(const struct share_group *g)
{
    return (struct str){(const char *)&g->id, sizeof(g->id)};
}

void group_ref(struct share_group *g)
{
    if (g)
        atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
}

void group_unref(struct routes *r, struct share_group *g)
{
    if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) > 1)
        return;
    vec_fini(r->alloc, &g->members);
    mem_free(r->alloc, g, sizeof(*g) + g->name_n);
}

struct share_group *group_find(struct sub_set *set, struct str name)
{
    LIST_EACH(&set->groups, it)
    {
        struct share_group *g = CONTAINER_OF(it, struct share_group, link);
        if (str_eq((struct str){g->name, g->name_n}, name))
            return g;
    }
    return NULL;
}

struct share_group *group_at(struct routes *r, struct sub_set *set, struct str name)
{
    struct share_group *g = group_find(set, name);
    if (g || !(g = mem_zero(r->alloc, sizeof(*g) + name.n)))
        return g;
    g->id = ++r->group_last;
    g->set = set;
    g->name_n = name.n;
    memcpy(g->name, name.p, name.n);
    atomic_init(&g->refs, 1); /* the set's */
    if (map_put(&r->groups, id_of(g), g)) {
        mem_free(r->alloc, g, sizeof(*g) + name.n);
        return NULL;
    }
    list_add_tail(&set->groups, &g->link);
    return g;
}

void group_prune(struct routes *r, struct share_group *g)
{
    if (g->members.n)
        return;
    (void)map_del(&r->groups, id_of(g));
    list_del(&g->link);
    group_unref(r, g);
}

/* How gladly it takes a message: more is better; 0: not at all. */
static unsigned eagerness(const struct sub *x, unsigned flags, unsigned qos)
{
    switch (atomic_load_explicit(&x->presence, memory_order_relaxed)) {
    case BUS_READY: return 3;
    case BUS_BUSY: return 2;
    default: return qos && flags & SUB_STORED ? 1 : 0;
    }
}

/* The counter is no more than a hint: two workers that use one turn do no harm. */
static uint32_t next_turn(struct share_group *g)
{
    uint32_t turn = atomic_load_explicit(&g->turn, memory_order_relaxed);
    atomic_store_explicit(&g->turn, turn + 1, memory_order_relaxed);
    return turn;
}

const struct route_member *group_pick(const struct route_group *g, unsigned qos,
                                      const struct subscriber * not )
{
    const struct route_member *best = NULL;
    unsigned best_eagerness = 0;
    uint32_t turn = next_turn(g->group);
    for (uint32_t i = 0; i < g->n && best_eagerness < 3; i++) {
        const struct route_member *m = &g->members[(turn + i) % g->n];
        unsigned e = m->sub->key.subscriber == not ? 0 : eagerness(m->sub, m->flags, qos);
        if (e > best_eagerness) {
            best = m;
            best_eagerness = e;
        }
    }
    return best;
}

const struct route_member *group_pick_stored(const struct route_group *g)
{
    uint32_t turn = next_turn(g->group);
    for (uint32_t i = 0; i < g->n; i++)
        if (g->members[(turn + i) % g->n].flags & SUB_STORED)
            return &g->members[(turn + i) % g->n];
    return NULL;
}

struct sub *routes_share_pick(struct routes *r, uint64_t share_id, unsigned qos,
                              const struct subscriber * not )
{
    struct sub *best = NULL;
    unsigned best_eagerness = 0;
    pthread_mutex_lock(&r->lock);
    struct share_group *g =
        map_get(&r->groups, (struct str){(const char *)&share_id, sizeof(share_id)});
    uint32_t turn = g ? next_turn(g) : 0;
    for (uint32_t i = 0; g && i < g->members.n && best_eagerness < 3; i++) {
        struct sub *x = g->members.v[(turn + i) % g->members.n];
        unsigned flags = atomic_load_explicit(&x->flags, memory_order_relaxed);
        unsigned e = x->key.subscriber == not ? 0 : eagerness(x, flags, qos);
        if (e > best_eagerness) {
            best = x;
            best_eagerness = e;
        }
    }
    if (best)
        sub_ref(best);
    pthread_mutex_unlock(&r->lock);
    return best;
}
