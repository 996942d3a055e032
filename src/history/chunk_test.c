#include "base/clock.h"
#include "history/chunk_internal.h"
#include "history/ints.h"
#include "tests/support/test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Encodes, decodes, compares every bit; the size of the chunk. */
static size_t round_trip(const struct points *p)
{
    size_t room = chunk_bound(p);
    uint8_t *out = malloc(room);
    REQUIRE(out);
    struct writer w = writer_from(out, room);
    REQUIRE(chunk_encode(&w, p, alloc_system()) == ERR_OK);
    size_t n = writer_len(&w);
    struct points q;
    points_init(&q, alloc_system(), VALUE_INT);
    bool same = CHECK_EQ_INT(chunk_decode((struct bytes){out, n}, &q), ERR_OK) &&
                CHECK_EQ_INT(q.kind, p->kind) && CHECK_EQ_UINT(q.n, p->n) &&
                CHECK_EQ_MEM(q.ts, p->ts, p->n * sizeof(*p->ts));
    if (same && p->kind != VALUE_STR)
        same = CHECK_EQ_MEM(q.v, p->v, p->n * sizeof(*p->v));
    for (uint32_t i = 0; same && p->kind == VALUE_STR && i < p->n; i++)
        same = CHECK(str_eq(points_value(&q, i).s, points_value(p, i).s));
    /* Half a chunk is no chunk. */
    for (size_t cut = 0; cut < n; cut += 1 + n / 50)
        CHECK_EQ_INT(chunk_decode((struct bytes){out, cut}, &q), ERR_CORRUPT);
    points_fini(&q);
    free(out);
    return same ? n : 0;
}

static void add(struct points *p, int64_t ts, struct value v)
{
    REQUIRE(points_add(p, ts, &v) == ERR_OK);
}
static struct value flt(double f)
{
    return (struct value){.kind = VALUE_FLOAT, .f = f};
}
static struct value num(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}

TEST(chunk_floats_keep_every_bit)
{
    static const struct {
        const char *label;
        double v[12];
        uint32_t n;
    } cases[] = {
        {"one", {1.5}, 1},
        {"decimals", {20.1, 20.2, 20.3, 20.2, 20.1, -0.1}, 6},
        {"zeros", {0.0, -0.0, 0.0, -0.0}, 4},
        {"not numbers", {NAN, INFINITY, -INFINITY, 1.0, NAN}, 5},
        {"extremes",
         {1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 2.2250738585072014e-308},
         4},
        {"thirds", {1.0 / 3, 2.0 / 3, 1e-9, 1e9 + 1e-7, 3.141592653589793}, 5},
        {"large integers", {9007199254740992.0, 9007199254740994.0, -9007199254740993.0}, 3},
        {"nine decimals", {1.123456789, 1.123456788, 1.000000001}, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct points p;
        points_init(&p, alloc_system(), VALUE_FLOAT);
        for (uint32_t k = 0; k < cases[i].n; k++)
            add(&p, 1764000000000 + k * 1000, flt(cases[i].v[k]));
        CHECK(round_trip(&p) > 0);
        points_fini(&p);
    }
}

TEST(chunk_payload_of_a_nan_survives)
{
    struct points p;
    points_init(&p, alloc_system(), VALUE_FLOAT);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t bits = UINT64_C(0x7ff8000000000000) + i * i * i;
        double d;
        memcpy(&d, &bits, sizeof(d));
        add(&p, (int64_t)i, flt(i % 3 ? 1.25 : d));
    }
    CHECK(round_trip(&p) > 0);
    points_fini(&p);
}

TEST(chunk_integers_to_the_ends)
{
    static const int64_t v[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN, 1, 42};
    static const int64_t ts[] = {INT64_MIN, INT64_MIN + 1, -5, 0, 0, 7, INT64_MAX, INT64_MAX};
    struct points p;
    points_init(&p, alloc_system(), VALUE_INT);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        add(&p, ts[i], num(v[i]));
    CHECK(round_trip(&p) > 0);
    points_fini(&p);
}

/* One number lies more than 2^63 below the others: it wraps into their range. */
TEST(chunk_a_number_that_wraps_into_the_range)
{
    for (uint32_t at = 0; at < 128; at++) {
        struct points p;
        points_init(&p, alloc_system(), VALUE_INT);
        for (uint32_t i = 0; i < 128; i++)
            add(&p, (int64_t)i * (int64_t)i * (int64_t)(i % 7),
                num(i == at ? INT64_MIN + 1 : 5 + i * 37 % 128 * (INT64_MAX / 130)));
        REQUIRE(points_sort(&p) == ERR_OK);
        CHECK(round_trip(&p) > 0);
        points_fini(&p);
    }
}

