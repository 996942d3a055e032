/* Bodies that wait: sleeps, channels, modes, events, messages; and what is left of them after a
 * restart or a reload. */
#include "automation/automation_rig_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* label, program, presses of the button (after so many ms each), what is decided. */
static const struct task_case {
    const char *label, *program;
    int presses[6]; /* 0 ends them */
    int then_ms;
    const char *want;
} cases[] = {
    {"a body sleeps and goes on",
     "program p { alert info \"a\"; sleep 50ms; alert info \"b\"; sleep 50ms; alert info \"c\" }\n",
     {0},
     80,
     "momentary info: a;momentary info: b;"},
    {"single: what comes meanwhile is skipped",
     "program p { var n = 0; on button.pressed { n = n + 1; alert info \"{n}\"; sleep 60ms } }\n",
     {10, 10, 10, 80},
     10,
     "momentary info: 1;momentary info: 2;"},
    {"restart: the old one ends",
     "program p { on button.pressed restart { alert info \"in\"; sleep 60ms; alert info \"out\" } "
     "}\n",
     {10, 40, 40},
     100,
     "momentary info: in;momentary info: in;momentary info: in;momentary info: out;"},
    {"queued: one after the other, so many at most",
     "program p { var n = 0; on button.pressed queued 2 { n = n + 1; alert info \"{n}\"; "
     "sleep 60ms } }\n",
     {5, 5, 5, 5, 5},
     300,
     "momentary info: 1;momentary info: 2;momentary info: 3;"},
    {"a channel between a rule and a task",
     "program p { let c = chan<int>(4); var n = 0; on button.pressed { n = n + 1; c.send(n) else "
     "drop }; "
     "spawn t(c) }\n"
     "task t(c: chan<int>) { loop { let x = c.recv(); alert info \"got {x}\"; sleep 30ms } }\n",
     {5, 5, 5},
     100,
     "momentary info: got 1;momentary info: got 2;momentary info: got 3;"},
    {"select: an event, or after a time",
     "program p { spawn t() }\n"
     "task t() { loop { select { button.pressed() => alert info \"pressed\"\n"
     "after 50ms => alert info \"nothing\" } } }\n",
     {70, 20},
     60,
     "momentary info: nothing;momentary info: pressed;momentary info: pressed;"
     "momentary info: nothing;"},
    {"a task that owns makes it safe at its end",
     "program p { own v: Valve = valve; spawn t(move v) }\n"
     "task t(own v: Valve) { v.open(); sleep 30ms }\n",
     {0},
     60,
     "open by p line 0 because ;close by p line 0 because ;"},
    {"a task that crashes makes it safe, and what it decided in that turn never happens",
     "program p { own v: Valve = valve; var zero = 0; spawn t(move v, zero) }\n"
     "task t(own v: Valve, z: int) { sleep 30ms; v.open(); alert info \"{1 / z}\" }\n",
     {0},
     60,
     "close by p line 0 because ;momentary warning: task: division by zero;"},
    {"a body asks whether there is a value",
     "program p { read t: °C = press.temp stale 1h; when stale t { alert critical \"silent\" }; "
     "every 50ms { if stale t { alert info \"nothing yet\" } else { alert info \"{t}\" } } }\n",
     {0},
     60,
     "momentary info: nothing yet;"},
    {"what is read through handles",
     "fn shown(ref v: Valve) -> str { return \"{v.position}\" }\n"
     "program p { own v: Valve = valve; every 50ms { alert info shown(v); v.open() } }\n",
     {0},
     60,
     "momentary info: no value;open by p line 9 because ;"},
    {"messages between programs are copies",
     "program a { var xs = [1]; on button.pressed { xs.push(2); publish \"xs\" xs; xs.push(3) } }\n"
     "program b { on \"xs\" as xs: list<int> { alert info \"{xs.len()}\"; xs.push(9) } }\n",
     {5, 5},
     20,
     "momentary info: 2;momentary info: 4;"},
    {"when changed",
     "program p { var target = 18; on button.pressed { target = target + 1 }; "
     "when changed target { alert info \"{target}\" } }\n",
     {5, 5},
     10,
     "momentary info: 19;momentary info: 20;"},
    {"until ends a body that still waits",
     "program p { read t: °C = press.temp stale 1h; var n = 0; on button.pressed { n = 1 - n }; "
     "when n == 1 { alert info \"in\"; sleep 60ms; alert info \"late\" } until n == 0 "
     "{ alert info \"out\" } }\n",
     {5, 20},
     100,
     "info: in;over;momentary info: out;"},
    {"statements of the start follow each other, also when they wait",
     "program p { var n = 0; n = 1; sleep 30ms; n = 2; alert info \"{n}\"; "
     "when n == 1 { alert info \"one\" } }\n",
     {0},
     50,
     "info: one;momentary info: 2;over;"},
    {"until drops what is queued, too",
     "program p { read t: °C = press.temp stale 1h; var n = 0; on button.pressed { n = n + 1 }; "
     "when n mod 2 == 1 queued 4 { alert info \"in\"; sleep 60ms; alert info \"late\" } "
     "until n == 4 { alert info \"out\" } }\n",
     {5, 5, 5, 5},
     150,
     "info: in;over;momentary info: out;"},
    {"a task that never waits lets others run, and is stopped in the end",
     "program p { var n = 0; spawn t(); every 20ms { n = n + 1; if n == 3 { alert info \"alive\" } "
     "} }\n"
     "task t() { loop { } }\n",
     {0},
     100,
     "momentary info: alive;"},
};

