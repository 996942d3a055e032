/* Another site in the place of the one that runs: what goes on, what begins anew, what ends. */
#include "automation/automation_rig_test.h"

#include <sys/stat.h>

#define GUARD                                                                                      \
    "program guard {\n"                                                                            \
    "  own v: Valve = valve\n"                                                                     \
    "  read t: °C = press.temp stale 1h\n"                                                        \
    "  when t > 80 °C for 100ms { v.open() } until t < 60 °C { v.close() }\n"                    \
    "}\n"
#define OTHER(text)                                                                                \
    "program other {\n"                                                                            \
    "  read t: °C = press.temp stale 1h\n"                                                        \
    "  when t > 80 °C { alert info \"" text "\" }\n"                                               \
    "}\n"

static const struct rule_view *rule(struct rig *g, const char *program, size_t at)
{
    static struct rule_view v;
    for (size_t i = 0; i < automation_programs(g->a); i++)
        if (str_eq(automation_program(g->a, i).program->name, str_from(program)))
            v = automation_rule(g->a, i, at);
    return &v;
}

TEST(a_hold_time_in_progress_survives_the_change_of_another_program)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), OTHER("one") GUARD);
    temp(&g, "85");
    bus_rig_run(&g.base, 60);
    CHECK_EQ_INT(rule(&g, "guard", 0)->state, RULE_HOLDING);
    CHECK_EQ_INT(rig_replace(&g, OTHER("two") "\n\n" GUARD, NULL), ERR_OK);
    CHECK_EQ_INT(rule(&g, "guard", 0)->state, RULE_HOLDING);
    strbuf_reset(&g.log);
    bus_rig_run(&g.base, 30);
    CHECK_EQ_STR(g.log.p, "");
    bus_rig_run(&g.base, 20); /* 110 ms since it began, 50 since the change */
    CHECK_EQ_STR(g.log.p, "open by guard line 17 because press.temp;"); /* where it stands by now */
    rig_fini(&g);
}

TEST(a_program_whose_device_is_another_one_is_changed)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), GUARD);
    temp(&g, "85");
    bus_rig_run(&g.base, 60);
    CHECK_EQ_INT(rig_replace(&g, GUARD, "elsewhere"), ERR_OK);
    strbuf_reset(&g.log);
    bus_rig_run(&g.base, 60);
    CHECK_EQ_STR(g.log.p, ""); /* the hold time has begun anew */
    bus_rig_run(&g.base, 60);
    CHECK_EQ_STR(g.log.p, "open by guard line 11 because press.temp;");
    rig_fini(&g);
}

TEST(a_changed_program_starts_with_its_state_and_the_readings_that_are_there)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n  read t: °C = press.temp stale 1h\n  var n = 0\n"
             "  when t > 80 °C { n = n + 1; alert warning \"hot {n}\" } until t < 60 °C { }\n}\n");
    temp(&g, "85");
    CHECK_EQ_STR(g.log.p, "warning: hot 1;");
    strbuf_reset(&g.log);
    CHECK_EQ_INT(rig_replace(&g,
                             "program guard {\n  read t: °C = press.temp stale 1h\n  var n = 0\n"
                             "  when t > 80 °C { n = n + 1; alert warning \"hot {n}\" } "
                             "until t < 70 °C { }\n"
                             "  when t > 84 °C { alert info \"{n} at {t}\" }\n}\n",
                             NULL),
                 ERR_OK);
    CHECK_EQ_STR(g.log.p,
                 "info: 1 at 85 °C;"); /* the old rule is active already, the new one is not */
    CHECK_EQ_INT(rule(&g, "guard", 0)->state, RULE_ACTIVE);
    temp(&g, "65");
    temp(&g, "90");
    CHECK_EQ_STR(g.log.p, "info: 1 at 85 °C;over;over;warning: hot 2;info: 2 at 90 °C;");
    rig_fini(&g);
}

TEST(what_a_program_owns_no_more_is_made_safe)
{
    static const struct {
        const char *label, *next;
        const char *valve; /* its topic then */
        const char *log;
    } rows[] = {
        {"the program goes", OTHER("x"), NULL, "close by guard line 0 because ;info: x;"},
        {"it gives the valve up", "program guard { every 1h { } }\n", NULL,
         "close by guard line 0 because ;"},
        {"another one has it", "program b { own v: Valve = valve; every 1h { v.open() } }\n", NULL,
         "close by guard line 0 because ;"},
        {"it still has it", "program guard { own v: Valve = valve; every 1h { v.open() } }\n", NULL,
         ""},
        {"the valve is another thing", GUARD, "elsewhere", "close by guard line 0 because ;"},
        {"nothing is different", GUARD, NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        LABEL("%s", rows[i].label);
        char dir[512];
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init(&g, dir, GUARD);
        temp(&g, "85");
        bus_rig_run(&g.base, 110);
        CHECK_EQ_STR(g.log.p, "open by guard line 11 because press.temp;");
        strbuf_reset(&g.log);
        CHECK_EQ_INT(rig_replace(&g, rows[i].next, rows[i].valve), ERR_OK);
        CHECK_EQ_STR(g.log.p, rows[i].log);
        bus_rig_run(&g.base, 20);
        rig_fini(&g);
    }
}

static void note_end(struct event_listener *l, const struct alert_event *e)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    if (!e->active)
        strbuf_addf(&g->log, "%.*s;", STR_FMT(e->key));
}

