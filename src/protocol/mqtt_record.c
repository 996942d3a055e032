/* What sessions leave in the journal, and what the journal says about them at start.
 *
 * JOURNAL_SESSION: version, op, number of the session (varint), then
 *     NEW         expiry (u32), client id (u16 length)
 *     ONLINE      expiry
 *     OFFLINE     expiry; its time is the record's
 *     SUBSCRIBE   subscription identifier (u32), then the filters as they stand in the packet
 *     UNSUBSCRIBE u32 0, then the filters as they stand in the packet
 *     SENT        QoS 2 to the client: seq of the message (varint), packet id (u16). Committed
 *                 before PUBLISH leaves
 *     RECEIVED    the same; the client has it. Committed before PUBREL leaves
 *     RELEASED    QoS 2 from the client: packet id (u16). Committed before PUBCOMP leaves. That the
 *                 id was received stands in the record of its message
 *     GIVEN       a message of a share goes to this session (0: one that is not stored) and not to
 *                 the one that had it: key of the share (u64), seq of the message (varint). 0: the
 *                 message follows, its time (u64) and its record, and this is its seq
 *     LINGER      as END, but what it holds by shares is given to others by and by (GIVEN), and
 *                 then END follows
 *     WILL, WILL_END, STARTED: see mqtt_will_stored.c
 * JOURNAL_ACK, lazy: version, then for each session: number, count, and for each message that it is
 * done with (acknowledged by the client, or dropped) its seq and the packet id under which it was
 * SENT, else 0 (all varints). Version 1 had no ids.
 *
 * Replay may meet what a snapshot holds already: a session, a message, an id that is there stays
 * as it is, and what is not there any more is not missed. */
#include "protocol/mqtt_broker.h"

#include <string.h>

#define RECORD_VERSION 1
#define ACK_VERSION    2
#define RETRY_MS       100

static enum err append(struct mqtt_shard *shard, bool lazy, const struct writer *head,
                       struct bytes rest, uint64_t *seq)
{
    const struct iovec parts[] = {{head->start, writer_len(head)},
                                  {(void *)(uintptr_t)rest.p, rest.n}};
    uint64_t at = 0;
    if (!shard->journal)
        return ERR_OK;
    enum err err = journal_append(shard->journal, JOURNAL_SESSION, lazy, parts, 2, &at);
    if (!err)
        *seq = at;
    return err;
}

void session_record_head(struct writer *w, enum session_op op, uint64_t number)
{
    writer_u8(w, RECORD_VERSION);
    writer_u8(w, (uint8_t)op);
    writer_varint(w, number);
}

static struct writer head_of(uint8_t *room, size_t n, enum session_op op, uint64_t number)
{
    struct writer w = writer_from(room, n);
    session_record_head(&w, op, number);
    return w;
}

enum err record_new(struct mqtt_shard *shard, uint64_t number, struct str client_id,
                    uint32_t expiry_s, uint64_t *seq)
{
    uint8_t room[32];
    struct writer w = head_of(room, sizeof(room), SESSION_NEW, number);
    writer_u32(&w, expiry_s);
    writer_u16(&w, (uint16_t)client_id.n);
    return append(shard, false, &w, (struct bytes){(const uint8_t *)client_id.p, client_id.n}, seq);
}

enum err record_end(struct mqtt_shard *shard, uint64_t number, uint64_t *seq)
{
    uint8_t room[32];
    struct writer w = head_of(room, sizeof(room), SESSION_END, number);
    return append(shard, false, &w, (struct bytes){NULL, 0}, seq);
}

enum err record_online(struct mqtt_session *s, bool lazy, uint64_t *seq)
{
    uint8_t room[32];
    struct writer w = head_of(room, sizeof(room), SESSION_ONLINE, session_number(s));
    writer_u32(&w, s->expiry_s);
    return append(s->shard, lazy, &w, (struct bytes){NULL, 0}, seq);
}

