/* The promise of the journal against a disk that tears, forgets and fails, over many seeds. */
#include "base/map.h"
#include "store/journal_rig_test.h"
#include <stdio.h>

struct life {
    struct rig g;
    struct random r;
    uint64_t committed; /* highest number that was ever acknowledged */
    uint64_t nonce;
};

static bool chance(struct life *l, unsigned percent)
{
    return random_below(&l->r, 100) < percent;
}

static void plan_fault(struct life *l)
{
    static const enum disk_sim_call calls[] = {DISK_SIM_OPEN, DISK_SIM_WRITE, DISK_SIM_WRITE,
                                               DISK_SIM_SYNC, DISK_SIM_SYNC,  DISK_SIM_NAME};
    enum disk_sim_call call = calls[random_below(&l->r, ARRAY_LEN(calls))];
    disk_sim_fail(l->g.sim, call, random_below(&l->r, 40), 5);
    disk_sim_fail_short(l->g.sim, (size_t)random_below(&l->r, 3000));
}

/* Opens until it works; faults and crashes may strike meanwhile. */
static void open_somehow(struct life *l)
{
    for (unsigned tries = 0; tries < 5; tries++) {
        if (tries < 3 && chance(l, 30))
            plan_fault(l);
        enum err r = rig_open(&l->g);
        if (r == ERR_OK)
            return;
        for (int c = 0; c < DISK_SIM_CALLS; c++)
            disk_sim_fail(l->g.sim, (enum disk_sim_call)c, DISK_SIM_NEVER, 0);
        disk_sim_fail_short(l->g.sim, 0);
        if (chance(l, 50))
            disk_sim_crash(l->g.sim);
    }
    REQUIRE(rig_open(&l->g) == ERR_OK);
}

static void check_replay(struct life *l)
{
    const struct rig *g = &l->g;
    CHECK(!g->wrong); /* in order, none twice, each what was appended */
    CHECK_EQ_UINT(journal_stats(g->j).damaged, 0);
    uint64_t expected = g->consumer.cursor + 1;
    for (size_t i = 0; i < g->seen.n && g->seen.v[i] <= l->committed; i++, expected++)
        CHECK_EQ_UINT(g->seen.v[i], expected);
    CHECK(expected > l->committed); /* all that was acknowledged was there */
    CHECK(journal_last(g->j) >= l->committed);
}

static void live(struct life *l)
{
    struct rig *g = &l->g;
    if (chance(l, 60))
        plan_fault(l);
    uint64_t before = journal_last(g->j);
    for (unsigned i = 0; i < 200 && !journal_failed(g->j, NULL); i++) {
        enum err r = rig_append(g, l->nonce++, chance(l, 20));
        if (r == ERR_OK) {
            CHECK_EQ_UINT(journal_last(g->j), before + 1);
            before++;
        }
        if (chance(l, 40))
            (void)journal_test_step(g->j);
        uint64_t now = journal_committed(g->j);
        CHECK(now >= l->committed);
        l->committed = now;
        if (chance(l, 5))
            journal_release(g->j, &g->consumer,
                            g->consumer.cursor + random_below(&l->r, now - g->consumer.cursor + 1));
        if (chance(l, 1))
            break;
    }
    if (chance(l, 70))
        disk_sim_crash(g->sim);
    else
        disk_sim_kill(g->sim);
    rig_abandon(g);
    disk_sim_fail_short(g->sim, 0);
}

static bool six_lives(uint64_t seed)
{
    LABEL("seed %llu", (unsigned long long)seed);
    struct life l = {0};
    random_seed(&l.r, seed);
    rig_init(&l.g, seed);
    for (unsigned lives = 0; lives < 6; lives++) {
        open_somehow(&l);
        check_replay(&l);
        l.committed = journal_last(l.g.j); /* what was replayed counts as there */
        live(&l);
    }
    open_somehow(&l);
    check_replay(&l);
    rig_fini(&l.g);
    return !l.g.wrong;
}

/* Seeds that once found a fault. */
TEST(journal_crashes_once_found)
{
    CHECK(six_lives(1882617619068652)); /* the segment's name had never been synced */
    CHECK(six_lives(9500231));          /* two torn frames added up to the older one */
    CHECK(six_lives(600453));
}

TEST(journal_crashes_over_500_seeds)
{
    uint64_t base = test_seed();
    for (uint64_t i = 0; i < 500; i++)
        if (!CHECK(six_lives(base + i)))
            break;
}
