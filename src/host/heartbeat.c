#include "host/heartbeat.h"
#include "async/post.h"
#include "async/timer.h"
#include "base/atomic.h"

struct heartbeat_call {
    struct post post;
    struct heartbeat *heartbeat;
};

struct heartbeat {
    struct heartbeat_config cfg;
    struct timer timer;
    _Atomic unsigned missing; /* workers that have not answered in this round */
    unsigned workers;
    struct heartbeat_call calls[];
};

static size_t size_of(unsigned workers)
{
    return sizeof(struct heartbeat) + workers * sizeof(struct heartbeat_call);
}

static void answered(struct post *p)
{
    struct heartbeat *h = CONTAINER_OF(p, struct heartbeat_call, post)->heartbeat;
    if (atomic_fetch_sub(&h->missing, 1) == 1)
        h->cfg.beat(h->cfg.ctx);
}

static void next_round(struct timer *t)
{
    struct heartbeat *h = CONTAINER_OF(t, struct heartbeat, timer);
    timer_set_after_ms(t, h->cfg.every_ms);
    if (atomic_load(&h->missing) > 0)
        return; /* one of them still has its call */
    atomic_store(&h->missing, h->workers);
    for (unsigned i = 0; i < h->workers; i++)
        worker_post(executor_worker(h->cfg.ex, i), &h->calls[i].post, "heartbeat", answered);
}

enum err heartbeat_new(struct heartbeat **out, const struct heartbeat_config *cfg, struct error *e)
{
    unsigned workers = executor_workers(cfg->ex);
    *out = NULL;
    struct heartbeat *h = mem_zero(cfg->alloc, size_of(workers));
    if (!h)
        return error_set(e, ERR_NOMEM, "no memory for the signs of life");
    h->cfg = *cfg;
    h->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        h->calls[i].heartbeat = h;
    timer_init(&h->timer, executor_worker(cfg->ex, 0), next_round);
    timer_set_after_ms(&h->timer, 0);
    *out = h;
    return ERR_OK;
}

void heartbeat_free(struct heartbeat *h)
{
    if (!h)
        return;
    timer_cancel(&h->timer);
    mem_free(h->cfg.alloc, h, size_of(h->workers));
}
