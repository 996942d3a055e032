/* route: who gets a topic, as one worker sees it. The worker's cache of that is route_cache.c. */
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

/* Of what was found. */
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

struct route *route_build(struct route_view *v, struct str topic, bool *keep)
{
    v->found.n = 0;
    v->nomem = false;
    if (trie_match(&v->routes->trie, &v->steps, &topic, 1, found_set, v))
        v->nomem = true;
    return v->nomem ? NULL : route_new(v, topic, keep);
}

/* ---- what will be built ---- */

static void expect_set(void *ctx, size_t which, const struct trie_node *n)
{
    struct route_view *v = ctx;
    uintptr_t word = atomic_load(&n->value.word);
    (void)which;
    if (word && !hamt_is_table(word)) /* of many, look_ahead() asks as it goes */
        found_sub(v, (void *)word);
}

void route_expect_build(struct route_view *v, const struct str *topics, size_t n)
{
    v->found.n = 0;
    if (trie_match(&v->routes->trie, &v->steps, topics, n, expect_set, v))
        return; /* no memory: then it takes longer */
    for (size_t i = 0; i < v->found.n; i++)
        __builtin_prefetch(v->found.v[i].sub->key.subscriber);
}
