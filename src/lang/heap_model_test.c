/* A random program and a random collector, beside a model that never forgets: what can be reached
 * from the roots of the model is in the heap, and is as it should be. */
#include "lang/heap_fixture.h"

#include "base/clock.h"
#include "lang/chan.h"

#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 256, CHILDREN = 40, SEEDS = 3000, OPS = 160, CHAN_CAP = 3 };
enum model_kind { PAIR, BOX, LIST, DICT, CHAN, TEXT, KINDS };

struct thing {
    enum model_kind kind;
    struct obj *o;
    int child[CHILDREN]; /* numbers of things; -1: none */
    int n;
    bool seen;
};

struct world {
    struct heap_fixture f;
    struct random r;
    struct thing thing[OBJECTS];
    int n;
    int global[FIXTURE_VARS], stack[FIXTURE_TASKS][FIXTURE_VARS];
};

static int below(struct world *w, size_t n)
{
    return (int)random_below(&w->r, n);
}

/* ---- variables: those of the task that runs, and global ones ---- */

static int *var_model(struct world *w, int v)
{
    return v < FIXTURE_VARS ? &w->stack[w->f.task][v] : &w->global[v - FIXTURE_VARS];
}

static void var_set(struct world *w, int v, int thing)
{
    struct obj *o = thing < 0 ? NULL : w->thing[thing].o;
    *var_model(w, v) = thing;
    if (v < FIXTURE_VARS) {
        w->f.stack[w->f.task][v] = o;
    } else {
        heap_store(&w->f.h, (union lang_slot *)(void *)&w->f.global[v - FIXTURE_VARS], o);
    }
}

static int var_any(struct world *w)
{
    return below(w, 2 * FIXTURE_VARS);
}

/* A variable's thing, of a kind; NULL if it has another or none. */
static struct thing *var_thing(struct world *w, enum model_kind kind)
{
    int i = *var_model(w, var_any(w));
    return i >= 0 && w->thing[i].kind == kind ? &w->thing[i] : NULL;
}

static int child_of(const struct world *w, struct obj *o)
{
    for (int i = w->n; o && i-- > 0;) { /* the newest: older ones may have had its memory */
        if (w->thing[i].o == o)
            return i;
    }
    return -1;
}

/* ---- operations ---- */

static void op_new(struct world *w)
{
    if (w->n == OBJECTS)
        return;
    struct thing *t = &w->thing[w->n];
    struct heap *h = &w->f.h;
    t->kind = (enum model_kind)below(w, KINDS);
    t->n = t->kind == PAIR ? 2 : 0;
    t->child[0] = t->child[1] = -1;
    switch (t->kind) {
    case PAIR: t->o = (struct obj *)heap_new_record(h, FIXTURE_PAIR); break;
    case BOX: t->o = (struct obj *)heap_new_record(h, FIXTURE_BOX); break;
    case LIST: t->o = (struct obj *)list_new(h, true); break;
    case DICT: t->o = (struct obj *)dict_new(h, false, true); break;
    case CHAN: t->o = (struct obj *)chan_obj_new(h, true, CHAN_CAP); break;
    default: t->o = (struct obj *)text_blank(h, below(w, 10) ? 20 : 3000); break;
    }
    ASSERT(t->o);
    if (t->kind == PAIR)
        ((struct record *)(void *)t->o)->slot[2].i = w->n;
    if (t->kind == BOX)
        ((struct record *)(void *)t->o)->slot[0].i = w->n;
    if (t->kind == TEXT)
        memset(((struct text *)(void *)t->o)->bytes, w->n, 20);
    w->n++;
    var_set(w, var_any(w), w->n - 1);
}

static void op_store(struct world *w)
{
    struct thing *t = var_thing(w, PAIR);
    if (!t)
        return;
    int value = *var_model(w, var_any(w)), at = below(w, 2);
    t->child[at] = value;
    union lang_slot *slot = &((struct record *)(void *)t->o)->slot[at];
    REQUIRE(heap_put(&w->f.h, t->o, slot, value < 0 ? NULL : w->thing[value].o));
}

