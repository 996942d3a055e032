/* Expressions: names, arithmetic, `??`, `if`, and the ways to a register. */
#include "lang/check_internal.h"

#include <stdio.h>

const struct lang_type float_type = {.kind = LANG_TYPE_FLOAT};

/* ---- readings ---------------------------------------------------------------------------- */

size_t jump_none(struct body *b, const struct lang_type *t, uint8_t reg, bool when)
{
    switch (kind_of(t)) {
    case CODE_KIND_BOOL: return put(b, when ? CODE_JU : CODE_JNU, reg, 0, 0, 0);
    case CODE_KIND_INT: return put(b, when ? CODE_JNONEI : CODE_JSOMEI, reg, 0, 0, 0);
    case CODE_KIND_FLOAT: return put(b, when ? CODE_JNONEF : CODE_JSOMEF, reg, 0, 0, 0);
    case CODE_KIND_ENUM: return put_bc(b, when ? CODE_JEQIK : CODE_JNEIK, reg, (uint16_t)-1, 0);
    case CODE_KIND_HANDLE: return put(b, when ? CODE_JNONEH : CODE_JSOMEH, reg, 0, 0, 0);
    default: return put(b, when ? CODE_JNONEO : CODE_JSOMEO, reg, 0, 0, 0);
    }
}

void need_value(struct body *b, const struct lang_type *t, uint8_t reg, const char *what,
                struct str of, struct str member)
{
    if (b->none_ok)
        return;
    if (b->misses) {
        jumps_add(b, b->misses, jump_none(b, t, reg, true));
        return;
    }
    uint8_t kind = kind_of(t);
    enum code_op op = kind == CODE_KIND_BOOL    ? CODE_NEEDB
                      : kind == CODE_KIND_FLOAT ? CODE_NEEDF
                      : code_kind_ref(kind)     ? CODE_NEEDO
                                                : CODE_NEEDI;
    char why[256];
    (void)snprintf(why, sizeof(why), "%s%.*s.%.*s has no value yet", what, STR_FMT(of),
                   STR_FMT(member));
    (void)put(b, op, reg, 0, 0, const_text(b->k->code, str_from(why)));
}

static void read_to(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct lang_binding *bind = &b->k->prog->bindings.v[e->index];
    (void)put(b, CODE_READ, dest, 0, b->strict, (int32_t)e->index);
    need_value(b, &e->type, dest, "", bind->resource->name, bind->member_name);
}

static void member_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use h = handle_use(b, e->handle);
    if (!e->member) { /* `.name` */
        (void)put(b, CODE_HNAME, dest, h.reg, 0, 0);
        give(b, h);
        return;
    }
    (void)put(b, CODE_READH, dest, h.reg, b->strict, (int32_t)e->member->index);
    give(b, h);
    reads_through(b->k->code->c, b->k->prog, e->handle->type.model, e->member);
    need_value(b, &e->type, dest, "", e->handle->type.model->name, e->member->name);
}

/* ---- names ------------------------------------------------------------------------------- */

static void name_to(struct body *b, const struct expr *e, uint8_t dest)
{
    switch (e->ref) {
    case REF_READ: read_to(b, e, dest); return;
    case REF_MEMBER: member_to(b, e, dest); return;
    case REF_VAR: (void)put(b, CODE_GETV, dest, 0, 0, (int32_t)e->index); return;
    case REF_FN: fn_value_to(b, e->fn, dest); return;
    default: break;
    }
    ASSERT(e->ref == REF_LOCAL);
    uint8_t from = local_reg(b, e->index);
    if (from != dest)
        (void)put(b, CODE_MOV, dest, from, 0, 0);
}

bool mentions_reg(const struct body *b, const struct expr *e, uint8_t reg)
{
    if (!e || e->constant)
        return false;
    if (e->ref == REF_LOCAL && e->kind == E_PATH && b->regs[e->index] == reg)
        return true;
    if (e->kind == E_LAMBDA)
        for (size_t i = 0; i < e->fn->captures_n; i++)
            if (b->regs[e->fn->captures[i]] == reg)
                return true;
    for (size_t i = 0; i < e->list.n; i++)
        if (mentions_reg(b, e->list.v[i], reg))
            return true;
    return mentions_reg(b, e->a, reg) || mentions_reg(b, e->b, reg) ||
           mentions_reg(b, e->otherwise, reg);
}

