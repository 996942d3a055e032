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

TEST(at_runs_at_its_time_of_the_clock_and_a_missed_one_follows_its_policy)
{
    REQUIRE(setenv("TZ", "UTC", 1) == 0);
    tzset();
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
