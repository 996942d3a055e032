/* channel_internal: the steps of a channel without waiting, with its lock held; for select.c. */
#pragma once

#include "async/channel.h"
#include "async/switch_internal.h"
#include "async/wait_internal.h"

enum { CHAN_BUDGET = 128 };
/* With the lock, after an operation that did not wait: should the coroutine yield? */
static inline bool chan_turn_over(struct chan *c)
{
    return __builtin_expect(c->lock.any && ++c->unwaited % CHAN_BUDGET == 0, 0);
}

/* ERR_OK, ERR_CLOSED or ERR_AGAIN. */
enum err chan_put(struct chan *c, const void *element);
enum err chan_take(struct chan *c, void *element);

/* select.c: what channels and selects of one worker call last in order to wait (switch_tail()).
 * With a queue: a channel's waiter with that item, n is 1; else a select over n arms, whose
 * number goes to *arm. One function for both, so that co_park() returns to one place: the
 * processor predicts it right whoever was left before. (Select over 8: 36 ns with two
 * functions, 30 with one.) */
switch_wait wait_local;
