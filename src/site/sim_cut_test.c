/* The power goes at every call of the disk that a run makes, one run for each: whatever had been
 * acknowledged is there, what was sent at QoS 2 comes once, and in order.
 *
 *     make power-cuts SEEDS=20                                every call of 20 runs
 *     SEDGE_CUTS=all SEDGE_SEED=3 build/release/site_test sim_cut      every call of run 3
 *     SEDGE_SEED=3 SEDGE_CUT=1234 build/release/site_test sim_cut      this one, with the site's
 * log
 *
 * Run N of the cast (sim_cut_test.h) is played once to its end: so many opens, writes, syncs and
 * changes of names, by journal and database, from the first start on. Then it is played again for
 * each of these in four ways: in its place the power goes and nothing is left that was not synced;
 * a part is left, torn (by the seed); that, and once more during the start that follows; and that,
 * and one read of the disk fails during this start, or all from then on: it may fail, but not lose
 * anything. The clients keep what they know, come back and go on. Reads are not cut: the disk after
 * it is the same as in place of the next call that changes something. Without SEDGE_CUTS a part of
 * them is played, spread over all of the run. */
#include "site/sim_cut_test.h"

#include "base/vec.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_CUTS = 200, USUAL_SEEDS = 1, AGAIN_WITHIN = 150, READ_WITHIN = 120 };
#define PATIENCE_NS (120 * CUT_SECOND)

enum manner { MANNER_LOST, MANNER_TORN, MANNER_TWICE, MANNER_UNREADABLE, MANNERS };
static const char *const manner_names[] = {"nothing un-synced is left", "torn", "torn, twice",
                                           "torn, then unreadable"};
static const char *const call_names[] = {"open", "read", "write", "sync", "name"};

/* What the power is cut at; `call` UINT64_MAX: at nothing. */
struct cut {
    uint64_t call;
    enum manner manner;
};

struct calls {
    VEC(uint8_t) kinds; /* enum disk_sim_call of each */
};

struct stage {
    struct play play;
    struct env_event went, again;
    struct cut cut;
    int refusals;        /* starts that failed because the disk could not be read */
    struct calls *calls; /* to be noted; may be NULL */
};

/* --- the power --- */

static void crash(struct env_event *ev)
{
    struct stage *s = CONTAINER_OF(ev, struct stage, went);
    struct play *p = &s->play;
    if (p->crashes < (int)ARRAY_LEN(p->crash_ns))
        p->crash_ns[p->crashes] = sim_now_ns(p->sim);
    p->crashes++;
    cast_site_is_gone(p);
    house_take_down(&p->house);
    sim_after(p->sim, &s->again, 20 * CUT_MS);
}

static void arm(struct stage *s)
{
    struct play *p = &s->play;
    if (!p->crashes && s->cut.call != UINT64_MAX)
        env_sim_off_at_call(p->house.env, s->cut.call, &s->went);
    else if (p->crashes == 1 && s->cut.manner == MANNER_TWICE)
        env_sim_off_at_call(p->house.env, s->cut.call % AGAIN_WITHIN, &s->went);
    else if (p->crashes == 1 && s->cut.manner == MANNER_UNREADABLE && !s->refusals)
        disk_sim_fail(env_sim_disk(p->house.env), DISK_SIM_READ, s->cut.call * 37 % READ_WITHIN,
                      EIO);
}

/* Somebody sees to the disk and starts it again. */
static void refused(struct stage *s, const char *why)
{
    struct play *p = &s->play;
    bool expected = s->cut.manner == MANNER_UNREADABLE && !s->refusals;
    s->refusals++;
    if (expected) {
        env_sim_off(p->house.env, ENV_SIM_KILL);
        house_take_down(&p->house);
        sim_after(p->sim, &s->again, 20 * CUT_MS);
        return;
    }
    test_note("the site does not start: %s", why);
    p->broken = true;
    sim_halt(p->sim);
}

