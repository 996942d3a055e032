/* States of handles, and what an expression that names one stands for. */
#include "lang/own_flow_internal.h"

struct hold *state_find(const struct state *s, uint32_t key)
{
    for (size_t i = 0; i < s->holds.n; i++)
        if (s->holds.v[i].key == key)
            return &s->holds.v[i];
    return NULL;
}

struct hold *state_hold(struct lang_ctx *c, struct state *s, uint32_t key)
{
    struct hold *h = state_find(s, key);
    if (h)
        return h;
    ctx_tree_push(c, &s->holds, (struct hold){.key = key});
    return &s->holds.v[s->holds.n - 1];
}

void state_forget(struct state *s, uint32_t key)
{
    struct hold *h = state_find(s, key);
    if (h)
        *h = s->holds.v[--s->holds.n];
}

struct state state_copy(struct lang_ctx *c, const struct state *s)
{
    struct state copy = {.dead = s->dead};
    for (size_t i = 0; i < s->holds.n; i++)
        ctx_tree_push(c, &copy.holds, s->holds.v[i]);
    return copy;
}

static void join_hold(struct hold *into, const struct hold *other)
{
    /* check: O8 join */
    if (into->moved != other->moved) {
        if (into->moved == HELD) {
            into->at = other->at;
            into->how = other->how;
        }
        into->moved = MAYBE_MOVED;
    }
    into->revoked = into->revoked && other->revoked;
}

void state_join(struct lang_ctx *c, struct state *into, const struct state *other)
{
    if (other->dead)
        return;
    if (into->dead) {
        *into = state_copy(c, other);
        return;
    }
    for (size_t i = 0; i < other->holds.n; i++)
        (void)state_hold(c, into, other->holds.v[i].key);
    for (size_t i = 0; i < into->holds.n; i++) {
        const struct hold none = {0}, *h = state_find(other, into->holds.v[i].key);
        join_hold(&into->holds.v[i], h ? h : &none);
    }
}

/* ---- handles ------------------------------------------------------------------------------- */

const struct handle *handle_find(const struct flow *f, uint32_t local)
{
    for (size_t i = f->handles.n; i > 0; i--)
        if (f->handles.v[i - 1].local == local)
            return &f->handles.v[i - 1];
    return NULL;
}

void handle_add(struct flow *f, struct handle h)
{
    h.depth = f->depth;
    ctx_tree_push(f->c, &f->handles, h);
    state_forget(&f->now, h.local | OWN_LOCAL); /* a new one each time the loop goes round */
}

/* ---- places -------------------------------------------------------------------------------- */

static struct place of_binding(struct flow *f, uint32_t index, uint32_t count)
{
    struct lang_span declared = own_declared(f->k, index);
    return (struct place){.known = true,
                          .key = index,
                          .base = OWN_NONE,
                          .origin = ORIGIN_OWN,
                          .name = ctx_text(f->c, declared),
                          .declared = declared,
                          .things = {OF_BINDINGS, index, count, NULL}};
}

static struct place of_local(struct flow *f, uint32_t local)
{
    const struct handle *h = handle_find(f, local);
    if (!h)
        return (struct place){.known = false};
    return (struct place){.known = true,
                          .key = local | OWN_LOCAL,
                          .base = h->origin == ORIGIN_ELEMENT ? h->base : OWN_NONE,
                          .origin = h->origin,
                          .name = h->name,
                          .declared = h->span,
                          .things = h->things};
}

static struct place of_element(struct flow *f, const struct expr *e)
{
    struct place p = place_of(f, e->a);
    if (!p.known || p.things.of != OF_BINDINGS)
        return (struct place){.known = false};
    const struct expr *at = e->b;
    p.part = true;
    if (at->constant && at->type.kind == LANG_TYPE_INT && at->value.i >= 0 &&
        at->value.i < (int64_t)p.things.count)
        p.things = (struct things){OF_BINDINGS, p.things.index + (uint32_t)at->value.i, 1, NULL};
    else
        p.dynamic = true;
    return p;
}

struct place place_of(struct flow *f, const struct expr *e)
{
    struct place none = {.known = false};
    if (!e || e->bad)
        return none;
    if (e->kind == E_MOVE)
        return place_of(f, e->a);
    if (e->kind == E_INDEX)
        return of_element(f, e);
    if (e->kind != E_PATH)
        return none;
    switch (e->ref) {
    case REF_OWN: return f->k->prog ? of_binding(f, e->index, 1) : none;
    case REF_GROUP: return f->k->prog ? of_binding(f, e->index, e->count) : none;
    case REF_HANDLE: return of_local(f, e->index);
    default: return none;
    }
}

bool places_overlap(const struct place *a, const struct place *b)
{
    if (!a->known || !b->known)
        return false;
    if (a->key == b->key) {
        /* two parts of a group are apart only if both indices are known and differ */
        bool apart =
            a->part && b->part && !a->dynamic && !b->dynamic && a->things.index != b->things.index;
        return !apart;
    }
    return a->base == b->key || b->base == a->key || (a->base != OWN_NONE && a->base == b->base);
}
