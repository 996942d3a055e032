#include "async/signals.h"
#include "async/timer.h"
#include "tests/support/test.h"
#include <unistd.h>

struct heard {
    struct signal_watch *watch;
    struct timer timer;
    struct executor *ex;
    int hups, terms;
    bool free_inside;
};

static void hear(void *ctx, int signal)
{
    struct heard *h = ctx;
    CHECK(worker_current() == executor_worker(h->ex, 0));
    if (signal == SIGHUP) {
        h->hups++;
        CHECK_EQ_INT(kill(getpid(), SIGTERM), 0);
    } else if (signal == SIGTERM) {
        h->terms++;
        executor_stop(h->ex);
        if (h->free_inside) {
            signal_watch_free(h->watch);
            h->watch = NULL;
        }
    }
}

static void send_hup(struct timer *t)
{
    (void)t;
    CHECK_EQ_INT(kill(getpid(), SIGHUP), 0);
}

TEST(signals_become_calls_on_the_worker)
{
    static const int signals[] = {SIGHUP, SIGTERM};
    const char *const drivers[] = {"epoll", "io_uring"};
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (size_t i = 0; i < 2 * ARRAY_LEN(drivers); i++) {
        LABEL("%s, freed %s", drivers[i / 2], i % 2 ? "inside" : "outside");
        struct executor_config cfg = {
            .alloc = alloc_system(), .workers = 2, .driver = drivers[i / 2]};
        struct heard h = {.free_inside = i % 2};
        struct error e = {0};
        if (executor_new(&h.ex, &cfg, &e) != ERR_OK)
            SKIP("%s: %s", drivers[i / 2], e.text);
        REQUIRE(signal_watch_new(&h.watch, executor_worker(h.ex, 0), signals, ARRAY_LEN(signals),
                                 hear, &h, &e) == ERR_OK);
        timer_init(&h.timer, executor_worker(h.ex, 0), send_hup);
        timer_set_after_ms(&h.timer, 2);
        executor_run(h.ex);
        CHECK_EQ_INT(h.hups, 1);
        CHECK_EQ_INT(h.terms, 1);
        signal_watch_free(h.watch);
        executor_free(h.ex);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
