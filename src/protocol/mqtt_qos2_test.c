/* QoS 2 in both directions, and what of it lasts: checklist 15, 17, 18, 19 and 37. */
#include "protocol/mqtt_rig_test.h"
#include <sqlite3.h>

static void ack(struct client *c, enum mqtt_type type, uint16_t id)
{
    const struct mqtt_packet p = {.type = type, .ack = {.id = id}};
    client_put(c, &p);
}

static void publish2_whole(struct client *c, uint16_t id, const char *topic, const char *payload)
{
    char want[60];
    client_publish2(c, id, false, topic, payload);
    (void)snprintf(want, sizeof(want), "PUBREC id=%d reason=00", id);
    EXPECT(c, want);
    ack(c, MQTT_PUBREL, id);
    (void)snprintf(want, sizeof(want), "PUBCOMP id=%d reason=00", id);
    EXPECT(c, want);
}

static void subscribe2(struct client *c, const char *filter)
{
    client_subscribe(c, 1, filter, 2, 0);
    EXPECT(c, "SUBACK id=1 codes 02");
}

/* Nothing comes of its own accord: not before some time has passed either. */
static void expect_silence(struct client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    CHECK_EQ_UINT(c->used, c->n);
    CHECK_EQ_INT(poll(&p, 1, 100), 0);
}

/* Checklist 17: published once, however often it comes before PUBREL; then the id is free. */
TEST(mqtt_qos2_in)
{
    static const enum mqtt_version versions[] = {MQTT_V5, MQTT_V311};
    struct broker b = {.light = true};
    struct client pub, sub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "t", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        LABEL("version %d", versions[i]);
        client_join(&pub, &b, "pub", (struct hello_opt){.version = versions[i], .clean = true},
                    false);
        for (int again = 0; again < 3; again++) {
            client_publish2(&pub, 7, again > 0, "t", "once");
            EXPECT(&pub, "PUBREC id=7 reason=00");
        }
        client_publish2(&pub, 8, false, "t", "another");
        EXPECT(&pub, "PUBREC id=8 reason=00");
        ack(&pub, MQTT_PUBREL, 7);
        EXPECT(&pub, "PUBCOMP id=7 reason=00");
        ack(&pub, MQTT_PUBREL, 7);
        EXPECT(&pub, versions[i] == MQTT_V5 ? "PUBCOMP id=7 reason=92" : "PUBCOMP id=7 reason=00");
        client_publish2(&pub, 8, true, "t", "another");
        EXPECT(&pub, "PUBREC id=8 reason=00");
        client_publish2(&pub, 7, false, "t", "the next");
        EXPECT(&pub, "PUBREC id=7 reason=00");
        EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t payload=once");
        EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t payload=another");
        EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t payload=the\\x20next");
        EXPECT_NOTHING(&sub);
        client_close(&pub);
    }
    client_close(&sub);
    broker_stop(&b);
}

/* What is refused is not remembered: the id is free for another message. */
TEST(mqtt_qos2_in_refused)
{
    struct broker b = {.light = true};
    struct client pub, old;
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_publish2(&pub, 1, false, "owned/set", "x");
    EXPECT_HAS(&pub, "PUBREC id=1 reason=87");
    ack(&pub, MQTT_PUBREL, 1);
    EXPECT(&pub, "PUBCOMP id=1 reason=92");
    publish2_whole(&old, 1, "owned/set", "x"); /* it can't be told */
    client_close(&pub);
    client_close(&old);
    broker_stop(&b);
}

