/* What lasts longer than one answer: events, answers in pieces, answers that come later, time-outs,
 * limits, faults. */
#include "net/http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(http_server_streams_events)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        struct strbuf b, answer;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&answer, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        int fd = web_dial(&web);
        web_say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(fd, &b, "retry: 2000\n\n"));
        CHECK_HAS_STR(b.p, "Content-Type: text/event-stream\r\n");
        CHECK_HAS_STR(b.p, "Cache-Control: no-store\r\n");
        CHECK(web_exchange(
            &web, "POST /emit HTTP/1.1\r\n" JSON "Content-Length: 9\r\n\r\n[1,\n2]\rx\n", &answer));
        CHECK(str_ends(strbuf_str(&answer), STR("true")));
        CHECK(web_hear_until(fd, &b, "\n\n"));
        CHECK_EQ_STR(b.p, "event: samples\ndata: [1,\ndata: 2]\ndata: x\ndata: \n\n");
        /* The server hangs up, without telling the one who asked for it. */
        CHECK(web_exchange(&web, "POST /hangup HTTP/1.1\r\n" JSON "\r\n", &answer));
        web_hear_all(fd, &b);
        CHECK_EQ_INT(web.closed, 0);
        close(fd);
        /* The reader hangs up, and the server is told. */
        fd = web_dial(&web);
        web_say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(fd, &b, "retry: 2000\n\n"));
        close(fd);
        do
            CHECK(web_exchange(&web, "POST /emit HTTP/1.1\r\n" JSON "Content-Length: 1\r\n\r\n1",
                               &answer));
        while (str_ends(strbuf_str(&answer), STR("true")));
        CHECK_EQ_INT(web.closed, 1);
        /* Its end is the server's: told as well. */
        fd = web_dial(&web);
        web_say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(fd, &b, "retry: 2000\n\n"));
        web_stop(&web);
        web_hear_all(fd, &b);
        close(fd);
        CHECK_EQ_INT(web.closed, 2);
        strbuf_fini(&b);
        strbuf_fini(&answer);
    }
}

TEST(http_server_bounds_a_slow_reader)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){0});
    int fd = web_dial(&web);
    web_say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
    CHECK(web_hear_until(fd, &b, "retry: 2000\n\n"));
    CHECK(web_exchange(&web, "POST /flood HTTP/1.1\r\n" JSON "\r\n", &b));
    CHECK_EQ_INT(web.full, 1);
    close(fd);
    web_stop(&web);
    strbuf_fini(&b);
}

/* --- answers in pieces --- */

/* Takes the chunks of the answer in `b` apart. What is left behind its last one; NULL: none. */
static const char *unchunk(const struct strbuf *b, struct strbuf *body)
{
    const char *at = strstr(b->p, "\r\n\r\n");
    if (!at)
        return NULL;
    at += 4;
    strbuf_reset(body);
    for (;;) {
        char *line;
        unsigned long n = strtoul(at, &line, 16);
        if (line == at || strncmp(line, "\r\n", 2) != 0 || line + 2 + n + 2 > b->p + b->n)
            return NULL;
        strbuf_add(body, line + 2, n);
        at = line + 2 + n;
        if (strncmp(at, "\r\n", 2) != 0)
            return NULL;
        at += 2;
        if (n == 0)
            return at;
    }
}

static bool is_count(const struct strbuf *b, const char *from, int n)
{
    char line[24];
    for (int i = 0; i < n; i++) {
        int len = snprintf(line, sizeof(line), "%d\n", i);
        if (strncmp(from, line, (size_t)len) != 0)
            return false;
        from += len;
    }
    return from == b->p + b->n;
}

TEST(http_server_answers_in_pieces)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        struct strbuf b, body;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&body, alloc_system(), 0);
        web_start(&web, driver, (struct http_server_config){0});
        static const int lengths[] = {0, 1, 30, 100000, 1000000};
        for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
            char request[200];
            snprintf(request, sizeof(request), "GET /count/%d HTTP/1.1\r\n" CLOSE "\r\n",
                     lengths[i]);
            CHECK(web_exchange(&web, request, &b));
            CHECK_HAS_STR(b.p, "Transfer-Encoding: chunked\r\n");
            CHECK_HAS_STR(b.p, "Cache-Control: no-store\r\n");
            const char *rest = unchunk(&b, &body);
            CHECK(rest && *rest == '\0');
            CHECK(is_count(&body, body.p, lengths[i]));
        }
        /* The next request of the connection waits for its turn. */
        int fd = web_dial(&web);
        web_say(fd, "GET /count/20000 HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" CLOSE "\r\n");
        web_hear_all(fd, &b);
        close(fd);
        const char *rest = unchunk(&b, &body);
        CHECK(rest && strncmp(rest, "HTTP/1.1 200 OK\r\n", 17) == 0);
        CHECK(is_count(&body, body.p, 20000) && str_ends(strbuf_str(&b), STR("hello")));
        /* HTTP/1.0 knows no chunks: up to the end of the connection. */
        CHECK(web_exchange(&web, "GET /count/20000 HTTP/1.0\r\nHost: localhost\r\n\r\n", &b));
        CHECK(strstr(b.p, "chunked") == NULL);
        CHECK(is_count(&b, strstr(b.p, "\r\n\r\n") + 4, 20000));
        CHECK(web_exchange(&web, "HEAD /count/20000 HTTP/1.1\r\n" CLOSE "\r\n", &b));
        CHECK(str_ends(strbuf_str(&b), STR("\r\n\r\n")));
        web_stop(&web);
        CHECK(list_empty(&web.counts));
        CHECK_EQ_INT(web.closed, 0);
        strbuf_fini(&b);
        strbuf_fini(&body);
    }
}

