/* Programs on a real bus, registry and journal: what their rules do, and when. */
#include "automation/automation_rig_test.h"

TEST(a_rule_acts_once_for_each_time_that_its_condition_comes_true)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  own v: Valve = valve\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { v.open(); alert warning \"hot: {t}\" } until t < 60 °C "
             "{ v.close() }\n"
             "}\n");
    static const char *const values[] = {"79", "81", "85", "70", "59", "58", "90"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        temp(&g, values[i]);
    CHECK_EQ_STR(g.log.p, "open by guard line 11 because press.temp;warning: hot: 81 °C;"
                          "over;close by guard line 11 because press.temp;"
                          "open by guard line 11 because press.temp;warning: hot: 90 °C;");
    CHECK_EQ_INT(automation_rule(g.a, 0, 0).state, RULE_ACTIVE);
    CHECK_EQ_UINT(automation_rule(g.a, 0, 0).fired, 2);
    struct device *valve = registry_find(g.registry, STR("valve"));
    CHECK(str_eq(valve->owner, STR("guard")));
    struct device *press = registry_find(g.registry, STR("press"));
    for (size_t i = 0; i < press->model->property_count; i++) /* also those that nobody reads */
        CHECK_EQ_INT(press->props[i].series->stale_ms, 3600000);
    rig_fini(&g);
}

TEST(a_condition_must_hold_for_its_time)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C for 100ms { alert info \"held\" }\n"
             "}\n");
    temp(&g, "85");
    bus_rig_run(&g.base, 40);
    CHECK_EQ_INT(automation_rule(g.a, 0, 0).state, RULE_HOLDING);
    temp(&g, "75"); /* broken off */
    bus_rig_run(&g.base, 120);
    CHECK_EQ_STR(g.log.p, "");
    temp(&g, "85");
    bus_rig_run(&g.base, 150); /* no further sample: the timer does it */
    CHECK_EQ_STR(g.log.p, "info: held;");
    temp(&g, "75");
    CHECK_EQ_STR(g.log.p, "info: held;over;");
    rig_fini(&g);
}

TEST(a_stale_reading_starts_and_ends_nothing_but_stale_rules)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 80ms\n"
             "  when t > 80 °C { alert warning \"hot\" }\n"
             "  when stale t { alert critical \"lost\" }\n"
             "}\n");
    temp(&g, "85");
    bus_rig_run(&g.base, 160);
    CHECK_EQ_STR(g.log.p, "warning: hot;critical: lost;"); /* hot is not over: nobody knows */
    temp(&g, "250");                                       /* out of range: no reading */
    CHECK_EQ_STR(g.log.p, "warning: hot;critical: lost;");
    temp(&g, "70");
    CHECK_EQ_STR(g.log.p, "warning: hot;critical: lost;over;over;");
    rig_fini(&g);
}

TEST(what_is_out_of_reach_is_stale_before_its_time)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 2h\n"
             "  when stale t { alert critical \"lost\" }\n"
             "}\n");
    struct device *press = registry_find(g.registry, STR("press"));
    temp(&g, "85");
    registry_link_state(press, false, "it is offline");
    bus_rig_run(&g.base, 1);
    CHECK_EQ_STR(g.log.p, "critical: lost;");
    registry_link_state(press, true, "");
    temp(&g, "84");
    CHECK_EQ_STR(g.log.p, "critical: lost;over;");
    rig_fini(&g);
}

TEST(a_thermometer_that_never_speaks_is_stale_after_its_time)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 60ms\n"
             "  when stale t { alert critical \"lost\" }\n"
             "}\n");
    CHECK_EQ_STR(g.log.p, "");
    bus_rig_run(&g.base, 120);
    CHECK_EQ_STR(g.log.p, "critical: lost;");
    rig_fini(&g);
}

TEST(rules_see_the_variables_that_other_rules_change)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  var count = 0\n"
             "  when t > 80 °C { count = count + 1 }\n"
             "  when count > 1 { alert info \"{count} times\" }\n"
             "}\n");
    temp(&g, "90");
    temp(&g, "10");
    CHECK_EQ_STR(g.log.p, "");
    temp(&g, "90");
    CHECK_EQ_STR(g.log.p, "info: 2 times;");
    rig_fini(&g);
}

