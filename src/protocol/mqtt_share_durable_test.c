/* What a member of a share holds goes on when its session ends: after a restart, out of the
 * database, from who is stored to who is not, and over a power cut at any instant of it. */
#include "base/log.h"
#include "codec/mqtt.h"
#include "tests/support/mqtt_bytes.h"
#include "tests/support/mqtt_world.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 300, MEMORY = 10 };

struct member {
    struct peer peer;
    const char *id;
    bool silent;         /* does not answer */
    unsigned got[MANY];  /* messages, without repeated ones of QoS 2 */
    unsigned count;      /* of them */
    uint8_t known[8192]; /* ids of QoS 2 that wait for PUBREL */
};

static void say(struct world *w, struct member *m, const char *text)
{
    uint8_t bytes[MQTT_BYTES_MAX];
    peer_send(&m->peer, bytes, mqtt_bytes(text, bytes));
    world_settle(w);
}

/* Properties as they stand in CONNECT: "11 FFFFFFFF" makes it stored. */
static void join(struct world *w, struct member *m, bool clean, const char *properties)
{
    char text[100];
    peer_connect(&m->peer, w);
    (void)snprintf(text, sizeof(text), "10[ 'MQTT' 05 %s 0000 {%s} '%s' ]", clean ? "02" : "00",
                   properties, m->id);
    say(w, m, text);
}

static void answer(struct world *w, struct member *m, unsigned type, unsigned id)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%02X[ %04X ]", type, id);
    if (!m->silent)
        say(w, m, text);
}

static void got(struct world *w, struct member *m, const struct mqtt_publish *p)
{
    char text[8] = "";
    memcpy(text, p->payload.p, p->payload.n < 7 ? p->payload.n : 7);
    size_t number = strtoul(text, NULL, 10);
    uint8_t *known = &m->known[p->id % sizeof(m->known)];
    if (!CHECK(number < MANY))
        return;
    m->got[number] += !*known;
    m->count += !*known;
    *known = p->qos == 2;
    answer(w, m, p->qos == 2 ? 0x50 : 0x40, p->id);
}

/* Takes and answers what comes, until nothing does. */
static void take(struct world *w, struct member *m)
{
    const struct mqtt_decoder d = {.version = MQTT_V5};
    struct mqtt_packet p;
    size_t used;
    while (mqtt_decode(&d, (struct bytes){m->peer.in, m->peer.n}, &p, &used) == MQTT_OK) {
        uint8_t payload[8];
        struct mqtt_publish publish = p.publish;
        if (p.type == MQTT_PUBLISH) {
            publish.payload.n = publish.payload.n < 8 ? publish.payload.n : 8;
            memcpy(payload, publish.payload.p, publish.payload.n);
            publish.payload.p = payload;
        }
        peer_used(&m->peer, used);
        if (p.type == MQTT_PUBLISH && publish.qos)
            got(w, m, &publish);
        else if (p.type == MQTT_PUBREL) {
            m->known[p.ack.id % sizeof(m->known)] = 0;
            answer(w, m, 0x70, p.ack.id);
        }
    }
}

static void subscribe(struct world *w, struct member *m, const char *filter)
{
    char text[60];
    (void)snprintf(text, sizeof(text), "82[ 0001 {} '%s' 02 ]", filter);
    say(w, m, text);
    take(w, m);
}

/* It is a stored member and has gone. */
static void leave_behind(struct world *w, struct member *m, const char *filter)
{
    join(w, m, false, "11 FFFFFFFF");
    subscribe(w, m, filter);
    say(w, m, "E0[]");
    peer_drop(&m->peer);
    world_settle(w);
}

static void publish(struct world *w, struct member *m, unsigned from, unsigned to, unsigned qos)
{
    char text[60];
    for (unsigned i = from; i < to; i++) {
        (void)snprintf(text, sizeof(text), "%s[ 't' %04X {} \"%u\" ]", qos == 1 ? "32" : "34",
                       i + 1, i);
        say(w, m, text);
        if (qos == 2) {
            (void)snprintf(text, sizeof(text), "62[ %04X ]", i + 1);
            say(w, m, text);
        }
        take(w, m);
    }
}

