/* mqtt_world: a whole broker and raw clients in a simulated world: journal and database on a disk
 * that loses what was not synced, a network, virtual time. For tests that send bytes and compare
 * what comes, and for the fuzzer of sessions; mqtt_rig_test.h has real sockets and threads.
 *
 * All is done between two events of the world: world_settle() lets everything happen that follows
 * at once, world_wait_ms() lets time pass. The network takes 20 µs, the disk 50.
 * Errors: ASSERT; nothing may go wrong here but the broker. */
#pragma once

#include "async/sim/env_sim.h"
#include "protocol/mqtt_server.h"

#include <string.h>

#define WORLD_PORT      1883
#define WORLD_SETTLE_NS INT64_C(5000000)

struct world {
    struct sim *sim;
    struct env *house, *street;
    struct executor *ex, *clients;
    struct db *db;
    struct journal *journal;
    struct bus *bus;
    struct mqtt_server *server;
    struct subscriber guard; /* of `owned/set` */
    /* Set before world_open(). */
    uint64_t seed;
    struct mqtt_limits limits;
    bool light; /* no journal, no database */
    struct access *access;
    const struct enhanced_method *const *methods;
    int64_t sys_interval_ms;
};

struct peer {
    struct task task;
    struct stream *stream; /* NULL: it is closed */
    struct worker *worker;
    uint8_t in[1 << 16];
    size_t n;
    bool ended; /* the broker has closed */
};

/* ---- time ---- */

static inline void world_alarm(struct env_event *ev)
{
    (void)ev;
}

static inline void world_wait_ns(struct world *w, int64_t ns)
{
    /* Time goes from event to event, and stands where there is none. */
    struct env_event alarm = {.run = world_alarm};
    sim_after(w->sim, &alarm, ns);
    (void)sim_run(w->sim, sim_now_ns(w->sim) + ns);
}

static inline void world_wait_ms(struct world *w, int64_t ms)
{
    world_wait_ns(w, ms * 1000000);
}

static inline void world_settle(struct world *w)
{
    world_wait_ns(w, WORLD_SETTLE_NS);
}

/* ---- the broker ---- */

static inline void world_open_store(struct world *w)
{
    struct env *env = w->house;
    struct error e = {0};
    enum err err = env->disk->ops->make_dir(env->disk, "/site", &e);
    const struct db_config db = {.ex = w->ex, .alloc = alloc_system(), .path = "/site/sedge.db"};
    if (!err)
        err = db_open(&w->db, &db, &e);
    const struct journal_config journal = {.ex = w->ex,
                                           .disk = env->disk,
                                           .clock = env->clock,
                                           .alloc = alloc_system(),
                                           .dir = "/site",
                                           .segment_bytes = 1 << 16,
                                           .journal_max_bytes = 1 << 18,
                                           .seed = env->seed};
    if (!err)
        err = journal_open(&w->journal, &journal, &e);
    ASSERT(!err);
}

static inline void world_listen(struct world *w)
{
    struct mqtt_listen listen = {.anonymous = true, .methods = w->methods};
    struct error e = {0};
    enum err err = addr_parse(&listen.addr, str_from(env_sim_host(w->house)), WORLD_PORT);
    if (!err && w->journal)
        err = journal_replay(w->journal, &e);
    if (!err && w->journal)
        err = journal_start(w->journal, &e);
    if (!err)
        err = mqtt_server_listen(w->server, &listen, NULL, &e);
    ASSERT(!err);
    env_sim_boot(w->house, w->ex);
}

/* From what the disk holds. */
static inline void world_start(struct world *w)
{
    const struct executor_config ex = {
        .env = w->house, .alloc = alloc_system(), .workers = 1, .offload_threads = 2};
    struct error e = {0};
    enum err err = executor_new(&w->ex, &ex, &e);
    ASSERT(!err);
    if (!w->light)
        world_open_store(w);
    const struct bus_config bus = {
        .ex = w->ex, .journal = w->journal, .db = w->db, .alloc = alloc_system()};
    err = bus_new(&w->bus, &bus, &e);
    ASSERT(!err);
    w->guard = (struct subscriber){0};
    const struct subscription guard = {.filter = STR("owned/set"),
                                       .subscriber = &w->guard,
                                       .guard = STR("it is owned by line_guard")};
    err = bus_subscribe(w->bus, &guard, NULL);
    ASSERT(!err);
    const struct mqtt_server_config server = {.ex = w->ex,
                                              .bus = w->bus,
                                              .journal = w->journal,
                                              .db = w->db,
                                              .alloc = alloc_system(),
                                              .access = w->access,
                                              .sys_interval_ms = w->sys_interval_ms,
                                              .limits = w->limits};
    err = mqtt_server_new(&w->server, &server, &e);
    ASSERT(!err);
    world_listen(w);
}

