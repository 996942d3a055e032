#include "protocol/modbus_rig_test.h"

/* Reading: the plan, values, refusals. */

#define AT(t, a, ty)                                                                               \
    {                                                                                              \
        .table = (t), .address = (a), .form = {.type = (ty) }                                      \
    }

static void read_all(struct rig *g)
{
    struct slave_unit *u = &g->slave.units[0];
    const struct modbus_point points[] = {
        {0, AT(MODBUS_INPUT, 10, MODBUS_I16)},  {1, AT(MODBUS_INPUT, 11, MODBUS_U32)},
        {2, AT(MODBUS_HOLDING, 0, MODBUS_F32)}, {5, AT(MODBUS_INPUT, 20, MODBUS_U16)},
        {6, AT(MODBUS_COIL, 3, MODBUS_BIT)},
    };
    struct modbus_device d = rig_base(g, 0, 3);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    u->words[10] = 0xFFFE;
    u->words[11] = 1;
    u->words[12] = 2;
    u->words[0] = 0x42C8;
    u->words[20] = 7;
    u->bits[3] = 1;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][6].samples > 0 && g->noted[0][5].samples > 0 &&
             g->noted[0][2].samples > 0);
    CHECK_EQ_DBL(g->noted[0][0].last.f, -2, 0);
    CHECK_EQ_DBL(g->noted[0][1].last.f, 65538, 0);
    CHECK_EQ_DBL(g->noted[0][2].last.f, 100, 0);
    CHECK(g->noted[0][5].last.kind == VALUE_INT && g->noted[0][5].last.i == 7);
    CHECK(g->noted[0][6].last.kind == VALUE_BOOL && g->noted[0][6].last.b);
    CHECK_EQ_UINT(g->slave.requests, 3); /* one for each table */
    CHECK(g->link[0].online && g->link[0].times == 1);
}

TEST(modbus_reads_points_of_every_table_together)
{
    rig_run("\3", false, read_all);
    LABEL("RTU over TCP");
    rig_run("\3", true, read_all);
}

static void every_second(struct rig *g)
{
    const struct modbus_point points[] = {{0, AT(MODBUS_HOLDING, 1, MODBUS_U16)}};
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = 1;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    rig_sleep(10500);
    CHECK_EQ_UINT(g->noted[0][0].samples, 11);
    for (size_t i = 1; i < g->slave.requests; i++) /* in step, whatever the network's delay */
        CHECK_EQ_INT((g->slave.log_ms[i] - g->slave.log_ms[0] + 20) / 1000, (int64_t)i);
}

TEST(modbus_asks_in_step)
{
    rig_run("\1", false, every_second);
}

static void gaps(struct rig *g)
{
    const struct modbus_point points[] = {
        {0, AT(MODBUS_HOLDING, 0, MODBUS_U16)},
        {1, AT(MODBUS_HOLDING, 17, MODBUS_U16)}, /* a gap of 16 */
        {2, AT(MODBUS_HOLDING, 35, MODBUS_U16)}, /* 17: another block */
        {3, AT(MODBUS_HOLDING, 50, MODBUS_F64)},
        {4, AT(MODBUS_HOLDING, 52, MODBUS_U16)}, /* inside the one before */
    };
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][4].samples == 1);
    CHECK_EQ_UINT(g->slave.requests, 2);
    CHECK(g->slave.log[0].address == 0 && g->slave.log[0].count == 18);
    CHECK(g->slave.log[1].address == 35 && g->slave.log[1].count == 19);
}

TEST(modbus_blocks_end_at_gaps)
{
    rig_run("\1", false, gaps);
}

static void limits(struct rig *g)
{
    struct modbus_point points[125];
    struct modbus_device d = rig_base(g, 0, 1);
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        points[i] = (struct modbus_point){0, AT(MODBUS_HOLDING, (uint16_t)(2 * i), MODBUS_U32)};
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 125);
    CHECK_EQ_UINT(g->slave.requests, 3); /* 62 points of two registers each in the first two */
    CHECK_EQ_INT(g->slave.log[0].count, 124);
    CHECK_EQ_INT(g->slave.log[1].count, 124);
    CHECK_EQ_INT(g->slave.log[2].count, 2);
}

TEST(modbus_blocks_have_at_most_125_registers)
{
    rig_run("\1", false, limits);
}

static void smaller_blocks(struct rig *g)
{
    const struct modbus_point points[] = {
        {0, AT(MODBUS_HOLDING, 0, MODBUS_U32)},
        {1, AT(MODBUS_HOLDING, 2, MODBUS_U32)},
        {2, AT(MODBUS_HOLDING, 4, MODBUS_U32)},
    };
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    d.block_max = 4;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][2].samples == 1);
    CHECK_EQ_UINT(g->slave.requests, 2);
}

TEST(modbus_a_unit_may_want_smaller_blocks)
{
    rig_run("\1", false, smaller_blocks);
}

/* --- refusals --- */

