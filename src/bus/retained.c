#include "base/log.h"
#include "bus/bus_internal.h"

#include <stdio.h>
#include <string.h>

enum { HELD_CHANGE = 1, HELD_DIRTY = 2 }; /* trie_node.held */
enum {
    EXPIRE_NODES = 16384, /* looked at in one go */
    CURSOR_NODES = 4096,
};

enum err retained_init(struct retained_store *r, struct executor *ex, struct alloc *a,
                       uint64_t seed, size_t count_max, size_t bytes_max)
{
    *r = (struct retained_store){
        .alloc = a, .ex = ex, .count_max = count_max, .bytes_max = bytes_max};
    r->expire_at.alloc = a;
    for (size_t i = 0; i < RETAINED_STRIPES; i++)
        pthread_mutex_init(&r->stripes[i].lock, NULL);
    return trie_init(&r->trie, ex, a, seed, NULL);
}

static struct message *message_at(const struct trie_node *n)
{
    return (struct message *)atomic_load(&n->value.word);
}

static void drop(void *ctx, struct trie_node *n)
{
    (void)ctx;
    message_unref(message_at(n));
}

void retained_fini(struct retained_store *r)
{
    if (!r->alloc)
        return;
    trie_fini(&r->trie, drop, NULL);
    for (size_t i = 0; i < RETAINED_STRIPES; i++)
        pthread_mutex_destroy(&r->stripes[i].lock);
    vec_fini(r->alloc, &r->dirty);
    trie_cursor_fini(&r->expire_at);
    *r = (struct retained_store){0};
}

static struct retained_stripe *stripe_of(struct retained_store *r, uint64_t hash)
{
    return &r->stripes[hash % RETAINED_STRIPES];
}

void retained_lock_all(struct retained_store *r)
{
    for (size_t i = 0; i < RETAINED_STRIPES; i++)
        pthread_mutex_lock(&r->stripes[i].lock);
    pthread_mutex_lock(&r->trie.lock);
}

void retained_unlock_all(struct retained_store *r)
{
    pthread_mutex_unlock(&r->trie.lock);
    for (size_t i = 0; i < RETAINED_STRIPES; i++)
        pthread_mutex_unlock(&r->stripes[i].lock);
}

/* ---- one change ---- */

static void old_free(struct retired *retired)
{
    struct retained_old *old = CONTAINER_OF(retired, struct retained_old, retired);
    message_unref(old->message);
    mem_free(old->alloc, old, sizeof(*old));
}

static void old_retire(struct retained_store *r, struct retained_old *old, struct message *m)
{
    struct worker *w = worker_current();
    old->message = m;
    old->alloc = r->alloc;
    if (!w || worker_executor(w) != r->ex)
        w = executor_worker(r->ex, 0);
    worker_retire(w, &old->retired, old_free);
}

/* Both are limits of all changes together, those under way too. */
static enum err check_limits(const struct retained_store *r, const struct retained_stripe *s,
                             char why[160])
{
    if (s->count == 1 && r->count >= r->count_max) {
        (void)snprintf(why, 160, "more than %zu retained messages", r->count_max);
        return ERR_RANGE;
    }
    if (s->count == 1 && trie_bytes(&r->trie) > r->bytes_max) {
        (void)snprintf(why, 160, "the topics of retained messages need more than %zu bytes",
                       r->bytes_max);
        return ERR_RANGE;
    }
    if ((s->bytes & SIZE_MAX >> 1) == s->bytes && r->bytes + s->bytes > r->bytes_max) {
        (void)snprintf(why, 160, "retained messages need more than %zu bytes", r->bytes_max);
        return ERR_RANGE;
    }
    return ERR_OK;
}

static bool dirty_reserve(struct retained_store *r)
{
    size_t need = r->dirty.n + r->begun + 1;
    return !r->track || need <= r->dirty.cap ||
           vec_grow(r->alloc, (void **)&r->dirty.v, &r->dirty.cap, sizeof(*r->dirty.v), need);
}

