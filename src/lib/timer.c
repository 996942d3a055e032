#include <sedge/timer.h>

#include "async/coroutine.h"
#include "async/timer.h"
#include "lib/facade.h"

enum { NS_A_MS = 1000000 };

struct lib_timer {
    struct timer timer;
    void (*fire)(void *ctx);
    void *ctx;
};
LIB_STORAGE(sedge_timer, lib_timer)

int64_t sedge_now_ns(void)
{
    struct worker *w = worker_current();
    return w ? worker_now_ns(w) : clock_mono_ns(env_linux()->clock);
}

enum sedge_err sedge_sleep_ms(int64_t ms)
{
    return err_public(co_sleep_ms(ms));
}

enum sedge_err sedge_sleep_until_ns(int64_t at_ns)
{
    int64_t left_ns = at_ns - sedge_now_ns();
    /* What has passed already still lets the others run, as a sleep of 0 does. */
    int64_t ms = left_ns > 0 ? (left_ns + NS_A_MS - 1) / NS_A_MS : 0;
    return err_public(co_sleep_ms(ms));
}

static void fired(struct timer *timer)
{
    struct lib_timer *t = CONTAINER_OF(timer, struct lib_timer, timer);
    t->fire(t->ctx);
}

void sedge_timer_init(struct sedge_timer *timer, void (*fire)(void *ctx), void *ctx)
{
    struct lib_timer *t = lib_timer_of(timer);
    struct worker *w = worker_current();
    ASSERT(w);
    timer_init(&t->timer, w, fired);
    t->fire = fire;
    t->ctx = ctx;
}

void sedge_timer_set_after_ms(struct sedge_timer *timer, int64_t ms)
{
    timer_set_after_ms(&lib_timer_of(timer)->timer, ms);
}

void sedge_timer_set_at_ns(struct sedge_timer *timer, int64_t at_ns)
{
    timer_set(&lib_timer_of(timer)->timer, at_ns);
}

void sedge_timer_cancel(struct sedge_timer *timer)
{
    timer_cancel(&lib_timer_of(timer)->timer);
}

bool sedge_timer_armed(const struct sedge_timer *timer)
{
    return timer_armed(&lib_timer_of(timer)->timer);
}
