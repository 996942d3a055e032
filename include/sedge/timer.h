/* sedge_timer: sleeping, and timers that call back.
 *
 * Why: most of what waits for time is a coroutine and sleeps, or gives its wait a time-out. A
 * timer is for time-outs that are set often and rarely pass: setting and canceling one costs a few
 * nanoseconds and no memory.
 *
 * The resolution is a millisecond. Nothing fires early.
 *
 * Ownership: a timer lies in its owner's struct and is not moved; cancel it before it goes.
 *
 * Threads: a timer belongs to the worker that calls sedge_timer_init(). fire() runs on that
 * worker, between coroutines: it may not wait, but it may set the timer again, wake a coroutine,
 * or use what does not wait (sedge_chan_try_send(), sedge_semaphore_give()).
 *
 * Errors: SEDGE_ERR_CANCELED: the coroutine is canceled. */
#ifndef SEDGE_TIMER_H
#define SEDGE_TIMER_H

#include <sedge/err.h>

SEDGE_BEGIN

/* Monotonic nanoseconds. On a worker: of when it last came back from waiting, which is what timers
 * count from. */
SEDGE_API int64_t sedge_now_ns(void);
/* Coroutines only. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_sleep_ms(int64_t ms);
/* Until sedge_now_ns() has reached it: for a steady pace, since errors do not add up. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_sleep_until_ns(int64_t at_ns);

struct sedge_timer {
    uint64_t private_[12];
};
/* On a worker. */
SEDGE_API void sedge_timer_init(struct sedge_timer *timer, void (*fire)(void *ctx), void *ctx);
/* Fires once. Setting one that is armed moves it. */
SEDGE_API void sedge_timer_set_after_ms(struct sedge_timer *timer, int64_t ms);
SEDGE_API void sedge_timer_set_at_ns(struct sedge_timer *timer, int64_t at_ns);
/* Not armed: nothing. */
SEDGE_API void sedge_timer_cancel(struct sedge_timer *timer);
SEDGE_API bool sedge_timer_armed(const struct sedge_timer *timer);

SEDGE_END
#endif
