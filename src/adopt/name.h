/* name: names of the language out of what others call their things.
 *
 * "ApparentPower" is apparent_power, "PM2.5" pm2_5, "0x00158d00045b" x0x00158d…: lower case, words
 * apart by an underscore, no word of the language, nothing that a device of the convention uses
 * itself (set, ack, telemetry, name).
 * Ownership: what is made lives in the arena. Threads: none. Errors: n is 0 without memory, or if
 * nothing of a name is in it. */
#pragma once

#include "base/arena.h"

enum { NAME_WORDS_MAX = 8, NAME_BYTES_MAX = 40 };

/* The words of a key, in lower case: "tempC" is temp, c. */
struct name_words {
    struct str word[NAME_WORDS_MAX];
    size_t n;
};
void name_words(struct name_words *out, struct str key, struct arena *a);
/* Of a property or an action. */
struct str name_of(struct str key, struct arena *a);
/* The last level of a device's path: no slashes, dots or colons. */
struct str name_of_device(struct str text, struct arena *a);
/* Of a model: "SoilSensor". */
struct str name_of_model(struct str text, struct arena *a);
/* Whether it is one as it stands. */
bool name_is_property(struct str s);
bool name_is_device_path(struct str s); /* "home.plug1" */
bool name_is_model(struct str s);
