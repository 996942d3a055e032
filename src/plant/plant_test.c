#include "plant/plant.h"

#include "tests/support/test.h"

#include <math.h>
#include <string.h>

/* The machines of the reference factory. */
enum { PRESS, OVEN, PACKER, PRESS_VALVE, OVEN_VALVE, BELT, METER };

static void factory(struct plant *p, uint64_t seed, enum plant_fault fault)
{
    static const struct {
        enum plant_kind kind;
        struct str name;
    } machines[] = {
        [PRESS] = {PLANT_STATION, {"plant.press1", 12}},
        [OVEN] = {PLANT_STATION, {"plant.oven", 10}},
        [PACKER] = {PLANT_STATION, {"plant.packer", 12}},
        [PRESS_VALVE] = {PLANT_VALVE, {"plant.press1.coolant", 20}},
        [OVEN_VALVE] = {PLANT_VALVE, {"plant.oven.coolant", 18}},
        [BELT] = {PLANT_BELT, {"plant.belt", 10}},
        [METER] = {PLANT_METER, {"plant.meter", 11}},
    };
    plant_init(p, seed, fault);
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        REQUIRE(plant_add(p, machines[i].kind, machines[i].name) == ERR_OK);
}

/* NAN if the machine does not show it. */
static double shown(const struct plant *p, int machine, const char *name)
{
    struct plant_reading r[PLANT_READINGS_MAX];
    size_t n = plant_readings(p, machine, r);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(r[i].name, name) == 0)
            return r[i].value;
    }
    return NAN;
}

static double temperature(const struct plant *p, int machine)
{
    return p->machines[machine].station.temperature_c;
}

static void command(struct plant *p, int machine, const char *action)
{
    CHECK_EQ_INT(plant_command(p, machine, str_from(action), NULL), PLANT_DONE);
}

TEST(plant_same_seed_same_trajectory)
{
    static struct plant a, b, other;
    factory(&a, 7, PLANT_SOUND);
    factory(&b, 7, PLANT_SOUND);
    factory(&other, 8, PLANT_SOUND);
    for (int i = 0; i < 600; i++) {
        plant_step(&a, 1);
        for (int k = 0; k < 10; k++)
            plant_step(&b, 0.1); /* cut finer */
        plant_step(&other, 1);
        if (i == 100) {
            command(&a, PRESS_VALVE, "open");
            command(&b, PRESS_VALVE, "open");
        }
    }
    for (int m = 0; m < a.machines_n; m++) {
        struct plant_reading x[PLANT_READINGS_MAX], y[PLANT_READINGS_MAX];
        size_t n = plant_readings(&a, m, x);
        REQUIRE(CHECK_EQ_UINT(plant_readings(&b, m, y), n));
        for (size_t i = 0; i < n; i++) {
            LABEL("machine %d, %s", m, x[i].name);
            CHECK(x[i].value == y[i].value);
        }
    }
    LABEL("another seed");
    CHECK(shown(&a, OVEN, "temperature") != shown(&other, OVEN, "temperature"));
}

/* An hour without a fault: nothing gets near a limit of the site's guard. */
TEST(plant_sound_stays_within_limits)
{
    static struct plant p;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        LABEL("seed %u", (unsigned)seed);
        factory(&p, seed, PLANT_SOUND);
        for (int i = 0; i < 3600; i++) {
            plant_step(&p, 1);
            CHECK(shown(&p, PRESS, "vibration") < 7.1);
            CHECK(shown(&p, METER, "power") < 90);
        }
        CHECK(p.machines[PRESS].station.peak_c < 80);
        CHECK(p.machines[OVEN].station.peak_c < 80);
        CHECK(p.machines[PACKER].station.peak_c < 80);
        CHECK(temperature(&p, PRESS) > 40);
        CHECK(shown(&p, PACKER, "parts") > 1000 && shown(&p, PACKER, "parts") <= 1800);
        CHECK(shown(&p, METER, "energy") > 30 && shown(&p, METER, "energy") < 90);
    }
}

/* When the press passes `limit`, s; -1 if it does not within `until`. */
static double passes(struct plant *p, double limit, double until)
{
    while (p->time_s < until) {
        plant_step(p, 0.1);
        if (temperature(p, PRESS) > limit)
            return p->time_s;
    }
    return -1;
}