TEST(alerts_of_rules_that_are_gone_end)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             OTHER("one") "program trap {\n  var zero = 0\n"
                          "  read t: °C = press.temp stale 1h\n"
                          "  when t > 80 °C and 1 / zero > 0 { }\n}\n");
    temp(&g, "85");
    CHECK_HAS_STR(g.log.p, "info: one;");
    CHECK_HAS_STR(g.log.p, "division by zero");
    strbuf_reset(&g.log);
    g.events.alert = note_end;
    CHECK_EQ_INT(rig_replace(&g, "program new { every 1h { } }\n", NULL), ERR_OK);
    CHECK_HAS_STR(g.log.p, "other/when#1#0;");
    CHECK_HAS_STR(g.log.p, "trap/when#1!;");
    CHECK_EQ_UINT(automation_programs(g.a), 1);
    rig_fini(&g);
}

#define LISTED                                                                                     \
    "program listed { var xs: list<int> = []; read t: °C = press.temp stale 1h\n"                 \
    "  when t > 80 °C { xs.push(1); alert info \"{xs.len()}\" } until t < 60 °C { } }\n"

static void heat_and_cool(struct rig *g)
{
    temp(g, "85");
    temp(g, "50");
    bus_rig_run(&g->base, 30);
}

TEST(a_changed_program_keeps_its_lists_and_one_that_comes_again_begins_anew)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, OTHER("one") LISTED);
    heat_and_cool(&g);
    heat_and_cool(&g);
    strbuf_reset(&g.log);
    REQUIRE(rig_replace(&g, OTHER("one") LISTED, "elsewhere") == ERR_OK);
    REQUIRE(rig_replace(&g, OTHER("one") "fn f() { }\n" LISTED, NULL) == ERR_OK);
    heat_and_cool(&g);
    CHECK_HAS_STR(g.log.p, "info: 3;");
    REQUIRE(rig_replace(&g, OTHER("one"), NULL) == ERR_OK);
    REQUIRE(rig_replace(&g, OTHER("one") LISTED, NULL) == ERR_OK);
    bus_rig_run(&g.base, 30);
    strbuf_reset(&g.log);
    heat_and_cool(&g);
    CHECK_HAS_STR(g.log.p, "info: 1;");
    rig_fini(&g);
    rig_init(&g, dir, OTHER("one") LISTED); /* not what there was before it went */
    heat_and_cool(&g);
    CHECK_HAS_STR(g.log.p, "info: 2;");
    rig_fini(&g);
}

/* Whatever can't be had, everything is as it was, and nothing is lost. */
TEST(a_change_that_fails_changes_nothing)
{
    struct rig g;
    uint64_t at = 0;
    rig_init(&g, test_tmpdir(), OTHER("one") GUARD);
    temp(&g, "85");
    for (;; at++) {
        size_t before = g.faulty.live_bytes;
        strbuf_reset(&g.log);
        g.faulty.fail_at = g.faulty.count + at;
        enum err err = rig_replace(&g, OTHER("two") GUARD, "elsewhere");
        g.faulty.fail_at = UINT64_MAX;
        if (!err)
            break;
        CHECK(err == ERR_NOMEM || err == ERR_FULL);
        CHECK_EQ_STR(g.log.p, "");
        CHECK(g.faulty.live_bytes >= before); /* room for readers may have been made */
        CHECK_EQ_INT(rule(&g, "guard", 0)->state, RULE_HOLDING);
        REQUIRE(at < 2000);
    }
    CHECK(at > 10);
    test_note("%llu allocations failed in turn", (unsigned long long)at);
    rig_fini(&g);
}

/* It has to be mended, not only read again. */
TEST(a_failed_program_stays_failed_until_it_is_changed)
{
    struct rig g;
    static const char spin[] = "fn spin(n: int) -> int {\n"
                               "  if n > 0 { return spin(n - 1) + spin(n - 1) }\n"
                               "  return 1\n}\n"
                               "program away {\n  read t: °C = press.temp stale 1h\n  var n = 0\n"
                               "  when t > 80 °C { n = spin(40) }\n}\n";
    char next[1024];
    rig_init(&g, test_tmpdir(), spin);
    for (int i = 0; i < 3; i++) {
        temp(&g, "90");
        temp(&g, "10");
    }
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_FAILED);
    (void)snprintf(next, sizeof(next), "%s%s", spin, OTHER("x"));
    CHECK_EQ_INT(rig_replace(&g, next, NULL), ERR_OK);
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_FAILED);
    CHECK_EQ_INT(automation_program(g.a, 1).state, PROGRAM_RUNNING);
    CHECK_EQ_INT(rig_replace(&g, "program away { every 1h { } }\n", NULL), ERR_OK);
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_RUNNING);
    rig_fini(&g);
}

/* The old site is freed: whoever looks its owner up by name must not meet it (ASan does). */
TEST(a_person_borrows_of_a_program_that_was_kept)
{
    struct rig g;
    struct error e = {0};
    char id[24];
    rig_init(&g, test_tmpdir(), GUARD);
    CHECK_EQ_INT(rig_replace(&g, GUARD, NULL), ERR_OK);
    struct action_request q = {.device = registry_find(g.registry, STR("valve")),
                               .cause = {.operator_name = STR("Ada")}};
    CHECK_EQ_INT(automation_operate(g.a, &q, id, &e), ERR_OK);
    struct lease_view v;
    CHECK(automation_lease(g.a, STR("valve"), &v) && v.out && str_eq(v.owner, STR("guard")));
    CHECK(automation_give_back(g.a, STR("valve")));
    rig_fini(&g);
}
