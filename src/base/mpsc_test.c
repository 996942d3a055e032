#include "base/err.h"
#include "base/mpsc.h"
#include "tests/support/test.h"

#include <pthread.h>

TEST(mpsc_last_in_comes_first)
{
    struct mpsc_stack s = {NULL};
    struct mpsc_node n[5];
    CHECK(mpsc_is_empty(&s));
    CHECK_EQ_PTR(mpsc_take_all(&s), NULL);
    CHECK(mpsc_push(&s, &n[0])); /* the first */
    CHECK(!mpsc_push(&s, &n[1]));
    CHECK(!mpsc_is_empty(&s));
    n[2].next = &n[3];
    n[3].next = &n[4];
    CHECK(!mpsc_push_chain(&s, &n[2], &n[4]));
    struct mpsc_node *const want[] = {&n[2], &n[3], &n[4], &n[1], &n[0], NULL};
    struct mpsc_node *got = mpsc_take_all(&s);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        LABEL("%zu", i);
        REQUIRE(CHECK_EQ_PTR(got, want[i]));
        got = got ? got->next : NULL;
    }
    CHECK(mpsc_is_empty(&s));
    CHECK(mpsc_push(&s, &n[0])); /* the first again */
    CHECK_EQ_PTR(mpsc_take_all(&s), &n[0]);
    CHECK_EQ_PTR(n[0].next, NULL);
}

enum { PUSHERS = 3, EACH = 50000 };

struct pushed {
    struct mpsc_node node;
    unsigned pusher;
    uint32_t number;
};

struct pusher {
    struct mpsc_stack *stack;
    pthread_t thread;
    struct pushed *nodes;
    uint64_t firsts; /* that found it empty */
};

static void *push_all(void *arg)
{
    struct pusher *p = arg;
    for (uint32_t i = 0; i < EACH; i++) {
        struct pushed *x = &p->nodes[i];
        x->number = i;
        if (i % 3 != 2 || i + 1 == EACH) {
            p->firsts += mpsc_push(p->stack, &x->node);
            continue;
        }
        struct pushed *y = &p->nodes[++i]; /* a chain of two */
        y->number = i;
        y->node.next = &x->node;
        p->firsts += mpsc_push_chain(p->stack, &y->node, &x->node);
    }
    return NULL;
}

/* Each node comes once, those of one pusher in its order, and as often as something was taken, some
 * push was told that it is the first: who wakes the owner then, wakes it for all. */
TEST(mpsc_nothing_is_lost_between_threads)
{
    static struct pushed nodes[PUSHERS][EACH];
    struct mpsc_stack s = {NULL};
    struct pusher p[PUSHERS];
    uint32_t next[PUSHERS] = {0};
    uint64_t left = (uint64_t)PUSHERS * EACH, takes = 0, firsts = 0;
    for (unsigned i = 0; i < PUSHERS; i++) {
        p[i] = (struct pusher){.stack = &s, .nodes = nodes[i]};
        for (size_t k = 0; k < EACH; k++)
            nodes[i][k].pusher = i;
        REQUIRE(pthread_create(&p[i].thread, NULL, push_all, &p[i]) == 0);
    }
    while (left > 0) {
        struct mpsc_node *n = mpsc_take_all(&s), *in_order = NULL, *after;
        takes += n != NULL;
        for (; n; n = after) { /* the other way round */
            after = n->next;
            n->next = in_order;
            in_order = n;
        }
        for (; in_order; in_order = in_order->next, left--) {
            struct pushed *x = CONTAINER_OF(in_order, struct pushed, node);
            REQUIRE(CHECK_EQ_UINT(x->number, next[x->pusher]));
            next[x->pusher]++;
        }
    }
    for (unsigned i = 0; i < PUSHERS; i++) {
        pthread_join(p[i].thread, NULL);
        firsts += p[i].firsts;
    }
    CHECK_EQ_UINT(firsts, takes);
    CHECK(mpsc_is_empty(&s));
}
