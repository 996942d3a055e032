#include "net/layer.h"
#include <errno.h>
#include <string.h>

#define CACHE_LINE 64

/* What a task calls. What the driver calls is in stream_io.c. */

#define READ_MAX  ((size_t)1024 * 1024)
#define WRITE_MAX ((size_t)1024 * 1024)
#define WRITE_LOW ((size_t)64 * 1024)

static uint32_t limit(size_t asked, size_t otherwise)
{
    return asked > UINT32_MAX ? UINT32_MAX : (uint32_t)(asked ? asked : otherwise);
}

void stream_set_limits(struct stream *s, const struct stream_limits *l)
{
    s->read_max = limit(l->read_max, READ_MAX);
    s->write_max = limit(l->write_max, WRITE_MAX);
    s->write_low = limit(l->write_low, WRITE_LOW);
    if (s->write_low > s->write_max)
        s->write_low = s->write_max;
}

void stream_stay(struct stream *s)
{
    struct io_driver *io = s->net->io;
    ASSERT(!s->closed && !s->finishing && !s->moving && !s->pooled && !s->connecting);
    s->stays = true;
    if (io->ops->adopt)
        s->fd = io->ops->adopt(io, s->fd, s->rx_on ? &s->rx : NULL,
                               s->tx_on ? &s->sender->tx.op : NULL);
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

struct bytes stream_unread_bytes(const struct stream *s)
{
    const struct block *b = s->kept;
    if (b)
        return (struct bytes){b->bytes + b->start, b->end - b->start};
    return s->net->lent_to == s ? s->net->lent : (struct bytes){NULL, 0};
}

size_t stream_unread(const struct stream *s)
{
    return stream_unread_bytes(s).n;
}

enum err stream_read(struct stream *s, struct bytes *out)
{
    uint64_t poll = worker_polls(s->net->worker);
    ASSERT(!s->closed && !s->finishing);
    *out = stream_unread_bytes(s);
    if (out->n > 0 && (s->fresh || s->read_at != poll)) {
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
        s->net->lent.p += n;
        s->net->lent.n -= n;
    }
    if (!s->rx_on)
        stream_receive_more(s);
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
    ASSERT(!s->closed && !s->finishing && (!s->sender || s->sender->reserved == 0));
    if (s->write_dead)
        return ERR_CLOSED;
    if (n > s->write_max)
        return ERR_RANGE;
    if (n > stream_write_room(s))
        return refuse(s, false);
    return stream_may_send(s) ? ERR_OK : refuse(s, true);
}

enum err stream_write(struct stream *s, const void *p, size_t n)
{
    enum err r = may_write(s, n);
    if (r || n == 0)
        return r;
    if (!block_queue_add(s->net, &s->sender->out, p, n))
        return refuse(s, true);
    stream_send_soon(s);
    return ERR_OK;
}

enum err stream_write_shared(struct stream *s, const void *head, size_t head_n,
                             const struct stream_shared *body)
{
    ASSERT(body->n > 0 && body->n <= UINT32_MAX);
    enum err r = head_n > SIZE_MAX - body->n ? ERR_RANGE : may_write(s, head_n + body->n);
    if (r)
        return r;
    if (!block_queue_add_shared(s->net, &s->sender->out, head, head_n, body))
        return refuse(s, true);
    stream_send_soon(s);
    return ERR_OK;
}

uint8_t *stream_reserve(struct stream *s, size_t n)
{
    if (may_write(s, n))
        return NULL;
    uint8_t *at = block_queue_reserve(s->net, &s->sender->out, n);
    if (at)
        s->sender->reserved = (uint32_t)n;
    else
        (void)refuse(s, true);
    return at;
}

/* In a fan-out a hundred other streams are written to before this one comes again: by then the
 * lines that it will write should have come into the cache, or every store waits for memory. Halves
 * what a delivery costs there. (GCC takes a function that only prefetches for one without effect,
 * and leaves out its calls; what is always inline it keeps.) */
static inline __attribute__((always_inline)) void block_expect(const struct block *b)
{
    if (b->cap - b->end < 3 * CACHE_LINE)
        return;
    __builtin_prefetch(b->bytes + b->end + CACHE_LINE, 1);
    __builtin_prefetch(b->bytes + b->end + 2 * CACHE_LINE, 1);
}

void stream_commit(struct stream *s, size_t n)
{
    ASSERT(n <= s->sender->reserved);
    s->sender->reserved = 0;
    s->sender->out.last->end += (uint32_t)n;
    s->sender->out.bytes += n;
    block_expect(s->sender->out.last);
    if (n > 0)
        stream_send_soon(s);
    else if (s->sender->out.bytes == 0)
        block_queue_drop(s->net, &s->sender->out, 0);
}

size_t stream_write_pending(const struct stream *s)
{
    return stream_queued(s) + (s->stack ? s->stack->wire.bytes : 0);
}

size_t stream_write_room(const struct stream *s)
{
    size_t used = stream_write_pending(s);
    return s->write_dead || used >= s->write_max ? 0 : s->write_max - used;
}

/* --- the rest --- */

const char *stream_problem(const struct stream *s)
{
    return s->stack && s->stack->problem ? s->stack->problem : "";
}

struct str stream_person(const struct stream *s)
{
    return s->stack ? s->stack->person : (struct str){NULL, 0};
}

bool stream_is_secret(const struct stream *s)
{
    return s->stack && s->stack->secret;
}

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
