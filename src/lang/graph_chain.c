/* Ways to a guarded action: through the rules of several programs (G12), and from what people one
 * need not trust can set (G18). */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

#define HOPS_MAX 8u /* shown, and looked back for */

static bool has_flag(const struct lang_member *m, uint32_t flag)
{
    for (size_t a = 0; m && m->clause && a < m->clause->clause->args_n; a++)
        if ((m->clause->clause->args[a].flags & flag) && m->clause->values[a].kind != LANG_ARG_NONE)
            return true;
    return false;
}

static const struct effect *guarded(const struct graph_node *n)
{
    for (size_t i = 0; i < n->effects_n; i++)
        if (n->effects[i].kind == EFFECT_COMMANDS &&
            has_flag(n->effects[i].member, LANG_ARG_GUARDED))
            return &n->effects[i];
    return NULL;
}

struct hop { /* from a node on: by what to which */
    const struct link *out;
    uint32_t to;
    uint32_t left; /* hops to the end; 0 there; UINT32_MAX: no way */
};
struct way {
    struct graph_work *w;
    struct hop *hop; /* by node */
    uint32_t *queue;
    size_t n;
};

static void way_back(struct way *x, uint32_t node)
{
    struct graph_work *w = x->w;
    for (uint32_t i = w->in_from[node]; i < w->in_from[node + 1]; i++) {
        const struct link *in = &w->ins.v[i];
        for (uint32_t o = w->writers.from[in->channel]; o < w->writers.from[in->channel + 1]; o++) {
            const struct link *out = &w->writers.v[o];
            if (w->steps++ > GRAPH_STEPS_MAX)
                return;
            if (x->hop[out->node].left != UINT32_MAX || !graph_wakes(w, out, in))
                continue;
            x->hop[out->node] = (struct hop){out, node, x->hop[node].left + 1};
            x->queue[x->n++] = out->node;
        }
    }
}

static struct way way_new(struct graph_work *w)
{
    size_t n = w->g->nodes.n;
    struct way x = {w, ctx_tree_array(w->c, n, sizeof(*x.hop)),
                    ctx_tree_array(w->c, n + 1, sizeof(uint32_t)), 0};
    for (size_t i = 0; i < n; i++)
        x.hop[i].left = UINT32_MAX;
    return x;
}

/* "lights → hall.light.on() → hall.light.lit → doors → door.unlock()", and marks along the way. */
static void tell_way(struct way *x, struct lang_diag *d, struct strbuf *text, uint32_t node)
{
    struct graph_work *w = x->w;
    for (uint32_t hops = 0; hops <= HOPS_MAX; hops++) {
        const struct hop *h = &x->hop[node];
        const struct effect *e = h->left > 0 ? h->out->effect : guarded(&w->g->nodes.v[node]);
        strbuf_addf(text, " → %.*s → %.*s", STR_FMT(graph_rule_text(w, node)),
                    STR_FMT(graph_effect_text(w, e)));
        if (h->left == 0)
            return;
        struct str channel = graph_channel_text(w, h->out->channel);
        if (w->channels.v[h->out->channel].resource)
            strbuf_addf(text, " → %.*s", STR_FMT(channel));
        diag_mark(w->c, d, e->at, hops == 0 ? "this, in %.*s" : "then this, in %.*s",
                  STR_FMT(graph_rule_text(w, node)));
        node = h->to;
    }
    strbuf_adds(text, " → …");
}

static uint32_t end_of(const struct way *x, uint32_t node)
{
    while (x->hop[node].left > 0)
        node = x->hop[node].to;
    return node;
}

/* ---- G18 ----------------------------------------------------------------------------------- */

static void guest_reaches(struct way *x, uint32_t channel)
{
    struct graph_work *w = x->w;
    const struct channel *c = &w->channels.v[channel];
    const struct link *best = NULL;
    for (uint32_t i = w->readers.from[channel]; i < w->readers.from[channel + 1]; i++) {
        const struct link *in = &w->readers.v[i];
        if (!best || x->hop[in->node].left < x->hop[best->node].left)
            best = in;
    }
    if (!best || x->hop[best->node].left == UINT32_MAX)
        return;
    const struct effect *e = guarded(&w->g->nodes.v[end_of(x, best->node)]);
    struct str from = graph_channel_text(w, channel), action = graph_effect_text(w, e);
    struct lang_diag *d =
        diag_warning(w->c, "G18", e->at, "guarded", "whoever may set %.*s can bring about %.*s",
                     STR_FMT(from), STR_FMT(action));
    diag_mark(w->c, d, c->member->span, "anybody may set this");
    diag_mark(w->c, d, best->effect->at, "read here");
    struct strbuf text;
    strbuf_init(&text, &w->c->tree_alloc, 0);
    strbuf_addstr(&text, from);
    tell_way(x, d, &text, best->node);
    if (text.failed)
        ctx_nomem(w->c);
    diag_help(w->c, d, "%.*s; ask for something that a guest can't set as well",
              STR_FMT(strbuf_str(&text)));
}

