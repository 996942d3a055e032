#include "async/stack.h"
#include "tests/support/test.h"
#include <stdlib.h>
#include <string.h>

static const enum stack_guard guards[] = {STACK_GUARD_BEST, STACK_GUARD_MPROTECT};

TEST(stacks_are_apart_aligned_and_writable)
{
    for (size_t g = 0; g < ARRAY_LEN(guards); g++) {
        LABEL("guard %zu", g);
        struct stack_pool p;
        void *top[64];
        REQUIRE(stack_pool_init(&p, ARRAY_LEN(top), guards[g]) == ERR_OK);
        for (size_t i = 0; i < ARRAY_LEN(top); i++) {
            top[i] = stack_take(&p);
            REQUIRE(top[i] != NULL);
            CHECK_EQ_UINT((uintptr_t)top[i] % 64, 0);
            CHECK_EQ_UINT(stack_slot(&p, top[i]), i);
            size_t size = (size_t)((char *)top[i] - (char *)stack_lowest(&p, top[i]));
            CHECK(size >= STACK_SLOT - STACK_GUARD - STACK_COLOURS * 64);
            memset(stack_lowest(&p, top[i]), (int)i, size);
            CHECK(!stack_pool_guards(&p, stack_lowest(&p, top[i])));
            CHECK(stack_pool_guards(&p, (char *)stack_lowest(&p, top[i]) - 1));
        }
        CHECK_EQ_PTR(stack_take(&p), NULL);
        /* The tops of neighbours begin on different lines of the cache. */
        for (size_t i = 1; i < STACK_COLOURS; i++)
            CHECK(((uintptr_t)top[i] ^ (uintptr_t)top[0]) % 4096 != 0);
        for (size_t i = 0; i < ARRAY_LEN(top); i++)
            CHECK_EQ_INT(*((char *)top[i] - 1), (int)i);
        stack_give(&p, top[3]);
        stack_give(&p, top[5]);
        CHECK_EQ_PTR(stack_take(&p), top[5]); /* the last is warm */
        CHECK_EQ_PTR(stack_take(&p), top[3]);
        CHECK(!stack_pool_guards(&p, p.slab - 1));
        stack_pool_fini(&p);
        stack_pool_fini(&p);
    }
}

/* More than are kept warm: the memory of the others goes back, the guards stay. */
TEST(cold_stacks_are_empty_and_guarded)
{
    enum { N = STACKS_WARM + 8 };
    struct stack_pool p;
    void **top = calloc(N, sizeof(*top));
    REQUIRE(stack_pool_init(&p, N, STACK_GUARD_BEST) == ERR_OK);
    for (size_t i = 0; i < N; i++) {
        top[i] = stack_take(&p);
        REQUIRE(top[i] != NULL);
        *((char *)top[i] - 1) = 1;
    }
    for (size_t i = 0; i < N; i++)
        stack_give(&p, top[i]);
    CHECK_EQ_UINT(p.warm, STACKS_WARM);
    CHECK_EQ_UINT(p.cold, 8);
    for (size_t i = 0; i < N; i++) {
        void *again = stack_take(&p);
        REQUIRE(again != NULL);
        CHECK_EQ_INT(*((char *)again - 1), i < STACKS_WARM);
    }
    CHECK_EQ_PTR(stack_take(&p), NULL);
    stack_pool_fini(&p);
    free(top);
}

TEST(a_pool_has_bounds)
{
    struct stack_pool p;
    CHECK_EQ_INT(stack_pool_init(&p, 0, STACK_GUARD_BEST), ERR_INVALID);
    CHECK_EQ_INT(stack_pool_init(&p, (size_t)STACKS_MAX + 1, STACK_GUARD_BEST), ERR_INVALID);
    /* Guards that are mappings: fewer than the system's limit of mappings. */
    REQUIRE(stack_pool_init(&p, 1 << 20, STACK_GUARD_MPROTECT) == ERR_OK);
    CHECK(p.slots_max >= 1);
    CHECK(p.slots_max <= 1 << 20);
    stack_pool_fini(&p);
}
