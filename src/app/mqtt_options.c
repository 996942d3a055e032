#include "app/mqtt_options_internal.h"

#include "app/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PUB = MQTT_COMMAND_PUB, SUB = MQTT_COMMAND_SUB, BOTH = PUB | SUB };

/* What an option does with its value. FLAG has none; OWN goes through set_own(). */
enum kind { FLAG, TEXT, NUMBER, OWN, ABSENT };

enum own {
    O_TOPIC,
    O_FILTER_OUT,
    O_UNSUBSCRIBE,
    O_VERSION,
    O_EXPIRY,
    O_URL,
    O_TLS_VERSION,
    O_DELAY,
    O_TIMEOUT,
    O_CHANCE,
    O_WS_PATH
};

#define AT(field) offsetof(struct mqtt_options, field)
static const struct row {
    const char *name; /* --name; "" if it has none */
    char letter;
    uint8_t commands;
    enum kind kind;
    size_t at;        /* the field; of OWN the number */
    uint8_t width;    /* of a NUMBER's field */
    int64_t min, max; /* of a NUMBER */
    const char *why;  /* ABSENT */
} rows[] = {
    {"host", 'h', BOTH, TEXT, AT(host), 0, 0, 0, NULL},
    {"port", 'p', BOTH, NUMBER, AT(port), 8, 1, 65535, NULL},
    {"unix", 0, BOTH, TEXT, AT(unix_path), 0, 0, 0, NULL},
    {"url", 'L', BOTH, OWN, O_URL, 0, 0, 0, NULL},
    {"ws", 0, BOTH, FLAG, AT(ws), 0, 0, 0, NULL},
    {"ws-path", 0, BOTH, OWN, O_WS_PATH, 0, 0, 0, NULL},
    {"cafile", 0, BOTH, TEXT, AT(cafile), 0, 0, 0, NULL},
    {"cert", 0, BOTH, TEXT, AT(cert), 0, 0, 0, NULL},
    {"key", 0, BOTH, TEXT, AT(key), 0, 0, 0, NULL},
    {"insecure", 0, BOTH, FLAG, AT(insecure), 0, 0, 0, NULL},
    {"tls-use-os-certs", 0, BOTH, FLAG, AT(tls), 0, 0, 0, NULL},
    {"tls-version", 0, BOTH, OWN, O_TLS_VERSION, 0, 0, 0, NULL},
    {"username", 'u', BOTH, TEXT, AT(user), 0, 0, 0, NULL},
    {"pw", 'P', BOTH, TEXT, AT(password), 0, 0, 0, NULL},
    {"id", 'i', BOTH, TEXT, AT(id), 0, 0, 0, NULL},
    {"id-prefix", 'I', BOTH, TEXT, AT(id_prefix), 0, 0, 0, NULL},
    {"protocol-version", 'V', BOTH, OWN, O_VERSION, 0, 0, 0, NULL},
    {"keepalive", 'k', BOTH, NUMBER, AT(keep_alive_s), 2, 0, 65535, NULL},
    {"disable-clean-session", 'c', BOTH, FLAG, AT(persistent), 0, 0, 0, NULL},
    {"session-expiry", 'x', BOTH, OWN, O_EXPIRY, 0, 0, 0, NULL},
    {"will-topic", 0, BOTH, TEXT, AT(will_topic), 0, 0, 0, NULL},
    {"will-payload", 0, BOTH, TEXT, AT(will_payload), 0, 0, 0, NULL},
    {"will-qos", 0, BOTH, NUMBER, AT(will_qos), 1, 0, 2, NULL},
    {"will-retain", 0, BOTH, FLAG, AT(will_retain), 0, 0, 0, NULL},
    {"topic", 't', BOTH, OWN, O_TOPIC, 0, 0, 0, NULL},
    {"qos", 'q', BOTH, NUMBER, AT(qos), 1, 0, 2, NULL},
    {"debug", 'd', BOTH, FLAG, AT(debug), 0, 0, 0, NULL},
    {"quiet", 0, BOTH, FLAG, AT(quiet), 0, 0, 0, NULL},
    {"nodelay", 0, BOTH, FLAG, AT(no_delay), 0, 0, 0, NULL}, /* as it is anyway */
    /* pub */
    {"message", 'm', PUB, TEXT, AT(message), 0, 0, 0, NULL},
    {"file", 'f', PUB, TEXT, AT(file), 0, 0, 0, NULL},
    {"null-message", 'n', PUB, FLAG, AT(null_message), 0, 0, 0, NULL},
    {"stdin-file", 's', PUB, FLAG, AT(from_stdin), 0, 0, 0, NULL},
    {"stdin-line", 'l', PUB, FLAG, AT(lines), 0, 0, 0, NULL},
    {"retain", 'r', PUB, FLAG, AT(retain), 0, 0, 0, NULL},
    {"max-inflight", 'M', PUB, NUMBER, AT(inflight_max), 8, 1, 32768, NULL},
    {"repeat", 0, PUB, NUMBER, AT(repeat), 8, 1, INT64_MAX, NULL},
    {"repeat-delay", 0, PUB, OWN, O_DELAY, 0, 0, 0, NULL},
    /* sub */
    {"", 'F', SUB, TEXT, AT(format), 0, 0, 0, NULL},
    {"", 'N', SUB, FLAG, AT(no_newline), 0, 0, 0, NULL},
    {"pretty", 0, SUB, FLAG, AT(pretty), 0, 0, 0, NULL},
    {"verbose", 'v', SUB, FLAG, AT(verbose), 0, 0, 0, NULL},
    {"", 'C', SUB, NUMBER, AT(count), 8, 1, INT64_MAX, NULL},
    {"", 'W', SUB, OWN, O_TIMEOUT, 0, 0, 0, NULL},
    {"", 'E', SUB, FLAG, AT(exit_when_subscribed), 0, 0, 0, NULL},
    {"", 'R', SUB, FLAG, AT(no_retained), 0, 0, 0, NULL},
    {"retained-only", 0, SUB, FLAG, AT(retained_only), 0, 0, 0, NULL},
    {"remove-retained", 0, SUB, FLAG, AT(remove_retained), 0, 0, 0, NULL},
    {"retain-as-published", 0, SUB, FLAG, AT(retain_as_published), 0, 0, 0, NULL},
    {"filter-out", 'T', SUB, OWN, O_FILTER_OUT, 0, 0, 0, NULL},
    {"unsubscribe", 'U', SUB, OWN, O_UNSUBSCRIBE, 0, 0, 0, NULL},
    {"random-filter", 0, SUB, OWN, O_CHANCE, 0, 0, 0, NULL},
    /* theirs, not ours */
    {"bind", 'A', BOTH, ABSENT, 0, 0, 0, 0, "the system chooses the address"},
    {"", 'S', BOTH, ABSENT, 0, 0, 0, 0, "there are no SRV look-ups; give -h and -p"},
    {"capath", 0, BOTH, ABSENT, 0, 0, 0, 0, "give --cafile, or --tls-use-os-certs"},
    {"ciphers", 0, BOTH, ABSENT, 0, 0, 0, 0, "TLS 1.3 has only good ones"},
    {"tls-alpn", 0, BOTH, ABSENT, 0, 0, 0, 0, "there is no ALPN"},
    {"tls-engine", 0, BOTH, ABSENT, 0, 0, 0, 0, "keys are PEM files"},
    {"tls-engine-kpass-sha1", 0, BOTH, ABSENT, 0, 0, 0, 0, "keys are PEM files"},
    {"keyform", 0, BOTH, ABSENT, 0, 0, 0, 0, "keys are PEM files"},
    {"psk", 0, BOTH, ABSENT, 0, 0, 0, 0, "TLS is by certificates only"},
    {"psk-identity", 0, BOTH, ABSENT, 0, 0, 0, 0, "TLS is by certificates only"},
    {"proxy", 0, BOTH, ABSENT, 0, 0, 0, 0, "there are no proxies"},
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

bool mqtt_options_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    return str_to_i64(str_from(text), out) == ERR_OK && *out >= min && *out <= max;
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
    if (strcmp(value, "∞") != 0 && !mqtt_options_number(value, -1, UINT32_MAX, &n))
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

static mqtt_wrong set_own(struct mqtt_options *o, enum own which, const char *value)
{
    switch (which) {
    case O_TOPIC: return add_topic(&o->topics, value);
    case O_FILTER_OUT: return add_filter(&o->filter_out, value);
    case O_UNSUBSCRIBE: return add_filter(&o->unsubscribe_from, value);
    case O_VERSION: return set_version(o, value);
    case O_EXPIRY: return set_expiry(o, value);
    case O_URL: return mqtt_options_url(o, value);
    case O_TLS_VERSION: return set_tls_version(o, value);
    case O_DELAY: return set_seconds(&o->repeat_delay_ms, value, 0);
    case O_TIMEOUT: return set_seconds(&o->timeout_ms, value, 0.001);
    case O_CHANCE: return set_chance(o, value);
    case O_WS_PATH:
        o->ws = true;
        o->ws_path = value;
        return NULL;
    }
    return NULL;
}

static mqtt_wrong set_number(struct mqtt_options *o, const struct row *r, const char *value)
{
    void *field = (uint8_t *)o + r->at;
    int64_t n = 0;
    if (!mqtt_options_number(value, r->min, r->max, &n)) {
        (void)snprintf(o->why, sizeof(o->why), "it is a number from %lld%s%.0lld",
                       (long long)r->min, r->max == INT64_MAX ? "" : " to ",
                       r->max == INT64_MAX ? 0 : (long long)r->max);
        return o->why;
    }
    switch (r->width) {
    case 1: *(uint8_t *)field = (uint8_t)n; break;
    case 2: *(uint16_t *)field = (uint16_t)n; break;
    default: *(int64_t *)field = n; break;
    }
    return NULL;
}

static mqtt_wrong set(struct mqtt_options *o, const struct row *r, const char *value)
{
    void *field = (uint8_t *)o + r->at;
    switch (r->kind) {
    case FLAG: *(bool *)field = true; return NULL;
    case TEXT: *(const char **)field = value; return NULL;
    case NUMBER: return set_number(o, r, value);
    case OWN: return set_own(o, (enum own)r->at, value);
    default: return r->why;
    }
}

/* --- reading argv -------------------------------------------------------------------------- */

struct reading {
    struct mqtt_options *o;
    char **argv;
    int i;
};

static int wrong(struct reading *r, const char *option, const char *value, const char *why)
{
    const char *command = r->o->command == MQTT_COMMAND_PUB ? "pub" : "sub";
    if (value)
        (void)fprintf(stderr, "sedge %s: %s cannot be '%s': %s\n", command, option, value, why);
    else
        (void)fprintf(stderr, "sedge %s: %s: %s (sedge %s --help)\n", command, option, why,
                      command);
    return EXIT_USAGE;
}

static const struct row *find(const struct mqtt_options *o, struct str name, char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        bool named = name.n > 0 ? str_eq(str_from(r->name), name) : letter && r->letter == letter;
        if (named && (r->commands & o->command))
            return r;
    }
    return NULL;
}

