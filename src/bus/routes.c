/* routes: the subscriptions of the site. */
#include "bus/bus_internal.h"

#include <string.h>

enum { LIMBO_SUBS_TABLE = TRIE_LIMBO_OWN, LIMBO_SUB };

/* ---- one subscription ---- */

struct sub *sub_ref(struct sub *x)
{
    atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
    return x;
}

static size_t more_bytes(size_t guard_n)
{
    return sizeof(struct sub_more) + guard_n + 1;
}

void sub_unref(struct routes *r, struct sub *x)
{
    uint32_t before = atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;
    if (x->more) {
        group_unref(r, x->more->group);
        mem_free(r->alloc, x->more, more_bytes(x->more->guard_n));
    }
    mem_free(r->alloc, x, sizeof(*x));
}

/* In a set of subscriptions: a subscriber has one of its own, and one in each share. Numbers, not
 * addresses: what is delivered in which order must not depend on where memory lies. Asked with the
 * lock held only, under which a subscriber whose subscription is in a set has not gone. */
static struct str set_key_of(const struct subscriber *s, const struct share_group *g,
                             uint64_t key[2])
{
    key[0] = s->number;
    key[1] = g ? g->id : 0;
    return (struct str){(const char *)key, sizeof(uint64_t[2])};
}

static struct str set_key(const void *item, uint64_t scratch[2])
{
    const struct sub *x = item;
    return set_key_of(x->key.subscriber, sub_group(x), scratch);
}

static struct sub *set_find(const struct routes *r, const struct trie_node *n,
                            const struct subscriber *s, const struct share_group *g)
{
    uint64_t key[2];
    return hamt_get(&r->subs, &n->value, set_key_of(s, g, key));
}

/* True if routes are different by that: all else they look up in the subscription. */
static bool options_set(struct sub *x, const struct subscription *s)
{
    unsigned flags = (s->stored ? SUB_STORED_ANY : 0u) | (s->stored && s->qos ? SUB_STORED : 0u) |
                     (s->kept ? SUB_KEPT : 0u) | (s->no_local ? SUB_NO_LOCAL : 0u);
    x->o.id = s->id & ((1u << 28) - 1);
    x->o.qos = s->qos & 3u;
    x->o.no_local = s->no_local;
    x->o.retain_as_published = s->retain_as_published;
    bool other = sub_flags(x) != flags;
    atomic_store_explicit(&x->o.flags, (uint8_t)flags, memory_order_relaxed);
    return other;
}

static bool is_ordinary(const struct subscription *s)
{
    return !s->share.n && !s->guard.n && !s->every_ms;
}

static struct sub_more *more_new(struct routes *r, struct share_group *g,
                                 const struct subscription *s)
{
    size_t n = s->guard.n < WHY_MAX ? s->guard.n : WHY_MAX - 1;
    struct sub_more *more = mem_zero(r->alloc, more_bytes(n));
    if (!more)
        return NULL;
    more->group = g;
    more->every_ms = s->every_ms;
    more->stored_id = s->subscriber->stored_id;
    atomic_init(&more->presence, s->subscriber->presence);
    more->guard_n = (uint16_t)n;
    if (n)
        memcpy(more->guard, s->guard.p, n);
    return more;
}

static struct sub *sub_new(struct routes *r, struct trie_node *n, struct share_group *g,
                           const struct subscription *s)
{
    const struct worker *w = s->subscriber->worker;
    struct sub *x = mem_zero(r->alloc, sizeof(*x));
    if (!x)
        return NULL;
    if (!is_ordinary(s) && !(x->more = more_new(r, g, s))) {
        mem_free(r->alloc, x, sizeof(*x));
        return NULL;
    }
    x->key = (struct sub_key){n, s->subscriber};
    x->o.worker = (uint8_t)(w ? worker_index(w) : 0);
    x->o.share_id = g ? g->id : 0;
    atomic_init(&x->refs, 1);
    (void)options_set(x, s);
    group_ref(g);
    return x;
}

