/* eval_fixture: a plain evaluator of the checked tree, for tests alone. It shares nothing with the
 * compiler or the machine but the tree itself and how values look, so where the two differ one of
 * them is wrong.
 *
 * What it knows: ints, floats, bools, optionals, lists, records, closures, and all statements that
 * do not wait. Data lives in one arena and is never freed. A trap is only that: why is the
 * machine's to say. */
#pragma once

#include "lang/check_internal.h"

#include <math.h>
#include <stdlib.h>

#define EVAL_STEPS 20000u
#define EVAL_DEPTH 60u
#define EVAL_VARS  8u

struct eval_list {
    union lang_slot *v;
    size_t n, cap;
};
struct eval_closure {
    const struct fn_decl *fn;
    union lang_slot *captured;
};

enum eval_flow { EVAL_ON, EVAL_BREAK, EVAL_CONTINUE, EVAL_RETURN };

struct eval {
    struct lang_ctx *c; /* memory */
    union lang_slot vars[EVAL_VARS];
    uint32_t steps, depth;
    bool trap, endless;
    /* of the function at hand */
    union lang_slot *locals;
    const struct lang_type *result_type;
    union lang_slot result;
};

static inline union lang_slot eval_expr(struct eval *v, const struct expr *e,
                                        const struct lang_type *want);
static inline enum eval_flow eval_stmts(struct eval *v, const struct stmt_list *list);

static inline union lang_slot eval_trap(struct eval *v)
{
    v->trap = true;
    return (union lang_slot){0};
}

static inline bool eval_step(struct eval *v)
{
    if (v->steps++ >= EVAL_STEPS)
        v->trap = v->endless = true;
    return !v->trap;
}

static inline struct eval_list *eval_list_of(union lang_slot s)
{
    return (struct eval_list *)(void *)s.o;
}

static inline union lang_slot eval_obj(void *p)
{
    return (union lang_slot){.o = (struct obj *)p};
}

static inline union lang_slot eval_none(const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_BOOL: return (union lang_slot){.i = 2};
    case LANG_TYPE_INT: return (union lang_slot){.i = INT64_MIN};
    case LANG_TYPE_FLOAT: return (union lang_slot){.f = (double)NAN};
    default: return (union lang_slot){0};
    }
}

static inline bool eval_is_none(const struct lang_type *t, union lang_slot s)
{
    switch (t->kind) {
    case LANG_TYPE_BOOL: return s.i == 2;
    case LANG_TYPE_INT: return s.i == INT64_MIN;
    case LANG_TYPE_FLOAT: return isnan(s.f);
    default: return s.o == NULL;
    }
}

/* ---- lists ------------------------------------------------------------------------------- */

static inline void eval_push(struct eval *v, struct eval_list *l, union lang_slot x)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        union lang_slot *more = ctx_tree_array(v->c, cap, sizeof(*more));
        for (size_t i = 0; i < l->n; i++)
            more[i] = l->v[i];
        l->v = more;
        l->cap = cap;
    }
    l->v[l->n++] = x;
}

static inline struct eval_list *eval_list_new(struct eval *v)
{
    return ctx_tree_new(v->c, sizeof(struct eval_list));
}

static inline union lang_slot *eval_element(struct eval *v, union lang_slot list, union lang_slot i)
{
    struct eval_list *l = eval_list_of(list);
    if (v->trap || !l || i.i < 0 || (size_t)i.i >= l->n) {
        (void)eval_trap(v);
        return NULL;
    }
    return &l->v[i.i];
}

static inline bool eval_equal(const struct lang_type *t, union lang_slot a, union lang_slot b)
{
    if (t->kind == LANG_TYPE_FLOAT)
        return a.f == b.f;
    if (t->kind != LANG_TYPE_LIST)
        return a.i == b.i;
    const struct eval_list *x = eval_list_of(a), *y = eval_list_of(b);
    bool same = x->n == y->n;
    for (size_t i = 0; i < x->n && same; i++)
        same = eval_equal(&t->args[0], x->v[i], y->v[i]);
    return same;
}

/* ---- calls ------------------------------------------------------------------------------- */

