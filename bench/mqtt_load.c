/* bench: helper. A closed-loop load for any MQTT 3.1.1 broker: one publisher, one subscriber.
 *
 * usage: mqtt_load PORT QOS SECONDS [WINDOW]
 * 64-byte payloads; at most WINDOW messages (default 1000) are on their way, so nothing is dropped
 * and slow consumers are not measured. Both connections live in this one thread, writes are
 * batched as a good client does. Every payload carries its number: a lost, doubled or
 * reordered message ends the run with exit code 1.
 * Prints: messages seconds p50_us p99_us (time from publish to delivery). */
#include "base/clock.h"
#include "base/stats.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 64, BUFFER = 1 << 18, ACKED_MAX = 60000 };

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "mqtt_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct link {
    int fd;
    uint8_t in[BUFFER];
    size_t in_n;
    uint8_t out[BUFFER];
    size_t out_n;
};

static void link_flush(struct link *l)
{
    size_t at = 0;
    while (at < l->out_n) {
        ssize_t n = send(l->fd, l->out + at, l->out_n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            fail("send");
        at += (size_t)n;
    }
    memmove(l->out, l->out + at, l->out_n - at);
    l->out_n -= at;
}

static void link_fill(struct link *l)
{
    ssize_t n = recv(l->fd, l->in + l->in_n, sizeof(l->in) - l->in_n, MSG_DONTWAIT);
    if (n == 0) {
        errno = ECONNRESET;
        fail("the broker closed the connection");
    }
    if (n > 0)
        l->in_n += (size_t)n;
    else if (errno != EAGAIN)
        fail("recv");
}

static void put(struct link *l, const void *p, size_t n)
{
    memcpy(l->out + l->out_n, p, n);
    l->out_n += n;
}

static void link_open(struct link *l, int port, const char *id)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    (void)inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    int on = 1;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    size_t n = strlen(id);
    uint8_t head[] = {0x10, (uint8_t)(12 + n), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, (uint8_t)n};
    put(l, head, sizeof(head));
    put(l, id, n);
    link_flush(l);
}

/* Blocks until `n` bytes are there: only for CONNACK and SUBACK. */
static void link_expect(struct link *l, uint8_t type, size_t n)
{
    while (l->in_n < n) {
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        if (poll(&p, 1, 5000) != 1)
            fail("no answer from the broker");
        link_fill(l);
    }
    if (l->in[0] != type || l->in[3] > 1) {
        errno = EPROTO;
        fail("the broker refused");
    }
    memmove(l->in, l->in + n, l->in_n - n);
    l->in_n -= n;
}

struct load {
    struct link pub, sub;
    unsigned qos;
    uint64_t sent, acked, received, window;
    struct histogram latency;
};

static void publish_some(struct load *l)
{
    static const char topic[] = "bench/t";
    size_t topic_n = sizeof(topic) - 1;
    size_t rest = 2 + topic_n + (l->qos ? 2 : 0) + PAYLOAD;
    while (l->sent - l->received < l->window && l->pub.out_n + 256 < sizeof(l->pub.out) &&
           (!l->qos || l->sent - l->acked < ACKED_MAX)) {
        uint8_t head[2] = {(uint8_t)(0x30 | l->qos << 1), (uint8_t)rest};
        uint8_t len[2] = {0, (uint8_t)topic_n};
        uint16_t id = (uint16_t)(l->sent % ACKED_MAX + 1);
        uint8_t id_bytes[2] = {(uint8_t)(id >> 8), (uint8_t)id};
        uint8_t payload[PAYLOAD] = {0};
        int64_t t = now_ns();
        memcpy(payload, &l->sent, 8);
        memcpy(payload + 8, &t, 8);
        put(&l->pub, head, 2);
        put(&l->pub, len, 2);
        put(&l->pub, topic, topic_n);
        if (l->qos)
            put(&l->pub, id_bytes, 2);
        put(&l->pub, payload, PAYLOAD);
        l->sent++;
    }
}

