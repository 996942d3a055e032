#include "net/http_fixture.h"

#include "async/timer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

#include "codec/json.h"

/* ---- the site under test; all of it belongs to the worker's thread ---- */

static void *one_fault_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct one_fault *f = CONTAINER_OF(a, struct one_fault, alloc);
    if (new_size > 0 && f->left >= 0 && f->left-- == 0) {
        f->fired = true;
        return NULL;
    }
    return mem_resize(alloc_system(), p, old_size, new_size);
}

static void get_hello(void *ctx, struct http_request *q)
{
    (void)ctx;
    http_respond(q, 200, "text/plain", STR("hello"));
}

static void get_page(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    http_respond_gzip(q, "text/html; charset=utf-8", "\"v1\"",
                      (struct bytes){web->zipped, web->zipped_size});
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

static void get_typed(void *ctx, struct http_request *q)
{
    (void)ctx;
    http_problem_type(q, "/problems/strange", "It is strange");
    http_respond_problem(q, 422, "why");
}

static void request_gone(void *arg, struct http_request *q)
{
    struct web *web = arg;
    if (web->held == q)
        web->held = NULL;
    web->gone++;
}

static void get_later(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    http_request_on_gone(q, request_gone, web);
    web->held = q;
}

static void post_release(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    struct http_request *held = web->held;
    web->held = NULL;
    if (held)
        http_respond(held, 200, "text/plain", STR("late"));
    http_respond_json(q, 200, held ? STR("true") : STR("false"));
}

/* The n-th allocation from now on fails; tells whether the last one set did. */
static void post_fault(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    int64_t n = -1;
    CHECK_EQ_INT(str_to_i64(http_request_param(q, 0), &n), ERR_OK);
    bool fired = web->fault.fired;
    http_respond_json(q, 200, fired ? STR("true") : STR("false"));
    web->fault.left = (int)n;
    web->fault.fired = false;
}

static void reader_closed(void *arg, struct http_sse *sse)
{
    struct web *web = arg;
    if (web->reader == sse)
        web->reader = NULL;
    web->closed++;
}

static void get_live(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    web->reader = http_sse_start(q, reader_closed, web);
}

static void post_emit(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    struct bytes body = http_request_body(q);
    enum err err = ERR_NOT_FOUND;
    if (web->reader)
        err = http_sse_send(web->reader, "samples", (struct str){(const char *)body.p, body.n});
    http_respond_json(q, 200, err ? STR("false") : STR("true"));
}

static void post_hang_up(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    if (web->reader)
        http_sse_close(web->reader);
    web->reader = NULL;
    http_respond_json(q, 200, STR("true"));
}

/* Fills a reader who does not read until the server refuses more. */
static void post_flood(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    static char data[1000];
    memset(data, 'x', sizeof(data));
    enum err err = ERR_OK;
    for (int i = 0; i < 2000 && !err && web->reader; i++)
        err = http_sse_send(web->reader, NULL, (struct str){data, sizeof(data)});
    if (err == ERR_FULL && http_sse_waiting(web->reader) <= 256u << 10)
        web->full++;
    http_respond_json(q, 200, STR("true"));
}

void web_text(struct strbuf *b, size_t n)
{
    for (int i = 0; b->n + 10 <= n; i++)
        strbuf_addf(b, "%09d\n", i);
    while (b->n < n)
        strbuf_addc(b, '.');
}

static void respond_text(struct http_request *q, const char *type, size_t n)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    web_text(&b, n);
    http_respond(q, 200, type, strbuf_str(&b));
    strbuf_fini(&b);
}

static void get_large(void *ctx, struct http_request *q)
{
    (void)ctx;
    respond_text(q, "text/plain", 5000000);
}

static void get_text(void *ctx, struct http_request *q)
{
    (void)ctx;
    int64_t n = -1;
    CHECK_EQ_INT(str_to_i64(http_request_param(q, 0), &n), ERR_OK);
    respond_text(q, "text/plain; charset=utf-8", (size_t)n);
}

static void get_image(void *ctx, struct http_request *q)
{
    (void)ctx;
    respond_text(q, "image/png", 5000);
}

/* Bytes that nothing compresses, although their type says that they are text. */
static void get_noise(void *ctx, struct http_request *q)
{
    (void)ctx;
    static char noise[20000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof(noise); i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (char)(x >> 24);
    }
    http_respond(q, 200, "text/plain", (struct str){noise, sizeof(noise)});
}

static void waiting_gone(void *arg, struct http_request *q)
{
    struct web *web = arg;
    for (int i = 0; i < web->waiting_n; i++)
        if (web->waiting[i] == q)
            web->waiting[i] = web->waiting[--web->waiting_n];
}

