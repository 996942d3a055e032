/* routes: the subscriptions of the site. */
#include "bus/bus_internal.h"

#include <string.h>

static void views_init(struct routes *r)
{
    for (unsigned i = 0; i <= r->workers; i++)
        r->views[i] = (struct route_view){.routes = r, .worker = i < r->workers ? i : ROUTE_ALL};
}

static size_t routes_bytes(unsigned workers)
{
    return sizeof(struct routes) + (workers + 1) * sizeof(struct route_view);
}

enum err routes_new(struct routes **out, struct alloc *a, unsigned workers, uint64_t seed,
                    size_t max)
{
    struct routes *r = mem_zero(a, routes_bytes(workers));
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->alloc = a;
    r->seed = seed;
    r->workers = workers;
    pthread_mutex_init(&r->lock, NULL);
    atomic_init(&r->generation, 1);
    views_init(r);
    map_init(&r->index, a, seed, max);
    map_init(&r->groups, a, seed, max);
    *out = r;
    enum err err = levels_init(&r->levels, a, seed);
    if (err) {
        routes_free(r);
        *out = NULL;
    }
    return err;
}

struct route_view *routes_view(struct routes *r, unsigned worker)
{
    return &r->views[worker == ROUTE_ALL ? r->workers : worker];
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
        sub_unref(r, set->subs.v[i]);
    LIST_EACH_SAFE(&set->groups, it)
    {
        struct share_group *g = CONTAINER_OF(it, struct share_group, link);
        atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
        for (size_t i = 0; i < g->members.n; i++)
            sub_unref(r, g->members.v[i]);
        list_del(&g->link);
        group_unref(r, g);
    }
    set_free(r, set);
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i <= r->workers; i++) {
        route_view_clear(&r->views[i]);
        routes_bury(r, i, UINT64_MAX);
    }
    if (r->levels.root)
        levels_fini(&r->levels, drop_set, r);
    map_fini(&r->index);
    map_fini(&r->groups);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->alloc, r, routes_bytes(r->workers));
}

/* ---- one subscription ---- */

struct sub *sub_ref(struct sub *x)
{
    atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
    return x;
}

void sub_unref(struct routes *r, struct sub *x)
{
    uint32_t before = atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;
    group_unref(r, x->key.group);
    mem_free(r->alloc, x->guard, x->guard_n + 1);
    mem_free(r->alloc, x, sizeof(*x));
}

static struct str key_of(const struct sub_key *k)
{
    return (struct str){(const char *)k, sizeof(*k)};
}

static unsigned flags_of(const struct subscription *s)
{
    return (s->qos ? SUB_QOS : 0u) | (s->stored && s->qos ? SUB_STORED : 0u) |
           (s->kept ? SUB_KEPT : 0u) | (s->no_local ? SUB_NO_LOCAL : 0u);
}

/* The strings that the caller lent become our own. False: no memory. */
static bool options_set(struct routes *r, struct sub *x, const struct subscription *s)
{
    size_t n = s->guard.n < WHY_MAX ? s->guard.n : WHY_MAX - 1;
    char *guard = n ? str_dup(r->alloc, (struct str){s->guard.p, n}) : NULL;
    if (n && !guard)
        return false;
    mem_free(r->alloc, x->guard, x->guard_n + 1);
    x->guard = guard;
    x->guard_n = (uint32_t)n;
    x->every_ms = s->every_ms;
    x->pub = *s;
    x->pub.guard = (struct str){guard, n};
    x->pub.filter = (struct str){x->key.set->filter, x->key.set->filter_n};
    x->pub.share = (struct str){NULL, 0};
    x->pub.share_id = 0;
    if (x->key.group) {
        x->pub.share = (struct str){x->key.group->name, x->key.group->name_n};
        x->pub.share_id = x->key.group->id;
    }
    atomic_store_explicit(&x->flags, (uint16_t)flags_of(s), memory_order_relaxed);
    return true;
}

static struct sub_set *set_at(struct routes *r, struct level *l, struct str filter)
{
    struct sub_set *set = l->value;
    if (set || !(set = mem_zero(r->alloc, sizeof(*set) + filter.n)))
        return set;
    set->level = l;
    set->filter_n = filter.n;
    list_init(&set->groups);
    memcpy(set->filter, filter.p, filter.n);
    l->value = set;
    return set;
}

static void set_prune(struct routes *r, struct sub_set *set)
{
    if (set->subs.n || !list_empty(&set->groups))
        return;
    struct level *l = set->level;
    set_free(r, set);
    l->value = NULL;
    levels_prune(&r->levels, l);
}

static void sub_link(struct sub *x)
{
    struct subscriber *s = x->key.subscriber;
    x->next = s->subscriptions;
    if (x->next)
        x->next->prev = x;
    s->subscriptions = x;
    s->shares += x->key.group != NULL;
}