static void op_load(struct world *w)
{
    struct thing *t = var_thing(w, PAIR);
    if (t)
        var_set(w, var_any(w), child_of(w, ((struct record *)(void *)t->o)->slot[below(w, 2)].o));
}

static void op_list(struct world *w)
{
    struct thing *t = var_thing(w, LIST);
    if (!t)
        return;
    struct lang_list *l = (struct lang_list *)(void *)t->o;
    int value = *var_model(w, var_any(w));
    union lang_slot v = slot_o(value < 0 ? NULL : w->thing[value].o), out;
    if (t->n < CHILDREN && below(w, 3)) {
        int at = below(w, (size_t)t->n + 1);
        memmove(t->child + at + 1, t->child + at, sizeof(int) * (size_t)(t->n - at));
        t->child[at] = value;
        t->n++;
        REQUIRE(list_insert(&w->f.h, l, (size_t)at, v));
    } else if (t->n > 0) {
        int at = below(w, (size_t)t->n);
        t->n--;
        int was = t->child[at];
        memmove(t->child + at, t->child + at + 1, sizeof(int) * (size_t)(t->n - at));
        REQUIRE(list_remove(&w->f.h, l, (size_t)at, &out));
        CHECK_EQ_PTR(out.o, was < 0 ? NULL : w->thing[was].o);
        var_set(w, var_any(w), was);
    }
}

/* Keys are 0 … 39; child -2: no such key. */
static void op_dict(struct world *w)
{
    struct thing *t = var_thing(w, DICT);
    if (!t)
        return;
    struct dict *d = (struct dict *)(void *)t->o;
    for (; t->n < CHILDREN; t->n++)
        t->child[t->n] = -2;
    int value = *var_model(w, var_any(w)), key = below(w, CHILDREN);
    bool found;
    if (below(w, 3)) {
        t->child[key] = value;
        REQUIRE(dict_put(&w->f.h, d, slot_i(key), slot_o(value < 0 ? NULL : w->thing[value].o)));
    } else {
        REQUIRE(dict_remove(&w->f.h, d, slot_i(key), &found, NULL));
        CHECK_EQ_INT(found, t->child[key] != -2);
        t->child[key] = -2;
    }
}

static void op_chan(struct world *w)
{
    struct thing *t = var_thing(w, CHAN);
    if (!t)
        return;
    struct chan *c = (struct chan *)(void *)t->o;
    int value = *var_model(w, var_any(w));
    union lang_slot out;
    if (below(w, 2)) {
        enum err e = chan_obj_put(&w->f.h, c, slot_o(value < 0 ? NULL : w->thing[value].o));
        CHECK_EQ_INT(e, t->n < CHAN_CAP ? ERR_OK : ERR_FULL);
        if (!e)
            t->child[t->n++] = value;
    } else {
        enum err e = chan_obj_take(&w->f.h, c, &out);
        CHECK_EQ_INT(e, t->n ? ERR_OK : ERR_AGAIN);
        if (e)
            return;
        int was = t->child[0];
        t->n--;
        memmove(t->child, t->child + 1, sizeof(int) * (size_t)t->n);
        var_set(w, var_any(w), was);
    }
}

static void op_switch(struct world *w)
{
    fixture_switch(&w->f, (unsigned)below(w, FIXTURE_TASKS));
}

static void op_forget(struct world *w)
{
    var_set(w, var_any(w), -1);
}

static void (*const op[])(struct world *w) = {
    op_new,  op_new,  op_new,  op_store, op_store, op_store,  op_load,
    op_list, op_list, op_dict, op_dict,  op_chan,  op_switch, op_forget,
};

/* ---- the heap is as the model ---- */

static struct obj *child_got(const struct thing *t, int i)
{
    switch (t->kind) {
    case PAIR: return ((struct record *)(void *)t->o)->slot[i].o;
    case LIST: return list_get((struct lang_list *)(void *)t->o, (size_t)i).o;
    case CHAN: {
        struct chan *c = (struct chan *)(void *)t->o;
        return c->slot[(c->head + (unsigned)i) % c->cap].o;
    }
    default: return NULL;
    }
}

static void compare(struct world *w, int at);

