#include "async/scope.h"
#include "net/conn_pool.h"
#include "net/net_fixture.h"
#include "net/stream_co.h"
#include <string.h>
#include <sys/socket.h>

/* Two coroutines with a connection between them: `client` and `server`, which end their streams. */
struct talk {
    struct executor *ex;
    struct worker *worker;
    struct acceptor *acceptor;
    struct conn_pool *pool;
    struct timer guard;
    struct stream_limits limits; /* of both ends */
    void (*client)(struct talk *k, struct stream *s);
    void (*server)(struct talk *k, struct stream *s);
    struct stream *peer; /* the server's end, once it reads */
    size_t sent;
};

static void close_stream(struct talk *k, struct stream *s)
{
    (void)k;
    stream_close(s);
}

static void finish(struct stream *s)
{
    stream_finish(s, 5000);
}

static intptr_t serve_one(void *arg)
{
    struct talk *k = arg;
    struct stream *s;
    if (CHECK_EQ_INT(acceptor_take(k->acceptor, -1, &s), ERR_OK)) {
        stream_set_limits(s, &k->limits);
        k->server(k, s);
    }
    return 0;
}

static intptr_t talk_main(void *arg)
{
    struct talk *k = arg;
    struct scope both;
    struct stream *s;
    scope_begin(&both);
    CHECK_EQ_INT(scope_spawn(&both, serve_one, k, "server"), ERR_OK);
    if (CHECK_EQ_INT(conn_pool_take(k->pool, acceptor_addr(k->acceptor), -1, &s, NULL), ERR_OK)) {
        stream_set_limits(s, &k->limits);
        k->client(k, s);
    }
    CHECK_EQ_INT(scope_end(&both), ERR_OK);
    executor_stop(k->ex);
    return 0;
}

static void too_long(struct timer *t)
{
    bool stands_still = true;
    CHECK(!stands_still);
    executor_stop(worker_executor(t->worker));
}

static void talk_on(const char *driver, struct talk k)
{
    struct executor_config cfg = {.workers = 1, .driver = driver, .offload_threads = 1};
    struct addr any;
    struct error e = {0};
    if (executor_new(&k.ex, &cfg, &e) != ERR_OK)
        SKIP("%s: %s", driver, e.text);
    k.worker = executor_worker(k.ex, 0);
    REQUIRE(co_enable(k.worker, 32) == ERR_OK);
    REQUIRE(addr_parse(&any, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(acceptor_open(&k.acceptor, k.worker, &any, 4, &e) == ERR_OK);
    REQUIRE(conn_pool_new(&k.pool, k.worker, &(struct conn_pool_config){.per_addr_max = 16}) ==
            ERR_OK);
    REQUIRE(co_spawn(NULL, k.worker, talk_main, &k, "talk") == ERR_OK);
    timer_init(&k.guard, k.worker, too_long);
    timer_set_after_ms(&k.guard, 60000);
    executor_run(k.ex);
    timer_cancel(&k.guard);
    conn_pool_close(k.pool);
    acceptor_free(k.acceptor);
    executor_free(k.ex);
}

static void talk_run(struct talk k)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        LABEL("%s", drivers[i]);
        talk_on(drivers[i], k);
    }
}

/* The pool's place is free; what was written still goes out. */
static void give_up(struct talk *k, struct stream *s)
{
    conn_pool_finish(k->pool, s, 5000);
}

/* --- reading ------------------------------------------------------------------------------- */

/* Each piece is received by itself. */
static const char *const pieces[] = {"GET", " /\r", "\nHo", "st: a\r\n", "\r\nbody"};

static void send_pieces(struct talk *k, struct stream *s)
{
    WAIT_WHILE(!k->peer);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        CHECK_EQ_INT(stream_co_write(s, pieces[i], strlen(pieces[i]), -1), ERR_OK);
        k->sent += strlen(pieces[i]);
        WAIT_WHILE(stream_bytes_in(k->peer) < k->sent);
    }
    give_up(k, s);
}

