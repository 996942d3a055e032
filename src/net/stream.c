#include "net/net_internal.h"
#include <errno.h>
#include <string.h>

/* What a task calls. What the driver calls is in stream_io.c. */

#define READ_MAX  ((size_t)1024 * 1024)
#define WRITE_MAX ((size_t)1024 * 1024)
#define WRITE_LOW ((size_t)64 * 1024)

void stream_set_limits(struct stream *s, const struct stream_limits *l)
{
    s->read_max = l->read_max ? l->read_max : READ_MAX;
    s->write_max = l->write_max ? l->write_max : WRITE_MAX;
    s->write_low = l->write_low ? l->write_low : WRITE_LOW;
    if (s->write_low > s->write_max)
        s->write_low = s->write_max;
}

void stream_bind(struct stream *s, struct task *task)
{
    s->task = task;
    if (!s->bound && !s->connecting && !s->ended)
        stream_receive(s);
    s->bound = true;
    if (stream_unread(s) > 0 || s->ended)
        task_wake(task);
}

/* --- reading --- */

size_t stream_unread(const struct stream *s)
{
    return s->kept ? s->kept->end - s->kept->start : s->lent.n;
}

enum err stream_read(struct stream *s, struct bytes *out)
{
    uint64_t poll = worker_polls(s->net->worker);
    size_t n = stream_unread(s);
    ASSERT(!s->closed && !s->finishing);
    *out = s->kept ? (struct bytes){s->kept->bytes + s->kept->start, n} : s->lent;
    if (n > 0 && (s->fresh || s->read_at != poll)) {
        s->fresh = false;
        s->read_at = poll;
        return ERR_OK;
    }
    return s->ended ? (enum err)s->ended : ERR_AGAIN;
}

void stream_consume(struct stream *s, size_t n)
{
    ASSERT(n <= stream_unread(s));
    if (s->kept) {
        s->kept->start += (uint32_t)n;
        if (s->kept->start == s->kept->end)
            stream_drop_read(s);
    } else if (n > 0) {
        s->lent.p += n;
        s->lent.n -= n;
    }
    if (!s->rx_on && s->bound && !s->ended && !s->connecting && stream_unread(s) <= s->read_max / 2)
        stream_receive(s);
}

/* --- writing --- */

static enum err refuse(struct stream *s, bool pool_is_empty)
{
    s->refused = true;
    if (pool_is_empty) {
        list_del(&s->link);
        list_add_tail(&s->net->starved, &s->link);
    }
    return ERR_FULL;
}

static enum err may_write(struct stream *s, size_t n)
{
    ASSERT(!s->closed && !s->finishing && s->reserved == 0);
    if (s->write_dead)
        return ERR_CLOSED;
    if (n > s->write_max)
        return ERR_RANGE;
    if (n > s->write_max - s->out_bytes)
        return refuse(s, false);
    return ERR_OK;
}

static void append_block(struct stream *s, struct block *b)
{
    if (s->out_tail)
        s->out_tail->next = b;
    else
        s->out = b;
    s->out_tail = b;
}

static size_t tail_room(const struct stream *s)
{
    return s->out_tail ? s->out_tail->cap - s->out_tail->end : 0;
}

static void added(struct stream *s, size_t n)
{
    s->out_bytes += n;
    if (!s->tx_on)
        worker_at_tick_end(s->net->worker, &s->flush);
}

/* Blocks for n bytes, all or none. */
static bool take_chain(struct net_worker *net, size_t n, struct block **first)
{
    struct block **at = first;
    *first = NULL;
    if (n > net_blocks_left(net) * NET_BLOCK_ROOM)
        return false; /* and nobody is woken by blocks that are only given back */
    for (size_t got = 0; got < n; got += NET_BLOCK_ROOM) {
        *at = net_block_take(net, NET_BLOCK_ROOM);
        if (!*at) {
            for (struct block *b = *first, *next; b; b = next) {
                next = b->next;
                net_block_give(net, b);
            }
            return false;
        }
        at = &(*at)->next;
    }
    return true;
}

enum err stream_write(struct stream *s, const void *p, size_t n)
{
    const uint8_t *from = p;
    struct block *chain, *next;
    enum err r = may_write(s, n);
    if (r || n == 0)
        return r;
    size_t here = tail_room(s) < n ? tail_room(s) : n;
    if (!take_chain(s->net, n - here, &chain))
        return refuse(s, true);
    if (here > 0) {
        memcpy(s->out_tail->bytes + s->out_tail->end, from, here);
        s->out_tail->end += (uint32_t)here;
    }
    for (size_t at = here; chain; chain = next) {
        size_t part = n - at < chain->cap ? n - at : chain->cap;
        next = chain->next;
        chain->next = NULL;
        memcpy(chain->bytes, from + at, part);
        chain->end = (uint32_t)part;
        append_block(s, chain);
        at += part;
    }
    added(s, n);
    return ERR_OK;
}

uint8_t *stream_reserve(struct stream *s, size_t n)
{
    if (may_write(s, n))
        return NULL;
    if (!s->out_tail || tail_room(s) < n) {
        struct block *b = net_block_take(s->net, n);
        if (!b) {
            (void)refuse(s, true);
            return NULL;
        }
        append_block(s, b);
    }
    s->reserved = n;
    return s->out_tail->bytes + s->out_tail->end;
}

void stream_commit(struct stream *s, size_t n)
{
    ASSERT(n <= s->reserved);
    s->reserved = 0;
    s->out_tail->end += (uint32_t)n;
    if (n > 0)
        added(s, n);
    else if (s->out_bytes == 0)
        stream_drop_sent(s, 0);
}

size_t stream_write_pending(const struct stream *s)
{
    return s->out_bytes;
}

size_t stream_write_room(const struct stream *s)
{
    return s->write_dead || s->out_bytes >= s->write_max ? 0 : s->write_max - s->out_bytes;
}

/* --- the rest --- */

void stream_address(const struct stream *s, struct addr *out)
{
    *out = (struct addr){.len = sizeof(out->un)};
    if (!s->net->io || s->net->socket->peer(s->net->io, s->fd, &out->sa, &out->len) != 0)
        out->len = 0;
}

const struct addr *stream_peer(struct stream *s)
{
    static const struct addr unknown;
    if (s->peer)
        return s->peer;
    struct addr *a = mem_new(s->net->alloc, sizeof(*a));
    if (!a)
        return &unknown;
    stream_address(s, a);
    s->peer = a;
    return a;
}

int stream_os_errno(const struct stream *s)
{
    return s->os_errno;
}

uint64_t stream_bytes_in(const struct stream *s)
{
    return s->bytes_in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
    return s->bytes_out;
}

enum err stream_connected(const struct stream *s)
{
    if (s->connecting)
        return ERR_AGAIN;
    return s->connect_failed ? ERR_IO : ERR_OK;
}
