#include "load/load_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 512, READS = 4 /* of one connection in a turn, so that all get their turn */ };

/* 127.1.0.1 and upwards: one address has only some 28,000 ports to come from. */
static enum err bind_source(struct load_run *r, struct load_conn *c)
{
    if (r->cfg->sources == 0 || r->cfg->broker.sa.sa_family != AF_INET)
        return ERR_OK;
    int on = 1;
    (void)setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    uint32_t host = 0x7f010001u + (uint32_t)(c->index % r->cfg->sources);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
        return load_fail_os(r, errno, "a source address cannot be used");
    return ERR_OK;
}

static void arm(struct load_run *r, struct load_conn *c, bool out)
{
    if (c->wants_out == out)
        return;
    c->wants_out = out;
    struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
        (void)load_fail_os(r, errno, "epoll_ctl");
}

static void begin_session(struct load_run *r, struct load_conn *c)
{
    c->state = LOAD_CONNACK;
    arm(r, c, false);
    load_send_connect(r, c);
}

static void handshake(struct load_run *r, struct load_conn *c)
{
    enum err err = load_tls_handshake(r, c);
    if (err == ERR_OK)
        begin_session(r, c);
    else if (err == ERR_AGAIN)
        arm(r, c, c->tls_wants_out);
}

static void connected(struct load_run *r, struct load_conn *c)
{
    int failed = 0;
    socklen_t n = sizeof(failed);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0)
        failed = errno;
    if (failed) {
        (void)load_fail_os(r, failed, "the broker cannot be reached");
    } else if (!r->tls) {
        begin_session(r, c);
    } else if (load_tls_begin(r, c) == ERR_OK) {
        c->state = LOAD_HANDSHAKE;
        handshake(r, c);
    }
}

enum err load_conn_open(struct load_run *r, struct load_conn *c)
{
    const struct addr *to = &r->cfg->broker;
    c->fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return load_fail_os(r, errno, "socket");
    enum err err = bind_source(r, c);
    if (err)
        return err;
    int on = 1;
    if (to->sa.sa_family != AF_UNIX)
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(c->fd, &to->sa, to->len) != 0 && errno != EINPROGRESS)
        return load_fail_os(r, errno, "the broker cannot be reached");
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->state = LOAD_CONNECTING;
    c->wants_out = true;
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
        return load_fail_os(r, errno, "epoll_ctl");
    return ERR_OK;
}

void load_conn_close(struct load_run *r, struct load_conn *c)
{
    load_tls_end(c);
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    c->state = LOAD_ENDED;
    mem_free(r->alloc, c->rest, c->rest_cap);
    mem_free(r->alloc, c->out, c->out_cap);
    c->rest = c->out = NULL;
    c->rest_cap = c->out_cap = c->rest_n = c->out_n = 0;
}

static void lost(struct load_run *r, struct load_conn *c, int os_errno)
{
    if (r->ending) {
        load_conn_close(r, c);
        return;
    }
    const char *who = c->pub ? "a publisher's" : c->sub ? "a subscriber's" : "a waiting";
    if (os_errno)
        (void)load_fail(r, ERR_IO, "%s connection failed: %s", who, strerror(os_errno));
    else
        (void)load_fail(r, ERR_CLOSED, "the broker closed %s connection", who);
}

/* Bytes written, 0 when it has to wait, or -1 after a failure. */
static ssize_t write_some(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n)
{
    ssize_t done = c->ssl ? load_tls_write(c, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);
    if (done >= 0)
        return done;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    lost(r, c, errno);
    return -1;
}

/* Appends to what waits for the kernel. */
static bool keep_out(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n)
{
    if (c->out_at > 0) {
        memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
        c->out_n -= c->out_at;
        c->out_at = 0;
    }
    if (c->out_n + n > c->out_cap) {
        size_t cap = (c->out_n + n) * 2;
        uint8_t *more = mem_resize(r->alloc, c->out, c->out_cap, cap);
        if (!more) {
            (void)load_fail(r, ERR_NOMEM, "no memory for what waits to be sent");
            return false;
        }
        c->out = more;
        c->out_cap = cap;
    }
    memcpy(c->out + c->out_n, p, n);
    c->out_n += n;
    arm(r, c, true);
    return true;
}

