#include "protocol/mqtt_rig_test.h"

/* With the sync held nothing that depends on it is acknowledged; what does not depend on it is. */
TEST(mqtt_nothing_is_acknowledged_before_its_commit)
{
    struct broker b = {0};
    struct client pub, sub, other, late;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&other, &b, "other", (struct hello_opt){.expiry_s = 1000}, false);
    moody_set(&b.disk, true, false);

    client_publish(&pub, 1, "t/a", "1", false); /* a stored session gets it */
    moody_await(&b.disk);
    client_publish(&pub, 2, "nobody", "2", false); /* nothing depends on it, but order stays */
    client_publish(&pub, 3, "kept", "3", true);    /* retained */
    EXPECT_NOTHING(&pub);
    client_subscribe(&other, 5, "x", 1, 0);
    EXPECT_NOTHING(&other);
    client_unsubscribe(&other, 6, "x");
    EXPECT_NOTHING(&other);
    client_open(&late, &b);
    client_hello(&late, "late", (struct hello_opt){.expiry_s = 1000});
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t/a payload=1"); /* at once */
    usleep(300000); /* however long it takes */
    struct pollfd silent[] = {{.fd = pub.fd, .events = POLLIN},
                              {.fd = other.fd, .events = POLLIN},
                              {.fd = late.fd, .events = POLLIN}};
    CHECK_EQ_INT(poll(silent, 3, 0), 0);

    moody_set(&b.disk, false, false);
    EXPECT(&pub, "PUBACK id=1 reason=00");
    EXPECT(&pub, "PUBACK id=2 reason=10");
    EXPECT(&pub, "PUBACK id=3 reason=10");
    EXPECT(&other, "SUBACK id=5 codes 01");
    EXPECT(&other, "UNSUBACK id=6 codes 00");
    EXPECT(&late, CONNACK_5(0));
    client_publish(&pub, 4, "nobody", "4", false);
    EXPECT(&pub, "PUBACK id=4 reason=10");
    client_close(&pub);
    client_close(&sub);
    client_close(&other);
    client_close(&late);
    broker_stop(&b);
}

TEST(mqtt_nothing_is_acknowledged_after_a_failed_sync)
{
    struct broker b = {0};
    struct client pub, old, sub, calm;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_join(&calm, &b, "calm", (struct hello_opt){.clean = true}, false);
    moody_set(&b.disk, false, true);
    client_publish(&pub, 1, "t/a", "1", false);
    EXPECT(&pub, "DISCONNECT reason=83");
    EXPECT(&pub, "END");
    client_publish(&old, 1, "t/a", "2", false); /* the journal has failed already */
    EXPECT(&old, "END");
    moody_set(&b.disk, false, false); /* a sync that works again makes no difference */
    client_close(&pub);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_publish(&pub, 2, "kept", "3", true);
    EXPECT(&pub, "DISCONNECT reason=83");
    /* The site goes on: what promises nothing is delivered and acknowledged. */
    client_subscribe(&calm, 1, "live", 0, 0);
    EXPECT(&calm, "SUBACK id=1 codes 00");
    client_publish(&calm, 2, "live", "4", false);
    EXPECT(&calm, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=live payload=4");
    EXPECT(&calm, "PUBACK id=2 reason=00");
    client_publish(&calm, 0, "t/b", "5", false);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t/a payload=1");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=2 topic=t/a payload=2");
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t/b payload=5");
    /* Sessions that can't be stored are refused, and so are subscriptions of those that are. */
    client_subscribe(&sub, 3, "x", 1, 0);
    EXPECT(&sub, "SUBACK id=3 codes 80");
    client_close(&old);
    client_open(&old, &b);
    client_hello(&old, "new", (struct hello_opt){.expiry_s = 1000});
    EXPECT(&old, "CONNACK reason=88 session=0");
    client_close(&pub);
    client_close(&old);
    client_close(&sub);
    client_close(&calm);
    broker_stop(&b);
}

