#include "base/map.h"
#include "history/chunk_internal.h"
#include "history/ints.h"
#include <string.h>
#include <zstd.h>

#define COMPRESS_MIN 64u

size_t texts_bound(const struct points *p)
{
    size_t text = 0;
    for (uint32_t i = 0; i < p->n; i++)
        text += (size_t)(p->v[i] & UINT32_MAX);
    return ints_bound(p->n) + (size_t)p->n * 2 + ZSTD_compressBound(text) + 64;
}

/* Each different string once, in the order of first use. */
struct dictionary {
    struct map map;
    struct strbuf text;
    struct str word[CHUNK_POINTS_MAX]; /* the map's keys: they borrow from the points */
    int64_t place[CHUNK_POINTS_MAX];   /* of each point */
    uint32_t words;
};

static enum err dictionary_fill(struct dictionary *d, const struct points *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        struct str s = points_value(p, i).s;
        ASSERT(s.n <= CHUNK_STR_MAX);
        const struct str *known = map_get(&d->map, s);
        if (!known) {
            struct str *slot = &d->word[d->words];
            *slot = s;
            if (map_put(&d->map, s, slot) != ERR_OK)
                return ERR_NOMEM;
            strbuf_addstr(&d->text, s);
            d->words++;
            known = slot;
        }
        d->place[i] = known - d->word;
    }
    return d->text.failed ? ERR_NOMEM : ERR_OK;
}

static enum err text_encode(struct writer *w, struct str text, struct alloc *alloc)
{
    size_t room = ZSTD_compressBound(text.n);
    size_t n = text.n;
    uint8_t *packed = NULL;
    if (text.n >= COMPRESS_MIN) {
        packed = mem_new(alloc, room);
        if (!packed)
            return ERR_NOMEM;
        n = ZSTD_compress(packed, room, text.p, text.n, 3);
        if (ZSTD_isError(n))
            n = text.n;
    }
    bool smaller = n < text.n;
    writer_varint(w, text.n);
    writer_varint(w, smaller ? n : 0);
    writer_bytes(w, smaller ? (const void *)packed : (const void *)text.p, smaller ? n : text.n);
    mem_free(alloc, packed, room);
    return ERR_OK;
}

enum err texts_encode(struct writer *w, const struct points *p, struct alloc *alloc)
{
    struct dictionary *d = mem_zero(alloc, sizeof(*d));
    if (!d)
        return ERR_NOMEM;
    map_init(&d->map, alloc, 1, CHUNK_POINTS_MAX);
    strbuf_init(&d->text, alloc, 0);
    enum err r = dictionary_fill(d, p);
    if (r == ERR_OK) {
        writer_varint(w, d->words);
        for (uint32_t i = 0; i < d->words; i++)
            writer_varint(w, d->word[i].n);
        r = text_encode(w, strbuf_str(&d->text), alloc);
    }
    if (r == ERR_OK) {
        uint8_t how;
        (void)ints_plan(d->place, p->n, &how);
        ints_encode(w, d->place, p->n, how);
    }
    strbuf_fini(&d->text);
    map_fini(&d->map);
    mem_free(alloc, d, sizeof(*d));
    return r;
}

/* The dictionary's text, into p->text. */
static enum err text_decode(struct cursor *c, struct points *p, uint64_t want)
{
    uint64_t raw = cursor_varint(c);
    uint64_t stored = cursor_varint(c);
    if (c->failed || raw != want || stored > raw)
        return ERR_CORRUPT;
    struct bytes in = cursor_take(c, (size_t)(stored ? stored : raw));
    if (c->failed)
        return ERR_CORRUPT;
    if (!stored) {
        strbuf_add(&p->text, in.p, in.n);
        return p->text.failed ? ERR_NOMEM : ERR_OK;
    }
    uint8_t *out = mem_new(p->alloc, (size_t)raw);
    if (!out)
        return ERR_NOMEM;
    size_t n = ZSTD_decompress(out, (size_t)raw, in.p, in.n);
    enum err r = ZSTD_isError(n) || n != raw ? ERR_CORRUPT : ERR_OK;
    if (r == ERR_OK)
        strbuf_add(&p->text, out, n);
    mem_free(p->alloc, out, (size_t)raw);
    return r == ERR_OK && p->text.failed ? ERR_NOMEM : r;
}

enum err texts_decode(struct cursor *c, struct points *p, uint32_t n)
{
    uint64_t words = cursor_varint(c);
    if (c->failed || words == 0 || words > n)
        return ERR_CORRUPT;
    uint64_t word[CHUNK_POINTS_MAX]; /* offset << 32 | length */
    uint64_t at = 0;
    for (uint32_t i = 0; i < words; i++) {
        uint64_t size = cursor_varint(c);
        if (size > CHUNK_STR_MAX)
            return ERR_CORRUPT;
        word[i] = at << 32 | size;
        at += size;
    }
    enum err r = c->failed ? ERR_CORRUPT : text_decode(c, p, at);
    if (r != ERR_OK)
        return r;
    if (!ints_decode(c, (int64_t *)p->v, n))
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        if (p->v[i] >= words)
            return ERR_CORRUPT;
        p->v[i] = word[p->v[i]];
    }
    return ERR_OK;
}
