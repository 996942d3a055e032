#include "net/net_internal.h"
#include <errno.h>
#include <string.h>

static void received(struct io_op *op, struct io_result r);
static void sent(struct io_op *op, struct io_result r);
static void flush(struct tick_hook *h);

/* --- birth and death --- */

struct stream *stream_new(struct net_worker *net, int fd, struct listener *from)
{
    struct stream *s = pool_take(&net->streams);
    if (!s)
        return NULL;
    *s = (struct stream){.net = net, .fd = fd, .listener = from};
    s->rx.done = received;
    s->tx.done = sent;
    tick_hook_init(&s->flush, flush);
    stream_set_limits(s, &(struct stream_limits){0});
    list_add_tail(&net->open, &s->link);
    return s;
}

void stream_drop_read(struct stream *s)
{
    struct block *b = s->kept;
    s->kept = NULL;
    s->lent = (struct bytes){0};
    net_block_give(s->net, b);
}

static void drop_pieces(struct stream *s)
{
    struct block *b = s->pieces;
    s->pieces = NULL;
    net_block_give(s->net, b);
}

void stream_drop_sent(struct stream *s, size_t n)
{
    struct block *b;
    s->out_bytes -= n;
    while ((b = s->out)) {
        size_t take = b->end - b->start;
        if (take > n)
            take = n;
        b->start += (uint32_t)take;
        n -= take;
        if (b->start < b->end)
            break;
        s->out = b->next;
        if (!s->out)
            s->out_tail = NULL;
        net_block_give(s->net, b);
    }
    ASSERT(n == 0);
}

void stream_settle(struct stream *s)
{
    struct net_worker *net = s->net;
    if (!s->closed || s->rx_on || s->tx_on)
        return;
    stream_drop_read(s);
    drop_pieces(s);
    stream_drop_sent(s, s->out_bytes);
    if (net->io && s->fd >= 0)
        net->io->ops->close_fd(net->io, s->fd);
    else if (s->fd >= 0)
        net->socket->drop(s->fd);
    mem_free(net->alloc, s->peer, sizeof(*s->peer));
    list_del(&s->link);
    struct listener *from = s->listener;
    pool_give(&net->streams, s);
    if (from)
        listener_gone(from);
}

void stream_stop_receiving(struct stream *s)
{
    if (s->rx_on && !s->rx_stopping) {
        s->rx_stopping = true;
        s->net->io->ops->cancel(s->net->io, &s->rx);
    }
}

static void drop_linger(struct stream *s)
{
    if (!s->linger)
        return;
    timer_cancel(&s->linger->timer);
    mem_free(s->net->alloc, s->linger, sizeof(*s->linger));
    s->linger = NULL;
}

void stream_close(struct stream *s)
{
    ASSERT(!s->closed);
    s->closed = true;
    s->task = NULL;
    tick_hook_cancel(&s->flush);
    drop_linger(s);
    stream_drop_read(s);
    stream_stop_receiving(s);
    if (s->tx_on)
        s->net->io->ops->cancel(s->net->io, &s->tx);
    stream_settle(s);
}

static void wake(struct stream *s)
{
    if (s->watch)
        s->watch(s);
    else if (s->task)
        task_wake(s->task);
}

/* --- reading --- */

void stream_receive(struct stream *s)
{
    s->rx_on = true;
    s->net->io->ops->receive(s->net->io, &s->rx, s->fd);
}

/* Behind what is kept already; grows by doubling. */
static bool keep(struct stream *s, struct bytes more)
{
    struct block *b = s->kept;
    size_t have = b ? b->end - b->start : 0;
    if (!b || b->cap - have < more.n) {
        size_t room = b ? (size_t)b->cap * 2 : NET_BLOCK_ROOM;
        struct block *to = net_block_take(s->net, room > have + more.n ? room : have + more.n);
        if (!to)
            return false;
        if (b)
            memcpy(to->bytes, b->bytes + b->start, have);
        to->end = (uint32_t)have;
        s->kept = to;
        net_block_give(s->net, b);
        b = to;
    } else if (b->cap - b->end < more.n) {
        memmove(b->bytes, b->bytes + b->start, have);
        b->start = 0;
        b->end = (uint32_t)have;
    }
    memcpy(b->bytes + b->end, more.p, more.n);
    b->end += (uint32_t)more.n;
    return true;
}

