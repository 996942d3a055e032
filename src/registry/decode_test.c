#include "registry/registry_internal.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct property_def properties[] = {
    {{"temperature", sizeof("temperature") - 1},
     {"°C", sizeof("°C") - 1},
     VALUE_FLOAT,
     true,
     -20,
     150},
    {{"parts", sizeof("parts") - 1}, {"", sizeof("") - 1}, VALUE_INT, false, 0, 0},
    {{"running", sizeof("running") - 1}, {"", sizeof("") - 1}, VALUE_BOOL, false, 0, 0},
    {{"label", sizeof("label") - 1}, {"", sizeof("") - 1}, VALUE_STR, false, 0, 0},
    {{"energy_sum", sizeof("energy_sum") - 1}, {"", sizeof("") - 1}, VALUE_FLOAT, false, 0, 0},
};
static const struct model_def model = {.name = {"Station", sizeof("Station") - 1},
                                       .properties = properties,
                                       .property_count = ARRAY_LEN(properties)};

#define ARRIVED_MS 1764000000000LL

/* Every sample as "name=value@time quality;" with the time relative to the arrival. */
static void print_sample(void *ctx, struct device_property *p, const struct sample *s)
{
    struct strbuf *b = ctx;
    strbuf_addstr(b, p->def->name);
    strbuf_addc(b, '=');
    switch (s->value.kind) {
    case VALUE_BOOL: strbuf_adds(b, s->value.b ? "true" : "false"); break;
    case VALUE_INT: strbuf_add_i64(b, s->value.i); break;
    case VALUE_FLOAT: strbuf_add_double(b, s->value.f); break;
    default: strbuf_add_json(b, s->value.s);
    }
    strbuf_addf(b, "@%lld", (long long)(s->ts_ms - ARRIVED_MS));
    if (s->quality != QUALITY_GOOD)
        strbuf_addf(b, " %s", quality_name(s->quality));
    strbuf_addc(b, ';');
}

/* As the language would. */
static bool convert(struct str from, struct str to, double *scale, double *offset)
{
    static const struct {
        const char *from, *to;
        double scale, offset;
    } known[] = {{"°F", "°C", 5.0 / 9, -160.0 / 9},
                 {"K", "°C", 1, -273.15},
                 {"km/h", "mm/s", 1e6 / 3600, 0},
                 {"%", "%", 1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_eq(from, str_from(known[i].from)) || !str_eq(to, str_from(known[i].to)))
            continue;
        *scale = known[i].scale;
        *offset = known[i].offset;
        return true;
    }
    return false;
}

struct fixture {
    struct device device;
    struct device_property props[ARRAY_LEN(properties)];
    struct series series[ARRAY_LEN(properties)];
    struct strbuf out;
    struct decode_target target;
    struct payload_error error;
};

static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->device.model = &model;
    f->device.props = f->props;
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        f->props[i].device = &f->device;
        f->props[i].def = &properties[i];
        f->props[i].series = &f->series[i];
    }
    strbuf_init(&f->out, alloc_system(), 0);
    f->target = (struct decode_target){.device = &f->device,
                                       .arrived_ms = ARRIVED_MS,
                                       .sample = print_sample,
                                       .ctx = &f->out,
                                       .convert = convert,
                                       .error = &f->error};
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

