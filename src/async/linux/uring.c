/* The driver on io_uring: multishot accept and receive from a ring of provided buffers, one
 * submission a tick. Operations that the kernel ended early (no F_MORE, no buffer) are armed
 * again here; their owners see one long operation. */
#include "async/iov_internal.h"
#include "async/linux/socket_internal.h"
#include "async/linux/uring_direct.h"
#include "async/linux/uring_internal.h"
#include "async/worker_internal.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SUBMISSIONS = 256,
    COMPLETIONS = 2048,
    ROUND_MAX = 4096, /* completions of one wait */
    SENDS_NOW = 4,
};

enum kind { KIND_NONE, KIND_ACCEPT, KIND_RECEIVE, KIND_SEND, KIND_CONNECT, KIND_POLL };
enum state {
    STATE_ACTIVE = 1,    /* the last done() is still to come */
    STATE_IN_KERNEL = 2, /* a completion is still to come */
    STATE_CANCELED = 4,
};

struct uring_driver {
    struct io_driver driver;
    struct alloc *alloc;
    struct io_uring ring;
    struct uring_buffers buffers;
    struct msghdr *messages; /* one for each submission entry; the kernel copies it at submit */
    struct list refused;     /* started while closing */
    size_t in_kernel;
    unsigned sends_now; /* in this tick */
    int wake;
    uint64_t wake_count;
    bool ring_made, enabled, closing;
    struct uring_direct direct;
};

/* What is not an io_op in user_data. */
static const uint64_t user_nobody = 0, user_wake = 1;
/* Beside a place of the table: the end of what is sent there. No op has this bit. */
static const uint64_t user_end = 2, user_end_shift = 2;

static struct uring_driver *self(struct io_driver *d)
{
    return CONTAINER_OF(d, struct uring_driver, driver);
}

/* The ring was made disabled; from here on it belongs to the thread that calls. */
static void enable(struct uring_driver *d)
{
    if (d->enabled)
        return;
    /* liburing 2.3 declares io_uring_enable_rings(), but its library does not export it. */
    long rc =
        syscall(__NR_io_uring_register, d->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    ASSERT(rc == 0);
    (void)io_uring_register_ring_fd(&d->ring); /* spares looking the descriptor up at each call */
    d->enabled = true;
}

static struct io_uring_sqe *entry(struct uring_driver *d)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
    while (!sqe) {
        enable(d);
        (void)io_uring_submit(&d->ring);
        sqe = io_uring_get_sqe(&d->ring);
    }
    return sqe;
}

static void set_owner(struct uring_driver *d, struct io_uring_sqe *sqe, struct io_op *op)
{
    sqe->user_data = (uintptr_t)op;
    uring_direct_aim(sqe, op->fd);
    op->state |= STATE_IN_KERNEL;
    d->in_kernel++;
}

/* --- arming --- */

static void arm_wake(struct uring_driver *d)
{
    struct io_uring_sqe *sqe = entry(d);
    io_uring_prep_read(sqe, d->wake, &d->wake_count, sizeof(d->wake_count), 0);
    sqe->user_data = user_wake;
    d->in_kernel++;
}

static void arm_accept(struct uring_driver *d, struct io_op *op)
{
    struct io_uring_sqe *sqe = entry(d);
    io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL, SOCK_CLOEXEC);
    set_owner(d, sqe, op);
}

static void arm_receive(struct uring_driver *d, struct io_op *op)
{
    struct io_uring_sqe *sqe = entry(d);
    uring_prep_receive(sqe, op->fd);
    set_owner(d, sqe, op);
}

/* What is left to send. False if nothing is. */
static bool arm_send(struct uring_driver *d, struct io_op *op)
{
    const struct io_send *s = CONTAINER_OF(op, struct io_send, op);
    size_t offset;
    unsigned first;
    if (!iov_after(s->iov, s->iov_count, s->sent, &first, &offset))
        return false;
    struct io_uring_sqe *sqe = entry(d);
    const struct iovec *v = &s->iov[first];
    if (offset > 0 || s->iov_count - first == 1) {
        io_uring_prep_send(sqe, op->fd, (const uint8_t *)v->iov_base + offset, v->iov_len - offset,
                           MSG_NOSIGNAL | MSG_WAITALL);
    } else {
        struct msghdr *m = &d->messages[sqe - d->ring.sq.sqes];
        *m = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)v,
                             .msg_iovlen = s->iov_count - first};
        io_uring_prep_sendmsg(sqe, op->fd, m, MSG_NOSIGNAL | MSG_WAITALL);
    }
    set_owner(d, sqe, op);
    return true;
}

/* --- operations --- */

