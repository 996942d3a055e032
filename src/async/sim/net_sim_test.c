/* The simulated network as a driver's caller sees it: two machines, one operation at a time. */
#include "async/sim/env_sim.h"
#include "async/worker_internal.h"
#include "tests/support/test.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

enum { PORT = 1883, BIG = 300000 };

/* A machine with an executor that runs nothing but I/O. */
struct host {
    struct env *env;
    struct executor *ex;
    struct io_driver *io;
};

struct net {
    struct sim *sim;
    struct host a, b; /* b listens */
};

static void host_boot(struct host *h)
{
    const struct executor_config cfg = {.env = h->env, .workers = 8};
    REQUIRE(executor_new(&h->ex, &cfg, NULL) == ERR_OK);
    CHECK_EQ_UINT(executor_workers(h->ex), 1); /* whatever is asked for */
    CHECK_EQ_STR(executor_driver(h->ex), "sim");
    h->io = worker_io(executor_worker(h->ex, 0));
    env_sim_boot(h->env, h->ex);
}

static void host_down(struct host *h)
{
    if (!h->ex)
        return;
    env_sim_halt(h->env);
    executor_stop(h->ex);
    (void)executor_turn(h->ex);
    executor_free(h->ex);
    h->ex = NULL;
}

static struct net net_open(const struct sim_config *cfg)
{
    struct net n = {0};
    REQUIRE(sim_new(&n.sim, cfg) == ERR_OK);
    REQUIRE(env_sim_new(&n.a.env, n.sim) == ERR_OK);
    REQUIRE(env_sim_new(&n.b.env, n.sim) == ERR_OK);
    host_boot(&n.a);
    host_boot(&n.b);
    return n;
}

static void net_close_all(struct net *n)
{
    host_down(&n->a);
    host_down(&n->b);
    env_sim_free(n->a.env);
    env_sim_free(n->b.env);
    sim_free(n->sim);
}

static void pass(struct net *n, int64_t ns)
{
    (void)sim_run(n->sim, sim_now_ns(n->sim) + ns);
}

static struct sockaddr_in address(const char *ip_of_10_0_0, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(10u << 24 | (uint32_t)(ip_of_10_0_0[0] - '0'));
    return a;
}

/* An operation and what came of it. */
struct result {
    union {
        struct io_op op;
        struct io_send send;
    };
    int32_t last; /* of the completion without `more` */
    bool over;
    int pieces, accepted;
    size_t got;
    uint8_t *into; /* of BIG bytes */
    int64_t first_ns, over_ns;
    struct sim *sim;
};

static void done(struct io_op *op, struct io_result r)
{
    struct result *x = CONTAINER_OF(op, struct result, op);
    CHECK(!x->over);
    if (!r.more) {
        x->last = r.res;
        x->over = true;
        x->over_ns = sim_now_ns(x->sim);
    } else if (r.data) {
        x->first_ns = x->pieces++ ? x->first_ns : sim_now_ns(x->sim);
        if (x->into)
            memcpy(x->into + x->got, r.data, (size_t)r.res);
        x->got += (size_t)r.res;
    } else {
        x->accepted = r.res;
    }
}

static struct result fresh(struct net *n)
{
    return (struct result){.op.done = done, .accepted = -1, .sim = n->sim};
}

struct pair {
    struct result accept, connect;
    int listener, a, b; /* descriptors */
};

static void listen_at(struct net *n, struct pair *p)
{
    const struct sockaddr_in at = address("2", PORT);
    const struct sockaddr *sa = (const struct sockaddr *)&at;
    p->accept = fresh(n);
    p->listener = n->b.io->ops->socket->listen(n->b.io, sa, sizeof(at), false);
    REQUIRE(p->listener > 1000000); /* no descriptor of the system's */
    n->b.io->ops->accept(n->b.io, &p->accept.op, p->listener);
}

