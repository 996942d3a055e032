#include "app/args.h"
#include "app/bench_report.h"
#include "net/look_up.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    O_PUBLISHERS = 256,
    O_SUBSCRIBERS,
    O_PAYLOAD,
    O_WINDOW,
    O_RATE,
    O_SECONDS,
    O_WARM_UP,
    O_PERSISTENT,
    O_PID,
    O_CONNECTIONS,
    O_STEPS,
    O_SUBSCRIBED,
    O_SOURCES,
    O_TLS,
    O_CAFILE,
    O_SERVER_NAME,
    O_INSECURE,
    O_LINES,
};

/* The windows let a good broker work in batches without drowning what the subscribers can take: in
 * a fan-in one socket has to take what 50 send, and QoS 1 and 2 are limited by what clients hold.
 */
enum { WINDOW_ACKED = 100 };
static const struct {
    const char *name;
    enum load_scenario scenario;
    size_t publishers, subscribers;
    uint32_t window; /* QoS 0 */
} scenarios[] = {
    {"fan-in", LOAD_FAN_IN, 50, 1, 100}, {"fan-out", LOAD_FAN_OUT, 1, 100, 1000},
    {"pairs", LOAD_PAIRS, 50, 50, 1000}, {"shared", LOAD_SHARED, 50, 10, 100},
    {"idle", LOAD_IDLE, 0, 0, 1},
};

struct bench {
    struct load_config load;
    enum bench_format format;
    const char *host, *port, *scenario;
    uint32_t window; /* of the scenario, for QoS 0 */
};

static bool number(const char *text, int64_t min, int64_t max, size_t *out)
{
    int64_t n;
    if (!str_to_i64_within(str_from(text), min, max, &n))
        return false;
    *out = (size_t)n;
    return true;
}

static bool amount(const char *text, double min, double max, double *out)
{
    return str_to_double(str_from(text), out) == ERR_OK && *out >= min && *out <= max;
}

static bool set_small(struct bench *b, int c, const char *value)
{
    size_t n = 0;
    switch (c) {
    case 'q':
        if (!number(value, 0, 2, &n))
            return false;
        b->load.qos = (uint8_t)n;
        return true;
    case O_WINDOW:
        if (!number(value, 1, 1 << 20, &n))
            return false;
        b->load.window = (uint32_t)n;
        return true;
    case O_PID:
        if (!number(value, 1, INT32_MAX, &n))
            return false;
        b->load.pid = (pid_t)n;
        return true;
    default: /* 'V' */
        b->load.version = strcmp(value, "5") == 0 ? MQTT_V5 : MQTT_V311;
        return b->load.version == MQTT_V5 || strcmp(value, "311") == 0;
    }
}

static bool set_text(struct bench *b, int c, const char *value)
{
    switch (c) {
    case 'h': b->host = value; return true;
    case 'p': b->port = value; return true;
    case 'u':
        b->load.has_user = true;
        b->load.user = str_from(value);
        return true;
    case 'P':
        b->load.has_password = true;
        b->load.password = str_from(value);
        return true;
    case O_CAFILE: b->load.tls.ca = value; return true;
    default: /* O_SERVER_NAME */ b->load.tls.server_name = value; return true;
    }
}

static bool set_option(struct bench *b, int c, const char *value)
{
    struct load_config *l = &b->load;
    switch (c) {
    case O_PUBLISHERS: return number(value, 1, LOAD_CONNECTIONS_MAX, &l->publishers);
    case O_SUBSCRIBERS: return number(value, 0, LOAD_CONNECTIONS_MAX, &l->subscribers);
    case O_PAYLOAD: return number(value, LOAD_PAYLOAD_MIN, LOAD_PAYLOAD_MAX, &l->payload);
    case O_RATE: return amount(value, 0.1, 1e9, &l->rate);
    case O_SECONDS: return amount(value, 0.05, 1e6, &l->seconds);
    case O_WARM_UP: return amount(value, 0, 1e6, &l->warm_up_s);
    case O_CONNECTIONS: return number(value, 2, LOAD_CONNECTIONS_MAX, &l->connections);
    case O_STEPS: return number(value, 2, 64, &l->steps);
    case O_SOURCES: return number(value, 1, 1 << 16, &l->sources);
    case O_PERSISTENT: return l->persistent = true;
    case O_SUBSCRIBED: return l->subscribed = true;
    case O_TLS: return l->tls.on = true;
    case O_INSECURE: return l->tls.insecure = true;
    case O_LINES: b->format = BENCH_LINES; return true;
    case OPTION_ID_JSON: b->format = BENCH_JSON; return true;
    case 'q':
    case 'V':
    case O_WINDOW:
    case O_PID: return set_small(b, c, value);
    default: return set_text(b, c, value);
    }
}