TEST(bodies_that_wait)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct task_case *c = &cases[i];
        char dir[600];
        struct rig g;
        LABEL("%s", c->label);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init(&g, dir, c->program);
        for (size_t k = 0; c->presses[k]; k++) {
            bus_rig_run(&g.base, c->presses[k]);
            press_button(&g);
        }
        bus_rig_run(&g.base, c->then_ms);
        CHECK_EQ_STR(g.log.p ? g.log.p : "", c->want);
        rig_fini(&g);
    }
}

static void in_zone(const char *zone);

TEST(at_runs_at_its_time_of_the_clock_and_a_missed_one_follows_its_policy)
{
    in_zone("UTC");
    time_t now = time(NULL);
    struct tm tm;
    struct rig g;
    char program[300];
    now += 2; /* the rig's clock is the wall clock and moves a millisecond a tick */
    REQUIRE(gmtime_r(&now, &tm));
    (void)snprintf(program, sizeof(program),
                   "program p { at %02d:%02d:%02d { alert info \"now\" } }\n", tm.tm_hour,
                   tm.tm_min, tm.tm_sec);
    rig_init(&g, test_tmpdir(), program);
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    bus_rig_run(&g.base, 2500);
    CHECK_EQ_STR(g.log.p, "momentary info: now;");
    bus_rig_run(&g.base, 2500);
    CHECK_EQ_STR(g.log.p, "momentary info: now;");
    rig_fini(&g);
}

/* Also of a rule that waited for its time. */
TEST(what_a_reading_sets_off_in_other_rules_and_in_tasks_has_it_as_its_cause)
{
    static const char *const conditions[] = {"t > 80 °C", "t > 80 °C for 20ms"};
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        struct rig g;
        char dir[600], program[700];
        LABEL("%s", conditions[i]);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        (void)snprintf(program, sizeof(program),
                       "program p { own v: Valve = valve; own d: Valve = drain; "
                       "let c = chan<int>(4)\n"
                       "  read t: °C = press.temp stale 1h; var n = 0; spawn stop(c, move d)\n"
                       "  when %s { n += 1; c.send(1) else drop }\n"
                       "  when n > 0 { v.open() } }\n"
                       "task stop(c: chan<int>, own d: Valve) { loop { let x = c.recv(); d.close() "
                       "} }\n",
                       conditions[i]);
        rig_init(&g, dir, program);
        temp(&g, "85");
        bus_rig_run(&g.base, 30);
        CHECK_EQ_STR(g.log.p, "open by p line 11 because press.temp;"
                              "close by p line 0 because press.temp;");
        rig_fini(&g);
    }
}

/* Each message wakes two more, so that there is no end of them. */
TEST(messages_without_end_leave_time_for_others)
{
    struct rig g;
    rig_init(
        &g, test_tmpdir(),
        "program a { let c = chan<int>(64); spawn say(c); on button.pressed { c.send(1) else "
        "drop }; on \"y\" as n: int { c.send(n + 1) else drop } }\n"
        "task say(c: chan<int>) { loop { let n = c.recv(); publish \"x\" n; publish \"x\" n "
        "} }\n"
        "program b { on \"x\" as n: int { publish \"y\" n } }\n"
        "program other { read t: °C = press.temp stale 1h; when t > 80 °C { alert info \"hot\" "
        "} }\n");
    press_button(&g);
    temp(&g, "85");
    bus_rig_run(&g.base, 20);
    CHECK_EQ_STR(g.log.p, "info: hot;");
    rig_fini(&g);
}