static void call(struct net *n, struct pair *p, const char *whom, uint16_t port)
{
    const struct sockaddr_in to = address(whom, port);
    const struct sockaddr *sa = (const struct sockaddr *)&to;
    p->connect = fresh(n);
    p->a = n->a.io->ops->socket->open(n->a.io, AF_INET);
    n->a.io->ops->connect(n->a.io, &p->connect.op, p->a, sa, sizeof(to));
    CHECK(!p->connect.over); /* completions come out of wait() only */
}

static void join(struct net *n, struct pair *p)
{
    listen_at(n, p);
    call(n, p, "2", PORT);
    for (int i = 0; i < 60 && (i == 0 || !p->connect.over); i++) /* what is lost comes again */
        pass(n, SECOND);
    CHECK(p->connect.over);
    CHECK_EQ_INT(p->connect.last, 0);
    p->b = p->accept.accepted;
    REQUIRE(p->b >= 0);
}

static void take(struct host *h, struct result *r, int fd)
{
    h->io->ops->receive(h->io, &r->op, fd);
}

static void put(struct host *h, struct result *r, int fd, const struct iovec *v, unsigned count)
{
    h->io->ops->send(h->io, &r->send, fd, v, count);
    CHECK(!r->over);
}

static uint8_t big[BIG], back[BIG];

static struct iovec pattern(size_t n)
{
    for (size_t i = 0; i < n; i++)
        big[i] = (uint8_t)(i * 7 + i / 251);
    return (struct iovec){big, n};
}

/* --- bytes --- */

TEST(sim_bytes_arrive_complete_in_order_in_pieces_after_the_delay)
{
    static const struct {
        const char *label;
        struct net_sim_config net;
    } cases[] = {
        {"default", {0}},
        {"small window", {.window = 1024}},
        {"lossy", {.window = 1024, .loss_per_million = 200000}}, /* so many pieces that some go */
        {"slow", {.delay_min_ns = 80 * MS, .delay_max_ns = 80 * MS}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct net n = net_open(&(struct sim_config){.seed = test_seed(), .net = cases[i].net});
        struct pair p;
        join(&n, &p);
        struct result rx = fresh(&n), tx = fresh(&n);
        /* In three parts, one of them empty. */
        struct iovec whole = pattern(BIG);
        struct iovec parts[3] = {{big, 1000}, {big, 0}, {big + 1000, whole.iov_len - 1000}};
        int64_t sent_ns = sim_now_ns(n.sim);
        rx.into = back;
        take(&n.b, &rx, p.b);
        put(&n.a, &tx, p.a, parts, 3);
        pass(&n, 3600 * SECOND);
        CHECK(tx.over && !rx.over);
        CHECK_EQ_INT(tx.last, BIG);
        CHECK_EQ_UINT(rx.got, BIG);
        CHECK_EQ_MEM(back, big, BIG);
        CHECK(rx.pieces > 4);
        if (cases[i].net.delay_min_ns)
            CHECK(rx.first_ns - sent_ns >= cases[i].net.delay_min_ns);
        CHECK((net_sim_stats(n.sim).lost > 0) == (cases[i].net.loss_per_million > 0));
        net_close_all(&n);
        CHECK(rx.over); /* the driver's end ends it */
        CHECK_EQ_INT(rx.last, -ECANCELED);
    }
}

TEST(sim_pieces_have_nothing_to_do_with_how_it_was_sent)
{
    struct net n = net_open(&(struct sim_config){.seed = test_seed()});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n);
    struct iovec v = pattern(100);
    take(&n.b, &rx, p.b);
    for (int i = 0; i < 100; i++) {
        struct result tx = fresh(&n);
        put(&n.a, &tx, p.a, &v, 1);
        pass(&n, SECOND);
        CHECK_EQ_INT(tx.last, 100);
    }
    CHECK_EQ_UINT(rx.got, 10000);
    CHECK(rx.pieces > 110 && rx.pieces < 400);
    net_close_all(&n);
}

