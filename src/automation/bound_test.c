/* Every queue has a bound, and what happens there is decided. */
#include "automation/automation_rig_test.h"

static size_t count(const struct rig *g, const char *what)
{
    size_t n = 0;
    for (const char *at = g->log.p; at && (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

TEST(a_turn_has_so_many_effects)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program p { own v: Valve = valve; read t: °C = press.temp stale 1h\n"
             "  when t > 80 °C { for i in 0..100 { alert info \"{i}\" } }\n"
             "  when t > 90 °C { for i in 0..100 { v.open() } }\n"
             "  when t > 100 °C { v.close() }\n"
             "}\n");
    temp(&g, "85");
    CHECK_EQ_UINT(count(&g, "info: "), 64);
    CHECK_HAS_STR(g.log.p, "info: 63;");
    strbuf_reset(&g.log);
    temp(&g, "95"); /* commands are not lost but fail the turn */
    CHECK_EQ_UINT(count(&g, "open by p"), 0);
    CHECK_EQ_UINT(count(&g, "warning: when t > 90 °C: "), 1);
    temp(&g, "105");
    CHECK_HAS_STR(g.log.p, "close by p");
    rig_fini(&g);
}

static void never(void *ctx)
{
    (void)ctx;
}

TEST(so_many_events_wait_for_a_program)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program p { var n = 0; on button.pressed { n += 1; if n > 4000 { alert info \"{n}\" "
             "} }\n every 1s { alert info \"every\" } }\n");
    REQUIRE(automation_pause(g.a, never, NULL));
    for (int i = 0; i < 5000; i++)
        press_button(&g);
    bus_rig_run(&g.base, 1100); /* what tells of time is not dropped */
    CHECK_EQ_STR(g.log.p ? g.log.p : "", "");
    automation_resume(g.a);
    bus_rig_run(&g.base, 100);
    CHECK_HAS_STR(g.log.p, "info: 4096;");
    CHECK_EQ_UINT(count(&g, "info: 4097;"), 0);
    CHECK_EQ_UINT(count(&g, "info: every;"), 1);
    strbuf_reset(&g.log);
    press_button(&g);
    CHECK_EQ_STR(g.log.p, "momentary info: 4097;");
    rig_fini(&g);
}

TEST(so_many_tasks_of_a_program)
{
    struct rig g;
    rig_init(&g, test_tmpdir(),
             "program p { on button.pressed { for i in 0..300 { spawn t() } } }\n"
             "task t() { alert info \"t\"; sleep 1h }\n");
    press_button(&g); /* none of a turn that fails */
    CHECK_EQ_UINT(count(&g, "info: t;"), 0);
    CHECK_EQ_UINT(count(&g, "too many tasks"), 1);
    rig_fini(&g);
}
