/* job: what is delivered in slices, so that nobody else has to wait for a large fan-out. */
#include "bus/bus_internal.h"

enum { RUN_MAX = 8 * BUS_SLICE }; /* deliveries of all jobs in one turn */

static struct job_item *first_of(const struct job *j)
{
    return CONTAINER_OF(j->items.next, struct job_item, link);
}

static struct list *bucket_of(const struct lane *l, uint64_t hash)
{
    return (struct list *)(uintptr_t)&l->topics[hash % JOB_BUCKETS];
}

struct job *job_find(const struct lane *l, uint64_t hash, struct str topic)
{
    LIST_EACH(bucket_of(l, hash), it)
    {
        struct job *j = CONTAINER_OF(it, struct job, bucket);
        const struct job_item *x = first_of(j);
        if (x->hash == hash && str_eq(message_topic(x->message), topic))
            return j;
    }
    return NULL;
}

/* ---- what waits ---- */

static bool item_add(struct lane *l, struct job *j, struct message *m, uint64_t hash)
{
    struct job_item *x = mem_new(l->bus->cfg.alloc, sizeof(*x));
    if (!x)
        return false;
    *x = (struct job_item){.message = message_ref(m), .hash = hash, .number = ++l->number_last};
    list_init(&x->link);
    list_add_tail(&j->items, &x->link);
    if (j->items_n++) {
        l->waiting++;
        l->waiting_bytes += message_bytes(m);
    }
    return true;
}

/* The first is through: the next one, if there is one, waits no more. */
static void item_done(struct lane *l, struct job *j)
{
    struct job_item *x = first_of(j);
    list_del(&x->link);
    message_unref(x->message);
    mem_free(l->bus->cfg.alloc, x, sizeof(*x));
    if (--j->items_n == 0)
        return;
    l->waiting--;
    l->waiting_bytes -= message_bytes(first_of(j)->message);
}

static void job_free(struct lane *l, struct job *j)
{
    route_release(l->view, j->route);
    while (j->items_n)
        item_done(l, j);
    if (j->sub) {
        retained_cursor_fini(&l->bus->retained, &j->cursor);
        sub_unref(l->bus->routes, j->sub);
    }
    list_del(&j->link);
    list_del(&j->bucket);
    l->held -= j->held;
    mem_free(l->bus->cfg.alloc, j, sizeof(*j));
    l->jobs_n--;
}

static struct job *job_new(struct lane *l)
{
    struct job *j = mem_zero(l->bus->cfg.alloc, sizeof(*j));
    if (!j)
        return NULL;
    list_init(&j->link);
    list_init(&j->bucket);
    list_init(&j->items);
    list_add_tail(&l->jobs, &j->link);
    l->jobs_n++;
    lane_later(l);
    return j;
}

bool job_room(const struct lane *l, const struct job *j)
{
    const struct bus_config *cfg = &l->bus->cfg;
    return l->waiting < cfg->waiting_max && j->items_n < cfg->waiting_max / 2 &&
           l->waiting_bytes < cfg->waiting_bytes_max;
}

bool jobs_are_few(const struct lane *l)
{
    const struct bus_config *cfg = &l->bus->cfg;
    return l->waiting <= cfg->waiting_max / 4 && l->waiting_bytes <= cfg->waiting_bytes_max / 2;
}

/* ---- topics that others should hold back ---- */

bool lane_is_hot(const struct lane *l, uint64_t hash)
{
    for (size_t i = 0; i < HOT_MAX; i++)
        if (atomic_load(&l->hot[i]) == hash)
            return true;
    return false;
}

static void hot_set(struct lane *l, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < HOT_MAX; i++) {
        if (atomic_load_explicit(&l->hot[i], memory_order_relaxed) != from)
            continue;
        atomic_store(&l->hot[i], to);
        return;
    }
}

static void hot_begins(struct lane *l, struct job *j, uint64_t hash)
{
    if (j->hot || j->items_n < l->bus->cfg.waiting_max / 4 || l->bus->workers == 1)
        return;
    j->hot = true;
    atomic_store(&l->hot_n, atomic_load_explicit(&l->hot_n, memory_order_relaxed) + 1);
    hot_set(l, 0, hash);
}

static void hot_ends(struct lane *l, struct job *j, uint64_t hash)
{
    if (!j->hot || j->items_n > l->bus->cfg.waiting_max / 8)
        return;
    j->hot = false;
    hot_set(l, hash, 0);
    atomic_store(&l->hot_n, atomic_load_explicit(&l->hot_n, memory_order_relaxed) - 1);
    uint64_t wanted = atomic_exchange(&l->hot_wanted, 0);
    for (; wanted; wanted &= wanted - 1) {
        struct lane *other = &l->bus->lanes[__builtin_ctzll(wanted)];
        atomic_store(&other->room, true);
        lane_wake(other);
    }
}

/* ---- a topic ---- */

bool job_behind(struct lane *l, struct job *j, struct message *m, uint64_t hash)
{
    if (!job_room(l, j) || !item_add(l, j, m, hash))
        return false;
    hot_begins(l, j, hash);
    return true;
}

static void job_route(struct lane *l, struct job *j, struct route *route)
{
    j->route = route_hold(route);
    j->number = ++l->number_last;
    j->at = 0;
    j->removed = l->removed;
}

static uint32_t topic_slice(struct lane *l, struct job *j)
{
    uint32_t left = j->route->entries_n - j->at;
    struct slice x = {j->route, first_of(j)->message, j->at,
                      j->at + (left < BUS_SLICE ? left : BUS_SLICE), j->removed};
    j->at = x.to;
    (void)deliver_slice(l, &x);
    return x.to - x.from;
}

