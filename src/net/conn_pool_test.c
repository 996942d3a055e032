#include "async/scope.h"
#include "async/sync.h"
#include "net/conn_pool.h"
#include "net/net_fixture.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A pool towards an echo server, and one coroutine that says what happens. */
struct rig {
    struct site site; /* first */
    struct conn_pool *pool;
    struct conn_pool_config cfg;
    const struct addr *to;
    void (*play)(struct rig *k);
    char log[64]; /* who was served, in order */
    struct semaphore go;
};

static intptr_t rig_main(void *arg)
{
    struct rig *k = arg;
    k->play(k);
    executor_stop(k->site.ex);
    return 0;
}

static void rig_run(struct conn_pool_config cfg, void (*play)(struct rig *k))
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++) {
        LABEL("%s", drivers[i]);
        struct rig k = {.cfg = cfg, .play = play};
        site_open(&k.site, drivers[i], "127.0.0.1", 0, echo);
        k.to = listener_addr(k.site.listener);
        k.site.stop_after_clients = SIZE_MAX; /* the play stops it */
        semaphore_init(&k.go, 0, REACH_WORKER);
        REQUIRE(co_enable(k.site.worker, 32) == ERR_OK);
        REQUIRE(conn_pool_new(&k.pool, k.site.worker, &cfg) == ERR_OK);
        REQUIRE(co_spawn(NULL, k.site.worker, rig_main, &k, "play") == ERR_OK);
        executor_run(k.site.ex);
        conn_pool_close(k.pool);
        timer_cancel(&k.site.timer);
        listener_close(k.site.listener);
        executor_free(k.site.ex);
    }
}

static struct stream *take(struct rig *k)
{
    struct stream *s;
    REQUIRE(CHECK_EQ_INT(conn_pool_take(k->pool, k->to, -1, &s, NULL), ERR_OK));
    return s;
}

/* The server's side of the only connection. */
static struct stream *servers_side(struct rig *k)
{
    WAIT_WHILE(list_empty(&k->site.servers));
    return CONTAINER_OF(k->site.servers.prev, struct conn, link)->stream;
}

/* --- reuse and health ---------------------------------------------------------------------- */

static void use_twice(struct rig *k)
{
    struct stream *first = take(k), *second;
    struct bytes in;
    CHECK_EQ_INT(stream_write(first, "ping", 4), ERR_OK);
    while (stream_read(first, &in) == ERR_AGAIN)
        CHECK_EQ_INT(co_wait_woken(), ERR_OK);
    stream_consume(first, in.n);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).in_use, 1);
    conn_pool_give(k->pool, first);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).idle, 1);
    second = take(k);
    CHECK_EQ_PTR(second, first);
    /* An answer that nobody has read does not reach the next taker. */
    CHECK_EQ_INT(stream_write(second, "rest", 4), ERR_OK);
    while (stream_read(second, &in) == ERR_AGAIN)
        CHECK_EQ_INT(co_wait_woken(), ERR_OK);
    conn_pool_give(k->pool, second);
    struct conn_pool_stats s = conn_pool_stats(k->pool);
    CHECK_EQ_UINT(s.opened, 1);
    CHECK_EQ_UINT(s.reused, 1);
    CHECK_EQ_UINT(s.idle + s.in_use + s.connecting, 0);
}

TEST(conn_pool_uses_a_connection_again)
{
    rig_run((struct conn_pool_config){0}, use_twice);
}

static void go_bad(struct rig *k)
{
    static const struct {
        const char *label;
        bool speaks, at_once;
    } cases[] = {
        {"the peer ends", false, false},
        {"the peer speaks", true, false},
        {"the peer ends at the last moment", false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct stream *s = take(k), *server = servers_side(k);
        conn_pool_give(k->pool, s);
        if (cases[i].speaks)
            CHECK_EQ_INT(stream_write(server, "?", 1), ERR_OK);
        else
            CHECK_EQ_INT(shutdown(server->fd, SHUT_WR), 0);
        if (!cases[i].at_once)
            WAIT_WHILE(conn_pool_stats(k->pool).idle > 0);
        conn_pool_drop(k->pool, take(k));
        CHECK_EQ_UINT(conn_pool_stats(k->pool).unhealthy, i + 1);
        CHECK_EQ_UINT(conn_pool_stats(k->pool).reused, 0);
        WAIT_WHILE(!list_empty(&k->site.servers));
    }
}

TEST(conn_pool_never_hands_out_what_went_bad_while_idle)
{
    rig_run((struct conn_pool_config){0}, go_bad);
}

static void grow_old(struct rig *k)
{
    conn_pool_give(k->pool, take(k));
    WAIT_WHILE(conn_pool_stats(k->pool).idle > 0);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).aged, 1);
}

