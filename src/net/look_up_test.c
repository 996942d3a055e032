#include "net/look_up.h"
#include "tests/support/test.h"

#include <string.h>

/* What the resolver answers without a network: forms of addresses that only it knows, and what can
 * be no name. */
TEST(hosts_have_addresses)
{
    static const struct {
        const char *label, *host;
        const char *want; /* NULL: none */
    } cases[] = {
        {"an address", "127.0.0.1", "127.0.0.1:1883"},
        {"in brackets", "[::1]", "[::1]:1883"},
        {"by the resolver", "127.1", "127.0.0.1:1883"},
        {"by the resolver, one number", "0x7f000002", "127.0.0.2:1883"},
        {"no name", "two..dots", NULL},
        {"nothing", "", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct addr found[4];
        struct error e = {0};
        char text[ADDR_TEXT_MAX];
        size_t n = 99;
        enum err err = addr_look_up(found, ARRAY_LEN(found), &n, str_from(cases[i].host), 1883, &e);
        if (!cases[i].want) {
            CHECK_EQ_INT(err, ERR_NOT_FOUND);
            CHECK_EQ_UINT(n, 0);
            CHECK_HAS_STR(e.text, "has no address");
        } else if (CHECK_EQ_INT(err, ERR_OK) && CHECK_EQ_UINT(n, 1)) {
            addr_format(&found[0], text);
            CHECK_EQ_STR(text, cases[i].want);
        }
    }
}

TEST(hosts_that_are_no_text)
{
    struct addr found[1];
    struct error e = {0};
    char longer[LOOK_UP_HOST_MAX + 1];
    size_t n = 99;
    memset(longer, 'a', sizeof(longer));
    CHECK_EQ_INT(addr_look_up(found, 1, &n, (struct str){longer, sizeof(longer)}, 1883, &e),
                 ERR_NOT_FOUND);
    CHECK_EQ_UINT(n, 0);
    CHECK_EQ_INT(addr_look_up(found, 1, &n, STR("127.1\0.evil"), 1883, &e), ERR_NOT_FOUND);
    CHECK_EQ_UINT(n, 0);
}
