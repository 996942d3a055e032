/* Shared subscriptions: what a session held by one when it ends, and their replay.
 *
 * While the site runs the bus chooses one member of a share for each message. Which one is not
 * noted in the journal; the replay chooses anew. So while it goes on, who got what by a share is
 * written down here: when a record says that another member had the message (it sent it, or its
 * client has it), that member is given it, or it is done with. */
#include "protocol/mqtt_broker.h"

#include <string.h>

/* ---- which share was it? ---- */

struct origin {
    struct str topic;
    uint32_t share_id;
    bool own; /* one that is not shared matches */
};

static void match(void *ctx, const struct subscription *sub)
{
    struct origin *o = ctx;
    if (!sub->qos || !mqtt_filter_match(sub->filter, o->topic))
        return;
    if (sub->share_id)
        o->share_id = sub->share_id;
    else
        o->own = true;
}

/* ---- claims: what is left of the subscriptions of a session that has ended ---- */

struct claims {
    size_t size, n;
    uint8_t text[]; /* share_id, length, filter; and so on */
};
struct claim {
    uint32_t share_id; /* 0: it is not shared */
    uint16_t filter_n;
};

static void measure(void *ctx, const struct subscription *sub)
{
    size_t *size = ctx;
    *size += sizeof(struct claim) + sub->filter.n;
}

static void copy(void *ctx, const struct subscription *sub)
{
    struct writer *w = ctx;
    const struct claim head = {sub->qos ? sub->share_id : 0, (uint16_t)sub->filter.n};
    if (!sub->qos)
        return;
    writer_bytes(w, (const uint8_t *)&head, sizeof(head));
    writer_bytes(w, (const uint8_t *)sub->filter.p, sub->filter.n);
}

static struct claims *claims_new(const struct mqtt_session *s)
{
    size_t size = sizeof(struct claims);
    bus_subscriptions_each(&s->subscriber, measure, &size);
    struct claims *c = mem_zero(s->shard->alloc, size);
    if (!c)
        return NULL;
    c->size = size;
    struct writer w = writer_from(c->text, size - sizeof(*c));
    bus_subscriptions_each(&s->subscriber, copy, &w);
    ASSERT(!w.failed);
    c->n = writer_len(&w);
    return c;
}

static void match_claims(struct origin *o, const struct claims *c)
{
    struct cursor at = cursor_from(c->text, c->n);
    while (cursor_left(&at)) {
        struct claim head;
        memcpy(&head, cursor_take(&at, sizeof(head)).p, sizeof(head));
        struct bytes text = cursor_take(&at, head.filter_n);
        const struct subscription sub = {
            .filter = {(const char *)text.p, text.n}, .qos = 1, .share_id = head.share_id};
        match(o, &sub);
    }
}

/* The database does not know, as the numbers of shares last no longer than we do. What may have
 * come by another subscription as well stays: it must not be delivered twice. */
void shares_guess(struct mqtt_session *s, struct outgoing *o)
{
    struct origin from = {.topic = message_topic(o->message)};
    if (s->claims)
        match_claims(&from, s->claims);
    else if (s->subscriber.shares)
        bus_subscriptions_each(&s->subscriber, match, &from);
    o->share_id = from.own ? 0 : from.share_id;
}

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

/* Who comes back, and a start, must not wait for the disk: where the middle of its queue is in the
 * database only, the session lives on for it, unseen, and as no member any more. Its rows stay
 * until they have been read; a crash before that finds it ended, or alive and with its time over.
 */
bool shares_stay(struct mqtt_session *s)
{
    if (!s->transit->spill || !s->subscriber.shares)
        return false;
    while (!worker_current() && s->transit->spill && spill_refill_now(s))
        continue; /* the replay has the time */
    if (!s->transit->spill)
        return false;
    s->claims = claims_new(s);
    return s->claims;
}

void shares_go_on(struct mqtt_session *s)
{
    struct outgoing *o;
    while ((o = queue_first(s))) {
        give(s, o);
        queue_pop(s, false);
    }
    if (queue_empty(s))
        session_gone(s);
}

void shares_end(struct mqtt_session *s)
{
    if (s->claims)
        mem_free(s->shard->alloc, s->claims, s->claims->size);
    s->claims = NULL;
}

/* At QoS 1 a client may have had it, and another one gets it even so; at QoS 2 only what has never
 * left goes on [MQTT-4.8.2-5]. */
void shares_hand_over(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        const struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state == FLIGHT_SENT1 || (f->state == FLIGHT_SENT2 && !f->dup))
            give(s, &f->out);
    }
    if (s->claims) {
        shares_go_on(s);
        return;
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
