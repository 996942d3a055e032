/* dict: map<K, V>, a hash table that keeps the order of insertion.
 *
 * How: entries (key, value) lie in the order in which they came, each with a word of its hash and
 * its number in the map's life (`meta`); an index of uint32, open addressing, leads to them. An
 * entry that is removed stays as a gap. When the index is three quarters full, a rebuild begins:
 * each insertion moves DICT_STEP entries on, closing the gaps, into a new index. Meanwhile what
 * lies before `to` is in the new index, what lies from `from` on is in the old one, and nothing is
 * between. So no operation does more than a bounded piece of work, and up to DICT_SMALL entries
 * need no index. After CPython's dict (Raymond Hettinger's compact layout, 2012) and the
 * incremental rehashing of Redis.
 *
 * Keys: texts, by content, or any other 64 bits. The hash is keyed by the heap's seed, so keys from
 * outside can't be chosen to collide; what a program sees does not depend on the seed.
 *
 * Walking: dict_next(). While walking a map may change in every way: each entry that is there from
 * begin to end is visited once, in order; what is removed before its turn is not; what is added is
 * (it comes at the end), and so does what is removed and put again.
 *
 * Threads, errors: the heap's. false: heap or undo log full, or the map has DICT_MAX entries or saw
 * 2^38 insertions. */
#pragma once

#include "lang/slots.h"

enum { DICT_SMALL = 8, DICT_STEP = 16, DICT_MAX = (1 << 23) };
#define DICT_STILL UINT32_MAX
enum { DICT_TEXTS = 1, DICT_REFS = 2 }; /* layout: its keys are texts, its values are references */

struct dict {
    struct obj hdr;
    struct slots entry; /* n counts keys and values */
    struct slots meta;  /* one for each entry */
    struct slots index; /* n: its size, a power of two, or 0 */
    struct slots old;   /* during a rebuild */
    uint32_t count;     /* entries without the gaps */
    uint32_t to, from;  /* of the rebuild; from DICT_STILL: there is none */
    uint32_t last;      /* the entry that was found last, a guess for the next search */
    uint64_t next;      /* number of the next entry, from 1 */
};

struct dict *dict_new(struct heap *h, bool texts, bool refs);
static inline size_t dict_len(const struct dict *d)
{
    return d->count;
}
/* Entries that were removed and still take room: fewer than those that are there, and some. */
static inline size_t dict_gaps(const struct dict *d)
{
    return d->meta.n - d->count;
}
/* A guess where a key is: often it is looked up and then its value replaced, or keys come in the
 * order of the entries. It needs no care when entries move, since an entry that has the key is the
 * right one. The leaf of the entry, which is d->last then, or NULL. */
static inline void dict_remember(const struct dict *d, uint32_t entry)
{
    ((struct dict *)(uintptr_t)d)->last = entry; /* no part of what a map is */
}
static inline struct node *dict_guess(const struct dict *d, union lang_slot key)
{
    for (uint32_t entry = d->last; entry <= d->last + 1 && entry < d->meta.n; entry++) {
        struct node *leaf = slots_leaf(&d->entry, 2 * (size_t)entry); /* NULL in a gap */
        if (leaf && leaf->slot[2 * (size_t)entry % NODE_SLOTS].i == key.i && key.i != 0) {
            dict_remember(d, entry);
            return leaf;
        }
    }
    return NULL;
}
/* Where the value of entry d->last is, in its leaf. */
static inline union lang_slot *dict_value(const struct dict *d, struct node *leaf)
{
    return &leaf->slot[(2 * (size_t)d->last + 1) % NODE_SLOTS];
}
/* The value of a key; NULL if it is absent. Valid until the map changes; not for writing. */
const union lang_slot *dict_get(struct heap *h, const struct dict *d, union lang_slot key);
MUST_USE bool dict_put(struct heap *h, struct dict *d, union lang_slot key, union lang_slot value);
/* *found says whether there was one, *out (may be NULL) what. */
MUST_USE bool dict_remove(struct heap *h, struct dict *d, union lang_slot key, bool *found,
                          union lang_slot *out);
MUST_USE bool dict_clear(struct heap *h, struct dict *d);
/* The first entry after *at, which is 0 at the start and belongs to this function; false: none. */
bool dict_next(const struct dict *d, uint64_t *at, union lang_slot *key, union lang_slot *value);
