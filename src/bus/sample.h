/* sample: a typed, timestamped value of one series, with a quality; what history, detection,
 * automation and the live page feed on.
 *
 * Ownership: a series belongs to the bus and lives as long as it; its number does not change in a
 * run. A sample and its string are borrowed for the call.
 * Threads: worker 0 in this version. */
#pragma once

#include "base/cursor.h"
#include "base/list.h"

enum value_kind { VALUE_NONE, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_STR };
struct value {
    enum value_kind kind;
    union {
        bool b;
        int64_t i;
        double f;
        struct str s;
    };
};
double value_number(const struct value *v); /* bool 0/1, int, float; NaN else */
/* For records; the decoded string is borrowed from the bytes. */
void value_encode(struct writer *w, const struct value *v);
struct value value_decode(struct cursor *c);

enum quality { QUALITY_NONE, QUALITY_GOOD, QUALITY_UNCERTAIN, QUALITY_BAD, QUALITY_STALE };
const char *quality_name(enum quality q);

struct series {
    uint32_t index;  /* 0, 1, 2 … of this run */
    struct str name; /* "plant.press1.temperature": its identity in history */
    struct str unit; /* "°C", may be empty */
    enum value_kind kind;
    bool kept;         /* history keeps it: its messages are journaled */
    int64_t stale_ms;  /* 0: never stale */
    int64_t paced_ms;  /* the least stale_ms that its own pace asks for; 0: not known */
    int64_t gap_ms;    /* between its last two samples, for that; 0: not known */
    struct value last; /* its string is the series' own copy (at most 256 bytes) */
    int64_t last_ms, last_mono_ns;
    enum quality quality;
};

struct sample {
    struct series *series;
    int64_t ts_ms; /* when it was measured, as the device says, else when it came in */
    struct value value;
    enum quality quality;
    uint64_t seq;  /* journal record that it came from; 0: none */
    bool replayed; /* from the journal at start: no actions, no alerts */
};

struct bus;
/* Declares (or finds) a series. One of that name with another kind or unit keeps its number, but
 * the name is the new one's from here on. NULL when there are too many (65,536 in a run). */
struct series *bus_series(struct bus *b, struct str name, enum value_kind kind, struct str unit);
struct series *bus_series_find(struct bus *b, struct str name);
struct series *bus_series_at(struct bus *b, uint32_t index);
uint32_t bus_series_count(const struct bus *b);

struct sample_listener {
    struct list link;
    void (*sample)(struct sample_listener *l, const struct sample *s);
    /* The series has become stale or good again without a new value. May be NULL. */
    void (*quality)(struct sample_listener *l, struct series *s);
};
void bus_sample_listen(struct bus *b, struct sample_listener *l);
void bus_sample_unlisten(struct sample_listener *l);
/* Updates series->last, unless the sample is late, then tells all listeners in the order of their
 * registration. */
void bus_sample_publish(struct bus *b, const struct sample *s);
/* For listeners: it was measured before the newest one that is known (a device empties its buffer):
 * a point of history, but no news. */
static inline bool sample_is_late(const struct sample *s)
{
    return s->ts_ms < s->series->last_ms;
}
void bus_quality_publish(struct bus *b, struct series *s, enum quality q);