TEST(http_server_breaks_off_what_is_not_whole)
{
    struct web web;
    struct strbuf b, body;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&body, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){0});
    int fd = web_dial(&web);
    web_say(fd, "GET /broken/1000 HTTP/1.1\r\n" H "\r\n");
    web_hear_all(fd, &b);
    close(fd);
    CHECK(b.n == 0 || unchunk(&b, &body) == NULL); /* the last chunk is missing */
    CHECK_EQ_INT(web.closed, 0);
    web_stop(&web);
    strbuf_fini(&b);
    strbuf_fini(&body);
}

/* A reader that does not read is not written for, and at last given up. */
TEST(http_server_holds_an_answer_in_pieces_back)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct web web;
        web_start(&web, driver, (struct http_server_config){.idle_ms = 100});
        int fd = web_dial(&web);
        web_say(fd, "GET /count/100000000 HTTP/1.1\r\n" H "\r\n");
        for (int i = 0; i < 3000 && web.closed == 0; i++)
            usleep(10000);
        CHECK_EQ_INT(web.closed, 1);
        CHECK(web.counted < 32 << 20); /* of 900 MB: what the system's buffers take, and 128 KiB */
        close(fd);
        /* Who goes in the middle is noticed; the server's own end too. */
        fd = web_dial(&web);
        web_say(fd, "GET /count/100000000 HTTP/1.1\r\n" H "\r\n");
        close(fd);
        for (int i = 0; i < 3000 && web.closed == 1; i++)
            usleep(10000);
        CHECK_EQ_INT(web.closed, 2);
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        fd = web_dial(&web);
        web_say(fd, "GET /count/100000000 HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(fd, &b, "\r\n\r\n"));
        web_stop(&web);
        CHECK_EQ_INT(web.closed, 3);
        CHECK(list_empty(&web.counts));
        close(fd);
        strbuf_fini(&b);
    }
}

TEST(http_server_tells_who_waits_in_vain)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){0});
    int fd = web_dial(&web);
    web_say(fd, "GET /later HTTP/1.1\r\n" H "\r\n");
    /* A reset, not an orderly end: whoever only stops sending still gets the answer. */
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    CHECK(web_exchange(&web, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", &b));
    close(fd);
    int other = web_dial(&web);
    web_say(other, "GET /later HTTP/1.1\r\n" H "\r\n");
    shutdown(other, SHUT_WR);
    for (int i = 0; i < 1000 && web.gone == 0; i++)
        usleep(10000);
    CHECK_EQ_INT(web.gone, 1);
    do
        CHECK(web_exchange(&web, "POST /release HTTP/1.1\r\n" JSON "\r\n", &b));
    while (!str_ends(strbuf_str(&b), STR("true")));
    web_hear_all(other, &b);
    CHECK(str_ends(strbuf_str(&b), STR("late")));
    close(other);
    /* And at the server's end. */
    fd = web_dial(&web);
    web_say(fd, "GET /hello HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(web_hear_until(fd, &b, "hello"));
    web_stop(&web);
    CHECK_EQ_INT(web.gone, 2);
    close(fd);
    strbuf_fini(&b);
}

TEST(http_server_has_patience_and_its_end)
{
    static const struct {
        const char *label, *text, *want;
    } rows[] = {
        {"nothing is said", "", ""},
        {"half a head", "GET /hello HT", "HTTP/1.1 408 Request Timeout\r\n"},
        {"half a body", "POST /conflict HTTP/1.1\r\n" JSON "Content-Length: 9\r\n\r\n1234",
         "HTTP/1.1 408 Request Timeout\r\n"},
        {"no second request", "GET /hello HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 200 OK\r\n"},
    };
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){.header_ms = 50, .idle_ms = 50});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        int fd = web_dial(&web);
        web_say(fd, rows[i].text);
        web_hear_all(fd, &b);
        CHECK(str_starts(strbuf_str(&b), str_from(rows[i].want)));
        CHECK_EQ_INT(b.n == 0, rows[i].want[0] == '\0');
        close(fd);
    }
    web_stop(&web);
    strbuf_fini(&b);
}

