/* Statements: scopes, let, assignments, if, return. */
#include "lang/check_internal.h"

/* ---- scopes ------------------------------------------------------------------------------ */

void scope_enter(struct body *b, struct scope *s, enum scope_kind kind)
{
    *s = (struct scope){.outer = b->scope, .kind = kind, .handle = REG_NONE};
    b->scope = s;
}

static void scope_exit(struct body *b, const struct scope *s)
{
    for (size_t i = s->owned.n; i > 0; i--)
        (void)put(b, CODE_HDROP, s->owned.v[i - 1], 0, 0, 0);
    if (s->kind == SCOPE_LEASE)
        (void)put(b, CODE_RELEASE, s->handle, 0, 0, 0);
}

void scope_leave(struct body *b)
{
    struct scope *s = b->scope;
    scope_exit(b, s);
    for (size_t i = 0; i < s->locals.n; i++) {
        uint32_t local = s->locals.v[i];
        reg_give(&b->b, b->regs[local]);
        b->is_local[b->regs[local]] = false;
        b->regs[local] = REG_NONE;
    }
    b->scope = s->outer;
}

void scopes_exit(struct body *b, const struct scope *to)
{
    for (const struct scope *s = b->scope; s != to; s = s->outer)
        scope_exit(b, s);
}

/* Whether leaving takes instructions, between a result and its RET. */
static bool scopes_hold(const struct body *b)
{
    for (const struct scope *s = b->scope; s; s = s->outer)
        if (s->owned.n > 0 || s->kind == SCOPE_LEASE)
            return true;
    return false;
}

/* ---- let and assignments ------------------------------------------------------------------ */

/* The local's register, with the value in it. */
static uint8_t declare_value(struct body *b, uint32_t local, const struct expr *value)
{
    const struct lang_type *t = &b->locals[local];
    bool handle = t->kind == LANG_TYPE_HANDLE;
    uint8_t r = handle ? local_declare_handle(b, local, true) : local_declare(b, local);
    expr_to(b, value, t, r);
    return r;
}

static bool compound(const struct stmt *s)
{
    return s->op != OP_EQ;
}

struct expr held(struct body *b, uint32_t nth, const struct lang_type *t, uint8_t reg)
{
    uint32_t local = (uint32_t)b->locals_n + nth;
    b->regs[local] = reg;
    return (struct expr){.kind = E_PATH, .ref = REF_LOCAL, .index = local, .type = *t};
}

/* target op value as an expression. */
static struct expr operation(const struct stmt *s, struct expr *target)
{
    return (struct expr){.kind = E_BINARY,
                         .op = s->op,
                         .span = s->span,
                         .a = target,
                         .b = s->value,
                         .type = s->target->type};
}

/* What is stored: the value, or `now` op it. */
static struct use stored(struct body *b, const struct stmt *s, uint8_t now)
{
    const struct lang_type *t = &s->target->type;
    if (!compound(s))
        return expr_use(b, s->value, t);
    struct expr x = held(b, 0, t, now), e = operation(s, &x);
    return expr_use(b, &e, t);
}

static void assign_name(struct body *b, const struct stmt *s)
{
    struct expr *t = s->target, sum = operation(s, t);
    const struct expr *value = compound(s) ? &sum : s->value;
    if (t->ref == REF_LOCAL) {
        expr_to(b, value, &t->type, local_reg(b, t->index));
        return;
    }
    struct use u = expr_use(b, value, &t->type);
    (void)put(b, CODE_SETV, u.reg, 0, 0, (int32_t)t->index);
    give(b, u);
}

static void assign_field(struct body *b, const struct stmt *s)
{
    const struct expr *t = s->target;
    struct use record = expr_use(b, t->a, NULL), now = {0};
    if (compound(s)) {
        now = (struct use){temp_of(b, &t->type), true};
        (void)put(b, CODE_GETF, now.reg, record.reg, (uint8_t)t->field, 0);
    }
    struct use u = stored(b, s, now.reg);
    (void)put(b, CODE_SETF, u.reg, record.reg, (uint8_t)t->field, 0);
    give(b, u);
    give(b, now);
    give(b, record);
}

static void assign_index(struct body *b, const struct stmt *s)
{
    const struct expr *t = s->target;
    bool map = t->a->type.kind == LANG_TYPE_MAP;
    struct use all = expr_use(b, t->a, NULL), now = {0};
    struct use i = expr_use(b, t->b, map ? &t->a->type.args[0] : NULL);
    if (compound(s)) {
        now = (struct use){temp_of(b, &t->type), true};
        (void)put(b, map ? CODE_MGET : CODE_LGET, now.reg, all.reg, i.reg, 0);
    }
    struct use u = stored(b, s, now.reg);
    (void)put(b, map ? CODE_MSET : CODE_LSET, u.reg, all.reg, i.reg, 0);
    give(b, u);
    give(b, now);
    give(b, i);
    give(b, all);
}

