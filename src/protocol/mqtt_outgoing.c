/* Messages on their way to a client: the window of those sent, behind it the queue. */
#include "protocol/mqtt_broker.h"

#include <string.h>

#define IDS_MAX 1000 /* subscription ids of one message; what is above is not listed */

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

bool outgoing_push(struct alloc *a, struct outgoing_ring *r, const struct outgoing *o)
{
    if (r->n == r->cap && !ring_grow(a, r))
        return false;
    r->n++;
    *ring_at(r, r->n - 1) = *o;
    return true;
}

static void ring_skip(struct outgoing_ring *r)
{
    r->head = (r->head + 1) & (r->cap - 1);
    r->n--;
}

static void ring_trim(struct alloc *a, struct outgoing_ring *r)
{
    if (r->n || !r->cap)
        return;
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    *r = (struct outgoing_ring){0};
}

/* ---- one message ---- */

static void forget_ids(struct alloc *a, struct outgoing *o)
{
    if (o->ids_n > 1)
        mem_free(a, o->sub_ids, o->ids_n * sizeof(*o->sub_ids));
    o->ids_n = 0;
}

/* Lets go of the message; the place in its ring becomes a hole. */
static void empty(struct mqtt_session *s, struct outgoing *o)
{
    size_t bytes = message_bytes(o->message);
    s->queued_bytes -= bytes;
    shard_queue_left(s->shard, bytes);
    forget_ids(s->shard->alloc, o);
    message_unref(o->message);
    o->message = NULL;
}

static void hold(struct mqtt_session *s, const struct outgoing *o)
{
    size_t bytes = message_bytes(o->message);
    message_ref(o->message);
    s->queued_bytes += bytes;
    shard_queue_entered(s->shard, bytes);
}

/* The granted QoS, the retain flag and the subscription ids of a delivery. False: no memory. */
static bool compose(struct mqtt_session *s, struct message *m,
                    const struct sub_options *const *subs, size_t n, bool retained,
                    struct outgoing *o)
{
    size_t ids = 0;
    *o = (struct outgoing){.message = m};
    for (size_t i = 0; i < n; i++) {
        o->qos = subs[i]->qos > o->qos ? subs[i]->qos : o->qos;
        o->retain = o->retain || (m->retain && subs[i]->retain_as_published);
        ids += subs[i]->id != 0;
    }
    o->qos = m->qos < o->qos ? m->qos : o->qos; /* checklist 13 */
    o->retain = o->retain || retained;
    ids = ids > IDS_MAX ? IDS_MAX : ids;
    uint32_t *list = &o->sub_id;
    if (ids > 1 && !(list = mem_new(s->shard->alloc, ids * sizeof(*list))))
        return false;
    for (size_t i = 0; i < n && o->ids_n < ids; i++)
        if (subs[i]->id)
            list[o->ids_n++] = subs[i]->id;
    if (ids > 1)
        o->sub_ids = list;
    return true;
}

/* ---- to the wire ---- */

static void props_of(const struct message *m, struct mqtt_props *out)
{
    struct bytes raw = message_properties(m);
    struct cursor at = cursor_from(raw.p, raw.n);
    struct mqtt_prop one;
    out->raw = raw;
    while (mqtt_prop_next(&at, &one)) {
        struct str v = one.value;
        out->has |= MQTT_HAS(one.id);
        if (one.id == MQTT_PROP_PAYLOAD_FORMAT)
            out->payload_format = (uint8_t)one.number;
        else if (one.id == MQTT_PROP_CONTENT_TYPE)
            out->content_type = v;
        else if (one.id == MQTT_PROP_RESPONSE_TOPIC)
            out->response_topic = v;
        else if (one.id == MQTT_PROP_CORRELATION_DATA)
            out->correlation_data = (struct bytes){(const uint8_t *)v.p, v.n};
    }
}

enum sent { SENT, SENT_LATER, SENT_NEVER };

