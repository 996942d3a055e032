#include "base/table.h"

#include "base/map.h"

#define CAP_MIN 16

void table_init(struct table *t, struct alloc *a, uint64_t seed, size_t max,
                struct str (*key)(const struct table_node *))
{
    *t = (struct table){.max = max, .seed = seed, .alloc = a, .key = key};
}

void table_fini(struct table *t)
{
    mem_free(t->alloc, t->buckets, t->cap * sizeof(*t->buckets));
    t->buckets = NULL;
    t->cap = t->n = 0;
}

static struct table_node **bucket_of(const struct table *t, struct str key)
{
    return &t->buckets[hash_bytes(key.p, key.n, t->seed) & (t->cap - 1)];
}

static void push(struct table_node **bucket, struct table_node *node)
{
    node->next = *bucket;
    *bucket = node;
}

static bool grow(struct table *t)
{
    struct table_node **before = t->buckets;
    size_t cap = t->cap;
    size_t wanted = cap ? 2 * cap : CAP_MIN;
    struct table_node **buckets = mem_array(t->alloc, wanted, sizeof(*buckets));
    if (!buckets)
        return false;
    t->buckets = buckets;
    t->cap = wanted;
    for (size_t i = 0; i < cap; i++)
        for (struct table_node *node = before[i], *next; node; node = next) {
            next = node->next;
            push(bucket_of(t, t->key(node)), node);
        }
    mem_free(t->alloc, before, cap * sizeof(*before));
    return true;
}

enum err table_put(struct table *t, struct table_node *node)
{
    struct str key = t->key(node);
    if (table_get(t, key))
        return ERR_EXISTS;
    if (t->n >= t->max)
        return ERR_FULL;
    if (t->n >= t->cap && !grow(t) && !t->cap)
        return ERR_NOMEM; /* else it is only slower */
    push(bucket_of(t, key), node);
    t->n++;
    return ERR_OK;
}

struct table_node *table_get(const struct table *t, struct str key)
{
    struct table_node *node = t->cap ? *bucket_of(t, key) : NULL;
    while (node && !str_eq(t->key(node), key))
        node = node->next;
    return node;
}

void table_del(struct table *t, struct table_node *node)
{
    ASSERT(t->cap);
    struct table_node **at = bucket_of(t, t->key(node));
    while (*at && *at != node)
        at = &(*at)->next;
    ASSERT(*at);
    *at = node->next;
    t->n--;
}

struct table_node *table_next(const struct table *t, struct table_at *at)
{
    struct table_node *node = at->next;
    while (!node && at->bucket < t->cap)
        node = t->buckets[at->bucket++];
    at->next = node ? node->next : NULL;
    return node;
}

static uint64_t reversed(uint64_t x)
{
    uint64_t out = 0;
    for (int i = 0; i < 64; i++, x >>= 1)
        out = out << 1 | (x & 1);
    return out;
}

/* The low bits of the cursor are a bucket. They are counted from the highest down, so that what a
 * table that has doubled meanwhile makes of a bucket lies, as a whole, before or behind it. */
void table_scan(const struct table *t, uint64_t *cursor,
                void (*each)(void *ctx, struct table_node *node), void *ctx)
{
    uint64_t mask = t->cap ? t->cap - 1 : 0;
    for (struct table_node *node = t->cap ? t->buckets[*cursor & mask] : NULL, *next; node;
         node = next) {
        next = node->next;
        each(ctx, node);
    }
    *cursor = reversed(reversed(*cursor | ~mask) + 1);
}
