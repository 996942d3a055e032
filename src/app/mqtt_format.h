/* mqtt_format: what `sedge sub` prints for a message: formats (-F) and JSON, as mosquitto_sub has
 * them.
 *
 * A format is text with %-sequences (parts of the message), @-sequences (strftime(3) and @N,
 * nanoseconds) and \-sequences. `%5t %-5t %05l %.3t`: width, left, zeros, at most so many.
 * Threads: none. Source: mosquitto_sub(1), "Output format". */
#pragma once

#include "codec/mqtt.h"

#include <time.h>

/* NULL, or what is wrong with the format. */
const char *mqtt_format_check(const char *format);

struct mqtt_shown {
    const struct mqtt_publish *m;
    struct timespec now; /* wall time */
    bool pretty;         /* JSON with lines and tabs */
};
/* Adds the message as the format says (which mqtt_format_check() has passed). ERR_SYNTAX: %J of a
 * payload that is no JSON; it is left out. */
MUST_USE enum err mqtt_format(struct strbuf *out, const char *format, const struct mqtt_shown *s);

/* One JSON object; `whole`: the payload is a value in it (ERR_SYNTAX if it is none), else text. */
MUST_USE enum err mqtt_format_json(struct strbuf *out, const struct mqtt_shown *s, bool whole);
