/* `via modbus`: what is understood, and what is told with its place. */
#include "base/arena.h"
#include "site/modbus.h"
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

static const char head[] = "site \"s\"\n"
                           "model M {\n"
                           "  property power: kW\n"
                           "  property temp: °C\n"
                           "  property parts: int\n"
                           "  property ready: bool\n"
                           "  event jam\n"
                           "  action open()\n"
                           "  action close()\n"
                           "  action set(target: °C)\n"
                           "  action lit(on: bool)\n"
                           "  action both(a: int, b: kW)\n"
                           "  safe close()\n"
                           "}\n";
static const char all_mapped[] = "power = input 0 f32; temp = input 2 i16; parts = input 3; "
                                 "ready = discrete 0; open = coil 4 on; close = coil 4 off; "
                                 "set = holding 20 arg target; lit = coil 5 arg on; "
                                 "both = holding 21 arg a then holding 22 f32 arg b";

static struct lang_site *load(const char *devices)
{
    char text[8192];
    struct lang_site *site;
    (void)snprintf(text, sizeof(text), "%s%s", head, devices);
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    return site;
}

/* "line:column text (help)" of the first message of this code, and how many there are. */
static size_t said(const struct lang_site *site, const char *code, char *out, size_t n)
{
    size_t count = 0;
    out[0] = '\0';
    for (size_t i = 0; i < site->diags_n; i++) {
        const struct lang_diag *d = &site->diags[i];
        if (!str_eq(d->code, str_from(code)))
            continue;
        if (count++ == 0)
            (void)snprintf(out, n, "%u:%u %.*s (%.*s)", d->marks[0].line, d->marks[0].column,
                           STR_FMT(d->message), STR_FMT(d->help));
    }
    return count;
}

/* One device with `all_mapped`, in which one mapping is replaced. */
static struct lang_site *load_with(const char *options, const char *mapping)
{
    char text[4096];
    (void)snprintf(text, sizeof(text),
                   "device d: M { via modbus \"tcp://plc1\" %s {\n%s\n%s\n} }\n", options, mapping,
                   all_mapped);
    return load(text);
}

struct mistake {
    const char *mapping, *says; /* the mapping's member replaces the one of all_mapped */
};

/* Each has a place, and a way out. */
static void mistaken(const struct mistake *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].mapping);
        char text[2048], got[512];
        size_t name = strcspn(rows[i].mapping, " ");
        char member[32];
        (void)snprintf(member, sizeof(member), "%.*s = ", (int)name, rows[i].mapping);
        const char *at = strstr(all_mapped, member); /* without the one that is replaced */
        const char *end = at ? strchr(at, ';') : NULL;
        (void)snprintf(
            text, sizeof(text), "device d: M { via modbus \"tcp://plc1\" {\n%.*s%s\n} }\n",
            at ? (int)(at - all_mapped) : (int)strlen(all_mapped), all_mapped, end ? end + 1 : "");
        char *open = strchr(text, '\n') + 1;
        memmove(open + strlen(rows[i].mapping) + 1, open, strlen(open) + 1);
        memcpy(open, rows[i].mapping, strlen(rows[i].mapping));
        open[strlen(rows[i].mapping)] = '\n';
        struct lang_site *site = load(text);
        CHECK_EQ_UINT(said(site, "M2", got, sizeof(got)), 1);
        CHECK_HAS_STR(got, rows[i].says);
        CHECK(strncmp(got, "16:", 3) == 0);
        lang_site_free(site);
    }
}

TEST(mistakes_in_a_place)
{
    static const struct mistake rows[] = {
        {"power = inputs 0 f32", "16:9 there is no table `inputs` (did you mean `input`?)"},
        {"power = shelf 0", "there is no table `shelf` (known are coil, discrete (bits); input, "
                            "holding (registers))"},
        {"power = input", "an address is missing"},
        {"power = input x", "an address is a number, not `x`"},
        {"power = input 65536", "an address is a whole number, 0 to 65535 (addresses are those of "
                                "the protocol"},
        {"power = input 1.5", "a whole number"},
        {"power = input -1", "a whole number"},
        {"power = input 65535 f32", "65535"},
        {"power = input 0 f23", "there is no type or word `f23` (did you mean `f32`?)"},
        {"power = input 0 f32 u16", "a point has one type"},
        {"power = input 0 f32 order abdc", "there is no order `abdc`"},
        {"power = input 0 f32 order", "the order of the bytes is missing"},
        {"power = input 0 scale", "the scale is missing"},
        {"power = input 0 scale big", "the scale is a number"},
        {"power = input 0 scale 0", "would make all values equal"},
        {"power = input 0 offset - ", "the offset is a number"},
    };
    mistaken(rows, ARRAY_LEN(rows));
}

