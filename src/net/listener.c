#include "base/log.h"
#include "net/layer.h"
#include <errno.h>
#include <string.h>

enum { PAUSE_MS = 100 };

struct listener {
    struct io_op op;
    struct net_worker *net;
    struct listener_config cfg;
    struct timer pause;
    int fd;
    size_t connections;
    uint64_t refused;
    bool accepting, closed, warned;
};

/* The memory goes when the last stream that counts here has gone. */
static void settle(struct listener *l)
{
    if (l->closed && !l->accepting && l->connections == 0)
        mem_free(l->net->alloc, l, sizeof(*l));
}

void listener_gone(struct listener *l)
{
    l->connections--;
    settle(l);
}

static void resume(struct timer *t)
{
    struct listener *l = CONTAINER_OF(t, struct listener, pause);
    l->accepting = true;
    l->net->io->ops->accept(l->net->io, &l->op, l->fd);
}

static void take(struct listener *l, int fd)
{
    bool full = l->cfg.connections_max && l->connections >= l->cfg.connections_max;
    struct stream *s = full || l->closed ? NULL : stream_new(l->net, fd, l);
    if (!s) {
        l->refused += !l->closed;
        l->net->io->ops->close_fd(l->net->io, fd);
        return;
    }
    l->connections++;
    l->warned = false;
    l->net->socket->no_delay(l->net->io, fd);
    if (l->cfg.via && stack_new(s, l->cfg.via, true)) {
        l->refused++;
        stream_close(s);
        return;
    }
    l->cfg.accepted(l->cfg.ctx, s);
}

static void accepted(struct io_op *op, struct io_result r)
{
    struct listener *l = CONTAINER_OF(op, struct listener, op);
    if (!r.more)
        l->accepting = false;
    if (r.res >= 0) {
        take(l, r.res);
    } else if (l->closed) {
        l->net->io->ops->close_fd(l->net->io, l->fd);
        settle(l);
    } else if (r.res != -ECANCELED) {
        if (!l->warned)
            LOG_W("net", "no connection can be taken for now: %s", strerror(-r.res));
        l->warned = true;
        timer_set_after_ms(&l->pause, PAUSE_MS);
    }
}

enum err listener_open(struct listener **out, struct worker *w, const struct listener_config *cfg,
                       struct error *e)
{
    char text[ADDR_TEXT_MAX];
    struct net_worker *net = net_of(w);
    struct listener *l = net ? mem_zero(net->alloc, sizeof(*l)) : NULL;
    *out = NULL;
    if (!l)
        return error_set(e, ERR_NOMEM, "no memory for a listener");
    addr_format(&cfg->addr, text);
    l->net = net;
    l->cfg = *cfg;
    l->fd = net->socket->listen(net->io, &cfg->addr.sa, cfg->addr.len,
                                executor_workers(worker_executor(w)) > 1);
    if (l->fd < 0) {
        int os_errno = -l->fd;
        mem_free(net->alloc, l, sizeof(*l));
        return error_set_os(e, os_errno, "can't listen on %s", text);
    }
    if (cfg->addr.sa.sa_family != AF_UNIX) {
        l->cfg.addr.len = sizeof(l->cfg.addr.un);
        if (net->socket->name(net->io, l->fd, &l->cfg.addr.sa, &l->cfg.addr.len) != 0)
            l->cfg.addr.len = cfg->addr.len;
    }
    l->op.done = accepted;
    timer_init(&l->pause, w, resume);
    resume(&l->pause);
    *out = l;
    return ERR_OK;
}

const struct addr *listener_addr(const struct listener *l)
{
    return &l->cfg.addr;
}

size_t listener_connections(const struct listener *l)
{
    return l->connections;
}

uint64_t listener_refused(const struct listener *l)
{
    return l->refused;
}

void listener_close(struct listener *l)
{
    if (!l)
        return;
    ASSERT(!l->closed);
    l->closed = true;
    timer_cancel(&l->pause);
    l->net->socket->unlisten(l->net->io, &l->cfg.addr.sa);
    if (l->accepting) {
        l->net->io->ops->cancel(l->net->io, &l->op);
        return;
    }
    l->net->io->ops->close_fd(l->net->io, l->fd);
    settle(l);
}
