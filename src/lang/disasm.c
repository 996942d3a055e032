/* Bytecode as people read it: one line for each instruction, with its constants, the names of what
 * it touches, and the source's lines. */
#include "lang/code_internal.h"
#include "lang/program.h"

#include <inttypes.h>

struct dump {
    struct strbuf *out;
    const struct lang_program *p;
    const struct lang_code *code;
    const struct lang_chunk *chunk;
};

static void add_type(struct dump *d, uint16_t type, unsigned deep)
{
    static const char *const plain[] = {
        [CODE_KIND_NONE] = "nothing", [CODE_KIND_BOOL] = "bool", [CODE_KIND_INT] = "int",
        [CODE_KIND_FLOAT] = "float",  [CODE_KIND_STR] = "str",
    };
    const struct code_type *t = &d->code->types[type];
    if (deep == 0) {
        strbuf_adds(d->out, "…");
        return;
    }
    switch (t->kind) {
    case CODE_KIND_ENUM:
    case CODE_KIND_RECORD: strbuf_addstr(d->out, t->def->name); return;
    case CODE_KIND_HANDLE:
        strbuf_addf(d->out, "%s%.*s", t->own ? "own " : "", STR_FMT(t->model->name));
        return;
    case CODE_KIND_LIST:
    case CODE_KIND_CHAN:
    case CODE_KIND_MAP:
        strbuf_adds(d->out, t->kind == CODE_KIND_LIST   ? "list<"
                            : t->kind == CODE_KIND_CHAN ? "chan<"
                                                        : "map<");
        add_type(d, t->a, deep - 1);
        if (t->kind == CODE_KIND_MAP) {
            strbuf_adds(d->out, ", ");
            add_type(d, t->b, deep - 1);
        }
        strbuf_addc(d->out, '>');
        return;
    case CODE_KIND_FN:
        strbuf_adds(d->out, "fn(");
        for (unsigned n = 0; n < t->args_n; n++) {
            strbuf_adds(d->out, n > 0 ? ", " : "");
            add_type(d, d->code->type_args[t->a + n], deep - 1);
        }
        strbuf_adds(d->out, ") -> ");
        add_type(d, t->b, deep - 1);
        return;
    default: strbuf_adds(d->out, plain[t->kind]); return;
    }
}

static void add_reg(struct dump *d, uint8_t reg)
{
    if (reg < d->chunk->regs_n)
        strbuf_addf(d->out, " r%u", reg);
    else
        strbuf_addf(d->out, " arg%u", reg - d->chunk->regs_n);
}

static void add_text(struct dump *d, int32_t text)
{
    strbuf_addc(d->out, ' ');
    strbuf_add_json(d->out, d->code->texts[text]);
}

static void add_unit(struct dump *d, int32_t unit)
{
    struct str symbol = d->code->units[unit].symbol;
    strbuf_addc(d->out, ' ');
    strbuf_addstr(d->out, symbol.n > 0 ? symbol : STR("plain"));
}

static void add_name(struct dump *d, struct str name)
{
    strbuf_addc(d->out, ' ');
    strbuf_addstr(d->out, name);
}

static void add_command(struct dump *d, const struct lang_decl *model, uint32_t action)
{
    const struct lang_member *m = lang_decl_member_at(model, LANG_CLAUSE_COMMAND, action);
    strbuf_addf(d->out, ".%.*s", STR_FMT(m->name));
}

