/* site: an executor on modelled threads, for scenarios: its driver sleeps on an event, its clock is
 * the model's, its memory is watched. */
#pragma once

#include "async/coroutine.h"
#include "async/io.h"
#include "tests/model/model.h"
#include "tests/support/test.h"

enum { SITE_WORKERS_MAX = 3, SITE_COROUTINES = 8 };

struct site {
    struct executor *ex;
    struct env env;
    struct model_gate gate;
    unsigned parts, left; /* coroutines that play; those that have not ended */
};
/* Workers that can run coroutines if `coroutines`. */
void site_begin(struct site *s, unsigned workers, bool coroutines);
/* A part on a worker of its own: parts meet at the gate, play, and when all have ended the
 * executor stops. */
void site_play(struct site *s, intptr_t (*const parts[])(void *arg), unsigned n, void *arg);
void site_end(struct site *s);
/* Stands until that worker sleeps, without a step of the program. */
void site_await_sleep(struct site *s, unsigned worker);
/* How often drivers were woken so far. */
uint64_t site_wakes(struct site *s);
