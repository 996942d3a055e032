#include "lang/dict.h"

#include "base/map.h"
#include "lang/text.h"

/* `meta` of an entry: whether it is alive (a gap keeps its number, for dict_next()), as much of its
 * hash as an index may use, its number. */
enum { HASH_BITS = 25, NUMBER_BITS = 38 };
#define META_LIVE  ((uint64_t)1 << 63)
#define NUMBER_MAX (((uint64_t)1 << NUMBER_BITS) - 1)
/* A word of an index: 0, or the number of the entry from 1 and 8 bits of its hash. */
enum { WORD_BITS = 24, TAG_SHIFT = HASH_BITS - 8 };
#define WORD_ENTRY (((uint32_t)1 << WORD_BITS) - 1)
enum {
    INDEX_MIN = 16,         /* words */
    ENTRIES_MAX = 15 << 20, /* with gaps: then they are closed, however large the index is */
    GAPS_MIN = 32,
};
_Static_assert(ENTRIES_MAX + ENTRIES_MAX / DICT_STEP < (1 << WORD_BITS) - 1,
               "an entry's number fits into a word of the index");

struct found {
    struct node *leaf; /* of the entry; NULL: none */
    uint32_t entry;
};

static uint64_t meta_make(uint32_t hash, uint64_t number)
{
    return META_LIVE | (uint64_t)hash << NUMBER_BITS | number;
}

static uint32_t meta_hash(uint64_t meta)
{
    return (uint32_t)(meta >> NUMBER_BITS) & ((1U << HASH_BITS) - 1);
}

static uint64_t meta_at(const struct dict *d, size_t entry)
{
    return (uint64_t)slots_at(&d->meta, entry)->i;
}

static bool rebuilding(const struct dict *d)
{
    return d->from != DICT_STILL;
}

static bool entry_live(const struct dict *d, size_t entry)
{
    return (meta_at(d, entry) & META_LIVE) != 0;
}

struct dict *dict_new(struct heap *h, bool texts, bool refs)
{
    unsigned layout = (texts ? DICT_TEXTS : 0) | (refs ? DICT_REFS : 0);
    struct dict *d = (struct dict *)(void *)heap_new(h, OBJ_DICT, layout, sizeof(*d));
    if (!d)
        return NULL;
    d->entry.refs = (uint16_t)((texts ? NODE_EVEN : 0) | (refs ? NODE_ODD : 0));
    d->next = 1;
    d->from = DICT_STILL;
    return d;
}

static uint32_t hash_of(struct heap *h, const struct dict *d, union lang_slot key)
{
    uint32_t hash = d->hdr.layout & DICT_TEXTS
                        ? text_hash(h, (struct text *)(void *)key.o)
                        : (uint32_t)hash_bytes(&key, sizeof(key), h->config.seed);
    return hash & ((1U << HASH_BITS) - 1);
}

static bool text_key_eq(const struct dict *d, union lang_slot a, union lang_slot b)
{
    if (!(d->hdr.layout & DICT_TEXTS) || !a.o)
        return false;
    const struct text *s = (const struct text *)(const void *)a.o;
    const struct text *t = (const struct text *)(const void *)b.o;
    return (s->hash == t->hash || !s->hash || !t->hash) && text_eq(s, t);
}

/* Has this entry, which lies at `at`, the key? A gap has the key 0, which numbers may have too. */
static inline bool entry_is(const struct dict *d, uint32_t entry, const union lang_slot *at,
                            union lang_slot key)
{
    if (__builtin_expect(at->i == key.i, 1))
        return key.i != 0 || entry_live(d, entry);
    return text_key_eq(d, *at, key);
}

/* ---- the index ---- */

enum { LEAF_WORDS = 2 * NODE_SLOTS };

/* The words of an index around its word i, which is words[i % LEAF_WORDS]; NULL: all are 0. */
static inline const uint32_t *words_at(const struct slots *index, size_t i)
{
    const struct node *node = (const struct node *)(const void *)index->root.o;
    for (unsigned shift = index->shift; node && shift; shift -= NODE_BITS)
        node = (const struct node *)(const void *)node->slot[(i / 2 >> shift) % NODE_SLOTS].o;
    return node ? (const uint32_t *)(const void *)node->slot : NULL;
}

