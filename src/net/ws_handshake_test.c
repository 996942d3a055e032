#include "net/ws_handshake.h"
#include "tests/support/test.h"
#include <string.h>

#define START "GET /mqtt HTTP/1.1\r\n"
#define HOST  "Host: 127.0.0.1:8083\r\n"
#define UP    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define V13   "Sec-WebSocket-Version: 13\r\n"
#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define MQTT  "Sec-WebSocket-Protocol: mqtt\r\n"
#define END   "\r\n"

static const char good[] = START HOST UP V13 KEY MQTT END;

/* RFC 6455, 1.3. */
TEST(websocket_accepts_as_the_standard_shows)
{
    char accept[WS_ACCEPT_MAX], key[WS_KEY_MAX];
    ws_key((const uint8_t *)"the sample nonce", key);
    CHECK_EQ_STR(key, "dGhlIHNhbXBsZSBub25jZQ==");
    ws_accept(str_from(key), accept);
    CHECK_EQ_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static enum http_result answer_to(const char *text, size_t n, const struct websocket *cfg,
                                  struct strbuf *out, size_t *used)
{
    strbuf_init(out, alloc_system(), 0);
    *used = 0;
    return ws_server_answer((struct bytes){(const uint8_t *)text, n}, cfg, out, used);
}

TEST(websocket_servers_answer)
{
    static const struct websocket mqtt = {.path = "/mqtt"}, any = {.any_origin = true};
    static const struct {
        const char *name, *request, *status;
        const struct websocket *cfg;
    } cases[] = {
        {"good", good, "101", &mqtt},
        {"old name", START HOST UP V13 KEY "Sec-WebSocket-Protocol: mqttv3.1\r\n" END, "101",
         &mqtt},
        {"several names", START HOST UP V13 KEY "Sec-WebSocket-Protocol: amqp, mqtt\r\n" END, "101",
         &mqtt},
        {"names in two fields", START HOST UP V13 KEY "Sec-WebSocket-Protocol: amqp\r\n" MQTT END,
         "101", &mqtt},
        {"any case", START HOST "UPGRADE: WebSocket\r\nconnection: upgrade\r\n" V13 KEY MQTT END,
         "101", &mqtt},
        {"any path", "GET /other?x=1 HTTP/1.1\r\n" HOST UP V13 KEY MQTT END, "101", &any},
        {"another path", "GET /other HTTP/1.1\r\n" HOST UP V13 KEY MQTT END, "404", &mqtt},
        {"POST", "POST /mqtt HTTP/1.1\r\n" HOST UP V13 KEY MQTT END, "405", &mqtt},
        {"a body", START HOST UP V13 KEY MQTT "Content-Length: 3\r\n" END, "405", &mqtt},
        {"no upgrade", START HOST V13 KEY MQTT END, "426", &mqtt},
        {"another upgrade", START HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" V13 KEY MQTT END,
         "426", &mqtt},
        {"no Connection", START HOST "Upgrade: websocket\r\n" V13 KEY MQTT END, "426", &mqtt},
        {"old version", START HOST UP "Sec-WebSocket-Version: 8\r\n" KEY MQTT END, "426", &mqtt},
        {"no key", START HOST UP V13 MQTT END, "400", &mqtt},
        {"a short key", START HOST UP V13 "Sec-WebSocket-Key: AAAA\r\n" MQTT END, "400", &mqtt},
        {"a strange key",
         START HOST UP V13 "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" MQTT END, "400",
         &mqtt},
        {"no protocol", START HOST UP V13 KEY END, "400", &mqtt},
        {"another protocol", START HOST UP V13 KEY "Sec-WebSocket-Protocol: MQTT\r\n" END, "400",
         &mqtt},
        {"no host", START UP V13 KEY MQTT END, "400", &mqtt},
        {"not HTTP", "hello\r\n\r\n", "400", &mqtt},
        {"a page of ours", START HOST UP V13 KEY MQTT "Origin: http://127.0.0.1:8080\r\n" END,
         "101", &mqtt},
        {"a page from elsewhere", START HOST UP V13 KEY MQTT "Origin: http://evil.example\r\n" END,
         "403", &mqtt},
        {"a page of a name that points to us",
         START "Host: evil.example:8083\r\n" UP V13 KEY MQTT "Origin: http://evil.example\r\n" END,
         "403", &mqtt},
        {"a page without an origin", START HOST UP V13 KEY MQTT "Origin: null\r\n" END, "403",
         &mqtt},
        {"a page from elsewhere that may",
         START HOST UP V13 KEY MQTT "Origin: http://a.example\r\n" END, "101", &any},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out;
        size_t used, n = strlen(cases[i].request);
        LABEL("%s", cases[i].name);
        enum http_result r = answer_to(cases[i].request, n, cases[i].cfg, &out, &used);
        bool fine = strcmp(cases[i].status, "101") == 0;
        CHECK_EQ_INT(r, fine ? HTTP_DONE : HTTP_BAD);
        CHECK(out.n > 12 && memcmp(out.p, "HTTP/1.1 ", 9) == 0 &&
              memcmp(out.p + 9, cases[i].status, 3) == 0);
        if (fine)
            CHECK_EQ_UINT(used, n);
        strbuf_fini(&out);
    }
}

TEST(websocket_servers_wait_for_a_whole_request)
{
    static const struct websocket cfg = {0};
    for (size_t n = 0; n < sizeof(good) - 1; n++) {
        struct strbuf out;
        size_t used;
        CHECK_EQ_INT(answer_to(good, n, &cfg, &out, &used), HTTP_MORE);
        CHECK_EQ_UINT(out.n, 0);
        strbuf_fini(&out);
    }
}

#define ANSWER   "HTTP/1.1 101 Switching Protocols\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

TEST(websocket_clients_look_at_the_answer)
{
    static const struct {
        const char *name, *answer;
        bool fine;
    } cases[] = {
        {"good", ANSWER UP ACCEPTED MQTT END, true},
        {"no reason", "HTTP/1.1 101\r\n" UP ACCEPTED MQTT END, true},
        {"refused", "HTTP/1.1 404 Not Found\r\n" END, false},
        {"another status", "HTTP/1.1 1010 Odd\r\n" UP ACCEPTED MQTT END, false},
        {"not HTTP", "SSH-2.0\r\n" END, false},
        {"no upgrade", ANSWER "Connection: Upgrade\r\n" ACCEPTED MQTT END, false},
        {"no accept", ANSWER UP MQTT END, false},
        {"another accept", ANSWER UP "Sec-WebSocket-Accept: AAAA\r\n" MQTT END, false},
        {"no protocol", ANSWER UP ACCEPTED END, false},
        {"another protocol", ANSWER UP ACCEPTED "Sec-WebSocket-Protocol: amqp\r\n" END, false},
        {"an extension that nobody asked for",
         ANSWER UP ACCEPTED MQTT "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, false},
        {"a line without a colon", ANSWER UP ACCEPTED MQTT "what\r\n" END, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *why;
        size_t used = 0, n = strlen(cases[i].answer);
        struct bytes in = {(const uint8_t *)cases[i].answer, n};
        LABEL("%s", cases[i].name);
        CHECK_EQ_INT(ws_client_answer(in, "dGhlIHNhbXBsZSBub25jZQ==", &used, &why),
                     cases[i].fine ? HTTP_DONE : HTTP_BAD);
        CHECK((why == NULL) == cases[i].fine);
        CHECK_EQ_UINT(used, n);
        in.n--;
        CHECK_EQ_INT(ws_client_answer(in, "dGhlIHNhbXBsZSBub25jZQ==", &used, &why), HTTP_MORE);
    }
}

TEST(websocket_clients_do_not_wait_for_ever)
{
    static uint8_t endless[WS_HEAD_MAX];
    const char *why;
    size_t used;
    memset(endless, 'x', sizeof(endless));
    CHECK_EQ_INT(ws_client_answer((struct bytes){endless, sizeof(endless)},
                                  "dGhlIHNhbXBsZSBub25jZQ==", &used, &why),
                 HTTP_BAD);
}
