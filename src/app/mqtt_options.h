/* mqtt_options: what `sedge pub` and `sedge sub` share: options as mosquitto's tools have them, and
 * a worker with one client on it.
 *
 * Why: who knows mosquitto_pub and mosquitto_sub can type what they are used to; what we do not
 * have is refused by name, with a reason, instead of being passed over.
 * The options are in mqtt_options_table.c. Ownership: texts belong to argv; mqtt_options_fini()
 * frees the rest. Threads: the main thread. Errors: usage errors are told on stderr in one line.
 * Source: mosquitto_pub(1) and mosquitto_sub(1) of mosquitto 2.0.11. */
#pragma once

#include "client/mqtt_client.h"
#include "net/tls.h"

enum { MQTT_TOPICS_MAX = 64, MQTT_ADDRS_MAX = 8 };
enum { EXIT_TIMED_OUT = 27 }; /* of -W, as mosquitto_sub has it */

enum mqtt_command { MQTT_COMMAND_PUB = 1, MQTT_COMMAND_SUB = 2 };

/* The properties that -D gives for one packet; `raw` holds the user properties. */
struct mqtt_packet_props {
    struct mqtt_props props;
    struct strbuf raw;
};

struct mqtt_topics {
    struct str list[MQTT_TOPICS_MAX];
    size_t n;
};

struct mqtt_options {
    enum mqtt_command command;
    /* where to */
    const char *host; /* a name is looked up once, at the start */
    const char *unix_path;
    int64_t port; /* 0: the usual one */
    bool tls, ws;
    const char *ws_path;
    const char *cafile, *cert, *key;
    bool insecure, tls_1_2, no_delay;
    /* who */
    const char *user, *password, *id, *id_prefix;
    enum mqtt_version version;
    uint16_t keep_alive_s;
    bool persistent, has_expiry;
    uint32_t expiry_s;
    const char *will_topic, *will_payload;
    uint8_t will_qos;
    bool will_retain;
    struct mqtt_packet_props connect, publish, subscribe, unsubscribe, disconnect, will;
    /* what */
    struct mqtt_topics topics, filter_out, unsubscribe_from;
    uint8_t qos;
    bool debug, quiet;
    /* pub */
    const char *message, *file;
    bool retain, null_message, from_stdin, lines;
    int64_t inflight_max, repeat, repeat_delay_ms;
    /* sub */
    const char *format;
    bool verbose, no_newline, pretty, no_retained, retained_only, remove_retained;
    bool retain_as_published, exit_when_subscribed;
    int64_t count, timeout_ms; /* 0: none */
    double chance;             /* of being printed, 0 … 100 */

    char *made_id; /* of id_prefix */
    char *url;     /* a copy that is taken apart */
};

/* EXIT_OK goes on; anything else, with *done set, is the exit status. */
int mqtt_options_parse(struct mqtt_options *o, enum mqtt_command command, int argc, char **argv,
                       bool *done);
void mqtt_options_fini(struct mqtt_options *o);

/* The executor and the configuration for a client as the options ask. */
struct mqtt_setup {
    struct executor *ex;
    struct worker *worker;
    struct mqtt_client_config cfg;
    struct stream_via via;
    struct websocket websocket;
    struct tls *tls;
    struct addr addrs[MQTT_ADDRS_MAX];
    struct mqtt_publish will;
};
/* An exit status, told. `s` stays where it is until mqtt_setup_fini(). */
int mqtt_setup_init(struct mqtt_setup *s, const struct mqtt_options *o);
void mqtt_setup_fini(struct mqtt_setup *s);

/* What -D gave for one packet. */
struct mqtt_props mqtt_packet_props(const struct mqtt_packet_props *p);
/* DISCONNECT with the properties that -D gave. */
void mqtt_options_leave(const struct mqtt_options *o, struct mqtt_client *c);

/* A line on stderr: "sedge pub: …", unless --quiet. */
void mqtt_options_say(const struct mqtt_options *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* About a lost connection. */
void mqtt_options_tell(const struct mqtt_options *o, const struct mqtt_client_loss *loss);
/* The exit status of one: the server's code where it refused us, as mosquitto's tools have it. */
int mqtt_options_status(const struct mqtt_client_loss *loss);
