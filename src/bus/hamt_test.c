#include "base/clock.h"
#include "bus/hamt.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    _Alignas(8) bool in;
    char key[24];
};
static struct str entry_key(const void *item, uint64_t scratch[2])
{
    (void)scratch;
    return str_from(((const struct entry *)item)->key);
}

struct rig {
    struct executor *ex;
    pthread_mutex_t lock;
    struct limbo limbo;
    struct hamt hamt;
    struct alloc_faulty faulty;
    struct hamt_word set;
};

static void free_table(struct limbo *l, struct limbo_item *i, unsigned kind)
{
    struct rig *r = CONTAINER_OF(l, struct rig, limbo);
    CHECK_EQ_UINT(kind, 3);
    hamt_table_free(&r->hamt, CONTAINER_OF(i, struct hamt_table, limbo));
}

static void rig_init(struct rig *r, uint64_t seed, uint64_t bits)
{
    struct error e;
    const struct executor_config cfg = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    *r = (struct rig){0};
    REQUIRE(executor_new(&r->ex, &cfg, &e) == ERR_OK);
    pthread_mutex_init(&r->lock, NULL);
    limbo_init(&r->limbo, r->ex, &r->lock, free_table);
    alloc_faulty_init(&r->faulty, UINT64_MAX);
    r->hamt = (struct hamt){.alloc = &r->faulty.alloc,
                            .limbo = &r->limbo,
                            .limbo_kind = 3,
                            .seed = seed,
                            .key = entry_key,
                            .bits = bits};
}

static void count(void *ctx, void *item)
{
    (void)item;
    ++*(size_t *)ctx;
}

static void rig_fini(struct rig *r, size_t left)
{
    size_t n = 0;
    limbo_fini(&r->limbo);
    hamt_fini(&r->hamt, &r->set, count, &n);
    CHECK_EQ_UINT(n, left);
    CHECK_EQ_UINT(r->hamt.tables, 0);
    CHECK_EQ_UINT(r->hamt.bytes, 0);
    CHECK_EQ_UINT(r->faulty.live_bytes, 0);
    pthread_mutex_destroy(&r->lock);
    executor_free(r->ex);
}

/* All by hamt_each(), the same by first and after, and each by its key; none of the others. */
struct listed {
    struct entry *v[4000];
    size_t n;
};
static void list(void *ctx, void *item)
{
    struct listed *l = ctx;
    l->v[l->n++] = item;
}

static void check_all(struct rig *r, struct entry *all, size_t n)
{
    static struct listed l;
    size_t want = 0, at = 0;
    l.n = 0;
    hamt_each(&r->set, list, &l);
    for (struct entry *x = hamt_first(&r->set); x;
         x = hamt_after(&r->hamt, &r->set, str_from(x->key)), at++)
        if (!CHECK(at < l.n && l.v[at] == x && x->in))
            return;
    CHECK_EQ_UINT(at, l.n);
    for (size_t i = 0; i < n; i++) {
        want += all[i].in;
        if (!CHECK_EQ_PTR(hamt_get(&r->hamt, &r->set, str_from(all[i].key)),
                          all[i].in ? &all[i] : NULL))
            return;
        if (all[i].in)
            continue;
        /* The one behind an absent key is the one behind it once it is there. */
        const struct entry *next = hamt_after(&r->hamt, &r->set, str_from(all[i].key));
        if (i % 16)
            continue;
        CHECK_EQ_INT(hamt_put(&r->hamt, &r->set, &all[i]), ERR_OK);
        CHECK_EQ_PTR(hamt_after(&r->hamt, &r->set, str_from(all[i].key)), next);
        hamt_del(&r->hamt, &r->set, &all[i]);
    }
    CHECK_EQ_UINT(l.n, want);
}