/* Publishes what must last until the disk has no room for more. */
static void fill_disk(struct broker *b, struct client *pub)
{
    char payload[2001] = "";
    struct random r;
    random_seed(&r, test_seed());
    moody_fill(&b->disk, true);
    for (int n = 1; n < 1000; n++) {
        for (size_t i = 0; i + 1 < sizeof(payload); i++) /* can't be compressed by much */
            payload[i] = (char)('0' + random_below(&r, 64));
        client_publish(pub, 1, "fill", payload, true);
        if (strstr(client_next(pub), "reason=97"))
            return;
    }
    REQUIRE(false);
}

TEST(mqtt_a_full_disk_is_told_and_the_site_goes_on)
{
    struct broker b = {.segment_bytes = 128 << 10};
    struct client pub, old, sub, other;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    fill_disk(&b, &pub);

    LABEL("5.0 is told, with a reason");
    client_publish(&pub, 1, "t/a", "1", false);
    EXPECT_HAS(&pub, "PUBACK id=1 reason=97 { why=the\\x20disk\\x20is\\x20full:");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t/a payload=1");
    client_publish2(&pub, 2, false, "t/a", "2");
    EXPECT_HAS(&pub, "PUBREC id=2 reason=97");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=2 topic=t/a payload=2");
    client_publish2(&pub, 2, false, "t/a", "3"); /* the id is free, and this another message */
    EXPECT_HAS(&pub, "PUBREC id=2 reason=97");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=3 topic=t/a payload=3");
    client_publish(&pub, 4, "nobody", "4", false); /* nothing depends on it */
    EXPECT(&pub, "PUBACK id=4 reason=10");
    LABEL("3.1.1 hears nothing, and goes on");
    client_publish(&old, 1, "t/b", "5", false);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=4 topic=t/b payload=5");
    EXPECT_NOTHING(&old);
    client_publish(&old, 0, "t/b", "6", false);
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t/b payload=6");
    LABEL("there is room for sessions and their subscriptions");
    client_join(&other, &b, "other", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&other, 1, "u", 1, 0);
    EXPECT(&other, "SUBACK id=1 codes 01");
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_NO_ROOM], 5);

    LABEL("with room again it is as ever");
    moody_fill(&b.disk, false);
    EXPECT(&old, "END"); /* and would send again */
    client_publish(&pub, 5, "u", "7", false);
    EXPECT(&pub, "PUBACK id=5 reason=00");
    EXPECT(&other, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=u payload=7");
    client_close(&pub);
    client_close(&old);
    client_close(&sub);
    client_close(&other);
    broker_stop(&b);
}

/* The journal takes no more while its sync is held: publishers wait, and lose nothing. */
TEST(mqtt_full_journal_stops_reading)
{
    enum { COUNT = 300, SIZE = 1000 };
    struct broker b = {.group_bytes_max = 20000};
    struct client pub;
    char payload[SIZE + 1], want[100];
    memset(payload, 'x', SIZE);
    payload[SIZE] = '\0';
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    moody_set(&b.disk, true, false);
    for (int i = 1; i <= COUNT; i++)
        client_publish(&pub, (uint16_t)i, "kept", payload, true);
    moody_await(&b.disk);
    usleep(50000);
    struct pollfd silent = {.fd = pub.fd, .events = POLLIN};
    CHECK_EQ_INT(poll(&silent, 1, 0), 0);
    moody_set(&b.disk, false, false);
    for (int i = 1; i <= COUNT; i++) {
        (void)snprintf(want, sizeof(want), "PUBACK id=%d reason=10", i);
        EXPECT(&pub, want);
    }
    client_close(&pub);
    broker_stop(&b);
}

/* More publications than our Receive Maximum wait for the commit: 5.0 was told how many, 3.1.1
 * has to wait. */
