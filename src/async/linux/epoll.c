/* The driver on epoll: edge-triggered, one registration for a descriptor's whole life. Who was
 * seen to be ready is remembered, so starting an operation costs no system call. */
#include "async/iov_internal.h"
#include "async/worker_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    RECEIVE_SIZE = 128 * 1024, /* lent to one done() after the other */
    RECEIVE_GOES = 4,          /* a connection's share of a tick */
    ACCEPT_GOES = 64,
};

enum kind { KIND_NONE, KIND_ACCEPT, KIND_RECEIVE, KIND_SEND, KIND_CONNECT, KIND_POLL };
/* An op waits in its descriptor's slot; ready: it is also in `ready`; completed: it has left the
 * slot, is in `completed`, and `events` holds its result. */
enum state { STATE_NONE, STATE_WAITING, STATE_READY, STATE_COMPLETED };

struct slot {
    struct io_op *reader, *writer;
    uint32_t life; /* counts closes, so that an old descriptor's event does not reach a new one */
    bool registered, read_ready;
    bool ended; /* hang-up, error or the peer's end was seen: a short read is not the last one */
};

struct epoll_driver {
    struct io_driver driver;
    struct alloc *alloc;
    int epoll, wake;
    struct slot *slots; /* by descriptor */
    size_t slots_cap;
    struct list ready, completed;
    bool closing;
    uint8_t *buffer;
    struct epoll_event events[EVENTS_MAX];
};

static struct epoll_driver *self(struct io_driver *d)
{
    return CONTAINER_OF(d, struct epoll_driver, driver);
}

static struct slot *slot_of(struct epoll_driver *d, int fd)
{
    return fd >= 0 && (size_t)fd < d->slots_cap ? &d->slots[fd] : NULL;
}

static struct io_op **place_of(struct slot *s, const struct io_op *op)
{
    bool reads = op->kind == KIND_ACCEPT || op->kind == KIND_RECEIVE ||
                 (op->kind == KIND_POLL && (op->events & POLLIN));
    return reads ? &s->reader : &s->writer;
}

/* --- registration --- */

static bool grow(struct epoll_driver *d, int fd)
{
    /* By a quarter: twice as many would be half of what an idle connection costs here. */
    size_t cap = d->slots_cap + d->slots_cap / 4 + 64;
    if (cap <= (size_t)fd)
        cap = (size_t)fd + 1;
    struct slot *to = mem_resize(d->alloc, d->slots, d->slots_cap * sizeof(*to), cap * sizeof(*to));
    if (!to)
        return false;
    for (size_t i = d->slots_cap; i < cap; i++)
        to[i] = (struct slot){0};
    d->slots = to;
    d->slots_cap = cap;
    return true;
}

static struct slot *registered_slot(struct epoll_driver *d, int fd, int *error)
{
    *error = -ENOMEM;
    if ((size_t)fd >= d->slots_cap && !grow(d, fd))
        return NULL;
    struct slot *s = &d->slots[fd];
    if (!s->registered) {
        struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.u64 = (uint64_t)s->life << 32 | (uint32_t)fd};
        if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
            *error = -errno;
            return NULL;
        }
        s->registered = true;
    }
    return s;
}

/* --- the life of an op --- */

static void start(struct io_op *op, int fd, enum kind kind)
{
    ASSERT(op->state == STATE_NONE && op->done);
    op->fd = fd;
    op->kind = (uint8_t)kind;
    list_init(&op->link);
}

/* The result goes out from the next wait(). */
static void complete_later(struct epoll_driver *d, struct io_op *op, int result)
{
    op->events = (uint32_t)result;
    op->state = STATE_COMPLETED;
    list_add_tail(&d->completed, &op->link);
}

/* Leaves the slot, and tells. The op may be gone behind this. */
static void complete_now(struct epoll_driver *d, struct io_op *op, int result)
{
    struct slot *s = slot_of(d, op->fd);
    struct io_op **place = s ? place_of(s, op) : NULL;
    if (place && *place == op)
        *place = NULL;
    list_del(&op->link);
    op->state = STATE_NONE;
    worker_count(&d->driver.worker->completions);
    op->done(op, (struct io_result){.res = result});
}