static enum err make_room(struct retained_store *r, struct retained_stripe *s, struct str topic,
                          size_t payload_n, char why[160])
{
    struct trie_node *n = trie_find(&r->trie, topic);
    const struct message *old = n ? message_at(n) : NULL;
    size_t size = payload_n ? sizeof(struct message) + topic.n + payload_n : 0;
    s->count = (size_t)(payload_n != 0) - (size_t)(old != NULL);
    s->bytes = size - (old ? message_bytes(old) : 0);
    enum err err = payload_n && !r->restores ? check_limits(r, s, why) : ERR_OK;
    if (err || (!n && !payload_n))
        return err;
    if (!dirty_reserve(r) || (old && !(s->old = mem_new(r->alloc, sizeof(*s->old)))))
        return ERR_NOMEM;
    if (!n && (err = trie_make(&r->trie, topic, &n))) {
        if (err == ERR_RANGE)
            (void)snprintf(why, 160, "the topic has more than %d levels", LEVELS_MAX);
        return err;
    }
    s->node = n;
    n->held |= HELD_CHANGE;
    r->begun++;
    r->count += s->count;
    r->bytes += s->bytes;
    return ERR_OK;
}

enum err retained_begin(struct retained_store *r, uint64_t hash, struct str topic, size_t payload_n,
                        char why[160])
{
    struct retained_stripe *s = stripe_of(r, hash);
    pthread_mutex_lock(&s->lock);
    s->node = NULL;
    s->old = NULL;
    pthread_mutex_lock(&r->trie.lock);
    enum err err = make_room(r, s, topic, payload_n, why);
    pthread_mutex_unlock(&r->trie.lock);
    if (err) {
        mem_free(r->alloc, s->old, sizeof(*s->old));
        pthread_mutex_unlock(&s->lock);
    }
    return err;
}

static bool expires(const struct message *m)
{
    return m && m->expiry_s != UINT32_MAX;
}

/* The store's reference of the old message goes with `old`, which there is if there is one. */
static void put(struct retained_store *r, struct trie_node *n, struct message *m,
                struct retained_old *old)
{
    struct message *before = (struct message *)atomic_exchange(&n->value.word, (uintptr_t)m);
    r->expiring += (size_t)expires(m) - (size_t)expires(before);
    if (before)
        old_retire(r, old, before);
    if (r->track && !(n->held & HELD_DIRTY)) {
        n->held |= HELD_DIRTY;
        r->dirty.v[r->dirty.n++] = n; /* there is room */
    }
}

/* What the publication has besides topic and payload was not known at the beginning. */
static void end_change(struct retained_store *r, struct retained_stripe *s, struct message *m)
{
    struct trie_node *n = s->node;
    n->held &= (uint8_t)~HELD_CHANGE;
    r->begun--;
    if (!m) {
        r->count -= s->count;
        r->bytes -= s->bytes;
        mem_free(r->alloc, s->old, sizeof(*s->old));
    } else {
        if (m->payload_len)
            r->bytes += m->properties_len;
        put(r, n, m->payload_len ? message_ref(m) : NULL, s->old);
    }
    trie_prune(&r->trie, n);
}