static void compare_dict(struct world *w, const struct thing *t)
{
    for (int i = 0; i < t->n; i++) {
        const union lang_slot *v = dict_get(&w->f.h, (struct dict *)(void *)t->o, slot_i(i));
        CHECK_EQ_INT(v != NULL, t->child[i] != -2);
        if (v)
            CHECK_EQ_PTR(v->o, t->child[i] < 0 ? NULL : w->thing[t->child[i]].o);
        compare(w, t->child[i]);
    }
}

static void compare(struct world *w, int at)
{
    if (at < 0 || w->thing[at].seen)
        return;
    static const enum obj_kind kinds[KINDS] = {OBJ_RECORD, OBJ_RECORD, OBJ_LIST,
                                               OBJ_DICT,   OBJ_CHAN,   OBJ_TEXT};
    struct thing *t = &w->thing[at];
    t->seen = true;
    CHECK_EQ_INT(t->o->kind, kinds[t->kind]);
    if (t->kind == PAIR)
        CHECK_EQ_INT(((struct record *)(void *)t->o)->slot[2].i, at);
    if (t->kind == BOX)
        CHECK_EQ_INT(((struct record *)(void *)t->o)->slot[0].i, at);
    if (t->kind == TEXT)
        CHECK_EQ_INT((uint8_t)((struct text *)(void *)t->o)->bytes[19], (uint8_t)at);
    if (t->kind == DICT) {
        compare_dict(w, t);
        return;
    }
    if (t->kind == LIST)
        CHECK_EQ_INT(list_len((struct lang_list *)(void *)t->o), t->n);
    for (int i = 0; i < t->n; i++) {
        CHECK_EQ_PTR(child_got(t, i), t->child[i] < 0 ? NULL : w->thing[t->child[i]].o);
        compare(w, t->child[i]);
    }
}

static void compare_all(struct world *w)
{
    for (int i = 0; i < w->n; i++)
        w->thing[i].seen = false;
    for (int i = 0; i < FIXTURE_VARS; i++) {
        compare(w, w->global[i]);
        for (int t = 0; t < FIXTURE_TASKS; t++)
            compare(w, w->stack[t][i]);
    }
}

static void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    fixture_init(&w->f, alloc_system(), 4 << 20, seed);
    random_seed(&w->r, seed);
    memset(w->global, -1, sizeof(w->global));
    memset(w->stack, -1, sizeof(w->stack));
}

TEST(heap_random_programs_meet_random_collectors)
{
    struct world *w = malloc(sizeof(*w));
    REQUIRE(w != NULL);
    uint64_t first = test_seed();
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        LABEL("seed %llu", (unsigned long long)seed);
        world_init(w, seed);
        size_t eager = random_below(&w->r, 8) + 1; /* steps for each operation, at most */
        for (int i = 0; i < OPS; i++) {
            op[random_below(&w->r, ARRAY_LEN(op))](w);
            for (size_t n = random_below(&w->r, eager); n > 0; n--)
                fixture_step(&w->f.h);
            if (i % 16 == 0)
                heap_check(&w->f.h);
        }
        compare_all(w);
        heap_collect(&w->f.h);
        heap_check(&w->f.h);
        compare_all(w);
        fixture_fini(&w->f);
    }
    free(w);
}

/* The same program with the collector's begin at each of its operations, and each number of steps
 * between two of them. */
TEST(heap_one_program_meets_every_collector)
{
    enum { PROGRAM = 60, STEPS = 24 };
    struct world *w = malloc(sizeof(*w));
    REQUIRE(w != NULL);
    uint64_t seed = test_seed();
    for (int begin = 0; begin < PROGRAM; begin++) {
        for (int steps = 1; steps < STEPS; steps++) {
            LABEL("seed %llu: begin at %d, %d steps", (unsigned long long)seed, begin, steps);
            world_init(w, seed);
            for (int i = 0; i < PROGRAM; i++) {
                op[random_below(&w->r, ARRAY_LEN(op))](w);
                for (int n = 0; n < steps && i >= begin; n++) {
                    if (n == 0 || w->f.h.phase != HEAP_IDLE)
                        fixture_step(&w->f.h);
                }
                heap_check(&w->f.h);
            }
            compare_all(w);
            fixture_fini(&w->f);
        }
    }
    free(w);
}
