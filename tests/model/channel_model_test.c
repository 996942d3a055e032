/* Channels that can be reached by all threads, between coroutines on two and three workers. */
#include "async/channel.h"
#include "tests/model/site.h"

struct stage {
    struct site site;
    struct chan *chan;
    size_t capacity;
    unsigned got, sent, closed, timed_out; /* counted in the order of the steps: no thread's */
    unsigned seen[16];
};

static void channel_begin(struct stage *g)
{
    g->chan = mem_zero(model_alloc(), sizeof(*g->chan));
    HOLD(chan_init(g->chan, model_alloc(), sizeof(unsigned), g->capacity, REACH_ANY) == ERR_OK);
}

static void channel_end(struct stage *g)
{
    chan_fini(g->chan);
    mem_free(model_alloc(), g->chan, sizeof(*g->chan));
}

static void play(struct stage *g, size_t capacity, unsigned n, intptr_t (*const parts[])(void *))
{
    *g = (struct stage){.capacity = capacity};
    site_begin(&g->site, n, true);
    channel_begin(g);
    site_play(&g->site, parts, n, g);
}

/* Each sender has its own numbers, so that the parts need not share any. */
static void send_some(struct stage *g, unsigned first, unsigned n)
{
    for (unsigned x = first; x < first + n; x++)
        HOLD(chan_send(g->chan, &x) == ERR_OK);
}

static intptr_t send_1_2(void *arg)
{
    send_some(arg, 1, 2);
    return 0;
}

static intptr_t send_1(void *arg)
{
    send_some(arg, 1, 1);
    return 0;
}

static intptr_t send_9(void *arg)
{
    send_some(arg, 9, 1);
    return 0;
}

static intptr_t recv_two(void *arg)
{
    struct stage *g = arg;
    for (unsigned i = 0; i < 2; i++) {
        unsigned x = 0;
        HOLD(chan_recv(g->chan, &x) == ERR_OK);
        HOLD(x < ARRAY_LEN(g->seen) && g->seen[x]++ == 0);
        g->got++;
    }
    return 0;
}

static void in_order(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 2, (intptr_t(*const[])(void *)){send_1_2, recv_two});
    HOLD(g.seen[1] == 1 && g.seen[2] == 1);
    channel_end(&g);
    site_end(&g.site);
}

static void two_senders(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 3, (intptr_t(*const[])(void *)){send_1, recv_two, send_9});
    HOLD(g.seen[1] == 1 && g.seen[9] == 1);
    channel_end(&g);
    site_end(&g.site);
}

/* --- close --- */

static intptr_t send_then_close(void *arg)
{
    struct stage *g = arg;
    send_some(g, 1, 1);
    chan_close(g->chan);
    return 0;
}

static intptr_t recv_until_closed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0;
    enum err r;
    while ((r = chan_recv(g->chan, &x)) == ERR_OK)
        g->got += x == 1;
    HOLD(r == ERR_CLOSED);
    return 0;
}

/* What was sent before the close arrives. */
static void close_after(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 2, (intptr_t(*const[])(void *)){send_then_close, recv_until_closed});
    HOLD(g.got == 1);
    channel_end(&g);
    site_end(&g.site);
}

static intptr_t try_to_send(void *arg)
{
    struct stage *g = arg;
    unsigned x = 1;
    enum err r = chan_send(g->chan, &x);
    HOLD(r == ERR_OK || r == ERR_CLOSED);
    g->sent += r == ERR_OK;
    return 0;
}

static intptr_t close_it(void *arg)
{
    struct stage *g = arg;
    chan_close(g->chan);
    return 0;
}

/* Sent and received, or neither. */
static void close_meanwhile(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 3,
         (intptr_t(*const[])(void *)){try_to_send, recv_until_closed, close_it});
    HOLD(g.got == g.sent);
    channel_end(&g);
    site_end(&g.site);
}

