/* message: bytes on a topic, made once and shared by all that receive it.
 *
 * Ownership: counted; message_ref() and message_unref(). Never changed after it was made.
 * Threads: any; so whoever drops the last reference must be allowed to free through its allocator:
 * alloc_system(), or worker_buffers(). */
#pragma once

#include "base/atomic.h"
#include "base/cursor.h"
#include <sys/uio.h>

struct message {
    _Atomic uint32_t refs;
    uint8_t qos; /* as published */
    bool retain; /* as published */
    uint16_t topic_len;
    uint32_t payload_len, properties_len;
    uint64_t seq;       /* journal; 0: not in it */
    int64_t wall_ms;    /* when it came in */
    uint32_t expiry_s;  /* message expiry interval; UINT32_MAX: never */
    uint32_t publisher; /* bus_publisher id, for No Local */
    struct alloc *alloc;
    uint8_t data[]; /* topic, properties (MQTT 5, as they are forwarded), payload */
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

/* With one reference, QoS 0, no expiry; the caller fills the rest before it shares it. NULL
 * without memory, or if a part is too long. */
#define MESSAGE_PART_MAX (256u << 20)
struct message *message_new(struct alloc *a, struct str topic, struct bytes properties,
                            struct bytes payload);
size_t message_bytes(const struct message *m); /* of memory, for budgets */
bool message_expired(const struct message *m, int64_t now_ms);
/* What is left of the expiry interval, rounded up; UINT32_MAX: never. */
uint32_t message_expiry_left_s(const struct message *m, int64_t now_ms);

/* The record of a message, versioned: as in the journal, and as a blob in the database. The parts
 * borrow from the message, the origin and *h. Version 1, which is still read, had no session,
 * version 2 nothing of shares. */
#define MESSAGE_PUBLISHER_MAX 1024
struct message_head {
    uint8_t bytes[32];
};
struct message_origin {
    struct str
        publisher;      /* client id, cut at MESSAGE_PUBLISHER_MAX; for No Local after a restart */
    uint64_t session;   /* number of the stored session that sent it at QoS 2; 0: none */
    uint16_t packet_id; /* by which it did; 0: `session` is the number of the will that it is */
    /* Who gets it by shared subscriptions: MESSAGE_PICK_BYTES for each group, see message_pick().
     * Not known in old records; there `picked` is false. */
    bool picked;
    struct bytes picks;
};
enum { MESSAGE_PICK_BYTES = 16, MESSAGE_PICKS_MAX = UINT16_MAX };
/* The last part is topic, properties and payload. */
enum { MESSAGE_PARTS = 4 };
unsigned message_record(const struct message *m, const struct message_origin *o,
                        struct message_head *h, struct iovec parts[MESSAGE_PARTS]);
/* The record without an origin, as the database keeps it. ERR_NOMEM. */
struct sqlite3_stmt;
MUST_USE enum err message_bind(struct sqlite3_stmt *s, int parameter, const struct message *m);
/* `room` has MESSAGE_PICK_BYTES. number: of the stored session; 0: of nobody that is stored. */
void message_pick_put(uint8_t *room, uint64_t share, uint64_t number);
/* False: nobody got it by that share. */
bool message_pick(const struct message_origin *o, uint64_t share, uint64_t *number);
/* NULL without memory, or if it is no record that this version knows. */
struct message *message_decode(struct alloc *a, struct bytes body, uint64_t seq, int64_t wall_ms);
/* Where it came from, borrowed from the record; zero if it is none. */
struct message_origin message_record_origin(struct bytes body);