/* ---- arithmetic -------------------------------------------------------------------------- */

static bool fits32(int64_t v)
{
    return v >= INT32_MIN && v <= INT32_MAX;
}

/* x op v with v in the instruction; CODE_OPS_N if there is none. */
static enum code_op int_immediate(enum expr_op op, int64_t *v)
{
    if (op == OP_SUB && *v > INT32_MIN)
        *v = -*v;
    else if (op == OP_SUB)
        return CODE_OPS_N;
    if (!fits32(*v))
        return CODE_OPS_N;
    switch (op) {
    case OP_ADD:
    case OP_SUB: return CODE_ADDIK;
    case OP_MUL: return CODE_MULIK;
    case OP_DIV: return *v > 0 ? CODE_DIVIK : CODE_OPS_N;
    case OP_MOD: return *v > 0 ? CODE_MODIK : CODE_OPS_N;
    default: return CODE_OPS_N;
    }
}

/* v op x. */
static enum code_op int_immediate_left(enum expr_op op, int64_t v)
{
    if (!fits32(v))
        return CODE_OPS_N;
    return op == OP_ADD   ? CODE_ADDIK
           : op == OP_SUB ? CODE_RSUBIK
           : op == OP_MUL ? CODE_MULIK
                          : CODE_OPS_N;
}

static bool int_constant_to(struct body *b, const struct expr *e, uint8_t dest)
{
    int64_t v;
    const struct expr *x = e->a;
    enum code_op op = CODE_OPS_N;
    if (constant_int(e->b, &v)) {
        op = int_immediate(e->op, &v);
    } else if (constant_int(e->a, &v)) {
        op = int_immediate_left(e->op, v);
        x = e->b;
    }
    if (op == CODE_OPS_N)
        return false;
    struct use u = expr_use(b, x, NULL);
    (void)put(b, op, dest, u.reg, 0, (int32_t)v);
    give(b, u);
    return true;
}

static bool float_constant_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool right = e->b->constant;
    if ((!right && !e->a->constant) || e->op == OP_MOD)
        return false;
    const struct expr *x = right ? e->a : e->b;
    double v = constant_float(right ? e->b : e->a);
    enum code_op op = CODE_ADDFK;
    switch (e->op) {
    case OP_ADD: break;
    case OP_SUB:
        op = right ? CODE_ADDFK : CODE_RSUBFK;
        v = right ? -v : v;
        break;
    case OP_MUL: op = CODE_MULFK; break;
    default: op = right ? CODE_DIVFK : CODE_RDIVFK; break;
    }
    struct use u = expr_use(b, x, &float_type);
    (void)put(b, op, dest, u.reg, 0, const_float(b->k->code, v));
    give(b, u);
    return true;
}

/* time ± duration, time - time: milliseconds and seconds. */
static void time_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool difference = e->type.kind == LANG_TYPE_FLOAT;
    uint8_t ms = temp(b, CODE_TYPE_INT);
    if (difference) {
        struct use x = expr_use(b, e->a, NULL), y = expr_use(b, e->b, NULL);
        uint8_t f = temp(b, CODE_TYPE_FLOAT);
        (void)put(b, CODE_SUBI, ms, x.reg, y.reg, 0);
        (void)put(b, CODE_ITOF, f, ms, 0, 0);
        (void)put(b, CODE_DIVFK, dest, f, 0, const_float(b->k->code, 1000));
        reg_give(&b->b, f);
        give(b, y);
        give(b, x);
    } else {
        bool left = e->a->type.kind == LANG_TYPE_TIME;
        struct use x = expr_use(b, left ? e->a : e->b, NULL);
        struct use y = expr_use(b, left ? e->b : e->a, &float_type);
        uint8_t f = temp(b, CODE_TYPE_FLOAT);
        (void)put(b, CODE_MULFK, f, y.reg, 0, const_float(b->k->code, 1000));
        (void)put(b, CODE_ROUNDI, ms, f, CODE_NEAREST, 0);
        (void)put(b, e->op == OP_SUB ? CODE_SUBI : CODE_ADDI, dest, x.reg, ms, 0);
        reg_give(&b->b, f);
        give(b, y);
        give(b, x);
    }
    reg_give(&b->b, ms);
}

