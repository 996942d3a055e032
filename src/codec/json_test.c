#include "codec/json.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tests/support/test.h"

static struct bytes doc_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* All events of a document on one line; "!" and the place at an error. */
static void events_of(struct bytes doc, struct strbuf *b)
{
    static const char *const marks[] = {".", "!", "{", "}", "[", "]", "k:", "s:", "", "", "", ""};
    struct json_reader r;
    struct json_token t;
    json_init(&r, doc);
    strbuf_reset(b);
    for (;;) {
        enum json_kind kind = json_next(&r, &t);
        CHECK_EQ_INT(kind, t.kind);
        strbuf_adds(b, marks[kind]);
        if (kind == JSON_END)
            return;
        if (kind == JSON_ERROR) {
            strbuf_addf(b, "%zu", r.why_at);
            CHECK(r.why != NULL && r.why[0] != '\0');
            CHECK_EQ_INT(json_next(&r, &t), JSON_ERROR);
            return;
        }
        if (kind >= JSON_KEY)
            strbuf_addf(b, "%s%.*s ", t.escaped ? "\\" : "", STR_FMT(t.raw));
    }
}

struct told {
    const char *doc, *events;
};

static void tell(const struct told *rows, size_t n)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].doc);
        events_of(doc_of(rows[i].doc), &b);
        CHECK_EQ_STR(b.p, rows[i].events);
    }
    strbuf_fini(&b);
}

TEST(json_reader_events)
{
    static const struct told rows[] = {
        {"{}", "{}."},
        {"[]", "[]."},
        {" [ ] ", "[]."},
        {"1", "1 ."},
        {"\"\"", "s: ."},
        {"true", "true ."},
        {"[false,null]", "[false null ]."},
        {"{\"temperature\": 23.5}", "{k:temperature 23.5 }."},
        {"{\"ts\":1,\"values\":{\"a\":-0.5e-3,\"b\":\"x\"}}",
         "{k:ts 1 k:values {k:a -0.5e-3 k:b s:x }}."},
        {"[[],{},[{}]]", "[[]{}[{}]]."},
        {"\"a\\n\\u00e9\"", "s:\\a\\n\\u00e9 ."},
        {"\"°€😀\"", "s:°€😀 ."},
        {"\t\r\n 0", "0 ."},
    };
    tell(rows, ARRAY_LEN(rows));
}

/* What is not JSON, and where. */
TEST(json_reader_refuses)
{
    static const struct told rows[] = {
        {"", "!0"},
        {"  ", "!2"},
        {"{", "{!1"},
        {"[", "[!1"},
        {"[1", "[1 !2"},
        {"[1,", "[1 !3"},
        {"[1,]", "[1 !3"},
        {"[,1]", "[!1"},
        {"[1 2]", "[1 !3"},
        {"[1}", "[1 !2"},
        {"{\"a\"}", "{!4"},
        {"{\"a\":}", "{k:a !5"},
        {"{\"a\":1,}", "{k:a 1 !7"},
        {"{\"a\":1]", "{k:a 1 !6"},
        {"{\"a\" 1}", "{!5"},
        {"{a:1}", "{!1"},
        {"{1:1}", "{!1"},
        {"{,}", "{!1"},
        {"{\"a\":1 \"b\":2}", "{k:a 1 !7"},
        {"]", "!0"},
        {"1 2", "1 !2"},
        {"{}}", "{}!2"},
    };
    tell(rows, ARRAY_LEN(rows));
}

