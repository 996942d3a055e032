#include "base/clock.h"
#include "protocol/mqtt_flight.h"
#include "tests/support/test.h"

/* Every cell of the table: what a client may answer, and when (checklist 17). */
TEST(mqtt_flight_table)
{
    static const uint8_t want[FLIGHT_STATES][FLIGHT_EVENTS] = {
        /* PUBACK, PUBREC, PUBREC >= 0x80, PUBCOMP */
        [FLIGHT_DONE] = {FLIGHT_IGNORE, FLIGHT_UNKNOWN, FLIGHT_IGNORE, FLIGHT_IGNORE},
        [FLIGHT_SENT1] = {FLIGHT_FINISH, FLIGHT_ERROR, FLIGHT_ERROR, FLIGHT_ERROR},
        [FLIGHT_SENT2] = {FLIGHT_ERROR, FLIGHT_RELEASE, FLIGHT_FINISH, FLIGHT_ERROR},
        [FLIGHT_RELEASED] = {FLIGHT_ERROR, FLIGHT_AGAIN, FLIGHT_FINISH, FLIGHT_FINISH},
    };
    for (unsigned state = 0; state < FLIGHT_STATES; state++)
        for (unsigned event = 0; event < FLIGHT_EVENTS; event++) {
            LABEL("state %u, event %u", state, event);
            CHECK_EQ_INT(flight_action(state, event), want[state][event]);
        }
}

static struct flight entry(uint16_t id, uint64_t seq)
{
    return (struct flight){.id = id, .seq = seq, .state = FLIGHT_SENT2};
}

/* An id is never 0 and never one in use, whichever entries end first (checklist 18). */
TEST(mqtt_flight_ids)
{
    enum { LIVE = 50, ROUNDS = 200000 };
    struct alloc *a = alloc_system();
    struct flight_ring r = {0};
    static bool used[65536];
    uint16_t next = 65500, live[LIVE];
    size_t n = 0;
    struct random random;
    random_seed(&random, test_seed());
    for (int round = 0; round < ROUNDS; round++) {
        if (n == LIVE || (n && random_below(&random, 2))) {
            uint32_t index;
            size_t i = random_below(&random, n);
            struct flight *f = flight_find(&r, live[i], &index);
            REQUIRE(CHECK(f && f->id == live[i]));
            f->state = FLIGHT_DONE;
            CHECK(!flight_find(&r, live[i], &index));
            used[live[i]] = false;
            live[i] = live[--n];
            (void)flight_shrink(&r);
        } else if (r.n < 30000) {
            struct flight f = entry(next, (uint64_t)round);
            REQUIRE(CHECK(f.id != 0 && !used[f.id]));
            REQUIRE(flight_reserve(a, &r));
            flight_push(&r, &f);
            used[f.id] = true;
            live[n++] = f.id;
            next = flight_next_id(next);
        }
    }
    for (size_t i = 0; i < r.n; i++)
        flight_at(&r, (uint32_t)i)->state = FLIGHT_DONE;
    (void)flight_shrink(&r);
    CHECK_EQ_UINT(r.n, 0);
    flight_trim(a, &r);
    CHECK_EQ_UINT(r.cap, 0);
}

TEST(mqtt_flight_place)
{
    static const struct {
        const char *what;
        uint16_t next, ids[6], first, last, want_next;
        bool fails;
    } cases[] = {
        {"in order", 1, {1, 2, 3}, 1, 3, 4, false},
        {"with holes", 1, {1, 5}, 1, 5, 6, false},
        {"skipped before", 7, {9}, 9, 9, 10, false},
        {"behind the next", 10, {5}, 5, 9, 10, false},
        {"before the head", 10, {11, 8}, 8, 11, 12, false},
        {"between", 1, {2, 6, 4}, 2, 6, 7, false},
        {"over the end", 65534, {65535, 1, 2}, 65535, 2, 3, false},
        {"before the head, over the end", 2, {2, 65534}, 65534, 2, 3, false},
        {"too far", 1, {1, 500}, 1, 1, 2, true},
        {"too far behind", 1, {1, 65000}, 1, 1, 2, true},
    };
    struct alloc *a = alloc_system();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].what);
        struct flight_ring r = {0};
        uint16_t next = cases[i].next;
        bool placed = true;
        uint32_t at;
        for (size_t k = 0; cases[i].ids[k]; k++) {
            struct flight f = entry(cases[i].ids[k], k);
            placed = flight_place(a, &r, &f, &next, 100);
        }
        CHECK_EQ_INT(placed, !cases[i].fails);
        CHECK_EQ_UINT(next, cases[i].want_next);
        CHECK_EQ_UINT(flight_at(&r, 0)->id, cases[i].first);
        CHECK_EQ_UINT(flight_at(&r, r.n - 1)->id, cases[i].last);
        for (size_t k = 0; cases[i].ids[k] && !cases[i].fails; k++) {
            const struct flight *f = flight_find(&r, cases[i].ids[k], &at);
            CHECK(f && f->seq == k);
        }
        for (uint32_t k = 1; k < r.n; k++)
            CHECK_EQ_UINT(flight_at(&r, k)->id, flight_next_id(flight_at(&r, k - 1)->id));
        r.n = 0;
        flight_trim(a, &r);
    }
}