TEST(mqtt_receive_maximum)
{
    struct broker b = {.limits = {.receive_max = 5}};
    struct client greedy, old;
    char want[100];
    broker_start(&b, NULL);
    client_join(&greedy, &b, "greedy", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    moody_set(&b.disk, true, false);
    for (uint16_t i = 1; i <= 8; i++)
        client_publish(&old, i, "kept", "x", true);
    for (uint16_t i = 1; i <= 6; i++)
        client_publish(&greedy, i, "kept", "y", true);
    EXPECT(&greedy, "DISCONNECT reason=93");
    EXPECT(&greedy, "END");
    moody_set(&b.disk, false, false);
    for (int i = 1; i <= 8; i++) {
        (void)snprintf(want, sizeof(want), "PUBACK id=%d reason=00", i);
        EXPECT(&old, want);
    }
    client_close(&greedy);
    client_close(&old);
    broker_stop(&b);
}

static void publish_acked(struct client *c, uint16_t id, const char *topic, const char *payload,
                          bool retain)
{
    char want[100];
    client_publish(c, id, topic, payload, retain);
    (void)snprintf(want, sizeof(want), "PUBACK id=%d reason=", id); /* 10 if nobody gets it */
    EXPECT_HAS(c, want);
}

/* What two sessions and the retained store hold before a restart of whatever kind. */
static void fill(struct broker *b)
{
    struct client pub, sub, gone;
    client_join(&gone, b, "gone", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&gone, 1, "t/#", 1, 9);
    EXPECT(&gone, "SUBACK id=1 codes 01");
    client_join(&sub, b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 3);
    client_subscribe(&sub, 2, "own", 1 | MQTT_SUB_NO_LOCAL, 4);
    client_subscribe(&sub, 3, "dropped", 1, 0);
    client_unsubscribe(&sub, 4, "dropped");
    EXPECT(&sub, "SUBACK id=1 codes 01");
    EXPECT(&sub, "SUBACK id=2 codes 01");
    EXPECT(&sub, "SUBACK id=3 codes 01");
    EXPECT(&sub, "UNSUBACK id=4 codes 00");
    client_join(&pub, b, "pub", (struct hello_opt){.clean = true}, false);
    publish_acked(&pub, 1, "t/1", "acknowledged", false);
    publish_acked(&pub, 2, "t/2", "in flight", false);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t/1 payload=acknowledged { sub-id=3 "
                 "id:3 }");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=2 topic=t/2 payload=in\\x20flight { sub-id=3 "
                 "id:3 }");
    client_puback(&sub, 1);
    client_publish(&sub, 7, "own", "not for me", false);
    EXPECT(&sub, "PUBACK id=7 reason=10");
    client_close(&sub);
    publish_acked(&pub, 3, "t/3", "queued", true);
    publish_acked(&pub, 4, "own", "from another", false);
    publish_acked(&pub, 5, "dropped", "x", false);
    publish_acked(&pub, 6, "kept", "old", true);
    publish_acked(&pub, 7, "kept", "new", true);
    publish_acked(&pub, 8, "deleted", "x", true);
    publish_acked(&pub, 9, "deleted", "", true);
    client_close(&gone);
    client_join(&gone, b, "gone", (struct hello_opt){.clean = true}, false); /* ends its session */
    client_close(&gone);
    client_close(&pub);
}

/* `exact`: the restart was in order, so packet ids and acknowledgements are known. */
static void check_filled(struct broker *b, bool exact)
{
    struct client sub, pub;
    client_join(&sub, b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    if (exact) {
        EXPECT(&sub, "PUBLISH qos=1 dup=1 retain=0 id=2 topic=t/2 payload=in\\x20flight { "
                     "sub-id=3 id:3 }");
    } else { /* the acknowledgement may not have reached the journal */
        const char *first = client_next(&sub);
        if (strstr(first, "topic=t/1"))
            first = client_next(&sub);
        CHECK_HAS_STR(first, "topic=t/2 payload=in\\x20flight { sub-id=3 id:3 }");
    }
    EXPECT_HAS(&sub, " retain=0 ");
    CHECK_HAS_STR(sub.text.p, "topic=t/3 payload=queued { sub-id=3 id:3 }");
    EXPECT_HAS(&sub, " topic=own payload=from\\x20another { sub-id=4 id:4 }");
    EXPECT_NOTHING(&sub);
    client_join(&pub, b, "pub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&pub, 1, "kept", 0, 0);
    client_subscribe(&pub, 2, "deleted", 0, 0);
    client_subscribe(&pub, 3, "t/+", 0, 0);
    EXPECT(&pub, "SUBACK id=1 codes 00");
    EXPECT(&pub, "PUBLISH qos=0 dup=0 retain=1 id=0 topic=kept payload=new");
    EXPECT(&pub, "SUBACK id=2 codes 00");
    EXPECT(&pub, "SUBACK id=3 codes 00");
    EXPECT(&pub, "PUBLISH qos=0 dup=0 retain=1 id=0 topic=t/3 payload=queued");
    client_close(&pub);
    client_join(&pub, b, "gone", (struct hello_opt){0}, false);
    client_close(&pub);
    client_close(&sub);
}

TEST(mqtt_sessions_survive_a_restart)
{
    struct broker b = {0};
    char image[240];
    broker_start(&b, NULL);
    fill(&b);
    broker_stop(&b);
    broker_start(&b, NULL);
    check_filled(&b, true);
    broker_stop(&b);
    /* Once more: what is in flight now was restored, and restored again. */
    broker_start(&b, NULL);
    check_filled(&b, true);
    broker_image(&b, image);
    broker_stop(&b);
    broker_start(&b, image);
    check_filled(&b, true);
    broker_stop(&b);
}

TEST(mqtt_sessions_survive_a_kill)
{
    struct broker b = {0}, after = {0};
    char image[240];
    broker_start(&b, NULL);
    fill(&b);
    broker_image(&b, image);
    broker_stop(&b);
    broker_start(&after, image);
    check_filled(&after, false);
    broker_stop(&after);
}

struct ask {
    struct task task;
    struct broker *broker;
    _Atomic bool done;
};

static enum poll ask_poll(struct task *t)
{
    struct ask *a = CONTAINER_OF(t, struct ask, task);
    mqtt_server_checkpoint(a->broker->server);
    bus_checkpoint(a->broker->bus);
    return POLL_READY;
}

static void ask_finished(struct task *t)
{
    atomic_store(&CONTAINER_OF(t, struct ask, task)->done, true);
}

/* Runs are asked for while messages come and go, then the process is killed. */
TEST(mqtt_checkpoints_lose_nothing)
{
    struct broker b = {0}, after = {0};
    struct client pub, sub;
    struct random random;
    char image[240], payload[20];
    bool seen[400] = {false};
    random_seed(&random, test_seed());
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000, .receive_max = 300}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        (void)snprintf(payload, sizeof(payload), "%zu", i);
        publish_acked(&pub, (uint16_t)(i + 1), "t", payload, false);
        if (random_below(&random, 3) == 0 && i < 380) { /* reads, and acknowledges sometimes */
            size_t n = number_in(client_next(&sub));
            if (random_below(&random, 2)) {
                seen[n] = true;
                client_puback(&sub, sub.last_id);
            }
        }
        if (random_below(&random, 20) == 0) {
            struct ask ask = {.broker = &b};
            task_init(&ask.task, "ask", ask_poll, ask_finished);
            task_spawn(executor_worker(b.ex, 0), &ask.task);
            while (!atomic_load(&ask.done))
                usleep(100);
        }
    }
    broker_image(&b, image);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
    broker_start(&after, image);
    client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    client_hex(&sub, "C0 00");
    for (const char *text; strcmp(text = client_next(&sub), "PINGRESP") != 0;)
        seen[number_in(text)] = true;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        LABEL("message %zu", i);
        CHECK(seen[i]);
    }
    client_close(&sub);
    broker_stop(&after);
}