/* A session remembers its ids, whatever happens to its connections. */
TEST(mqtt_qos2_in_over_a_reconnect)
{
    struct broker b = {0}, after = {0};
    struct client pub, sub;
    char image[240];
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    subscribe2(&sub, "t");
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, false);
    client_publish2(&pub, 1, false, "t", "released");
    client_publish2(&pub, 2, false, "t", "received");
    client_publish2(&pub, 3, false, "nobody", "not stored by anybody else");
    EXPECT(&pub, "PUBREC id=1 reason=00");
    EXPECT(&pub, "PUBREC id=2 reason=00");
    EXPECT(&pub, "PUBREC id=3 reason=10");
    ack(&pub, MQTT_PUBREL, 1);
    EXPECT(&pub, "PUBCOMP id=1 reason=00");
    client_close(&pub);
    client_close(&sub);
    broker_image(&b, image);
    broker_stop(&b);
    for (int killed = 0; killed < 2; killed++) {
        LABEL("killed %d", killed);
        broker_start(&after, killed ? image : NULL);
        client_join(&pub, &after, "pub", (struct hello_opt){.expiry_s = 1000}, true);
        ack(&pub, MQTT_PUBREL, 1);
        EXPECT(&pub, "PUBCOMP id=1 reason=92");
        client_publish2(&pub, 2, true, "t", "received");
        EXPECT(&pub, "PUBREC id=2 reason=00");
        client_publish2(&pub, 1, false, "t", "new");
        EXPECT(&pub, "PUBREC id=1 reason=00");
        ack(&pub, MQTT_PUBREL, 3);
        EXPECT(&pub, "PUBCOMP id=3 reason=00");
        client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
        EXPECT_HAS(&sub, "topic=t payload=released");
        EXPECT_HAS(&sub, "topic=t payload=received");
        EXPECT_HAS(&sub, "topic=t payload=new");
        EXPECT_NOTHING(&sub);
        client_close(&pub);
        client_close(&sub);
        broker_stop(&after);
    }
}

TEST(mqtt_qos2_out)
{
    static const struct {
        const char *what;
        bool old;
        const char *send, *answer; /* to the PUBLISH with id 1 */
    } cases[] = {
        {"in order", false, "50 02 0001", "PUBREL id=1 reason=00"},
        {"in order, 3.1.1", true, "50 02 0001", "PUBREL id=1 reason=00"},
        {"refused", false, "50 03 0001 80", NULL},
        {"no such id", false, "50 02 0009", "PUBREL id=9 reason=92"},
        {"no such id, 3.1.1", true, "50 02 0009", "PUBREL id=9 reason=00"},
        {"PUBREC twice", false, "50 02 0001 50 02 0001", "PUBREL id=1 reason=00"},
        {"PUBACK", false, "40 02 0001", "DISCONNECT reason=82"},
        {"PUBCOMP before its time", false, "70 02 0001", "DISCONNECT reason=82"},
        {"PUBCOMP for nothing", false, "70 02 0009", NULL},
        {"PUBACK for nothing", false, "40 02 0009", NULL},
    };
    struct broker b = {.light = true};
    struct client pub, sub;
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].what);
        client_join(
            &sub, &b, "sub",
            (struct hello_opt){.version = cases[i].old ? MQTT_V311 : MQTT_V5, .clean = true},
            false);
        subscribe2(&sub, "t");
        publish2_whole(&pub, 1, "t", "x");
        EXPECT(&sub, "PUBLISH qos=2 dup=0 retain=0 id=1 topic=t payload=x");
        client_hex(&sub, cases[i].send);
        if (cases[i].answer)
            EXPECT(&sub, cases[i].answer);
        if (strcmp(cases[i].what, "PUBREC twice") == 0)
            EXPECT(&sub, "PUBREL id=1 reason=00");
        if (cases[i].answer && strstr(cases[i].answer, "DISCONNECT"))
            EXPECT(&sub, "END");
        else
            EXPECT_NOTHING(&sub);
        client_close(&sub);
    }
    client_close(&pub);
    broker_stop(&b);
}

