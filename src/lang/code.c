/* The compiler's entry points: conditions, bodies, functions, first values of variables. */
#include "lang/check_internal.h"

#include <string.h>

struct code *compile_new(struct lang_ctx *c, struct prog *prog)
{
    struct code *code = code_new(c);
    struct compile *k = ctx_tree_new(c, sizeof(*k));
    *k = (struct compile){.code = code, .prog = prog};
    code->compile = k;
    return code;
}

/* ---- a chunk's beginning and end ---------------------------------------------------------- */

static uint8_t *regs_new(struct lang_ctx *c, size_t n)
{
    uint8_t *regs = ctx_tree_array(c, n + HELD_MAX, 1);
    memset(regs, REG_NONE, n + HELD_MAX);
    return regs;
}

static void body_init(struct body *b, struct compile *k, struct str name, struct lang_span span,
                      struct code_locals locals)
{
    *b = (struct body){.k = k, .c = k->code->c, .locals = locals.types, .locals_n = locals.n};
    b->b.code = k->code;
    b->b.name = name;
    b->b.span = span;
    b->regs = regs_new(b->c, locals.n);
    (void)place_set(b, span);
}

static uint32_t body_finish(struct body *b, uint32_t chunk)
{
    insert_kept(b);
    chunk_finish(&b->b, chunk);
    return chunk;
}

/* The parameters are the first registers, in order. */
static void take_params(struct body *b, size_t n)
{
    b->b.params_n = (uint8_t)n;
    for (uint32_t i = 0; i < n; i++)
        (void)local_declare(b, i);
}

/* ---- rules -------------------------------------------------------------------------------- */

uint32_t compile_condition(struct code *code, struct str name, const struct expr *e,
                           struct code_locals locals)
{
    struct body b;
    struct scope s;
    body_init(&b, code->compile, name, e->span, locals);
    b.strict = true;
    b.b.result = CODE_TYPE_BOOL;
    scope_enter(&b, &s, SCOPE_BLOCK);
    uint8_t r = temp(&b, CODE_TYPE_BOOL);
    kleene_to(&b, e, r);
    (void)put(&b, CODE_RET, r, 0, 0, 0);
    return body_finish(&b, chunk_reserve(code));
}

/* Whether what is in `now` differs from what the variable had before, which it gets. */
static void changed(struct body *b, const struct lang_type *t, uint8_t now, uint32_t last,
                    struct jumps *no)
{
    uint8_t before = temp_of(b, t);
    jumps_add(b, no, jump_none(b, t, now, true));
    (void)put(b, CODE_GETV, before, 0, 0, (int32_t)last);
    size_t first = jump_none(b, t, before, true);
    struct expr x = held(b, 0, t, now), y = held(b, 1, t, before);
    struct expr differs = {
        .kind = E_BINARY, .op = OP_NE, .a = &x, .b = &y, .type = {.kind = LANG_TYPE_BOOL}};
    cond_jump(b, &differs, false, no);
    (void)put(b, CODE_SETV, now, 0, 0, (int32_t)last);
    uint8_t r = temp(b, CODE_TYPE_BOOL);
    (void)put(b, CODE_LOADB, r, 0, 0, 1);
    (void)put(b, CODE_RET, r, 0, 0, 0);
    jump_here(b, first);
    (void)put(b, CODE_SETV, now, 0, 0, (int32_t)last);
    reg_give(&b->b, r);
    reg_give(&b->b, before);
}

uint32_t compile_changed(struct code *code, struct str name, const struct expr *e, uint32_t last,
                         struct code_locals locals)
{
    struct body b;
    struct scope s;
    struct jumps no = {0};
    body_init(&b, code->compile, name, e->span, locals);
    b.b.result = CODE_TYPE_BOOL;
    scope_enter(&b, &s, SCOPE_BLOCK);
    b.strict = true;
    b.misses = &no;
    b.none_ok = true;
    struct use now = expr_use(&b, e, NULL);
    b.strict = b.none_ok = false;
    changed(&b, &e->type, now.reg, last, &no);
    jumps_here(&b, &no);
    uint8_t r = temp(&b, CODE_TYPE_BOOL);
    (void)put(&b, CODE_LOADB, r, 0, 0, 0);
    (void)put(&b, CODE_RET, r, 0, 0, 0);
    return body_finish(&b, chunk_reserve(code));
}