/* An option whose value, if it needs one, is `rest` or the next word. */
static int take(struct reading *r, const struct row *row, const char *shown, const char *rest)
{
    const char *value = rest;
    if (row->kind == ABSENT)
        return wrong(r, shown, NULL, row->why);
    if (row->kind != FLAG && !value) {
        value = r->argv[r->i + 1];
        if (!value)
            return wrong(r, shown, NULL, "its value is missing");
        r->i++;
    }
    mqtt_wrong why = set(r->o, row, value);
    return why ? wrong(r, shown, value, why) : EXIT_OK;
}

static int take_long(struct reading *r, const char *word)
{
    struct str name = str_from(word + 2);
    const char *value = strchr(word, '=');
    if (value)
        name.n = (size_t)(value++ - word - 2);
    const struct row *row = name.n ? find(r->o, name, 0) : NULL;
    if (!row)
        return wrong(r, word, NULL, "there is no such option");
    if (row->kind == FLAG && value)
        return wrong(r, word, NULL, "it takes no value");
    return take(r, row, word, value);
}

/* One letter or several; the first that needs a value has the rest of the word for it. */
static int take_letters(struct reading *r, const char *word)
{
    int status = EXIT_OK;
    for (const char *at = word + 1; *at && status == EXIT_OK; at++) {
        const char shown[] = {'-', *at, '\0'};
        const struct row *row = find(r->o, (struct str){0}, *at);
        if (!row)
            return wrong(r, shown, NULL, "there is no such option");
        if (row->kind != FLAG)
            return take(r, row, shown, at[1] ? at + 1 : NULL);
        status = take(r, row, shown, NULL);
    }
    return status;
}

