#include "protocol/mqtt_broker.h"

#include <string.h>

/* ---- topic aliases ---- */

void aliases_free(struct mqtt_connection *c)
{
    struct alloc *a = c->shard->alloc;
    const uint16_t max = c->shard->limits->topic_alias_max;
    if (!c->aliases)
        return;
    for (uint16_t i = 0; i < max; i++)
        mem_free(a, (void *)(uintptr_t)c->aliases[i].p, c->aliases[i].n);
    mem_free(a, c->aliases, max * sizeof(*c->aliases));
    c->aliases = NULL;
}

static bool alias_set(struct mqtt_connection *c, uint16_t alias, struct str topic)
{
    struct alloc *a = c->shard->alloc;
    if (!c->aliases)
        c->aliases = mem_array(a, c->shard->limits->topic_alias_max, sizeof(*c->aliases));
    char *copy = c->aliases ? mem_new(a, topic.n) : NULL;
    if (!copy)
        return false;
    memcpy(copy, topic.p, topic.n);
    struct str *slot = &c->aliases[alias - 1];
    mem_free(a, (void *)(uintptr_t)slot->p, slot->n);
    *slot = (struct str){copy, topic.n};
    return true;
}

/* The topic itself, or the one that its alias stands for; a reason code else. */
static uint8_t resolve_topic(struct mqtt_connection *c, const struct mqtt_publish *m,
                             struct str *topic)
{
    *topic = m->topic;
    if (!(m->props.has & MQTT_HAS(MQTT_PROP_TOPIC_ALIAS)))
        return MQTT_RC_SUCCESS;
    uint16_t alias = m->props.topic_alias;
    if (alias == 0 || alias > c->shard->limits->topic_alias_max)
        return MQTT_RC_TOPIC_ALIAS_INVALID;
    if (topic->n)
        return alias_set(c, alias, *topic) ? MQTT_RC_SUCCESS : MQTT_RC_QUOTA_EXCEEDED;
    if (!c->aliases || !c->aliases[alias - 1].n)
        return MQTT_RC_PROTOCOL_ERROR;
    *topic = c->aliases[alias - 1];
    return MQTT_RC_SUCCESS;
}

/* ---- properties ---- */

#define FORWARDED                                                                                  \
    (MQTT_HAS(MQTT_PROP_PAYLOAD_FORMAT) | MQTT_HAS(MQTT_PROP_CONTENT_TYPE) |                       \
     MQTT_HAS(MQTT_PROP_RESPONSE_TOPIC) | MQTT_HAS(MQTT_PROP_CORRELATION_DATA) |                   \
     MQTT_HAS(MQTT_PROP_USER_PROPERTY))

bool forward_properties(const struct mqtt_props *props, struct writer *out)
{
    struct cursor at = cursor_from(props->raw.p, props->raw.n);
    struct mqtt_prop one;
    const uint8_t *from = at.p;
    while (mqtt_prop_next(&at, &one)) {
        if (MQTT_HAS(one.id) & FORWARDED)
            writer_bytes(out, from, (size_t)(at.p - from));
        from = at.p;
    }
    return !out->failed;
}

/* ---- PUBLISH ---- */

/* PUBACK, or PUBREC. What counts for our Receive Maximum: a PUBACK until it has left, an id of
 * QoS 2 until its PUBCOMP has (as long as it is in the set, and while PUBCOMP waits). */
static bool answer(struct mqtt_connection *c, const struct mqtt_publish *m, uint64_t seq,
                   uint8_t reason, const char *why)
{
    const uint8_t type = m->qos == 2 ? MQTT_PUBREC : MQTT_PUBACK;
    bool counts = m->qos == 1 || reason >= MQTT_RC_UNSPECIFIED;
    if (reason == MQTT_RC_SUCCESS || c->version != MQTT_V5) {
        const struct pending p = {.seq = seq, .id = m->id, .type = type, .publish = counts};
        return pending_add(c, &p);
    }
    struct mqtt_packet p = {.type = type, .ack = {.id = m->id, .reason = reason}};
    if (c->problem_info && why[0]) { /* checklist 34 */
        p.ack.props.has = MQTT_HAS(MQTT_PROP_REASON_STRING);
        p.ack.props.reason_string = str_from(why);
    }
    return pending_add_packet(c, &p, seq, counts, m->id);
}

/* docs/decisions/0003: what can't be published, with or without a way to say so. */
static uint8_t refused(struct mqtt_connection *c, struct str topic, enum err err,
                       enum mqtt_drop drop, const char *why)
{
    if (err == ERR_DENIED) {
        publish_denied(c->shard, session_id(c->session), connection_user(c), topic, why);
        return MQTT_RC_NOT_AUTHORIZED;
    }
    mqtt_dropped(c->shard, err == ERR_NOMEM ? MQTT_DROP_NO_MEMORY : drop);
    if (denied_news(c->shard, session_id(c->session), topic))
        LOG_W("mqtt", "%.*s: not published to %.*s: %s", STR_FMT(session_id(c->session)),
              STR_FMT(topic), why);
    return MQTT_RC_QUOTA_EXCEEDED;
}

