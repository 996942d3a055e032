/* The plain evaluator: expressions. */
#include "lang/eval_test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define EVAL_DEPTH_MAX 64u

void eval_trap(struct eval *v, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
    va_end(ap);
    longjmp(v->out, 1);
}

static void step(struct eval *v)
{
    if (++v->steps <= EVAL_STEPS_MAX)
        return;
    v->gave_up = true;
    longjmp(v->out, 1);
}

struct value eval_fit(struct eval *v, struct value x, const struct lang_type *type)
{
    if (type->kind == LANG_TYPE_FLOAT && x.kind == VALUE_INT)
        return (struct value){VALUE_FLOAT, {.f = (double)x.i}};
    if (type->kind == LANG_TYPE_FLOAT && x.kind == VALUE_NONE)
        return (struct value){VALUE_FLOAT, {.f = NAN}};
    if (type->kind == LANG_TYPE_INT && type->optional && x.kind == VALUE_INT && x.i == INT64_MIN)
        eval_trap(v, "a whole number became too large");
    return x;
}

struct value eval_as(struct eval *v, const struct expr *e, const struct lang_type *type)
{
    return eval_fit(v, eval_expr(v, e), type);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static int64_t int_operation(struct eval *v, enum expr_op op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool over = false;
    switch (op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &r); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &r); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &r); break;
    default:
        if (b == 0)
            eval_trap(v, "division by zero");
        if (b == -1 && op == OP_DIV)
            over = __builtin_sub_overflow((int64_t)0, a, &r);
        else if (b != -1)
            r = op == OP_DIV ? a / b : a % b;
    }
    if (over || r == INT64_MIN) /* which stands for none */
        eval_trap(v, "a whole number became too large");
    return r;
}

static double float_operation(enum expr_op op, double a, double b)
{
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    default: return fmod(a, b);
    }
}

static double as_float(struct value x)
{
    return x.kind == VALUE_INT ? (double)x.i : x.kind == VALUE_NONE ? (double)NAN : x.f;
}

static struct value arithmetic(struct eval *v, enum expr_op op, struct value a, struct value b)
{
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return value_int(int_operation(v, op, a.i, b.i));
    double f = float_operation(op, as_float(a), as_float(b));
    return (struct value){VALUE_FLOAT, {.f = f}};
}

static bool ordered(enum expr_op op, int less, bool unordered)
{
    switch (op) {
    case OP_LT: return !unordered && less < 0;
    case OP_LE: return !unordered && less <= 0;
    case OP_GT: return !unordered && less > 0;
    default: return !unordered && less >= 0;
    }
}

static struct value comparison(enum expr_op op, struct value a, struct value b)
{
    if (op == OP_EQ || op == OP_NE) {
        bool none = a.kind == VALUE_NONE || b.kind == VALUE_NONE;
        bool same = none ? value_none(a) && value_none(b) : value_equal(a, b);
        return value_bool(same == (op == OP_EQ));
    }
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return value_bool(ordered(op, a.i < b.i ? -1 : a.i > b.i, false));
    double x = as_float(a), y = as_float(b);
    return value_bool(ordered(op, x < y ? -1 : x > y, isnan(x) || isnan(y)));
}

/* ---- operators -------------------------------------------------------------------------- */

static bool truth(struct eval *v, const struct expr *e)
{
    return eval_expr(v, e).i == 1;
}

static struct value is_in(struct eval *v, const struct expr *e)
{
    struct value x = eval_expr(v, e->a), all = eval_expr(v, e->b);
    if (all.kind == VALUE_MAP)
        return value_bool(data_find(all.data, x) != NULL);
    for (size_t i = 0; i < all.data->all.n; i++)
        if (value_equal(all.data->all.v[i].value, x))
            return value_bool(true);
    return value_bool(false);
}

static struct value binary(struct eval *v, const struct expr *e)
{
    switch (e->op) {
    case OP_AND: return value_bool(truth(v, e->a) && truth(v, e->b));
    case OP_OR: return value_bool(truth(v, e->a) || truth(v, e->b));
    case OP_IN: return is_in(v, e);
    case OP_COALESCE: {
        struct value a = eval_as(v, e->a, &e->type);
        return value_none(a) ? eval_as(v, e->b, &e->type) : a;
    }
    default: break;
    }
    struct value a = eval_expr(v, e->a), b = eval_expr(v, e->b);
    return e->op <= OP_GE ? comparison(e->op, a, b) : arithmetic(v, e->op, a, b);
}

