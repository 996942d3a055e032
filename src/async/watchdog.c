#include "async/watchdog.h"
#include "async/offload_internal.h"
#include "async/worker_internal.h"
#include "base/log.h"
#include <time.h>

struct seen {
    uint64_t polls;
    int64_t since_ns; /* the count has stood there */
    bool reported;
};

struct watchdog {
    struct alloc *alloc;
    struct executor *executor;
    int64_t stuck_ns;
    void (*stuck)(void *ctx, const struct stuck *s);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool dozing; /* all workers sleep */
    bool ending;
    struct seen seen[];
};

static void report(struct watchdog *d, const struct stuck *s)
{
    if (d->stuck)
        d->stuck(d->ctx, s);
    else if (s->ended)
        LOG_W("async", "worker %u goes on: '%s' took %.1f s", s->worker, s->name,
              (double)s->ns / 1e9);
    else
        LOG_W("async", "worker %u has been in '%s' for %.1f s, and all that it serves waits",
              s->worker, s->name, (double)s->ns / 1e9);
}

static void look(struct watchdog *d, unsigned i, int64_t now_ns)
{
    struct worker *w = executor_worker(d->executor, i);
    struct seen *seen = &d->seen[i];
    /* In this order: if the count has not moved since the last look, the name is of that poll. */
    const char *name = atomic_load_explicit(&w->polling, memory_order_acquire);
    uint64_t polls = worker_polls(w);
    struct stuck s = {
        .worker = i, .name = seen->reported ? "it" : name, .ns = now_ns - seen->since_ns};
    if (polls != seen->polls || !name) {
        if (seen->reported) {
            s.ended = true;
            report(d, &s);
        }
        *seen = (struct seen){polls, now_ns, false};
    } else if (s.ns >= d->stuck_ns && !seen->reported) {
        seen->reported = true;
        report(d, &s);
    }
}

static bool all_sleep(struct watchdog *d)
{
    for (unsigned i = 0; i < executor_workers(d->executor); i++)
        if (!atomic_load(&executor_worker(d->executor, i)->sleeping))
            return false;
    return true;
}

/* With the lock. */
static void wait_for_next_look(struct watchdog *d)
{
    struct timespec at;
    atomic_store(&d->dozing, true);
    if (all_sleep(d))
        while (atomic_load(&d->dozing) && !d->ending)
            pthread_cond_wait(&d->changed, &d->lock);
    atomic_store(&d->dozing, false);
    if (d->ending)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + d->stuck_ns / 2;
    at.tv_sec += (time_t)(ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    while (!d->ending && pthread_cond_timedwait(&d->changed, &d->lock, &at) == 0)
        continue;
}

static void *watch(void *arg)
{
    struct watchdog *d = arg;
    struct clock *clock = executor_env(d->executor)->clock;
    pthread_mutex_lock(&d->lock);
    while (!d->ending) {
        wait_for_next_look(d);
        pthread_mutex_unlock(&d->lock);
        int64_t now_ns = clock_mono_ns(clock);
        for (unsigned i = 0; i < executor_workers(d->executor); i++)
            look(d, i, now_ns);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

void watchdog_worker_awake(struct watchdog *d)
{
    if (!d || !atomic_load(&d->dozing))
        return;
    pthread_mutex_lock(&d->lock);
    atomic_store(&d->dozing, false);
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static size_t watchdog_size(const struct executor *ex)
{
    return sizeof(struct watchdog) + executor_workers(ex) * sizeof(struct seen);
}

enum err watchdog_new(struct watchdog **out, struct executor *ex, const struct executor_config *cfg,
                      struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    pthread_condattr_t monotonic;
    *out = NULL;
    struct watchdog *d = mem_zero(a, watchdog_size(ex));
    if (!d)
        return error_set(e, ERR_NOMEM, "no memory for the watchdog");
    d->alloc = a;
    d->executor = ex;
    d->stuck_ns = cfg->stuck_ms * 1000000;
    d->stuck = cfg->stuck;
    d->ctx = cfg->stuck_ctx;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (thread_start(&d->thread, watch, d) != ERR_OK) {
        pthread_cond_destroy(&d->changed);
        pthread_mutex_destroy(&d->lock);
        mem_free(a, d, watchdog_size(ex));
        return error_set(e, ERR_IO, "the watchdog's thread can't be started");
    }
    *out = d;
    return ERR_OK;
}

void watchdog_free(struct watchdog *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->ending = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    mem_free(d->alloc, d, watchdog_size(d->executor));
}
