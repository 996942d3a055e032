#include "tests/model/site.h"
#include "async/barrier.h"
#include "async/worker_internal.h"

/* --- a driver that can only sleep --- */

struct model_driver {
    struct io_driver driver;
    struct model_event event;
    struct alloc *alloc;
};

static struct model_driver *driver_of(struct io_driver *d)
{
    return CONTAINER_OF(d, struct model_driver, driver);
}

static enum err driver_open(struct io_driver **out, struct worker *w, struct alloc *a,
                            struct error *e)
{
    (void)e;
    struct model_driver *d = mem_zero(a, sizeof(*d));
    if (!d)
        return ERR_NOMEM;
    d->driver = (struct io_driver){.ops = &io_epoll_driver, .worker = w};
    d->alloc = a;
    *out = &d->driver;
    return ERR_OK;
}

static void driver_close(struct io_driver *io)
{
    struct model_driver *d = driver_of(io);
    mem_free(d->alloc, d, sizeof(*d));
}

static void driver_wait(struct io_driver *io, int64_t timeout_ns)
{
    if (timeout_ns != 0)
        worker_sleeps(io->worker);
    (void)model_event_wait(&driver_of(io)->event, timeout_ns);
}

/* A worker is woken once for each time that it was about to sleep; a stop wakes it in any case. */
static void driver_wake(struct io_driver *io)
{
    struct model_event *e = &driver_of(io)->event;
    model_event_set(e);
    HOLD(executor_stopping(io->worker->executor) || e->sets <= e->waits + (e->sleepers == 0));
}

/* In the place of the real ones. */
const struct io_driver_ops io_epoll_driver = {
    .name = "epoll",
    .open = driver_open,
    .close = driver_close,
    .wait = driver_wait,
    .wake = driver_wake,
};
const struct io_driver_ops io_uring_driver = {
    .name = "io_uring",
    .open = driver_open,
    .close = driver_close,
    .wait = driver_wait,
    .wake = driver_wake,
};

bool barrier_all_prepare(void)
{
    return true;
}

void barrier_all(void)
{
    model_barrier_all();
}

struct env *env_linux(void)
{
    return NULL; /* nobody asks for the real one here */
}

/* --- the executor --- */

void site_await_sleep(struct site *s, unsigned worker)
{
    model_event_await_sleep(&driver_of(executor_worker(s->ex, worker)->io)->event);
}

void site_begin(struct site *s, unsigned workers, bool coroutines)
{
    model_focus(false);
    *s = (struct site){.env = {.clock = model_clock(), .seed = 1}};
    struct executor_config cfg = {.env = &s->env,
                                  .alloc = model_alloc(),
                                  .workers = workers,
                                  .driver = "epoll",
                                  .offload_threads = 1};
    struct error e = {0};
    HOLD(executor_new(&s->ex, &cfg, &e) == ERR_OK);
    for (unsigned i = 0; i < workers && coroutines; i++)
        HOLD(co_enable(executor_worker(s->ex, i), SITE_COROUTINES) == ERR_OK);
}

void site_end(struct site *s)
{
    model_focus(false);
    executor_free(s->ex);
}

uint64_t site_wakes(struct site *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < executor_workers(s->ex); i++)
        sum += driver_of(executor_worker(s->ex, i)->io)->event.sets;
    return sum;
}

struct part {
    struct site *site;
    intptr_t (*play)(void *arg);
    void *arg;
};

static intptr_t part_main(void *arg)
{
    struct part *p = arg;
    struct site *s = p->site;
    model_gate(&s->gate, s->parts);
    p->play(p->arg);
    if (model_count_down(&s->left) == 0) {
        model_focus(false);
        executor_stop(s->ex);
    }
    return 0;
}

void site_play(struct site *s, intptr_t (*const parts[])(void *arg), unsigned n, void *arg)
{
    struct part p[SITE_WORKERS_MAX];
    HOLD(n <= SITE_WORKERS_MAX);
    s->parts = s->left = n;
    for (unsigned i = 0; i < n; i++) {
        p[i] = (struct part){s, parts[i], arg};
        HOLD(co_spawn(NULL, executor_worker(s->ex, i), part_main, &p[i], "part") == ERR_OK);
    }
    executor_run(s->ex);
}
