/* A WebSocket server seen by clients that send bytes of their own: good frames and bad ones. */
#include "net/net_fixture.h"
#include "net/ws_handshake.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HELLO                                                                                      \
    "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"       \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                 \
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n"

/* A masked frame with a mask of nought: its payload as it is. */
#define MASKED(head, n)             head n "\0\0\0\0"
#define BYTES(literal)              (const uint8_t *)(literal), sizeof(literal) - 1
#define FIFTY                       "01234567890123456789012345678901234567890123456789"
#define HUNDRED                     FIFTY FIFTY
#define CLOSED(code_high, code_low) "\x88\x02" code_high code_low

struct frames_case {
    const char *name;
    const uint8_t *send;
    size_t send_n;
    const uint8_t *want; /* the server's bytes behind its 101 */
    size_t want_n;
    bool fails; /* else it ends in peace, or goes on */
};

static const struct frames_case cases[] = {
    {"an echo", BYTES(MASKED("\x82", "\x85") "hello"), BYTES("\x82\x05hello"), false},
    {"masked", BYTES("\x82\x85\x01\x02\x03\x04\x69\x67\x6f\x68\x6e"), BYTES("\x82\x05hello"),
     false},
    {"empty", BYTES(MASKED("\x82", "\x80") MASKED("\x82", "\x81") "x"), BYTES("\x82\x01x"), false},
    {"fragments, and a ping between them",
     BYTES(MASKED("\x02", "\x83") "hel" MASKED("\x89", "\x81") "p" MASKED("\x80", "\x82") "lo"),
     BYTES("\x8a\x01p\x82\x05hello"), false},
    {"ping", BYTES(MASKED("\x89", "\x80")), BYTES("\x8a\x00"), false},
    {"a pong that nobody asked for", BYTES(MASKED("\x8a", "\x81") "x" MASKED("\x82", "\x81") "y"),
     BYTES("\x82\x01y"), false},
    {"close", BYTES(MASKED("\x88", "\x82") "\x03\xe8"), BYTES(CLOSED("\x03", "\xe8")), false},
    {"close without a reason", BYTES(MASKED("\x88", "\x80")), BYTES(CLOSED("\x03", "\xe8")), false},
    {"close with half a reason", BYTES(MASKED("\x88", "\x81") "\x03"),
     BYTES(CLOSED("\x03", "\xea")), true},
    {"unmasked", BYTES("\x82\x05hello"), BYTES(CLOSED("\x03", "\xea")), true},
    {"text", BYTES(MASKED("\x81", "\x81") "x"), BYTES(CLOSED("\x03", "\xeb")), true},
    {"reserved bit", BYTES(MASKED("\xc2", "\x81") "x"), BYTES(CLOSED("\x03", "\xea")), true},
    {"unknown opcode", BYTES(MASKED("\x83", "\x81") "x"), BYTES(CLOSED("\x03", "\xea")), true},
    {"unknown control", BYTES(MASKED("\x8b", "\x81") "x"), BYTES(CLOSED("\x03", "\xea")), true},
    {"a fragment of nothing", BYTES(MASKED("\x80", "\x81") "x"), BYTES(CLOSED("\x03", "\xea")),
     true},
    {"a message in a message", BYTES(MASKED("\x02", "\x81") "h" MASKED("\x82", "\x81") "y"),
     BYTES(CLOSED("\x03", "\xea")), true},
    {"a ping in fragments", BYTES(MASKED("\x09", "\x81") "x"), BYTES(CLOSED("\x03", "\xea")), true},
    {"a ping that is too long", BYTES(MASKED("\x89", "\xfe\x00\x7e") "x"),
     BYTES(CLOSED("\x03", "\xea")), true},
    {"a length that is not the shortest", BYTES(MASKED("\x82", "\xfe\x00\x05") "hello"),
     BYTES(CLOSED("\x03", "\xea")), true},
    {"text, and the client goes on",
     BYTES(MASKED("\x81", "\x85") "hello" HUNDRED HUNDRED HUNDRED HUNDRED),
     BYTES(CLOSED("\x03", "\xeb")), true},
    {"a length of more than 63 bits", BYTES(MASKED("\x82", "\xff\xff\0\0\0\0\0\0\0") "x"),
     BYTES(CLOSED("\x03", "\xea")), true},
    {"a frame that is too large", BYTES(MASKED("\x82", "\xff\0\0\0\0\x20\0\0\0") "x"),
     BYTES(CLOSED("\x03", "\xf1")), true},
};

static struct talk {
    const struct frames_case *frames;
    bool bytewise;
    uint8_t out[1024], in[1024];
    size_t out_n, in_n;
    enum err server_end;
    int server_errno;
    char problem[96];
} talk;

