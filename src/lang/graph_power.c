/* Rules that cut the power of what is read: of their own eyes (G13), of what another program
 * raises alarms by (G15). */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

typedef void cut_fn(struct graph_work *w, uint32_t node, const struct effect *e,
                    const struct lang_decl *off);

static void each_cut(struct graph_work *w, uint32_t node, cut_fn *call)
{
    const struct graph_node *n = &w->g->nodes.v[node];
    for (size_t i = 0; i < n->effects_n; i++) {
        const struct effect *e = &n->effects[i];
        for (size_t c = 0; e->kind == EFFECT_COMMANDS && c < e->resource->clauses_n; c++) {
            const struct lang_clause_decl *cl = &e->resource->clauses[c];
            for (size_t a = 0; cl->clause->role == LANG_CLAUSE_POWERS && a < cl->clause->args_n;
                 a++)
                for (size_t p = 0; p < cl->values[a].names_n; p++)
                    if (cl->values[a].names[p].resource)
                        call(w, node, e, cl->values[a].names[p].resource);
        }
    }
}

/* Where that rule, with both of its parts, reads something of `r`. */
static const struct link *rule_reads(const struct graph_work *w, uint32_t node,
                                     const struct lang_decl *r)
{
    uint32_t rule = w->g->nodes.v[node].rule;
    if (node > 0 && w->g->nodes.v[node - 1].rule == rule)
        node--;
    for (; node < w->g->nodes.n && w->g->nodes.v[node].rule == rule; node++)
        for (uint32_t i = w->in_from[node]; i < w->in_from[node + 1]; i++)
            if (w->ins.v[i].effect->resource == r)
                return &w->ins.v[i];
    return NULL;
}

static void own_sensor(struct graph_work *w, uint32_t node, const struct effect *e,
                       const struct lang_decl *off)
{
    const struct link *in = rule_reads(w, node, off);
    if (!in || w->told == w->g->nodes.v[node].rule)
        return;
    w->told = w->g->nodes.v[node].rule; /* once for a rule */
    struct str action = graph_effect_text(w, e), read = graph_effect_text(w, in->effect);
    struct lang_diag *d = diag_warning(
        w->c, "G13", e->at, "what it looks through",
        "this rule switches the power of %.*s, which it reads itself", STR_FMT(off->name));
    diag_mark(w->c, d, in->effect->at, "read here");
    diag_help(w->c, d, "%.*s → %.*s → %.*s: power it from elsewhere, or let a clock decide",
              STR_FMT(read), STR_FMT(action), STR_FMT(off->name));
}

/* How grave what this rule tells is: only the weakest level does not count. */
static const struct effect *tells(const struct graph_work *w, uint32_t node)
{
    uint32_t rule = w->g->nodes.v[node].rule;
    if (node > 0 && w->g->nodes.v[node - 1].rule == rule)
        node--;
    for (; node < w->g->nodes.n && w->g->nodes.v[node].rule == rule; node++)
        for (size_t i = 0; i < w->g->nodes.v[node].effects_n; i++) {
            const struct effect *e = &w->g->nodes.v[node].effects[i];
            if (e->kind == EFFECT_TELLS && e->level > 0)
                return e;
        }
    return NULL;
}

static bool alarm_by(struct graph_work *w, uint32_t node, const struct effect *e,
                     const struct lang_decl *off, const struct lang_member *m)
{
    uint32_t channel = graph_property(w, off, m);
    for (uint32_t i = w->readers.from[channel]; i < w->readers.from[channel + 1]; i++) {
        const struct link *in = &w->readers.v[i];
        const struct graph_node *other = &w->g->nodes.v[in->node];
        const struct effect *alarm = tells(w, in->node);
        if (!alarm || str_eq(other->program, w->g->nodes.v[node].program))
            continue;
        struct str action = graph_effect_text(w, e);
        struct lang_diag *d = diag_warning(
            w->c, "G15", e->at, "switches it", "%.*s switches %.*s, by which %.*s raises an alarm",
            STR_FMT(w->g->nodes.v[node].program), STR_FMT(off->name), STR_FMT(other->program));
        diag_mark(w->c, d, in->effect->at, "read here, in %.*s", STR_FMT(other->program));
        diag_mark(w->c, d, alarm->at, "for this");
        diag_help(w->c, d, "%.*s → %.*s → %.*s: keep it powered, or let %.*s say when nobody looks",
                  STR_FMT(action), STR_FMT(graph_channel_text(w, channel)), STR_FMT(other->program),
                  STR_FMT(w->g->nodes.v[node].program));
        w->told = w->g->nodes.v[node].rule;
        return true;
    }
    return false;
}

static void alarm_sensor(struct graph_work *w, uint32_t node, const struct effect *e,
                         const struct lang_decl *off)
{
    if (!off->type || w->told == w->g->nodes.v[node].rule)
        return;
    for (size_t m = 0; m < off->type->members_n; m++)
        if (off->type->members[m].role == LANG_CLAUSE_READABLE &&
            alarm_by(w, node, e, off, &off->type->members[m]))
            return;
}

void graph_powers(struct graph_work *w)
{
    w->told = UINT32_MAX;
    for (uint32_t n = 0; n < w->g->nodes.n; n++) {
        /* check: G13 own eyes */
        each_cut(w, n, own_sensor);
    }
    w->told = UINT32_MAX;
    for (uint32_t n = 0; n < w->g->nodes.n; n++) {
        /* check: G15 alarm */
        each_cut(w, n, alarm_sensor);
    }
}
