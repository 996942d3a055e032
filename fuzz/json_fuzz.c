/* Any bytes through the JSON reader. What it accepts is written again and must be accepted again,
 * with the same events. */
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/json.h"

static void copy_text(struct json_writer *w, const struct json_token *t, bool key)
{
    char *buf = malloc(t->raw.n + 1);
    struct str text;
    ASSERT(buf != NULL);
    ASSERT(json_unescape(t->raw, buf, t->raw.n, &text) == ERR_OK);
    ASSERT(utf8_valid(text) && json_text_is(t, text));
    if (key)
        json_key_str(w, text);
    else
        json_str(w, text);
    free(buf);
}

static void copy_number(struct json_writer *w, const struct json_token *t)
{
    double d = 0;
    int64_t i = 0;
    enum err derr = json_number(t->raw, &d), ierr = json_integer(t->raw, &i);
    ASSERT(derr == ERR_OK || derr == ERR_RANGE);
    ASSERT(ierr == ERR_OK || ierr == ERR_RANGE);
    ASSERT(ierr || (double)i == d);
    if (ierr == ERR_OK)
        json_int(w, i);
    else
        json_raw(w, t->raw);
}

static void copy_token(struct json_writer *w, const struct json_token *t)
{
    switch (t->kind) {
    case JSON_OBJECT: json_object_begin(w); break;
    case JSON_OBJECT_END: json_object_end(w); break;
    case JSON_ARRAY: json_array_begin(w); break;
    case JSON_ARRAY_END: json_array_end(w); break;
    case JSON_KEY:
    case JSON_STRING: copy_text(w, t, t->kind == JSON_KEY); break;
    case JSON_NUMBER: copy_number(w, t); break;
    case JSON_NULL: json_null(w); break;
    default: json_bool(w, t->kind == JSON_TRUE);
    }
}

/* The kinds of all tokens, hashed; false if the document is refused. */
static bool walk(struct bytes doc, struct json_writer *w, uint64_t *kinds)
{
    struct json_reader r;
    struct json_token t;
    json_init(&r, doc);
    *kinds = 0;
    while (json_next(&r, &t) > JSON_ERROR) {
        ASSERT(t.raw.p >= (const char *)doc.p && t.raw.p + t.raw.n <= (const char *)doc.p + doc.n);
        *kinds = *kinds * 31 + t.kind;
        if (w)
            copy_token(w, &t);
    }
    ASSERT(t.kind == JSON_END || (r.why && r.why_at <= doc.n));
    return t.kind == JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes doc = {data, size};
    struct strbuf b;
    struct json_writer w;
    uint64_t kinds, again;
    strbuf_init(&b, alloc_system(), 0);
    json_writer_init(&w, &b);
    bool good = walk(doc, &w, &kinds);
    enum err err = json_find(doc, STR("ts"), NULL, NULL);
    ASSERT(good == (err != ERR_SYNTAX));
    if (good) {
        struct bytes copy = {(const uint8_t *)b.p, b.n};
        ASSERT(walk(copy, NULL, &again));
        ASSERT(kinds == again);
    }
    strbuf_fini(&b);
    return 0;
}
