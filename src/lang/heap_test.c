#include "lang/heap_fixture.h"

#include "base/clock.h"
#include "lang/chan.h"

#include <string.h>
#include <sys/mman.h>

static struct record *pair(struct heap *h)
{
    return heap_new_record(h, FIXTURE_PAIR);
}

TEST(heap_every_size_has_the_smallest_cell_that_holds_it)
{
    for (size_t bytes = 16; bytes <= HEAP_SMALL_MAX; bytes++) {
        unsigned c = heap_class_of[(bytes + 7) / 8];
        LABEL("%zu bytes", bytes);
        CHECK(heap_cell_bytes[c] >= bytes);
        CHECK(c == 0 || heap_cell_bytes[c - 1] < bytes);
    }
}

TEST(heap_an_object_is_zero_and_of_this_turn)
{
    static struct heap_fixture f;
    for (size_t bytes = 16; bytes < 5000; bytes += 56) {
        fixture_init(&f, alloc_system(), 1 << 20, 1);
        f.h.epoch = 77;
        for (int round = 0; round < 2; round++) { /* the second time, a used cell */
            LABEL("%zu bytes, round %d", bytes, round);
            struct obj *o = heap_new(&f.h, OBJ_TEXT, 5, bytes);
            REQUIRE(o != NULL);
            CHECK_EQ_UINT(o->kind, OBJ_TEXT);
            CHECK_EQ_UINT(o->layout, 5);
            CHECK_EQ_UINT(o->epoch, 77);
            CHECK_EQ_INT((o->flags & OBJ_LARGE) != 0, bytes > HEAP_SMALL_MAX);
            bool zero = true;
            for (size_t i = 8; i < bytes; i++)
                zero = zero && ((char *)o)[i] == 0;
            CHECK(zero);
            memset((char *)o + 8, 0xff, bytes - 8);
            o->kind = OBJ_TEXT;
            ((struct text *)(void *)o)->len =
                (uint32_t)(bytes - sizeof(struct text) - (bytes > 16));
            heap_collect(&f.h);
        }
        fixture_fini(&f);
    }
}

TEST(heap_collect_frees_all_that_is_not_reachable)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 1);
    struct record *kept = pair(&f.h);
    f.global[0] = &kept->hdr;
    for (int i = 0; i < 5000; i++) {
        REQUIRE(text_blank(&f.h, 5000) != NULL);
        struct record *o = pair(&f.h);
        REQUIRE(o != NULL);
        if (i == 77) {
            o->slot[2].i = 77;
            heap_store(&f.h, &kept->slot[0], &o->hdr);
        }
    }
    heap_collect(&f.h);
    CHECK_EQ_UINT(f.h.stats.live, 2 * 32);
    CHECK_EQ_UINT(f.h.stats.bytes,
                  HEAP_BLOCK_SMALL + (f.h.classes[2].done->next ? HEAP_BLOCK_SMALL : 0));
    CHECK_EQ_INT(((struct record *)(void *)kept->slot[0].o)->slot[2].i, 77);
    heap_check(&f.h);
    f.global[0] = NULL;
    heap_collect(&f.h);
    CHECK_EQ_UINT(f.h.stats.live, 0);
    CHECK_EQ_UINT(f.h.stats.bytes, 0);
    fixture_fini(&f);
}

/* Why there is a barrier: what is read from a place that is not yet marked, and then overwritten
 * there, would be lost; its new place is black. */
TEST(heap_the_barrier_keeps_what_is_overwritten)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 1);
    struct record *a = pair(&f.h);
    f.global[0] = &a->hdr;
    struct record *b = pair(&f.h);
    b->slot[2].i = 42;
    heap_store(&f.h, &a->slot[1], &b->hdr);
    heap_mark_begin(&f.h);
    f.stack[0][0] = a->slot[1].o; /* a register: no barrier, and it was scanned */
    heap_store(&f.h, &a->slot[1], NULL);
    heap_check(&f.h);
    while (f.h.phase != HEAP_IDLE)
        fixture_step(&f.h);
    heap_check(&f.h);
    CHECK_EQ_UINT(b->hdr.kind, OBJ_RECORD);
    CHECK_EQ_INT(b->slot[2].i, 42);
    fixture_fini(&f);
}

