/* A peer of bench/runtime_echo.py: an echo server on libuv, as one writes it who cares for its
 * speed: the loop has one buffer for all reads, and only what the socket does not take at once is
 * copied and queued. (libuv's own example allocates 64 KiB for each read; that cost twice as much.)
 *
 * usage: echo_uv PORT */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* What is left of an answer. */
struct rest {
    uv_write_t req; /* first */
    char bytes[];
};

static char buffer[64 * 1024]; /* of the loop's one thread; valid until on_read() returns */

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    (void)h, (void)size;
    *buf = uv_buf_init(buffer, sizeof(buffer));
}

static void give_up(uv_stream_t *s)
{
    if (!uv_is_closing((uv_handle_t *)s))
        uv_close((uv_handle_t *)s, on_closed);
}

static void on_written(uv_write_t *req, int status)
{
    if (status != 0)
        give_up(req->handle);
    free(req);
}

/* Behind what was queued before, if anything was. */
static int queue_rest(uv_stream_t *s, const char *bytes, size_t n)
{
    struct rest *r = malloc(sizeof(*r) + n);
    if (!r)
        return UV_ENOMEM;
    memcpy(r->bytes, bytes, n);
    uv_buf_t buf = uv_buf_init(r->bytes, (unsigned)n);
    int status = uv_write(&r->req, s, &buf, 1, on_written);
    if (status != 0)
        free(r);
    return status;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    if (n == 0)
        return;
    if (n < 0) {
        give_up(s);
        return;
    }
    uv_buf_t all = uv_buf_init(buf->base, (unsigned)n);
    int sent = uv_try_write(s, &all, 1); /* UV_EAGAIN too while something is queued */
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0 || (sent < n && queue_rest(s, buf->base + sent, (size_t)(n - sent)) != 0))
        give_up(s);
}

static void on_connection(uv_stream_t *server, int status)
{
    uv_tcp_t *c = status == 0 ? malloc(sizeof(*c)) : NULL;
    if (!c)
        return;
    uv_tcp_init(server->loop, c);
    if (uv_accept(server, (uv_stream_t *)c) != 0 || uv_tcp_nodelay(c, 1) != 0 ||
        uv_read_start((uv_stream_t *)c, on_alloc, on_read) != 0)
        uv_close((uv_handle_t *)c, on_closed);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at;
    uv_tcp_t server;
    if (argc != 2)
        return 2;
    uv_ip4_addr("127.0.0.1", (int)strtol(argv[1], NULL, 10), &at);
    uv_tcp_init(uv_default_loop(), &server);
    if (uv_tcp_bind(&server, (const struct sockaddr *)&at, 0) != 0 ||
        uv_listen((uv_stream_t *)&server, SOMAXCONN, on_connection) != 0)
        return 1;
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
