#include "bus/trie.h"

#include <stddef.h>
#include <string.h>

static struct str node_key(const void *item, uint64_t scratch[2])
{
    (void)scratch;
    return trie_name(item);
}

static bool is_name(struct str s, char c)
{
    return s.n == 1 && s.p[0] == c;
}

static size_t node_size(size_t name_n)
{
    size_t size = offsetof(struct trie_node, name) + name_n;
    return size < sizeof(struct trie_node) ? sizeof(struct trie_node) : size;
}

static struct trie_node *node_new(struct trie *t, struct trie_node *parent, struct str name)
{
    size_t size = node_size(name.n);
    struct trie_node *n = mem_zero(t->alloc, size);
    if (!n)
        return NULL;
    n->parent = parent;
    n->n = (uint16_t)name.n;
    if (name.n)
        memcpy(n->name, name.p, name.n);
    t->nodes++;
    t->node_bytes += size;
    return n;
}

static void node_free(struct trie *t, struct trie_node *n)
{
    size_t size = node_size(n->n);
    t->nodes--;
    t->node_bytes -= size;
    mem_free(t->alloc, n, size);
}

static void limbo_free(struct limbo *l, struct limbo_item *i, unsigned kind)
{
    struct trie *t = CONTAINER_OF(l, struct trie, limbo);
    switch (kind) {
    case TRIE_LIMBO_NODE: node_free(t, CONTAINER_OF(i, struct trie_node, limbo)); break;
    case TRIE_LIMBO_TABLE:
        hamt_table_free(&t->children, CONTAINER_OF(i, struct hamt_table, limbo));
        break;
    default: t->drop(t, i, kind);
    }
}

enum err trie_init(struct trie *t, struct executor *ex, struct alloc *a, uint64_t seed,
                   void (*drop)(struct trie *t, struct limbo_item *i, unsigned kind))
{
    *t = (struct trie){.alloc = a, .drop = drop};
    t->children = (struct hamt){.alloc = a,
                                .limbo = &t->limbo,
                                .limbo_kind = TRIE_LIMBO_TABLE,
                                .seed = seed,
                                .key = node_key,
                                .bits = UINT64_MAX};
    t->plus = hamt_hash(&t->children, STR("+"));
    t->hash = hamt_hash(&t->children, STR("#"));
    t->root = node_new(t, NULL, (struct str){NULL, 0});
    if (!t->root)
        return ERR_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    limbo_init(&t->limbo, ex, &t->lock, limbo_free);
    return ERR_OK;
}

struct drop {
    struct trie *trie;
    void (*each)(void *ctx, struct trie_node *n);
    void *ctx;
};

static void drop_node(void *ctx, void *item)
{
    const struct drop *d = ctx;
    struct trie_node *n = item;
    hamt_fini(&d->trie->children, &n->children, drop_node, ctx);
    if (d->each && atomic_load_explicit(&n->value.word, memory_order_relaxed))
        d->each(d->ctx, n);
    node_free(d->trie, n);
}

void trie_fini(struct trie *t, void (*each)(void *ctx, struct trie_node *n), void *ctx)
{
    struct drop d = {t, each, ctx};
    if (!t->root)
        return;
    limbo_fini(&t->limbo);
    drop_node(&d, t->root);
    t->root = NULL;
    pthread_mutex_destroy(&t->lock);
}

/* ---- reading ---- */

struct trie_node *trie_find(const struct trie *t, struct str path)
{
    struct trie_node *at = t->root;
    for (struct str rest = path; at && rest.p;) {
        struct str name = trie_level(&rest);
        at = trie_child(t, at, name, hamt_hash(&t->children, name));
    }
    return at;
}

/* ---- changing ---- */

static bool too_deep(struct str path)
{
    size_t levels = 1;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && ++levels > LEVELS_MAX)
            return true;
    return false;
}

static unsigned wild_bit(struct str name)
{
    return is_name(name, '+') ? TRIE_PLUS : is_name(name, '#') ? TRIE_HASH : 0;
}

static struct trie_node *child_add(struct trie *t, struct trie_node *parent, struct str name)
{
    struct trie_node *child = node_new(t, parent, name);
    if (!child)
        return NULL;
    if (hamt_put(&t->children, &parent->children, child)) {
        node_free(t, child);
        return NULL;
    }
    if (wild_bit(name)) /* who does not see it yet is before this change */
        atomic_fetch_or(&parent->wild, (uint8_t)wild_bit(name));
    return child;
}

enum err trie_make(struct trie *t, struct str path, struct trie_node **out)
{
    if (too_deep(path))
        return ERR_RANGE;
    struct trie_node *at = t->root;
    for (struct str rest = path; rest.p;) {
        struct str name = trie_level(&rest);
        struct trie_node *child = trie_child(t, at, name, hamt_hash(&t->children, name));
        if (!child)
            child = child_add(t, at, name);
        if (!child) {
            trie_prune(t, at);
            return ERR_NOMEM;
        }
        at = child;
    }
    *out = at;
    return ERR_OK;
}

static bool is_needed(const struct trie_node *n)
{
    return !n->parent || n->held || atomic_load_explicit(&n->value.word, memory_order_relaxed) ||
           atomic_load_explicit(&n->children.word, memory_order_relaxed);
}

void trie_prune(struct trie *t, struct trie_node *at)
{
    while (!is_needed(at)) {
        struct trie_node *parent = at->parent;
        if (wild_bit(trie_name(at)))
            atomic_fetch_and(&parent->wild, (uint8_t)~wild_bit(trie_name(at)));
        hamt_del(&t->children, &parent->children, at);
        limbo_add(&t->limbo, &at->limbo, TRIE_LIMBO_NODE);
        at = parent;
    }
}

size_t trie_path_len(const struct trie_node *n)
{
    size_t len = n->n;
    for (n = n->parent; n && n->parent; n = n->parent)
        len += n->n + 1u;
    return len;
}

void trie_path(const struct trie_node *n, char *to)
{
    char *end = to + trie_path_len(n);
    for (; n->parent; n = n->parent) {
        end -= n->n;
        memcpy(end, n->name, n->n);
        if (n->parent->parent)
            *--end = '/';
    }
}
