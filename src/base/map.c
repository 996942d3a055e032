#include "base/map.h"

#include <string.h>

enum { SLOT_EMPTY = 0, SLOT_DELETED = 1, SLOT_FIRST_HASH = 2 };

void map_init(struct map *m, struct alloc *a, uint64_t seed, size_t max)
{
    *m = (struct map){.alloc = a, .seed = seed, .max = max};
}

void map_fini(struct map *m)
{
    if (m->slots)
        mem_free(m->alloc, m->slots, m->cap * sizeof(*m->slots));
    m->slots = NULL;
    m->cap = m->n = m->used = 0;
}

static uint64_t key_hash(const struct map *m, struct str key)
{
    uint64_t h = hash_bytes(key.p, key.n, m->seed);
    return h < SLOT_FIRST_HASH ? h + SLOT_FIRST_HASH : h;
}

/* There is always an empty slot, so the probe ends. */
static struct map_slot *find(const struct map *m, uint64_t hash, struct str key)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (s->hash == SLOT_EMPTY)
            return NULL;
        if (s->hash == hash && str_eq(s->key, key))
            return s;
    }
}

static void insert_new(struct map *m, uint64_t hash, struct str key, void *value)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].hash >= SLOT_FIRST_HASH)
        i = (i + 1) & (m->cap - 1);
    if (m->slots[i].hash == SLOT_EMPTY)
        m->used++;
    m->slots[i] = (struct map_slot){hash, key, value};
    m->n++;
}

/* A new table that is at most half full, without the deleted slots. */
static enum err rehash(struct map *m)
{
    size_t cap = 16;
    while (cap < (m->n + 1) * 2)
        cap *= 2;
    struct map_slot *slots = mem_array(m->alloc, cap, sizeof(*slots));
    if (!slots)
        return ERR_NOMEM;
    struct map_slot *old = m->slots;
    size_t old_cap = m->cap;
    m->slots = slots;
    m->cap = cap;
    m->n = m->used = 0;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].hash >= SLOT_FIRST_HASH)
            insert_new(m, old[i].hash, old[i].key, old[i].value);
    mem_free(m->alloc, old, old_cap * sizeof(*old));
    return ERR_OK;
}

enum err map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = key_hash(m, key);
    if (find(m, hash, key))
        return ERR_EXISTS;
    if (m->n >= m->max)
        return ERR_FULL;
    if ((m->used + 1) * 4 > m->cap * 3) {
        enum err err = rehash(m);
        if (err)
            return err;
    }
    insert_new(m, hash, key, value);
    return ERR_OK;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_slot *s = find(m, key_hash(m, key), key);
    return s ? s->value : NULL;
}

void *map_del(struct map *m, struct str key)
{
    struct map_slot *s = find(m, key_hash(m, key), key);
    if (!s)
        return NULL;
    void *value = s->value;
    *s = (struct map_slot){.hash = SLOT_DELETED};
    m->n--;
    /* No probe passes a deleted slot before an empty one: give the whole run back. */
    size_t i = (size_t)(s - m->slots);
    if (m->slots[(i + 1) & (m->cap - 1)].hash != SLOT_EMPTY)
        return value;
    for (; m->slots[i].hash == SLOT_DELETED; i = (i - 1) & (m->cap - 1)) {
        m->slots[i].hash = SLOT_EMPTY;
        m->used--;
    }
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
    while (*at < m->cap) {
        const struct map_slot *s = &m->slots[(*at)++];
        if (s->hash < SLOT_FIRST_HASH)
            continue;
        if (key)
            *key = s->key;
        if (value)
            *value = s->value;
        return true;
    }
    return false;
}