TEST(plant_overheat_without_cooling_does_damage)
{
    static struct plant p;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        LABEL("seed %u", (unsigned)seed);
        factory(&p, seed, PLANT_OVERHEAT);
        double at_80 = passes(&p, 80, 60), at_130 = passes(&p, PLANT_DAMAGE_C, 75);
        CHECK(at_80 > 5 && at_80 < 30);
        CHECK(at_130 > 35 && at_130 <= 65);
        plant_step(&p, 1);
        CHECK(p.machines[PRESS].station.damaged);
        CHECK_EQ_INT((int)shown(&p, PRESS, "running"), 0);
        double parts = shown(&p, PRESS, "parts");
        plant_step(&p, 60);
        CHECK(shown(&p, PRESS, "parts") == parts);
        CHECK(temperature(&p, PRESS) < PLANT_DAMAGE_C);
        CHECK(!p.machines[OVEN].station.damaged);
    }
}

/* Opened within 5 s of 80 °C, which is the time a program has to be sure and to act. */
TEST(plant_overheat_with_cooling_does_none)
{
    static struct plant p;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (int late_s = 0; late_s <= 5; late_s += 5) {
            LABEL("seed %u, opened after %d s", (unsigned)seed, late_s);
            factory(&p, seed, PLANT_OVERHEAT);
            CHECK(passes(&p, 80, 60) > 0);
            plant_step(&p, late_s);
            command(&p, PRESS_VALVE, "open");
            CHECK(passes(&p, PLANT_DAMAGE_C, 1800) < 0);
            CHECK(!p.machines[PRESS].station.damaged);
            CHECK(p.machines[PRESS].station.peak_c < 110);
            CHECK(temperature(&p, PRESS) < 110 && temperature(&p, PRESS) > 40);
        }
    }
}

TEST(plant_drift_is_slow_and_real)
{
    static struct plant p;
    factory(&p, 3, PLANT_DRIFT);
    plant_step(&p, 60);
    double t1 = temperature(&p, PRESS), v1 = shown(&p, PRESS, "vibration");
    CHECK(v1 < 7.1 && t1 < 80);
    plant_step(&p, 540);
    CHECK(temperature(&p, PRESS) > t1 + 10);
    CHECK(shown(&p, PRESS, "vibration") > 7.1);
    CHECK(shown(&p, OVEN, "vibration") < 3);
    CHECK(!p.machines[PRESS].station.damaged);
}

TEST(plant_jam_comes_and_goes)
{
    static struct plant p;
    factory(&p, 3, PLANT_JAM);
    plant_step(&p, 19);
    CHECK(!plant_jammed(&p, PACKER));
    plant_step(&p, 2);
    CHECK(plant_jammed(&p, PACKER) && !plant_jammed(&p, PRESS));
    CHECK_EQ_INT((int)shown(&p, PACKER, "jammed"), 1);
    CHECK_EQ_INT((int)shown(&p, PACKER, "running"), 0);
    double parts = shown(&p, PACKER, "parts"), pressed = shown(&p, PRESS, "parts");
    plant_step(&p, 28);
    CHECK(plant_jammed(&p, PACKER));
    CHECK(shown(&p, PACKER, "parts") == parts);
    CHECK(shown(&p, PRESS, "parts") > pressed);
    plant_step(&p, 2);
    CHECK(!plant_jammed(&p, PACKER));
    plant_step(&p, 10);
    CHECK(shown(&p, PACKER, "parts") > parts);
}

TEST(plant_silent_thermometer)
{
    static struct plant p;
    factory(&p, 3, PLANT_SILENT);
    plant_step(&p, 19);
    CHECK(!isnan(shown(&p, PRESS, "temperature")));
    plant_step(&p, 2);
    CHECK(isnan(shown(&p, PRESS, "temperature")));
    CHECK(!isnan(shown(&p, PRESS, "vibration")));
    CHECK(!isnan(shown(&p, OVEN, "temperature")));
}

TEST(plant_stuck_valve_is_deaf)
{
    static struct plant p;
    factory(&p, 3, PLANT_STUCK);
    CHECK_EQ_INT(plant_command(&p, PRESS_VALVE, STR("open"), NULL), PLANT_DEAF);
    CHECK_EQ_INT(plant_command(&p, OVEN_VALVE, STR("open"), NULL), PLANT_DONE);
    plant_step(&p, 5);
    CHECK_EQ_DBL(shown(&p, PRESS_VALVE, "position"), 0, 0);
    CHECK_EQ_DBL(shown(&p, OVEN_VALVE, "position"), 100, 0);
}

