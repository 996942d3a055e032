/* What rules of access mean on each way that a message can take. */
#include "protocol/mqtt_rig_test.h"

#define ANY                                                                                        \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define P  ACCESS_PUBLISH
#define SD (ACCESS_SUBSCRIBE | ACCESS_DELIVER)

static const struct access_rule rules[] = {
    {false, P, ACCESS_ALL, ANY, STR("no/#")},
    {false, ACCESS_DELIVER, ACCESS_ALL, ANY, STR("open/secret")},
    {true, P | SD, ACCESS_ALL, ANY, STR("open/#")},
    {true, P | SD, ACCESS_ALL, ANY, STR("own/%c/#")},
    {true, P, ACCESS_USERS, ANY, STR("users/%u")},
    {true, SD, ACCESS_USER, STR("ann"), STR("#")},
};

static void access_take(struct access *a, const struct access_rule *list, size_t n)
{
    struct access_rules *t = NULL;
    struct error e = {0};
    if (list)
        REQUIRE(CHECK_EQ_INT(access_rules_new(&t, alloc_system(), list, n, &e), ERR_OK));
    access_set(a, t);
}

static void access_open(struct access *a)
{
    access_init(a);
    access_take(a, rules, ARRAY_LEN(rules));
}

/* Publishes where the guard lets everyone see: the watcher has no rules against it. */
TEST(mqtt_access_publish)
{
    struct access a;
    struct broker b = {.light = true, .access = &a};
    struct client c, w;
    access_open(&a);
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "open/#", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    LABEL("5.0");
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_publish(&c, 1, "no/x", "1", false);
    EXPECT(&c, "PUBACK id=1 reason=87 { "
               "why=access\\x20rule\\x201\\x20does\\x20not\\x20let\\x20it\\x20publish\\x20there }");
    client_publish(&c, 2, "elsewhere", "2", true);
    EXPECT(&c, "PUBACK id=2 reason=87 { "
               "why=no\\x20access\\x20rule\\x20lets\\x20it\\x20publish\\x20there }");
    client_publish(&c, 0, "no/x", "3", false);
    client_publish(&c, 3, "open/x", "4", false);
    EXPECT_HAS(&c, "PUBACK id=3");
    client_publish(&c, 4, "own/d/x", "5", false);
    EXPECT_HAS(&c, "PUBACK id=4 reason=87");
    client_publish(&c, 5, "own/c/x", "6", false);
    EXPECT_HAS(&c, "PUBACK id=5 reason=");
    client_bye(&c);
    LABEL("without problem information");
    client_join(&c, &b, "c", (struct hello_opt){.clean = true, .quiet = true}, false);
    client_publish(&c, 1, "no/x", "7", false);
    EXPECT(&c, "PUBACK id=1 reason=87");
    client_bye(&c);
    LABEL("3.1.1 has no word for it");
    client_join(&c, &b, "c", (struct hello_opt){.version = MQTT_V311, .clean = true}, false);
    client_publish(&c, 1, "no/x", "8", false);
    EXPECT(&c, "PUBACK id=1 reason=00");
    client_publish(&c, 2, "open/x", "9", false);
    EXPECT(&c, "PUBACK id=2 reason=00");
    client_bye(&c);
    LABEL("what arrived");
    EXPECT_HAS(&w, "topic=open/x payload=4");
    EXPECT_HAS(&w, "topic=open/x payload=9");
    EXPECT_NOTHING(&w);
    client_bye(&w);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_DENIED], 6);
    CHECK_EQ_UINT(bus_stats(b.bus).retained, 0);
    broker_free(&b);
    access_fini(&a);
}

