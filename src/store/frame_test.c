#include "base/map.h"
#include "store/journal_internal.h"
#include "tests/support/test.h"
#include <string.h>

static const uint8_t body[] = {1, 0, 2, 'h', 'i'};

static size_t make(uint8_t *out, struct frame_head h)
{
    memcpy(out + FRAME_HEAD, body, sizeof(body));
    h.raw = h.stored = sizeof(body);
    frame_seal(out, &h, out + FRAME_HEAD);
    return FRAME_HEAD + sizeof(body);
}

static const struct frame_head good = {
    .segment = 9, .first_seq = 7, .wall_ms = 1764000000000, .count = 1};

TEST(frame_round_trip)
{
    uint8_t p[FRAME_HEAD + sizeof(body)];
    size_t n = make(p, good);
    struct frame_head h;
    struct bytes b;
    REQUIRE(frame_open((struct bytes){p, n}, 9, &h, &b));
    CHECK_EQ_UINT(h.first_seq, 7);
    CHECK_EQ_UINT(h.count, 1);
    CHECK_EQ_INT(h.wall_ms, 1764000000000);
    CHECK_EQ_UINT(h.segment, 9);
    struct cursor c = cursor_from(b.p, b.n);
    struct journal_record r;
    REQUIRE(record_next(&c, h.wall_ms, &r));
    CHECK_EQ_INT(r.kind, 1);
    CHECK_EQ_INT(r.wall_ms, 1764000000000);
    CHECK_EQ_UINT(r.body.n, 2);
    CHECK_EQ_MEM(r.body.p, "hi", 2);
    CHECK(!record_next(&c, h.wall_ms, &r));
    CHECK(!c.failed);
}

TEST(frame_every_flipped_bit_is_found)
{
    uint8_t p[FRAME_HEAD + sizeof(body)];
    size_t n = make(p, good);
    struct frame_head h;
    struct bytes b;
    for (size_t i = 0; i < n * 8; i++) {
        LABEL("bit %zu", i);
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
        CHECK(!frame_open((struct bytes){p, n}, 9, &h, &b));
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t i = 0; i < n; i++) {
        LABEL("cut at %zu", i);
        CHECK(!frame_open((struct bytes){p, i}, 9, &h, &b));
    }
    CHECK(frame_open((struct bytes){p, n}, 9, &h, &b));
    CHECK(!frame_open((struct bytes){p, n}, 10, &h, &b)); /* another segment's */
}

TEST(frame_heads_that_make_no_sense)
{
    static const struct {
        const char *label;
        struct frame_head head;
    } cases[] = {
        {"no number", {.segment = 9, .first_seq = 0, .count = 1}},
        {"no record", {.segment = 9, .first_seq = 1, .count = 0}},
        {"more records than bytes", {.segment = 9, .first_seq = 1, .count = 2}},
        {"numbers overflow", {.segment = 9, .first_seq = UINT64_MAX, .count = 1}},
        {"unknown flag", {.segment = 9, .first_seq = 1, .count = 1, .flags = 0x80}},
        {"compressed but not smaller",
         {.segment = 9, .first_seq = 1, .count = 1, .flags = FRAME_ZSTD}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        uint8_t p[FRAME_HEAD + sizeof(body)];
        size_t n = make(p, cases[i].head);
        struct frame_head h;
        struct bytes b;
        CHECK(!frame_open((struct bytes){p, n}, 9, &h, &b));
    }
}

TEST(frame_find_passes_rubbish_and_old_frames)
{
    uint8_t p[400];
    memset(p, 'S', sizeof(p));
    memcpy(p + 20, "SFJ1SFJ1", 8);
    size_t n = 100;
    n += make(p + n, (struct frame_head){.segment = 8, .first_seq = 50, .count = 1});
    n += make(p + n, (struct frame_head){.segment = 9, .first_seq = 3, .count = 1});
    size_t want = n;
    (void)make(p + n, (struct frame_head){.segment = 9, .first_seq = 4, .count = 1});
    struct frame_head h;
    struct bytes b;
    size_t at = 0;
    REQUIRE(frame_find((struct bytes){p, sizeof(p)}, &at, 9, 3, &h, &b));
    CHECK_EQ_UINT(at, want);
    CHECK_EQ_UINT(h.first_seq, 4);
    at = 0;
    CHECK(!frame_find((struct bytes){p, sizeof(p)}, &at, 9, 4, &h, &b));
    CHECK_EQ_UINT(at, sizeof(p));
}

TEST(record_damage_ends_the_reading)
{
    static const struct {
        const char *label;
        uint8_t p[12];
        size_t n;
    } cases[] = {
        {"length beyond the end", {1, 0, 9, 'x'}, 4},
        {"no length", {1, 0}, 2},
        {"endless number", {1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 12},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct cursor c = cursor_from(cases[i].p, cases[i].n);
        struct journal_record r;
        CHECK(!record_next(&c, 0, &r));
        CHECK(c.failed);
    }
}

TEST(segment_head_round_trip_and_damage)
{
    static uint8_t p[SEGMENT_HEAD];
    struct segment_head h = {
        .id = 5, .first_seq = 100, .size = 1 << 20, .before = 99, .made_ms = 17, .repaired = true};
    struct segment_head got;
    segment_head_encode(p, &h);
    REQUIRE(segment_head_decode((struct bytes){p, sizeof(p)}, &got));
    CHECK_EQ_UINT(got.id, 5);
    CHECK_EQ_UINT(got.first_seq, 100);
    CHECK_EQ_UINT(got.before, 99);
    CHECK_EQ_UINT(got.size, 1 << 20);
    CHECK(got.repaired);
    for (size_t i = 0; i < 60 * 8; i++) {
        LABEL("bit %zu", i);
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
        CHECK(!segment_head_decode((struct bytes){p, sizeof(p)}, &got));
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
}
