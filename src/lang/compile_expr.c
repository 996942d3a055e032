/* Expressions to bytecode.
 *
 * In a condition a reading without a fresh value makes the comparison around it unknown: its
 * instruction jumps to the end of that comparison (chunk_builder.misses), where 2 is loaded. */
#include "lang/check_internal.h"

#include <string.h>

static uint8_t load_constant(struct code *code, struct chunk_builder *b, const struct expr *e,
                             bool as_float)
{
    enum lang_type_kind kind = as_float ? LANG_TYPE_FLOAT : reg_kind(&e->type);
    uint8_t r = reg_take(code, b, kind);
    switch (kind) {
    case LANG_TYPE_BOOL: (void)emit(code, b, CODE_LOADB, r, 0, 0, (int32_t)e->value.i); break;
    case LANG_TYPE_INT:
        (void)emit(code, b, CODE_LOADI, r, 0, 0, const_int(code, e->value.i));
        break;
    case LANG_TYPE_FLOAT: {
        double v = e->type.kind == LANG_TYPE_FLOAT ? e->value.f : (double)e->value.i;
        (void)emit(code, b, CODE_LOADF, r, 0, 0, const_float(code, v));
        break;
    }
    default: (void)emit(code, b, CODE_LOADS, r, 0, 0, const_text(code, e->text_value)); break;
    }
    return r;
}

/* Where `present` is false: on to the nearest place that can do without, or a trap. */
static void miss(struct code *code, struct chunk_builder *b, uint8_t present, struct str what)
{
    if (b->misses) {
        size_t jump = emit(code, b, CODE_JNT, present, 0, 0, 0);
        ctx_tree_push(code->c, &b->misses->all, jump);
    } else {
        size_t jump = emit(code, b, CODE_JT, present, 0, 0, 0);
        struct str why = ctx_strf(code->c, "%.*s has no value yet", STR_FMT(what));
        (void)emit(code, b, CODE_TRAP, 0, 0, 0, const_text(code, why));
        if (!b->full)
            patch_here(b, jump);
    }
    reg_give(b, present);
}

static bool is_base(const struct lang_unit *u)
{
    return u->scale == 1 && u->offset == 0;
}

static uint8_t load_reading(struct code *code, struct chunk_builder *b, uint32_t binding)
{
    const struct lang_binding *bind = &code->prog->bindings.v[binding];
    enum lang_type_kind kind = reg_kind(&bind->member_type);
    enum code_op op = kind == LANG_TYPE_BOOL    ? CODE_READB
                      : kind == LANG_TYPE_INT   ? CODE_READI
                      : kind == LANG_TYPE_FLOAT ? CODE_READF
                                                : CODE_READS;
    uint8_t r = reg_take(code, b, kind), present = reg_take(code, b, LANG_TYPE_BOOL);
    (void)emit(code, b, op, r, present, b->strict, (int32_t)binding);
    miss(code, b, present,
         ctx_strf(code->c, "%.*s.%.*s", STR_FMT(bind->resource->name), STR_FMT(bind->member_name)));
    if (kind == LANG_TYPE_FLOAT && !is_base(&bind->member_type.unit))
        (void)emit(code, b, CODE_TOBASE, r, r, 0, const_unit(code, &bind->member_type.unit));
    return r;
}

static uint8_t load_var(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    enum lang_type_kind kind = reg_kind(&e->type);
    enum code_op op = kind == LANG_TYPE_BOOL    ? CODE_GETB
                      : kind == LANG_TYPE_INT   ? CODE_GETI
                      : kind == LANG_TYPE_FLOAT ? CODE_GETF
                                                : CODE_GETS;
    uint8_t r = reg_take(code, b, kind);
    (void)emit(code, b, op, r, 0, 0, (int32_t)e->index);
    return r;
}

static uint8_t load_name(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (e->ref == REF_READ)
        return load_reading(code, b, e->index);
    if (e->ref == REF_VAR)
        return load_var(code, b, e);
    ASSERT(e->ref == REF_LOCAL);
    uint8_t r = reg_take(code, b, reg_kind(&e->type));
    (void)emit(code, b, CODE_MOV, r, b->local_regs[e->index], 0, 0);
    return r;
}