TEST(a_long_hold_time_goes_on_after_a_restart)
{
    const char *dir = test_tmpdir();
    static const char program[] =
        "program p { read t: °C = press.temp stale 1h\n"
        "  when t > 80 °C for 10min { alert info \"hot\" } until t < 60 °C for 10min { } }\n";
    struct rig g;
    rig_init(&g, dir, program);
    temp(&g, "85");
    bus_rig_run(&g.base, 400 * 1000);
    int64_t wall = rig_wall_ms(&g) + 60 * 1000;
    rig_fini(&g);
    rig_init_at(&g, dir, program, wall);
    bus_rig_run(&g.base, 1000); /* the temperature is not known yet */
    temp(&g, "86");
    bus_rig_run(&g.base, 130 * 1000);
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    bus_rig_run(&g.base, 20 * 1000);
    CHECK_EQ_STR(g.log.p, "info: hot;");
    wall = rig_wall_ms(&g) + 60 * 1000;
    rig_fini(&g);
    rig_init_at(&g, dir, program, wall);
    temp(&g, "86"); /* nothing new */
    bus_rig_run(&g.base, 700 * 1000);
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    rig_fini(&g);
}

TEST(what_held_before_a_restart_begins_anew_if_it_does_not_hold_then)
{
    const char *dir = test_tmpdir();
    static const char program[] = "program p { read t: °C = press.temp stale 1h\n"
                                  "  when t > 80 °C for 10min { alert info \"hot\" } }\n";
    struct rig g;
    rig_init(&g, dir, program);
    temp(&g, "85");
    bus_rig_run(&g.base, 590 * 1000);
    int64_t wall = rig_wall_ms(&g) + 60 * 1000;
    rig_fini(&g);
    rig_init_at(&g, dir, program, wall);
    temp(&g, "70");
    temp(&g, "85");
    bus_rig_run(&g.base, 590 * 1000);
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    bus_rig_run(&g.base, 20 * 1000);
    CHECK_EQ_STR(g.log.p, "info: hot;");
    rig_fini(&g);
}

/* ---- times of the clock ------------------------------------------------------------------------
 */

static void in_zone(const char *zone)
{
    REQUIRE(setenv("TZ", zone, 1) == 0);
    tzset();
}

static int64_t utc_ms(int year, int month, int day, int hour, int min)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = min};
    return (int64_t)timegm(&tm) * 1000;
}

TEST(a_time_that_was_missed)
{
    static const char program[] = "program p {\n"
                                  "  at 05:00 missed run { alert info \"run\" }\n"
                                  "  at 05:00 missed skip { alert info \"skip\" }\n"
                                  "  at 05:00 { alert info \"usual\" }\n"
                                  "}\n";
    static const struct {
        const char *label;
        int day, hour, min; /* when it starts again; it stopped on the 1st at 04:00 */
        const char *log;
    } rows[] = {
        {"not missed", 1, 4, 30, ""},
        {"missed", 1, 5, 30, "momentary info: run;"},
        {"missed for days, and run once", 4, 12, 0, "momentary info: run;"},
        {"the clock was set back", 1, 3, 59, ""},
    };
    in_zone("UTC");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        char dir[600];
        LABEL("%s", rows[i].label);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init_at(&g, dir, program, utc_ms(2026, 6, 1, 4, 0));
        bus_rig_run(&g.base, 100);
        rig_fini(&g);
        rig_init_at(&g, dir, program, utc_ms(2026, 6, rows[i].day, rows[i].hour, rows[i].min));
        bus_rig_run(&g.base, 100);
        CHECK_EQ_STR(g.log.p ? g.log.p : "", rows[i].log);
        int64_t wall = rig_wall_ms(&g);
        rig_fini(&g);
        rig_init_at(&g, dir, program, wall + 1000); /* it was made up for */
        CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
        rig_fini(&g);
    }
}

