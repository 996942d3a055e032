#include "bus/message.h"

#include "base/alloc.h"
#include <string.h>

#define RECORD_VERSION 3
enum { /* bits of its flags */
       RECORD_QOS = 3,
       RECORD_RETAIN = 4,
       RECORD_SESSION = 8,
       RECORD_PICKS = 16,
};

static size_t message_size(size_t topic, size_t properties, size_t payload)
{
    return sizeof(struct message) + topic + properties + payload;
}

struct message *message_new(struct alloc *a, struct str topic, struct bytes properties,
                            struct bytes payload)
{
    if (topic.n > UINT16_MAX || properties.n > MESSAGE_PART_MAX || payload.n > MESSAGE_PART_MAX)
        return NULL;
    struct message *m = mem_new(a, message_size(topic.n, properties.n, payload.n));
    if (!m)
        return NULL;
    *m = (struct message){
        .refs = 1,
        .topic_len = (uint16_t)topic.n,
        .properties_len = (uint32_t)properties.n,
        .payload_len = (uint32_t)payload.n,
        .expiry_s = UINT32_MAX,
        .alloc = a,
    };
    uint8_t *p = m->data;
    if (!properties.n && (const uint8_t *)topic.p + topic.n == payload.p) {
        memcpy(p, topic.p, topic.n + payload.n); /* as they stand in a packet of QoS 0 */
        return m;
    }
    memcpy(p, topic.p, topic.n);
    if (properties.n)
        memcpy(p + topic.n, properties.p, properties.n);
    if (payload.n)
        memcpy(p + topic.n + properties.n, payload.p, payload.n);
    return m;
}

struct message *message_ref(struct message *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void message_unref(struct message *m)
{
    if (!m)
        return;
    /* Who holds the only reference need not ask for the cache line with a locked instruction. */
    uint32_t before = atomic_load_explicit(&m->refs, memory_order_acquire);
    if (before != 1)
        before = atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before == 1)
        mem_free(m->alloc, m, message_size(m->topic_len, m->properties_len, m->payload_len));
}

size_t message_bytes(const struct message *m)
{
    return message_size(m->topic_len, m->properties_len, m->payload_len);
}

bool message_expired(const struct message *m, int64_t now_ms)
{
    return m->expiry_s != UINT32_MAX && now_ms - m->wall_ms >= (int64_t)m->expiry_s * 1000;
}

uint32_t message_expiry_left_s(const struct message *m, int64_t now_ms)
{
    if (m->expiry_s == UINT32_MAX)
        return UINT32_MAX;
    int64_t waited_s = (now_ms - m->wall_ms) / 1000;
    if (waited_s <= 0) /* a wall clock may jump back */
        return m->expiry_s;
    return waited_s >= (int64_t)m->expiry_s ? 0 : m->expiry_s - (uint32_t)waited_s;
}

/* version, flags (bits 0 and 1 QoS, bit 2 retain, bit 3 session, bit 4 picks), expiry, length of
 * the publisher's name, of the topic, of the properties; with bit 3 the session's number and the
 * packet id; with bit 4 the number of picks; then publisher, picks, topic and properties; the
 * payload is the rest. */
