/* The graph of a site: its channels, and who reads and who changes them. */
#include "lang/graph_internal.h"

#include "lang/own_flow_internal.h"

#define PLACE_MAX 64u /* things in one place that an action is taken to affect */

/* ---- channels ------------------------------------------------------------------------------ */

uint32_t graph_property(const struct graph_work *w, const struct lang_decl *resource,
                        const struct lang_member *m)
{
    uint32_t r = own_root(w->k, resource->resource);
    if (w->k->resources.v[r]->type != resource->type)
        r = resource->resource;
    return w->base[r] + m->index;
}

static void add_properties(struct graph_work *w)
{
    const struct checker *k = w->k;
    w->base = ctx_tree_array(w->c, k->resources.n, sizeof(*w->base));
    for (size_t i = 0; i < k->resources.n; i++) {
        const struct lang_decl *r = k->resources.v[i];
        w->base[i] = (uint32_t)w->channels.n;
        for (size_t m = 0; r->type && m < r->type->members_n; m++)
            if (r->type->members[m].role == LANG_CLAUSE_READABLE)
                ctx_tree_push(w->c, &w->channels,
                              (struct channel){.resource = r, .member = &r->type->members[m]});
    }
}

/* Of a variable or a message. */
static uint32_t named(struct graph_work *w, struct str name, bool message)
{
    struct str key = message ? ctx_strf(w->c, "\"%.*s", STR_FMT(name)) : name;
    uint32_t *at = map_get(&w->names, key);
    if (at)
        return *at;
    at = ctx_tree_new(w->c, sizeof(*at));
    *at = (uint32_t)w->channels.n;
    ctx_tree_push(w->c, &w->channels, (struct channel){.name = name, .message = message});
    if (map_put(&w->names, key, at) != ERR_OK)
        ctx_nomem(w->c);
    return *at;
}

/* ---- what an action changes ---------------------------------------------------------------- */

struct place_list {
    VEC(const struct lang_decl *) all;
};

static struct str place_of_device(const struct lang_decl *r)
{
    for (size_t i = r->name.n; i > 0; i--)
        if (r->name.p[i - 1] == '.')
            return str_sub(r->name, 0, i - 1);
    return STR("");
}

static void index_places(struct graph_work *w, struct map *places)
{
    map_init(places, &w->c->tree_alloc, 1, 1u << 20);
    for (size_t i = 0; i < w->k->resources.n; i++) {
        const struct lang_decl *r = w->k->resources.v[i];
        struct str place = place_of_device(r);
        struct place_list *list = map_get(places, place);
        if (!list) {
            list = ctx_tree_new(w->c, sizeof(*list));
            if (map_put(places, place, list) != ERR_OK)
                ctx_nomem(w->c);
        }
        ctx_tree_push(w->c, &list->all, r);
    }
}

static const struct lang_member *readable(const struct lang_decl *r, struct str name)
{
    return r && r->type ? lang_decl_member(r->type, LANG_CLAUSE_READABLE, name) : NULL;
}

struct outs { /* of the node at hand */
    struct graph_work *w;
    struct map *places;
    uint32_t node;
};

static void put_out(struct outs *o, const struct effect *e, uint32_t channel, bool physical,
                    struct range value)
{
    ctx_tree_push(o->w->c, &o->w->outs,
                  (struct link){.channel = channel,
                                .node = o->node,
                                .effect = e,
                                .physical = physical,
                                .value = value});
}

static bool put_affected(struct outs *o, const struct effect *e, const struct lang_decl *r,
                         struct str name)
{
    const struct lang_member *m = readable(r, name);
    if (m)
        put_out(o, e, graph_property(o->w, r, m), true, (struct range){.known = false});
    return m != NULL;
}

/* On the thing itself; else in its place, and on the thing around it. */
static void affects(struct outs *o, const struct effect *e, struct str name)
{
    if (put_affected(o, e, e->resource, name))
        return;
    struct str place = place_of_device(e->resource);
    const struct place_list *list = place.n > 0 ? map_get(o->places, place) : NULL;
    for (size_t i = 0; list && i < list->all.n && i < PLACE_MAX; i++)
        (void)put_affected(o, e, list->all.v[i], name);
    (void)put_affected(o, e, find_path(o->w->k, place), name);
}

static void command_outs(struct outs *o, const struct effect *e)
{
    const struct lang_member *m = e->member;
    if (m->confirms) {
        const struct lang_member *p =
            lang_decl_member_at(e->resource->type, LANG_CLAUSE_READABLE, m->confirms->member);
        if (p)
            put_out(o, e, graph_property(o->w, e->resource, p), false,
                    range_of(m->confirms->op,
                             p->type.kind == LANG_TYPE_FLOAT
                                 ? lang_unit_to_base(&p->type.unit, m->confirms->value)
                                 : m->confirms->value,
                             p->type.kind == LANG_TYPE_BOOL));
    }
    for (size_t a = 0; a < m->clause->clause->args_n; a++)
        if (m->clause->clause->args[a].flags & LANG_ARG_AFFECTS)
            for (size_t i = 0; i < m->clause->values[a].names_n; i++)
                affects(o, e, m->clause->values[a].names[i].text);
}

static void put_in(struct graph_work *w, uint32_t node, const struct effect *e, uint32_t channel,
                   bool looks)
{
    ctx_tree_push(w->c, &w->ins,
                  (struct link){.channel = channel, .node = node, .effect = e, .looks = looks});
}

