#include "protocol/modbus_rig_test.h"

/* What is declared: links, places, and devices that contradict one another. */

TEST(modbus_links)
{
    static const struct {
        const char *text, *canonical, *error; /* one of the two */
    } rows[] = {
        {"tcp://127.0.0.1", "tcp://127.0.0.1:502", NULL},
        {"tcp://meter.local:1502", "tcp://meter.local:1502", NULL},
        {"tcp://[fe80::1]:502", "tcp://[fe80::1]:502", NULL},
        {"tcp://[::1]", "tcp://[::1]:502", NULL},
        {"rtu+tcp://10.0.0.7:4001", "rtu+tcp://10.0.0.7:4001", NULL},
        {"rtu:/dev/ttyUSB0", "rtu:/dev/ttyUSB0 19200 8E1", NULL},
        {"tcp://", NULL, "should be tcp://host"},
        {"tcp://a:", NULL, "should be tcp://host"},
        {"tcp://a b", NULL, "should be tcp://host"},
        {"tcp://a/b", NULL, "should be tcp://host"},
        {"tcp://a:0", NULL, "\"0\" is no port"},
        {"tcp://a:65536", NULL, "is no port"},
        {"tcp://a:x", NULL, "is no port"},
        {"tcp://[::1", NULL, "has no ]"},
        {"tcp://[::1]x", NULL, "a port is what may follow"},
        {"rtu:", NULL, "has a path"},
        {"rtu:ttyUSB0", NULL, "begins with /"},
        {"udp://a", NULL, "is no Modbus link"},
        {"", NULL, "is no Modbus link"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct modbus_link l = {0};
        struct error e = {0};
        char text[MODBUS_LINK_TEXT_MAX];
        LABEL("%s", rows[i].text);
        enum err r = modbus_link_parse(&l, str_from(rows[i].text), &e);
        if (rows[i].error) {
            CHECK(r != ERR_OK);
            CHECK_HAS_STR(e.text, rows[i].error);
        } else if (CHECK_EQ_INT(r, ERR_OK)) {
            modbus_link_format(&l, text);
            CHECK_EQ_STR(text, rows[i].canonical);
            modbus_link_place(&l, text);
            CHECK_EQ_STR(text, l.carrier == MODBUS_RTU ? "rtu:/dev/ttyUSB0" : rows[i].canonical);
        }
    }
}

TEST(modbus_places)
{
    static const struct {
        struct modbus_place place;
        bool write;
        const char *error;
    } rows[] = {
        {{MODBUS_HOLDING, 65535, {.type = MODBUS_U16}}, true, NULL},
        {{MODBUS_HOLDING, 65535, {.type = MODBUS_U32}}, false, "ends behind the table"},
        {{MODBUS_HOLDING, 65532, {.type = MODBUS_F64}}, false, NULL},
        {{MODBUS_COIL, 0, {.type = MODBUS_BIT}}, true, NULL},
        {{MODBUS_COIL, 0, {.type = MODBUS_U16}}, false, "a coil is one bit: it can't be u16"},
        {{MODBUS_COIL, 0, {.type = MODBUS_BIT, .bit = 1}}, false, "bits 0 … 15"},
        {{MODBUS_INPUT, 0, {.type = MODBUS_BIT, .bit = 15}}, false, NULL},
        {{MODBUS_INPUT, 0, {.type = MODBUS_BIT, .bit = 16}}, false, "bits 0 … 15"},
        {{MODBUS_INPUT, 0, {.type = MODBUS_U16}}, true, "input 0 can only be read"},
        {{MODBUS_DISCRETE, 7, {.type = MODBUS_BIT}}, true, "discrete 7 can only be read"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        LABEL("row %zu", i);
        enum err r = modbus_place_check(&rows[i].place, rows[i].write, &e);
        CHECK_EQ_INT(r != ERR_OK, rows[i].error != NULL);
        if (rows[i].error)
            CHECK_HAS_STR(e.text, rows[i].error);
    }
}

/* Two devices are added; the second is refused for what `change` has made of it. */
static void change_unit(struct modbus_device *d)
{
    d->link.carrier = MODBUS_RTU_OVER_TCP;
    d->unit = 248;
}

static void change_timeout(struct modbus_device *d)
{
    d->link.timeout_ms = 200;
}

static void change_every(struct modbus_device *d)
{
    d->every_ms = 9;
}

static void change_block(struct modbus_device *d)
{
    d->block_max = 3;
}

static void change_flight(struct modbus_device *d)
{
    d->link.in_flight = 17;
}

static void change_serial_flight(struct modbus_device *d)
{
    d->link.carrier = MODBUS_RTU_OVER_TCP;
    d->link.in_flight = 2;
}

static void change_property(struct modbus_device *d)
{
    static const struct modbus_point p = {.property = RIG_PROPS};
    d->points = &p;
    d->point_count = 1;
}

static void change_text(struct modbus_device *d)
{
    static const struct modbus_point p = {.property = 7};
    d->points = &p;
    d->point_count = 1;
}

static void change_action(struct modbus_device *d)
{
    static const struct modbus_write w = {.action = 3, .arg = -1};
    d->writes = &w;
    d->write_count = 1;
}

static void change_arg(struct modbus_device *d)
{
    static const struct modbus_write w = {.action = 0, .arg = 0};
    d->writes = &w;
    d->write_count = 1;
}

static void change_constant(struct modbus_device *d)
{
    static const struct modbus_write w = {
        .action = 0,
        .arg = -1,
        .constant = {.i = 70000, .f = 70000},
        .place = {.table = MODBUS_HOLDING, .form = {.type = MODBUS_U16}}};
    d->writes = &w;
    d->write_count = 1;
}

static void contradictions(struct rig *g)
{
    static const struct {
        void (*change)(struct modbus_device *d);
        const char *error;
    } rows[] = {
        {change_unit, "a unit on a serial line is 1 … 247"},
        {change_timeout, "tcp://127.0.0.1:1502 has two time-outs: 100 and 200"},
        {change_every, "every 10 ms … 1 day"},
        {change_block, "one read has 4 … 125 registers"},
        {change_flight, "at most 16 requests"},
        {change_serial_flight, "only Modbus TCP"},
        {change_property, "no property number 8"},
        {change_text, "p7 is a text"},
        {change_action, "no action number 3"},
        {change_arg, "open has no parameter number 0"},
        {change_constant, "70000 does not fit into u16"},
    };
    struct modbus_device d = rig_base(g, 0, 1);
    rig_add(g, &d);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        LABEL("%s", rows[i].error);
        d = rig_base(g, 1, 2);
        rows[i].change(&d);
        CHECK(modbus_setup_add(g->setup, &d, &e) != ERR_OK);
        CHECK_HAS_STR(e.text, rows[i].error);
    }
    d = rig_base(g, 1, 2);
    d.link.timeout_ms = 0; /* not said: as the other says */
    CHECK_EQ_INT(modbus_setup_add(g->setup, &d, NULL), ERR_OK);
}

TEST(modbus_devices_that_make_no_sense)
{
    rig_run("\1", false, contradictions);
}

static void two_rates(struct rig *g)
{
    struct error e = {0};
    struct modbus_device d = rig_base(g, 0, 1);
    d.link = (struct modbus_link){.carrier = MODBUS_RTU, .serial = {.path = STR("/dev/ttyS7")}};
    rig_add(g, &d);
    d = rig_base(g, 1, 2);
    d.link = (struct modbus_link){.carrier = MODBUS_RTU,
                                  .serial = {.path = STR("/dev/ttyS7"), .baud = 9600}};
    CHECK_EQ_INT(modbus_setup_add(g->setup, &d, &e), ERR_INVALID);
    CHECK_EQ_STR(e.text, "rtu:/dev/ttyS7 9600 8E1 is also declared as rtu:/dev/ttyS7 19200 8E1");
}

TEST(modbus_one_serial_device_has_one_rate)
{
    rig_run("\1", false, two_rates);
}

/* --- another site --- */

static const struct modbus_point one[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_U16}}}};
static const struct modbus_point two[] = {
    {1, {.table = MODBUS_HOLDING, .address = 9, .form = {.type = MODBUS_U16}}}};
