/* Shared subscriptions: what a session held by one when it ends, and their replay.
 *
 * Which member the bus has chosen for a message stands in the message's record. What goes to
 * another one later is noted then (GIVEN): a session ends, and what it held goes on. So a replay
 * gives each message to who had it. A note may be lost in a crash, as it starts no sync of its own:
 * then the replay chooses anew, and if another record says that somebody else had the message (it
 * sent it, or its client has it), that one is given it, or it is done with; for this, while a
 * replay goes on, who holds what by a share is written down here. */
#include "protocol/mqtt_broker.h"

/* ---- from one member to another ---- */

static struct message *copy(struct alloc *a, const struct message *m)
{
    struct message *c = message_new(a, message_topic(m), message_properties(m), message_payload(m));
    if (!c)
        return NULL;
    c->qos = m->qos;
    c->retain = m->retain;
    c->expiry_s = m->expiry_s;
    c->publisher = m->publisher;
    c->wall_ms = m->wall_ms;
    return c;
}

/* The record of a message that a session had which is not stored says just that: who is to have it
 * now needs one of its own. So it gets a message that has no record. */
void share_pass_on(struct mqtt_session *s, const struct outgoing *o)
{
    struct message *m = o->message;
    if (!m || !o->qos || !o->share_id)
        return;
    struct message *own = m->seq && !session_stored(s) ? copy(s->shard->alloc, m) : NULL;
    (void)bus_share_again(s->shard->bus, o->share_id, own ? own : m, NULL);
    message_unref(own);
}

static void pass_on_ring(struct mqtt_session *s, const struct outgoing_ring *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        share_pass_on(s, ring_at(r, i));
}

/* At QoS 1 a client may have had it, and another one gets it even so; at QoS 2 only what has never
 * left goes on [MQTT-4.8.2-5]. */
void shares_hand_over_window(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        const struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state == FLIGHT_SENT1 || (f->state == FLIGHT_SENT2 && !f->dup))
            share_pass_on(s, &f->out);
    }
}

/* Of a queue whose middle is only in the database the session lingers (mqtt_linger.c), unless it is
 * replayed, when one may wait for the disk. */
void shares_hand_over(struct mqtt_session *s)
{
    shares_hand_over_window(s);
    if (!worker_current() && s->transit->shared)
        while (s->transit->spill && spill_refill_now(s))
            for (struct outgoing *o; (o = queue_first(s)); queue_pop(s, false))
                share_pass_on(s, o);
    pass_on_ring(s, &s->transit->queue);
    if (s->transit->spill)
        pass_on_ring(s, &s->transit->spill->tail);
}

/* *own: the message that has a record by this, if it had none; else m. False: not now. */
static bool note_given(struct mqtt_session *s, const struct sub_options *sub, struct message *m,
                       struct message **own)
{
    unsigned qos = m->qos < sub->qos ? m->qos : sub->qos;
    bool keeps = qos && session_stored(s);
    uint64_t seq = 0;
    *own = m;
    if (!s->shard->journal || (!m->seq && !keeps))
        return true;
    struct message *mine = m->seq ? NULL : copy(s->shard->alloc, m);
    if (!m->seq && !mine)
        return true; /* without memory it goes as it is, and does not outlive us */
    enum err err = record_given(s->shard, keeps ? session_number(s) : 0,
                                bus_share_key(s->shard->bus, sub->share_id), m,
                                m->seq && (keeps || qos < 2), &seq);
    if (mine && !err) {
        mine->seq = seq;
        *own = mine;
    } else {
        message_unref(mine);
    }
    if (!keeps && qos == 2 && !err && transit_own(s))
        s->transit->given = seq;
    return err != ERR_FULL; /* if the journal has failed the site goes on */
}

bool session_again(struct subscriber *sub, struct message *m, const struct sub_options *options)
{
    struct mqtt_session *s = CONTAINER_OF(sub, struct mqtt_session, subscriber);
    struct message *own = m;
    if (!s->shard->server->replaying && !note_given(s, options, m, &own))
        return false;
    session_deliver(sub, own, &options, 1, false);
    if (own != m)
        message_unref(own);
    return true;
}

