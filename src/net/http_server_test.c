/* The server on a real socket: it runs on its worker's thread, the test is a client that blocks. */
#include "net/http_server.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

#include "codec/json.h"
#include "tests/support/test.h"

/* ---- the site under test; all of it belongs to the worker's thread ---- */

struct site {
    struct executor *ex;
    struct http_server *server;
    struct http_server_config cfg;
    const char *driver;
    pthread_t thread;
    sem_t ready;
    bool started;
    struct http_request *held; /* answered by POST /release */
    struct http_sse *reader;
    _Atomic int gone, closed, full;
    uint8_t zipped[4096];
    size_t zipped_size;
    struct task stopper;
};

static void get_hello(void *ctx, struct http_request *q)
{
    (void)ctx;
    http_respond(q, 200, "text/plain", STR("hello"));
}

static void get_page(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    http_respond_gzip(q, "text/html; charset=utf-8", "\"v1\"",
                      (struct bytes){site->zipped, site->zipped_size});
}

static void post_action(void *ctx, struct http_request *q)
{
    (void)ctx;
    struct strbuf b;
    struct json_writer w;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    json_object_begin(&w);
    json_key(&w, "device");
    json_str(&w, http_request_param(q, 0));
    json_key(&w, "action");
    json_str(&w, http_request_param(q, 1));
    json_key(&w, "body");
    json_str(&w, (struct str){(const char *)http_request_body(q).p, http_request_body(q).n});
    json_object_end(&w);
    http_respond_json(q, 202, strbuf_str(&b));
    strbuf_fini(&b);
}

static void post_conflict(void *ctx, struct http_request *q)
{
    (void)ctx;
    http_problem_str(q, "owner", STR("line_guard"));
    http_respond_problem(q, 409, "%s is owned", "plant.\"belt\"");
}

static void request_gone(void *arg, struct http_request *q)
{
    struct site *site = arg;
    if (site->held == q)
        site->held = NULL;
    site->gone++;
}

static void get_later(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    http_request_on_gone(q, request_gone, site);
    site->held = q;
}

static void post_release(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    struct http_request *held = site->held;
    site->held = NULL;
    if (held)
        http_respond(held, 200, "text/plain", STR("late"));
    http_respond_json(q, 200, held ? STR("true") : STR("false"));
}

static void reader_closed(void *arg, struct http_sse *sse)
{
    struct site *site = arg;
    if (site->reader == sse)
        site->reader = NULL;
    site->closed++;
}

static void get_live(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    site->reader = http_sse_start(q, reader_closed, site);
}

static void post_emit(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    struct bytes body = http_request_body(q);
    enum err err = ERR_NOT_FOUND;
    if (site->reader)
        err = http_sse_send(site->reader, "samples", (struct str){(const char *)body.p, body.n});
    http_respond_json(q, 200, err ? STR("false") : STR("true"));
}

static void post_hang_up(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    if (site->reader)
        http_sse_close(site->reader);
    site->reader = NULL;
    http_respond_json(q, 200, STR("true"));
}

/* Fills a reader who does not read until the server refuses more. */
static void post_flood(void *ctx, struct http_request *q)
{
    struct site *site = ctx;
    static char data[1000];
    memset(data, 'x', sizeof(data));
    enum err err = ERR_OK;
    for (int i = 0; i < 2000 && !err && site->reader; i++)
        err = http_sse_send(site->reader, NULL, (struct str){data, sizeof(data)});
    if (err == ERR_FULL && http_sse_waiting(site->reader) <= 256u << 10)
        site->full++;
    http_respond_json(q, 200, STR("true"));
}

static void get_large(void *ctx, struct http_request *q)
{
    (void)ctx;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (int i = 0; i < 500000; i++)
        strbuf_addf(&b, "%09d\n", i);
    http_respond(q, 200, "text/plain", strbuf_str(&b));
    strbuf_fini(&b);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/hello", get_hello},
    {HTTP_GET, "/later", get_later},
    {HTTP_GET, "/large", get_large},
    {HTTP_GET, "/api/live", get_live},
    {HTTP_POST, "/release", post_release},
    {HTTP_POST, "/emit", post_emit},
    {HTTP_POST, "/flood", post_flood},
    {HTTP_POST, "/hangup", post_hang_up},
    {HTTP_POST, "/conflict", post_conflict},
    {HTTP_POST, "/api/devices/{device}/actions/{action}", post_action},
    {HTTP_DELETE, "/hello", post_conflict},
};

