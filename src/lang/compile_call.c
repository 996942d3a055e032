/* Calls: functions, closures, what is built in; commands; handles. */
#include "lang/check_internal.h"

void operand_words(struct body *b, const struct use *uses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)put(b, CODE_ARG, uses[i].reg, 0, 0, 0);
        give(b, uses[i]);
    }
}

/* ---- handles ----------------------------------------------------------------------------- */

static const struct expr *moved_from(const struct expr *e)
{
    return e->kind == E_MOVE ? e->a : e;
}

static struct use element_use(struct body *b, const struct expr *e)
{
    const struct expr *group = e->a;
    struct use i = expr_use(b, e->b, NULL);
    uint8_t h = temp(b, code_type_handle(b->k->code, e->type.model, false));
    (void)put(b, CODE_HGROUP, h, i.reg, 0, (int32_t)group->index);
    (void)put(b, CODE_ARG, 0, 0, 0, (int32_t)group->count);
    give(b, i);
    return (struct use){h, true};
}

struct use handle_use(struct body *b, const struct expr *e)
{
    e = moved_from(e);
    if (e->kind == E_INDEX)
        return element_use(b, e);
    if (e->ref == REF_OWN)
        return binding_use(b, e->index);
    return (struct use){local_reg(b, e->index), false};
}

struct use handle_move(struct body *b, const struct expr *e)
{
    e = moved_from(e);
    if (e->ref != REF_OWN)
        return (struct use){local_reg(b, e->index), false};
    uint8_t h = temp(b, code_type_handle(b->k->code, e->type.model, true));
    (void)put(b, CODE_HBIND, h, 0, 0, (int32_t)e->index);
    return (struct use){h, true};
}

static void handle_window(struct body *b, const struct expr *e, bool own, uint8_t dest)
{
    e = moved_from(e);
    if (e->ref == REF_OWN && e->kind != E_INDEX) {
        (void)put(b, CODE_HBIND, dest, 0, 0, (int32_t)e->index);
        return;
    }
    struct use h = handle_use(b, e);
    (void)put(b, own ? CODE_HMOVE : CODE_HLEND, dest, h.reg, 0, 0);
    give(b, h);
}

/* ---- arguments --------------------------------------------------------------------------- */

struct arg {
    const struct expr *e;
    const struct lang_type *want;
    enum param_mode mode;
    struct use u;
    bool ready; /* in `u` */
};

static bool arg_late(const struct body *b, const struct arg *a)
{
    if (a->mode != PARAM_DATA || a->want->kind == LANG_TYPE_HANDLE)
        return moved_from(a->e)->kind != E_INDEX;
    return expr_simple(b, a->e, a->want);
}

static void arg_window(struct body *b, struct arg *a, uint8_t dest)
{
    if (a->ready) {
        bool handle = a->want->kind == LANG_TYPE_HANDLE;
        (void)put(b, handle ? CODE_HLEND : CODE_MOV, dest, a->u.reg, 0, 0);
        give(b, a->u);
    } else if (a->want->kind == LANG_TYPE_HANDLE) {
        handle_window(b, a->e, a->mode == PARAM_OWN, dest);
    } else {
        expr_to(b, a->e, a->want, dest);
    }
}

/* What takes jumps, calls or allocation comes first, with all that stands before it; what is left
 * goes straight into the window. */
static void args_window(struct body *b, struct arg *args, size_t n)
{
    size_t first_late = n;
    while (first_late > 0 && arg_late(b, &args[first_late - 1]))
        first_late--;
    for (size_t i = 0; i < first_late; i++) {
        struct arg *a = &args[i];
        if (a->e->constant || (a->want->kind == LANG_TYPE_HANDLE && arg_late(b, a)))
            continue;
        a->u = a->want->kind == LANG_TYPE_HANDLE ? handle_use(b, a->e) : expr_use(b, a->e, a->want);
        a->ready = true;
    }
    for (size_t i = 0; i < n; i++)
        arg_window(b, &args[i], CODE_WINDOW(i));
}