TEST(heap_check_finds_a_store_without_barrier)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 1);
    struct record *a = pair(&f.h);
    f.global[0] = &a->hdr;
    struct record *b = pair(&f.h);
    heap_store(&f.h, &a->slot[1], &b->hdr);
    heap_mark_begin(&f.h);
    f.stack[0][0] = a->slot[1].o;
    a->slot[1].o = NULL;
    CHECK_ABORTS((void (*)(void *))heap_check, &f.h);
    fixture_fini(&f);
}

/* ---- the marker's list is full ---- */

static void wide_check(struct chan *wide, int n)
{
    for (int i = 0; i < n; i++) {
        const struct record *o = (const struct record *)(const void *)wide->slot[i].o;
        CHECK_EQ_UINT(o->hdr.kind, OBJ_RECORD);
        CHECK_EQ_UINT(o->slot[0].o->kind, OBJ_RECORD);
        CHECK_EQ_INT(((struct record *)(void *)o->slot[0].o)->slot[0].i, i);
    }
}

TEST(heap_marks_all_without_room_for_what_is_grey)
{
    enum { N = 4000 };
    static struct heap_fixture f;
    for (int denied = 0; denied < 2; denied++) {
        LABEL("%s", denied ? "no list at all" : "a list that is too small");
        struct alloc_faulty faulty;
        alloc_faulty_init(&faulty, UINT64_MAX);
        fixture_init(&f, &faulty.alloc, 1 << 19, 1);
        struct chan *wide = chan_obj_new(&f.h, true, N);
        REQUIRE(wide != NULL);
        f.global[0] = &wide->hdr;
        for (int i = 0; i < N; i++) {
            struct record *o = pair(&f.h);
            REQUIRE(o && chan_obj_put(&f.h, wide, slot_o(o)) == ERR_OK);
            struct record *box = heap_new_record(&f.h, FIXTURE_BOX);
            REQUIRE(box != NULL);
            box->slot[0].i = i;
            heap_store(&f.h, &o->slot[0], &box->hdr);
        }
        heap_blocks_fini(&f.blocks);
        if (denied)
            faulty.fail_at = 0;
        bool overflowed = false;
        for (int cycle = 0; cycle < 2; cycle++) {
            do {
                fixture_step(&f.h);
                overflowed = overflowed || f.h.overflow;
            } while (f.h.phase != HEAP_IDLE);
            heap_check(&f.h);
            wide_check(wide, N);
        }
        CHECK(overflowed);
        fixture_fini(&f);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
}

/* ---- limits ---- */

TEST(heap_at_its_limit_it_refuses_and_goes_on)
{
    static struct heap_fixture f;
    static const size_t limits[] = {0, 4096, 10000, 1 << 16, 300000};
    static const size_t sizes[] = {8, 40, 900, 3000, 70000};
    for (size_t l = 0; l < ARRAY_LEN(limits); l++) {
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            LABEL("limit %zu, texts of %zu", limits[l], sizes[s]);
            fixture_init(&f, alloc_system(), limits[l], 1);
            size_t n = 0;
            for (; f.h.stats.refused == 0; n++) {
                struct record *o = pair(&f.h);
                if (!o)
                    break;
                heap_store(&f.h, &o->slot[0], f.global[0]);
                f.global[0] = &o->hdr;
                struct text *t = text_blank(&f.h, sizes[s]);
                if (t)
                    heap_store(&f.h, &o->slot[1], &t->hdr);
                REQUIRE(f.h.stats.bytes <= limits[l]);
            }
            CHECK_EQ_UINT(f.h.stats.refused, 1);
            heap_check(&f.h);
            CHECK(n > 0 || limits[l] < 4096);
            f.global[0] = NULL; /* and all is well again */
            CHECK_EQ_INT(pair(&f.h) != NULL, limits[l] >= 4096);
            fixture_fini(&f);
        }
    }
}

TEST(heap_garbage_never_reaches_the_limit)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 17, 1);
    for (int i = 0; i < 20000; i++) {
        REQUIRE(text_blank(&f.h, (size_t)(i % 7000)) != NULL);
        CHECK(f.h.stats.bytes <= 1 << 17);
    }
    fixture_fini(&f);
}