TEST(http_server_closes_the_longest_idle)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){.connections_max = 3});
    int fd[4];
    for (int i = 0; i < 3; i++) {
        fd[i] = web_dial(&web);
        web_say(fd[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(fd[i], &b, "hello"));
    }
    web_say(fd[0], "GET /hello HTTP/1.1\r\n" H "\r\n"); /* now the second is the longest idle */
    CHECK(web_hear_until(fd[0], &b, "hello"));
    fd[3] = web_dial(&web);
    web_hear_all(fd[1], &b);
    CHECK_EQ_UINT(b.n, 0);
    web_say(fd[3], "GET /later HTTP/1.1\r\n" H "\r\n");
    web_say(fd[0], "GET /hello HTTP/1.1\r\n" CLOSE "\r\n");
    web_hear_all(fd[0], &b);
    CHECK(str_ends(strbuf_str(&b), STR("hello")));
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    web_stop(&web);
    CHECK_EQ_UINT(web.gone, 1);
    strbuf_fini(&b);
}

/* All are busy: who comes is told so, as long as there are not many. */
TEST(http_server_tells_who_is_one_too_many)
{
    struct web web;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_start(&web, NULL, (struct http_server_config){.connections_max = 2});
    int busy[2], silent[8];
    for (int i = 0; i < 2; i++) {
        busy[i] = web_dial(&web);
        web_say(busy[i], "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(web_hear_until(busy[i], &b, "retry: 2000\n\n"));
    }
    CHECK(web_exchange(&web, "GET /hello HTTP/1.1\r\n" H "\r\n", &b)); /* ends it by itself */
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 503 Service Unavailable\r\n")));
    CHECK_HAS_STR(b.p, "Retry-After: 2\r\n");
    CHECK_HAS_STR(b.p, "Content-Type: application/problem+json\r\n");
    CHECK_HAS_STR(b.p, "\"status\":503,\"detail\":\"too many connections are busy\"");
    for (int i = 0; i < 8; i++) /* idle ones make room, as ever */
        silent[i] = web_dial(&web);
    CHECK(web_exchange(&web, "GET /hello HTTP/1.1\r\n" H "\r\n", &b));
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 503")));
    close(busy[0]);
    do /* until the server has seen it go */
        CHECK(web_exchange(&web, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", &b));
    while (str_starts(strbuf_str(&b), STR("HTTP/1.1 503")));
    CHECK(str_ends(strbuf_str(&b), STR("hello")));
    close(busy[1]);
    for (int i = 0; i < 8; i++)
        close(silent[i]);
    web_stop(&web);
    strbuf_fini(&b);
}

/* Whichever allocation fails: the client gets its answer, a 5xx or the end of the connection; the
 * next one is served as ever. */
TEST(http_server_survives_faults)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\n" CLOSE "\r\n",
        "GET /count/9 HTTP/1.1\r\n" CLOSE "\r\n",
        "GET /none HTTP/1.1\r\n" CLOSE "\r\n",
        "GET / HTTP/1.1\r\n" CLOSE "\r\n",
        "PUT /hello HTTP/1.1\r\n" CLOSE "\r\n",
        "POST /conflict HTTP/1.1\r\n" JSON "Content-Length: 2\r\n\r\n{}",
        "POST /conflict HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "nonsense\r\n\r\n",
    };
    struct web web;
    struct strbuf b, want;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&want, alloc_system(), 0);
    web_start(&web, "epoll", (struct http_server_config){0});
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        CHECK(web_exchange(&web, requests[i], &want));
        bool fired = true;
        for (int n = 0; fired && n < 100; n++) {
            LABEL("request %zu, allocation %d", i, n);
            web_set_fault(&web, n, &b);
            bool whole = web_exchange(&web, requests[i], &b);
            bool refused = !whole || b.n == 0 || str_starts(strbuf_str(&b), STR("HTTP/1.1 5"));
            CHECK(refused || str_starts(strbuf_str(&b), str_sub(strbuf_str(&want), 0, 17)));
            CHECK(refused || b.n == want.n);
            web_set_fault(&web, -1, &b);
            fired = str_ends(strbuf_str(&b), STR("true"));
            CHECK(n > 0 || fired);
        }
        CHECK(!fired);
    }
    web_stop(&web);
    strbuf_fini(&b);
    strbuf_fini(&want);
}
