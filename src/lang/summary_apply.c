/* What summaries say, told to the checker as if their programs had been checked. */
#include "lang/summary_internal.h"

struct lang_span summary_span(const struct checker *k, const struct summary *s, uint32_t place)
{
    const struct summary_place *p = &s->places.v[place];
    uint32_t line = k->c->line_starts[s->source][p->line - 1];
    return (struct lang_span){s->source, line + p->column, line + p->column + p->bytes};
}

/* Declarations may have changed since the summary was written. */
static const struct lang_decl *thing(struct checker *k, const struct summary *s, struct str name,
                                     uint32_t place)
{
    const struct lang_decl *r = find_path(k, name);
    if (r && r->kind->role == LANG_ROLE_RESOURCE && r->type)
        return r;
    struct lang_span at = summary_span(k, s, place);
    if (!diag_told(k->c, "N1", at))
        (void)diag_error(k->c, "N1", at, "not there any more",
                         "%.*s uses %.*s, which is not declared any more", STR_FMT(s->program),
                         STR_FMT(name));
    return NULL;
}

static const struct lang_member *member(const struct lang_decl *r, struct str name,
                                        enum lang_clause_role role)
{
    return r ? lang_decl_member(r->type, role, name) : NULL;
}

static void apply_owns(struct checker *k, const struct summary *s)
{
    for (size_t i = 0; i < s->owns.n; i++) {
        const struct summary_own *o = &s->owns.v[i];
        const struct lang_decl *r = thing(k, s, o->resource, o->place);
        if (r)
            own_claim(k, s->program, r, o->handle, summary_span(k, s, o->place));
    }
    for (size_t i = 0; i < s->lends.n; i++) {
        const struct summary_lend *l = &s->lends.v[i];
        struct own_offer *o = own_offer(k, s->program, l->handle);
        if (o)
            own_offer_lend(k, o, l->to, summary_span(k, s, l->place));
    }
}

/* ---- rules --------------------------------------------------------------------------------- */

static bool apply_effect(struct checker *k, const struct summary *s, const struct summary_effect *e,
                         struct effect *out)
{
    static const enum lang_clause_role roles[EFFECT_KINDS] = {
        [EFFECT_LOOKS] = LANG_CLAUSE_READABLE,
        [EFFECT_READS] = LANG_CLAUSE_READABLE,
        [EFFECT_COMMANDS] = LANG_CLAUSE_COMMAND,
        [EFFECT_SIGNAL] = LANG_CLAUSE_SIGNAL,
    };
    *out = (struct effect){.kind = e->kind,
                           .name = e->name,
                           .level = e->level,
                           .has_value = e->has_value,
                           .value = e->value,
                           .at = summary_span(k, s, e->place)};
    if (roles[e->kind] == LANG_CLAUSE_PLAIN)
        return true;
    out->resource = thing(k, s, e->resource, e->place);
    out->member = member(out->resource, e->name, roles[e->kind]);
    return out->member != NULL; /* a member that has gone does nothing */
}

static struct cond *apply_condition(struct checker *k, const struct summary_rule *r)
{
    struct cond *c = ctx_new(k->c, sizeof(*c));
    for (size_t i = 0; i < r->condition.n; i++) {
        const struct summary_cond *x = &r->condition.v[i];
        struct cond_node n = {
            .op = x->op, .cmp = x->cmp, .value = x->value, .truth = x->truth, .var = x->name};
        if (x->op == COND_READ) {
            const struct lang_decl *d = find_path(k, x->resource);
            bool fits = d && d->kind->role == LANG_ROLE_RESOURCE && d->type;
            n.resource = fits ? d : NULL;
            n.member = fits ? member(d, x->name, LANG_CLAUSE_READABLE) : NULL;
            if (!n.member)
                n.op = COND_UNKNOWN;
        }
        ctx_push(k->c, &c->nodes, n);
    }
    return c;
}

