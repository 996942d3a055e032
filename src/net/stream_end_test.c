#include "net/net_fixture.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- ends --- */

/* Sends a request, ends its sending side, still reads the answer. */
static enum poll half_close(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    if (c->sent == 0) {
        CHECK_EQ_INT(stream_write(c->stream, "question", 8), ERR_OK);
        c->sent = 8;
    } else if (c->sent == 8 && stream_write_pending(c->stream) == 0) {
        c->stream->net->socket->send_end(c->stream->net->io, c->stream->fd);
        c->sent = 9;
    }
    if (c->sent < 9)
        task_wake(&c->task);
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

/* Answers only when the peer has ended. */
static enum poll answer_late(struct conn *c)
{
    struct bytes in;
    enum err r;
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_CLOSED);
    CHECK_EQ_UINT(c->got, 8);
    static uint8_t answer[100000];
    CHECK_EQ_INT(stream_write(c->stream, answer, sizeof(answer)), ERR_OK);
    stream_finish(c->stream, 5000);
    return POLL_READY;
}

TEST(a_half_closed_stream_still_answers)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, answer_late);
        connect_client(&x, &c, half_close);
        x.stop_after_servers = 1;
        site_run(&x);
        CHECK_EQ_UINT(c.got, 100000);
        CHECK_EQ_INT(c.end, ERR_CLOSED);
    }
}

/* Closes so that the peer is reset: SO_LINGER with no time. */
static enum poll reset(struct conn *c)
{
    struct linger now = {.l_onoff = 1};
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    struct bytes in;
    if (stream_read(c->stream, &in) == ERR_AGAIN)
        return POLL_PENDING;
    if (c->site->env)
        net_sim_cut(c->site->env, NET_SIM_RESET);
    else
        CHECK_EQ_INT(setsockopt(c->stream->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    return end(c, ERR_OK);
}

/* Greets, and tells how it ended. */
static enum poll be_reset(struct conn *c)
{
    struct bytes in;
    if (c->sent == 0) {
        CHECK_EQ_INT(stream_write(c->stream, "hello", 5), ERR_OK);
        c->sent = 5;
    }
    enum err r = stream_read(c->stream, &in);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_IO);
    CHECK_EQ_INT(stream_os_errno(c->stream), ECONNRESET);
    CHECK_EQ_INT(stream_write(c->stream, "x", 1), ERR_CLOSED);
    return end(c, r);
}

TEST(a_reset_is_told)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, be_reset);
        connect_client(&x, &c, reset);
        x.stop_after_servers = 1;
        site_run(&x);
        CHECK_EQ_INT(c.end, ERR_OK);
    }
}

/* Closes in its first poll with data, from within the driver's call: what is unread and unsent
 * is dropped. */
static enum poll close_at_once(struct conn *c)
{
    struct bytes in;
    enum err r = stream_read(c->stream, &in);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(stream_write(c->stream, "lost", 4), ERR_OK);
    return end(c, r);
}

static enum poll talk_until_closed(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    while ((r = stream_read(c->stream, &in)) == ERR_OK)
        stream_consume(c->stream, in.n);
    if (r != ERR_AGAIN)
        return end(c, r);
    static uint8_t noise[5000];
    r = stream_write(c->stream, noise, sizeof(noise));
    if (r && r != ERR_FULL)
        return end(c, r);
    if (!r)
        task_wake(&c->task);
    return POLL_PENDING;
}

TEST(a_stream_may_be_closed_within_its_poll)
{
    enum { CLIENTS = 50 };
    EACH_WAY(driver, way)
    {
        struct conn c[CLIENTS] = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, close_at_once);
        for (size_t k = 0; k < CLIENTS; k++)
            connect_client(&x, &c[k], talk_until_closed);
        x.stop_after_servers = CLIENTS;
        site_run(&x);
        for (size_t k = 0; k < CLIENTS; k++)
            CHECK(c[k].end == ERR_CLOSED || c[k].end == ERR_IO);
    }
}

