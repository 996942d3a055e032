/* How the operands of one instruction must agree, and what it leaves in the window. */
#include "lang/verify_internal.h"

#define NO_TYPE UINT16_MAX

static uint16_t arg_type(const struct verifier *v, const struct code_type *t, unsigned n)
{
    return v->code->type_args[t->a + n];
}

static const struct code_type *reg_type(const struct verifier *v, uint8_t reg)
{
    return verify_type(v, verify_reg(v, reg));
}

static bool comparable(const struct verifier *v, uint16_t type)
{
    uint8_t kind = verify_type(v, type)->kind;
    return kind != CODE_KIND_CHAN && kind != CODE_KIND_FN;
}

/* ---- the host's side --------------------------------------------------------------------- */

static bool lang_type_fits(const struct verifier *v, const struct lang_type *want, uint16_t have)
{
    const struct code_type *t = verify_type(v, have);
    switch (want->kind) {
    case LANG_TYPE_BOOL: return t->kind == CODE_KIND_BOOL;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return t->kind == CODE_KIND_INT || t->kind == CODE_KIND_ENUM;
    case LANG_TYPE_ENUM: return t->kind == CODE_KIND_ENUM && t->def == want->def;
    case LANG_TYPE_FLOAT: return t->kind == CODE_KIND_FLOAT;
    case LANG_TYPE_STR: return t->kind == CODE_KIND_STR;
    default: return false;
    }
}

static const struct lang_binding *binding(const struct verifier *v, uint32_t n)
{
    return n < v->p->bindings_n ? &v->p->bindings[n] : NULL;
}

static bool is_handle(const struct lang_binding *b)
{
    return b && (b->kind == LANG_BIND_OWN || b->kind == LANG_BIND_LEASE);
}

static bool command_fine(const struct verifier *v, const struct instr *i,
                         const struct lang_decl *model, uint32_t action)
{
    const struct lang_member *m = lang_decl_member_at(model, LANG_CLAUSE_COMMAND, action);
    if (!m || m->params_n != i->b || i->b > CODE_ARGS_MAX || i->c > 1)
        return false;
    for (unsigned n = 0; n < i->b; n++)
        if (!lang_type_fits(v, &m->params[n].type, verify_reg(v, i[1 + n].a)))
            return false;
    return true;
}

static const struct lang_type *readable(const struct lang_decl *model, int32_t member)
{
    const struct lang_member *m =
        member < 0 ? NULL : lang_decl_member_at(model, LANG_CLAUSE_READABLE, (uint32_t)member);
    return m ? &m->type : NULL;
}

static bool group_fine(const struct verifier *v, const struct instr *i, bool *own,
                       const struct lang_decl **model)
{
    int64_t n = i->op == CODE_HGROUP ? i[1].d : 1;
    *own = true;
    if (n < 1 || i->d + n > (int64_t)v->p->bindings_n)
        return false;
    *model = v->p->bindings[i->d].resource->type;
    for (int64_t k = 0; k < n; k++) {
        const struct lang_binding *b = &v->p->bindings[i->d + k];
        if (!is_handle(b) || b->resource->type != *model)
            return false;
        *own &= b->kind == LANG_BIND_OWN;
    }
    return true;
}

/* ---- results ----------------------------------------------------------------------------- */

static bool to_window(const struct verifier *v, const struct instr *i)
{
    return (code_ops[i->op].flags & CODE_F_A) && i->a >= v->chunk->regs_n;
}

static bool put_data(struct verifier *v, const struct instr *i, uint16_t type)
{
    if (!to_window(v, i))
        return verify_fits(v, verify_reg(v, i->a), type);
    unsigned n = i->a - v->chunk->regs_n;
    v->window.arg[n].set = true;
    v->window.arg[n].any_ref = false;
    v->window.arg[n].model = NULL;
    v->window.arg[n].type = type;
    v->window.has_ref |= code_kind_ref(verify_type(v, type)->kind);
    return true;
}

/* lent: it was not given away, so it can't become somebody's own. */
static bool put_handle(struct verifier *v, const struct instr *i, const struct lang_decl *model,
                       bool lent)
{
    if (!model)
        return false;
    if (!to_window(v, i)) {
        const struct code_type *t = reg_type(v, i->a);
        return t->kind == CODE_KIND_HANDLE && t->model == model && !(t->own && lent);
    }
    unsigned n = i->a - v->chunk->regs_n;
    v->window.arg[n].set = true;
    v->window.arg[n].any_ref = false;
    v->window.arg[n].model = model;
    v->window.arg[n].lent = lent;
    return true;
}

