#include "base/pool_list.h"

void pool_list_init(struct pool_list *l)
{
    pthread_mutex_init(&l->lock, NULL);
    list_init(&l->pools);
}

void pool_list_fini(struct pool_list *l)
{
    if (!l->pools.next)
        return; /* zeroed */
    ASSERT(list_empty(&l->pools));
    pthread_mutex_destroy(&l->lock);
    *l = (struct pool_list){0};
}

void pool_list_add(struct pool_list *l, struct pool *p, const char *name, unsigned worker)
{
    ASSERT(!p->list);
    p->list = l;
    p->name = name;
    p->worker = worker;
    pthread_mutex_lock(&l->lock);
    list_add_tail(&l->pools, &p->link);
    pthread_mutex_unlock(&l->lock);
}

void pool_list_remove(struct pool *p)
{
    struct pool_list *l = p->list;
    pthread_mutex_lock(&l->lock);
    list_del(&p->link);
    pthread_mutex_unlock(&l->lock);
    p->list = NULL;
}

void pool_list_each(struct pool_list *l, void (*each)(void *ctx, const struct pool_row *row),
                    void *ctx)
{
    pthread_mutex_lock(&l->lock);
    LIST_EACH(&l->pools, it)
    {
        const struct pool *p = CONTAINER_OF(it, struct pool, link);
        const struct pool_row row = {p->name, p->worker, pool_stats(p)};
        each(ctx, &row);
    }
    pthread_mutex_unlock(&l->lock);
}
