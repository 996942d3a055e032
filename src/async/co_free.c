/* Free coroutines: they begin on the worker that has time first, and stay there. Why they do not
 * move later: what a coroutine has on its stack may be its worker's (a lane, the address of errno,
 * a thread's variable that the compiler keeps in a register). docs/decisions/0009. How one is
 * joined from anywhere: `joiner` says who is to be told, and who changes it first has spoken. The
 * end is in two steps, since a joiner that sees JOIN_DONE may give the struct back and be gone
 * itself: the waker must be through with both before. */
#include "async/coroutine_internal.h"
#include <sched.h>

enum { SPINS = 100 };

/* What `joiner` may be besides a waiting task. */
static char words[3];
#define JOIN_NOBODY ((void *)&words[0]) /* it is detached */
#define JOIN_ENDING ((void *)&words[1])
#define JOIN_DONE   ((void *)&words[2])

static inline struct co_free *free_of(struct co *c)
{
    return CONTAINER_OF(c, struct co_free, co);
}

void co_free_release(struct co *c)
{
    struct co_sched *home = free_of(c)->home;
    if (home->worker == worker_current())
        pool_give(&home->free_pool, free_of(c));
    else
        pool_give_remote(&home->free_pool, free_of(c));
}

enum err co_free_new(struct co **out, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    struct worker *w = worker_current();
    ASSERT(w);
    if (w->share.share->co_workers < w->share.share->workers)
        return ERR_INVALID;
    struct co_sched *s = co_sched_of(w);
    struct co_free *f = pool_take(&s->free_pool);
    if (!f) /* not what is in use: others may have given some back just now */
        return pool_stats(&s->free_pool).blocks_made == s->free_pool.blocks_max ? ERR_FULL
                                                                                : ERR_NOMEM;
    co_prepare(&f->co, fn, arg, name);
    f->home = s;
    atomic_init(&f->joiner, JOIN_NOBODY);
    *out = &f->co;
    return ERR_OK;
}

void co_free_start(struct co *c)
{
    struct co_sched *s = free_of(c)->home;
    task_mark_free(s->worker->executor, &c->task);
    share_push_spawned(s->worker, &c->task);
    s->spawned = true;
    if (!s->active)
        co_kick(s);
}

enum err co_spawn_free(struct co **out, intptr_t (*fn)(void *arg), void *arg, const char *name)
{
    struct co *c;
    enum err r = co_free_new(&c, fn, arg, name);
    if (r)
        return r;
    if (out) {
        *out = c;
        atomic_init(&free_of(c)->joiner, NULL);
    }
    co_free_start(c);
    return ERR_OK;
}

struct co *co_free_take(struct co_sched *s, bool oldest)
{
    struct task *t = share_take_spawned(s->worker, oldest);
    if (!t) {
        s->spawned = s->worker->share.spawned_rest != NULL;
        return NULL;
    }
    task_settle(s->worker, t);
    task_runs(t);
    struct co *c = CONTAINER_OF(t, struct co, task);
    c->fresh = true;
    return c;
}

bool co_free_parks(struct co *c, void (*after)(void *arg), void *arg)
{
    c->fresh = false;
    if (task_waits(&c->task))
        return true;
    c->woken = true;
    if (after)
        after(arg);
    if (c->scopes)
        scope_opener_woken(c);
    return false;
}

void co_free_ended(struct co *c)
{
    struct co_free *f = free_of(c);
    void *joiner = atomic_exchange_explicit(&f->joiner, JOIN_ENDING, memory_order_acq_rel);
    if (joiner == JOIN_NOBODY) {
        co_free_release(c);
        return;
    }
    if (joiner)
        co_wake_any(joiner);
    atomic_store_explicit(&f->joiner, JOIN_DONE, memory_order_release); /* the last touch */
}

/* Its end is near: not long enough to park. */
static void await_done(struct co_free *f)
{
    for (int i = 0; atomic_load_explicit(&f->joiner, memory_order_acquire) != JOIN_DONE; i++) {
        if (i >= SPINS)
            sched_yield();
        else
            cpu_relax();
    }
}

/* Until it has ended. ERR_CANCELED: we are, and it is ours as before. */
static enum err await_end(struct co_free *f, struct co *self)
{
    void *seen = NULL;
    if (atomic_load_explicit(&f->joiner, memory_order_acquire) == JOIN_DONE)
        return ERR_OK;
    if (!atomic_compare_exchange_strong(&f->joiner, &seen, &self->task)) {
        ASSERT(seen == JOIN_DONE || seen == JOIN_ENDING); /* one joiner, and not detached */
        await_done(f);
        return ERR_OK;
    }
    for (;;) {
        seen = atomic_load_explicit(&f->joiner, memory_order_acquire);
        if (seen == JOIN_DONE || seen == JOIN_ENDING) {
            await_done(f);
            return ERR_OK;
        }
        seen = &self->task;
        if (co_is_canceled(self) && atomic_compare_exchange_strong(&f->joiner, &seen, NULL))
            return ERR_CANCELED;
        if (seen == &self->task)
            co_park(self, NULL, NULL);
    }
}

enum err co_free_join(struct co *c, struct co *self, intptr_t *result)
{
    enum err r = await_end(free_of(c), self);
    if (r)
        return r;
    r = co_result(c, result);
    co_free_release(c);
    return r;
}

void co_free_detach(struct co *c)
{
    struct co_free *f = free_of(c);
    void *seen = NULL;
    if (atomic_compare_exchange_strong(&f->joiner, &seen, JOIN_NOBODY))
        return;
    ASSERT(seen == JOIN_DONE || seen == JOIN_ENDING);
    await_done(f);
    co_free_release(c);
}