/* An echo of whole reads; what it is told goes to the test. */
static enum poll serve(struct conn *c)
{
    struct bytes in;
    enum err r;
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        if (in.n >= 5 || in.p[0] != 'h') { /* "hel" is waited for: a part of a message */
            CHECK_EQ_INT(stream_write(c->stream, in.p, in.n), ERR_OK);
            stream_consume(c->stream, in.n);
        }
    }
    if (r == ERR_AGAIN)
        return POLL_PENDING;
    talk.server_end = r;
    talk.server_errno = stream_os_errno(c->stream);
    (void)snprintf(talk.problem, sizeof(talk.problem), "%s", stream_problem(c->stream));
    stream_finish(c->stream, 5000);
    return POLL_READY;
}

static enum poll send_raw(struct conn *c)
{
    struct bytes in;
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    size_t n = talk.bytewise ? 1 : talk.out_n;
    if (c->sent < talk.out_n) {
        CHECK_EQ_INT(stream_write(c->stream, talk.out + c->sent, n), ERR_OK);
        c->sent += n;
        task_wake(&c->task);
    }
    while ((r = stream_read(c->stream, &in)) == ERR_OK) {
        REQUIRE(in.n <= sizeof(talk.in) - talk.in_n);
        memcpy(talk.in + talk.in_n, in.p, in.n);
        talk.in_n += in.n;
        stream_consume(c->stream, in.n);
    }
    const uint8_t *body = memmem(talk.in, talk.in_n, "\r\n\r\n", 4);
    size_t got = body ? talk.in_n - (size_t)(body + 4 - talk.in) : 0;
    if (r == ERR_AGAIN && got >= talk.frames->want_n && c->sent == talk.out_n)
        return end(c, ERR_OK);
    return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
}

static void run_case(const struct frames_case *k, bool bytewise)
{
    struct conn c = {0};
    struct site x;
    talk = (struct talk){.frames = k, .bytewise = bytewise};
    memcpy(talk.out, HELLO, sizeof(HELLO) - 1);
    memcpy(talk.out + sizeof(HELLO) - 1, k->send, k->send_n);
    talk.out_n = sizeof(HELLO) - 1 + k->send_n;
    site_open_on(&x, "sim", "WebSocket", "127.0.0.1", 0, serve);
    x.client_via = stream_via_make(NULL, NULL, NULL);
    connect_client(&x, &c, send_raw);
    x.stop_after_servers = 1;
    site_run(&x);
    const uint8_t *body = memmem(talk.in, talk.in_n, "\r\n\r\n", 4);
    REQUIRE(body != NULL);
    body += 4;
    size_t got = talk.in_n - (size_t)(body - talk.in);
    if (CHECK_EQ_UINT(got, k->want_n))
        CHECK_EQ_MEM(body, k->want, got);
    CHECK_EQ_INT(talk.server_end, k->fails ? ERR_IO : ERR_CLOSED);
    CHECK_EQ_INT(talk.server_errno, k->fails ? EPROTO : 0);
    CHECK((talk.problem[0] != 0) == k->fails);
}

TEST(websocket_frames)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].name);
        run_case(&cases[i], false);
        LABEL("%s, a byte at a time", cases[i].name);
        run_case(&cases[i], true);
    }
}

/* Pings that are never read must not fill the memory. */
static enum poll flood(struct conn *c)
{
    static const uint8_t ping[] =
        "\x89\xfd\0\0\0\0" /* and 125 bytes */
        "0123456789012345678901234567890123456789012345678901234567890"
        "1234567890123456789012345678901234567890123456789012345678901234";
    enum err r = stream_connected(c->stream);
    if (r)
        return r == ERR_AGAIN ? POLL_PENDING : end(c, r);
    if (c->sent == 0) {
        CHECK_EQ_INT(stream_write(c->stream, HELLO, sizeof(HELLO) - 1), ERR_OK);
        c->sent = 1;
    }
    while ((r = stream_write(c->stream, ping, sizeof(ping) - 1)) == ERR_OK)
        c->rounds++;
    return r == ERR_FULL ? POLL_PENDING : end(c, r);
}

TEST(websocket_pings_that_are_not_read_end_it)
{
    struct conn c = {0};
    struct site x;
    talk = (struct talk){0};
    site_open_on(&x, "sim", "WebSocket", "127.0.0.1", 0, serve);
    x.client_via = stream_via_make(NULL, NULL, NULL);
    connect_client(&x, &c, flood);
    stream_set_limits(c.stream, &(struct stream_limits){.read_max = 1000}); /* it pauses */
    x.stop_after_servers = 1;
    x.stop_after_clients = 0;
    site_run(&x);
    CHECK_EQ_INT(talk.server_end, ERR_IO);
    CHECK_EQ_STR(talk.problem, "the peer does not read what it asks for");
}