static void play(struct rig *r, struct random *random, size_t n, int steps)
{
    static struct entry all[4000];
    size_t in = 0;
    for (size_t i = 0; i < n; i++) {
        all[i].in = false;
        all[i].key[0] = '\0'; /* an empty key is one too */
        if (i)
            (void)snprintf(all[i].key, sizeof(all[i].key), "k%zu", i);
    }
    for (int step = 0; step < steps; step++) {
        struct entry *x = &all[random_below(random, n)];
        /* It fills, then empties, then fills again. */
        bool grows = step / (int)(2 * n) % 2 == 0;
        if (x->in && random_below(random, 4) < (grows ? 1 : 3)) {
            hamt_del(&r->hamt, &r->set, x);
            x->in = false;
            in--;
        } else if (!x->in && random_below(random, 4) < (grows ? 3 : 1)) {
            REQUIRE(hamt_put(&r->hamt, &r->set, x) == ERR_OK);
            x->in = true;
            in++;
        } else if (x->in) {
            struct entry twin = *x;
            hamt_replace(&r->hamt, &r->set, x, &twin);
            CHECK_EQ_PTR(hamt_get(&r->hamt, &r->set, str_from(x->key)), &twin);
            hamt_replace(&r->hamt, &r->set, &twin, x);
        }
        if (random_below(random, 100) == 0)
            grace_idle(r->ex);
        if (step % (steps / 20 + 1) == 0)
            check_all(r, all, n);
    }
    check_all(r, all, n);
    for (size_t i = 0; i < n; i++)
        if (all[i].in && i % 2) {
            hamt_del(&r->hamt, &r->set, &all[i]);
            all[i].in = false;
            in--;
        }
    check_all(r, all, n);
    rig_fini(r, in);
}

TEST(hamt_is_a_set)
{
    static const struct {
        uint64_t bits;
        size_t n;
    } cases[] = {
        {UINT64_MAX, 1},           {UINT64_MAX, 2},
        {UINT64_MAX, 70},          {UINT64_MAX, 4000},
        {UINT64_C(0xf) << 60, 40}, {UINT64_C(0xff) << 56, 1000}, /* most hashes are equal */
    };
    struct random random;
    random_seed(&random, test_seed());
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        LABEL("%zu keys, hash bits %llx", cases[i].n, (unsigned long long)cases[i].bits);
        rig_init(&r, random_u64(&random), cases[i].bits);
        play(&r, &random, cases[i].n, 200 + 8 * (int)cases[i].n);
    }
}

/* A removal can't fail, whatever the allocator says; what it could not make smaller then is made
 * so later. */
TEST(hamt_without_memory)
{
    struct rig r;
    static struct entry all[300];
    rig_init(&r, test_seed(), UINT64_C(0xff) << 56);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        (void)snprintf(all[i].key, sizeof(all[i].key), "%zu", i);
        all[i].in = false;
        r.faulty.fail_at = r.faulty.count + i % 3;
        enum err err = hamt_put(&r.hamt, &r.set, &all[i]);
        CHECK_EQ_PTR(hamt_get(&r.hamt, &r.set, str_from(all[i].key)), err ? NULL : &all[i]);
        r.faulty.fail_at = UINT64_MAX;
        if (err)
            CHECK_EQ_INT(hamt_put(&r.hamt, &r.set, &all[i]), ERR_OK);
        all[i].in = true;
    }
    check_all(&r, all, ARRAY_LEN(all));
    for (size_t i = 0; i < ARRAY_LEN(all); i += 2) {
        r.faulty.fail_at = r.faulty.count;
        hamt_del(&r.hamt, &r.set, &all[i]);
        r.faulty.fail_at = UINT64_MAX;
        all[i].in = false;
    }
    check_all(&r, all, ARRAY_LEN(all));
    for (size_t i = 0; i < ARRAY_LEN(all); i += 4) { /* into the gaps, and beside them */
        CHECK_EQ_INT(hamt_put(&r.hamt, &r.set, &all[i]), ERR_OK);
        all[i].in = true;
    }
    check_all(&r, all, ARRAY_LEN(all));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].in)
            hamt_del(&r.hamt, &r.set, &all[i]);
    CHECK_EQ_PTR(hamt_first(&r.set), NULL);
    grace_idle(r.ex);
    CHECK_EQ_UINT(r.hamt.tables, 0);
    rig_fini(&r, 0);
}
