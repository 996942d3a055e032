/* route: who gets a topic, as one worker sees it, and the worker's cache of that. */
#include "bus/bus_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- the parts of a route ---- */

struct sizes {
    uint32_t entries, observers, groups, members, subs;
};

static size_t route_bytes(const struct sizes *n, size_t topic)
{
    return sizeof(struct route) + (n->entries + n->observers) * sizeof(struct route_entry) +
           n->groups * sizeof(struct route_group) + n->members * sizeof(struct route_member) +
           n->subs * sizeof(struct sub_options *) + topic;
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
    return v->worker == ROUTE_ALL || v->worker == x->o.worker;
}

/* An observer that gets the message by another subscription need not observe it. */
static bool sees_it_anyway(const struct route_view *v, const struct sub *observer)
{
    for (size_t i = 0; i < v->found.n; i++) {
        const struct sub *x = v->found.v[i];
        if (x->key.subscriber == observer->key.subscriber && !x->more)
            return true;
    }
    return false;
}

static enum part part_of(const struct route_view *v, const struct sub *x)
{
    if (x->more)
        return x->more->group ? PART_MEMBER : x->more->guard_n ? PART_GUARD : PART_OBSERVER;
    return is_own(v, x) ? PART_ENTRY : PART_OTHER;
}

static void found_sub(void *ctx, void *item)
{
    struct route_view *v = ctx;
    if (!vec_push(v->routes->alloc, &v->found, item))
        v->nomem = true;
}

/* Members of a share behind all others, those of a group together. */
static int by_group(const void *a, const void *b)
{
    const struct sub *x = *(const struct sub *const *)a, *y = *(const struct sub *const *)b;
    uintptr_t g = (uintptr_t)sub_group(x), h = (uintptr_t)sub_group(y);
    return g < h ? -1 : g > h;
}

static void found_set(void *ctx, const struct trie_node *n)
{
    struct route_view *v = ctx;
    size_t from = v->found.n;
    bool shares = false;
    hamt_each(&n->value, found_sub, v);
    for (size_t i = from; i < v->found.n && !shares; i++)
        shares = sub_group(v->found.v[i]);
    if (shares)
        qsort(v->found.v + from, v->found.n - from, sizeof(*v->found.v), by_group);
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
            n.groups += x->more->group != group;
            group = x->more->group;
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
        entry->no_local |= sub->o.no_local;
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
        x->subs[entry->first + entry->n++] = &sub->o;
    }
    x->subs_n = first;
}

static void place_observer(struct route_view *v, struct route *x, const struct sub *sub)
{
    if (sees_it_anyway(v, sub))
        return;
    if (!x->every_ms || sub->more->every_ms < x->every_ms)
        x->every_ms = sub->more->every_ms;
    if (!is_own(v, sub)) {
        x->others_observe |= 1ull << sub->o.worker;
        return;
    }
    x->observers[x->observers_n++] = (struct route_entry){sub->key.subscriber, x->subs_n, 1, false};
    x->subs[x->subs_n++] = &sub->o;
}

static void place_member(struct route *x, struct route_member *all, uint32_t *n, struct sub *sub)
{
    struct route_group *g = x->groups_n ? &x->groups[x->groups_n - 1] : NULL;
    if (!g || g->group != sub->more->group) {
        g = &x->groups[x->groups_n++];
        *g = (struct route_group){.group = sub->more->group, .members = all + *n};
    }
    g->members[g->n++] = (struct route_member){
        .sub = sub_ref(sub), .flags = (uint16_t)sub_flags(sub), .worker = sub->o.worker};
    ++*n;
}

static void place_guard(struct route *x, struct sub *sub)
{
    if (x->guard)
        return;
    x->guard = sub_ref(sub);
    x->guard_text = sub->more->guard;
}

/* A stored subscription with No Local makes the difference only if somebody else publishes, so it
 * is asked then; but one of another worker can't be about what this one publishes. */