TEST(mqtt_access_subscribe)
{
    static const struct {
        const char *what;
        enum mqtt_version version;
        const char *filter, *code;
    } rows[] = {
        {"5.0, allowed", MQTT_V5, "open/+", "00"},
        {"5.0, its own", MQTT_V5, "own/c/#", "00"},
        {"5.0, another's", MQTT_V5, "own/d/#", "87"},
        {"5.0, wider than its own", MQTT_V5, "own/+/#", "87"},
        {"5.0, all", MQTT_V5, "#", "87"},
        {"5.0, no rule", MQTT_V5, "x", "87"},
        {"5.0, $SYS", MQTT_V5, "$SYS/#", "87"},
        {"5.0, a share of what is denied", MQTT_V5, "$share/g/x", "87"},
        {"3.1.1, allowed", MQTT_V311, "open/+", "00"},
        {"3.1.1, denied", MQTT_V311, "#", "80"},
        {"3.1 has no word for it", MQTT_V31, "#", "00"},
    };
    struct access a;
    struct broker b = {.light = true, .access = &a};
    struct client c;
    access_open(&a);
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[40];
        LABEL("%s", rows[i].what);
        client_join(&c, &b, "c", (struct hello_opt){.version = rows[i].version, .clean = true},
                    false);
        client_subscribe(&c, 1, rows[i].filter, 0, 0);
        (void)snprintf(want, sizeof(want), "SUBACK id=1 codes %s", rows[i].code);
        EXPECT(&c, want);
        client_publish(&c, 0, "open/x", "1", false);
        if (strcmp(rows[i].filter, "open/+") == 0)
            EXPECT_HAS(&c, "topic=open/x");
        EXPECT_NOTHING(&c);
        client_bye(&c);
    }
    LABEL("each filter has its code");
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_hex(&c, "82 15 0001 00 0001 78 00 0006 6F70656E2F79 00 0002 2F78 00");
    EXPECT(&c, "SUBACK id=1 codes 87 00 87");
    client_bye(&c);
    broker_stop(&b);
    access_fini(&a);
}

/* A wider subscription is allowed, one of its topics is not. */
TEST(mqtt_access_deliver)
{
    struct access a;
    struct broker b = {.light = true, .access = &a};
    struct client c, p;
    access_open(&a);
    broker_start(&b, NULL);
    client_join(&p, &b, "p", (struct hello_opt){.clean = true}, false);
    client_publish(&p, 1, "open/secret", "retained", true);
    EXPECT_HAS(&p, "PUBACK id=1 reason=");
    client_publish(&p, 2, "open/plain", "retained", true);
    EXPECT_HAS(&p, "PUBACK id=2 reason=");
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, false);
    LABEL("retained");
    client_subscribe(&c, 1, "open/#", 1, 0);
    EXPECT(&c, "SUBACK id=1 codes 01");
    EXPECT_HAS(&c, "retain=1 id=1 topic=open/plain payload=retained");
    EXPECT_NOTHING(&c);
    LABEL("live");
    client_publish(&p, 3, "open/secret", "live", false);
    EXPECT_HAS(&p, "PUBACK id=3 reason=");
    client_publish(&p, 4, "open/plain", "live", false);
    EXPECT_HAS(&p, "PUBACK id=4 reason=00");
    EXPECT_HAS(&c, "topic=open/plain payload=live");
    EXPECT_NOTHING(&c);
    LABEL("a reload lets it through, and another one shuts it");
    access_take(&a, NULL, 0);
    client_publish(&p, 5, "open/secret", "now", false);
    EXPECT(&p, "PUBACK id=5 reason=00");
    EXPECT_HAS(&c, "topic=open/secret payload=now");
    access_take(&a, rules, ARRAY_LEN(rules));
    client_publish(&p, 6, "open/secret", "not now", false);
    EXPECT_HAS(&p, "PUBACK id=6 reason=");
    EXPECT_NOTHING(&c);
    LABEL("it takes no room in the queue of who is away");
    client_bye(&c);
    client_publish(&p, 7, "open/secret", "for later", false);
    EXPECT_HAS(&p, "PUBACK id=7 reason=");
    client_bye(&p);
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, 0);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_WITHHELD], 4);
    broker_free(&b);
    access_fini(&a);
}

/* A member that may not have it is passed over, whoever's turn it is. */
TEST(mqtt_access_of_a_share)
{
    static const struct access_rule some[] = {{false, ACCESS_DELIVER, ACCESS_ALL, ANY, STR("t/%c")},
                                              {true, P | SD, ACCESS_ALL, ANY, STR("t/#")}};
    struct access a;
    struct broker b = {.light = true, .access = &a};
    struct client c, d, p;
    access_init(&a);
    access_take(&a, some, ARRAY_LEN(some));
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.clean = true}, false);
    client_subscribe(&c, 1, "$share/g/t/#", 0, 0);
    EXPECT(&c, "SUBACK id=1 codes 00");
    client_join(&d, &b, "d", (struct hello_opt){.clean = true}, false);
    client_subscribe(&d, 1, "$share/g/t/#", 0, 0);
    EXPECT(&d, "SUBACK id=1 codes 00");
    client_join(&p, &b, "p", (struct hello_opt){.clean = true}, false);
    for (int i = 0; i < 3; i++) {
        client_publish(&p, 0, "t/c", "not c", false);
        client_publish(&p, 0, "t/d", "not d", false);
    }
    for (int i = 0; i < 3; i++) {
        EXPECT_HAS(&d, "topic=t/c payload=not\\x20c");
        EXPECT_HAS(&c, "topic=t/d payload=not\\x20d");
    }
    EXPECT_NOTHING(&c);
    EXPECT_NOTHING(&d);
    client_bye(&c);
    client_bye(&d);
    client_bye(&p);
    broker_stop(&b);
    access_fini(&a);
}

