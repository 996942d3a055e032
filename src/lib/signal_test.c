/* Signals through the public headers; see rt_test.c. */
#include "tests/support/test.h"
#include <pthread.h>
#include <sedge/sedge.h>
#include <signal.h>
#include <unistd.h>

static const int watched[] = {SIGUSR1, SIGUSR2};

static intptr_t refused_elsewhere(void *arg)
{
    struct sedge_signals *s;
    struct sedge_error e = {SEDGE_OK, 0, ""};
    CHECK_EQ_INT(sedge_signals_new(&s, arg, watched, 2, &e), SEDGE_ERR_INVALID);
    CHECK_HAS_STR(e.text, "worker 0");
    CHECK_EQ_PTR(s, NULL);
    sedge_chan_close(arg);
    return 0;
}

static intptr_t receive(void *arg)
{
    struct sedge_chan *to, *other;
    struct sedge_signals *s;
    int got[2] = {0};
    (void)arg;
    CHECK_EQ_INT(sedge_chan_new(&to, sizeof(int), 2, SEDGE_LOCAL), SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_new(&other, sizeof(char), 0, SEDGE_SHARED), SEDGE_OK);
    CHECK_EQ_INT(sedge_signals_new(&s, other, watched, 2, NULL), SEDGE_ERR_INVALID);
    CHECK_EQ_INT(sedge_co_spawn_on(sedge_rt_current(), 1, refused_elsewhere, other, "elsewhere"),
                 SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_recv(other, NULL), SEDGE_ERR_CLOSED);

    REQUIRE(CHECK_EQ_INT(sedge_signals_new(&s, to, watched, 2, NULL), SEDGE_OK));
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(kill(getpid(), watched[i]), 0);
        CHECK_EQ_INT(sedge_chan_recv(to, &got[i]), SEDGE_OK);
        CHECK_EQ_INT(got[i], watched[i]);
    }
    sedge_signals_free(s);
    sedge_signals_free(NULL);
    sedge_chan_free(to);
    sedge_chan_free(other);
    return 0;
}

TEST(signals_are_received_from_a_channel)
{
    static const char *const drivers[] = {"epoll", NULL};
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (int i = 0; i < 2; i++) {
        struct sedge_rt_config cfg = {.workers = 2, .driver = drivers[i]};
        struct sedge_rt *rt;
        LABEL("%s", drivers[i] ? drivers[i] : "best");
        REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
        CHECK_EQ_INT(sedge_rt_run(rt, receive, NULL, NULL), SEDGE_OK);
        sedge_rt_free(rt);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
