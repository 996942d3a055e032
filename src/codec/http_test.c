#include "codec/http.h"

#include <string.h>

#include "tests/support/test.h"

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static enum http_result parse_all(struct bytes in, struct http_head *h)
{
    struct http_scan s;
    http_scan_init(&s);
    return http_parse(&s, in, h);
}

#define HOST "Host: a\r\n"

TEST(http_request_accepted)
{
    static const struct {
        const char *label, *text;
        enum http_method method;
        const char *path, *query, *host;
        bool keep, chunked, expect;
        uint64_t length;
    } rows[] = {
        {"plain", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", HTTP_GET, "/", "",
         "localhost:8080", true, false, false, 0},
        {"query", "GET /api/history?series=a.b&from=1 HTTP/1.1\r\n" HOST "\r\n", HTTP_GET,
         "/api/history", "series=a.b&from=1", "a", true, false, false, 0},
        {"close", "HEAD /x HTTP/1.1\r\n" HOST "Connection: foo, Close\r\n\r\n", HTTP_HEAD, "/x", "",
         "a", false, false, false, 0},
        {"1.0", "GET /x HTTP/1.0\r\n\r\n", HTTP_GET, "/x", "", "", false, false, false, 0},
        {"1.0 keep-alive", "GET /x HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", HTTP_GET, "/x", "",
         "", true, false, false, 0},
        {"length", "POST /x HTTP/1.1\r\n" HOST "content-length: 0012\r\n\r\n", HTTP_POST, "/x", "",
         "a", true, false, false, 12},
        {"chunked", "PUT /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", HTTP_PUT, "/x",
         "", "a", true, true, false, 0},
        {"expect", "POST /x HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n",
         HTTP_POST, "/x", "", "a", true, false, true, 5},
        {"one empty line before", "\r\nDELETE /x HTTP/1.1\r\n" HOST "\r\n", HTTP_DELETE, "/x", "",
         "a", true, false, false, 0},
        {"absolute form", "GET http://b:80/x?y HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/x", "y",
         "b:80", true, false, false, 0},
        {"absolute form, no path", "GET HTTPS://b?y HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/", "y",
         "b", true, false, false, 0},
        {"asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_OPTIONS, "*", "", "a", true, false,
         false, 0},
        {"other method", "BREW /x HTTP/1.1\r\n" HOST "\r\n", HTTP_OTHER, "/x", "", "a", true, false,
         false, 0},
        {"methods have a case", "get /x HTTP/1.1\r\n" HOST "\r\n", HTTP_OTHER, "/x", "", "a", true,
         false, false, 0},
        {"encoded path", "PATCH /a%20b/%C2%B0/c%2Fd HTTP/1.1\r\n" HOST "\r\n", HTTP_PATCH,
         "/a%20b/%C2%B0/c%2Fd", "", "a", true, false, false, 0},
        {"dots that are no dot segment", "GET /.../a..b/.c HTTP/1.1\r\n" HOST "\r\n", HTTP_GET,
         "/.../a..b/.c", "", "a", true, false, false, 0},
        {"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", HTTP_GET, "/", "", "[::1]:8080",
         true, false, false, 0},
        {"blanks around a value", "GET / HTTP/1.1\r\nHost:\t a \t\r\nX:\r\n\r\n", HTTP_GET, "/", "",
         "a", true, false, false, 0},
        {"bytes above ASCII in a value", "GET / HTTP/1.1\r\n" HOST "X: \xFF\r\n\r\n", HTTP_GET, "/",
         "", "a", true, false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct http_head h;
        REQUIRE(CHECK_EQ_INT(parse_all(bytes_of(rows[i].text), &h), HTTP_DONE));
        CHECK_EQ_INT(h.method, rows[i].method);
        CHECK(str_eq(h.path, str_from(rows[i].path)));
        CHECK(str_eq(h.query, str_from(rows[i].query)));
        CHECK(str_eq(h.host, str_from(rows[i].host)));
        CHECK_EQ_INT(h.keep_alive, rows[i].keep);
        CHECK_EQ_INT(h.chunked, rows[i].chunked);
        CHECK_EQ_INT(h.expect_continue, rows[i].expect);
        CHECK_EQ_UINT(h.length, rows[i].length);
        CHECK_EQ_UINT(h.size, strlen(rows[i].text));
    }
}

struct refused {
    const char *label, *text;
    unsigned status;
};

static void refuse(const struct refused *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].label);
        struct http_head h;
        REQUIRE(CHECK_EQ_INT(parse_all(bytes_of(rows[i].text), &h), HTTP_BAD));
        CHECK_EQ_UINT(h.status, rows[i].status);
        CHECK(h.why && h.why[0]);
    }
}

