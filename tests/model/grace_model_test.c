/* Grace periods: one worker replaces and retires what another one reads, which sleeps now and then.
 * The model sees who touches what is freed. */
#include "async/grace.h"
#include "async/worker_internal.h"
#include "tests/model/site.h"

enum { ALIVE = 7 };
struct box {
    struct retired retired;
    struct stage *stage;
    int state;
};
struct stage {
    struct site site;
    struct task writer, reader;
    _Atomic(struct box *) slot;
    unsigned writes, writes_max;
    _Atomic bool over;     /* nothing more is written */
    _Atomic unsigned left; /* boxes to be freed, and the reader */
};

static void one_less(struct stage *g)
{
    if (atomic_fetch_sub_explicit(&g->left, 1, memory_order_acq_rel) > 1)
        return;
    model_focus(false);
    executor_stop(g->site.ex);
}

static struct box *box_new(struct stage *g)
{
    struct box *x = mem_zero(model_alloc(), sizeof(*x));
    x->stage = g;
    x->state = ALIVE;
    return x;
}

static void box_free(struct retired *r)
{
    struct box *x = CONTAINER_OF(r, struct box, retired);
    struct stage *g = x->stage;
    mem_free(model_alloc(), x, sizeof(*x));
    one_less(g);
}

static enum poll reads(struct task *t)
{
    struct stage *g = CONTAINER_OF(t, struct stage, reader);
    bool over = atomic_load(&g->over);
    model_focus(true);
    const struct box *x = atomic_load(&g->slot);
    HOLD(x->state == ALIVE);
    model_yield();
    HOLD(x->state == ALIVE);
    if (!over)
        return POLL_PENDING; /* until the writer wakes it */
    one_less(g);
    return POLL_READY;
}

static enum poll writes(struct task *t)
{
    struct stage *g = CONTAINER_OF(t, struct stage, writer);
    model_focus(true);
    struct box *old = atomic_exchange(&g->slot, box_new(g));
    worker_retire(worker_current(), &old->retired, box_free);
    bool last = ++g->writes == g->writes_max;
    if (last)
        atomic_store(&g->over, true);
    task_wake(&g->reader);
    if (last)
        return POLL_READY;
    task_wake(t);
    return POLL_PENDING;
}

static void play(void *arg)
{
    struct stage g = {.writes_max = (unsigned)(uintptr_t)arg};
    site_begin(&g.site, 2, false);
    grace_enable(g.site.ex);
    atomic_init(&g.slot, box_new(&g));
    atomic_init(&g.left, g.writes_max + 1);
    task_init(&g.writer, "writer", writes, NULL);
    task_init(&g.reader, "reader", reads, NULL);
    task_spawn(executor_worker(g.site.ex, 0), &g.writer);
    task_spawn(executor_worker(g.site.ex, 1), &g.reader);
    executor_run(g.site.ex);
    mem_free(model_alloc(), atomic_load(&g.slot), sizeof(struct box));
    site_end(&g.site);
}

static const struct {
    const char *name;
    unsigned writes, preemptions, stale;
} rows[] = {
    {"one is replaced", 1, 2, 1},
    {"two are replaced", 2, 1, 1},
};

TEST(grace_between_workers)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].name);
        model_check(&(struct model){.name = rows[i].name,
                                    .run = play,
                                    .arg = (void *)(uintptr_t)rows[i].writes,
                                    .preemptions = rows[i].preemptions,
                                    .stale = rows[i].stale,
                                    .walks = 1000});
    }
}