TEST(conn_pool_closes_what_was_idle_for_long)
{
    rig_run((struct conn_pool_config){.idle_ms = 3}, grow_old);
}

static void keep_none(struct rig *k)
{
    conn_pool_give(k->pool, take(k));
    CHECK_EQ_UINT(conn_pool_stats(k->pool).idle, 0);
    conn_pool_finish(k->pool, take(k), 1000);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).opened, 2);
}

TEST(conn_pool_may_keep_none)
{
    rig_run((struct conn_pool_config){.idle_ms = -1}, keep_none);
}

/* --- limits and waiting -------------------------------------------------------------------- */

struct taker {
    struct rig *rig;
    char name;
    int64_t timeout_ms;
    enum err result;
};

/* Waits its turn, signs, gives back. */
static intptr_t take_turn(void *arg)
{
    struct taker *t = arg;
    struct rig *k = t->rig;
    struct stream *s;
    t->result = conn_pool_take(k->pool, k->to, t->timeout_ms, &s, NULL);
    if (t->result)
        return 0;
    k->log[strlen(k->log)] = t->name;
    co_yield ();
    conn_pool_give(k->pool, s);
    return 0;
}

static void spawn_takers(struct rig *k, struct scope *all, struct taker *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        t[i].rig = k;
        t[i].name = (char)('a' + i);
        CHECK_EQ_INT(scope_spawn(all, take_turn, &t[i], "taker"), ERR_OK);
        co_yield ();
    }
}

static void stand_in_line(struct rig *k)
{
    struct taker t[4] = {
        {.timeout_ms = -1}, {.timeout_ms = 1}, {.timeout_ms = -1}, {.timeout_ms = -1}};
    struct stream *s = take(k);
    struct scope all;
    scope_begin(&all);
    spawn_takers(k, &all, t, 3);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).waiting, 3);
    WAIT_WHILE(conn_pool_stats(k->pool).timed_out == 0);
    spawn_takers(k, &all, &t[3], 1);
    t[3].name = 'd';
    conn_pool_give(k->pool, s);
    CHECK_EQ_INT(scope_end(&all), ERR_OK);
    CHECK_EQ_STR(k->log, "acd");
    CHECK_EQ_INT(t[1].result, ERR_TIMEOUT);
    CHECK_EQ_UINT(k->site.servers_seen, 1);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).reused, 3);
}

TEST(conn_pool_serves_in_the_order_of_arrival)
{
    rig_run((struct conn_pool_config){.per_addr_max = 1}, stand_in_line);
}

/* One attempt for each who waits, however often the line is looked through. */
static void connect_each(struct rig *k)
{
    struct taker t[3] = {{.timeout_ms = -1}, {.timeout_ms = -1}, {.timeout_ms = -1}};
    struct scope all;
    scope_begin(&all);
    spawn_takers(k, &all, t, 3);
    CHECK_EQ_INT(scope_end(&all), ERR_OK);
    struct conn_pool_stats s = conn_pool_stats(k->pool);
    CHECK_EQ_UINT(s.connecting, 0);
    CHECK_EQ_UINT(s.idle, s.opened);
    CHECK_EQ_UINT(s.opened + s.reused, 3);
}

TEST(conn_pool_begins_no_more_than_are_wanted)
{
    rig_run((struct conn_pool_config){0}, connect_each);
}

static void refuse(struct rig *k)
{
    struct taker t[3] = {{.timeout_ms = -1}, {.timeout_ms = -1}, {.timeout_ms = -1}};
    struct stream *s = take(k);
    struct scope all;
    scope_begin(&all);
    spawn_takers(k, &all, t, 3);
    CHECK_EQ_INT(t[2].result, ERR_FULL);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).refused, 1);
    conn_pool_drop(k->pool, s);
    CHECK_EQ_INT(scope_end(&all), ERR_OK);
    CHECK_EQ_STR(k->log, "ab");
}

TEST(conn_pool_refuses_when_too_many_wait)
{
    rig_run((struct conn_pool_config){.per_addr_max = 1, .waiting_max = 2}, refuse);
}

static void cancel_one(struct rig *k)
{
    struct taker t[2] = {{.timeout_ms = -1}, {.timeout_ms = -1}};
    struct stream *s = take(k);
    struct scope first, second;
    scope_begin(&first);
    spawn_takers(k, &first, &t[0], 1);
    scope_cancel(&first);
    CHECK_EQ_INT(scope_end(&first), ERR_CANCELED);
    CHECK_EQ_INT(t[0].result, ERR_CANCELED);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).waiting, 0);
    scope_begin(&second);
    spawn_takers(k, &second, &t[1], 1);
    conn_pool_give(k->pool, s);
    CHECK_EQ_INT(scope_end(&second), ERR_OK);
    CHECK_EQ_STR(k->log, "a");
}