static void zip_page(struct site *site)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t) "<h1>page</h1>", .avail_in = 13};
    z.next_out = site->zipped;
    z.avail_out = sizeof(site->zipped);
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    site->zipped_size = z.total_out;
    deflateEnd(&z);
}

/* The executor lives and dies on one thread, as a ring belongs to its thread. */
static void *run_site(void *arg)
{
    struct site *site = arg;
    struct executor_config ec = {.env = env_linux(),
                                 .alloc = alloc_system(),
                                 .workers = 1,
                                 .driver = site->driver,
                                 .offload_threads = 1};
    struct addr any;
    struct error e = {0};
    enum err err = executor_new(&site->ex, &ec, &e);
    if (!err)
        err = addr_parse(&any, STR("127.0.0.1"), 0);
    if (!err)
        err = http_server_open(&site->server, executor_worker(site->ex, 0), &any, &site->cfg, &e);
    site->started = err == ERR_OK;
    CHECK_EQ_STR(e.text, "");
    sem_post(&site->ready);
    if (!err)
        executor_run(site->ex);
    if (site->ex)
        executor_free(site->ex);
    return NULL;
}

static void site_start(struct site *site, const char *driver, struct http_server_config cfg)
{
    static const char *const hosts[] = {"sedge.example"};
    memset(site, 0, sizeof(*site));
    zip_page(site);
    cfg.routes = routes;
    cfg.route_count = ARRAY_LEN(routes);
    cfg.fallback = get_page;
    cfg.ctx = site;
    cfg.csp = "default-src 'self'";
    cfg.hosts = hosts;
    cfg.host_count = 1;
    site->cfg = cfg;
    site->driver = driver;
    REQUIRE(sem_init(&site->ready, 0, 0) == 0);
    REQUIRE(pthread_create(&site->thread, NULL, run_site, site) == 0);
    while (sem_wait(&site->ready) != 0)
        ;
    REQUIRE(site->started);
}

static enum poll stop_poll(struct task *t)
{
    struct site *site = CONTAINER_OF(t, struct site, stopper);
    if (site->server)
        http_server_close(site->server);
    site->server = NULL;
    executor_stop(site->ex);
    return POLL_READY;
}

static void site_stop(struct site *site)
{
    task_init(&site->stopper, "stop", stop_poll, NULL);
    task_spawn(executor_worker(site->ex, 0), &site->stopper);
    pthread_join(site->thread, NULL);
    sem_destroy(&site->ready);
}

/* ---- the client ---- */

