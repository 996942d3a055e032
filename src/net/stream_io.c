#include "net/layer.h"
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
    stream_set_limits(s, &(struct stream_limits){0});
    list_add_tail(&net->open, &s->link);
    return s;
}

void stream_drop_read(struct stream *s)
{
    struct block *b = s->kept;
    s->kept = NULL;
    if (s->net->lent_to == s)
        s->net->lent = (struct bytes){0};
    net_block_give(s->net, b);
}

bool stream_may_send(struct stream *s)
{
    if (s->sender)
        return true;
    struct stream_sender *o = pool_take(&s->net->senders);
    if (!o)
        return false;
    o->tx = (struct io_send){.op = {.done = sent}};
    tick_hook_init(&o->flush, flush);
    o->stream = s;
    o->out = (struct block_queue){0};
    o->reserved = 0;
    o->pieces = NULL;
    s->sender = o;
    return true;
}

static void drop_pieces(struct stream *s)
{
    struct block *b = s->sender->pieces;
    s->sender->pieces = NULL;
    net_block_give(s->net, b);
}

static void drop_sender(struct stream *s)
{
    struct stream_sender *o = s->sender;
    if (!o)
        return;
    ASSERT(!s->tx_on);
    drop_pieces(s);
    tick_hook_cancel(&o->flush);
    s->sender = NULL;
    pool_give(&s->net->senders, o);
}

static void drop_queues(struct stream *s)
{
    if (s->sender)
        block_queue_drop(s->net, &s->sender->out, s->sender->out.bytes);
    if (s->stack)
        block_queue_drop(s->net, &s->stack->wire, s->stack->wire.bytes);
}

void stream_settle(struct stream *s)
{
    struct net_worker *net = s->net;
    if (!s->closed || s->rx_on || s->tx_on || (s->stack && s->stack->busy > 0))
        return;
    stream_drop_read(s);
    drop_queues(s);
    drop_sender(s);
    stack_free(s);
    if (s->serial)
        serial_leave(s);
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
    if (!s->finishing || !s->linger)
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
    if (s->sender)
        tick_hook_cancel(&s->sender->flush);
    drop_linger(s);
    stream_drop_read(s);
    stream_stop_receiving(s);
    if (s->tx_on)
        s->net->io->ops->cancel(s->net->io, &s->sender->tx.op);
    stream_settle(s);
}

void stream_wake(struct stream *s)
{
    if (s->watch)
        s->watch(s);
    else if (s->task)
        task_wake(s->task);
}

void stream_unstarve(struct stream *s)
{
    if (s->task)
        task_wake(s->task);
    if (s->stack && s->sender)
        stream_send_soon(s);
}

/* --- reading --- */

void stream_receive(struct stream *s)
{
    s->rx_on = true;
    if (s->serial)
        serial_receive(s);
    else
        s->net->io->ops->receive(s->net->io, &s->rx, s->fd);
}

static bool has_room(const struct stream *s)
{
    return stream_unread(s) <= s->read_max / 2 && !(s->stack && s->stack->held);
}

void stream_receive_more(struct stream *s)
{
    if (!s->rx_on && s->bound && !s->ended && !s->move && has_room(s))
        stream_receive(s);
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
        s->write_dead = s->wire_dead = true; /* at the peer's end we may still write */
    if (s->finishing && (how != ERR_CLOSED || stream_write_pending(s) == 0))
        stream_close(s);
    else
        stream_wake(s);
}

/* The bytes are the driver's until we return. If the task can be polled right now it reads them
 * where they lie; only what it leaves is copied. */
void stream_data(struct stream *s, struct bytes lent)
{
    struct net_worker *net = s->net;
    if (s->finishing)
        return;
    s->fresh = true;
    bool kept = true;
    if (s->kept) {
        kept = keep(s, lent);
        lent.n = 0;
    }
    ASSERT(!net->lent_to); /* only the driver lends, one after the other */
    net->lent = lent;
    net->lent_to = s;
    if (kept && s->watch)
        s->watch(s);
    else if (kept && s->task)
        (void)task_poll_now(s->task);
    /* The stream itself is still there, as its operation has not ended. */
    lent = net->lent;
    net->lent_to = NULL;
    if (s->closed || s->finishing)
        return;
    if (kept && lent.n > 0)
        kept = keep(s, lent);
    if (!kept) {
        stream_stop_receiving(s);
        stream_end(s, ERR_IO, ENOMEM);
    } else if (stream_unread(s) > s->read_max) {
        stream_stop_receiving(s);
    }
}

