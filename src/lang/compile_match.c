/* match: the patterns one after the other, each a jump to the next arm. */
#include "lang/check_internal.h"

static struct expr compare(enum expr_op op, struct expr *x, struct expr *y)
{
    return (struct expr){
        .kind = E_BINARY, .op = op, .a = x, .b = y, .type = {.kind = LANG_TYPE_BOOL}};
}

/* Goes to `to` if the pattern fits (or does not), else on. */
static void pattern_jump(struct body *b, const struct pattern *p, struct expr *x, bool when,
                         struct jumps *to)
{
    struct expr from, under, both;
    switch (p->kind) {
    case PATTERN_ANY:
        if (when)
            jumps_add(b, to, put(b, CODE_JMP, 0, 0, 0, 0));
        return;
    case PATTERN_NONE:
    case PATTERN_SOME:
        jumps_add(b, to,
                  jump_none(b, &x->type, b->regs[x->index], (p->kind == PATTERN_NONE) == when));
        return;
    case PATTERN_VALUE:
        both = compare(OP_EQ, x, p->a);
        cond_jump(b, &both, when, to);
        return;
    case PATTERN_RANGE:
        from = compare(OP_GE, x, p->a);
        under = compare(OP_LT, x, p->b);
        both = compare(OP_AND, &from, &under);
        cond_jump(b, &both, when, to);
        return;
    }
}

static void arm_patterns(struct body *b, const struct arm *a, struct expr *x, struct jumps *next)
{
    struct jumps fits = {0};
    for (size_t i = 0; i + 1 < a->patterns_n; i++)
        pattern_jump(b, &a->patterns[i], x, true, &fits);
    pattern_jump(b, &a->patterns[a->patterns_n - 1], x, false, next);
    jumps_here(b, &fits);
}

static void arm_body(struct body *b, const struct arm *a, uint8_t x)
{
    struct scope s;
    scope_enter(b, &s, SCOPE_BLOCK);
    const struct pattern *p = &a->patterns[0];
    if (p->kind == PATTERN_SOME && a->patterns_n == 1)
        (void)put(b, CODE_MOV, local_declare(b, p->local), x, 0, 0);
    stmts(b, &a->body);
    scope_leave(b);
}

void stmt_match(struct body *b, const struct stmt *s)
{
    struct jumps end = {0};
    bool outer = b->none_ok;
    for (size_t i = 0; i < s->arms_n; i++)
        for (size_t q = 0; q < s->arms[i].patterns_n; q++)
            b->none_ok = b->none_ok || s->arms[i].patterns[q].kind == PATTERN_NONE ||
                         s->arms[i].patterns[q].kind == PATTERN_SOME;
    struct use u = expr_use(b, s->value, NULL);
    b->none_ok = outer;
    for (size_t i = 0; i < s->arms_n && !b->dead; i++) {
        const struct arm *a = &s->arms[i];
        struct expr x = held(b, 0, &s->value->type, u.reg);
        struct jumps next = {0};
        bool last = i + 1 == s->arms_n; /* it takes all that is left: the checker saw to it */
        if (!last)
            arm_patterns(b, a, &x, &next);
        arm_body(b, a, u.reg);
        if (!last)
            jumps_add(b, &end, put(b, CODE_JMP, 0, 0, 0, 0));
        jumps_here(b, &next);
    }
    jumps_here(b, &end);
    give(b, u);
}
