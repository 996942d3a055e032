#include "lang/text.h"

#include "base/map.h"

#include <string.h>

struct text *text_blank(struct heap *h, size_t n)
{
    if (n > TEXT_MAX)
        return NULL;
    struct text *t = (struct text *)(void *)heap_new(h, OBJ_TEXT, 0, sizeof(*t) + n + 1);
    if (t)
        t->len = (uint32_t)n;
    return t;
}

struct text *text_concat(struct heap *h, struct str a, struct str b)
{
    struct text *t = a.n <= TEXT_MAX && b.n <= TEXT_MAX ? text_blank(h, a.n + b.n) : NULL;
    if (!t)
        return NULL;
    if (a.n)
        memcpy(t->bytes, a.p, a.n);
    if (b.n)
        memcpy(t->bytes + a.n, b.p, b.n);
    return t;
}

struct text *text_new(struct heap *h, struct str s)
{
    return text_concat(h, s, (struct str){0});
}

size_t text_constant_bytes(size_t n)
{
    return (sizeof(struct text) + n + 1 + 7) & ~(size_t)7;
}

struct text *text_constant(void *at, struct str s, uint64_t seed)
{
    struct text *t = at;
    *t = (struct text){.hdr = {.kind = OBJ_TEXT, .flags = OBJ_IMMORTAL},
                       .len = (uint32_t)s.n,
                       .hash = text_hash_bytes(s, seed)};
    if (s.n)
        memcpy(t->bytes, s.p, s.n);
    t->bytes[s.n] = 0;
    return t;
}

uint32_t text_hash_bytes(struct str s, uint64_t seed)
{
    uint64_t hash = hash_bytes(s.p, s.n, seed);
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return folded ? folded : 1;
}
