/* Full queues: who is dropped, who is told (docs/decisions/0003). */
#include "protocol/mqtt_rig_test.h"

enum { MAX = 16 };

static void check_full(struct broker *b, enum mqtt_full policy, int *first, int *last, int *refused)
{
    struct client pub, sub;
    char payload[16];
    *b = (struct broker){.light = true, .limits = {.queue_max = MAX, .queue_full = policy}};
    broker_start(b, NULL);
    client_join(&sub, b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/+", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
    client_join(&pub, b, "pub", (struct hello_opt){.clean = true}, false);
    *refused = 0;
    for (int i = 0; i < 3 * MAX; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        client_publish(&pub, (uint16_t)(i + 1), "t/x", payload, false);
        const char *answer = client_next(&pub);
        if (strstr(answer, "reason=97")) {
            CHECK_HAS_STR(answer, "the\\x20queue\\x20of\\x20sub\\x20is\\x20full");
            ++*refused;
        } else {
            CHECK_HAS_STR(answer, "reason=00");
        }
    }
    client_publish(&pub, 1000, "other", "x", false);
    EXPECT(&pub, "PUBACK id=1000 reason=10");
    client_join(&sub, b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    client_hex(&sub, "C0 00");
    *first = -1;
    for (const char *text; strcmp(text = client_next(&sub), "PINGRESP") != 0;) {
        *last = (int)number_in(text);
        *first = *first < 0 ? *last : *first;
        client_puback(&sub, sub.last_id);
    }
    EXPECT_NOTHING(&sub);
    client_publish(&pub, 1001, "t/y", "0", false);
    EXPECT(&pub, "PUBACK id=1001 reason=00"); /* there is room again */
    EXPECT_HAS(&sub, "topic=t/y payload=0");
    client_close(&sub);
    client_close(&pub);
}

TEST(mqtt_full_queue)
{
    static const struct {
        enum mqtt_full policy;
        int first, last, refused, dropped;
    } cases[] = {
        {MQTT_FULL_DEFAULT, 2 * MAX, 3 * MAX - 1, 0, 2 * MAX},
        {MQTT_FULL_DROP_OLDEST, 2 * MAX, 3 * MAX - 1, 0, 2 * MAX},
        {MQTT_FULL_DROP_NEWEST, 0, MAX - 1, 0, 2 * MAX},
        {MQTT_FULL_REFUSE, 0, MAX / 8 * 7 - 1, 3 * MAX - MAX / 8 * 7, 3 * MAX - MAX / 8 * 7},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct broker b;
        int first, last, refused;
        LABEL("policy %d", cases[i].policy);
        check_full(&b, cases[i].policy, &first, &last, &refused);
        CHECK_EQ_INT(first, cases[i].first);
        CHECK_EQ_INT(last, cases[i].last);
        CHECK_EQ_INT(refused, cases[i].refused);
        CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_QUEUE_FULL],
                      (uint64_t)cases[i].dropped);
        broker_stop(&b);
    }
}

/* What a client was sent and does not acknowledge is memory too: it stays within the same bounds,
 * and what has no place in them waits, or goes, by the same policy. */
TEST(mqtt_full_window)
{
    enum { COUNT = 100, SIZE = 4000 };
    struct broker b = {.light = true, .limits = {.queue_bytes_max = 64 << 10}};
    struct client pub, sub;
    char payload[SIZE + 1];
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    memset(payload, ' ', SIZE);
    payload[SIZE] = '\0';
    for (int i = 0; i < COUNT; i++) {
        payload[snprintf(payload, SIZE, "%d", i)] = ' ';
        client_publish(&pub, (uint16_t)(i + 1), "t", payload, false);
        EXPECT_HAS(&pub, "PUBACK");
    }
    CHECK(mqtt_server_stats(b.server).queued_bytes <= b.limits.queue_bytes_max);
    CHECK(mqtt_server_stats(b.server).dropped[MQTT_DROP_QUEUE_FULL] > COUNT / 2);
    for (size_t last = 0; last < COUNT - 1;) { /* and it is not stuck */
        size_t n = number_in(client_next(&sub));
        REQUIRE(CHECK(n >= last));
        last = n;
        client_puback(&sub, sub.last_id);
    }
    EXPECT_NOTHING(&sub);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued_bytes, 0);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* Who reads slowly gets all in the end, and need not say anything for that, whatever the largest
 * packet is. */
