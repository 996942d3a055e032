/* A PUBLISH as bytes. What goes to several subscribers alike (same version, QoS and flags, no
 * subscription ids of its own) is encoded once, then copied with the packet id put in; large
 * payloads are not copied at all but go by reference, and the message is held until they have been
 * sent.
 *
 * A message that goes to one subscriber only is encoded straight into the stream: the frame is made
 * when the same one comes a second time. */
#include "protocol/mqtt_broker.h"

#include <string.h>

/* A frame without what goes by reference; larger ones are encoded anew. */
#define FRAME_MAX   4096
#define APART_MIN   4096 /* a payload of so much is left where it is */
#define FRAME_KINDS 6    /* 5.0 or before x QoS */

struct mqtt_frame {
    struct message *message; /* held; NULL: empty */
    uint32_t expiry_s;
    uint16_t n, id_at;
    bool retain;
    uint8_t bytes[FRAME_MAX];
};
struct mqtt_frames {
    const struct message *seen; /* the last one; only compared */
    struct mqtt_frame kinds[FRAME_KINDS];
};

void frames_free(struct mqtt_shard *shard)
{
    struct mqtt_frames *f = shard->frames;
    if (!f)
        return;
    for (size_t i = 0; i < FRAME_KINDS; i++)
        message_unref(f->kinds[i].message);
    mem_free(shard->alloc, f, sizeof(*f));
    shard->frames = NULL;
}

void frames_next(struct mqtt_shard *shard)
{
    if (shard->frames)
        shard->frames->seen = NULL; /* what comes may lie where it lay */
}

/* ---- encoding ---- */

static bool is_apart(const struct message *m)
{
    return m->payload_len >= APART_MIN;
}

static bool is_plain(const struct mqtt_connection *c, const struct outgoing *o)
{
    const struct message *m = o->message;
    return !o->ids_n && m->expiry_s == UINT32_MAX && (!m->properties_len || c->version != MQTT_V5);
}

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

static uint32_t expiry_left_s(const struct mqtt_connection *c, const struct message *m)
{
    return m->expiry_s == UINT32_MAX ? UINT32_MAX
                                     : message_expiry_left_s(m, worker_now_ms(c->shard->worker));
}

static struct mqtt_publish publish_of(const struct mqtt_connection *c, const struct outgoing *o,
                                      uint16_t id, bool dup)
{
    const struct message *m = o->message;
    struct mqtt_publish p = {.dup = dup,
                             .retain = o->retain,
                             .qos = o->qos,
                             .id = id,
                             .topic = message_topic(m),
                             .payload = message_payload(m),
                             .payload_apart = is_apart(m),
                             .subscription_ids = o->ids_n > 1 ? o->sub_ids : &o->sub_id,
                             .subscription_ids_n = o->ids_n};
    if (m->properties_len && c->version == MQTT_V5)
        props_of(m, &p.props);
    if (m->expiry_s != UINT32_MAX) {
        p.props.message_expiry_s = expiry_left_s(c, m);
        p.props.has |= MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY);
    }
    return p;
}

/* ---- to the stream ---- */

/* Whether a packet of n bytes (0: it can't be encoded) may be written now. */
static enum sent room_for(const struct mqtt_connection *c, size_t n)
{
    if (n == 0 || n > c->packet_size_max || n > connection_write_max(c))
        return SENT_NEVER; /* checklist 20: dropped, as if it had been delivered */
    return connection_room(c, n) ? SENT : SENT_LATER;
}

/* NULL: *sent says why. LATER also for a connection that is lost, and nobody has told us yet. */
static uint8_t *reserve(struct mqtt_connection *c, size_t n, enum sent *sent)
{
    *sent = room_for(c, n);
    uint8_t *room = *sent == SENT ? stream_reserve(c->stream, n) : NULL;
    if (!room && *sent == SENT)
        *sent = SENT_LATER;
    return room;
}

static enum sent commit(struct mqtt_connection *c, enum err err, size_t n)
{
    n = err ? 0 : n;
    stream_commit(c->stream, n);
    shard_sent(c->shard, !err, n);
    return err ? SENT_NEVER : SENT;
}

static void let_go(void *message)
{
    message_unref(message);
}

/* `head` has all but the payload. */
static enum sent put_apart(struct mqtt_connection *c, struct message *m, struct bytes head)
{
    struct bytes payload = message_payload(m);
    enum sent sent = room_for(c, head.n + payload.n);
    if (sent != SENT)
        return sent;
    const struct stream_shared body = {
        .p = payload.p, .n = payload.n, .release = let_go, .ctx = message_ref(m)};
    if (stream_write_shared(c->stream, head.p, head.n, &body)) {
        message_unref(m);
        return SENT_LATER;
    }
    shard_sent(c->shard, 1, head.n + payload.n);
    return SENT;
}

