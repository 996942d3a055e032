/* mqtt_options_internal: between the files of mqtt_options; private to them. */
#pragma once

#include "app/args.h"
#include "app/mqtt_options.h"

/* The ids of the options in mqtt_options_table.c; mqtt_options.c says what they do. */
enum mqtt_option {
    MQTT_OPTION_HOST = 256,
    MQTT_OPTION_PORT,
    MQTT_OPTION_UNIX,
    MQTT_OPTION_URL,
    MQTT_OPTION_WS,
    MQTT_OPTION_WS_PATH,
    MQTT_OPTION_CAFILE,
    MQTT_OPTION_OS_CERTS,
    MQTT_OPTION_CERT,
    MQTT_OPTION_KEY,
    MQTT_OPTION_INSECURE,
    MQTT_OPTION_TLS_VERSION,
    MQTT_OPTION_NO_DELAY,
    MQTT_OPTION_USER,
    MQTT_OPTION_PASSWORD,
    MQTT_OPTION_ID,
    MQTT_OPTION_ID_PREFIX,
    MQTT_OPTION_VERSION,
    MQTT_OPTION_KEEP_ALIVE,
    MQTT_OPTION_KEEP_SESSION,
    MQTT_OPTION_EXPIRY,
    MQTT_OPTION_WILL_TOPIC,
    MQTT_OPTION_WILL_PAYLOAD,
    MQTT_OPTION_WILL_QOS,
    MQTT_OPTION_WILL_RETAIN,
    MQTT_OPTION_PROPERTY,
    MQTT_OPTION_TOPIC,
    MQTT_OPTION_QOS,
    MQTT_OPTION_DEBUG,
    MQTT_OPTION_QUIET,
    /* pub */
    MQTT_OPTION_MESSAGE,
    MQTT_OPTION_FILE,
    MQTT_OPTION_NULL,
    MQTT_OPTION_STDIN_FILE,
    MQTT_OPTION_STDIN_LINE,
    MQTT_OPTION_RETAIN,
    MQTT_OPTION_INFLIGHT,
    MQTT_OPTION_REPEAT,
    MQTT_OPTION_REPEAT_DELAY,
    /* sub */
    MQTT_OPTION_FORMAT,
    MQTT_OPTION_NO_NEWLINE,
    MQTT_OPTION_PRETTY,
    MQTT_OPTION_VERBOSE,
    MQTT_OPTION_COUNT,
    MQTT_OPTION_TIMEOUT,
    MQTT_OPTION_EXIT_SUBSCRIBED,
    MQTT_OPTION_NO_RETAINED,
    MQTT_OPTION_RETAINED_ONLY,
    MQTT_OPTION_REMOVE_RETAINED,
    MQTT_OPTION_RETAIN_AS_PUBLISHED,
    MQTT_OPTION_FILTER_OUT,
    MQTT_OPTION_UNSUBSCRIBE,
    MQTT_OPTION_RANDOM_FILTER,
    MQTT_OPTION_END
};

/* A setter's answer: NULL, or what is wrong in a few words. */
typedef const char *mqtt_wrong;

/* mqtt_options_url.c: -L. Takes o->url apart. */
mqtt_wrong mqtt_options_url(struct mqtt_options *o, const char *url);

/* mqtt_options_props.c: -D COMMAND NAME VALUE [VALUE]. `words` ends with NULL; *used of them were
 * taken. */
mqtt_wrong mqtt_options_property(struct mqtt_options *o, char *const *words, size_t *used);
