/* Answers that are compressed: for whom, in which order, how many at once, and for nobody. */
#include "net/http_fixture.h"
#include "net/http_server_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP "Accept-Encoding: gzip\r\n"

/* Each driver, with one worker and with two. */
#define EACH_SETTING(name, n) EACH_DRIVER(name) for (unsigned n = 1; n <= 2; n++)

/* The first answer's end in `b`; 0 if there is none. */
static size_t head_size(struct str b)
{
    for (size_t i = 0; i + 4 <= b.n; i++)
        if (memcmp(b.p + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return 0;
}

static size_t length_field(struct str head)
{
    size_t at, end;
    int64_t n = -1;
    REQUIRE(head.n > 0);
    for (at = 0; !str_starts(str_sub(head, at, head.n), STR("Content-Length: ")); at++)
        REQUIRE(at < head.n);
    struct str value = str_sub(head, at + 16, head.n);
    REQUIRE(str_find(value, '\r', &end));
    REQUIRE(str_to_i64(str_sub(value, 0, end), &n) == ERR_OK);
    return (size_t)n;
}

static void unzip(struct str zipped, struct strbuf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)zipped.p, .avail_in = (uInt)zipped.n};
    Bytef piece[4096];
    int r = Z_OK;
    REQUIRE(inflateInit2(&z, 16 + MAX_WBITS) == Z_OK);
    while (r == Z_OK) {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        r = inflate(&z, Z_NO_FLUSH);
        strbuf_add(out, piece, sizeof(piece) - z.avail_out);
    }
    CHECK_EQ_INT(r, Z_STREAM_END);
    CHECK_EQ_UINT(z.avail_in, 0);
    inflateEnd(&z);
}

/* Takes the first answer off *rest: its body, plain, in `body`; true if it came compressed. */
static bool take_answer(struct str *rest, struct strbuf *body)
{
    size_t head_n = head_size(*rest);
    struct str head = str_sub(*rest, 0, head_n);
    size_t n = length_field(head);
    REQUIRE(rest->n >= head_n + n);
    struct str sent = str_sub(*rest, head_n, n);
    bool zipped = false;
    for (size_t i = 0; i < head.n; i++)
        zipped |= str_starts(str_sub(head, i, head.n), STR("\r\nContent-Encoding: gzip\r\n"));
    *rest = str_sub(*rest, head_n + n, rest->n);
    strbuf_reset(body);
    if (zipped)
        unzip(sent, body);
    else
        strbuf_addstr(body, sent);
    return zipped;
}

static bool is_text(const struct strbuf *b, size_t n)
{
    struct strbuf want;
    strbuf_init(&want, alloc_system(), 0);
    web_text(&want, n);
    bool same = str_eq(strbuf_str(b), strbuf_str(&want));
    strbuf_fini(&want);
    return same;
}

TEST(answers_are_compressed_for_who_takes_it)
{
    static const struct {
        const char *label, *path, *accept;
        bool zipped, varies;
    } rows[] = {
        {"large", "/text/200000", GZIP, true, true},
        {"as large as can be refused", "/text/1024", GZIP, true, true},
        {"small", "/text/1023", GZIP, false, false},
        {"a window of its size", "/text/3000", "Accept-Encoding: br, gzip;q=0.8\r\n", true, true},
        {"a slice", "/text/8192", GZIP, true, true},
        {"a slice and a byte", "/text/8193", GZIP, true, true},
        {"not asked for", "/text/200000", "", false, true},
        {"refused", "/text/200000", "Accept-Encoding: gzip;q=0, *\r\n", false, true},
        {"liked less", "/text/200000", "Accept-Encoding: identity, gzip;q=0.5\r\n", false, true},
        {"any", "/text/200000", "Accept-Encoding: *\r\n", true, true},
        {"a picture", "/image", GZIP, false, false},
        {"not to be compressed", "/noise", GZIP, false, true},
    };
    EACH_SETTING(driver, workers)
    {
        struct web web;
        struct strbuf b, body;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&body, alloc_system(), 0);
        web_start_workers(&web, driver, workers, (struct http_server_config){0});
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            LABEL("%s, %u workers: %s", driver, workers, rows[i].label);
            char request[300];
            (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" CLOSE "%s\r\n",
                           rows[i].path, rows[i].accept);
            CHECK(web_exchange(&web, request, &b));
            CHECK_EQ_INT(strstr(b.p, "\r\nVary: Accept-Encoding\r\n") != NULL, rows[i].varies);
            struct str rest = strbuf_str(&b);
            size_t sent = b.n;
            CHECK_EQ_INT(take_answer(&rest, &body), rows[i].zipped);
            CHECK_EQ_UINT(rest.n, 0);
            int64_t n = 0;
            if (str_starts(str_from(rows[i].path), STR("/text/"))) {
                CHECK_EQ_INT(str_to_i64(str_from(rows[i].path + 6), &n), ERR_OK);
                CHECK(is_text(&body, (size_t)n));
                CHECK(!rows[i].zipped || n < 2000 || sent < (size_t)n);
            }
        }
        web_stop(&web);
        strbuf_fini(&b);
        strbuf_fini(&body);
    }
}