/* What holds from a time on holds at a start, too; and what is made up for is so in its order. */
TEST(the_last_time_that_came_is_what_holds)
{
    static const char program[] = "program p {\n"
                                  "  var night = false\n"
                                  "  at 22:00 missed last { night = true; alert info \"night\" }\n"
                                  "  at 07:00 missed last { night = false; alert info \"day\" }\n"
                                  "  at 12:00 missed run { alert info \"noon, {night}\" }\n"
                                  "  at 06:00 missed run { alert info \"six, {night}\" }\n"
                                  "}\n";
    static const struct {
        const char *label;
        int first_hour; /* of the 1st, when it starts for the first time; 0: then it is new */
        int day, hour;
        const char *log;
    } rows[] = {
        {"new at night", 0, 1, 23, "momentary info: night;"},
        {"new before dawn", 0, 1, 3, "momentary info: night;"},
        {"new by day", 0, 1, 9, "momentary info: day;"},
        {"again in the same night", 22, 1, 23, ""},
        {"again in the morning", 23, 2, 9, "momentary info: six, true;momentary info: day;"},
        {"again in the next night, a day was slept over", 4, 1, 23,
         "momentary info: six, true;momentary info: noon, true;momentary info: night;"},
        {"again after days", 4, 5, 13,
         "momentary info: six, true;momentary info: day;momentary info: noon, false;"},
    };
    in_zone("UTC");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        char dir[600];
        LABEL("%s", rows[i].label);
        (void)snprintf(dir, sizeof(dir), "%s/last%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        if (rows[i].first_hour) {
            rig_init_at(&g, dir, program, utc_ms(2026, 6, 1, rows[i].first_hour, 30));
            bus_rig_run(&g.base, 100);
            rig_fini(&g);
        }
        rig_init_at(&g, dir, program, utc_ms(2026, 6, rows[i].day, rows[i].hour, 45));
        bus_rig_run(&g.base, 100);
        CHECK_EQ_STR(g.log.p ? g.log.p : "", rows[i].log);
        rig_fini(&g);
    }
}

/* A board without a clock of its own wakes up in the past, and is told the time later. */
TEST(times_that_a_clock_jumps_over_come_in_their_order)
{
    static const char program[] = "program p {\n"
                                  "  at 07:00 missed last { alert info \"day\" }\n"
                                  "  at 22:00 missed last { alert info \"night\" }\n"
                                  "  at 23:00 { alert info \"late\" }\n"
                                  "}\n";
    struct rig g;
    in_zone("UTC");
    rig_init_at(&g, test_tmpdir(), program, utc_ms(2026, 6, 1, 20, 0));
    bus_rig_run(&g.base, 90 * 1000);
    CHECK_EQ_STR(g.log.p, "momentary info: day;");
    strbuf_reset(&g.log);
    g.base.clock.wall_base_ms += 12 * 3600 * 1000;
    bus_rig_run(&g.base, 90 * 1000);
    CHECK_EQ_STR(g.log.p, "momentary info: night;momentary info: late;momentary info: day;");
    strbuf_reset(&g.log);
    bus_rig_run(&g.base, 90 * 1000);
    CHECK_EQ_STR(g.log.p, "");
    rig_fini(&g);
}

TEST(times_when_the_clock_jumps)
{
    static const char program[] = "program p { at 02:30 { alert info \"{now()}\" } }\n";
    struct rig g;
    in_zone("Europe/Berlin");
    rig_init_at(&g, test_tmpdir(), program, utc_ms(2026, 3, 29, 0, 50));
    bus_rig_run(&g.base, 9 * 60 * 1000);
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    bus_rig_run(&g.base, 2 * 60 * 1000); /* 02:00 became 03:00 */
    CHECK_HAS_STR(g.log.p, "momentary info: ");
    strbuf_reset(&g.log);
    bus_rig_run(&g.base, 60 * 60 * 1000);
    CHECK_EQ_STR(g.log.p, "");
    rig_fini(&g);
    in_zone("UTC");
}

#define WAITING                                                                                    \
    "program p {\n"                                                                                \
    "  own v: Valve = valve\n"                                                                     \
    "  var kept: list<int> = []\n"                                                                 \
    "  spawn t(move v, kept)\n"                                                                    \
    "  on button.pressed { alert info \"{kept.len()}\" }\n"                                        \
    "}\n"
#define TASK(more)                                                                                 \
    "task t(own v: Valve, kept: list<int>) { v.open(); kept.push(1)" more                          \
    "; sleep 1h; kept.push(2); v.close() }\n"

TEST(a_task_and_its_data_go_on_after_a_restart_if_the_code_is_the_same)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, WAITING TASK(""));
    bus_rig_run(&g.base, 30);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;");
    rig_fini(&g);
    rig_init(&g, dir, WAITING TASK(""));
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "momentary info: 1;"); /* no second opening, no closing */
    bus_rig_run(&g.base, 3600 * 1000);
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "momentary info: 1;close by p line 0 because ;"
                          "close by p line 0 because ;momentary info: 2;");
    rig_fini(&g);
}

