/* journal_rig_test: a journal on a simulated disk, and a consumer that checks what it is told; for
 * the tests of store/ only. Bodies are made from a number each, so that a record proves its place.
 */
#pragma once

#include "async/sim/disk_sim.h"
#include "store/journal_internal.h"
#include "tests/support/test.h"
#include <string.h>

#define RIG_DIR      "/data/journal"
#define RIG_BODY_MAX 4000u

struct rig {
    struct disk_sim *sim;
    struct clock_manual clock;
    struct journal *j;
    struct journal_config cfg;
    struct journal_consumer consumer;
    VEC(uint64_t) nonce; /* of seq 1, 2 …, as appended last */
    VEC(uint64_t) seen;  /* seqs of the last replay */
    struct error e;
    unsigned pressed;
    bool wrong; /* a record was not what had been appended under its number */
};

static inline uint64_t rig_mix(uint64_t x)
{
    return hash_bytes(&x, sizeof(x), 7);
}

/* Every second body compresses well. */
static inline size_t rig_body(uint64_t nonce, uint8_t out[RIG_BODY_MAX])
{
    uint64_t h = rig_mix(nonce);
    size_t n = (size_t)(h >> 8) % ((h & 7) == 0 ? RIG_BODY_MAX : 200);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)((nonce & 1) ? nonce + i / 16 : rig_mix(nonce + i));
    return n;
}

static inline void rig_apply(struct journal_consumer *c, const struct journal_record *r)
{
    struct rig *g = CONTAINER_OF(c, struct rig, consumer);
    uint8_t want[RIG_BODY_MAX];
    if (r->seq == 0 || r->seq > g->nonce.n) {
        g->wrong = true;
        return;
    }
    uint64_t nonce = g->nonce.v[r->seq - 1];
    size_t n = rig_body(nonce, want);
    if (n != r->body.n || (n && memcmp(want, r->body.p, n) != 0) || r->kind != 1 + nonce % 7)
        g->wrong = true;
    if (g->seen.n && g->seen.v[g->seen.n - 1] >= r->seq)
        g->wrong = true;
    (void)vec_push(alloc_system(), &g->seen, r->seq);
}

static inline void rig_pressure(struct journal_consumer *c)
{
    CONTAINER_OF(c, struct rig, consumer)->pressed++;
}

static inline void rig_init(struct rig *g, uint64_t seed)
{
    *g = (struct rig){0};
    REQUIRE(disk_sim_new(&g->sim, alloc_system(), seed, 0) == ERR_OK);
    clock_manual_init(&g->clock, 1764000000000);
    g->cfg = (struct journal_config){.disk = disk_sim_disk(g->sim),
                                     .clock = &g->clock.clock,
                                     .alloc = alloc_system(),
                                     .dir = RIG_DIR,
                                     .segment_bytes = 32u << 10,
                                     .group_bytes_max = 16u << 10,
                                     .seed = seed + 1};
    g->consumer =
        (struct journal_consumer){.name = "rig", .apply = rig_apply, .pressure = rig_pressure};
}

/* Opens and replays; no thread. */
static inline enum err rig_open(struct rig *g)
{
    g->seen.n = 0;
    enum err r = journal_open(&g->j, &g->cfg, &g->e);
    if (r != ERR_OK)
        return r;
    journal_consumer_add(g->j, &g->consumer);
    r = journal_replay(g->j, &g->e);
    if (r != ERR_OK) {
        journal_close(g->j);
        g->j = NULL;
    }
    return r;
}

/* The process is gone: nothing more reaches the disk. */
static inline void rig_abandon(struct rig *g)
{
    for (int c = 0; c < DISK_SIM_CALLS; c++)
        disk_sim_fail(g->sim, (enum disk_sim_call)c, 0, 5);
    journal_close(g->j);
    g->j = NULL;
    for (int c = 0; c < DISK_SIM_CALLS; c++)
        disk_sim_fail(g->sim, (enum disk_sim_call)c, DISK_SIM_NEVER, 0);
}

static inline void rig_close(struct rig *g)
{
    journal_close(g->j);
    g->j = NULL;
}

static inline void rig_fini(struct rig *g)
{
    journal_close(g->j);
    disk_sim_free(g->sim);
    vec_fini(alloc_system(), &g->nonce);
    vec_fini(alloc_system(), &g->seen);
}

static inline enum err rig_append(struct rig *g, uint64_t nonce, bool lazy)
{
    uint8_t body[RIG_BODY_MAX];
    size_t n = rig_body(nonce, body);
    struct iovec parts[2] = {{body, n / 3}, {body + n / 3, n - n / 3}};
    uint64_t seq = 0;
    enum err r = journal_append(g->j, (enum journal_kind)(1 + nonce % 7), lazy, parts, 2, &seq);
    if (r != ERR_OK)
        return r;
    while (g->nonce.n < seq)
        (void)vec_push(alloc_system(), &g->nonce, UINT64_MAX);
    g->nonce.v[seq - 1] = nonce;
    return ERR_OK;
}

/* Appends and commits groups of one record. */
static inline void rig_fill(struct rig *g, uint64_t first_nonce, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        REQUIRE(rig_append(g, first_nonce + i, false) == ERR_OK);
        REQUIRE(journal_test_step(g->j));
    }
}

/* The last replay gave all numbers from first to last. */
static inline bool rig_saw(const struct rig *g, uint64_t first, uint64_t last)
{
    if (g->wrong || g->seen.n != last + 1 - first)
        return false;
    for (size_t i = 0; i < g->seen.n; i++)
        if (g->seen.v[i] != first + i)
            return false;
    return true;
}
