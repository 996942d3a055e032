#include "protocol/mqtt_rig_test.h"

/* Bytes in, packets out. */
TEST(mqtt_first_packets)
{
    static const struct {
        const char *what, *hex, *answer;
        bool open; /* afterwards */
    } cases[] = {
        {"3.1.1, clean", "10 0D 0004 4D515454 04 02 0000 0001 61", "CONNACK reason=00 session=0",
         true},
        {"3.1.1, no id, clean", "10 0C 0004 4D515454 04 02 0000 0000",
         "CONNACK reason=00 session=0", true},
        {"3.1.1, no id, not clean", "10 0C 0004 4D515454 04 00 0000 0000",
         "CONNACK reason=02 session=0", false},
        {"5.0", "10 0E 0004 4D515454 05 02 0000 00 0001 61", CONNACK_5(0), true},
        {"5.0, will with QoS 2", "10 15 0004 4D515454 05 16 0000 00 0001 61 00 0001 74 0001 78",
         CONNACK_5(0), true},
        {"5.0, an authentication method",
         "10 14 0004 4D515454 05 02 0000 06 15 0003 616263 0001 61", "CONNACK reason=8c session=0",
         false},
        {"level 3", "10 0D 0004 4D515454 03 02 0000 0001 61", "CONNACK reason=01 session=0", false},
        {"level 6", "10 0E 0004 4D515454 06 02 0000 00 0001 61", "CONNACK reason=84 session=0",
         false},
        {"5.0, reserved bit", "10 0E 0004 4D515454 05 03 0000 00 0001 61",
         "CONNACK reason=81 session=0", false},
        {"3.1.1, reserved bit", "10 0D 0004 4D515454 04 03 0000 0001 61", NULL, false},
        {"PINGREQ first", "C0 00", NULL, false},
        {"PUBLISH first", "30 03 0001 61", NULL, false},
        {"HTTP", "474554202F20485454502F312E310D0A0D0A", NULL, false},
        {"a second CONNECT",
         "10 0D 0004 4D515454 04 02 0000 0001 61 10 0D 0004 4D515454 04 02 0000 0001 61",
         "CONNACK reason=00 session=0", false},
    };
    struct broker b = {.light = true};
    struct client c;
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].what);
        client_open(&c, &b);
        c.version =
            strstr(cases[i].what, "5.0") || strstr(cases[i].what, "level 6") ? MQTT_V5 : MQTT_V311;
        client_hex(&c, cases[i].hex);
        if (cases[i].answer)
            EXPECT(&c, cases[i].answer);
        if (cases[i].open)
            EXPECT_NOTHING(&c);
        else
            EXPECT(&c, "END");
        client_close(&c);
    }
    broker_stop(&b);
}

/* What an open 5.0 connection answers to packets that break a rule. */
TEST(mqtt_protocol_errors)
{
    static const struct {
        const char *what, *hex, *answer;
    } cases[] = {
        {"CONNECT again", "10 0E 0004 4D515454 05 02 0000 00 0001 61", "82"},
        {"CONNACK", "20 03 00 00 00", "82"},
        {"AUTH", "F0 02 18 00", "82"},
        {"PUBLISH at QoS 3", "36 06 0001 61 0001 00", "81"},
        {"PUBLISH with a wildcard", "30 04 0001 23 00", "90"},
        {"topic alias 0", "30 07 0001 61 03 23 0000", "94"},
        {"topic alias 17", "30 07 0001 61 03 23 0011", "94"},
        {"unknown topic alias", "30 06 0000 03 23 0001", "82"},
        {"a packet that is too large", "30 FFFFFF7F", "95"},
        {"a length of five bytes", "30 FFFFFFFF01", "81"},
        {"SUBSCRIBE without a filter", "82 03 0001 00", "82"},
        {"SUBSCRIBE with wrong flags", "80 07 0001 00 0001 61 00", "81"},
        {"No Local on a share", "82 10 0001 00 000A 24736861 72652F67 2F74 04", "82"},
        {"subscription id 0", "82 09 0001 02 0B00 0001 61 00", "82"},
        {"DISCONNECT wants the session to stay", "E0 07 00 05 11 00000010", "82"},
    };
    struct broker b = {.light = true};
    struct client c;
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char want[40];
        LABEL("%s", cases[i].what);
        client_join(&c, &b, "a", (struct hello_opt){.clean = true}, false);
        client_hex(&c, cases[i].hex);
        (void)snprintf(want, sizeof(want), "DISCONNECT reason=%s", cases[i].answer);
        EXPECT(&c, want);
        EXPECT(&c, "END");
        client_close(&c);
    }
    broker_halt(&b);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).protocol_errors + 1, ARRAY_LEN(cases));
    CHECK_EQ_UINT(mqtt_server_stats(b.server).connections, 0);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).sessions, 0);
    broker_free(&b);
}

