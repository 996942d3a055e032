/* route: who gets a topic, as one worker sees it, and the worker's cache of that. */
#include "bus/bus_internal.h"

#include <string.h>

/* ---- the parts of a route ---- */

struct sizes {
    uint32_t entries, observers, groups, members, subs;
};

static size_t route_bytes(const struct sizes *n, size_t topic)
{
    return sizeof(struct route) + (n->entries + n->observers) * sizeof(struct route_entry) +
           n->groups * sizeof(struct route_group) + n->members * sizeof(struct route_member) +
           n->subs * sizeof(struct subscription *) + topic;
}

static void route_free(struct routes *r, struct route *x)
{
    for (uint32_t i = 0; i < x->groups_n; i++)
        for (uint32_t j = 0; j < x->groups[i].n; j++)
            sub_unref(r, x->groups[i].members[j].sub);
    if (x->guard)
        sub_unref(r, x->guard);
    mem_free(r->alloc, x, x->bytes);
}

struct route *route_hold(struct route *x)
{
    x->refs++;
    return x;
}

void route_release(struct route_view *v, struct route *x)
{
    if (x && --x->refs == 0)
        route_free(v->routes, x);
}

/* ---- building ---- */

enum part { PART_ENTRY, PART_OTHER, PART_OBSERVER, PART_GUARD, PART_MEMBER };

static bool is_own(const struct route_view *v, const struct sub *x)
{
    return v->worker == ROUTE_ALL || v->worker == x->worker;
}

/* An observer that gets the message by another subscription need not observe it. */
static bool sees_it_anyway(const struct route_view *v, const struct sub *observer)
{
    for (size_t i = 0; i < v->found.n; i++) {
        const struct sub *x = v->found.v[i];
        if (x->key.subscriber == observer->key.subscriber && x->every_ms == 0 && !x->guard_n &&
            !x->key.group)
            return true;
    }
    return false;
}

static enum part part_of(const struct route_view *v, const struct sub *x)
{
    if (x->key.group)
        return PART_MEMBER;
    if (x->guard_n)
        return PART_GUARD;
    if (x->every_ms)
        return PART_OBSERVER;
    return is_own(v, x) ? PART_ENTRY : PART_OTHER;
}

static void found_set(void *ctx, void *value)
{
    struct route_view *v = ctx;
    struct alloc *a = v->routes->alloc;
    const struct sub_set *set = value;
    for (size_t i = 0; i < set->subs.n; i++)
        if (!vec_push(a, &v->found, set->subs.v[i]))
            v->nomem = true;
    LIST_EACH(&set->groups, it)
    {
        const struct share_group *g = CONTAINER_OF(it, struct share_group, link);
        for (size_t i = 0; i < g->members.n; i++)
            if (!vec_push(a, &v->found, g->members.v[i]))
                v->nomem = true;
    }
}

/* Counts, and gives each own subscriber a number, kept in its stamp for this build. Members of a
 * group stand together. */
static struct sizes measure(struct route_view *v)
{
    struct sizes n = {0};
    const struct share_group *group = NULL;
    uint64_t build = (++v->build & INT32_MAX) | (v->worker == ROUTE_ALL ? 1u << 31 : 0);
    for (size_t i = 0; i < v->found.n; i++) {
        struct sub *x = v->found.v[i];
        struct subscriber *s = x->key.subscriber;
        switch (part_of(v, x)) {
        case PART_ENTRY:
            n.subs++;
            if (s->stamp >> 32 != build)
                s->stamp = build << 32 | n.entries++;
            break;
        case PART_OBSERVER:
            if (is_own(v, x) && !sees_it_anyway(v, x)) {
                n.subs++;
                n.observers++;
            }
            break;
        case PART_MEMBER:
            n.members++;
            n.groups += x->key.group != group;
            group = x->key.group;
            break;
        case PART_OTHER:
        case PART_GUARD: break;
        }
    }
    return n;
}

static void place_entries(struct route_view *v, struct route *x)
{
    uint32_t first = 0;
    for (size_t i = 0; i < v->found.n; i++) {
        const struct sub *sub = v->found.v[i];
        if (part_of(v, sub) != PART_ENTRY)
            continue;
        struct route_entry *entry = &x->entries[sub->key.subscriber->stamp & UINT32_MAX];
        entry->subscriber = sub->key.subscriber;
        entry->n++;
        entry->no_local |= sub->pub.no_local;
    }
    for (uint32_t i = 0; i < x->entries_n; i++) {
        x->entries[i].first = first;
        first += x->entries[i].n;
        x->entries[i].n = 0; /* counted again below */
    }
    for (size_t i = 0; i < v->found.n; i++) {
        const struct sub *sub = v->found.v[i];
        if (part_of(v, sub) != PART_ENTRY)
            continue;
        struct route_entry *entry = &x->entries[sub->key.subscriber->stamp & UINT32_MAX];
        x->subs[entry->first + entry->n++] = &sub->pub;
    }
    x->subs_n = first;
}

static void place_observer(struct route_view *v, struct route *x, const struct sub *sub)
{
    if (sees_it_anyway(v, sub))
        return;
    if (!x->every_ms || sub->every_ms < x->every_ms)
        x->every_ms = sub->every_ms;
    if (!is_own(v, sub)) {
        x->others_observe |= 1ull << sub->worker;
        return;
    }
    x->observers[x->observers_n++] = (struct route_entry){sub->key.subscriber, x->subs_n, 1, false};
    x->subs[x->subs_n++] = &sub->pub;
}

