#include "base/map.h"
#include "store/journal_internal.h"
#include <string.h>

#define FRAME_VERSION 1u
#define FRAME_CRC_AT  44u

void frame_seal(uint8_t out[FRAME_HEAD], const struct frame_head *h, const uint8_t *body)
{
    struct writer w = writer_from(out, FRAME_HEAD);
    writer_u32le(&w, FRAME_MAGIC);
    writer_u8(&w, FRAME_VERSION);
    writer_u8(&w, h->flags);
    writer_u16le(&w, 0);
    writer_u64le(&w, h->segment);
    writer_u64le(&w, h->first_seq);
    writer_u64le(&w, (uint64_t)h->wall_ms);
    writer_u32le(&w, h->count);
    writer_u32le(&w, h->raw);
    writer_u32le(&w, h->stored);
    uint32_t crc = crc32c(crc32c(0, out, FRAME_CRC_AT), body, h->stored);
    writer_u32le(&w, crc);
    ASSERT(!w.failed && writer_len(&w) == FRAME_HEAD);
}

static bool head_sane(const struct frame_head *h, uint8_t version, uint16_t reserved)
{
    return version == FRAME_VERSION && reserved == 0 &&
           (h->flags & ~(FRAME_ZSTD | FRAME_AFTER_GAP)) == 0 && h->first_seq > 0 && h->count > 0 &&
           h->first_seq <= UINT64_MAX - h->count && h->raw <= FRAME_RAW_MAX &&
           h->raw / RECORD_SIZE_MIN >= h->count && h->stored > 0 &&
           ((h->flags & FRAME_ZSTD) ? h->stored < h->raw : h->stored == h->raw);
}

bool frame_open(struct bytes in, uint64_t segment, struct frame_head *h, struct bytes *body)
{
    struct cursor c = cursor_from(in.p, in.n);
    if (cursor_u32le(&c) != FRAME_MAGIC)
        return false;
    uint8_t version = cursor_u8(&c);
    h->flags = cursor_u8(&c);
    uint16_t reserved = cursor_u16le(&c);
    h->segment = cursor_u64le(&c);
    h->first_seq = cursor_u64le(&c);
    h->wall_ms = (int64_t)cursor_u64le(&c);
    h->count = cursor_u32le(&c);
    h->raw = cursor_u32le(&c);
    h->stored = cursor_u32le(&c);
    uint32_t crc = cursor_u32le(&c);
    if (c.failed || (segment != FRAME_ANY_SEGMENT && h->segment != segment) ||
        !head_sane(h, version, reserved))
        return false;
    *body = cursor_take(&c, h->stored);
    return !c.failed && crc == crc32c(crc32c(0, in.p, FRAME_CRC_AT), body->p, body->n);
}

bool frame_find(struct bytes in, size_t *at, uint64_t segment, uint64_t after, struct frame_head *h,
                struct bytes *body)
{
    static const uint8_t magic[4] = {'S', 'F', 'J', '1'};
    while (*at < in.n) {
        const uint8_t *hit = memmem(in.p + *at, in.n - *at, magic, sizeof(magic));
        if (!hit)
            break;
        *at = (size_t)(hit - in.p);
        struct bytes rest = {hit, in.n - *at};
        if (frame_open(rest, segment, h, body) && h->first_seq > after)
            return true;
        (*at)++;
    }
    *at = in.n;
    return false;
}

enum err frame_unpack(struct frame_unpacker *u, const struct frame_head *h, struct bytes body,
                      struct bytes *raw)
{
    if (!(h->flags & FRAME_ZSTD)) {
        *raw = body;
        return ERR_OK;
    }
    if (u->cap < h->raw) {
        uint8_t *p = mem_resize(u->alloc, u->p, u->cap, h->raw);
        if (!p)
            return ERR_NOMEM;
        u->p = p;
        u->cap = h->raw;
    }
    size_t n = ZSTD_decompress(u->p, h->raw, body.p, body.n);
    if (ZSTD_isError(n) || n != h->raw)
        return ERR_CORRUPT;
    *raw = (struct bytes){u->p, n};
    return ERR_OK;
}

void frame_unpacker_fini(struct frame_unpacker *u)
{
    mem_free(u->alloc, u->p, u->cap);
    u->p = NULL;
    u->cap = 0;
}

size_t record_head(uint8_t out[RECORD_HEAD_MAX], uint8_t kind, int64_t wall_delta_ms, size_t size)
{
    struct writer w = writer_from(out, RECORD_HEAD_MAX);
    writer_u8(&w, kind);
    writer_svarint(&w, wall_delta_ms);
    writer_varint(&w, size);
    ASSERT(!w.failed);
    return writer_len(&w);
}

bool record_next(struct cursor *c, int64_t frame_wall_ms, struct journal_record *r)
{
    if (cursor_left(c) == 0)
        return false;
    r->kind = cursor_u8(c);
    r->wall_ms = (int64_t)((uint64_t)frame_wall_ms + (uint64_t)cursor_svarint(c));
    uint64_t size = cursor_varint(c);
    if (size > cursor_left(c))
        c->failed = true;
    r->body = cursor_take(c, (size_t)size);
    return !c->failed;
}