/* ---- replay ---- */

static struct str seq_key(const struct share_note *n)
{
    return (struct str){(const char *)&n->seq, sizeof(n->seq)};
}

static struct mqtt_session *session_of(const struct mqtt_server *server, uint64_t number)
{
    return map_get(&server->by_number, (struct str){(const char *)&number, sizeof(number)});
}

void shares_noted(struct mqtt_session *s, uint64_t seq, uint32_t share_id)
{
    struct mqtt_server *server = s->shard->server;
    struct share_note *n = mem_new(server->alloc, sizeof(*n));
    if (!n)
        return; /* then a member may get once more what another one has had */
    *n = (struct share_note){.seq = seq, .number = session_number(s), .share_id = share_id};
    n->before = map_get(&server->share_notes, seq_key(n));
    if (n->before)
        (void)map_del(&server->share_notes, seq_key(n));
    if (map_put(&server->share_notes, seq_key(n), n)) {
        while (n) {
            struct share_note *before = n->before;
            mem_free(server->alloc, n, sizeof(*n));
            n = before;
        }
    }
}

void shares_forget(struct mqtt_server *server)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_next(&server->share_notes, &at, &key, &value);) {
        for (struct share_note *n = value, *before; n; n = before) {
            before = n->before;
            mem_free(server->alloc, n, sizeof(*n));
        }
    }
    map_fini(&server->share_notes);
}

bool shares_take(struct mqtt_session *s, uint64_t seq, struct outgoing *out)
{
    const struct mqtt_server *server = s->shard->server;
    const struct share_note *n =
        map_get(&server->share_notes, (struct str){(const char *)&seq, sizeof(seq)});
    for (; n; n = n->before) {
        struct mqtt_session *holder = session_of(server, n->number);
        if (holder && holder != s && bus_share_has(s->shard->bus, n->share_id, &s->subscriber) &&
            queue_take(holder, seq, false, out)) {
            size_t bytes = message_bytes(out->message);
            holder->transit->queued_bytes -= bytes;
            shard_queue_left(holder->shard, bytes, queue_kind_of(holder, out->qos));
            s->transit->queued_bytes += bytes;
            shard_queue_entered(s->shard, bytes, queue_kind_of(s, out->qos));
            return true;
        }
    }
    return false;
}

/* Takes it from who holds it, by this share if that is known. NULL: nobody does. */
static struct message *withdraw(const struct mqtt_server *server, uint64_t seq, uint32_t share_id)
{
    const struct share_note *n =
        map_get(&server->share_notes, (struct str){(const char *)&seq, sizeof(seq)});
    for (; n; n = n->before) {
        struct mqtt_session *holder = session_of(server, n->number);
        struct outgoing out;
        if (!holder || (share_id && n->share_id != share_id) ||
            !queue_take(holder, seq, false, &out))
            continue;
        struct message *m = message_ref(out.message);
        outgoing_drop(holder, &out);
        return m;
    }
    return NULL;
}

void shares_give(struct mqtt_session *s, uint64_t key, struct message *m)
{
    const struct sub_options plain = {.qos = m->qos & 3u}, *options = &plain;
    if (!bus_share_give(s->shard->bus, &s->subscriber, key, m))
        session_deliver(&s->subscriber, m, &options, 1, false); /* it has left the share since */
}

void shares_moved(struct mqtt_server *server, struct mqtt_session *s, uint64_t seq, uint64_t key)
{
    if (s && (window_holds(s, seq, 0) || queue_holds(s, seq)))
        return;
    struct message *m = withdraw(server, seq, bus_share_find(server->cfg.bus, key));
    if (m && s)
        shares_give(s, key, m);
    message_unref(m);
}

bool shares_held(const struct mqtt_server *server, uint64_t seq, uint32_t share_id)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_next(&server->by_number, &at, &key, &value);) {
        const struct mqtt_session *s = value;
        if (s->subscriber.shares && (window_holds(s, seq, 0) || queue_holds(s, seq)) &&
            bus_share_has(s->shard->bus, share_id, &s->subscriber))
            return true;
    }
    return false;
}