static enum sent put(struct mqtt_connection *c, const struct mqtt_publish *p)
{
    size_t n = mqtt_publish_size(c->version, p);
    if (n == 0 || n > c->packet_size_max)
        return SENT_NEVER; /* checklist 20: dropped, as if it had been delivered */
    if (!connection_room(c, n))
        return SENT_LATER;
    uint8_t *room = stream_reserve(c->stream, n);
    if (!room) /* if not even an empty stream takes it, none ever will */
        return stream_write_pending(c->stream) ? SENT_LATER : SENT_NEVER;
    struct writer w = writer_from(room, n);
    enum err err = mqtt_put_publish(c->version, p, &w);
    stream_commit(c->stream, err ? 0 : n);
    shard_sent(c->shard, !err, err ? 0 : n);
    return err ? SENT_NEVER : SENT;
}

static enum sent transmit(struct mqtt_connection *c, const struct outgoing *o)
{
    const struct message *m = o->message;
    struct mqtt_shard *shard = c->shard;
    if (!session_may(c->session, ACCESS_DELIVER, message_topic(m), NULL)) {
        mqtt_dropped(shard,
                     MQTT_DROP_WITHHELD); /* it has waited longer than the right to have it */
        return SENT_NEVER;
    }
    struct mqtt_publish p = {.dup = o->dup,
                             .retain = o->retain,
                             .qos = o->qos,
                             .id = o->packet_id,
                             .topic = message_topic(m),
                             .payload = message_payload(m),
                             .subscription_ids = o->ids_n > 1 ? o->sub_ids : &o->sub_id,
                             .subscription_ids_n = o->ids_n};
    if (m->expiry_s != UINT32_MAX) {
        p.props.message_expiry_s = message_expiry_left_s(m, worker_now_ms(shard->worker));
        if (!p.props.message_expiry_s && !o->dup) { /* one that was sent before is sent again */
            mqtt_dropped(shard, MQTT_DROP_EXPIRED);
            return SENT_NEVER;
        }
    }
    if (m->properties_len && c->version == MQTT_V5)
        props_of(m, &p.props);
    if (m->expiry_s != UINT32_MAX)
        p.props.has |= MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY);
    enum sent sent = put(c, &p);
    if (sent == SENT) {
        atomic_add_own(&c->sent, 1);
        metric_add_own(&shard->count.sent, 1);
    } else if (sent == SENT_NEVER) {
        mqtt_dropped(shard, MQTT_DROP_TOO_LARGE);
    }
    return sent;
}

/* ---- the window ---- */

static uint32_t window(const struct mqtt_session *s)
{
    const struct mqtt_connection *c = s->connection;
    uint32_t max = s->shard->limits->inflight_max;
    return c->receive_max < max ? c->receive_max : max;
}

static bool window_open(const struct mqtt_session *s)
{
    return s->resent == s->flight.n && s->unacked < window(s) &&
           s->flight.n < s->shard->limits->inflight_max;
}

/* Sends a message at QoS 1 and remembers it. The window is open. */
static enum sent send_first(struct mqtt_session *s, const struct outgoing *o)
{
    struct outgoing x = *o;
    x.packet_id = s->next_id;
    if (s->flight.n == s->flight.cap && !ring_grow(s->shard->alloc, &s->flight))
        return SENT_LATER;
    enum sent sent = transmit(s->connection, &x);
    if (sent != SENT)
        return sent;
    bool pushed = outgoing_push(s->shard->alloc, &s->flight, &x);
    ASSERT(pushed); /* there was room */
    s->next_id = s->next_id == UINT16_MAX ? 1 : (uint16_t)(s->next_id + 1);
    s->resent++;
    s->unacked++;
    return SENT;
}

static void flight_shrink(struct mqtt_session *s)
{
    while (s->flight.n && !ring_at(&s->flight, 0)->message) {
        ring_skip(&s->flight);
        s->resent -= s->resent > 0;
    }
}

/* After a reconnect: what was not acknowledged, with its id and DUP, in order (checklist 15). */
static bool resend(struct mqtt_session *s)
{
    while (s->resent < s->flight.n && s->unacked < window(s)) {
        struct outgoing *o = ring_at(&s->flight, s->resent);
        if (o->message) {
            o->dup = true;
            enum sent sent = transmit(s->connection, o);
            if (sent == SENT_LATER)
                return false;
            if (sent == SENT) {
                s->unacked++;
            } else {
                record_done(s, o->message);
                empty(s, o);
            }
        }
        s->resent++;
    }
    flight_shrink(s);
    return s->resent == s->flight.n;
}

