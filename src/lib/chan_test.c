/* Channels, sync and time through the public headers; see rt_test.c. */
#include "tests/support/test.h"
#include <sedge/sedge.h>
#include <string.h>

static intptr_t run_both(intptr_t (*fn)(void *arg))
{
    static const enum sedge_reach reaches[] = {SEDGE_SHARED, SEDGE_LOCAL};
    struct sedge_rt_config cfg = {.workers = 1, .driver = "epoll"};
    for (size_t i = 0; i < 2; i++) {
        enum sedge_reach reach = reaches[i];
        struct sedge_rt *rt = NULL;
        LABEL("%s", i ? "local" : "shared");
        REQUIRE(CHECK_EQ_INT(sedge_rt_new(&rt, &cfg, NULL), SEDGE_OK));
        CHECK_EQ_INT(sedge_rt_run(rt, fn, &reach, NULL), SEDGE_OK);
        sedge_rt_free(rt);
    }
    return 0;
}

static intptr_t send_three(void *arg)
{
    struct sedge_chan *c = arg;
    for (int i = 1; i <= 3; i++)
        CHECK_EQ_INT(sedge_chan_send(c, &i), SEDGE_OK);
    sedge_chan_close(c);
    int i = 4;
    CHECK_EQ_INT(sedge_chan_send(c, &i), SEDGE_ERR_CLOSED);
    return 0;
}

static intptr_t meet(void *arg)
{
    struct sedge_chan *c;
    int got, sum = 0;
    CHECK_EQ_INT(sedge_chan_new(&c, sizeof(int), 0, *(enum sedge_reach *)arg), SEDGE_OK);
    CHECK_EQ_INT(sedge_co_spawn(NULL, send_three, c, "sender"), SEDGE_OK);
    while (sedge_chan_recv(c, &got) == SEDGE_OK)
        sum = sum * 10 + got;
    CHECK_EQ_INT(sum, 123);
    sedge_co_yield(); /* the sender's last send */
    sedge_chan_free(c);
    return 0;
}

TEST(chan_hands_over_in_order)
{
    run_both(meet);
}

static intptr_t do_not_wait(void *arg)
{
    struct sedge_chan *c;
    int one = 1, got = 0;
    CHECK_EQ_INT(sedge_chan_new(&c, sizeof(int), 1, *(enum sedge_reach *)arg), SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_try_recv(c, &got), SEDGE_ERR_AGAIN);
    CHECK_EQ_INT(sedge_chan_recv_timed(c, &got, 1), SEDGE_ERR_TIMEOUT);
    CHECK_EQ_INT(sedge_chan_try_send(c, &one), SEDGE_OK);
    CHECK_EQ_UINT(sedge_chan_len(c), 1);
    CHECK_EQ_INT(sedge_chan_try_send(c, &one), SEDGE_ERR_AGAIN);
    CHECK_EQ_INT(sedge_chan_send_timed(c, &one, 1), SEDGE_ERR_TIMEOUT);
    CHECK_EQ_INT(sedge_chan_try_recv(c, &got), SEDGE_OK);
    CHECK_EQ_INT(got, 1);
    sedge_chan_free(c);
    return 0;
}

TEST(chan_tries_and_times_out)
{
    run_both(do_not_wait);
}

TEST(chan_refuses_large_elements)
{
    struct sedge_chan *c;
    CHECK_EQ_INT(sedge_chan_new(&c, 65537, 0, SEDGE_SHARED), SEDGE_ERR_RANGE);
    CHECK_EQ_PTR(c, NULL);
    sedge_chan_free(NULL);
}

static intptr_t select_each(void *arg)
{
    struct sedge_chan *full, *empty;
    enum sedge_reach reach = *(enum sedge_reach *)arg;
    int one = 1, got = 0;
    size_t arm = 9;
    CHECK_EQ_INT(sedge_chan_new(&full, sizeof(int), 1, reach), SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_new(&empty, sizeof(int), 1, reach), SEDGE_OK);
    CHECK_EQ_INT(sedge_chan_try_send(full, &one), SEDGE_OK);
    struct sedge_arm waits[] = {sedge_arm_send(full, &one), sedge_arm_recv(empty, &got),
                                sedge_arm_after_ms(1)};
    CHECK_EQ_INT(sedge_select_try(waits, 2, &arm), SEDGE_ERR_AGAIN);
    CHECK_EQ_INT(sedge_select(waits, 3, &arm), SEDGE_OK);
    CHECK_EQ_UINT(arm, 2);
    struct sedge_arm receives[] = {sedge_arm_recv(empty, NULL), sedge_arm_recv(full, &got)};
    CHECK_EQ_INT(sedge_select(receives, 2, &arm), SEDGE_OK);
    CHECK_EQ_UINT(arm, 1);
    CHECK_EQ_INT(got, 1);
    struct sedge_arm sends[] = {sedge_arm_send(NULL, &one), sedge_arm_send(empty, &one)};
    CHECK_EQ_INT(sedge_select(sends, 2, &arm), SEDGE_OK);
    CHECK_EQ_UINT(arm, 1);
    CHECK_EQ_UINT(sedge_chan_len(empty), 1);
    sedge_chan_close(full);
    CHECK_EQ_INT(sedge_select(receives + 1, 1, &arm), SEDGE_ERR_CLOSED);
    sedge_chan_free(full);
    sedge_chan_free(empty);
    return 0;
}

TEST(select_does_each_arm)
{
    run_both(select_each);
}

/* --- sync --- */

struct locks {
    struct sedge_mutex mutex;
    struct sedge_semaphore semaphore;
    struct sedge_wait_group group;
    struct sedge_once once;
    int inside, calls;
};

static void count_call(void *arg)
{
    ((struct locks *)arg)->calls++;
}

