/* event: from what happens on the site to the runs that it concerns, and back to be applied. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <string.h>

/* ---- events that wait ---------------------------------------------------------------------- */

static struct event *event_copy(struct automation *a, const struct event *e)
{
    struct str text = e->kind == EVENT_SAMPLE && e->value.kind == VALUE_STR ? e->value.s : e->bytes;
    size_t size = sizeof(*e) + text.n;
    struct event *c = mem_zero(a->cfg.alloc, size);
    if (!c)
        return NULL;
    *c = *e;
    c->size = size;
    if (text.n)
        memcpy(c + 1, text.p, text.n);
    c->bytes = (struct str){(char *)(c + 1), text.n};
    if (e->kind == EVENT_SAMPLE && e->value.kind == VALUE_STR)
        c->value.s = c->bytes;
    return c;
}

static void events_free(struct automation *a, struct event **list)
{
    while (*list) {
        struct event *e = *list;
        *list = e->next;
        mem_free(a->cfg.alloc, e, e->size);
    }
}

static void dropped(struct program_run *run)
{
    if (run->dropped++ == 0)
        LOG_W("automation", "%.*s: more than %d events wait for it; the newest are dropped",
              STR_FMT(run->def->name), INBOX_MAX);
}

/* What tells of time comes again by itself, and of leases there are few: they are never dropped. */
static bool enqueue(struct program_run *run, const struct event *e)
{
    bool full = run->inbox_n >= INBOX_MAX &&
                (e->kind == EVENT_SAMPLE || e->kind == EVENT_SIGNAL || e->kind == EVENT_MESSAGE);
    struct event *c = full ? NULL : event_copy(run->automation, e);
    if (!c) {
        dropped(run);
        return false;
    }
    *run->inbox_end = c;
    run->inbox_end = &c->next;
    run->inbox_n++;
    return true;
}

static struct event *take_inbox(struct program_run *run)
{
    struct event *all = run->inbox;
    run->inbox = NULL;
    run->inbox_end = &run->inbox;
    run->inbox_n = 0;
    return all;
}

void program_inbox_free(struct program_run *run)
{
    events_free(run->automation, &run->inbox);
    events_free(run->automation, &run->batch);
    list_del(&run->ready);
}

/* ---- one worker: at once --------------------------------------------------------------------- */

static void handle_and_apply(struct program_run *run, const struct event *e)
{
    run->phase = RUN_BUSY;
    run_handle(run, e);
    run->phase = RUN_DONE;
    program_apply(run);
    run->phase = RUN_IDLE;
}

/* Those to whom something happened meanwhile. A run that was replaced is not in the list. */
static void drain(struct automation *a)
{
    struct list *it;
    while ((it = list_pop_head(&a->ready)) != NULL) {
        struct program_run *run = CONTAINER_OF(it, struct program_run, ready);
        run->batch = take_inbox(run);
        while (run->batch) {
            struct event *e = run->batch;
            run->batch = e->next;
            handle_and_apply(run, e);
            mem_free(a->cfg.alloc, e, e->size);
        }
    }
}

static void post_here(struct program_run *run, const struct event *e)
{
    struct automation *a = run->automation;
    if (a->draining) {
        if (enqueue(run, e) && list_empty(&run->ready))
            list_add_tail(&a->ready, &run->ready);
        return;
    }
    a->draining = true;
    handle_and_apply(run, e);
    drain(a);
    a->draining = false;
}

/* ---- several workers: beside each other -------------------------------------------------------
 */

static enum poll run_poll(struct task *t)
{
    struct program_run *run = CONTAINER_OF(t, struct program_run, task);
    for (struct event *e = run->batch; e; e = e->next)
        run_handle(run, e);
    return POLL_READY;
}

static void run_finished(struct task *t)
{
    struct program_run *run = CONTAINER_OF(t, struct program_run, task);
    struct automation *a = run->automation;
    if (mpsc_push(&a->done, &run->done))
        task_wake(&a->collector);
}

static void schedule(struct program_run *run)
{
    struct automation *a = run->automation;
    run->batch = take_inbox(run);
    run->phase = RUN_BUSY;
    a->in_flight++;
    task_init(&run->task, "program", run_poll, run_finished);
    task_spawn_free(a->cfg.ex, &run->task);
}

static void post_away(struct program_run *run, const struct event *e)
{
    if (enqueue(run, e) && run->phase == RUN_IDLE && !run->automation->paused)
        schedule(run);
}

static void collect_one(struct automation *a, struct program_run *run)
{
    a->in_flight--;
    run->phase = RUN_DONE;
    events_free(a, &run->batch);
    program_apply(run); /* what it causes for this run itself waits in the inbox */
    run->phase = RUN_IDLE;
    if (run->inbox && run->state == PROGRAM_RUNNING && !a->paused)
        schedule(run);
}

static enum poll collect(struct task *t)
{
    struct automation *a = CONTAINER_OF(t, struct automation, collector);
    struct mpsc_node *n = mpsc_take_all(&a->done), *in_order = NULL;
    bool rested = n != NULL; /* else it was told already */
    while (n) {              /* the newest came first */
        struct mpsc_node *next = n->next;
        n->next = in_order;
        in_order = n;
        n = next;
    }
    while (in_order) {
        struct program_run *run = CONTAINER_OF(in_order, struct program_run, done);
        in_order = in_order->next;
        collect_one(a, run);
    }
    if (a->paused && a->in_flight == 0 && rested)
        a->rests(a->rests_ctx);
    return t->canceled ? POLL_READY : POLL_PENDING;
}

/* ---- all --------------------------------------------------------------------------------------
 */

void program_post(struct program_run *run, const struct event *e)
{
    if (run->ending || run->state != PROGRAM_RUNNING || !run->automation->started)
        return;
    if (run->automation->parallel)
        post_away(run, e);
    else
        post_here(run, e);
}

bool automation_pause(struct automation *a, void (*rests)(void *ctx), void *ctx)
{
    a->paused = true;
    a->rests = rests;
    a->rests_ctx = ctx;
    return a->in_flight == 0;
}

void automation_resume(struct automation *a)
{
    a->paused = false;
    for (size_t i = 0; a->parallel && i < a->run_count; i++)
        if (a->runs[i]->inbox && a->runs[i]->phase == RUN_IDLE)
            schedule(a->runs[i]);
}

void events_init(struct automation *a)
{
    list_init(&a->ready);
    a->parallel = executor_workers(a->cfg.ex) > 1;
    if (!a->parallel)
        return;
    task_init(&a->collector, "programs", collect, NULL);
    task_spawn(a->worker, &a->collector);
}
