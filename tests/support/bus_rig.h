/* bus_rig: executor, journal, database and bus in a temporary folder, for the unit tests of what
 * stands on the bus; and a clock by which a test stops the executor.
 *
 *     struct bus_rig rig;
 *     bus_rig_init(&rig, test_tmpdir());
 *     … make what is tested …
 *     bus_rig_start(&rig);           replays and starts the journal
 *     bus_rig_run(&rig, 50);         the executor, for so many milliseconds
 *     bus_rig_drain(&rig);
 *     … free what is tested …
 *     bus_rig_fini(&rig); */
#pragma once

#include "async/timer.h"
#include "bus/bus.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

struct bus_rig {
    struct executor *ex;
    struct worker *w;
    struct journal *journal;
    struct db *db;
    struct bus *bus;
    struct bus_publisher client; /* an ordinary one, for bus_rig_publish() */
    struct bus_receipt receipt;  /* of the last one */
    struct timer end;
};

static inline void bus_rig_init(struct bus_rig *g, const char *dir)
{
    struct error e = {0};
    char path[512];
    *g = (struct bus_rig){0};
    struct executor_config ex = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
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

static inline void bus_rig_start(struct bus_rig *g)
{
    struct error e = {0};
    REQUIRE(journal_replay(g->journal, &e) == ERR_OK);
    REQUIRE(journal_start(g->journal, &e) == ERR_OK);
}

static inline void bus_rig_stop(struct timer *t)
{
    executor_stop(CONTAINER_OF(t, struct bus_rig, end)->ex);
}

static inline void bus_rig_run(struct bus_rig *g, int64_t for_ms)
{
    timer_init(&g->end, g->w, bus_rig_stop);
    timer_set_after_ms(&g->end, for_ms);
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
