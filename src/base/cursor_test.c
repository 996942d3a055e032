#include "base/clock.h"
#include "base/cursor.h"
#include "tests/support/test.h"

#include <string.h>

TEST(cursor_reads_both_orders)
{
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct cursor c = cursor_from(b, 8);
    CHECK_EQ_UINT(cursor_u8(&c), 1);
    CHECK_EQ_UINT(cursor_u16(&c), 0x0203);
    CHECK_EQ_UINT(cursor_u32(&c), 0x04050607);
    CHECK_EQ_UINT(cursor_left(&c), 1);
    c = cursor_from(b, 8);
    CHECK_EQ_UINT(cursor_u64(&c), 0x0102030405060708);
    c = cursor_from(b, 8);
    CHECK_EQ_UINT(cursor_u16le(&c), 0x0201);
    CHECK_EQ_UINT(cursor_u32le(&c), 0x06050403);
    c = cursor_from(b, 8);
    CHECK_EQ_UINT(cursor_u64le(&c), 0x0807060504030201);
    CHECK(!c.failed);
}

TEST(cursor_failed_stays_failed)
{
    static const uint8_t b[] = {9, 9, 9};
    struct cursor c = cursor_from(b, 3);
    CHECK_EQ_UINT(cursor_u32(&c), 0);
    CHECK(c.failed);
    CHECK_EQ_UINT(cursor_u8(&c), 0); /* although three bytes are left */
    CHECK_EQ_UINT(cursor_left(&c), 0);
    CHECK_EQ_PTR(cursor_take(&c, 0).p, NULL);
    c = cursor_from(NULL, 0);
    CHECK_EQ_UINT(cursor_take(&c, 0).n, 0);
    CHECK(!c.failed);
    CHECK_EQ_UINT(cursor_take(&c, SIZE_MAX).n, 0);
    CHECK(c.failed);
}

TEST(cursor_strings)
{
    struct cursor c = cursor_from("\0\3abc\0\0\0\5xy", 11);
    CHECK(str_eq(cursor_str16(&c), STR("abc")));
    CHECK_EQ_UINT(cursor_str16(&c).n, 0);
    CHECK(!c.failed);
    CHECK_EQ_UINT(cursor_str16(&c).n, 0);
    CHECK(c.failed);
}

TEST(cursor_varint_limits)
{
    static const struct {
        const char *label;
        const char *b;
        size_t n;
        bool fails;
        uint64_t v;
    } rows[] = {
        {"zero", "\0", 1, false, 0},
        {"127", "\x7F", 1, false, 127},
        {"128", "\x80\x01", 2, false, 128},
        {"largest", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10, false, UINT64_MAX},
        {"65 bits", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10, true, 0},
        {"eleven bytes", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, true, 0},
        {"cut", "\x80", 1, true, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct cursor c = cursor_from(rows[i].b, rows[i].n);
        CHECK_EQ_UINT(cursor_varint(&c), rows[i].v);
        CHECK_EQ_INT(c.failed, rows[i].fails);
    }
}

TEST(writer_and_cursor_agree)
{
    struct random r;
    random_seed(&r, test_seed());
    for (int i = 0; i < 2000; i++) {
        uint64_t v = random_u64(&r) >> random_below(&r, 64);
        int64_t s = (int64_t)(random_u64(&r)) >> random_below(&r, 64);
        double d = random_normal(&r);
        uint8_t b[64];
        struct writer w = writer_from(b, sizeof(b));
        writer_u8(&w, (uint8_t)v);
        writer_u16(&w, (uint16_t)v);
        writer_u32(&w, (uint32_t)v);
        writer_u64(&w, v);
        writer_u16le(&w, (uint16_t)v);
        writer_u32le(&w, (uint32_t)v);
        writer_u64le(&w, v);
        writer_f64le(&w, d);
        writer_varint(&w, v);
        writer_svarint(&w, s);
        REQUIRE(!w.failed);
        struct cursor c = cursor_from(b, writer_len(&w));
        CHECK_EQ_UINT(cursor_u8(&c), (uint8_t)v);
        CHECK_EQ_UINT(cursor_u16(&c), (uint16_t)v);
        CHECK_EQ_UINT(cursor_u32(&c), (uint32_t)v);
        CHECK_EQ_UINT(cursor_u64(&c), v);
        CHECK_EQ_UINT(cursor_u16le(&c), (uint16_t)v);
        CHECK_EQ_UINT(cursor_u32le(&c), (uint32_t)v);
        CHECK_EQ_UINT(cursor_u64le(&c), v);
        CHECK(cursor_f64le(&c) == d);
        CHECK_EQ_UINT(cursor_varint(&c), v);
        CHECK_EQ_INT(cursor_svarint(&c), s);
        CHECK_EQ_UINT(cursor_left(&c), 0);
        CHECK(!c.failed);
    }
    uint8_t b[10];
    struct writer w = writer_from(b, sizeof(b));
    writer_svarint(&w, INT64_MIN);
    struct cursor c = cursor_from(b, writer_len(&w));
    CHECK_EQ_INT(cursor_svarint(&c), INT64_MIN);
}

TEST(strbuf_takes_numbers_as_a_writer_does)
{
    static const int64_t numbers[] = {0, 1, -1, 63, -64, 127, 128, INT64_MAX, INT64_MIN};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        strbuf_add_varint(&b, (uint64_t)numbers[i]);
        strbuf_add_svarint(&b, numbers[i]);
    }
    struct cursor c = cursor_from(b.p, b.n);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        CHECK_EQ_UINT(cursor_varint(&c), (uint64_t)numbers[i]);
        CHECK_EQ_INT(cursor_svarint(&c), numbers[i]);
    }
    CHECK(!c.failed && cursor_left(&c) == 0);
    strbuf_fini(&b);
}

TEST(writer_never_passes_its_end)
{
    uint8_t b[5] = {0};
    struct writer w = writer_from(b, 4);
    writer_str16(&w, STR("abc")); /* five bytes: nothing of it is written */
    CHECK(w.failed);
    CHECK_EQ_UINT(writer_len(&w), 0);
    writer_u8(&w, 1);
    CHECK_EQ_UINT(writer_len(&w), 0);
    w = writer_from(b, 4);
    writer_str16(&w, STR("ab"));
    CHECK(!w.failed);
    CHECK_EQ_MEM(b, "\0\2ab\0", 5);
    writer_bytes(&w, NULL, 0);
    CHECK(!w.failed);
    w = writer_from(NULL, 0);
    writer_u8(&w, 1);
    CHECK(w.failed);
    static char large[70000];
    static uint8_t room[80000];
    w = writer_from(room, sizeof(room));
    writer_str16(&w, (struct str){large, 65536});
    CHECK(w.failed);
    w = writer_from(room, sizeof(room));
    writer_str16(&w, (struct str){large, 65535});
    CHECK(!w.failed);
}