static void stmt_assign(struct body *b, const struct stmt *s)
{
    switch (s->target->kind) {
    case E_FIELD: assign_field(b, s); return;
    case E_INDEX: assign_index(b, s); return;
    default: assign_name(b, s); return;
    }
}

/* ---- if ---------------------------------------------------------------------------------- */

void stmt_block(struct body *b, const struct stmt_list *list)
{
    struct scope s;
    scope_enter(b, &s, SCOPE_BLOCK);
    stmts(b, list);
    scope_leave(b);
}

static void stmt_if(struct body *b, const struct stmt *s)
{
    struct jumps no = {0};
    struct scope scope;
    if (!s->if_let && s->value->constant) {
        stmt_block(b, s->value->value.i == 1 ? &s->body : &s->otherwise);
        return;
    }
    scope_enter(b, &scope, SCOPE_BLOCK);
    if (s->if_let) {
        bool outer = b->none_ok;
        b->none_ok = true;
        uint8_t r = declare_value(b, s->local, s->value);
        b->none_ok = outer;
        jumps_add(b, &no, jump_none(b, &b->locals[s->local], r, true));
    } else {
        cond_jump(b, s->value, false, &no);
    }
    stmts(b, &s->body);
    scope_leave(b);
    size_t end = s->otherwise.n > 0 ? put(b, CODE_JMP, 0, 0, 0, 0) : NO_JUMP;
    jumps_here(b, &no);
    stmt_block(b, &s->otherwise);
    jump_here(b, end);
}

/* ---- leaving ----------------------------------------------------------------------------- */

static void stmt_return(struct body *b, const struct stmt *s)
{
    if (b->inlined) {
        inline_return(b, s->value);
        return;
    }
    if (!s->value || !b->result) {
        if (s->value)
            expr_drop(b, s->value);
        scopes_exit(b, NULL);
        (void)put(b, CODE_RETV, 0, 0, 0, 0);
        return;
    }
    struct use u = {temp_of(b, b->result), true};
    if (scopes_hold(b)) {
        expr_to(b, s->value, b->result, u.reg);
    } else {
        give(b, u);
        u = expr_use(b, s->value, b->result);
    }
    scopes_exit(b, NULL);
    (void)put(b, CODE_RET, u.reg, 0, 0, 0);
    give(b, u);
}

static void stmt_leave(struct body *b, bool again)
{
    struct scope *loop = b->scope;
    while (loop->kind != SCOPE_LOOP)
        loop = loop->outer;
    scopes_exit(b, loop);
    jumps_add(b, again ? &loop->continues : &loop->breaks, put(b, CODE_JMP, 0, 0, 0, 0));
}

/* ---- any --------------------------------------------------------------------------------- */

static void stmt_host(struct body *b, const struct stmt *s)
{
    struct use u = expr_use(b, s->value, NULL);
    (void)put(b, CODE_STATE, u.reg, (uint8_t)s->level, 0, (int32_t)s->host);
    give(b, u);
}

static void stmt(struct body *b, const struct stmt *s)
{
    (void)place_set(b, s->span);
    switch (s->kind) {
    case S_LET: (void)declare_value(b, s->local, s->value); return;
    case S_ASSIGN: stmt_assign(b, s); return;
    case S_CALL: stmt_call(b, s); return;
    case S_IF: stmt_if(b, s); return;
    case S_RETURN: stmt_return(b, s); return;
    case S_HOST: stmt_host(b, s); return;
    case S_WHILE: stmt_while(b, s); return;
    case S_LOOP: stmt_loop(b, s); return;
    case S_FOR: stmt_for(b, s); return;
    case S_MATCH: stmt_match(b, s); return;
    case S_BREAK: stmt_leave(b, false); return;
    case S_CONTINUE: stmt_leave(b, true); return;
    case S_SPAWN: stmt_spawn(b, s); return;
    case S_SELECT: stmt_select(b, s); return;
    case S_SLEEP: stmt_sleep(b, s); return;
    case S_LEASE: stmt_lease(b, s); return;
    case S_REVOKE: stmt_revoke(b, s); return;
    case S_DROP: stmt_drop(b, s); return;
    case S_PUBLISH: stmt_publish(b, s); return;
    case S_TEST: return; /* stands in tests alone, which are not compiled */
    }
}

void stmts(struct body *b, const struct stmt_list *list)
{
    for (size_t i = 0; i < list->n && !b->dead && !b->b.full; i++)
        stmt(b, list->v[i]);
}