/* ---- texts ------------------------------------------------------------------------------- */

static uint8_t part_text(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    struct jumps misses = {0}, *outer = b->misses;
    bool strict = b->strict;
    b->misses = &misses;
    b->strict = false; /* a text shows the last value */
    uint8_t v = compile_expr(code, b, e, NULL), r = v;
    b->misses = outer;
    b->strict = strict;
    if (e->type.kind != LANG_TYPE_STR) {
        r = reg_take(code, b, LANG_TYPE_STR);
        enum code_op op = e->type.kind == LANG_TYPE_BOOL    ? CODE_TEXTB
                          : e->type.kind == LANG_TYPE_INT   ? CODE_TEXTI
                          : e->type.kind == LANG_TYPE_FLOAT ? CODE_TEXTF
                                                            : CODE_TEXTT;
        int32_t unit = op == CODE_TEXTF ? const_unit(code, &e->type.unit) : 0;
        (void)emit(code, b, op, r, v, 0, unit);
        reg_give(b, v);
    }
    if (misses.all.n == 0 || b->full)
        return r;
    size_t end = emit(code, b, CODE_JMP, 0, 0, 0, 0);
    for (size_t i = 0; i < misses.all.n; i++)
        patch_here(b, misses.all.v[i]);
    (void)emit(code, b, CODE_LOADS, r, 0, 0, const_text(code, STR("no value")));
    patch_here(b, end);
    return r;
}

static uint8_t compile_string(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (e->list.n == 0)
        return load_constant(code, b, e, false);
    uint8_t all = part_text(code, b, e->list.v[0]);
    for (size_t i = 1; i < e->list.n; i++) {
        uint8_t part = part_text(code, b, e->list.v[i]);
        (void)emit(code, b, CODE_CAT, all, all, part, 0);
        reg_give(b, part);
    }
    return all;
}

/* ---- calls ------------------------------------------------------------------------------- */

static const struct lang_type float_type = {.kind = LANG_TYPE_FLOAT};

static uint8_t compile_slope(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    const struct lang_window *w = &code->prog->windows.v[e->index];
    const struct lang_binding *bind = &code->prog->bindings.v[w->binding];
    uint8_t r = reg_take(code, b, LANG_TYPE_FLOAT), present = reg_take(code, b, LANG_TYPE_BOOL);
    (void)emit(code, b, CODE_SLOPE, r, present, b->strict, (int32_t)e->index);
    miss(code, b, present,
         ctx_strf(code->c, "the slope of %.*s.%.*s", STR_FMT(bind->resource->name),
                  STR_FMT(bind->member_name)));
    struct lang_unit per_second = unit_difference(&bind->member_type.unit);
    per_second.scale = bind->member_type.unit.scale; /* °F/s to K/s */
    if (!is_base(&per_second))
        (void)emit(code, b, CODE_TOBASE, r, r, 0, const_unit(code, &per_second));
    return r;
}

static uint8_t compile_builtin(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (e->builtin == BUILTIN_SLOPE)
        return compile_slope(code, b, e);
    if (e->builtin == BUILTIN_NOW) {
        uint8_t now = reg_take(code, b, LANG_TYPE_INT);
        (void)emit(code, b, CODE_NOW, now, 0, 0, 0);
        return now;
    }
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    uint8_t r = compile_expr(code, b, e->list.v[0], real ? &float_type : NULL);
    if (e->builtin == BUILTIN_ABS) {
        (void)emit(code, b, real ? CODE_ABSF : CODE_ABSI, r, r, 0, 0);
    } else if (e->builtin == BUILTIN_ROUND) {
        if (real) {
            (void)emit(code, b, CODE_ROUNDF, r, r, 0, const_unit(code, &e->type.unit));
        } else if (e->list.v[0]->type.kind == LANG_TYPE_FLOAT) {
            uint8_t whole = reg_take(code, b, LANG_TYPE_INT);
            (void)emit(code, b, CODE_ROUNDI, whole, r, 0, 0);
            reg_give(b, r);
            r = whole;
        }
    }
    bool least = e->builtin == BUILTIN_MIN;
    for (size_t i = 1; i < e->list.n; i++) {
        uint8_t next = compile_expr(code, b, e->list.v[i], real ? &float_type : NULL);
        enum code_op op = real ? (least ? CODE_MINF : CODE_MAXF) : least ? CODE_MINI : CODE_MAXI;
        (void)emit(code, b, op, r, r, next, 0);
        reg_give(b, next);
    }
    return r;
}