void retained_end(struct retained_store *r, uint64_t hash, struct message *m)
{
    struct retained_stripe *s = stripe_of(r, hash);
    ASSERT(s->node || !m || !m->payload_len);
    if (s->node) {
        pthread_mutex_lock(&r->trie.lock);
        end_change(r, s, m);
        pthread_mutex_unlock(&r->trie.lock);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- all of them ---- */

struct message *retained_get(const struct retained_store *r, struct str topic)
{
    const struct trie_node *n = trie_find(&r->trie, topic);
    return n ? message_at(n) : NULL;
}

struct each {
    void (*each)(void *ctx, struct message *m);
    void *ctx;
};

static bool visit(void *ctx, const struct trie_node *n)
{
    const struct each *e = ctx;
    struct message *m = message_at(n);
    if (m)
        e->each(e->ctx, m);
    return true;
}

void retained_each(const struct retained_store *r, void (*each)(void *ctx, struct message *m),
                   void *ctx)
{
    struct each e = {each, ctx};
    struct trie_cursor all = {0};
    bool more;
    enum err err = trie_walk(&r->trie, &all, SIZE_MAX, visit, &e, &more);
    ASSERT(!err && !more);
}

struct expire {
    struct retained_store *store;
    int64_t now_ms;
    VEC(struct trie_node *) gone;
};

static bool collect_expired(void *ctx, const struct trie_node *n)
{
    struct expire *e = ctx;
    const struct message *m = message_at(n);
    /* Without memory: the next time. */
    return !m || !message_expired(m, e->now_ms) ||
           vec_push(e->store->alloc, &e->gone, (struct trie_node *)(uintptr_t)n);
}

static void expire_one(struct retained_store *r, struct trie_node *n)
{
    struct retained_old *old = dirty_reserve(r) ? mem_new(r->alloc, sizeof(*old)) : NULL;
    if (!old)
        return;
    r->count--;
    r->bytes -= message_bytes(message_at(n));
    put(r, n, NULL, old);
    trie_prune(&r->trie, n);
}

void retained_expire(struct retained_store *r, int64_t now_ms)
{
    struct expire e = {.store = r, .now_ms = now_ms};
    bool more;
    if (!r->expiring)
        return;
    if (trie_walk(&r->trie, &r->expire_at, EXPIRE_NODES, collect_expired, &e, &more) || !more)
        r->expire_at.begun = false;
    for (size_t i = 0; i < e.gone.n; i++)
        expire_one(r, e.gone.v[i]);
    vec_fini(r->alloc, &e.gone);
}

bool retained_dirty_each(struct retained_store *r,
                         bool (*each)(void *ctx, const struct trie_node *n, struct message *m),
                         void *ctx)
{
    for (size_t i = 0; i < r->dirty.n; i++)
        if (!each(ctx, r->dirty.v[i], message_at(r->dirty.v[i])))
            return false;
    return true;
}

void retained_clean(struct retained_store *r)
{
    for (size_t i = 0; i < r->dirty.n; i++) {
        struct trie_node *n = r->dirty.v[i];
        n->held &= (uint8_t)~HELD_DIRTY;
        trie_prune(&r->trie, n);
    }
    vec_fini(r->alloc, &r->dirty);
}

/* ---- cursors ---- */

bool retained_cursor_init(struct retained_store *r, struct retained_cursor *c, struct str filter)
{
    *c = (struct retained_cursor){.at.alloc = r->alloc};
    c->filter = mem_new(r->alloc, filter.n);
    if (!c->filter)
        return false;
    memcpy(c->filter, filter.p, filter.n);
    c->filter_n = filter.n;
    c->at.filter = (struct str){c->filter, filter.n};
    return true;
}

static bool take(void *ctx, const struct trie_node *n)
{
    struct retained_cursor *c = ctx;
    struct message *m = message_at(n);
    if (m)
        c->batch[c->batch_n++] = message_ref(m);
    return c->batch_n < RETAINED_BATCH;
}

struct message *retained_cursor_next(struct retained_store *r, struct retained_cursor *c,
                                     bool *more)
{
    *more = true;
    if (c->taken == c->batch_n && !c->ended) {
        bool rest;
        c->taken = c->batch_n = 0;
        enum err err = trie_walk(&r->trie, &c->at, CURSOR_NODES, take, c, &rest);
        if (err)
            LOG_W("bus", "a new subscription does not get all that is retained: no memory");
        c->ended = err || !rest;
    }
    if (c->taken < c->batch_n)
        return c->batch[c->taken++];
    *more = !c->ended;
    return NULL;
}

void retained_cursor_fini(struct retained_store *r, struct retained_cursor *c)
{
    while (c->taken < c->batch_n)
        message_unref(c->batch[c->taken++]);
    trie_cursor_fini(&c->at);
    mem_free(r->alloc, c->filter, c->filter_n);
    c->filter = NULL;
}