static int dial(const struct site *site)
{
    const struct addr *a = http_server_addr(site->server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 20};
    REQUIRE(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    REQUIRE(connect(fd, &a->sa, a->len) == 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        REQUIRE(sent > 0);
        text += sent;
        n -= (size_t)sent;
    }
}

/* A ring that this thread had, now gone, may still interrupt its calls. */
static ssize_t hear(int fd, char *buf, size_t size)
{
    ssize_t n;
    do
        n = recv(fd, buf, size, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Up to the end of the connection. */
static void hear_all(int fd, struct strbuf *b)
{
    char buf[65536];
    ssize_t n;
    strbuf_reset(b);
    while ((n = hear(fd, buf, sizeof(buf))) > 0)
        strbuf_add(b, buf, (size_t)n);
    CHECK_EQ_INT(n, 0);
}

/* Until the text has come that ends in `end`. */
static bool hear_until(int fd, struct strbuf *b, const char *end)
{
    char c;
    strbuf_reset(b);
    while (!str_ends(strbuf_str(b), str_from(end))) {
        if (hear(fd, &c, 1) != 1)
            return false;
        strbuf_addc(b, c);
    }
    return true;
}

static void exchange(const struct site *site, const char *request, struct strbuf *b)
{
    int fd = dial(site);
    say(fd, request);
    hear_all(fd, b);
    close(fd);
}

static const char *const drivers[] = {"epoll", "io_uring"};

static bool driver_works(const char *name)
{
    struct executor *ex = NULL;
    struct executor_config ec = {.env = env_linux(),
                                 .alloc = alloc_system(),
                                 .workers = 1,
                                 .driver = name,
                                 .offload_threads = 1};
    if (executor_new(&ex, &ec, NULL))
        return false;
    executor_free(ex);
    return true;
}

#define EACH_DRIVER(name)                                                                          \
    for (size_t d = 0; d < ARRAY_LEN(drivers); d++)                                                \
        for (const char *name = driver_works(drivers[d]) ? drivers[d] : NULL; name; name = NULL)

#define H     "Host: localhost:1\r\n"
#define CLOSE H "Connection: close\r\n"
#define JSON  CLOSE "Content-Type: application/json\r\n"

TEST(http_server_answers)
{
    static const struct {
        const char *label, *request, *status, *has[6];
    } rows[] = {
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
          "\"detail\":\"plant.\\\"belt\\\" is owned\",\"owner\":\"line_guard\"}"}},
        {"another method",
         "PUT /hello HTTP/1.1\r\n" CLOSE "\r\n",
         "405 Method Not Allowed",
         {"Allow: GET, HEAD, DELETE\r\n"}},
        {"an unknown method", "BREW /hello HTTP/1.1\r\n" CLOSE "\r\n", "405", {"Allow: GET"}},
        {"GET of a POST route",
         "GET /conflict HTTP/1.1\r\n" CLOSE "\r\n",
         "405 Method Not Allowed",
         {"Allow: POST\r\n"}},
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
        {"another host", "GET /hello HTTP/1.0\r\nHost: evil.example\r\n\r\n", "421", {0}},
        {"another address", "GET /hello HTTP/1.0\r\nHost: 10.0.0.1\r\n\r\n", "421", {0}},
        {"no host at all", "GET /hello HTTP/1.0\r\n\r\n", "421", {0}},
        {"a declared name",
         "GET /hello HTTP/1.0\r\nHost: SEDGE.example:80\r\n\r\n",
         "200",
         {"hello"}},
        {"loopback, IPv6", "GET /hello HTTP/1.0\r\nHost: [::1]:80\r\n\r\n", "200", {"hello"}},
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
    EACH_DRIVER(driver)
    {
        struct site site;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        site_start(&site, driver, (struct http_server_config){0});
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            LABEL("%s, %s", driver, rows[i].label);
            char status[64];
            snprintf(status, sizeof(status), "HTTP/1.1 %s", rows[i].status);
            exchange(&site, rows[i].request, &b);
            CHECK(str_starts(strbuf_str(&b), str_from(status)));
            for (size_t k = 0; k < ARRAY_LEN(rows[i].has) && rows[i].has[k]; k++)
                CHECK_HAS_STR(b.p, rows[i].has[k]);
            if (str_starts(str_from(rows[i].request), STR("HEAD")) ||
                str_eq(str_from(rows[i].status), STR("304 Not Modified")))
                CHECK(str_ends(strbuf_str(&b), STR("\r\n\r\n")));
        }
        site_stop(&site);
        strbuf_fini(&b);
    }
}

TEST(http_server_keeps_order)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct site site;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        site_start(&site, driver, (struct http_server_config){0});
        int fd = dial(&site);
        /* Three at once; the second is answered only after another connection asks for it. */
        say(fd, "GET /hello HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H
                "\r\nGET / HTTP/1.1\r\n" CLOSE "\r\n");
        CHECK(hear_until(fd, &b, "\r\n\r\nhello"));
        do
            exchange(&site, "POST /release HTTP/1.1\r\n" JSON "\r\n", &b);
        while (!str_ends(strbuf_str(&b), STR("true")));
        hear_all(fd, &b);
        CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 200 OK\r\n")));
        CHECK_HAS_STR(b.p, "\r\n\r\nlateHTTP/1.1 200 OK\r\n");
        CHECK(str_ends(strbuf_str(&b), STR("<h1>page</h1>")));
        close(fd);
        site_stop(&site);
        CHECK_EQ_INT(site.gone, 0);
        strbuf_fini(&b);
    }
}