TEST(json_reader_refuses_numbers_and_texts)
{
    static const struct told rows[] = {
        {"01", "!0"},
        {"-01", "!1"},
        {"-", "!1"},
        {"+1", "!0"},
        {".5", "!0"},
        {"5.", "!2"},
        {"5.e1", "!2"},
        {"1e", "!2"},
        {"1e+", "!3"},
        {"1ee1", "!2"},
        {"-x", "!1"},
        {"0x1", "0 !1"},
        {"NaN", "!0"},
        {"nul", "!3"},
        {"nulL", "!3"},
        {"tru e", "!3"},
        {"True", "!0"},
        {"'a'", "!0"},
        {"\"a", "!2"},
        {"\"a\nb\"", "!2"},
        {"\"a\tb\"", "!2"},
        {"\"\\x\"", "!1"},
        {"\"\\u12\"", "!1"},
        {"\"\\u12g4\"", "!1"},
        {"\"\\", "!1"},
        {"\"\xFF\"", "!1"},
        {"\"\xC0\x80\"", "!1"},
        {"\"\xED\xA0\x80\"", "!1"},
        {"\xEF\xBB\xBF{}", "!0"},
        {"[1,//x\n2]", "[1 !3"},
    };
    tell(rows, ARRAY_LEN(rows));
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    events_of((struct bytes){(const uint8_t *)"\"a\0\"", 4}, &b);
    CHECK_EQ_STR(b.p, "!2");
    events_of((struct bytes){(const uint8_t *)"1\0", 2}, &b);
    CHECK_EQ_STR(b.p, "1 !1");
    strbuf_fini(&b);
}