static void socket_end(struct stream *s, enum err how, int os_errno)
{
    if (s->stack)
        stack_end(s, how, os_errno);
    else
        stream_end(s, how, os_errno);
}

/* Nothing comes any more. Behind a layer's failure there may: it is read and dropped, as below. */
static bool is_over(const struct stream *s)
{
    return s->ended && !stack_outlived(s);
}

void stream_received(struct stream *s, struct io_result r)
{
    bool stopped = s->rx_stopping, moving = s->moving;
    if (!r.more)
        s->rx_on = s->rx_stopping = false;
    if (s->closed) {
        stream_settle(s);
    } else if (r.res > 0) {
        s->bytes_in += (uint64_t)r.res;
        if (s->stack)
            stack_input(s, (struct bytes){r.data, (size_t)r.res});
        else
            stream_data(s, (struct bytes){r.data, (size_t)r.res});
    } else if (r.res == 0) {
        socket_end(s, ERR_CLOSED, 0);
    } else if (r.res != -ECANCELED) {
        socket_end(s, ERR_IO, -r.res);
    } else if (!stopped) {
        socket_end(s, ERR_CANCELED, 0); /* the worker ends */
    } else if (!moving && (s->finishing ? !is_over(s) : !s->ended && has_room(s))) {
        stream_receive(s); /* it was read while the pause was on its way */
    }
    if (moving)
        stream_move_settle(s);
}

static void received(struct io_op *op, struct io_result r)
{
    stream_received(CONTAINER_OF(op, struct stream, rx), r);
}

/* --- writing --- */

/* What the socket is to have: of a plain stream it is the user's own queue. */
static struct block_queue *wire_of(struct stream *s)
{
    return s->stack ? &s->stack->wire : &s->sender->out;
}

void stream_send_soon(struct stream *s)
{
    if (!s->tx_on)
        worker_at_tick_end(s->net->worker, &s->sender->flush);
}

/* All blocks in one list; if there is no room for the list, the first block alone. */
static unsigned gather(struct stream *s, const struct iovec **list)
{
    const struct block_queue *q = wire_of(s);
    struct stream_sender *o = s->sender;
    unsigned n = 0;
    size_t max = 1;
    struct iovec *v = &o->piece;
    if (q->first != q->last && (o->pieces = net_block_take(s->net, NET_BLOCK_ROOM))) {
        v = (struct iovec *)(void *)o->pieces->bytes;
        max = NET_BLOCK_ROOM / sizeof(*v) < NET_IOV_MAX ? NET_BLOCK_ROOM / sizeof(*v) : NET_IOV_MAX;
    }
    o->in_flight = 0;
    for (struct block *b = q->first; b && n < max; b = b->next) {
        if (b->start == b->end)
            continue;
        v[n++] = (struct iovec){b->data + b->start, b->end - b->start};
        o->in_flight += b->end - b->start;
    }
    *list = v;
    return n;
}

/* The last byte is with the kernel; the peer's end is still to come, so that what it sends until
 * then does not make the kernel reset the connection and take our last bytes away. */
static void all_sent(struct stream *s)
{
    if (s->stack && !s->stack->finished) {
        stack_finish(s);
        if (s->stack->wire.bytes > 0) {
            stream_send_soon(s);
            return;
        }
    }
    if (is_over(s) || s->serial) { /* a line has no end that one could tell the other of */
        stream_close(s);
        return;
    }
    s->net->socket->send_end(s->net->io, s->fd);
}

/* The queue was this long and is shorter now: whoever waits for room is told. */
static void tell_room(struct stream *s, size_t before)
{
    if (stream_write_pending(s) <= s->write_low && (before > s->write_low || s->refused)) {
        s->refused = false;
        stream_wake(s);
    }
}

/* The kernel has taken n bytes from the head of the queue. */
static void account(struct stream *s, size_t n)
{
    struct block_queue *q = wire_of(s);
    size_t before = stream_write_pending(s);
    s->bytes_out += n;
    block_queue_drop(s->net, q, n);
    if (q->bytes > 0 || stream_queued(s) > 0)
        worker_at_tick_end(s->net->worker, &s->sender->flush);
    else
        drop_sender(s);
    if (s->finishing && stream_write_pending(s) == 0)
        all_sent(s);
    else
        tell_room(s, before);
}

static void send_failed(struct stream *s, int os_errno)
{
    drop_queues(s);
    stream_end(s, os_errno == ECANCELED ? ERR_CANCELED : ERR_IO, os_errno);
}

