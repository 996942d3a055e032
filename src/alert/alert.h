/* alert: conditions that people should know: raised, returned to normal, acknowledged, stored.
 *
 * The words are ISA-18.2's. One key is one condition: while its alert is not over (normal and
 * acknowledged) a new occurrence counts up; afterwards it is a new alert. Texts are cut at
 * ALERT_TEXT_MAX bytes. What the journal has no room for now is recorded when it has.
 * Shelved is beside the state: a person has said that a condition shall not bother, for how long
 * and why. It stays the alert of its condition until that time is over, also if it is normal and
 * acknowledged meanwhile, so a sensor that chatters chatters in one alert that nobody hears. It
 * ends by itself, over restarts too, and at once when the condition comes with a higher severity
 * than what was shelved.
 * Ownership: an alert belongs to the module; pointers are good until the next change.
 * Threads: worker 0.
 * Errors: alert_acknowledge(), alert_shelve(), alert_unshelve() ERR_NOT_FOUND, ERR_EXISTS (it is
 * so already, or it is over), and those of the journal: what could not be recorded has not
 * happened. */
#pragma once

#include "bus/bus.h"

enum { ALERT_TEXT_MAX = 2000, ALERT_WHY_MAX = 200 };
#define ALERT_SHELVE_MIN_MS INT64_C(1000)
#define ALERT_SHELVE_MAX_MS (INT64_C(7) * 24 * 3600 * 1000) /* no condition is forgotten */

enum alert_state {
    ALERT_UNACKNOWLEDGED, /* active, nobody has said that they saw it */
    ALERT_ACKNOWLEDGED,   /* active, seen */
    ALERT_RETURNED,       /* normal again, not seen */
    ALERT_NORMAL,         /* over */
};
const char *alert_state_name(enum alert_state s);

struct alert {
    struct list link;
    uint64_t id; /* 1, 2, 3 … */
    enum severity severity;
    enum alert_state state;
    struct str key, text, device, acknowledged_by;
    struct str says; /* bus/event.h */
    struct cause cause;
    int64_t raised_ms, cleared_ms, acknowledged_ms; /* 0: not yet */
    int64_t shelved_ms, shelved_until_ms;           /* 0: it is not shelved */
    struct str shelved_by, shelved_why;
    uint64_t count;
    void *block; /* that holds the texts */
    size_t block_size;
};

struct alerts;
struct alerts_config {
    struct executor *ex;
    struct bus *bus;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
    size_t alerts_max; /* remembered; default 1,000: the oldest that are over are forgotten */
};
MUST_USE enum err alerts_new(struct alerts **out, const struct alerts_config *cfg, struct error *e);
void alerts_free(struct alerts *a);

/* Whoever tells the person waits for *seq first, and undoes it if that is never committed. */
MUST_USE enum err alert_acknowledge(struct alerts *a, uint64_t id, struct str by,
                                    const struct alert **out, uint64_t *seq);
void alert_acknowledge_undo(struct alerts *a, uint64_t id);
/* For ALERT_SHELVE_MIN_MS … ALERT_SHELVE_MAX_MS (else ERR_RANGE); again, while it is shelved: the
 * new time and reason hold. ERR_EXISTS: the alert is over. `why` is cut at ALERT_WHY_MAX. */
struct alert_shelving {
    struct str by, why;
    int64_t for_ms;
};
MUST_USE enum err alert_shelve(struct alerts *a, uint64_t id, const struct alert_shelving *s,
                               const struct alert **out, uint64_t *seq);
void alert_shelve_undo(struct alerts *a, uint64_t id); /* it was never committed */
/* ERR_EXISTS: it is not shelved. `by` is for the log; "" if nobody says. */
MUST_USE enum err alert_unshelve(struct alerts *a, uint64_t id, struct str by,
                                 const struct alert **out, uint64_t *seq);
static inline bool alert_is_shelved(const struct alert *al)
{
    return al->shelved_until_ms != 0;
}
/* Normal, seen, and not shelved: what comes now is another alert. */
static inline bool alert_is_over(const struct alert *al)
{
    return al->state == ALERT_NORMAL && !alert_is_shelved(al);
}
const struct alert *alert_find(const struct alerts *a, uint64_t id);
/* Newest first. */
enum alert_filter {
    ALERTS_ALL,
    ALERTS_OPEN,    /* without those that are over */
    ALERTS_SHELVED, /* just these */
};
void alerts_each(const struct alerts *a, enum alert_filter filter, size_t limit,
                 void (*each)(void *ctx, const struct alert *al), void *ctx);
/* How many conditions hold now that shall bother somebody: without those that are shelved. */
size_t alerts_active(const struct alerts *a);
void alerts_on_change(struct alerts *a, void (*on_change)(void *ctx, const struct alert *al),
                      void *ctx);
