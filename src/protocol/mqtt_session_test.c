#include "protocol/mqtt_rig_test.h"

TEST(mqtt_subscribe_publish_unsubscribe)
{
    struct broker b = {.light = true};
    struct client sub, pub, old;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    /* Several filters at once, a share among them. */
    client_hex(&sub, "82 1E 000A 00 0003 612F23 01 0001 62 00 000A 2473686172652F672F74 01"
                     " 0001 63 02");
    EXPECT(&sub, "SUBACK id=10 codes 01 00 01 02");
    client_hex(&old, "82 15 000B 000A 2473686172652F672F74 01 0003 612F62 02");
    EXPECT(&old, "SUBACK id=11 codes 01 02");
    client_publish(&pub, 0, "a/b", "0", false);
    client_publish(&pub, 7, "a/b", "1", false);
    EXPECT(&pub, "PUBACK id=7 reason=00");
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a/b payload=0");
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=a/b payload=1");
    EXPECT(&old, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a/b payload=0");
    EXPECT(&old, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=a/b payload=1");
    client_publish(&pub, 8, "b", "granted 0", false);
    EXPECT(&pub, "PUBACK id=8 reason=00");
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=b payload=granted\\x200");
    client_unsubscribe(&sub, 12, "a/#");
    EXPECT(&sub, "UNSUBACK id=12 codes 00");
    client_unsubscribe(&sub, 13, "a/#");
    EXPECT(&sub, "UNSUBACK id=13 codes 11");
    client_unsubscribe(&old, 14, "a/b");
    EXPECT(&old, "UNSUBACK id=14 codes");
    client_publish(&pub, 9, "a/b", "2", false);
    EXPECT(&pub, "PUBACK id=9 reason=10");
    EXPECT_NOTHING(&sub);
    EXPECT_NOTHING(&old);
    client_bye(&sub);
    client_bye(&old);
    client_bye(&pub);
    broker_stop(&b);
}

TEST(mqtt_properties_are_forwarded)
{
    struct broker b = {.light = true};
    struct client sub, old, pub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_join(&old, &b, "old", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "#", 0, 3);
    client_subscribe(&sub, 2, "t/+", 1, 4);
    client_subscribe(&old, 1, "t/+", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    EXPECT(&sub, "SUBACK id=2 codes 01");
    EXPECT(&old, "SUBACK id=1 codes 00");
    char raw[64];
    struct writer w = writer_from(raw, sizeof(raw));
    mqtt_put_user_property(&w, STR("b"), STR("1"));
    mqtt_put_user_property(&w, STR("a"), STR("2"));
    mqtt_put_user_property(&w, STR("b"), STR("1"));
    struct mqtt_packet p = {.type = MQTT_PUBLISH,
                            .publish = {.topic = STR("t/x"), .payload = {(const uint8_t *)"p", 1}}};
    struct mqtt_props *props = &p.publish.props;
    props->has = MQTT_HAS(MQTT_PROP_PAYLOAD_FORMAT) | MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY) |
                 MQTT_HAS(MQTT_PROP_CONTENT_TYPE) | MQTT_HAS(MQTT_PROP_RESPONSE_TOPIC) |
                 MQTT_HAS(MQTT_PROP_CORRELATION_DATA) | MQTT_HAS(MQTT_PROP_TOPIC_ALIAS);
    props->payload_format = 1;
    props->message_expiry_s = 1000;
    props->content_type = STR("text");
    props->response_topic = STR("re");
    props->correlation_data = (struct bytes){(const uint8_t *)"c", 1};
    props->topic_alias = 16;
    props->raw = (struct bytes){(const uint8_t *)raw, writer_len(&w)};
    client_put(&pub, &p);
    const char *got = client_next(&sub);
    CHECK_HAS_STR(got, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t/x payload=p { format=1 expiry=");
    CHECK_HAS_STR(got, "content-type=text response-topic=re correlation=c ");
    CHECK_HAS_STR(got, "b:1 a:2 b:1");
    CHECK(strstr(got, "alias") == NULL);
    CHECK_HAS_STR(got, "id:3");
    CHECK_HAS_STR(got, "id:4");
    EXPECT(&old, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t/x payload=p");
    /* The alias alone now. */
    client_hex(&pub, "30 07 0000 03 23 0010 71");
    EXPECT_HAS(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=t/x payload=q { sub-id=");
    client_close(&sub);
    client_close(&old);
    client_close(&pub);
    broker_stop(&b);
}

TEST(mqtt_retained_options)
{
    struct broker b = {.light = true};
    struct client sub, pub;
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_publish(&pub, 1, "r", "1", true);
    EXPECT(&pub, "PUBACK id=1 reason=10");
    static const struct {
        uint8_t options;
        bool sent;
    } cases[] = {
        {0x01, true},  /* retain handling 0: always */
        {0x01, true},  /* again */
        {0x11, false}, /* 1: only if it was not there */
        {0x21, false}, /* 2: never */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("case %zu", i);
        client_subscribe(&sub, 1, "r", cases[i].options, 0);
        EXPECT(&sub, "SUBACK id=1 codes 01");
        if (cases[i].sent) {
            EXPECT_HAS(&sub, "PUBLISH qos=1 dup=0 retain=1 id=");
            client_puback(&sub, sub.last_id);
        }
        EXPECT_NOTHING(&sub);
    }
    client_unsubscribe(&sub, 1, "r");
    EXPECT(&sub, "UNSUBACK id=1 codes 00");
    client_subscribe(&sub, 1, "r", 0x10, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=1 id=0 topic=r payload=1");
    /* Live: RETAIN 0, unless as published. */
    client_publish(&pub, 0, "r", "2", true);
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=r payload=2");
    client_subscribe(&sub, 1, "r", 0x28, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    client_publish(&pub, 0, "r", "", true);
    EXPECT(&sub, "PUBLISH qos=0 dup=0 retain=1 id=0 topic=r payload=''");
    client_subscribe(&sub, 1, "r", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

TEST(mqtt_no_local)
{
    struct broker b = {.light = true};
    struct client c;
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_subscribe(&c, 1, "own", MQTT_SUB_NO_LOCAL, 0);
    client_subscribe(&c, 2, "all", 0, 0);
    EXPECT(&c, "SUBACK id=1 codes 00");
    EXPECT(&c, "SUBACK id=2 codes 00");
    client_publish(&c, 0, "own", "x", false);
    client_publish(&c, 0, "all", "y", false);
    EXPECT(&c, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=all payload=y");
    EXPECT_NOTHING(&c);
    client_close(&c);
    broker_stop(&b);
}

TEST(mqtt_window_and_resending)
{
    struct broker b = {.light = true};
    struct client sub, pub;
    char payload[8], want[100];
    broker_start(&b, NULL);
    const struct hello_opt o = {.expiry_s = 100, .receive_max = 3};
    client_join(&sub, &b, "sub", o, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (uint16_t i = 1; i <= 6; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        client_publish(&pub, i, "t", payload, false);
        (void)snprintf(want, sizeof(want), "PUBACK id=%d reason=00", i);
        EXPECT(&pub, want);
    }
    for (int i = 1; i <= 3; i++) {
        (void)snprintf(want, sizeof(want), "PUBLISH qos=1 dup=0 retain=0 id=%d topic=t payload=%d",
                       i, i);
        EXPECT(&sub, want);
    }
    EXPECT_NOTHING(&sub); /* the window is full */
    client_puback(&sub, 2);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=4 topic=t payload=4");
    client_puback(&sub, 2);     /* again: nothing to release */
    client_puback(&sub, 60000); /* never sent */
    EXPECT_NOTHING(&sub);
    client_close(&sub); /* 1, 3 and 4 are not acknowledged, 5 and 6 wait */
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 100, .receive_max = 2}, true);
    EXPECT(&sub, "PUBLISH qos=1 dup=1 retain=0 id=1 topic=t payload=1");
    EXPECT(&sub, "PUBLISH qos=1 dup=1 retain=0 id=3 topic=t payload=3");
    EXPECT_NOTHING(&sub); /* its window is smaller now */
    client_puback(&sub, 3);
    EXPECT(&sub, "PUBLISH qos=1 dup=1 retain=0 id=4 topic=t payload=4");
    EXPECT_NOTHING(&sub);
    client_puback(&sub, 4);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=5 topic=t payload=5");
    client_puback(&sub, 1);
    client_puback(&sub, 5);
    EXPECT(&sub, "PUBLISH qos=1 dup=0 retain=0 id=6 topic=t payload=6");
    client_puback(&sub, 6);
    EXPECT_NOTHING(&sub);
    client_bye(&sub);
    client_join(&sub, &b, "sub", o, true);
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

TEST(mqtt_packet_ids_wrap)
{
    enum { BATCH = 500 };
    struct broker b = {.light = true};
    struct client sub, pub;
    int next = 1;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true, .receive_max = BATCH}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (int round = 0; round < 65535 / BATCH + 2; round++) {
        for (int i = 1; i <= BATCH; i++)
            client_publish(&pub, (uint16_t)i, "t", "x", false);
        for (int i = 0; i < BATCH; i++, next++) {
            REQUIRE(EXPECT_HAS(&sub, "PUBLISH"));
            REQUIRE(CHECK_EQ_INT(sub.last_id, (next - 1) % 65535 + 1));
            client_puback(&sub, sub.last_id);
        }
        for (int i = 0; i < BATCH; i++)
            REQUIRE(EXPECT_HAS(&pub, "PUBACK"));
    }
    CHECK(next > 65536);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

TEST(mqtt_client_that_takes_small_packets_only)
{
    struct broker b = {.light = true};
    struct client c;
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true, .packet_size_max = 20}, false);
    client_subscribe(&c, 1, "t", 1, 0);
    EXPECT(&c, "SUBACK id=1 codes 01");
    client_publish(&c, 1, "t", "this is longer than it can take", false);
    EXPECT(&c, "PUBACK id=1 reason=00");
    client_publish(&c, 2, "t", "short", false);
    EXPECT_HAS(&c, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t payload=short");
    EXPECT(&c, "PUBACK id=2 reason=00");
    client_close(&c);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_TOO_LARGE], 1);
    broker_free(&b);
}

TEST(mqtt_session_present_and_expiry)
{
    struct broker b = {.light = true};
    struct client c, pub;
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1}, false);
    client_subscribe(&c, 1, "t", 1, 0);
    EXPECT(&c, "SUBACK id=1 codes 01");
    client_close(&c);
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1}, true);
    client_bye(&c);
    usleep(2500000); /* the session ends within one to two seconds; waiting longer does no harm */
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1}, false);
    client_bye(&c);
    /* Clean start ends an old session. */
    client_join(&c, &b, "d", (struct hello_opt){.expiry_s = 100}, false);
    client_close(&c);
    client_join(&c, &b, "d", (struct hello_opt){.clean = true, .expiry_s = 100}, false);
    client_close(&c);
    /* Expiry 0 in CONNECT ends it with the connection. */
    client_join(&c, &b, "d", (struct hello_opt){0}, true);
    client_close(&c);
    client_join(&c, &b, "d", (struct hello_opt){.expiry_s = 100}, false);
    /* DISCONNECT may change it: to 0. */
    client_hex(&c, "E0 07 00 05 11 00000000");
    EXPECT(&c, "END");
    client_close(&c);
    client_join(&c, &b, "d", (struct hello_opt){.expiry_s = 100}, false);
    client_close(&c);
    /* 3.1.1: kept unless clean. */
    client_join(&c, &b, "e", (struct hello_opt){.version = MQTT_V311}, false);
    client_close(&c);
    client_join(&c, &b, "e", (struct hello_opt){.version = MQTT_V311}, true);
    client_close(&c);
    client_join(&c, &b, "e", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_close(&c);
    client_join(&c, &b, "e", (struct hello_opt){.version = MQTT_V311}, false);
    client_close(&c);
    client_close(&pub);
    broker_stop(&b);
}

TEST(mqtt_wills)
{
    static const struct {
        const char *what;
        const char *bye; /* hex; NULL: the connection breaks */
        uint32_t delay_s, expiry_s;
        bool sent;
    } cases[] = {
        {"the connection breaks", NULL, 0, 0, true},
        {"DISCONNECT", "E0 00", 0, 0, false},
        {"DISCONNECT with will", "E0 01 04", 0, 0, true},
        {"a protocol error", "20 03 00 00 00", 0, 0, true},
        {"with a delay, but the session ends", NULL, 1000, 0, true},
        {"with a delay, and the session lasts", NULL, 1000, 1000, false},
        {"a delay of a second", NULL, 1, 1000, true},
        {"the session ends before the delay", NULL, 1000, 1, true},
    };
    struct broker b = {.light = true};
    struct client watcher, c;
    broker_start(&b, NULL);
    client_join(&watcher, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&watcher, 1, "will", 0, 0);
    EXPECT(&watcher, "SUBACK id=1 codes 00");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].what);
        client_join(&c, &b, "c",
                    (struct hello_opt){.clean = true,
                                       .expiry_s = cases[i].expiry_s,
                                       .will_topic = "will",
                                       .will = "gone",
                                       .will_delay_s = cases[i].delay_s},
                    false);
        if (cases[i].bye)
            client_hex(&c, cases[i].bye);
        if (cases[i].bye)
            while (strcmp(client_next(&c), "END") != 0)
                continue;
        client_close(&c);
        if (cases[i].sent)
            EXPECT(&watcher, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=will payload=gone");
        else if (cases[i].delay_s) { /* coming back cancels it */
            client_join(&c, &b, "c", (struct hello_opt){.expiry_s = cases[i].expiry_s}, true);
            client_bye(&c);
        }
        EXPECT_NOTHING(&watcher);
    }
    client_close(&watcher);
    broker_stop(&b);
}

/* Nobody reads: the queue fills, and what falls out is counted. */
TEST(mqtt_full_queues_drop_and_count)
{
    struct broker b = {.light = true, .limits = {.queue_max = 5}};
    struct client sub, pub;
    char payload[8], want[100];
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 100}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    client_publish(&pub, 0, "t", "QoS 0 is not kept", false);
    for (uint16_t i = 1; i <= 8; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        client_publish(&pub, i, "t", payload, false);
        (void)snprintf(want, sizeof(want), "PUBACK id=%d reason=00", i);
        EXPECT(&pub, want);
    }
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 100}, true);
    for (int i = 4; i <= 8; i++) {
        (void)snprintf(want, sizeof(want), "PUBLISH qos=1 dup=0 retain=0 id=%d topic=t payload=%d",
                       i - 3, i);
        EXPECT(&sub, want);
    }
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    client_close(&pub);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_QUEUE_FULL], 3);
    broker_free(&b);
}

