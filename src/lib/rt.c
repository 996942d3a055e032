#include <sedge/rt.h>

#include "async/coroutine.h"
#include "lib/facade.h"
#include <limits.h>
#include <sched.h>
#include <stdio.h>

enum { WORKERS_MAX = 64, COROUTINES = 65536, BLOCKING_THREADS = 4, BLOCKING_CALLS = 1024 };

const char *sedge_rt_version(void)
{
    return SEDGE_RT_VERSION;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static struct executor_config house_config(struct sedge_rt *rt, const struct sedge_rt_config *cfg)
{
    return (struct executor_config){
        .env = &rt->env,
        .alloc = rt->alloc,
        .workers = cfg->workers ? cfg->workers : processors(),
        .driver = cfg->driver,
        .offload_threads = cfg->blocking_threads ? cfg->blocking_threads : BLOCKING_THREADS,
        .stuck_ms = cfg->stuck_ms,
    };
}

static enum err rt_init(struct sedge_rt *rt, const struct sedge_rt_config *cfg, struct error *e)
{
    struct executor_config house = house_config(rt, cfg);
    size_t coroutines = cfg->coroutines_max ? cfg->coroutines_max : COROUTINES;
    size_t calls = cfg->blocking_max ? cfg->blocking_max : BLOCKING_CALLS;
    for (size_t i = 0; i < ARRAY_LEN(cfg->reserved); i++)
        if (cfg->reserved[i])
            return error_set(e, ERR_INVALID, "what is reserved in a configuration must be NULL");
    rt->env = *env_linux();
    if (cfg->seed)
        rt->env.seed = cfg->seed;
    enum err r = executor_new(&rt->ex, &house, e);
    if (r)
        return r;
    for (unsigned i = 0; i < house.workers; i++)
        if ((r = co_enable(executor_worker(rt->ex, i), coroutines)))
            return error_set(e, r, "no room for %zu coroutines on a worker", coroutines);
    r = offload_queue_new(&rt->blocking, rt->ex, house.offload_threads, calls);
    return r ? error_set(e, r, "no memory for blocking calls") : ERR_OK;
}

enum err rt_new(struct sedge_rt **out, struct alloc *a, const struct sedge_rt_config *cfg,
                struct error *e)
{
    struct sedge_rt *rt = mem_zero(a, sizeof(*rt));
    *out = NULL;
    if (!rt) {
        (void)error_set(e, ERR_NOMEM, "no memory for a runtime");
        return ERR_NOMEM;
    }
    rt->alloc = a;
    enum err r = rt_init(rt, cfg, e);
    if (r)
        sedge_rt_free(rt);
    else
        *out = rt;
    return r;
}

enum sedge_err sedge_rt_new(struct sedge_rt **out, const struct sedge_rt_config *config,
                            struct sedge_error *error)
{
    static const struct sedge_rt_config all_zero;
    struct error e = {0};
    enum err r = rt_new(out, alloc_system(), config ? config : &all_zero, &e);
    if (r)
        error_public(error, &e);
    return err_public(r);
}

void sedge_rt_free(struct sedge_rt *rt)
{
    if (!rt)
        return;
    if (rt->blocking)
        offload_drain(rt->blocking);
    offload_queue_free(rt->blocking);
    executor_free(rt->ex);
    mem_free(rt->alloc, rt, sizeof(*rt));
}

enum sedge_err sedge_rt_run(struct sedge_rt *rt, intptr_t (*fn)(void *arg), void *arg,
                            intptr_t *result)
{
    return err_public(co_run(rt->ex, fn, arg, "main", result));
}

void sedge_rt_stop(struct sedge_rt *rt)
{
    executor_stop(rt->ex);
}

int sedge_main(const struct sedge_rt_config *config, intptr_t (*fn)(void *arg), void *arg)
{
    struct sedge_rt *rt;
    struct sedge_error e = {0};
    intptr_t result = 1;
    enum sedge_err r = sedge_rt_new(&rt, config, &e);
    if (r) {
        fprintf(stderr, "sedge: %s\n", e.text);
        return 1;
    }
    r = sedge_rt_run(rt, fn, arg, &result);
    if (r)
        fprintf(stderr, "sedge: the main coroutine: %s\n", sedge_err_name(r));
    sedge_rt_free(rt);
    return (int)result;
}

unsigned sedge_rt_workers(const struct sedge_rt *rt)
{
    return executor_workers(rt->ex);
}

const char *sedge_rt_driver(const struct sedge_rt *rt)
{
    return executor_driver(rt->ex);
}

struct sedge_rt *sedge_rt_current(void)
{
    struct worker *w = worker_current();
    return w ? rt_of(w) : NULL;
}

unsigned sedge_rt_worker(void)
{
    struct worker *w = worker_current();
    return w ? worker_index(w) : UINT_MAX;
}

/* --- blocking calls --- */

struct blocking_call {
    struct offload_job job;
    struct co *co;
    void (*fn)(void *arg);
    void *arg;
    bool done;
};

static void blocking_run(struct offload_job *j)
{
    struct blocking_call *b = CONTAINER_OF(j, struct blocking_call, job);
    b->fn(b->arg);
}

static void blocking_done(struct offload_job *j)
{
    struct blocking_call *b = CONTAINER_OF(j, struct blocking_call, job);
    b->done = true;
    waker_wake(co_waker(b->co));
}

enum sedge_err sedge_blocking(void (*fn)(void *arg), void *arg)
{
    struct worker *w = worker_current();
    struct co *co = co_current();
    if (!co)
        return SEDGE_ERR_INVALID;
    struct blocking_call b = {.co = co, .fn = fn, .arg = arg};
    b.job = (struct offload_job){.run = blocking_run, .done = blocking_done};
    enum err r = offload_submit(rt_of(w)->blocking, w, &b.job);
    if (r)
        return err_public(r);
    co_shield_begin(); /* the thread works on our stack */
    while (!b.done) {
        r = co_wait_woken();
        ASSERT(r == ERR_OK);
    }
    co_shield_end();
    return SEDGE_OK;
}
