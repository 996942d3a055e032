/* The builder of bytecode: registers, constants, chunks. */
#include "lang/check_internal.h"

#include <string.h>

const char *const code_signatures[CODE_OPS_N] = {
#define X(name, sig) sig,
    CODE_OPS(X)
#undef X
};
const char *const code_names[CODE_OPS_N] = {
#define X(name, sig) #name,
    CODE_OPS(X)
#undef X
};

enum lang_type_kind reg_kind(const struct lang_type *t)
{
    return t->kind == LANG_TYPE_TIME ? LANG_TYPE_INT : t->kind;
}

static void too_large(struct code *code, struct chunk_builder *b)
{
    if (!b->full)
        (void)diag_error(code->c, "P1", b->span, "too large",
                         "this is too large: move parts of it into functions");
    b->full = true;
}

/* A free register of that type; registers never change their type. */
uint8_t reg_take(struct code *code, struct chunk_builder *b, enum lang_type_kind kind)
{
    for (size_t i = 0; i < b->reg_types.n; i++)
        if (b->reg_types.v[i] == kind && !b->reg_used[i]) {
            b->reg_used[i] = true;
            return (uint8_t)i;
        }
    if (b->reg_types.n >= CODE_REGS_MAX) {
        too_large(code, b);
        return 0;
    }
    ctx_tree_push(code->c, &b->reg_types, (uint8_t)kind);
    b->reg_used[b->reg_types.n - 1] = true;
    return (uint8_t)(b->reg_types.n - 1);
}

void reg_give(struct chunk_builder *b, uint8_t reg)
{
    b->reg_used[reg] = false;
}

size_t emit(struct code *code, struct chunk_builder *b, enum code_op op, uint8_t a, uint8_t rb,
            uint8_t rc, int32_t d)
{
    if (b->code.n >= CODE_CHUNK_MAX) {
        too_large(code, b);
        return 0;
    }
    ctx_tree_push(code->c, &b->code, (struct instr){(uint8_t)op, a, rb, rc, d});
    ctx_tree_push(code->c, &b->lines, b->line);
    return b->code.n - 1;
}

void patch_here(struct chunk_builder *b, size_t jump)
{
    b->code.v[jump].d = (int32_t)b->code.n;
}

/* ---- constants: equal ones among the latest are shared ----------------------------------- */

#define SHARE_LOOK_BACK 32u

int32_t const_int(struct code *code, int64_t v)
{
    for (size_t i = code->ints.n; i > 0 && i + SHARE_LOOK_BACK > code->ints.n; i--)
        if (code->ints.v[i - 1] == v)
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->ints, v);
    return (int32_t)(code->ints.n - 1);
}

/* Bit for bit, so that 0.0 is not -0.0 and a NaN is itself. */
static bool same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

int32_t const_float(struct code *code, double v)
{
    for (size_t i = code->floats.n; i > 0 && i + SHARE_LOOK_BACK > code->floats.n; i--)
        if (same_bits(code->floats.v[i - 1], v))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->floats, v);
    return (int32_t)(code->floats.n - 1);
}

int32_t const_text(struct code *code, struct str v)
{
    for (size_t i = code->texts.n; i > 0 && i + SHARE_LOOK_BACK > code->texts.n; i--)
        if (str_eq(code->texts.v[i - 1], v))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->texts, v);
    return (int32_t)(code->texts.n - 1);
}

static bool unit_equal(const struct lang_unit *a, const struct lang_unit *b)
{
    return lang_unit_same_dim(a, b) && str_eq(a->symbol, b->symbol) &&
           same_bits(a->scale, b->scale) && same_bits(a->offset, b->offset);
}

int32_t const_unit(struct code *code, const struct lang_unit *u)
{
    for (size_t i = code->units.n; i > 0 && i + SHARE_LOOK_BACK > code->units.n; i--)
        if (unit_equal(&code->units.v[i - 1], u))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->units, *u);
    return (int32_t)(code->units.n - 1);
}

/* ---- chunks ------------------------------------------------------------------------------ */

static struct lang_chunk chunk_of(struct lang_ctx *c, const struct chunk_builder *b,
                                  size_t params_n, enum lang_type_kind result)
{
    return (struct lang_chunk){.code = ctx_kept(c, &b->code),
                               .lines = ctx_kept(c, &b->lines),
                               .code_n = (uint32_t)b->code.n,
                               .regs_n = (uint32_t)b->reg_types.n,
                               .params_n = (uint32_t)params_n,
                               .reg_types = ctx_kept(c, &b->reg_types),
                               .result = result};
}

static uint32_t chunk_add(struct code *code, struct lang_chunk chunk)
{
    ctx_tree_push(code->c, &code->chunks, chunk);
    return (uint32_t)(code->chunks.n - 1);
}

uint32_t compile_condition(struct code *code, struct expr *e)
{
    struct chunk_builder b = {.strict = true, .line = ctx_line(code->c, e->span), .span = e->span};
    uint8_t r = compile_truth(code, &b, e);
    (void)emit(code, &b, CODE_RET, r, 0, 0, 0);
    return chunk_add(code, chunk_of(code->c, &b, 0, LANG_TYPE_BOOL));
}

