/* ws_handshake: the HTTP request and answer that a WebSocket begins with: bytes in, bytes out.
 *
 * Strict, as codec/http.h is; the client's side reads a status line and fields and nothing else.
 * Ownership: results hold no pointers into what was parsed. Threads: none. Source: RFC 6455, 4. */
#pragma once

#include "codec/http.h"
#include "net/via.h"

enum { WS_KEY_MAX = 25, WS_ACCEPT_MAX = 29, WS_HEAD_MAX = 8192 }; /* the first two with a NUL */

/* Of `in`, all that has come since the beginning. HTTP_DONE: `out` has the answer and *used says
 * where the frames begin. HTTP_BAD: `out` has the refusal. Else HTTP_MORE. `out` is empty before.*/
enum http_result ws_server_answer(struct bytes in, const struct websocket *cfg, struct strbuf *out,
                                  size_t *used);

/* 16 bytes of chance as text, and what a server must make of it. */
void ws_key(const uint8_t random[16], char key[WS_KEY_MAX]);
void ws_accept(struct str key, char accept[WS_ACCEPT_MAX]);

void ws_client_request(const struct websocket *cfg, const char *host, const char *key,
                       struct strbuf *out);
/* HTTP_BAD: *why says it for people. */
enum http_result ws_client_answer(struct bytes in, const char *key, size_t *used, const char **why);
