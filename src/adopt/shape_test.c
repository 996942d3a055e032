#include "adopt/shape.h"
#include "tests/support/test.h"

static bool is_there(void *ctx, struct str topic)
{
    (void)ctx;
    return str_eq(topic, STR("z2m/bridge/devices")) || str_eq(topic, STR("heater/status/switch:0"));
}

TEST(topics_are_of_things)
{
    static const struct {
        const char *topic;
        enum payload_kind kind;
        const char *shape, *base, *rest; /* shape NULL: of nothing */
    } rows[] = {
        {"tele/plug1/SENSOR", PAYLOAD_JSON, "tasmota", "plug1", "SENSOR"},
        {"tele/floor1/plug1/LWT", PAYLOAD_TEXT, "tasmota", "floor1/plug1", "LWT"},
        {"stat/plug1/POWER2", PAYLOAD_TEXT, "tasmota", "plug1", "POWER2"},
        {"plug1/tele/STATE", PAYLOAD_JSON, "tasmota", "plug1", "STATE"},
        {"stat/plug1/STATUS8", PAYLOAD_JSON, "tasmota", "plug1", "STATUS8"},
        {"tele/plug1/other", PAYLOAD_JSON, "json", "tele/plug1/other", ""},
        {"tele/SENSOR", PAYLOAD_JSON, "json", "tele/SENSOR", ""},
        {"cmnd/plug1/POWER", PAYLOAD_TEXT, NULL, "", ""},
        {"tasmota/discovery/DC4F22/config", PAYLOAD_JSON, NULL, "", ""},
        {"zigbee2mqtt/kitchen/climate", PAYLOAD_JSON, "zigbee2mqtt", "zigbee2mqtt/kitchen/climate",
         ""},
        {"zigbee2mqtt/lamp/availability", PAYLOAD_JSON, "zigbee2mqtt", "zigbee2mqtt/lamp",
         "availability"},
        {"zigbee2mqtt/lamp/set", PAYLOAD_JSON, NULL, "zigbee2mqtt/lamp/set", ""},
        {"zigbee2mqtt/bridge/devices", PAYLOAD_JSON, NULL, "zigbee2mqtt/bridge/devices", ""},
        {"z2m/lamp", PAYLOAD_JSON, "zigbee2mqtt", "z2m/lamp", ""},
        {"other/lamp", PAYLOAD_JSON, "json", "other/lamp", ""},
        {"shellies/shelly1-AB/relay/0", PAYLOAD_TEXT, "shelly", "shellies/shelly1-AB", "relay/0"},
        {"shellies/shelly1-AB/relay/0/command", PAYLOAD_TEXT, NULL, "shellies/shelly1-AB",
         "relay/0/command"},
        {"shellies/announce", PAYLOAD_JSON, NULL, "shellies/announce", ""},
        {"heater/status/switch:0", PAYLOAD_JSON, "shelly", "heater", "status/switch:0"},
        {"heater/online", PAYLOAD_TEXT, "shelly", "heater", "online"},
        {"other/online", PAYLOAD_TEXT, "value", "other", "online"},
        {"other/status/x", PAYLOAD_JSON, "json", "other/status/x", ""},
        {"a/b/events/rpc", PAYLOAD_JSON, "shelly", "a/b", "events/rpc"},
        {"garden/sensor/soil/state", PAYLOAD_NUMBER, "esphome", "garden", "sensor/soil"},
        {"line1/press1", PAYLOAD_JSON, "json", "line1/press1", ""},
        {"line1/press1/telemetry", PAYLOAD_JSON, "json", "line1/press1", ""},
        {"line1/press1/temperature", PAYLOAD_NUMBER, "value", "line1/press1", "temperature"},
        {"counter", PAYLOAD_NUMBER, "value", "counter", ""},
        {"/odd", PAYLOAD_NUMBER, "value", "/odd", ""},
        {"line1/press1/set", PAYLOAD_JSON, NULL, "", ""},
        {"x", PAYLOAD_BINARY, NULL, "", ""},
        {"homeassistant/sensor/x/config", PAYLOAD_JSON, NULL, "", ""},
        {"spBv1.0/g/NDATA/n", PAYLOAD_TEXT, NULL, "", ""},
        {"$SYS/broker/uptime", PAYLOAD_NUMBER, NULL, "", ""},
    };
    const struct adopt_topics all = {is_there, NULL};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].topic);
        struct adopt_thing t = adopt_thing_of(str_from(rows[i].topic), rows[i].kind, &all);
        const char *name = adopt_shape_name(t.shape);
        CHECK_EQ_STR(name ? name : "(none)", rows[i].shape ? rows[i].shape : "(none)");
        CHECK(str_eq(t.base, str_from(rows[i].base)));
        CHECK(str_eq(t.rest, str_from(rows[i].rest)));
    }
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
