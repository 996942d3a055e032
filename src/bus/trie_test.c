#include "base/clock.h"
#include "bus/trie.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct executor *executor_make(unsigned workers)
{
    struct executor *ex;
    struct error e;
    const struct executor_config cfg = {
        .workers = workers, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    return ex;
}

/* MQTT 5.0, 4.7, as plainly as can be: one level after the other. */
static bool naive_match(const char *filter, const char *topic)
{
    bool dollar = topic[0] == '$';
    for (bool first = true;; first = false) {
        size_t f = strcspn(filter, "/"), t = strcspn(topic, "/");
        bool wild = !(first && dollar);
        if (f == 1 && filter[0] == '#')
            return wild;
        if (!(f == 1 && filter[0] == '+' && wild) && !(f == t && memcmp(filter, topic, f) == 0))
            return false;
        if (!topic[t]) /* `a/#` matches `a` */
            return !filter[f] || strcmp(filter + f, "/#") == 0;
        if (!filter[f])
            return false;
        filter += f + 1;
        topic += t + 1;
    }
}

static void random_path(struct random *r, char *to, size_t room, bool filter)
{
    static const char *const names[] = {"a", "b", "", "$x", "long-name-of-a-level", "c"};
    size_t levels = 1 + random_below(r, 4), n = 0;
    for (size_t i = 0; i < levels; i++) {
        const char *name = names[random_below(r, ARRAY_LEN(names))];
        if (filter && random_below(r, 4) == 0)
            name = "+";
        if (filter && i + 1 == levels && random_below(r, 4) == 0)
            name = "#";
        n += (size_t)snprintf(to + n, room - n, i ? "/%s" : "%s", name);
    }
    if (n == 0) /* there is no empty topic */
        (void)snprintf(to, room, "a");
}

static void set_value(struct trie_node *n, uintptr_t value)
{
    atomic_store(&n->value.word, value);
}

/* ---- matching, against the naive matcher ---- */

enum { PATHS = 400, TOPICS = 20 };
struct model {
    struct trie trie;
    struct trie_steps steps;
    size_t n;
    char paths[PATHS][120];
    bool met[TOPICS][PATHS];
};

static void meet(void *ctx, size_t which, const struct trie_node *node)
{
    struct model *m = ctx;
    size_t i = (atomic_load(&node->value.word) >> 3) - 1;
    char path[120] = "";
    REQUIRE(CHECK(i < m->n));
    REQUIRE(CHECK(which < TOPICS));
    CHECK(!m->met[which][i]);
    m->met[which][i] = true;
    CHECK_EQ_UINT(trie_path_len(node), strlen(m->paths[i]));
    trie_path(node, path);
    CHECK_EQ_STR(path, m->paths[i]);
}

static void model_add(struct model *m, const char *path)
{
    struct trie_node *n = trie_find(&m->trie, str_from(path));
    if (m->n == PATHS || (n && atomic_load(&n->value.word)))
        return;
    REQUIRE(trie_make(&m->trie, str_from(path), &n) == ERR_OK);
    (void)snprintf(m->paths[m->n++], sizeof(m->paths[0]), "%s", path);
    set_value(n, m->n << 3);
}

static void model_remove(struct model *m, size_t i)
{
    struct trie_node *n = trie_find(&m->trie, str_from(m->paths[i]));
    REQUIRE(CHECK(n != NULL));
    set_value(n, 0);
    trie_prune(&m->trie, n);
    if (i == --m->n)
        return;
    memcpy(m->paths[i], m->paths[m->n], sizeof(m->paths[0])); /* the last one moves here */
    set_value(trie_find(&m->trie, str_from(m->paths[i])), (i + 1) << 3);
}

/* One topic, or several together, more of them than are looked for at once. */
static void model_match(struct model *m, struct random *r)
{
    char topics[TOPICS][120];
    struct str v[TOPICS];
    size_t n = random_below(r, 4) ? 1 : 1 + random_below(r, TOPICS);
    for (size_t t = 0; t < n; t++) {
        random_path(r, topics[t], sizeof(topics[t]), false);
        v[t] = str_from(topics[t]);
    }
    memset(m->met, 0, sizeof(m->met));
    REQUIRE(trie_match(&m->trie, &m->steps, v, n, meet, m) == ERR_OK);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < m->n; i++)
            if (m->met[t][i] != naive_match(m->paths[i], topics[t]))
                CHECK_EQ_STR(m->paths[i], topics[t]); /* shows both */
}

