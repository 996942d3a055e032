/* Rules that fight: over a readable through different things (G11), over a thing by overlapping
 * thresholds (G16), over a thing for reasons that know nothing of each other (G17). */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

#define PAIRS_MAX 64u /* rules on each side that are compared with one another */

static const struct graph_node *node_of(const struct graph_work *w, const struct link *l)
{
    return &w->g->nodes.v[l->node];
}

/* ---- G11 ----------------------------------------------------------------------------------- */

static bool owner_is(const struct lang_decl *r, struct str program)
{
    return r && r->owner && str_eq(str_from(r->owner), program);
}

/* A rule of one program reads, hears or leases what is the other's. */
static bool knows_of(const struct graph_work *w, uint32_t node, struct str other)
{
    for (uint32_t i = w->in_from[node]; i < w->in_from[node + 1]; i++) {
        const struct link *in = &w->ins.v[i];
        const struct channel *c = &w->channels.v[in->channel];
        if (owner_is(c->resource, other))
            return true;
        for (uint32_t o = w->writers.from[in->channel];
             c->message && o < w->writers.from[in->channel + 1]; o++)
            if (str_eq(node_of(w, &w->writers.v[o])->program, other))
                return true;
    }
    const struct graph_node *n = &w->g->nodes.v[node];
    for (size_t i = 0; i < n->effects_n; i++)
        if (n->effects[i].kind == EFFECT_COMMANDS && owner_is(n->effects[i].resource, other))
            return true;
    return false;
}

static bool looks_at(const struct graph_work *w, uint32_t node, uint32_t channel)
{
    for (uint32_t i = w->in_from[node]; i < w->in_from[node + 1]; i++)
        if (w->ins.v[i].channel == channel)
            return true;
    return false;
}

/* While a rule acts, its `until` has not come true. */
static struct range active_range(const struct graph_work *w, uint32_t node, uint32_t channel)
{
    const struct graph_node *n = &w->g->nodes.v[node];
    if (!n->until && node + 1 < w->g->nodes.n && n[1].until && n[1].rule == n->rule) {
        struct range r = cond_range(w, n[1].condition, channel);
        if (r.known && r.lo > -1e300 && r.hi >= 1e300)
            return range_of(r.lo_open ? LANG_LE : LANG_LT, r.lo, false);
        if (r.known && r.hi < 1e300 && r.lo <= -1e300)
            return range_of(r.hi_open ? LANG_GE : LANG_GT, r.hi, false);
    }
    return cond_range(w, n->condition, channel);
}

static bool independent(const struct graph_work *w, const struct link *a, const struct link *b)
{
    const struct graph_node *x = node_of(w, a), *y = node_of(w, b);
    if (str_eq(x->program, y->program) || a->effect->resource == b->effect->resource)
        return false;
    if (!looks_at(w, a->node, a->channel) && !looks_at(w, b->node, a->channel))
        return false;
    struct range p = active_range(w, a->node, a->channel), q = active_range(w, b->node, a->channel);
    if (p.known && q.known && !ranges_meet(&p, &q))
        return false;
    return !knows_of(w, a->node, y->program) && !knows_of(w, b->node, x->program);
}

static void tell_opposition(struct graph_work *w, const struct link *a, const struct link *b)
{
    struct str x = node_of(w, a)->program, y = node_of(w, b)->program;
    struct str readable = graph_channel_text(w, a->channel);
    struct lang_diag *d =
        diag_warning(w->c, "G11", b->effect->at, "acts on it",
                     "%.*s and %.*s both act on %.*s, and neither knows of the other", STR_FMT(x),
                     STR_FMT(y), STR_FMT(readable));
    diag_mark(w->c, d, a->effect->at, "so does this, in %.*s", STR_FMT(x));
    struct str p = graph_effect_text(w, a->effect), q = graph_effect_text(w, b->effect);
    diag_help(w->c, d,
              "%.*s: %.*s → %.*s ← %.*s: %.*s; let one of them read what the other does, or lend "
              "what it owns",
              STR_FMT(x), STR_FMT(p), STR_FMT(readable), STR_FMT(q), STR_FMT(y));
}

