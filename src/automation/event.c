/* event: from what happens on the site to the runs that it concerns, and back to be applied. */
#include "automation/automation_internal.h"
#include "base/log.h"

#include <string.h>

/* ---- events that wait ---------------------------------------------------------------------- */

static bool is_text(const struct event *e)
{
    return e->kind == EVENT_SAMPLE && e->value.kind == VALUE_STR;
}

static struct event *event_copy(struct automation *a, const struct event *e)
{
    struct str text = is_text(e) ? e->value.s : e->bytes;
    if (is_text(e) && text.n > TEXT_KEPT_MAX)
        text.n = TEXT_KEPT_MAX;
    size_t size = sizeof(*e) + text.n;
    struct event *c = mem_zero(a->cfg.alloc, size);
    if (!c)
        return NULL;
    *c = *e;
    c->size = size;
    if (text.n)
        memcpy(c + 1, text.p, text.n);
    c->bytes = (struct str){(char *)(c + 1), text.n};
    if (is_text(e))
        c->value.s = c->bytes;
    return c;
}

/* It was handled, or never will be. */
static void event_free(struct program_run *run, struct event *e)
{
    if (e == &run->time)
        run->time_waits = false;
    else if (e->size)
        mem_free(run->automation->cfg.alloc, e, e->size);
}

static void events_free(struct program_run *run, struct event **list)
{
    while (*list) {
        struct event *e = *list;
        *list = e->next;
        event_free(run, e);
    }
}

static void dropped(struct program_run *run)
{
    if (run->dropped++ == 0)
        LOG_W("automation", "%.*s: too many events wait for it; the newest are dropped",
              STR_FMT(run->def->name));
}

/* START and DUE have their place; a second DUE would say nothing new. */
static struct event *place_of(struct program_run *run, const struct event *e)
{
    if (e->kind != EVENT_START && e->kind != EVENT_DUE)
        return event_copy(run->automation, e);
    struct event *place = e->kind == EVENT_START ? &run->start : &run->time;
    *place = *e;
    run->time_waits = run->time_waits || e->kind == EVENT_DUE;
    return place;
}

/* Of leases there are few: their news is never dropped for want of room. */
static void enqueue(struct program_run *run, const struct event *e)
{
    bool many = e->kind == EVENT_SAMPLE || e->kind == EVENT_SIGNAL || e->kind == EVENT_MESSAGE;
    if (e->kind == EVENT_DUE && run->time_waits)
        return;
    bool full = many && (run->inbox_n >= INBOX_MAX || run->inbox_bytes >= INBOX_BYTES_MAX);
    struct event *c = full ? NULL : place_of(run, e);
    if (!c) {
        dropped(run);
        return;
    }
    c->next = NULL;
    *run->inbox_end = c;
    run->inbox_end = &c->next;
    run->inbox_n++;
    run->inbox_bytes += c->size;
}

static struct event *take_one(struct program_run *run)
{
    struct event *e = run->inbox;
    run->inbox = e->next;
    e->next = NULL;
    run->inbox_n--;
    run->inbox_bytes -= e->size;
    if (!run->inbox)
        run->inbox_end = &run->inbox;
    return e;
}

static struct event *take_batch(struct program_run *run)
{
    struct event *all = NULL, **end = &all;
    for (int i = 0; i < BATCH_MAX && run->inbox; i++) {
        *end = take_one(run);
        end = &(*end)->next;
    }
    return all;
}