TEST(mqtt_full_stream)
{
    enum { COUNT = 1500, SIZE = 8000 };
    struct broker b = {.light = true, .limits = {.packet_size_max = 10000}};
    struct client pub, sub;
    char payload[SIZE + 1];
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "t", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    memset(payload, ' ', SIZE);
    payload[SIZE] = '\0';
    for (int i = 0; i < COUNT; i++) {
        payload[snprintf(payload, SIZE, "%d", i)] = ' ';
        client_publish(&pub, 0, "t", payload, false);
    }
    EXPECT_NOTHING(&pub);
    CHECK(mqtt_server_stats(b.server).queued > COUNT / 10); /* it was too much for the socket */
    for (size_t i = 0; i < COUNT; i++) {
        LABEL("message %zu", i);
        REQUIRE(CHECK_EQ_UINT(number_in(client_next(&sub)), i));
    }
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* A new subscription gets all that is retained, however long its client takes to read it. */
TEST(mqtt_full_but_retained)
{
    enum { COUNT = 3000, SIZE = 4000 };
    struct broker b = {.light = true, .limits = {.queue_max = MAX}};
    struct client pub, sub;
    char payload[SIZE + 1], topic[20];
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    memset(payload, ' ', SIZE);
    payload[SIZE] = '\0';
    for (int i = 0; i < COUNT; i++) {
        payload[snprintf(payload, SIZE, "%d", i)] = ' ';
        (void)snprintf(topic, sizeof(topic), "t/%d", i);
        client_publish(&pub, 0, topic, payload, true);
    }
    EXPECT_NOTHING(&pub);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "#", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    for (unsigned n = 0; mqtt_server_stats(b.server).queued == 0; n++) { /* it does not read */
        REQUIRE(CHECK(n < 60000));
        EXPECT_NOTHING(&pub);
    }
    for (size_t i = 0; i < COUNT; i++) {
        LABEL("message %zu", i);
        REQUIRE(EXPECT_HAS(&sub, "retain=1"));
    }
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_QOS0_FULL], 0);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

static void send2(struct client *c, enum mqtt_type type, uint16_t id)
{
    client_put(c, &(struct mqtt_packet){.type = type, .ack = {.id = id}});
}

/* A message fits into the journal, and the note of its packet id does not any more: it leaves when
 * there is room, although nothing else happens on that connection. */
TEST(mqtt_full_journal_for_a_note)
{
    enum { GROUP = 8000, STEP = 10, RANGE = 200 };
    struct broker b = {.group_bytes_max = GROUP, .workers = 1};
    struct client pub, filler, sub;
    static char payload[GROUP + 1];
    unsigned published = 0, too_large = 0;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t", 2, 0);
    EXPECT(&sub, "SUBACK id=1 codes 02");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&filler, &b, "filler", (struct hello_opt){.clean = true}, false);
    for (int n = GROUP - RANGE; n < GROUP; n += STEP) {
        LABEL("%d bytes", n);
        memset(payload, 'x', (size_t)n);
        payload[n] = '\0';
        moody_set(&b.disk, true, false);
        client_publish(&filler, 1, "kept", "x", true);
        moody_await(&b.disk);
        const struct mqtt_packet p = {
            .type = MQTT_PUBLISH,
            .publish = {
                .qos = 2, .id = 1, .topic = STR("t"), .payload = {(uint8_t *)payload, (size_t)n}}};
        client_put(&pub, &p);
        client_hex(&pub, "C0 00");
        const char *first = client_next(&pub);
        bool fits = strcmp(first, "PINGRESP") == 0;
        moody_set(&b.disk, false, false);
        EXPECT_HAS(&filler, "PUBACK id=1");
        if (!fits) {
            CHECK_HAS_STR(first, "PUBREC id=1 reason=97");
            EXPECT(&pub, "PINGRESP");
            too_large++;
            continue;
        }
        EXPECT(&pub, "PUBREC id=1 reason=00");
        REQUIRE(EXPECT_HAS(&sub, "PUBLISH"));
        send2(&sub, MQTT_PUBREC, sub.last_id);
        EXPECT_HAS(&sub, "PUBREL");
        send2(&sub, MQTT_PUBCOMP, sub.last_id);
        send2(&pub, MQTT_PUBREL, 1);
        EXPECT(&pub, "PUBCOMP id=1 reason=00");
        published++;
    }
    CHECK(published > 0);
    CHECK(too_large > 0); /* so there was one between them */
    client_close(&sub);
    client_close(&pub);
    client_close(&filler);
    broker_stop(&b);
}
