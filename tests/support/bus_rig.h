/* bus_rig: executor, journal, database and bus in a temporary folder, for the unit tests of what
 * stands on the bus. Time is virtual: it moves a millisecond a tick, and only while nothing that
 * was decided waits for the disk, so a busy machine changes nothing.
 *
 *     struct bus_rig rig;
 *     bus_rig_init(&rig, test_tmpdir());
 *     … make what is tested …
 *     bus_rig_start(&rig);           replays and starts the journal
 *     bus_rig_run(&rig, 50);         the executor, for so many virtual milliseconds
 *     bus_rig_drain(&rig);
 *     … free what is tested …
 *     bus_rig_fini(&rig); */
#pragma once

#include "async/timer.h"
#include "bus/bus.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The journal's writer looks at it while a step moves it. */
struct bus_rig_clock {
    struct clock clock;
    _Atomic int64_t now_ns;
    int64_t wall_base_ms;
};
static inline int64_t bus_rig_mono_ns(struct clock *c)
{
    return CONTAINER_OF(c, struct bus_rig_clock, clock)->now_ns;
}
static inline int64_t bus_rig_wall_ms(struct clock *c)
{
    struct bus_rig_clock *r = CONTAINER_OF(c, struct bus_rig_clock, clock);
    return r->wall_base_ms + r->now_ns / 1000000;
}

struct bus_rig {
    struct executor *ex;
    struct worker *w;
    struct journal *journal;
    struct db *db;
    struct bus *bus;
    struct bus_publisher client; /* an ordinary one, for bus_rig_publish() */
    struct bus_receipt receipt;  /* of the last one */
    struct env env;
    struct bus_rig_clock clock;
    struct tick_hook step;
    uint64_t tick; /* of the last step */
    int64_t left_ms;
    uint32_t waits;
};
enum { BUS_RIG_WAITS_MAX = 100000 }; /* of 100 µs, for a commit: the disk of a busy machine */

/* With several workers what is free runs on all of them, and how far it comes in one of the virtual
 * milliseconds is chance: wait for a condition. */
static inline void bus_rig_init_workers(struct bus_rig *g, const char *dir, unsigned workers)
{
    struct error e = {0};
    char path[512];
    *g = (struct bus_rig){.env = *env_linux()};
    g->clock.clock = (struct clock){bus_rig_mono_ns, bus_rig_wall_ms};
    g->clock.wall_base_ms = clock_wall_ms(env_linux()->clock);
    g->env.clock = &g->clock.clock;
    struct executor_config ex = {
        .env = &g->env, .alloc = alloc_system(), .workers = workers, .offload_threads = 1};
    REQUIRE(executor_new(&g->ex, &ex, &e) == ERR_OK);
    g->w = executor_worker(g->ex, 0);
    (void)snprintf(path, sizeof(path), "%s/sedge.db", dir);
    struct db_config db = {.ex = g->ex, .alloc = alloc_system(), .path = path};
    REQUIRE(db_open(&g->db, &db, &e) == ERR_OK);
    struct journal_config journal = {.ex = g->ex,
                                     .disk = ex.env->disk,
                                     .clock = ex.env->clock,
                                     .alloc = alloc_system(),
                                     .dir = dir};
    REQUIRE(journal_open(&g->journal, &journal, &e) == ERR_OK);
    struct bus_config bus = {
        .ex = g->ex, .journal = g->journal, .db = g->db, .alloc = alloc_system()};
    REQUIRE(bus_new(&g->bus, &bus, &e) == ERR_OK);
    g->client = (struct bus_publisher){.id = bus_publisher_id(g->bus), .name = STR("client")};
}

static inline void bus_rig_init(struct bus_rig *g, const char *dir)
{
    bus_rig_init_workers(g, dir, 1);
}

static inline void bus_rig_start(struct bus_rig *g)
{
    struct error e = {0};
    REQUIRE(journal_replay(g->journal, &e) == ERR_OK);
    REQUIRE(journal_start(g->journal, &e) == ERR_OK);
}

/* At the end of each tick. */
static inline void bus_rig_step(struct tick_hook *h)
{
    struct bus_rig *g = CONTAINER_OF(h, struct bus_rig, step);
    uint64_t tick = worker_stats(g->w).ticks;
    worker_at_tick_end(g->w, h);
    if (tick == g->tick)
        return; /* once a tick: its time stands still */
    g->tick = tick;
    if (journal_is_busy(g->journal) && g->waits++ < BUS_RIG_WAITS_MAX) {
        (void)usleep(100);
        return;
    }
    g->waits = 0;
    if (g->left_ms-- > 0) {
        g->clock.now_ns += 1000000;
        return;
    }
    tick_hook_cancel(h);
    executor_stop(g->ex);
}

static inline void bus_rig_run(struct bus_rig *g, int64_t for_ms)
{
    g->left_ms = for_ms;
    g->tick = 0;
    tick_hook_init(&g->step, bus_rig_step);
    worker_at_tick_end(g->w, &g->step);
    executor_run(g->ex);
}

static inline enum err bus_rig_publish(struct bus_rig *g, const char *topic, const char *payload)
{
    struct bus_publication p = {.topic = str_from(topic),
                                .payload = {(const uint8_t *)payload, strlen(payload)},
                                .qos = 1,
                                .expiry_s = UINT32_MAX,
                                .from = &g->client};
    return bus_publish(g->bus, &p, &g->receipt);
}

static inline void bus_rig_drain(struct bus_rig *g)
{
    db_drain(g->db);
}

static inline void bus_rig_fini(struct bus_rig *g)
{
    bus_free(g->bus);
    db_close(g->db);
    journal_close(g->journal);
    executor_free(g->ex);
}