struct subscription sub_describe(const struct sub *x, char filter[SUB_FILTER_MAX])
{
    const struct share_group *g = sub_group(x);
    const struct str none = {NULL, 0};
    unsigned flags = sub_flags(x);
    size_t n = trie_path_len(x->key.node);
    ASSERT(n <= SUB_FILTER_MAX);
    trie_path(x->key.node, filter);
    return (struct subscription){
        .filter = {filter, n},
        .share = g ? (struct str){g->name, g->name_n} : none,
        .subscriber = x->key.subscriber,
        .qos = x->o.qos,
        .no_local = x->o.no_local,
        .retain_as_published = x->o.retain_as_published,
        .stored = flags & SUB_STORED_ANY,
        .kept = flags & SUB_KEPT,
        .id = x->o.id,
        .every_ms = sub_every_ms(x),
        .guard = sub_is_guard(x) ? (struct str){x->more->guard, x->more->guard_n} : none};
}

/* ---- all of them ---- */

static void limbo_drop(struct trie *t, struct limbo_item *i, unsigned kind)
{
    struct routes *r = CONTAINER_OF(t, struct routes, trie);
    if (kind == LIMBO_SUB)
        sub_unref(r, CONTAINER_OF(i, struct sub, limbo));
    else
        hamt_table_free(&r->subs, CONTAINER_OF(i, struct hamt_table, limbo));
}

static size_t routes_bytes(unsigned workers)
{
    return sizeof(struct routes) + (workers + 1) * sizeof(struct route_view);
}

enum err routes_new(struct routes **out, struct executor *ex, struct alloc *a, size_t max)
{
    unsigned workers = executor_workers(ex);
    struct routes *r = mem_zero(a, routes_bytes(workers));
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->alloc = a;
    r->seed = executor_env(ex)->seed;
    r->workers = workers;
    r->max = max;
    r->bytes_max = SIZE_MAX;
    for (unsigned i = 0; i <= workers; i++)
        r->views[i] = (struct route_view){
            .routes = r, .worker = i < workers ? i : ROUTE_ALL, .steps.alloc = a};
    map_init(&r->groups, a, r->seed, UINT32_MAX);
    map_init(&r->group_names, a, r->seed, UINT32_MAX);
    r->subs = (struct hamt){.alloc = a,
                            .limbo = &r->trie.limbo,
                            .limbo_kind = LIMBO_SUBS_TABLE,
                            .seed = r->seed,
                            .key = set_key,
                            .bits = UINT64_MAX};
    enum err err = trie_init(&r->trie, ex, a, r->seed, limbo_drop);
    if (err)
        routes_free(r);
    else
        *out = r;
    return err;
}

struct route_view *routes_view(struct routes *r, unsigned worker)
{
    return &r->views[worker == ROUTE_ALL ? r->workers : worker];
}

static void drop_sub(void *ctx, void *item)
{
    sub_unref(ctx, item);
}

static void drop_set(void *ctx, struct trie_node *n)
{
    struct routes *r = ctx;
    hamt_fini(&r->subs, &n->value, drop_sub, r);
}

static void groups_free(struct routes *r)
{
    struct str key;
    void *g;
    for (size_t at = 0; map_next(&r->groups, &at, &key, &g);)
        group_unref(r, g);
    map_fini(&r->groups);
    map_fini(&r->group_names);
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i <= r->workers; i++) {
        route_view_clear(&r->views[i]);
        routes_bury(r, i, UINT64_MAX);
    }
    trie_fini(&r->trie, drop_set, r);
    groups_free(r);
    mem_free(r->alloc, r, routes_bytes(r->workers));
}

/* ---- generations ---- */

static uint16_t stripe(const struct routes *r, struct str first, const struct str *second)
{
    uint64_t hash = hash_bytes(first.p, first.n, r->seed);
    if (second)
        hash = hash_bytes(second->p, second->n, hash | 1);
    return (uint16_t)(hash % ROUTE_STRIPES);
}