/* It waited for the client longer than the right to have it. */
TEST(mqtt_access_while_it_waits)
{
    static const struct access_rule open[] = {{true, P | SD, ACCESS_ALL, ANY, STR("#")}};
    static const struct access_rule shut[] = {{false, SD, ACCESS_ALL, ANY, STR("q/secret")},
                                              {true, P | SD, ACCESS_ALL, ANY, STR("#")}};
    struct access a;
    struct broker b = {.access = &a};
    struct client c, p;
    char image[240];
    access_init(&a);
    access_take(&a, open, 1);
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&c, 1, "q/#", 1, 0);
    EXPECT(&c, "SUBACK id=1 codes 01");
    client_bye(&c);
    client_join(&p, &b, "p", (struct hello_opt){.clean = true}, false);
    client_publish(&p, 1, "q/secret", "1", false);
    EXPECT_HAS(&p, "PUBACK id=1 reason=00");
    client_publish(&p, 2, "q/plain", "2", false);
    EXPECT_HAS(&p, "PUBACK id=2 reason=00");
    client_bye(&p);
    for (int restart = 0; restart < 2; restart++) {
        LABEL("%s", restart ? "after a restart" : "in the same run");
        if (restart)
            broker_image(&b, image); /* what the first round takes is not yet taken */
        access_take(&a, shut, ARRAY_LEN(shut));
        if (restart) {
            broker_stop(&b);
            broker_start(&b, image);
        }
        client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, true);
        if (!restart) {
            EXPECT_HAS(&c, "topic=q/plain payload=2");
            EXPECT_NOTHING(&c);
            client_puback(&c, c.last_id);
        } else {
            EXPECT_NOTHING(&c);
        }
        client_bye(&c);
        access_take(&a, open, 1);
        client_join(&p, &b, "p", (struct hello_opt){.clean = true}, false);
        client_publish(&p, 1, "q/secret", "3", false);
        EXPECT_HAS(&p, "PUBACK id=1 reason=00");
        client_bye(&p);
    }
    LABEL("the session of the restart got what came while all was open");
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, true);
    EXPECT_HAS(&c, "topic=q/secret payload=3");
    client_bye(&c);
    broker_stop(&b);
    access_fini(&a);
}

/* What was refused does not come back with the journal. */
TEST(mqtt_access_after_a_restart)
{
    static const struct access_rule none[] = {{true, P | SD, ACCESS_ALL, ANY, STR("open/#")}};
    struct access a;
    struct broker b = {.access = &a};
    struct client c;
    char image[240];
    access_init(&a);
    access_take(&a, none, 1);
    broker_start(&b, NULL);
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, false);
    client_hex(&c, "82 10 0001 00 0001 78 01 0006 6F70656E2F79 01");
    EXPECT(&c, "SUBACK id=1 codes 87 01");
    client_bye(&c);
    broker_image(&b, image);
    broker_stop(&b);
    access_take(&a, NULL, 0); /* everything may be received now */
    broker_start(&b, image);
    client_join(&c, &b, "c", (struct hello_opt){.expiry_s = 1000}, true);
    client_publish(&c, 0, "x", "1", false);
    client_publish(&c, 0, "open/y", "2", false);
    EXPECT_HAS(&c, "topic=open/y payload=2");
    EXPECT_NOTHING(&c);
    client_bye(&c);
    broker_stop(&b);
    access_fini(&a);
}