/* Opens and closes in turn, again and again: descriptors and memory are used again at once. */
static enum poll come_and_go(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_OK);
    if (c->sent == 0) {
        CHECK_EQ_INT(stream_write(c->stream, "ping", 4), ERR_OK);
        c->sent = 4;
    }
    if (stream_read(c->stream, &in) == ERR_AGAIN || in.n < 4)
        return POLL_PENDING; /* it may come in pieces */
    CHECK_EQ_UINT(in.n, 4);
    stream_close(c->stream);
    c->sent = 0;
    if (++c->rounds == 100)
        return POLL_READY;
    REQUIRE(stream_connect_via(&c->stream, c->site->worker, listener_addr(c->site->listener),
                               &c->site->client_via, &c->task) == ERR_OK);
    return POLL_PENDING;
}

TEST(connections_come_and_go)
{
    enum { CLIENTS = 10 };
    EACH_WAY(driver, way)
    {
        struct conn c[CLIENTS] = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, echo);
        for (size_t k = 0; k < CLIENTS; k++)
            connect_client(&x, &c[k], come_and_go);
        x.stop_after_servers = CLIENTS * 100;
        site_run(&x);
        CHECK_EQ_UINT(x.servers_seen, CLIENTS * 100);
    }
}

static enum poll expect_refusal(struct conn *c)
{
    enum err r = stream_connected(c->stream);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    CHECK_EQ_INT(r, ERR_IO);
    CHECK_EQ_INT(stream_os_errno(c->stream), ECONNREFUSED);
    CHECK_EQ_INT(stream_write(c->stream, "x", 1), ERR_CLOSED);
    return end(c, r);
}

/* A port that is taken, so that nobody else can listen on it. */
static int nobody_listens(struct addr *a)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *a = (struct addr){0};
    REQUIRE(fd >= 0 && addr_parse(a, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(bind(fd, &a->sa, a->len) == 0 && getsockname(fd, &a->sa, &a->len) == 0);
    return fd;
}

TEST(a_refused_connection_is_told)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, echo);
        struct addr nobody;
        int bound = nobody_listens(&nobody);
        client_init(&x, &c, expect_refusal);
        /* One that is given up before it is decided must leave nothing behind. */
        struct stream *given_up;
        REQUIRE(stream_connect_via(&given_up, x.worker, &nobody, &x.client_via, &c.task) == ERR_OK);
        stream_close(given_up);
        REQUIRE(stream_connect_via(&c.stream, x.worker, &nobody, &x.client_via, &c.task) == ERR_OK);
        task_spawn(x.worker, &c.task);
        site_run(&x);
        CHECK_EQ_INT(c.end, ERR_IO);
        (void)close(bound);
    }
}

/* stream_finish() towards a peer that never reads and never closes ends by its time. */
static enum poll finish_soon(struct conn *c)
{
    static uint8_t big[1024 * 1024];
    CHECK_EQ_INT(stream_write(c->stream, big, sizeof(big)), ERR_OK);
    stream_finish(c->stream, 20);
    return POLL_READY;
}

static enum poll never_read(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (!r)
        r = stream_read(c->stream, &in);
    if (c->site->listener && listener_connections(c->site->listener) > 0) {
        c->rounds++;
        return POLL_PENDING;
    }
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

static void poke(struct timer *t)
{
    struct site *x = CONTAINER_OF(t, struct site, timer);
    if (x->servers_done > 0 && listener_connections(x->listener) == 0)
        executor_stop(x->ex);
    else
        timer_set_after_ms(t, 5);
}

TEST(lingering_ends_by_its_time)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, finish_soon);
        connect_client(&x, &c, never_read);
        stream_set_limits(c.stream, &(struct stream_limits){.read_max = 1000});
        timer_cancel(&x.timer);
        timer_init(&x.timer, x.worker, poke);
        timer_set_after_ms(&x.timer, 5);
        x.stop_after_clients = 2; /* the timer stops it */
        site_run(&x);
        CHECK_EQ_UINT(x.clients_done, 1); /* canceled by the stop, or told of the end */
    }
}

/* --- limits and lives --- */

TEST(connections_above_the_limit_are_closed)
{
    enum { CLIENTS = 8 };
    EACH_WAY(driver, way)
    {
        struct conn c[CLIENTS] = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 3, echo);
        for (size_t k = 0; k < CLIENTS; k++)
            connect_client(&x, &c[k], talk_until_closed);
        x.stop_after_clients = CLIENTS - 3;
        site_run(&x);
        CHECK_EQ_UINT(x.servers_seen, 3);
        CHECK_EQ_UINT(x.clients_done, CLIENTS); /* three of them canceled by the stop */
    }
}