/* Checklist 19: an id counts until its PUBCOMP, or a PUBREC that refuses. */
TEST(mqtt_qos2_window)
{
    struct broker b = {.light = true};
    struct client pub, sub;
    char payload[8];
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true, .receive_max = 2}, false);
    subscribe2(&sub, "t");
    for (uint16_t i = 1; i <= 5; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        publish2_whole(&pub, i, "t", payload);
    }
    EXPECT_HAS(&sub, "qos=2 dup=0 retain=0 id=1 topic=t payload=1");
    EXPECT_HAS(&sub, "qos=2 dup=0 retain=0 id=2 topic=t payload=2");
    EXPECT_NOTHING(&sub);
    ack(&sub, MQTT_PUBREC, 2);
    EXPECT(&sub, "PUBREL id=2 reason=00");
    EXPECT_NOTHING(&sub);
    ack(&sub, MQTT_PUBCOMP, 2);
    EXPECT_HAS(&sub, "id=3 topic=t payload=3");
    EXPECT_NOTHING(&sub);
    client_hex(&sub, "50 03 0001 97");
    EXPECT_HAS(&sub, "id=4 topic=t payload=4");
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* The other direction: our own Receive Maximum, of QoS 1 and 2 together. */
TEST(mqtt_qos2_receive_maximum)
{
    struct broker b = {.limits = {.receive_max = 3}};
    struct client pub, old;
    broker_start(&b, NULL);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .expiry_s = 0}, false);
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, false);
    for (uint16_t i = 1; i <= 3; i++) {
        client_publish2(&pub, i, false, "t", "x");
        EXPECT_HAS(&pub, "PUBREC");
    }
    ack(&pub, MQTT_PUBREL, 2);
    EXPECT(&pub, "PUBCOMP id=2 reason=00");
    client_publish(&pub, 9, "t", "x", false);
    EXPECT(&pub, "PUBACK id=9 reason=10");
    client_publish2(&pub, 2, false, "t", "x");
    EXPECT(&pub, "PUBREC id=2 reason=10");
    client_publish2(&pub, 3, true, "t", "x"); /* not one more */
    EXPECT(&pub, "PUBREC id=3 reason=00");
    client_publish2(&pub, 4, false, "t", "x");
    EXPECT(&pub, "DISCONNECT reason=93");
    EXPECT(&pub, "END");
    client_close(&pub);
    /* It may release those at any time, so they do not count on a new connection. */
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, true);
    for (uint16_t i = 11; i <= 13; i++) {
        client_publish2(&pub, i, false, "t", "x");
        EXPECT_HAS(&pub, "PUBREC");
    }
    client_publish2(&pub, 14, false, "t", "x");
    EXPECT(&pub, "DISCONNECT reason=93");
    client_close(&pub);
    /* 3.1.1 was told nothing. */
    for (uint16_t i = 1; i <= 10; i++)
        client_publish2(&old, i, false, "t", "x");
    for (uint16_t i = 1; i <= 10; i++)
        EXPECT_HAS(&old, "PUBREC");
    client_close(&old);
    broker_stop(&b);
}

/* Checklist 15: PUBLISH and PUBREL again, with their ids and in order. */
static void check_resent(struct client *sub)
{
    EXPECT(sub, "PUBLISH qos=2 dup=1 retain=0 id=2 topic=t payload=sent");
    EXPECT(sub, "PUBREL id=3 reason=00");
    EXPECT(sub, "PUBLISH qos=2 dup=1 retain=0 id=4 topic=t payload=sent\\x20too");
    EXPECT(sub, "PUBLISH qos=2 dup=0 retain=0 id=5 topic=t payload=waits");
    EXPECT_NOTHING(sub);
}

TEST(mqtt_qos2_out_over_a_reconnect)
{
    static const char *const payloads[] = {"done", "sent", "received", "sent too", "waits"};
    struct broker b = {0}, after = {0};
    struct client pub, sub;
    char image[240], second[240];
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000, .receive_max = 3}, false);
    subscribe2(&sub, "t");
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++)
        publish2_whole(&pub, (uint16_t)(i + 1), "t", payloads[i]);
    for (uint16_t i = 1; i <= 3; i++)
        EXPECT_HAS(&sub, "PUBLISH qos=2 dup=0 ");
    ack(&sub, MQTT_PUBREC, 1);
    EXPECT(&sub, "PUBREL id=1 reason=00");
    ack(&sub, MQTT_PUBREC, 3);
    EXPECT(&sub, "PUBREL id=3 reason=00");
    ack(&sub, MQTT_PUBCOMP, 1);
    EXPECT(&sub, "PUBLISH qos=2 dup=0 retain=0 id=4 topic=t payload=sent\\x20too");
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    client_close(&pub);
    client_join(&pub, &b, "other", (struct hello_opt){.expiry_s = 1}, false);
    client_close(&pub); /* its record is committed, and so is the lazy one before it */
    broker_image(&b, image);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    check_resent(&sub);
    client_close(&sub);
    broker_image(&b, second);
    broker_stop(&b);

    broker_start(&after, image);
    client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    check_resent(&sub);
    client_close(&sub);
    broker_stop(&after);
    /* In order, and from the database alone; what waited was given its id in between. */
    const char *const dirs[] = {image, second, NULL};
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        LABEL("start %zu", i);
        broker_start(&after, dirs[i]);
        client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
        EXPECT(&sub, "PUBLISH qos=2 dup=1 retain=0 id=2 topic=t payload=sent");
        EXPECT(&sub, "PUBREL id=3 reason=00");
        EXPECT(&sub, "PUBLISH qos=2 dup=1 retain=0 id=4 topic=t payload=sent\\x20too");
        EXPECT(&sub, "PUBLISH qos=2 dup=1 retain=0 id=5 topic=t payload=waits");
        ack(&sub, MQTT_PUBCOMP, 3);
        EXPECT_NOTHING(&sub);
        client_close(&sub);
        broker_stop(&after);
    }
}