static int take_property(struct reading *r, const char *word)
{
    size_t used = 0;
    mqtt_wrong why = mqtt_options_property(r->o, &r->argv[r->i + 1], &used);
    r->i += (int)used;
    return why ? wrong(r, word, NULL, why) : EXIT_OK;
}

static int take_word(struct reading *r)
{
    const char *word = r->argv[r->i];
    if (strcmp(word, "-D") == 0 || strcmp(word, "--property") == 0)
        return take_property(r, word);
    if (strncmp(word, "--", 2) == 0)
        return take_long(r, word);
    if (word[0] == '-' && word[1])
        return take_letters(r, word);
    return wrong(r, word, NULL, "unexpected");
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

int mqtt_options_parse(struct mqtt_options *o, enum mqtt_command command, int argc, char **argv,
                       const char *usage, bool *done)
{
    *o = (struct mqtt_options){.command = command,
                               .host = "127.0.0.1",
                               .version = MQTT_V5,
                               .keep_alive_s = 60,
                               .inflight_max = 1024,
                               .repeat = 1,
                               .chance = 100};
    struct reading r = {.o = o, .argv = argv};
    *done = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return EXIT_OK;
        }
    }
    for (r.i = 1; r.i < argc; r.i++) {
        int status = take_word(&r);
        if (status)
            return status;
    }
    const char *why = unfit(o);
    if (!why && !complete(o))
        why = "no memory";
    if (why) {
        (void)fprintf(stderr, "sedge %s: %s\n", argv[0], why);
        return EXIT_USAGE;
    }
    *done = false;
    return EXIT_OK;
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