static uint32_t word_make(uint32_t hash, uint32_t entry)
{
    return hash >> TAG_SHIFT << WORD_BITS | (entry + 1);
}

static size_t index_free(const struct slots *index, uint32_t hash)
{
    size_t mask = index->n - 1, at = hash & mask;
    const uint32_t *words;
    while ((words = words_at(index, at)) && words[at % LEAF_WORDS])
        at = (at + 1) & mask;
    return at;
}

/* Among the entries begin … end. */
static inline struct found index_find(const struct dict *d, const struct slots *index,
                                      uint32_t hash, union lang_slot key, uint32_t begin,
                                      uint32_t end)
{
    uint32_t tag = hash >> TAG_SHIFT;
    size_t mask = index->n - 1, at = hash & mask;
    const uint32_t *words = words_at(index, at);
    while (words && words[at % LEAF_WORDS]) {
        uint32_t word = words[at % LEAF_WORDS], entry = (word & WORD_ENTRY) - 1;
        if (word >> WORD_BITS == tag && entry >= begin && entry < end) {
            struct node *leaf = slots_leaf(&d->entry, 2 * (size_t)entry);
            if (entry_is(d, entry, &leaf->slot[2 * (size_t)entry % NODE_SLOTS], key))
                return (struct found){leaf, entry};
        }
        at = (at + 1) & mask;
        if (at % LEAF_WORDS == 0)
            words = words_at(index, at);
    }
    return (struct found){0};
}

static uint32_t entries(const struct dict *d)
{
    return d->meta.n;
}

/* Without an index. */
static struct found small_find(const struct dict *d, uint32_t hash, union lang_slot key,
                               uint32_t begin)
{
    for (uint32_t i = begin; i < entries(d); i++) {
        uint64_t meta = meta_at(d, i);
        if (!(meta & META_LIVE) || meta_hash(meta) != hash)
            continue;
        struct node *leaf = slots_leaf(&d->entry, 2 * (size_t)i);
        if (entry_is(d, i, &leaf->slot[2 * (size_t)i % NODE_SLOTS], key))
            return (struct found){leaf, i};
    }
    return (struct found){0};
}

static struct found search(const struct dict *d, uint32_t hash, union lang_slot key)
{
    if (!d->index.n)
        return small_find(d, hash, key, 0);
    if (__builtin_expect(!rebuilding(d), 1))
        return index_find(d, &d->index, hash, key, 0, entries(d));
    struct found f = index_find(d, &d->index, hash, key, 0, d->to);
    if (f.leaf)
        return f;
    return d->old.n ? index_find(d, &d->old, hash, key, d->from, entries(d))
                    : small_find(d, hash, key, d->from);
}

/* The common case, without a call: the entry has this very key. *sure: what it says is right; else
 * somebody must look closer. */
static inline struct found same_find(const struct dict *d, uint32_t hash, union lang_slot key,
                                     bool *sure)
{
    uint32_t tag = hash >> TAG_SHIFT;
    size_t mask = d->index.n - 1, at = hash & mask;
    const uint32_t *words = words_at(&d->index, at);
    *sure = true;
    while (words && words[at % LEAF_WORDS]) {
        uint32_t word = words[at % LEAF_WORDS], entry = (word & WORD_ENTRY) - 1;
        if (word >> WORD_BITS == tag) {
            struct node *leaf = slots_leaf(&d->entry, 2 * (size_t)entry);
            *sure = leaf->slot[2 * (size_t)entry % NODE_SLOTS].i == key.i;
            return (struct found){leaf, entry};
        }
        at = (at + 1) & mask;
        if (at % LEAF_WORDS == 0)
            words = words_at(&d->index, at);
    }
    return (struct found){0};
}