/* ---- the queue ---- */

static void queue_skip(struct mqtt_session *s)
{
    ring_skip(&s->queue);
    s->queue_at++;
}

static void queue_uncount(struct mqtt_session *s, const struct outgoing *o)
{
    atomic_add_own(&s->queued, -1U);
    shard_queued_add(s->shard, -1);
    s->queued_qos0 -= o->qos == 0;
}

/* Takes the head out; the reference goes along if `moved`. */
static void queue_pop(struct mqtt_session *s, bool moved)
{
    struct outgoing *o = ring_at(&s->queue, 0);
    if (o->message) {
        queue_uncount(s, o);
        if (!moved)
            empty(s, o);
    }
    queue_skip(s);
}

static bool send_head(struct mqtt_session *s)
{
    struct outgoing *o = ring_at(&s->queue, 0);
    if (!o->message) {
        queue_skip(s);
        return true;
    }
    if (o->qos && !window_open(s))
        return false;
    enum sent sent = o->qos ? send_first(s, o) : transmit(s->connection, o);
    if (sent == SENT_LATER)
        return false;
    if (sent == SENT_NEVER)
        record_done(s, o->message);
    session_changed(s);
    queue_pop(s, sent == SENT && o->qos);
    return true;
}

void outgoing_pump(struct mqtt_session *s)
{
    if (!resend(s))
        return;
    while (s->queue.n && send_head(s))
        continue;
}

static bool queue_full(const struct mqtt_session *s, const struct message *m)
{
    const struct mqtt_limits *l = s->shard->limits;
    size_t bytes = message_bytes(m);
    return s->queued >= l->queue_max || s->queued_bytes + bytes > l->queue_bytes_max ||
           !shard_queue_room(s->shard, bytes);
}

static void drop_oldest(struct mqtt_session *s)
{
    const struct outgoing *o = ring_at(&s->queue, 0);
    if (o->message) {
        mqtt_dropped(s->shard, MQTT_DROP_QUEUE_FULL);
        record_done(s, o->message);
    }
    queue_pop(s, false);
}

static void enqueue(struct mqtt_session *s, struct outgoing *o)
{
    if (o->qos == 0 && queue_full(s, o->message)) {
        mqtt_dropped(s->shard, MQTT_DROP_QOS0_FULL);
        forget_ids(s->shard->alloc, o);
        return;
    }
    while (s->queue.n && queue_full(s, o->message))
        drop_oldest(s);
    if (queue_full(s, o->message) || !outgoing_push(s->shard->alloc, &s->queue, o)) {
        mqtt_dropped(s->shard, MQTT_DROP_QUEUE_FULL);
        record_done(s, o->message);
        forget_ids(s->shard->alloc, o);
        return;
    }
    hold(s, o);
    atomic_add_own(&s->queued, 1U);
    shard_queued_add(s->shard, 1);
    s->queued_qos0 += o->qos == 0;
    session_changed(s);
}

/* ---- the bus ---- */

static bool is_open(const struct mqtt_session *s)
{
    return s->connection && s->connection->state == CONNECTION_OPEN;
}

/* True if nothing more is to be done with it. */
static bool send_now(struct mqtt_session *s, struct outgoing *o)
{
    enum sent sent = SENT_LATER;
    if (!is_open(s))
        return false;
    if (o->qos == 0 && s->queued_qos0 == 0)
        sent = transmit(s->connection, o);
    else if (o->qos && !s->queue.n && window_open(s))
        sent = send_first(s, o);
    if (sent == SENT_LATER)
        return false;
    if (sent == SENT && o->qos) {
        hold(s, o);
        session_changed(s);
        return true;
    }
    if (o->qos)
        record_done(s, o->message);
    forget_ids(s->shard->alloc, o);
    return true;
}

static bool holds(const struct outgoing_ring *r, uint64_t seq)
{
    for (uint32_t i = r->n; i > 0; i--) {
        const struct message *m = ring_at(r, i - 1)->message;
        if (m && m->seq == seq)
            return true;
    }
    return false;
}

