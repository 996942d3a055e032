/* eval_both: one program in the machine and in the plain evaluator. */
#pragma once

#include "lang/eval_fixture.h"

#include <string.h>

struct both {
    struct ctx_alone alone;
    struct lang_ctx *c;
    struct syntax syntax;
    struct checker k;
    struct lang_vm *vm;
    struct lang_host host;
    struct eval eval;
    const char *differs; /* what differed; NULL: nothing did */
};

/* What became of programs. */
struct both_tally {
    size_t refused, turns, traps;
};

static inline int64_t both_now(struct lang_host *h)
{
    (void)h;
    return 0;
}

/* Like lang_check(), but the tree stays. False if there are mistakes. */
static inline bool both_check(struct both *b)
{
    ctx_index_lines(b->c);
    parse_source(b->c, 0, &b->syntax);
    b->k = (struct checker){.c = b->c, .syntax = &b->syntax};
    check_decls(&b->k);
    declare_defs(&b->k);
    check_defs(&b->k);
    own_prepare(&b->k);
    check_programs(&b->k);
    own_finish(&b->k);
    return b->c->errors == 0;
}

static inline const struct stmt_list *both_body(const struct both *b)
{
    const struct item_list *items = &b->syntax.programs.v[0]->items;
    for (size_t i = 0; i < items->n; i++)
        if (items->v[i]->kind == I_EVERY)
            return &items->v[i]->body;
    return NULL;
}

static inline bool both_floats(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

static inline void both_compare(struct both *b, enum lang_outcome o)
{
    const struct eval *v = &b->eval;
    if (o != (v->trap ? LANG_TRAP : LANG_DONE))
        b->differs = v->trap ? "no trap" : "a trap";
    else if (lang_vm_var(b->vm, 0).i != v->vars[0].i)
        b->differs = "an int";
    else if (!both_floats(lang_vm_var(b->vm, 1).f, v->vars[1].f))
        b->differs = "a float";
    else if (lang_vm_var(b->vm, 2).i != v->vars[2].i)
        b->differs = "a bool";
}

/* One turn in both; false if they are not to be compared: too long, or too deep. */
static inline bool both_turn(struct both *b, const struct lang_program *p)
{
    struct eval *v = &b->eval;
    union lang_slot before[EVAL_VARS], locals[LANG_LOCALS_MAX] = {{0}};
    memcpy(before, v->vars, sizeof(before));
    v->steps = v->depth = 0;
    v->trap = v->endless = false;
    v->locals = locals;
    (void)eval_stmts(v, both_body(b));
    if (v->trap)
        memcpy(v->vars, before, sizeof(before));
    struct lang_result r;
    enum lang_outcome o = lang_vm_call(b->vm, p->rules[0].body, &r);
    if (v->endless || o == LANG_OUT_OF_BUDGET)
        return false;
    both_compare(b, o);
    return !b->differs;
}

static inline void both_turns(struct both *b, struct both_tally *t)
{
    const struct lang_program *p = b->k.programs_out.v[0];
    b->host.now_ms = both_now;
    b->vm = lang_vm_new(alloc_system(), p, &b->host, lang_limits_default());
    ASSERT(b->vm);
    b->eval = (struct eval){.c = b->c};
    for (size_t i = 0; i < p->vars_n && i < EVAL_VARS; i++)
        b->eval.vars[i] = p->vars[i].initial;
    for (int turn = 0; turn < 3 && both_turn(b, p); turn++) {
        t->turns++;
        t->traps += b->eval.trap;
    }
    lang_vm_free(b->vm);
}

/* A program of eval_random.h; what differs, or NULL. X1, the compiler's own mistake, does, too. */
static inline const char *both_run(const struct lang_schema *schema, struct str text,
                                   struct both_tally *t)
{
    struct both b = {0};
    struct lang_source source = {STR("random.sedge"), text};
    b.c = ctx_alone_init(&b.alone, schema, &source);
    if (setjmp(b.c->nomem) == 0) {
        bool fine = both_check(&b);
        t->refused += !fine; /* a constant that is divided by zero, say */
        if (fine)
            both_turns(&b, t);
        for (size_t i = 0; i < b.c->diags.n; i++)
            if (str_eq(b.c->diags.v[i].code, STR("X1")))
                b.differs = "code that does not pass its check";
    }
    ctx_alone_fini(&b.alone);
    return b.differs;
}
