#include "lang/slots.h"

#include <string.h>

static struct node *node_of(union lang_slot s)
{
    return (struct node *)(void *)s.o;
}

static unsigned width_of(const struct node *node)
{
    return node->hdr.layout & NODE_N;
}

static struct obj *node_new(struct heap *h, size_t width, unsigned refs)
{
    return heap_new(h, OBJ_NODE, (unsigned)width | refs, sizeof(struct node) + 8 * width);
}

struct node *slots_find(const struct slots *s, size_t i)
{
    if (i >> s->shift >> NODE_BITS)
        return NULL;
    struct node *node = node_of(s->root);
    for (unsigned shift = s->shift; node && shift; shift -= NODE_BITS)
        node = node_of(node->slot[(i >> shift) % NODE_SLOTS]);
    return node && i % NODE_SLOTS < width_of(node) ? node : NULL;
}

/* The only leaf gets room for slot i. */
static bool leaf_widen(struct heap *h, struct obj *owner, struct slots *s, size_t i)
{
    struct node *leaf = node_of(s->root);
    size_t width = width_of(leaf);
    if (width == NODE_SLOTS || i < width)
        return true;
    while (width <= i && width < NODE_SLOTS)
        width *= 2;
    struct node *wide = (struct node *)(void *)node_new(h, width, s->refs);
    if (!wide)
        return false;
    /* Its references are not lost: while marking, each of them was in the snapshot and the narrow
     * leaf is made grey by heap_put(), or is new. */
    memcpy(wide->slot, leaf->slot, 8 * (size_t)width_of(leaf));
    return heap_put(h, owner, &s->root, &wide->hdr);
}

static bool root_make(struct heap *h, struct obj *owner, struct slots *s, size_t width)
{
    if (s->root.o)
        return true;
    struct obj *root = s->shift ? node_new(h, NODE_SLOTS, NODE_ALL) : node_new(h, width, s->refs);
    return root && heap_put(h, owner, &s->root, root);
}

static bool level_add(struct heap *h, struct obj *owner, struct slots *s)
{
    struct node *root = (struct node *)(void *)node_new(h, NODE_SLOTS, NODE_ALL);
    if (!root || !heap_touch(h, owner, &s->n, false))
        return false;
    root->slot[0] = s->root;
    if (!heap_put(h, owner, &s->root, &root->hdr))
        return false;
    s->shift += NODE_BITS;
    return true;
}

struct node *slots_make(struct heap *h, struct obj *owner, struct slots *s, size_t i, size_t width)
{
    if (!root_make(h, owner, s, width) || (!s->shift && !leaf_widen(h, owner, s, i)))
        return NULL;
    while (i >> s->shift >> NODE_BITS) {
        if (!level_add(h, owner, s))
            return NULL;
    }
    struct node *node = node_of(s->root);
    for (unsigned shift = s->shift; shift; shift -= NODE_BITS) {
        union lang_slot *below = &node->slot[(i >> shift) % NODE_SLOTS];
        if (!below->o) {
            struct obj *new = node_new(h, NODE_SLOTS, shift == NODE_BITS ? s->refs : NODE_ALL);
            if (!new || !heap_put(h, &node->hdr, below, new))
                return NULL;
        }
        node = node_of(*below);
    }
    return node;
}

bool slots_put(struct heap *h, const struct slots *s, struct node *leaf, size_t i,
               union lang_slot v)
{
    union lang_slot *at = &leaf->slot[i % NODE_SLOTS];
    bool ref = slots_is_ref(s, i);
    if (!heap_touch(h, &leaf->hdr, at, ref))
        return false;
    if (ref)
        heap_store(h, at, v.o);
    else
        *at = v;
    return true;
}

bool slots_push(struct heap *h, struct obj *owner, struct slots *s, union lang_slot v)
{
    struct node *leaf = slots_find(s, s->n);
    if (!leaf) {
        heap_push_root(h, owner);
        heap_push_root(h, slots_is_ref(s, s->n) ? v.o : NULL);
        leaf = slots_make(h, owner, s, s->n, SLOTS_FIRST);
        heap_pop_root(h, 2);
    }
    if (!leaf || !heap_touch(h, owner, &s->n, false) || !slots_put(h, s, leaf, s->n, v))
        return false;
    s->n++;
    return true;
}

bool slots_drop(struct heap *h, struct slots *s, size_t i)
{
    struct node *node = node_of(s->root);
    if (!s->shift || i >> s->shift >> NODE_BITS)
        return true;
    for (unsigned shift = s->shift; node && shift > NODE_BITS; shift -= NODE_BITS)
        node = node_of(node->slot[(i >> shift) % NODE_SLOTS]);
    return !node || heap_put(h, &node->hdr, &node->slot[(i >> NODE_BITS) % NODE_SLOTS], NULL);
}

bool slots_clear(struct heap *h, struct obj *owner, struct slots *s)
{
    if (!heap_touch(h, owner, &s->n, false) || !heap_put(h, owner, &s->root, NULL))
        return false;
    s->n = 0;
    s->shift = 0;
    return true;
}
