/* Denials are told to people, but nobody can fill the log and the history with them. */
#include "base/log.h"
#include "tests/support/mqtt_bytes.h"
#include "tests/support/mqtt_world.h"
#include "tests/support/test.h"
#include <stdio.h>

struct told {
    struct world world;
    struct peer peer;
    struct event_listener listener;
    unsigned n;
};

static void action(struct event_listener *l, const struct action_event *e)
{
    CHECK_EQ_INT(e->state, ACTION_DENIED);
    CONTAINER_OF(l, struct told, listener)->n++;
}

static void say(struct told *t, const char *text)
{
    uint8_t bytes[MQTT_BYTES_MAX];
    peer_send(&t->peer, bytes, mqtt_bytes(text, bytes));
    world_settle(&t->world);
}

/* Each is another client: of one alone a line a minute is told. */
static void try_it(struct told *t, unsigned client)
{
    char text[80];
    peer_connect(&t->peer, &t->world);
    (void)snprintf(text, sizeof(text), "10[ 'MQTT' 04 02 0000 'c%u' ]", client);
    say(t, text);
    say(t, "30[ 'owned/set' \"x\" ]");
    peer_drop(&t->peer);
    world_settle(&t->world);
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

TEST(mqtt_denied_but_not_told_for_ever)
{
    enum { CLIENTS = 40, PER_S = 10 };
    static struct told t = {.world.light = true, .listener.action = action};
    log_set_sink(nowhere, NULL);
    world_open(&t.world);
    peer_init(&t.peer, &t.world);
    bus_event_listen(t.world.bus, &t.listener);
    for (unsigned i = 0; i < CLIENTS; i++)
        try_it(&t, i);
    CHECK_EQ_UINT(t.n, PER_S);
    CHECK_EQ_UINT(mqtt_server_stats(t.world.server).dropped[MQTT_DROP_DENIED], CLIENTS);
    world_wait_ms(&t.world, 1000);
    try_it(&t, CLIENTS);
    CHECK_EQ_UINT(t.n, PER_S + 1);
    bus_event_unlisten(&t.listener);
    world_close(&t.world);
    log_set_sink(NULL, NULL);
}