/* What the database had may be ahead of where the replay began (see checkpoint.h). */
static bool replay_wants(const struct mqtt_session *s, const struct message *m, bool retained)
{
    const struct mqtt_server *server = s->shard->server;
    if (retained && m->seq > server->replaying)
        return false; /* newer than the subscription: its own record is still to come */
    return m->seq > server->restored_to ||
           (!holds(&s->queue, m->seq) && !holds(&s->flight, m->seq));
}

void session_deliver(struct subscriber *sub, struct message *m,
                     const struct sub_options *const *subs, size_t n, bool retained)
{
    struct mqtt_session *s = CONTAINER_OF(sub, struct mqtt_session, subscriber);
    struct outgoing o;
    if (s->shard->server->replaying && !replay_wants(s, m, retained))
        return;
    if (!compose(s, m, subs, n, retained, &o)) {
        mqtt_dropped(s->shard, MQTT_DROP_NO_MEMORY);
        return;
    }
    if (send_now(s, &o))
        return;
    if (o.qos == 0 && !s->connection)
        forget_ids(s->shard->alloc, &o); /* QoS 0 does not wait for who is not there */
    else
        enqueue(s, &o);
}

/* ---- acknowledgements ---- */

bool outgoing_acked(struct mqtt_session *s, uint16_t packet_id)
{
    if (!s->flight.n)
        return false;
    /* Ids are consecutive from the head; 0 is left out. */
    uint32_t i = packet_id, first = ring_at(&s->flight, 0)->packet_id;
    i = i >= first ? i - first : i + UINT16_MAX - first;
    if (!packet_id || i >= s->resent)
        return false;
    struct outgoing *o = ring_at(&s->flight, i);
    if (!o->message)
        return false;
    record_done(s, o->message);
    empty(s, o);
    s->unacked--;
    flight_shrink(s);
    session_changed(s);
    return true;
}

enum handled handle_puback(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    /* An id that is not known, as after an expired session, has nothing to release. */
    if (outgoing_acked(c->session, p->ack.id) && c->session->queue.n)
        outgoing_pump(c->session);
    return HANDLED;
}

static bool forget_in(struct mqtt_session *s, struct outgoing_ring *r, uint64_t seq)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct outgoing *o = ring_at(r, i);
        if (!o->message || o->message->seq != seq)
            continue;
        if (r == &s->queue)
            queue_uncount(s, o);
        empty(s, o);
        return true;
    }
    return false;
}

void outgoing_forget(struct mqtt_session *s, uint64_t seq)
{
    if (!forget_in(s, &s->flight, seq) && !forget_in(s, &s->queue, seq))
        return;
    flight_shrink(s);
    while (s->queue.n && !ring_at(&s->queue, 0)->message)
        queue_skip(s);
    session_changed(s);
}

bool outgoing_restore(struct mqtt_session *s, const struct outgoing *o)
{
    const struct outgoing hole = {0};
    struct alloc *a = s->shard->alloc;
    if (!o->packet_id) {
        if (!outgoing_push(a, &s->queue, o))
            return false;
        atomic_add_own(&s->queued, 1U);
        shard_queued_add(s->shard, 1);
    } else {
        struct outgoing at = hole;
        for (uint16_t id = s->next_id; s->flight.n && id != o->packet_id;
             id = id == UINT16_MAX ? 1 : (uint16_t)(id + 1)) {
            at.packet_id = id;
            if (s->flight.n >= s->shard->limits->inflight_max || !outgoing_push(a, &s->flight, &at))
                return false;
        }
        if (!outgoing_push(a, &s->flight, o))
            return false;
        s->next_id = o->packet_id == UINT16_MAX ? 1 : (uint16_t)(o->packet_id + 1);
    }
    hold(s, o);
    message_unref(o->message); /* the reference was ours, hold() took one more */
    return true;
}

void outgoing_trim(struct mqtt_session *s)
{
    ring_trim(s->shard->alloc, &s->flight);
    ring_trim(s->shard->alloc, &s->queue);
}

void outgoing_free(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->flight.n; i++)
        if (ring_at(&s->flight, i)->message)
            empty(s, ring_at(&s->flight, i));
    s->flight.n = 0;
    while (s->queue.n)
        queue_pop(s, false);
    outgoing_trim(s);
}
