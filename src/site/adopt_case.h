/* adopt_case: messages as devices send them, and the declarations that are proposed. */
#pragma once

#include <stddef.h>

struct adopt_message {
    const char *topic, *payload;
};
struct adopt_case {
    const char *label;
    const char *site; /* declared before, behind `site "home"`; NULL: nothing */
    struct adopt_message messages[14];
    const char *claimed; /* a topic of them that a device has, and could not read; NULL: none */
    const char *asked[4], *device, *model;
    const char *want; /* the model, "--", the device; "! " before warnings; or the error */
};
