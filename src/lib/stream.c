#include <sedge/stream.h>

#include "async/select.h"
#include "lib/facade.h"
#include "net/stream_co.h"
#include <string.h>

_Static_assert(SEDGE_ADDR_TEXT_MAX == ADDR_TEXT_MAX, "text of an address");

enum { WAITING_MAX = 128, NS_A_MS = 1000000 };

/* --- addresses --- */

enum sedge_err sedge_addr_parse(struct sedge_addr *addr, const char *host, uint16_t port)
{
    return err_public(addr_parse(addr_of(addr), (struct str){host, strlen(host)}, port));
}

void sedge_addr_format(const struct sedge_addr *addr, char out[SEDGE_ADDR_TEXT_MAX])
{
    addr_format(addr_of(addr), out);
}

uint16_t sedge_addr_port(const struct sedge_addr *addr)
{
    return addr_port(addr_of(addr));
}

static struct sedge_addr addr_public(const struct addr *a)
{
    struct sedge_addr out = {{0}};
    *addr_of(&out) = *a;
    return out;
}

/* --- listeners, seen through a type that nobody defines; so are streams --- */

static inline struct acceptor *acceptor_of(const struct sedge_listener *l)
{
    return (struct acceptor *)(uintptr_t)l;
}

enum sedge_err sedge_listen(struct sedge_listener **out, const struct sedge_addr *addr,
                            size_t waiting_max, struct sedge_error *error)
{
    struct worker *w = worker_current();
    struct acceptor *a = NULL;
    struct error e = {0};
    enum err r = ERR_INVALID;
    if (w)
        r = acceptor_open(&a, w, addr_of(addr), waiting_max ? waiting_max : WAITING_MAX, &e);
    else
        (void)error_set(&e, r, "a listener belongs to a worker");
    *out = (struct sedge_listener *)a;
    if (r)
        error_public(error, &e);
    return err_public(r);
}

struct sedge_addr sedge_listener_addr(const struct sedge_listener *listener)
{
    return addr_public(acceptor_addr(acceptor_of(listener)));
}

uint64_t sedge_listener_refused(const struct sedge_listener *listener)
{
    return acceptor_refused(acceptor_of(listener));
}

enum sedge_err sedge_accept(struct sedge_listener *listener, struct sedge_stream **out,
                            int64_t timeout_ms)
{
    struct stream *s;
    enum err r = acceptor_take(acceptor_of(listener), timeout_ms, &s);
    *out = stream_public(s);
    return err_public(r);
}

void sedge_listener_close(struct sedge_listener *listener)
{
    acceptor_close(acceptor_of(listener));
}

void sedge_listener_free(struct sedge_listener *listener)
{
    acceptor_free(acceptor_of(listener));
}

/* --- connecting --- */

static enum err await_connected(struct stream *s, int64_t timeout_ms)
{
    struct worker *w = worker_current();
    int64_t end_ns = worker_now_ns(w) + timeout_ms * NS_A_MS;
    size_t arm;
    enum err r;
    while ((r = stream_connected(s)) == ERR_AGAIN) {
        int64_t left_ns = end_ns - worker_now_ns(w);
        struct select_arm arms[] = {select_woken(),
                                    select_after_ms((left_ns + NS_A_MS - 1) / NS_A_MS)};
        if (timeout_ms >= 0 && left_ns <= 0)
            return ERR_TIMEOUT;
        if ((r = select_wait(arms, timeout_ms < 0 ? 1 : 2, &arm)))
            return r;
    }
    return r;
}

enum sedge_err sedge_connect(struct sedge_stream **out, const struct sedge_addr *to,
                             int64_t timeout_ms, struct sedge_error *error)
{
    struct co *co = co_current();
    struct stream *s = NULL;
    struct error e = {0};
    char text[ADDR_TEXT_MAX];
    enum err r = ERR_INVALID;
    *out = NULL;
    addr_format(addr_of(to), text);
    if (co)
        r = stream_connect(&s, worker_current(), addr_of(to), co_waker(co).task);
    if (!r)
        r = await_connected(s, timeout_ms);
    if (!r) {
        *out = stream_public(s);
        return SEDGE_OK;
    }
    if (r == ERR_IO && s)
        (void)error_set_os(&e, stream_os_errno(s), "can't connect to %s", text);
    else
        (void)error_set(&e, r, "can't connect to %s: %s", text, err_name(r));
    if (s)
        stream_close(s);
    error_public(error, &e);
    return err_public(r);
}

/* --- streams --- */

enum sedge_err sedge_stream_read(struct sedge_stream *stream, void *p, size_t n, size_t *got,
                                 int64_t timeout_ms)
{
    return err_public(stream_co_read(stream_of(stream), p, n, got, timeout_ms));
}

enum sedge_err sedge_stream_read_exactly(struct sedge_stream *stream, void *p, size_t n,
                                         int64_t timeout_ms)
{
    return err_public(stream_co_read_exactly(stream_of(stream), p, n, timeout_ms));
}

enum sedge_err sedge_stream_read_until(struct sedge_stream *stream, const char *delimiter, void *p,
                                       size_t n, size_t *got, int64_t timeout_ms)
{
    struct str d = {delimiter, strlen(delimiter)};
    return err_public(stream_co_read_until(stream_of(stream), d, p, n, got, timeout_ms));
}

enum sedge_err sedge_stream_write(struct sedge_stream *stream, const void *p, size_t n,
                                  int64_t timeout_ms)
{
    return err_public(stream_co_write(stream_of(stream), p, n, timeout_ms));
}

void sedge_stream_finish(struct sedge_stream *stream, int64_t linger_ms)
{
    stream_finish(stream_of(stream), linger_ms);
}

void sedge_stream_close(struct sedge_stream *stream)
{
    if (stream)
        stream_close(stream_of(stream));
}

void sedge_stream_set_limits(struct sedge_stream *stream, const struct sedge_stream_limits *limits)
{
    struct stream_limits l = {limits->read_max, limits->write_max, limits->write_low};
    stream_set_limits(stream_of(stream), &l);
}

bool sedge_stream_peer(struct sedge_stream *stream, struct sedge_addr *out)
{
    const struct addr *a = stream_peer(stream_of(stream));
    *out = addr_public(a);
    return a->len > 0;
}

int sedge_stream_os_errno(const struct sedge_stream *stream)
{
    return stream_os_errno(stream_of(stream));
}