TEST(objects_become_samples)
{
    static const struct {
        const char *label, *payload, *samples, *error;
    } cases[] = {
        {"flat", "{\"temperature\":23.5}", "temperature=23.5@0;", ""},
        {"several, and a stranger", "{\"temperature\":23.5,\"mood\":[1,{\"a\":2}],\"parts\":7}",
         "temperature=23.5@0;parts=7@0;", ""},
        {"a whole float is an integer", "{\"parts\":7.0}", "parts=7@0;", ""},
        {"0 and 1 are booleans", "{\"running\":1}", "running=true@0;", ""},
        {"ts and values", "{\"ts\":1763999999000,\"values\":{\"temperature\":1}}",
         "temperature=1@-1000;", ""},
        {"values before ts", "{\"values\":{\"temperature\":1},\"ts\":1763999999000}",
         "temperature=1@-1000;", ""},
        {"flat with ts", "{\"temperature\":1,\"ts\":1763999999000}", "temperature=1@-1000;", ""},
        {"a list", "[{\"ts\":1763999998000,\"values\":{\"parts\":1}},{\"parts\":2}]",
         "parts=1@-2000;parts=2@0;", ""},
        {"escaped key", "{\"p\\u0061rts\":3}", "parts=3@0;", ""},
        {"null is no value", "{\"temperature\":null,\"parts\":1}", "parts=1@0;", ""},
        {"out of range is bad", "{\"temperature\":151}", "temperature=151@0 bad;", ""},
        {"a text", "{\"label\":\"a\\tb\"}", "label=\"a\\tb\"@0;", ""},
        {"a device without a clock", "{\"ts\":5,\"values\":{\"parts\":1}}", "parts=1@0 uncertain;",
         "ts: 5 is no plausible time; the time of arrival is used"},
        {"tomorrow's clock", "{\"ts\":1764100000000,\"values\":{\"parts\":1}}",
         "parts=1@0 uncertain;",
         "ts: 1764100000000 is no plausible time; the time of arrival is used"},
        {"wrong type", "{\"temperature\":\"hot\",\"parts\":1}", "parts=1@0;",
         "temperature: expected a number, got a string hot"},
        {"a fraction for an integer", "{\"parts\":1.5}", "",
         "parts: expected an integer, got a number 1.5"},
        {"half a document makes none", "{\"temperature\":23.5,\"parts\":", "", "not JSON"},
        {"nothing of ours", "{\"mood\":1}", "", "no property of Station is in it"},
        {"no object", "12", "", "expected a JSON object, got a number"},
        {"empty", "", "", "not JSON"},
        {"a list of numbers", "[1,2]", "", "expected a list of objects, got a number in it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct fixture f;
        fixture_init(&f);
        (void)decode_object(&f.target, bytes_of(cases[i].payload));
        CHECK_EQ_STR(f.out.p, cases[i].samples);
        if (cases[i].error[0] == 0)
            CHECK_EQ_STR(f.error.reason, "");
        else
            CHECK_HAS_STR(f.error.reason, cases[i].error);
        strbuf_fini(&f.out);
    }
}

TEST(bare_values_become_samples)
{
    static const struct {
        const char *label;
        int property;
        const char *payload, *samples, *error;
    } cases[] = {
        {"number", 0, "21.75", "temperature=21.75@0;", ""},
        {"with white space", 0, " 21.75\n", "temperature=21.75@0;", ""},
        {"boolean", 2, "true", "running=true@0;", ""},
        {"bare text", 3, "open door", "label=\"open door\"@0;", ""},
        {"text that looks like a number", 3, "42", "label=\"42\"@0;", ""},
        {"text that looks like a boolean", 3, "true", "label=\"true\"@0;", ""},
        {"text that looks like JSON", 3, "[1]", "label=\"[1]\"@0;", ""},
        {"null for a text", 3, "null", "", ""},
        {"bytes that are no text", 3, "\xff\x01", "", "label: expected a string, got \xff\x01"},
        {"quoted text", 3, "\"open\"", "label=\"open\"@0;", ""},
        {"text for a number", 0, "warm", "", "temperature: expected a number, got warm"},
        {"nothing", 0, "", "", "temperature: expected a number, got "},
        {"object", 0, "{}", "", "temperature: expected a number, got {}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct fixture f;
        fixture_init(&f);
        (void)decode_value(&f.target, &f.props[cases[i].property], bytes_of(cases[i].payload));
        CHECK_EQ_STR(f.out.p, cases[i].samples);
        CHECK_EQ_STR(f.error.reason, cases[i].error);
        strbuf_fini(&f.out);
    }
}

static void try_object(const char *payload, const char *samples, const char *error)
{
    struct fixture f;
    fixture_init(&f);
    (void)decode_object(&f.target, bytes_of(payload));
    CHECK_EQ_STR(f.out.p ? f.out.p : "", samples);
    if (error[0])
        CHECK_HAS_STR(f.error.reason, error);
    else
        CHECK_EQ_STR(f.error.reason, "");
    strbuf_fini(&f.out);
}

TEST(booleans_come_as_words)
{
    static const struct {
        const char *text, *samples;
    } rows[] = {
        {"ON", "true"},        {"off", "false"},
        {"True", "true"},      {"FALSE", "false"},
        {"yes", "true"},       {"No", "false"},
        {"1", "true"},         {"0", "false"},
        {"Online", "true"},    {"Offline", "false"},
        {"open", "true"},      {"closed", "false"},
        {"pressed", "true"},   {"released", "false"},
        {"LOCK", "true"},      {"UNLOCK", "false"},
        {"active", "true"},    {"inactive", "false"},
        {"enabled", "true"},   {"clear", "false"},
        {"connected", "true"}, {"disconnected", "false"},
        {"maybe", NULL},       {"", NULL},
        {"2", NULL},           {"ONN", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        char doc[64], want[64];
        struct fixture f;
        (void)snprintf(doc, sizeof(doc), "{\"running\":\"%s\"}", rows[i].text);
        want[0] = 0;
        if (rows[i].samples)
            (void)snprintf(want, sizeof(want), "running=%s@0;", rows[i].samples);
        try_object(doc, want, rows[i].samples ? "" : "running: expected a boolean");
        fixture_init(&f);
        (void)decode_value(&f.target, &f.props[2], bytes_of(rows[i].text));
        CHECK_EQ_STR(f.out.p ? f.out.p : "", want);
        strbuf_fini(&f.out);
    }
}

TEST(a_property_called_no_means_the_contrary)
{
    static const struct {
        const char *property, *text;
        bool want;
    } rows[] = {{"closed", "closed", true}, {"closed", "open", false}, {"offline", "online", false},
                {"open", "closed", false},  {"closed", "true", true},  {"off", "ON", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s: %s", rows[i].property, rows[i].text);
        const struct scalar s = {.kind = VALUE_BOOL, .name = str_from(rows[i].property)};
        struct value v = {0};
        CHECK(scalar_text(&s, str_from(rows[i].text), &v));
        CHECK_EQ_INT(v.b, rows[i].want);
    }
}

TEST(own_words_of_a_boolean)
{
    static const struct {
        const char *yes, *no, *text;
        int want; /* -1: can't be read */
    } rows[] = {
        {"hot", "cold", "HOT", 1}, {"hot", "cold", "cold", 0},   {"hot", "cold", "true", -1},
        {"hot", "", "hot", 1},     {"hot", "", "tepid", 0},      {"", "cold", "cold", 0},
        {"", "cold", "tepid", 1},  {"false", "true", "true", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s, %s: %s", rows[i].yes, rows[i].no, rows[i].text);
        const struct scalar s = {
            .kind = VALUE_BOOL, .yes = str_from(rows[i].yes), .no = str_from(rows[i].no)};
        struct value v = {0};
        bool read = scalar_text(&s, str_from(rows[i].text), &v);
        CHECK_EQ_INT(read ? (int)v.b : -1, rows[i].want);
    }
}

TEST(numbers_come_as_texts)
{
    try_object("{\"temperature\":\"21.5\"}", "temperature=21.5@0;", "");
    try_object("{\"temperature\":\" +21.5 \",\"parts\":\"7\"}", "temperature=21.5@0;parts=7@0;",
               "");
    try_object("{\"temperature\":\"-1.5e1\"}", "temperature=-15@0;", "");
    try_object("{\"temperature\":\"77 °F\"}", "temperature=25@0;", "");
    try_object("{\"temperature\":\"77°F\"}", "temperature=25@0;", "");
    try_object("{\"temperature\":\"21.5 °C\"}", "temperature=21.5@0;", "");
    try_object("{\"temperature\":\"3 bar\"}", "", "expected a number, got a string 3 bar");
    try_object("{\"temperature\":\"nan\"}", "", "expected a number");
    try_object("{\"temperature\":\"1e999\"}", "", "expected a number");
    try_object("{\"parts\":\"7.5\"}", "", "expected an integer");
    try_object("{\"label\":42,\"running\":true}", "label=\"42\"@0;running=true@0;", "");
}

TEST(scaled_numbers_have_no_noise)
{
    CHECK_EQ_DBL(registry_scaled(234, 0.1, 0), 23.4, 0);
    CHECK_EQ_DBL(registry_scaled(77, 5.0 / 9, -160.0 / 9), 25, 0);
    CHECK_EQ_DBL(registry_scaled(3, 0.1, 0), 0.3, 0);
    CHECK_EQ_DBL(registry_scaled(0, 0.1, 0), 0, 0);
    CHECK_EQ_DBL(registry_scaled(1e300, 1, 0), 1e300, 0);
    CHECK_EQ_DBL(registry_scaled(1e-300, 1, 0), 1e-300, 0);
}

TEST(objects_in_objects)
{
    static const struct property_def nested_properties[] = {
        {{"ENERGY_Power", 12}, {"W", 1}, VALUE_FLOAT, false, 0, 0},
        {{"Power", 5}, {"W", 1}, VALUE_FLOAT, false, 0, 0},
        {{"DS18B20_1_Temperature", 21}, {"", 0}, VALUE_FLOAT, false, 0, 0},
        {{"Temperature", 11}, {"", 0}, VALUE_FLOAT, false, 0, 0},
    };
    static const struct model_def nested_model = {
        .name = {"Plug", 4}, .properties = nested_properties, .property_count = 4};
    static const struct {
        const char *label, *payload, *samples;
    } rows[] = {
        {"joined", "{\"ENERGY\":{\"Power\":5}}", "ENERGY_Power=5@0;"},
        {"the last key, with Time", "{\"Time\":\"x\",\"ENERGY\":{\"Power\":5}}",
         "ENERGY_Power=5@0 uncertain;Power=5@0 uncertain;"},
        {"twice, so joined only",
         "{\"ts\":1763999999000,\"DS18B20-1\":{\"Temperature\":1},\"DS18B20-2\":{\"Temperature\":2}"
         "}",
         "DS18B20_1_Temperature=1@-1000;"},
        {"not out of lists", "{\"a\":[{\"ENERGY\":{\"Power\":5}}],\"Power\":1}", "Power=1@0;"},
        {"deeper", "{\"ENERGY\":{\"x\":{\"y\":1},\"Power\":6},\"b\":{\"c\":[1,{}]}}",
         "ENERGY_Power=6@0;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct fixture f;
        fixture_init(&f);
        f.device.model = &nested_model;
        for (size_t k = 0; k < 4; k++)
            f.props[k].def = &nested_properties[k];
        (void)decode_object(&f.target, bytes_of(rows[i].payload));
        CHECK_EQ_STR(f.out.p ? f.out.p : "", rows[i].samples);
        strbuf_fini(&f.out);
    }
}

TEST(senml_packs)
{
    static const struct {
        const char *label, *payload, *samples, *error;
    } rows[] = {
        {"a base name",
         "[{\"bn\":\"urn:dev:ow:10e2:\",\"n\":\"temperature\",\"u\":\"Cel\",\"v\":23.5}]",
         "temperature=23.5@0;", ""},
        {"a name alone", "[{\"n\":\"temperature\",\"v\":1}]", "temperature=1@0;", ""},
        {"relative times",
         "[{\"bn\":\"d/\",\"bt\":-10,\"n\":\"parts\",\"v\":1},{\"n\":\"parts\",\"t\":10,\"v\":2}]",
         "parts=1@-10000;parts=2@0;", ""},
        {"absolute times", "[{\"bt\":1763999000,\"n\":\"parts\",\"v\":1,\"t\":-1.5}]",
         "parts=1@-1001500;", ""},
        {"a base value", "[{\"bv\":20,\"n\":\"parts\",\"v\":1},{\"n\":\"temperature\"}]",
         "parts=21@0;temperature=20@0;", ""},
        {"a base unit", "[{\"bu\":\"K\",\"n\":\"temperature\",\"v\":273.15}]", "temperature=0@0;",
         ""},
        {"a unit of its own", "[{\"bu\":\"K\",\"n\":\"temperature\",\"u\":\"Cel\",\"v\":5}]",
         "temperature=5@0;", ""},
        {"another dimension",
         "[{\"n\":\"temperature\",\"u\":\"lx\",\"v\":5},{\"n\":\"parts\",\"v\":1}]", "parts=1@0;",
         "temperature: is in lx, which is no °C"},
        {"booleans and texts", "[{\"n\":\"running\",\"vb\":true},{\"n\":\"label\",\"vs\":\"a\"}]",
         "running=true@0;label=\"a\"@0;", ""},
        {"a sum", "[{\"bs\":5,\"n\":\"energy\",\"s\":2,\"v\":9}]", "energy_sum=7@0;", ""},
        {"what must be understood", "[{\"bn\":\"a\",\"x_\":1,\"n\":\"parts\",\"v\":1}]", "",
         "the field x_, which must be understood"},
        {"another version", "[{\"bver\":11,\"n\":\"parts\",\"v\":1}]", "", "version above 10"},
        {"a version", "[{\"bver\":10,\"n\":\"parts\",\"v\":1}]", "parts=1@0;", ""},
        {"no record of ours", "[{\"n\":\"x\",\"v\":1}]", "", "no property of Station is in it"},
        {"a time that can't be", "[{\"n\":\"parts\",\"v\":1,\"t\":99999999999}]",
         "parts=1@0 uncertain;", ""},
        {"a time that is years ahead", "[{\"n\":\"parts\",\"v\":1,\"t\":100000000}]",
         "parts=1@0 uncertain;", ""},
        {"a time a little ahead", "[{\"n\":\"parts\",\"v\":1,\"t\":60}]", "parts=1@60000;", ""},
        {"a base value that is not finite with it",
         "[{\"bv\":1e308,\"n\":\"temperature\",\"v\":1e308}]", "",
         "temperature: expected a number"},
        {"no list of objects", "[{\"n\":\"parts\",\"v\":1},5]", "parts=1@0;",
         "with a number in it"},
        {"a name too long for us",
         "[{\"bn\":\"0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "\",\"n\":\"parts\",\"v\":1}]",
         "", "no property"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        try_object(rows[i].payload, rows[i].samples, rows[i].error);
    }
}

/* A number with its base value is in no place of the payload. */
TEST(the_place_of_an_error_is_in_the_payload)
{
    struct bytes payload = bytes_of("[{\"bv\":0.5,\"n\":\"parts\",\"v\":1}]");
    struct fixture f;
    fixture_init(&f);
    CHECK_EQ_UINT(decode_object(&f.target, payload), 0);
    CHECK_HAS_STR(f.error.reason, "parts: expected an integer");
    CHECK(f.error.at < payload.n);
    strbuf_fini(&f.out);
}

TEST(every_cut_of_a_payload_is_safe)
{
    const char *whole = "[{\"ts\":1763999998000,\"values\":{\"parts\":1,\"label\":\"x\\u00e9\"}}]";
    for (size_t n = 0; n <= strlen(whole); n++) {
        LABEL("%zu bytes", n);
        char *copy = malloc(n ? n : 1); /* so that a sanitizer sees a byte too many */
        REQUIRE(copy != NULL);
        memcpy(copy, whole, n);
        struct fixture f;
        fixture_init(&f);
        size_t made = decode_object(&f.target, (struct bytes){(uint8_t *)copy, n});
        CHECK_EQ_UINT(made, n == strlen(whole) ? 2 : 0);
        strbuf_fini(&f.out);
        free(copy);
    }
}

TEST(payloads_are_told_apart)
{
    CHECK_EQ_INT(payload_classify(bytes_of("{\"a\":1}")), PAYLOAD_JSON);
    CHECK_EQ_INT(payload_classify(bytes_of("21.5")), PAYLOAD_NUMBER);
    CHECK_EQ_INT(payload_classify(bytes_of("{oops")), PAYLOAD_TEXT);
    CHECK_EQ_INT(payload_classify(bytes_of("ON")), PAYLOAD_TEXT);
    CHECK_EQ_INT(payload_classify(bytes_of("\xff\x01")), PAYLOAD_BINARY);
}