/* A journal that is far too small: it is over its budget all the time, segments are recycled as
 * soon as both consumers have stored what they hold, and publishers wait for that. */
TEST(mqtt_journal_over_its_budget)
{
    enum { COUNT = 400, SIZE = 5000 };
    struct broker b = {.segment_bytes = 128 << 10, .journal_max_bytes = 256 << 10}, after = {0};
    struct client pub, sub;
    struct random random;
    char image[240], payload[SIZE + 1], topic[20];
    bool seen[COUNT] = {false};
    random_seed(&random, test_seed());
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(topic, sizeof(topic), "t/%d", i % 7);
        (void)snprintf(payload, sizeof(payload), "%05d", i);
        for (size_t k = 5; k < SIZE; k++) /* does not compress */
            payload[k] = (char)('A' + random_below(&random, 58));
        payload[SIZE] = '\0';
        client_publish(&pub, (uint16_t)(i + 1), topic, payload, true);
    }
    for (int i = 0; i < COUNT; i++)
        REQUIRE(EXPECT_HAS(&pub, "PUBACK"));
    client_close(&pub);
    broker_halt(&b);
    db_drain(b.db); /* an image is taken file by file, so nothing may be recycled meanwhile */
    usleep(200000);
    broker_image(&b, image);
    struct journal_stats stats = journal_stats(b.journal);
    CHECK(stats.recycled > 3);
    broker_free(&b);
    broker_start(&after, image);
    client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    for (int i = 0; i < COUNT; i++)
        seen[number_in(client_next(&sub)) % COUNT] = true;
    for (size_t i = 0; i < COUNT; i++) {
        LABEL("message %zu", i);
        CHECK(seen[i]);
    }
    client_close(&sub);
    broker_halt(&after);
    CHECK_EQ_UINT(bus_stats(after.bus).retained, 7);
    broker_free(&after);
}

