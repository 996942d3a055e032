#include "registry/registry_internal.h"
#include "tests/support/test.h"

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
        {"half a document makes none", "{\"temperature\":23.5,\"parts\":", "",
         "not JSON at byte 28"},
        {"nothing of ours", "{\"mood\":1}", "", "no property of Station is in it"},
        {"no object", "12", "", "expected a JSON object, got a number"},
        {"empty", "", "", "not JSON at byte 0"},
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
