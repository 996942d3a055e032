/* Rules that wake one another for ever (G14).
 *
 * An edge goes from a part to another one that it wakes: through a readable that an action
 * confirms, a variable, a message, or, slowly, a readable that an action affects. What a rule
 * affects and looks at itself is control, not a loop. A circle alone is no loop either: two things
 * that switch each other on come to rest. There must be something that goes to and fro: opposite
 * actions of one thing, different values of one variable, or a message that goes round.
 * Strongly connected parts: R. Tarjan, Depth-first search and linear graph algorithms, 1972. */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

#define PAIRS_MAX                                                                                  \
    (1u << 20)         /* of writers and readers, over all channels; what is above is not seen */
#define EDGES_MAX 512u /* of one part, that are compared with one another */
#define HOPS_MAX  6u

struct edge {
    uint32_t from, to;
    const struct link *out;
};
struct loops {
    struct graph_work *w;
    bool slow; /* parts and edges that take their time count too */
    VEC(struct edge) edges;
    uint32_t *edge_from; /* by node */
    uint32_t *part;      /* of a node: its strongly connected part */
    uint32_t parts;
    uint8_t *told; /* by node */
    /* Of way_round(): how a node was reached, NULL between its calls; and in which order. */
    const struct edge **by;
    uint32_t *queue;
};

static bool controls(const struct graph_work *w, const struct link *out)
{
    for (uint32_t i = w->in_from[out->node]; i < w->in_from[out->node + 1]; i++)
        if (w->ins.v[i].channel == out->channel)
            return true;
    return false;
}

static bool leads_to(const struct loops *l, const struct link *out, const struct link *in)
{
    const struct graph_node *a = &l->w->g->nodes.v[out->node], *b = &l->w->g->nodes.v[in->node];
    if (a->trigger == TRIGGER_ONCE || b->trigger == TRIGGER_ONCE)
        return false;
    if (!in->looks && (b->trigger != TRIGGER_TIME || !l->w->channels.v[out->channel].resource))
        return false; /* the clock runs anyway; only what it finds done by another one counts */
    if (!l->slow && (a->delays || b->delays || out->physical))
        return false;
    if (out->physical && controls(l->w, out))
        return false;
    return graph_wakes(l->w, out, in);
}

static void edges_of(struct loops *l, uint32_t node)
{
    const struct graph_work *w = l->w;
    for (uint32_t o = w->out_from[node]; o < w->out_from[node + 1]; o++) {
        const struct link *out = &w->outs.v[o];
        uint32_t from = w->readers.from[out->channel], to = w->readers.from[out->channel + 1];
        if (l->edges.n + (to - from) > PAIRS_MAX)
            return;
        for (uint32_t i = from; i < to; i++)
            if (leads_to(l, out, &w->readers.v[i]))
                ctx_tree_push(w->c, &l->edges, (struct edge){node, w->readers.v[i].node, out});
    }
}

/* ---- Tarjan, without recursion -------------------------------------------------------------- */

struct visit {
    uint32_t node, edge;
};
struct tarjan {
    struct loops *l;
    uint32_t *index, *low; /* 0: not seen */
    uint8_t *on;
    uint32_t *stack;
    size_t stack_n;
    struct visit *way;
    size_t way_n;
    uint32_t next;
};

static void node_enter(struct tarjan *t, uint32_t node)
{
    t->index[node] = t->low[node] = ++t->next;
    t->on[node] = 1;
    t->stack[t->stack_n++] = node;
    t->way[t->way_n++] = (struct visit){node, t->l->edge_from[node]};
}

static void node_leave(struct tarjan *t)
{
    uint32_t node = t->way[--t->way_n].node, member;
    if (t->way_n > 0) {
        uint32_t above = t->way[t->way_n - 1].node;
        t->low[above] = t->low[above] < t->low[node] ? t->low[above] : t->low[node];
    }
    if (t->low[node] != t->index[node])
        return;
    do {
        member = t->stack[--t->stack_n];
        t->on[member] = 0;
        t->l->part[member] = t->l->parts;
    } while (member != node);
    t->l->parts++;
}

