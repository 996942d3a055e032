/* Both sides of a WebSocket's handshake on any bytes: no answer before the request is whole, the
 * same one however it comes, and what the client makes up itself is understood by the server. */
#include "net/ws_handshake.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_result serve(struct bytes in, const struct websocket *cfg, struct strbuf *out,
                              size_t *used)
{
    strbuf_init(out, alloc_system(), 0);
    *used = 0;
    enum http_result r = ws_server_answer(in, cfg, out, used);
    ASSERT(!out->failed && (r == HTTP_MORE) == (out->n == 0) && *used <= in.n);
    return r;
}

static void as_server(struct bytes in)
{
    static const struct websocket cfg = {.path = "/mqtt"};
    struct strbuf whole, part;
    size_t used, used_part;
    enum http_result r = serve(in, &cfg, &whole, &used);
    if (r == HTTP_DONE && used > 0) {
        ASSERT(serve((struct bytes){in.p, used}, &cfg, &part, &used_part) == HTTP_DONE);
        ASSERT(used == used_part && part.n == whole.n && memcmp(part.p, whole.p, part.n) == 0);
        strbuf_fini(&part);
        ASSERT(serve((struct bytes){in.p, used - 1}, &cfg, &part, &used_part) == HTTP_MORE);
        strbuf_fini(&part);
    }
    strbuf_fini(&whole);
}

static void as_client(struct bytes in)
{
    const char *why;
    size_t used = 0;
    enum http_result r = ws_client_answer(in, "dGhlIHNhbXBsZSBub25jZQ==", &used, &why);
    ASSERT((r == HTTP_BAD) == (why != NULL));
    ASSERT(used <= in.n);
}

/* A client of ours and a server of ours, with the input as the client's chance. */
static void each_other(const uint8_t random[16])
{
    static const struct websocket cfg = {0};
    char key[WS_KEY_MAX];
    struct strbuf request, answer;
    const char *why;
    size_t used;
    ws_key(random, key);
    strbuf_init(&request, alloc_system(), 0);
    ws_client_request(&cfg, "localhost", key, &request);
    struct bytes in = {(const uint8_t *)request.p, request.n};
    ASSERT(serve(in, &cfg, &answer, &used) == HTTP_DONE && used == request.n);
    in = (struct bytes){(const uint8_t *)answer.p, answer.n};
    ASSERT(ws_client_answer(in, key, &used, &why) == HTTP_DONE && used == answer.n);
    strbuf_fini(&request);
    strbuf_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_server((struct bytes){data, size});
    as_client((struct bytes){data, size});
    if (size >= 16)
        each_other(data);
    return 0;
}
