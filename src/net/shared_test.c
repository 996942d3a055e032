/* stream_write_shared(): what is sent by reference arrives among what is copied, and is released
 * once. */
#include "net/net_fixture.h"
#include <string.h>

enum { BODY = 40000, ROUNDS = 60 };

static struct share {
    uint8_t body[BODY];
    size_t queued, released;
} share;

static void on_release(void *ctx)
{
    struct share *x = ctx;
    x->released++;
}

/* Odd and even rounds: heads of a few bytes, and of more than a block. */
static size_t head_size(int round)
{
    return round % 3 == 0 ? 3 : round % 3 == 1 ? 300 : 20000;
}

static enum poll share_all(struct conn *c)
{
    static uint8_t head[20000];
    const struct stream_shared body = {share.body, BODY, on_release, &share};
    while (c->rounds < ROUNDS) {
        size_t n = head_size(c->rounds);
        memset(head, 'a' + c->rounds % 26, n);
        enum err r = stream_write_shared(c->stream, head, n, &body);
        if (r == ERR_FULL)
            return POLL_PENDING;
        if (!CHECK_EQ_INT(r, ERR_OK))
            return end(c, r);
        share.queued++;
        c->rounds++;
    }
    stream_finish(c->stream, 20000);
    c->stream = NULL;
    return POLL_READY;
}

/* Where in a round this byte stands. */
static bool byte_fits(struct conn *c, uint8_t byte)
{
    size_t n = head_size(c->rounds);
    int want = c->sent < n ? 'a' + c->rounds % 26 : share.body[c->sent - n];
    if (++c->sent == n + BODY) {
        c->sent = 0;
        c->rounds++;
    }
    return byte == want;
}

static enum poll read_all(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        for (size_t i = 0; i < in.n; i++)
            if (!byte_fits(c, in.p[i]))
                return end(c, ERR_CORRUPT);
        stream_consume(c->stream, in.n);
    }
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

static void begin(void)
{
    share.queued = share.released = 0;
    for (size_t i = 0; i < BODY; i++)
        share.body[i] = pattern(i);
}

TEST(what_is_shared_arrives_and_is_released)
{
    EACH_WAY(driver, way)
    {
        struct conn c = {0};
        struct site x;
        begin();
        site_open_on(&x, driver, way, "127.0.0.1", 0, share_all);
        x.limits = (struct stream_limits){.write_max = 200 * 1000, .write_low = 50 * 1000};
        connect_client(&x, &c, read_all);
        x.stop_after_servers = 1;
        site_run(&x);
        CHECK_EQ_INT(c.end, ERR_CLOSED);
        CHECK_EQ_INT(c.rounds, ROUNDS);
        CHECK_EQ_UINT(share.queued, ROUNDS);
        CHECK_EQ_UINT(share.released, ROUNDS);
    }
}

/* Small ones between shared ones do not take a block each. */
static enum poll many_small(struct conn *c)
{
    const struct stream_shared body = {share.body, 100, on_release, &share};
    size_t before = net_blocks_left(c->stream->net);
    for (int i = 0; i < 500; i++) {
        CHECK_EQ_INT(stream_write_shared(c->stream, "head", 4, &body), ERR_OK);
        CHECK_EQ_INT(stream_write(c->stream, "tail", 4), ERR_OK);
        uint8_t *p = stream_reserve(c->stream, 4);
        REQUIRE(p != NULL);
        memcpy(p, "more", 4);
        stream_commit(c->stream, 4);
    }
    CHECK(before - net_blocks_left(c->stream->net) <= 1);
    CHECK_EQ_UINT(share.released, 0);
    return end(c, ERR_OK); /* nothing of it has left: it is released all the same */
}

static enum poll until_end(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    while (!r && (r = stream_read(c->stream, &in)) == ERR_OK)
        stream_consume(c->stream, in.n);
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

TEST(what_is_shared_is_released_by_the_end)
{
    struct conn c = {0};
    struct site x;
    begin();
    site_open(&x, "sim", "127.0.0.1", 0, many_small);
    connect_client(&x, &c, until_end);
    x.stop_after_servers = 1;
    site_run(&x);
    CHECK_EQ_INT(c.end, ERR_CLOSED);
    CHECK_EQ_UINT(share.released, 500);
}

/* Refused as a whole: neither the head is queued nor the body released. */
static enum poll too_much(struct conn *c)
{
    const struct stream_shared body = {share.body, BODY, on_release, &share};
    static const uint8_t head[20000];
    CHECK_EQ_INT(stream_write_shared(c->stream, head, sizeof(head), &body), ERR_RANGE);
    CHECK_EQ_INT(stream_write(c->stream, head, 15000), ERR_OK);
    CHECK_EQ_INT(stream_write_shared(c->stream, head, 10, &body), ERR_FULL);
    CHECK_EQ_UINT(stream_write_pending(c->stream), 15000);
    CHECK_EQ_UINT(share.released, 0);
    return end(c, ERR_OK);
}

TEST(what_is_shared_may_be_refused)
{
    struct conn c = {0};
    struct site x;
    begin();
    site_open(&x, "sim", "127.0.0.1", 0, too_much);
    x.limits = (struct stream_limits){.write_max = BODY + 11000};
    connect_client(&x, &c, until_end);
    x.stop_after_servers = 1;
    site_run(&x);
    CHECK_EQ_UINT(share.released, 0);
}
