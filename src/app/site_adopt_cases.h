/* site_adopt_cases: messages as devices send them, and the declarations that are proposed. Recorded
 * of the devices that are named, addresses changed. */
#pragma once

#include <stddef.h>

struct adopt_message {
    const char *topic, *payload;
};
struct adopt_case {
    const char *label;
    const char *site; /* declared before, behind `site "home"`; NULL: nothing */
    struct adopt_message messages[14];
    const char *asked[4], *device, *model;
    const char *want; /* the model, "--", the device; "! " before warnings; or the error */
};

static const struct adopt_case adopt_cases[] = {
    {.label = "Tasmota plug that measures (Sonoff S31)",
     .messages = {{"tele/plug1/LWT", "Online"},
                  {"tele/plug1/STATE",
                   "{\"Time\":\"2024-05-01T10:00:00\",\"Uptime\":\"0T00:05:10\",\"UptimeSec\":310,"
                   "\"Heap\":27,\"SleepMode\":\"Dynamic\",\"Sleep\":50,\"LoadAvg\":19,"
                   "\"MqttCount\":1,\"POWER\":\"ON\",\"Wifi\":{\"AP\":1,\"SSId\":\"home\","
                   "\"BSSId\":\"00:11:22:33:44:55\",\"Channel\":6,\"Mode\":\"11n\",\"RSSI\":82,"
                   "\"Signal\":-59,\"LinkCount\":1,\"Downtime\":\"0T00:00:04\"}}"},
                  {"tele/plug1/SENSOR",
                   "{\"Time\":\"2024-05-01T10:00:00\",\"ENERGY\":{\"TotalStartTime\":"
                   "\"2023-01-01T00:00:00\",\"Total\":12.345,\"Yesterday\":0.41,\"Today\":0.12,"
                   "\"Period\":1,\"Power\":38,\"ApparentPower\":51,\"ReactivePower\":34,"
                   "\"Factor\":0.75,\"Voltage\":231,\"Current\":0.22}}"}},
     .asked = {"tele/plug1/SENSOR"},
     .want = ""},
    {.label = "Tasmota with two sensors (BME280 and DS18B20) that says Fahrenheit",
     .messages = {{"tele/attic/SENSOR",
                   "{\"Time\":\"2024-05-01T10:00:00\",\"BME280\":{\"Temperature\":70.2,"
                   "\"Humidity\":44.1,\"DewPoint\":47.3,\"Pressure\":1003.4},\"DS18B20\":{\"Id\":"
                   "\"3C01F0956A01\",\"Temperature\":68.9},\"PressureUnit\":\"hPa\",\"TempUnit\":"
                   "\"F\"}"}},
     .asked = {"tele/attic/SENSOR"},
     .want = ""},
    {.label = "Tasmota of two channels, the prefix last, known by its announcement",
     .messages = {{"tasmota/discovery/DC4F22AABBCC/config",
                   "{\"ip\":\"192.168.1.20\",\"dn\":\"Pump house\",\"fn\":[\"A\",\"B\"],\"hn\":"
                   "\"pumps\",\"mac\":\"DC4F22AABBCC\",\"md\":\"Sonoff Dual R3\",\"t\":\"pumps\","
                   "\"ft\":\"%topic%/%prefix%/\"}"},
                  {"pumps/tele/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER1\":\"OFF\","
                                       "\"POWER2\":\"ON\"}"},
                  {"pumps/stat/POWER1", "OFF"}},
     .asked = {"pumps/stat/POWER1"},
     .want = ""},
    {.label = "Zigbee2MQTT climate sensor, its exposes known (Aqara WSDCGQ11LM)",
     .messages =
         {{"zigbee2mqtt/bridge/devices",
           "[{\"ieee_address\":\"0x00158d0004a1b2c3\",\"type\":\"EndDevice\","
           "\"friendly_name\":\"kitchen/climate\",\"definition\":{\"model\":"
           "\"WSDCGQ11LM\",\"vendor\":\"Aqara\",\"description\":\"Temperature and humidity "
           "sensor\",\"exposes\":[{\"type\":\"numeric\",\"name\":\"battery\",\"property\":"
           "\"battery\",\"unit\":\"%\",\"value_min\":0,\"value_max\":100,\"access\":1,"
           "\"category\":\"diagnostic\"},{\"type\":\"numeric\",\"name\":\"temperature\","
           "\"property\":\"temperature\",\"unit\":\"°C\",\"access\":1},{\"type\":\"numeric\","
           "\"name\":\"humidity\",\"property\":\"humidity\",\"unit\":\"%\",\"access\":1},"
           "{\"type\":\"numeric\",\"name\":\"pressure\",\"property\":\"pressure\",\"unit\":"
           "\"hPa\",\"access\":1},{\"type\":\"numeric\",\"name\":\"voltage\",\"property\":"
           "\"voltage\",\"unit\":\"mV\",\"access\":1},{\"type\":\"numeric\",\"name\":"
           "\"linkquality\",\"property\":\"linkquality\",\"unit\":\"lqi\",\"access\":1}]}}]"},
          {"zigbee2mqtt/kitchen/climate",
           "{\"battery\":97,\"humidity\":45.21,\"linkquality\":120,\"pressure\":1002.1,"
           "\"temperature\":21.35,\"voltage\":3005}"},
          {"zigbee2mqtt/kitchen/climate/availability", "{\"state\":\"online\"}"}},
     .asked = {"zigbee2mqtt/kitchen/climate"},
     .want = ""},
    {.label = "Zigbee2MQTT lamp (IKEA LED1649C5)",
     .messages = {{"zigbee2mqtt/bridge/devices",
                   "[{\"ieee_address\":\"0x000b57fffec6a5b2\",\"friendly_name\":\"lamp\","
                   "\"definition\":{\"model\":\"LED1649C5\",\"vendor\":\"IKEA\",\"description\":"
                   "\"TRADFRI bulb E12/E14\",\"exposes\":[{\"type\":\"light\",\"features\":[{"
                   "\"type\":\"binary\",\"name\":\"state\",\"property\":\"state\",\"value_on\":"
                   "\"ON\",\"value_off\":\"OFF\",\"value_toggle\":\"TOGGLE\",\"access\":7},{"
                   "\"type\":\"numeric\",\"name\":\"brightness\",\"property\":\"brightness\","
                   "\"value_min\":0,\"value_max\":254,\"access\":7}]},{\"type\":\"enum\",\"name\":"
                   "\"effect\",\"property\":\"effect\",\"values\":[\"blink\",\"breathe\",\"okay\"],"
                   "\"access\":2},{\"type\":\"composite\",\"name\":\"level_config\",\"property\":"
                   "\"level_config\",\"features\":[],\"access\":7}]}}]"},
                  {"zigbee2mqtt/lamp", "{\"brightness\":120,\"linkquality\":90,\"state\":\"ON\"}"}},
     .asked = {"zigbee2mqtt/lamp"},
     .want = ""},
    {.label = "Zigbee2MQTT plug whose exposes were not heard",
     .messages =
         {{"zigbee2mqtt/heater",
           "{\"current\":0.5,\"energy\":12.3,\"linkquality\":90,\"power\":110,\"state\":"
           "\"ON\",\"update\":{\"state\":\"idle\",\"installed_version\":12},\"voltage\":229,"
           "\"last_seen\":\"2024-05-01T10:00:00+02:00\"}"}},
     .asked = {"zigbee2mqtt/heater"},
     .want = ""},
    {.label = "Zigbee2MQTT contact and thermostat without a safe action",
     .messages = {{"zigbee2mqtt/bridge/devices",
                   "[{\"ieee_address\":\"0x1\",\"friendly_name\":\"trv\",\"definition\":{\"model\":"
                   "\"TRV\",\"vendor\":\"Moes\",\"exposes\":[{\"type\":\"climate\",\"features\":[{"
                   "\"type\":\"numeric\",\"property\":\"current_heating_setpoint\",\"unit\":\"°C\","
                   "\"value_min\":5,\"value_max\":35,\"value_step\":0.5,\"access\":7},{\"type\":"
                   "\"numeric\",\"property\":\"local_temperature\",\"unit\":\"°C\",\"access\":5},{"
                   "\"type\":\"enum\",\"property\":\"system_mode\",\"values\":[\"heat\",\"auto\","
                   "\"off\"],\"access\":7}]},{\"type\":\"binary\",\"property\":\"window\","
                   "\"value_on\":\"OPEN\",\"value_off\":\"CLOSE\",\"access\":1}]}}]"},
                  {"zigbee2mqtt/trv", "{\"local_temperature\":20.5}"}},
     .asked = {"zigbee2mqtt/trv"},
     .want = ""},
    {.label = "Shelly 1PM, first generation",
     .messages = {{"shellies/shelly1pm-AABBCC/online", "true"},
                  {"shellies/shelly1pm-AABBCC/relay/0", "off"},
                  {"shellies/shelly1pm-AABBCC/relay/0/power", "0.00"},
                  {"shellies/shelly1pm-AABBCC/relay/0/energy", "1234"},
                  {"shellies/shelly1pm-AABBCC/input/0", "0"},
                  {"shellies/shelly1pm-AABBCC/temperature", "45.12"},
                  {"shellies/shelly1pm-AABBCC/temperature_f", "113.22"},
                  {"shellies/shelly1pm-AABBCC/overtemperature", "0"},
                  {"shellies/shelly1pm-AABBCC/announce", "{\"id\":\"shelly1pm-AABBCC\"}"}},
     .asked = {"shellies/shelly1pm-AABBCC/relay/0"},
     .want = ""},
    {.label = "Shelly Plus 1PM, second generation",
     .messages =
         {{"shellyplus1pm-a8032abcdef0/online", "true"},
          {"shellyplus1pm-a8032abcdef0/status/switch:0",
           "{\"id\":0,\"source\":\"init\",\"output\":false,\"apower\":0.0,\"voltage\":230.1,"
           "\"freq\":50.0,\"current\":0.0,\"aenergy\":{\"total\":1234.5,\"by_minute\":[0,0,0],"
           "\"minute_ts\":1714550400},\"temperature\":{\"tC\":45.6,\"tF\":114.1}}"},
          {"shellyplus1pm-a8032abcdef0/status/input:0", "{\"id\":0,\"state\":false}"},
          {"shellyplus1pm-a8032abcdef0/status/wifi", "{\"sta_ip\":\"192.168.1.9\",\"rssi\":-60}"}},
     .asked = {"shellyplus1pm-a8032abcdef0/status/switch:0"},
     .want = ""},
    {.label = "Shelly Plus, heard by its notifications alone",
     .messages = {{"shellyplus1-12ab/events/rpc",
                   "{\"src\":\"shellyplus1-12ab\",\"dst\":\"shellyplus1-12ab/events\",\"method\":"
                   "\"NotifyStatus\",\"params\":{\"ts\":1714550400.12,\"switch:0\":{\"id\":0,"
                   "\"output\":true,\"source\":\"button\"}}}"}},
     .asked = {"shellyplus1-12ab/events/rpc"},
     .want = ""},
    {.label = "ESPHome",
     .messages = {{"garden/status", "online"},
                  {"garden/sensor/soil_moisture/state", "31.5"},
                  {"garden/sensor/air_temperature/state", "18.2"},
                  {"garden/switch/valve/state", "OFF"},
                  {"garden/debug", "[D] x"}},
     .asked = {"garden/sensor/soil_moisture/state"},
     .want = ""},
    {.label = "plain JSON that follows the convention",
     .messages =
         {{"line1/press3/telemetry", "{\"temperature\":61.2,\"running\":true,\"parts\":12}"},
          {"line1/press3/telemetry", "{\"temperature\":63.8,\"running\":true,\"parts\":13}"},
          {"line1/press3/telemetry", "{\"temperature\":62,\"running\":false,\"parts\":14}"}},
     .asked = {"line1/press3/telemetry"},
     .want = ""},
    {.label = "plain JSON with other names",
     .messages = {{"cellar",
                   "{\"TempC\":8.5,\"hum\":71,\"bat\":2.95,\"door\":\"closed\",\"mode\":\"eco\","
                   "\"ts\":1714550400,\"mac\":\"aa:bb\",\"data\":{\"co2\":612}}"}},
     .asked = {"cellar"},
     .want = ""},
    {.label = "ts and values",
     .messages = {{"v1/tank",
                   "{\"ts\":1714550400000,\"values\":{\"level_cm\":120,\"pump\":\"on\"}}"}},
     .asked = {"v1/tank"},
     .want = ""},
    {.label = "bare values of one place",
     .messages = {{"garden/bed1/moisture", "31"},
                  {"garden/bed1/moisture", "30.5"},
                  {"garden/bed1/temp", "12.5"},
                  {"garden/bed1/Valve State", "open"},
                  {"garden/bed2/moisture", "20"}},
     .asked = {"garden/bed1/moisture"},
     .want = ""},
    {.label = "of several bare values those that are asked for",
     .messages = {{"home/temperature", "21"}, {"home/humidity", "40"}, {"home/door", "open"}},
     .asked = {"home/temperature", "home/humidity"},
     .want = ""},
    {.label = "a bare value on a topic of one level",
     .messages = {{"counter", "12"}},
     .asked = {"counter"},
     .want = ""},
    {.label = "a model that is there",
     .site = "model Climate {\n  property temperature: °C range -40..85\n"
             "  property humidity: % range 0..100\n}\n"
             "device house.attic: Climate { via mqtt \"house/attic\" json }\n",
     .messages = {{"house/cellar", "{\"temperature\":12,\"humidity\":70}"}},
     .asked = {"house/cellar"},
     .want = ""},
    {.label = "a model that is there and does not fit",
     .site = "model Climate {\n  property temperature: °C range 0..10\n"
             "  property humidity: %\n}\n"
             "device house.attic: Climate { via mqtt \"house/attic\" json }\n",
     .messages = {{"house/cellar", "{\"temperature\":12,\"humidity\":70}"}},
     .asked = {"house/cellar"},
     .model = "Climate",
     .want = ""},
    {.label = "one more value of a device that is declared",
     .site = "model Bed { property moisture: % }\n"
             "device garden.bed1: Bed { id \"b1\"; via mqtt \"garden/bed1\" json }\n",
     .messages = {{"garden/bed1/temp", "12.5"}},
     .asked = {"garden/bed1/temp"},
     .want = ""},
    {.label = "the rest of a Tasmota device that is declared",
     .site = "model Power {\n  property power: W // all there is\n}\n"
             "device home.plug1: Power {\n    property power = \"ENERGY.Power\" on "
             "\"tele/plug1/SENSOR\" // measured\n}\n",
     .messages = {{"tele/plug1/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER\":\"ON\"}"},
                  {"tele/plug1/LWT", "Online"}},
     .asked = {"tele/plug1/STATE"},
     .want = ""},
    {.label = "names that are wanted, and one that is taken",
     .site = "model Thermometer { property t: °C }\n"
             "device home.t: Thermometer { via mqtt \"x\" json }\ngroup home.all = home.t\n",
     .messages = {{"t2", "{\"temperature\":12}"}},
     .asked = {"t2"},
     .device = "home.all",
     .want = ""},
    {.label = "a name that is none",
     .messages = {{"t2", "{\"temperature\":12}"}},
     .asked = {"t2"},
     .device = "home.when",
     .want = ""},
    {.label = "nothing to have",
     .messages = {{"x/y", "{\"Time\":\"2024-05-01T10:00:00\"}"}},
     .asked = {"x/y"},
     .want = ""},
    {.label = "a command",
     .messages = {{"cmnd/plug1/POWER", "ON"}},
     .asked = {"cmnd/plug1/POWER"},
     .want = ""},
    {.label = "what was not heard", .messages = {{"x", "1"}}, .asked = {"y"}, .want = ""},
};
