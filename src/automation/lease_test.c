/* Leases: a table of what is asked and what comes of it, in virtual time. */
#include "automation/lease.h"
#include "tests/support/bus_rig.h"

#include <sys/stat.h>

struct rig {
    struct bus_rig base;
    struct leases *l;
    struct strbuf log;
};

static void on_granted(void *ctx, const struct lease_party *p, struct str device)
{
    struct rig *g = ctx;
    strbuf_addf(&g->log, "+%.*s/%u on %.*s;", STR_FMT(p->name), p->id, STR_FMT(device));
}
static void on_denied(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    struct rig *g = ctx;
    (void)device;
    strbuf_addf(&g->log, "-%.*s/%u: %.*s;", STR_FMT(p->name), p->id, STR_FMT(why));
}
static void on_revoked(void *ctx, const struct lease_party *p, struct str device, struct str why)
{
    struct rig *g = ctx;
    (void)device;
    strbuf_addf(&g->log, "!%.*s/%u: %.*s;", STR_FMT(p->name), p->id, STR_FMT(why));
}
static void on_ended(void *ctx, struct str device, enum lease_end end, bool next)
{
    struct rig *g = ctx;
    strbuf_addf(&g->log, "%.*s %s%s;", STR_FMT(device), lease_end_name(end), next ? ", next" : "");
}

static const struct lease_grant grants[] = {
    {{"fire", 4}, 1, 0}, {{"tank", 4}, 5, 0}, {{"irrigation", 10}, 10, 1800}};

