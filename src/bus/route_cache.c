/* route_cache: the routes that a worker has at hand, and which it will need next. */
#include "bus/bus_internal.h"

#include <string.h>

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
static struct route *make(struct route_view *v, struct str topic, uint64_t hash)
{
    bool keep = comes_again(v, hash);
    uint16_t stripes[2];
    routes_stripes(v->routes, topic, stripes);
    uint64_t generation = routes_generation(v->routes, stripes);
    struct route *x = route_build(v, topic, &keep);
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
    v->missed = !x;
    if (x) {
        v->hits++;
        remember(v, x);
        return x;
    }
    v->misses++;
    return make(v, topic, hash);
}

/* ---- what comes next ---- */

bool route_expects(const struct route_view *v)
{
    return v->missed || v->sets > ROUTE_SETS_NEAR;
}

/* Its topic is not compared: it is the right one nearly always. */
static const struct route *at_hand(struct route_view *v, uint64_t hash)
{
    struct route **set = set_of(v, hash);
    for (size_t i = 0; i < 2; i++)
        if (set[i] && set[i]->hash == hash)
            return set[i];
    return NULL;
}

/* Each pass over the topics asks for what the next one reads. */
void route_expect(struct route_view *v, const struct str *topics, size_t n)
{
    uint64_t hashes[BUS_EXPECT_MAX];
    struct str fresh[BUS_EXPECT_MAX];
    size_t fresh_n = 0;
    if (!v->cache)
        return;
    for (size_t i = 0; i < n; i++) {
        hashes[i] = routes_hash(v->routes, topics[i]);
        __builtin_prefetch(set_of(v, hashes[i]));
    }
    for (size_t i = 0; i < n; i++) {
        struct route **set = set_of(v, hashes[i]);
        __builtin_prefetch(set[0]);
        __builtin_prefetch(set[1]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct route *x = at_hand(v, hashes[i]);
        if (!x) {
            fresh[fresh_n++] = topics[i];
            continue;
        }
        __builtin_prefetch(x->topic.p);
        __builtin_prefetch(x->entries);
    }
    if (fresh_n)
        route_expect_build(v, fresh, fresh_n);
    for (size_t i = 0; i < n; i++) {
        const struct route *x = at_hand(v, hashes[i]);
        if (x && x->entries_n)
            __builtin_prefetch(x->entries->subscriber);
    }
}