static _Atomic unsigned slow_told;

static void hear_slow(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx;
    (void)level;
    (void)part;
    if (strcmp(text, "slow: its queue is full: QoS 0 messages are dropped") == 0)
        atomic_fetch_add(&slow_told, 1);
}

/* A client that does not read gets what its connection and queue can hold, in order, and the
 * publisher is not held up. */
TEST(mqtt_slow_client)
{
    struct broker b = {.light = true, .limits = {.queue_max = 50}};
    struct client slow, pub;
    enum { SIZE = 60000, COUNT = 400 };
    char *payload = mem_zero(alloc_system(), SIZE + 1);
    REQUIRE(payload != NULL);
    memset(payload, 'x', SIZE);
    atomic_store(&slow_told, 0);
    log_set_sink(hear_slow, NULL);
    broker_start(&b, NULL);
    client_join(&slow, &b, "slow", (struct hello_opt){.clean = true}, false);
    client_subscribe(&slow, 1, "t", 0, 0);
    EXPECT(&slow, "SUBACK id=1 codes 00");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(payload, 12, "%08d", i);
        payload[strlen(payload)] = 'x';
        client_publish(&pub, 0, "t", payload, false);
        if (i % 16 == 0)
            EXPECT_NOTHING(&pub);
    }
    EXPECT_NOTHING(&pub);
    size_t next = 0;
    int got = 0, silent = 0;
    while (silent < 2) { /* until nothing comes between two answers */
        const char *text;
        int before = got;
        client_hex(&slow, "C0 00");
        while (strcmp(text = client_next(&slow), "PINGRESP") != 0) {
            REQUIRE(CHECK(number_in(text) >= next)); /* in order */
            next = number_in(text) + 1;
            got++;
        }
        silent = got == before ? silent + 1 : 0;
    }
    client_close(&slow);
    client_close(&pub);
    broker_halt(&b);
    struct mqtt_stats stats = mqtt_server_stats(b.server);
    log_set_sink(NULL, NULL);
    CHECK_EQ_UINT(atomic_load(&slow_told), 1);
    CHECK(stats.dropped[MQTT_DROP_QOS0_FULL] > 0);
    CHECK(got > 50);
    CHECK_EQ_UINT(stats.dropped[MQTT_DROP_QOS0_FULL] + (unsigned)got, COUNT);
    CHECK_EQ_UINT(stats.queued, 0);
    CHECK_EQ_UINT(stats.queued_bytes, 0);
    broker_free(&b);
    mem_free(alloc_system(), payload, SIZE + 1);
}

