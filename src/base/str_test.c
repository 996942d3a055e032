#include "base/str.h"
#include "base/utf8.h"
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

TEST(str_compares)
{
    static const struct {
        struct str a, b;
        int cmp;
        bool starts, ends;
    } rows[] = {
        {{NULL, 0}, {"", 0}, 0, true, true},       {{"abc", 3}, {"abc", 3}, 0, true, true},
        {{"abc", 3}, {"ab", 2}, 1, true, false},   {{"abc", 3}, {"bc", 2}, -1, false, true},
        {{"ab", 2}, {"abc", 3}, -1, false, false}, {{"\xFF", 1}, {"a", 1}, 1, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("row %zu", i);
        int cmp = str_cmp(rows[i].a, rows[i].b);
        CHECK_EQ_INT((cmp > 0) - (cmp < 0), rows[i].cmp);
        CHECK_EQ_INT(str_eq(rows[i].a, rows[i].b), rows[i].cmp == 0);
        CHECK_EQ_INT(str_starts(rows[i].a, rows[i].b), rows[i].starts);
        CHECK_EQ_INT(str_ends(rows[i].a, rows[i].b), rows[i].ends);
    }
    CHECK_EQ_UINT(str_from(NULL).n, 0);
    CHECK(str_eq(str_from("x"), STR("x")));
}

TEST(str_is_the_same_but_for_case)
{
    CHECK(str_same(STR("kWh/L-09"), STR("KWH/l-09")));
    CHECK(str_same(STR(""), (struct str){0}));
    CHECK(!str_same(STR("ab"), STR("abc")));
    CHECK(!str_same(STR("[@"), STR("{`")));             /* a bit apart, and no letters */
    CHECK(!str_same(STR("\xc3\x84"), STR("\xc3\xa4"))); /* Ä, ä */
}

TEST(str_cuts)
{
    CHECK(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")));
    CHECK(str_eq(str_trim(STR(" \n ")), STR("")));
    CHECK(str_eq(str_sub(STR("abcd"), 1, 2), STR("bc")));
    CHECK(str_eq(str_sub(STR("abcd"), 3, SIZE_MAX), STR("d")));
    CHECK(str_eq(str_sub(STR("abcd"), 9, 1), STR("")));
    size_t at = 9;
    CHECK(str_find(STR("a/b/c"), '/', &at));
    CHECK_EQ_UINT(at, 1);
    CHECK(!str_find(STR("abc"), '/', &at));
    CHECK(!str_find((struct str){0}, '/', NULL));
    char *dup = str_dup(alloc_system(), STR("dup"));
    CHECK_EQ_STR(dup, "dup");
    mem_free(alloc_system(), dup, 4);
}

TEST(str_splits)
{
    static const struct {
        const char *text, *parts;
    } rows[] = {
        {"a/b/c", "[a][b][c]"}, {"a", "[a]"}, {"", "[]"}, {"/", "[][]"}, {"a//b/", "[a][][b][]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        struct str rest = str_from(rows[i].text), part;
        while (str_split(&rest, '/', &part))
            strbuf_addf(&b, "[%.*s]", STR_FMT(part));
        CHECK_EQ_STR(b.p, rows[i].parts);
        strbuf_fini(&b);
    }
}

TEST(strbuf_grows_and_keeps_its_nul)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    CHECK_EQ_STR(b.p, "");
    strbuf_adds(&b, "one");
    strbuf_addc(&b, ' ');
    strbuf_addstr(&b, STR("two"));
    strbuf_addf(&b, " %0*d", 200, 3);
    CHECK_EQ_UINT(strlen(b.p), b.n);
    CHECK_EQ_UINT(b.n, 208);
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&b, "%d,", i);
    CHECK_EQ_UINT(strlen(b.p), b.n);
    CHECK(str_ends(strbuf_str(&b), STR("998,999,")));
    strbuf_reset(&b);
    CHECK_EQ_STR(b.p, "");
    strbuf_fini(&b);
    CHECK_EQ_STR(b.p, "");
    struct strbuf zero = {0};
    strbuf_fini(&zero);
}

TEST(strbuf_limit_is_exact)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 5);
    strbuf_adds(&b, "123");
    strbuf_addf(&b, "%d", 45);
    CHECK(!b.failed);
    strbuf_addf(&b, "%d", 6);
    CHECK(b.failed);
    CHECK_EQ_STR(b.p, "12345");
    strbuf_reset(&b);
    CHECK(!b.failed);
    strbuf_adds(&b, "123456");
    CHECK(b.failed);
    strbuf_addc(&b, 'x'); /* once failed, always failed */
    CHECK_EQ_STR(b.p, "");
    strbuf_fini(&b);
}

