#include "protocol/modbus_rig_test.h"

/* Commands that are on their way, and those of devices that leave, when another site comes. */

static const struct modbus_point level[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_U16}}}};
/* "reset" writes a constant and is confirmed by the answer; "set" by the level. */
static const struct modbus_write at_30[] = {
    {.action = 2,
     .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_U16}},
     .arg = -1,
     .constant = {.i = 5, .f = 5}},
    {.action = 1, .place = {.table = MODBUS_HOLDING, .address = 40, .form = {.type = MODBUS_U16}}}};
static const struct modbus_write at_31[] = {
    {.action = 2,
     .place = {.table = MODBUS_HOLDING, .address = 31, .form = {.type = MODBUS_U16}},
     .arg = -1,
     .constant = {.i = 5, .f = 5}}};

static void add(struct rig *g, size_t device, const struct modbus_write *writes, size_t n)
{
    struct modbus_device d = rig_base(g, device, 1);
    d.points = level;
    d.point_count = 1;
    d.writes = writes;
    d.write_count = n;
    rig_add(g, &d);
}

static void replace(struct rig *g)
{
    struct error e = {0};
    if (!g->setup)
        REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
}

static size_t writes_seen(const struct rig *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->slave.requests && i < SLAVE_LOG; i++)
        n += !modbus_is_read(g->slave.log[i].function);
    return n;
}

/* What the next site is about device 0, whose command waits or is under way. */
static const struct {
    const char *label;
    bool sent; /* its request is under way: else it waits for a read to be answered */
    bool gone, corrected;
    const struct modbus_write *writes;
    enum err result;
    size_t writes_seen;
} moves[] = {
    {"under way, the same", true, false, false, at_30, ERR_OK, 1},
    {"it waits, the same", false, false, false, at_30, ERR_OK, 1},
    {"under way, written elsewhere from now on", true, false, false, at_31, ERR_CANCELED, 1},
    {"it waits, written elsewhere from now on", false, false, false, at_31, ERR_CANCELED, 0},
    {"it waits, and was never there", false, false, true, at_30, ERR_CANCELED, 0},
    {"it waits, and is gone", false, true, false, NULL, ERR_CANCELED, 0},
};
static size_t move;

static void moved(struct rig *g)
{
    add(g, 0, at_30, 1);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    g->slave.delay_ms = 50;
    size_t before = g->slave.requests;
    WAIT_FOR(g->slave.requests == before + 1 - moves[move].sent);
    CHECK_EQ_INT(rig_command(g, 0, 2, NULL, "a"), ERR_OK);
    if (moves[move].sent)
        WAIT_FOR(writes_seen(g) == 1);
    if (!moves[move].gone) {
        add(g, 1, moves[move].writes, 1);
        g->devices[0].heir = &g->devices[1];
        g->devices[1].corrected = moves[move].corrected;
    }
    replace(g);
    rig_sleep(300); /* whatever may come has come */
    CHECK_EQ_UINT(g->done.times, 1);
    CHECK_EQ_INT(g->done.result, moves[move].result);
    CHECK_EQ_UINT(writes_seen(g), moves[move].writes_seen);
    CHECK_EQ_UINT(rig_see(g).line.writes_waiting, 0);
    g->slave.delay_ms = 0;
    if (!moves[move].gone)
        WAIT_FOR(g->noted[1][0].samples > 1); /* and the line is at work */
}

TEST(modbus_a_write_at_a_reload_is_told_once)
{
    for (move = 0; move < ARRAY_LEN(moves); move++) {
        LABEL("%s", moves[move].label);
        rig_run("\1", false, moved);
    }
}

/* The device's copy, as the registry makes it, with an action that is not over. */
static void leave(struct rig *g, struct list *action)
{
    g->devices[1] = g->devices[0];
    for (size_t i = 0; i < RIG_PROPS; i++) {
        g->props[1][i] = g->props[0][i];
        g->props[1][i].device = &g->devices[1];
    }
    g->devices[1].props = g->props[1];
    g->devices[1].leaving = true;
    list_init(&g->devices[1].actions);
    list_init(action);
    list_add_tail(&g->devices[1].actions, action);
    g->devices[0].heir = &g->devices[1];
    replace(g);
}