static void arithmetic_to(struct body *b, const struct expr *e, uint8_t dest)
{
    static const enum code_op ops[][2] = {
        [OP_ADD] = {CODE_ADDI, CODE_ADDF}, [OP_SUB] = {CODE_SUBI, CODE_SUBF},
        [OP_MUL] = {CODE_MULI, CODE_MULF}, [OP_DIV] = {CODE_DIVI, CODE_DIVF},
        [OP_MOD] = {CODE_MODI, CODE_MODF},
    };
    if (e->a->type.kind == LANG_TYPE_TIME || e->b->type.kind == LANG_TYPE_TIME) {
        time_to(b, e, dest);
        return;
    }
    bool real = e->type.kind == LANG_TYPE_FLOAT;
    if (real ? float_constant_to(b, e, dest) : int_constant_to(b, e, dest))
        return;
    const struct lang_type *want = real ? &float_type : NULL;
    struct use x = expr_use(b, e->a, want), y = expr_use(b, e->b, want);
    (void)put(b, ops[e->op][real], dest, x.reg, y.reg, 0);
    give(b, y);
    give(b, x);
}

static void negative_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use u = expr_use(b, e->a, NULL);
    (void)put(b, e->type.kind == LANG_TYPE_FLOAT ? CODE_NEGF : CODE_NEGI, dest, u.reg, 0, 0);
    give(b, u);
}

/* ---- ?? and if --------------------------------------------------------------------------- */

/* The left goes into dest before the right is computed: not where the right needs what is there. */
static uint8_t early(struct body *b, const struct expr *later, const struct lang_type *t,
                     uint8_t dest)
{
    return b->is_local[dest] && mentions_reg(b, later, dest) ? temp_of(b, t) : dest;
}

static void early_end(struct body *b, uint8_t r, uint8_t dest)
{
    if (r == dest)
        return;
    (void)put(b, CODE_MOV, dest, r, 0, 0);
    reg_give(&b->b, r);
}

static void coalesce_to(struct body *b, const struct expr *e, uint8_t dest)
{
    uint8_t r = early(b, e->b, &e->type, dest);
    const struct lang_type *want = e->type.kind == LANG_TYPE_FLOAT ? &float_type : NULL;
    bool outer = b->none_ok;
    b->none_ok = true;
    expr_to(b, e->a, want, r);
    b->none_ok = outer;
    size_t some = jump_none(b, &e->type, r, false);
    expr_to(b, e->b, want, r);
    jump_here(b, some);
    early_end(b, r, dest);
}

/* `if let name = value`: the value in the local's register, a jump where it is none. */
static size_t bind_value(struct body *b, const struct expr *value, uint32_t local)
{
    bool outer = b->none_ok;
    b->none_ok = true;
    uint8_t r = local_declare(b, local);
    expr_to(b, value, &b->locals[local], r);
    b->none_ok = outer;
    return jump_none(b, &b->locals[local], r, true);
}

static void if_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest)
{
    struct jumps no = {0};
    struct scope s;
    bool binds = e->name.text.n > 0;
    want = want ? want : &e->type; /* of one branch it may be a float, of the other an int */
    if (!binds && e->a->constant) {
        expr_to(b, e->a->value.i == 1 ? e->b : e->otherwise, want, dest);
        return;
    }
    scope_enter(b, &s, SCOPE_BLOCK);
    if (binds) {
        jumps_add(b, &no, bind_value(b, e->a, e->local));
    } else if (b->strict) {
        uint8_t r = temp(b, CODE_TYPE_BOOL);
        kleene_to(b, e->a, r);
        if (b->misses)
            jumps_add(b, b->misses, put(b, CODE_JU, r, 0, 0, 0));
        jumps_add(b, &no, put(b, CODE_JNT, r, 0, 0, 0));
        reg_give(&b->b, r);
    } else {
        cond_jump(b, e->a, false, &no);
    }
    expr_to(b, e->b, want, dest);
    scope_leave(b);
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &no);
    expr_to(b, e->otherwise, want, dest);
    jump_here(b, end);
}

/* ---- elements ---------------------------------------------------------------------------- */