void record_offline(struct mqtt_session *s)
{
    uint8_t room[32];
    uint64_t seq;
    if (!session_stored(s))
        return;
    struct writer w = head_of(room, sizeof(room), SESSION_OFFLINE, session_number(s));
    writer_u32(&w, s->expiry_s);
    /* If it is lost, the session counts from the next start (STARTED). */
    if (append(s->shard, true, &w, (struct bytes){NULL, 0}, &seq))
        LOG_D("mqtt", "%.*s: its leaving is not in the journal", STR_FMT(session_id(s)));
}

enum err record_filters(struct mqtt_session *s, enum session_op op, struct bytes filters,
                        uint32_t sub_id, uint64_t *seq)
{
    uint8_t room[32];
    struct writer w = head_of(room, sizeof(room), op, session_number(s));
    writer_u32(&w, sub_id);
    return append(s->shard, false, &w, filters, seq);
}

enum err record_gone(struct mqtt_session *s, uint64_t *seq)
{
    uint8_t room[32];
    if (!session_lingers(s))
        return record_end(s->shard, session_number(s), seq);
    struct writer w = head_of(room, sizeof(room), SESSION_LINGER, session_number(s));
    return append(s->shard, false, &w, (struct bytes){NULL, 0}, seq);
}

enum err record_given(struct mqtt_shard *shard, uint64_t number, uint64_t key,
                      const struct message *m, bool lazy, uint64_t *seq)
{
    uint8_t room[64];
    struct message_head head;
    struct iovec parts[1 + MESSAGE_PARTS];
    unsigned n = 0;
    struct writer w = head_of(room, sizeof(room), SESSION_GIVEN, number);
    writer_u64(&w, key);
    writer_varint(&w, m->seq);
    if (!m->seq) {
        writer_u64(&w, (uint64_t)m->wall_ms);
        n = message_record(m, &(struct message_origin){0}, &head, parts + 1);
    }
    ASSERT(!w.failed);
    parts[0] = (struct iovec){room, writer_len(&w)};
    return journal_append(shard->journal, JOURNAL_SESSION, lazy, parts, 1 + n, seq);
}

/* ---- QoS 2 ---- */

static enum err append_step(struct mqtt_session *s, enum session_op op, uint64_t message,
                            uint16_t id, uint64_t *seq)
{
    uint8_t room[32];
    struct writer w = head_of(room, sizeof(room), op, session_number(s));
    if (op != SESSION_RELEASED)
        writer_varint(&w, message);
    writer_u16(&w, id);
    return append(s->shard, false, &w, (struct bytes){NULL, 0}, seq);
}

enum err record_sent(struct mqtt_session *s, uint64_t message, uint16_t id, uint64_t *seq)
{
    return append_step(s, SESSION_SENT, message, id, seq);
}

enum err record_received(struct mqtt_session *s, uint64_t message, uint16_t id, uint64_t *seq)
{
    return append_step(s, SESSION_RECEIVED, message, id, seq);
}

enum err record_released(struct mqtt_session *s, uint16_t id, uint64_t *seq)
{
    return append_step(s, SESSION_RELEASED, 0, id, seq);
}

/* ---- done with messages: gathered over a tick ---- */

#define DONE_MAX 65536 /* of one session; above it they are forgotten: sent twice after a crash */

void record_done(struct mqtt_session *s, uint64_t message, uint16_t id)
{
    struct mqtt_shard *shard = s->shard;
    if (!session_stored(s) || !message || s->transit->done.n >= DONE_MAX ||
        shard->server->replaying)
        return;
    if (!vec_push(shard->alloc, &s->transit->done, (struct done){message, id}))
        return;
    if (list_empty(&s->transit->done_link))
        list_add_tail(&shard->done, &s->transit->done_link);
    if (!timer_armed(&shard->done_timer))
        worker_at_tick_end(shard->worker, &shard->done_hook);
}

