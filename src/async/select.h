/* select: waits for the first of several things: sends, receives, time, a wake.
 *
 *     struct select_arm arms[] = {select_recv(&jobs, &job), select_recv(&quit, NULL),
 *                                 select_after_ms(1000)};
 *     size_t i;
 *     enum err r = select_wait(arms, ARRAY_LEN(arms), &i); // r belongs to arm i
 *
 * Exactly one arm happens; the others consume nothing and send nothing. Of several that could
 * happen, each has the same chance. A closed channel's arm happens with ERR_CLOSED; an arm
 * without channel never does. After Go's select (runtime/select.go).
 * Threads: the calling coroutine's worker; the channels may be REACH_ANY.
 * Errors: of the arm that happened: ERR_OK, ERR_CLOSED. ERR_CANCELED: none happened and the
 * coroutine is canceled (*arm is the number of arms). select_try(): ERR_AGAIN if none can happen
 * now. */
#pragma once

#include "async/channel.h"
#include "async/coroutine.h"

enum { SELECT_ARMS_MAX = 64 };

enum select_kind { SELECT_SEND, SELECT_RECV, SELECT_AFTER, SELECT_WOKEN };

struct select_arm {
    enum select_kind kind;
    struct chan *chan;
    union {
        void *into;       /* receive; NULL: it is dropped */
        const void *from; /* send */
        int64_t after_ms;
    };
};
static inline struct select_arm select_send(struct chan *c, const void *from)
{
    return (struct select_arm){.kind = SELECT_SEND, .chan = c, .from = from};
}
static inline struct select_arm select_recv(struct chan *c, void *into)
{
    return (struct select_arm){.kind = SELECT_RECV, .chan = c, .into = into};
}
static inline struct select_arm select_after_ms(int64_t ms)
{
    return (struct select_arm){.kind = SELECT_AFTER, .after_ms = ms};
}
/* The waker of this coroutine (co_waker()) was woken; may be spurious. */
static inline struct select_arm select_woken(void)
{
    return (struct select_arm){.kind = SELECT_WOKEN};
}

MUST_USE enum err select_wait(const struct select_arm *arms, size_t n, size_t *arm);
/* The default arm: does not wait. */
MUST_USE enum err select_try(const struct select_arm *arms, size_t n, size_t *arm);