static void index_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool map = e->a->type.kind == LANG_TYPE_MAP;
    struct use a = expr_use(b, e->a, NULL);
    struct use i = expr_use(b, e->b, map ? &e->a->type.args[0] : NULL);
    (void)put(b, map ? CODE_MGET : CODE_LGET, dest, a.reg, i.reg, 0);
    give(b, i);
    give(b, a);
}

static void field_to(struct body *b, const struct expr *e, uint8_t dest)
{
    if (e->ref == REF_MEMBER) {
        member_to(b, e, dest);
        return;
    }
    struct use a = expr_use(b, e->a, NULL);
    (void)put(b, CODE_GETF, dest, a.reg, (uint8_t)e->field, 0);
    give(b, a);
}

/* ---- any --------------------------------------------------------------------------------- */

/* Floats carry none through arithmetic as NaN; everything else needs its operands. */
static bool carries_none(const struct expr *e)
{
    if (e->type.kind != LANG_TYPE_FLOAT || e->type.optional)
        return e->kind == E_PATH || e->kind == E_FIELD || e->kind == E_IF ||
               (e->kind == E_BINARY && e->op == OP_COALESCE);
    if (e->kind == E_CALL)
        return e->ref == REF_BUILTIN;
    return e->kind == E_PATH || e->kind == E_FIELD || e->kind == E_NEG || e->kind == E_BINARY ||
           e->kind == E_IF;
}

void natural_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest)
{
    switch (e->kind) {
    case E_STRING: string_to(b, e, dest); return;
    case E_PATH: name_to(b, e, dest); return;
    case E_CALL: call_to(b, e, dest); return;
    case E_NEG: negative_to(b, e, dest); return;
    case E_BINARY:
        if (e->op == OP_COALESCE)
            coalesce_to(b, e, dest);
        else
            arithmetic_to(b, e, dest);
        return;
    case E_INDEX: index_to(b, e, dest); return;
    case E_FIELD: field_to(b, e, dest); return;
    case E_METHOD: method_to(b, e, dest); return;
    case E_LIST: list_to(b, e, want, dest); return;
    case E_MAP: map_to(b, e, want, dest); return;
    case E_RECORD: record_to(b, e, dest); return;
    case E_IF: if_to(b, e, want, dest); return;
    case E_LAMBDA: lambda_to(b, e, dest); return;
    case E_CHAN: chan_to(b, e, dest); return;
    default: break;
    }
    ASSERT(e->kind == E_NONE); /* constants and truth are compiled elsewhere */
    none_to(b, want ? want : &e->type, dest);
}

/* A bool that is an operand: what hangs on it is unknown if it is. */
static void bool_to(struct body *b, const struct expr *e, uint8_t dest)
{
    bool fine = b->none_ok;
    if (!b->strict) {
        truth_to(b, e, dest);
        return;
    }
    kleene_to(b, e, dest);
    if (b->misses && !fine)
        jumps_add(b, b->misses, put(b, CODE_JU, dest, 0, 0, 0));
}

static void value_to(struct body *b, const struct expr *e, const struct lang_type *want,
                     uint8_t dest)
{
    bool outer = b->none_ok;
    if (e->kind == E_NONE) {
        none_to(b, want ? want : &e->type, dest);
        return;
    }
    if (e->type.kind == LANG_TYPE_BOOL) {
        bool_to(b, e, dest);
        return;
    }
    struct lang_span around = place_set(b, e->span);
    b->none_ok = outer && carries_none(e);
    natural_to(b, e, want, dest);
    b->none_ok = outer;
    (void)place_set(b, around);
}

static bool becomes_float(const struct expr *e, const struct lang_type *want)
{
    return want && want->kind == LANG_TYPE_FLOAT && e->type.kind == LANG_TYPE_INT;
}

/* Of every int one is none; a value must not become that by chance. */
static bool becomes_optional(const struct expr *e, const struct lang_type *want)
{
    return want && want->optional && want->kind == LANG_TYPE_INT && !e->type.optional &&
           e->type.kind == LANG_TYPE_INT && !e->constant;
}

static void int_to_float(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use u = expr_use(b, e, NULL);
    size_t none = e->type.optional ? jump_none(b, &e->type, u.reg, true) : NO_JUMP;
    (void)put(b, CODE_ITOF, dest, u.reg, 0, 0);
    if (none != NO_JUMP) {
        size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
        jump_here(b, none);
        none_to(b, &float_type, dest);
        jump_here(b, end);
    }
    give(b, u);
}

