/* found: the things that speak and that nobody has declared, and which of them can be adopted.
 *
 *     found_take(&f, registry, bus, alloc);
 *     for each of f.things: key, name, adopt or obstacle and why, its topics
 *
 * Why: one plug speaks on eight topics, and a bridge on ten that are nobody's. A person wants a
 * list of things, those first of which a device can be made, and of the others the reason. What can
 * be adopted is tried, not guessed: the draft that would become the proposal is begun, and is good
 * for it as soon as it has one property (of a thing that a device has in part: one that is new).
 * Of Zigbee2MQTT's devices the bridge's list (500 KiB and more) is only searched for the name.
 * Ownership: all of it is the struct's, until found_fini(). Threads: worker 0 for found_take(),
 * any for the rest. Cost: in the order of writing the list as text; the topics of declared devices
 * are passed once. Errors: ERR_NOMEM. */
#pragma once

#include "adopt/view.h"
#include "base/map.h"

struct found_thing {
    struct str key;  /* adopt_key() */
    struct str name; /* for people: "plug1", "kitchen/climate" */
    enum adopt_shape shape;
    struct str device;            /* that has some of it; "": none */
    struct str adopt;             /* one of its topics, to be asked for; "": it can't be adopted */
    enum adopt_obstacle obstacle; /* then */
    struct str why;               /* a clause for people: "only commands to it have been heard" */
    const struct adopt_topic *topics; /* what tells most comes first */
    size_t topic_n;
};
struct found {
    struct adopt_view view;
    struct found_thing *things; /* in the order in which they are shown: what can be adopted first;
                                   then by name, so that a list does not jump */
    size_t n;
};
MUST_USE enum err found_take(struct found *f, struct registry *r, struct bus *b, struct alloc *a);
/* The same of a view, which becomes f's, also when it fails. */
struct found_claims {
    /* The topics of declared devices. */
    void (*each)(void *ctx, void (*claim)(void *to, struct str topic, struct str device), void *to);
    bool (*has)(void *ctx, struct str topic);
    void *ctx;
};
MUST_USE enum err found_make(struct found *f, struct adopt_view *v, const struct found_claims *c);
void found_fini(struct found *f); /* safe on a zeroed one */