TEST(mqtt_bytes_one_at_a_time)
{
    static const char hex[] = "10 0E 0004 4D515454 05 02 0000 00 0001 61"
                              "82 09 0001 02 0B05 0001 74 01"
                              "32 08 0001 74 0007 00 68 69"
                              "C0 00";
    struct broker b = {.light = true};
    struct client c;
    uint8_t bytes[100];
    size_t n = mqtt_unhex(hex, bytes, sizeof(bytes));
    broker_start(&b, NULL);
    client_open(&c, &b);
    for (size_t i = 0; i < n; i++) {
        client_send(&c, bytes + i, 1);
        if (i % 8 == 0)
            usleep(1000); /* so that they come in several reads */
    }
    EXPECT(&c, CONNACK_5(0));
    EXPECT(&c, "SUBACK id=1 codes 01");
    EXPECT_HAS(&c, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t payload=hi { sub-id=5 id:5 }");
    EXPECT(&c, "PUBACK id=7 reason=00");
    EXPECT(&c, "PINGRESP");
    client_close(&c);
    broker_stop(&b);
}

TEST(mqtt_assigned_client_id)
{
    struct broker b = {.light = true};
    struct client c;
    broker_start(&b, NULL);
    client_open(&c, &b);
    client_hello(&c, "", (struct hello_opt){.clean = true});
    EXPECT_HAS(&c, "assigned-id=sedge-");
    client_close(&c);
    broker_stop(&b);
}

TEST(mqtt_connect_in_time_and_keep_alive)
{
    struct broker b = {.light = true, .limits = {.connect_timeout_ms = 50}};
    struct client silent, dead, alive;
    broker_start(&b, NULL);
    client_open(&silent, &b);
    client_join(&alive, &b, "alive", (struct hello_opt){.clean = true}, false);
    client_join(&dead, &b, "dead", (struct hello_opt){.clean = true, .keep_alive_s = 1}, false);
    EXPECT(&silent, "END");
    EXPECT(&dead, "DISCONNECT reason=8d");
    EXPECT(&dead, "END");
    EXPECT_NOTHING(&alive); /* no keep-alive, no limit */
    client_close(&silent);
    client_close(&dead);
    client_close(&alive);
    broker_stop(&b);
}

TEST(mqtt_users_and_passwords)
{
    char path[256], hash[PASSWORD_HASH_MAX];
    struct error e = {0};
    struct client c;
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    REQUIRE(CHECK_EQ_INT(password_hash((struct bytes){(const uint8_t *)"secret", 6}, hash, &e),
                         ERR_OK));
    REQUIRE(CHECK_EQ_INT(password_file_set(path, STR("ada"), hash, &e), ERR_OK));
    static const struct {
        const char *user, *password;
        enum mqtt_version version;
        const char *answer;
    } cases[] = {
        {"ada", "secret", MQTT_V5, CONNACK_5(0)},
        {"ada", "secret", MQTT_V311, "CONNACK reason=00 session=0"},
        {"ada", "wrong", MQTT_V5, "CONNACK reason=86 session=0"},
        {"ada", "wrong", MQTT_V311, "CONNACK reason=04 session=0"},
        {"ada", NULL, MQTT_V5, "CONNACK reason=86 session=0"},
        {"bob", "secret", MQTT_V5, "CONNACK reason=86 session=0"},
        {"", "secret", MQTT_V5, "CONNACK reason=86 session=0"},
        {"", NULL, MQTT_V311, "CONNACK reason=04 session=0"},
        {NULL, "secret", MQTT_V5, "CONNACK reason=86 session=0"},
        {NULL, NULL, MQTT_V5, "CONNACK reason=87 session=0"},
        {NULL, NULL, MQTT_V311, "CONNACK reason=05 session=0"},
    };
    struct broker b = {.light = true, .password_path = path};
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s %s v%d", cases[i].user ? cases[i].user : "-",
              cases[i].password ? cases[i].password : "-", (int)cases[i].version);
        client_open(&c, &b);
        client_hello(&c, "x",
                     (struct hello_opt){.version = cases[i].version,
                                        .clean = true,
                                        .user = cases[i].user,
                                        .password = cases[i].password});
        /* Packets may follow CONNECT at once; they wait while the password is being checked. */
        client_hex(&c, "C0 00");
        EXPECT(&c, cases[i].answer);
        EXPECT(&c, strstr(cases[i].answer, "reason=00") ? "PINGRESP" : "END");
        client_close(&c);
    }
    broker_halt(&b);
    CHECK_EQ_UINT(password_file_stats(b.passwords).computed, 8);
    CHECK_EQ_UINT(password_file_stats(b.passwords).remembered, 1);
    broker_free(&b);
}