TEST(mistakes_in_what_is_read)
{
    static const struct mistake rows[] = {
        {"power = input 7 bit 16", "the number of the bit is a whole number, 0 to 15"},
        {"power = coil 4", "`power` is a number (kW) (numbers are in registers"},
        {"power = input 7 bit 3", "`power` is a number (kW)"},
        {"power = input 0 as °C", "`power` is of type kW, not °C"},
        {"power = input 0 as blob", "there is no unit `blob`"},
        {"power = holding 0 on", "`power` is a property: it is read, nothing is written (say only "
                                 "where it is:  power = holding 0)"},
        {"parts = input 3 f32", "`parts` is an int (declare it with a unit, or as a float"},
        {"parts = input 3 scale 0.1", "`parts` is an int"},
        {"ready = input 3 f32", "`ready` is a bool"},
        {"ready = input 3 scale 2", "`ready` is a bool"},
        {"jam = coil 9", "`jam` is an event"},
    };
    mistaken(rows, ARRAY_LEN(rows));
}

TEST(mistakes_in_what_is_written)
{
    static const struct mistake rows[] = {
        {"open = coil 4", "`open` is an action: say what it writes there (as in:  open = coil 4 "
                          "on)"},
        {"open = discrete 4 on", "(what is written is a `coil` or in a `holding` register)"},
        {"open = input 4 value 1", "(what is written is a `coil` or in a `holding` register)"},
        {"open = holding 4 on", "on and off are for bits, this is a register (write  value 1, or "
                                "name the bit:  bit 0 on)"},
        {"open = holding 4 value 70000", "u16 can't hold 70000"},
        {"open = holding 4 value -1", "u16 can't hold -1"},
        {"open = coil 4 value 2", "a bit is on or off"},
        {"open = coil 4 on off", "one value is written; join several writes with `then`"},
        {"open = coil 4 on then", "a second write is missing"},
        {"open = coil 4 arg x", "`open` has no parameter `x` (it has none: write a constant"},
        {"open = holding 4 value 1 as kW", "`as` is for what has a unit"},
        {"set = holding 20", "`set` is an action: say what it writes there (as in:  set = holding "
                             "20 arg target)"},
        {"set = holding 20 arg", "the parameter's name is missing"},
        {"set = holding 20 arg goal", "`set` has no parameter `goal` (as in:  holding 20 arg "
                                      "target)"},
        {"set = holding 20 value 3", "the parameter `target` of `set` is not written"},
        {"set = coil 20 arg target", "`target` is a number (°C)"},
        {"both = holding 21 arg a", "the parameter `b` of `both` is not written (add:  then "
                                    "holding N arg b)"},
        {"lit = holding 5 f32 arg on", "`on` is a bool"},
    };
    mistaken(rows, ARRAY_LEN(rows));
}

TEST(lines)
{
    static const struct {
        const char *via, *says; /* "": it is fine */
    } rows[] = {
        {"\"tcp://plc1\"", ""},
        {"\"tcp://[::1]:1502\" unit 0 every 50ms timeout 200ms in_flight 4", ""},
        {"\"rtu:/dev/ttyUSB0\" unit 247 baud 9600 parity none stop 2 pause 10ms", ""},
        {"\"rtu+tcp://gw:4001\" unit 3", ""},
        {"\"http://plc1\"", "as in:  via modbus"},
        {"\"tcp://plc1:99999\"", "as in:  via modbus"},
        {"\"rtu:/dev/ttyUSB0\" unit 0", "on a serial line a unit is 1 to 247"},
        {"\"rtu+tcp://gw:4001\" unit 250", "on a serial line a unit is 1 to 247"},
        {"\"rtu:/dev/ttyUSB0\" baud 1234", "1234"},
        {"\"tcp://plc1\" baud 9600", "`baud` is of a serial line"},
        {"\"tcp://plc1\" parity even", "`parity` is of a serial line"},
        {"\"rtu:/dev/ttyUSB0\" in_flight 2", "`in_flight` is of Modbus TCP"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].via);
        char text[2048], got[512];
        (void)snprintf(text, sizeof(text), "device d: M { via modbus %s {\n%s\n} }\n", rows[i].via,
                       all_mapped);
        struct lang_site *site = load(text);
        size_t n = said(site, "M2", got, sizeof(got));
        CHECK_EQ_UINT(n, rows[i].says[0] ? 1 : 0);
        CHECK_HAS_STR(got, rows[i].says);
        CHECK_EQ_UINT(site->errors, n);
        lang_site_free(site);
    }
}

