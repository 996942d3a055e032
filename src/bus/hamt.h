/* hamt: a set of pointers with keys, read without locks while one writer changes it.
 *
 * Why: a trie node may have one child or a million, a filter one subscriber or a hundred thousand.
 * One entry costs nothing but the word that points to it, many cost some 8 to 17 bytes each; no
 * change is larger than one table of 64, so nobody waits while something large is rehashed.
 * Shape: a hash array mapped trie. A word is 0, an item, or (lowest bit set) a table: a bitmap of
 * the 64 next digits (of 6 bits) of the hash, and a word for each that exists. A table's shape
 * never changes: a changed copy takes its place. Ten digits use up a hash; then they come from one
 * with another seed, so that equal hashes are no special case.
 * Order: items are in the order of their hashes, which does not depend on what else is there; so an
 * iteration can go on behind a key although everything has changed meanwhile, and whoever was there
 * all the time is met once.
 * Ownership: items are the caller's, at even addresses. A table that was replaced goes to the
 * limbo. Threads: reads any worker, in a tick (async/grace.h); writes one at a time. Errors:
 * hamt_put() ERR_NOMEM, nothing is changed then. hamt_del() does not fail. Source: P. Bagwell,
 * "Ideal Hash Trees", 2001. */
#pragma once

#include "base/atomic.h"
#include "base/map.h"
#include "bus/limbo.h"

struct hamt_word { /* a set; zeroed: empty */
    _Atomic uintptr_t word;
};
struct hamt_table {
    struct limbo_item limbo;
    uint64_t map;
    struct hamt_word at[];
};

/* What the sets of a structure have in common. */
struct hamt {
    struct alloc *alloc;
    struct limbo *limbo;
    unsigned limbo_kind; /* of tables; hamt_table_free() frees them */
    uint64_t seed;
    /* May use the scratch if the key does not lie in the item. */
    struct str (*key)(const void *item, uint64_t scratch[2]);
    uint64_t bits; /* of a hash that are used: all; fewer let tests see what else is rare */
    size_t tables; /* how many there are, and their bytes; for figures */
    size_t bytes;
};
static inline uint64_t hamt_hash(const struct hamt *h, struct str key)
{
    return hash_bytes(key.p, key.n, h->seed) & h->bits;
}

enum { HAMT_DIGIT_BITS = 6, HAMT_DIGITS = 10 };
unsigned hamt_digit_slow(const struct hamt *h, struct str key, unsigned depth);
static inline unsigned hamt_digit(const struct hamt *h, struct str key, uint64_t hash,
                                  unsigned depth)
{
    if (__builtin_expect(depth >= HAMT_DIGITS, 0))
        return hamt_digit_slow(h, key, depth);
    return (unsigned)(hash >> (64 - HAMT_DIGIT_BITS * (depth + 1))) & 63u;
}
static inline bool hamt_is_table(uintptr_t word)
{
    return word & 1;
}
static inline struct hamt_table *hamt_table(uintptr_t word)
{
    return (struct hamt_table *)(word - 1);
}
/* The number of set bits. The instruction for it is not in every x86-64, and the compiler's
 * function for the others reads a table. */
static inline unsigned hamt_count(uint64_t map)
{
    map -= map >> 1 & UINT64_C(0x5555555555555555);
    map = (map & UINT64_C(0x3333333333333333)) + (map >> 2 & UINT64_C(0x3333333333333333));
    map = (map + (map >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(map * UINT64_C(0x0101010101010101) >> 56);
}
static inline unsigned hamt_rank(uint64_t map, unsigned digit)
{
    return hamt_count(map & ((1ull << digit) - 1));
}

/* One table down on the way to the item that can have this key; NULL: there is none. `hash` is
 * hamt_hash() of the key. */
static inline const struct hamt_word *hamt_down(const struct hamt *h, const struct hamt_table *t,
                                                struct str key, uint64_t hash, unsigned depth)
{
    unsigned digit = hamt_digit(h, key, hash, depth);
    return t->map >> digit & 1 ? &t->at[hamt_rank(t->map, digit)] : NULL;
}
/* The only item that can have this key: the caller compares. */
static inline void *hamt_candidate(const struct hamt *h, const struct hamt_word *set,
                                   struct str key, uint64_t hash)
{
    uintptr_t word = atomic_load(&set->word);
    for (unsigned depth = 0; hamt_is_table(word); depth++) {
        const struct hamt_word *at = hamt_down(h, hamt_table(word), key, hash, depth);
        if (!at)
            return NULL;
        word = atomic_load(&at->word);
    }
    return (void *)word;
}
void *hamt_get(const struct hamt *h, const struct hamt_word *set, struct str key);
void *hamt_first(const struct hamt_word *set);
/* The first behind that key, which need not be there. */
void *hamt_after(const struct hamt *h, const struct hamt_word *set, struct str key);
/* Calls each() in order. */
void hamt_each(const struct hamt_word *set, void (*each)(void *ctx, void *item), void *ctx);

/* Its key must not be there. */
MUST_USE enum err hamt_put(struct hamt *h, struct hamt_word *set, void *item);
/* Another item with the same key takes its place. */
void hamt_replace(struct hamt *h, struct hamt_word *set, const void *old, void *item);
void hamt_del(struct hamt *h, struct hamt_word *set, const void *item);
/* Empties it when nobody reads: tables are freed at once, items handed to drop(). */
void hamt_fini(struct hamt *h, struct hamt_word *set, void (*drop)(void *ctx, void *item),
               void *ctx);
void hamt_table_free(struct hamt *h, struct hamt_table *t);
