#include "plant/plant_devices.h"

#include "tests/support/mqtt_script.h"

#define HELLO     "CONNECT v5 keep-alive=30 clean=1 id=plant.x { session-expiry=0 max-size=65536 }"
#define HELLO_HEX "20 03 00 00 00"

struct site {
    struct script script;
    struct plant plant;
    struct plant_devices *devices;
    bool ended;
};

static void on_ended(void *ctx)
{
    struct site *x = ctx;
    x->ended = true;
    script_client_ended(&x->script);
}

/* One machine named plant.x on topic x; fast, so that every movement is over in one tick. */
static void run(struct site *x, enum plant_kind kind, enum plant_fault fault,
                const struct script_step *steps, double for_s)
{
    script_open(&x->script, steps);
    plant_init(&x->plant, 1, fault);
    REQUIRE(plant_add(&x->plant, kind, STR("plant.x")) == ERR_OK);
    struct plant_device_config device = {.machine = 0, .topic = STR("x")};
    struct plant_devices_config cfg = {
        .alloc = alloc_system(),
        .addr = *listener_addr(x->script.listener),
        .plant = &x->plant,
        .devices = &device,
        .devices_n = 1,
        .speed = 100,
        .for_s = for_s,
        .ctx = x,
        .ended = on_ended,
    };
    x->ended = false;
    REQUIRE(plant_devices_new(&x->devices, x->script.worker, &cfg) == ERR_OK);
    script_run(&x->script);
    CHECK(x->ended);
    plant_devices_free(x->devices);
}

/* The script closes the connection at its end and the test stops there: after for_s. */
TEST(devices_valve_takes_commands)
{
    static const struct script_step steps[] = {
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=1 count=1 filter=x/set:01", "90 04 0001 00 01", 0},
        {"... PUBLISH qos=0 dup=0 retain=0 id=0 topic=x/position payload=0",
         /* {"action":"open","id":"7"} to x/set */
         "32 24 0005 782F736574 0001 00 7B22616374696F6E223A226F70656E222C226964223A2237227D", 0},
        {"... PUBLISH qos=1 dup=0 retain=0 id=2 topic=x/ack payload=\\x7b\"id\":\"7\"\\x7d",
         "40 02 0002", 0},
        {"... PUBLISH qos=0 dup=0 retain=0 id=0 topic=x/position payload=100", NULL, 0},
        {"... DISCONNECT reason=00", NULL, 0},
        {0}};
    static struct site x;
    run(&x, PLANT_VALVE, PLANT_SOUND, steps, 300);
    CHECK_EQ_DBL(x.plant.machines[0].valve.position, 1, 0);
}

TEST(devices_belt_starts_with_its_target)
{
    static const struct script_step steps[] = {
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=1 count=1 filter=x/set:01", "90 04 0001 00 01", 0},
        {"... PUBLISH qos=0 dup=0 retain=0 id=0 topic=x payload=\\x7b\"speed\":0.4\\x7d",
         /* {"action":"start","args":{"target":1.5},"id":"8"} to x/set */
         "32 3B 0005 782F736574 0001 00 "
         "7B22616374696F6E223A227374617274222C2261726773223A7B22746172"
         "676574223A312E357D2C226964223A2238227D",
         0},
        {"... PUBLISH qos=1 dup=0 retain=0 id=2 topic=x/ack payload=\\x7b\"id\":\"8\"\\x7d",
         "40 02 0002", 0},
        {"... PUBLISH qos=0 dup=0 retain=0 id=0 topic=x payload=\\x7b\"speed\":1.5\\x7d", NULL, 0},
        {"... DISCONNECT reason=00", NULL, 0},
        {0}};
    static struct site x;
    run(&x, PLANT_BELT, PLANT_SOUND, steps, 300);
}

