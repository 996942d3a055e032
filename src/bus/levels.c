#include "bus/levels.h"

#include <string.h>

/* The next level of *rest; *rest becomes {NULL, 0} behind the last one. */
static struct str next_level(struct str *rest)
{
    const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
    struct str part = *rest;
    if (slash) {
        part.n = (size_t)(slash - rest->p);
        *rest = (struct str){slash + 1, rest->n - part.n - 1};
    } else {
        *rest = (struct str){NULL, 0};
    }
    return part;
}

static bool is_name(struct str s, char c)
{
    return s.n == 1 && s.p[0] == c;
}

static struct level *level_new(struct levels *t, struct level *parent, struct str name)
{
    struct level *l = mem_zero(t->alloc, sizeof(*l) + name.n);
    if (!l)
        return NULL;
    l->parent = parent;
    l->n = (uint16_t)name.n;
    if (name.n)
        memcpy(l->name, name.p, name.n);
    t->nodes++;
    return l;
}

static struct str level_name(const struct level *l)
{
    return (struct str){l->name, l->n};
}

static void level_free(struct levels *t, struct level *l)
{
    if (l->children) {
        map_fini(l->children);
        mem_free(t->alloc, l->children, sizeof(*l->children));
    }
    mem_free(t->alloc, l, sizeof(*l) + l->n);
    t->nodes--;
}

enum err levels_init(struct levels *t, struct alloc *a, uint64_t seed)
{
    *t = (struct levels){.alloc = a, .seed = seed};
    t->root = level_new(t, NULL, (struct str){NULL, 0});
    return t->root ? ERR_OK : ERR_NOMEM;
}

static void drop_below(struct levels *t, struct level *l, void (*drop)(void *, void *), void *ctx)
{
    struct str key;
    void *child;
    for (size_t at = 0; l->children && map_next(l->children, &at, &key, &child);)
        drop_below(t, child, drop, ctx);
    if (l->plus)
        drop_below(t, l->plus, drop, ctx);
    if (l->hash)
        drop_below(t, l->hash, drop, ctx);
    if (l->value && drop)
        drop(ctx, l->value);
    level_free(t, l);
}

void levels_fini(struct levels *t, void (*drop)(void *ctx, void *value), void *ctx)
{
    if (t->root)
        drop_below(t, t->root, drop, ctx);
    t->root = NULL;
}

static struct level *child_of(const struct level *l, struct str name)
{
    if (is_name(name, '+'))
        return l->plus;
    if (is_name(name, '#'))
        return l->hash;
    return l->children ? map_get(l->children, name) : NULL;
}

static struct level *child_add(struct levels *t, struct level *l, struct str name)
{
    struct level *child = level_new(t, l, name);
    if (!child)
        return NULL;
    if (is_name(name, '+')) {
        l->plus = child;
        return child;
    }
    if (is_name(name, '#')) {
        l->hash = child;
        return child;
    }
    if (!l->children) {
        l->children = mem_new(t->alloc, sizeof(*l->children));
        if (!l->children) {
            level_free(t, child);
            return NULL;
        }
        map_init(l->children, t->alloc, t->seed, SIZE_MAX);
    }
    if (map_put(l->children, level_name(child), child)) {
        level_free(t, child);
        return NULL;
    }
    return child;
}

static bool too_deep(struct str path)
{
    size_t levels = 1;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && ++levels > LEVELS_MAX)
            return true;
    return false;
}

enum err levels_make(struct levels *t, struct str path, struct level **out)
{
    if (too_deep(path))
        return ERR_RANGE;
    struct level *at = t->root;
    for (struct str rest = path; rest.p;) {
        struct str name = next_level(&rest);
        struct level *child = child_of(at, name);
        if (!child)
            child = child_add(t, at, name);
        if (!child) {
            levels_prune(t, at);
            return ERR_NOMEM;
        }
        at = child;
    }
    *out = at;
    return ERR_OK;
}

struct level *levels_find(const struct levels *t, struct str path)
{
    struct level *at = t->root;
    for (struct str rest = path; at && rest.p;)
        at = child_of(at, next_level(&rest));
    return at;
}

void levels_prune(struct levels *t, struct level *at)
{
    while (at->parent && !at->value && !at->plus && !at->hash) {
        if (at->children && at->children->n)
            return;
        struct level *parent = at->parent;
        if (parent->plus == at)
            parent->plus = NULL;
        else if (parent->hash == at)
            parent->hash = NULL;
        else
            (void)map_del(parent->children, level_name(at));
        level_free(t, at);
        at = parent;
    }
    if (at->children && at->children->n == 0) {
        map_fini(at->children);
        mem_free(t->alloc, at->children, sizeof(*at->children));
        at->children = NULL;
    }
}

struct walk {
    void (*visit)(void *ctx, void *value);
    void *ctx;
    bool dollar; /* the topic begins with `$`: no wildcard at the first level [MQTT-4.7.2-1] */
};

static void visit(const struct walk *w, const struct level *l)
{
    if (l && l->value)
        w->visit(w->ctx, l->value);
}

/* Depth is bounded by the deepest filter, which is LEVELS_MAX. */
static void match_topic(const struct walk *w, const struct level *at, struct str rest)
{
    if (!rest.p) {
        visit(w, at);
        visit(w, at->hash); /* `a/#` matches `a` */
        return;
    }
    bool wild = at->parent || !w->dollar;
    struct str name = next_level(&rest);
    if (wild)
        visit(w, at->hash);
    struct level *child = at->children ? map_get(at->children, name) : NULL;
    if (child)
        match_topic(w, child, rest);
    if (wild && at->plus)
        match_topic(w, at->plus, rest);
}

void levels_match_topic(const struct levels *t, struct str topic,
                        void (*visit_value)(void *ctx, void *value), void *ctx)
{
    struct walk w = {visit_value, ctx, topic.n && topic.p[0] == '$'};
    match_topic(&w, t->root, topic);
}

static bool hidden(const struct level *child)
{
    return !child->parent->parent && child->n && child->name[0] == '$';
}

static void visit_below(const struct walk *w, const struct level *at)
{
    struct str key;
    void *child;
    visit(w, at);
    for (size_t i = 0; at->children && map_next(at->children, &i, &key, &child);)
        if (!hidden(child))
            visit_below(w, child);
}

static void match_filter(const struct walk *w, const struct level *at, struct str rest)
{
    if (!rest.p) {
        visit(w, at);
        return;
    }
    struct str name = next_level(&rest), key;
    if (is_name(name, '#')) {
        visit_below(w, at);
        return;
    }
    if (!at->children)
        return;
    void *child;
    if (!is_name(name, '+')) {
        child = map_get(at->children, name);
        if (child)
            match_filter(w, child, rest);
        return;
    }
    for (size_t i = 0; map_next(at->children, &i, &key, &child);)
        if (!hidden(child))
            match_filter(w, child, rest);
}

void levels_match_filter(const struct levels *t, struct str filter,
                         void (*visit_value)(void *ctx, void *value), void *ctx)
{
    struct walk w = {visit_value, ctx, false};
    match_filter(&w, t->root, filter);
}

static void each_below(const struct walk *w, const struct level *at)
{
    struct str key;
    void *child;
    visit(w, at);
    for (size_t i = 0; at->children && map_next(at->children, &i, &key, &child);)
        each_below(w, child);
    if (at->plus)
        each_below(w, at->plus);
    if (at->hash)
        each_below(w, at->hash);
}

void levels_each(const struct levels *t, void (*visit_value)(void *ctx, void *value), void *ctx)
{
    struct walk w = {visit_value, ctx, false};
    each_below(&w, t->root);
}