static void place_member(struct route *x, struct route_member *all, uint32_t *n, struct sub *sub)
{
    struct route_group *g = x->groups_n ? &x->groups[x->groups_n - 1] : NULL;
    if (!g || g->group != sub->key.group) {
        g = &x->groups[x->groups_n++];
        *g = (struct route_group){.group = sub->key.group, .members = all + *n};
    }
    unsigned flags = atomic_load_explicit(&sub->flags, memory_order_relaxed);
    g->members[g->n++] =
        (struct route_member){.sub = sub_ref(sub), .flags = (uint16_t)flags, .worker = sub->worker};
    ++*n;
}

static void place_guard(struct route *x, struct sub *sub)
{
    if (x->guard)
        return;
    x->guard = sub_ref(sub);
    memcpy(x->guard_text, sub->guard, sub->guard_n);
}

/* A stored subscription with No Local makes the difference only if somebody else publishes, so it
 * is asked then; but one of another worker can't be about what this one publishes. */
static void place_flags(const struct route_view *v, struct route *x, const struct sub *sub)
{
    unsigned flags = atomic_load_explicit(&sub->flags, memory_order_relaxed);
    bool asked = flags & SUB_NO_LOCAL && flags & SUB_STORED && is_own(v, sub);
    flags &= ~(unsigned)(asked ? SUB_STORED : SUB_NO_LOCAL);
    x->flags = (uint16_t)(x->flags | flags);
}

static void place_rest(struct route_view *v, struct route *x, struct route_member *members)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v->found.n; i++) {
        struct sub *sub = v->found.v[i];
        switch (part_of(v, sub)) {
        case PART_OTHER:
            x->others |= 1ull << sub->worker;
            x->others_n++;
            place_flags(v, x, sub);
            break;
        case PART_ENTRY: place_flags(v, x, sub); break;
        case PART_OBSERVER: place_observer(v, x, sub); break;
        case PART_MEMBER: place_member(x, members, &n, sub); break;
        case PART_GUARD: place_guard(x, sub); break;
        }
    }
}

static struct route *route_new(struct route_view *v, struct str topic, uint64_t hash)
{
    struct sizes n = measure(v);
    size_t bytes = route_bytes(&n, topic.n);
    struct route *x = mem_zero(v->routes->alloc, bytes);
    if (!x)
        return NULL;
    x->hash = hash;
    x->generation = atomic_load_explicit(&v->routes->generation, memory_order_relaxed);
    x->bytes = bytes;
    x->refs = 1;
    x->entries = (struct route_entry *)(void *)(x + 1);
    x->entries_n = n.entries;
    x->observers = x->entries + n.entries;
    x->groups = (struct route_group *)(void *)(x->observers + n.observers);
    struct route_member *members = (struct route_member *)(void *)(x->groups + n.groups);
    x->subs = (const struct subscription **)(void *)(members + n.members);
    char *text = (char *)(void *)(x->subs + n.subs);
    memcpy(text, topic.p, topic.n);
    x->topic = (struct str){text, topic.n};
    place_entries(v, x);
    place_rest(v, x, members);
    return x;
}

/* ---- the cache ---- */

void route_view_clear(struct route_view *v)
{
    struct alloc *a = v->routes->alloc;
    for (size_t i = 0; v->cache && i < (size_t)ROUTE_SETS * 2; i++)
        route_release(v, v->cache[i]);
    mem_free(a, v->cache, (size_t)ROUTE_SETS * 2 * sizeof(struct route *));
    v->cache = NULL;
    route_release(v, v->large);
    v->large = NULL;
    v->cache_bytes = 0;
    vec_fini(a, &v->found);
}

static void cache_empty(struct route_view *v)
{
    for (size_t i = 0; i < (size_t)ROUTE_SETS * 2; i++) {
        route_release(v, v->cache[i]);
        v->cache[i] = NULL;
    }
    v->cache_bytes = 0;
}

static void cache_put(struct route_view *v, struct route *x)
{
    if (x->bytes > ROUTE_BYTES_MAX / 4) {
        route_release(v, v->large);
        v->large = x;
        return;
    }
    if (v->cache_bytes + x->bytes > ROUTE_BYTES_MAX)
        cache_empty(v);
    struct route **set = &v->cache[x->hash % ROUTE_SETS * 2];
    if (set[1])
        v->cache_bytes -= set[1]->bytes;
    route_release(v, set[1]);
    set[1] = set[0];
    set[0] = x;
    v->cache_bytes += x->bytes;
}

static struct route *cache_get(struct route_view *v, struct str topic, uint64_t hash)
{
    uint64_t now = atomic_load_explicit(&v->routes->generation, memory_order_acquire);
    struct route **set = &v->cache[hash % ROUTE_SETS * 2];
    struct route *const candidates[] = {set[0], set[1], v->large};
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        struct route *x = candidates[i];
        if (x && x->hash == hash && x->generation == now && str_eq(x->topic, topic))
            return x;
    }
    return NULL;
}

struct route *route_find(struct route_view *v, struct str topic, uint64_t hash)
{
    struct routes *r = v->routes;
    if (!v->cache && !(v->cache = mem_array(r->alloc, (size_t)ROUTE_SETS * 2, sizeof(*v->cache))))
        return NULL;
    struct route *x = cache_get(v, topic, hash);
    if (x) {
        v->hits++;
        return x;
    }
    v->misses++;
    v->found.n = 0;
    v->nomem = false;
    pthread_mutex_lock(&r->lock);
    levels_match_topic(&r->levels, topic, found_set, v);
    x = v->nomem ? NULL : route_new(v, topic, hash);
    pthread_mutex_unlock(&r->lock);
    if (x)
        cache_put(v, x);
    return x;
}