TEST(trie_matches_what_a_naive_matcher_does)
{
    static struct model m = {0};
    struct executor *ex = executor_make(1);
    struct random r;
    char path[120];
    random_seed(&r, test_seed());
    for (unsigned pass = 0; pass < 4; pass++) {
        m.n = 0;
        m.steps.alloc = alloc_system();
        REQUIRE(trie_init(&m.trie, ex, alloc_system(), random_u64(&r), NULL) == ERR_OK);
        if (pass == 1) { /* nearly all hashes are equal */
            m.trie.children.bits = UINT64_C(3) << 62;
            m.trie.plus &= m.trie.children.bits;
            m.trie.hash &= m.trie.children.bits;
        }
        for (int step = 0; step < 4000; step++) {
            random_path(&r, path, sizeof(path), true);
            if (random_below(&r, 2 + (step % 1000 > 500)) == 0)
                model_add(&m, path);
            else if (m.n)
                model_remove(&m, random_below(&r, m.n));
            if (random_below(&r, 50) == 0)
                grace_idle(ex);
            model_match(&m, &r);
        }
        while (m.n)
            model_remove(&m, m.n - 1);
        grace_idle(ex);
        CHECK_EQ_UINT(m.trie.nodes, 1);
        CHECK_EQ_UINT(m.trie.children.tables, 0);
        trie_fini(&m.trie, NULL, NULL);
    }
    trie_steps_fini(&m.steps);
    executor_free(ex);
}

static void count_met(void *ctx, size_t which, const struct trie_node *n)
{
    size_t *met = ctx;
    (void)n;
    met[which]++;
}

/* Twelve levels that are each `a` or `+`, and those with `#` behind them: twice as many ways at
 * each level. Then a filter that is as deep as can be, beside a topic that is deeper. */
TEST(trie_match_of_very_many_ways_and_levels)
{
    enum { DEEP = 12 };
    struct executor *ex = executor_make(1);
    char path[2 * LEVELS_MAX + 8] = "";
    struct trie t;
    struct trie_node *n;
    REQUIRE(trie_init(&t, ex, alloc_system(), test_seed(), NULL) == ERR_OK);
    for (unsigned ways = 0; ways < 1u << DEEP; ways++) {
        for (unsigned i = 0; i < DEEP; i++)
            memcpy(path + 2L * i, ways >> i & 1 ? "+/" : "a/", 2);
        path[2 * DEEP - 1] = '\0';
        REQUIRE(trie_make(&t, str_from(path), &n) == ERR_OK);
        set_value(n, 8);
        memcpy(path + 2 * DEEP - 1, "/#", 3);
        REQUIRE(trie_make(&t, str_from(path), &n) == ERR_OK);
        set_value(n, 8);
    }
    for (int i = 0; i < LEVELS_MAX; i++)
        memcpy(path + 2L * i, "+/", 2);
    path[2 * LEVELS_MAX - 1] = '\0';
    REQUIRE(trie_make(&t, str_from(path), &n) == ERR_OK);
    set_value(n, 8);
    memset(path, '/', sizeof(path) - 1); /* the empty levels of `deep` */
    static const char ways[] = "a/a/a/a/a/a/a/a/a/a/a/a", few[] = "a/a/a/a/a/a/a/a/a/a/a/b";
    const struct str topics[] = {
        str_from(ways), str_from(few), {path, LEVELS_MAX - 1}, {path, LEVELS_MAX}};
    size_t met[ARRAY_LEN(topics)] = {0};
    struct alloc_faulty f;
    struct trie_steps steps = {.alloc = &f.alloc};
    alloc_faulty_init(&f, UINT64_MAX);
    REQUIRE(trie_match(&t, &steps, topics, ARRAY_LEN(topics), count_met, met) == ERR_OK);
    CHECK_EQ_UINT(met[0], 2u << DEEP);
    CHECK_EQ_UINT(met[1], 1u << DEEP); /* `b` is a `+` only */
    CHECK_EQ_UINT(met[2], 1 + 1);      /* all `+`: twelve of them and `#`, and the deep one */
    CHECK_EQ_UINT(met[3], 1);
    CHECK(f.live_bytes <= 48 * 64 * (DEEP + 2) * 4); /* not as many as there are ways */
    trie_steps_fini(&steps);
    alloc_faulty_init(&f, 0);
    steps = (struct trie_steps){.alloc = &f.alloc};
    CHECK_EQ_INT(trie_match(&t, &steps, topics, 1, count_met, met), ERR_NOMEM);
    trie_steps_fini(&steps);
    trie_fini(&t, NULL, NULL);
    executor_free(ex);
}

