/* The driver of a simulated machine: completions come out of wait(), which does not sleep but lets
 * the world go on until something has come or the time is over. */
#include "async/sim/sim_internal.h"
#include "async/worker_internal.h"
#include <errno.h>
#include <poll.h>

enum kind { KIND_NONE, KIND_ACCEPT, KIND_RECEIVE, KIND_SEND, KIND_CONNECT, KIND_POLL };
/* An op waits in its socket; completed: it has left it, is in `completed`, and `events` holds its
 * result. */
enum state { STATE_NONE, STATE_WAITING, STATE_COMPLETED };

struct net_driver {
    struct io_driver driver;
    struct alloc *alloc;
    struct env_sim *machine;
    struct list ready;     /* sockets whose operation may go on */
    struct list completed; /* ops */
    bool woken, closing;
};

static struct net_driver *self(struct io_driver *d)
{
    return CONTAINER_OF(d, struct net_driver, driver);
}

struct env_sim *driver_machine(struct io_driver *d)
{
    return self(d)->machine;
}

/* --- what the network tells --- */

static void set_ready(struct net_socket *s)
{
    struct net_driver *d = s->machine->driver;
    if (!d || !list_empty(&s->ready))
        return;
    list_add_tail(&d->ready, &s->ready);
    machine_wake(s->machine);
}

void driver_readable(struct net_socket *s)
{
    if (s->reader)
        set_ready(s);
}

void driver_writable(struct net_socket *s)
{
    if (s->writer && s->writer->kind == KIND_SEND)
        net_send(s);
    else if (s->writer && s->writer->kind == KIND_POLL)
        set_ready(s);
}

void driver_complete(struct env_sim *m, struct io_op *op, int result)
{
    op->state = STATE_COMPLETED;
    op->events = (uint32_t)result;
    list_add_tail(&m->driver->completed, &op->link);
    machine_wake(m);
}

void driver_forget(struct net_socket *s)
{
    list_del(&s->ready);
}

/* --- operations --- */

static bool reads(const struct io_op *op)
{
    return op->kind == KIND_ACCEPT || op->kind == KIND_RECEIVE ||
           (op->kind == KIND_POLL && (op->events & POLLIN));
}

/* The socket that the op waits in from now on; NULL: it has its result already. */
static struct net_socket *start(struct io_driver *io, struct io_op *op, int fd, enum kind kind)
{
    struct net_driver *d = self(io);
    struct net_socket *s = net_socket_of(d->machine, fd);
    ASSERT(op->state == STATE_NONE && op->done);
    op->fd = fd;
    op->kind = (uint8_t)kind;
    list_init(&op->link);
    if (!s || d->closing) {
        driver_complete(d->machine, op, s ? -ECANCELED : -EBADF);
        return NULL;
    }
    struct io_op **place = reads(op) ? &s->reader : &s->writer;
    ASSERT(*place == NULL);
    *place = op;
    op->state = STATE_WAITING;
    return s;
}

static void sim_accept(struct io_driver *io, struct io_op *op, int fd)
{
    struct net_socket *s = start(io, op, fd, KIND_ACCEPT);
    if (s && net_readable(s))
        set_ready(s);
}

static bool sim_is_quiet(struct io_driver *io, int fd)
{
    struct net_socket *s = net_socket_of(self(io)->machine, fd);
    return s && !net_readable(s);
}

static void sim_receive(struct io_driver *io, struct io_op *op, int fd)
{
    struct net_socket *s = start(io, op, fd, KIND_RECEIVE);
    if (s && net_readable(s))
        set_ready(s);
}

static void sim_send(struct io_driver *io, struct io_send *send, int fd, const struct iovec *iov,
                     unsigned n)
{
    send->iov = iov;
    send->iov_count = n;
    send->sent = 0;
    struct net_socket *s = start(io, &send->op, fd, KIND_SEND);
    if (s)
        net_send(s);
}