TEST(json_reader_why)
{
    static const struct {
        const char *doc, *why;
    } rows[] = {
        {"[1 2]", "a comma is missing"},
        {"[1", "the text ends too early"},
        {"{\"a\" 1}", "a colon is missing behind the key"},
        {"{a:1}", "a key in quotes is missing"},
        {"[1,]", "a value is missing"},
        {"{} x", "text behind the end of the document"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_reader r;
        struct json_token t;
        json_init(&r, doc_of(rows[i].doc));
        while (json_next(&r, &t) > JSON_ERROR)
            ;
        CHECK_EQ_STR(r.why, rows[i].why);
    }
}

TEST(json_reader_depth)
{
    char doc[2 * JSON_DEPTH_MAX + 4];
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    memset(doc, '[', JSON_DEPTH_MAX);
    memset(doc + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    events_of((struct bytes){(uint8_t *)doc, 2 * JSON_DEPTH_MAX}, &b);
    CHECK_EQ_UINT(b.n, 2 * JSON_DEPTH_MAX + 1);
    CHECK(str_ends(strbuf_str(&b), STR("]].")));
    memset(doc, '[', JSON_DEPTH_MAX + 1);
    memset(doc + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    events_of((struct bytes){(uint8_t *)doc, 2 * JSON_DEPTH_MAX + 2}, &b);
    CHECK(str_ends(strbuf_str(&b), STR("[!32")));
    strbuf_fini(&b);
}

/* Strings of every length around the eight bytes that are looked at at once. */
TEST(json_reader_finds_the_quote_everywhere)
{
    char doc[64];
    static const char special[] = {'"', '\\', '\n', '\x1F', '\x7F', ' ', '!', '#', '[', ']'};
    for (size_t n = 0; n < 40; n++)
        for (size_t s = 0; s < sizeof(special); s++) {
            LABEL("%zu bytes, then %02x", n, special[s]);
            memset(doc, 'x', sizeof(doc));
            doc[0] = '"';
            doc[1 + n] = special[s];
            memcpy(doc + 2 + n, "n012345\"", 8);
            struct json_reader r;
            struct json_token t;
            json_init(&r, (struct bytes){(uint8_t *)doc, n + 10});
            bool bad = special[s] == '\n' || special[s] == '\x1F';
            CHECK_EQ_INT(json_next(&r, &t), bad ? JSON_ERROR : JSON_STRING);
            if (bad)
                CHECK_EQ_UINT(r.why_at, n + 1);
            else
                CHECK_EQ_UINT(t.raw.n, special[s] == '"' ? n : n + 8);
            CHECK_EQ_INT(t.escaped, special[s] == '\\');
        }
}

TEST(json_unescapes)
{
    static const struct {
        const char *raw, *text;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"a\\u0041b", "aAb"},
        {"\\u00e9\\u00B0", "é°"},
        {"\\u20ac", "€"},
        {"\\ud83d\\ude00!", "😀!"},
        {"\\uDBFF\\uDFFF", "\xF4\x8F\xBF\xBF"},
        {"\\ud83d", "\xEF\xBF\xBD"},
        {"\\ud83dx", "\xEF\xBF\xBDx"},
        {"\\ud83d\\u0041", "\xEF\xBF\xBD"
                           "A"},
        {"\\ude00\\ud83d", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\\ud83d\\ud83d\\ude00", "\xEF\xBF\xBD😀"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].raw);
        char buf[64];
        struct str raw = str_from(rows[i].raw), want = str_from(rows[i].text), got;
        for (size_t cap = 0; cap < want.n; cap++)
            CHECK_EQ_INT(json_unescape(raw, buf, cap, &got), ERR_RANGE);
        REQUIRE(json_unescape(raw, buf, want.n, &got) == ERR_OK);
        CHECK(str_eq(got, want));
        CHECK(utf8_valid(got));
        struct json_token t = {JSON_STRING, true, raw};
        CHECK(json_text_is(&t, want));
        CHECK(!json_text_is(&t, STR("something else")));
        CHECK_EQ_INT(json_text_is(&t, str_sub(want, 0, want.n - (want.n > 0))), want.n == 0);
        char longer[66];
        memcpy(longer, want.p, want.n);
        longer[want.n] = 'x';
        CHECK(!json_text_is(&t, (struct str){longer, want.n + 1}));
    }
    char buf[4];
    struct str got;
    CHECK_EQ_INT(json_unescape(STR("\\u0000"), buf, 4, &got), ERR_OK);
    CHECK_EQ_UINT(got.n, 1);
}

TEST(json_numbers)
{
    static const struct {
        const char *raw;
        enum err d_err;
        double d;
        enum err i_err;
        int64_t i;
    } rows[] = {
        {"0", ERR_OK, 0, ERR_OK, 0},
        {"-0", ERR_OK, 0, ERR_OK, 0},
        {"23.5", ERR_OK, 23.5, ERR_RANGE, 0},
        {"1e3", ERR_OK, 1000, ERR_OK, 1000},
        {"2.0", ERR_OK, 2, ERR_OK, 2},
        {"-1200e-2", ERR_OK, -12, ERR_OK, -12},
        {"0.00", ERR_OK, 0, ERR_OK, 0},
        {"0.5e1", ERR_OK, 5, ERR_OK, 5},
        {"102030", ERR_OK, 102030, ERR_OK, 102030},
        {"10.0001e+4", ERR_OK, 100001, ERR_OK, 100001},
        {"9007199254740993", ERR_OK, 9007199254740992.0, ERR_OK, 9007199254740993},
        {"9223372036854775807", ERR_OK, 0x1p63, ERR_OK, INT64_MAX},
        {"9223372036854775808", ERR_OK, 0x1p63, ERR_RANGE, 0},
        {"-9223372036854775808", ERR_OK, -0x1p63, ERR_OK, INT64_MIN},
        {"-9223372036854775809", ERR_OK, -0x1p63, ERR_RANGE, 0},
        {"2.00000000000000000000000000001", ERR_OK, 2, ERR_RANGE, 0},
        {"1e18", ERR_OK, 1e18, ERR_OK, 1000000000000000000},
        {"1e19", ERR_OK, 1e19, ERR_RANGE, 0},
        {"1e-400", ERR_OK, 0, ERR_RANGE, 0},
        {"0e99999999999999999999", ERR_OK, 0, ERR_OK, 0},
        {"0E+9223372036854775807", ERR_OK, 0, ERR_OK, 0},
        {"10E+9223372036854775807", ERR_RANGE, 0, ERR_RANGE, 0},
        {"10E-9223372036854775808", ERR_OK, 0, ERR_RANGE, 0},
        {"1e-99999999999999999999", ERR_OK, 0, ERR_RANGE, 0},
        {"1e400", ERR_RANGE, 0, ERR_RANGE, 0},
        {"01", ERR_SYNTAX, 0, ERR_SYNTAX, 0},
        {"-01", ERR_SYNTAX, 0, ERR_SYNTAX, 0},
        {"", ERR_SYNTAX, 0, ERR_SYNTAX, 0},
        {"x", ERR_SYNTAX, 0, ERR_SYNTAX, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].raw);
        double d = 0;
        int64_t v = 0;
        CHECK_EQ_INT(json_number(str_from(rows[i].raw), &d), rows[i].d_err);
        CHECK(d == rows[i].d);
        CHECK_EQ_INT(json_integer(str_from(rows[i].raw), &v), rows[i].i_err);
        CHECK_EQ_INT(v, rows[i].i);
    }
}

TEST(json_skips_whole_values)
{
    static const struct {
        const char *doc, *skipped;
    } rows[] = {
        {"{\"a\":{\"b\":[1,{\"a\":2}]} ,\"z\":1}", "{\"b\":[1,{\"a\":2}]}"},
        {"{\"a\" : [ ],\"z\":1}", "[ ]"},
        {"{\"a\":\"x\\\"y\",\"z\":1}", "\"x\\\"y\""},
        {"{\"a\":\"\",\"z\":1}", "\"\""},
        {"{\"a\":-1.5 ,\"z\":1}", "-1.5"},
        {"{\"a\":null,\"z\":1}", "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].doc);
        struct json_reader r;
        struct json_token t;
        struct str raw;
        json_init(&r, doc_of(rows[i].doc));
        CHECK_EQ_INT(json_next(&r, &t), JSON_OBJECT);
        CHECK_EQ_INT(json_next(&r, &t), JSON_KEY);
        CHECK_EQ_INT(json_skip(&r, &t, &raw), ERR_OK);
        CHECK(str_eq(raw, str_from(rows[i].skipped)));
        CHECK_EQ_INT(json_next(&r, &t), JSON_KEY);
        CHECK(json_text_is(&t, STR("z")));
        CHECK_EQ_INT(json_skip(&r, &t, NULL), ERR_OK);
        CHECK_EQ_INT(json_next(&r, &t), JSON_OBJECT_END);
        CHECK_EQ_INT(json_next(&r, &t), JSON_END);
    }
    struct json_reader r;
    struct json_token t;
    json_init(&r, doc_of("[[1,2"));
    json_next(&r, &t);
    CHECK_EQ_INT(json_skip(&r, &t, NULL), ERR_SYNTAX);
    json_next(&r, &t);
    CHECK_EQ_INT(json_skip(&r, &t, NULL), ERR_SYNTAX);
    json_init(&r, doc_of("{\"a\":"));
    json_next(&r, &t);
    json_next(&r, &t);
    CHECK_EQ_INT(json_skip(&r, &t, NULL), ERR_SYNTAX);
}

TEST(json_finds_members)
{
    static const struct {
        const char *doc;
        enum err err;
        const char *raw;
    } rows[] = {
        {"{\"id\":\"7\"}", ERR_OK, "\"7\""},
        {"{\"x\":{\"id\":1},\"\\u0069d\":[2]}", ERR_OK, "[2]"},
        {"{\"id\":1,\"id\":2}", ERR_OK, "2"},
        {"{\"x\":{\"id\":1}}", ERR_NOT_FOUND, ""},
        {"{}", ERR_NOT_FOUND, ""},
        {"[\"id\",1]", ERR_NOT_FOUND, ""},
        {"\"id\"", ERR_NOT_FOUND, ""},
        {"{\"id\":1", ERR_SYNTAX, ""},
        {"{\"id\":1} x", ERR_SYNTAX, ""},
        {"{\"id\":1,\"x\":[1,}", ERR_SYNTAX, ""},
        {"", ERR_SYNTAX, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].doc);
        struct str raw = STR("");
        struct json_token t;
        enum err err = json_find(doc_of(rows[i].doc), STR("id"), &t, &raw);
        CHECK_EQ_INT(err, rows[i].err);
        CHECK(err || str_eq(raw, str_from(rows[i].raw)));
        CHECK_EQ_INT(json_find(doc_of(rows[i].doc), STR("id"), NULL, NULL), err);
    }
}

static void note_element(void *ctx, struct str element)
{
    strbuf_addf(ctx, "%.*s|", STR_FMT(element));
}

TEST(json_shows_each_element)
{
    static const struct {
        const char *array, *shown;
        enum err err;
    } rows[] = {
        {"[]", "", ERR_OK},
        {" [1, \"a,]\", {\"b\": [2, 3]} ,[ ], null]", "1|\"a,]\"|{\"b\": [2, 3]}|[ ]|null|",
         ERR_OK},
        {"[1, 2", "1|2|", ERR_SYNTAX},
        {"[1, {\"a\": ]", "1|", ERR_SYNTAX},
        {"[1 2]", "1|", ERR_SYNTAX},
        {"{\"a\": [1]}", "", ERR_NOT_FOUND},
        {"1", "", ERR_NOT_FOUND},
        {"", "", ERR_SYNTAX},
    };
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].array);
        strbuf_reset(&b);
        CHECK_EQ_INT(json_each(str_from(rows[i].array), note_element, &b), rows[i].err);
        CHECK_EQ_STR(b.n ? b.p : "", rows[i].shown);
    }
    strbuf_fini(&b);
}

