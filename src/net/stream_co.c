#include "net/stream_co.h"
#include "async/channel.h"
#include "async/select.h"
#include "net/net_internal.h"
#include <string.h>

#define MS_NS INT64_C(1000000)

/* --- waiting ------------------------------------------------------------------------------- */

struct patience {
    struct stream *stream;
    int64_t end_ns; /* -1: without limit */
};

static struct patience begin(struct stream *s, int64_t timeout_ms)
{
    struct task *me = co_waker(co_current()).task;
    if (s->task != me)
        stream_bind(s, me);
    int64_t end_ns = timeout_ms < 0 ? -1 : worker_now_ns(s->net->worker) + timeout_ms * MS_NS;
    return (struct patience){s, end_ns};
}

/* Until the stream has something to tell; may be too early. */
static enum err wait_on(const struct patience *p)
{
    size_t arm;
    if (p->end_ns < 0)
        return co_wait_woken();
    int64_t left_ns = p->end_ns - worker_now_ns(p->stream->net->worker);
    if (left_ns <= 0)
        return ERR_TIMEOUT;
    struct select_arm arms[] = {select_woken(), select_after_ms((left_ns + MS_NS - 1) / MS_NS)};
    return select_wait(arms, ARRAY_LEN(arms), &arm);
}

/* --- reading ------------------------------------------------------------------------------- */

/* What lies in the stream, whether it was looked at before or not. */
static struct bytes unread(const struct stream *s)
{
    return stream_unread_bytes(s);
}

static bool too_much(const struct stream *s, size_t n)
{
    return n > s->read_max / 2; /* with more in hand, receiving may be paused */
}

/* Until n bytes lie in the stream. */
static enum err await_bytes(const struct patience *p, size_t n)
{
    enum err r = ERR_OK;
    while (!r && stream_unread(p->stream) < n)
        r = p->stream->ended ? (enum err)p->stream->ended : wait_on(p);
    return r;
}

static void take(struct stream *s, void *p, size_t n)
{
    if (n > 0)
        memcpy(p, unread(s).p, n);
    stream_consume(s, n);
}

enum err stream_co_read(struct stream *s, void *p, size_t n, size_t *got, int64_t timeout_ms)
{
    struct patience wait = begin(s, timeout_ms);
    *got = 0;
    enum err r = await_bytes(&wait, n > 0);
    if (r)
        return r;
    *got = stream_unread(s) < n ? stream_unread(s) : n;
    take(s, p, *got);
    return ERR_OK;
}

enum err stream_co_read_exactly(struct stream *s, void *p, size_t n, int64_t timeout_ms)
{
    struct patience wait = begin(s, timeout_ms);
    if (too_much(s, n))
        return ERR_RANGE;
    enum err r = await_bytes(&wait, n);
    if (!r)
        take(s, p, n);
    return r;
}

enum err stream_co_read_until(struct stream *s, struct str delimiter, void *p, size_t n,
                              size_t *got, int64_t timeout_ms)
{
    struct patience wait = begin(s, timeout_ms);
    size_t seen = 0; /* bytes that are known not to begin the delimiter */
    ASSERT(delimiter.n > 0);
    *got = 0;
    if (too_much(s, n))
        return ERR_RANGE;
    for (;;) {
        struct bytes in = unread(s);
        size_t look = in.n < n ? in.n : n;
        const uint8_t *at =
            look > seen ? memmem(in.p + seen, look - seen, delimiter.p, delimiter.n) : NULL;
        if (at) {
            *got = (size_t)(at - in.p) + delimiter.n;
            take(s, p, *got);
            return ERR_OK;
        }
        if (look == n)
            return ERR_RANGE;
        if (look >= delimiter.n)
            seen = look - delimiter.n + 1;
        enum err r = await_bytes(&wait, in.n + 1);
        if (r)
            return r;
    }
}

/* --- writing ------------------------------------------------------------------------------- */

enum err stream_co_write(struct stream *s, const void *p, size_t n, int64_t timeout_ms)
{
    struct patience wait = begin(s, timeout_ms);
    const uint8_t *from = p;
    enum err r = ERR_OK;
    while (!r && n > 0) {
        /* Without room one byte is tried: the refusal makes the stream tell when there is some. */
        size_t room = stream_write_room(s), part = room == 0 ? 1 : room < n ? room : n;
        r = stream_write(s, from, part);
        if (!r) {
            from += part;
            n -= part;
        } else if (r == ERR_FULL) {
            r = wait_on(&wait);
        }
    }
    return r;
}

/* --- accepting ----------------------------------------------------------------------------- */

struct acceptor {
    struct alloc *alloc;
    struct listener *listener;
    struct chan ready; /* struct stream *, not yet bound: nothing is received for them */
    uint64_t refused;
};

static void on_accepted(void *ctx, struct stream *s)
{
    struct acceptor *a = ctx;
    if (chan_try_send(&a->ready, &s) == ERR_OK)
        return;
    a->refused++;
    stream_close(s);
}

enum err acceptor_open(struct acceptor **out, struct worker *w, const struct addr *addr,
                       size_t waiting_max, struct error *e)
{
    struct alloc *alloc = worker_alloc(w);
    struct acceptor *a = mem_zero(alloc, sizeof(*a));
    *out = NULL;
    ASSERT(waiting_max > 0);
    if (!a)
        return error_set(e, ERR_NOMEM, "no memory for a listener");
    a->alloc = alloc;
    if (chan_init(&a->ready, alloc, sizeof(struct stream *), waiting_max, REACH_WORKER)) {
        mem_free(alloc, a, sizeof(*a));
        return error_set(e, ERR_NOMEM, "no memory for a listener");
    }
    enum err r = listener_open(
        &a->listener, w,
        &(struct listener_config){.addr = *addr, .accepted = on_accepted, .ctx = a}, e);
    if (r) {
        acceptor_free(a);
        return r;
    }
    *out = a;
    return ERR_OK;
}

const struct addr *acceptor_addr(const struct acceptor *a)
{
    return listener_addr(a->listener);
}

uint64_t acceptor_refused(const struct acceptor *a)
{
    return a->refused;
}

enum err acceptor_take(struct acceptor *a, int64_t timeout_ms, struct stream **out)
{
    *out = NULL;
    return chan_recv_timed(&a->ready, out, timeout_ms);
}

void acceptor_close(struct acceptor *a)
{
    struct stream *s;
    if (!a->listener)
        return;
    listener_close(a->listener);
    a->listener = NULL;
    chan_close(&a->ready);
    while (chan_try_recv(&a->ready, &s) == ERR_OK)
        stream_close(s);
}

void acceptor_free(struct acceptor *a)
{
    if (!a)
        return;
    acceptor_close(a);
    chan_fini(&a->ready);
    mem_free(a->alloc, a, sizeof(*a));
}
