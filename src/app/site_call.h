/* site_call: how commands talk to the site that runs (`sedge discover`, `adopt`, `backup`, …): one
 * HTTP request after the other, over plain TCP or TLS.
 *
 *     struct site_call_config cfg = {.site = "sites/factory"};
 *     if (!site_call_open(&c, &cfg, &e))
 *         err = site_call(c, "POST", "/api/reload", STR("{}"), &status, &text, &e);
 *     site_call_close(c);
 *
 * A site is a folder (or a file) of declarations, or an URL. One that runs is called where it says
 * that it is (site/running.h), whatever its files say by now, else at the first http listener that
 * they declare; and if another site than that answers there, it is not listened to.
 * Of a site that is declared here the very certificate is believed that its listener shows; by URL
 * it is whom the system believes, or `cafile`. A site that wants to know its users by certificates
 * gets `cert` and `key`.
 * Each request has a connection of its own, so nothing is sent twice.
 * Ownership: the caller's; what cfg points to is only read by site_call_open().
 * Threads: the one that opened it; calls block it. A call owns an executor, so it is not for use
 * within another one's tasks.
 * Errors: *e has a sentence for people: why there was no answer, or the `detail` of the problem
 * details (RFC 9457) that was the answer. An answer of 300 and above is an error: ERR_INVALID (400,
 * 422), ERR_DENIED (401, 403, 421), ERR_NOT_FOUND (404), ERR_EXISTS (409), ERR_BUSY (503), else
 * ERR_PROTOCOL; its status and body are there all the same. Without an answer the status is 0:
 * ERR_IO, ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL, ERR_NOMEM; ERR_RANGE: it is larger than
 * `body_max`. */
#pragma once

#include "app/commands.h"

struct site_call;
struct site_call_config {
    const char *site;   /* folder, file, or URL: http[s]://host[:port]; NULL: "." */
    const char *url;    /* counts more than `site`; NULL: none */
    const char *cafile; /* who is believed, PEM; NULL: see above */
    const char *cert, *key;
    bool insecure;      /* whoever answers is believed */
    size_t body_max;    /* of an answer that is collected; default 64 MiB */
    int64_t timeout_ms; /* without a byte of the answer; default 60 s; negative: none */
};
MUST_USE enum err site_call_open(struct site_call **out, const struct site_call_config *cfg,
                                 struct error *e);
void site_call_close(struct site_call *c);              /* NULL is fine */
const char *site_call_where(const struct site_call *c); /* "https://127.0.0.1:8443" */

/* `path` with its query. `body` p NULL: none; else it is JSON. The answer's body goes to *text,
 * which the caller has initialised and which is reset first. */
MUST_USE enum err site_call(struct site_call *c, const char *method, const char *path,
                            struct str body, unsigned *status, struct strbuf *text,
                            struct error *e);
/* The same for answers of any length, and those that go on (/api/live): each piece of a body below
 * 300 as it comes; an error of `piece` ends the call and is returned. Other answers are not shown
 * to it but become the error. */
MUST_USE enum err site_call_stream(struct site_call *c, const char *method, const char *path,
                                   struct str body, unsigned *status,
                                   enum err (*piece)(void *ctx, struct str piece), void *ctx,
                                   struct error *e);

/* --- the options of all commands that call a site ---
 *
 * site_call_options is one of a command's lists; what args_next() returns is shown to
 * site_call_option(): true if it was one of them. */
enum {
    SITE_CALL_URL = 0x5100,
    SITE_CALL_CAFILE,
    SITE_CALL_CERT,
    SITE_CALL_KEY,
    SITE_CALL_INSECURE,
};
extern const struct command_option site_call_options[];
bool site_call_option(struct site_call_config *cfg, int id, const char *value);
/* Whether a word of the command line is a site: an URL, or something that is there. */
bool site_call_is_site(const char *word);