static void opposition(struct graph_work *w, uint32_t channel)
{
    uint32_t from = w->writers.from[channel], to = w->writers.from[channel + 1];
    to = to - from > PAIRS_MAX ? from + PAIRS_MAX : to;
    for (uint32_t b = from; b < to; b++)
        for (uint32_t a = from; a < b; a++) {
            const struct link *x = &w->writers.v[a], *y = &w->writers.v[b];
            if (!x->physical || !y->physical || node_of(w, x)->until || node_of(w, y)->until ||
                !independent(w, x, y))
                continue;
            tell_opposition(w, x, y);
            return; /* one for each readable */
        }
}

/* ---- commands of one thing ---------------------------------------------------------------- */

struct command {
    uint32_t node, thing;
    const struct effect *effect;
};

static struct command *collect(struct graph_work *w, uint32_t **from)
{
    size_t things = w->k->resources.n, total = 0;
    uint32_t *at = ctx_tree_array(w->c, things + 2, sizeof(*at));
    for (int pass = 0; pass < 2; pass++) {
        struct command *v = pass ? ctx_tree_array(w->c, total + 1, sizeof(*v)) : NULL;
        for (uint32_t n = 0; n < w->g->nodes.n; n++) {
            const struct graph_node *x = &w->g->nodes.v[n];
            for (size_t i = 0; i < x->effects_n; i++) {
                const struct effect *e = &x->effects[i];
                if (e->kind != EFFECT_COMMANDS || x->trigger == TRIGGER_ONCE)
                    continue;
                uint32_t r = e->resource->resource;
                if (pass)
                    v[at[r + 1]++] = (struct command){n, r, e};
                else
                    at[r + 2]++;
                total += pass ? 0 : 1;
            }
        }
        if (pass) {
            *from = at;
            return v;
        }
        for (size_t i = 2; i < things + 2; i++)
            at[i] += at[i - 1];
    }
    return NULL;
}

/* ---- G16 ----------------------------------------------------------------------------------- */

/* A channel whose ranges in both conditions meet; CHANNEL_NONE if some pair of ranges keeps them
 * apart, or if there is none in common. */
static uint32_t overlapping(const struct graph_work *w, uint32_t a, uint32_t b, struct range *meet)
{
    uint32_t found = CHANNEL_NONE;
    const struct graph_node *x = &w->g->nodes.v[a], *y = &w->g->nodes.v[b];
    if (x->trigger != TRIGGER_WHEN || y->trigger != TRIGGER_WHEN)
        return CHANNEL_NONE;
    for (uint32_t i = w->in_from[a]; i < w->in_from[a + 1]; i++) {
        uint32_t channel = w->ins.v[i].channel;
        struct range p = cond_range(w, x->condition, channel);
        struct range q = cond_range(w, y->condition, channel);
        if (!p.known || !q.known)
            continue;
        if (!ranges_meet(&p, &q))
            return CHANNEL_NONE;
        meet->lo = p.lo > q.lo ? p.lo : q.lo;
        meet->hi = p.hi < q.hi ? p.hi : q.hi;
        found = channel;
    }
    return found;
}

static struct str between(struct graph_work *w, uint32_t channel, const struct range *r)
{
    const struct channel *c = &w->channels.v[channel];
    struct strbuf b;
    struct lang_unit plain = {.scale = 1};
    const struct lang_unit *u =
        c->member && c->member->type.kind == LANG_TYPE_FLOAT ? &c->member->type.unit : &plain;
    bool low = r->lo > -1e300, high = r->hi < 1e300;
    strbuf_init(&b, &w->c->tree_alloc, 0);
    strbuf_adds(&b, low && high ? "between " : low ? "above " : high ? "below " : "at any value");
    if (low)
        lang_unit_print(&b, u, r->lo);
    if (low && high)
        strbuf_adds(&b, " and ");
    if (high)
        lang_unit_print(&b, u, r->hi);
    if (b.failed)
        ctx_nomem(w->c);
    return strbuf_str(&b);
}