TEST(mqtt_denied_publications)
{
    struct broker b = {.light = true};
    struct client c, quiet, old, sub;
    broker_start(&b, NULL);
    client_join(&sub, &b, "s", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "#", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_publish(&c, 1, "owned/set", "x", false);
    EXPECT(&c, "PUBACK id=1 reason=87 { why=it\\x20is\\x20owned\\x20by\\x20line_guard }");
    client_publish(&c, 0, "owned/set", "x", false);
    EXPECT_NOTHING(&c);
    client_join(&quiet, &b, "q", (struct hello_opt){.clean = true, .quiet = true}, false);
    client_publish(&quiet, 1, "owned/set", "x", true);
    EXPECT(&quiet, "PUBACK id=1 reason=87");
    client_join(&old, &b, "o", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_publish(&old, 1, "owned/set", "x", false);
    EXPECT(&old, "PUBACK id=1 reason=00"); /* docs/decisions/0003 */
    EXPECT_NOTHING(&sub);
    client_close(&c);
    client_close(&quiet);
    client_close(&old);
    client_close(&sub);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_DENIED], 4);
    broker_free(&b);
}

struct seen {
    char text[1000];
};

static void see(void *ctx, const struct mqtt_client_info *i)
{
    struct seen *s = ctx;
    size_t n = strlen(s->text);
    (void)snprintf(s->text + n, sizeof(s->text) - n, "%.*s/%.*s v%u %s %s subs=%zu queued=%zu; ",
                   STR_FMT(i->client_id), STR_FMT(i->user), i->version,
                   i->connected_ms ? "on" : "off", i->clean ? "clean" : "kept", i->subscriptions,
                   i->queued);
    CHECK_EQ_INT(i->address[0] != 0, i->connected_ms != 0);
}

