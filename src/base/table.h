/* table: a bounded hash table of things that carry their own link.
 *
 * Why: for things by the hundred thousand that mostly just lie there, where a map's slot (32 bytes,
 * and as many empty ones) is a good part of what they cost. This is eight bytes in the thing and
 * about eight in the table. Names come from outside, so the hash is keyed by a seed.
 * Ownership: the things are their owner's; the table has the array.
 * Threads: none.
 * Errors: table_put() ERR_EXISTS, ERR_FULL, ERR_NOMEM.
 * Source: chained buckets, doubled at one thing for each; table_scan() goes through the buckets in
 * the order of their reversed numbers, as Redis' SCAN (P. Noordhuis, 2012). */
#pragma once

#include "base/str.h"

struct table_node {
    struct table_node *next;
};
struct table {
    struct table_node **buckets; /* cap of them, 0 or a power of two */
    size_t cap, n, max;
    uint64_t seed;
    struct alloc *alloc;
    struct str (*key)(const struct table_node *node); /* does not change while it is in here */
};
void table_init(struct table *t, struct alloc *a, uint64_t seed, size_t max,
                struct str (*key)(const struct table_node *));
void table_fini(struct table *t); /* forgets what is in it */
MUST_USE enum err table_put(struct table *t, struct table_node *node);
struct table_node *table_get(const struct table *t, struct str key); /* NULL if absent */
void table_del(struct table *t, struct table_node *node);            /* it is in there */

/* Iterates in no order, while nothing is added; deleting the current one is safe. *at = {0} at
 * first; NULL at the end. */
struct table_at {
    size_t bucket;
    struct table_node *next;
};
struct table_node *table_next(const struct table *t, struct table_at *at);

/* Iterates in steps, between which things may come and go: each that is there all the time is given
 * exactly once. Calls each() for a bucket's; *cursor is 0 at first, and again at the end. */
void table_scan(const struct table *t, uint64_t *cursor,
                void (*each)(void *ctx, struct table_node *node), void *ctx);
