#include "lang/heap_fixture.h"

#include "base/clock.h"
#include "lang/chan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_MAX = 70000 };

static struct heap_fixture f;
static int64_t *model;
static size_t model_n;

static struct lang_list *begin(size_t limit)
{
    fixture_init(&f, alloc_system(), limit, 1);
    model = calloc(MODEL_MAX, sizeof(*model));
    REQUIRE(model != NULL);
    model_n = 0;
    struct lang_list *l = list_new(&f.h, false);
    REQUIRE(l != NULL);
    f.global[0] = &l->hdr;
    return l;
}

static void finish(void)
{
    fixture_fini(&f);
    free(model);
}

static bool same(const struct lang_list *l)
{
    if (!CHECK_EQ_UINT(list_len(l), model_n))
        return false;
    for (size_t i = 0; i < model_n; i++) {
        if (list_get(l, i).i != model[i])
            return CHECK_EQ_INT(list_get(l, i).i, model[i]);
    }
    return true;
}

TEST(list_grows_and_shrinks_through_every_level)
{
    static const size_t sizes[] = {0, 1, 3, 4, 5, 127, 128, 129, 256, 16383, 16384, 16385, 65000};
    struct lang_list *l = begin(1 << 24);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        LABEL("up to %zu", sizes[i]);
        while (model_n < sizes[i]) {
            model[model_n] = (int64_t)(model_n * 7 + i);
            REQUIRE(list_push(&f.h, l, slot_i(model[model_n])));
            model_n++;
        }
        CHECK(same(l));
    }
    for (size_t i = ARRAY_LEN(sizes); i-- > 0;) {
        LABEL("down to %zu", sizes[i]);
        while (model_n > sizes[i]) {
            union lang_slot out;
            REQUIRE(list_pop(&f.h, l, &out));
            CHECK_EQ_INT(out.i, model[--model_n]);
        }
        CHECK(same(l));
    }
    heap_collect(&f.h);
    CHECK(f.h.stats.live < 8000); /* the leaves went with the elements */
    finish();
}

/* One change of the list and of the model. False: the turn ran out of memory or of its undo log. */
static bool random_change(struct lang_list *l, struct random *r)
{
    bool ok = true;
    int64_t v = (int64_t)random_below(r, 1000);
    size_t at = random_below(r, model_n + 1);
    union lang_slot out = slot_i(0);
    switch (random_below(r, model_n < 400 ? 12 : 9)) {
    case 0:
        ok = model_n == 0 || list_remove(&f.h, l, at % model_n, &out);
        if (ok && model_n > 0) {
            at %= model_n;
            CHECK_EQ_INT(out.i, model[at]);
            model_n--;
            memmove(model + at, model + at + 1, (model_n - at) * sizeof(*model));
        }
        break;
    case 1:
        if ((ok = list_insert(&f.h, l, at, slot_i(v)))) {
            memmove(model + at + 1, model + at, (model_n - at) * sizeof(*model));
            model[at] = v;
            model_n++;
        }
        break;
    case 2:
        if (model_n > 0 && (ok = list_set(&f.h, l, at % model_n, slot_i(v))))
            model[at % model_n] = v;
        break;
    case 3:
        ok = list_reverse(&f.h, l);
        for (size_t i = 0; ok && i < model_n / 2; i++) {
            int64_t t = model[i];
            model[i] = model[model_n - 1 - i];
            model[model_n - 1 - i] = t;
        }
        break;
    case 4:
        if (v < 50 && (ok = list_clear(&f.h, l)))
            model_n = 0;
        break;
    case 5:
    case 6:
        if (model_n > 0 && (ok = list_pop(&f.h, l, &out)))
            CHECK_EQ_INT(out.i, model[--model_n]);
        break;
    default:
        if ((ok = list_push(&f.h, l, slot_i(v))))
            model[model_n++] = v;
        break;
    }
    fixture_step(&f.h);
    return ok;
}

/* In a turn with an undo log whose size is random: what a turn did that ran out of it is taken
 * back. */
TEST(list_is_as_an_array_and_turns_are_taken_back)
{
    struct lang_list *l = begin(1 << 24);
    struct random r;
    random_seed(&r, test_seed());
    static int64_t before[MODEL_MAX];
    for (int turn = 0; turn < 4000; turn++) {
        size_t n_before = model_n;
        memcpy(before, model, model_n * sizeof(*model));
        fixture_turn(&f, random_below(&r, 1000));
        bool ok = true;
        for (size_t n = random_below(&r, 12); n > 0 && ok; n--)
            ok = random_change(l, &r);
        if (!ok || random_below(&r, 4) == 0) {
            fixture_rollback(&f);
            model_n = n_before;
            memcpy(model, before, model_n * sizeof(*model));
        }
        f.log_n = 0;
        if (!same(l))
            break;
        if (turn % 64 == 0)
            heap_check(&f.h);
    }
    finish();
}

