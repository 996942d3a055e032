#include "lang/heap_fixture.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The model: entries in their order, with the number of their insertion. Keys are small numbers,
 * and slow searches do. */
enum { KEYS_MAX = 4096, WALKS = 3 };
struct model {
    int64_t key[1 << 16], value[1 << 16];
    uint64_t number[1 << 16];
    size_t n;
    uint64_t next;
    int64_t at[KEYS_MAX]; /* of a key; -1: absent */
};

struct rig {
    struct heap_fixture f;
    struct random r;
    struct dict *d;
    bool texts;
    int64_t hard[KEYS_MAX]; /* what the keys are, if they are numbers */
    struct obj *names;      /* a list of the keys, if they are texts */
    struct model m, before;
    uint64_t walk[WALKS], walk_last[WALKS]; /* its place, and what the model says it saw last */
};

static struct rig *rig;

static union lang_slot key_of(int64_t key)
{
    if (!rig->texts)
        return slot_i(rig->hard[key]);
    /* At times the same text, at times an equal one. */
    if (random_below(&rig->r, 2))
        return list_get((struct lang_list *)(void *)rig->names, (size_t)key);
    char buf[32];
    int n = snprintf(buf, sizeof(buf), "key %lld", (long long)key);
    struct text *t = text_new(&rig->f.h, (struct str){buf, (size_t)n});
    REQUIRE(t != NULL);
    return slot_o(t);
}

static bool key_is(union lang_slot got, int64_t key)
{
    if (!rig->texts)
        return got.i == rig->hard[key];
    return text_eq(
        (struct text *)(void *)got.o,
        (struct text *)(void *)list_get((struct lang_list *)(void *)rig->names, (size_t)key).o);
}

static void model_remove(struct model *m, int64_t key)
{
    size_t at = (size_t)m->at[key];
    m->n--;
    memmove(m->key + at, m->key + at + 1, (m->n - at) * sizeof(m->key[0]));
    memmove(m->value + at, m->value + at + 1, (m->n - at) * sizeof(m->value[0]));
    memmove(m->number + at, m->number + at + 1, (m->n - at) * sizeof(m->number[0]));
    m->at[key] = -1;
    for (size_t i = at; i < m->n; i++)
        m->at[m->key[i]] = (int64_t)i;
}

static void model_put(struct model *m, int64_t key, int64_t value)
{
    if (m->at[key] >= 0) {
        m->value[m->at[key]] = value;
        return;
    }
    m->at[key] = (int64_t)m->n;
    m->key[m->n] = key;
    m->value[m->n] = value;
    m->number[m->n++] = ++m->next;
}

static void model_clear(struct model *m)
{
    m->n = 0;
    memset(m->at, -1, sizeof(m->at));
}

/* A walk goes on by one entry, in both. */
static void walk_step(size_t w)
{
    const struct model *m = &rig->m;
    size_t i = 0;
    while (i < m->n && m->number[i] <= rig->walk_last[w])
        i++;
    union lang_slot key, value;
    bool more = dict_next(rig->d, &rig->walk[w], &key, &value);
    CHECK_EQ_INT(more, i < m->n);
    if (!more || i == m->n) {
        rig->walk[w] = rig->walk_last[w] = 0;
        return;
    }
    CHECK(key_is(key, m->key[i]));
    CHECK_EQ_INT(value.i, m->value[i]);
    rig->walk_last[w] = m->number[i];
}

static void compare(size_t keys)
{
    CHECK_EQ_UINT(dict_len(rig->d), rig->m.n);
    for (int64_t key = 0; key < (int64_t)keys; key++) {
        const union lang_slot *v = dict_get(&rig->f.h, rig->d, key_of(key));
        CHECK_EQ_INT(v != NULL, rig->m.at[key] >= 0);
        if (v && rig->m.at[key] >= 0)
            CHECK_EQ_INT(v->i, rig->m.value[rig->m.at[key]]);
    }
}

