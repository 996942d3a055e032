/* alert: conditions that people should know: raised, returned to normal, acknowledged, stored.
 *
 * The words are ISA-18.2's. One key is one condition: while its alert is not over (normal and
 * acknowledged) a new occurrence counts up; afterwards it is a new alert. Texts are cut at
 * ALERT_TEXT_MAX bytes. What the journal has no room for now is recorded when it has.
 * Ownership: an alert belongs to the module; pointers are good until the next change.
 * Threads: worker 0.
 * Errors: alert_acknowledge() ERR_NOT_FOUND, ERR_EXISTS (acknowledged already), and those of the
 * journal: what could not be recorded is not acknowledged. */
#pragma once

#include "bus/bus.h"

enum { ALERT_TEXT_MAX = 2000 };

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
    struct cause cause;
    int64_t raised_ms, cleared_ms, acknowledged_ms; /* 0: not yet */
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
const struct alert *alert_find(const struct alerts *a, uint64_t id);
/* Newest first. active_only: without those that are over. */
void alerts_each(const struct alerts *a, bool active_only, size_t limit,
                 void (*each)(void *ctx, const struct alert *al), void *ctx);
size_t alerts_active(const struct alerts *a);
void alerts_on_change(struct alerts *a, void (*on_change)(void *ctx, const struct alert *al),
                      void *ctx);