static void set_ready(struct epoll_driver *d, struct io_op *op)
{
    if (op->state == STATE_WAITING) {
        op->state = STATE_READY;
        list_add_tail(&d->ready, &op->link);
    }
}

/* The op waits for its descriptor from now on. */
static void wait_for(struct epoll_driver *d, struct io_op *op)
{
    int error;
    struct slot *s = d->closing ? NULL : registered_slot(d, op->fd, &error);
    if (!s) {
        complete_later(d, op, d->closing ? -ECANCELED : error);
        return;
    }
    struct io_op **place = place_of(s, op);
    ASSERT(*place == NULL);
    *place = op;
    op->state = STATE_WAITING;
}

/* --- operations --- */

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK))
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void epoll_accept(struct io_driver *io, struct io_op *op, int fd)
{
    struct epoll_driver *d = self(io);
    start(op, fd, KIND_ACCEPT);
    set_nonblocking(fd);
    wait_for(d, op);
    if (op->state == STATE_WAITING && d->slots[fd].read_ready)
        set_ready(d, op);
}

static void epoll_receive(struct io_driver *io, struct io_op *op, int fd)
{
    struct epoll_driver *d = self(io);
    start(op, fd, KIND_RECEIVE);
    wait_for(d, op);
    if (op->state == STATE_WAITING && d->slots[fd].read_ready)
        set_ready(d, op);
}

/* All that the socket takes now. True when the op has its result. */
static bool send_more(struct io_op *op, int *result)
{
    struct io_send *s = CONTAINER_OF(op, struct io_send, op);
    unsigned first;
    size_t offset;
    while (iov_after(s->iov, s->iov_count, s->sent, &first, &offset)) {
        struct iovec rest = {(uint8_t *)s->iov[first].iov_base + offset,
                             s->iov[first].iov_len - offset};
        /* iov is only read: sendmsg() takes it without const. */
        struct msghdr m = {.msg_iov = offset ? &rest : (struct iovec *)(uintptr_t)&s->iov[first],
                           .msg_iovlen = offset ? 1 : s->iov_count - first};
        ssize_t n = sendmsg(op->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            s->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return false;
        } else if (errno != EINTR) {
            *result = -errno;
            return true;
        }
    }
    *result = (int)s->sent;
    return true;
}

static void epoll_send(struct io_driver *io, struct io_send *send, int fd, const struct iovec *iov,
                       unsigned n)
{
    struct epoll_driver *d = self(io);
    struct io_op *op = &send->op;
    int result;
    start(op, fd, KIND_SEND);
    send->iov = iov;
    send->iov_count = n;
    send->sent = 0;
    if (send_more(op, &result)) {
        complete_later(d, op, result);
        return;
    }
    wait_for(d, op);
}

static void epoll_connect(struct io_driver *io, struct io_op *op, int fd, const struct sockaddr *sa,
                          socklen_t len)
{
    struct epoll_driver *d = self(io);
    int r;
    start(op, fd, KIND_CONNECT);
    set_nonblocking(fd);
    do
        r = connect(fd, sa, len);
    while (r != 0 && errno == EINTR);
    if (r != 0 && errno == EINPROGRESS)
        wait_for(d, op);
    else
        complete_later(d, op, r == 0 ? 0 : -errno);
}

static int polled(const struct io_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = (short)op->events};
    return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

static void epoll_poll(struct io_driver *io, struct io_op *op, int fd, uint32_t events)
{
    struct epoll_driver *d = self(io);
    start(op, fd, KIND_POLL);
    op->events = events;
    wait_for(d, op);
    if (op->state == STATE_WAITING && polled(op)) /* after the registration: no edge is missed */
        set_ready(d, op);
}

static void epoll_cancel(struct io_driver *io, struct io_op *op)
{
    struct epoll_driver *d = self(io);
    if (op->state != STATE_WAITING && op->state != STATE_READY)
        return;
    *place_of(&d->slots[op->fd], op) = NULL;
    list_del(&op->link);
    complete_later(d, op, -ECANCELED);
}