static void emit_args(struct code *code, struct chunk_builder *b, const uint8_t *regs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)emit(code, b, CODE_ARG, regs[i], 0, 0, 0);
        reg_give(b, regs[i]);
    }
}

static void compile_command(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    uint8_t regs[CODE_ARGS_MAX];
    for (size_t i = 0; i < e->list.n; i++) {
        const struct lang_type *want = &e->member->params[i].type;
        regs[i] = compile_expr(code, b, e->list.v[i], want);
        if (want->kind == LANG_TYPE_FLOAT && !is_base(&want->unit))
            (void)emit(code, b, CODE_FROMBASE, regs[i], regs[i], 0, const_unit(code, &want->unit));
    }
    int32_t which = (int32_t)(e->index | e->member->index << 16);
    (void)emit(code, b, CODE_COMMAND, 0, (uint8_t)e->list.n, 0, which);
    emit_args(code, b, regs, e->list.n);
}

void compile_call(struct code *code, struct chunk_builder *b, const struct expr *e, uint8_t *result)
{
    if (e->ref == REF_COMMAND) {
        compile_command(code, b, e);
        return;
    }
    if (e->ref == REF_BUILTIN) {
        *result = compile_builtin(code, b, e);
        return;
    }
    ASSERT(e->ref == REF_FN);
    uint8_t regs[CODE_ARGS_MAX];
    for (size_t i = 0; i < e->list.n; i++)
        regs[i] = compile_expr(code, b, e->list.v[i], &e->fn->param_types[i].type);
    uint8_t n = (uint8_t)e->list.n;
    int32_t chunk = (int32_t)fn_chunk(code, e->fn);
    if (e->type.kind == LANG_TYPE_NONE) {
        (void)emit(code, b, CODE_CALLV, 0, n, 0, chunk);
    } else {
        *result = reg_take(code, b, reg_kind(&e->type));
        (void)emit(code, b, CODE_CALL, *result, n, 0, chunk);
    }
    emit_args(code, b, regs, e->list.n);
}

/* ---- operators --------------------------------------------------------------------------- */

static uint8_t compile_compare(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    bool real = e->a->type.kind == LANG_TYPE_FLOAT || e->b->type.kind == LANG_TYPE_FLOAT;
    const struct lang_type *want = real ? &float_type : NULL;
    uint8_t x = compile_expr(code, b, e->a, want), y = compile_expr(code, b, e->b, want);
    uint8_t r = reg_take(code, b, LANG_TYPE_BOOL);
    bool swap = e->op == OP_GT || e->op == OP_GE;
    enum code_op op;
    if (e->op == OP_EQ || e->op == OP_NE)
        op = real                                ? CODE_EQF
             : e->a->type.kind == LANG_TYPE_STR  ? CODE_EQS
             : e->a->type.kind == LANG_TYPE_BOOL ? CODE_EQB
                                                 : CODE_EQI;
    else if (e->op == OP_LT || e->op == OP_GT)
        op = real ? CODE_LTF : CODE_LTI;
    else
        op = real ? CODE_LEF : CODE_LEI;
    (void)emit(code, b, op, r, swap ? y : x, swap ? x : y, real && b->strict);
    if (e->op == OP_NE)
        (void)emit(code, b, CODE_NOT, r, r, 0, 0);
    reg_give(b, x);
    reg_give(b, y);
    return r;
}

static uint8_t compile_arithmetic(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    static const enum code_op ints[] = {CODE_ADDI, CODE_SUBI, CODE_MULI, CODE_DIVI, CODE_MODI};
    static const enum code_op floats[] = {CODE_ADDF, CODE_SUBF, CODE_MULF, CODE_DIVF, CODE_MODF};
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    const struct lang_type *want = real ? &float_type : NULL;
    uint8_t x = compile_expr(code, b, e->a, want), y = compile_expr(code, b, e->b, want);
    (void)emit(code, b, (real ? floats : ints)[e->op - OP_ADD], x, x, y, 0);
    reg_give(b, y);
    return x;
}

