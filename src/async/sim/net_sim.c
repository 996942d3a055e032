#include "async/iov_internal.h"
#include "async/sim/sim_internal.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define SYN_AGAIN_NS INT64_C(1000000000)

enum {
    SYN_TRIES = 7, /* as Linux's tcp_syn_retries */
    PORT_FIRST = 49152,
    LOCAL_DELAY_NS = 15000, /* within a machine, at most */
};

/* --- addresses --- */

static uint32_t ip_of(const struct sockaddr *sa)
{
    return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr);
}

static in_port_t *port_of(struct sockaddr *sa)
{
    return sa->sa_family == AF_INET ? &((struct sockaddr_in *)(void *)sa)->sin_port
                                    : &((struct sockaddr_in6 *)(void *)sa)->sin6_port;
}

static const struct in6_addr *ip6_of(const struct sockaddr *sa)
{
    return &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
}

/* Whose address it is, seen from `from`; NULL: nobody's. */
static struct env_sim *machine_at(struct env_sim *from, const struct sockaddr *sa)
{
    if (sa->sa_family == AF_UNIX)
        return from;
    if (sa->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(ip6_of(sa)) ? from : NULL;
    uint32_t ip = ip_of(sa);
    if (ip >> 24 == 127)
        return from;
    LIST_EACH(&from->sim->machines, it)
    {
        struct env_sim *m = CONTAINER_OF(it, struct env_sim, link);
        if (m->ip == ip)
            return m;
    }
    return NULL;
}

static bool any_address(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET    ? ip_of(sa) == INADDR_ANY
           : sa->sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(ip6_of(sa))
                                       : false;
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    return a->sa_family == AF_INET ? ip_of(a) == ip_of(b)
                                   : memcmp(ip6_of(a), ip6_of(b), sizeof(*ip6_of(a))) == 0;
}

/* Does a listener with this name get what is sent to that address? */
static bool hears(const struct net_socket *l, const struct sockaddr *to)
{
    struct sockaddr *name = (struct sockaddr *)(uintptr_t)&l->name;
    if (l->state != NET_LISTENING || name->sa_family != to->sa_family)
        return false;
    if (to->sa_family == AF_UNIX)
        return strcmp(((const struct sockaddr_un *)(void *)name)->sun_path,
                      ((const struct sockaddr_un *)(const void *)to)->sun_path) == 0;
    return *port_of(name) == *port_of((struct sockaddr *)(uintptr_t)to) &&
           (any_address(name) || same_address(name, to));
}

static struct net_socket *listener_at(struct env_sim *m, const struct sockaddr *to)
{
    for (size_t i = 0; i < m->sockets.n; i++)
        if (m->sockets.v[i] && hears(m->sockets.v[i], to))
            return m->sockets.v[i];
    return NULL;
}

static in_port_t fresh_port(struct env_sim *m)
{
    m->next_port = m->next_port ? (uint16_t)(m->next_port + 1) : PORT_FIRST;
    return htons(m->next_port);
}

/* --- distance --- */

bool net_reachable(const struct env_sim *a, const struct env_sim *b)
{
    int64_t now_ns = a->sim->now_ns;
    if (a->dark || b->dark)
        return false;
    return a == b || (now_ns >= a->isolated_until_ns && now_ns >= b->isolated_until_ns);
}

int64_t net_delay(struct net_socket *s)
{
    struct sim *sim = s->machine->sim;
    const struct net_sim_config *c = &sim->cfg.net;
    if (s->machine == s->peer_machine)
        return span_draw(&sim->net, 1, LOCAL_DELAY_NS);
    int64_t ns = s->delay_ns + span_draw(&sim->net, 0, c->jitter_ns), again_ns = c->retransmit_ns;
    while (c->loss_per_million && random_below(&sim->net, 1000000) < c->loss_per_million) {
        sim->stats.lost++;
        ns += again_ns;
        again_ns *= 2;
    }
    return ns;
}

/* --- birth --- */

static void handshake(struct env_event *ev);
static void window_opened(struct env_event *ev);
static void reset_arrives(struct env_event *ev);

static struct net_socket *socket_new(struct env_sim *m)
{
    struct net_socket *s = mem_zero(m->sim->alloc, sizeof(*s));
    if (!s)
        return NULL;
    s->machine = m;
    s->fd = -1;
    list_init(&s->ready);
    list_init(&s->backlog);
    s->step.run = handshake;
    s->room.run = window_opened;
    s->reset.run = reset_arrives;
    return s;
}

/* The lowest one that is free, as everywhere. */
static int take_fd(struct net_socket *s)
{
    struct env_sim *m = s->machine;
    size_t i = 0;
    while (i < m->sockets.n && m->sockets.v[i])
        i++;
    if (i == m->sockets.n && !vec_push(m->sim->alloc, &m->sockets, s))
        return -ENOMEM;
    m->sockets.v[i] = s;
    s->fd = NET_FD_FIRST + (int)i;
    return s->fd;
}

struct net_socket *net_socket_of(struct env_sim *m, int fd)
{
    size_t i = (size_t)fd - NET_FD_FIRST;
    return fd >= NET_FD_FIRST && i < m->sockets.n ? m->sockets.v[i] : NULL;
}

static int sim_open(struct io_driver *d, int family)
{
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
        return -EAFNOSUPPORT;
    struct net_socket *s = socket_new(driver_machine(d));
    int fd = s ? take_fd(s) : -ENOMEM;
    if (s && fd < 0)
        net_close(s);
    return fd;
}

static int sim_listen(struct io_driver *d, const struct sockaddr *sa, socklen_t len, bool shared)
{
    struct env_sim *m = driver_machine(d);
    (void)shared; /* there is one worker */
    int fd = len <= sizeof(struct sockaddr_storage) ? sim_open(d, sa->sa_family) : -EINVAL;
    if (fd < 0)
        return fd;
    struct net_socket *s = net_socket_of(m, fd);
    struct sockaddr *name = (struct sockaddr *)&s->name;
    memcpy(name, sa, len);
    s->name_len = len;
    if (sa->sa_family != AF_UNIX && *port_of(name) == 0)
        *port_of(name) = fresh_port(m);
    bool foreign = !any_address(sa) && machine_at(m, sa) != m;
    if (foreign || listener_at(m, name)) {
        net_close(s);
        return foreign ? -EADDRNOTAVAIL : -EADDRINUSE;
    }
    s->state = NET_LISTENING;
    return fd;
}

static void sim_unlisten(struct io_driver *d, const struct sockaddr *sa)
{
    (void)d, (void)sa; /* a simulated name is its socket's */
}

static int copy_name(const struct sockaddr_storage *from, socklen_t n, struct sockaddr *sa,
                     socklen_t *len)
{
    if (n == 0)
        return -ENOTCONN;
    memcpy(sa, from, n < *len ? n : *len);
    *len = n;
    return 0;
}

static int sim_name(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct net_socket *s = net_socket_of(driver_machine(d), fd);
    return s ? copy_name(&s->name, s->name_len, sa, len) : -EBADF;
}

static int sim_peer(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct net_socket *s = net_socket_of(driver_machine(d), fd);
    return s ? copy_name(&s->peer, s->state == NET_CONNECTED ? s->peer_len : 0, sa, len) : -EBADF;
}

static void sim_no_delay(struct io_driver *d, int fd)
{
    (void)d, (void)fd; /* nothing waits for more */
}

static void sim_send_end(struct io_driver *d, int fd)
{
    struct net_socket *s = net_socket_of(driver_machine(d), fd);
    if (!s || s->state != NET_CONNECTED || s->send_ended)
        return;
    s->send_ended = true;
    if (s->other)
        pipe_end(s->other, NET_END_FIN);
}

static void sim_drop(int fd)
{
    (void)fd; /* a driver that goes closes what it has */
}

const struct io_socket_ops sim_sockets = {
    .open = sim_open,
    .listen = sim_listen,
    .unlisten = sim_unlisten,
    .name = sim_name,
    .peer = sim_peer,
    .no_delay = sim_no_delay,
    .send_end = sim_send_end,
    .drop = sim_drop,
};

/* --- connecting --- */

static void answer(struct net_socket *s, int result)
{
    struct io_op *op = s->writer;
    s->writer = NULL;
    s->error = -result;
    if (op)
        driver_complete(s->machine, op, result);
}

/* The name of the calling end, as the other one sees it. */
static void name_caller(struct net_socket *s)
{
    struct sockaddr *name = (struct sockaddr *)&s->name;
    s->name = s->peer;
    s->name_len = s->peer_len;
    if (name->sa_family == AF_UNIX)
        return;
    *port_of(name) = fresh_port(s->machine);
    if (name->sa_family == AF_INET && s->peer_machine != s->machine)
        ((struct sockaddr_in *)(void *)name)->sin_addr.s_addr = htonl(s->machine->ip);
}

void net_connect(struct net_socket *s, const struct sockaddr *sa, socklen_t len)
{
    struct sim *sim = s->machine->sim;
    const struct net_sim_config *c = &sim->cfg.net;
    memcpy(&s->peer, sa, len);
    s->peer_len = len;
    s->peer_machine = machine_at(s->machine, sa);
    if (!s->peer_machine) {
        answer(s, -ENETUNREACH);
        return;
    }
    name_caller(s);
    s->state = NET_CONNECTING;
    s->handshake = NET_CALL;
    s->delay_ns = span_draw(&sim->net, c->delay_min_ns, c->delay_max_ns);
    sim_after(sim, &s->step, net_delay(s));
}

/* The other end, which waits in the listener's backlog. */
static void called(struct net_socket *caller, struct net_socket *listener)
{
    struct net_socket *s = socket_new(listener->machine);
    bool memory = s && pipe_init(s) && pipe_init(caller);
    ASSERT(memory);
    s->state = NET_CONNECTED;
    s->peer_machine = caller->machine;
    s->delay_ns = caller->delay_ns;
    s->name = caller->peer;
    s->peer = caller->name;
    s->name_len = s->peer_len = caller->peer_len;
    s->other = caller;
    caller->other = s;
    list_add_tail(&listener->backlog, &s->backlog);
    listener->waiting++;
    s->machine->sim->stats.connections++;
    driver_readable(listener);
}

/* Nobody answers: once more, later and later. */
static void call_again(struct net_socket *s)
{
    if (s->tries < SYN_TRIES)
        sim_after(s->machine->sim, &s->step, SYN_AGAIN_NS << s->tries++);
    else
        answer(s, -ETIMEDOUT);
}

static void call_arrives(struct net_socket *s)
{
    struct sim *sim = s->machine->sim;
    if (!net_reachable(s->machine, s->peer_machine)) {
        call_again(s);
        return;
    }
    struct net_socket *l = listener_at(s->peer_machine, (struct sockaddr *)&s->peer);
    if (l && l->waiting == NET_BACKLOG) {
        call_again(s);
        return;
    }
    s->handshake = l ? NET_TAKEN : NET_REFUSED;
    sim_after(sim, &s->step, net_delay(s));
    if (l)
        called(s, l);
}

static void handshake(struct env_event *ev)
{
    struct net_socket *s = CONTAINER_OF(ev, struct net_socket, step);
    switch (s->handshake) {
    case NET_CALL: call_arrives(s); break;
    case NET_TAKEN:
        s->state = NET_CONNECTED;
        answer(s, 0);
        driver_readable(s);
        break;
    case NET_REFUSED:
        s->machine->sim->stats.refused++;
        s->state = NET_NEW;
        answer(s, -ECONNREFUSED);
        break;
    }
}

struct net_socket *net_accept(struct net_socket *listener)
{
    if (list_empty(&listener->backlog))
        return NULL;
    struct net_socket *s = CONTAINER_OF(listener->backlog.next, struct net_socket, backlog);
    int fd = take_fd(s);
    ASSERT(fd >= 0);
    list_del(&s->backlog);
    listener->waiting--;
    return s;
}

/* --- talking --- */

bool net_readable(const struct net_socket *s)
{
    if (s->state == NET_LISTENING)
        return s->waiting > 0;
    return s->error || s->in.ended || s->in.arrived > s->in.read;
}

bool net_writable(const struct net_socket *s)
{
    return s->error || (s->state == NET_CONNECTED &&
                        (s->other ? pipe_room(s->other) > 0 : s->unheard < s->in.size));
}

static void expect_reset(struct net_socket *s)
{
    if (!s->silent && !event_set(&s->reset))
        sim_after(s->machine->sim, &s->reset, 2 * net_delay(s));
}

/* To someone who has gone: taken until the window is full, and answered by a reset. */
static size_t send_to_nobody(struct net_socket *s, size_t n)
{
    size_t room = s->in.size - s->unheard;
    n = n < room ? n : room;
    s->unheard += n;
    expect_reset(s);
    return n;
}

static void finish_send(struct net_socket *s, int result)
{
    struct io_op *op = s->writer;
    s->writer = NULL;
    driver_complete(s->machine, op, result);
}

void net_send(struct net_socket *s)
{
    struct io_send *op = CONTAINER_OF(s->writer, struct io_send, op);
    size_t offset;
    unsigned first;
    if (s->error || s->send_ended || s->state != NET_CONNECTED) {
        finish_send(s, s->state == NET_CONNECTED ? -EPIPE : -ENOTCONN);
        return;
    }
    while (iov_after(op->iov, op->iov_count, op->sent, &first, &offset)) {
        const uint8_t *p = (const uint8_t *)op->iov[first].iov_base + offset;
        size_t n = op->iov[first].iov_len - offset;
        size_t took = s->other ? pipe_put(s->other, p, n) : send_to_nobody(s, n);
        if (took == 0)
            return;
        op->sent += took;
    }
    finish_send(s, (int)op->sent);
}

static void window_opened(struct env_event *ev)
{
    struct net_socket *s = CONTAINER_OF(ev, struct net_socket, room);
    struct sim *sim = s->machine->sim;
    if (!s->writer || s->silent)
        return;
    if (!net_reachable(s->machine, s->peer_machine))
        sim_after(sim, ev, sim->cfg.net.retransmit_ns);
    else
        driver_writable(s);
}

static void reset_arrives(struct env_event *ev)
{
    struct net_socket *s = CONTAINER_OF(ev, struct net_socket, reset);
    struct sim *sim = s->machine->sim;
    if (!net_reachable(s->machine, s->peer_machine))
        sim_after(sim, ev, sim->cfg.net.retransmit_ns);
    else
        net_failed(s, ECONNRESET);
}

void net_failed(struct net_socket *s, int os_errno)
{
    if (s->error)
        return;
    s->error = os_errno;
    s->machine->sim->stats.resets++;
    sim_cancel(s->machine->sim, &s->step);
    driver_readable(s);
    if (s->writer)
        finish_send(s, -os_errno);
}

/* --- the end --- */

static void leave(struct net_socket *s, enum net_end end)
{
    struct net_socket *other = s->other;
    s->other = NULL;
    if (!other)
        return;
    other->other = NULL;
    if (end)
        pipe_end(other, end);
    /* Who waits for the window sends to nobody now, and is told. */
    if (other->writer && !event_set(&other->room) && other->state == NET_CONNECTED)
        sim_after(s->machine->sim, &other->room, net_delay(s));
}

static void free_socket(struct net_socket *s)
{
    struct sim *sim = s->machine->sim;
    ASSERT(!s->reader && !s->writer);
    driver_forget(s);
    sim_cancel(sim, &s->step);
    sim_cancel(sim, &s->room);
    sim_cancel(sim, &s->reset);
    list_del(&s->backlog);
    pipe_fini(s);
    if (s->fd >= 0)
        s->machine->sockets.v[s->fd - NET_FD_FIRST] = NULL;
    mem_free(sim->alloc, s, sizeof(*s));
}

static void drop_backlog(struct net_socket *s, enum net_end end)
{
    while (s->state == NET_LISTENING && !list_empty(&s->backlog)) {
        struct net_socket *waits = CONTAINER_OF(s->backlog.next, struct net_socket, backlog);
        leave(waits, end);
        free_socket(waits);
        s->waiting--;
    }
}

void net_close(struct net_socket *s)
{
    bool unread = s->in.arrived > s->in.read || s->state == NET_CONNECTING;
    bool under_way = s->in.sent > s->in.arrived; /* comes to someone who has gone */
    drop_backlog(s, NET_END_RESET);
    if (s->other && under_way)
        expect_reset(s->other);
    leave(s, unread ? NET_END_RESET : NET_END_FIN);
    free_socket(s);
}

/* The program still holds its descriptors, and closes them when it is taken down. */
void net_off(struct env_sim *m, bool silent)
{
    enum net_end end = silent ? NET_END_NONE : NET_END_RESET;
    m->dark = silent;
    for (size_t i = 0; i < m->sockets.n; i++) {
        struct net_socket *s = m->sockets.v[i];
        if (!s)
            continue;
        drop_backlog(s, end);
        if (s->state == NET_LISTENING)
            s->state = NET_NEW;
        if (silent && s->other) /* what was on its way is lost */
            sim_cancel(m->sim, &s->other->in.arrival);
        leave(s, end);
        s->silent = true;
        sim_cancel(m->sim, &s->step);
        sim_cancel(m->sim, &s->in.arrival);
    }
}

void net_sim_cut(struct env *env, enum net_sim_cut how)
{
    struct env_sim *m = machine_of(env);
    for (size_t i = 0; i < m->sockets.n; i++) {
        struct net_socket *s = m->sockets.v[i];
        if (!s || s->state != NET_CONNECTED)
            continue;
        struct net_socket *other = s->other;
        s->silent = true;
        if (other)
            other->silent = true;
        if (how == NET_SIM_SILENT)
            continue;
        net_failed(s, ECONNRESET);
        if (other)
            net_failed(other, ECONNRESET);
    }
}

void net_sim_isolate(struct env *env, int64_t ns)
{
    struct env_sim *m = machine_of(env);
    m->isolated_until_ns = m->sim->now_ns + ns;
}

struct net_sim_stats net_sim_stats(const struct sim *s)
{
    return s->stats;
}