TEST(conn_pool_forgets_a_canceled_taker)
{
    rig_run((struct conn_pool_config){.per_addr_max = 1}, cancel_one);
}

static void accept_and_hold(void *ctx, struct stream *s)
{
    (void)ctx;
    stream_close(s);
}

/* Two addresses share two places: an idle connection gives way, one in use does not. */
static void share_places(struct rig *k)
{
    struct listener_config lc = {.accepted = accept_and_hold};
    struct listener *other;
    struct stream *a, *b;
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(listener_open(&other, k->site.worker, &lc, NULL) == ERR_OK);
    const struct addr *there = listener_addr(other);
    a = take(k);
    conn_pool_give(k->pool, take(k));
    CHECK_EQ_UINT(conn_pool_stats(k->pool).idle, 1);
    CHECK_EQ_INT(conn_pool_take(k->pool, there, -1, &b, NULL), ERR_OK);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).aged, 1);
    struct stream *c;
    CHECK_EQ_INT(conn_pool_take(k->pool, there, 1, &c, NULL), ERR_TIMEOUT);
    conn_pool_drop(k->pool, b);
    conn_pool_give(k->pool, a);
    CHECK_EQ_PTR(take(k), a);
    conn_pool_drop(k->pool, a);
    listener_close(other);
}

TEST(conn_pool_shares_its_places_among_addresses)
{
    rig_run((struct conn_pool_config){.total_max = 2}, share_places);
}

/* --- attempts that fail -------------------------------------------------------------------- */

static int silent_listener(struct addr *a)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *a = (struct addr){0};
    REQUIRE(fd >= 0 && addr_parse(a, STR("127.0.0.1"), 0) == ERR_OK);
    REQUIRE(bind(fd, &a->sa, a->len) == 0 && getsockname(fd, &a->sa, &a->len) == 0);
    return fd;
}

static void meet_nobody(struct rig *k)
{
    struct addr nobody;
    struct stream *s;
    struct error e = {0};
    int bound = silent_listener(&nobody);
    CHECK_EQ_INT(conn_pool_take(k->pool, &nobody, -1, &s, &e), ERR_IO);
    CHECK_EQ_INT(e.os_errno, ECONNREFUSED);
    CHECK_HAS_STR(e.text, "no connection to 127.0.0.1:");
    CHECK_EQ_UINT(conn_pool_stats(k->pool).failed, 1);
    (void)close(bound);
}

TEST(conn_pool_tells_why_there_is_no_connection)
{
    rig_run((struct conn_pool_config){0}, meet_nobody);
}

/* A listener whose queue is full answers to nothing more. Returns how many got in. */
static size_t fill_queue(struct rig *k, const struct addr *silent, struct stream *held[8],
                         enum err *r)
{
    size_t n = 0;
    while (n < 8 && !(*r = conn_pool_take(k->pool, silent, 50, &held[n], NULL)))
        n++;
    return n;
}

static void meet_silence(struct rig *k)
{
    struct addr silent;
    struct stream *held[8];
    enum err r;
    int listening = silent_listener(&silent);
    REQUIRE(listen(listening, 0) == 0);
    size_t n = fill_queue(k, &silent, held, &r);
    bool kept = k->cfg.idle_ms >= 0, impatient = k->cfg.connect_ms > 50;
    CHECK_EQ_INT(r, ERR_TIMEOUT);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).failed, !impatient);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).timed_out, impatient);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).connecting, kept && impatient);
    while (n > 0)
        conn_pool_drop(k->pool, held[--n]);
    (void)close(listening);
}

TEST(conn_pool_gives_up_an_attempt_in_time)
{
    rig_run((struct conn_pool_config){.connect_ms = 20}, meet_silence);
}

/* The taker's time is over before: the attempt goes on if its connection can be kept. */
TEST(conn_pool_keeps_an_attempt_that_may_be_of_use)
{
    rig_run((struct conn_pool_config){.connect_ms = 60000}, meet_silence);
    rig_run((struct conn_pool_config){.connect_ms = 60000, .idle_ms = -1}, meet_silence);
}

/* --- the end ------------------------------------------------------------------------------- */

static void close_it(struct rig *k)
{
    struct taker t[1] = {{.timeout_ms = -1}};
    struct stream *s = take(k), *none;
    struct scope all;
    scope_begin(&all);
    spawn_takers(k, &all, t, 1);
    struct conn_pool *p = k->pool;
    k->pool = NULL;
    conn_pool_close(p);
    CHECK_EQ_INT(scope_end(&all), ERR_OK);
    CHECK_EQ_INT(t[0].result, ERR_CLOSED);
    CHECK_EQ_INT(conn_pool_take(p, k->to, -1, &none, NULL), ERR_CLOSED); /* s is still out */
    conn_pool_give(p, s);
}