TEST(json_writer_writes)
{
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "a\"");
    json_int(&w, -5);
    json_key(&w, "list");
    json_array_begin(&w);
    json_double(&w, 61.25);
    json_bool(&w, true);
    json_bool(&w, false);
    json_null(&w);
    json_str(&w, STR("°\n"));
    json_str(&w, (struct str){0});
    json_cstr(&w, NULL);
    json_cstr(&w, "c");
    json_raw(&w, STR("{\"raw\":1}"));
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_key_str(&w, STR("z"));
    json_double(&w, 1.0 / 0.0);
    json_object_end(&w);
    CHECK_EQ_STR(b.p, "{\"a\\\"\":-5,\"list\":[61.25,true,false,null,\"°\\n\",null,null,\"c\","
                      "{\"raw\":1},[],{}],\"z\":null}");
    struct json_reader r;
    struct json_token t;
    json_init(&r, (struct bytes){(uint8_t *)b.p, b.n});
    while (json_next(&r, &t) > JSON_ERROR)
        ;
    CHECK_EQ_INT(t.kind, JSON_END);
    strbuf_fini(&b);
}

static void misuse(void *arg)
{
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    switch (*(int *)arg) {
    case 0: /* a value in an object without a key */
        json_object_begin(&w);
        json_int(&w, 1);
        break;
    case 1: /* a key in an array */
        json_array_begin(&w);
        json_key(&w, "a");
        break;
    case 2: /* the wrong end */
        json_array_begin(&w);
        json_object_end(&w);
        break;
    case 3: /* a key without a value */
        json_object_begin(&w);
        json_key(&w, "a");
        json_object_end(&w);
        break;
    case 4: /* two documents */
        json_int(&w, 1);
        json_int(&w, 1);
        break;
    default: /* too deep */
        for (int i = 0; i <= JSON_DEPTH_MAX; i++)
            json_array_begin(&w);
    }
}

