#include "base/log.h"
#include "net/net_internal.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
        (void)close(fd);
        return;
    }
    l->connections++;
    l->warned = false;
    stream_set_nodelay(fd);
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

/* A file that a process left which is gone. A living one answers, and keeps it. */
static void remove_stale(const struct addr *a)
{
    struct stat st;
    if (a->sa.sa_family != AF_UNIX || stat(a->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, &a->sa, a->len) != 0 && errno == ECONNREFUSED)
        (void)unlink(a->un.sun_path);
    (void)close(fd);
}

static int open_socket(const struct addr *a, bool shared)
{
    int on = 1;
    int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool good = true;
    if (a->sa.sa_family != AF_UNIX) {
        good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
        if (good && shared)
            good = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0;
        if (good && a->sa.sa_family == AF_INET6)
            good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0;
    }
    if (good && bind(fd, &a->sa, a->len) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int os_errno = errno;
    (void)close(fd);
    errno = os_errno;
    return -1;
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
    remove_stale(&cfg->addr);
    l->net = net;
    l->cfg = *cfg;
    l->fd = open_socket(&cfg->addr, executor_workers(worker_executor(w)) > 1);
    if (l->fd < 0) {
        int os_errno = errno;
        mem_free(net->alloc, l, sizeof(*l));
        return error_set_os(e, os_errno, "can't listen on %s", text);
    }
    if (cfg->addr.sa.sa_family != AF_UNIX) {
        l->cfg.addr.len = sizeof(l->cfg.addr.un);
        if (getsockname(l->fd, &l->cfg.addr.sa, &l->cfg.addr.len) != 0)
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
    if (l->cfg.addr.sa.sa_family == AF_UNIX)
        (void)unlink(l->cfg.addr.un.sun_path);
    if (l->accepting) {
        l->net->io->ops->cancel(l->net->io, &l->op);
        return;
    }
    l->net->io->ops->close_fd(l->net->io, l->fd);
    settle(l);
}
