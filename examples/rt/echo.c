/* echo: sends back what it receives, until SIGINT or SIGTERM. Each connection is a coroutine of one
 * scope; the signal cancels it, so accepting stops, and it ends when all connections have. */
#include <sedge/sedge.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static intptr_t serve(void *stream)
{
    char bytes[4096];
    size_t n;
    while (!sedge_stream_read(stream, bytes, sizeof(bytes), &n, 60000) &&
           !sedge_stream_write(stream, bytes, n, 60000))
        ;
    sedge_stream_finish(stream, 1000);
    return 0;
}

static intptr_t await_signal(void *scope)
{
    struct sedge_chan *quit;
    struct sedge_signals *s;
    if (sedge_chan_new(&quit, sizeof(int), 1, SEDGE_LOCAL) ||
        sedge_signals_new(&s, quit, (int[]){SIGINT, SIGTERM}, 2, NULL) ||
        sedge_chan_recv(quit, NULL))
        return 1;
    sedge_scope_cancel(scope);
    sedge_signals_free(s);
    sedge_chan_free(quit);
    return 0;
}

static intptr_t run(void *port)
{
    struct sedge_addr addr;
    struct sedge_listener *l;
    struct sedge_stream *s;
    struct sedge_scope all;
    struct sedge_error e = {0};
    if (sedge_addr_parse(&addr, "127.0.0.1", *(uint16_t *)port) || sedge_listen(&l, &addr, 0, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    addr = sedge_listener_addr(l);
    fprintf(stderr, "echo on port %d\n", sedge_addr_port(&addr));
    sedge_scope_begin(&all);
    enum sedge_err r = sedge_scope_spawn(&all, await_signal, &all, "signal");
    while (!r && !sedge_accept(l, &s, -1))
        if (sedge_scope_spawn(&all, serve, s, "connection"))
            sedge_stream_close(s);
    (void)sedge_scope_end(&all);
    sedge_listener_free(l);
    return r;
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7007;
    return sedge_main(NULL, run, &port);
}
