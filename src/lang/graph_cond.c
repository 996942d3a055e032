/* What conditions say about one reading or variable: ranges, and whether a value lets them hold. */
#include "lang/check_internal.h"
#include "lang/graph_internal.h"

#include <math.h>

static struct range everything(void)
{
    return (struct range){.known = true, .lo = -INFINITY, .hi = INFINITY};
}

struct range range_of(enum lang_cmp cmp, double value, bool truth)
{
    struct range r = everything();
    switch (cmp) {
    case LANG_EQ: r.lo = r.hi = value; break;
    case LANG_NE:
        r.known = truth;
        r.lo = r.hi = 1 - value;
        break;
    case LANG_LT:
        r.hi = value;
        r.hi_open = true;
        break;
    case LANG_LE: r.hi = value; break;
    case LANG_GT:
        r.lo = value;
        r.lo_open = true;
        break;
    case LANG_GE: r.lo = value; break;
    }
    return r;
}

bool ranges_meet(const struct range *a, const struct range *b)
{
    double lo = a->lo > b->lo ? a->lo : b->lo, hi = a->hi < b->hi ? a->hi : b->hi;
    if (lo < hi)
        return true;
    if (lo > hi)
        return false;
    bool a_in = !(a->lo == lo && a->lo_open) && !(a->hi == lo && a->hi_open);
    bool b_in = !(b->lo == lo && b->lo_open) && !(b->hi == lo && b->hi_open);
    return a_in && b_in;
}

static bool inside(const struct range *a, const struct range *b)
{
    bool low = a->lo > b->lo || (a->lo == b->lo && (!b->lo_open || a->lo_open));
    bool high = a->hi < b->hi || (a->hi == b->hi && (!b->hi_open || a->hi_open));
    return low && high;
}

static struct range both(struct range a, struct range b)
{
    if (!a.known)
        return b;
    if (!b.known)
        return a;
    struct range r = {.known = true};
    bool low = a.lo > b.lo || (a.lo == b.lo && a.lo_open);
    bool high = a.hi < b.hi || (a.hi == b.hi && a.hi_open);
    r.lo = low ? a.lo : b.lo;
    r.lo_open = low ? a.lo_open : b.lo_open;
    r.hi = high ? a.hi : b.hi;
    r.hi_open = high ? a.hi_open : b.hi_open;
    return r;
}

/* The smallest range around both. */
static struct range either(struct range a, struct range b)
{
    struct range r = {.known = a.known && b.known};
    r.lo = a.lo < b.lo ? a.lo : b.lo;
    r.hi = a.hi > b.hi ? a.hi : b.hi;
    r.lo_open = (a.lo > r.lo || a.lo_open) && (b.lo > r.lo || b.lo_open);
    r.hi_open = (a.hi < r.hi || a.hi_open) && (b.hi < r.hi || b.hi_open);
    return r;
}

static struct range outside(struct range a, bool truth)
{
    struct range none = {.known = false};
    if (!a.known)
        return none;
    if (truth && a.lo == a.hi)
        return range_of(LANG_EQ, 1 - a.lo, true);
    if (isinf(a.lo) && !isinf(a.hi))
        return range_of(a.hi_open ? LANG_GE : LANG_GT, a.hi, false);
    if (isinf(a.hi) && !isinf(a.lo))
        return range_of(a.lo_open ? LANG_LE : LANG_LT, a.lo, false);
    return none;
}

static bool is_about(const struct graph_work *w, const struct cond_node *n, uint32_t channel)
{
    const struct channel *c = &w->channels.v[channel];
    if (n->op == COND_VAR)
        return !c->resource && !c->message && str_eq(c->name, n->var);
    return n->op == COND_READ && n->resource && n->member &&
           graph_property(w, n->resource, n->member) == channel;
}

/* How many values an operator takes off the stack; whoever made the condition saw to it. */
static size_t operands(enum cond_op op)
{
    return op == COND_AND || op == COND_OR ? 2 : op == COND_NOT ? 1 : 0;
}

struct about { /* on the stack of the walk */
    struct range range;
    bool truth; /* of a bool alone */
};

struct range cond_range(const struct graph_work *w, const struct cond *c, uint32_t channel)
{
    struct about stack[COND_NODES_MAX] = {{.truth = false}};
    size_t n = 0;
    for (size_t i = 0; c && i < c->nodes.n; i++) {
        const struct cond_node *x = &c->nodes.v[i];
        ASSERT(n < COND_NODES_MAX && n >= operands(x->op));
        if (x->op == COND_AND || x->op == COND_OR) {
            n--;
            struct about *a = &stack[n - 1], *b = &stack[n];
            a->range = x->op == COND_AND ? both(a->range, b->range) : either(a->range, b->range);
            a->truth = a->truth && b->truth;
        } else if (x->op == COND_NOT) {
            stack[n - 1].range = outside(stack[n - 1].range, stack[n - 1].truth);
        } else {
            stack[n++] = is_about(w, x, channel)
                             ? (struct about){range_of(x->cmp, x->value, x->truth), x->truth}
                             : (struct about){.range = {.known = false}};
        }
    }
    return n == 1 ? stack[0].range : (struct range){.known = false};
}

enum truth { NO, YES, MAYBE };

static enum truth atom_truth(const struct cond_node *x, const struct range *value)
{
    bool not_equal = x->cmp == LANG_NE && !x->truth;
    struct range r = range_of(not_equal ? LANG_EQ : x->cmp, x->value, x->truth);
    enum truth t = !ranges_meet(value, &r) ? NO : inside(value, &r) ? YES : MAYBE;
    if (not_equal)
        t = t == NO ? YES : t == YES ? NO : MAYBE;
    return t;
}

bool cond_possible(const struct graph_work *w, const struct cond *c, uint32_t channel,
                   const struct range *value)
{
    enum truth stack[COND_NODES_MAX] = {NO};
    size_t n = 0;
    if (!value->known)
        return true;
    for (size_t i = 0; c && i < c->nodes.n; i++) {
        const struct cond_node *x = &c->nodes.v[i];
        ASSERT(n < COND_NODES_MAX && n >= operands(x->op));
        if (x->op == COND_AND || x->op == COND_OR) {
            enum truth decides = x->op == COND_AND ? NO : YES, *a = &stack[n - 2];
            enum truth b = stack[n - 1];
            *a = *a == decides || b == decides ? decides : *a == MAYBE || b == MAYBE ? MAYBE : *a;
            n--;
        } else if (x->op == COND_NOT) {
            stack[n - 1] = stack[n - 1] == NO ? YES : stack[n - 1] == YES ? NO : MAYBE;
        } else {
            stack[n++] = is_about(w, x, channel) ? atom_truth(x, value) : MAYBE;
        }
    }
    return n != 1 || stack[0] != NO;
}

bool graph_wakes(const struct graph_work *w, const struct link *out, const struct link *in)
{
    const struct graph_node *n = &w->g->nodes.v[in->node];
    return !in->looks || n->trigger != TRIGGER_WHEN ||
           cond_possible(w, n->condition, out->channel, &out->value);
}