TEST(http_request_refused_for_its_line)
{
    static const struct refused rows[] = {
        {"bare LF", "GET / HTTP/1.1\n" HOST "\r\n", 400},
        {"bare CR", "GET / HTTP/1.1\rX\r\n\r\n", 400},
        {"CR CR LF", "GET / HTTP/1.1\r\r\n", 400},
        {"TLS", "\x16\x03\x01", 400},
        {"control character", "GET / HTTP/1.1\r\nX: a\x01\r\n\r\n", 400},
        {"DEL", "GET / HTTP/1.1\r\nX: a\x7F\r\n\r\n", 400},
        {"no version", "GET /\r\n" HOST "\r\n", 400},
        {"two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"blank in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"tab for a blank", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"blank before", " GET / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"HTTP/2", "GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505},
        {"small http", "GET / http/1.1\r\n" HOST "\r\n", 400},
        {"only empty lines", "\r\n\r\n", 400},
        {"bad method", "G@T / HTTP/1.1\r\n" HOST "\r\n", 400},
    };
    refuse(rows, ARRAY_LEN(rows));
}

TEST(http_request_refused_for_its_target)
{
    static const struct refused rows[] = {
        {"no slash", "GET x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"asterisk of GET", "GET * HTTP/1.1\r\n" HOST "\r\n", 400},
        {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"absolute form without a host", "GET http:///x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"absolute form, bad host", "GET http://a@b/x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"raw bytes in the target", "GET /\xC2\xB0 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"dot segment", "GET /a/../b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"dot segment at the end", "GET /a/. HTTP/1.1\r\n" HOST "\r\n", 400},
        {"encoded dot segment", "GET /%2e%2E/b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"half encoded dot segment", "GET /.%2e/b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"broken escape", "GET /a%2 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"not hexadecimal", "GET /a%2g HTTP/1.1\r\n" HOST "\r\n", 400},
        {"encoded NUL", "GET /a%00 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"encoded line break", "GET /a%0D%0A HTTP/1.1\r\n" HOST "\r\n", 400},
        {"encoded nonsense", "GET /a%FF HTTP/1.1\r\n" HOST "\r\n", 400},
    };
    refuse(rows, ARRAY_LEN(rows));
}

TEST(http_request_refused_for_its_fields)
{
    static const struct refused rows[] = {
        {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"folded line", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400},
        {"folded first line", "GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", 400},
        {"blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"no colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400},
        {"no name", "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", 400},
        {"two lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
         400},
        {"list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400},
        {"signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
        {"negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
        {"hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400},
        {"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
        {"huge length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
         413},
        {"both",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"gzip, chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
         501},
        {"identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501},
        {"twice chunked",
         "POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         501},
        {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"expectation", "POST / HTTP/1.1\r\n" HOST "Expect: cake\r\n\r\n", 417},
    };
    refuse(rows, ARRAY_LEN(rows));
    struct http_head h;
    CHECK_EQ_INT(parse_all((struct bytes){(const uint8_t *)"GET /\0 HTTP", 11}, &h), HTTP_BAD);
}

/* However it is cut into pieces, the result is the same and comes at the same byte. */
TEST(http_request_in_pieces)
{
    static const char text[] =
        "POST /api/devices/x/actions/open?a=b HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}GET /";
    size_t size = sizeof(text) - 1 - 7;
    for (size_t step = 1; step < 40; step++) {
        struct http_scan s;
        struct http_head h;
        http_scan_init(&s);
        size_t n = 0;
        enum http_result r = HTTP_MORE;
        while (r == HTTP_MORE && n < sizeof(text) - 1) {
            n = n + step < sizeof(text) - 1 ? n + step : sizeof(text) - 1;
            r = http_parse(&s, (struct bytes){(const uint8_t *)text, n}, &h);
            CHECK_EQ_INT(r, n >= size ? HTTP_DONE : HTTP_MORE);
        }
        CHECK_EQ_UINT(h.size, size);
        CHECK_EQ_UINT(h.length, 2);
    }
}

TEST(http_request_limits)
{
    static char text[40000];
    struct http_head h;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);

    memset(text, 'x', sizeof(text));
    memcpy(text, "GET /", 5);
    CHECK_EQ_INT(parse_all((struct bytes){(uint8_t *)text, 8000}, &h), HTTP_MORE);
    CHECK_EQ_INT(parse_all((struct bytes){(uint8_t *)text, 9000}, &h), HTTP_BAD);
    CHECK_EQ_UINT(h.status, 414);

    strbuf_adds(&b, "GET / HTTP/1.1\r\n" HOST "X: ");
    strbuf_add(&b, text, 9000);
    CHECK_EQ_INT(parse_all((struct bytes){(uint8_t *)b.p, b.n}, &h), HTTP_BAD);
    CHECK_EQ_UINT(h.status, 431);

    for (unsigned fields = HTTP_FIELDS_MAX - 1; fields <= HTTP_FIELDS_MAX; fields++) {
        strbuf_reset(&b);
        strbuf_adds(&b, "GET / HTTP/1.1\r\n" HOST);
        for (unsigned i = 0; i < fields; i++)
            strbuf_addf(&b, "X%u: y\r\n", i);
        strbuf_adds(&b, "\r\n");
        bool fits = fields < HTTP_FIELDS_MAX;
        CHECK_EQ_INT(parse_all((struct bytes){(uint8_t *)b.p, b.n}, &h),
                     fits ? HTTP_DONE : HTTP_BAD);
        CHECK_EQ_UINT(h.status, fits ? 0 : 431);
    }

    strbuf_reset(&b);
    strbuf_adds(&b, "GET / HTTP/1.1\r\n" HOST);
    while (b.n < 20000)
        strbuf_addf(&b, "X: %.*s\r\n", 1000, text + 5);
    CHECK_EQ_INT(parse_all((struct bytes){(uint8_t *)b.p, b.n}, &h), HTTP_BAD);
    CHECK_EQ_UINT(h.status, 431);
    strbuf_fini(&b);
}

TEST(http_fields_are_found)
{
    struct http_head h;
    struct str v;
    REQUIRE(parse_all(bytes_of("GET / HTTP/1.1\r\n" HOST "ETag: x\r\netag: y\r\n\r\n"), &h) ==
            HTTP_DONE);
    CHECK(http_field(&h, "etag", &v));
    CHECK(str_eq(v, STR("x")));
    CHECK(!http_field(&h, "eta", &v));
}

TEST(http_chunked_bodies)
{
    static const struct {
        const char *label, *text, *body;
        enum http_result want;
        size_t rest; /* bytes behind the end */
    } rows[] = {
        {"empty", "0\r\n\r\n", "", HTTP_DONE, 0},
        {"two chunks", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET", "hello!", HTTP_DONE, 3},
        {"hexadecimal", "a\r\n0123456789\r\n00A\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789",
         HTTP_DONE, 0},
        {"line breaks inside", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", HTTP_DONE, 0},
        {"extension", "1;a=b\r\nx\r\n0;c\r\n\r\n", "x", HTTP_DONE, 0},
        {"trailers", "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "x", HTTP_DONE, 0},
        {"cut in the size", "5", "", HTTP_MORE, 0},
        {"cut in the data", "5\r\nhe", "he", HTTP_MORE, 0},
        {"cut in the trailer", "0\r\nA", "", HTTP_MORE, 0},
        {"no size", "\r\n", "", HTTP_BAD, 0},
        {"not a size", "x\r\n", "", HTTP_BAD, 0},
        {"blank before the size", " 5\r\nhello\r\n", "", HTTP_BAD, 0},
        {"blank behind the size", "5 \r\nhello\r\n", "", HTTP_BAD, 0},
        {"negative", "-1\r\n", "", HTTP_BAD, 0},
        {"huge", "10000000000000\r\n", "", HTTP_BAD, 0},
        {"bare LF behind the size", "1\nx\r\n", "", HTTP_BAD, 0},
        {"CR and no LF", "1\rxx\r\n", "", HTTP_BAD, 0},
        {"data longer than said", "1\r\nxx\r\n", "x", HTTP_BAD, 0},
        {"bare LF behind the data", "1\r\nx\n0\r\n\r\n", "x", HTTP_BAD, 0},
        {"NUL in an extension", "1;\x01\r\nx\r\n", "", HTTP_BAD, 0},
        {"bare LF in a trailer", "0\r\nA: b\n\r\n", "", HTTP_BAD, 0},
        {"CR in a trailer", "0\r\nA: b\rX\r\n", "", HTTP_BAD, 0},
        {"CR and no LF at the end", "0\r\n\rX", "", HTTP_BAD, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t step = 1; step <= 64; step *= 2) {
            LABEL("%s, %zu at a time", rows[i].label, step);
            struct http_chunked c = {0};
            struct bytes in = bytes_of(rows[i].text);
            char body[64];
            size_t n = 0, used, at = 0;
            enum http_result r = HTTP_MORE;
            while (r == HTTP_MORE && at < in.n) {
                struct bytes piece;
                size_t left = in.n - at < step ? in.n - at : step;
                r = http_chunked_next(&c, (struct bytes){in.p + at, left}, &used, &piece);
                REQUIRE(used <= left && n + piece.n < sizeof(body));
                if (piece.n)
                    memcpy(body + n, piece.p, piece.n);
                n += piece.n;
                at += used;
            }
            /* With the last byte taken, what is known is known without more. */
            struct bytes piece;
            if (r == HTTP_MORE)
                r = http_chunked_next(&c, (struct bytes){in.p, 0}, &used, &piece);
            body[n] = '\0';
            CHECK_EQ_INT(r, rows[i].want);
            CHECK_EQ_STR(body, rows[i].body);
            if (r == HTTP_DONE)
                CHECK_EQ_UINT(in.n - at, rows[i].rest);
        }
    struct http_chunked c = {0};
    static uint8_t extra[9000] = "0\r\n";
    struct bytes piece;
    size_t used;
    memset(extra + 3, 'x', sizeof(extra) - 3);
    CHECK_EQ_INT(http_chunked_next(&c, (struct bytes){extra, sizeof(extra)}, &used, &piece),
                 HTTP_BAD);
}

TEST(http_decodes)
{
    static const struct {
        const char *raw, *text;
        bool plus;
        enum err err;
    } rows[] = {
        {"", "", false, ERR_OK},           {"a.b", "a.b", false, ERR_OK},
        {"a+b%2B", "a+b+", false, ERR_OK}, {"a+b%2B", "a b+", true, ERR_OK},
        {"%C2%b0", "°", false, ERR_OK},    {"%2F%25", "/%", false, ERR_OK},
        {"%", "", false, ERR_SYNTAX},      {"%2", "", false, ERR_SYNTAX},
        {"%zz", "", false, ERR_SYNTAX},    {"%00", "", false, ERR_SYNTAX},
        {"%7f", "", false, ERR_SYNTAX},    {"%C2", "", false, ERR_SYNTAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].raw);
        char buf[16];
        struct str out;
        enum err err = http_decode(str_from(rows[i].raw), rows[i].plus, buf, sizeof(buf), &out);
        CHECK_EQ_INT(err, rows[i].err);
        CHECK(err || str_eq(out, str_from(rows[i].text)));
        if (err == ERR_OK && out.n > 0)
            CHECK_EQ_INT(http_decode(str_from(rows[i].raw), rows[i].plus, buf, out.n - 1, &out),
                         ERR_RANGE);
    }
}

TEST(http_queries)
{
    static const struct {
        const char *query, *key, *value;
        enum err err;
    } rows[] = {
        {"series=a.b&from=1", "from", "1", ERR_OK},
        {"&&x=1&", "x", "1", ERR_OK},
        {"x", "x", "", ERR_OK},
        {"x=1&x=2", "x", "1", ERR_OK},
        {"x=a=b", "x", "a=b", ERR_OK},
        {"%78=%C2%B0C", "x", "°C", ERR_OK},
        {"a+b=c+d", "a b", "c d", ERR_OK},
        {"", "x", "", ERR_NOT_FOUND},
        {"xy=1", "x", "", ERR_NOT_FOUND},
        {"%7=1&%=2&%zz=3", "x", "", ERR_NOT_FOUND},
        {"x=%zz", "x", "", ERR_SYNTAX},
        {"x=12345678901234567", "x", "", ERR_RANGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].query);
        char buf[16];
        struct str v;
        enum err err = http_query_get(str_from(rows[i].query), rows[i].key, buf, sizeof(buf), &v);
        CHECK_EQ_INT(err, rows[i].err);
        CHECK(err || str_eq(v, str_from(rows[i].value)));
    }
}

TEST(http_values)
{
    CHECK(http_list_has(STR("a, B ,c"), "b"));
    CHECK(!http_list_has(STR("ab, ,"), "b"));
    CHECK(http_media_type_is(STR("Application/JSON ; charset=utf-8"), "application/json"));
    CHECK(http_media_type_is(STR("application/json"), "application/json"));
    CHECK(!http_media_type_is(STR("application/jsonx"), "application/json"));
    CHECK(!http_media_type_is(STR(""), "application/json"));
    static const struct {
        const char *value;
        bool gzip;
    } encodings[] = {
        {"", false},
        {"gzip", true},
        {"br, GZIP;q=0.5", true},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"deflate", false},
        {"x-gzip", true},
        {"gzip;q=x", false},
        {"identity, gzip;q=0.5", false},
        {"gzip, identity", true},
        {"identity;q=0.5, *;q=0.7", true},
        {"gzip;q=0, x-gzip", true},
        {"x-gzip, gzip;q=0", true},
        {"identity;q=0", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        LABEL("%s", encodings[i].value);
        CHECK_EQ_INT(http_accepts_gzip(str_from(encodings[i].value)), encodings[i].gzip);
    }
    static const struct {
        const char *list, *etag;
        bool match;
    } tags[] = {
        {"\"a\"", "\"a\"", true},
        {"\"b\", \"a\"", "\"a\"", true},
        {"W/\"a\"", "\"a\"", true},
        {"\"a\"", "W/\"a\"", true},
        {"*", "\"a\"", true},
        {"\"b\"", "\"a\"", false},
        {"", "\"a\"", false},
        {"\"x,y\", \"a\"", "\"x,y\"", true},
        {"\"x,\\\"a\\\"\"", "\"a\"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        LABEL("%s", tags[i].list);
        CHECK_EQ_INT(http_etag_matches(str_from(tags[i].list), str_from(tags[i].etag)),
                     tags[i].match);
    }
}

TEST(http_response_heads)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    http_write_status(&b, 404);
    http_write_field(&b, "X", STR("a\r\nSet-Cookie: b\t°"));
    http_write_end(&b);
    CHECK_EQ_STR(b.p, "HTTP/1.1 404 Not Found\r\nX: a  Set-Cookie: b\t°\r\n\r\n");
    CHECK_EQ_STR(http_reason(200), "OK");
    CHECK_EQ_STR(http_reason(799), "Unknown");
    strbuf_fini(&b);
    static const struct {
        int64_t ms;
        const char *text;
    } dates[] = {
        {784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {1795400280999, "Mon, 23 Nov 2026 02:18:00 GMT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        char buf[30];
        http_date(dates[i].ms, buf);
        CHECK_EQ_STR(buf, dates[i].text);
    }
}

TEST(http_heads_of_responses_are_read)
{
    static const struct {
        const char *label, *text;
        bool no_body;
        enum http_result want;
        unsigned status;
        uint64_t length;
        bool chunked, until_close, keep;
    } rows[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", false, HTTP_DONE, 200, 12,
         false, false, true},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP_DONE, 200,
         0, true, false, true},
        {"up to the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false, HTTP_DONE, 200, 0,
         false, true, false},
        {"1.0", "HTTP/1.0 404 Not Found\r\n\r\n", false, HTTP_DONE, 404, 0, false, true, false},
        {"no reason", "HTTP/1.1 422\r\nContent-Length: 0\r\n\r\n", false, HTTP_DONE, 422, 0, false,
         false, true},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", false, HTTP_DONE, 204, 0, false, false,
         true},
        {"interim", "HTTP/1.1 100 Continue\r\n\r\n", false, HTTP_DONE, 100, 0, false, false, true},
        {"of HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", true, HTTP_DONE, 200, 0, false,
         false, true},
        {"another version", "HTTP/2.0 200 OK\r\n\r\n", false, HTTP_BAD, 0, 0, 0, 0, 0},
        {"no status", "HTTP/1.1 OK\r\n\r\n", false, HTTP_BAD, 0, 0, 0, 0, 0},
        {"a status that is none", "HTTP/1.1 999 Wow\r\n\r\n", false, HTTP_BAD, 0, 0, 0, 0, 0},
        {"a sign", "HTTP/1.1 -20 Wow\r\n\r\n", false, HTTP_BAD, 0, 0, 0, 0, 0},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false,
         HTTP_BAD, 0, 0, 0, 0, 0},
        {"both framings",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false,
         HTTP_BAD, 0, 0, 0, 0, 0},
        {"a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, HTTP_BAD, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL(rows[i].label);
        struct http_head h = {0};
        CHECK_EQ_INT(http_parse_response(bytes_of(rows[i].text), rows[i].no_body, &h),
                     rows[i].want);
        if (rows[i].want != HTTP_DONE) {
            CHECK(h.why != NULL);
            continue;
        }
        CHECK_EQ_UINT(h.status, rows[i].status);
        CHECK_EQ_UINT(h.length, rows[i].length);
        CHECK_EQ_INT(h.chunked, rows[i].chunked);
        CHECK_EQ_INT(h.until_close, rows[i].until_close);
        CHECK_EQ_INT(h.keep_alive, rows[i].keep);
    }
}
