/* Leases between programs and people: who commands, what waits, what is made safe. */
#include "automation/automation_rig_test.h"

#include <sys/stat.h>

#define KEEPER                                                                                     \
    "program keeper {\n"                                                                           \
    "  own v: Valve = valve\n"                                                                     \
    "  lend v to strong priority 1, weak priority 5 max 1s\n"                                      \
    "  idle v { alert info \"idle\" }\n"                                                           \
    "  read t: °C = press.temp stale 1h\n"                                                        \
    "  when t > 90 °C { revoke v; v.close() }\n"                                                  \
    "  when t < 0 °C { v.open() else { alert info \"out\" } }\n"                                  \
    "}\n"
#define WEAK                                                                                       \
    "program weak { on button.pressed { lease v = keeper.v for 10s {\n"                            \
    "  v.open(); sleep 100ms; v.close() } revoked why { alert info \"weak lost it: {why}\" }\n"    \
    "  denied { alert info \"weak denied\" } } }\n"

static void log_is(struct rig *g, const char *want)
{
    CHECK_EQ_STR(g->log.p ? g->log.p : "", want);
    strbuf_reset(&g->log);
}

TEST(a_lessee_commands_and_gives_back)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), KEEPER WEAK "program strong { }\n");
    press_button(&g);
    log_is(&g, "open by weak line 16 because ;");
    temp(&g, "-5");
    log_is(&g, "info: out;");
    temp(&g, "5");
    log_is(&g, "over;");
    bus_rig_run(&g.base, 150);
    log_is(&g, "close by weak line 16 because ;momentary info: idle;");
    temp(&g, "-5");
    log_is(&g, "open by keeper line 14 because press.temp;");
    rig_fini(&g);
}

TEST(a_stronger_lessee_takes_it_and_what_was_left_is_made_safe)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             KEEPER WEAK
             "program strong { every 150ms { lease v = keeper.v for 1s { sleep 20ms; "
             "v.open(); sleep 1h } revoked why { alert info \"strong lost it: {why}\" } } }\n");
    bus_rig_run(&g.base, 80);
    press_button(&g);
    log_is(&g, "open by weak line 16 because ;");
    bus_rig_run(&g.base, 80);
    log_is(&g, "close by lease line 0 because ;momentary info: weak lost it: strong took it;");
    bus_rig_run(&g.base, 20);
    log_is(&g, "open by strong line 19 because ;");
    press_button(&g);
    log_is(&g, "momentary info: weak denied;");
    rig_fini(&g);
}

TEST(the_owner_takes_it_back_in_the_turn_that_commands)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), KEEPER WEAK "program strong { }\n");
    press_button(&g);
    log_is(&g, "open by weak line 16 because ;");
    temp(&g, "95");
    log_is(&g, "close by lease line 0 because ;close by keeper line 13 because press.temp;"
               "momentary info: weak lost it: its owner took it back;");
    rig_fini(&g);
}

TEST(a_lease_ends_after_its_time)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             KEEPER "program weak { on button.pressed { lease v = keeper.v for 10s { v.open(); "
                    "sleep 1h } revoked why { alert info \"{why}\" } } }\nprogram strong { }\n");
    press_button(&g);
    log_is(&g, "open by weak line 16 because ;");
    bus_rig_run(&g.base, 1100); /* the owner's bound, not what it asked for */
    log_is(&g, "close by lease line 0 because ;momentary info: its time is over;"
               "momentary info: idle;");
    rig_fini(&g);
}

static enum err operate_at(struct rig *g, const char *device, const char *who, uint32_t action)
{
    struct error e = {0};
    char id[24];
    struct action_request q = {.device = registry_find(g->registry, str_from(device)),
                               .action = action,
                               .cause = {.operator_name = str_from(who)}};
    return automation_operate(g->a, &q, id, &e);
}

static enum err operate(struct rig *g, const char *who, uint32_t action)
{
    return operate_at(g, "valve", who, action);
}

TEST(a_person_borrows_and_what_the_owner_wants_meanwhile_waits)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard { own v: Valve = valve; read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { v.open() } until t < 60 °C { v.close() } }\n");
    REQUIRE(operate(&g, "Ada", 1) == ERR_OK);
    log_is(&g, "close by  line 0 because ;");
    CHECK_EQ_INT(operate(&g, "Bob", 0), ERR_DENIED);
    temp(&g, "85");
    temp(&g, "50");
    temp(&g, "85"); /* opened, closed, opened: the last one counts */
    log_is(&g, "");
    CHECK(automation_give_back(g.a, STR("valve")));
    log_is(&g, "open by guard line 9 because ;");
    CHECK(!automation_give_back(g.a, STR("valve")));
    REQUIRE(operate(&g, "Bob", 1) == ERR_OK);
    log_is(&g, "close by  line 0 because ;");
    bus_rig_run(&g.base, 30);
    CHECK_EQ_INT(bus_rig_publish(&g.base, "v/position", "0"), ERR_OK);
    bus_rig_run(&g.base, 30);
    strbuf_reset(&g.log);
    bus_rig_run(&g.base, 15 * 60 * 1000 + 1000);
    log_is(&g, "close by lease line 0 because ;");
    rig_fini(&g);
}

