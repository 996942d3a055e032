#include "app/mqtt_options.h"

#include "app/cmd.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 32

/* Splits at blanks; argv[0] is the command. */
static int split(const char *text, char room[512], char **argv)
{
    int argc = 0;
    char *rest = NULL;
    REQUIRE(strlen(text) < 512);
    memcpy(room, text, strlen(text) + 1);
    for (char *at = strtok_r(room, " ", &rest); at && argc < ARGS_MAX;
         at = strtok_r(NULL, " ", &rest))
        argv[argc++] = at;
    argv[argc] = NULL;
    return argc;
}

static void refuse(int (*run)(int argc, char **argv), const char *const lines[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char room[512], *argv[ARGS_MAX + 1] = {0};
        LABEL("%s", lines[i]);
        int argc = split(lines[i], room, argv);
        CHECK_EQ_INT(run(argc, argv), EXIT_USAGE);
    }
}

TEST(sub_refuses_wrong_usage)
{
    static const char *const lines[] = {
        "sub",
        "sub -t",
        "sub -t a -q 3",
        "sub -t a -q x",
        "sub -t a -p 0",
        "sub -t a -p 65536",
        "sub -t a -V 4",
        "sub -t a -C 0",
        "sub -t a -W -1",
        "sub -t a -W 0",
        "sub -t a -c",
        "sub -t a extra",
        "sub -t a -m x",
        "sub -t a#",
        "sub -t a -T b#",
        "sub -t a -U b#",
        "sub -t a -F %z",
        "sub -t a -R --retained-only",
        "sub -t a --random-filter 101",
        "sub -t a --random-filter 0",
        "sub -t a -V 311 --retain-as-published",
        "sub -t a -V 311 -D connect user-property a b",
        "sub -t a -V 311 -x 5",
        "sub -t a -x -2",
        "sub -t a -i b -I c",
        "sub -t a -D",
        "sub -t a -D publish user-property a b", /* it publishes nothing */
        "sub -t a -D connect user-property a",
        "sub -t a -D connect receive-maximum 65536",
        "sub -t a -D connect receive-maximum 0", /* which no server takes */
        "sub -t a -D subscribe subscription-identifier 0",
        "sub -t a -D connect content-type x",
        "sub -t a -D connect no-such-thing x",
        "sub -t a --will-payload x",
        "sub -t a --will-topic x/#",
        "sub -t a --proxy socks5h://x",
        "sub -t a --no-such-option",
        "sub -t a --verbose=1",
        "sub -t a -vz",
        "sub -L mqtt://",
        "sub -L http://h/t",
        "sub -L mqtt://h:0/t",
        "sub -L mqtt://h:x/t",
        "sub -L mqtt://[::1/t",
        "sub -L mqtt://h/a%4",
        "sub -L mqtt://h/a%00",
        "sub -L mqtt://h", /* no topic */
        "sub -L mqtt://h/a -L mqtt://h/b",
        "sub -t a --cert c.pem",
        "sub -t a --unix /x --ws",
        "sub -t a --tls-version tlsv1.1",
    };
    refuse(cmd_sub, lines, ARRAY_LEN(lines));
}

TEST(pub_refuses_wrong_usage)
{
    static const char *const lines[] = {
        "pub -t a",
        "pub -m x",
        "pub -t a -m x -n",
        "pub -t a -t b -m x",
        "pub -t a/# -m x",
        "pub -t a -m x -C 1",
        "pub -t a -m x -k 65536",
        "pub -t a -m x -V 311 -P secret",
        "pub -t a -m x --repeat 0",
        "pub -t a -m x --repeat-delay -1",
        "pub -t a -l --repeat 2",
        "pub -t a -m x -M 0",
    };
    refuse(cmd_pub, lines, ARRAY_LEN(lines));
}

TEST(pub_tells_that_a_file_is_missing)
{
    char room[512], *argv[ARGS_MAX + 1] = {0};
    int argc = split("pub -t a -f /no/such/file", room, argv);
    CHECK_EQ_INT(cmd_pub(argc, argv), EXIT_FINDING);
}

static void parse(struct mqtt_options *o, const char *args, char room[512])
{
    char *argv[ARGS_MAX + 1] = {0};
    bool done = true;
    int argc = split(args, room, argv);
    ASSERT(argv[0]);
    bool pub = strcmp(argv[0], "pub") == 0;
    CHECK_EQ_INT(
        mqtt_options_parse(o, pub ? MQTT_COMMAND_PUB : MQTT_COMMAND_SUB, argc, argv, &done),
        EXIT_OK);
    CHECK(!done);
}