static void take_locals(struct code *code, struct chunk_builder *b, const struct lang_type *locals,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (b->reg_types.n < CODE_REGS_MAX)
            ctx_tree_push(code->c, &b->reg_types, (uint8_t)reg_kind(&locals[i]));
        b->reg_used[i] = true;
        b->local_regs[i] = (uint8_t)i;
    }
}

uint32_t compile_body(struct code *code, const struct stmt_list *body,
                      const struct lang_type *locals, size_t locals_n)
{
    struct chunk_builder b = {.line = ctx_line(code->c, body->span), .span = body->span};
    take_locals(code, &b, locals, locals_n);
    compile_stmts(code, &b, body);
    (void)emit(code, &b, CODE_RETV, 0, 0, 0, 0);
    return chunk_add(code, chunk_of(code->c, &b, 0, LANG_TYPE_NONE));
}

uint32_t fn_chunk(struct code *code, struct fn_decl *fn)
{
    for (size_t i = 0; i < code->fns.n; i++)
        if (code->fns.v[i].fn == fn)
            return code->fns.v[i].chunk;
    uint32_t chunk = chunk_add(code, (struct lang_chunk){0});
    ctx_tree_push(code->c, &code->fns, (struct fn_chunk){fn, chunk});
    return chunk;
}

void compile_functions(struct code *code)
{
    for (; code->fns_done < code->fns.n; code->fns_done++) {
        struct fn_chunk f = code->fns.v[code->fns_done];
        struct chunk_builder b = {.line = ctx_line(code->c, f.fn->span),
                                  .span = f.fn->span,
                                  .result = &f.fn->result_type};
        take_locals(code, &b, f.fn->locals, f.fn->locals_n);
        compile_stmts(code, &b, &f.fn->body);
        /* a function with a result returns on every way: the checker saw to it */
        if (f.fn->result_type.kind == LANG_TYPE_NONE)
            (void)emit(code, &b, CODE_RETV, 0, 0, 0, 0);
        else
            (void)emit(code, &b, CODE_TRAP, 0, 0, 0, const_text(code, STR("no result")));
        code->chunks.v[f.chunk] =
            chunk_of(code->c, &b, f.fn->params_n, reg_kind(&f.fn->result_type));
    }
}

/* ---- the finished program ---------------------------------------------------------------- */

static uint64_t hash_str(uint64_t h, struct str s)
{
    h = hash_bytes(&s.n, sizeof(s.n), h);
    return hash_bytes(s.p, s.n, h);
}

static uint64_t hash_i64(uint64_t h, int64_t v)
{
    return hash_bytes(&v, sizeof(v), h);
}

static uint64_t hash_rules(uint64_t h, const struct lang_program *p)
{
    for (size_t i = 0; i < p->rules_n; i++) {
        const struct lang_rule *r = &p->rules[i];
        h = hash_str(h, r->path);
        h = hash_i64(h, r->kind);
        h = hash_i64(h, r->hold_ms);
        h = hash_i64(h, r->until_hold_ms);
        h = hash_i64(h, r->every_ms);
        h = hash_i64(h, r->condition);
        h = hash_i64(h, r->body);
        h = hash_i64(h, r->until_condition);
        h = hash_i64(h, r->until_body);
    }
    return h;
}

static uint64_t program_hash(const struct lang_program *p)
{
    const struct lang_code *c = p->code;
    uint64_t h = hash_str(1, p->name);
    for (size_t i = 0; i < c->chunks_n; i++)
        h = hash_bytes(c->chunks[i].code, c->chunks[i].code_n * sizeof(struct instr), h);
    h = hash_bytes(c->ints, c->ints_n * sizeof(*c->ints), h);
    h = hash_bytes(c->floats, c->floats_n * sizeof(*c->floats), h);
    for (size_t i = 0; i < c->texts_n; i++)
        h = hash_str(h, c->texts[i]);
    for (size_t i = 0; i < c->units_n; i++)
        h = hash_str(h, c->units[i].symbol);
    for (size_t i = 0; i < p->bindings_n; i++) {
        h = hash_str(h, p->bindings[i].resource->name);
        h = hash_str(h, p->bindings[i].member_name);
        h = hash_i64(h, p->bindings[i].stale_ms);
    }
    for (size_t i = 0; i < p->vars_n; i++)
        h = hash_str(h, p->vars[i].path);
    for (size_t i = 0; i < p->windows_n; i++)
        h = hash_i64(h, p->windows[i].duration_ms);
    return hash_rules(h, p);
}

void code_finish(struct code *code, struct lang_program *program)
{
    struct lang_code *c = ctx_new(code->c, sizeof(*c));
    *c = (struct lang_code){.chunks = ctx_kept(code->c, &code->chunks),
                            .chunks_n = code->chunks.n,
                            .ints = ctx_kept(code->c, &code->ints),
                            .ints_n = code->ints.n,
                            .floats = ctx_kept(code->c, &code->floats),
                            .floats_n = code->floats.n,
                            .texts = ctx_kept(code->c, &code->texts),
                            .texts_n = code->texts.n,
                            .units = ctx_kept(code->c, &code->units),
                            .units_n = code->units.n};
    program->code = c;
    program->chunks_n = c->chunks_n;
    for (size_t i = 0; i < c->chunks_n; i++)
        program->instructions_n += c->chunks[i].code_n;
    program->code_hash = program_hash(program);
}