TEST(heap_without_memory_nothing_is_lost)
{
    static struct heap_fixture f;
    struct alloc_faulty faulty;
    uint64_t fail_at = 0;
    do {
        LABEL("allocation %llu fails", (unsigned long long)fail_at);
        alloc_faulty_init(&faulty, fail_at++);
        fixture_init(&f, &faulty.alloc, 1 << 22, 1);
        struct lang_list *l = list_new(&f.h, true);
        f.global[0] = (struct obj *)l;
        struct dict *d = dict_new(&f.h, true, true);
        f.global[1] = (struct obj *)d;
        for (int i = 0; l && d && i < 1500; i++) {
            size_t len = list_len(l), count = dict_len(d);
            struct text *t = text_blank(&f.h, i % 50 ? 12 : 3000);
            if (!t)
                continue;
            memcpy(t->bytes, &i, sizeof(i));
            bool pushed = list_push(&f.h, l, slot_o(t));
            CHECK_EQ_UINT(list_len(l), len + pushed);
            /* The list may not have it: then only the map's own care keeps it alive. */
            bool put = dict_put(&f.h, d, slot_o(t), slot_o(t));
            CHECK_EQ_UINT(dict_len(d), count + put);
        }
        heap_check(&f.h);
        fixture_fini(&f);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    } while (faulty.failed);
    CHECK(fail_at > 20);
}

/* ---- turns ---- */

TEST(heap_turn_makes_all_objects_old)
{
    static struct heap_fixture f;
    static const uint32_t epochs[] = {1, 2, 1000, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(epochs); i++) {
        LABEL("after turn %u", epochs[i]);
        fixture_init(&f, alloc_system(), 1 << 20, 1);
        f.h.epoch = 1; /* a number that comes again */
        f.global[0] = (struct obj *)pair(&f.h);
        f.global[1] = (struct obj *)text_blank(&f.h, 3000);
        f.h.epoch = epochs[i];
        f.global[2] = (struct obj *)pair(&f.h);
        CHECK_EQ_UINT(f.global[2]->epoch, f.h.epoch);
        heap_turn(&f.h);
        CHECK(f.h.epoch != 0);
        if (epochs[i] != UINT32_MAX)
            CHECK_EQ_UINT(f.h.epoch, epochs[i] + 1);
        for (int o = 0; o < 3; o++)
            CHECK(f.global[o]->epoch != f.h.epoch);
        fixture_fini(&f);
    }
}

/* ---- immortal objects ---- */

TEST(heap_never_writes_to_an_immortal_object)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 9);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    struct text *known = text_constant(page, STR("known"), 9);
    struct text *fresh = text_constant(page + text_constant_bytes(5), STR("fresh"), 9);
    fresh->hash = 0;
    REQUIRE(mprotect(page, 4096, PROT_READ) == 0);
    struct dict *d = dict_new(&f.h, true, true);
    f.global[0] = &d->hdr;
    f.global[1] = &known->hdr;
    struct record *o = pair(&f.h);
    f.global[2] = &o->hdr;
    heap_store(&f.h, &o->slot[0], &fresh->hdr);
    CHECK(dict_put(&f.h, d, slot_o(known), slot_o(fresh)));
    CHECK(dict_put(&f.h, d, slot_o(fresh), slot_o(known)));
    for (int i = 0; i < 3; i++) {
        heap_mark_begin(&f.h);
        heap_store(&f.h, &o->slot[0], i % 2 ? &fresh->hdr : &known->hdr);
        heap_collect(&f.h);
        heap_check(&f.h);
    }
    struct text *same = text_new(&f.h, STR("fresh"));
    const union lang_slot *v = dict_get(&f.h, d, slot_o(same));
    CHECK(v && v->o == &known->hdr);
    fixture_fini(&f);
    munmap(page, 4096);
}

/* ---- blocks ---- */

