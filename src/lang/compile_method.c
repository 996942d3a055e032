/* Methods of texts, lists, maps and channels. `map`, `filter`, `any` and `all` are loops here; a
 * lambda written in place becomes their body. */
#include "lang/check_internal.h"

#include <string.h>

static const struct expr *arg(const struct expr *e, size_t i)
{
    return e->list.v[i];
}

/* ---- one instruction --------------------------------------------------------------------- */

static void of_one(struct body *b, const struct expr *e, enum code_op op, int32_t d, uint8_t dest)
{
    struct use x = expr_use(b, e->a, NULL);
    (void)put(b, op, dest, x.reg, 0, d);
    give(b, x);
}

static void of_two(struct body *b, const struct expr *e, enum code_op op,
                   const struct lang_type *want, int32_t d, uint8_t dest)
{
    struct use x = expr_use(b, e->a, NULL), y = expr_use(b, arg(e, 0), want);
    (void)put(b, op, dest, x.reg, y.reg, d);
    give(b, y);
    give(b, x);
}

/* Nothing comes back: the receiver is the first operand. */
static void on_one(struct body *b, const struct expr *e, enum code_op op)
{
    struct use x = expr_use(b, e->a, NULL);
    (void)put(b, op, x.reg, 0, 0, 0);
    give(b, x);
}

static void on_two(struct body *b, const struct expr *e, enum code_op op,
                   const struct lang_type *want)
{
    struct use x = expr_use(b, e->a, NULL), y = expr_use(b, arg(e, 0), want);
    (void)put(b, op, x.reg, y.reg, 0, 0);
    give(b, y);
    give(b, x);
}

/* ---- texts ------------------------------------------------------------------------------- */

static void slice_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use s = expr_use(b, e->a, NULL), from = expr_use(b, arg(e, 0), NULL);
    struct use to = e->list.n > 1 ? expr_use(b, arg(e, 1), NULL) : int_use(b, INT64_MAX);
    (void)put(b, CODE_SLICE, dest, s.reg, from.reg, to.reg);
    give(b, to);
    give(b, from);
    give(b, s);
}

static void text_method(struct body *b, const struct expr *e, uint8_t dest)
{
    switch (e->method) {
    case METHOD_LEN: of_one(b, e, CODE_SLEN, 0, dest); return;
    case METHOD_CONTAINS: of_two(b, e, CODE_STEST, NULL, CODE_CONTAINS, dest); return;
    case METHOD_STARTS_WITH: of_two(b, e, CODE_STEST, NULL, CODE_STARTS, dest); return;
    case METHOD_ENDS_WITH: of_two(b, e, CODE_STEST, NULL, CODE_ENDS, dest); return;
    case METHOD_SPLIT: of_two(b, e, CODE_SPLIT, NULL, 0, dest); return;
    case METHOD_TRIM: of_one(b, e, CODE_SMAKE, CODE_TRIM, dest); return;
    case METHOD_UPPER: of_one(b, e, CODE_SMAKE, CODE_UPPER, dest); return;
    case METHOD_LOWER: of_one(b, e, CODE_SMAKE, CODE_LOWER, dest); return;
    case METHOD_SLICE: slice_to(b, e, dest); return;
    case METHOD_TO_INT: of_one(b, e, CODE_STOI, 0, dest); return;
    default: of_one(b, e, CODE_STOF, 0, dest); return;
    }
}

/* ---- loops over a list ------------------------------------------------------------------- */

/* What is applied to each element. */
struct applied {
    const struct fn_decl *fn; /* in place; or NULL */
    const struct expr *e;
    struct use closure;
};

static bool in_place(const struct expr *f)
{
    return f->kind == E_LAMBDA && f->fn->body.n == 1 && f->fn->body.v[0]->kind == S_RETURN &&
           f->fn->body.v[0]->value;
}

static struct applied applied_begin(struct body *b, const struct expr *f)
{
    struct applied a = {.e = f, .fn = in_place(f) ? f->fn : NULL};
    if (!a.fn)
        a.closure = expr_use(b, f, NULL);
    return a;
}

static void applied_end(struct body *b, const struct applied *a)
{
    if (!a->fn)
        give(b, a->closure);
}

static struct locals lambda_locals(struct body *b, const struct fn_decl *fn, uint8_t element)
{
    struct locals outer = {b->locals, b->locals_n, b->regs};
    uint8_t *regs = ctx_tree_array(b->c, fn->locals_n + HELD_MAX, 1);
    memset(regs, REG_NONE, fn->locals_n + HELD_MAX);
    regs[0] = element;
    for (size_t i = 0; i < fn->captures_n; i++)
        regs[fn->params_n + i] = local_reg(b, fn->captures[i]);
    b->locals = fn->locals;
    b->locals_n = fn->locals_n;
    b->regs = regs;
    return outer;
}