TEST(list_lets_go_of_what_it_no_longer_has)
{
    begin(1 << 20);
    struct lang_list *l = list_new(&f.h, true);
    f.global[1] = (struct obj *)l;
    for (int i = 0; i < 10; i++)
        REQUIRE(list_push(&f.h, l, slot_o(text_blank(&f.h, 1900))));
    union lang_slot out;
    REQUIRE(list_pop(&f.h, l, &out) && list_remove(&f.h, l, 3, &out));
    REQUIRE(list_set(&f.h, l, 0, slot_o(NULL)));
    heap_collect(&f.h);
    CHECK(f.h.stats.live > 7 * 1900 && f.h.stats.live < 8 * 1900);
    REQUIRE(list_clear(&f.h, l));
    heap_collect(&f.h);
    CHECK(f.h.stats.live < 1900);
    finish();
}

TEST(list_fill_has_n_times_the_same)
{
    static const size_t sizes[] = {0, 1, 4, 5, 128, 1000, 20000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        LABEL("%zu", sizes[i]);
        begin(1 << 22);
        struct text *t = text_new(&f.h, STR("it"));
        struct lang_list *l = list_fill(&f.h, true, sizes[i], slot_o(t));
        REQUIRE(l != NULL);
        f.global[1] = &l->hdr;
        heap_collect(&f.h);
        heap_check(&f.h);
        CHECK_EQ_UINT(list_len(l), sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            CHECK(list_get(l, at).o == &t->hdr);
        finish();
    }
    begin(8192);
    CHECK(list_fill(&f.h, false, 5000, slot_i(1)) == NULL);
    CHECK(list_fill(&f.h, false, (size_t)LIST_MAX + 1, slot_i(1)) == NULL);
    finish();
}

/* ---- sort ---- */

static int by_int(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

TEST(list_sorts_numbers)
{
    static const size_t sizes[] = {0, 1, 2, 3, 10, 127, 128, 129, 1000, 17000};
    struct random r;
    random_seed(&r, test_seed());
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int range = 2; range <= 20000; range *= 100) {
            LABEL("%zu below %d", sizes[i], range);
            struct lang_list *l = begin(1 << 22);
            for (; model_n < sizes[i]; model_n++) {
                model[model_n] = (int64_t)random_below(&r, (uint64_t)range) - range / 2;
                REQUIRE(list_push(&f.h, l, slot_i(model[model_n])));
            }
            qsort(model, model_n, sizeof(*model), by_int);
            CHECK(list_sort(&f.h, l, LIST_BY_INT));
            CHECK(same(l));
            finish();
        }
    }
}

TEST(list_sorts_floats_with_nan_last)
{
    static const double mixed[] = {3, NAN, -INFINITY, 0.5, NAN, INFINITY, -2};
    static const double sorted[] = {-INFINITY, -2, 0.5, 3, INFINITY, NAN, NAN};
    struct lang_list *l = begin(1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(mixed); i++)
        REQUIRE(list_push(&f.h, l, (union lang_slot){.f = mixed[i]}));
    CHECK(list_sort(&f.h, l, LIST_BY_FLOAT));
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        CHECK_EQ_DBL(list_get(l, i).f, sorted[i], 0);
    finish();
}

TEST(list_sorts_texts_with_none_last)
{
    static const char *const mixed[] = {"pump", "", NULL, "belt", "pump2", "a", NULL, "belt"};
    static const char *const sorted[] = {"", "a", "belt", "belt", "pump", "pump2", NULL, NULL};
    begin(1 << 20);
    struct lang_list *l = list_new(&f.h, true);
    f.global[1] = (struct obj *)l;
    for (size_t i = 0; i < ARRAY_LEN(mixed); i++)
        REQUIRE(list_push(&f.h, l, slot_o(mixed[i] ? text_new(&f.h, str_from(mixed[i])) : NULL)));
    heap_mark_begin(&f.h);
    CHECK(list_sort(&f.h, l, LIST_BY_TEXT));
    heap_check(&f.h);
    heap_collect(&f.h);
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        const struct text *t = (const struct text *)(const void *)list_get(l, i).o;
        CHECK_EQ_INT(t != NULL, sorted[i] != NULL);
        if (t && sorted[i])
            CHECK_EQ_STR(t->bytes, sorted[i]);
    }
    finish();
}