TEST(sim_a_send_waits_for_the_window)
{
    struct net n = net_open(&(struct sim_config){.seed = 5, .net.window = 4096});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n), fits = fresh(&n);
    struct iovec first = pattern(4096), more = {big, 1};
    put(&n.a, &fits, p.a, &first, 1);
    pass(&n, 10 * SECOND);
    CHECK(fits.over); /* nobody reads, but there is room */
    put(&n.a, &tx, p.a, &more, 1);
    pass(&n, 3600 * SECOND);
    CHECK(!tx.over);
    rx.into = back;
    take(&n.b, &rx, p.b);
    pass(&n, SECOND);
    CHECK(tx.over);
    CHECK_EQ_INT(tx.last, 1);
    CHECK_EQ_UINT(rx.got, 4097);
    net_close_all(&n);
}

/* --- the end --- */

TEST(sim_an_end_comes_behind_the_last_byte_and_the_other_way_stays_open)
{
    struct net n = net_open(&(struct sim_config){.seed = 6});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n), answer = fresh(&n), heard = fresh(&n);
    struct iovec v = pattern(5000);
    put(&n.a, &tx, p.a, &v, 1);
    n.a.io->ops->socket->send_end(n.a.io, p.a);
    take(&n.b, &rx, p.b);
    pass(&n, SECOND);
    CHECK(rx.over);
    CHECK_EQ_INT(rx.last, 0);
    CHECK_EQ_UINT(rx.got, 5000);
    take(&n.a, &heard, p.a);
    put(&n.b, &answer, p.b, &v, 1);
    pass(&n, SECOND);
    CHECK_EQ_INT(answer.last, 5000);
    CHECK_EQ_UINT(heard.got, 5000);
    struct result late = fresh(&n);
    put(&n.a, &late, p.a, &v, 1);
    pass(&n, SECOND);
    CHECK_EQ_INT(late.last, -EPIPE);
    net_close_all(&n);
}

TEST(sim_who_closes_with_unread_bytes_or_is_sent_to_resets)
{
    for (int unread = 0; unread < 2; unread++) {
        LABEL("unread %d", unread);
        struct net n = net_open(&(struct sim_config){.seed = 7});
        struct pair p;
        join(&n, &p);
        struct result tx = fresh(&n), end = fresh(&n), late = fresh(&n);
        struct iovec v = pattern(100);
        if (unread) {
            put(&n.a, &tx, p.a, &v, 1);
            pass(&n, SECOND);
        }
        n.b.io->ops->close_fd(n.b.io, p.b);
        take(&n.a, &end, p.a);
        pass(&n, SECOND);
        CHECK(end.over);
        CHECK_EQ_INT(end.last, unread ? -ECONNRESET : 0);
        if (!unread) { /* an orderly end; but who goes on talking hears that nobody listens */
            struct result reset = fresh(&n);
            put(&n.a, &late, p.a, &v, 1);
            pass(&n, SECOND);
            CHECK_EQ_INT(late.last, 100);
            take(&n.a, &reset, p.a);
            pass(&n, SECOND);
            CHECK_EQ_INT(reset.last, -ECONNRESET);
        }
        net_close_all(&n);
    }
}

TEST(sim_what_is_under_way_to_who_closes_is_answered_by_a_reset)
{
    struct net n = net_open(&(struct sim_config){.seed = 16});
    struct pair p;
    join(&n, &p);
    struct result tx = fresh(&n), end = fresh(&n), reset = fresh(&n);
    struct iovec v = pattern(100);
    put(&n.a, &tx, p.a, &v, 1);
    n.b.io->ops->close_fd(n.b.io, p.b);
    pass(&n, SECOND);
    take(&n.a, &end, p.a);
    pass(&n, SECOND);
    take(&n.a, &reset, p.a);
    pass(&n, SECOND);
    CHECK_EQ_INT(tx.last, 100);
    CHECK(end.over);
    CHECK_EQ_INT(reset.last, -ECONNRESET);
    net_close_all(&n);
}