static bool operation(size_t keys, unsigned removals)
{
    struct heap *h = &rig->f.h;
    int64_t key = (int64_t)random_below(&rig->r, keys),
            value = (int64_t)random_below(&rig->r, 1 << 20);
    bool found;
    union lang_slot out;
    if (random_below(&rig->r, 10) < removals) {
        if (!dict_remove(h, rig->d, key_of(key), &found, &out))
            return false;
        CHECK_EQ_INT(found, rig->m.at[key] >= 0);
        if (found && rig->m.at[key] >= 0) {
            CHECK_EQ_INT(out.i, rig->m.value[rig->m.at[key]]);
            model_remove(&rig->m, key);
        }
        return true;
    }
    if (!dict_put(h, rig->d, key_of(key), slot_i(value)))
        return false;
    model_put(&rig->m, key, value);
    return true;
}

/* Numbers whose hashes agree in their place in a small index and in the tag of its words. */
static void keys_that_collide(void)
{
    size_t n = 0;
    for (int64_t i = 0; n < KEYS_MAX; i++) {
        uint32_t hash = (uint32_t)hash_bytes(&i, sizeof(i), rig->f.h.config.seed) & ((1 << 25) - 1);
        if (hash >> 17 == 5 && (n >= 64 || (hash & 63) == 3))
            rig->hard[n++] = i;
    }
}

static void rig_init(bool texts, bool collide)
{
    rig = calloc(1, sizeof(*rig));
    REQUIRE(rig != NULL);
    fixture_init(&rig->f, alloc_system(), 1 << 24, 3);
    random_seed(&rig->r, test_seed());
    rig->texts = texts;
    for (int64_t i = 0; i < KEYS_MAX; i++)
        rig->hard[i] = i % 2 ? i - 1 : INT64_MIN + i; /* 0 is one of them */
    if (collide)
        keys_that_collide();
    struct lang_list *names = list_new(&rig->f.h, true);
    rig->f.global[0] = rig->names = (struct obj *)names;
    for (int i = 0; i < KEYS_MAX && texts; i++) {
        char buf[32];
        int n = snprintf(buf, sizeof(buf), "key %d", i);
        REQUIRE(
            list_push(&rig->f.h, names, slot_o(text_new(&rig->f.h, (struct str){buf, (size_t)n}))));
    }
    rig->d = dict_new(&rig->f.h, texts, false);
    REQUIRE(rig->d != NULL);
    rig->f.global[1] = &rig->d->hdr;
    model_clear(&rig->m);
}

static void rig_fini(void)
{
    fixture_fini(&rig->f);
    free(rig);
}

static const struct {
    const char *label;
    bool texts, collide;
    size_t keys;
    unsigned removals; /* of 10 operations */
} cases[] = {
    {"few numbers", false, false, 6, 4},
    {"as many as need no index, and more", false, false, 12, 5},
    {"numbers", false, false, 300, 3},
    {"numbers, mostly removed", false, false, 300, 6},
    {"numbers that collide", false, true, 200, 4},
    {"texts", true, false, 300, 4},
    {"many texts", true, false, 3000, 2},
    {"many numbers", false, false, KEYS_MAX, 5},
};

TEST(dict_is_as_a_list_of_entries)
{
    enum { OPS = 30000 };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        LABEL("%s", cases[c].label);
        rig_init(cases[c].texts, cases[c].collide);
        for (int i = 0; i < OPS; i++) {
            /* The share of removals changes, so that it fills and empties. */
            unsigned removals = i / 3000 % 2 ? 10 - cases[c].removals : cases[c].removals;
            REQUIRE(operation(cases[c].keys, removals));
            walk_step(random_below(&rig->r, WALKS));
            fixture_step(&rig->f.h);
            if (random_below(&rig->r, 4000) == 0) {
                REQUIRE(dict_clear(&rig->f.h, rig->d));
                model_clear(&rig->m);
            }
            if (i % 1000 == 0) {
                heap_check(&rig->f.h);
                compare(cases[c].keys);
            }
        }
        rig_fini();
    }
}