unsigned message_record(const struct message *m, const struct message_origin *o,
                        struct message_head *h, struct iovec parts[MESSAGE_PARTS])
{
    struct writer w = writer_from(h->bytes, sizeof(h->bytes));
    size_t name_n = o->publisher.n > MESSAGE_PUBLISHER_MAX ? MESSAGE_PUBLISHER_MAX : o->publisher.n;
    writer_u8(&w, RECORD_VERSION);
    writer_u8(&w, (uint8_t)(m->qos | (m->retain ? RECORD_RETAIN : 0u) |
                            (o->session ? RECORD_SESSION : 0u) | (o->picked ? RECORD_PICKS : 0u)));
    writer_u32(&w, m->expiry_s);
    writer_u16(&w, (uint16_t)name_n);
    writer_u16(&w, m->topic_len);
    writer_u32(&w, m->properties_len);
    if (o->session) {
        writer_u64(&w, o->session);
        writer_u16(&w, o->packet_id);
    }
    if (o->picked)
        writer_u16(&w, (uint16_t)(o->picks.n / MESSAGE_PICK_BYTES));
    ASSERT(!w.failed && o->picks.n <= (size_t)MESSAGE_PICKS_MAX * MESSAGE_PICK_BYTES);
    parts[0] = (struct iovec){h->bytes, writer_len(&w)};
    parts[1] = (struct iovec){(void *)(uintptr_t)o->publisher.p, name_n};
    parts[2] = (struct iovec){(void *)(uintptr_t)o->picks.p, o->picks.n};
    parts[3] = (struct iovec){(void *)(uintptr_t)m->data,
                              (size_t)m->topic_len + m->properties_len + m->payload_len};
    return MESSAGE_PARTS;
}

void message_pick_put(uint8_t *room, uint64_t share, uint64_t number)
{
    struct writer w = writer_from(room, MESSAGE_PICK_BYTES);
    writer_u64(&w, share);
    writer_u64(&w, number);
}

bool message_pick(const struct message_origin *o, uint64_t share, uint64_t *number)
{
    struct cursor c = cursor_from(o->picks.p, o->picks.n);
    while (cursor_left(&c)) {
        uint64_t of = cursor_u64(&c);
        *number = cursor_u64(&c);
        if (of == share)
            return true;
    }
    return false;
}

struct record {
    uint8_t flags;
    uint32_t expiry_s;
    struct message_origin origin;
    struct str topic;
    struct bytes properties, payload;
};

static bool record_parse(struct bytes body, struct record *out)
{
    struct cursor c = cursor_from(body.p, body.n);
    *out = (struct record){0};
    uint8_t version = cursor_u8(&c);
    if (version < 1 || version > RECORD_VERSION)
        return false;
    out->flags = cursor_u8(&c);
    out->expiry_s = cursor_u32(&c);
    size_t publisher_len = cursor_u16(&c), topic_len = cursor_u16(&c);
    size_t properties_len = cursor_u32(&c);
    if (out->flags & RECORD_SESSION) {
        out->origin.session = cursor_u64(&c);
        out->origin.packet_id = cursor_u16(&c);
        if (!out->origin.session)
            return false;
    }
    out->origin.picked = out->flags & RECORD_PICKS;
    size_t picks = out->origin.picked ? cursor_u16(&c) : 0;
    struct bytes publisher = cursor_take(&c, publisher_len);
    out->origin.picks = cursor_take(&c, picks * MESSAGE_PICK_BYTES);
    struct bytes topic = cursor_take(&c, topic_len);
    out->properties = cursor_take(&c, properties_len);
    out->payload = cursor_take(&c, cursor_left(&c));
    out->origin.publisher = (struct str){(const char *)publisher.p, publisher.n};
    out->topic = (struct str){(const char *)topic.p, topic.n};
    unsigned known = RECORD_QOS | RECORD_RETAIN | (version > 1 ? RECORD_SESSION : 0u) |
                     (version > 2 ? RECORD_PICKS : 0u);
    return !c.failed && topic.n > 0 && (out->flags & ~known) == 0 && (out->flags & RECORD_QOS) < 3;
}

struct message *message_decode(struct alloc *a, struct bytes body, uint64_t seq, int64_t wall_ms)
{
    struct record r;
    if (!record_parse(body, &r))
        return NULL;
    struct message *m = message_new(a, r.topic, r.properties, r.payload);
    if (!m)
        return NULL;
    m->qos = r.flags & RECORD_QOS;
    m->retain = r.flags & RECORD_RETAIN;
    m->expiry_s = r.expiry_s;
    m->seq = seq;
    m->wall_ms = wall_ms;
    return m;
}

struct message_origin message_record_origin(struct bytes body)
{
    struct record r;
    return record_parse(body, &r) ? r.origin : (struct message_origin){0};
}
