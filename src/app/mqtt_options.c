#include "app/mqtt_options_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an option does with its value. FLAG has none; OWN goes through set_own(). */
enum kind { OWN, FLAG, TEXT, NUMBER };

#define ROW(option) [(option)-MQTT_OPTION_HOST]
#define SETS(field, kind)                                                                          \
    {                                                                                              \
        offsetof(struct mqtt_options, field), (kind), 0, 0, 0                                      \
    }
#define COUNTS(field, min, max)                                                                    \
    {                                                                                              \
        offsetof(struct mqtt_options, field), NUMBER, sizeof(((struct mqtt_options *)0)->field),   \
            (min), (max)                                                                           \
    }
static const struct row {
    size_t at; /* the field */
    enum kind kind;
    uint8_t width; /* of a NUMBER's field, and its bounds */
    int64_t min, max;
} rows[MQTT_OPTION_END - MQTT_OPTION_HOST] = {
    ROW(MQTT_OPTION_HOST) = SETS(host, TEXT),
    ROW(MQTT_OPTION_PORT) = COUNTS(port, 1, 65535),
    ROW(MQTT_OPTION_UNIX) = SETS(unix_path, TEXT),
    ROW(MQTT_OPTION_WS) = SETS(ws, FLAG),
    ROW(MQTT_OPTION_CAFILE) = SETS(cafile, TEXT),
    ROW(MQTT_OPTION_OS_CERTS) = SETS(tls, FLAG),
    ROW(MQTT_OPTION_CERT) = SETS(cert, TEXT),
    ROW(MQTT_OPTION_KEY) = SETS(key, TEXT),
    ROW(MQTT_OPTION_INSECURE) = SETS(insecure, FLAG),
    ROW(MQTT_OPTION_NO_DELAY) = SETS(no_delay, FLAG),
    ROW(MQTT_OPTION_USER) = SETS(user, TEXT),
    ROW(MQTT_OPTION_PASSWORD) = SETS(password, TEXT),
    ROW(MQTT_OPTION_ID) = SETS(id, TEXT),
    ROW(MQTT_OPTION_ID_PREFIX) = SETS(id_prefix, TEXT),
    ROW(MQTT_OPTION_KEEP_ALIVE) = COUNTS(keep_alive_s, 0, 65535),
    ROW(MQTT_OPTION_KEEP_SESSION) = SETS(persistent, FLAG),
    ROW(MQTT_OPTION_WILL_TOPIC) = SETS(will_topic, TEXT),
    ROW(MQTT_OPTION_WILL_PAYLOAD) = SETS(will_payload, TEXT),
    ROW(MQTT_OPTION_WILL_QOS) = COUNTS(will_qos, 0, 2),
    ROW(MQTT_OPTION_WILL_RETAIN) = SETS(will_retain, FLAG),
    ROW(MQTT_OPTION_QOS) = COUNTS(qos, 0, 2),
    ROW(MQTT_OPTION_DEBUG) = SETS(debug, FLAG),
    ROW(MQTT_OPTION_QUIET) = SETS(quiet, FLAG),
    ROW(MQTT_OPTION_MESSAGE) = SETS(message, TEXT),
    ROW(MQTT_OPTION_FILE) = SETS(file, TEXT),
    ROW(MQTT_OPTION_NULL) = SETS(null_message, FLAG),
    ROW(MQTT_OPTION_STDIN_FILE) = SETS(from_stdin, FLAG),
    ROW(MQTT_OPTION_STDIN_LINE) = SETS(lines, FLAG),
    ROW(MQTT_OPTION_RETAIN) = SETS(retain, FLAG),
    ROW(MQTT_OPTION_INFLIGHT) = COUNTS(inflight_max, 1, 32768),
    ROW(MQTT_OPTION_REPEAT) = COUNTS(repeat, 1, INT64_MAX),
    ROW(MQTT_OPTION_FORMAT) = SETS(format, TEXT),
    ROW(MQTT_OPTION_NO_NEWLINE) = SETS(no_newline, FLAG),
    ROW(MQTT_OPTION_PRETTY) = SETS(pretty, FLAG),
    ROW(MQTT_OPTION_VERBOSE) = SETS(verbose, FLAG),
    ROW(MQTT_OPTION_COUNT) = COUNTS(count, 1, INT64_MAX),
    ROW(MQTT_OPTION_EXIT_SUBSCRIBED) = SETS(exit_when_subscribed, FLAG),
    ROW(MQTT_OPTION_NO_RETAINED) = SETS(no_retained, FLAG),
    ROW(MQTT_OPTION_RETAINED_ONLY) = SETS(retained_only, FLAG),
    ROW(MQTT_OPTION_REMOVE_RETAINED) = SETS(remove_retained, FLAG),
    ROW(MQTT_OPTION_RETAIN_AS_PUBLISHED) = SETS(retain_as_published, FLAG),
};