void program_inbox_free(struct program_run *run)
{
    events_free(run, &run->inbox);
    events_free(run, &run->batch);
    run->inbox_end = &run->inbox;
    run->inbox_n = 0;
    run->inbox_bytes = 0;
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

static void ready_add(struct program_run *run)
{
    if (run->inbox && list_empty(&run->ready))
        list_add_tail(&run->automation->ready, &run->ready);
}

/* Those to whom something happened meanwhile, an event each in turn. Programs that send each other
 * messages for ever get a share of each tick. */
static void drain(struct automation *a)
{
    a->draining = true;
    for (int n = 0; n < DRAIN_MAX && !list_empty(&a->ready); n++) {
        struct program_run *run = CONTAINER_OF(list_pop_head(&a->ready), struct program_run, ready);
        struct event *e = take_one(run);
        handle_and_apply(run, e);
        event_free(run, e);
        ready_add(run);
    }
    a->draining = false;
    if (!list_empty(&a->ready))
        timer_set(&a->more, worker_now_ns(a->worker));
}

static void drain_more(struct timer *t)
{
    struct automation *a = CONTAINER_OF(t, struct automation, more);
    if (!a->held_up)
        drain(a);
}

static void post_here(struct program_run *run, const struct event *e)
{
    struct automation *a = run->automation;
    if (a->draining || a->held_up || !list_empty(&a->ready)) {
        enqueue(run, e);
        ready_add(run);
        return;
    }
    a->draining = true;
    handle_and_apply(run, e);
    drain(a);
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

/* If it may be handled and there is something to handle. */
static void schedule(struct program_run *run)
{
    struct automation *a = run->automation;
    if (!run->inbox || run->phase != RUN_IDLE || a->held_up || run->shown != PROGRAM_RUNNING)
        return;
    run->batch = take_batch(run);
    run->phase = RUN_BUSY;
    a->in_flight++;
    task_init(&run->task, "program", run_poll, run_finished);
    task_spawn_free(a->cfg.ex, &run->task);
}

static void collect_one(struct automation *a, struct program_run *run)
{
    a->in_flight--;
    run->phase = RUN_DONE;
    events_free(run, &run->batch);
    program_apply(run); /* what it causes for this run itself waits in the inbox */
    run->phase = RUN_IDLE;
    schedule(run);
}

/* Who waits for rest is told once. */
static void tell_rest(struct automation *a)
{
    void (*rests)(void *ctx) = a->rests;
    if (!rests || !a->held_up || a->in_flight)
        return;
    a->rests = NULL;
    rests(a->rests_ctx);
}

static enum poll collect(struct task *t)
{
    struct automation *a = CONTAINER_OF(t, struct automation, collector);
    struct mpsc_node *n = mpsc_take_all(&a->done), *in_order = NULL;
    while (n) { /* the newest came first */
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
    tell_rest(a);
    return t->canceled ? POLL_READY : POLL_PENDING;
}

/* ---- all --------------------------------------------------------------------------------------
 */

void program_post(struct program_run *run, const struct event *e)
{
    struct automation *a = run->automation;
    if (run->ending || run->shown != PROGRAM_RUNNING || !a->started)
        return;
    if (!a->parallel) {
        post_here(run, e);
        return;
    }
    enqueue(run, e);
    schedule(run);
}

void events_hold(struct automation *a)
{
    a->held_up++;
}

void events_go_on(struct automation *a)
{
    ASSERT(a->held_up > 0);
    if (--a->held_up)
        return;
    for (size_t i = 0; a->parallel && i < a->run_count; i++)
        schedule(a->runs[i]);
    if (!a->draining)
        drain(a);
}

bool automation_pause(struct automation *a, void (*rests)(void *ctx), void *ctx)
{
    events_hold(a);
    if (a->in_flight == 0)
        return true;
    a->rests = rests;
    a->rests_ctx = ctx;
    return false;
}

void automation_resume(struct automation *a)
{
    events_go_on(a);
}

void events_init(struct automation *a)
{
    list_init(&a->ready);
    timer_init(&a->more, a->worker, drain_more);
    a->parallel = executor_workers(a->cfg.ex) > 1;
}

void events_start(struct automation *a)
{
    if (!a->parallel)
        return;
    task_init(&a->collector, "programs", collect, NULL);
    task_spawn(a->worker, &a->collector);
}

void events_fini(struct automation *a)
{
    timer_cancel(&a->more);
}
