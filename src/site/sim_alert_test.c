/* What people say of alerts outlives the power: it goes at any instant, one to three times, while
 * conditions come and go and a person puts alerts aside, takes them back, and says that they were
 * seen.
 *
 *     SEDGE_SEEDS=100000 build/release/site_test sim_alert        more of them
 *     SEDGE_SEED=4711 build/release/site_test sim_alert           this one, with the site's log
 *
 * The person keeps a list of what was said, with the journal's number of each. What must hold: what
 * was committed is as it was said, until something was said later or its time is over; nothing
 * stays aside longer than was said, whether the site was up or not; and what is aside is so because
 * somebody said it. */
#include "site/sim_rig_test.h"

#include <stdio.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)
#define LATE_MS                                                                                    \
    1000 /* how long behind its time a shelving may be seen, by who looks now and then */

enum { SEEDS = 300, RUN_S = 90, CONDITIONS = 5, ALERTS_MAX = 2048, WORDS_MAX = 256 };

/* One shelving, or its end (until_ms 0). */
struct word {
    uint64_t seq; /* 0: as it was found after the last start */
    int64_t until_ms;
};
struct heard {
    struct word words[WORDS_MAX];
    size_t n;
    bool ended; /* the last one, by its time */
};

struct town {
    struct sim *sim;
    struct random plan;
    struct house house;
    struct env_event went, again, referee;
    struct timer person;
    uint64_t ids[CONDITIONS];        /* the newest alert of each; 0: none yet */
    struct heard alerts[ALERTS_MAX]; /* by id */
    uint64_t committed;              /* when the power went */
    int64_t began_ns, booted_ns;
    int crashes_left, crashes, shelved, ended, maybe;
    bool armed, checked, broken;
};

#define HOLDS(t, cond)                                                                             \
    do {                                                                                           \
        if (!CHECK(cond))                                                                          \
            (t)->broken = true;                                                                    \
    } while (0)

static int64_t between(struct random *r, int64_t from, int64_t to)
{
    return from + (int64_t)random_below(r, (uint64_t)(to - from + 1));
}

static int64_t now_ms(const struct town *t)
{
    return clock_wall_ms(t->house.env->clock);
}

/* --- the person --- */

static void note(struct town *t, uint64_t id, uint64_t seq, int64_t until_ms)
{
    REQUIRE(id < ALERTS_MAX);
    struct heard *h = &t->alerts[id];
    if (h->n == WORDS_MAX) { /* the oldest are committed long since */
        memmove(h->words, h->words + 1, (WORDS_MAX - 1) * sizeof(h->words[0]));
        h->n--;
    }
    h->words[h->n++] = (struct word){seq, until_ms};
    h->ended = false;
}

static void condition(struct town *t, int k, bool active)
{
    char key[8];
    (void)snprintf(key, sizeof(key), "k%d", k);
    struct alert_event e = {.key = str_from(key),
                            .severity = SEVERITY_WARNING,
                            .text = STR("something is wrong"),
                            .active = active,
                            .wall_ms = now_ms(t)};
    bus_alert_publish(t->house.core.bus, &e);
}

static void shelve(struct town *t, uint64_t id)
{
    const struct alert *al;
    uint64_t seq;
    struct alert_shelving s = {STR("Ada"), STR("it is being mended"),
                               between(&t->plan, ALERT_SHELVE_MIN_MS, 30000)};
    if (alert_shelve(t->house.core.alerts, id, &s, &al, &seq))
        return;
    note(t, id, seq, al->shelved_until_ms);
    t->shelved++;
}

static void says(struct timer *timer)
{
    struct town *t = CONTAINER_OF(timer, struct town, person);
    int k = (int)random_below(&t->plan, CONDITIONS);
    const struct alert *al;
    uint64_t seq, id = t->ids[k];
    switch (random_below(&t->plan, 6)) {
    case 0: condition(t, k, true); break;
    case 1: condition(t, k, false); break;
    case 2: (void)!alert_acknowledge(t->house.core.alerts, id, STR("Ada"), &al, &seq); break;
    case 3:
        if (alert_unshelve(t->house.core.alerts, id, STR("Ada"), &al, &seq) == ERR_OK)
            note(t, id, seq, 0);
        break;
    default: shelve(t, id);
    }
    timer_set_after_ms(&t->person, between(&t->plan, 1, 400));
}

static void changed(void *ctx, const struct alert *al)
{
    struct town *t = ctx;
    t->ids[al->key.p[1] - '0'] = al->id;
}

/* --- what must hold --- */

static int64_t shelved_until(const struct town *t, uint64_t id)
{
    const struct alert *al = alert_find(t->house.core.alerts, id);
    return al ? al->shelved_until_ms : 0;
}

/* Behind a start: what was committed, or something that was said later and may have come through.
 */
static void check_found(struct town *t, uint64_t id)
{
    struct heard *h = &t->alerts[id];
    int64_t found = shelved_until(t, id), now = now_ms(t);
    size_t from = 0;
    for (size_t i = 0; i < h->n; i++)
        if (h->words[i].seq <= t->committed)
            from = i;
    bool fits = h->n == 0 && found == 0;
    for (size_t i = from; i < h->n; i++) {
        int64_t until = h->words[i].until_ms;
        fits |= found == until || (found == 0 && until <= now);
    }
    t->maybe += h->n > from + 1;
    HOLDS(t, fits);
    h->n = 0;
    note(t, id, 0, found);
}

