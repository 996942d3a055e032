/* bench: helper. The least that can be called an MQTT broker: what the kernel alone allows.
 *
 * usage: mqtt_forward PORT
 * One thread, one epoll. Reads until empty, copies the bytes of each PUBLISH to whoever subscribed
 * to its topic, and writes once for each connection and turn. It checks nothing, keeps nothing, and
 * knows no time: no sessions, no retained messages, no keep-alive, no rights, no properties; a
 * client that does not read fills memory. QoS 1 is acknowledged at once and delivered with ids that
 * count up, in 3.1.1 only; QoS 2 is not there. So what a broker costs above it is what the broker
 * does. */
#include "base/str.h"
#include "codec/mqtt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN = 256 << 10, EVENTS = 256, TOPICS = 1 << 16, FILTERS = 1 << 16 };

struct conn {
    int fd;
    bool dirty, blocked;
    uint16_t id; /* of the last QoS 1 delivery */
    uint8_t *rest, *out;
    size_t rest_n, rest_cap, out_at, out_n, out_cap;
    struct conn *next_dirty, *next;
};

/* Who gets a topic: made at its first message and after every change of the subscriptions. */
struct topic {
    char *name;
    size_t n;
    uint64_t generation;
    struct conn **to;
    uint8_t *qos;
    size_t to_n, to_cap;
};

static struct {
    struct conn *conn;
    char *filter;
    size_t n;
    uint8_t qos;
} filters[FILTERS];
static size_t filters_n;
static struct topic topics[TOPICS];
static uint64_t generation = 1;
static int epoll_fd;
static struct conn *dirty, *conns; /* all that there were */
static uint8_t in[IN];

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "mqtt_forward: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *grown(void *p, size_t n)
{
    void *more = realloc(p, n ? n : 1);
    if (!more)
        fail("memory");
    return more;
}

static uint8_t *room(struct conn *c, size_t n)
{
    if (c->out_n + n > c->out_cap) {
        c->out_cap = (c->out_n + n) * 2;
        c->out = grown(c->out, c->out_cap);
    }
    if (!c->dirty) {
        c->dirty = true;
        c->next_dirty = dirty;
        dirty = c;
    }
    c->out_n += n;
    return c->out + c->out_n - n;
}

static void put(struct conn *c, const void *p, size_t n)
{
    memcpy(room(c, n), p, n);
}

static void fill(struct topic *t)
{
    t->to_n = 0;
    t->generation = generation;
    for (size_t i = 0; i < filters_n; i++) {
        struct str filter = {filters[i].filter, filters[i].n};
        if (!filters[i].conn || !mqtt_filter_match(filter, (struct str){t->name, t->n}))
            continue;
        if (t->to_n == t->to_cap) {
            t->to_cap = t->to_cap ? t->to_cap * 2 : 4;
            t->to = grown(t->to, t->to_cap * sizeof(*t->to));
            t->qos = grown(t->qos, t->to_cap);
        }
        t->to[t->to_n] = filters[i].conn;
        t->qos[t->to_n++] = filters[i].qos;
    }
}

static struct topic *find(const uint8_t *name, size_t n)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ name[i]) * 16777619u;
    for (;; hash++) {
        struct topic *t = &topics[hash % TOPICS];
        if (!t->name) {
            t->name = grown(NULL, n + 1);
            memcpy(t->name, name, n);
            t->n = n;
        } else if (t->n != n || memcmp(t->name, name, n) != 0) {
            continue;
        }
        if (t->generation != generation)
            fill(t);
        return t;
    }
}

/* `p` is the whole packet, `body` where its topic begins. */
static void forward(struct conn *from, const uint8_t *p, size_t size, size_t body)
{
    unsigned qos = p[0] >> 1 & 3;
    size_t n = (size_t)p[body] << 8 | p[body + 1], id_at = body + 2 + n;
    struct topic *t = find(p + body + 2, n);
    if (qos)
        put(from, (uint8_t[]){0x40, 2, p[id_at], p[id_at + 1]}, 4);
    for (size_t i = 0; i < t->to_n; i++) {
        struct conn *to = t->to[i];
        uint8_t *at = room(to, size);
        memcpy(at, p, size);
        if (qos) {
            to->id = (uint16_t)(to->id == 65535 ? 1 : to->id + 1);
            at[id_at] = (uint8_t)(to->id >> 8);
            at[id_at + 1] = (uint8_t)to->id;
        }
    }
}

