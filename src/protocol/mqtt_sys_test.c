/* The topics below $SYS, as a user of mosquitto would look at them. */
#include "protocol/mqtt_rig_test.h"

/* Retained packets until the next PINGRESP, as lines `topic payload`. */
static size_t all_of(struct client *c, const char *filter, char (*out)[100], size_t max)
{
    size_t n = 0;
    client_subscribe(c, 1, filter, 0, 0);
    EXPECT(c, "SUBACK id=1 codes 00");
    client_hex(c, "C0 00");
    for (;;) {
        const char *text = client_next(c);
        if (strcmp(text, "PINGRESP") == 0)
            return n;
        const char *topic = strstr(text, "topic=$SYS/");
        REQUIRE(CHECK(topic && strstr(text, "qos=0") && strstr(text, "retain=1") && n < max));
        (void)snprintf(out[n++], 100, "%s", topic + 6);
    }
}

static const char *value_of(char (*all)[100], size_t n, const char *topic)
{
    char begin[100];
    (void)snprintf(begin, sizeof(begin), "%s payload=", topic);
    for (size_t i = 0; i < n; i++)
        if (strncmp(all[i], begin, strlen(begin)) == 0)
            return all[i] + strlen(begin);
    return "(none)";
}

TEST(mqtt_sys_topics)
{
    struct broker b = {.light = true, .sys_interval_ms = 3600000};
    struct client c;
    char all[80][100];
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    size_t n = all_of(&c, "$SYS/#", all, ARRAY_LEN(all));
    static const char *const rows[][2] = {
        {"$SYS/broker/version", "sedge\\x20version\\x20" SEDGE_VERSION},
        {"$SYS/broker/uptime", "0\\x20seconds"},
        {"$SYS/broker/clients/connected", "0"},
        {"$SYS/broker/clients/total", "0"},
        {"$SYS/broker/clients/maximum", "0"},
        {"$SYS/broker/clients/active", "0"},
        {"$SYS/broker/messages/received", "0"},
        {"$SYS/broker/messages/sent", "0"},
        {"$SYS/broker/messages/stored", "0"},
        {"$SYS/broker/store/messages/bytes", "0"},
        {"$SYS/broker/publish/messages/dropped", "0"},
        {"$SYS/broker/bytes/received", "0"},
        {"$SYS/broker/retained\\x20messages/count", "0"},
        {"$SYS/broker/load/publish/received/1min", "0.00"},
        {"$SYS/broker/load/bytes/sent/15min", "0.00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i][0]);
        CHECK_EQ_STR(value_of(all, n, rows[i][0]), rows[i][1]);
    }
    CHECK_EQ_UINT(n, 45);
    client_bye(&c);
    LABEL("one topic; a leading wildcard; retain handling 2");
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    CHECK_EQ_UINT(all_of(&c, "$SYS/broker/clients/+", all, ARRAY_LEN(all)), 6);
    CHECK_EQ_UINT(all_of(&c, "#", all, ARRAY_LEN(all)), 0);
    CHECK_EQ_UINT(all_of(&c, "+/broker/#", all, ARRAY_LEN(all)), 0);
    client_subscribe(&c, 2, "$SYS/#", 0x20, 0);
    EXPECT(&c, "SUBACK id=2 codes 00");
    EXPECT_NOTHING(&c);
    client_bye(&c);
    broker_stop(&b);
}

/* Nobody else publishes there, by no way. */
TEST(mqtt_sys_is_the_brokers)
{
    struct broker b = {.light = true, .sys_interval_ms = 3600000};
    struct client c, w;
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "$SYS/#", 0x20, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    client_join(&c, &b, "c",
                (struct hello_opt){
                    .clean = true, .will_topic = "$SYS/broker/uptime", .will = "0", .quiet = true},
                false);
    client_publish(&c, 1, "$SYS/broker/uptime", "0", true);
    EXPECT(&c, "PUBACK id=1 reason=87");
    client_hex(&c, "E0 01 04");
    EXPECT(&c, "END");
    client_close(&c);
    EXPECT_NOTHING(&w);
    client_bye(&w);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_DENIED], 2);
    broker_free(&b);
}

/* What changes is told to who has subscribed, without the retain flag. */
TEST(mqtt_sys_tells_what_has_changed)
{
    struct broker b = {.light = true, .sys_interval_ms = 20};
    struct client c, p;
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_subscribe(&c, 1, "$SYS/broker/publish/messages/received", 0x20, 0);
    EXPECT(&c, "SUBACK id=1 codes 00");
    client_join(&p, &b, "p", (struct hello_opt){.clean = true}, false);
    client_publish(&p, 1, "x", "1", false);
    EXPECT_HAS(&p, "PUBACK id=1");
    EXPECT(&c, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=$SYS/broker/publish/messages/received "
               "payload=1");
    LABEL("the load is a number that is not nought");
    client_subscribe(&c, 2, "$SYS/broker/load/publish/received/+", 0, 0);
    EXPECT(&c, "SUBACK id=2 codes 00");
    for (int i = 0; i < 3; i++) {
        const char *text = client_next(&c);
        CHECK_HAS_STR(text, "retain=1");
        CHECK(strstr(text, "payload=0.00") == NULL);
    }
    client_close(&c);
    client_close(&p);
    broker_stop(&b);
}

/* Without an interval there is nothing, and the topics are like all others. */
TEST(mqtt_sys_can_be_left_out)
{
    struct broker b = {.light = true};
    struct client c;
    char all[4][100];
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    CHECK_EQ_UINT(all_of(&c, "$SYS/#", all, ARRAY_LEN(all)), 0);
    client_publish(&c, 1, "$SYS/x", "1", false);
    EXPECT_HAS(&c, "topic=$SYS/x payload=1");
    EXPECT(&c, "PUBACK id=1 reason=00");
    client_bye(&c);
    broker_stop(&b);
}
