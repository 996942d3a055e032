/* timer: a heart that beats at a steady pace, and a watchdog that notices when it stops.
 *
 * The pace is kept by sleeping until a time, not for a time. Each beat sets the watchdog's timer
 * anew, so it fires only when a beat is overdue. */
#include <sedge/sedge.h>
#include <stdio.h>

enum { BEATS = 5, EVERY_MS = 10, OVERDUE_MS = 500 };

struct watchdog {
    struct sedge_timer timer;
    struct sedge_waker waker;
    bool barked;
};

static void bark(void *ctx)
{
    struct watchdog *w = ctx;
    w->barked = true;
    sedge_waker_wake(w->waker);
}

static intptr_t beat(void *arg)
{
    struct watchdog *w = arg;
    int64_t at_ns = sedge_now_ns();
    for (int i = 1; i <= BEATS; i++) {
        at_ns += EVERY_MS * 1000000;
        if (sedge_sleep_until_ns(at_ns))
            break;
        printf("beat %d\n", i);
        sedge_timer_set_after_ms(&w->timer, OVERDUE_MS);
    }
    return 0;
}

static intptr_t run(void *arg)
{
    struct watchdog w = {.waker = sedge_co_waker(sedge_co_current())};
    (void)arg;
    sedge_timer_init(&w.timer, bark, &w);
    sedge_timer_set_after_ms(&w.timer, OVERDUE_MS);
    enum sedge_err r = sedge_co_spawn(NULL, beat, &w, "heart");
    while (!r && !w.barked)
        r = sedge_co_wait_woken();
    sedge_timer_cancel(&w.timer);
    if (w.barked)
        printf("no beat for %d ms\n", OVERDUE_MS);
    return r;
}

int main(void)
{
    return sedge_main(NULL, run, NULL);
}
