#include "async/executor.h"
#include "async/grace.h"
#include "async/offload_internal.h"
#include "async/watchdog.h"
#include "async/worker_internal.h"
#include "base/log.h"
#include "base/pool_list.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Threads of workers 1 … stay from the first run to executor_free(), because some drivers want
 * all their calls from one thread. In between they wait for an order. */
enum order { ORDER_NONE, ORDER_RUN, ORDER_END };

struct worker_thread {
    struct worker worker;
    struct executor *executor;
    pthread_t thread;
    bool started;
    enum order order;
};

struct executor {
    struct alloc *alloc;
    struct env *env;
    struct offload_pool *offload;
    struct share share;
    struct watchdog *watchdog;
    struct pool_list pools;
    _Atomic uint64_t grace_period;
    unsigned workers;
    bool running;
    _Atomic bool stopping;
    pthread_mutex_t lock; /* the orders */
    pthread_cond_t ordered, obeyed;
    struct worker_thread threads[];
};

static enum err open_driver(struct executor *ex, const char *driver, struct worker *w,
                            struct error *e)
{
    if (ex->env->driver)
        return ex->env->driver->open(&w->io, w, ex->alloc, e);
    if (!driver || strcmp(driver, io_uring_driver.name) == 0) {
        struct error why = {0};
        enum err r = io_uring_driver.open(&w->io, w, ex->alloc, &why);
        if (!r)
            return ERR_OK;
        if (driver) {
            if (e)
                *e = why;
            return r;
        }
        if (w->index == 0)
            LOG_I("async", "io_uring does not work here, epoll does it: %s", why.text);
    } else if (strcmp(driver, io_epoll_driver.name) != 0) {
        return error_set(e, ERR_INVALID, "there is no I/O driver '%s'", driver);
    }
    return io_epoll_driver.open(&w->io, w, ex->alloc, e);
}

enum err executor_new(struct executor **out, const struct executor_config *cfg, struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    struct env *env = cfg->env ? cfg->env : env_linux();
    unsigned workers = env->events ? 1 : cfg->workers;
    enum err r;
    *out = NULL;
    if (cfg->workers < 1 || cfg->workers > EXECUTOR_WORKERS_MAX)
        return error_set(e, ERR_RANGE, "workers must be 1 … %d", EXECUTOR_WORKERS_MAX);
    struct executor *ex = mem_zero(a, sizeof(*ex) + workers * sizeof(struct worker_thread));
    if (!ex)
        return error_set(e, ERR_NOMEM, "no memory for %u workers", workers);
    ex->alloc = a;
    ex->env = env;
    ex->workers = workers;
    atomic_init(&ex->stopping, false);
    atomic_init(&ex->grace_period, 0);
    pool_list_init(&ex->pools);
    pthread_mutex_init(&ex->lock, NULL);
    pthread_cond_init(&ex->ordered, NULL);
    pthread_cond_init(&ex->obeyed, NULL);
    share_init(&ex->share, ex, ex->workers);
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write, not our end */
    for (unsigned i = 0; i < ex->workers; i++) {
        struct worker *w = &ex->threads[i].worker;
        ex->threads[i].executor = ex;
        w->alloc = a;
        w->clock = ex->env->clock;
        worker_init(w, ex, i);
        if ((r = share_worker_init(w, &ex->share, a))) {
            (void)error_set(e, r, "no memory for worker %u", i);
            goto fail;
        }
        if ((r = open_driver(ex, cfg->driver, w, e)))
            goto fail;
    }
    if ((r = offload_pool_new(&ex->offload, ex, a, cfg->offload_threads, e)))
        goto fail;
    if (cfg->stuck_ms > 0 && !ex->env->events && (r = watchdog_new(&ex->watchdog, ex, cfg, e)))
        goto fail;
    *out = ex;
    return ERR_OK;
fail:
    executor_free(ex);
    return r;
}

static void obey(struct worker_thread *t, enum order done)
{
    struct executor *ex = t->executor;
    pthread_mutex_lock(&ex->lock);
    ASSERT(t->order == done);
    t->order = ORDER_NONE;
    pthread_cond_broadcast(&ex->obeyed);
    pthread_mutex_unlock(&ex->lock);
}

static enum order await_order(struct worker_thread *t)
{
    struct executor *ex = t->executor;
    pthread_mutex_lock(&ex->lock);
    while (t->order == ORDER_NONE)
        pthread_cond_wait(&ex->ordered, &ex->lock);
    enum order order = t->order;
    pthread_mutex_unlock(&ex->lock);
    return order;
}

static void *thread_main(void *arg)
{
    struct worker_thread *t = arg;
    while (await_order(t) == ORDER_RUN) {
        worker_run(&t->worker);
        obey(t, ORDER_RUN);
    }
    t->worker.io->ops->close(t->worker.io);
    t->worker.io = NULL;
    return NULL;
}

