/* mqtt_options: what `sedge pub` and `sedge sub` share: options as mosquitto's tools have them, and
 * a worker with one client on it.
 *
 * Ownership: texts belong to argv. Threads: the main thread.
 * Errors: usage errors are told on stderr. */
#pragma once

#include "client/mqtt_client.h"

enum { MQTT_TOPICS_MAX = 64 };

struct mqtt_options {
    const char *host; /* a name is looked up once, at the start */
    const char *port;
    struct str topics[MQTT_TOPICS_MAX];
    size_t topics_n;
    const char *message;
    const char *user, *password, *id;
    enum mqtt_version version;
    uint8_t qos;
    uint16_t keep_alive_s;
    bool retain, null_message, from_stdin, lines; /* pub */
    bool persistent, verbose, no_retained;        /* sub */
    int64_t count, timeout_ms;                    /* 0: none */
};

/* Parses; `options` is the getopt string of the command. EXIT_OK goes on; anything else is the exit
 * status, with *done set. */
int mqtt_options_parse(struct mqtt_options *o, int argc, char **argv, const char *options,
                       const char *usage, bool *done);

/* The executor and the configuration for a client as the options ask. An exit status, told. */
int mqtt_options_open(const struct mqtt_options *o, struct executor **ex,
                      struct mqtt_client_config *cfg);

/* One line on stderr about a lost connection. */
void mqtt_options_tell(const char *command, const struct mqtt_client_loss *loss);
