#include "protocol/modbus_rig_test.h"

/* Commands. */

enum { OPEN, SET, RESET };

static const struct modbus_point points[] = {
    {0, {.table = MODBUS_HOLDING, .address = 20, .form = {.type = MODBUS_I16, .scale = 0.1}}},
    {6, {.table = MODBUS_COIL, .address = 4, .form = {.type = MODBUS_BIT}}},
};
static const struct modbus_write writes[] = {
    {.action = OPEN,
     .place = {.table = MODBUS_COIL, .address = 4, .form = {.type = MODBUS_BIT}},
     .arg = -1,
     .constant = {.i = 1, .f = 1}},
    {.action = SET,
     .place = {.table = MODBUS_HOLDING, .address = 20, .form = {.type = MODBUS_I16, .scale = 0.1}},
     .arg = 0},
    {.action = RESET,
     .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_BIT, .bit = 9}},
     .arg = -1,
     .constant = {.i = 1, .f = 1}},
    {.action = RESET,
     .place = {.table = MODBUS_HOLDING, .address = 32, .form = {.type = MODBUS_F32}},
     .arg = -1,
     .constant = {.is_float = true, .f = 100}},
    {.action = RESET,
     .place = {.table = MODBUS_HOLDING, .address = 34, .form = {.type = MODBUS_U16}},
     .arg = -1,
     .constant = {.i = 5, .f = 5},
     .multiple = true},
};

static void start(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = points;
    d.point_count = ARRAY_LEN(points);
    d.writes = writes;
    d.write_count = ARRAY_LEN(writes);
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1 && g->noted[0][6].samples == 1);
}

static void coil(struct rig *g)
{
    start(g);
    size_t before = g->noted[0][6].samples;
    int64_t at_ms = worker_now_ns(g->w) / 1000000;
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "a1"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    CHECK_EQ_STR(g->done.id, "a1");
    CHECK_EQ_INT(g->slave.units[0].bits[4], 1);
    WAIT_FOR(g->noted[0][6].samples > before); /* what confirms it is read without delay */
    CHECK(worker_now_ns(g->w) / 1000000 - at_ms < 100);
    CHECK(g->noted[0][6].last.b);
    rig_sleep(3000); /* and more often than every second */
    CHECK(g->noted[0][6].samples - before >= 6);
    rig_sleep(10000);
    before = g->noted[0][6].samples;
    rig_sleep(3000); /* but not for ever */
    CHECK_EQ_UINT(g->noted[0][6].samples - before, 3);
}

TEST(modbus_a_coil_is_written_and_its_property_read_back)
{
    rig_run("\1", false, coil);
    LABEL("RTU over TCP");
    rig_run("\1", true, coil);
}

static void argument(struct rig *g)
{
    struct value v = {.kind = VALUE_FLOAT, .f = -12.34};
    start(g);
    size_t at = g->slave.requests;
    CHECK_EQ_INT(rig_command(g, 0, SET, &v, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT((int16_t)g->slave.units[0].words[20], -123);
    CHECK_EQ_INT(g->slave.log[at].function, MODBUS_WRITE_REGISTER);
    WAIT_FOR(g->noted[0][0].samples >= 2);
    CHECK_EQ_DBL(g->noted[0][0].last.f, -12.3, 0);
    v.f = 4000;
    CHECK_EQ_INT(rig_command(g, 0, SET, &v, "b"), ERR_RANGE);
    CHECK_EQ_INT(rig_command(g, 0, SET, NULL, "c"), ERR_INVALID);
}

TEST(modbus_an_argument_is_scaled)
{
    rig_run("\1", false, argument);
}

static void several(struct rig *g)
{
    start(g);
    g->slave.units[0].words[30] = 0x8001;
    size_t at = g->slave.requests;
    CHECK_EQ_INT(rig_command(g, 0, RESET, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    CHECK_EQ_INT(g->slave.units[0].words[30], 0x8201); /* the other bits are as they were */
    CHECK_EQ_INT(g->slave.units[0].words[32], 0x42C8);
    CHECK_EQ_INT(g->slave.units[0].words[34], 5);
    static const enum modbus_function order[] = {MODBUS_READ_HOLDING, MODBUS_WRITE_REGISTER,
                                                 MODBUS_WRITE_REGISTERS, MODBUS_WRITE_REGISTERS};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        CHECK_EQ_INT(g->slave.log[at + i].function, order[i]);
}

TEST(modbus_an_action_of_several_writes)
{
    rig_run("\1", false, several);
}

/* What was read of the register is old by the time at which it is written once more. */
static void meanwhile(struct rig *g)
{
    struct slave_unit *u = &g->slave.units[0];
    start(g);
    g->slave.delay_ms = 20;
    for (int lost = 0; lost < 2; lost++) {
        LABEL(lost ? "its answer is lost" : "it is busy");
        u->words[30] = 0x0001;
        size_t at = g->slave.requests, times = g->done.times;
        CHECK_EQ_INT(rig_command(g, 0, RESET, NULL, "a"), ERR_OK);
        WAIT_FOR(g->slave.requests > at && g->slave.log[at].address == 30);
        *(lost ? &u->lost : &u->busy) = 1;
        WAIT_FOR(g->slave.requests > at + 1 && u->lost + u->busy == 0);
        u->words[30] |= 0x0040; /* by another device's action, or its own panel */
        WAIT_FOR(g->done.times > times);
        CHECK_EQ_INT(g->done.result, ERR_OK);
        CHECK_EQ_INT(u->words[30], 0x0241);
        rig_sleep(3000);
    }
}

TEST(modbus_a_bit_written_again_keeps_what_others_wrote)
{
    rig_run("\1", false, meanwhile);
}

static void refused(struct rig *g)
{
    start(g);
    g->slave.units[0].bad_from = 4;
    g->slave.units[0].bad_to = 5;
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->done.result, ERR_INVALID);
    CHECK_EQ_STR(g->done.why, "unit 1, coil 4: illegal data address");
    g->slave.units[0].bad_to = 0;
    g->slave.units[0].busy = 2;
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "b"), ERR_OK);
    WAIT_FOR(g->done.times == 2);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    g->slave.units[0].lost = 1; /* noise: it is written once more */
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "n"), ERR_OK);
    WAIT_FOR(g->done.times == 3);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    g->slave.units[0].silent = true;
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "c"), ERR_OK);
    WAIT_FOR(g->done.times == 4);
    CHECK_EQ_INT(g->done.result, ERR_TIMEOUT);
    CHECK_EQ_STR(g->done.why, "unit 1 does not answer");
}

