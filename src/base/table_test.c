#include "base/table.h"

#include "base/clock.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

enum { THINGS = 3000 };

struct thing {
    struct table_node node;
    char name[12];
    bool in;
    unsigned seen;
};
static struct thing things[THINGS];

static struct str name_of(const struct table_node *node)
{
    return str_from(CONTAINER_OF(node, struct thing, node)->name);
}

static void make_things(void)
{
    for (unsigned i = 0; i < THINGS; i++) {
        things[i] = (struct thing){0};
        (void)snprintf(things[i].name, sizeof(things[i].name), "t%u", i);
    }
}

static void put(struct table *t, struct thing *x)
{
    REQUIRE(CHECK_EQ_INT(table_put(t, &x->node), ERR_OK));
    x->in = true;
}

static void del(struct table *t, struct thing *x)
{
    table_del(t, &x->node);
    x->in = false;
}

static void check_all(const struct table *t)
{
    size_t n = 0, walked = 0;
    for (unsigned i = 0; i < THINGS; i++) {
        n += things[i].in;
        const struct table_node *found = table_get(t, str_from(things[i].name));
        CHECK_EQ_PTR(found, things[i].in ? &things[i].node : NULL);
        things[i].seen = 0;
    }
    CHECK_EQ_UINT(t->n, n);
    struct table_at at = {0};
    for (struct table_node *node; (node = table_next(t, &at)); walked++)
        CHECK_EQ_UINT(CONTAINER_OF(node, struct thing, node)->seen++, 0);
    CHECK_EQ_UINT(walked, n);
}

/* Against a list of what should be in it. */
TEST(table_as_a_model_has_it)
{
    struct random r;
    struct table t;
    random_seed(&r, test_seed());
    make_things();
    table_init(&t, alloc_system(), test_seed(), THINGS, name_of);
    check_all(&t);
    for (int round = 0; round < 6; round++) {
        for (int k = 0; k < THINGS; k++) {
            struct thing *x = &things[random_below(&r, THINGS)];
            if (!x->in)
                put(&t, x);
            else if (round % 2)
                del(&t, x);
            else
                CHECK_EQ_INT(table_put(&t, &x->node), ERR_EXISTS);
        }
        check_all(&t);
    }
    struct table_at at = {0}; /* the current one may go */
    for (struct table_node *node; (node = table_next(&t, &at));)
        del(&t, CONTAINER_OF(node, struct thing, node));
    check_all(&t);
    table_fini(&t);
    table_fini(&t);
}

TEST(table_is_bounded)
{
    struct table t;
    make_things();
    table_init(&t, alloc_system(), 1, 2, name_of);
    put(&t, &things[0]);
    put(&t, &things[1]);
    CHECK_EQ_INT(table_put(&t, &things[2].node), ERR_FULL);
    CHECK_EQ_INT(table_put(&t, &things[1].node), ERR_EXISTS);
    del(&t, &things[0]);
    put(&t, &things[2]);
    table_fini(&t);
}

static void see(void *ctx, struct table_node *node)
{
    (void)ctx;
    CONTAINER_OF(node, struct thing, node)->seen++;
}

/* Things come and go between the steps, and the table doubles: who stays is seen once. */
TEST(table_scans_while_it_changes)
{
    struct random r;
    struct table t;
    random_seed(&r, test_seed());
    for (unsigned stay = 1; stay < THINGS; stay = stay * 3 + 1) {
        LABEL("%u stay", stay);
        unsigned next = stay;
        uint64_t cursor = 0;
        make_things();
        table_init(&t, alloc_system(), test_seed(), THINGS, name_of);
        for (unsigned i = 0; i < stay; i++)
            put(&t, &things[i]);
        do {
            table_scan(&t, &cursor, see, NULL);
            for (unsigned k = 0; k < 3 && next < THINGS; k++)
                put(&t, &things[next++]);
            struct thing *x = &things[random_below(&r, THINGS)];
            if (x->in && x >= &things[stay])
                del(&t, x);
        } while (cursor);
        for (unsigned i = 0; i < stay; i++)
            CHECK_EQ_UINT(things[i].seen, 1);
        table_fini(&t);
    }
}

/* Without memory to grow it is slower, and nothing else. */
TEST(table_without_memory)
{
    for (uint64_t fail_at = 0; fail_at < 3; fail_at++) {
        LABEL("allocation %llu", (unsigned long long)fail_at);
        struct alloc_faulty f;
        struct table t;
        alloc_faulty_init(&f, fail_at);
        make_things();
        table_init(&t, &f.alloc, 1, THINGS, name_of);
        if (fail_at == 0)
            CHECK_EQ_INT(table_put(&t, &things[0].node), ERR_NOMEM);
        for (unsigned i = 0; fail_at > 0 && i < 100; i++)
            put(&t, &things[i]);
        CHECK(f.failed);
        check_all(&t);
        table_fini(&t);
    }
}
