/* Tables as engineers have them, and the declarations that they become. */
#include "lang/lang.h"
#include "points/points_internal.h"
#include "tests/support/test.h"

#include <string.h>

static const struct points_options plain = {
    .stem = {"meter", 5}, .line = {"tcp://plc1:502", 14}, .unit = 1};

/* The declarations, behind the problems as people read them. */
static void import(struct strbuf *out, struct str file, const struct points_options *o)
{
    struct points_table t;
    struct error e = {0};
    enum err err = points_table_read(&t, alloc_system(), o,
                                     (struct bytes){(const uint8_t *)file.p, file.n}, &e);
    if (err) {
        strbuf_addf(out, "! %s\n", e.text);
    } else {
        points_table_print_problems(out, &t, STR("t.csv"));
        if (t.errors == 0)
            points_table_write(out, &t, o);
    }
    points_table_fini(&t);
}

static void check_import(const char *file, const struct points_options *o, const char *want)
{
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    import(&got, str_from(file), o);
    CHECK_EQ_STR(got.p, want);
    strbuf_fini(&got);
}

TEST(a_meter)
{
    check_import("Name;Address;Type;Unit;Scale;Comment\n"
                 "Active Power;30001;float32;kW;0,001;sum of \"all\" phases\n"
                 "Energy T1;30003;uint32;kWh;;\n"
                 "Running;10008;bool;;;\n"
                 "State;40012;uint16;;;1 = ok, 2 = fault\n",
                 &plain,
                 "model Meter {\n"
                 "  property active_power: kW    // sum of \"all\" phases\n"
                 "  property energy_t1:    kWh\n"
                 "  property running:      bool\n"
                 "  property state:        int   // 1 = ok, 2 = fault\n"
                 "}\n"
                 "\n"
                 "device meter: Meter {\n"
                 "  via modbus \"tcp://plc1:502\" unit 1 {\n"
                 "    active_power = input 0 f32 scale 0.001\n"
                 "    energy_t1    = input 2 u32\n"
                 "    running      = discrete 7\n"
                 "    state        = holding 11 u16\n"
                 "  }\n"
                 "}\n");
}

TEST(several_devices_with_a_model_of_their_own_and_a_shared_one)
{
    struct points_options o = plain;
    o.place = STR("plant");
    o.every_ms = 2500;
    check_import("\xEF\xBB\xBF"
                 "device,host,slave id,tag,function,register,data type,word order,uom,min,max\n"
                 "Meter-1,10.0.0.7,3,Power,4,0,float,CDAB,kW,0,500\n"
                 "Meter-1,10.0.0.7,3,Energy,4,2,uint32,CDAB,kWh,,\n"
                 "Meter-2,10.0.0.8:1502,4,Power,4,10,float,big endian,kW,0,500\n"
                 "Meter-2,10.0.0.8:1502,4,Energy,4,12,uint32,cdab,kWh,,\n"
                 "Hall/Climate,10.0.0.9,1,Temp,3,5,int16,,degC,-20,80\n",
                 &o,
                 "model Meter {\n"
                 "  property power:  kW   range 0..500\n"
                 "  property energy: kWh\n"
                 "}\n"
                 "\n"
                 "model Climate {\n"
                 "  property temp: °C  range -20..80\n"
                 "}\n"
                 "\n"
                 "device plant.meter_1: Meter {\n"
                 "  via modbus \"tcp://10.0.0.7:502\" unit 3 every 2500ms order cdab {\n"
                 "    power  = input 0 f32\n"
                 "    energy = input 2 u32\n"
                 "  }\n"
                 "}\n"
                 "\n"
                 "device plant.meter_2: Meter {\n"
                 "  via modbus \"tcp://10.0.0.8:1502\" unit 4 every 2500ms {\n"
                 "    power  = input 10 f32\n"
                 "    energy = input 12 u32 order cdab\n"
                 "  }\n"
                 "}\n"
                 "\n"
                 "device plant.hall.climate: Climate {\n"
                 "  via modbus \"tcp://10.0.0.9:502\" unit 1 every 2500ms {\n"
                 "    temp = holding 5 i16\n"
                 "  }\n"
                 "}\n");
}