/* ---- texts ---- */

TEST(text_holds_bytes_their_hash_and_their_end)
{
    static const struct {
        struct str a, b;
    } rows[] = {
        {{"", 0}, {"", 0}},
        {{"a", 1}, {"", 0}},
        {{"", 0}, {"b", 1}},
        {{"line\0one", 8}, {"\xff\x00", 2}},
        {{"twelve bytes", 12}, {"and more of them than fit", 25}},
    };
    begin(1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("row %zu", i);
        struct text *t = text_concat(&f.h, rows[i].a, rows[i].b);
        REQUIRE(t != NULL);
        f.global[1] = &t->hdr;
        size_t n = rows[i].a.n + rows[i].b.n;
        CHECK_EQ_UINT(t->len, n);
        CHECK_EQ_MEM(t->bytes, rows[i].a.p, rows[i].a.n);
        CHECK_EQ_MEM(t->bytes + rows[i].a.n, rows[i].b.p, rows[i].b.n);
        CHECK_EQ_INT(t->bytes[n], 0);
        struct text *copy = text_new(&f.h, text_str(t));
        REQUIRE(copy != NULL);
        CHECK(text_eq(t, copy));
        CHECK_EQ_UINT(text_hash(&f.h, t), text_hash(&f.h, copy));
        CHECK(text_hash(&f.h, t) != 0);
        CHECK_EQ_UINT(copy->hash, t->hash); /* kept */
    }
    CHECK(text_blank(&f.h, (size_t)TEXT_MAX + 1) == NULL);
    CHECK(text_concat(&f.h, (struct str){"", SIZE_MAX}, STR("x")) == NULL);
    finish();
}

TEST(text_hashes_depend_on_the_seed)
{
    CHECK(text_hash_bytes(STR("press"), 1) != text_hash_bytes(STR("press"), 2));
    CHECK(text_hash_bytes(STR("press"), 1) != text_hash_bytes(STR("presr"), 1));
}

/* ---- channels ---- */

TEST(chan_is_a_ring_and_turns_are_taken_back)
{
    enum { CAP = 5 };
    begin(1 << 20);
    struct random r;
    random_seed(&r, test_seed());
    struct chan *c = chan_obj_new(&f.h, false, CAP);
    REQUIRE(c != NULL);
    f.global[1] = &c->hdr;
    int64_t next = 0, first = 0; /* what is sent and received next */
    for (int turn = 0; turn < 5000; turn++) {
        int64_t next_before = next, first_before = first;
        fixture_turn(&f, random_below(&r, 40));
        enum err e = ERR_OK;
        for (size_t n = random_below(&r, 10); n > 0 && e != ERR_NOMEM; n--) {
            union lang_slot out = slot_i(-1);
            if (random_below(&r, 2)) {
                e = chan_obj_put(&f.h, c, slot_i(next));
                CHECK(e == ERR_NOMEM || e == (next - first < CAP ? ERR_OK : ERR_FULL));
                next += e == ERR_OK;
            } else {
                e = chan_obj_take(&f.h, c, &out);
                CHECK(e == ERR_NOMEM || e == (next > first ? ERR_OK : ERR_AGAIN));
                if (!e)
                    CHECK_EQ_INT(out.i, first++);
            }
        }
        if (e == ERR_NOMEM || random_below(&r, 4) == 0) {
            fixture_rollback(&f);
            next = next_before;
            first = first_before;
        }
        f.log_n = 0;
        CHECK_EQ_INT(c->n, next - first);
    }
    finish();
}

TEST(chan_ends_after_what_was_sent)
{
    begin(1 << 20);
    struct chan *c = chan_obj_new(&f.h, true, 2);
    REQUIRE(c != NULL);
    union lang_slot out;
    CHECK_EQ_INT(chan_obj_put(&f.h, c, slot_o(NULL)), ERR_OK);
    CHECK(chan_obj_close(&f.h, c));
    CHECK_EQ_INT(chan_obj_put(&f.h, c, slot_o(NULL)), ERR_CLOSED);
    CHECK_EQ_INT(chan_obj_take(&f.h, c, &out), ERR_OK);
    CHECK_EQ_INT(chan_obj_take(&f.h, c, &out), ERR_CLOSED);
    CHECK(chan_obj_new(&f.h, true, 0) == NULL);
    CHECK(chan_obj_new(&f.h, true, CHAN_CAP_MAX + 1) == NULL);
    finish();
}