/* Checklist 37: with the sync held none of the four packets leaves that a record stands for. */
TEST(mqtt_qos2_waits_for_its_records)
{
    struct broker b = {0};
    struct client pub, sub, clean;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    subscribe2(&sub, "t");
    client_join(&clean, &b, "clean", (struct hello_opt){.clean = true}, false);
    subscribe2(&clean, "t");
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, false);

    moody_set(&b.disk, true, false);
    client_publish2(&pub, 1, false, "t", "x");
    client_publish2(&pub, 1, true, "t", "x");
    EXPECT(&clean, "PUBLISH qos=2 dup=0 retain=0 id=1 topic=t payload=x"); /* promises nothing */
    expect_silence(&pub);
    expect_silence(&sub);
    moody_set(&b.disk, false, false);
    EXPECT(&pub, "PUBREC id=1 reason=00");
    EXPECT(&pub, "PUBREC id=1 reason=00");
    EXPECT(&sub, "PUBLISH qos=2 dup=0 retain=0 id=1 topic=t payload=x");

    moody_set(&b.disk, true, false);
    ack(&pub, MQTT_PUBREL, 1);
    ack(&pub, MQTT_PUBREL, 1);
    ack(&sub, MQTT_PUBREC, 1);
    ack(&sub, MQTT_PUBREC, 1);
    ack(&clean, MQTT_PUBREC, 1);
    EXPECT(&clean, "PUBREL id=1 reason=00");
    expect_silence(&pub);
    expect_silence(&sub);
    moody_set(&b.disk, false, false);
    EXPECT(&pub, "PUBCOMP id=1 reason=00");
    EXPECT(&pub, "PUBCOMP id=1 reason=92");
    EXPECT(&sub, "PUBREL id=1 reason=00");
    EXPECT(&sub, "PUBREL id=1 reason=00");
    client_close(&pub);
    client_close(&sub);
    client_close(&clean);
    broker_stop(&b);
}