/* HEAD tells the length that GET has. */
TEST(head_of_a_compressed_answer)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){0});
    CHECK(web_exchange(&web, "GET /text/50000 HTTP/1.1\r\n" CLOSE GZIP "\r\n", &b));
    size_t n = length_field(str_sub(strbuf_str(&b), 0, head_size(strbuf_str(&b))));
    CHECK(web_exchange(&web, "HEAD /text/50000 HTTP/1.1\r\n" CLOSE GZIP "\r\n", &b));
    CHECK_EQ_UINT(length_field(strbuf_str(&b)), n);
    CHECK_HAS_STR(b.p, "\r\nContent-Encoding: gzip\r\n");
    CHECK_EQ_UINT(head_size(strbuf_str(&b)), b.n);
    web_stop(&web);
    strbuf_fini(&b);
}

TEST(requests_behind_a_compressed_answer_wait)
{
    EACH_SETTING(driver, workers)
    {
        LABEL("%s, %u workers", driver, workers);
        struct web web;
        struct strbuf b, body;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&body, alloc_system(), 0);
        web_start_workers(&web, driver, workers, (struct http_server_config){0});
        CHECK(web_exchange(&web,
                           "GET /large HTTP/1.1\r\n" H GZIP "\r\nGET /text/30 HTTP/1.1\r\n" H GZIP
                           "\r\nGET /text/2000 HTTP/1.1\r\n" H GZIP
                           "\r\nGET /text/9000 HTTP/1.1\r\n" CLOSE "\r\n",
                           &b));
        struct str rest = strbuf_str(&b);
        CHECK(take_answer(&rest, &body) && is_text(&body, 5000000));
        CHECK(!take_answer(&rest, &body) && is_text(&body, 30));
        CHECK(take_answer(&rest, &body) && is_text(&body, 2000));
        CHECK(!take_answer(&rest, &body) && is_text(&body, 9000));
        CHECK_EQ_UINT(rest.n, 0);
        web_stop(&web);
        strbuf_fini(&b);
        strbuf_fini(&body);
    }
}

static bool says(const struct web *web, const char *text)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    CHECK(web_exchange(web, "GET /gzips HTTP/1.1\r\n" CLOSE "\r\n", &b));
    bool has = strstr(b.p, text) != NULL;
    strbuf_fini(&b);
    return has;
}

