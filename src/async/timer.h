/* timer: one-shot timers on a worker's hierarchical wheel.
 *
 * Resolution 1 ms; a timer never fires early. Setting an armed timer moves it.
 * Ownership: embedded in its owner; cancel it before the owner goes.
 * Threads: its worker's only. fire() runs between polls and may set the timer again. */
#pragma once

#include "async/executor.h"

struct timer {
    struct list link;
    int64_t at_ns; /* 0: not armed */
    struct worker *worker;
    void (*fire)(struct timer *t);
};
void timer_init(struct timer *t, struct worker *w, void (*fire)(struct timer *));
void timer_set(struct timer *t, int64_t at_ns); /* monotonic */
void timer_set_after_ms(struct timer *t, int64_t ms);
void timer_cancel(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
    return t->at_ns != 0;
}