TEST(a_task_of_changed_code_ends_safely_and_begins_anew)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, WAITING TASK(""));
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
    rig_init(&g, dir, WAITING TASK("; kept.push(7)"));
    bus_rig_run(&g.base, 30);
    press_button(&g);
    CHECK_EQ_STR(g.log.p,
                 "close by p line 0 because ;open by p line 0 because ;momentary info: 3;");
    rig_fini(&g);
}

TEST(a_reload_does_not_disturb_a_task_of_an_equal_program)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), "program o { every 1h { alert info \"1\" } }\n" WAITING TASK(""));
    bus_rig_run(&g.base, 30);
    REQUIRE(rig_replace(&g, "program o { every 1h { alert info \"2\" } }\n" WAITING TASK(""),
                        NULL) == ERR_OK);
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;momentary info: 1;");
    REQUIRE(rig_replace(
                &g, "program o { every 1h { alert info \"3\" } }\n" WAITING TASK("; kept.push(7)"),
                NULL) == ERR_OK);
    bus_rig_run(&g.base, 30);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;momentary info: 1;"
                          "close by p line 0 because ;open by p line 0 because ;");
    rig_fini(&g);
}

TEST(a_long_text_is_kept_over_a_restart)
{
    const char *dir = test_tmpdir();
    static const char program[] =
        "program p { var s = \"0123456789\"; read t: °C = press.temp stale 1h\n"
        "  on button.pressed { s = \"{s}{s}\" }\n"
        "  when t > 80 °C { alert info \"{s.len()}\" } }\n";
    struct rig g;
    rig_init(&g, dir, program);
    for (int i = 0; i < 6; i++)
        press_button(&g);
    bus_rig_run(&g.base, 2000);
    rig_fini(&g);
    rig_init(&g, dir, program);
    temp(&g, "85");
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "info: 640;");
    rig_fini(&g);
}

/* A valve that is open and in nobody's hands but the channel's. */
#define WAY(seconds)                                                                               \
    "program p { own v: Valve = valve; let c = chan<own Valve>(1); spawn t(move v, c)\n"           \
    "  on button.pressed { alert info \"{c.len()}\"; c.close() } }\n"                              \
    "task t(own v: Valve, c: chan<own Valve>) { sleep " seconds "; v.open(); c.send(move v) }\n"

TEST(a_handle_in_a_channel_stays_there_over_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, WAY("10ms"));
    bus_rig_run(&g.base, 30);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;");
    rig_fini(&g);
    rig_init(&g, dir, WAY("10ms"));
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "momentary info: 1;");
    rig_fini(&g);
}

TEST(a_handle_in_a_channel_becomes_safe_when_its_program_is_replaced)
{
    struct rig g;
    rig_init(&g, test_tmpdir(), WAY("10ms"));
    bus_rig_run(&g.base, 30);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;");
    REQUIRE(rig_replace(&g, WAY("1h"), NULL) == ERR_OK);
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "open by p line 0 because ;close by p line 0 because ;"
                          "momentary info: 0;");
    rig_fini(&g);
}

TEST(a_handle_in_a_channel_becomes_safe_when_the_code_is_another_after_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    rig_init(&g, dir, WAY("10ms"));
    bus_rig_run(&g.base, 30);
    rig_fini(&g);
    rig_init(&g, dir, WAY("1h"));
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "close by p line 0 because ;momentary info: 0;");
    rig_fini(&g);
}

TEST(a_program_that_fails_makes_safe_once_what_its_task_had)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program p { own v: Valve = valve; own d: Valve = drain; spawn t(move v)\n"
             "  read heat: °C = press.temp stale 1h\n"
             "  var n = 0; when heat > 80 °C { while true { n = n + 1 } } }\n"
             "task t(own v: Valve) { v.open(); sleep 1h }\n");
    for (int i = 0; i < 3; i++) { /* the third budget in a row */
        temp(&g, "85");
        temp(&g, "20");
    }
    CHECK_EQ_INT(automation_program(g.a, 0).state, PROGRAM_FAILED);
    const char *first = strstr(g.log.p, "close by p");
    REQUIRE(first);
    const char *second = strstr(first + 1, "close by p"); /* of the drain */
    REQUIRE(second);
    CHECK(!strstr(second + 1, "close by p"));
    rig_fini(&g);
}