static void read_pieces(struct talk *k, struct stream *s)
{
    char line[64];
    size_t n;
    k->peer = s;
    CHECK_EQ_INT(stream_co_read_until(s, STR("\r\n"), line, sizeof(line), &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 7);
    CHECK_EQ_MEM(line, "GET /\r\n", 7);
    CHECK_EQ_INT(stream_co_read_until(s, STR("\r\n"), line, sizeof(line), &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 9);
    CHECK_EQ_MEM(line, "Host: a\r\n", 9);
    CHECK_EQ_INT(stream_co_read_until(s, STR("\r\n"), line, sizeof(line), &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 2);
    CHECK_EQ_INT(stream_co_read_exactly(s, line, 4, -1), ERR_OK);
    CHECK_EQ_MEM(line, "body", 4);
    CHECK_EQ_INT(stream_co_read(s, line, sizeof(line), &n, -1), ERR_CLOSED);
    stream_close(s);
}

TEST(stream_co_reads_what_comes_in_pieces)
{
    talk_run((struct talk){.client = send_pieces, .server = read_pieces});
}

static void say_hello_and_end(struct talk *k, struct stream *s)
{
    CHECK_EQ_INT(stream_co_write(s, "hello", 5, -1), ERR_OK);
    give_up(k, s);
}

/* What came before the end is still there, and a read that fails consumes nothing. */
static void read_past_the_end(struct talk *k, struct stream *s)
{
    char p[16];
    size_t n;
    (void)k;
    CHECK_EQ_INT(stream_co_read_exactly(s, p, 6, -1), ERR_CLOSED);
    CHECK_EQ_INT(stream_co_read_until(s, STR("\n"), p, sizeof(p), &n, -1), ERR_CLOSED);
    CHECK_EQ_INT(stream_co_read(s, p, 3, &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 3);
    CHECK_EQ_INT(stream_co_read(s, p + 3, sizeof(p) - 3, &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 2);
    CHECK_EQ_MEM(p, "hello", 5);
    CHECK_EQ_INT(stream_co_read(s, p, 1, &n, -1), ERR_CLOSED);
    stream_close(s);
}

TEST(stream_co_tells_the_peers_end)
{
    talk_run((struct talk){.client = say_hello_and_end, .server = read_past_the_end});
}

static void say_much(struct talk *k, struct stream *s)
{
    static const char words[] = "0123456789 0123456789 0123456789\n";
    CHECK_EQ_INT(stream_co_write(s, words, sizeof(words) - 1, -1), ERR_OK);
    give_up(k, s);
}

static void read_bounded(struct talk *k, struct stream *s)
{
    char p[64];
    size_t n;
    (void)k;
    CHECK_EQ_INT(stream_co_read_until(s, STR("\n"), p, 32, &n, -1), ERR_RANGE);
    CHECK_EQ_INT(stream_co_read_until(s, STR("\n"), p, 33, &n, -1), ERR_OK);
    CHECK_EQ_UINT(n, 33);
    CHECK_EQ_INT(stream_co_read_exactly(s, p, 65, -1), ERR_RANGE);
    CHECK_EQ_INT(stream_co_read_until(s, STR("\n"), p, 65, &n, -1), ERR_RANGE);
    stream_close(s);
}

TEST(stream_co_reads_no_more_than_it_may)
{
    talk_run((struct talk){.client = say_much,
                           .server = read_bounded,
                           .limits = {.read_max = 128, .write_max = 4096}});
}

/* --- time and cancellation ----------------------------------------------------------------- */

static void run_out_of_time(struct talk *k, struct stream *s)
{
    char p[8];
    size_t n;
    (void)k;
    CHECK_EQ_INT(stream_co_read(s, p, sizeof(p), &n, 1), ERR_TIMEOUT);
    CHECK_EQ_INT(stream_co_read_exactly(s, p, 1, 0), ERR_TIMEOUT);
    /* The stream is as good as before. */
    CHECK_EQ_INT(stream_co_write(s, "go", 2, 5000), ERR_OK);
    CHECK_EQ_INT(stream_co_read_exactly(s, p, 2, 60000), ERR_OK);
    CHECK_EQ_MEM(p, "go", 2);
    give_up(k, s);
}

static void echo_two(struct talk *k, struct stream *s)
{
    char p[2];
    (void)k;
    CHECK_EQ_INT(stream_co_read_exactly(s, p, 2, -1), ERR_OK);
    CHECK_EQ_INT(stream_co_write(s, p, 2, -1), ERR_OK);
    finish(s);
}

TEST(stream_co_waits_no_longer_than_told)
{
    talk_run((struct talk){.client = run_out_of_time, .server = echo_two});
}

struct reader {
    struct stream *stream;
    enum err result;
    bool waits;
};

static intptr_t read_for_ever(void *arg)
{
    struct reader *r = arg;
    char p[8];
    size_t n;
    r->waits = true;
    r->result = stream_co_read(r->stream, p, sizeof(p), &n, -1);
    stream_close(r->stream);
    return 0;
}

static void cancel_reader(struct talk *k, struct stream *s)
{
    struct reader r = {.stream = s};
    struct scope scope;
    (void)k;
    scope_begin(&scope);
    CHECK_EQ_INT(scope_spawn(&scope, read_for_ever, &r, "reader"), ERR_OK);
    WAIT_WHILE(!r.waits);
    scope_cancel(&scope);
    CHECK_EQ_INT(scope_end(&scope), ERR_CANCELED);
    CHECK_EQ_INT(r.result, ERR_CANCELED);
}

static void wait_for_end(struct talk *k, struct stream *s)
{
    char p;
    size_t n;
    enum err r = stream_co_read(s, &p, 1, &n, -1);
    CHECK(r == ERR_CLOSED || r == ERR_IO);
    give_up(k, s);
}

TEST(stream_co_is_canceled_where_it_waits)
{
    talk_run((struct talk){.client = wait_for_end, .server = cancel_reader});
}

/* --- writing ------------------------------------------------------------------------------- */

enum { MUCH = 4 * 1024 * 1024 };

/* Far more than may wait in the stream and in the sockets. */
static void write_much(struct talk *k, struct stream *s)
{
    static uint8_t all[MUCH];
    for (size_t i = 0; i < MUCH; i++)
        all[i] = pattern(i);
    CHECK_EQ_INT(stream_co_write(s, all, MUCH, -1), ERR_OK);
    CHECK(stream_write_pending(s) <= 10000);
    give_up(k, s);
}

static void read_much(struct talk *k, struct stream *s)
{
    static uint8_t part[30000];
    size_t got, at = 0, wrong = 0;
    (void)k;
    while (stream_co_read(s, part, sizeof(part), &got, -1) == ERR_OK) {
        for (size_t i = 0; i < got; i++)
            wrong += part[i] != pattern(at + i);
        at += got;
    }
    CHECK_EQ_UINT(at, MUCH);
    CHECK_EQ_UINT(wrong, 0);
    stream_close(s);
}

TEST(stream_co_writes_as_fast_as_is_read)
{
    talk_run((struct talk){.client = write_much,
                           .server = read_much,
                           .limits = {.write_max = 10000, .write_low = 1000}});
}

/* The peer reads nothing: the write waits, and ends by its time. */
static void write_to_a_wall(struct talk *k, struct stream *s)
{
    static uint8_t all[MUCH];
    CHECK_EQ_INT(stream_co_write(s, all, MUCH, 20), ERR_TIMEOUT);
    k->sent = 1;
    conn_pool_drop(k->pool, s);
}

static void read_nothing(struct talk *k, struct stream *s)
{
    WAIT_WHILE(!k->sent);
    stream_close(s); /* it was never bound: nothing was received */
}

TEST(stream_co_write_ends_by_its_time)
{
    talk_run((struct talk){
        .client = write_to_a_wall, .server = read_nothing, .limits = {.write_max = 100000}});
}

static void write_to_one_who_left(struct talk *k, struct stream *s)
{
    static uint8_t all[MUCH];
    CHECK_EQ_INT(stream_co_write(s, all, MUCH, -1), ERR_CLOSED);
    give_up(k, s);
}

TEST(stream_co_write_tells_that_nobody_reads)
{
    talk_run((struct talk){.client = write_to_one_who_left, .server = close_stream});
}

/* --- accepting ----------------------------------------------------------------------------- */

static void overrun(struct talk *k, struct stream *s)
{
    struct stream *more[8], *none;
    CHECK_EQ_INT(acceptor_take(k->acceptor, 1, &none), ERR_TIMEOUT);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        CHECK_EQ_INT(conn_pool_take(k->pool, acceptor_addr(k->acceptor), -1, &more[i], NULL),
                     ERR_OK);
    WAIT_WHILE(acceptor_refused(k->acceptor) < ARRAY_LEN(more) - 4);
    char p;
    size_t n;
    CHECK_EQ_INT(stream_co_read(more[7], &p, 1, &n, 60000), ERR_CLOSED);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        conn_pool_drop(k->pool, more[i]);
    conn_pool_drop(k->pool, s);
    acceptor_close(k->acceptor); /* with four that nobody took */
    CHECK_EQ_INT(acceptor_take(k->acceptor, -1, &none), ERR_CLOSED);
}

TEST(acceptor_keeps_no_more_than_may_wait)
{
    talk_run((struct talk){.client = overrun, .server = close_stream});
}
