#include "base/alloc.h"
#include "base/vec.h"
#include "tests/support/test.h"

#include <string.h>

TEST(alloc_system_zeroes_and_refuses_overflow)
{
    struct alloc *a = alloc_system();
    char *p = mem_zero(a, 100);
    REQUIRE(p != NULL);
    for (int i = 0; i < 100; i++)
        CHECK_EQ_INT(p[i], 0);
    CHECK_EQ_UINT((uintptr_t)p % 16, 0);
    memset(p, 7, 100);
    p = mem_resize(a, p, 100, 5000);
    REQUIRE(p != NULL);
    CHECK_EQ_INT(p[99], 7);
    mem_free(a, p, 5000);
    mem_free(a, NULL, 0);
    CHECK_EQ_PTR(mem_array(a, SIZE_MAX / 2, 3), NULL);
}

TEST(alloc_limited_counts_every_byte)
{
    struct alloc_limited l;
    alloc_limited_init(&l, alloc_system(), 100);
    struct alloc *a = &l.alloc;
    char *p = mem_new(a, 60), *q = mem_new(a, 40);
    REQUIRE(p && q);
    CHECK_EQ_PTR(mem_new(a, 1), NULL);
    CHECK_EQ_PTR(mem_new(a, SIZE_MAX), NULL);
    CHECK_EQ_PTR(mem_resize(a, q, 40, 41), NULL);
    CHECK_EQ_UINT(l.refused, 3);
    p = mem_resize(a, p, 60, 10);
    REQUIRE(p != NULL);
    CHECK_EQ_UINT(l.used, 50);
    l.max = 20; /* a block may shrink even above a lowered limit */
    q = mem_resize(a, q, 40, 30);
    REQUIRE(q != NULL);
    CHECK_EQ_UINT(l.used, 40);
    mem_free(a, p, 10);
    mem_free(a, q, 30);
    CHECK_EQ_UINT(l.used, 0);
    CHECK_EQ_UINT(l.peak, 100);
}

TEST(alloc_limited_passes_the_parents_refusal_on)
{
    struct alloc_faulty f;
    struct alloc_limited l;
    alloc_faulty_init(&f, 1);
    alloc_limited_init(&l, &f.alloc, 100);
    void *p = mem_new(&l.alloc, 10);
    CHECK_EQ_PTR(mem_new(&l.alloc, 10), NULL);
    CHECK(f.failed);
    CHECK_EQ_UINT(l.used, 10);
    CHECK_EQ_UINT(f.live_bytes, 10);
    mem_free(&l.alloc, p, 10);
    CHECK_EQ_UINT(f.live_bytes, 0);
}

TEST(vec_grows_under_faults)
{
    for (uint64_t fail_at = 0;; fail_at++) {
        LABEL("fail at %d", (int)fail_at);
        struct alloc_faulty f;
        alloc_faulty_init(&f, fail_at);
        VEC(int) v = {0};
        int i = 0;
        while (i < 1000 && vec_push(&f.alloc, &v, i))
            i++;
        CHECK_EQ_UINT(v.n, i);
        CHECK_EQ_INT(i == 1000, !f.failed);
        for (int j = 0; j < i; j++)
            CHECK_EQ_INT(v.v[j], j);
        vec_fini(&f.alloc, &v);
        vec_fini(&f.alloc, &v);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

struct ints {
    int *v;
    size_t n, cap;
};

static int count_of(const struct ints *v)
{
    return (int)v->n;
}

/* The order in which C evaluates both sides of an assignment is the compiler's. */
TEST(vec_elements_are_computed_without_themselves)
{
    struct ints v = {0};
    for (int i = 0; i < 100; i++)
        CHECK(vec_push(alloc_system(), &v, count_of(&v)));
    for (int i = 0; i < 100; i++)
        CHECK_EQ_INT(v.v[i], i);
    vec_fini(alloc_system(), &v);
}

TEST(vec_has_an_end)
{
    void *v = NULL;
    size_t cap = 0;
    CHECK(!vec_grow(alloc_system(), &v, &cap, 1, ((size_t)1 << 31) + 1));
    CHECK(!vec_grow(alloc_system(), &v, &cap, SIZE_MAX / 4, 100));
    CHECK_EQ_UINT(cap, 0);
}
