/* Any bytes as a device's message: the decoder must neither crash nor make samples of half a
 * document. */
#include "registry/registry_internal.h"

#include <stdlib.h>

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct property_def properties[] = {
    {S("temperature"), S("°C"), VALUE_FLOAT, true, -20, 150},
    {S("parts"), S(""), VALUE_INT, false, 0, 0},
    {S("running"), S(""), VALUE_BOOL, false, 0, 0},
    {S("label"), S(""), VALUE_STR, false, 0, 0},
};
static const struct model_def model = {
    .name = S("Station"), .properties = properties, .property_count = ARRAY_LEN(properties)};

static void sample(void *ctx, struct device_property *p, const struct sample *s)
{
    size_t *n = ctx;
    ASSERT(s->value.kind == p->def->kind);
    ASSERT(s->ts_ms > 0 && s->quality != QUALITY_NONE);
    (*n)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct device_property props[ARRAY_LEN(properties)] = {0};
    struct series series[ARRAY_LEN(properties)] = {0};
    struct device device = {.model = &model, .props = props};
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        props[i].device = &device;
        props[i].def = &properties[i];
        props[i].series = &series[i];
    }
    size_t seen = 0;
    struct payload_error error = {0};
    struct decode_target t = {.device = &device,
                              .arrived_ms = 1764000000000LL,
                              .sample = sample,
                              .ctx = &seen,
                              .error = &error};
    size_t made = decode_object(&t, (struct bytes){data, size});
    ASSERT(made == seen);
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        size_t before = seen;
        made = decode_value(&t, &props[i], (struct bytes){data, size});
        ASSERT(made == seen - before && made <= 1);
    }
    (void)payload_classify((struct bytes){data, size});
    return 0;
}