/* Byte by byte, and 500 requests on one connection in pieces of every length. */
TEST(http_server_takes_any_pieces)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct site site;
        struct strbuf b, many;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&many, alloc_system(), 0);
        site_start(&site, driver, (struct http_server_config){0});
        int fd = dial(&site);
        static const char one[] = "POST /api/devices/a/actions/b HTTP/1.1\r\n" JSON
                                  "Content-Length: 11\r\n\r\n{\"x\": true}";
        for (size_t i = 0; i < sizeof(one) - 1; i++) {
            char c[2] = {one[i]};
            say(fd, c);
        }
        hear_all(fd, &b);
        CHECK_HAS_STR(b.p, "\"body\":\"{\\\"x\\\": true}\"");
        close(fd);

        for (int i = 0; i < 500; i++)
            strbuf_addf(&many,
                        "POST /api/devices/d%d/actions/b HTTP/1.1\r\n%sContent-Type: "
                        "application/json\r\nContent-Length: 2\r\n\r\n[]",
                        i, i == 499 ? CLOSE : H);
        fd = dial(&site);
        char piece[400];
        for (size_t at = 0, n = 1; at < many.n; at += n, n = n % 397 + 1) {
            struct str part = str_sub(strbuf_str(&many), at, n);
            memcpy(piece, part.p, part.n);
            piece[part.n] = '\0';
            say(fd, piece);
        }
        hear_all(fd, &b);
        struct str rest = strbuf_str(&b), line;
        int next = 0;
        while (str_split(&rest, '{', &line)) {
            char want[40];
            snprintf(want, sizeof(want), "\"device\":\"d%d\",", next);
            next += str_starts(line, str_from(want));
        }
        CHECK_EQ_INT(next, 500);
        close(fd);
        site_stop(&site);
        strbuf_fini(&b);
        strbuf_fini(&many);
    }
}

TEST(http_server_sends_more_than_a_socket_takes)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct site site;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        site_start(&site, driver, (struct http_server_config){0});
        exchange(&site, "GET /large HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" CLOSE "\r\n", &b);
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
        site_stop(&site);
        strbuf_fini(&b);
    }
}

TEST(http_server_bounds_chunked_bodies)
{
    struct site site;
    struct strbuf b, request;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&request, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){.body_max = 1000});
    for (int size = 1000; size <= 1001; size++) {
        LABEL("%d bytes", size);
        strbuf_reset(&request);
        strbuf_addf(&request, "POST /conflict HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n",
                    JSON);
        strbuf_addf(&request, "%x\r\n%0*d\r\n0\r\n\r\n", (unsigned)size, size, 1);
        exchange(&site, request.p, &b);
        const char *want = size == 1000 ? "HTTP/1.1 409" : "HTTP/1.1 413 Content Too Large\r\n";
        CHECK(str_starts(strbuf_str(&b), str_from(want)));
    }
    site_stop(&site);
    strbuf_fini(&b);
    strbuf_fini(&request);
}

TEST(http_server_expects_continue)
{
    struct site site;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){0});
    int fd = dial(&site);
    say(fd, "POST /api/devices/a/actions/b HTTP/1.1\r\n" JSON
            "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(hear_until(fd, &b, "\r\n\r\n"));
    CHECK_EQ_STR(b.p, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "{}");
    hear_all(fd, &b);
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 202 Accepted\r\n")));
    close(fd);
    exchange(&site, "POST /none HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
             &b);
    CHECK(str_starts(strbuf_str(&b), STR("HTTP/1.1 404 Not Found\r\n")));
    site_stop(&site);
    strbuf_fini(&b);
}