static inline union lang_slot eval_call(struct eval *v, const struct fn_decl *fn,
                                        const union lang_slot *args,
                                        const union lang_slot *captured)
{
    if (v->trap)
        return (union lang_slot){0};
    if (v->depth >= EVAL_DEPTH) {
        v->endless = true; /* the machine counts its own depth */
        return eval_trap(v);
    }
    union lang_slot *outer = v->locals;
    const struct lang_type *result_type = v->result_type;
    v->locals = ctx_tree_array(v->c, fn->locals_n + 1, sizeof(*v->locals));
    for (size_t i = 0; i < fn->params_n; i++)
        v->locals[i] = args[i];
    for (size_t i = 0; i < fn->captures_n; i++)
        v->locals[fn->params_n + i] = captured[i];
    v->result_type = &fn->result_type;
    v->depth++;
    (void)eval_stmts(v, &fn->body);
    v->depth--;
    v->locals = outer;
    v->result_type = result_type;
    return v->result;
}

static inline union lang_slot eval_closure_new(struct eval *v, const struct expr *e)
{
    struct eval_closure *c = ctx_tree_new(v->c, sizeof(*c));
    c->fn = e->fn;
    c->captured = ctx_tree_array(v->c, e->fn->captures_n + 1, sizeof(*c->captured));
    for (size_t i = 0; i < e->fn->captures_n; i++)
        c->captured[i] = v->locals[e->fn->captures[i]];
    return eval_obj(c);
}

static inline union lang_slot eval_apply(struct eval *v, union lang_slot f, union lang_slot x)
{
    const struct eval_closure *c = (const struct eval_closure *)(const void *)f.o;
    return v->trap ? x : eval_call(v, c->fn, &x, c->captured);
}

static inline union lang_slot eval_least(struct eval *v, const struct expr *e, bool least)
{
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    union lang_slot r = eval_expr(v, e->list.v[0], &e->type);
    for (size_t i = 1; i < e->list.n; i++) {
        union lang_slot x = eval_expr(v, e->list.v[i], &e->type);
        if (real && (isnan(r.f) || isnan(x.f)))
            r.f = (double)NAN;
        else if (real ? (x.f < r.f) == least && x.f != r.f : (x.i < r.i) == least && x.i != r.i)
            r = x;
    }
    return r;
}

static inline union lang_slot eval_to_int(struct eval *v, double x)
{
    if (!(fabs(x) < 9.2e18))
        return eval_trap(v);
    return (union lang_slot){.i = (int64_t)x};
}

static inline union lang_slot eval_builtin(struct eval *v, const struct expr *e)
{
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    const struct lang_type f = {.kind = LANG_TYPE_FLOAT};
    if (e->builtin == BUILTIN_MIN || e->builtin == BUILTIN_MAX)
        return eval_least(v, e, e->builtin == BUILTIN_MIN);
    union lang_slot x = eval_expr(v, e->list.v[0], real || e->builtin == BUILTIN_INT ? &f : NULL);
    switch (e->builtin) {
    case BUILTIN_ABS:
        if (real)
            x.f = fabs(x.f);
        else if (x.i == INT64_MIN)
            return eval_trap(v);
        else
            x.i = x.i < 0 ? -x.i : x.i;
        return x;
    case BUILTIN_INT: return v->trap ? x : eval_to_int(v, trunc(x.f));
    case BUILTIN_FLOOR: return (union lang_slot){.f = floor(x.f)};
    case BUILTIN_SQRT: return (union lang_slot){.f = sqrt(x.f)};
    case BUILTIN_FLOAT: return x;
    default: break;
    }
    struct eval_list *l = eval_list_new(v); /* list(n, x) */
    union lang_slot fill = eval_expr(v, e->list.v[1], &e->type.args[0]);
    if (x.i < 0)
        return eval_trap(v);
    for (int64_t i = 0; i < x.i && !v->trap; i++)
        if (eval_step(v))
            eval_push(v, l, fill);
    return eval_obj(l);
}

