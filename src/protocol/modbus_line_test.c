#include "protocol/modbus_rig_test.h"

/* Units and lines that fail. */

static const struct modbus_point one[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_U16}}}};

static void add(struct rig *g, size_t device, uint8_t unit)
{
    struct modbus_device d = rig_base(g, device, unit);
    d.points = one;
    d.point_count = 1;
    rig_add(g, &d);
}

static void three_units(struct rig *g)
{
    add(g, 0, 1);
    add(g, 1, 2);
    add(g, 2, 3);
    rig_start(g);
}

static void dead_unit(struct rig *g)
{
    g->slave.units[1].silent = true;
    three_units(g);
    WAIT_FOR(g->link[1].told);
    CHECK(!g->link[1].online);
    CHECK_EQ_STR(g->link[1].why, "unit 2 does not answer");
    size_t first = g->noted[0][0].samples, before = g->slave.requests;
    rig_sleep(60000);
    /* The others lose nothing: each its sixty reads; the dead one costs five time-outs or so. */
    CHECK_EQ_UINT(g->noted[0][0].samples - first, 60);
    size_t probes = g->slave.requests - before - 120;
    CHECK(probes >= 4 && probes <= 8);
    CHECK(g->link[0].online && g->link[2].online);
    CHECK_EQ_UINT(g->slave.connections, 1);
    g->slave.units[1].silent = false;
    WAIT_FOR(g->link[1].online);
    CHECK_EQ_UINT(g->noted[1][0].samples, 1);
    size_t now = g->noted[1][0].samples;
    rig_sleep(5000);
    CHECK_EQ_UINT(g->noted[1][0].samples - now, 5);
}

TEST(modbus_a_dead_unit_does_not_slow_the_others)
{
    rig_run("\1\2\3", false, dead_unit);
    LABEL("RTU over TCP");
    rig_run("\1\2\3", true, dead_unit);
}

static void behind_gateway(struct rig *g)
{
    g->slave.units[1].exception = MODBUS_GATEWAY_TARGET;
    three_units(g);
    WAIT_FOR(g->link[1].told);
    CHECK_EQ_STR(g->link[1].why, "unit 2: gateway target does not answer");
    CHECK_EQ_INT(rig_see(g).units[1].phase, MODBUS_UNIT_SILENT);
    CHECK_EQ_STR(g->noted[1][0].why, "");
}

TEST(modbus_a_gateway_without_its_unit_is_as_a_silent_one)
{
    rig_run("\1\2\3", false, behind_gateway);
}

static void cut(struct rig *g)
{
    three_units(g);
    WAIT_FOR(g->noted[2][0].samples == 1);
    rig_sleep(20000);
    slave_cut(&g->slave);
    size_t before = g->noted[2][0].samples;
    rig_sleep(3000);
    CHECK_EQ_UINT(g->slave.connections, 2);
    CHECK_EQ_UINT(g->noted[2][0].samples - before, 3);
    CHECK_EQ_UINT(g->link[0].times, 1); /* it was back at once: nobody was told */
}

TEST(modbus_a_cut_connection_is_made_again_at_once)
{
    rig_run("\1\2\3", false, cut);
}

static void named(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.link.host = STR("127.1"); /* the look-up knows it, without asking anybody; we do not */
    d.points = one;
    d.point_count = 1;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    rig_sleep(20000);
    slave_cut(&g->slave);
    WAIT_FOR(g->slave.connections == 2);
    rig_sleep(20000);
    slave_gone(&g->slave);
    WAIT_FOR(!g->link[0].online);
    slave_listen(&g->slave);
    WAIT_FOR(g->link[0].online);
}

TEST(modbus_a_name_is_looked_up)
{
    rig_run("\1", false, named);
}

static void no_such_device(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.link =
        (struct modbus_link){.carrier = MODBUS_RTU, .serial = {.path = STR("/dev/no-such-line")}};
    d.points = one;
    d.point_count = 1;
    rig_add(g, &d);
    add(g, 1, 2); /* on another line, which does not mind */
    rig_start(g);
    WAIT_FOR(g->link[0].told);
    CHECK_EQ_STR(g->link[0].why, "there is no /dev/no-such-line");
    WAIT_FOR(g->noted[1][0].samples == 3);
}

TEST(modbus_a_device_that_is_not_there)
{
    rig_run("\1\2", false, no_such_device);
}

