/* Any bytes as a device's message, by the convention and by a mapping, and as a path: nothing may
 * crash, half a document makes no samples, and what is made fits its property. */
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

/* By path, as mapping.c would have them. */
static const struct {
    const char *path;
    enum source_what what;
    uint32_t member;
    double scale;
} mapped[] = {{"", SOURCE_PROPERTY, 3, 0},
              {"Time", SOURCE_TIME, 0, 0},
              {"a", SOURCE_PROPERTY, 0, 0.1},
              {"a.b", SOURCE_PROPERTY, 1, 0},
              {"a.b", SOURCE_EVENT, 0, 0},
              {"a.b.c", SOURCE_PROPERTY, 2, 0},
              {"a[1].n", SOURCE_PROPERTY, 3, 0},
              {"switch:0.output", SOURCE_PROPERTY, 2, 0},
              {"temperature", SOURCE_PROPERTY, 0, 0},
              {"ts", SOURCE_TIME, 0, 0},
              {"[0].v", SOURCE_PROPERTY, 0, 0}};

static bool convert(struct str from, struct str to, double *scale, double *offset)
{
    (void)to;
    *scale = (double)from.n;
    *offset = 1;
    return from.n % 2 == 0;
}

static void event(void *ctx, uint32_t which)
{
    size_t *n = ctx;
    ASSERT(which == 0);
    (*n)++;
}

static void try_mapping(struct decode_target *t, struct bytes payload)
{
    struct source sources[ARRAY_LEN(mapped)] = {0};
    struct arena a;
    struct error e;
    arena_init(&a, alloc_system(), 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(mapped); i++) {
        struct scalar how = scalar_of(t, &properties[mapped[i].member]);
        how.scale = mapped[i].scale;
        sources[i] =
            (struct source){.what = mapped[i].what, .member = mapped[i].member, .how = how};
        ASSERT(path_parse(&sources[i].path, str_from(mapped[i].path), &a, &e) == ERR_OK);
        ASSERT(i == 0 || path_cmp(&sources[i - 1].path, &sources[i].path) <= 0);
    }
    struct mapped_topic topic = {.sources = sources, .n = ARRAY_LEN(mapped)};
    const struct online there = {.path = sources[7].path};
    size_t *seen = t->ctx, before = *seen;
    size_t made = decode_mapped(t, &topic, payload);
    ASSERT(made == *seen - before);
    (void)decode_online(t, &there, payload);
    (void)decode_online(t, &(struct online){0}, payload);
    arena_fini(&a);
}

/* What was read is written so that it is read as the same again. */
static void try_path(const uint8_t *data, size_t size)
{
    struct arena a;
    struct error e;
    struct path p, again;
    struct strbuf b;
    arena_init(&a, alloc_system(), 1 << 20);
    strbuf_init(&b, alloc_system(), 0);
    if (path_parse(&p, (struct str){(const char *)data, size}, &a, &e) == ERR_OK) {
        for (size_t i = 0; i < p.n; i++)
            if (p.steps[i].key.p)
                path_add_key(&b, p.steps[i].key);
            else
                path_add_index(&b, p.steps[i].index);
        enum err err = path_parse(&again, strbuf_str(&b), &a, &e);
        ASSERT(err == ERR_RANGE ||
               (err == ERR_OK && path_cmp(&p, &again) == 0)); /* quotes are longer */
    }
    strbuf_fini(&b);
    arena_fini(&a);
}

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
                              .event = event,
                              .convert = convert,
                              .ctx = &seen,
                              .error = &error};
    size_t made = decode_object(&t, (struct bytes){data, size});
    ASSERT(made == seen);
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        size_t before = seen;
        made = decode_value(&t, &props[i], (struct bytes){data, size});
        ASSERT(made == seen - before && made <= 1);
    }
    try_mapping(&t, (struct bytes){data, size});
    try_path(data, size);
    (void)payload_classify((struct bytes){data, size});
    return 0;
}
