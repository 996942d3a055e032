/* A stream's layer of WebSocket: the handshake, then frames, by wslay. */
#include "net/layer.h"
#include "net/ws_handshake.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

enum { CONTROL_MAX = 125 };
#define FRAME_MAX ((uint64_t)256 * 1024 * 1024) /* a packet of MQTT's largest size */

/* What is needed until the connection is open. */
struct hello {
    uint8_t *p; /* what has come, `room` bytes */
    size_t n, room;
    char key[WS_KEY_MAX];
    char host[256];
};

struct ws_layer {
    struct stream_layer layer;
    const struct websocket *cfg;
    struct hello *hello;         /* NULL: it is over */
    wslay_frame_context_ptr ctx; /* NULL between frames: it holds 4 KiB */
    struct bytes now;            /* what it reads from */
    uint64_t taken;              /* bytes that it has read since the last whole frame */
    uint64_t size, left;         /* of the frame that it is in: all of it, of its payload */
    size_t framed;               /* bytes in the scratch, of a frame that is being made */
    uint8_t opcode;
    bool server, in_frame, in_message, close_sent;
    uint8_t control_n;
    uint8_t control[CONTROL_MAX];
};

static struct ws_layer *of(struct stream_layer *l)
{
    return CONTAINER_OF(l, struct ws_layer, layer);
}

/* --- what wslay reads from and writes to --- */

static ssize_t on_recv(uint8_t *to, size_t n, int flags, void *ctx)
{
    struct ws_layer *l = ctx;
    (void)flags;
    if (n > l->now.n)
        n = l->now.n;
    if (n == 0)
        return -1;
    memcpy(to, l->now.p, n);
    l->now.p += n;
    l->now.n -= n;
    l->taken += n;
    return (ssize_t)n;
}

/* For a record of TLS head and payload are put together; else the wire does that. */
static ssize_t on_send(const uint8_t *p, size_t n, int flags, void *ctx)
{
    struct ws_layer *l = ctx;
    (void)flags;
    if (l->layer.below) {
        struct net_scratch *scratch = l->layer.stream->net->scratch;
        ASSERT(scratch && n <= SCRATCH_OUT - l->framed);
        memcpy(scratch->frame + l->framed, p, n);
        l->framed += n;
    } else {
        layer_down(&l->layer, (struct bytes){p, n});
    }
    return (ssize_t)n;
}

static int on_mask(uint8_t *to, size_t n, void *ctx)
{
    (void)ctx;
    return RAND_bytes(to, (int)n) == 1 ? 0 : -1;
}

static bool context_take(struct ws_layer *l)
{
    static const struct wslay_frame_callbacks callbacks = {on_send, on_recv, on_mask};
    return (l->ctx || wslay_frame_context_init(&l->ctx, &callbacks, l) == 0) &&
           net_scratch(l->layer.stream->net);
}

/* Between two frames it knows nothing that is needed. */
static void context_rest(struct ws_layer *l)
{
    if (l->ctx && l->taken == 0 && !l->in_frame) {
        wslay_frame_context_free(l->ctx);
        l->ctx = NULL;
    }
}

/* --- sending --- */

static void send_frame(struct ws_layer *l, uint8_t opcode, struct bytes b)
{
    struct wslay_frame_iocb frame = {.fin = 1,
                                     .opcode = opcode,
                                     .mask = !l->server,
                                     .payload_length = b.n,
                                     .data = b.p,
                                     .data_length = b.n};
    if (!context_take(l)) {
        layer_fail(&l->layer, "no memory for what is to be sent");
        return;
    }
    l->framed = 0;
    ssize_t put = wslay_frame_send(l->ctx, &frame);
    if (put < 0 || (size_t)put != b.n)
        layer_fail(&l->layer, "what is to be sent can't be framed");
    else if (l->layer.below)
        layer_down(&l->layer, (struct bytes){l->layer.stream->net->scratch->frame, l->framed});
}

static void say_close(struct ws_layer *l, uint16_t code)
{
    const uint8_t body[] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (!l->close_sent)
        send_frame(l, WSLAY_CONNECTION_CLOSE, (struct bytes){body, sizeof(body)});
    l->close_sent = true;
}

static void break_off(struct ws_layer *l, uint16_t code, const char *why)
{
    say_close(l, code);
    layer_fail(&l->layer, why);
}

/* --- receiving --- */

static bool is_control(uint8_t opcode)
{
    return opcode >= WSLAY_CONNECTION_CLOSE;
}

static bool opcode_known(uint8_t opcode)
{
    return opcode <= WSLAY_BINARY_FRAME || (is_control(opcode) && opcode <= WSLAY_PONG);
}

