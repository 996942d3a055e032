/* channel: elements of one size pass from senders to receivers, in order.
 *
 * Why: coroutines hand over what they own instead of sharing it. A channel with capacity 0 is a
 * meeting: the send returns when a receiver has the element. With a capacity, senders wait only
 * while it is full: that is the back-pressure.
 * An element goes straight to the receiver that waits longest; senders and receivers are served in
 * the order of their arrival. Any number of either. After Go's channels (runtime/chan.go).
 *     while (chan_recv(&c, &x) == ERR_OK) …        // until it is closed and empty
 * A coroutine whose partner is on another worker might never have to wait, and would keep its
 * worker from everything else: each 128th operation on a channel that is REACH_ANY yields.
 * Ownership: the creator's; chan_fini() when nobody uses it any more.
 * Threads: REACH_WORKER: one worker's. REACH_ANY: any; waiting calls are for coroutines,
 * chan_try_*() and chan_close() for everybody.
 * Errors: ERR_CLOSED: sent to a closed channel (the element was not taken), or received from one
 * that is closed and empty. ERR_CANCELED: the coroutine is canceled and would have had to wait.
 * ERR_TIMEOUT. ERR_AGAIN: a try would have had to wait. When an error is returned nothing was
 * passed. */
#pragma once

#include "async/wait.h"
#include "base/alloc.h"

struct chan {
    struct wait_lock lock;
    bool closed;
    uint32_t size;          /* of an element, in bytes */
    uint32_t capacity, len; /* elements */
    uint32_t first;
    uint32_t unwaited; /* operations that need not wait, of REACH_ANY */
    uint8_t *ring;
    struct list senders, receivers;
    struct alloc *alloc;
};
MUST_USE enum err chan_init(struct chan *c, struct alloc *a, size_t element_size, size_t capacity,
                            enum reach reach);
void chan_fini(struct chan *c); /* ASSERTs that nobody waits; elements that were left are dropped */

/* `element` NULL: what is received is dropped. */
MUST_USE enum err chan_send(struct chan *c, const void *element);
MUST_USE enum err chan_recv(struct chan *c, void *element);
MUST_USE enum err chan_try_send(struct chan *c, const void *element);
MUST_USE enum err chan_try_recv(struct chan *c, void *element);
/* timeout_ms 0: as try, but ERR_TIMEOUT; negative: waits without limit. */
MUST_USE enum err chan_send_timed(struct chan *c, const void *element, int64_t timeout_ms);
MUST_USE enum err chan_recv_timed(struct chan *c, void *element, int64_t timeout_ms);
/* Who waits is told. What lies in it can still be received. A second time: nothing. */
void chan_close(struct chan *c);
size_t chan_len(struct chan *c); /* elements in it; another thread may change it at any time */