/* A client that goes while its PUBLISH waits for the disk was not sent it: DUP stays 0. */
TEST(mqtt_qos2_dup_means_sent)
{
    struct broker b = {0};
    struct client pub, sub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    subscribe2(&sub, "t");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    moody_set(&b.disk, true, false);
    client_publish2(&pub, 1, false, "t", "x");
    moody_await(&b.disk);
    expect_silence(&sub);
    client_bye(&sub);
    moody_set(&b.disk, false, false);
    EXPECT(&pub, "PUBREC id=1 reason=00");
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    EXPECT(&sub, "PUBLISH qos=2 dup=0 retain=0 id=1 topic=t payload=x");
    client_close(&sub);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    EXPECT(&sub, "PUBLISH qos=2 dup=1 retain=0 id=1 topic=t payload=x");
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* QoS 1 behind QoS 2 waits with it: what one client gets on a topic keeps its order. */
TEST(mqtt_qos2_keeps_the_order)
{
    struct broker b = {0};
    struct client pub, sub;
    char payload[8], want[80];
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    subscribe2(&sub, "t");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (uint16_t i = 1; i <= 50; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        if (i % 3)
            client_publish2(&pub, i, false, "t", payload);
        else
            client_publish(&pub, i, "t", payload, false);
    }
    for (uint16_t i = 1; i <= 50; i++) {
        (void)snprintf(want, sizeof(want), "PUBLISH qos=%d dup=0 retain=0 id=%d topic=t payload=%d",
                       i % 3 ? 2 : 1, i, i);
        EXPECT(&sub, want);
    }
    client_close(&pub);
    client_close(&sub);
    broker_stop(&b);
}

/* The site goes on when the journal has failed: what can't be noted any more is sent all the same;
 * what would be acknowledged is not. */
TEST(mqtt_qos2_after_a_failed_sync)
{
    struct broker b = {0};
    struct client pub, sub, old;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    subscribe2(&sub, "t");
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, false);
    client_join(&old, &b, "old", (struct hello_opt){.expiry_s = 1000}, false);
    client_publish2(&old, 5, false, "x", "x");
    EXPECT(&old, "PUBREC id=5 reason=10");
    moody_set(&b.disk, false, true);
    client_publish2(&pub, 1, false, "t", "x");
    EXPECT(&pub, "DISCONNECT reason=83");
    client_close(&pub);
    client_open(&pub, &b);
    client_hello(&pub, "pub", (struct hello_opt){.expiry_s = 1000});
    EXPECT(&pub, "CONNACK reason=88 session=0");
    client_close(&pub);
    ack(&old, MQTT_PUBREL, 5);
    EXPECT(&old, "DISCONNECT reason=83");
    client_close(&old);
    const char *got = client_next(&sub);
    CHECK_HAS_STR(got, "qos=2 dup=0 retain=0 id=1 topic=t payload=x");
    EXPECT_NOTHING(&sub);
    ack(&sub, MQTT_PUBREC, 1);
    EXPECT(&sub, "PUBREL id=1 reason=00");
    client_close(&sub);
    broker_stop(&b);
}

/* However often a client asks while nothing can be answered: it is read no further, and goes on. */
TEST(mqtt_qos2_answers_are_bounded)
{
    enum { TIMES = 200 };
    struct broker b = {.limits = {.receive_max = 4}};
    struct client pub;
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.expiry_s = 1000}, false);
    moody_set(&b.disk, true, false);
    for (int i = 0; i < TIMES; i++)
        client_publish2(&pub, 1, i > 0, "t", "x");
    moody_await(&b.disk);
    expect_silence(&pub);
    moody_set(&b.disk, false, false);
    for (int i = 0; i < TIMES; i++)
        EXPECT_HAS(&pub, "PUBREC id=1 ");
    EXPECT_NOTHING(&pub);
    client_close(&pub);
    broker_stop(&b);
}

/* Tables as the version before QoS 2 left them. */
static void make_old(const char *dir)
{
    char path[300];
    struct sqlite3 *sql;
    (void)snprintf(path, sizeof(path), "%s/sedge.db", dir);
    REQUIRE(sqlite3_open(path, &sql) == SQLITE_OK);
    CHECK_EQ_INT(sqlite3_exec(sql,
                              "DROP TRIGGER queued_gone; DROP INDEX queued_seq;"
                              "ALTER TABLE queued DROP COLUMN state;"
                              "ALTER TABLE queued DROP COLUMN bytes;"
                              "ALTER TABLE queued DROP COLUMN share;"
                              "ALTER TABLE session DROP COLUMN received;"
                              "DROP TABLE will;"
                              "UPDATE migration SET version = 1 WHERE part = 'mqtt'",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    CHECK_EQ_INT(sqlite3_changes(sql), 1);
    sqlite3_close(sql);
}

TEST(mqtt_qos2_reads_what_was_before_it)
{
    struct broker b = {0};
    struct client pub, sub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000, .receive_max = 1}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_publish(&pub, 1, "t", "sent", false);
    client_publish(&pub, 2, "t", "queued", false);
    EXPECT(&pub, "PUBACK id=1 reason=00");
    EXPECT(&pub, "PUBACK id=2 reason=00");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t payload=sent");
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
    make_old(b.dir);
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    EXPECT(&sub, "PUBLISH qos=1 dup=1 retain=0 id=1 topic=t payload=sent");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=2 topic=t payload=queued");
    client_puback(&sub, 1);
    client_puback(&sub, 2);
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    broker_stop(&b);
}