void mqtt_options_say(const struct mqtt_options *o, const char *fmt, ...)
{
    va_list ap;
    if (o->quiet)
        return;
    (void)fprintf(stderr, "sedge %s: ", o->command == MQTT_COMMAND_PUB ? "pub" : "sub");
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

/* --- setters ------------------------------------------------------------------------------- */

static mqtt_wrong add_topic(struct mqtt_topics *t, const char *value)
{
    if (t->n == MQTT_TOPICS_MAX)
        return "64 of them are enough";
    t->list[t->n++] = str_from(value);
    return NULL;
}

static mqtt_wrong add_filter(struct mqtt_topics *t, const char *value)
{
    return mqtt_filter_valid(str_from(value)) ? add_topic(t, value) : "it is no topic filter";
}

static mqtt_wrong set_version(struct mqtt_options *o, const char *value)
{
    static const struct {
        const char *name;
        enum mqtt_version version;
    } versions[] = {
        {"5", MQTT_V5},          {"mqttv5", MQTT_V5},       {"311", MQTT_V311},
        {"mqttv311", MQTT_V311}, {"mqttv3.1.1", MQTT_V311}, {"31", MQTT_V31},
        {"mqttv31", MQTT_V31},   {"mqttv3.1", MQTT_V31},
    };
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (strcmp(value, versions[i].name) == 0) {
            o->version = versions[i].version;
            return NULL;
        }
    }
    return "there are 5, 311 and 31";
}

/* -1 and ∞ never expire, as mosquitto's tools have it. */
static mqtt_wrong set_expiry(struct mqtt_options *o, const char *value)
{
    int64_t n = -1;
    if (strcmp(value, "∞") != 0 && !str_to_i64_within(str_from(value), -1, UINT32_MAX, &n))
        return "it is a number of seconds, or -1: never";
    o->expiry_s = n < 0 ? UINT32_MAX : (uint32_t)n;
    o->has_expiry = true;
    return NULL;
}

static mqtt_wrong set_seconds(int64_t *ms, const char *value, double min)
{
    double s = 0;
    if (str_to_double(str_from(value), &s) || !(s >= min) || s > 1e9)
        return "it is a number of seconds";
    *ms = (int64_t)(s * 1000);
    return NULL;
}

static mqtt_wrong set_chance(struct mqtt_options *o, const char *value)
{
    if (str_to_double(str_from(value), &o->chance) || !(o->chance >= 0.1) || o->chance > 100)
        return "it is a percentage, from 0.1 to 100";
    return NULL;
}

static mqtt_wrong set_tls_version(struct mqtt_options *o, const char *value)
{
    if (strcmp(value, "tlsv1.2") == 0)
        o->tls_1_2 = true;
    else if (strcmp(value, "tlsv1.3") != 0)
        return "there are tlsv1.3, and tlsv1.2 for old devices";
    o->tls = true;
    return NULL;
}

static mqtt_wrong set_own(struct mqtt_options *o, enum mqtt_option which, const char *value)
{
    switch (which) {
    case MQTT_OPTION_TOPIC: return add_topic(&o->topics, value);
    case MQTT_OPTION_FILTER_OUT: return add_filter(&o->filter_out, value);
    case MQTT_OPTION_UNSUBSCRIBE: return add_filter(&o->unsubscribe_from, value);
    case MQTT_OPTION_VERSION: return set_version(o, value);
    case MQTT_OPTION_EXPIRY: return set_expiry(o, value);
    case MQTT_OPTION_URL: return mqtt_options_url(o, value);
    case MQTT_OPTION_TLS_VERSION: return set_tls_version(o, value);
    case MQTT_OPTION_REPEAT_DELAY: return set_seconds(&o->repeat_delay_ms, value, 0);
    case MQTT_OPTION_TIMEOUT: return set_seconds(&o->timeout_ms, value, 0.001);
    case MQTT_OPTION_RANDOM_FILTER: return set_chance(o, value);
    case MQTT_OPTION_WS_PATH:
        o->ws = true;
        o->ws_path = value;
        return NULL;
    default: ASSERT(!"an option without a row"); return NULL;
    }
}

static void set_number(struct mqtt_options *o, const struct row *r, int64_t n)
{
    void *field = (uint8_t *)o + r->at;
    switch (r->width) {
    case 1: *(uint8_t *)field = (uint8_t)n; break;
    case 2: *(uint16_t *)field = (uint16_t)n; break;
    default: *(int64_t *)field = n; break;
    }
}