static void visit_from(struct tarjan *t, uint32_t root)
{
    node_enter(t, root);
    while (t->way_n > 0) {
        struct visit *v = &t->way[t->way_n - 1];
        if (v->edge == t->l->edge_from[v->node + 1]) {
            node_leave(t);
            continue;
        }
        uint32_t from = v->node, to = t->l->edges.v[v->edge++].to;
        if (t->index[to] == 0)
            node_enter(t, to);
        else if (t->on[to] && t->index[to] < t->low[from])
            t->low[from] = t->index[to];
    }
}

static void connect(struct loops *l)
{
    struct lang_ctx *c = l->w->c;
    uint32_t n = (uint32_t)l->w->g->nodes.n;
    struct tarjan t = {.l = l,
                       .index = ctx_tree_array(c, n, sizeof(uint32_t)),
                       .low = ctx_tree_array(c, n, sizeof(uint32_t)),
                       .on = ctx_tree_array(c, n, 1),
                       .stack = ctx_tree_array(c, n, sizeof(uint32_t)),
                       .way = ctx_tree_array(c, n, sizeof(struct visit))};
    for (uint32_t i = 0; i < n; i++)
        if (t.index[i] == 0)
            visit_from(&t, i);
}

/* ---- to and fro ------------------------------------------------------------------------------ */

static bool inside(const struct loops *l, const struct edge *e)
{
    return l->part[e->from] == l->part[e->to];
}

static bool to_and_fro(const struct edge *a, const struct edge *b)
{
    const struct effect *x = a->out->effect, *y = b->out->effect;
    if (x->kind == EFFECT_COMMANDS && y->kind == EFFECT_COMMANDS)
        return x->resource == y->resource && graph_opposite(x, y);
    if (x->kind != EFFECT_SETS || y->kind != EFFECT_SETS || a->out->channel != b->out->channel)
        return false;
    return a != b && a->from != b->from && !(x->has_value && y->has_value && x->value == y->value);
}

/* What keeps this part of the graph going; NULL if it comes to rest. `list`: its edges. */
static const struct edge *keeps_going(const struct loops *l, const struct edge *const *list,
                                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct effect *e = list[i]->out->effect;
        if (e->kind == EFFECT_PUBLISHES)
            return list[i];
        if (e->kind == EFFECT_SETS && !e->has_value && list[i]->from != list[i]->to &&
            l->w->g->nodes.v[list[i]->to].trigger == TRIGGER_CHANGED)
            return list[i];
        for (size_t q = 0; q < i; q++)
            if (to_and_fro(list[i], list[q]))
                return list[q];
    }
    return NULL;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* The shortest way round that begins with `first`: edges in order. */
static size_t way_round(struct loops *l, const struct edge *first, const struct edge **out,
                        size_t max)
{
    const struct edge **by = l->by, *e;
    uint32_t *queue = l->queue;
    size_t head = 0, tail = 0, length = 0;
    ASSERT(l->edges.v); /* `first` is one of them */
    queue[tail++] = first->to;
    by[first->to] = first;
    while (head < tail && !by[first->from]) {
        uint32_t node = queue[head++];
        for (uint32_t i = l->edge_from[node]; i < l->edge_from[node + 1]; i++) {
            const struct edge *next = &l->edges.v[i];
            if (!inside(l, next) || by[next->to])
                continue;
            by[next->to] = next;
            queue[tail++] = next->to;
        }
    }
    for (e = by[first->from]; e && e != first; e = by[e->from])
        length++;
    size_t at = length;
    for (e = by[first->from]; e && e != first; e = by[e->from], at--)
        if (at < max)
            out[at] = e;
    out[0] = first;
    for (size_t i = 0; i < tail; i++)
        by[queue[i]] = NULL;
    return length + 1 < max ? length + 1 : max;
}