/* False if no operation may begin any more; it is told from close(). */
static bool start(struct uring_driver *d, struct io_op *op, int fd, enum kind kind)
{
    ASSERT(op->state == 0 && op->done);
    op->fd = fd;
    op->kind = (uint8_t)kind;
    op->state = STATE_ACTIVE;
    list_init(&op->link);
    if (d->closing)
        list_add_tail(&d->refused, &op->link);
    return !d->closing;
}

static void uring_accept(struct io_driver *io, struct io_op *op, int fd)
{
    if (start(self(io), op, fd, KIND_ACCEPT))
        arm_accept(self(io), op);
}

static void uring_receive(struct io_driver *io, struct io_op *op, int fd)
{
    if (start(self(io), op, fd, KIND_RECEIVE))
        arm_receive(self(io), op);
}

static void uring_send(struct io_driver *io, struct io_send *send, int fd, const struct iovec *iov,
                       unsigned n)
{
    ASSERT(iov_bytes(iov, n) > 0);
    send->iov = iov;
    send->iov_count = n;
    send->sent = 0;
    if (start(self(io), &send->op, fd, KIND_SEND))
        (void)arm_send(self(io), &send->op);
}

/* The first few of a tick, by the system call; the others go together with one submission, which
 * makes up for the completions that end the wait behind it. */
static ssize_t uring_send_now(struct io_driver *io, int fd, const struct iovec *iov, unsigned n)
{
    struct uring_driver *d = self(io);
    return !uring_is_direct(fd) && d->sends_now++ < SENDS_NOW ? linux_send_now(io, fd, iov, n) : 0;
}

static void uring_connect(struct io_driver *io, struct io_op *op, int fd, const struct sockaddr *sa,
                          socklen_t len)
{
    struct uring_driver *d = self(io);
    if (!start(d, op, fd, KIND_CONNECT))
        return;
    struct io_uring_sqe *sqe = entry(d);
    io_uring_prep_connect(sqe, fd, sa, len);
    set_owner(d, sqe, op);
}

static void uring_poll(struct io_driver *io, struct io_op *op, int fd, uint32_t events)
{
    struct uring_driver *d = self(io);
    op->events = events;
    if (!start(d, op, fd, KIND_POLL))
        return;
    struct io_uring_sqe *sqe = entry(d);
    io_uring_prep_poll_add(sqe, fd, events);
    set_owner(d, sqe, op);
}

static void uring_cancel(struct io_driver *io, struct io_op *op)
{
    struct uring_driver *d = self(io);
    if (!(op->state & STATE_ACTIVE) || (op->state & STATE_CANCELED))
        return;
    op->state |= STATE_CANCELED;
    if (!(op->state & STATE_IN_KERNEL))
        return; /* it is in its done(), and ends behind it */
    struct io_uring_sqe *sqe = entry(d);
    io_uring_prep_cancel(sqe, op, 0);
    sqe->user_data = user_nobody;
}

static int uring_adopt(struct io_driver *io, int fd, struct io_op *reads, struct io_op *writes)
{
    struct uring_driver *d = self(io);
    if (d->closing)
        return fd;
    int handle = uring_direct_adopt(&d->direct, fd);
    if (reads)
        reads->fd = handle; /* for when it is armed again */
    if (writes)
        writes->fd = handle;
    return handle;
}

static void uring_close_fd(struct io_driver *io, int fd)
{
    struct uring_driver *d = self(io);
    if (!uring_is_direct(fd)) {
        (void)close(fd);
    } else if (uring_direct_may_close(&d->direct, fd)) {
        struct io_uring_sqe *sqe = entry(d);
        uring_direct_close(&d->direct, fd, sqe);
        sqe->user_data = user_nobody;
    }
}

/* --- sockets that may be places --- */

static int uring_peer(struct io_driver *io, int fd, struct sockaddr *sa, socklen_t *len)
{
    return uring_is_direct(fd) ? uring_direct_peer(&self(io)->direct, fd, sa, len)
                               : linux_peer(io, fd, sa, len);
}

static void uring_send_end(struct io_driver *io, int fd)
{
    struct uring_driver *d = self(io);
    if (!uring_is_direct(fd)) {
        linux_send_end(io, fd);
        return;
    }
    struct io_uring_sqe *sqe = entry(d);
    uring_direct_send_end(&d->direct, fd, sqe);
    sqe->user_data = (uint64_t)fd << user_end_shift | user_end;
    d->in_kernel++;
}

/* A place has gone with its ring. */
static void uring_drop(int fd)
{
    if (!uring_is_direct(fd))
        linux_drop(fd);
}

