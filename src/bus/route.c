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

/* What it refers to. */
static void route_let_go(struct routes *r, struct route *x)
{
    for (uint32_t i = 0; i < x->groups_n; i++)
        for (uint32_t j = 0; j < x->groups[i].n; j++)
            sub_unref(r, x->groups[i].members[j].sub);
    if (x->guard)
        sub_unref(r, x->guard);
}

static void route_free(struct routes *r, struct route *x)
{
    route_let_go(r, x);
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

/* ---- building ----
 *
 * Everything is looked at once, and noted: a hundred thousand subscriptions and their subscribers
 * are more memory than a cache holds, and each look at one of them would be waited for. */

enum part { PART_ENTRY, PART_OTHER, PART_OBSERVER, PART_GUARD, PART_MEMBER };
enum { LOOK_AHEAD = 8 };

static void found_sub(void *ctx, void *item)
{
    struct route_view *v = ctx;
    __builtin_prefetch(item);
    if (!vec_push(v->routes->alloc, &v->found, (struct route_found){.sub = item}))
        v->nomem = true;
}

static void found_set(void *ctx, size_t which, const struct trie_node *n)
{
    (void)which;
    hamt_each(&n->value, found_sub, ctx);
}

static void look_ahead(const struct route_view *v, size_t i)
{
    if (i + LOOK_AHEAD * 2 < v->found.n)
        __builtin_prefetch(v->found.v[i + LOOK_AHEAD * 2].sub);
    if (i + LOOK_AHEAD >= v->found.n)
        return;
    const struct sub *x = v->found.v[i + LOOK_AHEAD].sub;
    if (x->o.worker == v->worker)
        __builtin_prefetch(&x->key.subscriber->stamp);
}

static void look_at(const struct route_view *v, struct route_found *f)
{
    const struct sub *x = f->sub;
    f->subscriber = x->key.subscriber;
    f->worker = x->o.worker;
    f->flags = (uint8_t)sub_flags(x);
    f->own = v->worker == ROUTE_ALL || v->worker == x->o.worker;
    if (x->more)
        f->part = x->more->group ? PART_MEMBER : x->more->guard_n ? PART_GUARD : PART_OBSERVER;
    else
        f->part = f->own ? PART_ENTRY : PART_OTHER;
}

/* Gives each own subscriber a number, kept in its stamp for this build, and counts. */
static struct sizes look_at_all(struct route_view *v)
{
    struct sizes n = {0};
    uint64_t build = (++v->build & INT32_MAX) | (v->worker == ROUTE_ALL ? 1u << 31 : 0);
    for (size_t i = 0; i < v->found.n; i++) {
        struct route_found *f = &v->found.v[i];
        look_ahead(v, i);
        look_at(v, f);
        n.members += f->part == PART_MEMBER;
        n.observers += f->part == PART_OBSERVER && f->own;
        if (f->part != PART_ENTRY)
            continue;
        struct subscriber *s = f->subscriber;
        if (s->stamp >> 32 != build)
            s->stamp = build << 32 | n.entries++;
        f->entry = (uint32_t)s->stamp;
        n.subs++;
    }
    n.subs += n.observers;
    return n;
}

/* Who is in none first, then one group after the other, in the order in which they joined. */
static int by_group(const void *a, const void *b)
{
    const struct sub *x = ((const struct route_found *)a)->sub;
    const struct sub *y = ((const struct route_found *)b)->sub;
    const struct share_group *g = sub_group(x), *h = sub_group(y);
    uint32_t g_id = g ? g->id : 0, h_id = h ? h->id : 0;
    if (g_id != h_id)
        return g_id < h_id ? -1 : 1;
    if (!g)
        return 0;
    return x->more->joined < y->more->joined ? -1 : x->more->joined > y->more->joined;
}

/* Members of a group stand together from now on. How many groups there are. */
static uint32_t group_members(struct route_view *v)
{
    const struct share_group *group = NULL;
    uint32_t n = 0;
    qsort(v->found.v, v->found.n, sizeof(*v->found.v), by_group);
    for (size_t i = 0; i < v->found.n; i++) {
        const struct share_group *g = sub_group(v->found.v[i].sub);
        n += g != group;
        group = g;
    }
    return n;
}

static void place_entries(const struct route_view *v, struct route *x)
{
    uint32_t first = 0;
    for (size_t i = 0; i < v->found.n; i++) {
        const struct route_found *f = &v->found.v[i];
        if (f->part != PART_ENTRY)
            continue;
        struct route_entry *entry = &x->entries[f->entry];
        entry->subscriber = f->subscriber;
        entry->n++;
        entry->no_local |= (f->flags & SUB_NO_LOCAL) != 0;
    }
    for (uint32_t i = 0; i < x->entries_n; i++) {
        x->entries[i].first = first;
        first += x->entries[i].n;
        x->entries[i].n = 0; /* counted again below */
    }
    for (size_t i = 0; i < v->found.n; i++) {
        const struct route_found *f = &v->found.v[i];
        if (f->part != PART_ENTRY)
            continue;
        struct route_entry *entry = &x->entries[f->entry];
        x->subs[entry->first + entry->n++] = &f->sub->o;
    }
    x->subs_n = first;
}

/* An observer that gets the message by another subscription need not observe it. */
static bool sees_it_anyway(const struct route_view *v, const struct route_found *observer)
{
    for (size_t i = 0; i < v->found.n; i++) {
        const struct route_found *f = &v->found.v[i];
        if (f->subscriber == observer->subscriber &&
            (f->part == PART_ENTRY || f->part == PART_OTHER))
            return true;
    }
    return false;
}

static void place_observer(const struct route_view *v, struct route *x, const struct route_found *f)
{
    const struct sub *sub = f->sub;
    if (sees_it_anyway(v, f))
        return;
    if (!x->every_ms || sub->more->every_ms < x->every_ms)
        x->every_ms = sub->more->every_ms;
    if (!f->own) {
        x->others_observe |= 1ull << f->worker;
        return;
    }
    x->observers[x->observers_n++] = (struct route_entry){f->subscriber, x->subs_n, 1, false};
    x->subs[x->subs_n++] = &sub->o;
}

static void place_member(struct route *x, struct route_member *all, uint32_t *n,
                         const struct route_found *f)
{
    struct share_group *group = f->sub->more->group;
    if (x->groups_n == 0 || x->groups[x->groups_n - 1].group != group)
        x->groups[x->groups_n++] = (struct route_group){.group = group, .members = all + *n};
    struct route_group *g = &x->groups[x->groups_n - 1];
    g->members[g->n++] =
        (struct route_member){.sub = sub_ref(f->sub), .flags = f->flags, .worker = f->worker};
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
static void place_flags(struct route *x, const struct route_found *f)
{
    unsigned flags = f->flags;
    bool asked = flags & SUB_NO_LOCAL && flags & SUB_STORED && f->own;
    flags &= ~(unsigned)(asked ? SUB_STORED : SUB_NO_LOCAL);
    x->flags = (uint16_t)(x->flags | flags);
}

static void place_rest(const struct route_view *v, struct route *x, struct route_member *members)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v->found.n; i++) {
        const struct route_found *f = &v->found.v[i];
        switch ((enum part)f->part) {
        case PART_OTHER:
            x->others |= 1ull << f->worker;
            x->others_n++;
            place_flags(x, f);
            break;
        case PART_ENTRY: place_flags(x, f); break;
        case PART_OBSERVER: place_observer(v, x, f); break;
        case PART_MEMBER: place_member(x, members, &n, f); break;
        case PART_GUARD: place_guard(x, f->sub); break;
        }
    }
}

