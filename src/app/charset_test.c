#include "app/charset.h"
#include "tests/support/test.h"

#include <string.h>

static const char *lc_all, *lc_ctype, *lang;
static char *said(const char *name)
{
    const char *v = strcmp(name, "LC_ALL") == 0     ? lc_all
                    : strcmp(name, "LC_CTYPE") == 0 ? lc_ctype
                    : strcmp(name, "LANG") == 0     ? lang
                                                    : NULL;
    return (char *)(uintptr_t)v;
}

TEST(only_who_says_another_character_set_gets_one)
{
    static const struct {
        const char *all, *ctype, *lang;
        bool other;
    } rows[] = {
        {NULL, NULL, NULL, false}, /* a container, a service */
        {"", "", "", false},
        {"C", NULL, NULL, true},
        {"POSIX", NULL, "C.UTF-8", true},
        {"C.UTF-8", NULL, "C", false},
        {"", NULL, "C", true},
        {NULL, "C.UTF-8", "C", false},
        {NULL, NULL, "C.UTF-8", false},
        {NULL, NULL, "nowhere_XX.KOI8", false}, /* not installed: nothing is known of it */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%zu", i);
        lc_all = rows[i].all;
        lc_ctype = rows[i].ctype;
        lang = rows[i].lang;
        CHECK_EQ_INT(charset_is_other(said), rows[i].other);
    }
}

TEST(what_is_shown_is_spelled_in_ascii)
{
    static const struct {
        const char *text, *ascii;
        size_t rest;
    } rows[] = {
        {"21 °C → 23 °C…\n", "21 degC -> 23 degC...\n", 0},
        {"5 µs, 3 m³/h, 4 Ω", "5 us, 3 m3/h, 4 Ohm", 0},
        {"Halle 3, Öfen", "Halle 3, Oefen", 0},
        {"温度 21", "?? 21", 0},
        {"caf\xe9 x", "caf? x", 0}, /* no UTF-8 */
        {"21 \xc2", "21 ", 1},      /* its other half comes with the next write */
        {"\xe2\x80", "", 2},
        {"", "", 0},
    };
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        strbuf_reset(&b);
        CHECK_EQ_UINT(charset_spell(&b, str_from(rows[i].text)), rows[i].rest);
        CHECK(str_eq(strbuf_str(&b), str_from(rows[i].ascii)));
    }
    strbuf_fini(&b);
}
