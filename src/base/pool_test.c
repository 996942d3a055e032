#include "base/clock.h"
#include "base/poison_fixture.h"
#include "base/pool.h"
#include "base/pool_list.h"
#include "tests/support/test.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

TEST(pool_blocks_do_not_overlap)
{
    enum { N = 300, SIZE = 40 };
    struct pool p;
    unsigned char *block[N];
    CHECK_EQ_INT(pool_init(&p, alloc_system(), SIZE, N, 10), ERR_OK);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            block[i] = pool_take(&p);
            REQUIRE(block[i] != NULL);
            CHECK_EQ_UINT((uintptr_t)block[i] % 16, 0);
            memset(block[i], i & 0xFF, SIZE);
        }
        CHECK_EQ_PTR(pool_take(&p), NULL);
        CHECK_EQ_UINT(pool_stats(&p).refused, round + 1);
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < SIZE; j++)
                REQUIRE(block[i][j] == (i & 0xFF));
            pool_give(&p, block[i]);
        }
    }
    CHECK_EQ_UINT(pool_stats(&p).peak, N);
    CHECK_EQ_UINT(pool_stats(&p).in_use, 0);
    pool_give(&p, NULL);
    pool_fini(&p);
    pool_fini(&p);
}

TEST(pool_reserve_needs_no_memory_later)
{
    struct alloc_faulty f;
    struct pool p;
    alloc_faulty_init(&f, 1);
    CHECK_EQ_INT(pool_init(&p, &f.alloc, 64, 100, 5), ERR_OK);
    void *b[5];
    for (int i = 0; i < 5; i++)
        CHECK((b[i] = pool_take(&p)) != NULL);
    CHECK_EQ_PTR(pool_take(&p), NULL);
    for (int i = 0; i < 5; i++)
        pool_give(&p, b[i]);
    pool_fini(&p);
    CHECK_EQ_UINT(f.live_bytes, 0);
}

