/* The chunk codec over arbitrary bytes: decoding stays inside, and what it takes is encoded and
 * decoded again to the same points. Bytes that are no chunk are also taken as values to encode. */
#include "history/chunk.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct points *a, const struct points *b)
{
    if (a->n != b->n || a->kind != b->kind || memcmp(a->ts, b->ts, a->n * sizeof(*a->ts)) != 0)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        struct value x = points_value(a, i);
        struct value y = points_value(b, i);
        if (a->kind == VALUE_STR ? !str_eq(x.s, y.s) : a->v[i] != b->v[i])
            return false;
    }
    return true;
}

static void round_trip(const struct points *p)
{
    size_t room = chunk_bound(p);
    uint8_t *out = malloc(room);
    if (!out)
        return;
    struct writer w = writer_from(out, room);
    enum err r = chunk_encode(&w, p, alloc_system());
    ASSERT(r == ERR_OK);
    struct points q;
    points_init(&q, alloc_system(), VALUE_INT);
    r = chunk_decode((struct bytes){out, writer_len(&w)}, &q);
    ASSERT(r == ERR_OK && same(p, &q));
    points_fini(&q);
    free(out);
}

static void as_values(const uint8_t *data, size_t size)
{
    struct points p;
    struct cursor c = cursor_from(data, size);
    enum value_kind kind = cursor_u8(&c) & 1 ? VALUE_FLOAT : VALUE_INT;
    uint8_t scale = cursor_u8(&c);
    points_init(&p, alloc_system(), kind);
    int64_t ts = 0;
    while (cursor_left(&c) >= 4 && p.n < CHUNK_POINTS_MAX) {
        struct value v = {.kind = kind};
        ts += cursor_u8(&c);
        uint64_t bits = scale & 1 && cursor_left(&c) >= 8 ? cursor_u64le(&c) : cursor_u16le(&c);
        if (kind == VALUE_INT)
            v.i = (int64_t)(bits << (scale & 31));
        else if (scale & 2)
            v.f = (double)bits / 100;
        else
            memcpy(&v.f, &bits, sizeof(bits));
        if (points_add(&p, ts, &v) != ERR_OK)
            break;
    }
    if (p.n)
        round_trip(&p);
    points_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct points p;
    points_init(&p, alloc_system(), VALUE_INT);
    if (chunk_decode((struct bytes){data, size}, &p) == ERR_OK)
        round_trip(&p);
    else if (size > 2)
        as_values(data, size);
    points_fini(&p);
    return 0;
}
