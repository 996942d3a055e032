#include "protocol/modbus_rig_test.h"

/* Numbers whose bytes come in another order than was declared. */

#define F32(at_address, order_said)                                                                \
    {                                                                                              \
        .table = MODBUS_HOLDING, .address = (at_address), .form = {                                \
            .type = MODBUS_F32,                                                                    \
            .order = (order_said)                                                                  \
        }                                                                                          \
    }
#define U32(at_address, order_said)                                                                \
    {                                                                                              \
        .table = MODBUS_HOLDING, .address = (at_address), .form = {                                \
            .type = MODBUS_U32,                                                                    \
            .order = (order_said)                                                                  \
        }                                                                                          \
    }
static const struct modbus_point floats[] = {
    {0, F32(0, MODBUS_ABCD)}, {1, F32(2, MODBUS_ABCD)}, {2, F32(4, MODBUS_ABCD)}};
static const struct modbus_point swapped[] = {
    {0, F32(0, MODBUS_CDAB)}, {1, F32(2, MODBUS_CDAB)}, {2, F32(4, MODBUS_CDAB)}};
static const struct modbus_point whole[] = {{0, U32(0, MODBUS_ABCD)}, {1, U32(2, MODBUS_ABCD)}};

/* The rig's model, with a range for its first two properties. */
static void with_ranges(struct rig *g)
{
    static struct property_def p0, p1;
    p0 = p1 = rig_properties[0];
    p0.has_range = p1.has_range = true;
    p0.max = p1.max = 100000;
    p0.unit = STR("kWh");
    g->props[0][0].def = &p0;
    g->props[0][1].def = &p1;
}

static void put(struct rig *g, unsigned at, uint32_t bits)
{
    g->slave.units[0].words[at] = (uint16_t)(bits >> 16);
    g->slave.units[0].words[at + 1] = (uint16_t)bits;
}