static const struct io_socket_ops uring_sockets = {
    .open = linux_open,
    .listen = linux_listen,
    .unlisten = linux_unlisten,
    .name = linux_name,
    .peer = uring_peer,
    .no_delay = linux_no_delay,
    .send_end = uring_send_end,
    .drop = uring_drop,
};

/* --- completions --- */

static void finish(struct io_op *op, int32_t result)
{
    op->state = 0;
    op->done(op, (struct io_result){.res = result});
}

/* A multishot operation that the kernel has ended goes on unless it was canceled. */
static void go_on(struct uring_driver *d, struct io_op *op)
{
    if (op->state & STATE_IN_KERNEL)
        return;
    if (op->state & STATE_CANCELED || d->closing)
        finish(op, -ECANCELED);
    else if (op->kind == KIND_ACCEPT)
        arm_accept(d, op);
    else
        arm_receive(d, op);
}

static void accepted(struct uring_driver *d, struct io_op *op, int32_t res)
{
    if (res >= 0)
        op->done(op, (struct io_result){.res = res, .more = true});
    else if (res != -ECONNABORTED && res != -EINTR && res != -EAGAIN &&
             !(op->state & STATE_IN_KERNEL)) {
        finish(op, res);
        return;
    }
    go_on(d, op);
}

static void received(struct uring_driver *d, struct io_op *op, int32_t res, uint32_t flags)
{
    bool lent = flags & IORING_CQE_F_BUFFER;
    if (res > 0) {
        ASSERT(lent);
        const uint8_t *data = uring_buffer(&d->buffers, flags, res);
        op->done(op, (struct io_result){.res = res, .more = true, .data = data});
    }
    if (lent)
        uring_buffer_return(&d->buffers, flags);
    if (res <= 0 && res != -ENOBUFS && res != -EINTR && res != -EAGAIN &&
        !(op->state & STATE_IN_KERNEL))
        finish(op, res);
    else
        go_on(d, op);
}

static void sent(struct uring_driver *d, struct io_op *op, int32_t res)
{
    struct io_send *s = CONTAINER_OF(op, struct io_send, op);
    if (res > 0)
        s->sent += (size_t)res;
    if (res < 0 && res != -EINTR && res != -EAGAIN)
        finish(op, res);
    else if (op->state & STATE_CANCELED && iov_bytes(s->iov, s->iov_count) > s->sent)
        finish(op, -ECANCELED);
    else if (!arm_send(d, op))
        finish(op, (int32_t)s->sent);
}

static void complete(struct uring_driver *d, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data == user_nobody)
        return;
    if (!(cqe->flags & IORING_CQE_F_MORE))
        d->in_kernel--;
    if (cqe->user_data == user_wake) {
        if (!d->closing)
            arm_wake(d);
        return;
    }
    if (cqe->user_data & user_end) {
        int fd = (int)(cqe->user_data >> user_end_shift);
        if (uring_direct_ended(&d->direct, fd))
            uring_close_fd(&d->driver, fd);
        return;
    }
    struct io_op *op = (struct io_op *)(uintptr_t)cqe->user_data;
    if (!(cqe->flags & IORING_CQE_F_MORE))
        op->state &= (uint8_t)~STATE_IN_KERNEL;
    worker_count(&d->driver.worker->completions);
    switch ((enum kind)op->kind) {
    case KIND_ACCEPT: accepted(d, op, cqe->res); break;
    case KIND_RECEIVE: received(d, op, cqe->res, cqe->flags); break;
    case KIND_SEND: sent(d, op, cqe->res); break;
    case KIND_CONNECT:
    case KIND_POLL: finish(op, cqe->res); break;
    case KIND_NONE: ASSERT(op->kind != KIND_NONE);
    }
}

static void run_completions(struct uring_driver *d)
{
    struct io_uring_cqe *cqe;
    for (int i = 0; i < ROUND_MAX && io_uring_peek_cqe(&d->ring, &cqe) == 0; i++) {
        struct io_uring_cqe copy = *cqe;
        io_uring_cqe_seen(&d->ring, cqe); /* first, because done() may submit and wait for room */
        complete(d, &copy);
    }
}

