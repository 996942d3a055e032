/* Holds a program to the rules of code_internal.h, so that the machine needs no checks: whatever
 * passes can do no more harm than a program of ours. */
#include "lang/verify_internal.h"

#include <string.h>

bool verify_fits(const struct verifier *v, uint16_t want, uint16_t have)
{
    if (want == have)
        return true;
    uint8_t x = verify_type(v, want)->kind, y = verify_type(v, have)->kind;
    return (x == CODE_KIND_INT || x == CODE_KIND_ENUM) &&
           (y == CODE_KIND_INT || y == CODE_KIND_ENUM);
}

static bool kind_fits(const struct code_type *t, char letter)
{
    switch (letter) {
    case 'B': return t->kind == CODE_KIND_BOOL;
    case 'I':
    case 'i': return t->kind == CODE_KIND_INT || t->kind == CODE_KIND_ENUM;
    case 'F': return t->kind == CODE_KIND_FLOAT;
    case 'S': return t->kind == CODE_KIND_STR;
    case 'R': return t->kind == CODE_KIND_RECORD;
    case 'L': return t->kind == CODE_KIND_LIST;
    case 'M': return t->kind == CODE_KIND_MAP;
    case 'C': return t->kind == CODE_KIND_CHAN;
    case 'N': return t->kind == CODE_KIND_FN;
    case 'H': return t->kind == CODE_KIND_HANDLE;
    case 'O': return t->kind == CODE_KIND_HANDLE && t->own;
    case 'o': return code_kind_ref(t->kind);
    case 'x': return t->kind != CODE_KIND_HANDLE;
    case 'z': return t->kind != CODE_KIND_HANDLE || t->own;
    default: return false;
    }
}

bool verify_operand(const struct verifier *v, uint8_t reg, char letter)
{
    return reg < v->chunk->regs_n && kind_fits(verify_type(v, verify_reg(v, reg)), letter);
}

/* The result may also go to the window; what it is then is looked at with the relations. */
static bool result_fine(const struct verifier *v, const struct instr *i, char letter)
{
    if (!(code_ops[i->op].flags & CODE_F_A) || i->a < v->chunk->regs_n)
        return verify_operand(v, i->a, letter);
    return i->a - v->chunk->regs_n < (int)CODE_ARGS_MAX;
}

static const char *number_check(const struct verifier *v, const struct instr *i, char what)
{
    size_t d = (size_t)(uint32_t)i->d;
    bool fine = i->d >= 0;
    switch (what) {
    case 'k': fine &= d < v->code->ints_n; break;
    case 'K': fine &= d < v->code->floats_n; break;
    case 't': fine &= d < v->code->texts_n; break;
    case 'u': fine &= d < v->code->units_n; break;
    case 'v': fine &= d < v->p->vars_n; break;
    case 'c': fine &= d < v->code->chunks_n; break;
    case 'y': fine &= d < v->code->types_n; break;
    case 'e': fine &= d < v->p->leases_n; break;
    case 'w': fine &= d < v->p->windows_n; break;
    case 'r':
    case 'o': fine &= d < v->p->bindings_n; break;
    case 'i': fine &= d < v->chunk->regs_n && verify_operand(v, (uint8_t)d, 'i'); break;
    default: fine = true; break; /* of m, what its instruction asks for; of j and l, see jumps */
    }
    return fine ? NULL : "an operand out of bounds";
}

static const char *signature_check(const struct verifier *v, const struct instr *i, const char *sig)
{
    if (code_is_reg(sig[0]) && !result_fine(v, i, sig[0]))
        return "a wrong first register";
    if (code_is_reg(sig[1]) && !verify_operand(v, i->b, sig[1]))
        return "a wrong second register";
    if (code_is_reg(sig[2]) && !verify_operand(v, i->c, sig[2]))
        return "a wrong third register";
    if (sig[1] == 'q' && instr_bc(i) >= v->code->floats_n)
        return "an operand out of bounds";
    return number_check(v, i, sig[3]);
}

/* ---- where instructions begin, and where jumps lead -------------------------------------- */

static bool is_word(uint8_t op)
{
    return op == CODE_ARG || op == CODE_PART || op == CODE_ARM || op == CODE_TO;
}

static const char *find_starts(struct verifier *v)
{
    const struct lang_chunk *c = v->chunk;
    for (uint32_t at = 0; at < c->code_n;) {
        const struct instr *i = &c->code[at];
        if (i->op >= CODE_OPS_N || is_word(i->op) || i->op == CODE_HALT)
            return "an unknown instruction";
        unsigned words = code_words(i);
        if (c->code_n - at <= words)
            return "an instruction without its operands";
        for (unsigned n = 0; n < words; n++)
            if (i[1 + n].op != code_word_op(i, n) || !code_word_sig(i, &i[1 + n]))
                return "a wrong operand word";
        bool ends = code_ops[i->op].flags & CODE_F_END;
        if (!ends && c->code_n - at == words + 1)
            return "code that runs over its end";
        v->marks[at] |= VERIFY_START;
        at += 1 + words;
    }
    return NULL;
}

static const char *mark_target(struct verifier *v, uint32_t at, char letter)
{
    int64_t d = v->chunk->code[at].d, to = (int64_t)at + 1 + d;
    if (letter != 'j' && letter != 'l')
        return NULL;
    if ((letter == 'j') != (d >= 0))
        return "a jump in the wrong direction";
    if (to < 0 || to >= (int64_t)v->chunk->code_n || !(v->marks[to] & VERIFY_START))
        return "a jump to where no instruction is";
    v->marks[to] |= VERIFY_TARGET;
    return NULL;
}