#define METER(name, line, map) "device " name ": P { via modbus " line " { " map " } }\n"
static const char models[] = "model P { property p: kW }\n"
                             "model Flap { action open(); action close(); safe close() }\n";

struct neighbours {
    const char *label, *devices, *says;
};

static void check_neighbours(const struct neighbours *rows, size_t rows_n)
{
    for (size_t i = 0; i < rows_n; i++) {
        LABEL("%s", rows[i].label);
        char text[2048], got[512];
        (void)snprintf(text, sizeof(text), "%s%s", models, rows[i].devices);
        struct lang_site *site = load(text);
        size_t n = said(site, "M2", got, sizeof(got));
        CHECK_EQ_UINT(n, rows[i].says[0] ? 1 : 0);
        CHECK_HAS_STR(got, rows[i].says);
        CHECK_EQ_UINT(site->errors + site->warnings, n);
        lang_site_free(site);
    }
}

TEST(several_devices_that_are_commanded)
{
    static const struct neighbours rows[] = {
        {"one coil for two",
         "device a: Flap { via modbus \"tcp://x\" unit 3 { open = coil 4 on; close = coil 4 off } "
         "}\n"
         "device b: Flap { via modbus \"tcp://x:502\" unit 3 { open = coil 5 on; close = coil 4 "
         "off } "
         "}\n",
         "a and b both write coil 4 of unit 3 (what is commanded belongs to one device"},
        {"other units",
         "device a: Flap { via modbus \"tcp://x\" unit 3 { open = coil 4 on; close = coil 4 off } "
         "}\n"
         "device b: Flap { via modbus \"tcp://x\" unit 4 { open = coil 4 on; close = coil 4 off } "
         "}\n",
         ""},
        {"other bits of one register",
         "device a: Flap { via modbus \"tcp://x\" { open = holding 4 bit 0 on; close = holding 4 "
         "bit "
         "0 "
         "off } }\n"
         "device b: Flap { via modbus \"tcp://x\" { open = holding 4 bit 1 on; close = holding 4 "
         "bit "
         "1 "
         "off } }\n",
         ""},
        {"the same bit",
         "device a: Flap { via modbus \"tcp://x\" { open = holding 4 bit 1 on; close = holding 4 "
         "bit "
         "0 "
         "off } }\n"
         "device b: Flap { via modbus \"tcp://x\" { open = holding 4 bit 1 on; close = holding 4 "
         "bit "
         "2 "
         "off } }\n",
         "a and b both write holding 4"},
        {"a register within a long number",
         "device a: Flap { via modbus \"tcp://x\" { open = holding 4 u32 value 1; close = holding "
         "9 "
         "value 0 } }\n"
         "device b: Flap { via modbus \"tcp://x\" { open = holding 5 value 1; close = holding 8 "
         "value "
         "0 "
         "} }\n",
         "a and b both write holding 5"},
    };
    check_neighbours(rows, ARRAY_LEN(rows));
}

TEST(several_devices_on_a_line)
{
    static const struct neighbours rows[] = {
        {"numbers that overlap",
         METER("a", "\"tcp://x\"", "p = input 0 f32") METER("b", "\"tcp://x\"", "p = input 1 f32"),
         "input 1 is the second half of what is read at input 0"},
        {"two who read the same",
         METER("a", "\"tcp://x\"", "p = input 0 f32") METER("b", "\"tcp://x\"", "p = input 0 f32"),
         ""},
        {"two rates",
         METER("a", "\"rtu:/dev/ttyS0\" baud 9600", "p = input 0")
             METER("b", "\"rtu:/dev/ttyS0\" unit 2", "p = input 0"),
         "a and b share a line and differ in its baud, parity and stop"},
        {"two time-outs",
         METER("a", "\"tcp://x\" timeout 1s", "p = input 0")
             METER("b", "\"tcp://x\" unit 2 timeout 2s", "p = input 0"),
         "a and b share a line and differ in its timeout"},
        {"one says it for both",
         METER("a", "\"tcp://x\" timeout 1s", "p = input 0")
             METER("b", "\"tcp://x\" unit 2", "p = input 0"),
         ""},
    };
    check_neighbours(rows, ARRAY_LEN(rows));
}