static void get_wait(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    REQUIRE(web->waiting_n < WEB_WAITING_MAX);
    http_request_on_gone(q, waiting_gone, web);
    web->waiting[web->waiting_n++] = q;
}

/* If at least so many wait; says whether. */
static void post_all(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    int64_t n = -1;
    CHECK_EQ_INT(str_to_i64(http_request_param(q, 0), &n), ERR_OK);
    bool there = web->waiting_n >= n;
    while (there && web->waiting_n > 0)
        respond_text(web->waiting[--web->waiting_n], "text/plain", WEB_LARGE);
    http_respond_json(q, 200, there ? STR("true") : STR("false"));
}

static void get_gzips(void *ctx, struct http_request *q)
{
    struct web *web = ctx;
    struct http_server_stats s = http_server_stats(web->server);
    char text[64];
    int n =
        snprintf(text, sizeof(text), "now %zu, done %" PRIu64 "\n", s.compressing, s.compressed);
    http_respond(q, 200, "text/plain", (struct str){text, (size_t)n});
}

/* --- an answer of any length --- */

struct count {
    struct list link; /* of web.counts */
    struct web *web;
    struct http_stream *stream;
    struct timer timer;
    int64_t at, n;
    unsigned asked;
    bool breaks;
};

static void count_free(struct count *c)
{
    timer_cancel(&c->timer);
    list_del(&c->link);
    free(c);
}

static void count_closed(void *arg)
{
    struct count *c = arg;
    c->web->closed++;
    count_free(c);
}

static void count_goes_on(struct timer *t)
{
    http_stream_resume(CONTAINER_OF(t, struct count, timer)->stream);
}

static void count_ends(struct count *c)
{
    if (c->breaks)
        http_stream_abort(c->stream);
    else
        http_stream_end(c->stream);
    count_free(c);
}

static void count_ready(void *arg)
{
    struct count *c = arg;
    char piece[HTTP_PIECE_MAX];
    size_t n = 0, most = c->asked % 2 ? sizeof(piece) : 100;
    if (c->asked++ % 3 == 2) {
        timer_set_after_ms(&c->timer, 1);
        return;
    }
    while (c->at < c->n && n + 24 <= most)
        n += (size_t)snprintf(piece + n, sizeof(piece) - n, "%lld\n", (long long)c->at++);
    c->web->counted += n;
    if (http_stream_write(c->stream, (struct str){piece, n}))
        count_closed(c);
    else if (c->at == c->n)
        count_ends(c);
}

static void start_count(struct web *web, struct http_request *q, bool breaks)
{
    struct count *c = calloc(1, sizeof(*c));
    REQUIRE(c != NULL);
    *c = (struct count){.web = web, .breaks = breaks};
    CHECK_EQ_INT(str_to_i64(http_request_param(q, 0), &c->n), ERR_OK);
    timer_init(&c->timer, executor_worker(web->ex, 0), count_goes_on);
    list_init(&c->link);
    c->stream = http_stream_start(q, "text/plain",
                                  &(struct http_stream_owner){count_ready, count_closed, c});
    if (c->stream)
        list_add_tail(&web->counts, &c->link);
    else
        free(c);
}

static void get_count(void *ctx, struct http_request *q)
{
    start_count(ctx, q, false);
}

static void get_broken(void *ctx, struct http_request *q)
{
    start_count(ctx, q, true);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/hello", get_hello},
    {HTTP_GET, "/later", get_later},
    {HTTP_GET, "/large", get_large},
    {HTTP_GET, "/text/{n}", get_text},
    {HTTP_GET, "/image", get_image},
    {HTTP_GET, "/noise", get_noise},
    {HTTP_GET, "/wait", get_wait},
    {HTTP_POST, "/all/{n}", post_all},
    {HTTP_GET, "/gzips", get_gzips},
    {HTTP_GET, "/api/live", get_live},
    {HTTP_GET, "/typed one", get_typed},
    {HTTP_GET, "/count/{n}", get_count},
    {HTTP_GET, "/broken/{n}", get_broken},
    {HTTP_POST, "/release", post_release},
    {HTTP_POST, "/fault/{n}", post_fault},
    {HTTP_POST, "/emit", post_emit},
    {HTTP_POST, "/flood", post_flood},
    {HTTP_POST, "/hangup", post_hang_up},
    {HTTP_POST, "/conflict", post_conflict},
    {HTTP_POST, "/api/devices/{device}/actions/{action}", post_action},
    {HTTP_DELETE, "/hello", post_conflict},
};

