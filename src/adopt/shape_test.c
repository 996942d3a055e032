#include "adopt/shape.h"
#include "tests/support/test.h"

static bool is_there(void *ctx, struct str topic)
{
    (void)ctx;
    return str_eq(topic, STR("z2m/bridge/devices")) || str_eq(topic, STR("heater/status/switch:0"));
}

/* One topic: "tasmota plug1 SENSOR"; of what is told nothing by, "(command) tasmota plug1 POWER".
 */
static void describe(const struct adopt_thing *t, struct strbuf *out)
{
    const char *kin = adopt_shape_name(t->kin), *obstacle = adopt_obstacle_name(t->obstacle);
    strbuf_reset(out);
    if (obstacle)
        strbuf_addf(out, "(%s) ", obstacle);
    strbuf_addf(out, "%s %.*s %.*s", kin ? kin : "-", STR_FMT(t->base), STR_FMT(t->rest));
}

TEST(topics_are_of_things)
{
    static const struct {
        const char *topic;
        enum payload_kind kind;
        const char *want;
    } rows[] = {
        {"tele/plug1/SENSOR", PAYLOAD_JSON, "tasmota plug1 SENSOR"},
        {"tele/floor1/plug1/LWT", PAYLOAD_TEXT, "tasmota floor1/plug1 LWT"},
        {"stat/plug1/POWER2", PAYLOAD_TEXT, "tasmota plug1 POWER2"},
        {"plug1/tele/STATE", PAYLOAD_JSON, "tasmota plug1 STATE"},
        {"stat/plug1/STATUS8", PAYLOAD_JSON, "tasmota plug1 STATUS8"},
        {"tele/plug1/other", PAYLOAD_JSON, "json tele/plug1/other "},
        {"tele/SENSOR", PAYLOAD_JSON, "json tele/SENSOR "},
        {"cmnd/plug1/POWER", PAYLOAD_TEXT, "(command) tasmota plug1 POWER"},
        {"floor1/plug1/cmnd/POWER", PAYLOAD_TEXT, "(command) tasmota floor1/plug1 POWER"},
        {"tasmota/discovery/DC4F22/config", PAYLOAD_JSON, "(announcement) - tasmota/discovery "},
        {"zigbee2mqtt/kitchen/climate", PAYLOAD_JSON, "zigbee2mqtt zigbee2mqtt/kitchen/climate "},
        {"zigbee2mqtt/lamp/availability", PAYLOAD_JSON,
         "zigbee2mqtt zigbee2mqtt/lamp availability"},
        {"zigbee2mqtt/lamp/set", PAYLOAD_JSON, "(command) zigbee2mqtt zigbee2mqtt/lamp "},
        {"zigbee2mqtt/lamp/set/state", PAYLOAD_TEXT, "(command) zigbee2mqtt zigbee2mqtt/lamp "},
        {"zigbee2mqtt/settee", PAYLOAD_JSON, "zigbee2mqtt zigbee2mqtt/settee "},
        {"zigbee2mqtt/bridge/devices", PAYLOAD_JSON, "(announcement) - zigbee2mqtt/bridge "},
        {"zigbee2mqtt/bridge/request/x", PAYLOAD_JSON, "(announcement) - zigbee2mqtt/bridge "},
        {"z2m/lamp", PAYLOAD_JSON, "zigbee2mqtt z2m/lamp "},
        {"other/lamp", PAYLOAD_JSON, "json other/lamp "},
        {"shellies/shelly1-AB/relay/0", PAYLOAD_TEXT, "shelly shellies/shelly1-AB relay/0"},
        {"shellies/shelly1-AB/relay/0/command", PAYLOAD_TEXT,
         "(command) shelly shellies/shelly1-AB relay/0/command"},
        {"shellies/announce", PAYLOAD_JSON, "(announcement) - shellies/announce "},
        {"shellies/shelly1-AB/announce", PAYLOAD_JSON,
         "(announcement) shelly shellies/shelly1-AB announce"},
        {"heater/status/switch:0", PAYLOAD_JSON, "shelly heater status/switch:0"},
        {"heater/command/switch:0", PAYLOAD_TEXT, "(command) shelly heater command/switch:0"},
        {"heater/rpc", PAYLOAD_JSON, "(command) shelly heater rpc"},
        {"heater/online", PAYLOAD_TEXT, "shelly heater online"},
        {"other/online", PAYLOAD_TEXT, "value other online"},
        {"other/status/x", PAYLOAD_JSON, "json other/status/x "},
        {"other/rpc", PAYLOAD_JSON, "json other/rpc "},
        {"a/b/events/rpc", PAYLOAD_JSON, "shelly a/b events/rpc"},
        {"garden/sensor/soil/state", PAYLOAD_NUMBER, "esphome garden sensor/soil"},
        {"garden/switch/pump/command", PAYLOAD_TEXT, "(command) esphome garden switch/pump"},
        {"line1/press1", PAYLOAD_JSON, "json line1/press1 "},
        {"line1/press1/telemetry", PAYLOAD_JSON, "json line1/press1 "},
        {"line1/press1/temperature", PAYLOAD_NUMBER, "value line1/press1 temperature"},
        {"counter", PAYLOAD_NUMBER, "value counter "},
        {"/odd", PAYLOAD_NUMBER, "value /odd "},
        {"line1/press1/set", PAYLOAD_JSON, "(command) json line1/press1 "},
        {"x", PAYLOAD_BINARY, "(binary) value x "},
        {"hall/camera", PAYLOAD_BINARY, "(binary) value hall camera"},
        {"homeassistant/sensor/x/config", PAYLOAD_JSON, "(announcement) - homeassistant "},
        {"spBv1.0/g/NDATA/n", PAYLOAD_TEXT, "(sparkplug) - spBv1.0/g "},
        {"spBv1.0/STATE", PAYLOAD_TEXT, "(sparkplug) - spBv1.0/STATE "},
        {"$SYS/broker/uptime", PAYLOAD_NUMBER, "(announcement) - $SYS "},
    };
    const struct adopt_topics all = {is_there, NULL};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].topic);
        struct adopt_thing t = adopt_thing_of(str_from(rows[i].topic), rows[i].kind, &all);
        describe(&t, &b);
        CHECK_EQ_STR(b.p, rows[i].want);
        CHECK_EQ_INT(t.shape, t.obstacle ? SHAPE_NONE : t.kin);
    }
    strbuf_fini(&b);
}

TEST(a_document_and_the_values_below_it_are_one_thing)
{
    const struct adopt_topics all = {is_there, NULL};
    struct adopt_thing a = adopt_thing_of(STR("a/b"), PAYLOAD_JSON, &all);
    struct adopt_thing b = adopt_thing_of(STR("a/b/c"), PAYLOAD_NUMBER, &all);
    struct adopt_thing c = adopt_thing_of(STR("a/b/c"), PAYLOAD_JSON, &all);
    struct adopt_thing none = adopt_thing_of(STR("$SYS/x"), PAYLOAD_NUMBER, &all);
    CHECK(adopt_same_thing(&a, &b));
    CHECK(!adopt_same_thing(&a, &c));
    CHECK(!adopt_same_thing(&none, &none));
}