static enum err to_the_bus(struct mqtt_connection *c, const struct mqtt_publish *m,
                           struct str topic, struct bytes properties, struct bus_receipt *r)
{
    const struct mqtt_session *s = c->session;
    const struct bus_publisher from = {
        .id = s->subscriber.publisher_id, .name = session_id(s), .user = connection_user(c)};
    bool noted = m->qos == 2 && session_stored(s);
    const struct bus_publication p = {.topic = topic,
                                      .payload = m->payload,
                                      .properties = properties,
                                      .qos = m->qos,
                                      .retain = m->retain,
                                      .expiry_s = m->props.has & MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY)
                                                      ? m->props.message_expiry_s
                                                      : UINT32_MAX,
                                      .from = &from,
                                      .session = noted ? session_number(s) : 0,
                                      .packet_id = noted ? m->id : 0};
    frames_next(c->shard);
    return bus_publish(c->shard->bus, &p, r);
}

/* ---- a full disk ---- */

#define ROOM_LOOK_MS 1000

/* Who is owed an answer sends what it is for again when it has come back. */
static void end_owed(struct mqtt_connection *c)
{
    if (c->owed)
        connection_kick(c, MQTT_RC_QUOTA_EXCEEDED);
    c->owed = false;
}

void publish_room_looked(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, room_back);
    if (journal_no_room(shard->journal))
        timer_set_after_ms(t, ROOM_LOOK_MS);
    else
        connections_each(shard, end_owed);
}

/* It was delivered, and is not stored: docs/decisions/0003. 3.1.1 has no word for that, and a
 * connection that is closed for it comes back at once with the same message; so it hears nothing,
 * and goes on, until there is room. */
static enum handled not_stored(struct mqtt_connection *c, const struct mqtt_publish *m,
                               const char *why)
{
    mqtt_dropped(c->shard, MQTT_DROP_NO_ROOM);
    if (c->version == MQTT_V5) {
        if (!answer(c, m, 0, MQTT_RC_QUOTA_EXCEEDED, why))
            return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for an acknowledgement");
        (void)pending_flush(c);
        return HANDLED;
    }
    c->owed = true;
    if (!timer_armed(&c->shard->room_back))
        timer_set_after_ms(&c->shard->room_back, ROOM_LOOK_MS);
    return HANDLED;
}

/* The id is remembered before anything is published, so that it can't be forgotten for want of
 * memory; what is refused is not remembered: the client may use the id for another message. */
static enum handled publish(struct mqtt_connection *c, const struct mqtt_publish *m,
                            struct str topic, struct bytes properties)
{
    struct mqtt_session *s = c->session;
    struct bus_receipt r;
    uint8_t reason = MQTT_RC_SUCCESS;
    if (m->qos == 2 &&
        (!transit_own(s) || !received_add(c->shard->alloc, &s->transit->received, m->id)))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for a packet id");
    r.seq = 0; /* not all of it: zeroing its text is a good part of what a publication costs */
    r.matched = 0;
    r.full = BUS_FULL_NOT;
    r.why[0] = '\0';
    bool may = session_may(s, ACCESS_PUBLISH, topic, r.why);
    bool full = may && m->qos && refuse_asked(c->shard->server, topic, r.why);
    enum err err = !may ? ERR_DENIED : full ? ERR_RANGE : to_the_bus(c, m, topic, properties, &r);
    /* Not journal_no_room(): there may be room again by now. */
    bool no_room = err == ERR_IO && !journal_failed(c->shard->journal, NULL);
    if (m->qos == 2 && err && (err != ERR_IO || no_room))
        (void)received_remove(&s->transit->received, m->id);
    if (err == ERR_FULL) {
        c->crowded = r.full == BUS_FULL_ROOM;
        if (c->crowded)
            bus_room_wait(c->shard->bus, &c->shard->room);
        return HANDLED_AGAIN;
    }
    atomic_add_own(&c->received, 1);
    metric_add_own(&c->shard->count.received, 1);
    if (no_room && m->qos)
        return not_stored(c, m, r.why);
    if (err == ERR_IO && m->qos) /* delivered, but it can't be promised: so no PUBACK */
        return connection_stop(c, MQTT_RC_IMPLEMENTATION_SPECIFIC, r.why);
    if (err && err != ERR_IO)
        reason = refused(c, topic, err, full ? MQTT_DROP_QUEUE_FULL : MQTT_DROP_TOO_LARGE, r.why);
    else if (!r.matched)
        reason = MQTT_RC_NO_MATCHING_SUBSCRIBERS;
    if (m->qos == 2) {
        s->transit->received_seq = r.seq ? r.seq : s->transit->received_seq;
        session_changed(s);
    }
    if (m->qos && !answer(c, m, r.seq, reason, r.why))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for an acknowledgement");
    if (m->qos)
        (void)pending_flush(c);
    return HANDLED;
}

