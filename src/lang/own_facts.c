/* From the facts of bodies to the graph's nodes: what a rule does by itself and through the
 * functions and tasks that it calls, each handle replaced by the things that it stands for. */
#include "lang/own_flow_internal.h"

#define DEPTH_MAX   32u
#define EFFECTS_MAX 65536u /* of one node */

/* ---- conditions ---------------------------------------------------------------------------- */

static void cond_push(struct checker *k, struct cond *c, struct cond_node n)
{
    ctx_push(k->c, &c->nodes, n);
}

static bool number_of(const struct expr *e, double *out)
{
    if (!e->constant)
        return false;
    if (e->type.kind == LANG_TYPE_FLOAT)
        *out = e->value.f;
    else if (e->type.kind == LANG_TYPE_INT || e->type.kind == LANG_TYPE_BOOL ||
             e->type.kind == LANG_TYPE_ENUM)
        *out = (double)e->value.i;
    else
        return false;
    return true;
}

/* A comparison of a reading or a variable, if it is one that numbers can tell about. */
static bool cond_atom(struct checker *k, const struct expr *e, enum lang_cmp cmp, double value,
                      struct cond_node *out)
{
    *out = (struct cond_node){
        .cmp = cmp, .value = value, .truth = e->type.kind == LANG_TYPE_BOOL && !e->type.optional};
    if (e->kind != E_PATH)
        return false;
    if (e->type.kind == LANG_TYPE_INT && (cmp == LANG_GT || cmp == LANG_LT)) {
        out->value += cmp == LANG_GT ? 1 : -1; /* so that `> 0` and `< 1` do not meet */
        out->cmp = cmp == LANG_GT ? LANG_GE : LANG_LE;
    }
    if (e->ref == REF_VAR) {
        out->op = COND_VAR;
        out->var = k->prog->vars.v[e->index].path;
        return true;
    }
    if (e->ref != REF_READ)
        return false;
    out->op = COND_READ;
    out->resource = e->resource;
    out->member = e->member;
    return e->resource && e->member;
}

static enum lang_cmp turned(enum lang_cmp cmp)
{
    static const enum lang_cmp table[] = {LANG_EQ, LANG_NE, LANG_GT, LANG_GE, LANG_LT, LANG_LE};
    return table[cmp];
}

static void cond_build(struct checker *k, const struct expr *e, struct cond *c)
{
    struct cond_node n = {.op = COND_UNKNOWN};
    double value;
    if (e->kind == E_NOT) {
        cond_build(k, e->a, c);
        n.op = COND_NOT;
    } else if (e->kind == E_BINARY && (e->op == OP_AND || e->op == OP_OR)) {
        cond_build(k, e->a, c);
        cond_build(k, e->b, c);
        n.op = e->op == OP_AND ? COND_AND : COND_OR;
    } else if (e->kind == E_BINARY && e->op <= OP_GE) {
        bool left = number_of(e->b, &value) && cond_atom(k, e->a, (enum lang_cmp)e->op, value, &n);
        if (!left && !(number_of(e->a, &value) &&
                       cond_atom(k, e->b, turned((enum lang_cmp)e->op), value, &n)))
            n = (struct cond_node){.op = COND_UNKNOWN};
    } else if (e->type.kind != LANG_TYPE_BOOL || !cond_atom(k, e, LANG_EQ, 1, &n)) {
        n = (struct cond_node){.op = COND_UNKNOWN};
    }
    cond_push(k, c, n);
}

struct cond *own_cond(struct checker *k, const struct expr *e)
{
    struct cond *c = ctx_new(k->c, sizeof(*c));
    if (e->bad)
        return c;
    cond_build(k, e, c);
    if (c->nodes.n > COND_NODES_MAX)
        c->nodes.n = 0;
    return c;
}

/* ---- effects ------------------------------------------------------------------------------- */

struct frame { /* of a call */
    const struct call_arg *args;
    const struct frame *outer;
};
struct flat {
    struct checker *k;
    const struct own_prog *p;
    const struct lang_var *vars;
    VEC(struct effect) out;
    enum graph_part part; /* CONDITION or UNTIL: its facts look; else they act */
    uint32_t depth;
};

static void push(struct flat *x, struct effect e)
{
    if (x->out.n < EFFECTS_MAX)
        ctx_tree_push(x->k->c, &x->out, e);
}

/* Once for each thing that the handle may stand for. */
static void push_things(struct flat *x, const struct frame *frame, struct things d, struct effect e)
{
    while (d.of == OF_PARAM && frame) {
        d = frame->args ? frame->args[d.index].things : (struct things){OF_UNKNOWN, 0, 0, NULL};
        frame = frame->outer;
    }
    if (d.of == OF_LEASE && d.lease->resource) {
        e.resource = d.lease->resource;
        push(x, e);
    }
    for (uint32_t i = 0; d.of == OF_BINDINGS && i < d.count; i++) {
        e.resource = x->p->bindings[d.index + i].resource;
        push(x, e);
    }
}

