/* Shared subscriptions: what a session held by one when it ends, and their replay.
 *
 * While the site runs the bus chooses one member of a share for each message. Which one is not
 * noted in the journal; the replay chooses anew. So while it goes on, who got what by a share is
 * written down here: when a record says that another member had the message (it sent it, or its
 * client has it), that member is given it, or it is done with. */
#include "protocol/mqtt_broker.h"

/* ---- a session ends ---- */

static void give(struct mqtt_session *s, const struct outgoing *o)
{
    if (o->message && o->qos && o->share_id)
        (void)bus_share_again(s->shard->bus, o->share_id, o->message, NULL);
}

static void give_ring(struct mqtt_session *s, const struct outgoing_ring *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        give(s, ring_at(r, i));
}

/* At QoS 1 a client may have had it, and another one gets it even so; at QoS 2 only what has never
 * left goes on [MQTT-4.8.2-5]. The middle of a queue that is only in the database goes with it: an
 * end must not wait for the disk. */
void shares_hand_over(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        const struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state == FLIGHT_SENT1 || (f->state == FLIGHT_SENT2 && !f->dup))
            give(s, &f->out);
    }
    give_ring(s, &s->transit->queue);
    if (s->transit->spill)
        give_ring(s, &s->transit->spill->tail);
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
    *n = (struct share_note){.seq = seq, .number = s->number, .share_id = share_id};
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
            shard_queue_left(holder->shard, bytes);
            s->transit->queued_bytes += bytes;
            shard_queue_entered(s->shard, bytes);
            return true;
        }
    }
    return false;
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