void load_conn_send(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n)
{
    if (c->fd < 0)
        return;
    while (n > 0 && c->out_n == 0) {
        ssize_t done = write_some(r, c, p, n);
        if (done < 0)
            return;
        if (done == 0)
            break;
        p += done;
        n -= (size_t)done;
    }
    if (n > 0)
        (void)keep_out(r, c, p, n);
}

static void flush(struct load_run *r, struct load_conn *c)
{
    while (c->out_at < c->out_n) {
        ssize_t done = write_some(r, c, c->out + c->out_at, c->out_n - c->out_at);
        if (done <= 0)
            return;
        c->out_at += (size_t)done;
        r->moved++;
    }
    c->out_at = c->out_n = 0;
    arm(r, c, false);
}

static void keep_rest(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n)
{
    if (n > c->rest_cap) {
        mem_free(r->alloc, c->rest, c->rest_cap);
        c->rest_cap = 0;
        c->rest = mem_new(r->alloc, n);
        if (!c->rest) {
            (void)load_fail(r, ERR_NOMEM, "no memory for a packet's beginning");
            return;
        }
        c->rest_cap = n;
    }
    if (n > 0)
        memcpy(c->rest, p, n);
    c->rest_n = n;
}

/* Whether there may be more at once. */
static bool read_some(struct load_run *r, struct load_conn *c)
{
    size_t held = c->rest_n, room = LOAD_BUFFER - held;
    if (room == 0) {
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends a packet that is too large");
        return false;
    }
    if (held > 0)
        memcpy(r->in, c->rest, held);
    ssize_t n = c->ssl ? load_tls_read(c, r->in + held, room) : recv(c->fd, r->in + held, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        lost(r, c, n < 0 ? errno : 0);
        return false;
    }
    r->now_ns = load_now_ns();
    size_t used = load_take(r, c, r->in, held + (size_t)n);
    if (c->fd < 0)
        return false;
    keep_rest(r, c, r->in + used, held + (size_t)n - used);
    return c->ssl || (size_t)n == room;
}

static void handle(struct load_run *r, struct load_conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->state == LOAD_CONNECTING) {
        connected(r, c);
        return;
    }
    if (c->state == LOAD_HANDSHAKE) {
        handshake(r, c);
        return;
    }
    if ((events & EPOLLOUT) && c->out_n > 0)
        flush(r, c);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        for (int i = 0; i < READS && c->fd >= 0 && !r->failed && read_some(r, c); i++)
            ;
}

void load_turn(struct load_run *r, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(r->epoll, events, EVENTS, timeout_ms);
    if (n < 0 && errno != EINTR)
        (void)load_fail_os(r, errno, "epoll_wait");
    r->now_ns = load_now_ns();
    for (int i = 0; i < n && !r->failed; i++)
        handle(r, events[i].data.ptr, events[i].events);
}

enum err load_open_until(struct load_run *r, size_t until)
{
    int64_t end = load_now_ns() + (int64_t)LOAD_STALL_MS * 1000000;
    size_t before = r->ready;
    while (r->ready < until && !r->failed) {
        while (r->opened < until && r->opened - r->ready < LOAD_OPENING_MAX) {
            enum err err = load_conn_open(r, &r->conns[r->opened]);
            if (err)
                return err;
            r->opened++;
        }
        load_turn(r, 100);
        if (r->ready != before) {
            before = r->ready;
            end = r->now_ns + (int64_t)LOAD_STALL_MS * 1000000;
        }
        if (r->now_ns > end)
            return load_fail(r, ERR_TIMEOUT, "the broker does not answer: %zu of %zu are connected",
                             r->ready, until);
    }
    return r->failed ? ERR_IO : ERR_OK;
}
