#include "net/ws_handshake.h"
#include "net/addr.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

void ws_key(const uint8_t random[16], char key[WS_KEY_MAX])
{
    (void)EVP_EncodeBlock((unsigned char *)key, random, 16);
}

void ws_accept(struct str key, char accept[WS_ACCEPT_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[WS_KEY_MAX + sizeof(GUID)];
    unsigned n = 0;
    ASSERT(key.n == WS_KEY_MAX - 1);
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, GUID, sizeof(GUID));
    (void)EVP_Digest(text, key.n + sizeof(GUID) - 1, digest, &n, EVP_sha1(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, (int)n);
}

/* --- the server's side --- */

/* 16 bytes in base 64. */
static bool key_valid(struct str key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.n != WS_KEY_MAX - 1 || !str_ends(key, STR("==")))
        return false;
    for (size_t i = 0; i < key.n - 2; i++)
        if (!memchr(digits, key.p[i], sizeof(digits) - 1))
            return false;
    return true;
}

/* Which of our two names of the protocol the client offers first; a list may come in parts. */
static const char *protocol_of(const struct http_head *h)
{
    for (size_t i = 0; i < h->field_count; i++) {
        struct str list = h->fields[i].value, one;
        if (!http_same(h->fields[i].name, STR("Sec-WebSocket-Protocol")))
            continue;
        while (http_list_next(&list, &one)) {
            if (str_eq(one, STR("mqtt")))
                return "mqtt";
            if (str_eq(one, STR("mqttv3.1")))
                return "mqttv3.1";
        }
    }
    return NULL;
}

static struct str without_port(struct str host)
{
    size_t end = host.n;
    while (end > 0 && host.p[end - 1] >= '0' && host.p[end - 1] <= '9')
        end--;
    return end > 0 && end < host.n && host.p[end - 1] == ':' ? str_sub(host, 0, end - 1) : host;
}

static bool is_numeric(struct str host)
{
    struct addr a;
    return !str_starts(host, STR("unix:")) && addr_parse(&a, host, 1) == ERR_OK;
}

/* A page of this very host. A name is not enough: whoever owns it may let it point to us. */
static bool origin_fits(const struct http_head *h)
{
    struct str origin, host = without_port(h->host);
    size_t at;
    if (!http_field(h, "Origin", &origin))
        return true; /* no browser */
    if (!str_find(origin, ':', &at) || !str_starts(str_sub(origin, at, 3), STR("://")))
        return false;
    origin = without_port(str_sub(origin, at + 3, origin.n));
    return is_numeric(host) && http_same(origin, host);
}

struct refusal {
    unsigned status;
    const char *why;
};

static struct refusal judge(const struct http_head *h, const struct websocket *cfg)
{
    struct str value;
    if (h->method != HTTP_GET || h->chunked || h->length > 0)
        return (struct refusal){405, "a WebSocket begins with GET and no body"};
    if (cfg->path && !str_eq(h->path, str_from(cfg->path)))
        return (struct refusal){404, "there is no WebSocket here"};
    if (!http_field(h, "Upgrade", &value) || !http_list_has(value, "websocket") ||
        !http_field(h, "Connection", &value) || !http_list_has(value, "upgrade"))
        return (struct refusal){426, "this is for WebSocket"};
    if (!http_field(h, "Sec-WebSocket-Version", &value) || !str_eq(value, STR("13")))
        return (struct refusal){426, "WebSocket has version 13"};
    if (!http_field(h, "Sec-WebSocket-Key", &value) || !key_valid(value))
        return (struct refusal){400, "Sec-WebSocket-Key has 16 bytes in base 64"};
    if (!protocol_of(h))
        return (struct refusal){400, "the protocol is mqtt"};
    if (!cfg->any_origin && !origin_fits(h))
        return (struct refusal){403, "pages from elsewhere may not connect"};
    return (struct refusal){101, NULL};
}

static void refuse(struct strbuf *out, struct refusal r)
{
    http_write_status(out, r.status);
    if (r.status == 426) {
        http_write_field(out, "Upgrade", STR("websocket"));
        http_write_field(out, "Sec-WebSocket-Version", STR("13"));
    }
    if (r.status == 405)
        http_write_field(out, "Allow", STR("GET"));
    http_write_field(out, "Connection", STR("close"));
    http_write_field(out, "Content-Type", STR("text/plain"));
    strbuf_addf(out, "Content-Length: %zu\r\n", strlen(r.why) + 1);
    http_write_end(out);
    strbuf_adds(out, r.why);
    strbuf_addc(out, '\n');
}

