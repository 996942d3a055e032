#include "bus/bus_internal.h"

#include <stdio.h>
#include <string.h>

enum err retained_init(struct retained_store *r, struct alloc *a, uint64_t seed, size_t count_max,
                       size_t bytes_max)
{
    *r = (struct retained_store){.alloc = a, .count_max = count_max, .bytes_max = bytes_max};
    list_init(&r->dirty);
    pthread_mutex_init(&r->lock, NULL);
    return levels_init(&r->levels, a, seed);
}

void retained_lock(struct retained_store *r, uint64_t topic_hash)
{
    (void)topic_hash;
    pthread_mutex_lock(&r->lock);
}

void retained_unlock(struct retained_store *r, uint64_t topic_hash)
{
    (void)topic_hash;
    pthread_mutex_unlock(&r->lock);
}

void retained_lock_all(struct retained_store *r)
{
    pthread_mutex_lock(&r->lock);
}

void retained_unlock_all(struct retained_store *r)
{
    pthread_mutex_unlock(&r->lock);
}

static void retained_free(struct retained_store *r, struct retained *x)
{
    message_unref(x->message);
    mem_free(r->alloc, x, sizeof(*x) + x->topic_n);
}

static void drop(void *ctx, void *value)
{
    retained_free(ctx, value);
}

void retained_fini(struct retained_store *r)
{
    if (r->alloc) {
        levels_fini(&r->levels, drop, r);
        pthread_mutex_destroy(&r->lock);
    }
    *r = (struct retained_store){0};
}

static struct retained *find(const struct retained_store *r, struct str topic)
{
    struct level *l = levels_find(&r->levels, topic);
    return l ? l->value : NULL;
}

static enum err add(struct retained_store *r, struct str topic)
{
    struct level *l;
    enum err err = levels_make(&r->levels, topic, &l);
    if (err)
        return err;
    struct retained *x = mem_zero(r->alloc, sizeof(*x) + topic.n);
    if (!x) {
        levels_prune(&r->levels, l);
        return ERR_NOMEM;
    }
    list_init(&x->dirty);
    x->level = l;
    x->topic_n = topic.n;
    memcpy(x->topic, topic.p, topic.n);
    l->value = x;
    return ERR_OK;
}

enum err retained_prepare(struct retained_store *r, struct str topic, size_t payload_n,
                          char why[160])
{
    struct retained *x = find(r, topic);
    size_t size = sizeof(struct message) + topic.n + payload_n;
    size_t old = x && x->message ? message_bytes(x->message) : 0;
    if (payload_n && !old && r->count >= r->count_max) {
        (void)snprintf(why, 160, "more than %zu retained messages", r->count_max);
        return ERR_RANGE;
    }
    if (payload_n && r->bytes - old + size > r->bytes_max) {
        (void)snprintf(why, 160, "retained messages need more than %zu bytes", r->bytes_max);
        return ERR_RANGE;
    }
    if (x || !payload_n)
        return ERR_OK;
    enum err err = add(r, topic);
    if (err == ERR_RANGE)
        (void)snprintf(why, 160, "the topic has more than %d levels", LEVELS_MAX);
    return err;
}

void retained_forget(struct retained_store *r, struct retained *x)
{
    ASSERT(!x->message);
    struct level *l = x->level;
    list_del(&x->dirty);
    l->value = NULL;
    retained_free(r, x);
    levels_prune(&r->levels, l);
}

void retained_unprepare(struct retained_store *r, struct str topic)
{
    struct retained *x = find(r, topic);
    if (x && !x->message && list_empty(&x->dirty))
        retained_forget(r, x);
}

static void clear(struct retained_store *r, struct retained *x)
{
    if (!x->message)
        return;
    r->count--;
    r->bytes -= message_bytes(x->message);
    message_unref(x->message);
    x->message = NULL;
}

static void mark(struct retained_store *r, struct retained *x)
{
    if (r->track) {
        if (list_empty(&x->dirty))
            list_add_tail(&r->dirty, &x->dirty);
    } else if (!x->message) {
        retained_forget(r, x);
    }
}

void retained_set(struct retained_store *r, struct message *m)
{
    struct retained *x = find(r, message_topic(m));
    if (!x) {
        ASSERT(m->payload_len == 0); /* nothing to delete */
        return;
    }
    clear(r, x);
    x->seq = m->seq;
    if (m->payload_len) {
        x->message = message_ref(m);
        r->count++;
        r->bytes += message_bytes(m);
    }
    mark(r, x);
}

struct message *retained_get(const struct retained_store *r, struct str topic)
{
    struct retained *x = find(r, topic);
    return x ? x->message : NULL;
}

struct each {
    void (*each)(void *ctx, struct message *m);
    void *ctx;
};

static void visit(void *ctx, void *value)
{
    const struct each *e = ctx;
    struct retained *x = value;
    if (x->message)
        e->each(e->ctx, x->message);
}

struct collect {
    struct retained_store *store;
    struct retained_cursor *cursor;
    bool failed;
};

static void collect(void *ctx, void *value)
{
    struct collect *c = ctx;
    struct retained *x = value;
    if (!x->message)
        return;
    if (vec_push(c->store->alloc, &c->cursor->all, x->message))
        message_ref(x->message);
    else
        c->failed = true;
}

bool retained_cursor_init(struct retained_store *r, struct retained_cursor *cursor,
                          struct str filter)
{
    struct collect c = {.store = r, .cursor = cursor};
    *cursor = (struct retained_cursor){0};
    pthread_mutex_lock(&r->lock);
    levels_match_filter(&r->levels, filter, collect, &c);
    pthread_mutex_unlock(&r->lock);
    if (c.failed)
        retained_cursor_fini(r, cursor);
    return !c.failed;
}

struct message *retained_cursor_next(struct retained_store *r, struct retained_cursor *c,
                                     bool *more)
{
    (void)r;
    *more = false;
    return c->at < c->all.n ? c->all.v[c->at++] : NULL;
}

void retained_cursor_fini(struct retained_store *r, struct retained_cursor *c)
{
    while (c->at < c->all.n)
        message_unref(c->all.v[c->at++]);
    vec_fini(r->alloc, &c->all);
}

void retained_count(struct retained_store *r, uint64_t *count, uint64_t *bytes)
{
    pthread_mutex_lock(&r->lock);
    *count = r->count;
    *bytes = r->bytes;
    pthread_mutex_unlock(&r->lock);
}

void retained_each(const struct retained_store *r, void (*each)(void *ctx, struct message *m),
                   void *ctx)
{
    struct each e = {each, ctx};
    levels_each(&r->levels, visit, &e);
}

struct expire {
    struct retained_store *store;
    int64_t now_ms;
    VEC(struct retained *) gone;
};

static void collect_expired(void *ctx, void *value)
{
    struct expire *e = ctx;
    struct retained *x = value;
    if (x->message && message_expired(x->message, e->now_ms))
        (void)vec_push(e->store->alloc, &e->gone, x); /* without memory: the next time */
}

void retained_expire(struct retained_store *r, int64_t now_ms)
{
    struct expire e = {.store = r, .now_ms = now_ms};
    levels_each(&r->levels, collect_expired, &e);
    for (size_t i = 0; i < e.gone.n; i++) {
        clear(r, e.gone.v[i]);
        mark(r, e.gone.v[i]);
    }
    vec_fini(r->alloc, &e.gone);
}