static bool chatter(struct graph_work *w, const struct command *a, const struct command *b)
{
    struct range meet = {0};
    uint32_t channel = overlapping(w, a->node, b->node, &meet);
    if (channel == CHANNEL_NONE)
        return false;
    struct str range = between(w, channel, &meet), what = graph_channel_text(w, channel);
    struct str x = graph_effect_text(w, a->effect), y = graph_effect_text(w, b->effect);
    struct lang_diag *d = diag_warning(w->c, "G16", b->effect->at, "and this",
                                       "with %.*s %.*s both hold: %.*s and %.*s chatter",
                                       STR_FMT(what), STR_FMT(range), STR_FMT(x), STR_FMT(y));
    diag_mark(w->c, d, a->effect->at, "this");
    diag_mark(w->c, d, w->g->nodes.v[a->node].head, "when this holds");
    diag_mark(w->c, d, w->g->nodes.v[b->node].head, "and this");
    diag_help(w->c, d, "leave a gap between the two: off above the one, on below the other");
    return true;
}

/* ---- G17 ----------------------------------------------------------------------------------- */

static bool shares(const struct graph_work *w, uint32_t a, uint32_t b)
{
    for (uint32_t i = w->in_from[a]; i < w->in_from[a + 1]; i++) {
        uint32_t channel = w->ins.v[i].channel;
        for (uint32_t q = w->in_from[b]; q < w->in_from[b + 1]; q++)
            if (w->ins.v[q].channel == channel)
                return true;
        for (uint32_t q = w->out_from[b]; q < w->out_from[b + 1]; q++)
            if (w->outs.v[q].channel == channel && !w->channels.v[channel].resource)
                return true;
    }
    return false;
}

/* Both parts of a rule count: what one looks at decides about the other too. */
static bool related(const struct graph_work *w, uint32_t a, uint32_t b)
{
    uint32_t n = (uint32_t)w->g->nodes.n, rule_a = w->g->nodes.v[a].rule,
             rule_b = w->g->nodes.v[b].rule;
    uint32_t a0 = a > 0 && w->g->nodes.v[a - 1].rule == rule_a ? a - 1 : a;
    uint32_t b0 = b > 0 && w->g->nodes.v[b - 1].rule == rule_b ? b - 1 : b;
    for (uint32_t i = a0; i < n && w->g->nodes.v[i].rule == rule_a; i++)
        for (uint32_t q = b0; q < n && w->g->nodes.v[q].rule == rule_b; q++)
            if (shares(w, i, q) || shares(w, q, i))
                return true;
    return false;
}

static bool unrelated(struct graph_work *w, const struct command *a, const struct command *b)
{
    const struct graph_node *x = &w->g->nodes.v[a->node], *y = &w->g->nodes.v[b->node];
    if (x->rule == y->rule || !str_eq(x->program, y->program))
        return false;
    bool schedule = x->trigger == TRIGGER_TIME && y->trigger == TRIGGER_TIME;
    if (schedule || related(w, a->node, b->node))
        return false;
    struct str p = graph_effect_text(w, a->effect), q = graph_effect_text(w, b->effect);
    struct lang_diag *d =
        diag_warning(w->c, "G17", b->effect->at, "and here",
                     "%.*s says %.*s and %.*s for reasons that know nothing of each other",
                     STR_FMT(y->program), STR_FMT(p), STR_FMT(q));
    diag_mark(w->c, d, a->effect->at, "here");
    diag_mark(w->c, d, x->head, "because of this");
    diag_mark(w->c, d, y->head, "because of this");
    diag_help(w->c, d,
              "let one rule decide, or let one ask for the reason of the other:  if not … { … }");
    return true;
}

static void compare_commands(struct graph_work *w, const struct command *v, uint32_t n)
{
    bool said16 = false, said17 = false;
    n = n > PAIRS_MAX ? PAIRS_MAX : n;
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t a = 0; a < b; a++) {
            if (!graph_opposite(v[a].effect, v[b].effect))
                continue;
            /* check: G16 chatter */
            said16 = said16 || chatter(w, &v[a], &v[b]);
            /* check: G17 unrelated */
            said17 = said17 || unrelated(w, &v[a], &v[b]);
        }
}

void graph_fights(struct graph_work *w)
{
    for (uint32_t c = 0; c < w->channels.n; c++) {
        /* check: G11 opposition */
        opposition(w, c);
    }
    uint32_t *from = NULL;
    const struct command *v = collect(w, &from);
    for (size_t r = 0; r < w->k->resources.n; r++)
        compare_commands(w, v + from[r], from[r + 1] - from[r]);
}
