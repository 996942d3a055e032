#include "async/timer.h"
#include "base/clock.h"
#include "net/listener.h"
#include "net/net_internal.h"
#include "tests/support/test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One site of a test: an executor of one worker, a listener whose connections are served by
 * `serve`, and clients. Every connection, on both sides, is a struct conn. */
struct conn {
    struct task task;
    struct list link;
    struct stream *stream;
    struct site *site;
    enum poll (*step)(struct conn *c);
    size_t sent, got, want; /* bytes, as the test needs them */
    size_t peak;
    int rounds;
    enum err end; /* of the stream as the task saw it */
    int os_errno;
    bool server;
};

struct site {
    struct executor *ex;
    struct worker *worker;
    struct listener *listener;
    enum poll (*serve)(struct conn *c);
    struct timer timer;
    struct list servers;
    size_t clients, clients_done, servers_seen, servers_done;
    size_t stop_after_clients, stop_after_servers;
    struct stream_limits limits;
};

static const char *const drivers[] = {"epoll", "io_uring"};

static enum poll conn_poll(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    if (t->canceled) {
        if (c->stream)
            stream_close(c->stream);
        c->stream = NULL;
        return POLL_READY;
    }
    return c->step(c);
}

static void maybe_stop(struct site *x)
{
    if (x->clients_done >= x->stop_after_clients && x->servers_done >= x->stop_after_servers)
        executor_stop(x->ex);
}

static void server_finished(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    struct site *x = c->site;
    x->servers_done++;
    list_del(&c->link);
    mem_free(alloc_system(), c, sizeof(*c));
    maybe_stop(x);
}

static void client_finished(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    c->site->clients_done++;
    maybe_stop(c->site);
}

static void on_accept(void *ctx, struct stream *s)
{
    struct site *x = ctx;
    struct conn *c = mem_zero(alloc_system(), sizeof(*c));
    REQUIRE(c != NULL);
    c->stream = s;
    c->site = x;
    c->step = x->serve;
    c->server = true;
    x->servers_seen++;
    list_add_tail(&x->servers, &c->link);
    if (x->limits.read_max || x->limits.write_max)
        stream_set_limits(s, &x->limits);
    task_init(&c->task, "server", conn_poll, server_finished);
    stream_bind(s, &c->task);
    task_spawn(x->worker, &c->task);
}

static void too_long(struct timer *t)
{
    CHECK(!"the test has come to a standstill");
    executor_stop(worker_executor(t->worker));
}

static void site_open(struct site *x, const char *driver, const char *host,
                      enum poll (*serve)(struct conn *c))
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = 1,
                                  .driver = driver,
                                  .offload_threads = 1};
    struct listener_config lc = {.accepted = on_accept, .ctx = x};
    struct error e = {0};
    *x = (struct site){.serve = serve};
    list_init(&x->servers);
    if (executor_new(&x->ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    x->worker = executor_worker(x->ex, 0);
    REQUIRE(addr_parse(&lc.addr, str_from(host), 0) == ERR_OK);
    if (!CHECK_EQ_INT(listener_open(&x->listener, x->worker, &lc, &e), ERR_OK))
        SKIP("%s", e.text);
    timer_init(&x->timer, x->worker, too_long);
    timer_set_after_ms(&x->timer, 60000);
}

static void connect_client(struct site *x, struct conn *c, enum poll (*step)(struct conn *c))
{
    c->site = x;
    c->step = step;
    x->clients++;
    x->stop_after_clients = x->clients;
    task_init(&c->task, "client", conn_poll, client_finished);
    REQUIRE(stream_connect(&c->stream, x->worker, listener_addr(x->listener), &c->task) == ERR_OK);
    task_spawn(x->worker, &c->task);
}

static void site_run(struct site *x)
{
    executor_run(x->ex);
    timer_cancel(&x->timer);
    CHECK(list_empty(&x->servers));
    listener_close(x->listener);
    executor_free(x->ex);
}

static enum poll end(struct conn *c, enum err how)
{
    c->end = how;
    c->os_errno = stream_os_errno(c->stream);
    stream_close(c->stream);
    c->stream = NULL;
    return POLL_READY;
}

/* --- echo --- */

static enum poll echo(struct conn *c)
{
    struct bytes in;
    enum err r;
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        size_t room = stream_write_room(c->stream);
        size_t n = in.n < room ? in.n : room;
        if (n > 0)
            CHECK_EQ_INT(stream_write(c->stream, in.p, n), ERR_OK);
        stream_consume(c->stream, n);
        if (n < in.n)
            return stream_write(c->stream, in.p, room + 1) == ERR_FULL ? POLL_PENDING
                                                                       : end(c, ERR_INVALID);
    }
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

enum { PING = 40 };

static enum poll ping(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        for (size_t i = 0; i < in.n; i++)
            CHECK_EQ_INT(in.p[i], (uint8_t)(c->got + i));
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    if (r != ERR_AGAIN || c->got == c->want)
        return end(c, r);
    if (c->got == c->sent) {
        uint8_t *p = stream_reserve(c->stream, PING);
        REQUIRE(p != NULL);
        for (size_t i = 0; i < PING; i++)
            p[i] = (uint8_t)(c->sent + i);
        stream_commit(c->stream, PING);
        c->sent += PING;
    }
    return POLL_PENDING;
}

static void many_pings(const char *driver, const char *host)
{
    enum { CLIENTS = 200, ROUNDS = 50 };
    static struct conn clients[CLIENTS];
    struct site x;
    memset(clients, 0, sizeof(clients));
    site_open(&x, driver, host, echo);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].want = ROUNDS * PING;
        connect_client(&x, &clients[i], ping);
    }
    x.stop_after_servers = CLIENTS;
    site_run(&x);
    CHECK_EQ_UINT(x.servers_seen, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        CHECK_EQ_UINT(clients[i].got, ROUNDS * PING);
        CHECK_EQ_INT(clients[i].end, ERR_AGAIN);
    }
}

TEST(many_connections_ping_and_pong)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "unix:%s/socket", test_tmpdir());
    const char *hosts[] = {"127.0.0.1", "::1", path};
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(hosts); k++) {
            LABEL("%s, %s", drivers[i], hosts[k]);
            many_pings(drivers[i], hosts[k]);
        }
    }
    CHECK(access(path + 5, F_OK) != 0); /* the listener removed its file */
}