static void call_fn_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct arg args[CODE_ARGS_MAX];
    if (inline_fits(b, e->fn)) {
        inline_call(b, e, dest);
        return;
    }
    for (size_t i = 0; i < e->list.n; i++)
        args[i] = (struct arg){
            .e = e->list.v[i], .want = &e->fn->param_types[i].type, .mode = e->fn->params[i].mode};
    args_window(b, args, e->list.n);
    int32_t chunk = (int32_t)fn_chunk(b, e->fn);
    if (dest == REG_NONE)
        (void)put(b, CODE_CALLV, 0, 0, 0, chunk);
    else
        (void)put(b, CODE_CALL, dest, 0, 0, chunk);
}

static void call_closure_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct arg args[CODE_ARGS_MAX];
    struct use f = expr_use(b, e->a, NULL);
    for (size_t i = 0; i < e->list.n; i++)
        args[i] = (struct arg){.e = e->list.v[i], .want = &e->a->type.args[i]};
    args_window(b, args, e->list.n);
    if (dest == REG_NONE)
        (void)put(b, CODE_CALLCV, 0, f.reg, 0, 0);
    else
        (void)put(b, CODE_CALLC, dest, f.reg, 0, 0);
    give(b, f);
}

/* ---- built in ---------------------------------------------------------------------------- */

static void slope_to(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct lang_window *w = &b->k->prog->windows.v[e->index];
    const struct lang_binding *bind = &b->k->prog->bindings.v[w->binding];
    (void)put(b, CODE_SLOPE, dest, 0, b->strict, (int32_t)e->index);
    need_value(b, &e->type, dest, "the slope of ", bind->resource->name, bind->member_name);
}

static void round_to(struct body *b, const struct expr *e, enum code_round how, uint8_t dest)
{
    const struct expr *x = e->list.v[0];
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    if (!real && x->type.kind == LANG_TYPE_INT) {
        expr_to(b, x, NULL, dest);
        return;
    }
    struct use u = expr_use(b, x, &float_type);
    if (real)
        (void)put(b, CODE_ROUNDF, dest, u.reg, (uint8_t)how, const_unit(b->k->code, &e->type.unit));
    else
        (void)put(b, CODE_ROUNDI, dest, u.reg, (uint8_t)how, 0);
    give(b, u);
}

static void math_to(struct body *b, const struct expr *e, enum code_math what, uint8_t dest)
{
    struct use u = expr_use(b, e->list.v[0], &float_type);
    (void)put(b, CODE_MATH, dest, u.reg, 0, (int32_t)what);
    give(b, u);
}

static void two_to(struct body *b, const struct expr *e, enum code_op op,
                   const struct lang_type *want, uint8_t dest)
{
    struct use sum = expr_use(b, e->list.v[0], want);
    for (size_t i = 1; i < e->list.n; i++) {
        struct use next = expr_use(b, e->list.v[i], want);
        bool last = i + 1 == e->list.n;
        uint8_t r = last ? dest : sum.temp ? sum.reg : temp_of(b, &e->type);
        (void)put(b, op, r, sum.reg, next.reg, 0);
        give(b, next);
        if (last)
            give(b, sum);
        else
            sum = (struct use){r, true};
    }
}

static void abs_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    struct use u = expr_use(b, e->list.v[0], real ? &float_type : NULL);
    (void)put(b, real ? CODE_ABSF : CODE_ABSI, dest, u.reg, 0, 0);
    give(b, u);
}

static void list_fill_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use n = expr_use(b, e->list.v[0], NULL);
    struct use x = expr_use(b, e->list.v[1], &e->type.args[0]);
    (void)put(b, CODE_LISTN, dest, n.reg, x.reg, type_of(b, &e->type));
    give(b, x);
    give(b, n);
}