static void bad_address(struct rig *g)
{
    const struct modbus_point points[] = {
        {0, AT(MODBUS_HOLDING, 0, MODBUS_U16)}, {1, AT(MODBUS_HOLDING, 1, MODBUS_U16)},
        {2, AT(MODBUS_HOLDING, 2, MODBUS_U32)}, {3, AT(MODBUS_HOLDING, 4, MODBUS_U16)},
        {4, AT(MODBUS_HOLDING, 5, MODBUS_U16)},
    };
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    g->slave.units[0].bad_from = 3;
    g->slave.units[0].bad_to = 4;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][2].why[0]);
    rig_sleep(100);
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        LABEL("point %zu", i);
        CHECK_EQ_UINT(g->noted[0][i].samples, i == 2 ? 0 : 1);
    }
    CHECK_EQ_STR(g->noted[0][2].why, "unit 1, holding 2: illegal data address");
    CHECK(g->link[0].online);
    CHECK_EQ_UINT(rig_see(g).units[0].refused, 1);
    size_t before = g->slave.requests;
    rig_sleep(3000); /* the others go on, it does not */
    CHECK_EQ_UINT(g->noted[0][4].samples, 4);
    CHECK_EQ_UINT(g->slave.requests - before, 3 * (rig_see(g).units[0].blocks - 1));
    g->slave.units[0].bad_to = 0; /* somebody has mended it */
    WAIT_FOR(g->noted[0][2].samples > 0);
    CHECK_EQ_STR(g->noted[0][2].why, "");
    CHECK_EQ_UINT(rig_see(g).units[0].refused, 0);
}

TEST(modbus_the_address_that_is_refused_is_found)
{
    rig_run("\1", false, bad_address);
}

static void bad_gap(struct rig *g)
{
    const struct modbus_point points[] = {
        {0, AT(MODBUS_HOLDING, 0, MODBUS_U16)},
        {1, AT(MODBUS_HOLDING, 1, MODBUS_U16)},
        {2, AT(MODBUS_HOLDING, 9, MODBUS_U16)},
        {3, AT(MODBUS_HOLDING, 10, MODBUS_U16)},
    };
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    g->slave.units[0].bad_from = 5;
    g->slave.units[0].bad_to = 6;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][3].samples == 1 && g->noted[0][0].samples == 1);
    CHECK_EQ_UINT(g->slave.requests, 3); /* the whole, then what is before and behind the gap */
    CHECK_EQ_UINT(rig_see(g).units[0].refused, 0);
}

TEST(modbus_a_gap_that_is_refused_is_left_out)
{
    rig_run("\1", false, bad_gap);
}

static void too_many(struct rig *g)
{
    struct modbus_point points[64];
    struct modbus_device d = rig_base(g, 0, 1);
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        points[i] =
            (struct modbus_point){(uint32_t)(i % 5), AT(MODBUS_HOLDING, (uint16_t)i, MODBUS_U16)};
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    g->slave.units[0].count_max = 20;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples + g->noted[0][1].samples + g->noted[0][2].samples +
                 g->noted[0][3].samples + g->noted[0][4].samples ==
             64);
    CHECK_EQ_UINT(rig_see(g).units[0].blocks, 4);
}

TEST(modbus_a_unit_that_refuses_large_reads_gets_smaller_ones)
{
    rig_run("\1", false, too_many);
}

static void no_function(struct rig *g)
{
    const struct modbus_point points[] = {{0, AT(MODBUS_INPUT, 0, MODBUS_U16)},
                                          {1, AT(MODBUS_INPUT, 1, MODBUS_U16)}};
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    g->slave.units[0].exception = MODBUS_ILLEGAL_FUNCTION;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][1].why[0]);
    CHECK_EQ_STR(g->noted[0][0].why, "unit 1, input 0: illegal function");
    rig_sleep(50000);
    CHECK_EQ_UINT(g->slave.requests, 1); /* it is not cut into pieces, nor asked every second */
}

TEST(modbus_a_function_that_a_unit_has_not)
{
    rig_run("\1", false, no_function);
}

static void busy(struct rig *g)
{
    const struct modbus_point points[] = {{0, AT(MODBUS_HOLDING, 0, MODBUS_U16)}};
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = 1;
    g->slave.units[0].busy = 3;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    CHECK_EQ_UINT(rig_see(g).units[0].counts.busy, 3);
    CHECK(g->slave.log_ms[3] - g->slave.log_ms[0] < 1000); /* sooner than in its turn */
    CHECK(g->slave.log_ms[3] - g->slave.log_ms[0] >= 600);
}

TEST(modbus_a_busy_unit_is_asked_again_shortly)
{
    rig_run("\1", false, busy);
}

static void no_number(struct rig *g)
{
    const struct modbus_point points[] = {
        {0, AT(MODBUS_HOLDING, 0, MODBUS_F32)},
        {5, AT(MODBUS_HOLDING, 2, MODBUS_F64)},
    };
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    g->slave.units[0].words[0] = 0x7FC0; /* NaN */
    g->slave.units[0].words[2] = 0x7FE0; /* 9e307: no whole number of ours */
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].why[0] && g->noted[0][5].why[0]);
    CHECK_EQ_STR(g->noted[0][0].why, "unit 1, holding 0: it is not a number, or too large");
    CHECK_EQ_UINT(g->noted[0][0].samples, 0);
    g->slave.units[0].words[0] = 0x3F80;
    WAIT_FOR(g->noted[0][0].samples == 1);
    CHECK_EQ_DBL(g->noted[0][0].last.f, 1, 0);
}

TEST(modbus_what_is_no_number_is_unreadable)
{
    rig_run("\1", false, no_number);
}