static void cut_beside_silent(struct rig *g)
{
    g->slave.units[1].silent = true;
    three_units(g);
    rig_sleep(120000);
    WAIT_FOR(rig_see(g).units[1].retry_in_ms > 20000); /* it is asked every minute or so by now */
    g->slave.units[1].silent = false;
    slave_cut(&g->slave);
    rig_sleep(1000); /* who was switched off and on is not left waiting */
    CHECK(g->link[1].online);
}

TEST(modbus_a_new_connection_asks_silent_units_at_once)
{
    rig_run("\1\2\3", false, cut_beside_silent);
}

static void server_gone(struct rig *g)
{
    three_units(g);
    WAIT_FOR(g->noted[2][0].samples == 1);
    rig_sleep(20000);
    slave_gone(&g->slave);
    WAIT_FOR(!g->link[0].online);
    CHECK_HAS_STR(g->link[2].why, "no connection to 127.0.0.1:1502: Connection refused");
    struct seen s = rig_see(g);
    CHECK_EQ_INT(s.line.phase, MODBUS_LINE_WAITS);
    CHECK_EQ_STR(s.link, "tcp://127.0.0.1:1502");
    CHECK_HAS_STR(s.problem, "refused");
    rig_sleep(30000);
    CHECK_EQ_UINT(g->link[0].times, 2); /* once, not at every attempt */
    slave_listen(&g->slave);
    WAIT_FOR(g->link[0].online && g->link[1].online && g->link[2].online);
    CHECK_EQ_INT(rig_see(g).line.phase, MODBUS_LINE_UP);
    CHECK_EQ_UINT(rig_see(g).line.connects, 2);
}

TEST(modbus_a_server_that_goes_and_comes_back)
{
    rig_run("\1\2\3", false, server_gone);
}

static void never_there(struct rig *g)
{
    slave_gone(&g->slave);
    three_units(g);
    WAIT_FOR(g->link[0].told);
    CHECK(!g->link[0].online);
    CHECK_EQ_INT(rig_command(g, 0, 2, NULL, "x"), ERR_AGAIN);
}

TEST(modbus_a_server_that_was_never_there)
{
    rig_run("\1", false, never_there);
}

static void half_open(struct rig *g)
{
    three_units(g);
    WAIT_FOR(g->noted[2][0].samples == 1);
    rig_sleep(20000);
    net_sim_cut(g->env, NET_SIM_SILENT); /* nothing arrives, and nobody is told */
    WAIT_FOR(g->slave.connections == 2);
    size_t before = g->noted[0][0].samples;
    rig_sleep(3000);
    CHECK(g->noted[0][0].samples - before >= 3);
}

TEST(modbus_a_connection_that_fell_silent_is_given_up)
{
    rig_run("\1\2\3", false, half_open);
}

/* Two reads that look alike: an answer to the one must never be taken for one to the other. */
static const struct modbus_point alike[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_U16}}},
    {1, {.table = MODBUS_HOLDING, .address = 100, .form = {.type = MODBUS_U16}}}};

static void late(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = alike;
    d.point_count = ARRAY_LEN(alike);
    g->slave.units[0].words[0] = 1;
    g->slave.units[0].words[100] = 2;
    g->slave.delay_ms = 130; /* the time-out is 100 */
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(rig_see(g).line.counts.strays >= 3);
    CHECK_EQ_UINT(g->noted[0][0].samples + g->noted[0][1].samples, 0);
    for (int i = 0; i < 50; i++) {
        g->slave.delay_ms = i % 3 ? 10 : 130;
        rig_sleep(500);
        CHECK(g->noted[0][0].samples == 0 || g->noted[0][0].last.f == 1);
        CHECK(g->noted[0][1].samples == 0 || g->noted[0][1].last.f == 2);
    }
    g->slave.delay_ms = 10;
    WAIT_FOR(g->link[0].online && g->noted[0][0].samples > 0 && g->noted[0][1].samples > 0);
}

TEST(modbus_answers_that_come_too_late_are_dropped)
{
    rig_run("\1", false, late);
    LABEL("RTU over TCP");
    rig_run("\1", true, late);
}