/* True: that was the last one. */
static bool topic_run(struct lane *l, struct job *j)
{
    for (uint32_t n = 0; n < BUS_SLICE;) {
        const struct job_item *x = first_of(j);
        uint64_t hash = x->hash;
        struct route *route =
            j->route ? j->route : route_find(l->view, message_topic(x->message), hash);
        if (!route)
            return false; /* no memory: again in the next turn */
        if (!j->route)
            job_route(l, j, route);
        n += topic_slice(l, j) + 1;
        if (j->at < j->route->entries_n)
            continue;
        route_release(l->view, j->route);
        j->route = NULL;
        l->progress++;
        item_done(l, j);
        hot_ends(l, j, hash);
        if (!j->items_n)
            return true;
    }
    return false;
}

void job_finish(struct lane *l, struct job *j)
{
    uint64_t before;
    bool done;
    do {
        before = l->progress;
        done = topic_run(l, j);
    } while (!done && (j->route || l->progress != before));
    if (done)
        job_free(l, j);
}

uint32_t job_begin(struct lane *l, struct route *route, struct message *m)
{
    struct job *j = NULL;
    if (route->entries_n > BUS_SLICE && lane_slices(l) && (j = job_new(l))) {
        if (item_add(l, j, m, route->hash)) {
            list_add_tail(bucket_of(l, route->hash), &j->bucket);
            job_route(l, j, route);
            (void)topic_slice(l, j);
            return route->entries_n;
        }
        job_free(l, j);
    }
    const struct slice all = {route, m, 0, route->entries_n, l->removed};
    return deliver_slice(l, &all);
}

/* ---- retained messages of a new subscription ---- */

/* Who does not keep up gets the rest later: nobody publishes too fast here, so nothing has to be
 * dropped. Not if it is stored: a snapshot has to hold all of it, and its queue may leave memory.
 */
static bool has_enough(const struct sub *x)
{
    return !x->o.gone && x->key.subscriber->presence == BUS_BUSY &&
           !(sub_flags(x) & SUB_STORED_ANY);
}

/* Whether it waits for its subscriber; see bus_presence_set(). */
static bool hold(struct lane *l, struct job *j)
{
    bool held = j->sub && has_enough(j->sub);
    l->held += (uint32_t)held - (uint32_t)j->held;
    j->held = held;
    return held;
}

/* True: that was the last one. */
static bool retained_run(struct lane *l, struct job *j, bool all)
{
    bool more = true;
    uint32_t got = 0;
    for (uint32_t n = 0; (n < BUS_SLICE || all) && !j->sub->o.gone; n++) {
        if (!all && has_enough(j->sub))
            break;
        struct message *m = retained_cursor_next(&l->bus->retained, &j->cursor, &more);
        if (!m && !more)
            break;
        if (!m && !all)
            return false;
        got += m && deliver_retained(l, j->sub, m);
        message_unref(m);
        more = true;
    }
    lane_count(&l->delivered, got);
    return !more || j->sub->o.gone;
}

static struct job *retained_find(const struct lane *l, const struct sub *x)
{
    LIST_EACH(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->sub == x)
            return j;
    }
    return NULL;
}

void job_retained(struct lane *l, struct sub *x, struct str filter)
{
    struct job here = {0}, *j = retained_find(l, x);
    if (j)
        job_free(l, j);
    here.sub = x;
    if (!retained_cursor_init(&l->bus->retained, &here.cursor, filter))
        return;
    if (!retained_run(l, &here, !lane_slices(l))) {
        j = job_new(l);
        if (j) {
            j->sub = sub_ref(x);
            j->cursor = here.cursor;
            j->number = ++l->number_last;
            return;
        }
        (void)retained_run(l, &here, true); /* no memory to do it later */
    }
    retained_cursor_fini(&l->bus->retained, &here.cursor);
}

/* ---- all of them ---- */

void jobs_run(struct lane *l, bool all)
{
    uint32_t turns = all ? UINT32_MAX : l->jobs_n;
    for (uint32_t n = 0; n < RUN_MAX && turns && l->jobs_n; turns--) {
        struct job *j = CONTAINER_OF(l->jobs.next, struct job, link);
        list_del(&j->link);
        list_add_tail(&l->jobs, &j->link);
        if (!all && hold(l, j))
            continue;
        uint64_t before = l->progress;
        bool done = j->sub ? retained_run(l, j, all) : topic_run(l, j);
        if (done)
            job_free(l, j);
        l->progress += done;
        if (!all)
            n += BUS_SLICE;
        else if (!done && l->progress == before && !j->route)
            return; /* no memory */
    }
}

uint64_t jobs_oldest(const struct lane *l)
{
    uint64_t oldest = UINT64_MAX;
    LIST_EACH(&l->jobs, it)
    {
        const struct job *j = CONTAINER_OF(it, struct job, link);
        uint64_t number = j->sub ? j->number : first_of(j)->number;
        if (!j->held) /* nobody stores those */
            oldest = number < oldest ? number : oldest;
    }
    return oldest;
}

uint64_t jobs_oldest_route(const struct lane *l)
{
    uint64_t oldest = UINT64_MAX;
    LIST_EACH(&l->jobs, it)
    {
        const struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->route && j->number < oldest)
            oldest = j->number;
    }
    return oldest;
}

void jobs_drop(struct lane *l)
{
    while (l->jobs_n)
        job_free(l, CONTAINER_OF(l->jobs.next, struct job, link));
}
