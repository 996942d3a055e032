/* The plain evaluator: statements, and bodies as turns. */
#include "lang/eval_test.h"

static enum eval_flow stmt(struct eval *v, const struct stmt *s);

enum eval_flow eval_stmts(struct eval *v, const struct stmt_list *list)
{
    enum eval_flow flow = EVAL_NEXT;
    for (size_t i = 0; i < list->n && flow == EVAL_NEXT; i++)
        flow = stmt(v, list->v[i]);
    return flow;
}

/* ---- assignments ------------------------------------------------------------------------ */

static struct expr operation(const struct stmt *s, struct expr *now)
{
    return (struct expr){.kind = E_BINARY, .op = s->op, .a = now, .b = s->value, .type = now->type};
}

/* The value that is stored: `now op value`, or the value alone. */
static struct value stored(struct eval *v, const struct stmt *s, struct value now)
{
    const struct lang_type *t = &s->target->type;
    if (s->op == OP_EQ)
        return eval_as(v, s->value, t);
    uint32_t held = LANG_LOCALS_MAX; /* a place that no local has */
    v->locals[held] = now;
    struct expr x = {.kind = E_PATH, .ref = REF_LOCAL, .index = held, .type = *t};
    struct expr sum = operation(s, &x);
    return eval_as(v, &sum, t);
}

static void assign_index(struct eval *v, const struct stmt *s)
{
    const struct expr *t = s->target;
    struct value all = eval_expr(v, t->a);
    if (all.kind == VALUE_MAP) {
        struct value key = eval_as(v, t->b, &t->a->type.args[0]);
        data_put(v, all.data, key, stored(v, s, (struct value){0}));
        return;
    }
    int64_t at = eval_expr(v, t->b).i;
    bool there = (uint64_t)at < all.data->all.n;
    struct value x = {0};
    if (s->op == OP_EQ || there)
        x = stored(v, s, there ? all.data->all.v[at].value : x);
    if ((uint64_t)at >= all.data->all.n)
        eval_trap(v, "there is no element %lld in a list of %zu", (long long)at, all.data->all.n);
    all.data->all.v[at].value = x;
}

static void assign(struct eval *v, const struct stmt *s)
{
    const struct expr *t = s->target;
    if (t->kind == E_INDEX) {
        assign_index(v, s);
    } else if (t->kind == E_FIELD) {
        struct value r = eval_expr(v, t->a);
        struct value x = stored(v, s, r.data->all.v[t->field].value);
        r.data->all.v[t->field].value = x;
    } else {
        struct value *at = t->ref == REF_VAR ? &v->vars[t->index] : &v->locals[t->index];
        struct value x = stored(v, s, *at);
        *at = x;
    }
}

/* ---- loops ------------------------------------------------------------------------------ */

/* One time through the body; false if the loop ends, with what to do then in *flow. */
static bool turn(struct eval *v, const struct stmt *s, enum eval_flow *flow)
{
    *flow = eval_stmts(v, &s->body);
    bool on = *flow == EVAL_NEXT || *flow == EVAL_CONTINUE;
    if (*flow != EVAL_RETURN)
        *flow = EVAL_NEXT;
    return on;
}

static enum eval_flow over_range(struct eval *v, const struct stmt *s)
{
    enum eval_flow flow = EVAL_NEXT;
    int64_t from = eval_expr(v, s->value).i, to = eval_expr(v, s->value2).i;
    for (int64_t i = from; i < to; i++) {
        v->locals[s->local] = value_int(i);
        if (!turn(v, s, &flow))
            break;
    }
    return flow;
}

/* Elements that come while it runs are walked through, too. */
static enum eval_flow over_data(struct eval *v, const struct stmt *s)
{
    enum eval_flow flow = EVAL_NEXT;
    struct value all = eval_expr(v, s->value);
    bool two = s->name2.text.n > 0;
    for (size_t i = 0; i < all.data->all.n; i++) {
        const struct entry *e = &all.data->all.v[i];
        if (e->gone)
            continue;
        bool map = all.kind == VALUE_MAP;
        v->locals[s->local] = map ? e->key : two ? value_int((int64_t)i) : e->value;
        if (two)
            v->locals[s->local2] = e->value;
        if (!turn(v, s, &flow))
            break;
    }
    return flow;
}

