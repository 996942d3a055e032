#include "bus/hamt.h"

#include <string.h>

/* Hash number `round` of a key. */
static uint64_t hash_at(const struct hamt *h, struct str key, unsigned round)
{
    return hash_bytes(key.p, key.n, h->seed + round) & h->bits;
}

unsigned hamt_digit_slow(const struct hamt *h, struct str key, unsigned depth)
{
    return hamt_digit(h, key, hash_at(h, key, depth / HAMT_DIGITS), depth % HAMT_DIGITS);
}

static unsigned digit_of(const struct hamt *h, const void *item, unsigned depth)
{
    uint64_t scratch[2];
    struct str key = h->key(item, scratch);
    return hamt_digit(h, key, hamt_hash(h, key), depth);
}

/* The order of two keys: <0, 0, >0. */
static int compare(const struct hamt *h, struct str a, struct str b)
{
    if (str_eq(a, b))
        return 0;
    for (unsigned round = 0;; round++) {
        const unsigned unused = 64 - HAMT_DIGITS * HAMT_DIGIT_BITS;
        uint64_t x = hash_at(h, a, round) >> unused, y = hash_at(h, b, round) >> unused;
        if (x != y)
            return x < y ? -1 : 1;
    }
}

/* ---- reading ---- */

void *hamt_get(const struct hamt *h, const struct hamt_word *set, struct str key)
{
    uint64_t scratch[2];
    void *item = hamt_candidate(h, set, key, hamt_hash(h, key));
    return item && str_eq(h->key(item, scratch), key) ? item : NULL;
}

static unsigned table_len(const struct hamt_table *t)
{
    return hamt_count(t->map);
}

static void *first_from(const struct hamt_table *t, unsigned i)
{
    for (unsigned n = table_len(t); i < n; i++) {
        void *item = hamt_first(&t->at[i]);
        if (item)
            return item;
    }
    return NULL;
}

void *hamt_first(const struct hamt_word *set)
{
    uintptr_t word = atomic_load(&set->word);
    return hamt_is_table(word) ? first_from(hamt_table(word), 0) : (void *)word;
}

static void *after(const struct hamt *h, const struct hamt_word *set, struct str key, uint64_t hash,
                   unsigned depth)
{
    uintptr_t word = atomic_load(&set->word);
    uint64_t scratch[2];
    if (!hamt_is_table(word)) {
        void *item = (void *)word;
        return item && compare(h, h->key(item, scratch), key) > 0 ? item : NULL;
    }
    const struct hamt_table *t = hamt_table(word);
    unsigned digit = hamt_digit(h, key, hash, depth), i = hamt_rank(t->map, digit);
    if (t->map >> digit & 1) {
        void *item = after(h, &t->at[i++], key, hash, depth + 1);
        if (item)
            return item;
    }
    return first_from(t, i);
}

void *hamt_after(const struct hamt *h, const struct hamt_word *set, struct str key)
{
    return after(h, set, key, hamt_hash(h, key), 0);
}

void hamt_each(const struct hamt_word *set, void (*each)(void *ctx, void *item), void *ctx)
{
    uintptr_t word = atomic_load(&set->word);
    if (!hamt_is_table(word)) {
        if (word)
            each(ctx, (void *)word);
        return;
    }
    const struct hamt_table *t = hamt_table(word);
    for (unsigned i = 0, n = table_len(t); i < n; i++)
        hamt_each(&t->at[i], each, ctx);
}

/* ---- writing ---- */

static size_t table_bytes(unsigned n)
{
    return sizeof(struct hamt_table) + n * sizeof(struct hamt_word);
}

static struct hamt_table *table_new(struct hamt *h, uint64_t map)
{
    size_t bytes = table_bytes(hamt_count(map));
    struct hamt_table *t = mem_zero(h->alloc, bytes);
    if (!t)
        return NULL;
    t->map = map;
    h->tables++;
    h->bytes += bytes;
    return t;
}

void hamt_table_free(struct hamt *h, struct hamt_table *t)
{
    size_t bytes = table_bytes(table_len(t));
    h->tables--;
    h->bytes -= bytes;
    mem_free(h->alloc, t, bytes);
}

static void table_retire(struct hamt *h, struct hamt_table *t)
{
    limbo_add(h->limbo, &t->limbo, h->limbo_kind);
}

static void set_word(struct hamt_word *at, uintptr_t word)
{
    atomic_store(&at->word, word);
}

static uintptr_t peek(const struct hamt_word *at)
{
    return atomic_load_explicit(&at->word, memory_order_relaxed);
}

/* A table in the place of one item, which has two; more, one below the other, as long as their
 * digits are the same. 0 without memory. */
static uintptr_t split(struct hamt *h, uintptr_t old, uintptr_t item, unsigned depth)
{
    unsigned a = digit_of(h, (void *)old, depth), b = digit_of(h, (void *)item, depth);
    struct hamt_table *t = table_new(h, 1ull << a | 1ull << b);
    if (!t)
        return 0;
    if (a != b) {
        atomic_init(&t->at[a > b].word, old);
        atomic_init(&t->at[b > a].word, item);
        return (uintptr_t)t + 1;
    }
    uintptr_t below = split(h, old, item, depth + 1);
    if (!below) {
        hamt_table_free(h, t);
        return 0;
    }
    atomic_init(&t->at[0].word, below);
    return (uintptr_t)t + 1;
}