/* Nobody receives: the sender is told. */
static void close_sender(void *arg)
{
    struct stage g;
    unsigned left;
    play(&g, (uintptr_t)arg, 2, (intptr_t(*const[])(void *)){try_to_send, close_it});
    HOLD(g.sent == chan_len(g.chan));
    (void)!chan_try_recv(g.chan, &left);
    channel_end(&g);
    site_end(&g.site);
}

/* --- time-outs --- */

static intptr_t recv_timed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0;
    enum err r = chan_recv_timed(g->chan, &x, 1);
    HOLD(r == ERR_OK || r == ERR_TIMEOUT);
    HOLD(x == (r == ERR_OK));
    g->got += r == ERR_OK;
    return 0;
}

static intptr_t send_timed(void *arg)
{
    struct stage *g = arg;
    unsigned x = 1;
    site_await_sleep(&g->site, 1); /* so that both times may pass while we are at it */
    enum err r = chan_send_timed(g->chan, &x, 1);
    HOLD(r == ERR_OK || r == ERR_TIMEOUT);
    g->sent += r == ERR_OK;
    return 0;
}

/* A wait that ends by time passes nothing, one that does not has passed it. */
static void time_out(void *arg)
{
    struct stage g;
    unsigned left = 0;
    play(&g, (uintptr_t)arg, 2, (intptr_t(*const[])(void *)){send_timed, recv_timed});
    HOLD(g.sent - g.got == chan_len(g.chan));
    (void)!chan_try_recv(g.chan, &left);
    channel_end(&g);
    site_end(&g.site);
}

/* --- tries from a thread of its own --- */

static void try_from_outside(void *arg)
{
    struct stage *g = arg;
    unsigned x = 1;
    while (chan_try_send(g->chan, &x) == ERR_AGAIN)
        model_yield();
}

static intptr_t start_outsider(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0, thread = model_thread(try_from_outside, g);
    HOLD(chan_recv(g->chan, &x) == ERR_OK && x == 1);
    model_join(thread);
    return 0;
}

static void outsider(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 1, (intptr_t(*const[])(void *)){start_outsider});
    channel_end(&g);
    site_end(&g.site);
}

/* --- who was served may destroy the thing at once --- */

static intptr_t recv_and_destroy(void *arg)
{
    struct stage *g = arg;
    unsigned x = 0;
    HOLD(chan_recv(g->chan, &x) == ERR_OK && x == 1);
    channel_end(g);
    return 0;
}

static void destroyed(void *arg)
{
    struct stage g;
    play(&g, (uintptr_t)arg, 2, (intptr_t(*const[])(void *)){send_1, recv_and_destroy});
    site_end(&g.site);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    uintptr_t capacity;
    unsigned preemptions, stale;
} rows[] = {
    {"in order, capacity 0", in_order, 0, 1, 1},
    {"in order, capacity 1", in_order, 1, 2, 0},
    {"two senders, capacity 0", two_senders, 0, 1, 1},
    {"two senders, capacity 1", two_senders, 1, 1, 1},
    {"close after, capacity 0", close_after, 0, 1, 1},
    {"close after, capacity 1", close_after, 1, 2, 0},
    {"close meanwhile, capacity 0", close_meanwhile, 0, 1, 1},
    {"close meanwhile, capacity 1", close_meanwhile, 1, 1, 1},
    {"close a sender, capacity 0", close_sender, 0, 2, 0},
    {"time-out, capacity 0", time_out, 0, 2, 0},
    {"time-out, capacity 1", time_out, 1, 2, 0},
    {"outsider, capacity 0", outsider, 0, 2, 1},
    {"outsider, capacity 1", outsider, 1, 2, 1},
    {"destroyed, capacity 0", destroyed, 0, 2, 0},
};

TEST(channel_across_workers)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        model_check(&(struct model){.name = rows[i].name,
                                    .run = rows[i].run,
                                    .arg = (void *)rows[i].capacity,
                                    .preemptions = rows[i].preemptions,
                                    .stale = rows[i].stale,
                                    .walks = 300});
    }
}
