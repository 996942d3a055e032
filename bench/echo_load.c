/* bench: helper. A closed-loop load for any echo server on TCP.
 *
 * usage: echo_load PORT CONNECTIONS DEPTH WARM_UP_MS MEASURE_MS PID
 * Each connection sends DEPTH requests of 64 bytes with one call and sends the next when all of
 * them are back. Every byte is compared with what was sent: a wrong one ends the run, exit code 1.
 * Prints: requests cpu_ns elapsed_ns, where cpu_ns is the processor time, in user and kernel
 * mode, of all threads of process PID. */
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST = 64, DEPTH_MAX = 64, EVENTS = 1024 };

struct conn {
    int fd;
    uint64_t rounds;
    size_t got;
    uint8_t out[DEPTH_MAX * REQUEST];
};

struct load {
    int epoll, port;
    size_t connections, batch; /* bytes of one round */
    struct conn *conns;
    uint64_t rounds;
};

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "echo_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        fail("clock");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Every request carries its connection and its number, so that nothing stale passes for it. */
static void send_round(struct load *l, struct conn *c)
{
    c->got = 0;
    c->rounds++;
    for (size_t at = 0; at < l->batch; at += REQUEST) {
        uint64_t stamp[2] = {(uint64_t)c->fd << 32 | at, c->rounds};
        memcpy(c->out + at, stamp, sizeof(stamp));
    }
    if (send(c->fd, c->out, l->batch, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)l->batch)
        fail("send");
}

static void receive_some(struct load *l, struct conn *c)
{
    static uint8_t in[DEPTH_MAX * REQUEST];
    ssize_t n = recv(c->fd, in, l->batch - c->got, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        fail("recv");
    if (memcmp(in, c->out + c->got, (size_t)n) != 0) {
        errno = EPROTO;
        fail("these are not the bytes that were sent");
    }
    c->got += (size_t)n;
    if (c->got == l->batch) {
        l->rounds++;
        send_round(l, c);
    }
}

static void open_all(struct load *l)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    (void)inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->conns = calloc(l->connections, sizeof(*l->conns));
    if (l->epoll < 0 || !l->conns)
        fail("start");
    for (size_t i = 0; i < l->connections; i++) {
        struct conn *c = &l->conns[i];
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        int on = 1;
        memset(c->out, 'x', sizeof(c->out));
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
            fail("connect");
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
            fail("epoll_ctl");
    }
}

static void run_until(struct load *l, int64_t end_ns)
{
    static struct epoll_event events[EVENTS];
    while (read_ns(CLOCK_MONOTONIC) < end_ns) {
        int n = epoll_wait(l->epoll, events, EVENTS, 1000);
        if (n == 0)
            errno = ETIMEDOUT;
        if (n <= 0)
            fail("epoll_wait");
        for (int i = 0; i < n; i++)
            receive_some(l, events[i].data.ptr);
    }
}

static int64_t number(const char *text)
{
    int64_t n;
    if (str_to_i64(str_from(text), &n) || n < 0) {
        errno = EINVAL;
        fail(text);
    }
    return n;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    clockid_t server;
    if (argc != 7) {
        (void)fputs("usage: echo_load PORT CONNECTIONS DEPTH WARM_UP_MS MEASURE_MS PID\n", stderr);
        return 2;
    }
    struct load l = {.port = (int)number(argv[1]),
                     .connections = (size_t)number(argv[2]),
                     .batch = (size_t)number(argv[3]) * REQUEST};
    if (l.batch == 0 || l.batch > DEPTH_MAX * REQUEST || l.connections == 0)
        return 2;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (clock_getcpuclockid((pid_t)number(argv[6]), &server) != 0)
        fail("PID");
    open_all(&l);
    for (size_t i = 0; i < l.connections; i++)
        send_round(&l, &l.conns[i]);
    run_until(&l, read_ns(CLOCK_MONOTONIC) + number(argv[4]) * 1000000);
    uint64_t rounds = l.rounds;
    int64_t cpu_ns = read_ns(server), begin_ns = read_ns(CLOCK_MONOTONIC);
    run_until(&l, begin_ns + number(argv[5]) * 1000000);
    cpu_ns = read_ns(server) - cpu_ns;
    uint64_t requests = (l.rounds - rounds) * (l.batch / REQUEST);
    printf("%llu %lld %lld\n", (unsigned long long)requests, (long long)cpu_ns,
           (long long)(read_ns(CLOCK_MONOTONIC) - begin_ns));
    free(l.conns);
    return 0;
}
