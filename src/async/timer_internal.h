/* timer_internal: the wheel itself, without a worker, so that tests can turn it by hand.
 *
 * Eight levels of 64 slots, 6 bits of the due millisecond each: together they reach past the
 * end of int64_t nanoseconds. A timer lies on the level of the highest bit group in which its
 * millisecond differs from now; so a used slot always lies ahead of now on its level, and a
 * lower level always comes due before a higher one. After Varghese and Lauck 1987, and the
 * wheel of Tokio.
 * Lazy: a bit in `used` may stand for a slot that has become empty; it is cleared when found. */
#pragma once

#include "async/timer.h"

enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 8, WHEEL_LOOK = 16 };

struct wheel {
    uint64_t now_ms; /* everything up to here has fired */
    uint64_t used[WHEEL_LEVELS];
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
    struct list due; /* set for a time that had passed: fires at the next turn */
};
void wheel_init(struct wheel *w, int64_t now_ns);
void wheel_add(struct wheel *w, struct timer *t); /* t->at_ns > 0, t->link in no list */
/* Fires what is due, in order of its millisecond. */
void wheel_advance(struct wheel *w, int64_t now_ns);
/* When to turn it next: never too late, at most a few times too early. -1: nothing is armed. */
int64_t wheel_next_ns(struct wheel *w);
