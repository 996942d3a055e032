/* What threads of the model wait for: mutexes, conditions, events and time. */
#include "tests/model/model_internal.h"
#include "tests/model/model_thread.h"
#include <errno.h>
#include <string.h>

/* --- mutexes and conditions: in the bytes of the system's --- */

struct mutex_state {
    struct thread *owner;
    struct view *view; /* of who gave it last */
};
_Static_assert(sizeof(struct mutex_state) <= sizeof(pthread_mutex_t), "fits");

enum { VIEWS_MAX = 32 };
static struct view mutex_views[VIEWS_MAX];
static unsigned mutex_views_used;
static struct view event_view; /* of all events: the kernel is one */

void blocking_begin(void)
{
    mutex_views_used = 0;
    memset(&event_view, 0, sizeof(event_view));
}

static struct mutex_state *state_of(pthread_mutex_t *m)
{
    return (struct mutex_state *)(void *)m;
}

int model_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    (void)attr;
    struct mutex_state *s = state_of(m);
    memset(m, 0, sizeof(pthread_mutex_t));
    if (mutex_views_used == VIEWS_MAX)
        fail_all("more than %d mutexes", VIEWS_MAX);
    s->view = &mutex_views[mutex_views_used++];
    memset(s->view, 0, sizeof(*s->view));
    return 0;
}

int model_mutex_destroy(pthread_mutex_t *m)
{
    if (state_of(m)->owner)
        fail_all("a mutex is destroyed while it is held");
    return 0;
}

static void mutex_have(pthread_mutex_t *m)
{
    struct mutex_state *s = state_of(m);
    while (s->owner)
        block(m, "pthread_mutex_lock", -1);
    s->owner = now.current;
    view_join(&now.current->view, s->view);
}

int model_mutex_lock(pthread_mutex_t *m)
{
    heap_touch(m, sizeof(pthread_mutex_t), "pthread_mutex_lock");
    step();
    now.current->looks = 0;
    mutex_have(m);
    trace("", "locks %p", (void *)m);
    return 0;
}

int model_mutex_trylock(pthread_mutex_t *m)
{
    heap_touch(m, sizeof(pthread_mutex_t), "pthread_mutex_trylock");
    step();
    if (state_of(m)->owner)
        return EBUSY;
    mutex_have(m);
    return 0;
}

static void mutex_give(pthread_mutex_t *m)
{
    struct mutex_state *s = state_of(m);
    struct thread *self = now.current;
    if (s->owner != self)
        fail_all("a mutex is given by who does not hold it");
    view_copy(s->view, &self->view);
    self->view.clock[thread_index(self)]++;
    s->owner = NULL;
    unblock_all(m);
}

int model_mutex_unlock(pthread_mutex_t *m)
{
    heap_touch(m, sizeof(pthread_mutex_t), "pthread_mutex_unlock");
    trace("", "unlocks %p", (void *)m);
    mutex_give(m);
    return 0;
}

int model_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    (void)attr;
    memset(c, 0, sizeof(pthread_cond_t));
    return 0;
}

int model_cond_destroy(pthread_cond_t *c)
{
    for (unsigned i = 0; i < now.started; i++)
        if (now.threads[i].state == THREAD_BLOCKED && now.threads[i].waits_for == c)
            fail_all("a condition is destroyed while a thread waits for it");
    return 0;
}

int model_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    mutex_give(m);
    block(c, "pthread_cond_wait", -1);
    mutex_have(m);
    return 0;
}

int model_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    (void)c, (void)m, (void)until;
    fail_all("pthread_cond_timedwait is not modelled");
    return EINVAL;
}

int model_cond_signal(pthread_cond_t *c)
{
    struct thread *waits[THREADS_MAX];
    unsigned n = 0;
    heap_touch(c, sizeof(pthread_cond_t), "pthread_cond_signal");
    for (unsigned i = 0; i < now.started; i++)
        if (now.threads[i].state == THREAD_BLOCKED && now.threads[i].waits_for == c)
            waits[n++] = &now.threads[i];
    if (n > 0)
        waits[choose(n, CHOICE_FREE)]->state = THREAD_READY;
    return 0;
}

int model_cond_broadcast(pthread_cond_t *c)
{
    heap_touch(c, sizeof(pthread_cond_t), "pthread_cond_broadcast");
    unblock_all(c);
    return 0;
}

/* --- events and time --- */

bool model_event_wait(struct model_event *e, int64_t timeout_ns)
{
    step();
    now.current->looks = 0;
    bool in_time = true;
    e->sleepers++;
    e->waits++;
    unblock_all(&e->sleepers);
    while (!e->set && in_time && timeout_ns != 0)
        in_time = block(e, "its driver's sleep", timeout_ns);
    e->sleepers--;
    bool was_set = e->set;
    e->set = false;
    view_join(&now.current->view, &event_view);
    trace("", was_set ? "is woken" : "wakes by time");
    return was_set;
}

void model_event_await_sleep(struct model_event *e)
{
    while (e->sleepers == 0)
        block(&e->sleepers, "a wait for a sleeper", -1);
}

void model_event_set(struct model_event *e)
{
    struct thread *self = now.current;
    step();
    self->looks = 0;
    trace("", "wakes a sleeper");
    view_join(&event_view, &self->view);
    self->view.clock[thread_index(self)]++;
    e->set = true;
    e->sets++;
    unblock_all(e);
}

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return now.now_ns;
}

static int64_t clock_wall(struct clock *c)
{
    (void)c;
    return now.now_ns / 1000000;
}

struct clock *model_clock(void)
{
    static struct clock clock = {clock_now, clock_wall};
    return &clock;
}