static inline union lang_slot eval_fn_call(struct eval *v, const struct expr *e)
{
    union lang_slot args[CODE_ARGS_MAX], f = {0};
    if (e->ref == REF_BUILTIN)
        return eval_builtin(v, e);
    if (e->ref == REF_VALUE)
        f = eval_expr(v, e->a, NULL);
    for (size_t i = 0; i < e->list.n; i++)
        args[i] = eval_expr(v, e->list.v[i],
                            e->ref == REF_FN ? &e->fn->param_types[i].type : &e->a->type.args[i]);
    if (v->trap)
        return f;
    if (e->ref == REF_FN)
        return eval_call(v, e->fn, args, NULL);
    const struct eval_closure *c = (const struct eval_closure *)(const void *)f.o;
    return eval_call(v, c->fn, args, c->captured);
}

/* ---- methods ------------------------------------------------------------------------------ */

static inline union lang_slot eval_walk(struct eval *v, const struct expr *e, union lang_slot list)
{
    struct eval_list *l = eval_list_of(list), *out = eval_list_new(v);
    union lang_slot f = eval_expr(v, e->list.v[0], NULL), r;
    for (size_t i = 0; !v->trap && i < l->n; i++) {
        union lang_slot x = l->v[i];
        r = eval_apply(v, f, x);
        if (!eval_step(v))
            break;
        if (e->method == METHOD_ANY && r.i == 1)
            return (union lang_slot){.i = 1};
        if (e->method == METHOD_ALL && r.i != 1)
            return (union lang_slot){.i = 0};
        if (e->method == METHOD_MAP)
            eval_push(v, out, r);
        else if (e->method == METHOD_FILTER && r.i == 1)
            eval_push(v, out, x);
    }
    if (e->method == METHOD_ANY || e->method == METHOD_ALL)
        return (union lang_slot){.i = e->method == METHOD_ALL};
    return eval_obj(out);
}

static inline union lang_slot eval_method(struct eval *v, const struct expr *e)
{
    union lang_slot a = eval_expr(v, e->a, NULL), x = {0};
    struct eval_list *l = eval_list_of(a);
    const struct lang_type *t = &e->a->type.args[0];
    if (v->trap)
        return x;
    if (e->method >= METHOD_MAP && e->method <= METHOD_ALL)
        return eval_walk(v, e, a);
    if (e->list.n > 0)
        x = eval_expr(v, e->list.v[0], e->method == METHOD_GET ? NULL : t);
    if (v->trap)
        return x;
    switch (e->method) {
    case METHOD_LEN: return (union lang_slot){.i = (int64_t)l->n};
    case METHOD_PUSH: eval_push(v, l, x); return x;
    case METHOD_POP: return l->n ? l->v[--l->n] : eval_none(t);
    case METHOD_FIRST: return l->n ? l->v[0] : eval_none(t);
    case METHOD_LAST: return l->n ? l->v[l->n - 1] : eval_none(t);
    case METHOD_GET: return x.i >= 0 && (size_t)x.i < l->n ? l->v[x.i] : eval_none(t);
    case METHOD_CONTAINS:
        for (size_t i = 0; i < l->n; i++)
            if (eval_equal(t, l->v[i], x))
                return (union lang_slot){.i = 1};
        return (union lang_slot){.i = 0};
    default: return eval_trap(v);
    }
}

/* ---- operators ----------------------------------------------------------------------------- */

static inline union lang_slot eval_ints(struct eval *v, enum expr_op op, int64_t a, int64_t b)
{
    union lang_slot r = {0};
    bool over = false;
    switch (op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &r.i); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &r.i); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &r.i); break;
    case OP_DIV:
        over = b == 0 || (a == INT64_MIN && b == -1);
        r.i = over ? 0 : a / b;
        break;
    default:
        over = b == 0;
        r.i = over || b == -1 ? 0 : a % b;
        break;
    }
    return over ? eval_trap(v) : r;
}

static inline double eval_floats(enum expr_op op, double a, double b)
{
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    default: return fmod(a, b);
    }
}

static inline bool eval_order(enum expr_op op, bool less, bool equal, bool greater)
{
    switch (op) {
    case OP_EQ: return equal;
    case OP_NE: return !equal;
    case OP_LT: return less;
    case OP_LE: return less || equal;
    case OP_GT: return greater;
    default: return greater || equal;
    }
}