TEST(sim_a_cut_is_a_reset_or_silence)
{
    for (int silent = 0; silent < 2; silent++) {
        LABEL("silent %d", silent);
        struct net n = net_open(&(struct sim_config){.seed = 8, .net.window = 1024});
        struct pair p;
        join(&n, &p);
        struct result at_a = fresh(&n), at_b = fresh(&n), tx = fresh(&n);
        struct iovec v = pattern(5000);
        take(&n.a, &at_a, p.a);
        take(&n.b, &at_b, p.b);
        net_sim_cut(n.b.env, silent ? NET_SIM_SILENT : NET_SIM_RESET);
        put(&n.a, &tx, p.a, &v, 1);
        pass(&n, 3600 * SECOND);
        CHECK_EQ_INT(at_a.over, !silent);
        CHECK_EQ_INT(at_b.over, !silent);
        CHECK_EQ_INT(tx.over, !silent);
        CHECK_EQ_UINT(at_b.got, 0);
        if (!silent) {
            CHECK_EQ_INT(at_a.last, -ECONNRESET);
            CHECK_EQ_INT(at_b.last, -ECONNRESET);
            CHECK_EQ_INT(tx.last, -EPIPE);
        }
        net_close_all(&n);
    }
}

TEST(sim_an_isolated_machine_gets_it_later)
{
    struct net n = net_open(&(struct sim_config){.seed = 9});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n);
    struct iovec v = pattern(100);
    int64_t free_ns = sim_now_ns(n.sim) + 5 * SECOND;
    take(&n.b, &rx, p.b);
    net_sim_isolate(n.a.env, 5 * SECOND);
    put(&n.a, &tx, p.a, &v, 1);
    pass(&n, 10 * SECOND);
    CHECK_EQ_UINT(rx.got, 100);
    CHECK(rx.first_ns >= free_ns);
    net_close_all(&n);
}

/* --- connecting --- */

TEST(sim_who_is_not_there_does_not_answer_or_refuses)
{
    struct net n = net_open(&(struct sim_config){.seed = 10});
    struct pair p;
    call(&n, &p, "2", PORT);
    pass(&n, SECOND);
    CHECK_EQ_INT(p.connect.last, -ECONNREFUSED);
    CHECK_EQ_UINT(net_sim_stats(n.sim).refused, 1);
    struct pair other;
    listen_at(&n, &other);
    call(&n, &p, "2", PORT + 1); /* another port than the one that is listened on */
    pass(&n, SECOND);
    CHECK_EQ_INT(p.connect.last, -ECONNREFUSED);
    n.b.io->ops->cancel(n.b.io, &other.accept.op);
    pass(&n, SECOND);
    n.b.io->ops->close_fd(n.b.io, other.listener);
    call(&n, &p, "9", PORT); /* no machine has that address */
    pass(&n, SECOND);
    CHECK_EQ_INT(p.connect.last, -ENETUNREACH);
    env_sim_off(n.b.env, ENV_SIM_POWER);
    host_down(&n.b);
    call(&n, &p, "2", PORT);
    pass(&n, 10 * SECOND);
    CHECK(!p.connect.over);
    env_sim_on(n.b.env);
    host_boot(&n.b);
    pass(&n, 10 * SECOND);
    CHECK_EQ_INT(p.connect.last, -ECONNREFUSED);
    env_sim_off(n.b.env, ENV_SIM_POWER);
    host_down(&n.b);
    call(&n, &p, "2", PORT);
    pass(&n, 300 * SECOND);
    CHECK_EQ_INT(p.connect.last, -ETIMEDOUT);
    net_close_all(&n);
}

