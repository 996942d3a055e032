#include "history/chunk_internal.h"
#include "history/ints.h"

#define CHUNK_VERSION 1u

/* On disk: never renumber. */
static uint8_t kind_code(enum value_kind k)
{
    switch (k) {
    case VALUE_BOOL: return 1;
    case VALUE_INT: return 2;
    case VALUE_FLOAT: return 3;
    case VALUE_STR: return 4;
    case VALUE_NONE: break;
    }
    return 0;
}

static enum value_kind kind_of(uint8_t code)
{
    static const enum value_kind kinds[] = {VALUE_NONE, VALUE_BOOL, VALUE_INT, VALUE_FLOAT,
                                            VALUE_STR};
    return code < ARRAY_LEN(kinds) ? kinds[code] : VALUE_NONE;
}

size_t chunk_bound(const struct points *p)
{
    size_t head = 16;
    size_t values = p->kind == VALUE_STR ? texts_bound(p) : floats_bound(p->n);
    return head + ints_bound(p->n) + values;
}

static void ints_best(struct writer *w, const int64_t *v, uint32_t n)
{
    uint8_t how;
    (void)ints_plan(v, n, &how);
    ints_encode(w, v, n, how);
}

enum err chunk_encode(struct writer *w, const struct points *p, struct alloc *alloc)
{
    ASSERT(p->n > 0 && p->n <= CHUNK_POINTS_MAX && p->kind != VALUE_NONE);
    writer_u8(w, CHUNK_VERSION);
    writer_u8(w, kind_code(p->kind));
    writer_varint(w, p->n);
    ints_best(w, p->ts, p->n);
    enum err r = ERR_OK;
    if (p->kind == VALUE_STR)
        r = texts_encode(w, p, alloc);
    else if (p->kind == VALUE_FLOAT)
        floats_encode(w, p->v, p->n);
    else
        ints_best(w, (const int64_t *)p->v, p->n);
    return r == ERR_OK && w->failed ? ERR_FULL : r;
}

static bool bools_sane(const uint64_t *v, uint32_t n)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++)
        all |= v[i];
    return all <= 1;
}

enum err chunk_decode(struct bytes in, struct points *p)
{
    struct cursor c = cursor_from(in.p, in.n);
    uint8_t version = cursor_u8(&c);
    enum value_kind kind = kind_of(cursor_u8(&c));
    uint64_t n = cursor_varint(&c);
    if (c.failed || version != CHUNK_VERSION || kind == VALUE_NONE || n == 0 ||
        n > CHUNK_POINTS_MAX)
        return ERR_CORRUPT;
    points_clear(p);
    p->kind = kind;
    enum err r = points_reserve(p, (uint32_t)n);
    if (r != ERR_OK)
        return r;
    uint32_t count = (uint32_t)n;
    bool ok = ints_decode(&c, p->ts, count);
    if (ok && kind == VALUE_STR)
        r = texts_decode(&c, p, count);
    else if (ok && kind == VALUE_FLOAT)
        ok = floats_decode(&c, p->v, count);
    else if (ok)
        ok = ints_decode(&c, (int64_t *)p->v, count) &&
             (kind != VALUE_BOOL || bools_sane(p->v, count));
    if (r != ERR_OK)
        return r;
    for (uint32_t i = 1; ok && i < count; i++)
        ok = p->ts[i - 1] <= p->ts[i];
    if (!ok || cursor_left(&c) > 0)
        return ERR_CORRUPT;
    p->n = count;
    return ERR_OK;
}