TEST(heap_reset_gives_all_back_in_every_phase)
{
    static struct heap_fixture f;
    struct alloc_faulty faulty;
    for (int steps = 0; steps < 400; steps += 7) {
        LABEL("%d steps", steps);
        alloc_faulty_init(&faulty, UINT64_MAX);
        fixture_init(&f, &faulty.alloc, 1 << 22, 1);
        struct lang_list *l = list_fill(&f.h, true, 500, slot_o(NULL));
        REQUIRE(l != NULL);
        f.global[0] = &l->hdr;
        for (size_t i = 0; i < 500; i++)
            REQUIRE(list_set(&f.h, l, i, slot_o(text_blank(&f.h, 10 * i))));
        for (int i = 0; i < steps; i++)
            fixture_step(&f.h);
        f.global[0] = NULL;
        heap_reset(&f.h);
        CHECK_EQ_UINT(f.h.stats.bytes, 0);
        CHECK_EQ_UINT(faulty.live_bytes, f.blocks.bytes);
        CHECK(f.blocks.bytes <= f.blocks.max);
        CHECK(pair(&f.h) != NULL); /* and it can be used again */
        heap_check(&f.h);
        fixture_fini(&f);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
}

TEST(heap_a_small_program_stays_small)
{
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 1);
    f.global[0] = (struct obj *)list_new(&f.h, true);
    f.global[1] = (struct obj *)pair(&f.h);
    for (int i = 0; i < 10; i++)
        REQUIRE(list_push(&f.h, (struct lang_list *)(void *)f.global[0], slot_o(pair(&f.h))));
    CHECK(f.h.stats.bytes <= 6 * HEAP_BLOCK_SMALL);
    fixture_fini(&f);
}

TEST(heap_zeroed_and_finished_ones_can_be_finished)
{
    static struct heap zeroed;
    heap_fini(&zeroed);
    static struct heap_fixture f;
    fixture_init(&f, alloc_system(), 1 << 20, 1);
    REQUIRE(pair(&f.h) != NULL);
    fixture_fini(&f);
    fixture_fini(&f);
    CHECK_EQ_UINT(f.h.stats.bytes, 0);
}

/* ---- the pace ---- */

/* Replaces random elements of a list of n pairs, many times; what was live. */
static size_t churn(struct heap_fixture *f, size_t n, size_t times)
{
    struct lang_list *l = list_fill(&f->h, true, n, slot_o(NULL));
    REQUIRE(l != NULL);
    f->global[0] = &l->hdr;
    for (size_t i = 0; i < n; i++)
        REQUIRE(list_set(&f->h, l, i, slot_o(pair(&f->h))));
    heap_collect(&f->h);
    size_t live = f->h.stats.live;
    f->h.stats = (struct heap_stats){.bytes = f->h.stats.bytes, .bytes_peak = f->h.stats.bytes};
    struct random r;
    random_seed(&r, test_seed());
    for (size_t i = 0; i < times * n && !HEAP_STRESS; i++)
        REQUIRE(list_set(&f->h, l, random_below(&r, n), slot_o(pair(&f->h))));
    return live;
}

TEST(heap_stays_below_twice_what_is_live)
{
    static const size_t sizes[] = {3000, 40000, 200000};
    static struct heap_fixture f;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t n = HEAP_STRESS ? 100 : sizes[i];
        LABEL("%zu pairs", n);
        fixture_init(&f, alloc_system(), 1 << 30, 1);
        size_t live = churn(&f, n, 20);
        CHECK(HEAP_STRESS || f.h.stats.bytes_peak < 2 * live);
        CHECK(HEAP_STRESS || f.h.stats.cycles > 5);
        CHECK_EQ_UINT(f.h.stats.forced, 0);
        fixture_fini(&f);
    }
}

/* With little room below the limit the steps must still be enough. */
TEST(heap_near_its_limit_it_still_goes_step_by_step)
{
    static const unsigned percents[] = {50, 70, 80, 85};
    static struct heap_fixture f;
    enum { N = 100000, LIVE = N * 32 + N / NODE_SLOTS * 1048 };
    for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
        LABEL("%u %% are live", percents[i]);
        fixture_init(&f, alloc_system(), (size_t)LIVE * 100 / percents[i], 1);
        (void)churn(&f, HEAP_STRESS ? 100 : N, 10);
        CHECK_EQ_UINT(f.h.stats.forced, 0);
        CHECK_EQ_UINT(f.h.stats.refused, 0);
        heap_check(&f.h);
        fixture_fini(&f);
    }
}