TEST(sim_an_address_has_one_listener_and_a_port_that_is_found)
{
    struct net n = net_open(&(struct sim_config){.seed = 11});
    const struct io_socket_ops *s = n.b.io->ops->socket;
    struct sockaddr_in own = address("2", 0), foreign = address("1", PORT), found = {0};
    struct sockaddr_un unix_name = {.sun_family = AF_UNIX, .sun_path = "/run/sedge"};
    socklen_t len = sizeof(found);
    int fd = s->listen(n.b.io, (struct sockaddr *)&own, sizeof(own), false);
    REQUIRE(fd >= 0);
    CHECK_EQ_INT(s->name(n.b.io, fd, (struct sockaddr *)&found, &len), 0);
    CHECK(found.sin_port != 0);
    CHECK_EQ_INT(s->peer(n.b.io, fd, (struct sockaddr *)&own, &len), -ENOTCONN);
    CHECK_EQ_INT(s->listen(n.b.io, (struct sockaddr *)&found, sizeof(found), false), -EADDRINUSE);
    CHECK_EQ_INT(s->listen(n.b.io, (struct sockaddr *)&foreign, sizeof(foreign), false),
                 -EADDRNOTAVAIL);
    CHECK(s->listen(n.b.io, (struct sockaddr *)&unix_name, sizeof(unix_name), false) >= 0);
    CHECK_EQ_INT(s->listen(n.b.io, (struct sockaddr *)&unix_name, sizeof(unix_name), false),
                 -EADDRINUSE);
    n.b.io->ops->close_fd(n.b.io, fd);
    /* Free again; and the lowest descriptor is taken first. */
    CHECK_EQ_INT(s->listen(n.b.io, (struct sockaddr *)&found, sizeof(found), false), fd);
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(s->listen(n.b.io, (struct sockaddr *)&loopback, sizeof(loopback), false) >= 0);
    struct pair p;
    call(&n, &p, "2", PORT); /* from outside nobody reaches it */
    pass(&n, SECOND);
    CHECK_EQ_INT(p.connect.last, -ECONNREFUSED);
    CHECK_EQ_INT(s->open(n.b.io, AF_NETLINK), -EAFNOSUPPORT);
    net_close_all(&n);
}

/* --- power --- */

TEST(sim_a_killed_program_resets_and_one_without_power_is_silent_until_it_has_it_again)
{
    for (int power = 0; power < 2; power++) {
        LABEL("power %d", power);
        struct net n = net_open(&(struct sim_config){.seed = 12});
        struct pair p, p2;
        join(&n, &p);
        struct result at_a = fresh(&n), tx = fresh(&n), lost = fresh(&n);
        struct iovec v = pattern(100);
        take(&n.a, &at_a, p.a);
        put(&n.b, &lost, p.b, &v, 1); /* on its way when the power goes */
        env_sim_off(n.b.env, power ? ENV_SIM_POWER : ENV_SIM_KILL);
        call(&n, &p2, "2", PORT); /* before it is taken down: nobody listens there any more */
        pass(&n, 100 * MS);
        CHECK_EQ_INT(p2.connect.over, !power);
        CHECK_EQ_INT(p2.connect.last, power ? 0 : -ECONNREFUSED);
        host_down(&n.b);
        pass(&n, 10 * SECOND);
        CHECK_EQ_INT(at_a.over, !power);
        CHECK_EQ_UINT(at_a.got, power ? 0 : 100);
        put(&n.a, &tx, p.a, &v, 1);
        pass(&n, 10 * SECOND);
        CHECK_EQ_INT(at_a.over, !power);
        CHECK_EQ_INT(tx.last, power ? 100 : -EPIPE); /* it was taken, by whomever */
        env_sim_on(n.b.env);
        pass(&n, 10 * SECOND);
        CHECK(at_a.over);
        CHECK_EQ_INT(at_a.last, -ECONNRESET);
        CHECK_EQ_UINT(at_a.got, power ? 0 : 100);
        net_close_all(&n);
    }
}