static void twice(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = alike;
    d.point_count = ARRAY_LEN(alike);
    d.link.pause_ms = 20; /* on a real line the silence between two frames does the same */
    g->slave.twice = true;
    rig_add(g, &d);
    rig_start(g);
    for (uint16_t i = 0; i < 5; i++) {
        size_t before = g->noted[0][0].samples;
        g->slave.units[0].words[0] = i;
        g->slave.units[0].words[100] = (uint16_t)(100 + i);
        WAIT_FOR(g->noted[0][0].samples > before && g->noted[0][1].samples > before);
        CHECK_EQ_DBL(g->noted[0][0].last.f, i, 0); /* of now, not of a second ago */
        CHECK_EQ_DBL(g->noted[0][1].last.f, 100 + i, 0);
    }
    CHECK(rig_see(g).line.counts.strays >= 8);
}

TEST(modbus_an_answer_that_comes_twice_is_not_the_next_one)
{
    rig_run("\1", true, twice);
    rig_run("\1", false, twice);
}

static void damaged(struct rig *g)
{
    g->slave.units[0].damaged = 2;
    add(g, 0, 1);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    CHECK_EQ_UINT(rig_see(g).units[0].counts.broken, 2);
    CHECK_EQ_UINT(rig_see(g).units[0].counts.timeouts, 0);
    CHECK_EQ_UINT(g->slave.requests, 3);
    g->slave.units[0].damaged = 1000;
    WAIT_FOR(!g->link[0].online);
    g->slave.units[0].damaged = 0;
    WAIT_FOR(g->link[0].online);
    CHECK_EQ_UINT(g->slave.connections, 1); /* noise is no reason to connect again */
}

TEST(modbus_damaged_answers_are_asked_for_again)
{
    rig_run("\1", true, damaged);
    LABEL("TCP, an answer to something else");
    rig_run("\1", false, damaged);
}

static void in_pieces(struct rig *g)
{
    g->slave.noise = g->slave.rtu;
    g->slave.by_bytes = true;
    add(g, 0, 1);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 3);
    CHECK_EQ_UINT(rig_see(g).line.counts.broken + rig_see(g).line.counts.timeouts, 0);
}

TEST(modbus_answers_in_pieces_and_behind_noise)
{
    rig_run("\1", true, in_pieces);
    rig_run("\1", false, in_pieces);
}

static void no_modbus(struct rig *g)
{
    add(g, 0, 1);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    struct slave_conn *c = CONTAINER_OF(g->slave.conns.next, struct slave_conn, link);
    REQUIRE(stream_write(c->s, "HTTP/1.1 400", 12) == ERR_OK);
    WAIT_FOR(!g->link[0].online);
    CHECK_EQ_STR(g->link[0].why, "what comes is not Modbus TCP");
    WAIT_FOR(g->link[0].online);
    CHECK_EQ_UINT(g->slave.connections, 2);
}

TEST(modbus_who_speaks_something_else_is_left)
{
    rig_run("\1", false, no_modbus);
}

static void pipelined(struct rig *g)
{
    struct modbus_device d;
    for (size_t i = 0; i < 3; i++) {
        d = rig_base(g, i, (uint8_t)(i + 1));
        d.points = one;
        d.point_count = 1;
        d.link.in_flight = 3;
        rig_add(g, &d);
    }
    g->slave.units[0].silent = true;
    rig_start(g);
    WAIT_FOR(g->noted[2][0].samples == 1);
    CHECK(g->slave.log_ms[2] - g->slave.log_ms[0] < 50); /* none waits for the first's time-out */
    CHECK_EQ_UINT(rig_see(g).units[0].counts.timeouts, 0);
}

TEST(modbus_several_requests_in_flight)
{
    rig_run("\1\2\3", false, pipelined);
}

static void overloaded(struct rig *g)
{
    g->slave.delay_ms = 60;
    for (size_t i = 0; i < 4; i++) {
        struct modbus_device d = rig_base(g, i, (uint8_t)(i + 1));
        d.points = one;
        d.point_count = 1;
        d.every_ms = 100;
        rig_add(g, &d);
    }
    g->slave.units[3].silent = true;
    rig_start(g);
    rig_sleep(60000);
    /* Fairly, and the silent one has been asked now and then all the same. */
    for (size_t i = 1; i < 3; i++)
        CHECK_EQ_DBL((double)g->noted[i][0].samples, (double)g->noted[0][0].samples, 2);
    CHECK(g->noted[0][0].samples > 250);
    CHECK(rig_see(g).line.counts.late > 100);
    CHECK(rig_see(g).units[3].counts.requests >= 6);
}

TEST(modbus_a_line_that_can_not_keep_up_is_fair)
{
    rig_run("\1\2\3\4", false, overloaded);
}