TEST(strbuf_gives_all_back_under_faults)
{
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty f;
        struct strbuf b;
        alloc_faulty_init(&f, fail_at);
        strbuf_init(&b, &f.alloc, 0);
        for (int i = 0; i < 300; i++) {
            strbuf_addf(&b, "%d", i);
            strbuf_add_json(&b, STR("\x01\xFFz"));
        }
        CHECK_EQ_INT(b.failed, f.failed);
        CHECK_EQ_UINT(strlen(b.p), b.n);
        strbuf_fini(&b);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

TEST(strbuf_json_text)
{
    static const struct {
        const char *label;
        struct str in;
        const char *out;
    } rows[] = {
        {"empty", {"", 0}, "\"\""},
        {"null", {NULL, 0}, "\"\""},
        {"plain", {"a/b", 3}, "\"a/b\""},
        {"escapes", {"\"\\\n\r\t\x01", 6}, "\"\\\"\\\\\\n\\r\\t\\u0001\""},
        {"nul", {"a\0b", 3}, "\"a\\u0000b\""},
        {"utf8", {"°€😀", 9}, "\"°€😀\""},
        {"replacement itself", {"\xEF\xBF\xBD", 3}, "\"\xEF\xBF\xBD\""},
        {"damaged", {"a\xC3", 2}, "\"a\xEF\xBF\xBD\""},
        {"surrogate", {"\xED\xA0\x80.", 4}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD.\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_add_json(&b, rows[i].in);
        CHECK_EQ_STR(b.p, rows[i].out);
        strbuf_fini(&b);
    }
}

TEST(utf8_tells_valid_from_damaged)
{
    static const struct {
        const char *label;
        struct str s;
        bool valid, nonul;
        size_t width;
    } rows[] = {
        {"empty", {"", 0}, true, true, 0},
        {"ascii", {"hello, world", 12}, true, true, 12},
        {"nul", {"a\0b", 3}, true, false, 2},
        {"two bytes", {"°", 2}, true, true, 1},
        {"last of two", {"\xDF\xBF", 2}, true, true, 1},
        {"overlong two", {"\xC0\xAF", 2}, false, false, 2},
        {"overlong two, upper", {"\xC1\xBF", 2}, false, false, 2},
        {"three bytes", {"€", 3}, true, true, 1},
        {"overlong three", {"\xE0\x9F\xBF", 3}, false, false, 3},
        {"before surrogates", {"\xED\x9F\xBF", 3}, true, true, 1},
        {"first surrogate", {"\xED\xA0\x80", 3}, false, false, 3},
        {"last surrogate", {"\xED\xBF\xBF", 3}, false, false, 3},
        {"four bytes", {"😀", 4}, true, true, 2},
        {"overlong four", {"\xF0\x8F\xBF\xBF", 4}, false, false, 4},
        {"last of all", {"\xF4\x8F\xBF\xBF", 4}, true, true, 1},
        {"above the last", {"\xF4\x90\x80\x80", 4}, false, false, 4},
        {"F5", {"\xF5\x80\x80\x80", 4}, false, false, 4},
        {"cut after one", {"abcdefgh\xE2", 9}, false, false, 9},
        {"cut after two", {"\xE2\x82", 2}, false, false, 2},
        {"lone continuation", {"\x80", 1}, false, false, 1},
        {"wide", {"温度", 6}, true, true, 4},
        {"combining", {"e\xCC\x81", 3}, true, true, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_EQ_INT(utf8_valid(rows[i].s), rows[i].valid);
        CHECK_EQ_INT(utf8_valid_nonul(rows[i].s), rows[i].nonul);
        CHECK_EQ_UINT(utf8_width(rows[i].s), rows[i].width);
    }
}

TEST(utf8_next_walks_every_character)
{
    /* Every code point, encoded by hand, is read back; every surrogate is refused. */
    for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 7) {
        char b[4];
        size_t n = 0;
        if (c < 0x80) {
            b[n++] = (char)c;
        } else if (c < 0x800) {
            b[n++] = (char)(0xC0 | c >> 6);
            b[n++] = (char)(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            b[n++] = (char)(0xE0 | c >> 12);
            b[n++] = (char)(0x80 | (c >> 6 & 0x3F));
            b[n++] = (char)(0x80 | (c & 0x3F));
        } else {
            b[n++] = (char)(0xF0 | c >> 18);
            b[n++] = (char)(0x80 | (c >> 12 & 0x3F));
            b[n++] = (char)(0x80 | (c >> 6 & 0x3F));
            b[n++] = (char)(0x80 | (c & 0x3F));
        }
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        size_t at = 0;
        uint32_t got = utf8_next((struct str){b, n}, &at);
        REQUIRE(got == (surrogate ? 0xFFFD : c));
        REQUIRE(at == (surrogate ? 1 : n));
        REQUIRE(utf8_valid((struct str){b, n}) == !surrogate);
    }
}