/* ---- G12 ----------------------------------------------------------------------------------- */

/* Back from `end`, through its own program, to the first rule of another one. */
static uint32_t other_program(struct way *x, uint32_t end)
{
    struct graph_work *w = x->w;
    struct str own = w->g->nodes.v[end].program;
    x->n = 0;
    x->hop[end] = (struct hop){NULL, end, 0};
    x->queue[x->n++] = end;
    for (size_t i = 0; i < x->n; i++) {
        if (!str_eq(w->g->nodes.v[x->queue[i]].program, own))
            return x->queue[i];
        if (x->hop[x->queue[i]].left < HOPS_MAX)
            way_back(x, x->queue[i]);
    }
    return UINT32_MAX;
}

/* On to where it all begins: a rule that no other one sets off. */
static uint32_t first_of(struct way *x, uint32_t node)
{
    while (x->hop[node].left < HOPS_MAX) {
        size_t before = x->n;
        way_back(x, node);
        if (x->n == before)
            return node;
        node = x->queue[x->n - 1];
    }
    return node;
}

/* What sets off a rule that no other one sets off. */
static struct str root_text(struct graph_work *w, uint32_t node)
{
    const struct graph_node *n = &w->g->nodes.v[node];
    for (size_t i = 0; i < n->effects_n; i++) {
        const struct effect *e = &n->effects[i];
        bool read = (e->kind == EFFECT_LOOKS || e->kind == EFFECT_SIGNAL) && e->member;
        if (read || e->kind == EFFECT_HEARS || e->kind == EFFECT_WATCHES)
            return graph_effect_text(w, e);
    }
    return n->trigger == TRIGGER_TIME ? STR("the clock") : STR("its start");
}

static void through_programs(struct way *x, uint32_t end)
{
    struct graph_work *w = x->w;
    const struct effect *e = guarded(&w->g->nodes.v[end]);
    uint32_t from = diag_told(w->c, "G12", e->at) ? UINT32_MAX : other_program(x, end);
    if (from != UINT32_MAX) {
        from = first_of(x, from);
        struct str action = graph_effect_text(w, e);
        struct lang_diag *d =
            diag_warning(w->c, "G12", e->at, "guarded",
                         "%.*s can be brought about by %.*s, which does not command it",
                         STR_FMT(action), STR_FMT(w->g->nodes.v[from].program));
        struct strbuf text;
        strbuf_init(&text, &w->c->tree_alloc, 0);
        strbuf_addstr(&text, root_text(w, from));
        tell_way(x, d, &text, from);
        if (text.failed)
            ctx_nomem(w->c);
        diag_help(w->c, d, "%.*s; let the last rule ask for a reason of its own as well",
                  STR_FMT(strbuf_str(&text)));
    }
    for (size_t i = 0; i < x->n; i++)
        x->hop[x->queue[i]].left = UINT32_MAX;
}

void graph_chains(struct graph_work *w)
{
    struct way x = way_new(w);
    uint32_t n = (uint32_t)w->g->nodes.n;
    w->steps = 0;
    for (uint32_t i = 0; i < n; i++) {
        x.n = 0;
        /* check: G12 chain */
        if (guarded(&w->g->nodes.v[i]))
            through_programs(&x, i);
    }
    x.n = 0;
    w->steps = 0;
    for (uint32_t i = 0; i < n; i++)
        if (guarded(&w->g->nodes.v[i])) {
            x.hop[i] = (struct hop){NULL, i, 0};
            x.queue[x.n++] = i;
        }
    for (size_t i = 0; i < x.n; i++)
        way_back(&x, x.queue[i]);
    for (uint32_t c = 0; x.n > 0 && c < w->channels.n; c++) {
        /* check: G18 guest */
        if (has_flag(w->channels.v[c].member, LANG_ARG_UNTRUSTED))
            guest_reaches(&x, c);
    }
}