static bool put_nil(struct verifier *v, const struct instr *i)
{
    if (!to_window(v, i))
        return true;
    unsigned n = i->a - v->chunk->regs_n;
    v->window.arg[n].set = v->window.arg[n].any_ref = true;
    v->window.has_ref = true;
    return true;
}

static bool put_fn(struct verifier *v, const struct instr *i)
{
    const struct lang_chunk *c = &v->code->chunks[i->d];
    for (uint16_t n = 0; n < v->code->types_n; n++) {
        const struct code_type *t = verify_type(v, n);
        if (t->kind != CODE_KIND_FN || t->b != c->result ||
            t->args_n != c->params_n - c->captures_n)
            continue;
        bool same = true;
        for (unsigned k = 0; k < t->args_n; k++)
            same &= arg_type(v, t, k) == c->reg_types[k];
        if (same && (to_window(v, i) || verify_reg(v, i->a) == n))
            return put_data(v, i, n);
    }
    return false;
}

/* ---- calls ------------------------------------------------------------------------------- */

static bool arg_fits(const struct verifier *v, unsigned n, uint16_t want)
{
    const struct code_type *t = verify_type(v, want);
    if (!v->window.arg[n].set)
        return false;
    if (v->window.arg[n].any_ref)
        return code_kind_ref(t->kind);
    if (v->window.arg[n].model)
        return t->kind == CODE_KIND_HANDLE && t->model == v->window.arg[n].model &&
               !(t->own && v->window.arg[n].lent);
    return verify_fits(v, want, v->window.arg[n].type);
}

static const char *call_ends(struct verifier *v, const struct instr *i, uint16_t result)
{
    bool takes = i->op == CODE_CALL || i->op == CODE_CALLC;
    v->window = (struct verify_window){0};
    if (i->c != v->chunk->regs_n)
        return "a call with the window in a wrong place";
    if (takes != (result != CODE_TYPE_NONE))
        return "a result that nobody takes, or none";
    return !takes || put_data(v, i, result) ? NULL : "a result of another type";
}

static const char *call_check(struct verifier *v, const struct instr *i)
{
    const struct lang_chunk *c = &v->code->chunks[i->d];
    if (c->task || c->captures_n > 0 || c->params_n > CODE_ARGS_MAX)
        return "a call of what can't be called";
    for (unsigned n = 0; n < c->params_n; n++)
        if (c->reg_types[n] >= v->code->types_n || !arg_fits(v, n, c->reg_types[n]))
            return "wrong arguments";
    return call_ends(v, i, c->result);
}

static const char *closure_call_check(struct verifier *v, const struct instr *i)
{
    const struct code_type *t = reg_type(v, i->b);
    for (unsigned n = 0; n < t->args_n; n++)
        if (!arg_fits(v, n, arg_type(v, t, n)))
            return "wrong arguments";
    return call_ends(v, i, t->b);
}

/* The ARGs of an instruction against parameters from `first` on. */
static bool args_fit(const struct verifier *v, const struct instr *i, const struct lang_chunk *c,
                     unsigned first)
{
    for (unsigned n = 0; n < i->b; n++) {
        uint16_t want = c->reg_types[first + n], have = verify_reg(v, i[1 + n].a);
        if (want >= v->code->types_n)
            return false;
        const struct code_type *x = verify_type(v, want), *y = verify_type(v, have);
        bool handles = x->kind == CODE_KIND_HANDLE && y->kind == CODE_KIND_HANDLE && x->own &&
                       y->own && x->model == y->model;
        if (!handles && !verify_fits(v, want, have))
            return false;
    }
    return true;
}

static const char *closure_check(struct verifier *v, const struct instr *i)
{
    const struct lang_chunk *c = &v->code->chunks[i->d];
    if (c->task || c->captures_n != i->b || c->captures_n > c->params_n ||
        c->params_n > c->regs_n || !args_fit(v, i, c, c->params_n - c->captures_n))
        return "wrong captures";
    return put_fn(v, i) ? NULL : "a closure of another type";
}

static const char *spawn_check(const struct verifier *v, const struct instr *i)
{
    const struct lang_chunk *c = &v->code->chunks[i->d];
    if (!c->task || c->captures_n > 0 || c->params_n != i->b || c->params_n > c->regs_n ||
        !args_fit(v, i, c, 0))
        return "wrong arguments of a task";
    return NULL;
}

/* ---- lists, maps, records, channels ------------------------------------------------------ */

