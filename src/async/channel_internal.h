/* channel_internal: the steps of a channel without waiting, with its lock held; for select.c. */
#pragma once

#include "async/channel.h"
#include "async/wait_internal.h"

/* ERR_OK, ERR_CLOSED or ERR_AGAIN. */
enum err chan_put(struct chan *c, const void *element);
enum err chan_take(struct chan *c, void *element);