TEST(pool_init_refuses)
{
    static const struct {
        const char *label;
        size_t size, max, reserve;
        uint64_t fail_at;
        enum err want;
    } rows[] = {
        {"no size", 0, 10, 0, 99, ERR_INVALID},
        {"absurd size", SIZE_MAX, 10, 1, 99, ERR_INVALID},
        {"overflow", SIZE_MAX / 2, 10, 4, 99, ERR_NOMEM},
        {"more reserved than allowed", 8, 10, 11, 99, ERR_INVALID},
        {"no memory", 8, 10, 10, 0, ERR_NOMEM},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct alloc_faulty f;
        struct pool p;
        alloc_faulty_init(&f, rows[i].fail_at);
        CHECK_EQ_INT(pool_init(&p, &f.alloc, rows[i].size, rows[i].max, rows[i].reserve),
                     rows[i].want);
        pool_fini(&p);
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
}

static void fini_in_use(void *arg)
{
    pool_fini(arg);
}

TEST(pool_fini_finds_a_leak)
{
    struct pool p;
    CHECK_EQ_INT(pool_init(&p, alloc_system(), 8, 1, 0), ERR_OK);
    void *b = pool_take(&p);
    CHECK_ABORTS(fini_in_use, &p);
    pool_give(&p, b);
    pool_fini(&p);
}

TEST(pool_zeroed_ends)
{
    struct pool p = {0};
    pool_fini(&p);
    CHECK_EQ_UINT(pool_stats(&p).blocks_made, 0);
}

enum way { OWN, REMOTE, BUNDLE };

TEST(pool_counts_every_way_back)
{
    static const struct {
        const char *label;
        enum way way[4]; /* of blocks 0 … n-1 */
        size_t n;
        size_t waiting; /* of them in bundles that were not flushed: in use */
        uint64_t remote;
        size_t in_use_of_owner; /* what the owner counts before it collects */
    } rows[] = {
        {"own", {OWN, OWN}, 2, 0, 0, 0},
        {"one remote", {REMOTE}, 1, 0, 1, 1},
        {"own and remote", {OWN, REMOTE, OWN, REMOTE}, 4, 0, 2, 2},
        {"a bundle that waits", {BUNDLE, BUNDLE}, 2, 2, 0, 2},
        {"all of them", {OWN, REMOTE, BUNDLE, BUNDLE}, 4, 2, 1, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pool p;
        struct pool_returns returns = {.home = &p};
        void *b[4];
        LABEL("%s", rows[i].label);
        REQUIRE(pool_init(&p, alloc_system(), 48, 4, 0) == ERR_OK);
        for (size_t k = 0; k < rows[i].n; k++)
            REQUIRE((b[k] = pool_take(&p)) != NULL);
        for (size_t k = 0; k < rows[i].n; k++) {
            if (rows[i].way[k] == OWN)
                pool_give(&p, b[k]);
            else if (rows[i].way[k] == REMOTE)
                pool_give_remote(&p, b[k]);
            else
                pool_returns_give(&returns, b[k]);
        }
        CHECK_EQ_UINT(pool_stats(&p).in_use, rows[i].waiting);
        CHECK_EQ_UINT(pool_stats(&p).given_remote, rows[i].remote);
        CHECK_EQ_UINT(p.in_use, rows[i].in_use_of_owner);
        pool_returns_flush(&returns);
        pool_returns_flush(&returns); /* an empty one is nothing */
        CHECK_EQ_UINT(pool_stats(&p).in_use, 0);
        CHECK_EQ_UINT(pool_stats(&p).given_remote, rows[i].remote + rows[i].waiting);
        for (size_t k = 0; k < 4; k++) /* all are there again, and no more than were allowed */
            REQUIRE((b[k] = pool_take(&p)) != NULL);
        CHECK_EQ_PTR(pool_take(&p), NULL);
        CHECK_EQ_UINT(pool_stats(&p).in_use, 4);
        for (size_t k = 0; k < 4; k++)
            pool_give(&p, b[k]);
        CHECK_EQ_UINT(pool_stats(&p).peak, 4);
        CHECK_EQ_UINT(pool_stats(&p).blocks_made, 4);
        CHECK_EQ_UINT(pool_stats(&p).refused, 1);
        pool_fini(&p);
    }
}

TEST(pool_takes_what_others_gave_before_it_grows)
{
    struct alloc_faulty f;
    struct pool p;
    alloc_faulty_init(&f, 1);
    REQUIRE(pool_init(&p, &f.alloc, 16, 1000, 2) == ERR_OK);
    void *a = pool_take(&p), *b = pool_take(&p);
    pool_give_remote(&p, a);
    pool_give_remote(&p, b);
    pool_give_remote(&p, NULL);
    CHECK_EQ_PTR(pool_take(&p), b);
    CHECK_EQ_PTR(pool_take(&p), a);
    CHECK(!f.failed);
    CHECK_EQ_PTR(pool_take(&p), NULL); /* now it would have to grow */
    CHECK(f.failed);
    pool_give_remote(&p, a);
    pool_give(&p, b);
    pool_fini(&p); /* with one free and one waiting */
    CHECK_EQ_UINT(f.live_bytes, 0);
}

TEST(pool_gives_all_back_under_faults)
{
    enum { N = 40, SIZE = 4000 }; /* four to a slab */
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty f;
        struct pool p;
        void *b[N];
        size_t n = 0;
        LABEL("fail at %d", (int)fail_at);
        alloc_faulty_init(&f, fail_at);
        REQUIRE(pool_init(&p, &f.alloc, SIZE, N, 0) == ERR_OK);
        while (n < N && (b[n] = pool_take(&p)))
            n++;
        CHECK_EQ_UINT(n, fail_at * 4 < N ? fail_at * 4 : N);
        CHECK_EQ_UINT(pool_stats(&p).refused, n < N);
        while (n > 0)
            pool_give(&p, b[--n]);
        pool_fini(&p);
        CHECK_EQ_UINT(f.live_bytes, 0);
        if (!f.failed)
            break;
    }
}

/* ---- what is not in use is poisoned ---- */

struct touch {
    struct pool pool;
    struct pool_returns returns;
    char *p;
};

static void touch_given(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    pool_give(&t->pool, t->p);
    ((volatile char *)t->p)[0] = 1;
}

static void touch_given_remote(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    pool_give_remote(&t->pool, t->p);
    ((volatile char *)t->p)[16] = 1;
}

static void touch_in_a_bundle(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    pool_returns_give(&t->returns, t->p);
    ((volatile char *)t->p)[16] = 1;
}

static void touch_collected(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    char *second = pool_take(&t->pool);
    pool_give_remote(&t->pool, t->p);
    pool_give_remote(&t->pool, second);
    if (pool_take(&t->pool) == second) /* and t->p is free now, its head too */
        ((volatile char *)t->p)[0] = 1;
}

static void touch_never_taken(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    ((volatile char *)t->p)[64] = 1;
}

static void give_twice(void *arg)
{
    struct touch *t = arg;
    poison_fixture_begin();
    (void)pool_take(&t->pool);
    pool_give(&t->pool, t->p);
    pool_give(&t->pool, t->p);
}

TEST(pool_use_after_give_is_caught)
{
    static const struct {
        const char *label;
        void (*fn)(void *);
    } rows[] = {
        {"given", touch_given},
        {"given by another thread", touch_given_remote},
        {"in a bundle", touch_in_a_bundle},
        {"given by another thread and collected", touch_collected},
        {"never taken", touch_never_taken},
        {"given twice", give_twice},
    };
    struct touch t = {.returns.home = &t.pool};
    if (!MEMORY_POISONS)
        SKIP("needs the address sanitizer");
    REQUIRE(pool_init(&t.pool, alloc_system(), 64, 2, 2) == ERR_OK);
    REQUIRE((t.p = pool_take(&t.pool)) != NULL);
    memset(t.p, 1, 64);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        CHECK_ABORTS(rows[i].fn, &t);
    }
    pool_give(&t.pool, t.p);
    pool_fini(&t.pool);
}