static void zip_page(struct web *web)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t) "<h1>page</h1>", .avail_in = 13};
    z.next_out = web->zipped;
    z.avail_out = sizeof(web->zipped);
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    web->zipped_size = z.total_out;
    deflateEnd(&z);
}

/* The executor lives and dies on one thread, as a ring belongs to its thread. */
static void *run_web(void *arg)
{
    struct web *web = arg;
    struct executor_config ec = {.env = env_linux(),
                                 .alloc = &web->fault.alloc,
                                 .workers = web->workers,
                                 .driver = web->driver,
                                 .offload_threads = 1};
    struct addr any;
    struct error e = {0};
    enum err err = executor_new(&web->ex, &ec, &e);
    if (!err)
        err = addr_parse(&any, STR("127.0.0.1"), 0);
    if (!err)
        err = http_server_open(&web->server, executor_worker(web->ex, 0), &any, &web->cfg, &e);
    web->started = err == ERR_OK;
    CHECK_EQ_STR(e.text, "");
    sem_post(&web->ready);
    if (!err)
        executor_run(web->ex);
    if (web->close_late)
        http_server_close(web->server);
    while (!err && sem_wait(&web->stopped) != 0)
        ; /* the other thread is still in its call that woke us */
    if (web->ex)
        executor_free(web->ex);
    return NULL;
}

void web_start(struct web *web, const char *driver, struct http_server_config cfg)
{
    web_start_workers(web, driver, 1, cfg);
}

void web_start_workers(struct web *web, const char *driver, unsigned workers,
                       struct http_server_config cfg)
{
    static const char *const hosts[] = {"sedge.example"};
    memset(web, 0, sizeof(*web));
    web->fault = (struct one_fault){{one_fault_resize}, -1, false};
    list_init(&web->counts);
    zip_page(web);
    cfg.routes = routes;
    cfg.route_count = ARRAY_LEN(routes);
    cfg.fallback = get_page;
    cfg.ctx = web;
    cfg.csp = "default-src 'self'";
    cfg.hosts = hosts;
    cfg.host_count = 1;
    web->cfg = cfg;
    web->driver = driver;
    web->workers = workers;
    REQUIRE(sem_init(&web->ready, 0, 0) == 0 && sem_init(&web->stopped, 0, 0) == 0);
    REQUIRE(pthread_create(&web->thread, NULL, run_web, web) == 0);
    while (sem_wait(&web->ready) != 0)
        ;
    REQUIRE(web->started);
}

static enum poll stop_poll(struct task *t)
{
    struct web *web = CONTAINER_OF(t, struct web, stopper);
    if (web->server && !web->close_late) {
        http_server_close(web->server);
        web->server = NULL;
    }
    executor_stop(web->ex);
    return POLL_READY;
}

void web_stop(struct web *web)
{
    task_init(&web->stopper, "stop", stop_poll, NULL);
    task_spawn(executor_worker(web->ex, 0), &web->stopper);
    sem_post(&web->stopped);
    pthread_join(web->thread, NULL);
    sem_destroy(&web->ready);
    sem_destroy(&web->stopped);
}

/* ---- the client ---- */

int web_dial(const struct web *web)
{
    const struct addr *a = http_server_addr(web->server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 20};
    REQUIRE(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    REQUIRE(connect(fd, &a->sa, a->len) == 0);
    return fd;
}

void web_say(int fd, const char *text)
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

static bool hear_end(int fd, struct strbuf *b)
{
    char buf[65536];
    ssize_t n;
    strbuf_reset(b);
    while ((n = hear(fd, buf, sizeof(buf))) > 0)
        strbuf_add(b, buf, (size_t)n);
    return n == 0;
}

void web_hear_all(int fd, struct strbuf *b)
{
    CHECK(hear_end(fd, b));
}

bool web_hear_until(int fd, struct strbuf *b, const char *end)
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

bool web_exchange(const struct web *web, const char *request, struct strbuf *b)
{
    int fd = web_dial(web);
    web_say(fd, request);
    bool whole = hear_end(fd, b);
    close(fd);
    return whole;
}

void web_set_fault(const struct web *web, int n, struct strbuf *b)
{
    char fault[200];
    snprintf(fault, sizeof(fault), "POST /fault/%d HTTP/1.1\r\n%s\r\n", n, JSON);
    bool set = false;
    for (int tries = 0; tries < 2 && !set; tries++) /* it may hit this request: once */
        set = web_exchange(web, fault, b) && str_starts(strbuf_str(b), STR("HTTP/1.1 200 OK\r\n"));
    CHECK(set);
}

const char *const web_drivers[2] = {"epoll", "io_uring"};

bool web_driver_works(const char *name)
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