static inline union lang_slot eval_compare(struct eval *v, const struct expr *e)
{
    const struct expr *none = e->b->kind == E_NONE ? e->a : e->a->kind == E_NONE ? e->b : NULL;
    const struct lang_type f = {.kind = LANG_TYPE_FLOAT};
    union lang_slot r = {0};
    if (none) {
        union lang_slot x = eval_expr(v, none, NULL);
        r.i = eval_is_none(&none->type, x) == (e->op == OP_EQ);
        return r;
    }
    bool real = e->a->type.kind == LANG_TYPE_FLOAT || e->b->type.kind == LANG_TYPE_FLOAT;
    union lang_slot a = eval_expr(v, e->a, real ? &f : NULL);
    union lang_slot b = eval_expr(v, e->b, real ? &f : NULL);
    if (v->trap)
        return r;
    if (real)
        r.i = eval_order(e->op, a.f<b.f, a.f == b.f, a.f> b.f);
    else if (e->op == OP_EQ || e->op == OP_NE)
        r.i = eval_equal(&e->a->type, a, b) == (e->op == OP_EQ);
    else
        r.i = eval_order(e->op, a.i<b.i, a.i == b.i, a.i> b.i);
    return r;
}

static inline union lang_slot eval_binary(struct eval *v, const struct expr *e)
{
    union lang_slot a, r = {0};
    if (e->op <= OP_GE)
        return eval_compare(v, e);
    if (e->op == OP_AND || e->op == OP_OR) {
        a = eval_expr(v, e->a, NULL);
        return v->trap || (a.i == 1) == (e->op == OP_OR) ? a : eval_expr(v, e->b, NULL);
    }
    if (e->op == OP_COALESCE) {
        a = eval_expr(v, e->a, &e->type);
        return v->trap || !eval_is_none(&e->type, a) ? a : eval_expr(v, e->b, &e->type);
    }
    if (e->op == OP_IN) {
        a = eval_expr(v, e->a, &e->b->type.args[0]);
        struct eval_list *l = eval_list_of(eval_expr(v, e->b, NULL));
        for (size_t i = 0; !v->trap && i < l->n; i++)
            r.i = r.i || eval_equal(&e->b->type.args[0], l->v[i], a);
        return r;
    }
    a = eval_expr(v, e->a, &e->type);
    union lang_slot b = eval_expr(v, e->b, &e->type);
    if (v->trap)
        return r;
    if (e->type.kind == LANG_TYPE_INT)
        return eval_ints(v, e->op, a.i, b.i);
    r.f = eval_floats(e->op, a.f, b.f);
    return r;
}

/* ---- expressions --------------------------------------------------------------------------- */

static inline union lang_slot eval_items(struct eval *v, const struct expr *e)
{
    struct eval_list *l = eval_list_new(v); /* a record is a list of its fields */
    for (size_t i = 0; i < e->list.n; i++)
        eval_push(v, l,
                  eval_expr(v, e->list.v[i],
                            e->kind == E_RECORD ? &e->type.def->fields[i].type : &e->type.args[0]));
    return eval_obj(l);
}

static inline union lang_slot eval_if(struct eval *v, const struct expr *e,
                                      const struct lang_type *want)
{
    union lang_slot c = eval_expr(v, e->a, NULL);
    bool yes = c.i == 1;
    if (e->bind.text.n > 0) {
        yes = !eval_is_none(&e->a->type, c);
        v->locals[e->local] = c;
    }
    return v->trap ? c : eval_expr(v, yes ? e->b : e->otherwise, want ? want : &e->type);
}

