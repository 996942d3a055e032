#include "adopt/shape.h"

#include <stdio.h>
#include <string.h>

enum { TOPIC_MAX = 1024 };

const char *adopt_shape_name(enum adopt_shape s)
{
    static const char *const names[] = {NULL,     "tasmota", "zigbee2mqtt", "shelly",
                                        "shelly", "esphome", "json",        "value"};
    return names[s];
}

bool adopt_same_thing(const struct adopt_thing *a, const struct adopt_thing *b)
{
    /* a document and the values below its topic are one thing's */
    enum adopt_shape x = a->shape == SHAPE_VALUE ? SHAPE_JSON : a->shape;
    enum adopt_shape y = b->shape == SHAPE_VALUE ? SHAPE_JSON : b->shape;
    return x == y && x != SHAPE_NONE && str_eq(a->base, b->base);
}

/* --- pieces of topics --- */

static bool last_slash(struct str s, size_t *at)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == '/') {
            *at = i;
            return true;
        }
    return false;
}

static struct str first_level(struct str s)
{
    size_t at;
    return str_find(s, '/', &at) ? str_sub(s, 0, at) : s;
}

static struct str behind_first(struct str s)
{
    size_t at;
    return str_find(s, '/', &at) ? str_sub(s, at + 1, s.n) : STR("");
}

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(s, str_from(*words)))
            return true;
    return false;
}