static void place_flags(const struct route_view *v, struct route *x, const struct sub *sub)
{
    unsigned flags = sub_flags(sub);
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
            x->others |= 1ull << sub->o.worker;
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

/* Of what was found. */
static struct route *route_new(struct route_view *v, struct str topic)
{
    struct sizes n = measure(v);
    size_t bytes = route_bytes(&n, topic.n);
    struct route *x = mem_zero(v->routes->alloc, bytes);
    if (!x)
        return NULL;
    x->bytes = bytes;
    x->refs = 1;
    x->guard_text = "";
    x->entries = (struct route_entry *)(void *)(x + 1);
    x->entries_n = n.entries;
    x->observers = x->entries + n.entries;
    x->groups = (struct route_group *)(void *)(x->observers + n.observers);
    struct route_member *members = (struct route_member *)(void *)(x->groups + n.groups);
    x->subs = (const struct sub_options **)(void *)(members + n.members);
    char *text = (char *)(void *)(x->subs + n.subs);
    memcpy(text, topic.p, topic.n);
    x->topic = (struct str){text, topic.n};
    place_entries(v, x);
    place_rest(v, x, members);
    return x;
}

/* ---- the cache ---- */

static struct route **set_of(struct route_view *v, uint64_t hash)
{
    return &v->cache[(hash & (v->sets - 1)) * 2];
}

static size_t cache_size(const struct route_view *v)
{
    return v->sets * 2 * sizeof(*v->cache);
}

static void push_out(struct route_view *v, struct route **at)
{
    if (*at)
        v->cache_bytes -= (*at)->bytes;
    route_release(v, *at);
    *at = NULL;
}

void route_view_clear(struct route_view *v)
{
    struct alloc *a = v->routes->alloc;
    for (size_t i = 0; i < v->sets * 2; i++)
        push_out(v, &v->cache[i]);
    mem_free(a, v->cache, cache_size(v));
    v->cache = NULL;
    v->sets = 0;
    route_release(v, v->large);
    route_release(v, v->last);
    v->large = v->last = NULL;
    vec_fini(a, &v->found);
}

/* Twice as many sets, if there is memory. The two of one go to two that are theirs alone. */
static void cache_grow(struct route_view *v)
{
    struct route_view grown = {.sets = v->sets ? v->sets * 2 : ROUTE_SETS_MIN};
    grown.cache = mem_array(v->routes->alloc, grown.sets * 2, sizeof(*grown.cache));
    v->pushed_out = 0;
    if (!grown.cache)
        return;
    for (size_t i = v->sets * 2; i-- > 0;) {
        struct route *x = v->cache[i], **set = x ? set_of(&grown, x->hash) : NULL;
        if (!x)
            continue;
        set[1] = set[0];
        set[0] = x;
    }
    mem_free(v->routes->alloc, v->cache, cache_size(v));
    v->cache = grown.cache;
    v->sets = grown.sets;
}

/* Makes room in turn, whoever is there: what is asked for often comes back. */
static void cache_make_room(struct route_view *v, size_t bytes)
{
    while (v->cache_bytes + bytes > ROUTE_BYTES_MAX) {
        struct route **set = set_of(v, v->sweep++);
        push_out(v, &set[0]);
        push_out(v, &set[1]);
    }
}

static bool is_current(const struct route_view *v, const struct route *x)
{
    return x->generation == routes_generation(v->routes, x->stripes);
}

static void cache_put(struct route_view *v, struct route *x)
{
    if (x->bytes > ROUTE_BYTES_MAX / 4) {
        route_release(v, v->large);
        v->large = x;
        return;
    }
    cache_make_room(v, x->bytes);
    struct route **set = set_of(v, x->hash);
    v->pushed_out += set[1] && is_current(v, set[1]);
    if (v->pushed_out > v->sets / 2 && v->sets < ROUTE_SETS_MAX) {
        cache_grow(v);
        set = set_of(v, x->hash);
    }
    push_out(v, &set[1]);
    set[1] = set[0];
    set[0] = x;
    v->cache_bytes += x->bytes;
}

static struct route *cache_get(struct route_view *v, struct str topic, uint64_t hash)
{
    struct route **set = set_of(v, hash);
    struct route *const candidates[] = {set[0], set[1], v->large};
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        struct route *x = candidates[i];
        if (x && x->hash == hash && str_eq(x->topic, topic))
            return is_current(v, x) ? x : NULL;
    }
    return NULL;
}

/* Its age is that of before anything was looked at. */
static struct route *build(struct route_view *v, struct str topic, uint64_t hash)
{
    uint16_t stripes[2];
    routes_stripes(v->routes, topic, stripes);
    uint64_t generation = routes_generation(v->routes, stripes);
    v->found.n = 0;
    v->nomem = false;
    trie_match(&v->routes->trie, topic, found_set, v);
    struct route *x = v->nomem ? NULL : route_new(v, topic);
    if (!x)
        return NULL;
    x->hash = hash;
    x->generation = generation;
    memcpy(x->stripes, stripes, sizeof(stripes));
    return x;
}

static void remember(struct route_view *v, struct route *x)
{
    if (x == v->last)
        return;
    route_release(v, v->last);
    v->last = route_hold(x);
}

struct route *route_again(struct route_view *v, struct str topic)
{
    struct route *x = v->last;
    if (!x || !str_eq(x->topic, topic) || !is_current(v, x))
        return NULL;
    v->hits++;
    return x;
}

struct route *route_find(struct route_view *v, struct str topic, uint64_t hash)
{
    if (!v->cache)
        cache_grow(v);
    if (!v->cache)
        return NULL;
    struct route *x = cache_get(v, topic, hash);
    if (x) {
        v->hits++;
        remember(v, x);
        return x;
    }
    v->misses++;
    x = build(v, topic, hash);
    if (!x)
        return NULL;
    cache_put(v, x);
    return x;
}
