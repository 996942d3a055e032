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

const char *adopt_obstacle_name(enum adopt_obstacle o)
{
    static const char *const names[] = {NULL,     "command", "announcement", "sparkplug",
                                        "binary", "nothing", "had",          "unreadable"};
    return names[o];
}

const char *adopt_obstacle_text(enum adopt_obstacle o)
{
    static const char *const texts[] = {
        "",
        "is a command to a device",
        "is an announcement: what it announces has topics of its own",
        "is Sparkplug's, which is only listed",
        "is not text",
        "has no value that a property could have",
        "has nothing that its device has not already",
        "is a device's, which could not read it",
    };
    return texts[o];
}

struct str adopt_key(const struct adopt_thing *t, struct str claimer, char buf[ADOPT_KEY_MAX])
{
    bool plain = t->kin == SHAPE_JSON || t->kin == SHAPE_VALUE;
    const char *of = claimer.n              ? "device"
                     : plain                ? "plain"
                     : t->kin != SHAPE_NONE ? adopt_shape_name(t->kin)
                                            : adopt_obstacle_name(t->obstacle);
    struct str base = claimer.n ? claimer : t->base;
    int n = snprintf(buf, ADOPT_KEY_MAX, "%s:%.*s", of, STR_FMT(base));
    return (struct str){buf, n < ADOPT_KEY_MAX ? (size_t)n : ADOPT_KEY_MAX - 1};
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

/* --- whose topics are whose: false if they are somebody else's --- */

/* Of no device; the base is the place that they share. */
static bool announcement(struct str topic, struct adopt_thing *t)
{
    static const struct {
        const char *prefix;
        int levels; /* of the base */
        enum adopt_obstacle obstacle;
    } rows[] = {
        {"homeassistant/", 1, OBSTACLE_ANNOUNCEMENT},
        {"spBv1.0/", 2, OBSTACLE_SPARKPLUG},
        {"tasmota/discovery/", 2, OBSTACLE_ANNOUNCEMENT},
        {"shellies/announce", 2, OBSTACLE_ANNOUNCEMENT},
        {"$", 1, OBSTACLE_ANNOUNCEMENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!str_starts(topic, str_from(rows[i].prefix)))
            continue;
        struct str rest = topic, level = topic;
        for (int k = 0; k < rows[i].levels && rest.n; k++)
            (void)str_split(&rest, '/', &level);
        *t = (struct adopt_thing){.obstacle = rows[i].obstacle,
                                  .base = {topic.p, (size_t)(level.p + level.n - topic.p)}};
        return true;
    }
    return false;
}

/* "tele/%topic%/SENSOR", or as people set FullTopic too: "%topic%/tele/SENSOR"; cmnd/… is what it
 * is told. (tasmota.github.io/docs/MQTT) */
static bool tasmota(struct str topic, struct adopt_thing *t)
{
    static const char *const prefixes[] = {"tele", "stat", "cmnd", NULL};
    static const char *const said[] = {"SENSOR", "STATE",  "LWT",     "RESULT", "INFO1", "INFO2",
                                       "INFO3",  "UPTIME", "MARGINS", "STATUS", NULL};
    size_t end, middle;
    if (!last_slash(topic, &end))
        return false;
    struct str rest = str_sub(topic, end + 1, topic.n), front = str_sub(topic, 0, end);
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
    if (str_eq(t->prefix, STR("cmnd")))
        t->obstacle = OBSTACLE_COMMAND;
    return t->obstacle || is_one_of(rest, said) || str_starts(rest, STR("POWER")) ||
           str_starts(rest, STR("STATUS"));
}

/* What it is told, "<base>/<name>/set", also of one property, "…/set/brightness". */
static bool zigbee_command(struct str topic, struct adopt_thing *t)
{
    static const char *const verbs[] = {"/set", "/get"};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        for (size_t at = 0; at + 4 <= topic.n; at++)
            if (memcmp(topic.p + at, verbs[i], 4) == 0 &&
                (at + 4 == topic.n || topic.p[at + 4] == '/')) {
                t->base = str_sub(topic, 0, at);
                t->obstacle = OBSTACLE_COMMAND;
                return true;
            }
    return false;
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
    if (str_starts(name, STR("bridge/"))) {
        *t = (struct adopt_thing){.obstacle = OBSTACLE_ANNOUNCEMENT,
                                  .base = {topic.p, base.n + sizeof("/bridge") - 1}};
    } else if (str_ends(name, STR("/availability"))) {
        t->base.n -= sizeof("/availability") - 1;
        t->rest = STR("availability");
    } else {
        (void)zigbee_command(topic, t);
    }
    return true;
}

/* "shellies/<id>/relay/0", its command behind it. (shelly-api-docs.shelly.cloud/gen1) */
static bool shelly1(struct str topic, struct adopt_thing *t)
{
    struct str id = first_level(behind_first(topic)), rest = behind_first(behind_first(topic));
    if (!str_eq(first_level(topic), STR("shellies")))
        return false;
    bool told = str_ends(rest, STR("/command")) || str_eq(rest, STR("command"));
    size_t n = sizeof("shellies/") - 1 + id.n;
    *t = (struct adopt_thing){.shape = SHAPE_SHELLY1, .base = str_sub(topic, 0, n), .rest = rest};
    t->obstacle = told                                       ? OBSTACLE_COMMAND
                  : !rest.n || str_eq(rest, STR("announce")) ? OBSTACLE_ANNOUNCEMENT
                                                             : OBSTACLE_NONE;
    return true;
}

/* "switch:0" */
static bool is_component(struct str s)
{
    size_t colon;
    return str_find(s, ':', &colon) && colon > 0 && colon + 1 < s.n && s.p[colon + 1] >= '0' &&
           s.p[colon + 1] <= '9';
}

/* Whether what has this prefix has said something that only a Shelly says. */
static bool is_shelly(const struct adopt_topics *all, struct str base)
{
    static const char *const known[] = {
        "switch:0", "temperature:0", "input:0", "cover:0", "light:0", "em:0", "pm1:0", "sys", NULL};
    bool sure = has(all, "%.*s/events/rpc", STR_FMT(base));
    for (size_t k = 0; !sure && known[k]; k++)
        sure = has(all, "%.*s/status/%s", STR_FMT(base), known[k]);
    return sure;
}

/* "<prefix>/status/switch:0", "<prefix>/events/rpc", "<prefix>/online"; what it is told is on
 * "<prefix>/command/switch:0" and "<prefix>/rpc".
 * (shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt) */
static bool shelly2(struct str topic, const struct adopt_topics *all, struct adopt_thing *t)
{
    static const struct {
        const char *inner;
        bool end;   /* nothing stands behind it */
        bool alone; /* it is enough to be sure; else before a component */
        enum adopt_obstacle obstacle;
    } rows[] = {
        {"/status/", false, false, OBSTACLE_NONE},  {"/command/", false, false, OBSTACLE_COMMAND},
        {"/events/rpc", true, true, OBSTACLE_NONE}, {"/online", true, false, OBSTACLE_NONE},
        {"/rpc", true, false, OBSTACLE_COMMAND},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t inner = strlen(rows[i].inner);
        const char *at = memmem(topic.p, topic.n, rows[i].inner, inner);
        size_t n = at ? (size_t)(at - topic.p) : 0;
        if (!n || (rows[i].end && n + inner != topic.n))
            continue;
        struct str base = str_sub(topic, 0, n);
        *t = (struct adopt_thing){.shape = SHAPE_SHELLY2,
                                  .base = base,
                                  .rest = str_sub(topic, n + 1, topic.n),
                                  .obstacle = rows[i].obstacle};
        return rows[i].alone || is_component(str_sub(topic, n + inner, topic.n)) ||
               is_shelly(all, base);
    }
    return false;
}

/* "<prefix>/<component>/<name>/state", and …/command. (esphome.io/components/mqtt) */
static bool esphome(struct str topic, struct adopt_thing *t)
{
    static const char *const components[] = {"sensor", "binary_sensor", "text_sensor", "switch",
                                             "number", "fan",           "select",      NULL};
    size_t end, name, component;
    if (!last_slash(topic, &end) || !last_slash(str_sub(topic, 0, end), &name) ||
        !last_slash(str_sub(topic, 0, name), &component))
        return false;
    struct str verb = str_sub(topic, end + 1, topic.n);
    *t = (struct adopt_thing){.shape = SHAPE_ESPHOME,
                              .base = str_sub(topic, 0, component),
                              .rest = str_sub(topic, component + 1, end - component - 1)};
    if (str_eq(verb, STR("command")))
        t->obstacle = OBSTACLE_COMMAND;
    return (t->obstacle || str_eq(verb, STR("state"))) &&
           is_one_of(str_sub(topic, component + 1, name - component - 1), components);
}

/* By the convention of `via mqtt`: a document on B or B/telemetry, or values on B/<property>. */
static void plain(struct str topic, enum payload_kind kind, struct adopt_thing *t)
{
    static const char *const told[] = {"/set", "/cmd", "/command", NULL};
    size_t end;
    *t = (struct adopt_thing){.shape = SHAPE_JSON, .base = topic};
    for (size_t i = 0; told[i]; i++)
        if (str_ends(topic, str_from(told[i]))) {
            t->base.n -= strlen(told[i]);
            t->obstacle = OBSTACLE_COMMAND;
            return;
        }
    if (kind == PAYLOAD_JSON) {
        if (str_ends(topic, STR("/telemetry")))
            t->base.n -= sizeof("/telemetry") - 1;
        return;
    }
    t->shape = SHAPE_VALUE;
    if (last_slash(topic, &end) && end > 0) {
        t->base = str_sub(topic, 0, end);
        t->rest = str_sub(topic, end + 1, topic.n);
    }
}

struct adopt_thing adopt_thing_of(struct str topic, enum payload_kind kind,
                                  const struct adopt_topics *all)
{
    struct adopt_thing t;
    if (!announcement(topic, &t) && !tasmota(topic, &t) && !shelly1(topic, &t) &&
        !zigbee(topic, all, &t) && !shelly2(topic, all, &t) && !esphome(topic, &t))
        plain(topic, kind, &t);
    if (kind == PAYLOAD_BINARY && !t.obstacle)
        t.obstacle = OBSTACLE_BINARY;
    t.kin = t.shape;
    if (t.obstacle)
        t.shape = SHAPE_NONE;
    return t;
}