TEST(an_owner_may_refuse_people)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard { own v: Valve = valve; lend v to operator never\n"
             "  read t: °C = press.temp stale 1h; when t > 80 °C { v.open() } }\n");
    CHECK_EQ_INT(operate(&g, "Ada", 1), ERR_DENIED);
    temp(&g, "85");
    log_is(&g, "open by guard line 9 because press.temp;");
    rig_fini(&g);
}

TEST(leases_go_on_after_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, KEEPER WEAK "program strong { }\n");
    press_button(&g);
    bus_rig_run(&g.base, 30);
    log_is(&g, "open by weak line 16 because ;");
    rig_fini(&g);
    rig_init(&g, dir, KEEPER WEAK "program strong { }\n");
    struct lease_view v;
    REQUIRE(automation_lease(g.a, STR("valve"), &v));
    CHECK(v.out && str_eq(v.holder.name, STR("weak")) && v.holder.who);
    bus_rig_run(&g.base, 100);
    log_is(&g, "close by weak line 16 because ;momentary info: idle;");
    rig_fini(&g);
}

TEST(a_lease_whose_program_is_gone_ends_safely)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, KEEPER WEAK "program strong { }\n");
    press_button(&g);
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
    rig_init(&g, dir, KEEPER "program weak { }\nprogram strong { }\n");
    bus_rig_run(&g.base, 30);
    log_is(&g, "close by lease line 0 because ;momentary info: idle;");
    rig_fini(&g);
}

#define GUARD                                                                                      \
    "program guard { own v: Valve = valve; read t: °C = press.temp stale 1h\n"                    \
    "  when t > 80 °C { v.open() } until t < 60 °C { v.close() } }\n"

/* The lease is the thing's, whichever of its declarations was used. */
TEST(what_a_person_told_a_thing_by_another_of_its_names_goes_on_after_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, GUARD);
    REQUIRE(operate_at(&g, "twin", "Ada", 0) == ERR_OK);
    bus_rig_run(&g.base, 30);
    log_is(&g, "open by  line 0 because ;");
    rig_fini(&g);
    rig_init(&g, dir, GUARD);
    struct lease_view v;
    CHECK(automation_lease(g.a, STR("twin"), &v) && v.out);
    registry_start(g.registry);
    log_is(&g, ""); /* no alert that it has come to nothing */
    CHECK(!list_empty(&registry_find(g.registry, STR("twin"))->actions));
    rig_fini(&g);
}

/* The rule is active and believes that it has acted. */
TEST(what_an_owner_wants_meanwhile_survives_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, GUARD);
    REQUIRE(operate(&g, "Ada", 1) == ERR_OK);
    temp(&g, "85");
    bus_rig_run(&g.base, 30);
    log_is(&g, "close by  line 0 because ;");
    rig_fini(&g);
    rig_init(&g, dir, GUARD);
    log_is(&g, "");
    CHECK(automation_give_back(g.a, STR("valve")));
    log_is(&g, "open by guard line 9 because ;");
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
    rig_init(&g, dir, GUARD);
    struct lease_view v;
    CHECK(automation_lease(g.a, STR("valve"), &v) && !v.out);
    log_is(&g, ""); /* it is sent once */
    rig_fini(&g);
}

TEST(what_an_owner_wants_is_sent_at_once_if_the_person_has_gone_meanwhile)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, GUARD);
    REQUIRE(operate(&g, "Ada", 1) == ERR_OK);
    temp(&g, "85");
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
    rig_init(&g, dir,
             "program guard { own v: Valve = valve; lend v to operator never\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { v.open() } until t < 60 °C { v.close() } }\n");
    log_is(&g, "close by lease line 0 because ;open by guard line 10 because ;");
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
}

TEST(a_turn_that_fails_has_not_taken_it_back)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program keeper { own v: Valve = valve; lend v to weak\n"
             "  var zero = 0; read t: °C = press.temp stale 1h\n"
             "  when t > 90 °C { revoke v; v.close(); alert info \"{1 / zero}\" }\n"
             "  when t < 0 °C { v.open() else { alert info \"out\" } }\n"
             "}\n" WEAK);
    press_button(&g);
    temp(&g, "95");
    log_is(&g, "open by weak line 13 because ;warning: when t > 90 °C: division by zero;");
    temp(&g, "-5");
    CHECK_HAS_STR(g.log.p, "info: out;");
    rig_fini(&g);
}