static int programs[4]; /* stand for running programs */
static struct lease_party party(const char *name, uint32_t id)
{
    static const char *const names[] = {"fire", "tank", "irrigation", "stranger"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return (struct lease_party){&programs[i], id, str_from(name)};
    return (struct lease_party){NULL, 0, str_from(name)};
}

static void rig_init(struct rig *g, const char *dir)
{
    *g = (struct rig){0};
    strbuf_init(&g->log, alloc_system(), 0);
    bus_rig_init(&g->base, dir);
    bus_rig_start(&g->base);
    struct lease_hooks hooks = {.granted = on_granted,
                                .denied = on_denied,
                                .revoked = on_revoked,
                                .ended = on_ended,
                                .ctx = g};
    REQUIRE(leases_new(&g->l, g->base.ex, alloc_system(), &hooks) == ERR_OK);
    REQUIRE(leases_own(g->l, STR("pump"), STR("keeper"), grants, ARRAY_LEN(grants)) == ERR_OK);
}

static void rig_fini(struct rig *g)
{
    leases_free(g->l);
    bus_rig_drain(&g->base);
    bus_rig_fini(&g->base);
    strbuf_fini(&g->log);
}

enum step_kind {
    STEPS_END,
    STEP_ASK,
    STEP_GIVE,
    STEP_CRASH,
    STEP_REVOKE,
    STEP_WAIT,
    STEP_DROP,
    STEP_DISOWN,
    STEP_TERMS
};
struct step {
    enum step_kind kind;
    const char *who;
    uint32_t id;
    int64_t for_ms, wait_ms; /* WAIT: for_ms */
};
#define ASK(who, id, for_ms, wait_ms)                                                              \
    {                                                                                              \
        STEP_ASK, who, id, for_ms, wait_ms                                                         \
    }
#define GIVE(who, id)                                                                              \
    {                                                                                              \
        STEP_GIVE, who, id, 0, 0                                                                   \
    }
#define CRASH(who, id)                                                                             \
    {                                                                                              \
        STEP_CRASH, who, id, 0, 0                                                                  \
    }
#define DROP(who)                                                                                  \
    {                                                                                              \
        STEP_DROP, who, 0, 0, 0                                                                    \
    }
#define WAIT(ms)                                                                                   \
    {                                                                                              \
        STEP_WAIT, NULL, 0, ms, 0                                                                  \
    }
#define REVOKE                                                                                     \
    {                                                                                              \
        STEP_REVOKE, NULL, 0, 0, 0                                                                 \
    }
#define DISOWN                                                                                     \
    {                                                                                              \
        STEP_DISOWN, NULL, 0, 0, 0                                                                 \
    }
#define TERMS                                                                                      \
    {                                                                                              \
        STEP_TERMS, NULL, 0, 0, 0                                                                  \
    }
static const struct lease_case {
    const char *label;
    struct step steps[8];
    const char *want;
} cases[] = {
    {"free", {ASK("tank", 1, 500, 0)}, "+tank/1 on pump;"},
    {"not lent",
     {ASK("stranger", 1, 500, 0)},
     "-stranger/1: its owner keeper does not lend it to stranger;"},
    {"given back",
     {ASK("tank", 1, 500, 0), GIVE("tank", 1), WAIT(600)},
     "+tank/1 on pump;pump released;"},
    {"its time is over",
     {ASK("tank", 1, 500, 0), WAIT(600)},
     "+tank/1 on pump;!tank/1: its time is over;pump time over;"},
    {"the grant's time is shorter",
     {ASK("irrigation", 1, 5000, 0), WAIT(1700), WAIT(200)},
     "+irrigation/1 on pump;!irrigation/1: its time is over;pump time over;"},
    {"no time wanted: the grant's",
     {ASK("irrigation", 1, 0, 0), WAIT(1900)},
     "+irrigation/1 on pump;!irrigation/1: its time is over;pump time over;"},
    {"a stronger one takes it",
     {ASK("tank", 1, 500, 0), ASK("fire", 2, 500, 0)},
     "+tank/1 on pump;!tank/1: fire took it;pump preempted, next;+fire/2 on pump;"},
    {"a weaker one is denied",
     {ASK("fire", 1, 500, 0), ASK("tank", 2, 500, 0)},
     "+fire/1 on pump;-tank/2: fire has it;"},
    {"a weaker one waits",
     {ASK("fire", 1, 500, 0), ASK("tank", 2, 500, 900), GIVE("fire", 1)},
     "+fire/1 on pump;pump released, next;+tank/2 on pump;"},
    {"an equal one does not take it",
     {ASK("tank", 1, 500, 0), ASK("tank", 2, 500, 0)},
     "+tank/1 on pump;-tank/2: tank has it;"},
    {"patience ends",
     {ASK("fire", 1, 0, 0), ASK("tank", 2, 500, 300), WAIT(400), GIVE("fire", 1)},
     "+fire/1 on pump;-tank/2: it was not free in time;pump released;"},
    {"the strongest of those who wait, then the first",
     {ASK("fire", 1, 0, 0), ASK("irrigation", 2, 500, 900), ASK("tank", 3, 500, 900),
      ASK("tank", 4, 500, 900), GIVE("fire", 1), GIVE("tank", 3), GIVE("tank", 4)},
     "+fire/1 on pump;pump released, next;+tank/3 on pump;pump released, next;+tank/4 on pump;"
     "pump released, next;+irrigation/2 on pump;"},
    {"the owner takes it back",
     {ASK("fire", 1, 0, 0), ASK("tank", 2, 500, 900), REVOKE},
     "+fire/1 on pump;-tank/2: its owner took it back;!fire/1: its owner took it back;pump "
     "revoked;"},
    {"who waits gives up",
     {ASK("fire", 1, 0, 0), ASK("tank", 2, 500, 900), GIVE("tank", 2), GIVE("fire", 1)},
     "+fire/1 on pump;pump released;"},
    {"the holder dies",
     {ASK("tank", 1, 500, 0), CRASH("tank", 1)},
     "+tank/1 on pump;pump crashed;"},
    {"its program stops",
     {ASK("tank", 1, 500, 0), ASK("irrigation", 2, 500, 900), DROP("tank")},
     "+tank/1 on pump;pump crashed, next;+irrigation/2 on pump;"},
    {"a person is stronger than all",
     {ASK("fire", 1, 500, 0), ASK("Ada", 0, 0, 0)},
     "+fire/1 on pump;!fire/1: Ada took it;pump preempted, next;+Ada/0 on pump;"},
    {"a person renews",
     {ASK("Ada", 0, 500, 0), WAIT(400), ASK("Ada", 0, 500, 0), WAIT(400)},
     "+Ada/0 on pump;+Ada/0 on pump;"},
    {"another person has to wait for the first",
     {ASK("Ada", 0, 500, 0), ASK("Bob", 0, 500, 0)},
     "+Ada/0 on pump;-Bob/0: Ada has it;"},
    {"giving back what one does not have",
     {ASK("tank", 1, 500, 0), GIVE("tank", 2)},
     "+tank/1 on pump;"},
    {"the device goes",
     {ASK("tank", 1, 500, 0), DISOWN, ASK("tank", 2, 500, 0)},
     "+tank/1 on pump;!tank/1: it has no owner any more;pump gone;-tank/2: nobody owns it;"},
    {"new terms that still allow it",
     {ASK("fire", 1, 500, 0), TERMS, GIVE("fire", 1)},
     "+fire/1 on pump;pump released;"},
    {"new terms that do not",
     {ASK("tank", 1, 500, 0), ASK("irrigation", 2, 500, 900), TERMS},
     "+tank/1 on pump;-irrigation/2: it is not lent to it any more;"
     "!tank/1: it is not lent to it any more;pump revoked;"},
};

static void step(struct rig *g, const struct step *s)
{
    struct lease_party p = party(s->who ? s->who : "", s->id);
    switch (s->kind) {
    case STEP_ASK: leases_ask(g->l, STR("pump"), &p, s->for_ms, s->wait_ms); break;
    case STEP_GIVE: (void)leases_release(g->l, STR("pump"), &p, false); break;
    case STEP_CRASH: (void)leases_release(g->l, STR("pump"), &p, true); break;
    case STEP_REVOKE: leases_revoke(g->l, STR("pump")); break;
    case STEP_WAIT: bus_rig_run(&g->base, s->for_ms); break;
    case STEP_DROP: leases_drop_all(g->l, p.who); break;
    case STEP_DISOWN: leases_disown(g->l, STR("pump")); break;
    case STEP_TERMS:
        REQUIRE(leases_own(g->l, STR("pump"), STR("keeper"), grants, 1) == ERR_OK);
        break;
    case STEPS_END: break;
    }
}

TEST(what_is_asked_and_what_comes_of_it)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char dir[600];
        struct rig g;
        LABEL("%s", cases[i].label);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init(&g, dir);
        for (const struct step *s = cases[i].steps; s->kind != STEPS_END; s++)
            step(&g, s);
        CHECK_EQ_STR(g.log.p ? g.log.p : "", cases[i].want);
        rig_fini(&g);
    }
}