void stream_end(struct stream *s, enum err how, int os_errno)
{
    if (!s->ended) {
        s->ended = (uint8_t)how;
        s->os_errno = os_errno;
    }
    if (how != ERR_CLOSED)
        s->write_dead = true; /* at the peer's end we may still write */
    if (s->finishing && (how != ERR_CLOSED || s->out_bytes == 0))
        stream_close(s);
    else
        wake(s);
}

/* The bytes are the driver's until we return. If the task can be polled right now it reads them
 * where they lie; only what it leaves is copied. */
void stream_data(struct stream *s, struct bytes lent)
{
    s->bytes_in += lent.n;
    if (s->finishing)
        return;
    s->fresh = true;
    bool kept = true;
    if (s->kept)
        kept = keep(s, lent);
    else
        s->lent = lent;
    if (kept && s->watch)
        s->watch(s);
    else if (kept && s->task)
        (void)task_poll_now(s->task);
    /* The stream itself is still there, as its operation has not ended. */
    if (s->closed || s->finishing) {
        s->lent = (struct bytes){0};
        return;
    }
    lent = s->lent;
    s->lent = (struct bytes){0};
    if (kept && lent.n > 0)
        kept = keep(s, lent);
    if (!kept) {
        stream_stop_receiving(s);
        stream_end(s, ERR_IO, ENOMEM);
    } else if (stream_unread(s) > s->read_max) {
        stream_stop_receiving(s);
    }
}

static void received(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream, rx);
    bool stopped = s->rx_stopping, moving = s->move;
    if (!r.more)
        s->rx_on = s->rx_stopping = false;
    if (s->closed) {
        stream_settle(s);
    } else if (r.res > 0) {
        stream_data(s, (struct bytes){r.data, (size_t)r.res});
    } else if (r.res == 0) {
        stream_end(s, ERR_CLOSED, 0);
    } else if (r.res != -ECANCELED) {
        stream_end(s, ERR_IO, -r.res);
    } else if (!stopped) {
        stream_end(s, ERR_CANCELED, 0); /* the worker ends */
    } else if (!moving && !s->ended && (s->finishing || stream_unread(s) <= s->read_max / 2)) {
        stream_receive(s); /* it was read while the pause was on its way */
    }
    if (moving)
        stream_move_settle(s);
}

/* --- writing --- */

/* All blocks in one list; if there is no room for the list, the first block alone. */
static unsigned gather(struct stream *s, const struct iovec **list)
{
    unsigned n = 0;
    size_t max = 1;
    struct iovec *v = &s->piece;
    if (s->out != s->out_tail && (s->pieces = net_block_take(s->net, NET_BLOCK_ROOM))) {
        v = (struct iovec *)(void *)s->pieces->bytes;
        max = NET_BLOCK_ROOM / sizeof(*v) < NET_IOV_MAX ? NET_BLOCK_ROOM / sizeof(*v) : NET_IOV_MAX;
    }
    s->in_flight = 0;
    for (struct block *b = s->out; b && n < max; b = b->next) {
        if (b->start == b->end)
            continue;
        v[n++] = (struct iovec){b->bytes + b->start, b->end - b->start};
        s->in_flight += b->end - b->start;
    }
    *list = v;
    return n;
}

/* The last byte is with the kernel; the peer's end is still to come, so that what it sends until
 * then does not make the kernel reset the connection and take our last bytes away. */
static void all_sent(struct stream *s)
{
    if (s->ended) {
        stream_close(s);
        return;
    }
    s->net->socket->send_end(s->net->io, s->fd);
}

/* The kernel has taken n bytes from the head of the queue. */
static void account(struct stream *s, size_t n)
{
    size_t before = s->out_bytes;
    s->bytes_out += n;
    stream_drop_sent(s, n);
    if (s->out_bytes > 0)
        worker_at_tick_end(s->net->worker, &s->flush);
    else if (s->finishing) {
        all_sent(s);
        return;
    }
    if (s->out_bytes <= s->write_low && (before > s->write_low || s->refused)) {
        s->refused = false;
        wake(s);
    }
}