uint32_t compile_body(struct code *code, struct str name, const struct stmt_list *body,
                      struct code_locals locals, bool suspends)
{
    struct body b;
    struct scope s;
    body_init(&b, code->compile, name, body->span, locals);
    b.b.task = suspends;
    scope_enter(&b, &s, SCOPE_BLOCK);
    take_params(&b, locals.params_n);
    stmts(&b, body);
    scope_leave(&b);
    (void)put(&b, CODE_RETV, 0, 0, 0, 0);
    return body_finish(&b, chunk_reserve(code));
}

/* ---- functions ---------------------------------------------------------------------------- */

uint32_t fn_chunk(struct body *b, const struct fn_decl *fn)
{
    struct compile *k = b->k;
    for (size_t i = 0; i < k->fns.n; i++)
        if (k->fns.v[i].fn == fn)
            return k->fns.v[i].chunk;
    uint32_t chunk = chunk_reserve(k->code);
    ctx_tree_push(b->c, &k->fns, (struct fn_chunk){fn, chunk});
    return chunk;
}

static void fn_params(struct body *b, const struct fn_decl *fn)
{
    b->b.params_n = (uint8_t)(fn->params_n + fn->captures_n);
    b->b.captures_n = (uint8_t)fn->captures_n;
    for (uint32_t i = 0; i < fn->params_n + fn->captures_n; i++)
        if (b->locals[i].kind == LANG_TYPE_HANDLE)
            (void)local_declare_handle(b, i, i < fn->params_n && fn->params[i].mode == PARAM_OWN);
        else
            (void)local_declare(b, i);
}

static void compile_fn(struct compile *k, const struct fn_decl *fn, uint32_t chunk)
{
    struct body b;
    struct scope s;
    struct str name = fn->lambda ? STR("fn") : fn->name.text;
    body_init(&b, k, name, fn->span, (struct code_locals){fn->locals, fn->locals_n, 0});
    b.b.task = fn->task;
    b.result = fn->result_type.kind == LANG_TYPE_NONE ? NULL : &fn->result_type;
    b.b.result = b.result ? type_of(&b, b.result) : CODE_TYPE_NONE;
    scope_enter(&b, &s, SCOPE_BLOCK);
    fn_params(&b, fn);
    stmts(&b, &fn->body);
    scope_leave(&b);
    /* one with a result returns on every way: the checker saw to it, but not that a loop without an
     * end has none */
    if (b.result)
        (void)put(&b, CODE_TRAP, 0, 0, 0, const_text(k->code, STR("no result")));
    else
        (void)put(&b, CODE_RETV, 0, 0, 0, 0);
    (void)body_finish(&b, chunk);
}

uint32_t lambda_chunk(struct body *b, const struct fn_decl *fn)
{
    uint32_t chunk = chunk_reserve(b->k->code);
    compile_fn(b->k, fn, chunk);
    return chunk;
}

/* ---- first values ------------------------------------------------------------------------- */

void compile_init(struct code *code, uint32_t var, const struct expr *value,
                  struct code_locals locals)
{
    struct compile *k = code->compile;
    struct body *b = k->init;
    struct scope s;
    if (!b) {
        b = k->init = ctx_tree_new(code->c, sizeof(*b));
        body_init(b, k, STR("init"), value->span, locals);
        k->init_chunk = chunk_reserve(code);
    }
    b->locals = locals.types;
    b->locals_n = locals.n;
    b->regs = regs_new(code->c, locals.n);
    b->scope = NULL;
    (void)place_set(b, value->span);
    scope_enter(b, &s, SCOPE_BLOCK);
    struct use u = expr_use(b, value, &k->prog->vars.v[var].type);
    (void)put(b, CODE_SETV, u.reg, 0, 0, (int32_t)var);
    give(b, u);
    scope_leave(b);
}

void compile_finish(struct code *code)
{
    struct compile *k = code->compile;
    if (k->init) {
        (void)put(k->init, CODE_RETV, 0, 0, 0, 0);
        code->init = body_finish(k->init, k->init_chunk);
    }
    for (; k->fns_done < k->fns.n; k->fns_done++)
        compile_fn(k, k->fns.v[k->fns_done].fn, k->fns.v[k->fns_done].chunk);
}
