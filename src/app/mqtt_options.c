#include "app/mqtt_options.h"

#include "app/cmd.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int wrong(const char *command, const char *what, const char *value)
{
    (void)fprintf(stderr, "sedge %s: %s: %s\n", command, what, value);
    return EXIT_USAGE;
}

static bool number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    return str_to_i64(str_from(text), out) == ERR_OK && *out >= min && *out <= max;
}

static bool set_number(struct mqtt_options *o, int c, const char *value)
{
    int64_t n = 0;
    switch (c) {
    case 'q':
        if (!number(value, 0, 2, &n))
            return false;
        o->qos = (uint8_t)n;
        return true;
    case 'k':
        if (!number(value, 0, 65535, &n))
            return false;
        o->keep_alive_s = (uint16_t)n;
        return true;
    case 'C': return number(value, 1, INT64_MAX, &o->count);
    case 'W':
        if (!number(value, 1, 1 << 30, &n))
            return false;
        o->timeout_ms = n * 1000;
        return true;
    default: /* 'p' */ o->port = value; return number(value, 1, 65535, &n);
    }
}

static bool set_version(struct mqtt_options *o, const char *value)
{
    if (strcmp(value, "5") == 0 || strcmp(value, "mqttv5") == 0)
        o->version = MQTT_V5;
    else if (strcmp(value, "311") == 0 || strcmp(value, "mqttv311") == 0)
        o->version = MQTT_V311;
    else
        return false;
    return true;
}

static bool set_option(struct mqtt_options *o, int c, const char *value)
{
    switch (c) {
    case 'h': o->host = value; return true;
    case 't':
        if (o->topics_n == MQTT_TOPICS_MAX)
            return false;
        o->topics[o->topics_n++] = str_from(value);
        return true;
    case 'm': o->message = value; return true;
    case 'u': o->user = value; return true;
    case 'P': o->password = value; return true;
    case 'i': o->id = value; return true;
    case 'V': return set_version(o, value);
    case 'r': return o->retain = true;
    case 'n': return o->null_message = true;
    case 's': return o->from_stdin = true;
    case 'l': return o->lines = true;
    case 'c': return o->persistent = true;
    case 'v': return o->verbose = true;
    case 'R': return o->no_retained = true;
    default: return set_number(o, c, value);
    }
}

int mqtt_options_parse(struct mqtt_options *o, int argc, char **argv, const char *options,
                       const char *usage, bool *done)
{
    *o = (struct mqtt_options){
        .host = "127.0.0.1", .port = "1883", .version = MQTT_V5, .keep_alive_s = 60};
    *done = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return EXIT_OK;
        }
    }
    int c;
    optind = 1;
    while ((c = getopt(argc, argv, options)) != -1) {
        if (c == '?') {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
        if (!set_option(o, c, optarg)) {
            char option[] = {'-', (char)c, '\0'};
            (void)fprintf(stderr, "sedge %s: %s cannot be '%s'\n", argv[0], option, optarg);
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return wrong(argv[0], "unexpected argument", argv[optind]);
    if (o->topics_n == 0)
        return wrong(argv[0], "a topic is missing", "-t");
    if (o->persistent && !o->id)
        return wrong(argv[0], "a persistent session needs a client id", "-i");
    *done = false;
    return EXIT_OK;
}

static int look_up(const struct mqtt_options *o, struct addr *out)
{
    int64_t port = 0;
    (void)number(o->port, 1, 65535, &port);
    if (addr_parse(out, str_from(o->host), (uint16_t)port) == ERR_OK)
        return EXIT_OK;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int failed = getaddrinfo(o->host, o->port, &hints, &found);
    if (failed || !found) {
        (void)fprintf(stderr, "sedge: %s: %s\n", o->host, gai_strerror(failed));
        return EXIT_FINDING;
    }
    *out = (struct addr){.len = found->ai_addrlen};
    memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return EXIT_OK;
}

int mqtt_options_open(const struct mqtt_options *o, struct executor **ex,
                      struct mqtt_client_config *cfg)
{
    *cfg = (struct mqtt_client_config){
        .version = o->version,
        .client_id = str_from(o->id),
        .has_user = o->user != NULL,
        .user = str_from(o->user),
        .has_password = o->password != NULL,
        .password = {(const uint8_t *)o->password, o->password ? strlen(o->password) : 0},
        .persistent = o->persistent,
        .session_expiry_s = o->persistent ? UINT32_MAX : 0,
        .keep_alive_s = o->keep_alive_s,
        .inflight_max = 1024,
        .inflight_bytes_max = 64 << 20,
        .packet_max = 16 << 20,
    };
    int status = look_up(o, &cfg->addr);
    if (status)
        return status;
    struct error e = {0};
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    if (executor_new(ex, &ec, &e)) {
        (void)fprintf(stderr, "sedge: %s\n", e.text);
        return EXIT_FINDING;
    }
    return EXIT_OK;
}

void mqtt_options_tell(const char *command, const struct mqtt_client_loss *loss)
{
    const char *why = loss->reason     ? mqtt_reason_name(loss->reason)
                      : loss->os_errno ? strerror(loss->os_errno)
                                       : err_name(loss->err);
    (void)fprintf(stderr, "sedge %s: %s: %s\n", command, loss->text, why);
}
