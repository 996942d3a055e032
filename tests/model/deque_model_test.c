/* The deque: an owner against one and two thieves. Each element comes out exactly once, and with
 * it what was written before it was pushed. */
#include "async/deque.h"
#include "tests/model/model.h"
#include "tests/support/test.h"

enum { ITEMS = 6 };

struct item {
    unsigned value; /* plain: must have come along */
};

struct stage {
    struct deque deque;
    struct item items[ITEMS];
    _Atomic unsigned taken[ITEMS];
    unsigned thieves, steals; /* attempts of each */
    bool unfenced;            /* the thieves make the barrier */
};

static void have(struct stage *g, const struct item *it)
{
    size_t i = (size_t)(it - g->items);
    HOLD(it->value == i + 1);
    HOLD(atomic_fetch_add_explicit(&g->taken[i], 1, memory_order_relaxed) == 0);
}

static void thief(void *arg)
{
    struct stage *g = arg;
    for (unsigned i = 0; i < g->steals; i++) {
        void *got = NULL;
        enum deque_steal r = g->unfenced
                                 ? deque_steal_after_barrier(&g->deque, &got, model_barrier_all)
                                 : deque_steal(&g->deque, &got);
        if (r == DEQUE_STOLEN)
            have(g, got);
    }
}

static void begin(struct stage *g, size_t capacity, unsigned thieves, unsigned steals)
{
    *g = (struct stage){.thieves = thieves, .steals = steals};
    HOLD(deque_init(&g->deque, model_alloc(), capacity) == ERR_OK);
}

static bool push(struct stage *g, size_t i)
{
    g->items[i].value = (unsigned)i + 1;
    return deque_push(&g->deque, &g->items[i]);
}

static void take(struct stage *g)
{
    struct item *it = g->unfenced ? deque_take_unfenced(&g->deque) : deque_take(&g->deque);
    if (it)
        have(g, it);
}

/* All that were pushed have come out once. */
static void end(struct stage *g, size_t pushed)
{
    struct item *it;
    while ((it = deque_take(&g->deque)))
        have(g, it);
    for (size_t i = 0; i < ITEMS; i++)
        HOLD(atomic_load(&g->taken[i]) == (i < pushed));
    deque_fini(&g->deque);
}

static void with_thieves(struct stage *g, void (*owner)(struct stage *g), size_t pushed)
{
    unsigned threads[2] = {0};
    for (unsigned i = 0; i < g->thieves; i++)
        threads[i] = model_thread(thief, g);
    owner(g);
    for (unsigned i = 0; i < g->thieves; i++)
        model_join(threads[i]);
    end(g, pushed);
}

static void push_take(struct stage *g)
{
    HOLD(push(g, 0));
    take(g);
    HOLD(push(g, 1));
    HOLD(push(g, 2));
    take(g);
    take(g);
}

static void one_thief(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 4, 1, 2);
    with_thieves(&g, push_take, 3);
}

static void one_thief_with_barrier(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 4, 1, 2);
    g.unfenced = true;
    with_thieves(&g, push_take, 3);
}

static void two_thieves_with_barrier(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 4, 2, 1);
    g.unfenced = true;
    with_thieves(&g, push_take, 3);
}

static void two_thieves(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 4, 2, 1);
    with_thieves(&g, push_take, 3);
}

/* One element, the owner and two thieves: exactly one has it. */
static void last_one(struct stage *g)
{
    HOLD(push(g, 0));
    take(g);
}

static void one_element(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 1, 2, 1);
    with_thieves(&g, last_one, 1);
}

/* Two slots for five elements: a slot is written again while a thief may read it. */
static void around(struct stage *g)
{
    for (size_t i = 0; i < 5; i++)
        while (!push(g, i))
            take(g);
}

static void wraps(void *arg)
{
    struct stage g;
    (void)arg;
    begin(&g, 2, 1, 2);
    atomic_store(&g.deque.top, UINT64_MAX - 1);
    atomic_store(&g.deque.bottom, UINT64_MAX - 1);
    g.deque.top_seen = UINT64_MAX - 1;
    with_thieves(&g, around, 5);
}

static void check(const char *name, void (*run)(void *arg), unsigned preemptions, unsigned stale)
{
    model_check(&(struct model){
        .name = name, .run = run, .preemptions = preemptions, .stale = stale, .walks = 20000});
}

TEST(deque_one_thief)
{
    check("one thief", one_thief, 3, 2);
}

TEST(deque_two_thieves)
{
    check("two thieves", two_thieves, 2, 1);
}

TEST(deque_with_barrier)
{
    check("one thief with barrier", one_thief_with_barrier, 3, 2);
    check("two thieves with barrier", two_thieves_with_barrier, 2, 1);
}

TEST(deque_one_element)
{
    check("one element", one_element, 3, 2);
}

/* Pitfall 5: an index that came back would let a thief's late exchange succeed. Here they only
 * count on, so that a top that was seen is not met again. */
TEST(pitfall_05_a_thief_that_comes_late_gets_nothing)
{
    check("late thief", one_thief, 3, 0);
}

TEST(pitfall_06_indices_wrap)
{
    check("wraps", wraps, 3, 1);
}
