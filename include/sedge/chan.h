/* sedge_chan: channels, and select over them.
 *
 *     struct sedge_arm arms[] = {sedge_arm_recv(jobs, &job), sedge_arm_recv(quit, NULL),
 *                                sedge_arm_after_ms(1000)};
 *     size_t i;
 *     enum sedge_err r = sedge_select(arms, 3, &i); // r belongs to arm i
 *
 * Why: coroutines hand over what they own instead of sharing it. A channel with capacity 0 is a
 * meeting: the send returns when a receiver has the element. With a capacity, senders wait only
 * while it is full: that is the back-pressure.
 *
 * Elements have one size and are copied, in order; one goes straight to the receiver that waits
 * longest. Any number of senders and receivers. After Go's channels.
 *
 * Ownership: the creator's; free it when nobody uses it any more. Elements that are left in it are
 * dropped.
 *
 * Threads: a SEDGE_LOCAL channel is used by one worker only; a SEDGE_SHARED one by any thread.
 * Calls that may wait are for coroutines; the try calls and sedge_chan_close() for everybody.
 *
 * Errors: SEDGE_ERR_CLOSED: sent to a closed channel, or received from one that is closed and
 * empty. SEDGE_ERR_CANCELED: the coroutine is canceled and would have had to wait.
 * SEDGE_ERR_TIMEOUT. SEDGE_ERR_AGAIN: a try would have had to wait. With an error nothing has
 * passed. */
#ifndef SEDGE_CHAN_H
#define SEDGE_CHAN_H

#include <sedge/err.h>

SEDGE_BEGIN

/* Who may use a thing: any thread, or, without a lock and so about twice as fast, one worker. */
enum sedge_reach { SEDGE_SHARED = 0, SEDGE_LOCAL = 1 };

struct sedge_chan;

/* element_size 0 … 65536 bytes; capacity in elements. SEDGE_ERR_RANGE, SEDGE_ERR_NOMEM. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_new(struct sedge_chan **out, size_t element_size,
                                                       size_t capacity, enum sedge_reach reach);
/* Nobody may wait in it. NULL: nothing. */
SEDGE_API void sedge_chan_free(struct sedge_chan *chan);

SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_send(struct sedge_chan *chan,
                                                        const void *element);
/* `element` NULL, here and below: what is received is dropped. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_recv(struct sedge_chan *chan, void *element);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_try_send(struct sedge_chan *chan,
                                                            const void *element);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_try_recv(struct sedge_chan *chan, void *element);
/* timeout_ms negative: without limit. */
SEDGE_API SEDGE_MUST_USE enum sedge_err
sedge_chan_send_timed(struct sedge_chan *chan, const void *element, int64_t timeout_ms);
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_chan_recv_timed(struct sedge_chan *chan,
                                                              void *element, int64_t timeout_ms);
/* Who waits is told. What lies in it can still be received. A second time: nothing. */
SEDGE_API void sedge_chan_close(struct sedge_chan *chan);
/* Elements in it. Another thread may change that at any time. */
SEDGE_API size_t sedge_chan_len(struct sedge_chan *chan);

enum sedge_arm_kind { SEDGE_ARM_SEND, SEDGE_ARM_RECV, SEDGE_ARM_AFTER, SEDGE_ARM_WOKEN };

/* One of the things that a select waits for; made by the functions below. */
struct sedge_arm {
    enum sedge_arm_kind kind;
    struct sedge_chan *chan; /* NULL: a send or receive that never happens */
    union {
        void *into;
        const void *from;
        int64_t after_ms;
    } u;
};
static inline struct sedge_arm sedge_arm_send(struct sedge_chan *chan, const void *from)
{
    struct sedge_arm arm = {SEDGE_ARM_SEND, chan, {NULL}};
    arm.u.from = from;
    return arm;
}
static inline struct sedge_arm sedge_arm_recv(struct sedge_chan *chan, void *into)
{
    struct sedge_arm arm = {SEDGE_ARM_RECV, chan, {NULL}};
    arm.u.into = into;
    return arm;
}
static inline struct sedge_arm sedge_arm_after_ms(int64_t ms)
{
    struct sedge_arm arm = {SEDGE_ARM_AFTER, NULL, {NULL}};
    arm.u.after_ms = ms;
    return arm;
}
/* The coroutine was woken by its sedge_co_waker(). */
static inline struct sedge_arm sedge_arm_woken(void)
{
    struct sedge_arm arm = {SEDGE_ARM_WOKEN, NULL, {NULL}};
    return arm;
}

/* Waits until one arm happens; the others consume and send nothing. Of several that could happen
 * each has the same chance. *arm is the one, and what is returned belongs to it: SEDGE_OK or
 * SEDGE_ERR_CLOSED. SEDGE_ERR_CANCELED: none happened, *arm is n. n is at most 64. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_select(const struct sedge_arm *arms, size_t n,
                                                     size_t *arm);
/* Does not wait. SEDGE_ERR_AGAIN: none can happen now. */
SEDGE_API SEDGE_MUST_USE enum sedge_err sedge_select_try(const struct sedge_arm *arms, size_t n,
                                                         size_t *arm);

SEDGE_END
#endif
