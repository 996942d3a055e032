/* slots: a growing array of slots inside an object, in nodes that are never moved: what lists and
 * maps are made of.
 *
 * Why: an array in one piece makes long pauses, when it is copied to grow and when it is marked. So
 * this is a tree with 128 slots at each node: up to 128 slots are one leaf, that doubles; 16,384
 * have one level above their leaves, 2 million two. No operation here touches more than one node
 * for each level. A node that was never written to need not exist: its slots are zero. Ownership:
 * it lies in an object of the heap, `owner`, which the caller keeps reachable. Threads: the heap's.
 * Errors: false or NULL when the heap or the undo log is full. What was changed before that is
 * undone by the log; without one it is sound and of the same content. */
#pragma once

#include "lang/heap.h"

enum { NODE_SLOTS = 128, NODE_BITS = 7, SLOTS_FIRST = 4 };
/* The layout of OBJ_NODE: the number of its slots, and which of them are references. */
enum {
    NODE_N = 0xff,
    NODE_EVEN = 0x100,
    NODE_ODD = 0x200,
    NODE_ALL = NODE_EVEN | NODE_ODD,
};

struct node {
    struct obj hdr;
    union lang_slot slot[];
};

/* Zeroed: empty, of numbers. */
struct slots {
    union lang_slot root; /* struct node, or NULL */
    uint32_t n;           /* for who uses it as an array: slots in use */
    uint8_t shift;        /* NODE_BITS × levels above the leaves */
    uint8_t spare;
    uint16_t refs; /* NODE_EVEN, NODE_ODD: which slots are references */
};
_Static_assert(sizeof(struct slots) == 16, "two words for the undo log");

/* The leaf of slot i, which lies at slot[i % NODE_SLOTS] of it. There must be one. */
static inline struct node *slots_leaf(const struct slots *s, size_t i)
{
    struct node *node = (struct node *)(void *)s->root.o;
    for (unsigned shift = s->shift; shift; shift -= NODE_BITS)
        node = (struct node *)(void *)node->slot[(i >> shift) % NODE_SLOTS].o;
    return node;
}
/* The same; NULL where there is none. */
struct node *slots_find(const struct slots *s, size_t i);
static inline union lang_slot *slots_at(const struct slots *s, size_t i)
{
    return &slots_leaf(s, i)->slot[i % NODE_SLOTS];
}
/* The same, and makes it. A tree of one leaf gets `width` slots at first, a power of two. */
MUST_USE struct node *slots_make(struct heap *h, struct obj *owner, struct slots *s, size_t i,
                                 size_t width);
/* Writes slot i, in its leaf, as a reference or not. */
MUST_USE bool slots_put(struct heap *h, const struct slots *s, struct node *leaf, size_t i,
                        union lang_slot v);
/* As an array: writes slot n. What it appends, and the owner, are kept alive. */
MUST_USE bool slots_push(struct heap *h, struct obj *owner, struct slots *s, union lang_slot v);
/* Forgets the leaf of slot i. */
MUST_USE bool slots_drop(struct heap *h, struct slots *s, size_t i);
/* Empty: forgets all nodes. */
MUST_USE bool slots_clear(struct heap *h, struct obj *owner, struct slots *s);
static inline bool slots_is_ref(const struct slots *s, size_t i)
{
    return (s->refs & (i % 2 ? NODE_ODD : NODE_EVEN)) != 0;
}