TEST(sim_what_is_on_its_way_when_the_power_goes_is_lost)
{
    struct net n = net_open(&(struct sim_config){.seed = 15});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n);
    struct iovec v = pattern(100);
    take(&n.a, &rx, p.a);
    put(&n.b, &tx, p.b, &v, 1);
    env_sim_off(n.b.env, ENV_SIM_POWER);
    host_down(&n.b);
    env_sim_on(n.b.env);
    pass(&n, 3600 * SECOND);
    CHECK_EQ_UINT(rx.got, 0);
    CHECK(!rx.over); /* and nobody tells: who says nothing hears nothing */
    net_close_all(&n);
}

/* --- operations --- */

TEST(sim_a_canceled_operation_ends_later_and_may_begin_again)
{
    struct net n = net_open(&(struct sim_config){.seed = 13, .net.window = 1024});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n);
    struct iovec v = pattern(5000);
    take(&n.b, &rx, p.b);
    n.b.io->ops->cancel(n.b.io, &rx.op);
    n.b.io->ops->cancel(n.b.io, &rx.op);
    put(&n.a, &tx, p.a, &v, 1);
    CHECK(!rx.over);
    pass(&n, SECOND);
    CHECK(rx.over && !tx.over);
    CHECK_EQ_INT(rx.last, -ECANCELED);
    CHECK_EQ_UINT(rx.got, 0);
    n.a.io->ops->cancel(n.a.io, &tx.op);
    pass(&n, SECOND);
    CHECK_EQ_INT(tx.last, -ECANCELED);
    rx.over = false;
    rx.last = 1;
    take(&n.b, &rx, p.b);
    pass(&n, SECOND);
    CHECK_EQ_UINT(rx.got, 1024); /* what had gone before the cancel */
    CHECK(!rx.over);
    n.b.io->ops->cancel(n.b.io, &p.accept.op);
    pass(&n, SECOND);
    CHECK_EQ_INT(p.accept.last, -ECANCELED);
    net_close_all(&n);
}

TEST(sim_poll_tells_readiness)
{
    struct net n = net_open(&(struct sim_config){.seed = 14, .net.window = 1024});
    struct pair p;
    join(&n, &p);
    struct result readable = fresh(&n), writable = fresh(&n), full = fresh(&n), tx = fresh(&n);
    struct iovec v = pattern(1024);
    n.b.io->ops->poll(n.b.io, &readable.op, p.b, POLLIN);
    n.a.io->ops->poll(n.a.io, &writable.op, p.a, POLLOUT);
    pass(&n, SECOND);
    CHECK(!readable.over);
    CHECK_EQ_INT(writable.last, POLLOUT);
    put(&n.a, &tx, p.a, &v, 1);
    pass(&n, SECOND);
    CHECK_EQ_INT(readable.last, POLLIN);
    n.a.io->ops->poll(n.a.io, &full.op, p.a, POLLOUT);
    pass(&n, SECOND);
    CHECK(!full.over);
    struct result rx = fresh(&n);
    take(&n.b, &rx, p.b);
    pass(&n, SECOND);
    CHECK_EQ_INT(full.last, POLLOUT);
    net_close_all(&n);
}

/* --- the same again --- */

static uint64_t trace_of(uint64_t seed)
{
    struct net n = net_open(&(struct sim_config){.seed = seed, .net.loss_per_million = 100000});
    struct pair p;
    join(&n, &p);
    struct result rx = fresh(&n), tx = fresh(&n);
    struct iovec v = pattern(100000);
    take(&n.b, &rx, p.b);
    put(&n.a, &tx, p.a, &v, 1);
    pass(&n, 100 * SECOND);
    uint64_t trace = sim_trace(n.sim);
    net_close_all(&n);
    return trace;
}

TEST(sim_the_same_seed_is_the_same_run)
{
    uint64_t seed = test_seed();
    CHECK_EQ_UINT(trace_of(seed), trace_of(seed));
    CHECK(trace_of(seed) != trace_of(seed + 1));
}