static void effect_links(struct outs *o, const struct effect *e)
{
    struct graph_work *w = o->w;
    switch (e->kind) {
    case EFFECT_LOOKS:
    case EFFECT_READS:
        if (e->resource && e->member)
            put_in(w, o->node, e, graph_property(w, e->resource, e->member),
                   e->kind == EFFECT_LOOKS);
        return;
    case EFFECT_WATCHES:
    case EFFECT_USES:
        put_in(w, o->node, e, named(w, e->name, false), e->kind == EFFECT_WATCHES);
        return;
    case EFFECT_HEARS: put_in(w, o->node, e, named(w, e->name, true), true); return;
    case EFFECT_SETS:
        put_out(o, e, named(w, e->name, false), false,
                e->has_value ? range_of(LANG_EQ, e->value, false) : (struct range){.known = false});
        return;
    case EFFECT_PUBLISHES:
        put_out(o, e, named(w, e->name, true), false, (struct range){.known = false});
        return;
    case EFFECT_COMMANDS:
        if (e->resource && e->member)
            command_outs(o, e);
        return;
    case EFFECT_SIGNAL:
    case EFFECT_TELLS:
    case EFFECT_KINDS: return;
    }
}

static void add_links(struct graph_work *w, struct map *places)
{
    size_t n = w->g->nodes.n;
    w->in_from = ctx_tree_array(w->c, n + 1, sizeof(*w->in_from));
    w->out_from = ctx_tree_array(w->c, n + 1, sizeof(*w->out_from));
    for (uint32_t i = 0; i < n; i++) {
        struct outs o = {w, places, i};
        w->in_from[i] = (uint32_t)w->ins.n;
        w->out_from[i] = (uint32_t)w->outs.n;
        for (size_t e = 0; e < w->g->nodes.v[i].effects_n; e++)
            effect_links(&o, &w->g->nodes.v[i].effects[e]);
    }
    w->in_from[n] = (uint32_t)w->ins.n;
    w->out_from[n] = (uint32_t)w->outs.n;
}

static struct links by_channel(struct graph_work *w, const struct link *v, size_t n)
{
    struct links l = {.v = ctx_tree_array(w->c, n + 1, sizeof(*l.v)),
                      .from = ctx_tree_array(w->c, w->channels.n + 2, sizeof(*l.from)),
                      .n = n};
    for (size_t i = 0; i < n; i++)
        l.from[v[i].channel + 2]++;
    for (size_t c = 2; c < w->channels.n + 2; c++)
        l.from[c] += l.from[c - 1];
    for (size_t i = 0; i < n; i++)
        l.v[l.from[v[i].channel + 1]++] = v[i];
    return l;
}

/* ---- texts --------------------------------------------------------------------------------- */

bool graph_opposite(const struct effect *a, const struct effect *b)
{
    if (!a->member || !b->member || a->member == b->member)
        return false;
    const struct lang_condition *x = a->member->confirms, *y = b->member->confirms;
    if (x && y && x->member == y->member) {
        const struct lang_member *m =
            lang_decl_member_at(a->resource->type, LANG_CLAUSE_READABLE, x->member);
        bool truth = m && m->type.kind == LANG_TYPE_BOOL;
        struct range p = range_of(x->op, x->value, truth), q = range_of(y->op, y->value, truth);
        return p.known && q.known && !ranges_meet(&p, &q);
    }
    const struct lang_member *safe = a->resource->type->safe;
    return (!x || !y) && (a->member == safe) != (b->member == safe);
}

struct str graph_rule_text(struct graph_work *w, uint32_t node)
{
    return w->g->nodes.v[node].program;
}

struct str graph_effect_text(struct graph_work *w, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_COMMANDS:
        return ctx_strf(w->c, "%.*s.%.*s()", STR_FMT(e->resource->name), STR_FMT(e->member->name));
    case EFFECT_LOOKS:
    case EFFECT_READS:
    case EFFECT_SIGNAL:
        return ctx_strf(w->c, "%.*s.%.*s", STR_FMT(e->resource->name), STR_FMT(e->member->name));
    case EFFECT_PUBLISHES:
    case EFFECT_HEARS: return ctx_strf(w->c, "\"%.*s\"", STR_FMT(e->name));
    default: return e->name;
    }
}

struct str graph_channel_text(struct graph_work *w, uint32_t channel)
{
    const struct channel *c = &w->channels.v[channel];
    if (c->resource)
        return ctx_strf(w->c, "%.*s.%.*s", STR_FMT(c->resource->name), STR_FMT(c->member->name));
    return c->message ? ctx_strf(w->c, "\"%.*s\"", STR_FMT(c->name)) : c->name;
}

void graph_check(struct checker *k, struct graph *g)
{
    struct graph_work w = {.k = k, .c = k->c, .g = g};
    struct map places;
    if (g->nodes.n == 0)
        return;
    map_init(&w.names, &k->c->tree_alloc, 1, 1u << 22);
    add_properties(&w);
    index_places(&w, &places);
    add_links(&w, &places);
    w.readers = by_channel(&w, w.ins.v, w.ins.n);
    w.writers = by_channel(&w, w.outs.v, w.outs.n);
    graph_fights(&w);
    graph_chains(&w);
    graph_powers(&w);
    graph_loops(&w);
}