static void sim_connect(struct io_driver *io, struct io_op *op, int fd, const struct sockaddr *sa,
                        socklen_t len)
{
    struct net_socket *s = start(io, op, fd, KIND_CONNECT);
    if (s)
        net_connect(s, sa, len);
}

static uint32_t polled(const struct net_socket *s, const struct io_op *op)
{
    uint32_t now =
        (net_readable(s) ? (uint32_t)POLLIN : 0) | (net_writable(s) ? (uint32_t)POLLOUT : 0);
    return (now & op->events) | (s->error ? (uint32_t)POLLERR : 0);
}

static void sim_poll(struct io_driver *io, struct io_op *op, int fd, uint32_t events)
{
    op->events = events;
    struct net_socket *s = start(io, op, fd, KIND_POLL);
    if (s && polled(s, op))
        set_ready(s);
}

/* Out of its socket, if it still waits there. */
static bool take_out(struct net_socket *s, const struct io_op *op)
{
    struct io_op **place = s && s->reader == op   ? &s->reader
                           : s && s->writer == op ? &s->writer
                                                  : NULL;
    if (place)
        *place = NULL;
    return place;
}

static void sim_cancel_op(struct io_driver *io, struct io_op *op)
{
    struct net_driver *d = self(io);
    if (op->state == STATE_WAITING && take_out(net_socket_of(d->machine, op->fd), op))
        driver_complete(d->machine, op, -ECANCELED);
}

static void sim_close_fd(struct io_driver *io, int fd)
{
    struct net_socket *s = net_socket_of(driver_machine(io), fd);
    if (s)
        net_close(s);
}

/* --- completions --- */

/* The last one. The op, and its socket, may be gone behind this. */
static void finish(struct net_driver *d, struct net_socket *s, struct io_op *op, int result)
{
    (void)take_out(s, op);
    op->state = STATE_NONE;
    worker_count(&d->driver.worker->completions);
    op->done(op, (struct io_result){.res = result});
}

static void accept_all(struct net_driver *d, struct net_socket *s, struct io_op *op)
{
    struct net_socket *taken;
    while (s->reader == op && (taken = net_accept(s))) {
        worker_count(&d->driver.worker->completions);
        op->done(op, (struct io_result){.res = taken->fd, .more = true});
    }
}

static void receive_all(struct net_driver *d, struct net_socket *s, struct io_op *op)
{
    const uint8_t *p;
    size_t n;
    while (s->reader == op && (n = pipe_look(s, &p)) > 0) {
        worker_count(&d->driver.worker->completions);
        op->done(op, (struct io_result){.res = (int32_t)n, .more = true, .data = p});
        pipe_consume(s, n);
    }
    if (s->reader == op && (s->error || s->in.ended))
        finish(d, s, op, -s->error);
}

static void go_on(struct net_driver *d, struct net_socket *s)
{
    struct io_op *w = s->writer;
    uint32_t events = w && w->kind == KIND_POLL ? polled(s, w) : 0;
    struct io_op *op = s->reader;
    if (events && take_out(s, w))
        driver_complete(d->machine, w, (int)events);
    if (!op)
        return;
    switch ((enum kind)op->kind) {
    case KIND_ACCEPT: accept_all(d, s, op); break;
    case KIND_RECEIVE: receive_all(d, s, op); break;
    case KIND_POLL:
        if ((events = polled(s, op)))
            finish(d, s, op, (int)events);
        break;
    default: ASSERT(!"no such reader");
    }
}

/* Those that became ready meanwhile come in the next round. */
static void run_ready(struct net_driver *d)
{
    struct list marker, *it;
    if (list_empty(&d->ready))
        return;
    list_init(&marker);
    list_add_tail(&d->ready, &marker);
    while ((it = list_pop_head(&d->ready)) != &marker)
        go_on(d, CONTAINER_OF(it, struct net_socket, ready));
}