static const char *find_targets(struct verifier *v)
{
    const struct lang_chunk *c = v->chunk;
    for (uint32_t at = 0; at < c->code_n;) {
        const struct instr *i = &c->code[at];
        unsigned words = code_words(i);
        const char *why = mark_target(v, at, code_ops[i->op].sig[3]);
        for (unsigned n = 1; n <= words && !why; n++)
            why = mark_target(v, at + n, code_word_sig(i, &i[n])[3]);
        if (why)
            return why;
        at += 1 + words;
    }
    return NULL;
}

/* ---- chunks ------------------------------------------------------------------------------ */

static bool jumps(const struct instr *i)
{
    char d = code_ops[i->op].sig[3];
    return d == 'j' || d == 'l' || i->op == CODE_SELECT ||
           ((i->op == CODE_COMMAND || i->op == CODE_COMMANDH) && i->c == 1);
}

static const char *instr_check(struct verifier *v, uint32_t at)
{
    const struct instr *i = &v->chunk->code[at];
    unsigned flags = code_ops[i->op].flags;
    const char *why = signature_check(v, i, code_ops[i->op].sig);
    for (unsigned n = 1; n <= code_words(i) && !why; n++)
        why = signature_check(v, &i[n], code_word_sig(i, &i[n]));
    if (why)
        return why;
    if ((v->marks[at] & VERIFY_TARGET) || (flags & CODE_F_SUSP))
        v->window = (struct verify_window){0};
    if (v->window.has_ref && (flags & CODE_F_GC))
        return "an allocation while a reference is in the window";
    why = verify_relations(v, i);
    if (jumps(i))
        v->window = (struct verify_window){0};
    return why;
}

static struct code_fault chunk_check(struct verifier *v, uint32_t number)
{
    struct code_fault f = {.chunk = number, .at = UINT32_MAX};
    v->window = (struct verify_window){0};
    v->marks = mem_array(v->alloc, v->chunk->code_n, 1);
    if (!v->marks) {
        f.why = "out of memory";
        f.no_memory = true;
    }
    if (!f.why)
        f.why = find_starts(v);
    if (!f.why)
        f.why = find_targets(v);
    for (uint32_t at = 0; at < v->chunk->code_n && !f.why; at++)
        if (v->marks[at] & VERIFY_START) {
            f.why = instr_check(v, at);
            f.at = at;
        }
    if (!f.why)
        f.why = verify_flow(v, &f);
    mem_free(v->alloc, v->marks, v->chunk->code_n);
    return f;
}

/* ---- the program ------------------------------------------------------------------------- */

static bool rule_chunk(const struct verifier *v, uint32_t chunk, bool condition, bool suspends)
{
    if (chunk == LANG_NO_CHUNK)
        return true;
    if (chunk >= v->code->chunks_n)
        return false;
    const struct lang_chunk *c = &v->code->chunks[chunk];
    if (c->params_n != 0)
        return false;
    return condition ? c->result != CODE_TYPE_NONE && !c->task
                     : c->result == CODE_TYPE_NONE && (suspends || !c->task);
}

static bool message_chunk(const struct verifier *v, uint32_t chunk)
{
    if (chunk >= v->code->chunks_n)
        return false;
    const struct lang_chunk *c = &v->code->chunks[chunk];
    return c->params_n == 1 && c->captures_n == 0 && c->result == CODE_TYPE_NONE &&
           verify_type(v, c->reg_types[0])->kind != CODE_KIND_HANDLE;
}

static const char *rules_check(const struct verifier *v)
{
    if (!rule_chunk(v, v->code->init, false, false))
        return "first values without their code";
    for (size_t n = 0; n < v->p->rules_n; n++) {
        const struct lang_rule *r = &v->p->rules[n];
        bool body = r->kind == LANG_RULE_MESSAGE ? message_chunk(v, r->body)
                                                 : rule_chunk(v, r->body, false, r->suspends);
        if (!body || !rule_chunk(v, r->condition, true, false) ||
            !rule_chunk(v, r->until_condition, true, false) ||
            !rule_chunk(v, r->until_body, false, r->until_suspends))
            return "a rule without its code";
    }
    return NULL;
}

/* All of them first: calls look at the heads of chunks that come later. */
static struct code_fault heads_check(const struct verifier *v)
{
    struct code_fault f = {.chunk = UINT32_MAX, .at = UINT32_MAX};
    for (uint32_t n = 0; n < v->code->chunks_n && !f.why; n++) {
        f.chunk = n;
        f.why = verify_chunk_head(v, &v->code->chunks[n]);
    }
    return f;
}

struct code_fault code_verify(struct alloc *a, const struct lang_program *program)
{
    struct verifier v = {.p = program, .code = program->code, .alloc = a};
    struct code_fault f = {.chunk = UINT32_MAX, .at = UINT32_MAX, .why = verify_types(&v)};
    if (!f.why)
        f = heads_check(&v);
    for (uint32_t n = 0; n < v.code->chunks_n && !f.why; n++) {
        v.chunk = &v.code->chunks[n];
        f = chunk_check(&v, n);
    }
    if (!f.why)
        f = (struct code_fault){.chunk = UINT32_MAX, .at = UINT32_MAX, .why = rules_check(&v)};
    return f;
}