static void start(struct env_event *ev)
{
    struct stage *s = CONTAINER_OF(ev, struct stage, again);
    struct play *p = &s->play;
    struct error e = {0};
    env_sim_on(p->house.env);
    arm(s);
    p->built_ns = sim_now_ns(p->sim);
    p->give_up_ns = p->built_ns + PATIENCE_NS;
    p->house.limits = (struct mqtt_limits){.queue_memory_max = 10, .inflight_max = 8};
    enum err err = house_build(&p->house, &e);
    disk_sim_fail(env_sim_disk(p->house.env), DISK_SIM_READ, DISK_SIM_NEVER, 0);
    if (!err)
        cast_site_is_back(p);
    else if (!disk_sim_is_off(env_sim_disk(p->house.env))) /* else `went` is on its way */
        refused(s, e.text);
}

/* --- one run --- */

static void note_call(void *ctx, enum disk_sim_call kind)
{
    struct calls *calls = ctx;
    bool noted = vec_push(alloc_system(), &calls->kinds, (uint8_t)kind);
    ASSERT(noted);
}

static void stage_open(struct stage *s, uint64_t seed, const struct cut *cut, struct calls *calls)
{
    const struct sim_config cfg = {.seed = seed};
    *s = (struct stage){.went.run = crash, .again.run = start, .cut = *cut, .calls = calls};
    REQUIRE(sim_new(&s->play.sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&s->play.house.env, s->play.sim) == ERR_OK);
    struct disk_sim *disk = env_sim_disk(s->play.house.env);
    disk_sim_fail_times(disk, cut->call % 2 ? 1 : UINT64_MAX);
    disk_sim_keep(disk, cut->manner == MANNER_LOST ? DISK_SIM_KEEP_NOTHING : DISK_SIM_KEEP_SOME);
    if (calls)
        disk_sim_watch(disk, note_call, calls);
    street_open(&s->play.street, s->play.sim);
    cast_init(&s->play, seed);
    s->play.give_up_ns = PATIENCE_NS;
    sim_after(s->play.sim, &s->again, 0);
}

static void stage_close(struct stage *s)
{
    struct play *p = &s->play;
    street_close(&p->street);
    sim_cancel(p->sim, &s->went);
    sim_cancel(p->sim, &s->again);
    env_sim_off(p->house.env, ENV_SIM_KILL);
    house_take_down(&p->house);
    env_sim_free(p->house.env);
    sim_free(p->sim);
}

struct outcome {
    bool good;
    int crashes, refusals;
    uint64_t recycled, seals, sectors_lost;
    size_t waiting;
};

static struct outcome play(uint64_t seed, const struct cut *cut, struct calls *calls)
{
    static struct stage s;
    stage_open(&s, seed, cut, calls);
    struct play *p = &s.play;
    (void)sim_run(p->sim, INT64_MAX - 1);
    if (calls)
        disk_sim_watch(env_sim_disk(p->house.env), NULL, NULL);
    if (!p->broken)
        p->broken = !CHECK_EQ_INT(p->phase, PHASE_DONE);
    if (p->phase != PHASE_DONE)
        cast_note(p);
    struct outcome o = {.crashes = p->crashes,
                        .refusals = s.refusals,
                        .waiting = p->waiting,
                        .sectors_lost = disk_sim_stats(env_sim_disk(p->house.env)).sectors_lost};
    if (!p->broken) {
        o.seals = history_stats(p->house.core.history).seals;
        cast_check(p);
    }
    o.good = !p->broken;
    stage_close(&s);
    o.recycled = p->house.recycled;
    return o;
}

/* --- all cuts of one run --- */

static uint64_t asked(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    if (text && strcmp(text, "all") == 0)
        return UINT64_MAX;
    return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}

struct report {
    uint64_t calls[DISK_SIM_CALLS], cuts[MANNERS], bad[MANNERS], recycled, sectors_lost, twice;
    uint64_t refusals;
};