static void builtin_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    const struct lang_type *want = real ? &float_type : NULL;
    switch (e->builtin) {
    case BUILTIN_SLOPE: slope_to(b, e, dest); return;
    case BUILTIN_ABS: abs_to(b, e, dest); return;
    case BUILTIN_MIN: two_to(b, e, real ? CODE_MINF : CODE_MINI, want, dest); return;
    case BUILTIN_MAX: two_to(b, e, real ? CODE_MAXF : CODE_MAXI, want, dest); return;
    case BUILTIN_POW: two_to(b, e, CODE_POWF, &float_type, dest); return;
    case BUILTIN_ROUND: round_to(b, e, CODE_NEAREST, dest); return;
    case BUILTIN_FLOOR: round_to(b, e, CODE_FLOOR, dest); return;
    case BUILTIN_CEIL: round_to(b, e, CODE_CEIL, dest); return;
    case BUILTIN_INT: round_to(b, e, CODE_TRUNC, dest); return;
    case BUILTIN_FLOAT: expr_to(b, e->list.v[0], &float_type, dest); return;
    case BUILTIN_SQRT: math_to(b, e, CODE_SQRT, dest); return;
    case BUILTIN_EXP: math_to(b, e, CODE_EXP, dest); return;
    case BUILTIN_LOG: math_to(b, e, CODE_LOG, dest); return;
    case BUILTIN_SIN: math_to(b, e, CODE_SIN, dest); return;
    case BUILTIN_COS: math_to(b, e, CODE_COS, dest); return;
    case BUILTIN_LIST: list_fill_to(b, e, dest); return;
    case BUILTIN_NOW: (void)put(b, CODE_NOW, dest, 0, 0, 0); return;
    case BUILTIN_RANDOM: (void)put(b, CODE_RANDOM, dest, 0, 0, 0); return;
    case BUILTIN_NONE: break;
    }
}

/* ---- any call ---------------------------------------------------------------------------- */

void call_to(struct body *b, const struct expr *e, uint8_t dest)
{
    if (e->ref == REF_COMMAND) {
        command(b, e, NULL);
        return;
    }
    struct use nobody = {dest, false};
    if (dest == REG_NONE && e->type.kind != LANG_TYPE_NONE)
        nobody = (struct use){temp_of(b, &e->type), true};
    if (e->ref == REF_BUILTIN)
        builtin_to(b, e, nobody.reg);
    else if (e->ref == REF_VALUE)
        call_closure_to(b, e, nobody.reg);
    else
        call_fn_to(b, e, nobody.reg);
    give(b, nobody);
}

void command(struct body *b, const struct expr *e, struct jumps *busy)
{
    struct use args[CODE_ARGS_MAX], h = {0};
    size_t n = e->list.n;
    for (size_t i = 0; i < n; i++)
        args[i] = expr_use(b, e->list.v[i], &e->member->params[i].type);
    int32_t action = (int32_t)e->member->index;
    if (e->handle) {
        h = handle_use(b, e->handle);
        (void)put(b, CODE_COMMANDH, h.reg, (uint8_t)n, busy != NULL, action);
    } else {
        int32_t which = (int32_t)(e->index | (uint32_t)action << 16);
        (void)put(b, CODE_COMMAND, 0, (uint8_t)n, busy != NULL, which);
    }
    operand_words(b, args, n);
    if (busy)
        jumps_add(b, busy, put(b, CODE_TO, 0, 0, 0, 0));
    give(b, h);
}

/* ---- functions as values ------------------------------------------------------------------ */

void lambda_to(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct fn_decl *fn = e->fn;
    int32_t chunk = (int32_t)lambda_chunk(b, fn);
    (void)put(b, CODE_CLOSURE, dest, (uint8_t)fn->captures_n, 0, chunk);
    for (size_t i = 0; i < fn->captures_n; i++)
        (void)put(b, CODE_ARG, local_reg(b, fn->captures[i]), 0, 0, 0);
}

void fn_value_to(struct body *b, const struct fn_decl *fn, uint8_t dest)
{
    (void)put(b, CODE_CLOSURE, dest, 0, 0, (int32_t)fn_chunk(b, fn));
}