static void give_what_was_not_taken(void *arg)
{
    static void *block[2];
    pool_give(arg, block);
}

TEST(pool_finds_more_given_than_taken)
{
    struct pool p;
    REQUIRE(pool_init(&p, alloc_system(), 16, 1, 0) == ERR_OK);
    CHECK_ABORTS(give_what_was_not_taken, &p);
    pool_fini(&p);
}

/* ---- threads ---- */

enum { GIVERS = 3, BLOCKS = 200, ROUNDS = 20000 };

struct item {
    struct mpsc_node node; /* on its way to a giver */
    uint64_t number, check[4];
};

struct giver {
    struct pool *pool;
    struct mpsc_stack inbox;
    pthread_t thread;
    uint64_t seed, got, broken;
};

static uint64_t check_of(const struct item *x, size_t i)
{
    return (x->number + i) * 0x9E3779B97F4A7C15u ^ (uintptr_t)x;
}

static void *giver_main(void *arg)
{
    struct giver *g = arg;
    struct pool_returns returns = {.home = g->pool};
    struct random r;
    bool stop = false;
    random_seed(&r, g->seed);
    while (!stop) {
        struct mpsc_node *n = mpsc_take_all(&g->inbox), *next;
        if (!n)
            cpu_relax();
        for (; n; n = next) {
            struct item *x = CONTAINER_OF(n, struct item, node);
            next = n->next;
            stop = stop || x->number == 0;
            for (size_t i = 0; i < ARRAY_LEN(x->check); i++)
                g->broken += x->check[i] != check_of(x, i);
            g->got++;
            if (random_below(&r, 2))
                pool_give_remote(g->pool, x);
            else
                pool_returns_give(&returns, x);
        }
        if (random_below(&r, 8) == 0) {
            pool_returns_flush(&returns);
            g->broken += pool_stats(g->pool).in_use > BLOCKS;
        }
    }
    pool_returns_flush(&returns);
    return NULL;
}

