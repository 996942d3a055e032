/* Several workers: programs beside each other, each one's turns behind each other. Under the thread
 * sanitizer, too. How far they come in a millisecond is chance, so that each test runs until its
 * last alert. */
#include "automation/automation_rig_test.h"

enum { WORKERS = 4, PROGRAMS = 40, ROUNDS = 50, PATIENCE_MS = 3600 * 1000 };

/* Each counts what the driver says, in order, and answers; the driver says the next when all have
 * answered. Each works a little on data of its own, so that there is something to do beside. */
static void program_text(struct strbuf *s)
{
    strbuf_addf(s,
                "program driver {\n"
                "  var answers = 0\n"
                "  var lap = 0\n"
                "  let next = chan<int>(4)\n"
                "  spawn say(next)\n"
                "  on button.pressed { next.send(1) else drop }\n"
                "  on \"back\" as n: int {\n"
                "    if n != lap + 1 { alert critical \"{n} in lap {lap}\" }\n"
                "    answers = answers + 1\n"
                "    if answers == %d { answers = 0; lap = lap + 1\n"
                "      if lap < %d { next.send(lap + 1) else drop } else { alert info \"all\" } }\n"
                "  }\n"
                "}\n"
                "task say(next: chan<int>) { loop { let n = next.recv(); publish \"go\" n } }\n",
                PROGRAMS, ROUNDS);
    for (int i = 0; i < PROGRAMS; i++)
        strbuf_addf(s,
                    "program p%d {\n"
                    "  var xs: list<int> = []\n"
                    "  on \"go\" as n: int {\n"
                    "    if xs.len() + 1 != n { alert critical \"p%d: {n} behind {xs.len()}\" }\n"
                    "    xs.push(n)\n"
                    "    var sum = 0\n"
                    "    for x in xs { sum += x }\n"
                    "    if sum != n * (n + 1) / 2 { alert critical \"p%d: {sum}\" }\n"
                    "    publish \"back\" n\n"
                    "  }\n"
                    "}\n",
                    i, i, i);
}

TEST(messages_between_many_programs_arrive_once_and_in_order)
{
    struct rig g;
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    program_text(&text);
    rig_init_as(&g, test_tmpdir(), text.p, WORKERS, 0);
    press_button(&g);
    rig_run_until(&g, "all;", PATIENCE_MS);
    CHECK_EQ_STR(g.log.p, "momentary info: all;");
    rig_fini(&g);
    strbuf_fini(&text);
}

TEST(leases_between_programs_on_several_workers)
{
    struct rig g;
    rig_init_as(&g, test_tmpdir(),
                "program keeper { own v: Valve = valve; lend v to a, b; "
                "idle v { alert info \"idle\" } }\n"
                "program a { var n = 0; loop { lease v = keeper.v for 10s wait 10s { v.open(); "
                "n += 1; v.close(); if n == 30 { alert info \"a\" } } revoked { } } }\n"
                "program b { var n = 0; loop { lease v = keeper.v for 10s wait 10s { v.open(); "
                "sleep 1ms; n += 1; v.close(); if n == 30 { alert info \"all\" } } "
                "revoked { } } }\n",
                WORKERS, 0);
    rig_run_until(&g, "momentary info: all;", PATIENCE_MS);
    CHECK_HAS_STR(g.log.p, "momentary info: all;");
    rig_fini(&g);
}

/* The executor stops, and all is freed, while programs are in the middle of something. */
TEST(a_stop_in_the_middle)
{
    static const char busy[] =
        "program p { let c = chan<int>(4); spawn say(c)\n"
        "  on button.pressed { c.send(1) else drop }\n"
        "  on \"y\" as n: int { c.send(n + 1) else drop; if n == 500 { alert info \"500\" } } }\n"
        "task say(c: chan<int>) { loop { let n = c.recv(); publish \"x\" n } }\n"
        "program q { on \"x\" as n: int { publish \"y\" n } }\n"
        "program r { on \"x\" as n: int { var k = 0; while k < 2000 { k += 1 } } }\n"
        "program s { spawn t() }\n"
        "task t() { loop { } }\n";
    struct rig g;
    rig_init_as(&g, test_tmpdir(), busy, WORKERS, 0);
    press_button(&g);
    rig_run_until(&g, "momentary info: 500;", PATIENCE_MS);
    CHECK_HAS_STR(g.log.p, "momentary info: 500;");
    rig_fini(&g);
}

/* ---- reload while they work -------------------------------------------------------------------
 */

#define COUNTERS                                                                                   \
    "program a { let c = chan<int>(4); spawn say(c)\n"                                             \
    "  on button.pressed { c.send(1) else drop }\n"                                                \
    "  on \"y\" as n: int { c.send(n + 1) else drop; if n == 300 { alert info \"300\" }\n"         \
    "    if n == 900 { alert info \"900\" } } }\n"                                                 \
    "task say(c: chan<int>) { loop { let n = c.recv(); publish \"x\" n } }\n"                      \
    "program b { var last = 0; on \"x\" as n: int { "                                              \
    "if n != last + 1 { alert critical \"{n} behind {last}\" }; last = n; publish \"y\" n } }\n"
#define SPIN(ms)                                                                                   \
    "program c { var n = 0; every " ms " { var k = 0; while k < 3000 { k += 1 }; n += 1 } }\n"

static struct rig *reloading;
static bool reloaded;

static void at_rest(void *ctx)
{
    struct rig *g = ctx;
    reloaded = rig_replace(g, COUNTERS SPIN("3ms"), NULL) == ERR_OK;
    automation_resume(g->a);
}

static void on_300(struct event_listener *l, const struct alert_event *e)
{
    on_alert(l, e);
    if (!str_eq(e->text, STR("300")))
        return;
    if (automation_pause(reloading->a, at_rest, reloading))
        at_rest(reloading);
}

TEST(a_reload_waits_for_rest_and_loses_no_message)
{
    struct rig g;
    rig_init_as(&g, test_tmpdir(), COUNTERS SPIN("2ms"), WORKERS, 0);
    reloading = &g;
    reloaded = false;
    g.events.alert = on_300;
    press_button(&g);
    rig_run_until(&g, "momentary info: 900;", PATIENCE_MS);
    CHECK(reloaded);
    CHECK_EQ_STR(g.log.p, "momentary info: 300;momentary info: 900;");
    rig_fini(&g);
}