static void forget(struct epoll_driver *d, int fd)
{
    struct slot *s = slot_of(d, fd);
    if (s) {
        ASSERT(!s->reader && !s->writer);
        *s = (struct slot){.life = s->life + 1};
    }
}

static void epoll_close_fd(struct io_driver *io, int fd)
{
    forget(self(io), fd);
    (void)close(fd);
}

/* The one who takes it registers it anew, and is told at once what there is to read. */
static void epoll_release(struct io_driver *io, int fd)
{
    const struct slot *s = slot_of(self(io), fd);
    if (s && s->registered)
        (void)epoll_ctl(self(io)->epoll, EPOLL_CTL_DEL, fd, NULL);
    forget(self(io), fd);
}

/* --- running them when their descriptor is ready --- */

static void accept_some(struct epoll_driver *d, struct io_op *op)
{
    for (int goes = 0; goes < ACCEPT_GOES; goes++) {
        int fd = accept4(op->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN) {
            d->slots[op->fd].read_ready = false;
            return;
        }
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0) {
            complete_now(d, op, -errno);
            return;
        }
        worker_count(&d->driver.worker->completions);
        op->done(op, (struct io_result){.res = fd, .more = true});
        if (op->state != STATE_WAITING)
            return; /* canceled by done() */
    }
    set_ready(d, op);
}

static void receive_some(struct epoll_driver *d, struct io_op *op)
{
    for (int goes = 0; goes < RECEIVE_GOES; goes++) {
        ssize_t n = recv(op->fd, d->buffer, RECEIVE_SIZE, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            d->slots[op->fd].read_ready = false;
            return;
        }
        if (n <= 0) {
            complete_now(d, op, n == 0 ? 0 : -errno);
            return;
        }
        bool last = n < RECEIVE_SIZE && !d->slots[op->fd].ended;
        if (last)
            d->slots[op->fd].read_ready = false;
        worker_count(&d->driver.worker->completions);
        op->done(op, (struct io_result){.res = (int32_t)n, .more = true, .data = d->buffer});
        if (last || op->state != STATE_WAITING)
            return;
    }
    set_ready(d, op);
}

static void connect_end(struct epoll_driver *d, struct io_op *op)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    complete_now(d, op, -error);
}

static void run_op(struct epoll_driver *d, struct io_op *op)
{
    int result;
    list_del(&op->link);
    op->state = STATE_WAITING;
    switch ((enum kind)op->kind) {
    case KIND_ACCEPT: accept_some(d, op); break;
    case KIND_RECEIVE: receive_some(d, op); break;
    case KIND_SEND:
        if (send_more(op, &result))
            complete_now(d, op, result);
        break;
    case KIND_CONNECT: connect_end(d, op); break;
    case KIND_POLL:
        result = polled(op);
        if (result)
            complete_now(d, op, result);
        break;
    case KIND_NONE: ASSERT(op->kind != KIND_NONE);
    }
}

static void run_event(struct epoll_driver *d, const struct epoll_event *ev)
{
    int fd = (int)(uint32_t)ev->data.u64;
    struct slot *s = slot_of(d, fd);
    if (!s || !s->registered || s->life != ev->data.u64 >> 32)
        return; /* the wake, or closed by an earlier event of this round */
    if (ev->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->ended = true;
    if (ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        s->read_ready = true;
        if (s->reader && s->reader->state == STATE_WAITING)
            run_op(d, s->reader);
    }
    s = slot_of(d, fd); /* the table may have moved */
    if (ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR) && s->life == ev->data.u64 >> 32 &&
        s->writer && s->writer->state == STATE_WAITING)
        run_op(d, s->writer);
}

static bool run_completed(struct epoll_driver *d)
{
    struct list *it;
    bool any = false;
    while ((it = list_pop_head(&d->completed))) {
        struct io_op *op = CONTAINER_OF(it, struct io_op, link);
        complete_now(d, op, (int32_t)op->events);
        any = true;
    }
    return any;
}