TEST(json_writer_misuse_is_a_bug)
{
    for (int i = 0; i <= 5; i++) {
        LABEL("misuse %d", i);
        CHECK_ABORTS(misuse, &i);
    }
}

/* Any text written is read back as it was, however it is damaged on the way it is no crash. */
TEST(json_round_trips)
{
    struct random r;
    struct strbuf b;
    random_seed(&r, test_seed());
    strbuf_init(&b, alloc_system(), 0);
    for (int i = 0; i < 5000; i++) {
        char text[40], back[200];
        size_t n = (size_t)random_below(&r, sizeof(text));
        for (size_t k = 0; k < n; k++)
            text[k] = (char)random_below(&r, 0x80);
        strbuf_reset(&b);
        strbuf_add_json(&b, (struct str){text, n});
        struct json_reader reader;
        struct json_token t;
        struct str got;
        json_init(&reader, (struct bytes){(uint8_t *)b.p, b.n});
        REQUIRE(json_next(&reader, &t) == JSON_STRING);
        REQUIRE(json_unescape(t.raw, back, sizeof(back), &got) == ERR_OK);
        REQUIRE(str_eq(got, (struct str){text, n}));
        REQUIRE(json_next(&reader, &t) == JSON_END);
    }
    strbuf_fini(&b);
}
