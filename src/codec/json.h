/* json: a pull reader that builds no tree and allocates nothing, and a writer onto a strbuf.
 *
 * Why: a sample is decoded once for each message of each device; a tree would cost more than the
 * sample. The reader is strict: RFC 8259, valid UTF-8, one value, at most JSON_DEPTH_MAX levels.
 * Tokens are slices of the document.
 *     struct json_reader r;
 *     struct json_token t;
 *     json_init(&r, doc);
 *     while (json_next(&r, &t) != JSON_END)
 *         if (t.kind == JSON_ERROR) ...  r.why, r.why_at
 * Ownership: tokens borrow the document; the writer borrows its strbuf.
 * Threads: none.
 * Errors: JSON_ERROR once and for ever, with a reason and its place; nothing read before it may
 * be trusted to be a whole document, so who acts on a document reads it to JSON_END first. The
 * writer can only fail as its strbuf does; nesting it wrongly is a bug (ASSERT). */
#pragma once

#include "base/cursor.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 32

enum json_kind {
    JSON_END, /* the document is complete; nothing but white space followed */
    JSON_ERROR,
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_token {
    enum json_kind kind;
    bool escaped;   /* a key or string whose text needs json_unescape() */
    struct str raw; /* a key or string without its quotes; a number; else its characters */
};

struct json_reader {
    struct str doc;
    size_t at;        /* behind the last token */
    unsigned depth;   /* objects and arrays that are open */
    uint32_t objects; /* bit i: level i is an object */
    unsigned state;   /* json.c */
    const char *why;  /* of JSON_ERROR: a constant, "a comma is missing" */
    size_t why_at;    /* its place in the document, from 0 */
};

void json_init(struct json_reader *r, struct bytes doc);
enum json_kind json_next(struct json_reader *r, struct json_token *t);

/* Passes the rest of the value that `t`, the last token, is or begins; behind a key its value. The
 * whole text of that value goes to *raw, which may be NULL. ERR_SYNTAX. */
MUST_USE enum err json_skip(struct json_reader *r, const struct json_token *t, struct str *raw);

/* The text of a key or string. A lone surrogate becomes U+FFFD. ERR_RANGE if `cap` is too small:
 * raw.n always suffices. */
MUST_USE enum err json_unescape(struct str raw, char *buf, size_t cap, struct str *out);
/* Whether a key or string has this text, escapes or not. */
bool json_text_is(const struct json_token *t, struct str text);

/* The raw text of a number. ERR_RANGE: too large for a double; ERR_SYNTAX: not a JSON number. */
MUST_USE enum err json_number(struct str raw, double *out);
/* Exactly, or not at all: ERR_RANGE if it does not fit or is not whole ("1e3" and "2.0" are). */
MUST_USE enum err json_integer(struct str raw, int64_t *out);

/* A member of the object that the document is, found by name: its first token to *value (may be
 * NULL), its whole text to *raw (may be NULL). Of several with one name the last counts, as in
 * JavaScript. Checks the whole document. ERR_SYNTAX, ERR_NOT_FOUND (also if it is no object). */
MUST_USE enum err json_find(struct bytes doc, struct str name, struct json_token *value,
                            struct str *raw);
/* Each element of an array, by its text. ERR_NOT_FOUND: it is no array; ERR_SYNTAX: behind the
 * elements that were shown it is not well formed. */
enum err json_each(struct str array, void (*each)(void *ctx, struct str element), void *ctx);

/* Writes one value; commas are its own business. */
struct json_writer {
    struct strbuf *b;
    unsigned depth;
    uint32_t objects; /* bit i: level i is an object */
    bool comma;       /* the next element needs one before it */
    bool keyed;       /* a key was written, its value not yet */
};
void json_writer_init(struct json_writer *w, struct strbuf *b);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_str(struct json_writer *w, struct str s);   /* s.p NULL: null */
void json_cstr(struct json_writer *w, const char *s); /* NULL: null */
void json_int(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v); /* NaN and infinities: null */
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, struct str json); /* a value that is JSON already */
