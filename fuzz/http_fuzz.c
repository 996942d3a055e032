/* The first byte says into which pieces the rest is cut. In pieces or whole, the parser must come
 * to the same result; then the body, as a server reads it. */
#include "codec/http.h"

#include <stdlib.h>
#include <string.h>

static void check_inside(struct str s, struct bytes in)
{
    if (s.n == 0 || (s.n == 1 && s.p[0] == '/'))
        return; /* may be a constant */
    ASSERT((const uint8_t *)s.p >= in.p && (const uint8_t *)s.p + s.n <= in.p + in.n);
}

static void check_head(const struct http_head *h, struct bytes in)
{
    ASSERT(h->size <= in.n && h->size <= HTTP_HEAD_MAX + 1);
    ASSERT(h->field_count <= HTTP_FIELDS_MAX);
    ASSERT(!(h->chunked && h->length));
    check_inside(h->path, in);
    check_inside(h->query, in);
    check_inside(h->host, in);
    for (size_t i = 0; i < h->field_count; i++) {
        check_inside(h->fields[i].name, in);
        check_inside(h->fields[i].value, in);
        struct str list = h->fields[i].value, e;
        while (http_list_next(&list, &e))
            check_inside(e, in);
        (void)http_accepts_gzip(h->fields[i].value);
        (void)http_etag_matches(h->fields[i].value, STR("\"x\""));
        (void)http_media_type_is(h->fields[i].value, "application/json");
    }
    char buf[64];
    struct str query = h->query, k, v;
    while (http_query_next(&query, &k, &v)) {
        check_inside(k, in);
        check_inside(v, in);
    }
    enum err err = http_query_get(h->query, "series", buf, sizeof(buf), &v);
    ASSERT(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_SYNTAX || err == ERR_RANGE);
}

static void read_chunks(struct bytes in, size_t step)
{
    struct http_chunked c = {0};
    size_t at = 0;
    while (at < in.n) {
        size_t used, left = in.n - at < step ? in.n - at : step;
        struct bytes piece;
        enum http_result r = http_chunked_next(&c, (struct bytes){in.p + at, left}, &used, &piece);
        ASSERT(used <= left && piece.n <= used);
        ASSERT(r != HTTP_MORE || used > 0);
        if (r != HTTP_MORE)
            return;
        at += used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t step = data[0] ? data[0] : 1;
    struct bytes in = {data + 1, size - 1};
    struct http_head *whole = malloc(sizeof(*whole)), *pieces = malloc(sizeof(*pieces));
    struct http_scan a, b;
    http_scan_init(&a);
    http_scan_init(&b);
    enum http_result want = http_parse(&a, in, whole), got = HTTP_MORE;
    for (size_t n = 0; got == HTTP_MORE && n < in.n;) {
        n = n + step < in.n ? n + step : in.n;
        got = http_parse(&b, (struct bytes){in.p, n}, pieces);
    }
    ASSERT(want == got);
    ASSERT(want != HTTP_BAD || (whole->status == pieces->status && whole->status >= 400));
    if (want == HTTP_DONE) {
        ASSERT(whole->size == pieces->size && str_eq(whole->path, pieces->path));
        check_head(whole, in);
        read_chunks((struct bytes){in.p + whole->size, in.n - whole->size}, step);
    }
    http_scan_init(&a);
    if (http_scan(&a, in, whole) == HTTP_DONE &&
        http_parse_response((struct bytes){in.p, a.at}, false, whole) == HTTP_DONE) {
        ASSERT(whole->status >= 100 && whole->status <= 599);
        ASSERT(!whole->until_close || (!whole->chunked && !whole->length));
        check_head(whole, in);
    }
    read_chunks(in, step);
    free(whole);
    free(pieces);
    return 0;
}