static struct found find(struct heap *h, const struct dict *d, union lang_slot key)
{
    struct node *leaf = dict_guess(d, key);
    if (leaf)
        return (struct found){leaf, d->last};
    if (d->count == 0)
        return (struct found){0};
    uint32_t hash = hash_of(h, d, key);
    struct found f = {0};
    bool sure = false;
    if (d->index.n && !rebuilding(d) && key.i != 0)
        f = same_find(d, hash, key, &sure);
    if (!sure)
        f = search(d, hash, key);
    if (f.leaf)
        dict_remember(d, f.entry);
    return f;
}

/* ---- the rebuild ----
 *
 * A step first makes all that it needs, and then changes what lies there. So without memory nothing
 * is half done (ERR_NOMEM), and only a full undo log stops it within (ERR_FULL): that turn is taken
 * back. */

static bool touch_state(struct heap *h, struct dict *d)
{
    return heap_touch(h, &d->hdr, &d->count, false) && heap_touch(h, &d->hdr, &d->from, false) &&
           heap_touch(h, &d->hdr, &d->next, false) && heap_touch(h, &d->hdr, &d->meta.n, false) &&
           heap_touch(h, &d->hdr, &d->entry.n, false);
}

struct room { /* for one entry */
    struct node *entry, *meta, *index;
    struct slots *in;
    size_t word;
};

static bool room_make(struct heap *h, struct dict *d, uint32_t entry, struct slots *index,
                      uint32_t hash, struct room *r)
{
    *r = (struct room){.in = index};
    r->entry = slots_make(h, &d->hdr, &d->entry, 2 * (size_t)entry + 1, SLOTS_FIRST);
    r->meta = r->entry ? slots_make(h, &d->hdr, &d->meta, entry, SLOTS_FIRST) : NULL;
    if (!r->meta || !index->n)
        return r->meta != NULL;
    size_t width = index->n / 2 < NODE_SLOTS ? index->n / 2 : NODE_SLOTS;
    r->word = index_free(index, hash);
    r->index = slots_make(h, &d->hdr, index, r->word / 2, width);
    return r->index != NULL;
}

static bool room_fill(struct heap *h, struct dict *d, const struct room *r, uint32_t entry,
                      union lang_slot key, union lang_slot value, uint64_t meta)
{
    union lang_slot m = {.i = (int64_t)meta};
    if (!slots_put(h, &d->entry, r->entry, 2 * (size_t)entry, key) ||
        !slots_put(h, &d->entry, r->entry, 2 * (size_t)entry + 1, value) ||
        !slots_put(h, &d->meta, r->meta, entry, m))
        return false;
    if (!r->index)
        return true;
    union lang_slot *slot = &r->index->slot[r->word / 2 % NODE_SLOTS];
    if (!heap_touch(h, &r->index->hdr, slot, false))
        return false;
    ((uint32_t *)(void *)slot)[r->word % 2] = word_make(meta_hash(meta), entry);
    return true;
}

static bool gap_make(struct heap *h, struct dict *d, uint32_t entry)
{
    size_t at = 2 * (size_t)entry;
    struct node *leaf = slots_leaf(&d->entry, at);
    union lang_slot gap = {.i = (int64_t)(meta_at(d, entry) & ~META_LIVE)};
    return slots_put(h, &d->entry, leaf, at, (union lang_slot){0}) &&
           slots_put(h, &d->entry, leaf, at + 1, (union lang_slot){0}) &&
           slots_put(h, &d->meta, slots_leaf(&d->meta, entry), entry, gap);
}

/* The entry at `from` goes to `to`. */
static enum err entry_move(struct heap *h, struct dict *d)
{
    uint32_t from = d->from, to = d->to;
    uint64_t meta = meta_at(d, from);
    struct room r;
    if (!room_make(h, d, to, &d->index, meta_hash(meta), &r))
        return ERR_NOMEM;
    const union lang_slot *entry =
        &slots_leaf(&d->entry, 2 * (size_t)from)->slot[2 * from % NODE_SLOTS];
    if (!touch_state(h, d) || !room_fill(h, d, &r, to, entry[0], entry[1], meta) ||
        (from != to && !gap_make(h, d, from)))
        return ERR_FULL;
    d->to++;
    return ERR_OK;
}