static struct value negative(struct eval *v, struct value x)
{
    if (x.kind == VALUE_INT)
        return value_int(int_operation(v, OP_SUB, 0, x.i));
    return (struct value){VALUE_FLOAT, {.f = -x.f}};
}

/* ---- names and data --------------------------------------------------------------------- */

static struct value constant(const struct expr *e)
{
    switch (e->type.kind) {
    case LANG_TYPE_BOOL: return value_bool(e->value.i);
    case LANG_TYPE_INT: return value_int(e->value.i);
    case LANG_TYPE_ENUM: return (struct value){VALUE_ENUM, {.i = e->value.i}};
    case LANG_TYPE_FLOAT: return (struct value){VALUE_FLOAT, {.f = e->value.f}};
    default: return value_str(e->text_value);
    }
}

static struct value path(struct eval *v, const struct expr *e)
{
    switch (e->ref) {
    case REF_LOCAL: return v->locals[e->index];
    case REF_VAR: return v->vars[e->index];
    default: ASSERT(e->constant); return constant(e);
    }
}

static struct value text(struct eval *v, const struct expr *e)
{
    struct strbuf out;
    strbuf_init(&out, &v->c->alloc, 0);
    for (size_t i = 0; i < e->list.n; i++) {
        const struct expr *part = e->list.v[i];
        if (part->kind == E_TEXT)
            strbuf_addstr(&out, part->text);
        else
            value_print(&out, eval_expr(v, part), &part->type, true);
    }
    return value_str(strbuf_str(&out));
}

static struct value element(struct eval *v, const struct expr *e)
{
    struct value all = eval_expr(v, e->a);
    if (all.kind == VALUE_MAP) {
        const struct entry *found = data_find(all.data, eval_as(v, e->b, &e->a->type.args[0]));
        return eval_fit(v, found ? found->value : (struct value){0}, &e->type);
    }
    int64_t at = eval_expr(v, e->b).i;
    if ((uint64_t)at >= all.data->all.n)
        eval_trap(v, "there is no element %lld in a list of %zu", (long long)at, all.data->all.n);
    return all.data->all.v[at].value;
}

static struct value list(struct eval *v, const struct expr *e)
{
    struct value x = {VALUE_LIST, {.data = data_new(v)}};
    for (size_t i = 0; i < e->list.n; i++)
        data_push(v, x.data, eval_as(v, e->list.v[i], &e->type.args[0]));
    return x;
}

/* All keys and values first: that is the order in which they stand. */
static struct value map(struct eval *v, const struct expr *e)
{
    struct value x = {VALUE_MAP, {.data = data_new(v)}};
    struct value *all = ctx_array(v->c, e->list.n, sizeof(*all));
    for (size_t i = 0; i < e->list.n; i++)
        all[i] = eval_as(v, e->list.v[i], &e->type.args[i % 2]);
    for (size_t i = 0; i + 1 < e->list.n; i += 2)
        data_put(v, x.data, all[i], all[i + 1]);
    return x;
}

static size_t field_of(const struct expr *e, size_t i)
{
    const struct lang_typedef *def = e->type.def;
    for (size_t f = 0; e->names && f < def->fields_n; f++)
        if (str_eq(def->fields[f].name, e->names[i].text))
            return f;
    return i;
}

static struct value record(struct eval *v, const struct expr *e)
{
    struct value x = {VALUE_RECORD, {.data = data_new(v)}};
    const struct lang_typedef *def = x.data->def = e->type.def;
    for (size_t i = 0; i < def->fields_n; i++)
        data_push(v, x.data, (struct value){0});
    for (size_t i = 0; i < e->list.n; i++) {
        size_t f = field_of(e, i);
        x.data->all.v[f].value = eval_as(v, e->list.v[i], &def->fields[f].type);
    }
    return x;
}

static struct value choice(struct eval *v, const struct expr *e)
{
    bool yes;
    if (e->name.text.n > 0) {
        struct value x = eval_expr(v, e->a);
        yes = !value_none(x);
        if (yes)
            v->locals[e->local] = x;
    } else {
        yes = truth(v, e->a);
    }
    return eval_as(v, yes ? e->b : e->otherwise, &e->type);
}

/* ---- functions -------------------------------------------------------------------------- */

static struct value lambda(struct eval *v, const struct expr *e)
{
    struct value x = {VALUE_FN, {.data = data_new(v)}};
    x.data->fn = e->fn;
    for (size_t i = 0; i < e->fn->captures_n; i++)
        data_push(v, x.data, v->locals[e->fn->captures[i]]);
    return x;
}