static bool words_fit(const struct verifier *v, const struct instr *i, uint16_t want)
{
    for (unsigned n = 1; n <= i->b; n++)
        if (!verify_fits(v, want, verify_reg(v, i[n].a)))
            return false;
    return true;
}

static bool make_list(struct verifier *v, const struct instr *i)
{
    uint16_t d = (uint16_t)i->d;
    const struct code_type *t = verify_type(v, d);
    if (t->kind != CODE_KIND_LIST)
        return false;
    bool fine =
        i->op == CODE_LIST ? words_fit(v, i, t->a) : verify_fits(v, t->a, verify_reg(v, i->c));
    return fine && put_data(v, i, d);
}

static bool make_record(struct verifier *v, const struct instr *i)
{
    uint16_t d = (uint16_t)i->d;
    const struct code_type *t = verify_type(v, d);
    if (t->kind != CODE_KIND_RECORD || t->args_n != i->b)
        return false;
    for (unsigned n = 0; n < i->b; n++)
        if (!verify_fits(v, arg_type(v, t, n), verify_reg(v, i[1 + n].a)))
            return false;
    return put_data(v, i, d);
}

static bool make_other(struct verifier *v, const struct instr *i, enum code_kind kind)
{
    uint16_t d = (uint16_t)i->d;
    return verify_type(v, d)->kind == kind && put_data(v, i, d);
}

static bool list_of(const struct verifier *v, const struct instr *i, uint16_t element)
{
    return i->a < v->chunk->regs_n && reg_type(v, i->a)->a == element;
}

/* Element or value: of what `reg` holds; key: of a map. */
static uint16_t element(const struct verifier *v, uint8_t reg)
{
    const struct code_type *t = reg_type(v, reg);
    return t->kind == CODE_KIND_MAP ? t->b : t->a;
}

static bool reg_fits(const struct verifier *v, uint16_t want, uint8_t reg)
{
    return verify_fits(v, want, verify_reg(v, reg));
}

static bool is_chan_of_handles(const struct verifier *v, uint8_t chan)
{
    return verify_type(v, element(v, chan))->kind == CODE_KIND_HANDLE;
}

static bool send_fits(const struct verifier *v, uint8_t chan, uint8_t value)
{
    if (!is_chan_of_handles(v, chan))
        return reg_fits(v, element(v, chan), value);
    const struct code_type *t = reg_type(v, value);
    return t->kind == CODE_KIND_HANDLE && t->own &&
           t->model == verify_type(v, element(v, chan))->model;
}

static bool recv_fits(struct verifier *v, const struct instr *i, uint8_t chan)
{
    if (!is_chan_of_handles(v, chan))
        return put_data(v, i, element(v, chan));
    const struct code_type *t = i->a < v->chunk->regs_n ? reg_type(v, i->a) : NULL;
    return t && t->kind == CODE_KIND_HANDLE && t->own &&
           t->model == verify_type(v, element(v, chan))->model;
}

static bool select_fits(struct verifier *v, const struct instr *i)
{
    if (i->b == 0 || i->b > CODE_ARMS_MAX)
        return false;
    for (unsigned n = 1; n <= i->b; n++) {
        const struct instr *arm = &i[n];
        const struct lang_binding *b;
        switch ((enum code_arm)arm->c) {
        case CODE_ARM_RECV:
            if (arm->a >= v->chunk->regs_n || !recv_fits(v, arm, arm->b))
                return false;
            break;
        case CODE_ARM_SEND:
            if (!send_fits(v, arm->a, arm->b))
                return false;
            break;
        case CODE_ARM_SIGNAL:
            b = binding(v, (uint32_t)(arm->a | arm->b << 8));
            if (!b || b->kind != LANG_BIND_SIGNAL)
                return false;
            break;
        default: break;
        }
    }
    return true;
}

static bool parts_fit(const struct verifier *v, const struct instr *i)
{
    for (unsigned n = 1; n <= i->b; n++)
        if (i[n].b == CODE_PRINT_ENUM && reg_type(v, i[n].a)->kind != CODE_KIND_ENUM)
            return false;
    return true;
}

/* ---- handles ----------------------------------------------------------------------------- */

static bool bind_fits(struct verifier *v, const struct instr *i)
{
    bool own;
    const struct lang_decl *model;
    if (!group_fine(v, i, &own, &model))
        return false;
    return put_handle(v, i, model, i->op == CODE_HGROUP || !own);
}

static bool handle_fits(struct verifier *v, const struct instr *i)
{
    return put_handle(v, i, reg_type(v, i->b)->model, i->op == CODE_HLEND);
}

