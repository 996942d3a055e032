/* The pitfalls that coroutines have, by number: docs/pitfalls.md. */
#include "async/co_fixture.h"
#include "async/coroutine_internal.h"
#include <errno.h>
#include <pthread.h>

/* 8. Locals of a leaf function lie below the stack pointer; they must survive switches. Values that
 * only registers and the red zone hold are summed up across yields, in many coroutines. */
static intptr_t busy_registers(void *arg)
{
    uint64_t a = (uint64_t)(uintptr_t)arg, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13;
    for (int i = 0; i < 100; i++) {
        a += b ^ (uint64_t)i, b += c, c += d, d += e, e += f, f += a;
        co_yield ();
    }
    return (intptr_t)(a ^ b ^ c ^ d ^ e ^ f);
}

static uint64_t without_yield(uint64_t a)
{
    uint64_t b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13;
    for (int i = 0; i < 100; i++)
        a += b ^ (uint64_t)i, b += c, c += d, d += e, e += f, f += a;
    return a ^ b ^ c ^ d ^ e ^ f;
}

static intptr_t registers(void *arg)
{
    struct co *c[20];
    (void)arg;
    for (uintptr_t i = 0; i < ARRAY_LEN(c); i++)
        REQUIRE(co_spawn(&c[i], worker_current(), busy_registers, (void *)i, "busy") == ERR_OK);
    for (uintptr_t i = 0; i < ARRAY_LEN(c); i++) {
        intptr_t result;
        CHECK_EQ_INT(co_join(c[i], &result), ERR_OK);
        CHECK_EQ_UINT((uint64_t)result, without_yield(i));
    }
    return 0;
}

TEST(pitfall_08_a_switch_keeps_registers_and_red_zone)
{
    co_fixture_run(1, registers, NULL);
}

static intptr_t own_errno(void *arg)
{
    int mine = (int)(intptr_t)arg;
    CHECK_EQ_INT(errno, 0);
    errno = mine;
    for (int i = 0; i < 10; i++) {
        co_yield ();
        CHECK_EQ_INT(errno, mine);
        errno = ++mine;
    }
    CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
    CHECK_EQ_INT(errno, mine);
    return 0;
}

static intptr_t errnos(void *arg)
{
    struct co *c[3];
    (void)arg;
    errno = 5;
    for (uintptr_t i = 0; i < ARRAY_LEN(c); i++)
        REQUIRE(co_spawn(&c[i], worker_current(), own_errno, (void *)(100 * i), "e") == ERR_OK);
    for (uintptr_t i = 0; i < ARRAY_LEN(c); i++)
        CHECK_EQ_INT(co_join(c[i], NULL), ERR_OK);
    CHECK_EQ_INT(errno, 5);
    return 0;
}

TEST(pitfall_09_each_coroutine_has_its_errno)
{
    co_fixture_run(1, errnos, NULL);
}

struct published {
    struct co *co;
    void *stack; /* an address on its stack */
    int looked;
};

static void look_at_published(void *arg)
{
    struct published *p = arg;
    struct co_sched *s = co_sched_of(worker_current());
    char here;
    CHECK_EQ_INT(p->co->phase, CO_PARKED);
    /* Its stack pointer is saved, below what it had in use; and we run elsewhere. */
    CHECK((char *)p->co->sp < (char *)p->stack);
    CHECK((char *)p->co->sp > (char *)stack_lowest(&s->stacks, p->co->top));
    CHECK((uintptr_t)&here - (uintptr_t)stack_lowest(&s->stacks, p->co->top) >= STACK_SLOT);
    p->looked++;
    co_ready(p->co);
}

static intptr_t park_published(void *arg)
{
    struct published *p = arg;
    char here;
    p->co = co_current();
    p->stack = __builtin_frame_address(0);
    (void)here;
    for (int i = 0; i < 3; i++)
        co_park(p->co, look_at_published, p);
    return 0;
}

static intptr_t publish(void *arg)
{
    struct co *c;
    REQUIRE(co_spawn(&c, worker_current(), park_published, arg, "published") == ERR_OK);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK); /* the pump is next, then it is us */
    co_yield ();
    return 0;
}

TEST(pitfall_10_published_only_after_its_registers_are_saved)
{
    struct published p = {0};
    co_fixture_run(1, publish, &p);
    CHECK_EQ_INT(p.looked, 3);
}

