#include "registry/observed.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

static void show(struct strbuf *b, const struct observed *o)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct observed_field *f = o->fields[i];
        strbuf_addf(b, "%s%.*s %llu", i ? "; " : "", STR_FMT(observed_path(f)),
                    (unsigned long long)f->count);
        if (f->of[OBSERVED_NULL])
            strbuf_addf(b, " null %llu", (unsigned long long)f->of[OBSERVED_NULL]);
        if (f->of[OBSERVED_BOOL])
            strbuf_addf(b, " bool %llu", (unsigned long long)f->of[OBSERVED_BOOL]);
        if (f->of[OBSERVED_NUMBER])
            strbuf_addf(b, " number %llu whole %llu quoted %llu %g..%g",
                        (unsigned long long)f->of[OBSERVED_NUMBER], (unsigned long long)f->whole,
                        (unsigned long long)f->quoted, f->min, f->max);
        for (size_t w = 0; f->words && w < f->words->n; w++)
            strbuf_addf(b, " '%.*s'", STR_FMT(observed_word(f, w)));
        if (f->words && f->words->more)
            strbuf_adds(b, " more");
    }
    if (o->left_out)
        strbuf_addf(b, " left out %zu", o->left_out);
}

struct eye {
    struct observed o;
    struct strbuf path;
    int64_t ts_ms;
};

static void see(struct eye *e, const char *payload)
{
    struct str s = str_from(payload);
    e->ts_ms += 1000;
    if (payload[0] == '{' || payload[0] == '[')
        observed_json(&e->o, alloc_system(), &e->path, (struct bytes){(const uint8_t *)s.p, s.n},
                      e->ts_ms);
    else
        observed_bare(&e->o, alloc_system(), s, e->ts_ms);
}

static void eye_open(struct eye *e)
{
    *e = (struct eye){0};
    strbuf_init(&e->path, alloc_system(), OBSERVED_PATH_BYTES);
}

static void eye_close(struct eye *e)
{
    observed_fini(&e->o, alloc_system());
    strbuf_fini(&e->path);
}

