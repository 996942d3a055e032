/* Loops. The condition stands at the bottom, so that each round takes one jump. */
#include "lang/check_internal.h"

/* ---- what a body changes ------------------------------------------------------------------ */

static bool stmt_assigns(const struct stmt *s, uint32_t local)
{
    if (s->kind == S_ASSIGN && s->target->kind == E_PATH && s->target->ref == REF_LOCAL &&
        s->target->index == local)
        return true;
    for (size_t i = 0; i < s->arms_n; i++)
        if (assigns_local(&s->arms[i].body, local))
            return true;
    for (size_t i = 0; s->unrolled && i < s->elements_n; i++)
        if (assigns_local(&s->unrolled[i], local))
            return true;
    return assigns_local(&s->body, local) || assigns_local(&s->otherwise, local) ||
           assigns_local(&s->denied, local);
}

bool assigns_local(const struct stmt_list *list, uint32_t local)
{
    for (size_t i = 0; i < list->n; i++)
        if (stmt_assigns(list->v[i], local))
            return true;
    return false;
}

/* A value that must stay what it is while the body runs. */
static struct use fixed_use(struct body *b, const struct expr *e, const struct stmt_list *body)
{
    struct use u = expr_use(b, e, NULL);
    if (u.temp || e->kind != E_PATH || e->ref != REF_LOCAL || !assigns_local(body, e->index))
        return u;
    uint8_t r = temp_of(b, &e->type);
    (void)put(b, CODE_MOV, r, u.reg, 0, 0);
    return (struct use){r, true};
}

/* ---- while, loop ------------------------------------------------------------------------- */

static void loop_body(struct body *b, const struct stmt_list *body)
{
    struct scope inner;
    struct scope *loop = b->scope;
    scope_enter(b, &inner, SCOPE_BLOCK);
    stmts(b, body);
    scope_leave(b);
    jumps_here(b, &loop->continues);
}

static void loop_end(struct body *b)
{
    struct scope *loop = b->scope;
    loop_leave(b);
    scope_leave(b);
    jumps_here(b, &loop->breaks);
}

void stmt_loop(struct body *b, const struct stmt *s)
{
    struct scope loop;
    scope_enter(b, &loop, SCOPE_LOOP);
    loop_enter(b);
    size_t top = chunk_here(&b->b);
    loop_body(b, &s->body);
    (void)put(b, CODE_LOOP, 0, 0, 0, (int32_t)top);
    loop_end(b);
}

void stmt_while(struct body *b, const struct stmt *s)
{
    struct scope loop;
    int64_t v;
    if (constant_int(s->value, &v)) {
        if (v == 1)
            stmt_loop(b, s);
        return;
    }
    scope_enter(b, &loop, SCOPE_LOOP);
    loop_enter(b);
    size_t entry = put(b, CODE_JMP, 0, 0, 0, 0), top = chunk_here(&b->b);
    b->dead = false;
    loop_body(b, &s->body);
    jump_here(b, entry);
    (void)place_set(b, s->value->span);
    cond_loop(b, s->value, top);
    loop_end(b);
}

/* ---- for --------------------------------------------------------------------------------- */

static void for_range(struct body *b, const struct stmt *s)
{
    int64_t from = 0, to = 0;
    bool known = constant_int(s->value, &from) && constant_int(s->value2, &to);
    if (known && from >= to)
        return;
    struct scope loop;
    scope_enter(b, &loop, SCOPE_LOOP);
    uint8_t i = local_declare(b, s->local);
    expr_to(b, s->value, NULL, i);
    struct use end = fixed_use(b, s->value2, &s->body);
    loop_enter(b);
    size_t past = known ? NO_JUMP : put(b, CODE_JLEI, end.reg, i, 0, 0);
    size_t top = chunk_here(&b->b);
    loop_body(b, &s->body);
    (void)put(b, CODE_FOR, i, end.reg, 0, (int32_t)top);
    jump_here(b, past);
    loop_end(b);
    give(b, end);
}

static bool pair(const struct stmt *s)
{
    return s->name2.text.n > 0;
}

static void for_list(struct body *b, const struct stmt *s)
{
    struct scope loop;
    scope_enter(b, &loop, SCOPE_LOOP);
    struct use list = fixed_use(b, s->value, &s->body);
    uint8_t i = pair(s) ? local_declare(b, s->local) : temp(b, CODE_TYPE_INT);
    uint8_t x = local_declare(b, pair(s) ? s->local2 : s->local);
    loop_enter(b);
    int_to(b, -1, i);
    size_t entry = put(b, CODE_JMP, 0, 0, 0, 0), top = chunk_here(&b->b);
    b->dead = false;
    loop_body(b, &s->body);
    jump_here(b, entry);
    (void)put(b, CODE_FORLIST, i, list.reg, x, (int32_t)top);
    loop_end(b);
    if (!pair(s))
        reg_give(&b->b, i);
    give(b, list);
}

static void for_map(struct body *b, const struct stmt *s)
{
    struct scope loop;
    scope_enter(b, &loop, SCOPE_LOOP);
    struct use map = fixed_use(b, s->value, &s->body);
    uint8_t at = temp(b, CODE_TYPE_INT), key = local_declare(b, s->local);
    uint8_t value = pair(s) ? local_declare(b, s->local2) : 0;
    loop_enter(b);
    int_to(b, 0, at);
    size_t entry = put(b, CODE_JMP, 0, 0, 0, 0), top = chunk_here(&b->b);
    b->dead = false;
    loop_body(b, &s->body);
    jump_here(b, entry);
    (void)put(b, CODE_FORMAP, at, map.reg, key, (int32_t)top);
    (void)put(b, CODE_ARG, value, pair(s), 0, 0);
    loop_end(b);
    reg_give(&b->b, at);
    give(b, map);
}

/* The handles of `own all: list<Model>`, lent one after the other. */
static void for_group(struct body *b, const struct stmt *s)
{
    const struct expr *group = s->value;
    struct scope loop;
    if (group->count == 0)
        return;
    scope_enter(b, &loop, SCOPE_LOOP);
    uint8_t i = pair(s) ? local_declare(b, s->local) : temp(b, CODE_TYPE_INT);
    uint8_t h = local_declare_handle(b, pair(s) ? s->local2 : s->local, false);
    int_to(b, 0, i);
    struct use end = int_use(b, group->count);
    loop_enter(b);
    size_t top = chunk_here(&b->b);
    (void)put(b, CODE_HGROUP, h, i, 0, (int32_t)group->index);
    (void)put(b, CODE_ARG, 0, 0, 0, (int32_t)group->count);
    loop_body(b, &s->body);
    (void)put(b, CODE_FOR, i, end.reg, 0, (int32_t)top);
    loop_end(b);
    give(b, end);
    if (!pair(s))
        reg_give(&b->b, i);
}

/* Devices of the site: the body was copied for each of them. */
static void for_unrolled(struct body *b, const struct stmt *s)
{
    struct scope loop;
    scope_enter(b, &loop, SCOPE_LOOP);
    for (size_t i = 0; i < s->elements_n && !b->dead; i++)
        loop_body(b, &s->unrolled[i]);
    scope_leave(b);
    jumps_here(b, &loop.breaks);
}

void stmt_for(struct body *b, const struct stmt *s)
{
    if (s->unrolled)
        for_unrolled(b, s);
    else if (s->range)
        for_range(b, s);
    else if (s->value->ref == REF_GROUP)
        for_group(b, s);
    else if (s->value->type.kind == LANG_TYPE_MAP)
        for_map(b, s);
    else
        for_list(b, s);
}