enum err thread_start(pthread_t *out, void *(*main)(void *), void *arg)
{
    /* Signals are for the thread that called executor_run(). But a fault is the faulting thread's:
     * where it is blocked, the kernel ends the process without asking the handler. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int rc = pthread_create(out, NULL, main, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? ERR_IO : ERR_OK;
}

static void give_order(struct executor *ex, enum order order)
{
    pthread_mutex_lock(&ex->lock);
    for (unsigned i = 1; i < ex->workers; i++)
        if (ex->threads[i].started)
            ex->threads[i].order = order;
    pthread_cond_broadcast(&ex->ordered);
    pthread_mutex_unlock(&ex->lock);
}

static void start_threads(struct executor *ex)
{
    for (unsigned i = 1; i < ex->workers; i++) {
        struct worker_thread *t = &ex->threads[i];
        if (t->started)
            continue;
        /* A site that asked for workers and lacks them would lose what is spawned there. */
        enum err r = thread_start(&t->thread, thread_main, t);
        ASSERT(r == ERR_OK);
        t->started = true;
    }
}

void executor_run(struct executor *ex)
{
    ex->running = true;
    start_threads(ex);
    give_order(ex, ORDER_RUN);
    worker_run(&ex->threads[0].worker);
    pthread_mutex_lock(&ex->lock);
    for (unsigned i = 1; i < ex->workers; i++)
        while (ex->threads[i].order != ORDER_NONE)
            pthread_cond_wait(&ex->obeyed, &ex->lock);
    pthread_mutex_unlock(&ex->lock);
    if (ex->workers > 1)
        worker_run(&ex->threads[0].worker); /* what the others left here as they wound up */
    ex->running = false;
    atomic_store(&ex->stopping, false);
}

int64_t executor_turn(struct executor *ex)
{
    ASSERT(ex->workers == 1 && !ex->running);
    if (!executor_stopping(ex))
        return worker_turn(&ex->threads[0].worker);
    executor_run(ex);
    return -1;
}

void executor_stop(struct executor *ex)
{
    atomic_store(&ex->stopping, true);
    for (unsigned i = 0; i < ex->workers; i++) {
        struct io_driver *io = ex->threads[i].worker.io;
        io->ops->wake(io);
    }
}

void executor_free(struct executor *ex)
{
    if (!ex)
        return;
    ASSERT(!ex->running);
    watchdog_free(ex->watchdog);
    offload_pool_end(ex->offload);
    for (unsigned i = 0; i < ex->workers; i++) /* who ends only then frees its queue */
        worker_take_jobs(&ex->threads[i].worker);
    offload_pool_free(ex->offload);
    give_order(ex, ORDER_END);
    for (unsigned i = 0; i < ex->workers; i++) {
        struct worker_thread *t = &ex->threads[i];
        if (t->started)
            pthread_join(t->thread, NULL);
        if (t->worker.io)
            t->worker.io->ops->close(t->worker.io);
    }
    for (unsigned i = 0; i < ex->workers; i++) {
        struct worker_thread *t = &ex->threads[i];
        for (unsigned slot = 0; slot < WORKER_LOCAL_SLOTS; slot++)
            if (t->worker.locals[slot])
                t->worker.locals[slot]->free(t->worker.locals[slot]);
        share_worker_fini(&t->worker);
    }
    grace_idle(ex);
    share_fini(&ex->share);
    pool_list_fini(&ex->pools);
    pthread_cond_destroy(&ex->obeyed);
    pthread_cond_destroy(&ex->ordered);
    pthread_mutex_destroy(&ex->lock);
    mem_free(ex->alloc, ex, sizeof(*ex) + ex->workers * sizeof(struct worker_thread));
}

struct worker *executor_worker(struct executor *ex, unsigned i)
{
    ASSERT(i < ex->workers);
    return &ex->threads[i].worker;
}

unsigned executor_workers(const struct executor *ex)
{
    return ex->workers;
}

const char *executor_driver(const struct executor *ex)
{
    return ex->threads[0].worker.io->ops->name;
}

struct env *executor_env(struct executor *ex)
{
    return ex->env;
}

struct share *executor_share(struct executor *ex)
{
    return &ex->share;
}

_Atomic uint64_t *executor_grace_period(struct executor *ex)
{
    return &ex->grace_period;
}

struct watchdog *executor_watchdog(const struct executor *ex)
{
    return ex->watchdog;
}

struct pool_list *executor_pools(struct executor *ex)
{
    return &ex->pools;
}

struct offload_pool *executor_offload(struct executor *ex)
{
    return ex->offload;
}

bool executor_stopping(const struct executor *ex)
{
    return atomic_load(&ex->stopping);
}

bool executor_has_jobs(const struct executor *ex)
{
    return offload_pool_busy(ex->offload);
}

bool executor_is_running(const struct executor *ex)
{
    return ex->running;
}