static enum eval_flow endless(struct eval *v, const struct stmt *s)
{
    enum eval_flow flow = EVAL_NEXT;
    while (s->kind == S_LOOP || eval_expr(v, s->value).i == 1)
        if (!turn(v, s, &flow))
            break;
    return flow;
}

/* ---- match ------------------------------------------------------------------------------ */

static bool fits(struct eval *v, const struct pattern *p, struct value x)
{
    switch (p->kind) {
    case PATTERN_ANY: return true;
    case PATTERN_NONE: return value_none(x);
    case PATTERN_SOME: return !value_none(x);
    case PATTERN_VALUE: return !value_none(x) && value_equal(x, eval_expr(v, p->a));
    case PATTERN_RANGE: return x.i >= eval_expr(v, p->a).i && x.i < eval_expr(v, p->b).i;
    }
    return false;
}

static enum eval_flow match(struct eval *v, const struct stmt *s)
{
    struct value x = eval_expr(v, s->value);
    for (size_t i = 0; i < s->arms_n; i++)
        for (size_t q = 0; q < s->arms[i].patterns_n; q++) {
            const struct pattern *p = &s->arms[i].patterns[q];
            if (!fits(v, p, x))
                continue;
            if (p->kind == PATTERN_SOME)
                v->locals[p->local] = x;
            return eval_stmts(v, &s->arms[i].body);
        }
    return EVAL_NEXT;
}

/* ---- all of them ------------------------------------------------------------------------ */

static enum eval_flow branch(struct eval *v, const struct stmt *s)
{
    struct value x = eval_expr(v, s->value);
    bool yes = s->if_let ? !value_none(x) : x.i == 1;
    if (s->if_let && yes)
        v->locals[s->local] = x;
    return eval_stmts(v, yes ? &s->body : &s->otherwise);
}

static enum eval_flow stmt(struct eval *v, const struct stmt *s)
{
    switch (s->kind) {
    case S_LET: v->locals[s->local] = eval_as(v, s->value, &s->local_type); return EVAL_NEXT;
    case S_ASSIGN: assign(v, s); return EVAL_NEXT;
    case S_CALL: (void)eval_expr(v, s->value); return EVAL_NEXT;
    case S_IF: return branch(v, s);
    case S_WHILE:
    case S_LOOP: return endless(v, s);
    case S_FOR: return s->range ? over_range(v, s) : over_data(v, s);
    case S_MATCH: return match(v, s);
    case S_BREAK: return EVAL_BREAK;
    case S_CONTINUE: return EVAL_CONTINUE;
    case S_RETURN:
        v->result = s->value ? eval_expr(v, s->value) : (struct value){0};
        return EVAL_RETURN;
    case S_HOST: strbuf_addf(v->said, "%.*s;", STR_FMT(eval_expr(v, s->value).s)); return EVAL_NEXT;
    default: ASSERT(!"a statement that is not evaluated here"); return EVAL_NEXT;
    }
}

/* ---- turns ------------------------------------------------------------------------------ */

bool eval_body(struct eval *v, const struct stmt_list *body, size_t vars_n)
{
    struct value *before = ctx_array(v->c, vars_n, sizeof(*before));
    values_copy(v, before, v->vars, vars_n);
    struct value locals[LANG_LOCALS_MAX + CODE_ARGS_MAX] = {{0}};
    v->locals = locals;
    v->steps = v->depth = 0;
    v->why[0] = '\0';
    v->gave_up = false;
    if (setjmp(v->out) != 0) {
        v->vars = before;
        return false;
    }
    (void)eval_stmts(v, body);
    return true;
}

static void init_vars(struct eval *v, const struct item_list *items,
                      const struct lang_program *program)
{
    size_t n = 0;
    for (size_t i = 0; i < items->n; i++)
        if (items->v[i]->kind == I_VAR) {
            v->vars[n] = eval_as(v, items->v[i]->value, &program->vars[n].type);
            n++;
        }
}

bool eval_vars(struct eval *v, const struct item_list *items, const struct lang_program *program,
               struct value *vars)
{
    v->vars = vars;
    v->steps = v->depth = 0;
    if (setjmp(v->out) != 0)
        return false;
    init_vars(v, items, program);
    return true;
}