enum http_result ws_server_answer(struct bytes in, const struct websocket *cfg, struct strbuf *out,
                                  size_t *used)
{
    struct http_scan scan;
    struct http_head head;
    struct str key;
    char accept[WS_ACCEPT_MAX];
    http_scan_init(&scan);
    enum http_result r = http_parse(&scan, in, &head);
    if (r == HTTP_MORE)
        return r;
    struct refusal why =
        r == HTTP_BAD ? (struct refusal){head.status, head.why} : judge(&head, cfg);
    if (why.status != 101) {
        refuse(out, why);
        return HTTP_BAD;
    }
    (void)http_field(&head, "Sec-WebSocket-Key", &key);
    ws_accept(key, accept);
    http_write_status(out, 101);
    http_write_field(out, "Upgrade", STR("websocket"));
    http_write_field(out, "Connection", STR("Upgrade"));
    http_write_field(out, "Sec-WebSocket-Accept", str_from(accept));
    http_write_field(out, "Sec-WebSocket-Protocol", str_from(protocol_of(&head)));
    http_write_end(out);
    *used = head.size;
    return HTTP_DONE;
}

/* --- the client's side --- */

void ws_client_request(const struct websocket *cfg, const char *host, const char *key,
                       struct strbuf *out)
{
    strbuf_addf(out, "GET %s HTTP/1.1\r\n", cfg->path ? cfg->path : "/mqtt");
    http_write_field(out, "Host", str_from(host));
    http_write_field(out, "Upgrade", STR("websocket"));
    http_write_field(out, "Connection", STR("Upgrade"));
    http_write_field(out, "Sec-WebSocket-Version", STR("13"));
    http_write_field(out, "Sec-WebSocket-Key", str_from(key));
    http_write_field(out, "Sec-WebSocket-Protocol", STR("mqtt"));
    http_write_end(out);
}

/* What an answer must say; each once. */
struct answer {
    bool upgrade, connection, accept, protocol, foreign;
};

static void note_field(struct answer *a, struct str name, struct str value, const char *key)
{
    char accept[WS_ACCEPT_MAX];
    if (http_same(name, STR("Upgrade"))) {
        a->upgrade = http_same(value, STR("websocket"));
    } else if (http_same(name, STR("Connection"))) {
        a->connection = http_list_has(value, "upgrade");
    } else if (http_same(name, STR("Sec-WebSocket-Accept"))) {
        ws_accept(str_from(key), accept);
        a->accept = str_eq(value, str_from(accept));
    } else if (http_same(name, STR("Sec-WebSocket-Protocol"))) {
        a->protocol = str_eq(value, STR("mqtt"));
    } else if (http_same(name, STR("Sec-WebSocket-Extensions"))) {
        a->foreign = true;
    }
}

/* Takes a line without its CR LF off the front. */
static bool next_line(struct str *rest, struct str *line)
{
    const char *end = memmem(rest->p, rest->n, "\r\n", 2);
    if (!end)
        return false;
    *line = (struct str){rest->p, (size_t)(end - rest->p)};
    *rest = str_sub(*rest, line->n + 2, rest->n);
    return true;
}

static const char *judge_answer(struct str head, const char *key)
{
    struct answer a = {0};
    struct str line;
    size_t colon;
    if (!next_line(&head, &line) || !str_starts(line, STR("HTTP/1.1 ")))
        return "the server does not speak HTTP/1.1";
    if (!str_eq(str_sub(line, 9, 3), STR("101")) || (line.n > 12 && line.p[12] != ' '))
        return "the server has no WebSocket there";
    while (next_line(&head, &line) && line.n > 0) {
        if (!str_find(line, ':', &colon) || colon == 0)
            return "the server does not speak HTTP/1.1";
        note_field(&a, str_sub(line, 0, colon), str_trim(str_sub(line, colon + 1, line.n)), key);
    }
    if (!a.upgrade || !a.connection || !a.accept || a.foreign)
        return "the server has not understood the WebSocket request";
    return a.protocol ? NULL : "the server does not speak MQTT over WebSocket";
}

enum http_result ws_client_answer(struct bytes in, const char *key, size_t *used, const char **why)
{
    size_t look = in.n < WS_HEAD_MAX ? in.n : WS_HEAD_MAX;
    const uint8_t *end = look > 0 ? memmem(in.p, look, "\r\n\r\n", 4) : NULL;
    *why = NULL;
    if (!end && in.n < WS_HEAD_MAX)
        return HTTP_MORE;
    if (!end) {
        *why = "the server's answer does not end";
        return HTTP_BAD;
    }
    *used = (size_t)(end - in.p) + 4;
    *why = judge_answer((struct str){(const char *)in.p, *used}, key);
    return *why ? HTTP_BAD : HTTP_DONE;
}
