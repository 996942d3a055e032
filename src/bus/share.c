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

static size_t group_bytes(size_t name_n)
{
    return sizeof(struct share_group) + name_n;
}

void group_unref(struct routes *r, struct share_group *g)
{
    if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) > 1)
        return;
    vec_fini(r->alloc, &g->members);
    mem_free(r->alloc, g, group_bytes(g->name_n));
}

static struct str names_key(const struct share_group *g)
{
    return (struct str){(const char *)&g->node, sizeof(g->node) + g->name_n};
}

struct share_group *group_find(const struct routes *r, struct trie_node *node, struct str name)
{
    char key[sizeof(node) + UINT16_MAX];
    if (name.n > UINT16_MAX)
        return NULL;
    memcpy(key, &node, sizeof(node));
    memcpy(key + sizeof(node), name.p, name.n);
    return map_get(&r->group_names, (struct str){key, sizeof(node) + name.n});
}

/* A number that no group has. They come again after 2^32 groups: who still knows one of a group
 * that went so long ago asks in vain, or asks another group. */
static uint32_t next_id(struct routes *r)
{
    do
        r->group_last++;
    while (r->group_last == 0 ||
           map_get(&r->groups, (struct str){(const char *)&r->group_last, sizeof(uint32_t)}));
    return r->group_last;
}

/* FNV-1a, as it is on disk: never change it. A name has no `/`. */
static uint64_t key_of(struct str name, struct str filter)
{
    uint64_t h = 0xCBF29CE484222325;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (uint8_t)name.p[i]) * 0x100000001B3;
    h = (h ^ '/') * 0x100000001B3;
    for (size_t i = 0; i < filter.n; i++)
        h = (h ^ (uint8_t)filter.p[i]) * 0x100000001B3;
    return h ? h : 1;
}

struct share_group *group_at(struct routes *r, struct trie_node *node, struct str name,
                             struct str filter)
{
    struct share_group *g = group_find(r, node, name);
    if (g || !(g = mem_zero(r->alloc, group_bytes(name.n))))
        return g;
    g->id = next_id(r);
    g->node = node;
    g->key = key_of(name, filter);
    g->name_n = name.n;
    memcpy(g->name, name.p, name.n);
    atomic_init(&g->refs, 1); /* the maps' */
    enum err err = map_put(&r->groups, id_of(g), g);
    if (!err && (err = map_put(&r->group_names, names_key(g), g)))
        (void)map_del(&r->groups, id_of(g));
    if (!err) {
        r->group_bytes += group_bytes(name.n);
        return g;
    }
    group_unref(r, g);
    return NULL;
}

void group_prune(struct routes *r, struct share_group *g)
{
    if (!g || g->members.n)
        return;
    (void)map_del(&r->groups, id_of(g));
    (void)map_del(&r->group_names, names_key(g));
    r->group_bytes -= group_bytes(g->name_n);
    group_unref(r, g);
}

/* How gladly it takes a message: more is better; 0: not at all. */
static unsigned eagerness(const struct sub *x, unsigned flags, unsigned qos)
{
    switch (atomic_load_explicit(&x->more->presence, memory_order_relaxed)) {
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
                                      const struct subscriber *except)
{
    const struct route_member *best = NULL;
    unsigned best_eagerness = 0;
    uint32_t turn = next_turn(g->group);
    for (uint32_t i = 0; i < g->n && best_eagerness < 3; i++) {
        const struct route_member *m = &g->members[(turn + i) % g->n];
        unsigned e = m->sub->key.subscriber == except ? 0 : eagerness(m->sub, m->flags, qos);
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

bool routes_share_has(struct routes *r, uint64_t share_id, const struct subscriber *s)
{
    uint32_t id = (uint32_t)share_id;
    bool found = false;
    pthread_mutex_lock(&r->trie.lock);
    struct share_group *g = map_get(&r->groups, (struct str){(const char *)&id, sizeof(id)});
    for (uint32_t i = 0; g && i < g->members.n && !found; i++)
        found = g->members.v[i]->key.subscriber == s;
    pthread_mutex_unlock(&r->trie.lock);
    return found;
}

uint64_t routes_share_key(struct routes *r, uint32_t share_id)
{
    pthread_mutex_lock(&r->trie.lock);
    const struct share_group *g =
        map_get(&r->groups, (struct str){(const char *)&share_id, sizeof(share_id)});
    uint64_t key = g ? g->key : 0;
    pthread_mutex_unlock(&r->trie.lock);
    return key;
}

/* Rare, so the groups are looked through. */
static struct share_group *find_key(const struct routes *r, uint64_t key)
{
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&r->groups, &at, &name, &value);)
        if (((const struct share_group *)value)->key == key)
            return value;
    return NULL;
}

uint32_t routes_share_find(struct routes *r, uint64_t key)
{
    pthread_mutex_lock(&r->trie.lock);
    const struct share_group *g = find_key(r, key);
    uint32_t id = g ? g->id : 0;
    pthread_mutex_unlock(&r->trie.lock);
    return id;
}

struct sub *routes_share_member(struct routes *r, uint64_t key, const struct subscriber *s)
{
    struct sub *found = NULL;
    pthread_mutex_lock(&r->trie.lock);
    const struct share_group *g = find_key(r, key);
    for (uint32_t i = 0; g && i < g->members.n && !found; i++)
        if (g->members.v[i]->key.subscriber == s)
            found = g->members.v[i];
    pthread_mutex_unlock(&r->trie.lock);
    return found;
}

struct sub *routes_share_pick(struct routes *r, uint64_t share_id, unsigned qos,
                              const struct subscriber *except)
{
    struct sub *best = NULL;
    unsigned best_eagerness = 0;
    uint32_t id = (uint32_t)share_id;
    pthread_mutex_lock(&r->trie.lock);
    struct share_group *g = map_get(&r->groups, (struct str){(const char *)&id, sizeof(id)});
    uint32_t turn = g ? next_turn(g) : 0;
    for (uint32_t i = 0; g && i < g->members.n && best_eagerness < 3; i++) {
        struct sub *x = g->members.v[(turn + i) % g->members.n];
        unsigned flags = sub_flags(x);
        unsigned e = x->key.subscriber == except ? 0 : eagerness(x, flags, qos);
        if (e > best_eagerness) {
            best = x;
            best_eagerness = e;
        }
    }
    if (best)
        sub_ref(best);
    pthread_mutex_unlock(&r->trie.lock);
    return best;
}
