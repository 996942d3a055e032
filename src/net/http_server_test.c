/* Requests and their answers, on a real socket. */
#include "net/http_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct exchange {
    const char *label, *request, *status, *has[6];
};

/* The strings of `has` are in the answer. */
static void ask(const struct exchange *rows, size_t n)
{
    EACH_DRIVER(driver)
    {
        struct web web;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        for (size_t i = 0; i < n; i++) {
            LABEL("%s, %s", driver, rows[i].label);
            char status[64];
            snprintf(status, sizeof(status), "HTTP/1.1 %s", rows[i].status);
            CHECK(web_exchange(&web, rows[i].request, &b));
            CHECK(str_starts(strbuf_str(&b), str_from(status)));
            for (size_t k = 0; k < ARRAY_LEN(rows[i].has) && rows[i].has[k]; k++)
                CHECK_HAS_STR(b.p, rows[i].has[k]);
            if (str_starts(str_from(rows[i].request), STR("HEAD")) ||
                str_eq(str_from(rows[i].status), STR("304 Not Modified")))
                CHECK(str_ends(strbuf_str(&b), STR("\r\n\r\n")));
        }
        web_stop(&web);
        strbuf_fini(&b);
    }
}

TEST(http_server_answers)
{
    static const struct exchange rows[] = {
        {"a handler",
         "GET /hello HTTP/1.1\r\n" CLOSE "\r\n",
         "200 OK",
         {"\r\n\r\nhello", "Content-Length: 5\r\n", "Content-Type: text/plain\r\n",
          "X-Content-Type-Options: nosniff\r\n", "Connection: close\r\n",
          "Cache-Control: no-store\r\n"}},
        {"HEAD", "HEAD /hello HTTP/1.1\r\n" CLOSE "\r\n", "200 OK", {"Content-Length: 5\r\n"}},
        {"HTTP/1.0", "GET /hello HTTP/1.0\r\nHost: localhost\r\n\r\n", "200 OK", {"hello"}},
        {"parameters and a body",
         "POST /api/devices/plant.press%201/actions/op%2Fen HTTP/1.1\r\n" JSON
         "Content-Length: 2\r\n\r\n{}",
         "202 Accepted",
         {"{\"device\":\"plant.press 1\",\"action\":\"op/en\",\"body\":\"{}\"}",
          "Content-Type: application/json\r\n"}},
        {"a chunked body",
         "POST /api/devices/a/actions/b HTTP/1.1\r\n" JSON
         "Transfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n4\r\na\":1\r\n1\r\n}\r\n0\r\n\r\n",
         "202 Accepted",
         {"\"body\":\"{\\\"a\\\":1}\""}},
        {"an empty parameter",
         "POST /api/devices//actions/b HTTP/1.1\r\n" JSON "\r\n",
         "404 Not Found",
         {"application/problem+json"}},
        {"a path that is longer", "POST /hello/x HTTP/1.1\r\n" JSON "\r\n", "404 Not Found", {0}},
        {"a problem with a member",
         "POST /conflict HTTP/1.1\r\n" JSON "\r\n",
         "409 Conflict",
         {"{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
          "\"detail\":\"plant.\\\"belt\\\" is owned\",\"instance\":\"/conflict\","
          "\"owner\":\"line_guard\"}"}},
        {"a problem of a type",
         "GET /typed%20one HTTP/1.1\r\n" CLOSE "\r\n",
         "422 Unprocessable Content",
         {"{\"type\":\"/problems/strange\",\"title\":\"It is strange\",\"status\":422,"
          "\"detail\":\"why\",\"instance\":\"/typed%20one\"}"}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_says_which_methods_there_are)
{
    static const struct exchange rows[] = {
        {"another method",
         "PUT /hello HTTP/1.1\r\n" CLOSE "\r\n",
         "405 Method Not Allowed",
         {"Allow: GET, HEAD, DELETE\r\n"}},
        {"an unknown method", "BREW /hello HTTP/1.1\r\n" CLOSE "\r\n", "405", {"Allow: GET"}},
        {"GET of a POST route",
         "GET /conflict HTTP/1.1\r\n" CLOSE "\r\n",
         "405 Method Not Allowed",
         {"Allow: POST\r\n"}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_gives_the_page)
{
    static const struct exchange rows[] = {
        {"the page, inflated",
         "GET / HTTP/1.1\r\n" CLOSE "\r\n",
         "200 OK",
         {"\r\n\r\n<h1>page</h1>", "Content-Security-Policy: default-src 'self'\r\n",
          "ETag: \"v1\"\r\n", "Vary: Accept-Encoding\r\n"}},
        {"the page, compressed",
         "GET / HTTP/1.1\r\n" CLOSE "Accept-Encoding: br, gzip\r\n\r\n",
         "200 OK",
         {"Content-Encoding: gzip\r\n", "\x1f\x8b\x08"}},
        {"the page, known",
         "GET / HTTP/1.1\r\n" CLOSE "If-None-Match: W/\"v1\"\r\n\r\n",
         "304 Not Modified",
         {"ETag: \"v1\"\r\n"}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_is_asked_for_by_its_names)
{
    static const struct exchange rows[] = {
        {"another host", "GET /hello HTTP/1.0\r\nHost: evil.example\r\n\r\n", "421", {0}},
        {"another address", "GET /hello HTTP/1.0\r\nHost: 10.0.0.1\r\n\r\n", "421", {0}},
        {"no host at all", "GET /hello HTTP/1.0\r\n\r\n", "421", {0}},
        {"a declared name",
         "GET /hello HTTP/1.0\r\nHost: SEDGE.example:80\r\n\r\n",
         "200",
         {"hello"}},
        {"loopback, IPv6", "GET /hello HTTP/1.0\r\nHost: [::1]:80\r\n\r\n", "200", {"hello"}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_takes_changes_from_its_own_pages)
{
    static const struct exchange rows[] = {
        {"a foreign origin",
         "POST /conflict HTTP/1.1\r\n" JSON "Origin: http://evil.example\r\n\r\n",
         "403 Forbidden",
         {0}},
        {"a sandboxed origin",
         "POST /conflict HTTP/1.1\r\n" JSON "Origin: null\r\n\r\n",
         "403 Forbidden",
         {0}},
        {"another port's origin",
         "POST /conflict HTTP/1.1\r\n" JSON "Origin: http://localhost:2\r\n\r\n",
         "403 Forbidden",
         {0}},
        {"our own origin",
         "POST /conflict HTTP/1.1\r\n" JSON "Origin: http://localhost:1\r\n\r\n",
         "409 Conflict",
         {0}},
        {"a form",
         "POST /conflict HTTP/1.1\r\n" CLOSE
         "Content-Type: application/x-www-form-urlencoded\r\n\r\n",
         "415 Unsupported Media Type",
         {0}},
        {"no type", "POST /conflict HTTP/1.1\r\n" CLOSE "\r\n", "415", {0}},
        {"a DELETE from elsewhere",
         "DELETE /hello HTTP/1.1\r\n" JSON "Origin: http://a\r\n\r\n",
         "403",
         {0}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_refuses_what_is_no_request)
{
    static const struct exchange rows[] = {
        {"a large body",
         "POST /conflict HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n",
         "413",
         {0}},
        {"bad chunks",
         "POST /conflict HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx\r\n",
         "400",
         {"chunks"}},
        {"nonsense", "hello\r\n\r\n", "400 Bad Request", {"Connection: close\r\n"}},
        {"TLS", "\x16\x03\x01", "400 Bad Request", {0}},
        {"both framings",
         "POST /conflict HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400",
         {0}},
        {"dot segments", "GET /a/%2e%2e/hello HTTP/1.1\r\n" H "\r\n", "400", {0}},
    };
    ask(rows, ARRAY_LEN(rows));
}

TEST(http_server_keeps_order)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        int fd = web_dial(&web);
        /* Three at once; the second is answered only after another connection asks for it. */
        web_say(fd, "GET /hello HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H
                    "\r\nGET / HTTP/1.1\r\n" CLOSE "\r\n");
        CHECK(web_hear_until(fd, &b, "\r\n\r\nhello"));
        do
            CHECK(web_exchange(&web, "POST /release HTTP/1.1\r\n" JSON "\r\n", &b));
        while (!str_ends(strbuf_str(&b), STR("true")));
        web_hear_all(fd, &b);
        CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 200 OK\r\n")));
        CHECK_HAS_STR(b.p, "\r\n\r\nlateHTTP/1.1 200 OK\r\n");
        CHECK(str_ends(strbuf_str(&b), STR("<h1>page</h1>")));
        close(fd);
        web_stop(&web);
        CHECK_EQ_INT(web.gone, 0);
        strbuf_fini(&b);
    }
}

/* Byte by byte, and 500 requests on one connection in pieces of every length. */
TEST(http_server_takes_any_pieces)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        struct strbuf b, many;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&many, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        int fd = web_dial(&web);
        static const char one[] = "POST /api/devices/a/actions/b HTTP/1.1\r\n" JSON
                                  "Content-Length: 11\r\n\r\n{\"x\": true}";
        for (size_t i = 0; i < sizeof(one) - 1; i++) {
            char c[2] = {one[i]};
            web_say(fd, c);
        }
        web_hear_all(fd, &b);
        CHECK_HAS_STR(b.p, "\"body\":\"{\\\"x\\\": true}\"");
        close(fd);

        for (int i = 0; i < 500; i++)
            strbuf_addf(&many,
                        "POST /api/devices/d%d/actions/b HTTP/1.1\r\n%sContent-Type: "
                        "application/json\r\nContent-Length: 2\r\n\r\n[]",
                        i, i == 499 ? CLOSE : H);
        fd = web_dial(&web);
        char piece[400];
        for (size_t at = 0, n = 1; at < many.n; at += n, n = n % 397 + 1) {
            struct str part = str_sub(strbuf_str(&many), at, n);
            memcpy(piece, part.p, part.n);
            piece[part.n] = '\0';
            web_say(fd, piece);
        }
        web_hear_all(fd, &b);
        struct str rest = strbuf_str(&b), line;
        int next = 0;
        while (str_split(&rest, '{', &line)) {
            char want[40];
            snprintf(want, sizeof(want), "\"device\":\"d%d\",", next);
            next += str_starts(line, str_from(want));
        }
        CHECK_EQ_INT(next, 500);
        close(fd);
        web_stop(&web);
        strbuf_fini(&b);
        strbuf_fini(&many);
    }
}

TEST(http_server_sends_more_than_a_socket_takes)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        CHECK(web_exchange(
            &web, "GET /large HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" CLOSE "\r\n", &b));
        size_t body = 0;
        while (body + 4 < b.n && memcmp(b.p + body, "\r\n\r\n", 4) != 0)
            body++;
        body += 4;
        REQUIRE(b.n > body + 5000000);
        bool same = true;
        for (int i = 0; i < 500000 && same; i++) {
            char want[16];
            snprintf(want, sizeof(want), "%09d\n", i);
            same = memcmp(b.p + body + (size_t)i * 10, want, 10) == 0;
        }
        CHECK(same);
        CHECK(str_ends(strbuf_str(&b), STR("\r\n\r\nhello")));
        web_stop(&web);
        strbuf_fini(&b);
    }
}

TEST(http_server_bounds_chunked_bodies)
{
    struct web web;
    struct strbuf b, request;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&request, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){.body_max = 1000});
    for (int size = 1000; size <= 1001; size++) {
        LABEL("%d bytes", size);
        strbuf_reset(&request);
        strbuf_addf(&request, "POST /conflict HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n",
                    JSON);
        strbuf_addf(&request, "%x\r\n%0*d\r\n0\r\n\r\n", (unsigned)size, size, 1);
        CHECK(web_exchange(&web, request.p, &b));
        const char *want = size == 1000 ? "HTTP/1.1 409" : "HTTP/1.1 413 Content Too Large\r\n";
        CHECK(str_starts(strbuf_str(&b), str_from(want)));
    }
    web_stop(&web);
    strbuf_fini(&b);
    strbuf_fini(&request);
}

TEST(http_server_expects_continue)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){0});
    int fd = web_dial(&web);
    web_say(fd, "POST /api/devices/a/actions/b HTTP/1.1\r\n" JSON
                "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(web_hear_until(fd, &b, "\r\n\r\n"));
    CHECK_EQ_STR(b.p, "HTTP/1.1 100 Continue\r\n\r\n");
    web_say(fd, "{}");
    web_hear_all(fd, &b);
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 202 Accepted\r\n")));
    close(fd);
    CHECK(web_exchange(
        &web, "POST /none HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", &b));
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 404 Not Found\r\n")));
    web_stop(&web);
    strbuf_fini(&b);
}
