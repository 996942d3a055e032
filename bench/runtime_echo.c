/* bench: helper. Our echo server for runtime_echo.py: a plain poll task on a stream for each
 * connection, as the protocols of the server are made.
 *
 * usage: runtime_echo PORT [io_uring | epoll] */
#include "base/log.h"
#include "net/listener.h"

#include <stdio.h>
#include <sys/resource.h>

struct echo {
    struct task task;
    struct stream *stream;
};

static enum poll echo_poll(struct task *t)
{
    struct echo *c = CONTAINER_OF(t, struct echo, task);
    struct bytes in;
    enum err r = t->canceled ? ERR_CANCELED : ERR_OK;
    while (!r && (r = stream_read(c->stream, &in)) == ERR_OK) {
        size_t room = stream_write_room(c->stream), n = in.n < room ? in.n : room;
        r = n > 0 ? stream_write(c->stream, in.p, n) : ERR_FULL;
        if (!r)
            stream_consume(c->stream, n);
    }
    if (r == ERR_AGAIN || r == ERR_FULL)
        return POLL_PENDING;
    stream_close(c->stream);
    return POLL_READY;
}

static void echo_finished(struct task *t)
{
    mem_free(alloc_system(), CONTAINER_OF(t, struct echo, task), sizeof(struct echo));
}

static void accepted(void *ctx, struct stream *s)
{
    struct worker *w = ctx;
    struct echo *c = mem_zero(worker_alloc(w), sizeof(*c));
    if (!c) {
        stream_close(s);
        return;
    }
    c->stream = s;
    task_init(&c->task, "echo", echo_poll, echo_finished);
    stream_bind(s, &c->task);
    task_spawn(w, &c->task);
}

int main(int argc, char **argv)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = 1,
                                  .driver = argc > 2 ? argv[2] : NULL,
                                  .offload_threads = 1};
    struct listener_config lc = {.accepted = accepted};
    struct executor *ex;
    struct listener *l;
    struct error e = {0};
    struct rlimit files;
    int64_t port;
    if (argc < 2 || str_to_i64(str_from(argv[1]), &port) || port < 1 || port > UINT16_MAX ||
        addr_parse(&lc.addr, STR("127.0.0.1"), (uint16_t)port)) {
        (void)fputs("usage: runtime_echo PORT [io_uring | epoll]\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (executor_new(&ex, &cfg, &e)) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    lc.ctx = executor_worker(ex, 0);
    if (listener_open(&l, lc.ctx, &lc, &e)) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    executor_run(ex);
    listener_close(l);
    executor_free(ex);
    return 0;
}
