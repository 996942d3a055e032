/* Many sessions at once. */
#include "tests/support/mqtt_bytes.h"
#include "tests/support/mqtt_world.h"
#include "tests/support/test.h"
#include <stdio.h>

static void come_and_go(struct world *w, struct peer *p, unsigned number)
{
    uint8_t bytes[MQTT_BYTES_MAX];
    char text[80];
    (void)snprintf(text, sizeof(text), "10[ 'MQTT' 05 02 0000 {11 00000064} 'c%u' ]", number);
    peer_connect(p, w);
    peer_send(p, bytes, mqtt_bytes(text, bytes));
    world_settle(w);
    peer_drop(p);
}

/* More than are ended in one go: the rest follows, and not a second later. */
TEST(mqtt_many_sessions_end_together)
{
    enum { SESSIONS = 2500 };
    static struct world w;
    static struct peer p;
    w = (struct world){.light = true};
    world_open(&w);
    peer_init(&p, &w);
    for (unsigned i = 0; i < SESSIONS; i++)
        come_and_go(&w, &p, i);
    CHECK_EQ_UINT(mqtt_server_stats(w.server).sessions, SESSIONS);
    world_wait_ms(&w, 100 * 1000 + 1100);
    CHECK_EQ_UINT(mqtt_server_stats(w.server).sessions, 0);
    world_close(&w);
}
