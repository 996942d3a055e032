/* text: str, immutable bytes with their length and hash.
 *
 * Ownership: the heap's; a text constant of a compiled program is immortal, made by text_constant()
 * in memory that its maker owns and that outlives the heaps. Threads: the heap's. Immortal ones are
 * never written to, and any thread may read them. Errors: NULL when the heap is full; the length is
 * limited to TEXT_MAX. */
#pragma once

#include "base/str.h"
#include "lang/heap.h"

enum { TEXT_MAX = 1 << 30 };

struct text {
    struct obj hdr;
    uint32_t len;
    uint32_t hash; /* 0: not known yet */
    char bytes[];  /* a NUL is behind them for those who read them in a debugger */
};

static inline struct str text_str(const struct text *t)
{
    return (struct str){t->bytes, t->len};
}
struct text *text_new(struct heap *h, struct str s);
/* s must not point into the heap, except for the bytes of a reachable text. */
struct text *text_concat(struct heap *h, struct str a, struct str b);
/* `n` bytes that the caller fills before anything is allocated. */
struct text *text_blank(struct heap *h, size_t n);

/* What an immortal text of n bytes takes, and how it is made there (aligned to 8); seed is that of
 * the heaps (heap_config). */
size_t text_constant_bytes(size_t n);
struct text *text_constant(void *at, struct str s, uint64_t seed);

uint32_t text_hash_bytes(struct str s, uint64_t seed); /* never 0 */
static inline uint32_t text_hash(const struct heap *h, struct text *t)
{
    if (__builtin_expect(t->hash != 0, 1))
        return t->hash;
    uint32_t hash = text_hash_bytes(text_str(t), h->config.seed);
    if ((t->hdr.flags & OBJ_COLOURS) != OBJ_IMMORTAL)
        t->hash = hash;
    return hash;
}
static inline bool text_eq(const struct text *a, const struct text *b)
{
    return a == b || str_eq(text_str(a), text_str(b));
}
