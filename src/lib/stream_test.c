/* Streams and connection pools through the public headers; see rt_test.c. */
#include "tests/support/test.h"
#include <sedge/sedge.h>
#include <string.h>

enum { WAIT_MS = 20000 }; /* for what must come */

static void run_on_both(intptr_t (*fn)(void *arg))
{
    static const char *const drivers[] = {"epoll", NULL};
    for (int i = 0; i < 2; i++) {
        struct sedge_rt_config cfg = {.workers = 1, .driver = drivers[i]};
        struct sedge_rt *rt;
        LABEL("%s", drivers[i] ? drivers[i] : "best");
        REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
        CHECK_EQ_INT(sedge_rt_run(rt, fn, NULL, NULL), SEDGE_OK);
        sedge_rt_free(rt);
    }
}

TEST(addr_is_read_and_written)
{
    static const struct {
        const char *host, *text;
        enum sedge_err want;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:7", SEDGE_OK},
        {"::1", "[::1]:7", SEDGE_OK},
        {"localhost", "127.0.0.1:7", SEDGE_OK},
        {"example.org", NULL, SEDGE_ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sedge_addr a;
        char text[SEDGE_ADDR_TEXT_MAX];
        LABEL("%s", cases[i].host);
        if (!CHECK_EQ_INT(sedge_addr_parse(&a, cases[i].host, 7), cases[i].want) || !cases[i].text)
            continue;
        sedge_addr_format(&a, text);
        CHECK_EQ_STR(text, cases[i].text);
        CHECK_EQ_UINT(sedge_addr_port(&a), 7);
    }
}

static struct sedge_listener *listen_on_any(void)
{
    struct sedge_addr any;
    struct sedge_listener *l;
    struct sedge_error e = {0};
    REQUIRE(CHECK_EQ_INT(sedge_addr_parse(&any, "127.0.0.1", 0), SEDGE_OK));
    REQUIRE(CHECK_EQ_INT(sedge_listen(&l, &any, 1, &e), SEDGE_OK));
    return l;
}

/* Answers each line with its length as a byte, and ends at the peer's end. */
static intptr_t serve(void *arg)
{
    struct sedge_stream *s;
    char line[32];
    size_t n;
    if (!CHECK_EQ_INT(sedge_accept(arg, &s, WAIT_MS), SEDGE_OK))
        return 1;
    enum sedge_err r;
    while (!(r = sedge_stream_read_until(s, "\r\n", line, sizeof(line), &n, WAIT_MS))) {
        char length = (char)n;
        CHECK_EQ_INT(sedge_stream_write(s, &length, 1, WAIT_MS), SEDGE_OK);
    }
    CHECK_EQ_INT(r, SEDGE_ERR_CLOSED);
    sedge_stream_finish(s, WAIT_MS);
    return 0;
}

static intptr_t talk(void *arg)
{
    struct sedge_listener *l = listen_on_any();
    struct sedge_addr to = sedge_listener_addr(l), peer;
    struct sedge_stream *s;
    struct sedge_error e = {0};
    struct sedge_scope scope;
    char got[2] = "";
    size_t n = 9;
    (void)arg;
    sedge_scope_begin(&scope);
    CHECK_EQ_INT(sedge_scope_spawn(&scope, serve, l, "serve"), SEDGE_OK);
    REQUIRE(CHECK_EQ_INT(sedge_connect(&s, &to, WAIT_MS, &e), SEDGE_OK));
    CHECK(sedge_stream_peer(s, &peer));
    CHECK_EQ_UINT(sedge_addr_port(&peer), sedge_addr_port(&to));
    CHECK_EQ_INT(sedge_stream_read(s, got, 2, &n, 1), SEDGE_ERR_TIMEOUT);
    CHECK_EQ_UINT(n, 0);
    CHECK_EQ_INT(sedge_stream_write(s, "grass\r\nis\r\n", 11, WAIT_MS), SEDGE_OK);
    CHECK_EQ_INT(sedge_stream_read_exactly(s, got, 2, WAIT_MS), SEDGE_OK);
    CHECK_EQ_INT(got[0] * 10 + got[1], 74);
    struct sedge_stream_limits limits = {.read_max = 100};
    sedge_stream_set_limits(s, &limits);
    CHECK_EQ_INT(sedge_stream_read_exactly(s, got, 51, WAIT_MS), SEDGE_ERR_RANGE);
    CHECK_EQ_INT(sedge_stream_os_errno(s), 0);
    sedge_stream_close(s);
    sedge_stream_close(NULL);
    CHECK_EQ_INT(sedge_scope_end(&scope), SEDGE_OK);
    CHECK_EQ_UINT(sedge_listener_refused(l), 0);
    sedge_listener_free(l);
    sedge_listener_free(NULL);
    return 0;
}

TEST(streams_talk)
{
    run_on_both(talk);
}

struct there {
    struct sedge_addr addr;
    struct sedge_wait_group done;
};

static intptr_t listen_there_too(void *arg)
{
    struct there *t = arg;
    struct sedge_listener *l;
    struct sedge_error e = {0};
    CHECK_EQ_UINT(sedge_rt_worker(), 1);
    CHECK_EQ_INT(sedge_listen(&l, &t->addr, 0, &e), SEDGE_OK);
    sedge_listener_free(l);
    sedge_wait_group_done(&t->done);
    return 0;
}

static intptr_t share_a_port(void *arg)
{
    struct there t;
    struct sedge_listener *l = listen_on_any();
    (void)arg;
    t.addr = sedge_listener_addr(l);
    sedge_wait_group_init(&t.done, SEDGE_SHARED);
    sedge_wait_group_add(&t.done, 1);
    CHECK_EQ_INT(sedge_co_spawn_on(sedge_rt_current(), 1, listen_there_too, &t, "there"), SEDGE_OK);
    CHECK_EQ_INT(sedge_wait_group_wait(&t.done), SEDGE_OK);
    sedge_listener_free(l);
    return 0;
}

TEST(workers_share_a_port)
{
    struct sedge_rt_config cfg = {.workers = 2, .driver = "epoll"};
    struct sedge_rt *rt;
    REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
    CHECK_EQ_INT(sedge_rt_run(rt, share_a_port, NULL, NULL), SEDGE_OK);
    sedge_rt_free(rt);
}

static intptr_t wait_for_nobody(void *arg)
{
    struct sedge_stream *s = NULL;
    CHECK_EQ_INT(sedge_accept(arg, &s, 1), SEDGE_ERR_TIMEOUT);
    CHECK_EQ_INT(sedge_accept(arg, &s, WAIT_MS), SEDGE_ERR_CLOSED);
    CHECK_EQ_PTR(s, NULL);
    return 0;
}

static intptr_t refusals(void *arg)
{
    struct sedge_listener *l = listen_on_any(), *second;
    struct sedge_addr to = sedge_listener_addr(l);
    struct sedge_stream *s;
    struct sedge_co *co;
    struct sedge_error e = {0};
    (void)arg;
    CHECK_EQ_INT(sedge_listen(&second, &to, 0, &e), SEDGE_ERR_IO);
    CHECK_EQ_PTR(second, NULL);
    CHECK_HAS_STR(e.text, "can't listen on 127.0.0.1:");

    CHECK_EQ_INT(sedge_co_spawn(&co, wait_for_nobody, l, "acceptor"), SEDGE_OK);
    CHECK_EQ_INT(sedge_sleep_ms(5), SEDGE_OK);
    sedge_listener_close(l);
    CHECK_EQ_INT(sedge_co_join(co, NULL), SEDGE_OK);
    sedge_listener_free(l);

    enum sedge_err r; /* the socket closes when the system has let it go */
    while (!(r = sedge_connect(&s, &to, WAIT_MS, &e)))
        sedge_stream_close(s);
    CHECK_EQ_INT(r, SEDGE_ERR_IO);
    CHECK_EQ_PTR(s, NULL);
    CHECK(e.os_errno != 0);
    CHECK_HAS_STR(e.text, "can't connect to 127.0.0.1:");
    CHECK_EQ_INT(sedge_connect(&s, &to, 0, &e), SEDGE_ERR_TIMEOUT);
    CHECK_HAS_STR(e.text, "timed out");
    sedge_co_cancel(sedge_co_current());
    CHECK_EQ_INT(sedge_connect(&s, &to, -1, &e), SEDGE_ERR_CANCELED);
    return 0;
}

TEST(streams_are_refused_in_words)
{
    run_on_both(refusals);
    struct sedge_addr any;
    struct sedge_listener *l;
    struct sedge_error e = {0};
    struct sedge_stream *s;
    struct sedge_conn_pool *pool;
    CHECK_EQ_INT(sedge_addr_parse(&any, "127.0.0.1", 0), SEDGE_OK);
    CHECK_EQ_INT(sedge_listen(&l, &any, 0, &e), SEDGE_ERR_INVALID);
    CHECK_HAS_STR(e.text, "worker");
    CHECK_EQ_INT(sedge_connect(&s, &any, 0, NULL), SEDGE_ERR_INVALID);
    CHECK_EQ_INT(sedge_conn_pool_new(&pool, NULL), SEDGE_ERR_INVALID);
}

static intptr_t echo_bytes(void *arg)
{
    struct sedge_stream *s;
    char c;
    size_t n;
    while (sedge_accept(arg, &s, WAIT_MS) == SEDGE_OK) {
        while (!sedge_stream_read(s, &c, 1, &n, WAIT_MS))
            CHECK_EQ_INT(sedge_stream_write(s, &c, 1, WAIT_MS), SEDGE_OK);
        sedge_stream_close(s);
    }
    return 0;
}

static intptr_t take_and_give(void *arg)
{
    struct sedge_listener *l = listen_on_any();
    struct sedge_addr to = sedge_listener_addr(l);
    struct sedge_conn_pool_config cfg = {.per_addr_max = 1, .waiting_max = 1};
    struct sedge_conn_pool *pool;
    struct sedge_stream *s, *second;
    struct sedge_co *co;
    struct sedge_error e = {0};
    (void)arg;
    CHECK_EQ_INT(sedge_co_spawn(&co, echo_bytes, l, "echo"), SEDGE_OK);
    REQUIRE(CHECK_EQ_INT(sedge_conn_pool_new(&pool, &cfg), SEDGE_OK));
    for (int i = 0; i < 3; i++) {
        char c = 'x';
        REQUIRE(CHECK_EQ_INT(sedge_conn_pool_take(pool, &s, &to, WAIT_MS, &e), SEDGE_OK));
        CHECK_EQ_INT(sedge_stream_write(s, "y", 1, WAIT_MS), SEDGE_OK);
        CHECK_EQ_INT(sedge_stream_read_exactly(s, &c, 1, WAIT_MS), SEDGE_OK);
        CHECK_EQ_INT(c, 'y');
        if (i == 0) {
            CHECK_EQ_INT(sedge_conn_pool_take(pool, &second, &to, 1, &e), SEDGE_ERR_TIMEOUT);
            CHECK_EQ_PTR(second, NULL);
        }
        if (i < 2)
            sedge_conn_pool_give(pool, s);
    }
    struct sedge_conn_pool_stats stats = sedge_conn_pool_stats(pool);
    CHECK_EQ_UINT(stats.opened, 1);
    CHECK_EQ_UINT(stats.reused, 2);
    CHECK_EQ_UINT(stats.in_use, 1);
    CHECK_EQ_UINT(stats.timed_out, 1);
    sedge_conn_pool_drop(pool, s);
    REQUIRE(CHECK_EQ_INT(sedge_conn_pool_take(pool, &s, &to, WAIT_MS, &e), SEDGE_OK));
    CHECK_EQ_UINT(sedge_conn_pool_stats(pool).opened, 2);
    sedge_conn_pool_finish(pool, s, WAIT_MS);
    sedge_conn_pool_close(pool);
    sedge_conn_pool_close(NULL);
    sedge_listener_close(l);
    CHECK_EQ_INT(sedge_co_join(co, NULL), SEDGE_OK);
    sedge_listener_free(l);
    cfg.reserved[0] = l;
    CHECK_EQ_INT(sedge_conn_pool_new(&pool, &cfg), SEDGE_ERR_INVALID);
    return 0;
}

TEST(conn_pool_hands_out_again)
{
    run_on_both(take_and_give);
}
