/* http: HTTP/1.1 requests from bytes, the heads of responses to bytes and from them.
 *
 * Why: strict where leniency lets two parties disagree about where a message ends (RFC 9112, 11.2):
 * no line folding, no bare CR or LF, no blank before a colon, one Content-Length of digits
 * only, no Transfer-Encoding but chunked, never both. A path has no dot segments, whatever way
 * they are encoded.
 * Ownership: everything in a struct http_head borrows the bytes that were parsed.
 * Threads: none.
 * Errors: HTTP_BAD with the status to answer and a reason for people; the connection can't go on.
 */
#pragma once

#include "base/cursor.h"
#include "base/str.h"

#define HTTP_HEAD_MAX   16384u /* request line and header fields, all together */
#define HTTP_LINE_MAX   8192u
#define HTTP_FIELDS_MAX 64u
#define HTTP_LENGTH_MAX ((uint64_t)1 << 53)

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_OTHER,
};

struct http_field {
    struct str name, value; /* the value without the blanks around it */
};

struct http_head {
    enum http_method method;
    struct str method_text;
    struct str path;  /* "/api/site", percent-encoded, checked; "*" of OPTIONS */
    struct str query; /* behind "?", percent-encoded; empty if there is none */
    struct str host;  /* with the port, as it was sent; empty if there is none (HTTP/1.0) */
    unsigned minor;   /* HTTP/1.minor: 0 or 1 */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t field_count;
    bool keep_alive;      /* the client wants the connection to stay */
    bool chunked;         /* else the body has `length` bytes */
    bool expect_continue; /* the client waits for 100 before it sends the body */
    uint64_t length;
    size_t size; /* of the head in bytes: the body starts there */

    unsigned status; /* of HTTP_BAD: 400, 414, 417, 431, 501, 505; of a response: its own */
    const char *why;
    bool until_close; /* of a response: its body ends with the connection */
};

/* Finds the end of a head while it arrives, looks at each byte once, and refuses at once what can
 * never become one. Zero it (http_scan_init) for each request. */
struct http_scan {
    size_t at;         /* bytes that were looked at */
    size_t line_start; /* of the current line */
    bool cr;           /* the last byte was CR */
    bool first_done;   /* the request line is complete */
};
static inline void http_scan_init(struct http_scan *s)
{
    *s = (struct http_scan){0};
}
/* `in` starts at the request and holds all that has come of it, every time. HTTP_DONE: the head is
 * its first s->at bytes. */
enum http_result http_scan(struct http_scan *s, struct bytes in, struct http_head *h);
/* A whole head, as http_scan() found it, to fields. Apart, so that it may be copied before. */
enum http_result http_parse_head(struct bytes head, struct http_head *h);
/* Both at once. */
enum http_result http_parse(struct http_scan *s, struct bytes in, struct http_head *h);

/* A whole head of a response, found by http_scan(): `status`, `minor`, the fields, how the body
 * ends, `keep_alive`. `no_body`: it answers HEAD. One of 1xx, 204 or 304 has no body. */
enum http_result http_parse_response(struct bytes head, bool no_body, struct http_head *h);

/* The value of the first field of that name, any case; false if there is none. */
bool http_field(const struct http_head *h, const char *name, struct str *value);

/* A chunked body (RFC 9112, 7.1). Extensions and trailers are passed over, within 8 KiB.
 * Each call takes *used bytes off the front of `in` and may give a piece of the body; call it again
 * with the rest until it says HTTP_DONE, or HTTP_MORE with nothing used. */
struct http_chunked {
    unsigned state;  /* http_chunked.c */
    uint64_t left;   /* of the chunk */
    unsigned digits; /* of the chunk's length */
    size_t extra;    /* bytes of extensions and trailers */
};
enum http_result http_chunked_next(struct http_chunked *c, struct bytes in, size_t *used,
                                   struct bytes *piece);

/* Percent-decoding; `plus`: "+" is a blank, as in queries. ERR_RANGE if `cap` is too small (raw.n
 * always suffices), ERR_SYNTAX for a broken escape, control characters, or what is not UTF-8. */
MUST_USE enum err http_decode(struct str raw, bool plus, char *buf, size_t cap, struct str *out);
/* Takes the next pair off *query; both stay encoded. False when it is used up. */
bool http_query_next(struct str *query, struct str *key, struct str *value);
/* The decoded value of the first pair with that key. ERR_NOT_FOUND, or as http_decode(). */
MUST_USE enum err http_query_get(struct str query, const char *key, char *buf, size_t cap,
                                 struct str *value);

/* Values of fields. */
bool http_same(struct str a, struct str b); /* without regard to ASCII case */
/* Takes the next element off a comma-separated list; empty ones are passed over. */
bool http_list_next(struct str *list, struct str *element);
bool http_list_has(struct str list, const char *token);
bool http_media_type_is(struct str value, const char *type); /* parameters don't count */
bool http_accepts_gzip(struct str accept_encoding); /* and likes it no less than no coding */
bool http_etag_matches(struct str if_none_match, struct str etag); /* weak comparison */

/* The head of a response, onto a strbuf: a status line, fields, an empty line. */
const char *http_reason(unsigned status); /* "Not Found"; "Unknown" */
void http_write_status(struct strbuf *b, unsigned status);
/* A line break in a value, which could forge a field, becomes a blank. */
void http_write_field(struct strbuf *b, const char *name, struct str value);
void http_write_end(struct strbuf *b);
/* "Sun, 06 Nov 1994 08:49:37 GMT"; buf holds 30 bytes. */
void http_date(int64_t wall_ms, char buf[30]);