static inline union lang_slot eval_plain(struct eval *v, const struct expr *e,
                                         const struct lang_type *want)
{
    union lang_slot a, *at;
    switch (e->kind) {
    case E_NONE: return eval_none(want ? want : &e->type);
    case E_PATH: return e->ref == REF_VAR ? v->vars[e->index] : v->locals[e->index];
    case E_CALL: return eval_fn_call(v, e);
    case E_NOT: a = eval_expr(v, e->a, NULL); return (union lang_slot){.i = a.i != 1};
    case E_NEG:
        a = eval_expr(v, e->a, NULL);
        if (e->type.kind == LANG_TYPE_FLOAT)
            return (union lang_slot){.f = -a.f};
        return v->trap ? a : eval_ints(v, OP_SUB, 0, a.i);
    case E_BINARY: return eval_binary(v, e);
    case E_INDEX:
        a = eval_expr(v, e->a, NULL);
        at = eval_element(v, a, eval_expr(v, e->b, NULL));
        return at ? *at : a;
    case E_FIELD: a = eval_expr(v, e->a, NULL); return v->trap ? a : eval_list_of(a)->v[e->field];
    case E_METHOD: return eval_method(v, e);
    case E_LIST:
    case E_RECORD: return eval_items(v, e);
    case E_IF: return eval_if(v, e, want);
    case E_LAMBDA: return eval_closure_new(v, e);
    default: return eval_trap(v);
    }
}

static inline union lang_slot eval_expr(struct eval *v, const struct expr *e,
                                        const struct lang_type *want)
{
    if (!eval_step(v))
        return (union lang_slot){0};
    union lang_slot r = e->constant && e->kind != E_NONE ? e->value : eval_plain(v, e, want);
    if (v->trap || !want)
        return r;
    if (want->kind == LANG_TYPE_FLOAT && e->type.kind == LANG_TYPE_INT && e->kind != E_NONE &&
        e->kind != E_IF)
        r.f = e->type.optional && r.i == INT64_MIN ? (double)NAN : (double)r.i;
    else if (want->kind == LANG_TYPE_FLOAT && e->kind == E_IF && e->type.kind == LANG_TYPE_INT)
        return r; /* its branches were wanted as floats */
    else if (want->optional && want->kind == LANG_TYPE_INT && !e->type.optional &&
             e->kind != E_NONE && r.i == INT64_MIN)
        return eval_trap(v);
    return r;
}

/* ---- statements ---------------------------------------------------------------------------- */

static inline union lang_slot *eval_place(struct eval *v, const struct expr *t)
{
    union lang_slot a;
    switch (t->kind) {
    case E_FIELD:
        a = eval_expr(v, t->a, NULL);
        return v->trap ? NULL : &eval_list_of(a)->v[t->field];
    case E_INDEX: a = eval_expr(v, t->a, NULL); return eval_element(v, a, eval_expr(v, t->b, NULL));
    default: return t->ref == REF_VAR ? &v->vars[t->index] : &v->locals[t->index];
    }
}

/* The target is found before the value is computed; the list may grow meanwhile. */
static inline void eval_assign(struct eval *v, const struct stmt *s)
{
    const struct lang_type *t = &s->target->type;
    union lang_slot list = {0}, i = {0}, now = {0}, *at;
    if (s->target->kind == E_INDEX) {
        list = eval_expr(v, s->target->a, NULL);
        i = eval_expr(v, s->target->b, NULL);
    } else if (s->target->kind == E_FIELD) {
        list = eval_expr(v, s->target->a, NULL);
        i.i = s->target->field;
    }
    bool name = s->target->kind == E_PATH;
    if (s->op != OP_EQ) {
        at = name ? eval_place(v, s->target) : eval_element(v, list, i);
        now = at ? *at : list;
    }
    union lang_slot x = eval_expr(v, s->value, t);
    if (v->trap)
        return;
    if (s->op != OP_EQ && t->kind == LANG_TYPE_INT)
        x = eval_ints(v, s->op, now.i, x.i);
    else if (s->op != OP_EQ)
        x.f = eval_floats(s->op, now.f, x.f);
    at = name ? eval_place(v, s->target) : eval_element(v, list, i);
    if (at && !v->trap)
        *at = x;
}

static inline bool eval_loop(struct eval *v, const struct stmt *s, enum eval_flow *flow)
{
    *flow = eval_stmts(v, &s->body);
    bool on = (*flow == EVAL_ON || *flow == EVAL_CONTINUE) && eval_step(v);
    if (*flow != EVAL_RETURN)
        *flow = EVAL_ON;
    return on;
}