static void on_message(struct load *l, const uint8_t *body, size_t n, unsigned qos)
{
    size_t at = 2 + ((size_t)body[0] << 8 | body[1]);
    if (qos) {
        uint8_t ack[4] = {0x40, 2, body[at], body[at + 1]};
        put(&l->sub, ack, 4);
        at += 2;
    }
    uint64_t number;
    int64_t t;
    if (n < at + 16) {
        errno = EPROTO;
        fail("a payload is cut");
    }
    memcpy(&number, body + at, 8);
    memcpy(&t, body + at + 8, 8);
    if (number != l->received) {
        (void)fprintf(stderr, "mqtt_load: expected message %llu, got %llu\n",
                      (unsigned long long)l->received, (unsigned long long)number);
        exit(1);
    }
    histogram_add(&l->latency, (uint64_t)(now_ns() - t) / 1000);
    l->received++;
}

/* Packets here are short: one or two bytes of length. */
static void take_packets(struct load *l, struct link *k)
{
    size_t at = 0;
    while (k->in_n - at >= 2) {
        size_t head = 2, n = k->in[at + 1];
        if (n & 0x80) {
            if (k->in_n - at < 3)
                break;
            n = (n & 0x7f) | (size_t)k->in[at + 2] << 7;
            head = 3;
        }
        if (k->in_n - at < head + n)
            break;
        if (k->in[at] >> 4 == 3)
            on_message(l, k->in + at + head, n, k->in[at] >> 1 & 3);
        else if (k->in[at] >> 4 == 4)
            l->acked++;
        at += head + n;
    }
    memmove(k->in, k->in + at, k->in_n - at);
    k->in_n -= at;
}

static void turn(struct load *l)
{
    publish_some(l);
    link_flush(&l->pub);
    link_flush(&l->sub);
    struct pollfd p[2] = {{.fd = l->pub.fd, .events = POLLIN}, {.fd = l->sub.fd, .events = POLLIN}};
    p[0].events |= l->pub.out_n ? POLLOUT : 0;
    p[1].events |= l->sub.out_n ? POLLOUT : 0;
    if (poll(p, 2, 5000) <= 0)
        fail("nothing moved for 5 s");
    if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
        link_fill(&l->pub);
    if (p[1].revents & (POLLIN | POLLHUP | POLLERR))
        link_fill(&l->sub);
    take_packets(l, &l->pub);
    take_packets(l, &l->sub);
}

int main(int argc, char **argv)
{
    int64_t port, qos, seconds, window = 1000;
    if (argc < 4 || str_to_i64(str_from(argv[1]), &port) || str_to_i64(str_from(argv[2]), &qos) ||
        str_to_i64(str_from(argv[3]), &seconds) ||
        (argc > 4 && str_to_i64(str_from(argv[4]), &window))) {
        (void)fputs("usage: mqtt_load PORT QOS SECONDS [WINDOW]\n", stderr);
        return 2;
    }
    static struct load l;
    l.qos = (unsigned)qos;
    l.window = (uint64_t)window;
    link_open(&l.sub, (int)port, "bench-sub");
    link_expect(&l.sub, 0x20, 4);
    uint8_t subscribe[] = {0x82, 12, 0, 1, 0, 7, 'b', 'e', 'n', 'c', 'h', '/', 't', (uint8_t)qos};
    put(&l.sub, subscribe, sizeof(subscribe));
    link_flush(&l.sub);
    link_expect(&l.sub, 0x90, 5);
    link_open(&l.pub, (int)port, "bench-pub");
    link_expect(&l.pub, 0x20, 4);
    int64_t warm = now_ns() + 500000000, end = warm + seconds * 1000000000;
    while (now_ns() < warm)
        turn(&l);
    uint64_t first = l.received;
    int64_t start = now_ns();
    memset(&l.latency, 0, sizeof(l.latency));
    while (now_ns() < end)
        turn(&l);
    double took = (double)(now_ns() - start) / 1e9;
    (void)printf("%llu %.3f %llu %llu\n", (unsigned long long)(l.received - first), took,
                 (unsigned long long)histogram_quantile(&l.latency, 0.5),
                 (unsigned long long)histogram_quantile(&l.latency, 0.99));
    return 0;
}