TEST(conn_pool_closes_with_all_that_wait)
{
    rig_run((struct conn_pool_config){.per_addr_max = 1}, close_it);
}

/* --- from a task's poll -------------------------------------------------------------------- */

struct poller {
    struct task task;
    struct rig *rig;
    struct conn_request request;
    struct stream *stream;
    enum err result;
    bool forgets; /* what was granted, without looking */
};

static enum poll poller_poll(struct task *t)
{
    struct poller *p = CONTAINER_OF(t, struct poller, task);
    struct rig *k = p->rig;
    if (p->forgets && p->request.state == CONN_REQUEST_GRANTED) {
        conn_pool_forget(&p->request);
        semaphore_give(&k->go, 1);
        return POLL_READY;
    }
    p->result = conn_pool_poll(k->pool, &p->request, k->to, 5000, &p->stream);
    if (p->result == ERR_AGAIN)
        return POLL_PENDING;
    if (!p->result)
        conn_pool_give(k->pool, p->stream);
    semaphore_give(&k->go, 1);
    return POLL_READY;
}

static void poll_it(struct rig *k)
{
    struct poller p[2] = {{.rig = k, .forgets = true}, {.rig = k}};
    struct stream *s = take(k);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        task_init(&p[i].task, "poller", poller_poll, NULL);
        conn_request_init(&p[i].request, &p[i].task);
        task_spawn(k->site.worker, &p[i].task);
    }
    WAIT_WHILE(conn_pool_stats(k->pool).waiting < 2);
    conn_pool_give(k->pool, s);
    CHECK_EQ_INT(semaphore_take(&k->go, 2), ERR_OK);
    CHECK_EQ_PTR(p[1].stream, s);
    CHECK_EQ_INT(p[1].result, ERR_OK);
    CHECK_EQ_UINT(conn_pool_stats(k->pool).idle, 1);
}

TEST(conn_pool_serves_tasks)
{
    rig_run((struct conn_pool_config){.per_addr_max = 1}, poll_it);
}

/* --- without memory ------------------------------------------------------------------------ */

struct hungry {
    struct task task;
    struct timer guard;
    struct conn_pool *pool;
    struct conn_request request;
    const struct addr *to;
    struct executor *ex;
    enum err result;
};

static enum poll hungry_poll(struct task *t)
{
    struct hungry *h = CONTAINER_OF(t, struct hungry, task);
    struct stream *s;
    h->result = conn_pool_poll(h->pool, &h->request, h->to, -1, &s);
    if (h->result == ERR_AGAIN && !t->canceled)
        return POLL_PENDING;
    conn_pool_forget(&h->request);
    if (!h->result)
        conn_pool_give(h->pool, s);
    executor_stop(h->ex);
    return POLL_READY;
}

static void stop_hungry(struct timer *t)
{
    executor_stop(worker_executor(t->worker));
}

static void feed(struct hungry *h, struct alloc_faulty *faulty)
{
    struct worker *w = executor_worker(h->ex, 0);
    struct listener_config lc = {.accepted = accept_and_hold};
    struct listener *l;
    REQUIRE(addr_parse(&lc.addr, STR("127.0.0.1"), 0) == ERR_OK);
    if (listener_open(&l, w, &lc, NULL) != ERR_OK)
        return;
    if (conn_pool_new(&h->pool, w, &(struct conn_pool_config){0}) == ERR_OK) {
        h->to = listener_addr(l);
        h->result = ERR_AGAIN;
        timer_init(&h->guard, w, stop_hungry);
        timer_set_after_ms(&h->guard, 60000);
        task_init(&h->task, "hungry", hungry_poll, NULL);
        conn_request_init(&h->request, &h->task);
        task_spawn(w, &h->task);
        executor_run(h->ex);
        timer_cancel(&h->guard);
        CHECK(h->result == ERR_OK || (faulty->failed && h->result != ERR_AGAIN));
    }
    conn_pool_close(h->pool);
    listener_close(l);
}

TEST(conn_pool_survives_every_failed_allocation)
{
    for (size_t i = 0; i < SYSTEM_DRIVERS; i++) {
        bool failed = true;
        for (uint64_t n = 0; failed; n++) {
            LABEL("%s, allocation %llu", drivers[i], (unsigned long long)n);
            struct alloc_faulty faulty;
            struct hungry h = {0};
            struct error e = {0};
            alloc_faulty_init(&faulty, n);
            struct executor_config cfg = {
                .alloc = &faulty.alloc, .workers = 1, .driver = drivers[i]};
            if (executor_new(&h.ex, &cfg, &e) == ERR_OK)
                feed(&h, &faulty);
            else if (!faulty.failed)
                SKIP("%s: %s", drivers[i], e.text);
            executor_free(h.ex);
            CHECK_EQ_UINT(faulty.live_bytes, 0);
            failed = faulty.failed;
        }
    }
}