static bool lease_fits(const struct verifier *v, const struct instr *i)
{
    const struct lang_binding *b = binding(v, v->p->leases[i->d].binding);
    if (!b || b->kind != LANG_BIND_LEASE || i->a >= v->chunk->regs_n)
        return false;
    const struct code_type *t = reg_type(v, i->a);
    return !t->own && t->model == b->resource->type;
}

static bool read_fits(struct verifier *v, const struct instr *i, const struct lang_type *type)
{
    if (!type)
        return false;
    uint16_t have = NO_TYPE;
    if (!to_window(v, i))
        return lang_type_fits(v, type, verify_reg(v, i->a));
    for (uint16_t n = 0; n < v->code->types_n && have == NO_TYPE; n++)
        if (lang_type_fits(v, type, n))
            have = n;
    return have != NO_TYPE && put_data(v, i, have);
}

static bool binding_is(const struct verifier *v, const struct instr *i, enum lang_binding_kind kind)
{
    return v->p->bindings[i->d].kind == kind;
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool data_agrees(struct verifier *v, const struct instr *i)
{
    switch (i->op) {
    case CODE_MOV: return put_data(v, i, verify_reg(v, i->b));
    case CODE_NIL: return put_nil(v, i);
    case CODE_EQO:
        return verify_reg(v, i->b) == verify_reg(v, i->c) && comparable(v, verify_reg(v, i->b)) &&
               put_data(v, i, CODE_TYPE_BOOL);
    case CODE_GETV: return put_data(v, i, v->code->var_types[i->d]);
    case CODE_SETV: return reg_fits(v, v->code->var_types[i->d], i->a);
    case CODE_RECORD: return make_record(v, i);
    case CODE_GETF: {
        const struct code_type *t = reg_type(v, i->b);
        return i->c < t->args_n && put_data(v, i, arg_type(v, t, i->c));
    }
    case CODE_SETF: {
        const struct code_type *t = reg_type(v, i->b);
        return i->c < t->args_n && reg_fits(v, arg_type(v, t, i->c), i->a);
    }
    case CODE_LIST:
    case CODE_LISTN: return make_list(v, i);
    case CODE_LGET:
    case CODE_LAT:
    case CODE_LLAST:
    case CODE_LPOP:
    case CODE_LREMOVE: return put_data(v, i, element(v, i->b));
    case CODE_LSET: return reg_fits(v, element(v, i->b), i->a);
    case CODE_LPUSH: return reg_fits(v, element(v, i->a), i->b);
    case CODE_LINSERT: return reg_fits(v, element(v, i->a), i->c);
    case CODE_LHAS:
        return reg_fits(v, element(v, i->b), i->c) && comparable(v, element(v, i->b)) &&
               put_data(v, i, CODE_TYPE_BOOL);
    case CODE_LSORT:
        return verify_type(v, element(v, i->a))->kind <= CODE_KIND_STR &&
               verify_type(v, element(v, i->a))->kind >= CODE_KIND_INT;
    case CODE_FOR: return i->a < v->chunk->regs_n; /* what it counts it also reads */
    case CODE_FORLIST: return i->a < v->chunk->regs_n && reg_fits(v, element(v, i->b), i->c);
    default: return true;
    }
}

static bool map_agrees(struct verifier *v, const struct instr *i)
{
    uint16_t key, value;
    switch (i->op) {
    case CODE_MAP: return make_other(v, i, CODE_KIND_MAP);
    case CODE_CHAN: return make_other(v, i, CODE_KIND_CHAN);
    case CODE_MGET:
    case CODE_MREMOVE:
        return reg_fits(v, reg_type(v, i->b)->a, i->c) && put_data(v, i, element(v, i->b));
    case CODE_MSET:
        return reg_fits(v, reg_type(v, i->b)->a, i->c) && reg_fits(v, element(v, i->b), i->a);
    case CODE_MHAS:
        return reg_fits(v, reg_type(v, i->b)->a, i->c) && put_data(v, i, CODE_TYPE_BOOL);
    case CODE_MKEYS: return list_of(v, i, reg_type(v, i->b)->a);
    case CODE_MVALUES: return list_of(v, i, element(v, i->b));
    case CODE_SPLIT: return list_of(v, i, CODE_TYPE_STR);
    case CODE_FORMAP:
        key = reg_type(v, i->b)->a;
        value = element(v, i->b);
        return i->a < v->chunk->regs_n && reg_fits(v, key, i->c) &&
               (i[1].b != 1 || reg_fits(v, value, i[1].a));
    case CODE_CONCAT: return parts_fit(v, i) && put_data(v, i, CODE_TYPE_STR);
    default: return true;
    }
}

static bool world_agrees(struct verifier *v, const struct instr *i)
{
    const struct lang_binding *b;
    switch (i->op) {
    case CODE_SEND:
    case CODE_TRYSEND: return send_fits(v, i->a, i->b);
    case CODE_RECV: return recv_fits(v, i, i->b);
    case CODE_SELECT: return select_fits(v, i);
    case CODE_HBIND:
    case CODE_HGROUP: return bind_fits(v, i);
    case CODE_HLEND:
    case CODE_HMOVE: return handle_fits(v, i);
    case CODE_DROPB:
    case CODE_REVOKE: return binding_is(v, i, LANG_BIND_OWN);
    case CODE_COMMAND:
        b = binding(v, (uint32_t)i->d & 0xFFFF);
        return is_handle(b) && command_fine(v, i, b->resource->type, (uint32_t)i->d >> 16);
    case CODE_COMMANDH:
        return i->d >= 0 && command_fine(v, i, reg_type(v, i->a)->model, (uint32_t)i->d);
    case CODE_READ:
        return binding_is(v, i, LANG_BIND_READ) &&
               read_fits(v, i, &v->p->bindings[i->d].member_type);
    case CODE_READH: return read_fits(v, i, readable(reg_type(v, i->b)->model, i->d));
    case CODE_STALE: return binding_is(v, i, LANG_BIND_READ) && put_data(v, i, CODE_TYPE_BOOL);
    case CODE_HNAME: return put_data(v, i, CODE_TYPE_STR);
    case CODE_STALEH:
        return readable(reg_type(v, i->b)->model, i->d) && put_data(v, i, CODE_TYPE_BOOL);
    case CODE_SLOPE:
        b = binding(v, v->p->windows[i->d].binding);
        return b && b->kind == LANG_BIND_READ && put_data(v, i, CODE_TYPE_FLOAT);
    case CODE_LEASE: return lease_fits(v, i);
    default: return true;
    }
}

/* Numbers that only mean something within bounds. */
static bool numbers_agree(const struct instr *i)
{
    switch (i->op) {
    case CODE_LOADB: return i->d >= 0 && i->d <= CODE_UNKNOWN;
    case CODE_DIVIK:
    case CODE_MODIK: return i->d > 0;
    case CODE_MATH: return i->d >= 0 && i->d < (int32_t)CODE_MATH_N;
    case CODE_STEST: return i->d >= 0 && i->d < (int32_t)CODE_STEST_N;
    case CODE_SMAKE: return i->d >= 0 && i->d < (int32_t)CODE_SMAKE_N;
    case CODE_ROUNDF:
    case CODE_ROUNDI: return i->c < CODE_ROUND_N;
    case CODE_STATE: return i->d >= 0;
    default: return true;
    }
}

/* A result whose letter says its type. */
static bool plain_result(struct verifier *v, const struct instr *i)
{
    if (!to_window(v, i))
        return true;
    switch (code_ops[i->op].sig[0]) {
    case 'B': return put_data(v, i, CODE_TYPE_BOOL);
    case 'I': return put_data(v, i, CODE_TYPE_INT);
    case 'F': return put_data(v, i, CODE_TYPE_FLOAT);
    case 'S': return put_data(v, i, CODE_TYPE_STR);
    default: return true; /* done with the relations */
    }
}

const char *verify_relations(struct verifier *v, const struct instr *i)
{
    switch (i->op) {
    case CODE_CALL:
    case CODE_CALLV: return call_check(v, i);
    case CODE_CALLC:
    case CODE_CALLCV: return closure_call_check(v, i);
    case CODE_CLOSURE: return closure_check(v, i);
    case CODE_SPAWN: return spawn_check(v, i);
    case CODE_RET:
        return v->chunk->result != CODE_TYPE_NONE && reg_fits(v, v->chunk->result, i->a)
                   ? NULL
                   : "a result of another type";
    case CODE_RETV: return v->chunk->result == CODE_TYPE_NONE ? NULL : "no result";
    default: break;
    }
    /* What an instruction both reads and writes is a register. */
    if ((i->op == CODE_FOR || i->op == CODE_HDROP) && to_window(v, i))
        return "a wrong first register";
    if (!numbers_agree(i) || !data_agrees(v, i) || !map_agrees(v, i) || !world_agrees(v, i) ||
        !plain_result(v, i))
        return "operands that do not agree";
    return NULL;
}