static struct sub *sub_new(struct routes *r, const struct sub_key *key,
                           const struct subscription *sub)
{
    const struct worker *w = sub->subscriber->worker;
    struct sub *x = mem_zero(r->alloc, sizeof(*x));
    if (!x)
        return NULL;
    x->key = *key;
    x->worker = (uint16_t)(w ? worker_index(w) : 0);
    atomic_init(&x->refs, 1);
    atomic_init(&x->presence, sub->subscriber->presence);
    if (options_set(r, x, sub)) {
        group_ref(x->key.group);
        return x;
    }
    mem_free(r->alloc, x, sizeof(*x));
    return NULL;
}

/* Into the set or the group, and the index. */
static enum err sub_add(struct routes *r, const struct sub_key *key, const struct subscription *sub)
{
    struct sub *x = sub_new(r, key, sub);
    if (!x)
        return ERR_NOMEM;
    bool pushed;
    if (key->group) {
        x->at = (uint32_t)key->group->members.n;
        pushed = vec_push(r->alloc, &key->group->members, x);
    } else {
        x->at = (uint32_t)key->set->subs.n;
        pushed = vec_push(r->alloc, &key->set->subs, x);
    }
    enum err err = pushed ? map_put(&r->index, key_of(&x->key), x) : ERR_NOMEM;
    if (err && pushed) {
        if (key->group)
            key->group->members.n--;
        else
            key->set->subs.n--;
    }
    if (err)
        sub_unref(r, x);
    else
        sub_link(x);
    return err;
}

static enum err add_at(struct routes *r, struct sub_set *set, const struct subscription *sub,
                       bool *existed)
{
    struct share_group *g = NULL;
    if (sub->share.n && !(g = group_at(r, set, sub->share)))
        return ERR_NOMEM;
    const struct sub_key key = {set, g, sub->subscriber};
    struct sub *old = map_get(&r->index, key_of(&key));
    *existed = old;
    enum err err = old ? options_set(r, old, sub) ? ERR_OK : ERR_NOMEM : sub_add(r, &key, sub);
    if (g)
        group_prune(r, g);
    return err;
}

enum err routes_add(struct routes *r, const struct subscription *sub, bool *existed)
{
    struct level *l = NULL;
    *existed = false;
    pthread_mutex_lock(&r->lock);
    enum err err = levels_make(&r->levels, sub->filter, &l);
    struct sub_set *set = err ? NULL : set_at(r, l, sub->filter);
    if (!err && !set) {
        levels_prune(&r->levels, l);
        err = ERR_NOMEM;
    }
    if (!err) {
        err = add_at(r, set, sub, existed);
        set_prune(r, set);
        atomic_fetch_add_explicit(&r->generation, 1, memory_order_release);
    }
    pthread_mutex_unlock(&r->lock);
    return err;
}

struct sub *routes_sub(struct routes *r, const struct subscriber *s, struct str share,
                       struct str filter)
{
    pthread_mutex_lock(&r->lock);
    struct level *l = levels_find(&r->levels, filter);
    struct sub_set *set = l ? l->value : NULL;
    struct share_group *g = set && share.n ? group_find(set, share) : NULL;
    const struct sub_key key = {set, g, (struct subscriber *)(uintptr_t)s};
    struct sub *x = set && (g || !share.n) ? map_get(&r->index, key_of(&key)) : NULL;
    pthread_mutex_unlock(&r->lock);
    return x;
}

static void sub_unlink(struct sub *x)
{
    struct subscriber *s = x->key.subscriber;
    if (x->next)
        x->next->prev = x->prev;
    if (x->prev)
        x->prev->next = x->next;
    else
        s->subscriptions = x->next;
    s->shares -= x->key.group != NULL;
}

void routes_remove(struct routes *r, struct sub *x, uint64_t job)
{
    struct sub_set *set = x->key.set;
    struct share_group *g = x->key.group;
    pthread_mutex_lock(&r->lock);
    (void)map_del(&r->index, key_of(&x->key));
    struct sub **v = g ? g->members.v : set->subs.v;
    size_t *n = g ? &g->members.n : &set->subs.n;
    struct sub *last = v[--*n];
    if (last != x) {
        v[x->at] = last;
        last->at = x->at;
    }
    sub_unlink(x);
    if (g)
        group_prune(r, g);
    set_prune(r, set);
    x->key.set = NULL;
    atomic_fetch_add_explicit(&r->generation, 1, memory_order_release);
    pthread_mutex_unlock(&r->lock);
    struct route_view *v_own = routes_view(r, x->worker);
    x->pub.subscriber = NULL;
    x->pub.filter = (struct str){NULL, 0};
    x->buried = job;
    x->next = v_own->graveyard;
    v_own->graveyard = x;
}

void routes_bury(struct routes *r, unsigned worker, uint64_t job)
{
    struct sub **at = &r->views[worker].graveyard;
    while (*at) {
        struct sub *x = *at;
        if (x->buried >= job) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        sub_unref(r, x);
    }
}

size_t routes_count(struct routes *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->index.n;
    pthread_mutex_unlock(&r->lock);
    return n;
}
