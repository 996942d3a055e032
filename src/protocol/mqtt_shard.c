/* A worker's part of the server: its tables, timers, and its share of the site's limits. */
#include "protocol/mqtt_broker.h"

/* ---- limits that all share ---- */

bool count_take(_Atomic size_t *count, size_t max)
{
    size_t n = atomic_load_explicit(count, memory_order_relaxed);
    do
        if (n >= max)
            return false;
    while (!atomic_compare_exchange_weak_explicit(count, &n, n + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
    return true;
}

void count_give(_Atomic size_t *count)
{
    size_t before = atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    ASSERT(before > 0);
}

static bool take_bytes(_Atomic size_t *pool, size_t n, size_t max)
{
    size_t taken = atomic_load_explicit(pool, memory_order_relaxed);
    do
        if (taken + n > max)
            return false;
    while (!atomic_compare_exchange_weak_explicit(pool, &taken, taken + n, memory_order_relaxed,
                                                  memory_order_relaxed));
    return true;
}

/* A queue grows with every message, so a shard takes its share of the bytes in pieces. Near the
 * limit it takes what it needs, so that little is left in another's pocket. */
#define ALLOWANCE_MAX ((size_t)1 << 20)

static size_t allowance_piece(const struct mqtt_server *s)
{
    size_t piece = s->limits.queue_total_bytes_max / (16 * (size_t)s->shards_n);
    return piece < ALLOWANCE_MAX ? piece : ALLOWANCE_MAX;
}

static bool allowance_grow(struct mqtt_allowance *a, _Atomic size_t *pool, size_t more,
                           size_t piece, size_t max)
{
    if (!take_bytes(pool, more + piece, max)) {
        if (!take_bytes(pool, more, max))
            return false;
        piece = 0;
    }
    a->bytes += more + piece;
    return true;
}

static void allowance_shrink(struct mqtt_allowance *a, _Atomic size_t *pool, size_t piece)
{
    size_t used = atomic_load_explicit(&a->used, memory_order_relaxed);
    if (used + 2 * piece >= a->bytes)
        return;
    size_t spare = a->bytes - used - piece;
    a->bytes -= spare;
    atomic_fetch_sub_explicit(pool, spare, memory_order_relaxed);
}

/* How far the rest may go that is not for sessions that last, and all together. */
static bool rest_has_room(const struct mqtt_server *s, enum queue_kind kind, size_t more,
                          size_t *all_max)
{
    const size_t total = s->limits.queue_total_bytes_max, eighth = total / 8;
    size_t all = atomic_load_explicit(&s->queue_bytes, memory_order_relaxed);
    size_t lasting = atomic_load_explicit(&s->queue_lasting_bytes, memory_order_relaxed);
    size_t rest = all > lasting ? all - lasting : 0;
    *all_max = kind == QUEUE_QOS0 ? total - eighth : total;
    return kind == QUEUE_LASTING ||
           rest + more <= total - (kind == QUEUE_QOS0 ? 2 * eighth : eighth);
}

bool shard_queue_room(struct mqtt_shard *shard, size_t n, enum queue_kind kind)
{
    struct mqtt_server *s = shard->server;
    struct mqtt_allowance *lasting = &shard->queued_lasting, *all = &shard->queued_all;
    size_t wanted = atomic_load_explicit(&lasting->used, memory_order_relaxed) + n, all_max;
    if (kind == QUEUE_LASTING && wanted > lasting->bytes &&
        !allowance_grow(lasting, &s->queue_lasting_bytes, wanted - lasting->bytes,
                        shard->queue_piece, queue_lasting_max(s)))
        return false;
    wanted = atomic_load_explicit(&all->used, memory_order_relaxed) + n;
    if (wanted <= all->bytes)
        return true;
    size_t more = wanted - all->bytes;
    return rest_has_room(s, kind, more, &all_max) &&
           allowance_grow(all, &s->queue_bytes, more, shard->queue_piece, all_max);
}

void shard_queue_entered(struct mqtt_shard *shard, size_t n, enum queue_kind kind)
{
    atomic_add_own(&shard->queued_all.used, n);
    if (kind == QUEUE_LASTING)
        atomic_add_own(&shard->queued_lasting.used, n);
}

void shard_queue_left(struct mqtt_shard *shard, size_t n, enum queue_kind kind)
{
    struct mqtt_server *s = shard->server;
    atomic_add_own(&shard->queued_all.used, -n);
    allowance_shrink(&shard->queued_all, &s->queue_bytes, shard->queue_piece);
    if (kind != QUEUE_LASTING)
        return;
    atomic_add_own(&shard->queued_lasting.used, -n);
    allowance_shrink(&shard->queued_lasting, &s->queue_lasting_bytes, shard->queue_piece);
}

/* ---- whose client is it ---- */

struct mqtt_shard *shard_of(const struct mqtt_server *s, struct str client_id)
{
    return s->shards[hash_bytes(client_id.p, client_id.n, s->seed) % s->shards_n];
}

uint64_t shard_number(struct mqtt_shard *shard)
{
    return 1 + atomic_fetch_add_explicit(&shard->server->number_last, 1, memory_order_relaxed);
}

/* ---- timers ---- */

static void wills_fired(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, due);
    wills_due(shard, worker_now_ns(shard->worker));
}

static void ends_fired(struct timer *t)
{
    sessions_due(CONTAINER_OF(t, struct mqtt_shard, ends));
}

static void done_hooked(struct tick_hook *h)
{
    record_done_flush(CONTAINER_OF(h, struct mqtt_shard, done_hook));
}

static void done_retried(struct timer *t)
{
    record_done_flush(CONTAINER_OF(t, struct mqtt_shard, done_timer));
}

static void retry(struct mqtt_connection *c)
{
    if (c->paused || c->journal_full)
        task_wake(&c->task);
}

static void retry_fired(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, retry);
    connections_each(shard, retry);
}

