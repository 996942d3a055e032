#include "protocol/mqtt_will_body.h"

#include "codec/mqtt.h"

#define VERSION 1
enum { WILL_QOS = 3, WILL_RETAIN = 4, WILL_USER = 8 };

size_t will_body_size(const struct will_body *b)
{
    const size_t numbers = 1 + 1 + 2 + 4 + 4, lengths = 2 + (b->user.p ? 2 : 0) + 2 + 4;
    return numbers + lengths + b->client_id.n + b->user.n + b->topic.n + b->payload.n +
           b->properties.n;
}

void will_body_write(const struct will_body *b, struct writer *to)
{
    unsigned flags = b->qos | (b->retain ? WILL_RETAIN : 0u) | (b->user.p ? WILL_USER : 0u);
    writer_u8(to, VERSION);
    writer_u8(to, (uint8_t)flags);
    writer_u16(to, b->keep_alive_s);
    writer_u32(to, b->delay_s);
    writer_u32(to, b->expiry_s);
    writer_str16(to, b->client_id);
    if (b->user.p)
        writer_str16(to, b->user);
    writer_str16(to, b->topic);
    writer_u32(to, (uint32_t)b->payload.n);
    writer_bytes(to, b->payload.p, b->payload.n);
    writer_bytes(to, b->properties.p, b->properties.n);
    ASSERT(!to->failed);
}

bool will_body_read(struct bytes from, struct will_body *b)
{
    struct cursor c = cursor_from(from.p, from.n);
    *b = (struct will_body){0};
    uint8_t version = cursor_u8(&c), flags = cursor_u8(&c);
    b->qos = flags & WILL_QOS;
    b->retain = flags & WILL_RETAIN;
    b->keep_alive_s = cursor_u16(&c);
    b->delay_s = cursor_u32(&c);
    b->expiry_s = cursor_u32(&c);
    b->client_id = cursor_str16(&c);
    if (flags & WILL_USER)
        b->user = cursor_str16(&c);
    b->topic = cursor_str16(&c);
    b->payload = cursor_take(&c, cursor_u32(&c));
    b->properties = cursor_take(&c, cursor_left(&c));
    return !c.failed && version == VERSION && b->qos < 3 &&
           !(flags & ~(WILL_QOS | WILL_RETAIN | WILL_USER)) && b->client_id.n &&
           mqtt_topic_valid(b->topic);
}
