/* What waits for the window, the stream or the client, in the order in which it came. */
#include "protocol/mqtt_broker.h"

/* ---- rings ---- */

bool ring_reserve(struct alloc *a, struct outgoing_ring *r, uint32_t more)
{
    uint32_t cap = r->cap ? r->cap : 8;
    while (cap - r->n < more)
        cap *= 2;
    if (cap == r->cap)
        return true;
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

void ring_push(struct outgoing_ring *r, const struct outgoing *o)
{
    ASSERT(r->n < r->cap);
    r->n++;
    *ring_at(r, r->n - 1) = *o;
}

void ring_free(struct alloc *a, struct outgoing_ring *r)
{
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    *r = (struct outgoing_ring){0};
}

static void skip(struct mqtt_session *s)
{
    s->transit->queue.head = (s->transit->queue.head + 1) & (s->transit->queue.cap - 1);
    s->transit->queue.n--;
    s->transit->queue_at++;
}

void queue_skip_holes(struct mqtt_session *s)
{
    while (s->transit->queue.n && !ring_at(&s->transit->queue, 0)->message)
        skip(s);
}

void queue_count(struct mqtt_session *s, const struct outgoing *o, int n)
{
    atomic_add_own(&s->queued, (uint32_t)n);
    shard_queued_add(s->shard, n);
    if (o->qos == 0)
        s->transit->queued_qos0 += (uint32_t)n;
}

/* ---- the end that sends ---- */

struct outgoing *queue_first(struct mqtt_session *s)
{
    return s->transit->queue.n ? ring_at(&s->transit->queue, 0) : NULL;
}

bool queue_empty(const struct mqtt_session *s)
{
    return !s->transit->queue.n && !s->transit->spill;
}

void queue_pop(struct mqtt_session *s, bool moved)
{
    struct outgoing *o = ring_at(&s->transit->queue, 0);
    queue_count(s, o, -1);
    if (!moved)
        outgoing_drop(s, o);
    skip(s);
    queue_skip_holes(s);
    if (s->transit->spill)
        spill_refill(s);
    if (s->refusal)
        refuse_look(s);
}

/* ---- the end that is written to ---- */

/* What is stored leaves memory with the next checkpoint, and the journal bounds what waits for
 * that; so there it is the disk that bounds a session. A replay brings back what was taken already.
 */
static bool full(struct mqtt_session *s, const struct outgoing *o)
{
    const struct mqtt_limits *l = s->shard->limits;
    size_t bytes = message_bytes(o->message), all = s->transit->queued_bytes + bytes;
    if (s->queued >= l->queue_max)
        return true;
    if (session_stored(s) && o->qos && o->message->seq) {
        if (all + (s->transit->spill ? s->transit->spill->bytes : 0) > l->queue_stored_bytes_max)
            return true;
    } else if (all > l->queue_bytes_max) {
        return true;
    }
    return !s->shard->server->replaying &&
           !shard_queue_room(s->shard, bytes, queue_kind_of(s, o->qos));
}

void queue_tell(struct mqtt_session *s, enum mqtt_drop why)
{
    bool oldest = s->shard->limits->queue_full == MQTT_FULL_DROP_OLDEST;
    bool *told = why == MQTT_DROP_QOS0_FULL ? &s->slow_told : &s->full_told;
    const char *what = why == MQTT_DROP_QOS0_FULL ? "QoS 0" : oldest ? "the oldest" : "the newest";
    if (!*told)
        LOG_W("mqtt", "%.*s: its queue is full: %s messages are dropped", STR_FMT(session_id(s)),
              what);
    *told = true;
}

static void drop_oldest(struct mqtt_session *s)
{
    const struct outgoing *o = queue_first(s);
    queue_tell(s, MQTT_DROP_QUEUE_FULL);
    mqtt_dropped(s->shard, MQTT_DROP_QUEUE_FULL);
    record_done(s, o->qos ? o->message->seq : 0, 0);
    queue_pop(s, false);
}

/* What does not fit, or has no memory, is done with. */
static void refuse(struct mqtt_session *s, struct outgoing *o, enum mqtt_drop why)
{
    if (why != MQTT_DROP_NO_MEMORY)
        queue_tell(s, why);
    mqtt_dropped(s->shard, why);
    record_done(s, o->qos ? o->message->seq : 0, 0);
    outgoing_forget_ids(s->shard->alloc, o);
}

void queue_add(struct mqtt_session *s, struct outgoing *o)
{
    if (o->qos == 0 && full(s, o)) {
        refuse(s, o, MQTT_DROP_QOS0_FULL);
        return;
    }
    if (session_stored(s) && full(s, o))
        spill_some(s); /* what is stored by now makes room */
    while (s->shard->limits->queue_full == MQTT_FULL_DROP_OLDEST && s->transit->queue.n &&
           full(s, o))
        drop_oldest(s);
    if (full(s, o)) {
        refuse(s, o, MQTT_DROP_QUEUE_FULL);
        return;
    }
    bool own = transit_own(s);
    struct outgoing_ring *end = s->transit->spill ? &s->transit->spill->tail : &s->transit->queue;
    if (!own || !ring_reserve(s->shard->alloc, end, 1)) {
        refuse(s, o, MQTT_DROP_NO_MEMORY);
        return;
    }
    ring_push(end, o);
    s->transit->shared = s->transit->shared || o->share_id;
    outgoing_hold(s, o);
    queue_count(s, o, 1);
    session_changed(s);
    if (session_stored(s))
        spill_some(s);
    if (s->shard->limits->queue_full == MQTT_FULL_REFUSE)
        refuse_look(s);
}

/* ---- start and replay ---- */

static struct outgoing *find(const struct outgoing_ring *r, uint64_t seq)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct outgoing *o = ring_at(r, i);
        if (o->message && o->message->seq == seq)
            return o;
    }
    return NULL;
}

