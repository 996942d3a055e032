#include "net/net_fixture.h"
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- unix sockets --- */

TEST(a_stale_socket_file_is_removed_and_a_living_one_kept)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++) {
        LABEL("%s", drivers[i]);
        char host[200];
        struct stat st;
        struct site x, second;
        struct error e = {0};
        struct listener *other;
        (void)snprintf(host, sizeof(host), "unix:%s/socket%zu", test_tmpdir(), i);
        struct listener_config cfg = {0};
        REQUIRE(addr_parse(&cfg.addr, str_from(host), 0) == ERR_OK);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* bound, and gone without a trace of unlink() */
        REQUIRE(fd >= 0 && bind(fd, &cfg.addr.sa, cfg.addr.len) == 0 && close(fd) == 0);

        site_open(&x, drivers[i], host, 0, echo);
        CHECK_EQ_INT(stat(host + 5, &st), 0);
        CHECK_EQ_INT(listener_open(&other, x.worker, &cfg, &e), ERR_IO);
        CHECK_EQ_INT(e.os_errno, EADDRINUSE);
        CHECK_HAS_STR(e.text, host);
        listener_close(x.listener);
        CHECK(stat(host + 5, &st) != 0);
        x.listener = NULL;
        site_open(&second, drivers[i], host, 0, echo);
        listener_close(second.listener);
        executor_free(second.ex);
        executor_free(x.ex);
    }
}

/* --- out of descriptors --- */

static enum poll hello(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    if (!c->sent) {
        CHECK_EQ_INT(stream_write(c->stream, "hello", 5), ERR_OK);
        c->sent = 5;
    }
    r = stream_read(c->stream, &in);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    return end(c, r == ERR_OK && in.n == 5 ? ERR_OK : ERR_CORRUPT);
}

struct shortage {
    struct timer timer;
    struct rlimit before;
};

static void more_descriptors(struct timer *t)
{
    struct shortage *s = CONTAINER_OF(t, struct shortage, timer);
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &s->before), 0);
}

TEST(a_listener_out_of_descriptors_goes_on_later)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++) {
        LABEL("%s", drivers[i]);
        struct conn c = {0};
        struct site x;
        struct shortage s;
        site_open(&x, drivers[i], "127.0.0.1", 0, echo);
        connect_client(&x, &c, hello);
        x.stop_after_servers = 1;
        REQUIRE(getrlimit(RLIMIT_NOFILE, &s.before) == 0);
        struct rlimit none = {.rlim_cur = 3, .rlim_max = s.before.rlim_max};
        timer_init(&s.timer, x.worker, more_descriptors);
        timer_set_after_ms(&s.timer, 30);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        site_run(&x);
        CHECK_EQ_UINT(c.sent, 5);
        CHECK_EQ_INT(c.end, ERR_OK);
    }
}

/* --- several workers --- */

enum { WORKERS = 2, CLIENTS = 40 };

struct peer {
    struct task task;
    struct stream *stream;
    struct team *team;
    int rounds;
    bool server;
};

struct team {
    struct executor *ex;
    struct listener *listener[WORKERS];
    struct {
        struct team *team;
        struct worker *worker;
        size_t accepted;
    } side[WORKERS];
    struct peer clients[CLIENTS];
    _Atomic size_t open;
};

static enum poll peer_poll(struct task *t)
{
    struct peer *p = CONTAINER_OF(t, struct peer, task);
    struct bytes in;
    enum err r = stream_connected(p->stream);
    CHECK(worker_current() == t->worker);
    while (!r && !t->canceled && (r = stream_read(p->stream, &in)) == ERR_OK) {
        CHECK_EQ_INT(stream_write(p->stream, in.p, in.n), ERR_OK);
        stream_consume(p->stream, in.n);
        if (!p->server && --p->rounds == 0)
            r = ERR_CLOSED;
    }
    if (r == ERR_AGAIN && !t->canceled)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_CLOSED);
    stream_finish(p->stream, 1000);
    return POLL_READY;
}

static void peer_finished(struct task *t)
{
    struct peer *p = CONTAINER_OF(t, struct peer, task);
    struct team *team = p->team;
    if (p->server)
        mem_free(alloc_system(), p, sizeof(*p));
    if (atomic_fetch_sub(&team->open, 1) == 1)
        executor_stop(team->ex);
}

static void peer_start(struct peer *p, struct worker *w, struct stream *s)
{
    p->stream = s;
    stream_bind(s, &p->task);
    task_spawn(w, &p->task);
}

static void team_accepted(void *ctx, struct stream *s)
{
    struct worker *w = worker_current();
    struct team *team = ctx;
    struct peer *p = mem_zero(alloc_system(), sizeof(*p));
    REQUIRE(p != NULL);
    p->team = team;
    p->server = true;
    task_init(&p->task, "server", peer_poll, peer_finished);
    for (size_t i = 0; i < WORKERS; i++)
        if (team->side[i].worker == w)
            team->side[i].accepted++; /* its own: no other thread counts here */
    peer_start(p, w, s);
}

TEST(each_worker_listens_on_the_port)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++) {
        LABEL("%s", drivers[i]);
        static struct team team;
        team = (struct team){.open = 2 * CLIENTS};
        struct executor_config cfg = {
            .alloc = alloc_system(), .workers = WORKERS, .driver = drivers[i]};
        struct error e = {0};
        if (executor_new(&team.ex, &cfg, &e) != ERR_OK)
            SKIP("%s: %s", drivers[i], e.text);
        struct listener_config lc = {.accepted = team_accepted, .ctx = &team};
        REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
        for (unsigned k = 0; k < WORKERS; k++) {
            team.side[k].worker = executor_worker(team.ex, k);
            REQUIRE(listener_open(&team.listener[k], team.side[k].worker, &lc, &e) == ERR_OK);
            lc.addr = *listener_addr(team.listener[0]);
        }
        for (unsigned k = 0; k < CLIENTS; k++) {
            struct peer *p = &team.clients[k];
            struct worker *w = team.side[k % WORKERS].worker;
            struct stream *s;
            *p = (struct peer){.team = &team, .rounds = 100};
            task_init(&p->task, "client", peer_poll, peer_finished);
            REQUIRE(stream_connect(&s, w, &lc.addr, &p->task) == ERR_OK);
            CHECK_EQ_INT(stream_write(s, "token", 5), ERR_OK); /* waits for the connection */
            peer_start(p, w, s);
        }
        executor_run(team.ex);
        CHECK_EQ_UINT(team.side[0].accepted + team.side[1].accepted, CLIENTS);
        for (unsigned k = 0; k < WORKERS; k++)
            listener_close(team.listener[k]);
        executor_free(team.ex);
    }
}
