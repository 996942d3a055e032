/* What waits for the window, the stream or the client, in the order in which it came. */
#include "protocol/mqtt_broker.h"

/* ---- rings ---- */

static bool ring_grow(struct alloc *a, struct outgoing_ring *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : 8;
    struct outgoing *v = mem_new(a, cap * sizeof(*v));
    if (!v)
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        v[i] = *ring_at(r, i);
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    r->v = v;
    r->cap = cap;
    r->head = 0;
    return true;
}

static bool ring_push(struct alloc *a, struct outgoing_ring *r, const struct outgoing *o)
{
    if (r->n == r->cap && !ring_grow(a, r))
        return false;
    r->n++;
    *ring_at(r, r->n - 1) = *o;
    return true;
}

static void skip(struct mqtt_session *s)
{
    s->queue.head = (s->queue.head + 1) & (s->queue.cap - 1);
    s->queue.n--;
    s->queue_at++;
}

static void skip_holes(struct mqtt_session *s)
{
    while (s->queue.n && !ring_at(&s->queue, 0)->message)
        skip(s);
}

/* ---- counts ---- */

static void count(struct mqtt_session *s, const struct outgoing *o)
{
    atomic_add_own(&s->queued, 1U);
    shard_queued_add(s->shard, 1);
    s->queued_qos0 += o->qos == 0;
}

static void uncount(struct mqtt_session *s, const struct outgoing *o)
{
    atomic_add_own(&s->queued, -1U);
    shard_queued_add(s->shard, -1);
    s->queued_qos0 -= o->qos == 0;
}

/* ---- the end that sends ---- */

struct outgoing *queue_first(struct mqtt_session *s)
{
    return s->queue.n ? ring_at(&s->queue, 0) : NULL;
}

void queue_pop(struct mqtt_session *s, bool moved)
{
    struct outgoing *o = ring_at(&s->queue, 0);
    uncount(s, o);
    if (!moved)
        outgoing_drop(s, o);
    skip(s);
    skip_holes(s);
}

/* ---- the end that is written to ---- */

static bool full(struct mqtt_session *s, const struct message *m)
{
    const struct mqtt_limits *l = s->shard->limits;
    size_t bytes = message_bytes(m);
    return s->queued >= l->queue_max || s->queued_bytes + bytes > l->queue_bytes_max ||
           !shard_queue_room(s->shard, bytes);
}

static void drop_oldest(struct mqtt_session *s)
{
    const struct outgoing *o = queue_first(s);
    mqtt_dropped(s->shard, MQTT_DROP_QUEUE_FULL);
    record_done(s, o->qos ? o->message->seq : 0, 0);
    queue_pop(s, false);
}

/* What does not fit, or has no memory, is done with. */
static void refuse(struct mqtt_session *s, struct outgoing *o, enum mqtt_drop why)
{
    mqtt_dropped(s->shard, why);
    record_done(s, o->qos ? o->message->seq : 0, 0);
    outgoing_forget_ids(s->shard->alloc, o);
}

void queue_add(struct mqtt_session *s, struct outgoing *o)
{
    if (o->qos == 0 && full(s, o->message)) {
        refuse(s, o, MQTT_DROP_QOS0_FULL);
        return;
    }
    while (s->queue.n && full(s, o->message))
        drop_oldest(s);
    if (full(s, o->message)) {
        refuse(s, o, MQTT_DROP_QUEUE_FULL);
        return;
    }
    if (!ring_push(s->shard->alloc, &s->queue, o)) {
        refuse(s, o, MQTT_DROP_NO_MEMORY);
        return;
    }
    outgoing_hold(s, o);
    count(s, o);
    session_changed(s);
}

/* ---- start and replay ---- */

static struct outgoing *find(const struct mqtt_session *s, uint64_t seq)
{
    for (uint32_t i = 0; i < s->queue.n; i++) {
        struct outgoing *o = ring_at(&s->queue, i);
        if (o->message && o->message->seq == seq)
            return o;
    }
    return NULL;
}

bool queue_holds(const struct mqtt_session *s, uint64_t seq)
{
    return find(s, seq);
}

bool queue_take(struct mqtt_session *s, uint64_t seq, struct outgoing *out)
{
    struct outgoing *o = find(s, seq);
    if (!o)
        return false;
    *out = *o;
    uncount(s, o);
    o->message = NULL;
    skip_holes(s);
    session_changed(s);
    return true;
}

bool queue_restore(struct mqtt_session *s, const struct outgoing *o)
{
    if (!ring_push(s->shard->alloc, &s->queue, o))
        return false;
    count(s, o);
    return true;
}

void queue_trim(struct mqtt_session *s)
{
    struct outgoing_ring *r = &s->queue;
    if (r->n || !r->cap)
        return;
    mem_free(s->shard->alloc, r->v, r->cap * sizeof(*r->v));
    *r = (struct outgoing_ring){0};
}

void queue_free(struct mqtt_session *s)
{
    while (queue_first(s))
        queue_pop(s, false);
    queue_trim(s);
}