/* A stored session gets retained messages for its new subscription; it has not acknowledged them
 * when the process is killed, and it will not subscribe again. */
TEST(mqtt_retained_for_a_subscription_survive_a_kill)
{
    struct broker b = {0}, after = {0};
    struct client sub, pub;
    char image[240];
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    publish_acked(&pub, 1, "r/1", "one", true);
    publish_acked(&pub, 2, "r/2", "two", true);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000, .receive_max = 1}, false);
    client_subscribe(&sub, 1, "r/#", 1, 0);
    bool granted = false, sent = false; /* in either order */
    for (int i = 0; i < 2; i++) {
        const char *got = client_next(&sub);
        granted = granted || strcmp(got, "SUBACK id=1 codes 01") == 0;
        sent = sent || strstr(got, "PUBLISH qos=1 dup=0 retain=1 id=1 topic=r/");
    }
    CHECK(granted && sent);
    broker_image(&b, image);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
    broker_start(&after, image);
    client_join(&sub, &after, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    bool one = false, two = false;
    for (int i = 0; i < 2; i++) {
        const char *got = client_next(&sub);
        one = one || strstr(got, "retain=1 id=1 topic=r/1 payload=one") ||
              strstr(got, "retain=1 id=2 topic=r/1 payload=one");
        two = two || strstr(got, "topic=r/2 payload=two");
    }
    CHECK(one && two);
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    broker_stop(&after);
}

/* Messages whose time is over are not delivered, wherever they waited. */
TEST(mqtt_expiry_in_queues_and_retained)
{
    struct broker b = {0};
    struct client sub, pub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t/#", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (uint16_t i = 1; i <= 2; i++) {
        struct mqtt_packet p = {.type = MQTT_PUBLISH,
                                .publish = {.qos = 1,
                                            .id = i,
                                            .retain = true,
                                            .topic = i == 1 ? STR("t/short") : STR("t/long"),
                                            .payload = {(const uint8_t *)"x", 1}}};
        p.publish.props.has = MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY);
        p.publish.props.message_expiry_s = i == 1 ? 1 : 1000;
        client_put(&pub, &p);
        EXPECT_HAS(&pub, "PUBACK");
    }
    usleep(1100000);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    EXPECT_HAS(&sub, "topic=t/long payload=x { expiry=99");
    EXPECT_NOTHING(&sub);
    client_subscribe(&pub, 1, "t/#", 0, 0);
    EXPECT(&pub, "SUBACK id=1 codes 00");
    EXPECT_HAS(&pub, "retain=1 id=0 topic=t/long payload=x { expiry=99");
    EXPECT_NOTHING(&pub);
    client_close(&sub);
    client_close(&pub);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_EXPIRED], 1);
    broker_free(&b);
    broker_start(&b, NULL); /* and it is not there after a restart */
    broker_halt(&b);
    CHECK_EQ_UINT(bus_stats(b.bus).retained, 1);
    broker_free(&b);
}
