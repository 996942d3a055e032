/* cursor: reads bytes without ever passing their end; writer: the same for writing.
 *
 * Why: parsers must not do pointer arithmetic. A cursor that failed stays failed and returns
 * zeros, so a parser may read a whole structure and look at `failed` once.
 * Numbers are big-endian (network order) unless the name says le.
 * Ownership: both borrow their memory. Threads: none. */
#pragma once

#include "base/str.h"

struct bytes {
    const uint8_t *p;
    size_t n;
};

struct cursor {
    const uint8_t *p, *end;
    bool failed;
};
struct cursor cursor_from(const void *p, size_t n);
static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : (size_t)(c->end - c->p);
}
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint16_t cursor_u16le(struct cursor *c);
uint32_t cursor_u32le(struct cursor *c);
uint64_t cursor_u64le(struct cursor *c);
double cursor_f64le(struct cursor *c);
/* LEB128, at most 10 bytes; zig-zag for the signed one. */
uint64_t cursor_varint(struct cursor *c);
int64_t cursor_svarint(struct cursor *c);
struct bytes cursor_take(struct cursor *c, size_t n); /* borrowed; {NULL, 0} on failure */
struct str cursor_str16(struct cursor *c);            /* u16 length, then bytes */

struct writer {
    uint8_t *start, *p, *end;
    bool failed; /* did not fit */
};
struct writer writer_from(void *p, size_t n);
static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->p - w->start);
}
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_u16le(struct writer *w, uint16_t v);
void writer_u32le(struct writer *w, uint32_t v);
void writer_u64le(struct writer *w, uint64_t v);
void writer_f64le(struct writer *w, double v);
void writer_varint(struct writer *w, uint64_t v);
void writer_svarint(struct writer *w, int64_t v);
void writer_bytes(struct writer *w, const void *p, size_t n);
void writer_str16(struct writer *w, struct str s); /* fails above 65,535 bytes */

/* The same at the end of a buffer that grows. */
void strbuf_add_varint(struct strbuf *b, uint64_t v);
void strbuf_add_svarint(struct strbuf *b, int64_t v);