/* ---- walks ---- */

struct topic {
    char path[120];
    bool in, was_in, came, went; /* meanwhile */
    int met;
};
struct walk_model {
    struct trie trie;
    struct topic topics[PATHS];
    size_t n, left; /* of matches in this piece */
};

static void topic_toggle(struct walk_model *m, struct topic *x)
{
    struct trie_node *n;
    if (!x->in) {
        REQUIRE(trie_make(&m->trie, str_from(x->path), &n) == ERR_OK);
        set_value(n, (uintptr_t)x);
    } else {
        n = trie_find(&m->trie, str_from(x->path));
        set_value(n, 0);
        trie_prune(&m->trie, n);
    }
    x->came = x->came || !x->in;
    x->went = x->went || x->in;
    x->in = !x->in;
}

static bool walk_meet(void *ctx, const struct trie_node *n)
{
    struct walk_model *m = ctx;
    struct topic *x = (struct topic *)atomic_load(&n->value.word);
    x->met++;
    return --m->left > 0;
}

static void topics_make(struct walk_model *m, struct random *r)
{
    m->n = 0;
    for (int i = 0; i < PATHS; i++) {
        struct topic *x = &m->topics[m->n];
        *x = (struct topic){0};
        random_path(r, x->path, sizeof(x->path), false);
        bool known = false;
        for (size_t k = 0; k < m->n; k++)
            known = known || strcmp(m->topics[k].path, x->path) == 0;
        m->n += !known;
    }
    for (size_t i = 0; i < m->n; i++)
        if (random_below(r, 2))
            topic_toggle(m, &m->topics[i]);
}

static void walk_once(struct walk_model *m, struct random *r, const char *filter,
                      struct executor *ex)
{
    struct trie_cursor c = {.alloc = alloc_system()};
    if (filter)
        c.filter = str_from(filter);
    for (size_t i = 0; i < m->n; i++) {
        struct topic *x = &m->topics[i];
        x->was_in = x->in;
        x->met = 0;
        x->came = x->went = false;
    }
    bool more = true;
    for (int pieces = 0; more; pieces++) {
        REQUIRE(CHECK(pieces < 10 * PATHS));
        m->left = 1 + random_below(r, 20);
        REQUIRE(trie_walk(&m->trie, &c, 1 + random_below(r, 20), walk_meet, m, &more) == ERR_OK);
        for (uint64_t changes = random_below(r, 4); changes > 0; changes--)
            topic_toggle(m, &m->topics[random_below(r, m->n)]);
        grace_idle(ex);
    }
    for (size_t i = 0; i < m->n; i++) {
        struct topic *x = &m->topics[i];
        bool matches = !filter || naive_match(filter, x->path);
        LABEL("filter %s, topic %s, came %d, went %d", filter ? filter : "(all)", x->path, x->came,
              x->went);
        CHECK(x->met <= matches);
        if (x->was_in && !x->went)
            CHECK_EQ_INT(x->met, matches);
        if (!x->was_in && !x->came)
            CHECK_EQ_INT(x->met, 0);
    }
    trie_cursor_fini(&c);
}

TEST(trie_walks_in_pieces_while_topics_come_and_go)
{
    static struct walk_model m;
    struct executor *ex = executor_make(1);
    struct random r;
    char filter[120];
    random_seed(&r, test_seed());
    for (int pass = 0; pass < 3; pass++) {
        REQUIRE(trie_init(&m.trie, ex, alloc_system(), random_u64(&r), NULL) == ERR_OK);
        topics_make(&m, &r);
        for (int i = 0; i < 150; i++) {
            random_path(&r, filter, sizeof(filter), true);
            walk_once(&m, &r, i % 10 ? filter : i % 20 ? "#" : NULL, ex);
        }
        LABEL("the end");
        trie_fini(&m.trie, NULL, NULL);
    }
    executor_free(ex);
}

