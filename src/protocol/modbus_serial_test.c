#include "protocol/modbus_rig_test.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

/* A serial line for real: the system's pseudo-terminals, threads and time. The slave has the other
 * end. */

static char line_path[128];

/* An adapter is put in: line_path leads to it. */
static void plug(struct rig *g)
{
    int master, slave;
    char name[64];
    REQUIRE(openpty(&master, &slave, name, NULL, NULL) == 0);
    REQUIRE(fcntl(master, F_SETFL, O_NONBLOCK) == 0);
    struct serial_config c = {.path = str_from(name)};
    int fd;
    REQUIRE(serial_open(&c, &fd, NULL) == ERR_OK); /* raw from the start, so that nothing echoes */
    (void)unlink(line_path);
    REQUIRE(symlink(name, line_path) == 0);
    struct slave_conn *conn = slave_conn_new(&g->slave);
    REQUIRE(stream_serial(&conn->s, g->w, master, &conn->task) == ERR_OK);
    task_spawn(g->w, &conn->task);
    REQUIRE(close(fd) == 0); /* not the last one: `slave` keeps the line up until it is opened */
    conn->kept = slave;
}

static void pull(struct rig *g)
{
    REQUIRE(unlink(line_path) == 0);
    slave_cut(&g->slave);
}

static const struct modbus_point points[] = {
    {0, {.table = MODBUS_HOLDING, .address = 7, .form = {.type = MODBUS_U16}}}};
static const struct modbus_write writes[] = {
    {.action = 2,
     .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_F64}},
     .arg = -1,
     .constant = {.is_float = true, .f = 100}}};

static void start(struct rig *g)
{
    (void)snprintf(line_path, sizeof(line_path), "%s/line", test_tmpdir());
    plug(g);
    for (size_t i = 0; i < 2; i++) {
        struct modbus_device d = rig_base(g, i, (uint8_t)(i + 1));
        d.link = (struct modbus_link){.carrier = MODBUS_RTU,
                                      .serial = {.path = str_from(line_path), .baud = 115200},
                                      .timeout_ms = 100};
        d.every_ms = 20;
        d.points = points;
        d.point_count = 1;
        d.writes = writes;
        d.write_count = 1;
        rig_add(g, &d);
    }
    rig_start(g);
}

static void talk(struct rig *g)
{
    g->slave.units[0].words[7] = 230;
    start(g);
    WAIT_FOR(g->noted[0][0].samples >= 10);
    CHECK_EQ_DBL(g->noted[0][0].last.f, 230, 0);
    WAIT_FOR(g->link[1].told); /* nobody is unit 2 */
    CHECK(!g->link[1].online);
    size_t before = g->noted[0][0].samples;
    WAIT_FOR(g->noted[0][0].samples >= before + 10);
    CHECK_EQ_INT(rig_command(g, 0, 2, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    CHECK_EQ_INT(g->slave.units[0].words[30], 0x4059);
    pull(g);
}

static void pulled_out(struct rig *g)
{
    start(g);
    WAIT_FOR(g->noted[0][0].samples >= 1);
    pull(g);
    WAIT_FOR(!g->link[0].online);
    CHECK(g->link[0].why[0]);
    plug(g);
    size_t before = g->noted[0][0].samples;
    WAIT_FOR(g->noted[0][0].samples > before);
    CHECK(g->link[0].online);
    pull(g);
}

static void run(void (*body)(struct rig *g))
{
    struct rig *g = rig_new();
    g->backoff_min_ms = 20;
    rig_play(g, "\1", true, body);
}

TEST(modbus_on_a_serial_line)
{
    run(talk);
}

TEST(modbus_an_adapter_that_is_pulled_out_and_put_back)
{
    run(pulled_out);
}

/* --- another rate --- */

static void add_at(struct rig *g, size_t device, uint32_t baud)
{
    struct modbus_device d = rig_base(g, device, 1);
    d.link = (struct modbus_link){.carrier = MODBUS_RTU,
                                  .serial = {.path = str_from(line_path), .baud = baud},
                                  .timeout_ms = 100};
    d.every_ms = 20;
    d.points = points;
    d.point_count = 1;
    d.writes = writes;
    d.write_count = 1;
    rig_add(g, &d);
}

/* The site says another rate for the line, and one of its devices leaves with that. */
static void another_rate(struct rig *g)
{
    struct error e = {0};
    start(g);
    WAIT_FOR(g->noted[0][0].samples >= 1);
    add_at(g, 2, 57600);
    g->devices[3] = g->devices[0];
    g->devices[3].leaving = true;
    g->devices[0].heir = &g->devices[3];
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    WAIT_FOR(g->noted[2][0].samples >= 1);
    CHECK_EQ_UINT(rig_see(g).lines, 1);
    CHECK_EQ_INT(rig_see(g).line.problem_ms, 0); /* nobody else has the device */
    CHECK_EQ_INT(rig_command(g, 3, 2, NULL, "safe"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->done.result, ERR_OK);
    CHECK_EQ_INT(g->slave.units[0].words[30], 0x4059);
    REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m); /* and nobody knows the old line any more */
    g->setup = NULL;
    CHECK_EQ_INT(rig_command(g, 3, 2, NULL, "late"), ERR_NOT_FOUND);
    pull(g);
}

TEST(modbus_a_line_gets_another_rate_by_a_reload)
{
    run(another_rate);
}

/* Another program has the line, by the descriptor that is returned. */
static int start_behind_another(struct rig *g)
{
    struct serial_config c = {0};
    int fd;
    (void)snprintf(line_path, sizeof(line_path), "%s/line", test_tmpdir());
    plug(g);
    c.path = str_from(line_path);
    REQUIRE(serial_open(&c, &fd, NULL) == ERR_OK);
    add_at(g, 0, 0);
    rig_start(g);
    return fd;
}

/* Other programs look at an adapter when it is put in, and leave it again. */
static void busy_for_a_moment(struct rig *g)
{
    int fd = start_behind_another(g);
    rig_sleep(250);
    REQUIRE(close(fd) == 0);
    WAIT_FOR(g->noted[0][0].samples >= 1);
    CHECK_EQ_INT(rig_see(g).line.problem_ms, 0);
    pull(g);
}

static void busy_for_ever(struct rig *g)
{
    int fd = start_behind_another(g);
    WAIT_FOR(g->link[0].told);
    CHECK_HAS_STR(g->link[0].why, "another program has");
    REQUIRE(close(fd) == 0);
    WAIT_FOR(g->link[0].online);
    pull(g);
}

TEST(modbus_an_adapter_that_another_program_has)
{
    LABEL("for a moment");
    run(busy_for_a_moment);
    LABEL("for ever");
    run(busy_for_ever);
}