static enum err append_done(struct mqtt_shard *shard, struct mqtt_session *s)
{
    size_t size = 1 + 20 + (10 + 3) * s->transit->done.n;
    uint8_t *room = mem_new(shard->alloc, size);
    uint64_t seq;
    if (!room)
        return ERR_NOMEM;
    struct writer w = writer_from(room, size);
    writer_u8(&w, ACK_VERSION);
    writer_varint(&w, session_number(s));
    writer_varint(&w, s->transit->done.n);
    for (size_t i = 0; i < s->transit->done.n; i++) {
        writer_varint(&w, s->transit->done.v[i].seq);
        writer_varint(&w, s->transit->done.v[i].id);
    }
    ASSERT(!w.failed);
    const struct iovec part = {room, writer_len(&w)};
    enum err err = journal_append(shard->journal, JOURNAL_ACK, true, &part, 1, &seq);
    mem_free(shard->alloc, room, size);
    return err;
}

void record_done_flush(struct mqtt_shard *shard)
{
    LIST_EACH_SAFE(&shard->done, it)
    {
        struct mqtt_session *s = CONTAINER_OF(it, struct transit, done_link)->session;
        enum err err = append_done(shard, s);
        if (err == ERR_FULL || err == ERR_NOMEM) {
            timer_set_after_ms(&shard->done_timer, RETRY_MS);
            return;
        }
        list_del(&s->transit->done_link);
        if (s->transit->done.n > 64)
            vec_fini(shard->alloc, &s->transit->done);
        s->transit->done.n = 0;
    }
}

/* ---- replay ---- */

static struct mqtt_session *by_number(const struct mqtt_server *server, uint64_t number)
{
    return map_get(&server->by_number, (struct str){(const char *)&number, sizeof(number)});
}

static void apply_new(struct mqtt_server *server, uint64_t number, struct cursor *c)
{
    uint32_t expiry_s = cursor_u32(c);
    struct str client_id = cursor_str16(c);
    if (c->failed)
        return;
    struct mqtt_shard *shard = shard_of(server, client_id);
    struct mqtt_session *old = session_find(shard, client_id);
    if (old && session_number(old) >= number)
        return; /* numbers grow: this one has ended, or is there */
    if (old)    /* its end was not noted: the journal was failing */
        session_end(old);
    struct mqtt_session *s = session_new(shard, client_id, number);
    if (!s) {
        LOG_E("mqtt", "the session of %.*s is lost: no room", STR_FMT(client_id));
        return;
    }
    s->expiry_s = expiry_s;
    server_number_seen(server, number);
}

static void apply_filters(struct mqtt_session *s, enum session_op op, struct cursor *c)
{
    struct bus *bus = s->shard->bus;
    struct subscription sub = {.subscriber = &s->subscriber, .id = cursor_u32(c)};
    enum mqtt_type type = op == SESSION_SUBSCRIBE ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE;
    uint8_t options = 0;
    bool existed;
    while (mqtt_filter_next(c, type, &sub.filter, &options)) {
        if (type == MQTT_UNSUBSCRIBE) {
            subscribe_split(&sub);
            s->subscriptions -= bus_unsubscribe(bus, &s->subscriber, sub.share, sub.filter);
            continue;
        }
        if (subscribe_one(s, &sub, options, &existed) < MQTT_RC_UNSPECIFIED && !sub.share.n &&
            subscribe_wants_retained(options, existed))
            bus_send_retained(bus, &sub);
    }
    session_subs_changed(s);
}

/* The message has its packet id now: it moves from the queue into the window. */
static void apply_sent(struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    struct flight f = {.seq = seq, .id = id, .state = FLIGHT_SENT2};
    if (window_holds(s, seq, id) ||
        (!queue_take(s, seq, true, &f.out) && !shares_take(s, seq, &f.out)))
        return;
    if (window_restore(s, &f))
        return;
    LOG_E("mqtt", "%.*s: message %llu is lost: no room", STR_FMT(session_id(s)),
          (unsigned long long)seq);
    outgoing_drop(s, &f.out);
}

