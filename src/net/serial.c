#include "net/serial.h"
#include "net/net_internal.h"
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

/* A terminal is no socket: the drivers' receive and send do not know it, their poll does. What a
 * stream starts as one long operation is poll, read, poll, read here, and it can't tell. */

enum { PIECE = 4096 };

static void readable(struct io_op *op, struct io_result r)
{
    struct stream *s = CONTAINER_OF(op, struct stream, rx);
    uint8_t piece[PIECE];
    ssize_t n = 0;
    if (r.res > 0 && !s->rx_stopping) {
        n = read(s->fd, piece, sizeof(piece));
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            serial_receive(s);
            return;
        }
        if (n > 0)
            stream_received(s, (struct io_result){.res = (int)n, .more = true, .data = piece});
        else
            r.res = n < 0 ? -errno : 0;
    }
    if (s->rx_stopping) /* to cancel an operation that is in its done() changes nothing */
        r.res = -ECANCELED;
    if (n > 0 && !s->rx_stopping)
        serial_receive(s);
    else
        stream_received(s, (struct io_result){.res = r.res});
}

void serial_receive(struct stream *s)
{
    struct io_driver *io = s->net->io;
    s->rx.done = readable;
    io->ops->poll(io, &s->rx, s->fd, POLLIN);
}

ssize_t serial_send_now(const struct stream *s, const struct iovec *iov, unsigned n)
{
    ssize_t r = writev(s->fd, iov, (int)n);
    if (r < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return r;
}

static void writable(struct io_op *op, struct io_result r)
{
    stream_has_room(CONTAINER_OF(op, struct stream_sender, tx.op)->stream, r.res);
}

void serial_await_room(struct stream *s)
{
    struct io_driver *io = s->net->io;
    s->sender->tx.op.done = writable;
    io->ops->poll(io, &s->sender->tx.op, s->fd, POLLOUT);
}

/* What is left to send would be waited for, up to half a minute, by the close. */
void serial_leave(const struct stream *s)
{
    (void)tcflush(s->fd, TCIOFLUSH);
}

enum err stream_serial(struct stream **out, struct worker *w, int fd, struct task *task)
{
    struct net_worker *net = net_of(w);
    bool simulated = executor_env(worker_executor(w))->driver != NULL;
    struct stream *s = net && !simulated ? stream_new(net, fd, NULL) : NULL;
    *out = s;
    if (!s) {
        (void)close(fd);
        return simulated ? ERR_UNSUPPORTED : ERR_NOMEM;
    }
    s->serial = true;
    stream_bind(s, task);
    return ERR_OK;
}