TEST(the_operator_is_granted_unless_the_owner_says_never)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct lease_grant never[] = {{STR(""), LEASE_NEVER, 0}};
    REQUIRE(leases_own(g.l, STR("lock"), STR("guard"), never, 1) == ERR_OK);
    struct lease_party ada = party("Ada", 0);
    leases_ask(g.l, STR("lock"), &ada, 0, 0);
    CHECK_EQ_STR(g.log.p, "-Ada/0: its owner guard does not lend it to Ada;");
    leases_ask(g.l, STR("pump"), &ada, 0, 0);
    struct lease_view v;
    REQUIRE(leases_view(g.l, STR("pump"), &v));
    CHECK(v.out && str_eq(v.holder.name, STR("Ada")) && str_eq(v.owner, STR("keeper")));
    CHECK_EQ_INT(v.until_ms - v.since_ms, 15 * 60 * 1000);
    CHECK_EQ_INT(v.priority, 0);
    rig_fini(&g);
}

TEST(the_queue_of_a_device_is_bounded)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    struct lease_party p = party("fire", 1);
    leases_ask(g.l, STR("pump"), &p, 0, 0);
    for (uint32_t i = 0; i < LEASE_WAITING_MAX; i++) {
        p = party("tank", i);
        leases_ask(g.l, STR("pump"), &p, 500, 100000);
    }
    CHECK_EQ_STR(g.log.p, "+fire/1 on pump;");
    p = party("tank", 99);
    leases_ask(g.l, STR("pump"), &p, 500, 100000);
    CHECK_EQ_STR(g.log.p, "+fire/1 on pump;-tank/99: fire has it, and too many wait;");
    rig_fini(&g);
}

TEST(what_a_restart_left_is_claimed_or_ends_as_crashed)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    REQUIRE(leases_own(g.l, STR("valve"), STR("keeper"), grants, 3) == ERR_OK);
    REQUIRE(leases_own(g.l, STR("lamp"), STR("keeper"), grants, 3) == ERR_OK);
    int64_t now = worker_now_ms(g.base.w);
    leases_restore(g.l, STR("pump"), STR("tank"), false, 7, now + 300);
    leases_restore(g.l, STR("valve"), STR("fire"), false, 8, INT64_MAX);
    leases_restore(g.l, STR("lamp"), STR("Ada"), true, 0, now + 200);
    struct lease_party p = party("tank", 6), wrong = party("irrigation", 7);
    CHECK(!leases_claim(g.l, STR("pump"), &wrong));
    CHECK(leases_claim(g.l, STR("pump"), &p));
    CHECK(leases_holds(g.l, STR("pump"), &p));
    leases_settle(g.l);
    CHECK_EQ_STR(g.log.p, "valve crashed;");
    bus_rig_run(&g.base, 400);
    CHECK_EQ_STR(g.log.p, "valve crashed;!Ada/0: its time is over;lamp time over;"
                          "!tank/6: its time is over;pump time over;");
    rig_fini(&g);
}