static bool has(const struct adopt_topics *all, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool has(const struct adopt_topics *all, const char *fmt, ...)
{
    char topic[TOPIC_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(topic, sizeof(topic), fmt, ap);
    va_end(ap);
    return n > 0 && n < TOPIC_MAX && all->has(all->ctx, (struct str){topic, (size_t)n});
}

/* --- whose topics are whose --- */

/* "tele/%topic%/SENSOR", or as people set FullTopic too: "%topic%/tele/SENSOR". Commands are not
 * what a thing says. (tasmota.github.io/docs/MQTT) */
static bool tasmota(struct str topic, struct adopt_thing *t)
{
    static const char *const prefixes[] = {"tele", "stat", NULL};
    static const char *const said[] = {"SENSOR", "STATE",  "LWT",     "RESULT", "INFO1", "INFO2",
                                       "INFO3",  "UPTIME", "MARGINS", "STATUS", NULL};
    size_t end, middle;
    if (!last_slash(topic, &end))
        return false;
    struct str rest = str_sub(topic, end + 1, topic.n), front = str_sub(topic, 0, end);
    if (!is_one_of(rest, said) && !str_starts(rest, STR("POWER")) &&
        !str_starts(rest, STR("STATUS")))
        return false;
    struct str first = first_level(front);
    if (is_one_of(first, prefixes) && first.n < front.n)
        *t = (struct adopt_thing){.base = behind_first(front), .prefix = first};
    else if (last_slash(front, &middle) && is_one_of(str_sub(front, middle + 1, front.n), prefixes))
        *t = (struct adopt_thing){.base = str_sub(front, 0, middle),
                                  .prefix = str_sub(front, middle + 1, front.n),
                                  .prefix_last = true};
    else
        return false;
    t->shape = SHAPE_TASMOTA;
    t->rest = rest;
    return true;
}

/* "<base>/<friendly name>", which may have slashes; the bridge speaks on <base>/bridge/….
 * (www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html) */
static bool zigbee(struct str topic, const struct adopt_topics *all, struct adopt_thing *t)
{
    struct str base = first_level(topic), name = behind_first(topic);
    if (!name.n ||
        (!str_eq(base, STR("zigbee2mqtt")) && !has(all, "%.*s/bridge/devices", STR_FMT(base)) &&
         !has(all, "%.*s/bridge/state", STR_FMT(base))))
        return false;
    *t = (struct adopt_thing){.shape = SHAPE_ZIGBEE2MQTT, .base = topic};
    if (str_starts(name, STR("bridge/")) || str_ends(name, STR("/set")) ||
        str_ends(name, STR("/get")))
        t->shape = SHAPE_NONE;
    if (str_ends(name, STR("/availability"))) {
        t->base.n -= sizeof("/availability") - 1;
        t->rest = STR("availability");
    }
    return true;
}

/* "shellies/<id>/relay/0", its command behind it. (shelly-api-docs.shelly.cloud/gen1) */
static bool shelly1(struct str topic, struct adopt_thing *t)
{
    struct str id = first_level(behind_first(topic)), rest = behind_first(behind_first(topic));
    if (!str_eq(first_level(topic), STR("shellies")))
        return false;
    bool said = rest.n && !str_ends(rest, STR("/command")) && !str_eq(rest, STR("command")) &&
                !str_eq(rest, STR("announce"));
    size_t n = sizeof("shellies/") - 1 + id.n;
    *t = (struct adopt_thing){
        .shape = said ? SHAPE_SHELLY1 : SHAPE_NONE, .base = str_sub(topic, 0, n), .rest = rest};
    return true;
}

/* "switch:0" */
static bool is_component(struct str s)
{
    size_t colon;
    return str_find(s, ':', &colon) && colon > 0 && colon + 1 < s.n && s.p[colon + 1] >= '0' &&
           s.p[colon + 1] <= '9';
}

/* "<prefix>/status/switch:0", "<prefix>/events/rpc", "<prefix>/online".
 * (shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt) */
static bool shelly2(struct str topic, const struct adopt_topics *all, struct adopt_thing *t)
{
    static const char *const said[] = {"/status/", "/events/rpc", "/online", NULL};
    static const char *const known[] = {
        "switch:0", "temperature:0", "input:0", "cover:0", "light:0", "em:0", "pm1:0", "sys", NULL};
    for (size_t i = 0; said[i]; i++) {
        const char *at = memmem(topic.p, topic.n, said[i], strlen(said[i]));
        size_t n = at ? (size_t)(at - topic.p) : 0;
        if (!n)
            continue;
        struct str base = str_sub(topic, 0, n), rest = str_sub(topic, n + 1, topic.n);
        bool sure = str_eq(rest, STR("events/rpc")) ||
                    (i == 0 && is_component(str_sub(rest, sizeof("status/") - 1, rest.n))) ||
                    has(all, "%.*s/events/rpc", STR_FMT(base));
        for (size_t k = 0; !sure && known[k]; k++)
            sure = has(all, "%.*s/status/%s", STR_FMT(base), known[k]);
        *t = (struct adopt_thing){.shape = SHAPE_SHELLY2, .base = base, .rest = rest};
        return sure;
    }
    return false;
}

/* "<prefix>/<component>/<name>/state". (esphome.io/components/mqtt) */
static bool esphome(struct str topic, struct adopt_thing *t)
{
    static const char *const components[] = {"sensor", "binary_sensor", "text_sensor", "switch",
                                             "number", "fan",           "select",      NULL};
    size_t end, name, component;
    if (!last_slash(topic, &end) || !last_slash(str_sub(topic, 0, end), &name) ||
        !last_slash(str_sub(topic, 0, name), &component) ||
        !str_eq(str_sub(topic, end + 1, topic.n), STR("state")) ||
        !is_one_of(str_sub(topic, component + 1, name - component - 1), components))
        return false;
    *t = (struct adopt_thing){.shape = SHAPE_ESPHOME,
                              .base = str_sub(topic, 0, component),
                              .rest = str_sub(topic, component + 1, end - component - 1)};
    return true;
}

/* By the convention of `via mqtt`: a document on B or B/telemetry, or values on B/<property>. */
static struct adopt_thing plain(struct str topic, enum payload_kind kind)
{
    struct adopt_thing t = {.shape = SHAPE_JSON, .base = topic};
    size_t end;
    if (str_ends(topic, STR("/set")) || str_ends(topic, STR("/cmd")) ||
        str_ends(topic, STR("/command")))
        return (struct adopt_thing){0};
    if (kind == PAYLOAD_JSON && str_ends(topic, STR("/telemetry"))) {
        t.base.n -= sizeof("/telemetry") - 1;
    } else if (kind != PAYLOAD_JSON) {
        t.shape = SHAPE_VALUE;
        if (last_slash(topic, &end) && end > 0) {
            t.base = str_sub(topic, 0, end);
            t.rest = str_sub(topic, end + 1, topic.n);
        }
    }
    return t;
}

struct adopt_thing adopt_thing_of(struct str topic, enum payload_kind kind,
                                  const struct adopt_topics *all)
{
    static const char *const others[] = {"homeassistant/", "spBv1.0/", "tasmota/discovery/",
                                         "cmnd/",          "$",        NULL};
    struct adopt_thing t = {0};
    for (size_t i = 0; others[i]; i++)
        if (str_starts(topic, str_from(others[i])))
            return t;
    if (kind == PAYLOAD_BINARY || !topic.n)
        return t;
    if (tasmota(topic, &t) || shelly1(topic, &t) || zigbee(topic, all, &t) ||
        shelly2(topic, all, &t) || esphome(topic, &t))
        return t;
    return plain(topic, kind);
}