TEST(modbus_writes_that_fail)
{
    rig_run("\1", false, refused);
}

static void newer(struct rig *g)
{
    struct value v = {.kind = VALUE_FLOAT, .f = 1};
    start(g);
    CHECK_EQ_INT(rig_command(g, 0, SET, &v, "a"), ERR_OK);
    v.f = 2;
    CHECK_EQ_INT(rig_command(g, 0, SET, &v, "b"), ERR_OK);
    CHECK_EQ_STR(g->done.id, "a");
    CHECK_EQ_INT(g->done.result, ERR_CANCELED);
    CHECK_EQ_INT(rig_command(g, 0, SET, &v, "b"), ERR_OK); /* tried again: it is the same one */
    CHECK_EQ_UINT(g->done.times, 1);
    size_t at = g->slave.requests;
    WAIT_FOR(g->done.times == 2);
    CHECK_EQ_STR(g->done.id, "b");
    size_t sent = 0;
    for (; at < g->slave.requests; at++)
        sent += g->slave.log[at].function == MODBUS_WRITE_REGISTER;
    CHECK_EQ_UINT(sent, 1);
    CHECK_EQ_INT(g->slave.units[0].words[20], 20);
}

TEST(modbus_a_newer_command_takes_the_place_of_one_that_waits)
{
    rig_run("\1", false, newer);
}

static void cut(struct rig *g)
{
    start(g);
    rig_sleep(20000);
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "a"), ERR_OK);
    slave_cut(&g->slave); /* it has not been sent: it goes out on the next connection */
    WAIT_FOR(g->done.times == 1);
    CHECK(g->done.result == ERR_OK || g->done.result == ERR_CLOSED);
    slave_gone(&g->slave);
    WAIT_FOR(!g->link[0].online);
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "b"), ERR_AGAIN);
}

TEST(modbus_writes_and_a_lost_connection)
{
    rig_run("\1", false, cut);
}

static void first(struct rig *g)
{
    struct modbus_point many[120];
    struct modbus_device d = rig_base(g, 0, 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct modbus_point){
            0,
            {.table = MODBUS_HOLDING, .address = (uint16_t)(i * 2), .form = {.type = MODBUS_U16}}};
    d.points = many;
    d.point_count = ARRAY_LEN(many);
    d.gap_max = UINT16_MAX; /* each by itself */
    d.writes = writes;
    d.write_count = ARRAY_LEN(writes);
    g->slave.delay_ms = 10;
    rig_add(g, &d);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 10);
    size_t at = g->slave.requests;
    CHECK_EQ_INT(rig_command(g, 0, OPEN, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK(g->slave.requests - at <= 2); /* the read under way, then the write, before all others */
}

TEST(modbus_a_write_goes_before_the_reads)
{
    rig_run("\1", false, first);
}

static const struct modbus_point one_level[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_U16}}}};
static const struct modbus_write one_reset[] = {
    {.action = 2,
     .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_U16}},
     .arg = -1,
     .constant = {.i = 5, .f = 5}}};

static size_t writes_to(const struct rig *g, uint8_t unit)
{
    size_t n = 0;
    for (size_t i = 0; i < g->slave.requests && i < SLAVE_LOG; i++)
        n += g->slave.log_unit[i] == unit && !modbus_is_read(g->slave.log[i].function);
    return n;
}

/* Each of many commands to a dead unit would hold up its line for one time-out. */
static void dead_and_commanded(struct rig *g)
{
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        struct modbus_device d = rig_base(g, i, i == 0 ? 1 : 2);
        d.points = one_level;
        d.point_count = 1;
        d.writes = one_reset;
        d.write_count = 1;
        rig_add(g, &d);
    }
    g->slave.units[1].silent = true;
    rig_start(g);
    WAIT_FOR(g->link[1].told && g->link[3].told);
    for (size_t i = 1; i < RIG_DEVICES; i++)
        CHECK_EQ_INT(rig_command(g, i, 2, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 3);
    CHECK_EQ_INT(g->done.result, ERR_TIMEOUT);
    CHECK_EQ_STR(g->done.why, "unit 2 does not answer");
    CHECK(writes_to(g, 2) <= 1);
    g->slave.units[1].silent = false;
    CHECK_EQ_INT(rig_command(g, 1, 2, NULL, "b"), ERR_OK);
    WAIT_FOR(g->done.times == 4 && g->done.result == ERR_OK);
}

TEST(modbus_many_commands_to_a_dead_unit_cost_one_time_out)
{
    rig_run("\1\2", false, dead_and_commanded);
    LABEL("RTU over TCP");
    rig_run("\1\2", true, dead_and_commanded);
}
