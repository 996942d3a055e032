#include "load/load_order.h"

#include "tests/support/test.h"

TEST(every_kind_of_disorder_has_its_count)
{
    static const struct {
        const char *label;
        uint64_t got[12];
        size_t n;
        uint64_t sent, lost, duplicated, reordered;
    } cases[] = {
        {"in order", {0, 1, 2, 3}, 4, 4, 0, 0, 0},
        {"nothing at all", {0}, 0, 3, 3, 0, 0},
        {"the end is missing", {0, 1}, 2, 5, 3, 0, 0},
        {"one in the middle is missing", {0, 1, 3, 4}, 4, 5, 1, 0, 0},
        {"two are exchanged", {0, 2, 1, 3}, 4, 4, 0, 0, 1},
        {"the first comes last", {1, 2, 3, 0}, 4, 4, 0, 0, 1},
        {"one twice in a row", {0, 1, 1, 2}, 4, 3, 0, 1, 0},
        {"one again much later", {0, 1, 2, 3, 0}, 5, 4, 0, 1, 0},
        {"late, and then again", {0, 2, 1, 1}, 4, 3, 0, 1, 1},
        {"from the middle of a gap", {0, 5, 3, 2, 4, 1}, 6, 6, 0, 0, 4},
        {"a part of a gap stays", {0, 5, 3}, 3, 6, 3, 0, 1},
        {"two gaps", {1, 3, 2, 0}, 4, 4, 0, 0, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct load_order o = {0};
        uint64_t moved = 0;
        for (size_t k = 0; k < cases[i].n; k++)
            moved += load_order_take(&o, cases[i].got[k]);
        CHECK_EQ_UINT(moved, o.next);
        load_order_end(&o, cases[i].sent);
        CHECK_EQ_UINT(o.lost, cases[i].lost);
        CHECK_EQ_UINT(o.duplicated, cases[i].duplicated);
        CHECK_EQ_UINT(o.reordered, cases[i].reordered);
    }
}

TEST(more_gaps_than_fit_forget_the_oldest)
{
    struct load_order o = {0};
    enum { HOLES = LOAD_GAPS + 1 };
    for (uint64_t i = 0; i < HOLES; i++)
        (void)load_order_take(&o, 2 * i + 1); /* every even number is missing */
    CHECK_EQ_UINT(o.lost, HOLES);
    (void)load_order_take(&o, 0);
    CHECK_EQ_UINT(o.duplicated, 1); /* its gap is forgotten */
    (void)load_order_take(&o, 2);
    CHECK_EQ_UINT(o.reordered, 1);
    CHECK_EQ_UINT(o.lost, HOLES - 1);
}

TEST(a_group_sees_each_number_once)
{
    struct load_share s;
    load_share_init(&s, alloc_system());
    CHECK(load_share_take(&s, 1000000)); /* one that is far behind comes when all others have */
    for (uint64_t i = 0; i < 10000; i++)
        CHECK(load_share_take(&s, i ^ 1)); /* members are not in step */
    CHECK_EQ_UINT(s.seen, 10001);
    CHECK(!load_share_take(&s, 9999));
    CHECK(!load_share_take(&s, 9950));
    CHECK_EQ_UINT(s.duplicated, 2);
    CHECK(load_share_take(&s, 10001));
    CHECK(load_share_take(&s, 10000));
    load_share_fini(&s);
}
