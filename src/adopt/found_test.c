/* What is heard, grouped by thing: one line for each, in the order of the list. */
#include "adopt/found.h"
#include "tests/support/test.h"

#include <string.h>

struct said {
    const char *topic, *payload;
    const char *claimer; /* the device that has it and could not read it */
};
struct claim {
    const char *topic, *device;
};
struct found_case {
    const char *label;
    struct said said[10];
    struct claim claims[4];
    const char *want;
};

static bool was_said(void *ctx, struct str topic)
{
    for (const struct said *s = ctx; s->topic; s++)
        if (str_eq(str_from(s->topic), topic))
            return true;
    return false;
}

static void claims_each(void *ctx, void (*claim)(void *to, struct str topic, struct str device),
                        void *to)
{
    for (const struct claim *c = ctx; c->topic; c++)
        claim(to, str_from(c->topic), str_from(c->device));
}

static bool is_claimed(void *ctx, struct str topic)
{
    for (const struct claim *c = ctx; c->topic; c++)
        if (str_eq(str_from(c->topic), topic))
            return true;
    return false;
}

static enum payload_kind kind_of(struct str payload)
{
    double n;
    if (memchr(payload.p, 0x01, payload.n))
        return PAYLOAD_BINARY;
    if (payload.p[0] == '{' || payload.p[0] == '[')
        return PAYLOAD_JSON;
    return str_to_double(payload, &n) == ERR_OK ? PAYLOAD_NUMBER : PAYLOAD_TEXT;
}

static void hear(struct adopt_view *v, struct alloc *a, struct found_case *c)
{
    const struct adopt_topics all = {was_said, c->said};
    struct strbuf path;
    strbuf_init(&path, alloc_system(), OBSERVED_PATH_BYTES);
    REQUIRE(adopt_view_init(v, a, ARRAY_LEN(c->said)) == ERR_OK);
    for (const struct said *s = c->said; s->topic; s++) {
        struct observed seen = {0};
        struct str payload = str_from(s->payload);
        enum payload_kind kind = kind_of(payload);
        if (kind == PAYLOAD_JSON)
            observed_json(&seen, alloc_system(), &path,
                          (struct bytes){(const uint8_t *)payload.p, payload.n}, 1);
        else if (kind != PAYLOAD_BINARY)
            observed_bare(&seen, alloc_system(), payload, 1);
        adopt_view_add(v, &all, str_from(s->topic), kind, 1, &seen, payload);
        v->topics[v->n - 1].claimer = str_from(s->claimer);
        observed_fini(&seen, alloc_system());
    }
    strbuf_fini(&path);
}

static void describe(const struct found_thing *t, struct strbuf *out)
{
    const char *shape = adopt_shape_name(t->shape);
    strbuf_addf(out, "%.*s (%s", STR_FMT(t->key), shape ? shape : "-");
    if (t->device.n)
        strbuf_addf(out, ", %.*s", STR_FMT(t->device));
    if (t->obstacle)
        strbuf_addf(out, ") %s: %.*s:", adopt_obstacle_name(t->obstacle), STR_FMT(t->why));
    else
        strbuf_addf(out, ") %.*s:", STR_FMT(t->adopt));
    for (size_t i = 0; i < t->topic_n; i++)
        strbuf_addf(out, " %.*s", STR_FMT(t->topics[i].topic));
    strbuf_adds(out, "\n");
}

#define STATE "{\"Heap\":27,\"POWER\":\"ON\",\"Uptime\":310,\"Sleep\":50}"