static inline void world_take_down(struct world *w)
{
    executor_stop(w->ex);
    (void)executor_turn(w->ex);
    if (w->db)
        db_drain(w->db);
    mqtt_server_close(w->server);
    if (w->db)
        db_drain(w->db);
    bus_free(w->bus);
    db_close(w->db);
    journal_close(w->journal);
    executor_free(w->ex);
    w->server = NULL;
    w->bus = NULL;
    w->db = NULL;
    w->journal = NULL;
    w->ex = NULL;
}

static inline void world_open(struct world *w)
{
    const struct sim_config cfg = {
        .seed = w->seed ? w->seed : 1,
        .work = {{50000, 50000}, {50000, 50000}},
        .net = {.delay_min_ns = 20000, .delay_max_ns = 20000, .jitter_ns = 1}};
    struct error e = {0};
    enum err err = sim_new(&w->sim, &cfg);
    if (!err)
        err = env_sim_new(&w->house, w->sim);
    if (!err)
        err = env_sim_new(&w->street, w->sim);
    const struct executor_config ex = {
        .env = w->street, .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    if (!err)
        err = executor_new(&w->clients, &ex, &e);
    ASSERT(!err);
    env_sim_boot(w->street, w->clients);
    world_start(w);
}

/* The broker ends and begins again. `how`: what the disk has not synced may be lost, or the
 * program is killed. */
static inline void world_restart(struct world *w, enum env_sim_off how)
{
    env_sim_off(w->house, how);
    world_take_down(w);
    world_settle(w);
    env_sim_on(w->house);
    world_start(w);
    world_settle(w);
}

/* Peers are closed by their owner, before. */
static inline void world_close(struct world *w)
{
    env_sim_halt(w->street);
    executor_stop(w->clients);
    (void)executor_turn(w->clients);
    executor_free(w->clients);
    env_sim_free(w->street);
    env_sim_off(w->house, ENV_SIM_KILL);
    world_take_down(w);
    env_sim_free(w->house);
    sim_free(w->sim);
}

/* ---- clients ---- */

static inline void peer_read(struct peer *p)
{
    struct bytes in;
    while (p->stream) {
        enum err err = stream_read(p->stream, &in);
        if (err == ERR_AGAIN)
            return;
        if (err) {
            stream_close(p->stream);
            p->stream = NULL;
            p->ended = true;
            return;
        }
        ASSERT(p->n + in.n <= sizeof(p->in));
        memcpy(p->in + p->n, in.p, in.n);
        p->n += in.n;
        stream_consume(p->stream, in.n);
    }
}

static inline enum poll peer_poll(struct task *t)
{
    struct peer *p = CONTAINER_OF(t, struct peer, task);
    if (!t->canceled) {
        peer_read(p);
        return POLL_PENDING;
    }
    if (p->stream)
        stream_close(p->stream);
    p->stream = NULL;
    return POLL_READY;
}

/* Once for each peer; its task lives as long as the world. */
static inline void peer_init(struct peer *p, struct world *w)
{
    memset(p, 0, sizeof(*p));
    p->worker = executor_worker(w->clients, 0);
    task_init(&p->task, "peer", peer_poll, NULL);
    task_spawn(p->worker, &p->task);
}

static inline void peer_connect(struct peer *p, struct world *w)
{
    struct addr to;
    ASSERT(!p->stream);
    enum err err = addr_parse(&to, str_from(env_sim_host(w->house)), WORLD_PORT);
    if (!err)
        err = stream_connect(&p->stream, p->worker, &to, &p->task);
    ASSERT(!err);
    p->n = 0;
    p->ended = false;
    worker_wake(p->worker);
    world_settle(w);
    ASSERT(stream_connected(p->stream) == ERR_OK);
}

static inline void peer_send(struct peer *p, const void *bytes, size_t n)
{
    if (!p->stream)
        return; /* it has been closed: who looks will see */
    enum err err = stream_write(p->stream, bytes, n);
    ASSERT(!err || err == ERR_CLOSED);
    worker_wake(p->worker);
}

/* Without a word. */
static inline void peer_drop(struct peer *p)
{
    if (p->stream)
        stream_close(p->stream);
    p->stream = NULL;
    worker_wake(p->worker);
}

static inline void peer_used(struct peer *p, size_t n)
{
    ASSERT(n <= p->n);
    memmove(p->in, p->in + n, p->n - n);
    p->n -= n;
}