/* `x * 1 K` only names a unit. */
static const struct expr *peel(const struct expr *e)
{
    while (e->kind == E_BINARY && !e->constant && e->type.kind == LANG_TYPE_FLOAT) {
        bool right = e->b->constant && (e->op == OP_MUL || e->op == OP_DIV);
        bool left = !right && e->a->constant && e->op == OP_MUL;
        const struct expr *x = right ? e->a : e->b;
        if (!(right || left) || x->type.kind != LANG_TYPE_FLOAT ||
            constant_float(right ? e->b : e->a) != 1)
            break;
        e = x;
    }
    return e;
}

void expr_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest)
{
    e = peel(e);
    if (e->constant && e->kind != E_NONE) {
        constant_to(b, e, becomes_float(e, want), dest);
    } else if (becomes_float(e, want)) {
        int_to_float(b, e, dest);
    } else if (becomes_optional(e, want)) {
        struct use u = expr_use(b, e, NULL);
        (void)put(b, CODE_SOMEI, dest, u.reg, 0, 0);
        give(b, u);
    } else {
        value_to(b, e, want, dest);
    }
}

struct use expr_use(struct body *b, const struct expr *e, const struct lang_type *want)
{
    e = peel(e);
    bool real = becomes_float(e, want);
    if (e->constant && e->kind != E_NONE)
        return constant_use(b, e, real);
    bool as_is = !real && !becomes_optional(e, want);
    if (as_is && e->kind == E_PATH && e->ref == REF_LOCAL)
        return (struct use){local_reg(b, e->index), false};
    const struct lang_type *t = real || e->kind == E_NONE ? want : &e->type;
    uint8_t r = temp_of(b, t ? t : &e->type);
    expr_to(b, e, want, r);
    return (struct use){r, true};
}

void expr_drop(struct body *b, const struct expr *e)
{
    if (e->constant)
        return;
    if (e->kind == E_CALL)
        call_to(b, e, REG_NONE);
    else if (e->kind == E_METHOD)
        method_to(b, e, REG_NONE);
    else
        give(b, expr_use(b, e, NULL));
}

/* ---- what may go into the window ---------------------------------------------------------- */

static bool simple_builtin(const struct body *b, const struct expr *e)
{
    switch (e->builtin) {
    case BUILTIN_NONE:
    case BUILTIN_SLOPE:
    case BUILTIN_LIST: return false;
    default: break;
    }
    for (size_t i = 0; i < e->list.n; i++)
        if (!expr_simple(b, e->list.v[i], NULL))
            return false;
    return true;
}

static bool simple_binary(const struct body *b, const struct expr *e)
{
    if (e->op == OP_AND || e->op == OP_OR || e->op == OP_COALESCE || e->op == OP_IN)
        return false;
    bool truth = e->op <= OP_GE;
    if (truth && (b->strict || e->a->type.optional || e->b->type.optional ||
                  code_kind_ref(kind_of(&e->a->type))))
        return false;
    return expr_simple(b, e->a, NULL) && expr_simple(b, e->b, NULL);
}

bool expr_simple(const struct body *b, const struct expr *e, const struct lang_type *want)
{
    if (e->constant || e->kind == E_NONE)
        return true;
    if (becomes_float(e, want) && e->type.optional)
        return false;
    switch (e->kind) {
    case E_PATH: return e->ref == REF_LOCAL || (e->ref == REF_VAR && !b->strict);
    case E_NEG: return expr_simple(b, e->a, NULL);
    case E_NOT: return !b->strict && expr_simple(b, e->a, NULL);
    case E_BINARY: return simple_binary(b, e);
    case E_INDEX: return expr_simple(b, e->a, NULL) && expr_simple(b, e->b, NULL);
    case E_FIELD: return e->ref != REF_MEMBER && expr_simple(b, e->a, NULL);
    case E_METHOD: return e->method == METHOD_LEN && expr_simple(b, e->a, NULL);
    case E_CALL: return e->ref == REF_BUILTIN && simple_builtin(b, e);
    default: return false;
    }
}