/* Leaves that lie in the gap between `to` and `from` alone are not needed. */
static bool gap_drop(struct heap *h, struct dict *d)
{
    enum { ENTRIES = NODE_SLOTS / 2 };
    uint32_t from = d->from, to = d->to;
    if (from % ENTRIES == 0 && to + ENTRIES <= from &&
        !slots_drop(h, &d->entry, 2 * (size_t)(from - ENTRIES)))
        return false;
    return from % NODE_SLOTS != 0 || to + NODE_SLOTS > from ||
           slots_drop(h, &d->meta, from - NODE_SLOTS);
}

static enum err rebuild_end(struct heap *h, struct dict *d)
{
    if (!touch_state(h, d) || !slots_clear(h, &d->hdr, &d->old))
        return ERR_FULL;
    d->meta.n = d->to;
    d->entry.n = 2 * d->to;
    d->to = 0;
    d->from = DICT_STILL;
    return ERR_OK;
}

static enum err rebuild_step(struct heap *h, struct dict *d, uint32_t steps)
{
    if (!touch_state(h, d))
        return ERR_FULL;
    for (; steps > 0 && d->from < entries(d); steps--) {
        enum err e = entry_live(d, d->from) ? entry_move(h, d) : ERR_OK;
        if (e)
            return e;
        d->from++;
        if (!gap_drop(h, d))
            return ERR_FULL;
    }
    return d->from < entries(d) ? ERR_OK : rebuild_end(h, d);
}

static enum err rebuild_begin(struct heap *h, struct dict *d)
{
    uint32_t size = INDEX_MIN;
    while ((uint64_t)size * 3 < ((uint64_t)d->count + 1) * 8)
        size *= 2;
    if (!touch_state(h, d) || !heap_touch(h, &d->hdr, &d->index.n, false) ||
        !heap_touch(h, &d->hdr, &d->old.n, false) ||
        !heap_put(h, &d->hdr, &d->old.root, d->index.root.o) ||
        !heap_put(h, &d->hdr, &d->index.root, NULL))
        return ERR_FULL;
    d->old.n = d->index.n;
    d->old.shift = d->index.shift;
    d->index.n = size;
    d->index.shift = 0;
    while (size / 2 > (size_t)NODE_SLOTS << d->index.shift)
        d->index.shift = (uint8_t)(d->index.shift + NODE_BITS);
    d->to = d->from = 0;
    return d->old.n ? ERR_OK : rebuild_step(h, d, DICT_SMALL);
}

/* Before an entry is added. */
static enum err make_way(struct heap *h, struct dict *d)
{
    if (!rebuilding(d)) {
        uint32_t n = entries(d);
        uint32_t most = d->index.n ? d->index.n / 4 * 3 : DICT_SMALL;
        if (n < most && n < ENTRIES_MAX)
            return ERR_OK;
        enum err e = rebuild_begin(h, d);
        if (e || !rebuilding(d))
            return e;
    }
    return rebuild_step(h, d, DICT_STEP);
}

/* ---- the operations ---- */

const union lang_slot *dict_get(struct heap *h, const struct dict *d, union lang_slot key)
{
    struct found f = find(h, d, key);
    return f.leaf ? &f.leaf->slot[(2 * (size_t)f.entry + 1) % NODE_SLOTS] : NULL;
}

static bool add(struct heap *h, struct dict *d, uint32_t hash, union lang_slot key,
                union lang_slot value)
{
    if (d->count >= DICT_MAX || d->next > NUMBER_MAX || make_way(h, d))
        return false;
    uint32_t entry = entries(d);
    struct room r;
    if (!room_make(h, d, entry, rebuilding(d) ? &d->old : &d->index, hash, &r) ||
        !touch_state(h, d) || !room_fill(h, d, &r, entry, key, value, meta_make(hash, d->next)))
        return false;
    d->entry.n += 2;
    d->meta.n++;
    d->count++;
    d->next++;
    return true;
}