/* What d says, by its letter. */
static void add_number(struct dump *d, uint32_t at, const struct instr *i, char letter)
{
    switch (letter) {
    case '-': return;
    case 'j':
    case 'l': strbuf_addf(d->out, " -> %" PRId64, (int64_t)at + 1 + i->d); return;
    case 'k': strbuf_addf(d->out, " %" PRId64, d->code->ints[i->d]); return;
    case 'K':
        strbuf_addc(d->out, ' ');
        strbuf_add_double(d->out, d->code->floats[i->d]);
        return;
    case 't': add_text(d, i->d); return;
    case 'u': add_unit(d, i->d); return;
    case 'v': add_name(d, d->p->vars[i->d].name); return;
    case 'c':
        strbuf_addf(d->out, " chunk %d (%.*s)", i->d, STR_FMT(d->code->chunks[i->d].name));
        return;
    case 'y':
        strbuf_addc(d->out, ' ');
        add_type(d, (uint16_t)i->d, 4);
        return;
    case 'e': add_name(d, d->p->leases[i->d].path); return;
    case 'r':
    case 'o': add_name(d, d->p->bindings[i->d].path); return;
    case 'O': {
        const struct lang_binding *b = &d->p->bindings[i->d & 0xFFFF];
        add_name(d, b->path);
        add_command(d, b->resource->type, (uint32_t)i->d >> 16);
        return;
    }
    case 'i': add_reg(d, (uint8_t)i->d); return;
    default: strbuf_addf(d->out, " %" PRId32, i->d); return;
    }
}

static void add_operands(struct dump *d, uint32_t at, const struct instr *i, const char *sig)
{
    const uint8_t abc[] = {i->a, i->b, i->c};
    for (unsigned n = 0; n < 3; n++) {
        if (code_is_reg(sig[n]))
            add_reg(d, abc[n]);
        else if (sig[n] == 'n')
            strbuf_addf(d->out, " %u", abc[n]);
    }
    if (sig[1] == 'p')
        strbuf_addf(d->out, " %d", (int16_t)instr_bc(i));
    if (sig[1] == 'q') {
        strbuf_addc(d->out, ' ');
        strbuf_add_double(d->out, d->code->floats[instr_bc(i)]);
    }
    if (i->op == CODE_COMMANDH)
        add_command(d, d->code->types[d->chunk->reg_types[i->a]].model, (uint32_t)i->d);
    else
        add_number(d, at, i, sig[3]);
}

static uint32_t add_instr(struct dump *d, uint32_t at)
{
    const struct lang_chunk *c = d->chunk;
    const struct instr *i = &c->code[at];
    unsigned words = code_words(i);
    if (at == 0 || c->lines[at] != c->lines[at - 1])
        strbuf_addf(d->out, "%6u", c->lines[at]);
    else
        strbuf_adds(d->out, "      ");
    strbuf_addf(d->out, "%6u  %-8s", at, code_ops[i->op].name);
    add_operands(d, at, i, code_ops[i->op].sig);
    strbuf_addc(d->out, '\n');
    for (unsigned n = 1; n <= words; n++) {
        strbuf_addf(d->out, "%12u    %-6s", at + n, code_ops[i[n].op].name);
        add_operands(d, at + n, &i[n], code_word_sig(i, &i[n]));
        strbuf_addc(d->out, '\n');
    }
    return at + 1 + words;
}

static void add_registers(struct dump *d)
{
    const struct lang_chunk *c = d->chunk;
    for (unsigned n = 0; n < c->regs_n; n++) {
        const char *what = n < (unsigned)(c->params_n - c->captures_n) ? "parameter"
                           : n < c->params_n                           ? "captured"
                                                                       : "";
        strbuf_addf(d->out, "%s r%u ", n > 0 ? "," : "  registers:", n);
        add_type(d, c->reg_types[n], 4);
        strbuf_addf(d->out, "%s%s", *what ? " " : "", what);
    }
    strbuf_adds(d->out, c->regs_n > 0 ? "\n" : "");
}

void lang_program_dump(struct strbuf *out, const struct lang_program *program)
{
    struct dump d = {.out = out, .p = program, .code = program->code};
    strbuf_addf(out, "program %.*s: %zu chunks, %zu instructions, hash %016" PRIx64 "\n",
                STR_FMT(program->name), program->chunks_n, program->instructions_n,
                program->code_hash);
    for (size_t n = 0; n < d.code->chunks_n && !out->failed; n++) {
        d.chunk = &d.code->chunks[n];
        strbuf_addf(out, "\nchunk %zu: %s%.*s -> ", n, d.chunk->task ? "task " : "",
                    STR_FMT(d.chunk->name));
        add_type(&d, d.chunk->result, 4);
        strbuf_addc(out, '\n');
        add_registers(&d);
        for (uint32_t at = 0; at < d.chunk->code_n && !out->failed;)
            at = add_instr(&d, at);
    }
}
