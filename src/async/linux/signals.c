#include "async/signals.h"
#include "async/io.h"
#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signal_watch {
    struct io_op op;
    struct worker *worker;
    int fd;
    bool freed, calling;
    void (*caught)(void *ctx, int signal);
    void *ctx;
};

static void gone(struct signal_watch *s)
{
    struct io_driver *io = worker_io(s->worker);
    io->ops->close_fd(io, s->fd);
    mem_free(worker_alloc(s->worker), s, sizeof(*s));
}

static void readable(struct io_op *op, struct io_result r)
{
    struct signal_watch *s = CONTAINER_OF(op, struct signal_watch, op);
    struct signalfd_siginfo info;
    s->calling = true;
    while (!s->freed && read(s->fd, &info, sizeof(info)) == sizeof(info))
        s->caught(s->ctx, (int)info.ssi_signo);
    s->calling = false;
    if (s->freed || r.res == -ECANCELED) {
        if (s->freed)
            gone(s);
        return;
    }
    struct io_driver *io = worker_io(s->worker);
    io->ops->poll(io, &s->op, s->fd, POLLIN);
}

enum err signal_watch_new(struct signal_watch **out, struct worker *w, const int *signals, size_t n,
                          void (*caught)(void *ctx, int signal), void *ctx, struct error *e)
{
    sigset_t set;
    *out = NULL;
    sigemptyset(&set);
    for (size_t i = 0; i < n; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct signal_watch *s = mem_zero(worker_alloc(w), sizeof(*s));
    if (!s)
        return error_set(e, ERR_NOMEM, "no memory to watch signals");
    s->op.done = readable;
    s->worker = w;
    s->caught = caught;
    s->ctx = ctx;
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd < 0) {
        mem_free(worker_alloc(w), s, sizeof(*s));
        return error_set_os(e, errno, "signals can't be watched");
    }
    struct io_driver *io = worker_io(w);
    io->ops->poll(io, &s->op, s->fd, POLLIN);
    *out = s;
    return ERR_OK;
}

void signal_watch_free(struct signal_watch *s)
{
    if (!s)
        return;
    s->freed = true;
    if (s->calling)
        return; /* readable() sees to it */
    struct io_driver *io = worker_io(s->worker);
    io->ops->cancel(io, &s->op);
}