static intptr_t go_through(void *arg)
{
    struct locks *l = arg;
    CHECK_EQ_INT(sedge_mutex_lock(&l->mutex), SEDGE_OK);
    CHECK_EQ_INT(l->inside++, 0);
    sedge_co_yield();
    l->inside--;
    sedge_mutex_unlock(&l->mutex);
    CHECK_EQ_INT(sedge_semaphore_take(&l->semaphore, 2), SEDGE_OK);
    sedge_co_yield();
    sedge_semaphore_give(&l->semaphore, 2);
    CHECK_EQ_INT(sedge_once_run(&l->once, count_call, l), SEDGE_OK);
    sedge_wait_group_done(&l->group);
    return 0;
}

static intptr_t lock_all(void *arg)
{
    enum sedge_reach reach = *(enum sedge_reach *)arg;
    struct locks l = {.calls = 0};
    sedge_mutex_init(&l.mutex, reach);
    sedge_semaphore_init(&l.semaphore, 3, reach);
    sedge_wait_group_init(&l.group, reach);
    sedge_once_init(&l.once, reach);
    CHECK(sedge_mutex_try_lock(&l.mutex));
    CHECK(!sedge_mutex_try_lock(&l.mutex));
    sedge_mutex_unlock(&l.mutex);
    CHECK(sedge_semaphore_try_take(&l.semaphore, 3));
    CHECK(!sedge_semaphore_try_take(&l.semaphore, 1));
    sedge_semaphore_give(&l.semaphore, 3);
    sedge_wait_group_add(&l.group, 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(sedge_co_spawn(NULL, go_through, &l, "through"), SEDGE_OK);
    CHECK_EQ_INT(sedge_wait_group_wait(&l.group), SEDGE_OK);
    CHECK_EQ_INT(l.calls, 1);
    CHECK(!sedge_semaphore_try_take(&l.semaphore, 4));
    CHECK(sedge_semaphore_try_take(&l.semaphore, 3));
    return 0;
}

TEST(sync_locks)
{
    run_both(lock_all);
}

/* --- time --- */

struct ticking {
    struct sedge_timer timer;
    struct sedge_waker waker;
    int fired;
};

static void tick(void *ctx)
{
    struct ticking *t = ctx;
    if (++t->fired < 3)
        sedge_timer_set_after_ms(&t->timer, 1);
    else
        sedge_waker_wake(t->waker);
}

static intptr_t keep_time(void *arg)
{
    struct ticking t = {.waker = sedge_co_waker(sedge_co_current())};
    (void)arg;
    int64_t begin_ns = sedge_now_ns();
    CHECK_EQ_INT(sedge_sleep_until_ns(begin_ns + 1), SEDGE_OK);
    CHECK(sedge_now_ns() > begin_ns);
    CHECK_EQ_INT(sedge_sleep_until_ns(begin_ns), SEDGE_OK);

    sedge_timer_init(&t.timer, tick, &t);
    CHECK(!sedge_timer_armed(&t.timer));
    sedge_timer_set_at_ns(&t.timer, sedge_now_ns() + 1000000000);
    CHECK(sedge_timer_armed(&t.timer));
    sedge_timer_cancel(&t.timer);
    CHECK(!sedge_timer_armed(&t.timer));
    sedge_timer_set_after_ms(&t.timer, 1);
    while (t.fired < 3)
        CHECK_EQ_INT(sedge_co_wait_woken(), SEDGE_OK);
    CHECK(!sedge_timer_armed(&t.timer));
    return 0;
}

TEST(timers_fire_and_sleeps_last)
{
    run_both(keep_time);
    CHECK(sedge_now_ns() > 0);
}

/* --- memory --- */

TEST(pool_is_bounded_and_counts)
{
    struct sedge_pool p;
    CHECK_EQ_INT(sedge_pool_init(&p, 0, 1, 0), SEDGE_ERR_INVALID);
    REQUIRE(CHECK_EQ_INT(sedge_pool_init(&p, 24, 2, 1), SEDGE_OK));
    char *a = sedge_pool_take(&p), *b = sedge_pool_take(&p);
    REQUIRE(a && b && a != b);
    memset(a, 1, 24);
    CHECK_EQ_PTR(sedge_pool_take(&p), NULL);
    sedge_pool_give(&p, a);
    struct sedge_pool_stats s = sedge_pool_stats(&p);
    CHECK_EQ_UINT(s.in_use, 1);
    CHECK_EQ_UINT(s.peak, 2);
    CHECK_EQ_UINT(s.refused, 1);
    sedge_pool_give_remote(&p, b);
    CHECK_EQ_UINT(sedge_pool_stats(&p).remote, 1);
    CHECK_EQ_UINT(sedge_pool_stats(&p).in_use, 0);
    sedge_pool_give(&p, NULL);
    sedge_pool_fini(&p);
}

TEST(arena_is_bounded_and_starts_over)
{
    struct sedge_arena a;
    sedge_arena_init(&a, 1008);
    const char *text = sedge_arena_text(&a, "grass", 3);
    REQUIRE(text != NULL);
    CHECK_EQ_STR(text, "gra");
    int *n = sedge_arena_array(&a, 10, sizeof(*n));
    REQUIRE(n != NULL);
    CHECK_EQ_INT(n[9], 0);
    CHECK_EQ_PTR(sedge_arena_array(&a, SIZE_MAX, 2), NULL);
    CHECK_EQ_PTR(sedge_arena_new(&a, 1000), NULL);
    CHECK(sedge_arena_used(&a) >= 4 + 10 * sizeof(*n));
    sedge_arena_reset(&a);
    CHECK_EQ_UINT(sedge_arena_used(&a), 0);
    CHECK(sedge_arena_new(&a, 1000) != NULL);
    sedge_arena_fini(&a);
}