static const struct modbus_write reset[] = {
    {.action = 2,
     .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_U16}},
     .arg = -1,
     .constant = {.i = 5, .f = 5}}};

static void add(struct rig *g, size_t device, uint8_t unit, const struct modbus_point *points)
{
    struct modbus_device d = rig_base(g, device, unit);
    d.points = points;
    d.point_count = 1;
    d.writes = reset;
    d.write_count = 1;
    rig_add(g, &d);
}

static void replaced(struct rig *g)
{
    struct error e = {0};
    g->slave.units[1].silent = true;
    add(g, 0, 1, one);
    add(g, 1, 2, one);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1 && g->link[1].told);
    uint64_t answers = rig_see(g).units[0].counts.answers;

    add(g, 2, 1, two);
    add(g, 3, 2, two);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_cancel(g->m);
    g->setup = NULL;
    rig_sleep(2000);
    CHECK_EQ_UINT(g->noted[0][0].samples, 3); /* nothing has happened */

    add(g, 2, 1, two);
    add(g, 3, 2, two);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m); /* the devices that were have no heirs: they have gone */
    g->setup = NULL;
    CHECK(g->link[3].told && !g->link[3].online); /* what was known of the unit still is */
    WAIT_FOR(g->noted[2][1].samples == 2);
    CHECK(g->link[2].online);
    CHECK_EQ_UINT(g->noted[0][0].samples, 3);
    CHECK_EQ_UINT(g->slave.connections, 1); /* it went on */
    CHECK(rig_see(g).units[0].counts.answers > answers);
    CHECK_EQ_INT(rig_command(g, 2, 2, NULL, "a"), ERR_OK);
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->slave.units[0].words[30], 5);
    CHECK_EQ_INT(rig_command(g, 0, 2, NULL, "a"), ERR_NOT_FOUND);
}

