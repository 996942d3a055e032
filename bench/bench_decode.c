/* bench_decode: documents a second from bytes to samples: the flat object that most devices send,
 * and each of the other forms of docs/payloads.md. One thread, the medians of nine runs. */
#include "base/stats.h"
#include "registry/registry_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RUNS = 9, DOCUMENTS = 100000, PROPERTIES = 6 };

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
static const struct property_def properties[PROPERTIES] = {
    {S("temperature"), S("°C"), VALUE_FLOAT, true, -20, 150},
    {S("vibration"), S("mm/s"), VALUE_FLOAT, false, 0, 0},
    {S("parts"), S(""), VALUE_INT, false, 0, 0},
    {S("running"), S(""), VALUE_BOOL, false, 0, 0},
    {S("ENERGY_Power"), S("W"), VALUE_FLOAT, false, 0, 0},
    {S("ENERGY_Voltage"), S("V"), VALUE_FLOAT, false, 0, 0},
};
static const struct model_def model = {
    .name = S("Station"), .properties = properties, .property_count = PROPERTIES};

#define TASMOTA                                                                                    \
    "{\"Time\":\"2025-11-24T16:00:00Z\",\"ENERGY\":{\"TotalStartTime\":\"2023-11-02T09:14:40\","   \
    "\"Total\":41.267,\"Yesterday\":0.612,\"Today\":0.387,\"Period\":10,\"Power\":118,"            \
    "\"ApparentPower\":131,\"ReactivePower\":57,\"Factor\":0.90,\"Voltage\":230,\"Current\":0."    \
    "570}}"
static const struct {
    const char *name, *goal, *payload;
    double at_least; /* M/s; 0: no goal */
    size_t samples;
    bool mapped;
} forms[] = {
    {"decode_flat", ">=1", "{\"temperature\": 85.2, \"vibration\": 3.1, \"parts\": 1234}", 1, 3,
     false},
    {"decode_ts_values", "-",
     "{\"ts\":1763999999000,\"values\":{\"temperature\":85.2,\"vibration\":3.1,\"running\":true}}",
     0, 3, false},
    {"decode_list", "-",
     "[{\"ts\":1763999998000,\"values\":{\"parts\":1}},"
     "{\"ts\":1763999999000,\"values\":{\"parts\":2}}]",
     0, 2, false},
    {"decode_senml", "-",
     "[{\"bn\":\"urn:dev:10e2:\",\"bt\":1763999999,\"n\":\"temperature\",\"v\":85.2},"
     "{\"n\":\"vibration\",\"v\":3.1}]",
     0, 2, false},
    {"decode_nested", "-", TASMOTA, 0, 2, false},
    {"decode_mapped", "-", TASMOTA, 0, 2, true},
};

struct bench {
    struct device device;
    struct device_property props[PROPERTIES];
    struct series series[PROPERTIES];
    struct arena arena;
    struct source sources[4];
    struct mapped_topic topic;
    size_t samples;
};

static void sample(void *ctx, struct device_property *p, const struct sample *s)
{
    struct bench *b = ctx;
    b->samples += p->series == s->series;
}

static bool prepare(struct bench *b)
{
    static const struct {
        const char *path;
        enum source_what what;
        uint32_t member;
    } paths[] = {{"ENERGY.Power", SOURCE_PROPERTY, 4},
                 {"ENERGY.Voltage", SOURCE_PROPERTY, 5},
                 {"Time", SOURCE_TIME, 0},
                 {"ts", SOURCE_TIME, 0}};
    struct error e;
    enum err err = ERR_OK;
    *b = (struct bench){.device = {.model = &model, .props = b->props}};
    arena_init(&b->arena, alloc_system(), 1 << 16);
    for (size_t i = 0; i < PROPERTIES; i++)
        b->props[i] = (struct device_property){
            .device = &b->device, .def = &properties[i], .series = &b->series[i]};
    for (size_t i = 0; i < ARRAY_LEN(paths) && !err; i++) {
        const struct decode_target t = {.device = &b->device};
        b->sources[i] = (struct source){.what = paths[i].what,
                                        .member = paths[i].member,
                                        .how = scalar_of(&t, &properties[paths[i].member])};
        err = path_parse(&b->sources[i].path, str_from(paths[i].path), &b->arena, &e);
    }
    b->topic = (struct mapped_topic){.sources = b->sources, .n = ARRAY_LEN(paths)};
    return err == ERR_OK;
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Millions a second; negative: not all samples were made. */
static double decode(struct bench *b, size_t form)
{
    const struct bytes payload = {(const uint8_t *)forms[form].payload,
                                  strlen(forms[form].payload)};
    b->samples = 0;
    double start = now_s();
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct payload_error error;
        error.reason[0] = 0;
        struct decode_target t = {.device = &b->device,
                                  .arrived_ms = 1764000000000LL,
                                  .sample = sample,
                                  .ctx = b,
                                  .error = &error};
        if (forms[form].mapped)
            (void)decode_mapped(&t, &b->topic, payload);
        else
            (void)decode_object(&t, payload);
    }
    double took = now_s() - start;
    return b->samples == forms[form].samples * DOCUMENTS ? DOCUMENTS / took / 1e6 : -1;
}

int main(void)
{
    static struct bench b;
    bool fine = prepare(&b);
    for (size_t i = 0; fine && i < ARRAY_LEN(forms); i++) {
        double rates[RUNS];
        for (size_t run = 0; run < RUNS; run++) {
            rates[run] = decode(&b, i);
            fine = fine && rates[run] > 0;
        }
        double rate = stats_median(rates, RUNS);
        bool goal = forms[i].at_least > 0;
        (void)printf(
            "bench=%s unit=Mdocuments/s ours=%.3f peer=- theirs=- ratio=- goal=%s met=%s\n",
            forms[i].name, rate, forms[i].goal,
            !goal                       ? "-"
            : rate >= forms[i].at_least ? "yes"
                                        : "no");
    }
    arena_fini(&b.arena);
    return fine ? 0 : 1;
}