static void flatten(struct flat *x, const struct own_unit *u, const struct frame *frame,
                    enum graph_part part);

static void flatten_call(struct flat *x, const struct fact *f, const struct frame *frame)
{
    struct own_unit *u = f->fn->facts;
    if (!u || u->visiting || x->depth >= DEPTH_MAX)
        return;
    struct frame inner = {f->args, frame};
    u->visiting = true;
    x->depth++;
    flatten(x, u, &inner, PART_BODY);
    x->depth--;
    u->visiting = false;
}

static void flatten_fact(struct flat *x, const struct fact *f, const struct frame *frame)
{
    bool looks = x->part == PART_CONDITION || x->part == PART_UNTIL;
    struct effect e = {.at = f->at, .member = f->member};
    switch (f->kind) {
    case FACT_READ:
        e.kind = looks ? EFFECT_LOOKS : EFFECT_READS;
        e.resource = f->resource;
        if (e.resource)
            push(x, e);
        else
            push_things(x, frame, f->things, e);
        return;
    case FACT_VAR:
    case FACT_ASSIGN:
        e.kind = f->kind == FACT_ASSIGN ? EFFECT_SETS : looks ? EFFECT_WATCHES : EFFECT_USES;
        e.name = x->vars[f->index].path;
        e.has_value = f->has_value;
        e.value = f->value;
        push(x, e);
        return;
    case FACT_COMMAND:
        e.kind = EFFECT_COMMANDS;
        push_things(x, frame, f->things, e);
        return;
    case FACT_CALL: flatten_call(x, f, frame); return;
    case FACT_PUBLISH:
        e.kind = EFFECT_PUBLISHES;
        e.name = f->message;
        push(x, e);
        return;
    case FACT_HOST:
        e.kind = EFFECT_TELLS;
        e.level = f->index;
        push(x, e);
        return;
    }
}

/* The facts of one part. */
static void flatten(struct flat *x, const struct own_unit *u, const struct frame *frame,
                    enum graph_part part)
{
    for (size_t i = 0; i < u->facts.n; i++)
        if (u->facts.v[i].part == part)
            flatten_fact(x, &u->facts.v[i], frame);
}

static enum trigger trigger_of(const struct item *i)
{
    switch (i->kind) {
    case I_WHEN: return i->changed ? TRIGGER_CHANGED : TRIGGER_WHEN;
    case I_EVERY:
    case I_AT: return TRIGGER_TIME;
    case I_ON: return TRIGGER_EVENT;
    default: return TRIGGER_ONCE;
    }
}

static void hears(struct flat *x, const struct own_unit *u)
{
    const struct item *i = u->item;
    struct effect e = {.kind = EFFECT_HEARS, .at = i->head_span};
    if (i->kind != I_ON)
        return;
    if (i->value) {
        e.name = i->value->text_value;
        push(x, e);
    } else if (u->signal) {
        e.kind = EFFECT_SIGNAL;
        e.resource = u->signal;
        e.member = u->signal_member;
        push(x, e);
    }
}

static void node(struct checker *k, struct flat *x, const struct own_unit *u, bool until)
{
    const struct item *i = u->item;
    x->out = (__typeof__(x->out)){0};
    x->part = until ? PART_UNTIL : PART_CONDITION;
    flatten(x, u, NULL, x->part);
    if (!until)
        hears(x, u);
    x->part = until ? PART_UNTIL_BODY : PART_BODY;
    flatten(x, u, NULL, x->part);
    enum trigger trigger = trigger_of(i);
    struct graph_node n = {.program = x->p->decl->name.text,
                           .rule = k->own->graph.rules,
                           .until = until,
                           .trigger = until ? TRIGGER_WHEN : trigger,
                           .delays = (until ? i->until_hold : i->hold) || u->delays ||
                                     trigger == TRIGGER_TIME,
                           .head = until ? i->until_span : i->head_span,
                           .condition = until ? u->until : u->condition,
                           .effects = ctx_kept(k->c, &x->out),
                           .effects_n = x->out.n};
    ctx_tree_push(k->c, &k->own->graph.nodes, n);
}

void own_flatten(struct checker *k, struct own_prog *p)
{
    struct flat x = {.k = k, .p = p, .vars = p->vars};
    for (size_t i = 0; i < p->rules.n; i++) {
        node(k, &x, p->rules.v[i], false);
        if (p->rules.v[i]->item->has_until)
            node(k, &x, p->rules.v[i], true);
        k->own->graph.rules++;
    }
}
