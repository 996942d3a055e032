/* Small functions in place of their calls.
 *
 * A function that calls no other, has no loop and is short is compiled where it is called: its
 * parameters, which never change, are the registers of the arguments, its `return` puts the result
 * where the caller wants it. Only one of the same source, since a chunk's places are of one. */
#include "lang/check_internal.h"

#include <string.h>

#define INLINE_MAX 48u /* nodes of the tree */
#define TOO_LARGE  (INLINE_MAX + 1)

static unsigned size_sum(unsigned a, unsigned b)
{
    return a + b < TOO_LARGE ? a + b : TOO_LARGE;
}

static unsigned expr_size(const struct expr *e)
{
    if (!e)
        return 0;
    if (e->constant)
        return 1;
    if (e->kind == E_LAMBDA || (e->kind == E_CALL && e->ref != REF_BUILTIN))
        return TOO_LARGE;
    unsigned n = 1;
    for (size_t i = 0; i < e->list.n && n < TOO_LARGE; i++)
        n = size_sum(n, expr_size(e->list.v[i]));
    n = size_sum(n, expr_size(e->a));
    n = size_sum(n, expr_size(e->b));
    return size_sum(n, expr_size(e->otherwise));
}

static unsigned stmts_size(const struct stmt_list *list);

static unsigned stmt_size(const struct stmt *s)
{
    unsigned n = 1;
    switch (s->kind) {
    case S_LET:
    case S_ASSIGN:
    case S_CALL:
    case S_IF:
    case S_RETURN:
    case S_MATCH: break;
    default: return TOO_LARGE;
    }
    for (size_t i = 0; i < s->arms_n && n < TOO_LARGE; i++)
        n = size_sum(n, size_sum(1, stmts_size(&s->arms[i].body)));
    n = size_sum(n, expr_size(s->target));
    n = size_sum(n, expr_size(s->value));
    n = size_sum(n, stmts_size(&s->body));
    return size_sum(n, stmts_size(&s->otherwise));
}

static unsigned stmts_size(const struct stmt_list *list)
{
    unsigned n = 0;
    for (size_t i = 0; i < list->n && n < TOO_LARGE; i++)
        n = size_sum(n, stmt_size(list->v[i]));
    return n;
}

bool inline_fits(const struct body *b, const struct fn_decl *fn)
{
    if (fn->task || fn->lambda || b->inlined || fn->span.source != b->b.span.source)
        return false;
    for (size_t i = 0; i < fn->params_n; i++)
        if (fn->param_types[i].type.kind == LANG_TYPE_HANDLE)
            return false;
    return stmts_size(&fn->body) <= INLINE_MAX;
}

struct caller { /* what is the caller's while the function's body is compiled */
    struct locals locals;
    const struct lang_type *result;
    struct jumps *misses;
    bool strict, none_ok;
};

static struct caller caller_leave(struct body *b, const struct fn_decl *fn, uint8_t *regs)
{
    struct caller c = {
        {b->locals, b->locals_n, b->regs}, b->result, b->misses, b->strict, b->none_ok};
    b->locals = fn->locals;
    b->locals_n = fn->locals_n;
    b->regs = regs;
    b->result = fn->result_type.kind == LANG_TYPE_NONE ? NULL : &fn->result_type;
    b->misses = NULL;
    b->strict = b->none_ok = false;
    return c;
}

static void caller_return(struct body *b, const struct caller *c)
{
    b->locals = c->locals.types;
    b->locals_n = c->locals.n;
    b->regs = c->locals.regs;
    b->result = c->result;
    b->misses = c->misses;
    b->strict = c->strict;
    b->none_ok = c->none_ok;
}

/* A `return` at the very end needs no jump. */
static void trim(struct body *b, struct jumps *ends)
{
    size_t n = ends->all.n;
    if (!b->dead || n == 0 || ends->all.v[n - 1] + 1 != b->b.all.n || b->b.full)
        return;
    ends->all.n--;
    b->b.all.n--;
    b->b.lines.n--;
    b->dead = false;
}

void inline_call(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct fn_decl *fn = e->fn;
    struct use args[CODE_ARGS_MAX];
    struct inlined in = {.dest = dest, .scope = b->scope};
    uint8_t *regs = ctx_tree_array(b->c, fn->locals_n + HELD_MAX, 1);
    memset(regs, REG_NONE, fn->locals_n + HELD_MAX);
    for (uint32_t i = 0; i < e->list.n; i++) {
        args[i] = expr_use(b, e->list.v[i], &fn->param_types[i].type);
        regs[i] = args[i].reg;
    }
    struct lang_span around = b->place;
    struct caller c = caller_leave(b, fn, regs);
    b->inlined = &in;
    stmt_block(b, &fn->body);
    b->inlined = NULL;
    trim(b, &in.ends);
    jumps_here(b, &in.ends);
    caller_return(b, &c);
    (void)place_set(b, around);
    for (size_t i = e->list.n; i > 0; i--)
        give(b, args[i - 1]);
}

void inline_return(struct body *b, const struct expr *value)
{
    struct inlined *in = b->inlined;
    if (value && in->dest != REG_NONE && b->result)
        expr_to(b, value, b->result, in->dest);
    else if (value)
        expr_drop(b, value);
    scopes_exit(b, in->scope);
    jumps_add(b, &in->ends, put(b, CODE_JMP, 0, 0, 0, 0));
}