/* Memory for one that is asked for the first time: always the same, unless somebody holds it. */
static struct route *passing_room(struct route_view *v, size_t bytes)
{
    struct route *x = v->passing;
    if (x && x->refs == 1 && x->bytes >= bytes) {
        size_t room = x->bytes;
        route_let_go(v->routes, x);
        memset(x, 0, bytes);
        x->bytes = room;
        return x;
    }
    route_release(v, x);
    bytes = bytes < ROUTE_PASSING_MIN ? ROUTE_PASSING_MIN : bytes;
    v->passing = x = mem_zero(v->routes->alloc, bytes);
    if (x)
        x->bytes = bytes;
    return x;
}

/* Of what was found. *keep: it is worth a place in the cache. */
static struct route *route_new(struct route_view *v, struct str topic, bool *keep)
{
    struct sizes n = look_at_all(v);
    if (n.members)
        n.groups = group_members(v);
    size_t bytes = route_bytes(&n, topic.n);
    *keep = *keep || bytes > ROUTE_PASSING_MAX;
    struct route *x = *keep ? mem_zero(v->routes->alloc, bytes) : passing_room(v, bytes);
    if (!x)
        return NULL;
    if (*keep)
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

static struct route **set_at(struct route **cache, size_t sets, uint64_t hash)
{
    return &cache[(hash & (sets - 1)) * 2];
}

static struct route **set_of(struct route_view *v, uint64_t hash)
{
    return set_at(v->cache, v->sets, hash);
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
    mem_free(a, v->seen, ROUTE_SEEN);
    v->cache = NULL;
    v->seen = NULL;
    v->sets = 0;
    route_release(v, v->large);
    route_release(v, v->passing);
    route_release(v, v->last);
    v->large = v->passing = v->last = NULL;
    vec_fini(a, &v->found);
    trie_steps_fini(&v->steps);
}

/* Twice as many sets, if there is memory. The two of one go to two that are theirs alone. */
static void cache_grow(struct route_view *v)
{
    size_t sets = v->cache ? v->sets * 2 : ROUTE_SETS_MIN;
    struct route **cache = mem_array(v->routes->alloc, sets * 2, sizeof(struct route *));
    v->pushed_out = 0;
    if (!cache)
        return;
    for (size_t i = v->cache ? v->sets * 2 : 0; i-- > 0;) {
        struct route *x = v->cache[i];
        if (!x)
            continue;
        struct route **set = set_at(cache, sets, x->hash);
        set[1] = set[0];
        set[0] = x;
    }
    mem_free(v->routes->alloc, v->cache, cache_size(v));
    v->cache = cache;
    v->sets = sets;
}

static bool cache_init(struct route_view *v)
{
    if (!v->seen)
        v->seen = mem_zero(v->routes->alloc, ROUTE_SEEN);
    if (v->seen)
        cache_grow(v);
    return v->cache != NULL;
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

/* Was it asked for a short while ago? Where each of a million topics comes once in a while, the
 * cache would do no more than turn over memory. */
static bool comes_again(struct route_view *v, uint64_t hash)
{
    uint8_t *seen = &v->seen[hash >> 32 & (ROUTE_SEEN - 1)], mark = (uint8_t)(hash >> 56 | 1);
    bool again = *seen == mark;
    *seen = mark;
    return again;
}

/* Its age is that of before anything was looked at. */
static struct route *build(struct route_view *v, struct str topic, uint64_t hash)
{
    bool keep = comes_again(v, hash);
    uint16_t stripes[2];
    routes_stripes(v->routes, topic, stripes);
    uint64_t generation = routes_generation(v->routes, stripes);
    v->found.n = 0;
    v->nomem = false;
    if (trie_match(&v->routes->trie, &v->steps, &topic, 1, found_set, v))
        v->nomem = true;
    struct route *x = v->nomem ? NULL : route_new(v, topic, &keep);
    if (!x)
        return NULL;
    x->hash = hash;
    x->generation = generation;
    memcpy(x->stripes, stripes, sizeof(stripes));
    if (keep)
        cache_put(v, x);
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
    if (__builtin_expect(!v->cache, 0) && !cache_init(v))
        return NULL;
    struct route *x = cache_get(v, topic, hash);
    if (x) {
        v->hits++;
        remember(v, x);
        return x;
    }
    v->misses++;
    return build(v, topic, hash);
}

/* ---- what comes next ---- */

static void expect_set(void *ctx, size_t which, const struct trie_node *n)
{
    struct route_view *v = ctx;
    void *first = hamt_is_table(atomic_load(&n->value.word)) ? NULL : hamt_first(&n->value);
    (void)which;
    if (first)
        found_sub(v, first);
}

void route_expect(struct route_view *v, const struct str *topics, size_t n)
{
    v->found.n = 0;
    if (trie_match(&v->routes->trie, &v->steps, topics, n, expect_set, v))
        return;
    for (size_t i = 0; i < v->found.n; i++)
        __builtin_prefetch(v->found.v[i].sub->key.subscriber);
}