static void apply_step(struct mqtt_session *s, enum session_op op, struct cursor *c)
{
    uint64_t seq = op == SESSION_RELEASED ? 0 : cursor_varint(c);
    uint16_t id = cursor_u16(c);
    if (c->failed || !id)
        return;
    if (op == SESSION_SENT)
        apply_sent(s, seq, id);
    else if (op == SESSION_RECEIVED)
        window_released(s, seq, id);
    else if (received_remove(&s->transit->received, id))
        session_changed(s);
}

/* The message itself is here, or another session holds it by the share. */
static void apply_given(struct mqtt_server *server, struct mqtt_session *s, uint64_t record,
                        struct cursor *c)
{
    uint64_t key = cursor_u64(c), seq = cursor_varint(c);
    if (c->failed)
        return;
    if (seq) {
        shares_moved(server, s, seq, key);
        return;
    }
    int64_t wall_ms = (int64_t)cursor_u64(c);
    struct message *m =
        c->failed ? NULL
                  : message_decode(server->alloc, cursor_take(c, cursor_left(c)), record, wall_ms);
    if (m && s)
        shares_give(s, key, m);
    else if (!m)
        LOG_E("mqtt", "record %llu is not a message that can be read", (unsigned long long)record);
    message_unref(m);
}

/* What is not about a session that is there. False: something else. */
static bool apply_other(struct mqtt_server *server, enum session_op op, uint64_t number,
                        const struct journal_record *r, struct cursor *c)
{
    const struct bytes rest = {c->p, cursor_left(c)};
    switch (op) {
    case SESSION_NEW: apply_new(server, number, c); return true;
    case SESSION_GIVEN: apply_given(server, by_number(server, number), r->seq, c); return true;
    case SESSION_WILL: will_apply(server, number, rest); return true;
    case SESSION_WILL_END:
        will_apply_end(server, number, (struct str){(const char *)rest.p, rest.n});
        return true;
    case SESSION_STARTED: server_was_gone(server, r->wall_ms); return true;
    default: return false;
    }
}

static void apply_session(struct mqtt_server *server, const struct journal_record *r)
{
    struct cursor c = cursor_from(r->body.p, r->body.n);
    uint8_t version = cursor_u8(&c), op = cursor_u8(&c);
    uint64_t number = cursor_varint(&c);
    if (version != RECORD_VERSION || c.failed) {
        LOG_E("mqtt", "record %llu of a session can't be read", (unsigned long long)r->seq);
        return;
    }
    if (apply_other(server, op, number, r, &c))
        return;
    struct mqtt_session *s = by_number(server, number);
    if (!s)
        return;
    switch (op) {
    case SESSION_END: session_end(s); return;
    case SESSION_LINGER:
        if (!session_linger(s))
            session_end(s);
        return;
    case SESSION_ONLINE:
        s->expiry_s = cursor_u32(&c);
        s->offline_ms = 0;
        break;
    case SESSION_OFFLINE:
        s->expiry_s = cursor_u32(&c);
        s->offline_ms = r->wall_ms;
        break;
    case SESSION_SUBSCRIBE:
    case SESSION_UNSUBSCRIBE: apply_filters(s, op, &c); return;
    case SESSION_SENT:
    case SESSION_RECEIVED:
    case SESSION_RELEASED: apply_step(s, op, &c); return;
    default: break;
    }
    session_changed(s);
}

static void forget(struct mqtt_session *s, uint64_t seq, uint16_t id)
{
    struct outgoing o;
    if (!window_forget(s, seq, id) && (queue_take(s, seq, false, &o) || shares_take(s, seq, &o)))
        outgoing_drop(s, &o);
}

