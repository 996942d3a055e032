#include "async/worker_pools.h"
#include "base/log.h"
#include "net/net_internal.h"

static void net_free(struct worker_local *l)
{
    struct net_worker *net = CONTAINER_OF(l, struct net_worker, local);
    struct list *lists[] = {&net->open, &net->starved};
    size_t left = 0;
    net->io = NULL;
    stream_moves_drop(net);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        while (!list_empty(lists[i])) {
            struct stream *s = CONTAINER_OF(lists[i]->next, struct stream, link);
            ASSERT(!s->rx_on && !s->tx_on);
            if (!s->closed)
                stream_close(s); /* no operation is left: it goes at once */
            left++;
        }
    }
    if (left > 0)
        LOG_D("net", "%zu streams were left open at the end", left);
    ASSERT(net->large_bytes == 0);
    pool_fini(&net->streams);
    pool_fini(&net->senders);
    pool_fini(&net->blocks);
    pool_fini(&net->small);
    net_scratch_free(net);
    mem_free(net->alloc, net, sizeof(*net));
}

bool net_finishing(struct worker *w)
{
    struct worker_local *l = worker_local(w, WORKER_LOCAL_NET);
    if (!l)
        return false;
    struct net_worker *net = CONTAINER_OF(l, struct net_worker, local);
    struct list *lists[] = {&net->open, &net->starved};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        LIST_EACH(lists[i], it)
        {
            const struct stream *s = CONTAINER_OF(it, struct stream, link);
            if (s->finishing && !s->closed)
                return true;
        }
    return false;
}

struct net_worker *net_of(struct worker *w)
{
    struct worker_local *l = worker_local(w, WORKER_LOCAL_NET);
    if (l)
        return CONTAINER_OF(l, struct net_worker, local);
    struct alloc *a = worker_alloc(w);
    struct net_worker *net = mem_zero(a, sizeof(*net));
    if (!net)
        return NULL;
    net->local.free = net_free;
    net->worker = w;
    net->alloc = a;
    net->io = worker_io(w);
    net->socket = net->io->ops->socket;
    list_init(&net->open);
    list_init(&net->starved);
    /* Without a reserve neither can fail. */
    enum err r = pool_init(&net->streams, a, sizeof(struct stream), NET_STREAMS_MAX, 0);
    ASSERT(r == ERR_OK);
    r = pool_init(&net->senders, a, sizeof(struct stream_sender), NET_STREAMS_MAX, 0);
    ASSERT(r == ERR_OK);
    r = pool_init(&net->blocks, a, NET_BLOCK_SIZE, NET_BLOCKS_MAX, 0);
    ASSERT(r == ERR_OK);
    r = pool_init(&net->small, a, NET_SMALL_SIZE, NET_SMALL_MAX, 0);
    ASSERT(r == ERR_OK);
    worker_pool_show(w, &net->streams, "net.streams");
    worker_pool_show(w, &net->senders, "net.senders");
    worker_pool_show(w, &net->blocks, "net.blocks");
    worker_pool_show(w, &net->small, "net.small");
    worker_local_set(w, WORKER_LOCAL_NET, &net->local);
    return net;
}