/* A connection whose answer is being compressed at this moment. */
static int dial_under_way(const struct web *web)
{
    for (int tries = 0; tries < 1000; tries++) {
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        int fd = web_dial(web);
        web_say(fd, "GET /large HTTP/1.1\r\n" CLOSE GZIP "\r\n");
        while (recv(fd, (char[1]){0}, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
            if (says(web, "now 1,"))
                return fd;
        web_hear_all(fd, &b); /* that was too fast: once more */
        strbuf_fini(&b);
        close(fd);
    }
    REQUIRE(!"an answer is seen while it is compressed");
    return -1;
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    close(fd);
}

TEST(a_connection_ends_while_its_answer_is_compressed)
{
    EACH_SETTING(driver, workers)
    {
        LABEL("%s, %u workers", driver, workers);
        struct web web;
        struct strbuf b, body;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&body, alloc_system(), 0);
        web_start_workers(&web, driver, workers, (struct http_server_config){0});
        for (int i = 0; i < 5; i++)
            reset(dial_under_way(&web));
        while (!says(&web, "now 0,"))
            ;
        CHECK(web_exchange(&web, "GET /text/5000 HTTP/1.1\r\n" CLOSE GZIP "\r\n", &b));
        struct str rest = strbuf_str(&b);
        CHECK(take_answer(&rest, &body) && is_text(&body, 5000));
        web_stop(&web);
        strbuf_fini(&b);
        strbuf_fini(&body);
    }
}

/* The sanitizers' build tells what is lost. */
TEST(a_server_ends_while_an_answer_is_compressed)
{
    EACH_SETTING(driver, workers)
    {
        for (int late = 0; late <= 1; late++) {
            LABEL("%s, %u workers, %s", driver, workers, late ? "after its executor" : "before");
            struct web web;
            web_start_workers(&web, driver, workers, (struct http_server_config){0});
            web.close_late = late;
            int fd = dial_under_way(&web);
            web_stop(&web);
            close(fd);
        }
    }
}

/* Many at once: as many as may be are compressed, the others are sent as they are. */
TEST(compressions_under_way_are_bounded)
{
    enum { CLIENTS = WEB_WAITING_MAX };
    for (unsigned workers = 1; workers <= 2; workers++) {
        LABEL("%u workers", workers);
        struct web web;
        struct strbuf b, body;
        int fd[CLIENTS], zipped = 0;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&body, alloc_system(), 0);
        web_start_workers(&web, NULL, workers, (struct http_server_config){0});
        for (int i = 0; i < CLIENTS; i++) {
            fd[i] = web_dial(&web);
            web_say(fd[i], "GET /wait HTTP/1.1\r\n" CLOSE GZIP "\r\n");
        }
        char all[100];
        (void)snprintf(all, sizeof(all), "POST /all/%d HTTP/1.1\r\n" JSON "\r\n", CLIENTS);
        do
            CHECK(web_exchange(&web, all, &b));
        while (!str_ends(strbuf_str(&b), STR("true")));
        for (int i = 0; i < CLIENTS; i++) {
            web_hear_all(fd[i], &b);
            struct str rest = strbuf_str(&b);
            zipped += take_answer(&rest, &body);
            CHECK(is_text(&body, WEB_LARGE));
            close(fd[i]);
        }
        CHECK_EQ_INT(zipped, HTTP_GZIP_JOBS_MAX);
        CHECK(says(&web, "now 0, done 8\n"));
        web_stop(&web);
        strbuf_fini(&b);
        strbuf_fini(&body);
    }
}

/* Whichever allocation fails, an answer that comes is right; some are plain for want of memory. */
TEST(compression_without_memory)
{
    struct web web;
    struct strbuf b, body;
    int plain = 0;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&body, alloc_system(), 0);
    web_start(&web, "epoll", (struct http_server_config){0});
    bool fired = true;
    for (int n = 0; fired && n < 100; n++) {
        LABEL("allocation %d", n);
        web_set_fault(&web, n, &b);
        bool whole = web_exchange(&web, "GET /text/100000 HTTP/1.1\r\n" CLOSE GZIP "\r\n", &b);
        if (whole && str_starts(strbuf_str(&b), STR("HTTP/1.1 200 OK\r\n"))) {
            struct str rest = strbuf_str(&b);
            plain += !take_answer(&rest, &body);
            CHECK(is_text(&body, 100000));
        }
        web_set_fault(&web, -1, &b);
        fired = str_ends(strbuf_str(&b), STR("true"));
    }
    CHECK(!fired);
    CHECK_EQ_INT(plain, 1);
    web_stop(&web);
    strbuf_fini(&b);
    strbuf_fini(&body);
}
