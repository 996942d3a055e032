/* The window: messages at QoS 1 and 2 that were given their packet id, until the client has them.
 *
 * Order: packets leave in the order of the ids. An entry whose note is not committed yet holds up
 * those behind it, so QoS 1 behind QoS 2 waits for the disk too, and order is one. PUBRELs leave in
 * the order of the PUBRECs: they wait among the answers (mqtt_pending.c). */
#include "protocol/mqtt_broker.h"

static uint32_t window(const struct mqtt_session *s)
{
    const struct mqtt_connection *c = s->connection;
    uint32_t max = s->shard->limits->inflight_max;
    return c->receive_max < max ? c->receive_max : max;
}

/* One message may always be on its way; more only as far as there is memory for them, or who reads
 * and never acknowledges would hold thousands of the largest. */
static bool affordable(const struct mqtt_session *s)
{
    return !s->transit->unacked ||
           (s->transit->flight_bytes < s->shard->limits->queue_bytes_max / 4 &&
            shard_queue_room(s->shard, 0, queue_kind_of(s, 1)));
}

bool window_open(const struct mqtt_session *s)
{
    return s->transit->sent >= s->transit->old && s->transit->unacked < window(s) &&
           s->transit->flight.n < s->shard->limits->inflight_max && affordable(s);
}

/* Whether the next packet of the entry may leave. If the journal has failed the site goes on. */
static bool stands(const struct mqtt_session *s, struct flight *f)
{
    const struct journal *j = s->shard->journal;
    if (f->noted && journal_committed(j) < f->noted && !journal_failed(j, NULL))
        return false;
    f->noted = 0;
    return true;
}

static void shrink(struct mqtt_session *s)
{
    uint32_t gone = flight_shrink(&s->transit->flight);
    s->transit->sent -= gone < s->transit->sent ? gone : s->transit->sent;
    s->transit->old -= gone < s->transit->old ? gone : s->transit->old;
}

static void let_go(struct mqtt_session *s, struct flight *f)
{
    if (!f->out.message)
        return;
    s->transit->flight_bytes -= message_bytes(f->out.message);
    outgoing_drop(s, &f->out);
}

void window_clear(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++)
        let_go(s, flight_at(&s->transit->flight, i));
    s->transit->flight.n = s->transit->sent = s->transit->old = s->transit->unacked = 0;
    flight_trim(s->shard->alloc, &s->transit->flight);
}

/* The entry becomes a hole. */
static void finish(struct mqtt_session *s, struct flight *f)
{
    record_done(s, f->seq, f->state == FLIGHT_SENT1 ? 0 : f->id);
    let_go(s, f);
    f->state = FLIGHT_DONE;
    s->transit->unacked -= f->counted;
    f->counted = false;
    session_changed(s);
}

/* ---- sending ---- */

/* False: not now. If the journal has failed the site goes on without. */
static bool note(struct mqtt_session *s, struct flight *f)
{
    if (f->state != FLIGHT_SENT2)
        return true;
    if (s->transit->given && s->transit->given > journal_committed(s->shard->journal))
        f->noted = s->transit->given;
    if (!f->seq || !session_stored(s))
        return true;
    enum err err = record_sent(s, f->seq, f->id, &f->noted);
    s->connection->journal_full = err && err != ERR_IO;
    return !s->connection->journal_full;
}

enum sent window_take(struct mqtt_session *s, const struct outgoing *o)
{
    if (!transit_own(s))
        return SENT_LATER;
    struct flight f = {.out = *o,
                       .seq = o->message->seq,
                       .id = s->next_id,
                       .state = o->qos == 2 ? FLIGHT_SENT2 : FLIGHT_SENT1,
                       .counted = true};
    if (!flight_reserve(s->shard->alloc, &s->transit->flight) || !note(s, &f))
        return SENT_LATER;
    if (f.noted || s->transit->sent < s->transit->flight.n) {
        task_wake(&s->connection->task); /* it waits for the commit */
    } else {
        enum sent sent = outgoing_transmit(s->connection, o, f.id, false);
        if (sent != SENT)
            return sent;
        f.dup = true; /* from now on */
        s->transit->sent++;
    }
    flight_push(&s->transit->flight, &f);
    s->transit->flight_bytes += message_bytes(o->message);
    s->next_id = flight_next_id(s->next_id);
    s->transit->unacked++;
    return SENT;
}

static enum sent send_release(struct mqtt_connection *c, uint16_t id)
{
    uint8_t bytes[4];
    struct writer w = writer_from(bytes, sizeof(bytes));
    mqtt_put_ack(&w, MQTT_PUBREL, id);
    return connection_write(c, bytes, writer_len(&w)) ? SENT : SENT_LATER;
}

/* The packet that an entry has to send now: PUBLISH, for the second time with DUP, or PUBREL
 * (checklist 15). A PUBREL does not count for the Receive Maximum. */
static enum sent send_entry(struct mqtt_session *s, struct flight *f)
{
    if (f->state == FLIGHT_RELEASED)
        return send_release(s->connection, f->id);
    if (!f->counted && s->transit->unacked >= window(s))
        return SENT_LATER;
    enum sent sent = outgoing_transmit(s->connection, &f->out, f->id, f->dup);
    if (sent == SENT) {
        s->transit->unacked += !f->counted;
        f->counted = f->dup = true;
    }
    return sent;
}

