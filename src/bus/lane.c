/* lane: what one worker has of the bus, and what the others hand to it. */
#include "bus/bus_internal.h"

/* What is taken in a turn leaves in one write for each connection: after few of them most of the
 * work is writing. The second bound is a millisecond or two, then the worker does something else.
 */
enum {
    TAKE_MAX = 2048,     /* entries of one ring */
    DELIVER_MAX = 32768, /* deliveries */
};

static enum poll lane_poll(struct task *t);
static void later(struct tick_hook *h);
static void tell(struct tick_hook *h);

/* ---- the rings between all workers ---- */

static uint32_t ring_size(const struct bus *b)
{
    uint32_t size = 2;
    while (size < b->cfg.ring_max && size < 1u << 20)
        size *= 2;
    return size;
}

static size_t pairs(const struct bus *b)
{
    return (size_t)b->workers * (b->workers - 1);
}

enum err rings_new(struct bus *b)
{
    uint32_t size = ring_size(b);
    if (b->workers == 1)
        return ERR_OK;
    b->rings = mem_array(b->cfg.alloc, (size_t)b->workers * b->workers, sizeof(*b->rings));
    b->places = mem_new(b->cfg.alloc, pairs(b) * size * sizeof(*b->places));
    if (!b->rings || !b->places)
        return ERR_NOMEM;
    struct ring_entry *v = b->places;
    for (unsigned to = 0; to < b->workers; to++)
        for (unsigned from = 0; from < b->workers; from++) {
            if (from == to)
                continue;
            ring_init(&b->rings[to * b->workers + from], v, size, b->cfg.ring_bytes_max);
            v += size;
        }
    return ERR_OK;
}

void rings_free(struct bus *b)
{
    mem_free(b->cfg.alloc, b->rings, (size_t)b->workers * b->workers * sizeof(*b->rings));
    if (b->places)
        mem_free(b->cfg.alloc, b->places, pairs(b) * ring_size(b) * sizeof(*b->places));
}

/* ---- a lane ---- */

void lane_init(struct lane *l, struct bus *b, unsigned index)
{
    l->bus = b;
    l->worker = executor_worker(b->cfg.ex, index);
    l->index = index;
    l->view = routes_view(b->routes, index);
    l->rings = b->rings ? b->rings + (size_t)index * b->workers : NULL;
    list_init(&l->again);
    list_init(&l->jobs);
    list_init(&l->rooms);
    for (size_t i = 0; i < JOB_BUCKETS; i++)
        list_init(&l->topics[i]);
    task_init(&l->task, "bus", lane_poll, NULL);
    tick_hook_init(&l->later, later);
    tick_hook_init(&l->tell, tell);
}

static void entry_drop(struct lane *l, struct ring *r, const struct ring_entry *e)
{
    struct message *m = e->message;
    struct sub *sub = e->sub;
    ring_drop(r, m ? message_bytes(m) : 0);
    l->progress++;
    if (sub)
        sub_unref(l->bus->routes, sub);
    message_unref(m);
}

void lane_fini(struct lane *l)
{
    struct ring_entry *e;
    for (unsigned i = 0; l->rings && i < l->bus->workers; i++)
        while (i != l->index && (e = ring_peek(&l->rings[i])))
            entry_drop(l, &l->rings[i], e);
    jobs_drop(l);
    again_drop(l);
    task_abandon(&l->task);
    tick_hook_cancel(&l->later);
    tick_hook_cancel(&l->tell);
    vec_fini(l->bus->cfg.alloc, &l->local);
    vec_fini(l->bus->cfg.alloc, &l->picked);
    vec_fini(l->bus->cfg.alloc, &l->picks);
}

/* ---- waking ---- */

/* The task is spawned when it is first needed: most buses of tests and tools never do. */
static void wake_first(struct lane *l)
{
    uint32_t none = LANE_NO_TASK;
    if (atomic_compare_exchange_strong(&l->state, &none, LANE_SPAWNS)) {
        task_spawn(l->worker, &l->task);
        atomic_store(&l->state, LANE_TASK);
        return;
    }
    while (atomic_load(&l->state) != LANE_TASK)
        cpu_relax();
    task_wake(&l->task);
}

void lane_wake(struct lane *l)
{
    if (__builtin_expect(atomic_load(&l->state) == LANE_TASK, 1))
        task_wake(&l->task);
    else
        wake_first(l);
}

static void later(struct tick_hook *h)
{
    lane_wake(CONTAINER_OF(h, struct lane, later));
}

void lane_later(struct lane *l)
{
    worker_at_tick_end(l->worker, &l->later);
}

static void tell(struct tick_hook *h)
{
    struct lane *l = CONTAINER_OF(h, struct lane, tell);
    uint64_t told = l->told;
    l->told = 0;
    for (; told; told &= told - 1)
        lane_wake(&l->bus->lanes[__builtin_ctzll(told)]);
}

