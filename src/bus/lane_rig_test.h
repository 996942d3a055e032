/* lane_rig_test: a bus on an executor with several workers, and players on them that publish and
 * listen; for the tests of bus/ only.
 *
 * A message's payload is {publisher, n}: each ear checks that what it gets of a publisher on a
 * topic is in order, without a gap and not twice. The run ends when all ears have what they expect,
 * or after a patience that only a lost message uses up. */
#pragma once

#include "bus/bus_internal.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

enum { LANE_PATIENCE_MS = 60000, LANE_PUBLISHERS = 16, LANE_TOPICS = 8 };

struct lane_rig {
    struct executor *ex;
    struct bus *bus;
    _Atomic uint64_t expected; /* deliveries that are still to come */
    _Atomic uint32_t wrong;    /* out of order, twice, or a gap */
    struct timer patience;
    bool lost;
};
struct lane_note {
    uint32_t publisher, n;
};

static inline void lane_rig_lost(struct timer *t)
{
    struct lane_rig *r = CONTAINER_OF(t, struct lane_rig, patience);
    r->lost = true;
    executor_stop(r->ex);
}

static inline void lane_rig_open(struct lane_rig *r, unsigned workers, const struct bus_config *cfg)
{
    struct error e = {0};
    struct bus_config full = cfg ? *cfg : (struct bus_config){0};
    const struct executor_config ec = {.workers = workers, .driver = "epoll", .offload_threads = 1};
    *r = (struct lane_rig){0};
    REQUIRE(CHECK_EQ_INT(executor_new(&r->ex, &ec, &e), ERR_OK));
    full.ex = r->ex;
    REQUIRE(CHECK_EQ_INT(bus_new(&r->bus, &full, &e), ERR_OK));
    timer_init(&r->patience, executor_worker(r->ex, 0), lane_rig_lost);
}

static inline void lane_rig_run(struct lane_rig *r)
{
    timer_set_after_ms(&r->patience, LANE_PATIENCE_MS);
    executor_run(r->ex);
    timer_cancel(&r->patience);
    CHECK(!r->lost);
}

static inline void lane_rig_close(struct lane_rig *r)
{
    bus_free(r->bus);
    executor_free(r->ex);
}

static inline void lane_rig_got(struct lane_rig *r)
{
    if (atomic_fetch_sub(&r->expected, 1) == 1)
        executor_stop(r->ex);
}

/* ---- who listens ---- */

struct lane_ear {
    struct subscriber subscriber;
    struct lane_rig *rig;
    _Atomic uint64_t got;
    uint32_t last[LANE_PUBLISHERS][LANE_TOPICS];
    void (*then)(struct lane_ear *e, struct message *m); /* may be NULL */
};

static inline struct lane_note lane_note_of(const struct message *m)
{
    struct lane_note note = {0};
    REQUIRE(m->payload_len == sizeof(note));
    memcpy(&note, message_payload(m).p, sizeof(note));
    return note;
}

/* Topics end with a digit. */
static inline unsigned lane_topic_of(const struct message *m)
{
    return (unsigned)(m->data[m->topic_len - 1] - '0') % LANE_TOPICS;
}

static inline void lane_hear(struct subscriber *s, struct message *m,
                             const struct sub_options *const *subs, size_t n, bool retained)
{
    struct lane_ear *e = CONTAINER_OF(s, struct lane_ear, subscriber);
    struct lane_note note = lane_note_of(m);
    uint32_t *last = &e->last[note.publisher][lane_topic_of(m)];
    (void)subs, (void)n, (void)retained;
    if (worker_current() != s->worker || note.n != *last + 1)
        atomic_fetch_add(&e->rig->wrong, 1);
    *last = note.n;
    atomic_fetch_add(&e->got, 1);
    if (e->then)
        e->then(e, m);
    lane_rig_got(e->rig);
}

static inline void lane_ear_init(struct lane_ear *e, struct lane_rig *r, unsigned worker)
{
    *e = (struct lane_ear){.rig = r,
                           .subscriber = {.worker = executor_worker(r->ex, worker),
                                          .deliver = lane_hear,
                                          .publisher_id = bus_publisher_id(r->bus)}};
}

static inline void lane_listen(struct lane_ear *e, const char *filter, const char *share,
                               uint8_t qos)
{
    const struct subscription sub = {.filter = str_from(filter),
                                     .share = str_from(share),
                                     .subscriber = &e->subscriber,
                                     .qos = qos};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(e->rig->bus, &sub, NULL), ERR_OK));
}

/* ---- who publishes ---- */

struct lane_mouth {
    struct task task;
    struct bus_room room;
    struct lane_rig *rig;
    const char *const *topics;
    unsigned topics_n, number;
    uint32_t n, of; /* messages on each topic */
    unsigned at;    /* the next topic */
    int burst;      /* things said in one poll; 0: 20 */
    uint8_t qos;
    _Atomic uint64_t refused;
    void (*done)(struct lane_mouth *m); /* may be NULL */
    struct lane_mouth *other;
};

static inline enum err lane_say(struct lane_rig *r, const char *topic, uint32_t publisher,
                                uint32_t n, uint8_t qos, struct bus_receipt *receipt)
{
    const struct lane_note note = {publisher, n};
    const struct bus_publication p = {.topic = str_from(topic),
                                      .payload = {(const uint8_t *)&note, sizeof(note)},
                                      .qos = qos,
                                      .expiry_s = UINT32_MAX};
    return bus_publish(r->bus, &p, receipt);
}

static inline void lane_mouth_room(struct bus_room *room)
{
    task_wake(&CONTAINER_OF(room, struct lane_mouth, room)->task);
}

/* Says some things, then lets others do something. */
static inline enum poll lane_mouth_poll(struct task *t)
{
    struct lane_mouth *m = CONTAINER_OF(t, struct lane_mouth, task);
    struct bus_receipt receipt;
    for (int i = 0; i < (m->burst ? m->burst : 20) && m->n < m->of && !t->canceled; i++) {
        enum err err = lane_say(m->rig, m->topics[m->at], m->number, m->n + 1, m->qos, &receipt);
        if (err == ERR_FULL) {
            m->refused++;
            CHECK_EQ_INT(receipt.full, BUS_FULL_ROOM);
            bus_room_wait(m->rig->bus, &m->room);
            return POLL_PENDING;
        }
        CHECK_EQ_INT(err, ERR_OK);
        m->at = (m->at + 1) % m->topics_n;
        m->n += m->at == 0;
    }
    if (m->n < m->of && !t->canceled) {
        task_wake(t);
        return POLL_PENDING;
    }
    bus_room_cancel(&m->room);
    if (m->done && !t->canceled)
        m->done(m);
    return POLL_READY;
}

static inline void lane_mouth_start(struct lane_mouth *m, unsigned worker)
{
    m->room = (struct bus_room){.room = lane_mouth_room};
    task_init(&m->task, "mouth", lane_mouth_poll, NULL);
    task_spawn(executor_worker(m->rig->ex, worker), &m->task);
}