TEST(dict_takes_turns_back)
{
    enum { TURNS = 2500 };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        LABEL("%s", cases[c].label);
        rig_init(cases[c].texts, cases[c].collide);
        for (int turn = 0; turn < TURNS; turn++) {
            rig->before = rig->m;
            fixture_turn(&rig->f, random_below(&rig->r, 1500));
            bool ok = true;
            unsigned removals = turn / 500 % 2 ? 10 - cases[c].removals : cases[c].removals;
            for (size_t n = random_below(&rig->r, 20); n > 0 && ok; n--) {
                ok = operation(cases[c].keys, removals);
                fixture_step(&rig->f.h);
            }
            if (!ok || random_below(&rig->r, 4) == 0) {
                fixture_rollback(&rig->f);
                rig->m = rig->before;
            }
            rig->f.log_n = 0;
            CHECK_EQ_UINT(dict_len(rig->d), rig->m.n);
            if (turn % 50 == 0) {
                heap_check(&rig->f.h);
                compare(cases[c].keys);
                rig->walk[0] = rig->walk_last[0] = 0;
                do {
                    walk_step(0);
                } while (rig->walk[0]);
            }
        }
        rig_fini();
    }
}

/* A queue: put at the end, removed at the begin. Gaps must not pile up. */
TEST(dict_as_a_queue_stays_small)
{
    rig_init(false, false);
    for (int64_t i = 0; i < 100000; i++) {
        bool found;
        REQUIRE(dict_put(&rig->f.h, rig->d, slot_i(i), slot_i(i)));
        if (i >= 100) {
            REQUIRE(dict_remove(&rig->f.h, rig->d, slot_i(i - 100), &found, NULL));
            CHECK(found);
        }
    }
    heap_collect(&rig->f.h);
    CHECK_EQ_UINT(dict_len(rig->d), 100);
    CHECK(rig->f.h.stats.live < 20000);
    union lang_slot key, value;
    uint64_t at = 0;
    for (int64_t i = 99900; dict_next(rig->d, &at, &key, &value); i++)
        CHECK_EQ_INT(key.i, i);
    rig_fini();
}

TEST(dict_that_only_loses_entries_closes_its_gaps)
{
    enum { N = 5000, LEFT = 20 };
    rig_init(false, false);
    for (int64_t i = 0; i < N; i++)
        REQUIRE(dict_put(&rig->f.h, rig->d, slot_i(i), slot_i(i)));
    for (int64_t i = 0; i < N - LEFT; i++) {
        bool found;
        REQUIRE(dict_remove(&rig->f.h, rig->d, slot_i(i), &found, NULL));
        CHECK(found);
    }
    CHECK_EQ_UINT(dict_len(rig->d), LEFT);
    CHECK(rig->d->meta.n < 200); /* with gaps */
    heap_collect(&rig->f.h);
    CHECK(rig->f.h.stats.live < 20000);
    rig_fini();
}

TEST(dict_refuses_when_the_heap_is_full)
{
    struct heap_fixture *f = calloc(1, sizeof(*f));
    REQUIRE(f != NULL);
    for (size_t limit = 1 << 16; limit <= 1 << 19; limit *= 2) {
        LABEL("limit %zu", limit);
        fixture_init(f, alloc_system(), limit, 1);
        struct dict *d = dict_new(&f->h, false, false);
        REQUIRE(d != NULL);
        f->global[0] = &d->hdr;
        int64_t n = 0;
        while (dict_put(&f->h, d, slot_i(n), slot_i(-n)))
            n++;
        CHECK(n > 100);
        for (int again = 0; again < 3; again++)
            CHECK(!dict_put(&f->h, d, slot_i(n), slot_i(-n)));
        CHECK_EQ_UINT(dict_len(d), n);
        heap_check(&f->h);
        for (int64_t i = 0; i < n; i++) { /* all are there, and all can be removed */
            bool found;
            const union lang_slot *v = dict_get(&f->h, d, slot_i(i));
            CHECK(v && v->i == -i);
            CHECK(dict_remove(&f->h, d, slot_i(i), &found, NULL) && found);
        }
        CHECK_EQ_UINT(dict_len(d), 0);
        CHECK(dict_put(&f->h, d, slot_i(1), slot_i(1)));
        fixture_fini(f);
    }
    free(f);
}