/* A frame's head, with the first of its payload. */
static bool begin_frame(struct ws_layer *l, const struct wslay_frame_iocb *f)
{
    uint64_t n = f->payload_length;
    if (f->rsv || (f->mask != 0) != l->server || !opcode_known(f->opcode))
        break_off(l, WSLAY_CODE_PROTOCOL_ERROR, "a frame's head is not allowed");
    else if (f->opcode == WSLAY_TEXT_FRAME)
        break_off(l, WSLAY_CODE_UNSUPPORTED_DATA, "MQTT comes in binary frames");
    else if (!is_control(f->opcode) && (f->opcode == WSLAY_CONTINUATION_FRAME) != l->in_message)
        break_off(l, WSLAY_CODE_PROTOCOL_ERROR, "a fragment without the others");
    else if (n > FRAME_MAX)
        break_off(l, WSLAY_CODE_MESSAGE_TOO_BIG, "a frame is too large");
    if (layer_over(&l->layer))
        return false;
    l->in_frame = true;
    l->opcode = f->opcode;
    l->left = n;
    l->size = 2 + (n > UINT16_MAX ? 8u : n > CONTROL_MAX ? 2u : 0u) + (f->mask ? 4u : 0u) + n;
    l->control_n = 0;
    if (!is_control(f->opcode))
        l->in_message = !f->fin;
    return true;
}

static void end_control(struct ws_layer *l)
{
    struct bytes body = {l->control, l->control_n};
    if (l->opcode == WSLAY_PING && !l->close_sent)
        send_frame(l, WSLAY_PONG, body);
    if (l->opcode != WSLAY_CONNECTION_CLOSE)
        return;
    if (body.n == 1) {
        break_off(l, WSLAY_CODE_PROTOCOL_ERROR, "half a reason to close");
        return;
    }
    say_close(l, WSLAY_CODE_NORMAL_CLOSURE);
    layer_end(&l->layer);
}

static void give_up(struct ws_layer *l, size_t *have)
{
    size_t n = *have;
    *have = 0;
    layer_up(&l->layer, (struct bytes){l->layer.stream->net->scratch->payload, n});
}

/* A part of a frame: data gathers for who is above, the rest is for us. */
static void take_part(struct ws_layer *l, const struct wslay_frame_iocb *f, size_t *have)
{
    if (!l->in_frame && !begin_frame(l, f))
        return;
    l->left -= f->data_length;
    if (is_control(l->opcode)) {
        ASSERT(f->data_length <= (size_t)(CONTROL_MAX - l->control_n));
        if (f->data_length > 0)
            memcpy(l->control + l->control_n, f->data, f->data_length);
        l->control_n = (uint8_t)(l->control_n + f->data_length);
    } else if (f->data_length > 0) {
        if (f->data_length > SCRATCH_IN - *have)
            give_up(l, have);
        memcpy(l->layer.stream->net->scratch->payload + *have, f->data, f->data_length);
        *have += f->data_length;
    }
    if (l->left > 0)
        return;
    l->in_frame = false;
    l->taken -= l->size;
    if (is_control(l->opcode)) {
        give_up(l, have);
        if (!layer_over(&l->layer))
            end_control(l);
    }
}

static void unframe(struct ws_layer *l, struct bytes in)
{
    struct wslay_frame_iocb frame;
    size_t have = 0;
    if (!context_take(l)) {
        layer_fail(&l->layer, "no memory for what was received");
        return;
    }
    l->now = in;
    while (!layer_over(&l->layer)) {
        memset(&frame, 0, sizeof(frame));
        ssize_t r = wslay_frame_recv(l->ctx, &frame);
        if (r == WSLAY_ERR_WANT_READ)
            break;
        if (r < 0)
            break_off(l, WSLAY_CODE_PROTOCOL_ERROR, "what was received is not a frame");
        else
            take_part(l, &frame, &have);
    }
    give_up(l, &have);
    l->now = (struct bytes){0};
    context_rest(l);
}

/* --- the handshake --- */

static void hello_free(struct ws_layer *l, struct alloc *a)
{
    if (!l->hello)
        return;
    mem_free(a, l->hello->p, l->hello->room);
    mem_free(a, l->hello, sizeof(*l->hello));
    l->hello = NULL;
}

static bool hello_add(struct ws_layer *l, struct bytes in)
{
    struct hello *h = l->hello;
    if (h->room - h->n < in.n) {
        size_t room = h->n + in.n + 512;
        uint8_t *p = mem_resize(l->layer.stream->net->alloc, h->p, h->room, room);
        if (!p)
            return false;
        h->p = p;
        h->room = room;
    }
    memcpy(h->p + h->n, in.p, in.n);
    h->n += in.n;
    return true;
}

