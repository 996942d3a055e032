/* mqtt_will_body: a will as bytes, in its record and in its row.
 *
 * On disk: version, flags (bits 0 and 1 QoS, bit 2 retain, bit 3 user), keep-alive (u16), delay,
 * expiry (u32 seconds each), client id, user if it has one, topic (u16 length each), payload (u32
 * length); the properties, as they are forwarded, are the rest.
 * Ownership: what is read borrows from the bytes. Threads: none. */
#pragma once

#include "base/cursor.h"

struct will_body {
    uint8_t qos;
    bool retain;
    uint16_t keep_alive_s;
    uint32_t delay_s, expiry_s; /* UINT32_MAX: never */
    struct str client_id, topic;
    struct str user; /* p NULL: nobody has proven to be one */
    struct bytes payload, properties;
};
size_t will_body_size(const struct will_body *b);
void will_body_write(const struct will_body *b, struct writer *to); /* there is room */
/* False: it is none that this version knows. */
MUST_USE bool will_body_read(struct bytes from, struct will_body *b);