struct value eval_call_value(struct eval *v, struct value fn, const struct value *args, size_t n)
{
    struct value locals[CODE_ARGS_MAX + LANG_LOCALS_MAX];
    const struct data *d = fn.data;
    for (size_t i = 0; i < n; i++)
        locals[i] = args[i];
    for (size_t i = 0; i < d->all.n; i++)
        locals[n + i] = d->all.v[i].value;
    return eval_fn(v, d->fn, locals, n + d->all.n);
}

static struct value builtin(struct eval *v, const struct expr *e)
{
    struct value x = eval_expr(v, e->list.v[0]), y = {0};
    if (e->list.n > 1)
        y = eval_expr(v, e->list.v[1]);
    switch (e->builtin) {
    case BUILTIN_ABS:
        if (x.kind == VALUE_FLOAT)
            return (struct value){VALUE_FLOAT, {.f = fabs(x.f)}};
        return x.i >= 0 ? x : negative(v, x);
    case BUILTIN_MIN: return value_int(x.i < y.i ? x.i : y.i);
    case BUILTIN_MAX: return value_int(x.i > y.i ? x.i : y.i);
    case BUILTIN_FLOAT: return (struct value){VALUE_FLOAT, {.f = as_float(x)}};
    case BUILTIN_LIST: {
        struct value all = {VALUE_LIST, {.data = data_new(v)}};
        if (x.i < 0)
            eval_trap(v, "a list can't have %lld elements", (long long)x.i);
        for (int64_t i = 0; i < x.i; i++) {
            step(v);
            data_push(v, all.data, y);
        }
        return all;
    }
    default: ASSERT(!"a function that is not evaluated here"); return x;
    }
}

static struct value call(struct eval *v, const struct expr *e)
{
    struct value args[CODE_ARGS_MAX];
    if (e->ref == REF_BUILTIN)
        return builtin(v, e);
    struct value fn = e->ref == REF_VALUE ? eval_expr(v, e->a) : (struct value){0};
    for (size_t i = 0; i < e->list.n; i++)
        args[i] = eval_as(v, e->list.v[i],
                          e->ref == REF_VALUE ? &e->a->type.args[i] : &e->fn->param_types[i].type);
    if (e->ref == REF_VALUE)
        return eval_call_value(v, fn, args, e->list.n);
    ASSERT(e->ref == REF_FN);
    return eval_fn(v, e->fn, args, e->list.n);
}

/* ---- any -------------------------------------------------------------------------------- */

struct value eval_expr(struct eval *v, const struct expr *e)
{
    step(v);
    switch (e->kind) {
    case E_BOOL: return value_bool(e->integer);
    case E_INT: return value_int(e->integer);
    case E_NUMBER: return (struct value){VALUE_FLOAT, {.f = lang_unit_to_base(e->unit, e->number)}};
    case E_NONE: return (struct value){0};
    case E_STRING: return text(v, e);
    case E_PATH: return path(v, e);
    case E_CALL: return call(v, e);
    case E_METHOD: return eval_method(v, e);
    case E_NEG: return negative(v, eval_expr(v, e->a));
    case E_NOT: return value_bool(!truth(v, e->a));
    case E_BINARY: return binary(v, e);
    case E_INDEX: return element(v, e);
    case E_FIELD: return eval_expr(v, e->a).data->all.v[e->field].value;
    case E_LIST: return list(v, e);
    case E_MAP: return map(v, e);
    case E_RECORD: return record(v, e);
    case E_IF: return choice(v, e);
    case E_LAMBDA: return lambda(v, e);
    default: ASSERT(!"an expression that is not evaluated here"); return (struct value){0};
    }
}

struct value eval_fn(struct eval *v, const struct fn_decl *fn, const struct value *locals, size_t n)
{
    struct value own[LANG_LOCALS_MAX + CODE_ARGS_MAX] = {{0}}, *outer = v->locals;
    if (++v->depth > EVAL_DEPTH_MAX)
        eval_trap(v, "functions call each other too deeply");
    for (size_t i = 0; i < n; i++)
        own[i] = locals[i];
    v->locals = own;
    v->result = (struct value){0};
    (void)eval_stmts(v, &fn->body);
    v->locals = outer;
    v->depth--;
    return eval_fit(v, v->result, &fn->result_type);
}
