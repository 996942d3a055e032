/* mqtt_internal: what the files of the MQTT codec share; private to this folder.
 *
 * Why: one packet's reading and writing stand together in one file; the frame around them, the
 * properties in them and their reason codes are common.
 * Reading: a function gets a cursor over the packet's body, returns false after mqtt_fail().
 * Writing: a function is called twice with a struct mqtt_out, first to count, then to write, so
 * that size and bytes can't disagree. */
#pragma once

#include "codec/mqtt.h"

struct mqtt_in {
    struct cursor c; /* the body */
    enum mqtt_version version;
    bool is_server;
    uint8_t flags; /* low four bits of the first byte */
    struct mqtt_fault *fault;
};

/* Fills the fault; always false. */
bool mqtt_fail(struct mqtt_in *in, uint8_t reason, const char *text);
/* False, with a fault, once the cursor has failed. */
bool mqtt_in_ok(struct mqtt_in *in);
/* A variable byte integer: 1 to 4 bytes, minimal [MQTT-1.5.5-1]. Fails the cursor otherwise. */
uint32_t mqtt_varint(struct cursor *c);
/* Out of line: GCC turns a memset() of this constant size into `rep stos`, a quarter of the time
 * that it takes to decode a PUBLISH. */
void mqtt_zero(void *p, size_t n);
/* UTF-8 without U+0000; may be empty. */
bool mqtt_text_valid(struct str s);
/* A UTF-8 string [MQTT-1.5.4-1, -2]; false with a fault. */
bool mqtt_in_text(struct mqtt_in *in, struct str *out);
bool mqtt_in_binary(struct mqtt_in *in, struct bytes *out);
/* A packet id, which is never 0 [MQTT-2.2.1-3]. */
bool mqtt_in_id(struct mqtt_in *in, uint16_t *out);
/* Whether a packet of this type from this side may carry the reason; false with a fault. */
bool mqtt_in_reason(struct mqtt_in *in, enum mqtt_type type, uint8_t reason);
/* The properties with their length; `type` 0 is a will. Reads nothing and zeroes in 3.1.1. */
bool mqtt_in_props(struct mqtt_in *in, unsigned type, struct mqtt_props *out);

struct mqtt_out {
    struct writer *w; /* NULL: only counts */
    enum mqtt_version version;
    size_t n;
    enum err err; /* the first mistake */
};
static inline size_t mqtt_varint_size(size_t v)
{
    return v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4;
}
void mqtt_out_u8(struct mqtt_out *o, unsigned v);
void mqtt_out_u16(struct mqtt_out *o, unsigned v);
void mqtt_out_u32(struct mqtt_out *o, uint32_t v);
void mqtt_out_varint(struct mqtt_out *o, size_t v);
void mqtt_out_bytes(struct mqtt_out *o, const void *p, size_t n);
void mqtt_out_field(struct mqtt_out *o, const void *p, size_t n); /* with a 16-bit length */
void mqtt_out_id(struct mqtt_out *o, uint16_t id);
/* 5.0 only: checks that the packet may carry the reason. */
void mqtt_out_reason(struct mqtt_out *o, enum mqtt_type type, uint8_t reason);
/* The properties with their length; nothing in 3.1.1. `ids` are added subscription ids. */
void mqtt_out_props(struct mqtt_out *o, unsigned type, const struct mqtt_props *p,
                    const uint32_t *ids, size_t ids_n);
/* Whether properties would be written. */
bool mqtt_props_any(const struct mqtt_props *p);

/* One pair for each kind of packet; PUBLISH is framed in its own file. p->type is filled. */
bool mqtt_read_connect(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_connack(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_publish(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_ack(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_subscribe(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_suback(struct mqtt_in *in, struct mqtt_packet *p);
bool mqtt_read_end(struct mqtt_in *in, struct mqtt_packet *p);
void mqtt_write_connect(struct mqtt_out *o, const struct mqtt_packet *p);
void mqtt_write_connack(struct mqtt_out *o, const struct mqtt_packet *p);
void mqtt_write_ack(struct mqtt_out *o, const struct mqtt_packet *p);
void mqtt_write_subscribe(struct mqtt_out *o, const struct mqtt_packet *p);
void mqtt_write_suback(struct mqtt_out *o, const struct mqtt_packet *p);
void mqtt_write_end(struct mqtt_out *o, const struct mqtt_packet *p);