/* The value of a bool without `and`, `or`, `not` at its top. */
static uint8_t compile_leaf(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (e->constant)
        return load_constant(code, b, e, false);
    if (e->kind == E_BINARY)
        return compile_compare(code, b, e);
    if (e->kind == E_PATH)
        return load_name(code, b, e);
    uint8_t r = 0;
    compile_call(code, b, e, &r);
    return r;
}

static uint8_t compile_unknown_leaf(struct code *code, struct chunk_builder *b,
                                    const struct expr *e)
{
    struct jumps misses = {0}, *outer = b->misses;
    b->misses = b->strict ? &misses : outer;
    uint8_t r = compile_leaf(code, b, e);
    b->misses = outer;
    if (misses.all.n == 0 || b->full)
        return r;
    size_t end = emit(code, b, CODE_JMP, 0, 0, 0, 0);
    for (size_t i = 0; i < misses.all.n; i++)
        patch_here(b, misses.all.v[i]);
    (void)emit(code, b, CODE_LOADB, r, 0, 0, CODE_UNKNOWN);
    patch_here(b, end);
    return r;
}

uint8_t compile_truth(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (!e->constant && e->kind == E_BINARY && (e->op == OP_AND || e->op == OP_OR)) {
        bool both = e->op == OP_AND;
        uint8_t x = compile_truth(code, b, e->a);
        size_t end = emit(code, b, both ? CODE_JF : CODE_JT, x, 0, 0, 0);
        uint8_t y = compile_truth(code, b, e->b);
        (void)emit(code, b, both ? CODE_AND : CODE_OR, x, x, y, 0);
        reg_give(b, y);
        if (!b->full)
            patch_here(b, end);
        return x;
    }
    if (!e->constant && e->kind == E_NOT) {
        uint8_t x = compile_truth(code, b, e->a);
        (void)emit(code, b, CODE_NOT, x, x, 0, 0);
        return x;
    }
    if (e->kind == E_STALE) {
        uint8_t r = reg_take(code, b, LANG_TYPE_BOOL);
        (void)emit(code, b, CODE_STALE, r, 0, 0, (int32_t)e->index);
        return r;
    }
    return compile_unknown_leaf(code, b, e);
}

static uint8_t compile_natural(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    switch (e->kind) {
    case E_STRING: return compile_string(code, b, e);
    case E_PATH: return load_name(code, b, e);
    case E_CALL: {
        uint8_t r = 0;
        compile_call(code, b, e, &r);
        return r;
    }
    case E_NEG: {
        uint8_t r = compile_natural(code, b, e->a);
        bool real = e->type.kind == LANG_TYPE_FLOAT;
        (void)emit(code, b, real ? CODE_NEGF : CODE_NEGI, r, r, 0, 0);
        return r;
    }
    case E_BINARY: return compile_arithmetic(code, b, e);
    default: break;
    }
    ASSERT(!"constants and bools are compiled elsewhere");
    return 0;
}

/* A bool inside a larger expression: if it is unknown, so is that one. */
static uint8_t compile_operand(struct code *code, struct chunk_builder *b, const struct expr *e)
{
    if (b->misses && e->kind == E_PATH)
        return load_name(code, b, e);
    uint8_t r = compile_truth(code, b, e);
    if (b->misses && b->strict) {
        size_t jump = emit(code, b, CODE_JU, r, 0, 0, 0);
        ctx_tree_push(code->c, &b->misses->all, jump);
    }
    return r;
}

uint8_t compile_expr(struct code *code, struct chunk_builder *b, const struct expr *e,
                     const struct lang_type *want)
{
    bool to_float = want && want->kind == LANG_TYPE_FLOAT && e->type.kind == LANG_TYPE_INT;
    if (e->constant)
        return load_constant(code, b, e, to_float);
    if (e->type.kind == LANG_TYPE_BOOL)
        return compile_operand(code, b, e);
    uint8_t r = compile_natural(code, b, e);
    if (!to_float)
        return r;
    uint8_t f = reg_take(code, b, LANG_TYPE_FLOAT);
    (void)emit(code, b, CODE_ITOF, f, r, 0, 0);
    reg_give(b, r);
    return f;
}