TEST(actions)
{
    check_import("name,table,address,type,unit,scale,action,value,confirms,safe\n"
                 "Position,input,0,uint16,%,0.1,,,,\n"
                 "Setpoint,holding,20,int16,°C,0.1,set_setpoint,,,\n"
                 "open,coil,4,bool,,,open,on,Position > 90 %,\n"
                 "close,coil,4,bool,,,close,off,Position < 5 %,x\n"
                 "mode,holding,21,uint16,,,eco,2,,\n",
                 &plain,
                 "model Meter {\n"
                 "  property position: %\n"
                 "  property setpoint: °C\n"
                 "  property mode:     int\n"
                 "  action   set_setpoint(value: °C)\n"
                 "  action   open()                  confirms position > 90 %\n"
                 "  action   close()                 confirms position < 5 %\n"
                 "  action   eco()\n"
                 "  safe     close()\n"
                 "}\n"
                 "\n"
                 "device meter: Meter {\n"
                 "  via modbus \"tcp://plc1:502\" unit 1 {\n"
                 "    position     = input 0 u16 scale 0.1\n"
                 "    setpoint     = holding 20 i16 scale 0.1\n"
                 "    set_setpoint = holding 20 i16 scale 0.1 arg value\n"
                 "    open         = coil 4 on\n"
                 "    close        = coil 4 off\n"
                 "    mode         = holding 21 u16\n"
                 "    eco          = holding 21 u16 value 2\n"
                 "  }\n"
                 "}\n");
}

/* Each table with one thing of interest; the mapping of its one point, or what is said. */
struct imported {
    const char *label, *file, *says;
};

static void import_each(const struct imported *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].label);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        import(&got, str_from(rows[i].file), &plain);
        CHECK_HAS_STR(got.p, rows[i].says);
        CHECK_HAS_STR(got.p, "device meter"); /* no errors */
        strbuf_fini(&got);
    }
}

TEST(addresses_and_types)
{
    static const struct imported rows[] = {
        {"protocol addresses", "name,fc,address\np,3,40001\n", "holding 0 u16"},
        {"a plain number", "name,table,address\np,holding,5\n", "= holding 5 u16\n"},
        {"six digits", "name,address\np,400011\n", "= holding 10 u16"},
        {"4x0011", "name,address\np,4x0011\n", "= holding 10 u16"},
        {"hexadecimal", "name,fc,address\np,4,0x1F\n", "= input 31 u16"},
        {"a column of hexadecimals", "name,fc,address (hex)\np,4,1F\n", "= input 31 u16"},
        {"1Fh", "name,fc,address\np,FC04,1Fh\n", "= input 31 u16"},
        {"%MW", "name,address\np,%MW100\n", "= holding 100 u16"},
        {"%M", "name,address\np,%M7\n", "= coil 7\n"},
        {"a bit of a register", "name,address\np,40003.5\n", "= holding 2 bit 5"},
        {"a bit in a column", "name,address,bit\np,30003,0\n", "= input 2 bit 0"},
        {"a bool in a register", "name,table,address,type\np,holding,3,bool\n", "= holding 3 u16"},
        {"first and last", "name,address,type\np,40001-40002,float\n", "= holding 0 f32"},
        {"four registers", "name,address,type,length\np,40001,int,4\n", "= holding 0 i64"},
        {"no type but a length", "name,address,length\np,40001,2\n", "= holding 0 u32"},
        {"coils without a digit", "name,address,type\nq,40001,\np,00017,bool\n", "p = coil 16\n"},
        {"the type tells the table", "name,type,address\np,Holding Register,7\n",
         "= holding 7 u16"},
        {"read discrete inputs", "name,function,address\np,Read Discrete Inputs (0x02),7\n",
         "= discrete 7\n"},
        {"REAL swapped", "name,address,type\np,40001,FLOAT32 (CDAB)\n",
         "order cdab {\n    p = "
         "holding 0 f32"},
    };
    import_each(rows, ARRAY_LEN(rows));
}

