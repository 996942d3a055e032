/* Locks for tasks in their polling form, between threads: nobody is forgotten, nothing is given
 * twice, and who was served may destroy the thing at once. The tasks behind the waiters have not
 * been spawned, so that waking them does nothing: the threads look for themselves. */
#include "async/sync.h"
#include "tests/model/model.h"
#include "tests/support/test.h"

struct stage {
    struct mutex *mutex;
    struct semaphore *semaphore;
    struct wait_group *group;
    unsigned inside; /* plain: the lock keeps it */
    unsigned rounds;
};

static enum poll never(struct task *t)
{
    (void)t;
    return POLL_PENDING;
}

/* A waiter in watched memory, since its queue holds on to it. */
static struct waiter *waiter_new(struct task *t)
{
    struct waiter *w = mem_zero(model_alloc(), sizeof(*w));
    task_init(t, "waits", never, NULL);
    waiter_init(w, t);
    return w;
}

static void waiter_end(struct waiter *w)
{
    mem_free(model_alloc(), w, sizeof(*w));
}

/* --- mutex --- */

static void critical(struct stage *g)
{
    HOLD(g->inside++ == 0);
    g->rounds++;
    model_yield();
    g->inside--;
}

static void lock_waiting(void *arg)
{
    struct stage *g = arg;
    struct task t;
    struct waiter *w = waiter_new(&t);
    while (mutex_poll(g->mutex, w) != POLL_READY)
        model_yield();
    critical(g);
    waiter_end(w);
    mutex_unlock(g->mutex);
}

static void lock_trying(void *arg)
{
    struct stage *g = arg;
    while (!mutex_try_lock(g->mutex))
        model_yield();
    critical(g);
    mutex_unlock(g->mutex);
}

/* Gives up if it has to wait: the lock must not be lost with it. */
static void lock_forgetting(void *arg)
{
    struct stage *g = arg;
    struct task t;
    struct waiter *w = waiter_new(&t);
    if (mutex_poll(g->mutex, w) == POLL_READY) {
        critical(g);
        mutex_unlock(g->mutex);
    } else {
        mutex_forget(g->mutex, w);
    }
    waiter_end(w);
}

static void with_mutex(struct stage *g, void (*a)(void *), void (*b)(void *))
{
    *g = (struct stage){.mutex = mem_zero(model_alloc(), sizeof(*g->mutex))};
    mutex_init(g->mutex, REACH_ANY);
    unsigned one = model_thread(a, g), two = model_thread(b, g);
    lock_waiting(g);
    model_join(one);
    model_join(two);
    HOLD(mutex_try_lock(g->mutex));
    mem_free(model_alloc(), g->mutex, sizeof(*g->mutex));
}

static void mutex_three(void *arg)
{
    struct stage g;
    (void)arg;
    with_mutex(&g, lock_waiting, lock_trying);
    HOLD(g.rounds == 3);
}

static void mutex_forgotten(void *arg)
{
    struct stage g;
    (void)arg;
    with_mutex(&g, lock_forgetting, lock_waiting);
    HOLD(g.rounds >= 2);
}

/* --- semaphore --- */

static void give_two(void *arg)
{
    struct stage *g = arg;
    semaphore_give(g->semaphore, 1);
    semaphore_give(g->semaphore, 1);
}

static void take_or_forget(void *arg)
{
    struct stage *g = arg;
    struct task t;
    struct waiter *w = waiter_new(&t);
    if (semaphore_poll(g->semaphore, w, 1) == POLL_PENDING)
        semaphore_forget(g->semaphore, w);
    else
        semaphore_give(g->semaphore, 1);
    waiter_end(w);
}

/* The one that waits for two gets them, whatever the other does in front of it or behind. */
static void semaphore_all(void *arg)
{
    struct stage g = {.semaphore = mem_zero(model_alloc(), sizeof(*g.semaphore))};
    struct task t;
    (void)arg;
    semaphore_init(g.semaphore, 0, REACH_ANY);
    unsigned giver = model_thread(give_two, &g), other = model_thread(take_or_forget, &g);
    struct waiter *w = waiter_new(&t);
    while (semaphore_poll(g.semaphore, w, 2) != POLL_READY)
        model_yield();
    waiter_end(w);
    model_join(giver);
    model_join(other);
    HOLD(g.semaphore->count == 0);
    mem_free(model_alloc(), g.semaphore, sizeof(*g.semaphore));
}

/* --- wait group: who waited destroys it while the last one is still in wait_group_done() --- */

static void done(void *arg)
{
    struct stage *g = arg;
    wait_group_done(g->group);
}

static void group_destroyed(void *arg)
{
    struct stage g = {.group = mem_zero(model_alloc(), sizeof(*g.group))};
    struct task t;
    (void)arg;
    wait_group_init(g.group, REACH_ANY);
    wait_group_add(g.group, 2);
    unsigned one = model_thread(done, &g), two = model_thread(done, &g);
    struct waiter *w = waiter_new(&t);
    while (wait_group_poll(g.group, w) != POLL_READY)
        model_yield();
    waiter_end(w);
    mem_free(model_alloc(), g.group, sizeof(*g.group));
    model_join(one);
    model_join(two);
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    unsigned preemptions, stale;
} rows[] = {
    {"mutex, three threads", mutex_three, 2, 1},
    {"mutex, one gives up", mutex_forgotten, 2, 1},
    {"semaphore, one gives up", semaphore_all, 2, 1},
    {"wait group, destroyed", group_destroyed, 2, 1},
};

TEST(sync_between_threads)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        model_check(&(struct model){.name = rows[i].name,
                                    .run = rows[i].run,
                                    .preemptions = rows[i].preemptions,
                                    .stale = rows[i].stale,
                                    .walks = 2000});
    }
}