/* While it runs: as was said last, until its time. */
static void check_running(struct town *t, uint64_t id)
{
    struct heard *h = &t->alerts[id];
    int64_t said = h->n ? h->words[h->n - 1].until_ms : 0, is = shelved_until(t, id);
    bool over = said <= now_ms(t);
    HOLDS(t, is == said || (over && is == 0));
    HOLDS(t, is == 0 || is + LATE_MS > now_ms(t));
    t->ended += said && over && is == 0 && !h->ended;
    h->ended |= over && is == 0;
}

/* --- power --- */

static void arm_crash(struct town *t)
{
    if (t->crashes_left == 0)
        return;
    t->crashes_left--;
    t->armed = true;
    sim_after(t->sim, &t->went, between(&t->plan, 1 * MS, RUN_S / 3 * SECOND));
}

static void take_down(struct town *t)
{
    if (t->person.worker)
        timer_cancel(&t->person);
    t->person = (struct timer){0};
    house_take_down(&t->house);
}

static void crash(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, went);
    sim_cancel(t->sim, ev);
    if (t->house.core.journal)
        t->committed = journal_committed(t->house.core.journal);
    env_sim_off(t->house.env, random_below(&t->plan, 100) < 70 ? ENV_SIM_POWER : ENV_SIM_KILL);
    take_down(t);
    t->crashes++;
    t->armed = false;
    sim_after(t->sim, &t->again, between(&t->plan, 1 * MS, 20 * SECOND));
}

static void start(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, again);
    struct error e = {0};
    env_sim_on(t->house.env);
    arm_crash(t);
    t->checked = false;
    enum err err = house_build(&t->house, &e);
    if (!err) {
        t->booted_ns = sim_now_ns(t->sim);
        alerts_on_change(t->house.core.alerts, changed, t);
        for (uint64_t id = 1; id < ALERTS_MAX; id++)
            check_found(t, id);
        timer_init(&t->person, executor_worker(t->house.ex, 0), says);
        timer_set_after_ms(&t->person, 1);
        t->checked = true;
        return;
    }
    if (house_is_broken(&t->house, &e)) {
        t->broken = true;
        sim_halt(t->sim);
    }
}

static void referee(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, referee);
    int64_t now = sim_now_ns(t->sim);
    bool up = t->checked && t->house.core.mqtt && now - t->booted_ns > SECOND;
    for (uint64_t id = 1; up && id < ALERTS_MAX; id++)
        check_running(t, id);
    bool calm = t->crashes_left == 0 && !t->armed && up;
    if (t->broken || (calm && now - t->began_ns > RUN_S * SECOND))
        sim_halt(t->sim);
    else
        sim_after(t->sim, ev, 250 * MS);
}

/* --- one seed --- */

static void town_open(struct town *t, uint64_t seed)
{
    struct sim_config cfg = {.seed = seed, .wall_ms = INT64_C(1767225600000)};
    *t = (struct town){.went.run = crash, .again.run = start, .referee.run = referee};
    random_seed(&t->plan, seed);
    if (random_below(&t->plan, 2)) { /* a slow disk: more is under way when the power goes */
        cfg.work[ENV_WORK_SYNC] = (struct sim_span){5 * MS, 60 * MS};
        cfg.work[ENV_WORK_JOB] = (struct sim_span){1 * MS, 100 * MS};
    }
    t->crashes_left = 1 + (int)random_below(&t->plan, 3);
    REQUIRE(sim_new(&t->sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&t->house.env, t->sim) == ERR_OK);
    t->began_ns = sim_now_ns(t->sim);
    sim_after(t->sim, &t->again, 0);
    sim_after(t->sim, &t->referee, 100 * MS);
}

static bool run_seed(uint64_t seed, struct town *sum)
{
    static struct town t;
    town_open(&t, seed);
    (void)sim_run(t.sim, INT64_MAX - 1);
    bool good = !t.broken;
    sum->crashes += t.crashes;
    sum->shelved += t.shelved;
    sum->ended += t.ended;
    sum->maybe += t.maybe;
    sim_cancel(t.sim, &t.went);
    sim_cancel(t.sim, &t.again);
    sim_cancel(t.sim, &t.referee);
    env_sim_off(t.house.env, ENV_SIM_KILL);
    take_down(&t);
    env_sim_free(t.house.env);
    sim_free(t.sim);
    return good;
}

TEST(sim_alert_what_was_put_aside_stays_so_until_its_time)
{
    struct seeds seeds = seeds_asked(SEEDS);
    static struct town sum;
    unsigned bad = 0;
    log_quiet(true);
    for (uint64_t i = 0; i < seeds.count; i++) {
        LABEL("SEDGE_SEED=%llu", (unsigned long long)(seeds.first + i));
        bad += !run_seed(seeds.first + i, &sum);
    }
    log_quiet(false);
    test_note("%llu seeds, %u failed; %d crashes, %d times put aside, %d of them ended by time, %d "
              "said when the power went",
              (unsigned long long)seeds.count, bad, sum.crashes, sum.shelved, sum.ended, sum.maybe);
    CHECK_EQ_UINT(bad, 0);
    CHECK(seeds.count < SEEDS || (sum.ended && sum.maybe));
}