void lane_hand(struct lane *l, unsigned to, const struct ring_entry *e)
{
    if (e->message)
        message_ref(e->message);
    ring_push(lane_ring(l, to), e, e->message ? message_bytes(e->message) : 0);
    if (e->message)
        lane_count(&l->handed, 1);
    if (!l->told)
        worker_at_tick_end(l->worker, &l->tell);
    l->told |= 1ull << to;
}

/* ---- taking ---- */

/* To those who get it here. False: not now. */
static bool take_topic(struct lane *l, const struct ring_entry *e, uint32_t *n)
{
    struct str topic = message_topic(e->message);
    struct job *j = job_of(l, e->hash, topic);
    struct route *route = NULL;
    if (!j || e->kind == RING_LOOK) {
        route = route_find(l->view, topic, e->hash);
        if (!route)
            return false; /* no memory */
    }
    if (j && !job_behind(l, j, e->message, e->hash))
        return false;
    if (!j)
        *n += job_begin(l, route, e->message);
    if (e->kind == RING_LOOK)
        deliver_observers(l, route, e->message);
    return true;
}

static void take_share(struct lane *l, const struct ring_entry *e)
{
    const struct subscriber *s = e->sub->key.subscriber;
    bool first = e->hops == 0;
    enum outcome o = !first                                  ? deliver_again(l, e->sub, e->message)
                     : deliver_picked(l, e->sub, e->message) ? TAKEN
                                                             : NOBODY;
    if (o == NOT_NOW)
        (void)again_push(l, e->sub->o.share_id, e->message, NULL, e->hops);
    else if (o == NOBODY)
        (void)share_again(l, e->sub->o.share_id, e->message, s, e->hops + 1u);
}

static bool take(struct lane *l, const struct ring_entry *e, uint32_t *n)
{
    switch ((enum ring_kind)e->kind) {
    case RING_TOPIC:
    case RING_LOOK: return take_topic(l, e, n);
    case RING_SHARE:
        ++*n;
        take_share(l, e);
        return true;
    case RING_FENCE: fence_came(l); return true;
    }
    return true;
}

static void look_ahead(struct lane *l, const struct ring *r)
{
    struct str topics[BUS_EXPECT_MAX];
    size_t n = 0;
    const struct ring_entry *e;
    for (uint32_t i = 0; i < BUS_EXPECT_MAX && (e = ring_peek_behind(r, i)); i++)
        if (e->kind == RING_TOPIC)
            topics[n++] = message_topic(e->message);
    route_expect(l->view, topics, n);
}

/* True: there may be more. */
static bool take_from(struct lane *l, unsigned from, uint32_t *n)
{
    struct ring *r = &l->rings[from];
    struct ring_entry *e = NULL;
    bool stuck = false;
    for (int i = 0; i < TAKE_MAX && *n < DELIVER_MAX && !stuck && (e = ring_peek(r)); i++) {
        if (i % BUS_EXPECT_MAX == 0 && route_expects(l->view))
            look_ahead(l, r);
        stuck = !take(l, e, n);
        if (!stuck)
            entry_drop(l, r, e);
    }
    room_drained(l, from);
    return e != NULL;
}

static bool take_all(struct lane *l)
{
    uint32_t n = 0;
    bool more = false;
    unsigned workers = l->bus->workers;
    ASSERT(workers);
    for (unsigned i = 0; i < workers; i++) {
        unsigned from = (l->first + i) % workers;
        if (from != l->index && l->rings)
            more |= take_from(l, from, &n);
    }
    l->first = (l->first + 1) % workers;
    return more;
}

/* The stop of the executor does not end it: it may run again, and what is left is then here. */
static enum poll lane_poll(struct task *t)
{
    struct lane *l = CONTAINER_OF(t, struct lane, task);
    fence_begin(l);
    bool more = take_all(l);
    jobs_run(l, false);
    again_run(l);
    room_tell(l);
    fence_check(l);
    lane_bury(l);
    if (more || l->jobs_n > l->held || !list_empty(&l->again))
        lane_later(l);
    return POLL_PENDING;
}

/* ---- the end ---- */

/* False: nothing was left, or nothing can be done about it. */
static bool settle(struct lane *l)
{
    uint64_t before = l->progress;
    fence_begin(l);
    (void)take_all(l);
    jobs_run(l, true);
    again_run(l);
    fence_check(l);
    lane_bury(l);
    return l->progress != before;
}

void bus_settle(struct bus *b)
{
    bool any = true;
    if (worker_current()) {
        while (settle(lane_here(b)))
            continue;
        return;
    }
    while (any) {
        any = false;
        for (unsigned i = 0; i < b->workers; i++)
            any |= settle(&b->lanes[i]);
    }
}
