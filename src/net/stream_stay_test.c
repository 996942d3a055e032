#include "net/net_fixture.h"
#include "net/net_internal.h"
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* More connections than the process may have descriptors, both ends of them in this process: one
 * client after the other connects and is echoed; the client that came OPEN before it then goes,
 * but for those that their server has ended already. In the end, all that are left send at once
 * more than the driver has buffers for. */

enum { OPEN = 100, ALL = 400, SMALL = 8, LARGE = 200000, STORM = 60000 };
/* Descriptors, in all and left by the test: the clients fit, and their servers do not. */
enum { FILES = 1000, FILES_LEFT = 122 };

struct crowd {
    struct site site;
    struct conn clients[ALL];
    size_t begun, strangers; /* servers that are no descriptors */
    int taken[FILES];
    size_t taken_n;
    bool leave_open, storm;
};

static struct crowd *crowd_of(struct conn *c)
{
    return CONTAINER_OF(c->site, struct crowd, site);
}

static enum poll client(struct conn *c);

/* Some send what does not fit into a socket. */
static size_t size_of(const struct crowd *x, const struct conn *c)
{
    return (c - x->clients) % 40 == 39 ? LARGE : SMALL;
}

/* Every fourth one is ended by its server. */
static bool server_ends(size_t number)
{
    return number % 4 == 1;
}

static void say(struct conn *c, size_t n)
{
    static uint8_t bytes[LARGE];
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(c->sent + i + (size_t)(c - crowd_of(c)->clients));
    REQUIRE(stream_write(c->stream, bytes, n) == ERR_OK);
    c->sent += n;
}

/* Its time is over. */
static void dismiss(struct conn *c)
{
    c->peak = 1;
    if (c->stream)
        task_wake(&c->task);
}

static void begin_storm(struct crowd *x)
{
    x->storm = true;
    for (size_t i = ALL - OPEN; i < ALL; i++) {
        struct conn *c = &x->clients[i];
        if (c->stream && !c->peak && !server_ends(i))
            say(c, STORM);
        dismiss(c);
    }
}

static void next_client(struct crowd *x)
{
    if (x->begun >= OPEN)
        dismiss(&x->clients[x->begun - OPEN]);
    if (x->begun < ALL)
        connect_client(&x->site, &x->clients[x->begun++], client);
    else if (x->leave_open)
        executor_stop(x->site.ex);
    else
        begin_storm(x);
}

static void hear(struct conn *c, struct bytes in)
{
    for (size_t i = 0; i < in.n; i++)
        REQUIRE(in.p[i] == pattern(c->got + i + (size_t)(c - crowd_of(c)->clients)));
    c->got += in.n;
    stream_consume(c->stream, in.n);
}

static enum poll client(struct conn *c)
{
    struct crowd *x = crowd_of(c);
    bool server_ends_it = server_ends((size_t)(c - x->clients));
    struct bytes in;
    enum err err = stream_connected(c->stream);
    if (err == ERR_AGAIN)
        return POLL_PENDING;
    REQUIRE(CHECK_EQ_INT(err, ERR_OK));
    if (!c->sent)
        say(c, size_of(x, c));
    while ((err = stream_read(c->stream, &in)) == ERR_OK)
        hear(c, in);
    if (c->got == c->sent && !c->rounds++)
        next_client(x);
    if (err == ERR_CLOSED)
        CHECK(server_ends_it);
    if (err != ERR_AGAIN)
        return end(c, err);
    return c->peak && c->got == c->sent && !server_ends_it ? end(c, ERR_OK) : POLL_PENDING;
}

/* The address of a stream that stays is still its client's. */
static void look_at_peer(struct crowd *x, struct conn *server)
{
    const struct stream *s = x->clients[server->want].stream;
    struct addr theirs = {.len = sizeof(theirs.un)}, ours;
    char name[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
    REQUIRE(s->net->socket->name(s->net->io, s->fd, &theirs.sa, &theirs.len) == 0);
    stream_address(server->stream, &ours);
    addr_format(&theirs, name);
    addr_format(&ours, peer);
    CHECK_EQ_STR(peer, name);
}

static enum poll server(struct conn *c)
{
    struct crowd *x = crowd_of(c);
    if (!c->rounds++) {
        c->want = x->site.servers_seen - 1;
        stream_stay(c->stream);
        x->strangers += fcntl(c->stream->fd, F_GETFD) < 0;
        look_at_peer(x, c);
    }
    if (echo(c) == POLL_READY)
        return POLL_READY;
    if (!server_ends(c->want) || c->sent < size_of(x, &x->clients[c->want]))
        return POLL_PENDING;
    stream_finish(c->stream, 10000);
    c->stream = NULL;
    return POLL_READY;
}

static void limit_files(struct crowd *x, struct rlimit *before)
{
    REQUIRE(getrlimit(RLIMIT_NOFILE, before) == 0);
    struct rlimit files = *before;
    if (files.rlim_max < FILES)
        SKIP("a process may have %llu descriptors only", (unsigned long long)files.rlim_max);
    files.rlim_cur = FILES;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
    x->taken_n = 0;
}

static void take_files(struct crowd *x)
{
    int fd = 0;
    while (fd < FILES - FILES_LEFT - 1) {
        fd = dup(STDOUT_FILENO);
        REQUIRE(fd >= 0);
        x->taken[x->taken_n++] = fd;
    }
}

static void restore_files(struct crowd *x, const struct rlimit *before)
{
    while (x->taken_n > 0)
        (void)close(x->taken[--x->taken_n]);
    REQUIRE(setrlimit(RLIMIT_NOFILE, before) == 0);
}

static void crowd_run(const char *driver, const char *way, bool leave_open)
{
    static struct crowd x;
    struct rlimit before;
    bool beyond = strcmp(driver, "io_uring") == 0;
    memset(&x, 0, sizeof(x));
    x.leave_open = leave_open;
    limit_files(&x, &before);
    site_open_on(&x.site, driver, way, "127.0.0.1", 0, server);
    if (beyond)
        take_files(&x);
    next_client(&x);
    site_run(&x.site);
    restore_files(&x, &before);
    CHECK_EQ_UINT(x.begun, ALL);
    CHECK_EQ_UINT(x.site.servers_seen, ALL);
    for (size_t i = 0; i < x.begun; i++)
        CHECK(x.clients[i].got == x.clients[i].sent && x.clients[i].got >= SMALL);
    CHECK(x.storm || leave_open);
    /* Those of the simulator never are. */
    if (strcmp(driver, "sim") != 0)
        CHECK_EQ_UINT(x.strangers, beyond ? ALL : 0);
}

TEST(stream_stay_beyond_the_descriptors)
{
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++) {
        for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
            LABEL("%s, %s", drivers[d], ways[w]);
            crowd_run(drivers[d], ways[w], false);
        }
    }
}

/* The executor ends while they are open. */
TEST(stream_stay_until_the_executor_ends)
{
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++) {
        LABEL("%s", drivers[d]);
        crowd_run(drivers[d], ways[0], true);
    }
}
