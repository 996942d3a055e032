/* levels: a tree of topic levels; each node holds one value.
 *
 * Why: subscriptions are found by a topic and retained messages by a filter; both walk levels. A
 * step costs one hash look-up, however many names a level has.
 * Shape: `+` and `#` of filters have places of their own; all other names are in a map that exists
 * only where there are some. A node without value and children is removed.
 * Ownership: nodes are the tree's, values the caller's, who sets `value` to NULL before
 * levels_prune(). Names are copied.
 * Threads: none; one worker.
 * Errors: levels_make() ERR_RANGE above LEVELS_MAX levels, ERR_NOMEM; nothing is changed then.
 * Source: MQTT 5.0, 4.7. */
#pragma once

#include "base/map.h"

#define LEVELS_MAX 128 /* bounds recursion, and what one hostile filter can make us allocate */

struct level {
    struct level *parent;
    struct map *children; /* NULL: none */
    struct level *plus, *hash;
    void *value;
    uint16_t n;
    char name[];
};
struct levels {
    struct alloc *alloc;
    uint64_t seed;
    struct level *root;
    size_t nodes;
};

MUST_USE enum err levels_init(struct levels *t, struct alloc *a, uint64_t seed);
/* Values that are left are handed to `drop` (may be NULL). */
void levels_fini(struct levels *t, void (*drop)(void *ctx, void *value), void *ctx);
MUST_USE enum err levels_make(struct levels *t, struct str path, struct level **out);
struct level *levels_find(const struct levels *t, struct str path);
void levels_prune(struct levels *t, struct level *at);

/* Calls visit() with each value whose filter matches the topic. */
void levels_match_topic(const struct levels *t, struct str topic,
                        void (*visit)(void *ctx, void *value), void *ctx);
/* Calls visit() with each value whose topic is matched by the filter. visit() must not change the
 * tree. */
void levels_match_filter(const struct levels *t, struct str filter,
                         void (*visit)(void *ctx, void *value), void *ctx);
/* Calls visit() with each value. visit() must not change the tree. */
void levels_each(const struct levels *t, void (*visit)(void *ctx, void *value), void *ctx);