static struct item *take_item(struct pool *p, uint64_t number)
{
    struct item *x;
    while (!(x = pool_take(p))) /* all are on their way: full is an answer */
        sched_yield();
    x->number = number;
    for (size_t i = 0; i < ARRAY_LEN(x->check); i++)
        x->check[i] = check_of(x, i);
    return x;
}

/* One owner takes, writes and hands out; others look, and give back. A block that two had at once
 * would be found changed; one that got lost would stop the run at last, or stay in use. */
TEST(pool_blocks_come_home_from_other_threads)
{
    struct pool p;
    static struct giver g[GIVERS];
    struct random r;
    uint64_t sent = 0;
    REQUIRE(pool_init(&p, alloc_system(), sizeof(struct item), BLOCKS, 0) == ERR_OK);
    random_seed(&r, test_seed());
    for (size_t i = 0; i < GIVERS; i++) {
        g[i] = (struct giver){.pool = &p, .seed = random_u64(&r)};
        REQUIRE(pthread_create(&g[i].thread, NULL, giver_main, &g[i]) == 0);
    }
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        struct item *x = take_item(&p, n);
        uint64_t to = random_below(&r, GIVERS + 1);
        if (to == GIVERS) {
            pool_give(&p, x);
        } else {
            (void)mpsc_push(&g[to].inbox, &x->node);
            sent++;
        }
        struct pool_stats s = pool_stats(&p);
        REQUIRE(s.in_use <= BLOCKS && s.peak <= BLOCKS && s.blocks_made <= BLOCKS);
    }
    for (size_t i = 0; i < GIVERS; i++)
        (void)mpsc_push(&g[i].inbox, &take_item(&p, 0)->node);
    for (size_t i = 0; i < GIVERS; i++) {
        pthread_join(g[i].thread, NULL);
        CHECK_EQ_UINT(g[i].broken, 0);
        sent -= g[i].got - 1;
    }
    CHECK_EQ_UINT(sent, 0);
    CHECK_EQ_UINT(pool_stats(&p).in_use, 0);
    pool_fini(&p);
}

/* ---- the list ---- */

struct rows {
    size_t n;
    struct pool_row row[4];
};

static void note(void *ctx, const struct pool_row *row)
{
    struct rows *r = ctx;
    if (CHECK(r->n < ARRAY_LEN(r->row)))
        r->row[r->n++] = *row;
}

static void list_fini(void *arg)
{
    pool_list_fini(arg);
}

TEST(pool_list_shows_what_is_in_it)
{
    struct pool_list list;
    struct pool p[2];
    struct rows rows = {0};
    pool_list_init(&list);
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(pool_init(&p[i], alloc_system(), 32, 10 + i, 0) == ERR_OK);
        pool_list_add(&list, &p[i], i ? "second" : "first", 7 + i);
    }
    void *b = pool_take(&p[1]);
    pool_list_each(&list, note, &rows);
    REQUIRE(CHECK_EQ_UINT(rows.n, 2));
    CHECK_EQ_STR(rows.row[0].name, "first");
    CHECK_EQ_STR(rows.row[1].name, "second");
    CHECK_EQ_UINT(rows.row[1].worker, 8);
    CHECK_EQ_UINT(rows.row[1].stats.blocks_max, 11);
    CHECK_EQ_UINT(rows.row[1].stats.block_size, 32);
    CHECK_EQ_UINT(rows.row[0].stats.in_use, 0);
    CHECK_EQ_UINT(rows.row[1].stats.in_use, 1);
    pool_fini(&p[0]);
    CHECK_ABORTS(list_fini, &list);
    rows.n = 0;
    pool_list_each(&list, note, &rows);
    REQUIRE(CHECK_EQ_UINT(rows.n, 1));
    CHECK_EQ_STR(rows.row[0].name, "second");
    pool_give(&p[1], b);
    pool_fini(&p[1]);
    pool_list_fini(&list);
    pool_list_fini(&list);
}
