/* mqtt_options_internal: between the files of mqtt_options; private to them. */
#pragma once

#include "app/mqtt_options.h"

/* A setter's answer: NULL, or what is wrong in a few words. */
typedef const char *mqtt_wrong;

/* mqtt_options_url.c: -L. Takes o->url apart. */
mqtt_wrong mqtt_options_url(struct mqtt_options *o, const char *url);

/* mqtt_options_props.c: -D COMMAND NAME VALUE [VALUE]. `words` ends with NULL; *used of them were
 * taken. */
mqtt_wrong mqtt_options_property(struct mqtt_options *o, char *const *words, size_t *used);

bool mqtt_options_number(const char *text, int64_t min, int64_t max, int64_t *out);
