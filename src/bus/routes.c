#include "bus/bus_internal.h"

#include <string.h>

enum err routes_init(struct routes *r, struct alloc *a, uint64_t seed, size_t max)
{
    *r = (struct routes){.alloc = a, .seed = seed, .generation = 1};
    map_init(&r->index, a, seed, max);
    r->cache = mem_array(a, (size_t)ROUTE_SETS * 2, sizeof(struct route *));
    if (!r->cache)
        return ERR_NOMEM;
    return levels_init(&r->levels, a, seed);
}

static size_t route_bytes(size_t entries, size_t subs, size_t topic)
{
    return sizeof(struct route) + entries * sizeof(struct route_entry) +
           subs * sizeof(struct subscription *) + topic;
}

static void route_free(struct routes *r, struct route *x)
{
    if (x)
        mem_free(r->alloc, x, x->bytes);
}

static void cache_clear(struct routes *r)
{
    for (size_t i = 0; r->cache && i < (size_t)ROUTE_SETS * 2; i++) {
        route_free(r, r->cache[i]);
        r->cache[i] = NULL;
    }
    route_free(r, r->large);
    r->large = NULL;
    r->cache_bytes = 0;
}

static void set_free(struct routes *r, struct sub_set *set)
{
    vec_fini(r->alloc, &set->subs);
    mem_free(r->alloc, set, sizeof(*set) + set->filter_n);
}

static void drop_set(void *ctx, void *value)
{
    struct routes *r = ctx;
    struct sub_set *set = value;
    for (size_t i = 0; i < set->subs.n; i++)
        mem_free(r->alloc, set->subs.v[i], sizeof(struct sub));
    set_free(r, set);
}

void routes_fini(struct routes *r)
{
    if (!r->alloc)
        return;
    cache_clear(r);
    mem_free(r->alloc, r->cache, (size_t)ROUTE_SETS * 2 * sizeof(struct route *));
    routes_bury(r);
    levels_fini(&r->levels, drop_set, r);
    map_fini(&r->index);
    vec_fini(r->alloc, &r->found);
    *r = (struct routes){0};
}

static struct str key_of(const struct sub_key *k)
{
    return (struct str){(const char *)k, sizeof(*k)};
}

static struct sub *sub_find(const struct routes *r, struct sub_set *set, struct subscriber *s)
{
    struct sub_key key = {set, s};
    return map_get(&r->index, key_of(&key));
}

static struct sub_set *set_new(struct routes *r, struct level *l, struct str filter)
{
    struct sub_set *set = mem_zero(r->alloc, sizeof(*set) + filter.n);
    if (!set)
        return NULL;
    set->level = l;
    set->filter_n = filter.n;
    memcpy(set->filter, filter.p, filter.n);
    l->value = set;
    return set;
}

static void set_prune(struct routes *r, struct sub_set *set)
{
    if (set->subs.n)
        return;
    struct level *l = set->level;
    set_free(r, set);
    l->value = NULL;
    levels_prune(&r->levels, l);
}

static enum err sub_add(struct routes *r, struct sub_set *set, const struct subscription *sub)
{
    struct sub *x = mem_zero(r->alloc, sizeof(*x));
    if (!x)
        return ERR_NOMEM;
    x->pub = *sub;
    x->pub.filter = (struct str){set->filter, set->filter_n};
    x->key = (struct sub_key){set, sub->subscriber};
    x->at = (uint32_t)set->subs.n;
    if (!vec_push(r->alloc, &set->subs, x)) {
        mem_free(r->alloc, x, sizeof(*x));
        return ERR_NOMEM;
    }
    enum err err = map_put(&r->index, key_of(&x->key), x);
    if (err) {
        set->subs.n--;
        mem_free(r->alloc, x, sizeof(*x));
        return err;
    }
    x->next = sub->subscriber->subscriptions;
    if (x->next)
        x->next->prev = x;
    sub->subscriber->subscriptions = x;
    return ERR_OK;
}

enum err routes_add(struct routes *r, const struct subscription *sub, bool *existed)
{
    struct level *l = NULL;
    *existed = false;
    enum err err = levels_make(&r->levels, sub->filter, &l);
    if (err)
        return err;
    struct sub_set *set = l->value;
    struct sub *old = set ? sub_find(r, set, sub->subscriber) : NULL;
    r->generation++;
    if (old) {
        struct str filter = old->pub.filter;
        old->pub = *sub;
        old->pub.filter = filter;
        *existed = true;
        return ERR_OK;
    }
    if (!set)
        set = set_new(r, l, sub->filter);
    if (!set) {
        levels_prune(&r->levels, l);
        return ERR_NOMEM;
    }
    err = sub_add(r, set, sub);
    if (err)
        set_prune(r, set);
    return err;
}