TEST(units_and_scales)
{
    static const struct imported rows[] = {
        {"the unit's factor", "name,address,unit\np,30001,0.1 V\n", "= input 0 u16 scale 0.1"},
        {"/10", "name,address,unit,scale\np,30001,V,/10\n", "= input 0 u16 scale 0.1"},
        {"decimals", "name,address,unit,decimals\np,30001,V,2\n", "= input 0 u16 scale 0.01"},
        {"divisor and offset", "name,address,unit,divisor,offset\np,30001,degC,10,-40\n",
         "= input 0 u16 scale 0.1 offset -40"},
        {"unit is the number on the line", "name,address,unit\np,30001,17\n", "unit 17 {"},
        {"no table: holding, and says so", "name,address,type\np,5,int16\n",
         "are taken for holding registers"},
        {"40001 where a table is said, and says so", "name,fc,address\np,3,40001\n",
         "--numbering protocol"},
        {"a table that the number denies", "name,fc,address\np,3,30001\n", "= holding 30001 u16"},
    };
    import_each(rows, ARRAY_LEN(rows));
}

TEST(names_and_what_is_left_out)
{
    static const struct imported rows[] = {
        {"a title, sections and an empty line",
         "List of points;;\n\nname;address;type\nPhases;;\np;30001;\n;;\n", "p = input 0 u16"},
        {"a maker's own headings",
         "EM340 map;;;;\nModbus address;Length (words);VARIABLE ENG. UNIT;Data Format;Unit\n"
         "Values;;;;\n300053;2;kWh (+) TOT;INT 32;0,1 kWh\n",
         "kwh_tot = input 52 i32 scale 0.1"},
        {"a word of the language", "name,address\nwhen,30001\n", "when_ = input 0"},
        {"beginning with a digit", "name,address\n1st phase,30001\n", "p_1st_phase = input 0"},
        {"umlauts", "Bezeichnung;Adresse;Einheit\nHöhe über Grund;30001;mm\n",
         "hoehe_ueber_grund = input 0"},
        {"Chinese headings", "名称,地址,单位\nVoltage,30001,V\n", "voltage = input 0 u16"},
        {"unknown unit", "name,address,unit\np,30001,quux\n",
         "column C (unit): `quux` is no unit that is known: `p` becomes a plain number"},
        {"two that would be called the same", "name,address\nP 1,30001\nP-1,30002\n",
         "`P-1` is called p_1_2, as its name is taken"},
        {"columns that nobody uses", "name,address,colour\np,30001,red\n",
         "columns that are not used: colour (C)"},
        {"only written", "name,address,access\np,40001,W\nq,40002,R/W\n",
         "column C (access): left out: `p` is only written"},
        {"a text", "name,address,type\np,40001,string\nq,40002,\n", "left out: `string`"},
        {"a safe action that is guessed",
         "name,fc,address,type,action,value\n"
         "on,1,4,bool,on,on\noff,1,4,bool,off,off\n",
         "off() is taken for the safe action"},
    };
    import_each(rows, ARRAY_LEN(rows));
}