/* It was published when it came first; PUBREC waits for the same commit (checklist 17). */
static enum handled once_more(struct mqtt_connection *c, const struct mqtt_publish *m)
{
    struct journal *j = c->shard->journal;
    if (session_stored(c->session) && journal_failed(j, NULL))
        return connection_stop(c, MQTT_RC_IMPLEMENTATION_SPECIFIC, "the journal has failed");
    if (!answer(c, m, c->session->transit->received_seq, MQTT_RC_SUCCESS, ""))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for an acknowledgement");
    (void)pending_flush(c);
    return HANDLED;
}

/* Whether it is one more than our Receive Maximum (checklist 19). Ids that were there when the
 * client connected do not count: it may send their PUBREL whenever it likes. */
static bool too_many(const struct mqtt_connection *c, const struct mqtt_publish *m)
{
    const struct mqtt_session *s = c->session;
    size_t n = pending_publishes(c), ids = s->transit->received.ids.n;
    if (c->version == MQTT_V5) /* 3.1.1 knows no limit, and must not wait for its own PUBREL */
        n += ids > s->transit->received_before ? ids - s->transit->received_before : 0;
    return m->qos && n >= c->shard->limits->receive_max;
}

enum handled handle_publish(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    const struct mqtt_publish *m = &packet->publish;
    const unsigned without = c->shard->limits->without;
    struct alloc *a = c->shard->alloc;
    struct str topic;
    if (m->qos == 2 && (without & MQTT_WITHOUT_QOS2)) /* checklist 36 */
        return connection_stop(c, MQTT_RC_QOS_NOT_SUPPORTED, "QoS 2 is not offered");
    if (m->retain && (without & MQTT_WITHOUT_RETAIN))
        return connection_stop(c, MQTT_RC_RETAIN_NOT_SUPPORTED, "RETAIN is not offered");
    bool known = m->qos == 2 && received_has(&c->session->transit->received, m->id);
    if (!known && too_many(c, m)) {
        if (c->version == MQTT_V5)
            return connection_stop(c, MQTT_RC_RECEIVE_MAXIMUM_EXCEEDED,
                                   "more than its Receive Maximum");
        return HANDLED_AGAIN; /* it waits for the commit */
    }
    uint8_t reason = resolve_topic(c, m, &topic);
    if (reason)
        return connection_stop(c, reason, "its topic alias can't be used");
    if (known)
        return once_more(c, m);
    if (!(m->props.has & ~FORWARDED))
        return publish(c, m, topic, m->props.raw);
    uint8_t *room = mem_new(a, m->props.raw.n + 1);
    struct writer w = writer_from(room, m->props.raw.n);
    if (!room || !forward_properties(&m->props, &w)) {
        mem_free(a, room, m->props.raw.n + 1);
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory");
    }
    enum handled h = publish(c, m, topic, (struct bytes){room, writer_len(&w)});
    mem_free(a, room, m->props.raw.n + 1);
    return h;
}

/* ---- PUBREL ---- */

static bool complete(struct mqtt_connection *c, uint16_t id, uint64_t seq, bool known)
{
    const struct mqtt_packet p = {.type = MQTT_PUBCOMP,
                                  .ack = {.id = id, .reason = MQTT_RC_PACKET_ID_NOT_FOUND}};
    if (!known && c->version == MQTT_V5)
        return pending_add_packet(c, &p, seq, false, id);
    return pending_add(
        c, &(struct pending){.seq = seq, .id = id, .type = MQTT_PUBCOMP, .publish = known});
}

/* An id that is not known was released before: 3.1.1 has no way to say so, and none is needed. Its
 * PUBCOMP too waits for the record of what it may repeat. */
enum handled handle_pubrel(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    struct mqtt_session *s = c->session;
    uint16_t id = p->ack.id;
    bool known = received_has(&s->transit->received, id);
    enum err err =
        known && session_stored(s) ? record_released(s, id, &s->transit->received_seq) : ERR_OK;
    if (err == ERR_FULL)
        return HANDLED_AGAIN;
    if (err)
        return connection_stop(c, MQTT_RC_IMPLEMENTATION_SPECIFIC,
                               "what it releases can't be stored");
    if (received_remove(&s->transit->received, id))
        session_changed(s);
    if (!complete(c, id, s->transit->received_seq, known))
        return connection_stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory for PUBCOMP");
    (void)pending_flush(c);
    return HANDLED;
}