static void subscribe(struct conn *c, const uint8_t *p, size_t size, size_t body)
{
    size_t n = (size_t)p[body + 2] << 8 | p[body + 3];
    uint8_t qos = p[size - 1];
    if (filters_n == FILTERS)
        fail("too many subscriptions");
    filters[filters_n].conn = c;
    filters[filters_n].filter = grown(NULL, n + 1);
    memcpy(filters[filters_n].filter, p + body + 4, n);
    filters[filters_n].n = n;
    filters[filters_n++].qos = qos;
    generation++;
    put(c, (uint8_t[]){0x90, 3, p[body], p[body + 1], qos}, 5);
}

static void packet(struct conn *c, const uint8_t *p, size_t size, size_t body)
{
    switch (p[0] >> 4) {
    case 1: put(c, "\x20\x02\x00", 4); break;
    case 3: forward(c, p, size, body); break;
    case 8: subscribe(c, p, size, body); break;
    case 12: put(c, "\xd0", 2); break;
    default: break;
    }
}

static size_t packets(struct conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (n - used >= 2) {
        size_t at = used + 1, length = 0;
        unsigned shift = 0;
        while (at < n && shift < 28) {
            length |= (size_t)(p[at] & 0x7f) << shift;
            shift += 7;
            if (!(p[at++] & 0x80)) {
                shift = 99;
                break;
            }
        }
        if (shift != 99 || n - at < length)
            break;
        packet(c, p + used, at + length - used, at - used);
        used = at + length;
    }
    return used;
}

static void end(struct conn *c)
{
    for (size_t i = 0; i < filters_n; i++)
        if (filters[i].conn == c)
            filters[i].conn = NULL;
    while (filters_n > 0 && !filters[filters_n - 1].conn)
        free(filters[--filters_n].filter);
    generation++;
    (void)close(c->fd);
    c->fd = -1; /* the struct stays: it may be in a list */
    free(c->rest);
    free(c->out);
    c->rest = c->out = NULL;
    c->rest_n = c->rest_cap = c->out_at = c->out_n = c->out_cap = 0;
}

static void receive(struct conn *c)
{
    for (;;) {
        size_t held = c->rest_n;
        if (held == IN)
            fail("a packet is too large");
        if (held)
            memcpy(in, c->rest, held);
        ssize_t n = recv(c->fd, in + held, IN - held, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(c);
            return;
        }
        size_t all = held + (size_t)n, used = packets(c, in, all);
        c->rest_n = all - used;
        if (c->rest_n > c->rest_cap) {
            c->rest_cap = c->rest_n;
            c->rest = grown(c->rest, c->rest_cap);
        }
        if (c->rest_n)
            memcpy(c->rest, in + used, c->rest_n);
        if (all < IN)
            return;
    }
}

static void watch(struct conn *c, bool out)
{
    struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    c->blocked = out;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0)
        fail("epoll_ctl");
}

static void transmit(struct conn *c)
{
    if (c->fd < 0)
        return;
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
    if (n > 0)
        c->out_at += (size_t)n;
    if (c->out_at == c->out_n) {
        c->out_at = c->out_n = 0;
    } else if (c->out_at > 1 << 20) {
        c->out_n -= c->out_at;
        memmove(c->out, c->out + c->out_at, c->out_n);
        c->out_at = 0;
    }
    if ((c->out_n > 0) != c->blocked)
        watch(c, c->out_n > 0);
}

static void transmit_all(void)
{
    while (dirty) {
        struct conn *c = dirty;
        dirty = c->next_dirty;
        c->dirty = false;
        if (!c->blocked)
            transmit(c);
    }
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int on = 1;
        struct conn *c = calloc(1, sizeof(*c));
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        if (!c)
            fail("memory");
        c->fd = fd;
        c->next = conns;
        conns = c;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
            fail("epoll_ctl");
    }
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1024) != 0)
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    int64_t port;
    struct epoll_event events[EVENTS], ev = {.events = EPOLLIN};
    struct rlimit files;
    if (argc != 2 || str_to_i64(str_from(argv[1]), &port) || port < 1 || port > 65535) {
        (void)fputs("usage: mqtt_forward PORT\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    int listener = listen_on((uint16_t)port);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &ev) != 0)
        fail("epoll");
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (!c)
                accept_all(listener);
            else if (c->fd >= 0 && (events[i].events & EPOLLOUT))
                transmit(c);
            if (c && c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                receive(c);
        }
        transmit_all();
    }
}