TEST(chunk_what_is_simple_costs_little)
{
    struct points p;
    points_init(&p, alloc_system(), VALUE_FLOAT);
    for (int i = 0; i < 2048; i++)
        add(&p, 1764000000000 + i * 1000, flt(3.141592653589793));
    CHECK(round_trip(&p) < 64); /* a constant */
    points_fini(&p);
    points_init(&p, alloc_system(), VALUE_BOOL);
    for (int i = 0; i < 2048; i++)
        add(&p, 1764000000000 + i * 1000,
            (struct value){.kind = VALUE_BOOL, .b = i / 100 % 2 == 0});
    CHECK(round_trip(&p) < 100); /* runs */
    points_fini(&p);
    points_init(&p, alloc_system(), VALUE_INT);
    for (int i = 0; i < 2048; i++)
        add(&p, 1764000000000 + i * 1000, num(1000000 + 17 * i + (i % 97 == 0) * 100000));
    CHECK(round_trip(&p) < 400); /* a counter with a few patches */
    points_fini(&p);
}

TEST(chunk_strings)
{
    struct points p;
    points_init(&p, alloc_system(), VALUE_STR);
    static const char *const words[] = {"running", "", "jammed", "stopped \xc3\xa4", "running"};
    for (uint32_t i = 0; i < 500; i++)
        add(&p, i, (struct value){.kind = VALUE_STR, .s = str_from(words[i / 20 % 5])});
    CHECK(round_trip(&p) < 130);
    points_clear(&p);
    char text[CHUNK_STR_MAX];
    for (uint32_t i = 0; i < CHUNK_POINTS_MAX; i++) { /* all different, the longest */
        memset(text, 'a' + (int)(i % 26), sizeof(text));
        (void)snprintf(text, sizeof(text), "%u", i);
        add(&p, i, (struct value){.kind = VALUE_STR, .s = {text, sizeof(text)}});
    }
    CHECK(round_trip(&p) > 0);
    points_fini(&p);
}

/* Rows of many shapes, from one seed. */
static int64_t shape(struct random *r, unsigned how, uint32_t i, int64_t last)
{
    switch (how % 9) {
    case 0: return (int64_t)random_u64(r);
    case 1: return last + (int64_t)random_below(r, 3) - 1;
    case 2: return (int64_t)i * 120000 + (int64_t)random_below(r, 100);
    case 3: return random_below(r, 50) ? last : (int64_t)random_below(r, 1000);
    case 4:
        return (int64_t)((uint64_t)last + random_below(r, 20) +
                         (random_below(r, 90) ? 0 : random_u64(r) >> 20));
    case 5: return i % 2 ? INT64_MAX : INT64_MIN;
    case 6: return (int64_t)(random_u64(r) >> random_below(r, 64));
    case 7: return (int64_t)i * i * 3;
    default: return -(int64_t)random_below(r, 100);
    }
}

TEST(chunk_ints_of_all_shapes)
{
    static int64_t v[CHUNK_POINTS_MAX];
    static int64_t got[CHUNK_POINTS_MAX];
    static uint8_t out[CHUNK_POINTS_MAX * 10 + 1000];
    uint64_t base = test_seed();
    for (uint64_t s = 0; s < 3000; s++) {
        LABEL("seed %llu", (unsigned long long)(base + s));
        struct random r;
        random_seed(&r, base + s);
        uint32_t n = (uint32_t)random_below(&r, s % 50 == 0 ? CHUNK_POINTS_MAX + 1 : 400);
        int64_t last = (int64_t)random_u64(&r) >> random_below(&r, 64);
        for (uint32_t i = 0; i < n; i++)
            last = v[i] = shape(&r, (unsigned)s, i, last);
        size_t bound = ints_bound(n);
        struct writer w = writer_from(out, bound);
        uint8_t how;
        size_t planned = ints_plan(v, n, &how);
        ints_encode(&w, v, n, how);
        REQUIRE(!w.failed);
        if (n <= 512)
            CHECK_EQ_UINT(writer_len(&w), planned);
        struct cursor c = cursor_from(out, writer_len(&w));
        REQUIRE(ints_decode(&c, got, n));
        CHECK_EQ_UINT(cursor_left(&c), 0);
        REQUIRE(CHECK_EQ_MEM(got, v, n * sizeof(*v)));
    }
}

