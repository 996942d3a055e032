/* Shares over a power cut: what one member has had is not given to another, and what nobody has had
 * to one of them, whoever is chosen when the journal is replayed. */
#include "base/clock.h"
#include "base/log.h"
#include "codec/mqtt.h"
#include "tests/support/mqtt_bytes.h"
#include "tests/support/mqtt_world.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS = 3, MESSAGES = 60 };

struct share_world {
    struct world world;
    struct peer members[MEMBERS], publisher;
    struct random random;
    bool acked[MESSAGES];   /* PUBACK, PUBREC or PUBCOMP was sent for it */
    unsigned got[MESSAGES]; /* since the restart */
};

static void say(struct share_world *x, struct peer *p, const char *text)
{
    uint8_t bytes[MQTT_BYTES_MAX];
    peer_send(p, bytes, mqtt_bytes(text, bytes));
    world_settle(&x->world);
}

static void join(struct share_world *x, unsigned i)
{
    char text[100];
    peer_connect(&x->members[i], &x->world);
    (void)snprintf(text, sizeof(text), "10[ 'MQTT' 05 00 0000 {11 FFFFFFFF} 'm%u' ]", i);
    say(x, &x->members[i], text);
}

static void answer(struct share_world *x, struct peer *p, const struct mqtt_publish *m,
                   size_t number)
{
    char text[40];
    x->acked[number] = true;
    (void)snprintf(text, sizeof(text), "%s[ %04X ]", m->qos == 1 ? "40" : "50", m->id);
    say(x, p, text);
}

/* Before the cut a member answers now and then; after it, it only counts. */
static void take(struct share_world *x, struct peer *p, bool after)
{
    const struct mqtt_decoder d = {.version = MQTT_V5};
    struct mqtt_packet packet;
    size_t used;
    while (mqtt_decode(&d, (struct bytes){p->in, p->n}, &packet, &used) == MQTT_OK) {
        char text[8] = "";
        struct bytes payload = packet.publish.payload;
        bool message = packet.type == MQTT_PUBLISH && packet.publish.qos;
        const struct mqtt_publish m = packet.publish;
        if (message)
            memcpy(text, payload.p, payload.n < 7 ? payload.n : 7);
        peer_used(p, used);
        size_t number = strtoul(text, NULL, 10);
        if (!message || !CHECK(number < MESSAGES))
            continue;
        if (after)
            x->got[number]++;
        else if (random_below(&x->random, 2))
            answer(x, p, &m, number);
    }
}

static void publish(struct share_world *x, unsigned number)
{
    char text[100];
    unsigned qos = 1 + (unsigned)random_below(&x->random, 2);
    (void)snprintf(text, sizeof(text), "%s[ 't' %04X {} \"%u\" ]", qos == 1 ? "32" : "34",
                   number + 1, number);
    say(x, &x->publisher, text);
    if (random_below(&x->random, 3) == 0) /* takes a turn, and is not in the journal */
        say(x, &x->publisher, "30[ 't' {} ]");
}

static void open_all(struct share_world *x)
{
    world_open(&x->world);
    for (unsigned i = 0; i < MEMBERS; i++) {
        peer_init(&x->members[i], &x->world);
        join(x, i);
        say(x, &x->members[i], "82[ 0001 {} '$share/g/t' 02 ]");
        take(x, &x->members[i], false);
    }
    peer_init(&x->publisher, &x->world);
    peer_connect(&x->publisher, &x->world);
    say(x, &x->publisher, "10[ 'MQTT' 05 02 0000 {} 'p' ]");
}