static ssize_t send_now(struct stream *s, const struct iovec *list, unsigned n)
{
    const struct io_driver_ops *ops = s->net->io->ops;
    if (s->serial)
        return serial_send_now(s, list, n);
    return ops->send_now ? ops->send_now(s->net->io, s->fd, list, n) : 0;
}

/* Mostly the socket takes all of it. Else an operation brings the rest. */
static void send_queue(struct stream *s)
{
    const struct iovec *list;
    unsigned n = gather(s, &list);
    ssize_t taken = send_now(s, list, n);
    if (taken != 0)
        drop_pieces(s);
    if (taken < 0) {
        send_failed(s, (int)-taken);
        return;
    }
    if ((size_t)taken == s->sender->in_flight) {
        account(s, (size_t)taken);
        return;
    }
    if (taken > 0) {
        account(s, (size_t)taken);
        n = gather(s, &list);
    }
    tick_hook_cancel(&s->sender->flush);
    s->tx_on = true;
    if (s->serial)
        serial_await_room(s);
    else
        s->net->io->ops->send(s->net->io, &s->sender->tx, s->fd, list, n);
}

static void flush(struct tick_hook *h)
{
    struct stream *s = CONTAINER_OF(h, struct stream_sender, flush)->stream;
    bool moving = s->moving; /* if not, it may be gone behind this */
    if (s->tx_on || s->wire_dead || (s->stack && !stack_encode(s)))
        return;
    if (wire_of(s)->bytes > 0)
        send_queue(s);
    else if (s->stack && s->finishing && stream_queued(s) == 0)
        all_sent(s);
    if (moving)
        stream_move_settle(s);
}

static void sent(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream_sender, tx.op)->stream;
    bool moving = s->moving;
    s->tx_on = false;
    drop_pieces(s);
    if (s->closed)
        stream_settle(s);
    else if (r.res < 0)
        send_failed(s, -r.res);
    else
        account(s, s->sender->in_flight);
    if (moving)
        stream_move_settle(s);
}

void stream_has_room(struct stream *s, int result)
{
    bool moving = s->moving;
    s->tx_on = false;
    drop_pieces(s);
    if (s->closed)
        stream_settle(s);
    else if (result < 0)
        send_failed(s, -result);
    else
        stream_send_soon(s);
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
    struct stream_linger *linger = NULL;
    ASSERT(!s->closed && !s->finishing);
    if (s->wire_dead || s->connecting || linger_ms <= 0 ||
        !(linger = mem_zero(s->net->alloc, sizeof(*linger)))) {
        stream_close(s);
        return;
    }
    s->task = NULL;
    s->watch = NULL;
    s->finishing = true;
    s->linger = linger;
    s->linger->stream = s;
    timer_init(&s->linger->timer, s->net->worker, linger_over);
    timer_set_after_ms(&s->linger->timer, linger_ms);
    stream_drop_read(s);
    if (!s->rx_on && !is_over(s))
        stream_receive(s);
    if (stream_write_pending(s) == 0)
        all_sent(s);
}

/* --- connecting --- */

static void connected(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream_sender, tx.op)->stream;
    s->tx_on = s->connecting = false;
    op->done = sent;
    if (s->closed) {
        stream_settle(s);
        return;
    }
    if (r.res < 0) {
        s->connect_failed = true;
        drop_queues(s);
        stream_end(s, ERR_IO, -r.res);
        return;
    }
    s->bound = true;
    s->net->socket->no_delay(s->net->io, s->fd);
    stream_receive(s);
    if (s->stack) {
        s->connecting = true; /* goes on */
        stack_start(s);
        return;
    }
    if (stream_queued(s) > 0)
        stream_send_soon(s);
    else
        drop_sender(s);
    stream_wake(s);
}

enum err stream_connect(struct stream **out, struct worker *w, const struct addr *to,
                        struct task *task)
{
    return stream_connect_via(out, w, to, NULL, task);
}

enum err stream_connect_via(struct stream **out, struct worker *w, const struct addr *to,
                            const struct stream_via *via, struct task *task)
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
    if (!stream_may_send(s) || (via && stack_new(s, via, false))) {
        stream_close(s);
        return ERR_NOMEM;
    }
    s->task = task;
    s->connecting = s->tx_on = true;
    s->sender->tx.op.done = connected;
    net->io->ops->connect(net->io, &s->sender->tx.op, fd, &peer->sa, peer->len);
    *out = s;
    return ERR_OK;
}