TEST(mqtt_access_wills)
{
    static const struct {
        const char *what, *topic;
        uint32_t delay_s;
        bool retain, sent;
    } rows[] = {
        {"allowed", "open/w", 0, false, true},
        {"denied", "no/w", 0, false, false},
        {"denied, retained", "no/w", 0, true, false},
        {"its own", "own/c/w", 0, false, true},
        {"another's", "own/d/w", 0, false, false},
        {"allowed, delayed", "open/w", 1, false, true},
        {"denied, delayed", "no/w", 1, false, false},
    };
    static const struct access_rule all[] = {{false, P, ACCESS_ALL, ANY, STR("no/#")},
                                             {true, P, ACCESS_ALL, ANY, STR("own/%c/#")},
                                             {true, P, ACCESS_ALL, ANY, STR("open/#")},
                                             {true, SD, ACCESS_ALL, ANY, STR("#")}};
    struct access a;
    struct broker b = {.light = true, .access = &a};
    struct client c, w;
    access_init(&a);
    access_take(&a, all, ARRAY_LEN(all));
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "#", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].what);
        client_join(&c, &b, "c",
                    (struct hello_opt){.clean = true,
                                       .will_topic = rows[i].topic,
                                       .will = "gone",
                                       .will_retain = rows[i].retain,
                                       .expiry_s = rows[i].delay_s ? 1 : 0,
                                       .will_delay_s = rows[i].delay_s},
                    false);
        client_hex(&c, "E0 01 04");
        EXPECT(&c, "END");
        client_close(&c);
        if (rows[i].sent)
            EXPECT_HAS(&w, rows[i].topic);
    }
    EXPECT_NOTHING(&w);
    client_bye(&w);
    broker_stop(&b);
    access_fini(&a);
}

static void users_file(char path[300])
{
    char hash[PASSWORD_HASH_MAX];
    struct error e = {0};
    (void)snprintf(path, 300, "%s/users", test_tmpdir());
    REQUIRE(password_hash((struct bytes){(const uint8_t *)"secret", 6}, hash, &e) == ERR_OK);
    REQUIRE(password_file_set(path, STR("ann"), hash, &e) == ERR_OK);
}

static uint64_t denied_in(const struct broker *b)
{
    return mqtt_server_stats(b->server).dropped[MQTT_DROP_DENIED];
}

/* Whose a will is stands in the journal, and the rules are asked when it is published. */
TEST(mqtt_access_wills_after_a_kill)
{
    char path[300], image[240];
    struct access a;
    struct broker b = {.access = &a}, after = {.access = &a};
    struct client own, other, w;
    struct hello_opt ann = {
        .expiry_s = 1, .user = "ann", .password = "secret", .will_topic = "users/ann", .will = "x"};
    users_file(path);
    b.password_path = after.password_path = path;
    access_open(&a);
    broker_start(&b, NULL);
    client_join(&own, &b, "own", ann, false);
    ann.will_topic = "users/bob";
    client_join(&other, &b, "other", ann, false);
    broker_image(&b, image);
    client_close(&own);
    client_close(&other);
    broker_stop(&b);
    broker_start(&after, image);
    ann.will_topic = NULL;
    client_join(&w, &after, "w", ann, false);
    client_subscribe(&w, 1, "#", 0, 0);
    EXPECT_HAS(&w, "SUBACK id=1 codes 00");
    EXPECT_HAS(&w, "topic=users/ann payload=x"); /* their sessions have ended */
    for (int i = 0; i < RIG_PATIENCE_MS && !denied_in(&after); i++)
        usleep(1000);
    CHECK_EQ_UINT(denied_in(&after), 1);
    EXPECT_NOTHING(&w);
    client_bye(&w);
    broker_stop(&after);
    access_fini(&a);
}

/* A name counts if its listener has asked for the password. */
TEST(mqtt_access_of_names)
{
    static const struct {
        const char *what, *user, *password, *topic;
        bool asked, allowed;
    } rows[] = {
        {"proven", "ann", "secret", "users/ann", true, true},
        {"another's", "ann", "secret", "users/bob", true, false},
        {"said only", "ann", "secret", "users/ann", false, false},
        {"anonymous", NULL, NULL, "users/", false, false},
    };
    char path[300];
    users_file(path);
    for (unsigned asked = 0; asked < 2; asked++) {
        struct access a;
        struct broker b = {.light = true, .access = &a, .password_path = asked ? path : NULL};
        access_open(&a);
        broker_start(&b, NULL);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct client c;
            if (rows[i].asked != asked)
                continue;
            LABEL("%s", rows[i].what);
            client_join(&c, &b, "c",
                        (struct hello_opt){
                            .clean = true, .user = rows[i].user, .password = rows[i].password},
                        false);
            client_publish(&c, 1, rows[i].topic, "1", false);
            EXPECT_HAS(&c, rows[i].allowed ? "PUBACK id=1 reason=" : "PUBACK id=1 reason=87");
            client_subscribe(&c, 2, "#", 0, 0);
            EXPECT(&c, asked ? "SUBACK id=2 codes 00" : "SUBACK id=2 codes 87");
            client_bye(&c);
        }
        broker_halt(&b);
        CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_DENIED], asked ? 1 : 2);
        broker_free(&b);
        access_fini(&a);
    }
}
