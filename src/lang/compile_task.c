/* What waits and what is handed on: commands, send, select, spawn, sleep, leases. */
#include "lang/check_internal.h"

/* ---- commands and sends with `else` -------------------------------------------------------- */

static void command_or_else(struct body *b, const struct stmt *s)
{
    struct jumps busy = {0};
    command(b, s->value, s->on_busy == ELSE_NOTHING ? NULL : &busy);
    if (s->on_busy != ELSE_BLOCK) {
        jumps_here(b, &busy);
        return;
    }
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &busy);
    stmt_block(b, &s->otherwise);
    jump_here(b, end);
}

/* What goes through a channel: data, or a handle that moves. */
static struct use sent_use(struct body *b, const struct expr *send)
{
    const struct lang_type *chan = &send->a->type;
    return chan->own ? handle_move(b, send->list.v[0])
                     : expr_use(b, send->list.v[0], &chan->args[0]);
}

static void send_or_else(struct body *b, const struct stmt *s)
{
    const struct expr *e = s->value;
    struct use chan = expr_use(b, e->a, NULL), v = sent_use(b, e);
    bool own = e->a->type.own;
    if (s->on_busy == ELSE_NOTHING) {
        (void)put(b, CODE_SEND, chan.reg, v.reg, 0, 0);
    } else {
        size_t full = put(b, CODE_TRYSEND, chan.reg, v.reg, 0, 0);
        bool stays = s->on_busy == ELSE_BLOCK && !v.temp; /* a local handle is still held */
        bool more = s->on_busy == ELSE_BLOCK || own;
        size_t end = more ? put(b, CODE_JMP, 0, 0, 0, 0) : NO_JUMP;
        jump_here(b, full);
        stmt_block(b, &s->otherwise);
        if (own && !stays)
            (void)put(b, CODE_HDROP, v.reg, 0, 0, 0);
        jump_here(b, end);
    }
    give(b, v);
    give(b, chan);
}

static bool is_chan(const struct expr *e, enum method method)
{
    return e->kind == E_METHOD && e->a->type.kind == LANG_TYPE_CHAN && e->method == method;
}

void stmt_call(struct body *b, const struct stmt *s)
{
    const struct expr *e = s->value;
    if (e->ref == REF_COMMAND)
        command_or_else(b, s);
    else if (is_chan(e, METHOD_SEND))
        send_or_else(b, s);
    else
        expr_drop(b, e);
}

/* ---- spawn, sleep, publish ----------------------------------------------------------------- */

void stmt_spawn(struct body *b, const struct stmt *s)
{
    const struct expr *e = s->value;
    struct use args[CODE_ARGS_MAX];
    for (size_t i = 0; i < e->list.n; i++)
        args[i] = e->fn->params[i].mode == PARAM_OWN
                      ? handle_move(b, e->list.v[i])
                      : expr_use(b, e->list.v[i], &e->fn->param_types[i].type);
    (void)put(b, CODE_SPAWN, 0, (uint8_t)e->list.n, 0, (int32_t)fn_chunk(b, e->fn));
    operand_words(b, args, e->list.n);
}

void stmt_sleep(struct body *b, const struct stmt *s)
{
    struct use u = expr_use(b, s->value, &float_type);
    (void)put(b, CODE_SLEEP, u.reg, 0, 0, 0);
    give(b, u);
}

void stmt_publish(struct body *b, const struct stmt *s)
{
    struct use name = expr_use(b, s->value, NULL), v = expr_use(b, s->value2, NULL);
    (void)put(b, CODE_PUBLISH, name.reg, v.reg, 0, 0);
    give(b, v);
    give(b, name);
}

/* ---- select ------------------------------------------------------------------------------ */

struct select_arm {
    struct use a, b; /* its operands; given back when SELECT has them */
    uint8_t ra, rb;
    enum code_arm kind;
    size_t jump;
};

/* Where what is received goes: all arms' names live as long as the statement. */
static uint8_t received_reg(struct body *b, const struct arm *arm)
{
    const struct lang_type *chan = &arm->value->a->type;
    if (arm->name.text.n > 0)
        return chan->own ? local_declare_handle(b, arm->local, true) : local_declare(b, arm->local);
    if (!chan->own)
        return temp_of(b, &chan->args[0]);
    uint8_t r = temp(b, code_type_handle(b->k->code, chan->args[0].model, true));
    ctx_tree_push(b->c, &b->scope->owned, r);
    return r;
}

