/* pool_list: the pools of a process, for who shows them to people.
 *
 * Ownership: whoever builds the workers makes the list and hands it down. A pool is in it from
 * pool_list_add() to its pool_fini(), and must not move meanwhile; the list ends after its pools.
 * Threads: any. */
#pragma once

#include "base/pool.h"
#include <pthread.h>

struct pool_list {
    pthread_mutex_t lock;
    struct list pools;
};
void pool_list_init(struct pool_list *l);
void pool_list_fini(struct pool_list *l); /* ASSERTs that it is empty */
/* The name is for people, "net.blocks", and lives as long as the pool; of which worker it is. */
void pool_list_add(struct pool_list *l, struct pool *p, const char *name, unsigned worker);
void pool_list_remove(struct pool *p);

struct pool_row {
    const char *name;
    unsigned worker;
    struct pool_stats stats;
};
/* In the order in which they came. `each` must not add or remove. */
void pool_list_each(struct pool_list *l, void (*each)(void *ctx, const struct pool_row *row),
                    void *ctx);