TEST(plant_machines_move_over_time)
{
    static struct plant p;
    double target = 0.8;
    factory(&p, 3, PLANT_SOUND);
    CHECK_EQ_DBL(shown(&p, BELT, "speed"), 0.4, 0);
    CHECK_EQ_INT(plant_command(&p, BELT, STR("start"), &target), PLANT_DONE);
    command(&p, PRESS_VALVE, "open");
    plant_step(&p, 1);
    CHECK_EQ_DBL(shown(&p, BELT, "speed"), 0.6, 0.011);
    CHECK_EQ_DBL(shown(&p, PRESS_VALVE, "position"), 50, 2.6);
    plant_step(&p, 1.5);
    CHECK_EQ_DBL(shown(&p, BELT, "speed"), 0.8, 0);
    CHECK_EQ_DBL(shown(&p, PRESS_VALVE, "position"), 100, 0);
    double warm = temperature(&p, PRESS);
    command(&p, BELT, "stop");
    plant_step(&p, 30);
    CHECK_EQ_DBL(shown(&p, BELT, "speed"), 0, 0);
    CHECK_EQ_INT((int)shown(&p, PRESS, "running"), 0);
    CHECK(temperature(&p, PRESS) < warm - 10);
    double parts = shown(&p, PRESS, "parts");
    plant_step(&p, 30);
    CHECK(shown(&p, PRESS, "parts") == parts);
    command(&p, PRESS_VALVE, "close");
    plant_step(&p, 3);
    CHECK_EQ_DBL(shown(&p, PRESS_VALVE, "position"), 0, 0);
}

/* Newton's law: without load the excess over the room falls to 1/e in one time constant. */
TEST(plant_cools_by_newtons_law)
{
    static struct plant p;
    plant_init(&p, 1, PLANT_SOUND);
    REQUIRE(plant_add(&p, PLANT_STATION, STR("press")) == ERR_OK);
    REQUIRE(plant_add(&p, PLANT_BELT, STR("belt")) == ERR_OK);
    struct plant_station *s = &p.machines[0].station;
    s->damaged = true; /* stands still */
    s->load = 0;
    s->temperature_c = 122;
    plant_step(&p, 60);
    CHECK_EQ_DBL(s->temperature_c - PLANT_AMBIENT_C, 100 / exp(1), 0.1);
}

TEST(plant_refuses_what_a_machine_cannot)
{
    static const struct {
        int machine;
        const char *action;
    } rows[] = {{PRESS, "open"},       {METER, "stop"},
                {BELT, "open"},        {BELT, "start"}, /* without a target */
                {PRESS_VALVE, "stop"}, {PRESS_VALVE, ""}};
    static struct plant p;
    factory(&p, 1, PLANT_SOUND);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s to %d", rows[i].action, rows[i].machine);
        CHECK_EQ_INT(plant_command(&p, rows[i].machine, str_from(rows[i].action), NULL),
                     PLANT_REFUSED);
    }
    double nonsense = NAN;
    CHECK_EQ_INT(plant_command(&p, BELT, STR("start"), &nonsense), PLANT_REFUSED);
    plant_init(&p, 1, PLANT_SOUND);
    for (int i = 0; i < PLANT_MACHINES_MAX; i++)
        REQUIRE(plant_add(&p, PLANT_VALVE, STR("alone")) == ERR_OK);
    CHECK_EQ_INT(plant_add(&p, PLANT_VALVE, STR("one more")), ERR_FULL);
    plant_step(&p, 1); /* valves of no station are no harm */
}

TEST(plant_fault_names)
{
    static const struct {
        const char *name;
        enum plant_fault fault;
    } rows[] = {{"none", PLANT_SOUND}, {"overheat", PLANT_OVERHEAT}, {"drift", PLANT_DRIFT},
                {"jam", PLANT_JAM},    {"silent", PLANT_SILENT},     {"stuck", PLANT_STUCK}};
    enum plant_fault f = PLANT_SOUND;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        CHECK(plant_fault_parse(str_from(rows[i].name), &f));
        CHECK_EQ_INT(f, rows[i].fault);
    }
    CHECK(!plant_fault_parse(STR("fire"), &f));
    CHECK(!plant_fault_parse(STR(""), &f));
}

TEST(a_fault_may_be_about_another_machine)
{
    static const struct {
        const char *at;
        int stuck; /* the valve that is; -1: there is no such machine */
    } rows[] = {{"", PRESS_VALVE},
                {"plant.oven", OVEN_VALVE},
                {"plant.oven.coolant", OVEN_VALVE},
                {"plant.kitchen", -1},
                {"plant.belt", -1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].at);
        static struct plant p;
        factory(&p, 1, PLANT_STUCK);
        if (rows[i].at[0])
            CHECK(plant_fault_at(&p, str_from(rows[i].at)) == (rows[i].stuck >= 0));
        for (int valve = PRESS_VALVE; rows[i].stuck >= 0 && valve <= OVEN_VALVE; valve++)
            CHECK_EQ_INT(plant_command(&p, valve, STR("open"), NULL),
                         valve == rows[i].stuck ? PLANT_DEAF : PLANT_DONE);
    }
}
