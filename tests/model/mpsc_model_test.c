/* The list on which other threads push what its owner takes as a whole: each node arrives once,
 * with what was written before its push, also if it is pushed again as soon as it was taken. */
#include "base/mpsc.h"
#include "tests/model/model.h"
#include "tests/support/test.h"

enum { NODES = 2 };

struct item {
    struct mpsc_node node; /* first */
    unsigned value;        /* plain: comes along */
    bool home;             /* with the owner; plain */
};

struct stage {
    struct mpsc_stack stack;
    struct item items[2][NODES]; /* of each pusher */
    unsigned got, again;
};

static void push_all(struct stage *g, struct item *items)
{
    for (unsigned i = 0; i < NODES; i++) {
        items[i].value = i + 1;
        (void)mpsc_push(&g->stack, &items[i].node);
    }
}

static void push_first(void *arg)
{
    push_all(arg, ((struct stage *)arg)->items[0]);
}

static void push_second(void *arg)
{
    push_all(arg, ((struct stage *)arg)->items[1]);
}

static void take_some(struct stage *g)
{
    struct mpsc_node *n = mpsc_take_all(&g->stack), *next;
    for (; n; n = next) {
        struct item *it = CONTAINER_OF(n, struct item, node);
        next = n->next;
        HOLD(it->value == 1 || it->value == 2);
        HOLD(!it->home);
        if (g->again == 0) { /* it goes out once more: the same address on top (ABA) */
            g->again = 1;
            (void)mpsc_push(&g->stack, &it->node);
            continue;
        }
        it->home = true;
        g->got++;
    }
}

static void pushers(void *arg)
{
    struct stage g = {.got = 0};
    (void)arg;
    unsigned a = model_thread(push_first, &g), b = model_thread(push_second, &g);
    take_some(&g);
    take_some(&g);
    model_join(a);
    model_join(b);
    take_some(&g);
    take_some(&g);
    HOLD(g.got == 2 * NODES);
    HOLD(mpsc_is_empty(&g.stack));
}

TEST(mpsc_two_pushers)
{
    model_check(&(struct model){
        .name = "mpsc", .run = pushers, .preemptions = 3, .stale = 1, .walks = 20000});
}