TEST(chunk_floats_of_all_shapes)
{
    uint64_t base = test_seed();
    for (uint64_t s = 0; s < 600; s++) {
        LABEL("seed %llu", (unsigned long long)(base + s));
        struct random r;
        random_seed(&r, base + s);
        struct points p;
        points_init(&p, alloc_system(), VALUE_FLOAT);
        uint32_t n = 1 + (uint32_t)random_below(&r, s % 20 == 0 ? CHUNK_POINTS_MAX : 300);
        double x = random_normal(&r) * 100;
        double scale = pow(10, (double)random_below(&r, 12));
        int64_t ts = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t bits = random_u64(&r);
            double any;
            memcpy(&any, &bits, sizeof(any));
            x += random_normal(&r);
            ts += (int64_t)random_below(&r, 3000);
            double y = s % 4 == 0 ? x : s % 4 == 1 ? (double)(float)x : round(x * scale) / scale;
            add(&p, ts, flt(random_below(&r, s % 7 == 0 ? 10 : 200) ? y : any));
        }
        CHECK(round_trip(&p) > 0);
        points_fini(&p);
    }
}

TEST(chunk_damage_never_reads_outside)
{
    struct random r;
    random_seed(&r, test_seed());
    struct points p;
    struct points q;
    points_init(&q, alloc_system(), VALUE_INT);
    static uint8_t out[1 << 16];
    for (unsigned round = 0; round < 400; round++) {
        static const enum value_kind kinds[] = {VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_STR};
        enum value_kind kind = kinds[round % 4];
        points_init(&p, alloc_system(), kind);
        for (int i = 0; i < 300; i++) {
            struct value v = {.kind = kind};
            uint64_t x = random_u64(&r);
            if (kind == VALUE_BOOL)
                v.b = x & 1;
            else if (kind == VALUE_INT)
                v.i = (int64_t)(x >> (round % 60));
            else if (kind == VALUE_FLOAT)
                v.f = (double)(x >> 40) / (round % 3 ? 10 : 7);
            else
                v.s = str_from(x & 1 ? "open" : "shut");
            add(&p, i * 1000 + (int64_t)(x % 100), v);
        }
        struct writer w = writer_from(out, sizeof(out));
        REQUIRE(chunk_encode(&w, &p, alloc_system()) == ERR_OK);
        for (unsigned k = 0; k < 50; k++) {
            size_t at = (size_t)random_below(&r, writer_len(&w));
            uint8_t was = out[at];
            out[at] ^= (uint8_t)(1 + random_below(&r, 255));
            uint8_t *copy = malloc(writer_len(&w)); /* so that a sanitizer sees its end */
            memcpy(copy, out, writer_len(&w));
            enum err e = chunk_decode((struct bytes){copy, writer_len(&w)}, &q);
            CHECK(e == ERR_OK || e == ERR_CORRUPT);
            free(copy);
            out[at] = was;
        }
        points_fini(&p);
    }
    points_fini(&q);
}

TEST(chunk_sorting_keeps_the_order_of_equals)
{
    struct random r;
    random_seed(&r, test_seed());
    for (unsigned round = 0; round < 50; round++) {
        struct points p;
        points_init(&p, alloc_system(), VALUE_INT);
        uint32_t n = 1 + (uint32_t)random_below(&r, 500);
        for (uint32_t i = 0; i < n; i++)
            add(&p, (int64_t)random_below(&r, 40), num(i));
        REQUIRE(points_sort(&p) == ERR_OK);
        for (uint32_t i = 1; i < n; i++)
            CHECK(p.ts[i - 1] < p.ts[i] || (p.ts[i - 1] == p.ts[i] && p.v[i - 1] < p.v[i]));
        points_fini(&p);
    }
}

TEST(chunk_every_allocation_fails)
{
    struct points p;
    points_init(&p, alloc_system(), VALUE_STR);
    for (uint32_t i = 0; i < 300; i++)
        add(&p, i,
            (struct value){.kind = VALUE_STR, .s = str_from(i % 2 ? "yes" : "certainly not")});
    static uint8_t out[1 << 16];
    bool met = true;
    for (uint64_t at = 0; met && at < 100; at++) {
        struct alloc_faulty f;
        alloc_faulty_init(&f, at);
        struct writer w = writer_from(out, sizeof(out));
        enum err r = chunk_encode(&w, &p, &f.alloc);
        if (r == ERR_OK) {
            struct points q;
            points_init(&q, &f.alloc, VALUE_INT);
            r = chunk_decode((struct bytes){out, writer_len(&w)}, &q);
            points_fini(&q);
        }
        met = f.failed;
        CHECK_EQ_INT(r, met ? ERR_NOMEM : ERR_OK);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
    CHECK(!met);
    points_fini(&p);
}