TEST(mistakes_have_a_line_and_a_column_and_reading_goes_on)
{
    check_import("name,table,address,type,unit,scale,min,max,action,value\n"
                 "a,coil,1,int16,,,,,,\n"
                 "b,holdings,1,int16,,,,,,\n"
                 "c,shelf,1,int16,,,,,,\n"
                 ",input,1,int16,,,,,,\n"
                 "d,input,x,int16,,,,,,\n"
                 "e,input,70000,int16,,,,,,\n"
                 "f,input,1,int17,,,,,,\n"
                 "g,input,1,int16,,much,,,,\n"
                 "h,input,1,int16,,,5,1,,\n"
                 "i,input,,int16,,,,,,\n"
                 "j,input,1,int16,,,,,go,1\n"
                 "k,coil,1,bool,,,,,start,\n"
                 "l,input,1,int16,,,,,,\n"
                 "l,input,2,int16,,,,,,\n"
                 "m,holding,3,int16,,,,,set,\n",
                 &plain,
                 "t.csv:2: error: column D (type): a coil is a bit, and `int16` a number\n"
                 "t.csv:4: error: column B (table): `shelf` is no table: coil, discrete, holding, "
                 "input, or the function 1 to 4\n"
                 "t.csv:5: error: column A (name): this point has no name\n"
                 "t.csv:6: error: column C (address): `x` is no address; as in: 0, 40001, 0x1F, "
                 "4x0001, %MW100, 40001.3\n"
                 "t.csv:7: error: column C (address): there is no address 70000: the last is "
                 "65535\n"
                 "t.csv:8: error: column D (type): `int17` is no type that is known; as in: bool, "
                 "int16, uint16, int32, uint32, int64, uint64, float32, float64\n"
                 "t.csv:9: error: column F (scale): `much` is no scale; as in: 0.1, 0,1, x0.1, "
                 "/10\n"
                 "t.csv:10: error: column H (max): the maximum is below the minimum\n"
                 "t.csv:11: error: column C (address): an address is missing\n"
                 "t.csv:12: error: column I (action): input 1 is read only; actions write coils "
                 "and holding registers\n"
                 "t.csv:13: error: column J (value): what does `start` write there? on or off; or "
                 "arg, if who commands it says so\n"
                 "t.csv:15: error: column A (name): `l` is there already, in line 14\n"
                 "t.csv:16: error: column I (action): meter has actions, and none is marked in a "
                 "column `safe`: it is what is done when nobody is in command\n");
}

TEST(one_mistake_does_not_hide_the_others_of_its_row)
{
    check_import(
        "Name;Adresse;Typ;Einheit;Faktor\n"
        "p;4OO01;flot;kW;0,1,1\n"
        "q;4OO03;string;kW;x\n",
        &plain,
        "t.csv:2: error: column B (Adresse): `4OO01` is no address; as in: 0, 40001, 0x1F, 4x0001, "
        "%MW100, 40001.3\n"
        "t.csv:2: error: column C (Typ): `flot` is no type that is known; as in: bool, int16, "
        "uint16, int32, uint32, int64, uint64, float32, float64\n"
        "t.csv:2: error: column E (Faktor): `0,1,1` is no scale; as in: 0.1, 0,1, x0.1, /10\n"
        "t.csv:3: warning: column C (Typ): left out: `string` is no number, and Modbus points are "
        "bits and numbers\n");
}

TEST(numbers_as_people_write_them)
{
    static const struct {
        const char *text;
        double value; /* 0: it is none */
    } rows[] = {{"0,1", 0.1},
                {"-1.234,5", -1234.5},
                {"1,234.5", 1234.5},
                {"1.234.567", 1234567},
                {"12'345.5", 12345.5},
                {"1 234 567,25", 1234567.25},
                {"1,000", 1}, /* as the decimal sign that it most likely is in a column of scales */
                {"+2.5", 2.5},
                {"1e-3", 1e-3},
                {"0,1,1", 0},
                {"1.23.4", 0},
                {"1,2.3", 0},
                {",1,", 0},
                {"1.234,5,6", 0},
                {"1.2345,6", 0},
                {"1 0", 0},
                {"", 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        double got = 0;
        CHECK(cell_number(str_from(rows[i].text), &got) == (rows[i].value != 0));
        if (rows[i].value != 0)
            CHECK(got == rows[i].value);
    }
}

TEST(what_is_wrong_with_the_whole)
{
    struct points_options nowhere = plain;
    nowhere.line = STR("");
    static const struct {
        const char *label, *file, *says;
        bool nowhere;
    } rows[] = {
        {"no headings", "a;b\n1;2\n", "! no line of headings was found", false},
        {"nothing", "", "the first line says: nothing", false},
        {"only headings", "name,address\n", "no point below them", false},
        {"no line", "name,address\np,40001\n", "where is this device? Say --line", true},
        {"two units", "device,unit id,name,address\na,1,p,40001\na,2,q,40002\n",
         "column B (unit id): a is unit 1 in line 2, and unit 2 here", false},
        {"a host that is none", "host,name,address\n\"a\"\"b\",p,40001\n", "this is no host",
         false},
        {"a condition that is more",
         "name,address,action,value,safe,confirms\nf,1,f,on,x,\"x } program\"\n",
         "this is no condition", false},
        {"an open quote", "name,address\n\"p,40001\n", "is not closed", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        import(&got, str_from(rows[i].file), rows[i].nowhere ? &nowhere : &plain);
        CHECK_HAS_STR(got.p, rows[i].says);
        strbuf_fini(&got);
    }
}

static bool all_taken(void *ctx, struct str name, bool model)
{
    (void)ctx;
    return model ? str_eq(name, STR("Meter")) : str_eq(name, STR("meter"));
}

TEST(models_are_called_after_their_devices)
{
    static const struct {
        const char *device, *model;
    } rows[] = {{"hall.meter_1", "Meter"}, {"meter12", "Meter"},
                {"em340", "Em340"},        {"flow_sensor", "FlowSensor"},
                {"v", "VDevice"},          {"x.t", "TDevice"},
                {"12", "Points"},          {"hall.p_7", "P"}};
    struct arena a;
    arena_init(&a, alloc_system(), 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].device);
        CHECK_EQ_STR(name_model(&a, str_from(rows[i].device)).p, rows[i].model);
    }
    CHECK_EQ_STR(points_name(&a, STR("Halle 3/Energiezähler"), false).p, "halle_3.energiezaehler");
    CHECK_EQ_STR(points_name(&a, STR("Energiezähler 2"), true).p, "Energiezaehler");
    CHECK(points_name(&a, STR("/-."), true).n == 0);
    arena_fini(&a);
}

