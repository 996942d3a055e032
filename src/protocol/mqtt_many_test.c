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

static void say(struct world *w, struct peer *p, const char *text)
{
    uint8_t bytes[MQTT_BYTES_MAX];
    peer_send(p, bytes, mqtt_bytes(text, bytes));
    world_settle(w);
}

/* One client that speaks for many devices: each message has another topic, and all lie in one
 * piece, with other packets between them; the broker looks ahead in it. The second time round the
 * routes are kept ones. */
TEST(mqtt_many_topics_in_one_piece)
{
    enum { TOPICS = 50 };
    static struct world w;
    static struct peer from, to;
    uint8_t sent[8192], due[8192];
    size_t sent_n = 0, due_n = 0;
    char text[120];
    w = (struct world){.light = true};
    world_open(&w);
    peer_init(&from, &w);
    peer_init(&to, &w);
    peer_connect(&from, &w);
    peer_connect(&to, &w);
    say(&w, &from, "10[ 'MQTT' 05 02 0000 {} 'from' ]");
    say(&w, &to, "10[ 'MQTT' 05 02 0000 {} 'to' ]");
    say(&w, &to, "82[ 0001 {} 'p/+/t' 00 'p/#' 00 ]");
    for (unsigned i = 0; i < TOPICS; i++) {
        (void)snprintf(text, sizeof(text), "30[ 'p/%u/t' {} \"%u\" ]", i, i);
        due_n += mqtt_bytes(text, due + due_n);
        sent_n += mqtt_bytes(text, sent + sent_n);
        if (i % 7 == 0) /* an alias that is set, and one that stands for a topic */
            sent_n += mqtt_bytes("C0[ ] 30[ 'p/alias' { 23 0001 } \"\" ] 30[ '' { 23 0001 } \"\" ]",
                                 sent + sent_n);
        if (i % 7 == 0)
            due_n += mqtt_bytes("30[ 'p/alias' {} \"\" ] 30[ 'p/alias' {} \"\" ]", due + due_n);
    }
    for (int round = 0; round < 3; round++) {
        LABEL("round %d", round);
        to.n = 0;
        peer_send(&from, sent, sent_n);
        world_settle(&w);
        CHECK_EQ_UINT(to.n, due_n);
        CHECK(to.n == due_n && memcmp(to.in, due, due_n) == 0);
    }
    peer_drop(&from);
    peer_drop(&to);
    world_close(&w);
}