static void cut_once(uint64_t seed, uint64_t number, struct report *report)
{
    const struct cut cut = {.call = number / MANNERS, .manner = (enum manner)(number % MANNERS)};
    LABEL("SEDGE_SEED=%" PRIu64 " SEDGE_CUT=%" PRIu64, seed, number);
    struct outcome o = play(seed, &cut, NULL);
    if (o.good)
        o.good = CHECK(o.crashes >= 1);
    report->cuts[cut.manner]++;
    report->bad[cut.manner] += !o.good;
    report->recycled += o.recycled;
    report->sectors_lost += o.sectors_lost;
    report->twice += o.crashes > 1;
    report->refusals += (uint64_t)o.refusals;
}

static uint64_t bad_of(const struct report *r)
{
    uint64_t bad = 0;
    for (int i = 0; i < MANNERS; i++)
        bad += r->bad[i];
    return bad;
}

static void tell(uint64_t seed, const struct calls *calls, const struct report *r)
{
    char text[200] = "";
    int n = 0;
    for (int i = 0; i < DISK_SIM_CALLS; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s %" PRIu64, i ? ", " : "",
                      call_names[i], r->calls[i]);
    test_note("run %" PRIu64 ": %zu calls of the disk: %s", seed, calls->kinds.n, text);
    for (int i = 0; i < MANNERS; i++)
        test_note("  %" PRIu64 " cuts (%s), %" PRIu64 " failed", r->cuts[i], manner_names[i],
                  r->bad[i]);
    test_note("  %" PRIu64 " were cut again during the start, %" PRIu64 " starts failed; %" PRIu64
              " sectors lost, %" PRIu64 " segments recycled",
              r->twice, r->refusals, r->sectors_lost, r->recycled);
}

/* In each manner at each call that changes something, or at so many of them that it is `max` cuts.
 */
static void cut_all(uint64_t seed, const struct calls *calls, uint64_t max, struct report *report)
{
    uint64_t can = calls->kinds.n - report->calls[DISK_SIM_READ], at = 0;
    uint64_t want = max / MANNERS < can ? max / MANNERS : can;
    for (size_t i = 0; i < calls->kinds.n; i++) {
        if (calls->kinds.v[i] == DISK_SIM_READ)
            continue;
        at++;
        for (uint64_t m = 0; m < MANNERS && at * want / can != (at - 1) * want / can; m++)
            cut_once(seed, i * MANNERS + m, report);
    }
}

static bool run_seed(uint64_t seed, uint64_t cuts)
{
    struct calls calls = {0};
    struct report report = {0};
    LABEL("SEDGE_SEED=%" PRIu64 ", without a cut", seed);
    struct outcome o = play(seed, &(struct cut){.call = UINT64_MAX}, &calls);
    bool good = o.good;
    for (size_t i = 0; i < calls.kinds.n; i++)
        report.calls[calls.kinds.v[i]]++;
    /* Else that is not the run that it should be. */
    good = CHECK(o.crashes == 0) && CHECK(o.recycled > 0) && CHECK(o.seals > 0) &&
           CHECK(o.waiting > 20) && good;
    if (good && getenv("SEDGE_CUT"))
        cut_once(seed, asked("SEDGE_CUT", 0), &report);
    else if (good)
        cut_all(seed, &calls, cuts, &report);
    tell(seed, &calls, &report);
    vec_fini(alloc_system(), &calls.kinds);
    return good && !bad_of(&report);
}

TEST(sim_cut_the_power_goes_at_every_call)
{
    struct seeds seeds = seeds_asked(USUAL_SEEDS);
    uint64_t cuts = asked("SEDGE_CUTS", USUAL_CUTS);
    for (uint64_t i = 0; i < seeds.count; i++) {
        log_quiet(true);
        bool good = run_seed(seeds.first + i, cuts);
        log_quiet(false);
        CHECK(good);
    }
}
