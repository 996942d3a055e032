#include "net/net_fixture.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void many_pings(const char *driver, const char *way, const char *host)
{
    enum { CLIENTS = 200, ROUNDS = 50 };
    static struct conn clients[CLIENTS];
    struct site x;
    memset(clients, 0, sizeof(clients));
    site_open_on(&x, driver, way, host, 0, echo);
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
    EACH_WAY(driver, way)
    {
        for (size_t k = 0; k < ARRAY_LEN(hosts); k++) {
            LABEL("%s, %s, %s", driver, way, hosts[k]);
            many_pings(driver, way, hosts[k]);
        }
    }
    CHECK(access(path + 5, F_OK) != 0); /* the listener removed its file */
}

/* --- much data, a slow reader --- */

enum { HUGE_BYTES = 24 * 1024 * 1024 };

/* Sends as fast as it may. */
static enum poll pour(struct conn *c)
{
    static uint8_t part[30000];
    enum err r = ERR_OK;
    while (c->sent < c->want) {
        size_t n = c->want - c->sent < sizeof(part) ? c->want - c->sent : sizeof(part);
        for (size_t i = 0; i < n; i++)
            part[i] = pattern(c->sent + i);
        r = stream_write(c->stream, part, n);
        if (r)
            break;
        c->sent += n;
        if (stream_write_pending(c->stream) > c->peak)
            c->peak = stream_write_pending(c->stream);
    }
    if (r == ERR_FULL)
        return POLL_PENDING;
    if (r)
        return end(c, r);
    stream_finish(c->stream, 20000);
    c->stream = NULL;
    return POLL_READY;
}

/* Takes a little each time, and wakes itself; so bytes gather in the stream. */
static enum poll sip(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    if (!r)
        r = stream_read(c->stream, &in);
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    if (r)
        return end(c, r);
    if (in.n > c->peak)
        c->peak = in.n;
    size_t n = in.n < 50000 ? in.n : 50000;
    for (size_t i = 0; i < n; i++)
        if (in.p[i] != pattern(c->got + i)) {
            CHECK_EQ_INT(in.p[i], pattern(c->got + i));
            return end(c, ERR_CORRUPT);
        }
    c->got += n;
    stream_consume(c->stream, n);
    task_wake(&c->task);
    return POLL_PENDING;
}

static enum poll pour_huge(struct conn *c)
{
    c->want = HUGE_BYTES;
    enum poll p = pour(c);
    CHECK(c->peak <= 256 * 1024 + LAYER_PIECE); /* what is encrypted is a little longer */
    return p;
}

TEST(a_slow_reader_bounds_both_sides)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, pour_huge);
        x.limits = (struct stream_limits){.write_max = 256 * 1024, .write_low = 32 * 1024};
        connect_client(&x, &c, sip);
        stream_set_limits(c.stream, &(struct stream_limits){.read_max = 100 * 1000});
        x.stop_after_servers = 1;
        site_run(&x);
        CHECK_EQ_UINT(c.got, HUGE_BYTES);
        CHECK_EQ_INT(c.end, ERR_CLOSED);
        /* What was on its way when receiving paused comes on top. */
        CHECK(c.peak <= 100 * 1000 + 1200 * 1000);
    }
}

/* Echoes what it is sent with a small queue: it must wait, and be woken, all the time. */
static enum poll pour_and_check(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        for (size_t i = 0; i < in.n; i++)
            if (in.p[i] != pattern(c->got + i))
                return end(c, ERR_CORRUPT);
        c->got += in.n;
        stream_consume(c->stream, in.n);
    }
    if (r != ERR_AGAIN)
        return end(c, r);
    while (c->sent < c->want) {
        size_t n = 1000 + c->sent % 40000;
        if (n > c->want - c->sent)
            n = c->want - c->sent;
        uint8_t *p = stream_reserve(c->stream, n + 100); /* more than is used */
        if (!p)
            break;
        for (size_t i = 0; i < n; i++)
            p[i] = pattern(c->sent + i);
        stream_commit(c->stream, n);
        c->sent += n;
    }
    return c->got == c->want ? end(c, ERR_OK) : POLL_PENDING;
}

TEST(back_pressure_goes_through_an_echo)
{
    enum { CLIENTS = 4 };
    EACH_WAY(driver, way)
    {
        struct conn c[CLIENTS] = {0};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, echo);
        x.limits = (struct stream_limits){
            .read_max = 64 * 1024, .write_max = 64 * 1024, .write_low = 8 * 1024};
        for (size_t k = 0; k < CLIENTS; k++) {
            c[k].want = 3 * 1024 * 1024;
            connect_client(&x, &c[k], pour_and_check);
        }
        x.stop_after_servers = CLIENTS;
        site_run(&x);
        for (size_t k = 0; k < CLIENTS; k++)
            CHECK_EQ_INT(c[k].end, ERR_OK);
    }
}

/* --- a message that comes in pieces --- */

/* Sends one message byte by byte, each in a tick of its own. */
static enum poll dribble(struct conn *c)
{
    uint8_t byte = pattern(c->sent);
    if (stream_connected(c->stream) == ERR_AGAIN)
        return POLL_PENDING;
    if (c->sent < c->want) {
        CHECK_EQ_INT(stream_write(c->stream, &byte, 1), ERR_OK);
        c->sent++;
        task_wake(&c->task);
        return POLL_PENDING;
    }
    struct bytes in;
    enum err r = stream_read(c->stream, &in);
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

/* Consumes nothing before all is there. */
static enum poll await_all(struct conn *c)
{
    struct bytes in = {0};
    enum err r;
    while ((r = stream_read(c->stream, &in)) == ERR_OK)
        c->rounds++;
    if (in.n < 300)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    CHECK_EQ_UINT(in.n, 300);
    for (size_t i = 0; i < in.n; i++)
        CHECK_EQ_INT(in.p[i], pattern(i));
    stream_consume(c->stream, 100);
    CHECK_EQ_INT(stream_read(c->stream, &in), ERR_AGAIN); /* nothing new */
    CHECK_EQ_UINT(in.n, 200);                             /* but this is what is left */
    CHECK_EQ_INT(in.p[0], pattern(100));
    stream_consume(c->stream, 200);
    return end(c, ERR_OK);
}

TEST(a_message_in_pieces_is_gathered)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {.want = 300};
        struct site x;
        site_open_on(&x, driver, way, "127.0.0.1", 0, await_all);
        connect_client(&x, &c, dribble);
        x.stop_after_servers = 1;
        site_run(&x);
        CHECK_EQ_INT(c.end, ERR_CLOSED);
    }
}