/* ---- limits and failures ---- */

TEST(trie_too_deep_and_without_memory)
{
    struct executor *ex = executor_make(1);
    char deep[2 * LEVELS_MAX + 2] = "a";
    struct trie t;
    struct trie_node *n;
    bool done = false;
    for (int i = 1; i < LEVELS_MAX; i++)
        memcpy(deep + strlen(deep), "/a", 3);
    for (uint64_t fail_at = 0; !done && fail_at < 1000; fail_at++) {
        struct alloc_faulty f;
        LABEL("allocation %d fails", (int)fail_at);
        alloc_faulty_init(&f, fail_at);
        if (trie_init(&t, ex, &f.alloc, 1, NULL) == ERR_OK) {
            size_t nodes = t.nodes;
            static const char *const paths[] = {"a/+/c", "a/b", "a/c", "a/d/e/f"};
            for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                if (trie_make(&t, str_from(paths[i]), &n) == ERR_OK)
                    set_value(n, 8);
                else
                    grace_idle(ex), CHECK_EQ_UINT(t.nodes, nodes);
                grace_idle(ex);
                nodes = t.nodes;
            }
            done = !f.failed;
            f.fail_at = UINT64_MAX;
            if (done) {
                CHECK_EQ_INT(trie_make(&t, str_from(deep), &n), ERR_OK);
                trie_prune(&t, n);
                memcpy(deep + strlen(deep), "/a", 3);
                CHECK_EQ_INT(trie_make(&t, str_from(deep), &n), ERR_RANGE);
                grace_idle(ex);
                CHECK_EQ_UINT(t.nodes, nodes);
            }
            trie_fini(&t, NULL, NULL);
        }
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
    CHECK(done);
    trie_fini(&(struct trie){0}, NULL, NULL);
    executor_free(ex);
}

/* ---- several workers ---- */

/* One worker changes topics and what they point to, and the others match and walk. What is always
 * there is always found; what a value points to is alive. */
enum { STEPS = 20000, STEADY = 64, FLEETING = 512, ALIVE = 0xa11e };
struct thing {
    struct limbo_item limbo;
    int state;
};
struct crowd {
    struct executor *ex;
    struct trie trie;
    struct thing steady;
    struct task writer;
    struct crowd_reader {
        struct task task;
        struct crowd *crowd;
        struct random random;
        struct trie_cursor cursor;
        struct trie_steps steps;
        size_t met, round; /* of the steady ones in this walk */
    } readers[2];
    struct random random;
    int step;
    _Atomic bool over;
    _Atomic int readers_left;
};

static void thing_free(struct trie *t, struct limbo_item *i, unsigned kind)
{
    struct thing *x = CONTAINER_OF(i, struct thing, limbo);
    (void)t;
    CHECK_EQ_UINT(kind, TRIE_LIMBO_OWN);
    x->state = 0;
    free(x);
}

static void crowd_path(char to[40], uint64_t i)
{
    (void)snprintf(to, 40, i < STEADY ? "s/%llu/x" : "s/%llu/%llu/y", (unsigned long long)i,
                   (unsigned long long)i % 7);
}

static void crowd_change(struct crowd *c)
{
    char path[40];
    crowd_path(path, STEADY + random_below(&c->random, FLEETING));
    pthread_mutex_lock(&c->trie.lock);
    struct trie_node *n = trie_find(&c->trie, str_from(path));
    struct thing *old = n ? (struct thing *)atomic_load(&n->value.word) : NULL, *fresh = NULL;
    if (!old || random_below(&c->random, 2)) {
        fresh = malloc(sizeof(*fresh));
        REQUIRE(fresh && trie_make(&c->trie, str_from(path), &n) == ERR_OK);
        fresh->state = ALIVE;
    }
    set_value(n, (uintptr_t)fresh);
    if (!fresh)
        trie_prune(&c->trie, n);
    if (old)
        limbo_add(&c->trie.limbo, &old->limbo, TRIE_LIMBO_OWN);
    pthread_mutex_unlock(&c->trie.lock);
}

