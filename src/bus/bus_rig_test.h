/* bus_rig_test: a bus with a real journal and database in a folder of the test, and a subscriber
 * that writes down what it gets; for the tests of bus/ only. No executor runs: checkpoints are
 * done when they are asked for. */
#pragma once

#include "bus/bus_internal.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

struct bus_rig {
    struct executor *ex;
    struct journal *journal;
    struct db *db;
    struct bus *bus;
    char dir[200];
};

static inline void bus_rig_open(struct bus_rig *r, const struct bus_config *limits)
{
    struct error e = {0};
    char path[256];
    struct bus_config cfg = limits ? *limits : (struct bus_config){0};
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    (void)snprintf(r->dir, sizeof(r->dir), "%s", test_tmpdir());
    REQUIRE(CHECK_EQ_INT(executor_new(&r->ex, &ec, &e), ERR_OK));
    (void)snprintf(path, sizeof(path), "%s/sedge.db", r->dir);
    const struct db_config dc = {.ex = r->ex, .alloc = alloc_system(), .path = path};
    REQUIRE(CHECK_EQ_INT(db_open(&r->db, &dc, &e), ERR_OK));
    const struct journal_config jc = {.ex = r->ex,
                                      .disk = disk_linux(),
                                      .clock = env_linux()->clock,
                                      .alloc = alloc_system(),
                                      .dir = r->dir,
                                      .segment_bytes = 1 << 20};
    REQUIRE(CHECK_EQ_INT(journal_open(&r->journal, &jc, &e), ERR_OK));
    cfg.ex = r->ex;
    cfg.journal = r->journal;
    cfg.db = r->db;
    REQUIRE(CHECK_EQ_INT(bus_new(&r->bus, &cfg, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(journal_replay(r->journal, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(journal_start(r->journal, &e), ERR_OK));
}

static inline void bus_rig_close(struct bus_rig *r)
{
    bus_free(r->bus);
    journal_close(r->journal);
    db_close(r->db);
    executor_free(r->ex);
    *r = (struct bus_rig){0};
}

/* Without journal and database. */
static inline void bus_rig_light(struct bus_rig *r)
{
    struct error e = {0};
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(CHECK_EQ_INT(executor_new(&r->ex, &ec, &e), ERR_OK));
    const struct bus_config cfg = {.ex = r->ex};
    REQUIRE(CHECK_EQ_INT(bus_new(&r->bus, &cfg, &e), ERR_OK));
}

static inline void bus_rig_light_close(struct bus_rig *r)
{
    bus_free(r->bus);
    executor_free(r->ex);
    *r = (struct bus_rig){0};
}

#define NO_SHARE ((struct str){NULL, 0})

struct listener_rig {
    struct subscriber subscriber;
    struct strbuf got; /* "topic=payload/qos[ids] " for each delivery, `r` behind a retained one */
    bool stored;
    struct bus *bus; /* unsubscribes `leaves` at its next delivery */
    struct subscriber *leaves;
};

static inline void rig_deliver(struct subscriber *s, struct message *m,
                               const struct sub_options *const *subs, size_t n, bool retained)
{
    struct listener_rig *l = CONTAINER_OF(s, struct listener_rig, subscriber);
    uint8_t qos = 0;
    for (size_t i = 0; i < n; i++)
        qos = subs[i]->qos > qos ? subs[i]->qos : qos;
    strbuf_addf(&l->got, "%.*s=%.*s/%u", STR_FMT(message_topic(m)), (int)m->payload_len,
                (const char *)message_payload(m).p, qos);
    for (size_t i = 0; i < n; i++)
        if (subs[i]->id)
            strbuf_addf(&l->got, "[%u]", subs[i]->id);
    strbuf_adds(&l->got, retained ? "r " : " ");
    if (l->leaves)
        bus_unsubscribe_all(l->bus, l->leaves);
    l->leaves = NULL;
}

static inline void listener_rig_init(struct listener_rig *l, struct bus *b)
{
    *l = (struct listener_rig){.subscriber = {.deliver = rig_deliver}, .bus = b};
    l->subscriber.publisher_id = bus_publisher_id(b);
    strbuf_init(&l->got, alloc_system(), 0);
}

static inline void listener_rig_fini(struct listener_rig *l)
{
    bus_unsubscribe_all(l->bus, &l->subscriber);
    strbuf_fini(&l->got);
}

static inline bool rig_subscribe(struct listener_rig *l, const char *filter, uint8_t qos,
                                 uint32_t id)
{
    const struct subscription sub = {.filter = str_from(filter),
                                     .subscriber = &l->subscriber,
                                     .qos = qos,
                                     .id = id,
                                     .stored = l->stored};
    bool existed = false;
    enum err err = bus_subscribe(l->bus, &sub, &existed);
    REQUIRE(CHECK_EQ_INT(err, ERR_OK));
    return existed;
}

static inline enum err rig_publish_as(struct bus *b, const struct bus_publisher *from,
                                      const char *topic, const char *payload, uint8_t qos,
                                      bool retain, struct bus_receipt *receipt)
{
    const struct bus_publication p = {.topic = str_from(topic),
                                      .payload = {(const uint8_t *)payload, strlen(payload)},
                                      .qos = qos,
                                      .retain = retain,
                                      .expiry_s = UINT32_MAX,
                                      .from = from};
    return bus_publish(b, &p, receipt);
}

static inline struct bus_receipt rig_publish(struct bus *b, const char *topic, const char *payload,
                                             uint8_t qos, bool retain)
{
    struct bus_receipt r;
    enum err err = rig_publish_as(b, NULL, topic, payload, qos, retain, &r);
    REQUIRE(CHECK_EQ_INT(err, ERR_OK));
    return r;
}

/* What was got since the last call. */
#define CHECK_GOT(l, want)                                                                         \
    do {                                                                                           \
        CHECK_EQ_STR((l)->got.p, (want));                                                          \
        strbuf_reset(&(l)->got);                                                                   \
    } while (0)
