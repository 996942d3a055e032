#include "async/deque.h"
#include "tests/support/test.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

static void *number(uintptr_t n)
{
    return (void *)n;
}

TEST(the_owner_takes_the_newest_and_a_thief_the_oldest)
{
    struct deque d;
    void *got = NULL;
    REQUIRE(deque_init(&d, alloc_system(), 8) == ERR_OK);
    for (uintptr_t i = 1; i <= 4; i++)
        CHECK(deque_push(&d, number(i)));
    CHECK_EQ_UINT(deque_len(&d), 4);
    CHECK_EQ_PTR(deque_take(&d), number(4));
    CHECK_EQ_INT(deque_steal(&d, &got), DEQUE_STOLEN);
    CHECK_EQ_PTR(got, number(1));
    CHECK_EQ_PTR(deque_take(&d), number(3));
    CHECK_EQ_PTR(deque_take(&d), number(2));
    CHECK_EQ_PTR(deque_take(&d), NULL);
    CHECK_EQ_INT(deque_steal(&d, &got), DEQUE_EMPTY);
    CHECK(deque_is_empty(&d));
    deque_fini(&d);
    deque_fini(&d);
}

/* From an index on, as after that many pushes. */
static void set_index(struct deque *d, uint64_t at)
{
    atomic_store(&d->top, at);
    atomic_store(&d->bottom, at);
    d->top_seen = at;
}

TEST(full_is_an_answer_and_what_left_makes_room)
{
    static const uint64_t starts[] = {0, 3, (uint64_t)INT64_MAX - 2, UINT64_MAX - 2};
    for (size_t k = 0; k < ARRAY_LEN(starts); k++) {
        for (size_t capacity = 1; capacity <= 8; capacity *= 2) {
            LABEL("capacity %zu from %llx", capacity, (unsigned long long)starts[k]);
            struct deque d;
            void *got = NULL;
            REQUIRE(deque_init(&d, alloc_system(), capacity) == ERR_OK);
            set_index(&d, starts[k]);
            uintptr_t in = 0, out = 0;
            while (in < 3 * capacity + 5) {
                while (deque_push(&d, number(in)))
                    in++;
                CHECK_EQ_UINT(deque_len(&d), capacity);
                CHECK_EQ_INT(deque_steal(&d, &got), DEQUE_STOLEN);
                CHECK_EQ_PTR(got, number(out++));
            }
            while (deque_len(&d) > 0)
                CHECK_EQ_PTR(deque_take(&d), number(--in));
            CHECK_EQ_UINT(in, out);
            CHECK_EQ_PTR(deque_take(&d), NULL);
            CHECK_EQ_INT(deque_steal(&d, &got), DEQUE_EMPTY);
            deque_fini(&d);
        }
    }
}

TEST(a_deque_has_bounds)
{
    static const size_t wrong[] = {0, 3, 6, 1000, (size_t)DEQUE_CAPACITY_MAX * 2};
    struct deque d;
    struct alloc_faulty f;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK_EQ_INT(deque_init(&d, alloc_system(), wrong[i]), ERR_INVALID);
        deque_fini(&d);
    }
    alloc_faulty_init(&f, 0);
    CHECK_EQ_INT(deque_init(&d, &f.alloc, 16), ERR_NOMEM);
    deque_fini(&d);
    alloc_faulty_init(&f, UINT64_MAX);
    CHECK_EQ_INT(deque_init(&d, &f.alloc, 16), ERR_OK);
    deque_fini(&d);
    CHECK_EQ_UINT(f.live_bytes, 0);
}

/* --- threads: each element comes out once, with what was written before it was pushed --- */

enum { ELEMENTS = 100000, THIEVES = 2, CAPACITY = 64 };

struct item {
    uint32_t value; /* written before the push, by a plain store */
    uint32_t taken; /* by its taker; the sanitizer tells when there are two */
};

struct heist {
    struct deque deque;
    struct item *items;
    _Atomic bool over;
    _Atomic uint64_t sum, count;
};

static void have(struct item *it, uint64_t *sum, uint64_t *count)
{
    it->taken++;
    *sum += it->value;
    ++*count;
}

static void *steal_until_over(void *arg)
{
    struct heist *h = arg;
    uint64_t sum = 0, count = 0;
    for (;;) {
        void *got;
        bool over = atomic_load(&h->over); /* before the look: nothing comes after it */
        enum deque_steal r = deque_steal(&h->deque, &got);
        if (r == DEQUE_STOLEN)
            have(got, &sum, &count);
        else if (r == DEQUE_EMPTY && over)
            break;
        else if (r == DEQUE_EMPTY)
            sched_yield();
    }
    atomic_fetch_add(&h->sum, sum);
    atomic_fetch_add(&h->count, count);
    return NULL;
}

/* In bursts, so that it runs full, empty, and around a single element. */
static void work(struct heist *h)
{
    uint64_t sum = 0, count = 0, random = test_seed() | 1;
    size_t next = 0;
    while (next < ELEMENTS) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        for (uint64_t n = random >> 60; n > 0 && next < ELEMENTS; n--) {
            h->items[next].value = (uint32_t)next;
            if (!deque_push(&h->deque, &h->items[next]))
                break;
            next++;
        }
        for (uint64_t n = random >> 56 & 15; n > 0; n--) {
            struct item *it = deque_take(&h->deque);
            if (!it)
                break;
            have(it, &sum, &count);
        }
    }
    atomic_store(&h->over, true);
    atomic_fetch_add(&h->sum, sum);
    atomic_fetch_add(&h->count, count);
}

TEST(every_element_comes_out_once_under_thieves)
{
    struct heist h = {0};
    pthread_t thieves[THIEVES];
    h.items = mem_array(alloc_system(), ELEMENTS, sizeof(*h.items));
    REQUIRE(h.items != NULL);
    REQUIRE(deque_init(&h.deque, alloc_system(), CAPACITY) == ERR_OK);
    for (size_t i = 0; i < THIEVES; i++)
        REQUIRE(pthread_create(&thieves[i], NULL, steal_until_over, &h) == 0);
    work(&h);
    for (size_t i = 0; i < THIEVES; i++)
        pthread_join(thieves[i], NULL);
    CHECK_EQ_UINT(atomic_load(&h.count), ELEMENTS);
    CHECK_EQ_UINT(atomic_load(&h.sum), (uint64_t)ELEMENTS * (ELEMENTS - 1) / 2);
    size_t wrong = 0;
    for (size_t i = 0; i < ELEMENTS; i++)
        wrong += h.items[i].taken != 1;
    CHECK_EQ_UINT(wrong, 0);
    deque_fini(&h.deque);
    mem_free(alloc_system(), h.items, ELEMENTS * sizeof(*h.items));
}