bool dict_put(struct heap *h, struct dict *d, union lang_slot key, union lang_slot value)
{
    struct found f = find(h, d, key);
    if (f.leaf)
        return slots_put(h, &d->entry, f.leaf, 2 * (size_t)f.entry + 1, value);
    heap_push_root(h, &d->hdr);
    heap_push_root(h, d->hdr.layout & DICT_TEXTS ? key.o : NULL);
    heap_push_root(h, d->hdr.layout & DICT_REFS ? value.o : NULL);
    bool ok = add(h, d, hash_of(h, d, key), key, value);
    heap_pop_root(h, 3);
    return ok;
}

/* After a removal: so that the gaps are never many more than the entries. */
static enum err close_gaps(struct heap *h, struct dict *d)
{
    uint32_t gaps = entries(d) - d->count;
    if (!d->index.n || (!rebuilding(d) && gaps < d->count + GAPS_MIN))
        return ERR_OK;
    heap_push_root(h, &d->hdr);
    enum err e = rebuilding(d) ? ERR_OK : rebuild_begin(h, d);
    if (!e)
        e = rebuild_step(h, d, DICT_STEP);
    heap_pop_root(h, 1);
    return e == ERR_NOMEM ? ERR_OK : e; /* the next one tries again */
}

bool dict_remove(struct heap *h, struct dict *d, union lang_slot key, bool *found,
                 union lang_slot *out)
{
    *found = false;
    struct found f = find(h, d, key);
    if (!f.leaf)
        return true;
    *found = true;
    if (out)
        *out = f.leaf->slot[(2 * (size_t)f.entry + 1) % NODE_SLOTS];
    if (d->count == 1)
        return dict_clear(h, d);
    if (!touch_state(h, d) || !gap_make(h, d, f.entry))
        return false;
    d->count--;
    heap_push_root(h, out && (d->hdr.layout & DICT_REFS) ? out->o : NULL);
    enum err e = close_gaps(h, d);
    heap_pop_root(h, 1);
    return e == ERR_OK;
}

bool dict_clear(struct heap *h, struct dict *d)
{
    if (!touch_state(h, d) || !slots_clear(h, &d->hdr, &d->entry) ||
        !slots_clear(h, &d->hdr, &d->meta) || !slots_clear(h, &d->hdr, &d->index) ||
        !slots_clear(h, &d->hdr, &d->old))
        return false;
    d->count = d->to = 0;
    d->from = DICT_STILL;
    return true;
}

/* ---- walking ---- */

static uint64_t number_at(const struct dict *d, size_t entry)
{
    return meta_at(d, entry) & NUMBER_MAX;
}

/* The first of the entries begin … end that came after number `last`. */
static uint32_t after(const struct dict *d, uint32_t begin, uint32_t end, uint64_t last)
{
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (number_at(d, middle) > last)
            end = middle;
        else
            begin = middle + 1;
    }
    return begin;
}

static bool in_gap(const struct dict *d, uint32_t entry)
{
    return rebuilding(d) && entry >= d->to && entry < d->from;
}

/* Where the walk goes on; `at` is where it would if nothing had moved. */
static uint32_t walk_from(const struct dict *d, uint32_t at, uint64_t last)
{
    uint32_t n = entries(d);
    if (last == 0)
        return 0;
    if (at - 1 < n && !in_gap(d, at - 1) && number_at(d, at - 1) == last)
        return at;
    /* It has moved, or was closed as a gap. So if it is not before something in front of `to`, all
     * from `from` on comes after it: in_gap() leads there. */
    return after(d, 0, rebuilding(d) ? d->to : n, last);
}

bool dict_next(const struct dict *d, uint64_t *at, union lang_slot *key, union lang_slot *value)
{
    uint32_t n = entries(d);
    uint32_t i = walk_from(d, (uint32_t)(*at >> NUMBER_BITS), *at & NUMBER_MAX);
    while (i < n && (in_gap(d, i) || !entry_live(d, i)))
        i = in_gap(d, i) ? d->from : i + 1;
    if (i >= n)
        return false;
    const union lang_slot *entry = slots_at(&d->entry, 2 * (size_t)i);
    *key = entry[0];
    *value = entry[1];
    *at = (uint64_t)(i + 1) << NUMBER_BITS | number_at(d, i);
    return true;
}
