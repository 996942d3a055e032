#include "net/stream_move.h"
#include "net/layer.h"
#include <string.h>

enum { DRAIN_MS = 10000 };

/* First the source's, then, from the push on, the destination's. */
struct stream_move {
    struct mpsc_node node; /* in to->arriving */
    struct net_worker *to;
    void (*moved)(void *ctx, struct stream *s);
    void *ctx;
    struct timer patience;
    struct stream *stream; /* the source's */
    /* What goes along; fd < 0: it has failed. */
    int fd, os_errno;
    struct addr *peer;
    struct stream_limits limits;
    uint64_t bytes_in, bytes_out;
    uint8_t ended;
    bool write_dead, wire_dead, late;
    struct stream_stack *stack;
    uint8_t *bytes; /* unread */
    size_t bytes_n;
};

static void drop(struct alloc *a, struct stream_move *m)
{
    mem_free(a, m->bytes, m->bytes_n);
    mem_free(a, m->peer, sizeof(*m->peer));
    stack_drop(m->stack, a);
    mem_free(a, m, sizeof(*m));
}

/* ---- on the source ---- */

static bool copy_unread(struct alloc *a, const struct stream *s, struct stream_move *m)
{
    size_t n = stream_unread(s);
    m->bytes = n ? mem_new(a, n) : NULL;
    if (n && !m->bytes)
        return false;
    if (n)
        memcpy(m->bytes, s->kept->bytes + s->kept->start, n);
    m->bytes_n = n;
    return true;
}

/* Nothing is under way on the descriptor any more, and nothing of the driver's is lent. */
static void depart(struct stream *s)
{
    struct stream_move *m = s->move;
    struct net_worker *net = s->net, *to = m->to;
    const struct io_driver_ops *ops = net->io->ops;
    timer_cancel(&m->patience);
    s->move = NULL;
    s->moving = false;
    s->closed = true;
    if (!m->late && copy_unread(net->alloc, s, m)) {
        m->fd = s->fd;
        m->ended = s->ended;
        m->os_errno = s->os_errno;
        m->write_dead = s->write_dead;
        m->wire_dead = s->wire_dead;
        m->stack = stack_leave(s);
        m->bytes_in = s->bytes_in;
        m->bytes_out = s->bytes_out;
        m->limits = (struct stream_limits){s->read_max, s->write_max, s->write_low};
        m->peer = s->peer;
        s->peer = NULL;
        if (ops->release)
            ops->release(net->io, s->fd);
        s->fd = -1;
    }
    stream_settle(s);
    if (mpsc_push(&to->arriving, &m->node))
        task_wake(&to->arrivals);
}

void stream_move_settle(struct stream *s)
{
    bool sent = stream_write_pending(s) == 0 || s->move->late;
    if (!s->rx_on && !s->tx_on && sent && !stack_busy(s))
        depart(s);
}

/* The peer does not take what was written. */
static void patience_over(struct timer *t)
{
    struct stream_move *m = CONTAINER_OF(t, struct stream_move, patience);
    struct stream *s = m->stream;
    m->late = true;
    if (s->tx_on)
        s->net->io->ops->cancel(s->net->io, &s->sender->tx.op);
    stream_move_settle(s);
}

enum err stream_move(struct stream *s, struct worker *to,
                     void (*moved)(void *ctx, struct stream *s), void *ctx)
{
    struct net_worker *there = net_of(to);
    ASSERT(!s->closed && !s->finishing && !s->moving && !s->stays && !s->pooled && !s->connecting &&
           (!s->sender || s->sender->reserved == 0));
    ASSERT(there && there != s->net && there->prepared);
    struct stream_move *m = mem_zero(s->net->alloc, sizeof(*m));
    if (!m)
        return ERR_NOMEM;
    *m = (struct stream_move){.to = there, .moved = moved, .ctx = ctx, .stream = s, .fd = -1};
    timer_init(&m->patience, s->net->worker, patience_over);
    timer_set_after_ms(&m->patience, DRAIN_MS);
    s->task = NULL;
    s->watch = NULL;
    s->move = m;
    s->moving = true;
    stream_stop_receiving(s);
    stream_move_settle(s);
    return ERR_OK;
}

/* ---- on the destination ---- */

static bool take_unread(struct stream *s, const struct stream_move *m)
{
    struct block *b = net_block_take(s->net, m->bytes_n);
    if (!b)
        return false;
    memcpy(b->bytes, m->bytes, m->bytes_n);
    b->end = (uint32_t)m->bytes_n;
    s->kept = b;
    s->fresh = true;
    return true;
}

static struct stream *settle_down(struct net_worker *net, struct stream_move *m)
{
    struct stream *s = m->fd >= 0 ? stream_new(net, m->fd, NULL) : NULL;
    if (!s) {
        if (m->fd >= 0)
            net->io->ops->close_fd(net->io, m->fd);
        return NULL;
    }
    if (m->bytes_n && !take_unread(s, m)) {
        stream_close(s);
        return NULL;
    }
    stream_set_limits(s, &m->limits);
    s->ended = m->ended;
    s->os_errno = m->os_errno;
    s->write_dead = m->write_dead;
    s->wire_dead = m->wire_dead;
    stack_enter(s, m->stack);
    m->stack = NULL;
    s->bytes_in = m->bytes_in;
    s->bytes_out = m->bytes_out;
    s->peer = m->peer;
    m->peer = NULL;
    return s;
}

static enum poll arrivals(struct task *t)
{
    struct net_worker *net = CONTAINER_OF(t, struct net_worker, arrivals);
    struct mpsc_node *next;
    for (struct mpsc_node *n = mpsc_take_all(&net->arriving); n; n = next) {
        struct stream_move *m = CONTAINER_OF(n, struct stream_move, node);
        next = n->next;
        m->moved(m->ctx, settle_down(net, m));
        drop(net->alloc, m);
    }
    return t->canceled ? POLL_READY : POLL_PENDING;
}

enum err net_prepare(struct executor *ex)
{
    for (unsigned i = 0; i < executor_workers(ex); i++) {
        struct net_worker *net = net_of(executor_worker(ex, i));
        if (!net)
            return ERR_NOMEM;
        if (net->prepared)
            continue;
        net->prepared = true;
        task_init(&net->arrivals, "net arrivals", arrivals, NULL);
        task_spawn(net->worker, &net->arrivals);
    }
    return ERR_OK;
}

void stream_moves_drop(struct net_worker *net)
{
    struct mpsc_node *next;
    for (struct mpsc_node *n = mpsc_take_all(&net->arriving); n; n = next) {
        struct stream_move *m = CONTAINER_OF(n, struct stream_move, node);
        next = n->next;
        if (m->fd >= 0)
            net->socket->drop(m->fd);
        drop(net->alloc, m);
    }
}
