/* Every allocation of a conversation fails in turn: it ends, or goes on, and leaves nothing. */
#include "net/cert_fixture.h"
#include "net/net_fixture.h"
#include <string.h>

struct talk {
    struct executor *ex;
    struct alloc_faulty faulty;
    struct timer timer;
    struct tls *tls[2]; /* the server's, the client's */
    struct websocket websocket;
    struct stream_via via[2];
    struct side {
        struct task task;
        struct stream *stream;
        size_t got;
        int rounds;
    } server, client;
};

enum { MESSAGE = 40000, /* several blocks */ ROUNDS = 4 };

static void over(struct timer *t)
{
    executor_stop(worker_executor(t->worker));
}

static bool side_reads(struct side *x)
{
    struct bytes in;
    enum err r = stream_read(x->stream, &in);
    if (r == ERR_OK) { /* all but a rest, which must be kept */
        size_t n = in.n > 10 && x->got + in.n < MESSAGE ? in.n - 10 : in.n;
        x->got += n;
        stream_consume(x->stream, n);
    }
    return r != ERR_OK && r != ERR_AGAIN;
}

static enum poll side_poll(struct task *t)
{
    struct side *x = CONTAINER_OF(t, struct side, task);
    static uint8_t message[MESSAGE];
    enum err r = stream_connected(x->stream);
    if (r == ERR_AGAIN && !t->canceled)
        return POLL_PENDING;
    bool ended = r || t->canceled || side_reads(x);
    if (!ended && x->got == MESSAGE) {
        x->got = 0;
        if (++x->rounds == ROUNDS) /* enough: each allocation of it fails in another run */
            executor_stop(worker_executor(t->worker));
        r = stream_write(x->stream, message, MESSAGE);
        ended = r != ERR_OK && r != ERR_FULL;
    }
    if (!ended)
        return POLL_PENDING;
    stream_finish(x->stream, 1000);
    x->stream = NULL;
    return POLL_READY;
}

static void side_start(struct side *x, struct worker *w, struct stream *s)
{
    x->stream = s;
    task_init(&x->task, "side", side_poll, NULL);
    stream_bind(s, &x->task);
    task_spawn(w, &x->task);
}

static void talk_accepted(void *ctx, struct stream *s)
{
    struct talk *k = ctx;
    if (k->server.stream)
        stream_close(s);
    else
        side_start(&k->server, worker_current(), s);
}

static void talk(struct talk *k, const struct addr *at)
{
    struct worker *w = executor_worker(k->ex, 0);
    struct listener_config cfg = {
        .addr = *at, .accepted = talk_accepted, .ctx = k, .via = &k->via[0]};
    struct listener *l;
    struct stream *s;
    static uint8_t message[MESSAGE];
    timer_init(&k->timer, w, over);
    timer_set_after_ms(&k->timer, 20);
    enum err r = listener_open(&l, w, &cfg, NULL);
    CHECK(r == ERR_OK || (r == ERR_NOMEM && k->faulty.failed));
    if (r)
        return;
    r = stream_connect_via(&s, w, listener_addr(l), &k->via[1], &k->client.task);
    CHECK(r == ERR_OK || k->faulty.failed);
    if (!r) {
        r = stream_write(s, message, MESSAGE);
        CHECK(r == ERR_OK || (r == ERR_FULL && k->faulty.failed));
        side_start(&k->client, w, s);
    }
    executor_run(k->ex);
    timer_cancel(&k->timer);
    listener_close(l);
}

/* The files were made with memory; the rest is the layers'. */
static bool open_layers(struct talk *k, const char *way, const struct cert *cert)
{
    const struct websocket *ws = strstr(way, "WebSocket") ? &k->websocket : NULL;
    for (int i = 0; i < 2 && strstr(way, "TLS"); i++) {
        struct tls_config cfg = {.ex = k->ex, .alloc = &k->faulty.alloc, .server = i == 0};
        if (i == 0)
            cfg.identities[cfg.identities_n++] = (struct tls_identity){cert->cert, cert->key};
        else
            cfg.ca = cert->cert;
        enum err r = tls_new(&k->tls[i], &cfg, NULL);
        CHECK(r == ERR_OK || (r == ERR_NOMEM && k->faulty.failed));
        if (r)
            return false;
    }
    for (int i = 0; i < 2; i++)
        k->via[i] = stream_via_make(k->tls[i], ws, NULL);
    return true;
}

TEST(a_conversation_without_memory_ends_clean)
{
    struct cert cert;
    cert_make(&cert, "self", NULL, "IP:127.0.0.1", false);
    struct addr any;
    REQUIRE(addr_parse(&any, STR("127.0.0.1"), 0) == ERR_OK);
    for (size_t i = 0; i < SYSTEM_DRIVERS * ARRAY_LEN(ways); i++) {
        const char *driver = drivers[i % SYSTEM_DRIVERS], *way = ways[i / SYSTEM_DRIVERS];
        bool failed = true;
        for (uint64_t n = 0; failed; n++) {
            LABEL("%s, %s, allocation %llu", driver, way, (unsigned long long)n);
            struct talk k = {0};
            alloc_faulty_init(&k.faulty, n);
            struct executor_config cfg = {.alloc = &k.faulty.alloc, .workers = 1, .driver = driver};
            struct error e = {0};
            if (executor_new(&k.ex, &cfg, &e) == ERR_OK) {
                if (open_layers(&k, way, &cert))
                    talk(&k, &any);
            } else if (!k.faulty.failed) {
                SKIP("%s: %s", driver, e.text);
            }
            tls_free(k.tls[0]);
            tls_free(k.tls[1]);
            executor_free(k.ex);
            CHECK_EQ_UINT(k.faulty.live_bytes, 0);
            failed = k.faulty.failed;
        }
    }
}