/* Whoever says whom to believe wants TLS; and the certificate is to be of the host that was named.
 */
static void tls_complete(struct bench *b)
{
    struct load_tls *t = &b->load.tls;
    t->on = t->on || t->ca || t->server_name || t->insecure;
    if (!t->server_name && !t->insecure)
        t->server_name = strncmp(b->host, "unix:", 5) == 0 ? "localhost" : b->host;
}

static bool find_scenario(struct bench *b, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            b->scenario = name;
            b->load.scenario = scenarios[i].scenario;
            b->load.publishers = scenarios[i].publishers;
            b->load.subscribers = scenarios[i].subscribers;
            b->window = scenarios[i].window;
            return true;
        }
    }
    return false;
}

/* The scenario comes before the options, since it says what they are if they are left out. */
static int take_words(struct bench *b, struct args *a)
{
    struct nearest n;
    int id = args_next(a);
    if (id == ARGS_END)
        return args_missing(a, "what is to be loaded, mqtt,");
    if (id != ARGS_WORD)
        return id == ARGS_LEAVE ? args_status(a) : args_refuse(a, "begin with: mqtt SCENARIO");
    if (strcmp(a->value, "mqtt") != 0)
        return args_refuse(a, "there is no bench '%s'; there is mqtt", a->value);
    id = args_next(a);
    if (id == ARGS_END)
        return args_missing(a, "SCENARIO");
    if (id != ARGS_WORD)
        return id == ARGS_LEAVE ? args_status(a) : args_refuse(a, "begin with: mqtt SCENARIO");
    if (find_scenario(b, a->value))
        return EXIT_OK;
    n = nearest_to(str_from(a->value));
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        nearest_offer(&n, scenarios[i].name);
    return n.best ? args_refuse(a, "there is no scenario '%s'; did you mean %s?", a->value, n.best)
                  : args_refuse(a, "there is no scenario '%s'", a->value);
}

static int take_options(struct bench *b, struct args *a)
{
    for (int id; (id = args_next(a)) != ARGS_END;) {
        if (id < 0)
            return args_status(a);
        if (!set_option(b, id, a->value))
            return args_wrong(a, "it is out of range, or no number");
    }
    tls_complete(b);
    if (b->load.window == 0)
        b->load.window = b->load.qos ? WINDOW_ACKED : b->window;
    if (b->load.scenario == LOAD_PAIRS && b->load.subscribers != b->load.publishers)
        return args_refuse(a, "pairs need as many subscribers as publishers");
    return EXIT_OK;
}

static int look_up(struct bench *b)
{
    size_t port = 0;
    if (!number(b->port, 1, 65535, &port)) {
        (void)fprintf(stderr, "sedge bench: -p cannot be '%s'\n", b->port);
        return EXIT_USAGE;
    }
    struct error e = {0};
    size_t n;
    if (addr_look_up(&b->load.broker, 1, &n, str_from(b->host), (uint16_t)port, &e) == ERR_OK)
        return EXIT_OK;
    (void)fprintf(stderr, "sedge bench: %s\n", e.text);
    return EXIT_FINDING;
}

static void allow_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int bench_mqtt(struct bench *b)
{
    struct error e = {0};
    struct alloc *a = alloc_system();
    struct load_result *r = mem_zero(a, sizeof(*r));
    int status = EXIT_FINDING;
    allow_descriptors();
    if (!r) {
        (void)fprintf(stderr, "sedge bench: no memory\n");
    } else if (load_run(&b->load, a, r, &e)) {
        (void)fprintf(stderr, "sedge bench: %s\n", e.text);
    } else {
        bench_report(stdout, b->format, b->scenario, &b->load, r);
        status = load_sound(r) ? EXIT_OK : EXIT_FINDING;
    }
    mem_free(a, r, sizeof(*r));
    return status;
}

static int cmd_bench(int argc, char **argv)
{
    struct bench b = {
        .host = "127.0.0.1",
        .port = "1883",
        .load = {.version = MQTT_V311,
                 .payload = 64,
                 .warm_up_s = 0.5,
                 .seconds = 3,
                 .connections = 10000,
                 .steps = 8},
    };
    struct args a = args_start(&command_bench, argc, argv);
    int status = take_words(&b, &a);
    if (a.told)
        return status;
    status = take_options(&b, &a);
    if (a.told)
        return status;
    status = look_up(&b);
    return status ? status : bench_mqtt(&b);
}