/* A user name may be empty, and is then nobody's memory: both ways of ending give back what was
 * taken. */
TEST(mqtt_empty_user_name)
{
    static const struct hello_opt cases[] = {
        {.version = MQTT_V31, .clean = true, .user = ""},
        {.version = MQTT_V311, .clean = true, .user = ""},
        {.version = MQTT_V311, .clean = true, .user = "", .password = ""},
        {.version = MQTT_V5, .clean = true, .user = "", .password = "secret"},
    };
    struct broker b = {.light = true};
    struct client c, other;
    broker_start(&b, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("case %zu", i);
        client_join(&c, &b, "x", cases[i], false);
        client_hex(&c, "C0 00");
        EXPECT(&c, "PINGRESP");
        client_join(&other, &b, "x", cases[i], false); /* takes over: the broker closes the first */
        client_hex(&other, "E0 00");
        EXPECT(&other, "END");
        client_close(&other);
        client_close(&c);
    }
    broker_stop(&b);
}

/* The client goes while its password is being checked. */
TEST(mqtt_client_leaves_during_the_check)
{
    char path[256], hash[PASSWORD_HASH_MAX];
    struct error e = {0};
    struct client c;
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    REQUIRE(password_hash((struct bytes){(const uint8_t *)"secret", 6}, hash, &e) == ERR_OK);
    REQUIRE(password_file_set(path, STR("ada"), hash, &e) == ERR_OK);
    struct broker b = {.light = true, .password_path = path};
    broker_start(&b, NULL);
    for (int i = 0; i < 20; i++) {
        client_open(&c, &b);
        client_hello(&c, "x",
                     (struct hello_opt){.clean = true, .user = "ada", .password = "secret"});
        client_close(&c);
    }
    client_join(&c, &b, "x", (struct hello_opt){.clean = true, .user = "ada", .password = "secret"},
                false);
    client_close(&c);
    broker_stop(&b);
}

TEST(mqtt_take_over)
{
    struct broker b = {.light = true};
    struct client watcher, old, new;
    broker_start(&b, NULL);
    client_join(&watcher, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&watcher, 1, "will/#", 0, 0);
    EXPECT(&watcher, "SUBACK id=1 codes 00");
    client_join(&old, &b, "x",
                (struct hello_opt){.clean = true, .will_topic = "will/x", .will = "gone"}, false);
    client_join(&new, &b, "x", (struct hello_opt){.expiry_s = 60}, false);
    EXPECT(&old, "DISCONNECT reason=8e");
    EXPECT(&old, "END");
    EXPECT(&watcher, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=will/x payload=gone");
    client_close(&old);
    client_subscribe(&new, 1, "t", 1, 0);
    EXPECT(&new, "SUBACK id=1 codes 01");
    client_join(&old, &b, "x", (struct hello_opt){.expiry_s = 60}, true); /* back again */
    EXPECT(&new, "DISCONNECT reason=8e");
    client_publish(&watcher, 1, "t", "for x", false);
    EXPECT(&watcher, "PUBACK id=1 reason=00");
    EXPECT(&old, "PUBLISH qos=1 dup=0 retain=0 id=1 topic=t payload=for\\x20x");
    client_close(&new);
    client_close(&old);
    client_close(&watcher);
    broker_stop(&b);
}

TEST(mqtt_connections_max)
{
    struct broker b = {.light = true, .limits = {.connections_max = 1}};
    struct client a, more;
    broker_start(&b, NULL);
    client_join(&a, &b, "a", (struct hello_opt){.clean = true}, false);
    client_open(&more, &b);
    EXPECT(&more, "END");
    EXPECT_NOTHING(&a);
    client_close(&more);
    client_close(&a);
    broker_stop(&b);
}
