/* trie_match: the filters that match some topics.
 *
 * Of a large trie no cache holds the lower levels, and each place on a way down is known only when
 * the one above it has been read: what takes the time is not work but waiting for memory, ten times
 * or so for each topic. Waiting for sixteen places at once takes little longer than for one. So up
 * to sixteen steps are made together: of the two or three branches of one topic, and of as many
 * topics as the caller has. Those below them come next, then the rest: so what waits is bounded by
 * the levels of the deepest filter, 48 steps for each. */
#include "base/vec.h"
#include "bus/trie.h"

enum { TOGETHER = 16, BRANCHES = 3 };

/* A child that is looked for. */
struct trie_step {
    const struct hamt_word *at; /* where to look next; NULL: `word` is the child, or 0 */
    uintptr_t word;
    struct str name, rest; /* of the topic: `rest` is behind the child's level */
    uint64_t hash;         /* of the name */
    uint8_t depth;         /* in the set of children */
    uint8_t which;         /* topic */
};

struct level {
    struct str rest, name, below; /* `rest` begins with the level, `below` is what is behind it */
    uint64_t hash;
};

struct match {
    const struct trie *trie;
    struct trie_steps *steps;
    void (*visit)(void *ctx, size_t which, const struct trie_node *n);
    void *ctx;
    struct level level; /* the last one: the branches of a topic come to each together */
};

static void visit(const struct match *m, size_t which, const struct trie_node *n)
{
    if (atomic_load(&n->value.word))
        m->visit(m->ctx, which, n);
}

static const struct level *level_at(struct match *m, struct str rest)
{
    struct level *l = &m->level;
    if (l->rest.p == rest.p && l->rest.n == rest.n)
        return l;
    l->rest = l->below = rest;
    l->name = trie_level(&l->below);
    l->hash = hamt_hash(&m->trie->children, l->name);
    return l;
}

/* There is room for BRANCHES. `wild`: wildcards may match the next level. */
static void look_below(struct match *m, uint8_t which, const struct trie_node *n, struct str rest,
                       bool wild)
{
    struct trie_step *s = m->steps->v + m->steps->n;
    unsigned has = wild ? atomic_load(&n->wild) : 0;
    if (has & TRIE_HASH) /* `a/#` matches `a` too; nothing is left to match below it */
        *s++ = (struct trie_step){
            .at = &n->children, .name = STR("#"), .hash = m->trie->hash, .which = which};
    if (rest.p) {
        const struct level *l = level_at(m, rest);
        *s++ = (struct trie_step){
            .at = &n->children, .name = l->name, .rest = l->below, .hash = l->hash, .which = which};
        if (has & TRIE_PLUS)
            *s++ = (struct trie_step){.at = &n->children,
                                      .name = STR("+"),
                                      .rest = l->below,
                                      .hash = m->trie->plus,
                                      .which = which};
    } else {
        visit(m, which, n);
    }
    m->steps->n = (size_t)(s - m->steps->v);
}

static void ask_for(const void *p)
{
    if (p)
        __builtin_prefetch(p);
}

/* Two places a table: its map, and the word that this leads to. */
static void settle(const struct hamt *h, struct trie_step *steps, size_t n)
{
    for (bool tables = true; tables;) {
        tables = false;
        for (struct trie_step *s = steps; s < steps + n; s++) {
            if (!s->at)
                continue;
            s->word = atomic_load(&s->at->word);
            if (hamt_is_table(s->word))
                tables = true;
            else
                s->at = NULL;
            ask_for((const void *)(s->word & ~(uintptr_t)1));
        }
        for (struct trie_step *s = steps; tables && s < steps + n; s++) {
            if (!s->at)
                continue;
            s->at = hamt_down(h, hamt_table(s->word), s->name, s->hash, s->depth++);
            if (!s->at)
                s->word = 0;
            ask_for(s->at);
        }
    }
}

static void go_on(struct match *m, const struct trie_step *s)
{
    const struct trie_node *child = (const struct trie_node *)s->word;
    if (child && str_eq(trie_name(child), s->name))
        look_below(m, s->which, child, s->rest, true);
}

static bool make_room(struct trie_steps *s, size_t more)
{
    return s->n + more <= s->cap ||
           vec_grow(s->alloc, (void **)&s->v, &s->cap, sizeof(*s->v), s->n + more);
}

/* The steps from this one on, and all below them. */
static enum err match_from(struct match *m, size_t from)
{
    struct trie_steps *s = m->steps;
    const size_t end = s->n;
    for (size_t next = from; next < end; next += TOGETHER) {
        size_t n = end - next < TOGETHER ? end - next : TOGETHER;
        if (!make_room(s, n * BRANCHES))
            return ERR_NOMEM;
        settle(&m->trie->children, s->v + next, n);
        for (size_t i = 0; i < n; i++)
            go_on(m, s->v + next + i);
        enum err err = s->n > end ? match_from(m, end) : ERR_OK;
        if (err)
            return err;
        s->n = end;
    }
    return ERR_OK;
}

enum err trie_match(const struct trie *t, struct trie_steps *s, const struct str *topics, size_t n,
                    void (*visit_node)(void *ctx, size_t which, const struct trie_node *n),
                    void *ctx)
{
    struct match m = {.trie = t, .steps = s, .visit = visit_node, .ctx = ctx};
    s->n = 0;
    if (!make_room(s, n * BRANCHES))
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        bool dollar = topics[i].n && topics[i].p[0] == '$';
        look_below(&m, (uint8_t)i, t->root, topics[i], !dollar); /* [MQTT-4.7.2-1] */
    }
    return match_from(&m, 0);
}

void trie_steps_fini(struct trie_steps *s)
{
    vec_fini(s->alloc, s);
}
