/* adopt_maker_cases: what things of known makers become. Recorded of the devices that are named,
 * addresses changed. */
#pragma once

#include "site/adopt_case.h"

static const struct adopt_case adopt_maker_cases[] = {
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
     .want = "model Plug {\n"
             "  property on:               bool\n"
             "  property energy:           kWh                   // seen 12.345\n"
             "  property energy_yesterday: kWh                   // seen 0.41\n"
             "  property energy_today:     kWh                   // seen 0.12\n"
             "  property power:            W      range 0..4000  // seen 38\n"
             "  property apparent_power:   VA     range 0..4000  // seen 51\n"
             "  property reactive_power:   var    range 0..100   // seen 34\n"
             "  property power_factor:     float  range -1..1    // seen 0.75\n"
             "  property voltage:          V      range 0..300   // seen 231\n"
             "  property current:          A      range 0..16    // seen 0.22\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "// Tasmota\n"
             "device home.plug1: Plug {\n"
             "  id \"tasmota:plug1\"\n"
             "  property on               = on \"stat/plug1/POWER\"\n"
             "  property on               = \"POWER\" on \"tele/plug1/STATE\"\n"
             "  property energy           = \"ENERGY.Total\" on \"tele/plug1/SENSOR\"\n"
             "  property energy_yesterday = \"ENERGY.Yesterday\" on \"tele/plug1/SENSOR\"\n"
             "  property energy_today     = \"ENERGY.Today\" on \"tele/plug1/SENSOR\"\n"
             "  property power            = \"ENERGY.Power\" on \"tele/plug1/SENSOR\"\n"
             "  property apparent_power   = \"ENERGY.ApparentPower\" on \"tele/plug1/SENSOR\"\n"
             "  property reactive_power   = \"ENERGY.ReactivePower\" on \"tele/plug1/SENSOR\"\n"
             "  property power_factor     = \"ENERGY.Factor\" on \"tele/plug1/SENSOR\"\n"
             "  property voltage          = \"ENERGY.Voltage\" on \"tele/plug1/SENSOR\"\n"
             "  property current          = \"ENERGY.Current\" on \"tele/plug1/SENSOR\"\n"
             "  action on()  publish \"cmnd/plug1/POWER\" \"ON\"\n"
             "  action off() publish \"cmnd/plug1/POWER\" \"OFF\"\n"
             "  online on \"tele/plug1/LWT\"\n"
             "}\n"},
    {.label = "Tasmota with two sensors (BME280 and DS18B20) that says Fahrenheit",
     .messages = {{"tele/attic/SENSOR",
                   "{\"Time\":\"2024-05-01T10:00:00\",\"BME280\":{\"Temperature\":70.2,"
                   "\"Humidity\":44.1,\"DewPoint\":47.3,\"Pressure\":1003.4},\"DS18B20\":{\"Id\":"
                   "\"3C01F0956A01\",\"Temperature\":68.9},\"PressureUnit\":\"hPa\",\"TempUnit\":"
                   "\"F\"}"}},
     .asked = {"tele/attic/SENSOR"},
     .want = "model ClimateSensor {\n"
             "  property temperature:         °F   range -67..302   // seen 70.2\n"
             "  property humidity:            %    range 0..100     // seen 44.1\n"
             "  property dew_point:           °F   range -112..140  // seen 47.3\n"
             "  property pressure:            hPa  range 300..1100  // seen 1003.4\n"
             "  property ds18b20_temperature: °F   range -67..302   // seen 68.9\n"
             "}\n"
             "--\n"
             "// Tasmota\n"
             "device home.attic: ClimateSensor {\n"
             "  id \"tasmota:attic\"\n"
             "  property temperature         = \"BME280.Temperature\" on \"tele/attic/SENSOR\"\n"
             "  property humidity            = \"BME280.Humidity\" on \"tele/attic/SENSOR\"\n"
             "  property dew_point           = \"BME280.DewPoint\" on \"tele/attic/SENSOR\"\n"
             "  property pressure            = \"BME280.Pressure\" on \"tele/attic/SENSOR\"\n"
             "  property ds18b20_temperature = \"DS18B20.Temperature\" on \"tele/attic/SENSOR\"\n"
             "  online on \"tele/attic/LWT\"\n"
             "}\n"},
    {.label = "Tasmota of two channels, the prefix last, known by its announcement",
     .messages = {{"tasmota/discovery/DC4F22AABBCC/config",
                   "{\"ip\":\"192.168.1.20\",\"dn\":\"Pump house\",\"fn\":[\"A\",\"B\"],\"hn\":"
                   "\"pumps\",\"mac\":\"DC4F22AABBCC\",\"md\":\"Sonoff Dual R3\",\"t\":\"pumps\","
                   "\"ft\":\"%topic%/%prefix%/\"}"},
                  {"pumps/tele/STATE", "{\"Time\":\"2024-05-01T10:00:00\",\"POWER1\":\"OFF\","
                                       "\"POWER2\":\"ON\"}"},
                  {"pumps/stat/POWER1", "OFF"}},
     .asked = {"pumps/stat/POWER1"},
     .want = "model Pumps {\n"
             "  property on1: bool\n"
             "  property on2: bool\n"
             "  action   on1()  confirms on1\n"
             "  action   off1() confirms not on1\n"
             "  action   on2()  confirms on2\n"
             "  action   off2() confirms not on2\n"
             "  safe     off1()\n"
             "}\n"
             "--\n"
             "// Sonoff Dual R3 with Tasmota\n"
             "device home.pumps: Pumps {\n"
             "  id \"tasmota:DC4F22AABBCC\"\n"
             "  property on1 = on \"pumps/stat/POWER1\"\n"
             "  property on1 = \"POWER1\" on \"pumps/tele/STATE\"\n"
             "  property on2 = on \"pumps/stat/POWER2\"\n"
             "  property on2 = \"POWER2\" on \"pumps/tele/STATE\"\n"
             "  action on1()  publish \"pumps/cmnd/POWER1\" \"ON\"\n"
             "  action off1() publish \"pumps/cmnd/POWER1\" \"OFF\"\n"
             "  action on2()  publish \"pumps/cmnd/POWER2\" \"ON\"\n"
             "  action off2() publish \"pumps/cmnd/POWER2\" \"OFF\"\n"
             "  online on \"pumps/tele/LWT\"\n"
             "}\n"},
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
     .want = "model ClimateSensor {\n"
             "  property battery:     %    range 0..100\n"
             "  property temperature: °C   range -55..150   // seen 21.35\n"
             "  property humidity:    %    range 0..100     // seen 45.21\n"
             "  property pressure:    hPa  range 300..1100  // seen 1002.1\n"
             "  property voltage:     mV   range 0..5000    // seen 3005\n"
             "}\n"
             "--\n"
             "// Aqara WSDCGQ11LM: Temperature and humidity sensor\n"
             "device kitchen.climate: ClimateSensor {\n"
             "  id \"zigbee:0x00158d0004a1b2c3\"\n"
             "  via mqtt \"zigbee2mqtt/kitchen/climate\" json\n"
             "  online on \"zigbee2mqtt/kitchen/climate/availability\"\n"
             "}\n"},
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
     .want = "model Light {\n"
             "  property on:         bool\n"
             "  property brightness: float  range 0..254\n"
             "  action   on()                      confirms on\n"
             "  action   off()                     confirms not on\n"
             "  action   set_brightness(to: float)\n"
             "  action   set_effect(to: str)\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "// IKEA LED1649C5: TRADFRI bulb E12/E14\n"
             "device home.lamp: Light {\n"
             "  id \"zigbee:0x000b57fffec6a5b2\"\n"
             "  property on         = \"state\" on \"zigbee2mqtt/lamp\"\n"
             "  property brightness = \"brightness\" on \"zigbee2mqtt/lamp\"\n"
             "  action on()               publish \"zigbee2mqtt/lamp/set\" { state = \"ON\" }\n"
             "  action off()              publish \"zigbee2mqtt/lamp/set\" { state = \"OFF\" }\n"
             "  action set_brightness(to) publish \"zigbee2mqtt/lamp/set\" { brightness = "
             "round(to) } answer \"zigbee2mqtt/lamp\"\n"
             "  action set_effect(to)     publish \"zigbee2mqtt/lamp/set\" { effect = to } answer "
             "\"zigbee2mqtt/lamp\"\n"
             "}\n"},
    {.label = "Zigbee2MQTT plug whose exposes were not heard",
     .messages =
         {{"zigbee2mqtt/heater",
           "{\"current\":0.5,\"energy\":12.3,\"linkquality\":90,\"power\":110,\"state\":"
           "\"ON\",\"update\":{\"state\":\"idle\",\"installed_version\":12},\"voltage\":229,"
           "\"last_seen\":\"2024-05-01T10:00:00+02:00\"}"}},
     .asked = {"zigbee2mqtt/heater"},
     .want = "model Plug {\n"
             "  property current: A     range 0..16    // unit guessed; seen 0.5\n"
             "  property energy:  kWh                  // unit guessed; seen 12.3\n"
             "  property power:   W     range 0..4000  // unit guessed; seen 110\n"
             "  property on:      bool\n"
             "  property voltage: V     range 0..300   // unit guessed; seen 229\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "device home.heater: Plug {\n"
             "  property current = \"current\" on \"zigbee2mqtt/heater\"\n"
             "  property energy  = \"energy\" on \"zigbee2mqtt/heater\"\n"
             "  property power   = \"power\" on \"zigbee2mqtt/heater\"\n"
             "  property on      = \"state\" on \"zigbee2mqtt/heater\"\n"
             "  property voltage = \"voltage\" on \"zigbee2mqtt/heater\"\n"
             "  action on()  publish \"zigbee2mqtt/heater/set\" { state = \"ON\" }\n"
             "  action off() publish \"zigbee2mqtt/heater/set\" { state = \"OFF\" }\n"
             "}\n"
             "! what it has is guessed from its messages: the bridge's list of devices "
             "(bridge/devices), which tells it, was not heard\n"},
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
     .want = "model Trv {\n"
             "  property current_heating_setpoint: °C    range 5..35\n"
             "  property local_temperature:        °C    range -55..150  // seen 20.5\n"
             "  property system_mode:              str                   // heat, auto, off\n"
             "  property window:                   bool\n"
             "}\n"
             "--\n"
             "// Moes TRV\n"
             "device home.trv: Trv {\n"
             "  id \"zigbee:0x1\"\n"
             "  property current_heating_setpoint = \"current_heating_setpoint\" on "
             "\"zigbee2mqtt/trv\"\n"
             "  property local_temperature        = \"local_temperature\" on \"zigbee2mqtt/trv\"\n"
             "  property system_mode              = \"system_mode\" on \"zigbee2mqtt/trv\"\n"
             "  property window                   = \"window\" on \"zigbee2mqtt/trv\" true "
             "\"OPEN\" false \"CLOSE\"\n"
             "}\n"
             "! set_current_heating_setpoint(…) is left out: of a model's actions one must be "
             "safe, and it is not known here which\n"
             "! set_system_mode(…) is left out: of a model's actions one must be safe, and it is "
             "not known here which\n"},
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
     .want = "model Plug {\n"
             "  property on:              bool\n"
             "  property power:           W     range 0..4000   // seen 0\n"
             "  property energy:          kWh                   // counts up\n"
             "  property input:           bool\n"
             "  property temperature:     °C    range -55..150  // seen 45.12\n"
             "  property overtemperature: bool                  // 0 and 1\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "// Shelly, first generation\n"
             "device home.shelly1pm_aabbcc: Plug {\n"
             "  id \"shelly:shelly1pm-AABBCC\"\n"
             "  property on              = on \"shellies/shelly1pm-AABBCC/relay/0\"\n"
             "  property power           = on \"shellies/shelly1pm-AABBCC/relay/0/power\"\n"
             "  property energy          = on \"shellies/shelly1pm-AABBCC/relay/0/energy\" scale "
             "1.666666667e-05\n"
             "  property input           = on \"shellies/shelly1pm-AABBCC/input/0\"\n"
             "  property temperature     = on \"shellies/shelly1pm-AABBCC/temperature\"\n"
             "  property overtemperature = on \"shellies/shelly1pm-AABBCC/overtemperature\"\n"
             "  action on()  publish \"shellies/shelly1pm-AABBCC/relay/0/command\" \"on\"\n"
             "  action off() publish \"shellies/shelly1pm-AABBCC/relay/0/command\" \"off\"\n"
             "  online on \"shellies/shelly1pm-AABBCC/online\"\n"
             "}\n"},
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
     .want = "model Plug {\n"
             "  property on:                 bool\n"
             "  property power:              W     range 0..4000   // seen 0\n"
             "  property voltage:            V     range 0..300    // seen 230.1\n"
             "  property frequency:          Hz    range 40..70    // seen 50\n"
             "  property current:            A     range 0..16     // seen 0\n"
             "  property energy:             kWh                   // counts up\n"
             "  property device_temperature: °C    range -55..150  // seen 45.6\n"
             "  property input:              bool\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "// Shelly, second generation or later\n"
             "device home.shellyplus1pm_a8032abcdef0: Plug {\n"
             "  id \"shelly:shellyplus1pm-a8032abcdef0\"\n"
             "  property on                 = \"output\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property power              = \"apower\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property voltage            = \"voltage\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property frequency          = \"freq\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property current            = \"current\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property energy             = \"aenergy.total\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\" scale 0.001\n"
             "  property device_temperature = \"temperature.tC\" on "
             "\"shellyplus1pm-a8032abcdef0/status/switch:0\"\n"
             "  property input              = \"state\" on "
             "\"shellyplus1pm-a8032abcdef0/status/input:0\"\n"
             "  action on()  publish \"shellyplus1pm-a8032abcdef0/command/switch:0\" \"on\"\n"
             "  action off() publish \"shellyplus1pm-a8032abcdef0/command/switch:0\" \"off\"\n"
             "  online on \"shellyplus1pm-a8032abcdef0/online\"\n"
             "}\n"},
    {.label = "Shelly Plus, heard by its notifications alone",
     .messages = {{"shellyplus1-12ab/events/rpc",
                   "{\"src\":\"shellyplus1-12ab\",\"dst\":\"shellyplus1-12ab/events\",\"method\":"
                   "\"NotifyStatus\",\"params\":{\"ts\":1714550400.12,\"switch:0\":{\"id\":0,"
                   "\"output\":true,\"source\":\"button\"}}}"}},
     .asked = {"shellyplus1-12ab/events/rpc"},
     .want = "model Switch {\n"
             "  property on: bool\n"
             "  action   on()  confirms on\n"
             "  action   off() confirms not on\n"
             "  safe     off()\n"
             "}\n"
             "--\n"
             "// Shelly, second generation or later\n"
             "device home.shellyplus1_12ab: Switch {\n"
             "  id \"shelly:shellyplus1-12ab\"\n"
             "  property on = \"params.switch:0.output\" on \"shellyplus1-12ab/events/rpc\"\n"
             "  action on()  publish \"shellyplus1-12ab/command/switch:0\" \"on\"\n"
             "  action off() publish \"shellyplus1-12ab/command/switch:0\" \"off\"\n"
             "  online on \"shellyplus1-12ab/online\"\n"
             "}\n"},
    {.label = "ESPHome",
     .messages = {{"garden/status", "online"},
                  {"garden/sensor/soil_moisture/state", "31.5"},
                  {"garden/sensor/air_temperature/state", "18.2"},
                  {"garden/switch/valve/state", "OFF"},
                  {"garden/debug", "[D] x"}},
     .asked = {"garden/sensor/soil_moisture/state"},
     .want = "model Garden {\n"
             "  property soil_moisture:   %     range 0..100    // unit guessed; seen 31.5\n"
             "  property air_temperature: °C    range -55..150  // unit guessed; seen 18.2\n"
             "  property valve:           bool\n"
             "  action   on_valve()  confirms valve\n"
             "  action   off_valve() confirms not valve\n"
             "  safe     off_valve()\n"
             "}\n"
             "--\n"
             "// ESPHome\n"
             "device home.garden: Garden {\n"
             "  id \"esphome:garden\"\n"
             "  property soil_moisture   = on \"garden/sensor/soil_moisture/state\"\n"
             "  property air_temperature = on \"garden/sensor/air_temperature/state\"\n"
             "  property valve           = on \"garden/switch/valve/state\"\n"
             "  action on_valve()  publish \"garden/switch/valve/command\" \"ON\"\n"
             "  action off_valve() publish \"garden/switch/valve/command\" \"OFF\"\n"
             "  online on \"garden/status\"\n"
             "}\n"},
};