static struct select_arm arm_operands(struct body *b, const struct arm *arm)
{
    struct select_arm s = {.kind = CODE_ARM_ELSE};
    const struct expr *e = arm->value;
    if (arm->kind == ARM_ELSE)
        return s;
    if (arm->kind == ARM_AFTER) {
        s.kind = CODE_ARM_AFTER;
        s.a = expr_use(b, e, &float_type);
    } else if (e->ref == REF_SIGNAL) {
        s.kind = CODE_ARM_SIGNAL;
        s.ra = (uint8_t)(e->index & 0xFF);
        s.rb = (uint8_t)(e->index >> 8);
        return s;
    } else if (e->method == METHOD_RECV) {
        s.kind = CODE_ARM_RECV;
        s.b = expr_use(b, e->a, NULL);
        s.ra = received_reg(b, arm);
        s.rb = s.b.reg;
        return s;
    } else {
        s.kind = CODE_ARM_SEND;
        s.a = expr_use(b, e->a, NULL);
        s.b = sent_use(b, e);
        s.rb = s.b.reg;
    }
    s.ra = s.a.reg;
    return s;
}

void stmt_select(struct body *b, const struct stmt *s)
{
    struct select_arm arms[CODE_ARMS_MAX];
    struct jumps end = {0};
    struct scope scope;
    scope_enter(b, &scope, SCOPE_BLOCK);
    for (size_t i = 0; i < s->arms_n; i++)
        arms[i] = arm_operands(b, &s->arms[i]);
    (void)put(b, CODE_SELECT, 0, (uint8_t)s->arms_n, 0, 0);
    for (size_t i = 0; i < s->arms_n; i++) {
        arms[i].jump = put(b, CODE_ARM, arms[i].ra, arms[i].rb, (uint8_t)arms[i].kind, 0);
        give(b, arms[i].a);
        give(b, arms[i].b);
    }
    b->dead = true;
    for (size_t i = 0; i < s->arms_n; i++) {
        jump_here(b, arms[i].jump);
        stmt_block(b, &s->arms[i].body);
        if (i + 1 < s->arms_n)
            jumps_add(b, &end, put(b, CODE_JMP, 0, 0, 0, 0));
    }
    jumps_here(b, &end);
    scope_leave(b);
}

/* ---- leases ------------------------------------------------------------------------------ */

static struct use wait_use(struct body *b, const struct stmt *s)
{
    if (s->value2)
        return expr_use(b, s->value2, &float_type);
    struct use u = {temp(b, CODE_TYPE_FLOAT), true};
    none_to(b, &float_type, u.reg);
    return u;
}

void stmt_lease(struct body *b, const struct stmt *s)
{
    struct scope outer, lease;
    struct jumps end = {0};
    bool why = s->name2.text.n > 0;
    scope_enter(b, &outer, SCOPE_BLOCK);
    uint8_t reason = why ? local_declare(b, s->local2) : 0;
    struct use time = expr_use(b, s->value, &float_type), wait = wait_use(b, s);
    scope_enter(b, &lease, SCOPE_LEASE);
    lease.handle = local_declare_handle(b, s->local, false);
    (void)put(b, CODE_LEASE, lease.handle, time.reg, wait.reg, (int32_t)s->lease);
    size_t revoked = put(b, CODE_TO, reason, why, 0, 0);
    size_t denied = put(b, CODE_TO, 0, 0, 0, 0);
    give(b, wait);
    give(b, time);
    stmts(b, &s->body);
    scope_leave(b);
    jumps_add(b, &end, put(b, CODE_JMP, 0, 0, 0, 0));
    jump_here(b, revoked);
    stmt_block(b, &s->otherwise);
    if (s->has_denied)
        jumps_add(b, &end, put(b, CODE_JMP, 0, 0, 0, 0));
    jump_here(b, denied);
    stmt_block(b, &s->denied);
    jumps_here(b, &end);
    scope_leave(b);
}

void stmt_revoke(struct body *b, const struct stmt *s)
{
    if (s->binding != UINT32_MAX) {
        (void)put(b, CODE_REVOKE, 0, 0, 0, (int32_t)s->binding);
        return;
    }
    struct use h = handle_use(b, s->target);
    (void)put(b, CODE_REVOKEH, h.reg, 0, 0, 0);
    give(b, h);
}

void stmt_drop(struct body *b, const struct stmt *s)
{
    if (s->binding != UINT32_MAX)
        (void)put(b, CODE_DROPB, 0, 0, 0, (int32_t)s->binding);
    else
        (void)put(b, CODE_HDROP, local_reg(b, s->target->index), 0, 0, 0);
}
