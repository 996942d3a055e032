#include "base/buffers.h"
#include "base/clock.h"
#include "base/poison_fixture.h"
#include "tests/support/test.h"

#include <pthread.h>
#include <string.h>

enum { REGION = 1 << 20 };

static size_t pooled(const struct buffers *b)
{
    size_t n = 0;
    for (size_t i = 0; i < BUFFERS_CLASSES; i++)
        n += pool_stats(&b->pools[i]).in_use;
    return n;
}

TEST(buffers_size_classes)
{
    static const struct {
        size_t size, block; /* 0: the parent's */
    } rows[] = {
        {1, 64},        {64, 64},       {65, 80},   {80, 80},     {81, 96},     {112, 112},
        {113, 128},     {128, 128},     {129, 160}, {1000, 1024}, {1025, 1280}, {28672, 28672},
        {28673, 32768}, {32768, 32768}, {32769, 0}, {1 << 20, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct alloc_faulty f;
        struct buffers b;
        size_t block = 0;
        LABEL("%zu", rows[i].size);
        alloc_faulty_init(&f, UINT64_MAX);
        REQUIRE(buffers_init(&b, &f.alloc, REGION) == ERR_OK);
        size_t before = f.live_bytes;
        uint8_t *p = mem_new(&b.alloc, rows[i].size);
        REQUIRE(p != NULL);
        CHECK_EQ_UINT((uintptr_t)p % 16, 0);
        memset(p, 0xEE, rows[i].size);
        for (size_t c = 0; c < BUFFERS_CLASSES; c++)
            if (pool_stats(&b.pools[c]).in_use)
                block = b.pools[c].block_size;
        CHECK_EQ_UINT(block, rows[i].block);
        CHECK_EQ_UINT(f.live_bytes - before, rows[i].block ? 0 : rows[i].size);
        mem_free(&b.alloc, p, rows[i].size);
        CHECK_EQ_UINT(pooled(&b), 0);
        buffers_fini(&b);
        buffers_fini(&b);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
}

/* Against a copy of what each should hold: sizes, contents and places. */
TEST(buffers_hold_what_was_put_in)
{
    enum { N = 200, STEPS = 20000 };
    struct item {
        uint8_t *p;
        size_t size;
        uint8_t mark;
    } all[N] = {{0}};
    struct alloc_faulty f;
    struct buffers b;
    struct random r;
    alloc_faulty_init(&f, UINT64_MAX);
    REQUIRE(buffers_init(&b, &f.alloc, REGION) == ERR_OK); /* small: it is used up now and then */
    random_seed(&r, test_seed());
    for (int step = 0; step < STEPS; step++) {
        struct item *x = &all[random_below(&r, N)];
        size_t size = (size_t)random_below(&r, random_below(&r, 4) ? 600 : 50000);
        uint8_t *p = x->p || size ? mem_resize(&b.alloc, x->p, x->size, size) : NULL;
        REQUIRE((p != NULL) == (size != 0));
        for (size_t i = 0; i < size && i < x->size; i++)
            if (p[i] != x->mark)
                REQUIRE(CHECK_EQ_UINT(p[i], x->mark));
        *x = (struct item){p, size, (uint8_t)step};
        if (size)
            memset(p, x->mark, size);
    }
    uint64_t refused = 0;
    for (size_t i = 0; i < BUFFERS_CLASSES; i++)
        refused += pool_stats(&b.pools[i]).refused;
    CHECK(refused > 0);
    for (size_t i = 0; i < N; i++)
        mem_free(&b.alloc, all[i].p, all[i].size);
    CHECK_EQ_UINT(pooled(&b), 0);
    buffers_fini(&b);
    CHECK_EQ_UINT(f.live_bytes, 0);
}

TEST(buffers_of_one_size_leave_room_for_the_others)
{
    enum { N = REGION / 1024 };
    static void *block[N];
    struct alloc_faulty f;
    struct buffers b;
    size_t n = 0;
    alloc_faulty_init(&f, 1); /* nothing but the region */
    REQUIRE(buffers_init(&b, &f.alloc, REGION) == ERR_OK);
    while (n < N && (block[n] = mem_new(&b.alloc, 1024)))
        n++;
    CHECK_EQ_UINT(n, N / BUFFERS_SHARE);
    void *other = mem_new(&b.alloc, 2048);
    CHECK(other != NULL);
    mem_free(&b.alloc, other, 2048);
    while (n > 0)
        mem_free(&b.alloc, block[--n], 1024);
    buffers_fini(&b);
    CHECK_EQ_UINT(f.live_bytes, 0);
}

/* The region has room for one block of 1,000 bytes and none that is larger; the parent fails at
 * each of its allocations. */
TEST(buffers_refuse_when_their_parent_does)
{
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty f;
        struct buffers b;
        LABEL("fail at %d", (int)fail_at);
        alloc_faulty_init(&f, fail_at);
        enum err r = buffers_init(&b, &f.alloc, BUFFERS_SHARE * 1100);
        CHECK_EQ_INT(r, fail_at ? ERR_OK : ERR_NOMEM);
        if (!r) {
            char *p = mem_new(&b.alloc, 1000), *q = mem_new(&b.alloc, 2000), *moved;
            REQUIRE(p != NULL); /* of the region */
            memset(p, 7, 1000);
            CHECK_EQ_INT(q == NULL, fail_at == 1);
            moved = mem_resize(&b.alloc, p, 1000, 3000);
            CHECK_EQ_INT(moved == NULL, fail_at < 2 + (q != NULL));
            CHECK_EQ_INT((moved ? moved : p)[999], 7);
            mem_free(&b.alloc, moved ? moved : p, moved ? 3000 : 1000);
            mem_free(&b.alloc, q, 2000);
        }
        buffers_fini(&b);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

TEST(buffers_zeroed_end)
{
    static struct buffers b;
    buffers_fini(&b);
    CHECK_EQ_PTR(b.region, NULL);
}

struct visit {
    struct buffers *buffers;
    void *give, *got, *grown;
};

static void *visit(void *arg)
{
    struct visit *v = arg;
    v->got = mem_new(&v->buffers->alloc, 100);
    v->grown = mem_resize(&v->buffers->alloc, v->give, 100, 1000);
    return NULL;
}

TEST(buffers_of_another_thread)
{
    struct alloc_faulty f; /* only one thread at a time uses it */
    struct buffers b;
    struct visit v = {.buffers = &b};
    pthread_t other;
    alloc_faulty_init(&f, UINT64_MAX);
    REQUIRE(buffers_init(&b, &f.alloc, REGION) == ERR_OK);
    size_t before = f.live_bytes;
    REQUIRE((v.give = mem_new(&b.alloc, 100)) != NULL);
    memset(v.give, 3, 100);
    REQUIRE(pthread_create(&other, NULL, visit, &v) == 0);
    pthread_join(other, NULL);
    CHECK_EQ_UINT(f.live_bytes, before + 100 + 1000); /* both are the parent's */
    CHECK_EQ_UINT(pooled(&b), 0);
    CHECK_EQ_UINT(pool_stats(&b.pools[3]).given_remote, 1); /* of 112 bytes */
    CHECK_EQ_INT(((char *)v.grown)[99], 3);
    mem_free(&b.alloc, v.got, 100);
    mem_free(&b.alloc, v.grown, 1000);
    CHECK_EQ_UINT(f.live_bytes, before);
    buffers_fini(&b);
}

static void *adopt_and_take(void *arg)
{
    struct visit *v = arg;
    buffers_adopt(v->buffers);
    v->got = mem_new(&v->buffers->alloc, 100);
    return NULL;
}

TEST(buffers_go_with_who_adopts_them)
{
    struct buffers b;
    struct visit v = {.buffers = &b};
    pthread_t other;
    REQUIRE(buffers_init(&b, alloc_system(), REGION) == ERR_OK);
    REQUIRE(pthread_create(&other, NULL, adopt_and_take, &v) == 0);
    pthread_join(other, NULL);
    CHECK_EQ_UINT(pooled(&b), 1);
    buffers_adopt(&b);
    mem_free(&b.alloc, v.got, 100);
    CHECK_EQ_UINT(pooled(&b), 0);
    CHECK_EQ_UINT(pool_stats(&b.pools[3]).given_remote, 0);
    buffers_fini(&b);
}

struct misuse {
    struct buffers buffers;
    char *p;
};

static void past_the_end(void *arg)
{
    struct misuse *m = arg;
    poison_fixture_begin();
    ((volatile char *)m->p)[100] = 1;
}

static void past_the_end_after_it_shrank(void *arg)
{
    struct misuse *m = arg;
    poison_fixture_begin();
    char *p = mem_resize(&m->buffers.alloc, m->p, 100, 98);
    ((volatile char *)p)[98] = 1;
}

static void after_free(void *arg)
{
    struct misuse *m = arg;
    poison_fixture_begin();
    mem_free(&m->buffers.alloc, m->p, 100);
    ((volatile char *)m->p)[0] = 1;
}

static void free_with_another_size(void *arg)
{
    struct misuse *m = arg;
    poison_fixture_begin();
    mem_free(&m->buffers.alloc, m->p, 99);
}

TEST(buffers_misuse_is_caught)
{
    static const struct {
        const char *label;
        void (*fn)(void *);
    } rows[] = {
        {"past the end", past_the_end},
        {"past the end after it shrank", past_the_end_after_it_shrank},
        {"after free", after_free},
        {"free with another size", free_with_another_size},
    };
    static struct misuse m;
    if (!MEMORY_POISONS)
        SKIP("needs the address sanitizer");
    REQUIRE(buffers_init(&m.buffers, alloc_system(), REGION) == ERR_OK);
    REQUIRE((m.p = mem_new(&m.buffers.alloc, 100)) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_ABORTS(rows[i].fn, &m);
    }
    mem_free(&m.buffers.alloc, m.p, 100);
    buffers_fini(&m.buffers);
}