struct peek {
    struct task task;
    struct broker *broker;
    struct seen *seen;
    _Atomic bool done;
};

static enum poll peek_poll(struct task *t)
{
    struct peek *p = CONTAINER_OF(t, struct peek, task);
    mqtt_server_each(p->broker->server, see, p->seen);
    return POLL_READY;
}

static void peek_finished(struct task *t)
{
    atomic_store(&CONTAINER_OF(t, struct peek, task)->done, true);
}

TEST(mqtt_clients_are_listed)
{
    struct broker b = {.light = true};
    struct client on, off;
    struct seen seen = {""};
    struct peek p = {.broker = &b, .seen = &seen};
    broker_start(&b, NULL);
    client_join(&off, &b, "off", (struct hello_opt){.expiry_s = 100}, false);
    client_subscribe(&off, 1, "t", 1, 0);
    EXPECT(&off, "SUBACK id=1 codes 01");
    client_bye(&off);
    client_join(&on, &b, "on",
                (struct hello_opt){.version = MQTT_V311, .clean = true, .user = "ada"}, false);
    client_publish(&on, 1, "t", "x", false);
    EXPECT(&on, "PUBACK id=1 reason=00");
    task_init(&p.task, "peek", peek_poll, peek_finished);
    task_spawn(executor_worker(b.ex, 0), &p.task);
    while (!atomic_load(&p.done))
        usleep(1000);
    CHECK_HAS_STR(seen.text, "off/ v0 off kept subs=1 queued=1; ");
    CHECK_HAS_STR(seen.text, "on/ada v4 on clean subs=0 queued=0; ");
    client_close(&on);
    broker_stop(&b);
}

/* Who has as many subscriptions as it may renews them even so; a new one is refused. */
TEST(mqtt_subscriptions_max)
{
    struct broker b = {.light = true, .limits = {.subscriptions_max = 2}};
    struct client c;
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    for (int round = 0; round < 2; round++) {
        LABEL("round %d", round);
        client_subscribe(&c, 1, "a", 1, 0);
        EXPECT(&c, "SUBACK id=1 codes 01");
        client_subscribe(&c, 2, "b", 0, 0);
        EXPECT(&c, "SUBACK id=2 codes 00");
        client_subscribe(&c, 3, "c", 1, 0);
        EXPECT(&c, "SUBACK id=3 codes 97");
        client_subscribe(&c, 3, "$share/s/a", 1, 0);
        EXPECT(&c, "SUBACK id=3 codes 97");
    }
    client_publish(&c, 1, "c", "x", false);
    EXPECT(&c, "PUBACK id=1 reason=10");
    client_unsubscribe(&c, 4, "a");
    EXPECT(&c, "UNSUBACK id=4 codes 00");
    client_subscribe(&c, 5, "c", 1, 0);
    EXPECT(&c, "SUBACK id=5 codes 01");
    client_close(&c);
    broker_stop(&b);
}