/* Its alerts are told apart by number, of which there are so many. */
TEST(a_body_that_waits_may_raise_as_many_alerts_as_it_likes)
{
    const char *dir = test_tmpdir();
    static const char program[] =
        "program p { read t: °C = press.temp stale 1h; var n = 0\n"
        "  when t > 80 °C { loop { n += 1; alert info \"{n}\"; sleep 1ms } }\n"
        "  until t < 60 °C { alert info \"end\" } }\n";
    struct rig g;
    rig_init(&g, dir, program);
    temp(&g, "85");
    bus_rig_run(&g.base, 200);
    CHECK_HAS_STR(g.log.p, "info: 150;");
    rig_fini(&g);
    rig_init(&g, dir, program);
    temp(&g, "50");
    size_t over = 0;
    for (const char *at = g.log.p; (at = strstr(at, "over;")) != NULL; at++)
        over++;
    CHECK_EQ_UINT(over, 64);
    CHECK_HAS_STR(g.log.p, "end;");
    rig_fini(&g);
}

/* Who is denied tells another one, which begins anew: its wish, the next in line, is gone then. */
TEST(a_denied_one_may_end_what_others_wait_for)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program keeper { own v: Valve = valve; lend v to strong priority 1, a, b }\n"
             "program strong { on button.pressed { lease v = keeper.v for 1h { sleep 1h } "
             "revoked { } } }\n"
             "program a { on button.pressed { sleep 10ms; publish \"again\" 1\n"
             "  lease v = keeper.v for 1s wait 100ms { sleep 1s } revoked { } denied {\n"
             "    alert info \"denied\"; publish \"again\" 2 } } }\n"
             "program b { on \"again\" as n: int restart {\n"
             "  lease v = keeper.v for 1s wait 200ms { v.open() } revoked { } denied {\n"
             "    alert info \"b denied {n}\" } } }\n");
    press_button(&g);
    bus_rig_run(&g.base, 150);
    log_is(&g, "momentary info: denied;");
    bus_rig_run(&g.base, 200);
    log_is(&g, "momentary info: b denied 2;");
    rig_fini(&g);
}

/* The heir of a lease whose time is over gives up for what its holder says to that. */
TEST(an_heir_may_give_up)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program keeper { own v: Valve = valve; lend v to a, b }\n"
             "program a { on button.pressed { lease v = keeper.v for 100ms { "
             "publish \"again\" 1; sleep 1h } revoked { publish \"again\" 2 } } }\n"
             "program b { on \"again\" as n: int restart { if n == 1 {\n"
             "  lease v = keeper.v for 1h wait 1s { sleep 1h } revoked { } } } }\n");
    press_button(&g);
    bus_rig_run(&g.base, 50);
    struct lease_view v;
    REQUIRE(automation_lease(g.a, STR("valve"), &v));
    CHECK(v.out && str_eq(v.holder.name, STR("a")));
    bus_rig_run(&g.base, 100);
    REQUIRE(automation_lease(g.a, STR("valve"), &v));
    CHECK(!v.out);
    rig_fini(&g);
}

/* Whatever can't be had: nothing breaks, and who owns the valve still commands it afterwards, or
 * was stopped and left it closed. */
TEST(memory_may_fail_at_any_time)
{
    uint64_t at = 0;
    for (;; at++) {
        struct rig g;
        char dir[600];
        LABEL("allocation %llu", (unsigned long long)at);
        (void)snprintf(dir, sizeof(dir), "%s/%llu", test_tmpdir(), (unsigned long long)at);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init(&g, dir, KEEPER WEAK "program strong { }\n");
        uint64_t fails = g.faulty.count + at;
        g.faulty.fail_at = fails;
        press_button(&g); /* it is out, and opened */
        temp(&g, "95");   /* taken back, and closed */
        temp(&g, "50");
        g.faulty.fail_at = UINT64_MAX;
        bool failed = g.faulty.count > fails;
        bus_rig_run(&g.base, 50);
        strbuf_reset(&g.log);
        temp(&g, "-5");
        temp(&g, "95");
        if (automation_program(g.a, 0).state == PROGRAM_RUNNING)
            CHECK_HAS_STR(g.log.p, "close by keeper");
        bus_rig_run(&g.base, 50);
        rig_fini(&g);
        if (!failed || !CHECK(at < 1000))
            break;
    }
    CHECK(at > 20);
    test_note("%llu allocations failed in turn", (unsigned long long)at);
}

/* Else it would be made safe when that is over, whatever its owner has done with it since. */
TEST(a_lease_ends_when_the_thing_is_owned_by_another_of_its_names)
{
    struct rig g;
    struct lease_view v;
    rig_init(&g, test_tmpdir(), GUARD);
    REQUIRE(operate(&g, "Ada", 0) == ERR_OK);
    log_is(&g, "open by  line 0 because ;");
    CHECK_EQ_INT(rig_replace(&g, "program guard { own v: Valve = twin }\n", NULL), ERR_OK);
    log_is(&g, "close by lease line 0 because ;");
    CHECK(automation_lease(g.a, STR("valve"), &v) && !v.out && str_eq(v.device, STR("twin")));
    bus_rig_run(&g.base, 16 * 60 * 1000);
    CHECK(!strstr(g.log.p, "close by"));
    rig_fini(&g);
}