static struct found_case cases[] = {
    {.label = "a bridge, its announcements, and what can be adopted",
     .said = {{"zigbee2mqtt/bridge/state", "online", NULL},
              {"zigbee2mqtt/bridge/info", "{\"a\":1}", NULL},
              {"homeassistant/sensor/x/config", "{\"a\":1}", NULL},
              {"garden/bed1/moisture", "41", NULL},
              {"zigbee2mqtt/kitchen/availability", "online", NULL},
              {"zigbee2mqtt/kitchen/set", "{\"a\":1}", NULL},
              {"zigbee2mqtt/kitchen", "{\"temperature\":21.5}", NULL},
              {"garden/bed1/temp", "18.5", NULL}},
     .want = "zigbee2mqtt:zigbee2mqtt/kitchen (zigbee2mqtt) zigbee2mqtt/kitchen: "
             "zigbee2mqtt/kitchen zigbee2mqtt/kitchen/availability zigbee2mqtt/kitchen/set\n"
             "plain:garden/bed1 (value) garden/bed1/moisture: garden/bed1/moisture "
             "garden/bed1/temp\n"
             "announcement:homeassistant (-) announcement: announcements: what they announce "
             "has topics of its own: homeassistant/sensor/x/config\n"
             "announcement:zigbee2mqtt/bridge (-) announcement: announcements: what they "
             "announce has topics of its own: zigbee2mqtt/bridge/info zigbee2mqtt/bridge/state\n"},
    {.label = "of Tasmota what measures comes before what is longer",
     .said = {{"cmnd/plug1/POWER", "ON", NULL},
              {"tele/plug1/STATE", STATE, NULL},
              {"tele/plug1/SENSOR", "{\"ENERGY\":{\"Power\":38}}", NULL},
              {"tele/plug1/LWT", "Online", NULL}},
     .want = "tasmota:plug1 (tasmota) tele/plug1/SENSOR: tele/plug1/SENSOR tele/plug1/STATE "
             "tele/plug1/LWT cmnd/plug1/POWER\n"},
    {.label = "of a Shelly what it does comes before its sign of life",
     .said = {{"shellies/s1/online", "true", NULL}, {"shellies/s1/relay/0", "on", NULL}},
     .want = "shelly:shellies/s1 (shelly) shellies/s1/relay/0: shellies/s1/relay/0 "
             "shellies/s1/online\n"},
    {.label = "what has nothing to have says why",
     .said = {{"tele/plug2/LWT", "Online", NULL},
              {"cmnd/plug3/POWER", "ON", NULL},
              {"clock/now", "2024-05-01T10:00:00", NULL},
              {"who", "{\"mac\":\"00:11:22:33:44:55\"}", NULL},
              {"hall/camera", "\x01", NULL},
              {"spBv1.0/g/NDATA/n", "x", NULL}},
     .want = "plain:clock (value) nothing: no value in it could be a property: it is a time: "
             "clock/now\n"
             "plain:hall (value) binary: its messages are not text: hall/camera\n"
             "tasmota:plug2 (tasmota) nothing: no value in it could be a property: "
             "tele/plug2/LWT\n"
             "tasmota:plug3 (tasmota) command: only commands to it have been heard: "
             "cmnd/plug3/POWER\n"
             "plain:who (json) nothing: no value in it could be a property (mac: it says who the "
             "device is): who\n"
             "sparkplug:spBv1.0/g (-) sparkplug: Sparkplug, which is only listed: "
             "spBv1.0/g/NDATA/n\n"},
    {.label = "announced by its bridge, and silent until now",
     .said = {{"zigbee2mqtt/bridge/devices", "[{\"friendly_name\":\"lamp\",\"definition\":{}}]",
               NULL},
              {"zigbee2mqtt/lamp/availability", "{\"state\":\"online\"}", NULL},
              {"zigbee2mqtt/lam/availability", "{\"state\":\"online\"}", NULL}},
     .want = "zigbee2mqtt:zigbee2mqtt/lamp (zigbee2mqtt) zigbee2mqtt/lamp/availability: "
             "zigbee2mqtt/lamp/availability\n"
             "zigbee2mqtt:zigbee2mqtt/lam (zigbee2mqtt) nothing: no value in it could be a "
             "property: zigbee2mqtt/lam/availability\n"
             "announcement:zigbee2mqtt/bridge (-) announcement: announcements: what they "
             "announce has topics of its own: zigbee2mqtt/bridge/devices\n"},
    {.label = "more of a device, and what it has all of",
     .said = {{"stat/plug1/RESULT", "{\"POWER\":\"ON\"}", NULL},
              {"tele/plug2/STATE", STATE, NULL},
              {"line1/press1/oil", "3.5", NULL},
              {"a/new", "3.5", NULL}},
     .claims = {{"tele/plug1/SENSOR", "home.plug1"},
                {"stat/plug2/POWER", "home.plug2"},
                {"line1/press1", "plant.press1"}},
     .want = "plain:a (value) a/new: a/new\n"
             "plain:line1/press1 (value, plant.press1) line1/press1/oil: line1/press1/oil\n"
             "tasmota:plug1 (tasmota, home.plug1) nothing: no value in it could be a property: "
             "stat/plug1/RESULT\n"
             "tasmota:plug2 (tasmota, home.plug2) had: its device has all of it already: "
             "tele/plug2/STATE\n"},
    {.label = "what a device could not read is that device's",
     .said = {{"line1/press1", "{\"temperature\":\"x\"}", "plant.press1"},
              {"line1/press1/pressure", "x", "plant.press1"},
              {"line1/press2", "{\"temperature\":1}", NULL}},
     .want =
         "plain:line1/press2 (json) line1/press2: line1/press2\n"
         "device:plant.press1 (json, plant.press1) unreadable: messages that it could not read: "
         "line1/press1 line1/press1/pressure\n"},
    {.label = "ESPHome's sign of life and its log are its own",
     .said = {{"garden/debug", "\x01[0;32m[I][app]: x", NULL},
              {"garden/status", "online", NULL},
              {"garden/sensor/soil/state", "41", NULL},
              {"other/status", "online", NULL}},
     .want = "esphome:garden (esphome) garden/sensor/soil/state: garden/sensor/soil/state "
             "garden/status garden/debug\n"
             "plain:other (value) other/status: other/status\n"},
    {.label = "nothing", .want = ""},
};

static enum err make(struct found *f, struct alloc *a, struct found_case *c)
{
    const struct found_claims claims = {claims_each, is_claimed, c->claims};
    struct adopt_view v;
    hear(&v, a, c);
    return found_make(f, &v, &claims);
}

TEST(what_is_heard_is_grouped_by_thing)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct found f;
        LABEL("%s", cases[i].label);
        strbuf_reset(&b);
        CHECK_EQ_INT(make(&f, alloc_system(), &cases[i]), ERR_OK);
        for (size_t k = 0; k < f.n; k++)
            describe(&f.things[k], &b);
        CHECK_EQ_STR(b.n ? b.p : "", cases[i].want);
        found_fini(&f);
    }
    strbuf_fini(&b);
}

TEST(without_memory_there_is_no_list)
{
    struct found f;
    enum err err = ERR_NOMEM;
    struct alloc_faulty faulty;
    alloc_faulty_init(&faulty, UINT64_MAX);
    for (uint64_t n = 0; err; n++) {
        LABEL("allocation %llu fails", (unsigned long long)n);
        const struct found_claims claims = {claims_each, is_claimed, cases[0].claims};
        struct adopt_view v;
        faulty.fail_at = UINT64_MAX;
        hear(&v, &faulty.alloc, &cases[0]);
        faulty.fail_at = faulty.count + n;
        err = found_make(&f, &v, &claims);
        if (err && !CHECK_EQ_INT(err, ERR_NOMEM))
            break;
        CHECK_EQ_INT(f.n == 0, err != ERR_OK);
        found_fini(&f);
    }
    CHECK_EQ_INT(faulty.live_bytes, 0);
}