/* EXIT_OK, or it has been told what is wrong. */
static int take(struct mqtt_options *o, struct args *a, int id)
{
    const struct row *r = &rows[id - MQTT_OPTION_HOST];
    void *field = (uint8_t *)o + r->at;
    size_t used = 0;
    int64_t n = 0;
    mqtt_wrong why = NULL;
    if (id == MQTT_OPTION_PROPERTY) {
        why = mqtt_options_property(o, args_rest(a), &used);
        args_skip(a, used);
    } else if (r->kind == FLAG) {
        *(bool *)field = true;
    } else if (r->kind == TEXT) {
        *(const char **)field = a->value;
    } else if (r->kind == OWN) {
        why = set_own(o, (enum mqtt_option)id, a->value);
    } else {
        if (!args_number(a, r->min, r->max, &n))
            return EXIT_USAGE;
        set_number(o, r, n);
    }
    return why ? args_wrong(a, "%s", why) : EXIT_OK;
}

/* --- what fits together -------------------------------------------------------------------- */

static bool uses_properties(const struct mqtt_options *o)
{
    const struct mqtt_packet_props *all[] = {&o->connect,     &o->publish,    &o->subscribe,
                                             &o->unsubscribe, &o->disconnect, &o->will};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->props.has || all[i]->raw.n)
            return true;
    return false;
}

static const char *unfit(const struct mqtt_options *o)
{
    bool v5 = o->version == MQTT_V5;
    if (o->topics.n == 0 && o->unsubscribe_from.n == 0)
        return "a topic is missing: -t";
    if (o->id && o->id_prefix)
        return "-i and -I exclude each other";
    if (o->persistent && !o->id && !o->id_prefix)
        return "a session that is kept needs a client id: -i";
    if (o->password && !o->user && !v5)
        return "before 5 there is no password without a user: -u";
    if (o->will_topic && !mqtt_topic_valid(str_from(o->will_topic)))
        return "--will-topic is not a topic to publish to";
    if (!o->will_topic && (o->will_payload || o->will_qos || o->will_retain))
        return "a will needs a topic: --will-topic";
    if (!v5 && (uses_properties(o) || o->has_expiry || o->retain_as_published))
        return "-D, -x and --retain-as-published need version 5";
    if (!o->cert != !o->key)
        return "--cert and --key go together";
    if (o->unix_path && (o->tls || o->ws))
        return "a unix socket is neither for TLS nor for WebSocket";
    return o->no_retained && o->retained_only ? "-R and --retained-only exclude each other" : NULL;
}

/* The id of -I (3.1 wants one from everybody), and what a file of certificates means. */
static bool complete(struct mqtt_options *o)
{
    const char *prefix = o->id_prefix;
    o->tls = o->tls || o->cafile || o->cert || o->insecure;
    if (!prefix && !o->id && o->version == MQTT_V31)
        prefix = "sedge-";
    if (!prefix)
        return true;
    if (asprintf(&o->made_id, "%s%d", prefix, (int)getpid()) < 0)
        o->made_id = NULL;
    o->id = o->made_id;
    return o->id != NULL;
}

static int parse(struct mqtt_options *o, struct args *a)
{
    for (int id; (id = args_next(a)) != ARGS_END;) {
        if (id < MQTT_OPTION_HOST)
            return args_status(a);
        int status = take(o, a, id);
        if (status)
            return status;
    }
    const char *why = unfit(o);
    if (!why && !complete(o))
        why = "no memory";
    return why ? args_refuse(a, "%s", why) : EXIT_OK;
}

int mqtt_options_parse(struct mqtt_options *o, enum mqtt_command command, int argc, char **argv,
                       bool *done)
{
    *o = (struct mqtt_options){.command = command,
                               .host = "127.0.0.1",
                               .version = MQTT_V5,
                               .keep_alive_s = 60,
                               .inflight_max = 1024,
                               .repeat = 1,
                               .chance = 100};
    struct args a =
        args_start(command == MQTT_COMMAND_PUB ? &command_pub : &command_sub, argc, argv);
    int status = parse(o, &a);
    *done = a.told;
    return status;
}

void mqtt_options_fini(struct mqtt_options *o)
{
    struct mqtt_packet_props *all[] = {&o->connect,     &o->publish,    &o->subscribe,
                                       &o->unsubscribe, &o->disconnect, &o->will};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->raw.alloc)
            strbuf_fini(&all[i]->raw);
    free(o->made_id);
    free(o->url);
    o->made_id = o->url = NULL;
}
