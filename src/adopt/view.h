/* view: what the registry has seen of unclaimed topics at one moment, copied, so that another
 * thread can make a proposal of it.
 *
 * A topic that is there because a device could not read it is a thing of its own as well.
 * Ownership: everything is in the view's arena. Threads: taken on worker 0, read by any.
 * Errors: ERR_NOMEM, also above VIEW_BYTES_MAX. */
#pragma once

#include "adopt/shape.h"
#include "base/arena.h"

enum { VIEW_BYTES_MAX = 32 << 20 };

struct adopt_field {
    struct str path;
    uint64_t count, of[OBSERVED_KINDS], whole, quoted; /* as in struct observed_field */
    double min, max;
    struct str words[OBSERVED_WORDS_MAX];
    size_t word_n;
    bool more_words;
    struct str last_text;
};
struct adopt_topic {
    struct str topic;
    enum payload_kind kind;
    struct adopt_thing thing;
    struct str claimer; /* the device that has it and could not read it; "": none */
    uint64_t count;
    struct str payload; /* the last one; whole if it is retained, else at most 512 bytes */
    struct adopt_field *fields;
    size_t field_n, left_out;
};
/* What is announced about things, whole: <base>/bridge/devices, tasmota/discovery/+/config. */
struct adopt_document {
    struct str topic, text;
};
struct adopt_view {
    struct arena arena;
    struct adopt_topic *topics;
    size_t n;
    struct adopt_document *documents;
    size_t document_n;
};
MUST_USE enum err adopt_view_take(struct adopt_view *v, struct registry *r, struct bus *b,
                                  struct alloc *a);
/* The same by hand: an empty one for at most `max` topics, and one topic more. `payload`: what is
 * retained, or the last message. `all` tells of the other topics. */
MUST_USE enum err adopt_view_init(struct adopt_view *v, struct alloc *a, size_t max);
void adopt_view_add(struct adopt_view *v, const struct adopt_topics *all, struct str topic,
                    enum payload_kind kind, uint64_t count, const struct observed *seen,
                    struct str payload);
void adopt_view_fini(struct adopt_view *v); /* safe on a zeroed one */

const struct adopt_topic *adopt_view_topic(const struct adopt_view *v, struct str topic);
/* The topic of a thing that was probably meant: one of a place that is `topic` ("plug1",
 * "zigbee2mqtt/bath"), else the one that is alike for longest. "": nothing is like it. */
struct str adopt_view_near(const struct adopt_view *v, struct str topic);
const struct adopt_field *adopt_topic_field(const struct adopt_topic *t, struct str path);
/* Of a topic that may not be there. */
const struct adopt_field *adopt_view_field(const struct adopt_view *v, struct str topic,
                                           struct str path);