TEST(every_runs_at_its_pace)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program clock {\n"
             "  every 50ms { alert info \"tick\" }\n"
             "}\n");
    bus_rig_run(&g.base, 180);
    CHECK(automation_rule(g.a, 0, 0).fired >= 2 && automation_rule(g.a, 0, 0).fired <= 3);
    CHECK_HAS_STR(g.log.p, "momentary info: tick;momentary info: tick;");
    rig_fini(&g);
}

TEST(variables_and_active_rules_outlive_a_restart)
{
    static const char program[] = "program guard {\n"
                                  "  own v: Valve = valve\n"
                                  "  read t: °C = press.temp stale 1h\n"
                                  "  var count = 0\n"
                                  "  var note = \"none\"\n"
                                  "  when t > 80 °C { count = count + 1; note = \"at {t}\"; "
                                  "v.open(); alert info \"{count} {note}\" } until t < 60 °C "
                                  "{ v.close() }\n"
                                  "  when t < 0 °C { alert info \"{count} {note}\" }\n"
                                  "}\n";
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, program);
    temp(&g, "85");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, program);
    CHECK_EQ_INT(automation_rule(g.a, 0, 0).state, RULE_ACTIVE);
    temp(&g, "86"); /* still: nothing anew */
    CHECK_EQ_STR(g.log.p, "");
    temp(&g, "-1"); /* the valve that it opened is its to close, the alert its to end */
    CHECK_EQ_STR(g.log.p, "over;close by guard line 13 because press.temp;info: 1 at 85 °C;");
    rig_fini(&g);
}

TEST(a_turn_that_traps_changes_nothing_and_is_reported_once)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  own v: Valve = valve\n"
             "  read t: °C = press.temp stale 1h\n"
             "  var zero = 0\n"
             "  var n = 1\n"
             "  when t > 80 °C { n = 7; v.open(); n = n / zero }\n"
             "  when t > 0 °C { alert info \"n is {n}\" }\n"
             "}\n");
    temp(&g, "90");
    CHECK_HAS_STR(g.log.p, "warning: when t > 80 °C: ");
    CHECK_HAS_STR(g.log.p, "info: n is 1;");
    CHECK(strstr(g.log.p, "open by") == NULL);
    CHECK(automation_program(g.a, 0).error[0] != 0);
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_RUNNING);
    rig_fini(&g);
}

TEST(a_program_that_runs_away_is_stopped_and_its_valve_made_safe)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "fn spin(n: int) -> int {\n"
             "  if n > 0 { return spin(n - 1) + spin(n - 1) }\n"
             "  return 1\n"
             "}\n"
             "program guard {\n"
             "  own v: Valve = valve\n"
             "  read t: °C = press.temp stale 1h\n"
             "  var sum = 0\n"
             "  when t > 80 °C { sum = spin(40) }\n"
             "}\n"
             "program other { read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { alert info \"still here\" } }\n");
    for (int i = 0; i < 3; i++) {
        temp(&g, "90");
        temp(&g, "10");
    }
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_FAILED);
    CHECK_HAS_STR(g.log.p, "critical: the program guard is stopped");
    CHECK_HAS_STR(g.log.p, "close by guard");
    temp(&g, "90");
    CHECK_EQ_UINT(automation_rule(g.a, 0, 0).fired, 3);
    CHECK_EQ_INT(automation_program(g.a, 1).state, PROGRAM_RUNNING);
    CHECK_EQ_UINT(automation_rule(g.a, 1, 0).fired, 4);
    rig_fini(&g);
}

TEST(texts_are_readings_too)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read note: str = press.note stale 1h\n"
             "  when note == \"open\" { alert info \"it is {note}\" }\n"
             "}\n");
    CHECK_EQ_INT(bus_rig_publish(&g.base, "p/note", "shut"), ERR_OK);
    CHECK_EQ_INT(bus_rig_publish(&g.base, "p/note", "open"), ERR_OK);
    CHECK_EQ_STR(g.log.p, "info: it is open;");
    rig_fini(&g);
}

TEST(very_long_times_are_only_long)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 20000000h\n"
             "  when t > 80 °C for 20000000h { alert info \"hot\" }\n"
             "  every 20000000h { alert info \"now\" }\n"
             "}\n");
    temp(&g, "90");
    bus_rig_run(&g.base, 20);
    temp(&g, "91");
    CHECK_EQ_STR(g.log.p, "");
    CHECK_EQ_INT(automation_rule(g.a, 0, 0).state, RULE_HOLDING);
    rig_fini(&g);
}

