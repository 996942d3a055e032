/* map: a bounded hash table from byte strings to pointers.
 *
 * Why: topics, client ids and names come from outside, so the hash is keyed by a seed and the
 * number of entries is limited.
 * Ownership: keys and values are borrowed; a key usually lives in its value.
 * Threads: none.
 * Errors: map_put() ERR_EXISTS, ERR_FULL, ERR_NOMEM. */
#pragma once

#include "base/str.h"

struct map_slot {
    uint64_t hash; /* 0: empty, 1: deleted */
    struct str key;
    void *value;
};
struct map {
    struct map_slot *slots;
    size_t cap, n, used, max; /* used counts deleted slots too */
    uint64_t seed;
    struct alloc *alloc;
};
void map_init(struct map *m, struct alloc *a, uint64_t seed, size_t max);
void map_fini(struct map *m);
MUST_USE enum err map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key); /* NULL if absent */
void *map_del(struct map *m, struct str key);       /* the value that was there */
/* Iterates in no order: start with *at = 0; false at the end. Deleting the current one is safe. */
bool map_next(const struct map *m, size_t *at, struct str *key, void **value);

/* A seeded 64-bit hash of bytes (wyhash family). */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
/* CRC-32C (Castagnoli), as in RFC 3720; `crc` is 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
