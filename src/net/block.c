/* Blocks: what is received and not yet read, and queues of what is to be sent. */
#include "net/net_internal.h"
#include <string.h>

static struct block *take(struct net_worker *net, size_t *room, enum block_kind *kind)
{
    if (*room <= NET_BLOCK_ROOM) {
        *room = NET_BLOCK_ROOM;
        *kind = BLOCK_POOLED;
        return pool_take(&net->blocks);
    }
    if (*room > NET_LARGE_MAX - net->large_bytes)
        return NULL;
    struct block *b = mem_new(net->alloc, sizeof(*b) + *room);
    if (b)
        net->large_bytes += *room;
    *kind = BLOCK_LARGE;
    return b;
}

static struct block *init(struct block *b, enum block_kind kind, size_t room)
{
    if (b) {
        *b = (struct block){.cap = (uint32_t)room, .kind = kind};
        b->data = b->bytes;
    }
    return b;
}

struct block *net_block_take(struct net_worker *net, size_t room)
{
    enum block_kind kind = BLOCK_POOLED;
    struct block *b = take(net, &room, &kind);
    return init(b, kind, room);
}

size_t net_blocks_left(const struct net_worker *net)
{
    return net->blocks.blocks_max - net->blocks.in_use;
}

static void release(struct block *b)
{
    struct block_shared *to = (struct block_shared *)(void *)b->bytes;
    if (to->release)
        to->release(to->ctx);
}

void net_block_give(struct net_worker *net, struct block *b)
{
    struct list *it;
    if (!b)
        return;
    switch (b->kind) {
    case BLOCK_POOLED: pool_give(&net->blocks, b); break;
    case BLOCK_SHARED: release(b); /* fall through */
    case BLOCK_SMALL: pool_give(&net->small, b); break;
    default: net->large_bytes -= b->cap; mem_free(net->alloc, b, sizeof(*b) + b->cap);
    }
    while ((it = list_pop_head(&net->starved))) {
        struct stream *s = CONTAINER_OF(it, struct stream, link);
        list_add_tail(&net->open, it);
        stream_unstarve(s);
    }
}

/* --- queues --- */

static void append(struct block_queue *q, struct block *b)
{
    if (q->last)
        q->last->next = b;
    else
        q->first = b;
    q->last = b;
}

static size_t tail_room(const struct block_queue *q)
{
    return q->last ? q->last->cap - q->last->end : 0;
}

/* A block for the end. Behind a shared one a small one will mostly do. */
static struct block *next_block(struct net_worker *net, const struct block_queue *q, size_t n)
{
    struct block *b = NULL;
    if (q->last && q->last->kind == BLOCK_SHARED && n <= NET_SMALL_ROOM)
        b = init(pool_take(&net->small), BLOCK_SMALL, NET_SMALL_ROOM);
    return b ? b : net_block_take(net, n < NET_BLOCK_ROOM ? n : NET_BLOCK_ROOM);
}

static void give_chain(struct net_worker *net, struct block *b)
{
    for (struct block *next; b; b = next) {
        next = b->next;
        net_block_give(net, b);
    }
}

/* Blocks for n bytes, all or none. */
static bool take_chain(struct net_worker *net, const struct block_queue *q, size_t n,
                       struct block **first)
{
    struct block **at = first;
    *first = NULL;
    if (n > net_blocks_left(net) * NET_BLOCK_ROOM)
        return false; /* and nobody is woken by blocks that are only given back */
    for (size_t got = 0; got < n; got += (*at)->cap, at = &(*at)->next) {
        *at = next_block(net, q, n - got);
        if (!*at) {
            give_chain(net, *first);
            return false;
        }
    }
    return true;
}

bool block_queue_add(struct net_worker *net, struct block_queue *q, const void *p, size_t n)
{
    const uint8_t *from = p;
    struct block *chain, *next;
    size_t here = tail_room(q) < n ? tail_room(q) : n;
    if (!take_chain(net, q, n - here, &chain))
        return false;
    if (here > 0) {
        memcpy(q->last->bytes + q->last->end, from, here);
        q->last->end += (uint32_t)here;
    }
    for (size_t at = here; chain; chain = next) {
        size_t part = n - at < chain->cap ? n - at : chain->cap;
        next = chain->next;
        chain->next = NULL;
        memcpy(chain->bytes, from + at, part);
        chain->end = (uint32_t)part;
        append(q, chain);
        at += part;
    }
    q->bytes += n;
    return true;
}

bool block_queue_add_shared(struct net_worker *net, struct block_queue *q, const void *head,
                            size_t head_n, const struct stream_shared *body)
{
    struct block *b = pool_take(&net->small);
    if (!b)
        return false;
    if (!block_queue_add(net, q, head, head_n)) {
        pool_give(&net->small, b);
        return false;
    }
    *b = (struct block){.end = (uint32_t)body->n, .cap = (uint32_t)body->n, .kind = BLOCK_SHARED};
    /* What is sent is only read, and iovec takes it without const. */
    b->data = (uint8_t *)(uintptr_t)body->p;
    *(struct block_shared *)(void *)b->bytes = (struct block_shared){body->release, body->ctx};
    append(q, b);
    q->bytes += body->n;
    return true;
}

uint8_t *block_queue_reserve(struct net_worker *net, struct block_queue *q, size_t n)
{
    if (!q->last || tail_room(q) < n) {
        bool small = q->last && q->last->kind == BLOCK_SHARED && n <= NET_SMALL_ROOM;
        struct block *b = small ? next_block(net, q, n) : net_block_take(net, n);
        if (!b)
            return NULL;
        append(q, b);
    }
    return q->last->bytes + q->last->end;
}

void block_queue_drop(struct net_worker *net, struct block_queue *q, size_t n)
{
    struct block *b;
    q->bytes -= n;
    while ((b = q->first)) {
        size_t take_n = b->end - b->start;
        if (take_n > n)
            take_n = n;
        b->start += (uint32_t)take_n;
        n -= take_n;
        if (b->start < b->end)
            break;
        q->first = b->next;
        if (!q->first)
            q->last = NULL;
        net_block_give(net, b);
    }
    ASSERT(n == 0);
}