static void locals_restore(struct body *b, struct locals outer)
{
    b->locals = outer.types;
    b->locals_n = outer.n;
    b->regs = outer.regs;
}

static void apply_closure(struct body *b, const struct applied *a, uint8_t element, uint8_t dest)
{
    (void)put(b, CODE_MOV, CODE_WINDOW(0), element, 0, 0);
    (void)put(b, CODE_CALLC, dest, a->closure.reg, 0, 0);
}

/* A bool: goes to `to` if it is `when`. */
static void apply_jump(struct body *b, const struct applied *a, uint8_t element, bool when,
                       struct jumps *to)
{
    if (a->fn) {
        struct locals outer = lambda_locals(b, a->fn, element);
        cond_jump(b, a->fn->body.v[0]->value, when, to);
        locals_restore(b, outer);
        return;
    }
    uint8_t r = temp(b, CODE_TYPE_BOOL);
    apply_closure(b, a, element, r);
    jumps_add(b, to, put(b, when ? CODE_JT : CODE_JNT, r, 0, 0, 0));
    reg_give(&b->b, r);
}

static void apply_push(struct body *b, const struct applied *a, uint8_t element, uint8_t list)
{
    const struct lang_type *result =
        a->fn ? &a->fn->result_type : &a->e->type.args[a->e->type.args_n - 1];
    struct use u;
    if (a->fn) {
        struct locals outer = lambda_locals(b, a->fn, element);
        u = expr_use(b, a->fn->body.v[0]->value, result);
        locals_restore(b, outer);
    } else {
        u = (struct use){temp_of(b, result), true};
        apply_closure(b, a, element, u.reg);
    }
    (void)put(b, CODE_LPUSH, list, u.reg, 0, 0);
    give(b, u);
}

/* for element in list: the index is counted, and the next element fetched, at the bottom. */
struct walk {
    struct use list;
    uint8_t index, element;
    size_t entry, top;
};

static struct walk walk_begin(struct body *b, struct use list, const struct lang_type *element)
{
    struct walk w = {.list = list, .index = temp(b, CODE_TYPE_INT), .element = temp_of(b, element)};
    loop_enter(b);
    int_to(b, -1, w.index);
    w.entry = put(b, CODE_JMP, 0, 0, 0, 0);
    w.top = chunk_here(&b->b);
    b->dead = w.entry == NO_JUMP;
    return w;
}

static void walk_end(struct body *b, const struct walk *w)
{
    jump_here(b, w->entry);
    (void)put(b, CODE_FORLIST, w->index, w->list.reg, w->element, (int32_t)w->top);
    loop_leave(b);
    reg_give(&b->b, w->element);
    reg_give(&b->b, w->index);
    give(b, w->list);
}

static void collect_to(struct body *b, const struct expr *e, bool filter, uint8_t dest)
{
    bool own = b->is_local[dest] && mentions_reg(b, e, dest);
    uint8_t out = own ? temp_of(b, &e->type) : dest;
    struct use list = expr_use(b, e->a, NULL);
    struct applied a = applied_begin(b, arg(e, 0));
    struct jumps no = {0};
    (void)put(b, CODE_LIST, out, 0, 0, type_of(b, &e->type));
    struct walk w = walk_begin(b, list, &e->a->type.args[0]);
    if (filter) {
        apply_jump(b, &a, w.element, false, &no);
        (void)put(b, CODE_LPUSH, out, w.element, 0, 0);
        jumps_here(b, &no);
    } else {
        apply_push(b, &a, w.element, out);
    }
    walk_end(b, &w);
    applied_end(b, &a);
    if (own) {
        (void)put(b, CODE_MOV, dest, out, 0, 0);
        reg_give(&b->b, out);
    }
}

/* any: true as soon as one is; all: false as soon as one is not. */
static void search_to(struct body *b, const struct expr *e, bool any, uint8_t dest)
{
    struct use list = expr_use(b, e->a, NULL);
    struct applied a = applied_begin(b, arg(e, 0));
    struct jumps found = {0};
    struct walk w = walk_begin(b, list, &e->a->type.args[0]);
    apply_jump(b, &a, w.element, any, &found);
    walk_end(b, &w);
    applied_end(b, &a);
    (void)put(b, CODE_LOADB, dest, 0, 0, !any);
    size_t end = put(b, CODE_JMP, 0, 0, 0, 0);
    jumps_here(b, &found);
    (void)put(b, CODE_LOADB, dest, 0, 0, any);
    jump_here(b, end);
}

