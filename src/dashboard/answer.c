/* answer: how answers begin and end, and what requests say in their query and body. */
#include "dashboard/dashboard_internal.h"

#include <inttypes.h>

struct json_writer answer_begin(struct dashboard *d)
{
    struct json_writer w;
    strbuf_reset(&d->out);
    json_writer_init(&w, &d->out);
    return w;
}

void answer_end(struct dashboard *d, struct http_request *q, unsigned status)
{
    if (d->out.failed)
        http_respond_problem(q, 500, "the answer is larger than %d MiB or there is no memory",
                             BODY_MAX >> 20);
    else
        http_respond_json(q, status, strbuf_str(&d->out));
    if (d->out.cap > BODY_KEPT) { /* one large answer must not stay for weeks */
        strbuf_fini(&d->out);
        strbuf_init(&d->out, d->cfg.alloc, BODY_MAX);
    }
}

void list_begin(struct list_writer *l, struct dashboard *d, const char *key)
{
    l->dashboard = d;
    l->w = answer_begin(d);
    json_object_begin(&l->w);
    json_key(&l->w, key);
    json_array_begin(&l->w);
}

void list_end(struct list_writer *l, struct http_request *q)
{
    json_array_end(&l->w);
    json_object_end(&l->w);
    answer_end(l->dashboard, q, 200);
}

bool query_i64(struct http_request *q, const char *key, int64_t min, int64_t max, int64_t fallback,
               int64_t *out)
{
    char buf[64];
    struct str text;
    enum err err = http_query_get(http_request_head(q)->query, key, buf, sizeof(buf), &text);
    if (err == ERR_NOT_FOUND) {
        *out = fallback;
        return true;
    }
    if (err || str_to_i64(text, out) || *out < min || *out > max) {
        problem_parameter(q, key, "%s must be a whole number from %" PRId64 " to %" PRId64, key,
                          min, max);
        return false;
    }
    return true;
}

int query_word(struct http_request *q, const char *key, const char *const *words, size_t n,
               int fallback)
{
    char buf[32];
    struct str text, all;
    struct strbuf list; /* of the words, for the message */
    enum err err = http_query_get(http_request_head(q)->query, key, buf, sizeof(buf), &text);
    if (err == ERR_NOT_FOUND)
        return fallback;
    for (size_t i = 0; !err && i < n; i++)
        if (str_eq(text, str_from(words[i])))
            return (int)i;
    strbuf_init(&list, alloc_system(), 256);
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&list, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
    all = strbuf_str(&list);
    problem_parameter(q, key, "%s must be %.*s", key, STR_FMT(all));
    strbuf_fini(&list);
    return -1;
}

bool body_text(struct http_request *q, const char *key, char *buf, size_t max, struct str *out)
{
    struct json_token t;
    if (json_find(http_request_body(q), str_from(key), &t, NULL) || t.kind != JSON_STRING ||
        json_unescape(t.raw, buf, max, out) || str_trim(*out).n == 0) {
        problem_parameter(q, key, "the body needs \"%s\", a text of 1 to %zu bytes", key, max);
        return false;
    }
    *out = str_trim(*out);
    return true;
}