TEST(what_a_device_says_late_is_not_acted_on)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { alert info \"hot\" }\n"
             "}\n");
    static const char *const reports[] = {
        "{\"ts\": 1764000060000, \"values\": {\"temp\": 20}}",
        "{\"ts\": 1764000000000, \"values\": {\"temp\": 95}}"}; /* its buffer */
    for (size_t i = 0; i < ARRAY_LEN(reports); i++)
        CHECK_EQ_INT(bus_rig_publish(&g.base, "p", reports[i]), ERR_OK);
    CHECK_EQ_STR(g.log.p, "");
    rig_fini(&g);
}

TEST(all_readings_of_a_property_change_together)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read a: °C = press.temp stale 1h\n"
             "  read b: °C = press.temp stale 1h\n"
             "  when a > b { alert info \"a {a} b {b}\" }\n"
             "  when b > a { alert info \"a {a} b {b}\" }\n"
             "}\n");
    temp(&g, "20");
    temp(&g, "30");
    temp(&g, "10");
    CHECK_EQ_STR(g.log.p, "");
    rig_fini(&g);
}

/* Alerts whose rule, program or trap is of an earlier run can't end by themselves. */
TEST(alerts_of_what_is_gone_end_at_the_start)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir,
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  var zero = 0\n"
             "  var n = 1\n"
             "  when t > 80 °C { alert info \"hot\" }\n"
             "}\n");
    temp(&g, "90");
    CHECK_EQ_STR(g.log.p, "info: hot;");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, "program other { read t: °C = press.temp stale 1h }\n");
    CHECK_EQ_STR(g.log.p, "over;");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir,
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { alert info \"hot\" }\n"
             "}\n");
    CHECK_EQ_INT(automation_rule(g.a, 0, 0).state, RULE_IDLE); /* it was forgotten */
    CHECK_EQ_UINT(automation_rule(g.a, 0, 0).fired, 0);
    rig_fini(&g);
}

TEST(what_a_program_owned_is_made_safe_when_the_site_has_it_no_more)
{
    static const char guard[] = "program guard { own v: Valve = valve\n"
                                "  read t: °C = press.temp stale 1h\n"
                                "  when t > 80 °C { v.open() } }\n";
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, guard);
    temp(&g, "90");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, guard); /* a restart is not its end */
    CHECK_EQ_STR(g.log.p, "");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, "program other { read t: °C = press.temp stale 1h }\n");
    CHECK_EQ_STR(g.log.p, "close by guard line 0 because ;");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, "program other { own v: Valve = valve }\n"); /* once is enough */
    CHECK_EQ_STR(g.log.p, "");
    bus_rig_run(&g.base, 20);
    rig_fini(&g);
    rig_init(&g, dir, guard); /* another owner: the first one lets go */
    CHECK_EQ_STR(g.log.p, "close by other line 0 because ;");
    rig_fini(&g);
}

static void note_end(struct event_listener *l, const struct alert_event *e)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    if (!e->active)
        strbuf_addf(&g->log, "%.*s;", STR_FMT(e->key));
}

TEST(a_start_ends_the_alerts_of_stopped_programs_and_traps)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { alert info \"hot\" }\n"
             "}\n");
    g.events.alert = note_end;
    automation_start(g.a);
    CHECK_EQ_STR(g.log.p, "program/guard;guard/when#1!;");
    rig_fini(&g);
}

TEST(a_slope_of_an_earlier_run_starts_nothing)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program guard {\n"
             "  read t: °C = press.temp stale 100ms\n"
             "  when slope(t, 10s) > 1 K/min { alert info \"rising\" }\n"
             "  when slope(t, 10s) < 1000 K/min { alert info \"slow\" }\n"
             "}\n");
    struct device *press = registry_find(g.registry, STR("press"));
    for (int i = 0; i < 10; i++) {
        struct sample s = {.series = press->props[0].series,
                           .ts_ms = 1764000000000 + i * 1000,
                           .value = {.kind = VALUE_FLOAT, .f = i},
                           .quality = QUALITY_GOOD,
                           .replayed = true};
        bus_sample_publish(g.base.bus, &s);
    }
    automation_start(g.a);
    bus_rig_run(&g.base, 20);
    CHECK(strstr(g.log.p, "info") == NULL);
    CHECK_EQ_INT(bus_rig_publish(&g.base, "p", "{\"ts\":1764000010000,\"values\":{\"temp\":10}}"),
                 ERR_OK);
    CHECK_HAS_STR(g.log.p, "info: rising;");
    rig_fini(&g);
}
