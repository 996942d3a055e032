#include "net/net_fixture.h"
#include "net/stream_move.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that hop between two workers while their clients pour: every byte is seen once and
 * in order, on whichever worker, and so is what the server writes before each hop. */

enum { CLIENTS = 12, CLIENT_BYTES = 300000, WORKERS = 2, ABANDONED = 8 };

struct hopper {
    struct task task;
    struct stream *stream;
    struct world *world;
    unsigned worker; /* that it is on */
    uint64_t random;
    size_t got, written;
    unsigned hops;
    bool hop, lost;
};
struct world {
    struct executor *ex;
    struct listener *listener;
    struct hopper hoppers[CLIENTS];
    unsigned accepted;
    _Atomic unsigned clients_done;
    unsigned stop_at_hop; /* 0: never */
    struct site layers;
};

static uint64_t next_random(uint64_t *r)
{
    return *r = *r * 6364136223846793005u + 1442695040888963407u;
}

static enum poll hopper_poll(struct task *t);
static void hopper_finished(struct task *t);

static void sit_down(struct hopper *h, struct stream *s)
{
    h->stream = s;
    h->hop = false;
    task_init(&h->task, "hopper", hopper_poll, hopper_finished);
    stream_bind(s, &h->task);
    task_spawn(executor_worker(h->world->ex, h->worker), &h->task);
}

static void moved(void *ctx, struct stream *s)
{
    struct hopper *h = ctx;
    CHECK(worker_current() == executor_worker(h->world->ex, h->worker));
    h->lost = !s;
    if (s)
        sit_down(h, s);
}

static void hopper_finished(struct task *t)
{
    struct hopper *h = CONTAINER_OF(t, struct hopper, task);
    struct stream *s = h->stream;
    if (!h->hop)
        return;
    h->stream = NULL;
    h->hops++;
    h->worker = 1 - h->worker;
    struct executor *ex = h->world->ex;
    bool stop = h->hops == h->world->stop_at_hop; /* once it moves, it is the other worker's */
    REQUIRE(stream_move(s, executor_worker(ex, h->worker), moved, h) == ERR_OK);
    if (stop)
        executor_stop(ex);
}

/* A few bytes, and away: often with bytes left unread. */
static void read_some(struct hopper *h, struct bytes in)
{
    size_t n = 1 + (size_t)(next_random(&h->random) >> 33) % 9000;
    n = n < in.n ? n : in.n;
    for (size_t i = 0; i < n; i++)
        REQUIRE(in.p[i] == pattern(h->got + i));
    h->got += n;
    stream_consume(h->stream, n);
    uint8_t answer = pattern(h->written);
    if (stream_write(h->stream, &answer, 1) == ERR_OK)
        h->written++;
}

static enum poll hopper_poll(struct task *t)
{
    struct hopper *h = CONTAINER_OF(t, struct hopper, task);
    struct bytes in;
    enum err err = t->canceled ? ERR_CANCELED : stream_read(h->stream, &in);
    if (err == ERR_AGAIN)
        return POLL_PENDING;
    if (err == ERR_OK) {
        read_some(h, in);
        h->hop = true;
    } else if (err == ERR_CLOSED) {
        stream_finish(h->stream, 1000);
    } else {
        stream_close(h->stream);
    }
    return POLL_READY;
}

static void accepted(void *ctx, struct stream *s)
{
    struct world *w = ctx;
    REQUIRE(w->accepted < CLIENTS);
    struct hopper *h = &w->hoppers[w->accepted++];
    *h = (struct hopper){.world = w, .random = test_seed() + w->accepted};
    sit_down(h, s);
}

/* ---- clients: threads with blocking sockets ---- */

struct pourer {
    pthread_t thread;
    struct world *stop; /* whose executor the last of them stops; may be NULL */
    struct addr to;
    uint64_t random;
    size_t sent, got;
    bool wrong;
};

static void look(struct pourer *p, int fd, int flags)
{
    uint8_t in[512];
    ssize_t n;
    while ((n = recv(fd, in, sizeof(in), flags)) > 0)
        for (ssize_t i = 0; i < n; i++)
            p->wrong = p->wrong || in[i] != pattern(p->got++);
}