static struct outgoing *find_anywhere(const struct mqtt_session *s, uint64_t seq)
{
    struct outgoing *o = find(&s->transit->queue, seq);
    return o || !s->transit->spill ? o : find(&s->transit->spill->tail, seq);
}

bool queue_holds(const struct mqtt_session *s, uint64_t seq)
{
    return find_anywhere(s, seq) || (s->transit->spill && spill_holds(s, seq));
}

/* Messages mostly have rising numbers, so what is not sure to be there is looked for only where it
 * may be. */
static bool may_come(const struct mqtt_session *s, uint64_t seq)
{
    const struct outgoing *last =
        s->transit->queue.n ? ring_at(&s->transit->queue, s->transit->queue.n - 1) : NULL;
    return !last || !last->message || last->message->seq < seq;
}

bool queue_take(struct mqtt_session *s, uint64_t seq, bool sure, struct outgoing *out)
{
    struct outgoing *o = find_anywhere(s, seq);
    while (!o && s->transit->spill && (sure || may_come(s, seq)) && spill_refill_now(s))
        o = find_anywhere(s, seq);
    if (!o)
        return false;
    *out = *o;
    queue_count(s, o, -1);
    s->transit->requeue = s->transit->requeue || o != queue_first(s);
    o->message = NULL;
    queue_skip_holes(s);
    session_changed(s);
    return true;
}

bool queue_restore(struct mqtt_session *s, const struct outgoing *o, int64_t position)
{
    const struct outgoing hole = {0};
    if (!transit_own(s))
        return false;
    if (!s->transit->queue.n)
        s->transit->queue_at = position;
    int64_t more = position - (s->transit->queue_at + s->transit->queue.n) + 1;
    if (more < 1 || more > UINT32_MAX / 4 ||
        !ring_reserve(s->shard->alloc, &s->transit->queue, (uint32_t)more))
        return false;
    while (s->transit->queue_at + s->transit->queue.n < position)
        ring_push(&s->transit->queue, &hole);
    ring_push(&s->transit->queue, o);
    return true;
}

void queue_trim(struct mqtt_session *s)
{
    if (!s->transit->queue.n)
        ring_free(s->shard->alloc, &s->transit->queue);
}

void queue_free(struct mqtt_session *s)
{
    if (s->transit->spill)
        spill_free(s);
    while (queue_first(s))
        queue_pop(s, false);
    queue_trim(s);
}