TEST(fields_are_found_wherever_they_are)
{
    static const struct {
        const char *label;
        const char *payloads[4];
        const char *want;
    } rows[] = {
        {"flat",
         {"{\"temperature\":21.5,\"count\":3}", "{\"temperature\":20,\"count\":4}"},
         "temperature 2 number 2 whole 1 quoted 0 20..21.5; "
         "count 2 number 2 whole 2 quoted 0 3..4"},
        {"nested, and back",
         {"{\"a\":{\"b\":{\"c\":1},\"d\":true},\"e\":null}"},
         "a.b.c 1 number 1 whole 1 quoted 0 1..1; a.d 1 bool 1; e 1 null 1"},
        {"lists by place",
         {"{\"v\":[1,{\"x\":2},[3]],\"w\":4}"},
         "v[0] 1 number 1 whole 1 quoted 0 1..1; v[1].x 1 number 1 whole 1 quoted 0 2..2; "
         "v[2][0] 1 number 1 whole 1 quoted 0 3..3; w 1 number 1 whole 1 quoted 0 4..4"},
        {"a list on top",
         {"[{\"v\":1},{\"v\":2}]"},
         "[0].v 1 number 1 whole 1 quoted 0 1..1; [1].v 1 number 1 whole 1 quoted 0 2..2"},
        {"keys that need quotes",
         {"{\"a.b\":1,\"switch:0\":{\"it's\":2}}"},
         "'a.b' 1 number 1 whole 1 quoted 0 1..1; "
         "switch:0.'it''s' 1 number 1 whole 1 quoted 0 2..2"},
        {"words, in their order, once",
         {"{\"s\":\"ON\"}", "{\"s\":\"OFF\"}", "{\"s\":\"ON\"}"},
         "s 3 'ON' 'OFF'"},
        {"numbers in quotes", {"{\"s\":\"21.5\"}"}, "s 1 number 1 whole 0 quoted 1 21.5..21.5"},
        {"mixed",
         {"{\"s\":1}", "{\"s\":\"x\"}", "{\"s\":null}", "{\"s\":false}"},
         "s 4 null 1 bool 1 number 1 whole 1 quoted 0 1..1 'x'"},
        {"bare numbers", {"21.5", " 20 "}, " 2 number 2 whole 1 quoted 0 20..21.5"},
        {"bare words", {"Online", "Offline"}, " 2 'Online' 'Offline'"},
        {"escapes", {"{\"\\u0061\":\"\\u00e9\"}"}, "a 1 'é'"},
        {"empty", {"{}", "[]"}, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct eye e;
        struct strbuf b;
        strbuf_init(&b, alloc_system(), 0);
        eye_open(&e);
        for (size_t k = 0; k < 4 && rows[i].payloads[k]; k++)
            see(&e, rows[i].payloads[k]);
        show(&b, &e.o);
        CHECK_EQ_STR(b.p, rows[i].want);
        strbuf_fini(&b);
        eye_close(&e);
    }
}

TEST(the_last_values_are_kept_with_their_times)
{
    struct eye e;
    char text[32];
    eye_open(&e);
    for (int i = 1; i <= 40; i++) {
        (void)snprintf(text, sizeof(text), "{\"v\":%d}", i);
        see(&e, text);
    }
    const struct observed_field *f = e.o.fields[0];
    CHECK_EQ_UINT(f->value_n, OBSERVED_VALUES_MAX);
    CHECK_EQ_DBL(observed_at(f, 0)->number, 9, 0);
    CHECK_EQ_INT(observed_at(f, 0)->ts_ms, 9000);
    CHECK_EQ_DBL(observed_at(f, OBSERVED_VALUES_MAX - 1)->number, 40, 0);
    CHECK_EQ_DBL(f->min, 1, 0); /* what is forgotten still counts */
    eye_close(&e);
}

TEST(what_has_no_room_is_counted)
{
    struct eye e;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    eye_open(&e);
    strbuf_addc(&b, '{');
    for (int i = 0; i < OBSERVED_FIELDS_MAX + 5; i++)
        strbuf_addf(&b, "%s\"k%d\":%d", i ? "," : "", i, i);
    strbuf_addc(&b, '}');
    see(&e, b.p);
    CHECK_EQ_UINT(e.o.n, OBSERVED_FIELDS_MAX);
    CHECK_EQ_UINT(e.o.left_out, 5);
    see(&e, "{\"k0\":1}");
    CHECK_EQ_UINT(e.o.left_out, 0);
    eye_close(&e);

    LABEL("a path that is too long, and the one behind it");
    eye_open(&e);
    strbuf_reset(&b);
    strbuf_adds(&b, "{\"");
    for (int i = 0; i < OBSERVED_PATH_BYTES; i++)
        strbuf_addc(&b, 'x');
    strbuf_adds(&b, "\":{\"y\":1},\"z\":2}");
    see(&e, b.p);
    CHECK_EQ_UINT(e.o.left_out, 1);
    CHECK_EQ_UINT(e.o.n, 1);
    CHECK(str_eq(observed_path(e.o.fields[0]), STR("z")));
    eye_close(&e);

    LABEL("more words than are kept");
    eye_open(&e);
    for (int i = 0; i < OBSERVED_WORDS_MAX + 1; i++) {
        strbuf_reset(&b);
        strbuf_addf(&b, "w%d", i);
        see(&e, b.p);
    }
    CHECK(e.o.fields[0]->words->more);
    CHECK_EQ_UINT(e.o.fields[0]->words->n, OBSERVED_WORDS_MAX);
    CHECK_EQ_INT(observed_at(e.o.fields[0], OBSERVED_WORDS_MAX)->word, -1);
    CHECK_EQ_INT(memcmp(e.o.fields[0]->words->last, "w8", 2), 0);
    eye_close(&e);

    LABEL("a document that is too large");
    eye_open(&e);
    strbuf_reset(&b);
    strbuf_adds(&b, "{\"a\":1");
    while (b.n <= OBSERVED_PAYLOAD_MAX)
        strbuf_adds(&b, "          ");
    strbuf_addc(&b, '}');
    see(&e, b.p);
    CHECK_EQ_UINT(e.o.n, 0);
    CHECK_EQ_UINT(e.o.left_out, 1);
    eye_close(&e);
    strbuf_fini(&b);
}

TEST(without_memory_nothing_is_lost_but_the_field)
{
    for (uint64_t at = 0;; at++) {
        struct alloc_faulty f;
        struct observed o = {0};
        struct strbuf path;
        alloc_faulty_init(&f, at);
        strbuf_init(&path, &f.alloc, OBSERVED_PATH_BYTES);
        static const char text[] = "{\"a\":\"x\",\"b\":2}";
        observed_json(&o, &f.alloc, &path, (struct bytes){(const uint8_t *)text, strlen(text)}, 1);
        CHECK_EQ_UINT(o.n + o.left_out, 2);
        observed_fini(&o, &f.alloc);
        strbuf_fini(&path);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}
