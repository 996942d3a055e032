/* limbo: what was unlinked from one structure, until no worker can see it any more.
 *
 * Why: the pieces of a trie are small and many; a link of one word in each, and one grace period
 * for a batch of them, is all that they need for their end.
 * Ownership: embedded in its structure; a piece is the limbo's from limbo_add() on.
 * Threads: limbo_add() with the structure's lock held, on a worker, or while the executor does not
 * run. free() is called with the lock held.
 * Errors: none. See async/grace.h for what bounds it. */
#pragma once

#include "async/grace.h"
#include <pthread.h>

/* In the piece: in a place that readers don't look at. */
struct limbo_item {
    uintptr_t next; /* with the kind of this one in the lowest bits */
};
#define LIMBO_KINDS 4u

struct limbo {
    struct executor *ex;
    pthread_mutex_t *lock;
    void (*free)(struct limbo *l, struct limbo_item *i, unsigned kind);
    struct limbo_item *now, *waiting;
    struct retired batch; /* `waiting` */
    bool waits;
};
void limbo_init(struct limbo *l, struct executor *ex, pthread_mutex_t *lock,
                void (*free)(struct limbo *l, struct limbo_item *i, unsigned kind));
/* When no executor runs: frees what is there. */
void limbo_fini(struct limbo *l);
void limbo_add(struct limbo *l, struct limbo_item *i, unsigned kind);