static void run_completed(struct net_driver *d)
{
    struct list *it;
    while ((it = list_pop_head(&d->completed))) {
        struct io_op *op = CONTAINER_OF(it, struct io_op, link);
        finish(d, NULL, op, (int32_t)op->events);
    }
}

/* The world goes on until something is there for this worker, or the time is over. */
static void let_pass(struct net_driver *d, int64_t timeout_ns)
{
    struct sim *s = d->machine->sim;
    bool for_ever = timeout_ns < 0 || timeout_ns > INT64_MAX - s->now_ns;
    int64_t until_ns = for_ever ? INT64_MAX : s->now_ns + timeout_ns;
    while (!d->woken && list_empty(&d->ready) && list_empty(&d->completed)) {
        if (!s->queue.root || s->queue.root->at_ns > until_ns) {
            bool stands_still = for_ever; /* and nothing will ever wake this worker */
            ASSERT(!stands_still);
            s->now_ns = until_ns;
            return;
        }
        (void)sim_step(s);
    }
}

/* The world goes on beside a worker that is busy. */
static void let_tick_pass(struct sim *s)
{
    int64_t until_ns = s->now_ns + TICK_NS;
    while (s->queue.root && s->queue.root->at_ns <= until_ns)
        (void)sim_step(s);
    s->now_ns = until_ns;
}

static void sim_wait(struct io_driver *io, int64_t timeout_ns)
{
    struct net_driver *d = self(io);
    bool in_event = d->machine->booted || executor_stopping(worker_executor(io->worker));
    if (timeout_ns != 0)
        let_pass(d, timeout_ns);
    else if (!in_event) /* whose time is the event's */
        let_tick_pass(d->machine->sim);
    d->woken = false;
    worker_awake(io->worker);
    run_ready(d);
    run_completed(d);
}

static void sim_wake(struct io_driver *io)
{
    struct net_driver *d = self(io);
    d->woken = true;
    machine_wake(d->machine);
}

/* --- life --- */

static void end_operations(struct net_driver *d)
{
    struct env_sim *m = d->machine;
    d->closing = true;
    for (size_t i = 0; i < m->sockets.n; i++) {
        struct net_socket *s = m->sockets.v[i];
        struct io_op *ops[2] = {s ? s->reader : NULL, s ? s->writer : NULL};
        for (int k = 0; k < 2; k++)
            if (ops[k] && take_out(s, ops[k]))
                driver_complete(m, ops[k], -ECANCELED);
    }
    run_completed(d);
}

static void sim_close(struct io_driver *io)
{
    struct net_driver *d = self(io);
    struct env_sim *m = d->machine;
    end_operations(d);
    for (size_t i = 0; i < m->sockets.n; i++)
        if (m->sockets.v[i])
            net_close(m->sockets.v[i]);
    m->driver = NULL;
    mem_free(d->alloc, d, sizeof(*d));
}

static enum err sim_driver_open(struct io_driver **out, struct worker *w, struct alloc *a,
                                struct error *e)
{
    struct env_sim *m = machine_of(executor_env(worker_executor(w)));
    ASSERT(!m->driver && m->on); /* one executor at a time */
    struct net_driver *d = mem_zero(a, sizeof(*d));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the simulated driver");
    d->driver.ops = &io_sim_driver;
    d->driver.worker = w;
    d->alloc = a;
    d->machine = m;
    list_init(&d->ready);
    list_init(&d->completed);
    m->driver = d;
    *out = &d->driver;
    return ERR_OK;
}

const struct io_driver_ops io_sim_driver = {
    .name = "sim",
    .socket = &sim_sockets,
    .open = sim_driver_open,
    .close = sim_close,
    .accept = sim_accept,
    .receive = sim_receive,
    .send = sim_send,
    .connect = sim_connect,
    .poll = sim_poll,
    .cancel = sim_cancel_op,
    .close_fd = sim_close_fd,
    .wait = sim_wait,
    .is_quiet = sim_is_quiet,
    .wake = sim_wake,
};
