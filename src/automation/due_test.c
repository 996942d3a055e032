#include "automation/due.h"
#include "base/clock.h"
#include "tests/support/test.h"

/* Against the plainest thing that does the same. */
enum { SLOTS = 23, STEPS = 20000 };

static int64_t plain_next(const int64_t at[SLOTS])
{
    int64_t best = DUE_NEVER;
    for (int i = 0; i < SLOTS; i++)
        best = at[i] < best ? at[i] : best;
    return best;
}

static bool plain_take(int64_t at[SLOTS], int64_t now, uint32_t *slot)
{
    int64_t best = plain_next(at);
    if (best > now || best == DUE_NEVER)
        return false;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (at[i] == best) {
            at[i] = DUE_NEVER;
            *slot = i;
            return true;
        }
    return false;
}

static uint32_t chance(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

TEST(the_heap_does_what_a_list_does)
{
    struct due d;
    REQUIRE(due_init(&d, alloc_system(), SLOTS) == ERR_OK);
    int64_t at[SLOTS];
    for (int i = 0; i < SLOTS; i++)
        at[i] = DUE_NEVER;
    uint32_t seed = 7;
    int64_t now = 0;
    for (int i = 0; i < STEPS; i++) {
        uint32_t slot = chance(&seed) % SLOTS, a = 99, b = 99;
        switch (chance(&seed) % 4) {
        case 0:
        case 1:
            at[slot] = now + chance(&seed) % 50;
            due_set(&d, slot, at[slot]);
            break;
        case 2:
            at[slot] = DUE_NEVER;
            due_cancel(&d, slot);
            break;
        default:
            now += chance(&seed) % 10;
            bool want = plain_take(at, now, &a);
            LABEL("step %d", i);
            CHECK_EQ_INT(due_take(&d, now, &b), want);
            CHECK_EQ_INT(b, a);
        }
        if (!CHECK_EQ_INT(due_next_ns(&d), plain_next(at)) ||
            !CHECK_EQ_INT(due_at(&d, slot), at[slot]))
            break;
    }
    due_fini(&d);
    due_fini(&d);
}
