/* alert_internal: what alert.c (conditions, records, acknowledging) and shelve.c share. */
#pragma once

#include "alert/alert.h"
#include "async/timer.h"
#include "store/keep.h"

struct alerts {
    struct alerts_config cfg;
    struct worker *worker;
    struct keep *keep;
    struct list list; /* oldest first */
    size_t count;
    uint64_t next_id;
    struct event_listener listener;
    void (*changed)(void *ctx, const struct alert *al);
    void *changed_ctx;
    struct timer shelve_timer; /* of the shelving that ends next */
};

/* alert.c */
struct alert *alert_of(const struct alerts *a, uint64_t id); /* NULL: there is none */
/* Copies all texts, which may be borrowed or in the old block, into a new block. */
bool alert_own_texts(struct alerts *a, struct alert *al);
MUST_USE enum err alert_record(struct alerts *a, const struct alert *al, uint64_t *seq);
void alert_tell(struct alerts *a, const struct alert *al);
/* Records it for nobody who waits, and tells. */
void alert_changed(struct alerts *a, const struct alert *al);

/* shelve.c */
void shelve_init(struct alerts *a);
void shelve_fini(struct alerts *a);
void shelve_watch(struct alerts *a); /* a shelving has come, or has another end */
void alert_clear_shelving(struct alert *al);
