#include "base/cursor.h"

#include <string.h>

static uint64_t take_be(struct cursor *c, size_t n)
{
    struct bytes b = cursor_take(c, n);
    uint64_t v = 0;
    for (size_t i = 0; i < b.n; i++)
        v = v << 8 | b.p[i];
    return v;
}

static uint64_t take_le(struct cursor *c, size_t n)
{
    struct bytes b = cursor_take(c, n);
    uint64_t v = 0;
    for (size_t i = 0; i < b.n; i++)
        v |= (uint64_t)b.p[i] << (8 * i);
    return v;
}

uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)take_be(c, 4);
}
uint64_t cursor_u64(struct cursor *c)
{
    return take_be(c, 8);
}
uint16_t cursor_u16le(struct cursor *c)
{
    return (uint16_t)take_le(c, 2);
}
uint32_t cursor_u32le(struct cursor *c)
{
    return (uint32_t)take_le(c, 4);
}
uint64_t cursor_u64le(struct cursor *c)
{
    return take_le(c, 8);
}

double cursor_f64le(struct cursor *c)
{
    uint64_t bits = take_le(c, 8);
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t b = cursor_u8(c);
        if (c->failed)
            return 0;
        if (shift == 63 && b > 1)
            break; /* more than 64 bits */
        v |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80))
            return v;
    }
    c->failed = true;
    return 0;
}

int64_t cursor_svarint(struct cursor *c)
{
    uint64_t u = cursor_varint(c);
    return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

static void put_be(struct writer *w, uint64_t v, size_t n)
{
    uint8_t b[8];
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    writer_bytes(w, b, n);
}

static void put_le(struct writer *w, uint64_t v, size_t n)
{
    uint8_t b[8];
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    writer_bytes(w, b, n);
}

void writer_u32(struct writer *w, uint32_t v)
{
    put_be(w, v, 4);
}
void writer_u64(struct writer *w, uint64_t v)
{
    put_be(w, v, 8);
}
void writer_u16le(struct writer *w, uint16_t v)
{
    put_le(w, v, 2);
}
void writer_u32le(struct writer *w, uint32_t v)
{
    put_le(w, v, 4);
}
void writer_u64le(struct writer *w, uint64_t v)
{
    put_le(w, v, 8);
}

void writer_f64le(struct writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    put_le(w, bits, 8);
}

void writer_varint(struct writer *w, uint64_t v)
{
    uint8_t b[10];
    size_t n = 0;
    while (v >= 0x80) {
        b[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    b[n++] = (uint8_t)v;
    writer_bytes(w, b, n);
}

void writer_svarint(struct writer *w, int64_t v)
{
    writer_varint(w, (uint64_t)v << 1 ^ (uint64_t)(v < 0 ? -1 : 0));
}

void writer_str16(struct writer *w, struct str s)
{
    if (s.n > UINT16_MAX) {
        w->failed = true;
        return;
    }
    /* Nothing at all rather than a length without its text. */
    if (!w->failed && s.n + 2 > (size_t)(w->end - w->p)) {
        w->failed = true;
        return;
    }
    writer_u16(w, (uint16_t)s.n);
    writer_bytes(w, s.p, s.n);
}

#define VARINT_MAX 10

void strbuf_add_varint(struct strbuf *b, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    struct writer w = writer_from(bytes, sizeof(bytes));
    writer_varint(&w, v);
    strbuf_add(b, bytes, writer_len(&w));
}

void strbuf_add_svarint(struct strbuf *b, int64_t v)
{
    uint8_t bytes[VARINT_MAX];
    struct writer w = writer_from(bytes, sizeof(bytes));
    writer_svarint(&w, v);
    strbuf_add(b, bytes, writer_len(&w));
}