void routes_stripes(const struct routes *r, struct str topic, uint16_t stripes[2])
{
    struct str first = trie_level(&topic), second = {NULL, 0};
    if (topic.p)
        second = trie_level(&topic);
    stripes[0] = stripe(r, first, NULL);
    stripes[1] = stripe(r, first, second.p ? &second : NULL);
}

/* Each only grows: an equal sum is three equal numbers. */
uint64_t routes_generation(const struct routes *r, const uint16_t stripes[2])
{
    return atomic_load(&r->changed_any) + atomic_load(&r->changed_first[stripes[0]]) +
           atomic_load(&r->changed_both[stripes[1]]);
}

static bool is_wild(const struct trie_node *n)
{
    return n->n == 1 && (n->name[0] == '+' || n->name[0] == '#');
}

/* The subscriptions of this node have changed, and are so for all who read from now on. */
static void changed(struct routes *r, const struct trie_node *n)
{
    const struct trie_node *first = n, *second = NULL;
    while (first->parent->parent) {
        second = first;
        first = first->parent;
    }
    struct str name = second ? trie_name(second) : (struct str){NULL, 0};
    if (is_wild(first))
        atomic_fetch_add(&r->changed_any, 1);
    else if (second && is_wild(second))
        atomic_fetch_add(&r->changed_first[stripe(r, trie_name(first), NULL)], 1);
    else
        atomic_fetch_add(&r->changed_both[stripe(r, trie_name(first), second ? &name : NULL)], 1);
}

/* ---- adding ---- */

static void link_own(struct sub *x)
{
    struct subscriber *s = x->key.subscriber;
    x->next = s->subscriptions;
    x->prev = NULL;
    if (x->next)
        x->next->prev = x;
    s->subscriptions = x;
    if (sub_group(x))
        s->shares++;
}

static void unlink_own(struct sub *x)
{
    struct subscriber *s = x->key.subscriber;
    if (x->next)
        x->next->prev = x->prev;
    if (x->prev)
        x->prev->next = x->next;
    else
        s->subscriptions = x->next;
    if (sub_group(x))
        s->shares--;
}

/* It has been unlinked everywhere; its worker may still deliver by it. */
static void lay_out(struct routes *r, struct sub *x, uint64_t job)
{
    struct route_view *own = routes_view(r, x->o.worker);
    x->buried = job;
    x->next = own->graveyard;
    own->graveyard = x;
}

static size_t memory(const struct routes *r)
{
    return trie_bytes(&r->trie) + r->subs.bytes + r->group_bytes + r->count * sizeof(struct sub);
}

static enum err add_new(struct routes *r, struct trie_node *n, struct share_group *g,
                        const struct subscription *s)
{
    if (s->subscriber->rights && !s->restored && (r->count >= r->max || memory(r) > r->bytes_max))
        return ERR_FULL; /* clients: what they take must not be missing to the site itself */
    struct sub *x = sub_new(r, n, g, s);
    if (!x)
        return ERR_NOMEM;
    if (g) {
        x->more->at = (uint32_t)g->members.n;
        x->more->joined = ++g->joined;
    }
    if (g && !vec_push(r->alloc, &g->members, x)) {
        sub_unref(r, x);
        return ERR_NOMEM;
    }
    enum err err = hamt_put(&r->subs, &n->value, x);
    if (err) {
        if (g)
            g->members.n--;
        sub_unref(r, x);
        return err;
    }
    link_own(x);
    changed(r, n);
    atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
    return ERR_OK;
}

/* Of what all workers look at only the flags can change: others are replaced as a whole. A message
 * on its way to the old one is delivered by it. Clients that come back subscribe to what they have:
 * then no route is built anew. */
