/* Holds a compiled program to the rules of code_internal.h, so that the machine needs no checks:
 * registers, constants, jumps and calls in bounds and of the right types. */
#include "lang/check_internal.h"

struct verifier {
    const struct lang_program *p;
    const struct lang_code *code;
    const struct lang_chunk *chunk;
};

static bool reg_is(const struct verifier *v, uint8_t reg, char want)
{
    if (reg >= v->chunk->regs_n)
        return false;
    enum lang_type_kind kind = (enum lang_type_kind)v->chunk->reg_types[reg];
    switch (want) {
    case 'B': return kind == LANG_TYPE_BOOL;
    case 'I': return kind == LANG_TYPE_INT;
    case 'F': return kind == LANG_TYPE_FLOAT;
    case 'S': return kind == LANG_TYPE_STR;
    default: return want == 'x';
    }
}

static enum lang_type_kind plain_kind(const struct lang_type *t)
{
    return t->kind == LANG_TYPE_TIME ? LANG_TYPE_INT : t->kind;
}

static bool constant_fine(const struct verifier *v, const struct instr *i)
{
    size_t d = (size_t)i->d;
    switch (v->chunk->reg_types[i->a]) {
    case LANG_TYPE_INT: return d < v->code->ints_n;
    case LANG_TYPE_FLOAT: return d < v->code->floats_n;
    default: return d < v->code->texts_n;
    }
}

static bool read_fine(const struct verifier *v, const struct instr *i)
{
    const struct lang_program *p = v->p;
    if ((size_t)i->d >= p->bindings_n || p->bindings[i->d].kind != LANG_BIND_READ)
        return false;
    return i->op == CODE_STALE ||
           plain_kind(&p->bindings[i->d].member_type) == v->chunk->reg_types[i->a];
}

static bool owned_fine(const struct verifier *v, const struct instr *i)
{
    size_t binding = (size_t)(i->d & 0xFFFF);
    uint32_t command = (uint32_t)i->d >> 16;
    if (binding >= v->p->bindings_n || v->p->bindings[binding].kind != LANG_BIND_OWN)
        return false;
    const struct lang_member *m =
        lang_decl_member_at(v->p->bindings[binding].resource->type, LANG_CLAUSE_COMMAND, command);
    return m && m->params_n == i->b;
}

static bool immediate_fine(const struct verifier *v, const struct instr *i, char what)
{
    if (i->d < 0)
        return false;
    size_t d = (size_t)i->d;
    switch (what) {
    case 'j': return d < v->chunk->code_n;
    case 'k': return constant_fine(v, i);
    case 'u': return d < v->code->units_n;
    case 't': return d < v->code->texts_n;
    case 'r': return read_fine(v, i);
    case 'w': return d < v->p->windows_n;
    case 'v':
        return d < v->p->vars_n && plain_kind(&v->p->vars[d].type) == v->chunk->reg_types[i->a];
    case 'c': return d < v->code->chunks_n && v->code->chunks[d].code_n > 0;
    case 'o': return owned_fine(v, i);
    case 'm': return i->op != CODE_LOADB || d <= CODE_UNKNOWN;
    default: return true;
    }
}

static enum lang_type_kind want_of_arg(const struct verifier *v, const struct instr *call, size_t n)
{
    if (call->op != CODE_COMMAND)
        return (enum lang_type_kind)v->code->chunks[call->d].reg_types[n];
    const struct lang_decl *r = v->p->bindings[call->d & 0xFFFF].resource;
    const struct lang_member *m =
        lang_decl_member_at(r->type, LANG_CLAUSE_COMMAND, (uint32_t)call->d >> 16);
    return plain_kind(&m->params[n].type);
}