TEST(what_the_engine_is_told)
{
    struct arena arena;
    struct site_modbus_device d;
    char text[SITE_MODBUS_TEXT_MAX];
    struct lang_site *site = load_with("unit 7 every 250ms order cdab gap 0 multiple", "");
    char got[512];
    CHECK_EQ_UINT(said(site, "M2", got, sizeof(got)), 0);
    arena_init(&arena, alloc_system(), 1 << 20);
    REQUIRE(site_modbus_read(&d, site->resources[0], &arena) == ERR_OK);
    const struct modbus_device *m = &d.modbus;
    CHECK_EQ_UINT(m->unit, 7);
    CHECK_EQ_UINT(m->every_ms, 250);
    CHECK_EQ_UINT(m->gap_max, UINT16_MAX);
    CHECK_EQ_UINT(m->link.port, MODBUS_PORT);
    REQUIRE(CHECK_EQ_UINT(m->point_count, 4));
    CHECK_EQ_INT(m->points[0].place.form.type, MODBUS_F32);
    CHECK_EQ_INT(m->points[0].place.form.order, MODBUS_CDAB);
    CHECK_EQ_INT(m->points[1].place.form.type, MODBUS_I16);
    CHECK_EQ_UINT(m->points[3].property, 3);
    CHECK_EQ_INT(m->points[3].place.table, MODBUS_DISCRETE);
    REQUIRE(CHECK_EQ_UINT(m->write_count, 6));
    CHECK(m->writes[0].arg == -1 && m->writes[0].constant.f == 1 && m->writes[0].multiple);
    CHECK(m->writes[1].arg == -1 && m->writes[1].constant.f == 0);
    CHECK(m->writes[2].arg == 0 && m->writes[2].action == 2);
    CHECK(m->writes[4].arg == 0 && m->writes[5].arg == 1 && m->writes[5].action == 4);
    size_t shown = site_modbus_text(site->resources[0], text);
    CHECK_EQ_STR(text, "modbus tcp://plc1:502 unit 7 coil 4");
    CHECK_EQ_UINT(shown, strlen("modbus tcp://plc1:502 unit 7"));
    arena_fini(&arena);
    lang_site_free(site);
}

TEST(units_are_converted_and_names_shared)
{
    static const char devices[] = "model La { property on: bool; property t: °C; "
                                  "action on(); action off(); safe off() }\n"
                                  "device l: La { via modbus \"tcp://x\" {\n"
                                  "  on = coil 4 on; off = coil 4 off\n"
                                  "  t = input 1 i16 scale 0.1 offset 2 as °F } }\n";
    struct arena arena;
    struct site_modbus_device d;
    struct lang_site *site = load(devices);
    CHECK_EQ_UINT(site->errors, 0);
    arena_init(&arena, alloc_system(), 1 << 20);
    REQUIRE(site_modbus_read(&d, site->resources[0], &arena) == ERR_OK);
    REQUIRE(CHECK_EQ_UINT(d.modbus.point_count, 2));
    CHECK_EQ_UINT(d.modbus.write_count, 2);
    CHECK_EQ_INT(d.modbus.points[0].place.table, MODBUS_COIL);
    const struct modbus_form *f = &d.modbus.points[1].place.form;
    CHECK_EQ_DBL(300 * f->scale + f->offset, 0, 1e-9); /* 32 °F */
    CHECK_EQ_DBL(2100 * f->scale + f->offset, 100, 1e-9);
    arena_fini(&arena);
    lang_site_free(site);
}

TEST(a_text_can_not_be_read)
{
    char got[512];
    struct lang_site *site = load("model T { property note: str }\n"
                                  "device t: T { via modbus \"tcp://x\" { note = holding 3 } }\n");
    CHECK_EQ_UINT(said(site, "M2", got, sizeof(got)), 1);
    CHECK_HAS_STR(got, "`note` is of type str: Modbus carries bits and numbers");
    lang_site_free(site);
}

TEST(what_is_not_mapped_is_told)
{
    char got[512];
    struct lang_site *site =
        load("model Flap { action open(); action close(); safe close() }\n"
             "device v: Flap { via modbus \"tcp://x\" { open = coil 4 on } }\n");
    CHECK_EQ_UINT(said(site, "M1", got, sizeof(got)), 1);
    CHECK_HAS_STR(got, "the action `close` of v is not mapped");
    lang_site_free(site);
}
