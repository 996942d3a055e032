/* adopt_cases: what things without a known maker become, and what is there already. */
#pragma once

#include "site/adopt_case.h"

static const struct adopt_case adopt_cases[] = {
    {.label = "plain JSON that follows the convention",
     .messages =
         {{"line1/press3/telemetry", "{\"temperature\":61.2,\"running\":true,\"parts\":12}"},
          {"line1/press3/telemetry", "{\"temperature\":63.8,\"running\":true,\"parts\":13}"},
          {"line1/press3/telemetry", "{\"temperature\":62,\"running\":false,\"parts\":14}"}},
     .asked = {"line1/press3/telemetry"},
     .want = "model Press {\n"
             "  property temperature: °C    range -55..150  // unit guessed; seen 61.2 … 63.8\n"
             "  property running:     bool\n"
             "  property parts:       int                   // seen 12 … 14\n"
             "}\n"
             "--\n"
             "device line1.press3: Press { via mqtt \"line1/press3\" json }\n"},
    {.label = "plain JSON with other names",
     .messages = {{"cellar",
                   "{\"TempC\":8.5,\"hum\":71,\"bat\":2.95,\"door\":\"closed\",\"mode\":\"eco\","
                   "\"ts\":1714550400,\"mac\":\"aa:bb\",\"data\":{\"co2\":612}}"}},
     .asked = {"cellar"},
     .want = "model Cellar {\n"
             "  property temperature: °C    range -55..150  // seen 8.5\n"
             "  property hum:         %     range 0..100    // unit guessed; seen 71\n"
             "  property bat:         V     range 0..10     // unit guessed; seen 2.95\n"
             "  property door:        bool\n"
             "  property mode:        str                   // seen: eco\n"
             "  property co2:         ppm   range 0..10000  // unit guessed; seen 612\n"
             "}\n"
             "--\n"
             "device home.cellar: Cellar {\n"
             "  via mqtt \"cellar\" json\n"
             "  property temperature = \"TempC\" on \"cellar\"\n"
             "  property co2         = \"data.co2\" on \"cellar\"\n"
             "}\n"},
    {.label = "a SenML pack",
     .messages = {{"rfc/sensor",
                   "[{\"bn\":\"urn:dev:ow:10e2073a0108006:\",\"bt\":1.276020076e+09,"
                   "\"bu\":\"A\",\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1},{\"n\":"
                   "\"current\",\"t\":-5,\"v\":1.2},{\"n\":\"room/temp\",\"u\":\"Cel\","
                   "\"v\":21.5},{\"n\":\"open\",\"vb\":false},{\"n\":\"Odd Name\",\"v\":1}]"}},
     .asked = {"rfc/sensor"},
     .want = "model Sensor {\n"
             "  property voltage: V     range 0..300    // seen 120.1\n"
             "  property current: A     range 0..16     // seen 1.2\n"
             "  property temp:    °C    range -55..150  // seen 21.5\n"
             "  property open:    bool\n"
             "}\n"
             "--\n"
             "device rfc.sensor: Sensor { via mqtt \"rfc/sensor\" json }\n"},
    {.label = "ts and values",
     .messages = {{"v1/tank",
                   "{\"ts\":1714550400000,\"values\":{\"level_cm\":120,\"pump\":\"on\"}}"}},
     .asked = {"v1/tank"},
     .want = "model Tank {\n"
             "  property level_cm: cm    // seen 120\n"
             "  property pump:     bool\n"
             "}\n"
             "--\n"
             "device v1.tank: Tank { via mqtt \"v1/tank\" json }\n"},
    {.label = "bare values of one place",
     .messages = {{"garden/bed1/moisture", "31"},
                  {"garden/bed1/moisture", "30.5"},
                  {"garden/bed1/temp", "12.5"},
                  {"garden/bed1/Valve State", "open"},
                  {"garden/bed2/moisture", "20"}},
     .asked = {"garden/bed1/moisture"},
     .want = "model Bed {\n"
             "  property moisture:    %     range 0..100    // unit guessed; seen 30.5 … 31\n"
             "  property temp:        °C    range -55..150  // unit guessed; seen 12.5\n"
             "  property valve_state: bool\n"
             "}\n"
             "--\n"
             "device garden.bed1: Bed {\n"
             "  via mqtt \"garden/bed1\" json\n"
             "  property valve_state = on \"garden/bed1/Valve State\"\n"
             "}\n"},
    {.label = "of several bare values those that are asked for",
     .messages = {{"home/temperature", "21"}, {"home/humidity", "40"}, {"home/door", "open"}},
     .asked = {"home/temperature", "home/humidity"},
     .want = "model ClimateSensor {\n"
             "  property temperature: °C  range -55..150  // unit guessed; seen 21\n"
             "  property humidity:    %   range 0..100    // unit guessed; seen 40\n"
             "}\n"
             "--\n"
             "device home: ClimateSensor { via mqtt \"home\" json }\n"},
    {.label = "a bare value on a topic of one level",
     .messages = {{"counter", "12"}},
     .asked = {"counter"},
     .want = "model CounterSensor {\n"
             "  property counter: int  // seen 12\n"
             "}\n"
             "--\n"
             "device home.counter: CounterSensor {\n"
             "  property counter = on \"counter\"\n"
             "}\n"},
    {.label = "a model that is there",
     .site = "model Climate {\n  property temperature: °C range -40..85\n"
             "  property humidity: % range 0..100\n}\n"
             "device house.attic: Climate { via mqtt \"house/attic\" json }\n",
     .messages = {{"house/cellar", "{\"temperature\":12,\"humidity\":70}"}},
     .asked = {"house/cellar"},
     .want = "device house.cellar: Climate { via mqtt \"house/cellar\" json }\n"},
    {.label = "a model that is there and does not fit",
     .site = "model Climate {\n  property temperature: °C range 0..10\n"
             "  property humidity: %\n}\n"
             "device house.attic: Climate { via mqtt \"house/attic\" json }\n",
     .messages = {{"house/cellar", "{\"temperature\":12,\"humidity\":70}"}},
     .asked = {"house/cellar"},
     .model = "Climate",
     .want = "invalid: temperature of the model Climate is another quantity, or of another range, "
             "than what is heard (°C)\n"},
    {.label = "one more value of a device that is declared",
     .site = "model Bed { property moisture: % }\n"
             "device garden.bed1: Bed { id \"b1\"; via mqtt \"garden/bed1\" json }\n",
     .messages = {{"garden/bed1/temp", "12.5"}},
     .asked = {"garden/bed1/temp"},
     .want = "  property temp: °C  range -55..150  // unit guessed; seen 12.5\n"},
    {.label = "an identity is no topic",
     .site = "model Bed { property moisture: % }\n"
             "device garden.bed1: Bed { id \"garden/bed1\"; via mqtt \"bed\" json }\n",
     .messages = {{"garden/bed1/temp", "12.5"}},
     .asked = {"garden/bed1/temp"},
     .want = "model Thermometer {\n"
             "  property temp: °C  range -55..150  // unit guessed; seen 12.5\n"
             "}\n"
             "--\n"
             "device garden.bed1_2: Thermometer { via mqtt \"garden/bed1\" json }\n"},
    {.label = "a value beside one that another device has and could not read",
     .site = "model Th { property x: °C }\n"
             "device a.t: Th { property x = on \"B/x\" }\n",
     .messages = {{"B/x", "warm"}, {"B/y", "3.5"}},
     .claimed = "B/x",
     .asked = {"B/y"},
     .want = "model YSensor {\n"
             "  property y: float  // unit not known; seen 3.5\n"
             "}\n"
             "--\n"
             "device a.b: YSensor { via mqtt \"B\" json }\n"},
    {.label = "a document that a device could not read",
     .site = "model Bed { property moisture: % }\n"
             "device garden.bed1: Bed { via mqtt \"bed\" json }\n",
     .messages = {{"bed", "{\"moisture\":31,\"temp\":12.5}"}},
     .asked = {"bed"},
     .want = "  property temp: °C  range -55..150  // unit guessed; seen 12.5\n"},
    {.label = "the rest of a Tasmota device that is declared",
     .site = "model Power {\n  property power: W // all there is\n}\n"
             "device home.plug1: Power {\n    property power = \"ENERGY.Power\" on "
             "\"tele/plug1/SENSOR\" // measured\n}\n",
     .messages = {{"tele/plug1/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER\":\"ON\"}"},
                  {"tele/plug1/LWT", "Online"}},
     .asked = {"tele/plug1/STATE"},
     .want = "  property on: bool\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "--\n"
             "  property on = on \"stat/plug1/POWER\"\n"
             "  property on = \"POWER\" on \"tele/plug1/STATE\"\n"
             "  action on()  publish \"cmnd/plug1/POWER\" \"ON\"\n"
             "  action off() publish \"cmnd/plug1/POWER\" \"OFF\"\n"
             "  online on \"tele/plug1/LWT\"\n"},
    {.label = "what a name seems to be, and is not",
     .messages = {{"zigbee2mqtt/w",
                   "{\"contact\":false,\"device_temperature\":19,\"power_outage_count\":3,"
                   "\"color_temp\":370}"}},
     .asked = {"zigbee2mqtt/w"},
     .want = "model ContactSensor {\n"
             "  property contact:            bool\n"
             "  property device_temperature: °C     range -55..150  // unit guessed; seen 19\n"
             "  property power_outage_count: int                    // seen 3\n"
             "  property color_temp:         float                  // seen 370\n"
             "}\n"
             "--\n"
             "device home.w: ContactSensor { via mqtt \"zigbee2mqtt/w\" json }\n"
             "! what it has is guessed from its messages: the bridge's list of devices "
             "(bridge/devices), which tells it, was not heard\n"},
    {.label = "a bought plug takes the place of a device of `sedge init`",
     .site = "model Switch { property on: bool; action on() confirms on; action off() confirms not "
             "on; safe off() }\n"
             "device home.bath.fan: Switch { via mqtt \"home/bath/fan\" json }\n",
     .messages = {{"tele/plug1/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER\":\"ON\"}"},
                  {"tele/plug1/LWT", "Online"}},
     .asked = {"tele/plug1/STATE"},
     .device = "home.bath.fan",
     .want =
         "  property on = on \"stat/plug1/POWER\"\n"
         "  property on = \"POWER\" on \"tele/plug1/STATE\"\n"
         "  action on()  publish \"cmnd/plug1/POWER\" \"ON\"\n"
         "  action off() publish \"cmnd/plug1/POWER\" \"OFF\"\n"
         "  online on \"tele/plug1/LWT\"\n"
         "! home.bath.fan is still heard on \"home/bath/fan\", too: if nothing speaks there, take "
         "`via mqtt` out of its declaration\n"},
    {.label = "a bought plug for a device that does one of its commands itself",
     .site = "model Switch { property on: bool; action on() confirms on; action off() confirms not "
             "on; safe off() }\n"
             "device home.bath.fan: Switch { via mqtt \"home/bath/fan\" json\n"
             "  action off() publish \"stop\" \"all\"\n}\n",
     .messages = {{"tele/plug1/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER\":\"ON\"}"}},
     .asked = {"tele/plug1/STATE"},
     .device = "home.bath.fan",
     .want = "  property on = on \"stat/plug1/POWER\"\n"
             "  property on = \"POWER\" on \"tele/plug1/STATE\"\n"
             "  action on() publish \"cmnd/plug1/POWER\" \"ON\"\n"
             "  online on \"tele/plug1/LWT\"\n"},
    {.label = "a number that no relay has",
     .messages = {{"tele/x1/STATE", "{\"POWER-1\":\"ON\",\"POWER0\":\"ON\",\"Dimmer\":5}"}},
     .asked = {"tele/x1/STATE"},
     .want =
         "model DimmerSensor {\n"
         "  property dimmer: %  range 0..100  // seen 5\n"
         "}\n"
         "--\n"
         "// Tasmota\n"
         "device home.x1: DimmerSensor {\n"
         "  id \"tasmota:x1\"\n"
         "  property dimmer = \"Dimmer\" on \"tele/x1/STATE\"\n"
         "  online on \"tele/x1/LWT\"\n"
         "}\n"
         "! dim(…) is left out: of a model's actions one must be safe, and it is not known here "
         "which\n"},
    {.label = "names that are wanted, and one that is taken",
     .site = "model Thermometer { property t: °C }\n"
             "device home.t: Thermometer { via mqtt \"x\" json }\ngroup home.all = home.t\n",
     .messages = {{"t2", "{\"temperature\":12}"}},
     .asked = {"t2"},
     .device = "home.all",
     .want = "exists already: home.all is a group already\n"},
    {.label = "a name that is none",
     .messages = {{"t2", "{\"temperature\":12}"}},
     .asked = {"t2"},
     .device = "home.when",
     .want = "invalid: home.when is no name of a device: letters, digits and _, with dots between "
             "places, as in home.plug1\n"},
    {.label = "nothing to have",
     .messages = {{"x/y", "{\"Time\":\"2024-05-01T10:00:00\"}"}},
     .asked = {"x/y"},
     .want = "invalid: nothing here becomes a property: x/y Time: it is a time\n"},
    {.label = "a command",
     .messages = {{"cmnd/plug1/POWER", "ON"}},
     .asked = {"cmnd/plug1/POWER"},
     .want = "invalid: cmnd/plug1/POWER tells nothing of a device: it is a command to a device\n"},
    {.label = "what was not heard",
     .messages = {{"x", "1"}},
     .asked = {"y"},
     .want = "not found: nothing was heard on y that no device claims\n"},
    {.label = "a mistyped topic",
     .messages = {{"tele/plug1/STATE", "{\"POWER\":\"ON\"}"},
                  {"tele/plug1/SENSOR", "{\"ENERGY\":{\"Power\":38}}"}},
     .asked = {"tele/plug1/SENSR"},
     .want = "not found: nothing was heard on tele/plug1/SENSR that no device claims; did you mean "
             "tele/plug1/SENSOR?\n"},
    {.label = "half a topic",
     .messages = {{"zigbee2mqtt/bridge/state", "online"},
                  {"zigbee2mqtt/bath/climate", "{\"humidity\":55}"}},
     .asked = {"zigbee2mqtt/bath"},
     .want = "not found: nothing was heard on zigbee2mqtt/bath that no device claims; did you mean "
             "zigbee2mqtt/bath/climate?\n"},
    {.label = "a device's own name",
     .messages = {{"other/plug10/x", "1"}, {"tele/plug1/STATE", "{\"POWER\":\"ON\"}"}},
     .asked = {"plug1"},
     .want = "not found: nothing was heard on plug1 that no device claims; did you mean "
             "tele/plug1/STATE?\n"},
};