static void one_run(uint64_t seed)
{
    static struct share_world x;
    x = (struct share_world){.world = {.seed = seed}};
    random_seed(&x.random, seed);
    open_all(&x);
    for (unsigned n = 0; n < MESSAGES; n++) {
        publish(&x, n);
        for (unsigned i = 0; i < MEMBERS; i++)
            take(&x, &x.members[i], false);
        if (random_below(&x.random, 20) == 0)
            mqtt_server_checkpoint(x.world.server);
    }
    world_wait_ms(&x.world, 1000);
    world_restart(&x.world, random_below(&x.random, 2) ? ENV_SIM_POWER : ENV_SIM_KILL);
    peer_drop(&x.publisher);
    for (unsigned i = 0; i < MEMBERS; i++) {
        peer_drop(&x.members[i]);
        join(&x, i);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        take(&x, &x.members[i], true);
    for (unsigned n = 0; n < MESSAGES; n++) {
        LABEL("seed %llu, message %u", (unsigned long long)seed, n);
        CHECK_EQ_UINT(x.got[n], x.acked[n] ? 0 : 1);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        peer_drop(&x.members[i]);
    world_close(&x.world);
}

static void hello_anew(struct share_world *x, unsigned i)
{
    char text[100];
    peer_connect(&x->members[i], &x->world);
    (void)snprintf(text, sizeof(text), "10[ 'MQTT' 05 02 0000 {} 'm%u' ]", i);
    say(x, &x->members[i], text);
}

/* What one got by a share goes on to another when its session ends, also if it came out of the
 * database meanwhile, where it is not written by which subscription it came. */
static void check_hand_over(uint32_t memory_max, unsigned count)
{
    static struct share_world x;
    char text[60];
    x = (struct share_world){.world.limits.queue_memory_max = memory_max};
    world_open(&x.world);
    for (unsigned i = 0; i < MEMBERS; i++)
        peer_init(&x.members[i], &x.world);
    peer_init(&x.publisher, &x.world);
    peer_connect(&x.publisher, &x.world);
    say(&x, &x.publisher, "10[ 'MQTT' 05 02 0000 {} 'p' ]");
    join(&x, 0);
    say(&x, &x.members[0], "82[ 0001 {} '$share/g/t' 02 ]");
    say(&x, &x.members[0], "82[ 0002 {} 'own' 02 ]");
    peer_drop(&x.members[0]);
    say(&x, &x.publisher, "32[ 'own' 00FF {} \"59\" ]");
    for (unsigned n = 0; n < count; n++) {
        (void)snprintf(text, sizeof(text), "32[ 't' %04X {} \"%u\" ]", n + 1, n);
        say(&x, &x.publisher, text);
    }
    mqtt_server_checkpoint(x.world.server);
    world_wait_ms(&x.world, 1000);
    join(&x, 1);
    say(&x, &x.members[1], "82[ 0001 {} '$share/g/t' 02 ]");
    peer_drop(&x.publisher);
    peer_drop(&x.members[1]);
    world_restart(&x.world, ENV_SIM_KILL);
    join(&x, 1);
    hello_anew(&x, 0);
    world_wait_ms(&x.world, 1000);
    take(&x, &x.members[1], true);
    for (unsigned n = 0; n < MESSAGES; n++) {
        LABEL("message %u", n);
        CHECK_EQ_UINT(x.got[n], n < count ? 1 : 0);
    }
    for (unsigned i = 0; i < 2; i++)
        peer_drop(&x.members[i]);
    world_close(&x.world);
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

TEST(mqtt_shares_over_a_power_cut)
{
    uint64_t first = test_seed();
    log_set_sink(nowhere, NULL);
    for (uint64_t i = 0; i < 30; i++)
        one_run(first + i);
    log_set_sink(NULL, NULL);
}

TEST(mqtt_shares_out_of_the_database)
{
    log_set_sink(nowhere, NULL);
    check_hand_over(0, 40);
    log_set_sink(NULL, NULL);
}

/* Most of it is not even in memory when the session ends. */
TEST(mqtt_shares_of_a_long_queue)
{
    log_set_sink(nowhere, NULL);
    check_hand_over(4, 55);
    log_set_sink(NULL, NULL);
}