static void send_failed(struct stream *s, int os_errno)
{
    stream_drop_sent(s, s->out_bytes);
    stream_end(s, os_errno == ECANCELED ? ERR_CANCELED : ERR_IO, os_errno);
}

/* Mostly the socket takes all of it. Else an operation brings the rest. */
static void send_queued(struct stream *s)
{
    const struct io_driver_ops *ops = s->net->io->ops;
    const struct iovec *list;
    if (s->tx_on || s->write_dead || s->out_bytes == 0)
        return;
    unsigned n = gather(s, &list);
    ssize_t taken = ops->send_now ? ops->send_now(s->net->io, s->fd, list, n) : 0;
    if (taken != 0)
        drop_pieces(s);
    if (taken < 0) {
        send_failed(s, (int)-taken);
        return;
    }
    if ((size_t)taken == s->in_flight) {
        account(s, s->in_flight);
        return;
    }
    if (taken > 0) {
        account(s, (size_t)taken);
        n = gather(s, &list);
    }
    tick_hook_cancel(&s->flush);
    s->tx_on = true;
    ops->send(s->net->io, &s->tx, s->fd, list, n);
}

static void flush(struct tick_hook *h)
{
    struct stream *s = CONTAINER_OF(h, struct stream, flush);
    bool moving = s->move; /* if not, it may be gone behind this */
    send_queued(s);
    if (moving)
        stream_move_settle(s);
}

static void sent(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream, tx);
    bool moving = s->move;
    s->tx_on = false;
    drop_pieces(s);
    if (s->closed)
        stream_settle(s);
    else if (r.res < 0)
        send_failed(s, -r.res);
    else
        account(s, s->in_flight);
    if (moving)
        stream_move_settle(s);
}

/* --- the end --- */

static void linger_over(struct timer *t)
{
    stream_close(CONTAINER_OF(t, struct stream_linger, timer)->stream);
}

void stream_finish(struct stream *s, int64_t linger_ms)
{
    ASSERT(!s->closed && !s->finishing);
    if (s->write_dead || s->connecting || linger_ms <= 0 ||
        !(s->linger = mem_zero(s->net->alloc, sizeof(*s->linger)))) {
        stream_close(s);
        return;
    }
    s->task = NULL;
    s->finishing = true;
    s->linger->stream = s;
    timer_init(&s->linger->timer, s->net->worker, linger_over);
    timer_set_after_ms(&s->linger->timer, linger_ms);
    stream_drop_read(s);
    if (!s->rx_on && !s->ended)
        stream_receive(s);
    if (s->out_bytes == 0)
        all_sent(s);
}

/* --- connecting --- */

static void connected(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream, tx);
    s->tx_on = s->connecting = false;
    s->tx.done = sent;
    if (s->closed) {
        stream_settle(s);
        return;
    }
    if (r.res < 0) {
        s->connect_failed = true;
        stream_drop_sent(s, s->out_bytes);
        stream_end(s, ERR_IO, -r.res);
        return;
    }
    s->bound = true;
    s->net->socket->no_delay(s->net->io, s->fd);
    stream_receive(s);
    if (s->out_bytes > 0)
        worker_at_tick_end(s->net->worker, &s->flush);
    wake(s);
}

enum err stream_connect(struct stream **out, struct worker *w, const struct addr *to,
                        struct task *task)
{
    struct net_worker *net = net_of(w);
    *out = NULL;
    if (!net)
        return ERR_NOMEM;
    struct addr *peer = mem_new(net->alloc, sizeof(*peer));
    if (!peer)
        return ERR_NOMEM;
    *peer = *to;
    int fd = net->socket->open(net->io, to->sa.sa_family);
    struct stream *s = fd >= 0 ? stream_new(net, fd, NULL) : NULL;
    if (!s) {
        mem_free(net->alloc, peer, sizeof(*peer));
        if (fd < 0)
            return ERR_IO;
        net->io->ops->close_fd(net->io, fd);
        return ERR_FULL;
    }
    s->peer = peer;
    s->task = task;
    s->connecting = s->tx_on = true;
    s->tx.done = connected;
    net->io->ops->connect(net->io, &s->tx, fd, &peer->sa, peer->len);
    *out = s;
    return ERR_OK;
}