static uint32_t swap(uint32_t bits)
{
    return bits >> 16 | bits << 16;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

/* What a device sends in one second after the other, and what is thought of it. */
enum { SECONDS = 6 };
static const struct {
    const char *label;
    const struct modbus_point *points;
    size_t count;
    bool ranges;
    uint32_t bits[3][SECONDS]; /* 0: as before */
    const char *doubt;         /* of the first one, at the end; "": none */
    enum quality quality;      /* of its last sample */
} cases[] = {
    {"57.5, swapped",
     floats,
     1,
     false,
     {{0x00004266}},
     "2.38193e-41 can hardly be: with `order cdab` it would be 57.5",
     QUALITY_BAD},
    {"12.4, 230.1 and 1, swapped",
     floats,
     3,
     false,
     {{0x66664146}, {0x199A4366}, {0x00003F80}},
     "2.71837e+23 can hardly be: with `order cdab` it would be 12.4",
     QUALITY_BAD},
    {"57.5, declared as swapped and not",
     swapped,
     1,
     false,
     {{0x42660000}},
     "2.38193e-41 can hardly be: with `order abcd` it would be 57.5",
     QUALITY_BAD},
    {"57.5, with the bytes of each register exchanged",
     floats,
     1,
     false,
     {{0x66420000}},
     "2.29035e+23 can hardly be: with `order badc` it would be 57.5",
     QUALITY_BAD},
    {"57.5, the low byte first",
     floats,
     1,
     false,
     {{0x00006642}},
     "3.66832e-41 can hardly be: with `order dcba` it would be 57.5",
     QUALITY_BAD},
    {"as declared", floats, 2, false, {{0x42660000, 0x42670000}, {0x4366199A}}, "", QUALITY_GOOD},
    {"nought", floats, 1, false, {{0, 0, 0}}, "", QUALITY_GOOD},
    {"no sensor", floats, 1, false, {{0x7FC00000}}, "", QUALITY_NONE},
    {"the largest float", floats, 1, false, {{0x7F7FFFFF}}, "", QUALITY_GOOD},
    {"small whole numbers for floats make sense in no order",
     floats,
     1,
     false,
     {{1, 2, 3}},
     "",
     QUALITY_GOOD},
    {"a filter that fades away",
     floats,
     1,
     false,
     {{0x42660000, 0x42270000, 0x35000000, 0x25000000, 0x00800000, 0x00004266}},
     "",
     QUALITY_GOOD},
    {"one that makes no sense among those that do",
     floats,
     3,
     false,
     {{0x00004266}, {0x42660000, 0x42670000, 0x42680000}, {0x41460000, 0x41470000, 0x41480000}},
     "2.38193e-41 can hardly be",
     QUALITY_BAD},
    {"one that makes sense among those that do not",
     floats,
     3,
     false,
     {{0x42660000, 0x42670000}, {0x00004266}, {0x00003F80}},
     "",
     QUALITY_GOOD},
    {"one that says nothing among those that make no sense",
     floats,
     3,
     false,
     {{0x2D000000}, {0x00004266}, {0x00003F80}},
     "",
     QUALITY_GOOD},
    {"counters, swapped",
     whole,
     2,
     true,
     {{1234u << 16}, {777u << 16}},
     "8.08714e+07 kWh can hardly be: with `order cdab` it would be 1234 kWh",
     QUALITY_UNCERTAIN},
    {"a counter that counts, swapped",
     whole,
     1,
     true,
     {{1234u << 16, 1235u << 16}},
     "8.0937e+07 kWh can hardly be: with `order cdab` it would be 1235 kWh",
     QUALITY_UNCERTAIN},
    {"one that is out of its range once", whole, 1, true, {{1234u << 16}}, "", QUALITY_GOOD},
    {"counters of which nobody knows the range",
     whole,
     2,
     false,
     {{1234u << 16}, {777u << 16}},
     "",
     QUALITY_GOOD},
};
static size_t at_case;

static void play_case(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = cases[at_case].points;
    d.point_count = cases[at_case].count;
    if (cases[at_case].ranges)
        with_ranges(g);
    for (unsigned p = 0; p < 3; p++)
        put(g, 2 * p, cases[at_case].bits[p][0]);
    rig_add(g, &d);
    rig_start(g);
    for (unsigned s = 1; s <= SECONDS; s++) {
        rig_sleep(s == 1 ? 500 : 1000);
        for (unsigned p = 0; p < 3 && s < SECONDS; p++)
            if (cases[at_case].bits[p][s])
                put(g, 2 * p, cases[at_case].bits[p][s]);
    }
    const struct noted *n = &g->noted[0][0];
    if (cases[at_case].doubt[0])
        CHECK_HAS_STR(n->doubt, cases[at_case].doubt);
    else
        CHECK_EQ_STR(n->doubt, "");
    CHECK_EQ_INT(n->quality, cases[at_case].quality);
}

TEST(modbus_orders_that_can_hardly_be)
{
    for (at_case = 0; at_case < ARRAY_LEN(cases); at_case++) {
        LABEL("%s", cases[at_case].label);
        rig_run("\1", false, play_case);
    }
}

/* The device is set right at its own end. */
static void comes_right(struct rig *g)
{
    struct modbus_device d = rig_base(g, 0, 1);
    d.points = floats;
    d.point_count = 2;
    rig_add(g, &d);
    put(g, 0, 0x00004266);
    put(g, 2, 0x0000437A); /* 250 */
    rig_start(g);
    WAIT_FOR(g->noted[0][0].doubt[0] && g->noted[0][1].doubt[0]);
    for (uint32_t i = 0; i < 20; i++) {
        put(g, 0, 0x42660000 + (i << 8));
        put(g, 2, 0x437A0000 + (i << 8));
        rig_sleep(1000);
    }
    CHECK_EQ_STR(g->noted[0][0].doubt, "");
    CHECK_EQ_STR(g->noted[0][1].doubt, "");
    CHECK_EQ_INT(g->noted[0][1].quality, QUALITY_GOOD);
}

TEST(modbus_an_order_that_comes_right)
{
    rig_run("\1", false, comes_right);
}

/* Any values of things that are measured: whoever declares them rightly is not suspected, and
 * whoever has the registers the wrong way round is told so within a few reads. */
static void random_values(struct rig *g, bool wrong)
{
    struct random r;
    struct modbus_device d = rig_base(g, 0, 1);
    random_seed(&r, test_seed() + at_case);
    d.points = floats;
    d.point_count = 3;
    rig_add(g, &d);
    rig_start(g);
    for (unsigned s = 0; s < 20; s++) {
        for (unsigned p = 0; p < 3; p++) {
            float f = (float)random_below(&r, 100000) / 100.0f + 0.001f;
            put(g, 2 * p, wrong ? swap(bits_of(f)) : bits_of(f));
        }
        rig_sleep(1000);
    }
    size_t doubts = 0; /* one that makes sense either way by chance is left alone */
    for (unsigned p = 0; p < 3; p++)
        doubts += strstr(g->noted[0][p].doubt, "`order cdab`") != NULL;
    CHECK_EQ_INT(doubts > 0, wrong);
}

static void random_right(struct rig *g)
{
    random_values(g, false);
}

static void random_wrong(struct rig *g)
{
    random_values(g, true);
}

TEST(modbus_orders_of_any_values)
{
    for (at_case = 0; at_case < 30; at_case++) {
        LABEL("seed + %zu", at_case);
        rig_run("\1", false, random_right);
        rig_run("\1", false, random_wrong);
    }
}
