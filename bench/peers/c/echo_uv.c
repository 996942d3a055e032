/* A peer of bench/runtime_echo.py: the echo server of libuv's own examples and tests.
 *
 * usage: echo_uv PORT */
#include <stdlib.h>
#include <uv.h>

struct write {
    uv_write_t req; /* first */
    uv_buf_t buf;
};

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    (void)h;
    buf->base = malloc(size);
    buf->len = buf->base ? size : 0;
}

static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;
    if (status != 0 && !uv_is_closing((uv_handle_t *)req->handle))
        uv_close((uv_handle_t *)req->handle, on_closed);
    free(w->buf.base);
    free(w);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct write *w = n > 0 ? malloc(sizeof(*w)) : NULL;
    if (w) {
        w->buf = uv_buf_init(buf->base, (unsigned)n);
        if (uv_write(&w->req, s, &w->buf, 1, on_written) == 0)
            return;
        free(w);
    }
    free(buf->base);
    if (n != 0 && !uv_is_closing((uv_handle_t *)s))
        uv_close((uv_handle_t *)s, on_closed);
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