static intptr_t use_stack(void *arg)
{
    volatile char deep[8000];
    (void)arg;
    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = (char)i;
    if (arg)
        co_yield ();
    for (size_t i = 0; i < sizeof(deep); i++)
        CHECK(deep[i] == (char)i);
    return 0;
}

/* 11. A stack that is given back while its coroutine still runs on it would be taken by the next.
 */
static intptr_t churn(void *arg)
{
    struct co_sched *s = co_sched_of(worker_current());
    (void)arg;
    for (int round = 0; round < 50; round++) {
        struct co *c[20];
        for (uintptr_t i = 0; i < ARRAY_LEN(c); i++)
            REQUIRE(co_spawn(&c[i], worker_current(), use_stack, (void *)(i % 3), "deep") ==
                    ERR_OK);
        for (uintptr_t i = 0; i < ARRAY_LEN(c); i++)
            CHECK_EQ_INT(co_join(c[i], NULL), ERR_OK);
        co_yield ();
        CHECK_EQ_UINT(s->stacks.in_use, s->spare ? 2 : 1);
        CHECK_EQ_UINT(s->pool.in_use, 1);
    }
    CHECK(s->stacks.slots_made <= 21); /* recycled */
    return 0;
}

TEST(pitfall_11_a_stack_is_given_back_from_another_stack)
{
    co_fixture_run(1, churn, NULL);
}

/* 1 and 2. Through a coroutine's waker from another thread: no wake is lost, none is doubled. */
enum { WAKES = 20000 };
struct bell {
    struct waker waker;
    _Atomic int rung;
    _Atomic bool ready;
};

static void *ring_bell(void *arg)
{
    struct bell *b = arg;
    while (!atomic_load(&b->ready))
        ;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add_explicit(&b->rung, 1, memory_order_relaxed);
        waker_wake(b->waker);
    }
    return NULL;
}

static intptr_t hear_bell(void *arg)
{
    struct bell *b = arg;
    int rounds = 0;
    b->waker = co_waker(co_current());
    atomic_store(&b->ready, true);
    while (atomic_load_explicit(&b->rung, memory_order_relaxed) < WAKES) {
        CHECK_EQ_INT(co_wait_woken(), ERR_OK);
        rounds++;
    }
    CHECK(rounds <= WAKES);
    return 0;
}

TEST(pitfall_01_no_wake_is_lost)
{
    struct bell b = {0};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, ring_bell, &b) == 0);
    co_fixture_run(1, hear_bell, &b);
    pthread_join(thread, NULL);
}

static intptr_t wake_twice(void *arg)
{
    struct co *self = co_current();
    uint64_t polls = worker_polls(worker_current());
    (void)arg;
    task_wake(&self->task); /* while it runs, twice */
    task_wake(&self->task);
    CHECK_EQ_INT(co_wait_woken(), ERR_OK);
    /* Its task was polled once, it was resumed once, the pump once. */
    CHECK_EQ_UINT(worker_polls(worker_current()) - polls, 3);
    CHECK(!self->woken);
    return 0;
}

TEST(pitfall_02_a_coroutine_woken_twice_runs_once)
{
    co_fixture_run(1, wake_twice, NULL);
}

/* 1. Woken after the look at what it waits for, before the wait: it does not wait. */
static intptr_t wake_before_wait(void *arg)
{
    struct co *self = co_current();
    bool *came = arg;
    waker_wake(co_waker(self));
    CHECK_EQ_INT(co_sleep_ms(1), ERR_OK); /* the wake comes while it waits for something else */
    CHECK_EQ_INT(co_wait_woken(), ERR_OK);
    *came = true;
    CHECK_EQ_INT(co_wait_woken(), ERR_CANCELED); /* it was used up */
    return 0;
}

static intptr_t wake_early(void *arg)
{
    struct co *c;
    int rounds = 0;
    REQUIRE(co_spawn(&c, worker_current(), wake_before_wait, arg, "early") == ERR_OK);
    while (c->phase != CO_PARKED || !*(bool *)arg) {
        if (rounds++ == 1000)
            break; /* it waits for the wake that it has had */
        CHECK_EQ_INT(co_sleep_ms(1), ERR_OK);
    }
    co_cancel(c);
    CHECK_EQ_INT(co_join(c, NULL), ERR_OK);
    return 0;
}

TEST(pitfall_01_a_wake_before_the_wait_is_kept)
{
    bool came = false;
    co_fixture_run(1, wake_early, &came);
    CHECK(came);
}