static enum poll crowd_writes(struct task *t)
{
    struct crowd *c = CONTAINER_OF(t, struct crowd, writer);
    for (int i = 0; i < 20; i++)
        crowd_change(c);
    c->step += 20;
    if (c->step >= STEPS) {
        atomic_store(&c->over, true);
        return POLL_READY;
    }
    task_wake(t);
    return POLL_PENDING;
}

static void crowd_match(void *ctx, size_t which, const struct trie_node *n)
{
    const struct thing *x = (const struct thing *)atomic_load(&n->value.word);
    size_t *found = ctx;
    if (x) /* it may be gone by now */
        CHECK(x->state == ALIVE);
    ++found[which];
}

static bool crowd_walk(void *ctx, const struct trie_node *n)
{
    struct crowd_reader *r = ctx;
    const struct thing *x = (const struct thing *)atomic_load(&n->value.word);
    if (x)
        CHECK(x->state == ALIVE);
    r->met += x == &r->crowd->steady;
    return true;
}

static enum poll crowd_reads(struct task *t)
{
    struct crowd_reader *r = CONTAINER_OF(t, struct crowd_reader, task);
    struct crowd *c = r->crowd;
    bool more, over = atomic_load(&c->over);
    char paths[TOPICS][40];
    struct str topics[TOPICS];
    uint64_t which[TOPICS];
    size_t found[TOPICS] = {0};
    for (size_t i = 0; i < TOPICS; i++) {
        which[i] = random_below(&r->random, STEADY + FLEETING);
        crowd_path(paths[i], which[i]);
        topics[i] = str_from(paths[i]);
    }
    REQUIRE(trie_match(&c->trie, &r->steps, topics, TOPICS, crowd_match, found) == ERR_OK);
    for (size_t i = 0; i < TOPICS; i++)
        CHECK(found[i] >= (which[i] < STEADY) && found[i] <= 1);
    REQUIRE(trie_walk(&c->trie, &r->cursor, 100, crowd_walk, r, &more) == ERR_OK);
    if (!more) {
        CHECK_EQ_UINT(r->met, STEADY);
        r->met = 0;
        r->cursor.begun = false;
        r->round++;
    }
    if (!over || r->round == 0) {
        task_wake(t);
        return POLL_PENDING;
    }
    if (atomic_fetch_sub(&c->readers_left, 1) == 1)
        executor_stop(c->ex);
    return POLL_READY;
}

TEST(trie_read_by_workers_while_another_changes_it)
{
    static struct crowd c;
    char path[40];
    c = (struct crowd){.ex = executor_make(3), .steady = {.state = ALIVE}, .readers_left = 2};
    REQUIRE(trie_init(&c.trie, c.ex, alloc_system(), test_seed(), thing_free) == ERR_OK);
    random_seed(&c.random, test_seed());
    for (unsigned i = 0; i < STEADY; i++) {
        struct trie_node *n;
        crowd_path(path, i);
        REQUIRE(trie_make(&c.trie, str_from(path), &n) == ERR_OK);
        set_value(n, (uintptr_t)&c.steady);
    }
    task_init(&c.writer, "writer", crowd_writes, NULL);
    task_spawn(executor_worker(c.ex, 0), &c.writer);
    for (unsigned i = 0; i < 2; i++) {
        struct crowd_reader *r = &c.readers[i];
        *r = (struct crowd_reader){.crowd = &c,
                                   .cursor = {.alloc = alloc_system(), .filter = STR("#")},
                                   .steps = {.alloc = alloc_system()}};
        random_seed(&r->random, test_seed() + i);
        task_init(&r->task, "reader", crowd_reads, NULL);
        task_spawn(executor_worker(c.ex, i + 1), &r->task);
    }
    executor_run(c.ex);
    for (unsigned i = 0; i < 2; i++) {
        trie_cursor_fini(&c.readers[i].cursor);
        trie_steps_fini(&c.readers[i].steps);
    }
    for (unsigned i = STEADY; i < STEADY + FLEETING; i++) {
        crowd_path(path, i);
        struct trie_node *n = trie_find(&c.trie, str_from(path));
        struct thing *x = n ? (struct thing *)atomic_load(&n->value.word) : NULL;
        free(x);
        if (x)
            set_value(n, 0);
    }
    trie_fini(&c.trie, NULL, NULL);
    executor_free(c.ex);
}