static void sub_remove(struct routes *r, struct sub *x, bool keep)
{
    struct sub_set *set = x->key.set;
    struct subscriber *s = x->key.subscriber;
    (void)map_del(&r->index, key_of(&x->key));
    struct sub *last = set->subs.v[--set->subs.n];
    if (last != x) {
        set->subs.v[x->at] = last;
        last->at = x->at;
    }
    if (x->next)
        x->next->prev = x->prev;
    if (x->prev)
        x->prev->next = x->next;
    else
        s->subscriptions = x->next;
    r->generation++;
    set_prune(r, set);
    if (!keep) {
        mem_free(r->alloc, x, sizeof(*x));
        return;
    }
    x->pub.subscriber = NULL;
    x->pub.filter = (struct str){NULL, 0};
    x->next = r->graveyard;
    r->graveyard = x;
}

bool routes_remove(struct routes *r, struct subscriber *s, struct str filter, bool keep)
{
    struct level *l = levels_find(&r->levels, filter);
    struct sub *x = l && l->value ? sub_find(r, l->value, s) : NULL;
    if (x)
        sub_remove(r, x, keep);
    return x;
}

void routes_remove_all(struct routes *r, struct subscriber *s, bool keep)
{
    while (s->subscriptions)
        sub_remove(r, s->subscriptions, keep);
}

void routes_bury(struct routes *r)
{
    while (r->graveyard) {
        struct sub *x = r->graveyard;
        r->graveyard = x->next;
        mem_free(r->alloc, x, sizeof(*x));
    }
}

static void found_set(void *ctx, void *value)
{
    struct routes *r = ctx;
    const struct sub_set *set = value;
    for (size_t i = 0; i < set->subs.n; i++)
        if (!vec_push(r->alloc, &r->found, set->subs.v[i]))
            r->nomem = true;
}

/* Gives each subscriber of r->found a number, kept in its stamp for this build, and counts. */
static uint32_t number_subscribers(struct routes *r)
{
    uint32_t n = 0;
    r->build++;
    for (size_t i = 0; i < r->found.n; i++) {
        struct subscriber *s = r->found.v[i]->pub.subscriber;
        if (s->stamp >> 32 != (r->build & UINT32_MAX))
            s->stamp = r->build << 32 | n++;
    }
    return n;
}

static struct route *route_new(struct routes *r, struct str topic, uint64_t hash)
{
    uint32_t entries_n = number_subscribers(r), subs_n = (uint32_t)r->found.n;
    size_t bytes = route_bytes(entries_n, subs_n, topic.n);
    struct route *x = mem_zero(r->alloc, bytes);
    if (!x)
        return NULL;
    *x = (struct route){.hash = hash,
                        .generation = r->generation,
                        .bytes = bytes,
                        .entries_n = entries_n,
                        .subs_n = subs_n};
    x->entries = (struct route_entry *)(void *)(x + 1);
    x->subs = (const struct subscription **)(void *)(x->entries + entries_n);
    char *text = (char *)(void *)(x->subs + subs_n);
    memcpy(text, topic.p, topic.n);
    x->topic = (struct str){text, topic.n};
    for (uint32_t i = 0; i < subs_n; i++) {
        struct subscriber *s = r->found.v[i]->pub.subscriber;
        struct route_entry *entry = &x->entries[s->stamp & UINT32_MAX];
        entry->subscriber = s;
        entry->n++;
        entry->no_local |= r->found.v[i]->pub.no_local;
    }
    uint32_t first = 0;
    for (uint32_t i = 0; i < entries_n; i++) {
        x->entries[i].first = first;
        first += x->entries[i].n;
        x->entries[i].n = 0; /* counted again below */
    }
    for (uint32_t i = 0; i < subs_n; i++) {
        const struct sub *sub = r->found.v[i];
        struct route_entry *entry = &x->entries[sub->pub.subscriber->stamp & UINT32_MAX];
        x->subs[entry->first + entry->n++] = &sub->pub;
    }
    return x;
}

static void cache_put(struct routes *r, struct route *x)
{
    if (x->bytes > ROUTE_BYTES_MAX / 4) {
        route_free(r, r->large);
        r->large = x;
        return;
    }
    if (r->cache_bytes + x->bytes > ROUTE_BYTES_MAX)
        cache_clear(r);
    struct route **set = &r->cache[x->hash % ROUTE_SETS * 2];
    if (set[1])
        r->cache_bytes -= set[1]->bytes;
    route_free(r, set[1]);
    set[1] = set[0];
    set[0] = x;
    r->cache_bytes += x->bytes;
}

static struct route *cache_get(struct routes *r, struct str topic, uint64_t hash)
{
    struct route **set = &r->cache[hash % ROUTE_SETS * 2];
    struct route *const candidates[] = {set[0], set[1], r->large};
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        struct route *x = candidates[i];
        if (x && x->hash == hash && x->generation == r->generation && str_eq(x->topic, topic))
            return x;
    }
    return NULL;
}

const struct route *routes_find(struct routes *r, struct str topic)
{
    uint64_t hash = hash_bytes(topic.p, topic.n, r->seed);
    struct route *x = cache_get(r, topic, hash);
    if (x) {
        r->hits++;
        return x;
    }
    r->misses++;
    r->found.n = 0;
    r->nomem = false;
    levels_match_topic(&r->levels, topic, found_set, r);
    x = r->nomem ? NULL : route_new(r, topic, hash);
    if (x)
        cache_put(r, x);
    return x;
}
