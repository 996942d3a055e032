#include <sedge/co.h>

#include "async/coroutine.h"
#include "async/scope.h"
#include "lib/facade.h"

LIB_STORAGE(sedge_scope, scope)

/* A public coroutine is a house's, seen through a type that nobody defines. */
static inline struct co *co_of(const struct sedge_co *c)
{
    return (struct co *)(uintptr_t)c;
}
static inline struct sedge_co *co_public(struct co *c)
{
    return (struct sedge_co *)c;
}

enum sedge_err sedge_co_spawn(struct sedge_co **out, intptr_t (*fn)(void *arg), void *arg,
                              const char *name)
{
    struct worker *w = worker_current();
    struct co *c = NULL;
    if (!w)
        return SEDGE_ERR_INVALID;
    enum err r = co_spawn(out ? &c : NULL, w, fn, arg, name);
    if (out)
        *out = co_public(c);
    return err_public(r);
}

enum sedge_err sedge_co_spawn_on(struct sedge_rt *rt, unsigned worker, intptr_t (*fn)(void *arg),
                                 void *arg, const char *name)
{
    if (worker >= executor_workers(rt->ex))
        return SEDGE_ERR_RANGE;
    return err_public(co_spawn_at(executor_worker(rt->ex, worker), fn, arg, name));
}

enum sedge_err sedge_co_spawn_free(struct sedge_co **out, intptr_t (*fn)(void *arg), void *arg,
                                   const char *name)
{
    struct co *c = NULL;
    if (!worker_current())
        return SEDGE_ERR_INVALID;
    enum err r = co_spawn_free(out ? &c : NULL, fn, arg, name);
    if (out)
        *out = co_public(c);
    return err_public(r);
}

enum sedge_err sedge_co_join(struct sedge_co *co, intptr_t *result)
{
    return err_public(co_join(co_of(co), result));
}

void sedge_co_detach(struct sedge_co *co)
{
    co_detach(co_of(co));
}

void sedge_co_cancel(struct sedge_co *co)
{
    co_cancel(co_of(co));
}

struct sedge_co *sedge_co_current(void)
{
    return co_public(co_current());
}

const char *sedge_co_name(const struct sedge_co *co)
{
    return co_name(co_of(co));
}

bool sedge_co_canceled(void)
{
    return co_canceled();
}

void sedge_co_shield_begin(void)
{
    co_shield_begin();
}

void sedge_co_shield_end(void)
{
    co_shield_end();
}

void sedge_co_yield(void)
{
    co_yield ();
}

struct sedge_waker sedge_co_waker(struct sedge_co *co)
{
    return (struct sedge_waker){co_waker(co_of(co)).task};
}

void sedge_waker_wake(struct sedge_waker waker)
{
    waker_wake((struct waker){waker.private_});
}

enum sedge_err sedge_co_wait_woken(void)
{
    return err_public(co_wait_woken());
}

void sedge_scope_begin(struct sedge_scope *scope)
{
    scope_begin(scope_of(scope));
}

void sedge_scope_deadline_ms(struct sedge_scope *scope, int64_t ms)
{
    scope_deadline_ms(scope_of(scope), ms);
}

enum sedge_err sedge_scope_spawn(struct sedge_scope *scope, intptr_t (*fn)(void *arg), void *arg,
                                 const char *name)
{
    return err_public(scope_spawn(scope_of(scope), fn, arg, name));
}

enum sedge_err sedge_scope_spawn_free(struct sedge_scope *scope, intptr_t (*fn)(void *arg),
                                      void *arg, const char *name)
{
    return err_public(scope_spawn_free(scope_of(scope), fn, arg, name));
}

void sedge_scope_cancel(struct sedge_scope *scope)
{
    scope_cancel(scope_of(scope));
}

enum sedge_err sedge_scope_end(struct sedge_scope *scope)
{
    return err_public(scope_end(scope_of(scope)));
}