static void go_on(struct mqtt_connection *c)
{
    if (!c->crowded)
        return;
    c->crowded = false;
    task_wake(&c->task);
}

static void room(struct bus_room *r)
{
    connections_each(CONTAINER_OF(r, struct mqtt_shard, room), go_on);
}

/* ---- from the first to the last day ---- */

struct mqtt_shard *shard_new(struct mqtt_server *s, struct worker *w)
{
    struct mqtt_shard *shard = mem_zero(s->alloc, sizeof(*shard));
    if (!shard)
        return NULL;
    shard->server = s;
    shard->worker = w;
    shard->index = worker_index(w);
    shard->alloc = s->alloc;
    shard->bus = s->cfg.bus;
    shard->journal = s->cfg.journal;
    shard->limits = &s->limits;
    shard->queue_piece = allowance_piece(s);
    connections_init(shard);
    pthread_mutex_init(&shard->lock, NULL);
    wills_init(shard);
    list_init(&shard->done);
    list_init(&shard->dirty);
    list_init(&shard->crowded);
    table_init(&shard->sessions, s->alloc, s->seed, s->limits.sessions_max, session_key);
    timer_init(&shard->due, w, wills_fired);
    timer_init(&shard->ends, w, ends_fired);
    timer_init(&shard->done_timer, w, done_retried);
    timer_init(&shard->retry, w, retry_fired);
    timer_init(&shard->room_back, w, publish_room_looked);
    timer_init(&shard->linger, w, linger_fired);
    timer_init(&shard->leaving, w, stop_looked);
    tick_hook_init(&shard->done_hook, done_hooked);
    shard->room.room = room;
    return shard;
}

void shard_close(struct mqtt_shard *shard)
{
    connections_each(shard, connection_abandon); /* their tasks are over or will never run */
    if (shard->journal)
        record_done_flush(shard);
}

void shard_free(struct mqtt_shard *shard)
{
    wills_free(shard);
    timer_cancel(&shard->watch);
    timer_cancel(&shard->due);
    timer_cancel(&shard->ends);
    timer_cancel(&shard->done_timer);
    timer_cancel(&shard->retry);
    timer_cancel(&shard->room_back);
    timer_cancel(&shard->linger);
    timer_cancel(&shard->leaving);
    tick_hook_cancel(&shard->done_hook);
    bus_room_cancel(&shard->room);
    sessions_free(shard);
    frames_free(shard);
    table_fini(&shard->sessions);
    vec_fini(shard->alloc, &shard->ended);
    vec_fini(shard->alloc, &shard->lingering);
    pthread_mutex_destroy(&shard->lock);
    mem_free(shard->alloc, shard, sizeof(*shard));
}
