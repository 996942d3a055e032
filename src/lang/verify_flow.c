/* No scalar is read before it was written: what a register held before, in another program's turn,
 * is nobody's business, and a program does the same each time. References and handles are zero at
 * first, parameters are given.
 *
 * The registers that are certainly written at an instruction are those that are on all ways to it;
 * the greatest solution is found by walking the code until nothing changes. */
#include "lang/verify_internal.h"

#include <string.h>

#define PASSES_MAX 64u /* our compiler's code needs two or three, for its loops */

struct written {
    uint64_t bits[4];
};

struct flow {
    const struct verifier *v;
    struct written *at; /* of each target */
    struct written now;
    bool reachable, changed;
    const char *why;
    uint32_t where;
};

static bool has(const struct written *w, uint8_t reg)
{
    return w->bits[reg / 64] >> reg % 64 & 1;
}

static void add(struct written *w, uint8_t reg)
{
    w->bits[reg / 64] |= UINT64_C(1) << reg % 64;
}

static void merge(struct flow *f, uint32_t target)
{
    for (unsigned n = 0; n < 4; n++) {
        uint64_t both = f->at[target].bits[n] & f->now.bits[n];
        f->changed |= both != f->at[target].bits[n];
        f->at[target].bits[n] = both;
    }
}

static void read_reg(struct flow *f, uint8_t reg)
{
    if (reg < f->v->chunk->regs_n && !has(&f->now, reg))
        f->why = "a register that is read before it is written";
}

/* Operands that an instruction, or a word of it, reads. `written` has those of CODE_F_… */
static void reads(struct flow *f, const struct instr *i, const char *sig, unsigned written)
{
    if (code_is_reg(sig[0]) && !(written & CODE_F_A))
        read_reg(f, i->a);
    if (code_is_reg(sig[1]))
        read_reg(f, i->b);
    if (code_is_reg(sig[2]) && !(written & CODE_F_C))
        read_reg(f, i->c);
    if (sig[3] == 'i')
        read_reg(f, (uint8_t)i->d);
}

static void writes(struct flow *f, const struct instr *i, unsigned written)
{
    if ((written & CODE_F_A) && i->a < f->v->chunk->regs_n)
        add(&f->now, i->a);
    if (written & CODE_F_C)
        add(&f->now, i->c);
}

/* Words that are results: the value of FORMAP, what an arm receives, why a lease ended. */
static bool word_is_result(const struct instr *i, const struct instr *word)
{
    return (i->op == CODE_FORMAP && word->op == CODE_ARG) ||
           (word->op == CODE_ARM && word->c == CODE_ARM_RECV) ||
           (word->op == CODE_TO && i->op == CODE_LEASE);
}

static uint32_t target_of(uint32_t at, const struct instr *i)
{
    return (uint32_t)((int64_t)at + 1 + i->d);
}

/* A word that leads somewhere; its result is written there, and there only. */
static void word_jumps(struct flow *f, const struct instr *i, uint32_t at, const char *sig)
{
    const struct instr *word = &f->v->chunk->code[at];
    if (sig[3] != 'j')
        return;
    struct written before = f->now;
    if (code_is_reg(sig[0]) && word_is_result(i, word))
        add(&f->now, word->a);
    merge(f, target_of(at, word));
    f->now = before;
}

static void step(struct flow *f, uint32_t at)
{
    const struct instr *i = &f->v->chunk->code[at];
    const struct code_op_info *op = &code_ops[i->op];
    bool counts = i->op == CODE_FOR || i->op == CODE_FORLIST || i->op == CODE_FORMAP;
    reads(f, i, op->sig, counts ? op->flags & ~(unsigned)CODE_F_A : op->flags);
    unsigned words = code_words(i);
    for (unsigned n = 1; n <= words; n++) {
        const char *sig = code_word_sig(i, &i[n]);
        reads(f, &i[n], sig, word_is_result(i, &i[n]) ? CODE_F_A : 0);
        word_jumps(f, i, at + n, sig);
    }
    if (counts) { /* what it takes is there only when it goes back */
        struct written before = f->now;
        writes(f, i, op->flags);
        if (i->op == CODE_FORMAP && i[1].b == 1)
            add(&f->now, i[1].a);
        merge(f, target_of(at, i));
        f->now = before;
        return;
    }
    writes(f, i, op->flags);
    if (op->sig[3] == 'j' || op->sig[3] == 'l')
        merge(f, target_of(at, i));
}

static void pass(struct flow *f)
{
    const struct lang_chunk *c = f->v->chunk;
    memset(&f->now, 0, sizeof(f->now));
    for (unsigned n = 0; n < c->regs_n; n++)
        if (n < c->params_n || n >= c->zero_from)
            add(&f->now, (uint8_t)n);
    f->reachable = true;
    for (uint32_t at = 0; at < c->code_n && !f->why; at += 1 + code_words(&c->code[at])) {
        f->where = at;
        if (f->v->marks[at] & VERIFY_TARGET) {
            if (f->reachable)
                merge(f, at);
            f->now = f->at[at];
            f->reachable = true;
        }
        if (!f->reachable)
            continue;
        step(f, at);
        f->reachable = !(code_ops[c->code[at].op].flags & CODE_F_END);
    }
}

const char *verify_flow(const struct verifier *v, struct code_fault *fault)
{
    size_t bytes = v->chunk->code_n * sizeof(struct written);
    struct flow f = {.v = v, .at = mem_new(v->alloc, bytes)};
    if (!f.at) {
        fault->no_memory = true;
        return "out of memory";
    }
    memset(f.at, 0xFF, bytes);
    unsigned passes = 0;
    do {
        f.changed = false;
        pass(&f);
        if (++passes > PASSES_MAX)
            f.why = "jumps that are too tangled";
    } while (f.changed && !f.why);
    fault->at = f.where;
    mem_free(v->alloc, f.at, bytes);
    return f.why;
}