static void watched(struct rig *g)
{
    struct list action;
    const struct value to = {.kind = VALUE_FLOAT, .f = 7};
    add(g, 0, at_30, 2);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    leave(g, &action);
    rig_sleep(2000);
    CHECK_EQ_UINT(g->noted[1][0].samples, 0); /* it is asked nothing */
    CHECK_EQ_INT(rig_command(g, 1, 1, &to, "safe"), ERR_OK);
    WAIT_FOR(g->done.times == 1 && g->done.result == ERR_OK);
    CHECK_EQ_INT(g->slave.units[0].words[40], 7);
    WAIT_FOR(g->noted[1][0].samples >= 2); /* what confirms it is looked at, again and again */
    g->slave.units[0].words[0] = 7;
    WAIT_FOR(g->noted[1][0].last.f == 7);
    list_del(&action); /* that was it */
    size_t asked = g->slave.requests;
    rig_sleep(2000);
    CHECK(g->slave.requests <= asked + 1);
    CHECK_EQ_UINT(g->done.times, 1);
    WAIT_FOR(list_empty(&g->slave.conns)); /* nobody has anything to say to it */
    CHECK_EQ_INT(rig_command(g, 1, 1, &to, "late"), ERR_NOT_FOUND);
}

TEST(modbus_what_confirms_the_last_action_of_a_device_is_read)
{
    rig_run("\1", false, watched);
    LABEL("RTU over TCP");
    rig_run("\1", true, watched);
}

static void watched_in_vain(struct rig *g)
{
    struct list action;
    const struct value to = {.kind = VALUE_FLOAT, .f = 7};
    add(g, 0, at_30, 2);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    leave(g, &action);
    g->slave.units[0].bad_to = 1; /* what would confirm it is not there */
    CHECK_EQ_INT(rig_command(g, 1, 1, &to, "safe"), ERR_OK);
    WAIT_FOR(g->slave.units[0].asked > 5);
    g->slave.units[0].silent = true;
    CHECK_EQ_INT(rig_command(g, 1, 1, &to, "safe"), ERR_OK); /* the registry tries again */
    WAIT_FOR(g->done.times == 2);
    CHECK_EQ_INT(g->done.result, ERR_TIMEOUT);
    g->slave.units[0].silent = false;
    CHECK_EQ_INT(rig_command(g, 1, 1, &to, "safe"), ERR_OK);
    WAIT_FOR(g->done.times == 3 && g->done.result == ERR_OK);
    rig_sleep(15000);
    size_t asked = g->slave.requests;
    rig_sleep(15000);
    CHECK_EQ_UINT(g->slave.requests, asked); /* not for ever */
}

TEST(modbus_what_confirms_the_last_action_is_not_read_for_ever)
{
    rig_run("\1", false, watched_in_vain);
}

/* A late answer of a serial line is not taken for another's, also behind a reload. */
static void rested(struct rig *g)
{
    add(g, 0, at_30, 1);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    g->slave.delay_ms = 150; /* the time-out is 100 */
    size_t before = g->slave.requests;
    WAIT_FOR(g->slave.requests == before + 1);
    g->slave.units[0].words[0] = 1;
    WAIT_FOR(rig_see(g).units[0].counts.timeouts == 1);
    add(g, 1, at_30, 1);
    g->devices[0].heir = &g->devices[1];
    replace(g);
    g->slave.delay_ms = 0;
    g->slave.units[0].words[0] = 2;
    WAIT_FOR(g->noted[1][0].samples == 1);
    CHECK_EQ_DBL(g->noted[1][0].last.f, 2, 0);
    CHECK(rig_see(g).units[0].problem_ms > 0);
}

TEST(modbus_a_unit_rests_over_a_reload)
{
    rig_run("\1", true, rested);
}
