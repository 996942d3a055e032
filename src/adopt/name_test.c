#include "adopt/name.h"
#include "tests/support/test.h"

#include <string.h>

TEST(keys_become_names)
{
    static const struct {
        const char *key, *property, *device, *model;
    } rows[] = {
        {"temperature", "temperature", "temperature", "Temperature"},
        {"ApparentPower", "apparent_power", "apparent_power", "ApparentPower"},
        {"tempC", "temp_c", "temp_c", "TempC"},
        {"PM2.5", "pm2_5", "pm2_5", "PM25"},
        {"CO2Level", "co2_level", "co2_level", "CO2Level"},
        {"DS18B20", "ds18b20", "ds18b20", "DS18B20"},
        {"HSBColor", "hsb_color", "hsb_color", "HSBColor"},
        {"switch:0", "switch_0", "switch_0", "Switch0"},
        {"soil moisture sensor", "soil_moisture_sensor", "soil_moisture_sensor",
         "SoilMoistureSensor"},
        {"0x00158d", "x0x00158d", "x0x00158d", "X0x00158d"},
        {"when", "when_", "when_", "When"}, /* a word of the language */
        {"set", "set_", "set", "Set"},      /* the convention's own */
        {"name", "name_", "name_", "Name"},
        {"größe", "gr_e", "gr_e", "GrE"},
        {"__a__", "a", "a", "A"},
        {"°", "", "", ""},
        {"", "", "", ""},
    };
    struct arena a;
    arena_init(&a, alloc_system(), 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].key);
        struct str key = str_from(rows[i].key);
        CHECK_EQ_STR(name_of(key, &a).p, rows[i].property);
        CHECK_EQ_STR(name_of_device(key, &a).p, rows[i].device);
        CHECK_EQ_STR(name_of_model(key, &a).p, rows[i].model);
        CHECK(!rows[i].property[0] || name_is_property(name_of(key, &a)));
    }
    LABEL("a long one is cut");
    char text[200];
    memset(text, 'a', sizeof(text));
    CHECK(name_of((struct str){text, sizeof(text)}, &a).n <= NAME_BYTES_MAX);
    CHECK(name_of_model((struct str){text, sizeof(text)}, &a).n <= NAME_BYTES_MAX);
    arena_fini(&a);
}

TEST(what_is_a_name)
{
    static const struct {
        const char *text;
        bool property, path;
    } rows[] = {
        {"power", true, true},   {"Power", false, true},   {"a.b", false, true},
        {"a..b", false, false},  {".a", false, false},     {"a.", false, false},
        {"a-b", false, false},   {"1a", false, false},     {"", false, false},
        {"when", false, false},  {"a.when", false, false}, {"set", false, true},
        {"größe", false, false}, {"a b", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        CHECK_EQ_INT(name_is_property(str_from(rows[i].text)), rows[i].property);
        CHECK_EQ_INT(name_is_device_path(str_from(rows[i].text)), rows[i].path);
    }
}
