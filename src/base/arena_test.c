#include "base/arena.h"
#include "base/clock.h"
#include "base/poison_fixture.h"
#include "tests/support/test.h"

#include <string.h>

TEST(arena_gives_zeroed_aligned_memory)
{
    struct arena a;
    struct random r;
    arena_init(&a, alloc_system(), 1 << 20);
    random_seed(&r, test_seed());
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            size_t n = (size_t)random_below(&r, i % 50 ? 200 : 20000);
            unsigned char *p = arena_new(&a, n);
            REQUIRE(p != NULL);
            ASSERT(p); /* which an analyzer understands */
            CHECK_EQ_UINT((uintptr_t)p % 16, 0);
            for (size_t j = 0; j < n; j++)
                REQUIRE(p[j] == 0);
            memset(p, 0xEE, n);
        }
        CHECK(arena_peak(&a) >= a.used);
        arena_reset(&a);
        CHECK_EQ_UINT(a.used, 0);
    }
    struct str s = arena_str(&a, STR("one"));
    CHECK_EQ_STR(s.p, "one");
    s = arena_strf(&a, "%s-%d", s.p, 2);
    CHECK_EQ_STR(s.p, "one-2");
    CHECK_EQ_UINT(s.n, 5);
    arena_fini(&a);
    arena_fini(&a);
}

TEST(arena_has_a_limit_and_remembers)
{
    struct arena a;
    arena_init(&a, alloc_system(), 100);
    CHECK(arena_new(&a, 64) != NULL);
    CHECK_EQ_PTR(arena_new(&a, 64), NULL);
    CHECK(a.failed);
    CHECK(arena_new(&a, 16) != NULL);
    arena_reset(&a);
    CHECK(!a.failed);
    CHECK_EQ_PTR(arena_array(&a, SIZE_MAX / 2, 4), NULL);
    CHECK_EQ_PTR(arena_new(&a, SIZE_MAX), NULL);
    CHECK(a.failed);
    arena_fini(&a);
}

TEST(arena_gives_all_back_under_faults)
{
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty f;
        struct arena a;
        alloc_faulty_init(&f, fail_at);
        arena_init(&a, &f.alloc, 1 << 20);
        for (int i = 0; i < 100; i++)
            CHECK_EQ_INT(arena_new(&a, 1000) == NULL && !a.failed, false);
        CHECK_EQ_INT(arena_strf(&a, "%d", 7).p == NULL && !a.failed, false);
        CHECK_EQ_INT(a.failed, f.failed);
        arena_fini(&a);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

TEST(arena_rounds_keep_a_block_but_no_large_one)
{
    enum { LARGE = 4 * ARENA_BLOCK_MAX };
    static const struct {
        const char *label;
        size_t size[4];
        uint64_t allocations; /* of a first round */
        uint64_t again;       /* of the next */
    } rows[] = {
        {"one small", {100}, 1, 0},
        {"that fills what is kept", {4096 - 32}, 1, 0},
        {"two blocks", {4000, 4000}, 2, 0},
        {"a large one alone is not kept", {LARGE}, 1, 1},
        {"a large one behind a small one", {100, LARGE, 100}, 2, 1},
        {"two large ones", {LARGE, LARGE}, 2, 2},
        {"a small one after a large one", {LARGE, 100, 100}, 2, 1},
        {"the largest that is not large", {ARENA_BLOCK_MAX - 32}, 1, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct alloc_faulty f;
        struct arena a;
        uint64_t count[2];
        size_t sum = 0;
        LABEL("%s", rows[i].label);
        alloc_faulty_init(&f, UINT64_MAX);
        arena_init(&a, &f.alloc, SIZE_MAX);
        for (int round = 0; round < 2; round++) {
            uint64_t before = f.count;
            sum = 0;
            for (size_t n = 0; n < ARRAY_LEN(rows[i].size) && rows[i].size[n]; n++) {
                REQUIRE(arena_new(&a, rows[i].size[n]) != NULL);
                sum += (rows[i].size[n] + 15) & ~(size_t)15;
            }
            CHECK_EQ_UINT(a.used, sum);
            count[round] = f.count - before;
            arena_reset(&a);
            CHECK(f.live_bytes <= ARENA_BLOCK_MAX);
        }
        CHECK_EQ_UINT(count[0], rows[i].allocations);
        CHECK_EQ_UINT(count[1], rows[i].again);
        CHECK_EQ_UINT(arena_peak(&a), sum);
        arena_fini(&a);
        CHECK_EQ_UINT(arena_peak(&a), sum);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
}

TEST(arena_peak_is_of_the_largest_round)
{
    struct arena a;
    arena_init(&a, alloc_system(), 1000);
    CHECK_EQ_UINT(arena_peak(&a), 0);
    CHECK(arena_new(&a, 320) != NULL);
    CHECK_EQ_UINT(arena_peak(&a), 320);
    arena_reset(&a);
    CHECK(arena_new(&a, 16) != NULL);
    CHECK_EQ_UINT(arena_peak(&a), 320);
    CHECK(arena_new(&a, 640) != NULL);
    CHECK_EQ_UINT(arena_peak(&a), 656);
    arena_fini(&a);
}

TEST(arena_zeroed_ends_and_resets)
{
    struct arena a = {0};
    arena_reset(&a);
    arena_fini(&a);
    CHECK_EQ_UINT(arena_peak(&a), 0);
}

struct touch {
    struct arena arena;
    char *p;
};

static void past_the_end(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    ((volatile char *)t->p)[13] = 1;
}

static void after_the_reset(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    arena_reset(&t->arena);
    ((volatile char *)t->p)[0] = 1;
}

TEST(arena_poisons_what_it_has_not_given)
{
    struct touch t;
    if (!MEMORY_POISONS)
        SKIP("needs the address sanitizer");
    arena_init(&t.arena, alloc_system(), 1000);
    t.p = arena_new(&t.arena, 13);
    REQUIRE(t.p != NULL);
    memset(t.p, 1, 13);
    CHECK_ABORTS(past_the_end, &t);
    CHECK_ABORTS(after_the_reset, &t);
    arena_fini(&t.arena);
}