/* Nothing to submit, nothing to fetch: no system call. */
static bool nothing_to_do(const struct uring_driver *d)
{
    unsigned flags = __atomic_load_n(d->ring.sq.kflags, __ATOMIC_RELAXED);
    return io_uring_sq_ready(&d->ring) == 0 && io_uring_cq_ready(&d->ring) == 0 &&
           !(flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

/* Results do not matter, but for the interruption: what failed to be submitted stays queued for
 * the next tick. */
static int submit_and_wait(struct uring_driver *d, int64_t timeout_ns)
{
    struct io_uring_cqe *cqe;
    if (timeout_ns < 0)
        return io_uring_submit_and_wait(&d->ring, 1);
    struct __kernel_timespec ts = {.tv_sec = timeout_ns / 1000000000,
                                   .tv_nsec = timeout_ns % 1000000000};
    return io_uring_submit_and_wait_timeout(&d->ring, &cqe, 1, &ts, NULL);
}

static void uring_wait(struct io_driver *io, int64_t timeout_ns)
{
    struct uring_driver *d = self(io);
    enable(d);
    d->sends_now = 0;
    if (timeout_ns == 0 || io_uring_cq_ready(&d->ring)) {
        if (!nothing_to_do(d))
            (void)io_uring_submit_and_get_events(&d->ring);
    } else {
        worker_sleeps(io->worker);
        while (timeout_ns != 0 && submit_and_wait(d, timeout_ns) == -EINTR &&
               !io_uring_cq_ready(&d->ring))
            timeout_ns = worker_idle_ns(io->worker);
    }
    worker_awake(io->worker);
    run_completions(d);
}

static void uring_wake(struct io_driver *io)
{
    int os_errno = errno; /* this may run in a signal handler */
    uint64_t one = 1;
    ssize_t n = write(self(io)->wake, &one, sizeof(one));
    (void)n; /* full means that a wake is already under way */
    errno = os_errno;
}

/* --- life --- */

/* Everything is canceled, and the kernel has let go of every buffer, before memory is freed. */
static void end_operations(struct uring_driver *d)
{
    struct list *it;
    d->closing = true;
    enable(d);
    do {
        while ((it = list_pop_head(&d->refused)))
            finish(CONTAINER_OF(it, struct io_op, link), -ECANCELED);
        struct io_uring_sqe *sqe = entry(d);
        io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
        sqe->user_data = user_nobody;
        (void)io_uring_submit_and_wait(&d->ring, 1);
        run_completions(d);
    } while (d->in_kernel > 0 || !list_empty(&d->refused));
}

static void uring_close(struct io_driver *io)
{
    struct uring_driver *d = self(io);
    if (d->ring_made) {
        end_operations(d);
        uring_buffers_fini(&d->buffers, &d->ring);
        io_uring_queue_exit(&d->ring);
        uring_direct_fini(&d->direct);
    }
    if (d->wake >= 0)
        (void)close(d->wake);
    mem_free(d->alloc, d->messages, SUBMISSIONS * sizeof(*d->messages));
    mem_free(d->alloc, d, sizeof(*d));
}

static enum err make_ring(struct uring_driver *d, unsigned flags, struct error *e)
{
    struct io_uring_params p = {
        .flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP,
        .cq_entries = COMPLETIONS,
    };
    int rc = io_uring_queue_init_params(SUBMISSIONS, &d->ring, &p);
    if (rc < 0)
        return error_set_os(e, -rc, "the ring can't be made");
    d->ring_made = true;
    uring_direct_init(&d->direct, &d->ring);
    return uring_buffers_init(&d->buffers, &d->ring, URING_BUFFERS, e);
}

static enum err uring_open(struct io_driver **out, struct worker *w, struct alloc *a,
                           struct error *e)
{
    unsigned flags;
    enum err r = uring_probe(&flags, e);
    if (r)
        return r;
    struct uring_driver *d = mem_zero(a, sizeof(*d));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for io_uring");
    d->driver.ops = &io_uring_driver;
    d->driver.worker = w;
    d->alloc = a;
    list_init(&d->refused);
    d->wake = eventfd(0, EFD_CLOEXEC);
    d->messages = mem_array(a, SUBMISSIONS, sizeof(*d->messages));
    if (!d->messages)
        r = error_set(e, ERR_NOMEM, "no memory for io_uring");
    else if (d->wake < 0)
        r = error_set_os(e, errno, "no event descriptor");
    else
        r = make_ring(d, flags, e);
    if (r) {
        uring_close(&d->driver);
        return r;
    }
    arm_wake(d);
    *out = &d->driver;
    return ERR_OK;
}

const struct io_driver_ops io_uring_driver = {
    .name = "io_uring",
    .socket = &uring_sockets,
    .open = uring_open,
    .close = uring_close,
    .accept = uring_accept,
    .receive = uring_receive,
    .send = uring_send,
    .send_now = uring_send_now,
    .is_quiet = linux_is_quiet,
    .connect = uring_connect,
    .poll = uring_poll,
    .cancel = uring_cancel,
    .adopt = uring_adopt,
    .close_fd = uring_close_fd,
    .wait = uring_wait,
    .wake = uring_wake,
};
