/* cursor: reads bytes without ever passing their end; writer: the same for writing.
 *
 * Why: parsers must not do pointer arithmetic. A cursor that failed stays failed and returns
 * zeros, so a parser may read a whole structure and look at `failed` once.
 * Numbers are big-endian (network order) unless the name says le.
 * Ownership: both borrow their memory. Threads: none. */
#pragma once

#include "base/str.h"

#include <string.h>

struct bytes {
    const uint8_t *p;
    size_t n;
};

struct cursor {
    const uint8_t *p, *end;
    bool failed;
};
/* What packets are made of is inline: a call for each byte is most of what reading one costs. */
static inline struct cursor cursor_from(const void *p, size_t n)
{
    const uint8_t *b = n ? p : (const uint8_t *)"";
    return (struct cursor){.p = b, .end = b + n};
}
static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : (size_t)(c->end - c->p);
}
static inline struct bytes cursor_take(struct cursor *c,
                                       size_t n) /* borrowed; {NULL, 0} on failure */
{
    if (__builtin_expect(c->failed || n > (size_t)(c->end - c->p), 0)) {
        c->failed = true;
        return (struct bytes){0};
    }
    struct bytes b = {c->p, n};
    c->p += n;
    return b;
}
static inline uint8_t cursor_u8(struct cursor *c)
{
    struct bytes b = cursor_take(c, 1);
    return b.n ? b.p[0] : 0;
}
static inline uint16_t cursor_u16(struct cursor *c)
{
    struct bytes b = cursor_take(c, 2);
    return (uint16_t)(b.n ? b.p[0] << 8 | b.p[1] : 0);
}
static inline struct str cursor_str16(struct cursor *c) /* u16 length, then bytes */
{
    struct bytes b = cursor_take(c, cursor_u16(c));
    return (struct str){(const char *)b.p, b.n};
}
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint16_t cursor_u16le(struct cursor *c);
uint32_t cursor_u32le(struct cursor *c);
uint64_t cursor_u64le(struct cursor *c);
double cursor_f64le(struct cursor *c);
/* LEB128, at most 10 bytes; zig-zag for the signed one. */
uint64_t cursor_varint(struct cursor *c);
int64_t cursor_svarint(struct cursor *c);

struct writer {
    uint8_t *start, *p, *end;
    bool failed; /* did not fit */
};
static inline struct writer writer_from(void *p, size_t n)
{
    return (struct writer){.start = p, .p = p, .end = n ? (uint8_t *)p + n : p};
}
static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->p - w->start);
}
/* The next n bytes, to be filled by the caller; NULL when they do not fit. */
static inline uint8_t *writer_take(struct writer *w, size_t n)
{
    if (__builtin_expect(w->failed || n > (size_t)(w->end - w->p), 0)) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->p;
    w->p += n;
    return at;
}
static inline void writer_bytes(struct writer *w, const void *p, size_t n)
{
    uint8_t *at = writer_take(w, n);
    if (at && n)
        memcpy(at, p, n);
}
static inline void writer_u8(struct writer *w, uint8_t v)
{
    uint8_t *at = writer_take(w, 1);
    if (at)
        *at = v;
}
static inline void writer_u16(struct writer *w, uint16_t v)
{
    uint8_t *at = writer_take(w, 2);
    if (!at)
        return;
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_u16le(struct writer *w, uint16_t v);
void writer_u32le(struct writer *w, uint32_t v);
void writer_u64le(struct writer *w, uint64_t v);
void writer_f64le(struct writer *w, double v);
void writer_varint(struct writer *w, uint64_t v);
void writer_svarint(struct writer *w, int64_t v);
void writer_str16(struct writer *w, struct str s); /* fails above 65,535 bytes */

/* The same at the end of a buffer that grows. */
void strbuf_add_varint(struct strbuf *b, uint64_t v);
void strbuf_add_svarint(struct strbuf *b, int64_t v);