static enum err add_again(struct routes *r, struct sub *old, const struct subscription *s)
{
    if ((!old->more && is_ordinary(s)) || sub_group(old)) {
        if (options_set(old, s))
            changed(r, old->key.node);
        return ERR_OK;
    }
    struct sub *x = sub_new(r, old->key.node, NULL, s);
    if (!x)
        return ERR_NOMEM;
    hamt_replace(&r->subs, &old->key.node->value, old, x);
    unlink_own(old);
    link_own(x);
    changed(r, x->key.node);
    lay_out(r, old, UINT64_MAX - 1);
    return ERR_OK;
}

static enum err add_at(struct routes *r, struct trie_node *n, const struct subscription *s,
                       bool *existed)
{
    struct share_group *g = !s->share.n  ? NULL
                            : s->renewal ? group_find(r, n, s->share)
                                         : group_at(r, n, s->share, s->filter);
    if (s->share.n && !g)
        return s->renewal ? ERR_FULL : ERR_NOMEM;
    struct sub *old = set_find(r, n, s->subscriber, g);
    *existed = old;
    enum err err = old ? add_again(r, old, s) : s->renewal ? ERR_FULL : add_new(r, n, g, s);
    group_prune(r, g);
    return err;
}

enum err routes_add(struct routes *r, const struct subscription *sub, bool *existed)
{
    struct trie_node *n = NULL;
    *existed = false;
    if (sub->share.n > UINT16_MAX || sub->filter.n > SUB_FILTER_MAX)
        return ERR_RANGE;
    pthread_mutex_lock(&r->trie.lock);
    if (!sub->subscriber->number)
        sub->subscriber->number = ++r->subscriber_last;
    enum err err = ERR_OK;
    if (!sub->renewal)
        err = trie_make(&r->trie, sub->filter, &n);
    else if (!(n = trie_find(&r->trie, sub->filter)))
        err = ERR_FULL;
    if (!err) {
        err = add_at(r, n, sub, existed);
        trie_prune(&r->trie, n);
    }
    pthread_mutex_unlock(&r->trie.lock);
    return err;
}

/* ---- finding and removing ---- */

struct sub *routes_sub(struct routes *r, const struct subscriber *s, struct str share,
                       struct str filter)
{
    pthread_mutex_lock(&r->trie.lock);
    struct trie_node *n = trie_find(&r->trie, filter);
    struct share_group *g = n && share.n ? group_find(r, n, share) : NULL;
    struct sub *x = n && (g || !share.n) ? set_find(r, n, s, g) : NULL;
    pthread_mutex_unlock(&r->trie.lock);
    return x;
}

static void leave_group(struct routes *r, struct sub *x)
{
    struct share_group *g = sub_group(x);
    if (!g)
        return;
    struct sub *last = g->members.v[--g->members.n];
    g->members.v[x->more->at] = last;
    last->more->at = x->more->at;
    group_prune(r, g);
}

void routes_remove(struct routes *r, struct sub *x, uint64_t job)
{
    struct trie_node *n = x->key.node;
    pthread_mutex_lock(&r->trie.lock);
    hamt_del(&r->subs, &n->value, x);
    leave_group(r, x);
    unlink_own(x);
    changed(r, n);
    trie_prune(&r->trie, n);
    pthread_mutex_unlock(&r->trie.lock);
    atomic_fetch_sub_explicit(&r->count, 1, memory_order_relaxed);
    x->o.gone = true;
    x->key.node = NULL;
    lay_out(r, x, job);
}

void routes_bury(struct routes *r, unsigned worker, uint64_t job)
{
    struct sub **at = &r->views[worker].graveyard;
    if (!*at)
        return;
    pthread_mutex_lock(&r->trie.lock);
    while (*at) {
        struct sub *x = *at;
        if (x->buried >= job) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        limbo_add(&r->trie.limbo, &x->limbo, LIMBO_SUB);
    }
    pthread_mutex_unlock(&r->trie.lock);
}

size_t routes_count(const struct routes *r)
{
    return atomic_load_explicit(&r->count, memory_order_relaxed);
}
