/* trie_walk: the nodes that a filter matches, in pieces.
 *
 * Where a piece ended is kept as the path of the last node that was passed. The next piece goes
 * down along it, and on from there: in each set of children behind the name that stands in the
 * path, whether that child is still there or not. */
#include "bus/trie.h"

#include <string.h>

struct walk {
    const struct trie *trie;
    struct trie_cursor *cursor;
    bool (*visit)(void *ctx, const struct trie_node *n);
    void *ctx;
    size_t budget;
    bool ended; /* the piece */
    unsigned depth;
    const struct trie_node *stack[LEVELS_MAX]; /* below the root, to the node that is passed */
};

/* What stands of the last piece's end below a node: p NULL: the node itself was the end. Where
 * nothing was passed yet there is none (a NULL pointer). */
static bool is_end(const struct str *resume)
{
    return resume && !resume->p;
}

static bool is_name(struct str s, char c)
{
    return s.n == 1 && s.p[0] == c;
}

/* A name that begins with `$` at the first level is matched by no wildcard. */
static bool is_hidden(const struct walk *w, const struct trie_node *child)
{
    return w->depth == 0 && child->n && child->name[0] == '$' && w->cursor->filter.p;
}

/* Before its children. The root has no path and no value. */
static void pass(struct walk *w, const struct trie_node *n, bool matched)
{
    if (!w->depth)
        return;
    if (matched && atomic_load(&n->value.word) && !w->visit(w->ctx, n))
        w->ended = true;
    if (w->budget-- <= 1)
        w->ended = true;
}

static void walk_below(struct walk *w, const struct trie_node *at, const struct str *resume);
static void walk_filter(struct walk *w, const struct trie_node *at, struct str rest,
                        const struct str *resume);

/* `rest` is the filter behind the child's level, or NULL for `#`. */
static void step(struct walk *w, const struct trie_node *child, const struct str *rest,
                 const struct str *resume)
{
    w->stack[w->depth++] = child;
    if (rest)
        walk_filter(w, child, *rest, resume);
    else
        walk_below(w, child, resume);
    if (!w->ended) /* else the stack is where it ended */
        w->depth--;
}

static void walk_children(struct walk *w, const struct trie_node *at, const struct str *rest,
                          const struct str *resume)
{
    const struct hamt *h = &w->trie->children;
    const struct trie_node *child;
    if (resume && resume->p) {
        struct str below = *resume, name = trie_level(&below);
        child = trie_child(w->trie, at, name, hamt_hash(h, name));
        if (child && !is_hidden(w, child))
            step(w, child, rest, &below);
        if (w->ended)
            return;
        child = hamt_after(h, &at->children, name);
    } else {
        child = hamt_first(&at->children);
    }
    for (; child; child = hamt_after(h, &at->children, trie_name(child))) {
        if (!is_hidden(w, child))
            step(w, child, rest, NULL);
        if (w->ended)
            return;
    }
}

static void walk_below(struct walk *w, const struct trie_node *at, const struct str *resume)
{
    if (!resume)
        pass(w, at, true);
    if (!w->ended)
        walk_children(w, at, NULL, resume);
}

static void walk_filter(struct walk *w, const struct trie_node *at, struct str rest,
                        const struct str *resume)
{
    struct str all = rest, name = rest.p ? trie_level(&rest) : rest;
    if (all.p && is_name(name, '#')) { /* `a/#` matches `a` too */
        walk_below(w, at, resume);
        return;
    }
    if (!resume)
        pass(w, at, !all.p);
    if (w->ended || !all.p)
        return;
    if (is_name(name, '+')) {
        walk_children(w, at, &rest, resume);
        return;
    }
    /* The end of the last piece, if it is below here, went the same way. */
    struct str below = resume && !is_end(resume) ? *resume : (struct str){NULL, 0};
    if (below.p)
        (void)trie_level(&below);
    const struct trie_node *child =
        trie_child(w->trie, at, name, hamt_hash(&w->trie->children, name));
    if (child)
        step(w, child, &rest, resume && !is_end(resume) ? &below : NULL);
}

static size_t stack_len(const struct walk *w)
{
    size_t n = w->depth ? w->depth - 1 : 0;
    for (unsigned i = 0; i < w->depth; i++)
        n += w->stack[i]->n;
    return n;
}

static enum err note_end(struct walk *w)
{
    struct trie_cursor *c = w->cursor;
    size_t n = stack_len(w);
    c->after_n = n;
    if (n == 0)
        return ERR_OK;
    if (n > c->after_cap) {
        size_t cap = n * 2;
        char *p = mem_resize(c->alloc, c->after, c->after_cap, cap);
        if (!p)
            return ERR_NOMEM;
        c->after = p;
        c->after_cap = cap;
    }
    char *p = c->after;
    ASSERT(p);
    for (unsigned i = 0; i < w->depth; i++) {
        if (i)
            *p++ = '/';
        if (w->stack[i]->n)
            memcpy(p, w->stack[i]->name, w->stack[i]->n);
        p += w->stack[i]->n;
    }
    return ERR_OK;
}

enum err trie_walk(const struct trie *t, struct trie_cursor *c, size_t budget,
                   bool (*visit)(void *ctx, const struct trie_node *n), void *ctx, bool *more)
{
    struct walk w = {
        .trie = t, .cursor = c, .visit = visit, .ctx = ctx, .budget = budget ? budget : 1};
    /* A path of no bytes is the child of the root with the empty name. */
    struct str resume = {c->after ? c->after : "", c->after_n};
    if (c->filter.p)
        walk_filter(&w, t->root, c->filter, c->begun ? &resume : NULL);
    else
        walk_below(&w, t->root, c->begun ? &resume : NULL);
    c->begun = true;
    enum err err = w.ended ? note_end(&w) : ERR_OK;
    *more = w.ended && !err;
    return err;
}

void trie_cursor_fini(struct trie_cursor *c)
{
    mem_free(c->alloc, c->after, c->after_cap);
    c->after = NULL;
    c->after_n = c->after_cap = 0;
}