static void apply_done(struct mqtt_server *server, const struct journal_record *r)
{
    struct cursor c = cursor_from(r->body.p, r->body.n);
    uint8_t version = cursor_u8(&c);
    if (version != 1 && version != ACK_VERSION) {
        LOG_E("mqtt", "record %llu of a session can't be read", (unsigned long long)r->seq);
        return;
    }
    while (cursor_left(&c)) {
        struct mqtt_session *s = by_number(server, cursor_varint(&c));
        uint64_t n = cursor_varint(&c);
        for (uint64_t i = 0; i < n && !c.failed; i++) {
            uint64_t seq = cursor_varint(&c);
            uint64_t id = version == 1 ? 0 : cursor_varint(&c);
            if (s && !c.failed)
                forget(s, seq, (uint16_t)id);
        }
    }
}

struct route {
    struct mqtt_server *server;
    struct message *message;
    struct str publisher;
};

/* As the bus did when the message came: to our sessions, without those of No Local. */
static void route_one(void *ctx, struct subscriber *sub, const struct sub_options *const *subs,
                      size_t n, uint64_t chosen)
{
    const struct route *r = ctx;
    const struct sub_options *kept[16];
    size_t kept_n = 0;
    if (sub->deliver != session_deliver)
        return;
    const struct mqtt_session *s = CONTAINER_OF(sub, struct mqtt_session, subscriber);
    /* The member that was chosen by a share has ended, as a snapshot says that is ahead of this
     * record: what it held then has been given to others. */
    if (chosen && chosen != session_number(s) && !by_number(r->server, chosen))
        return;
    bool own = str_eq(session_id(s), r->publisher);
    for (size_t i = 0; i < n && kept_n < ARRAY_LEN(kept); i++)
        if (!own || !subs[i]->no_local)
            kept[kept_n++] = subs[i];
    if (own && kept_n)
        session_deliver(sub, r->message, kept, kept_n, false);
    else if (!own)
        session_deliver(sub, r->message, subs, n, false);
}

/* QoS 2 from a stored session: the record of the message is that of its packet id too. Or it is
 * that of a will, which is over with it. */
static void apply_origin(struct mqtt_server *server, const struct message_origin from)
{
    struct mqtt_session *s = by_number(server, from.session);
    if (from.session && !from.packet_id)
        will_apply_end(server, from.session, from.publisher);
    if (!s || !from.packet_id)
        return;
    if (!received_add(s->shard->alloc, &s->transit->received, from.packet_id))
        LOG_E("mqtt", "%.*s: no memory for a packet id: what it sends again is published again",
              STR_FMT(session_id(s)));
    session_changed(s);
}

static void apply_message(struct mqtt_server *server, const struct journal_record *r)
{
    const struct message_origin from = message_record_origin(r->body);
    struct route route = {.server = server,
                          .message = bus_message_decode(server->cfg.bus, r),
                          .publisher = from.publisher};
    if (!route.message) {
        LOG_E("mqtt", "record %llu is not a message that can be read", (unsigned long long)r->seq);
        return;
    }
    apply_origin(server, from);
    bus_match_each(server->cfg.bus, message_topic(route.message), &from, route_one, &route);
    message_unref(route.message);
}

void record_apply(struct journal_consumer *consumer, const struct journal_record *r)
{
    struct checkpoint *checkpoint = CONTAINER_OF(consumer, struct checkpoint, consumer);
    struct mqtt_server *server = CONTAINER_OF(checkpoint, struct mqtt_server, checkpoint);
    if (r->seq <= consumer->cursor)
        return;
    server->replaying = r->seq;
    if (r->kind == JOURNAL_MESSAGE)
        apply_message(server, r);
    else if (r->kind == JOURNAL_SESSION)
        apply_session(server, r);
    else if (r->kind == JOURNAL_ACK)
        apply_done(server, r);
    server->replaying = 0;
}