static const struct command_option broker_options[] = {
    OPTIONS_OF("the broker"),
    OPTION(NULL, 'h', "HOST", "where it is (127.0.0.1), or unix:/PATH", NULL, 0),
    OPTION(NULL, 'p', "PORT", "its port (1883)", NULL, 0),
    OPTION(NULL, 'u', "USER", "user name", NULL, 0),
    OPTION(NULL, 'P', "PASSWORD", "and its password", NULL, 0),
    OPTION(NULL, 'V', "311|5", "version of the protocol (311)", "311 5", 0),
    OPTION("tls", 0, NULL, "with TLS; implied by the three that follow", NULL, O_TLS),
    OPTION("cafile", 0, "FILE", "whom to believe", VALUES_FILE, O_CAFILE),
    OPTION("server-name", 0, "NAME", "what its certificate must say (HOST)", NULL, O_SERVER_NAME),
    OPTION("insecure", 0, NULL, "believe anybody", NULL, O_INSECURE),
    OPTION("pid", 0, "PID", "its process: measure its processor time and memory", NULL, O_PID),
    OPTIONS_END};

static const struct command_option load_options[] = {
    OPTIONS_OF("the load"),
    OPTION(NULL, 'q', "0|1|2", "quality of service (0)", "0 1 2", 0),
    OPTION("publishers", 0, "N", "so many, instead of the scenario's", NULL, O_PUBLISHERS),
    OPTION("subscribers", 0, "N", "so many, instead of the scenario's", NULL, O_SUBSCRIBERS),
    OPTION("payload", 0, "BYTES", "of each message (64), at most 128 KiB", NULL, O_PAYLOAD),
    OPTION("window", 0, "N", "messages on their way, for each publisher (100; more at QoS 0)", NULL,
           O_WINDOW),
    {"rate", 0, "N", "open loop: N messages a second in all, whatever the broker does", NULL,
     O_RATE, false, NULL},
    OPTION("seconds", 0, "S", "that count (3)", NULL, O_SECONDS),
    OPTION("warm-up", 0, "S", "before them (0.5)", NULL, O_WARM_UP),
    OPTION("persistent", 0, NULL, "the subscribers have sessions that last", NULL, O_PERSISTENT),
    {"sources", 0, "N", "connections come from N addresses, 127.1.0.1 and upwards", NULL, O_SOURCES,
     false, NULL},
    OPTION("connections", 0, "N", "idle: up to so many (10000)", NULL, O_CONNECTIONS),
    OPTION("steps", 0, "N", "idle: points of the line (8)", NULL, O_STEPS),
    OPTION("subscribed", 0, NULL, "idle: each with a subscription of its own", NULL, O_SUBSCRIBED),
    OPTIONS_END};

const struct command command_bench = {
    .name = "bench",
    .group = COMMAND_MESSAGES,
    .line = "loads an MQTT broker, any broker, and verifies it",
    .synopsis = "mqtt SCENARIO [OPTIONS]",
    .about = "Checks that the messages arrive complete, once and in order, and measures how many "
             "and how fast.\n\n"
             "  fan-in   50 publishers to 1 subscriber\n"
             "  fan-out  1 publisher to 100 subscribers\n"
             "  pairs    50 publishers to one subscriber each\n"
             "  shared   50 publishers to a group of 10\n"
             "  idle     connections that wait: the broker's memory for each (needs --pid)",
    .options = {broker_options, load_options,
                (const struct command_option[]){
                    OPTIONS_OF("the result"),
                    {.name = "lines",
                     .text = "bench=NAME unit=U ours=N …, a line for each figure",
                     .id = O_LINES},
                    OPTION_JSON("one JSON object"),
                    OPTIONS_END}},
    .words = {"mqtt", "fan-in fan-out pairs shared idle"},
    .examples = {{"sedge bench mqtt fan-out", "of the broker on this machine"},
                 {"sedge bench mqtt pairs -q 1 --seconds 10 --json", NULL}},
    .exits = {{"0", "every message came once and in order"},
              {"1", "lost, doubled or reordered messages, or no run"}},
    .see = {"pub", "sub"},
    .run = cmd_bench,
};
