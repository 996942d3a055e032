/* message: bytes on a topic, made once and shared by all that receive it.
 *
 * Ownership: counted; message_ref() and message_unref(). Never changed after it was made.
 * Threads: any. */
#pragma once

#include "base/cursor.h"
#include <stdatomic.h>

struct message {
    _Atomic uint32_t refs;
    uint8_t qos;           /* as published */
    bool retain;           /* as published */
    uint16_t topic_len;
    uint32_t payload_len, properties_len;
    uint64_t seq;          /* journal; 0: not in it */
    int64_t wall_ms;       /* when it came in */
    uint32_t expiry_s;     /* message expiry interval; UINT32_MAX: never */
    uint32_t publisher;    /* bus_publisher id, for No Local */
    struct alloc *alloc;
    uint8_t data[];        /* topic, properties (MQTT 5, as they are forwarded), payload */
};
static inline struct str message_topic(const struct message *m)
{
    return (struct str){(const char *)m->data, m->topic_len};
}
static inline struct bytes message_properties(const struct message *m)
{
    return (struct bytes){m->data + m->topic_len, m->properties_len};
}
static inline struct bytes message_payload(const struct message *m)
{
    return (struct bytes){m->data + m->topic_len + m->properties_len, m->payload_len};
}
struct message *message_ref(struct message *m);
void message_unref(struct message *m);
