#include "net/addr.h"
#include "tests/support/test.h"
#include <stdlib.h>
#include <string.h>

TEST(addresses_are_parsed_and_formatted)
{
    static const struct {
        const char *host;
        enum err want;
        const char *text;
        bool loopback;
    } cases[] = {
        {"127.0.0.1", ERR_OK, "127.0.0.1:1883", true},
        {"127.1.2.3", ERR_OK, "127.1.2.3:1883", true},
        {"localhost", ERR_OK, "127.0.0.1:1883", true},
        {"0.0.0.0", ERR_OK, "0.0.0.0:1883", false},
        {"192.168.7.1", ERR_OK, "192.168.7.1:1883", false},
        {"::1", ERR_OK, "[::1]:1883", true},
        {"[::1]", ERR_OK, "[::1]:1883", true},
        {"::", ERR_OK, "[::]:1883", false},
        {"2001:db8::7", ERR_OK, "[2001:db8::7]:1883", false},
        {"::ffff:127.0.0.1", ERR_OK, "[::ffff:127.0.0.1]:1883", true},
        {"::ffff:10.0.0.1", ERR_OK, "[::ffff:10.0.0.1]:1883", false},
        {"unix:/tmp/s", ERR_OK, "unix:/tmp/s", true},
        {"unix:", ERR_RANGE, NULL, false},
        {"", ERR_SYNTAX, NULL, false},
        {"[]", ERR_SYNTAX, NULL, false},
        {"[127.0.0.1]", ERR_SYNTAX, NULL, false},
        {"127.0.0", ERR_SYNTAX, NULL, false},
        {"127.0.0.256", ERR_SYNTAX, NULL, false},
        {"example.org", ERR_SYNTAX, NULL, false},
        {"1234567890123456789012345678901234567890123456789", ERR_SYNTAX, NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].host);
        struct addr a;
        char text[ADDR_TEXT_MAX];
        if (!CHECK_EQ_INT(addr_parse(&a, str_from(cases[i].host), 1883), cases[i].want) ||
            cases[i].want)
            continue;
        addr_format(&a, text);
        CHECK_EQ_STR(text, cases[i].text);
        CHECK_EQ_INT(addr_is_loopback(&a), cases[i].loopback);
        CHECK_EQ_UINT(addr_port(&a), a.sa.sa_family == AF_UNIX ? 0 : 1883);
    }
}

TEST(the_longest_path_still_fits)
{
    struct addr a;
    char host[200] = "unix:", text[ADDR_TEXT_MAX];
    memset(host + 5, 'x', 107);
    CHECK_EQ_INT(addr_parse(&a, str_from(host), 0), ERR_OK);
    addr_format(&a, text);
    CHECK_EQ_STR(text, host);
    host[5 + 107] = 'x';
    CHECK_EQ_INT(addr_parse(&a, str_from(host), 0), ERR_RANGE);
}

TEST(an_unknown_address_says_so)
{
    struct addr a = {0};
    char text[ADDR_TEXT_MAX];
    addr_format(&a, text);
    CHECK_EQ_STR(text, "unknown");
    CHECK(!addr_is_loopback(&a));
    CHECK_EQ_UINT(addr_port(&a), 0);
}

TEST(what_listens_everywhere_is_reached_on_loopback)
{
    static const struct {
        const char *host, *from_here;
        bool any;
    } rows[] = {
        {"0.0.0.0", "127.0.0.1:80", true},        {"::", "[::1]:80", true},
        {"192.168.1.7", "192.168.1.7:80", false}, {"127.0.0.2", "127.0.0.2:80", false},
        {"unix:/run/x", "unix:/run/x", false},
    };
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        LABEL("%s", rows[i].host);
        REQUIRE(addr_parse(&a, str_from(rows[i].host), 80) == ERR_OK);
        CHECK_EQ_INT(addr_is_any(&a), rows[i].any);
        a = addr_from_here(a);
        addr_format(&a, text);
        CHECK_EQ_STR(text, rows[i].from_here);
    }
    CHECK(!addr_is_any(&(struct addr){.len = 0}));
}
