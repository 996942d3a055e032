/* trie: a tree of topic levels that all workers read without locks; each node holds one value.
 *
 * Why: subscriptions are found by a topic and retained messages by a filter; both walk levels, with
 * every message that is routed anew, on every worker, while others come and go. A million leaves
 * must be cheap: a node is 27 bytes and its name, and a word for it in its parent's children.
 * Shape: the children of a node are a set (bus/hamt.h) by name. `+` and `#` of filters are children
 * like others; two bits say whether there are any. A node without value and children is removed.
 * Values: a word, whose meaning is the caller's; also a hamt. A node with a value, or that is held,
 * stays. Ownership: nodes are the trie's, values the caller's. Names are copied. Threads: reads
 * (find, match, walk) any worker, good until the end of its tick, see async/grace.h. All else with
 * `lock` held. While the executor does not run, whoever holds it. Errors: trie_make() ERR_RANGE
 * above LEVELS_MAX levels, ERR_NOMEM; nothing is changed then. Source: MQTT 5.0, 4.7. */
#pragma once

#include "bus/hamt.h"

#define LEVELS_MAX 128 /* bounds recursion, and what one hostile filter can make us allocate */

struct trie_node {
    union {
        struct trie_node *parent; /* writers only; NULL: the root */
        struct limbo_item limbo;
    };
    struct hamt_word children;
    struct hamt_word value;
    uint16_t n;
    _Atomic uint8_t wild; /* TRIE_PLUS, TRIE_HASH: children with these names */
    uint8_t held;         /* the caller's: not 0: it stays without a value */
    char name[];
};
enum { TRIE_PLUS = 1, TRIE_HASH = 2 };

struct trie {
    struct alloc *alloc;
    pthread_mutex_t lock;
    struct limbo limbo;
    struct hamt children;   /* what all nodes' sets have in common */
    uint64_t plus, hash;    /* of these two names */
    struct trie_node *root; /* its `limbo` items of other kinds are the caller's: */
    void (*drop)(struct trie *t, struct limbo_item *i, unsigned kind);
    size_t nodes, node_bytes; /* under the lock */
};
/* Kinds in trie.limbo; the caller's begin behind them, and go to drop() at their end. */
enum { TRIE_LIMBO_NODE, TRIE_LIMBO_TABLE, TRIE_LIMBO_OWN };

/* `drop` may be NULL. */
MUST_USE enum err trie_init(struct trie *t, struct executor *ex, struct alloc *a, uint64_t seed,
                            void (*drop)(struct trie *t, struct limbo_item *i, unsigned kind));
/* When no executor runs. Values that are left are handed to `each` (may be NULL). Safe on a zeroed
 * one. */
void trie_fini(struct trie *t, void (*each)(void *ctx, struct trie_node *n), void *ctx);

/* What its nodes need, with the lock held: a topic of many levels that nobody shares is much more
 * than its text. */
static inline size_t trie_bytes(const struct trie *t)
{
    return t->node_bytes + t->children.bytes;
}

/* ---- reading ---- */

struct trie_node *trie_find(const struct trie *t, struct str path);

/* What trie_match() has before it; kept from one call to the next. Zeroed but for `alloc`. */
struct trie_step;
struct trie_steps {
    struct alloc *alloc;
    struct trie_step *v;
    size_t n, cap;
};
/* Calls visit() with each node that has a value and whose filter matches a topic; `which` is the
 * topic's number, below 256. The ways down of all the topics go on together: what a step reads was
 * asked of the memory in the round before. ERR_NOMEM: not all were visited. */
MUST_USE enum err trie_match(const struct trie *t, struct trie_steps *s, const struct str *topics,
                             size_t n,
                             void (*visit)(void *ctx, size_t which, const struct trie_node *n),
                             void *ctx);
void trie_steps_fini(struct trie_steps *s);

/* A walk over the nodes with values whose topics are matched by a filter, in pieces: the next one
 * may come in a later tick, whatever has changed meanwhile. Whoever is there from the first piece
 * to the last is visited once; who comes or goes, once or not at all. */
struct trie_cursor {
    struct alloc *alloc;
    struct str filter; /* borrowed; {NULL, 0}: all, those that begin with `$` too */
    char *after;       /* where the last piece ended */
    size_t after_n, after_cap;
    bool begun;
};
/* ERR_OK: visited all, or at least one node and up to `budget`, and there may be more (*more); or
 * visit() returned false, which ends the piece behind this node. ERR_NOMEM: the place where it
 * ended can't be noted; the walk has ended. */
MUST_USE enum err trie_walk(const struct trie *t, struct trie_cursor *c, size_t budget,
                            bool (*visit)(void *ctx, const struct trie_node *n), void *ctx,
                            bool *more);
void trie_cursor_fini(struct trie_cursor *c);

/* ---- with the lock held ---- */

MUST_USE enum err trie_make(struct trie *t, struct str path, struct trie_node **out);
/* Removes it and those above it, as far as nothing needs them. */
void trie_prune(struct trie *t, struct trie_node *at);
/* For who may know that the node has not been removed: it has a value of the caller's, which only
 * the caller takes away. Needs no lock then. */
size_t trie_path_len(const struct trie_node *n);
void trie_path(const struct trie_node *n, char *to); /* so many bytes, no NUL */

/* The next level of *rest; *rest becomes {NULL, 0} behind the last one. */
static inline struct str trie_level(struct str *rest)
{
    const char *slash = NULL;
    struct str part = *rest;
    for (size_t i = 0; i < part.n && !slash; i++)
        slash = part.p[i] == '/' ? part.p + i : NULL;
    if (slash) {
        part.n = (size_t)(slash - rest->p);
        *rest = (struct str){slash + 1, rest->n - part.n - 1};
    } else {
        *rest = (struct str){NULL, 0};
    }
    return part;
}
static inline struct str trie_name(const struct trie_node *n)
{
    return (struct str){n->name, n->n};
}
static inline struct trie_node *trie_child(const struct trie *t, const struct trie_node *n,
                                           struct str name, uint64_t hash)
{
    struct trie_node *child = hamt_candidate(&t->children, &n->children, name, hash);
    return child && str_eq(trie_name(child), name) ? child : NULL;
}