TEST(http_server_streams_events)
{
    EACH_DRIVER(driver)
    {
        LABEL("%s", driver);
        struct site site;
        struct strbuf b, answer;
        strbuf_init(&b, alloc_system(), 0);
        strbuf_init(&answer, alloc_system(), 0);
        site_start(&site, driver, (struct http_server_config){0});
        int fd = dial(&site);
        say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(hear_until(fd, &b, "retry: 2000\n\n"));
        CHECK_HAS_STR(b.p, "Content-Type: text/event-stream\r\n");
        CHECK_HAS_STR(b.p, "Cache-Control: no-store\r\n");
        exchange(&site, "POST /emit HTTP/1.1\r\n" JSON "Content-Length: 9\r\n\r\n[1,\n2]\rx\n",
                 &answer);
        CHECK(str_ends(strbuf_str(&answer), STR("true")));
        CHECK(hear_until(fd, &b, "\n\n"));
        CHECK_EQ_STR(b.p, "event: samples\ndata: [1,\ndata: 2]\ndata: x\ndata: \n\n");
        /* The server hangs up, without telling the one who asked for it. */
        exchange(&site, "POST /hangup HTTP/1.1\r\n" JSON "\r\n", &answer);
        hear_all(fd, &b);
        CHECK_EQ_INT(site.closed, 0);
        close(fd);
        /* The reader hangs up, and the server is told. */
        fd = dial(&site);
        say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(hear_until(fd, &b, "retry: 2000\n\n"));
        close(fd);
        do
            exchange(&site, "POST /emit HTTP/1.1\r\n" JSON "Content-Length: 1\r\n\r\n1", &answer);
        while (str_ends(strbuf_str(&answer), STR("true")));
        CHECK_EQ_INT(site.closed, 1);
        /* Its end is the server's: told as well. */
        fd = dial(&site);
        say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
        CHECK(hear_until(fd, &b, "retry: 2000\n\n"));
        site_stop(&site);
        hear_all(fd, &b);
        close(fd);
        CHECK_EQ_INT(site.closed, 2);
        strbuf_fini(&b);
        strbuf_fini(&answer);
    }
}

TEST(http_server_bounds_a_slow_reader)
{
    struct site site;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){0});
    int fd = dial(&site);
    say(fd, "GET /api/live HTTP/1.1\r\n" H "\r\n");
    CHECK(hear_until(fd, &b, "retry: 2000\n\n"));
    exchange(&site, "POST /flood HTTP/1.1\r\n" JSON "\r\n", &b);
    CHECK_EQ_INT(site.full, 1);
    close(fd);
    site_stop(&site);
    strbuf_fini(&b);
}

TEST(http_server_tells_who_waits_in_vain)
{
    struct site site;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){0});
    int fd = dial(&site);
    say(fd, "GET /later HTTP/1.1\r\n" H "\r\n");
    /* A reset, not an orderly end: whoever only stops sending still gets the answer. */
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    exchange(&site, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", &b);
    close(fd);
    int other = dial(&site);
    say(other, "GET /later HTTP/1.1\r\n" H "\r\n");
    shutdown(other, SHUT_WR);
    for (int i = 0; i < 1000 && site.gone == 0; i++)
        usleep(10000);
    CHECK_EQ_INT(site.gone, 1);
    do
        exchange(&site, "POST /release HTTP/1.1\r\n" JSON "\r\n", &b);
    while (!str_ends(strbuf_str(&b), STR("true")));
    hear_all(other, &b);
    CHECK(str_ends(strbuf_str(&b), STR("late")));
    close(other);
    /* And at the server's end. */
    fd = dial(&site);
    say(fd, "GET /hello HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(hear_until(fd, &b, "hello"));
    site_stop(&site);
    CHECK_EQ_INT(site.gone, 2);
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
    struct site site;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){.header_ms = 50, .idle_ms = 50});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        int fd = dial(&site);
        say(fd, rows[i].text);
        hear_all(fd, &b);
        CHECK(str_starts(strbuf_str(&b), str_from(rows[i].want)));
        CHECK_EQ_INT(b.n == 0, rows[i].want[0] == '\0');
        close(fd);
    }
    site_stop(&site);
    strbuf_fini(&b);
}

TEST(http_server_closes_the_longest_idle)
{
    struct site site;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_start(&site, NULL, (struct http_server_config){.connections_max = 3});
    int fd[4];
    for (int i = 0; i < 3; i++) {
        fd[i] = dial(&site);
        say(fd[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
        CHECK(hear_until(fd[i], &b, "hello"));
    }
    say(fd[0], "GET /hello HTTP/1.1\r\n" H "\r\n"); /* now the second is the longest idle */
    CHECK(hear_until(fd[0], &b, "hello"));
    fd[3] = dial(&site);
    hear_all(fd[1], &b);
    CHECK_EQ_UINT(b.n, 0);
    say(fd[3], "GET /later HTTP/1.1\r\n" H "\r\n");
    say(fd[0], "GET /hello HTTP/1.1\r\n" CLOSE "\r\n");
    hear_all(fd[0], &b);
    CHECK(str_ends(strbuf_str(&b), STR("hello")));
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    site_stop(&site);
    CHECK_EQ_UINT(site.gone, 1);
    strbuf_fini(&b);
}
