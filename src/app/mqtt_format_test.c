#include "app/mqtt_format.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

/* User properties, then a content type, in wire form. */
static const uint8_t raw[] = {38, 0, 1,   'k', 0, 1,   'v', 3, 0, 1, 't', 38,
                              0,  1, 'k', 0,   1, 'w', 2,   0, 0, 0, 7};

static struct mqtt_publish message(void)
{
    return (struct mqtt_publish){
        .topic = STR("a/b"),
        .payload = {(const uint8_t *)"{\"x\":1}", 7},
        .qos = 1,
        .id = 5,
        .props = {.has = MQTT_HAS(MQTT_PROP_CONTENT_TYPE) | MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY),
                  .content_type = STR("t"),
                  .message_expiry_s = 7,
                  .raw = {raw, sizeof(raw)}},
    };
}

static void check(const char *format, const struct mqtt_publish *m, const char *want, bool pretty)
{
    struct strbuf out;
    struct mqtt_shown s = {
        .m = m, .now = {.tv_sec = 1600000000, .tv_nsec = 1002003}, .pretty = pretty};
    strbuf_init(&out, alloc_system(), 0);
    LABEL("%s", format);
    CHECK_EQ_STR(mqtt_format_check(format), NULL);
    CHECK_EQ_INT(mqtt_format(&out, format, &s), ERR_OK);
    CHECK_EQ_STR(out.p, want);
    strbuf_fini(&out);
}

TEST(format_shows_each_part)
{
    static const struct {
        const char *format, *want;
    } rows[] = {
        {"plain", "plain"},
        {"%t %p", "a/b {\"x\":1}"},
        {"%q %r %m %l", "1 0 5 7"},
        {"%C|%E|%A|%F|%S|%D|%R", "t|7|||||"},
        {"%P", "k:v k:w"},
        {"%x %X", "7b2278223a317d 7B2278223A317D"},
        {"[%6t][%-6t][%.1t][%5.2t][%-5.2t]", "[   a/b][a/b   ][a][   a/][a/   ]"},
        {"[%3l][%03l][%-3l][%-03l]", "[  7][007][7  ][7  ]"},
        {"[%16x][%016x][%-16x]", "[  7b2278223a317d][007b2278223a317d][7b2278223a317d  ]"},
        {"%%@@\\\\", "%@\\"},
        {"\\a\\e\\n\\r\\t\\v", "\a\033\n\r\t\v"},
        {"%I", "2020-09-13T12:26:40+0000"},
        {"%U", "1600000000.001002003"},
        {"@Y-@m @N", "2020-09 001002003"},
        {"%j",
         "{\"tst\":\"2020-09-13T12:26:40.001002+0000\",\"topic\":\"a/b\",\"qos\":1,\"retain\":"
         "0,\"payloadlen\":7,\"mid\":5,\"properties\":{\"user-properties\":{\"k\":\"v\","
         "\"k\":\"w\"},\"content-type\":\"t\",\"message-expiry-interval\":7},\"payload\":"
         "\"{\\\"x\\\":1}\"}"},
        {"%J",
         "{\"tst\":\"2020-09-13T12:26:40.001002+0000\",\"topic\":\"a/b\",\"qos\":1,\"retain\":"
         "0,\"payloadlen\":7,\"mid\":5,\"properties\":{\"user-properties\":{\"k\":\"v\","
         "\"k\":\"w\"},\"content-type\":\"t\",\"message-expiry-interval\":7},\"payload\":"
         "{\"x\":1}}"},
    };
    struct mqtt_publish m = message();
    (void)setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(rows[i].format, &m, rows[i].want, false);
}

TEST(format_zero_byte_and_pretty_json)
{
    struct mqtt_publish bare = {.topic = STR("t"), .payload = {(const uint8_t *)"p", 1}};
    struct mqtt_shown s = {.m = &bare};
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    CHECK_EQ_INT(mqtt_format(&out, "a\\0b", &s), ERR_OK);
    CHECK(str_eq(strbuf_str(&out), STR("a\0b")));
    strbuf_fini(&out);
    (void)setenv("TZ", "UTC", 1);
    tzset();
    check("%j", &bare,
          "{\n\t\"tst\":\t\"2020-09-13T12:26:40.001002+0000\",\n\t\"topic\":\t\"t\",\n\t\"qos\":"
          "\t0,\n\t\"retain\":\t0,\n\t\"payloadlen\":\t1,\n\t\"payload\":\t\"p\"\n}",
          true);
}

TEST(format_refuses_what_is_no_json)
{
    struct mqtt_publish m = {.topic = STR("t"), .payload = {(const uint8_t *)"{", 1}};
    struct mqtt_shown s = {.m = &m};
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    CHECK_EQ_INT(mqtt_format(&out, "a%Jb", &s), ERR_SYNTAX);
    CHECK_EQ_STR(out.p, "ab");
    strbuf_fini(&out);
}

TEST(format_is_checked)
{
    static const char *const wrong[] = {"%",  "%z", "%5", "%-",  "%5.2",
                                        "a%", "@",  "\\", "\\q", "%\n"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        LABEL("%s", wrong[i]);
        CHECK(mqtt_format_check(wrong[i]) != NULL);
    }
}