bool window_send(struct mqtt_session *s)
{
    while (s->transit->sent < s->transit->flight.n) {
        struct flight *f = flight_at(&s->transit->flight, s->transit->sent);
        enum sent sent = SENT;
        if (f->state != FLIGHT_DONE)
            sent = stands(s, f) ? send_entry(s, f) : SENT_LATER;
        if (sent == SENT_LATER)
            break;
        if (sent == SENT_NEVER)
            finish(s, f);
        s->transit->sent++;
    }
    shrink(s);
    return s->transit->sent == s->transit->flight.n;
}

uint64_t window_waits_for(const struct mqtt_session *s)
{
    if (s->transit->sent == s->transit->flight.n)
        return 0;
    uint64_t noted = flight_at(&s->transit->flight, s->transit->sent)->noted;
    return noted > journal_committed(s->shard->journal) ? noted : 0;
}

void window_attach(struct mqtt_session *s)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++)
        flight_at(&s->transit->flight, i)->counted = false;
    s->transit->sent = s->transit->unacked = 0;
    s->transit->old = s->transit->flight.n;
}

/* ---- acknowledgements ---- */

static enum handled answer(struct mqtt_connection *c, uint16_t id, uint64_t seq)
{
    if (!pending_add(c, &(struct pending){.seq = seq, .id = id, .type = MQTT_PUBREL}))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for PUBREL");
    (void)pending_flush(c);
    return HANDLED;
}

static enum handled release(struct mqtt_connection *c, struct flight *f)
{
    struct mqtt_session *s = c->session;
    uint64_t seq = 0;
    enum err err = f->seq && session_stored(s) ? record_received(s, f->seq, f->id, &seq) : ERR_OK;
    if (err && err != ERR_IO)
        return HANDLED_AGAIN;
    f->noted = seq;
    f->state = FLIGHT_RELEASED;
    let_go(s, f);
    session_changed(s);
    return answer(c, f->id, seq);
}

static enum handled unknown(struct mqtt_connection *c, uint16_t id)
{
    const struct mqtt_packet p = {.type = MQTT_PUBREL,
                                  .ack = {.id = id, .reason = MQTT_RC_PACKET_ID_NOT_FOUND}};
    if (c->version != MQTT_V5)
        return answer(c, id, 0);
    if (!pending_add_packet(c, &p, 0, false, id))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for PUBREL");
    (void)pending_flush(c);
    return HANDLED;
}

static enum handled acknowledged(struct mqtt_connection *c, uint16_t id, enum flight_event event)
{
    struct mqtt_session *s = c->session;
    uint32_t i = 0;
    struct flight *f = flight_find(&s->transit->flight, id, &i);
    if (f && i >= s->transit->sent)
        return HANDLED; /* of an earlier connection: it will be asked again on this one */
    enum flight_action action = flight_action(f ? f->state : FLIGHT_DONE, event);
    bool of_entry = action == FLIGHT_RELEASE || action == FLIGHT_AGAIN || action == FLIGHT_FINISH;
    ASSERT(f || !of_entry);
    switch (action) {
    case FLIGHT_IGNORE: return HANDLED;
    case FLIGHT_UNKNOWN: return unknown(c, id);
    case FLIGHT_RELEASE: return release(c, f);
    case FLIGHT_AGAIN: return answer(c, id, f->noted);
    case FLIGHT_FINISH: break;
    case FLIGHT_ERROR:
    default:
        return connection_stop(c, MQTT_RC_PROTOCOL_ERROR,
                               "it acknowledges what it was not sent like that");
    }
    finish(s, f);
    shrink(s);
    if (queue_first(s))
        outgoing_pump(s);
    return HANDLED;
}

enum handled handle_puback(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    return acknowledged(c, p->ack.id, FLIGHT_PUBACK);
}

enum handled handle_pubrec(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    return acknowledged(c, p->ack.id,
                        p->ack.reason < MQTT_RC_UNSPECIFIED ? FLIGHT_PUBREC : FLIGHT_REFUSED);
}

enum handled handle_pubcomp(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    return acknowledged(c, p->ack.id, FLIGHT_PUBCOMP);
}

/* ---- start and replay ---- */

static struct flight *find(const struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state != FLIGHT_DONE && f->seq == seq && (!id || f->id == id))
            return f;
    }
    return NULL;
}

bool window_holds(const struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    return find(s, seq, id);
}

bool window_forget(struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    struct flight *f = find(s, seq, id);
    if (!f)
        return false;
    finish(s, f);
    shrink(s);
    return true;
}

void window_released(struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    struct flight *f = find(s, seq, id);
    if (!f || f->state != FLIGHT_SENT2)
        return;
    f->state = FLIGHT_RELEASED;
    let_go(s, f);
    session_changed(s);
}

bool window_restore(struct mqtt_session *s, struct flight *f)
{
    uint32_t i;
    if (!transit_own(s))
        return false;
    struct flight *old = flight_find(&s->transit->flight, f->id, &i);
    f->dup = true; /* it may have left */
    if (old)       /* the end of it was not noted, and its id is used again */
        finish(s, old);
    if (!flight_place(s->shard->alloc, &s->transit->flight, f, &s->next_id, INFLIGHT_MAX))
        return false;
    if (f->out.message)
        s->transit->flight_bytes += message_bytes(f->out.message);
    session_changed(s);
    return true;
}