/* What a machine cannot do, and what is no command, gets no answer: the next ack is for 9. */
TEST(devices_answer_only_what_they_take)
{
    static const struct script_step steps[] = {
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=1 count=1 filter=x/set:01", "90 04 0001 00 01", 0},
        /* {"action":"fly","id":"1"}, nonsense, {"action":"stop","id":"9"} */
        {NULL, "30 21 0005 782F736574 00 7B22616374696F6E223A22666C79222C226964223A2231227D", 0},
        {NULL, "30 09 0005 782F736574 00 7B", 0},
        {NULL, "30 22 0005 782F736574 00 7B22616374696F6E223A2273746F70222C226964223A2239227D", 0},
        {"... PUBLISH qos=1 dup=0 retain=0 id=2 topic=x/ack payload=\\x7b\"id\":\"9\"\\x7d",
         "40 02 0002", 0},
        {"... DISCONNECT reason=00", NULL, 0},
        {0}};
    static struct site x;
    run(&x, PLANT_BELT, PLANT_SOUND, steps, 100);
}

TEST(devices_announce_a_jam)
{
    static const struct script_step steps[] = {
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=1 count=1 filter=x/set:01", "90 04 0001 00 01", 0},
        {"... PUBLISH qos=1 dup=0 retain=0 id=2 topic=x/jam payload=\\x7b\\x7d", "40 02 0002", 0},
        {"... DISCONNECT reason=00", NULL, 0},
        {0}};
    static struct site x;
    run(&x, PLANT_STATION, PLANT_JAM, steps, 60);
    CHECK(x.plant.machines[0].station.parts > 5);
}

TEST(devices_come_back)
{
    static const struct script_step steps[] = {
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=1 count=1 filter=x/set:01", "90 04 0001 00 01", SCRIPT_CLOSE},
        {HELLO, HELLO_HEX, 0},
        {"SUBSCRIBE id=2 count=1 filter=x/set:01", "90 04 0002 00 01", 0},
        {"... DISCONNECT reason=00", NULL, 0},
        {0}};
    static struct site x;
    run(&x, PLANT_METER, PLANT_SOUND, steps, 200);
    CHECK(x.plant.machines[0].meter.energy_kwh > 0);
}

/* A plant whose machines are all reached otherwise runs, and ends when it is told or its time is
 * over. */
TEST(devices_may_be_none)
{
    static struct site x;
    static const struct script_step steps[] = {{0}};
    script_open(&x.script, steps);
    plant_init(&x.plant, 1, PLANT_SOUND);
    REQUIRE(plant_add(&x.plant, PLANT_METER, STR("meter")) == ERR_OK);
    struct plant_devices_config cfg = {.alloc = alloc_system(),
                                       .plant = &x.plant,
                                       .speed = 100,
                                       .for_s = 100,
                                       .ctx = &x,
                                       .ended = on_ended};
    x.ended = false;
    REQUIRE(plant_devices_new(&x.devices, x.script.worker, &cfg) == ERR_OK);
    script_run(&x.script);
    CHECK(x.ended);
    CHECK(x.plant.time_s > 99);
    CHECK(x.plant.machines[0].meter.energy_kwh > 0);
    plant_devices_free(x.devices);
}

TEST(devices_survive_every_failed_allocation)
{
    static const struct script_step none[] = {{0}};
    for (uint64_t fail_at = 0;; fail_at++) {
        LABEL("allocation %u fails", (unsigned)fail_at);
        static struct site x;
        struct alloc_faulty faulty;
        script_open(&x.script, none);
        alloc_faulty_init(&faulty, fail_at);
        plant_init(&x.plant, 1, PLANT_SOUND);
        REQUIRE(plant_add(&x.plant, PLANT_METER, STR("a")) == ERR_OK);
        REQUIRE(plant_add(&x.plant, PLANT_METER, STR("b")) == ERR_OK);
        struct plant_device_config devices[] = {{0, STR("a")}, {1, STR("b")}};
        struct plant_devices_config cfg = {.alloc = &faulty.alloc,
                                           .addr = *listener_addr(x.script.listener),
                                           .plant = &x.plant,
                                           .devices = devices,
                                           .devices_n = 2,
                                           .speed = 1,
                                           .ctx = &x,
                                           .ended = on_ended};
        enum err err = plant_devices_new(&x.devices, x.script.worker, &cfg);
        CHECK(err == ERR_OK || err == ERR_NOMEM);
        if (err == ERR_OK)
            plant_devices_stop(x.devices);
        else
            executor_stop(x.script.ex);
        script_run(&x.script);
        plant_devices_free(err ? NULL : x.devices);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
        if (!faulty.failed)
            break;
        REQUIRE(fail_at < 100);
    }
}