/* The ARGs behind a call: as many, and of the types, as it takes. */
static bool args_fine(const struct verifier *v, size_t at)
{
    const struct instr *call = &v->chunk->code[at];
    if (call->op != CODE_COMMAND && call->b != v->code->chunks[call->d].params_n)
        return false;
    if (call->b > CODE_ARGS_MAX || at + call->b >= v->chunk->code_n)
        return false;
    for (size_t i = 0; i < call->b; i++) {
        const struct instr *arg = &v->chunk->code[at + 1 + i];
        if (arg->op != CODE_ARG || arg->a >= v->chunk->regs_n ||
            v->chunk->reg_types[arg->a] != want_of_arg(v, call, i))
            return false;
    }
    return true;
}

static const char *instr_check(const struct verifier *v, size_t at)
{
    const struct instr *i = &v->chunk->code[at];
    if (i->op >= CODE_OPS_N)
        return "an unknown instruction";
    const char *sig = code_signatures[i->op];
    if (sig[0] != '-' && !reg_is(v, i->a, sig[0]))
        return "a wrong first register";
    if (sig[1] != '-' && !reg_is(v, i->b, sig[1]))
        return "a wrong second register";
    if (sig[2] != '-' && !reg_is(v, i->c, sig[2]))
        return "a wrong third register";
    if (sig[0] == 'x' && sig[1] == 'x' && v->chunk->reg_types[i->a] != v->chunk->reg_types[i->b])
        return "registers of two types";
    if (sig[3] != '-' && !immediate_fine(v, i, sig[3]))
        return "an operand out of bounds";
    if (sig[3] == 'j' && v->chunk->code[i->d].op == CODE_ARG)
        return "a jump into a call";
    bool call = i->op == CODE_CALL || i->op == CODE_CALLV || i->op == CODE_COMMAND;
    if (call && !args_fine(v, at))
        return "wrong arguments";
    if (i->op == CODE_CALL && v->code->chunks[i->d].result != v->chunk->reg_types[i->a])
        return "a result of another type";
    if (i->op == CODE_CALLV && v->code->chunks[i->d].result != LANG_TYPE_NONE)
        return "a result that nobody takes";
    if (i->op == CODE_RET && v->chunk->result != v->chunk->reg_types[i->a])
        return "a result of another type";
    if (i->op == CODE_RETV && v->chunk->result != LANG_TYPE_NONE)
        return "no result";
    return "";
}

static const char *chunk_check(struct verifier *v)
{
    const struct lang_chunk *c = v->chunk;
    if (c->code_n == 0 || c->regs_n > CODE_REGS_MAX || c->params_n > c->regs_n)
        return "an impossible chunk";
    uint8_t last = c->code[c->code_n - 1].op;
    if (last != CODE_RET && last != CODE_RETV && last != CODE_TRAP)
        return "code that runs over its end";
    for (size_t i = 0; i < c->code_n; i++) {
        const char *why = instr_check(v, i);
        if (why[0] != '\0')
            return why;
    }
    return "";
}

static bool chunk_is(const struct verifier *v, uint32_t chunk, enum lang_type_kind result)
{
    return chunk == LANG_NO_CHUNK ||
           (chunk < v->code->chunks_n && v->code->chunks[chunk].result == result &&
            v->code->chunks[chunk].params_n == 0);
}

const char *code_verify(const struct lang_program *program)
{
    struct verifier v = {.p = program, .code = program->code};
    for (size_t i = 0; i < v.code->chunks_n; i++) {
        v.chunk = &v.code->chunks[i];
        const char *why = chunk_check(&v);
        if (why[0] != '\0')
            return why;
    }
    for (size_t i = 0; i < program->rules_n; i++) {
        const struct lang_rule *r = &program->rules[i];
        if (!chunk_is(&v, r->condition, LANG_TYPE_BOOL) ||
            !chunk_is(&v, r->until_condition, LANG_TYPE_BOOL) ||
            !chunk_is(&v, r->body, LANG_TYPE_NONE) || !chunk_is(&v, r->until_body, LANG_TYPE_NONE))
            return "a rule without its code";
    }
    return "";
}