static enum http_result serve_hello(struct ws_layer *l, size_t *used, const char **why)
{
    struct strbuf answer;
    strbuf_init(&answer, l->layer.stream->net->alloc, WS_HEAD_MAX);
    struct bytes in = {l->hello->p, l->hello->n};
    enum http_result r = ws_server_answer(in, l->cfg, &answer, used);
    if (answer.failed)
        r = HTTP_BAD;
    else
        layer_down(&l->layer, (struct bytes){(const uint8_t *)answer.p, answer.n});
    *why = "not a WebSocket request for MQTT";
    strbuf_fini(&answer);
    return r;
}

static void hello_input(struct ws_layer *l, struct bytes in)
{
    const char *why = "no memory for a handshake";
    size_t used = 0;
    enum http_result r = HTTP_BAD;
    if (hello_add(l, in))
        r = l->server ? serve_hello(l, &used, &why)
                      : ws_client_answer((struct bytes){l->hello->p, l->hello->n}, l->hello->key,
                                         &used, &why);
    if (r == HTTP_MORE)
        return;
    if (r == HTTP_BAD) {
        layer_fail(&l->layer, why);
        return;
    }
    size_t rest = l->hello->n - used; /* the last of what has just come */
    hello_free(l, l->layer.stream->net->alloc);
    layer_opened(&l->layer);
    unframe(l, (struct bytes){in.p + in.n - rest, rest});
}

static void send_request(struct ws_layer *l)
{
    uint8_t random[16];
    struct strbuf request;
    strbuf_init(&request, l->layer.stream->net->alloc, WS_HEAD_MAX);
    if (RAND_bytes(random, sizeof(random)) == 1)
        ws_key(random, l->hello->key);
    ws_client_request(l->cfg, l->hello->host, l->hello->key, &request);
    if (request.failed || !l->hello->key[0])
        layer_fail(&l->layer, "no memory for a handshake");
    else
        layer_down(&l->layer, (struct bytes){(const uint8_t *)request.p, request.n});
    strbuf_fini(&request);
}

/* --- the layer --- */

static void ws_start(struct stream_layer *layer)
{
    if (!of(layer)->server)
        send_request(of(layer));
}

static void ws_input(struct stream_layer *layer, struct bytes in)
{
    struct ws_layer *l = of(layer);
    if (layer_over(layer))
        return;
    if (l->hello)
        hello_input(l, in);
    else
        unframe(l, in);
}

static void ws_output(struct stream_layer *layer, struct bytes out)
{
    send_frame(of(layer), WSLAY_BINARY_FRAME, out);
    context_rest(of(layer));
}

static void ws_finish(struct stream_layer *layer)
{
    say_close(of(layer), WSLAY_CODE_NORMAL_CLOSURE);
    context_rest(of(layer));
}

static void ws_free(struct stream_layer *layer, struct alloc *a)
{
    struct ws_layer *l = of(layer);
    hello_free(l, a);
    wslay_frame_context_free(l->ctx);
    mem_free(a, l, sizeof(*l));
}

static const struct stream_layer_ops ws_ops = {.name = "WebSocket",
                                               .start = ws_start,
                                               .input = ws_input,
                                               .output = ws_output,
                                               .finish = ws_finish,
                                               .free = ws_free};

static void host_of(const struct stream *s, const struct stream_via *via, char *out, size_t n)
{
    char text[ADDR_TEXT_MAX];
    bool unix_socket = s->peer->sa.sa_family == AF_UNIX;
    addr_format(s->peer, text);
    if (via->host && !unix_socket)
        (void)snprintf(out, n, "%s:%u", via->host, addr_port(s->peer));
    else
        (void)snprintf(out, n, "%s", via->host ? via->host : unix_socket ? "localhost" : text);
}

struct stream_layer *ws_layer_new(struct stream *s, const struct stream_via *via, bool server)
{
    struct alloc *a = s->net->alloc;
    struct ws_layer *l = mem_zero(a, sizeof(*l));
    struct hello *h = l ? mem_zero(a, sizeof(*h)) : NULL;
    if (!h) {
        mem_free(a, l, sizeof(*l));
        return NULL;
    }
    l->layer.ops = &ws_ops;
    l->layer.stream = s;
    l->cfg = via->websocket;
    l->server = server;
    l->hello = h;
    if (!server)
        host_of(s, via, h->host, sizeof(h->host));
    return &l->layer;
}