/* Its session ends: a clean start of the same client. */
static void end_session(struct world *w, struct member *m)
{
    join(w, m, true, "");
    peer_drop(&m->peer);
    world_settle(w);
}

static void come_back(struct world *w, struct member *m)
{
    join(w, m, false, "11 FFFFFFFF");
    take(w, m);
    world_wait_ms(w, 500);
    take(w, m);
}

static void open_world(struct world *w, struct member *members, size_t n)
{
    world_open(w);
    for (size_t i = 0; i < n; i++)
        peer_init(&members[i].peer, w);
}

static void close_world(struct world *w, struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        peer_drop(&members[i].peer);
    world_close(w);
}

static void expect_each(const struct member *m, unsigned from, unsigned to, unsigned times)
{
    for (unsigned i = from; i < to; i++) {
        LABEL("%s, message %u", m->id, i);
        CHECK_EQ_UINT(m->got[i], times);
    }
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

/* ---- from stored to stored ---- */

TEST(mqtt_share_is_known_after_a_restart)
{
    for (int qos = 1; qos <= 2; qos++) {
        struct world w = {.seed = 7};
        static struct member x[3];
        memcpy(x, (struct member[3]){{.id = "a"}, {.id = "b"}, {.id = "p"}}, sizeof(x));
        struct member *a = &x[0], *b = &x[1], *p = &x[2];
        LABEL("QoS %d", qos);
        open_world(&w, x, 3);
        leave_behind(&w, a, "$share/g/+");
        join(&w, p, true, "");
        publish(&w, p, 0, 20, (unsigned)qos);
        peer_drop(&p->peer);
        mqtt_server_checkpoint(w.server);
        world_wait_ms(&w, 1000);
        world_restart(&w, ENV_SIM_KILL);
        leave_behind(&w, b, "$share/g/+");
        end_session(&w, a);
        world_wait_ms(&w, 2000);
        world_restart(&w, ENV_SIM_POWER);
        come_back(&w, b);
        expect_each(b, 0, 20, 1);
        close_world(&w, x, 3);
    }
}

/* The middle of the queue is in the database only. The power goes while it is being given away, at
 * another instant in each round; 0: it does not. True: it was not over. */
static bool spilled(int64_t cut_ns, uint64_t seed)
{
    bool midway = false;
    uint8_t hello[MQTT_BYTES_MAX];
    struct world w = {.seed = seed, .limits = {.queue_memory_max = MEMORY}};
    static struct member x[3];
    memcpy(x, (struct member[3]){{.id = "a"}, {.id = "b"}, {.id = "p"}}, sizeof(x));
    struct member *a = &x[0], *b = &x[1], *p = &x[2];
    LABEL("cut after %lld ns", (long long)cut_ns);
    open_world(&w, x, 3);
    leave_behind(&w, a, "$share/g/t");
    leave_behind(&w, b, "t/none");
    join(&w, p, true, "");
    publish(&w, p, 0, MANY, 2);
    world_wait_ms(&w, 1000);
    CHECK(mqtt_server_stats(w.server).queued_bytes < 5 * MEMORY * (sizeof(struct message) + 4));
    leave_behind(&w, b, "$share/g/t");
    if (seed & 2) /* who gets them takes them at once */
        come_back(&w, b);
    peer_connect(&a->peer, &w);
    peer_send(&a->peer, hello, mqtt_bytes("10[ 'MQTT' 05 02 0000 {} 'a' ]", hello));
    world_wait_ns(&w, cut_ns ? cut_ns / 2 + 1 : 3000000000);
    if (seed & 1)
        mqtt_server_checkpoint(w.server);
    if (cut_ns)
        world_wait_ns(&w, cut_ns / 2 + 1);
    if (seed & 2 && seed & 4)
        take(&w, b);
    CHECK(cut_ns || mqtt_server_stats(w.server).sessions == 3);
    if (cut_ns) {
        midway = mqtt_server_stats(w.server).sessions == 4; /* two of a's */
        peer_drop(&a->peer);
        peer_drop(&b->peer);
        peer_drop(&p->peer);
        world_restart(&w, cut_ns & 1 ? ENV_SIM_POWER : ENV_SIM_KILL);
        end_session(&w, a); /* it may not have ended yet */
    }
    peer_drop(&a->peer);
    peer_drop(&b->peer);
    world_wait_ms(&w, 3000);
    come_back(&w, b);
    expect_each(b, 0, MANY, 1);
    close_world(&w, x, 3);
    return midway;
}

TEST(mqtt_share_out_of_the_database)
{
    uint64_t seed = test_seed();
    unsigned midway = 0;
    log_set_sink(nowhere, NULL);
    (void)spilled(0, seed);
    for (int i = 0; i < 24; i++)
        midway += spilled(100000 + i * 650001, seed + (uint64_t)i);
    log_set_sink(NULL, NULL);
    CHECK(midway > 1);
}

/* ---- with members that are not stored ---- */

TEST(mqtt_share_from_clean_to_stored)
{
    struct world w = {.seed = 7};
    static struct member x[4];
    memcpy(x,
           (struct member[4]){{.id = "c", .silent = true}, {.id = "b"}, {.id = "p"}, {.id = "w"}},
           sizeof(x));
    struct member *c = &x[0], *b = &x[1], *p = &x[2], *watcher = &x[3];
    for (int watched = 0; watched < 2; watched++) {
        LABEL("in the journal before: %d", watched);
        memset(b->got, 0, sizeof(b->got));
        open_world(&w, x, 4);
        leave_behind(&w, b, "$share/g/t");
        if (watched)
            leave_behind(&w, watcher, "t");
        join(&w, c, true, "21 0002"); /* two at once; the others wait */
        subscribe(&w, c, "$share/g/t");
        join(&w, p, true, "");
        publish(&w, p, 0, 2, 1);
        publish(&w, p, 2, 3, 2);
        take(&w, c);
        peer_drop(&c->peer);
        world_wait_ms(&w, 1000);
        peer_drop(&p->peer);
        world_restart(&w, ENV_SIM_POWER);
        come_back(&w, b);
        expect_each(b, 0, 3, 1);
        close_world(&w, x, 4);
    }
}

/* What a clean member has had is not given to a stored one, although the journal has it, because
 * somebody else's depends on it. */
TEST(mqtt_share_had_by_a_clean_member)
{
    struct world w = {.seed = 7};
    static struct member x[4];
    memcpy(x, (struct member[4]){{.id = "c"}, {.id = "b"}, {.id = "p"}, {.id = "w"}}, sizeof(x));
    struct member *c = &x[0], *b = &x[1], *p = &x[2], *watcher = &x[3];
    open_world(&w, x, 4);
    leave_behind(&w, b, "$share/g/t");
    leave_behind(&w, watcher, "t");
    join(&w, c, true, "");
    subscribe(&w, c, "$share/g/t");
    join(&w, p, true, "");
    for (unsigned i = 0; i < 10; i++) {
        publish(&w, p, i, i + 1, 2);
        take(&w, c);
    }
    expect_each(c, 0, 10, 1);
    peer_drop(&c->peer);
    peer_drop(&p->peer);
    world_restart(&w, ENV_SIM_POWER);
    come_back(&w, b);
    come_back(&w, watcher);
    expect_each(b, 0, 10, 0);
    expect_each(watcher, 0, 10, 1);
    close_world(&w, x, 4);
}

/* From a stored session that ends to a clean one: it has it, and nobody else gets it. */
TEST(mqtt_share_from_stored_to_clean)
{
    struct world w = {.seed = 7};
    static struct member x[4];
    memcpy(x, (struct member[4]){{.id = "a"}, {.id = "c"}, {.id = "b"}, {.id = "p"}}, sizeof(x));
    struct member *a = &x[0], *c = &x[1], *b = &x[2], *p = &x[3];
    open_world(&w, x, 4);
    leave_behind(&w, a, "$share/g/t");
    join(&w, p, true, "");
    publish(&w, p, 0, 10, 2);
    leave_behind(&w, b, "$share/g/t");
    join(&w, c, true, "");
    subscribe(&w, c, "$share/g/t");
    end_session(&w, a);
    take(&w, c);
    expect_each(c, 0, 10, 1);
    peer_drop(&c->peer);
    peer_drop(&p->peer);
    world_restart(&w, ENV_SIM_POWER);
    come_back(&w, b);
    expect_each(b, 0, 10, 0);
    close_world(&w, x, 4);
}