static void apply_rule(struct checker *k, const struct summary *s, const struct summary_rule *r,
                       uint32_t number)
{
    VEC(struct effect) effects = {0};
    for (size_t i = 0; i < r->effects.n; i++) {
        struct effect e;
        if (apply_effect(k, s, &r->effects.v[i], &e))
            ctx_tree_push(k->c, &effects, e);
    }
    struct graph_node n = {.program = s->program,
                           .rule = number,
                           .until = r->until,
                           .trigger = r->trigger,
                           .delays = r->delays,
                           .head = summary_span(k, s, r->place),
                           .condition = r->has_condition ? apply_condition(k, r) : NULL,
                           .effects = ctx_kept(k->c, &effects),
                           .effects_n = effects.n};
    ctx_tree_push(k->c, &k->own->graph.nodes, n);
}

static void apply(struct checker *k, const struct summary *s)
{
    struct own_known *known = ctx_tree_new(k->c, sizeof(*known));
    known->program = s->program;
    ctx_tree_push(k->c, &k->own->known, known);
    apply_owns(k, s);
    for (size_t i = 0; i < s->rules.n; i++) {
        if (i > 0 && s->rules.v[i].number != s->rules.v[i - 1].number)
            k->own->graph.rules++;
        apply_rule(k, s, &s->rules.v[i], k->own->graph.rules);
    }
    k->own->graph.rules++;
}

static void judge(struct checker *k, const struct summary *s)
{
    for (size_t i = 0; i < s->needs.n; i++) {
        const struct summary_need *n = &s->needs.v[i];
        struct lang_span at = summary_span(k, s, n->place);
        if (!own_need(k, (struct lease_need){s->program, n->from, n->handle, at}) &&
            !diag_told(k->c, "N1", at))
            (void)diag_error(k->c, "N1", at, "unknown", "%.*s leases %.*s.%.*s, which is not there",
                             STR_FMT(s->program), STR_FMT(n->from), STR_FMT(n->handle));
    }
    for (size_t i = 0; i < s->orders.n; i++) {
        const struct summary_order *o = &s->orders.v[i];
        const struct lang_decl *outer = thing(k, s, o->outer, o->outer_place);
        const struct lang_decl *inner = thing(k, s, o->inner, o->inner_place);
        if (outer && inner)
            own_order(k, (struct lease_order){s->program, outer, inner,
                                              summary_span(k, s, o->outer_place),
                                              summary_span(k, s, o->inner_place)});
    }
}

void own_others(struct checker *k, const struct summary *list, size_t n)
{
    k->own->summaries = list;
    k->own->summaries_n = n;
    for (size_t i = 0; i < n; i++)
        apply(k, &list[i]);
}

/* What a summary is written from outlives the check; the rest ends with the tree. */
static void keep(struct checker *k)
{
    struct own_site *kept = ctx_new(k->c, sizeof(*kept)), *own = k->own;
    kept->owned.v = own->owned.v;
    kept->owned.n = own->owned.n;
    kept->lends.v = own->lends.v;
    kept->lends.n = own->lends.n;
    kept->needs.v = own->needs.v;
    kept->needs.n = own->needs.n;
    kept->messages.v = own->messages.v;
    kept->messages.n = own->messages.n;
    kept->orders.v = own->orders.v;
    kept->orders.n = own->orders.n;
    kept->graph.nodes.v = ctx_kept(k->c, &own->graph.nodes);
    kept->graph.nodes.n = own->graph.nodes.n;
    k->own = kept;
}

void own_finish(struct checker *k)
{
    for (size_t i = 0; i < k->own->summaries_n; i++)
        judge(k, &k->own->summaries[i]);
    own_judge_leases(k);
    for (size_t i = 0; i < k->own->progs.n; i++)
        own_flatten(k, k->own->progs.v[i]);
    if (k->c->errors == 0)
        graph_check(k, &k->own->graph);
    keep(k);
}
