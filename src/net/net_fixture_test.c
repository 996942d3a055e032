#include "net/cert_fixture.h"
#include "net/net_fixture.h"
#include <string.h>

const char *const ways[4] = {"plain", "TLS", "WebSocket", "WebSocket in TLS"};
const char *const drivers[3] = {"epoll", "io_uring", "sim"};

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
    bool stands_still = true;
    CHECK(!stands_still);
    executor_stop(worker_executor(t->worker));
}

void site_way(struct site *x, const char *way)
{
    struct error e = {0};
    struct cert ca, server;
    bool websocket = strstr(way, "WebSocket") != NULL;
    if (strstr(way, "TLS")) {
        cert_make(&ca, "ca", NULL, NULL, false);
        cert_make(&server, "server", &ca, "DNS:localhost,IP:127.0.0.1,IP:::1", false);
        struct tls_config cfg = {.ex = x->ex,
                                 .server = true,
                                 .identities = {{server.cert, server.key}},
                                 .identities_n = 1};
        REQUIRE(CHECK_EQ_INT(tls_new(&x->server_tls, &cfg, &e), ERR_OK));
        cfg = (struct tls_config){.ex = x->ex, .ca = ca.cert};
        REQUIRE(CHECK_EQ_INT(tls_new(&x->client_tls, &cfg, &e), ERR_OK));
    }
    x->server_via = stream_via_make(x->server_tls, websocket ? &x->websocket : NULL, NULL);
    x->client_via = stream_via_make(x->client_tls, websocket ? &x->websocket : NULL, NULL);
}

void site_open(struct site *x, const char *driver, const char *host, size_t connections_max,
               enum poll (*serve)(struct conn *c))
{
    site_open_on(x, driver, ways[0], host, connections_max, serve);
}

void site_open_on(struct site *x, const char *driver, const char *way, const char *host,
                  size_t connections_max, enum poll (*serve)(struct conn *c))
{
    struct executor_config cfg = {
        .alloc = alloc_system(), .workers = 1, .driver = driver, .offload_threads = 1};
    struct listener_config lc = {
        .accepted = on_accept, .ctx = x, .via = &x->server_via, .connections_max = connections_max};
    struct error e = {0};
    *x = (struct site){.serve = serve};
    list_init(&x->servers);
    if (strcmp(driver, "sim") == 0) {
        REQUIRE(sim_new(&x->sim, &(struct sim_config){.seed = test_seed()}) == ERR_OK);
        REQUIRE(env_sim_new(&x->env, x->sim) == ERR_OK);
        cfg.env = x->env;
    }
    if (executor_new(&x->ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    x->worker = executor_worker(x->ex, 0);
    site_way(x, way);
    REQUIRE(addr_parse(&lc.addr, str_from(host), 0) == ERR_OK);
    if (!CHECK_EQ_INT(listener_open(&x->listener, x->worker, &lc, &e), ERR_OK))
        SKIP("%s", e.text);
    timer_init(&x->timer, x->worker, too_long);
    timer_set_after_ms(&x->timer, 60000);
}

void client_init(struct site *x, struct conn *c, enum poll (*step)(struct conn *c))
{
    c->site = x;
    c->step = step;
    x->stop_after_clients++;
    task_init(&c->task, "client", conn_poll, client_finished);
}

void connect_client(struct site *x, struct conn *c, enum poll (*step)(struct conn *c))
{
    client_init(x, c, step);
    REQUIRE(stream_connect_via(&c->stream, x->worker, listener_addr(x->listener), &x->client_via,
                               &c->task) == ERR_OK);
    task_spawn(x->worker, &c->task);
}

void site_run(struct site *x)
{
    executor_run(x->ex);
    timer_cancel(&x->timer);
    CHECK(list_empty(&x->servers));
    listener_close(x->listener);
    site_free(x);
}

void site_free(struct site *x)
{
    tls_free(x->server_tls);
    tls_free(x->client_tls);
    executor_free(x->ex);
    env_sim_free(x->env);
    sim_free(x->sim);
}

enum poll end(struct conn *c, enum err how)
{
    c->end = how;
    stream_close(c->stream);
    c->stream = NULL;
    return POLL_READY;
}

enum poll echo(struct conn *c)
{
    struct bytes in;
    enum err r;
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        for (size_t at = 0, n; at < in.n && !r; at += r ? 0 : n) {
            n = in.n - at < 10000 ? in.n - at : 10000;
            r = stream_write(c->stream, in.p + at, n);
            if (!r)
                c->sent += n;
        }
        stream_consume(c->stream, c->sent - c->got);
        c->got = c->sent;
        if (r)
            return r == ERR_FULL ? POLL_PENDING : end(c, r);
    }
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 13));
}
