/* Messages on their way to a client: what they are made of, and how they are written. */
#include "protocol/mqtt_broker.h"

#include <string.h>

#define IDS_MAX 1000 /* subscription ids of one message; what is above is not listed */

/* ---- one message ---- */

void outgoing_forget_ids(struct alloc *a, struct outgoing *o)
{
    if (o->ids_n > 1)
        mem_free(a, o->sub_ids, o->ids_n * sizeof(*o->sub_ids));
    o->ids_n = 0;
}

void outgoing_drop(struct mqtt_session *s, struct outgoing *o)
{
    size_t bytes = message_bytes(o->message);
    s->transit->queued_bytes -= bytes;
    shard_queue_left(s->shard, bytes, queue_kind_of(s, o->qos));
    outgoing_forget_ids(s->shard->alloc, o);
    message_unref(o->message);
    o->message = NULL;
}

void outgoing_hold(struct mqtt_session *s, const struct outgoing *o)
{
    size_t bytes = message_bytes(o->message);
    message_ref(o->message);
    s->transit->queued_bytes += bytes;
    shard_queue_entered(s->shard, bytes, queue_kind_of(s, o->qos));
}

/* The granted QoS, the retain flag and the subscription ids of a delivery. False: no memory. */
static bool compose(struct mqtt_session *s, struct message *m,
                    const struct sub_options *const *subs, size_t n, bool retained,
                    struct outgoing *o)
{
    size_t ids = 0;
    *o = (struct outgoing){.message = m, .share_id = subs[0]->share_id};
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

/* What has waited too long to be sent: longer than the right to have it, or than its expiry. One
 * that was sent before is sent again. */
static bool too_late(const struct mqtt_connection *c, const struct message *m, bool dup)
{
    struct mqtt_shard *shard = c->shard;
    if (!session_may(c->session, ACCESS_DELIVER, message_topic(m), NULL)) {
        mqtt_dropped(shard, MQTT_DROP_WITHHELD);
        return true;
    }
    if (m->expiry_s == UINT32_MAX || dup ||
        message_expiry_left_s(m, worker_now_ms(shard->worker)) > 0)
        return false;
    mqtt_dropped(shard, MQTT_DROP_EXPIRED);
    return true;
}

enum sent outgoing_transmit(struct mqtt_connection *c, const struct outgoing *o, uint16_t id,
                            bool dup)
{
    const struct message *m = o->message;
    if (too_late(c, m, dup))
        return SENT_NEVER;
    enum sent sent = frame_send(c, o, id, dup);
    if (sent == SENT) {
        atomic_add_own(&c->sent, 1);
        metric_add_own(&c->shard->count.sent, 1);
    } else if (sent == SENT_NEVER) {
        mqtt_dropped(c->shard, MQTT_DROP_TOO_LARGE);
    }
    return sent;
}

/* The first of the queue. False: it has to wait. */
static bool send_head(struct mqtt_session *s, struct outgoing *o)
{
    if (o->qos && !window_open(s))
        return false;
    enum sent sent = o->qos ? window_take(s, o) : outgoing_transmit(s->connection, o, 0, false);
    if (sent == SENT_LATER)
        return false;
    if (sent == SENT_NEVER && o->qos)
        record_done(s, o->message->seq, 0);
    session_changed(s);
    queue_pop(s, sent == SENT && o->qos);
    return true;
}

void outgoing_pump(struct mqtt_session *s)
{
    struct outgoing *o;
    s->connection->journal_full = false;
    (void)window_send(s);
    if (s->transit->spill)
        spill_refill(s);
    while ((o = queue_first(s)) && send_head(s, o))
        continue;
    session_presence(s);
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
    if (o->qos == 0 && s->transit->queued_qos0 == 0)
        sent = outgoing_transmit(s->connection, o, 0, false);
    else if (o->qos && queue_empty(s) && window_open(s))
        sent = window_take(s, o);
    if (sent == SENT_LATER)
        return false;
    if (sent == SENT && o->qos) {
        outgoing_hold(s, o);
        session_changed(s);
        return true;
    }
    if (o->qos)
        record_done(s, o->message->seq, 0);
    outgoing_forget_ids(s->shard->alloc, o);
    return true;
}

/* What the database had may be ahead of where the replay began (see checkpoint.h): what is held is
 * not added once more. */
static bool replay_wants(const struct mqtt_session *s, const struct message *m, bool retained)
{
    const struct mqtt_server *server = s->shard->server;
    if (retained && m->seq > server->replaying)
        return false; /* newer than the subscription: its own record is still to come */
    return m->seq > server->restored_to || (!window_holds(s, m->seq, 0) && !queue_holds(s, m->seq));
}

/* The same for a share, where any member may hold it. */
static bool replay_wants_share(struct mqtt_session *s, const struct message *m, uint32_t share_id)
{
    const struct mqtt_server *server = s->shard->server;
    if (m->seq <= server->restored_to && shares_held(server, m->seq, share_id))
        return false;
    shares_noted(s, m->seq, share_id);
    return true;
}

void session_deliver(struct subscriber *sub, struct message *m,
                     const struct sub_options *const *subs, size_t n, bool retained)
{
    struct mqtt_session *s = CONTAINER_OF(sub, struct mqtt_session, subscriber);
    struct outgoing o;
    if (s->shard->server->replaying && !replay_wants(s, m, retained))
        return;
    if (s->shard->server->replaying && subs[0]->share_id &&
        !replay_wants_share(s, m, subs[0]->share_id))
        return;
    if (!compose(s, m, subs, n, retained, &o)) {
        mqtt_dropped(s->shard, MQTT_DROP_NO_MEMORY);
        return;
    }
    if (send_now(s, &o))
        return;
    if (o.qos == 0 && !s->connection)
        outgoing_forget_ids(s->shard->alloc, &o); /* QoS 0 does not wait for who is not there */
    else
        queue_add(s, &o);
    if (is_open(s) && s->connection->journal_full)
        task_wake(&s->connection->task); /* it waits for a commit */
    session_presence(s);
}

bool transit_own(struct mqtt_session *s)
{
    if (s->transit != &s->shard->rest)
        return true;
    struct transit *own = mem_zero(s->shard->alloc, sizeof(*own));
    if (!own)
        return false;
    own->session = s;
    own->new_in_db = true;
    list_init(&own->done_link);
    list_init(&own->dirty);
    list_init(&own->crowded);
    s->transit = own;
    return true;
}

static void disown(struct mqtt_session *s)
{
    struct alloc *a = s->shard->alloc;
    struct transit *own = s->transit;
    if (own == &s->shard->rest)
        return;
    received_fini(a, &own->received);
    vec_fini(a, &own->done);
    list_del(&own->done_link);
    list_del(&own->dirty);
    list_del(&own->crowded);
    mem_free(a, own, sizeof(*own));
    s->transit = &s->shard->rest;
}

void outgoing_trim(struct mqtt_session *s)
{
    const struct transit *t = s->transit;
    flight_trim(s->shard->alloc, &s->transit->flight);
    queue_trim(s);
    if (!session_number(s) && !t->flight.cap && !t->queue.cap && !t->received.ids.n)
        disown(s);
}

void outgoing_free(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++)
        if (flight_at(&s->transit->flight, i)->out.message)
            outgoing_drop(s, &flight_at(&s->transit->flight, i)->out);
    s->transit->flight.n = 0;
    queue_free(s);
    outgoing_trim(s);
    disown(s);
}