static void tell_loop(struct loops *l, const struct edge *first)
{
    struct graph_work *w = l->w;
    const struct edge *way[HOPS_MAX] = {NULL};
    size_t n = way_round(l, first, way, HOPS_MAX);
    struct strbuf text;
    strbuf_init(&text, &w->c->tree_alloc, 0);
    struct lang_span at = first->out->effect->at;
    const char *what = l->slow ? "these rules wake each other again and again"
                               : "these rules wake each other for ever, without a pause";
    struct lang_diag *d = l->slow ? diag_warning(w->c, "G14", at, "this", "%s", what)
                                  : diag_error(w->c, "G14", at, "this", "%s", what);
    for (size_t i = 0; i < n && way[i]; i++) {
        const struct edge *e = way[i];
        if (i > 0)
            diag_mark(w->c, d, e->out->effect->at, "leads to this, in %.*s",
                      STR_FMT(graph_rule_text(w, e->from)));
        strbuf_addf(&text, "%.*s → %.*s → ", STR_FMT(graph_rule_text(w, e->from)),
                    STR_FMT(graph_effect_text(w, e->out->effect)));
        if (w->channels.v[e->out->channel].resource)
            strbuf_addf(&text, "%.*s → ", STR_FMT(graph_channel_text(w, e->out->channel)));
    }
    strbuf_addstr(&text, graph_rule_text(w, first->from));
    if (text.failed)
        ctx_nomem(w->c);
    diag_help(w->c, d, "%.*s; let one of them ask for something that the others don't change",
              STR_FMT(strbuf_str(&text)));
}

static void judge_part(struct loops *l, const struct edge *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (l->told[list[i]->from])
            return;
    if (n > EDGES_MAX)
        n = EDGES_MAX;
    const struct edge *first = keeps_going(l, list, n);
    if (!first)
        return;
    tell_loop(l, first);
    for (size_t i = 0; i < n; i++)
        l->told[list[i]->from] = 1;
}

/* Edges inside of parts, part by part. */
static void judge_parts(struct loops *l)
{
    uint32_t *from = ctx_tree_array(l->w->c, (size_t)l->parts + 2, sizeof(*from));
    const struct edge **list = ctx_tree_array(l->w->c, l->edges.n + 1, sizeof(*list));
    for (size_t i = 0; i < l->edges.n; i++)
        if (inside(l, &l->edges.v[i]))
            from[l->part[l->edges.v[i].from] + 2]++;
    for (uint32_t p = 2; p < l->parts + 2; p++)
        from[p] += from[p - 1];
    for (size_t i = 0; i < l->edges.n; i++)
        if (inside(l, &l->edges.v[i]))
            list[from[l->part[l->edges.v[i].from] + 1]++] = &l->edges.v[i];
    for (uint32_t p = 0; p < l->parts; p++)
        judge_part(l, list + from[p], from[p + 1] - from[p]);
}

static void find_loops(struct graph_work *w, bool slow, uint8_t *told)
{
    uint32_t n = (uint32_t)w->g->nodes.n;
    struct loops l = {.w = w,
                      .slow = slow,
                      .told = told,
                      .edge_from = ctx_tree_array(w->c, n + 1, sizeof(uint32_t)),
                      .part = ctx_tree_array(w->c, n, sizeof(uint32_t)),
                      .by = ctx_tree_array(w->c, n, sizeof(const struct edge *)),
                      .queue = ctx_tree_array(w->c, n + 1, sizeof(uint32_t))};
    for (uint32_t i = 0; i < n; i++) {
        l.edge_from[i] = (uint32_t)l.edges.n;
        edges_of(&l, i);
    }
    l.edge_from[n] = (uint32_t)l.edges.n;
    connect(&l);
    judge_parts(&l);
}

void graph_loops(struct graph_work *w)
{
    uint8_t *told = ctx_tree_array(w->c, w->g->nodes.n, 1);
    /* check: G14 at once */
    find_loops(w, false, told);
    /* check: G14 slow */
    find_loops(w, true, told);
}