static inline enum eval_flow eval_for(struct eval *v, const struct stmt *s)
{
    enum eval_flow flow = EVAL_ON;
    union lang_slot a = eval_expr(v, s->value, NULL), end = {0};
    if (s->range) {
        end = eval_expr(v, s->value2, NULL);
        for (; !v->trap && a.i < end.i; a.i++) {
            v->locals[s->local] = a;
            if (!eval_loop(v, s, &flow))
                break;
        }
        return flow;
    }
    bool two = s->name2.text.n > 0;
    struct eval_list *l = eval_list_of(a);
    for (size_t i = 0; !v->trap && i < l->n; i++) {
        v->locals[two ? s->local2 : s->local] = l->v[i];
        if (two)
            v->locals[s->local].i = (int64_t)i;
        if (!eval_loop(v, s, &flow))
            break;
    }
    return flow;
}

static inline bool eval_fits(struct eval *v, const struct pattern *p, const struct lang_type *t,
                             union lang_slot x)
{
    union lang_slot a, b;
    switch (p->kind) {
    case PATTERN_ANY: return true;
    case PATTERN_NONE: return eval_is_none(t, x);
    case PATTERN_SOME: return !eval_is_none(t, x);
    case PATTERN_VALUE: a = eval_expr(v, p->a, t); return eval_equal(t, a, x);
    default: break;
    }
    a = eval_expr(v, p->a, t);
    b = eval_expr(v, p->b, t);
    return t->kind == LANG_TYPE_FLOAT ? x.f >= a.f && x.f < b.f : x.i >= a.i && x.i < b.i;
}

static inline enum eval_flow eval_match(struct eval *v, const struct stmt *s)
{
    union lang_slot x = eval_expr(v, s->value, NULL);
    for (size_t i = 0; !v->trap && i < s->arms_n; i++) {
        const struct arm *a = &s->arms[i];
        for (size_t q = 0; q < a->patterns_n; q++) {
            if (!eval_fits(v, &a->patterns[q], &s->value->type, x))
                continue;
            if (a->patterns[q].kind == PATTERN_SOME)
                v->locals[a->patterns[q].local] = x;
            return eval_stmts(v, &a->body);
        }
    }
    return EVAL_ON;
}

static inline enum eval_flow eval_stmt(struct eval *v, const struct stmt *s)
{
    union lang_slot x;
    enum eval_flow flow = EVAL_ON;
    switch (s->kind) {
    case S_LET:
        x = eval_expr(v, s->value, &s->local_type);
        v->locals[s->local] = x;
        return flow;
    case S_ASSIGN: eval_assign(v, s); return flow;
    case S_CALL: (void)eval_expr(v, s->value, NULL); return flow;
    case S_BREAK: return EVAL_BREAK;
    case S_CONTINUE: return EVAL_CONTINUE;
    case S_FOR: return eval_for(v, s);
    case S_MATCH: return eval_match(v, s);
    case S_RETURN:
        if (s->value)
            v->result = eval_expr(v, s->value, v->result_type);
        return EVAL_RETURN;
    case S_IF:
        x = eval_expr(v, s->value, NULL);
        if (v->trap)
            return flow;
        if (s->if_let) {
            v->locals[s->local] = x;
            x.i = !eval_is_none(&s->value->type, x);
        }
        return eval_stmts(v, x.i == 1 ? &s->body : &s->otherwise);
    case S_LOOP:
        while (eval_loop(v, s, &flow))
            ;
        return flow;
    case S_WHILE:
        while (eval_expr(v, s->value, NULL).i == 1 && !v->trap && eval_loop(v, s, &flow))
            ;
        return flow;
    default: (void)eval_trap(v); return flow;
    }
}

static inline enum eval_flow eval_stmts(struct eval *v, const struct stmt_list *list)
{
    enum eval_flow flow = EVAL_ON;
    for (size_t i = 0; i < list->n && flow == EVAL_ON && eval_step(v); i++)
        flow = eval_stmt(v, list->v[i]);
    return v->trap ? EVAL_RETURN : flow;
}