/* The same table with one word more. 0 without memory. */
static uintptr_t widened(struct hamt *h, const struct hamt_table *t, unsigned digit, uintptr_t item)
{
    struct hamt_table *wide = table_new(h, t->map | 1ull << digit);
    if (!wide)
        return 0;
    unsigned at = hamt_rank(t->map, digit);
    for (unsigned i = 0, n = table_len(t); i < n; i++)
        atomic_init(&wide->at[i + (i >= at)].word, peek(&t->at[i]));
    atomic_init(&wide->at[at].word, item);
    return (uintptr_t)wide + 1;
}

enum err hamt_put(struct hamt *h, struct hamt_word *set, void *item)
{
    uint64_t scratch[2];
    struct str key = h->key(item, scratch);
    uint64_t hash = hamt_hash(h, key);
    for (unsigned depth = 0;; depth++) {
        uintptr_t word = peek(set), changed;
        if (!word) {
            set_word(set, (uintptr_t)item);
            return ERR_OK;
        }
        if (!hamt_is_table(word)) {
            changed = split(h, word, (uintptr_t)item, depth);
            if (changed)
                set_word(set, changed);
            return changed ? ERR_OK : ERR_NOMEM;
        }
        struct hamt_table *t = hamt_table(word);
        unsigned digit = hamt_digit(h, key, hash, depth);
        if (!(t->map >> digit & 1)) {
            changed = widened(h, t, digit, (uintptr_t)item);
            if (!changed)
                return ERR_NOMEM;
            set_word(set, changed);
            table_retire(h, t);
            return ERR_OK;
        }
        set = &t->at[hamt_rank(t->map, digit)];
    }
}

void hamt_replace(struct hamt *h, struct hamt_word *set, const void *old, void *item)
{
    for (unsigned depth = 0;; depth++) {
        uintptr_t word = peek(set);
        if (!hamt_is_table(word)) {
            ASSERT(word == (uintptr_t)old);
            set_word(set, (uintptr_t)item);
            return;
        }
        struct hamt_table *t = hamt_table(word);
        set = &t->at[hamt_rank(t->map, digit_of(h, old, depth))];
    }
}

/* A table without its empty words. 0 without memory. */
static uintptr_t narrowed(struct hamt *h, const struct hamt_table *t)
{
    uint64_t map = 0;
    unsigned i = 0, n = 0;
    for (uint64_t rest = t->map; rest; rest &= rest - 1, i++)
        if (peek(&t->at[i]))
            map |= rest & -rest;
    struct hamt_table *narrow = table_new(h, map);
    if (!narrow)
        return 0;
    for (i = 0; i < table_len(t); i++)
        if (peek(&t->at[i]))
            atomic_init(&narrow->at[n++].word, peek(&t->at[i]));
    return (uintptr_t)narrow + 1;
}

/* One of its words has become empty, or an item: as small as can be. Without memory it keeps an
 * empty word, which the next change of the table takes away. */
static void shrink(struct hamt *h, struct hamt_word *at, struct hamt_table *t)
{
    unsigned used = 0, n = table_len(t);
    uintptr_t last = 0;
    for (unsigned i = 0; i < n; i++) {
        uintptr_t word = peek(&t->at[i]);
        used += word != 0;
        last = word ? word : last;
    }
    if (used <= 1 && !hamt_is_table(last)) {
        set_word(at, last);
        table_retire(h, t);
        return;
    }
    uintptr_t changed = used < n ? narrowed(h, t) : 0;
    if (!changed)
        return;
    set_word(at, changed);
    table_retire(h, t);
}

static void del(struct hamt *h, struct hamt_word *at, const void *item, unsigned depth)
{
    uintptr_t word = peek(at);
    if (!hamt_is_table(word)) {
        ASSERT(word == (uintptr_t)item);
        set_word(at, 0);
        return;
    }
    struct hamt_table *t = hamt_table(word);
    struct hamt_word *below = &t->at[hamt_rank(t->map, digit_of(h, item, depth))];
    del(h, below, item, depth + 1);
    if (!hamt_is_table(peek(below)))
        shrink(h, at, t);
}

void hamt_del(struct hamt *h, struct hamt_word *set, const void *item)
{
    del(h, set, item, 0);
}

void hamt_fini(struct hamt *h, struct hamt_word *set, void (*drop)(void *ctx, void *item),
               void *ctx)
{
    uintptr_t word = peek(set);
    atomic_init(&set->word, 0);
    if (!hamt_is_table(word)) {
        if (word && drop)
            drop(ctx, (void *)word);
        return;
    }
    struct hamt_table *t = hamt_table(word);
    for (unsigned i = 0, n = table_len(t); i < n; i++)
        hamt_fini(h, &t->at[i], drop, ctx);
    hamt_table_free(h, t);
}