TEST(options_are_taken)
{
    struct mqtt_options o;
    char room[512];
    parse(&o,
          "sub -h ::1 -p 1884 -t a/# --topic=b -q1 -vR -C 3 -W 2.5 -c -i me -u u -P p -k 5 -V 311 "
          "-T c -T d/+ -U e",
          room);
    CHECK_EQ_STR(o.host, "::1");
    CHECK_EQ_INT(o.port, 1884);
    CHECK_EQ_UINT(o.topics.n, 2);
    CHECK(str_eq(o.topics.list[0], STR("a/#")) && str_eq(o.topics.list[1], STR("b")));
    CHECK_EQ_UINT(o.filter_out.n, 2);
    CHECK_EQ_UINT(o.unsubscribe_from.n, 1);
    CHECK(o.qos == 1 && o.verbose && o.no_retained && o.persistent && o.keep_alive_s == 5);
    CHECK_EQ_INT(o.count, 3);
    CHECK_EQ_INT(o.timeout_ms, 2500);
    CHECK_EQ_STR(o.id, "me");
    CHECK_EQ_STR(o.user, "u");
    CHECK_EQ_STR(o.password, "p");
    CHECK_EQ_INT(o.version, MQTT_V311);
    mqtt_options_fini(&o);
}

TEST(options_of_pub_are_taken)
{
    struct mqtt_options o;
    char room[512], id[32];
    parse(&o,
          "pub -t a -m x -I pre- --repeat 3 --repeat-delay 0.25 -M 7 -x -1 --will-topic w "
          "--will-qos 2 --will-retain --cafile ca.pem --qos 2 -r",
          room);
    (void)snprintf(id, sizeof(id), "pre-%d", (int)getpid());
    CHECK_EQ_STR(o.id, id);
    CHECK(o.tls && o.retain && o.will_retain && o.will_qos == 2 && o.qos == 2);
    CHECK_EQ_INT(o.repeat, 3);
    CHECK_EQ_INT(o.repeat_delay_ms, 250);
    CHECK_EQ_INT(o.inflight_max, 7);
    CHECK_EQ_UINT(o.expiry_s, UINT32_MAX);
    mqtt_options_fini(&o);
}

TEST(urls_are_taken_apart)
{
    static const struct {
        const char *args, *host, *user, *password, *topic;
        int64_t port;
        bool tls, ws;
    } rows[] = {
        {"sub -L mqtt://h/a/b", "h", NULL, NULL, "a/b", 0, false, false},
        {"sub -L mqtts://u:p@h:99/#", "h", "u", "p", "#", 99, true, false},
        {"sub -L ws://u@[::1]:8/a//", "::1", "u", NULL, "a//", 8, false, true},
        {"sub -L wss://u%40x:p%3a%2F@h/%23", "h", "u@x", "p:/", "#", 0, true, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mqtt_options o;
        char room[512];
        LABEL("%s", rows[i].args);
        parse(&o, rows[i].args, room);
        CHECK_EQ_STR(o.host, rows[i].host);
        CHECK_EQ_STR(o.user, rows[i].user);
        CHECK_EQ_STR(o.password, rows[i].password);
        CHECK(o.topics.n == 1 && str_eq(o.topics.list[0], str_from(rows[i].topic)));
        CHECK_EQ_INT(o.port, rows[i].port);
        CHECK(o.tls == rows[i].tls && o.ws == rows[i].ws);
        mqtt_options_fini(&o);
    }
}

TEST(properties_go_to_their_packets)
{
    struct mqtt_options o;
    char room[512];
    parse(&o,
          "pub -t a -m x -D publish content-type text -D PUBLISH user-property k v -D publish "
          "user-property k w -D connect receive-maximum 9 -D will will-delay-interval 5",
          room);
    struct mqtt_props publish = mqtt_packet_props(&o.publish);
    struct cursor at = cursor_from(publish.raw.p, publish.raw.n);
    struct mqtt_prop p = {0};
    CHECK_EQ_UINT(publish.has, MQTT_HAS(MQTT_PROP_CONTENT_TYPE));
    CHECK(str_eq(publish.content_type, STR("text")));
    CHECK(mqtt_prop_next(&at, &p) && str_eq(p.value, STR("v")));
    CHECK(mqtt_prop_next(&at, &p) && str_eq(p.value, STR("w")));
    CHECK(!mqtt_prop_next(&at, &p));
    CHECK_EQ_UINT(o.connect.props.receive_max, 9);
    CHECK_EQ_UINT(o.will.props.will_delay_s, 5);
    mqtt_options_fini(&o);
}