TEST(modbus_another_site_goes_on_with_the_connection)
{
    rig_run("\1\2", false, replaced);
    LABEL("RTU over TCP");
    rig_run("\1\2", true, replaced);
}

static void leaving(struct rig *g)
{
    struct error e = {0};
    add(g, 0, 1, one);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    g->slave.delay_ms = 50;
    WAIT_FOR(g->slave.requests == 2); /* and its answer is on its way */
    g->devices[1] = g->devices[0];
    g->devices[1].leaving = true;
    g->devices[0].heir = &g->devices[1];
    REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    CHECK_EQ_INT(rig_command(g, 1, 2, NULL, "safe"), ERR_OK); /* its last action */
    WAIT_FOR(g->done.times == 1);
    CHECK_EQ_INT(g->slave.units[0].words[30], 5);
    size_t asked = g->slave.requests;
    rig_sleep(5000);
    CHECK_EQ_UINT(g->slave.requests, asked); /* it is asked nothing */
    REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    CHECK_EQ_INT(rig_command(g, 1, 2, NULL, "late"), ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    CHECK_EQ_INT(rig_command(g, 1, 2, NULL, "later"), ERR_NOT_FOUND);
    WAIT_FOR(list_empty(&g->slave.conns));
}

TEST(modbus_a_device_that_leaves_can_still_be_made_safe)
{
    rig_run("\1", false, leaving);
}

static void asked_meanwhile(struct rig *g)
{
    struct error e = {0};
    g->slave.delay_ms = 50;
    add(g, 0, 1, one);
    rig_start(g);
    WAIT_FOR(g->slave.requests == 1);
    add(g, 1, 1, two);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    rig_sleep(20); /* the next request waits for the answer that nobody wants */
    CHECK_EQ_UINT(g->slave.requests, 1);
    WAIT_FOR(g->noted[1][1].samples == 1);
    CHECK_EQ_UINT(g->noted[0][0].samples, 0);
}

TEST(modbus_what_is_in_flight_at_a_reload)
{
    rig_run("\1", true, asked_meanwhile);
}

static void line_removed(struct rig *g)
{
    struct error e = {0};
    add(g, 0, 1, one);
    rig_start(g);
    WAIT_FOR(g->noted[0][0].samples == 1);
    REQUIRE(modbus_setup_new(&g->setup, alloc_system()) == ERR_OK);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    WAIT_FOR(list_empty(&g->slave.conns));
    CHECK_EQ_UINT(rig_see(g).lines, 0);
    add(g, 0, 1, one);
    REQUIRE(modbus_replace_ready(g->m, g->setup, &e) == ERR_OK);
    modbus_replace_commit(g->m);
    g->setup = NULL;
    WAIT_FOR(g->noted[0][0].samples == 2);
}

TEST(modbus_a_line_that_is_not_declared_any_more_ends)
{
    rig_run("\1", false, line_removed);
}

/* --- memory --- */

static void declare(struct rig *g, struct alloc *a)
{
    struct error e = {0};
    struct modbus_device d = rig_base(g, 0, 1);
    struct modbus *m = NULL;
    struct modbus_setup *s = NULL;
    struct modbus_sink sink = {0};
    struct modbus_config cfg = {.ex = g->ex, .alloc = a, .sink = &sink};
    d.points = one;
    d.point_count = 1;
    enum err r = modbus_setup_new(&s, a);
    if (!r)
        r = modbus_setup_add(s, &d, &e);
    if (!r)
        r = modbus_new(&m, &cfg, s, &e);
    if (r)
        modbus_setup_free(s);
    CHECK(r == ERR_OK || r == ERR_NOMEM);
    modbus_free(m);
}

static void memory(struct rig *g)
{
    struct alloc_faulty f = {.failed = true};
    for (uint64_t n = 0; f.failed; n++) {
        LABEL("allocation %ju", (uintmax_t)n);
        alloc_faulty_init(&f, n);
        declare(g, &f.alloc);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
    CHECK(f.count >= 4);
}

TEST(modbus_without_memory)
{
    rig_run("\1", false, memory);
}
