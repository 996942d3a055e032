#include "codec/mqtt.h"
#include "tests/support/test.h"

#include <string.h>

TEST(mqtt_topic_valid)
{
    static const struct {
        const char *label;
        struct str topic;
        bool want;
    } rows[] = {
        {"empty", STR(""), false},
        {"one letter", STR("a"), true},
        {"blank", STR(" "), true},
        {"only a slash", STR("/"), true},
        {"empty levels", STR("//a//"), true},
        {"dollar", STR("$SYS/x"), true},
        {"plus", STR("a/+/b"), false},
        {"plus inside a level", STR("a+"), false},
        {"hash", STR("#"), false},
        {"U+0000", STR("a\0b"), false},
        {"U+0001 is allowed", STR("\x01"), true},
        {"umlaut", STR("\xC3\xA4"), true},
        {"U+FEFF is kept", STR("\xEF\xBB\xBF"), true},
        {"a surrogate", STR("\xED\xA0\x80"), false},
        {"overlong", STR("\xC0\xAF"), false},
        {"a lone continuation", STR("\x80"), false},
        {"cut at the end", STR("a\xF0\x9F\x98"), false},
        {"umlaut, then a wildcard", STR("\xC3\xA4/#"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(mqtt_topic_valid(rows[i].topic), rows[i].want);
    }
    static char longest[65536];
    memset(longest, 'x', sizeof(longest));
    LABEL("length");
    CHECK(mqtt_topic_valid((struct str){longest, 65535}));
    CHECK(!mqtt_topic_valid((struct str){longest, 65536}));
    CHECK(mqtt_filter_valid((struct str){longest, 65535}));
    CHECK(!mqtt_filter_valid((struct str){longest, 65536}));
}

/* Long topics are looked at eight bytes at a time: what is wrong is seen wherever it stands. */
TEST(mqtt_topic_valid_at_every_place)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool want;
    } rows[] = {{"+", 1, false},    {"#", 1, false},       {"\0", 1, false},
                {"\x80", 1, false}, {"\xC3\xA4", 2, true}, {"\x01", 1, true},
                {",", 1, true},     {"$", 1, true},        {"\x7F", 1, true}};
    for (size_t n = 1; n <= 26; n++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            for (size_t at = 0; at + rows[i].n <= n; at++) {
                char topic[26];
                memset(topic, 'x', sizeof(topic));
                memcpy(topic + at, rows[i].bytes, rows[i].n);
                LABEL("row %zu at %zu of %zu", i, at, n);
                CHECK_EQ_INT(mqtt_topic_valid((struct str){topic, n}), rows[i].want);
            }
        }
    }
}

TEST(mqtt_filter_valid)
{
    static const struct {
        const char *filter;
        bool want;
    } rows[] = {
        {"", false},
        {"a", true},
        {"/", true},
        {"#", true},
        {"+", true},
        {"+/+", true},
        {"/+", true},
        {"+/", true},
        {"a/#", true},
        {"/#", true},
        {"+/#", true},
        {"a/+/b", true},
        {"//", true},
        {"#/", false},
        {"a#", false},
        {"a/#/b", false},
        {"##", false},
        {"a/b#", false},
        {"a+", false},
        {"+a", false},
        {"a/+b/c", false},
        {"a/b+/c", false},
        {"++", false},
        {"+#", false},
        {"$SYS/#", true},
        {"$share", true},
        {"$share/", false},
        {"$share/g", false},
        {"$share/g/", false},
        {"$share//a", false},
        {"$share/g/a", true},
        {"$share/g/#", true},
        {"$share/g//", true},
        {"$share/+/a", false},
        {"$share/g#/a", false},
        {"$share/g/a#", false},
        {"$shared/g", true},
        {"\xC3\xA4/+", true},
        {"\xC3/+", false},
        {"\xED\xA0\x80", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].filter);
        CHECK_EQ_INT(mqtt_filter_valid(str_from(rows[i].filter)), rows[i].want);
    }
    LABEL("U+0000");
    CHECK(!mqtt_filter_valid(STR("a\0b")));
}

static const struct {
    const char *filter, *topic;
    bool want;
} matches[] = {
    {"a", "a", true},
    {"a", "b", false},
    {"a", "A", false},
    {"a", "ab", false},
    {"ab", "a", false},
    {"a/b", "a/b", true},
    {"a/b", "a", false},
    {"a", "a/b", false},
    {"a/", "a", false},
    {"a", "a/", false},
    {"a/", "a/", true},
    /* 4.7.1.2 */
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/tennis/player1/#", "sport/tennis/player10", false},
    {"sport/#", "sport", true},
    {"#", "a", true},
    {"#", "/", true},
    {"#", "a/b/c", true},
    {"/#", "a", false},
    {"/#", "/", true},
    {"/#", "/a/b", true},
    {"a/#", "a/", true},
    {"a/#", "b/a", false},
    {"a/#", "ab", false},
    {"+/#", "a", true},
    {"+/#", "/", true},
    {"a/+/#", "a", false},
    {"a/+/#", "a/b", true},
    /* 4.7.1.3 */
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+", "finance", true},
    {"+", "/finance", false},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"+/a/+", "x/a/y", true},
    {"+/a/+", "x/b/y", false},
    {"+/a", "/a", true},
    {"a/+/c", "a//c", true},
    {"a//c", "a//c", true},
    {"a//c", "a/c", false},
    {"//", "//", true},
    {"//", "/", false},
    {"+/+", "//", false},
    {"+/+/+", "//", true},
    /* 4.7.2: a leading wildcard and $ */
    {"#", "$SYS/uptime", false},
    {"+/uptime", "$SYS/uptime", false},
    {"+", "$SYS", false},
    {"$SYS/#", "$SYS/uptime", true},
    {"$SYS/#", "$SYS", true},
    {"$SYS/+", "$SYS/uptime", true},
    {"a/+", "a/$b", true},
    {"a/#", "a/$b", true},
    {"$SYS", "$SYS", true},
    /* not a topic or filter: no match */
    {"", "a", false},
    {"a", "", false},
    {"#", "", false},
};

TEST(mqtt_filter_match)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        LABEL("%s against %s", matches[i].filter, matches[i].topic);
        CHECK_EQ_INT(mqtt_filter_match(str_from(matches[i].filter), str_from(matches[i].topic)),
                     matches[i].want);
    }
}

TEST(mqtt_share_parse)
{
    struct str group = {0}, rest = {0};
    CHECK(mqtt_share_parse(STR("$share/g1/a/+"), &group, &rest));
    CHECK(str_eq(group, STR("g1")));
    CHECK(str_eq(rest, STR("a/+")));
    CHECK(mqtt_share_parse(STR("$share/g//a"), NULL, &rest));
    CHECK(str_eq(rest, STR("/a")));
    CHECK(mqtt_share_parse(STR("$share/g/a"), NULL, NULL));
    CHECK(!mqtt_share_parse(STR("$share"), &group, &rest));
    CHECK(!mqtt_share_parse(STR("$share/g"), &group, &rest));
    CHECK(!mqtt_share_parse(STR("a/$share/g/b"), &group, &rest));
}
