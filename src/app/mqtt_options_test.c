#include "app/mqtt_options.h"

#include "app/cmd.h"
#include "tests/support/test.h"

#include <string.h>

#define ARGS_MAX 16

/* Splits at blanks; argv[0] is the command. */
static int split(char *text, char **argv)
{
    int argc = 0;
    char *rest = NULL;
    for (char *at = strtok_r(text, " ", &rest); at && argc < ARGS_MAX;
         at = strtok_r(NULL, " ", &rest))
        argv[argc++] = at;
    return argc;
}

TEST(pub_and_sub_refuse_wrong_usage)
{
    static const struct {
        const char *args;
        int (*run)(int argc, char **argv);
    } rows[] = {
        {"sub", cmd_sub},
        {"sub -t", cmd_sub},
        {"sub -t a -q 3", cmd_sub},
        {"sub -t a -q x", cmd_sub},
        {"sub -t a -p 0", cmd_sub},
        {"sub -t a -p 65536", cmd_sub},
        {"sub -t a -V 4", cmd_sub},
        {"sub -t a -C 0", cmd_sub},
        {"sub -t a -W -1", cmd_sub},
        {"sub -t a -c", cmd_sub},
        {"sub -t a extra", cmd_sub},
        {"sub -t a -m x", cmd_sub},
        {"sub -t a#", cmd_sub},
        {"pub -t a", cmd_pub},
        {"pub -m x", cmd_pub},
        {"pub -t a -m x -n", cmd_pub},
        {"pub -t a -t b -m x", cmd_pub},
        {"pub -t a/# -m x", cmd_pub},
        {"pub -t a -m x -C 1", cmd_pub},
        {"pub -t a -m x -k 65536", cmd_pub},
        {"pub -t a -m x -V 311 -P secret", cmd_pub},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128], *argv[ARGS_MAX + 1] = {0};
        LABEL("%s", rows[i].args);
        REQUIRE(strlen(rows[i].args) < sizeof(text));
        memcpy(text, rows[i].args, strlen(rows[i].args) + 1);
        CHECK_EQ_INT(rows[i].run(split(text, argv), argv), EXIT_USAGE);
    }
}

TEST(options_are_taken)
{
    char text[] = "sub -h ::1 -p 1884 -t a/# -t b -q 1 -v -C 3 -W 2 -c -i me -u u -P p -k 5 -V 311";
    char *argv[32] = {0};
    int argc = 0;
    char *rest = NULL;
    for (char *at = strtok_r(text, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        argv[argc++] = at;
    struct mqtt_options o;
    bool done = true;
    CHECK_EQ_INT(mqtt_options_parse(&o, argc, argv, "h:p:t:q:vC:W:ci:u:P:k:V:", "", &done),
                 EXIT_OK);
    CHECK(!done);
    CHECK_EQ_STR(o.host, "::1");
    CHECK_EQ_STR(o.port, "1884");
    CHECK_EQ_UINT(o.topics_n, 2);
    CHECK(str_eq(o.topics[0], STR("a/#")) && str_eq(o.topics[1], STR("b")));
    CHECK(o.qos == 1 && o.verbose && o.persistent && !o.retain && o.keep_alive_s == 5);
    CHECK_EQ_INT(o.count, 3);
    CHECK_EQ_INT(o.timeout_ms, 2000);
    CHECK_EQ_STR(o.id, "me");
    CHECK_EQ_STR(o.user, "u");
    CHECK_EQ_STR(o.password, "p");
    CHECK_EQ_INT(o.version, MQTT_V311);
}
