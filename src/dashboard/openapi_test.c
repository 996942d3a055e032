/* The description of the API (docs/openapi.json) and the server's routes are about the same paths.
 */
#include "dashboard/dashboard_internal.h"
#include "dashboard/web_assets.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { OPERATIONS_MAX = 256 };

struct operation {
    enum http_method method;
    char path[128];
};

/* The document that the program serves. */
static struct bytes document(void)
{
    static uint8_t text[1 << 20];
    const struct web_asset *a = web_assets;
    while (a->path && strcmp(a->path, "openapi.json") != 0)
        a++;
    REQUIRE(a->path != NULL);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)a->gzip,
                  .avail_in = (uInt)a->gzip_size,
                  .next_out = text,
                  .avail_out = sizeof(text)};
    REQUIRE(inflateInit2(&z, 16 + MAX_WBITS) == Z_OK);
    REQUIRE(inflate(&z, Z_FINISH) == Z_STREAM_END);
    struct bytes b = {text, z.total_out};
    inflateEnd(&z);
    return b;
}

static enum http_method method_of(const struct json_token *t)
{
    static const struct {
        const char *word;
        enum http_method method;
    } words[] = {
        {"get", HTTP_GET}, {"post", HTTP_POST}, {"put", HTTP_PUT}, {"delete", HTTP_DELETE}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (json_text_is(t, str_from(words[i].word)))
            return words[i].method;
    return HTTP_OTHER;
}

/* Every operation of the document. */
static size_t operations(struct operation *out)
{
    struct json_reader r;
    struct json_token t;
    struct str paths, raw;
    size_t n = 0;
    REQUIRE(json_find(document(), STR("paths"), NULL, &paths) == ERR_OK);
    json_init(&r, (struct bytes){(const uint8_t *)paths.p, paths.n});
    REQUIRE(json_next(&r, &t) == JSON_OBJECT);
    while (json_next(&r, &t) == JSON_KEY) {
        struct str path = t.raw;
        REQUIRE(json_next(&r, &t) == JSON_OBJECT);
        while (json_next(&r, &t) == JSON_KEY) {
            REQUIRE(n < OPERATIONS_MAX && path.n < sizeof(out[n].path));
            out[n].method = method_of(&t);
            memcpy(out[n].path, path.p, path.n);
            out[n++].path[path.n] = '\0';
            REQUIRE(json_skip(&r, &t, &raw) == ERR_OK);
        }
    }
    REQUIRE(t.kind == JSON_OBJECT_END && json_next(&r, &t) == JSON_END);
    return n;
}

TEST(every_route_is_described_and_nothing_else)
{
    static struct operation described[OPERATIONS_MAX];
    size_t n = operations(described);
    for (size_t i = 0; i < dashboard_routes_count; i++) {
        const struct http_route *route = &dashboard_routes[i];
        size_t times = 0;
        for (size_t k = 0; k < n; k++)
            times += described[k].method == route->method &&
                     strcmp(described[k].path, route->pattern) == 0;
        LABEL("%s", route->pattern);
        CHECK_EQ_UINT(times, 1);
    }
    CHECK_EQ_UINT(n, dashboard_routes_count);
}

/* Each type of problem is in the document's list, and has a name of its own. */
TEST(every_type_of_problem_is_described)
{
    struct str components, schemas, body, properties, type, list;
    REQUIRE(json_find(document(), STR("components"), NULL, &components) == ERR_OK);
    struct {
        const char *key;
        struct str *in, *out;
    } way[] = {{"schemas", &components, &schemas},
               {"ProblemBody", &schemas, &body},
               {"properties", &body, &properties},
               {"type", &properties, &type},
               {"enum", &type, &list}};
    for (size_t i = 0; i < ARRAY_LEN(way); i++)
        REQUIRE(json_find((struct bytes){(const uint8_t *)way[i].in->p, way[i].in->n},
                          str_from(way[i].key), NULL, way[i].out) == ERR_OK);
    char text[64];
    size_t commas = 0;
    for (size_t i = 0; i < list.n; i++)
        commas += list.p[i] == ',';
    CHECK_EQ_UINT(commas, PROBLEM_COUNT); /* "about:blank" is the other one */
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_addstr(&b, list);
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        (void)snprintf(text, sizeof(text), "\"/problems/%s\"", problem_name((enum problem)i));
        CHECK_HAS_STR(b.p, text);
        CHECK(problem_status((enum problem)i) >= 400);
    }
    strbuf_fini(&b);
}