/* ---- lists ------------------------------------------------------------------------------- */

static void first_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use x = expr_use(b, e->a, NULL), zero = int_use(b, 0);
    (void)put(b, CODE_LAT, dest, x.reg, zero.reg, 0);
    give(b, zero);
    give(b, x);
}

static void insert(struct body *b, const struct expr *e)
{
    struct use x = expr_use(b, e->a, NULL), at = expr_use(b, arg(e, 0), NULL);
    struct use v = expr_use(b, arg(e, 1), &e->a->type.args[0]);
    (void)put(b, CODE_LINSERT, x.reg, at.reg, v.reg, 0);
    give(b, v);
    give(b, at);
    give(b, x);
}

static void list_method(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct lang_type *element = &e->a->type.args[0];
    switch (e->method) {
    case METHOD_LEN: of_one(b, e, CODE_LLEN, 0, dest); return;
    case METHOD_PUSH: on_two(b, e, CODE_LPUSH, element); return;
    case METHOD_POP: of_one(b, e, CODE_LPOP, 0, dest); return;
    case METHOD_INSERT: insert(b, e); return;
    case METHOD_REMOVE: of_two(b, e, CODE_LREMOVE, NULL, 0, dest); return;
    case METHOD_GET: of_two(b, e, CODE_LAT, NULL, 0, dest); return;
    case METHOD_FIRST: first_to(b, e, dest); return;
    case METHOD_LAST: of_one(b, e, CODE_LLAST, 0, dest); return;
    case METHOD_CLEAR: on_one(b, e, CODE_LCLEAR); return;
    case METHOD_CONTAINS: of_two(b, e, CODE_LHAS, element, 0, dest); return;
    case METHOD_SORT: on_one(b, e, CODE_LSORT); return;
    case METHOD_REVERSE: on_one(b, e, CODE_LREVERSE); return;
    case METHOD_MAP: collect_to(b, e, false, dest); return;
    case METHOD_FILTER: collect_to(b, e, true, dest); return;
    default: search_to(b, e, e->method == METHOD_ANY, dest); return;
    }
}

/* ---- maps, channels ---------------------------------------------------------------------- */

static void map_method(struct body *b, const struct expr *e, uint8_t dest)
{
    const struct lang_type *key = &e->a->type.args[0];
    switch (e->method) {
    case METHOD_LEN: of_one(b, e, CODE_MLEN, 0, dest); return;
    case METHOD_HAS: of_two(b, e, CODE_MHAS, key, 0, dest); return;
    case METHOD_GET: of_two(b, e, CODE_MGET, key, 0, dest); return;
    case METHOD_REMOVE: of_two(b, e, CODE_MREMOVE, key, 0, dest); return;
    case METHOD_KEYS: of_one(b, e, CODE_MKEYS, 0, dest); return;
    case METHOD_VALUES: of_one(b, e, CODE_MVALUES, 0, dest); return;
    default: on_one(b, e, CODE_MCLEAR); return;
    }
}

static void chan_method(struct body *b, const struct expr *e, uint8_t dest)
{
    switch (e->method) {
    case METHOD_LEN: of_one(b, e, CODE_CLEN, 0, dest); return;
    case METHOD_RECV: of_one(b, e, CODE_RECV, 0, dest); return;
    default: on_one(b, e, CODE_CCLOSE); return;
    }
}

void method_to(struct body *b, const struct expr *e, uint8_t dest)
{
    struct use nobody = {dest, false};
    if (dest == REG_NONE && e->type.kind == LANG_TYPE_HANDLE) {
        uint16_t type = code_type_handle(b->k->code, e->type.model, true);
        nobody = (struct use){temp(b, type), true};
    } else if (dest == REG_NONE && e->type.kind != LANG_TYPE_NONE) {
        nobody = (struct use){temp_of(b, &e->type), true};
    }
    switch (e->a->type.kind) {
    case LANG_TYPE_STR: text_method(b, e, nobody.reg); break;
    case LANG_TYPE_LIST: list_method(b, e, nobody.reg); break;
    case LANG_TYPE_MAP: map_method(b, e, nobody.reg); break;
    default: chan_method(b, e, nobody.reg); break;
    }
    if (nobody.temp && e->type.kind == LANG_TYPE_HANDLE)
        (void)put(b, CODE_HDROP, nobody.reg, 0, 0, 0);
    give(b, nobody);
}