static void *pour(void *arg)
{
    struct pourer *p = arg;
    uint8_t out[20000];
    int fd = socket(p->to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = fd >= 0 && connect(fd, &p->to.sa, p->to.len) == 0;
    while (open && p->sent < CLIENT_BYTES) {
        size_t n = 1 + (size_t)(next_random(&p->random) >> 33) % sizeof(out);
        n = n < CLIENT_BYTES - p->sent ? n : CLIENT_BYTES - p->sent;
        for (size_t i = 0; i < n; i++)
            out[i] = pattern(p->sent + i);
        ssize_t sent = send(fd, out, n, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        p->sent += (size_t)sent;
        look(p, fd, MSG_DONTWAIT);
    }
    (void)shutdown(fd, SHUT_WR);
    look(p, fd, 0);
    (void)close(fd);
    if (p->stop && atomic_fetch_add(&p->stop->clients_done, 1) + 1 == CLIENTS)
        executor_stop(p->stop->ex);
    return NULL;
}

static void open_world(struct world *w, const char *driver, const char *way)
{
    const struct executor_config cfg = {
        .alloc = alloc_system(), .workers = WORKERS, .driver = driver, .offload_threads = 1};
    struct listener_config lc = {.accepted = accepted, .ctx = w};
    struct error e = {0};
    *w = (struct world){0};
    if (executor_new(&w->ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    w->layers.ex = w->ex;
    site_way(&w->layers, way);
    lc.via = &w->layers.server_via;
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(net_prepare(w->ex) == ERR_OK);
    REQUIRE(CHECK_EQ_INT(listener_open(&w->listener, executor_worker(w->ex, 0), &lc, &e), ERR_OK));
}

static void pour_all(struct world *w, struct pourer *p)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        p[i] = (struct pourer){.stop = w->stop_at_hop ? NULL : w,
                               .to = *listener_addr(w->listener),
                               .random = test_seed() ^ i};
        REQUIRE(pthread_create(&p[i].thread, NULL, pour, &p[i]) == 0);
    }
    executor_run(w->ex);
}

static void wait_for(struct pourer *p)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(p[i].thread, NULL);
}

TEST(moving_streams_lose_no_byte)
{
    static struct world w;
    struct pourer p[CLIENTS];
    for (size_t d = 0; d < SYSTEM_DRIVERS; d++) {
        LABEL("%s", drivers[d]);
        open_world(&w, drivers[d], ways[0]);
        pour_all(&w, p);
        wait_for(p);
        CHECK_EQ_UINT(listener_connections(w.listener), 0);
        listener_close(w.listener);
        executor_free(w.ex);
        size_t written = 0, got = 0; /* who is whose client is not known */
        for (unsigned i = 0; i < CLIENTS; i++) {
            CHECK(!w.hoppers[i].lost);
            CHECK_EQ_UINT(w.hoppers[i].got, CLIENT_BYTES);
            CHECK(w.hoppers[i].hops > 20);
            CHECK(!p[i].wrong);
            written += w.hoppers[i].written;
            got += p[i].got;
        }
        CHECK_EQ_UINT(got, written);
    }
}

/* Those that are on their way when all stops are closed, and nothing of them is left. */
TEST(streams_on_their_way_at_the_end)
{
    static struct world w;
    struct pourer p[CLIENTS];
    for (size_t d = 0; d < SYSTEM_DRIVERS; d++)
        for (unsigned hop = 1; hop <= ABANDONED; hop++) {
            LABEL("%s, %u", drivers[d], hop);
            open_world(&w, drivers[d], ways[0]);
            w.stop_at_hop = hop;
            pour_all(&w, p);
            listener_close(w.listener);
            executor_free(w.ex);
            wait_for(p); /* none waits for ever */
        }
}

/* ---- clients with layers: tasks on worker 0 ---- */

enum { LAYERED_BYTES = 100000 };

struct asker {
    struct task task;
    struct stream *stream;
    struct world *world;
    size_t sent, got;
    enum err end;
};

static bool look_at_answers(struct asker *a, enum err *r)
{
    struct bytes in;
    while ((*r = stream_read(a->stream, &in)) == ERR_OK) {
        for (size_t i = 0; i < in.n; i++)
            if (in.p[i] != pattern(a->got++))
                return false;
        stream_consume(a->stream, in.n);
    }
    return true;
}

/* Pours, ends its side, and reads until the server has ended. */
static enum poll asker_poll(struct task *t)
{
    struct asker *a = CONTAINER_OF(t, struct asker, task);
    uint8_t out[3000];
    enum err r = t->canceled ? ERR_CANCELED : stream_connected(a->stream);
    while (!r && a->sent < LAYERED_BYTES) {
        size_t n = LAYERED_BYTES - a->sent < sizeof(out) ? LAYERED_BYTES - a->sent : sizeof(out);
        for (size_t i = 0; i < n; i++)
            out[i] = pattern(a->sent + i);
        r = stream_write(a->stream, out, n);
        a->sent += r ? 0 : n;
    }
    if (r == ERR_FULL || r == ERR_OK)
        r = look_at_answers(a, &r) ? r : ERR_CORRUPT;
    if (r == ERR_AGAIN && a->got < LAYERED_BYTES / 9000)
        return POLL_PENDING;
    a->end = r;
    stream_finish(a->stream, 5000);
    if (atomic_fetch_add(&a->world->clients_done, 1) + 1 == CLIENTS)
        executor_stop(a->world->ex);
    return POLL_READY;
}

static void move_layered(const char *driver, const char *way)
{
    static struct world w;
    static struct asker askers[CLIENTS];
    open_world(&w, driver, way);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct asker *a = &askers[i];
        *a = (struct asker){.world = &w};
        task_init(&a->task, "asker", asker_poll, NULL);
        REQUIRE(stream_connect_via(&a->stream, executor_worker(w.ex, 0), listener_addr(w.listener),
                                   &w.layers.client_via, &a->task) == ERR_OK);
        task_spawn(executor_worker(w.ex, 0), &a->task);
    }
    executor_run(w.ex);
    listener_close(w.listener);
    tls_free(w.layers.server_tls);
    tls_free(w.layers.client_tls);
    executor_free(w.ex);
    for (unsigned i = 0; i < CLIENTS; i++) {
        CHECK_EQ_INT(askers[i].end, ERR_AGAIN);
        CHECK(askers[i].got >= LAYERED_BYTES / 9000); /* one for each hop, at least */
        CHECK(w.hoppers[i].hops >= askers[i].got || w.hoppers[i].hops > LAYERED_BYTES / 9000);
        CHECK(!w.hoppers[i].lost);
    }
}

TEST(moving_streams_take_their_layers_along)
{
    for (size_t d = 0; d < SYSTEM_DRIVERS; d++)
        for (size_t i = 1; i < ARRAY_LEN(ways); i++) {
            LABEL("%s, %s", drivers[d], ways[i]);
            move_layered(drivers[d], ways[i]);
        }
}