TEST(names_of_the_site_are_respected)
{
    struct points_options o = plain;
    struct strbuf got;
    o.taken = all_taken;
    strbuf_init(&got, alloc_system(), 0);
    import(&got, STR("name,address\np,40001\n"), &o);
    CHECK_HAS_STR(got.p, "the site has a device meter already");
    strbuf_reset(&got);
    o.device = STR("other");
    import(&got, STR("device,name,address\na/meter,p,40001\n"), &o);
    CHECK_HAS_STR(got.p, "model Meter2 {"); /* the site has one, which may be quite another */
    strbuf_reset(&got);
    o.model = STR("Meter");
    import(&got, STR("name,address\np,40001\n"), &o);
    CHECK_HAS_STR(got.p, "device other: Meter {"); /* but this one was asked for */
    CHECK(strstr(got.p, "model") == NULL);
    strbuf_fini(&got);
}

TEST(memory_that_ends)
{
    static const char file[] = "device,name,address,unit,action,value\na,p,40001,kW,,\n"
                               "a,q,40002,quux,,\nb,off,00001,,off,off\n";
    bool done = false;
    for (uint32_t n = 0; !done && n < 10000; n++) {
        LABEL("allocation %u fails", n);
        struct alloc_faulty faulty;
        alloc_faulty_init(&faulty, n);
        struct points_table t;
        struct error e = {0};
        enum err err = points_table_read(
            &t, &faulty.alloc, &plain, (struct bytes){(const uint8_t *)file, sizeof(file) - 1}, &e);
        done = faulty.count <= n;
        CHECK(err == ERR_NOMEM || err == ERR_OK);
        points_table_fini(&t);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
    CHECK(done);
}

TEST(points_scales_that_are_none)
{
    static const struct {
        const char *text;
        double scale; /* 0: it is none */
    } rows[] = {
        {"1/10", 0.1}, {"10^-2", 0.01},   {"÷4", 0.25},   {"x0.5", 0.5},  {"0", 0},
        {"0/10", 0},   {"10^999", 0},     {"10^-999", 0}, {"1/0", 0},     {"x0", 0},
        {"/1e999", 0}, {"1e300/1e-9", 0}, {"+1e999", 0},  {"÷1e-320", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double got = 0;
        LABEL("%s", rows[i].text);
        bool is_scale = cell_scale(str_from(rows[i].text), &got);
        CHECK_EQ_INT(is_scale, rows[i].scale != 0);
        if (is_scale)
            CHECK_EQ_DBL(got, rows[i].scale, 1e-12);
    }
}