/* Those that have used up their share come again in the next round. */
static void run_ready(struct epoll_driver *d)
{
    struct list marker, *it;
    if (list_empty(&d->ready))
        return;
    list_init(&marker);
    list_add_tail(&d->ready, &marker);
    while ((it = list_pop_head(&d->ready)) != &marker)
        run_op(d, CONTAINER_OF(it, struct io_op, link));
}

/* Rounded up: a timer must not find the worker awake too early, and turn it round and round. */
static int whole_ms(int64_t timeout_ns)
{
    if (timeout_ns < 0)
        return -1;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > 1000000000 ? 1000000000 : (int)ms;
}

static void epoll_wait_once(struct io_driver *io, int64_t timeout_ns)
{
    struct epoll_driver *d = self(io);
    if (run_completed(d) && timeout_ns != 0)
        timeout_ns = worker_idle_ns(io->worker);
    if (!list_empty(&d->ready) || !list_empty(&d->completed))
        timeout_ns = 0;
    int n;
    if (timeout_ns != 0)
        worker_sleeps(io->worker);
    /* A signal or a freezer's interruption is no event; its handler may have written a wake. */
    while ((n = epoll_wait(d->epoll, d->events, EVENTS_MAX, whole_ms(timeout_ns))) < 0 &&
           errno == EINTR)
        timeout_ns = timeout_ns == 0 ? 0 : worker_idle_ns(io->worker);
    worker_awake(io->worker);
    for (int i = 0; i < n; i++)
        run_event(d, &d->events[i]);
    run_ready(d);
    (void)run_completed(d);
}

static void epoll_wake(struct io_driver *io)
{
    int os_errno = errno; /* this may run in a signal handler */
    uint64_t one = 1;
    /* Never read: with edges each write counts, and the counter has room for centuries. */
    ssize_t n = write(self(io)->wake, &one, sizeof(one));
    (void)n;
    errno = os_errno;
}

/* --- life --- */

static void epoll_close(struct io_driver *io)
{
    struct epoll_driver *d = self(io);
    d->closing = true;
    do {
        for (size_t fd = 0; fd < d->slots_cap; fd++) {
            if (d->slots[fd].reader)
                epoll_cancel(io, d->slots[fd].reader);
            if (d->slots[fd].writer)
                epoll_cancel(io, d->slots[fd].writer);
        }
    } while (run_completed(d));
    if (d->epoll >= 0)
        (void)close(d->epoll);
    if (d->wake >= 0)
        (void)close(d->wake);
    mem_free(d->alloc, d->buffer, RECEIVE_SIZE);
    mem_free(d->alloc, d->slots, d->slots_cap * sizeof(*d->slots));
    mem_free(d->alloc, d, sizeof(*d));
}

static enum err epoll_open(struct io_driver **out, struct worker *w, struct alloc *a,
                           struct error *e)
{
    struct epoll_driver *d = mem_zero(a, sizeof(*d));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for epoll");
    d->driver.ops = &io_epoll_driver;
    d->driver.worker = w;
    d->alloc = a;
    list_init(&d->ready);
    list_init(&d->completed);
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->buffer = mem_new(a, RECEIVE_SIZE);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = UINT32_MAX};
    enum err r = ERR_OK;
    if (!d->buffer)
        r = error_set(e, ERR_NOMEM, "no memory for epoll");
    else if (d->epoll < 0 || d->wake < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->wake, &ev) != 0)
        r = error_set_os(e, errno, "epoll does not work");
    if (r)
        epoll_close(&d->driver);
    else
        *out = &d->driver;
    return r;
}

const struct io_driver_ops io_epoll_driver = {
    .name = "epoll",
    .socket = &linux_sockets,
    .open = epoll_open,
    .close = epoll_close,
    .accept = epoll_accept,
    .receive = epoll_receive,
    .send = epoll_send,
    .send_now = linux_send_now,
    .is_quiet = linux_is_quiet,
    .connect = epoll_connect,
    .poll = epoll_poll,
    .cancel = epoll_cancel,
    .close_fd = epoll_close_fd,
    .release = epoll_release,
    .wait = epoll_wait_once,
    .wake = epoll_wake,
};