static enum sent put_plain(struct mqtt_connection *c, const struct outgoing *o, uint16_t id,
                           bool dup)
{
    const struct mqtt_plain p = {.dup = dup,
                                 .retain = o->retain,
                                 .qos = o->qos,
                                 .id = id,
                                 .topic = message_topic(o->message),
                                 .payload = message_payload(o->message)};
    enum sent sent;
    size_t n = mqtt_plain_size(c->version, &p);
    uint8_t *room = reserve(c, n, &sent);
    if (!room)
        return sent;
    struct writer w = writer_from(room, n);
    return commit(c, mqtt_put_plain(c->version, &p, &w), n);
}

static enum sent put_whole(struct mqtt_connection *c, struct mqtt_publish *p)
{
    enum sent sent;
    p->payload_apart = false;
    size_t n = mqtt_publish_size(c->version, p);
    uint8_t *room = reserve(c, n, &sent);
    if (!room)
        return sent;
    struct writer w = writer_from(room, n);
    return commit(c, mqtt_put_publish(c->version, p, &w), n);
}

/* For this subscriber alone. */
static enum sent put_alone(struct mqtt_connection *c, const struct outgoing *o, uint16_t id,
                           bool dup)
{
    uint8_t room[FRAME_MAX];
    if (!is_apart(o->message) && is_plain(c, o))
        return put_plain(c, o, id, dup);
    struct mqtt_publish p = publish_of(c, o, id, dup);
    struct writer w = writer_from(room, sizeof(room));
    if (!p.payload_apart || mqtt_put_publish(c->version, &p, &w))
        return put_whole(c, &p);
    return put_apart(c, o->message, (struct bytes){room, writer_len(&w)});
}

/* ---- for several ---- */

static struct mqtt_frame *frame_at(const struct mqtt_connection *c, const struct outgoing *o)
{
    return &c->shard->frames->kinds[(c->version == MQTT_V5 ? 3 : 0) + o->qos];
}

static bool fits(const struct mqtt_connection *c, const struct mqtt_frame *f,
                 const struct outgoing *o)
{
    return f->message == o->message && f->retain == o->retain &&
           f->expiry_s == expiry_left_s(c, o->message);
}

/* False: it is too large. */
static bool frame_make(const struct mqtt_connection *c, struct mqtt_frame *f,
                       const struct outgoing *o, uint16_t id)
{
    struct mqtt_publish p = publish_of(c, o, id, false);
    struct writer w = writer_from(f->bytes, sizeof(f->bytes));
    message_unref(f->message);
    f->message = NULL;
    if (mqtt_put_publish(c->version, &p, &w))
        return false;
    size_t n = writer_len(&w), whole = n + (p.payload_apart ? p.payload.n : 0);
    /* What lies behind the fixed header: the topic and the id. */
    size_t head = whole < 2 + 128 ? 2 : whole < 3 + 16384 ? 3 : whole < 4 + 2097152 ? 4 : 5;
    f->id_at = (uint16_t)(head + 2 + p.topic.n);
    f->n = (uint16_t)n;
    f->retain = o->retain;
    f->expiry_s =
        p.props.has & MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY) ? p.props.message_expiry_s : UINT32_MAX;
    f->message = message_ref(o->message);
    return true;
}

static void put_id(uint8_t *at, uint16_t id)
{
    at[0] = (uint8_t)(id >> 8);
    at[1] = (uint8_t)id;
}

static enum sent frame_put(struct mqtt_connection *c, struct mqtt_frame *f, uint16_t id)
{
    enum sent sent;
    if (is_apart(f->message)) {
        if (id)
            put_id(f->bytes + f->id_at, id);
        return put_apart(c, f->message, (struct bytes){f->bytes, f->n});
    }
    uint8_t *room = reserve(c, f->n, &sent);
    if (!room)
        return sent;
    memcpy(room, f->bytes, f->n);
    if (id)
        put_id(room + f->id_at, id);
    return commit(c, ERR_OK, f->n);
}

enum sent frame_send(struct mqtt_connection *c, const struct outgoing *o, uint16_t id, bool dup)
{
    struct mqtt_shard *shard = c->shard;
    if (dup || o->ids_n)
        return put_alone(c, o, id, dup);
    if (!shard->frames && !(shard->frames = mem_zero(shard->alloc, sizeof(*shard->frames))))
        return put_alone(c, o, id, dup);
    struct mqtt_frame *f = frame_at(c, o);
    if (fits(c, f, o))
        return frame_put(c, f, id);
    if (shard->frames->seen == o->message && frame_make(c, f, o, id))
        return frame_put(c, f, id);
    shard->frames->seen = o->message;
    return put_alone(c, o, id, dup);
}
